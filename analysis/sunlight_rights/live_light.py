"""What the obstacles that stay leave free for each window, kept over the moves of a building."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import Occluder
from analysis.kernels.swept import Solid, rays_near
from analysis.sunlight.live_scene import PairedOccluder
from analysis.sunlight_rights.timeline import traced_light
from geo.model import Feedback

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]
Bytes = NDArray[np.uint8]


class LightMemory:
    """States of points under a clock that were traced before: 60 bytes for a day in steps of a minute.

    It takes in what it is told until it is `closed`: points that follow the building would fill it without end.
    """

    def __init__(self) -> None:
        self._row: dict[bytes, int] = {}
        self._parts: list[Bytes] = []
        self._count = 0
        self.closed = False

    def rows(self, keys: list[bytes]) -> Indices:
        """(n,) where the states of points are kept; -1 for none."""
        return np.array([self._row.get(key, -1) for key in keys], dtype=np.int64)

    def states(self, rows: Indices, marks: int) -> Bools:
        """(n, t) states kept."""
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        if len(rows) == 0:
            return np.zeros((0, marks), dtype=bool)
        return np.unpackbits(self._parts[0][rows], axis=1, count=marks).astype(bool)

    def keep(self, keys: list[bytes], states: Bools) -> None:
        """Take in the states (n, t) of points."""
        if self.closed or len(keys) == 0:
            return
        self._row.update(zip(keys, range(self._count, self._count + len(keys)), strict=True))
        self._parts.append(np.packbits(states, axis=1))
        self._count += len(keys)


class RememberingOccluder(PairedOccluder):
    """What stays and what moves, with a memory of what the first leaves free."""

    def __init__(self, rest: Occluder, solid: Solid, memory: LightMemory) -> None:
        super().__init__(rest, solid.occluder)
        self._solid, self._memory = solid, memory

    def light(self, starts: Floats, normals: Floats, front: Bools, towards: Floats, feedback: Feedback) -> Bools:
        """(n, t) whether windows are lit at the marks at which the sun is in `front`; see `timeline.light_of`."""
        lit = self._free(starts, normals, front, towards, feedback)
        if self.moving.face_count:
            window, mark = rays_near(starts - self.centre, towards, lit, self._solid.whole)
            blocked = self.moving.occluded(starts[window], towards[mark])
            lit[window[blocked], mark[blocked]] = False
        return lit

    def _free(self, starts: Floats, normals: Floats, front: Bools, towards: Floats, feedback: Feedback) -> Bools:
        """(n, t) whether the rest leaves windows free."""
        day = hashlib.blake2b(towards.tobytes(), digest_size=8).digest()
        keys = [day + row.tobytes() for row in np.hstack([starts, normals])]
        rows = self._memory.rows(keys)
        known, unknown = np.flatnonzero(rows >= 0), np.flatnonzero(rows < 0)
        lit = np.empty(front.shape, dtype=bool)
        lit[known] = self._memory.states(rows[known], front.shape[1])
        lit[unknown] = traced_light(self.rest, starts[unknown], front[unknown], towards, feedback)
        self._memory.keep([keys[k] for k in unknown], lit[unknown])
        return lit
