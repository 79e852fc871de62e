"""Hands of a person at the window: keys go to what has the focus, the mouse to what can be seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QInputMethodEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTabBar, QWidget

from app import demo
from app.main_window import MainWindow
from tests.app.sample_corner import write_project
from tests.app.test_person_wind import rest, until

LEFT = Qt.MouseButton.LeftButton
PLAIN = Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
SomeWidget = TypeVar("SomeWidget", bound=QWidget)


def offer_corner(monkeypatch: Any) -> None:
    """The sample that the start page opens is a corner of it."""

    def corner(folder: Path, _feedback: Any) -> Path:
        return write_project(folder / demo.PROJECT)

    monkeypatch.setattr(demo, "sample_project", corner)


def wake(window: QWidget) -> None:
    """A window manager would do it: the window in front has the keys."""
    window.activateWindow()
    until(window.isActiveWindow, seconds=10.0)


def give_keys(widget: QWidget) -> None:
    """The widget has the keys and its window is in front: the X server says so only some time after one asks."""
    wake(widget.window())
    widget.setFocus()
    until(widget.hasFocus, seconds=10.0)


def focused() -> QWidget:
    """The widget that has the keys; while windows change none has them."""
    until(lambda: QApplication.focusWidget() is not None, seconds=10.0)
    widget = QApplication.focusWidget()
    assert widget is not None, "nothing has the focus"
    return widget


def press(key: Qt.Key, modifiers: Any = PLAIN) -> None:
    """A key, to whatever has the focus."""
    QTest.keyClick(focused(), key, modifiers)
    QApplication.processEvents()


def write(text: str) -> None:
    """Text, to whatever has the focus; Korean as an input method sends it."""
    if text.isascii():
        QTest.keyClicks(focused(), text)
    else:
        event = QInputMethodEvent("", [])
        event.setCommitString(text)
        QApplication.sendEvent(focused(), event)
    QApplication.processEvents()


def write_over(widget: Any, text: str) -> None:
    """Click into a number, mark what is in it and type over it; Tab takes it over."""
    click(widget.lineEdit())
    press(Qt.Key.Key_A, CONTROL)
    write(text)
    press(Qt.Key.Key_Tab)


def click(widget: QWidget, place: QPoint | None = None) -> None:
    """A click on something that can be seen and is not grey."""
    assert widget.isVisible(), widget
    assert widget.isEnabled(), widget
    QTest.mouseClick(widget, LEFT, PLAIN, place if place is not None else widget.rect().center())
    QApplication.processEvents()


def click_tab(window: MainWindow, title: str) -> None:
    """Bring a panel to the front by its tab."""
    for bar in window.findChildren(QTabBar):
        for number in range(bar.count()):
            if bar.isVisible() and bar.tabText(number) == title:
                QTest.mouseClick(bar, LEFT, PLAIN, bar.tabRect(number).center())
                QApplication.processEvents()
                return
    raise AssertionError(f"no tab is called {title!r}")


def click_row(view: Any, row: int) -> None:
    """A click on a row of a list or of a tree without branches."""
    index = view.model().index(row, 0)
    QTest.mouseClick(view.viewport(), LEFT, PLAIN, view.visualRect(index).center())
    QApplication.processEvents()


def hold(window: MainWindow, kind: QEvent.Type, place: QPoint) -> None:
    """A mouse event in the picture with the left button held."""
    none = Qt.MouseButton.NoButton
    held = none if kind == QEvent.Type.MouseButtonRelease else LEFT
    button = none if kind == QEvent.Type.MouseMove else LEFT
    at = QPointF(place)
    view = window.viewport
    QApplication.sendEvent(view, QMouseEvent(kind, at, view.mapToGlobal(at), button, held, PLAIN))


def shown_dialog(window: QWidget, kind: type[SomeWidget]) -> SomeWidget:
    """The one dialog of a kind that is open; in front, as a person finds it."""
    until(lambda: any(one.isVisible() for one in window.findChildren(kind)), seconds=20.0)
    (found,) = (one for one in window.findChildren(kind) if one.isVisible())
    wake(found)
    return found


__all__ = ["rest", "until"]
