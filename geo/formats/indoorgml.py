"""IndoorGML 1.0 and 1.1: cells, states and transitions of buildings, read and written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.formats.placed import ModelOptions
from geo.model import Feedback, Frame, Issue, Layer, UserError

if TYPE_CHECKING:
    from geo.formats.mesh_place import Placing

TITLE = "IndoorGML"
TALLEST_ROOM = 12.0  # [m] where most rooms are taller the unit is hardly the metre


class IndoorGmlOptions(ModelOptions):
    """Where an indoor model stands; most have coordinates of their own."""


def sniff(path: Path, head: bytes) -> bool:
    """The root element of an indoor model in its namespace."""
    from geo.formats.indoorgml_xml import looks_like

    return looks_like(head)


def inspect(path: Path) -> FileInfo:
    """Counts, box and faults."""
    from geo.formats.indoorgml_xml import read_document
    from geo.indoor.gml_check import check_document
    from geo.indoor.gml_rooms import rooms_of

    document = read_document(path)
    points = _points(document)
    box = None
    if len(points):
        (west, south, low), (east, north, high) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        box = (west, south, low, east, north, high)
    crs = _crs(document.crs)
    return FileInfo(
        "indoorgml", TITLE, document.version, crs, bounds=box, counts=document.counts,
        issues=tuple(check_document(document, rooms_of(document, 1.0), 1.0)), place_is_weak=crs is None,
    )  # fmt: skip


def _points(document: object) -> NDArray[np.float64]:
    features = [*document.cells, *document.boundaries, *document.states]  # type: ignore[attr-defined]
    parts = [ring for feature in features for polygon in feature.polygons for ring in polygon]
    parts += [feature.points for feature in features]
    return np.concatenate([np.zeros((0, 3)), *parts])


def _crs(name: str) -> str | None:
    """The system a ``srsName`` means, None for none or one that is not known."""
    from geo import crs as coordinates

    if not name:
        return None
    try:
        found = coordinates.canonical(name)
    except UserError:
        return None
    return found if coordinates.has_place(found) else None


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """Parts ``cells`` (rooms), ``boundaries``, ``network_nodes``, ``network_edges``, ``interlayer``."""
    from geo.formats.indoorgml_xml import read_document
    from geo.indoor.gml_check import check_document
    from geo.indoor.gml_rooms import boundary_layer, interlayer_layer, room_layer, rooms_of, walking_layers

    own = options.own if isinstance(options.own, IndoorGmlOptions) else IndoorGmlOptions()
    feedback.step(0.0, "reading the file")
    document = read_document(path)
    points = _points(document) * own.scale
    if len(points) == 0:
        raise UserError(
            f"{path.name} has no geometry that can be shown.",
            "Neither its cells nor its states have coordinates.",
            "Export the model with geometry.",
            code="indoorgml.no_geometry",
            values={"name": path.name},
        )
    feedback.step(0.4, "making rooms")
    to_frame, issues = _placing(document.crs, points, frame, own, options)
    rooms = rooms_of(document, own.scale)
    feedback.step(0.6, "checking the model")
    issues += [*check_document(document, rooms, own.scale), *_size_issues(rooms, document.faults)]
    feedback.step(0.8, "joining the rooms")
    made = [room_layer(rooms, path.stem, to_frame), boundary_layer(document, path.stem, own.scale, to_frame)]
    layers = [layer for layer in made if layer is not None]
    layers += walking_layers(document, rooms, path.stem, own.scale, to_frame)
    joints = interlayer_layer(document, path.stem, own.scale, to_frame)
    layers += [joints] if joints is not None else []
    if layers:
        layers[0] = layers[0].with_(issues=(*layers[0].issues, *issues))
    feedback.step(1.0, "done")
    return layers


def _placing(
    name: str, points: NDArray[np.float64], frame: Frame, own: IndoorGmlOptions, options: ReadOptions
) -> tuple[Placing, list[Issue]]:
    from geo.formats.mesh_place import MeshOptions, placing

    place = MeshOptions(**{**own.model_dump(), "up": "z"})
    box = (points.min(axis=0), points.max(axis=0))
    to_frame, issues = placing(box, frame, place, crs=options.crs or _crs(name), terrain=options.terrain)
    return to_frame, list(issues)


def _size_issues(rooms: object, faults: int) -> list[Issue]:
    heights = [cell.high - cell.low for cell in rooms.cells if cell is not None]  # type: ignore[attr-defined]
    issues = []
    if heights and float(np.median(heights)) > TALLEST_ROOM:
        median = float(np.median(heights))
        issues.append(
            Issue(
                "indoorgml.unit",
                f"Half of the rooms are taller than {median:.0f} m: the unit of the file is hardly the metre. Set the "
                "option scale.",
                severity="doubt",
                values={"height": f"{median:.0f}"},
            )
        )
    if faults:
        issues.append(
            Issue(
                "indoorgml.bad_coordinates",
                f"{faults} polygons or points have coordinates that cannot be read; they were left out.",
                severity="error",
                count=faults,
            )
        )
    return issues


def write(path: Path, layers: Sequence[Layer], frame: Frame, feedback: Feedback) -> None:
    """Rooms and walking networks as IndoorGML 1.0.3 in map coordinates."""
    from geo.formats.indoorgml_write import write_document

    write_document(path, layers, frame, feedback)


FORMAT = Format(
    id="indoorgml",
    title=TITLE,
    patterns=("*.indoorgml", "*.gml", "*.xml"),
    sniff=sniff,
    inspect=inspect,
    read=read,
    write=write,
    writes=("mesh", "points", "lines"),
    options=IndoorGmlOptions,
    writes_hidden=True,
)
