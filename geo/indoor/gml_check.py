"""Faults of indoor models, numbered as val3dity numbers them.

H. Ledoux: val3dity: validation of 3D GIS primitives according to the international standards. Open Geospatial Data,
Software and Standards 3, 2018, doi:10.1186/s40965-018-0043-x. Cells are compared as upright bodies over their floors.
"""

from __future__ import annotations

import numpy as np
import shapely

from geo.formats.indoorgml_xml import Document
from geo.indoor.cells import Cell
from geo.indoor.gml_rooms import Rooms
from geo.model import Issue

OVERLAP_SHARE = 0.005  # of the smaller floor: less is drawing accuracy
OVERLAP_HEIGHT = 0.02  # of the smaller height
OUTSIDE = 0.05  # [m] a state this far outside its cell still counts as inside
ISSUE_ELEMENTS = 200


def check_document(document: Document, rooms: Rooms, scale: float) -> list[Issue]:
    """Overlapping cells (701), states outside their cells (702), wrong links between the two (703)."""
    return [*_overlaps(rooms), *_outside(document, rooms, scale), *_links(document)]


def _overlaps(rooms: Rooms) -> list[Issue]:
    cells = [cell for cell in rooms.cells if cell is not None and not cell.floor.is_empty]
    if not cells:
        return []
    tree = shapely.STRtree([cell.floor for cell in cells])
    first, second = tree.query([cell.floor for cell in cells], predicate="intersects")
    pairs = [(cells[i], cells[j]) for i, j in zip(first.tolist(), second.tolist(), strict=True) if i < j]
    bad = [(a, b) for a, b in pairs if _overlap(a, b)]
    if not bad:
        return []
    a, b = bad[0]
    return [
        Issue(
            "indoorgml.cells_overlap",
            f"{len(bad)} pairs of cells overlap (error 701), the first are {a.id} and {b.id}.",
            severity="error",
            count=len(bad),
            elements=tuple(dict.fromkeys(cell.id for pair in bad for cell in pair))[:ISSUE_ELEMENTS],
            values={"count": len(bad), "first": a.id, "second": b.id},
        )
    ]


def _overlap(a: Cell, b: Cell) -> bool:
    height = min(a.high, b.high) - max(a.low, b.low)
    if height <= OVERLAP_HEIGHT * min(a.high - a.low, b.high - b.low):
        return False
    common = shapely.intersection(a.floor, b.floor).area
    return bool(common > OVERLAP_SHARE * min(a.floor.area, b.floor.area))


def _outside(document: Document, rooms: Rooms, scale: float) -> list[Issue]:
    cell_of = {feature.id: cell for feature, cell in zip(rooms.features, rooms.cells, strict=True)}
    bad = []
    for state in document.states:
        cell = cell_of.get(state.dual)
        if cell is None or len(state.points) == 0:
            continue
        x, y, z = (float(v) for v in state.points[0] * scale)
        reach = OUTSIDE * max(1.0, np.sqrt(cell.floor.area) / 10.0)
        inside = cell.floor.distance(shapely.Point(x, y)) <= reach
        if not inside or not cell.low - reach <= z <= cell.high + reach:
            bad.append(state.id)
    if not bad:
        return []
    return [
        Issue(
            "indoorgml.state_outside",
            f"{len(bad)} states lie outside the cell they stand for (error 702), the first is {bad[0]}.",
            severity="error",
            count=len(bad),
            elements=tuple(bad[:ISSUE_ELEMENTS]),
            values={"count": len(bad), "first": bad[0]},
        )
    ]


def _links(document: Document) -> list[Issue]:
    states, cells = {s.id: s for s in document.states}, {c.id: c for c in document.cells}
    bad = [c.id for c in document.cells if c.dual and (c.dual not in states or states[c.dual].dual not in ("", c.id))]
    bad += [s.id for s in document.states if s.dual and (s.dual not in cells or cells[s.dual].dual not in ("", s.id))]
    if not bad:
        return []
    return [
        Issue(
            "indoorgml.dual_links",
            f"{len(bad)} cells and states name each other wrongly (error 703), the first is {bad[0]}.",
            severity="error",
            count=len(bad),
            elements=tuple(bad[:ISSUE_ELEMENTS]),
            values={"count": len(bad), "first": bad[0]},
        )
    ]
