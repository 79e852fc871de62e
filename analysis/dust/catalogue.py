"""Purifiers that can be bought: flow, what they keep, where they take in and let out, power and cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from math import isfinite
from typing import Any, NamedTuple

from geo.model import UserError
from resources import load_json

CATALOGUE = "dust/purifiers.json"
KINDS = ("tower", "bus_stop", "bench", "green_wall", "other")
HOUR = 3600.0  # [s]
NUMBERS = ("flow_m3_h", "power_kw", "intake_height_m", "outlet_height_m", "width_m", "cost_krw", "running_krw_year")


class Purifier(NamedTuple):
    """One model.

    Attributes
    ----------
    id, name, kind : str
    flow : float [m3/s]
    efficiency : dict of str to float
        By size (``pm10``, ``pm25``): share of the dust taken in that is kept, 0 to 1.
    power : float [kW]
    intake_height, outlet_height : float [m]
        Above the ground.
    width : float [m]
        Of the body, between the faces that take in and let out.
    cost, running_cost : float [KRW], [KRW per year]
    source : str
    verified : tuple of str
        Which of the figures were checked; the others are for comparing plans only.
    """

    id: str
    name: str
    kind: str
    flow: float
    efficiency: Mapping[str, float]
    power: float
    intake_height: float
    outlet_height: float
    width: float
    cost: float
    running_cost: float
    source: str
    verified: tuple[str, ...]

    def clean_air(self, size: str) -> float:
        """Clean air delivery rate [m3/s]: flow times efficiency."""
        return self.flow * self.efficiency[size]


@cache
def purifiers() -> dict[str, Purifier]:
    """The program's own catalogue, by id."""
    return read_purifiers(load_json(CATALOGUE)["units"])


def read_purifiers(rows: Sequence[Mapping[str, Any]]) -> dict[str, Purifier]:
    """Models from rows like those of the catalogue, by id. Raises `UserError` where a figure cannot be."""
    found: dict[str, Purifier] = {}
    for row in rows:
        one = _purifier(row)
        if one.id in found:
            raise _wrong(one.id, "id", "another model has the same id")
        found[one.id] = one
    return found


def _purifier(row: Mapping[str, Any]) -> Purifier:
    name = str(row.get("id") or "")
    if not name:
        raise _wrong("?", "id", "it is missing")
    values = {key: _number(name, key, row.get(key)) for key in NUMBERS}
    if values["flow_m3_h"] == 0.0:
        raise _wrong(name, "flow_m3_h", "no air goes through")
    kept = row.get("efficiency")
    if not isinstance(kept, Mapping) or not {"pm10", "pm25"} <= set(kept):
        raise _wrong(name, "efficiency", "it must be given for pm10 and pm25")
    efficiency = {size: _number(name, f"efficiency {size}", kept[size], most=1.0) for size in ("pm10", "pm25")}
    kind = str(row.get("kind", "other"))
    return Purifier(
        name, str(row.get("name") or name), kind if kind in KINDS else "other", values["flow_m3_h"] / HOUR, efficiency,
        values["power_kw"], values["intake_height_m"], values["outlet_height_m"], values["width_m"],
        values["cost_krw"], values["running_krw_year"], str(row.get("source", "")), tuple(row.get("verified", ())),
    )  # fmt: skip


def _number(name: str, key: str, value: object, *, most: float = float("inf")) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise _wrong(name, key, f"'{value}' is no number")
    if value < 0.0:
        raise _wrong(name, key, f"{value} is below zero")
    if value > most:
        raise _wrong(name, key, f"{value} is above {most:g}; a share of 0 to {most:g} is meant, not percent")
    return float(value)


def _wrong(name: str, key: str, reason: str) -> UserError:
    return UserError(
        f"The purifier {name} cannot be used.",
        f"Its {key} is wrong: {reason}.",
        "Correct the catalogue with the tested data of the product.",
        code="dust.purifier.wrong",
        values={"purifier": name, "key": key, "reason": reason},
    )
