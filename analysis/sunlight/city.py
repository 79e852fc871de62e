"""All that blocks the sun, and what of it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import Occluder
from analysis.sunlight.declaration import Sampling, SunlightInputs
from analysis.sunlight.shells import outward, tell_repeated, turned_shells
from geo.model import Feedback, Grid, Instances, Issue, Layer, Mesh, UserError, merge_meshes

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

STUDIED_THEMES = ("building", "bim")
HORIZON_REACH = 3000.0  # [m] terrain further away than this from the studied area does not block
TERRAIN_CELLS = 1_500_000  # a terrain with more is thinned: three million triangles take a second to prepare
MOST_POINTS = 30_000_000  # about 3 GB of results
FLAT_TILT = 0.26  # |nz| of a face tilted 75 degrees: steeper counts as wall where the file does not say


class City(NamedTuple):
    """All that blocks the sun, and what is looked at."""

    terrain: Grid | Mesh | float
    buildings: list[tuple[Layer, Mesh, NDArray[np.int8]]]
    occluder: Occluder
    solid: Bools
    base: Bools
    normal_z: Floats
    low: tuple[float, float]
    high: tuple[float, float]
    ground_mesh: Mesh
    obstacles: list[tuple[Layer, Mesh]]


def city_of(
    inputs: SunlightInputs,
    params: Sampling,
    issues: list[Issue],
    feedback: Feedback,
    *,
    occluder: Callable[[Sequence[Mesh], Floats, Feedback], Occluder] = Occluder,
) -> City:
    """Gather the obstacles and the terrain, and hand them to Embree; doubts are added to `issues`."""
    blocking = [*inputs.blockers, *(inputs.trees if params.trees_block else ())]
    meshes = [(layer, mesh_of(layer)) for layer in blocking]
    tell_turned(blocking, issues)
    tell_repeated([mesh for layer, mesh in meshes if layer.theme in STUDIED_THEMES], issues)
    buildings = [(layer, mesh, surface_codes(layer, mesh)) for layer, mesh in meshes if layer.theme in STUDIED_THEMES]
    low, high = _area(
        [inputs.terrain] if inputs.terrain else inputs.relief,
        [m for _, m, _ in buildings] or [m for _, m in meshes],
        params,
    )
    terrain = terrain_near(inputs.terrain, inputs.relief, [m for _, m in meshes], (low, high), issues)
    ground_mesh = terrain if isinstance(terrain, Mesh) else ground_mesh_of(terrain, low, high)
    everything = [ground_mesh, *(mesh for _, mesh in meshes)]
    # The middle of the ground: a building that moves or grows leaves all other coordinates as they are, to the bit.
    box = ground_mesh.bounds
    centre = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, box.centre[2] if box is not None else 0.0])
    traced = occluder(everything, centre, feedback)
    solid = [np.zeros(len(ground_mesh.faces), dtype=bool)]
    solid += [np.full(len(mesh.faces), layer.theme in STUDIED_THEMES) for layer, mesh in meshes]
    base = np.concatenate([np.zeros(len(ground_mesh.faces), dtype=bool), *(_base_faces(*pair) for pair in meshes)])
    normal_z = np.concatenate([mesh.face_cross[:, 2] for mesh in everything])
    return City(terrain, buildings, traced, np.concatenate(solid), base, normal_z, low, high, ground_mesh, meshes)


def _base_faces(layer: Layer, mesh: Mesh) -> Bools:
    """(m,) faces that the file itself calls the ground surface of a building."""
    said = layer.field_named("surface")
    known = said is not None and said.on == "face" and "ground" in said.categories and layer.theme in STUDIED_THEMES
    if said is None or not known or len(said.values) != len(mesh.faces):
        return np.zeros(len(mesh.faces), dtype=bool)
    return np.asarray(said.values == said.categories.index("ground"))


def mesh_of(layer: Layer) -> Mesh:
    """The triangles of a layer, instances written out, shells inside out turned; empty for anything else."""
    found = _as_given(layer)
    return merge_meshes(()) if found is None else outward(found)


def tell_turned(layers: Sequence[Layer], issues: list[Issue]) -> None:
    """Say how many shells `mesh_of` turns."""
    turned_shells([_as_given(layer) for layer in layers], issues)


def _as_given(layer: Layer) -> Mesh | None:
    geometry = layer.geometry
    if isinstance(geometry, Instances):
        return geometry.baked()
    return geometry if isinstance(geometry, Mesh) else None


def surface_codes(layer: Layer, mesh: Mesh) -> NDArray[np.int8]:
    """(m,) 0 wall, 1 roof, 2 underside: what the file says, by the tilt of the face where it says nothing."""
    tilt = mesh.face_normal[:, 2]
    codes = np.where(tilt > FLAT_TILT, 1, np.where(tilt < -FLAT_TILT, 2, 0)).astype(np.int8)
    said = layer.field_named("surface")
    if said is None or said.on != "face" or len(said.values) != len(mesh.faces):
        return codes
    for number, code in (("wall", 0), ("roof", 1), ("ground", 2)):
        if number in said.categories:
            codes[said.values == said.categories.index(number)] = code
    return codes


def _area(
    terrains: Sequence[Layer], meshes: list[Mesh], params: Sampling
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Rectangle of the ground looked at: around the buildings, or the whole terrain when there are none."""
    boxes = [mesh.bounds for mesh in meshes if mesh.bounds is not None]
    margin = params.margin
    if not boxes:
        found = [layer.geometry.bounds for layer in terrains if layer.geometry is not None]
        boxes, margin = [box for box in found if box is not None], 0.0
    if not boxes:
        raise UserError(
            "There is nothing the sun could fall on.",
            "The layers chosen have no geometry.",
            "Choose layers with buildings or a terrain.",
            code="sunlight.nothing",
        )
    low = [min(box.low[k] for box in boxes) - margin for k in range(2)]
    high = [max(box.high[k] for box in boxes) + margin for k in range(2)]
    if meshes:
        # On the scene's own lattice of cells: where one more building stands, the cells of all others stay the same.
        low = [float(np.floor(value / params.ground_cell + 1e-9) * params.ground_cell) for value in low]
        high = [float(np.ceil(value / params.ground_cell - 1e-9) * params.ground_cell) for value in high]
    cells = (high[0] - low[0]) * (high[1] - low[1]) / params.ground_cell**2
    if params.ground and cells > MOST_POINTS:
        raise UserError(
            f"The ground has {cells / 1e6:.0f} million cells, more than this computer is asked to hold.",
            f"The buildings spread over {(high[0] - low[0]) / 1000:.1f} x {(high[1] - low[1]) / 1000:.1f} km.",
            "Choose a larger ground cell, fewer layers, or switch the ground off.",
            code="sunlight.too_many_cells",
            values={
                "cells": round(cells / 1e6),
                "width": round((high[0] - low[0]) / 1000, 1),
                "height": round((high[1] - low[1]) / 1000, 1),
            },
        )
    return (low[0], low[1]), (high[0], high[1])


