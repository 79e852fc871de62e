"""Places: where a purifier may stand. Never in buildings, on carriageways or on water."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.outlines import cells_of_faces
from analysis.cctv.plan_shapes import closed_rings, within
from analysis.dust.people import breathing_cells
from analysis.dust.siting_declaration import DustSitingInputs, DustSitingParams
from analysis.dust.sources import columns_of
from analysis.kernels.inside import Raster
from analysis.wind.scene_map import axes_of
from analysis.wind.tunnel import Tunnel
from geo.model import Instances, Issue, Layer, Lines, Mesh, Points, UserError
from geo.model.conventions import CARRIAGEWAY, WIDTH

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

FINEST, MOST_CELLS = 1.0, 4_000_000  # [m] and cells of the plan on which ground is told apart
USUAL_CARRIAGEWAY = 7.0  # [m] of a road that does not state it: two lanes


class Sites(NamedTuple):
    """Places for units.

    Attributes
    ----------
    xy : (n, 2) float64 [local m]
    column : (n,) int64
        Flat number in (ny, nx) of the wind field.
    name : (n,) object
        Of the place named, else empty.
    on_roof : (n,) bool
    """

    xy: Floats
    column: Indices
    name: NDArray[np.object_]
    on_roof: Bools


class Ground(NamedTuple):
    """Kinds of ground on a plan along the scene's axes: (rows, cols) each; `named` is None where none was named."""

    raster: Raster
    built: Bools
    carriageway: Bools
    pavement: Bools
    water: Bools
    named: Bools | None
    forbidden: Bools


def sites_of(
    inputs: DustSitingInputs, params: DustSitingParams, tunnel: Tunnel, issues: list[Issue]
) -> tuple[Sites, Ground]:
    """The places named, else one in each column of the study area that holds ground on which units may stand."""
    ground = ground_of(inputs, params, tunnel)
    if inputs.places:
        return _named(inputs.places, ground, tunnel, issues), ground
    kind = _kind(inputs, params, issues)
    usable = usable_ground(ground, kind)
    sites = _nearest_to_middles(_spots_of(usable, ground.raster), tunnel)
    if params.roofs:
        roofs = ground.built & ~ground.forbidden
        roofs &= ground.named if kind == "zones" and ground.named is not None else True
        sites = _joined(sites, _nearest_to_middles(_spots_of(roofs, ground.raster), tunnel, on_roof=True))
    if not len(sites.xy):
        raise _nowhere(ground, kind)
    return sites, ground


def usable_ground(ground: Ground, kind: str) -> Bools:
    """(rows, cols) where a unit may stand."""
    free = ~(ground.built | ground.carriageway | ground.water | ground.forbidden)
    if kind == "open":
        return free
    named = ground.named if ground.named is not None else np.zeros_like(free)
    return free & (named | ground.pavement if kind == "pavements" else named)


def _kind(inputs: DustSitingInputs, params: DustSitingParams, issues: list[Issue]) -> str:
    """Which ground is meant; what was not asked for in so many words is told."""
    if params.ground == "zones" and not inputs.allowed:
        raise UserError(
            "There is no ground on which units may stand.",
            "Only named ground was asked for, and none is named.",
            "Name a layer of pavements, squares or parks, or choose pavements or open ground.",
            code="dust.siting.no_zones",
        )
    if params.ground == "pavements" and not inputs.roads and not inputs.allowed:
        raise UserError(
            "There is no pavement on which units may stand.",
            "Pavements lie beside carriageways, and no layer of roads is given.",
            "Give the roads, name the ground, or choose open ground.",
            code="dust.siting.no_roads",
        )
    kind: str = params.ground
    if kind == "auto":
        kind = "zones" if inputs.allowed else "pavements" if inputs.roads else "open"
    if kind == "open":
        message = "Units may stand on all open ground; whose ground it is was not asked."
        issues.append(Issue("dust.siting.any_ground", message, "doubt"))
    if not inputs.roads:
        message = "No roads are given: carriageways are not kept free."
        issues.append(Issue("dust.siting.no_carriageways", message, "doubt"))
    return kind


def ground_of(inputs: DustSitingInputs, params: DustSitingParams, tunnel: Tunnel) -> Ground:
    """Tell the ground of the study area apart."""
    raster = _raster(tunnel)
    spots = _spots(raster)
    carriageway, surface = _roads(inputs.roads, raster, spots)
    beside = _within_distance(carriageway, params.pavement / raster.cell)
    named = _areas(inputs.allowed, raster, spots) if inputs.allowed else None
    return Ground(
        raster,
        _areas(inputs.buildings, raster, spots),
        carriageway,
        (surface | beside) & ~carriageway,
        _areas(inputs.water, raster, spots),
        named,
        _areas(inputs.forbidden, raster, spots),
    )


