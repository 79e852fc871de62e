"""Podium and tower in the window, in project files of before and now, and in the figures of the plot."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.registry import get
from analysis.run import execute
from app.alternatives import set_mass
from app.commands import AddLayers
from app.document import Document
from app.mass_dialog import MassDialog
from app.mass_edit import body_of, moved_mass
from app.project_file import VERSION, load, open_document, save
from geo.alternatives import MASSES, Change, Mass, mass_layer
from geo.model import ElementRef, UserError
from tests.app.test_mass_tool import still, take  # noqa: F401  fixture
from tests.app.test_massing_snap import parcels
from tests.tiny import terrain, tiny_frame

RING = ((0.0, 0.0), (40.0, 0.0), (40.0, 30.0), (0.0, 30.0))
TOWER = Mass("mass-1", RING, 20.0, 10, 3.0, "탑", "업무시설", podium_storeys=3, inset=5.0)
REF = ElementRef(MASSES, "mass-1")


@pytest.fixture
def document() -> Document:
    made = Document(tiny_frame())
    made.do(AddLayers((terrain(),)))
    made.do(set_mass(made, TOWER, name="A"))
    return made


@pytest.mark.parametrize("factor", [0.1, 0.5, 1.0, 1.7])
def test_the_ghost_is_what_the_scene_gets_and_the_podium_stays(document: Document, factor: float) -> None:
    body = body_of(document, REF)
    change = body.snapped(Change(move=(4.0, -3.0, 1.0), turn_deg=30.0, height_factor=factor))
    moved = moved_mass(TOWER, change)
    assert (moved.podium_storeys, moved.inset) == (3, 5.0)
    assert moved.storeys == {0.1: 4, 0.5: 5, 1.0: 10, 1.7: 17}[factor]  # one storey at least over the podium
    ghost, real = body.placed(change), mass_layer([moved]).geometry
    np.testing.assert_allclose(_places(ghost), _places(real), atol=1e-6)


def _places(mesh: Any) -> np.ndarray:
    return np.unique(np.round(mesh.vertices, 5), axis=0)


def test_floors_are_counted_prism_by_prism(document: Document) -> None:
    ring = np.array([[-10.0, -10.0], [50.0, -10.0], [50.0, 40.0], [-10.0, 40.0], [-10.0, -10.0]])
    document.do(AddLayers((parcels((ring,)),)))
    done = execute(get("site.figures"), layers=tuple(document.scene), frame=tiny_frame(), params={})
    (plots,) = [table for table in done.tables if table.id == "plots"]
    row = {name: column.values[0] for name, column in plots.columns.items()}
    assert row["building_area"] == pytest.approx(1200.0)
    assert row["floor_area"] == pytest.approx(3 * 1200.0 + 7 * 600.0)
    assert row["coverage"] == pytest.approx(100.0 * 1200.0 / 3000.0)
    assert row["storeys"] == 10


def test_a_project_keeps_it_and_one_of_before_opens(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "city.twin"
    save(document, path)
    assert load(path).alternatives[0].masses == (TOWER,)
    manifest = json.loads(path.read_text())
    assert manifest["version"] == VERSION
    manifest["version"] = 3
    for mass in manifest["alternatives"][0]["masses"]:
        del mass["podium_storeys"], mass["inset"]
    path.write_text(json.dumps(manifest))
    opened, *_ = open_document(path)
    (mass,) = opened.alternatives.items[0].masses
    assert mass == dataclasses.replace(TOWER, podium_storeys=0, inset=0.0)
    for nonsense in (None, 7, [3], [{"masses": None}]):
        path.write_text(json.dumps({**manifest, "alternatives": nonsense}))
        with pytest.raises(UserError):
            load(path)


def test_the_dialog_says_what_cannot_be(qtbot: Any) -> None:
    asked = MassDialog(np.array(RING), name=TOWER.name, mass=TOWER)
    qtbot.addWidget(asked)
    assert asked.changed(TOWER) == TOWER
    assert "7,800" in asked.sums.text().replace("7800", "7,800")  # 3 × 1200 + 7 × 600
    asked.storeys_edit.set_value(3)
    asked._write_sums()
    assert not asked.ok_button.isEnabled()
    asked.storeys_edit.set_value(10)
    asked.inset_edit.set_value(15.0)
    asked._write_sums()
    assert not asked.ok_button.isEnabled()
    asked.tower_box.setChecked(False)
    assert asked.ok_button.isEnabled()
    assert asked.changed(TOWER).podium_storeys == 0


def test_a_tower_given_and_taken_while_the_mass_is_in_hand(still: Any) -> None:  # noqa: F811
    plain = dataclasses.replace(TOWER, podium_storeys=0, inset=0.0)
    still.document.do(set_mass(still.document, plain, name="A"))
    take(still, REF)
    few = len(still.masses.tool.mesh.faces)
    still.actions_["mass_edit"].trigger()
    still.masses.dialog.tower_box.setChecked(True)
    still.masses.dialog.accept()
    (mass,) = still.document.alternatives.items[0].masses
    assert (mass.podium_storeys, mass.inset) == (3, 4.0)
    assert len(still.masses.tool.mesh.faces) > few
    still.masses.bar.storeys.spin_box.setValue(2)
    assert still.document.alternatives.items[0].masses[0].storeys == 4
    still.actions_["undo"].trigger()
    still.actions_["undo"].trigger()
    assert still.document.alternatives.items[0].masses == (plain,)
    assert len(still.masses.tool.mesh.faces) == few  # the ghost is of the shape of now
