"""A day on the building site: model and utilities come in, a pit is drawn, what it hits goes out as a list."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QDialogButtonBox, QFileDialog, QMenu, QPushButton, QToolButton

from app.language import language, tr
from app.main_window import MainWindow
from app.shown_runs import Run, runs_of
from app.view.camera import looking, project
from app.view.legend import legend_for
from bim.bcf.read import read_bcf
from bim.georeference_write import write_georeferenced
from geo.crs import make_frame
from geo.model import Layer
from geo.pose import Pose
from tests.app.test_person_underground import (
    LEVEL,
    SOUTH,
    WEST,
    drop,
    layer_of,
    local,
    look_at,
    press,
    write_town,
)
from tests.app.view_scene import need_graphics
from tests.app.window_hands import click, settle

pytestmark = [pytest.mark.gl, pytest.mark.data, pytest.mark.usefixtures("screen")]
HOUSE = (52.0, 68.0)  # the model's zero point, metres from the corner of the town; it stands north of the main
LEFT = Qt.MouseButton.LeftButton


def push(window: MainWindow, qtbot: Any, action: str) -> None:
    """Press the button of an action in the toolbar."""
    buttons = window.toolbar.findChildren(QToolButton)
    button = next(b for b in buttons if b.defaultAction() is window.actions_[action] and b.isVisible())
    click(qtbot, button)
    settle(window, qtbot)


def answer(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """The next file dialogs are answered with a name."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(path), f"x (*{path.suffix})"))


def card_button(window: MainWindow, text: str) -> QPushButton:
    """A button of the newest result's card."""
    return next(b for b in window.results.cards[0].findChildren(QPushButton) if b.text() == text)


def menu_of(window: MainWindow, qtbot: Any, point: np.ndarray) -> QMenu:
    """What a right click there offers."""
    viewport = window.viewport
    x, y = project(viewport.camera, point[None, :], (viewport.width(), viewport.height()))[0][0]
    qtbot.mouseClick(viewport, Qt.MouseButton.RightButton, pos=QPoint(round(x), round(y)))
    return next(menu for menu in window.findChildren(QMenu) if menu.isVisible())


@pytest.fixture
def site(window: MainWindow, qtbot: Any, tmp_path: Path, shared_data: Path) -> MainWindow:
    """The layout for building, in Korean on a laptop, with a model and utilities dropped on it."""
    need_graphics()
    window.set_language("ko")
    window.resize(1366, 768)
    push(window, qtbot, "layout_build")
    house = tmp_path / "house.ifc"
    pose = Pose(WEST + HOUSE[0], SOUTH + HOUSE[1], LEVEL, 0.0)
    frame = make_frame("EPSG:5186", WEST, SOUTH)
    write_georeferenced(shared_data / "ifc" / "AC20-FZK-Haus.ifc", house, pose=pose, frame=frame)
    drop(window, [*write_town(tmp_path), house])
    settle(window, qtbot)
    dialog = window.files.import_dialog
    assert {page.examined.path.name for page in dialog.pages} >= {"house.ifc", "dem.tif", "WTL_PIPE_LM.shp"}
    assert len(window.document.scene) == 0, "nothing is imported before the user says so"
    assert dialog.width() <= window.width()
    assert dialog.height() <= window.height()
    click(qtbot, dialog.import_button)
    settle(window, qtbot)
    return window


def dig(window: MainWindow, qtbot: Any, *, depth: float) -> None:
    """Draw a pit over the main; one of its corners falls on the roof of the house."""
    look_at(window, 60.0, 62.0)
    window.actions_["draw_excavation"].trigger()
    assert not [card for card in window.notice_area.cards if card.notice.severity == "note"], "notes hide the hint"
    roof = local(window, 58.0, 74.0, LEVEL + 5.0)
    corners = [local(window, x, y, LEVEL) for x, y in ((50, 52), (66, 52), (66, 64))]
    press(qtbot, window, *corners, roof, button=LEFT)
    qtbot.keyClick(window.viewport, Qt.Key.Key_Return)
    window.drawing.dialog.depth_edit.set_value(depth)
    click(qtbot, window.drawing.dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok))
    settle(window, qtbot)


