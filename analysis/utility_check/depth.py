"""Checks of depth: missing, absurd, too little, above the ground."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.network.pipes import PipeSet
from analysis.utility_check.findings import Findings
from analysis.utility_check.rules import SITE, CheckRules, Rule
from analysis.utility_check.stations import Stations

Floats = NDArray[np.float64]
LEAST_LENGTH = 2.0  # [m] of a pipe on which something must hold to be told; shorter pipes on half their length


def check_depths(
    found: Findings, pipes: PipeSet, stations: Stations, cover: Floats, road_width: Floats, rules: CheckRules
) -> None:
    """Add all findings on depth.

    Parameters
    ----------
    cover, road_width : (n,) float64 [m]
        At the stations; road_width NaN outside roads.
    """
    quality = pipes.quality.astype(str)
    _missing(found, pipes, stations, quality)
    floating = _floating(found, pipes, stations, cover, rules)
    known = (quality != "assumed") & (quality != "") & ~floating
    absurd = _absurd(found, pipes, stations, cover, known, rules)
    _too_little(found, pipes, stations, cover, road_width, known & ~absurd, rules)


def _middle(pipes: PipeSet, line: int) -> Floats:
    from analysis.kernels.network import Polylines
    from analysis.kernels.network_health import points_along

    shape = Polylines(pipes.vertices, pipes.offsets, pipes.layer)
    half = pipes.along[pipes.offsets[line + 1] - 1] / 2
    return np.asarray(points_along(shape, np.array([line]), np.array([half]))[0])


def _missing(found: Findings, pipes: PipeSet, stations: Stations, quality: NDArray[np.str_]) -> None:
    for line in np.flatnonzero((quality == "assumed") | (quality == "")):
        found.add("depth_missing", int(line), _middle(pipes, int(line)), measured=pipes.cover[line])


def _enough(pipes: PipeSet, stations: Stations, which: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(k,) pipes on which something holds for long enough to be no accident of one station."""
    count = len(pipes)
    length = pipes.along[pipes.offsets[1:] - 1]
    return stations.sum_by_line(which, count) >= np.minimum(LEAST_LENGTH, length / 2) - 1e-9


def _worst(stations: Stations, which: NDArray[np.bool_], value: Floats, lines: NDArray[np.bool_]) -> list[int]:
    """Number of the station with the least value among those of each chosen pipe."""
    rows = np.flatnonzero(which & lines[stations.line])
    order = rows[np.lexsort((value[rows], stations.line[rows]))]
    first = np.append(True, stations.line[order][1:] != stations.line[order][:-1]) if len(order) else order
    return [int(row) for row in order[first.astype(bool)]]


def _floating(
    found: Findings, pipes: PipeSet, stations: Stations, cover: Floats, rules: CheckRules
) -> NDArray[np.bool_]:
    rule = rules.limit("floating")
    which = np.isfinite(cover) & (cover < -rule.value)
    lines = _enough(pipes, stations, which) & (stations.sum_by_line(which, len(pipes)) > 0)
    for row in _worst(stations, which, cover, lines):
        found.add("floating", stations.line[row], stations.point[row], measured=cover[row], rule=rule)
    return lines


def _absurd(
    found: Findings,
    pipes: PipeSet,
    stations: Stations,
    cover: Floats,
    known: NDArray[np.bool_],
    rules: CheckRules,
) -> NDArray[np.bool_]:
    limits = np.array([rules.normal_cover(str(name)) for name in pipes.utility]).reshape(-1, 2)
    low, high = limits[stations.line].T
    entry = rules.data["normal_cover"]
    with np.errstate(invalid="ignore"):
        beyond = np.where(cover < low, cover - low, np.where(cover > high, high - cover, np.nan))
    which = np.isfinite(beyond) & known[stations.line]
    lines = _enough(pipes, stations, which) & (stations.sum_by_line(which, len(pipes)) > 0)
    for row in _worst(stations, which, beyond, lines):
        bound = low[row] if cover[row] < low[row] else high[row]
        rule = Rule(float(bound), str(entry["source"]), bool(entry["verified"]))
        found.add("depth_range", stations.line[row], stations.point[row], measured=cover[row], rule=rule)
    return lines


def _too_little(
    found: Findings,
    pipes: PipeSet,
    stations: Stations,
    cover: Floats,
    road_width: Floats,
    known: NDArray[np.bool_],
    rules: CheckRules,
) -> None:
    slack = rules.limit("cover_tolerance").value
    rows = np.flatnonzero(np.isfinite(cover) & known[stations.line])
    classes = [SITE if np.isnan(w) else rules.road_class(float(w)) for w in road_width[rows]]
    least = np.full(len(cover), np.nan)
    least[rows] = [
        rules.least_cover(str(pipes.utility[line]), name).value
        for line, name in zip(stations.line[rows], classes, strict=True)
    ]
    short = cover - least
    which = np.isfinite(short) & (short < -slack)
    lines = _enough(pipes, stations, which) & (stations.sum_by_line(which, len(pipes)) > 0)
    for row in _worst(stations, which, short, lines):
        width = road_width[row]
        name = SITE if np.isnan(width) else rules.road_class(float(width))
        rule = rules.least_cover(str(pipes.utility[stations.line[row]]), name)
        found.add("cover_low", stations.line[row], stations.point[row], measured=cover[row], rule=rule)
