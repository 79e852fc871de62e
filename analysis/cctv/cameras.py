"""Cameras as the analyses know them, from a layer of points and back to one."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.cctv.catalogue import CameraModel
from analysis.cctv.optics import View, furthest, view_at
from geo.model import Column, ElementTable, Issue, Layer, Points
from geo.model.conventions import (
    CAMERA_MODEL,
    CAMERA_NAME,
    CAMERA_STATE,
    CAMERA_STATES,
    FOCAL,
    MOUNT,
    MOUNTS,
    PAN,
    PRESETS,
    ROLL,
    TILT,
)

FOCAL_SLACK = 1e-6  # of the focal length: a value rounded by a file still fits its lens


@dataclass(frozen=True)
class Camera:
    """One camera.

    Attributes
    ----------
    id, name : str
    model : CameraModel
    position : (3,) float [local m]
        Of the lens.
    pan, tilt, roll : float [deg]
        Clockwise from grid north, downward from level, clockwise as it looks.
    focal_mm : float
    mount, state : str
        One of `MOUNTS`, one of `CAMERA_STATES`.
    presets : tuple of (pan, tilt, focal)
        Where a camera that turns may look besides [deg, deg, mm].
    """

    id: str
    name: str
    model: CameraModel
    position: tuple[float, float, float]
    pan: float = 0.0
    tilt: float = 0.0
    roll: float = 0.0
    focal_mm: float = 4.0
    mount: str = "pole"
    state: str = "planned"
    presets: tuple[tuple[float, float, float], ...] = ()

    def with_(self, **changes: object) -> Camera:
        """A copy with attributes replaced."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]


def views_of(camera: Camera) -> tuple[View, ...]:
    """What it looks at: one view per head; then one for each preset, marked as reachable only."""
    home = tuple(
        _view(camera, camera.pan + head, camera.tilt, camera.focal_mm, reachable=False)
        for head in camera.model.heads or (0.0,)
    )
    return home + tuple(_view(camera, *preset, reachable=True) for preset in camera.presets)


def _view(camera: Camera, pan: float, tilt: float, focal: float, *, reachable: bool) -> View:
    model = camera.model
    return view_at(
        camera.position, pan, tilt, camera.roll, focal_px=model.focal_px(focal),
        pixels=(model.pixels_wide, model.pixels_high), equidistant=model.kind == "fisheye", reachable=reachable,
    )  # fmt: skip


def reach_of(model: CameraModel, least_px_per_m: float) -> float:
    """Distance [m] beyond which the model sees nothing at the density, however it is turned and zoomed."""
    focal = model.focal_px(model.focal_max_mm)
    pixels = (model.pixels_wide, model.pixels_high)
    return min(model.reach_m, furthest(focal, pixels, least_px_per_m, equidistant=model.kind == "fisheye"))


def cameras_of(layer: Layer, models: Mapping[str, CameraModel]) -> tuple[list[Camera], tuple[Issue, ...]]:
    """The cameras of a layer of points; those that cannot be are left out, and every doubt is told."""
    shape = layer.geometry
    if not isinstance(shape, Points):
        return [], ()
    cameras: list[Camera] = []
    issues: list[Issue] = []
    ids = [str(one) for one in layer.table.ids]
    columns = {name: column.values.tolist() for name, column in layer.table.columns.items()}
    for point, row in zip(shape.vertices, shape.element.tolist(), strict=True):
        values = {name: column[row] for name, column in columns.items()} if row < len(ids) else {}
        name = ids[row] if row < len(ids) else f"{layer.id}-{row}"
        camera = _camera(name, values, point, models, issues)
        if camera is not None:
            cameras.append(camera)
    return cameras, tuple(issues)


def _camera(
    id_: str,
    values: Mapping[str, object],
    point: np.ndarray,
    models: Mapping[str, CameraModel],
    issues: list[Issue],
) -> Camera | None:
    told = _Told(id_, issues)
    model_id = str(values.get(CAMERA_MODEL) or "").strip()
    model = models.get(model_id)
    if model is None:
        told("cctv.unknown_model", f"has the model {model_id or '(none)'}, which no catalogue has", model=model_id)
        return None
    if not np.isfinite(point).all():
        told("cctv.no_place", "has no height or no place")
        return None
    focal = _number(values, FOCAL)
    if focal is None:
        focal = model.focal_min_mm
        if model.focal_max_mm > model.focal_min_mm:
            told("cctv.focal_taken", f"has no focal length; {focal:g} mm is taken", kept=True, focal=focal)
    if not _fits(focal, model):
        told(
            "cctv.focal",
            f"has a focal length of {focal:g} mm; its model has {model.focal_min_mm:g} to {model.focal_max_mm:g} mm",
            focal=focal,
            low=model.focal_min_mm,
            high=model.focal_max_mm,
        )
        return None
    angles = {key: _number(values, key) for key in (PAN, TILT, ROLL)}
    if (angles[PAN] is None and model.kind not in ("fisheye",)) or angles[TILT] is None:
        told("cctv.no_angles", "has no pan or no tilt; 0 and 15 degrees down are taken", kept=True)
    tilt = angles[TILT]
    if tilt is None:
        tilt = 90.0 if model.kind == "fisheye" else 15.0
    x, y, z = (float(value) for value in point)
    return Camera(
        id_,
        str(values.get(CAMERA_NAME) or id_),
        model,
        (x, y, z),
        angles[PAN] or 0.0,
        tilt,
        angles[ROLL] or 0.0,
        focal,
        _one_of(values.get(MOUNT), MOUNTS, "other"),
        _state(values, told),
        _presets(values.get(PRESETS), model, told),
    )


