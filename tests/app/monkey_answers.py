"""How the random user answers: dialogs and menus of the window, and those of the system."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEventLoop, QPoint, Qt, QTimer
from PySide6.QtGui import QAction, QContextMenuEvent, QDesktopServices, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QDateTimeEdit,
    QDialog,
    QDoubleSpinBox,
    QFileDialog,
    QHeaderView,
    QLineEdit,
    QMenu,
    QMessageBox,
    QPlainTextEdit,
    QSpinBox,
    QTabBar,
    QTextEdit,
    QWidget,
)
from shiboken6 import isValid

from app.main_window import MainWindow
from app.report_builder import ReportBuilder
from tests.app.monkey_marks import Marks, name_of

TEXTS = ("", "0", "-1", "1e9", "12.5", "abc", "서울 세종", "height > 20", "<b>&amp;", "2026-06-21", "x" * 300, "ㅅㅈ")
MODIFIERS = (
    *[Qt.KeyboardModifier.NoModifier] * 4,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
POKED = (
    *(QAbstractButton, QAbstractItemView, QAbstractSlider, QComboBox, QDateTimeEdit, QDoubleSpinBox, QHeaderView),
    *(QLineEdit, QPlainTextEdit, QSpinBox, QTabBar, QTextEdit),
)
REPORT_SHARE = 0.1  # reports are drawn by a program of their own, which takes its time


def pump(milliseconds: int) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


class Answers:
    """Fills in, agrees to and refuses what is asked, by its luck."""

    window: MainWindow
    folder: Path
    random: random.Random
    done: list[str]
    marks: Marks

    def say(self, text: str) -> None:
        """Write down what is being done."""
        self.done[-1] += f" {text}"

    def place_in(self, widget: QWidget) -> QPoint:
        """Somewhere in a widget."""
        return QPoint(self.random.randrange(max(1, widget.width())), self.random.randrange(max(1, widget.height())))

    def old_file(self) -> Path:
        """A file to open."""
        raise NotImplementedError

    def is_never_done(self, action: QAction) -> bool:
        """Whether an action of a menu is left alone."""
        raise NotImplementedError

    # ---- questions of the system --------------------------------------------------

    def answer_the_system(self, monkeypatch: Any) -> None:
        """Dialogs for files are answered or cancelled at random; nothing is opened outside of the program."""

        def agrees() -> bool:
            return self.random.random() < 0.7

        def one_file(*_: object) -> tuple[str, str]:
            self.marks.hit("system open one file")
            return (str(self.old_file()) if agrees() else "", "")

        def files(*_: object) -> tuple[list[str], str]:
            self.marks.hit("system open files")
            count = self.random.choice((1, 1, 1, 2, 3))
            return ([str(self.old_file()) for _ in range(count)] if agrees() else [], "")

        def new_file(_parent: object, _title: str, wish: str, kinds: str = "", *_: object) -> tuple[str, str]:
            self.marks.hit("system save file")
            name, kind = Path(wish).name or "written", self.random.choice(kinds.split(";;"))
            where = self.random.choice((self.folder, self.folder, self.folder, self.folder / "absent"))
            return (str(where / name) if agrees() else "", kind)

        def some_folder(*_: object) -> str:
            self.marks.hit("system choose folder")
            made = self.folder / f"folder{len(self.done)}"
            made.mkdir(exist_ok=True)
            return str(made) if agrees() else ""

        ask = QDialog.exec

        def answered(dialog: QDialog) -> int:
            QTimer.singleShot(20, dialog, lambda: self._end_of(dialog))
            return int(ask(dialog))

        monkeypatch.setattr(QFileDialog, "getOpenFileName", one_file)
        monkeypatch.setattr(QFileDialog, "getOpenFileNames", files)
        monkeypatch.setattr(QFileDialog, "getSaveFileName", new_file)
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", some_folder)
        monkeypatch.setattr(QDesktopServices, "openUrl", lambda _url: True)
        monkeypatch.setattr(QDialog, "exec", answered)

    def _end_of(self, dialog: QDialog) -> None:
        """Answer a dialog that holds up the program."""
        self.finish(dialog)
        if isValid(dialog) and dialog.isVisible():
            dialog.reject()

    # ---- questions of the window --------------------------------------------------

    def answer(self) -> None:
        """Menus and dialogs that came up: choose, agree or refuse."""
        for _ in range(8):
            modal = QApplication.activeModalWidget()
            if QApplication.activePopupWidget() is not None:
                self.answer_menu()
            elif isinstance(modal, QMessageBox):
                one = self.random.choice(modal.buttons())
                self.say(f"<{one.text()}>")
                self.marks.hit(f"question {modal.buttons().index(one)} of {len(modal.buttons())}")
                one.click()
            elif isinstance(modal, QDialog):
                self.finish(modal)
            elif modal is not None:
                modal.close()
            else:
                return
            pump(15)

    def answer_menu(self) -> None:
        """Choose in a menu that is open, or close it."""
        popup = QApplication.activePopupWidget()
        if isinstance(popup, QMenu):
            self._choose_in(popup)
        elif popup is not None:
            popup.close()

    def _choose_in(self, menu: QMenu) -> None:
        able = [action for action in leaves_of(menu) if action.isEnabled() and not self.is_never_done(action)]
        names = [f"menu {_label(action)}" for action in able]
        self.marks.seen.update(names)
        at = self.random.choices(range(len(able)), self.marks.weights(names))[0] if able else 0
        if able and self.random.random() < 0.15:  # by the keyboard
            for _ in range(self.random.randrange(1, 6)):
                QTest.keyClick(menu, Qt.Key.Key_Down)
            self.say("<keyboard>")
            QTest.keyClick(menu, self.random.choice((Qt.Key.Key_Escape, Qt.Key.Key_Right)))
        chosen = able[at] if able and self.random.random() < 0.8 else None
        if isValid(menu):
            menu.close()
        if chosen is not None and isValid(chosen):
            self.say(f"<{chosen.text()}>")
            self.marks.hit(names[at])
            chosen.trigger()

    def finish(self, dialog: QDialog) -> None:
        """Fill a dialog in and agree, or refuse."""
        self.say(f"<{type(dialog).__name__}>")
        self.poke_inside(dialog, self.random.randint(0, 4))
        agreed = self.random.random() < (REPORT_SHARE if isinstance(dialog, ReportBuilder) else 0.6)
        if isValid(dialog) and dialog.isVisible() and QApplication.activeModalWidget() is dialog:
            self.marks.hit(f"{'agreed to' if agreed else 'refused'} {type(dialog).__name__}")
            if agreed:
                dialog.accept()
            elif self.random.random() < 0.5:
                QTest.keyClick(dialog, Qt.Key.Key_Escape)
            else:
                dialog.close()

    # ---- filling in --------------------------------------------------

    def poke_inside(self, place: QWidget, times: int) -> None:
        """Change some things in a panel or a dialog; what was changed seldom comes first."""
        for _ in range(times):
            if not isValid(place):  # it closed when the last thing was done to it
                return
            able = [w for w in place.findChildren(QWidget) if isinstance(w, POKED) and w.isVisible() and w.isEnabled()]
            if not able:
                return
            names = [name_of(one) for one in able]
            self.marks.seen.update(names)
            at = self.random.choices(range(len(able)), self.marks.weights(names))[0]
            self.say(f"[{names[at]} {getattr(able[at], 'text', str)()!r:.40}]")
            self.marks.hit(names[at])
            self._change(able[at])
            pump(5)

    def _change(self, one: QWidget) -> None:
        luck = self.random
        if isinstance(one, QAbstractButton):
            has_menu = hasattr(one, "menu") and one.menu() is not None
            QTimer.singleShot(0, one, one.showMenu if has_menu and luck.random() < 0.7 else one.click)
        elif isinstance(one, QComboBox):
            one.setCurrentIndex(luck.randrange(max(1, one.count())))
            one.activated.emit(one.currentIndex())
            if one.isEditable():
                one.setEditText(luck.choice((*TEXTS, one.currentText())))
        elif isinstance(one, QSpinBox | QDoubleSpinBox):
            low, high = one.minimum(), one.maximum()
            wished = luck.choice((low, high, one.value() + one.singleStep(), one.value() - one.singleStep()))
            one.setValue(min(max(wished, low), high))
            one.editingFinished.emit()
        elif isinstance(one, QDateTimeEdit):
            choices = (one.minimumDateTime(), one.maximumDateTime(), one.dateTime().addDays(luck.randrange(-400, 400)))
            one.setDateTime(luck.choice((*choices, one.dateTime().addSecs(luck.randrange(-9000, 9000)))))
        elif isinstance(one, QHeaderView):
            place = self.place_in(one.viewport())
            if luck.random() < 0.4:
                ask_menu(one, place)
            else:
                QTest.mouseClick(one.viewport(), Qt.MouseButton.LeftButton, MODIFIERS[0], place)
        elif isinstance(one, QLineEdit):
            self._type(one)
        elif isinstance(one, QPlainTextEdit | QTextEdit):
            if not one.isReadOnly():
                one.moveCursor(QTextCursor.MoveOperation.End)
                one.insertPlainText(luck.choice(TEXTS))
        elif isinstance(one, QAbstractSlider):
            one.setValue(luck.randint(one.minimum(), max(one.minimum(), one.maximum())))
        elif isinstance(one, QTabBar):
            one.setCurrentIndex(luck.randrange(max(1, one.count())))
        elif isinstance(one, QAbstractItemView):
            self._row(one)

    def _type(self, line: QLineEdit) -> None:
        """Letters by the keyboard, or a whole text at once, and Return at times."""
        text = self.random.choice(TEXTS)
        if self.random.random() < 0.5 and text.isascii():  # the keyboard of the tests has no other letters
            line.selectAll()
            QTest.keyClicks(line, text[:20])
        else:
            line.setText(text)
            line.textEdited.emit(line.text())
        if self.random.random() < 0.5 and isValid(line):
            QTest.keyClick(line, Qt.Key.Key_Return)
        elif isValid(line):
            line.editingFinished.emit()

    def _row(self, view: QAbstractItemView) -> None:
        """Choose, tick, open, edit or drag a row, or ask for its menu."""
        place = self.place_in(view.viewport())
        model = view.model()
        if model is not None and model.rowCount(view.rootIndex()) and self.random.random() < 0.6:
            row = self.random.randrange(min(model.rowCount(view.rootIndex()), 40))
            place = view.visualRect(model.index(row, 0, view.rootIndex())).center()
        kind = self.random.choice(("click", "click", "tick", "double", "menu", "menu", "all", "key", "drag"))
        self.say(f"{kind} {place.toTuple()}")
        self.marks.hit(f"row {kind}")
        port, left, none = view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        if kind == "menu":
            ask_menu(view, place)
        elif kind == "all":
            view.selectAll()
        elif kind == "tick":
            QTest.mouseClick(port, left, none, QPoint(self.random.choice((8, 14, 28, 42)), place.y()))
        elif kind == "drag":
            QTest.mousePress(port, left, none, place)
            for _ in range(3):
                QTest.mouseMove(port, self.place_in(port))
            QTest.mouseRelease(port, left, none, self.place_in(port))
        else:
            QTest.mouseClick(port, left, self.random.choice(MODIFIERS), place)
            if kind == "double":
                QTest.mouseDClick(port, left, none, place)
            elif kind == "key" and isValid(view):
                keys = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Delete, Qt.Key.Key_F2, Qt.Key.Key_Right)
                QTest.keyClick(view, self.random.choice(keys))


def ask_menu(widget: QWidget, place: QPoint) -> None:
    """A right click, as the system tells of it."""
    port = widget.viewport() if isinstance(widget, QAbstractItemView) else widget
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, port.mapToGlobal(place))
    QApplication.sendEvent(port, event)


def leaves_of(menu: QMenu) -> list[QAction]:
    """What can be chosen in a menu and in the menus inside."""
    found: list[QAction] = []
    for action in menu.actions():
        inner = action.menu()
        if isinstance(inner, QMenu):
            inner.aboutToShow.emit()
            found += leaves_of(inner)
        elif not action.isSeparator():
            found.append(action)
    return found


def _label(action: QAction) -> str:
    named = (action.objectName(), str(action.property("text_id") or ""))
    return next((name for name in named if name), "".join(c for c in action.text() if not c.isdigit())[:40])
