"""Diameters and depths of utility registers: their unit found, misfits repaired or left unknown, gaps filled by rule.

A depth is the cover: from the ground to the top of the pipe [m].
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.model import Column, Issue
from geo.utility_fields import by_unique
from resources import load_json

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
METRES = {"mm": 0.001, "cm": 0.01, "m": 1.0, "in": 0.0254, "ft": 0.3048}
NO_VALUE = (999.0, 999.9, 999.99, 9999.0, 9999.9, 9999.99, 99999.0, 999999.0)  # written for "unknown"
NO_VALUE_M = (99.0, 99.9, 99.99)  # the same where the numbers are metres
NAMED = 50  # ids an issue lists at most
WORDS = {"cover": "depths", "diameter": "diameters", "size": "widths and heights", "wall": "wall thicknesses"}


@dataclass(frozen=True)
class Plausible:
    """What sizes can be [m], and the medians [in the unit] up to which numbers are metres or centimetres."""

    low: float
    high: float
    up_to_m: float
    up_to_cm: float


COVER = Plausible(0.05, 30.0, 20.0, 450.0)  # covers are 0.2-4.5 m mostly; a median above 20 is no metres
SIZE = Plausible(0.005, 8.0, 8.0, 8.0)  # bores are given in metres or millimetres
BOX = Plausible(0.05, 20.0, 20.0, 20.0)
PLAUSIBLE = {"cover": COVER, "diameter": SIZE, "size": BOX, "wall": Plausible(0.0005, 1.0, 0.5, 0.5)}


@dataclass(frozen=True)
class Sizes:
    """Lengths (n,) [m], NaN where unknown, which of them were repaired, the unit they were in, and doubts."""

    values: Floats
    repaired: Flags
    unit: str
    issues: tuple[Issue, ...]


def read_sizes(
    column: Column, what: str, *, ids: NDArray[np.object_], name: str = "", unit: str = "", said: str = ""
) -> Sizes:
    """A column of covers or diameters in metres.

    Parameters
    ----------
    what : {"cover", "diameter", "size", "wall"}
    ids : (n,) str
        Named in doubts.
    name : str
        The column's name, for the same.
    unit : str
        Unit that the column's name usually has; not believed where the numbers cannot be in it.
    said : str
        Unit that the user says; believed.
    """
    range_ = PLAUSIBLE[what]
    numbers, own, unread = _numbers(column)
    issues = _Doubts(what, name, ids)
    issues.add("unreadable", unread, "doubt", "are text that holds no number; they are unknown")
    none = np.isin(np.abs(numbers), NO_VALUE)
    none |= np.isin(np.abs(numbers), NO_VALUE_M) & (_median(numbers[~none]) <= range_.up_to_m)
    issues.add("no_value", none, "doubt", "are 999 and the like, which stand for none; they are unknown")
    zero = numbers == 0
    if what != "size":  # a round pipe has width and height 0
        issues.add("zero", zero, "doubt", "are 0; they are unknown")
    values = np.where(none | zero, np.nan, numbers)
    negative = values < 0
    if what != "cover":
        issues.add("negative", negative, "doubt", "are negative; they are unknown")
        values = np.where(negative, np.nan, values)
    elif negative.any():
        all_of_them = negative.sum() > 0.5 * np.isfinite(values).sum()
        issues.add("negative", negative, "note" if all_of_them else "doubt", "are negative; the sign was dropped")
        values = np.abs(values)
    chosen = said if said in METRES else _unit_of(values[own == ""], unit, range_)
    if chosen != (said or unit or "m"):
        issues.say_unit(chosen, unit)
    factor = np.array([METRES.get(word, METRES[chosen]) for word in own]) if (own != "").any() else METRES[chosen]
    metres = values * factor
    metres, misfit = _repaired(metres, values, range_) if said == "" else (metres, np.zeros(len(metres), bool))
    issues.add(
        "other_unit",
        misfit & np.isfinite(metres),
        "doubt",
        "are in another unit than the rest; they were taken in the one that their size tells",
    )
    lost = np.isfinite(values) & ~((metres >= range_.low) & (metres <= range_.high))
    issues.add("impossible", lost, "doubt", f"cannot be (under {range_.low:g} or over {range_.high:g} m); unknown")
    metres = np.where(lost, np.nan, metres)
    repaired = misfit | (negative & (issues.severity("negative") == "doubt"))
    return Sizes(metres, repaired & np.isfinite(metres), chosen, tuple(issues.found))


class _Doubts:
    """Issues about the values of one column."""

    def __init__(self, what: str, name: str, ids: NDArray[np.object_]) -> None:
        self._what, self._name, self._ids = what, name, ids
        self.found: list[Issue] = []

    def add(self, case: str, which: Flags, severity: str, words: str) -> None:
        rows = np.flatnonzero(which)
        if len(rows) == 0:
            return
        message = f"{len(rows)} {WORDS[self._what]} ({self._name}) {words}."
        named = tuple(str(i) for i in self._ids[rows[:NAMED]])
        values = {"column": self._name, "what": WORDS[self._what]}
        self.found.append(Issue(f"utility.{self._what}_{case}", message, severity, len(rows), named, values))  # type: ignore[arg-type]

    def say_unit(self, unit: str, usual: str) -> None:
        message = f"The {WORDS[self._what]} ({self._name}) were taken as {unit}, as their size tells."
        values = {"column": self._name, "what": WORDS[self._what], "unit": unit, "usual": usual or "-"}
        severity: Any = "doubt" if usual and usual != unit else "note"
        self.found.append(Issue(f"utility.{self._what}_unit", message, severity, values=values))

    def severity(self, case: str) -> str:
        code = f"utility.{self._what}_{case}"
        return next((issue.severity for issue in self.found if issue.code == code), "")


def _median(values: Floats) -> float:
    known = np.abs(values[np.isfinite(values) & (values != 0)])
    return float(np.median(known)) if len(known) else 0.0


def _unit_of(values: Floats, usual: str, range_: Plausible) -> str:
    """The unit of a column: its usual one where the median is plausible in it, else by the median."""
    median = _median(values)
    if usual and (median == 0 or range_.low <= median * METRES[usual] <= range_.high):
        return usual
    if median <= range_.up_to_m:
        return "m"
    return "cm" if median <= range_.up_to_cm else "mm"


def _repaired(metres: Floats, values: Floats, range_: Plausible) -> tuple[Floats, Flags]:
    """Values far outside in the column's unit, taken in the unit that their size tells."""
    wrong = np.isfinite(metres) & ((metres > range_.high) | (metres < range_.low))
    if not wrong.any():
        return metres, wrong
    size = values[wrong]
    factor = np.where(size <= range_.up_to_m, 1.0, np.where(size <= range_.up_to_cm, 0.01, 0.001))
    again = size * factor
    out = metres.copy()
    out[wrong] = again
    fits = (again >= range_.low) & (again <= range_.high)
    misfit = wrong.copy()
    misfit[wrong] = fits
    return out, misfit


