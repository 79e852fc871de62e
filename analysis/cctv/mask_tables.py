"""Privacy masks as rows of a table: written by the study of privacy, read where what they hide no longer counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.cameras import Camera, views_of
from geo.model import Issue, Layer

Floats = NDArray[np.float64]


def polygon_text(polygon: Floats) -> str:
    """Corners as text: ``u,v u,v ...`` [pixels], to a tenth."""
    return " ".join(f"{u:.1f},{v:.1f}" for u, v in polygon.tolist())


def polygon_of(text: str) -> Floats:
    """Corners (k, 2) from the text of a mask table."""
    return np.array([[float(number) for number in pair.split(",")] for pair in text.split()]).reshape(-1, 2)


def polygons_by_view(layer: Layer) -> dict[tuple[str, int], list[Floats]]:
    """Polygons [pixels] by id of the camera and number of the view from 0. Raises ValueError for another table."""
    columns = {name: column.values.tolist() for name, column in layer.table.columns.items()}
    out: dict[tuple[str, int], list[Floats]] = {}
    if not {"camera", "view", "polygon"} <= columns.keys():
        raise ValueError("it has no columns camera, view and polygon")
    for camera, view, text in zip(columns["camera"], columns["view"], columns["polygon"], strict=True):
        out.setdefault((str(camera), int(view) - 1), []).append(polygon_of(str(text)))
    return out


def masks_of_cameras(
    tables: Sequence[Layer], cameras: Sequence[Camera], issues: list[Issue]
) -> dict[Camera, tuple[tuple[Floats, ...], ...]]:
    """Masks of each view of each camera; what was taken is told."""
    found: dict[tuple[str, int], list[Floats]] = {}
    for table in tables:
        try:
            for key, polygons in polygons_by_view(table).items():
                found.setdefault(key, []).extend(polygons)
        except ValueError as reason:
            text = f"{table.name} is no table of privacy masks: {reason}. It is left out."
            values = {"layer": table.name, "reason": str(reason)}
            issues.append(Issue("cctv.no_masks", text, "doubt", values=values))
    out = {}
    for camera in cameras:
        mine = tuple(tuple(found.get((camera.id, k), ())) for k in range(len(views_of(camera))))
        if any(mine):
            out[camera] = mine
    count = sum(len(polygons) for mine in out.values() for polygons in mine)
    if count:
        text = f"What {count} privacy masks of {len(out)} cameras hide does not count as seen."
        issues.append(Issue("cctv.masked", text, "note", count, values={"cameras": len(out)}))
    return out
