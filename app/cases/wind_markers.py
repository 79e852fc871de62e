"""Headless. Marks that drawings put where the probes of a wind tunnel stood: seen as bodies, they are no buildings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Triangles = NDArray[np.int32]

OFF_CENTRE = 0.15  # of its size: how far the middle of a mark may lie from the height of the probes
FEWEST = 3  # bodies of one size; and at least a quarter as many as there are probes
ALIKE = 0.02  # relative difference of the sizes of marks


def without_markers(vertices: Floats, faces: Triangles, probes: Floats) -> tuple[Triangles, int]:
    """Faces of a mesh without the marks at its probes, and how many there were.

    A mark is a small body (ball, cube, cylinder) as high as wide, with its middle at the probes' height and within its
    own size of a probe; it is one only where many probes have the same. AIJ case E brings 80 balls of 4 m.

    Parameters
    ----------
    vertices : (n, 3) [m], z up. faces : (m, 3). probes : (p, 3) [m].
    """
    import trimesh

    mesh = trimesh.Trimesh(vertices, faces, process=False)
    mesh.merge_vertices()
    bodies = trimesh.graph.connected_components(mesh.face_adjacency, nodes=np.arange(len(mesh.faces)), min_len=1)
    low, high = _boxes(np.asarray(mesh.vertices, float), np.asarray(mesh.faces), bodies)
    size, middle = high - low, (high + low) / 2
    widest = size.max(axis=1)
    round_ones = (size.min(axis=1) > 0.5 * widest) & _near_probes(middle, widest, probes)
    drop = np.zeros(len(bodies), bool)
    for own in np.flatnonzero(round_ones):
        alike = round_ones & (np.abs(size - size[own]) <= ALIKE * widest[own]).all(axis=1)
        if alike.sum() >= max(FEWEST, len(probes) // 4):
            drop |= alike
    kept = np.ones(len(faces), bool)
    for number in np.flatnonzero(drop):
        kept[bodies[number]] = False
    return faces[kept], int(drop.sum())


def _boxes(vertices: Floats, faces: Triangles, bodies: list[NDArray[np.int64]]) -> tuple[Floats, Floats]:
    """Lowest and highest corner of each body, (b, 3)."""
    low, high = np.full((len(bodies), 3), np.inf), np.full((len(bodies), 3), -np.inf)
    for number, body in enumerate(bodies):
        corners = vertices[faces[body]].reshape(-1, 3)
        low[number], high[number] = corners.min(axis=0), corners.max(axis=0)
    return low, high


def _near_probes(middle: Floats, widest: Floats, probes: Floats) -> NDArray[np.bool_]:
    """Whether the middle of each body lies at the height of a probe and within its own size of it."""
    flat = np.linalg.norm(middle[:, None, :2] - probes[None, :, :2], axis=2) <= widest[:, None]
    level = np.abs(middle[:, None, 2] - probes[None, :, 2]) <= OFF_CENTRE * widest[:, None]
    return np.asarray((flat & level).any(axis=1))
