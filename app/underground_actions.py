"""What a person does with the underground in the window: look through the ground, from below, cut it, draw the cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt

from app.language import tr
from app.section_drawing import section_drawing
from app.section_svg import section_svg
from app.section_window import SectionWindow
from app.utility_kinds import is_network
from geo.model import UserError

if TYPE_CHECKING:
    from app.main_window import MainWindow

BELOW_PITCH = 28.0  # degrees above the horizon that one looks up at from under the ground


class UndergroundActions(QObject):
    """The underground of one window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self.drawing: SectionWindow | None = None
        work = getattr(window.viewport, "xray_work", None)
        if work is not None:
            work.changed.connect(lambda _xray: window.refresh_state())

    # -- what is on

    def has_xray(self) -> bool:
        """Whether one looks through the ground."""
        work = getattr(self.window.viewport, "xray_work", None)
        return work is not None and work.xray is not None

    def has_trench(self) -> bool:
        """Whether a trench is cut."""
        return getattr(self.window.viewport, "trench", None) is not None

    def has_labels(self) -> bool:
        """Whether pipes carry labels."""
        labels = getattr(self.window.viewport, "labels", None)
        return labels is not None and labels.is_on

    def has_network(self) -> bool:
        """Whether the scene has pipes."""
        return any(is_network(layer) for layer in self.window.document.scene)

    # -- what is done

    def toggle_xray(self) -> None:
        """Open or close the hole in the ground."""
        self.window.viewport.xray_work.toggle()

    def toggle_labels(self) -> None:
        """Show or hide the labels of pipes."""
        self.window.viewport.labels.toggle()

    def look_from_below(self) -> None:
        """Put the eye under the ground, looking up at the place in the middle of the view."""
        from app.view.camera import looking

        viewport = self.window.viewport
        camera = viewport.camera
        focus = np.array(camera.focus)
        focus[2] = viewport.stage.ground_level(float(focus[0]), float(focus[1])) - 2.0
        distance = min(max(camera.distance * 0.5, 25.0), 400.0)
        viewport.set_camera(looking(focus, azimuth=camera.azimuth, pitch=BELOW_PITCH, distance=distance))

    def draw_trench(self) -> None:
        """Fill the trench there is, or ask for a line, cut along it and draw the section."""
        viewport = self.window.viewport
        if self.has_trench():
            viewport.set_trench(None)
            return
        viewport.start_drawing("two_points", self._cut, hint=tr("trench.hint"))

    def _cut(self, points: NDArray[np.float64]) -> None:
        from app.view.trench import Trench

        start, stop = ((float(x), float(y)) for x, y, _z in points)
        if self.show_section(points):
            self.window.viewport.set_trench(Trench(start, stop))
            self.window.refresh_state()

    def ask_section(self) -> None:
        """Ask for two points and draw the section between them."""
        self.window.viewport.start_drawing("two_points", self.show_section, hint=tr("section_drawing.hint"))

    def show_section(self, points: NDArray[np.float64]) -> bool:
        """Draw the section between two points (2, 3) [local m] in a window of its own; False when it cannot be."""
        scene = self.window.document.scene
        try:
            drawing = section_drawing(tuple(scene), points[0], points[1])
        except UserError as error:
            self.window.bench.notices.report(error)
            return False
        note = "" if drawing.pipes else tr("section_drawing.no_pipes")
        self.drawing = SectionWindow(
            section_svg(drawing, frame=scene.frame),
            title=tr("section_drawing.title"),
            note=note,
            report_error=self.window.bench.notices.report,
            parent=self.window,
        )
        self.drawing.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.drawing.show()
        return True
