"""The window driven like a person: errors, languages, themes, layouts, search, keys, files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from psygnal import EmitLoopError
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDropEvent
from PySide6.QtWidgets import QAbstractButton, QLabel

from analysis.contract import Quantity, Result
from app.crs_choice import map_extent
from app.import_dialog import ImportDialog, examine_all
from app.language import language
from app.main_window import MainWindow
from app.search import parse_place
from geo.model import ElementRef, Feedback, Layer, Selection, UserError
from tests.app import tiny_city
from tests.app.window_hands import WAIT_MS, WaitParams, made_analysis, settle

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]


def test_a_broken_file_is_told_calmly_and_changes_nothing(city: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.twin"
    broken.write_text("{", encoding="utf-8")
    city.bench.open_project(broken)
    settle(city, qtbot)
    card = city.notice_area.cards[-1]
    assert "broken.twin" in card.text
    assert "Traceback" not in card.text
    assert len(city.document.scene) == 2
    assert city.notice_area.bug_dialog is None


def test_a_file_of_an_unknown_kind_stands_in_the_import_list_with_its_reason(
    window: MainWindow, tmp_path: Path
) -> None:
    strange = tmp_path / "strange.bin"
    strange.write_bytes(bytes(range(256)))
    examined = examine_all([strange, *tiny_city.write_files(tmp_path)], None, Feedback())
    dialog = ImportDialog(examined, frame=None, project=None, theme=window.bench.theme, parent=window)
    assert [page.is_ready for page in dialog.pages] == [False, True, True]
    assert dialog.import_button.isEnabled()
    assert [request.path.name for request in dialog.requests] == ["ground.tif", "houses.geojson"]
    dialog.deleteLater()


def test_a_file_without_a_system_must_be_given_one(window: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    tif, _ = tiny_city.write_files(tmp_path)
    bare = tmp_path / "bare.asc"
    rows = "\n".join(" ".join("20" for _ in range(5)) for _ in range(5))
    bare.write_text(f"ncols 5\nnrows 5\nxllcorner 229000\nyllcorner 435800\ncellsize 5\n{rows}\n", encoding="utf-8")
    examined = examine_all([bare], None, Feedback())
    dialog = ImportDialog(examined, frame=None, project=None, theme=window.bench.theme, parent=window)
    assert not dialog.import_button.isEnabled()
    page = dialog.pages[0]
    assert page.crs_box is not None
    codes = [page.crs_box.itemData(n) for n in range(page.crs_box.count())]
    assert codes[0] in ("EPSG:5186", "EPSG:5181", "EPSG:5174", "EPSG:5185", "EPSG:5187", "EPSG:5188")
    page.crs_box.setEditText("5186")
    west, south, east, north = map_extent(page.examined.info.bounds, "EPSG:5186", None)
    assert (round(east - west), round(north - south)) == (25, 25)
    assert dialog.import_button.isEnabled()
    assert dialog.requests[0].options.crs == "EPSG:5186"
    page.crs_box.setEditText("99999999")
    assert not dialog.import_button.isEnabled()
    dialog.deleteLater()
    assert tif.exists()


def test_a_mistake_of_the_program_gives_one_dialog_with_text_to_copy(city: MainWindow, qtbot: Any) -> None:
    def broken(inputs: Any, params: Any, feedback: Feedback) -> Result:
        raise ZeroDivisionError("the second law")

    for _ in range(2):
        job = city.bench.run(made_analysis(broken), {})
        qtbot.waitUntil(lambda job=job: job.is_over)
    dialog = city.notice_area.bug_dialog
    assert dialog is not None
    assert dialog.isVisible()
    assert dialog.text.toPlainText().count("the second law") >= 2
    dialog.accept()
    assert city.notice_area.bug_dialog is None


def error_of_a_listener() -> BaseException:
    """What comes out of a model signal when a listener raises an error of the user's."""

    def listener() -> None:
        raise UserError("What.", "Why.", "Do.")

    selection = Selection()
    selection.changed.connect(listener)
    with pytest.raises(EmitLoopError) as caught:
        selection.set([ElementRef("a")])
    return caught.value


def test_an_error_of_the_user_inside_a_listener_stays_calm(city: MainWindow) -> None:
    city.bench.notices.report(error_of_a_listener())
    assert "What." in city.notice_area.cards[-1].text
    assert city.notice_area.bug_dialog is None


def test_errors_are_in_the_language_in_use(city: MainWindow) -> None:
    error = UserError("English.", "Because.", "Do.", code="window.display")
    city.bench.notices.report(error)
    card = city.notice_area.cards[-1]
    city.set_language("ko")
    assert "창을 열 수 없습니다" in card.text


