"""Headless. ``twin cctv``: the installation plan of a project's cameras, and cameras into and out of files."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from app.cli_output import DONE, emit, finish_bar, open_project, print_issues, say, settings_of
from app.language import both_languages, tr
from geo.model import Feedback, UserError

STATEMENTS = ("purpose", "place", "range", "time", "manager", "organisation", "retention")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("what", choices=("plan", "export", "import"))
    parser.add_argument("project", metavar="PROJECT")
    parser.add_argument("file", metavar="FILE", help="plan: .html or .pdf; export and import: .geojson, .csv or .ifc")
    parser.add_argument("--layer", action="append", default=[], dest="layers", metavar="ID", help="only these cameras")
    parser.add_argument("--both", action="store_true", help="plan: in Korean and in English, one after the other")
    parser.add_argument("--edition", default="", metavar="YEAR", help="plan: classes of this edition")
    parser.add_argument("--crs", metavar="EPSG:n", help="export: coordinate system; 'map' is that of the project")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="settings",
        metavar="name=text",
        help=f"plan: what only people can state: {', '.join(STATEMENTS)}",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout and nothing else")


def cctv(args: argparse.Namespace, feedback: Feedback) -> int:
    """``twin cctv``."""
    started = time.perf_counter()
    work = {"plan": _plan, "export": _export, "import": _import}[args.what]
    answer = work(args, feedback)
    feedback.step(1.0, "done")
    finish_bar()
    if args.json:
        emit({**answer, "elapsed_s": round(time.perf_counter() - started, 3)})
    return DONE


def _plan(args: argparse.Namespace, feedback: Feedback) -> dict[str, object]:
    from app.cctv.plan_content import Statements
    from app.cctv.plan_document import write_plan

    document, _ = open_project(args.project, feedback.part(0.0, 0.2))
    stated = settings_of(args.settings)
    unknown = sorted(set(stated) - set(STATEMENTS))
    if unknown:
        raise UserError(
            f"A plan has no statement called {unknown[0]}.",
            f"Known are: {', '.join(STATEMENTS)}.",
            "Use one of these.",
            code="plan.unknown_statement",
            values={"name": unknown[0], "known": ", ".join(STATEMENTS)},
        )
    path = write_plan(
        document,
        Path(args.file),
        statements=Statements(**stated),
        layers=args.layers,
        languages=both_languages() if args.both else (),
        edition=args.edition,
        feedback=feedback.part(0.2, 1.0),
    )
    _say_written(args, path)
    return {"written": str(path)}


def _export(args: argparse.Namespace, feedback: Feedback) -> dict[str, object]:
    from app.cctv.exchange import write_cameras

    document, _ = open_project(args.project, feedback.part(0.0, 0.5))
    layers = [la for la in document.scene if la.theme == "camera" and la.kind == "points"]
    if args.layers:
        layers = [layer for layer in layers if layer.id in args.layers]
    crs = document.scene.frame.crs if args.crs == "map" and document.scene.frame else args.crs
    path = write_cameras(Path(args.file), layers, document.scene.frame, crs=crs, feedback=feedback.part(0.5, 1.0))
    _say_written(args, path)
    return {"written": str(path), "cameras": sum(len(layer.table) for layer in layers)}


def _import(args: argparse.Namespace, feedback: Feedback) -> dict[str, object]:
    from app.cctv.exchange import read_cameras
    from app.commands import AddLayers
    from app.project_file import save
    from app.shown_runs import with_free_ids

    document, _ = open_project(args.project, feedback.part(0.0, 0.4))
    layers = read_cameras(
        Path(args.file), document.scene.frame, crs=args.crs, layers=tuple(document.scene),
        feedback=feedback.part(0.4, 0.9),
    )  # fmt: skip
    free = with_free_ids(document.scene, layers)
    document.do(AddLayers(free))
    save(document, Path(args.project))
    issues = [issue for layer in free for issue in layer.issues]
    if not args.json:
        finish_bar()
        for layer in free:
            say(f"{layer.id}: {layer.name} ({len(layer.table):,})")
        print_issues(issues)
        say(tr("cli.saved", path=args.project))
    return {"layers": [layer.id for layer in free], "issues": [issue.as_dict() for issue in issues]}


def _say_written(args: argparse.Namespace, path: Path) -> None:
    if not args.json:
        finish_bar()
        say(tr("cli.written", path=path))
