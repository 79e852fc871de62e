"""Checks of depth: missing, absurd, too little, above the ground."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.network.pipes import PipeSet
from analysis.utility_check.findings import Findings
from analysis.utility_check.rules import SITE, CheckRules, Rule
from analysis.utility_check.stations import Stations

Floats = NDArray[np.float64]
OTHER_UNIT = "utility.cover_other_unit"  # doubt of readers of utility maps
INSIDE_SHARE = 0.9  # of its length on which a pipe lies in a tunnel to count as its content
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
    _in_other_units(found, pipes, rules)
    floating = _floating(found, pipes, stations, cover, rules)
    known = (quality != "assumed") & (quality != "") & ~floating & ~in_tunnels(pipes, stations)
    absurd = _absurd(found, pipes, stations, cover, known, rules)
    _too_little(found, pipes, stations, cover, road_width, known & ~absurd, rules)


def in_tunnels(pipes: PipeSet, stations: Stations) -> NDArray[np.bool_]:
    """(k,) pipes that lie in a utility tunnel: the ground above it is no cover of theirs."""
    from analysis.kernels.capsules import CapsuleIndex, Pipes
    from analysis.utility_check.apart import segments

    tunnel = pipes.utility.astype(str) == "tunnel"
    if not tunnel.any() or tunnel.all():
        return np.zeros(len(pipes), dtype=bool)
    boxes, _ = segments(pipes.kept(np.flatnonzero(tunnel)))
    rows = np.flatnonzero(~tunnel[stations.line])
    points = Pipes.round(stations.point[rows], stations.point[rows], 0.0)
    found, _, _ = CapsuleIndex(boxes).near_pipes(points, reach=0.0)
    inside = np.zeros(len(stations.line), dtype=bool)
    inside[rows[found]] = True
    count = np.bincount(stations.line, minlength=len(pipes))
    return np.bincount(stations.line[inside], minlength=len(pipes)) >= INSIDE_SHARE * np.maximum(count, 1)


def _middle(pipes: PipeSet, line: int) -> Floats:
    from analysis.kernels.network import Polylines
    from analysis.kernels.network_health import points_along

    shape = Polylines(pipes.vertices, pipes.offsets, pipes.layer)
    half = pipes.along[pipes.offsets[line + 1] - 1] / 2
    return np.asarray(points_along(shape, np.array([line]), np.array([half]))[0])


def _missing(found: Findings, pipes: PipeSet, stations: Stations, quality: NDArray[np.str_]) -> None:
    for line in np.flatnonzero((quality == "assumed") | (quality == "")):
        found.add("depth_missing", int(line), _middle(pipes, int(line)), measured=pipes.cover[line])


def _in_other_units(found: Findings, pipes: PipeSet, rules: CheckRules) -> None:
    """Depths that the reader had to take in another unit than the rest of their column."""
    source = str(rules.data["normal_cover"]["source"])
    for number, layer in enumerate(pipes.layers):
        doubted = {name for issue in layer.issues if issue.code == OTHER_UNIT for name in issue.elements}
        mine = (pipes.layer == number) & np.isin(pipes.id.astype(str), list(doubted)) if doubted else np.zeros(0, bool)
        for line in np.flatnonzero(mine):
            high = rules.normal_cover(str(pipes.utility[line]))[1]
            found.add("depth_range", int(line), _middle(pipes, int(line)), measured=pipes.cover[line],
                      rule=Rule(high, source, False))  # fmt: skip


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
