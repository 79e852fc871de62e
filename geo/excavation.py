"""Excavations: a ring on the ground and a depth become a closed pit with vertical sides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.buildings import clean_areas, extrude
from geo.model import Column, ElementTable, Layer, Lines, Mesh, Style, UserError

Floats = NDArray[np.float64]
DEEPEST = 1000.0  # [m]
SMALLEST_AREA = 0.05  # [m2] a hole for a post


def excavation_layer(points: Floats, depth: float, *, name: str, layer_id: str) -> Layer:
    """A pit under a ring of points.

    Parameters
    ----------
    points : (n, 3) float [local m]
        Corners on the ground, in order, not closed by a repeated point.
    depth : float [m]
        From the **highest** corner of the ground to the flat bottom: the depth that the law asks for.
    name, layer_id : str

    Returns
    -------
    Layer
        A closed mesh of one element with ``depth``, ``bottom``, ``area`` and ``volume`` (of the prism under the mean
        height of the corners).
    """
    import shapely

    if not 0 < depth <= DEEPEST:
        raise UserError(
            f"{depth} m is no depth of an excavation.",
            f"It counts downwards from the highest corner of the ground, up to {DEEPEST:.0f} m.",
            "Give a positive number of metres.",
            code="excavation.depth",
            values={"depth": depth, "deepest": DEEPEST},
        )
    if len(points) < 3 or not np.isfinite(points).all():
        raise _no_area()
    # Holes that a crossing ring would make are not dug: `make_valid` keeps both lobes.
    clean = clean_areas(np.array([shapely.Polygon(points[:, :2])], dtype=object), smallest=SMALLEST_AREA)
    if len(clean.polygons) == 0:
        raise _no_area()
    highest, mean = float(points[:, 2].max()), float(points[:, 2].mean())
    bottom = highest - depth
    solid, _ = extrude(clean.polygons, bottom, depth)
    one = Mesh(solid.vertices, solid.faces, np.zeros(len(solid.faces), np.int32))
    area = float(shapely.area(clean.polygons).sum())
    table = ElementTable(
        [layer_id],
        {
            "name": Column(np.array([name], dtype=object), ""),
            "depth": Column(np.array([depth]), "m"),
            "bottom": Column(np.array([bottom]), "m"),
            "area": Column(np.array([area]), "m2"),
            "volume": Column(np.array([area * max(mean - bottom, 0.0)]), "m3"),
        },
    )
    return Layer(layer_id, name, "excavation", one, table, style=Style(opacity=0.55), stratum="underground")


def ring_of(layer: Layer) -> Floats:
    """The corners (n, 3) at the top of a pit that `excavation_layer` made, or of a ring of lines [local m]."""
    shape = layer.geometry
    if isinstance(shape, Lines):
        ring = shape.vertices[: int(shape.offsets[1])]
        return ring[:-1] if len(ring) > 1 and np.allclose(ring[0], ring[-1]) else ring
    if not isinstance(shape, Mesh):
        raise TypeError(f"{layer.kind} is not a pit")
    # `extrude` writes the corners of the bottom first, then those of the top, ring by ring.
    return np.asarray(shape.vertices[len(shape.vertices) // 2 :])


def _no_area() -> UserError:
    return UserError(
        "The excavation encloses no area.",
        "Its corners lie on one line or too close together.",
        "Draw at least three corners around the place to be dug.",
        code="excavation.no_area",
    )
