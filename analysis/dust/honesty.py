"""Honesty: plain sentences about what purifiers bring, from the key figures of a result. The first is the verdict.

Sentences are data: a code, its values, and plain English; the program says them in the reader's language by
``issue.<code>``.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import NamedTuple

from analysis.contract import Quantity
from geo.model import Issue
from geo.model.conventions import PLACE_GROUPS, SOURCE_KINDS

NOTABLE = 1.0  # [ug/m3] a mean reduction below it is lost among the days
SCARCE = 0.5  # of the air taken in over that of the place without the unit: below, it breathes its own air
DIGITS = 3
# Sentences name these in the reader's language: each has a code of its own.
PEOPLE = (*PLACE_GROUPS, "ground")
SOURCES = ("roads", *SOURCE_KINDS)


class Figures(NamedTuple):
    """What the sentences are made of; NaN where it is not known.

    Attributes
    ----------
    units : int
    reduction, low, high : float [ug/m3]
        Of the mean exposure, and its band.
    percent : float
        Of the exposure before.
    largest : float [ug/m3]
        Mean reduction of the group of people that gains most.
    largest_group : str
    detectable : float [ug/m3]
    persons, persons_notable : float
        Reached at all, and with more than `NOTABLE` less.
    area_one, area_five : float [m2]
        Open ground with more than 1 % and 5 % less.
    removed : float [g/d]
    cost_year : float [KRW/a]
    cost_each : float [KRW/a per person and ug/m3]
    intake_ratio : float
        Least of the units: concentration taken in over that of the place without units.
    anywhere : float [ug/m3]
        Largest reduction at breathing height, right beside a unit.
    cut_group : str
        Group of sources of which the least has to be cut for the same.
    cut, cut_percent : float [g/d], [%]
    gap : float [%]
        To the bound on any other choice of places.
    calm_share : float [%]
        Of the time, with no wind worth the name.
    """

    units: int
    reduction: float
    low: float
    high: float
    percent: float
    largest: float
    largest_group: str
    detectable: float
    persons: float
    persons_notable: float
    area_one: float
    area_five: float
    removed: float
    cost_year: float
    cost_each: float
    intake_ratio: float
    anywhere: float
    cut_group: str
    cut: float
    cut_percent: float
    gap: float
    calm_share: float

    @property
    def is_seen(self) -> bool:
        """Whether sensors would see it in the group that gains most."""
        return self.largest >= max(NOTABLE, self.detectable)


def figures_of(summary: Mapping[str, Quantity]) -> Figures | None:
    """Figures from the summary of a result of ``dust.siting``; None where it has none of them."""
    if "reduction" not in summary or "detectable" not in summary:
        return None

    def number(name: str) -> float:
        found = summary.get(name)
        return float(found.value) if found is not None and isinstance(found.value, int | float) else float("nan")

    def text(name: str) -> str:
        found = summary.get(name)
        return found.value if found is not None and isinstance(found.value, str) else ""

    return Figures(
        int(number("units")), number("reduction"), number("reduction_low"), number("reduction_high"),
        number("reduction_percent"), number("largest_reduction"), text("largest_group"), number("detectable"),
        number("persons"), number("persons_above_1"), number("area_above_1_percent"), number("area_above_5_percent"),
        number("removed"), number("cost_year"), number("cost_per_person"), number("least_intake_ratio"),
        number("largest_anywhere"),
        text("cut_group"), number("cut_needed"), number("cut_percent"), number("gap"), number("calm_share"),
    )  # fmt: skip


def statements(figures: Figures) -> tuple[Issue, ...]:
    """The sentences, the verdict first."""
    found = [_verdict(figures), _size(figures), _where(figures)]
    for more in (_own_air, _money, _instead, _search, _calm):
        one = more(figures)
        if one is not None:
            found.append(one)
    return tuple(found)


def _verdict(f: Figures) -> Issue:
    values: dict[str, str | int | float] = {
        "largest": rounded(f.largest),
        "group": f.largest_group,
        "detectable": rounded(f.detectable),
        "notable": rounded(NOTABLE),
        "anywhere": rounded(f.anywhere),
    }
    if f.units == 0 or not f.reduction > 0.0:
        text = "No unit helps: nothing was placed that makes the air people breathe cleaner."
        return Issue("dust.honesty.no_help", text, "doubt", values=values)
    if not f.is_seen:
        text = (
            f"Sensors will not see it: the group that gains most ({f.largest_group}) has {values['largest']} ug/m3 "
            f"less on average; {max(NOTABLE, f.detectable):g} ug/m3 would be needed. (Right beside a unit it is up to "
            f"{values['anywhere']} ug/m3.)"
        )
        values["needed"] = rounded(max(NOTABLE, f.detectable))
        return Issue(_coded("unseen", f.largest_group, PEOPLE), text, "doubt", values=values)
    text = (
        f"Sensors can see it: the group that gains most ({f.largest_group}) has {values['largest']} ug/m3 less on "
        f"average; changes from {values['detectable']} ug/m3 are seen."
    )
    return Issue(_coded("seen", f.largest_group, PEOPLE), text, "note", values=values)


def _size(f: Figures) -> Issue:
    values: dict[str, str | int | float] = {
        "reduction": rounded(f.reduction),
        "percent": rounded(f.percent),
        "low": rounded(f.low),
        "high": rounded(f.high),
    }
    text = (
        f"On average {values['reduction']} ug/m3 less ({values['percent']} %); between {values['low']} and "
        f"{values['high']} with the doubts of wind, diffusivity, sources and efficiency."
    )
    return Issue("dust.honesty.reduction", text, "note", values=values)


def _where(f: Figures) -> Issue:
    values: dict[str, str | int | float] = {
        "one": rounded(f.area_one),
        "five": rounded(f.area_five),
        "persons": round(f.persons_notable) if isfinite(f.persons_notable) else 0,
        "removed": rounded(f.removed),
        "notable": rounded(NOTABLE),
    }
    text = (
        f"More than 1 % less on {values['one']} m2 and more than 5 % less on {values['five']} m2 of open ground; "
        f"{values['persons']} people have more than {NOTABLE:g} ug/m3 less. {values['removed']} g of dust a day are "
        "taken out."
    )
    return Issue("dust.honesty.reach", text, "note", values=values)


def _own_air(f: Figures) -> Issue | None:
    if not f.intake_ratio < SCARCE:
        return None
    percent = round(100.0 * f.intake_ratio)
    text = f"A unit breathes its own clean air: it takes in {percent} % of the dust of its place. Move it into wind."
    return Issue("dust.honesty.own_air", text, "doubt", values={"percent": percent})


def _money(f: Figures) -> Issue | None:
    if not (isfinite(f.cost_each) and isfinite(f.cost_year)):
        return None
    values: dict[str, str | int | float] = {"year": f"{rounded(f.cost_year):,}", "each": f"{rounded(f.cost_each):,}"}
    text = f"It costs {values['year']} KRW a year: {values['each']} KRW for each person and ug/m3 a year."
    return Issue("dust.honesty.cost", text, "note", values=values)


def _instead(f: Figures) -> Issue | None:
    if not f.cut_group:
        return None
    values: dict[str, str | int | float] = {
        "group": f.cut_group,
        "cut": rounded(f.cut),
        "percent": rounded(f.cut_percent),
    }
    if f.cut_percent > 100.0:
        text = f"No cut of a single group of sources brings the same; all of {f.cut_group} would bring the most."
        return Issue(_coded("no_cut", f.cut_group, SOURCES), text, "note", values=values)
    text = (
        f"The same is reached by cutting {f.cut_group} by {values['cut']} g a day, {values['percent']} % of what it "
        "emits."
    )
    return Issue(_coded("instead", f.cut_group, SOURCES), text, "note", values=values)


def _search(f: Figures) -> Issue | None:
    if not f.gap > 0.0:
        return None
    values: dict[str, str | int | float] = {"more": rounded(100.0 * f.gap / (100.0 - f.gap)) if f.gap < 100.0 else 0.0}
    text = f"The best other choice of places could bring {values['more']} % more at most."
    return Issue("dust.honesty.gap", text, "note", values=values)


def _calm(f: Figures) -> Issue | None:
    if not f.calm_share > 0.0:
        return None
    values: dict[str, str | int | float] = {"percent": rounded(f.calm_share)}
    text = f"In {values['percent']} % of the time the air is calm: what is told for it is indicative only."
    return Issue("dust.honesty.calm", text, "note", values=values)


def _coded(code: str, group: str, known: tuple[str, ...]) -> str:
    """``dust.honesty.unseen.home``: of a group of the program the sentence that names it, else the plain one."""
    return f"dust.honesty.{code}.{group}" if group in known else f"dust.honesty.{code}"


def rounded(value: float) -> float | int:
    """Three digits that count; whole where there is nothing behind the point."""
    short = float(f"{value:.{DIGITS}g}") if isfinite(value) else 0.0
    return int(short) if short.is_integer() else short
