"""A camera in hand, in the picture: drag it over the ground or along its wall, raise it, turn it, tilt it, zoom.

The gizmo changes a row and says so; what is done with it is the business of who listens. A drag beside the handles
still turns the picture.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

from app.cctv.edit import CameraRow, limited_tilt, turned
from app.look import ClipPlane
from app.mass_edit import to_step
from app.theme import Theme
from app.view.camera import metres_per_pixel, project, ray
from app.view.camera_handles import CameraHandles
from app.view.section_handle import distance_along
from app.view.surface_under import Surface, wall_mount
from app.view.viewport import Viewport

Vector = NDArray[np.float64]
Part = Literal["", "body", "height", "pan", "tilt", "zoom"]

REACH = 12.0  # pixels around a handle that still take hold of it
RING = 62.0  # pixels, radius of the ring
ARC, AXIS = 1.3, 1.75  # radius of the arc and length of the axis, of that of the ring
LIFT = 46.0  # pixels by which the height arrow stands over the lens
RING_POINTS, ARC_POINTS = 72, 32
HIGHEST_ARC = 30.0  # [deg] above level that the arc shows
STEP, ANGLE_STEP = 0.1, 1.0  # [m], [deg] of a drag without Shift
FOCAL_STEP = 0.1  # [mm]
LARGE_TURN = 10.0  # [deg] with Shift and a key
WHEEL_ZOOM = 1.08  # of the focal length, a notch
FLAT = 0.12  # how much a line of sight must leave a plane to be followed in it
LOWEST_SLANT = 0.02
TILT_PER_PIXEL = 0.25  # [deg] where the arc is seen from its edge
CURSORS: dict[Part, Qt.CursorShape] = {
    "": Qt.CursorShape.ArrowCursor,
    "body": Qt.CursorShape.SizeAllCursor,
    "height": Qt.CursorShape.SizeVerCursor,
    "pan": Qt.CursorShape.OpenHandCursor,
    "tilt": Qt.CursorShape.OpenHandCursor,
    "zoom": Qt.CursorShape.SizeFDiagCursor,
}
TURN_KEYS = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, -1.0),
    Qt.Key.Key_Down: (0.0, 1.0),
}
ZOOM_KEYS = {Qt.Key.Key_Plus: 1.0, Qt.Key.Key_Equal: 1.0, Qt.Key.Key_Minus: -1.0}


@dataclasses.dataclass(frozen=True)
class Lens:
    """What the model of a camera can do.

    Attributes
    ----------
    focal_min, focal_max : float [mm]
    field : callable(focal) -> float
        Horizontal field of view at a focal length [deg].
    """

    focal_min: float
    focal_max: float
    field: Callable[[float], float]

    def limited(self, focal: float) -> float:
        """A focal length that the lens has."""
        return min(max(focal, self.focal_min), self.focal_max)


class CameraGizmo(QObject):
    """One camera in hand.

    Parameters
    ----------
    picture : Viewport
    row : CameraRow
    lens : Lens
    heights : callable(x, y) -> float or None
        Of the ground [local m].
    theme : Theme

    Attributes
    ----------
    row : CameraRow
        As it is shown.

    Signals
    -------
    moved(object)
        The `CameraRow`, while the mouse holds it.
    released(object, str, bool)
        The `CameraRow`, what was done (``move``, ``turn`` or ``zoom``), and whether by a small step of a key or the
        wheel instead of a drag.
    taken_back(object)
        A drag was ended by Escape: the `CameraRow` as it was before.
    """

    moved = Signal(object)
    released = Signal(object, str, bool)
    taken_back = Signal(object)

    def __init__(
        self,
        picture: Viewport,
        row: CameraRow,
        lens: Lens,
        *,
        heights: Callable[[float, float], float | None],
        theme: Theme,
    ) -> None:
        super().__init__(picture)
        self.row, self.lens, self.theme = row, lens, theme
        self.part: Part = ""
        self.hover: Part = ""
        self._picture, self._heights = picture, heights
        self._before, self._place = row, QPointF()
        self._grabbed = np.zeros(3)
        self._wall_before: float | None = None
        self.overlay = CameraHandles(self)
        self._cursor_before = picture.cursor()
        picture.installEventFilter(self)
        picture.camera_changed.connect(self.overlay.update)
        self.overlay.show()

    @property
    def picture(self) -> Viewport:
        """The viewport."""
        return self._picture

    @property
    def is_dragging(self) -> bool:
        """Whether the mouse holds it."""
        return self.part != ""

    @property
    def before(self) -> CameraRow:
        """As it was when the mouse took hold of it."""
        return self._before

    @property
    def height_over_ground(self) -> float | None:
        """Of the lens [m], None where the ground is not known."""
        ground = self._heights(self.row.place[0], self.row.place[1])
        return None if ground is None else self.row.place[2] - ground

    def show_row(self, row: CameraRow, lens: Lens | None = None) -> None:
        """Another pose, or another camera."""
        if self.is_dragging:
            return
        self.row, self.lens = row, lens or self.lens
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

    # -- handles

    @property
    def lens_place(self) -> Vector:
        """(3,) of the lens [local m]."""
        return np.array(self.row.place)

    @property
    def radius(self) -> float:
        """Of the ring [m]: of one size on the screen."""
        camera = self._picture.camera
        away = float((self.lens_place - camera.eye) @ camera.forward)
        share = 1.0 if camera.is_parallel else max(away, 0.5) / max(camera.distance, 1e-6)
        return RING * metres_per_pixel(camera, self._picture.height()) * share

    def way(self, pan: float, tilt: float) -> Vector:
        """Unit vector of a direction [deg]."""
        p, t = math.radians(pan), math.radians(tilt)
        return np.array([math.sin(p) * math.cos(t), math.cos(p) * math.cos(t), -math.sin(t)])

    @property
    def ring(self) -> Vector:
        """(k, 3) level circle about the lens."""
        angle = np.linspace(0.0, 360.0, RING_POINTS, endpoint=False)
        return self.lens_place + self.radius * np.array([self.way(a, 0.0) for a in angle])

    @property
    def arc(self) -> Vector:
        """(k, 3) arc in the upright plane of the view."""
        angle = np.linspace(-HIGHEST_ARC, 90.0, ARC_POINTS)
        return self.lens_place + ARC * self.radius * np.array([self.way(self.row.pan, a) for a in angle])

    def knob(self, part: Part) -> QPointF | None:
        """Where a handle is [pixels]; None behind the eye."""
        row, radius = self.row, self.radius
        far = {
            "body": self.lens_place,
            "height": self.lens_place,
            "pan": self.lens_place + radius * self.way(row.pan, 0.0),
            "tilt": self.lens_place + ARC * radius * self.way(row.pan, row.tilt),
            "zoom": self.lens_place + AXIS * radius * self.way(row.pan, row.tilt),
        }[part]
        places, before = self.places(far[None])
        if not before[0]:
            return None
        lift = LIFT if part == "height" else 0.0
        return QPointF(float(places[0, 0]), float(places[0, 1]) - lift)

    @property
    def handles(self) -> tuple[Part, ...]:
        """What this camera has: a lens of one focal length has no zoom."""
        fixed = self.lens.focal_max <= self.lens.focal_min
        return ("zoom", "tilt", "pan", "height", "body")[1 if fixed else 0 :]  # type: ignore[return-value]

    @property
    def size(self) -> tuple[int, int]:
        """Of the picture [pixels]."""
        return max(self._picture.width(), 1), max(self._picture.height(), 1)

    def places(self, points: Vector) -> tuple[Vector, NDArray[np.bool_]]:
        """Pixels (n, 2) of points (n, 3), and whether each is before the eye."""
        places, depth = project(self._picture.camera, points, self.size)
        return places, depth > 0

    def part_at(self, place: QPointF) -> Part:
        """What the mouse would take hold of at a pixel: the nearest handle within reach."""
        best, nearest = "", REACH
        for part in self.handles:
            knob = self.knob(part)
            apart = math.hypot(place.x() - knob.x(), place.y() - knob.y()) if knob is not None else math.inf
            if apart < nearest:
                best, nearest = part, apart
        return best  # type: ignore[return-value]

    # -- events

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Mouse, wheel and keys over the picture; True for what the picture must not see besides."""
        kind = event.type()
        if isinstance(event, QMouseEvent):
            return self._on_mouse(kind, event)
        if isinstance(event, QWheelEvent):
            return self._on_wheel(event)
        if kind == QEvent.Type.Resize:
            self.overlay.setGeometry(self._picture.rect())
        elif isinstance(event, QKeyEvent) and self._is_mine(event):
            if kind == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if kind == QEvent.Type.KeyPress:
                self._press(event)
                return True
        return False

    def _is_mine(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            return self.is_dragging
        return bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier) and key in {**TURN_KEYS, **ZOOM_KEYS}

    def _press(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            self.part, self.row = "", self._before
            self.overlay.update()
            self.taken_back.emit(self._before)
            return
        step = LARGE_TURN if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else ANGLE_STEP
        if key in TURN_KEYS:
            right, down = TURN_KEYS[key]
            pan, tilt = turned(self.row.pan + step * right), limited_tilt(self.row.tilt + step * down)
            self._change(dataclasses.replace(self.row, pan=pan, tilt=tilt), "turn")
        else:
            self._zoom(ZOOM_KEYS[key])

    def _change(self, row: CameraRow, what: str) -> None:
        """At once, without a drag."""
        if row != self.row:
            self.row = row
            self.overlay.update()
            self.moved.emit(row)
            self.released.emit(row, what, True)

    def _zoom(self, notches: float) -> None:
        focal = self.lens.limited(round(self.row.focal * WHEEL_ZOOM**notches, 2))
        self._change(dataclasses.replace(self.row, focal=focal), "zoom")

    def _on_wheel(self, event: QWheelEvent) -> bool:
        """Over a handle, or with Ctrl anywhere, the wheel zooms the camera and not the picture."""
        held = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if "zoom" not in self.handles or self.is_dragging or not (held or self.part_at(event.position())):
            return False
        self._zoom(event.angleDelta().y() / 120.0)
        event.accept()
        return True

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
                self.released.emit(self.row, {"pan": "turn", "tilt": "turn", "zoom": "zoom"}.get(part, "move"), False)
            return True
        return False

    def _point_at(self, event: QMouseEvent) -> None:
        hover: Part = "" if event.buttons() != Qt.MouseButton.NoButton else self.part_at(event.position())
        if hover != self.hover:
            self.hover = hover
            self._picture.setCursor(CURSORS[hover] if hover else self._cursor_before)
            self.overlay.update()

    def _take(self, place: QPointF) -> bool:
        part = self.part_at(place)
        if not part:
            return False
        self.part, self._before, self._place, self._wall_before = part, self.row, place, None
        grabbed = self._on_level(place, self._foot_level()) if part == "body" else None
        self._grabbed = grabbed if grabbed is not None else self.lens_place
        self._picture.setFocus()
        self.overlay.update()
        return True

    def _foot_level(self) -> float:
        """The level along which the camera slides: that of the lens, so that it stays under the mouse."""
        return float(self._before.place[2])

    # -- dragging

    def _drag(self, place: QPointF, *, free: bool) -> None:
        drag = {
            "body": self._slid,
            "height": self._raised,
            "pan": self._panned,
            "tilt": self._tilted,
            "zoom": self._zoomed,
        }[self.part]
        row = drag(place, free)
        if row is not None and row != self.row:
            self.row = row
            self.overlay.update()
            self.moved.emit(row)

    def _slid(self, place: QPointF, free: bool) -> CameraRow | None:
        before = self._before
        if before.mount == "facade":
            return self._along_wall(place)
        point = self._on_level(place, self._foot_level())
        if point is None:
            return None
        x, y = (before.place[k] + float(point[k] - self._grabbed[k]) for k in (0, 1))
        if not free:
            x, y = to_step(x, STEP), to_step(y, STEP)
        return dataclasses.replace(before, place=(x, y, self._followed(x, y)))

    def _followed(self, x: float, y: float) -> float:
        """Height of the lens where it keeps its height over the ground."""
        before = self._before
        here, there = self._heights(before.place[0], before.place[1]), self._heights(x, y)
        on_ground = before.mount == "pole" and here is not None and there is not None
        return before.place[2] + (there - here if on_ground and here is not None and there is not None else 0.0)

    def _along_wall(self, place: QPointF) -> CameraRow | None:
        """On the wall under the mouse, looking away from it as before."""
        surface = Surface.under(self._picture, place)
        if surface is None or not surface.is_wall:
            return None
        point, outward = wall_mount(surface)
        first = self._wall_before if self._wall_before is not None else outward
        pan = turned(self._before.pan + outward - first)
        self._wall_before = first
        return dataclasses.replace(self._before, place=point, pan=pan)

    def _raised(self, place: QPointF, free: bool) -> CameraRow | None:
        plane = ClipPlane(self._before.place, (0.0, 0.0, 1.0))
        before, now = distance_along(plane, *self._ray(self._place)), distance_along(plane, *self._ray(place))
        if before is None or now is None:
            return None
        x, y, z = self._before.place
        ground = self._heights(x, y) or 0.0
        height = z + now - before - ground
        return dataclasses.replace(self._before, place=(x, y, ground + (height if free else to_step(height, STEP))))

    def _panned(self, place: QPointF, free: bool) -> CameraRow | None:
        point = self._on_level(place, float(self.lens_place[2]))
        if point is None:
            return None
        away = point - self.lens_place
        pan = math.degrees(math.atan2(away[0], away[1]))
        return dataclasses.replace(self._before, pan=turned(pan if free else to_step(pan, ANGLE_STEP)))

    def _tilted(self, place: QPointF, free: bool) -> CameraRow | None:
        origin, direction = self._ray(place)
        beside = np.array([math.cos(math.radians(self.row.pan)), -math.sin(math.radians(self.row.pan)), 0.0])
        slant = float(direction @ beside)
        if abs(slant) < FLAT:
            tilt = self._before.tilt + TILT_PER_PIXEL * (place.y() - self._place.y())
        else:
            away = origin + direction * float((self.lens_place - origin) @ beside) / slant - self.lens_place
            tilt = math.degrees(math.atan2(-away[2], float(away @ self.way(self.row.pan, 0.0))))
            tilt = self._before.tilt if not -90.0 <= tilt <= 90.0 else tilt
        return dataclasses.replace(self._before, tilt=limited_tilt(tilt if free else to_step(tilt, ANGLE_STEP)))

    def _zoomed(self, place: QPointF, free: bool) -> CameraRow | None:
        """The farther from the lens the knob is pulled, the longer the focal length."""
        foot = self.knob("body")
        if foot is None:
            return None
        start = math.hypot(self._place.x() - foot.x(), self._place.y() - foot.y())
        now = math.hypot(place.x() - foot.x(), place.y() - foot.y())
        focal = self._before.focal * now / max(start, 1.0)
        return dataclasses.replace(
            self._before, focal=self.lens.limited(focal if free else round(to_step(focal, FOCAL_STEP), 3))
        )

    def _ray(self, place: QPointF) -> tuple[Vector, Vector]:
        return ray(self._picture.camera, (place.x(), place.y()), self.size)

    def _on_level(self, place: QPointF, level: float) -> Vector | None:
        """Where the line of sight through a pixel meets a level [local m]; None near the horizon."""
        origin, direction = self._ray(place)
        if abs(direction[2]) < LOWEST_SLANT or (level - origin[2]) / direction[2] <= 0:
            return None
        return np.asarray(origin + direction * ((level - origin[2]) / direction[2]))
