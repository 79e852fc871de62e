"""Purifiers and sources as a person handles them: set by a click, dragged, turned, typed, undone; live figures."""

from __future__ import annotations

import math
from typing import Any

import pytest
from PySide6.QtCore import QEventLoop, QPointF, Qt, QTimer
from PySide6.QtTest import QTest

from analysis.registry import get
from app.commands import AddLayers
from app.dust.edit import PurifierRow, purifier_rows, row_of
from app.dust.source_edit import SourceValues, stack_layer, values_of
from app.language import language
from app.main_window import MainWindow
from geo.model import ElementRef
from tests.app.test_camera_window import drag, pixel, send
from tests.app.test_dust_edit import roads
from tests.app.view_scene import need_graphics
from tests.app.window_hands import settle

WAIT_MS = 120_000
HERE = (0.0, 0.0, 21.95)
WIND = {"cell": 10.0, "size": 160.0, "thoroughness": "preview", "directions": "one", "wind_from": 270.0, "band": "none"}


def wait(done: Any, limit_ms: int = WAIT_MS) -> None:
    """Until something is so, leaving the interpreter to the jobs meanwhile."""
    loop = QEventLoop()
    look, end = QTimer(), QTimer()
    look.timeout.connect(lambda: loop.exit(1) if done() else None)
    end.setSingleShot(True)
    end.timeout.connect(loop.quit)
    look.start(20)
    end.start(limit_ms)
    came = loop.exec()
    look.stop()
    end.stop()
    assert came, "it did not come in time"


@pytest.fixture
def yard(city: MainWindow, qtbot: Any) -> MainWindow:
    """The tiny city from above the south."""
    need_graphics()
    city.cameras.live.wanted = False
    city.resize(1366, 768)
    city.actions_["view_home"].trigger()
    settle(city, qtbot)
    return city


def put(window: MainWindow, qtbot: Any, point: Any = HERE) -> ElementRef:
    """Press J and click."""
    action = window.actions_["purifier_place"]
    assert action.shortcut().toString() == "J"
    action.trigger()
    assert window.dust.placing.bar.isVisible()
    QTest.mouseClick(window.viewport, Qt.MouseButton.LeftButton, pos=pixel(window, point))
    settle(window, qtbot)
    (ref,) = window.dust.refs
    return ref


def row(window: MainWindow, ref: ElementRef) -> PurifierRow:
    found = row_of(window.document.scene, ref)
    assert found is not None
    return found


def test_j_and_a_click_set_a_purifier_on_the_ground(yard: MainWindow, qtbot: Any) -> None:
    bar = yard.dust.placing.bar
    bar.open()
    bar.model_box.setCurrentIndex(bar.model_box.findData("tower-30000"))
    ref = put(yard, qtbot)
    found = row(yard, ref)
    assert found.model == "tower-30000"
    assert found.place[:2] == pytest.approx(HERE[:2], abs=0.6)
    assert found.place[2] == pytest.approx(yard.dust.ground.height(*found.place[:2]), abs=1e-6)
    assert not bar.isVisible()
    assert yard.panels["purifier"].isVisible()
    assert "30,000" in yard.dust.panel.facts.text()
    yard.actions_["undo"].trigger()
    settle(yard, qtbot)
    assert ref.layer_id not in yard.document.scene
    assert yard.dust.gizmo is None


def test_no_purifier_is_set_on_a_building_and_it_is_said(yard: MainWindow, qtbot: Any) -> None:
    told: list[Any] = []
    yard.bench.notices.posted.connect(told.append)
    yard.actions_["purifier_place"].trigger()
    QTest.mouseClick(yard.viewport, Qt.MouseButton.LeftButton, pos=pixel(yard, (50.0, -43.0, 44.0)))
    settle(yard, qtbot)
    assert not [layer for layer in yard.document.scene if layer.theme == "purifier"]
    assert [notice.severity for notice in told] == ["error"]
    assert "building" in " ".join(told[0].words())


