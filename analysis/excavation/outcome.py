"""What the excavation study hands back: layers, tables, key figures, notes on the law."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Quantity, Table
from analysis.excavation.check import CLASSES, Findings, Widths
from analysis.excavation.pits import Pit
from analysis.excavation.rules import Rules
from analysis.network.outcome import line_layer, pieces, unique_ids
from analysis.network.pipes import PipeSet
from geo.model import Column, ElementTable, Field, Frame, Grid, Issue, Layer, Mesh, Style

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

ABOVE_GROUND = 0.05  # [m] at which the hand-dig zone is drawn
DEPTH_CLASSES = ("under 10 m", "10 to 20 m", "20 m and more")

# The translations count these from 0 (``utility.excavation.assumption.0``): keep the order.
ASSUMPTIONS = (
    "A pipe is a swept cylinder or box along its axis, as thick as the diameter in the data; the distance is exact.",
    "An outline is dug straight down to a level floor, its depth counted from the highest ground at its corners.",
    "The uncertainties of plan, depth and excavation are added as squares and counted as often as chosen.",
    "hard: the excavation cuts the pipe. clearance: nearer than the rule. uncertain: it may be nearer than the rule.",
    "Clearances and hand-dig zones that were not checked against their source are listed in the notes.",
    "The list knows only pipes in the layers; it replaces neither a survey nor the notices that the law asks for.",
)


def finding_columns(
    pipes: PipeSet, pits: list[Pit], found: Findings, widths: Widths, frame: Frame
) -> dict[str, Column]:
    """The list of affected pipes, the worst of each excavation first."""
    line = found.line
    names = np.array([layer.name for layer in pipes.layers], dtype=object)
    at = frame.to_map(found.place)
    return {
        "excavation": Column(np.array([pit.name for pit in pits], dtype=object)[found.pit]),
        "element": Column(pipes.id[line]),
        "layer": Column(names[pipes.layer[line]]),
        "utility": Column(pipes.utility[line]),
        "owner": Column(pipes.owner[line]),
        "class": Column(np.array(CLASSES, dtype=object)[found.verdict]),
        "distance": Column(found.distance, "m"),
        "clearance": Column(widths.clearance[line], "m"),
        "shortfall": Column(np.maximum(widths.clearance[line] - found.distance, 0.0), "m"),
        "uncertainty": Column(widths.doubt[line], "m"),
        "depth_quality": Column(pipes.quality[line]),
        "diameter": Column(pipes.diameter[line], "m"),
        "cover": Column(pipes.cover[line], "m"),
        "hand_dig": Column(widths.hand_dig[line], "m"),
        "easting": Column(at[:, 0], "m"),
        "northing": Column(at[:, 1], "m"),
        "axis": Column(at[:, 2], "m"),
    }


def pit_table(pits: list[Pit], found: Findings, frame: Frame, rules: Rules) -> Table:
    """One row for each excavation."""
    count = len(pits)
    assessment = np.array(["", "소규모 지하안전평가", "지하안전평가"], dtype=object)
    columns = {
        "excavation": Column(np.array([pit.name for pit in pits], dtype=object)),
        "depth": Column(np.array([pit.depth for pit in pits]), "m"),
        "bottom": Column(np.array([pit.bottom for pit in pits]) + frame.origin[2], "m"),
        "volume": Column(np.array([pit.volume for pit in pits]), "m3"),
        "short": Column(np.array([pit.short for pit in pits]), "m"),
        "long": Column(np.array([pit.long for pit in pits]), "m"),
    }
    for number, name in reversed(list(enumerate(CLASSES))):
        mine = found.pit[found.verdict == number]
        columns[name] = Column(np.bincount(mine, minlength=count), "1")
    columns["assessment"] = Column(assessment[_depth_class(pits, rules)])
    return Table("excavation_list", "Excavations", columns)


def _depth_class(pits: list[Pit], rules: Rules) -> Indices:
    depth = np.round([pit.depth for pit in pits], 6)
    return np.asarray((depth >= rules.small).astype(np.int64) + (depth >= rules.full), dtype=np.int64)


def layers_of(
    pipes: PipeSet,
    pits: list[Pit],
    found: Findings,
    widths: Widths,
    columns: dict[str, Column],
    rules: Rules,
    ground: Grid | None,
) -> tuple[Layer, ...]:
    """The excavations, the strips dug by hand, and the affected pipes."""
    out = [_pit_layer(pits, rules)]
    if len(found.line):
        zone = _hand_dig_layer(pipes, pits, found, widths, ground)
        out += [] if zone is None else [zone]
        out.append(_pipe_layer(pipes, found, columns))  # last: its classes are what the legend explains
    return tuple(out)


def _pipe_layer(pipes: PipeSet, found: Findings, columns: dict[str, Column]) -> Layer:
    """Each affected pipe once, at its worst."""
    order = np.lexsort((found.distance, -found.verdict, found.line))
    line, first = np.unique(found.line[order], return_index=True)
    row = order[first]
    total = pipes.along[pipes.offsets[1:] - 1]
    shape = pieces(pipes, line, np.zeros(len(line)), total[line])
    mine = {name: Column(column.values[row], column.unit) for name, column in columns.items()}
    codes = (found.verdict[row] + 1).astype(np.int8)
    field = Field("class", "1", "element", codes, categories=("clear", *CLASSES), ramp="severity")
    layer = line_layer("affected", "Pipes at excavations", shape, mine, field)
    distance = Field("distance", "m", "element", found.distance[row])
    return layer.with_(fields=(field, distance))


def _hand_dig_layer(
    pipes: PipeSet, pits: list[Pit], found: Findings, widths: Widths, ground: Grid | None
) -> Layer | None:
    """Strips along affected pipes, as far as they lie at an excavation, a little above the ground."""
    owner = np.searchsorted(pipes.offsets, found.piece, side="right") - 1
    low = np.array([pit.solid[:, :, :2].min(axis=(0, 1)) for pit in pits])[found.piece_pit]
    high = np.array([pit.solid[:, :, :2].max(axis=(0, 1)) for pit in pits])[found.piece_pit]
    half = widths.hand_dig[owner] / 2
    margin = (half + widths.clearance[owner] + widths.doubt[owner])[:, None]
    a, b = _clipped(pipes.vertices[found.piece], pipes.vertices[found.piece + 1], low - margin, high + margin)
    way = (b - a)[:, :2]
    length = np.hypot(*way.T)
    keep = length > 1e-6
    if not keep.any():
        return None
    a, b, way, owner, half = a[keep], b[keep], way[keep] / length[keep, None], owner[keep], half[keep]
    side = np.column_stack([-way[:, 1], way[:, 0]]) * half[:, None]
    corners = np.stack([a[:, :2] - side, b[:, :2] - side, b[:, :2] + side, a[:, :2] + side], axis=1)
    top = np.nan_to_num(pipes.cover[owner], nan=1.0) + pipes.half_height[owner]
    height = np.stack([a[:, 2] + top, b[:, 2] + top, b[:, 2] + top, a[:, 2] + top], axis=1)
    if ground is not None:
        seen = ground.sample(corners[:, :, 0], corners[:, :, 1])
        height = np.where(np.isfinite(seen), seen, height)
    points = np.concatenate([corners, height[:, :, None] + ABOVE_GROUND], axis=2).reshape(-1, 3)
    start = 4 * np.arange(len(corners))[:, None]
    faces = np.concatenate([start + [0, 1, 2], start + [0, 2, 3]])
    line, element = np.unique(owner, return_inverse=True)
    mesh = Mesh(points, faces.astype(np.int32), np.tile(element.reshape(-1), 2).astype(np.int32))
    table = ElementTable(
        unique_ids(pipes.id[line].tolist()),
        {
            "element": Column(pipes.id[line]),
            "utility": Column(pipes.utility[line]),
            "hand_dig": Column(widths.hand_dig[line], "m"),
        },
    )
    field = Field("hand_dig", "m", "element", widths.hand_dig[line])
    style = Style(opacity=0.5, colour_by="hand_dig")
    return Layer("hand_dig", "Hand-dig zone", "result", mesh, table, (field,), style)


def _clipped(a: Floats, b: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Segments cut to boxes in plan (Liang and Barsky); a segment outside becomes a point."""
    way = b - a
    begin, end = np.zeros(len(a)), np.ones(len(a))
    for axis in range(2):
        flat = np.abs(way[:, axis]) < 1e-12
        step = np.where(flat, 1.0, way[:, axis])
        first, second = (low[:, axis] - a[:, axis]) / step, (high[:, axis] - a[:, axis]) / step
        begin = np.where(flat, begin, np.maximum(begin, np.minimum(first, second)))
        end = np.where(flat, end, np.minimum(end, np.maximum(first, second)))
    end = np.maximum(end, begin)
    return a + begin[:, None] * way, a + end[:, None] * way


