"""Layers as GeoPackage or GeoJSON: footprints with heights, lines, points."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import crs as coordinates
from geo.formats.vector_fields import HEIGHT, find_column
from geo.model import Feedback, Frame, Instances, Layer, Lines, Mesh, Points, UserError

Floats = NDArray[np.float64]
DRIVERS = {".gpkg": "GPKG", ".geojson": "GeoJSON", ".json": "GeoJSON"}
UP = 0.1  # faces whose unit normal rises more than this belong to the plan of a mesh


def write(path: Path, layers: Sequence[Layer], frame: Frame, feedback: Feedback) -> None:
    """Layers into one GeoPackage, or one layer into a GeoJSON file (in longitude and latitude, as RFC 7946 asks)."""
    driver = DRIVERS.get(path.suffix.lower())
    usable = [layer for layer in layers if isinstance(layer.geometry, Mesh | Lines | Points | Instances)]
    if driver is None or not usable or (driver == "GeoJSON" and len(usable) > 1):
        raise _cannot(path, len(usable), len(layers))
    temporary = _temporary_beside(path)
    taken: set[str] = set()
    try:
        for number, layer in enumerate(usable):
            feedback.step(number / len(usable), f"writing {layer.name}")
            _write_layer(temporary, layer, _free_name(layer.name, taken), frame, driver, append=number > 0)
        temporary.replace(path)
    except (OSError, RuntimeError) as error:
        raise _not_written(path, str(error)) from error
    finally:
        temporary.unlink(missing_ok=True)
    feedback.step(1.0, "written")


def _temporary_beside(path: Path) -> Path:
    try:
        handle, name = tempfile.mkstemp(suffix=path.suffix, prefix=f".{path.stem}-", dir=path.parent)
    except OSError as error:
        raise _not_written(path, error.strerror or str(error)) from error
    os.close(handle)
    Path(name).unlink()
    return Path(name)


def _free_name(wish: str, taken: set[str]) -> str:
    """A layer name not used yet in the file (a GeoPackage compares without case)."""
    name = next(n for k in range(1, len(taken) + 2) if (n := wish if k == 1 else f"{wish} {k}").lower() not in taken)
    taken.add(name.lower())
    return name


def _columns(layer: Layer) -> dict[str, NDArray[np.generic]]:
    """Columns by a name that SQL can tell apart; ``fid`` belongs to the GeoPackage itself."""
    taken = {"fid", "geom"}
    named = {_free_name("id", taken): np.asarray(layer.table.ids)}
    named |= {_free_name(name, taken): column.values for name, column in layer.table.columns.items()}
    return named | {_free_name(name, taken): values for name, values in _measured(layer).items()}


def _measured(layer: Layer) -> dict[str, Floats]:
    """Height and base [m] of buildings whose attributes do not say it, as their solids have it."""
    mesh = layer.geometry
    if layer.theme != "building" or not isinstance(mesh, Mesh) or find_column(layer.table.columns, HEIGHT):
        return {}
    low, high = np.full(len(layer.table), np.inf), np.full(len(layer.table), -np.inf)
    z, element = mesh.vertices[mesh.faces, 2], mesh.face_element
    np.minimum.at(low, element, z.min(axis=1))
    np.maximum.at(high, element, z.max(axis=1))
    seen = np.isfinite(low)
    return {"height": np.where(seen, high - low, np.nan), "base": np.where(seen, low, np.nan)}


def _write_layer(path: Path, layer: Layer, name: str, frame: Frame, driver: str, *, append: bool) -> None:
    import pyogrio
    import shapely

    shapes = plan_shapes(layer)
    crs = "EPSG:4326" if driver == "GeoJSON" else frame.crs
    points = shapely.get_coordinates(shapes, include_z=True)
    has_z = bool(np.isfinite(points[:, 2]).all()) if len(points) else False
    local = frame.to_map(np.nan_to_num(points))
    east, north = coordinates.transform(local[:, 0], local[:, 1], frame.crs, crs)
    new = np.column_stack([east, north, local[:, 2]]) if has_z else np.column_stack([east, north])
    shapes = shapely.set_coordinates(shapes, new)
    names = _columns(layer)
    kinds = {shapely.get_type_id(shape) for shape in shapes if shape is not None}
    pyogrio.raw.write(
        str(path),
        shapely.to_wkb(shapes),
        [np.asarray(values) for values in names.values()],
        list(names),
        layer=name if driver == "GPKG" else None,
        driver=driver,
        geometry_type=_type_name(kinds, has_z),
        crs=crs,
        append=append,
    )


def _type_name(kinds: set[int], has_z: bool) -> str:
    names = {0: "Point", 1: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon"}
    name = names.get(next(iter(kinds)), "Unknown") if len(kinds) == 1 else "Unknown"
    return f"{name} Z" if has_z and name != "Unknown" else name


def plan_shapes(layer: Layer) -> NDArray[np.object_]:
    """One shapely geometry for each element in local metres: the plan of a mesh, lines, points; None if it has none."""
    import shapely

    geometry: Any = layer.geometry
    if isinstance(geometry, Mesh):
        return _plans(geometry, len(layer.table))
    if isinstance(geometry, Lines):
        parts = [geometry.vertices[a:b] for a, b in zip(geometry.offsets[:-1], geometry.offsets[1:], strict=True)]
        long = [number for number, part in enumerate(parts) if len(part) > 1]
        lines = np.array([shapely.linestrings(parts[number]) for number in long], dtype=object)
        return _gathered(lines, geometry.line_element[long], len(layer.table), shapely.multilinestrings)
    if isinstance(geometry, Instances):
        points, element = geometry.transform[:, :, 3], geometry.element
    else:
        points, element = geometry.vertices, geometry.element
    return _gathered(shapely.points(points), element, len(layer.table), shapely.multipoints)


def _gathered(parts: NDArray[np.object_], element: NDArray[np.int32], count: int, several: Any) -> NDArray[np.object_]:
    """Parts of each element as one geometry; None for an element without parts."""
    out = np.full(count, None, dtype=object)
    order = np.argsort(element, kind="stable")
    starts = np.searchsorted(element[order], np.arange(count + 1))
    for row in range(count):
        mine = parts[order[starts[row] : starts[row + 1]]]
        if len(mine):
            out[row] = mine[0] if len(mine) == 1 else several(mine)
    return out


def _plans(mesh: Mesh, count: int) -> NDArray[np.object_]:
    """Union of the faces that look up, seen from above, for each element."""
    import shapely

    up = np.flatnonzero(mesh.face_normal[:, 2] > UP)
    corners = mesh.vertices[mesh.faces[up]][:, :, :2]
    triangles = shapely.polygons(corners) if len(up) else np.empty(0, dtype=object)
    return _gathered(triangles, mesh.face_element[up], count, lambda parts: shapely.union_all(parts, grid_size=0.001))


def _cannot(path: Path, usable: int, given: int) -> UserError:
    return UserError(
        f"{path.name} cannot hold what was chosen.",
        f"{usable} of {given} layers are buildings, surfaces, lines or points; a GeoJSON file holds one layer, "
        "a GeoPackage several.",
        "Choose a GeoPackage (.gpkg), or one such layer and .geojson.",
        code="vector.cannot_write",
        values={"name": path.name, "usable": usable, "given": given},
    )


def _not_written(path: Path, reason: str) -> UserError:
    return UserError(
        f"{path} cannot be written.",
        f"The system says: {reason}.",
        "Choose another folder, or make room on the disk.",
        code="file.not_written",
        values={"path": str(path), "reason": reason},
    )
