"""The OpenGL widget that VTK draws into. `app.view.rwi` knows where the widget comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget

from app.view.rwi import QVTKRenderWindowInteractor

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
        self._held = False
        self._held_size: tuple[int, int] | None = None
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
        if self._held:  # the widget's own buffer still has the last frame
            return
        self._asked_by_screen = True
        try:
            super().paintEvent(event)
        finally:
            self._asked_by_screen = False

    def paintGL(self) -> None:
        """Draw the scene if it changed, else show the last frame again (a card moved over it)."""
        if self._held:
            return
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

    def hold(self) -> None:
        """Show what is shown until `let_go`: somebody needs the drawing buffer for something else."""
        self._held = True

    def let_go(self) -> None:
        """Draw again."""
        self._held = False
        size, self._held_size = self._held_size, None
        if size is not None and self.isValid():
            self.makeCurrent()
            super().resizeGL(*size)
            self.doneCurrent()
        self.stale = True
        self.update()

    @property
    def is_held(self) -> bool:
        """Whether the drawing buffer is not the screen's now."""
        return self._held

    def resizeGL(self, width: int, height: int) -> None:
        """A new size needs a new frame."""
        self.stale = True
        if self._held:
            self._held_size = (width, height)
            return
        super().resizeGL(width, height)
