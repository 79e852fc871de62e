"""The window while its reader dies, is cancelled, or is left in the middle of a reading."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.import_requests import ImportRequest
from app.importer import ImportOptions
from app.isolation import close_idle
from app.main_window import MainWindow
from tests.app.window_hands import settle

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]
WAIT_MS = 30_000


@pytest.fixture(autouse=True)
def own_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for what is temporary that nobody else writes to."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return place


def readers() -> list[psutil.Process]:
    return [p for p in psutil.Process().children(recursive=True) if "app.isolation" in " ".join(p.cmdline())]


def start(window: MainWindow, shared_data: Path, qtbot: Any) -> psutil.Process:
    """A reading under way; its process."""
    request = ImportRequest(shared_data / "ifc" / "Office_A_20110811.ifc", ImportOptions(own={"placement": "scene"}))
    window.bench.import_all([request])
    qtbot.waitUntil(lambda: bool(readers()), timeout=WAIT_MS)
    return readers()[0]


def test_a_reader_that_dies_leaves_the_scene_and_the_window_alone(
    city: MainWindow, qtbot: Any, shared_data: Path, own_temporary: Path
) -> None:
    before = tuple(city.document.scene)
    process = start(city, shared_data, qtbot)
    process.suspend()  # a quick machine would have read the file before the blow
    qtbot.wait(500)
    process.kill()
    settle(city, qtbot)
    close_idle()
    assert tuple(city.document.scene) == before
    assert not readers()
    assert not list(own_temporary.glob("twin-read-*"))


@pytest.mark.parametrize("pause_ms", [0, 900])
def test_a_reading_that_is_cancelled_leaves_nothing(
    city: MainWindow, qtbot: Any, shared_data: Path, own_temporary: Path, pause_ms: int
) -> None:
    before = tuple(city.document.scene)
    start(city, shared_data, qtbot)
    qtbot.wait(pause_ms)
    city.bench.jobs.cancel_all()
    settle(city, qtbot)
    close_idle()
    assert tuple(city.document.scene) == before
    assert not readers()
    assert not list(own_temporary.glob("twin-read-*"))


def test_a_window_closed_in_the_middle_of_a_reading_leaves_nothing(
    city: MainWindow, qtbot: Any, shared_data: Path, own_temporary: Path
) -> None:
    start(city, shared_data, qtbot)
    qtbot.wait(700)
    city.document.history.clear()
    city.document.clear()
    city.close()
    qtbot.waitUntil(lambda: not city.isVisible(), timeout=WAIT_MS)
    city.release()
    close_idle()
    qtbot.waitUntil(lambda: not readers(), timeout=WAIT_MS)
    assert not list(own_temporary.glob("twin-read-*"))
