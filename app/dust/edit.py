"""Headless. Purifiers as the user sets them up: rows of a layer of purifiers, and the steps that change them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
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
    OUTLET_TOWARDS,
    PURIFIER_MODEL,
    PURIFIER_NAME,
    PURIFIER_STATE,
    PURIFIER_STATES,
    RUNS_SINCE,
)

LAYER = "purifiers"
EDITED = "purifier.edited_here"
TEXTS = {
    PURIFIER_NAME: "name",
    PURIFIER_MODEL: "model",
    PURIFIER_STATE: "state",
    RUNS_SINCE: "since",
}  # column -> attribute


@dataclass(frozen=True)
class PurifierRow:
    """One purifier as its layer says it.

    Attributes
    ----------
    id, name : str
    model : str
        Id in the catalogue.
    place : (3,) [local m]
        Of its foot.
    towards : float [deg]
        Where the clean air leaves, clockwise from grid north.
    state : one of `PURIFIER_STATES`
    since : str
        ``"yyyy-mm-dd"`` an existing one began to run, empty unknown.
    """

    id: str
    name: str
    model: str
    place: Place
    towards: float = 0.0
    state: str = "planned"
    since: str = ""

    @property
    def is_on(self) -> bool:
        """Whether it counts."""
        return self.state != "off"


def is_purifiers(layer: Layer | None) -> bool:
    """Whether a layer is one of purifiers that may be changed or were proposed."""
    return layer is not None and layer.theme == "purifier" and isinstance(layer.geometry, Points)


def is_proposal(layer: Layer) -> bool:
    """Whether a layer is what a study has proposed: it is looked at, and taken over as a whole."""
    return (
        isinstance(layer.geometry, Points) and PURIFIER_MODEL in layer.table.columns and bool(layer.source.provenance)
    )


def _has_purifiers(layer: Layer | None) -> bool:
    return layer is not None and (is_purifiers(layer) or is_proposal(layer))


def purifier_layers(scene: Scene) -> list[Layer]:
    """The user's own layers of purifiers."""
    return [layer for layer in scene if is_purifiers(layer) and not is_proposal(layer)]


def purifier_refs(document: Document) -> list[ElementRef]:
    """The selected purifiers."""
    scene = document.scene
    chosen = document.selection.elements_where(lambda layer_id: _has_purifiers(scene.get(layer_id)))
    return [ref for ref in chosen if row_of(scene, ref) is not None]


def row_of(scene: Scene, ref: ElementRef) -> PurifierRow | None:
    """A purifier as the scene has it, or None."""
    layer = scene.get(ref.layer_id)
    if layer is None or not _has_purifiers(layer) or ref.element_id not in layer.table.index:
        return None
    return purifier_row(layer, layer.table.index[ref.element_id])


def purifier_rows(layer: Layer) -> list[PurifierRow]:
    """Every purifier of a layer that has a place."""
    return [row for k in range(len(layer.table)) if (row := purifier_row(layer, k)) is not None]


def purifier_row(layer: Layer, row: int) -> PurifierRow | None:
    """One row of a layer; what it does not say is as the class has it."""
    vertex = vertex_of(layer, row)
    if vertex < 0 or not isinstance(layer.geometry, Points):
        return None
    x, y, z = layer.geometry.vertices[vertex].tolist()
    element = str(layer.table.ids[row])
    said: dict[str, str] = {}
    for column_name, attribute in TEXTS.items():
        column = layer.table.columns.get(column_name)
        value = column.values[row] if column is not None else None
        if value is not None and str(value):
            said[attribute] = str(value)
    if said.get("state") not in PURIFIER_STATES:
        said["state"] = "existing"
    turned = layer.table.columns.get(OUTLET_TOWARDS)
    towards = number_of(turned.values[row]) if turned is not None else None
    plain = PurifierRow(element, element, "", (x, y, z), towards=towards or 0.0)
    return dataclasses.replace(plain, **said)  # type: ignore[arg-type]


def layer_of(rows: Sequence[PurifierRow], *, layer_id: str, name: str) -> Layer:
    """A new layer of purifiers."""
    points = np.array([row.place for row in rows], dtype=np.float64).reshape(-1, 3)
    shape = Points(points, np.arange(len(rows), dtype=np.int32))
    return Layer(layer_id, name, "purifier", shape, ElementTable([row.id for row in rows], _columns(rows)))


def _columns(rows: Sequence[PurifierRow]) -> dict[str, Column]:
    texts = {
        column: Column(np.array([getattr(row, attribute) for row in rows], dtype=object))
        for column, attribute in TEXTS.items()
    }
    return {**texts, OUTLET_TOWARDS: Column(np.array([row.towards for row in rows], dtype=np.float64), "deg")}


def with_purifier(layer: Layer, row: PurifierRow) -> Layer:
    """A layer in which a purifier is as `row` says: changed where it is there, added where it is not."""
    return with_element(layer, row.id, row.place, one=_columns([row]), issue_code=EDITED)


# ---- steps that can be undone


def place_purifier(document: Document, row: PurifierRow, *, layer_name: str) -> tuple[Command, ElementRef]:
    """The step that sets a purifier, and how it is called then.

    It comes into the layer that is selected, else into the first of the user's own, else into a new one.
    """
    own = purifier_layers(document.scene)
    chosen = set(document.selection.by_layer)
    layer = next((layer for layer in own if layer.id in chosen), own[0] if own else None)
    if layer is None:
        layer_id = document.scene.free_id(LAYER)
        first = dataclasses.replace(row, id="purifier-1")
        command: Command = AddLayers((layer_of([first], layer_id=layer_id, name=layer_name),), title="place_purifier")
        return command, ElementRef(layer_id, first.id)
    named = dataclasses.replace(row, id=free_element_id(layer, "purifier"))
    return ChangeElement(with_purifier(layer, named), title="place_purifier"), ElementRef(layer.id, named.id)


def change_purifier(
    document: Document, ref: ElementRef, row: PurifierRow, *, drag: str = "", title: str = "change_purifier"
) -> Command:
    """The step after which a purifier is as `row` says; steps with the same `drag` become one."""
    layer = document.scene[ref.layer_id]
    return ChangeElement(with_purifier(layer, dataclasses.replace(row, id=ref.element_id)), drag, title)


def remove_purifiers(document: Document, refs: Sequence[ElementRef]) -> Command:
    """The step that takes purifiers of one layer away; a layer without any goes too."""
    layer = document.scene[refs[0].layer_id]
    ids = [ref.element_id for ref in refs if ref.layer_id == layer.id]
    if set(ids) >= set(layer.table.ids):
        return RemoveLayers((layer.id,), title="remove_purifier")
    return ReplaceLayer(without_elements(layer, ids, issue_code=EDITED), "data", "remove_purifier")


def taken_over(layer: Layer, layer_id: str, name: str) -> Layer:
    """A proposal as a layer of the user's own: its places, models and directions, planned from now on."""
    rows = [dataclasses.replace(row, state="planned") for row in purifier_rows(layer)]
    return layer_of(rows, layer_id=layer_id, name=name)
