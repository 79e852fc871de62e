"""Pairs of bodies that may meet, and the judgement on each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.bim_check.bodies import Bodies
from geo.model import Feedback, unique_rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WORK = 4_000_000  # products of triangle counts judged between two looks at whether to stop
MOST_PAIRS = 1_000


class Judged(NamedTuple):
    """One row for each pair.

    Attributes
    ----------
    pairs : (p, 2) int64
        Bodies.
    distance : (p,) float64 [m]
        Between the surfaces, 0 where they meet, infinite where farther than asked.
    depth : (p,) float64 [m]
        Thickness of the shared part, 0 for none, NaN where surfaces cross and the bodies are not closed.
    volume : (p,) float64 [m3]
        Of the shared part, an estimate.
    point : (p, 3) float64 [local m]
    """

    pairs: Ints
    distance: Floats
    depth: Floats
    volume: Floats
    point: Floats


def pairs_near(bodies: Bodies, first: NDArray[np.bool_], second: NDArray[np.bool_], *, reach: float) -> Ints:
    """Pairs (p, 2) of bodies of two groups whose boxes come within `reach` [m], each pair once, in order.

    Elements set into one another (column ``host``) are no pair.
    """
    from analysis.kernels.boxtree import BoxTree

    a, b = np.flatnonzero(first), np.flatnonzero(second)
    tree = BoxTree(bodies.boxes[b, :3] - reach, bodies.boxes[b, 3:] + reach)
    found = tree.meeting(bodies.boxes[a, :3], bodies.boxes[a, 3:])
    pairs = np.stack([a[found[:, 0]], b[found[:, 1]]], axis=1) if len(found) else np.zeros((0, 2), dtype=np.int64)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    both = first[pairs].all(axis=1) & second[pairs].all(axis=1)
    pairs[both] = np.sort(pairs[both], axis=1)
    pairs = unique_rows(pairs).rows
    return pairs[~_hosted(bodies, pairs)]


def _hosted(bodies: Bodies, pairs: Ints) -> NDArray[np.bool_]:
    host, own = bodies.texts("host"), bodies.id
    one, other = pairs[:, 0], pairs[:, 1]
    within = ((host[one] == own[other]) & (host[one] != "")) | ((host[other] == own[one]) & (host[other] != ""))
    return np.asarray(within, dtype=np.bool_)


def judge(bodies: Bodies, pairs: Ints, feedback: Feedback, *, tolerance: float, clearance: float) -> Judged:
    """Judge pairs; see `analysis.kernels.clashes.judge_pairs`."""
    from analysis.kernels.clashes import judge_pairs

    measured, points = [np.zeros((0, 4))], [np.zeros((0, 3))]
    done = 0
    for part in _parts(bodies, pairs):
        feedback.step(done / max(len(pairs), 1), f"{done:,} of {len(pairs):,} pairs")
        found, point = judge_pairs(
            bodies.triangles, bodies.triangle_boxes, bodies.stops, bodies.boxes, np.ascontiguousarray(part),
            tolerance, clearance,
        )  # fmt: skip
        measured.append(found)
        points.append(point)
        done += len(part)
    values = np.concatenate(measured)
    feedback.step(1.0, f"{len(pairs):,} pairs")
    return Judged(pairs, values[:, 0], values[:, 1], values[:, 2], np.concatenate(points))


def _parts(bodies: Bodies, pairs: Ints) -> Iterator[Ints]:
    """Pairs in parts of about the same work."""
    count = np.diff(bodies.stops)
    work = np.cumsum(count[pairs[:, 0]] * count[pairs[:, 1]] + 1)
    start = 0
    while start < len(pairs):
        before = work[start - 1] if start else 0
        stop = int(np.searchsorted(work, before + WORK, side="right"))
        stop = min(max(stop, start + 1), start + MOST_PAIRS)
        yield pairs[start:stop]
        start = stop
