"""Long work of the window in short steps: one each time the event loop comes round."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QTimer

from app.widgets.turns import Turns


def test_steps_come_one_by_one_and_others_may_come_between(qapp: Any, qtbot: Any) -> None:
    owner, done = QObject(), []
    turns = Turns(owner)
    turns.begin([lambda n=n: done.append(n) for n in range(4)])
    assert done == [0]
    QTimer.singleShot(0, lambda: done.append("between"))
    qtbot.waitUntil(lambda: turns.are_over, timeout=5_000)
    assert [one for one in done if one != "between"] == [0, 1, 2, 3]
    qtbot.waitUntil(lambda: "between" in done, timeout=5_000)


def test_begun_anew_it_drops_what_was_left(qapp: Any) -> None:
    owner, done = QObject(), []
    turns = Turns(owner)
    turns.begin([lambda: done.append("old 1"), lambda: done.append("old 2")])
    turns.begin([lambda: done.append("new 1"), lambda: done.append("new 2")])
    turns.finish()
    assert done == ["old 1", "new 1", "new 2"]
    turns.begin([lambda: done.append("new 3"), lambda: done.append("never")])
    turns.drop()
    turns.finish()
    assert done[-1] == "new 3"


def test_a_theme_comes_in_turns_and_the_last_one_asked_for_stays(city: Any, qtbot: Any) -> None:
    city.bench.set_theme("dark")
    assert not city.dressing.are_over
    city.bench.set_theme("light")
    city.bench.set_theme("dark")
    qtbot.waitUntil(lambda: city.dressing.are_over, timeout=20_000)
    assert city.viewport.theme.is_dark
    assert city.viewport.stage.look.theme.is_dark
