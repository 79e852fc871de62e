"""Headless. What an import dropped, changed or doubts, object by object, and the validity of its solids."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.language import issue_text, language, tr
from geo.model import Feedback, Issue, Layer, Mesh, UserError
from geo.store import write_atomically
from geo.validity import CODES, Validity, check_solids
from resources import path as resource_path

SOLID_THEMES = ("building",)  # themes whose objects are meant to be closed solids
CHECKED_THEMES = (*SOLID_THEMES, "road", "water", "parcel", "other")
OBJECTS_SHOWN = 500
WORDS = (
    *("title", "made", "file", "layer", "theme", "elements", "severity", "text", "count", "object", "problems", "none"),
    *("issues", "validity", "valid", "code", "meaning", "objects", "more", "system", "repairs"),
)


def import_report(layers: Sequence[Layer], feedback: Feedback | None = None) -> dict[str, Any]:
    """The report as plain values: files, layers with their issues and validity, and one row per object concerned."""
    feedback = feedback or Feedback()
    described = []
    for number, layer in enumerate(layers):
        feedback.step(number / max(len(layers), 1), f"checking {layer.name}")
        described.append(_layer(layer))
    feedback.step(1.0, "checked")
    return {
        "made": dt.datetime.now().astimezone().isoformat(timespec="seconds"),
        "files": sorted({layer.source.path for layer in layers if layer.source.path}),
        "layers": described,
    }


def _layer(layer: Layer) -> dict[str, Any]:
    validity = _validity(layer)
    return {
        "id": layer.id,
        "name": layer.name,
        "theme": layer.theme,
        "theme_title": tr(f"theme.{layer.theme}"),
        "kind": layer.kind,
        "file": layer.source.path,
        "crs": layer.source.options.get("crs"),
        "repairs": _names(layer.source.options.get("repairs")),
        "elements": len(layer.table),
        "issues": [issue.as_dict() | {"text": issue_text(issue)} for issue in layer.issues],
        "validity": _validity_row(validity) if validity is not None else None,
        "objects": _objects(layer, validity),
    }


def _names(value: object) -> list[str]:
    return [str(name) for name in value] if isinstance(value, list | tuple) else []


def _validity(layer: Layer) -> Validity | None:
    if isinstance(layer.geometry, Mesh) and layer.theme in CHECKED_THEMES and len(layer.geometry.faces):
        return check_solids(layer.geometry, expect_closed=layer.theme in SOLID_THEMES)
    return None


def _validity_row(validity: Validity) -> dict[str, Any]:
    return {
        "elements": validity.elements,
        "valid": validity.valid,
        "faults": [
            {
                "code": code,
                "val3dity": CODES[code][0] or None,
                "meaning": tr(f"validity.{code}", CODES[code][1]),
                "count": count,
                "objects": len(validity.faulty[code]),
            }
            for code, count in validity.counts.items()
        ],
    }


def _objects(layer: Layer, validity: Validity | None) -> list[dict[str, Any]]:
    """One row per object that something is said about."""
    said: dict[str, list[str]] = {}
    for issue in layer.issues:
        for element_id in issue.elements:
            said.setdefault(element_id, []).append(_short(issue))
    for code, rows in validity.faulty.items() if validity is not None else ():
        for row in rows:
            said.setdefault(str(layer.table.ids[row]), []).append(tr(f"validity.{code}", CODES[code][1]))
    return [{"id": element_id, "problems": problems} for element_id, problems in said.items()]


def _short(issue: Issue) -> str:
    """An issue's text without the figure for all objects, when there is a short form of it."""
    return tr(f"issue.{issue.code}.one", issue_text(issue))


def write_import_report(layers: Sequence[Layer], path: Path, *, feedback: Feedback | None = None) -> Path:
    """Write the report as HTML or, by the file's name, as JSON. Raises `UserError` for another name."""
    suffix = path.suffix.lower()
    if suffix not in (".html", ".htm", ".json"):
        raise UserError(
            f"An import report cannot be written as '{path.name}'.",
            "It comes as a page (.html) or as data (.json).",
            "Choose a file name that ends so.",
            code="import_report.suffix",
            values={"name": path.name},
        )
    described = import_report(layers, feedback)
    text = json.dumps(described, ensure_ascii=False, indent=1) if suffix == ".json" else _page(described)
    content = text.encode("utf-8")
    write_atomically(path, lambda file: file.write(content))
    return path


def _page(described: Mapping[str, Any]) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(resource_path("report/import.html.j2").read_text(encoding="utf-8"))
    return template.render(
        language=language.code,
        t={word: tr(f"import_report.{word}") for word in WORDS},
        severity={level: tr(f"severity.{level}") for level in ("note", "doubt", "error")},
        shown=OBJECTS_SHOWN,
        **described,
    )
