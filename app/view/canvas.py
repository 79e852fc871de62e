"""The OpenGL widget that VTK draws into. The only module that knows pyvistaqt."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget
from pyvistaqt.rwi import QVTKRenderWindowInteractor

if TYPE_CHECKING:
    from app.view.frames import Frames

GL_RENDERER = 0x1F01
SOFTWARE_RENDERERS = ("llvmpipe", "softpipe", "swiftshader", "swrast")


class Canvas(QVTKRenderWindowInteractor):
    """The OpenGL widget. Mouse and keys go to the viewport; VTK draws only when `stale`.

    Attributes
    ----------
    frames : Frames or None
        Says how a frame is drawn; without it each is drawn at once.
    """

    ready = Signal()
    software = False

    def __init__(self, parent: QWidget, *, before_draw: Callable[[], None]) -> None:
        super().__init__(parent)
        self.stale = True
        self.frames: Frames | None = None
        self._before_draw = before_draw
        self._asked_by_screen = False
        # Without an interactor the widget asks the window itself to draw; ours would only swallow the request.
        self.GetRenderWindow().SetInteractor(None)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def initializeGL(self) -> None:
        """Ask what draws here: a processor pays for every sample of a pixel."""
        super().initializeGL()
        functions = self.context().functions()
        renderer = functions.glGetString(GL_RENDERER) if functions is not None else None
        self.software = any(name in str(renderer).lower() for name in SOFTWARE_RENDERERS)
        self.ready.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The screen asks; whoever else makes us paint takes the picture away, and wants it finished."""
        self._asked_by_screen = True
        try:
            super().paintEvent(event)
        finally:
            self._asked_by_screen = False

    def paintGL(self) -> None:
        """Draw the scene if it changed, else show the last frame again (a card moved over it)."""
        taken_away = not self._asked_by_screen
        if self.stale or (taken_away and self.frames is not None and self.frames.busy):
            self.stale = False
            if self.frames is None:
                self._before_draw()
                super().paintGL()
            else:
                with self.frames.painting(wait=taken_away):
                    super().paintGL()
            return
        window = self._RenderWindow
        if window is None or not window.GetReadyForRendering():
            return
        state = window.GetState()
        state.Reset()
        state.Push()
        self.makeCurrent()
        ratio = self.devicePixelRatioF()
        area = QRect(0, 0, max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio)))
        self._blit(self.defaultFramebufferObject(), area)
        state.Pop()

    def resizeGL(self, width: int, height: int) -> None:
        """A new size needs a new frame."""
        self.stale = True
        super().resizeGL(width, height)
