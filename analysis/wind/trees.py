"""Leaf area of trees in the cells of the wind tunnel: crown boxes shared out exactly, never solid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.wind.domain import Axes
from geo.model import Instances, Issue, Layer, Mesh

Floats = NDArray[np.float64]

LEAF_OFF = 0.2  # of the summer's leaf area: twigs
CROWN_FROM = 0.24  # of the height, where a crown begins when the shape does not say
BESIDE = 0.2  # of its width: a crown further from its foot stands where its own box is
CROWN = 0  # material slot of crowns in the shapes of planted trees


@dataclass(frozen=True, eq=False)
class Crowns:
    """Crown boxes of trees.

    Attributes
    ----------
    middle : (n, 2) float [local m]
    width : (n,) float [m]
        Side of the square with the area of the crown in plan.
    bottom, top : (n,) float [local m]
        Lowest leaves and top.
    """

    middle: Floats
    width: Floats
    bottom: Floats
    top: Floats

    def __len__(self) -> int:
        return len(self.width)


def crowns_of(layers: Sequence[Layer]) -> Crowns:
    """Crown boxes of tree layers: planted shapes, or the box of each element of a mesh."""
    parts = [_planted(layer.geometry) for layer in layers if isinstance(layer.geometry, Instances)]
    parts += [_boxed(layer.geometry) for layer in layers if isinstance(layer.geometry, Mesh)]
    if not parts:
        return Crowns(np.zeros((0, 2)), np.zeros(0), np.zeros(0), np.zeros(0))
    return Crowns(
        np.concatenate([part.middle for part in parts]),
        np.concatenate([part.width for part in parts]),
        np.concatenate([part.bottom for part in parts]),
        np.concatenate([part.top for part in parts]),
    )


def _planted(trees: Instances) -> Crowns:
    middle = trees.transform[:, :2, 3].copy()
    width, bottom, top = np.zeros(len(middle)), np.zeros(len(middle)), np.zeros(len(middle))
    for number, shape in enumerate(trees.shapes):
        mine = np.flatnonzero(trees.shape == number)
        crown = shape.vertices[np.unique(shape.faces[shape.face_element == CROWN])]
        if len(mine) == 0 or len(crown) == 0:
            continue
        matrix = trees.transform[mine]
        points = np.einsum("kij,nj->kni", matrix[:, :, :3], crown) + matrix[:, None, :, 3]
        low, high = points.min(axis=1), points.max(axis=1)
        # a round crown: the mean of its two widths, and the square of equal area
        across = np.sqrt(np.abs(np.linalg.det(matrix[:, :2, :2]))) * np.hypot(crown[:, 0], crown[:, 1]).max() * 2.0
        width[mine] = across * np.sqrt(np.pi) / 2.0
        boxed = 0.5 * (low[:, :2] + high[:, :2])
        # the crown stands on its trunk; the shapes are a little uneven only to please the eye
        beside = np.hypot(*(boxed - middle[mine]).T) > BESIDE * width[mine]
        middle[mine] = np.where(beside[:, None], boxed, middle[mine])
        bottom[mine], top[mine] = low[:, 2], high[:, 2]
    return Crowns(middle, width, bottom, top)


def _boxed(mesh: Mesh) -> Crowns:
    """One crown for each element of a mesh: its box above the trunk."""
    used, element = np.unique(mesh.face_element, return_inverse=True)
    low, high = np.full((len(used), 3), np.inf), np.full((len(used), 3), -np.inf)
    for corner in range(3):
        np.minimum.at(low, element, mesh.vertices[mesh.faces[:, corner]])
        np.maximum.at(high, element, mesh.vertices[mesh.faces[:, corner]])
    size = high - low
    width = np.sqrt(np.maximum(size[:, 0] * size[:, 1], 0.0) * np.pi / 4.0)
    return Crowns(0.5 * (low[:, :2] + high[:, :2]), width, low[:, 2] + CROWN_FROM * size[:, 2], high[:, 2])


def leaf_area(
    crowns: Crowns, axes: Axes, x: Floats, y: Floats, z: Floats, *, base: float, density: float
) -> NDArray[np.float32]:
    """(nz, ny, nx) leaf area density [1/m]: each crown's leaves shared out over the cells by the volume they share.

    `density` [1/m] is that inside a crown. Crowns that grow into each other are not denser than one.
    """
    from analysis.kernels.voxel_leaves import share_out

    place = axes.to_tunnel(crowns.middle)
    boxes = np.column_stack([
        *(place[:, 0] - 0.5 * crowns.width, place[:, 0] + 0.5 * crowns.width),
        *(place[:, 1] - 0.5 * crowns.width, place[:, 1] + 0.5 * crowns.width),
        *(crowns.bottom - base, crowns.top - base),
    ])  # fmt: skip
    out = np.zeros((len(z) - 1, len(y) - 1, len(x) - 1), dtype=np.float32)
    share_out(boxes, np.asarray(x), np.asarray(y), np.asarray(z), float(density), out)
    return np.minimum(out, np.float32(density))


def trees_in_houses(crowns: Crowns, axes: Axes, x: Floats, y: Floats, under_roof: NDArray[np.bool_]) -> int:
    """Trees whose foot stands in a column of a building."""
    place = axes.to_tunnel(crowns.middle)
    i, j = np.searchsorted(x, place[:, 0], side="right") - 1, np.searchsorted(y, place[:, 1], side="right") - 1
    inside = (i >= 0) & (j >= 0) & (i < len(x) - 1) & (j < len(y) - 1)
    return int(under_roof[j[inside], i[inside]].sum())


def house_issue(count: int) -> list[Issue]:
    """What is said of trees that stand in houses."""
    if count == 0:
        return []
    message = f"{count} trees stand inside buildings; what of their crowns lies in a building has no effect."
    return [Issue("wind.trees_in_houses", message, "doubt", count)]
