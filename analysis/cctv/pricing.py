"""The best ways to look from every pole at given prices of what is seen, over grids that are never written out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.optics import axes, view_at
from analysis.cctv.poles import Orientation, Orientations, Poles
from analysis.siting.matrix import Columns
from analysis.siting.pricing import Priced
from analysis.threads import thread_count
from geo.model import Feedback

if TYPE_CHECKING:
    from analysis.cctv.catalogue import CameraModel
    from analysis.kernels.frustum import Lens, Rows

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]

BLOCK_POLES = 16  # priced at a time: some 20 ms
BLOCK_COLUMNS = 256  # written out at a time
EXACT_BITS = 52  # sums of prices stay below 2^52: whole numbers that are exact as float64 too
MOST_BITS = 40
NONE, MOST = -(2**62), 2**60


class Visible(NamedTuple):
    """What can be seen from each pole: targets ``idx[ptr[p]:ptr[p + 1]]``, ascending."""

    ptr: Whole
    idx: Ints


class Wanted(NamedTuple):
    """Targets and what is asked of them; a row is one target at one class.

    Attributes
    ----------
    xyz, normal : (n, 3) float64
        Normal: not-a-number for a person.
    row_ptr : (n + 1,) int64
        Rows of each target.
    need : (rows,) float64 [px/m]
    least_cosine : (n,) float64
        Of the angle between the normal and the line of sight; 0: any.
    dark : (n,) bool
        Seen only as far as the camera's own light reaches.
    penalty : (rows,) int64
        What seeing it that well costs (private places); 0 for what should be seen.
    forbidden : (rows,) bool
        Orientations that see it that well are no candidates.
    """

    xyz: Floats
    normal: Floats
    row_ptr: Whole
    need: Floats
    least_cosine: Floats
    dark: Bools
    penalty: Whole
    forbidden: Bools

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.need)


def wanted(
    xyz: Floats,
    need: Floats | float,
    *,
    normal: Floats | None = None,
    least_cosine: Floats | float = 0.0,
    dark: Bools | bool = False,
    penalty: Whole | int = 0,
    forbidden: Bools | bool = False,
) -> Wanted:
    """Targets asked for at one density each, or at several: `need` (n,) or (n, classes) [px/m]."""
    points = np.ascontiguousarray(xyz, dtype=np.float64).reshape(-1, 3)
    count = len(points)
    needs = np.asarray(need, dtype=np.float64)
    needs = np.broadcast_to(
        needs[:, None] if needs.ndim == 1 else needs, (count, needs.shape[1] if needs.ndim == 2 else 1)
    )
    each = needs.shape[1]
    way = np.full((count, 3), np.nan) if normal is None else np.ascontiguousarray(normal, dtype=np.float64)
    return Wanted(
        points,
        way,
        np.arange(count + 1, dtype=np.int64) * each,
        np.ascontiguousarray(needs).ravel(),
        np.ascontiguousarray(np.broadcast_to(np.asarray(least_cosine, dtype=np.float64), (count,))),
        np.ascontiguousarray(np.broadcast_to(np.asarray(dark, dtype=np.bool_), (count,))),
        np.ascontiguousarray(np.broadcast_to(np.asarray(penalty, dtype=np.int64), (count * each,))),
        np.ascontiguousarray(np.broadcast_to(np.asarray(forbidden, dtype=np.bool_), (count * each,))),
    )


def kernel_rows(targets: Wanted) -> Rows:
    """As the kernels take them."""
    from analysis.kernels.frustum import Rows

    return Rows(
        np.array(targets.xyz),
        np.array(targets.normal),
        np.array(targets.row_ptr),
        np.array(targets.need),
        np.array(targets.least_cosine),
        np.array(targets.dark),
        np.array(targets.forbidden),
    )


def own_light(model: CameraModel) -> float:
    """How far [m] a camera lights its own picture."""
    return float(model.ir_range_m)


def lens_of(grid: Orientations) -> Lens:
    """A grid of orientations as the kernels take it."""
    from analysis.kernels.frustum import Lens

    model = grid.model
    heads = model.heads or (0.0,)
    count = (len(heads), len(grid.pans), len(grid.tilts), 3)
    right, forward, up = (np.zeros(count) for _ in range(3))
    for h in range(len(heads)):
        for p, pan in enumerate(grid.pans.tolist()):
            for t, tilt in enumerate(grid.tilts.tolist()):
                three = axes_of(model, Orientation(model.id, pan, tilt, 0.0, float(grid.focals[0])))[h]
                right[h, p, t], forward[h, p, t], up[h, p, t] = three
    focal_px = np.array([model.focal_px(float(focal)) for focal in grid.focals])
    return Lens(
        np.ascontiguousarray(right[:, :, 0]),
        forward,
        up,
        model.pixels_wide / (2.0 * focal_px),
        model.pixels_high / (2.0 * focal_px),
        focal_px,
        float(model.reach_m),
        own_light(model),
        grid.all_round,
    )


def axes_of(model: CameraModel, way: Orientation) -> Floats:
    """(heads, 3, 3) right, forward and up of every head."""
    focal_px = model.focal_px(way.focal_mm)
    out = []
    for head in model.heads or (0.0,):
        view = view_at(
            np.zeros(3), way.pan + head, way.tilt, way.roll, focal_px=focal_px,
            pixels=(model.pixels_wide, model.pixels_high),
        )  # fmt: skip
        forward, right, up = axes(view)
        out.append([right, forward, up])
    return np.array(out)


def seen_densities(
    model: CameraModel, position: Floats, way: Orientation, targets: Ints, rows: Rows, *, axes: Floats | None = None
) -> Floats:
    """Density [px/m] of one camera at each of the targets visible from its place; 0 where it does not see them."""
    from analysis.kernels.frustum_views import densities

    focal_px = model.focal_px(way.focal_mm)
    shape = (
        model.pixels_wide / (2.0 * focal_px),
        model.pixels_high / (2.0 * focal_px),
        focal_px,
        model.kind == "fisheye",
    )
    out = np.zeros(len(targets))
    three = axes_of(model, way) if axes is None else axes
    limits = float(model.reach_m), own_light(model)
    densities(np.asarray(position, dtype=np.float64), three, shape, limits, targets, rows, out)
    return out


class CameraPricer:
    """Cameras on poles as candidates of the siting engine: sites are poles, candidates their orientations.

    Candidates of several grids (models) are numbered through. What this answers does not depend on the number of
    threads. Prices are rounded up to whole parts of a power of two, so that values are never too small.

    Parameters
    ----------
    poles : Poles
    visible : Visible
        By occlusion only; whatever has `ptr` and `idx` by pole.
    targets : Wanted
    grids : sequence of Orientations
    threads : int, optional
    feedback : Feedback, optional
        Asked whether to stop between blocks.
    """

    def __init__(
        self,
        poles: Poles,
        visible: Visible,
        targets: Wanted,
        grids: Sequence[Orientations],
        *,
        threads: int | None = None,
        feedback: Feedback | None = None,
    ) -> None:
        self.poles, self.targets, self.grids = poles, targets, tuple(grids)
        self.ptr = np.array(visible.ptr, dtype=np.int64)
        self.idx = np.array(visible.idx, dtype=np.int32)
        if len(self.ptr) != len(poles) + 1:
            raise ValueError("the visible targets must have one list for each pole")
        self.rows = kernel_rows(targets)
        self.lenses = [lens_of(grid) for grid in self.grids]
        self.allowed = [_allowed(poles, grid) for grid in self.grids]
        self.start = np.cumsum([0, *(len(grid) for grid in self.grids)])
        self._threads = threads or thread_count()
        self._feedback = feedback or Feedback()
        self._xyz = np.array(poles.xyz)

    @property
    def sites(self) -> int:
        """How many poles there are."""
        return len(self.poles)

    @property
    def candidates(self) -> int:
        """How many ways of looking every pole has."""
        return int(self.start[-1])

    def cost(self, site: NDArray[np.integer], candidate: NDArray[np.integer]) -> Floats:
        """(m,) of cameras with their places [KRW]."""
        grid = np.searchsorted(self.start, np.asarray(candidate), side="right") - 1
        models = np.array([each.model.cost for each in self.grids])
        return np.asarray(self.poles.cost[np.asarray(site)] + models[grid], dtype=np.float64)

    def orientation(self, candidate: int) -> Orientation:
        """How a candidate looks."""
        grid = int(np.searchsorted(self.start, candidate, side="right")) - 1
        return self.grids[grid].at(int(candidate) - int(self.start[grid]))

    def model(self, candidate: int) -> CameraModel:
        """Which camera a candidate is."""
        return self.grids[int(np.searchsorted(self.start, candidate, side="right")) - 1].model

    def coarse(self, *, pans: int = 12, tilts: Sequence[float] = (15.0,), focals: int = 2) -> tuple[Ints, Whole]:
        """Poles and candidates of a coarse set that lies on the fine grid, pole by pole; sectors are kept."""
        parts = [grid.coarse(pans=pans, tilts=tilts, focals=focals) for grid in self.grids]
        sites, numbers = [], []
        for grid, part, start, allowed in zip(self.grids, parts, self.start, self.allowed, strict=False):
            site, place = np.nonzero(allowed[:, grid.parts(part)[0]])
            sites.append(site)
            numbers.append(part[place].astype(np.int64) + start)
        site, number = np.concatenate(sites), np.concatenate(numbers)
        order = np.lexsort((number, site))
        return site[order].astype(np.int32), number[order]

    def price(self, prices: Floats, *, per_site: int, least: float, money: float = 0.0) -> Priced:
        """The `per_site` best candidates of every pole at the prices (rows,) of what they see, less what they cost.

        See `analysis.siting.pricing.Pricer`.
        """
        from analysis.kernels.frustum import price_poles

        scale = self._scale(prices)
        whole = np.ceil(np.maximum(prices, 0.0) * scale).astype(np.int64) - self.targets.penalty * int(scale)
        shape = (self.sites, per_site)
        value, number = np.full(shape, NONE, dtype=np.int64), np.full(shape, -1, dtype=np.int64)
        floor = math.floor(min(max(least * scale, float(NONE)), float(MOST)))
        charges = [
            np.floor(np.minimum(money * (self.poles.cost + grid.model.cost) * scale, MOST)).astype(np.int64)
            for grid in self.grids
        ]

        def work(first: int) -> None:
            last = min(first + BLOCK_POLES, self.sites)
            for k, lens in enumerate(self.lenses):
                price_poles(
                    first, last, self._xyz, self.allowed[k], self.ptr, self.idx, self.rows, lens, whole, floor,
                    charges[k], int(self.start[k]), value, number,
                )  # fmt: skip

        self._in_blocks(work, range(0, self.sites, BLOCK_POLES))
        return Priced(np.where(value > NONE // 2, value / scale, -np.inf), number)

    def _scale(self, prices: Floats) -> float:
        total = float(np.maximum(prices, 0.0).sum()) + float(self.targets.penalty.sum()) + 1.0
        return float(2 ** max(0, min(MOST_BITS, EXACT_BITS - math.ceil(math.log2(total)))))

    def _in_blocks(self, work: Callable[[int], None], starts: range) -> None:
        with ThreadPoolExecutor(self._threads) as pool:
            futures = [pool.submit(work, first) for first in starts]
            try:
                for future in futures:
                    future.result()
                    if self._feedback.cancelled:
                        self._feedback.step(0.0)
            finally:
                for future in futures:
                    future.cancel()

    def columns(self, site: Ints, candidate: Whole) -> Columns:
        """Candidates written out: the rows each sees well enough, its cost and its penalty."""
        sites, numbers = np.asarray(site, dtype=np.int32), np.asarray(candidate, dtype=np.int64)
        ptr, idx = self._written_out(sites, numbers)
        sums = np.concatenate([[0], np.cumsum(self.targets.penalty[idx])])
        penalty = -(sums[ptr[1:]] - sums[ptr[:-1]])
        useful = self.targets.penalty[idx] == 0
        if not useful.all():
            kept = np.concatenate([[0], np.cumsum(useful)])
            ptr, idx = kept[ptr].astype(np.int64), idx[useful]
        return Columns(ptr, idx, sites, self.cost(sites, numbers), penalty.astype(np.int64), self.targets.rows)

    def _written_out(self, site: Ints, candidate: Whole) -> tuple[Whole, Ints]:
        """The rows that each candidate sees well enough, one after the other."""
        from analysis.kernels.frustum_views import candidate_rows

        count = len(site)
        ptr = np.zeros(count + 1, dtype=np.int64)
        idx = np.zeros(0, dtype=np.int32)
        grid = np.searchsorted(self.start, candidate, side="right") - 1
        for passes in range(2):  # count, then write
            if passes:
                np.cumsum(ptr, out=ptr)
                idx = np.empty(int(ptr[-1]), dtype=np.int32)
                if len(idx) == 0:
                    break
            for k, lens in enumerate(self.lenses):
                mine = np.flatnonzero(grid == k)
                part = np.column_stack(self.grids[k].parts(candidate[mine] - self.start[k])).astype(np.int32)
                self._write(lens, mine, site[mine], part, ptr, idx, candidate_rows)
        return ptr, idx

    def _write(
        self, lens: Lens, mine: Whole, site: Ints, part: Ints, ptr: Whole, idx: Ints, kernel: Callable[..., None]
    ) -> None:
        """Count (with an empty `idx`) or write the rows of the candidates of one grid."""
        starts = ptr[np.concatenate([mine, [0]])] if len(idx) else np.zeros(len(mine) + 1, dtype=np.int64)

        def work(first: int) -> None:
            last = min(first + BLOCK_COLUMNS, len(mine))
            kernel(first, last, site, part, self._xyz, self.ptr, self.idx, self.rows, lens, starts, idx)

        self._in_blocks(work, range(0, len(mine), BLOCK_COLUMNS))
        if len(idx) == 0:
            ptr[mine + 1] = starts[1:]

    def seen(self, site: int, candidate: int) -> Ints:
        """Rows that one candidate sees well enough, ascending."""
        return self.seen_from(site, self.model(candidate), self.orientation(candidate))

    def seen_from(self, site: int, model: CameraModel, way: Orientation) -> Ints:
        """Rows that any camera on a pole sees well enough, ascending."""
        from analysis.kernels.frustum import rows_seen

        targets = self.idx[self.ptr[site] : self.ptr[site + 1]]
        density = seen_densities(model, self._xyz[site], way, targets, self.rows)
        sizes = np.diff(self.targets.row_ptr)[targets]
        out = np.empty(int(sizes.sum()), dtype=np.int32)
        return out[: rows_seen(targets, density, self.rows, out)].copy()


def _allowed(poles: Poles, grid: Orientations) -> Bools:
    """(poles, pans) whether every head may look there. A device that looks straight down may hang anywhere."""
    if grid.all_round:
        return np.ones((len(poles), len(grid.pans)), dtype=np.bool_)
    heads = [poles.allows(grid.pans + head) for head in grid.model.heads or (0.0,)]
    return np.ascontiguousarray(np.logical_and.reduce(heads))
