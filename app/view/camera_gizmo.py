"""A camera in hand, in the picture: drag it over the ground or along its wall, raise it, turn it, tilt it, zoom."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QWheelEvent

from app.cctv.edit import CameraRow, limited_tilt, turned
from app.look import ClipPlane
from app.mass_edit import to_step
from app.theme import Theme
from app.view.camera_handles import CameraHandles
from app.view.hand_gizmo import ANGLE_STEP, LARGE_TURN, STEP, HandGizmo, Vector
from app.view.section_handle import distance_along
from app.view.surface_under import Surface, wall_mount
from app.view.viewport import Viewport

ARC, AXIS = 1.3, 1.75  # radius of the arc and length of the axis, of that of the ring
LIFT = 46.0  # pixels by which the height arrow stands over the lens
ARC_POINTS = 32
HIGHEST_ARC = 30.0  # [deg] above level that the arc shows
FOCAL_STEP = 0.1  # [mm]
WHEEL_ZOOM = 1.08  # of the focal length, a notch
FLAT = 0.12  # how much a line of sight must leave a plane to be followed in it
TILT_PER_PIXEL = 0.25  # [deg] where the arc is seen from its edge
CURSORS: dict[str, Qt.CursorShape] = {
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


class CameraGizmo(HandGizmo):
    """One camera in hand; what is done is ``move``, ``turn`` or ``zoom``.

    Parameters
    ----------
    picture : Viewport
    row : CameraRow
    lens : Lens
    heights : callable(x, y) -> float or None
        Of the ground [local m].
    theme : Theme
    """

    row: CameraRow
    _before: CameraRow
    cursors = CURSORS
    done_by = {"pan": "turn", "tilt": "turn", "zoom": "zoom"}

    def __init__(
        self,
        picture: Viewport,
        row: CameraRow,
        lens: Lens,
        *,
        heights: Callable[[float, float], float | None],
        theme: Theme,
    ) -> None:
        self.lens = lens
        self._wall_before: float | None = None
        super().__init__(picture, row, heights=heights, theme=theme)

    def make_overlay(self) -> CameraHandles:
        """Ring, arc, axis, arrow."""
        return CameraHandles(self)

    @property
    def height_over_ground(self) -> float | None:
        """Of the lens [m], None where the ground is not known."""
        ground = self._heights(self.row.place[0], self.row.place[1])
        return None if ground is None else self.row.place[2] - ground

    def show_row(self, row: CameraRow, lens: Lens | None = None) -> None:
        """Another pose, or another camera."""
        if not self.is_dragging:
            self.lens = lens or self.lens
        super().show_row(row)

    # -- handles

    @property
    def arc(self) -> Vector:
        """(k, 3) arc in the upright plane of the view."""
        angle = np.linspace(-HIGHEST_ARC, 90.0, ARC_POINTS)
        return self.middle + ARC * self.radius * np.array([self.way(self.row.pan, a) for a in angle])

    def knob(self, part: str) -> QPointF | None:
        """Where a handle is [pixels]; None behind the eye."""
        row, radius = self.row, self.radius
        far = {
            "body": self.middle,
            "height": self.middle,
            "pan": self.middle + radius * self.way(row.pan, 0.0),
            "tilt": self.middle + ARC * radius * self.way(row.pan, row.tilt),
            "zoom": self.middle + AXIS * radius * self.way(row.pan, row.tilt),
        }[part]
        place = self.pixel_of(far)
        return place - QPointF(0.0, LIFT) if place is not None and part == "height" else place

    @property
    def handles(self) -> tuple[str, ...]:
        """What this camera has: a lens of one focal length has no zoom."""
        fixed = self.lens.focal_max <= self.lens.focal_min
        return ("zoom", "tilt", "pan", "height", "body")[1 if fixed else 0 :]

    # -- keys and the wheel

    def is_mine(self, event: QKeyEvent) -> bool:
        """Arrows and signs with Ctrl."""
        held = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        return held and Qt.Key(event.key()) in {**TURN_KEYS, **ZOOM_KEYS}

    def press(self, event: QKeyEvent) -> None:
        """Turn or zoom by a step."""
        key = Qt.Key(event.key())
        step = LARGE_TURN if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else ANGLE_STEP
        if key in TURN_KEYS:
            right, down = TURN_KEYS[key]
            pan, tilt = turned(self.row.pan + step * right), limited_tilt(self.row.tilt + step * down)
            self.change(dataclasses.replace(self.row, pan=pan, tilt=tilt), "turn")
        else:
            self._zoom(ZOOM_KEYS[key])

    def _zoom(self, notches: float) -> None:
        focal = self.lens.limited(round(self.row.focal * WHEEL_ZOOM**notches, 2))
        self.change(dataclasses.replace(self.row, focal=focal), "zoom")

    def on_wheel(self, event: QWheelEvent) -> bool:
        """Over a handle, or with Ctrl anywhere, the wheel zooms the camera and not the picture."""
        held = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if "zoom" not in self.handles or self.is_dragging or not (held or self.part_at(event.position())):
            return False
        self._zoom(event.angleDelta().y() / 120.0)
        event.accept()
        return True

    # -- dragging

    def taken(self) -> None:
        """Which wall it hangs on is asked anew."""
        self._wall_before = None

    def dragged(self, part: str, place: QPointF, *, free: bool) -> CameraRow | None:
        """The row with a part dragged to a pixel; `free` without steps."""
        drag = {
            "body": self._slid,
            "height": self._raised,
            "pan": self._panned,
            "tilt": self._tilted,
            "zoom": self._zoomed,
        }[part]
        return drag(place, free)

    def _slid(self, place: QPointF, free: bool) -> CameraRow | None:
        before = self._before
        if before.mount == "facade":
            return self._along_wall(place)
        point = self.on_level(place, float(before.place[2]))
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
        before, now = distance_along(plane, *self.ray_at(self._place)), distance_along(plane, *self.ray_at(place))
        if before is None or now is None:
            return None
        x, y, z = self._before.place
        ground = self._heights(x, y) or 0.0
        height = z + now - before - ground
        return dataclasses.replace(self._before, place=(x, y, ground + (height if free else to_step(height, STEP))))

    def _panned(self, place: QPointF, free: bool) -> CameraRow | None:
        point = self.on_level(place, float(self.middle[2]))
        if point is None:
            return None
        away = point - self.middle
        pan = math.degrees(math.atan2(away[0], away[1]))
        return dataclasses.replace(self._before, pan=turned(pan if free else to_step(pan, ANGLE_STEP)))

    def _tilted(self, place: QPointF, free: bool) -> CameraRow | None:
        origin, direction = self.ray_at(place)
        beside = np.array([math.cos(math.radians(self.row.pan)), -math.sin(math.radians(self.row.pan)), 0.0])
        slant = float(direction @ beside)
        if abs(slant) < FLAT:
            tilt = self._before.tilt + TILT_PER_PIXEL * (place.y() - self._place.y())
        else:
            away = origin + direction * float((self.middle - origin) @ beside) / slant - self.middle
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
