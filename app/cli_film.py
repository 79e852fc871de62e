"""Headless. ``twin film``: a film of a project."""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path

from app.cli_output import DONE, emit, finish_bar, open_project, say
from app.film import FILM_KINDS, SIZES, Filmed, FilmPlan, make_film
from app.language import tr
from geo.model import Feedback, UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("project", metavar="PROJECT")
    parser.add_argument("--out", required=True, metavar="FILE", help="a file .mp4 or .gif")
    parser.add_argument(
        "--kind",
        choices=FILM_KINDS,
        default="day",
        help="from sunrise to sunset, through the year, around the view, or particles that drift with the wind",
    )
    parser.add_argument(
        "--day", metavar="DATE", help="e.g. 2026-12-22; today if left out. Of a film of the year its year"
    )
    parser.add_argument(
        "--hour", type=float, default=12.0, metavar="H", help="clock hour of a film of the year, around or of the wind"
    )
    parser.add_argument("--step", type=float, default=2.0, metavar="MIN", help="step of the clock in a film of a day")
    parser.add_argument("--size", default="fullhd", metavar="WxH", help=f"{', '.join(SIZES)}, or for example 1280x800")
    parser.add_argument("--fps", type=int, default=25, metavar="N", help="frames a second")
    parser.add_argument("--seconds", type=float, default=12.0, metavar="S", help="length of the film")
    parser.add_argument("--view", default="iso", metavar="V", help="iso, top, or the id of a layer")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("--title", metavar="TEXT", help="burnt in; the project's name if left out")
    parser.add_argument("--plain", action="store_true", help="without results and without what lies under the ground")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout and nothing else")


def film(args: argparse.Namespace, feedback: Feedback) -> int:
    """``twin film``."""
    plan = plan_of(args)
    document, _ = open_project(args.project, feedback.part(0.0, 0.2))
    frame, layers = document.scene.frame, tuple(document.scene)
    if frame is None:
        raise UserError(
            "There is nothing to draw.",
            "The project has no layers.",
            "Import files first: twin import PROJECT FILE...",
            code="picture.empty",
        )
    filmed = Filmed(layers, frame, theme=args.theme, view=args.view)
    if args.plain and plan.kind != "wind":
        filmed = filmed.plain()
    target = make_film(plan, filmed, Path(args.out), feedback.part(0.2, 1.0))
    finish_bar()
    if args.json:
        emit({"film": str(target), "frames": plan.frames, "size": list(plan.size), "fps": plan.fps})
    else:
        say(tr("cli.written", path=target))
    return DONE


def plan_of(args: argparse.Namespace) -> FilmPlan:
    """The film asked for."""
    return FilmPlan(
        kind=args.kind,
        day=_day(args.day),
        hour=args.hour,
        step_min=args.step,
        size=_size(args.size),
        fps=args.fps,
        seconds=args.seconds,
        title=Path(args.project).stem if args.title is None else args.title,
    )


def _day(text: str | None) -> dt.date:
    if text is None:
        return dt.date.today()
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise UserError(
            f"'{text}' is not a date.",
            "The form is YYYY-MM-DD.",
            "Write for example --day 2026-12-22.",
            code="cli.day",
            values={"day": text},
        ) from None


def _size(text: str) -> tuple[int, int]:
    if text.lower() in SIZES:
        return SIZES[text.lower()]
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise UserError(
            f"'{text}' is not a picture size.",
            "A size is width x height in pixels, each 16 to 16384.",
            "Write for example --size 1280x800.",
            code="cli.size",
            values={"size": text},
        )
    return int(width), int(height)
