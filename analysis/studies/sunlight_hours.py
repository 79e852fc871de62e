"""Hours of direct sun on the ground, the facades and the roofs on one day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from analysis.contract import (
    Inputs,
    Params,
    Quantity,
    Reference,
    Result,
    Table,
    analysis,
    choice,
    layer_input,
    quantity,
    switch,
)
from analysis.kernels import sun
from analysis.kernels.rays import SURFACE_OFFSET, Occluder, SunTime, sun_time
from analysis.kernels.sampling import FaceCells, GroundPoints, face_cells, ground_points
from analysis.kernels.sun import TimeBasis
from geo.model import (
    Column,
    ElementTable,
    Feedback,
    Field,
    Frame,
    Grid,
    Instances,
    Issue,
    Layer,
    Mesh,
    Style,
    UserError,
    merge_meshes,
)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

STUDIED_THEMES = ("building", "bim")
BLOCKING_THEMES = ("building", "bim", "furniture", "rail", "other")
HORIZON_REACH = 3000.0  # [m] terrain further away than this from the studied area does not block
TERRAIN_CELLS = 1_500_000  # a terrain with more is thinned: three million triangles take a second to prepare
MOST_POINTS = 30_000_000  # about 3 GB of results
FLAT_TILT = 0.26  # |nz| of a face tilted 75 degrees: steeper counts as wall where the file does not say
FLOOR_STEP = 1.5  # [m] a building's floor this near the ground counts as standing on it
PROBED_POINTS = 50_000  # probed for buildings at a time: some 50 ms
MOST_FLOAT = 10.0  # [m] a ground surface this near above the terrain still belongs to a building standing there
HOUR_STEPS = (2.0, 4.0)  # [h] of the summary: 2 h and 4 h are the two limits of Korean courts

REDA_ANDREAS_2004 = Reference(
    "reda-andreas-2004",
    "I. Reda, A. Andreas: Solar position algorithm for solar radiation applications. Solar Energy 76(5), 2004.",
    "10.1016/j.solener.2003.12.003",
)
WALD_2014 = Reference(
    "wald-2014",
    "I. Wald et al.: Embree, a kernel framework for efficient CPU ray tracing. 2014.",
    "10.1145/2601097.2601199",
)


class SunlightParams(Params):
    """What a user can set."""

    day: date = choice("Day", default=date(2026, 12, 22), help="The winter solstice (동지) of 2026 by default.")
    start: float = quantity("From", "h", default=0.0, ge=0, le=24, help="Hour of the day; sunrise if that is later.")
    stop: float = quantity("To", "h", default=24.0, ge=0, le=24, help="Hour of the day; sunset if that is earlier.")
    step: float = quantity("Time step", "min", default=10.0, ge=1, le=60)
    time_basis: TimeBasis = choice(
        "Time basis",
        default="clock",
        help="clock: legal time. solar: true solar time (진태양시), 12 h = sun in the south.",
    )
    utc_offset: str = choice(
        "Clock ahead of UTC",
        default="auto",
        help="Hours, such as 9 or 5.5. auto: 9 in Korea, else that of the meridian.",
    )
    minimum_elevation: float = quantity(
        "Lowest sun", "deg", default=0.0, ge=0, le=45, help="A sun lower than this does not count."
    )
    ground: bool = switch("Ground", default=True)
    ground_cell: float = quantity("Ground cell", "m", default=2.0, ge=0.5, le=50)
    margin: float = quantity("Ground around the buildings", "m", default=50.0, ge=0, le=2000)
    facades: bool = switch("Facades and roofs", default=True)
    facade_spacing: float = quantity("Facade cell", "m", default=2.0, ge=0.5, le=20)
    trees_block: bool = switch("Trees block the sun", default=False, help="Korean appraisals leave trees out.")

    @field_validator("utc_offset")
    @classmethod
    def _known_offset(cls, text: str) -> str:
        if text != "auto" and not -12.0 <= float(text) <= 14.0:
            raise ValueError("must be auto or a number of hours from -12 to 14")
        return text


@dataclass(frozen=True)
class SunlightInputs(Inputs):
    """What it works on."""

    terrain: Layer | None = layer_input("Terrain", kind="terrain", optional=True)
    relief: tuple[Layer, ...] = layer_input(
        "Terrain surface (triangles)", kind="mesh", theme="terrain", many=True, optional=True
    )
    blockers: tuple[Layer, ...] = layer_input(
        "Buildings and other obstacles", kind=("mesh", "instances"), theme=BLOCKING_THEMES, many=True, optional=True
    )
    trees: tuple[Layer, ...] = layer_input("Trees", kind=("mesh", "instances"), theme="tree", many=True, optional=True)


class _Day(NamedTuple):
    """The instants of the day and where the sun stands at each."""

    day: sun.SunDay
    utc_offset: float
    instants: sun.Instants
    towards_sun: Floats

    @property
    def hours(self) -> float:
        return float(self.instants.weights.sum())


class _City(NamedTuple):
    """All that blocks the sun, and what is looked at."""

    terrain: Grid | Mesh | float
    buildings: list[tuple[Layer, Mesh, NDArray[np.int8]]]
    occluder: Occluder
    solid: Bools
    base: Bools
    normal_z: Floats
    low: tuple[float, float]
    high: tuple[float, float]


class _Facades(NamedTuple):
    """Cells of one sort of surface over all buildings, with element numbers through all layers."""

    cells: FaceCells
    time: SunTime


@analysis(
    id="sunlight.hours",
    title="Hours of direct sun",
    description=(
        "Total hours of direct sun and the longest unbroken run on one day, on the ground and on every facade and roof."
    ),
    version=1,
    inputs=SunlightInputs,
    params=SunlightParams,
    references=(REDA_ANDREAS_2004, WALD_2014),
)
def sunlight_hours(inputs: SunlightInputs, params: SunlightParams, feedback: Feedback) -> Result:
    """Trace the sun of one day over a city."""
    if inputs.terrain is None and not inputs.blockers and not inputs.relief:
        raise UserError(
            "There is nothing the sun could fall on.",
            "The project has neither a terrain nor buildings.",
            "Import a terrain or buildings first.",
            code="sunlight.nothing",
        )
    issues: list[Issue] = []
    feedback.step(0.0, "positions of the sun")
    day = _sun_of_day(inputs.frame, params)
    city = _city(inputs, params, issues, feedback.part(0.02, 0.15))
    ground = _ground(city, day, params, feedback.part(0.15, 0.5))
    surfaces = _surfaces(city, day, params, issues, feedback.part(0.5, 0.97))
    names = _element_names(city)
    layers = _layers(ground, surfaces, names, day, inputs.terrain)
    feedback.step(1.0, "done")
    return Result(
        layers=layers,
        summary=_summary(day, ground, surfaces),
        tables=(_building_table(city, surfaces, names),),
        issues=(*_choices_made(inputs, params, day), *issues),
        assumptions=ASSUMPTIONS,
    )


# --- time ------------------------------------------------------------------------------------------------------------


def _sun_of_day(frame: Frame, params: SunlightParams) -> _Day:
    """Instants between sunrise and sunset within the wanted hours; directions in the scene's axes (grid north)."""
    place = (frame.longitude, frame.latitude)
    offset = sun.utc_offset_of(*place) if params.utc_offset == "auto" else float(params.utc_offset)
    if params.stop <= params.start:
        raise UserError(
            f"The hours from {params.start:g} to {params.stop:g} are empty.",
            "The end must be later than the start.",
            "Give a later end.",
            code="sunlight.empty_hours",
            values={"start": params.start, "stop": params.stop},
        )
    day = sun.sun_day(params.day, *place, utc_offset_h=offset)
    first, last = (
        sun.hour_of_day(params.day, hour, frame.longitude, time_basis=params.time_basis, utc_offset_h=offset)
        for hour in (params.start, params.stop)
    )
    rise, fall = sun.sun_above(params.minimum_elevation, day.noon, *place)
    first, last = (max(first, rise) if rise else first), (min(last, fall) if fall else last)
    instants = sun.instants_between(first, last, params.step)
    position = sun.sun_position(instants.times, *place)
    up = position.apparent_elevation > params.minimum_elevation
    instants = sun.Instants(instants.times[up], instants.weights[up])
    if not up.any():
        raise UserError(
            f"The sun is not up on {params.day} in the hours chosen.",
            "It stays below the horizon or below the lowest elevation asked for.",
            "Choose other hours, another day or a lower limit.",
            code="sunlight.no_sun",
            values={"day": str(params.day)},
        )
    azimuth = frame.grid_azimuth(position.azimuth[up])
    return _Day(day, offset, instants, sun.sun_vectors(azimuth, position.apparent_elevation[up]))


