"""Headless. ``twin georeference``: a copy of an IFC file that says where it stands."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from app.cli_output import DONE, say
from app.language import tr
from geo.model import Feedback, UserError


def georeference(args: argparse.Namespace, feedback: Feedback) -> int:
    """``twin georeference``."""
    from bim.georeference_write import write_georeferenced
    from geo.crs import make_frame
    from geo.pose import Pose

    numbers = _numbers(args.at)
    if not math.isfinite(args.rotation):
        raise UserError(
            f"'{args.rotation}' is not an angle.",
            "The rotation is a number of degrees, clockwise seen from above.",
            "Write for example --rotation 12.5",
            code="cli.rotation",
            values={"text": str(args.rotation)},
        )
    frame = make_frame(args.crs, numbers[0], numbers[1], vertical=args.vertical or "")
    pose = Pose(numbers[0], numbers[1], numbers[2] if len(numbers) > 2 else 0.0, args.rotation)
    feedback.step(0.1, "writing")
    write_georeferenced(Path(args.input), Path(args.output), pose=pose, frame=frame)
    feedback.step(1.0, "written")
    say(tr("cli.written", path=args.output))
    return DONE


def _numbers(text: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 3) or not all(math.isfinite(number) for number in numbers):
        raise UserError(
            f"'{text}' is not a place.",
            "A place is easting and northing, with a height if known, in metres of the coordinate system.",
            "Write for example --at 229110,435795,21.5",
            code="cli.place",
            values={"text": text},
        )
    return numbers
