"""Rooms, doors, stairs and lifts of an IFC model as a walking network.

Doors are found twice, by the space boundaries of the file and by their place; what the geometry alone says is marked
``derived``. Rooms that run into one another are joined, flights and lifts join the storeys, and a door with nothing
beyond it leads to an exit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bim.attributes import by_type
from bim.elements import Storeys
from bim.georeference import Georeference
from bim.indoor_bodies import bodies_of
from bim.indoor_climbs import climbs_of
from bim.indoor_doors import DoorReport, door_passages
from bim.indoor_open import open_passages
from bim.indoor_rooms import area_issues, room_columns, space_cells
from bim.tessellation import Tessellation
from geo.model import Column, Feedback, Frame, Issue, Layer

if TYPE_CHECKING:
    import ifcopenshell

    from geo.indoor.cells import Cell
    from geo.indoor.network import Network, Passage


@dataclass(frozen=True, eq=False)
class Indoors:
    """What was found inside a building, in model metres.

    Attributes
    ----------
    cells, spaces : rooms and their entities, in the same order
    network : Network
    doors : DoorReport
    issues : tuple of Issue
        About the rooms; the network has its own.
    """

    cells: list[Cell]
    spaces: list[object]
    network: Network
    doors: DoorReport
    issues: tuple[Issue, ...]


def find_indoors(
    file: ifcopenshell.file, shapes: Tessellation | None, storeys: Storeys, feedback: Feedback
) -> Indoors | None:
    """Rooms and network of a model, None without rooms.

    Parameters
    ----------
    shapes : Tessellation or None
        Bodies made already; what is missing in it (openings, or everything) is made here.
    """
    from geo.indoor.cells import CellFinder
    from geo.indoor.network import build_network

    spaces = by_type(file, "IfcSpace")
    if not spaces:
        return None
    bodies = bodies_of(file, shapes, [space.id() for space in spaces], feedback.part(0.0, 0.3))
    steps, cells, entities = space_cells(file, bodies, storeys)
    if not cells:
        return None
    finder = CellFinder(cells)
    number_of = {step: number for number, step in enumerate(steps)}
    doors = door_passages(file, shapes, finder, number_of, storeys=storeys, feedback=feedback.part(0.3, 0.6))
    open_sides = open_passages(file, finder, number_of)
    climbs, climb_issues = climbs_of(file, shapes, finder, doors, feedback.part(0.6, 0.8))
    lift_doors = {door for climb in climbs for door in climb.doors if door}
    passages = [_without_exit(p) if p.id in lift_doors else p for p in doors.passages]
    network = build_network(cells, [*passages, *open_sides], climbs, feedback.part(0.8, 1.0))
    network.issues += [*doors.issues(), *climb_issues]
    return Indoors(cells, list(entities), network, doors, tuple(area_issues(file, cells, entities)))


def _without_exit(passage: Passage) -> Passage:
    """A landing door: behind it is the lift, not the street."""
    import dataclasses

    return dataclasses.replace(passage, sides=tuple(side for side in passage.sides if side.cell >= 0))


def indoor_layers(
    file: ifcopenshell.file,
    shapes: Tessellation | None,
    placed: Georeference,
    frame: Frame,
    *,
    storeys: Storeys,
    name: str,
    layers: list[Layer],
    feedback: Feedback,
) -> list[Layer]:
    """The layers of a model with its walking network: parts ``network_nodes`` and ``network_edges`` at the end.

    The layer ``spaces``, where there is one, gains the columns of rooms: name, number, use, height, floor area.
    """
    from shapely.errors import ShapelyError

    from geo.indoor.cells import standing_points
    from geo.indoor.layers import network_layers

    if not layers:
        return layers
    try:
        found = find_indoors(file, shapes, storeys, feedback)
    except (ShapelyError, RuntimeError, ValueError) as error:
        return [layers[0].with_(issues=(*layers[0].issues, _failed(error))), *layers[1:]]
    if found is None:
        return layers
    middles = standing_points(np.array([cell.floor for cell in found.cells], dtype=object))
    low = np.column_stack([middles, [cell.low for cell in found.cells]])
    heights = placed.to_frame(low, frame)[:, 2]
    columns = room_columns(found.cells, found.spaces, heights.tolist())
    ids = [cell.id for cell in found.cells]
    layers = [_with_rooms(layer, ids, columns, found.issues) if layer.id == "spaces" else layer for layer in layers]
    return layers + network_layers(found.network, name, lambda points: placed.to_frame(points, frame))


def _failed(error: Exception) -> Issue:
    """A damaged building keeps its picture."""
    return Issue(
        "indoor.network_failed",
        f"The walking network could not be made: {str(error)[:160]}",
        severity="error",
        values={"reason": str(error)[:160]},
    )


def _with_rooms(layer: Layer, ids: list[str], columns: dict[str, Column], issues: tuple[Issue, ...]) -> Layer:
    """The layer of rooms with more columns; rooms that are not in the network keep what they had."""
    row_of = {room: row for row, room in enumerate(ids)}
    rows = np.array([row_of.get(str(room), -1) for room in layer.table.ids])
    table = layer.table
    for name, column in columns.items():
        old = table.columns.get(name)
        values = np.empty(len(rows), dtype=column.values.dtype)
        for k, row in enumerate(rows.tolist()):
            missing = np.nan if column.is_number else None
            values[k] = column.values[row] if row >= 0 else (old.values[k] if old is not None else missing)
        table = table.with_columns({name: Column(values, column.unit, column.title)})
    return layer.with_(table=table, issues=layer.issues + issues)
