"""A picture that the window draws in short parts while a job waits for it: so it has progress and can be stopped."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

from geo.model import Feedback, UserError

if TYPE_CHECKING:
    from app.jobs import Job
    from app.view.viewport import Viewport

WAIT_S = 0.05


class AwaitedPicture:
    """One picture of what a viewport shows. `begin` it on the main thread, `wait` for it in the job."""

    def __init__(self, viewport: Viewport) -> None:
        self._viewport = viewport
        self._fraction = 0.0
        self._image: QImage | None = None
        self._is_over = threading.Event()

    def begin(self, job: Job, size: tuple[int, int], *, cards: bool = True) -> None:
        """Draw it; a job that is cancelled gives it up. `size` is width and height [pixels]."""
        job.cancelled.connect(self._give_up)
        try:
            self._viewport.pictures.later(*size, self._end, cards=cards, progressed=self._progress)
        except Exception:
            self._end(None)  # else the job would wait for ever
            raise

    def _give_up(self) -> None:
        if not self._is_over.is_set():  # one picture is drawn at a time: one that is not over is this one
            self._viewport.pictures.give_up()

    def _progress(self, fraction: float) -> None:
        self._fraction = fraction

    def _end(self, image: QImage | None) -> None:
        self._image = image
        self._is_over.set()

    def wait(self, feedback: Feedback) -> QImage:
        """The picture, once it is there. Raises `UserError` when it was given up, and `Cancelled`."""
        while not self._is_over.wait(WAIT_S):
            feedback.step(self._fraction, "drawing")
        image, self._image = self._image, None  # the list of jobs need not keep it
        if image is None:
            raise UserError(
                "The picture was not drawn to its end.",
                "The picture in the window was changed or taken away meanwhile.",
                "Save it again.",
                code="picture.given_up",
            )
        feedback.step(1.0, "drawing")
        return image
