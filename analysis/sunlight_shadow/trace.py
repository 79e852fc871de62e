"""Which points lie in shadow when, by whose fault, and which of it is new."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import SURFACE_OFFSET
from analysis.sunlight_rights.obstacles import Obstacles
from analysis.sunlight_shadow.moments import Moments
from analysis.threads import thread_count
from geo.model import Feedback

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]
Indices = NDArray[np.int64]

SUN, AWAY, OWN, SHADE, NEW = range(5)
STATES = ("sun", "turned_away", "own_shadow", "shadow", "new_shadow")
BLOCK_POINTS = 8192  # points of one task: about 50 ms for 60 instants, so that a stop is heard at once


class Targets(NamedTuple):
    """Points looked at.

    Attributes
    ----------
    points : (n, 3) float [local m]
    area : (n,) float [m2]
    normals : (n, 3) float or None
        Outward; None for the ground, which every ray from above reaches.
    building : (n,) int64
        Number of the building each point belongs to, as in `Obstacles`; -1 for the ground.
    new : (n,) bool
        Whether it is part of the new project: nothing there was in the sun before.
    """

    points: Floats
    area: Floats
    normals: Floats | None
    building: Indices
    new: NDArray[np.bool_]


class Shade(NamedTuple):
    """What was found; times in hours.

    Attributes
    ----------
    states : (k, n) int8
        At each instant shown: number in `STATES`.
    shaded : (d, n) float [h]
        Of each day: all shadow, new or not, turned away or not.
    new, away, own : (n,) float [h]
        Over all days: new shadow; turned away from the sun; in the shadow of its own building.
    """

    states: Codes
    shaded: Floats
    new: Floats
    away: Floats
    own: Floats


def trace(targets: Targets, obstacles: Obstacles, moments: Moments, feedback: Feedback) -> Shade:
    """Follow the sun over all instants and days for all points. The same bits for any number of threads."""
    count = len(targets.points)
    found = Shade(
        np.zeros((len(moments.instants), count), dtype=np.int8),
        np.zeros((len(moments.courses), count)),
        np.zeros(count),
        np.zeros(count),
        np.zeros(count),
    )
    stopped = np.zeros(1, dtype=bool)

    def work(part: slice) -> None:
        _block(targets, obstacles, moments, found, part, stopped)

    parts = [slice(start, start + BLOCK_POINTS) for start in range(0, count, BLOCK_POINTS)]
    feedback.step(0.0, "tracing the shadows")
    with ThreadPoolExecutor(thread_count()) as pool:
        running: list[Future[None]] = [pool.submit(work, part) for part in parts]
        try:
            for done, task in enumerate(running):
                task.result()
                feedback.step((done + 1) / len(parts), "tracing the shadows")
        finally:
            stopped[0] = True
    feedback.step(1.0, "tracing the shadows")
    return found


def _block(
    targets: Targets, obstacles: Obstacles, moments: Moments, found: Shade, part: slice, stopped: NDArray[np.bool_]
) -> None:
    """All instants and days of some points, written into their place in `found`."""
    normals = None if targets.normals is None else targets.normals[part]
    lifted = targets.points[part] + SURFACE_OFFSET * (normals if normals is not None else np.array([0.0, 0.0, 1.0]))
    owner, fresh = targets.building[part], targets.new[part]
    for number, instant in enumerate(moments.instants):
        if stopped[0]:
            return
        found.states[number, part] = states_at(obstacles, lifted, normals, owner, fresh, towards=instant.towards)
    for number, course in enumerate(moments.courses):
        for towards, weight in zip(course.towards, course.weights, strict=True):
            if stopped[0]:
                return
            states = states_at(obstacles, lifted, normals, owner, fresh, towards=towards)
            found.shaded[number, part] += weight * (states != SUN)
            found.new[part] += weight * (states == NEW)
            if normals is not None:
                found.away[part] += weight * (states == AWAY)
                found.own[part] += weight * (states == OWN)


def states_at(
    obstacles: Obstacles,
    origins: Floats,
    normals: Floats | None,
    owner: Indices,
    fresh: NDArray[np.bool_],
    *,
    towards: Floats,
) -> Codes:
    """(n,) number in `STATES` of each point at one instant.

    A surface is in its own building's shadow where the nearest thing towards the sun belongs to that building; a
    shadow is new where nothing was in the way without the new project.
    """
    states = np.full(len(origins), SUN, dtype=np.int8)
    ray = np.asarray(towards, dtype=np.float64)[None]
    way = ray.astype(np.float32)
    if normals is None:
        states[obstacles.now.blocked(obstacles.now.local32(origins), way)] = SHADE
    else:
        # written out: a matrix product may differ in the last bit between machines
        facing = normals[:, 0] * towards[0] + normals[:, 1] * towards[1] + normals[:, 2] * towards[2] > 0.0
        states[~facing] = AWAY
        rows = np.flatnonzero(facing)
        hit = nearest_building(obstacles, origins[rows], ray)
        states[rows[hit >= 0]] = SHADE
        states[rows[(hit >= 0) & (hit == owner[rows])]] = OWN
    if obstacles.before is not None:
        dark = np.flatnonzero((states == SHADE) & ~fresh)
        if len(dark):
            starts = obstacles.before.local32(origins[dark])
            states[dark[~obstacles.before.blocked(starts, way)]] = NEW
    return states


def nearest_building(obstacles: Obstacles, origins: Floats, towards: Floats) -> Indices:
    """(n,) number of the building first met from each origin, -1 for none."""
    face = obstacles.now.first_hit(origins, towards).face
    return np.asarray(np.where(face < 0, -1, obstacles.building[np.where(face < 0, 0, face)]))
