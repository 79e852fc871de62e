"""What every sort of GIS layer is built with: options, context, outlines on the ground, and doubts about them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field as OptionField

from geo import buildings, terrain
from geo.formats.utility_options import UtilityOptions
from geo.formats.vector_join import join_file
from geo.formats.vector_source import Features
from geo.model import Column, Feedback, Field, Frame, Geometry, Grid, Issue, Mesh

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
STOREY_HEIGHT = 3.0  # [m] floor to floor; Korean flats have 2.8 to 3.0 m, offices more
ASSUMED_HEIGHT = 3.0  # [m] of a building that says neither height nor storeys: one storey
HIGHEST_BUILDING, MOST_STOREYS = 900.0, 200.0
OUTLINE_LIFT = 0.1  # [m] above the ground
NAMED = 50  # ids an issue lists at most


class VectorOptions(UtilityOptions):
    """What a user may say about a GIS file."""

    layer: str = OptionField("", title="Layer", description="read only this one")
    encoding: str = OptionField("", title="Encoding of the texts", description="empty = found by the bytes")
    height_column: str = OptionField("", title="Column with the height")
    storeys_column: str = OptionField("", title="Column with the storeys")
    width_column: str = OptionField("", title="Column with the road width")
    storey_height: float = OptionField(STOREY_HEIGHT, gt=0.5, le=20, title="Height of a storey [m]")
    assumed_height: float = OptionField(ASSUMED_HEIGHT, gt=0, le=500, title="Height where none is said [m]")
    fill_areas: bool = OptionField(False, title="Fill parcels", description="surfaces instead of outlines")
    build_terrain: bool = OptionField(False, title="Make a terrain of contours and spot heights")
    cell: float = OptionField(5.0, gt=0.05, le=1000, title="Cell of that terrain [m]")
    join: str = OptionField(
        "", title="Table to join (CSV, XLSX)", description="its columns, such as those of a register"
    )
    join_key: str = OptionField("", title="Join by", description="a column, 'row' or 'centroid'; empty = found")
    join_column: str = OptionField("", title="Column of the table to join by", description="empty = found")

    cloud: str = OptionField("", title="Point cloud (LAS, LAZ) the heights come from")
    cloud_crs: str = OptionField("", title="Its coordinate system", description="empty = as it says")

    def opens(self, path: Path) -> list[Path]:
        """The table that is joined and the point cloud."""
        return [join_file(name, path) for name in (self.join, self.cloud) if name]


@dataclass(frozen=True)
class Context:
    """Where and how layers are built."""

    frame: Frame
    terrain: Grid | None
    own: VectorOptions
    feedback: Feedback
    cloud: Path | None = None


@dataclass(frozen=True)
class Built:
    """Geometry of some features. `rows`: which of them it shows (its elements, in order)."""

    geometry: Geometry
    rows: Rows
    columns: dict[str, Column] = dataclasses.field(default_factory=dict)
    fields: tuple[Field, ...] = ()
    issues: tuple[Issue, ...] = ()


def named(features: Features, rows: Rows) -> tuple[str, ...]:
    """Ids an issue lists."""
    return tuple(str(i) for i in features.ids[rows[:NAMED]])


def shape_issues(clean: buildings.CleanAreas) -> list[Issue]:
    """What was done to outlines."""
    issues = []
    if clean.repaired:
        message = f"{clean.repaired} outlines crossed or touched themselves and were repaired."
        issues.append(Issue("footprints.repaired", message, "note", count=clean.repaired))
    if clean.slivers:
        message = f"{clean.slivers} outlines enclose less than {buildings.SMALLEST_AREA:g} m² and were left out."
        issues.append(Issue("footprints.slivers", message, "error", count=clean.slivers,
                            values={"area": buildings.SMALLEST_AREA}))  # fmt: skip
    return issues


def lowest_z(features: Features) -> Floats:
    """Lowest z of each feature [local m]; NaN where it has none."""
    import shapely

    points, owner = shapely.get_coordinates(features.shapes, include_z=True, return_index=True)
    low = np.full(len(features.ids), np.inf)
    np.fmin.at(low, owner, points[:, 2])
    return np.where(np.isfinite(low), low, np.nan)


def surface(features: Features, context: Context, *, lift: float, flat: Floats | None = None) -> Built:
    """Areas laid on the ground, or level at `flat`."""
    clean = buildings.clean_areas(features.shapes)
    context.feedback.step(0.5, "laying surfaces")
    level = None if flat is None else flat[clean.owner]
    part = context.feedback.part(0.5, 1.0)
    mesh, grounded = terrain.drape_areas(clean.polygons, context.terrain, lift=lift, flat=level, feedback=part)
    rows, element = np.unique(clean.owner, return_inverse=True)
    mesh = Mesh(mesh.vertices, mesh.faces, element.ravel()[mesh.face_element])
    return Built(mesh, rows, issues=(*shape_issues(clean), *off_ground(grounded, context)))


def off_ground(grounded: NDArray[np.bool_], context: Context) -> list[Issue]:
    """The doubt about things that reach beyond the terrain."""
    count = int((~grounded).sum())
    if count == 0 or context.terrain is None:
        return []
    message = f"{count} of them reach beyond the terrain; there the nearest ground was taken."
    return [Issue("vector.off_terrain", message, "doubt", count=count)]


def all_rows(features: Features) -> Rows:
    """Every row."""
    return np.arange(len(features.ids))
