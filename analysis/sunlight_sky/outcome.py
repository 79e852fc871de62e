"""What ``sunlight.sky`` gives back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Quantity, Table
from analysis.kernels.sampling import FaceCells, GroundPoints
from analysis.sunlight.outcome import Names
from analysis.sunlight_sky.view import Views
from geo.model import Column, ElementTable, Field, Grid, Layer, Mesh, Style

Floats = NDArray[np.float64]
SHARES = ("sky_view", "building_view", "tree_view")

ASSUMPTIONS = (
    "A view factor weighs each direction by the cosine to the surface: an open plain sees a sky of 1, a wall of 0.5.",
    "What several things hide goes to the firmest: relief, then buildings, then trees. Tree crowns are solid.",
    "Below the horizon nothing is counted: a wall's factors add up to 0.5.",
    "The horizon is made by the loaded terrain and obstacles; hills beyond them do not hide the sky.",
)


def _fields(seen: Views, on: str, spread: object = None) -> tuple[Field, ...]:
    def shaped(values: Floats) -> Floats:
        return spread(values) if callable(spread) else values

    pairs = zip(SHARES, (seen.sky, seen.buildings, seen.trees), strict=True)
    return tuple(Field(name, "1", on, shaped(values), ramp="grey", range=(0.0, 1.0)) for name, values in pairs)  # type: ignore[arg-type]


def ground_layer(cells: GroundPoints, seen: Views) -> Layer:
    """View factors of the ground as a grid."""
    level = float(cells.points[:, 2].mean()) if len(cells.points) else 0.0
    grid = Grid(cells.spread(seen.sky), cells.x0, cells.y0, cells.cell, z=level)
    fields = _fields(seen, "cell", cells.spread)
    return Layer("ground", "Sky view of the ground", "result", grid, fields=fields, style=Style(colour_by="sky_view"))


def surface_layer(name: str, cells: FaceCells, seen: Views, names: Names) -> Layer:
    """View factors of walls or roofs."""
    used, element = np.unique(cells.mesh.face_element, return_inverse=True)
    mesh = Mesh(cells.mesh.vertices, cells.mesh.faces, element.astype(np.int32))
    of_face = Views(*(values[cells.cell_of_face] for values in seen))
    mean = means(cells, seen.sky, len(names.unique))
    table = ElementTable(
        names.unique[used],
        {
            "building": Column(names.own[used]),
            "layer": Column(names.layer[used]),
            "mean_sky_view": Column(mean[used], "1"),
        },
    )
    title = {"facades": "Sky view of facades", "roofs": "Sky view of roofs"}[name]
    return Layer(
        name, title, "result", mesh, table=table, fields=_fields(of_face, "face"), style=Style(colour_by="sky_view")
    )


def means(cells: FaceCells, values: Floats, count: int) -> Floats:
    """Mean per element weighted by area; not-a-number where it has no cell."""
    area = np.bincount(cells.element, cells.area, count)
    total = np.bincount(cells.element, cells.area * values, count)
    return np.asarray(np.divide(total, area, out=np.full(count, np.nan), where=area > 0))


def building_table(surfaces: dict[str, tuple[FaceCells, Views]], names: Names) -> Table:
    """Mean view factors of the walls and the roof of every building."""
    columns = {"id": Column(names.own), "layer": Column(names.layer)}
    keep = np.zeros(len(names.unique), dtype=bool)
    for name, (cells, seen) in surfaces.items():
        columns[f"{name}_sky"] = Column(means(cells, seen.sky, len(keep)), "1")
        columns[f"{name}_trees"] = Column(means(cells, seen.trees, len(keep)), "1")
        keep[cells.element] = True
    kept = {key: Column(column.values[keep], column.unit) for key, column in columns.items()}
    return Table("buildings", "Sky view per building", kept)


def summary(
    ground: tuple[GroundPoints, Views] | None, surfaces: dict[str, tuple[FaceCells, Views]], directions: int
) -> dict[str, Quantity]:
    """Means weighted by area."""
    out: dict[str, Quantity] = {}
    if ground is not None and len(ground[0].points):
        seen = ground[1]
        for name, values in zip(("sky", "buildings", "trees"), (seen.sky, seen.buildings, seen.trees), strict=True):
            out[f"ground_{name}"] = Quantity(round(float(values.mean()), 4), "1")
    for name, (cells, seen) in surfaces.items():
        if cells.area.sum() > 0:
            out[f"{name}_sky"] = Quantity(round(float(np.average(seen.sky, weights=cells.area)), 4), "1")
            out[f"{name}_trees"] = Quantity(round(float(np.average(seen.trees, weights=cells.area)), 4), "1")
    return out | {"directions": Quantity(directions, "1")}
