"""A corner of the sample district as real files and as a project, for tests in which a person opens the sample."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app import project_file
from app.commands import AddLayers
from app.document import Document
from app.importer import import_files
from app.sample import buildings, roads
from app.sample.district import plan_district
from app.sample.plan import CENTRE, Ground, Plan
from geo.crs import make_frame
from geo.formats.geotiff import write_grid
from geo.model import Feedback, Grid, Layer, Lines

SEED = 51
LEVEL = 20.0  # [m] in the south-west; the ground rises to the north
SLOPE = 0.02
CELL, MARGIN = 10.0, 100.0  # [m] of the terrain; around the corner


class Corner(NamedTuple):
    """A rectangle of the plan [m]."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, x: float, y: float) -> bool:
        """Whether a place lies in it."""
        return self.west < x < self.east and self.south < y < self.north


HOMES = Corner(740.0, -650.0, 960.0, -440.0)  # detached houses, a street and a car park with room to build


@cache
def district() -> Plan:
    """The plan of the whole sample; made once."""
    return plan_district(SEED, Feedback())


def write_files(folder: Path, corner: Corner = HOMES) -> list[Path]:
    """Terrain, buildings and parcels of the corner; the order in which they are imported."""
    plan = district()
    inside = [one for one in plan.buildings if corner.holds(*one.form.polygon.centroid.coords[0])]
    plots = [one for one in plan.parcels if corner.holds(*one.polygon.centroid.coords[0])]
    part = dataclasses.replace(plan, buildings=inside, parcels=plots)
    ground = _ground(corner)
    buildings.write(buildings.city_json(part, ground, Feedback()), folder / "buildings.city.json")
    roads.write_parcels(part, folder / "parcels.gpkg")
    grid = Grid(ground.values, ground.x0, ground.y0, ground.cell)
    frame = dataclasses.replace(make_frame("EPSG:5186", *CENTRE), origin=(*CENTRE, 0.0))
    write_grid(folder / "terrain.tif", grid, frame, description="height", unit="m")
    return [folder / "terrain.tif", folder / "buildings.city.json", folder / "parcels.gpkg"]


def _ground(corner: Corner) -> Ground:
    """A slope to the north, a little larger than the corner."""
    across = int((corner.east - corner.west + 2 * MARGIN) / CELL)
    along = int((corner.north - corner.south + 2 * MARGIN) / CELL)
    rise = np.repeat((LEVEL + SLOPE * CELL * np.arange(along))[:, None], across, axis=1)
    return Ground(rise, corner.west - MARGIN, corner.south - MARGIN, CELL)


def write_project(path: Path, corner: Corner = HOMES) -> Path:
    """A project of the corner, as the sample is opened."""
    path.parent.mkdir(parents=True, exist_ok=True)
    read = import_files(write_files(path.parent, corner), frame=None, feedback=Feedback())
    document = Document()
    document.do(AddLayers(read.layers, frame=read.frame))
    project_file.save(document, path)
    return path


def ring_of(layer: Layer, element_id: str) -> NDArray[np.float64]:
    """(n, 3) outline of a parcel as the scene has it."""
    shape = layer.geometry
    assert isinstance(shape, Lines)
    (number, *_) = np.flatnonzero(shape.line_element == layer.table.index[element_id])
    return np.asarray(shape.vertices[shape.offsets[number] : shape.offsets[number + 1]])
