"""A choice of colour ramps, each with a picture of itself."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QSize
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import QComboBox, QWidget

from app.colour import ramp, ramp_names
from app.language import tr

PREVIEW = QSize(64, 12)


class RampBox(QComboBox):
    """Ramps by name; the first entry is the field's own."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setIconSize(PREVIEW)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(4)
        self.refresh_words()

    def refresh_words(self) -> None:
        """Names in the current language."""
        chosen = self.name
        self.blockSignals(True)
        self.clear()
        self.addItem(tr("layers.ramp.own"), "")
        for name in ramp_names():
            self.addItem(preview(name), tr(f"ramp.{name}", name.replace("_", " ")), name)
        self.blockSignals(False)
        self.choose(chosen)

    @property
    def name(self) -> str:
        """The ramp chosen, empty for the field's own."""
        return str(self.currentData() or "")

    def choose(self, name: str) -> None:
        """Show a ramp as chosen."""
        self.setCurrentIndex(max(0, self.findData(name)))


@lru_cache(maxsize=32)
def preview(name: str) -> QIcon:
    """A ramp from low on the left to high on the right."""
    colours = ramp(name)[None]
    image = QImage(colours.tobytes(), colours.shape[1], 1, colours.shape[1] * 3, QImage.Format.Format_RGB888)
    return QIcon(QPixmap.fromImage(image.copy()).scaled(PREVIEW))
