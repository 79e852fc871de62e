"""The longitudinal profile of a run of pipes: chart, table by station, crossings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Chart, Quantity, Result, Series, Table
from analysis.network.built import Built, build
from analysis.network.declaration import ProfileInputs, ProfileParams
from analysis.network.outcome import line_layer, pieces, pipe_columns, point_layer
from analysis.network.run import Run, chosen_run
from analysis.network.stations import Buildings, Crossings, Stations, buildings_of, crossings_of, stations_of
from geo.model import Column, Feedback, Field, Issue, Layer
from resources import load_json

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

GROUND, PIPE, INVERT, BUILDING = "#7a5c3a", "#4a6fa5", "#1f3f73", "#9a9a9a"
CROSSING, NODE = "#c0392b", "#333333"
BUILDING_SHOWN = 1.0  # [m] above the ground to which a building is drawn

# The translations count these from 0 (``utility.profile.assumption.0``): keep the order.
ASSUMPTIONS = (
    "Stations are measured in plan along the axis of the pipes.",
    "The ground is that of the terrain; where there is none, the cover in the data says where it is.",
    "Where the data give no invert, it is the axis less half the diameter; the wall is not taken off.",
    "Pipes that cross are those of the layers given; their clearance is measured upright between the outer surfaces.",
)


def profile(inputs: ProfileInputs, params: ProfileParams, feedback: Feedback) -> Result:
    """Draw the profile."""
    issues: list[Issue] = []
    built = build(
        inputs.pipes, inputs.nodes, issues, feedback.part(0.0, 0.5),
        tolerance=params.tolerance, height_tolerance=params.height_tolerance, join=params.join,
    )  # fmt: skip
    stop_at = built.closed if params.closed_valves else np.zeros(len(built.network.place), dtype=bool)
    run = chosen_run(built, inputs.frame, params.origin, params.target, stop_at)
    feedback.step(0.5, "measuring the profile")
    stations = stations_of(built, run, inputs.terrain, params.step)
    feedback.step(0.7, "looking for crossings")
    found = crossings_of(built, run, stations, tolerance=params.tolerance)
    if not params.crossings:
        found = found.kept(np.zeros(0, np.int64))
    buildings = buildings_of(inputs.buildings, stations)
    feedback.step(0.9, "writing the result")
    issues += _issues(built, run, stations, found, buildings)
    height = float(inputs.frame.origin[2])
    crossing_columns = _crossing_columns(built, found, height)
    return Result(
        layers=_layers(built, run, stations, found, crossing_columns),
        summary=_summary(stations, run, found, buildings),
        tables=(
            Table("stations", "Stations", _station_columns(built, run, stations, height)),
            Table("crossing_list", "Crossings", crossing_columns),
            _building_table(buildings, height),
        ),
        charts=_charts(built, run, stations, found, buildings, height),
        issues=tuple(issues),
        assumptions=ASSUMPTIONS,
    )


def _station_columns(built: Built, run: Run, stations: Stations, height: float) -> dict[str, Column]:
    line = run.line[stations.piece]
    pipes = built.pipes
    return {
        "station": Column(stations.station, "m"),
        "ground": Column(stations.ground + height, "m"),
        "cover": Column(stations.cover, "m"),
        "top": Column(stations.top + height, "m"),
        "invert": Column(stations.invert + height, "m"),
        "slope": Column(stations.slope, "%"),
        "diameter": Column(np.where(pipes.is_box, pipes.width, pipes.diameter)[line], "m"),
        "element": Column(pipes.id[line]),
        "utility": Column(pipes.utility[line]),
        "depth_quality": Column(pipes.quality[line]),
    }


def _crossing_columns(built: Built, found: Crossings, height: float) -> dict[str, Column]:
    return pipe_columns(built.pipes, found.line) | {
        "station": Column(found.station, "m"),
        "axis": Column(found.point[:, 2] + height, "m"),
        "side": Column(np.where(found.above, "above", "below").astype(object)),
        "gap": Column(found.clearance, "m"),
    }


def _building_table(buildings: Buildings, height: float) -> Table:
    columns = {
        "building": Column(buildings.name),
        "station": Column(buildings.start, "m"),
        "station_end": Column(buildings.stop, "m"),
        "lowest": Column(buildings.lowest + height, "m"),
    }
    return Table("building_list", "Buildings over the run", columns)


def _layers(
    built: Built, run: Run, stations: Stations, found: Crossings, crossing_columns: dict[str, Column]
) -> tuple[Layer, ...]:
    length = run.length
    distance = np.concatenate([np.zeros(1), np.cumsum(length)])[:-1]
    count = len(run.line)
    cover = stations.cover
    known = np.isfinite(cover)
    hits = np.bincount(stations.piece[known], minlength=count)
    mean = np.bincount(stations.piece[known], weights=cover[known], minlength=count) / np.maximum(hits, 1)
    columns = pipe_columns(built.pipes, run.line) | {
        "order": Column(np.arange(1, count + 1), "1"),
        "length": Column(length, "m"),
        "distance": Column(distance, "m"),
        "cover": Column(np.where(hits > 0, mean, np.nan), "m"),
    }
    shape = pieces(built.pipes, run.line, run.start, run.stop)
    layers = [line_layer("run", "Run of the profile", shape, columns, Field("distance", "m", "element", distance))]
    if len(found.line):
        field = Field("gap", "m", "element", found.clearance)
        layers.append(point_layer("crossings", "Crossings", found.point, crossing_columns, field))
    return tuple(layers)


def _summary(stations: Stations, run: Run, found: Crossings, buildings: Buildings) -> dict[str, Quantity]:
    length = float(stations.station[-1])
    fall = float(stations.invert[0] - stations.invert[-1])
    cover = stations.cover[np.isfinite(stations.cover)]
    summary = {
        "length": Quantity(length, "m"),
        "pipes": Quantity(len(set(run.line.tolist())), "1"),
        "mean_slope": Quantity(fall / length * 100.0 if length > 0 else None, "%"),
        "min_cover": Quantity(float(cover.min()) if len(cover) else None, "m"),
        "max_cover": Quantity(float(cover.max()) if len(cover) else None, "m"),
        "crossings": Quantity(len(found.line), "1"),
    }
    if len(found.line):
        summary["min_clearance"] = Quantity(float(found.clearance.min()), "m")
    return summary | {"buildings": Quantity(len(buildings.name), "1")}


def _issues(built: Built, run: Run, stations: Stations, found: Crossings, buildings: Buildings) -> list[Issue]:
    issues = []
    unknown = int((~np.isfinite(stations.ground)).sum())
    if unknown:
        text = f"{unknown} stations have neither terrain nor a cover in the data: their ground is not known."
        issues.append(Issue("utility.no_ground", text, "doubt", count=unknown))
    sized = built.pipes.half_height[run.line] > 0
    if not sized.all():
        ids = tuple(dict.fromkeys(built.pipes.id[run.line[~sized]].tolist()))
        text = f"{len(ids)} pipes of the run have no diameter: top and invert are drawn at the axis."
        issues.append(Issue("utility.no_diameter", text, "doubt", count=len(ids), elements=ids))
    assumed = run.line[built.pipes.quality[run.line].astype(str) == "assumed"]
    if len(assumed):
        ids = tuple(dict.fromkeys(built.pipes.id[assumed].tolist()))
        text = f"The depth of {len(ids)} pipes of the run is assumed by a rule, not measured or registered."
        issues.append(Issue("utility.run_depth_assumed", text, "doubt", count=len(ids), elements=ids))
    hits = found.clearance < 0
    if hits.any():
        ids = tuple(built.pipes.id[found.line[hits]].tolist())
        text = f"{len(ids)} crossing pipes overlap the run in height."
        issues.append(Issue("utility.crossing_overlap", text, "error", count=len(ids), elements=ids))
    if len(buildings.name):
        names = tuple(dict.fromkeys(buildings.name.tolist()))
        text = f"The run passes under or through {len(names)} buildings."
        issues.append(Issue("utility.under_building", text, "doubt", count=len(names), elements=names))
    return issues


def _breaks(stations: Stations, values: Floats) -> tuple[Floats, Floats]:
    """Stations and values with a gap where the pipe steps up or down between two pieces."""
    cut = np.flatnonzero(np.diff(stations.piece) != 0) + 1
    return np.insert(stations.station, cut, stations.station[cut]), np.insert(values, cut, np.nan)


def _charts(
    built: Built, run: Run, stations: Stations, found: Crossings, buildings: Buildings, height: float
) -> tuple[Chart, ...]:
    x, top = _breaks(stations, stations.top + height)
    _, invert = _breaks(stations, stations.invert + height)
    series = [
        *_building_series(stations, buildings, height),
        Series("Ground", stations.station, stations.ground + height, colour=GROUND),
        Series("Pipe", x, top, "area", PIPE, base=invert),
        Series("Top of pipe", x, top, colour=PIPE),
        Series("Invert", x, invert, colour=INVERT),
    ]
    named = _node_series(built, run, stations, height)
    if named is not None:
        series.append(named)
    if len(found.line):
        labels = tuple(_label(built, int(line)) for line in found.line)
        series.append(Series("Crossings", found.station, found.point[:, 2] + height, "marks", CROSSING, labels=labels))
    charts = [Chart("profile", "Longitudinal profile", "Station", "m", "Height", "m", tuple(series))]
    if np.isfinite(stations.cover).any():
        x, cover = _breaks(stations, stations.cover)
        line = Series("Cover", x, cover, colour=PIPE)
        charts.append(Chart("cover", "Cover along the run", "Station", "m", "Cover", "m", (line,)))
    return tuple(charts)


def _label(built: Built, line: int) -> str:
    """Letter of the utility, as the picture marks its pipes, and size [mm]."""
    pipes = built.pipes
    kinds = load_json("utility/kinds.json")["kinds"]
    letter = str(kinds.get(str(pipes.utility[line]), kinds["other"])["symbol"])
    if pipes.is_box[line]:
        return f"{letter} {pipes.width[line] * 1000:.0f}×{pipes.height[line] * 1000:.0f}"
    return f"{letter} ø{pipes.diameter[line] * 1000:.0f}" if pipes.diameter[line] > 0 else letter


def _node_series(built: Built, run: Run, stations: Stations, height: float) -> Series | None:
    """Nodes on the run, at the ground, with their ids."""
    first = np.searchsorted(stations.piece, np.arange(len(run.line)))
    at = np.append(stations.station[first], stations.station[-1])
    ground = np.append(stations.ground[first], stations.ground[-1])
    ground = np.where(np.isfinite(ground), ground, np.append(stations.top[first], stations.top[-1]))
    place = {int(j): k for k, j in enumerate(run.junctions) if j >= 0}
    nodes = np.flatnonzero(np.isin(built.network.of_node, list(place)))
    if len(nodes) == 0:
        return None
    where = np.array([place[int(j)] for j in built.network.of_node[nodes]])
    order = np.argsort(where, kind="stable")
    labels = tuple(str(built.nodes.id[n]) for n in nodes[order])
    return Series("Nodes", at[where[order]], ground[where[order]] + height, "marks", NODE, labels=labels)


def _building_series(stations: Stations, buildings: Buildings, height: float) -> list[Series]:
    if len(buildings.name) == 0:
        return []
    ground = np.where(np.isfinite(stations.ground), stations.ground, stations.top)
    x, y, base = [], [], []
    for start, stop, low in zip(buildings.start, buildings.stop, buildings.lowest, strict=True):
        roof = float(np.interp((start + stop) / 2, stations.station, ground)) + BUILDING_SHOWN
        x += [start, stop, stop]
        y += [roof, roof, np.nan]
        base += [low, low, np.nan]
    shift = np.array(base) + height
    return [Series("Buildings", np.array(x), np.array(y) + height, "area", BUILDING, base=shift)]
