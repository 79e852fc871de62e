"""Where a camera may hang, and how it may look from there.

A pole is one place of a lens; a candidate is a pole together with one of the orientations, and is never written out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.model import Issue
from geo.model.conventions import MOUNTS

if TYPE_CHECKING:
    from analysis.cctv.catalogue import CameraModel

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Numbers = NDArray[np.int32]

POLE_KINDS = ("road", "crossing", "facade", "ceiling", "given")
PAN_STEP = 10.0  # [degrees] of the fine grid
TILTS = tuple(float(tilt) for tilt in range(5, 50, 5))  # [degrees] downward
FOCAL_STEPS = 6
DOWN = 90.0  # [degrees] tilt of a device that looks all around
ROUND_CAMERA = "fisheye"


@dataclass(frozen=True, eq=False)
class Poles:
    """Places where a camera may be fixed.

    Attributes
    ----------
    xyz : (n, 3) float64 [local m]
        Of the lens.
    kind : (n,) int8
        Index into `POLE_KINDS`.
    height : (n,) float64 [m]
        Of the lens above the ground or the floor below it.
    mount : (n,) int8
        Index into ``conventions.MOUNTS``.
    sector_middle, sector_half : (n,) float64 [degrees]
        Pans allowed: clockwise from grid north, at most this far to either side of the middle; 180 allows all.
    cost : (n,) float64 [KRW]
        Of putting up the place itself, without the camera.
    along : (n, 2) float64
        Unit vector along the wall the camera may be shifted on; zero for a mast.
    slide : (n,) float64 [m]
        How far it may be shifted to either side along it.
    lowest, highest : (n,) float64 [m]
        Between which heights above the ground or floor it may hang.
    name : (n,) object
        Id of the element or layer it came from.
    """

    xyz: Floats
    kind: NDArray[np.int8]
    height: Floats
    mount: NDArray[np.int8]
    sector_middle: Floats
    sector_half: Floats
    cost: Floats
    along: Floats
    slide: Floats
    lowest: Floats
    highest: Floats
    name: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.xyz)

    def kept(self, keep: Bools | NDArray[np.int64]) -> Poles:
        """Those of a mask or of row numbers."""
        return replace(self, **{part.name: getattr(self, part.name)[keep] for part in fields(self)})

    def allows(self, pans: Floats) -> Bools:
        """(n, pans) whether each pole may look each way; `pans` in degrees from grid north."""
        turn = np.abs((pans[None, :] - self.sector_middle[:, None] + 180.0) % 360.0 - 180.0)
        return np.asarray(turn <= self.sector_half[:, None] + 1e-9)


def make_poles(
    xyz: Floats,
    kind: str,
    *,
    height: Floats | float,
    mount: str,
    sector: tuple[Floats, Floats] | None = None,
    cost: Floats | float = 0.0,
    along: Floats | None = None,
    slide: Floats | float = 0.0,
    rise: tuple[float, float] | None = None,
    name: str | NDArray[np.object_] = "",
) -> Poles:
    """Poles of one kind. `rise`: lowest and highest place [m] above the ground; without it they keep their height."""
    count = len(xyz)

    def column(value: Floats | float) -> Floats:
        return np.ascontiguousarray(np.broadcast_to(np.asarray(value, dtype=np.float64), (count,)))

    heights = column(height)
    middle, half = sector if sector is not None else (0.0, 180.0)
    low, high = rise if rise is not None else (np.inf, -np.inf)
    names = np.empty(count, dtype=object)
    names[:] = name
    return Poles(
        np.ascontiguousarray(xyz, dtype=np.float64).reshape(-1, 3),
        np.full(count, POLE_KINDS.index(kind), dtype=np.int8),
        heights,
        np.full(count, MOUNTS.index(mount), dtype=np.int8),
        column(middle) % 360.0,
        column(half),
        column(cost),
        np.zeros((count, 2)) if along is None else np.ascontiguousarray(along, dtype=np.float64),
        column(slide),
        np.minimum(heights, low),
        np.maximum(heights, high),
        names,
    )


def no_poles() -> Poles:
    """None at all."""
    return make_poles(np.zeros((0, 3)), "given", height=0.0, mount="pole")


def join_poles(parts: Sequence[Poles]) -> Poles:
    """All of them, in order."""
    parts = [part for part in parts if len(part)] or [no_poles()]
    return Poles(**{each.name: np.concatenate([getattr(p, each.name) for p in parts]) for each in fields(Poles)})


def thinned(poles: Poles, distance: float) -> Poles:
    """Without those nearer than `distance` [m] to one before them in the list."""
    from scipy.spatial import cKDTree

    if len(poles) < 2 or distance <= 0.0:
        return poles
    keep = np.ones(len(poles), dtype=bool)
    pairs = cKDTree(poles.xyz).query_pairs(distance, output_type="ndarray")
    for first, second in pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))].tolist():
        if keep[first]:
            keep[second] = False
    return poles.kept(keep)


def without(poles: Poles, dropped: Bools, issue: Issue) -> tuple[Poles, tuple[Issue, ...]]:
    """The poles that are not dropped, and the issue with their number if there are any."""
    count = int(dropped.sum())
    if count == 0:
        return poles, ()
    said = replace(issue, count=count, message=f"{count} {issue.message}", values={**issue.values, "count": count})
    return poles.kept(~dropped), (said,)


def drop_blocked(poles: Poles, blocked: Bools) -> tuple[Poles, tuple[Issue, ...]]:
    """Without the poles that stand inside a body, under the ground or against a wall."""
    message = "places for cameras lie inside a body, under the ground or within 5 cm of a wall; they are left out."
    return without(poles, blocked, Issue("cctv.candidates.blocked", message, "note"))


class Orientation(NamedTuple):
    """One way of looking: angles in degrees, focal length [mm]."""

    model: str
    pan: float
    tilt: float
    roll: float
    focal_mm: float


@dataclass(frozen=True, eq=False)
class Orientations:
    """A grid of ways one camera model may look; number = (pan * tilts + tilt) * focals + focal.

    Attributes
    ----------
    model : CameraModel
    pans, tilts : (p,), (t,) float64 [degrees]
        Clockwise from grid north; downward from level.
    focals : (k,) float64 [mm]
        Ascending: the widest picture first.
    """

    model: CameraModel
    pans: Floats
    tilts: Floats
    focals: Floats

    def __len__(self) -> int:
        return len(self.pans) * len(self.tilts) * len(self.focals)

    def __iter__(self) -> Iterator[Orientation]:
        return (self.at(number) for number in range(len(self)))

    @property
    def all_round(self) -> bool:
        """Whether the picture is a circle (fisheye)."""
        return self.model.kind == ROUND_CAMERA

    def parts(self, number: NDArray[np.integer]) -> tuple[Numbers, Numbers, Numbers]:
        """Index of pan, tilt and focal length of candidates."""
        rest, focal = np.divmod(np.asarray(number, dtype=np.int64), len(self.focals))
        pan, tilt = np.divmod(rest, len(self.tilts))
        return pan.astype(np.int32), tilt.astype(np.int32), focal.astype(np.int32)

    def at(self, number: int) -> Orientation:
        """One of them."""
        pan, tilt, focal = self.parts(np.array([number]))
        angles = float(self.pans[pan[0]]), float(self.tilts[tilt[0]])
        return Orientation(self.model.id, *angles, 0.0, float(self.focals[focal[0]]))

    def coarse(self, *, pans: int = 12, tilts: Sequence[float] = (15.0,), focals: int = 2) -> Numbers:
        """Numbers of a coarse set that lies on this grid: every so manieth pan and zoom, the tilts nearest to some."""
        pan = _spread(len(self.pans), pans, closed=False)
        tilt = np.unique([int(np.argmin(np.abs(self.tilts - wanted))) for wanted in tilts])
        focal = _spread(len(self.focals), focals, closed=True)
        numbers = (pan[:, None, None] * len(self.tilts) + tilt[None, :, None]) * len(self.focals) + focal
        return np.asarray(numbers.ravel(), dtype=np.int32)


def _spread(count: int, wanted: int, *, closed: bool) -> NDArray[np.int64]:
    """About `wanted` of the numbers 0 .. count - 1, even; `closed`: first and last among them."""
    wanted = max(1, min(wanted, count))
    if closed:
        return np.unique(np.rint(np.linspace(0, count - 1, wanted)).astype(np.int64))
    return np.unique(np.arange(wanted) * count // wanted)


def fine_grid(
    model: CameraModel,
    *,
    pan_step: float = PAN_STEP,
    tilts: Sequence[float] = TILTS,
    focal_steps: int = FOCAL_STEPS,
) -> Orientations:
    """The fine grid of a model: 1,944 ways for a zoom lens; one of a fixed lens; one in all for a round picture.

    Focal lengths are spaced evenly by ratio: each step magnifies as much as the one before.
    """
    if model.kind == ROUND_CAMERA:
        return Orientations(model, np.zeros(1), np.array([DOWN]), np.array([model.focal_min_mm]))
    count = round(360.0 / pan_step)
    is_zoom = model.focal_max_mm > model.focal_min_mm * (1.0 + 1e-6) and focal_steps > 1
    focals = (
        np.geomspace(model.focal_min_mm, model.focal_max_mm, focal_steps) if is_zoom else np.array([model.focal_min_mm])
    )
    pans = np.arange(count, dtype=np.float64) * (360.0 / count)
    return Orientations(model, pans, np.asarray(tilts, dtype=np.float64), np.asarray(focals, dtype=np.float64))
