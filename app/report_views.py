"""Pictures of the saved viewpoints for a report: each looked at once, with the window left as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.look import Section
from app.report_choice import SavedPicture
from app.topic_actions import png_of
from app.viewpoints import SavedView, visibility_step

if TYPE_CHECKING:
    from app.main_window import MainWindow

SIZE = (1600, 900)  # pixels


def pictures_of_viewpoints(window: MainWindow) -> list[SavedPicture]:
    """One picture of each viewpoint, called as it is; nothing in it can be undone."""
    viewport, timeline = window.viewport, window.timeline
    camera, section = viewport.camera, viewport.section_work.section
    day, minute = timeline.day, timeline.minute
    try:
        return [SavedPicture(view.name, _picture(window, view)) for view in window.document.viewpoints.items]
    finally:
        viewport.set_section(section)
        timeline.set_day(day)
        timeline.set_minute(minute)
        viewport.set_camera(camera)


def _picture(window: MainWindow, view: SavedView) -> bytes:
    """As it was saved: layers, hour, planes and box; a storey that was opened is not."""
    viewport, document = window.viewport, window.document
    step = visibility_step(view, document.scene)
    if step is not None:
        step.do(document)
    try:
        if view.day is not None:
            window.timeline.set_day(view.day)
            window.timeline.set_minute(view.minute)
        viewport.set_section(Section(planes=view.planes, box=view.box))
        viewport.set_camera(view.camera)
        return png_of(viewport.grab_picture(*SIZE))
    finally:
        if step is not None:
            step.undo(document)
