"""Layers come into the picture at once or when their arrays are made, whatever happens to them meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.awaited_picture import AwaitedPicture
from app.document import Document
from app.main_window import MainWindow
from app.view import layer_bringer
from app.view.layer_bringer import LayerBringer
from geo.model import Layer
from tests.app import tiny_city
from tests.app.view_scene import box, buildings
from tests.app.window_hands import settle


class Board:
    """A stage that notes what is drawn on it."""

    def __init__(self) -> None:
        self.shown: dict[str, Layer] = {}
        self.awaited: dict[str, Layer] = {}

    def drawn(self, layer_id: str) -> Layer | None:
        return self.shown.get(layer_id)

    def expected(self, layer_id: str) -> Layer | None:
        return self.awaited.get(layer_id)

    def expect(self, layer: Layer) -> None:
        self.awaited[layer.id] = layer

    def change(self, layer: Layer, _what: str, _prepared: object = None) -> None:
        self.awaited.pop(layer.id, None)
        self.shown[layer.id] = layer


@pytest.fixture
def bringing(qapp: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """(bringer, board, jobs waiting, calls of what follows); everything is heavy."""
    monkeypatch.setattr(layer_bringer, "is_heavy", lambda _layer: True)
    monkeypatch.setattr(layer_bringer, "prepare", lambda layer: layer.id)
    document, board, jobs, followed = Document(), Board(), [], []
    bringer = LayerBringer(
        document,
        board,  # type: ignore[arg-type]
        lambda work, on_done: jobs.append(lambda: on_done(work())),
        lambda: followed.append(1),
        as_seen=lambda layer: layer,
        parent=qapp,
    )
    yield document, bringer, board, jobs, followed
    bringer.close()
    bringer.deleteLater()


def house(name: str = "a", height: float = 3.0) -> Layer:
    return buildings([box(0.0, 0.0, size=(8.0, 6.0, height))]).with_(id=name)


def test_a_change_taken_back_while_it_is_prepared_leaves_nothing_waiting(bringing: Any) -> None:
    document, bringer, board, jobs, _ = bringing
    first, second = house(height=3.0), house(height=4.0)
    document.scene.add(first)
    bringer.bring(first, "data")
    jobs.pop()()
    assert board.shown["a"] is first
    document.scene.replace(second)
    bringer.change(second, "data")
    document.scene.replace(first)
    bringer.change(first, "data")
    run_all(jobs)
    assert board.shown["a"] is first
    assert not board.awaited
    pale = first.with_(style=replace(first.style, opacity=0.3))
    document.scene.replace(pale)
    bringer.change(pale, "style")
    assert board.shown["a"] is pale


def run_all(jobs: list[Callable[[], None]]) -> None:
    while jobs:
        jobs.pop(0)()


def test_what_follows_is_done_once_for_many_layers(bringing: Any) -> None:
    document, bringer, _, jobs, followed = bringing
    for name in "abc":
        document.scene.add(house(name))
        bringer.bring(document.scene[name], "data")
    assert followed == []
    bringer.settle()
    assert followed == [1]
    bringer.settle()
    assert followed == [1]
    run_all(jobs)
    bringer.settle()
    assert followed == [1, 1]


def test_a_second_project_is_seen_from_home(city: MainWindow, qtbot: Any) -> None:
    home = city.viewport.camera
    city.set_view("east")
    assert city.viewport.camera.azimuth != pytest.approx(home.azimuth, abs=1.0)
    city.document.clear()
    tiny_city.fill(city.document)
    city.bench.document_opened.emit()
    settle(city, qtbot)
    assert city.viewport.camera.azimuth == pytest.approx(home.azimuth, abs=1.0)


def test_only_the_picture_of_a_stopped_job_is_given_up(city: MainWindow, qtbot: Any) -> None:
    city.viewport.canvas.software = True
    first, second = (AwaitedPicture(city.viewport) for _ in range(2))
    jobs = [city.bench.jobs.submit(picture.wait, title="1") for picture in (first, second)]
    first.begin(jobs[0], (300, 200))
    second.begin(jobs[1], (300, 200))  # the first is drawn to its end for it
    jobs[0].cancelled.emit()
    settle(city, qtbot)
    assert jobs[1].state.name == "DONE"
