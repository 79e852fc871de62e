"""From IFC products to triangles: which kernel makes which product, repeated shapes once, failures named.

Manifold is fast but leaves bodies uncut where a half space should clip them, without saying so; those products go to
the exact kernels. One thread per iterator: in this version of the library a second one costs more than it gives.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bim.notebook import Batch, Notebook
from bim.selection import (
    CLIPPED_KERNEL,
    PLAIN_KERNEL,
    SWEPT_KERNEL,
    Selection,
    Task,
    circular_placements,
    sampled,
    select_products,
)
from bim.shapes import NO_COLOUR, RawShape, Shape, ShapeStore, finished, joined
from geo.model import Feedback

if TYPE_CHECKING:
    import ifcopenshell

__all__ = [
    "CLIPPED_KERNEL",
    "NO_COLOUR",
    "PLAIN_KERNEL",
    "SWEPT_KERNEL",
    "Failure",
    "Selection",
    "Shape",
    "Tessellation",
    "sampled",
    "select_products",
    "tessellate",
]

RETRY_KERNELS = ("opencascade", "cgal")
RETRY_BUDGET_S = 60.0
SILENCE_S = 20.0  # a kernel that has said nothing for so long hangs
SILENCE_ALONE_S = 8.0  # the same for a single element tried again
FAR_AWAY = 1e5  # [m] from the middle of the model: beyond any railway or pipeline in one file
SWEEP_STEP = 5.0  # [m] along a course; 1 cm off the true curve at a radius of 300 m
STEP_S = 0.05  # progress is told, and a wish to stop is heard, this often
FIRST_BATCH_S = 0.15
BATCH_SHARE = 0.2  # of the time passed: batches grow, so that a long reading has some twenty
PLACEMENTS_CHECKED = 5_000  # in a larger file circles among placements are looked for only after a crash
CIRCLE = "its placement hangs on itself"
NO_BODY = "no kernel made a body"


@dataclass(frozen=True)
class Failure:
    """A product that could not be made: step id, the kernel that tried last, and why."""

    product: int
    kernel: str
    reason: str

    def __iter__(self) -> Iterator[Any]:
        return iter((self.product, self.reason))


@dataclass(frozen=True, eq=False)
class Tessellation:
    """Shapes, and where they stand.

    Attributes
    ----------
    store : ShapeStore
    product : (k,) int64
        Step id of the product each body belongs to.
    shape : (k,) int64
    matrix : (k, 3, 4) float64
        Model = matrix[:, :, :3] @ p + matrix[:, :, 3] [m].
    failed : tuple of Failure
    """

    store: ShapeStore
    product: NDArray[np.int64]
    shape: NDArray[np.int64]
    matrix: NDArray[np.float64]
    failed: tuple[Failure, ...]

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes one by one."""
        return tuple(self.store.shape(number) for number in range(len(self.store)))

    def boxes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lowest and highest corner (k, 3) of the turned box of each body in model coordinates [m]."""
        low, high = self.store.boxes()
        empty = ~np.isfinite(low).all(axis=1)
        low[empty] = high[empty] = 0.0
        middle, half = ((low + high) / 2)[self.shape], ((high - low) / 2)[self.shape]
        centre = np.einsum("kij,kj->ki", self.matrix[:, :, :3], middle) + self.matrix[:, :, 3]
        reach = np.einsum("kij,kj->ki", np.abs(self.matrix[:, :, :3]), half)
        return centre - reach, centre + reach

    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Lowest and highest corner in model coordinates [m], None without a body."""
        if len(self.shape) == 0:
            return None
        low, high = self.boxes()
        return (
            np.array([-self._farthest(-low[:, axis], axis, -1.0) for axis in range(3)]),
            np.array([self._farthest(high[:, axis], axis, 1.0) for axis in range(3)]),
        )

    def _farthest(self, reach: NDArray[np.float64], axis: int, sign: float) -> float:
        """Largest `sign` times a coordinate over all vertices; bodies whose box cannot beat it are passed over."""
        best = -math.inf
        for body in np.argsort(-reach, kind="stable"):
            if reach[body] <= best:
                break
            row = self.matrix[body, axis]
            stop = self.store.vertex_stop[self.shape[body]]
            start = stop - self.store.vertex_count[self.shape[body]] if self.shape[body] else 0
            if stop > start:
                best = max(best, float((sign * (self.store.vertices[start:stop] @ row[:3] + row[3])).max()))
        return best


