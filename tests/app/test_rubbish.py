"""The search for unreachable objects waits for the user to rest."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QPoint

from app import rubbish
from app.jobs import JobQueue
from app.rubbish import RubbishCollector

pytestmark = pytest.mark.usefixtures("screen")


class Ring:
    """Holds itself."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def collector(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[RubbishCollector]:
    """One whose minute is over, with the hand at rest."""
    monkeypatch.setattr(rubbish, "EACH_S", 0.0)
    monkeypatch.setattr(rubbish, "LEAST_DONE", 0)
    monkeypatch.setattr(rubbish.QCursor, "pos", lambda: QPoint(3, 3))
    jobs = JobQueue()
    made = RubbishCollector(jobs)
    yield made
    made.end()
    assert jobs.shutdown()


def ring() -> weakref.ref[Ring]:
    """Rubbish that only a search finds."""
    return weakref.ref(Ring())


def test_python_itself_does_not_begin_a_whole_search(collector: RubbishCollector) -> None:
    assert gc.get_threshold()[2] == rubbish.NEVER
    collector.end()
    assert gc.get_threshold()[2] < rubbish.NEVER


def test_what_holds_itself_goes_when_the_user_rests(collector: RubbishCollector) -> None:
    lost = ring()
    assert lost() is not None
    collector.look()
    assert lost() is None
    assert collector.collections == 1


def test_a_moving_hand_and_a_job_put_it_off(
    collector: RubbishCollector, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = iter(range(100))
    with monkeypatch.context() as patch:
        patch.setattr(rubbish.QCursor, "pos", lambda: QPoint(next(places), 0))
        collector.look()
        collector.look()
    assert collector.collections == 0
    monkeypatch.setattr(JobQueue, "busy", property(lambda _self: True))
    collector.look()
    collector.look()
    assert collector.collections == 0
    monkeypatch.setattr(rubbish, "AT_LAST_S", -1.0)  # it was put off for too long
    collector.look()
    assert collector.collections == 1


def test_not_where_nothing_was_done(collector: RubbishCollector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rubbish, "LEAST_DONE", 5)
    gc.collect()
    collector.look()
    assert collector.collections == 0


def test_not_twice_in_a_minute(collector: RubbishCollector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rubbish, "EACH_S", 60.0)
    collector.look()
    assert collector.collections == 0