def visible_texts(window: MainWindow) -> set[str]:
    texts = {menu.title() for menu in window.menuBar().findChildren(type(window.recent_menu)) if menu.title()}
    texts |= {a.text() for a in window.findChildren(QAction) if a.text()}
    texts |= {b.text() for b in window.findChildren(QAbstractButton) if b.text()}
    texts |= {panel.windowTitle() for panel in window.panels.values()}
    return texts | {label.text() for label in window.findChildren(QLabel) if label.text()}


def has_letters(text: str) -> bool:
    return sum(c.isascii() and c.isalpha() for c in text) > 3


def test_switching_to_korean_leaves_no_english_behind(city: MainWindow, qtbot: Any) -> None:
    city.document.selection.set([ElementRef("houses")])
    city.analyses.choose("sunlight.hours")
    city.set_language("ko")
    qtbot.wait(50)
    own = {"English", "Houses", "Ground", "EPSG:5186", "test.doubt"}
    english = {
        text
        for text in visible_texts(city)
        if has_letters(text) and not any("가" <= c <= "힣" for c in text) and text.strip() not in own
    }
    assert english == set()
    city.set_language("en")
    assert city.actions_["save"].text() == "Save"
    assert city.settings.language == "en"


def test_theme_changes_window_and_picture(city: MainWindow, qtbot: Any) -> None:
    light = city.grab().toImage().pixelColor(5, 5).lightness()
    city.actions_["theme_dark"].trigger()
    qtbot.waitUntil(lambda: city.dressing.are_over, timeout=WAIT_MS)
    dark = city.grab().toImage().pixelColor(5, 5).lightness()
    assert light > 200 > 90 > dark
    assert city.viewport.theme.is_dark
    assert city.settings.theme == "dark"
    city.actions_["theme_light"].trigger()


def test_layouts_are_arrangements_and_reset_brings_all_back(city: MainWindow, qtbot: Any) -> None:
    assert not city.panels["alternatives"].isHidden()
    city.actions_["layout_build"].trigger()
    assert city.panels["alternatives"].isHidden()
    assert not city.panels["timeline"].isHidden()
    city.panels["layers"].close()
    city.actions_["reset_layout"].trigger()
    assert not city.panels["layers"].isHidden()
    city.actions_["layout_plan"].trigger()
    assert not city.panels["alternatives"].isHidden()


def test_search_finds_commands_elements_and_places(city: MainWindow, qtbot: Any) -> None:
    city.open_search()
    box = city._search
    assert box is not None
    qtbot.keyClicks(box.line, "Dogw")
    qtbot.keyClick(box.line, Qt.Key.Key_Return)
    assert city.document.selection.items == (ElementRef("houses", "B4"),)
    assert not box.isVisible()
    city.open_search()
    qtbot.keyClicks(box.line, "from above")
    assert "From above" in box.list.item(0).text()
    box.line.setText("229030 435830")
    assert "229,030" in box.list.item(0).text()
    qtbot.keyClick(box.line, Qt.Key.Key_Escape)
    box.hide()


def test_keys_alone_are_enough(city: MainWindow, qtbot: Any) -> None:
    """Run, undo and look from above without a mouse; a figure typed into a field is no shortcut."""
    city.analyses.choose("sunlight.hours")
    city.analyses.form.set_values({"step": 60, "ground_cell": 10.0, "facades": False})
    city.activateWindow()
    qtbot.waitUntil(city.isActiveWindow)
    qtbot.keyClick(city, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: bool(city.results.cards), timeout=WAIT_MS)
    qtbot.keyClick(city, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not city.results.cards)
    qtbot.keyClick(city, Qt.Key.Key_7)
    assert city.viewport.camera.pitch < -80
    city.set_view("home")
    box = city.analyses.form.editors["step"].spin_box
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "27")
    qtbot.keyClick(box, Qt.Key.Key_Tab)
    assert city.analyses.form.values()["step"] == 27
    assert city.viewport.camera.pitch > -80


def test_coordinates_are_read_both_ways() -> None:
    frame = tiny_city.frame()
    assert parse_place("229110 435795", frame) == (229110.0, 435795.0)
    assert parse_place("229,110 435,795", frame) == (229110.0, 435795.0)
    east, north = parse_place(f"{frame.latitude:.7f}, {frame.longitude:.7f}", frame)
    assert abs(east - frame.origin[0]) < 0.1
    assert abs(north - frame.origin[1]) < 0.1
    assert parse_place("36.52,127.325", frame) == parse_place("36.52 127.325", frame)
    assert parse_place("block 12 34", frame) is None
    assert parse_place("12", frame) is None
    assert parse_place("705-1", frame) is None  # a room


