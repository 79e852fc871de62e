"""Alternatives side by side in the window: a study on both, the figures, the map of what differs."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt

from app.alternatives import change_elements, set_mass
from app.language import tr
from app.main_window import MainWindow
from app.scorecard import newest_by_alternative, scorecard, texts_of
from app.shown_runs import runs_of
from geo.alternatives import Change, Mass
from geo.model import ElementRef, Layer, Source

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


def test_columns_are_in_the_order_of_the_project_and_shares_differ_by_points() -> None:
    def run(alternative: str, share: float) -> Layer:
        told = {"alternative": alternative, "alternative_name": alternative.upper()}
        made = {"analysis": "a.b", "started": "2026-11-21T10:00:00+00:00", "params": {}, **told}
        record = {"run": f"r{alternative}", "provenance": made, "summary": {"share": {"value": share, "unit": "%"}}}
        return Layer(f"l{alternative}", "L", "result", None, source=Source(provenance=record))

    layers = [run("", 92.31), run("x", 86.49), run("b", 93.0)]
    assert [one.alternative for one in newest_by_alternative(layers, "a.b")] == ["", "b", "x"]
    assert [one.alternative for one in newest_by_alternative(layers, "a.b", ["x", "b"])] == ["", "x", "b"]
    _, rows = texts_of(scorecard(layers, "a.b", ["x", "b"]))
    assert rows[0][2:] == ["86.49 % (−5.82 % pts)", "93 % (+0.69 % pts)"]


def test_the_table_has_room_while_it_is_in_front(planned: MainWindow, qtbot: Any) -> None:
    planned.resize(1366, 768)
    run_on_both(planned, qtbot)
    planned.show_panel("timeline")
    qtbot.wait(50)
    low = planned.timeline.height()
    planned.show_panel("compare")
    qtbot.waitUntil(lambda: planned.compare.height() > low + 40, timeout=5000)
    planned.show_panel("timeline")
    qtbot.waitUntil(lambda: abs(planned.timeline.height() - low) <= 4, timeout=5000)
