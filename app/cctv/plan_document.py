"""Headless. The installation plan (설치계획서) of the cameras of a project, as a web page or a PDF to hand in."""

from __future__ import annotations

import base64
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cctv import plan_content as content
from app.cctv.ground import camera_ground
from app.cctv.plan_content import Statements
from app.cctv.plan_pictures import Looks, draw_map
from app.document import Document
from app.language import issue_text, language, tr
from app.pictures import jpeg_bytes
from app.report import describe_run
from geo.model import Feedback, Frame, Grid, Issue, Layer, UserError
from geo.store import write_atomically
from resources import path as resource_path

if TYPE_CHECKING:
    from PySide6.QtGui import QFont

    from analysis.cctv.cameras import Camera
    from analysis.cctv.classes import Edition
    from analysis.cctv.optics import View

PRIVACY, COVERAGE = "cctv.privacy", "cctv.coverage"
SUFFIXES = (".html", ".htm", ".pdf")
LEAST_WEDGE, MOST_WEDGE = 8.0, 90.0  # [m] how far a camera's wedge is drawn on the map
SECTIONS = (
    *("overview", "map", "cameras", "coverage", "blind", "camera", "specification", "distances", "view", "preset"),
    *("seen", "masks", "checks", "sign", "sources", "assumptions", "issues", "references", "provenance", "none"),
    *("class", "density", "distance", "thing", "kind", "hidden", "rule", "answer", "source", "number", "polygon"),
    *(
        "share",
        "law_note",
        "view_note",
        "sign_note",
        "blank_note",
        "mask_note",
        "no_coverage",
        "made",
        "list",
        "unknown_note",
    ),
)


@dataclass(frozen=True, eq=False)
class _Plan:
    """What all pages are made from, whatever the language."""

    document: Document
    frame: Frame
    cameras: tuple[Camera, ...]
    views: tuple[tuple[View, ...], ...]
    edition: Edition
    terrain: Grid | None
    unknown: tuple[str, ...]
    privacy: tuple[Layer, ...]
    coverage: tuple[Layer, ...]
    issues: tuple[Issue, ...]
    masks: Mapping[tuple[str, int], list[Any]]


def write_plan(
    document: Document,
    path: Path,
    *,
    statements: Statements | None = None,
    layers: Sequence[str] = (),
    languages: Sequence[str] = (),
    edition: str = "",
    font: QFont | None = None,
    feedback: Feedback | None = None,
) -> Path:
    """Write the plan of the cameras of a project.

    Parameters
    ----------
    path : Path
        Ends in ``.html`` or ``.pdf``; a PDF needs a Qt application (`app.cctv.plan_pdf.ready`).
    statements : Statements
        What only people can say; what is missing becomes a line to fill in by hand.
    layers : sequence of str
        Ids of the camera layers; all when empty.
    languages : sequence of str
        Of the pages, one after the other; the one in use when empty.
    edition : str
        Of the classes; the default of the data when empty.
    font : QFont
        Of the PDF; one with Korean letters is sought when not given.
    """
    feedback = feedback or Feedback()
    if path.suffix.lower() not in SUFFIXES:
        raise _no_such_form(path)
    plan = _prepared(document, tuple(layers), edition, statements or Statements(), feedback.part(0.0, 0.5))
    pictures: dict[str, bytes] = {}
    looks = Looks(tuple(document.scene), plan.frame)
    pages, codes = [], tuple(languages) or (language.code,)
    for number, code in enumerate(codes):
        part = feedback.part(0.5 + 0.4 * number / len(codes), 0.5 + 0.4 * (number + 1) / len(codes))
        with language.spoken(code):
            pages.append(_page(plan, statements or Statements(), looks, pictures, part))
    if path.suffix.lower() == ".pdf":
        from app.cctv.plan_pdf import write_pdf

        write_pdf(path, _html(pages, "pdf"), pictures, title=pages[0]["title"], font=font, feedback=feedback)
    else:
        inline = {name: _data_uri(data) for name, data in pictures.items()}
        text = _html([_with_pictures(page, inline) for page in pages], "page").encode("utf-8")
        write_atomically(path, lambda file: file.write(text))
    feedback.step(1.0, "plan written")
    return path


# --- what it is made from