def _pit_layer(pits: list[Pit], rules: Rules) -> Layer:
    triangles = np.concatenate([pit.shown for pit in pits])
    element = np.repeat(np.arange(len(pits)), [len(pit.shown) for pit in pits]).astype(np.int32)
    faces = np.arange(3 * len(triangles), dtype=np.int32).reshape(-1, 3)
    depth = np.array([pit.depth for pit in pits])
    columns = {
        "depth": Column(depth, "m"),
        "depth_class": Column(np.array(DEPTH_CLASSES, dtype=object)[_depth_class(pits, rules)]),
    }
    table = ElementTable(unique_ids([pit.name for pit in pits]), columns)
    mesh = Mesh(triangles.reshape(-1, 3), faces, element)
    field = Field("depth", "m", "element", depth)
    return Layer(
        "excavation", "Excavation", "result", mesh, table, (field,), Style(opacity=0.35), stratum="underground"
    )


def summary(pits: list[Pit], found: Findings) -> dict[str, Quantity]:
    """Key figures."""
    out = {"excavations": Quantity(len(pits), "1")}
    for number, name in reversed(list(enumerate(CLASSES))):
        out[name] = Quantity(len(np.unique(found.line[found.verdict == number])), "1")
    out["deepest"] = Quantity(float(max(pit.depth for pit in pits)), "m")
    volume = np.array([pit.volume for pit in pits])
    out["volume"] = Quantity(float(np.nansum(volume)), "m3")
    if len(found.line):
        out["nearest"] = Quantity(float(found.distance.min()), "m")
    return out


