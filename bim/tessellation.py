"""From IFC products to triangles: which kernel makes which product, repeated shapes once, failures named.

Manifold is fast but leaves bodies uncut where a half space should clip them, without saying so; those products go to
the exact kernels. One thread per iterator: in this version of the library a second one costs more than it gives.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bim.attributes import by_type, members, related
from geo.model import Feedback

if TYPE_CHECKING:
    import ifcopenshell
    from ifcopenshell import entity_instance

PLAIN_KERNEL = "hybrid-cgal-simple-manifold-opencascade"
CLIPPED_KERNEL = "hybrid-cgal-simple-opencascade"
SWEPT_KERNEL = "opencascade"  # the others cannot, and write pages about it
RETRY_KERNELS = ("opencascade", "cgal")
RETRY_BUDGET_S = 60.0
LARGEST_ELEMENT = 1e5  # [m] a body wider than this is a fault of the kernel or of the file
SWEEP_STEP = 5.0  # [m] along a course; 1 cm off the true curve at a radius of 300 m
NO_COLOUR = -1
STEP_S = 0.05  # progress is told, and a wish to stop is heard, this often

LEFT_OUT = (
    "IfcFeatureElementSubtraction",
    "IfcAnnotation",
    "IfcGrid",
    "IfcAlignmentSegment",  # hangs the iterator for ever where it has a representation of its own
    "IfcReferent",
    "IfcVirtualElement",
)
PARTS_OF_A_BODY = ("IfcRepresentationItem", "IfcRepresentation", "IfcProductDefinitionShape", "IfcRepresentationMap")
SWEPT = (
    "IfcSectionedSolidHorizontal",
    "IfcSectionedSurface",
    "IfcFixedReferenceSweptAreaSolid",
    "IfcDirectrixDerivedReferenceSweptAreaSolid",
    "IfcSurfaceCurveSweptAreaSolid",
)


@dataclass(frozen=True)
class Shape:
    """Triangles of one shape in its own coordinates.

    Attributes
    ----------
    vertices : (n, 3) float64 [m]
    faces : (m, 3) int32
        Counter-clockwise seen from outside where the volume tells.
    colour : (m,) int32
        0xRRGGBB of the surface style, `NO_COLOUR` without one.
    transparency : (m,) float32
        0 opaque .. 1 clear.
    edges : (k, 2) int32
        Lines, only of shapes that have no faces (alignments, axes).
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int32]
    colour: NDArray[np.int32]
    transparency: NDArray[np.float32]
    edges: NDArray[np.int32]


@dataclass(frozen=True)
class Selection:
    """Which products get a body by which way (step ids), and how many have none in the file."""

    plain: tuple[int, ...]
    clipped: tuple[int, ...]
    swept: tuple[int, ...]
    without_representation: int
    left_out: int

    @property
    def wanted(self) -> tuple[int, ...]:
        """All that should give triangles."""
        return self.plain + self.clipped + self.swept


