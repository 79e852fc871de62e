"""Room between the edge of a box and the number in it: the style sheet's padding does not reach into spin boxes."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtWidgets import QAbstractSpinBox

ROOM = 5  # pixels; with the line's own two it stands as in other fields

Box = TypeVar("Box", bound=QAbstractSpinBox)


def off_the_edge(box: Box) -> Box:
    """The box, whose number stands off its left edge."""
    box.lineEdit().setTextMargins(ROOM, 0, 0, 0)
    return box
