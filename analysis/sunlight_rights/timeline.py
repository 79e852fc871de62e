"""When each window has sun: states at the marks of a clock, edges refined between them, total and longest run.

A day is cut at marks (every minute). Each mark stands for the time up to halfway to its neighbours, or up to the edge
of the sun where its neighbour is in the other state; the edge is found by bisection. So the pieces of the marks cover
the day exactly, and whatever is said of sun and shade adds up to it.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from analysis.kernels import sun
from analysis.kernels.rays import Occluder
from analysis.sunlight_rights.rules import Limit, Rules
from geo.model import Feedback, Frame

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

EDGE_TOLERANCE = 2.0  # [s]
GRAZING = 1e-9  # n . s of a sun in the plane of the window
MOST_RAYS = 1_000_000  # traced at a time: some 0.2 s


class Clock(NamedTuple):
    """The marks of the day.

    Attributes
    ----------
    hour : (t,) float [h]
        Hour of the day in the chosen time basis.
    times : (t,) datetime64[ms], UTC
    towards : (t, 3) float
        Unit vectors towards the sun in the scene's axes (grid north); refraction included.
    """

    hour: Floats
    times: NDArray[np.datetime64]
    towards: Floats

    def turned(self, degrees: float) -> Clock:
        """The same day with the sun moved clockwise by some degrees, as if north lay that much further."""
        angle = np.radians(degrees)
        x, y = self.towards[:, 0], self.towards[:, 1]
        east = x * np.cos(angle) + y * np.sin(angle)
        north = y * np.cos(angle) - x * np.sin(angle)
        return self._replace(towards=np.column_stack([east, north, self.towards[:, 2]]))


class Spell(NamedTuple):
    """Per window: hours of sun and the longest unbroken run (n,) [h]; start and end of that run (n,) [h of the day]."""

    total: Floats
    longest: Floats
    start: Floats
    stop: Floats

    def passes(self, rules: Rules, *, extra: float = 0.0) -> Bools:
        """(n,) whether either limit is reached when `extra` hours are added to both."""
        # a millisecond forgives the rounding of the sums
        slack = extra + 1e-3 / 3600
        return np.asarray((self.total + slack >= rules.total.hours) | (self.longest + slack >= rules.continuous.hours))


class Light(NamedTuple):
    """State of windows at the marks, and the edges of the pieces that the marks stand for.

    Attributes
    ----------
    lit, front : (n, t) bool
        In the sun; with the sun up and in front of the window (in the sun, or blocked by something).
    edge : (n, t + 1) float [h]
        Piece k lies between edge k and edge k + 1.
    """

    lit: Bools
    front: Bools
    edge: Floats

    @property
    def length(self) -> Floats:
        """(n, t) hours of each piece."""
        return np.asarray(np.diff(self.edge, axis=1))


@runtime_checkable
class KnowsLight(Protocol):
    """An occluder that finds the light at the marks in its own way."""

    def light(self, starts: Floats, normals: Floats, front: Bools, towards: Floats, feedback: Feedback) -> Bools:
        """(n, t) as `traced_light`."""


def clock_of(frame: Frame, day: date, rules: Rules, *, step: float, time_basis: sun.TimeBasis, offset: float) -> Clock:
    """Marks every `step` [min] at most over the hours that the rules look at."""
    first, last = rules.span
    count = int(np.ceil((last - first) * 60.0 / step - 1e-9)) + 1
    hour = np.linspace(first, last, count)
    start, stop = (
        sun.hour_of_day(day, h, frame.longitude, time_basis=time_basis, utc_offset_h=offset) for h in (first, last)
    )
    span = (stop - start) / np.timedelta64(1, "ms")
    times = start + np.rint(span * np.linspace(0.0, 1.0, count)).astype("timedelta64[ms]")
    position = sun.sun_position(times, frame.longitude, frame.latitude)
    return Clock(hour, times, sun.sun_vectors(frame.grid_azimuth(position.azimuth), position.apparent_elevation))


def light_of(occluder: Occluder, starts: Floats, normals: Floats, clock: Clock, feedback: Feedback) -> Light:
    """Trace windows (n) over the day. `starts` (n, 3) [local m] lie in front of the windows."""
    front = _in_front(normals, clock.towards)
    if isinstance(occluder, KnowsLight):
        lit = occluder.light(starts, normals, front, clock.towards, feedback)
    else:
        lit = traced_light(occluder, starts, front, clock.towards, feedback)
    edge = np.empty((len(starts), len(clock.hour) + 1))
    edge[:, 0], edge[:, -1] = clock.hour[0], clock.hour[-1]
    edge[:, 1:-1] = (clock.hour[1:] + clock.hour[:-1]) / 2
    window, mark = np.nonzero(lit[:, 1:] != lit[:, :-1])
    if len(window):
        share = _edges(occluder, starts[window], normals[window], clock, mark, lit[window, mark])
        edge[window, mark + 1] = clock.hour[mark] + share * (clock.hour[mark + 1] - clock.hour[mark])
    feedback.step(1.0, "tracing the sun")
    return Light(lit, front, edge)


def traced_light(occluder: Occluder, starts: Floats, front: Bools, towards: Floats, feedback: Feedback) -> Bools:
    """(n, t) whether nothing blocks the sun where it is in `front`."""
    lit = np.zeros_like(front)
    window, mark = np.nonzero(front.T)[::-1]  # by mark first: rays of one sun lie together
    for low in range(0, len(window), MOST_RAYS):
        feedback.step(low / len(window), "tracing the sun")
        w, k = window[low : low + MOST_RAYS], mark[low : low + MOST_RAYS]
        lit[w, k] = ~occluder.occluded(starts[w], towards[k])
    return lit


def _in_front(normals: Floats, towards: Floats) -> Bools:
    """(n, t) whether the sun is up and in front of the window."""
    # written out: a matrix product may differ in the last bit between machines
    facing = sum(normals[:, axis, None] * towards[None, :, axis] for axis in range(3))
    return np.asarray((facing > GRAZING) & (towards[None, :, 2] > 0.0))


def _edges(
    occluder: Occluder, starts: Floats, normals: Floats, clock: Clock, mark: NDArray[np.int64], before: Bools
) -> Floats:
    """(k,) share of the way from a mark to the next at which the state `before` ends."""
    low, high = np.zeros(len(mark)), np.ones(len(mark))
    seconds = float(clock.hour[1] - clock.hour[0]) * 3600.0
    for _ in range(max(1, int(np.ceil(np.log2(seconds / EDGE_TOLERANCE))))):
        middle = (low + high) / 2
        way = clock.towards[mark] * (1 - middle)[:, None] + clock.towards[mark + 1] * middle[:, None]
        way /= np.linalg.norm(way, axis=1)[:, None]
        lit = ((normals * way).sum(axis=1) > GRAZING) & (way[:, 2] > 0.0)
        ask = np.flatnonzero(lit)
        lit[ask] = ~occluder.occluded(starts[ask], way[ask])
        same = lit == before
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return np.asarray((low + high) / 2)


def spell_of(lit: Bools, edge: Floats, rules: Rules) -> Spell:
    """Total and longest run of states (n, t) whose pieces have the edges (n, t + 1), within the hours of the rules."""
    total = (_within(edge, rules.total) * lit).sum(axis=1)
    piece = _within(edge, rules.continuous)
    count = len(lit)
    run, best, end = np.zeros(count), np.zeros(count), np.full(count, np.nan)
    last = np.minimum(edge[:, 1:], rules.continuous.stop)
    for k in range(lit.shape[1]):
        run = np.where(lit[:, k], run + piece[:, k], 0.0)
        better = run > best
        best = np.where(better, run, best)
        end = np.where(better, last[:, k], end)
    return Spell(total, best, end - best, end)


def _within(edge: Floats, limit: Limit) -> Floats:
    """(n, t) length of each piece inside the hours of a limit [h]."""
    return np.asarray(np.diff(np.clip(edge, limit.start, limit.stop), axis=1))
