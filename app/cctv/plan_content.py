"""Headless. What an installation plan says: cameras, coverage, masks, check list, sign, sources; as plain texts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.cctv.optics import View, half_fields
from analysis.cctv.privacy_rules import privacy_rules
from app.cctv.bands import class_title, model_title
from app.language import tr
from app.numbers import number_text
from app.words import class_name
from geo.crs import transform
from geo.model import Frame, Grid, Layer

if TYPE_CHECKING:
    from analysis.cctv.cameras import Camera
    from analysis.cctv.classes import Edition

BLANK = "______________________"
MOST_ROWS = 25  # of a table in the plan
MOST_SEEN = 6  # private things listed with each camera
FIELDS = ("purpose", "place", "range", "time", "manager", "organisation", "retention")


@dataclass(frozen=True)
class Statements:
    """What only people can state; an empty text leaves a blank to be filled in by hand.

    `purpose` is one of the purposes of the rules (``crime``, ``facility`` ...) or free text.
    """

    purpose: str = ""
    place: str = ""
    range: str = ""
    time: str = ""
    manager: str = ""
    organisation: str = ""
    retention: str = ""

    def text(self, name: str) -> str:
        """A statement in the current language; a line to write on where nothing is stated."""
        value = str(getattr(self, name)).strip()
        if name == "purpose" and value in privacy_rules().purposes:
            return tr(f"plan.purpose.{value}")
        return value or BLANK

    @property
    def purpose_id(self) -> str:
        """The purpose as the study takes it."""
        value = self.purpose.strip()
        return value if value in privacy_rules().purposes else "unanswered"

    @property
    def open(self) -> tuple[str, ...]:
        """Names of what is not stated."""
        return tuple(name for name in FIELDS if not str(getattr(self, name)).strip())


def overview(statements: Statements, cameras: Sequence[Camera], name: str) -> list[tuple[str, str]]:
    """Head of the plan."""
    rows = [(tr("plan.project"), name)]
    rows += [(tr(f"plan.field.{field}"), statements.text(field)) for field in FIELDS]
    return [*rows, (tr("plan.camera_count"), f"{len(cameras)}")]


# --- cameras


def camera_rows(
    cameras: Sequence[Camera], frame: Frame, terrain: Grid | None, unknown: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """One mapping per camera with the texts of its specification; `unknown` have no orientation in their data."""
    rows = []
    for number, camera in enumerate(cameras, start=1):
        rows.append(
            {
                "number": number,
                "id": camera.id,
                "name": camera.name,
                "spec": specification(camera, frame, terrain, oriented=camera.id not in unknown),
                "short": _short(camera, frame, terrain, oriented=camera.id not in unknown),
            }
        )
    return rows


def _short(camera: Camera, frame: Frame, terrain: Grid | None, *, oriented: bool) -> list[str]:
    """Cells of the list of cameras, in the order of `LIST_HEADS`."""
    high = height_above_ground(camera, terrain)
    return [
        camera.name,
        model_title(camera.model),
        _number(high, 1),
        _angle(camera.pan) if oriented else tr("plan.unknown"),
        _angle(camera.tilt) if oriented else tr("plan.unknown"),
        _number(camera.focal_mm, 1),
        class_name("mount", camera.mount, tr(f"plan.mount.{camera.mount}")),
        tr(f"plan.state.{camera.state}"),
    ]


def list_heads() -> list[str]:
    """Heads of the list of cameras."""
    names = ("name", "model", "height", "pan", "tilt", "focal", "mount", "state")
    return [tr(f"plan.head.{name}") for name in names]


def specification(camera: Camera, frame: Frame, terrain: Grid | None, *, oriented: bool) -> list[tuple[str, str]]:
    """Rows of the specification of one camera."""
    model = camera.model
    easting, northing, level = frame.to_map(np.array([camera.position]))[0].tolist()
    longitude, latitude = (float(v[0]) for v in _degrees(easting, northing, frame))
    sure = tr("plan.verified") if model.verified else tr("plan.unverified")
    true_pan = (camera.pan + frame.convergence_deg) % 360.0
    unknown = tr("plan.unknown")
    rows = [
        ("model", f"{model_title(model)} ({model.id})"),
        ("kind", tr(f"plan.kind.{model.kind}")),
        ("pixels", f"{model.pixels_wide} × {model.pixels_high}"),
        ("sensor", f"{model.sensor_width_mm:g} × {model.sensor_height_mm:g} mm"),
        ("position", f"E {easting:,.2f}, N {northing:,.2f} ({frame.crs})"),
        ("lonlat", f"{longitude:.7f}°, {latitude:.7f}° (WGS 84)"),
        ("level", f"{level:.2f} m" + (f" ({frame.vertical})" if frame.vertical else "")),
        ("height", _metres(height_above_ground(camera, terrain))),
        ("pan", tr("plan.pan_text", grid=f"{camera.pan % 360:.1f}", true=f"{true_pan:.1f}") if oriented else unknown),
        ("tilt", f"{camera.tilt:.1f}°" if oriented else unknown),
        ("roll", f"{camera.roll:.1f}°"),
        ("focal", tr("plan.focal_text", focal=f"{camera.focal_mm:g}", low=f"{model.focal_min_mm:g}",
                     high=f"{model.focal_max_mm:g}")),
        ("field", _field_of(camera)),
        ("infrared", f"{model.ir_range_m:g} m" if model.ir_range_m else tr("plan.none")),
        ("presets", "; ".join(_preset(*one) for one in camera.presets) or tr("plan.none")),
        ("mount", tr(f"plan.mount.{camera.mount}")),
        ("state", tr(f"plan.state.{camera.state}")),
        ("source", f"{model.source or tr('plan.unknown')} ({sure})"),
    ]  # fmt: skip
    return [(tr(f"plan.spec.{name}"), text) for name, text in rows]


def _field_of(camera: Camera) -> str:
    from analysis.cctv.cameras import views_of

    wide, high = half_fields(views_of(camera)[0])
    heads = f" × {len(camera.model.heads)}" if camera.model.heads else ""
    return f"{2 * wide:.1f}° × {2 * high:.1f}°{heads}"


def _preset(pan: float, tilt: float, focal: float) -> str:
    return f"{pan % 360:.1f}° / {tilt:.1f}° / {focal:g} mm"


def height_above_ground(camera: Camera, terrain: Grid | None) -> float:
    """Of the lens above the terrain [m]; not-a-number where none is known."""
    from geo.terrain import ground_at

    if terrain is None:
        return math.nan
    x, y, z = camera.position
    return float(z - ground_at(terrain, np.array([x]), np.array([y]))[0])


def _degrees(easting: float, northing: float, frame: Frame) -> tuple[Any, Any]:
    return transform(np.array([easting]), np.array([northing]), frame.crs, "EPSG:4326")


def _angle(value: float) -> str:
    return f"{value % 360 if value >= 90 or value < -90 else value:.1f}°"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "–"


def _metres(value: float) -> str:
    return f"{value:.2f} m" if math.isfinite(value) else tr("plan.unknown")


def class_distances(view: View, edition: Edition) -> list[tuple[str, str, str]]:
    """How far each class reaches on the axis: class, px/m, metres."""
    return [
        (class_title(one.id), f"{one.px_per_m:g}", f"{view.focal_px / one.px_per_m:.1f}")
        for one in edition.classes[::-1]
    ]


def unknown_orientations(layers: Sequence[Layer]) -> list[str]:
    """Ids of cameras whose data say no pan or no tilt."""
    from geo.model.conventions import PAN, TILT

    out: list[str] = []
    for layer in layers:
        missing = np.zeros(len(layer.table), dtype=bool)
        for name in (PAN, TILT):
            column = layer.table.columns.get(name)
            if column is None or not column.is_number:
                missing[:] = True
            else:
                missing |= ~np.isfinite(column.values.astype(np.float64))
        out += [str(name) for name in layer.table.ids[missing]]
    return out


# --- results


def part_of(layers: Sequence[Layer], part: str) -> Layer | None:
    """A layer of a run by the name the study gave it."""
    return next((layer for layer in layers if layer.source.part == part or layer.id.endswith(f"-{part}")), None)


def short_table(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table of a report with fewer rows."""
    rows = table["rows"]
    more = len(rows) - MOST_ROWS
    told = tr("report.more_rows", count=more) if more > 0 else table["more"]
    return {**table, "rows": rows[:MOST_ROWS], "more": told}


