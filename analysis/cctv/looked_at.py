"""What ``cctv.coverage`` looks at: the ground, rooms, facades, doors and plates near the cameras or in named areas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.cctv import targets as made
from analysis.cctv.cameras import Camera
from analysis.cctv.classes import Edition, asked_class
from analysis.cctv.declaration import CoverageInputs, CoverageParams
from analysis.cctv.outlines import AreaCells, address_of, area_cells, cells_of_faces, height_at
from analysis.cctv.places import RoomCells, entrance_places, plate_places, rooms_looked_at
from analysis.cctv.plain import plain_level, tell_plain
from analysis.cctv.sight import SightScene
from analysis.kernels.inside import Raster
from analysis.kernels.sampling import FaceCells
from analysis.sunlight.city import City, mesh_of, surface_codes
from analysis.sunlight.ground import is_open_ground
from geo.model import Bounds, Feedback, Grid, Issue, Layer, Mesh, UserError, merge_meshes

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

MOST_TARGETS = 5_000_000  # about 2 GB with all that is kept of each
ELSEWHERE = "-"


@dataclass(frozen=True, eq=False)
class LookedAt:
    """All targets, and where their cells lie.

    Attributes
    ----------
    targets : Targets
        `number` of a target on the ground is its cell of `raster`; of a room or facade that of its cell; of an
        entrance or plate its place among `doors` or `plates`.
    raster : Raster or None
        Of the ground.
    level : float [local m]
        Mean height of that ground.
    rooms : RoomCells or None
    facades : FaceCells or None
    """

    targets: made.Targets
    raster: Raster | None = None
    level: float = 0.0
    rooms: RoomCells | None = None
    facades: FaceCells | None = None


def looked_at(
    inputs: CoverageInputs,
    params: CoverageParams,
    scene: SightScene,
    cameras: Sequence[Camera],
    edition: Edition,
    issues: list[Issue],
    feedback: Feedback,
) -> LookedAt:
    """Gather every target that is asked for."""
    places = np.array([camera.position for camera in cameras])
    parts: list[made.Targets] = []
    found = _Found()
    if params.ground != "none":
        ground = _ground(inputs, params, scene, places, edition, issues, feedback.part(0.0, 0.5))
        if ground is not None:
            parts.append(ground[0])
            found.raster, found.level = ground[1], ground[2]
    feedback.step(0.5, "finding rooms, facades and doors")
    if params.indoors != "none" and inputs.rooms:
        found.rooms = rooms_looked_at(inputs.rooms, places, params.indoors, params.room_cell)
        parts.append(_room_targets(found.rooms, params, edition))
    if params.facades:
        walls = _facades(inputs, params, places, edition, feedback.part(0.6, 0.9))
        if walls is not None:
            found.facades, targets = walls
            parts.append(targets)
    near = _Near(places, params.around)
    if params.entrances:
        parts += _entrances(inputs, params, near, edition)
    if params.plates:
        parts += _plates(inputs, params, scene, near, edition)
    targets = made.join(parts)
    if len(targets) == 0:
        raise UserError(
            "There is nothing for the cameras to look at.",
            "No open ground, room, facade or entrance was found in the areas named or around the cameras.",
            "Name another area, widen the ground around the cameras, or check the terrain.",
            code="cctv.no_targets",
        )
    return LookedAt(targets, found.raster, found.level, found.rooms, found.facades)


class _Found:
    raster: Raster | None = None
    level: float = 0.0
    rooms: RoomCells | None = None
    facades: FaceCells | None = None


@dataclass(frozen=True, eq=False)
class _Near:
    """Whether points lie around the cameras."""

    places: Floats
    reach: float

    def __call__(self, points: Floats, /) -> Bools:
        away = np.full(len(points), np.inf)
        for place in self.places:
            np.minimum(away, np.hypot(points[:, 0] - place[0], points[:, 1] - place[1]), out=away)
        return away <= self.reach


# --- ground


def _ground(
    inputs: CoverageInputs,
    params: CoverageParams,
    scene: SightScene,
    places: Floats,
    edition: Edition,
    issues: list[Issue],
    feedback: Feedback,
) -> tuple[made.Targets, Raster, float] | None:
    areas = area_cells(inputs.areas, params.ground_cell, edition) if inputs.areas else _discs(places, params)
    if not inputs.areas:
        text = (
            f"No area is named: the ground within {params.around:g} m of the cameras is looked at, whatever they see."
        )
        issues.append(Issue("cctv.around", text, "note", values={"around": params.around}))
    if len(areas.cell) > MOST_TARGETS:
        raise _too_many(len(areas.cell))
    if params.ground == "roads":
        areas = areas.kept(_on_roads(inputs.roads, areas.raster)[areas.cell])
    raster = areas.raster
    x, y = (
        np.asarray(raster.x0 + raster.cell * (areas.cell % raster.shape[1]), dtype=np.float64),
        np.asarray(raster.y0 + raster.cell * (areas.cell // raster.shape[1]), dtype=np.float64),
    )
    low = 0.0
    if scene.obstacles.terrain is None:
        low, source = plain_level(inputs.buildings, inputs.ways, _around(x, y))
        tell_plain(low, source, issues)
    z = height_at(scene.obstacles.terrain, x, y, otherwise=low)
    there = np.isfinite(z)
    points = np.column_stack([x, y, z])[there]
    areas = areas.kept(there)
    free = is_open_ground(_city(scene, points), points, feedback) if len(points) else np.zeros(0, dtype=bool)
    points, areas = points[free], areas.kept(free)
    if len(points) == 0:
        issues.append(Issue("cctv.no_ground", "No open ground was found to look at.", "doubt"))
        return None
    required = np.where(areas.required < 0, asked_class(edition, "ground"), areas.required)
    targets = made.ground_targets(
        points, cell=params.ground_cell, height=params.height, importance=areas.importance, area=areas.area,
        areas=areas.names, required=required, number=areas.cell, lux=_lux(inputs, params, points, raster, areas.cell),
    )  # fmt: skip
    return targets, raster, float(points[:, 2].mean())


def _around(x: Floats, y: Floats) -> Bounds | None:
    """A box about points in plan."""
    if len(x) == 0:
        return None
    return Bounds((float(x.min()), float(y.min()), -np.inf), (float(x.max()), float(y.max()), np.inf))


def _too_many(count: int) -> UserError:
    return UserError(
        f"The ground has {count / 1e6:.0f} million cells, more than this computer is asked to hold.",
        "The areas named, or the ground around the cameras, are too large for the cell.",
        "Choose a larger ground cell or smaller areas.",
        code="cctv.too_many_targets",
        values={"cells": round(count / 1e6)},
    )


def _city(scene: SightScene, points: Floats) -> City:
    """The scene as the finder of open ground wants it."""
    found = scene.obstacles
    none = np.zeros(len(found.normal), dtype=bool)
    corner = (float(points[:, 0].min()), float(points[:, 1].min()))
    return City(0.0, [], scene.opaque, found.solid, none, found.normal[:, 2], corner, corner, merge_meshes(()), [])


def _discs(places: Floats, params: CoverageParams) -> AreaCells:
    """Cells within reach of a camera in plan, on the lattice of the map."""
    cell, reach = params.ground_cell, params.around
    low = np.floor((places[:, :2].min(axis=0) - reach) / cell).astype(np.int64)
    high = np.ceil((places[:, :2].max(axis=0) + reach) / cell).astype(np.int64)
    cols, rows = (int(value) for value in high - low)
    raster = Raster((low[0] + 0.5) * cell, (low[1] + 0.5) * cell, cell, (rows, cols))
    number: list[Indices] = []
    steps = int(np.ceil(reach / cell)) + 1
    for place in places:
        col, row = (int(np.floor((place[k] - low[k] * cell) / cell)) for k in range(2))
        cs = np.arange(max(0, col - steps), min(cols, col + steps + 1))
        rs = np.arange(max(0, row - steps), min(rows, row + steps + 1))
        away = np.hypot(*np.meshgrid(raster.x0 + cell * cs - place[0], raster.y0 + cell * rs - place[1]))
        r, c = np.nonzero(away <= reach)
        number.append(rs[r] * cols + cs[c])
    return AreaCells.plain(raster, np.unique(np.concatenate(number)))


def _on_roads(roads: Sequence[Layer], raster: Raster) -> Bools:
    """(cells,) whether the middle of a cell lies on a road or square."""
    out = np.zeros(raster.shape[0] * raster.shape[1], dtype=bool)
    for layer in roads:
        if isinstance(layer.geometry, Mesh):
            out[cells_of_faces(layer.geometry, np.ones(len(layer.geometry.faces), dtype=bool), raster)] = True
    return out


def _lux(inputs: CoverageInputs, params: CoverageParams, points: Floats, raster: Raster, cell: Indices) -> Floats:
    """Light at night: the map of light where it says something, else that of roads, else unknown."""
    light = np.full(len(points), np.nan)
    if params.street_light > 0:
        light[_on_roads(inputs.roads, raster)[cell]] = params.street_light
    if inputs.light is not None and isinstance(inputs.light.geometry, Grid):
        said = inputs.light.geometry.sample(points[:, 0], points[:, 1])
        light = np.where(np.isfinite(said), said, light)
    return light


# --- rooms, facades, doors, plates


def _room_targets(cells: RoomCells, params: CoverageParams, edition: Edition) -> made.Targets:
    return made.room_targets(
        cells.points, cell=params.room_cell, height=params.height, area=cells.room, areas=cells.names or (ELSEWHERE,),
        required=asked_class(edition, "room"), number=np.arange(len(cells.points)),
    )  # fmt: skip


def _facades(
    inputs: CoverageInputs, params: CoverageParams, places: Floats, edition: Edition, feedback: Feedback
) -> tuple[FaceCells, made.Targets] | None:
    """Cells of the walls of buildings around the cameras."""
    from analysis.kernels.sampling_parts import cells_of_faces as cut

    near = _Near(places, params.around)
    shapes: list[Mesh] = []
    names: list[str] = []
    for layer in inputs.buildings:
        if layer.theme != "building":
            continue
        mesh = mesh_of(layer)
        wall = surface_codes(layer, mesh) == 0
        middle = mesh.vertices[mesh.faces].mean(axis=1) if len(mesh.faces) else np.zeros((0, 3))
        keep = np.flatnonzero(wall & (near(middle)))
        first = len(names)
        rows, element = np.unique(mesh.face_element[keep], return_inverse=True)
        names += [address_of(layer, int(row)) for row in rows]
        shapes.append(Mesh(mesh.vertices, mesh.faces[keep], (element + first).astype(np.int32)))
    if not any(len(shape.faces) for shape in shapes):
        return None
    whole = merge_meshes(shapes)
    owner: NDArray[np.int32] = np.concatenate([shape.face_element for shape in shapes])
    cells = cut(Mesh(whole.vertices, whole.faces, owner), params.facade_cell, feedback=feedback)
    targets = made.facade_targets(
        cells.points, cells.normals, cell_area=cells.area, area=cells.element, areas=tuple(names),
        required=asked_class(edition, "facade"), number=np.arange(len(cells.area)),
    )  # fmt: skip
    return cells, targets


def _entrances(inputs: CoverageInputs, params: CoverageParams, near: _Near, edition: Edition) -> Iterator[made.Targets]:
    points, ahead, names = entrance_places(inputs.ways)
    if len(points) == 0:
        return
    keep = near(points) if not inputs.areas else np.ones(len(points), dtype=bool)
    yield made.entrance_targets(
        points[keep], ahead[keep], height=params.height, weight_area=params.entrance_weight,
        area=np.arange(int(keep.sum())), areas=tuple(np.array(names, dtype=object)[keep]),
        required=asked_class(edition, "entrance"), number=np.arange(int(keep.sum())),
    )  # fmt: skip


def _plates(
    inputs: CoverageInputs, params: CoverageParams, scene: SightScene, near: _Near, edition: Edition
) -> Iterator[made.Targets]:
    points, ahead, row, names = plate_places(inputs.roads, params.plate_spacing, near)
    if len(points) == 0:
        return
    height = height_at(scene.obstacles.terrain, points[:, 0], points[:, 1])
    points[:, 2] = np.where(np.isfinite(height), height, points[:, 2])
    yield made.plate_targets(
        points, ahead, weight_area=params.plate_weight, area=row, areas=names, required=asked_class(edition, "plate"),
        number=np.arange(len(points)),
    )  # fmt: skip
