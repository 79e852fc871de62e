"""The surface of a design cut into places to be measured, and what of it a scan may see at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import FAR, Occluder
from analysis.kernels.sampling import FaceCells, face_cells
from geo.model import Bounds, Feedback, Layer, Mesh

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# What a place of the design can tell: it may be seen; another body or the ground covers it; there is another surface
# so near that points could be of either.
OPEN, COVERED, CROWDED = 0, 1, 2
CONTACT = 0.02  # [m] two surfaces that face each other nearer than this touch: nothing sees between them
EMBEDDED = 4.0  # [m] a storey: so deep inside another body an element is covered; farther in it may be a hollow one
START = 0.002  # [m] a ray starts so far off its surface
FACING_DOWN = 0.7  # cosine of 45 degrees
BENEATH = 0.5  # [m] a scan that has points so far under a soffit has seen the space under it
DISC = 0.8  # of the inscribed disc: the sides of a bar that stands a little aside stay out of it
PLAN_CELL, MOST_PLAN_CELLS = 1.0, 2000  # [m], along a side: where the lowest points of a scan are kept
RAYS = 100_000  # traced at a time
MOST_CELLS = 600_000  # about 400 MB with the result; a coarser cell is taken for more


class Design(NamedTuple):
    """Elements of the models near the scan, numbered through over all layers.

    Attributes
    ----------
    mesh : Mesh
        `face_element` is the number of the element.
    layer : (n,) int64
        Which layer each element is of.
    row : (n,) int64
        Its row in the table of that layer.
    outside : int
        Elements that lie outside the box of the scan.
    """

    mesh: Mesh
    layer: NDArray[np.int64]
    row: NDArray[np.int64]
    outside: int

    def __len__(self) -> int:
        return len(self.row)


class Places(NamedTuple):
    """Places of the design surface.

    Attributes
    ----------
    cells : FaceCells
    kind : (n,) int8
        `OPEN`, `COVERED` or `CROWDED`.
    is_base : (n,) bool
        Faces down and the scan has nothing beneath: it rests on the ground, as far as anybody knows.
    radius : (n,) float [m]
        Of the disc inside the cell.
    inward, outward : (n,) float [m]
        How far a surface of the scan may lie off and still be this one: to the middle between it and the next surface
        of the design, and at most the distance searched.
    thickness : (n,) float [m]
        To the next surface behind; infinite where there is none.
    """

    cells: FaceCells
    kind: NDArray[np.int8]
    is_base: Bools
    radius: Floats
    inward: Floats
    outward: Floats
    thickness: Floats


def design_near(models: Sequence[Layer], scan: Bounds, reach: float) -> Design:
    """The elements whose boxes come within `reach` [m] of the box of a scan."""
    low, high = np.array(scan.low) - reach, np.array(scan.high) + reach
    vertices, faces, owners, layers, rows = [], [], [], [], []
    start = count = outside = 0
    for number, layer in enumerate(models):
        mesh = layer.geometry
        if not isinstance(mesh, Mesh):
            raise TypeError(f"{layer.name} is not a mesh")
        solid = np.isfinite(mesh.vertices[mesh.faces]).all(axis=(1, 2)) & (np.nan_to_num(mesh.face_area) > 0)
        boxes = _boxes(mesh, solid, len(layer.table))
        near = (boxes[0] <= high).all(axis=1) & (boxes[1] >= low).all(axis=1)
        outside += int((np.isfinite(boxes[0]).all(axis=1) & ~near).sum())
        kept = np.flatnonzero(near)
        number_of = np.full(len(layer.table), -1)
        number_of[kept] = count + np.arange(len(kept))
        chosen = solid & (number_of[mesh.face_element] >= 0)
        used, corners = np.unique(mesh.faces[chosen], return_inverse=True)
        vertices.append(mesh.vertices[used])
        faces.append(corners.reshape(-1, 3) + start)
        owners.append(number_of[mesh.face_element[chosen]])
        layers.append(np.full(len(kept), number))
        rows.append(kept)
        start, count = start + len(used), count + len(kept)
    whole = Mesh(np.concatenate(vertices), np.concatenate(faces), np.concatenate(owners))
    return Design(whole, np.concatenate(layers), np.concatenate(rows), outside)


def _boxes(mesh: Mesh, solid: Bools, count: int) -> tuple[Floats, Floats]:
    """Low and high corner (n, 3) of each element; infinite the wrong way round where it has no faces."""
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    corners = mesh.vertices[mesh.faces[solid]]
    np.minimum.at(low, mesh.face_element[solid], corners.min(axis=1))
    np.maximum.at(high, mesh.face_element[solid], corners.max(axis=1))
    return low, high


def places_of(
    design: Mesh, points: Floats, *, spacing: float, reach: float, tolerance: float, feedback: Feedback
) -> Places:
    """Cut the design surface into cells of about `spacing` [m] and tell what a scan may see of each.

    Parameters
    ----------
    points : (k, 3) float [local m]
        Of the scan.
    reach : float [m]
        Largest distance searched.
    tolerance : float [m]
        Where another surface is nearer than twice the tolerance the place is `CROWDED`.
    """
    cells = face_cells(design, spacing, feedback=feedback.part(0.0, 0.4))
    front, covered = _in_front(design, cells, max(2.0 * reach, EMBEDDED), feedback.part(0.4, 0.7))
    thickness = _behind(design, cells, feedback.part(0.7, 1.0))
    down = cells.normals[:, 2] < -FACING_DOWN
    base = np.zeros(len(down), dtype=bool)
    base[down] = ~_open_beneath(cells.points[down], points)
    inward, outward = np.minimum(reach, thickness / 2), np.minimum(reach, front / 2)
    crowded = np.minimum(inward, outward) < min(tolerance, reach) * (1.0 - 1e-6)
    kind = np.select([covered | base, crowded], [COVERED, CROWDED], OPEN).astype(np.int8)
    radius = np.clip(DISC * _inscribed(cells), spacing / 8, spacing / 2)
    return Places(cells, kind, base, radius, inward, outward, thickness)


def fitting_spacing(design: Mesh, spacing: float) -> float:
    """The spacing, or a larger one of which the surface has no more than `MOST_CELLS` cells [m]."""
    return max(spacing, float(np.sqrt(design.face_area.sum() / MOST_CELLS)))


def _in_front(mesh: Mesh, cells: FaceCells, reach: float, feedback: Feedback) -> tuple[Floats, Bools]:
    """Free space before each cell [m], at most `reach`; and whether something of the design covers it."""
    distance, face = _hits(mesh, cells.points, cells.normals, reach, feedback)
    met = face >= 0
    # A ray that leaves a body was inside it from the start.
    leaves = np.einsum("ij,ij->i", mesh.face_normal[np.where(met, face, 0)], cells.normals) > 0
    return distance, met & (leaves | (distance < CONTACT))


def _behind(mesh: Mesh, cells: FaceCells, feedback: Feedback) -> Floats:
    return _hits(mesh, cells.points, -cells.normals, FAR, feedback)[0]


def _hits(
    mesh: Mesh, points: Floats, ways: Floats, reach: float, feedback: Feedback
) -> tuple[Floats, NDArray[np.int64]]:
    """Distance to the next surface (inf for none) and its face (-1 for none)."""
    scene = Occluder([mesh])
    distance, face = np.full(len(points), np.inf), np.full(len(points), -1, dtype=np.int64)
    for start in range(0, len(points), RAYS):
        feedback.step(start / len(points), "looking at the design surface")
        part = slice(start, start + RAYS)
        found = scene.first_hit(points[part] + START * ways[part], ways[part], reach)
        distance[part], face[part] = found.distance + START, found.face
    return distance, face


def _open_beneath(spots: Floats, points: Floats) -> Bools:
    """(n,) whether a scan has points well under spots (n, 3): then it has seen the space beneath them."""
    from scipy.ndimage import minimum_filter

    if len(spots) == 0:
        return np.zeros(0, dtype=bool)
    low = spots[:, :2].min(axis=0) - PLAN_CELL
    extent = spots[:, :2].max(axis=0) + PLAN_CELL - low
    cell = max(PLAN_CELL, float(extent.max()) / MOST_PLAN_CELLS)
    shape = np.floor(extent / cell).astype(np.int64) + 1
    column = np.floor((points[:, :2] - low) / cell)
    inside = ((column >= 0) & (column < shape)).all(axis=1)
    lowest = np.full(tuple(shape), np.inf)
    np.minimum.at(lowest, tuple(column[inside].astype(np.int64).T), points[inside, 2])
    # A wall hides the floor right under its own soffit: its neighbours count too.
    lowest = minimum_filter(lowest, size=3, mode="nearest")
    at = np.floor((spots[:, :2] - low) / cell).astype(np.int64)
    return np.asarray(lowest[at[:, 0], at[:, 1]] < spots[:, 2] - BENEATH)


def _inscribed(cells: FaceCells) -> Floats:
    """(n,) half the shorter side of the rectangle with the area and the diagonal of each cell [m]."""
    away = np.zeros(len(cells.points))
    owner = np.repeat(cells.cell_of_face, 3)
    offset = cells.mesh.vertices[cells.mesh.faces.ravel()] - cells.points[owner]
    np.maximum.at(away, owner, np.linalg.norm(offset, axis=1))
    diagonal2 = (2.0 * away) ** 2
    longer = np.sqrt((diagonal2 + np.sqrt(np.maximum(diagonal2**2 - 4.0 * cells.area**2, 0.0))) / 2)
    return np.asarray(cells.area / (2.0 * np.maximum(longer, 1e-9)))