def test_a_purifier_is_dragged_turned_by_its_knob_and_by_keys_and_all_is_undone(yard: MainWindow, qtbot: Any) -> None:
    ref = put(yard, qtbot)
    start = row(yard, ref)
    drag(yard, yard.dust.gizmo.knob("body"), QPointF(pixel(yard, (25.0, 10.0, 22.1))))
    settle(yard, qtbot)
    moved = row(yard, ref)
    assert moved.place[:2] == pytest.approx((25.0, 10.0), abs=1.5)
    assert moved.place[2] == pytest.approx(yard.dust.ground.height(*moved.place[:2]), abs=1e-6)
    east = yard.dust.gizmo.middle + yard.dust.gizmo.radius * yard.dust.gizmo.way(90.0, 0.0)
    drag(yard, yard.dust.gizmo.knob("turn"), QPointF(pixel(yard, east)))
    settle(yard, qtbot)
    assert row(yard, ref).towards == pytest.approx(90.0, abs=0.1)  # by steps of 5 degrees
    for _ in range(3):
        QTest.keyClick(yard.viewport, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    settle(yard, qtbot)
    assert row(yard, ref).towards == pytest.approx(93.0, abs=0.1)
    for expected in (90.0, start.towards):
        yard.actions_["undo"].trigger()
        settle(yard, qtbot)
        assert row(yard, ref).towards == pytest.approx(expected, abs=0.1)
    yard.actions_["undo"].trigger()
    settle(yard, qtbot)
    assert row(yard, ref) == start


def test_escape_takes_a_drag_back(yard: MainWindow, qtbot: Any) -> None:
    from PySide6.QtCore import QEvent

    ref = put(yard, qtbot)
    before, knob = row(yard, ref), yard.dust.gizmo.knob("body")
    send(yard, QEvent.Type.MouseButtonPress, knob)
    send(yard, QEvent.Type.MouseMove, knob + QPointF(60.0, 0.0))
    assert yard.dust.row != before
    QTest.keyClick(yard.viewport, Qt.Key.Key_Escape)
    settle(yard, qtbot)
    assert row(yard, ref) == before == yard.dust.row


def test_what_is_typed_is_one_step_each_and_delete_removes(yard: MainWindow, qtbot: Any) -> None:
    ref, panel = put(yard, qtbot), yard.dust.panel
    panel.towards_edit.set_value(45.0)
    panel.state_box.setCurrentIndex(panel.state_box.findData("existing"))
    panel.state_box.activated.emit(panel.state_box.currentIndex())
    panel.since_edit.setText("2026-03-02")
    panel.since_edit.editingFinished.emit()
    settle(yard, qtbot)
    found = row(yard, ref)
    assert (found.towards, found.state, found.since) == (45.0, "existing", "2026-03-02")
    yard.actions_["purifier_switch"].trigger()
    assert row(yard, ref).state == "off"
    yard.actions_["purifier_remove"].trigger()
    settle(yard, qtbot)
    assert ref.layer_id not in yard.document.scene
    yard.actions_["undo"].trigger()
    assert row(yard, ref).state == "off"


def test_without_dust_the_card_says_what_to_do_first(yard: MainWindow, qtbot: Any) -> None:
    put(yard, qtbot)
    card = yard.dust.live.card
    assert card.isVisible()
    assert "calculate the dust first" in card.figures.text()
    assert card.run_button.isVisible()
    assert not card.keep_button.isEnabled()
    language.set("ko")
    settle(yard, qtbot)
    assert "먼저 미세먼지를 계산" in card.figures.text()


def test_the_reduction_follows_and_the_full_solution_agrees(yard: MainWindow, qtbot: Any) -> None:
    values = SourceValues("Chimney", "stack", "stack", pm10=2.0, pm25=1.0, height=3.0)
    chimney = stack_layer([-70.0, 5.0, 21.0], values, layer_id="chimney")
    yard.document.do(AddLayers((chimney,)))
    yard.bench.run(get("dust.dispersion"), WIND)
    wait(lambda: any("map" in layer.id for layer in yard.document.scene) and not yard.bench.jobs.busy)
    ref = put(yard, qtbot)
    live = yard.dust.live
    wait(lambda: live.answer is not None and live.resting)
    answer = live.answer
    assert answer.ref == ref
    assert answer.exact == len(answer.winds) == 1
    assert 0.0 < answer.own_air <= 1.0
    drag(yard, yard.dust.gizmo.knob("body"), QPointF(pixel(yard, (-40.0, 5.0, 21.9))))
    assert live.first_seconds < 0.1
    assert live.answer is not None
    wait(lambda: live.solved is not None and live.solved.is_whole and live.resting)
    assert live.answer.benefit > 0.0
    assert live.all_seconds < 5.0
    assert live.solved.units == 1
    assert live.solved.benefit == pytest.approx(live.answer.benefit, rel=0.05)
    assert "solved in full" in live.card.rest.text()
    yard.document.do(AddLayers((stack_layer([60.0, 60.0, 22.0], values, layer_id="other"),)))
    assert live.text_for(ref)  # another source that the run was not given leaves its fields as they are


def test_a_site_is_drawn_asked_about_changed_and_undone(yard: MainWindow, qtbot: Any) -> None:
    yard.actions_["dust_site"].trigger()
    for corner in ((-30.0, -30.0, 21.3), (10.0, -30.0, 21.3), (10.0, 5.0, 22.0)):
        QTest.mouseClick(yard.viewport, Qt.MouseButton.LeftButton, pos=pixel(yard, corner))
    QTest.keyClick(yard.viewport, Qt.Key.Key_Return)
    dialog = yard.dust.sources.dialog
    assert dialog is not None
    assert "g/s" in dialog.note.text()
    assert not dialog.pm10_edit.isEnabled()
    dialog.name_edit.setText("Block 4")
    dialog.share_edit.set_value(60.0)
    dialog.accept()
    settle(yard, qtbot)
    (site,) = [layer for layer in yard.document.scene if layer.theme == "emission"]
    assert (site.name, values_of(site).kind, values_of(site).active_share) == ("Block 4", "construction", 0.6)
    assert math.isnan(values_of(site).pm10)
    yard.document.selection.set([ElementRef(site.id)])
    settle(yard, qtbot)
    assert yard.actions_["dust_source_edit"].isEnabled()
    yard.actions_["dust_source_edit"].trigger()
    yard.dust.sources.dialog.stated.setChecked(True)
    yard.dust.sources.dialog.pm10_edit.set_value(0.4)
    yard.dust.sources.dialog.accept()
    assert values_of(yard.document.scene[site.id]).pm10 == 0.4
    yard.actions_["undo"].trigger()
    assert math.isnan(values_of(yard.document.scene[site.id]).pm10)
    yard.actions_["undo"].trigger()
    assert site.id not in yard.document.scene


def test_traffic_of_selected_roads_is_one_step(yard: MainWindow, qtbot: Any) -> None:
    yard.document.do(AddLayers((roads(),)))
    settle(yard, qtbot)
    assert not yard.actions_["dust_traffic"].isEnabled()
    yard.document.selection.set([ElementRef("roads", "b")])
    settle(yard, qtbot)
    yard.actions_["dust_traffic"].trigger()
    dialog = yard.dust.sources.traffic_dialog
    dialog.traffic_edit.set_value(24_000.0)
    dialog.accept()
    assert yard.document.scene["roads"].table.columns["traffic"].values[1] == 24_000.0
    yard.actions_["undo"].trigger()
    assert "traffic" not in yard.document.scene["roads"].table.columns


def test_purifiers_of_one_layer_are_counted_by_their_state(yard: MainWindow, qtbot: Any) -> None:
    from app.dust.live import active_rows

    first = put(yard, qtbot)
    put(yard, qtbot, (20.0, 20.0, 22.4))
    assert len(purifier_rows(yard.document.scene[first.layer_id])) == 2
    yard.actions_["purifier_switch"].trigger()
    assert [one.id for one in active_rows(yard.document)] == [first.element_id]
