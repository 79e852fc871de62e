"""Rows of a table as cameras: by which columns or words they are known, and what of a camera they do not say."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from geo import terrain
from geo.formats.vector_cameras import ABOVE_GROUND, UNITS, USUAL_HEIGHT, WORDS
from geo.formats.vector_fields import find_column, numbers
from geo.model import Column, Frame, Grid, Issue, Layer, Points
from geo.model.conventions import CAMERA_MODEL, PAN, PRESETS, TILT

PAN_TRUE = "pan_true"  # beside the pan from grid north: that from true north [deg]
SAME_PAN = 1e-6  # [deg] pans nearer than this are the same
NAME_WORDS = ("cctv", "camera", "카메라", "폐쇄회로")


def camera_mark(name: str, columns: Mapping[str, Column]) -> tuple[str, str]:
    """By what (``"column"``, ``"name"`` or ``""``) and by which word a table of points is one of cameras."""
    plain = {column.lower(): column for column in columns}
    if CAMERA_MODEL in plain:
        return "column", plain[CAMERA_MODEL]
    if PAN in plain and TILT in plain:
        return "column", plain[PAN]
    word = next((word for word in NAME_WORDS if word in name.lower()), "")
    return ("name", name) if word else ("", "")


def as_cameras(layer: Layer, frame: Frame, ground: Grid | None, has_height: NDArray[np.bool_]) -> Layer:
    """A layer of points with the columns of cameras by their own names, and what is not known of them.

    Parameters
    ----------
    ground : Grid or None
        Terrain on which points without a height of their own stand.
    has_height : (n,) bool
        Rows whose height is that of the lens.
    """
    points = layer.geometry
    if not isinstance(points, Points):
        return layer
    columns = dict(layer.table.columns)
    for own, words in WORDS.items():
        found = find_column(columns, words)
        if found and own in UNITS:
            columns[own] = Column(numbers(columns[found]), UNITS[own])
        elif found and (found != own or columns[found].is_number):
            columns[own] = Column(_texts(columns[found]))
    if PRESETS in columns:
        columns[PRESETS] = Column(_presets(columns[PRESETS]))
    columns, turned = on_grid(columns, frame)
    vertices, assumed = _raised(points.vertices, columns, ground, has_height)
    table = type(layer.table)(layer.table.ids, columns)
    issues = [*layer.issues, *turned, *not_said(columns, len(table))]
    if assumed:
        message = f"{assumed} cameras say no height; their lenses were taken {USUAL_HEIGHT:g} m above the ground."
        values = {"height": USUAL_HEIGHT}
        issues.append(Issue("cameras.height_assumed", message, "doubt", assumed, values=values))
    return layer.with_(geometry=Points(vertices, points.element), table=table, issues=tuple(issues))


def on_grid(columns: Mapping[str, Column], frame: Frame) -> tuple[dict[str, Column], list[Issue]]:
    """The columns with pans from the grid north of this frame, where the file says them from true north too.

    ``pan_true`` goes: it would be wrong as soon as a camera is turned.
    """
    rest = {name: column for name, column in columns.items() if name != PAN_TRUE}
    if PAN_TRUE not in columns or PAN not in columns:
        return rest, []
    pan, true = numbers(columns[PAN]), numbers(columns[PAN_TRUE])
    turn = (true - frame.convergence_deg - pan + 180.0) % 360.0 - 180.0
    other = np.isfinite(turn) & (np.abs(turn) > SAME_PAN)
    if not other.any():
        return rest, []
    rest[PAN] = Column(np.where(other, (pan + np.nan_to_num(turn)) % 360.0, pan), "deg")
    if PRESETS in rest:
        texts = rest[PRESETS].values.tolist()
        told = [turned_presets(t, turn[k]) if t and other[k] else t for k, t in enumerate(texts)]
        rest[PRESETS] = Column(np.array([*told, None], dtype=object)[:-1])
    count = int(other.sum())
    message = f"{count} cameras were turned from the grid north of their file to that of the project."
    return rest, [Issue("cameras.other_north", message, "note", count)]


def turned_presets(text: str, turn: float) -> str:
    """Presets ``"pan,tilt,focal;..."`` turned clockwise [deg]; parts that are no preset stay."""
    out = []
    for part in text.split(";"):
        parts = part.split(",")
        try:
            pan = (float(parts[0]) + turn) % 360.0
        except ValueError:
            out.append(part)
        else:
            out.append(",".join([f"{pan:.10g}", *parts[1:]]))
    return ";".join(out)


def not_said(columns: Mapping[str, Column], count: int) -> list[Issue]:
    """Doubts about cameras without a model or an orientation; these stay unknown."""
    out = []
    unknown = ~(_finite(columns.get(PAN), count) & _finite(columns.get(TILT), count))
    if unknown.any():
        number = int(unknown.sum())
        message = f"{number} cameras do not say where they look (pan, tilt). It stays unknown; set it before a study."
        out.append(Issue("cameras.no_orientation", message, "doubt", number))
    model = columns.get(CAMERA_MODEL)
    missing = count if model is None else sum(value is None or not str(value).strip() for value in model.values)
    if missing:
        message = f"{missing} cameras name no model of the catalogue: no study can tell what they see."
        out.append(Issue("cameras.no_model", message, "doubt", missing))
    return out


def _finite(column: Column | None, count: int) -> NDArray[np.bool_]:
    if column is None or not column.is_number:
        return np.zeros(count, dtype=bool)
    return np.asarray(np.isfinite(column.values.astype(np.float64)))


def _texts(column: Column) -> NDArray[np.object_]:
    values = [None if value is None else str(value) for value in column.values.tolist()]
    return np.array([*values, None], dtype=object)[:-1]


def _presets(column: Column) -> NDArray[np.object_]:
    """Presets without the mark at their end that keeps a table from being read as numbers."""
    values = [None if value is None else str(value).strip().rstrip(";") for value in column.values.tolist()]
    return np.array([*values, None], dtype=object)[:-1]


def _raised(
    vertices: NDArray[np.float64], columns: Mapping[str, Column], ground: Grid | None, has_height: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], int]:
    """Places of the lenses, and of how many the height is an assumption."""
    out = np.array(vertices)
    name = find_column(columns, ABOVE_GROUND)
    above = numbers(columns[name]) if name else np.full(len(out), np.nan)
    level, _ = terrain.ground_or_nearest(ground, out[:, 0], out[:, 1])
    told = np.isfinite(above)
    out[:, 2] = np.where(has_height, out[:, 2], level + np.where(told, above, USUAL_HEIGHT))
    return out, int((~has_height & ~told).sum())
