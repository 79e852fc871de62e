"""Parcels made in memory: outlines with a zoning."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geo.model import Column, ElementTable, Layer, Lines, Source

Ring = Sequence[tuple[float, float]]
RESIDENTIAL = "제2종일반주거지역"
TINY: tuple[Ring, ...] = (
    ((-20.0, -20.0), (20.0, -20.0), (20.0, 6.0), (-20.0, 6.0)),
    ((-20.0, 6.0), (20.0, 6.0), (20.0, 40.0), (-20.0, 40.0)),
    ((20.0, -20.0), (60.0, -20.0), (60.0, 40.0), (20.0, 40.0)),
)


def parcels(
    rings: Sequence[Ring] = TINY,
    *,
    zoning: Sequence[str | None] | None = (),
    land_use: Sequence[str] | None = None,
    element: Sequence[int] | None = None,
) -> Layer:
    """A layer of parcels from open rings (closed here); `zoning` None: no such column."""
    closed = [np.array([*ring, ring[0]], dtype=float) for ring in rings]
    owner = np.arange(len(closed)) if element is None else np.array(element)
    count = int(owner.max()) + 1 if len(owner) else 0
    columns = {}
    if zoning is not None:
        said = list(zoning) or [RESIDENTIAL] * count
        columns["zoning"] = Column(np.array(said, dtype=object))
    if land_use is not None:
        columns["use"] = Column(np.array(land_use, dtype=object))
    vertices = np.concatenate([np.column_stack([ring, np.full(len(ring), 20.1)]) for ring in closed])
    offsets = np.concatenate([[0], np.cumsum([len(ring) for ring in closed])])
    table = ElementTable([f"p{k}" for k in range(count)], columns)
    return Layer("parcels", "Parcels", "parcel", Lines(vertices, offsets, owner), table, source=Source(part="parcels"))
