"""Footprints as buildings: height, storeys, ground and roof from their columns, then walls and roofs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo import buildings, terrain
from geo.formats import vector_fields as fields
from geo.formats.vector_cloud import CloudHeights, heights_from_cloud
from geo.formats.vector_parts import (
    HIGHEST_BUILDING,
    MOST_STOREYS,
    Built,
    Context,
    Floats,
    Rows,
    VectorOptions,
    lowest_z,
    named,
    shape_issues,
)
from geo.formats.vector_source import Features
from geo.model import Column, Grid, Issue, Mesh, merge_meshes
from geo.roofs import FLAT, GABLE, rectangles, roofed, shape_of

LEAST_RISE = 0.05  # [m]; a roof that rises less is flat


def build_buildings(features: Features, context: Context) -> Built:
    """Solids on the ground: flat boxes, or pitched roofs where eave and ridge are said and the plan is a rectangle."""
    clean = buildings.clean_areas(features.shapes)
    measured = heights_from_cloud(features, context) if context.own.cloud else None
    height, origin, columns, issues = building_heights(features, context.own, measured)
    base, base_issues = _bases(features, measured.ground if measured else context.terrain)
    context.feedback.step(0.6, "raising walls")
    roof = said_roofs(features)
    corners, fits = rectangles(clean.polygons)
    pitched = fits & roof.pitched[clean.owner]
    box, box_codes = buildings.extrude(
        clean.polygons[~pitched], base[clean.owner[~pitched]], height[clean.owner[~pitched]]
    )
    mine = clean.owner[pitched]
    tent, tent_codes = roofed(corners[pitched], base[mine], roof.eave[mine], roof.ridge[mine], roof.shape[mine])
    rows, element = np.unique(clean.owner, return_inverse=True)
    place = np.concatenate([np.flatnonzero(~pitched)[box.face_element], np.flatnonzero(pitched)[tent.face_element]])
    order = np.argsort(place, kind="stable")
    both = merge_meshes([box, tent])
    mesh = Mesh(both.vertices, both.faces[order], element.ravel()[place][order])
    built_shape = np.where(roof.pitched, "flat", "").astype(object)
    built_shape[mine] = roof.shape[mine]
    height = np.where(np.isin(np.arange(len(height)), mine), roof.ridge, height)
    origin[mine] = "ridge"
    shown = {
        **{name: Column(c.values[rows], c.unit, c.title) for name, c in {**columns, **roof.columns}.items()},
        "height_used": Column(height[rows], "m"),
        "base_used": Column(base[rows], "m"),
        "height_from": Column(origin[rows]),
    }
    if roof.columns:
        shown["roof_used"] = Column(np.where(built_shape == "", "flat", built_shape)[rows].astype(object))
    flat = np.flatnonzero(roof.pitched & (built_shape == "flat"))
    all_issues = (*issues, *base_issues, *shape_issues(clean), *roof.issues, *_kept_flat(features, flat))
    codes = np.concatenate([box_codes, tent_codes])[order]
    return Built(mesh, rows, shown, (buildings.surface_field(codes),), all_issues)


@dataclass(frozen=True)
class SaidRoofs:
    """Roofs (n,) as the columns say them: shape, heights of eave and ridge above the ground [m], which are pitched."""

    shape: NDArray[np.object_]
    eave: Floats
    ridge: Floats
    pitched: NDArray[np.bool_]
    columns: dict[str, Column]
    issues: tuple[Issue, ...]


def said_roofs(features: Features) -> SaidRoofs:
    """What the columns say of the roofs: eave and ridge, or the height and the rise of the roof; and the shape."""
    columns: dict[str, Column] = {}
    eave = _heights(features, fields.EAVE, columns)
    ridge = _heights(features, fields.RIDGE, columns)
    rise = _heights(features, fields.RISE, columns)
    if "roof:height" in features.columns:  # of OpenStreetMap: the part of the height that is roof
        columns["roof:height"] = Column(fields.numbers(features.columns["roof:height"]), "m")
        rise = np.where(columns["roof:height"].values > 0, columns["roof:height"].values, np.nan)
    if columns:
        total = _heights(features, fields.HEIGHT, {})
        ridge = np.where(np.isfinite(ridge), ridge, np.where(np.isfinite(eave + rise), eave + rise, total))
        eave = np.where(np.isfinite(eave), eave, ridge - rise)
    name = fields.find_column(features.columns, fields.ROOF_SHAPE)
    words = features.columns[name].values if name else np.full(len(eave), None, object)
    shape = np.array([shape_of(word) for word in words], dtype=object)
    known = (eave > 0) & (ridge <= HIGHEST_BUILDING)
    sloped = known & (ridge > eave + LEAST_RISE)
    silent = np.array([word is None or str(word).strip() == "" for word in words], bool)
    assumed, strange = sloped & silent, ~silent & (shape == "")
    shape[assumed] = GABLE
    pitched = sloped & (shape != FLAT) & (shape != "")
    without = np.flatnonzero(~silent & (shape != FLAT) & (shape != "") & ~sloped)
    issues = _roof_issues(features, words, np.flatnonzero(assumed), np.flatnonzero(strange), without)
    wrong = np.flatnonzero(ridge < eave)
    if len(wrong):
        message = f"{len(wrong)} buildings have their ridge below their eaves; they are flat."
        issues.append(Issue("roofs.upside_down", message, "doubt", len(wrong), named(features, wrong)))
    return SaidRoofs(shape, eave, ridge, pitched, columns, tuple(issues))


def _heights(features: Features, wanted: tuple[str, ...], columns: dict[str, Column]) -> Floats:
    """Positive heights [m] of a column, NaN elsewhere; the column with its unit goes into `columns`."""
    name = fields.find_column(features.columns, wanted)
    if not name:
        return np.full(len(features.ids), np.nan)
    values = fields.numbers(features.columns[name])
    columns[name] = Column(values, "m")
    return np.where((values > 0) & (values <= HIGHEST_BUILDING), values, np.nan)


def _roof_issues(
    features: Features, words: NDArray[np.generic], assumed: Rows, strange: Rows, bare: Rows
) -> list[Issue]:
    issues = []
    if len(assumed):
        message = f"{len(assumed)} buildings say eave and ridge, not the shape; a gable along the long side is assumed."
        issues.append(Issue("roofs.shape_assumed", message, "doubt", len(assumed), named(features, assumed)))
    if len(strange):
        seen = ", ".join(sorted({str(words[row]) for row in strange})[:5])
        message = f"{len(strange)} buildings have a roof of a shape that is not built ({seen}); they are flat."
        issues.append(Issue("roofs.shape_unknown", message, "note", len(strange), named(features, strange),
                            {"shapes": seen}))  # fmt: skip
    if len(bare):
        message = f"{len(bare)} buildings name a pitched roof but not the heights of eave and ridge; they are flat."
        issues.append(Issue("roofs.no_heights", message, "note", len(bare), named(features, bare)))
    return issues


def _kept_flat(features: Features, rows: Rows) -> list[Issue]:
    if len(rows) == 0:
        return []
    message = f"{len(rows)} buildings with a pitched roof are no rectangles in plan; they are flat."
    return [Issue("roofs.no_rectangle", message, "note", len(rows), named(features, rows))]


def building_heights(
    features: Features, own: VectorOptions, measured: CloudHeights | None = None
) -> tuple[Floats, NDArray[np.object_], dict[str, Column], list[Issue]]:
    """Height of each building [m] and where it is from, with the columns' units set.

    From, the best first: points (of a cloud), column, ridge, storeys, assumed.
    """
    count = len(features.ids)
    height, origin = np.full(count, own.assumed_height), np.full(count, "assumed", dtype=object)
    issues, columns = [], {}
    for wanted, said, unit, factor, limit, word in (
        (fields.STOREYS, own.storeys_column, "1", own.storey_height, MOST_STOREYS, "storeys"),
        (fields.RIDGE, "", "m", 1.0, HIGHEST_BUILDING, "ridge"),
        (fields.HEIGHT, own.height_column, "m", 1.0, HIGHEST_BUILDING, "column"),
    ):
        name = fields.find_column(features.columns, wanted, said=said)
        if not name:
            continue
        values = fields.numbers(features.columns[name])
        good = np.isfinite(values) & (values > 0) & (values <= limit)
        height[good], origin[good] = values[good] * factor, word
        columns[name] = Column(values, unit)
        issues += _absurd_values(features, name, values, limit)
    if measured is not None:
        good = np.isfinite(measured.height)
        height[good], origin[good] = measured.height[good], "points"
        issues += measured.issues
    return height, origin, columns, [*issues, *_height_issues(features, origin, own)]


def _absurd_values(features: Features, name: str, values: Floats, limit: float) -> list[Issue]:
    wrong = np.flatnonzero((values > limit) | (values < 0))
    if len(wrong) == 0:
        return []
    message = f"{len(wrong)} values of {name} are negative or above {limit:g}; they were not believed."
    return [Issue("footprints.height_absurd", message, "doubt", len(wrong), named(features, wrong),
                  {"column": name, "limit": limit})]  # fmt: skip


def _height_issues(features: Features, origin: NDArray[np.object_], own: VectorOptions) -> list[Issue]:
    issues = []
    storeys, assumed = np.flatnonzero(origin == "storeys"), np.flatnonzero(origin == "assumed")
    if len(storeys):
        message = f"{len(storeys)} buildings say storeys but no height; {own.storey_height:g} m a storey was taken."
        issues.append(Issue("footprints.height_from_storeys", message, "doubt", len(storeys),
                            named(features, storeys), {"storey": own.storey_height}))  # fmt: skip
    if len(assumed):
        message = (
            f"{len(assumed)} buildings say neither a height above 0 nor storeys; {own.assumed_height:g} m was taken."
        )
        issues.append(Issue("footprints.height_assumed", message, "doubt", len(assumed),
                            named(features, assumed), {"height": own.assumed_height}))  # fmt: skip
    return issues


def _bases(features: Features, ground: Grid | None) -> tuple[Floats, list[Issue]]:
    """Where each building stands [local m]: lowest ground under it, else a base column, else its own z, else 0."""
    import shapely

    said = _said_bases(features)
    if ground is None:
        if not np.isfinite(said).any():
            message = "There is no terrain and no ground height; the buildings stand at height 0."
            return np.zeros(len(said)), [Issue("footprints.at_zero", message, "note", count=len(said))]
        return np.nan_to_num(said), []
    base = terrain.lowest_under(ground, features.shapes)
    off = np.flatnonzero(~np.isfinite(base))
    near, _ = terrain.ground_or_nearest(ground, *shapely.get_coordinates(shapely.centroid(features.shapes[off])).T)
    base[off] = np.where(np.isfinite(said[off]), said[off], near)
    if len(off) == 0:
        return base, []
    message = f"{len(off)} buildings lie beyond the terrain; they stand at their own or the nearest ground height."
    return base, [Issue("footprints.no_ground", message, "doubt", len(off), named(features, off))]


def _said_bases(features: Features) -> Floats:
    name = fields.find_column(features.columns, fields.BASE)
    if name:
        return fields.numbers(features.columns[name])
    low = lowest_z(features)
    return low if (np.nan_to_num(low) != 0).any() else np.full(len(low), np.nan)
