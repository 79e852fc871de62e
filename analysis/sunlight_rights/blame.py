"""Who takes the sun: every piece of shade goes to one building, to several jointly, or to the window's own building.

For each mark at which a window is in the shade with the sun in front of it, the ray is followed through everything to
the end of the scene. The buildings met are those of which each alone would block that sun. One other building: it
takes the time alone. Several: they take it jointly. The own building among them: nobody else took anything.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import Occluder
from analysis.threads import thread_count
from geo.model import Feedback

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

STEP_ON = 0.01  # [m] behind a hit where the ray goes on
MOST_HITS = 500  # faces that one ray may meet
RAYS = 16_384  # followed at a time by one thread
SEVERAL, OWN, NOBODY = -2, -3, -1


class Blockers(NamedTuple):
    """Buildings met by rays, sorted by ray and then by building: one entry per ray and building.

    Attributes
    ----------
    ray, building : (k,) int64
    """

    ray: Indices
    building: Indices

    def among(self, chosen: Bools) -> Blockers:
        """Only the buildings for which `chosen` (b,) is true."""
        keep = chosen[self.building]
        return Blockers(self.ray[keep], self.building[keep])


def blockers_of(occluder: Occluder, building: Indices, starts: Floats, ways: Floats, feedback: Feedback) -> Blockers:
    """All buildings that rays (n) meet. `building` (f,) is that of every face of the occluder."""
    parts = [slice(low, min(low + RAYS, len(starts))) for low in range(0, len(starts), RAYS)]
    found: list[tuple[Indices, Indices]] = []

    def follow(part: slice) -> tuple[Indices, Indices]:
        return _follow(occluder, building, starts[part], ways[part], part.start)

    with ThreadPoolExecutor(thread_count()) as pool:
        for low in range(0, len(parts), 8):
            feedback.step(low / len(parts), "following the shade to its buildings")
            group = parts[low : low + 8]
            found += list(
                pool.map(lambda part: _follow(occluder, building, starts[part], ways[part], part.start), group)
            )
    feedback.step(1.0, "following the shade to its buildings")
    if not found:
        return Blockers(np.zeros(0, np.int64), np.zeros(0, np.int64))
    return Blockers(np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found]))


def _follow(occluder: Occluder, building: Indices, starts: Floats, ways: Floats, first: int) -> tuple[Indices, Indices]:
    going, spot = np.arange(len(starts)), starts.copy()
    rays, met = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for _ in range(MOST_HITS):
        hits = occluder.first_hit(spot, ways[going])
        hit = hits.face >= 0
        going, face, far = going[hit], hits.face[hit], hits.distance[hit]
        if len(going) == 0:
            break
        rays.append(going)
        met.append(building[face])
        spot = spot[hit] + ways[going] * (far + STEP_ON)[:, None]
    ray, who = np.concatenate(rays), np.concatenate(met)
    span = int(building.max()) + 1
    pair = np.unique(ray * span + who)
    return pair // span + first, pair % span


class Blame(NamedTuple):
    """Who took each ray: number of the one building, or SEVERAL, OWN or NOBODY; (n,) int64 each.

    `only_own` (n,) bool: the own building alone is in the way.
    """

    taker: Indices
    only_own: Bools


def blame_of(blockers: Blockers, own: Indices) -> Blame:
    """Judge rays (n) whose windows belong to the buildings `own` (n,)."""
    count = np.bincount(blockers.ray, minlength=len(own))
    mine = np.zeros(len(own), dtype=bool)
    mine[blockers.ray[blockers.building == own[blockers.ray]]] = True
    taker = np.full(len(own), NOBODY, dtype=np.int64)
    taker[blockers.ray] = blockers.building
    taker[count > 1] = SEVERAL
    taker[mine] = OWN
    return Blame(taker, mine & (count == 1))
