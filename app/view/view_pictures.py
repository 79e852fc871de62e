"""Pictures of what a viewport shows, at any size: at once, or in short parts while the window answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QPainter

from app.view.picture_work import PictureWork
from app.view.still import pixels_apart, pixels_in_window

if TYPE_CHECKING:
    from app.view.viewport import Viewport

Pixels = NDArray[np.uint8]
LEAST = 16  # pixels of a side


class ViewPictures:
    """Takes pictures of one viewport.

    Parameters
    ----------
    apply_sun : callable
        Brings the shadows up to date.
    restore : callable
        Sets the drawing quality of the window again.
    settle : callable
        Has the picture follow what has come into the scene.
    """

    def __init__(
        self, view: Viewport, *, apply_sun: Callable[[], None], restore: Callable[[], None], settle: Callable[[], None]
    ) -> None:
        self._view, self._apply_sun, self._restore, self._settle_scene = view, apply_sun, restore, settle
        self._work: PictureWork | None = None

    def grab(self, width: int, height: int, *, cards: bool) -> QImage:
        """Drawn at once."""
        self._settle()
        image = image_of(self._pixels(_size(width, height)))
        self._paint_over(image, cards=cards)
        return image

    def shown(self, width: int, height: int) -> QImage:
        """What is on the screen, scaled; drawn anew only where there is none."""
        self._settle()
        view, size = self._view, QSize(*_size(width, height))
        if not (view.canvas.isValid() and view.isVisible()):
            return self.grab(width, height, cards=True)
        fill, smooth = Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
        scaled = view.canvas.grabFramebuffer().scaled(size, fill, smooth)
        left, top = (scaled.width() - size.width()) // 2, (scaled.height() - size.height()) // 2
        image = scaled.copy(left, top, size.width(), size.height()).convertToFormat(QImage.Format.Format_RGB888)
        image.setDevicePixelRatio(1.0)  # the cards count its pixels
        self._paint_over(image, cards=True)
        return image

    def later(
        self,
        width: int,
        height: int,
        on_done: Callable[[QImage | None], object],
        *,
        cards: bool = True,
        progressed: Callable[[float], object] | None = None,
    ) -> None:
        """The picture at any size in short parts where a processor draws.

        `on_done` gets None when it was given up meanwhile; `progressed` is told how much there is, 0 to 1.
        """
        view = self._view
        self._settle()
        if not view.canvas.software or not view.canvas.isValid():
            on_done(self.grab(width, height, cards=cards))
            return
        size = _size(width, height)
        over = QImage(*size, QImage.Format.Format_ARGB32_Premultiplied)
        over.fill(Qt.GlobalColor.transparent)
        self._paint_over(over, cards=cards)  # now: the camera may move on

        def finish(pixels: Pixels | None) -> None:
            self._work = None
            view.redraw()
            image = None
            try:
                image = None if pixels is None else laid_over(pixels, over)
            finally:
                on_done(image)

        self._apply_sun()
        small = view.frames.costs.small
        self._work = PictureWork(view.canvas, view.stage, size, small=small, restore=self._restore)
        self._work.done.connect(finish)
        if progressed is not None:
            self._work.progressed.connect(progressed)
        self._work.begin()

    def give_up(self) -> None:
        """Whoever waits for a picture gets none."""
        if self._work is not None:
            self._work.give_up()

    def _settle(self) -> None:
        """What has come into the scene is in the picture, and another picture gives the canvas back."""
        self._settle_scene()
        if self._work is not None:
            self._work.finish()

    def _paint_over(self, image: QImage, *, cards: bool) -> None:
        if cards:
            self._view.cards.paint_on(image, self._view.camera)
        self._view.labels.paint_on(image)

    def _pixels(self, size: tuple[int, int]) -> Pixels:
        view = self._view
        self._apply_sun()
        if not view.canvas.isValid():
            section = view.section_work.section
            return pixels_apart(view.seen, view.stage, size, camera=view.camera, theme=view.theme, section=section)
        pixels = pixels_in_window(view.canvas, view.stage, size, restore=self._restore)
        view.redraw()
        return pixels


def _size(width: int, height: int) -> tuple[int, int]:
    return max(width, LEAST), max(height, LEAST)


def image_of(pixels: Pixels) -> QImage:
    """Pixels (height, width, 3) as an image."""
    height, width, _ = pixels.shape
    return QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def laid_over(pixels: Pixels, over: QImage) -> QImage:
    """Pixels with an image of the same size over them."""
    image = image_of(pixels)
    painter = QPainter(image)
    painter.drawImage(0, 0, over)
    painter.end()
    return image
