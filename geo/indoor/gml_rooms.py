"""IndoorGML features to layers: cells as rooms, states and transitions as a walking network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.formats.indoorgml_xml import Document, Feature
from geo.indoor.cells import Cell, floor_of_mesh
from geo.indoor.layers import network_layers, text_column
from geo.indoor.network import Edge, Network, Node
from geo.model import Column, ElementTable, Issue, Layer, Lines, Mesh, Source, Style
from geo.model.conventions import (
    AREA,
    ELEVATION,
    NODE,
    PLACES,
    ROOM_HEIGHT,
    ROOM_NAME,
    ROOM_NUMBER,
    ROOM_USE,
    STOREY,
    WAYS,
)
from geo.polygons import triangulate_surfaces

Floats = NDArray[np.float64]
ToFrame = Callable[[Floats], Floats]

STEEP = 0.5  # [m] a transition that rises more goes to another storey
STOREY_NOTES = ("level", "story", "storey", "floor")
LIFT_WORDS = ("elev", "lift", "엘리베이터", "승강기")
# What a state stands for, by the class of its cell in the navigation module.
PLACE_OF_CELL = {"ConnectionSpace": "door", "AnchorSpace": "exit", "TransitionSpace": "room", "GeneralSpace": "room"}


@dataclass(frozen=True, eq=False)
class Solid:
    """Triangles of one feature in the file's coordinates [m]."""

    vertices: Floats
    faces: NDArray[np.int64]


def solid_of(feature: Feature, scale: float) -> Solid | None:
    """All polygons of a feature as triangles, None without any."""
    rings = [
        ring[:-1] if len(ring) > 3 and (ring[0] == ring[-1]).all() else ring for p in feature.polygons for ring in p
    ]
    if not rings:
        return None
    points = np.concatenate(rings) * scale
    ring_start = np.concatenate([[0], np.cumsum([len(ring) for ring in rings])])
    surface_start = np.concatenate([[0], np.cumsum([len(polygon) for polygon in feature.polygons])])
    made = triangulate_surfaces(points, np.arange(len(points)), ring_start, surface_start)
    if len(made.faces) == 0:
        return None
    return Solid(points, _outward(points, made.faces))


def _outward(points: Floats, faces: NDArray[np.int64]) -> NDArray[np.int64]:
    """Faces turned round where the body they close has a negative volume."""
    a, b, c = (points[faces[:, k]] - points[0] for k in range(3))
    return faces[:, ::-1] if float(np.einsum("ij,ij->", a, np.cross(b, c))) < 0 else faces


@dataclass(frozen=True, eq=False)
class Rooms:
    """Cells with their bodies, in the order of the file; a cell without a body has None."""

    features: list[Feature]
    solids: list[Solid | None]
    cells: list[Cell | None]


def rooms_of(document: Document, scale: float) -> Rooms:
    """Bodies and floors of all cells."""
    solids = [solid_of(feature, scale) for feature in document.cells]
    return Rooms(document.cells, solids, [_cell(f, s) for f, s in zip(document.cells, solids, strict=True)])


def _cell(feature: Feature, solid: Solid | None) -> Cell | None:
    if solid is None:
        return None
    floor, low, high = floor_of_mesh(solid.vertices, solid.faces)
    name = feature.name or feature.id
    return Cell(
        feature.notes.get("id") or feature.id, name, floor, low, high, name, use_of(feature), storey_of(feature)
    )


def storey_of(feature: Feature) -> str:
    """Storey by the notes of the description."""
    return next((feature.notes[key] for key in STOREY_NOTES if feature.notes.get(key)), "")


def use_of(feature: Feature) -> str:
    """Use by the notes, else the class where it is more than a cell."""
    said = feature.notes.get("usage") or feature.notes.get("use") or ""
    return said or (feature.kind if feature.kind in PLACE_OF_CELL else "")


