"""The limits of the checks, from the rules data of the program."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from resources import load_json

CHECKS = (
    "depth_missing",
    "depth_range",
    "cover_low",
    "floating",
    "uphill",
    "shrinks",
    "duplicate",
    "separation",
    "crosses_building",
    "outside_road",
)
SEVERITY = {
    "depth_missing": "note",
    "depth_range": "error",
    "cover_low": "warning",
    "floating": "error",
    "uphill": "error",
    "shrinks": "warning",
    "duplicate": "error",
    "separation": "warning",
    "crosses_building": "error",
    "outside_road": "warning",
}
SEVERITIES = ("error", "warning", "note")
SITE = "site"


@dataclass(frozen=True)
class Rule:
    """A limit with the words that justify it."""

    value: float
    source: str
    verified: bool


@dataclass(frozen=True)
class CheckRules:
    """All limits. `data` and `covers` are the two files as they stand."""

    data: dict[str, Any]
    covers: dict[str, Any]

    @property
    def edition(self) -> str:
        """Of the file of limits."""
        return str(self.data["edition"])

    def limit(self, name: str) -> Rule:
        """A limit by name."""
        return _rule(self.data[name])

    def normal_cover(self, utility: str) -> tuple[float, float]:
        """Least and greatest usual cover [m]."""
        table = self.data["normal_cover"]
        low, high = table.get(utility, table["other"])
        return float(low), float(high)

    def least_cover(self, utility: str, road_class: str) -> Rule:
        """Least cover that the rules allow [m]."""
        entry = self.covers["cover"].get(utility, self.covers["cover"]["other"])
        return Rule(float(entry[road_class]), str(entry["source"]), bool(entry["verified"]))

    def road_class(self, width: float) -> str:
        """Class of a road by its width [m]; the narrowest where that is unknown (NaN)."""
        widths = sorted(self.covers["road_widths"].items(), key=lambda item: -item[1])
        return next((str(name) for name, least in widths if width >= least), str(widths[-1][0]))

    def separation(self, first: str, second: str) -> Rule:
        """Clear distance that two utilities must keep [m]."""
        table = self.data["separation"]
        for a, b in ((first, second), (second, first), (first, "*"), (second, "*"), ("*", "*")):
            if f"{a}+{b}" in table:
                return _rule(table[f"{a}+{b}"])
        raise KeyError("the rules have no entry for all pairs")

    @property
    def widest_separation(self) -> float:
        """The greatest of all clear distances [m]."""
        return max(float(entry["value"]) for entry in self.data["separation"].values())


def _rule(entry: dict[str, Any]) -> Rule:
    return Rule(float(entry["value"]), str(entry["source"]), bool(entry["verified"]))


@cache
def rules() -> CheckRules:
    """The rules as the program carries them."""
    return CheckRules(load_json("rules/utility_check.json"), load_json("utility/depth_rules.json"))
