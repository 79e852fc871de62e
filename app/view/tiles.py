"""Square tiles of a large layer, and the plain boxes that stand for its elements far away. Pure arrays, no VTK.

One draw per layer is right until the layer is a city: then most of it is outside the picture or smaller than a pixel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.view.creases import crease_edges
from geo.model import Mesh

Rows = NDArray[np.int32]

FACES_A_TILE = 50_000
MOST_TILES = 36  # of a layer; three draws each at most
MODEL_TILES = 4  # of a building model: it is looked at as a whole or from within, and few draws are quicker
WORTH_TILES = 300_000  # triangles of a layer from which it is split
MANY_ELEMENTS = 50_000
LARGE_ELEMENT = 4 * FACES_A_TILE  # triangles of one element from which faces are sorted into tiles, not elements
MOST_SQUARES = 32_000  # a tile's number has sixteen bits
BLOCK = 1 << 20
BOX_FACES = 10  # a box without its bottom
WORTH_BOXES = 2.4  # times the triangles of its boxes that a tile must have for boxes to pay
ROOF_SLOPE = 0.5  # z of a normal from which a face is a roof


@dataclass(frozen=True, eq=False)
class Part:
    """Triangles of one draw.

    Attributes
    ----------
    vertices : (n, 3) float32 [local m]
    faces : (m, 3) int32
    normals : (n, 3) float32 or None
        None = flat faces.
    """

    vertices: NDArray[np.float32]
    faces: Rows
    normals: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class Edges:
    """Crease lines of one tile: vertices (n, 3) float32, pairs (k, 2) int32, element (k,) int32."""

    vertices: NDArray[np.float32]
    pairs: Rows
    element: Rows


@dataclass(frozen=True, eq=False)
class Tile:
    """One square of a layer.

    Attributes
    ----------
    fine : Part
    first : int
        Place of its first face in the layer's drawn order.
    low, high : (3,) float64 [local m]
    edges : Edges or None
    coarse : Part or None
        What stands for it far away.
    coarse_first : int
        Place of its first coarse face among those of the layer.
    """

    fine: Part
    first: int
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    edges: Edges | None = None
    coarse: Part | None = None
    coarse_first: int = 0


@dataclass(frozen=True, eq=False)
class TiledMesh:
    """Everything that drawing triangles needs, made beside the main thread.

    Attributes
    ----------
    tiles : tuple of Tile
    element : (m,) int32
        Element of each face, in the order of the layer's geometry.
    order : (m,) int32 or None
        Faces in drawn order; None = as they are.
    coarse_face : (c,) int32
        The face each coarse face takes its colour from.
    roof : (m,) bool or None
        Faces that look up, of buildings.
    slot, instance : (m,) or None
        Material slot and number of the repeated shape each face belongs to.
    """

    tiles: tuple[Tile, ...]
    element: Rows
    order: Rows | None = None
    coarse_face: Rows | None = None
    roof: NDArray[np.bool_] | None = None
    slot: NDArray[np.uint8] | None = None
    instance: Rows | None = None

    @property
    def is_split(self) -> bool:
        """Whether there is more than one tile."""
        return len(self.tiles) > 1


def tile_numbers(places: NDArray[np.float64], *, wanted: int, most: int = MOST_TILES) -> NDArray[np.int16]:
    """Number (n,) of the square tile each place (n, 2) lies in: about `wanted` tiles, never more than `most`."""
    low = places.min(axis=0)
    size = np.maximum(places.max(axis=0) - low, 1.0)
    cell = math.sqrt(float(size[0] * size[1]) / max(wanted, 1))
    number = np.empty(len(places), dtype=np.int16)
    while True:
        columns, rows = (int(side / cell) + 1 for side in size)
        if columns * rows <= MOST_SQUARES:
            count = _number_squares(number, places, low, cell=cell, columns=columns, squares=columns * rows)
            present = np.flatnonzero(count)
            if len(present) <= most:
                table = np.zeros(columns * rows, dtype=np.int16)
                table[present] = np.arange(len(present))
                for part in _blocks(len(number)):
                    number[part] = table[number[part]]
                return number
        cell *= 1.15


def _number_squares(
    number: NDArray[np.int16],
    places: NDArray[np.float64],
    low: NDArray[np.float64],
    *,
    cell: float,
    columns: int,
    squares: int,
) -> NDArray[np.int64]:
    """Write the square of each place into `number`; how many places each square holds."""
    count = np.zeros(squares, dtype=np.int64)
    for part in _blocks(len(places)):
        square = ((places[part] - low) / cell).astype(np.int32)
        number[part] = square[:, 1] * columns + square[:, 0]
        count += np.bincount(number[part], minlength=squares)
    return count


def _blocks(length: int) -> Iterator[slice]:
    """Parts of a long array whose working copies stay small."""
    return (slice(start, start + BLOCK) for start in range(0, length, BLOCK))


def tiles_wanted(faces: int, elements: int, *, most: int = MOST_TILES) -> int:
    """How many tiles a layer is worth; 1 = leave it whole."""
    if faces < WORTH_TILES and elements < MANY_ELEMENTS:
        return 1
    return int(min(max(faces // FACES_A_TILE, 4), most))


def tiled_mesh(
    mesh: Mesh, *, angle: float | None, feet: bool, boxes: bool, roofs: bool, most: int = MOST_TILES
) -> TiledMesh:
    """Split a mesh into tiles; pure.

    Parameters
    ----------
    angle : float [degrees] or None
        Between faces from which their edge is drawn; None draws no edges.
    feet : bool
        Also edges around downward faces.
    boxes : bool
        Whether elements may become boxes far away: buildings.
    roofs : bool
        Whether to tell which faces look up.
    most : int
        Tiles.
    """
    elements = int(mesh.face_element.max()) + 1 if len(mesh.faces) else 0
    wanted = tiles_wanted(len(mesh.faces), elements, most=most)
    if wanted == 1 or elements == 0:
        return _whole(mesh, angle=angle, feet=feet, roofs=roofs)
    number = _face_tiles(mesh, elements, wanted, most=most)
    order = np.argsort(number, kind="stable").astype(np.int32)
    stops = np.cumsum(np.bincount(number))
    roof = np.zeros(len(mesh.faces), dtype=np.bool_) if roofs or boxes else None
    tiles, sources, coarse_first = [], [], 0
    for rows, part in _parts(mesh, order, stops):
        if roof is not None:
            roof[rows] = part.face_normal[:, 2] > ROOF_SLOPE
        coarse, source = _boxes(part) if boxes else (None, np.zeros(0, np.int32))
        tiles.append(
            Tile(
                Part(part.vertices.astype(np.float32), part.faces),
                int(stops[len(tiles)]) - len(rows),
                part.vertices.min(axis=0),
                part.vertices.max(axis=0),
                edges_of(part, angle, feet=feet) if angle is not None else None,
                coarse,
                coarse_first,
            )
        )
        sources.append(rows[source])
        coarse_first += len(source)
    return TiledMesh(tuple(tiles), mesh.face_element, order, np.concatenate(sources), roof if roofs else None)


def _whole(mesh: Mesh, *, angle: float | None, feet: bool, roofs: bool) -> TiledMesh:
    """A mesh in one piece, its faces shared and not copied."""
    if len(mesh.faces) == 0:
        return TiledMesh((), mesh.face_element)
    plain = Mesh(mesh.vertices, mesh.faces, mesh.face_element)  # its normals go when it goes
    tile = Tile(
        Part(mesh.vertices.astype(np.float32), mesh.faces),
        0,
        mesh.vertices.min(axis=0),
        mesh.vertices.max(axis=0),
        edges_of(plain, angle, feet=feet) if angle is not None else None,
    )
    return TiledMesh((tile,), mesh.face_element, roof=plain.face_normal[:, 2] > ROOF_SLOPE if roofs else None)


def _face_tiles(mesh: Mesh, elements: int, wanted: int, *, most: int) -> NDArray[np.int16]:
    """(m,) tile of each face; faces of one element stay together unless the element is larger than tiles are."""
    count = np.bincount(mesh.face_element, minlength=elements)
    if count.max() > LARGE_ELEMENT:
        return tile_numbers(mesh.vertices[mesh.faces[:, 0], :2], wanted=wanted, most=most)
    present = np.flatnonzero(count)
    first = np.zeros(elements, dtype=np.int32)
    first[mesh.face_element[::-1]] = np.arange(len(mesh.faces) - 1, -1, -1, dtype=np.int32)
    number = np.zeros(elements, dtype=np.int16)
    number[present] = tile_numbers(mesh.vertices[mesh.faces[first[present], 0], :2], wanted=wanted, most=most)
    return number[mesh.face_element]


def _parts(mesh: Mesh, order: Rows, stops: NDArray[np.int64]) -> Iterator[tuple[Rows, Mesh]]:
    """Face rows of each tile, and the tile as a mesh with its own vertices."""
    used = np.zeros(len(mesh.vertices), dtype=np.bool_)
    number = np.zeros(len(mesh.vertices), dtype=np.int32)
    for start, stop in zip([0, *stops[:-1]], stops, strict=True):
        rows = order[start:stop]
        faces = mesh.faces[rows]
        used[faces] = True
        mine = np.flatnonzero(used)
        used[mine] = False
        number[mine] = np.arange(len(mine), dtype=np.int32)
        yield rows, Mesh(mesh.vertices[mine], number[faces], mesh.face_element[rows])


def edges_of(mesh: Mesh, angle: float, *, feet: bool) -> Edges | None:
    """Crease lines of a mesh with their own vertices, or None when there are none."""
    pairs, element = crease_edges(mesh, angle=angle, feet=feet)
    if len(pairs) == 0:
        return None
    used, numbers = np.unique(pairs.ravel(), return_inverse=True)
    return Edges(mesh.vertices[used].astype(np.float32), numbers.reshape(-1, 2).astype(np.int32), element)


def _boxes(mesh: Mesh) -> tuple[Part | None, Rows]:
    """A box for each element, turned like its walls, of its roofs' area and mean height; and whose colour it takes.

    The direction of a wall counts modulo a right angle, so that all four sides of a house agree: the angle of the
    mean of exp(4 i a), weighted by the area of the walls.
    """
    present, row = np.unique(mesh.face_element, return_inverse=True)
    if len(mesh.faces) < WORTH_BOXES * BOX_FACES * len(present):
        return None, np.zeros(0, np.int32)
    count = len(present)
    normal, area = mesh.face_normal, mesh.face_area
    wall = np.abs(normal[:, 2]) < ROOF_SLOPE
    four = 4.0 * np.arctan2(normal[:, 1], normal[:, 0])
    weight = np.where(wall, area, 0.0)
    turn = np.arctan2(np.bincount(row, weight * np.sin(four), count), np.bincount(row, weight * np.cos(four), count))
    cos, sin = np.cos(turn / 4), np.sin(turn / 4)
    corner_row = np.repeat(row, 3)
    points = mesh.vertices[mesh.faces.ravel()]
    along = points[:, 0] * cos[corner_row] + points[:, 1] * sin[corner_row]
    across = points[:, 1] * cos[corner_row] - points[:, 0] * sin[corner_row]
    order = np.argsort(corner_row, kind="stable")
    starts = np.searchsorted(corner_row[order], np.arange(count))
    low = np.stack([np.minimum.reduceat(v[order], starts) for v in (along, across, points[:, 2])], axis=1)
    high = np.stack([np.maximum.reduceat(v[order], starts) for v in (along, across, points[:, 2])], axis=1)
    up = normal[:, 2] > ROOF_SLOPE
    flat = np.where(up, area * normal[:, 2], 0.0)
    covered = np.bincount(row, flat, count)
    middle_z = points[:, 2].reshape(-1, 3).mean(axis=1)
    roof_z = np.bincount(row, flat * middle_z, count) / np.maximum(covered, 1e-9)
    high[:, 2] = np.where(covered > 0, roof_z, high[:, 2])
    span = np.maximum(high[:, :2] - low[:, :2], 0.01)
    shrink = np.sqrt(np.clip(covered / span.prod(axis=1), 0.2, 1.0))[:, None]
    shrink[covered <= 0] = 1.0
    centre = (low[:, :2] + high[:, :2]) / 2
    low[:, :2], high[:, :2] = centre - span * shrink / 2, centre + span * shrink / 2
    vertices = _box_corners(low, high, cos, sin)
    faces = (np.array(_BOX, np.int32)[None] + (8 * np.arange(count, dtype=np.int32))[:, None, None]).reshape(-1, 3)
    roof_face, wall_face = (_first_of(row, mask, count) for mask in (up, wall))
    source = np.concatenate([np.tile(roof_face[:, None], 2), np.tile(wall_face[:, None], 8)], axis=1).ravel()
    return Part(vertices, faces), source.astype(np.int32)


_BOX = (  # two of the roof, then eight of the walls; corners 0-3 below, 4-7 above
    (4, 5, 6),
    (4, 6, 7),
    (0, 1, 5),
    (0, 5, 4),
    (1, 2, 6),
    (1, 6, 5),
    (2, 3, 7),
    (2, 7, 6),
    (3, 0, 4),
    (3, 4, 7),
)


def _box_corners(
    low: NDArray[np.float64], high: NDArray[np.float64], cos: NDArray[np.float64], sin: NDArray[np.float64]
) -> NDArray[np.float32]:
    """(8 n, 3) corners of turned boxes."""
    along = np.stack([low[:, 0], high[:, 0], high[:, 0], low[:, 0]] * 2, axis=1)
    across = np.stack([low[:, 1], low[:, 1], high[:, 1], high[:, 1]] * 2, axis=1)
    z = np.stack([low[:, 2]] * 4 + [high[:, 2]] * 4, axis=1)
    x = along * cos[:, None] - across * sin[:, None]
    y = along * sin[:, None] + across * cos[:, None]
    return np.stack([x, y, z], axis=-1).reshape(-1, 3).astype(np.float32)


def _first_of(row: NDArray[np.int64], mask: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    """(count,) a face of each element that is masked, else any face of it."""
    first = np.zeros(count, dtype=np.int64)
    first[row] = np.arange(len(row))
    chosen = np.flatnonzero(mask)
    first[row[chosen]] = chosen
    return first
