"""Ground that no camera sees, as connected areas, each with the longest way through it that stays unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.outlines import address_of
from analysis.kernels.inside import Raster
from geo.model import Feedback, Layer, Lines, Mesh

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

MOST_PATHS = 60  # blind spots, the weightiest first, whose longest way is sought
STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))  # half of the eight neighbours
FAR = 60.0  # [m] what stands further away gives no address


@dataclass(frozen=True, eq=False)
class BlindSpot:
    """One connected area that no camera sees.

    Attributes
    ----------
    cells : (n,) int64
        Flat numbers in the raster.
    area : float [m2]
    weight : int
        Sum of the weights of its targets.
    middle : (2,) float [local m]
        The cell nearest to its centroid.
    address : str
        Of the nearest building or road; ``""`` where none is near.
    path : (k, 2) float [local m]
        The longest of the shortest ways within it that was found.
    length : float [m]
        Of that way: the longest unseen one is at least as long.
    """

    cells: Indices
    area: float
    weight: int
    middle: Floats
    address: str
    path: Floats
    length: float


def blind_spots(
    raster: Raster,
    cells: Indices,
    weight: Indices,
    *,
    smallest: float,
    named: Sequence[Layer] = (),
    feedback: Feedback | None = None,
) -> list[BlindSpot]:
    """Areas of unseen cells, joined over their eight neighbours, the weightiest first.

    Parameters
    ----------
    cells : (n,) int64
        Flat numbers of unseen cells of the raster.
    weight : (n,) int64
    smallest : float [m2]
        Smaller ones are left out.
    named : sequence of Layer
        Buildings and roads whose address is given to the areas near them.
    """
    from scipy.ndimage import label

    if len(cells) == 0:
        return []
    rows, cols = raster.shape
    blind = np.zeros(rows * cols, dtype=bool)
    blind[cells] = True
    part, count = label(blind.reshape(rows, cols), structure=np.ones((3, 3)))
    mine = part.ravel()[cells] - 1
    order = np.argsort(mine, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(mine, minlength=count))[:-1])
    size = raster.cell**2
    kept = [group for group in groups if len(group) * size >= smallest]
    kept.sort(key=lambda group: (-int(weight[group].sum()), -len(group), int(cells[group[0]])))
    book = AddressBook(named)
    feedback = feedback or Feedback()
    out = []
    for number, group in enumerate(kept):
        feedback.step(number / len(kept), "finding blind spots")
        out.append(_spot(raster, cells[group], int(weight[group].sum()), book, sought=number < MOST_PATHS))
    return out


def _spot(raster: Raster, cells: Indices, weight: int, book: AddressBook, *, sought: bool) -> BlindSpot:
    points = middles(raster, cells)
    centre = points.mean(axis=0)
    middle = points[int(np.argmin(((points - centre) ** 2).sum(axis=1)))]
    path, length = longest_way(raster, cells) if sought else (middle[None], 0.0)
    return BlindSpot(cells, len(cells) * raster.cell**2, weight, middle, book.nearest(middle), path, length)


def middles(raster: Raster, cells: Indices) -> Floats:
    """(n, 2) middles of cells [local m]."""
    cols = raster.shape[1]
    return np.column_stack([raster.x0 + raster.cell * (cells % cols), raster.y0 + raster.cell * (cells // cols)])


def longest_way(raster: Raster, cells: Indices) -> tuple[Floats, float]:
    """The longest shortest way found among connected cells (k, 2) [local m], and its length [m].

    Two sweeps of Dijkstra's algorithm: from any cell to the furthest, and from there to the furthest again. This is
    the diameter where the area has no loops, and never more than it otherwise.
    """
    from scipy.sparse.csgraph import dijkstra

    graph = _graph(raster, cells)
    first = np.asarray(dijkstra(graph, directed=False, indices=0))
    start = int(np.argmax(np.where(np.isfinite(first), first, -1.0)))
    away, before = dijkstra(graph, directed=False, indices=start, return_predecessors=True)
    end = int(np.argmax(np.where(np.isfinite(away), away, -1.0)))
    way = [end]
    while way[-1] != start and before[way[-1]] >= 0:
        way.append(int(before[way[-1]]))
    return middles(raster, cells[np.array(way)]), float(away[end])


def _graph(raster: Raster, cells: Indices) -> object:
    """Sparse matrix of steps between neighbouring cells [m]."""
    from scipy.sparse import coo_matrix

    rows, cols = raster.shape
    place = np.full(rows * cols, -1, dtype=np.int64)
    place[cells] = np.arange(len(cells))
    row, col = cells // cols, cells % cols
    start, stop, step = [], [], []
    for down, right in STEPS:
        r, c = row + down, col + right
        there = (r < rows) & (c >= 0) & (c < cols)
        other = np.full(len(cells), -1, dtype=np.int64)
        other[there] = place[r[there] * cols + c[there]]
        found = np.flatnonzero(other >= 0)
        start.append(found)
        stop.append(other[found])
        step.append(np.full(len(found), raster.cell * np.hypot(down, right)))
    pair = (np.concatenate(start), np.concatenate(stop))
    return coo_matrix((np.concatenate(step), pair), shape=(len(cells), len(cells))).tocsr()


class AddressBook:
    """Corners of buildings and roads with their addresses, asked for the nearest."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        points, layer_of, row_of = [np.zeros((0, 2))], [], []
        self.layers = list(layers)
        for number, layer in enumerate(layers):
            shape = layer.geometry
            if isinstance(shape, Mesh) and len(shape.faces):
                rows = np.repeat(shape.face_element, 3).astype(np.int64)
                corners = shape.faces.ravel().astype(np.int64)
            elif isinstance(shape, Lines) and len(shape.vertices):
                rows = np.repeat(shape.line_element, np.diff(shape.offsets)).astype(np.int64)
                corners = np.arange(len(shape.vertices))
            else:
                continue
            points.append(shape.vertices[corners, :2])
            layer_of.append(np.full(len(rows), number))
            row_of.append(rows)
        self._points = np.concatenate(points)
        self._layer = np.concatenate(layer_of) if layer_of else np.zeros(0, dtype=np.int64)
        self._row = np.concatenate(row_of) if row_of else np.zeros(0, dtype=np.int64)
        self._tree: object = None

    def nearest(self, point: Floats) -> str:
        """Address of what is nearest to a point (2,) [local m], as its corners lie; ``""`` beyond `FAR`."""
        from scipy.spatial import cKDTree

        if len(self._points) == 0:
            return ""
        if self._tree is None:
            self._tree = cKDTree(self._points)
        away, number = self._tree.query(point)  # type: ignore[attr-defined]
        if away > FAR:
            return ""
        return address_of(self.layers[int(self._layer[number])], int(self._row[number]))