def tessellate(
    file: ifcopenshell.file,
    selection: Selection,
    feedback: Feedback,
    *,
    limit_s: float = math.inf,
    notebook: Notebook | None = None,
    on_batch: Callable[[Batch, Collector], None] | None = None,
    silence_s: float = SILENCE_S,
) -> Tessellation:
    """Triangles of all selected products.

    Elements that come back empty, broken or not at all are tried again alone, first with OpenCASCADE, then with CGAL.
    With `limit_s` it stops after that time with what there is, and tries nothing again.

    Parameters
    ----------
    notebook : Notebook, optional
        Where a process that dies leaves what it made.
    on_batch : callable, optional
        Given each batch of bodies as soon as it is there.
    silence_s : float [s]
        What one shape may take before it counts as a hang.
    """
    book = notebook or Notebook(None)
    collector = Collector(feedback, len(selection.wanted), book, on_batch)
    collector.take(book.batches())
    circular = _circular(file, book)
    tasks = book.plan([_less(task, circular) for task in selection.tasks()], collector.done)
    started = time.monotonic()
    feedback.patience(silence_s)
    try:
        for task in tasks:
            if not task.products:
                continue
            book.begin(task)
            for element in _iterate(file, task):
                collector.add(element)
                if time.monotonic() - started > limit_s:
                    return collector.result([])
            collector.next_way()
        failed = [Failure(product, "", CIRCLE) for product in selection.wanted if product in circular]
        if limit_s == math.inf:
            known = collector.done | circular | book.deadly.keys()
            missing = [p for p in selection.wanted if p not in known]
            failed += _retry(file, missing, collector, book=book, feedback=feedback)
            failed += [Failure(product, SWEPT_KERNEL, reason) for product, reason in book.deadly.items()]
    finally:
        feedback.patience(None)
        book.close()
    return without_far_bodies(collector.result(failed))


def _less(task: Task, products: set[int]) -> Task:
    return Task(task.kernel, tuple(p for p in task.products if p not in products)) if products else task


def _circular(file: ifcopenshell.file, book: Notebook) -> set[int]:
    if book.is_again or len(file.by_type("IfcLocalPlacement")) <= PLACEMENTS_CHECKED:
        return circular_placements(file)
    return set()


