"""Cameras of a GIS layer: points at the place of the lens, at their own height or above the ground."""

from __future__ import annotations

import numpy as np

from geo import terrain
from geo.formats import vector_fields as fields
from geo.formats.vector_parts import Built, Context, Rows, all_rows, named
from geo.formats.vector_source import Features
from geo.model import Column, Issue, Points
from geo.model.conventions import CAMERA_MODEL, CAMERA_NAME, CAMERA_STATE, FOCAL, MOUNT, PAN, ROLL, TILT

ABOVE_GROUND = (
    "heightaboveground",
    "mountheight",
    "설치높이",
    "지상고",
    "polheight",
    "poleheight",
    "폴높이",
    "height",
    "높이",
)
USUAL_HEIGHT = 4.0  # [m] of the lens above ground where nothing is said
# Other words for the columns of cameras; compared as `vector_fields.plain` does.
WORDS = {
    CAMERA_MODEL: ("cameramodel", "model", "기종", "모델"),
    CAMERA_NAME: ("name", "이름", "명칭"),
    PAN: ("pan", "azimuth", "heading", "방위각", "팬"),
    TILT: ("tilt", "틸트", "내림각"),
    ROLL: ("roll", "롤"),
    FOCAL: ("focal", "focalmm", "focallength", "초점거리"),
    MOUNT: ("mount", "mounttype", "설치방식"),
    CAMERA_STATE: ("camerastate", "state", "상태"),
}
UNITS = {PAN: "deg", TILT: "deg", ROLL: "deg", FOCAL: "mm"}


def cameras(features: Features, context: Context) -> Built:
    """Points with their own z where the file has one, else as high above the ground as a column says."""
    import shapely

    points, owner = shapely.get_coordinates(features.shapes, include_z=True, return_index=True)
    high = np.isfinite(points[:, 2])
    name = fields.find_column(features.columns, ABOVE_GROUND, said=context.own.height_column)
    above = fields.numbers(features.columns[name])[owner] if name else np.full(len(owner), np.nan)
    ground, _ = terrain.ground_or_nearest(context.terrain, points[:, 0], points[:, 1])
    assumed = ~high & ~np.isfinite(above)
    points[:, 2] = np.where(high, points[:, 2], ground + np.where(np.isfinite(above), above, USUAL_HEIGHT))
    from geo.formats.camera_columns import not_said, on_grid  # which itself needs the words of this module

    shape = Points(points, owner.astype(np.int32))
    columns, turned = on_grid({**features.columns, **_columns(features)}, context.frame)
    issues = (*_issues(features, owner, assumed), *turned, *not_said(columns, len(features.ids)))
    return Built(shape, all_rows(features), columns, issues=issues)


def _columns(features: Features) -> dict[str, Column]:
    """The columns of cameras by their own names, numbers as numbers."""
    out = {}
    for own, words in WORDS.items():
        found = fields.find_column(features.columns, words)
        if not found:
            continue
        column = features.columns[found]
        if own in UNITS:
            out[own] = Column(fields.numbers(column), UNITS[own])
        elif found != own:
            out[own] = Column(column.values)
    return out


def _issues(features: Features, owner: Rows, assumed: np.ndarray) -> tuple[Issue, ...]:
    count = int(assumed.sum())
    if count == 0:
        return ()
    message = f"{count} cameras say no height; their lenses were taken {USUAL_HEIGHT:g} m above the ground."
    rows = np.asarray(owner[assumed], dtype=np.int64)
    return (Issue("cameras.height_assumed", message, "doubt", count, named(features, rows), {"height": USUAL_HEIGHT}),)
