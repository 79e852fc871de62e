"""What falls on ground, facades and roofs of a city: sun and sky by rays, what ground and buildings throw back by mean.

Reflected light is one bounce: a surface gets the mean of the ground times its albedo from the half of the world below
the horizon, and the mean of facades and roofs times theirs from the part of the sky that solids hide.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.irradiation.declaration import IrradiationParams
from analysis.irradiation.sky import YearSky
from analysis.kernels.irradiance import MONTHS, Exposure, exposure
from analysis.kernels.rays import Occluder
from analysis.kernels.sampling import FaceCells, GroundPoints
from analysis.sunlight.city import City
from analysis.sunlight.ground import open_ground
from analysis.sunlight.surfaces import SORTS, check_facade_size, surface_cells
from geo.model import Feedback, Issue

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

MEAN_GROUND_POINTS = 4000  # of the ground that is only asked for what it throws back


class Ground(NamedTuple):
    """Cells of the ground and what falls on them by month (n, 12) [kWh/m2]."""

    cells: GroundPoints
    months: Singles


class Surface(NamedTuple):
    """Cells of walls or roofs and what falls on them by month (n, 12) [kWh/m2]."""

    cells: FaceCells
    months: Singles


class Exposed(NamedTuple):
    """All that was looked at; `ground` is None when it was not asked for."""

    ground: Ground | None
    surfaces: dict[str, Surface]
    rays: int


class _CoarseGround(NamedTuple):
    """A `Sampling` of the ground with another cell."""

    ground: bool
    ground_cell: float
    margin: float
    facades: bool
    facade_spacing: float
    trees_block: bool


def exposed(city: City, year: YearSky, params: IrradiationParams, issues: list[Issue], feedback: Feedback) -> Exposed:
    """Trace sun and sky, then add what is thrown back."""
    feedback.step(0.0, "preparing the obstacles")
    solids, trees = _obstacles(city)
    through = tree_transmission(params)
    if params.facades:
        check_facade_size(city, params)
    cells = {
        name: surface_cells(city, params, name, issues, feedback.part(0.05 * k, 0.05 * k + 0.05))
        for k, name in enumerate(SORTS)
        if params.facades and city.buildings
    }
    ground = open_ground(city, _ground_sampling(city, params), feedback.part(0.1, 0.15))
    sizes = [len(ground.points), *(len(found.points) for found in cells.values())]
    ends = 0.15 + 0.84 * np.cumsum([0, *sizes]) / max(1, sum(sizes))

    def seen(number: int, points: Floats, normals: Floats) -> Exposure:
        share = feedback.part(float(ends[number]), float(ends[number + 1]))
        return exposure(solids, trees, points, normals, year.sky, year.patches, through, feedback=share)

    upward = np.tile([0.0, 0.0, 1.0], (len(ground.points), 1))
    on_ground = seen(0, ground.points, upward)
    on_surfaces = {name: seen(k, found.points, found.normals) for k, (name, found) in enumerate(cells.items(), 1)}
    from_ground, from_solids = _thrown_back(on_ground, on_surfaces, cells, year, params)
    _add_reflected(on_ground, upward, from_ground, from_solids)
    for name, found in cells.items():
        _add_reflected(on_surfaces[name], found.normals, from_ground, from_solids)
    rays = on_ground.rays + sum(one.rays for one in on_surfaces.values())
    surfaces = {name: Surface(found, on_surfaces[name].months) for name, found in cells.items()}
    return Exposed(Ground(ground, on_ground.months) if params.ground else None, surfaces, rays)


def tree_transmission(params: IrradiationParams) -> Floats:
    """(12,) share of the light that passes a crown. The months with leaves may run over the end of the year."""
    month = np.arange(1, MONTHS + 1)
    first, last = params.leaves_from, params.leaves_to
    leaves = (month >= first) & (month <= last) if first <= last else (month >= first) | (month <= last)
    return np.where(leaves, params.through_summer, params.through_winter)


def _obstacles(city: City) -> tuple[Occluder, Occluder | None]:
    """What lets nothing through, and the crowns of trees, about one centre."""
    solid = [mesh for layer, mesh in city.obstacles if layer.theme != "tree"]
    crowns = [mesh for layer, mesh in city.obstacles if layer.theme == "tree" and len(mesh.faces)]
    if not crowns:
        return city.occluder, None
    centre = city.occluder.centre
    return Occluder([city.ground_mesh, *solid], centre), Occluder(crowns, centre)


def _ground_sampling(city: City, params: IrradiationParams) -> _CoarseGround:
    """Cells as asked for, or coarse ones where the ground is only needed for what it throws back."""
    area = (city.high[0] - city.low[0]) * (city.high[1] - city.low[1])
    cell = params.ground_cell if params.ground else max(params.ground_cell, float(np.sqrt(area / MEAN_GROUND_POINTS)))
    return _CoarseGround(True, cell, params.margin, params.facades, params.facade_spacing, params.trees_block)


def _thrown_back(
    ground: Exposure,
    surfaces: dict[str, Exposure],
    cells: dict[str, FaceCells],
    year: YearSky,
    params: IrradiationParams,
) -> tuple[Floats, Floats]:
    """What ground and buildings throw back by month, (12,) each [kWh/m2], before any bounce."""
    bare = ground.months.mean(axis=0, dtype=np.float64) if len(ground.months) else year.sky.open_field
    weights = np.concatenate([found.area for found in cells.values()]) if cells else np.zeros(0)
    if weights.sum() > 0:
        built = np.average(np.concatenate([surfaces[name].months for name in cells]), axis=0, weights=weights)
    else:
        built = bare
    return params.ground_albedo * bare, params.facade_albedo * np.asarray(built, dtype=np.float64)


def _add_reflected(found: Exposure, normals: Floats, from_ground: Floats, from_solids: Floats) -> None:
    """Add to the months of one sort of surface, in place; a few rows at a time."""
    for start in range(0, len(normals), 65_536):
        part = slice(start, start + 65_536)
        below = ((1.0 - normals[part, 2]) / 2.0)[:, None]
        found.months[part] += below * from_ground + found.hidden[part, None] * from_solids
