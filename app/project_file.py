"""Headless. The project file: a readable manifest of relative links and hashes, with results in a folder beside it.

``city.twin`` is JSON: frame, sources (path relative to the project, digest, reader, options, layers with name and
style), results (files in ``city.results/``). Opening reads the sources again through their readers; no code in a
project is ever run. Each version of the manifest has one upgrade function.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.alternatives import base_layers, lost_issues, show_alternative
from app.catalog import while_it_is_there
from app.document import Document
from app.importer import Imported, ImportOptions, import_files
from app.layer_cache import cache_folder, file_digest
from app.project_upgrades import UPGRADES
from app.proposal_store import models_from_list, models_to_list
from app.report_choice import ReportChoice, choice_from_dict, choice_to_dict, kept_pictures
from app.topic_store import PREFIX, picture_names, topics_from_list, topics_to_list
from app.viewpoints import SavedView, viewpoints_from_list, viewpoints_to_list
from bim.bcf.model import Topic
from geo.alternatives import Alternative, alternative_from_dict, alternative_to_dict
from geo.formats.contract import MapBox
from geo.model import Feedback, Frame, Issue, Layer, UserError
from geo.model.digest import layer_digest
from geo.store import read_layers, style_from_dict, style_to_dict, write_atomically, write_layers

FORMAT_NAME = "sejong-twin-project"
VERSION = 6
LIMIT_BYTES = 64 << 20
SUFFIX = ".twin"
ABANDONED_S = 3600.0


@dataclass(frozen=True)
class MissingSource:
    """A source file that is not where the project says, or that cannot be read any more (`error`)."""

    path: str
    reader: str
    layers: tuple[str, ...]
    entry: Mapping[str, Any]
    error: UserError | None = None


@dataclass(frozen=True)
class Loaded:
    """A project read from disk, not yet in a document."""

    frame: Frame | None
    layers: tuple[Layer, ...]
    missing: tuple[MissingSource, ...] = ()
    issues: tuple[Issue, ...] = ()
    view: Mapping[str, Any] = field(default_factory=dict)
    topics: tuple[Topic, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    alternative: str = ""
    report: ReportChoice | None = None
    viewpoints: tuple[SavedView, ...] = ()


def results_folder(path: Path) -> Path:
    """Where a project keeps its results."""
    return path.with_name(f"{path.stem}.results")


def save(document: Document, path: Path, *, view: Mapping[str, Any] | None = None) -> None:
    """Save the document; the file is the new one or, if anything fails, still the old one."""
    manifest = _manifest(document, path, view or {})
    text = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
    write_atomically(path, lambda file: file.write(text))
    _drop_unused_results(path, manifest)
    document.mark_saved(path)


def autosave(document: Document) -> Path | None:
    """Keep a copy for recovery, beside nobody's file; None when there is nothing to lose."""
    if not document.modified or document.scene.frame is None:
        return None
    path = _recovery_path(document)
    manifest = _manifest(document, path, {}, absolute=True)
    manifest["recovers"] = str(document.path) if document.path else ""
    text = json.dumps(manifest, ensure_ascii=False).encode()
    write_atomically(path, lambda file: file.write(text))
    return path


def discard_autosave(document: Document) -> None:
    """Forget the recovery copy (after a save or a clean close)."""
    _recovery_path(document).unlink(missing_ok=True)


def recoverable() -> list[Path]:
    """Recovery copies left by a program that did not close cleanly and is not running any more, newest first."""
    folder = cache_folder() / "recovery"
    found = [p for p in folder.glob(f"*{SUFFIX}") if not _is_alive(p)]
    return sorted(found, key=lambda p: p.stat().st_mtime, reverse=True)


def _recovery_path(document: Document) -> Path:
    name = re.sub(r"\W+", "-", document.name or "untitled")
    mark = hashlib.blake2b(str(document.path).encode(), digest_size=4).hexdigest()
    return cache_folder() / "recovery" / f"{name}-{mark}-{os.getpid()}{SUFFIX}"


def _is_alive(path: Path) -> bool:
    """Whether the process that wrote a recovery copy (its number ends the name) still runs."""
    import psutil

    number = path.stem.rsplit("-", 1)[-1]
    return number.isdigit() and bool(psutil.pid_exists(int(number)))


