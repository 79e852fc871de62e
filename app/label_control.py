"""Labels of elements in a picture: they follow its scene, its camera and its theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject

from app.connections import Connections
from app.theme import Theme
from app.view.label_sight import sight_of
from app.view.labels import ElementLabels, Submit

if TYPE_CHECKING:
    from app.view.viewport import Viewport


class LabelControl(QObject):
    """Ties labels to a viewport and the document it shows."""

    def __init__(self, viewport: Viewport, *, submit: Submit, parent: QObject) -> None:
        super().__init__(parent)
        scene = viewport.document.scene
        self.labels = ElementLabels(
            viewport,
            layers=lambda: tuple(scene),
            camera=lambda: viewport.camera,
            section=lambda: viewport.section_work.section,
            kept=viewport.cards.areas,
            sight=lambda camera: sight_of(camera, tuple(scene), viewport.picker.ray_target),
            submit=submit,
            theme=viewport.theme,
        )
        viewport.camera_changed.connect(self.labels.follow)
        viewport.cards.painters.append(self.labels.paint_on)
        viewport.installEventFilter(self)
        self._connections = Connections()
        for signal in (scene.added, scene.removed, scene.changed):
            self._connections.add(signal, self._on_layers)

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
        """The picture closes."""
        self._connections.close()
        self.labels.end()
