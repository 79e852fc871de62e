"""Unreachable objects are looked for on the window's own thread, while the user rests."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QObject, QPoint, Qt

from app import rubbish
from app.jobs import JobQueue
from app.rubbish import WHOLE, YOUNG, RubbishCollector

pytestmark = pytest.mark.usefixtures("screen")


class Ring:
    """Holds itself."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def collector(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[RubbishCollector]:
    """One that has something to do, with the hand at rest."""
    for name in ("LEAST_NEW", "YOUNG_S", "WHOLE_S"):
        monkeypatch.setattr(rubbish, name, 0)
    monkeypatch.setattr(rubbish.QCursor, "pos", lambda: QPoint(3, 3))
    # A test before this one may have pressed a button for good.
    monkeypatch.setattr(rubbish.QApplication, "mouseButtons", lambda: Qt.MouseButton.NoButton)
    jobs = JobQueue()
    made = RubbishCollector(jobs)
    yield made
    made.end()
    assert gc.isenabled()
    assert jobs.shutdown()


def ring() -> weakref.ref[Ring]:
    """Rubbish that only a search finds."""
    return weakref.ref(Ring())


def test_what_holds_itself_goes_when_the_user_rests(collector: RubbishCollector) -> None:
    lost = ring()
    assert lost() is not None
    collector.look()
    assert lost() is None
    assert collector.collected == [WHOLE]


def test_no_other_thread_takes_rubbish_of_the_window_apart(collector: RubbishCollector) -> None:
    """However much another thread makes: an object of the window dies on the window's thread."""
    threads = []

    class Panel(QObject):
        def __init__(self) -> None:
            super().__init__()
            self.me = self

        def __del__(self) -> None:
            threads.append(threading.current_thread())

    Panel()
    kept: list[object] = []
    worker = threading.Thread(target=lambda: kept.extend([n] for n in range(200_000)))
    worker.start()
    worker.join()
    assert threads == []
    collector.look()
    assert threads == [threading.main_thread()]


def test_the_new_objects_are_searched_more_often_than_all(
    collector: RubbishCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rubbish, "WHOLE_S", 3600.0)
    lost = ring()
    collector.look()
    assert collector.collected == [YOUNG]
    assert lost() is None


def test_a_moving_hand_and_a_job_put_it_off(
    collector: RubbishCollector, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = iter(range(100))
    with monkeypatch.context() as patch:
        patch.setattr(rubbish.QCursor, "pos", lambda: QPoint(next(places), 0))
        collector.look()
        collector.look()
    assert collector.collected == []
    monkeypatch.setattr(JobQueue, "busy", property(lambda _self: True))
    collector.look()
    collector.look()
    assert collector.collected == []
    monkeypatch.setattr(rubbish, "YOUNG_AT_LAST_S", -1.0)  # it was put off for too long
    collector.look()
    monkeypatch.setattr(rubbish, "WHOLE_AT_LAST_S", -1.0)
    collector.look()
    assert collector.collected == [YOUNG, WHOLE]


def test_not_where_nothing_was_made(collector: RubbishCollector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rubbish, "LEAST_NEW", 10_000_000)
    collector.look()
    assert collector.collected == []
