"""Headless. One run on a project file: execute, keep the result in the project, export it, draw it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.contract import Result
from analysis.provenance import Provenance
from analysis.registry import get
from analysis.run import execute
from app.alternatives import BASE, layers_of, scenes_of
from app.document import Document
from app.export import export_run
from app.pictures import save_picture
from app.project_file import open_document, save
from app.shown_runs import show_result, with_free_ids
from geo.model import Feedback, Frame, Issue, UserError

PICTURE_SIZE = (1280, 800)
BASE_NAME = "base"  # what the command line calls the scene without any alternative


@dataclass(frozen=True, eq=False)
class Done:
    """A finished run with the files it left."""

    result: Result
    provenance: Provenance
    outputs: tuple[Path, ...]
    issues: tuple[Issue, ...]


def run_on_project(
    analysis_id: str,
    project: Path,
    *,
    params: Mapping[str, Any],
    chosen: Mapping[str, Sequence[str]] | None = None,
    alternative: str | None = None,
    out: Path | None = None,
    feedback: Feedback | None = None,
) -> Done:
    """Run an analysis on a project file and save the result into it.

    Parameters
    ----------
    alternative : str or None
        Name or id of the alternative it runs on; ``"base"`` without any; what the project shows when None.
    out : Path or None
        Folder for exports and a picture.
    """
    feedback = feedback or Feedback()
    declared = get(analysis_id)
    document, notes = open_document(project, feedback.part(0.0, 0.15))
    frame = document.scene.frame
    if frame is None:
        raise UserError(
            f"{project.name} is empty.",
            "An analysis needs at least one layer.",
            "Import files first: twin import PROJECT FILE...",
            code="run.empty_project",
            values={"name": project.name},
        )
    if out is not None:
        make_folder(out)
    variant, layers = scenes_of(document, None if alternative is None else [_alternative_id(document, alternative)])[0]
    result = execute(
        declared,
        layers=layers,
        frame=frame,
        params=params,
        chosen=chosen,
        feedback=feedback.part(0.15, 0.85),
        variant=variant,
    )
    if result.provenance is None:
        raise ValueError("the runner did not stamp the result")
    _keep(document, result, project)
    outputs, trouble = _write_outputs(document, result, frame, out, project) if out else ((), ())
    feedback.step(1.0, "done")
    return Done(result, result.provenance, outputs, (*notes.issues, *result.issues, *trouble))


def _alternative_id(document: Document, name: str) -> str:
    return BASE if name == BASE_NAME else document.alternatives.named(name).id


def make_folder(out: Path) -> None:
    """Fail before the work, not after it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(
            f"The folder {out} cannot be written to.",
            f"The system says: {error.strerror or error}.",
            "Choose another folder with --out.",
            code="run.out_folder",
            values={"path": str(out), "reason": error.strerror or str(error)},
        ) from error


def _keep(document: Document, result: Result, project: Path) -> None:
    """Add the result to the project, in place of results on the same surfaces."""
    layers = with_free_ids(document.scene, result.layers)
    document.do(show_result(document.scene, layers))
    save(document, project)


def _write_outputs(
    document: Document, result: Result, frame: Frame, out: Path, project: Path
) -> tuple[tuple[Path, ...], tuple[Issue, ...]]:
    record = result.layers[0].source.provenance if result.layers else {}
    outputs = export_run(result.layers, record, frame, out, project=project)
    picture = out / "picture.png"
    try:
        shown = layers_of(document, result.provenance.alternative if result.provenance else BASE)
        save_picture(picture, shown, frame, size=PICTURE_SIZE)
    except UserError as error:
        note = Issue(code="run.no_picture", message=f"No picture was drawn: {error}", severity="error")
        return tuple(outputs), (note,)
    return (*outputs, picture), ()


def read_record(path: Path) -> tuple[dict[str, Any], Path]:
    """The record of a run and the project it ran on. Raises `UserError` for anything else."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        project = record["project"]
        provenance = Provenance.model_validate(record["provenance"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path.name} is not the record of a run.",
            f"Reading it failed: {str(error).splitlines()[0]}.",
            "Give the result.json that 'twin run --out' wrote.",
            code="rerun.broken",
            values={"name": path.name, "reason": str(error).splitlines()[0]},
        ) from error
    if not project:
        raise UserError(
            f"{path.name} does not say which project it ran on.",
            "The run was made in the window on a project that had not been saved.",
            "Save the project and run again.",
            code="rerun.no_project",
            values={"name": path.name},
        )
    found = Path(project) if Path(project).is_absolute() else (path.parent / project)
    return {**record, "provenance": provenance.model_dump(mode="json")}, found
