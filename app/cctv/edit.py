"""Headless. Cameras as the user sets them up: rows of a camera layer, and the steps that change them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from app.commands import AddLayers, Command, RemoveLayers, ReplaceLayer
from app.document import Document
from app.element_edit import (
    ChangeElement,
    Place,
    free_element_id,
    number_of,
    vertex_of,
    with_element,
    without_elements,
)
from geo.model import Column, ElementRef, ElementTable, Layer, Points, Scene
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

LAYER = "cameras"
EDITED = "camera.edited_here"
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
    scene = document.scene
    chosen = document.selection.elements_where(lambda layer_id: is_cameras(scene.get(layer_id)))
    return [ref for ref in chosen if row_of(scene, ref) is not None]


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
    vertex = vertex_of(layer, row)
    if vertex < 0 or not isinstance(layer.geometry, Points):
        return None
    x, y, z = layer.geometry.vertices[vertex].tolist()
    camera_id = str(layer.table.ids[row])
    said = CameraRow(camera_id, camera_id, "", (x, y, z), state="existing")
    return dataclasses.replace(said, **_said(layer.table, row))


def _said(table: ElementTable, row: int) -> dict[str, float | str]:
    """The attributes of `CameraRow` that a row gives."""
    names = {CAMERA_NAME: "name", CAMERA_MODEL: "model", CAMERA_STATE: "state"}
    said: dict[str, float | str] = {}
    for column_name in (*NUMBERS, *TEXTS):
        column = table.columns.get(column_name)
        value = column.values[row] if column is not None else None
        if column_name in NUMBERS:
            number = number_of(value)
            if number is not None:
                said[column_name] = number
        elif value is not None and str(value):
            said[names.get(column_name, column_name)] = str(value)
    if said.get("state") not in CAMERA_STATES:
        said.pop("state", None)
    if said.get("mount") not in MOUNTS:
        said.pop("mount", None)
    return said


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
    """A layer in which a camera is as `row` says: changed where it is there, added where it is not."""
    return with_element(layer, row.id, row.place, one=_columns([row]), issue_code=EDITED)


def without_cameras(layer: Layer, ids: Iterable[str]) -> Layer:
    """A layer without some of its cameras."""
    return without_elements(layer, ids, issue_code=EDITED)


# ---- steps that can be undone


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
    return ChangeElement(with_camera(layer, named), title="place_camera"), ElementRef(layer.id, named.id)


def _target(document: Document) -> Layer | None:
    """The layer that a new camera comes into."""
    own = [layer for layer in camera_layers(document.scene) if not is_result(layer)]
    chosen = set(document.selection.by_layer)
    return next((layer for layer in own if layer.id in chosen), own[0] if own else None)


def free_camera_id(layer: Layer) -> str:
    """An id that no camera of the layer has."""
    return free_element_id(layer, "camera")


def change_camera(
    document: Document, ref: ElementRef, row: CameraRow, *, drag: str = "", title: str = "change_camera"
) -> Command:
    """The step after which a camera is as `row` says; steps with the same `drag` become one."""
    layer = document.scene[ref.layer_id]
    return ChangeElement(with_camera(layer, dataclasses.replace(row, id=ref.element_id)), drag, title)


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
