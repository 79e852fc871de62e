"""Headless. The commands that import, convert, draw and report, and the table of all commands."""

from __future__ import annotations

import argparse
import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app.cli_cctv import cctv
from app.cli_check import check
from app.cli_film import film
from app.cli_georeference import georeference
from app.cli_info import info, list_things
from app.cli_openfoam import openfoam
from app.cli_output import DONE, emit, finish_bar, open_project, print_issues, say, settings_of
from app.cli_report import report
from app.cli_runs import rerun, run, validate
from app.commands import AddLayers
from app.desktop_entry import desktop_entry
from app.document import Document
from app.language import tr
from app.look import NO_SECTION
from geo.crs import canonical
from geo.model import Feedback, Frame, Layer, UserError

TOPIC_SUFFIXES = (".bcf", ".bcfzip")


def _import_topics(
    document: Document, project: Path, topics: Sequence[Path], rest: Sequence[Path], *, as_json: bool
) -> int:
    """Topics of BCF files into a project. They come alone: layers are imported by a command of their own."""
    from app.project_file import save
    from app.topics import AddTopics
    from bim.bcf.read import read_bcf

    if rest:
        raise UserError(
            "Topics and data are not imported together.",
            f"{topics[0].name} holds topics, {rest[0].name} does not.",
            "Import the data first, then the topics.",
            code="cli.topics_apart",
            values={"topics": topics[0].name, "data": rest[0].name},
        )
    archives = [read_bcf(path) for path in topics]
    document.do(AddTopics([topic for archive in archives for topic in archive.topics]))
    save(document, project)
    issues = [issue for archive in archives for issue in archive.issues]
    finish_bar()
    if as_json:
        titles = [topic.title for archive in archives for topic in archive.topics]
        emit({"project": str(project), "topics": titles, "issues": [issue.as_dict() for issue in issues]})
        return DONE
    say(tr("notice.topics_read", count=sum(len(archive.topics) for archive in archives)))
    print_issues(issues)
    return DONE


def import_(args: argparse.Namespace, feedback: Feedback) -> int:
    """``twin import``."""
    from app.import_report import write_import_report
    from app.importer import ImportOptions, import_files
    from app.project_file import save

    path = Path(args.project)
    started = time.perf_counter()
    document = open_project(args.project, feedback.part(0.0, 0.2))[0] if path.exists() else Document()
    files = [Path(file) for file in args.files]
    topics = [file for file in files if file.suffix.lower() in TOPIC_SUFFIXES]
    if topics:
        return _import_topics(document, path, topics, [file for file in files if file not in topics], as_json=args.json)
    imported = import_files(
        files,
        frame=document.scene.frame,
        layers=tuple(document.scene),
        options=ImportOptions(
            kind=args.kind,
            crs=args.crs,
            project_crs=args.project_crs,
            own=settings_of(args.settings),
            repairs=tuple(args.repairs),
        ),
        feedback=feedback.part(0.2, 0.9),
    )
    document.do(AddLayers(imported.layers, frame=imported.frame))
    save(document, path)
    if args.report:
        write_import_report(imported.layers, Path(args.report), feedback=feedback.part(0.9, 0.98))
    feedback.step(1.0, "saved")
    finish_bar()
    if args.json:
        emit(
            {
                "project": str(path),
                "crs": imported.frame.crs,
                "origin": list(imported.frame.origin),
                "layers": [
                    {
                        "id": item.id,
                        "name": item.name,
                        "theme": item.theme,
                        "kind": item.kind,
                        "elements": len(item.table),
                    }
                    for item in imported.layers
                ],
                "issues": [issue.as_dict() for issue in imported.issues],
                "elapsed_s": round(time.perf_counter() - started, 3),
            }
        )
        return DONE
    for layer in imported.layers:
        say(f"{layer.id}: {layer.name} ({layer.theme}, {len(layer.table):,})")
    print_issues(imported.issues)
    say(tr("cli.saved", path=path))
    return DONE


