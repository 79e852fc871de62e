"""Hours of sun on walls and roofs."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from analysis.kernels import sun
from analysis.kernels.rays import SURFACE_OFFSET, Occluder, SunTime
from analysis.kernels.sampling import FaceCells
from analysis.kernels.sampling_parts import cells_of_faces
from analysis.sunlight.city import MOST_POINTS, City, element_count
from analysis.sunlight.day import Day
from analysis.sunlight.declaration import Sampling, SunlightParams
from analysis.sunlight.shells import repeated
from analysis.sunlight.trace import Trace, day_trace
from geo.model import Feedback, Issue, Mesh, UserError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Found = TypeVar("Found")

SORTS = {"facades": 0, "roofs": 1}  # codes of `surface_codes`


class Surface(NamedTuple):
    """Cells of one sort of surface over all buildings, with element numbers through all layers."""

    cells: FaceCells
    time: SunTime


def surface_hours(
    city: City, day: Day, params: SunlightParams, issues: list[Issue], feedback: Feedback
) -> dict[str, Surface]:
    """Walls (``facades``) and ``roofs`` of all buildings; the element numbers run through all layers."""
    trace = day_trace(city.occluder, day.towards_sun, day.instants.weights)
    found = look_at_surfaces(city, params, trace, issues, feedback)
    return {name: Surface(cells, time) for name, (cells, time) in found.items()}


def look_at_surfaces(
    city: City, params: SunlightParams, trace: Trace[Found], issues: list[Issue], feedback: Feedback
) -> dict[str, tuple[FaceCells, Found]]:
    """Walls (``facades``) and ``roofs`` of all buildings, and what `trace` finds there."""
    if not params.facades or not city.buildings:
        return {}
    check_facade_size(city, params)
    found = {}
    for number, name in enumerate(SORTS):
        share = feedback.part(number / 2, (number + 1) / 2)
        cells = surface_cells(city, params, name, issues, share.part(0.0, 0.3))
        found[name] = cells, trace(cells.points, cells.normals, cells.area, share.part(0.3, 1.0))
    return found


def surface_cells(city: City, params: Sampling, name: str, issues: list[Issue], feedback: Feedback) -> FaceCells:
    """Cells of all walls (``facades``) or ``roofs``."""
    feedback.step(0.0, "cutting the facades into cells")
    cells = cells_of_faces(_selected(city, SORTS[name]), params.facade_spacing, feedback=feedback)
    return _without_hidden(city, cells, issues, name)


def check_facade_size(city: City, params: Sampling) -> None:
    """Refuse facades with more cells than a computer can hold."""
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


def _selected(city: City, code: int) -> Mesh:
    """The faces of one sort of all buildings as one mesh, each once; elements numbered through the layers."""
    vertices, faces, elements = [np.zeros((0, 3))], [np.zeros((0, 3), np.int32)], [np.zeros(0, np.int32)]
    start, first = 0, 0
    for layer, mesh, codes in city.buildings:
        chosen = (codes == code) & ~repeated(mesh)
        vertices.append(mesh.vertices)
        faces.append(mesh.faces[chosen] + np.int32(start))
        elements.append(mesh.face_element[chosen] + np.int32(first))
        start += len(mesh.vertices)
        first += element_count(layer, mesh)
    return Mesh(np.concatenate(vertices), np.concatenate(faces), np.concatenate(elements))


def _without_hidden(city: City, cells: FaceCells, issues: list[Issue], name: str) -> FaceCells:
    """Leave out the cells of BIM models that see no sky: inner walls, layers within a wall, furniture."""
    first, bim = 0, np.zeros(len(cells.area), dtype=bool)
    for layer, mesh, _ in city.buildings:
        count = element_count(layer, mesh)
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
