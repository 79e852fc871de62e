"""Memory goes back to the system some time after a project was closed, beside the window."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from app import memory


def test_closing_a_project_gives_memory_back(city: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(memory, "give_back", lambda: asked.append(1))
    city.memory.setInterval(10)
    city.bench.new_project()
    city.bench.new_project()
    qtbot.waitUntil(lambda: len(asked) > 0, timeout=20_000)
    qtbot.waitUntil(lambda: not city.bench.jobs.busy, timeout=20_000)
    assert len(asked) == 1  # once for both


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has a word for it")
def test_what_was_freed_leaves_the_process() -> None:
    import ctypes

    import psutil

    library, process = ctypes.CDLL(None), psutil.Process()
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    library.free.argtypes = [ctypes.c_void_p]
    blocks = [library.malloc(100_000) for _ in range(3000)]  # too small to be mapped one by one
    for block in blocks:
        ctypes.memset(block, 1, 100_000)
    for block in blocks[:-1]:  # the last lies above, and keeps the library from giving back by itself
        library.free(block)
    before = process.memory_info().rss
    memory.give_back()
    library.free(blocks[-1])
    assert process.memory_info().rss < before - 50 * 2**20