def convert(args: argparse.Namespace, feedback: Feedback) -> int:
    """``twin convert``: a file, or the visible layers of a project, into another format."""
    from app.catalog import by_suffix
    from app.project_file import is_project
    from app.runs import make_folder
    from app.scene_export import TABLE, export_layers

    source, target = Path(args.input), Path(args.output)
    hidden = target.suffix.lower() != TABLE and by_suffix(target).writes_hidden
    make_folder(target.parent)
    reading = feedback.part(0.0, 0.7)
    frame, found = _of_project(args, reading, hidden=hidden) if is_project(source) else _of_file(args, reading)
    export_layers(target, found, frame, feedback.part(0.7, 1.0), source=source.name)
    finish_bar()
    say(tr("cli.written", path=target))
    return DONE


def _of_file(args: argparse.Namespace, feedback: Feedback) -> tuple[Frame | None, tuple[Layer, ...]]:
    from app.importer import ImportOptions, import_files

    options = ImportOptions(crs=args.from_crs, project_crs=args.crs)
    imported = import_files([Path(args.input)], frame=None, options=options, feedback=feedback)
    return imported.frame, imported.layers


def _of_project(
    args: argparse.Namespace, feedback: Feedback, *, hidden: bool = False
) -> tuple[Frame | None, tuple[Layer, ...]]:
    """Visible layers of a project, or all. They keep its coordinate system: a scene is not bent into another one."""
    scene = open_project(args.input, feedback)[0].scene
    if args.crs is not None and (scene.frame is None or canonical(args.crs) != scene.frame.crs):
        raise UserError(
            "A project is written in its own coordinate system.",
            f"It has {scene.frame.crs if scene.frame else 'none'}; {args.crs} was asked for.",
            "Leave --crs out, or convert the single files.",
            code="convert.project_crs",
            values={"crs": args.crs, "own": scene.frame.crs if scene.frame else ""},
        )
    return scene.frame, tuple(layer for layer in scene if layer.style.visible or hidden)


def render(args: argparse.Namespace, feedback: Feedback) -> int:
    """``twin render``."""
    from app.pictures import save_picture
    from app.storeys import storey_section

    document, _ = open_project(args.project, feedback.part(0.0, 0.6))
    width, _, height = args.size.lower().partition("x")
    if not (width.isdigit() and height.isdigit() and 16 <= int(width) <= 16384 and 16 <= int(height) <= 16384):
        raise UserError(
            f"'{args.size}' is not a picture size.",
            "A size is width x height in pixels, each 16 to 16384.",
            "Write for example --size 1280x800.",
            code="cli.size",
            values={"size": args.size},
        )
    try:
        moment = dt.datetime.fromisoformat(args.sun) if args.sun else None
    except ValueError:
        raise UserError(
            f"'{args.sun}' is not a date and time.",
            "The form is YYYY-MM-DDTHH:MM.",
            "Write for example --sun 2026-12-22T12:00.",
            code="cli.moment",
            values={"moment": args.sun},
        ) from None
    save_picture(
        Path(args.out),
        tuple(document.scene),
        document.scene.frame,
        size=(int(width), int(height)),
        view=args.view,
        theme=args.theme,
        moment=moment,
        section=storey_section(tuple(document.scene), args.storey, args.cut) if args.storey else NO_SECTION,
        xray=args.xray,
    )
    feedback.step(1.0, "drawn")
    finish_bar()
    say(tr("cli.written", path=args.out))
    return DONE


def demo(args: argparse.Namespace, feedback: Feedback) -> int:
    """``twin demo``."""
    from app.demo import make_demo
    from app.platform_check import has_display, missing_packages

    made = make_demo(Path(args.out), feedback)
    finish_bar()
    for path in made.written:
        say(tr("cli.written", path=path))
    if args.headless or not has_display() or missing_packages():
        return DONE
    from app.window_main import run_window

    say(tr("cli.demo_window"))
    return run_window(made.project)


COMMANDS: Mapping[str, Callable[[argparse.Namespace, Feedback], int]] = {
    "info": info,
    "list": list_things,
    "import": import_,
    "convert": convert,
    "georeference": georeference,
    "run": run,
    "rerun": rerun,
    "validate": validate,
    "check": check,
    "render": render,
    "film": film,
    "openfoam": openfoam,
    "cctv": cctv,
    "report": report,
    "demo": demo,
    "desktop-entry": desktop_entry,
}
