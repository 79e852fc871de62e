"""A scene of which some elements move: what stays, what moves, and the two together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import FAR, Hits, Occluder
from analysis.sunlight.city import element_count, mesh_of
from geo.model import ElementRef, Field, Layer, Mesh, UserError

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

FEW_RAYS = 2000  # traced in less time than a thread takes to start


class PairedOccluder(Occluder):
    """What stays and what moves as one: the answers of a single scene of both.

    Faces are numbered through: those of `rest`, then those of `moving`. Both share the centre.
    """

    def __init__(self, rest: Occluder, moving: Occluder) -> None:
        super().__init__((), rest.centre)
        self.rest, self.moving = rest, moving
        self.face_count = rest.face_count + moving.face_count
        self.packets = None  # nobody may go past the two scenes to the empty one

    def blocked(self, origins32: Singles, ways32: Singles, reach: float = FAR) -> Bools:
        """(n,) whether something of either lies within `reach` [m]."""
        found = self.rest.blocked(origins32, ways32, reach)
        if self.moving.face_count:
            ask = np.flatnonzero(~found)
            ways = ways32 if len(ways32) == 1 else ways32[ask]
            found[ask] = self.moving.blocked(origins32[ask], ways, reach)
        return found

    def occluded(self, origins: Floats, directions: Floats, reach: float = FAR, *, threads: int | None = None) -> Bools:
        """As of `Occluder`; a few rays are traced at once, without starting threads for them."""
        if len(origins) > FEW_RAYS:
            return super().occluded(origins, directions, reach, threads=threads)
        ways = np.ascontiguousarray(directions, dtype=np.float32).reshape(-1, 3)
        return self.blocked(self.local32(origins), ways, reach)

    def first_hit(self, origins: Floats, directions: Floats, reach: float = FAR) -> Hits:
        """The nearest face of either along each ray."""
        near = self.rest.first_hit(origins, directions, reach)
        if self.moving.face_count == 0:
            return near
        other = self.moving.first_hit(origins, directions, reach)
        nearer = other.distance < near.distance
        face = np.where(nearer, self.rest.face_count + other.face, near.face)
        return Hits(np.where(nearer, other.distance, near.distance), face)


@dataclass(frozen=True, eq=False)
class Split:
    """A layer cut in two.

    Attributes
    ----------
    layer : Layer
        As it was.
    chosen : (m,) bool
        Its faces that move.
    elements : (k,) int64
        Rows of the elements that move.
    rest, own : Layer
        The faces that stay and those that move, with the same table.
    """

    layer: Layer
    chosen: Bools
    elements: Indices
    rest: Layer
    own: Layer

    @property
    def mesh(self) -> Mesh:
        """The triangles that move; `face_element` are rows of the layer."""
        return mesh_of(self.own)

    def placed(self, mesh: Mesh) -> Layer:
        """The moving part with other triangles; what the data say of faces is kept where the faces are the same."""
        foreign = np.setdiff1d(mesh.face_element, self.elements)
        if len(foreign):
            raise ValueError(f"the new triangles belong to elements that do not move: {foreign[:5].tolist()}")
        if np.array_equal(mesh.face_element, self.mesh.face_element):
            return self.own.with_(geometry=mesh)
        return self.own.with_(geometry=mesh, fields=tuple(_unknown(f, len(mesh.faces)) for f in self.own.fields))

    def joined(self, own: Layer) -> Layer:
        """The whole layer with its moving part as `placed` gave it.

        Faces keep their order where there are as many as before; else those that moved come last.
        """
        still, moved = mesh_of(self.rest), mesh_of(own)
        vertices = np.concatenate([still.vertices, moved.vertices])
        order = np.argsort(np.concatenate([np.flatnonzero(~self.chosen), self._places(len(moved.faces))]))
        faces = np.concatenate([still.faces, moved.faces + np.int32(len(still.vertices))])[order]
        element = np.concatenate([still.face_element, moved.face_element])[order]
        fields = tuple(
            _with_values(a, np.concatenate([a.values, b.values])[order])
            for a, b in zip(self.rest.fields, own.fields, strict=True)
        )
        return self.layer.with_(geometry=Mesh(vertices, faces, element), fields=fields)

    def _places(self, count: int) -> Indices:
        places = np.flatnonzero(self.chosen)
        return places if len(places) == count else np.arange(count) + len(self.chosen)


def split(layer: Layer, elements: Indices) -> Split:
    """Cut a layer in two. A vertex that both parts use stays in both."""
    mesh = mesh_of(layer)
    chosen = np.isin(mesh.face_element, elements)
    used = np.zeros(len(mesh.vertices), dtype=bool)
    used[mesh.faces[chosen]] = True
    kept = ~used
    kept[mesh.faces[~chosen]] = True
    return Split(layer, chosen, elements, _part(layer, mesh, ~chosen, kept), _part(layer, mesh, chosen, used))


def _part(layer: Layer, mesh: Mesh, faces: Bools, vertices: Bools) -> Layer:
    number = (np.cumsum(vertices) - 1).astype(np.int32)
    part = Mesh(mesh.vertices[vertices], number[mesh.faces[faces]], mesh.face_element[faces])
    on_faces = [f for f in layer.fields if f.on == "face" and len(f.values) == len(mesh.faces)]
    return layer.with_(geometry=part, fields=tuple(_with_values(f, f.values[faces]) for f in on_faces))


def _with_values(field: Field, values: NDArray[np.generic]) -> Field:
    return Field(field.name, field.unit, field.on, values, field.categories, field.ramp, field.range)


def _unknown(field: Field, count: int) -> Field:
    """The same field on faces of which nothing is known."""
    missing = np.nan if field.values.dtype.kind == "f" else -1 if field.values.dtype.kind == "i" else 0
    return _with_values(field, np.full((count, *field.values.shape[1:]), missing, dtype=field.values.dtype))


def splits_of(layers: Iterable[Layer], moving: ElementRef | Sequence[ElementRef]) -> dict[str, Split]:
    """The layers that have something that moves, cut in two, by layer id. A layer as a whole has no element id."""
    refs = [moving] if isinstance(moving, ElementRef) else list(moving)
    by_id = {layer.id: layer for layer in layers}
    wanted: dict[str, list[int]] = {}
    for ref in refs:
        layer = by_id.get(ref.layer_id)
        if layer is None or layer.kind not in ("mesh", "instances"):
            raise _nothing_moves(ref)
        wanted.setdefault(ref.layer_id, []).extend(_rows(layer, ref))
    return {key: split(by_id[key], np.unique(np.array(rows, dtype=np.int64))) for key, rows in wanted.items()}


def _rows(layer: Layer, ref: ElementRef) -> Iterable[int]:
    count = element_count(layer, mesh_of(layer))
    if not ref.element_id:
        return range(count)
    row = layer.table.index.get(ref.element_id)
    if row is None and ref.element_id.isdecimal() and int(ref.element_id) < count:
        row = int(ref.element_id)  # elements without a table are called by their number
    if row is None:
        raise _nothing_moves(ref)
    return (row,)


def _nothing_moves(ref: ElementRef) -> UserError:
    return UserError(
        f"{ref.element_id or ref.layer_id} cannot be moved in this study.",
        "It is not among the solids that the study was started with.",
        "Choose a building of a layer that blocks the sun.",
        code="sunlight.live.not_there",
        values={"element": ref.element_id or ref.layer_id},
    )


Meshes = Mesh | Mapping[str, Mesh]


def placed(splits: Mapping[str, Split], meshes: Meshes) -> dict[str, Layer]:
    """The moving parts, by layer id, with new triangles; a single mesh belongs to the only layer."""
    if isinstance(meshes, Mesh):
        if len(splits) != 1:
            raise ValueError("elements of several layers move: give a mesh for each layer")
        meshes = {next(iter(splits)): meshes}
    unknown = meshes.keys() - splits.keys()
    if unknown:
        raise ValueError(f"nothing moves in {sorted(unknown)}")
    return {key: part.placed(meshes[key]) if key in meshes else part.own for key, part in splits.items()}


def element_boxes(layers: Iterable[Layer]) -> list[Floats]:
    """Vertices of each moving element, for a box each."""
    out = []
    for layer in layers:
        mesh = mesh_of(layer)
        for element in np.unique(mesh.face_element):
            out.append(mesh.vertices[mesh.faces[mesh.face_element == element]].reshape(-1, 3))
    return out
