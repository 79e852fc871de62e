"""Outlines in plan, and walking along them: where kerbs and walls run, and which way their free side looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.model import Lines, Mesh

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SNAP = 0.01  # [m] corners nearer than this are one
THIN = 1e-4  # [m2] triangles smaller than this in plan have no area
SMOOTH = 0.25  # [m] crooks of an outline smaller than this are none
CORNER_TURN = 30.0  # [degrees] an outline that turns less goes straight on


class Walk(NamedTuple):
    """Stations along outlines.

    Attributes
    ----------
    xy : (n, 2) float64 [local m]
    outward : (n, 2) float64
        Unit vectors to the free side: away from the area, square to its edge, halving the angle at a corner.
    turn : (n,) float64 [degrees]
        By how much the outline turns at a corner: positive where it juts out, negative in a nook, 0 along an edge.
    slide : (n,) float64 [m]
        To either side, how far a station may be shifted along a straight edge without meeting the next one.
    """

    xy: Floats
    outward: Floats
    turn: Floats
    slide: Floats

    def kept(self, keep: Bools) -> Walk:
        """Those of a mask."""
        return Walk(*(part[keep] for part in self))


def triangles_of(mesh: Mesh, faces: Bools | None = None) -> Floats:
    """(m, 3, 3) corners of the faces of a mesh."""
    return np.asarray(mesh.vertices[mesh.faces if faces is None else mesh.faces[faces]])


def outline_of(triangles: Floats) -> BaseGeometry:
    """The area that triangles (m, 3, 3) cover in plan."""
    import shapely

    flat = triangles[:, :, :2]
    one, two = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    flat = flat[np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) > 2 * THIN]
    if len(flat) == 0:
        return shapely.Polygon()
    rings = np.concatenate([flat, flat[:, :1]], axis=1)
    return shapely.union_all(shapely.polygons(rings), grid_size=SNAP)


def closed_rings(lines: Lines) -> BaseGeometry:
    """The area within the closed lines of a layer."""
    import shapely

    rings = []
    for first, last in zip(lines.offsets[:-1].tolist(), lines.offsets[1:].tolist(), strict=True):
        line = lines.vertices[first:last, :2]
        if len(line) >= 4 and np.allclose(line[0], line[-1], atol=SNAP):
            rings.append(shapely.make_valid(shapely.Polygon(line)))
    return shapely.union_all(rings) if rings else shapely.Polygon()


def within(shape: BaseGeometry, xy: Floats) -> Bools:
    """(n,) whether points lie in an area or on its edge."""
    import shapely

    if shape.is_empty or len(xy) == 0:
        return np.zeros(len(xy), dtype=np.bool_)
    shapely.prepare(shape)
    return np.asarray(shapely.intersects_xy(shape, xy[:, 0], xy[:, 1]))


def walk_around(
    shape: BaseGeometry, spacing: float, *, offset: float, inward: bool = False, smooth: float = SMOOTH
) -> Walk:
    """Stations at the corners of an area and every `spacing` [m] between them, `offset` [m] outside (or inside) it.

    Straight edges are divided evenly, so that no gap is larger than `spacing`. Corners are mitred; crooks smaller than
    `smooth` [m] are evened out first.
    """
    import shapely

    grown = shapely.buffer(
        shapely.simplify(shape, smooth), -offset if inward else offset, join_style="mitre", mitre_limit=2.0
    )
    stations = [
        _walk_ring(np.asarray(ring.coords)[:-1, :2], spacing, inward)
        for polygon in shapely.get_parts(grown)
        if polygon.geom_type == "Polygon"
        for ring in _oriented(polygon)
    ]
    return _joined([each for each in stations if len(each.xy)])


def _oriented(polygon: BaseGeometry) -> list[BaseGeometry]:
    """Rings with the area on their left: outer ones counter-clockwise, holes clockwise."""
    from shapely.geometry.polygon import orient

    turned = orient(polygon)
    return [turned.exterior, *turned.interiors]


def _joined(parts: Sequence[Walk]) -> Walk:
    if not parts:
        return Walk(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0), np.zeros(0))
    return Walk(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _walk_ring(ring: Floats, spacing: float, inward: bool) -> Walk:
    """Stations of one ring (k, 2), open, with the area on its left."""
    ring, turns = _corners(ring)
    if len(ring) < 3:
        return _joined([])
    edge = np.roll(ring, -1, axis=0) - ring
    length = np.hypot(edge[:, 0], edge[:, 1])
    way = edge / length[:, None]
    side = np.column_stack([way[:, 1], -way[:, 0]])  # to the right: outside
    pieces = np.maximum(1, np.ceil(length / spacing - 1e-9)).astype(np.int64)
    between = pieces - 1
    number = np.repeat(np.arange(len(ring)), between)
    step = np.arange(len(number)) - np.repeat(np.cumsum(between) - between, between) + 1
    along = ring[number] + edge[number] * (step / pieces[number])[:, None]
    half = (length / pieces)[number] / 2.0
    middle = side + np.roll(side, 1, axis=0)
    size = np.hypot(middle[:, 0], middle[:, 1])
    corner = np.where((size > 1e-6)[:, None], middle / np.maximum(size, 1e-6)[:, None], -way)
    sign = -1.0 if inward else 1.0
    return Walk(
        np.concatenate([ring, along]),
        sign * np.concatenate([corner, side[number]]),
        sign * np.concatenate([turns, np.zeros(len(number))]),
        np.concatenate([np.zeros(len(ring)), half]),
    )


def _corners(ring: Floats) -> tuple[Floats, Floats]:
    """Corners of an open ring where it turns by more than `CORNER_TURN`, and by how much; left turns are positive.

    A round outline has no such corner: every so many degrees of its bend one of its points stands for one.
    """
    back, ahead = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    keep = (np.hypot(*back.T) > 1e-9) & (np.hypot(*ahead.T) > 1e-9)
    ring = ring[keep]
    if len(ring) < 3:
        return ring, np.zeros(len(ring))
    back, ahead = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    turn = np.degrees(
        np.arctan2(back[:, 0] * ahead[:, 1] - back[:, 1] * ahead[:, 0], (back * ahead).sum(axis=1))
    )
    chosen, bend = [], 0.0
    for number, value in enumerate(turn.tolist()):
        bend += value
        if abs(bend) > CORNER_TURN:
            chosen.append(number)
            bend = 0.0
    ring = ring[chosen]
    if len(ring) < 3:
        return ring, np.zeros(len(ring))
    back, ahead = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    return ring, np.degrees(
        np.arctan2(back[:, 0] * ahead[:, 1] - back[:, 1] * ahead[:, 0], (back * ahead).sum(axis=1))
    )
