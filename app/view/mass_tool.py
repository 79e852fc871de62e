"""Moving a building by hand in the picture: drag it over the ground, pull its top, turn its ring.

The tool moves a ghost and nothing else; what is done with the change is said to who listens. A drag beside the
building and its handles still turns the camera.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from app.language import tr
from app.look import ClipPlane
from app.mass_edit import STEP, TURN_STEP, Body, Ground, limited_factor, to_step
from app.numbers import number_text
from app.theme import Theme
from app.view.camera import project, ray
from app.view.ghost import Ghost
from app.view.overlay import note_size, paint_note
from app.view.section_handle import distance_along
from app.view.viewport import Viewport
from geo.alternatives import Change
from geo.model import Mesh

Vector = NDArray[np.float64]
Part = Literal["", "body", "height", "turn"]

REACH = 12.0  # pixels around a handle that still take hold of it
KNOB = 8.0  # pixels, radius
ARROW_LIFT = 34.0  # pixels by which the height arrow stands over the roof
RING_MARGIN = 1.18  # of the half diagonal of the box in plan
RING_POINTS = 72
SHADOW_MS = 60  # rest between two shadows
LOWEST_SLANT = 0.02  # of a line of sight that is still followed along the ground
ENDING_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
OWN_KEYS = (*ENDING_KEYS, Qt.Key.Key_Escape)


class MassTool(QObject):
    """One building in hand, from taking to letting go.

    Parameters
    ----------
    picture : Viewport
    body : Body
    ground : Ground
        What it is to stand on.
    theme : Theme

    Attributes
    ----------
    change : Change
        As the ghost is drawn.
    follows_ground : bool
        Whether its foot follows the terrain when it is moved in plan.

    Signals
    -------
    moved(object)
        The `Change`, while the mouse moves it.
    released(object)
        The `Change`, when the mouse lets go.
    taken_back()
        A drag under way was ended by Escape; the ghost is where it was before.
    left(bool)
        The user ends: True by Enter, False by Escape.
    opened()
        A new mass or a building of a file was double-clicked.
    """

    moved = Signal(object)
    released = Signal(object)
    taken_back = Signal()
    left = Signal(bool)
    opened = Signal()

    def __init__(self, picture: Viewport, body: Body, ground: Ground, *, theme: Theme) -> None:
        super().__init__(picture)
        self.body, self.ground, self.theme = body, ground, theme
        self.change = body.change
        self.follows_ground = True
        self.part: Part = ""
        self.hover: Part = ""
        self._picture = picture
        self._start = _Grip(QPointF(), np.zeros(3), body.change)
        self.ghost = Ghost(picture.stage, body.ref, body.placed(body.change))
        self.overlay = HandleOverlay(self)
        self._shadow = QTimer(self)
        self._shadow.setSingleShot(True)
        self._shadow.setInterval(SHADOW_MS)
        self._shadow.timeout.connect(self._cast)
        self._cursor_before = picture.cursor()
        picture.installEventFilter(self)
        picture.camera_changed.connect(self.overlay.update)
        picture.setFocus()
        picture.stage.select(picture.document.selection.items)
        picture.redraw()
        self.overlay.show()

    @property
    def picture(self) -> Viewport:
        """The viewport."""
        return self._picture

    @property
    def mesh(self) -> Mesh:
        """The building where the ghost stands."""
        return self.ghost.mesh

    @property
    def is_dragging(self) -> bool:
        """Whether the mouse holds it."""
        return self.part != ""

    # -- what others may ask for

    def set_change(self, change: Change) -> None:
        """Stand elsewhere."""
        if change != self.change:
            self.change = change
            self.ghost.show(not change.removed)
            if not change.removed:
                self.ghost.move(self.body.placed(change))
            if not self._shadow.isActive():
                self._shadow.start()
            self.overlay.update()
            self._picture.redraw(scene=False)

    def settle(self, body: Body) -> None:
        """The scene has the building where the ghost is, or elsewhere after an undo: go on from there."""
        self.body = body
        self.ghost.standing = standing = body.placed(body.change)
        self.ghost.leave_out()
        if not self.is_dragging:
            if not body.change.removed and not np.array_equal(self.mesh.vertices, standing.vertices):
                self.ghost.move(standing)  # the building itself is another: higher storeys
            self.set_change(body.change)

    def set_theme(self, theme: Theme) -> None:
        """In the colours of the theme."""
        self.theme = theme
        self.ghost.retheme()
        self.overlay.update()

    def lifted(self, change: Change) -> Change:
        """A change with its foot brought to the ground, its lift over the ground kept."""
        if not self.follows_ground:
            return change
        before = self._start.change if self.is_dragging else self.change
        lift = before.move[2] - self.ground.rise(self.body, before.move[0], before.move[1])
        east, north, _ = change.move
        return dataclasses.replace(change, move=(east, north, lift + self.ground.rise(self.body, east, north)))

    def end(self) -> None:
        """Put the building back into its layer."""
        self._shadow.stop()
        self._picture.removeEventFilter(self)
        self._picture.camera_changed.disconnect(self.overlay.update)
        self._picture.setCursor(self._cursor_before)
        self.ghost.release()
        self._picture.stage.select(self._picture.document.selection.items)
        self._picture.redraw()
        self.overlay.hide()
        self.overlay.deleteLater()
        self.deleteLater()

    # -- handles

    @property
    def ring(self) -> Vector:
        """(k, 3) the ring it is turned by, around its foot [local m]."""
        low, high = self.mesh.vertices.min(axis=0), self.mesh.vertices.max(axis=0)
        x, y = self._middle
        radius = RING_MARGIN * max(float(np.hypot(*(high - low)[:2])) / 2, 2.0)
        angle = np.linspace(0.0, 2 * np.pi, RING_POINTS, endpoint=False)
        return np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle), np.full(len(angle), low[2])])

    @property
    def top(self) -> Vector:
        """(3,) middle of its box, at the height of its highest point [local m]."""
        return np.array([*self._middle, float(self.mesh.vertices[:, 2].max())])

    @property
    def _middle(self) -> tuple[float, float]:
        x, y = self.body.middle
        return x + self.change.move[0], y + self.change.move[1]

    @property
    def size(self) -> tuple[int, int]:
        """Of the picture [pixels]."""
        return max(self._picture.width(), 1), max(self._picture.height(), 1)

    def places(self, points: Vector) -> tuple[Vector, NDArray[np.bool_]]:
        """Pixels (n, 2) of points (n, 3), and whether each is before the eye."""
        places, depth = project(self._picture.camera, points, self.size)
        return places, depth > 0

    @property
    def arrow(self) -> QPointF:
        """Where the knob of the height arrow is [pixels]."""
        places, _ = self.places(self.top[None])
        return QPointF(float(places[0, 0]), float(places[0, 1]) - ARROW_LIFT)

    @property
    def knob(self) -> QPointF:
        """Where the knob of the ring is [pixels]: on the side toward the eye, and a bit to the right."""
        places, _ = self.places(self.ring)
        lowest = int(np.argmax(places[:, 1] + 0.3 * places[:, 0]))
        return QPointF(float(places[lowest, 0]), float(places[lowest, 1]))

    def part_at(self, place: QPointF) -> Part:
        """What the mouse would take hold of at a pixel."""
        if self.change.removed:
            return ""
        if _apart(place, self.arrow) <= REACH:
            return "height"
        if self._ray_hit(place) is not None:
            return "body"
        ring, before = self.places(self.ring)
        if before.all() and _distance_to_ring(place, ring) <= REACH / 2 or _apart(place, self.knob) <= REACH:
            return "turn"
        return ""

    def _ray_hit(self, place: QPointF) -> Vector | None:
        """The point of the building under a pixel."""
        origin, direction = ray(self._picture.camera, (place.x(), place.y()), self.size)
        away = nearest_hit(self.mesh, origin, direction)
        return None if away is None else origin + direction * away

    def _on_level(self, place: QPointF, level: float) -> Vector | None:
        """Where the line of sight through a pixel meets a level [local m]; None near the horizon."""
        origin, direction = ray(self._picture.camera, (place.x(), place.y()), self.size)
        if abs(direction[2]) < LOWEST_SLANT or (level - origin[2]) / direction[2] <= 0:
            return None
        return np.asarray(origin + direction * ((level - origin[2]) / direction[2]))

    # -- the mouse

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Mouse and keys over the picture; True for what the picture must not see besides."""
        kind = event.type()
        if isinstance(event, QMouseEvent):
            return self._on_mouse(kind, event)
        if kind == QEvent.Type.Resize:
            self.overlay.setGeometry(self._picture.rect())
        elif kind == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in OWN_KEYS:
            event.accept()  # else Escape would clear the selection instead
            return True
        elif kind == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and event.key() in OWN_KEYS:
            self._press(Qt.Key(event.key()))
            return True
        return False

    def _on_mouse(self, kind: QEvent.Type, event: QMouseEvent) -> bool:
        left = event.button() == Qt.MouseButton.LeftButton
        if kind == QEvent.Type.MouseButtonPress and left:
            return self._take(event.position())
        own = self.body.mass is not None or self.body.proposal is not None
        if kind == QEvent.Type.MouseButtonDblClick and own and self.part_at(event.position()) == "body":
            self.opened.emit()
            return True
        if kind == QEvent.Type.MouseMove:
            if self.is_dragging:
                self._drag(event.position(), free=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
                return True
            self._point_at(event)
        elif kind == QEvent.Type.MouseButtonRelease and left and self.is_dragging:
            self.part = ""
            self.released.emit(self.change)
            self.overlay.update()
            return True
        return False

    def _point_at(self, event: QMouseEvent) -> None:
        hover: Part = "" if event.buttons() != Qt.MouseButton.NoButton else self.part_at(event.position())
        if hover != self.hover:
            self.hover = hover
            self._picture.setCursor(CURSORS[hover])
            self.overlay.update()

    def _take(self, place: QPointF) -> bool:
        part = self.part_at(place)
        if not part:
            return False
        point = self._ray_hit(place) if part == "body" else self._on_level(place, float(self.ring[0, 2]))
        self._start = _Grip(place, point if point is not None else self.top, self.change)
        self.part = part
        self._picture.setFocus()
        self.overlay.update()
        return True

    def _drag(self, place: QPointF, *, free: bool) -> None:
        change = {"body": self._slid, "height": self._pulled, "turn": self._turned}[self.part](place, free)
        if change is not None and change != self.change:
            self.set_change(self.body.snapped(change))
            self.moved.emit(self.change)

    def _slid(self, place: QPointF, free: bool) -> Change | None:
        start = self._start
        point = self._on_level(place, float(start.point[2]))
        if point is None:
            return None
        east, north = (start.change.move[axis] + float(point[axis] - start.point[axis]) for axis in (0, 1))
        if not free:
            east, north = to_step(east), to_step(north)
        return self.lifted(dataclasses.replace(start.change, move=(east, north, start.change.move[2])))

    def _pulled(self, place: QPointF, free: bool) -> Change | None:
        """The roof follows the mouse along the vertical through its middle."""
        start = self._start
        foot = float(self.mesh.vertices[:, 2].min())
        plane = ClipPlane((*self._middle, foot), (0.0, 0.0, 1.0))
        # The knob stands some pixels over the roof: the mouse pulls from where it took hold.
        before = distance_along(plane, *self._ray(start.place))
        now = distance_along(plane, *self._ray(place))
        if before is None or now is None or self.body.height <= 0.0:
            return None
        height = self.body.height * start.change.height_factor + now - before
        height = max(height if free else to_step(height), STEP)
        return dataclasses.replace(start.change, height_factor=limited_factor(height / self.body.height))

    def _turned(self, place: QPointF, free: bool) -> Change | None:
        start = self._start
        point = self._on_level(place, float(self.ring[0, 2]))
        if point is None:
            return None
        middle = np.array(self._middle)
        angles = [math.atan2(p[1] - middle[1], p[0] - middle[0]) for p in (start.point, point)]
        turn = start.change.turn_deg + math.degrees(angles[1] - angles[0])
        turn = turn if free else to_step(turn, TURN_STEP)
        return dataclasses.replace(start.change, turn_deg=(turn + 180.0) % 360.0 - 180.0)

    def _ray(self, place: QPointF) -> tuple[Vector, Vector]:
        return ray(self._picture.camera, (place.x(), place.y()), self.size)

    def _press(self, key: Qt.Key) -> None:
        if key in ENDING_KEYS:
            self.left.emit(True)
        elif self.is_dragging:
            self.part = ""
            self.set_change(self._start.change)
            self.taken_back.emit()
        else:
            self.left.emit(False)

    def _cast(self) -> None:
        """The shadow follows: after the ghost, as often as there is time."""
        self.ghost.cast()
        self._picture.redraw()


@dataclasses.dataclass(frozen=True, eq=False)
class _Grip:
    """Where the mouse took hold: the pixel, the point of the scene there, and the change at that moment."""

    place: QPointF
    point: Vector
    change: Change


CURSORS: dict[Part, Qt.CursorShape] = {
    "": Qt.CursorShape.ArrowCursor,
    "body": Qt.CursorShape.SizeAllCursor,
    "height": Qt.CursorShape.SizeVerCursor,
    "turn": Qt.CursorShape.OpenHandCursor,
}


def nearest_hit(mesh: Mesh, origin: Vector, direction: Vector) -> float | None:
    """Distance [m] along a ray to the nearest triangle of a small mesh, or None (Moeller and Trumbore 1997)."""
    corners = mesh.vertices[mesh.faces]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    across = np.cross(direction, second)
    volume = np.einsum("ij,ij->i", first, across)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 1.0 / volume
        to_eye = origin - corners[:, 0]
        u = np.einsum("ij,ij->i", to_eye, across) * scale
        over = np.cross(to_eye, first)
        v = (over @ direction) * scale
        away = np.einsum("ij,ij->i", second, over) * scale
        met = (u >= 0) & (v >= 0) & (u + v <= 1) & (away > 0) & np.isfinite(away)
    return float(away[met].min()) if met.any() else None


def _apart(a: QPointF, b: QPointF) -> float:
    return math.hypot(a.x() - b.x(), a.y() - b.y())


def _distance_to_ring(place: QPointF, ring: Vector) -> float:
    """Pixels from a place to a closed line."""
    start, along = ring, np.roll(ring, -1, axis=0) - ring
    away = np.array([place.x(), place.y()]) - start
    length = np.maximum((along * along).sum(axis=1), 1e-9)
    share = np.clip((away * along).sum(axis=1) / length, 0.0, 1.0)
    return float(np.hypot(*(away - share[:, None] * along).T).min())


class HandleOverlay(QWidget):
    """Paints the handles, the numbers of a drag and the hint over the picture."""

    def __init__(self, tool: MassTool) -> None:
        super().__init__(tool.picture)
        self._tool = tool
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setGeometry(tool.picture.rect())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ring, arrow and text."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._tool.change.removed:
            self._paint_ring(painter)
            self._paint_arrow(painter)
            self._paint_numbers(painter)
        painter.end()

    def _pens(self, part: Part) -> tuple[QPen, QPen]:
        theme, chosen = self._tool.theme, part in (self._tool.hover, self._tool.part)
        return QPen(QColor(theme["halo"]), 5.5), QPen(QColor(theme["accent" if chosen else "selection"]), 2.5)

    def _paint_ring(self, painter: QPainter) -> None:
        places, before = self._tool.places(self._tool.ring)
        if not before.all():
            return
        shape = QPolygonF([QPointF(float(x), float(y)) for x, y in places])
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in self._pens("turn"):
            painter.setPen(pen)
            painter.drawPolygon(shape)
        self._paint_knob(painter, self._tool.knob, "turn")

    def _paint_arrow(self, painter: QPainter) -> None:
        places, before = self._tool.places(self._tool.top[None])
        if not before[0]:
            return
        foot, tip = QPointF(float(places[0, 0]), float(places[0, 1])), self._tool.arrow
        for pen in self._pens("height"):
            painter.setPen(pen)
            painter.drawLine(foot, tip)
        self._paint_knob(painter, tip, "height")

    def _paint_knob(self, painter: QPainter, place: QPointF, part: Part) -> None:
        painter.setPen(QPen(QColor(self._tool.theme["halo"]), 2.0))
        painter.setBrush(self._pens(part)[1].color())
        painter.drawEllipse(place, KNOB, KNOB)
        painter.setPen(QPen(QColor(self._tool.theme["halo"]), 1.6))
        for sign in (-1, 1):
            if part == "height":
                tip = place + QPointF(0.0, sign * 5.0)
                painter.drawLine(place, tip)
                painter.drawLine(tip, tip - QPointF(2.5, sign * 2.5))
                painter.drawLine(tip, tip - QPointF(-2.5, sign * 2.5))
            else:
                painter.drawArc(QRectF(place.x() - 4, place.y() - 4, 8, 8), (30 + 90 * (sign + 1)) * 16, 120 * 16)

    def _paint_numbers(self, painter: QPainter) -> None:
        tool = self._tool
        if not tool.is_dragging:
            return
        text = drag_text(tool.part, tool.change, tool.body)
        size, at = note_size(text), tool.arrow
        area = QRectF(at.x() + 18, at.y() - size.height() / 2, size.width(), size.height())
        paint_note(painter, area, text, theme=tool.theme)


def drag_text(part: Part, change: Change, body: Body) -> str:
    """What is said beside the mouse."""
    east, north, up = change.move
    if part == "height":
        height = number_text(round(body.height * change.height_factor, 2))
        return f"{height} m ({tr('mass.was', height=number_text(round(body.height, 2)))})"
    if part == "turn":
        return f"{change.turn_deg:+.4g}°"
    sides = (("mass.east", east), ("mass.north", north), ("mass.up", up))
    return " · ".join(f"{tr(name)} {value:+.2f} m" for name, value in sides)
