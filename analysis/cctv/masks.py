"""Privacy masks: which part of its picture a camera has to hide so that nothing private is seen.

What is private is given as convex pieces with faces (quads) and points on or in them. A piece of which any point is
visible from the camera is hidden whole as far as it lies in the picture, not only its visible part: what hides the
rest may move, and the camera with it. Faces are clipped in the camera's own space, before anything is divided by its
depth, so that what lies partly behind the lens cannot fold over.

A mask is a promise about one pan, tilt and zoom; a camera that turns needs a set for each preset.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.mask_shapes import mask_polygons
from analysis.cctv.optics import NEAREST, View, in_camera, in_view, project

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

FINE, COARSE = 4, 24  # parts along a face into which a fisheye's picture of it is divided, least and most
PART_ANGLE = 0.12  # [rad] about which a part may measure: its curved edge is then straight to a pixel or two
HALF_SPHERE = math.pi / 2


class Pieces(NamedTuple):
    """Convex pieces of what is private.

    Attributes
    ----------
    quads : (q, 4, 3) float [local m]
        Faces, corners in order; a window has one, a box within a room six.
    quad_piece : (q,) int64
        Ascending.
    points : (s, 3) float [local m]
        Where it is asked whether the piece can be seen.
    point_normal : (s, 3) float
        Outward unit normals; rows of not-a-number where it is seen from all sides.
    point_piece : (s,) int64
    """

    quads: Floats
    quad_piece: Indices
    points: Floats
    point_normal: Floats
    point_piece: Indices

    @property
    def total(self) -> int:
        """How many there are."""
        return int(self.quad_piece.max(initial=-1)) + 1


class ViewMasks(NamedTuple):
    """Masks of one view.

    Attributes
    ----------
    polygons : tuple of (k, 2) float [pixels]
        From the top left corner, v downward.
    pieces : (p,) int64
        Hidden by them: those that are visible and lie in the picture.
    share : float
        Of the picture that they cover.
    """

    polygons: tuple[Floats, ...]
    pieces: Indices
    share: float


NO_MASKS = ViewMasks((), np.zeros(0, dtype=np.int64), 0.0)


def visible_pieces(pieces: Pieces, visible: Bools) -> Bools:
    """(p,) pieces of which any point is visible; `visible` (s,) by point."""
    found = np.zeros(pieces.total, dtype=bool)
    found[pieces.point_piece[visible]] = True
    return found


def masks_of(view: View, pieces: Pieces, visible: Bools, *, most_masks: int, most_corners: int) -> ViewMasks:
    """The masks that a view needs.

    Parameters
    ----------
    visible : (s,) bool
        Points that the place of the lens sees, whatever its direction.
    most_masks, most_corners : int
        What the camera can be told.
    """
    shown = visible_pieces(pieces, visible)
    quads = np.flatnonzero(shown[pieces.quad_piece])
    outlines, owner = _outlines(view, pieces.quads[quads], pieces.quad_piece[quads])
    if not outlines:
        return NO_MASKS
    size = (view.pixels_wide, view.pixels_high)
    polygons = mask_polygons(outlines, size, most_masks=most_masks, most_corners=most_corners)
    share = sum(area(polygon) for polygon in polygons) / (size[0] * size[1])
    return ViewMasks(tuple(polygons), np.unique(np.array(owner, dtype=np.int64)), float(share))


def hidden(view: View, masks: ViewMasks | tuple[Floats, ...], xyz: Floats) -> Bools:
    """(n,) whether points (n, 3) [local m] fall into a mask: they no longer count as covered."""
    import shapely

    polygons = masks.polygons if isinstance(masks, ViewMasks) else masks
    out = np.zeros(len(xyz), dtype=bool)
    inside = np.flatnonzero(in_view(view, xyz)) if polygons else np.zeros(0, dtype=np.int64)
    if len(inside) == 0:
        return out
    u, v, _ = project(view, xyz[inside])
    for polygon in polygons:
        out[inside] |= shapely.intersects_xy(shapely.Polygon(polygon), u, v)
    return out


def area(polygon: Floats) -> float:
    """Of a polygon (k, 2)."""
    x, y = polygon[:, 0], polygon[:, 1]
    return float(abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2.0)


def _outlines(view: View, quads: Floats, owner: Indices) -> tuple[list[Floats], list[int]]:
    """Convex outlines [pixels] in the picture, and the piece of each."""
    if view.equidistant:
        return _fisheye_outlines(view, quads, owner)
    clipped = clipped_quads(view, quads)
    outlines: list[Floats] = []
    found: list[int] = []
    for corners, piece in zip(clipped, owner.tolist(), strict=True):
        if len(corners) < 3:
            continue
        pixels = _pixels(view, corners)
        if found and found[-1] == piece:  # the faces of one convex piece make one outline
            outlines[-1] = np.concatenate([outlines[-1], pixels])
        else:
            outlines.append(pixels)
            found.append(piece)
    return outlines, found


def clipped_quads(view: View, quads: Floats) -> list[Floats]:
    """The part of each quad (q, 4, 3) within the frustum, in camera space: corners (k, 3) as x right, y up, depth."""
    x, y, z = in_camera(view, quads.reshape(-1, 3))
    camera = np.stack([x, y, z], axis=1).reshape(-1, 4, 3)
    planes = _planes(view)
    beyond: Floats = camera @ planes[:, :3].T + planes[:, 3]  # (q, 4, planes), negative outside
    out_of: Bools = np.any(np.all(beyond < 0, axis=1), axis=1)
    whole: Bools = np.all(beyond >= 0, axis=(1, 2))
    nothing = np.zeros((0, 3))
    return [
        nothing if out_of[k] else camera[k] if whole[k] else clip_convex(camera[k], planes) for k in range(len(quads))
    ]


def _planes(view: View) -> Floats:
    """(5, 4) planes of the frustum in camera space: inside where ``p . xyz + q >= 0``; the near plane first."""
    wide, high = view.tan_half_width, view.tan_half_height
    return np.array(
        [
            [0.0, 0.0, 1.0, -NEAREST],
            [1.0, 0.0, wide, 0.0],
            [-1.0, 0.0, wide, 0.0],
            [0.0, 1.0, high, 0.0],
            [0.0, -1.0, high, 0.0],
        ]
    )


def clip_convex(corners: Floats, planes: Floats) -> Floats:
    """A convex polygon (k, 3) cut by planes (p, 4) [Sutherland and Hodgman 1974, doi:10.1145/360767.360802]."""
    for plane in planes:
        if len(corners) == 0:
            break
        away = corners @ plane[:3] + plane[3]
        if (away >= 0).all():
            continue
        kept = []
        for here, there, a, b in zip(corners, np.roll(corners, -1, axis=0), away, np.roll(away, -1), strict=True):
            if a >= 0:
                kept.append(here)
            if (a >= 0) != (b >= 0):
                kept.append(here + (a / (a - b)) * (there - here))
        corners = np.array(kept).reshape(-1, 3)
    return corners


def _pixels(view: View, camera: Floats) -> Floats:
    """(k, 2) pixels of points within the frustum, held within the picture."""
    u = view.pixels_wide / 2.0 + view.focal_px * camera[:, 0] / camera[:, 2]
    v = view.pixels_high / 2.0 - view.focal_px * camera[:, 1] / camera[:, 2]
    return np.column_stack([np.clip(u, 0.0, view.pixels_wide), np.clip(v, 0.0, view.pixels_high)])


def _fisheye_outlines(view: View, quads: Floats, owner: Indices) -> tuple[list[Floats], list[int]]:
    """Outlines of small parts of each quad: straight lines are curves in such a picture."""
    outlines: list[Floats] = []
    found: list[int] = []
    size = np.array([view.pixels_wide, view.pixels_high], dtype=np.float64)
    for quad, piece in zip(quads, owner.tolist(), strict=True):
        parts = _parts(quad, _division(view, quad))
        pixels, angle = _equidistant(view, parts.reshape(-1, 3))
        pixels, angle = pixels.reshape(-1, 4, 2), angle.reshape(-1, 4)
        ahead = (angle <= HALF_SPHERE).any(axis=1) & (angle < 0.95 * math.pi).all(axis=1)
        within = ((pixels.max(axis=1) > 0) & (pixels.min(axis=1) < size)).all(axis=1)
        for outline in pixels[ahead & within]:
            outlines.append(outline)
            found.append(piece)
    return outlines, found


def _division(view: View, quad: Floats) -> int:
    """Parts along each side of a quad, more where it is near."""
    place = np.asarray(view.position)
    centre = quad.mean(axis=0)
    reach = float(np.linalg.norm(quad - centre, axis=1).max())
    cross = np.cross(quad[1] - quad[0], quad[3] - quad[0])
    plumb = abs(float((centre - place) @ cross)) / max(float(np.linalg.norm(cross)), 1e-12)
    nearest = max(float(np.linalg.norm(centre - place)) - reach, plumb, NEAREST)
    return int(min(max(math.ceil(2.0 * reach / nearest / PART_ANGLE), FINE), COARSE))


def _parts(quad: Floats, count: int) -> Floats:
    """(count^2, 4, 3) equal parts of a quad."""
    share = np.linspace(0.0, 1.0, count + 1)
    low = quad[0] + share[:, None] * (quad[1] - quad[0])
    high = quad[3] + share[:, None] * (quad[2] - quad[3])
    lattice = low[None] + share[:, None, None] * (high - low)[None]
    corners = [lattice[:-1, :-1], lattice[:-1, 1:], lattice[1:, 1:], lattice[1:, :-1]]
    return np.stack(corners, axis=2).reshape(-1, 4, 3)


def _equidistant(view: View, xyz: Floats) -> tuple[Floats, Floats]:
    """Pixels (n, 2) of a fisheye and angles (n,) from its axis [rad]."""
    u, v, z = project(view, xyz)
    x, y, _ = in_camera(view, xyz)
    return np.column_stack([u, v]), np.arctan2(np.hypot(x, y), z)
