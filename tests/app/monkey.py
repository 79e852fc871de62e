"""A user who does anything at any time: random actions in the real window, repeatable by their seed."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEventLoop, QPoint, Qt, QTimer
from PySide6.QtGui import QAction, QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFileDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QSpinBox,
    QTabBar,
    QWidget,
)
from shiboken6 import isValid

from analysis.registry import analyses
from app.jobs import StallMeter
from app.main_window import MainWindow
from app.report_builder import ReportBuilder
from geo.model import ElementRef
from tests.app import tiny_city
from tests.app.document_state import difference, state_of

# These end the program, take minutes or leave the window; each has tests of its own.
NOT_DONE = {"quit", "sample", "tour"}
REMEMBERED = 30
PATIENCE_S = 120.0  # a busy machine compiles what it runs first for a long time, and is not stopped in that
WORST = 5
TEXTS = ("", "0", "-1", "1e9", "12.5", "abc", "서울 세종", "height > 20", "<b>&amp;", "2026-06-21", "x" * 300)
KEYS = (
    *(Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_Tab),
    *(Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_Space),
    *(Qt.Key.Key_W, Qt.Key.Key_A, Qt.Key.Key_S, Qt.Key.Key_R, Qt.Key.Key_G, Qt.Key.Key_5, Qt.Key.Key_Plus),
)
MODIFIERS = (
    *[Qt.KeyboardModifier.NoModifier] * 4,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
POKED = (QAbstractButton, QAbstractItemView, QAbstractSlider, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QTabBar)


def pump(milliseconds: int) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


class _Errors(logging.Handler):
    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self.tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != "app.notices":  # these come as reports of bugs
            self.tell(f"log {record.name}: {self.format(record)}")


class Monkey:
    """Does random things and writes down what went wrong.

    Attributes
    ----------
    done : list of str
        What was done, in order.
    faults : list of (int, str)
        Number of the action and what went wrong in it.
    stalls : list of (float, str)
        Longest gap of the event loop during each action [s].
    times : list of (float, str)
        How long each action took in all [s].
    """

    def __init__(self, window: MainWindow, seed: int, folder: Path, monkeypatch: Any) -> None:
        self.window, self.seed, self.folder = window, seed, folder
        self.done: list[str] = []
        self.faults: list[tuple[int, str]] = []
        self.stalls: list[tuple[float, str]] = []
        self.times: list[tuple[float, str]] = []
        self.random = random.Random(seed)
        self._cleared = False
        self._files = [*tiny_city.write_files(folder), folder / "absent.geojson", *_broken_files(folder)]
        self._errors = _Errors(self._fault)
        self._meter = StallMeter()
        self._patch(monkeypatch)
        self.start = state_of(window.document)

    # ---- the world around the window --------------------------------------------------

    def _patch(self, monkeypatch: Any) -> None:
        def one_file(*_: object) -> tuple[str, str]:
            return (str(self._old_file()) if self.random.random() < 0.6 else "", "")

        def files(*_: object) -> tuple[list[str], str]:
            return ([str(self._old_file())] if self.random.random() < 0.6 else [], "")

        def new_file(_parent: object, _title: str, wish: str, kinds: str = "", *_: object) -> tuple[str, str]:
            name = Path(wish).name or "written"
            return (str(self.folder / name) if self.random.random() < 0.6 else "", kinds.split(";;")[0])

        def some_folder(*_: object) -> str:
            made = self.folder / f"folder{len(self.done)}"
            made.mkdir(exist_ok=True)
            return str(made) if self.random.random() < 0.6 else ""

        def refuse(dialog: QDialog) -> int:
            dialog.show()
            pump(20)
            self._poke_inside(dialog, 3)
            if isValid(dialog):
                dialog.reject()
            return int(QDialog.DialogCode.Rejected)

        document, clear = self.window.document, self.window.document.clear

        def cleared() -> None:
            clear()
            self._cleared = True

        monkeypatch.setattr(QFileDialog, "getOpenFileName", one_file)
        monkeypatch.setattr(QFileDialog, "getOpenFileNames", files)
        monkeypatch.setattr(QFileDialog, "getSaveFileName", new_file)
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", some_folder)
        monkeypatch.setattr(QDesktopServices, "openUrl", lambda _url: True)
        monkeypatch.setattr(QDialog, "exec", refuse)
        monkeypatch.setattr(document, "clear", cleared)
        monkeypatch.setattr(self.window.bench, "make_sample", lambda: None)

    def _old_file(self) -> Path:
        projects = sorted(self.folder.glob("*.twin"))
        return self.random.choice([*self._files, *projects])

    def _fault(self, text: str) -> None:
        self.faults.append((len(self.done), text))

    # ---- the run --------------------------------------------------

    def run(self, count: int, *, limit_s: float, check_each: int = 100, stop_at_fault: bool = True) -> None:
        """Do so many things; now and then, and at the end, undo everything and compare with the start.

        limit_s : float
            After this time it comes to an end, however many were done [s].
        """
        until = time.monotonic() + limit_s
        notices = self.window.bench.notices
        notices.install_hooks()
        notices.bug_found.connect(self._fault)
        logging.getLogger().addHandler(self._errors)
        try:
            for number in range(1, count + 1):
                self._step(number)
                over = number == count or time.monotonic() > until or bool(self.faults and stop_at_fault)
                if number % check_each == 0 or over:
                    self._check_history()
                if over:
                    break
            self._tidy()
        finally:
            logging.getLogger().removeHandler(self._errors)
            notices.bug_found.disconnect(self._fault)
            notices.remove_hooks()

    def _step(self, number: int) -> None:
        # Each action has luck of its own: that a job ended earlier or later does not change all that follows.
        self.random = random.Random(self.seed * 1_000_003 + number)
        self._meter.start()
        began = time.monotonic()
        acts = (
            self._act,
            self._act,
            self._act,
            self._mouse,
            self._mouse,
            self._key,
            self._poke,
            self._poke,
            self._poke,
        )
        act = self.random.choice((*acts, self._select, self._study, self._undo, self._hide_or_show, self._context))
        self.done.append(act.__name__)
        try:
            act()
            pump(15)
            self._answer()
        except Exception as error:  # noqa: BLE001 - a mistake outside of Qt's loop is one too
            self.window.bench.notices.report(error)
        if len(self.window.bench.jobs.running) > 1 or number % 7 == 0:
            self.window.bench.jobs.cancel_all()
        self.stalls.append((self._meter.stop(), f"{number}: {self.done[-1]}"))
        self.times.append((time.monotonic() - began, self.stalls[-1][1]))
        if self._cleared:
            self._begin_again()

    def _say(self, text: str) -> None:
        self.done[-1] += f" {text}"

    def _begin_again(self) -> None:
        """After a new or another project: four boxes, and a start to come back to."""
        self.settle()
        self._cleared = False
        if not len(self.window.document.scene):
            tiny_city.fill(self.window.document)
            self.window.bench.document_opened.emit()
        self.window.document.history.clear()
        self.start = state_of(self.window.document)

    def settle(self) -> bool:
        """Until nothing runs; what does not stop is a fault."""
        jobs, until = self.window.bench.jobs, time.monotonic() + PATIENCE_S
        jobs.cancel_all()
        pump(350)
        while jobs.busy and time.monotonic() < until:
            jobs.cancel_all()
            pump(50)
        if jobs.busy:
            self._fault(f"jobs left running: {[job.title for job in jobs._jobs if not job.is_over]}")
        return not jobs.busy

    def _check_history(self) -> None:
        """Undo to the start, and redo what was undone."""
        self._leave_tools()
        self.settle()
        self._answer()
        document = self.window.document
        if self._cleared:
            self._begin_again()
        before, whole = state_of(document), len(document.history._done) < 200
        steps = 0
        while document.history.undo_title is not None:
            document.history.undo()
            steps += 1
        if whole and (wrong := difference(self.start, state_of(document))):
            self._fault(f"undoing everything does not give the start: {wrong}")
        self.start = state_of(document)
        for _ in range(steps):
            document.history.redo()
        if wrong := difference(before, state_of(document)):
            self._fault(f"redoing everything does not give the end: {wrong}")
        while self.random.random() < 0.9 and document.history.undo_title is not None:
            document.history.undo()
        pump(20)

    def _leave_tools(self) -> None:
        for _ in range(3):
            QTest.keyClick(self.window.viewport, Qt.Key.Key_Escape)
            pump(10)

    def _tidy(self) -> None:
        """Close what was opened beside the window."""
        self._leave_tools()
        self._answer()
        for widget in QApplication.topLevelWidgets():
            if widget is not self.window and widget.isVisible():
                widget.close()
        self.settle()
        self._answer()

    # ---- what a user does --------------------------------------------------

    def _act(self) -> None:
        """Something of the table of actions."""
        able = [(key, a) for key, a in self.window.actions_.items() if a.isEnabled() and key not in NOT_DONE]
        key, action = self.random.choice(able)
        self._say(key)
        action.trigger()

    def _mouse(self) -> None:
        """A click, a double click or a drag in the picture."""
        picture = self.window.viewport
        if not picture.isVisible():
            return
        start, end = self._place(picture), self._place(picture)
        button = self.random.choice([Qt.MouseButton.LeftButton] * 5 + [Qt.MouseButton.RightButton])
        keys = self.random.choice(MODIFIERS)
        kind = self.random.choice(("click", "click", "click", "double", "drag"))
        self._say(f"{kind} {button.name} {keys.name} {start.toTuple()} {end.toTuple()}")
        if kind == "double":
            QTest.mouseDClick(picture, button, keys, start)
        elif kind == "click":
            QTest.mouseMove(picture, start)
            QTest.mouseClick(picture, button, keys, start)
        else:
            QTest.mousePress(picture, button, keys, start)
            for part in (0.3, 0.7, 1.0):
                QTest.mouseMove(picture, start + (end - start) * part)
                pump(5)
            QTest.mouseRelease(picture, button, keys, end)

    def _place(self, widget: QWidget) -> QPoint:
        return QPoint(self.random.randrange(max(1, widget.width())), self.random.randrange(max(1, widget.height())))

    def _key(self) -> None:
        """A key for the picture or for what has the focus."""
        key, modifier = self.random.choice(KEYS), self.random.choice(MODIFIERS)
        where = QApplication.focusWidget() if self.random.random() < 0.4 else self.window.viewport
        self._say(f"{key.name} {modifier.name} {type(where).__name__}")
        QTest.keyClick(where or self.window.viewport, key, modifier)

    def _poke(self) -> None:
        """Something in a panel or in a window that is open."""
        windows = [w for w in QApplication.topLevelWidgets() if w.isVisible() and w is not self.window]
        shown = [panel for panel in self.window.panels.values() if not panel.visibleRegion().isEmpty()]
        place = self.random.choice([*shown, *windows, self.window.centralWidget()])
        self._say(place.objectName() or type(place).__name__)
        self._poke_inside(place, 1)

    def _poke_inside(self, place: QWidget, times: int) -> None:
        for _ in range(times):
            if not isValid(place):  # it closed when the last thing was done to it
                return
            able = [
                w
                for w in place.findChildren(QWidget)
                if isinstance(w, POKED) and w.isVisible() and w.isEnabled() and w is not self.window.viewport
            ]
            if not able:
                return
            one = self.random.choice(able)
            self._say(f"[{type(one).__name__} {one.objectName()} {getattr(one, 'text', str)()!r:.40}]")
            self._change(one)
            pump(5)

    def _change(self, one: QWidget) -> None:
        luck = self.random
        if isinstance(one, QAbstractButton):
            QTimer.singleShot(0, one, one.click)
        elif isinstance(one, QComboBox):
            one.setCurrentIndex(luck.randrange(max(1, one.count())))
            one.activated.emit(one.currentIndex())
        elif isinstance(one, QSpinBox | QDoubleSpinBox):
            low, high = one.minimum(), one.maximum()
            wished = luck.choice((low, high, one.value() + one.singleStep(), one.value() - one.singleStep()))
            one.setValue(min(max(wished, low), high))
            one.editingFinished.emit()
        elif isinstance(one, QLineEdit):
            one.setText(luck.choice(TEXTS))
            one.textEdited.emit(one.text())
            one.editingFinished.emit()
        elif isinstance(one, QAbstractSlider):
            one.setValue(luck.randint(one.minimum(), max(one.minimum(), one.maximum())))
        elif isinstance(one, QTabBar):
            one.setCurrentIndex(luck.randrange(max(1, one.count())))
        elif isinstance(one, QAbstractItemView):
            self._row(one)

    def _row(self, view: QAbstractItemView) -> None:
        """Choose, tick or open a row, or ask for its menu."""
        place = self._place(view.viewport())
        kind = self.random.choice(("click", "click", "double", "menu", "all"))
        self._say(f"{kind} {place.toTuple()}")
        if kind == "menu":
            view.customContextMenuRequested.emit(place)
        elif kind == "all":
            view.selectAll()
        else:
            QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, self.random.choice(MODIFIERS), place)
            if kind == "double":
                QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)

    def _select(self) -> None:
        """Elements and layers, as lists and search do."""
        layers = [layer for layer in self.window.document.scene if layer.table is not None]
        refs = []
        for layer in self.random.sample(layers, min(len(layers), self.random.randint(0, 2))):
            ids = list(layer.table.ids)
            refs += [ElementRef(layer.id, self.random.choice(ids) if ids and self.random.random() < 0.8 else "")]
        self._say(str(refs))
        self.window.document.selection.set(refs)

    def _study(self) -> None:
        """Fill a form at random, run it, and perhaps stop it."""
        panel = self.window.analyses
        name = self.random.choice(sorted(analyses()))
        self._say(name)
        self.window.show_analysis(name)
        if panel.form is not None:
            self._poke_inside(panel.form, self.random.randint(0, 3))
        self.window.run_analysis()
        pump(self.random.choice((5, 50, 400)))
        if self.random.random() < 0.6:
            self._say("cancelled")
            panel.cancel()

    def _undo(self) -> None:
        """A few steps back and forth."""
        history = self.window.document.history
        for _ in range(self.random.randint(1, 6)):
            back = self.random.random() < 0.6
            self._say(str(history.undo_title if back else history.redo_title))
            self.window.actions_["undo" if back else "redo"].trigger()

    def _hide_or_show(self) -> None:
        """A panel."""
        name = self.random.choice(sorted(self.window.panels))
        self._say(name)
        if self.window.panels[name].isVisible() and self.random.random() < 0.3:
            self.window.panels[name].hide()
        else:
            self.window.show_panel(name)

    def _context(self) -> None:
        """The menu over the picture."""
        if self.window.viewport.isVisible():
            QTest.mouseClick(
                self.window.viewport,
                Qt.MouseButton.RightButton,
                Qt.KeyboardModifier.NoModifier,
                self._place(self.window.viewport),
            )

    # ---- answers --------------------------------------------------

    def _answer(self) -> None:
        """Menus and dialogs that came up: choose, agree or refuse."""
        for _ in range(8):
            popup, modal = QApplication.activePopupWidget(), QApplication.activeModalWidget()
            if isinstance(popup, QMenu):
                self._choose_in(popup)
            elif popup is not None:
                popup.close()
            elif isinstance(modal, QMessageBox):
                one = self.random.choice(modal.buttons())
                self._say(f"<{one.text()}>")
                one.click()
            elif isinstance(modal, QDialog):
                self._finish(modal)
            elif modal is not None:
                modal.close()
            else:
                return
            pump(15)

    def _choose_in(self, menu: QMenu) -> None:
        able = [a for a in menu.actions() if a.isEnabled() and not a.isSeparator() and a.menu() is None]
        chosen: QAction | None = self.random.choice(able) if able and self.random.random() < 0.7 else None
        menu.close()
        named = {id(action): key for key, action in self.window.actions_.items()}
        if chosen is not None and named.get(id(chosen)) not in NOT_DONE:
            self._say(f"<{chosen.text()}>")
            chosen.trigger()

    def _finish(self, dialog: QDialog) -> None:
        self._say(f"<{type(dialog).__name__}>")
        self._poke_inside(dialog, self.random.randint(0, 3))
        # Reports are drawn by a program of their own, which takes its time.
        agreed = self.random.random() < 0.5 and not isinstance(dialog, ReportBuilder)
        if isValid(dialog) and dialog.isVisible() and QApplication.activeModalWidget() is dialog:
            dialog.accept() if agreed else dialog.reject()

    # ---- words --------------------------------------------------

    def worst_stalls(self) -> str:
        """The longest gaps of the event loop, and the longest actions."""
        rows = [
            *sorted(self.stalls, reverse=True)[:WORST],
            (0.0, "longest:"),
            *sorted(self.times, reverse=True)[:WORST],
        ]
        return "\n".join(f"{seconds:6.2f} s  {what}" for seconds, what in rows)

    def story(self) -> str:
        """What is needed to do it again."""
        last = "\n".join(f"  {n + 1}: {t}" for n, t in list(enumerate(self.done))[-REMEMBERED:])
        faults = "\n".join(f"at {number}: {text}" for number, text in self.faults)
        return f"seed {self.seed}, the last actions:\n{last}\n{faults}"


def _broken_files(folder: Path) -> list[Path]:
    """Files that are not what their names say."""
    made = []
    for name, content in (("bad.ifc", b"ISO-10303-21;\nnothing"), ("bad.geojson", b"{"), ("bad.csv", b"\xff\xfe\0a;b")):
        path = folder / name
        path.write_bytes(content)
        made.append(path)
    return made
