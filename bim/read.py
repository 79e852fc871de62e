"""IFC to layers: path in, frozen layers out. Plain synchronous functions, safe in a child process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bim.attributes import members, related
from bim.elements import Storeys, element_ids, element_table, read_storeys, read_types, space_columns
from bim.georeference import Georeference, read_georeference
from bim.placement import IfcOptions, place
from bim.schema import Model, open_model
from bim.tessellation import Selection, Tessellation, select_products, tessellate
from geo.formats.contract import MapBox, ReadOptions
from geo.model import (
    ElementTable,
    Feedback,
    Field,
    Frame,
    Geometry,
    Instances,
    Issue,
    Layer,
    Lines,
    Mesh,
    Source,
    Style,
    UserError,
)

if TYPE_CHECKING:
    import ifcopenshell

FEWEST_INSTANCES = 8
MOST_BAKED_FACES = 2_000_000
CHUNK_VERTICES = 200_000
ISSUE_ELEMENTS = 200
MAPPING_DEPTH = 8
LINE_ITEMS = ("IfcCurve", "IfcPoint", "IfcSegment", "IfcTextLiteral", "IfcAnnotationFillArea", "IfcBoundingBox")

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class _Job:
    """What every layer of one file is made from."""

    name: str
    file: ifcopenshell.file
    shapes: Tessellation
    placed: Georeference
    frame: Frame
    storeys: Storeys
    types: dict[int, str]
    stratum: str


def read_layers(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """Layers of an IFC file in local metres of the frame.

    Parts: ``elements`` (mesh), ``instances`` (repeated shapes of very large models), ``lines`` (alignments and other
    products that are only lines), ``spaces`` (rooms, hidden).
    """
    own = options.own if isinstance(options.own, IfcOptions) else IfcOptions()
    feedback.step(0.0, "opening the file")
    model = open_model(path)
    selection = select_products(model.file, spaces=own.spaces)
    feedback.step(0.1, "making shapes")
    shapes = tessellate(model.file, selection, feedback.part(0.1, 0.8))
    if len(shapes.product) == 0:
        raise _nothing(path, selection)
    box = shapes.bounds()
    centre = None if box is None else (box[0] + box[1]) / 2
    found = read_georeference(model.file, model.metres_per_unit, centre=centre, crs=options.crs)
    placed = place(found, frame, own, terrain=options.terrain, box=box)
    feedback.step(0.85, "reading names and storeys")
    job = _Job(
        path.stem,
        model.file,
        _within(shapes, placed, frame, options.box),
        placed,
        frame,
        read_storeys(model.file, model.metres_per_unit),
        read_types(model.file),
        "indoor" if model.file.by_type("IfcBuilding") else "outdoor",
    )
    layers = _layers(job, feedback.part(0.9, 1.0))
    if layers:
        issues = (*model.issues, *placed.issues, *_missing(model.file, shapes, selection))
        layers[0] = layers[0].with_(issues=layers[0].issues + issues)
    return layers


def _nothing(path: Path, selection: Selection) -> UserError:
    return UserError(
        f"{path.name} has no geometry that can be shown.",
        f"{selection.without_representation} of its products have no shape at all, and none of the other "
        f"{len(selection.wanted)} gave one.",
        "Export the model with geometry (3D bodies), or choose another file.",
        code="ifc.no_geometry_at_all",
        values={"name": path.name, "without": selection.without_representation, "others": len(selection.wanted)},
    )


def _layers(job: _Job, feedback: Feedback) -> list[Layer]:
    bodies = job.shapes
    faces = np.array([len(shape.faces) for shape in bodies.shapes], dtype=np.int64)[bodies.shape]
    entities = [job.file.by_id(int(product)) for product in bodies.product]
    is_space = np.array([entity.is_a("IfcSpace") for entity in entities], dtype=bool)
    solid = faces > 0
    repeated = _repeated(bodies, faces, solid & ~is_space)
    makers = (
        (_elements, solid & ~is_space & ~repeated),
        (_instances, repeated),
        (_lines, ~solid & ~is_space),
        (_spaces, solid & is_space),
    )
    layers = []
    for number, (make, chosen) in enumerate(makers):
        feedback.step(number / len(makers), "putting the layers together")
        if chosen.any():
            layers.append(make(job, np.flatnonzero(chosen)))
    return layers


def _repeated(bodies: Tessellation, faces: Numbers, candidates: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Bodies to draw as instances: none, unless writing everything out would make too many triangles."""
    if int(faces[candidates].sum()) <= MOST_BAKED_FACES:
        return np.zeros(len(faces), dtype=bool)
    count = np.bincount(bodies.shape[candidates], minlength=len(bodies.shapes))
    return candidates & (count[bodies.shape] >= FEWEST_INSTANCES)