def law(pits: list[Pit], pipes: PipeSet, found: Findings, rules: Rules) -> list[Issue]:
    """What the law asks for, as notes with the excavations concerned."""
    issues = []
    depth = _depth_class(pits, rules)
    for number, code, text in (
        (2, "excavation.full_assessment", "지하안전평가 is required: {n} excavations are {limit:g} m deep or deeper."),
        (
            1,
            "excavation.small_assessment",
            "소규모 지하안전평가 is required: {n} excavations are {limit:g} m or deeper.",
        ),
    ):
        names = [pit.name for pit, sort in zip(pits, depth, strict=True) if sort == number]
        if names:
            limit = rules.full if number == 2 else rules.small
            issues.append(_legal(code, text.format(n=len(names), limit=limit), names, {"limit": limit}))
    gas = np.unique(found.pit[pipes.utility[found.line].astype(str) == "gas"])
    if len(gas):
        names = [pits[k].name for k in gas]
        text = (
            f"Gas pipes lie at {len(names)} excavations: report to EOCS at least {rules.gas_notice:g} h before digging."
        )
        issues.append(_legal("excavation.gas_notice", text, names, {"hours": rules.gas_notice}))
    large = [pit.name for pit in pits if pit.short > rules.road_across or pit.long > rules.road_along]
    if large:
        text = (
            f"{len(large)} excavations are more than {rules.road_across:g} m across or {rules.road_along:g} m long: "
            "in a road they come before the road committee (도로관리심의회)."
        )
        values = {"across": rules.road_across, "along": rules.road_along}
        issues.append(_legal("excavation.road_committee", text, large, values))
    text = f"Rules of {rules.edition}; not checked against their source: {', '.join(rules.unverified)}."
    values_said: dict[str, object] = {"edition": rules.edition, "rules": ", ".join(rules.unverified)}
    issues.append(Issue("excavation.rules", text, "note", count=len(rules.unverified), values=values_said))
    return issues


def _legal(code: str, text: str, names: list[str], values: dict[str, float]) -> Issue:
    said = {name: f"{value:g}" for name, value in values.items()}
    return Issue(code, text, "doubt", count=len(names), elements=tuple(names[:50]), values=said)
