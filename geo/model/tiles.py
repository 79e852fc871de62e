"""Several grids as one: terrain tiles that together are one ground."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from geo.model.geometry import Floats, Grid

SAME = 1e-6  # part of a cell by which cells may differ in size and place and still be the same
ALIKE = 0.02  # of terrain tiles, by which their cells may differ: rounding when each was brought into the project
MOST_CELLS = 100_000_000  # of a merged grid: 800 MB


def merge_grids(grids: Sequence[Grid], *, most_cells: int = MOST_CELLS) -> Grid:
    """One grid over all, on the cells of the finest; where several have data the earlier in the list wins.

    Tiles whose cells lie on one lattice are copied bit for bit; others are read off between their cells. Cells grow
    where the whole would have more than `most_cells`, so the caller compares ``cell`` with that of the finest.
    """
    if not grids:
        raise ValueError("no grids to merge")
    finest = min(grids, key=lambda grid: grid.cell)
    low_x, low_y = min(g.x0 for g in grids), min(g.y0 for g in grids)
    high_x, high_y = max(float(g.x[-1]) for g in grids), max(float(g.y[-1]) for g in grids)
    cell = finest.cell
    wanted = ((high_x - low_x) / cell + 1) * ((high_y - low_y) / cell + 1)
    if wanted > most_cells:
        cell *= math.ceil(math.sqrt(wanted / most_cells))
    x0 = finest.x0 - math.ceil((finest.x0 - low_x) / cell - SAME) * cell
    y0 = finest.y0 - math.ceil((finest.y0 - low_y) / cell - SAME) * cell
    cols, rows = math.floor((high_x - x0) / cell + SAME) + 1, math.floor((high_y - y0) / cell + SAME) + 1
    values = np.full((rows, cols), np.nan)
    for grid in grids:
        _fill_gaps(values, x0, y0, cell, grid)
    return Grid(values, x0, y0, cell, finest.z)


def _fill_gaps(values: Floats, x0: float, y0: float, cell: float, grid: Grid) -> None:
    """Put a grid where `values` has no data yet."""
    col, row = (grid.x0 - x0) / cell, (grid.y0 - y0) / cell
    whole = round(col), round(row)
    if abs(grid.cell - cell) <= SAME * cell and abs(col - whole[0]) <= 1e-3 and abs(row - whole[1]) <= 1e-3:
        rows, cols = grid.values.shape
        part = values[whole[1] : whole[1] + rows, whole[0] : whole[0] + cols]
        np.copyto(part, grid.values[: part.shape[0], : part.shape[1]], where=np.isnan(part))
        return
    half = grid.cell / 2
    cols = values.shape[1]
    first = max(math.floor((grid.x0 - half - x0) / cell), 0)
    last = min(math.ceil((float(grid.x[-1]) + half - x0) / cell) + 1, cols)
    x = x0 + cell * np.arange(first, last)
    bottom = max(math.floor((grid.y0 - half - y0) / cell), 0)
    top = min(math.ceil((float(grid.y[-1]) + half - y0) / cell) + 1, len(values))
    for number in range(bottom, top):
        part = values[number, first:last]
        gap = np.isnan(part)
        if gap.any():
            part[gap] = grid.sample(x[gap], np.full(int(gap.sum()), y0 + number * cell))


def tiles_of_one_ground(grids: Sequence[Grid]) -> list[Grid]:
    """The finest grid and those with cells as large: what stands for the ground where several are given."""
    finest = min((grid.cell for grid in grids), default=0.0)
    return [grid for grid in grids if grid.cell <= (1 + ALIKE) * finest]


def one_ground(grids: Sequence[Grid]) -> Grid | None:
    """The finest of several terrains, joined with its neighbours of the same cell; None for none."""
    tiles = tiles_of_one_ground(grids)
    return merge_grids(tiles) if len(tiles) > 1 else next(iter(tiles), None)
