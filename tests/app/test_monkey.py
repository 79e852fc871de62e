"""Random use of the real window: nothing breaks, nothing is left running, and undoing everything gives the start.

``TWIN_MONKEY=seed:count:seconds`` does other random things, or those of a failure again.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("PySide6")

if TYPE_CHECKING:
    from app.main_window import MainWindow

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]
# On a slow machine fewer than three hundred are done: the time is what the whole suite can bear.
SEED, COUNT, SECONDS = (int(part) for part in os.environ.get("TWIN_MONKEY", "1:300:30").split(":"))
PIECES, PIECE, PIECE_S = 20, 500, 900


def play(city: MainWindow, seed: int, count: int, seconds: int, folder: Path, monkeypatch: Any) -> None:
    from app.commands import AddLayers
    from tests.app import monkey_world
    from tests.app.monkey import Monkey
    from tests.app.tiny_city import frame

    if seed % 2:  # the small city of everything beside the four boxes
        known = {layer.id for layer in city.document.scene}
        more = tuple(layer for layer in monkey_world.small_city() if layer.id not in known)
        city.document.do(AddLayers(more, frame=frame()))
        city.bench.document_opened.emit()
    city.document.history.clear()
    monkey = Monkey(city, seed, folder, monkeypatch)
    monkey.run(count, limit_s=seconds, stop_at_fault="TWIN_MONKEY" not in os.environ)
    print(monkey.words())
    assert not monkey.faults, monkey.story()


def test_three_hundred_random_actions(city: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(city, SEED, COUNT, SECONDS, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 100 + PIECES))
def test_ten_thousand_random_actions(seed: int, city: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(city, seed, PIECE, PIECE_S, tmp_path, monkeypatch)


def test_a_mistake_and_a_change_that_cannot_be_undone_are_noticed(
    city: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The random user would be of no use if it overlooked them."""
    from PySide6.QtCore import QTimer

    from tests.app.monkey import Monkey

    def fail() -> None:
        sys.excepthook(ZeroDivisionError, ZeroDivisionError("a mistake in the program"), None)  # as Qt does for a slot

    city.document.history.clear()
    monkey = Monkey(city, 1, tmp_path, monkeypatch)
    layer = city.document.scene["houses"]
    monkeypatch.setattr(monkey, "act", lambda: QTimer.singleShot(0, fail))
    for deed in ("mouse", "poke", "touch", "key", "select", "study", "undo", "shortcut", "drop", "odd_time", "size"):
        monkeypatch.setattr(monkey, deed, monkey.act)
    for deed in ("hide_or_show", "context", "escape", "menu_bar"):
        monkeypatch.setattr(monkey, deed, monkey.act)
    QTimer.singleShot(0, city, lambda: city.document.scene.replace(layer.with_(name="Other"), "name"))
    monkey.run(1, limit_s=60.0)
    said = "\n".join(text for _, text in monkey.faults)
    assert "ZeroDivisionError" in said
    assert "undoing everything does not give the start: ['layer houses" in said
    assert "Other" in said