def _prepared(
    document: Document, wanted: tuple[str, ...], edition: str, statements: Statements, feedback: Feedback
) -> _Plan:
    from analysis.cctv.cameras import cameras_of, views_of
    from analysis.cctv.catalogue import models_of
    from analysis.cctv.classes import default_edition, editions

    scene = tuple(document.scene)
    if document.scene.frame is None:
        raise _no_cameras()
    mine = [la for la in scene if la.theme == "camera" and la.kind == "points" and (not wanted or la.id in wanted)]
    tables = [la for la in scene if la.kind == "table" and "sensor_width_mm" in la.table.columns]
    models, issues = models_of(tables)
    found = [cameras_of(layer, models) for layer in mine]
    cameras = tuple(camera for some, _ in found for camera in some if camera.state != "off")
    if not cameras:
        raise _no_cameras()
    chosen = {"cameras": [layer.id for layer in mine], "models": [layer.id for layer in tables]}
    purpose = {"purpose": statements.purpose_id}
    privacy = _run(PRIVACY, document, purpose, chosen, feedback.part(0.0, 0.5))
    masks = content.part_of(privacy, "masks")
    hidden = {"masks": [masks.id]} if masks is not None and len(masks.table) else {}
    more = (masks,) if hidden and masks is not None else ()
    coverage = _run(COVERAGE, document, {}, {**chosen, **hidden}, feedback.part(0.5, 1.0), more=more)
    views = tuple(views_of(camera) for camera in cameras)
    return _Plan(
        document,
        document.scene.frame,
        cameras,
        views,
        editions()[edition or default_edition()],
        camera_ground(scene),
        tuple(content.unknown_orientations(mine)),
        privacy,
        coverage,
        (*issues, *(issue for _, told in found for issue in told)),
        _masks(privacy),
    )


def _run(
    study: str,
    document: Document,
    params: Mapping[str, object],
    chosen: Mapping[str, list[str]],
    feedback: Feedback,
    *,
    more: Sequence[Layer] = (),
) -> tuple[Layer, ...]:
    """The layers of a run on what the project shows; none where nothing can be said, which the plan tells."""
    from analysis.registry import find_analysis
    from analysis.run import execute

    frame = document.scene.frame
    declared = find_analysis(study)
    if declared is None or frame is None:
        return ()
    scene = (*document.scene, *more)
    try:
        result = execute(declared, layers=scene, frame=frame, params=params, chosen=chosen, feedback=feedback)
    except UserError as error:
        feedback.note(Issue("plan.study_left_out", f"{study}: {error}", "doubt", values={"study": study}))
        return ()
    return result.layers


def _masks(privacy: Sequence[Layer]) -> dict[tuple[str, int], list[Any]]:
    """Polygons [pixels] by camera id and number of the view."""
    from analysis.cctv.mask_tables import polygons_by_view

    table = content.part_of(privacy, "masks")
    return {} if table is None else polygons_by_view(table)


# --- pages


def _page(
    plan: _Plan, statements: Statements, looks: Looks, pictures: dict[str, bytes], feedback: Feedback
) -> dict[str, Any]:
    """All that a page says, in the current language; pictures go into `pictures` by name."""
    document, frame = plan.document, plan.frame
    name = document.name or tr("report.untitled")
    feedback.step(0.0, "drawing the map")
    pictures[f"map-{language.code}"] = jpeg_bytes(_map(plan))
    privacy = describe_run(plan.privacy, []) if plan.privacy else None
    coverage = describe_run(plan.coverage, []) if plan.coverage else None
    checks = content.part_of(plan.privacy, "checks")
    rows = content.camera_rows(plan.cameras, frame, plan.terrain, plan.unknown)
    sheets = _sheets(plan, rows, looks, pictures, feedback.part(0.1, 1.0))
    blind = content.part_of(plan.coverage, "blind_spots")
    return {
        "language": language.code,
        "language_name": tr("report.language_name"),
        "title": tr("plan.title"),
        "name": name,
        "made": dt.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        "program": _program(),
        "t": {word: tr(f"plan.{word}") for word in SECTIONS},
        "blank": bool(statements.open),
        "overview": content.overview(statements, plan.cameras, name),
        "map": f"map-{language.code}",
        "list_heads": content.list_heads(),
        "cameras": sheets,
        "coverage": coverage,
        "blind": content.short_table(_table(blind)) if blind is not None else None,
        "privacy": privacy,
        "checks": content.check_rows(checks, statements),
        "law": tr("plan.law"),
        "sign": content.sign_rows(statements),
        "edition": plan.edition.source,
        "issues": [issue_text(issue) for issue in plan.issues],
    }


