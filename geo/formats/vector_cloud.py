"""Heights of footprints from a point cloud: the building points over each outline, above the ground points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.formats.contract import ReadOptions
from geo.formats.vector_parts import Context, named
from geo.formats.vector_source import Features
from geo.model import Grid, Issue, Points, UserError

GROUND, BUILDING = 2, 6  # ASPRS classes
GROUND_CELL = 1.0  # [m]
MOST_POINTS = 20_000_000
ROOF_PERCENTILE = 90.0  # flat roofs: their level; pitched ones: near the ridge, not shaken by antennas


@dataclass(frozen=True)
class CloudHeights:
    """Height above the ground (n,) [m], NaN where too few points; the ground they stand on; doubts."""

    height: NDArray[np.float64]
    ground: Grid
    issues: tuple[Issue, ...]


def heights_from_cloud(features: Features, context: Context) -> CloudHeights:
    """Read the cloud that the options name and measure every footprint."""
    from geo.formats.pointcloud import FORMAT, PointCloudOptions
    from geo.pointcloud import building_heights

    path = context.cloud
    if path is None or not path.is_file():
        raise UserError(
            f"The point cloud {context.own.cloud} is not there.",
            "The heights of the buildings were to come from it.",
            "Check the name; it is looked for beside the footprints.",
            code="footprints.no_cloud",
            values={"name": context.own.cloud},
        )
    own = PointCloudOptions(
        classes=(GROUND, BUILDING), max_points=MOST_POINTS, ground_cell=0.0 if context.terrain else GROUND_CELL
    )
    options = ReadOptions(crs=context.own.cloud_crs or None, own=own)
    layers = FORMAT.read(path, context.frame, options, context.feedback.part(0.0, 0.5))
    points = layers[0].geometry
    ground = context.terrain or layers[-1].geometry
    classes = layers[0].field_named("class")
    if not isinstance(points, Points) or not isinstance(ground, Grid) or classes is None:
        raise ValueError("a point cloud gives points, classes and ground")
    found = building_heights(
        features.shapes,
        points.vertices,
        np.asarray(classes.values, dtype=np.int64),
        ground=ground,
        percentiles=(ROOF_PERCENTILE,),
    )
    height = np.where(found.heights[:, 0] > 0, found.heights[:, 0], np.nan)
    without = np.flatnonzero(~np.isfinite(height))
    message = (
        f"{len(height) - len(without)} of {len(height)} heights were measured in {path.name} "
        f"({ROOF_PERCENTILE:.0f}th percentile of the building points above the ground)."
    )
    values = {"measured": len(height) - len(without), "all": len(height), "name": path.name}
    note = Issue("footprints.height_from_points", message, "note", len(without), named(features, without), values)
    return CloudHeights(height, ground, (note,))
