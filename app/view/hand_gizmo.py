"""Something in hand in the picture: handles painted over it that mouse and keys take hold of.

A gizmo changes a row and says so; what is done with it is the business of who listens. A drag beside the handles still
turns the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QWidget

from app.theme import Theme
from app.view.camera import metres_per_pixel, project, ray
from app.view.overlay import note_size, paint_note
from app.view.viewport import Viewport

Vector = NDArray[np.float64]

REACH = 12.0  # pixels around a handle that still take hold of it
RING = 62.0  # pixels, radius of the ring
RING_POINTS = 72
STEP, ANGLE_STEP = 0.1, 1.0  # [m], [deg] of a drag without Shift
LARGE_TURN = 10.0  # [deg] with Shift and a key
LOWEST_SLANT = 0.02
KNOB = 7.0  # pixels
HALO, LINE = 5.0, 2.2  # pixels


class HandGizmo(QObject):
    """One element in hand, a row with a `place`.

    Parameters
    ----------
    picture : Viewport
    row : object
        Frozen, with a `place` (x, y, z) [local m].
    heights : callable(x, y) -> float or None
        Of the ground [local m].
    theme : Theme

    Attributes
    ----------
    row : object
        As it is shown.

    Signals
    -------
    moved(object)
        The row, while the mouse holds it.
    released(object, str, bool)
        The row, what was done, and whether by a small step of a key or the wheel instead of a drag.
    taken_back(object)
        A drag was ended by Escape: the row as it was before.
    """

    moved = Signal(object)
    released = Signal(object, str, bool)
    taken_back = Signal(object)

    cursors: Mapping[str, Qt.CursorShape] = {}
    done_by: Mapping[str, str] = {}  # part -> what was done; "move" where it is not said

    def __init__(
        self, picture: Viewport, row: Any, *, heights: Callable[[float, float], float | None], theme: Theme
    ) -> None:
        super().__init__(picture)
        self.row, self.theme = row, theme
        self.part = self.hover = ""
        self._picture, self._heights = picture, heights
        self._before, self._place = row, QPointF()
        self._grabbed = np.zeros(3)
        self.overlay = self.make_overlay()
        self._cursor_before = picture.cursor()
        picture.installEventFilter(self)
        picture.camera_changed.connect(self.overlay.update)
        self.overlay.show()

    # -- what each sort has

    def make_overlay(self) -> GizmoHandles:
        """What paints the handles."""
        raise NotImplementedError

    @property
    def handles(self) -> tuple[str, ...]:
        """The parts that can be taken hold of, the nearest to the eye first."""
        raise NotImplementedError

    def knob(self, part: str) -> QPointF | None:
        """Where a handle is [pixels]; None behind the eye."""
        raise NotImplementedError

    def dragged(self, part: str, place: QPointF, *, free: bool) -> Any:
        """The row with a part dragged to a pixel, None where that cannot be; `free` without steps."""
        raise NotImplementedError

    def is_mine(self, event: QKeyEvent) -> bool:
        """Whether a key other than Escape is for this."""
        return False

    def press(self, event: QKeyEvent) -> None:
        """A key that is for this."""

    def on_wheel(self, event: QWheelEvent) -> bool:
        """The wheel over the picture; True where the picture must not see it."""
        return False

    # -- what is shown

    @property
    def picture(self) -> Viewport:
        """The viewport."""
        return self._picture

    @property
    def is_dragging(self) -> bool:
        """Whether the mouse holds it."""
        return self.part != ""

    @property
    def before(self) -> Any:
        """As it was when the mouse took hold of it."""
        return self._before

    def show_row(self, row: Any) -> None:
        """Another pose, or another element."""
        if self.is_dragging:
            return
        self.row = row
        self.overlay.update()

    def set_theme(self, theme: Theme) -> None:
        """In the colours of the theme."""
        self.theme = theme
        self.overlay.update()

    def end(self) -> None:
        """Take the handles away."""
        self._picture.removeEventFilter(self)
        self._picture.camera_changed.disconnect(self.overlay.update)
        self._picture.setCursor(self._cursor_before)
        self.overlay.hide()
        self.overlay.deleteLater()
        self.deleteLater()

    # -- places

    @property
    def middle(self) -> Vector:
        """(3,) of the element [local m]."""
        return np.array(self.row.place)

    @property
    def radius(self) -> float:
        """Of the ring [m]: of one size on the screen."""
        camera = self._picture.camera
        away = float((self.middle - camera.eye) @ camera.forward)
        share = 1.0 if camera.is_parallel else max(away, 0.5) / max(camera.distance, 1e-6)
        return RING * metres_per_pixel(camera, self._picture.height()) * share

    def way(self, pan: float, tilt: float) -> Vector:
        """Unit vector of a direction [deg]: clockwise from grid north, downward from level."""
        p, t = math.radians(pan), math.radians(tilt)
        return np.array([math.sin(p) * math.cos(t), math.cos(p) * math.cos(t), -math.sin(t)])

    @property
    def ring(self) -> Vector:
        """(k, 3) level circle about the element."""
        angle = np.linspace(0.0, 360.0, RING_POINTS, endpoint=False)
        return self.middle + self.radius * np.array([self.way(a, 0.0) for a in angle])

    @property
    def size(self) -> tuple[int, int]:
        """Of the picture [pixels]."""
        return max(self._picture.width(), 1), max(self._picture.height(), 1)

    def places(self, points: Vector) -> tuple[Vector, NDArray[np.bool_]]:
        """Pixels (n, 2) of points (n, 3), and whether each is before the eye."""
        places, depth = project(self._picture.camera, points, self.size)
        return places, depth > 0

    def pixel_of(self, point: Vector) -> QPointF | None:
        """Pixel of a point (3,), None behind the eye."""
        places, before = self.places(point[None])
        return QPointF(float(places[0, 0]), float(places[0, 1])) if before[0] else None

    def part_at(self, place: QPointF) -> str:
        """What the mouse would take hold of at a pixel: the nearest handle within reach."""
        best, nearest = "", REACH
        for part in self.handles:
            knob = self.knob(part)
            apart = math.hypot(place.x() - knob.x(), place.y() - knob.y()) if knob is not None else math.inf
            if apart < nearest:
                best, nearest = part, apart
        return best

    def ray_at(self, place: QPointF) -> tuple[Vector, Vector]:
        """Line of sight through a pixel: origin and direction."""
        return ray(self._picture.camera, (place.x(), place.y()), self.size)

    def on_level(self, place: QPointF, level: float) -> Vector | None:
        """Where the line of sight through a pixel meets a level [local m]; None near the horizon."""
        origin, direction = self.ray_at(place)
        if abs(direction[2]) < LOWEST_SLANT or (level - origin[2]) / direction[2] <= 0:
            return None
        return np.asarray(origin + direction * ((level - origin[2]) / direction[2]))

    # -- events

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Mouse, wheel and keys over the picture; True for what the picture must not see besides."""
        kind = event.type()
        if isinstance(event, QMouseEvent):
            return self._on_mouse(kind, event)
        if isinstance(event, QWheelEvent):
            return self.on_wheel(event)
        if kind == QEvent.Type.Resize:
            self.overlay.setGeometry(self._picture.rect())
        elif isinstance(event, QKeyEvent) and self._is_for_me(event):
            if kind == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if kind == QEvent.Type.KeyPress:
                self._press(event)
                return True
        return False

    def _is_for_me(self, event: QKeyEvent) -> bool:
        return self.is_dragging if event.key() == Qt.Key.Key_Escape else self.is_mine(event)

    def _press(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Escape:
            self.press(event)
            return
        self.part, self.row = "", self._before
        self.overlay.update()
        self.taken_back.emit(self._before)

    def change(self, row: Any, what: str) -> None:
        """Another row at once, without a drag."""
        if row != self.row:
            self.row = row
            self.overlay.update()
            self.moved.emit(row)
            self.released.emit(row, what, True)

    def _on_mouse(self, kind: QEvent.Type, event: QMouseEvent) -> bool:
        left = event.button() == Qt.MouseButton.LeftButton
        if kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick) and left:
            return self._take(event.position())
        if kind == QEvent.Type.MouseMove:
            if self.is_dragging:
                self._drag(event.position(), free=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
                return True
            self._point_at(event)
        elif kind == QEvent.Type.MouseButtonRelease and left and self.is_dragging:
            part, self.part = self.part, ""
            self.overlay.update()
            if self.row != self._before:
                self.released.emit(self.row, self.done_by.get(part, "move"), False)
            return True
        return False

    def _point_at(self, event: QMouseEvent) -> None:
        hover = "" if event.buttons() != Qt.MouseButton.NoButton else self.part_at(event.position())
        if hover != self.hover:
            self.hover = hover
            self._picture.setCursor(self.cursors[hover] if hover else self._cursor_before)
            self.overlay.update()

    def _take(self, place: QPointF) -> bool:
        part = self.part_at(place)
        if not part:
            return False
        self.part, self._before, self._place = part, self.row, place
        grabbed = self.on_level(place, float(self.row.place[2])) if part == "body" else None
        self._grabbed = grabbed if grabbed is not None else self.middle
        self.taken()
        self._picture.setFocus()
        self.overlay.update()
        return True

    def taken(self) -> None:
        """The mouse has taken hold."""

    def _drag(self, place: QPointF, *, free: bool) -> None:
        row = self.dragged(self.part, place, free=free)
        if row is not None and row != self.row:
            self.row = row
            self.overlay.update()
            self.moved.emit(row)


class GizmoHandles(QWidget):
    """Paints the handles of a gizmo over the picture, and the number of a drag."""

    def __init__(self, gizmo: HandGizmo) -> None:
        super().__init__(gizmo.picture)
        self._gizmo = gizmo
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setGeometry(gizmo.picture.rect())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Everything that is before the eye."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.paint_lines(painter)
        for part in self._gizmo.handles[::-1]:
            self.paint_knob(painter, part)
        self._paint_number(painter)
        painter.end()

    def paint_lines(self, painter: QPainter) -> None:
        """What lies under the knobs."""

    def text(self) -> str:
        """What is said beside the handle that is held."""
        return ""

    def pens(self, part: str) -> tuple[QPen, QPen]:
        """Halo and line of a part, stronger under the mouse."""
        theme, gizmo = self._gizmo.theme, self._gizmo
        chosen = part in (gizmo.hover, gizmo.part)
        return QPen(QColor(theme["halo"]), HALO), QPen(QColor(theme["accent" if chosen else "selection"]), LINE)

    def paint_line(self, painter: QPainter, points: Vector, part: str, *, closed: bool) -> None:
        """A line in the scene (n, 3) [local m]; nothing where a part of it is behind the eye."""
        places, before = self._gizmo.places(points)
        if not before.all():
            return
        shape = QPolygonF([QPointF(float(x), float(y)) for x, y in places])
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in self.pens(part):
            painter.setPen(pen)
            if closed:
                painter.drawPolygon(shape)
            else:
                painter.drawPolyline(shape)

    def paint_between(self, painter: QPainter, start: str, stop: str) -> None:
        """A line from one handle to another, in the colour of the second."""
        first, last = self._gizmo.knob(start), self._gizmo.knob(stop)
        if first is None or last is None or stop not in self._gizmo.handles:
            return
        for pen in self.pens(stop):
            painter.setPen(pen)
            painter.drawLine(first, last)

    def paint_knob(self, painter: QPainter, part: str) -> None:
        """A handle: a disc unless the sort paints another."""
        place = self._gizmo.knob(part)
        if place is None:
            return
        painter.setPen(QPen(QColor(self._gizmo.theme["halo"]), 2.0))
        painter.setBrush(self.pens(part)[1].color())
        self.paint_shape(painter, place, part)

    def paint_shape(self, painter: QPainter, place: QPointF, part: str) -> None:
        """The shape of a handle with the pen and brush that are set."""
        painter.drawEllipse(place, KNOB, KNOB)

    def _paint_number(self, painter: QPainter) -> None:
        gizmo = self._gizmo
        at = gizmo.knob(gizmo.part) if gizmo.is_dragging else None
        text = self.text() if at is not None else ""
        if at is not None and text:
            size = note_size(text)
            left = min(at.x() + 18, self.width() - size.width() - 4)
            paint_note(painter, QRectF(left, at.y() - 36, size.width(), size.height()), text, theme=gizmo.theme)
