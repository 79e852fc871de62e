"""Buildings with a pitched roof over a rectangle: gable, hip, hip-and-gable and pyramid between eave and ridge."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.buildings import GROUND, ROOF, WALL
from geo.model import Mesh, merge_meshes

Floats = NDArray[np.float64]
FLAT, GABLE, HIP, HIP_AND_GABLE, PYRAMID = "flat", "gable", "hip", "hip-and-gable", "pyramid"
# Words of OpenStreetMap (roof:shape), CityGML code lists and Korean building surveys, compared without case and spaces.
SHAPE_WORDS = {
    FLAT: ("flat", "평지붕", "평슬래브", "평슬라브", "슬래브", "평"),
    GABLE: ("gable", "gabled", "saddle", "맞배", "맞배지붕", "박공", "박공지붕", "뱃집"),
    HIP: ("hip", "hipped", "우진각", "우진각지붕", "모임", "모임지붕"),
    HIP_AND_GABLE: ("hip-and-gable", "hipandgable", "gablet", "팔작", "팔작지붕", "합각", "합각지붕"),
    PYRAMID: ("pyramidal", "pyramid", "사모", "사모지붕", "네모지붕", "뿔지붕"),
}
FILLED = 0.95  # share of its smallest rectangle that a footprint must fill to carry a pitched roof
GABLET = 0.5  # share of the rise below the gables of a hip-and-gable roof, assumed
POINT = 0.02  # [m]; a ridge shorter than this is a point


class RectangleRoof(NamedTuple):
    """Corners of a triangle pattern: faces and which of them are roof, wall and ground."""

    faces: tuple[tuple[int, int, int], ...]
    surface: tuple[int, ...]


# Vertices: 0-3 ground and 4-7 eaves, counter-clockwise with the long side first; 8 and 9 the ridge; 10-13 the knees
# where the gables of a hip-and-gable roof stand, over corners 0 to 3.
_BODY = ((0, 2, 1), (0, 3, 2), (0, 1, 5), (0, 5, 4), (1, 2, 6), (1, 6, 5), (2, 3, 7), (2, 7, 6), (3, 0, 4), (3, 4, 7))
_BODY_SURFACE = (GROUND,) * 2 + (WALL,) * 8
_SLOPES = ((4, 5, 9), (4, 9, 8), (6, 7, 8), (6, 8, 9))
_ENDS = ((7, 4, 8), (5, 6, 9))
_GABLET_SLOPES = ((4, 5, 11), (4, 11, 10), (10, 11, 9), (10, 9, 8), (6, 7, 13), (6, 13, 12), (12, 13, 8), (12, 8, 9))
_GABLET_ENDS = ((7, 4, 10), (7, 10, 13), (5, 6, 12), (5, 12, 11))
_GABLETS = ((13, 10, 8), (11, 12, 9))
PATTERNS = {
    GABLE: RectangleRoof((*_BODY, *_SLOPES, *_ENDS), (*_BODY_SURFACE, *(ROOF,) * 4, *(WALL,) * 2)),
    HIP: RectangleRoof((*_BODY, *_SLOPES, *_ENDS), (*_BODY_SURFACE, *(ROOF,) * 6)),
    PYRAMID: RectangleRoof((*_BODY, (4, 5, 8), (5, 6, 8), (6, 7, 8), (7, 4, 8)), (*_BODY_SURFACE, *(ROOF,) * 4)),
    HIP_AND_GABLE: RectangleRoof(
        (*_BODY, *_GABLET_SLOPES, *_GABLET_ENDS, *_GABLETS), (*_BODY_SURFACE, *(ROOF,) * 12, *(WALL,) * 2)
    ),
}


def shape_of(word: object) -> str:
    """Roof shape a word means; ``""`` for none and for shapes that are not built (mansard, shed ...).

    Examples
    --------
    >>> shape_of("Gabled"), shape_of("팔작 지붕"), shape_of("mansard")
    ('gable', 'hip-and-gable', '')
    """
    text = "".join(str(word or "").lower().split()).replace("_", "-")
    return next((shape for shape, words in SHAPE_WORDS.items() if text in words), "")


def rectangles(polygons: NDArray[np.object_]) -> tuple[Floats, NDArray[np.bool_]]:
    """Corners of the footprints that are nearly rectangles.

    Parameters
    ----------
    polygons : (n,) shapely Polygons, shells counter-clockwise, without straight vertices

    Returns
    -------
    corners : (n, 4, 2) float [local m]
        Counter-clockwise, the first side one of the two long ones; NaN where it is no rectangle.
    fits : (n,) bool
        Four corners, no hole, and at least `FILLED` of the smallest rotated rectangle around it.
    """
    import shapely

    corners = np.full((len(polygons), 4, 2), np.nan)
    four = (shapely.get_num_interior_rings(polygons) == 0) & (
        shapely.get_num_coordinates(shapely.get_exterior_ring(polygons)) == 5
    )
    if not four.any():
        return corners, four
    around = shapely.area(shapely.oriented_envelope(polygons[four]))
    fits = four.copy()
    fits[four] = shapely.area(polygons[four]) >= FILLED * around
    if fits.any():
        points = shapely.get_coordinates(shapely.get_exterior_ring(polygons[fits])).reshape(-1, 5, 2)[:, :4]
        side = np.linalg.norm(np.roll(points, -1, axis=1) - points, axis=2)
        turn = side[:, 1] + side[:, 3] > side[:, 0] + side[:, 2]
        points[turn] = np.roll(points[turn], -1, axis=1)
        corners[fits] = points
    return corners, fits


def roofed(
    corners: ArrayLike, base: ArrayLike, eave: ArrayLike, ridge: ArrayLike, shape: NDArray[np.object_]
) -> tuple[Mesh, NDArray[np.int8]]:
    """Closed solids with pitched roofs.

    Parameters
    ----------
    corners : (n, 4, 2) float [local m]
        As `rectangles` gives them. The ridge runs along the first side, half way across.
    base : (n,) float [local m]
    eave, ridge : (n,) float [m]
        Heights above the base, the ridge above the eave and the eave above 0.
    shape : (n,) of "gable", "hip", "hip-and-gable", "pyramid"
        The four slopes of a hip are equally steep; a hip over a square is a pyramid. The gables of a hip-and-gable
        roof begin at half its rise.

    Returns
    -------
    mesh : Mesh
        `face_element` is the index of the rectangle; faces look outward.
    surface : (m,) int8
        Code of each face into `buildings.SURFACES`.
    """
    xy = np.asarray(corners, dtype=np.float64).reshape(-1, 4, 2)
    heights = np.stack([np.broadcast_to(np.asarray(v, np.float64), len(xy)) for v in (base, eave, ridge)], axis=1)
    long, inset, knee = _proportions(xy, np.asarray(shape, dtype=object))
    sort = np.asarray(shape, dtype=object).copy()
    sort[np.isin(sort, (HIP, HIP_AND_GABLE)) & ((1 - 2 * inset) * long < POINT)] = PYRAMID
    inset = np.where(sort == PYRAMID, 0.5, inset)
    points = _points(xy, heights, inset, knee)
    meshes, codes, order = [], [], []
    for name, pattern in PATTERNS.items():
        mine = np.flatnonzero(sort == name)
        if len(mine) == 0:
            continue
        used = np.unique(np.array(pattern.faces))
        number = np.zeros(14, np.int64)
        number[used] = np.arange(len(used))
        faces = number[np.array(pattern.faces)] + np.arange(len(mine))[:, None, None] * len(used)
        vertices = points[mine][:, used].reshape(-1, 3)
        element = np.repeat(mine, len(pattern.faces)).astype(np.int32)
        meshes.append(Mesh(vertices, faces.reshape(-1, 3), element))
        codes.append(np.tile(np.array(pattern.surface, np.int8), len(mine)))
        order.append(element)
    if not meshes:
        return merge_meshes(()), np.empty(0, np.int8)
    joined = merge_meshes(meshes)
    element = np.concatenate(order)
    by_element = np.argsort(element, kind="stable")
    mesh = Mesh(joined.vertices, joined.faces[by_element], element[by_element])
    return mesh, np.concatenate(codes)[by_element]


def _proportions(xy: Floats, shape: NDArray[np.object_]) -> tuple[Floats, Floats, Floats]:
    """Length [m], share of it by which the ridge is shorter at each end, share of the width up to the knees."""
    side = np.linalg.norm(np.roll(xy, -1, axis=1) - xy, axis=2)
    long, wide = (side[:, 0] + side[:, 2]) / 2, (side[:, 1] + side[:, 3]) / 2
    rise = np.select([shape == GABLE, shape == HIP_AND_GABLE], [0.0, GABLET], default=1.0)
    return long, np.minimum(rise * wide / 2 / long, 0.5), rise / 2


def _points(xy: Floats, heights: Floats, inset: Floats, knee: Floats) -> Floats:
    """(n, 14, 3) vertices as numbered for `PATTERNS`."""
    base, eave, ridge = heights[:, 0], heights[:, 0] + heights[:, 1], heights[:, 0] + heights[:, 2]
    middle = np.full(len(xy), 0.5)
    knee_z = eave + 2 * knee * (ridge - eave)
    places = [*[(xy[:, k], base) for k in range(4)], *[(xy[:, k], eave) for k in range(4)]]
    places += [(_within(xy, u, middle), ridge) for u in (inset, 1 - inset)]
    places += [
        (_within(xy, u, v), knee_z)
        for u, v in ((inset, knee), (1 - inset, knee), (1 - inset, 1 - knee), (inset, 1 - knee))
    ]
    return np.stack([np.column_stack([place, z]) for place, z in places], axis=1)


def _within(xy: Floats, u: Floats, v: Floats) -> Floats:
    """Place at share u along and v across a four-sided figure (n, 2)."""
    u, v = u[:, None], v[:, None]
    near = xy[:, 0] * (1 - u) + xy[:, 1] * u
    far = xy[:, 3] * (1 - u) + xy[:, 2] * u
    return near * (1 - v) + far * v
