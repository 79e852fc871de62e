"""Units of an IFC file: what a value is measured in, and how many of the program's unit it is.

Lengths, areas, volumes, angles, masses and times are brought to m, m2, m3, deg, kg and s, whatever the file writes
them in. Other measures keep the file's unit and its sign, since a pressure in Pa and one in bar are both read.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bim.attributes import attribute, by_type, is_entity, members, text

if TYPE_CHECKING:
    import ifcopenshell
    from ifcopenshell import entity_instance

# Unit of the program, and its size in the unit that the library counts in (it counts angles in rad, masses in g).
PROGRAM_UNITS = {
    "LENGTHUNIT": ("m", 1.0),
    "AREAUNIT": ("m2", 1.0),
    "VOLUMEUNIT": ("m3", 1.0),
    "PLANEANGLEUNIT": ("deg", math.radians(1.0)),
    "MASSUNIT": ("kg", 1000.0),
    "TIMEUNIT": ("s", 1.0),
}
# Units without a prefix that the library has no sign for.
SIGNS = {
    "AMPERE": "A",
    "VOLT": "V",
    "WATT": "W",
    "JOULE": "J",
    "HERTZ": "Hz",
    "KELVIN": "K",
    "DEGREE_CELSIUS": "degC",
    "LUX": "lx",
    "LUMEN": "lm",
    "CANDELA": "cd",
    "OHM": "ohm",
    "RADIAN": "rad",
    "STERADIAN": "sr",
    "MOLE": "mol",
}
# A ratio, a count and a plain real number have no unit of their own.
NO_UNIT = ("IfcReal", "IfcInteger", "IfcCountMeasure", "IfcRatioMeasure", "IfcNormalisedRatioMeasure")

Unit = tuple[float, str]


class Measures:
    """Factor and unit of each measure of one file.

    Examples
    --------
    >>> import ifcopenshell
    >>> Measures(ifcopenshell.file()).of("IfcLabel")
    (1.0, '')
    """

    def __init__(self, file: ifcopenshell.file) -> None:
        self._project: dict[str, entity_instance] = {}
        self._known: dict[str, Unit] = {}
        self._units: dict[int, Unit] = {}
        for assignment in by_type(file, "IfcUnitAssignment")[:1]:
            for unit in members(assignment, "Units"):
                kind = text(unit, "UnitType")
                if kind:
                    self._project.setdefault(kind, unit)

    def of(self, measure: str, unit: Any = None) -> Unit:
        """Factor to the program's unit, and that unit, of a measure such as ``"IfcLengthMeasure"``.

        Parameters
        ----------
        unit : entity_instance or None
            The unit stated with the value itself; it goes before the project's.
        """
        if is_entity(unit):
            found = self._units.get(unit.id())
            if found is None:
                found = self._units[unit.id()] = _described(unit, text(unit, "UnitType") or "")
            return found
        if measure not in self._known:
            self._known[measure] = self._of_project(measure)
        return self._known[measure]

    def _of_project(self, measure: str) -> Unit:
        if not measure.endswith("Measure") or measure in NO_UNIT:
            return 1.0, ""
        from ifcopenshell.util.unit import get_measure_unit_type

        kind = get_measure_unit_type(measure)
        unit = self._project.get(kind)
        if unit is not None:
            return _described(unit, kind)
        # Without a declaration the library's own unit is meant, which is the SI one.
        return (1.0, PROGRAM_UNITS[kind][0]) if kind in PROGRAM_UNITS else (1.0, "")


def _described(unit: entity_instance, kind: str) -> Unit:
    from ifcopenshell.util.unit import get_unit_scale

    if kind in PROGRAM_UNITS:
        name, size = PROGRAM_UNITS[kind]
        try:
            factor = float(get_unit_scale(unit)) / size
        except (AttributeError, TypeError, KeyError, ValueError, RuntimeError, ZeroDivisionError):
            return 1.0, sign(unit)
        return (factor, name) if math.isfinite(factor) and factor > 0 else (1.0, sign(unit))
    return 1.0, sign(unit)


def sign(unit: entity_instance) -> str:
    """How a unit is written: ``mm``, ``W/m2.K``; its name where no sign is known."""
    from ifcopenshell.util.unit import get_unit_symbol

    name = text(unit, "Name") or ""
    if unit.is_a("IfcMonetaryUnit"):
        return str(attribute(unit, "Currency") or "")
    if unit.is_a("IfcSIUnit") and name in SIGNS:
        prefixes = {"KILO": "k", "MEGA": "M", "MILLI": "m", "GIGA": "G", "CENTI": "c", "MICRO": "u"}
        return prefixes.get(text(unit, "Prefix") or "", "") + SIGNS[name]
    if unit.is_a("IfcDerivedUnit"):
        return _derived_sign(unit)
    try:
        found = str(get_unit_symbol(unit))
    except (AttributeError, TypeError, KeyError, RuntimeError):
        found = "?"
    return name.lower().replace("_", " ") if "?" in found else found


def _derived_sign(unit: entity_instance) -> str:
    """``W/m2.K`` from the elements of a derived unit."""
    above, below = [], []
    for element in members(unit, "Elements"):
        part, power = attribute(element, "Unit"), attribute(element, "Exponent")
        if is_entity(part) and isinstance(power, int) and power:
            word = sign(part) + (str(abs(power)) if abs(power) != 1 else "")
            (above if power > 0 else below).append(word)
    return (".".join(above) or "1") + (f"/{'.'.join(below)}" if below else "")
