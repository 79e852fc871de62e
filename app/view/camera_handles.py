"""The handles of a camera in hand, painted over the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPolygonF

from app.language import tr
from app.numbers import number_text
from app.view.hand_gizmo import KNOB, GizmoHandles

if TYPE_CHECKING:
    from app.view.camera_gizmo import CameraGizmo


class CameraHandles(GizmoHandles):
    """Ring, arc, axis, arrow, and the number of a drag."""

    _gizmo: CameraGizmo

    def paint_lines(self, painter: QPainter) -> None:
        """The circle of turning, the arc of tilting, and the lines to arrow and lens."""
        self.paint_line(painter, self._gizmo.ring, "pan", closed=True)
        self.paint_line(painter, self._gizmo.arc, "tilt", closed=False)
        self.paint_between(painter, "body", "height")
        self.paint_between(painter, "body", "zoom")

    def paint_shape(self, painter: QPainter, place: QPointF, part: str) -> None:
        """A square zooms, an arrow raises, a ring tilts."""
        if part == "zoom":
            painter.drawRect(QRectF(place.x() - KNOB + 1, place.y() - KNOB + 1, 2 * KNOB - 2, 2 * KNOB - 2))
        elif part == "height":
            tip = QPolygonF(
                [place + QPointF(0, -KNOB - 2), place + QPointF(KNOB, KNOB - 2), place + QPointF(-KNOB, KNOB - 2)]
            )
            painter.drawPolygon(tip)
        else:
            painter.drawEllipse(place, KNOB, KNOB)
        if part == "tilt":
            painter.setBrush(QColor(self._gizmo.theme["halo"]))
            painter.drawEllipse(place, 2.5, 2.5)

    def text(self) -> str:
        """What is said beside the handle that is held."""
        return drag_text(self._gizmo)


def drag_text(gizmo: CameraGizmo) -> str:
    """What is said beside the handle that is held."""
    row = gizmo.row
    if gizmo.part == "pan":
        return f"{tr('camera.pan')} {number_text(round(row.pan, 1))}°"
    if gizmo.part == "tilt":
        return f"{tr('camera.tilt')} {number_text(round(row.tilt, 1))}°"
    if gizmo.part == "zoom":
        field = number_text(round(gizmo.lens.field(row.focal), 1))
        return f"{number_text(round(row.focal, 2))} mm · {field}°"
    height = gizmo.height_over_ground
    lifted = f"{tr('camera.height')} {number_text(round(height, 2))} m" if height is not None else ""
    if gizmo.part == "height":
        return lifted or f"z {number_text(round(row.place[2], 2))} m"
    east, north = (row.place[k] - gizmo.before.place[k] for k in (0, 1))
    moved = f"{tr('mass.east')} {east:+.2f} m · {tr('mass.north')} {north:+.2f} m"
    return f"{moved} · {lifted}" if lifted else moved