def room_layer(rooms: Rooms, name: str, to_frame: ToFrame) -> Layer | None:
    """The cells as a mesh, None where no cell has a body."""
    kept = [(f, s, c) for f, s, c in zip(rooms.features, rooms.solids, rooms.cells, strict=True) if s and c]
    if not kept:
        return None
    mesh = _mesh([solid for _, solid, _ in kept], to_frame)
    cells = [cell for _, _, cell in kept]
    low = np.full(len(kept), np.inf)
    np.minimum.at(low, mesh.face_element, mesh.vertices[mesh.faces[:, 0], 2])
    columns = {
        ROOM_NAME: text_column([cell.name for cell in cells]),
        ROOM_NUMBER: text_column([cell.number for cell in cells]),
        ROOM_USE: text_column([cell.use for cell in cells]),
        STOREY: text_column([cell.storey for cell in cells]),
        "class": text_column([feature.kind for feature, _, _ in kept]),
        ELEVATION: Column(low, "m", "floor"),
        ROOM_HEIGHT: Column(np.array([cell.high - cell.low for cell in cells]), "m"),
        AREA: Column(np.array([cell.floor.area for cell in cells]), "m2"),
    }
    table = ElementTable([cell.id for cell in cells], columns)
    return Layer(
        "cells", f"{name}: rooms", "space", mesh, table, style=Style(opacity=0.5), stratum="indoor",
        source=Source(part="cells"),
    )  # fmt: skip


def boundary_layer(document: Document, name: str, scale: float, to_frame: ToFrame) -> Layer | None:
    """The boundaries between cells as a mesh, None without any."""
    solids = [(feature, solid_of(feature, scale)) for feature in document.boundaries]
    kept = [(feature, solid) for feature, solid in solids if solid is not None]
    if not kept:
        return None
    table = ElementTable(
        [feature.id for feature, _ in kept],
        {
            "name": text_column([feature.name for feature, _ in kept]),
            "class": text_column([feature.kind for feature, _ in kept]),
            "transition": text_column([feature.dual for feature, _ in kept]),
        },
    )
    return Layer(
        "boundaries", f"{name}: boundaries", "other", _mesh([solid for _, solid in kept], to_frame), table,
        style=Style(visible=False), stratum="indoor", source=Source(part="boundaries"),
    )  # fmt: skip


def _mesh(solids: Sequence[Solid], to_frame: ToFrame) -> Mesh:
    start = np.cumsum([0] + [len(solid.vertices) for solid in solids[:-1]])
    return Mesh(
        to_frame(np.concatenate([solid.vertices for solid in solids])),
        np.concatenate([solid.faces + first for solid, first in zip(solids, start, strict=True)]).astype(np.int32),
        np.repeat(np.arange(len(solids), dtype=np.int32), [len(solid.faces) for solid in solids]),
    )


def walking_layers(document: Document, rooms: Rooms, name: str, scale: float, to_frame: ToFrame) -> list[Layer]:
    """States and transitions as a network."""
    network, key_of = Network(), {}
    cell_of = {f.id: (f, c) for f, c in zip(rooms.features, rooms.cells, strict=True)}
    homeless = []
    for state in document.states:
        feature, cell = cell_of.get(state.dual, (None, None))
        point = _state_point(state, cell, scale)
        if point is None:
            homeless.append(state.id)
            continue
        key_of[state.id] = network.add(_node(state, feature, cell, point))
    loose = [t.id for t in document.transitions if not _add_transition(network, key_of, t, scale)]
    network.issues += _network_issues(homeless, loose, network)
    return network_layers(network, name, to_frame)


