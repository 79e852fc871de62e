"""Trees of an alternative: planted by clicks, removed by Delete, kept in projects, and in the way of sun and wind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from analysis.registry import get
from analysis.run import choose_inputs, execute
from app.alternatives import add_alternative, change_of, plant_tree, remove_trees, switch_alternative
from app.commands import AddLayers
from app.document import Document
from app.project_file import VERSION, load, save
from geo.alternatives import TREES, Tree, tree_layer
from geo.model import Column, ElementRef, ElementTable, Instances, Layer
from geo.trees import CONIFER, plant
from tests.app import tiny_city
from tests.app.test_mass_tool import pixel, still  # noqa: F401  fixture
from tests.app.window_hands import settle

OAK = Tree("tree-1", (0.0, -20.0, 21.6), 12.0, 8.0)
OLD = ElementRef("avenue", "T2")


def avenue() -> Layer:
    """Three trees of the base scene."""
    foot = np.array([(-10.0, 20.0, 22.0), (0.0, 20.0, 22.0), (10.0, 20.0, 22.0)])
    table = ElementTable(["T1", "T2", "T3"], {"height": Column(np.full(3, 6.0), "m")})
    return Layer("avenue", "Avenue", "tree", plant(foot, [6.0] * 3), table)


@pytest.fixture
def document() -> Document:
    made = Document(tiny_city.frame())
    made.do(AddLayers((tiny_city.terrain(), tiny_city.buildings(), avenue())))
    return made


def count(document: Document, layer_id: str) -> int:
    shapes = document.scene[layer_id].geometry
    assert isinstance(shapes, Instances)
    return len(shapes.shape)


def test_planted_and_removed_are_steps_of_the_alternative(document: Document) -> None:
    document.do(plant_tree(document, OAK, name="A"))
    document.do(remove_trees(document, [OLD], name="A"))
    assert (count(document, TREES), count(document, "avenue")) == (1, 2)
    assert change_of(document, OLD).removed
    document.do(add_alternative(document, "B", copy_of=document.alternatives.active))
    assert (count(document, TREES), count(document, "avenue")) == (1, 2)  # a copy has the trees too
    document.do(remove_trees(document, [ElementRef(TREES, "tree-1")], name="A"))
    assert TREES not in document.scene
    document.do(switch_alternative(document, ""))
    assert count(document, "avenue") == 3
    for _ in range(5):
        document.history.undo()
    assert document.alternatives.items == ()
    assert TREES not in document.scene


def test_the_layer_is_of_trees_like_any_other() -> None:
    layer = tree_layer([OAK, Tree("tree-2", (5.0, 5.0, 20.0), 10.0, 3.0, CONIFER)])
    shapes = layer.geometry
    assert isinstance(shapes, Instances)
    assert layer.theme == "tree"
    for number, (height, crown) in enumerate(((12.0, 8.0), (10.0, 3.0))):
        corners = shapes.shapes[shapes.shape[number]].vertices @ shapes.transform[number, :, :3].T
        corners = corners + shapes.transform[number, :, 3]
        assert np.ptp(corners[:, 2]) == pytest.approx(height)
        middle = shapes.transform[number, :2, 3]
        wide = 2 * np.hypot(*(corners[:, :2] - middle).T).max()
        assert wide == pytest.approx(crown) if number == 0 else 0.7 * crown < wide <= crown  # a conifer is pointed
    for height, crown, shape in ((0.0, 3.0, 0), (float("nan"), 3.0, 0), (5.0, 100.0, 0), (5.0, 3.0, 7)):
        with pytest.raises(ValueError):
            Tree("t", (0.0, 0.0, 0.0), height, crown, shape)


def test_a_project_keeps_trees_and_one_of_before_has_none(document: Document, tmp_path: Path) -> None:
    document.do(plant_tree(document, OAK, name="A"))
    path = tmp_path / "city.twin"
    save(document, path)
    assert load(path).alternatives[0].trees == (OAK,)
    manifest = json.loads(path.read_text())
    assert manifest["version"] == VERSION
    manifest["version"] = 3
    del manifest["alternatives"][0]["trees"]
    path.write_text(json.dumps(manifest))
    assert load(path).alternatives[0].trees == ()


def test_sun_and_wind_are_given_the_planted_trees(document: Document) -> None:
    from analysis.contract import describe_inputs

    document.do(plant_tree(document, OAK, name="A"))
    layers = tuple(document.scene)
    for study in ("sunlight.hours", "wind.field"):
        _, used = choose_inputs(get(study), layers, tiny_city.frame())
        assert TREES in {layer.id for _, layer in used}, [spec.name for spec in describe_inputs(get(study).inputs)]


def test_a_planted_tree_takes_sun_from_the_ground(document: Document) -> None:
    def hours() -> float:
        done = execute(
            get("sunlight.hours"),
            layers=tuple(layer for layer in document.scene if layer.id not in ("houses", "avenue")),
            frame=tiny_city.frame(),
            params={"facades": False, "margin": 200.0, "trees_block": True},
        )
        ground = next(layer for layer in done.layers if layer.kind in ("grid", "terrain"))
        return float(np.nansum(np.asarray(ground.geometry.values)))

    before = hours()
    document.do(plant_tree(document, Tree("tree-1", (0.0, 0.0, 21.9), 40.0, 30.0), name="A"))
    assert hours() < before - 1.0


def test_a_person_plants_two_and_deletes_one(still: Any, qtbot: Any) -> None:  # noqa: F811
    window = still
    window.actions_["view_top"].trigger()
    settle(window, qtbot)
    from app.massing_trees import TreeDialog

    window.actions_["tree_plant"].trigger()
    (asked,) = window.findChildren(TreeDialog)
    asked.height_edit.set_value(10.0)
    asked._follow()
    assert asked.sapling.crown == pytest.approx(8.0)  # broad: 0.4 of the height each way
    asked.accept()
    for x, y in ((-5.0, -10.0), (8.0, 5.0)):
        QTest.mouseClick(window.viewport, Qt.MouseButton.LeftButton, pos=pixel(window, (x, y, 21.8)))
    QTest.keyClick(window.viewport, Qt.Key.Key_Escape)
    trees = window.document.alternatives.items[0].trees
    assert [tree.id for tree in trees] == ["tree-1", "tree-2"]
    assert trees[0].foot[2] == pytest.approx(20.0 + (trees[0].foot[1] + 97.5) * 0.02, abs=0.02)  # on the ground
    settle(window, qtbot)
    window.document.selection.set([ElementRef(TREES, "tree-1")])
    assert window.actions_["tree_remove"].isEnabled()
    window.actions_["tree_remove"].trigger()
    assert [tree.id for tree in window.document.alternatives.items[0].trees] == ["tree-2"]
    window.actions_["undo"].trigger()
    assert len(window.document.alternatives.items[0].trees) == 2
    window.document.selection.set([ElementRef("houses", "B1")])
    assert not window.actions_["tree_remove"].isEnabled()
