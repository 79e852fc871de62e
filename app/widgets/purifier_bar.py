"""The bar while a purifier is being placed: which model."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from analysis.dust.catalogue import purifiers
from app.dust.words import purifier_title
from app.widgets.place_bar import PlaceBar

USUAL_MODEL = "shelter-3000"


class PurifierBar(PlaceBar):
    """Signals: `cancel_asked()`."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, words="purifier", usual=USUAL_MODEL)

    def open(self) -> None:
        """Show the bar with the models of the catalogue; the choice is as it was."""
        self.offer([(purifier_title(model), key) for key, model in purifiers().items()])
