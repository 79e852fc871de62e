"""Ways of least resistance through a lattice, from its windward to its leeward edge, one after the other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.corridor.city import Downwind
from analysis.corridor.lattice import Lattice, Steps

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Indices = NDArray[np.int64]

NO_COST = 1e-6  # of the way from outside to the edge; a stored zero would be no way
USED = 5.0  # times as dear as before is a cell that an earlier lane has
SMOOTHED = 5  # cells over which a way is averaged


class Path(NamedTuple):
    """One way: flat numbers of its cells from windward to leeward, and its cost [m of open land]."""

    cells: Indices
    cost: float


def best_path(lattice: Lattice, steps: Steps, used: Bools | None = None) -> Path | None:
    """The cheapest way from the windward (first column) to the leeward edge (last column); None where there is none.

    used : (rows, cols) cells that are dear, because an earlier lane has them. The cost returned is the plain one.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    rows, columns = lattice.shape
    count = rows * columns
    cost = steps.cost
    if used is not None:
        dear = used.ravel()
        cost = cost * np.where(dear[steps.start] | dear[steps.end], USED, 1.0)
    free = ~lattice.closed
    entry = np.flatnonzero(free[:, 0]) * columns
    leave = np.flatnonzero(free[:, -1]) * columns + columns - 1
    if len(entry) == 0 or len(leave) == 0:
        return None
    start = np.concatenate([steps.start, np.full(len(entry), count)])
    graph = csr_array(
        (np.concatenate([cost, np.full(len(entry), NO_COST)]), (start, np.concatenate([steps.end, entry]))),
        shape=(count + 1, count + 1),
    )
    reached, before = dijkstra(graph, indices=count, return_predecessors=True)
    best = leave[int(np.argmin(np.round(reached[leave], 6)))]
    if not np.isfinite(reached[best]):
        return None
    cells = [int(best)]
    while before[cells[-1]] != count:
        cells.append(int(before[cells[-1]]))
    way = np.array(cells[::-1], dtype=np.int64)
    return Path(way, plain_cost(steps, way, count))


def plain_cost(steps: Steps, way: Indices, count: int) -> float:
    """Cost of a way by the steps' own cost."""
    key = steps.start * count + steps.end
    order = np.argsort(key, kind="stable")
    wanted = way[:-1] * count + way[1:]
    return float(steps.cost[order[np.searchsorted(key[order], wanted)]].sum())


def course(lattice: Lattice, city: Downwind, way: Indices) -> Floats:
    """(n, 2) positions of a way in the lattice's axes [m], smoothed where that leaves it in the open."""
    row, column = way // len(lattice.x), way % len(lattice.x)
    plain = np.column_stack([lattice.x[column], lattice.y[row]])
    if len(plain) <= SMOOTHED:
        return plain
    half = SMOOTHED // 2
    padded = np.concatenate([np.repeat(plain[:1], half, axis=0), plain, np.repeat(plain[-1:], half, axis=0)])
    smooth = np.stack([padded[k : k + len(plain)] for k in range(SMOOTHED)]).mean(axis=0)
    place = lattice.number(smooth)
    good = ~lattice.closed[place[:, 0], place[:, 1]] & ~city.built_at(smooth)
    smooth[0], smooth[-1] = plain[0], plain[-1]
    return np.where(good[:, None], smooth, plain)
