"""Check of the clear distance between utilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.network.pipes import PipeSet
from analysis.utility_check.findings import Findings
from analysis.utility_check.rules import CheckRules, Rule
from geo.model import unique_rows

if TYPE_CHECKING:
    from analysis.kernels.capsules import Pipes

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
SLACK = 0.005  # [m] distances this much short are rounding


def check_separation(found: Findings, pipes: PipeSet, rules: CheckRules) -> None:
    """Pipes of different utilities that come nearer than the rules allow; where each pair is worst.

    Pairs of which one depth is only assumed are not judged but counted: a depth by rule would let half of all
    crossings clash. What lies within a utility tunnel is its content.
    """
    from analysis.kernels.capsules import CapsuleIndex

    pieces, line = segments(pipes)
    first, second, distance = CapsuleIndex(pieces).near_pipes(pieces, reach=rules.widest_separation)
    a, b = line[first], line[second]
    kind = pipes.utility.astype(str)
    keep = (a < b) & (kind[a] != kind[b]) & (kind[a] != "tunnel") & (kind[b] != "tunnel")
    first, second, distance, a, b = first[keep], second[keep], distance[keep], a[keep], b[keep]
    limit = _limits(kind[a], kind[b], rules)
    close = distance < np.array([rule.value for rule in limit]) - SLACK if len(limit) else np.zeros(0, dtype=bool)
    quality = pipes.quality.astype(str)
    sure = np.isin(quality[a], ("measured", "register")) & np.isin(quality[b], ("measured", "register"))
    pairs = unique_rows(np.stack([a[close & ~sure], b[close & ~sure]], axis=1)).rows.T
    found.cannot_tell("separation", pairs.shape[1])
    rows = np.flatnonzero(close & sure)
    rows = rows[np.lexsort((distance[rows], b[rows], a[rows]))]
    told: set[tuple[int, int]] = set()
    for row in rows:
        pair = (int(a[row]), int(b[row]))
        if pair in told:
            continue
        told.add(pair)
        middle = (pieces.a[second[row]] + pieces.b[second[row]]) / 2
        point = _nearest(pieces.a[first[row]], pieces.b[first[row]], middle)
        other = str(pipes.id[b[row]])
        found.add("separation", int(a[row]), point, measured=distance[row], rule=limit[row], other=other)


def segments(pipes: PipeSet) -> tuple[Pipes, Indices]:
    """Straight pieces of all pipes as the kernels take them, and the pipe of each."""
    from analysis.kernels.capsules import Pipes

    owner = np.repeat(np.arange(len(pipes)), np.diff(pipes.offsets))
    first = np.flatnonzero(owner[:-1] == owner[1:])
    line = owner[first]
    box = pipes.is_box[line]
    size = np.where(np.isfinite(pipes.diameter[line]) & ~box, pipes.diameter[line], 0.0)
    half = [np.where(box, np.nan_to_num(values[line]), 0.0) / 2 for values in (pipes.width, pipes.height)]
    return Pipes(pipes.vertices[first], pipes.vertices[first + 1], size / 2, half[0], half[1]), line


def _limits(first: NDArray[np.str_], second: NDArray[np.str_], rules: CheckRules) -> list[Rule]:
    known: dict[tuple[str, str], Rule] = {}
    out = []
    for pair in zip(first.tolist(), second.tolist(), strict=True):
        if pair not in known:
            known[pair] = rules.separation(*pair)
        out.append(known[pair])
    return out


def _nearest(a: Floats, b: Floats, point: Floats) -> Floats:
    """Point of a segment nearest to another point."""
    way = b - a
    share = np.clip(np.dot(point - a, way) / max(float(np.dot(way, way)), 1e-12), 0.0, 1.0)
    return np.asarray(a + share * way)
