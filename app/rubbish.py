"""Looks for unreachable objects on the window's own thread only, and while the user rests.

Python itself begins that search in whatever thread happens to make an object. What it finds may be a dialog that was
closed or something of the picture, and these end the whole program when another thread takes them apart. A whole search
of a large project also takes a quarter second in which the window could not answer. Objects that nobody else holds go
at once either way; this is about those that hold each other.
"""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication

from app.jobs import JobQueue

LOOK_MS = 2000
LEAST_NEW = 20_000  # objects made since the last search, from which there may be something to find
YOUNG_S, WHOLE_S = 5.0, 60.0  # between two searches of the new objects, of all
YOUNG_AT_LAST_S, WHOLE_AT_LAST_S = 60.0, 900.0  # however busy the user is
YOUNG, WHOLE = 1, 2  # generations of `gc.collect`


class RubbishCollector(QTimer):
    """Collects in place of Python until `end`.

    Attributes
    ----------
    collected : list of int
        Which generation each search was of, the latest last.
    """

    def __init__(self, jobs: JobQueue, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.collected: list[int] = []
        self._jobs = jobs
        self._young = self._whole = time.monotonic()
        self._cursor = QCursor.pos()
        gc.disable()
        self.setInterval(LOOK_MS)
        self.timeout.connect(self.look)
        self.start()

    def look(self) -> None:
        """Collect if it is time."""
        now, resting = time.monotonic(), self._at_rest()
        if gc.get_count()[0] < LEAST_NEW:
            return
        if now - self._whole >= (WHOLE_S if resting else WHOLE_AT_LAST_S):
            self._collect(WHOLE)
        elif now - self._young >= (YOUNG_S if resting else YOUNG_AT_LAST_S):
            self._collect(YOUNG)

    def end(self) -> None:
        """Leave it to Python again."""
        self.stop()
        gc.enable()

    def _collect(self, generation: int) -> None:
        gc.collect(generation)
        self.collected.append(generation)
        self._young = time.monotonic()
        if generation == WHOLE:
            self._whole = self._young

    def _at_rest(self) -> bool:
        """Whether neither hand nor job is at work: the mouse is where it was at the look before."""
        before, self._cursor = self._cursor, QCursor.pos()
        hands_off = QApplication.mouseButtons() == Qt.MouseButton.NoButton and self._cursor == before
        return hands_off and not self._jobs.busy