def test_the_sun_follows_the_slider(city: MainWindow, qtbot: Any) -> None:
    from datetime import date

    city.timeline.set_day(date(2026, 12, 22))
    settle(city, qtbot)
    city.timeline.set_minute(12 * 60 + 29)
    azimuth, elevation = city.timeline.sun()
    assert abs(azimuth - 180.0) < 0.5
    assert abs(elevation - 30.1) < 0.2
    assert "07:3" in city.timeline.day_text.text()
    assert city.timeline.zone.text() == "KST"
    seen: list[object] = []
    city.bench.sun_requested.connect(seen.append)
    slider = city.timeline.slider
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() * 2 // 3, 10))
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() * 2 // 3, 10))
    assert seen
    assert seen[-1] is not None
    city.timeline.set_minute(60)
    assert city.timeline.sun() is None


def test_help_opens_at_the_panel_in_focus(city: MainWindow, qtbot: Any) -> None:
    city.activateWindow()
    city.layers.tree.setFocus()
    city.open_help("layers")
    assert city._help.current == "layers"
    city.open_help("analysis:sunlight.hours")
    assert "Hours of direct sun" in city._help.text.toPlainText()
    city.set_language("ko")
    assert "일조시간" in city._help.text.toPlainText()
    city._help.close()


def test_none_survives_what_qt_does_to_it(city: MainWindow) -> None:
    """Each absent property costs a reference of None; without the guard the interpreter would abort."""
    for _ in range(30_000):
        city.property("absent")


def test_the_program_starts_on_a_project_and_ends_cleanly(screen: None, tmp_path: Path) -> None:
    """The real entry, in a process of its own: opens, shows, closes, leaves no thread and no complaint."""
    code = (
        "import sys, threading\n"
        "from PySide6.QtCore import QTimer\n"
        "from PySide6.QtWidgets import QApplication\n"
        "from app.window_main import run_window\n"
        "application = QApplication(['twin'])\n"
        "QTimer.singleShot(2500, application.closeAllWindows)\n"
        "status = run_window(None)\n"
        "left = [t.name for t in threading.enumerate() if t.name.startswith('job ')]\n"
        "sys.exit(f'threads: {left}' if left else status)\n"
    )
    environment = {**os.environ, "TWIN_CACHE": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    environment["XDG_STATE_HOME"] = str(tmp_path)
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.rglob("twin.log"))


def test_files_dropped_on_the_window_are_looked_at(window: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    files = tiny_city.write_files(tmp_path)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    middle = QPointF(window.rect().center())
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    assert window.acceptDrops()
    window.dropEvent(QDropEvent(middle, Qt.DropAction.CopyAction, data, buttons, keys))
    qtbot.waitUntil(lambda: window.findChild(ImportDialog) is not None, timeout=WAIT_MS)
    dialog = window.findChild(ImportDialog)
    assert len(dialog.pages) == 2
    dialog.reject()


def test_report_export_and_picture_are_written(city: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    image = city.viewport.grab_picture(320, 200)
    assert (image.width(), image.height()) == (320, 200)
    panel = city.analyses
    panel.choose("sunlight.hours")
    panel.form.set_values({"step": 60, "ground_cell": 10.0, "facades": False})
    panel.run()
    qtbot.waitUntil(lambda: bool(city.results.cards), timeout=WAIT_MS)
    city.bench.export_run(city.results.cards[0].run, tmp_path / "out")
    city.bench.write_report(tmp_path / "report.html")
    qtbot.waitUntil(lambda: not city.bench.jobs.busy, timeout=WAIT_MS)
    assert (tmp_path / "out" / "result.json").exists()
    assert (tmp_path / "report.html").stat().st_size > 10_000
    assert {card.notice.severity for card in city.notice_area.cards} <= {"note", "doubt"}


def test_every_menu_action_has_a_title_and_no_shortcut_twice(window: MainWindow) -> None:
    from app.actions import ACTIONS, MORE_SHORTCUTS

    keys = [spec.shortcut for spec in ACTIONS if spec.shortcut] + [k for v in MORE_SHORTCUTS.values() for k in v]
    # Keys for what is selected: of their actions only one is enabled at a time.
    shared = {key for key in keys if keys.count(key) > 1}
    assert shared <= {"Delete", "Shift+F"}
    assert all(window.actions_[spec.id].text() for spec in ACTIONS)


def test_a_result_shows_its_figures_with_units(city: MainWindow, qtbot: Any) -> None:
    def answer(inputs: Any, params: WaitParams, feedback: Feedback) -> Result:
        feedback.step(0.5)
        mark = Layer("mark", "Mark", "result", tiny_city.terrain().geometry)
        return Result((mark,), {"area": Quantity(1234.5, "m2")}, assumptions=("Nothing moves.",))

    city.bench.run(made_analysis(answer), {})
    qtbot.waitUntil(lambda: bool(city.results.cards))
    text = "\n".join(label.text() for label in city.results.cards[0].findChildren(QLabel))
    assert "1,234.5 m²" in text
    assert "Nothing moves." in text
    assert language.code == "en"
