"""What mouse and keys do in the picture: turn, move, zoom, select. The viewport is such a widget."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from app.document import Document
from app.view import camera as cameras
from app.view.camera import Camera
from app.view.cards import Cards
from app.view.draw_tool import DrawTool
from app.view.hand import ARROWS, Drag, camera_by_key
from app.view.picking import Hit
from app.view.probe import element_hit
from geo.model import ElementRef


class PointerWidget(QWidget):
    """A widget whose camera and selection are moved by hand; the rest of the picture is the viewport's.

    Signals
    -------
    hovered(object)
        `app.view.probe.HoverInfo`, or None over the sky.
    picked(object, object)
        `ElementRef` or None, and the local point (3,) or None, of a click.
    context_requested(object, QPoint)
        `ElementRef` or None under a right click, and the place on the screen.
    """

    hovered = Signal(object)
    picked = Signal(object, object)
    context_requested = Signal(object, QPoint)

    document: Document
    cards: Cards
    _camera: Camera
    _drag: Drag
    _cursor: QPointF
    _drawing: DrawTool | None
    _hover_timer: QTimer

    @property
    def _size(self) -> tuple[int, int]:
        return (max(self.width(), 1), max(self.height(), 1))

    def set_camera(self, camera: Camera) -> None:
        """Look from here."""
        raise NotImplementedError

    def set_view(self, name: str) -> None:
        """One of the named views."""
        raise NotImplementedError

    def zoom_to(self, refs: Iterable[ElementRef]) -> None:
        """Show these elements."""
        raise NotImplementedError

    def _hits(self, place: QPointF) -> list[Hit]:
        raise NotImplementedError

    def _point_under(self, place: QPointF) -> np.ndarray:
        raise NotImplementedError

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Remember where; whether it is a click or a drag shows later."""
        self.setFocus()
        self._hover_timer.stop()
        self.cards.show_hover(None, self._cursor)
        self._drag = Drag(event.button(), event.position())
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Orbit with the left button, move with the others or with Shift."""
        if self._drag.button == Qt.MouseButton.NoButton:
            self._cursor = event.position()
            self._hover_timer.start()
            return
        if not self._drag.moving:
            if self._drag.is_click(event.position()):
                return
            self._begin_drag(event)
        self.set_camera(self._drag.moved(self._camera, event.position(), self._size))

    def _begin_drag(self, event: QMouseEvent) -> None:
        drag = self._drag
        drag.moving = True
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        drag.pans = drag.button != Qt.MouseButton.LeftButton or shift or self._camera.is_parallel
        drag.pivot = self._point_under(drag.start)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A press that did not move is a click."""
        drag, self._drag = self._drag, Drag()
        if drag.moving or drag.button != event.button():
            return
        if self._drawing is not None and self._drawing.active:
            self._drawing.press_button(event.button(), event.position())
            return
        hit = element_hit(self._hits(event.position()))
        ref = hit.ref if hit is not None else None
        if event.button() == Qt.MouseButton.RightButton:
            self.context_requested.emit(ref, self.mapToGlobal(event.position().toPoint()))
        elif event.button() == Qt.MouseButton.LeftButton:
            self._click(hit, toggles=bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))

    def _click(self, hit: Hit | None, *, toggles: bool) -> None:
        selection = self.document.selection
        selectable = hit is not None and hit.layer.theme != "terrain"
        if hit is not None and selectable and toggles:
            selection.toggle(hit.ref)
        elif hit is not None and selectable:
            selection.set([hit.ref])
        elif not toggles:
            selection.clear()
        self.picked.emit(hit.ref if hit is not None else None, hit.point if hit is not None else None)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Zoom to what was clicked."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        hit = element_hit(self._hits(event.position()))
        if hit is not None and hit.layer.theme != "terrain":
            self.zoom_to([hit.ref])

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom toward the point under the cursor."""
        delta = event.angleDelta().y() or event.pixelDelta().y()
        if delta:
            point = self._point_under(event.position())
            self.set_camera(cameras.zoom(self._camera, point, notches=delta / 120.0))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows turn, with Shift they move; plus and minus zoom; Home shows all; Escape selects nothing."""
        key, shift = Qt.Key(event.key()), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        middle = self._point_under(QPointF(self.width() / 2, self.height() / 2)) if key in ARROWS else np.zeros(3)
        moved = camera_by_key(self._camera, key, pans=shift, size=self._size, middle=middle)
        if moved is not None:
            self.set_camera(moved)
        elif key == Qt.Key.Key_Home:
            self.set_view("home")
        elif key == Qt.Key.Key_Escape and len(self.document.selection):
            self.document.selection.clear()
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the cursor any more."""
        self._hover_timer.stop()
        self.cards.show_hover(None, self._cursor)
        self.hovered.emit(None)
