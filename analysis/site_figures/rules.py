"""What is allowed on a plot and what it must have, from the program's rules; each with its article and source."""

from __future__ import annotations

from typing import Any, NamedTuple

from resources import load_json

RULES = "rules/site.json"
HOMES = "homes"


class Cap(NamedTuple):
    """A limit [%] or [m]; NaN where none is known."""

    limit: float
    title: str
    article: str
    source: str
    verified: bool


class Parking(NamedTuple):
    """Spaces a use needs: per dwelling, or one per `area` [m2] of floor."""

    use: str
    per_dwelling: float
    area: float
    article: str
    source: str
    verified: bool

    def spaces(self, floor_area: float, dwellings: float) -> float:
        """Spaces needed, not rounded."""
        return self.per_dwelling * dwellings if self.per_dwelling > 0.0 else floor_area / self.area


def _rules() -> dict[str, Any]:
    rules: dict[str, Any] = load_json(RULES)
    return rules


def edition() -> str:
    """Of the rules."""
    return str(_rules()["edition"])


def columns(meaning: str) -> tuple[str, ...]:
    """Names that columns of a meaning have in known data."""
    return tuple(_rules()["columns"][meaning])


def cap(kind: str, zoning: str, own: float) -> Cap:
    """The limit of a plot.

    Parameters
    ----------
    kind : str
        ``coverage``, ``floor_area`` or ``height``.
    zoning : str
        As the data say it.
    own : float
        What the parcel's own data say (a district plan or an ordinance): it counts before the decree. NaN for nothing.
    """
    rules = _rules()
    told = rules[kind]
    if own == own:
        return Cap(own, told["title"], told["own"], "parcel data", True)
    text = zoning.replace(" ", "")
    row = next((row for row in rules["caps"] if any(word in text for word in row["words"])), None)
    limit = float(row[kind]) if row is not None and kind in row else float("nan")
    return Cap(limit, told["title"], told["article"], told["source"], bool(told["verified"]))


def parking(use: str) -> Parking:
    """What a use (text of the data) needs."""
    text = use.lower()
    row = next(row for row in _rules()["parking"] if any(word in text for word in row["words"]))
    return Parking(
        row["use"], float(row.get("per_dwelling", 0.0)), float(row.get("area", 0.0)), row["article"], row["source"],
        bool(row["verified"]),
    )  # fmt: skip


def is_home(use: str) -> bool:
    """Whether people live there, by the text of the data; nothing is known of an empty text."""
    return bool(use.strip()) and parking(use).use == HOMES