# --- geometry --------------------------------------------------------------------------------------------------------


def _city(inputs: SunlightInputs, params: SunlightParams, issues: list[Issue], feedback: Feedback) -> _City:
    blocking = [*inputs.blockers, *(inputs.trees if params.trees_block else ())]
    meshes = [(layer, _mesh_of(layer)) for layer in blocking]
    buildings = [(layer, mesh, _surface_codes(layer, mesh)) for layer, mesh in meshes if layer.theme in STUDIED_THEMES]
    low, high = _area(
        [inputs.terrain] if inputs.terrain else inputs.relief,
        [m for _, m, _ in buildings] or [m for _, m in meshes],
        params,
    )
    terrain = _terrain(inputs, [m for _, m in meshes], (low, high), issues)
    ground_mesh = terrain if isinstance(terrain, Mesh) else _ground_mesh(terrain, low, high)
    everything = [ground_mesh, *(mesh for _, mesh in meshes)]
    level = float(np.mean([box.centre[2] for box in (m.bounds for m in everything) if box is not None]))
    centre = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, level])
    occluder = Occluder(everything, centre, feedback)
    solid = [np.zeros(len(ground_mesh.faces), dtype=bool)]
    solid += [np.full(len(mesh.faces), layer.theme in STUDIED_THEMES) for layer, mesh in meshes]
    base = np.concatenate([np.zeros(len(ground_mesh.faces), dtype=bool), *(_base_faces(*pair) for pair in meshes)])
    normal_z = np.concatenate([mesh.face_cross[:, 2] for mesh in everything])
    return _City(terrain, buildings, occluder, np.concatenate(solid), base, normal_z, low, high)


