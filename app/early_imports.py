"""Imports that the first project or the first question would wait for, made one by one while nothing else is done.

Importing holds the interpreter for much of its time; beside the opening of a project it would take the window's turns.
"""

from __future__ import annotations

import importlib
from collections import deque
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal

if TYPE_CHECKING:
    from app.main_window import MainWindow

EACH_MS = 20
LIBRARIES = ("pyproj", "rasterio", "pyogrio", "pvlib.solarposition", "numba")


class EarlyImports(QTimer):
    """Imports a module on a worker thread each time the window and its jobs are at rest.

    Attributes
    ----------
    left : deque of str
        Modules still to import.

    Signals
    -------
    over()
        None is left to begin with; the last may still be on its way.
    """

    over = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        from analysis.registry import analysis_ids, module_of
        from app.catalog import format_modules

        studies = (f"analysis.studies.{module_of(name)}" for name in analysis_ids())
        self.left = deque((*LIBRARIES, *format_modules(), *studies))
        self._window = window
        self.setInterval(EACH_MS)
        self.timeout.connect(self._next)
        self.start()

    def _next(self) -> None:
        jobs = self._window.bench.jobs
        if jobs.is_closed or not self.left:
            self.stop()
            if not self.left:
                self.over.emit()
        elif self._window.is_furnished and self._window.furnishing.are_over and not jobs.busy:
            name = self.left.popleft()
            self._window.bench.submit_for_view(lambda: importlib.import_module(name), lambda _module: None)
