"""Layers of a file that is still being read: in the picture while it lasts, and nowhere else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from app.jobs import JobQueue
from app.view.preview import Previews
from geo.model import ElementTable, Feedback, Layer, Mesh


class Pictured:
    """Stands for the stage: what is drawn, and whether more is expected."""

    def __init__(self) -> None:
        self.drawn: dict[str, Layer] = {}
        self.is_expecting = False

    def add(self, layer: Layer, prepared: object = None) -> None:
        self.drawn[layer.id] = layer

    def remove(self, layer_id: str) -> None:
        self.drawn.pop(layer_id, None)


def sheet(faces: int) -> Layer:
    vertices = np.random.default_rng(1).random((faces + 2, 3))
    strip = np.arange(faces)[:, None] + np.arange(3)
    mesh = Mesh(vertices, strip.astype(np.int32), np.zeros(faces, np.int32))
    return Layer("part", "part", "bim", mesh, ElementTable(["part"]))


def test_preview_goes_when_what_was_read_is_drawn() -> None:
    stage = Pictured()
    previews = Previews(stage, lambda work, done: done(work()), lambda: None)  # type: ignore[arg-type]
    previews.show("a", [sheet(4)])
    previews.show("b", [sheet(4), sheet(4)])
    assert len(stage.drawn) == len(previews) == 3
    previews.settle()
    assert len(stage.drawn) == 3, "nothing has ended yet"
    stage.is_expecting = True
    previews.end("b")
    previews.settle()
    assert len(stage.drawn) == 3, "the layers of the scene are not drawn yet"
    stage.is_expecting = False
    previews.settle()
    assert len(stage.drawn) == len(previews) == 1


def test_what_is_prepared_too_late_is_not_drawn() -> None:
    stage, waiting = Pictured(), list[Callable[[], None]]()
    previews = Previews(
        stage,  # type: ignore[arg-type]
        lambda work, done: waiting.append(lambda: done(work())),
        lambda: None,
    )
    previews.show("a", [sheet(30_000)])
    assert not stage.drawn
    previews.end("a")
    previews.settle()
    for finish in waiting:
        finish()
    assert not stage.drawn


def test_parts_of_a_result_come_to_the_main_thread_until_the_job_is_stopped(qtbot: Any) -> None:
    queue, seen, go = JobQueue(), list[tuple[object, bool]](), threading.Event()

    def work(feedback: Feedback) -> str:
        assert feedback.wants_partial
        feedback.partial(["first"])  # type: ignore[list-item]
        go.wait(10)
        feedback.partial(["late"])  # type: ignore[list-item]
        return "whole"

    job = queue.submit(work, title="reading")
    job.partial.connect(lambda part: seen.append((part, threading.current_thread() is threading.main_thread())))
    qtbot.waitUntil(lambda: bool(seen), timeout=5000)
    job.cancel()
    go.set()
    qtbot.waitUntil(lambda: job.is_over, timeout=5000)
    assert seen == [(["first"], True)]
    assert queue.shutdown()
