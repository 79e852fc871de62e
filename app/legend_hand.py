"""The legend in the picture under the mouse: a double click edits it, and no click goes through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QMouseEvent

if TYPE_CHECKING:
    from app.main_window import MainWindow

CLICKS = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease, QEvent.Type.MouseButtonDblClick)


class LegendHand(QObject):
    """Listens to the left button over the legend of the viewport."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self._pressed = False
        window.viewport.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Take clicks on the legend; what was pressed elsewhere is also released there."""
        if event.type() not in CLICKS or not isinstance(event, QMouseEvent):
            return False
        if event.button() != Qt.MouseButton.LeftButton:
            return False
        if event.type() == QEvent.Type.MouseButtonRelease:
            mine, self._pressed = self._pressed, False
            return mine
        card = self.window.viewport.cards.legend
        inside = card.isVisible() and card.geometry().contains(event.position().toPoint())
        if inside and event.type() == QEvent.Type.MouseButtonDblClick and card.legend.layer_id:
            self.window.layers.styles.edit_legend(card.legend.layer_id)
            return True
        self._pressed = inside
        return inside
