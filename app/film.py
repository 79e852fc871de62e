"""Headless. Films of the sun and of the view: which frames there are, and the steps in which they are made.

A film is made by a generator: each step is short and ends with the part done, so that a window stays alive between
two steps and a command line can show progress. Closing the generator takes everything back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from app.film_wind import trails_of, wind_text, wind_volume
from app.film_writer import FilmWriter, open_writer
from app.language import tr
from app.look import NO_SECTION, Section
from app.shadow_instants import at_instant, shows_instant
from geo.model import Feedback, Frame, Layer, UserError

if TYPE_CHECKING:
    from app.view.camera import Camera
    from app.view.particle_actor import ParticleTrails

FilmKind = Literal["day", "year", "turn", "wind"]
FILM_KINDS: tuple[FilmKind, ...] = ("day", "year", "turn", "wind")
SIZES = {"hd": (1280, 720), "fullhd": (1920, 1080), "4k": (3840, 2160)}
SMALLEST, LARGEST = 64, 7680  # pixels of a side
MOST_FRAMES = 20_000
KST_HOURS = 9.0
PREPARED = 0.1  # share of the work before the first frame


@dataclass(frozen=True)
class FilmPlan:
    """What is filmed.

    Attributes
    ----------
    kind : {"day", "year", "turn", "wind"}
        From sunrise to sunset of the day; the same hour through the year; once around the view; particles that drift
        with the wind of a result.
    day : date
    hour : float [h]
        Clock time of films of the year, around and of the wind.
    step_min : float [min]
        The clock of a film of a day goes in such steps.
    size : (width, height) [pixels]
    fps, seconds : int, float
    title : str
        Burnt in above date and time; empty for none.
    """

    kind: FilmKind = "day"
    day: dt.date = field(default_factory=dt.date.today)
    hour: float = 12.0
    step_min: float = 2.0
    size: tuple[int, int] = SIZES["fullhd"]
    fps: int = 25
    seconds: float = 12.0
    title: str = ""

    def __post_init__(self) -> None:
        width, height = self.size
        # H.264 halves its colours: sides are even.
        object.__setattr__(self, "size", (width - width % 2, height - height % 2))
        reasons = {
            "size": not all(SMALLEST <= side <= LARGEST for side in self.size),
            "fps": not 1 <= self.fps <= 60,
            "seconds": not (self.seconds > 0 and self.frames <= MOST_FRAMES),
            "hour": not 0 <= self.hour <= 24,
            "step": not 0 < self.step_min <= 120,
        }
        wrong = [name for name, is_wrong in reasons.items() if is_wrong]
        if wrong:
            raise UserError(
                "Such a film cannot be made.",
                f"Out of range: {', '.join(wrong)}. Sides {SMALLEST} to {LARGEST} pixels, 1 to 60 frames a second, "
                f"{MOST_FRAMES} frames at most.",
                "Choose other values.",
                code="film.plan",
                values={"wrong": ", ".join(wrong), "least": SMALLEST, "most": LARGEST, "frames": MOST_FRAMES},
            )

    @property
    def frames(self) -> int:
        """Number of frames."""
        return max(1, round(self.seconds * self.fps))


@dataclass(frozen=True)
class Shot:
    """One frame.

    Attributes
    ----------
    moment : datetime
        Clock time at the place, no zone.
    sun : (azimuth, altitude) [degrees]
        Azimuth from **true** north.
    turn : float [degrees]
        By which the camera is turned around its focus, clockwise seen from above.
    """

    moment: dt.datetime
    sun: tuple[float, float]
    turn: float = 0.0


def shots_of(plan: FilmPlan, frame: Frame) -> list[Shot]:
    """The frames of a film; frames that look alike are equal."""
    from analysis.kernels.sun import sun_position, utc_offset_of

    offset = dt.timedelta(hours=utc_offset_of(frame.longitude, frame.latitude))
    moments = _moments(plan, frame, offset)
    utc = np.array([moment - offset for moment in moments], dtype="datetime64[ms]")
    position = sun_position(utc, frame.longitude, frame.latitude)
    turns = 360.0 * np.arange(len(moments)) / len(moments) if plan.kind == "turn" else np.zeros(len(moments))
    found = zip(moments, position.azimuth, position.apparent_elevation, turns, strict=True)
    return [Shot(moment, (float(azimuth), float(altitude)), float(turn)) for moment, azimuth, altitude, turn in found]


def _moments(plan: FilmPlan, frame: Frame, offset: dt.timedelta) -> list[dt.datetime]:
    """Clock time of each frame."""
    midnight = dt.datetime.combine(plan.day, dt.time())
    if plan.kind in ("turn", "wind"):
        return [midnight + dt.timedelta(hours=plan.hour)] * plan.frames
    if plan.kind == "year":
        first = dt.datetime(plan.day.year, 1, 1) + dt.timedelta(hours=plan.hour)
        days = (dt.date(plan.day.year + 1, 1, 1) - dt.date(plan.day.year, 1, 1)).days
        return [first + dt.timedelta(days=number * days // plan.frames) for number in range(plan.frames)]
    rise, fall = daylight(plan.day, frame, offset)
    span = (fall - rise) / max(plan.frames - 1, 1)
    step = dt.timedelta(minutes=plan.step_min)
    # The clock goes in whole steps from midnight, so that it shows times a person can name.
    exact = [rise + number * span for number in range(plan.frames)]
    return [midnight + round((moment - midnight) / step) * step for moment in exact]


def daylight(day: dt.date, frame: Frame, offset: dt.timedelta) -> tuple[dt.datetime, dt.datetime]:
    """Sunrise and sunset by the clock; the whole day where the sun does not set."""
    from analysis.kernels.sun import sun_day

    events = sun_day(day, frame.longitude, frame.latitude, utc_offset_h=offset / dt.timedelta(hours=1))
    if events.length_h == 0.0:
        raise UserError(
            f"The sun does not rise on {day}.",
            "A film of the day goes from sunrise to sunset.",
            "Choose another day, or a film of the year.",
            code="film.no_sun",
            values={"day": str(day)},
        )
    midnight = dt.datetime.combine(day, dt.time())
    if events.sunrise is None or events.sunset is None:
        return midnight, midnight + dt.timedelta(hours=24)
    rise, fall = (instant.astype("datetime64[ms]").item() + offset for instant in (events.sunrise, events.sunset))
    return rise, fall


def caption_of(plan: FilmPlan, shot: Shot, frame: Frame) -> tuple[str, str]:
    """The two lines burnt into a frame: title, and date, time and sun."""
    from analysis.kernels.sun import utc_offset_of

    offset_h = utc_offset_of(frame.longitude, frame.latitude)
    zone = "KST" if offset_h == KST_HOURS else f"UTC{offset_h:+g}"
    sun = tr("film.sun", azimuth=f"{shot.sun[0]:.0f}", altitude=f"{shot.sun[1]:.0f}")
    return plan.title, f"{shot.moment:%Y-%m-%d %H:%M} {zone}   {sun}"


@dataclass(frozen=True, eq=False)
class Filmed:
    """What stands before the camera.

    Attributes
    ----------
    layers : sequence of Layer
    frame : Frame
    theme : str
    view : str or Camera
        A camera, or a name as for pictures.
    section : Section
    """

    layers: Sequence[Layer]
    frame: Frame
    theme: str = "light"
    view: str | Camera = "iso"
    section: Section = NO_SECTION

    def plain(self) -> Filmed:
        """The city alone, in its own colours: no results, and nothing that the ground hides."""
        has_ground = any(layer.theme == "terrain" and layer.style.visible for layer in self.layers)
        kept = [layer for layer in self.layers if layer.theme != "result"]
        return replace(
            self, layers=tuple(layer for layer in kept if not (has_ground and layer.stratum == "underground"))
        )


def film_steps(plan: FilmPlan, filmed: Filmed, target: Path) -> Iterator[float]:
    """Make a film in short steps; yields the part done (0..1). An error or closing leaves no file."""
    shots = shots_of(plan, filmed.frame)
    if plan.kind == "wind":
        wind_volume(filmed.layers)  # says what is missing before anything is drawn
    writer = open_writer(target, size=plan.size, fps=plan.fps)
    try:
        yield 0.0
        yield from _film(plan, filmed, shots, writer)
        writer.finish()
    except BaseException:
        writer.abort()
        raise
    yield 1.0


def _film(plan: FilmPlan, filmed: Filmed, shots: Sequence[Shot], writer: FilmWriter) -> Iterator[float]:
    from app.theme import theme_named
    from app.view.film_cards import FilmCards
    from app.view.reel import Reel, turned

    theme = theme_named(filmed.theme)
    shown = [layer for layer in filmed.layers if layer.style.visible]
    with closing(Reel(size=plan.size, theme=theme)) as reel:
        for number, layer in enumerate(shown):
            reel.add(layer)
            yield PREPARED * number / len(shown)
        camera = reel.ready(shown, view=filmed.view, section=filmed.section)
        cards = FilmCards(shown, size=plan.size, theme=theme)
        trails = trails_of(filmed.layers, size=plan.size, theme=theme, fps=plan.fps) if plan.kind == "wind" else None
        reel.set_particles(trails)
        yield PREPARED
        styles = {layer.id: layer.style for layer in shown}
        before: Shot | None = None
        picture: Any = None
        for number, shot in enumerate(shots):
            if shot != before or trails is not None:
                if trails is not None:
                    trails.go_on(1.0 / plan.fps)
                grid_sun = (float(filmed.frame.grid_azimuth(shot.sun[0])), shot.sun[1])
                here = turned(camera, shot.turn)
                for layer in _following(shown, shot):
                    if layer.style != styles[layer.id]:
                        styles[layer.id] = layer.style
                        reel.change(layer)
                        cards.change(layer)
                bare = reel.draw(here, grid_sun)
                yield PREPARED + (1 - PREPARED) * (number + 0.5) / len(shots)
                picture = cards.paint(bare, here, plan.title, _text_of(plan, shot, filmed, trails))
                before = shot
            writer.add(picture)
            yield PREPARED + (1 - PREPARED) * (number + 1) / len(shots)


def _text_of(plan: FilmPlan, shot: Shot, filmed: Filmed, trails: ParticleTrails | None) -> str:
    """The line burnt in below the title: the sun, or the wind."""
    if trails is None:
        return caption_of(plan, shot, filmed.frame)[1]
    return wind_text(wind_volume(filmed.layers), trails.particles.hurry)


def _following(layers: Sequence[Layer], shot: Shot) -> list[Layer]:
    """Maps of shadows as they are at the moment of a frame, where there is one near it."""
    minute = shot.moment.hour * 60 + shot.moment.minute
    maps = (at_instant(layer, shot.moment.date(), minute) for layer in layers if shows_instant(layer))
    return [layer for layer, name in maps if name]


def make_film(plan: FilmPlan, filmed: Filmed, target: Path, feedback: Feedback) -> Path:
    """Make a film in one go: the command line's way."""
    if not filmed.layers:
        raise UserError(
            "There is nothing to draw.",
            "The project has no layers.",
            "Import files first: twin import PROJECT FILE...",
            code="picture.empty",
        )
    steps = film_steps(plan, filmed, target)
    try:
        for done in steps:
            feedback.step(done, "filming")
    finally:
        steps.close()  # type: ignore[attr-defined]
    return target
