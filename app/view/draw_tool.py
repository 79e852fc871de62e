"""Drawing in the picture: points clicked on the ground or on things, with a rubber band and live measures.

A drag still turns the camera while one draws; only clicks set points. Enter or a double click ends, Backspace takes the
last point back, Escape ends without a result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from app.language import tr
from app.massing_snap import Snapped
from app.numbers import number_text
from app.theme import Theme
from app.view.camera import Camera, project
from app.view.massing_mark import mark_text, paint_mark
from app.view.overlay import TEXT_SIZE, card_font, note_size, paint_note
from app.view.typed_edge import BETWEEN, TypedEdge, is_sign, longer, plan_angle, typed_edge, typed_text

Vector = NDArray[np.float64]
DrawMode = Literal["polyline", "polygon", "two_points", "point"]
FEWEST = {"polyline": 2, "polygon": 3, "two_points": 2, "point": 1}
MOST = {"two_points": 2, "point": 1}
SAME_POINT = 1e-3  # metres: a second click at one place is no new point
HOVER_PAUSE = 25  # ms between looks at what lies under the cursor
DOT, LINE, HALO = 4.0, 2.2, 5.0  # pixels
ENDING_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
FREE = Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier  # held: points go where they are clicked
FREE_KEYS = (Qt.Key.Key_Alt, Qt.Key.Key_Shift)
SIDE_CARDS, CARDS_HEIGHT = 212, 46  # pixels taken by the scale bar at the foot of the picture; a hint stands above
Snap = Callable[[Vector, Vector, tuple[float, float]], Snapped | None]
OWN_KEYS = (*ENDING_KEYS, Qt.Key.Key_Backspace, Qt.Key.Key_Escape)


def plan_length(points: Vector) -> float:
    """Length of a line over (n, 3) points, seen from above [m]."""
    return float(np.hypot(*np.diff(points[:, :2], axis=0).T).sum()) if len(points) > 1 else 0.0


def plan_area(points: Vector) -> float:
    """Area inside a ring of (n, 3) points, seen from above [m2]; the ring closes itself."""
    if len(points) < 3:
        return 0.0
    x, y = points[:, 0] - points[0, 0], points[:, 1] - points[0, 1]
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def measure_text(mode: DrawMode, points: Vector) -> str:
    """What is said beside the drawing: length, area, fall between two points."""
    if mode == "point" or len(points) < 2:
        return ""
    length = f"{number_text(plan_length(points))} m"
    if mode == "polygon" and len(points) > 2:
        around = plan_length(np.vstack([points, points[:1]]))
        return f"{number_text(plan_area(points))} m² · {number_text(around)} m"
    if mode == "two_points":
        return f"{length} · Δ {number_text(float(points[-1, 2] - points[0, 2]))} m"
    return length


class DrawTool(QObject):
    """One drawing, from the first click to the last.

    Parameters
    ----------
    picture : QWidget
        The viewport; mouse and keys are watched there.
    mode : {"polyline", "polygon", "two_points", "point"}
    point_at : callable(QPointF) -> (3,) array
        The point of the scene under a pixel [local m].
    camera : callable() -> Camera
        Where the picture is taken from now.
    theme : Theme
    hint : str
        What the user is asked to draw, shown below the picture; a general hint when empty.

    Attributes
    ----------
    snap : callable(point, points, pixel) -> Snapped or None
        What puts corners where they are meant; with it lengths and angles can be typed. None: points stay where they
        are clicked.
    snapped : Snapped or None
        What the point under the cursor was put on.
    typed : str
        Of a length and an angle so far (see `app.view.typed_edge`).

    Signals
    -------
    done(object)
        Points (n, 3) float64 [local m]; a polygon is not closed by a repeated point.
    cancelled()
    """

    done = Signal(object)
    cancelled = Signal()

    def __init__(
        self,
        picture: QWidget,
        mode: DrawMode,
        *,
        point_at: Callable[[QPointF], Vector],
        camera: Callable[[], Camera],
        theme: Theme,
        hint: str = "",
    ) -> None:
        super().__init__(picture)
        if mode not in FEWEST:
            raise ValueError(f"unknown way of drawing {mode!r}")
        self.mode: DrawMode = mode
        self.active = True
        self.floating: Vector | None = None
        self.snap: Snap | None = None
        self.snapped: Snapped | None = None
        self.typed = ""
        self._free = False
        self._points: list[Vector] = []
        self._point_at = point_at
        self._cursor = QPointF()
        self._picture = picture
        self._cursor_before = picture.cursor()
        self.overlay = DrawingOverlay(self, camera, theme, hint=hint or tr(f"view.draw.{mode}", _HINTS[mode]))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(HOVER_PAUSE)
        self._timer.timeout.connect(self._follow)
        picture.installEventFilter(self)
        picture.setCursor(Qt.CursorShape.CrossCursor)
        picture.setFocus()
        moved = getattr(picture, "camera_changed", None)
        if moved is not None:
            moved.connect(self.overlay.update)
        self.overlay.show()

    @property
    def picture(self) -> QWidget:
        """The widget drawn in."""
        return self._picture

    @property
    def points(self) -> Vector:
        """(n, 3) points set so far [local m]."""
        return np.array(self._points, dtype=np.float64).reshape(-1, 3)

    @property
    def shown(self) -> Vector:
        """The points with the one under the cursor."""
        return self.points if self.floating is None else np.vstack([self.points, self.floating[None]])

    def click(self, place: QPointF) -> None:
        """Set a point at a pixel; the last one a mode can take ends the drawing."""
        self._add(self._aimed(place))

    def _add(self, point: Vector) -> None:
        if not self._points or np.linalg.norm(point - self._points[-1]) > SAME_POINT:
            self._points.append(point)
        self.floating, self.snapped, self.typed = None, None, ""
        self.overlay.update()
        if len(self._points) == MOST.get(self.mode):
            self.finish()

    def _aimed(self, place: QPointF) -> Vector:
        """The point that a pixel means: put on what is near, at the length that is typed."""
        point = np.asarray(self._point_at(place), dtype=np.float64)
        look = self.snap is not None and not self._free and self.edge.angle is None
        self.snapped = self.snap(point, self.points, (place.x(), place.y())) if look and self.snap else None
        point = self.snapped.point if self.snapped is not None else point
        return self._at_typed(point)

    def _at_typed(self, toward: Vector) -> Vector:
        return self.edge.end(self._points[-1], toward) if self._points else toward

    @property
    def edge(self) -> TypedEdge:
        """What is typed of the next edge."""
        return typed_edge(self.typed)

    def press_button(self, button: Qt.MouseButton, place: QPointF) -> None:
        """A click that was no drag: left sets a point, right ends like Enter."""
        if button == Qt.MouseButton.LeftButton:
            self.click(place)
        elif button == Qt.MouseButton.RightButton:
            self.finish()

    def take_back(self) -> None:
        """Forget the last point."""
        if self._points:
            self._points.pop()
            self.overlay.update()

    def finish(self) -> None:
        """End with what is drawn; nothing happens while it is too little."""
        if self.active and len(self._points) >= FEWEST[self.mode]:
            points = self.points
            self._end()
            self.done.emit(points)

    def cancel(self) -> None:
        """End without a result."""
        if self.active:
            self._end()
            self.cancelled.emit()

    def _end(self) -> None:
        self.active = False
        self._timer.stop()
        self._picture.removeEventFilter(self)
        self._picture.setCursor(self._cursor_before)
        self.overlay.hide()
        self.overlay.deleteLater()
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys and moves over the picture; True for what the picture must not see besides."""
        kind = event.type()
        if isinstance(event, QMouseEvent):
            self._free = bool(event.modifiers() & FREE)
        if kind == QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            self._cursor = event.position()
            if not self._timer.isActive():
                self._timer.start()
        elif kind == QEvent.Type.MouseButtonDblClick and isinstance(event, QMouseEvent):
            self.finish()
            return True
        elif kind == QEvent.Type.Resize:
            self.overlay.setGeometry(self._picture.rect())
        elif kind == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._is_own(event):
            event.accept()  # else Escape would clear the selection instead, and digits turn the camera
            return True
        elif kind == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and self._is_own(event):
            self._press(Qt.Key(event.key()), event.text())
            return True
        elif kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease) and isinstance(event, QKeyEvent):
            self._hold(event)
        return False

    def _is_own(self, event: QKeyEvent) -> bool:
        is_command = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if event.key() == Qt.Key.Key_Tab:  # from the length to the angle; else on to the next widget
            return bool(self.typed) and BETWEEN not in self.typed
        return event.key() in OWN_KEYS or (self._takes(event.text()) and not is_command)

    def _takes(self, text: str) -> bool:
        """Whether a key writes an edge: from the second point of a drawing that is put on things."""
        return self.snap is not None and len(self._points) > 0 and is_sign(text)

    def _hold(self, event: QKeyEvent) -> None:
        """Alt or Shift pressed or let go: the rubber band follows at once."""
        if self.snap is not None and event.key() in FREE_KEYS:
            self._free = event.type() == QEvent.Type.KeyPress
            self._follow()

    def _write(self, sign: str) -> None:
        self.typed = longer(self.typed, sign)
        self._follow()

    def _press(self, key: Qt.Key, text: str) -> None:
        if key == Qt.Key.Key_Tab:
            self._write(BETWEEN)
        elif self._takes(text):
            self._write(text)
        elif self.typed and key == Qt.Key.Key_Backspace:
            self.typed = self.typed[:-1]
            self._follow()
        elif self.typed and key == Qt.Key.Key_Escape:
            self.typed = ""
            self._follow()
        elif self.typed and key in ENDING_KEYS:
            self._set_typed()
        elif key in ENDING_KEYS:
            self.finish()
        elif key == Qt.Key.Key_Backspace:
            self.take_back()
        else:
            self.cancel()

    def _set_typed(self) -> None:
        """Enter after digits: the next corner at that length along the rubber band, or at that angle."""
        if self.edge != TypedEdge():
            self._add(self._aimed(self._cursor))
        self.typed = ""
        self._follow()

    def _follow(self) -> None:
        """The rubber band reaches for what lies under the cursor."""
        if self.active:
            self.floating = self._aimed(self._cursor)
            self.overlay.update()


