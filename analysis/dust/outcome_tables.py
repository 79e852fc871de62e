"""Tables and charts of the dust map: places by group, sources, winds, grades, and where the dust has gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Chart, Series, Table
from analysis.dust import rules
from analysis.dust.homes import HOME
from analysis.dust.outcome import GRADES_RAMP, UNIT, Dust, exposed, mean_of
from analysis.dust.people import Place, breathed
from analysis.wind.climate import sector_name
from analysis.wind.sectors import Ground
from geo.model import Column, ElementTable, Field, Frame, Issue, Layer, Points, Style
from resources import load_json

Floats = NDArray[np.float64]

MOST_ROWS = 100  # of a table of places: those with most
SECTORS = 16
SUMS = {"home": "Homes", "school": "Schools", "work": "Workplaces", "stop": "Stops", "park": "Parks",
        "street": "Streets", "other": "Other places"}  # fmt: skip


class Spot(NamedTuple):
    """A place and what is breathed there [ug/m3].

    middle : (2,) [local m]. persons : of the place, as far as it is in the field. background, increment, parts : mean
    over the place.
    """

    place: Place
    middle: Floats
    persons: float
    background: float
    increment: float
    parts: tuple[float, ...]

    @property
    def total(self) -> float:
        """Concentration [ug/m3]."""
        return self.background + self.increment


def spots_of(found: Dust, places: Sequence[Place], issues: list[Issue]) -> list[Spot]:
    """What is breathed at places; those outside or far from open ground are told and left out."""
    tunnel = found.prepared.winds.tunnel
    share = found.share.reshape(-1)
    parts = [part.reshape(-1) for part in found.parts]
    out = []
    for place, cells in zip(places, breathed(places, tunnel, height=found.height), strict=True):
        if len(cells) == 0:
            continue
        each = tuple(float(part[cells].mean()) for part in parts)
        background = found.outside * float(share[cells].mean())
        persons = place.persons * len(cells) / len(place.points)
        out.append(Spot(place, place.points.mean(axis=0), persons, background, sum(each), each))
    missing = len(places) - len(out)
    if missing:
        message = f"{missing} places lie outside the wind field or far from open ground: no table names them."
        issues.append(Issue("dust.places_outside", message, "note", missing))
    return out


def place_layers(found: Dust, spots: Sequence[Spot], frame: Frame) -> list[Layer]:
    """Points with what is breathed at each place, homes hidden; streets are in their table only."""
    places = [spot for spot in spots if spot.place.group not in ("street", HOME)]
    homes = [spot for spot in spots if spot.place.group == HOME]
    out = []
    if places:
        out.append(_place_layer(found, places, frame).with_(id="places", name="Fine dust at places"))
    if homes:
        hidden = Style(colour_by="increment", visible=not places)
        out.append(_place_layer(found, homes, frame).with_(id="homes", name="Fine dust at homes", style=hidden))
    return out


def _place_layer(found: Dust, shown: Sequence[Spot], frame: Frame) -> Layer:
    count = len(shown)
    middles = np.array([[*spot.middle, 0.0] for spot in shown])
    middles[:, 2] = _ground_at(found.ground, middles[:, :2]) + found.height
    total = np.array([spot.total for spot in shown])
    columns = {
        "easting": Column(middles[:, 0] + frame.origin[0], "m"),
        "northing": Column(middles[:, 1] + frame.origin[1], "m"),
        **_place_columns(found, shown),
    }
    table = ElementTable([f"place-{number}" for number in range(count)], columns)
    grade = rules.index_of(total, found.prepared.size)
    fields = (
        Field("concentration", UNIT, "element", total, ramp="exposure"),
        Field("increment", UNIT, "element", np.array([spot.increment for spot in shown]), ramp="exposure"),
        Field("grade", "1", "element", grade, categories=rules.index_classes(), ramp=GRADES_RAMP),
    )
    shape = Points(middles, np.arange(count, dtype=np.int32))
    style = Style(colour_by="increment")
    return Layer("places", "Fine dust at places", "result", shape, table, fields, style=style)


def _ground_at(ground: Ground, points: Floats) -> Floats:
    """Height of the ground below points [local m], that of the middle where none is known."""
    rows, columns = ground.where.inside.shape
    column = np.clip(np.rint((points[:, 0] - ground.where.x0) / ground.where.cell).astype(np.int64), 0, columns - 1)
    row = np.clip(np.rint((points[:, 1] - ground.where.y0) / ground.where.cell).astype(np.int64), 0, rows - 1)
    found = ground.height[row, column]
    known = ground.height[np.isfinite(ground.height)]
    return np.where(np.isfinite(found), found, float(np.median(known)) if len(known) else 0.0)


def _place_columns(found: Dust, spots: Sequence[Spot]) -> dict[str, Column]:
    total = np.array([spot.total for spot in spots])
    grade = rules.index_of(total, found.prepared.size)
    names = rules.index_classes()
    return {
        "name": _texts([spot.place.name for spot in spots]),
        "place_group": _texts([spot.place.group for spot in spots]),
        "persons": Column(np.array([round(spot.persons, 1) for spot in spots]), "1"),
        "concentration": _amounts(total),
        "increment": _amounts(np.array([spot.increment for spot in spots])),
        **{
            f"from_{group}": _amounts(np.array([spot.parts[number] for spot in spots]))
            for number, group in enumerate(found.prepared.groups)
        },
        "grade": _texts([names[code] if code >= 0 else "" for code in grade]),
    }


def _amounts(values: Floats) -> Column:
    """Concentrations to a tenth of a nanogram: what a solver leaves upwind of a source is nothing."""
    return Column(np.round(values, 4) + 0.0, UNIT)


def _texts(values: list[str]) -> Column:
    return Column(np.array(values, dtype=object))


def place_tables(found: Dust, spots: Sequence[Spot]) -> list[Table]:
    """One table for each group of places, those with most first."""
    out = []
    for group, title in SUMS.items():
        mine = sorted(
            (spot for spot in spots if _group(spot) == group), key=lambda spot: (-spot.increment, spot.place.name)
        )
        if mine:
            columns = _place_columns(found, mine[:MOST_ROWS])
            del columns["place_group"]
            if group == "street":
                del columns["persons"]
            out.append(Table(f"places_{group}", title, columns))
    return out


def _group(spot: Spot) -> str:
    return spot.place.group if spot.place.group in SUMS else "other"


def group_table(found: Dust, spots: Sequence[Spot]) -> Table:
    """What each group of people breathes, weighted with persons and hours; places without people count as one each."""
    rows = []
    for group in SUMS:
        mine = [spot for spot in spots if _group(spot) == group]
        if not mine:
            continue
        weight = np.array([spot.persons * spot.place.hours for spot in mine])
        weight = weight if weight.sum() > 0.0 else np.ones(len(mine))
        weight = weight / weight.sum()
        own = np.array([spot.increment for spot in mine])
        total = np.array([spot.total for spot in mine])
        persons = sum(spot.persons for spot in mine)
        rows.append((group, len(mine), persons, float(weight @ total), float(weight @ own), float(own.max())))
    names = ("place_group", "count", "persons", "concentration", "increment", "increment_most")
    units = ("", "1", "1", UNIT, UNIT, UNIT)
    return Table("groups", "What people breathe", _columns(rows, names, units))


def _columns(rows: Sequence[Sequence[object]], names: Sequence[str], units: Sequence[str]) -> dict[str, Column]:
    columns = {}
    for number, (name, unit) in enumerate(zip(names, units, strict=True)):
        values = [row[number] for row in rows]
        array = np.array(values, dtype=object) if not unit else np.array(values, dtype=np.float64)
        columns[name] = Column(array, unit)
    return columns


def source_table(found: Dust) -> Table:
    """Each group of sources: what it emits, what was left out, and its part of what people breathe."""
    total, _ = exposed(found)
    parts = mean_of(found.prepared, found.rows)
    rows = []
    for number, one in enumerate(found.prepared.emissions):
        day = 86400.0 / 1e9
        emitted = float(one.strength.sum())
        own = float(parts[number])
        rows.append((one.group, emitted * day, one.lost * day, own, 100.0 * own / total if total > 0.0 else np.nan))
    names = ("group", "emitted", "emitted_lost", "breathed", "breathed_share")
    return Table("sources", "Sources of dust", _columns(rows, names, ("", "kg/d", "kg/d", UNIT, "%")))


def case_table(found: Dust) -> Table:
    """Each wind: how often and how fast it blows, what the city adds in it, and its balance."""
    rows = [
        (
            sector_name(row.case.sector, SECTORS), 100.0 * row.case.share, row.case.speed, 100.0 * row.case.calm_share,
            sum(row.parts), 100.0 * row.share, 100.0 * row.left, 100.0 * row.on_ground, 100.0 * row.on_leaves,
            100.0 * row.missing, 100.0 * row.negative,
        )
        for row in found.rows
    ]  # fmt: skip
    names = (
        "wind_direction", "frequency", "speed", "calm", "breathed_increment", "background_left", "carried_away",
        "on_ground", "on_leaves", "missing", "negative",
    )  # fmt: skip
    units = ("", "%", "m/s", "%", UNIT, "%", "%", "%", "%", "%", "%")
    return Table("winds", "Dust by wind", _columns(rows, names, units))


def grade_table(found: Dust) -> Table:
    """Open ground in each grade of the index, and above the limit of the exceedance."""
    size = found.prepared.size
    laid = found.laid(found.total())
    grade = rules.index_of(laid, size)
    known = max(int((grade >= 0).sum()), 1)
    cell = found.ground.where.cell**2
    limits = (0.0, *rules.index_limits(size))
    rows = []
    for code, name in enumerate(rules.index_classes()):
        count = int((grade == code).sum())
        rows.append((name, limits[code], count * cell, 100.0 * count / known))
    return Table("grades", "Area by grade", _columns(rows, ("grade", "above", "area", "share"), ("", UNIT, "m2", "%")))


# --- charts


def charts(found: Dust, spots: Sequence[Spot]) -> tuple[Chart, ...]:
    """What the city adds in each wind, and what each group of people breathes of each source."""
    out = [_wind_chart(found)]
    groups = [group for group in SUMS if any(_group(spot) == group for spot in spots)]
    if groups and found.parts:
        out.append(_group_chart(found, spots, groups))
    return tuple(out)


def _wind_chart(found: Dust) -> Chart:
    """Increment of the exposure by direction, mean over the bands of speed."""
    own, share = np.zeros(SECTORS), np.zeros(SECTORS)
    for row in found.rows:
        share[row.case.sector] += row.case.share
        own[row.case.sector] += row.case.share * sum(row.parts)
    blown = np.flatnonzero(share > 0.0)
    x, y, base = _bars(blown * 360.0 / SECTORS, 0.8 * 360.0 / SECTORS, own[blown] / share[blown], np.zeros(len(blown)))
    series = (Series("What the city adds", x, y, role="area", base=base),)
    return Chart("winds", "What the city adds in each wind", "Wind from", "deg", "Own increment", UNIT, series)


def _group_chart(found: Dust, spots: Sequence[Spot], groups: Sequence[str]) -> Chart:
    """Bars of the increment by group of people, the groups of sources on top of each other."""
    heights = np.array([_group_parts(spots, group) for group in groups])
    top = np.cumsum(heights, axis=1)
    series = []
    for number, name in enumerate(found.prepared.groups):
        base = top[:, number - 1] if number else np.zeros(len(top))
        x, y, low = _bars(np.arange(1.0, len(groups) + 1.0), 0.7, top[:, number], base)
        series.append(Series(name, x, y, role="area", base=low))
    labels = Series("Places", np.arange(1.0, len(groups) + 1.0), top[:, -1], role="marks", labels=tuple(groups))
    title = "What people breathe of each source"
    return Chart("groups", title, "Places", "1", "Own increment", UNIT, (*series, labels))


def _group_parts(spots: Sequence[Spot], group: str) -> Floats:
    mine = [spot for spot in spots if _group(spot) == group]
    weight = np.array([spot.persons * spot.place.hours for spot in mine])
    weight = weight if weight.sum() > 0.0 else np.ones(len(mine))
    return np.asarray((weight / weight.sum()) @ np.array([spot.parts for spot in mine]))


def _bars(middle: Floats, width: float, top: Floats, base: Floats) -> tuple[Floats, Floats, Floats]:
    """x, y and base of an area that looks like bars: between them it has no height."""
    zero = np.zeros(len(middle))
    low, high = middle - 0.5 * width, middle + 0.5 * width
    x = np.column_stack([low, low, high, high]).ravel()
    return x, np.column_stack([zero, top, top, zero]).ravel(), np.column_stack([zero, base, base, zero]).ravel()


def colours() -> tuple[str, ...]:
    """Of the grades, best first, as ``"#rrggbb"``."""
    return tuple(load_json(f"ramps/{GRADES_RAMP}.json")["stops"])
