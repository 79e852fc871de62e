from __future__ import annotations

import dataclasses

import pytest

from app.commands import AddLayers, RemoveLayers, SetStyle
from app.document import Document
from geo.model import ElementRef, ElementTable, Frame, Layer
from tests.tiny import buildings, terrain, tiny_frame


def filled() -> Document:
    document = Document()
    document.do(AddLayers((terrain(), buildings()), frame=tiny_frame()))
    return document


def test_import_and_undo_leave_nothing_behind() -> None:
    document = filled()
    assert isinstance(document.scene.frame, Frame)
    document.history.undo()
    assert len(document.scene) == 0
    assert document.scene.frame is None
    document.history.redo()
    assert [layer.id for layer in document.scene] == ["terrain", "buildings"]


def test_a_table_may_come_before_the_first_map() -> None:
    document = Document()
    table = Layer("schedule", "Schedule", "other", None, ElementTable(["a"], {}))
    document.do(AddLayers((table,)))
    document.do(AddLayers((terrain(),), frame=tiny_frame()))
    assert document.scene.frame == tiny_frame()
    document.history.undo()
    assert document.scene.frame is None
    document.history.redo()
    assert [layer.id for layer in document.scene] == ["schedule", "terrain"]


def test_a_command_that_fails_changes_nothing() -> None:
    document = filled()
    state = document.history.state
    with pytest.raises(ValueError, match="already"):
        document.do(AddLayers((buildings().with_(id="new"), buildings())))
    assert [layer.id for layer in document.scene] == ["terrain", "buildings"]
    assert document.history.state == state


def test_removing_forgets_the_selection_and_undo_restores_the_place() -> None:
    document = filled()
    document.selection.set([ElementRef("terrain"), ElementRef("buildings", "b0")])
    document.do(RemoveLayers(("terrain",)))
    assert document.selection.items == (ElementRef("buildings", "b0"),)
    document.history.undo()
    assert [layer.id for layer in document.scene] == ["terrain", "buildings"]


def test_a_dragged_opacity_is_one_step() -> None:
    document = filled()
    style = document.scene["buildings"].style
    for opacity in (0.9, 0.7, 0.4):
        document.do(SetStyle("buildings", dataclasses.replace(style, opacity=opacity)))
    document.history.undo()
    assert document.scene["buildings"].style == style
    document.history.redo()
    assert document.scene["buildings"].style.opacity == 0.4


def test_hiding_after_a_drag_is_its_own_step() -> None:
    document = filled()
    style = document.scene["buildings"].style
    document.do(SetStyle("buildings", dataclasses.replace(style, opacity=0.5)))
    document.do(SetStyle("buildings", dataclasses.replace(style, opacity=0.5, visible=False)))
    document.history.undo()
    assert document.scene["buildings"].style.visible
    assert document.scene["buildings"].style.opacity == 0.5