def _base_faces(layer: Layer, mesh: Mesh) -> Bools:
    """(m,) faces that the file itself calls the ground surface of a building."""
    said = layer.field_named("surface")
    known = said is not None and said.on == "face" and "ground" in said.categories and layer.theme in STUDIED_THEMES
    if said is None or not known or len(said.values) != len(mesh.faces):
        return np.zeros(len(mesh.faces), dtype=bool)
    return np.asarray(said.values == said.categories.index("ground"))


def _mesh_of(layer: Layer) -> Mesh:
    geometry = layer.geometry
    if isinstance(geometry, Instances):
        return geometry.baked()
    return geometry if isinstance(geometry, Mesh) else merge_meshes(())


def _surface_codes(layer: Layer, mesh: Mesh) -> NDArray[np.int8]:
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
    terrains: Sequence[Layer], meshes: list[Mesh], params: SunlightParams
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


def _terrain(
    inputs: SunlightInputs,
    meshes: list[Mesh],
    area: tuple[tuple[float, float], tuple[float, float]],
    issues: list[Issue],
) -> Grid | Mesh | float:
    """The terrain near the area, thinned if very fine; else a surface of triangles; else the height of a plain."""
    layer = inputs.terrain
    if layer is None or not isinstance(layer.geometry, Grid):
        surfaces = [relief.geometry for relief in inputs.relief if isinstance(relief.geometry, Mesh)]
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


def _ground_mesh(terrain: Grid | float, low: tuple[float, float], high: tuple[float, float]) -> Mesh:
    """The triangles of a terrain; two under the area for a plain."""
    if isinstance(terrain, Grid):
        return terrain.surface()
    corners = np.array([[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]])
    vertices = np.column_stack([corners, np.full(4, terrain)])
    return Mesh(vertices, np.array([[0, 1, 2], [0, 2, 3]], np.int32), np.zeros(2, np.int32))