def _within(shapes: Tessellation, placed: Georeference, frame: Frame, box: MapBox | None) -> Tessellation:
    """Only the bodies whose own box touches a rectangle of the project CRS."""
    if box is None:
        return shapes
    corners = np.stack([_corners(shape.vertices) for shape in shapes.shapes])[shapes.shape]
    points = np.einsum("kij,knj->kni", shapes.matrix[:, :, :3], corners) + shapes.matrix[:, None, :, 3]
    on_map = frame.to_map(placed.to_frame(points.reshape(-1, 3), frame)).reshape(-1, 8, 3)
    low, high = on_map.min(axis=1), on_map.max(axis=1)
    keep = (high[:, 0] >= box.west) & (low[:, 0] <= box.east) & (high[:, 1] >= box.south) & (low[:, 1] <= box.north)
    return Tessellation(shapes.shapes, shapes.product[keep], shapes.shape[keep], shapes.matrix[keep], shapes.failed)


def _corners(vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    pick = (np.arange(8)[:, None] >> np.arange(3)) & 1
    return np.where(pick == 1, high, low)


def _table(job: _Job, bodies: Numbers) -> tuple[ElementTable, NDArray[np.int32], list[int]]:
    """Table of the products of some bodies, the row of each body, and the step id of each row."""
    products, row = np.unique(job.shapes.product[bodies], return_inverse=True)
    steps = [int(product) for product in products]
    table = element_table(job.file, steps, storeys=job.storeys, types=job.types)
    return table, row.astype(np.int32), steps


def _points(job: _Job, bodies: Numbers) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Vertices of bodies one after another, local metres of the frame, and how many each has."""
    shapes = job.shapes
    counts = np.array([len(shapes.shapes[s].vertices) for s in shapes.shape[bodies]], dtype=np.int64)
    points = np.empty((int(counts.sum()), 3))
    start, first = 0, 0
    while first < len(bodies):
        last, size = first, 0
        while last < len(bodies) and (size == 0 or size + counts[last] <= CHUNK_VERTICES):
            size += int(counts[last])
            last += 1
        own = np.concatenate([shapes.shapes[s].vertices for s in shapes.shape[bodies[first:last]]])
        matrix = np.repeat(shapes.matrix[bodies[first:last]], counts[first:last], axis=0)
        model = np.einsum("nij,nj->ni", matrix[:, :, :3], own) + matrix[:, :, 3]
        points[start : start + size] = job.placed.to_frame(model, job.frame)
        start, first = start + size, last
    return points, counts


def _baked(job: _Job, bodies: Numbers, row: NDArray[np.int32]) -> tuple[Mesh, tuple[Field, ...]]:
    """All triangles of bodies in one mesh, with their colours."""
    shapes = [job.shapes.shapes[s] for s in job.shapes.shape[bodies]]
    points, counts = _points(job, bodies)
    start = np.concatenate([[0], np.cumsum(counts)[:-1]])
    mirrored = np.linalg.det(job.shapes.matrix[bodies][:, :, :3]) < 0
    faces = [
        (shape.faces[:, ::-1] if turned else shape.faces) + np.int32(first)
        for shape, turned, first in zip(shapes, mirrored, start, strict=True)
    ]
    owner = np.repeat(row, [len(shape.faces) for shape in shapes])
    colours = np.concatenate([shape.colour for shape in shapes])
    clear = np.concatenate([shape.transparency for shape in shapes])
    return Mesh(points, np.concatenate(faces), owner), _colour_fields(colours, clear)


def _colour_fields(colours: NDArray[np.int32], clear: NDArray[np.float32]) -> tuple[Field, ...]:
    """``colour``: 0xRRGGBB of the surface style, -1 without one; ``transparency``: 0 opaque .. 1 clear, if any."""
    fields = (Field("colour", "1", "face", colours),)
    return (*fields, Field("transparency", "1", "face", clear)) if (clear > 0).any() else fields


def _layer(job: _Job, part: str, geometry: Geometry, table: ElementTable, fields: tuple[Field, ...] = ()) -> Layer:
    title = {"elements": job.name, "spaces": f"{job.name}: rooms", "instances": f"{job.name}: repeated parts"}
    return Layer(
        part,
        title.get(part, f"{job.name}: lines"),
        "space" if part == "spaces" else "bim",
        geometry,
        table,
        fields,
        style=Style(visible=part != "spaces"),
        stratum=job.stratum,  # type: ignore[arg-type]
        source=Source(part=part),
    )


def _elements(job: _Job, bodies: Numbers) -> Layer:
    table, row, _ = _table(job, bodies)
    mesh, fields = _baked(job, bodies, row)
    return _layer(job, "elements", mesh, table, fields)


def _spaces(job: _Job, bodies: Numbers) -> Layer:
    table, row, steps = _table(job, bodies)
    mesh, _ = _baked(job, bodies, row)
    # Half of all area seen from above and below together: the footprint of any body with one floor and one ceiling.
    flat = np.abs(mesh.face_cross[:, 2]) / 2
    areas = np.bincount(mesh.face_element, weights=flat, minlength=len(table)) / 2
    return _layer(job, "spaces", mesh, table.with_columns(space_columns(job.file, steps, list(areas))))


def _instances(job: _Job, bodies: Numbers) -> Layer:
    """Repeated shapes with one transformation each.

    The field ``colour`` has one value per face of the shapes, shape after shape; each shape's ``face_element`` counts
    its colours.
    """
    table, row, _ = _table(job, bodies)
    used, number = np.unique(job.shapes.shape[bodies], return_inverse=True)
    shapes = [job.shapes.shapes[s] for s in used]
    matrix = job.shapes.matrix[bodies]
    origins = np.einsum("kij,j->ki", matrix[:, :, :3], np.zeros(3)) + matrix[:, :, 3]
    middle = origins.mean(axis=0)
    steps = job.placed.to_frame(middle + np.vstack([np.zeros(3), np.eye(3)]), job.frame)
    turn = (steps[1:] - steps[0]).T
    transform = np.concatenate(
        [np.einsum("ij,kjl->kil", turn, matrix[:, :, :3]), job.placed.to_frame(origins, job.frame)[:, :, None]], axis=2
    )
    meshes = tuple(
        Mesh(shape.vertices, shape.faces, np.unique(shape.colour, return_inverse=True)[1]) for shape in shapes
    )
    colours = np.concatenate([shape.colour for shape in shapes])
    clear = np.concatenate([shape.transparency for shape in shapes])
    geometry = Instances(meshes, number.astype(np.int32), transform, row)
    return _layer(job, "instances", geometry, table, _colour_fields(colours, clear))


def _lines(job: _Job, bodies: Numbers) -> Layer:
    """Products that are only lines; edges that follow one another become one line."""
    table, row, _ = _table(job, bodies)
    points, counts = _points(job, bodies)
    start = np.concatenate([[0], np.cumsum(counts)[:-1]])
    edges = [
        job.shapes.shapes[s].edges + np.int32(first) for s, first in zip(job.shapes.shape[bodies], start, strict=True)
    ]
    owner = np.repeat(row, [len(edge) for edge in edges])
    edge = np.concatenate(edges)
    begins = np.ones(len(edge), dtype=bool)
    begins[1:] = (edge[1:, 0] != edge[:-1, 1]) | (owner[1:] != owner[:-1])
    # Each line is the first point of its first edge and the second point of every edge.
    order = np.stack([np.where(begins, edge[:, 0], -1), edge[:, 1]], axis=1).reshape(-1)
    heads = np.flatnonzero(order.reshape(-1, 2)[:, 0] >= 0)
    lengths = np.diff(np.append(heads, len(edge))) + 1
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return _layer(job, "lines", Lines(points[order[order >= 0]], offsets, owner[heads]), table)


def _missing(file: ifcopenshell.file, shapes: Tessellation, selection: Selection) -> list[Issue]:
    """What is not in the picture: bodies no kernel could make, products that are only lines, products without any."""
    failed = [product for product, _ in shapes.failed]
    lines = [product for product in failed if _has_only_lines(file, product)]
    bodies = [product for product in failed if product not in set(lines)]
    reasons = dict(shapes.failed)
    issues = []
    if bodies:
        first = file.by_id(bodies[0]).is_a()
        issues.append(
            Issue(
                "ifc.no_geometry",
                f"{len(bodies)} elements have a shape that no geometry kernel could make; they are left out. "
                f"The first is an {first}: {reasons[bodies[0]][:120]}",
                severity="error",
                count=len(bodies),
                elements=tuple(element_ids(file, bodies[:ISSUE_ELEMENTS])),
            )
        )
    if lines:
        issues.append(
            Issue(
                "ifc.lines_left_out",
                f"{len(lines)} products are drawn by lines only, and these could not be read.",
                count=len(lines),
                elements=tuple(element_ids(file, lines[:ISSUE_ELEMENTS])),
            )
        )
    if selection.without_representation:
        issues.append(
            Issue(
                "ifc.without_representation",
                f"{selection.without_representation} products have no shape in the file (sites, storeys, assemblies "
                "and the like).",
                count=selection.without_representation,
            )
        )
    return issues


def _has_only_lines(file: ifcopenshell.file, product: int) -> bool:
    representations = members(related(file.by_id(product), "Representation"), "Representations")
    items = [item for representation in representations for item in members(representation, "Items")]
    return all(_is_line(item, MAPPING_DEPTH) for item in items)


def _is_line(item: Any, depth: int) -> bool:
    """Whether a representation item has neither surface nor volume; a circle of mappings ends at the depth."""
    if item.is_a("IfcMappedItem") and depth:
        mapped = related(related(item, "MappingSource"), "MappedRepresentation")
        return all(_is_line(part, depth - 1) for part in members(mapped, "Items"))
    if item.is_a("IfcGeometricSet"):
        return all(_is_line(part, 0) for part in members(item, "Elements"))
    return any(item.is_a(kind) for kind in LINE_ITEMS)


def summary(model: Model) -> dict[str, int]:
    """Number of entities by exact class, and ``IfcProduct`` with everything below it."""
    counts = {name: len(model.file.by_type(name, include_subtypes=False)) for name in sorted(model.file.types())}
    return {
        **{name: count for name, count in counts.items() if count},
        "IfcProduct": len(model.file.by_type("IfcProduct")),
    }