class _Told:
    """Adds doubts about one camera to a list."""

    def __init__(self, camera: str, issues: list[Issue]) -> None:
        self.camera, self.issues = camera, issues

    def __call__(self, code: str, what: str, *, kept: bool = False, **values: object) -> None:
        message = f"Camera {self.camera} {what}." + ("" if kept else " It is left out.")
        self.issues.append(Issue(code, message, "doubt", 1, values={"camera": self.camera, **values}))


def _fits(focal: float, model: CameraModel) -> bool:
    return model.focal_min_mm * (1 - FOCAL_SLACK) <= focal <= model.focal_max_mm * (1 + FOCAL_SLACK)


def _number(values: Mapping[str, object], key: str) -> float | None:
    try:
        number = float(values[key])  # type: ignore[arg-type]
    except (KeyError, TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _state(values: Mapping[str, object], told: _Told) -> str:
    """Cameras that do not say otherwise are there, as they are in the window."""
    said = str(values.get(CAMERA_STATE) or "").strip()
    if said and said not in CAMERA_STATES:
        told(
            "cctv.unknown_state",
            f"is in the state {said}, which is none of {', '.join(CAMERA_STATES)}; it is taken as existing",
            kept=True,
            state=said,
            states=", ".join(CAMERA_STATES),
        )
    return _one_of(said, CAMERA_STATES, "existing")


def _one_of(value: object, allowed: tuple[str, ...], otherwise: str) -> str:
    text = str(value or "").strip()
    return text if text in allowed else otherwise


def _presets(value: object, model: CameraModel, told: _Told) -> tuple[tuple[float, float, float], ...]:
    parts = [part for part in str(value or "").split(";") if part.strip()]
    out = []
    for part in parts:
        try:
            pan, tilt, focal = (float(number) for number in part.split(","))
        except ValueError:
            told("cctv.preset", f"has a preset that cannot be read: {part.strip()}", kept=True, preset=part.strip())
            continue
        if model.kind != "ptz" or not _fits(focal, model):
            told("cctv.preset", f"cannot take the preset {part.strip()}", kept=True, preset=part.strip())
            continue
        out.append((pan, tilt, focal))
    return tuple(out)


def presets_text(presets: Sequence[tuple[float, float, float]]) -> str:
    """Presets as a layer's column has them."""
    return ";".join(",".join(f"{number:.10g}" for number in preset) for preset in presets)


def camera_layer(cameras: Sequence[Camera], *, id: str = "cameras", name: str = "Cameras") -> Layer:  # noqa: A002
    """A layer of theme ``camera`` that `cameras_of` reads back as it was."""
    points = np.array([camera.position for camera in cameras], dtype=np.float64).reshape(-1, 3)
    columns = {
        CAMERA_NAME: Column(np.array([camera.name for camera in cameras], dtype=object)),
        CAMERA_MODEL: Column(np.array([camera.model.id for camera in cameras], dtype=object)),
        PAN: Column(np.array([camera.pan for camera in cameras], dtype=np.float64), "deg"),
        TILT: Column(np.array([camera.tilt for camera in cameras], dtype=np.float64), "deg"),
        ROLL: Column(np.array([camera.roll for camera in cameras], dtype=np.float64), "deg"),
        FOCAL: Column(np.array([camera.focal_mm for camera in cameras], dtype=np.float64), "mm"),
        MOUNT: Column(np.array([camera.mount for camera in cameras], dtype=object)),
        CAMERA_STATE: Column(np.array([camera.state for camera in cameras], dtype=object)),
    }
    if any(camera.presets for camera in cameras):
        columns[PRESETS] = Column(np.array([presets_text(camera.presets) for camera in cameras], dtype=object))
    table = ElementTable([camera.id for camera in cameras], columns)
    return Layer(id, name, "camera", Points(points, np.arange(len(cameras), dtype=np.int32)), table)
