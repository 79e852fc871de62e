"""Headless. Balls that mark the probes in the drawing of a measured case: they are no buildings and are taken out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.model import unique_rows

Floats = NDArray[np.float64]
Triangles = NDArray[np.int32]

SAME_PLACE = 1e-4  # corners nearer than this share of the whole are one
ROUND = 0.02  # sides of a ball's box, and its middle from the probes' height, differ by no more than this share of it
FULLEST = 0.7  # a ball fills pi/6 = 0.52 of its box, a block all of it


def without_markers(vertices: Floats, faces: Triangles, *, probe_height: float) -> tuple[Triangles, int]:
    """The triangles that are no markers, and how many markers there were.

    A marker is a body by itself that is as wide and deep as high, has its middle at the probes' height, and is round.

    Parameters
    ----------
    vertices : (n, 3) [m]
        With z up.
    faces : (m, 3)
    probe_height : float [m]
    """
    body = bodies(vertices, faces)
    count = int(body.max(initial=-1)) + 1
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    corners = vertices[faces]
    np.minimum.at(low, body, corners.min(axis=1))
    np.maximum.at(high, body, corners.max(axis=1))
    size, middle = high - low, (high + low) / 2
    tall = size[:, 2]
    # Tetrahedra over the middle of the body, so that places far from the origin lose no digits.
    from_middle = corners - middle[body][:, None]
    six = np.einsum("ij,ij->i", from_middle[:, 0], np.cross(from_middle[:, 1], from_middle[:, 2]))
    volume = np.abs(np.bincount(body, six, minlength=count)) / 6
    is_round = (np.abs(size - tall[:, None]) <= ROUND * tall[:, None]).all(axis=1) & (tall > 0)
    is_round &= np.abs(middle[:, 2] - probe_height) <= ROUND * np.maximum(tall, probe_height)
    is_round &= volume < FULLEST * size.prod(axis=1)
    return faces[~is_round[body]], int(is_round.sum())


def bodies(vertices: Floats, faces: Triangles) -> NDArray[np.intp]:
    """(m,) number of the body each triangle belongs to; triangles with a corner at the same place are of one body."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    step = SAME_PLACE * max(float(np.ptp(vertices, axis=0).max(initial=0.0)), 1e-9)
    corner = unique_rows(np.round(vertices / step).astype(np.int64)).group[faces]
    edges = np.concatenate([corner[:, :2], corner[:, 1:]])
    most = int(corner.max(initial=-1)) + 1
    links = coo_matrix((np.ones(len(edges), np.int8), (edges[:, 0], edges[:, 1])), shape=(most, most))
    _, label = connected_components(links, directed=False)
    return np.asarray(np.unique(label[corner[:, 0]], return_inverse=True)[1]).reshape(-1)
