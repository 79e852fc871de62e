"""Models of cameras: those of the program, and rows that the user adds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from geo.model import Issue, Layer
from resources import load_json

DATA = "cctv/cameras.json"
KINDS = ("fixed", "dome", "ptz", "multi", "fisheye")
LENGTHS = ("sensor_width_mm", "sensor_height_mm", "focal_min_mm", "focal_max_mm")
MOST_PIXELS = 100_000  # a row with more along one side has its columns mixed up


@dataclass(frozen=True)
class CameraModel:
    """One model.

    Attributes
    ----------
    id, name : str
    kind : str
        One of `KINDS`. A fisheye follows r = f theta over a half sphere.
    sensor_width_mm, sensor_height_mm : float
    pixels_wide, pixels_high : int
        Of one head.
    focal_min_mm, focal_max_mm : float
    ir_range_m : float
        How far its own light reaches; 0 without.
    reach_m : float
        How far it is used at most, whatever the class.
    cost : float
        [KRW]
    heads : tuple of float
        Pan of each head from that of the device [deg]; empty for one head.
    mask_count, mask_corners : int
        Privacy masks the device offers, and corners of each.
    source : str
    verified : bool
        Whether the row was compared with a data sheet.
    """

    id: str
    name: str
    kind: str
    sensor_width_mm: float
    sensor_height_mm: float
    pixels_wide: int
    pixels_high: int
    focal_min_mm: float
    focal_max_mm: float
    ir_range_m: float = 0.0
    reach_m: float = 100.0
    cost: float = 0.0
    heads: tuple[float, ...] = ()
    mask_count: int = 8
    mask_corners: int = 16
    source: str = ""
    verified: bool = False

    def focal_px(self, focal_mm: float) -> float:
        """Focal length in pixels (fisheye: pixels per radian)."""
        return self.pixels_wide * focal_mm / self.sensor_width_mm


@cache
def catalogue() -> dict[str, CameraModel]:
    """The program's own models by id."""
    models, issues = read_models(load_json(DATA)["models"])
    if issues:
        raise ValueError(f"the program's own catalogue is damaged: {issues[0].message}")
    return models


def read_models(rows: Iterable[Mapping[str, object]]) -> tuple[dict[str, CameraModel], tuple[Issue, ...]]:
    """Models by id from rows of a table; a row that makes no camera is left out and told.

    Parameters
    ----------
    rows : iterable of mapping
        Keys are the attributes of `CameraModel`; numbers may be text. ``heads``: numbers, or text with ``;`` between.
    """
    models: dict[str, CameraModel] = {}
    issues = []
    for number, row in enumerate(rows, start=1):
        try:
            model = _model(row)
            if model.id in models:
                raise _Broken("twice", f"the id {model.id} is there twice")
        except _Broken as broken:
            name = str(row.get("id") or row.get("name") or number)
            message = f"Row {number} of the camera catalogue ({name}) is left out: {broken}."
            values = {"row": number, "model": name, **broken.values}
            issues.append(Issue(f"cctv.catalogue_row.{broken.code}", message, "doubt", 1, values=values))
        else:
            models[model.id] = model
    return models, tuple(issues)


def models_of(layers: Iterable[Layer]) -> tuple[dict[str, CameraModel], tuple[Issue, ...]]:
    """The program's models and those of tables of the project, which win over the program's of the same id."""
    models = dict(catalogue())
    issues: list[Issue] = []
    for layer in layers:
        columns = {name: column.values.tolist() for name, column in layer.table.columns.items()}
        ids = [str(one) for one in layer.table.ids]
        rows = [{"id": ids[k], **{name: values[k] for name, values in columns.items()}} for k in range(len(ids))]
        found, doubts = read_models(rows)
        models.update(found)
        issues += doubts
    return models, tuple(issues)


class _Broken(ValueError):
    """Why a row is no camera model: the end of the issue's code, the reason in English, and what it names."""

    def __init__(self, code: str, reason: str, **values: str | int) -> None:
        super().__init__(reason)
        self.code, self.values = code, values


def _model(row: Mapping[str, object]) -> CameraModel:
    name = str(row.get("id") or "").strip()
    if not name:
        raise _Broken("no_id", "it has no id")
    kind = str(row.get("kind") or "fixed").strip()
    if kind not in KINDS:
        raise _Broken("kind", f"{kind!r} is none of {', '.join(KINDS)}", kind=kind, kinds=", ".join(KINDS))
    lengths = {key: _number(row, key) for key in LENGTHS}
    for key, value in lengths.items():
        if not value > 0:
            raise _Broken("positive", f"{key} must be more than 0", column=key)
    if lengths["focal_max_mm"] < lengths["focal_min_mm"]:
        raise _Broken("focal", "focal_max_mm is less than focal_min_mm")
    wide, high = (_pixels(row, key) for key in ("pixels_wide", "pixels_high"))
    optional = {key: _number(row, key, default) for key, default in (("ir_range_m", 0.0), ("cost", 0.0))}
    for key, value in optional.items():
        if value < 0:
            raise _Broken("negative", f"{key} must not be negative", column=key)
    reach = _number(row, "reach_m", 100.0)
    if not reach > 0:
        raise _Broken("positive", "reach_m must be more than 0", column="reach_m")
    masks, corners = (int(_number(row, key, default)) for key, default in (("mask_count", 8.0), ("mask_corners", 16.0)))
    return CameraModel(
        name,
        str(row.get("name") or name),
        kind,
        lengths["sensor_width_mm"],
        lengths["sensor_height_mm"],
        wide,
        high,
        lengths["focal_min_mm"],
        lengths["focal_max_mm"],
        reach_m=reach,
        heads=_heads(row.get("heads"), kind),
        source=str(row.get("source") or ""),
        verified=str(row.get("verified")).strip().lower() in ("true", "1", "1.0", "yes"),
        ir_range_m=optional["ir_range_m"],
        cost=optional["cost"],
        mask_count=masks,
        mask_corners=corners,
    )


def _number(row: Mapping[str, object], key: str, default: float | None = None) -> float:
    value: Any = row.get(key)
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        if default is None:
            raise _Broken("missing", f"{key} is missing", column=key)
        return default
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise _Broken("number", f"{key} is not a number: {value!r}", column=key, value=str(value)) from None
    if not math.isfinite(number):
        raise _Broken("number", f"{key} is not a finite number", column=key, value=str(value))
    return number


def _pixels(row: Mapping[str, object], key: str) -> int:
    number = _number(row, key)
    if not 1 <= number <= MOST_PIXELS or number != int(number):
        raise _Broken("pixels", f"{key} must be a whole number from 1 to {MOST_PIXELS}", column=key, most=MOST_PIXELS)
    return int(number)


def _heads(value: object, kind: str) -> tuple[float, ...]:
    parts: Iterable[object] = ()
    if isinstance(value, str):
        parts = [part for part in value.replace(",", ";").split(";") if part.strip()]
    elif isinstance(value, list | tuple):
        parts = value
    try:
        heads = tuple(float(str(part)) for part in parts)
    except ValueError:
        raise _Broken("number", f"heads are not numbers: {value!r}", column="heads", value=str(value)) from None
    if kind == "multi" and len(heads) < 2:
        raise _Broken("heads_missing", "a multi-sensor camera needs the pans of at least two heads")
    if kind != "multi" and heads:
        raise _Broken("heads", "only a multi-sensor camera has heads")
    return heads
