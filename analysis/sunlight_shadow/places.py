"""Places whose shadow is added up: open spaces, schools, areas for solar panels.

An outline (polygon, ring of lines) holds the cells of the open ground in it, and those of a roof where it lies on that
roof. A building that is named as a place is its roof.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import Occluder
from analysis.sunlight_shadow.declaration import ShadowInputs, ShadowParams
from analysis.sunlight_shadow.targets import Looked, element_rows
from geo.model import ElementTable, Feedback, Issue, Layer, Lines, Mesh

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
ON_ROOF = 2.5  # [m] an area this near above or below a roof lies on it: panels stand on frames
CEILING = 10.0  # [m] above all places from which they are looked for


class Member(NamedTuple):
    """One place: the cells in it.

    Attributes
    ----------
    id, layer, name : str
    ground, roofs : (n,) int64
        Numbers of the cells of ground and roofs.
    """

    id: str
    layer: str
    name: str
    ground: Indices
    roofs: Indices


def places_of(
    inputs: ShadowInputs, params: ShadowParams, looked: Looked, issues: list[Issue], feedback: Feedback
) -> list[Member]:
    """The places named, each with its cells; one without any cell is told and left out."""
    found: list[Member] = []
    missing = 0
    words = [word.strip().lower() for word in params.place_words.split(",") if word.strip()]
    for number, layer in enumerate(inputs.places):
        feedback.step(number / len(inputs.places), "finding the places")
        of_ground, of_roofs = _elements_of_cells(layer, looked)
        for row in _wanted(layer, words, max(of_ground.max(initial=-1), of_roofs.max(initial=-1))):
            ground, roofs = np.flatnonzero(of_ground == row), np.flatnonzero(of_roofs == row)
            if len(ground) + len(roofs) == 0:
                missing += 1
                continue
            has_row = row < len(layer.table)
            name = str(layer.table.ids[row]) if has_row else f"{layer.id}-{row}"
            found.append(Member(name, layer.name, _name_of(layer.table, row), ground, roofs))
    if missing:
        text = f"{missing} places hold no cell of the ground or of a roof: outside the area, or smaller than a cell."
        issues.append(Issue("sunlight.shadow.places_empty", text, severity="doubt", count=missing))
    if inputs.places and not found and not missing:
        text = "No place has an attribute with one of the words asked for."
        issues.append(Issue("sunlight.shadow.no_words", text, severity="doubt", values={"words": params.place_words}))
    return found


def _wanted(layer: Layer, words: list[str], last: int) -> list[int]:
    """Rows of a layer with one of the words in any attribute; all when there are no words."""
    count = max(len(layer.table), last + 1)
    if not words:
        return list(range(count))
    texts = [column.values for column in layer.table.columns.values() if not column.is_number]
    said = [" ".join(str(values[row]).lower() for values in texts) for row in range(len(layer.table))]
    return [row for row, text in enumerate(said) if any(word in text for word in words)]


def _name_of(table: ElementTable, row: int) -> str:
    column = table.columns.get("name")
    if column is None or row >= len(table) or column.values[row] is None:
        return ""
    return str(column.values[row])


def _elements_of_cells(layer: Layer, looked: Looked) -> tuple[Indices, Indices]:
    """Element of the layer that each cell of the ground and of the roofs lies in, -1 for none."""
    ground = looked.ground.points if looked.ground is not None else np.zeros((0, 3))
    roofs = looked.surfaces.get("roofs")
    roof_points = roofs.points if roofs is not None else np.zeros((0, 3))
    rows = element_rows(looked, layer)
    if rows is not None and roofs is not None:
        element = roofs.element.astype(np.int64) - rows.start
        own = (element >= 0) & (element < rows.stop - rows.start)
        return np.full(len(ground), -1), np.where(own, element, -1)
    if isinstance(layer.geometry, Lines):
        return _inside_rings(layer.geometry, ground), np.full(len(roof_points), -1)
    if isinstance(layer.geometry, Mesh):
        return _under(layer.geometry, ground)[0], _on(layer.geometry, roof_points)
    return np.full(len(ground), -1), np.full(len(roof_points), -1)


def _under(mesh: Mesh, points: Floats) -> tuple[Indices, Floats]:
    """Element of the uppermost face over or under each point and its height [m]; -1 and not-a-number for none."""
    if mesh.bounds is None or len(points) == 0:
        return np.full(len(points), -1), np.full(len(points), np.nan)
    top = mesh.bounds.high[2] + CEILING
    starts = np.column_stack([points[:, :2], np.full(len(points), top)])
    hit = Occluder([mesh]).first_hit(starts, np.array([[0.0, 0.0, -1.0]]))
    element = np.where(hit.face < 0, -1, mesh.face_element[np.where(hit.face < 0, 0, hit.face)])
    return element.astype(np.int64), np.where(hit.face < 0, np.nan, top - hit.distance)


def _on(mesh: Mesh, points: Floats) -> Indices:
    """Element that lies on each point of a roof, -1 for none."""
    element, height = _under(mesh, points)
    near = np.abs(np.nan_to_num(height, nan=np.inf) - points[:, 2]) < ON_ROOF
    return np.where(near, element, -1)


def _inside_rings(lines: Lines, points: Floats) -> Indices:
    """Element whose closed rings hold each point (a ring in a ring is a hole), -1 for none or an open line."""
    out = np.full(len(points), -1, dtype=np.int64)
    starts, ends = lines.offsets[:-1], lines.offsets[1:]
    flat = points[:, :2]
    for element in np.unique(lines.line_element):
        inside = np.zeros(0, dtype=bool)
        rings = [lines.vertices[starts[k] : ends[k], :2] for k in np.flatnonzero(lines.line_element == element)]
        rings = [ring for ring in rings if len(ring) > 3 and np.allclose(ring[0], ring[-1], atol=1e-6)]
        if not rings:
            continue
        low, high = np.min([r.min(axis=0) for r in rings], axis=0), np.max([r.max(axis=0) for r in rings], axis=0)
        near = np.flatnonzero(((flat >= low) & (flat <= high)).all(axis=1))
        inside = np.zeros(len(near), dtype=bool)
        for ring in rings:
            inside ^= _in_ring(ring, flat[near])
        out[near[inside]] = element
    return out


def _in_ring(ring: Floats, points: Floats) -> NDArray[np.bool_]:
    """(n,) whether a closed ring (m, 2) holds each point: an odd number of its edges lies to the east."""
    inside = np.zeros(len(points), dtype=bool)
    x, y = points[:, 0], points[:, 1]
    for (ax, ay), (bx, by) in zip(ring[:-1], ring[1:], strict=True):
        if ay == by:
            continue
        crosses = (ay > y) != (by > y)
        inside ^= crosses & (x < ax + (y - ay) * (bx - ax) / (by - ay))
    return inside
