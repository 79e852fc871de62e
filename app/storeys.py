"""Headless. The storeys of the buildings in a scene, and their rooms: from the tables of models and of rooms.

The elevation that a file states is above its own zero. Where storeys stand in the scene is read from their walls and
rooms: the offset between both is one number for a building, and the median finds it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from app.look import Section, StoreyCut
from geo.model import Bounds, ElementRef, Instances, Layer, Mesh, UserError
from geo.model.conventions import AREA, ELEVATION, ROOM_NAME, ROOM_NUMBER, ROOM_USE, STOREY, WAY

Floats = NDArray[np.float64]

STANDING = ("IfcWall", "IfcColumn", "IfcDoor", "IfcSpace")  # classes that stand on the floor of their storey
LIVED_IN = ("IfcDoor", "IfcSpace")  # what a storey has that a person can be in
ROOF_WORDS = ("roof", "지붕", "옥상")
SAME_FLOOR = 0.3  # metres within which two storeys are one
FLOOR_PLAY = 0.6  # metres by which an element may begin below the floor of its storey
ROOM_GAP = 1.0  # metres between the floors of rooms from which they are different storeys
TOP_STOREY = 3.0  # metres of height assumed for the last storey, for the picture only
BELOW_GROUND = -1.0  # metres of elevation under which a storey is a basement
SPREAD = 0.5  # metres of disagreement beyond which stated elevations are not believed
NUMBER = re.compile(
    r"^\s*(?:(B|지하|basement)\s*(\d+)\s*(?:층|F)?|(?:level|floor|storey)?\s*(\d+)\s*(?:층|F|st|nd|rd|th)?)\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Storey:
    """One storey of a building.

    Attributes
    ----------
    name : str
        As the file says.
    label : str
        Short: B2, B1, 1, 2, RF.
    floor, top : float [local m]
        Height of its floor and of the next one.
    elevation : float [m]
        As the file states it; NaN where it does not.
    """

    name: str
    label: str
    floor: float
    top: float
    elevation: float = math.nan

    @property
    def height(self) -> float:
        """From floor to floor [m]."""
        return self.top - self.floor


@dataclass(frozen=True)
class Building:
    """A building that can be opened.

    Attributes
    ----------
    name : str
    layer_ids : frozenset of str
    storeys : tuple of Storey
        From below.
    bounds : Bounds [local m]
    """

    name: str
    layer_ids: frozenset[str]
    storeys: tuple[Storey, ...]
    bounds: Bounds

    def is_over(self, x: float, y: float) -> bool:
        """Whether a place on the map lies in the box around the building."""
        low, high = self.bounds.low, self.bounds.high
        return bool(low[0] <= x <= high[0] and low[1] <= y <= high[1])


@dataclass(frozen=True)
class Room:
    """A room for a label: its element, what it is called, its floor area [m2] (NaN unknown), a place inside it."""

    ref: ElementRef
    name: str
    number: str
    use: str
    area: float
    centre: tuple[float, float, float]


@dataclass(frozen=True)
class _Level:
    """What one layer knows of one storey."""

    name: str
    elevation: float
    low: float
    standing: int
    lived_in: bool


def buildings_of(layers: Iterable[Layer]) -> tuple[Building, ...]:
    """The buildings with storeys among the layers of a scene; layers of one file are one building."""
    groups: dict[str, list[Layer]] = {}
    for layer in layers:
        if isinstance(layer.geometry, Mesh | Instances) and layer.geometry.bounds is not None:
            groups.setdefault(layer.source.path or layer.id, []).append(layer)
    found = []
    for key, members in groups.items():
        known = [layer for layer in members if layer.theme in ("bim", "space")]
        storeys = _storeys([level for layer in known for level in _levels(layer)])
        box = Bounds.union([layer.geometry.bounds for layer in known if layer.geometry and layer.geometry.bounds])
        if not storeys or box is None:
            continue
        own = known + [layer for layer in members if layer.theme in ("building", "furniture") and _inside(layer, box)]
        name = _building_name(key, known)
        found.append(Building(name, frozenset(layer.id for layer in own), storeys, box))
    return tuple(found)


def _building_name(key: str, layers: Sequence[Layer]) -> str:
    """What the user calls the model, else the name of its file."""
    stem = PurePath(key).stem if layers[0].source.path else layers[0].name
    own = next((layer.name for layer in layers if layer.theme == "bim"), layers[0].name)
    return stem if stem in own else own


def rooms_of(layers: Iterable[Layer], building: Building, storey: Storey) -> tuple[Room, ...]:
    """The rooms whose floor lies in a storey."""
    rooms = []
    for layer in layers:
        if layer.id not in building.layer_ids or layer.theme != "space":
            continue
        box = element_boxes(layer)
        middle = (box[:, 2] + np.minimum(box[:, 5], box[:, 2] + 2.0)) / 2
        inside = np.flatnonzero((middle >= storey.floor) & (middle < storey.top) & np.isfinite(box[:, 0]))
        rooms += [_room(layer, int(row), box[row], storey.floor) for row in inside if row < len(layer.table)]
    return tuple(rooms)


def storey_section(layers: Iterable[Layer], name: str, height: float) -> Section:
    """The section that opens the first building with a storey of a label or name; `height` of the cut [m]."""
    buildings = buildings_of(layers)
    wanted = name.strip().casefold()
    for building in buildings:
        for storey in building.storeys:
            if wanted in (storey.label.casefold(), storey.name.casefold()) and height > 0.0:
                return Section(storey=StoreyCut(building.layer_ids, storey.floor, height))
    known = "; ".join(f"{b.name}: {', '.join(s.label for s in b.storeys)}" for b in buildings) or "none"
    raise UserError(
        f"No storey {name} can be cut {height:g} m above its floor.",
        f"Known storeys: {known}. The cut must be above the floor.",
        "Choose one of these.",
        code="view.no_storey",
        values={"storey": name, "height": f"{height:g}", "known": known},
    )


def storey_name(layer: Layer, element_id: str) -> str:
    """The storey that an element is said to be on, or an empty text."""
    row = layer.table.index.get(element_id)
    return _text(layer, STOREY, row) if row is not None else ""


def is_outside(layer: Layer, element_id: str) -> bool:
    """Whether an element is in no building: of outdoor layers, and the steps of a way along roads."""
    row = layer.table.index.get(element_id)
    way = _text(layer, WAY, row) if row is not None else ""
    return way == "outside" if way else layer.stratum != "indoor"


def element_boxes(layer: Layer) -> Floats:
    """(elements, 6) low and high corner of each element [local m]; NaN without a shape."""
    geometry = layer.geometry
    mesh = geometry.baked() if isinstance(geometry, Instances) else geometry
    if not isinstance(mesh, Mesh) or len(mesh.faces) == 0:
        return np.zeros((0, 6))
    count = max(len(layer.table), int(mesh.face_element.max()) + 1)
    order = np.argsort(mesh.face_element, kind="stable")
    element = mesh.face_element[order]
    first = np.flatnonzero(np.diff(element, prepend=-1))
    corners = mesh.vertices[mesh.faces[order]]
    boxes = np.full((count, 6), np.nan)
    boxes[element[first], :3] = np.minimum.reduceat(corners.min(axis=1), first, axis=0)
    boxes[element[first], 3:] = np.maximum.reduceat(corners.max(axis=1), first, axis=0)
    return boxes


def _inside(layer: Layer, box: Bounds) -> bool:
    bounds = layer.geometry.bounds if layer.geometry is not None else None
    if bounds is None:
        return False
    return bounds.size[0] * bounds.size[1] <= 2.0 * box.size[0] * box.size[1]


def _room(layer: Layer, row: int, box: Floats, floor: float) -> Room:
    number, name = _text(layer, ROOM_NUMBER, row), _text(layer, ROOM_NAME, row)
    long_name = _text(layer, "long_name", row)
    if long_name and long_name != name:  # IFC keeps the number of a room in its name
        name, number = long_name, number or name
    area = layer.table.columns.get(AREA)
    size = float(area.values[row]) if area is not None else math.nan
    ref, use = ElementRef(layer.id, str(layer.table.ids[row])), _text(layer, ROOM_USE, row)
    centre = (float(box[0] + box[3]) / 2, float(box[1] + box[4]) / 2, floor)
    return Room(ref, name, number, use, size, centre)


def _text(layer: Layer, column: str, row: int) -> str:
    found = layer.table.columns.get(column)
    value = found.values[row] if found is not None else None
    return "" if value is None else str(value)


def _levels(layer: Layer) -> list[_Level]:
    """The storeys that a layer's table names, else those that its rooms make."""
    boxes = element_boxes(layer)[: len(layer.table)]
    low = boxes[:, 2] if len(boxes) == len(layer.table) else np.full(len(layer.table), np.nan)
    column = layer.table.columns.get(STOREY)
    if column is None:
        return _levels_of_rooms(low) if layer.theme == "space" else []
    names = np.array(["" if value is None else str(value) for value in column.values], dtype=object)
    if layer.theme == "space" and not (names != "").any():
        return _levels_of_rooms(low)
    stated = layer.table.columns.get(ELEVATION)
    elevation = stated.values.astype(np.float64) if stated is not None else np.full(len(names), np.nan)
    classes = layer.table.columns.get("class")
    kinds = list(classes.values) if classes is not None else [""] * len(names)
    kinds = ["IfcSpace"] * len(names) if layer.theme == "space" else kinds
    standing = np.array([str(kind).startswith(STANDING) for kind in kinds], dtype=np.bool_) & np.isfinite(low)
    lived_in = np.array([str(kind).startswith(LIVED_IN) for kind in kinds], dtype=np.bool_)
    levels = []
    for name in dict.fromkeys(names[names != ""]):
        mine = names == name
        heights = low[mine & standing]
        known = elevation[mine & np.isfinite(elevation)]
        levels.append(
            _Level(
                str(name),
                float(np.median(known)) if len(known) else math.nan,
                float(np.median(heights)) if len(heights) else math.nan,
                len(heights),
                bool((mine & lived_in).any()),
            )
        )
    return levels


