"""Headless. What is shown of a volume: a level slice, an upright slice, a surface of one value; and its values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.model import Field, Layer, Volume

Floats = NDArray[np.float64]
OPEN_SHARE = 0.5  # of the cells of a layer: from here a level slice through it shows something


@dataclass(frozen=True)
class VolumeView:
    """What is shown of a volume.

    Attributes
    ----------
    level : float or None [local m]
        Height of the level slice.
    line : (x0, y0, x1, y1) or None [local m]
        The upright slice stands over the line between these two points.
    value : float or None
        The surface on which the field has this value, in its unit.
    """

    level: float | None = None
    line: tuple[float, float, float, float] | None = None
    value: float | None = None


def first_view(volume: Volume) -> VolumeView:
    """What a volume shows until somebody chooses: its lowest level that is open for the most part."""
    known = np.isfinite(volume.values).mean(axis=(1, 2)) if volume.values.size else np.zeros(1)
    enough = known >= OPEN_SHARE * known.max(initial=0.0)
    return VolumeView(level=volume.z0 + volume.cell_z * int(np.argmax(enough)))


def volume_field(layer: Layer, shown: Field | None) -> Field:
    """The field that slices show: the one chosen, else the first with a value for each cell, else the volume itself."""
    volume = layer.geometry
    if not isinstance(volume, Volume):
        raise TypeError(f"{layer.kind} is not a volume")
    for field in (shown, *layer.fields):
        if field is not None and field.values.size == volume.values.size:
            return field
    return Field(layer.name or "value", "1", "cell", volume.values)


def sampled(volume: Volume, field: Field, points: Floats) -> Floats:
    """Values of a field at points (n, 3) [local m], NaN where the cell around a point has none.

    Quantities are interpolated between the middles of those cells that have a value; classes are those of the cell.
    """
    shape = np.array(volume.values.shape[::-1])
    values = np.asarray(field.values, dtype=np.float64).reshape(-1)
    start = np.array([volume.x0, volume.y0, volume.z0])
    place = (points - start) / np.array([volume.cell, volume.cell, volume.cell_z])
    near = np.floor(place + 0.5).astype(np.int64)
    inside = ((near >= 0) & (near < shape)).all(axis=1)
    here = values[_number(np.where(inside[:, None], near, 0), shape)]
    if field.categories:
        return np.where(inside & (here >= 0), here, np.nan)
    low = np.floor(place).astype(np.int64)
    share = place - low
    total, weight = np.zeros(len(points)), np.zeros(len(points))
    for corner in range(8):
        step = np.array([corner & 1, (corner >> 1) & 1, (corner >> 2) & 1])
        part = np.prod(np.where(step > 0, share, 1.0 - share), axis=1)
        value = values[_number(np.clip(low + step, 0, shape - 1), shape)]
        known = np.isfinite(value)
        total += np.where(known, part * np.where(known, value, 0.0), 0.0)
        weight += np.where(known, part, 0.0)
    there = inside & np.isfinite(here) & (weight > 0.0)
    return np.asarray(np.divide(total, weight, out=np.full(len(points), np.nan), where=there))


def _number(cells: NDArray[np.int64], shape: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray((cells[:, 2] * shape[1] + cells[:, 1]) * shape[0] + cells[:, 0])


def profile(volume: Volume, field: Field, x: float, y: float) -> tuple[Floats, Floats]:
    """Heights (k,) [local m] and values (k,) of the cells over a place that have a value."""
    heights = volume.z0 + volume.cell_z * np.arange(volume.values.shape[0], dtype=np.float64)
    points = np.column_stack([np.full(len(heights), x), np.full(len(heights), y), heights])
    values = sampled(volume, field, points)
    known = np.isfinite(values)
    return heights[known], values[known]
