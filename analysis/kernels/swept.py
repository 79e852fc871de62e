"""Rays that a moved solid can change: the sun seen by each point as bits, one per instant.

The obstacles are two: the *rest*, which stays, and the *solid*, which moves. A point is lit where the rest leaves it
free and the solid does not meet its ray. The first is traced once and kept as bits; for each new place of the solid
only the free rays that meet its box are traced, against the solid alone. Whether a ray meets a triangle does not
depend on the other triangles, so this is the answer that all obstacles together would give, bit for bit.

The box is swept towards every point along the sun's direction: first over groups of neighbouring points, then over
single points. That sorts out nearly all rays and loses none: boxes are grown by `SLACK`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.embree import RAY_ROWS, _bundle
from analysis.kernels.rays import BLOCK_POINTS, SURFACE_OFFSET, Occluder, _neighbours_together
from analysis.threads import thread_count
from geo.model import Feedback

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Indices = NDArray[np.int64]
Words = NDArray[np.uint64]
Bools = NDArray[np.bool_]

SLACK = 0.1  # [m] by which boxes are grown: far above float32 steps within 100 km
GROUP = 64  # neighbouring points whose common box is asked first
GROUPS_AT_ONCE = 128  # of one task: some milliseconds, so that a stop is heard at once
MOST_BOXES = 64  # parts of a solid that have a box each
WORD = 64


class Solid(NamedTuple):
    """A solid that moves: its triangles in Embree, its box (6,) and those of its parts (k, 6), low and high.

    The boxes are in the occluder's own coordinates (about its centre).
    """

    occluder: Occluder
    whole: Floats
    parts: Floats


class Met(NamedTuple):
    """Points (k,) that a solid shades at some instant at which the rest does not, and their bits (k, w)."""

    point: Indices
    bits: Words
    rays: int


class SunBits:
    """Points under a moving sun, with the instants at which the rest of the obstacles leaves them free.

    Parameters
    ----------
    rest : Occluder
    points : (n, 3) float [local m]
        Rays start `SURFACE_OFFSET` along the normals (upwards without normals).
    ways : (t, 3) float
        Unit vectors towards the sun, in order of time.
    normals : (n, 3) float, optional
        Surfaces turned away from the sun (n . s <= `least`) are never free.
    feedback : Feedback, optional

    Attributes
    ----------
    free : (n, ceil(t / 64)) uint64
        Bit k % 64 of word k // 64: nothing of the rest blocks at instant k.
    front : (n,) uint16
        Instants with the sun in front of the surface: rays that a full run traces.
    """

    def __init__(
        self,
        rest: Occluder,
        points: Floats,
        ways: Floats,
        *,
        normals: Floats | None = None,
        least: float = 0.0,
        feedback: Feedback | None = None,
    ) -> None:
        feedback = feedback or Feedback()
        count, words = len(points), -(-len(ways) // WORD)
        self.ways = np.ascontiguousarray(ways, dtype=np.float64)
        order = _neighbours_together(points)
        shift = SURFACE_OFFSET * (normals if normals is not None else np.array([0.0, 0.0, 1.0]))
        self._starts = rest.local32(points + shift)[order]
        self._order, self._groups = order, _groups_of(self._starts)
        free, front = np.zeros((count, words), dtype=np.uint64), np.zeros(count, dtype=np.uint16)
        facing = None if normals is None else np.ascontiguousarray(normals[order], dtype=np.float64)
        trace = _free_in_bundles if rest.packets is not None else _free_one_by_one

        def work(part: slice, stop: NDArray[np.uint8]) -> int:
            some = None if facing is None else facing[part]
            trace(rest, self._starts[part], some, self.ways, least, (free[part], front[part]), stop)
            return 0

        in_threads(work, _slices(count, BLOCK_POINTS), feedback, "tracing the sun")
        self._free = free
        self.front = np.empty_like(front)
        self.front[order] = front

    @property
    def free(self) -> Words:
        """(n, w) bits in the order of the points."""
        out = np.empty_like(self._free)
        out[self._order] = self._free
        return out

    @property
    def nbytes(self) -> int:
        """Bytes kept."""
        kept = (self._starts, self._order, self._groups, self._free, self.front)
        return sum(array.nbytes for array in kept)

    def meeting(self, solid: Solid, feedback: Feedback | None = None) -> Met:
        """The free instants at which the rays of points meet a solid."""
        feedback = feedback or Feedback()
        met = np.zeros_like(self._free)
        if solid.occluder.face_count == 0 or len(met) == 0:
            return Met(np.zeros(0, np.int64), met[:0], 0)
        trace = _meeting_in_bundles if solid.occluder.packets is not None else _meeting_one_by_one

        def work(part: slice, stop: NDArray[np.uint8]) -> int:
            groups = (self._groups, part.start, part.stop)
            return trace(solid, self._starts, self._free, groups, self.ways, met, stop)

        rays = in_threads(work, _slices(len(self._groups), GROUPS_AT_ONCE), feedback, "tracing what moved")
        found = np.flatnonzero(met.any(axis=1))
        point = self._order[found]
        sort = np.argsort(point)
        return Met(point[sort], met[found[sort]], rays)

    def time(self, points: Indices | None, met: Words, weights: Floats) -> tuple[Floats, Floats]:
        """Total and longest run [h] of some points (all for None) that a solid shades at the bits `met`."""
        from analysis.kernels import swept_loops

        free = self.free if points is None else self._free[self._place[points]]
        total, longest = np.zeros(len(free)), np.zeros(len(free))
        swept_loops.time_of_bits(free, np.ascontiguousarray(met), weights, total, longest)
        return total, longest

    @property
    def _place(self) -> Indices:
        """(n,) where each point is kept."""
        if not hasattr(self, "_places"):
            self._places = np.empty_like(self._order)
            self._places[self._order] = np.arange(len(self._order))
        return self._places


def solid_of(occluder: Occluder, parts: Sequence[Floats]) -> Solid:
    """A solid in Embree with the boxes of its parts, given by their vertices (k, 3) [local m]."""
    boxes = [np.concatenate([p.min(axis=0), p.max(axis=0)]) for p in parts if len(p)]
    local = np.array(boxes).reshape(-1, 6) - np.tile(occluder.centre, 2)
    if len(local) == 0:
        return Solid(occluder, np.zeros(6), local)
    whole = np.concatenate([local[:, :3].min(axis=0), local[:, 3:].max(axis=0)])
    return Solid(occluder, whole, local if len(local) <= MOST_BOXES else whole[None])


def _groups_of(starts: Singles) -> Floats:
    """(g, 8) first and last point and the box of every `GROUP` points that follow each other."""
    first = np.arange(0, len(starts), GROUP)
    if len(first) == 0:
        return np.zeros((0, 8))
    last = np.minimum(first + GROUP, len(starts))
    low, high = np.minimum.reduceat(starts, first), np.maximum.reduceat(starts, first)
    return np.column_stack([first, last, low, high]).astype(np.float64)


def _free_in_bundles(
    rest: Occluder,
    starts: Singles,
    facing: Floats | None,
    ways: Floats,
    least: float,
    out: tuple[Words, NDArray[np.uint16]],
    stop: NDArray[np.uint8],
) -> None:
    from analysis.kernels import swept_loops

    scene = rest.packets
    if scene is None:
        raise RuntimeError("this scene is not traced in bundles")
    bundle, lanes = _bundle(RAY_ROWS)
    found = scene.found
    none = np.zeros((0, 3)) if facing is None else facing
    swept_loops.free_bits(
        found.occluded16, scene.handle, found.arguments, starts, none, ways, least, out[0], out[1], bundle, lanes, stop
    )


def _free_one_by_one(
    rest: Occluder,
    starts: Singles,
    facing: Floats | None,
    ways: Floats,
    least: float,
    out: tuple[Words, NDArray[np.uint16]],
    stop: NDArray[np.uint8],
) -> None:
    """As `_free_in_bundles`, through embreex alone."""
    free, front = out
    for instant, way in enumerate(ways):
        if stop[0]:
            break
        ahead = np.ones(len(starts), dtype=bool)
        if facing is not None:
            ahead = facing[:, 0] * way[0] + facing[:, 1] * way[1] + facing[:, 2] * way[2] > least
        some = np.flatnonzero(ahead)
        front[some] += 1
        lit = some[~rest.blocked(starts[some], np.ascontiguousarray(way[None], dtype=np.float32))]
        free[lit, instant // WORD] |= np.uint64(1 << instant % WORD)


Groups = tuple[Floats, int, int]


def _meeting_in_bundles(
    solid: Solid, starts: Singles, free: Words, groups: Groups, ways: Floats, met: Words, stop: NDArray[np.uint8]
) -> int:
    from analysis.kernels import swept_loops

    scene = solid.occluder.packets
    if scene is None:
        raise RuntimeError("this scene is not traced in bundles")
    bundle, lanes = _bundle(RAY_ROWS)
    found = scene.found
    table, first, last = groups
    return int(
        swept_loops.meeting_bits(
            found.occluded16,
            scene.handle,
            found.arguments,
            starts,
            free,
            table,
            first,
            last,
            ways,
            solid.whole,
            solid.parts,
            SLACK,
            met,
            bundle,
            lanes,
            stop,
        )
    )


def _meeting_one_by_one(
    solid: Solid, starts: Singles, free: Words, groups: Groups, ways: Floats, met: Words, stop: NDArray[np.uint8]
) -> int:
    """As `_meeting_in_bundles`, through embreex alone."""
    table, first, last = groups
    low, high = int(table[first, 0]), int(table[last - 1, 1])
    rays = 0
    for instant, way in enumerate(ways):
        if stop[0]:
            break
        bit = np.uint64(1 << instant % WORD)
        ask = low + np.flatnonzero(free[low:high, instant // WORD] & bit)
        ask = ask[meeting_box(starts[ask].astype(np.float64), way, solid.whole)]
        hit = ask[solid.occluder.blocked(starts[ask], np.ascontiguousarray(way[None], dtype=np.float32))]
        met[hit, instant // WORD] |= bit
        rays += len(ask)
    return rays


def meeting_box(starts: Floats, ways: Floats, box: Floats, slack: float = SLACK) -> Bools:
    """(n,) whether rays meet a box (6,) grown by `slack`. `ways` (3,) or (n, 3); all in the same coordinates."""
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = (box[:3] - slack - starts) / ways, (box[3:] + slack - starts) / ways
    # 0 / 0: the ray runs in the face of the grown box, which counts as inside
    near = np.where(np.isnan(a), -np.inf, np.minimum(a, b)).max(axis=1)
    far = np.where(np.isnan(b), np.inf, np.maximum(a, b)).min(axis=1)
    return np.asarray(np.maximum(near, 0.0) <= far)


def in_threads(
    work: Callable[[slice, NDArray[np.uint8]], int], parts: list[slice], feedback: Feedback, message: str
) -> int:
    """Sum of `work` over all parts; its second argument turns 1 when it should stop."""
    stop = np.zeros(1, dtype=np.uint8)
    total, workers = 0, thread_count()
    with ThreadPoolExecutor(workers) as pool:
        running: list[Future[int]] = []
        try:
            for number, part in enumerate(parts):
                running.append(pool.submit(work, part, stop))
                if len(running) > 2 * workers:  # a short queue: a stop leaves little to wait for
                    total += running.pop(0).result()
                    feedback.step(number / len(parts), message)
            for left in running:
                total += left.result()
                feedback.step(1.0, message)
        finally:
            stop[0] = 1
    feedback.step(1.0, message)
    return total


def _slices(count: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def can_meet(starts: Floats, normals: Floats, ways: Floats, box: Floats, around: Floats, spread_deg: float) -> Bools:
    """Which points (n, 3) can meet a box (6,) [local m] on a ray that goes about along one of the directions (t, 3).

    Parameters
    ----------
    around : (n,) float [m]
        How far from its point a ray may start.
    spread_deg : float
        How far from its direction a ray may go. Surfaces turned further away than that are left out.

    Returns
    -------
    (n,) bool
        Never false for a point that has such a ray.
    """
    from analysis.kernels import swept_loops

    out = np.zeros(len(starts), dtype=np.bool_)
    spread = float(np.tan(np.radians(spread_deg)))
    swept_loops.can_meet(
        np.ascontiguousarray(starts),
        np.ascontiguousarray(normals),
        np.ascontiguousarray(ways),
        np.ascontiguousarray(box),
        around + SLACK,
        spread,
        -spread,
        out,
    )
    return out


def rays_near(starts: Floats, ways: Floats, lit: Bools, box: Floats) -> tuple[Indices, Indices]:
    """Point and instant of the rays that are lit (n, t) and meet a box (6,); all in the same coordinates."""
    from analysis.kernels import swept_loops

    count = int(np.count_nonzero(lit))
    point, instant = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    found = swept_loops.rays_near(starts, np.ascontiguousarray(ways), lit, box, SLACK, point, instant)
    return point[:found], instant[:found]
