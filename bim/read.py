"""IFC to layers: path in, frozen layers out. Plain synchronous functions, safe in a child process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bim.attributes import members, related, text
from bim.elements import element_ids, read_storeys, read_types
from bim.georeference import Georeference, read_georeference
from bim.indoor import indoor_layers
from bim.layers import Bodies, Job, issue_of_unplaced, make_layers
from bim.mep_layers import mep_layers
from bim.notebook import Notebook
from bim.placement import IfcOptions, place
from bim.preview import Preview
from bim.schema import Model, longest_statement, opened
from bim.selection import class_chain
from bim.tessellation import SILENCE_S, Failure, Selection, Tessellation, tessellate
from geo.formats.contract import MapBox, ReadOptions
from geo.model import Column, ElementTable, Feedback, Frame, Issue, Layer, Source, UserError

if TYPE_CHECKING:
    import ifcopenshell

ISSUE_ELEMENTS = 200
MAPPING_DEPTH = 8
SMALL_BYTES = 2 << 20  # no shape of a smaller file takes long
SILENCE_PER_BYTE_S = 2e-5  # of the longest list of faces; an unhurried machine needs a sixth
LINE_ITEMS = ("IfcCurve", "IfcPoint", "IfcSegment", "IfcTextLiteral", "IfcAnnotationFillArea", "IfcBoundingBox")

Box = tuple[NDArray[np.float64], NDArray[np.float64]]


def read_layers(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """Layers of an IFC file in local metres of the frame.

    Parts: ``elements`` (mesh), ``mep`` (pipes, ducts, cables), ``infrastructure`` (roads, rails, ground), each with
    the repeated shapes of very large models apart (``instances``, ``mep-instances``, ``infrastructure-instances``);
    ``lines`` (alignments and other products that are only lines), ``spaces`` (rooms, hidden), ``network_nodes`` and
    ``network_edges`` (the walking network, hidden), ``mep_lines`` and ``mep_nodes`` (pipes, ducts and cables as a
    network, hidden), ``failures`` (a table of the products whose shape could not be
    made).
    """
    own = options.own if isinstance(options.own, IfcOptions) else IfcOptions()
    feedback.step(0.0, "opening the file")
    model = opened(path)
    feedback.step(0.08, "sorting the products")
    selection = model.selection if own.spaces else model.selection.without_spaces()
    where = _Where(model, frame, own, options)
    preview = _preview(path, where, selection, feedback) if feedback.wants_partial else None
    feedback.step(0.1, "making shapes")
    shapes = tessellate(
        model.file,
        selection,
        feedback.part(0.1, 0.85),
        notebook=Notebook.of_process(),
        on_batch=preview.show if preview is not None else None,
        silence_s=silence_of(path),
    )
    if len(shapes.product) == 0:
        raise _nothing(path, selection)
    found, placed = where.of(shapes)
    feedback.step(0.87, "reading names and storeys")
    bodies = Bodies(_within(shapes, placed, frame, options.box), placed, frame)
    anchor = (0.0, 0.0, 0.0) if found.site is None else found.site.anchor
    job = Job(
        path.stem,
        model.file.schema_identifier,
        model.file,
        bodies,
        selection.classes,
        read_storeys(model.file, model.metres_per_unit),
        read_types(model.file),
        options.terrain,
        bool(model.file.by_type("IfcBuilding")),
        float(placed.to_frame(np.array([anchor]), frame)[0, 2]) if found.site is not None else None,
    )
    layers = make_layers(job, feedback.part(0.9, 0.97 if own.network else 1.0))
    if own.network:
        layers = indoor_layers(
            model.file, shapes, placed, frame, storeys=job.storeys, name=path.stem, layers=layers,
            feedback=feedback.part(0.97, 0.99),
        )  # fmt: skip
    if own.mep_network:
        layers = mep_layers(
            model.file, shapes, placed, frame, storeys=job.storeys, types=job.types, name=path.stem, layers=layers,
            feedback=feedback.part(0.99, 1.0),
        )  # fmt: skip
    if layers:
        issues, failures = _missing(path.stem, model.file, shapes, selection)
        issues = [*model.issues, *placed.issues, *issues]
        layers[0] = layers[0].with_(issues=(*layers[0].issues, *issues))
        layers += [failures] if failures is not None else []
    return layers


class _Where:
    """Where a model stands, worked out from its bodies."""

    def __init__(self, model: Model, frame: Frame, own: IfcOptions, options: ReadOptions) -> None:
        self._model, self._frame, self._own, self._options = model, frame, own, options

    def of(self, shapes: Tessellation) -> tuple[Georeference, Georeference]:
        """What the file says, and what is used in the frame. Raises `UserError`."""
        box = shapes.bounds()
        centre = None if box is None else (box[0] + box[1]) / 2
        model, options = self._model, self._options
        found = read_georeference(model.file, model.metres_per_unit, centre=centre, crs=options.crs)
        return found, place(found, self._frame, self._own, terrain=options.terrain, box=box)

    def roughly(self, shapes: Tessellation) -> Georeference | None:
        """The same from the first bodies, for a look; None where it cannot be said."""
        try:
            return self.of(shapes)[1]
        except UserError:
            return None  # the reading itself will say so


def _preview(path: Path, where: _Where, selection: Selection, feedback: Feedback) -> Preview:
    rooms = {product for product, kind in selection.classes.items() if kind == "IfcSpace"}
    return Preview(
        path.stem,
        where._frame,
        feedback,
        place=where.roughly,
        is_shown=lambda product: product not in rooms,
    )


def silence_of(path: Path) -> float:
    """How long [s] one shape of a file may take: shapes of a million faces take half a minute."""
    # An archive is not unpacked for this: its statements are about as many times longer as it is packed.
    size = path.stat().st_size
    longest = 0 if size < SMALL_BYTES else longest_statement(path) if path.suffix == ".ifc" else size
    return SILENCE_S + SILENCE_PER_BYTE_S * longest


def _nothing(path: Path, selection: Selection) -> UserError:
    return UserError(
        f"{path.name} has no geometry that can be shown.",
        f"{selection.without_representation} of its products have no shape at all, and none of the other "
        f"{len(selection.wanted)} gave one.",
        "Export the model with geometry (3D bodies), or choose another file.",
        code="ifc.no_geometry_at_all",
        values={"name": path.name, "without": selection.without_representation, "others": len(selection.wanted)},
    )


def _within(shapes: Tessellation, placed: Georeference, frame: Frame, box: MapBox | None) -> Tessellation:
    """Only the bodies whose own box touches a rectangle of the project CRS."""
    if box is None:
        return shapes
    low, high = shapes.boxes()
    pick = (np.arange(8)[:, None] >> np.arange(3)) & 1
    points = np.where(pick == 1, high[:, None], low[:, None])
    on_map = frame.to_map(placed.to_frame(points.reshape(-1, 3), frame)).reshape(-1, 8, 3)
    low, high = on_map.min(axis=1), on_map.max(axis=1)
    keep = (high[:, 0] >= box.west) & (low[:, 0] <= box.east) & (high[:, 1] >= box.south) & (low[:, 1] <= box.north)
    return Tessellation(shapes.store, shapes.product[keep], shapes.shape[keep], shapes.matrix[keep], shapes.failed)


def _missing(
    name: str, file: ifcopenshell.file, shapes: Tessellation, selection: Selection
) -> tuple[list[Issue], Layer | None]:
    """What is not in the picture: bodies no kernel could make, products that are only lines, products without any."""
    lines = [failure.product for failure in shapes.failed if _has_only_lines(file, failure.product)]
    bodies = [failure for failure in shapes.failed if failure.product not in set(lines)]
    issues = []
    if bodies:
        issues.append(_no_geometry(file, bodies))
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
        issues.append(issue_of_unplaced(selection.without_representation))
    return issues, _failures_layer(name, file, bodies) if bodies else None


def _no_geometry(file: ifcopenshell.file, bodies: Sequence[Failure]) -> Issue:
    first = file.by_id(bodies[0].product)
    kind, called, reason = first.is_a(), text(first, "Name") or "-", bodies[0].reason[:120]
    return Issue(
        "ifc.no_geometry",
        f"{len(bodies)} elements have a shape that could not be made; they are left out and listed in a table. "
        f"The first is an {kind} ({called}): {reason}",
        severity="error",
        count=len(bodies),
        elements=tuple(element_ids(file, [failure.product for failure in bodies[:ISSUE_ELEMENTS]])),
        values={"class": kind, "name": called, "reason": reason},
    )


def _failures_layer(name: str, file: ifcopenshell.file, bodies: Sequence[Failure]) -> Layer:
    """One row for each product whose shape could not be made."""
    products = [failure.product for failure in bodies]
    entities = [file.by_id(product) for product in products]
    columns: dict[str, Sequence[str | None]] = {
        "class": [entity.is_a() for entity in entities],
        "name": [text(entity, "Name") for entity in entities],
        "kernel": [failure.kernel or None for failure in bodies],
        "reason": [failure.reason for failure in bodies],
    }
    made = {}
    for key, values in columns.items():
        column = np.empty(len(values), dtype=object)
        column[:] = values
        made[key] = Column(column)
    table = ElementTable(element_ids(file, products), made)
    return Layer("failures", f"{name}: not shown", "other", None, table, source=Source(part="failures"))


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
    """Number of entities by exact class, and ``IfcProduct`` with everything below it.

    Of large models only objects, their types and the project are counted, not points, lines and property values.
    """
    names = sorted(model.file.types())
    if model.is_large:
        schema = model.file.schema_identifier
        names = [name for name in names if "IfcObjectDefinition" in class_chain(schema, name)]
    counts = {name: len(model.file.by_type(name, include_subtypes=False)) for name in names}
    return {
        **{name: count for name, count in counts.items() if count},
        "IfcProduct": len(model.file.by_type("IfcProduct")),
    }