# --- the ground ------------------------------------------------------------------------------------------------------


def _ground(city: _City, day: _Day, params: SunlightParams, feedback: Feedback) -> tuple[GroundPoints, SunTime] | None:
    if not params.ground:
        return None
    everywhere = _cells_on_the_ground(city, params)
    feedback.step(0.0, "finding the open ground")
    open_ground = ~_under_buildings(city, everywhere.points, feedback.part(0.0, 0.05))
    ground = everywhere._replace(points=everywhere.points[open_ground], number=everywhere.number[open_ground])
    time = sun_time(
        city.occluder, ground.points, day.towards_sun, day.instants.weights, feedback=feedback.part(0.05, 1.0)
    )
    return ground, time


def _cells_on_the_ground(city: _City, params: SunlightParams) -> GroundPoints:
    """Cells on a grid, a plain, or the uppermost triangles of a terrain surface."""
    if not isinstance(city.terrain, Mesh):
        return ground_points(city.terrain, params.ground_cell, city.low, city.high)
    box = city.terrain.bounds
    top = (box.high[2] if box is not None else 0.0) + 1.0
    flat = ground_points(top, params.ground_cell, city.low, city.high)
    distance = Occluder([city.terrain]).first_hit(flat.points, np.array([[0.0, 0.0, -1.0]])).distance
    there = np.isfinite(distance)
    points = flat.points[there] - np.outer(distance[there], [0.0, 0.0, 1.0])
    return flat._replace(points=points, number=flat.number[there])


def _under_buildings(city: _City, points: Floats, feedback: Feedback) -> Bools:
    """(n,) whether a point of the ground lies inside a building.

    Inside: straight up the first face of a building is met from behind (a roof from within), or is its ground surface
    (a building that floats a little); or the point stands on (or just under) a building's floor with more of the
    building overhead. A bridge or a canopy leaves it outside.
    """
    inside = np.zeros(len(points), dtype=bool)
    up, down = np.array([[0.0, 0.0, 1.0]]), np.array([[0.0, 0.0, -1.0]])
    for start in range(0, len(points), PROBED_POINTS):
        feedback.step(start / len(points), "finding the open ground")
        part = points[start : start + PROBED_POINTS]
        hit = city.occluder.first_hit(part + [0, 0, SURFACE_OFFSET], up)
        floating = (hit.face >= 0) & city.base[hit.face] & (hit.distance < MOST_FLOAT)
        from_behind = (_solid(city, hit.face) & (city.normal_z[hit.face] > 0)) | floating
        head = part + [0, 0, FLOOR_STEP]
        floor = city.occluder.first_hit(head, down, 2 * FLOOR_STEP).face
        overhead = city.occluder.first_hit(head, up).face
        inside[start : start + PROBED_POINTS] = from_behind | (_solid(city, floor) & _solid(city, overhead))
    return inside


def _solid(city: _City, face: NDArray[np.int64]) -> Bools:
    return (face >= 0) & city.solid[face]


# --- facades and roofs -----------------------------------------------------------------------------------------------


def _surfaces(
    city: _City, day: _Day, params: SunlightParams, issues: list[Issue], feedback: Feedback
) -> dict[str, _Facades]:
    """Walls (``facades``) and ``roofs`` of all buildings; the element numbers run through all layers."""
    if not params.facades or not city.buildings:
        return {}
    _check_facade_size(city, params)
    found = {}
    for number, (name, code) in enumerate((("facades", 0), ("roofs", 1))):
        share = feedback.part(number / 2, (number + 1) / 2)
        share.step(0.0, "cutting the facades into cells")
        mesh = _selected(city, code)
        cells = face_cells(mesh, params.facade_spacing, feedback=share.part(0.0, 0.3))
        cells = _without_hidden(city, cells, issues, name)
        time = sun_time(
            city.occluder,
            cells.points,
            day.towards_sun,
            day.instants.weights,
            normals=cells.normals,
            feedback=share.part(0.3, 1.0),
        )
        found[name] = _Facades(cells, time)
    return found