def _table(layer: Layer) -> dict[str, Any]:
    from app.report import table_of

    return table_of(layer)


def _map(plan: _Plan) -> Any:
    """The map with the classes of the coverage, where that was computed."""
    limit = float(plan.edition.limits[min(2, len(plan.edition.limits) - 1)])
    reach = [min(max(max(v.focal_px for v in vs) / limit, LEAST_WEDGE), MOST_WEDGE) for vs in plan.views]
    results = [layer for layer in plan.coverage if layer.kind == "grid"][:1]
    known = [() if c.id in plan.unknown else views for c, views in zip(plan.cameras, plan.views, strict=True)]
    scene = tuple(plan.document.scene)
    return draw_map(scene, plan.cameras, known, reach=reach, frame=plan.frame, results=results)


def _sheets(
    plan: _Plan, rows: Sequence[dict[str, Any]], looks: Looks, pictures: dict[str, bytes], feedback: Feedback
) -> list[dict[str, Any]]:
    """One sheet per camera: pictures, specification, distances, what private it sees, masks."""
    seen = content.part_of(plan.privacy, "seen")
    out = []
    for number, (camera, views, row) in enumerate(zip(plan.cameras, plan.views, rows, strict=True)):
        part = feedback.part(number / len(rows), (number + 1) / len(rows))
        part.step(0.0, f"drawing what {camera.name} sees")
        known = camera.id not in plan.unknown
        shown = [_drawn(plan, looks, camera, k, view, pictures, part) for k, view in enumerate(views) if known]
        out.append(
            {
                **row,
                "views": shown,
                "distances": content.class_distances(views[0], plan.edition),
                "seen": content.seen_of(seen, camera.id),
            }
        )
    feedback.step(1.0, "drawn")
    return out


def _drawn(
    plan: _Plan, looks: Looks, camera: Camera, number: int, view: View, pictures: dict[str, bytes], feedback: Feedback
) -> dict[str, Any]:
    name = f"view-{camera.id}-{number}-{language.code}"
    masks = plan.masks.get((camera.id, number), [])
    pictures[name] = jpeg_bytes(looks.picture(view, masks, plan.edition, feedback))
    preset = f"{view.pan % 360:.1f}° / {view.tilt:.1f}°"
    caption = tr("plan.caption_preset" if view.reachable else "plan.caption_view", number=number + 1, way=preset)
    from analysis.cctv.mask_tables import polygon_text

    return {
        "picture": name,
        "caption": caption,
        "width": "@square@" if 4 * view.pixels_high > 3 * view.pixels_wide else "@half@",
        "masks": [polygon_text(polygon) for polygon in masks],
        "mask_count": tr("plan.mask_count", count=len(masks)) if masks else tr("plan.no_masks"),
    }


def _with_pictures(page: Mapping[str, Any], sources: Mapping[str, str]) -> dict[str, Any]:
    """A page with its pictures in it."""
    cameras = [
        {**camera, "views": [{**view, "picture": sources[view["picture"]]} for view in camera["views"]]}
        for camera in page["cameras"]
    ]
    return {**page, "map": sources[page["map"]], "cameras": cameras}


def _data_uri(data: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode('ascii')}"


def _html(pages: Sequence[Mapping[str, Any]], form: str) -> str:
    """The pages as a web page (``page``) or for the PDF (``pdf``), whose pictures are named."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(resource_path("report/cctv_plan.html.j2").read_text(encoding="utf-8"))
    return template.render(pages=pages, pdf=form == "pdf")


def picture_size(data: bytes) -> tuple[int, int]:
    """Width and height of a picture's bytes [pixels]."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        return (int(picture.width), int(picture.height))


def _program() -> str:
    from app.cli import program_version

    return program_version()


def _no_cameras() -> UserError:
    return UserError(
        "There is no camera to plan.",
        "The project has no layer of cameras, or none of its cameras can be used.",
        "Place cameras or import them, then write the plan.",
        code="plan.no_cameras",
    )


def _no_such_form(path: Path) -> UserError:
    return UserError(
        f"A plan cannot be written as {path.suffix or 'a file without an ending'}.",
        "It is a web page or a PDF.",
        "Let the name end in .html or .pdf.",
        code="plan.no_such_form",
        values={"suffix": path.suffix},
    )
