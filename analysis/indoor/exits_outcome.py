"""The result of the study of exits: coloured rooms, doors too narrow, tables, key figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Quantity, Table
from analysis.indoor.costs import too_narrow
from analysis.indoor.exits import WaysOut
from analysis.indoor.network import Walks
from analysis.indoor.rules import Rules
from geo.model import Column, ElementTable, Field, Issue, Layer, Mesh, Points, Style
from geo.model.geometry import Geometry

Floats = NDArray[np.float64]
STATES = ("way out", "far", "no way out")
MARK_OVER_FLOOR = 1.0  # [m]

ASSUMPTIONS = (
    "Distances are measured from the middle of each room along the ways of the network; nobody hinders anybody.",
    "Every door that leads out of the building is an exit unless it lies high above the lowest one.",
    "Widths of doors are those the model states.",
)


def _texts(values: Sequence[str]) -> Column:
    column = np.empty(len(values), dtype=object)
    column[:] = list(values)
    return Column(column)


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def room_columns(walks: Walks, found: WaysOut, limit: float) -> dict[str, Column]:
    """One row per room."""
    rooms = found.room.tolist()
    far = np.isfinite(found.length) & ~(found.to_stair <= limit)
    state = np.where(~np.isfinite(found.length), 2, np.where(far, 1, 0))
    return {
        "name": _texts([walks.name[k] for k in rooms]),
        "storey": _texts([walks.storey[k] for k in rooms]),
        "state": _texts([STATES[s] for s in state.tolist()]),
        "exit": _texts([walks.name[k] if k >= 0 else "" for k in found.exit.tolist()]),
        "distance": Column(_finite(found.length), "m"),
        "seconds": Column(_finite(found.seconds), "s"),
        "to_stair": Column(_finite(found.to_stair), "m"),
        "wheelchair": Column(np.isfinite(found.wheelchair)),
        "wheelchair_distance": Column(_finite(found.wheelchair), "m"),
    }


def room_layer(walks: Walks, found: WaysOut, columns: dict[str, Column], rooms: Sequence[Layer]) -> Layer:
    """The rooms coloured by distance: their bodies where the layers are there, else points."""
    ids = [walks.id[k] for k in found.room.tolist()]
    row_of = {name: row for row, name in enumerate(ids)}
    geometry: Geometry
    geometry, row, on = _bodies(row_of, rooms)
    if not len(row):
        points = walks.points[found.room] + [0.0, 0.0, MARK_OVER_FLOOR]
        geometry, row, on = Points(points, np.arange(len(ids), dtype=np.int32)), np.arange(len(ids)), "element"
    state = np.array([STATES.index(str(s)) for s in columns["state"].values.tolist()], dtype=np.int8)
    wheels = np.where(np.isfinite(found.wheelchair), 0, 1).astype(np.int8)
    fields = (
        Field("distance", "m", on, _finite(found.length)[row], ramp="exposure"),  # type: ignore[arg-type]
        Field("seconds", "s", on, _finite(found.seconds)[row], ramp="exposure"),  # type: ignore[arg-type]
        Field("state", "1", on, state[row], categories=STATES),  # type: ignore[arg-type]
        Field("wheelchair", "1", on, wheels[row], categories=("reached", "not reached")),  # type: ignore[arg-type]
    )
    style = Style(colour_by="distance", opacity=0.75)
    return Layer(
        "rooms", "Rooms by distance to an exit", "result", geometry, ElementTable(ids, columns), fields, style=style,
        stratum="indoor",
    )  # fmt: skip


def _bodies(row_of: dict[str, int], layers: Sequence[Layer]) -> tuple[Mesh, NDArray[np.int64], str]:
    """Faces of the rooms of the network from all layers, and the row of each face."""
    vertices, faces, rows, start = [np.zeros((0, 3))], [np.zeros((0, 3), np.int32)], [np.zeros(0, np.int64)], 0
    for layer in layers:
        mesh = layer.geometry
        if not isinstance(mesh, Mesh):
            continue
        row = np.array([row_of.get(str(name), -1) for name in layer.table.ids], dtype=np.int64)
        own = row[mesh.face_element] if len(row) else np.zeros(0, np.int64)
        keep = own >= 0
        if not keep.any():
            continue
        used, number = np.unique(mesh.faces[keep], return_inverse=True)
        vertices.append(mesh.vertices[used])
        faces.append((number.reshape(-1, 3) + start).astype(np.int32))
        rows.append(own[keep])
        start += len(used)
    row = np.concatenate(rows)
    return Mesh(np.concatenate(vertices), np.concatenate(faces), row.astype(np.int32)), row, "face"


def narrow_doors(walks: Walks, rules: Rules, deduct: float) -> tuple[Layer | None, Table]:
    """Doors that a wheelchair cannot pass: a layer of points (None without any), and a table."""
    least = rules.profiles["wheelchair"].door_width
    is_door = np.array([node == "door" for node in walks.node], dtype=bool)
    doors = np.flatnonzero(too_narrow(walks, least, deduct) & is_door)
    clear = np.array([walks.width[k] - deduct for k in doors.tolist()])
    columns = {
        "name": _texts([walks.name[k] for k in doors.tolist()]),
        "storey": _texts([walks.storey[k] for k in doors.tolist()]),
        "width": Column(clear, "m"),
    }
    names = [walks.id[k] for k in doors.tolist()]
    table = Table("narrow_doors", "Doors too narrow for a wheelchair", {"door": _texts(names), **columns})
    if len(doors) == 0:
        return None, table
    points = Points(walks.points[doors] + [0.0, 0.0, MARK_OVER_FLOOR], np.arange(len(doors), dtype=np.int32))
    field = Field("width", "m", "element", clear)
    layer = Layer(
        "narrow", "Doors too narrow", "result", points, ElementTable(names, columns), (field,),
        style=Style(colour_by="width"), stratum="indoor",
    )  # fmt: skip
    return layer, table


def exit_table(walks: Walks, found: WaysOut) -> Table:
    """How many rooms each exit serves, and how far the farthest of them is."""
    exits = walks.of_kind("exit")
    served = [found.exit == exit for exit in exits.tolist()]
    longest = [float(found.length[own].max()) if own.any() else np.nan for own in served]
    return Table(
        "exits",
        "Exits",
        {
            "exit": _texts([walks.name[k] for k in exits.tolist()]),
            "storey": _texts([walks.storey[k] for k in exits.tolist()]),
            "width": Column(np.array([walks.width[k] for k in exits.tolist()], dtype=np.float64), "m"),
            "rooms": Column(np.array([int(own.sum()) for own in served], dtype=np.int64)),
            "longest": Column(np.array(longest, dtype=np.float64), "m"),
        },
    )


def exits_summary(walks: Walks, found: WaysOut, narrow: int, limit: float) -> dict[str, Quantity]:
    """Key figures."""
    reached = np.isfinite(found.length)
    far = reached & ~(found.to_stair <= limit)
    figures = {
        "rooms": Quantity(len(found.room), "1"),
        "exits": Quantity(len(walks.of_kind("exit")), "1"),
        "without_way": Quantity(int((~reached).sum()), "1"),
        "not_by_wheelchair": Quantity(int((~np.isfinite(found.wheelchair)).sum()), "1"),
        "narrow_doors": Quantity(narrow, "1"),
        "too_far": Quantity(int(far.sum()), "1"),
    }
    if reached.any():
        figures["longest"] = Quantity(round(float(found.length[reached].max()), 2), "m")
        figures["slowest"] = Quantity(round(float(found.seconds[reached].max()), 1), "s")
    return figures


def exits_issues(walks: Walks, found: WaysOut, limit: float) -> list[Issue]:
    """Rooms without a way out, and rooms beyond the limit."""
    ids = np.array([walks.id[k] for k in found.room.tolist()], dtype=object)
    lost = ids[~np.isfinite(found.length)]
    far = ids[np.isfinite(found.length) & ~(found.to_stair <= limit)]
    issues = []
    if len(lost):
        issues.append(
            Issue(
                "indoor.no_way_out",
                f"{len(lost)} of {len(ids)} rooms have no way to an exit.",
                severity="doubt",
                count=len(lost),
                elements=tuple(lost[:200].tolist()),
                values={"count": len(lost), "rooms": len(ids)},
            )
        )
    if len(far):
        issues.append(
            Issue(
                "indoor.too_far",
                f"{len(far)} rooms are farther than {limit:g} m from a stair or an exit.",
                severity="doubt",
                count=len(far),
                elements=tuple(far[:200].tolist()),
                values={"count": len(far), "limit": f"{limit:g}"},
            )
        )
    return issues
