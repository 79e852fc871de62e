"""Headless. ``twin info`` and ``twin list``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.cli_output import DONE, emit, finish_bar, open_project, print_issues, say
from app.document import Document
from app.language import tr
from geo.model import Feedback, Issue, UserError


def info(args: argparse.Namespace, feedback: Feedback) -> int:
    """``twin info``."""
    from app.project_file import is_project

    path = Path(args.file)
    described = _project_info(path, feedback) if is_project(path) else _file_info(path, args, feedback)
    described["file"] = str(path)
    finish_bar()
    if args.json:
        emit(described)
    else:
        _print_info(described)
    return DONE


def _file_info(path: Path, args: argparse.Namespace, feedback: Feedback) -> dict[str, Any]:
    """What a file says about itself, and what the doctor says about its place."""
    from app.importer import ImportOptions, diagnose
    from app.isolation import info_to_dict
    from geo.doctor import leading

    document = open_project(args.project, feedback.part(0.0, 0.4))[0] if args.project else Document()
    info, findings = diagnose(
        path,
        frame=document.scene.frame,
        layers=tuple(document.scene),
        options=ImportOptions(crs=args.crs),
        feedback=feedback.part(0.4, 1.0),
    )
    described = info_to_dict(info)
    described["issues"] = [*described["issues"], *(finding.as_issue().as_dict() for finding in leading(findings))]
    described["repairs"] = [finding.as_dict() for finding in findings if finding.repair is not None]
    return described


def _project_info(path: Path, feedback: Feedback) -> dict[str, Any]:
    from app.project_file import load, read_manifest

    version = read_manifest(path)["version"]
    loaded = load(path, feedback)
    frame = loaded.frame
    document = Document(frame)
    for layer in loaded.layers:
        document.scene.add(layer)
    box = document.scene.bounds()
    corners = None
    if box is not None and frame is not None:
        low, high = frame.to_map([box.low])[0], frame.to_map([box.high])[0]  # type: ignore[arg-type]
        corners = [*map(float, low), *map(float, high)]
    counts: dict[str, int] = {}
    for layer in loaded.layers:
        counts[layer.theme] = counts.get(layer.theme, 0) + max(len(layer.table), 1)
    issues = [*loaded.issues, *(issue for layer in loaded.layers for issue in layer.issues)]
    return {
        "format": "twin-project",
        "title": "Sejong Twin project",
        "version": str(version),
        "crs": frame.crs if frame else None,
        "vertical": frame.vertical if frame else "",
        "bounds": corners,
        "counts": counts,
        "issues": [issue.as_dict() for issue in issues],
        "details": {
            "origin": list(frame.origin) if frame else None,
            "convergence_deg": frame.convergence_deg if frame else None,
            "layers": [layer.id for layer in loaded.layers],
            "missing": [item.path for item in loaded.missing],
        },
    }


def _print_info(described: Mapping[str, Any]) -> None:
    from geo.crs import title

    crs = described["crs"]
    rows = [
        (tr("cli.format"), f"{described['title']} {described['version']}".strip()),
        (tr("cli.crs"), f"{crs[:60]} ({title(crs)})" if crs else tr("cli.none_stated")),
        (tr("cli.vertical"), described["vertical"] or tr("cli.none_stated")),
    ]
    box = described["bounds"]
    if box:
        rows.append(
            (tr("cli.bounds"), f"{box[0]:.3f} {box[1]:.3f} {box[2]:.2f}  ..  {box[3]:.3f} {box[4]:.3f} {box[5]:.2f}")
        )
    for label, text in rows:
        say(f"{label}: {text}")
    say(tr("cli.counts") + ":")
    for name, number in sorted(described["counts"].items(), key=lambda item: -item[1]):
        say(f"  {number:>9,}  {name}")
    print_issues([Issue.from_dict(issue) for issue in described["issues"]])
    _print_repairs(described.get("repairs", ()))


def _print_repairs(repairs: Sequence[Mapping[str, Any]]) -> None:
    """Repairs on offer, the likeliest first, with the place the data would then have."""
    if repairs:
        say(tr("doctor.repairs") + ":")
    for repair in repairs:
        place = f"{repair['lat']:.4f}, {repair['lon']:.4f}" if repair["lat"] is not None else ""
        distance = repair["distance_m"]
        away = tr("import.away", distance=f"{distance / 1000:,.1f} km") if distance is not None else ""
        say(f"  --repair {repair['repair']:<28} {place:<20} {away}".rstrip())


def list_things(args: argparse.Namespace, feedback: Feedback) -> int:
    """``twin list``."""
    if args.what == "analyses":
        rows = _analyses()
    elif args.what == "formats":
        rows = _formats()
    else:
        rows = _layers(args.project, feedback)
    finish_bar()
    if args.json:
        emit({args.what: rows})
        return DONE
    for row in rows:
        say(f"{row['id']:<28} {row['title']}")
        for param in row.get("params", ()):
            allowed = f"  {param['low']:g}..{param['high']:g}" if param["low"] is not None else ""
            allowed = f"  {' | '.join(param['options'])}" if param["options"] else allowed
            say(f"    {param['name']:<22} {param['title']} [{param['unit'] or '-'}] = {param['default']}{allowed}")
    return DONE


def _analyses() -> list[dict[str, Any]]:
    from analysis.contract import describe_inputs, describe_params
    from analysis.registry import analyses

    return [
        {
            "id": item.id,
            "title": tr(f"{item.id}.title", item.title),
            "version": item.version,
            "description": tr(f"{item.id}.description", item.description),
            "params": [
                {
                    "name": p.name,
                    "title": tr(f"{item.id}.{p.name}", p.title),
                    "unit": p.unit,
                    "sort": p.sort,
                    "default": str(p.default),
                    "low": p.low,
                    "high": p.high,
                    "options": list(p.options),
                }
                for p in describe_params(item.params)
            ],
            "inputs": [spec._asdict() for spec in describe_inputs(item.inputs)],
        }
        for item in analyses().values()
    ]


def _formats() -> list[dict[str, Any]]:
    from app.catalog import formats

    return [
        {
            "id": f.id,
            "title": f"{tr(f'format.{f.id}.title', f.title)}  ({', '.join(f.patterns)}; {_abilities(f.write)})",
            "patterns": list(f.patterns),
            "writes": list(f.writes),
            "options": list(f.options.model_fields) if f.options else [],
        }
        for f in formats().values()
    ]


def _abilities(write: object) -> str:
    return tr("cli.read_write") if write else tr("cli.read_only")


def _layers(project: str | None, feedback: Feedback) -> list[dict[str, Any]]:
    if project is None:
        raise UserError(
            "Which project's layers?",
            "'twin list layers' needs a project.",
            "Write 'twin list layers city.twin'.",
            code="cli.which_project",
        )
    document, _ = open_project(project, feedback)
    return [
        {
            "id": layer.id,
            "title": f"{layer.name}  ({layer.theme}, {layer.kind}, {len(layer.table)})",
            "theme": layer.theme,
            "kind": layer.kind,
            "stratum": layer.stratum,
            "elements": len(layer.table),
            "visible": layer.style.visible,
            "fields": [{"name": f.name, "unit": f.unit, "on": f.on} for f in layer.fields],
        }
        for layer in document.scene
    ]
