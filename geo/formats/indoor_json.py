"""GeoJSON features of plans: read from a file, a folder or an archive, moved into the frame."""

from __future__ import annotations

import json
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field as Setting

from geo.formats.options import FormatOptions
from geo.model import Frame, Grid, UserError

LARGEST = 512 * 1024**2
MAX_ENTRIES = 1000
# RuntimeError: a password; NotImplementedError: a compression method Python does not have.
ARCHIVE_TROUBLE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, EOFError),
    *(OSError, ValueError),  # of places beyond the file
)


class PlanOptions(FormatOptions):
    """Heights of a plan that has none.

    Attributes
    ----------
    at_height : float or None [m]
        Height of level 0; the terrain, else 0, if not given.
    storey_height : float [m]
        From floor to floor.
    """

    at_height: float | None = Setting(None, allow_inf_nan=False, title="Height of level 0 [m]")
    storey_height: float = Setting(4.0, ge=2.2, le=12, allow_inf_nan=False, title="Storey height [m]")


def features_of(path: Path, text: bytes) -> list[dict[str, Any]]:
    """The features of a collection. Raises `UserError` for anything else."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise damaged(path, str(error)[:120]) from None
    features = data.get("features") if isinstance(data, dict) else None
    if not isinstance(features, list):
        raise damaged(path, "it holds no list of features")
    return [feature for feature in features if isinstance(feature, dict)]


def damaged(path: Path, reason: str) -> UserError:
    """The file is no plan."""
    return UserError(
        f"{path.name} is damaged and was not opened.",
        f"Its text cannot be read: {reason}.",
        "Fetch or export the file again.",
        code="indoor_json.damaged",
        values={"name": path.name, "reason": reason},
    )


def members(path: Path, names: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Named files beside a file, or in an archive, as (name without ending, bytes)."""
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                for info in archive.infolist()[:MAX_ENTRIES]:
                    stem = info.filename.rsplit("/", 1)[-1].rsplit(".", 1)[0]
                    if stem in names and info.filename.endswith(".geojson"):
                        if info.file_size > LARGEST:
                            raise damaged(path, f"{info.filename} unpacks to more than {LARGEST // 1024**2} MB")
                        yield stem, archive.read(info)
        except ARCHIVE_TROUBLE as error:
            raise damaged(path, str(error)[:120] or type(error).__name__) from error
        return
    for name in names:
        file = path.with_name(f"{name}.geojson")
        if file.is_file():
            yield name, file.read_bytes()


def shape_of(feature: dict[str, Any], frame: Frame, crs: str) -> Any:
    """The geometry of a feature in local metres (x, y), None for none or one that cannot be read."""
    import shapely

    from geo.crs import transform

    geometry = feature.get("geometry")
    if not isinstance(geometry, dict):
        return None
    try:
        shape = shapely.force_2d(shapely.from_geojson(json.dumps(geometry)))
    except (shapely.errors.ShapelyError, TypeError, ValueError):
        return None
    if shape is None or shape.is_empty:
        return None
    points = shapely.get_coordinates(shape)
    if not np.isfinite(points).all():
        return None
    east, north = transform(points[:, 0], points[:, 1], crs, frame.crs)
    local = np.column_stack([np.asarray(east) - frame.origin[0], np.asarray(north) - frame.origin[1]])
    if not np.isfinite(local).all():
        return None
    moved = shapely.set_coordinates(shape, local)
    return moved if shapely.is_valid(moved) else shapely.make_valid(moved)


def base_height(own: PlanOptions, terrain: Grid | None, points: Any) -> float:
    """Height of level 0 [local m]: as said, else the ground below the plan, else 0."""
    from geo.terrain import ground_or_nearest

    if own.at_height is not None:
        return own.at_height
    height, _ = ground_or_nearest(terrain, np.array([points[:, 0].mean()]), np.array([points[:, 1].mean()]))
    return float(height[0]) if np.isfinite(height[0]) else 0.0


def areas(shape: Any) -> Any:
    """The polygons of a shape as one geometry, None without any."""
    from geo.indoor.cells import cleaned

    if shape is None or shape.geom_type not in ("Polygon", "MultiPolygon", "GeometryCollection"):
        return None
    found = cleaned(shape)
    return None if found.is_empty else found