@dataclass(frozen=True)
class Tessellation:
    """Shapes, and where they stand.

    Attributes
    ----------
    shapes : tuple of Shape
    product : (k,) int64
        Step id of the product each body belongs to.
    shape : (k,) int32
    matrix : (k, 3, 4) float64
        Model = matrix[:, :, :3] @ p + matrix[:, :, 3] [m].
    failed : tuple of (step id, reason)
    """

    shapes: tuple[Shape, ...]
    product: NDArray[np.int64]
    shape: NDArray[np.int32]
    matrix: NDArray[np.float64]
    failed: tuple[tuple[int, str], ...]

    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Lowest and highest corner in model coordinates [m], None without a body."""
        if len(self.shape) == 0:
            return None
        low, high = np.full(3, np.inf), np.full(3, -np.inf)
        for number, matrix in zip(self.shape, self.matrix, strict=True):
            points = matrix[:, :3] @ self.shapes[number].vertices.T + matrix[:, 3:]
            low, high = np.minimum(low, points.min(axis=1)), np.maximum(high, points.max(axis=1))
        return low, high


def select_products(file: ifcopenshell.file, *, spaces: bool = True) -> Selection:
    """Sort the products that have a representation by the kernel they need."""
    products: list[int] = []
    without = out = 0
    for product in file.by_type("IfcProduct"):
        if related(product, "Representation") is None:
            without += 1
        elif any(product.is_a(name) for name in LEFT_OUT) or (not spaces and product.is_a("IfcSpace")):
            out += 1
        else:
            products.append(product.id())
    clipped = _products_using(file, _half_space_cuts(file))
    swept = _products_using(file, (item for name in SWEPT for item in by_type(file, name))) - clipped
    swept |= {product.id() for product in by_type(file, "IfcLinearPositioningElement")}
    return Selection(
        tuple(p for p in products if p not in clipped and p not in swept),
        tuple(p for p in products if p in clipped),
        tuple(p for p in products if p in swept),
        without,
        out,
    )


def _half_space_cuts(file: ifcopenshell.file) -> Iterator[entity_instance]:
    for half in file.by_type("IfcHalfSpaceSolid"):
        yield from (user for user in file.get_inverse(half) if user.is_a("IfcBooleanResult"))


def _products_using(file: ifcopenshell.file, items: Iterable[entity_instance]) -> set[int]:
    """Step ids of the products whose body is made with any of the items, also through mapped items and openings."""
    found: set[int] = set()
    seen: set[int] = set()
    todo = list(items)
    while todo:
        item = todo.pop()
        if item.id() in seen:
            continue
        seen.add(item.id())
        if item.is_a("IfcProduct"):
            found.add(item.id())
            # An opening is cut out of its host with the host's kernel.
            for relation in members(item, "VoidsElements"):
                todo += members(relation, "RelatingBuildingElement")
        elif any(item.is_a(name) for name in PARTS_OF_A_BODY):
            todo += file.get_inverse(item)
    return found


def sampled(selection: Selection, most: int) -> Selection:
    """Every n-th of the plain and clipped products, about `most` in all; courses along a curve are left out."""
    step = max(1, -(-len(selection.plain + selection.clipped) // max(most, 1)))
    return dataclasses.replace(selection, plain=selection.plain[::step], clipped=selection.clipped[::step], swept=())


def tessellate(
    file: ifcopenshell.file, selection: Selection, feedback: Feedback, *, limit_s: float = math.inf
) -> Tessellation:
    """Triangles of all selected products.

    Elements that come back empty, broken or not at all are tried again alone, first with OpenCASCADE, then with CGAL.
    With `limit_s` it stops after that time with what there is, and tries nothing again.
    """
    started = time.monotonic()
    collector = _Collector(feedback, len(selection.wanted))
    ways = ((selection.plain, PLAIN_KERNEL), (selection.clipped, CLIPPED_KERNEL), (selection.swept, SWEPT_KERNEL))
    for products, kernel in ways:
        for element in _iterate(file, products, kernel):
            collector.add(element)
            if time.monotonic() - started > limit_s:
                return collector.result([])
        collector.next_way()
    missing = [p for p in selection.wanted if p not in collector.done] if limit_s == math.inf else []
    failed = _retry(file, missing, collector, feedback)
    return collector.result(failed)


def _settings() -> Any:
    import ifcopenshell.geom

    settings = ifcopenshell.geom.settings()
    settings.set("no-normals", True)
    # The time for a line along an alignment grows with the square of its points.
    settings.set("function-step-param", SWEEP_STEP)
    return settings


def _iterate(file: ifcopenshell.file, products: Sequence[int], kernel: str) -> Iterator[Any]:
    import ifcopenshell.geom

    if not products:
        return
    include = [file.by_id(product) for product in products]
    try:
        iterator = ifcopenshell.geom.iterator(_settings(), file, 1, include=include, geometry_library=kernel)
        going = iterator.initialize()
        while going:
            yield iterator.get()
            going = iterator.next()
    except RuntimeError:
        return  # the products that did not come are tried one by one


def _retry(
    file: ifcopenshell.file, missing: Sequence[int], collector: _Collector, feedback: Feedback
) -> list[tuple[int, str]]:
    import ifcopenshell.geom

    reasons = {product: collector.faults.get(product, "no kernel made a body") for product in missing}
    started = time.monotonic()
    for kernel_name in RETRY_KERNELS:
        left = [product for product in missing if product not in collector.done]
        if not left:
            break
        try:
            kernel = ifcopenshell.geom.kernel(_settings(), file, kernel_name)
        except RuntimeError as error:  # a damaged file
            reasons.update(dict.fromkeys(left, str(error)[:200]))
            continue
        for product in left:
            feedback.step(1.0, f"trying {len(left)} difficult elements again")
            if time.monotonic() - started > RETRY_BUDGET_S:
                reasons[product] = "given up: the difficult elements of this file took too long"
                continue
            try:
                collector.add(kernel.create_shape(file.by_id(product)))
            except (RuntimeError, ValueError) as error:
                reasons[product] = str(error)[:200] or reasons[product]
            else:
                reasons[product] = collector.faults.get(product, reasons[product])
    return [(product, reason) for product, reason in reasons.items() if product not in collector.done]


class _Collector:
    """Gathers what the kernels deliver; a shape that is repeated is kept once."""

    def __init__(self, feedback: Feedback, total: int) -> None:
        self.done: set[int] = set()
        self.faults: dict[int, str] = {}
        self._feedback, self._total = feedback, max(total, 1)
        self._told = -math.inf
        self._shapes: list[Shape] = []
        self._number: dict[str, int] = {}
        self._fault_of: dict[str, str] = {}
        self._product: list[int] = []
        self._shape: list[int] = []
        self._matrix: list[bytes] = []

    def next_way(self) -> None:
        """Forget shape names: another kernel may give the same name to another result."""
        self._number.clear()
        self._fault_of.clear()

    def add(self, element: Any) -> None:
        """Keep one delivered element, or note what is wrong with it."""
        now = time.monotonic()
        if now - self._told > STEP_S:
            self._told = now
            self._feedback.step(min(len(self.done) / self._total, 1.0), "making shapes")
        geometry, product = element.geometry, int(element.id)
        key = geometry.id
        if key not in self._number and key not in self._fault_of:
            self._new_shape(key, geometry)
        fault = self._fault_of.get(key)
        matrix = bytes(element.transformation_buffer)
        if fault is None and not np.isfinite(np.frombuffer(matrix)).all():
            fault = "its placement is not a number"
        if fault is not None:
            self.faults[product] = fault
            return
        self.done.add(product)
        self._product.append(product)
        self._shape.append(self._number[key])
        self._matrix.append(matrix)

    def _new_shape(self, key: str, geometry: Any) -> None:
        shape = _shape(geometry)
        fault = _fault(shape)
        if fault:
            self._fault_of[key] = fault
        else:
            self._number[key] = len(self._shapes)
            self._shapes.append(shape)

    def result(self, failed: list[tuple[int, str]]) -> Tessellation:
        """Everything gathered, in the order it came."""
        matrix = np.frombuffer(b"".join(self._matrix), dtype=np.float64).reshape(-1, 4, 4)
        return Tessellation(
            tuple(self._shapes),
            np.array(self._product, dtype=np.int64),
            np.array(self._shape, dtype=np.int32),
            np.ascontiguousarray(matrix.transpose(0, 2, 1)[:, :3]),  # the library writes columns
            tuple(failed),
        )


def _shape(geometry: Any) -> Shape:
    vertices = np.frombuffer(geometry.verts_buffer, dtype=np.float64).reshape(-1, 3).copy()
    faces = np.frombuffer(geometry.faces_buffer, dtype=np.int32).reshape(-1, 3).copy()
    edges = np.zeros((0, 2), np.int32)
    if len(faces) == 0:
        edges = np.frombuffer(geometry.edges_buffer, dtype=np.int32).reshape(-1, 2).copy()
    style = np.frombuffer(geometry.material_ids_buffer, dtype=np.int32)
    rgba = np.frombuffer(geometry.colors_buffer, dtype=np.float64).reshape(-1, 4)
    style = style if len(style) == len(faces) else np.full(len(faces), -1, np.int32)
    if faces.size and (faces.min() < 0 or faces.max() >= len(vertices)):
        faces = faces[:0]
        style = style[:0]
    colour, transparency = _face_colours(style, rgba)
    return Shape(vertices, outward(vertices, faces), colour, transparency, edges)


def _face_colours(style: NDArray[np.int32], rgba: NDArray[np.float64]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Colour code (m,) and transparency (m,) of each face from its style number (-1 = none)."""
    levels = np.rint(np.clip(np.nan_to_num(rgba[:, :3]), 0.0, 1.0) * 255.0).astype(np.int32)
    codes = np.append((levels[:, 0] << 16) | (levels[:, 1] << 8) | levels[:, 2], NO_COLOUR).astype(np.int32)
    clear = np.append(np.clip(1.0 - np.nan_to_num(rgba[:, 3], nan=1.0), 0.0, 1.0), 0.0).astype(np.float32)
    known = np.where((style >= 0) & (style < len(rgba)), style, len(rgba))
    return codes[known], clear[known]


