"""Fixtures of the tests of the window: a screen, a clean program, and proof that nothing survives a test."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.language import language
from app.platform_check import has_display, missing_packages
from app.qt_guard import keep_none_alive

if TYPE_CHECKING:
    from app.main_window import MainWindow

keep_none_alive()


def screen_reason() -> str:
    """Why no window can open here, or an empty text."""
    missing = missing_packages()
    if missing:
        return f"the window needs these packages: {' '.join(missing)}"
    if not has_display():
        return "there is no screen; run under 'xvfb-run -a'"
    if os.environ.get("QT_QPA_PLATFORM") == "offscreen":
        return "the offscreen platform has no OpenGL"
    return ""


@pytest.fixture(scope="session")
def screen() -> None:
    """Skips where no window can open."""
    reason = screen_reason()
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session", autouse=True)
def application_with_windows(request: pytest.FixtureRequest) -> None:
    """Begins with an application that can have windows: one made for pages alone would leave the next tests none."""
    if not screen_reason():
        request.getfixturevalue("qapp")


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Every test starts and ends in English."""
    language.set("en")
    yield
    language.set("en")


@pytest.fixture(autouse=True)
def nothing_survives(no_vtk_window_survives: None) -> Iterator[None]:
    """No thread, timer or top-level widget outlives a test that uses Qt.

    Rubbish is collected at the end, on this thread: taken apart by a job's thread, widgets end the whole process.
    """
    gc.disable()
    before = set(threading.enumerate())
    yield
    left = [t.name for t in set(threading.enumerate()) - before if t.is_alive() and t.name.startswith("job ")]
    assert not left, f"threads survive: {left}"
    if "PySide6.QtWidgets" in sys.modules:
        _no_widget_survives()
    gc.enable()


def _no_widget_survives() -> None:
    from PySide6.QtCore import QEvent, QTimer
    from PySide6.QtWidgets import QApplication

    application = QApplication.instance()
    if application is None:
        return
    for _ in range(3):
        application.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        application.processEvents()
    gc.collect()
    visible = [w for w in QApplication.topLevelWidgets() if w.isVisible()]
    assert not visible, f"widgets survive: {visible}"
    timers = [t for t in application.findChildren(QTimer) if t.isActive()]
    assert not timers, f"timers survive: {timers}"


@pytest.fixture
def no_vtk_window_survives(request: pytest.FixtureRequest) -> Iterator[None]:
    """Render windows made by a test are gone when it ends: each holds an OpenGL context."""
    yield
    if "vtkmodules.vtkRenderingCore" not in sys.modules:
        return
    # pytest keeps the values of fixtures until after this; they would keep the window alive.
    if isinstance(request.node, pytest.Function):
        request.node.funcargs.clear()
    gc.collect()
    from vtkmodules.vtkRenderingCore import vtkRenderWindow

    alive = [o for o in gc.get_objects() if isinstance(o, vtkRenderWindow)]
    assert not alive, f"render windows survive: {alive}"


@pytest.fixture
def bare(qapp: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    """A window that was made a moment ago, with preferences of its own, and is not shown."""
    from app.document import Document
    from app.main_window import MainWindow
    from app.settings import Settings

    monkeypatch.setenv("TWIN_CACHE", str(tmp_path / "cache"))
    settings = Settings(tmp_path / "settings.ini")
    settings.language, settings.theme, settings.quality = "en", "light", "fast"
    made = MainWindow(Document(), settings)
    yield made
    made.document.history.clear()
    made.document.clear()
    made.close()
    assert not made.isVisible()
    made.deleteLater()


@pytest.fixture
def window(bare: MainWindow, qtbot: Any) -> MainWindow:
    """An empty window on the screen."""
    bare.resize(900, 600)
    bare.show()
    qtbot.waitExposed(bare)
    return bare


@pytest.fixture
def city(window: MainWindow, qtbot: Any) -> MainWindow:
    """The window with four boxes on a slope."""
    from tests.app import tiny_city
    from tests.app.window_hands import settle

    tiny_city.fill(window.document)
    window.bench.document_opened.emit()
    settle(window, qtbot)
    return window
