"""From bodies to layers: triangles written out or repeated shapes, lines, rooms, with a table of their products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bim.elements import Storeys, element_table, space_columns
from bim.georeference import Georeference
from bim.shapes import ShapeStore, rows_of
from bim.strata import ELEMENTS, Heights, part_of_class, stratum_of
from bim.tessellation import Tessellation
from geo.model import (
    ElementTable,
    Feedback,
    Field,
    Frame,
    Geometry,
    Grid,
    Instances,
    Issue,
    Layer,
    Lines,
    Mesh,
    Source,
    Style,
)

if TYPE_CHECKING:
    import ifcopenshell

FEWEST_INSTANCES = 8
MOST_BAKED_FACES = 1_000_000
CHUNK_VERTICES = 200_000
TITLES = {"mep": "pipes, ducts and cables", "infrastructure": "roads, rails and ground"}

Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bodies:
    """Bodies and the way from model coordinates into the frame."""

    shapes: Tessellation
    placed: Georeference
    frame: Frame

    @property
    def store(self) -> ShapeStore:
        """Their shapes."""
        return self.shapes.store

    def points(self, chosen: Numbers) -> tuple[Floats, Numbers]:
        """Vertices of some bodies one after another, local metres of the frame, and how many each has."""
        number = self.shapes.shape[chosen]
        counts = self.store.vertex_count[number]
        stops = np.cumsum(counts)
        points = np.empty((int(stops[-1]) if len(stops) else 0, 3))
        first = 0
        while first < len(chosen):
            begin = int(stops[first] - counts[first])
            last = max(first + 1, int(np.searchsorted(stops, begin + CHUNK_VERTICES, side="right")))
            some = slice(first, last)
            own = self.store.vertices[rows_of(self.store.vertex_stop, self.store.vertex_count, number[some])]
            matrix = np.repeat(self.shapes.matrix[chosen[some]], counts[some], axis=0)
            model = np.einsum("nij,nj->ni", matrix[:, :, :3], own) + matrix[:, :, 3]
            points[begin : int(stops[last - 1])] = self.placed.to_frame(model, self.frame)
            first = last
        return points, counts

    def baked(self, chosen: Numbers, row: NDArray[np.int32]) -> tuple[Mesh, tuple[Field, ...]]:
        """All triangles of some bodies in one mesh, with their colours; `row` is the element of each."""
        points, counts = self.points(chosen)
        number = self.shapes.shape[chosen]
        face_count = self.store.face_count[number]
        rows = rows_of(self.store.face_stop, self.store.face_count, number)
        first = np.cumsum(counts) - counts
        faces = self.store.faces[rows] + np.repeat(first, face_count)[:, None].astype(np.int32)
        mirrored = np.repeat(np.linalg.det(self.shapes.matrix[chosen][:, :, :3]) < 0, face_count)
        faces[mirrored] = faces[mirrored][:, ::-1]
        mesh = Mesh(points, faces, np.repeat(row, face_count))
        return mesh, colour_fields(self.store.colour[rows], self.store.transparency[rows])

    def repeated(self, chosen: Numbers, row: NDArray[np.int32]) -> tuple[Instances, tuple[Field, ...]]:
        """Some bodies as shapes with one transformation each.

        The field ``colour`` has one value per face of the shapes, shape after shape; each shape's ``face_element``
        counts its colours.
        """
        used, number = np.unique(self.shapes.shape[chosen], return_inverse=True)
        shapes = [self.store.shape(int(s)) for s in used]
        matrix = self.shapes.matrix[chosen]
        origins = matrix[:, :, 3]
        middle = origins.mean(axis=0)
        steps = self.placed.to_frame(middle + np.vstack([np.zeros(3), np.eye(3)]), self.frame)
        turn = (steps[1:] - steps[0]).T
        place = self.placed.to_frame(origins, self.frame)[:, :, None]
        transform = np.concatenate([np.einsum("ij,kjl->kil", turn, matrix[:, :, :3]), place], axis=2)
        meshes = tuple(
            Mesh(shape.vertices, shape.faces, np.unique(shape.colour, return_inverse=True)[1]) for shape in shapes
        )
        colours = np.concatenate([shape.colour for shape in shapes])
        clear = np.concatenate([shape.transparency for shape in shapes])
        return Instances(meshes, number.astype(np.int32), transform, row), colour_fields(colours, clear)

    def lines(self, chosen: Numbers, row: NDArray[np.int32]) -> Lines:
        """Bodies that are only lines; edges that follow one another become one line."""
        points, counts = self.points(chosen)
        number = self.shapes.shape[chosen]
        edge_count = self.store.edge_count[number]
        rows = rows_of(self.store.edge_stop, self.store.edge_count, number)
        edge = self.store.edges[rows] + np.repeat(np.cumsum(counts) - counts, edge_count)[:, None]
        owner = np.repeat(row, edge_count)
        begins = np.ones(len(edge), dtype=bool)
        begins[1:] = (edge[1:, 0] != edge[:-1, 1]) | (owner[1:] != owner[:-1])
        # Each line is the first point of its first edge and the second point of every edge.
        order = np.stack([np.where(begins, edge[:, 0], -1), edge[:, 1]], axis=1).reshape(-1)
        heads = np.flatnonzero(order.reshape(-1, 2)[:, 0] >= 0)
        lengths = np.diff(np.append(heads, len(edge))) + 1
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        return Lines(points[order[order >= 0]], offsets, owner[heads])

    def heights(self, chosen: Numbers) -> Heights:
        """Where some bodies stand and how high they reach, by the corners of their boxes."""
        low, high = self.shapes.boxes()
        pick = (np.arange(8)[:, None] >> np.arange(3)) & 1
        corners = np.where(pick == 1, high[chosen][:, None], low[chosen][:, None])
        local = self.placed.to_frame(corners.reshape(-1, 3), self.frame).reshape(-1, 8, 3)
        return Heights(local[:, :, :2].mean(axis=1), local[:, :, 2].max(axis=1))


@dataclass(frozen=True, eq=False)
class Job:
    """What every layer of one file is made from.

    Attributes
    ----------
    schema : str
        Name of the schema the library reads the file with.
    classes : dict
        Class of each product, by step id.
    """

    name: str
    schema: str
    file: ifcopenshell.file
    bodies: Bodies
    classes: dict[int, str]
    storeys: Storeys
    types: dict[int, str]
    terrain: Grid | None
    has_building: bool
    ground: float | None


def colour_fields(colours: NDArray[np.int32], clear: NDArray[np.float32]) -> tuple[Field, ...]:
    """``colour``: 0xRRGGBB of the surface style, -1 without one; ``transparency``: 0 opaque .. 1 clear, if any."""
    fields = (Field("colour", "1", "face", colours),)
    return (*fields, Field("transparency", "1", "face", clear)) if (clear > 0).any() else fields


def repeated_bodies(shapes: Tessellation, candidates: NDArray[np.bool_], most: int) -> NDArray[np.bool_]:
    """Bodies to keep as instances: none, unless writing everything out would make more than `most` triangles."""
    faces = shapes.store.face_count[shapes.shape]
    if int(faces[candidates].sum()) <= most:
        return np.zeros(len(faces), dtype=bool)
    count = np.bincount(shapes.shape[candidates], minlength=len(shapes.store))
    return candidates & (count[shapes.shape] >= FEWEST_INSTANCES)


def make_layers(job: Job, feedback: Feedback) -> list[Layer]:
    """Layers of all bodies: per part what is written out and what is repeated, then lines, then rooms."""
    shapes = job.bodies.shapes
    solid = shapes.store.face_count[shapes.shape] > 0
    kinds = [job.classes.get(p) or job.file.by_id(p).is_a() for p in shapes.product.tolist()]
    groups = {kind: "spaces" if kind == "IfcSpace" else part_of_class(job.schema, kind) for kind in set(kinds)}
    part = np.array([groups[kind] for kind in kinds], dtype=object)
    is_space = part == "spaces"
    repeated = repeated_bodies(shapes, solid & ~is_space, MOST_BAKED_FACES)
    layers: list[Layer] = []
    order = sorted(set(groups.values()) - {"spaces"}, key=lambda name: (name != ELEMENTS, name))
    for number, name in enumerate(order):
        feedback.step(number / (len(order) + 2), "putting the layers together")
        mine = solid & (part == name)
        layers += _part_layers(job, name, np.flatnonzero(mine & ~repeated), np.flatnonzero(mine & repeated))
    if (~solid & ~is_space).any():
        feedback.step(0.8, "putting the layers together")
        layers.append(_lines(job, np.flatnonzero(~solid & ~is_space)))
    if (solid & is_space).any():
        feedback.step(0.9, "putting the layers together")
        layers.append(_spaces(job, np.flatnonzero(solid & is_space)))
    return layers


def _part_layers(job: Job, name: str, single: Numbers, repeated: Numbers) -> list[Layer]:
    """The layers of one part; its stratum is decided for all of it."""
    both = np.concatenate([single, repeated])
    if len(both) == 0:
        return []
    stratum, issue = stratum_of(
        name,
        job.bodies.heights(both) if name == "mep" else Heights(np.zeros((0, 2)), np.zeros(0)),
        job.bodies.frame,
        terrain=job.terrain,
        has_building=job.has_building,
        ground=job.ground,
    )
    title = f"{job.name}: {TITLES[name]}" if name in TITLES else job.name
    layers = []
    if len(single):
        table, row, _ = _table(job, single)
        mesh, fields = job.bodies.baked(single, row)
        layers.append(_layer(name, title, mesh, table, fields=fields, stratum=stratum))
    if len(repeated):
        table, row, _ = _table(job, repeated)
        geometry, fields = job.bodies.repeated(repeated, row)
        part = "instances" if name == ELEMENTS else f"{name}-instances"
        layers.append(_layer(part, f"{title}: repeated parts", geometry, table, fields=fields, stratum=stratum))
    if issue is not None:
        layers[0] = layers[0].with_(issues=(*layers[0].issues, issue))
    return layers


def _table(job: Job, bodies: Numbers) -> tuple[ElementTable, NDArray[np.int32], list[int]]:
    """Table of the products of some bodies, the row of each body, and the step id of each row."""
    products, row = np.unique(job.bodies.shapes.product[bodies], return_inverse=True)
    steps = products.tolist()
    table = element_table(job.file, steps, storeys=job.storeys, types=job.types, classes=job.classes)
    return table, row.astype(np.int32), steps


def _layer(
    part: str,
    title: str,
    geometry: Geometry,
    table: ElementTable,
    *,
    fields: tuple[Field, ...] = (),
    stratum: str,
) -> Layer:
    return Layer(
        part,
        title,
        "space" if part == "spaces" else "bim",
        geometry,
        table,
        fields,
        style=Style(visible=part != "spaces"),
        stratum=stratum,  # type: ignore[arg-type]
        source=Source(part=part),
    )


def _spaces(job: Job, bodies: Numbers) -> Layer:
    table, row, steps = _table(job, bodies)
    mesh, _ = job.bodies.baked(bodies, row)
    # Half of all area seen from above and below together: the footprint of any body with one floor and one ceiling.
    flat = np.abs(mesh.face_cross[:, 2]) / 2
    areas = np.bincount(mesh.face_element, weights=flat, minlength=len(table)) / 2
    columns = space_columns(job.file, steps, list(areas))
    stratum = "indoor" if job.has_building else "outdoor"
    return _layer("spaces", f"{job.name}: rooms", mesh, table.with_columns(columns), stratum=stratum)


def _lines(job: Job, bodies: Numbers) -> Layer:
    table, row, _ = _table(job, bodies)
    kinds = {job.classes.get(product) for product in job.bodies.shapes.product[bodies].tolist()}
    roads = all(kind is not None and part_of_class(job.schema, kind) == "infrastructure" for kind in kinds)
    stratum = "indoor" if job.has_building and not roads else "outdoor"
    return _layer("lines", f"{job.name}: lines", job.bodies.lines(bodies, row), table, stratum=stratum)


def issue_of_unplaced(count: int) -> Issue:
    """A note that products have no shape in the file."""
    return Issue(
        "ifc.without_representation",
        f"{count} products have no shape in the file (sites, storeys, assemblies and the like).",
        count=count,
    )
