"""All that blocks the sun, with the building that every face belongs to, now and without the new project."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import Occluder
from analysis.sunlight.city import element_count, ground_mesh_of, mesh_of, tell_turned, terrain_near
from analysis.sunlight_rights.declaration import RightsInputs, RightsParams
from geo.model import Bounds, Feedback, Issue, Layer, Mesh, UserError

Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

TERRAIN = 0
CENTRE_STEP = 100.0  # [m] to which the centre of the coordinates is rounded
GROUND_MARGIN = 200.0  # [m] of the plain laid under a city without terrain


class Obstacles(NamedTuple):
    """What blocks the sun. "Buildings" are numbered through: 0 is the terrain.

    Attributes
    ----------
    now, before : Occluder
        With and without the new project; before is None when there is none.
    building : (f,) int64
        Building of every face of `now`.
    normal : (f, 3) float
        Its outward unit normal; zero for the terrain.
    of_element : mapping of layer id -> (e,) int64
        Building of every element of a layer.
    name, layer : (b,) object
        Unique name; name of the layer.
    new : (b,) bool
        Whether it belongs to the new project.
    """

    now: Occluder
    before: Occluder | None
    building: Indices
    normal: NDArray[np.float64]
    of_element: dict[str, Indices]
    name: NDArray[np.object_]
    layer: NDArray[np.object_]
    new: Bools


def obstacles_of(inputs: RightsInputs, params: RightsParams, issues: list[Issue], feedback: Feedback) -> Obstacles:
    """Gather the obstacles; buildings that are judged block too, whether they were chosen as obstacles or not."""
    chosen = [*inputs.obstructions, *inputs.dwellings, *inputs.proposal, *(inputs.trees if params.trees_block else ())]
    layers = list({layer.id: layer for layer in chosen}.values())
    meshes = [mesh_of(layer) for layer in layers]
    tell_turned(layers, issues)
    of_element, names, owners = _numbered(layers, meshes)
    new = _new_buildings(inputs, params, of_element, names)
    ground = _ground(inputs, meshes, issues)
    building = [np.zeros(len(ground.faces), np.int64)]
    building += [of_element[layer.id][mesh.face_element] for layer, mesh in zip(layers, meshes, strict=True)]
    centre = centre_of(ground, meshes)
    now = Occluder([ground, *meshes], centre, feedback.part(0.0, 0.6))
    before = None
    if new.any():
        kept = [_without(mesh, new[of_element[layer.id]]) for layer, mesh in zip(layers, meshes, strict=True)]
        before = Occluder([ground, *kept], centre, feedback.part(0.6, 1.0))
    normal = np.concatenate([np.zeros((len(ground.faces), 3)), *(mesh.face_normal for mesh in meshes)])
    return Obstacles(now, before, np.concatenate(building), normal, of_element, names, owners, new)


def centre_of(ground: Mesh, meshes: Sequence[Mesh]) -> NDArray[np.float64]:
    """(3,) where coordinates of rays are finest: about the middle of the obstacles in plan, of the ground in height.

    A building that grows or moves a little then leaves all other coordinates as they are, to the bit.
    """
    box = Bounds.union(b for b in (mesh.bounds for mesh in (meshes or [ground])) if b is not None)
    centre = np.rint(np.array(box.centre) / CENTRE_STEP) * CENTRE_STEP if box else np.zeros(3)
    if ground.bounds is not None:
        centre[2] = ground.bounds.centre[2]
    return centre


def _numbered(
    layers: Sequence[Layer], meshes: Sequence[Mesh]
) -> tuple[dict[str, Indices], NDArray[np.object_], NDArray[np.object_]]:
    """Building of each element, and name and layer of each building.

    An element of a building layer is a building; the layers of one BIM file are one; any other layer is one.
    """
    of_element: dict[str, Indices] = {}
    names, owners, models = ["terrain"], [""], dict[str, int]()
    for layer, mesh in zip(layers, meshes, strict=True):
        count = element_count(layer, mesh)
        if layer.theme == "building":
            ids = [str(i) for i in layer.table.ids]
            ids += [f"{layer.id}-{k}" for k in range(len(ids), count)]
            of_element[layer.id] = np.arange(len(names), len(names) + count)
            names += ids
            owners += [layer.name] * count
            continue
        key = layer.source.path if layer.theme == "bim" and layer.source.path else layer.id
        if key not in models:
            models[key] = len(names)
            names.append(layer.name)
            owners.append(layer.name)
        of_element[layer.id] = np.full(count, models[key])
    return of_element, _unique(names, owners), np.array(owners, dtype=object)


def _unique(names: list[str], owners: list[str]) -> NDArray[np.object_]:
    """Names; one that appears twice gets its layer in front, and a number where that does not help."""
    seen: dict[str, int] = {}
    out = []
    twice = {name for name, count in Counter(names).items() if count > 1}
    for name, owner in zip(names, owners, strict=True):
        full = f"{owner}:{name}" if name in twice else name
        seen[full] = seen.get(full, 0) + 1
        out.append(full if seen[full] == 1 else f"{full}#{seen[full]}")
    return np.array(out, dtype=object)


def _new_buildings(
    inputs: RightsInputs, params: RightsParams, of_element: dict[str, Indices], names: NDArray[np.object_]
) -> Bools:
    """(b,) whether a building belongs to the proposal: by its layer or by its id."""
    new = np.zeros(len(names), dtype=bool)
    for layer in inputs.proposal:
        new[of_element[layer.id]] = True
    wanted = {text.strip() for text in params.new_buildings.split(",") if text.strip()}
    row = {name: number for number, name in enumerate(names.tolist())}
    unknown = sorted(wanted - row.keys())
    if unknown:
        raise UserError(
            f"There is no building called {unknown[0]}.",
            "The new buildings are named by their ids, separated by commas.",
            "Copy the ids from the properties of the buildings.",
            code="sunlight.rights.unknown_building",
            values={"building": unknown[0]},
        )
    new[[row[name] for name in wanted]] = True
    return new


def _ground(inputs: RightsInputs, meshes: list[Mesh], issues: list[Issue]) -> Mesh:
    box = Bounds.union(b for b in (mesh.bounds for mesh in meshes) if b is not None)
    if box is None:
        raise UserError(
            "There is no building whose windows could be judged.",
            "The layers chosen have no geometry.",
            "Choose layers with buildings.",
            code="sunlight.rights.no_buildings",
        )
    low = (box.low[0] - GROUND_MARGIN, box.low[1] - GROUND_MARGIN)
    high = (box.high[0] + GROUND_MARGIN, box.high[1] + GROUND_MARGIN)
    terrain = terrain_near(inputs.terrain, inputs.relief, meshes, (low, high), issues)
    return terrain if isinstance(terrain, Mesh) else ground_mesh_of(terrain, low, high)


def _without(mesh: Mesh, gone: Bools) -> Mesh:
    """A mesh without the faces of some elements."""
    keep = ~gone[mesh.face_element]
    return mesh if keep.all() else Mesh(mesh.vertices, mesh.faces[keep], mesh.face_element[keep])