def _manifest(document: Document, path: Path, view: Mapping[str, Any], *, absolute: bool = False) -> dict[str, Any]:
    from importlib.metadata import version

    sources: dict[str, dict[str, Any]] = {}
    results: list[dict[str, Any]] = []
    base = base_layers(document)
    for layer in base:
        if layer.source.path:
            entry = _source_entry(layer, path, absolute)
            kept = sources.setdefault(json.dumps(entry, sort_keys=True), entry | {"layers": []})
            kept["layers"].append(_layer_entry(layer) | {"part": layer.source.part})
        else:
            results.append(_layer_entry(layer) | {"file": _store_result(layer, path)})
    for entry in document.unresolved:
        place = entry["path"] if absolute else _relative(Path(entry["path"]), path.parent)
        # The same file may be there twice, with other options.
        sources[json.dumps(entry, sort_keys=True)] = {**entry, "path": place}
    frame = document.scene.frame
    return {
        "format": FORMAT_NAME,
        "version": VERSION,
        "program": version("sejong-twin"),
        "frame": dataclasses.asdict(frame) if frame else None,
        "sources": list(sources.values()),
        "results": results,
        "order": [layer.id for layer in base],
        "view": dict(view),
        "alternatives": [alternative_to_dict(item) for item in document.alternatives.items],
        "alternative": document.alternatives.active,
        "proposal_models": models_to_list(document.alternatives.items, results_folder(path)),
        "topics": topics_to_list(document.topics.items, results_folder(path)),
        "viewpoints": viewpoints_to_list(document.viewpoints),
        "report": choice_to_dict(document.report, results_folder(path)),
    }


def _source_entry(layer: Layer, path: Path, absolute: bool) -> dict[str, Any]:
    source = layer.source
    return {
        "path": source.path if absolute else _relative(Path(source.path), path.parent),
        "digest": source.digest,
        "reader": source.reader,
        "options": dict(source.options),
    }


def _relative(path: Path, folder: Path) -> str:
    """A portable relative path where there is one (not across Windows drives)."""
    try:
        return Path(os.path.relpath(path, folder.absolute())).as_posix()
    except ValueError:
        return str(path)


def _layer_entry(layer: Layer) -> dict[str, Any]:
    return {"id": layer.id, "name": layer.name, "style": style_to_dict(layer.style), "stratum": layer.stratum}


def _store_result(layer: Layer, path: Path) -> str:
    """Put a layer without a file into the results folder and return its relative name.

    Results never change and are written once, by the record of their run: another run of the same second has another.
    What was drawn may have changed since, so its content names the file.
    """
    record = layer.source.provenance
    told = json.dumps(record, sort_keys=True, default=str).encode() if record else b""
    mark = f"-{hashlib.blake2b(told, digest_size=6).hexdigest() if record else layer_digest(layer)[:12]}"
    name = re.sub(r"[^\w.-]+", "-", layer.id) + mark
    target = results_folder(path) / f"{name}.layers"
    if not target.exists():
        write_layers(target, [layer])
    return f"{target.parent.name}/{target.name}"