def _numbers(column: Column) -> tuple[Floats, NDArray[np.object_], Flags]:
    """Numbers (n,) of a column, the unit each says itself (``""`` none), and which are text without a number."""
    values = column.values
    nothing = np.full(len(values), "", dtype=object)
    if values.dtype.kind in "fiu":
        numbers = values.astype(np.float64)
        return np.where(np.isfinite(numbers), numbers, np.nan), nothing, np.zeros(len(values), bool)
    if values.dtype.kind == "b":
        return np.full(len(values), np.nan), nothing, np.ones(len(values), bool)
    pairs = by_unique(values, number_and_unit)
    numbers = np.array([pair[0] for pair in pairs], dtype=np.float64)
    units = np.array([*(pair[1] for pair in pairs), None], dtype=object)[:-1]
    empty = by_unique(values, lambda text: text is None or not text.strip(), bool)
    return numbers, units, np.isnan(numbers) & ~empty.astype(bool)


def number_and_unit(text: str | None) -> tuple[float, str]:
    """The number in a text and the unit behind it; of a range its middle; NaN for none.

    Examples
    --------
    >>> [number_and_unit(t) for t in ("1.2", "GL-1.5m", "D200", "1,200mm", "1.0~1.4", "약 120 cm")]
    [(1.2, ''), (1.5, 'm'), (200.0, ''), (1200.0, 'mm'), (1.2, ''), (120.0, 'cm')]
    """
    if not text:
        return float("nan"), ""
    low = re.sub(r"(?<=\d),(?=\d{3}(\D|$))", "", text.strip().lower()).replace(",", ".")
    if re.match(r"g\.?l", low):
        low = re.sub(r"^g\.?l\.?\s*[-(]*\s*", "", low)
    match = re.search(
        r"([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)\s*(?:[~∼]\s*(\d+(?:\.\d+)?))?\s*(mm|cm|m|in|ft|\"|㎜|㎝|ｍ)?", low
    )
    if match is None:
        return float("nan"), ""
    number = float(match[1])
    if match[2]:
        number = (number + float(match[2])) / 2
    return number, {"㎜": "mm", "㎝": "cm", "ｍ": "m", '"': "in"}.get(match[3] or "", match[3] or "")


