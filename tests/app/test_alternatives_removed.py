"""Layers that an alternative has changed or made are taken out; what came before and after is undone and redone."""

from __future__ import annotations

import pytest

from app.alternatives import BASE, add_alternative, change_elements, set_mass, switch_alternative
from app.alternatives_made import take_out
from app.commands import AddLayers, RemoveLayers
from app.document import Document
from geo.alternatives import MASSES, Change, Mass
from geo.model import ElementRef
from tests.app.document_state import difference, state_of
from tests.tiny import buildings, terrain, tiny_frame

TOWER = ElementRef("buildings", "b0")
BLOCK = Mass("m1", ((60.0, 0.0), (80.0, 0.0), (80.0, 12.0), (60.0, 12.0)), 20.0, 5, 3.0)


@pytest.mark.parametrize("taken", [(MASSES,), ("buildings",), (MASSES, "buildings")])
@pytest.mark.parametrize("then", ["copy", "base"])
def test_a_layer_of_the_alternative_on_show_is_taken_out_and_comes_back(taken: tuple[str, ...], then: str) -> None:
    document = Document(tiny_frame())
    document.do(AddLayers((terrain(), buildings())))
    document.do(set_mass(document, BLOCK, name="One"))
    document.do(change_elements(document, {TOWER: Change(move=(5.0, 0.0, 0.0))}, name="One"))
    start = state_of(document)
    document.do(RemoveLayers(taken))
    shown = document.alternatives.active
    if then == "copy":
        document.do(add_alternative(document, "Two", copy_of=shown))
    document.do(switch_alternative(document, BASE))
    end = state_of(document)
    while document.history.undo_title != "remove_layers":
        document.history.undo()
    document.history.undo()
    assert not difference(start, state_of(document))
    while document.history.redo_title:
        document.history.redo()
    assert not difference(end, state_of(document))
    while document.history.undo_title:
        document.history.undo()
    assert len(document.scene) == 0


def test_a_layer_that_an_alternative_makes_goes_with_what_it_is_made_of() -> None:
    document = Document(tiny_frame())
    document.do(AddLayers((terrain(), buildings())))
    document.do(set_mass(document, BLOCK, name="One"))
    start, shown = state_of(document), document.alternatives.active
    document.do(take_out(document, (MASSES, "buildings")))
    assert {layer.id for layer in document.scene} == {"terrain"}
    assert document.alternatives.get(shown).masses == ()
    document.do(switch_alternative(document, BASE))
    document.do(switch_alternative(document, shown))
    assert MASSES not in document.scene  # it does not come back by itself
    while document.history.undo_title != "remove_layers":
        document.history.undo()
    document.history.undo()
    assert not difference(start, state_of(document))
