"""The numbers of stations in the picture: measured beside calculated, wherever a calibration shows its stations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize
from PySide6.QtGui import QPainter

from app.connections import Connections
from app.language import language
from app.theme import Theme
from app.widgets.later import Later

if TYPE_CHECKING:
    from app.main_window import MainWindow
    from app.view.camera import Camera


class StationNumbers(QObject):
    """Keeps the labels of visible stations in step with scene, camera and theme."""

    def __init__(self, window: MainWindow, *, parent: QObject) -> None:
        from app.view.station_labels import StationLabels

        super().__init__(parent)
        self.bench, self.document, self.viewport = window.bench, window.document, window.viewport
        self.labels = StationLabels(window.bench.theme, window.viewport)
        self._later = Later(self, self.refresh)
        self._connections = Connections()
        scene = self.document.scene
        for signal in (scene.added, scene.removed, scene.changed, language.changed):
            self._connections.add(signal, self._later.ask)
        window.bench.theme_changed.connect(self._retheme)
        window.viewport.camera_changed.connect(self._follow)
        window.viewport.installEventFilter(self)
        window.viewport.cards.painters.append(self._paint)

    def refresh(self) -> None:
        """Labels of the stations that are shown now."""
        from app.view.station_labels import values_of

        stations = [one for layer in self.document.scene if layer.style.visible for one in values_of(layer)]
        self.labels.setGeometry(self.viewport.rect())
        self.labels.show_stations(stations, self.viewport.camera)

    def _follow(self) -> None:
        self.labels.follow(self.viewport.camera)

    def _retheme(self, theme: Theme) -> None:
        self.labels.theme = theme
        self.labels.update()

    def _paint(self, painter: QPainter, camera: Camera, size: QSize) -> None:
        """The same labels on an exported picture."""
        from app.view.station_labels import paint_stations

        width_height = (size.width(), size.height())
        paint_stations(painter, self.labels.stations, camera, width_height, theme=self.labels.theme)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """The labels cover the picture, however large it is."""
        if event.type() == QEvent.Type.Resize:
            self.labels.setGeometry(self.viewport.rect())
        return False

    def release(self) -> None:
        """The window closes."""
        self._later.stop()
        self._connections.close()