def _check_facade_size(city: _City, params: SunlightParams) -> None:
    area = sum(float(mesh.face_area.sum()) for _, mesh, _ in city.buildings)
    cells = area / params.facade_spacing**2
    if cells > MOST_POINTS / 3:
        raise UserError(
            f"The facades would have {cells / 1e6:.0f} million cells, more than this computer is asked to hold.",
            f"Their area is {area / 1e6:.1f} km2.",
            "Choose a larger facade cell or fewer layers.",
            code="sunlight.too_many_facade_cells",
            values={"cells": round(cells / 1e6), "area": round(area / 1e6, 1)},
        )


def _selected(city: _City, code: int) -> Mesh:
    """The faces of one sort of all buildings as one mesh; elements numbered through the layers."""
    vertices, faces, elements = [np.zeros((0, 3))], [np.zeros((0, 3), np.int32)], [np.zeros(0, np.int32)]
    start, first = 0, 0
    for layer, mesh, codes in city.buildings:
        chosen = codes == code
        vertices.append(mesh.vertices)
        faces.append(mesh.faces[chosen] + np.int32(start))
        elements.append(mesh.face_element[chosen] + np.int32(first))
        start += len(mesh.vertices)
        first += _element_count(layer, mesh)
    return Mesh(np.concatenate(vertices), np.concatenate(faces), np.concatenate(elements))


def _without_hidden(city: _City, cells: FaceCells, issues: list[Issue], name: str) -> FaceCells:
    """Leave out the cells of BIM models that see no sky: inner walls, layers within a wall, furniture."""
    first, bim = 0, np.zeros(len(cells.area), dtype=bool)
    for layer, mesh, _ in city.buildings:
        count = _element_count(layer, mesh)
        if layer.theme == "bim":
            bim |= (cells.element >= first) & (cells.element < first + count)
        first += count
    if not bim.any():
        return cells
    some = np.flatnonzero(bim)
    hidden = some[~_sees_sky(city.occluder, cells.points[some], cells.normals[some])]
    if len(hidden):
        issues.append(
            Issue(
                f"sunlight.hidden_{name}",
                f"{len(hidden)} cells of BIM models see no sky and were left out: inner walls, layers inside walls.",
                severity="note",
                count=len(hidden),
            )
        )
    keep = np.ones(len(cells.area), dtype=bool)
    keep[hidden] = False
    return cells.kept(keep)


def _sees_sky(occluder: Occluder, points: Floats, normals: Floats) -> Bools:
    """(n,) whether any of 61 directions spread over the sky is free and in front of the surface."""
    seen = np.zeros(len(points), dtype=bool)
    starts = points + SURFACE_OFFSET * normals
    for azimuth, elevation in _sky_directions():
        way = sun.sun_vectors(azimuth, elevation)
        waiting = np.flatnonzero(~seen & (normals @ way[0] > 0.02))
        seen[waiting] = ~occluder.occluded(starts[waiting], way)
    return seen


def _sky_directions() -> list[tuple[float, float]]:
    rings = ((10.0, 24), (30.0, 18), (50.0, 12), (70.0, 6), (90.0, 1))
    return [(360.0 * k / count, elevation) for elevation, count in rings for k in range(count)]


def _element_count(layer: Layer, mesh: Mesh) -> int:
    return max(len(layer.table), int(mesh.face_element.max()) + 1 if len(mesh.faces) else 0)


# --- what comes out --------------------------------------------------------------------------------------------------


class _Names(NamedTuple):
    """Per element through all layers: unique name, id in its layer, name of the layer, id of the layer."""

    unique: NDArray[np.object_]
    own: NDArray[np.object_]
    layer: NDArray[np.object_]
    layer_id: NDArray[np.object_]


def _element_names(city: _City) -> _Names:
    own: list[str] = []
    layers: list[str] = []
    layer_ids: list[str] = []
    for layer, mesh, _ in city.buildings:
        count = _element_count(layer, mesh)
        ids = [str(i) for i in layer.table.ids]
        own += ids + [f"{layer.id}-{k}" for k in range(len(ids), count)]
        layers += [layer.name] * count
        layer_ids += [layer.id] * count
    twice = {name for name, seen in _counted(own).items() if seen > 1}
    unique = [f"{lid}:{name}" if name in twice else name for lid, name in zip(layer_ids, own, strict=True)]
    return _Names(*(np.array(column, dtype=object) for column in (unique, own, layers, layer_ids)))


