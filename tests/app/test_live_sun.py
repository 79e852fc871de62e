"""The live sun: what it says while a building is dragged is what full runs of the two states say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtTest import QTest

from analysis.contract import Result
from analysis.registry import get
from analysis.run import execute
from app.alternatives import BASE, layers_of, switch_alternative
from app.live_study import HOURS, RIGHTS, LiveHoursStudy, LiveRightsStudy, RightsAnswer, setup_for
from app.mass_edit import body_of
from app.shown_runs import runs_of
from app.view.live_layers import GROUND, WINDOWS
from geo.alternatives import MASSES, Change, Mass
from geo.model import ElementRef, Feedback, Grid
from tests.app import tiny_city
from tests.app.test_mass_tool import drag, pixel, send, take
from tests.app.view_scene import need_graphics
from tests.app.window_hands import settle

BIRCH, TOWER = ElementRef("houses", "B2"), ElementRef("houses", "B4")
WHOLE = {"facades": False, "margin": 200.0}  # all of the terrain
# Birch, 72 m high, 11.5 m south of the tower; none of its walls runs through the middle of a cell.
IN_FRONT = Change(move=(-10.0, 54.5, 0.0), height_factor=3.0)


@pytest.fixture
def quick(city: Any, qtbot: Any) -> Any:
    """The tiny city in a window of some size."""
    need_graphics()
    city.resize(1200, 850)
    city.actions_["view_home"].trigger()
    settle(city, qtbot)
    return city


def run(document: Any, analysis_id: str, alternative: str) -> Result:
    params = WHOLE if analysis_id == HOURS else {}
    layers = layers_of(document, alternative)
    return execute(get(analysis_id), layers=layers, frame=document.scene.frame, params=params)


def windows_of(result: Result) -> dict[str, tuple[str, float]]:
    (layer,) = [one for one in result.layers if one.source.part == "windows"]
    columns = layer.table.columns
    pairs = zip(columns["verdict"].values, columns["total_hours"].values, strict=True)
    return dict(zip((str(i) for i in layer.table.ids), pairs, strict=True))


def test_the_live_answer_is_the_difference_of_two_full_runs(city: Any) -> None:
    document = city.document
    body = body_of(document, BIRCH)
    setup = setup_for(document, body)
    setup = replace(setup, studies=(setup.study(RIGHTS), replace(setup.study(HOURS), params=WHOLE)))
    study, hours = LiveRightsStudy(setup, Feedback()), LiveHoursStudy(setup, Feedback())
    hours.move(body.placed(Change(move=(5.0, 0.0, 0.0))), Feedback())  # on the way
    answer = study.move(body.placed(IN_FRONT), Feedback())
    ground = hours.move(body.placed(IN_FRONT), Feedback())
    document.do(body.step(document, IN_FRONT, name="A"))
    before = windows_of(run(document, RIGHTS, BASE))
    after = windows_of(run(document, RIGHTS, document.alternatives.active))
    fell = {key for key in before.keys() & after.keys() if (before[key][0], after[key][0]) == ("pass", "fail")}
    live = {window.id for window in (*answer.newly_failing, *answer.own_failing)}
    assert fell == live
    assert len(answer.newly_failing) > 5
    assert {window.building for window in answer.newly_failing} >= {"B4"}
    for window in answer.changed:
        assert window.lost == pytest.approx(60.0 * (before[window.id][1] - after[window.id][1]), abs=1e-9)
    full = [one for one in run(document, HOURS, document.alternatives.active).layers if one.source.part == "ground"]
    grid = full[0].geometry
    assert isinstance(grid, Grid)
    assert ground.index is not None
    # The full run looks at the ground around the buildings as they stand now, on the same lattice of cells.
    col, row = (round((a - b) / grid.cell) for a, b in ((grid.x0, ground.grid.x0), (grid.y0, ground.grid.y0)))
    part = ground.grid.values[row : row + grid.values.shape[0], col : col + grid.values.shape[1]]
    np.testing.assert_array_equal(part, grid.values)
    assert np.isfinite(part).sum() > 5_000


def test_a_new_mass_is_compared_with_open_ground(city: Any) -> None:
    document = city.document
    ring = ((30.0, 5.0), (50.0, 5.0), (50.0, 20.0), (30.0, 20.0))
    from app.alternatives import set_mass

    document.do(set_mass(document, Mass("m1", ring, 20.0, 20, 3.0), name="A"))
    body = body_of(document, ElementRef(MASSES, "m1"))
    study = LiveRightsStudy(setup_for(document, body), Feedback())
    answer = study.move(body.placed(Change()), Feedback())
    before = windows_of(run(document, RIGHTS, BASE))
    after = windows_of(run(document, RIGHTS, document.alternatives.active))
    fell = {key for key in before.keys() & after.keys() if (before[key][0], after[key][0]) == ("pass", "fail")}
    assert {window.id for window in answer.newly_failing} == fell
    assert fell
    assert all(window.alone + window.joint > 0.0 for window in answer.newly_failing)


def test_what_is_moved_already_is_still_compared_with_the_present_state(city: Any) -> None:
    document = city.document
    document.do(body_of(document, BIRCH).step(document, IN_FRONT, name="A"))
    body = body_of(document, BIRCH)
    study = LiveRightsStudy(setup_for(document, body), Feedback())
    assert len(study.move(body.placed(body.change), Feedback()).newly_failing) > 5
    assert study.move(body.placed(Change()), Feedback()).changed == ()


def test_drag_read_the_verdict_keep_it_undo(quick: Any, qtbot: Any) -> None:
    """As a person: take Birch, drag it before the tower, read the card, choose a row, keep the result, undo."""
    window, live = quick, quick.masses.live
    tool = take(window, BIRCH)
    assert "worked out" in live.card.figures.text()
    assert live.card.title.text() == "Sun, live · 2026-12-22"  # both studies as they come
    qtbot.waitUntil(lambda: live.answer is not None and live.ground is not None and live.resting, timeout=60_000)
    assert live.answer.changed == ()
    assert "No window loses" in live.card.worst.text()
    stage = window.viewport.stage
    assert stage.drawn(WINDOWS) is not None
    assert stage.drawn(GROUND) is not None
    assert WINDOWS not in window.document.scene
    bar = window.masses.bar
    bar.edits["height"].spin_box.setValue(72.0)
    start = pixel(window, (50.0, -50.0, 60.0))
    assert tool.part_at(start) == "body"
    answers: list[Any] = []
    live.answered.connect(answers.append)
    target = pixel(window, (40.0, 5.0, 60.0))
    send(window, QEvent.Type.MouseButtonPress, start)
    for share in (0.25, 0.5, 0.75, 1.0):
        send(window, QEvent.Type.MouseMove, start + (target - start) * share)
    qtbot.waitUntil(lambda: live.resting and len(live.answer.newly_failing) > 5, timeout=60_000)  # before letting go
    send(window, QEvent.Type.MouseButtonRelease, target)
    qtbot.waitUntil(lambda: live.resting, timeout=60_000)
    rights = [one for one in answers if isinstance(one, RightsAnswer)]
    assert len(rights) >= 1
    print(f"seconds from a move to its answers: {live.seconds}")
    failing = len(live.answer.newly_failing)
    assert f"<b>{failing}</b>" in live.card.figures.text()
    assert live.card.list.topLevelItemCount() == len(live.answer.changed)
    first = live.answer.changed[0]
    assert live.card.list.topLevelItem(0).text(0) == first.id
    live.card.chosen.emit(first)
    assert window.document.selection.items == (ElementRef("houses", first.building),)
    active = window.document.alternatives.active
    live.keep()
    settle(window, qtbot)
    kept = {run.analysis_id: run for run in runs_of(tuple(window.document.scene))}
    assert set(kept) == {RIGHTS, HOURS}
    assert {run.alternative for run in kept.values()} == {active}
    kept_windows = next(layer for layer in kept[RIGHTS].layers if layer.source.part == "windows")
    assert not stage.drawn(kept_windows.id).style.visible  # the live ones are still there
    verdicts = windows_of_run(kept[RIGHTS])
    assert all(verdicts[one.id] == "fail" for one in live.answer.newly_failing)
    window.masses.finish()
    assert stage.drawn(WINDOWS) is None
    # As the scene has it: of two results on the same walls the one that came last is visible.
    assert stage.drawn(kept_windows.id).style == window.document.scene[kept_windows.id].style
    assert not live.card.isVisible()


def test_another_alternative_is_another_beginning(quick: Any, qtbot: Any) -> None:
    window, live = quick, quick.masses.live
    window.document.do(body_of(window.document, TOWER).step(window.document, Change(removed=True), name="A"))
    take(window, BIRCH)
    qtbot.waitUntil(lambda: live.answer is not None and live.resting, timeout=60_000)
    judged, loops = live.answer.judged, live._loops
    window.document.do(switch_alternative(window.document, BASE))
    qtbot.waitUntil(lambda: live.answer is not None and live.resting, timeout=60_000)
    assert live._loops is not loops
    assert live.answer.judged > judged  # the tower has windows again


def windows_of_run(run: Any) -> dict[str, str]:
    (layer,) = [one for one in run.layers if one.source.part == "windows"]
    return dict(zip((str(i) for i in layer.table.ids), layer.table.columns["verdict"].values, strict=True))


def test_taking_it_again_does_not_begin_again_and_the_switch_stops_it(quick: Any, qtbot: Any) -> None:
    window, live = quick, quick.masses.live
    take(window, BIRCH)
    qtbot.waitUntil(lambda: live.answer is not None and live.resting, timeout=60_000)
    loops = dict(live._loops)
    start = pixel(window, (50.0, -43.0, 44.0))
    drag(window, start, start + QPoint(40, 0))
    qtbot.waitUntil(lambda: live.resting, timeout=60_000)
    QTest.keyClick(window.viewport, Qt.Key.Key_Return)
    take(window, BIRCH)
    assert live._loops == loops
    qtbot.waitUntil(lambda: live.answer is not None, timeout=60_000)
    window.masses.bar.live.setChecked(False)
    assert live._loops == {}
    assert window.viewport.stage.drawn(GROUND) is None
    window.masses.finish()
    take(window, TOWER)
    assert live._loops == {}  # the switch stays off


def test_results_step_back_while_the_live_ones_are_drawn(quick: Any, qtbot: Any) -> None:
    window, live = quick, quick.masses.live
    window.bench.run(get(HOURS), {"facades": False, "step": 60, "ground_cell": 10.0})
    settle(window, qtbot)
    (result,) = [
        layer for layer in window.document.scene if layer.theme == "result" and isinstance(layer.geometry, Grid)
    ]
    take(window, BIRCH)
    qtbot.waitUntil(lambda: live.ground is not None, timeout=60_000)
    assert live.ground.grid.cell == 10.0  # the parameters of the last run
    assert not window.viewport.stage.drawn(result.id).style.visible
    assert window.document.scene[result.id].style.visible
    window.masses.finish()
    assert window.viewport.stage.drawn(result.id).style.visible


def test_a_polar_night_is_told_on_the_card(quick: Any, qtbot: Any) -> None:
    """A study that cannot follow says why, and dragging goes on."""
    from geo.crs import make_frame

    window = quick
    window.document.clear()
    from app.commands import AddLayers

    layers = (tiny_city.terrain(), tiny_city.buildings())
    window.document.do(AddLayers(layers, frame=make_frame("EPSG:32633", 500_000.0, 8_700_000.0)))
    settle(window, qtbot)
    tool = take(window, BIRCH)
    live = window.masses.live
    qtbot.waitUntil(lambda: "sun" in live.card.figures.text() and "worked out" not in live.card.figures.text())
    assert "not up" in live.card.figures.text() or "no sun" in live.card.figures.text().lower()
    assert window.masses.tool is tool
