"""What cameras see, for the window: pictures and footprints made beside the main thread, the newest pose first.

While one picture is made the newest pose waits; what lies between is dropped. The scene is handed to the rays once and
again when its layers have changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from analysis.cctv.cameras import Camera, views_of
from analysis.cctv.optics import View
from app.cctv.footprint import Footprint, Heights, footprint
from app.cctv.ground import camera_ground
from app.language import tr
from geo.model import ElementRef, Feedback, Grid

if TYPE_CHECKING:
    from app.main_window import MainWindow
    from app.view.eye import CameraPicture, Eye

Floats = NDArray[np.float64]

FAR_FROM_EYE = 120.0  # [m] from where the eye was made, beyond which its trees are those of elsewhere
LOW_MAST = 4.0  # [m] taken as the height of a lens over ground that nothing tells of
INDOOR_STEP = 0.1  # [m] between the ground and what lies under a lens, from which that is the floor
RESTING_WIDTH, MOVING_WIDTH = 480, 288  # pixels


@dataclass(frozen=True)
class Wanted:
    """What is to be looked at.

    Attributes
    ----------
    cameras : tuple of (ElementRef, Camera)
        Whose ground is drawn.
    chosen : ElementRef or None
        Whose picture is made.
    head : int
        Which of its views.
    limits : tuple of float [px/m]
        Of the classes.
    sun : (azimuth, altitude) [deg]
        From grid north.
    resting : bool
        Whether nothing moves.
    """

    cameras: tuple[tuple[ElementRef, Camera], ...]
    chosen: ElementRef | None
    head: int
    limits: tuple[float, ...]
    sun: tuple[float, float]
    resting: bool = True


@dataclass(frozen=True, eq=False)
class Sighted:
    """What was found.

    Attributes
    ----------
    wanted : Wanted
    parts : mapping of ElementRef to tuple of Footprint
    feet : mapping of ElementRef to (3,) [local m]
        Where each stands.
    picture : CameraPicture or None
    """

    wanted: Wanted
    parts: dict[ElementRef, tuple[Footprint, ...]]
    feet: dict[ElementRef, Floats]
    picture: CameraPicture | None


class CameraSight(QObject):
    """Makes pictures and footprints.

    Signals
    -------
    found(object, float)
        `Sighted`, and the seconds since it was asked for.
    began(bool)
        The scene is being handed to the rays, or is ready.
    """

    found = Signal(object, float)
    began = Signal(bool)

    def __init__(self, window: MainWindow, *, parent: QObject) -> None:
        super().__init__(parent)
        self.window, self.bench, self.document = window, window.bench, window.document
        self.seconds = 0.0
        self._eye: Eye | None = None
        self._ground: Grid | None = None
        self._key: object = None
        self._kept: dict[object, tuple[tuple[Footprint, ...], Floats]] = {}
        self._next: tuple[Wanted, float] | None = None
        self._job: Any = None
        self._closed = False

    @property
    def resting(self) -> bool:
        """Whether everything asked for has been answered."""
        return self._job is None and self._next is None

    @property
    def eye(self) -> Eye | None:
        """The scene as rays meet it, once it is ready."""
        return self._eye

    def ask(self, wanted: Wanted) -> None:
        """Look, as soon as there is time."""
        if not self._closed and wanted.cameras:
            self._next = (wanted, time.perf_counter())
            self._go_on()

    def drop(self) -> None:
        """What waits is wanted no more."""
        self._next = None

    def close(self) -> None:
        """Look no more."""
        self._closed, self._next = True, None
        job, self._job = self._job, None
        if job is not None:
            job.cancel()

    # ---- the scene

    def _scene_key(self, middle: Floats) -> object:
        """Equal while the eye that there is can be used."""
        shown = tuple(
            (id(layer.geometry), layer.style.visible, layer.style.hidden, layer.style.colour)
            for layer in self.document.scene
            if layer.theme not in ("result", "camera", "sensor")
        )
        eye = self._eye
        near = eye is not None and bool(np.hypot(*(eye.middle - middle)[:2]) <= FAR_FROM_EYE)
        return (shown, self.bench.theme.name, tuple(eye.middle) if near and eye is not None else tuple(middle))

    def _go_on(self) -> None:
        if self._job is not None or self._next is None or self._closed:
            return
        wanted, asked = self._next
        middle = np.array(_middle_of(wanted))
        key = self._scene_key(middle)
        if key != self._key or self._eye is None:
            self._begin(middle)
            return
        self._next = None
        eye, ground, kept = self._eye, self._ground, self._kept
        self._job = self.bench.jobs.submit(
            lambda _feedback: look(eye, ground, wanted, kept),
            title=tr("job.camera"),
            shown=False,
            done=lambda answer: self._looked(answer, asked),
            failed=self._failed,
        )

    def _begin(self, middle: Floats) -> None:
        from app.view.eye import Eye

        layers, theme = tuple(self.document.scene), self.bench.theme

        def work(feedback: Feedback) -> tuple[Eye, Grid | None]:
            return Eye(layers, theme, middle, feedback), camera_ground(layers)

        self.began.emit(True)
        self._job = self.bench.jobs.submit(
            work, title=tr("job.camera"), shown=False, done=lambda made: self._ready(made, middle), failed=self._failed
        )

    def _ready(self, made: tuple[Eye, Grid | None], middle: Floats) -> None:
        self._job = None
        if self._closed:
            return
        self._eye, self._ground = made
        self._kept = {}
        self._key = self._scene_key(middle)
        self.began.emit(False)
        self._go_on()

    def _looked(self, answer: Sighted, asked: float) -> None:
        self._job = None
        if not self._closed:
            self.seconds = time.perf_counter() - asked
            self.found.emit(answer, self.seconds)
            self._go_on()

    def _failed(self, error: BaseException) -> None:
        self._job = None
        if not self._closed:
            self._next = None
            self.bench.notices.report(error)


def _middle_of(wanted: Wanted) -> tuple[float, float, float]:
    chosen = next((camera for ref, camera in wanted.cameras if ref == wanted.chosen), wanted.cameras[0][1])
    return chosen.position


# ---- beside the main thread


def look(
    eye: Eye, ground: Grid | None, wanted: Wanted, kept: dict[object, tuple[tuple[Footprint, ...], Floats]]
) -> Sighted:
    """Footprints of all cameras, those that have not moved from what is kept, and the picture of the chosen one."""
    parts: dict[ElementRef, tuple[Footprint, ...]] = {}
    feet: dict[ElementRef, Floats] = {}
    for ref, camera in wanted.cameras:
        key = (camera, wanted.limits)
        if key not in kept:
            kept[key] = ground_seen(eye, ground, camera, wanted.limits)
        parts[ref], feet[ref] = kept[key]
    chosen = next((camera for ref, camera in wanted.cameras if ref == wanted.chosen), None)
    picture = None
    if chosen is not None:
        views = views_of(chosen)
        width = RESTING_WIDTH if wanted.resting else MOVING_WIDTH
        picture = eye.look(views[min(wanted.head, len(views) - 1)], width, sun=wanted.sun)
    return Sighted(wanted, parts, feet, picture)


def ground_seen(
    eye: Eye, ground: Grid | None, camera: Camera, limits: Sequence[float]
) -> tuple[tuple[Footprint, ...], Floats]:
    """The ground that a camera has in sight, one part for each of its views at once, and where it stands."""
    place = np.array(camera.position)
    heights, edge = _heights(eye, ground, camera)

    def seen(points: Floats) -> NDArray[np.bool_]:
        return np.asarray(eye.sees(place, points) & edge(points))

    foot = np.array([place[0], place[1], float(heights(place[:1], place[1:2])[0])])
    parts = tuple(
        footprint(view, limits, heights=heights, reach=camera.model.reach_m, seen=seen) for view in _at_once(camera)
    )
    return parts, foot


def _at_once(camera: Camera) -> list[View]:
    return [view for view in views_of(camera) if not view.reachable]


def _heights(eye: Eye, ground: Grid | None, camera: Camera) -> tuple[Heights, Callable[[Floats], NDArray[np.bool_]]]:
    """Heights of what the camera looks down on: the floor of its room, else the ground; and whether there is any."""
    x, y, z = camera.position
    floor = eye.floor(np.array([x, y, z]))
    under = float(ground.sample(x, y)) if ground is not None else np.nan
    level = floor if floor is not None else under if np.isfinite(under) else z - LOW_MAST
    is_floor = floor is not None and (not np.isfinite(under) or abs(floor - under) > INDOOR_STEP)
    if ground is None or (is_floor and camera.mount in ("ceiling", "other")) or under > z:
        return lambda east, _north: np.full(np.shape(east), level), lambda points: np.ones(len(points), dtype=bool)
    whole = ground

    rows, columns = whole.values.shape
    east_end, north_end = whole.x0 + (columns - 1) * whole.cell, whole.y0 + (rows - 1) * whole.cell

    def heights(east: Floats, north: Floats) -> Floats:
        x, y = np.clip(east, whole.x0, east_end), np.clip(north, whole.y0, north_end)
        found = np.asarray(whole.sample(x, y), dtype=np.float64)
        return np.where(np.isfinite(found), found, level)

    return heights, lambda points: np.isfinite(whole.sample(points[:, 0], points[:, 1]))
