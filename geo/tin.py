"""Triangulated terrain onto square cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.model import Feedback, Grid, UserError

Floats = NDArray[np.float64]
PAIRS_AT_ONCE = 2_000_000
MOST_CELLS = 100_000_000
EDGE = 1e-9  # share of a triangle by which a cell centre may lie outside, so that shared edges leave no gap


def grid_of_tin(vertices: Floats, faces: NDArray[np.integer], *, cell: float, feedback: Feedback | None = None) -> Grid:
    """Heights of a triangulation at the centres of square cells, linear within each triangle.

    Parameters
    ----------
    vertices : (n, 3) float [local m]
    faces : (m, 3) int
    cell : float [m]
        Cell centres lie on multiples of it.

    Returns
    -------
    Grid
        NaN where no triangle lies; the higher one where two overlap.
    """
    feedback = feedback or Feedback()
    corner = vertices[np.asarray(faces, dtype=np.int64)]
    low, high = corner[:, :, :2].min(axis=(0, 1)), corner[:, :, :2].max(axis=(0, 1))
    first = np.ceil(low / cell).astype(np.int64)
    cols, rows = (np.maximum(np.floor(high / cell).astype(np.int64) - first + 1, 1)).tolist()
    if rows * cols > MOST_CELLS:
        raise UserError(
            f"Cells of {cell:g} m are too fine for this terrain.",
            f"They would make {cols} x {rows} cells.",
            "Choose larger cells.",
            code="terrain.too_fine",
            values={"cell": f"{cell:g}", "rows": rows, "cols": cols},
        )
    values = np.full(rows * cols, -np.inf)
    west = np.clip(np.ceil(corner[:, :, 0].min(axis=1) / cell).astype(np.int64) - first[0], 0, cols)
    east = np.clip(np.floor(corner[:, :, 0].max(axis=1) / cell).astype(np.int64) - first[0], -1, cols - 1)
    south = np.clip(np.ceil(corner[:, :, 1].min(axis=1) / cell).astype(np.int64) - first[1], 0, rows)
    north = np.clip(np.floor(corner[:, :, 1].max(axis=1) / cell).astype(np.int64) - first[1], -1, rows - 1)
    pairs = np.maximum(east - west + 1, 0) * np.maximum(north - south + 1, 0)
    start = 0
    ends = np.cumsum(pairs)
    while start < len(corner):
        before = int(ends[start - 1]) if start else 0
        stop = max(int(np.searchsorted(ends, before + PAIRS_AT_ONCE, side="right")), start + 1)
        feedback.step(start / len(corner), "cells of the terrain")
        _fill(values, corner[start:stop], (west[start:stop], south[start:stop], east[start:stop]), pairs[start:stop],
              first, cell, cols)  # fmt: skip
        start = stop
    values[np.isneginf(values)] = np.nan
    return Grid(values.reshape(rows, cols), float(first[0] * cell), float(first[1] * cell), cell)


def _fill(
    values: Floats,
    corner: Floats,
    boxes: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    pairs: NDArray[np.int64],
    first: NDArray[np.int64],
    cell: float,
    cols: int,
) -> None:
    """Heights of some triangles into the cells of their boxes."""
    west, south, east = boxes
    owner = np.repeat(np.arange(len(corner)), pairs)
    if len(owner) == 0:
        return
    within = np.arange(len(owner)) - np.repeat(np.cumsum(pairs) - pairs, pairs)
    width = (east - west + 1)[owner]
    col, row = west[owner] + within % width, south[owner] + within // width
    a, b, c = (corner[owner, k] for k in range(3))
    x, y = (col + first[0]) * cell, (row + first[1]) * cell
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    good = np.abs(area) > 0
    area = np.where(good, area, 1.0)
    u = ((x - a[:, 0]) * (c[:, 1] - a[:, 1]) - (y - a[:, 1]) * (c[:, 0] - a[:, 0])) / area
    v = ((b[:, 0] - a[:, 0]) * (y - a[:, 1]) - (b[:, 1] - a[:, 1]) * (x - a[:, 0])) / area
    inside = good & (u >= -EDGE) & (v >= -EDGE) & (u + v <= 1 + EDGE)
    z = a[:, 2] + u * (b[:, 2] - a[:, 2]) + v * (c[:, 2] - a[:, 2])
    np.maximum.at(values, (row * cols + col)[inside], z[inside])
