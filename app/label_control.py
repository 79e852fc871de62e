"""Labels of elements in a window: they follow its scene, its camera and its theme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject

from app.theme import Theme
from app.view.label_sight import sight_of
from app.view.labels import ElementLabels

if TYPE_CHECKING:
    from app.main_window import MainWindow


class LabelControl(QObject):
    """Ties the labels to the viewport of a window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        viewport: Any = window.viewport
        scene = window.document.scene
        self.labels = ElementLabels(
            viewport,
            layers=lambda: tuple(scene),
            camera=lambda: viewport.camera,
            section=lambda: viewport.section_work.section,
            kept=viewport.cards.areas,
            sight=lambda camera: sight_of(camera, tuple(scene), viewport.picker.ray_target),
            submit=window.bench.submit_for_view,
            theme=window.bench.theme,
        )
        viewport.camera_changed.connect(self.labels.follow)
        viewport.cards.painters.append(self.labels.paint_on)
        viewport.installEventFilter(self)
        for signal in (scene.added, scene.removed, scene.changed):
            window.bench.connections.add(signal, self._on_layers)

    def _on_layers(self, *_what: object) -> None:
        self.labels.refresh()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """The picture has another size."""
        if event.type() == QEvent.Type.Resize:
            self.labels.refresh()
        return False

    def refresh_theme(self, theme: Theme) -> None:
        """The colours have changed."""
        self.labels.set_theme(theme)

    def release(self) -> None:
        """The window closes."""
        self.labels.end()