_HINTS = {
    "polyline": "Click points · Enter or double click ends · Backspace takes back · Esc cancels",
    "polygon": "Click the corners · Enter or double click ends · Backspace takes back · Esc cancels",
    "two_points": "Click two points · Esc cancels",
    "point": "Click a point · Esc cancels",
}


class Drawn(Protocol):
    """What an overlay paints: where, how, and (n, 3) points [local m]."""

    mode: DrawMode

    @property
    def picture(self) -> QWidget:
        """The widget drawn in."""
        ...

    @property
    def shown(self) -> Vector:
        """The points."""
        ...


class DrawingOverlay(QWidget):
    """Paints a drawing over the picture; below it the hint, where there is one."""

    def __init__(self, tool: Drawn, camera: Callable[[], Camera], theme: Theme, *, hint: str = "") -> None:
        super().__init__(tool.picture)
        self._tool, self._camera, self.theme, self.hint = tool, camera, theme, hint
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setGeometry(tool.picture.rect())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Lines, dots, measures and the hint."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        points = self._tool.shown
        if len(points):
            places, depth = project(self._camera(), points, (max(self.width(), 1), max(self.height(), 1)))
            self._paint_shape(painter, places, depth > 0)
            text = self._text(points)
            if text:
                size = note_size(text)
                area = QRectF(places[-1, 0] + 14, places[-1, 1] + 10, size.width(), size.height())
                paint_note(painter, area, text, theme=self.theme)
        if isinstance(self._tool, DrawTool) and self._tool.snapped is not None:
            size_now = (max(self.width(), 1), max(self.height(), 1))
            paint_mark(painter, self._tool.snapped, self._camera(), size=size_now, theme=self.theme)
        if self.hint:
            self._paint_hint(painter)
        painter.end()

    def _text(self, points: Vector) -> str:
        """Measures; the length of the edge under way, and what its end was put on, where corners are put on things."""
        tool = self._tool
        if not isinstance(tool, DrawTool) or tool.snap is None:
            return measure_text(tool.mode, points)
        parts = [measure_text(tool.mode, points)] if len(points) > 2 else []
        if tool.floating is not None and len(points) > 1:
            way = f"∠ {number_text(round(plan_angle(points[-2], points[-1]), 1))}°"
            edge = f"{number_text(round(plan_length(points[-2:]), 2))} m {way}"
            parts.insert(0, typed_text(tool.typed) if tool.typed else edge)
        if tool.snapped is not None:
            parts.append(mark_text(tool.snapped))
        return " · ".join(parts)

    def _paint_hint(self, painter: QPainter) -> None:
        size = note_size(self.hint)
        left = max((self.width() - size.width()) / 2, 4.0)
        foot = self.height() - 12 - (CARDS_HEIGHT if left < SIDE_CARDS else 0)
        area = QRectF(left, foot - size.height(), size.width(), size.height())
        paint_note(painter, area, self.hint, theme=self.theme)

    def _paint_shape(self, painter: QPainter, places: Vector, before_eye: NDArray[np.bool_]) -> None:
        corners = [QPointF(float(x), float(y)) for (x, y), seen in zip(places, before_eye, strict=True) if seen]
        shape = QPolygonF(corners)
        closed = self._tool.mode == "polygon" and len(corners) > 2
        colour = QColor(self.theme["selection"])
        for pen in (QPen(QColor(self.theme["halo"]), HALO), QPen(colour, LINE)):
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            fill = QColor(colour)
            fill.setAlpha(36)
            painter.setBrush(fill if closed and pen.widthF() == LINE else Qt.BrushStyle.NoBrush)
            if closed:
                painter.drawPolygon(shape)
            else:
                painter.drawPolyline(shape)
        painter.setFont(card_font(TEXT_SIZE))
        painter.setPen(QPen(QColor(self.theme["halo"]), 1.5))
        painter.setBrush(colour)
        for corner in corners:
            painter.drawEllipse(corner, DOT, DOT)
