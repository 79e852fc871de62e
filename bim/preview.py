"""What there is of a model while the rest is still being made: bare triangles in their place, to look at only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bim.georeference import Georeference
from bim.layers import Bodies, repeated_bodies
from bim.notebook import Batch
from bim.shapes import ShapeStore, joined, rows_of
from bim.tessellation import Collector, Tessellation
from geo.model import ElementTable, Feedback, Field, Frame, Geometry, Instances, Layer, Mesh, Source

MOST_BAKED = 60_000  # triangles of a preview from which repeated shapes stay repeated
MOST_REPEATED = 10_000  # triangles of all repetitions of one shape in one part, from which boxes stand for it

Place = Callable[[Tessellation], Georeference | None]


class Preview:
    """Shows each batch of bodies as it comes.

    Parameters
    ----------
    place : callable(Tessellation) -> Georeference or None
        Where the model stands, from the bodies known so far; asked once. None = it cannot be shown yet.
    is_shown : callable(int) -> bool
        Whether a product (step id) is drawn at first; rooms are not.
    """

    def __init__(
        self, name: str, frame: Frame, feedback: Feedback, *, place: Place, is_shown: Callable[[int], bool]
    ) -> None:
        self._name, self._frame, self._feedback = name, frame, feedback
        self._place, self._is_shown = place, is_shown
        self._placed: Georeference | None = None
        self._count = 0

    def show(self, batch: Batch, collector: Collector) -> None:
        """Hand on the bodies of a batch as layers."""
        keep = np.fromiter((self._is_shown(p) for p in batch.product.tolist()), dtype=bool, count=len(batch.product))
        if not keep.any():
            return
        shapes = _apart(batch, keep, collector)
        self._placed = self._placed or self._place(shapes)
        if self._placed is not None:
            self._feedback.partial(self._layers(Bodies(shapes, self._placed, self._frame)))

    def _layers(self, bodies: Bodies) -> list[Layer]:
        shapes = bodies.shapes
        faces = shapes.store.face_count[shapes.shape]
        repeated = repeated_bodies(shapes, faces > 0, MOST_BAKED)
        single = np.flatnonzero((faces > 0) & ~repeated)
        many = np.flatnonzero(repeated)
        layers = []
        if len(single):
            layers.append(self._layer(*bodies.baked(single, np.zeros(len(single), np.int32))))
        if len(many):
            geometry, fields = bodies.repeated(many, np.zeros(len(many), np.int32))
            layers.append(self._layer(*_light(geometry, fields)))
        return layers

    def _layer(self, geometry: Geometry, fields: tuple[Field, ...]) -> Layer:
        self._count += 1
        part = f"preview-{self._count}"
        table = ElementTable([part])
        return Layer(part, self._name, "bim", geometry, table, fields, source=Source(part=part))


def _light(geometry: Instances, fields: tuple[Field, ...]) -> tuple[Instances, tuple[Field, ...]]:
    """Boxes in place of the shapes that are repeated so often that drawing them would hold up the rest."""
    count = np.bincount(geometry.shape, minlength=len(geometry.shapes))
    colours = np.split(fields[0].values, np.cumsum([len(shape.faces) for shape in geometry.shapes])[:-1])
    shapes, kept = [], []
    for shape, times, own in zip(geometry.shapes, count, colours, strict=True):
        heavy = len(shape.faces) * times > MOST_REPEATED
        shapes.append(_box(shape) if heavy else shape)
        kept.append(np.full(len(_BOX), own[0], own.dtype) if heavy else own)
    drawn = Instances(tuple(shapes), geometry.shape, geometry.transform, geometry.element)
    return drawn, (Field("colour", "1", "face", np.concatenate(kept)),)


def _box(shape: Mesh) -> Mesh:
    """The box around a shape."""
    low, high = shape.vertices.min(axis=0), shape.vertices.max(axis=0)
    corners = np.where((np.arange(8)[:, None] >> np.arange(3)) & 1 == 1, high, low)
    return Mesh(corners, _BOX, np.zeros(len(_BOX), np.int32))


# Corner k has the high x where bit 0 of k is set, the high y for bit 1, the high z for bit 2.
_BOX = np.array(
    [
        (0, 2, 3), (0, 3, 1), (4, 5, 7), (4, 7, 6), (0, 1, 5), (0, 5, 4),
        (2, 6, 7), (2, 7, 3), (0, 4, 6), (0, 6, 2), (1, 3, 7), (1, 7, 5),
    ],
    dtype=np.int32,
)  # fmt: skip


def _apart(batch: Batch, keep: np.ndarray, collector: Collector) -> Tessellation:  # type: ignore[type-arg]
    """Some bodies of a batch with just the shapes they use, some of which came in earlier batches."""
    used, number = np.unique(batch.shape[keep], return_inverse=True)
    stops = np.cumsum([len(store) for store in collector.stores])
    stores = []
    for last, store in zip(stops.tolist(), collector.stores, strict=True):
        mine = used[(used < last) & (used >= last - len(store))] - (last - len(store))
        if len(mine):
            stores.append(_subset(store, mine))
    return Tessellation(joined(stores), batch.product[keep], number, batch.matrix[keep], ())


def _subset(store: ShapeStore, chosen: np.ndarray) -> ShapeStore:  # type: ignore[type-arg]
    vertices = rows_of(store.vertex_stop, store.vertex_count, chosen)
    faces = rows_of(store.face_stop, store.face_count, chosen)
    edges = rows_of(store.edge_stop, store.edge_count, chosen)
    return ShapeStore(
        store.vertices[vertices],
        store.faces[faces],
        store.colour[faces],
        store.transparency[faces],
        store.edges[edges],
        np.cumsum(store.vertex_count[chosen]),
        np.cumsum(store.face_count[chosen]),
        np.cumsum(store.edge_count[chosen]),
    )
