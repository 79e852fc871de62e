"""The numbers of the rules, each with its article, its source and whether that was read; and the user's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from resources import load_json

OWN = "own number"


@dataclass(frozen=True)
class Rule:
    """A number with the words that justify it. `verified`: whether the source was read and has this number."""

    value: float
    article: str
    source: str
    verified: bool


@dataclass(frozen=True)
class Rulebook:
    """All rules as the file has them."""

    data: Mapping[str, Any]

    @property
    def edition(self) -> str:
        """Of the file."""
        return str(self.data["edition"])

    def rule(self, group: str, name: str, own: float | None = None) -> Rule:
        """A rule, with the user's own number in place of the file's where they differ."""
        entry = self.data[group][name]
        value = float(entry["value"])
        if own is None or own == value:
            return Rule(value, str(entry["article"]), str(entry["source"]), bool(entry["verified"]))
        return Rule(own, str(entry["article"]), OWN, False)

    def low_height(self, own: float) -> Rule:
        """Height of low parts; the number of the former edition is known as well."""
        before = self.rule("north", "low_height_before")
        return before if own == before.value else self.rule("north", "low_height", own)

    @property
    def unverified(self) -> tuple[str, ...]:
        """Titles of the rules whose source was not read or leaves them open."""
        groups = (self.data[name] for name in ("north", "exemption", "ground", "daylight", "spacing", "ordinance"))
        return tuple(str(rule["title"]) for group in groups for rule in group.values() if not rule["verified"])

    def columns(self, meaning: str) -> tuple[str, ...]:
        """Names that columns of a meaning have in known data."""
        return tuple(self.data["columns"][meaning])

    def zone(self, text: str) -> str:
        """Class of a zoning text: one of the keys of ``zones``, ``""`` where it says nothing known."""
        return _first_with(text, self.data["zones"].items())

    def use(self, text: str) -> str:
        """Class of the use of a building, ``"other"`` where it is none of those the rules name."""
        return _first_with(text, self.data["uses"].items()) or "other"

    def is_open(self, land_use: str) -> bool:
        """Whether a parcel is a road, park, river or the like, which the boundary is moved across."""
        found = self.data["open_land"]
        text = land_use.strip().lower()
        return text in found["codes"] or any(word in text for word in found["words"])


def _first_with(text: str, classes: Iterable[tuple[str, list[str]]]) -> str:
    low = text.strip().lower()
    return next((name for name, words in classes if any(word in low for word in words)), "")


@cache
def rulebook() -> Rulebook:
    """The rules as the program carries them."""
    return Rulebook(load_json("rules/setback.json"))
