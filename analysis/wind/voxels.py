"""Buildings and models of a scene as solid cells of one level of the wind tunnel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind.domain import Axes
from analysis.wind.tunnel import BUILDING
from geo.model import Feedback, Instances, Issue, Layer, Mesh, unique_rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

NUDGE = 1e-5  # [m] columns are looked at this much nearer to the middle, so that a mirrored city has mirrored cells
FLOAT_GAP = 2.0  # [m] a body this little above the ground stands on it
TOUCHING = 0.1  # [m] buildings nearer than this have no gap between them
WALL_TILT = 0.3  # upright part of the normal below which a face is a wall
WHOLE_THEMES = ("bim",)  # models are filled as one: their rooms are no open air
FACES_AT_ONCE = 200_000
UPRIGHT = 1e-6  # [m2] twice the area in plan below which a face is upright


@dataclass(frozen=True, eq=False)
class Solids:
    """Triangles of all that is solid, and the elements they belong to.

    Attributes
    ----------
    triangles : (m, 3, 3) float [local m]
    element : (m,) int64
    layer, name : (elements,) object
        Id of the layer, and of the element in it; of a model that is filled as one the layer's name.
    low, high : (elements, 3) float [local m]
        Boxes.
    area : (elements,) float [m2]
        In plan, of the faces that look up.
    filled : (elements,) bool
        Whether it is filled from its lowest to its highest face.
    broken : int
        Faces left out because a corner is no place.
    """

    triangles: Floats
    element: Indices
    layer: NDArray[np.object_]
    name: NDArray[np.object_]
    low: Floats
    high: Floats
    area: Floats
    filled: Bools
    broken: int = 0

    def __len__(self) -> int:
        return len(self.layer)

    @property
    def height(self) -> Floats:
        """(elements,) height of each [m]."""
        return np.asarray(self.high[:, 2] - self.low[:, 2])

    @property
    def feet(self) -> Floats:
        """(elements, 3) middle of each in plan, at its lowest height [local m]."""
        middle = 0.5 * (self.low[:, :2] + self.high[:, :2])
        return np.column_stack([middle, self.low[:, 2]])

    def only(self, keep: Bools) -> Solids:
        """The elements to keep, renumbered."""
        number = np.cumsum(keep) - 1
        faces = keep[self.element]
        return Solids(
            self.triangles[faces], number[self.element[faces]], self.layer[keep], self.name[keep],
            self.low[keep], self.high[keep], self.area[keep], self.filled[keep], self.broken,
        )  # fmt: skip

    def without_walls(self) -> Solids:
        """The same elements without upright faces, which no vertical ray meets."""
        u, v = (self.triangles[:, k, :2] - self.triangles[:, 0, :2] for k in (1, 2))
        lies = np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) > UPRIGHT
        return replace(self, triangles=self.triangles[lies], element=self.element[lies])

    def walls(self) -> tuple[Floats, Floats]:
        """Direction of each wall in plan, counter-clockwise from x [degrees], and its area [m2]."""
        cross = np.cross(self.triangles[:, 1] - self.triangles[:, 0], self.triangles[:, 2] - self.triangles[:, 0])
        size = np.linalg.norm(cross, axis=1)
        wall = (np.abs(cross[:, 2]) < WALL_TILT * size) & (size > 0)
        direction = np.degrees(np.arctan2(cross[wall, 1], cross[wall, 0])) - 90.0
        return direction, 0.5 * size[wall]


def solids_of(layers: Sequence[Layer]) -> Solids:
    """Gather the triangles of building and model layers; layers without any are left out."""
    triangles, elements, layer_ids, names, filled = [], [], [], [], []
    count = broken = 0
    for layer in layers:
        mesh = layer.geometry.baked() if isinstance(layer.geometry, Instances) else layer.geometry
        if not isinstance(mesh, Mesh):
            continue
        mesh, lost = _sound(mesh)
        broken += lost
        if len(mesh.faces) == 0:
            continue
        whole = layer.theme in WHOLE_THEMES
        used, own = np.unique(mesh.face_element, return_inverse=True)
        if whole:
            own, found = np.zeros(len(mesh.faces), dtype=np.int64), [layer.name]
        else:
            ids = layer.table.ids
            found = [str(ids[row]) if row < len(ids) else f"{layer.id}-{row}" for row in used]
        triangles.append(mesh.vertices[mesh.faces])
        elements.append(own + count)
        layer_ids += [layer.id] * len(found)
        names += found
        filled += [whole] * len(found)
        count += len(found)
    if not triangles:
        return _nothing()
    corners, element = np.concatenate(triangles), np.concatenate(elements)
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    for corner in range(3):
        np.minimum.at(low, element, corners[:, corner])
        np.maximum.at(high, element, corners[:, corner])
    return Solids(
        corners, element, np.array(layer_ids, dtype=object), np.array(names, dtype=object),
        low, high, _plan_area(corners, element, low, high), np.array(filled, dtype=bool), broken,
    )  # fmt: skip


def _sound(mesh: Mesh) -> tuple[Mesh, int]:
    """A mesh without the faces whose corners are no places, and their number."""
    place = np.asarray(np.isfinite(mesh.vertices).all(axis=1))
    good = np.asarray(place[mesh.faces].all(axis=1))
    if good.all():
        return mesh, 0
    return Mesh(mesh.vertices, mesh.faces[good], mesh.face_element[good]), int((~good).sum())


def _nothing() -> Solids:
    none = np.zeros(0, dtype=object)
    return Solids(
        np.zeros((0, 3, 3)), np.zeros(0, np.int64), none, none,
        np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0), np.zeros(0, dtype=bool),
    )  # fmt: skip


def _plan_area(corners: Floats, element: Indices, low: Floats, high: Floats) -> Floats:
    """Half of the area in plan of all faces of each element: roof and underside; never more than its box."""
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    twice = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    up = np.bincount(element, np.maximum(twice, 0.0), len(low)) / 2.0
    down = np.bincount(element, np.maximum(-twice, 0.0), len(low)) / 2.0
    box = (high[:, 0] - low[:, 0]) * (high[:, 1] - low[:, 1])
    return np.asarray(np.minimum(np.maximum(up, down), box))


class Voxels(NamedTuple):
    """Solid cells of one level.

    Attributes
    ----------
    solid : (nz, ny, nx) int8
        What was given, with `BUILDING` where a building is.
    building : (ny, nx) int32
        Element of the highest roof over each column, -1 none.
    top : (ny, nx) float64 [m]
        Height of that roof above z = 0, -inf none.
    cells : (elements,) int64
        Solid cells of each.
    open_bodies, turned : (elements,) bool
        Filled below their top surface, because they are not closed; turned inside out.
    overlapping : set of (int, int)
        Pairs of elements that share a column.
    """

    solid: NDArray[np.int8]
    building: Ints
    top: Floats
    cells: Indices
    open_bodies: Bools
    turned: Bools
    overlapping: frozenset[tuple[int, int]]


def voxelise(
    solids: Solids, axes: Axes, x: Floats, y: Floats, z: Floats, *, base: float, ground: Floats,
    solid: NDArray[np.int8], feedback: Feedback,
) -> Voxels:  # fmt: skip
    """Mark the cells whose middle lies in a building.

    Parameters
    ----------
    x, y, z : (n + 1,) float [m]
        Faces in the tunnel's axes, z above `base`.
    base : float [local m]
    ground : (ny, nx) float [m]
        Above `base`: a body that floats a little above stands on it.
    solid : (nz, ny, nx) int8
        Changed in place: air (0) may become `BUILDING`.
    """
    from analysis.kernels import voxelise as kernel

    nz, ny, nx = solid.shape
    columns = ny * nx
    face, column, height, turn = _crossings(solids, axes, x, y, base, feedback.part(0.0, 0.8))
    element = solids.element[face]
    order = np.lexsort((-turn, height, column, element))
    element, column, height, turn = element[order], column[order], height[order], turn[order]
    change = np.ones(len(element), dtype=bool)
    change[1:] = (np.diff(element) != 0) | (np.diff(column) != 0)
    starts = np.append(np.flatnonzero(change), len(element)).astype(np.int64)
    first = starts[:-1]
    building = np.full(columns, -1, dtype=np.int32)
    top = np.full(columns, -np.inf)
    cells, doubt = np.zeros(len(solids), np.int64), np.zeros(len(solids), np.int32)
    feedback.step(0.85, "filling buildings")
    kernel.fill(
        starts, element[first], column[first], height, turn, solids.filled.astype(np.int32),
        solids.low[:, 2] - base, np.ascontiguousarray(ground, dtype=np.float64).ravel(), FLOAT_GAP,
        0.5 * (z[1:] + z[:-1]), solid.reshape(nz, columns), BUILDING, building, top, cells, doubt,
    )  # fmt: skip
    feedback.step(1.0, "buildings in the grid")
    return Voxels(
        solid, building.reshape(ny, nx), top.reshape(ny, nx), cells, (doubt & 1) > 0, (doubt & 2) > 0,
        _overlapping(element[first], column[first]),
    )  # fmt: skip


def _crossings(
    solids: Solids, axes: Axes, x: Floats, y: Floats, base: float, feedback: Feedback
) -> tuple[Indices, Indices, Floats, Ints]:
    """Number of the triangle, column, height above `base` and turning number of every crossing."""
    from analysis.kernels import voxelise as kernel

    mx, my = _nudged(x), _nudged(y)
    parts = []
    total = max(1, len(solids.triangles))
    for start in range(0, len(solids.triangles), FACES_AT_ONCE):
        feedback.step(start / total, "buildings in the grid")
        some = solids.triangles[start : start + FACES_AT_ONCE]
        flat = axes.to_tunnel(some[:, :, :2].reshape(-1, 2)).reshape(-1, 3, 2)
        corners = np.concatenate([flat, some[:, :, 2:] - base], axis=2)
        low, high = flat.min(axis=1), flat.max(axis=1)
        windows = np.column_stack([
            *(np.searchsorted(mx, low[:, 0]), np.searchsorted(mx, high[:, 0], side="right")),
            *(np.searchsorted(my, low[:, 1]), np.searchsorted(my, high[:, 1], side="right")),
        ]).astype(np.int64)  # fmt: skip
        near = np.flatnonzero((windows[:, 1] > windows[:, 0]) & (windows[:, 3] > windows[:, 2]))
        corners, windows = np.ascontiguousarray(corners[near]), np.ascontiguousarray(windows[near])
        count = kernel.crossing_count(corners, windows, mx, my)
        face, column = np.empty(count, np.int64), np.empty(count, np.int64)
        height, turn = np.empty(count), np.empty(count, np.int32)
        kernel.crossings(corners, windows, mx, my, face, column, height, turn)
        parts.append((near[face] + start, column, height, turn))
    if not parts:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int32)
    face, column, height, turn = (np.concatenate(part) for part in zip(*parts, strict=True))
    return face, column, height, turn


def _nudged(faces: Floats) -> Floats:
    """Middles of the cells, moved towards 0 by less than anything that counts: ties fall alike in a mirrored city."""
    middle = 0.5 * (faces[1:] + faces[:-1])
    return np.asarray(middle - NUDGE * np.sign(middle))


def _overlapping(element: Indices, column: Indices) -> frozenset[tuple[int, int]]:
    """Pairs of elements that stand in one column."""
    order = np.lexsort((element, column))
    element, column = element[order], column[order]
    same = np.flatnonzero(np.diff(column) == 0)
    pairs = unique_rows(np.column_stack([element[same], element[same + 1]])).rows
    return frozenset((int(a), int(b)) for a, b in pairs)


def closed_gaps(solids: Solids, voxels: Voxels, inside: Bools) -> list[tuple[int, int, float]]:
    """Pairs of buildings whose cells touch although they stand apart, with the gap between them [m].

    inside : (ny, nx) columns looked at.
    """
    from analysis.kernels.voxelise import segments_gap

    seen = np.where(inside, voxels.building, -1)
    pairs = set()
    for one, other in ((seen[:, :-1], seen[:, 1:]), (seen[:-1], seen[1:])):
        touch = (one >= 0) & (other >= 0) & (one != other)
        both = np.column_stack([one[touch], other[touch]]).astype(np.int64)
        pairs |= {(int(min(a, b)), int(max(a, b))) for a, b in unique_rows(both).rows}
    edges = _edges_of(solids, sorted({number for pair in pairs for number in pair}))
    found = []
    for a, b in sorted(pairs - voxels.overlapping):
        gap = float(segments_gap(edges[a], edges[b], TOUCHING))
        if gap > TOUCHING:
            found.append((a, b, gap))
    return found


def _edges_of(solids: Solids, wanted: Sequence[int]) -> dict[int, Floats]:
    """Edges in plan (n, 4) of the faces of elements. All of them: of two that touch, files may leave out the wall."""
    order = np.argsort(solids.element, kind="stable")
    bounds = np.searchsorted(solids.element[order], np.arange(len(solids) + 1))
    out = {}
    for number in wanted:
        flat = solids.triangles[order[bounds[number] : bounds[number + 1]]][:, :, :2]
        pairs = np.concatenate([flat[:, [0, 1]], flat[:, [1, 2]], flat[:, [2, 0]]]).reshape(-1, 4)
        out[number] = unique_rows(np.round(pairs, 3)).rows
    return out


def voxel_issues(solids: Solids, voxels: Voxels, study: Bools, inside: Bools, cell: float) -> list[Issue]:
    """What the grid does to the buildings of the study area.

    study : (elements,) whether an element stands in the study area. inside : (ny, nx) columns of the study area.
    """
    issues = []
    lost = np.flatnonzero(study & (voxels.cells == 0) & (solids.height > 0.0))
    if len(lost):
        message = f"{len(lost)} buildings are thinner or lower than a cell of {cell:g} m and vanished."
        issues.append(
            Issue("wind.thin_buildings", message, "doubt", len(lost), _some(solids, lost), values={"cell": cell})
        )
    gaps = closed_gaps(solids, voxels, inside)
    if gaps:
        widest = max(gap for _, _, gap in gaps)
        message = (
            f"{len(gaps)} gaps between buildings, up to {widest:.1f} m wide, are narrower than the cells and closed."
        )
        pairs = _some(solids, np.array([number for pair in gaps for number in pair[:2]]))
        values = {"widest": round(widest, 1), "cell": cell}
        issues.append(Issue("wind.closed_gaps", message, "doubt", len(gaps), pairs, values=values))
    if solids.broken:
        message = f"{solids.broken} faces have corners that are no places and were left out."
        issues.append(Issue("wind.broken_faces", message, "error", solids.broken))
    body = ~solids.filled
    for mask, code, text in (
        (voxels.open_bodies & body, "wind.open_bodies", "are not closed bodies; they were filled below their tops."),
        (voxels.turned & body, "wind.turned_bodies", "are turned inside out; they were taken as solid all the same."),
    ):
        rows = np.flatnonzero(mask)
        if len(rows):
            issues.append(Issue(code, f"{len(rows)} buildings {text}", "note", len(rows), _some(solids, rows)))
    return issues


def _some(solids: Solids, rows: NDArray[np.intp], most: int = 20) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(solids.name[row]) for row in rows[:most]))


def roofs(solids: Solids, axes: Axes, x: Floats, y: Floats, feedback: Feedback) -> tuple[Floats, Ints]:
    """Height of the highest face over each column [local m], -inf none, and its element, -1 none; both (ny, nx).

    x, y : (n + 1,) float [m]
        Faces in the axes.
    """
    face, column, height, _ = _crossings(solids, axes, x, y, 0.0, feedback)
    order = np.argsort(height, kind="stable")  # the highest is written last
    top = np.full((len(y) - 1) * (len(x) - 1), -np.inf)
    element = np.full(len(top), -1, dtype=np.int32)
    top[column[order]] = height[order]
    element[column[order]] = solids.element[face[order]]
    shape = (len(y) - 1, len(x) - 1)
    return top.reshape(shape), element.reshape(shape)
