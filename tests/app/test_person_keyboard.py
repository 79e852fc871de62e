"""A day without a mouse: the sample, a study, its result, the report, saving; and where the focus is meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLabel, QScrollArea, QTabBar, QWidget

from app.focus_order import is_covered, panel_around
from app.main_window import MainWindow
from app.panels.analyses import AnalysesPanel
from app.report_builder import ReportBuilder
from app.shown_runs import runs_of
from geo.model import ElementRef
from tests.app.person import (
    CONTROL,
    SHIFT,
    focused,
    give_keys,
    offer_corner,
    press,
    rest,
    shown_dialog,
    until,
    wake,
    write,
)
from tests.app.view_scene import need_graphics

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]
PATIENCE = 200.0  # [s] other things may run on the machine
MOST_TABS = 160  # through the whole window
RING = 3  # pixels around a widget in which its focus may be shown


@pytest.fixture
def desk(window: MainWindow, monkeypatch: Any) -> MainWindow:
    """The window as it starts; its sample is a corner of the district."""
    need_graphics()
    offer_corner(monkeypatch)
    window.resize(1366, 768)
    wake(window)
    return window


@pytest.fixture
def opened(desk: MainWindow) -> MainWindow:
    """The sample is open."""
    open_sample(desk)
    return desk


def open_sample(window: MainWindow) -> None:
    """The first tile of the start page has the focus; Space presses it."""
    assert focused() is window.start_page.tiles["sample"]
    press(Qt.Key.Key_Space)
    until(lambda: len(window.document.scene) == 3, seconds=PATIENCE)
    rest(window)
    wake(window)


def find(window: MainWindow, words: str) -> None:
    """Ctrl+K, what is looked for, Enter."""
    wake(window)
    press(Qt.Key.Key_K, CONTROL)
    write(words)
    rest(window)
    press(Qt.Key.Key_Return)
    wake(window)


def wait_a_moment() -> None:
    end = time.monotonic() + 0.15
    until(lambda: time.monotonic() > end)


def stops(window: QWidget, *, back: bool = False) -> Iterator[QWidget]:
    """Where Tab goes, until it comes round."""
    first = focused()
    for _ in range(MOST_TABS):
        press(Qt.Key.Key_Backtab if back else Qt.Key.Key_Tab, SHIFT if back else Qt.KeyboardModifier.NoModifier)
        yield focused()
        if focused() is first:
            return
    raise AssertionError(f"Tab never comes back to {first}")


def picture_around(widget: QWidget) -> QImage:
    """What the window shows of a widget and of the pixels beside it."""
    top = widget.window()
    area = QRect(widget.mapTo(top, widget.rect().topLeft()), widget.size())
    return top.grab(area.adjusted(-RING, -RING, RING, RING)).toImage()


def shows_focus(widget: QWidget) -> bool:
    """Whether the picture of a widget is another without the focus."""
    with_focus = picture_around(widget)
    widget.clearFocus()
    without = picture_around(widget)
    widget.setFocus(Qt.FocusReason.TabFocusReason)
    return with_focus != without


def name_of(widget: QWidget) -> str:
    text = getattr(widget, "text", None)
    return widget.accessibleName() or (str(text()) if callable(text) else "") or widget.objectName()


def test_from_the_start_page_to_a_saved_project(desk: MainWindow, tmp_path: Path, monkeypatch: Any) -> None:
    window = desk
    open_sample(window)
    state = window.document.history.state
    # The study, found by its words; its form is in front, and Ctrl+Enter runs it.
    find(window, "sun hours")
    assert window.analyses.analysis is not None
    assert window.analyses.analysis.id == "sunlight.hours"
    assert isinstance(panel_around(focused()), AnalysesPanel)
    assert window.analyses.form is not None
    window.analyses.form.set_values({"step": 60, "ground_cell": 10.0, "facades": False})
    press(Qt.Key.Key_Return, CONTROL)
    until(lambda: len(runs_of(tuple(window.document.scene))) == 1, seconds=PATIENCE)
    rest(window)
    assert not window.results.visibleRegion().isEmpty()
    # A look around: from above, nearer, the hour before.
    give_keys(window.viewport)
    before, minute = window.viewport.camera, window.timeline.minute
    press(Qt.Key.Key_7)
    assert window.viewport.camera != before
    press(Qt.Key.Key_Comma)
    assert window.timeline.minute == minute - 5
    # A view of the menu, by its letter.
    find(window, "dark")
    assert window.bench.theme.is_dark
    # The report and the project.
    page, project = tmp_path / "report.html", tmp_path / "mine.twin"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(page), ""))
    press(Qt.Key.Key_R, CONTROL)
    dialog = shown_dialog(window, ReportBuilder)
    wake(dialog)
    assert focused() is dialog.title
    write("Keys only")
    press(Qt.Key.Key_Return)
    until(page.exists, seconds=PATIENCE)
    rest(window)
    assert "Keys only" in page.read_text(encoding="utf-8")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(project), ""))
    wake(window)
    press(Qt.Key.Key_S, CONTROL)
    until(lambda: project.exists() and not window.document.modified, seconds=PATIENCE)
    # All of it undone and done again.
    for _ in range(20):
        if window.document.history.undo_title is not None:
            press(Qt.Key.Key_Z, CONTROL)
    rest(window)
    assert window.document.history.state == state
    assert not runs_of(tuple(window.document.scene))
    press(Qt.Key.Key_Y, CONTROL)
    rest(window)
    assert len(runs_of(tuple(window.document.scene))) == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_tab_goes_everywhere_and_is_seen_everywhere(opened: MainWindow, theme: str) -> None:
    window = opened
    window.bench.set_theme(theme)
    until(lambda: window.dressing.are_over)
    rest(window)
    give_keys(window.viewport)
    panels, unseen, nameless, last = set(), [], [], None
    for widget in stops(window):
        if widget is last:
            continue  # the next part of a date
        last = widget
        assert widget.isVisible()
        assert not is_covered(widget), f"{name_of(widget)} lies behind another panel"
        panel = panel_around(widget)
        panels.add(panel.name if panel else "")
        if widget is window.viewport:
            continue
        if not name_of(widget) and not isinstance(widget, QTabBar | QScrollArea):  # these are told by what is in them
            nameless.append(f"{type(widget).__name__} in {panel.name if panel else 'the window'}")
        if not shows_focus(widget):
            unseen.append(f"{type(widget).__name__} {name_of(widget)} in {panel.name if panel else 'the window'}")
    assert {"layers", "analyses", "timeline"} <= panels
    assert not unseen, "\n".join(dict.fromkeys(unseen))
    assert not nameless, "\n".join(dict.fromkeys(nameless))
    assert len(list(stops(window, back=True))) > 20  # and back again


def test_every_panel_is_reached_by_its_command_and_left_by_tab(opened: MainWindow) -> None:
    """No trap: in each panel Tab comes out on the other side, and F1 opens its page."""
    window = opened
    for name, panel in window.panels.items():
        window.show_panel(name)
        rest(window)
        inside = [one for one in panel.findChildren(QWidget) if one.focusPolicy() & Qt.FocusPolicy.TabFocus]
        inside = [one for one in inside if one.isVisible() and one.isEnabled()]
        if not inside:
            continue
        inside[0].setFocus(Qt.FocusReason.TabFocusReason)
        for _ in range(MOST_TABS):
            press(Qt.Key.Key_Tab)
            if panel_around(focused()) is not panel:
                break
        else:
            raise AssertionError(f"Tab does not leave {name}")
        inside[0].setFocus(Qt.FocusReason.TabFocusReason)
        press(Qt.Key.Key_F1)
        rest(window)
        page = window._help.current
        wanted = f"analysis:{window.analyses.analysis.id}" if name == "analyses" else panel.help_page
        assert page == wanted, name
        window._help.close()
        wake(window)


MODES = (
    "walk",
    "fly",
    "section",
    "section_box",
    "storeys",
    "mass_new",
    "measure_line",
    "measure_area",
    "measure_profile",
)
MODES += ("measure_sight", "camera_place", "purifier_place", "draw_excavation", "place_device", "trench")


def is_free(window: MainWindow) -> bool:
    """Whether no mode, no drawing and no dialog is left."""
    tool = window.viewport._drawing
    return (
        (tool is None or not tool.active)
        and not window.modes.active
        and not window.masses.active
        and not window.cameras.placing.active
        and not any(one.isVisible() for one in window.findChildren(QDialog))
    )


def test_escape_leaves_every_mode(opened: MainWindow) -> None:
    window, stuck, tried = opened, [], 0
    building = window.document.scene["buildings-building"]
    for action_id in MODES:
        window.document.selection.set([ElementRef(building.id, str(building.table.ids[0]))])
        wake(window)
        give_keys(window.viewport)
        if not window.actions_[action_id].isEnabled():
            continue
        window.actions_[action_id].trigger()
        rest(window)
        tried += 0 if is_free(window) else 1
        for _ in range(3):
            for dialog in window.findChildren(QDialog):
                if dialog.isVisible():
                    wake(dialog)
            press(Qt.Key.Key_Escape)
            wait_a_moment()
        wake(window)
        if not is_free(window) or QApplication.focusWidget() is None:
            stuck.append(action_id)
            window.modes.leave()
    assert not stuck
    assert tried >= 12


def walk_through(dialog: QDialog) -> list[str]:
    """What is wrong with the way of Tab through a dialog: nothing seen, no name, or a trap."""
    wake(dialog)
    wrong, last, seen = [], None, set()
    for widget in stops(dialog):
        assert widget.window() is dialog, "Tab leaves the dialog"
        seen.add(widget)
        if widget is last:
            continue
        last = widget
        if not name_of(widget) and not is_labelled(widget) and not isinstance(widget, QTabBar | QScrollArea):
            wrong.append(f"{type(widget).__name__} has no name")
        if not shows_focus(widget):
            wrong.append(f"the focus of {type(widget).__name__} {name_of(widget)} is not seen")
    if len(seen) < 2 and len(reachable(dialog)) > 1:
        wrong.append(f"Tab does not leave {type(last).__name__}")
    return wrong


def reachable(dialog: QDialog) -> list[QWidget]:
    """What Tab should come by."""
    every = dialog.findChildren(QWidget)
    return [one for one in every if one.isVisible() and one.isEnabled() and one.focusPolicy() & Qt.FocusPolicy.TabFocus]


def is_labelled(widget: QWidget) -> bool:
    """Whether a label before it tells what it is."""
    around = {widget, widget.parentWidget()}
    return any(label.buddy() in around for label in widget.window().findChildren(QLabel) if label.buddy() is not None)


def test_tab_is_seen_in_dialogs_and_stays_in_them(opened: MainWindow) -> None:
    window, wrong = opened, []
    building = window.document.scene["buildings-building"]
    window.document.selection.set([ElementRef(building.id, str(building.table.ids[0]))])
    for action_id in ("tree_plant", "mass_copy", "report", "settings"):
        wake(window)
        give_keys(window.viewport)
        window.actions_[action_id].trigger()
        if action_id == "mass_copy":
            window.masses.edit()
        rest(window)
        shown = [one for one in window.findChildren(QDialog) if one.isVisible()]
        assert shown, action_id
        for dialog in shown:
            wrong += [f"{action_id}: {said}" for said in walk_through(dialog)]
            press(Qt.Key.Key_Escape)
            wait_a_moment()
        assert not [one for one in window.findChildren(QDialog) if one.isVisible()], action_id
    window.masses.finish()
    assert not wrong, "\n".join(dict.fromkeys(wrong))


def test_tab_is_seen_in_every_other_dialog(opened: MainWindow) -> None:
    from tests.app.test_nothing_cut import DIALOGS

    window, wrong = opened, []
    for name, make in DIALOGS.items():
        dialog = make(window)
        dialog.setModal(False)
        dialog.show()
        wake(dialog)
        rest(window)
        wrong += [f"{name}: {one}" for one in walk_through(dialog)]
        dialog.close()
        dialog.deleteLater()
    assert not wrong, "\n".join(wrong)
