"""Exposure to sunlight as EN 17037 has it: the sun on a point at the inner face of the wall, through the opening.

The point lies in the middle of the window, at least 1.2 m above the floor and 0.3 m above the sill. The sun reaches it
where the ray leaves through the opening in the outer face and meets nothing beyond. The day is cut at marks; where the
state changes between two of them the edge is found by bisection.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels import sun
from analysis.kernels.rays import SURFACE_OFFSET, Occluder
from analysis.sunlight_rights.windows import Windows
from geo.model import Feedback, Frame, UserError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

EDGE_TOLERANCE = 2.0  # [s]
GRAZING = 1e-9  # n . s of a sun in the plane of the window
MOST_RAYS = 1_000_000  # traced at a time: some 0.2 s
BLOCK = 4096  # windows at a time


class SunMarks(NamedTuple):
    """Hours since the first mark (t,) [h] and directions towards the sun (t, 3), evenly from its rise to its fall."""

    hour: Floats
    towards: Floats


class Openings(NamedTuple):
    """Windows as holes in a wall.

    Attributes
    ----------
    windows : Windows
        Their centres lie on the outer face.
    lift : (n,) float [m]
        Height of the reference point above the centre of the window.
    depth : float [m]
        From the outer to the inner face of the wall.
    """

    windows: Windows
    lift: Floats
    depth: float

    def kept(self, keep: slice) -> Openings:
        """Some of them."""
        return Openings(self.windows.kept(keep), self.lift[keep], self.depth)


def marks_of(frame: Frame, day: date, *, minimum_elevation: float, step: float, offset: float) -> SunMarks:
    """Marks every `step` [min] at most while the sun stands above `minimum_elevation` [degrees]."""
    place = (frame.longitude, frame.latitude)
    noon = sun.sun_day(day, *place, utc_offset_h=offset).noon
    top = sun.sun_position([noon], *place).apparent_elevation[0]
    if top <= minimum_elevation:
        raise UserError(
            f"The sun is not up on {day} in the hours chosen.",
            "It stays below the horizon or below the lowest elevation asked for.",
            "Choose other hours, another day or a lower limit.",
            code="sunlight.no_sun",
            values={"day": str(day)},
        )
    rise, fall = sun.sun_above(minimum_elevation, noon, *place)
    half = np.timedelta64(12 * 3_600_000, "ms")
    first, last = (rise if rise is not None else noon - half), (fall if fall is not None else noon + half)
    length = sun.hours_between(first, last)
    hour = np.linspace(0.0, length, int(np.ceil(length * 60.0 / step - 1e-9)) + 1)
    times = first + np.rint(hour * sun.MS_PER_HOUR).astype("timedelta64[ms]")
    position = sun.sun_position(times, *place)
    return SunMarks(hour, sun.sun_vectors(frame.grid_azimuth(position.azimuth), position.apparent_elevation))


def openings_of(windows: Windows, *, sill: float, depth: float, above_floor: float, above_sill: float) -> Openings:
    """Reference points of windows; the floor of made ones lies `sill` [m] below them, that of others is not known."""
    foot = -windows.half_height
    floor = np.where(windows.origin == "made", foot - sill, -np.inf)
    lift = np.maximum(foot + above_sill, floor + above_floor)
    return Openings(windows, np.minimum(lift, windows.half_height), depth)


def exposure(occluder: Occluder, openings: Openings, marks: SunMarks, feedback: Feedback) -> Floats:
    """(n,) hours of sun at the reference points."""
    count = len(openings.lift)
    out = np.zeros(count)
    for low in range(0, count, BLOCK):
        some = slice(low, min(low + BLOCK, count))
        share = feedback.part(low / count, some.stop / count)
        out[some] = _block(occluder, openings.kept(some), marks, share)
    feedback.step(1.0, "tracing the sun")
    return out


def _block(occluder: Occluder, openings: Openings, marks: SunMarks, feedback: Feedback) -> Floats:
    count, instants = len(openings.lift), len(marks.hour)
    lit = np.zeros((count, instants), dtype=bool)
    size = max(1, MOST_RAYS // count)
    for low in range(0, instants, size):
        feedback.step(low / instants, "tracing the sun")
        mark = np.arange(low, min(low + size, instants))
        window = np.tile(np.arange(count), len(mark))
        ways = np.repeat(marks.towards[mark], count, axis=0)
        lit[:, mark] = _lit(occluder, openings, window, ways).reshape(len(mark), count).T
    edge = np.empty((count, instants + 1))
    edge[:, 0], edge[:, -1] = marks.hour[0], marks.hour[-1]
    edge[:, 1:-1] = (marks.hour[1:] + marks.hour[:-1]) / 2
    window, mark = np.nonzero(lit[:, 1:] != lit[:, :-1])
    if len(window):
        share = _edges(occluder, openings, marks, window, mark, lit[window, mark])
        edge[window, mark + 1] = marks.hour[mark] + share * (marks.hour[mark + 1] - marks.hour[mark])
    return np.asarray((np.diff(edge, axis=1) * lit).sum(axis=1))


def _lit(occluder: Occluder, openings: Openings, window: Indices, ways: Floats) -> Bools:
    """(k,) whether the sun in a direction reaches the point of a window."""
    panes = openings.windows
    normal = panes.normal[window]
    along = np.column_stack([-normal[:, 1], normal[:, 0], np.zeros(len(window))])
    outward = (normal * ways).sum(axis=1)
    front = (outward > GRAZING) & (ways[:, 2] > 0.0)
    reach = openings.depth / np.where(front, outward, 1.0)
    aside, height = reach * (along * ways).sum(axis=1), openings.lift[window] + reach * ways[:, 2]
    half_width, half_height = panes.half_width[window], panes.half_height[window]
    ask = np.flatnonzero(front & (np.abs(aside) <= half_width) & (np.abs(height) <= half_height))
    starts = panes.centre[window[ask]] + aside[ask, None] * along[ask] + SURFACE_OFFSET * normal[ask]
    starts[:, 2] += height[ask]
    out = np.zeros(len(window), dtype=bool)
    out[ask] = ~occluder.occluded(starts, ways[ask])
    return out


def _edges(
    occluder: Occluder, openings: Openings, marks: SunMarks, window: Indices, mark: Indices, before: Bools
) -> Floats:
    """(k,) share of the way from a mark to the next at which the state `before` ends."""
    low, high = np.zeros(len(mark)), np.ones(len(mark))
    seconds = float(marks.hour[1] - marks.hour[0]) * 3600.0
    for _ in range(max(1, int(np.ceil(np.log2(seconds / EDGE_TOLERANCE))))):
        middle = (low + high) / 2
        ways = marks.towards[mark] * (1 - middle)[:, None] + marks.towards[mark + 1] * middle[:, None]
        ways /= np.linalg.norm(ways, axis=1)[:, None]
        same = _lit(occluder, openings, window, ways) == before
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return np.asarray((low + high) / 2)
