"""Headless. Cameras as the user sets them up: rows of a camera layer, and the steps that change them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.commands import AddLayers, Command, RemoveLayers, ReplaceLayer
from app.document import Document
from geo.model import Column, ElementRef, ElementTable, Issue, Layer, Points, Scene, Source
from geo.model.conventions import (
    CAMERA_MODEL,
    CAMERA_NAME,
    CAMERA_STATE,
    CAMERA_STATES,
    FOCAL,
    MOUNT,
    MOUNTS,
    PAN,
    PRESETS,
    ROLL,
    TILT,
)

Floats = NDArray[np.float64]
Place = tuple[float, float, float]

LAYER = "cameras"
LOWEST_TILT, HIGHEST_TILT = -90.0, 90.0  # [deg] downward is positive
USUAL_TILT = 15.0  # [deg] of a camera that was just set
NUMBERS = {PAN: "deg", TILT: "deg", ROLL: "deg", FOCAL: "mm"}
TEXTS = (CAMERA_NAME, CAMERA_MODEL, MOUNT, CAMERA_STATE, PRESETS)


@dataclass(frozen=True)
class CameraRow:
    """One camera as its layer says it.

    Attributes
    ----------
    id, name : str
    model : str
        Id in the catalogue.
    place : (3,) [local m]
        Of the lens.
    pan, tilt, roll : float [deg]
        Pan clockwise from grid north, tilt positive downward, roll clockwise as the camera looks.
    focal : float [mm]
    mount : one of `MOUNTS`
    state : one of `CAMERA_STATES`
    presets : str
        ``"pan,tilt,focal;..."`` of a camera that turns, else empty.
    """

    id: str
    name: str
    model: str
    place: Place
    pan: float = 0.0
    tilt: float = USUAL_TILT
    roll: float = 0.0
    focal: float = 4.0
    mount: str = "pole"
    state: str = "planned"
    presets: str = ""

    @property
    def is_on(self) -> bool:
        """Whether it counts."""
        return self.state != "off"


def is_cameras(layer: Layer | None) -> bool:
    """Whether a layer is one of cameras."""
    return layer is not None and layer.theme == "camera" and isinstance(layer.geometry, Points)


def is_result(layer: Layer) -> bool:
    """Whether a layer is what an analysis has proposed: it is looked at, and taken over as a whole."""
    return bool(layer.source.provenance)


def camera_layers(scene: Scene) -> list[Layer]:
    """All layers of cameras, those that the user may change first."""
    return sorted((layer for layer in scene if is_cameras(layer)), key=is_result)


def camera_refs(document: Document) -> list[ElementRef]:
    """The selected cameras."""
    chosen = [ref for ref in document.selection.items if ref.element_id]
    return [ref for ref in chosen if row_of(document.scene, ref) is not None]


def row_of(scene: Scene, ref: ElementRef) -> CameraRow | None:
    """A camera as the scene has it, or None."""
    layer = scene.get(ref.layer_id)
    if layer is None or not is_cameras(layer) or ref.element_id not in layer.table.index:
        return None
    return camera_row(layer, layer.table.index[ref.element_id])


def camera_rows(layer: Layer) -> list[CameraRow]:
    """Every camera of a layer that has a place."""
    return [row for k in range(len(layer.table)) if (row := camera_row(layer, k)) is not None]


def camera_row(layer: Layer, row: int) -> CameraRow | None:
    """One row of a layer; what it does not say is as the class has it."""
    vertex = _vertex(layer, row)
    if vertex < 0 or not isinstance(layer.geometry, Points):
        return None
    x, y, z = layer.geometry.vertices[vertex].tolist()
    camera_id = str(layer.table.ids[row])
    said = CameraRow(camera_id, camera_id, "", (x, y, z), state="existing")
    return dataclasses.replace(said, **_said(layer.table, row))


def _vertex(layer: Layer, row: int) -> int:
    """Which point a row is, -1 without one."""
    if not isinstance(layer.geometry, Points):
        return -1
    found = np.flatnonzero(layer.geometry.element == row)
    return int(found[0]) if len(found) else -1


def _said(table: ElementTable, row: int) -> dict[str, float | str]:
    """The attributes of `CameraRow` that a row gives."""
    names = {CAMERA_NAME: "name", CAMERA_MODEL: "model", CAMERA_STATE: "state"}
    said: dict[str, float | str] = {}
    for column_name in (*NUMBERS, *TEXTS):
        column = table.columns.get(column_name)
        value = column.values[row] if column is not None else None
        if column_name in NUMBERS:
            number = _number(value)
            if number is not None:
                said[column_name] = number
        elif value is not None and str(value):
            said[names.get(column_name, column_name)] = str(value)
    if said.get("state") not in CAMERA_STATES:
        said.pop("state", None)
    if said.get("mount") not in MOUNTS:
        said.pop("mount", None)
    return said


def _number(value: object) -> float | None:
    try:
        number = float(str(value)) if value is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


# ---- layers made of rows


def layer_of(rows: Sequence[CameraRow], *, layer_id: str, name: str) -> Layer:
    """A new layer of cameras."""
    points = np.array([row.place for row in rows], dtype=np.float64).reshape(-1, 3)
    shape = Points(points, np.arange(len(rows), dtype=np.int32))
    table = ElementTable([row.id for row in rows], _columns(rows))
    return Layer(layer_id, name, "camera", shape, table)


def _columns(rows: Sequence[CameraRow]) -> dict[str, Column]:
    numbers = {
        PAN: [row.pan for row in rows],
        TILT: [row.tilt for row in rows],
        ROLL: [row.roll for row in rows],
        FOCAL: [row.focal for row in rows],
    }
    texts = {
        CAMERA_NAME: [row.name for row in rows],
        CAMERA_MODEL: [row.model for row in rows],
        MOUNT: [row.mount for row in rows],
        CAMERA_STATE: [row.state for row in rows],
        PRESETS: [row.presets for row in rows],
    }
    made = {name: Column(np.array(values, dtype=np.float64), NUMBERS[name]) for name, values in numbers.items()}
    return {**{name: Column(np.array(values, dtype=object)) for name, values in texts.items()}, **made}


def with_camera(layer: Layer, row: CameraRow) -> Layer:
    """A layer in which a camera is as `row` says: changed where it is there, added where it is not.

    Columns that are none of a camera's own are kept; of a camera that is added they are empty.
    """
    if not isinstance(layer.geometry, Points):
        raise TypeError("cameras are points")
    points, element, table = layer.geometry.vertices, layer.geometry.element, layer.table
    number = table.index.get(row.id)
    if number is None:
        number = len(table)
        table = ElementTable([*table.ids, row.id], {n: _longer(c) for n, c in table.columns.items()})
        points, element = np.vstack([points, row.place]), np.append(element, np.int32(number))
    else:
        vertex = _vertex(layer, number)
        points = points.copy()
        points[vertex] = row.place
    one = _columns([row])
    columns = {name: _with_value(table.columns.get(name), number, new, len(table)) for name, new in one.items()}
    fields = layer.fields if len(table) == len(layer.table) else ()  # they have no value for one that is new
    return _own(layer).with_(geometry=Points(points, element), table=table.with_columns(columns), fields=fields)


def without_cameras(layer: Layer, ids: Iterable[str]) -> Layer:
    """A layer without some of its cameras."""
    if not isinstance(layer.geometry, Points):
        raise TypeError("cameras are points")
    away = set(ids)
    keep = np.array([camera not in away for camera in layer.table.ids], dtype=bool)
    number = np.cumsum(keep) - 1
    points = keep[layer.geometry.element]
    shape = Points(layer.geometry.vertices[points], number[layer.geometry.element[points]].astype(np.int32))
    columns = {n: Column(c.values[keep], c.unit, c.title) for n, c in layer.table.columns.items()}
    return _own(layer).with_(geometry=shape, table=ElementTable(layer.table.ids[keep], columns), fields=())


def _own(layer: Layer) -> Layer:
    """A layer that belongs to the project from now on: what its file says is another thing."""
    if not layer.source.path:
        return layer
    issue = Issue(
        "camera.edited_here",
        f"Cameras were changed here; {layer.source.path} is as it was.",
        values={"path": layer.source.path},
    )
    return layer.with_(source=Source(), issues=(*layer.issues, issue))


def _longer(column: Column) -> Column:
    """A column with one row more, empty."""
    values = column.values
    if values.dtype.kind == "f":
        return Column(np.append(values, np.nan), column.unit, column.title)
    if values.dtype.kind == "O":
        return Column(np.append(values, np.array([None], dtype=object)), column.unit, column.title)
    return Column(np.append(values, values.dtype.type(0)), column.unit, column.title)


def _with_value(column: Column | None, row: int, one: Column, count: int) -> Column:
    """A column of a camera with the one value of a row in it."""
    if column is not None and column.values.dtype.kind == one.values.dtype.kind:
        values = column.values.copy()
    elif one.values.dtype.kind == "f":
        given = column.values if column is not None else np.full(count, np.nan)
        values = np.array([math.nan if (v := _number(value)) is None else v for value in given])
    else:
        values = np.full(count, None, dtype=object)
    values[row] = one.values[0]
    return Column(values, one.unit, column.title if column is not None else "")


# ---- steps that can be undone


@dataclass
class ChangeCamera:
    """One camera is otherwise than before. Changes of one drag are one step."""

    layer: Layer
    drag: str = ""
    title: str = "change_camera"
    _before: Layer | None = None

    def do(self, document: Document) -> None:
        """Swap in the changed layer."""
        before = document.scene.replace(self.layer, "data")
        self._before = self._before or before

    def undo(self, document: Document) -> None:
        """Swap back the layer before."""
        if self._before is not None:
            document.scene.replace(self._before, "data")

    def merge(self, later: Command) -> Command | None:
        """A later step of the same drag makes one step with this."""
        same = isinstance(later, ChangeCamera) and bool(self.drag) and later.drag == self.drag
        if not same or not isinstance(later, ChangeCamera):
            return None
        return ChangeCamera(later.layer, self.drag, self.title, self._before)


def place_camera(document: Document, row: CameraRow, *, layer_name: str) -> tuple[Command, ElementRef]:
    """The step that sets a camera, and how it is called then.

    It comes into the layer that is selected, else into the first layer of cameras, else into a new one.
    """
    layer = _target(document)
    if layer is None:
        layer_id = document.scene.free_id(LAYER)
        first = dataclasses.replace(row, id="camera-1")
        command: Command = AddLayers((layer_of([first], layer_id=layer_id, name=layer_name),), title="place_camera")
        return command, ElementRef(layer_id, first.id)
    named = dataclasses.replace(row, id=free_camera_id(layer))
    return ChangeCamera(with_camera(layer, named), title="place_camera"), ElementRef(layer.id, named.id)


def _target(document: Document) -> Layer | None:
    """The layer that a new camera comes into."""
    own = [layer for layer in camera_layers(document.scene) if not is_result(layer)]
    chosen = {ref.layer_id for ref in document.selection.items}
    return next((layer for layer in own if layer.id in chosen), own[0] if own else None)


def free_camera_id(layer: Layer) -> str:
    """An id that no camera of the layer has."""
    number = len(layer.table) + 1
    while f"camera-{number}" in layer.table.index:
        number += 1
    return f"camera-{number}"


def change_camera(
    document: Document, ref: ElementRef, row: CameraRow, *, drag: str = "", title: str = "change_camera"
) -> Command:
    """The step after which a camera is as `row` says; steps with the same `drag` become one."""
    layer = document.scene[ref.layer_id]
    return ChangeCamera(with_camera(layer, dataclasses.replace(row, id=ref.element_id)), drag, title)


def remove_cameras(document: Document, refs: Sequence[ElementRef]) -> Command:
    """The step that takes cameras of one layer away; a layer without any goes too."""
    layer = document.scene[refs[0].layer_id]
    ids = [ref.element_id for ref in refs if ref.layer_id == layer.id]
    if set(ids) >= set(layer.table.ids):
        return RemoveLayers((layer.id,), title="remove_camera")
    return ReplaceLayer(without_cameras(layer, ids), "data", "remove_camera")


def limited_tilt(tilt: float) -> float:
    """A tilt within what a camera can do."""
    return min(max(tilt, LOWEST_TILT), HIGHEST_TILT)


def turned(pan: float) -> float:
    """A pan within 0 ... 360 degrees."""
    return pan % 360.0
