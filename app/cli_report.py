"""Headless. ``twin report``: the report of a project, as it was chosen in the window or as the command line says."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.cli_output import DONE, finish_bar, open_project, say
from app.document import Document
from app.language import both_languages, tr
from app.report_choice import ReportChoice, read_note, read_saved_picture, runs_named, with_form_of
from geo.model import Feedback


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of ``twin report``. What is not given is as the project remembers it."""
    parser.add_argument("project", metavar="PROJECT")
    parser.add_argument("--out", required=True, metavar="FILE.html|.pdf", help="a name that ends in .pdf makes a PDF")
    parser.add_argument("--pdf", action="store_true", help="as PDF, whatever the name ends in")
    parser.add_argument("--both", action="store_true", help="in Korean and in English, one after the other")
    parser.add_argument(
        "--runs", metavar="all|none|N,STUDY...", help="results in this order: their numbers, ids or studies"
    )
    parser.add_argument("--title", metavar="TEXT", help="of the cover")
    parser.add_argument("--place", metavar="TEXT", help="of the cover; the coordinates of the project without it")
    parser.add_argument("--author", metavar="TEXT", help="of the cover")
    parser.add_argument("--notes", metavar="FILE", help="text before the results; an empty line parts paragraphs")
    parser.add_argument("--notes-after", metavar="FILE", help="text after the results")
    parser.add_argument("--picture", action="append", metavar="FILE", help="a PNG or JPEG file; may be repeated")


def report(args: argparse.Namespace, feedback: Feedback) -> int:
    """``twin report``."""
    from app.report import write_report

    document, issues = open_project(args.project, feedback.part(0.0, 0.4))
    choice = choice_of(args, document)
    # Who asks for a language gets it; else the choice decides.
    languages = both_languages() if args.both else (args.lang,) if getattr(args, "lang", None) else ()
    path = Path(args.out)
    write_report(document, path, issues=issues, feedback=feedback.part(0.4, 1.0), languages=languages, choice=choice)
    finish_bar()
    say(tr("cli.written", path=args.out))
    return DONE


def choice_of(args: argparse.Namespace, document: Document) -> ReportChoice:
    """What the project remembers, with what the command line says instead."""
    told: dict[str, Any] = {name: getattr(args, name) for name in ("title", "place", "author") if getattr(args, name)}
    if args.notes:
        told["before"] = read_note(Path(args.notes))
    if args.notes_after:
        told["after"] = read_note(Path(args.notes_after))
    if args.picture:
        told["pictures"] = tuple(read_saved_picture(Path(name)) for name in args.picture)
    if args.runs is not None:
        told["runs"] = runs_named(args.runs, tuple(document.scene))
    choice = replace(document.report or ReportChoice(), **told)
    return replace(choice, form="pdf") if args.pdf else with_form_of(choice, Path(args.out))
