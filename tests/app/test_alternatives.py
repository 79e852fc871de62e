"""Alternatives: switching is exact, nothing is copied, undo goes all the way, the project keeps them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from analysis.registry import get
from analysis.run import execute
from app.alternatives import (
    BASE,
    add_alternative,
    base_layers,
    change_elements,
    change_of,
    layers_of,
    remove_alternative,
    rename_alternative,
    set_mass,
    switch_alternative,
)
from app.commands import AddLayers, SetStyle
from app.document import Document
from app.importer import ImportOptions, import_files
from app.project_file import load, open_document, save
from app.shown_runs import runs_of, scenes_of_runs
from geo.alternatives import MASSES, Alternative, Change, Mass, apply_alternative, changed_points
from geo.model import ElementRef, Layer, Mesh, UserError
from geo.model.digest import layer_digest
from tests.tiny import box_mesh, buildings, terrain, tiny_frame

TOWER = ElementRef("buildings", "b0")
MOVED = Change(move=(5.0, -2.0, 1.0), turn_deg=90.0, height_factor=2.0)
BLOCK = Mass("m1", ((60.0, 0.0), (80.0, 0.0), (80.0, 12.0), (60.0, 12.0)), 20.0, 5, 3.0, "별동")


@pytest.fixture
def document() -> Document:
    made = Document(tiny_frame())
    made.do(AddLayers((terrain(), buildings())))
    return made


def corners(layer: Layer, row: int) -> np.ndarray:
    mesh = layer.geometry
    assert isinstance(mesh, Mesh)
    return mesh.vertices[np.unique(mesh.faces[mesh.face_element == row])]


def digests(document: Document) -> list[str]:
    return [layer_digest(layer) for layer in document.scene]


def test_a_box_turned_moved_and_raised_by_hand() -> None:
    mesh, _ = box_mesh([(0.0, 0.0, 10.0, 20.0, 10.0, 6.0)])
    moved = changed_points(mesh.vertices, MOVED)
    # Its middle (10, 5) goes to (15, 3); a quarter turn makes it 10 wide and 20 deep; twice as tall, one metre up.
    np.testing.assert_allclose(moved.min(axis=0), [10.0, -7.0, 11.0], atol=1e-12)
    np.testing.assert_allclose(moved.max(axis=0), [20.0, 13.0, 23.0], atol=1e-12)
    np.testing.assert_allclose(moved[0], [20.0, -7.0, 11.0], atol=1e-12)  # counter-clockwise


def test_only_what_is_changed_is_new_and_a_shared_corner_stays_with_the_neighbour() -> None:
    mesh = Mesh(
        np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]), np.array([[0, 1, 2], [0, 2, 3]]), np.array([0, 1])
    )
    layer = buildings().with_(geometry=mesh, fields=())
    after = apply_alternative([terrain(), layer], Alternative("a", "A", {TOWER: Change(move=(10.0, 0.0, 0.0))}))
    np.testing.assert_array_equal(corners(after[1], 1), corners(layer, 1))
    np.testing.assert_array_equal(corners(after[1], 0).min(axis=0), [10, 0, 0])
    untouched = buildings()
    assert apply_alternative([untouched], Alternative("a", "A"))[0] is untouched


def test_the_box_around_a_layer_does_not_reach_to_where_something_stood() -> None:
    layer = buildings()
    (moved,) = apply_alternative([layer], Alternative("a", "A", {TOWER: Change(move=(500.0, 0.0, 0.0))}))
    (gone,) = apply_alternative([layer], Alternative("a", "A", {TOWER: Change(removed=True)}))
    for after in (moved, gone):
        mesh = after.geometry
        assert isinstance(mesh, Mesh)
        assert mesh.bounds is not None
        np.testing.assert_array_equal(mesh.bounds.low, mesh.vertices[mesh.faces.ravel()].min(axis=0))


def test_editing_the_base_makes_an_alternative_and_undo_goes_back_exactly(document: Document) -> None:
    before = digests(document)
    document.do(change_elements(document, {TOWER: MOVED}, name="Alternative"))
    assert document.alternatives.items[0].name == "Alternative"
    assert change_of(document, TOWER) == MOVED
    assert document.scene["buildings"].table.row("b0")["height"] == 60.0
    assert digests(document)[0] == before[0]
    assert digests(document)[1] != before[1]
    document.do(switch_alternative(document, BASE))
    assert digests(document) == before
    document.history.undo()
    document.history.undo()
    assert digests(document) == before
    assert not document.alternatives.items
    document.history.redo()
    assert change_of(document, TOWER) == MOVED


def test_a_drag_is_one_step(document: Document) -> None:
    for east in (1.0, 2.0, 3.0):
        document.do(change_elements(document, {TOWER: Change(move=(east, 0.0, 0.0))}, name="A", drag="tower"))
    assert corners(document.scene["buildings"], 0)[:, 0].min() == -7.0
    document.history.undo()
    assert document.alternatives.items == ()
    assert corners(document.scene["buildings"], 0)[:, 0].min() == -10.0


def test_alternatives_do_not_mix(document: Document) -> None:
    document.do(change_elements(document, {TOWER: MOVED}, name="A"))
    first = document.alternatives.active
    document.do(add_alternative(document, "A"))
    second = document.alternatives.active
    assert document.alternatives.items[1].name == "A 2"
    assert corners(document.scene["buildings"], 0)[:, 0].min() == -10.0
    document.do(change_elements(document, {TOWER: Change(removed=True)}, name="x"))
    document.do(set_mass(document, BLOCK, name="x"))
    assert len(corners(document.scene["buildings"], 0)) == 0
    assert len(corners(document.scene["buildings"], 1)) == 8
    assert MASSES in document.scene
    document.do(switch_alternative(document, first))
    assert MASSES not in document.scene
    assert corners(layers_of(document, second)[-1], 0)[:, 2].max() == 35.0
    assert [layer.id for layer in base_layers(document)] == ["terrain", "buildings"]
    document.do(remove_alternative(document, first))
    assert document.alternatives.active == BASE
    with pytest.raises(UserError, match="not in the project"):
        layers_of(document, first)


def test_names_and_looks_given_in_an_alternative_stay_when_it_is_left(document: Document) -> None:
    document.do(change_elements(document, {TOWER: MOVED}, name="A"))
    style = dataclasses.replace(document.scene["buildings"].style, opacity=0.5)
    document.do(SetStyle("buildings", style))
    document.do(switch_alternative(document, BASE))
    assert document.scene["buildings"].style.opacity == 0.5
    assert corners(document.scene["buildings"], 0)[:, 0].min() == -10.0


def test_a_taken_or_empty_name_is_refused(document: Document) -> None:
    document.do(add_alternative(document, "A"))
    document.do(add_alternative(document, "B"))
    for name in ("A", " "):
        with pytest.raises(UserError):
            rename_alternative(document, document.alternatives.active, name)


def test_a_footprint_that_makes_no_solid_changes_nothing(document: Document) -> None:
    before = digests(document)
    with pytest.raises(ValueError, match="three points"):
        Mass("m", ((0.0, 0.0), (1.0, 0.0)), 0.0, 1, 3.0)
    document.do(set_mass(document, BLOCK, name="A"))
    document.history.undo()
    assert digests(document) == before


def test_the_project_keeps_alternatives_and_the_base(document: Document, tmp_path: Path) -> None:
    source = tmp_path / "two.geojson"
    square = [[[229000, 435500], [229010, 435500], [229010, 435510], [229000, 435510], [229000, 435500]]]
    feature = {"type": "Feature", "properties": {"height": 9}, "geometry": {"type": "Polygon", "coordinates": square}}
    source.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    imported = import_files([source], frame=tiny_frame(), options=ImportOptions(crs="EPSG:5186"))
    document = Document(imported.frame)
    document.do(AddLayers((*imported.layers, terrain(), buildings())))
    (layer, *_) = imported.layers
    before = {item.id: layer_digest(item) for item in document.scene}
    refs = (ElementRef(layer.id, str(layer.table.ids[0])), TOWER)
    document.do(change_elements(document, dict.fromkeys(refs, MOVED), name="대안"))
    document.do(set_mass(document, BLOCK, name="대안"))
    shown = {item.id: layer_digest(item) for item in document.scene}
    save(document, tmp_path / "city.twin")
    again, _ = open_document(tmp_path / "city.twin")
    assert {item.id: layer_digest(item) for item in again.scene} == shown
    assert {item.id: layer_digest(item) for item in base_layers(again)} == before
    assert again.alternatives.items == document.alternatives.items
    assert not again.modified


def test_hostile_alternatives_are_refused_with_the_file(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "city.twin"
    document.do(change_elements(document, {TOWER: MOVED}, name="A"))
    save(document, path)
    good = json.loads(path.read_text())
    for key, value in (("height_factor", 1e9), ("move", [1, 2]), ("turn_deg", "x"), ("move", [0, 0, float("inf")])):
        bad = json.loads(json.dumps(good))
        bad["alternatives"][0]["changes"][0][key] = value
        path.write_text(json.dumps(bad))
        with pytest.raises(UserError, match="not a project"):
            load(path)


def test_changes_of_what_is_gone_are_told(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "city.twin"
    document.do(change_elements(document, {TOWER: MOVED}, name="A"))
    save(document, path)
    text = path.read_text().replace('"element": "b0"', '"element": "gone"')
    path.write_text(text)
    assert [issue.code for issue in load(path).issues] == ["alternative.lost_elements"]


def test_a_run_belongs_to_its_alternative(document: Document) -> None:
    document.do(change_elements(document, {TOWER: MOVED}, name="A"))
    active = document.alternatives.active
    from app.alternatives import scenes_of

    for variant, layers in scenes_of(document, [BASE, active]):
        params = {"step": 60, "ground_cell": 10.0}
        result = execute(get("sunlight.hours"), layers=layers, frame=tiny_frame(), params=params, variant=variant)
        document.do(AddLayers(result.layers))
    runs = runs_of(tuple(document.scene))
    assert {run.alternative for run in runs} == {BASE, active}
    from analysis.run import out_of_date

    given = scenes_of_runs(document, runs)
    assert all(not out_of_date(run.record, given[run.alternative]) for run in runs)
    document.do(change_elements(document, {TOWER: Change(removed=True)}, name="A"))
    given = scenes_of_runs(document, runs)
    stale = {run.alternative: out_of_date(run.record, given[run.alternative]) for run in runs}
    assert stale[BASE] == []
    assert stale[active] == ["Buildings"]
