"""Viewpoints in the window: saving what is seen now, showing it again, and the rows of the table of actions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QIODevice, QObject, QSize, Qt
from PySide6.QtGui import QImage

from app.action_spec import ActionSpec
from app.language import tr
from app.panels.viewpoints import ViewpointsPanel
from app.viewpoints import (
    OpenStorey,
    SavedView,
    add_viewpoint,
    new_id,
    renew_viewpoint,
    visibility_of,
    visibility_step,
)

if TYPE_CHECKING:
    from app.main_window import MainWindow

SMALL = QSize(192, 120)  # pixels of the small picture
JPEG_QUALITY = 80


def _has_scene(window: MainWindow) -> bool:
    return len(window.document.scene) > 0


VIEWPOINT_ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec("viewpoint_save", lambda w: w.viewpoints.save(), "picture", "Ctrl+Shift+V", _has_scene),
    ActionSpec("viewpoints", lambda w: w.show_panel("viewpoints")),
    ActionSpec("fly", lambda w: w.modes.toggle_fly(), "", "Shift+V", _has_scene, lambda w: w.modes.mode == "fly"),
)


class ViewpointActions(QObject):
    """Viewpoints of one window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.document, self.bench = window, window.document, window.bench
        self.panel = window.panel_of(ViewpointsPanel)
        self.panel.save_asked.connect(self.save)
        self.panel.go_asked.connect(self.go_to)
        self.panel.renew_asked.connect(self.renew)
        self.panel.topic_asked.connect(self.make_topic)

    def save(self) -> None:
        """Keep what is seen now, under a name that can be typed over at once."""
        if len(self.document.scene) == 0:
            self.bench.notices.tell("notice.no_scene", severity="doubt")
            return
        view = self.view_here(self.document.viewpoints.free_name(tr("viewpoints.name")))
        self.bench.do(add_viewpoint(self.document, view))
        self.window.show_panel("viewpoints")
        self.panel.rebuild()
        self.panel.take(view.id)
        self.panel.start_rename()

    def renew(self, view_id: str) -> None:
        """Keep what is seen now in the place of a viewpoint."""
        before = self.document.viewpoints.get(view_id)
        if before is not None:
            self.bench.do(renew_viewpoint(self.document, replace(self.view_here(before.name), id=view_id)))

    def view_here(self, name: str) -> SavedView:
        """What is seen now."""
        window, viewport = self.window, self.window.viewport
        section = viewport.section_work.section
        visible, invisible = visibility_of(self.document.scene)
        return SavedView(
            id=new_id(),
            name=name,
            camera=viewport.camera,
            day=window.timeline.day,
            minute=window.timeline.minute,
            planes=section.planes,
            box=section.box,
            storey=window.modes.storeys.opened,
            visible=visible,
            invisible=invisible,
            picture=self._small_picture(),
        )

    def _small_picture(self) -> bytes:
        """The picture without its cards, as it was drawn last; drawn anew only where there is none."""
        viewport = self.window.viewport
        drawn = viewport.canvas.isValid() and viewport.isVisible()
        image = viewport.canvas.grabFramebuffer() if drawn else viewport.grab_picture(*SMALL.toTuple())
        fill = Qt.AspectRatioMode.KeepAspectRatioByExpanding
        scaled = image.scaled(SMALL, fill, Qt.TransformationMode.SmoothTransformation)
        left, top = (scaled.width() - SMALL.width()) // 2, (scaled.height() - SMALL.height()) // 2
        return jpeg_of(scaled.copy(left, top, SMALL.width(), SMALL.height()))

    def go_to(self, view_id: str) -> None:
        """Show a viewpoint again: layers, time, section or storey, and last the camera."""
        view = self.document.viewpoints.get(view_id)
        if view is None:
            return
        step = visibility_step(view, self.document.scene)
        if step is not None:
            self.bench.do(step)
        if view.day is not None:
            self.window.timeline.set_day(view.day)
            self.window.timeline.set_minute(view.minute)
        self._cut(view)
        self.window.viewport.set_camera(view.camera)

    def _cut(self, view: SavedView) -> None:
        modes = self.window.modes
        if modes.mode in ("walk", "fly"):
            modes.leave()
        if isinstance(view.storey, OpenStorey):
            modes.show_opened(view.storey, view.camera)
        elif view.box is not None:
            modes.show_box(view.box)
        else:
            modes.show_planes(view.planes)

    def make_topic(self, view_id: str) -> None:
        """Go there, and ask for a topic of what is seen: topics travel as BCF, with author and status."""
        self.go_to(view_id)
        self.window.topics.ask_new()


def jpeg_of(image: QImage) -> bytes:
    """A picture as JPEG."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.convertToFormat(QImage.Format.Format_RGB888).save(buffer, "JPEG", JPEG_QUALITY)  # type: ignore[call-overload]
    return bytes(buffer.data().data())
