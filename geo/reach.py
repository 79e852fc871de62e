"""What a damaged file puts nowhere or beyond the Earth is taken out of the picture; its rows stay, and it is said.

One vertex at 1e300 m, or at no number at all, would make the box of the scene useless and the rest invisible.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from geo.model import Geometry, Instances, Issue, Layer, Lines, Mesh, Points

Flags = NDArray[np.bool_]
FARTHEST = 2.0e7  # [m] half the Earth's circumference
NAMED = 50


def within_reach(layer: Layer) -> Layer:
    """The layer without the shapes that have a vertex at no place on Earth; the same object where there are none.

    A face, line, point or instance with such a vertex is left out as a whole. Rows of the table stay.

    Examples
    --------
    >>> layer = Layer("a", "A", "other", Points([[0.0, 0, 0], [1e300, 0, 0]], [0, 1]))
    >>> within_reach(layer).geometry.vertices.tolist(), within_reach(layer).issues[0].count
    ([[0.0, 0.0, 0.0]], 1)
    """
    shape = layer.geometry
    if isinstance(shape, Mesh | Lines | Points):
        bad = _nowhere(shape.vertices)
    elif isinstance(shape, Instances):
        bad = _nowhere(shape.transform.reshape(len(shape.transform), -1))
    else:
        return layer
    if not bad.any():
        return layer
    made, kept, elements = _parts(shape, bad)
    fields = tuple(
        dataclasses.replace(field, values=field.values[kept[field.on]]) if field.on in kept else field
        for field in layer.fields
    )
    ids = layer.table.ids
    named = tuple(str(ids[row]) for row in np.unique(elements)[:NAMED].tolist() if row < len(ids))
    count = len(np.unique(elements))
    message = f"{count} elements have coordinates that are no place on Earth; those parts are not drawn, rows stay."
    issue = Issue("import.nowhere", message, "error", count=count, elements=named)
    return layer.with_(geometry=made, fields=fields, issues=(*layer.issues, issue))


def _nowhere(values: NDArray[np.float64]) -> Flags:
    """Rows with a value beyond reach or none; one quick look where all is well."""
    if len(values) == 0 or np.abs(values).max() < FARTHEST:
        return np.zeros(len(values), dtype=bool)
    return np.asarray(~(np.abs(values) < FARTHEST).all(axis=1))


def _parts(
    shape: Mesh | Lines | Points | Instances, bad: Flags
) -> tuple[Geometry, dict[str, Flags], NDArray[np.integer]]:
    """The good part, which vertices, faces or points of fields it keeps, and the elements of the rest."""
    if isinstance(shape, Mesh):
        lost: Flags = np.asarray(bad[shape.faces].any(axis=1))
        # Unused vertices stay in their rows, so that fields fit; they must not widen the box.
        rest = shape.vertices[~bad]
        stand_in = rest[0] if len(rest) else np.zeros(3)
        vertices = np.where(bad[:, None], stand_in, shape.vertices)
        return Mesh(vertices, shape.faces[~lost], shape.face_element[~lost]), {"face": ~lost}, shape.face_element[lost]
    if isinstance(shape, Lines):
        size = np.diff(shape.offsets)
        line = np.repeat(np.arange(len(size)), size)
        lost = np.bincount(line[bad], minlength=len(size)) > 0
        keep: Flags = ~lost[line]
        offsets = np.concatenate([[0], np.cumsum(size[~lost])])
        made = Lines(shape.vertices[keep], offsets, shape.line_element[~lost])
        return made, {"vertex": keep}, shape.line_element[lost]
    if isinstance(shape, Points):
        keep = ~bad
        return Points(shape.vertices[keep], shape.element[keep]), {"vertex": keep, "point": keep}, shape.element[bad]
    keep = ~bad
    return (
        Instances(shape.shapes, shape.shape[keep], shape.transform[keep], shape.element[keep]),
        {},
        shape.element[bad],
    )
