"""Writes layers of points, lines and polygons with their attributes as GeoPackage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import shapely

from app.sample.plan import CENTRE, CRS, SYNTHETIC

FIXED_DATE = "2026-01-01T00:00:00Z"  # a GeoPackage notes when it was written; the sample must not change daily


def write_layer(
    path: Path, layer: str, shapes: Sequence[shapely.Geometry], columns: Mapping[str, Sequence[object]], *, title: str
) -> None:
    """Add one layer to a GeoPackage.

    Parameters
    ----------
    shapes : sequence of geometries of one kind, in plan coordinates; with heights above KVD1964 or all flat
    columns : mapping
        One value per shape; text, whole numbers or decimals.
    title : str
        Korean description; the word synthetic is added.
    """
    import pyogrio

    lifted = any(shape.has_z for shape in shapes)
    move = np.array([*CENTRE, 0.0][: 3 if lifted else 2])
    shifted = shapely.transform(
        np.array(shapes, dtype=object), lambda points: np.round(points + move, 3), include_z=lifted
    )
    kinds = {f"{shape.geom_type} Z" if lifted else shape.geom_type for shape in shapes}
    names = [*columns, "data"]
    arrays = [_array(list(values)) for values in columns.values()]
    arrays.append(np.full(len(shapes), SYNTHETIC, dtype=object))
    with _fixed_date():
        pyogrio.raw.write(
            str(path), shapely.to_wkb(shifted), arrays, names, layer=layer, driver="GPKG", crs=CRS,
            geometry_type=kinds.pop() if len(kinds) == 1 else "Unknown", append=path.exists(),
            layer_options={"DESCRIPTION": f"{title} - {SYNTHETIC}", "IDENTIFIER": f"{title} - {SYNTHETIC}"},
        )  # fmt: skip


def _array(values: list[object]) -> np.ndarray:
    if values and isinstance(values[0], str):
        return np.array(values, dtype=object)
    return np.array(values)


@contextmanager
def _fixed_date() -> Iterator[None]:
    """GDAL's clock for GeoPackage stands still while this is open."""
    import pyogrio

    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": FIXED_DATE})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