def _raster(tunnel: Tunnel) -> Raster:
    west, south, east, north = tunnel.study
    corners = axes_of(tunnel).to_scene(np.array([[west, south], [east, south], [east, north], [west, north]]))
    low, high = corners.min(axis=0), corners.max(axis=0)
    cell = max(FINEST, float(np.sqrt(np.prod(high - low) / MOST_CELLS)))
    cols, rows = np.maximum(np.ceil((high - low) / cell).astype(int), 1).tolist()
    return Raster(float(low[0]) + cell / 2, float(low[1]) + cell / 2, cell, (rows, cols))


def _spots(raster: Raster) -> Floats:
    rows, cols = np.indices(raster.shape)
    return np.column_stack([raster.x0 + raster.cell * cols.ravel(), raster.y0 + raster.cell * rows.ravel()])


def _areas(layers: Sequence[Layer], raster: Raster, spots: Floats) -> Bools:
    """(rows, cols) what meshes and closed lines cover in plan."""
    found = np.zeros(len(spots), bool)
    for layer in layers:
        shape = layer.geometry
        if isinstance(shape, Instances):
            shape = shape.baked()
        if isinstance(shape, Mesh):
            found[cells_of_faces(shape, np.ones(len(shape.faces), bool), raster)] = True
        elif isinstance(shape, Lines):
            found |= within(closed_rings(shape), spots)
    return found.reshape(raster.shape)


def _roads(layers: Sequence[Layer], raster: Raster, spots: Floats) -> tuple[Bools, Bools]:
    """(rows, cols) carriageways, and all the surface of roads.

    A road that is drawn as a surface wider than its carriageway has the rest of it along its edges; one without a
    carriageway (a path) is surface only.
    """
    surface = _areas([layer for layer in layers if isinstance(layer.geometry, Mesh)], raster, spots)
    depth = _depth(surface) * raster.cell
    carriageway = np.zeros(raster.shape, bool)
    for layer in layers:
        if isinstance(layer.geometry, Mesh):
            carriageway |= _inner(layer, layer.geometry, raster, depth)
        elif isinstance(layer.geometry, Lines):
            carriageway |= _beside_lines(layer, layer.geometry, spots).reshape(raster.shape)
    return carriageway, surface


def _inner(layer: Layer, mesh: Mesh, raster: Raster, depth: Floats) -> Bools:
    """Carriageways of a layer of surfaces: what lies deeper than half of what a road has besides."""
    wide = _numbers(layer, CARRIAGEWAY)
    whole = _numbers(layer, WIDTH)
    besides = np.where(np.isfinite(wide) & np.isfinite(whole), np.maximum(whole - wide, 0.0) / 2.0, 0.0)
    besides = np.where(wide == 0.0, np.inf, besides)
    found = np.zeros(raster.shape, bool)
    for edge in np.unique(besides[np.isfinite(besides)]).tolist():
        faces = besides[mesh.face_element] == edge
        covered = np.zeros(found.size, bool)
        covered[cells_of_faces(mesh, faces, raster)] = True
        found |= covered.reshape(raster.shape) & (depth > edge)
    return found


def _beside_lines(layer: Layer, lines: Lines, spots: Floats) -> Bools:
    """Carriageways of a layer of centre lines."""
    import shapely

    stated = _numbers(layer, CARRIAGEWAY)
    wide = np.where(np.isfinite(stated), stated, USUAL_CARRIAGEWAY)[lines.line_element]
    parts = [
        shapely.buffer(shapely.linestrings(lines.vertices[first:last, :2]), width / 2.0)
        for first, last, width in zip(lines.offsets[:-1], lines.offsets[1:], wide, strict=True)
        if width > 0.0 and last - first > 1
    ]
    return within(shapely.union_all(parts), spots) if parts else np.zeros(len(spots), bool)


def _numbers(layer: Layer, name: str) -> Floats:
    column = layer.table.columns.get(name)
    if column is None or not column.is_number:
        return np.full(max(len(layer.table), 1), np.nan)
    return column.values.astype(np.float64)


def _depth(mask: Bools) -> Floats:
    """Cells from the edge of a mask, 0 outside it; the border of the plan is no edge."""
    from scipy.ndimage import distance_transform_edt

    if mask.all():
        return np.full(mask.shape, np.inf)
    return np.asarray(distance_transform_edt(mask), dtype=np.float64)


def _within_distance(mask: Bools, reach: float) -> Bools:
    """Cells nearer than so many cells to a mask."""
    if not mask.any():
        return np.zeros_like(mask)
    return _depth(~mask) <= reach