def _drop_unused_results(path: Path, manifest: Mapping[str, Any]) -> None:
    """Results taken out of the project leave its folder only after the manifest without them is safely written."""
    used = {Path(entry["file"]).name for entry in manifest["results"]}
    used |= picture_names(manifest["topics"]) | kept_pictures(manifest["report"])
    used |= {Path(entry["file"]).name for entry in manifest["proposal_models"]}
    folder = results_folder(path)
    for file in [*folder.glob("*.layers"), *folder.glob(f"{PREFIX}*")]:
        if file.name not in used:
            file.unlink(missing_ok=True)
    for file in results_folder(path).glob(".*.tmp"):  # of a save that was killed; a younger one may still be running
        with contextlib.suppress(OSError):
            if time.time() - file.stat().st_mtime > ABANDONED_S:
                file.unlink()


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest, upgraded to the present version. Raises `UserError` for anything that is not one."""
    try:
        if path.stat().st_size > LIMIT_BYTES:
            raise _not_a_project(path, "it is far too large")
        manifest = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise UserError(
            f"There is no project {path}.",
            "The file does not exist.",
            "Check the name, or make one with 'twin import'.",
            code="project.absent",
            values={"path": str(path)},
        ) from None
    except OSError as error:
        raise _not_a_project(path, error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:
        raise _not_a_project(path, "it is not readable JSON") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT_NAME:
        raise _not_a_project(path, "it lacks the mark of a Sejong Twin project")
    version = manifest.get("version")
    if not isinstance(version, int) or version < 1:
        raise _not_a_project(path, "its version is not a number")
    if version > VERSION:
        raise UserError(
            f"{path.name} was saved by a newer version of the program.",
            f"It has project format {version}; this program knows up to {VERSION}.",
            "Update the program. The file has not been changed.",
            code="project.newer",
            values={"name": path.name, "version": version, "known": VERSION},
        )
    while version < VERSION:
        manifest = UPGRADES[version](manifest)
        version += 1
    return manifest


def is_project(path: Path) -> bool:
    """Whether a file is a project, by its name or its first bytes."""
    if path.suffix.lower() == SUFFIX:
        return True
    try:
        with path.open("rb") as file:
            return FORMAT_NAME.encode() in file.read(200)
    except OSError:
        return False


def _not_a_project(path: Path, reason: str) -> UserError:
    return UserError(
        f"{path.name} is not a project of this program.",
        f"Reading it failed: {reason}.",
        "Choose a .twin file, or a recovery copy if this one was damaged.",
        code="project.broken",
        values={"name": path.name, "reason": reason},
    )


def load(path: Path, feedback: Feedback | None = None, *, relinked: Mapping[str, str] | None = None) -> Loaded:
    """Read a project: its sources through their readers, its results from the folder beside it.

    Parameters
    ----------
    relinked : mapping
        New places of source files that have moved, by the path the project has for them.
    """
    feedback = feedback or Feedback()
    manifest = read_manifest(path)
    try:
        return _load(manifest, path, feedback, relinked or {})
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _not_a_project(path, f"its content is incomplete ({error})") from error


def _load(manifest: Mapping[str, Any], path: Path, feedback: Feedback, relinked: Mapping[str, str]) -> Loaded:
    frame = None
    if manifest["frame"]:
        values = dict(manifest["frame"])
        frame = Frame(**{**values, "origin": tuple(float(v) for v in values["origin"])})
    layers: list[Layer] = []
    missing: list[MissingSource] = []
    issues: list[Issue] = []
    sources = manifest["sources"]
    for number, entry in enumerate(sources):
        part = feedback.part(0.95 * number / len(sources), 0.95 * (number + 1) / len(sources))
        file = _locate(entry["path"], path.parent, relinked)
        if file is None:
            missing.append(_missing(entry, path.parent))
            continue
        try:
            layers += _load_source(entry, file, frame, layers, part, issues)
        except UserError as error:
            missing.append(dataclasses.replace(_missing(entry, path.parent), error=error))
            issues.append(_unreadable(file, error))
    for entry in manifest["results"]:
        layers += _load_result(entry, path, issues)
    if len({layer.id for layer in layers}) < len(layers):
        raise ValueError("two layers have the same id")
    order = {layer_id: number for number, layer_id in enumerate(manifest["order"])}
    layers.sort(key=lambda layer: order.get(layer.id, len(order)))
    feedback.step(1.0, "opened")
    topics = topics_from_list(manifest["topics"], results_folder(path), issues)
    models = models_from_list(manifest["proposal_models"], results_folder(path), issues)
    alternatives = tuple(alternative_from_dict(item, models) for item in manifest["alternatives"])
    for item in alternatives:
        issues += lost_issues(item, layers, missing=bool(missing))
    view = dict(manifest.get("view") or {})
    shown = str(manifest["alternative"])
    report = choice_from_dict(manifest.get("report") or {}, results_folder(path), issues)
    viewpoints = viewpoints_from_list(manifest["viewpoints"], issues)
    return Loaded(
        frame, tuple(layers), tuple(missing), tuple(issues), view, topics, alternatives, shown, report, viewpoints
    )


def _missing(entry: Mapping[str, Any], folder: Path) -> MissingSource:
    """What the document keeps of a source it cannot find, so that saving does not lose it."""
    names = tuple(str(layer["name"]) for layer in entry["layers"])
    where = Path(os.path.normpath(folder.absolute() / entry["path"]))
    return MissingSource(str(entry["path"]), str(entry["reader"]), names, {**entry, "path": str(where)})


def _unreadable(file: Path, error: UserError) -> Issue:
    """One file that cannot be read does not keep the rest of a project from opening."""
    return Issue(
        code="project.source_unreadable",
        message=f"{file.name} could not be read; its layers are kept in the project but not shown. {error}",
        severity="error",
        values={"name": file.name, "reason": str(error)},
    )


def _locate(stored: str, folder: Path, relinked: Mapping[str, str]) -> Path | None:
    """The source file where the project says, where the user says, or under its name beside the project."""
    for candidate in (relinked.get(stored), folder / stored, folder / Path(stored).name):
        with contextlib.suppress(OSError, ValueError):  # a name no file can have
            if candidate and Path(candidate).is_file():
                return Path(candidate)
    return None


def _load_source(
    entry: Mapping[str, Any],
    file: Path,
    frame: Frame | None,
    present: Sequence[Layer],
    feedback: Feedback,
    issues: list[Issue],
) -> list[Layer]:
    options = entry["options"]
    box = options.get("box")
    with while_it_is_there(file):
        changed = file_digest(file) != entry["digest"]
    doubts = None if changed else tuple(Issue.from_dict(item) for item in options.get("doubts") or ())
    imported: Imported = import_files(
        [file],
        frame=frame,
        layers=present,
        options=ImportOptions(
            kind=options.get("kind"),
            crs=options.get("crs"),
            own=options.get("own") or {},
            box=MapBox(*box) if box else None,
            repairs=tuple(options.get("repairs") or ()),
            doubts=doubts,
        ),
        feedback=feedback,
    )
    if changed:
        issues.append(
            Issue(
                code="project.source_changed",
                message=f"{file.name} has changed since the project was saved; its present content is shown.",
                severity="doubt",
                values={"name": file.name},
            )
        )
    by_part = {layer.source.part: layer for layer in imported.layers}
    kept = []
    for wanted in entry["layers"]:
        layer = by_part.get(wanted["part"])
        if layer is not None:
            kept.append(_restored(layer, wanted))
    gone = [str(wanted["name"]) for wanted in entry["layers"] if wanted["part"] not in by_part]
    if gone:
        names = ", ".join(gone)
        message = f"{file.name} no longer holds what these layers were made of: {names}. They are not shown."
        values = {"name": file.name, "layers": names}
        issues.append(Issue("project.layer_gone", message, "error", count=len(gone), values=values))
    return kept


def _load_result(entry: Mapping[str, Any], path: Path, issues: list[Issue]) -> list[Layer]:
    file = path.parent / entry["file"]
    # A renamed project still finds the results under its old name, but never anything outside its own folder.
    place = file.resolve().parent
    if place.parent != path.parent.resolve() or place.suffix != ".results":
        raise ValueError("a result lies outside the project's folder")
    try:
        stored, _ = read_layers(file, mapped=False)
    except UserError as error:
        issues.append(
            Issue(
                code="project.result_lost",
                message=f"The result '{entry['name']}' could not be read ({error.why}). Run it again.",
                severity="error",
                values={"name": entry["name"]},
            )
        )
        return []
    return [_restored(layer, entry) for layer in stored]


def _restored(layer: Layer, entry: Mapping[str, Any]) -> Layer:
    return layer.with_(
        id=str(entry["id"]), name=str(entry["name"]), style=style_from_dict(entry["style"]), stratum=entry["stratum"]
    )


def apply(document: Document, loaded: Loaded, path: Path | None) -> None:
    """Fill an empty document with a loaded project (main thread)."""
    document.scene.set_frame(loaded.frame)
    document.unresolved = [dict(item.entry) for item in loaded.missing]
    for layer in loaded.layers:
        document.scene.add(layer)
    document.topics.set(loaded.topics)
    document.report = loaded.report
    document.viewpoints.set(loaded.viewpoints)
    document.alternatives.set(loaded.alternatives)
    show_alternative(document, loaded.alternative)
    if path is not None and not loaded.missing:
        document.mark_saved(path)
    elif path is not None:
        document.path = path
        document.changed.emit()


def open_document(path: Path, feedback: Feedback | None = None) -> tuple[Document, Loaded]:
    """A new document from a project file, for the command line. Missing sources are an error here."""
    loaded = load(path, feedback)
    unreadable = next((item.error for item in loaded.missing if item.error is not None), None)
    if unreadable is not None:
        raise unreadable
    if loaded.missing:
        names = ", ".join(item.path for item in loaded.missing)
        raise UserError(
            f"{path.name} refers to files that are not there.",
            f"Missing: {names}.",
            "Put them back or beside the project, or open the project in the window to point to their new place.",
            code="project.missing_sources",
            values={"name": path.name, "files": names},
        )
    document = Document()
    apply(document, loaded, path)
    return document, loaded
