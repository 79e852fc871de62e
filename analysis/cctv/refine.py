"""The last step after a search on a grid: each camera turned, zoomed and shifted freely as long as the plan sees more.

Steps of pan shrink from 5 to 0.5 degrees, of tilt from 2.5 to 0.25, of the field from 8 to 1. What a camera gains is
counted against what all others see. Every camera is tried in turn until none can be bettered; the value of the plan is
counted anew from all targets at the end, so a refined plan is never worse.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.poles import Orientation, Poles
from analysis.cctv.pricing import CameraPricer, Wanted, axes_of, kernel_rows, own_light, seen_densities
from geo.model import Feedback

if TYPE_CHECKING:
    from analysis.cctv.catalogue import CameraModel
    from analysis.kernels.frustum import Rows

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Ints = NDArray[np.int32]
Retrace = Callable[[Floats], Ints]

# Steps of pan, tilt and horizontal field [degrees], largest first.
STEPS = ((5.0, 2.5, 8.0), (2.5, 1.25, 4.0), (1.0, 0.5, 2.0), (0.5, 0.25, 1.0))
# Ten neighbours in steps of pan, tilt and field.
NEIGHBOURS = (
    (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1), (1, 1, 0), (1, -1, 0), (-1, 1, 0), (-1, -1, 0),
)  # fmt: skip
TILT_RANGE = (0.0, 80.0)  # [degrees]
ROUNDS = 4
SHIFTS = (1.0, 0.5, 0.25)  # of the way a camera may be shifted along its wall
LIFTS = (1.0, 0.5)  # [m] up and down a wall or mast
LOST = -(2**62)


class Room(NamedTuple):
    """Where a camera may be shifted: along its wall, and up and down.

    start : (3,) place before; along : (2,) unit vector; slide [m] to either side; lowest, highest : z [local m].
    """

    start: Floats
    along: Floats
    slide: float
    lowest: float
    highest: float


@dataclass(frozen=True, eq=False)
class Aim:
    """One camera of a plan.

    Attributes
    ----------
    model : CameraModel
    position : (3,) float64 [local m]
    way : Orientation
    visible : (k,) int32
        Targets in line of sight from the position, ascending.
    sector : (middle, half) [degrees]
        Pans allowed; half 180 allows all.
    room : Room or None
        None: it stays where it is.
    movable : bool
        Whether it may be turned at all.
    """

    model: CameraModel
    position: Floats
    way: Orientation
    visible: Ints
    sector: tuple[float, float] = (0.0, 180.0)
    room: Room | None = None
    movable: bool = True


class Refined(NamedTuple):
    """The plan after the last step.

    aims : as many as before; before, after : value of the plan; seen : rows each camera sees well enough; tries :
    orientations looked at.
    """

    aims: tuple[Aim, ...]
    before: int
    after: int
    seen: tuple[Ints, ...]
    tries: int


def aims_of(pricer: CameraPricer, site: Sequence[int], candidate: Sequence[int]) -> tuple[Aim, ...]:
    """The cameras of a plan on the grid."""
    out = []
    for s, c in zip(site, candidate, strict=True):
        poles = pricer.poles
        visible = pricer.idx[pricer.ptr[s] : pricer.ptr[s + 1]]
        sector = float(poles.sector_middle[s]), float(poles.sector_half[s])
        out.append(Aim(pricer.model(c), poles.xyz[s], pricer.orientation(c), visible, sector, room_of(poles, s)))
    return tuple(out)


def room_of(poles: Poles, pole: int) -> Room | None:
    """Where a camera on a pole may be shifted; None where it may not."""
    foot = float(poles.xyz[pole, 2] - poles.height[pole])
    room = Room(
        poles.xyz[pole],
        poles.along[pole],
        float(poles.slide[pole]) if poles.along[pole].any() else 0.0,
        foot + float(poles.lowest[pole]),
        foot + float(poles.highest[pole]),
    )
    return room if room.slide > 0.0 or room.highest > room.lowest else None


def refine(
    aims: Sequence[Aim],
    targets: Wanted,
    weight: Whole,
    *,
    retrace: Retrace | None = None,
    rounds: int = ROUNDS,
    feedback: Feedback | None = None,
) -> Refined:
    """Turn, zoom and shift each camera as long as the plan sees more.

    Parameters
    ----------
    weight : (rows,) int64
        Of each row that at least one camera sees; penalties of the targets are taken off for each camera.
    retrace : callable (3,) -> (k,) int32, optional
        Targets in line of sight from another place; without it no camera is shifted.
    """
    feedback = feedback or Feedback()
    search = _Search(aims, targets, np.asarray(weight, dtype=np.int64))
    before = search.value()
    for round_number in range(rounds):
        changed = False
        for number in range(len(aims)):
            feedback.step((round_number + number / max(1, len(aims))) / rounds, "turning the cameras freely")
            changed |= search.better(number, retrace)
        if not changed:
            break
    feedback.step(1.0, "turning the cameras freely")
    after = search.value()
    if after < before:
        raise RuntimeError("a refined plan sees less than before")
    return Refined(tuple(search.aims), before, after, tuple(search.seen), search.tries)


class _Search:
    """A plan being refined: what each camera sees, and how many see each row."""

    def __init__(self, aims: Sequence[Aim], targets: Wanted, weight: Whole) -> None:
        self.targets, self.weight = targets, weight
        self.rows: Rows = kernel_rows(targets)
        self.aims = list(aims)
        self.seen = [self._seen(aim) for aim in aims]
        self.count = np.zeros(targets.rows, dtype=np.int32)
        self.tries = 0
        for seen in self.seen:
            self.count[seen] += 1

    def _seen(self, aim: Aim) -> Ints:
        from analysis.kernels.frustum import rows_seen

        density = seen_densities(aim.model, aim.position, aim.way, aim.visible, self.rows)
        out = np.empty(int(np.diff(self.targets.row_ptr)[aim.visible].sum()), dtype=np.int32)
        return out[: rows_seen(aim.visible, density, self.rows, out)].copy()

    def value(self) -> int:
        """Weight of all rows that are seen, less all penalties; counted from the start."""
        count = np.zeros(self.targets.rows, dtype=np.int32)
        for aim in self.aims:
            count[self._seen(aim)] += 1
        return int(self.weight[count > 0].sum() - (self.targets.penalty * count).sum())

    def better(self, number: int, retrace: Retrace | None) -> bool:
        """Better one camera against the others; whether it was."""
        aim = self.aims[number]
        if not aim.movable:
            return False
        self.count[self.seen[number]] -= 1
        worth = np.where(self.count == 0, self.weight, 0) - self.targets.penalty
        start = self._gain(aim, worth)
        best, gain = self._turned(aim, worth, start)
        if retrace is not None and aim.room is not None:
            best, gain = self._shifted(best, worth, gain, retrace)
        changed = gain > start
        if changed:
            self.aims[number], self.seen[number] = best, self._seen(best)
        self.count[self.seen[number]] += 1
        return changed

    def _gain(self, aim: Aim, worth: Whole) -> int:
        return int(self._gains(aim, [aim.way], worth)[0])

    def _gains(self, aim: Aim, ways: Sequence[Orientation], worth: Whole) -> Whole:
        """(k,) what a camera adds when it looks in each of some ways."""
        from analysis.kernels.frustum_views import gains_of

        self.tries += len(ways)
        model, out = aim.model, np.zeros(len(ways), dtype=np.int64)
        focal_px = np.array([model.focal_px(way.focal_mm) for way in ways])
        shapes = np.column_stack([model.pixels_wide / (2.0 * focal_px), model.pixels_high / (2.0 * focal_px), focal_px])
        axes = np.stack([axes_of(model, way) for way in ways])
        position = np.array(aim.position, dtype=np.float64)
        limits = float(model.reach_m), own_light(model)
        is_round = model.kind == "fisheye"
        gains_of(position, axes, shapes, is_round, limits, aim.visible, self.rows, worth, LOST, out)
        return out

    def _turned(self, aim: Aim, worth: Whole, gain: int) -> tuple[Aim, int]:
        """Descent over pan, tilt and field."""
        for steps in STEPS:
            while True:
                ways = [_neighbour(aim, steps, move) for move in NEIGHBOURS]
                tried = [way for way in ways if way is not None and way != aim.way]
                gains = self._gains(aim, tried, worth) if tried else np.zeros(0, dtype=np.int64)
                if not len(gains) or gains.max() <= gain:
                    break
                gain = int(gains.max())
                aim = replace(aim, way=tried[int(np.argmax(gains))])
        return aim, gain

    def _shifted(self, aim: Aim, worth: Whole, gain: int, retrace: Retrace) -> tuple[Aim, int]:
        """Along the wall and up and down, each place traced and the camera turned there."""
        for shift, lift in [*((s, 0.0) for s in SHIFTS), *((0.0, h) for h in LIFTS)]:
            for sign in (1.0, -1.0):
                place = _moved(aim, sign * shift, sign * lift)
                if place is None:
                    continue
                there = replace(aim, position=place, visible=np.asarray(retrace(place), dtype=np.int32))
                found, better = self._turned(there, worth, self._gain(there, worth))
                if better > gain:
                    aim, gain = found, better
        return aim, gain


def _neighbour(aim: Aim, steps: tuple[float, float, float], move: tuple[int, int, int]) -> Orientation | None:
    """The camera a step further; None where its lens, joint or wall ends."""
    way, model = aim.way, aim.model
    pan, tilt = (way.pan + move[0] * steps[0]) % 360.0, way.tilt + move[1] * steps[1]
    focal = way.focal_mm
    if move[2]:
        field = 2.0 * math.degrees(math.atan(model.sensor_width_mm / (2.0 * focal))) + move[2] * steps[2]
        if not 0.1 < field < 179.0:
            return None
        focal = model.sensor_width_mm / (2.0 * math.tan(math.radians(field) / 2.0))
        focal = min(max(focal, model.focal_min_mm), model.focal_max_mm)
    if model.kind == "fisheye" or (move[1] and not TILT_RANGE[0] <= tilt <= TILT_RANGE[1]):
        return None
    middle, half = aim.sector
    heads = [abs((pan + head - middle + 180.0) % 360.0 - 180.0) for head in model.heads or (0.0,)]
    if move[0] and max(heads) > half + 1e-9:
        return None
    return way._replace(pan=pan, tilt=tilt, focal_mm=focal)


def _moved(aim: Aim, shift: float, lift: float) -> Floats | None:
    """A place shifted along the wall by a share of its room and lifted [m]; None where there is no room."""
    room = aim.room
    if room is None or (shift and room.slide <= 0.0):
        return None
    place = np.array(aim.position, dtype=np.float64)
    place[:2] = room.start[:2] + (room.along * shift * room.slide if shift else place[:2] - room.start[:2])
    place[2] = min(max(place[2] + lift, room.lowest), room.highest)
    return None if np.array_equal(place, aim.position) else place