def check_rows(checks: Layer | None, statements: Statements) -> list[dict[str, str]]:
    """The check list with words."""
    if checks is None:
        return []
    columns = {name: column.values.tolist() for name, column in checks.table.columns.items()}
    rules = {check.id: check for check in privacy_rules().checks}
    rows = []
    for number, name in enumerate(columns["check"]):
        rule, answer = rules[name], columns["answer"][number]
        stated = _stated(name, statements)
        rows.append(
            {
                "answer": answer,
                "sign": {"kept": "○", "answered": "○", "broken": "×"}.get(answer, "□"),
                "title": tr(f"cctv.privacy.check.{name}", rule.title),
                "text": tr(f"cctv.privacy.check.{name}.text", rule.text),
                "told": class_name("answer", answer),
                "reason": stated or tr(f"cctv.privacy.reason.{columns['answer_reason'][number]}", "",
                                       count=columns["count"][number]),
                "source": tr(f"cctv.privacy.check.{name}.source", rule.source),
                "sure": tr("plan.verified") if rule.verified else tr("plan.unverified"),
            }
        )  # fmt: skip
    return rows


def _stated(check: str, statements: Statements) -> str:
    """What people stated about a line that only they can answer."""
    if check == "purpose" and statements.purpose.strip():
        return tr("plan.stated", text=statements.text("purpose"))
    if check == "retention" and statements.retention.strip():
        return tr("plan.stated", text=statements.retention.strip())
    return ""


def sign_rows(statements: Statements) -> list[tuple[str, str]]:
    """Lines of the sign."""
    return [(tr(f"plan.sign.{name}"), statements.text(name)) for name in privacy_rules().sign_fields]


def seen_of(seen: Layer | None, camera: str) -> list[list[str]]:
    """The private things that one camera sees best."""
    if seen is None:
        return []
    columns = {name: column.values for name, column in seen.table.columns.items()}
    rows = np.flatnonzero(columns["camera"] == camera)[:MOST_SEEN]
    return [
        [
            str(columns["thing"][row]),
            class_name("private_kind", str(columns["private_kind"][row])),
            number_text(round(float(columns["private_density"][row]), 1)),
            number_text(round(float(columns["distance"][row]), 1)),
            tr(str(columns["hidden"][row])),
        ]
        for row in rows.tolist()
    ]
