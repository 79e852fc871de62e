"""Numbers and texts of layers that say how much dust there is, in the units of the studies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo.model import Issue, Layer, UserError

Floats = NDArray[np.float64]

# What one of a unit is in the study's own. No unit is the study's own, and said.
OWN: dict[str, dict[str, float]] = {
    "ug/s": {
        "g/s": 1e6, "mg/s": 1e3, "ug/s": 1.0, "kg/h": 1e9 / 3600.0, "g/h": 1e6 / 3600.0, "kg/d": 1e9 / 86400.0,
        "g/d": 1e6 / 86400.0, "t/a": 1e12 / (365.0 * 86400.0), "kg/a": 1e9 / (365.0 * 86400.0),
    },
    "1/d": {"1/d": 1.0, "1/h": 24.0},
    "t": {"t": 1.0, "kg": 1e-3},
    "g/m2": {"g/m2": 1.0, "mg/m2": 1e-3, "kg/m2": 1e3},
    "m": {"m": 1.0, "cm": 1e-2, "mm": 1e-3},
    "1": {"1": 1.0, "%": 0.01},
    "h": {"h": 1.0, "min": 1.0 / 60.0},
    "m2": {"m2": 1.0},
}  # fmt: skip
UNSAID = {"ug/s": "g/s"}  # the unit meant where none is said; others: the study's own
SPELLINGS = {
    "vehicles/day": "1/d", "vehicles/d": "1/d", "veh/day": "1/d", "veh/d": "1/d", "1/day": "1/d", "/d": "1/d",
    "/day": "1/d", "대/일": "1/d", "vehicles/h": "1/h", "veh/h": "1/h", "대/시": "1/h", "대/시간": "1/h", "/h": "1/h",
    "t/y": "t/a", "t/yr": "t/a", "t/year": "t/a", "kg/y": "kg/a", "kg/yr": "kg/a", "kg/year": "kg/a", "kg/day": "kg/d",
    "g/day": "g/d", "μg/s": "ug/s", "µg/s": "ug/s", "g/m²": "g/m2", "ton": "t", "tonne": "t", "-": "1",
}  # fmt: skip
TRUE_WORDS = 3  # examples of elements that a message names


def numbers_of(layer: Layer, name: str, unit: str, issues: list[Issue] | None = None) -> Floats:
    """(n,) a column in a unit of `OWN`, NaN where it says nothing and where there is no such column.

    Raises `UserError` for a unit that is not known.
    """
    count = len(layer.table)
    column = layer.table.columns.get(name)
    if column is None:
        return np.full(count, np.nan)
    if column.values.dtype.kind in "fib":
        found = np.asarray(column.values, dtype=np.float64)
    else:
        found = np.array([_number(value) for value in column.values.tolist()], dtype=np.float64)
    return found * _factor(layer, name, column.unit, unit, issues)


def _number(value: object) -> float:
    try:
        return float(str(value).replace(",", "")) if value is not None else np.nan
    except ValueError:
        return np.nan


def _factor(layer: Layer, name: str, said: str, unit: str, issues: list[Issue] | None) -> float:
    known = OWN[unit]
    plain = said.strip()
    if not plain:
        taken = UNSAID.get(unit, unit)
        if issues is not None:
            message = f"{name} of {layer.name} says no unit: {taken} was taken."
            values = {"column": name, "layer": layer.name, "unit": taken}
            issues.append(Issue("dust.unit_taken", message, "note", values=values))
        return known[taken]
    plain = SPELLINGS.get(plain, SPELLINGS.get(plain.lower(), plain))
    if plain not in known:
        raise UserError(
            f"{name} of {layer.name} cannot be used.",
            f"Its unit is {said}; known are {', '.join(known)}.",
            "Correct the unit of the column, or convert its values.",
            code="dust.unit",
            values={"column": name, "layer": layer.name, "unit": said, "known": ", ".join(known)},
        )
    return known[plain]


def texts_of(layer: Layer, names: Sequence[str]) -> list[str]:
    """Each element's text in the first of some columns that there is; ``""`` where it says nothing."""
    column = next((layer.table.columns[name] for name in names if name in layer.table.columns), None)
    if column is None:
        return [""] * len(layer.table)
    return ["" if value is None else str(value).strip() for value in column.values.tolist()]


def titles_of(layer: Layer) -> list[str]:
    """A name for each element: its own, else its id."""
    given = texts_of(layer, ("name", "title", "label", "이름", "명칭"))
    return [text or str(key) for text, key in zip(given, layer.table.ids, strict=True)]
