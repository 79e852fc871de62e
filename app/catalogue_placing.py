"""Setting something of a catalogue: the bar that says which, the click in the picture, the step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject

from app.language import tr
from app.widgets.place_bar import PlaceBar

if TYPE_CHECKING:
    from app.main_window import MainWindow


class CataloguePlacing(QObject):
    """Lets the user click where something goes.

    Parameters
    ----------
    hint : str
        Id of what is said below the picture.

    Attributes
    ----------
    active : bool
        Whether a click is awaited.
    """

    def __init__(self, window: MainWindow, bar: PlaceBar, *, hint: str, parent: QObject) -> None:
        super().__init__(parent)
        self.window, self.bench, self.document = window, window.bench, window.document
        self.active = self._closed = False
        self._bar, self._hint = bar, hint
        bar.cancel_asked.connect(self.stop)
        window.viewport.installEventFilter(self)

    def open_bar(self) -> None:
        """Show the bar with what can be chosen."""
        raise NotImplementedError

    def set_at(self, point: NDArray[np.float64]) -> None:
        """A point (3,) was clicked [local m]."""
        raise NotImplementedError

    def toggle(self) -> None:
        """Await a click in the picture; or no longer."""
        if self.active:
            self.stop()
            return
        self.document.selection.clear()
        self.active = True
        self.open_bar()
        self.window.viewport.start_drawing("point", self._on_click, on_cancel=self._left, hint=tr(self._hint))

    def stop(self) -> None:
        """Set none."""
        self.window.viewport.stop_drawing()
        self._left()

    def _left(self) -> None:
        self.active = False
        self._bar.hide()
        if not self._closed:
            self.window.refresh_state()

    def _on_click(self, points: NDArray[np.float64]) -> None:
        self._left()
        self.set_at(np.asarray(points, dtype=np.float64)[0])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The bar stays where it is when the picture changes its size."""
        if event.type() == QEvent.Type.Resize and self._bar.isVisible():
            self._bar.place()
        return False

    def release(self) -> None:
        """The window closes."""
        self._closed = True