def hits(window: MainWindow, qtbot: Any) -> Run:
    """Ask by the right button what the pit hits."""
    menu = menu_of(window, qtbot, local(window, 52.0, 55.0, LEVEL - 1.5))
    asked = next(action for action in menu.actions() if action.text() == tr("study_here.hits"))
    menu.close()
    asked.trigger()
    settle(window, qtbot)
    return runs_of(list(window.document.scene))[0]


def test_from_the_drop_to_the_list_and_the_topic(
    site: MainWindow, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = site
    model = next(layer for layer in window.document.scene if layer.theme == "bim")
    assert model.geometry.bounds.low[2] == pytest.approx(LEVEL - window.document.scene.frame.origin[2], abs=2.0)

    # The pit begins on the ground though one corner was clicked on a roof, and hits both stretches of the main.
    dig(window, qtbot, depth=2.0)
    pit = next(layer for layer in window.document.scene if layer.theme == "excavation")
    top = LEVEL - window.document.scene.frame.origin[2]
    assert pit.geometry.bounds.high[2] == pytest.approx(top, abs=0.05)
    run = hits(window, qtbot)
    listed = next(layer for layer in run.layers if layer.kind == "table" and "class" in layer.table.columns)
    verdicts = dict(zip(listed.table.columns["element"].values, listed.table.columns["class"].values, strict=True))
    assert verdicts["W1"] == verdicts["W2"] == "hard"
    legend = legend_for(list(window.document.scene))
    assert any(text == "저촉" for text, _ in legend.classes), "the legend tells what is hit"

    # The list goes out as Excel in the words on the screen, and the run as a PDF.
    click(qtbot, card_button(window, tr("results.table")))
    settle(window, qtbot)
    answer(monkeypatch, tmp_path / "굴착.xlsx")
    window.table.ask_export("all")
    settle(window, qtbot)
    rows = list(openpyxl.load_workbook(tmp_path / "굴착.xlsx").active.iter_rows(values_only=True))
    column = rows[0].index("분류")
    assert {row[column] for row in rows[1:] if row[0] in ("W1", "W2")} == {"저촉"}
    assert any("[m]" in str(title) for title in rows[0])
    answer(monkeypatch, tmp_path / "굴착.pdf")
    click(qtbot, card_button(window, tr("results.pdf")))
    qtbot.waitUntil((tmp_path / "굴착.pdf").exists, timeout=60_000)
    settle(window, qtbot)
    assert (tmp_path / "굴착.pdf").read_bytes().startswith(b"%PDF")

    # A section across the main says its size and its cover.
    window.actions_["trench"].trigger()
    look_at(window, 30.0, 60.0)
    press(qtbot, window, local(window, 30.0, 56.0, LEVEL), local(window, 30.0, 64.0, LEVEL), button=LEFT)
    settle(window, qtbot)
    drawing = window.underground.drawing
    assert drawing is not None
    assert "200 mm" in drawing.svg
    assert "1.20" in drawing.svg, "the cover of the register"
    drawing.close()
    window.actions_["trench"].trigger()

    # A topic with what is seen, exported as BCF; the view comes back after the project is closed and opened.
    look_at(window, 60.0, 60.0)
    seen = window.viewport.camera
    window.actions_["topic_new"].trigger()
    dialog = window.topics.dialog
    dialog.title_edit.setText("상수관 이설 협의")
    click(qtbot, dialog.ok)
    settle(window, qtbot)
    answer(monkeypatch, tmp_path / "협의.bcf")
    window.actions_["topics_export"].trigger()
    menu = next((menu for menu in window.findChildren(QMenu) if menu.isVisible()), None)
    if menu is not None:
        menu.actions()[0].trigger()
        menu.close()
    qtbot.waitUntil((tmp_path / "협의.bcf").exists, timeout=60_000)
    settle(window, qtbot)
    (topic,) = read_bcf(tmp_path / "협의.bcf").topics
    assert topic.title == "상수관 이설 협의"
    assert topic.viewpoints[0].snapshot.startswith(b"\x89PNG")

    target = tmp_path / "현장.twin"
    answer(monkeypatch, target)
    window.actions_["save"].trigger()
    qtbot.waitUntil(target.exists, timeout=60_000)
    settle(window, qtbot)
    names = {(layer.theme, layer.name, layer.kind) for layer in window.document.scene}
    window.actions_["new"].trigger()
    settle(window, qtbot)
    assert [path for path in window.settings.recent if path.name == target.name]
    window.files.open_project(target)
    settle(window, qtbot)
    assert {(layer.theme, layer.name, layer.kind) for layer in window.document.scene} == names
    window.viewport.set_camera(looking(local(window, 10.0, 10.0, LEVEL), azimuth=90.0, pitch=-40.0, distance=300.0))
    topics = window.topics.panel.list
    window.topics.panel.show()
    window.topics.panel.raise_()
    place = topics.visualItemRect(topics.item(0)).center()
    qtbot.mouseClick(topics.viewport(), LEFT, pos=place)
    settle(window, qtbot)
    assert window.viewport.camera.position == pytest.approx(seen.position, abs=0.01)
    assert language.code == "ko"
    assert layer_of(window, "wtl_pipe").table.columns["cover"].values[0] == pytest.approx(1.2, abs=1e-6)


def write_schedule(path: Path, ids: list[str]) -> Path:
    """The first half of the elements was finished in time, of the rest nothing is reported."""
    lines = ["GUID,작업명,계획착수일,계획완료일,실제착수일,실제완료일"]
    for number, key in enumerate(ids):
        done = "2026-03-02,2026-03-05" if number < len(ids) // 2 else ","
        lines.append(f"{key},골조,2026-03-02,2026-03-06,{done}")
    path.write_text("\n".join(lines), encoding="utf-8-sig")
    return path


def shown_progress(window: MainWindow) -> Layer:
    """The result as the picture has it."""
    return next(layer for layer in window.viewport.seen if any(field.name == "progress" for field in layer.fields))


def progress_seen(window: MainWindow) -> set[str]:
    field = next(field for field in shown_progress(window).fields if field.name == "progress")
    return {field.categories[code] for code in field.values}


def test_a_schedule_is_dropped_and_tells_what_is_late(site: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    window = site
    model = next(layer for layer in window.document.scene if layer.theme == "bim")
    bases = sorted({str(key).partition("#")[0] for key in model.table.ids})
    drop(window, [write_schedule(tmp_path / "공정표.csv", bases)])
    settle(window, qtbot)
    click(qtbot, window.files.import_dialog.import_button)
    settle(window, qtbot)
    window.show_analysis("construction.progress")
    window.analyses.form.set_values({"day": "2026-03-16"})
    click(qtbot, window.analyses.run_button)
    settle(window, qtbot)
    run = runs_of(list(window.document.scene))[0]
    assert run.analysis_id == "construction.progress"
    told = {name: item["value"] for name, item in run.record["summary"].items()}
    assert told["due_share"] == 100.0
    assert told["most_late"] == 10.0
    legend = legend_for(list(window.document.scene))
    assert {"끝남", "완료 늦음"} <= {text for text, _ in legend.classes}
    # The date is set back by a week, then let run: what is not there yet becomes a veil, and what is done stands.
    window.timeline.set_day(date(2026, 3, 1))
    assert progress_seen(window) == {"not_due"}
    assert len(shown_progress(window).style.faded) == len(shown_progress(window).table)
    assert "2026-03-01" in legend_for(list(window.viewport.seen)).subtitle
    window.timeline.speed.setCurrentText(tr("timeline.days", count=7))
    click(qtbot, window.timeline.play_button)
    qtbot.waitUntil(lambda: window.timeline.day >= date(2026, 3, 8), timeout=60_000)
    click(qtbot, window.timeline.play_button)
    assert progress_seen(window) == {"done", "late"}
    assert not shown_progress(window).style.faded
    settle(window, qtbot)
    # The table, filtered, leads to an element that is late.
    click(qtbot, card_button(window, tr("results.table")))
    settle(window, qtbot)
    qtbot.keyClicks(window.table.filter_line, "days_late > 0")
    qtbot.waitUntil(lambda: 0 < len(window.table.model.rows) < len(model.table), timeout=60_000)
    window.table.view.selectRow(0)
    settle(window, qtbot)
    click(qtbot, window.table.buttons["table.zoom"])
    assert window.document.selection.items[0].element_id.partition("#")[0] in set(bases[len(bases) // 2 :])
    window.actions_["undo"].trigger()
    assert not runs_of(list(window.document.scene))
