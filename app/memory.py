"""Memory that nothing uses any more goes back to the system when a project is closed.

The C library keeps what was freed for the next who asks, in an arena of each thread that ever worked: after some large
projects that is many times what is in use. Only Linux has a word for giving it back; elsewhere the system takes it.
"""

from __future__ import annotations

import ctypes
import sys

from PySide6.QtCore import QTimer

from app.workbench import Workbench

REST_MS = 1500  # after a project was closed: the next may be opening, and what it frees goes along
ARENAS = 2  # that threads share; the library's own rule is eight for each core
M_ARENA_MAX = -8  # of mallopt(3)


class MemoryKeeper(QTimer):
    """Gives memory back some time after each closing of a project, beside the window."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self._bench = bench
        self.setSingleShot(True)
        self.setInterval(REST_MS)
        self.timeout.connect(self._ask)
        bench.connections.add(bench.document.cleared, self._on_closed)
        few_arenas()

    def _on_closed(self) -> None:
        self.start()

    def _ask(self) -> None:
        jobs = self._bench.jobs
        if jobs.is_closed:
            return
        if jobs.busy:
            self.start()
            return
        jobs.submit(lambda _feedback: give_back(), title="", key="memory", shown=False)


def few_arenas() -> None:
    """Let threads share their memory."""
    library = _c_library()
    if library is not None:
        library.mallopt(M_ARENA_MAX, ARENAS)


def give_back() -> bool:
    """Give what is free to the system; whether there was any."""
    library = _c_library()
    return library is not None and bool(library.malloc_trim(0))


def _c_library() -> ctypes.CDLL | None:
    """The C library where it knows these words (glibc)."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None
