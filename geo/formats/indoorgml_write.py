"""Rooms and walking networks as IndoorGML 1.0.3, in map coordinates.

What the standard has no place for (the sort of a node, the way of an edge, widths, ids that are no XML names) goes
into the descriptions as ``key=value;`` pairs, as editors of the format do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.model import Feedback, Frame, Layer, Lines, Mesh, Points, UserError
from geo.model.conventions import CLEAR_WIDTH, FROM_NODE, NODE, ROOM, ROOM_NAME, ROOM_USE, STOREY, TO_NODE, WAY

Floats = NDArray[np.float64]

CORE = "http://www.opengis.net/indoorgml/1.0/core"
GML = "http://www.opengis.net/gml/3.2"
XLINK = "http://www.w3.org/1999/xlink"
SCHEMA = "http://schemas.opengis.net/indoorgml/1.0/indoorgmlcore.xsd"
ID, HREF = f"{{{GML}}}id", f"{{{XLINK}}}href"


class _Names:
    """XML names for the ids of elements, each only once."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._of: dict[tuple[str, str], str] = {}

    def of(self, prefix: str, id: str) -> str:
        """A name that begins with the prefix; the same for the same id."""
        if (prefix, id) not in self._of:
            plain = f"{prefix}-{re.sub(r'[^A-Za-z0-9_.-]', '_', id)}"
            name, number = plain, 1
            while name in self._used:
                number += 1
                name = f"{plain}-{number}"
            self._used.add(name)
            self._of[prefix, id] = name
        return self._of[prefix, id]


def write_document(path: Path, layers: Sequence[Layer], frame: Frame, feedback: Feedback) -> None:
    """Write the layers of themes ``space`` and ``network``. Raises `UserError` where there is none."""
    from lxml import etree

    rooms = [layer for layer in layers if layer.theme == "space" and isinstance(layer.geometry, Mesh)]
    nodes = [layer for layer in layers if layer.theme == "network" and isinstance(layer.geometry, Points)]
    edges = [layer for layer in layers if layer.theme == "network" and isinstance(layer.geometry, Lines)]
    if not rooms and not nodes:
        raise UserError(
            "There is nothing indoors to write.",
            "IndoorGML holds rooms and walking networks, and none of the layers is one.",
            "Choose layers of rooms or of a walking network.",
            code="indoorgml.nothing_to_write",
        )
    names = _Names()
    root = etree.Element(f"{{{CORE}}}IndoorFeatures", nsmap={None: CORE, "gml": GML, "xlink": XLINK})
    root.set(ID, "IFs")
    root.set("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation", f"{CORE} {SCHEMA}")
    feedback.step(0.1, "writing rooms")
    room_node = _room_nodes(nodes)
    _write_rooms(root, rooms, names, frame, room_node)
    feedback.step(0.6, "writing the network")
    if nodes:
        known = {str(room) for layer in rooms for room in layer.table.ids}
        _write_graph(root, nodes, edges, names, frame, known=known, room_node=room_node)
    path.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))
    feedback.step(1.0, "done")


def _sub(parent: Any, name: str, *, gml: bool = False, text: str = "", id: str = "") -> Any:
    from lxml import etree

    element = etree.SubElement(parent, f"{{{GML if gml else CORE}}}{name}")
    if text:
        element.text = text
    if id:
        element.set(ID, id)
    return element


def _described(parent: Any, name: str, notes: dict[str, object]) -> None:
    text = "".join(f"{key}={_clean(value)};" for key, value in notes.items() if value not in ("", None))
    if text:
        _sub(parent, "description", gml=True, text=text)
    if name:
        _sub(parent, "name", gml=True, text=_printable(name))


def _clean(value: object) -> str:
    return re.sub(r'[;"]', " ", _printable(str(value)))


