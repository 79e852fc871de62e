"""Two pictures in one place: side by side, or one over the other with a divider that is dragged between them.

Each picture stays a widget of its own that draws when it has to. The divider only moves what covers it: swiping draws
no frame anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.theme import Theme
from app.view.camera import Camera

if TYPE_CHECKING:
    from app.view.viewport import Viewport

GAP = 4  # pixels between two pictures side by side
GRIP = 14  # pixels that can be taken hold of
KEY_STEP = 0.02  # share of the width for each press of an arrow


class LinkedCameras(QObject):
    """Turning one picture turns the other. Each is drawn once for each place of the camera."""

    def __init__(self, left: Viewport, right: Viewport, parent: QObject) -> None:
        super().__init__(parent)
        self._pair = (left, right)
        self._busy = False
        left.camera_changed.connect(self._left_moved)
        right.camera_changed.connect(self._right_moved)

    def _left_moved(self) -> None:
        self._follow(*self._pair)

    def _right_moved(self) -> None:
        self._follow(*self._pair[::-1])

    def _follow(self, moved: Viewport, other: Viewport) -> None:
        if not self._busy and other.camera != moved.camera:
            self._busy = True
            try:
                other.set_camera(moved.camera)
            finally:
                self._busy = False

    def look_from(self, camera: Camera) -> None:
        """Both look from here."""
        self._pair[0].set_camera(camera)


class Divider(QWidget):
    """The line between two pictures, with a knob; dragged by mouse or moved by arrows."""

    moved = Signal(float)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.dragged = False
        self.setObjectName("swipe_divider")
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A light line with a dark rim, readable over everything, and the knob."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle, high = self.width() / 2, self.height()
        painter.fillRect(QRectF(middle - 2, 0, 4, high), QColor(0, 0, 0, 110))
        painter.fillRect(QRectF(middle - 1, 0, 2, high), QColor("#ffffff"))
        knob = QRectF(middle - 6, high / 2 - 18, 12, 36)
        painter.setBrush(QColor(*self.theme.rgb("accent")) if self.hasFocus() else QColor("#ffffff"))
        painter.setPen(QColor(0, 0, 0, 110))
        painter.drawRoundedRect(knob, 6, 6)
        for offset in (-2, 2):
            painter.drawLine(round(middle + offset), round(high / 2 - 6), round(middle + offset), round(high / 2 + 6))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold."""
        self.dragged = event.button() == Qt.MouseButton.LeftButton
        self.setFocus()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move along."""
        parent = self.parentWidget()
        if self.dragged and parent is not None:
            self.moved.emit(self.mapTo(parent, event.position()).x() / max(parent.width(), 1))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self.dragged = False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right move it a little, Home and End all the way."""
        parent = self.parentWidget()
        share = (self.x() + self.width() / 2) / max(parent.width(), 1) if parent is not None else 0.5
        wanted = {
            Qt.Key.Key_Left: share - KEY_STEP,
            Qt.Key.Key_Right: share + KEY_STEP,
            Qt.Key.Key_Home: 0.0,
            Qt.Key.Key_End: 1.0,
        }.get(Qt.Key(event.key()))
        if wanted is None:
            super().keyPressEvent(event)
        else:
            self.moved.emit(wanted)


class TwoPictures(QWidget):
    """Two viewports in one place.

    Attributes
    ----------
    swiped : bool
        One over the other, else side by side.
    share : float
        Where the divider stands, 0 at the left edge, 1 at the right.
    """

    def __init__(self, left: Viewport, right: Viewport, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.left, self.right = left, right
        self.swiped = False
        self.share = 0.5
        self._frames = (QWidget(self), QWidget(self))
        for viewport, frame in zip((left, right), self._frames, strict=True):
            viewport.setParent(frame)
        self.divider = Divider(theme, self)
        self.divider.moved.connect(self.set_share)
        self.divider.hide()
        self.setMinimumSize(320, 160)

    def set_swiped(self, swiped: bool) -> None:
        """One over the other, or side by side."""
        self.swiped = swiped
        self.divider.setVisible(swiped)
        self._lay_out()

    def set_share(self, share: float) -> None:
        """Put the divider somewhere else."""
        self.share = min(max(share, 0.0), 1.0)
        self._lay_out()

    def set_theme(self, theme: Theme) -> None:
        """Change the palette of the divider."""
        self.divider.theme = theme
        self.divider.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Both get their place anew."""
        self._lay_out()

    def _lay_out(self) -> None:
        width, height = self.width(), self.height()
        if self.swiped:
            edge = round(self.share * width)
            places = ((0, edge, 0, width), (edge, width - edge, -edge, width))
        else:
            half = max((width - GAP) // 2, 1)
            places = ((0, half, 0, half), (width - half, half, 0, half))
        for viewport, frame, (x, visible, inside, wide) in zip(
            (self.left, self.right), self._frames, places, strict=True
        ):
            frame.setGeometry(x, 0, visible, height)
            viewport.setGeometry(inside, 0, wide, height)
        if self.swiped:
            self.divider.setGeometry(round(self.share * width) - GRIP // 2, 0, GRIP, height)
            self.divider.raise_()

    def grab_picture(self, size: QSize) -> QImage:
        """Both pictures as they stand, at any size."""
        width, height = size.width(), size.height()
        image = QImage(size, QImage.Format.Format_RGB888)
        image.fill(QColor("#ffffff"))
        painter = QPainter(image)
        if self.swiped:
            edge = round(self.share * width)
            painter.drawImage(0, 0, self.left.grab_picture(width, height))
            right = self.right.grab_picture(width, height)
            painter.drawImage(edge, 0, right, edge, 0, width - edge, height)
            painter.fillRect(QRectF(edge - 1, 0, 2, height), QColor("#ffffff"))
        else:
            half = (width - GAP) // 2
            painter.drawImage(0, 0, self.left.grab_picture(half, height))
            painter.drawImage(width - half, 0, self.right.grab_picture(half, height))
        painter.end()
        return image
