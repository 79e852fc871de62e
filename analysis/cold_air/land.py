"""The land below the cold air: heights, buildings, kinds of land and what cold air they make."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.cold_air.declaration import ColdAirInputs, ColdAirParams
from analysis.cold_air.layer import Land
from analysis.places import read_places
from analysis.wind import terrain, trees, voxels
from analysis.wind.domain import Axes
from geo.model import Feedback, Grid, Issue, Layer, Mesh, UserError, merge_meshes
from resources import load_json

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

KINDS = ("open", "forest", "paved", "water", "roof")
OPEN, FOREST, PAVED, WATER, ROOF = range(len(KINDS))
FOREST_SHARE = 0.5  # of a cell under crowns
BUILT_SHARE = 0.5  # of a cell under roofs: it is a wall; below it buildings only slow the air
FINE = 5  # points per side of a cell at which roofs are looked for
MOST_CELLS = 4_000_000
LEAST_WALL = 1.0  # [m]
DRAG_OF_BUILDINGS = 2.0  # roughness length of a cell per share under roofs [m]
HOUR = 3600.0


class Site(NamedTuple):
    """The land, where its cells lie, and the buildings on it.

    x0, y0 : middle of the south-west cell [local m]; study : (4,) x low, y low, x high, y high [local m];
    kind : (ny, nx) index into `KINDS`; building : (ny, nx) row of `names`, -1 none.
    """

    land: Land
    x0: float
    y0: float
    study: Floats
    kind: NDArray[np.int8]
    building: NDArray[np.int32]
    names: NDArray[np.object_]

    @property
    def inside(self) -> Bools:
        """(ny, nx) cells of the study area."""
        rows, columns = self.land.shape
        x = self.x0 + self.land.cell * np.arange(columns)
        y = self.y0 + self.land.cell * np.arange(rows)
        across = (x >= self.study[0]) & (x <= self.study[2])
        along = (y >= self.study[1]) & (y <= self.study[3])
        return np.asarray(along[:, None] & across[None, :])


@cache
def rules() -> dict[str, Any]:
    """The figures of the rules file."""
    return dict(load_json("rules/cold_air.json"))


def site_of(inputs: ColdAirInputs, params: ColdAirParams, issues: list[Issue], feedback: Feedback) -> Site:
    """Lay square cells over the study area and the land around it."""
    solids = voxels.solids_of(inputs.buildings)
    study = _study(inputs, params, solids)
    cell = params.cell
    reach = _reach(inputs, study, params.catchment)
    low = np.floor(reach[:2] / cell) * cell
    count = np.maximum(np.ceil((reach[2:] - low) / cell - 1e-9).astype(np.int64), 4)
    _check_size(count, cell)
    x, y = low[0] + cell * (np.arange(count[0]) + 0.5), low[1] + cell * (np.arange(count[1]) + 0.5)
    feedback.step(0.1, "laying out the land")
    ground = _ground(inputs, solids, x, y, issues)
    share, height, building = _roofs(solids, low, count, cell, ground, feedback.part(0.2, 0.8))
    kind = _kinds(inputs, x, y, cell, share, issues)
    return _site(params, x, y, study, ground, share, height, building, kind, solids.name, issues)


def _study(inputs: ColdAirInputs, params: ColdAirParams, solids: voxels.Solids) -> Floats:
    """(4,) rectangle that is studied [local m]."""
    spots = read_places(params.area, [*inputs.buildings, *inputs.trees], inputs.frame)
    points = np.array([spot.point[:2] for spot in spots], dtype=np.float64).reshape(-1, 2)
    if len(points) >= 2:
        return np.concatenate([points.min(axis=0), points.max(axis=0)])
    if len(points) == 1:
        return np.concatenate([points[0] - params.size / 2, points[0] + params.size / 2])
    if len(solids):
        return np.concatenate([solids.low[:, :2].min(axis=0), solids.high[:, :2].max(axis=0)])
    found = [inputs.terrain] if inputs.terrain is not None else list(inputs.relief)
    boxes = [layer.geometry.bounds for layer in found if layer.geometry is not None]
    box = next((box for box in boxes if box is not None), None)
    if box is None:
        raise UserError(
            "There is no land for cold air to flow over.",
            "The project has neither a terrain nor buildings.",
            "Import a terrain first.",
            code="cold_air.nothing",
        )
    middle = np.array(box.centre[:2])
    return np.concatenate([middle - params.size / 2, middle + params.size / 2])


def _reach(inputs: ColdAirInputs, study: Floats, catchment: float) -> Floats:
    """(4,) the study area and the land around it, as far as there is terrain [local m]."""
    low, high = study[:2] - catchment, study[2:] + catchment
    found = [inputs.terrain] if inputs.terrain is not None else list(inputs.relief)
    boxes = [box for layer in found if layer.geometry is not None and (box := layer.geometry.bounds) is not None]
    if boxes:
        ground_low = np.min([box.low[:2] for box in boxes], axis=0)
        ground_high = np.max([box.high[:2] for box in boxes], axis=0)
        if (ground_low < study[2:]).all() and (ground_high > study[:2]).all():
            low, high = np.maximum(low, ground_low), np.minimum(high, ground_high)
    return np.concatenate([low, high])


def _check_size(count: NDArray[np.int64], cell: float) -> None:
    if int(count.prod()) > MOST_CELLS:
        wanted = cell * float(np.sqrt(count.prod() / MOST_CELLS))
        raise UserError(
            f"The land would have {count.prod() / 1e6:.1f} million cells.",
            f"At most {MOST_CELLS / 1e6:.0f} million are carried through a night.",
            f"Choose a cell of {np.ceil(wanted):.0f} m or more, or less land around.",
            code="cold_air.too_many_cells",
            values={"cells": round(float(count.prod()) / 1e6, 1), "cell": int(np.ceil(wanted))},
        )


def _ground(inputs: ColdAirInputs, solids: voxels.Solids, x: Floats, y: Floats, issues: list[Issue]) -> Floats:
    grid = inputs.terrain.geometry if inputs.terrain is not None else None
    surfaces = [layer.geometry for layer in inputs.relief if isinstance(layer.geometry, Mesh)]
    source = terrain.ground_of(
        grid if isinstance(grid, Grid) else None, merge_meshes(surfaces) if surfaces else None, solids.feet, issues
    )
    xx, yy = np.meshgrid(x, y)
    found = terrain.heights(source, np.column_stack([xx.ravel(), yy.ravel()])).reshape(xx.shape)
    missing = ~np.isfinite(found)
    if missing.all():
        raise UserError(
            "The terrain does not reach the study area.",
            "None of its heights lies there.",
            "Choose another area or terrain.",
            code="cold_air.no_ground",
        )
    if missing.any():
        from scipy.ndimage import distance_transform_edt

        nearest = distance_transform_edt(missing, return_distances=False, return_indices=True)
        found = found[tuple(nearest)]
        percent = round(100.0 * float(missing.mean()), 1)
        message = f"{percent:g} % of the land has no height; it was taken from the nearest that has, so it is level."
        issues.append(Issue("cold_air.no_height", message, "doubt", values={"percent": percent}))
    if float(np.ptp(found)) < 1.0:
        issues.append(Issue("cold_air.flat", "The land is flat: cold air is made, but hardly flows.", "doubt"))
    return np.asarray(found)


def _roofs(
    solids: voxels.Solids, low: Floats, count: NDArray[np.int64], cell: float, ground: Floats, feedback: Feedback
) -> tuple[Floats, Floats, NDArray[np.int32]]:
    """Share of each cell under roofs, their mean height above the ground, and the building with most of it."""
    columns, rows = int(count[0]), int(count[1])
    if len(solids) == 0:
        return np.zeros((rows, columns)), np.zeros((rows, columns)), np.full((rows, columns), -1, np.int32)
    fine = cell / FINE
    axes = Axes(0.0, np.zeros(2))
    x, y = low[0] + fine * np.arange(columns * FINE + 1), low[1] + fine * np.arange(rows * FINE + 1)
    top, element = voxels.roofs(solids, axes, x, y, feedback)
    above = top - np.repeat(np.repeat(ground, FINE, axis=0), FINE, axis=1)
    covered = np.isfinite(top) & (above > LEAST_WALL)
    blocks = covered.reshape(rows, FINE, columns, FINE)
    number = blocks.sum(axis=(1, 3))
    height = np.where(covered, above, 0.0).reshape(rows, FINE, columns, FINE).sum(axis=(1, 3)) / np.maximum(number, 1)
    flat = np.where(covered, element, -1).reshape(rows, FINE, columns, FINE).transpose(0, 2, 1, 3)
    return number / FINE**2, height, flat.reshape(rows, columns, -1).max(axis=2).astype(np.int32)


def _kinds(
    inputs: ColdAirInputs, x: Floats, y: Floats, cell: float, share: Floats, issues: list[Issue]
) -> NDArray[np.int8]:
    """(ny, nx) kind of land; roofs over water over paving over forest over open land."""
    kind = np.full(share.shape, OPEN, dtype=np.int8)
    crowns = trees.crowns_of(inputs.trees)
    if len(crowns):
        area, _, _ = np.histogram2d(
            crowns.middle[:, 1], crowns.middle[:, 0], bins=[_edges(y, cell), _edges(x, cell)], weights=crowns.width**2
        )
        kind[area / cell**2 > FOREST_SHARE] = FOREST
    for layers, code in ((inputs.paved, PAVED), (inputs.water, WATER)):
        kind[_covered(layers, x, y)] = code
    kind[share > BUILT_SHARE] = ROOF
    said = {name: round(100.0 * float((kind == code).mean()), 1) for code, name in enumerate(KINDS)}
    text = ", ".join(f"{name} {value:g} %" for name, value in said.items())
    issues.append(Issue("cold_air.land", f"Kinds of land: {text}.", "note", values=said))
    return kind


def _edges(middles: Floats, cell: float) -> Floats:
    return np.append(middles - cell / 2, middles[-1] + cell / 2)


def _covered(layers: Sequence[Layer], x: Floats, y: Floats) -> Bools:
    """(ny, nx) cells whose middle lies under a triangle of the layers."""
    out = np.zeros((len(y), len(x)), dtype=bool)
    meshes = [layer.geometry for layer in layers if isinstance(layer.geometry, Mesh)]
    if not meshes:
        return out
    from analysis.kernels.rays import Occluder

    xx, yy = np.meshgrid(x, y)
    top = max(box.high[2] for mesh in meshes if (box := mesh.bounds) is not None) + 1.0
    starts = np.column_stack([xx.ravel(), yy.ravel(), np.full(xx.size, top)])
    hit = Occluder(meshes).first_hit(starts, np.array([[0.0, 0.0, -1.0]])).distance
    return np.asarray(np.isfinite(hit).reshape(out.shape))


def _site(
    params: ColdAirParams,
    x: Floats,
    y: Floats,
    study: Floats,
    ground: Floats,
    share: Floats,
    height: Floats,
    building: NDArray[np.int32],
    kind: NDArray[np.int8],
    names: NDArray[np.object_],
    issues: list[Issue],
) -> Site:
    said = rules()["land"]
    share_of_open = np.array([said[name]["production"] / said["open"]["production"] for name in KINDS])
    rough = np.array([said[name]["roughness"] for name in KINDS])
    made = share_of_open[kind] * (1.0 - share) * params.open_production / HOUR
    built = np.where(share > BUILT_SHARE, height, 0.0)
    unsure = [name for name in KINDS if not said[name]["verified"] and (kind == KINDS.index(name)).any()]
    if unsure:
        message = f"The production of {', '.join(unsure)} is an estimate of ours, not of a standard."
        issues.append(Issue("cold_air.unverified", message, "doubt", values={"kinds": ", ".join(unsure)}))
    land = Land(
        cell=params.cell,
        ground=ground,
        built=built,
        roughness=rough[kind] + DRAG_OF_BUILDINGS * np.where(share > BUILT_SHARE, 0.0, share),
        production=made,
        deficit=np.full(ground.shape, params.deficit),
    )
    wall = np.where(built > 0, building, -1)
    return Site(land, float(x[0]), float(y[0]), study, kind, wall, names)


def without(land: Land, gone: Bools) -> Land:
    """The land without the walls of some cells (ny, nx). What stood there makes no cold air then either.

    So only the wall is another, and the difference of two nights is what it holds back.
    """
    rough = float(rules()["land"]["open"]["roughness"])
    return dataclasses.replace(
        land, built=np.where(gone, 0.0, land.built), roughness=np.where(gone, rough, land.roughness)
    )
