"""Tables of the study of ventilation corridors, and the blamed rows as points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Table
from analysis.corridor.criteria import NAMES
from analysis.corridor.drawing import lane_name
from analysis.corridor.one_wind import OneWind
from analysis.corridor.resolve import Freed, Pair
from analysis.wind.voxels import Solids
from geo.model import Column, ElementTable, Field, Layer, Points, Style

Floats = NDArray[np.float64]
Places = Sequence[tuple[int, int]]

MOST_ROWS = 100
ABOVE_ROOF = 3.0  # [m]
UNCHECKED = ""
FREED_PAIRS = ("corridor_ratio", "area_ratio", "corridor_age", "area_age")


def _text(values: Sequence[str]) -> Column:
    return Column(np.array(values, dtype=object))


def _numbers(values: Sequence[float | None], unit: str) -> Column:
    return Column(np.array([np.nan if value is None else value for value in values], dtype=np.float64), unit)


def direction_table(winds: Sequence[OneWind], ratio: Sequence[float | None], age: Sequence[float | None]) -> Table:
    """One row for each wind."""
    columns = {
        "wind_direction": _text([one.direction.name for one in winds]),
        "wind_from": _numbers([one.direction.true_from for one in winds], "deg"),
        "wind_share": _numbers([100.0 * one.direction.weight for one in winds], "%"),
        "velocity_ratio": _numbers(ratio, "1"),
    }
    if age:
        columns["age_of_air"] = _numbers(age, "s")
    columns |= {
        "open_least": _numbers([100.0 * one.strips.least for one in winds], "%"),
        "open_mean": _numbers([100.0 * float(one.strips.open_share.mean()) for one in winds], "%"),
        "lane_count": Column(np.array([len(one.lanes) for one in winds], dtype=np.int64)),
    }
    return Table("winds", "Winds looked at", columns)


def lane_table(winds: Sequence[OneWind]) -> Table:
    """One row for each lane, with its figures and what each criterion says."""
    lanes = [(one, number, lane, one.judged[number]) for one in winds for number, lane in enumerate(one.lanes)]
    figures: dict[str, tuple[list[float], str]] = {
        "length": ([lane.length for _, _, lane, _ in lanes], "m"),
        "straightness": ([lane.straightness for _, _, lane, _ in lanes], "1"),
        "lane_width": ([lane.width for _, _, lane, _ in lanes], "m"),
        "least_width": ([lane.least_width for _, _, lane, _ in lanes], "m"),
        "lane_ratio": ([lane.mean_ratio for _, _, lane, _ in lanes], "1"),
        "resistance": ([lane.resistance for _, _, lane, _ in lanes], "1"),
        "roughness_length": ([judged.roughness for *_, judged in lanes], "m"),
        "width_over_height": (
            [judged.width_over_height if np.isfinite(judged.width_over_height) else np.nan for *_, judged in lanes],
            "1",
        ),
        "obstacle_share": ([100.0 * judged.obstacle_share for *_, judged in lanes], "%"),
        "obstacle_height": ([judged.obstacle_height for *_, judged in lanes], "m"),
    }
    columns = {
        "lane": _text([lane_name(one, number) for one, number, _, _ in lanes]),
        "wind_direction": _text([one.direction.name for one, *_ in lanes]),
        **{name: _numbers(values, unit) for name, (values, unit) in figures.items()},
        "bottleneck_count": Column(np.array([len(lane.bottlenecks) for _, _, lane, _ in lanes], dtype=np.int64)),
    }
    for place, name in enumerate(NAMES):
        columns[f"criterion_{name}"] = _text([judged.verdicts[place] for *_, judged in lanes])
    return Table("criteria", "Lanes and criteria of the literature (VDI 3787-5, Mayer et al. 1994)", columns)


def blame_table(winds: Sequence[OneWind], names: NDArray[np.object_], order: Places) -> Table:
    """Rows of buildings that close or narrow, the worst first; what was found for those that were left out."""
    some = [(winds[number], row) for number, row in order[:MOST_ROWS]]
    found: list[Freed | None] = [one.freed.get(row) for one, row in some]
    closings = [one.closings[row] for one, row in some]
    columns = {
        "buildings": _text([", ".join(str(names[k]) for k in closing.elements) for closing in closings]),
        "building_count": Column(np.array([len(closing.elements) for closing in closings], dtype=np.int64)),
        "wind_direction": _text([one.direction.name for one, _ in some]),
        "closed_width": _numbers([closing.closed for closing in closings], "m"),
        "narrowed_width": _numbers([closing.narrowed for closing in closings], "m"),
        "checked_by": _text(["form only" if item is None else "solved without it" for item in found]),
        "confirmed": _text([UNCHECKED if item is None else ("yes" if item.confirmed else "no") for item in found]),
    }
    for name in FREED_PAIRS:
        pairs: list[Pair | None] = [None if item is None else getattr(item, name) for item in found]
        unit = "s" if name.endswith("age") else "1"
        columns[f"{name}_before"] = _numbers([None if pair is None else pair.before for pair in pairs], unit)
        columns[f"{name}_after"] = _numbers([None if pair is None else pair.after for pair in pairs], unit)
        columns[f"{name}_change"] = _numbers([None if pair is None else 100.0 * pair.change for pair in pairs], "%")
    return Table("closing", "Buildings that close corridors", columns)


def blame_layer(winds: Sequence[OneWind], solids: Solids, order: Places) -> Layer | None:
    """A point over each blamed row; None without any."""
    some = [(winds[number], row, winds[number].closings[row]) for number, row in order[:MOST_ROWS]]
    if not some:
        return None
    points = []
    for one, _, closing in some:
        scene = one.city.axes.to_scene(closing.middle[None])[0]
        top = float(solids.high[list(closing.elements), 2].max()) + ABOVE_ROOF
        points.append([scene[0], scene[1], top])
    score = np.array([closing.score for *_, closing in some])
    columns = {
        "buildings": _text([", ".join(str(solids.name[k]) for k in closing.elements) for *_, closing in some]),
        "wind_direction": _text([one.direction.name for one, *_ in some]),
        "blame": Column(score, "m"),
        "confirmed": _text([_word(one.freed.get(row)) for one, row, _ in some]),
    }
    shape = Points(np.array(points), np.arange(len(some), dtype=np.int32))
    table = ElementTable([f"blame-{number + 1}" for number in range(len(some))], columns)
    field = Field("blame", "m", "element", score, ramp="exposure")
    return Layer(
        "blame", "Buildings that close corridors", "result", shape, table=table, fields=(field,),
        style=Style(colour="#8a1538"),
    )  # fmt: skip


def _word(found: Freed | None) -> str:
    return UNCHECKED if found is None else ("yes" if found.confirmed else "no")