def _counted(names: list[str]) -> Mapping[str, int]:
    values, counts = np.unique(np.array(names, dtype=str), return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def _fields(total: NDArray[np.float64], longest: NDArray[np.float64], on: str, hours: float) -> tuple[Field, Field]:
    top = max(1.0, float(np.ceil(hours)))
    return (
        Field("sun_hours", "h", on, total, ramp="sun_hours", range=(0.0, top)),  # type: ignore[arg-type]
        Field("longest_run", "h", on, longest, ramp="sun_hours", range=(0.0, top)),  # type: ignore[arg-type]
    )


def _layers(
    ground: tuple[GroundPoints, SunTime] | None,
    surfaces: dict[str, _Facades],
    names: _Names,
    day: _Day,
    terrain: Layer | None,
) -> tuple[Layer, ...]:
    layers = []
    style = Style(colour_by="sun_hours")
    if ground is not None:
        points, time = ground
        hours, longest = points.spread(time.total), points.spread(time.longest)
        level = float(points.points[:, 2].mean()) if len(points.points) else 0.0
        grid = Grid(hours, points.x0, points.y0, points.cell, z=level)
        fields = _fields(hours, longest, "cell", day.hours)
        layers.append(Layer("ground", "Sun hours on the ground", "result", grid, fields=fields, style=style))
    titles = {"facades": "Sun hours on facades", "roofs": "Sun hours on roofs"}
    for name, surface in surfaces.items():
        cells, time = surface
        if len(cells.area) == 0:
            continue
        used, element = np.unique(cells.mesh.face_element, return_inverse=True)
        mesh = Mesh(cells.mesh.vertices, cells.mesh.faces, element.astype(np.int32))
        total, longest = time.total[cells.cell_of_face], time.longest[cells.cell_of_face]
        stats = _per_element(surface, len(names.unique))
        table = ElementTable(
            names.unique[used],
            {
                "building": Column(names.own[used]),
                "layer": Column(names.layer[used]),
                "mean_hours": Column(stats["mean"][used], "h"),
                "min_hours": Column(stats["min"][used], "h"),
                "area": Column(stats["area"][used], "m2"),
            },
        )
        fields = _fields(total, longest, "face", day.hours)
        layers.append(Layer(name, titles[name], "result", mesh, table=table, fields=fields, style=style))
    return tuple(layers)


def _per_element(surface: _Facades, count: int) -> dict[str, Floats]:
    """Mean (by area), least hours and area per element; not-a-number where it has no such surface."""
    cells, time = surface
    area = np.bincount(cells.element, cells.area, count)
    weighted = np.bincount(cells.element, cells.area * time.total, count)
    least = np.full(count, np.inf)
    np.minimum.at(least, cells.element, time.total)
    none = area == 0
    mean = np.divide(weighted, area, out=np.full(count, np.nan), where=~none)
    return {"mean": mean, "min": np.where(none, np.nan, least), "area": area}


def _building_table(city: _City, surfaces: dict[str, _Facades], names: _Names) -> Table:
    columns = {
        "id": Column(names.own, title="Building"),
        "layer": Column(names.layer, title="Layer"),
    }
    for name, title in (("facades", "walls"), ("roofs", "roof")):
        if name in surfaces:
            stats = _per_element(surfaces[name], len(names.unique))
            columns[f"{name}_mean"] = Column(stats["mean"], "h", f"Mean hours, {title}")
            columns[f"{name}_min"] = Column(stats["min"], "h", f"Least hours, {title}")
            columns[f"{name}_area"] = Column(stats["area"], "m2", f"Area, {title}")
    keep = np.zeros(len(names.unique), dtype=bool)
    for surface in surfaces.values():
        keep[surface.cells.element] = True
    kept = {key: Column(column.values[keep], column.unit, column.title) for key, column in columns.items()}
    return Table("buildings", "Hours of sun per building", kept)


def _summary(
    day: _Day, ground: tuple[GroundPoints, SunTime] | None, surfaces: dict[str, _Facades]
) -> dict[str, Quantity]:
    def clock(instant: np.datetime64 | None) -> str:
        if instant is None:  # no sunrise or no sunset on this day
            return "-"
        return str(instant + np.timedelta64(round(day.utc_offset * 3_600_000), "ms"))[11:19]

    out = {
        "sunrise": Quantity(clock(day.day.sunrise), ""),
        "solar_noon": Quantity(clock(day.day.noon), ""),
        "sunset": Quantity(clock(day.day.sunset), ""),
        "day_length": Quantity(round(day.day.length_h, 4), "h"),
        "possible_hours": Quantity(round(day.hours, 4), "h"),
    }
    rays = points = 0
    if ground is not None:
        cells, time = ground
        each = np.full(len(time.total), cells.cell**2)
        out |= _statistics("ground", time.total, each)
        rays, points = rays + time.rays, points + len(each)
    for name, surface in surfaces.items():
        out |= _statistics(name, surface.time.total, surface.cells.area)
        rays, points = rays + surface.time.rays, points + len(surface.cells.area)
    return out | {"points": Quantity(points, "1"), "rays": Quantity(rays, "1")}


def _statistics(name: str, hours: Floats, area: Floats) -> dict[str, Quantity]:
    """Area, mean, median, 10th percentile and the share with enough hours, weighted by area."""
    total = float(area.sum())
    out = {f"{name}_area": Quantity(round(total, 3), "m2")}
    if total == 0:
        return out
    order = np.argsort(hours, kind="stable")
    reached = np.cumsum(area[order]) / total

    def percentile(share: float) -> float:
        return round(float(hours[order][min(int(np.searchsorted(reached, share)), len(order) - 1)]), 4)

    out[f"{name}_mean"] = Quantity(round(float((hours * area).sum() / total), 4), "h")
    out[f"{name}_median"] = Quantity(percentile(0.5), "h")
    out[f"{name}_p10"] = Quantity(percentile(0.1), "h")
    for least in HOUR_STEPS:
        # hours are sums of steps: a ten-billionth forgives the rounding of twelve tenths of an hour
        enough = float(area[hours >= least - 1e-10].sum()) / total
        out[f"{name}_share_{least:.0f}h"] = Quantity(round(100 * enough, 3), "%")
    return out


# The translations count these from 0 (``sunlight.hours.assumption.0``): keep the order.
ASSUMPTIONS = (
    "The sun is a point: true shadow edges are blurred by 0.27 degrees to each side.",
    "The sun's height includes refraction at sea level (1013 hPa, 12 degrees C).",
    "Each time step is judged at its middle, from the rise of the sun's centre to its setting on a plain.",
    "The sky is clear; glass blocks like a wall.",
    "The horizon is made by the loaded terrain and obstacles; hills beyond them do not block.",
    "Walls that touch a neighbour count as facade without sun.",
    "Means, percentiles and shares are weighted by area.",
)


def _choices_made(inputs: SunlightInputs, params: SunlightParams, day: _Day) -> list[Issue]:
    """What was decided for the user, with its figures."""
    clock = params.time_basis == "clock"
    basis = "clock time" if clock else "true solar time"
    made = [
        Issue(
            "sunlight.clock_time" if clock else "sunlight.solar_time",
            f"Hours of the day are {basis}; the clock shows UTC{day.utc_offset:+g} h.",
            values={"offset": f"{day.utc_offset:+g}"},
        )
    ]
    if params.utc_offset == "auto" and not sun.in_korea(inputs.frame.longitude, inputs.frame.latitude):
        made.append(
            Issue(
                "sunlight.offset_assumed",
                f"UTC{day.utc_offset:+g} h was taken from the longitude; the legal time of the place may differ.",
                severity="doubt",
                values={"offset": f"{day.utc_offset:+g}"},
            )
        )
    if inputs.trees:
        code, said = (
            ("sunlight.trees_block", "block") if params.trees_block else ("sunlight.trees_left_out", "do not block")
        )
        made.append(Issue(code, f"Trees {said} the sun.", count=len(inputs.trees)))
    return made
