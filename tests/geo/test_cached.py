"""What is worked out once: kept, and never waited for because another thing of its kind is being worked out."""

from __future__ import annotations

import threading

import numpy as np

from geo.model import Mesh
from geo.model.cached import cached_property


class Slow:
    """Waits for a sign where it has one."""

    def __init__(self, sign: threading.Event | None = None) -> None:
        self.sign, self.asked = sign, 0

    @cached_property
    def answer(self) -> int:
        """42"""
        self.asked += 1
        if self.sign is not None:
            self.sign.wait(10.0)
        return 42


def test_it_is_worked_out_once() -> None:
    slow = Slow()
    assert (slow.answer, slow.answer, slow.asked) == (42, 42, 1)
    assert Slow.answer.__doc__ == "42"


def test_another_thread_at_work_is_not_waited_for() -> None:
    sign = threading.Event()
    busy, free = Slow(sign), Slow()
    worker = threading.Thread(target=lambda: busy.answer)
    worker.start()
    try:
        found: list[int] = []
        asking = threading.Thread(target=lambda: found.append(free.answer))
        asking.start()
        asking.join(5.0)
        assert found == [42]
    finally:
        sign.set()
        worker.join()
    assert busy.__dict__["answer"] == 42


def test_the_area_of_a_house_does_not_wait_for_that_of_a_city() -> None:
    assert type(vars(Mesh)["face_area"]) is cached_property
    mesh = Mesh(np.array([[0, 0, 0], [3, 0, 0], [0, 4, 0]], dtype=float), np.array([[0, 1, 2]]), np.zeros(1, np.int32))
    assert mesh.face_area.tolist() == [6.0]
    assert mesh.face_area is mesh.face_area
