"""Grades, limits, sizes of particles and emission factors of dust, from the program's data."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from resources import load_json

Codes = NDArray[np.int8]
Size = Literal["pm10", "pm25"]

RULES = "rules/dust.json"
GRAVITY = 9.81  # [m/s2]
VISCOSITY = 1.81e-5  # [Pa s] of air at 15 to 20 degrees
FREE_PATH = 6.6e-8  # [m] of the molecules of air
UNKNOWN = -1


class SizeClass(NamedTuple):
    """Particles that are carried as one.

    Attributes
    ----------
    id : str
    diameter : float [m]
        Aerodynamic.
    settling : float [m/s]
    deposition, deposition_low, deposition_high : float [m/s]
        On the ground, and the range published.
    leaf_deposition : float [m/s]
    source : str
    verified : tuple of str
        Which of the figures were checked.
    """

    id: str
    diameter: float
    settling: float
    deposition: float
    deposition_low: float
    deposition_high: float
    leaf_deposition: float
    source: str
    verified: tuple[str, ...]


class Limit(NamedTuple):
    """A limit of concentration [ug/m3] for the mean of a year or of a day."""

    id: str
    title: str
    year: float
    day: float
    source: str
    verified: bool


def _rules() -> dict[str, Any]:
    rules: dict[str, Any] = load_json(RULES)
    return rules


@cache
def size_classes() -> dict[str, SizeClass]:
    """By id."""
    found = [
        SizeClass(
            row["id"], row["diameter_um"] * 1e-6, row["settling"], row["deposition"], row["deposition_low"],
            row["deposition_high"], row["leaf_deposition"], row["source"], tuple(row["verified"]),
        )
        for row in _rules()["sizes"]
    ]  # fmt: skip
    return {one.id: one for one in found}


def limits(size: Size) -> tuple[Limit, ...]:
    """Limits of a size, Korea's first."""
    return tuple(
        Limit(row["id"], row["title"], row[size]["year"], row[size]["day"], row["source"], row["verified"])
        for row in _rules()["limits"]
    )


def index_classes() -> tuple[str, ...]:
    """Names of the grades, best first."""
    return tuple(_rules()["index"]["classes"])


def index_limits(size: Size) -> tuple[float, ...]:
    """Highest whole value [ug/m3] of every grade but the last."""
    return tuple(float(value) for value in _rules()["index"][size])


def index_of(concentration: ArrayLike, size: Size) -> Codes:
    """Grade of each concentration [ug/m3], 0 the best, `UNKNOWN` where there is none.

    Grades are declared for whole numbers ("0 to 30", "31 to 80"), so values are rounded, halves upwards.
    """
    values = np.asarray(concentration, dtype=np.float64)
    whole = np.floor(np.nan_to_num(values) + 0.5)
    grade = np.searchsorted(np.asarray(index_limits(size)), whole, side="left")
    return np.where(np.isfinite(values), grade, UNKNOWN).astype(np.int8)


def settling_speed(diameter: float, *, density: float = 1000.0) -> float:
    """Speed at which a sphere falls through air [m/s]: Stokes with the slip of Cunningham.

    Parameters
    ----------
    diameter : float [m]
        Up to 50e-6; larger ones fall slower than Stokes says.
    density : float [kg/m3]

    Examples
    --------
    >>> round(settling_speed(10e-6), 4)
    0.0031
    """
    slip = 1.0 + 2.0 * FREE_PATH / diameter * (1.257 + 0.4 * np.exp(-1.1 * diameter / (2.0 * FREE_PATH)))
    return float(density * GRAVITY * diameter**2 * slip / (18.0 * VISCOSITY))


def silt_loading(vehicles_per_day: float) -> float:
    """Dust on a road of so much traffic [g/m2] where nobody measured it: much traffic keeps a road clean."""
    rows = _rules()["paved_road"]["silt_by_traffic"]
    found = next(row for row in rows if row["below_per_day"] is None or vehicles_per_day < row["below_per_day"])
    return float(found["silt"])


def paved_road(size: Size, silt: float, *, mean_weight: float) -> float:
    """Dust whirled up from a paved road [g per vehicle and km] (US EPA AP-42, section 13.2.1).

    Parameters
    ----------
    silt : float [g/m2]
        Fine dust (below 75 um) lying on the carriageway.
    mean_weight : float [t]
        Of all vehicles that pass, not of each sort: the formula was fitted to the mixed traffic.
    """
    rule = _rules()["paved_road"]
    if silt < 0.0 or mean_weight <= 0.0:
        raise ValueError("silt must not be negative and vehicles must weigh something")
    tons = mean_weight / rule["short_ton_t"]
    return float(rule["k"][size] * silt ** rule["silt_exponent"] * tons ** rule["weight_exponent"])


def road_emission(factor: float, vehicles_per_day: float) -> float:
    """Emission per metre of road [ug/(s m)] of a factor [g per vehicle and km], mean over the day."""
    return factor * vehicles_per_day / 86400.0 * 1e6 / 1000.0


def construction_emission(size: Size, *, share_active: float = 1.0) -> float:
    """Emission of a building site [ug/(s m2)], mean over a month of 30 days."""
    rule = _rules()["construction"]
    grams = rule["tsp_t_per_ha_month"] * 1e6 * rule["share"][size] * share_active
    return float(grams * 1e6 / (30.0 * 86400.0) / 10_000.0)


def unverified() -> tuple[str, ...]:
    """Names of the parts whose figures nobody has checked against their source yet; a report lists them."""
    rules = _rules()
    parts = [name for name, part in rules.items() if isinstance(part, dict) and not part.get("verified", True)]
    sizes = [one.id for one in size_classes().values() if set(one.verified) < {"settling", "deposition"}]
    return (*parts, *(row["id"] for row in rules["limits"] if not row["verified"]), *sizes)
