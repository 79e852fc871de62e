"""Where a card of the tour stands: beside its control, on the side with room, within the window."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtWidgets import QWidget

GAP, EDGE = 12, 12  # pixels to the control and to the edge of the window
ABOVE = 40  # pixels that the lines at the foot of the picture take
INSIDE = QPoint(16, 16)  # pixels from the corner of a control in which a card stands


def rectangle_of(target: QWidget | None, window: QWidget) -> QRect | None:
    """What is seen of a control, in the window's own pixels; None where nothing is."""
    if target is None or not target.isVisible() or target.window() is not window.window():
        return None
    seen = target.visibleRegion().boundingRect()
    if seen.isEmpty():
        return None
    return QRect(target.mapTo(window, seen.topLeft()), seen.size())


def place_beside(around: QRect | None, size: QSize, window: QRect, *, inside: bool = False) -> QPoint:
    """Top left corner of a card of `size`: left, right, below or above `around`, in that order where there is room.

    inside : bool
        The control is so large that the card stands in its lower left corner.
    """
    if around is None:
        return _within(QPoint((window.width() - size.width()) // 2, window.height() - size.height() - 80), size, window)
    if inside:
        return _within(around.bottomLeft() + QPoint(INSIDE.x(), -INSIDE.y() - ABOVE - size.height()), size, window)
    places = (
        QPoint(around.left() - size.width() - GAP, around.top()),
        QPoint(around.right() + GAP, around.top()),
        QPoint(around.left(), around.bottom() + GAP),
        QPoint(around.left(), around.top() - size.height() - GAP),
    )
    moved = [_within(place, size, window) for place in places]
    return next((place for place in moved if not QRect(place, size).intersects(around)), moved[0])


def _within(place: QPoint, size: QSize, window: QRect) -> QPoint:
    right, bottom = window.width() - size.width() - EDGE, window.height() - size.height() - EDGE
    return QPoint(max(EDGE, min(place.x(), right)), max(EDGE, min(place.y(), bottom)))