def _node(state: Feature, feature: Feature | None, cell: Cell | None, point: Floats) -> Node:
    kind = PLACE_OF_CELL.get(feature.kind, "room") if feature is not None else "landing"
    said = state.notes.get("node", "")
    title = state.name or (cell.label if cell is not None else feature.name if feature is not None else "") or state.id
    width = float(state.notes["width"]) if _is_number(state.notes.get("width", "")) else np.nan
    room = cell.id if cell is not None else feature.id if feature is not None else state.notes.get("room", "")
    storey = storey_of(feature) if feature is not None else storey_of(state)
    x, y, z = (float(v) for v in point)
    return Node(
        state.notes.get("id") or state.id, title, said if said in PLACES else kind, (x, y, z), room, storey, width
    )


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _state_point(state: Feature, cell: Cell | None, scale: float) -> Floats | None:
    if len(state.points):
        return np.asarray(state.points[0] * scale)
    if cell is None or cell.floor.is_empty:
        return None
    from geo.indoor.cells import standing_point

    return np.array([*standing_point(cell.floor), cell.low])


def _add_transition(network: Network, key_of: dict[str, str], transition: Feature, scale: float) -> bool:
    ends = [key_of[state] for state in transition.connects if state in key_of]
    if len(ends) != 2:
        return False
    start, end = (network.nodes[key] for key in ends)
    line = transition.points * scale
    if len(line) < 2:
        line = np.array([start.point, end.point])
    if np.linalg.norm(line[0] - start.point) > np.linalg.norm(line[-1] - start.point):
        line = line[::-1]
    said = transition.notes.get("way", "")
    words = f"{start.name} {end.name} {transition.name}".lower()
    rises = abs(float(line[-1, 2] - line[0, 2])) > STEEP
    guess = ("lift" if any(w in words for w in LIFT_WORDS) else "stair") if rises else "walk"
    width = float(transition.notes["width"]) if _is_number(transition.notes.get("width", "")) else np.nan
    known = said in WAYS
    room = transition.notes.get("room", "")
    network.edges.append(Edge(ends[0], ends[1], said if known else guess, line, room, width, not known and rises))
    return True


def _network_issues(homeless: list[str], loose: list[str], network: Network) -> list[Issue]:
    issues = []
    if homeless:
        issues.append(
            Issue(
                "indoorgml.states_without_place",
                f"{len(homeless)} states have neither a point nor a cell with a body; they were left out.",
                severity="error",
                count=len(homeless),
                elements=tuple(homeless[:200]),
            )
        )
    if loose:
        issues.append(
            Issue(
                "indoorgml.loose_transitions",
                f"{len(loose)} transitions do not join two states of the file; they were left out.",
                severity="error",
                count=len(loose),
                elements=tuple(loose[:200]),
            )
        )
    assumed = sum(edge.derived for edge in network.edges)
    if assumed:
        issues.append(
            Issue(
                "indoorgml.stairs_assumed",
                f"{assumed} transitions lead to another height; they were taken for stairs, or lifts by their name.",
                severity="doubt",
                count=assumed,
            )
        )
    if network.nodes and not any(node.node == "exit" for node in network.nodes.values()):
        issues.append(
            Issue(
                "indoorgml.no_exits",
                "The file does not say which states are exits; studies of ways out find none.",
                severity="doubt",
                values={"column": NODE},
            )
        )
    return issues


def interlayer_layer(document: Document, name: str, scale: float, to_frame: ToFrame) -> Layer | None:
    """What joins states of different space layers, as lines; None without any."""
    where = {state.id: state.points[0] * scale for state in document.states if len(state.points)}
    kept = []
    for joint in document.interlayer:
        ends = [where[state] for state in joint.connects if state in where]
        if len(ends) == 2:
            kept.append((joint, ends))
    if not kept:
        return None
    points = to_frame(np.array([end for _, ends in kept for end in ends]))
    count = len(kept)
    table = ElementTable(
        [joint.id for joint, _ in kept],
        {"topology": text_column([joint.notes.get("topology", "") for joint, _ in kept])},
    )
    return Layer(
        "interlayer", f"{name}: joints of layers", "other",
        Lines(points, 2 * np.arange(count + 1, dtype=np.int32), np.arange(count, dtype=np.int32)), table,
        style=Style(visible=False), stratum="indoor", source=Source(part="interlayer"),
    )  # fmt: skip