def _spots_of(mask: Bools, raster: Raster) -> Floats:
    rows, cols = np.nonzero(mask)
    return np.column_stack([raster.x0 + raster.cell * cols, raster.y0 + raster.cell * rows])


def _joined(one: Sites, other: Sites) -> Sites:
    return Sites(*(np.concatenate(pair) for pair in zip(one, other, strict=True)))


def _nearest_to_middles(xy: Floats, tunnel: Tunnel, *, on_roof: bool = False) -> Sites:
    """Of the spots in each column of the study area the one nearest to its middle; open ground, or roofs."""
    ix, iy, inside = columns_of(xy, tunnel)
    nx = tunnel.shape[2]
    x, y = 0.5 * (tunnel.x[1:] + tunnel.x[:-1]), 0.5 * (tunnel.y[1:] + tunnel.y[:-1])
    west, south, east, north = tunnel.study
    inside &= (x[ix] > west) & (x[ix] < east) & (y[iy] > south) & (y[iy] < north)
    inside &= tunnel.building[iy, ix] >= 0 if on_roof else breathing_cells(tunnel)[iy, ix] >= 0
    local = axes_of(tunnel).to_tunnel(xy)
    away = np.hypot(local[:, 0] - x[ix], local[:, 1] - y[iy])
    column = iy * nx + ix
    order = np.flatnonzero(inside)
    order = order[np.lexsort((order, np.round(away[order], 6), column[order]))]
    first = order[np.unique(column[order], return_index=True)[1]]
    names = np.full(len(first), "", dtype=object)
    return Sites(xy[first], column[first].astype(np.int64), names, np.full(len(first), on_roof))


def _named(layers: Sequence[Layer], ground: Ground, tunnel: Tunnel, issues: list[Issue]) -> Sites:
    """The places that were named, without those where no unit can stand."""
    xy, names = [], []
    for layer in layers:
        if isinstance(layer.geometry, Points):
            ids = layer.table.ids[layer.geometry.element]
            titles = layer.table.columns["name"].values if "name" in layer.table.columns else layer.table.ids
            xy.append(layer.geometry.vertices[:, :2])
            names += [str(titles[k] or ids[row]) for row, k in enumerate(layer.geometry.element.tolist())]
    spots = np.concatenate(xy) if xy else np.zeros((0, 2))
    ix, iy, inside = columns_of(spots, tunnel)
    inside &= breathing_cells(tunnel)[iy, ix] >= 0
    bad = ground.built | ground.water | ground.carriageway | ground.forbidden
    usable = inside & ~_at(bad, ground.raster, spots)
    lost = int((~usable).sum())
    if not usable.any():
        raise _no_named(len(spots))
    if lost:
        message = f"{lost} named places lie in buildings, on carriageways or water, or outside, and were left out."
        issues.append(Issue("dust.siting.places_lost", message, "doubt", lost))
    column = (iy * tunnel.shape[2] + ix)[usable].astype(np.int64)
    return Sites(spots[usable], column, np.array(names, dtype=object)[usable], np.zeros(len(column), bool))


def _at(mask: Bools, raster: Raster, xy: Floats) -> Bools:
    """(n,) of a plan at places; nothing outside it."""
    col, row = (np.rint((xy[:, k] - start) / raster.cell).astype(int) for k, start in ((0, raster.x0), (1, raster.y0)))
    rows, cols = raster.shape
    inside = (row >= 0) & (row < rows) & (col >= 0) & (col < cols)
    return np.asarray(inside & mask[np.where(inside, row, 0), np.where(inside, col, 0)])


def _no_named(count: int) -> UserError:
    return UserError(
        "No unit can stand on the places that were named.",
        f"All {count} of them lie in buildings, on carriageways or water, on forbidden ground or outside the field.",
        "Check the layer of the places, or leave it out.",
        code="dust.siting.no_named",
        values={"count": count},
    )


def _nowhere(ground: Ground, kind: str) -> UserError:
    share = {
        name: round(100.0 * float(mask.mean()), 1)
        for name, mask in (
            ("built", ground.built), ("carriageway", ground.carriageway), ("water", ground.water),
            ("forbidden", ground.forbidden),
        )
    }  # fmt: skip
    return UserError(
        "There is no place on which a unit may stand.",
        f"Of the study area {share['built']:g} % are buildings, {share['carriageway']:g} % carriageways, "
        f"{share['water']:g} % water and {share['forbidden']:g} % forbidden; nothing is left on the ground allowed.",
        "Allow other ground, or choose another study area.",
        code="dust.siting.nowhere",
        values={**share, "ground": kind},
    )