def _fault(shape: Shape) -> str:
    if not np.isfinite(shape.vertices).all():
        return "its coordinates are not numbers"
    if len(shape.faces) == 0 and len(shape.edges) == 0:
        return "the kernel gave no triangles"
    if len(shape.vertices) and float(np.ptp(shape.vertices, axis=0).max()) > LARGEST_ELEMENT:
        return "it would be wider than 100 km"
    return ""


def outward(vertices: NDArray[np.float64], faces: NDArray[np.int32]) -> NDArray[np.int32]:
    """Faces turned round where a closed body has a clearly negative volume; anything else stays as it is.

    Parameters
    ----------
    vertices : (n, 3) float64 [m]
    faces : (m, 3) int32
    """
    if len(faces) < 4:
        return faces
    a, b, c = (vertices[faces[:, k]] - vertices[faces[0, 0]] for k in range(3))
    cross = np.cross(b - a, c - a)
    area = float(np.linalg.norm(cross, axis=1).sum())
    # The area vectors of a closed surface add up to nothing.
    if area == 0.0 or float(np.linalg.norm(cross.sum(axis=0))) > 1e-4 * area:
        return faces
    volume = float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum()) / 6.0
    smallest = 1e-6 * (area / 2.0) ** 1.5
    return np.ascontiguousarray(faces[:, ::-1]) if volume < -smallest else faces