def without_far_bodies(shapes: Tessellation) -> Tessellation:
    """Bodies more than 100 km from the middle of the model count as failed: they would spoil every view of it."""
    if len(shapes.shape) == 0:
        return shapes
    low, high = shapes.boxes()
    centre = (low + high) / 2
    middle = np.sort(centre, axis=0)[len(centre) // 2]
    away = np.linalg.norm(centre - middle, axis=1)
    far = away > FAR_AWAY
    if not far.any():
        return shapes
    failed = [
        Failure(int(product), "", f"it lies {distance / 1000:.0f} km from the rest of the model")
        for product, distance in zip(shapes.product[far], away[far], strict=True)
    ]
    keep = ~far
    return Tessellation(
        shapes.store, shapes.product[keep], shapes.shape[keep], shapes.matrix[keep], (*shapes.failed, *failed)
    )


def _settings() -> Any:
    import ifcopenshell.geom

    settings = ifcopenshell.geom.settings()
    settings.set("no-normals", True)
    # The time for a line along an alignment grows with the square of its points.
    settings.set("function-step-param", SWEEP_STEP)
    return settings


def _iterate(file: ifcopenshell.file, task: Task) -> Iterator[Any]:
    import ifcopenshell.geom

    include = [file.by_id(product) for product in task.products]
    try:
        iterator = ifcopenshell.geom.iterator(_settings(), file, 1, include=include, geometry_library=task.kernel)
        going = iterator.initialize()
        while going:
            yield iterator.get()
            going = iterator.next()
    except RuntimeError:
        return  # the products that did not come are tried one by one


def _retry(
    file: ifcopenshell.file, missing: Sequence[int], collector: Collector, *, book: Notebook, feedback: Feedback
) -> list[Failure]:
    """The missing products together, then each alone, by one kernel after the other; those that failed all the same."""
    failures = {p: Failure(p, PLAIN_KERNEL, collector.faults.get(p, NO_BODY)) for p in missing}
    started = time.monotonic()
    kernels = RETRY_KERNELS
    if len(missing) > 1 and not book.is_again:
        _retry_together(file, Task(kernels[0], tuple(missing)), collector, book)
        kernels = kernels[1:]
    feedback.patience(SILENCE_ALONE_S)
    for kernel_name in kernels:
        left = [product for product in missing if product not in collector.done]
        kernel = _kernel(file, kernel_name) if left else None
        for product in left:
            feedback.step(1.0, f"trying {len(left)} difficult elements again")
            if time.monotonic() - started > RETRY_BUDGET_S:
                reason = "given up: the difficult elements of this file took too long"
            elif isinstance(kernel, str):
                reason = kernel
            else:
                collector.flush()
                book.begin(Task(kernel_name, (product,)), alone=True)
                reason = _one(file, product, kernel, collector) or failures[product].reason
            failures[product] = Failure(product, kernel_name, reason)
    collector.flush()
    return [failure for product, failure in failures.items() if product not in collector.done]


def _retry_together(file: ifcopenshell.file, task: Task, collector: Collector, book: Notebook) -> None:
    """Missing products in one run, as far as they come in the time for them: a shape they share is made once."""
    started = time.monotonic()
    collector.flush()
    book.begin(task)
    for element in _iterate(file, task):
        collector.add(element)
        if time.monotonic() - started > RETRY_BUDGET_S / 2:
            break
    collector.next_way()


def _kernel(file: ifcopenshell.file, name: str) -> Any:
    """A kernel, or why there is none: a damaged file."""
    import ifcopenshell.geom

    try:
        return ifcopenshell.geom.kernel(_settings(), file, name)
    except RuntimeError as error:
        return str(error)[:200] or NO_BODY


def _one(file: ifcopenshell.file, product: int, kernel: Any, collector: Collector) -> str:
    """Make one product; what went wrong, or nothing."""
    try:
        collector.add(kernel.create_shape(file.by_id(product)))
    except (RuntimeError, ValueError) as error:
        return str(error)[:200]
    collector.flush()
    return collector.faults.get(product, "")


class Collector:
    """Gathers what the kernels deliver; a shape that is repeated is kept once."""

    def __init__(
        self,
        feedback: Feedback,
        total: int,
        book: Notebook,
        on_batch: Callable[[Batch, Collector], None] | None = None,
    ) -> None:
        self.done: set[int] = set()
        self.faults: dict[int, str] = {}
        self.stores: list[ShapeStore] = []
        self._feedback, self._total = feedback, max(total, 1)
        self._book, self._on_batch = book, on_batch
        self._told, self._began, self._flushed = -math.inf, time.monotonic(), time.monotonic()
        self._shape_count = 0
        self._number: dict[str, int] = {}
        self._new: list[RawShape] = []
        self._product: list[int] = []
        self._shape: list[int] = []
        self._matrix: list[bytes] = []
        self._batches: list[Batch] = []
        self._faulty: dict[int, str] = {}

    def take(self, batches: Iterator[Batch]) -> None:
        """Go on from what another process has made."""
        for batch in batches:
            self._accept(batch)

    def next_way(self) -> None:
        """Forget shape names: another kernel may give the same name to another result."""
        self.flush()
        self._number.clear()

    def add(self, element: Any) -> None:
        """Keep one delivered element; what is wrong with it shows when the batch is finished."""
        geometry = element.geometry
        key = geometry.id
        number = self._number.get(key)
        if number is None:
            number = self._number[key] = self._shape_count + len(self._new)
            self._new.append(_raw(geometry))
        self._product.append(int(element.id))
        self._shape.append(number)
        self._matrix.append(bytes(element.transformation_buffer))
        now = time.monotonic()
        if now - self._told > STEP_S:
            self._told = now
            made = len(self.done) + len(self._product)
            self._feedback.step(min(made / self._total, 1.0), "making shapes")
            if now - self._flushed > max(FIRST_BATCH_S, BATCH_SHARE * (now - self._began)):
                self.flush()

    def flush(self) -> None:
        """Finish what has come since the last time, keep it, and tell of it."""
        if not self._product:
            return
        store, faults = finished(self._new)
        self._faulty.update({self._shape_count + number: reason for number, reason in faults.items()})
        matrix = np.frombuffer(b"".join(self._matrix), dtype=np.float64).reshape(-1, 4, 4)
        matrix = np.ascontiguousarray(matrix.transpose(0, 2, 1)[:, :3])  # the library writes columns
        product, shape = np.array(self._product, dtype=np.int64), np.array(self._shape, dtype=np.int64)
        fine = np.isfinite(matrix).all(axis=(1, 2))
        for row in np.flatnonzero(~fine):
            self.faults[int(product[row])] = "its placement is not a number"
        if self._faulty:
            broken = np.isin(shape, np.fromiter(self._faulty, dtype=np.int64))
            for row in np.flatnonzero(broken):
                self.faults[int(product[row])] = self._faulty[int(shape[row])]
            fine &= ~broken
        batch = Batch(store, product[fine], shape[fine], matrix[fine])
        self._new, self._product, self._shape, self._matrix = [], [], [], []
        self._book.keep(batch)
        self._accept(batch)
        if self._on_batch is not None and len(batch.product):
            self._on_batch(batch, self)
        self._flushed = time.monotonic()

    def _accept(self, batch: Batch) -> None:
        self._batches.append(batch)
        self.stores.append(batch.store)
        self._shape_count += len(batch.store)
        self.done.update(batch.product.tolist())

    def result(self, failed: list[Failure]) -> Tessellation:
        """Everything gathered, in the order it came."""
        self.flush()
        batches = self._batches
        return Tessellation(
            joined(self.stores),
            np.concatenate([np.zeros(0, np.int64), *(batch.product for batch in batches)]),
            np.concatenate([np.zeros(0, np.int64), *(batch.shape for batch in batches)]),
            np.concatenate([np.zeros((0, 3, 4)), *(batch.matrix for batch in batches)]),
            tuple(failed),
        )


def _raw(geometry: Any) -> RawShape:
    """Copies of a shape's buffers, which go when the shape goes."""
    faces = np.frombuffer(geometry.faces_buffer, dtype=np.int32).reshape(-1, 3).copy()
    edges = _NO_EDGES
    if len(faces) == 0:
        edges = np.frombuffer(geometry.edges_buffer, dtype=np.int32).reshape(-1, 2).copy()
    style = np.frombuffer(geometry.material_ids_buffer, dtype=np.int32)
    return RawShape(
        np.frombuffer(geometry.verts_buffer, dtype=np.float64).reshape(-1, 3).copy(),
        faces,
        edges,
        style.copy() if len(style) == len(faces) else np.full(len(faces), NO_COLOUR, np.int32),
        np.frombuffer(geometry.colors_buffer, dtype=np.float64).reshape(-1, 4).copy(),
    )


_NO_EDGES = np.zeros((0, 2), np.int32)
