"""Alternatives side by side in the window: a study on both, the figures, the map of what differs."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt

from app.alternatives import change_elements, set_mass
from app.language import tr
from app.main_window import MainWindow
from app.shown_runs import runs_of
from geo.alternatives import Change, Mass
from geo.model import ElementRef

WAIT_MS = 60_000
BLOCK = Mass("m1", ((60.0, 0.0), (80.0, 0.0), (80.0, 12.0), (60.0, 12.0)), 20.0, 5, 3.0)


def house(window: MainWindow, row: int) -> ElementRef:
    layer = next(layer for layer in window.document.scene if layer.theme == "building")
    return ElementRef(layer.id, str(layer.table.ids[row]))


@pytest.fixture
def planned(city: MainWindow) -> MainWindow:
    """The tiny city with an alternative in which the tower is three times as tall and a block is added."""
    ref = house(city, 0)
    city.bench.do(change_elements(city.document, {ref: Change(height_factor=3.0)}, name="Tall"))
    city.bench.do(set_mass(city.document, BLOCK, name="Tall"))
    return city


def run_on_both(window: MainWindow, qtbot: Any) -> None:
    window.show_analysis("sunlight.hours")
    panel = window.analyses
    assert panel.form is not None
    panel.form.set_values({"step": 60, "ground_cell": 8, "facade_spacing": 8})
    qtbot.waitUntil(lambda: panel.alternatives is not None and panel.alternatives.isVisibleTo(panel), timeout=WAIT_MS)
    assert panel.alternatives is not None
    assert panel.alternatives.chosen() == [window.document.alternatives.active]
    panel.alternatives.list.item(0).setCheckState(Qt.CheckState.Checked)
    qtbot.mouseClick(panel.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(runs_of(tuple(window.document.scene))) == 2, timeout=WAIT_MS)


def test_a_person_compares_an_alternative_with_the_base(planned: MainWindow, qtbot: Any) -> None:
    run_on_both(planned, qtbot)
    runs = runs_of(tuple(planned.document.scene))
    assert {run.alternative_name for run in runs} == {"", "Tall"}
    used = {given["layer"] for run in runs if run.alternative for given in run.record["provenance"]["inputs"]}
    assert "alternative-masses" in used
    planned.show_panel("compare")
    panel = planned.compare
    qtbot.waitUntil(lambda: panel.table.columnCount() == 3, timeout=WAIT_MS)
    heads = [panel.table.horizontalHeaderItem(k).text() for k in range(3)]
    assert heads[1:] == [tr("alternatives.base"), "Tall"]
    rows = {
        panel.table.item(k, 0).text(): (panel.table.item(k, 1).text(), panel.table.item(k, 2).text())
        for k in range(panel.table.rowCount())
    }
    mean = next(texts for name, texts in rows.items() if "Ground" in name and "ean" in name)
    assert "(−" in mean[1]  # more shade on the ground
    assert not any("Sunrise" in name for name in rows)  # only what differs
    qtbot.mouseClick(panel.difference, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(runs_of(tuple(planned.document.scene))) == 3, timeout=WAIT_MS)
    newest = runs_of(tuple(planned.document.scene))[0]
    assert newest.analysis_id == "compare.results"
    assert newest.record["summary"]["lost"]["value"] > 0
    assert newest.record["summary"]["gained"]["value"] == 0 or newest.record["summary"]["changed"]["value"] > 0


def test_a_change_makes_only_the_results_of_its_alternative_old(planned: MainWindow, qtbot: Any) -> None:
    run_on_both(planned, qtbot)
    by_name = {run.alternative_name: run.id for run in runs_of(tuple(planned.document.scene))}
    planned.bench.do(change_elements(planned.document, {house(planned, 1): Change(move=(5.0, 0.0, 0.0))}, name="Tall"))
    qtbot.waitUntil(lambda: bool(planned.bench.stale.get(by_name["Tall"])), timeout=WAIT_MS)
    assert not planned.bench.stale.get(by_name[""])
    qtbot.waitUntil(lambda: "Tall" in planned.compare.stale.text(), timeout=WAIT_MS)
    qtbot.mouseClick(planned.compare.again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(runs_of(tuple(planned.document.scene))) == 4, timeout=WAIT_MS)