def _printable(text: str) -> str:
    """Text without the control characters that XML cannot hold."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]", " ", text)


def _value(layer: Layer, name: str, row: int) -> object:
    column = layer.table.columns.get(name)
    value = None if column is None else column.values[row]
    return "" if value is None or (isinstance(value, float) and not np.isfinite(value)) else value


def _room_nodes(nodes: Sequence[Layer]) -> dict[str, str]:
    """Id of the node that stands for each room."""
    found: dict[str, str] = {}
    for layer in nodes:
        for row, id in enumerate(layer.table.ids):
            room = str(_value(layer, ROOM, row))
            if room and str(_value(layer, NODE, row)) in ("room", ""):
                found.setdefault(room, str(id))
    return found


def _write_rooms(root: Any, rooms: Sequence[Layer], names: _Names, frame: Frame, room_node: dict[str, str]) -> None:
    primal = _sub(_sub(root, "primalSpaceFeatures"), "PrimalSpaceFeatures", id="PS1")
    for layer in rooms:
        mesh = layer.geometry
        if not isinstance(mesh, Mesh):
            continue
        points = frame.to_map(mesh.vertices)
        order = np.argsort(mesh.face_element, kind="stable")
        starts = np.searchsorted(mesh.face_element[order], np.arange(len(layer.table) + 1))
        for row, id in enumerate(map(str, layer.table.ids)):
            cell = _sub(_sub(primal, "cellSpaceMember"), "CellSpace", id=names.of("C", id))
            notes = {"id": id, "storey": _value(layer, STOREY, row), "usage": _value(layer, ROOM_USE, row)}
            _described(cell, str(_value(layer, ROOM_NAME, row) or id), notes)
            faces = mesh.faces[order[starts[row] : starts[row + 1]]]
            if len(faces):
                _write_solid(cell, points[faces], names.of("CG", id), frame)
            if id in room_node:
                _sub(cell, "duality").set(HREF, f"#{names.of('S', room_node[id])}")


def _write_solid(cell: Any, triangles: Floats, id: str, frame: Frame) -> None:
    geometry = _sub(_sub(cell, "cellSpaceGeometry"), "Geometry3D")
    solid = _sub(geometry, "Solid", gml=True, id=id)
    solid.set("srsName", frame.crs)
    solid.set("srsDimension", "3")
    shell = _sub(_sub(solid, "exterior", gml=True), "Shell", gml=True)
    for corners in triangles:
        polygon = _sub(_sub(shell, "surfaceMember", gml=True), "Polygon", gml=True)
        ring = _sub(_sub(polygon, "exterior", gml=True), "LinearRing", gml=True)
        for point in (*corners, corners[0]):
            _sub(ring, "pos", gml=True, text=_position(point))


def _position(point: Floats) -> str:
    return " ".join(f"{float(value):.4f}" for value in point)


def _write_graph(
    root: Any, nodes: Sequence[Layer], edges: Sequence[Layer], names: _Names, frame: Frame, *,
    known: set[str], room_node: dict[str, str],
) -> None:  # fmt: skip
    graph = _sub(_sub(root, "multiLayeredGraph"), "MultiLayeredGraph", id="MG1")
    layer_element = _sub(_sub(_sub(graph, "spaceLayers", id="SLs1"), "spaceLayerMember"), "SpaceLayer", id="SL1")
    holder = _sub(layer_element, "nodes", id="N1")
    written: set[str] = set()
    for layer in nodes:
        for id, row, point in _places(layer, frame):
            state = _sub(_sub(holder, "stateMember"), "State", id=names.of("S", id))
            room = str(_value(layer, ROOM, row))
            notes = {"id": id, "node": _value(layer, NODE, row), "width": _value(layer, CLEAR_WIDTH, row)}
            is_dual = room in known and room_node.get(room) == id
            notes |= {"storey": _value(layer, STOREY, row)} | ({} if is_dual else {"room": room})
            _described(state, str(_value(layer, "name", row)), notes)
            if is_dual:
                _sub(state, "duality").set(HREF, f"#{names.of('C', room)}")
            place = _sub(_sub(state, "geometry"), "Point", gml=True, id=names.of("SG", id))
            place.set("srsName", frame.crs)
            _sub(place, "pos", gml=True, text=_position(point))
            written.add(id)
    if not edges:
        return
    holder = _sub(layer_element, "edges", id="E1")
    for layer in edges:
        _write_edges(holder, layer, names, frame, written)


def _places(layer: Layer, frame: Frame) -> Iterator[tuple[str, int, Floats]]:
    shape = layer.geometry
    if isinstance(shape, Points):
        for row, point in zip(shape.element.tolist(), frame.to_map(shape.vertices), strict=True):
            yield str(layer.table.ids[row]), row, point


def _write_edges(holder: Any, layer: Layer, names: _Names, frame: Frame, written: set[str]) -> None:
    lines = layer.geometry
    if not isinstance(lines, Lines):
        return
    points = frame.to_map(lines.vertices)
    for k, row in enumerate(lines.line_element.tolist()):
        ends = [str(_value(layer, name, row)) for name in (FROM_NODE, TO_NODE)]
        if not set(ends) <= written:
            continue
        id = str(layer.table.ids[row])
        edge = _sub(_sub(holder, "transitionMember"), "Transition", id=names.of("T", id))
        notes = {"way": _value(layer, WAY, row), "width": _value(layer, CLEAR_WIDTH, row)}
        _described(edge, "", notes | {"room": _value(layer, ROOM, row)})
        line = points[lines.offsets[k] : lines.offsets[k + 1]]
        _sub(edge, "weight", text=f"{float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum()):.4f}")
        for end in ends:
            _sub(edge, "connects").set(HREF, f"#{names.of('S', end)}")
        shape = _sub(_sub(edge, "geometry"), "LineString", gml=True, id=names.of("TG", id))
        shape.set("srsName", frame.crs)
        for point in line:
            _sub(shape, "pos", gml=True, text=_position(point))
