"""The obstacles of ``sunlight.rights`` of which some move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import Occluder
from analysis.kernels.swept import Solid, solid_of
from analysis.sunlight.city import mesh_of, tell_turned, terrain_near
from analysis.sunlight.live_scene import Split
from analysis.sunlight_rights.declaration import RightsInputs, RightsParams
from analysis.sunlight_rights.live_light import LightMemory, RememberingOccluder
from analysis.sunlight_rights.obstacles import (
    GROUND_MARGIN,
    Obstacles,
    _ground,
    _new_buildings,
    _numbered,
    _without,
    centre_of,
)
from geo.model import Bounds, Feedback, Grid, Issue, Layer, Mesh

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def blocking_layers(inputs: RightsInputs, params: RightsParams) -> list[Layer]:
    """All layers that block, each once, in the order of the full study."""
    chosen = [*inputs.obstructions, *inputs.dwellings, *inputs.proposal, *(inputs.trees if params.trees_block else ())]
    return list({layer.id: layer for layer in chosen}.values())


class MovingObstacles:
    """What blocks the sun where some elements move.

    Parameters
    ----------
    inputs, params
        As of ``sunlight.rights``.
    splits : mapping of layer id to Split
    feedback : Feedback
    """

    def __init__(
        self, inputs: RightsInputs, params: RightsParams, splits: Mapping[str, Split], feedback: Feedback
    ) -> None:
        layers = blocking_layers(inputs, params)
        meshes = [mesh_of(layer) for layer in layers]
        self._inputs, self._splits = inputs, dict(splits)
        self._memory = (LightMemory(), LightMemory())  # of all that stays; of that without the new project
        self._of_element, self._names, self._owners = _numbered(layers, meshes)
        self._new = _new_buildings(inputs, params, self._of_element, self._names)
        self.issues: list[Issue] = []
        tell_turned(layers, self.issues)
        self._ground = _ground(inputs, meshes, self.issues)
        self._centre = centre_of(self._ground, meshes)
        self._rest = [mesh_of(splits[a.id].rest) if a.id in splits else m for a, m in zip(layers, meshes, strict=True)]
        self._begun = self._setting(meshes)
        self._now = Occluder([self._ground, *self._rest], self._centre, feedback.part(0.0, 0.6))
        self._before: Occluder | None = None
        if self._new.any():
            kept = [_without(m, self._new[self._of_element[a.id]]) for a, m in zip(layers, self._rest, strict=True)]
            self._before = Occluder([self._ground, *kept], self._centre, feedback.part(0.6, 1.0))
        of_face = [self._of_element[a.id][m.face_element] for a, m in zip(layers, self._rest, strict=True)]
        self._building = np.concatenate([np.zeros(len(self._ground.faces), np.int64), *of_face])
        self._normal = np.concatenate([np.zeros((len(self._ground.faces), 3)), *(m.face_normal for m in self._rest)])
        self._standing = len(self._building)

    @property
    def moving(self) -> Indices:
        """Numbers of the buildings that move."""
        found = [self._of_element[key][part.elements] for key, part in self._splits.items()]
        return np.unique(np.concatenate(found))

    def placed(self, own: Mapping[str, Layer]) -> Obstacles:
        """The obstacles with the moving parts where `own` has them.

        What they say of faces is only good until the next call: millions of faces of the ground are not copied.
        """
        meshes = {key: mesh_of(layer) for key, layer in own.items()}
        now = RememberingOccluder(self._now, self._solid(list(meshes.values())), self._memory[0])
        before = None
        if self._before is not None:
            kept = [_without(mesh, self._new[self._of_element[key]]) for key, mesh in meshes.items()]
            before = RememberingOccluder(self._before, self._solid(kept), self._memory[1])
        of_face = [self._of_element[key][mesh.face_element] for key, mesh in meshes.items()]
        building = self._building = _with_tail(self._building, self._standing, of_face)
        normal = self._normal = _with_tail(self._normal, self._standing, [mesh.face_normal for mesh in meshes.values()])
        return Obstacles(now, before, building, normal, self._of_element, self._names, self._owners, self._new)

    def _solid(self, meshes: list[Mesh]) -> Solid:
        return solid_of(Occluder(meshes, self._centre), [mesh.vertices for mesh in meshes])

    def remember_no_more(self) -> None:
        """Keep what is known of the windows, and nothing of those to come."""
        for memory in self._memory:
            memory.closed = True

    def same_area(self, own: Mapping[str, Layer]) -> bool:
        """Whether the full study would lay the same ground under the city and put its centre in the same place."""
        return self._setting([*self._rest, *(mesh_of(layer) for layer in own.values())]) == self._begun

    def _setting(self, meshes: list[Mesh]) -> tuple[object, ...]:
        """What everything else hangs on: the centre of the coordinates, and the piece of ground taken."""
        centre = tuple(centre_of(self._ground, meshes).tolist())
        box = Bounds.union(b for b in (mesh.bounds for mesh in meshes) if b is not None)
        if box is None or self._is_surface:
            return centre
        low = (box.low[0] - GROUND_MARGIN, box.low[1] - GROUND_MARGIN)
        high = (box.high[0] + GROUND_MARGIN, box.high[1] + GROUND_MARGIN)
        ground = terrain_near(self._inputs.terrain, (), meshes, (low, high), [])
        if isinstance(ground, Grid):
            return (*centre, ground.x0, ground.y0, ground.cell, ground.values.shape)
        return (*centre, low, high, ground)

    @property
    def _is_surface(self) -> bool:
        """Whether the ground is a surface of triangles, which is taken as a whole."""
        grid = self._inputs.terrain is not None and isinstance(self._inputs.terrain.geometry, Grid)
        return not grid and any(
            isinstance(part.geometry, Mesh) and len(part.geometry.faces) for part in self._inputs.relief
        )


def _with_tail(values: NDArray[np.generic], keep: int, tail: Sequence[NDArray[np.generic]]) -> NDArray[Any]:
    """The first `keep` rows of `values`, then `tail`; in place where the length allows."""
    count = keep + sum(len(part) for part in tail)
    out = values if len(values) == count else np.empty((count, *values.shape[1:]), dtype=values.dtype)
    if out is not values:
        out[:keep] = values[:keep]
    out[keep:] = np.concatenate(tail) if tail else 0
    return out
