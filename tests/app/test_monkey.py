"""Random use of the real window: nothing breaks, nothing is left running, and undoing everything gives the start.

``TWIN_MONKEY=seed:count:seconds`` does other random things, or those of a failure again.
"""

from __future__ import annotations

import os
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
