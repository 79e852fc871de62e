"""A camera of a layer as the analyses know it, and what its lens can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.cctv.cameras import Camera, cameras_of
from analysis.cctv.catalogue import CameraModel
from analysis.cctv.optics import half_fields, view_at
from app.cctv.edit import CameraRow, layer_of


def camera_from(row: CameraRow, models: Mapping[str, CameraModel]) -> Camera | None:
    """A row as the analyses know it; None where its model or its focal length is none that there is."""
    found, _issues = cameras_of(layer_of([row], layer_id="one", name="one"), models)
    return found[0] if found else None


def lens_of(camera: Camera) -> Any:
    """What the gizmo may do with the lens of a camera."""
    from app.view.camera_gizmo import Lens

    model = camera.model

    def field(focal: float) -> float:
        view = view_at(
            camera.position, 0.0, 0.0, 0.0, focal_px=model.focal_px(focal),
            pixels=(model.pixels_wide, model.pixels_high), equidistant=model.kind == "fisheye",
        )  # fmt: skip
        return 2.0 * half_fields(view)[0]

    return Lens(model.focal_min_mm, model.focal_max_mm, field)
