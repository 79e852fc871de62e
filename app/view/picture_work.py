"""A picture at any size drawn by the window itself in short parts, so that it answers meanwhile.

The canvas keeps what it shows until the picture is done: its drawing buffer has another size for so long.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from app.view.slices import Costs, SlicedFrame, drawn_over, only
from app.view.stage import read_pixels
from app.view.warm_up import SmallTextures

if TYPE_CHECKING:
    from app.view.canvas import Canvas
    from app.view.stage import Stage

PAUSE_MS = 4
Pixels = NDArray[np.uint8]


class PictureWork(QObject):
    """One picture under way.

    Parameters
    ----------
    size : (width, height) [pixels]
    small : SmallTextures
        Those of the window.
    restore : callable
        Sets the drawing quality of the window again.

    Signals
    -------
    progressed(float)
        How much of it was drawn, 0 to 1.
    done(object)
        (height, width, 3) uint8; None when it was given up.
    """

    progressed = Signal(float)
    done = Signal(object)

    def __init__(
        self,
        canvas: Canvas,
        stage: Stage,
        size: tuple[int, int],
        *,
        small: SmallTextures,
        restore: Callable[[], None],
    ) -> None:
        super().__init__(canvas)
        self._small = small
        self._canvas, self._stage, self._size, self._restore = canvas, stage, size, restore
        self._frame: SlicedFrame | None = None
        self._before: tuple[int, ...] = ()
        self._timer = QTimer(self)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._step)

    @property
    def is_over(self) -> bool:
        """Whether it was drawn or given up."""
        return not self._timer.isActive()

    def begin(self) -> None:
        """Take the drawing buffer."""
        self._canvas.hold()
        window = self._stage.window
        self._before = tuple(window.GetSize())
        self._canvas.makeCurrent()
        window.MakeCurrent()
        window.SetSize(*self._size)
        self._stage.set_quality(self._stage.quality)  # a picture to keep is worth its samples, whoever draws it
        self._stage.aim()
        self._frame = SlicedFrame(self._stage, Costs(self._small))
        self._canvas.doneCurrent()
        self._timer.start()

    def finish(self) -> None:
        """All that is left, at once."""
        while not self.is_over:
            self._step()

    def give_up(self) -> None:
        """End without a picture."""
        if not self.is_over:
            self._end(None)

    def _step(self) -> None:
        frame, window = self._frame, self._stage.window
        if frame is None or not self._canvas.isValid() or tuple(window.GetSize()) != self._size:
            self._end(None)
            return
        self._canvas.makeCurrent()
        window.MakeCurrent()
        state = window.GetState()
        state.Reset()
        state.Push()
        pixels: Pixels | None = None
        is_over = True  # also where drawing fails: else the canvas would be held for ever
        try:
            frame.draw_next()
            pixels = self._finished(frame) if frame.is_finished else None
            is_over = frame.is_finished
        finally:
            state.Pop()
            self._canvas.doneCurrent()
            if is_over:
                self._end(pixels)
            else:
                self.progressed.emit(frame.fraction)

    def _finished(self, frame: SlicedFrame) -> Pixels:
        """What moves and the marks, over all the rest; then the pixels."""
        stage = self._stage
        with frame.seen_again(), only(stage, stage.moving):
            with drawn_over(stage, keeps=True, smooth=False, shown=True, front=True):
                stage.window.Render()
            return read_pixels(stage.window)

    def _end(self, pixels: Pixels | None) -> None:
        self._timer.stop()
        self._frame = None
        if self._canvas.isValid():
            self._canvas.makeCurrent()
            self._stage.window.MakeCurrent()
            self._restore()
            self._stage.window.SetSize(*self._before)
            self._canvas.doneCurrent()
        self._canvas.let_go()
        self.done.emit(pixels)
        self.deleteLater()
