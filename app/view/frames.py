"""When what is drawn: a scene that is quick to draw at once, a slow one in parts while the last frame stands in.

The window answers between the parts. While the camera moves, the last finished frame is shown from where the camera
is now (see `app.view.kept_frame`); a mark or a mass that moves is drawn over it. When the parts are done the finished
frame takes its place, and it is the very frame that would have been drawn at once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from vtkmodules.vtkRenderingCore import vtkCamera, vtkProp

from app.view.kept_frame import KeptFrame
from app.view.slices import Costs, SlicedFrame, drawn_over, faces_of, only, props_of

if TYPE_CHECKING:
    from app.view.canvas import Canvas
    from app.view.stage import Stage

SLOW_FACES = 250_000  # that a processor draws in more time than a hand waits for
PAUSE_MS = 4  # between two parts, for what the user does
NEW_S = 0.15  # of things that were never drawn: as long as a hand waits for
REST_S = 0.25  # after which a camera has come to rest
JUMP = 0.5  # of the distance to what is seen: a camera that moves so far at once was sent, not led by hand


class Frames(QObject):
    """Draws the frames of one canvas.

    Parameters
    ----------
    prepare : callable
        Brings light and camera up to date before a frame is begun.

    Attributes
    ----------
    whole, parts, quick : int
        How many frames were drawn at once, parts of frames, and frames in which the last one stood in.
    """

    def __init__(self, canvas: Canvas, stage: Stage, *, prepare: Callable[[], None]) -> None:
        super().__init__(canvas)
        self._canvas, self._stage, self._prepare = canvas, stage, prepare
        self.whole = self.parts = self.quick = 0
        self.costs = Costs()
        self._scene_changed = True
        self._wanted = False
        self._frame: SlicedFrame | None = None
        self._kept: KeptFrame | None = None
        self._put_by: KeptFrame | None = None
        self._moved = 0.0
        self._seen: tuple[float, float, float] | None = None
        self._jumped = False
        self._whole_from: vtkCamera | None = None  # the last frame drawn at once, and its size
        self._whole_size: tuple[int, ...] = ()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._step)

    @property
    def busy(self) -> bool:
        """Whether a better frame than the one shown is on its way."""
        return self._wanted or self._frame is not None

    def is_slow(self) -> bool:
        """Whether the scene takes long to draw: a processor draws, and there is much of it, or much that is new."""
        if not self._canvas.software:
            return False
        shown = self._shown()
        if sum(map(faces_of, shown)) > SLOW_FACES:
            return True
        occluded = bool(self._stage.scene.GetUseSSAO())
        seconds = 0.0
        for prop in shown:
            solid = occluded and not prop.HasTranslucentPolygonalGeometry()
            seconds += sum(self.costs.of(one, solid) for one in self.costs.new([prop], solid))
        return seconds > NEW_S

    def _shown(self) -> list[vtkProp]:
        moving = set(map(id, self._stage.moving))
        return [prop for prop in props_of(self._stage) if prop.GetVisibility() and id(prop) not in moving]

    def _learn(self, seconds: float) -> None:
        """Share the time of a frame that was drawn at once among its things."""
        occluded = bool(self._stage.scene.GetUseSSAO())
        self.costs.learn(self._shown(), seconds, lambda prop: occluded and not prop.HasTranslucentPolygonalGeometry())

    def touch(self) -> None:
        """The scene has changed, not only marks over it or the camera."""
        self._scene_changed = True

    @contextmanager
    def painting(self, *, wait: bool) -> Iterator[None]:
        """Around the drawing of a frame that the canvas is asked for.

        wait : bool
            Somebody takes the picture away: only a finished frame will do.
        """
        if not self.is_slow():
            self.forget()
            self._prepare()
            self.whole += 1
            began = time.perf_counter()
            yield
            self._learn(time.perf_counter() - began)
            self._whole_from = vtkCamera()
            self._whole_from.DeepCopy(self._stage.scene.GetActiveCamera())
            self._whole_size = tuple(self._stage.window.GetSize())
            return
        if self._kept is None and self._whole_from is not None:
            self._keep_whole(self._whole_from)
        if wait:
            self._finish()
        elif self._is_old():
            self._begin_later()
        elif self._frame is None:
            self._wanted = False  # it was asked for while the one that is shown now was under way
        with self._standing_in():
            self.quick += 1
            yield

    def forget(self) -> None:
        """Drop what is kept."""
        self._timer.stop()
        self._wanted = False
        self._frame = None
        for kept in (self._kept, self._put_by):
            if kept is not None:
                kept.release(self._stage.window)
        self._kept = self._put_by = None
        self._scene_changed = True

    def release(self) -> None:
        """Let go of all that is in graphics memory; its context is current."""
        self.forget()
        self.costs.small.release(self._stage.window)

    def _keep_whole(self, camera: vtkCamera) -> None:
        """The scene has become slow to draw: the last frame drawn at once stands in for the first in parts."""
        self._whole_from = None
        if self._whole_size == tuple(self._stage.window.GetSize()):
            self._kept = KeptFrame(self._stage.window, camera)

    def _is_old(self) -> bool:
        kept, camera = self._kept, self._stage.scene.GetActiveCamera()
        return kept is None or self._scene_changed or not kept.is_from(camera, tuple(self._stage.window.GetSize()))

    def _is_outrun(self) -> bool:
        """Whether the frame under way is of another place than the camera, which has come to rest."""
        frame, camera = self._frame, self._stage.scene.GetActiveCamera()
        at_rest = time.monotonic() - self._moved > REST_S
        return frame is not None and at_rest and frame.camera.GetPosition() != camera.GetPosition()

    def _begin(self) -> None:
        self._prepare()
        self._scene_changed = self._wanted = False
        self._put_by = None
        self._frame = SlicedFrame(self._stage, self.costs)

    def _begin_later(self) -> None:
        """One frame at a time: what changes while it is drawn is seen in the next."""
        self._wanted = True
        if not self._timer.isActive():
            self._timer.start()

    def _finish(self) -> None:
        """All that is left of the frame of now, at once."""
        self._timer.stop()
        if self._is_old():
            self._begin()
        while self._frame is not None:
            self._draw_part()

    def _step(self) -> None:
        """One part, and the next when there is time."""
        canvas, window = self._canvas, self._stage.window
        if not canvas.isValid() or not canvas.isVisible() or canvas.is_held:
            canvas.stale = True  # for when it is seen again
            return
        if self._frame is None:
            if not self._is_old():
                self._wanted = False
                return
            self._begin()
        elif self._is_outrun():
            self._begin()
        canvas.makeCurrent()
        window.MakeCurrent()
        state = window.GetState()
        state.Reset()
        state.Push()
        self._draw_part()
        state.Pop()
        canvas.doneCurrent()
        if self._frame is None:
            canvas.stale = True
            canvas.update()
        else:
            self._timer.start()

    def _draw_part(self) -> None:
        frame = self._frame
        if frame is None:
            return
        if frame.size != tuple(self._stage.window.GetSize()):  # the window has another size meanwhile
            self._begin()
            return
        put_by, self._put_by = self._put_by, None
        if put_by is not None:
            with self._added(put_by.flat):
                frame.draw_next(put_by.flat)
            put_by.release(self._stage.window)
        else:
            frame.draw_next()
        self.parts += 1
        if frame.is_finished:
            self._frame = None
            if self._kept is not None:
                self._kept.release(self._stage.window)
            self._kept = KeptFrame(self._stage.window, frame.camera)

    @contextmanager
    def _standing_in(self) -> Iterator[None]:
        """The last finished frame, and what moves over it."""
        stage, frame, kept = self._stage, self._frame, self._kept
        if kept is None:
            # Nothing was ever drawn: the sky is shown until something is. Without a first frame that is shown at once
            # VTK makes no buffer to show frames from, and all that follow are lost.
            with (
                only(stage, [stage.backdrop, *stage.moving]),
                drawn_over(stage, keeps=False, smooth=False, shown=True, front=False),
            ):
                yield
            return
        if frame is not None and frame.size != tuple(stage.window.GetSize()):
            self._frame, self._put_by = None, None  # of no use in a window of another size
            self._begin_later()
        elif frame is not None and frame.is_begun and self._put_by is None:
            self._put_by = KeptFrame(stage.window, frame.camera)
        camera, size = stage.scene.GetActiveCamera(), tuple(stage.window.GetSize())
        same = kept.is_from(camera, size)
        self._jumped = not same and size == kept.size and (self._jumped or self._is_jump(kept))
        self._seen = camera.GetPosition()
        # From far off signs and trees of the last frame would fill the picture: after a jump it stays as it was.
        actor, behind = (kept.flat, []) if same or self._jumped else (kept.relief, [stage.backdrop])
        moving = [] if self._jumped else stage.moving
        if not same:
            self._moved = time.monotonic()
        occludes = stage.scene.GetUseSSAO()
        stage.scene.SetUseSSAO(False)
        with (
            self._added(actor),
            only(stage, [*behind, actor, *moving]),
            drawn_over(stage, keeps=False, smooth=False, shown=True, front=True),
        ):
            yield
        stage.scene.SetUseSSAO(occludes)

    def _is_jump(self, kept: KeptFrame) -> bool:
        """Whether the camera is far from where it was when the picture was last shown."""
        place = self._stage.scene.GetActiveCamera().GetPosition()
        return self._seen is not None and math.dist(place, self._seen) > JUMP * kept.reach

    @contextmanager
    def _added(self, actor: object) -> Iterator[None]:
        self._stage.scene.AddActor(actor)
        try:
            yield
        finally:
            self._stage.scene.RemoveActor(actor)
