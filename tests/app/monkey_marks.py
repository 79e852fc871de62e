"""What a random user has touched and what never, and how long the window took each time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QDialog, QDockWidget, QMainWindow, QWidget

from app.main_window import MainWindow


class CpuMeter(QObject):
    """Longest gap of the event loop: on the clock, and in the processor time of the main thread.

    On a busy machine the clock says how many others there are; the processor time says what the program does.
    """

    INTERVAL_MS = 5

    def __init__(self) -> None:
        super().__init__()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(self.INTERVAL_MS)
        self._timer.timeout.connect(self._tick)
        self._wall = self._cpu = 0.0
        self.wall_s = self.cpu_s = 0.0

    def start(self) -> None:
        """Begin anew."""
        self.wall_s = self.cpu_s = 0.0
        self._wall, self._cpu = time.perf_counter(), time.thread_time()
        self._timer.start()

    def stop(self) -> tuple[float, float]:
        """End; longest gap in processor time and on the clock [s]."""
        self._tick()
        self._timer.stop()
        return self.cpu_s, self.wall_s

    def _tick(self) -> None:
        wall, cpu = time.perf_counter(), time.thread_time()
        self.wall_s, self.cpu_s = max(self.wall_s, wall - self._wall), max(self.cpu_s, cpu - self._cpu)
        self._wall, self._cpu = wall, cpu


class Marks:
    """Counts of what was done, by names that do not change with the language.

    Attributes
    ----------
    hits : Counter
        How often each thing was done.
    seen : set of str
        Everything that could have been done at some time.
    """

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        self.seen: set[str] = set()

    def watch(self, window: MainWindow) -> None:
        """Count the actions of a window, however they come about."""
        for key, action in window.actions_.items():
            action.triggered.connect(lambda _checked=False, k=key: self.hit(f"action {k}"))
        for name, panel in window.panels.items():
            panel.toggleViewAction().triggered.connect(lambda _checked=False, n=name: self.hit(f"panel toggle {n}"))
            self.seen.add(f"panel toggle {name}")

    def look(self, window: MainWindow) -> None:
        """Remember which actions can be done now."""
        self.seen.update(f"action {key}" for key, action in window.actions_.items() if action.isEnabled())

    def hit(self, name: str) -> None:
        """One more time."""
        self.seen.add(name)
        self.hits[name] += 1

    def weights(self, names: Iterable[str]) -> list[float]:
        """What was done seldom comes sooner."""
        return [1.0 / (1.0 + self.hits[name]) ** 2 for name in names]

    def never(self, window: MainWindow) -> tuple[list[str], list[str]]:
        """What could be done and never was, and which actions could not be done at any time."""
        able = sorted(self.seen - set(self.hits))
        unable = sorted(key for key in window.actions_ if f"action {key}" not in self.seen)
        return able, unable

    def words(self, window: MainWindow) -> str:
        """Figures of the coverage, and what is missing."""
        able, unable = self.never(window)
        actions = len(window.actions_)
        done = sum(f"action {key}" in self.hits for key in window.actions_)
        return (
            f"actions done: {done} of {actions}; never possible: {unable}\n"
            f"things touched: {len(self.seen & set(self.hits))} of {len(self.seen)}; never: {able}"
        )


def name_of(widget: QWidget) -> str:
    """Panel or window, kind and text id of a widget: the same in every language and every run."""
    place: QWidget | None = widget
    while place is not None and not isinstance(place, QDockWidget | QDialog | QMainWindow):
        place = place.parentWidget()
    where = (place.objectName() or type(place).__name__) if place is not None else "none"
    action = getattr(widget, "defaultAction", lambda: None)()
    words = [widget.objectName(), *(str(widget.property(key) or "") for key in ("text_id", "tip_id"))]
    name = next((word for word in [*words, action.objectName() if action is not None else ""] if word), "")
    return f"{where}/{type(widget).__name__} {name}".rstrip()
