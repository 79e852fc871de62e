"""Looks for unreachable objects while the user rests, since a whole search of a large project takes a quarter second.

Python itself begins it in the middle of whatever is being done. Objects that nobody else holds go at once either way;
this is about those that hold each other.
"""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication

from app.jobs import JobQueue

LOOK_MS = 2000
EACH_S = 60.0
AT_LAST_S = 900.0
LEAST_DONE = 5  # searches of the middle generation; after fewer there is next to nothing to find
NEVER = 1_000_000


class RubbishCollector(QTimer):
    """Collects once a minute in which much was done, when neither hand nor job is at work; after 15 minutes anyhow.

    Attributes
    ----------
    collections : int
        How often it did.
    """

    def __init__(self, jobs: JobQueue, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.collections = 0
        self._jobs = jobs
        self._before = gc.get_threshold()
        gc.set_threshold(self._before[0], self._before[1], NEVER)
        self._last, self._cursor = time.monotonic(), QCursor.pos()
        self.setInterval(LOOK_MS)
        self.timeout.connect(self.look)
        self.start()

    def look(self) -> None:
        """Collect if it is time."""
        since = time.monotonic() - self._last
        if since < EACH_S or gc.get_count()[2] < LEAST_DONE or (since < AT_LAST_S and not self._at_rest()):
            self._cursor = QCursor.pos()
            return
        gc.collect()
        self.collections += 1
        self._last, self._cursor = time.monotonic(), QCursor.pos()

    def end(self) -> None:
        """Leave it to Python again."""
        self.stop()
        gc.set_threshold(*self._before)

    def _at_rest(self) -> bool:
        hands_off = QApplication.mouseButtons() == Qt.MouseButton.NoButton and QCursor.pos() == self._cursor
        return hands_off and not self._jobs.busy
