"""Furniture of the large sample buildings: beds, sofas and kitchens at walls without openings, desks and shelves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.sample.floor_plan import Area, FloorPlan, Segment
from app.sample.ifc_compact import CompactModel
from app.sample.storeys import Storey

if TYPE_CHECKING:
    from app.sample.ifc_model import Entity

# use -> (name, width along the wall, depth, height [m], colour)
AT_WALLS = {
    "침실": ("침대", 1.5, 2.0, 0.5, "furniture"), "거실": ("소파", 2.2, 0.9, 0.45, "sofa"),
    "주방": ("주방 가구", 2.0, 0.62, 0.9, "white_ware"),
}  # fmt: skip
# use -> (name, width, depth, height, distance along x, along y [m], colour)
IN_ROWS = {
    "사무실": ("업무 책상", 1.6, 0.8, 0.73, 2.6, 2.4, "furniture"),
    "회의실": ("회의 탁자", 3.2, 1.4, 0.73, 4.4, 3.0, "furniture"),
    "상점": ("진열대", 2.4, 0.7, 1.4, 3.6, 2.4, "wood"),
    "휴게실": ("탁자", 1.0, 1.0, 0.73, 2.6, 2.6, "furniture"),
}
MARGIN = 1.6  # [m] free along the walls of rooms with rows
Box = tuple[float, float, float, float]  # west, south, east, north


def furnish(model: CompactModel, storey: Storey, plan: FloorPlan, columns: Sequence[Box] = ()) -> None:
    """Furniture in every room of a plan whose use asks for it, clear of the columns."""
    walls = plan.walls()
    for area in plan.areas:
        clear = plan.clear(area, walls)
        if area.use in AT_WALLS:
            _at_wall(model, storey, plan, area, clear, columns)
        elif area.use in IN_ROWS:
            _rows(model, storey, area, clear, columns)


def _at_wall(
    model: CompactModel, storey: Storey, plan: FloorPlan, area: Area, clear: Segment, columns: Sequence[Box]
) -> None:
    name, width, depth, height, colour = AT_WALLS[area.use]
    west, south, east, north = clear
    x, y = (west + east) / 2, (south + north) / 2
    places = {
        "west": (west, y - width / 2, west + depth, y + width / 2),
        "east": (east - depth, y - width / 2, east, y + width / 2),
        "south": (x - width / 2, south, x + width / 2, south + depth),
        "north": (x - width / 2, north - depth, x + width / 2, north),
    }
    for side, box in places.items():
        if _plain(plan, area, side) and _inside(box, clear) and not _hits(box, columns):
            _place(model, storey, f"{area.name} {name}", name, box, height, colour)
            return


def _plain(plan: FloorPlan, area: Area, side: str) -> bool:
    """Whether a side of a room has neither door nor window nor opening."""
    upright = side in ("west", "east")
    line = getattr(area, side)
    low, high = (area.south, area.north) if upright else (area.west, area.east)
    holes = [(hole.x, hole.y) if upright else (hole.y, hole.x) for hole in plan.holes]
    gaps = [s if upright else (s[1], s[0], s[3], s[2]) for s in (*plan.open, *plan.glazed)]
    return not any(abs(at - line) < 1e-3 and low < along < high for at, along in holes) and not any(
        abs(at - line) < 1e-3 and at == at_end and min(high, end) - max(low, start) > 0.3
        for at, start, at_end, end in gaps
    )


def _rows(model: CompactModel, storey: Storey, area: Area, clear: Segment, columns: Sequence[Box]) -> None:
    name, width, depth, height, along, across, colour = IN_ROWS[area.use]
    west, south, east, north = clear
    count_x = int((east - west - 2 * MARGIN - width) / along + 1e-9) + 1
    count_y = int((north - south - 2 * MARGIN - depth) / across + 1e-9) + 1
    # The rows stand in the middle of the room.
    x0 = (west + east - (count_x - 1) * along - width) / 2
    y0 = (south + north - (count_y - 1) * across - depth) / 2
    for row in range(count_y):
        for place in range(count_x):
            x, y = x0 + place * along, y0 + row * across
            box = (x, y, x + width, y + depth)
            if _inside(box, clear) and not _hits(box, columns):
                _place(model, storey, f"{area.name} {name}", name, box, height, colour)


def _inside(box: Box, clear: Segment) -> bool:
    low = box[0] >= clear[0] - 1e-6 and box[1] >= clear[1] - 1e-6
    return low and box[2] <= clear[2] + 1e-6 and box[3] <= clear[3] + 1e-6


def _hits(box: Box, columns: Sequence[Box]) -> bool:
    return any(box[0] < c[2] and c[0] < box[2] and box[1] < c[3] and c[1] < box[3] for c in columns)


def _place(
    model: CompactModel, storey: Storey, name: str, title: str, box: Box, height: float, colour: str
) -> None:  # fmt: skip
    width, depth = round(box[2] - box[0], 3), round(box[3] - box[1], 3)
    key = ("furniture", title, width, depth)

    def make() -> Entity:
        if height < 0.7 or height > 0.8:
            return model.shape([(model.block(0, 0, 0, width, depth, height), colour)])
        corners = [(x, y) for x in (0.05, width - 0.1) for y in (0.05, depth - 0.1)]
        items = [(model.block(x, y, 0, 0.05, 0.05, height - 0.03), "steel") for x, y in corners]
        return model.shape([*items, (model.block(0, 0, height - 0.03, width, depth, 0.03), colour)])

    body = model.kind(key, "IfcFurnitureType", f"{title} {width:.1f} x {depth:.1f}", make, AssemblyPlace="NOTDEFINED")
    item = model.product("IfcFurniture", name, storey.entity, body, at=(box[0], box[1], 0.0), material="목재")
    model.typed(item, key)