def box_size(text: str | None) -> tuple[float, float]:
    """Width and height in a text such as ``2.0x1.5`` or ``2@3.0×2.5``; NaN for none."""
    match = re.search(r"(?:(\d+)\s*@\s*)?(\d+(?:\.\d+)?)\s*[x×*]\s*(\d+(?:\.\d+)?)", (text or "").lower())
    if match is None:
        return float("nan"), float("nan")
    return float(match[2]) * float(match[1] or 1), float(match[3])


# --- rules


@cache
def rules() -> Mapping[str, Any]:
    """Covers by rule and errors by quality."""
    table: Mapping[str, Any] = load_json("utility/depth_rules.json")
    return table


def road_class_of(width: Floats) -> NDArray[np.object_]:
    """Class of the road of each element (n,) by the road's width [m]; ``""`` where unknown."""
    limits = rules()["road_widths"]
    names = [name for name, _ in sorted(limits.items(), key=lambda pair: -pair[1])]
    cases = [width >= limits[name] for name in names]
    return np.select(cases, names, default="").astype(object)


def assumed_cover(utility: NDArray[np.object_], road_class: NDArray[np.object_]) -> Floats:
    """Cover by rule (n,) [m] of each utility under each class of road."""
    table = rules()["cover"]
    out = np.full(len(utility), np.nan)
    for kind in set(utility.tolist()):
        rule = table.get(kind, table["other"])
        for name in rules()["road_classes"]:
            out[(utility == kind) & (road_class == name)] = rule[name]
    return out


def rule_source(utilities: Sequence[str]) -> str:
    """Sources of the rules for some utilities, with whether they are checked."""
    table = rules()["cover"]
    said = {kind: table.get(kind, table["other"]) for kind in sorted(set(utilities))}
    return "; ".join(
        f"{kind}: {rule['source']}{'' if rule['verified'] else ' (not checked)'}" for kind, rule in said.items()
    )


def errors_of(quality: NDArray[np.object_], repaired: Flags) -> tuple[Floats, Floats]:
    """Standard uncertainty in plan and depth (n,) [m] by depth quality; a repaired depth counts as assumed."""
    table = rules()["errors"]
    plan, depth = np.full(len(quality), np.nan), np.full(len(quality), np.nan)
    for name, entry in table.items():
        plan[quality == name], depth[quality == name] = entry["plan"], entry["depth"]
    depth[repaired] = np.maximum(depth[repaired], table["assumed"]["depth"])
    return plan, depth


def heights_of(column: Column) -> tuple[Floats, Flags]:
    """Heights (n,) as the column has them, NaN where there is none or one of `NO_VALUE`; which are unreadable text."""
    numbers, _, unread = _numbers(column)
    return np.where(np.isin(np.abs(numbers), NO_VALUE), np.nan, numbers), unread