def _levels_of_rooms(low: Floats) -> list[_Level]:
    """Rooms without a storey, sorted by the height of their floors."""
    heights = np.sort(low[np.isfinite(low)])
    if len(heights) == 0:
        return []
    groups = np.split(heights, np.flatnonzero(np.diff(heights) > ROOM_GAP) + 1)
    return [_Level("", math.nan, float(np.median(group)), len(group), True) for group in groups]


def _storeys(levels: Sequence[_Level]) -> tuple[Storey, ...]:
    """Levels of all layers of a building, merged, sorted and labelled."""
    offset = _offset(levels)
    merged: dict[str, list[_Level]] = {}
    for level in levels:
        merged.setdefault(level.name or f"#{level.low:.1f}", []).append(level)
    rows: list[tuple[float, str, float, bool]] = []
    for name, mine in merged.items():
        floor = _floor(mine, offset)
        if math.isfinite(floor):
            elevation = next((level.elevation for level in mine if math.isfinite(level.elevation)), math.nan)
            rows.append((floor, "" if name.startswith("#") else name, elevation, any(m.lived_in for m in mine)))
    rows = _distinct(sorted(rows, key=lambda row: row[0]))
    while len(rows) > 1 and any(row[3] for row in rows) and not rows[0][3]:
        rows = rows[1:]  # foundations
    labels = _labels(rows)
    tops = [row[0] for row in rows[1:]] + [rows[-1][0] + TOP_STOREY] if rows else []
    return tuple(
        Storey(name or label, label, floor, top, elevation)
        for (floor, name, elevation, _), label, top in zip(rows, labels, tops, strict=True)
    )