def terrain_near(
    terrain: Layer | None,
    relief: Sequence[Layer],
    meshes: list[Mesh],
    area: tuple[tuple[float, float], tuple[float, float]],
    issues: list[Issue],
) -> Grid | Mesh | float:
    """The terrain near the area, thinned if very fine; else a surface of triangles; else the height of a plain."""
    layer = terrain
    if layer is None or not isinstance(layer.geometry, Grid):
        surfaces = [part.geometry for part in relief if isinstance(part.geometry, Mesh)]
        if any(len(surface.faces) for surface in surfaces):
            return merge_meshes(surfaces)
        base = min((box.low[2] for box in (mesh.bounds for mesh in meshes) if box is not None), default=0.0)
        issues.append(
            Issue(
                "sunlight.flat_ground",
                f"No terrain: the ground is taken as a plain at the lowest building base, {base:.2f} m.",
                severity="doubt",
                values={"height": round(base, 2)},
            )
        )
        return base
    grid = layer.geometry
    (left, bottom), (right, top) = area
    columns = np.flatnonzero((grid.x > left - HORIZON_REACH) & (grid.x < right + HORIZON_REACH))
    rows = np.flatnonzero((grid.y > bottom - HORIZON_REACH) & (grid.y < top + HORIZON_REACH))
    if len(columns) < 2 or len(rows) < 2:
        raise UserError(
            f"The terrain {layer.name} does not reach the buildings.",
            "They lie more than three kilometres apart.",
            "Check their coordinate systems, or run without this terrain.",
            code="sunlight.terrain_apart",
            values={"layer": layer.name},
        )
    step = max(1, int(np.ceil(np.sqrt(len(columns) * len(rows) / TERRAIN_CELLS))))
    if step > 1:
        issues.append(
            Issue(
                "sunlight.terrain_thinned",
                f"The terrain was thinned to a cell of {grid.cell * step:g} m.",
                severity="note",
                values={"cell": grid.cell * step},
            )
        )
    part = grid.values[rows[0] : rows[-1] + 1 : step, columns[0] : columns[-1] + 1 : step]
    return Grid(part, float(grid.x[columns[0]]), float(grid.y[rows[0]]), grid.cell * step)


def ground_mesh_of(terrain: Grid | float, low: tuple[float, float], high: tuple[float, float]) -> Mesh:
    """The triangles of a terrain; two under the area for a plain."""
    if isinstance(terrain, Grid):
        return terrain.surface()
    corners = np.array([[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]])
    vertices = np.column_stack([corners, np.full(4, terrain)])
    return Mesh(vertices, np.array([[0, 1, 2], [0, 2, 3]], np.int32), np.zeros(2, np.int32))


def element_count(layer: Layer, mesh: Mesh) -> int:
    """Elements of a layer: rows of its table, or those its faces name when it has none."""
    return max(len(layer.table), int(mesh.face_element.max()) + 1 if len(mesh.faces) else 0)
