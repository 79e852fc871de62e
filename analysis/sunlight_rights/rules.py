"""The limits of the verdict, from the rules data of the program; every one with its source and whether it is sure."""

from __future__ import annotations

from typing import Any, NamedTuple

from resources import load_json


class Limit(NamedTuple):
    """At least `hours` of sun between `start` and `stop` [h of the day]."""

    hours: float
    start: float
    stop: float


class Rules(NamedTuple):
    """What the verdict is made from.

    Attributes
    ----------
    total, continuous : Limit
        A window passes when either is reached.
    time, height, north : float [min], [m], [degrees]
        How far the sun hours, the height of the point and north are moved to find verdicts that hang on them.
    edition : str
    unverified : tuple of str
        Titles of the rules whose source is not sure.
    """

    total: Limit
    continuous: Limit
    time: float
    height: float
    north: float
    edition: str
    unverified: tuple[str, ...]

    @property
    def span(self) -> tuple[float, float]:
        """First and last hour that any limit looks at."""
        return min(self.total.start, self.continuous.start), max(self.total.stop, self.continuous.stop)


def rules() -> Rules:
    """The rules as the program carries them."""
    data = load_json("rules/sunlight.json")
    court, moved = data["court"], data["sensitivity"]
    return Rules(
        _limit(court["total"]),
        _limit(court["continuous"]),
        float(moved["time"]["value"]),
        float(moved["height"]["value"]),
        float(moved["north"]["value"]),
        str(data["edition"]),
        tuple(str(rule["title"]) for rule in court.values() if not rule["verified"]),
    )


def _limit(rule: dict[str, Any]) -> Limit:
    return Limit(float(rule["value"]), float(rule["from"]), float(rule["to"]))