def _offset(levels: Sequence[_Level]) -> float:
    """Height of the file's zero in the scene [local m]; NaN where elevations and shapes do not agree."""
    known = [v for level in levels if math.isfinite(v := level.low - level.elevation) for _ in range(level.standing)]
    if not known:
        return math.nan
    middle = float(np.median(known))
    return middle if float(np.median(np.abs(np.array(known) - middle))) <= SPREAD else math.nan


def _floor(levels: Sequence[_Level], offset: float) -> float:
    stated = next((level.elevation for level in levels if math.isfinite(level.elevation)), math.nan)
    if math.isfinite(stated + offset):
        return stated + offset
    lows = [level.low for level in levels for _ in range(level.standing) if math.isfinite(level.low)]
    return float(np.median(lows)) if lows else math.nan


def _distinct(rows: list[tuple[float, str, float, bool]]) -> list[tuple[float, str, float, bool]]:
    """Of storeys at the same height the one that people are in."""
    kept: list[tuple[float, str, float, bool]] = []
    for row in rows:
        if kept and row[0] - kept[-1][0] < SAME_FLOOR:
            if row[3] and not kept[-1][3]:
                kept[-1] = row
        else:
            kept.append(row)
    return kept


def _labels(rows: Sequence[tuple[float, str, float, bool]]) -> list[str]:
    """B2, B1, 1, 2 ... RF: the file's own numbers where all storeys have one, else counted from the ground."""
    own = [_own_label(row[1]) for row in rows]
    lived_in = [row[3] for row in rows]
    if rows and all(own[:-1]) and len(set(own)) == len(own) and (own[-1] or not lived_in[-1]):
        return [label or "RF" for label in own]
    ground = next((n for n, row in enumerate(rows) if not row[2] < BELOW_GROUND), 0)
    labels = []
    for number, row in enumerate(rows):
        last = number == len(rows) - 1 and number > 0
        roof = last and (_is_roof(row[1]) or (not row[3] and lived_in[number - 1]))
        above = str(number - ground + 1) if number >= ground else f"B{ground - number}"
        labels.append("RF" if roof else above)
    return labels


def _is_roof(name: str) -> bool:
    return any(word in name.lower() for word in ROOF_WORDS)


def _own_label(name: str) -> str:
    found = NUMBER.match(name)
    if found is None:
        return "RF" if name.strip().upper() in ("RF", "R") else ""
    return f"B{int(found[2])}" if found[1] else str(int(found[3]))


def storey_at(
    buildings: Sequence[Building], box: Bounds, *, layer_id: str = "", name: str = ""
) -> tuple[int, int] | None:
    """Number of the building and of the storey that a box lies in: that of its floor, in a building around its middle.

    Parameters
    ----------
    layer_id : str
        The building that this layer belongs to comes first.
    name : str
        The storey that the element is said to be on, where it is known.
    """
    x, y, z = box.centre
    holding = [n for n, building in enumerate(buildings) if layer_id in building.layer_ids]
    around = [n for n, b in enumerate(buildings) if b.is_over(x, y)]
    for number in holding or around:
        storeys = buildings[number].storeys
        named = [k for k, storey in enumerate(storeys) if name and name in (storey.name, storey.label)]
        foot = min(box.low[2] + FLOOR_PLAY, z + SAME_FLOOR)
        below = [k for k, storey in enumerate(storeys) if storey.floor <= foot]
        return number, (named or below[-1:] or [0])[0]
    return None
