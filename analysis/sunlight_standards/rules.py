"""The limits of the standards, from the rules data of the program, each with its source and whether that was read."""

from __future__ import annotations

from typing import Any, NamedTuple

from analysis.sunlight_rights.rules import Limit, Rules
from resources import load_json


class Standards(NamedTuple):
    """Limits of EN 17037, of BRE 209, and of school reviews.

    Attributes
    ----------
    levels : mapping
        Hours [h] of the levels ``minimum``, ``medium``, ``high``.
    first_day, last_day : (month, day)
        Between which the day of EN 17037 lies.
    above_floor, above_sill : float [m]
        Least heights of its reference point.
    vsc : float [%]
    former : float
        Share of the former value.
    garden_hours, garden_share : float [h], [%]
    garden_day : (month, day)
    school : Rules
        Total and unbroken sun of school buildings on the winter solstice.
    edition : str
    """

    levels: dict[str, float]
    first_day: tuple[int, int]
    last_day: tuple[int, int]
    above_floor: float
    above_sill: float
    vsc: float
    former: float
    garden_hours: float
    garden_share: float
    garden_day: tuple[int, int]
    school: Rules
    edition: str


def standards() -> Standards:
    """The limits as the program carries them."""
    data = load_json("rules/daylight.json")
    en, bre, school = data["en17037"], data["bre209"], data["school"]
    return Standards(
        {name: float(en[name]["value"]) for name in ("minimum", "medium", "high")},
        _day(en["first_day"]),
        _day(en["last_day"]),
        float(en["above_floor"]["value"]),
        float(en["above_sill"]["value"]),
        float(bre["vsc"]["value"]),
        float(bre["former"]["value"]),
        float(bre["garden_hours"]["value"]),
        float(bre["garden_share"]["value"]),
        _day(bre["garden_day"]),
        Rules(_limit(school["total"]), _limit(school["continuous"]), 0.0, 0.0, 0.0, str(data["edition"]), ()),
        str(data["edition"]),
    )


def unverified(part: str) -> tuple[str, ...]:
    """Titles of the rules of a part (``en17037``, ``bre209``, ``school``) whose source was not read."""
    return tuple(str(rule["title"]) for rule in load_json("rules/daylight.json")[part].values() if not rule["verified"])


def _limit(rule: dict[str, Any]) -> Limit:
    return Limit(float(rule["value"]), float(rule["from"]), float(rule["to"]))


def _day(rule: dict[str, Any]) -> tuple[int, int]:
    month, day = rule["value"]
    return int(month), int(day)
