"""Surfaces the user named: any layer of triangles, looked at like a facade."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Quantity, Table
from analysis.kernels.rays import SURFACE_OFFSET, SunTime
from analysis.kernels.sampling import FaceCells
from analysis.kernels.sampling_parts import cells_of_faces
from analysis.sunlight.city import MOST_POINTS, City, element_count, mesh_of
from analysis.sunlight.declaration import HoursInputs, SunlightParams
from analysis.sunlight.trace import Trace
from geo.model import Column, ElementTable, Feedback, Field, Issue, Layer, Mesh, Style, UserError

Floats = NDArray[np.float64]
Found = TypeVar("Found")


class NamedSurface(NamedTuple, Generic[Found]):
    """The cells of a layer and what was found there."""

    layer: Layer
    cells: FaceCells
    time: Found


def look_at_named(
    city: City,
    inputs: HoursInputs,
    params: SunlightParams,
    trace: Trace[Found],
    issues: list[Issue],
    feedback: Feedback,
) -> list[NamedSurface[Found]]:
    """Every layer that was named, cut into cells of the facades' size, and what `trace` finds there."""
    out = []
    for number, layer in enumerate(inputs.surfaces):
        share = feedback.part(number / len(inputs.surfaces), (number + 1) / len(inputs.surfaces))
        mesh = mesh_of(layer)
        _check_size(layer, mesh, params)
        cells = cells_of_faces(mesh, params.facade_spacing, feedback=share.part(0.0, 0.3))
        _note_buried(city, layer, cells, issues)
        out.append(NamedSurface(layer, cells, trace(cells.points, cells.normals, cells.area, share.part(0.3, 1.0))))
    return out


def _check_size(layer: Layer, mesh: Mesh, params: SunlightParams) -> None:
    area = float(mesh.face_area.sum())
    if area / params.facade_spacing**2 > MOST_POINTS / 3 or len(mesh.faces) > MOST_POINTS / 3:
        count = max(area / params.facade_spacing**2, len(mesh.faces)) / 1e6
        raise UserError(
            f"The surfaces of {layer.name} would have {count:.0f} million cells, more than a computer should hold.",
            f"Their area is {area / 1e6:.1f} km2.",
            "Choose a larger facade cell or another layer.",
            code="sunlight.too_many_surface_cells",
            values={"layer": layer.name, "cells": round(count), "area": round(area / 1e6, 1)},
        )


def _note_buried(city: City, layer: Layer, cells: FaceCells, issues: list[Issue]) -> None:
    """Doubt cells that have the terrain above them: a sheet laid on the ground pokes through it in places."""
    if len(cells.area) == 0:
        return
    starts = cells.points + SURFACE_OFFSET * cells.normals
    above = city.occluder.first_hit(starts, np.array([[0.0, 0.0, 1.0]]))
    buried = int(((above.face >= 0) & (above.face < len(city.ground_mesh.faces))).sum())
    if buried:
        text = f"{buried} cells of {layer.name} lie below the terrain and get no sun; name it as an open space instead."
        issues.append(Issue("sunlight.buried_cells", text, "doubt", buried, values={"layer": layer.name}))


def named_layer(number: int, surface: NamedSurface[SunTime], fields: tuple[Field, ...], style: Style) -> Layer:
    """A named surface with fields on its faces; its elements are those of the layer it was made from."""
    cells = surface.cells
    used, element = np.unique(cells.mesh.face_element, return_inverse=True)
    mesh = Mesh(cells.mesh.vertices, cells.mesh.faces, element.astype(np.int32))
    ids, mean, least, area = _per_element(surface)
    columns = {
        "mean_hours": Column(mean[used], "h"),
        "min_hours": Column(least[used], "h"),
        "area": Column(area[used], "m2"),
    }
    name = f"{surface.layer.name}: Sun hours"
    table = ElementTable(ids[used], columns)
    return Layer(f"surface-{number}", name, "result", mesh, table, fields=fields, style=style)


def _per_element(surface: NamedSurface[SunTime]) -> tuple[NDArray[np.object_], Floats, Floats, Floats]:
    """Id, mean (by area), least hours and area of every element."""
    layer, cells, time = surface
    count = element_count(layer, mesh_of(layer))
    ids = [str(i) for i in layer.table.ids] + [f"{layer.id}-{k}" for k in range(len(layer.table), count)]
    area: Floats = np.bincount(cells.element, cells.area, count).astype(np.float64)
    weighted = np.bincount(cells.element, cells.area * time.total, count)
    least = np.full(count, np.inf)
    np.minimum.at(least, cells.element, time.total)
    none = area == 0
    mean: Floats = np.divide(weighted, area, out=np.full(count, np.nan), where=~none)
    return np.array(ids, dtype=object), mean, np.where(none, np.nan, least), area


def named_table(surfaces: Sequence[NamedSurface[SunTime]]) -> Table:
    """One row per element of the named surfaces."""
    parts = []
    for surface in surfaces:
        ids, mean, least, area = _per_element(surface)
        there = area > 0
        names = np.full(int(there.sum()), surface.layer.name, dtype=object)
        parts.append((ids[there], names, mean[there], least[there], area[there]))
    ids, names, mean, least, area = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    columns = {
        "id": Column(ids),
        "layer": Column(names),
        "mean_hours": Column(mean, "h", "Mean hours"),
        "min_hours": Column(least, "h", "Least hours"),
        "area": Column(area, "m2", "Area"),
    }
    return Table("surfaces", "Hours of sun of named surfaces", columns)


def named_summary(surfaces: Sequence[NamedSurface[SunTime]]) -> dict[str, Quantity]:
    """Area and mean hours of all named surfaces together."""
    area = sum(float(s.cells.area.sum()) for s in surfaces)
    if area == 0:
        return {}
    mean = sum(float((s.cells.area * s.time.total).sum()) for s in surfaces) / area
    return {"surfaces_area": Quantity(round(area, 3), "m2"), "surfaces_mean": Quantity(round(mean, 4), "h")}
