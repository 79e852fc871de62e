"""A purifier in hand, in the picture: drag it over the ground, turn where its clean air leaves."""

from __future__ import annotations

import dataclasses
import math

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPolygonF

from app.dust.edit import PurifierRow
from app.language import tr
from app.mass_edit import to_step
from app.numbers import number_text
from app.view.hand_gizmo import ANGLE_STEP, KNOB, LARGE_TURN, STEP, GizmoHandles, HandGizmo

TURN_KEYS = {Qt.Key.Key_Left: -1.0, Qt.Key.Key_Right: 1.0}
DRAG_STEP = 5 * ANGLE_STEP  # [deg]


class PurifierGizmo(HandGizmo):
    """One purifier in hand; what is done is ``move`` or ``turn``. Ctrl and left or right turn it."""

    row: PurifierRow
    cursors = {"body": Qt.CursorShape.SizeAllCursor, "turn": Qt.CursorShape.OpenHandCursor}
    done_by = {"turn": "turn"}

    def make_overlay(self) -> PurifierHandles:
        """Ring, line and knobs."""
        return PurifierHandles(self)

    @property
    def handles(self) -> tuple[str, ...]:
        """The knob of turning and the foot."""
        return "turn", "body"

    def knob(self, part: str) -> QPointF | None:
        """Where a handle is [pixels]; None behind the eye."""
        away = self.radius * self.way(self.row.towards, 0.0) if part == "turn" else 0.0
        return self.pixel_of(self.middle + away)

    def is_mine(self, event: QKeyEvent) -> bool:
        """Arrows to the sides with Ctrl."""
        return bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier) and Qt.Key(event.key()) in TURN_KEYS

    def press(self, event: QKeyEvent) -> None:
        """Turn by a step."""
        step = LARGE_TURN if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else ANGLE_STEP
        towards = (self.row.towards + step * TURN_KEYS[Qt.Key(event.key())]) % 360.0
        self.change(dataclasses.replace(self.row, towards=towards), "turn")

    def dragged(self, part: str, place: QPointF, *, free: bool) -> PurifierRow | None:
        """The row with a part dragged to a pixel; `free` without steps."""
        before: PurifierRow = self.before
        point = self.on_level(place, float(before.place[2]))
        if point is None:
            return None
        if part == "turn":
            away = point - self.middle
            towards = math.degrees(math.atan2(away[0], away[1]))
            return dataclasses.replace(before, towards=(towards if free else to_step(towards, DRAG_STEP)) % 360.0)
        x, y = (before.place[k] + float(point[k] - self._grabbed[k]) for k in (0, 1))
        if not free:
            x, y = to_step(x, STEP), to_step(y, STEP)
        ground = self._heights(x, y)
        return dataclasses.replace(before, place=(x, y, before.place[2] if ground is None else ground))


class PurifierHandles(GizmoHandles):
    """The circle of turning, the way the clean air leaves, and the number of a drag."""

    _gizmo: PurifierGizmo

    def paint_lines(self, painter: QPainter) -> None:
        """Circle and line."""
        self.paint_line(painter, self._gizmo.ring, "turn", closed=True)
        self.paint_between(painter, "body", "turn")

    def paint_shape(self, painter: QPainter, place: QPointF, part: str) -> None:
        """A diamond turns, a disc moves."""
        if part == "turn":
            far = KNOB + 1.0
            corners = [QPointF(0, -far), QPointF(far, 0), QPointF(0, far), QPointF(-far, 0)]
            painter.drawPolygon(QPolygonF([place + corner for corner in corners]))
        else:
            painter.drawEllipse(place, KNOB, KNOB)

    def text(self) -> str:
        """Direction, or how far it was moved."""
        gizmo = self._gizmo
        if gizmo.part == "turn":
            return f"{tr('purifier.towards')} {number_text(round(gizmo.row.towards, 1))}°"
        east, north = (gizmo.row.place[k] - gizmo.before.place[k] for k in (0, 1))
        return f"{tr('mass.east')} {east:+.2f} m · {tr('mass.north')} {north:+.2f} m"
