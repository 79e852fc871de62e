"""What stands in the way of a look, sorted by what light passes: opaque things, panes of glass, crowns of trees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.classes import figure
from analysis.sunlight.city import mesh_of
from analysis.sunlight.crowns import evergreen, leaves
from analysis.sunlight.shells import outward
from geo.model import Bounds, Feedback, Grid, Instances, Issue, Layer, Mesh, merge_meshes

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Season = Literal["summer", "winter", "none"]

OPAQUE_THEMES = ("building", "bim", "furniture", "rail", "other")
SOLID_THEMES = ("building", "bim")
CROWN = 0  # material slot of crowns in the shapes of planted trees
GLASS = 0.2  # transparency of a face from which it counts as glass
GLAZED_CLASSES = ("IfcWindow", "IfcCurtainWall")
MOST_TERRAIN_CELLS = 1_500_000
BARE_LEAVES = 0.2  # share of the leaf area of summer that twigs and branches make up


class Translucent(NamedTuple):
    """Panes and crowns.

    Attributes
    ----------
    mesh : Mesh
        `face_element` is the pane or crown.
    share : (e,) float64
        Share of light that passes each.
    extinction : (e,) float64 [1/m]
        Along the way within, instead of the share where more than 0.
    """

    mesh: Mesh
    share: Floats
    extinction: Floats


@dataclass(frozen=True, eq=False)
class Obstacles:
    """What was found.

    Attributes
    ----------
    opaque : tuple of (layer id, Mesh)
    translucent : Translucent
    normal : (m, 3) float64
        Of all opaque faces, not normalised.
    solid, ground : (m,) bool
        Opaque faces of buildings and models; of the terrain.
    terrain : Grid, Mesh or None
        As it was before rooms were cut out of it.
    """

    opaque: tuple[tuple[str, Mesh], ...]
    translucent: Translucent
    normal: Floats
    solid: Bools
    ground: Bools
    terrain: Grid | Mesh | None


def obstacles_of(
    layers: Sequence[Layer], *, season: Season, pane: float | None, leaf_density: float, box: Bounds | None,
    issues: list[Issue], feedback: Feedback | None = None,
) -> Obstacles:  # fmt: skip
    """Sort the layers of a scene; see `analysis.cctv.sight.sight_scene`."""
    feedback = feedback or Feedback()
    glass = figure("translucent", "pane") if pane is None else pane
    terrain = _terrain(layers, box, issues)
    relief = terrain if isinstance(terrain, Mesh) else terrain.surface() if terrain is not None else merge_meshes(())
    feedback.step(0.2, "preparing the obstacles")
    relief = _without_rooms(relief, terrain, [layer for layer in layers if layer.theme == "space"])
    opaque = [("terrain", relief)] if len(relief.faces) else []
    solid = [np.zeros(len(relief.faces), dtype=bool)]
    clear = list(_crowns(layers, season, leaf_density, box))
    for layer in layers:
        if layer.theme not in OPAQUE_THEMES or not isinstance(layer.geometry, Mesh | Instances):
            continue
        feedback.step(0.6, "preparing the obstacles")
        mesh, panes = _without_glass(layer, issues)
        if len(mesh.faces):
            opaque.append((layer.id, mesh))
            solid.append(np.full(len(mesh.faces), layer.theme in SOLID_THEMES))
        if len(panes.faces):
            clear.append((panes, np.full(_count(panes), glass), np.zeros(_count(panes))))
    for layer in layers:
        if layer.theme == "tree" and season != "none" and isinstance(layer.geometry, Instances):
            trunks = _slots(layer.geometry, box, crown=False)
            if len(trunks.faces):
                opaque.append((layer.id, trunks))
                solid.append(np.zeros(len(trunks.faces), dtype=bool))
    normal = np.concatenate([np.zeros((0, 3)), *(mesh.face_cross for _, mesh in opaque)])
    ground = np.zeros(len(normal), dtype=bool)
    ground[: len(relief.faces)] = True
    return Obstacles(tuple(opaque), _together(clear), normal, np.concatenate(solid), ground, terrain)


def _count(mesh: Mesh) -> int:
    return int(mesh.face_element.max()) + 1 if len(mesh.faces) else 0


def _together(parts: Sequence[tuple[Mesh, Floats, Floats]]) -> Translucent:
    if not parts:
        return Translucent(merge_meshes(()), np.zeros(0), np.zeros(0))
    first = np.cumsum([0] + [len(share) for _, share, _ in parts[:-1]])
    whole = merge_meshes([mesh for mesh, _, _ in parts])
    element = np.concatenate([mesh.face_element + np.int32(k) for (mesh, _, _), k in zip(parts, first, strict=True)])
    mesh = Mesh(whole.vertices, whole.faces, element.astype(np.int32))
    return Translucent(mesh, *(np.concatenate([part[k] for part in parts]) for k in (1, 2)))


def _terrain(layers: Sequence[Layer], box: Bounds | None, issues: list[Issue]) -> Grid | Mesh | None:
    """The terrain under the box; heights before triangles where both are there."""
    for layer in layers:
        if layer.theme == "terrain" and isinstance(layer.geometry, Grid):
            return _near(layer.geometry, box, issues)
    surfaces = [layer.geometry for layer in layers if layer.theme == "terrain" and isinstance(layer.geometry, Mesh)]
    return merge_meshes(surfaces) if any(len(surface.faces) for surface in surfaces) else None


def _near(grid: Grid, box: Bounds | None, issues: list[Issue]) -> Grid | None:
    rows, cols, step = terrain_part(grid, box)
    part = grid.values[rows, cols]
    if min(part.shape) < 2:
        return None
    if step > 1:
        text = f"The terrain was thinned to a cell of {grid.cell * step:g} m."
        issues.append(Issue("cctv.terrain_thinned", text, "note", values={"cell": grid.cell * step}))
    return Grid(part, float(grid.x[cols][0]), float(grid.y[rows][0]), grid.cell * step)


def terrain_part(grid: Grid, box: Bounds | None) -> tuple[slice, slice, int]:
    """Rows and columns of the terrain under a box, and by how much it is thinned.

    Thinned by 1, 2, 4, ..., and always the same rows and columns of the whole: a box that is moved a little gives the
    same heights.
    """
    spans = [(0, count) for count in grid.values.shape]
    if box is not None:
        spans = [
            (max(0, int(np.searchsorted(axis, low)) - 2), min(len(axis), int(np.searchsorted(axis, high)) + 2))
            for axis, low, high in ((grid.y, box.low[1], box.high[1]), (grid.x, box.low[0], box.high[0]))
        ]
    (south, north), (west, east) = spans
    cells, step = max(north - south, 1) * max(east - west, 1), 1
    while cells > MOST_TERRAIN_CELLS * step**2:
        step *= 2
    rows, cols = (slice(low // step * step, high + step - 1, step) for low, high in spans)
    return rows, cols, step


def same_terrain(layers: Sequence[Layer], begun: Bounds, box: Bounds) -> bool:
    """Whether the terrain taken under one box serves another as if it had been taken under that."""
    for layer in layers:
        if layer.theme == "terrain" and isinstance(layer.geometry, Grid):
            had, wanted = terrain_part(layer.geometry, begun), terrain_part(layer.geometry, box)
            within = all(a.start <= b.start and b.stop <= a.stop for a, b in zip(had[:2], wanted[:2], strict=True))
            return within and had[2] == wanted[2]
    return True


def _without_rooms(relief: Mesh, terrain: Grid | Mesh | None, rooms: Sequence[Layer]) -> Mesh:
    """The terrain without the triangles that would lie in a room: it was dug away there."""
    from analysis.cctv.outlines import cut_rooms

    return cut_rooms(relief, terrain, rooms) if terrain is not None and rooms else relief


def _without_glass(layer: Layer, issues: list[Issue]) -> tuple[Mesh, Mesh]:
    """What of a layer is opaque, and its panes."""
    if layer.theme != "bim":
        return mesh_of(layer), merge_meshes(())
    mesh = layer.geometry.baked() if isinstance(layer.geometry, Instances) else layer.geometry
    if not isinstance(mesh, Mesh):
        return merge_meshes(()), merge_meshes(())
    clear = _glass_faces(layer, mesh, issues)
    return outward(_faces(mesh, ~clear)), _faces(mesh, clear)


def _glass_faces(layer: Layer, mesh: Mesh, issues: list[Issue]) -> Bools:
    """(m,) faces of glass: by their transparency, or all of windows where the model says nothing of it."""
    said = layer.field_named("transparency")
    if said is not None and said.on == "face" and len(said.values) == len(mesh.faces):
        clear = np.asarray(said.values, dtype=np.float64) >= GLASS
        if clear.any():
            return np.asarray(clear)
    column = layer.table.columns.get("class")
    if column is None:
        return np.zeros(len(mesh.faces), dtype=bool)
    glazed = np.isin(column.values.astype(str), GLAZED_CLASSES)
    clear = glazed[mesh.face_element]
    if clear.any():
        text = f"{layer.name} does not say what is of glass; its windows were taken as panes, frames and all."
        issues.append(Issue("cctv.windows_as_panes", text, "doubt", int(glazed.sum()), values={"layer": layer.name}))
    return np.asarray(clear)


def _faces(mesh: Mesh, keep: Bools) -> Mesh:
    if keep.all():
        return mesh
    return Mesh(mesh.vertices, mesh.faces[keep], mesh.face_element[keep])


def _crowns(
    layers: Sequence[Layer], season: Season, leaf_density: float, box: Bounds | None
) -> Iterator[tuple[Mesh, Floats, Floats]]:
    """Crowns of each layer of trees, with the share of light that passes each and the extinction within."""
    if season == "none":
        return
    figures = leaves()
    for layer in layers:
        if layer.theme != "tree" or not isinstance(layer.geometry, Mesh | Instances):
            continue
        mesh = _slots(layer.geometry, box, crown=True) if isinstance(layer.geometry, Instances) else layer.geometry
        count = max(_count(mesh), len(layer.table))
        green = np.zeros(count, dtype=bool)
        green[: len(layer.table)] = evergreen(layer)
        in_leaf = green | (season == "summer")
        density = leaf_density * np.where(in_leaf, 1.0, BARE_LEAVES)
        if len(mesh.faces):
            share = np.where(in_leaf, figures.in_leaf, figures.bare)
            yield mesh, share, figure("translucent", "extinction") * density


def _slots(trees: Instances, box: Bounds | None, *, crown: bool) -> Mesh:
    """The crowns, or all but the crowns, of planted trees near the box, as triangles."""
    shapes = []
    for shape in trees.shapes:
        keep = (shape.face_element == CROWN) == crown
        used, corner = np.unique(shape.faces[keep], return_inverse=True)
        faces = corner.reshape(-1, 3).astype(np.int32)
        shapes.append(Mesh(shape.vertices[used], faces, np.zeros(len(faces), np.int32)))
    near = np.ones(len(trees.shape), dtype=bool)
    if box is not None:
        widest = max(
            (float(np.abs(shape.vertices).max()) for shape in trees.shapes if len(shape.vertices)), default=0.0
        )
        size = widest * np.abs(trees.transform[:, :, :3]).max(axis=(1, 2)) * 2.0
        place = trees.transform[:, :, 3]
        for axis in range(2):
            near &= (place[:, axis] + size >= box.low[axis]) & (place[:, axis] - size <= box.high[axis])
    return Instances(tuple(shapes), trees.shape[near], trees.transform[near], trees.element[near]).baked()
