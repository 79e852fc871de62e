"""Trees: a few crown shapes repeated with their own height, crown and turn."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.model import Instances, Mesh, merge_meshes

Floats = NDArray[np.float64]
BROAD, OVAL, CONIFER = 0, 1, 2
CROWN, TRUNK = 0, 1  # material slots in `face_element` of a shape
CROWN_FROM = 0.24  # of the height
NOISE = 0.13  # of the crown radius
CROWN_RADIUS = (0.40, 0.31, 0.22)  # of the height: broad, oval, conifer
TRUNK_RADIUS = 0.025  # of the height
USUAL_HEIGHT = 6.0  # [m] a street tree some years after planting
CONIFERS = ("pine", "fir", "spruce", "cedar", "larch", "conifer", "needle", "cypress", "ginkgo", "metasequoia",
            "pinus", "abies", "picea", "소나무", "잣나무", "전나무", "향나무", "측백", "편백", "메타세", "침엽", "주목",
            "가문비", "곰솔", "해송", "적송", "낙엽송")  # fmt: skip


def species_shape(species: object, *, fallback: int) -> int:
    """Shape number for a species name: conifer, else `fallback`."""
    text = str(species or "").lower()
    return CONIFER if any(word in text for word in CONIFERS) else fallback


@cache
def tree_shapes() -> tuple[Mesh, ...]:
    """Broad, oval and conifer of height 1, foot at the origin; face_element 0 = crown, 1 = trunk."""
    rng = np.random.default_rng(20)
    return tuple(_tree(radius, rng, pointed=number == CONIFER) for number, radius in enumerate(CROWN_RADIUS))


def _tree(radius: float, rng: np.random.Generator, *, pointed: bool) -> Mesh:
    ball, faces = _icosphere()
    noisy = ball * (1.0 + NOISE * rng.uniform(-1.0, 1.0, (len(ball), 1)))
    noisy[:, 2] = np.clip(noisy[:, 2], -1.0, 1.0)
    up = (noisy[:, 2] + 1.0) / 2.0
    taper = np.clip(1.35 * (1.0 - up), 0.04, 1.0) if pointed else np.ones(len(up))
    across = np.hypot(noisy[:, 0], noisy[:, 1]).max()
    crown = np.column_stack([noisy[:, :2] * (radius / across) * taper[:, None], CROWN_FROM + (1 - CROWN_FROM) * up])
    crown[:, 2] = CROWN_FROM + (crown[:, 2] - crown[:, 2].min()) * (1 - CROWN_FROM) / np.ptp(crown[:, 2])
    parts = merge_meshes([Mesh(crown, faces, np.zeros(len(faces))), _trunk()])
    return Mesh(parts.vertices, parts.faces, parts.face_element)


def _trunk() -> Mesh:
    """Five-sided trunk from the foot into the crown."""
    angle = 2 * np.pi * np.arange(5) / 5
    ring = TRUNK_RADIUS * np.column_stack([np.cos(angle), np.sin(angle)])
    low, high = np.column_stack([ring, np.zeros(5)]), np.column_stack([0.7 * ring, np.full(5, CROWN_FROM + 0.1)])
    here, there = np.arange(5), (np.arange(5) + 1) % 5
    faces = np.concatenate([np.stack([here, there, there + 5], 1), np.stack([here, there + 5, here + 5], 1)])
    return Mesh(np.concatenate([low, high]), faces, np.zeros(len(faces)))


def _icosphere() -> tuple[Floats, NDArray[np.int32]]:
    """Unit sphere of 80 faces: an icosahedron divided once; faces counter-clockwise from outside."""
    from scipy.spatial import ConvexHull

    golden = (1 + 5**0.5) / 2
    corners = np.array([(0, s, t * golden) for s in (-1, 1) for t in (-1, 1)], dtype=np.float64)
    corners = np.concatenate([np.roll(corners, k, axis=1) for k in range(3)])
    gap = np.linalg.norm(corners[:, None] - corners[None], axis=2)
    first, second = np.nonzero(np.triu((gap > 0) & (gap < 2.1)))
    points = np.concatenate([corners, corners[first] + corners[second]])
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    faces = ConvexHull(points).simplices
    a, b, c = (points[faces[:, k]] for k in range(3))
    inward = (np.cross(b - a, c - a) * a).sum(axis=1) < 0
    faces[inward] = faces[inward][:, ::-1]
    return points, faces.astype(np.int32)


def plant(
    foot: ArrayLike, height: ArrayLike, *, crown: ArrayLike | None = None, shape: ArrayLike | None = None
) -> Instances:
    """Trees standing at points.

    Parameters
    ----------
    foot : (n, 3) float [local m]
    height : (n,) float [m]
    crown : (n,) float [m], optional
        Crown diameter; NaN or absent = as wide as the shape is by nature.
    shape : (n,) int, optional
        `BROAD`, `OVAL` or `CONIFER`; by default broad and oval take turns.

    Returns
    -------
    Instances
        `element` is the index of the tree. Each is turned about its axis by an angle that depends on its place
        only, so that a reload gives the same picture.
    """
    points = np.asarray(foot, dtype=np.float64).reshape(-1, 3)
    tall = np.broadcast_to(np.asarray(height, dtype=np.float64), len(points))
    turn = _mixed(points)
    kind = (turn * 1000).astype(np.int64) % 2 if shape is None else np.asarray(shape, dtype=np.int64)
    own = np.array(CROWN_RADIUS)[kind]
    wide = np.full(len(points), np.nan) if crown is None else np.asarray(crown, dtype=np.float64)
    across = np.where(np.isfinite(wide) & (wide > 0), wide / 2 / own, tall)
    angle_rad = 2 * np.pi * turn
    transform = np.zeros((len(points), 3, 4))
    transform[:, 0, 0] = transform[:, 1, 1] = across * np.cos(angle_rad)
    transform[:, 0, 1] = -across * np.sin(angle_rad)
    transform[:, 1, 0] = across * np.sin(angle_rad)
    transform[:, 2, 2] = tall
    transform[:, :, 3] = points
    return Instances(tree_shapes(), kind.astype(np.int32), transform, np.arange(len(points), dtype=np.int32))


def _mixed(points: Floats) -> Floats:
    """A number in 0..1 for each point that looks random but depends on its place only."""
    cells = np.round(points[:, :2] * 100).astype(np.int64)
    mixed = (cells[:, 0] * 73856093 ^ cells[:, 1] * 19349663) % 1_000_003
    return mixed / 1_000_003.0
