"""The ground that sensors watch, and the places they may stand on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.outlines import height_at
from analysis.cctv.plan_shapes import closed_rings, outline_of, triangles_of, within
from analysis.kernels.rays import Occluder
from analysis.places import element_middle
from analysis.sensor_siting.declaration import SensorInputs, SensorParams
from geo.model import Bounds, Feedback, Grid, Issue, Layer, Lines, Mesh, Points, UserError, merge_meshes

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Whole = NDArray[np.int64]

MOST_CELLS = 250_000
MOST_SITES = 20_000
MARGIN = 30.0  # [m] of ground around the buildings
SKY = 500.0  # [m]
FAR = 2.0  # cells: people further from the area than this are not of it
WEIGHT_PARTS = 1000.0  # weights are whole thousandths


class Ground(NamedTuple):
    """Cells that are watched.

    x0, y0, cell, shape : the lattice, middle of the south-west cell; number : (n,) cells of it, flat; points : (n, 3)
    on the ground [local m]; weight : (n,) float64, mean 1.
    """

    x0: float
    y0: float
    cell: float
    shape: tuple[int, int]
    number: Whole
    points: Floats
    weight: Floats

    def spread(self, values: Floats) -> Grid:
        """Values of the cells as a map."""
        out = np.full(self.shape[0] * self.shape[1], np.nan)
        out[self.number] = values
        return Grid(out.reshape(self.shape), self.x0, self.y0, self.cell)


class Sites(NamedTuple):
    """Places: points (n, 3) of the sensors [local m], names (n,), and how many (the first) are there already."""

    points: Floats
    names: NDArray[np.object_]
    existing: int


class Scene(NamedTuple):
    """Ground, places, and what blocks the view."""

    ground: Ground
    sites: Sites
    occluder: Occluder


def scene_of(inputs: SensorInputs, params: SensorParams, issues: list[Issue], feedback: Feedback) -> Scene:
    """Ground and places from the layers given; doubts are added to `issues`."""
    feedback.step(0.0, "preparing the ground")
    terrain = _terrain(inputs)
    low, high = _rectangle(inputs, params)
    base = _base(inputs, terrain, issues)
    meshes = [layer.geometry for layer in inputs.buildings if isinstance(layer.geometry, Mesh)]
    occluder = Occluder(meshes, feedback=feedback.part(0.1, 0.4))
    lattice = _cells(low, high, params.cell)
    points = _on_ground(lattice[-1], terrain, base)
    keep = np.isfinite(points[:, 2]) & _in_area(inputs.area, points) & _open_sky(occluder, points)
    if not keep.any():
        raise _nothing(inputs.area)
    feedback.step(0.6, "preparing the ground")
    number = np.flatnonzero(keep)
    weight = weights_of(inputs, params, points[number], params.cell, issues)
    ground = Ground(*lattice[:3], lattice[3], number, points[number], weight)
    feedback.step(0.8, "looking for places")
    sites = sites_of(inputs, params, ground, terrain, base, occluder, issues)
    feedback.step(1.0, "looking for places")
    return Scene(ground, sites, Occluder([*meshes, *_relief(terrain)]))


def _terrain(inputs: SensorInputs) -> Grid | Mesh | None:
    if inputs.terrain is not None and isinstance(inputs.terrain.geometry, Grid):
        return inputs.terrain.geometry
    surfaces = [layer.geometry for layer in inputs.relief if isinstance(layer.geometry, Mesh)]
    return merge_meshes(surfaces) if surfaces else None


def _relief(terrain: Grid | Mesh | None) -> list[Mesh]:
    if isinstance(terrain, Grid):
        return [terrain.surface()]
    return [terrain] if terrain is not None else []


def _rectangle(inputs: SensorInputs, params: SensorParams) -> tuple[Floats, Floats]:
    """Around the area of study, or the buildings, or the maps, or the terrain: the first of them there is."""
    margin = params.cell if inputs.area else MARGIN
    for layers in (inputs.area, inputs.buildings, inputs.maps, (*inputs.relief, inputs.terrain), inputs.people):
        boxes = [layer.geometry.bounds for layer in layers if layer is not None and layer.geometry is not None]
        box = Bounds.union(found for found in boxes if found is not None)
        if box is not None:
            wide = margin if layers is inputs.area or layers is inputs.buildings else 0.0
            low, high = np.array(box.low[:2]) - wide, np.array(box.high[:2]) + wide
            count = float(np.prod((high - low) / params.cell))
            if count > MOST_CELLS:
                raise _too_many(count, "cells", "Choose a larger cell of the ground, or a smaller area of study.")
            return low, high
    raise UserError(
        "There is no ground on which sensors could stand.",
        "No terrain, building, map or area of study was given.",
        "Choose at least one of them.",
        code="sensor.siting.no_ground",
    )


def _too_many(count: float, what: str, todo: str) -> UserError:
    return UserError(
        f"There would be {count:,.0f} {what}, more than this study is made for.",
        f"It looks at {MOST_CELLS:,} cells and {MOST_SITES:,} places at most.",
        todo,
        code=f"sensor.siting.too_many_{what}",
        values={"count": round(count), "cells": MOST_CELLS, "places": MOST_SITES},
    )


def _nothing(area: Sequence[Layer]) -> UserError:
    return UserError(
        "There is nothing for the sensors to watch.",
        "The area of study holds no open ground." if area else "There is no open ground.",
        "Check the area of study and the terrain.",
        code="sensor.siting.nothing",
    )


def _base(inputs: SensorInputs, terrain: Grid | Mesh | None, issues: list[Issue]) -> float:
    """Height of a plain where there is no terrain."""
    if terrain is not None:
        return np.nan
    boxes = [layer.geometry.bounds for layer in inputs.buildings if layer.geometry is not None]
    base = min((box.low[2] for box in boxes if box is not None), default=0.0)
    message = f"No terrain: the ground is taken as a plain at {base:.2f} m."
    issues.append(Issue("sensor.siting.flat_ground", message, "doubt", values={"height": round(base, 2)}))
    return base


def _cells(low: Floats, high: Floats, cell: float) -> tuple[float, float, float, tuple[int, int], Floats]:
    """A lattice on whole multiples of the cell, and the middles of its cells (n, 2)."""
    start = np.floor(low / cell + 1e-9) * cell
    cols, rows = (max(1, int(n)) for n in np.ceil((high - start) / cell - 1e-9))
    x, y = np.meshgrid(start[0] + cell * (np.arange(cols) + 0.5), start[1] + cell * (np.arange(rows) + 0.5))
    middles = np.column_stack([x.ravel(), y.ravel()])
    return float(middles[0, 0]), float(middles[0, 1]), cell, (rows, cols), middles


def _on_ground(xy: Floats, terrain: Grid | Mesh | None, base: float) -> Floats:
    z = height_at(terrain, xy[:, 0], xy[:, 1], otherwise=base) if terrain is not None else np.full(len(xy), base)
    return np.column_stack([xy, z])


def _in_area(layers: Sequence[Layer], points: Floats) -> Bools:
    """(n,) whether points lie in the areas; all of them where none is given."""
    if not layers:
        return np.ones(len(points), dtype=np.bool_)
    keep = np.zeros(len(points), dtype=np.bool_)
    for layer in layers:
        if isinstance(layer.geometry, Mesh):
            keep |= within(outline_of(triangles_of(layer.geometry)), points[:, :2])
        elif isinstance(layer.geometry, Lines):
            keep |= within(closed_rings(layer.geometry), points[:, :2])
    return keep


def _open_sky(occluder: Occluder, points: Floats) -> Bools:
    """(n,) whether no building stands over points of the ground."""
    starts = np.where(np.isfinite(points), points, 0.0) + [0.0, 0.0, 0.05]
    return ~occluder.occluded(starts, np.array([[0.0, 0.0, 1.0]]), SKY)


def weights_of(inputs: SensorInputs, params: SensorParams, points: Floats, cell: float, issues: list[Issue]) -> Floats:
    """(n,) what each cell counts, 1 on average: alike, or by the people of the elements nearest to it."""
    if not params.weight:
        return np.ones(len(points))
    from scipy.spatial import cKDTree

    total, away = np.zeros(len(points)), 0
    tree, found = cKDTree(points[:, :2]), False
    for layer in inputs.people:
        column = layer.table.columns.get(params.weight)
        if column is None or not column.is_number:
            continue
        found = True
        people = np.nan_to_num(column.values.astype(np.float64))
        rows = np.flatnonzero(people > 0)
        middle = np.array([element_middle(layer, int(row))[:2] for row in rows]).reshape(-1, 2)
        distance, nearest = tree.query(np.nan_to_num(middle, nan=1e12))
        near = distance <= reach_of_people(cell)
        np.add.at(total, nearest[near], people[rows[near]])
        away += int((~near).sum())
    if not found or not total.any():
        raise UserError(
            f"No element has people in the column {params.weight}.",
            "Weights were asked for, but the elements given have no such column of numbers, or none lies in the area.",
            "Name a column of the elements given, or leave it empty.",
            code="sensor.siting.no_people",
            values={"column": params.weight},
        )
    if away:
        message = f"{away} elements with people lie outside the area of study; they are left out."
        issues.append(Issue("sensor.siting.people_away", message, "note", away, values={"count": away}))
    return np.asarray(total * (len(points) / total.sum()))


def reach_of_people(cell: float) -> float:
    """How far from a cell's middle [m] the people of an element still count for it: the middle of a large house."""
    return max(FAR * cell, 30.0)


def whole_weights(weight: Floats) -> Whole:
    """Weights as whole numbers for exact sums; a cell that counts at all counts at least 1."""
    scaled = np.rint(weight * WEIGHT_PARTS).astype(np.int64)
    return np.where((weight > 0) & (scaled == 0), 1, scaled)


def sites_of(
    inputs: SensorInputs,
    params: SensorParams,
    ground: Ground,
    terrain: Grid | Mesh | None,
    base: float,
    occluder: Occluder,
    issues: list[Issue],
) -> Sites:
    """Places that are given, or a lattice over the open ground; before them the sensors that are there."""
    there = _given(standing(inputs.existing), params, terrain, base)
    if inputs.places:
        points, names = _given(inputs.places, params, terrain, base)
    else:
        points, names = _lattice_sites(params, ground, terrain, base)
        free = _open_sky(occluder, points - [0.0, 0.0, params.height])
        points, names = points[free], names[free]
    points, names = _allowed(inputs, points, names, issues)
    if len(points) == 0:
        raise _no_places()
    if len(points) > MOST_SITES:
        raise _too_many(len(points), "places", "Choose a larger distance between possible places.")
    return Sites(np.concatenate([there[0], points]), np.concatenate([there[1], names]), len(there[0]))


def _no_places() -> UserError:
    return UserError(
        "There is no place where a sensor could stand.",
        "No possible place is left within the area after the forbidden zones and the buildings.",
        "Give places, make their distance smaller, or allow more of the area.",
        code="sensor.siting.no_places",
    )


def _lattice_sites(
    params: SensorParams, ground: Ground, terrain: Grid | Mesh | None, base: float
) -> tuple[Floats, NDArray[np.object_]]:
    """Middles of the watched cells nearest to a lattice of the spacing asked for."""
    step = max(1, round(params.spacing / ground.cell))
    row, col = np.divmod(ground.number, ground.shape[1])
    chosen = (row % step == step // 2) & (col % step == step // 2)
    points = ground.points[chosen] if chosen.any() else ground.points[len(ground.points) // 2 :][:1]
    names = np.array([f"{x:.0f}, {y:.0f}" for x, y in points[:, :2]], dtype=object)
    return points + [0.0, 0.0, params.height], names


def _given(
    layers: Sequence[Layer], params: SensorParams, terrain: Grid | Mesh | None, base: float
) -> tuple[Floats, NDArray[np.object_]]:
    """Points of layers; those that lie on the ground (or have no height) are lifted to the height of sensors."""
    points, names = [np.zeros((0, 3))], [np.zeros(0, dtype=object)]
    for layer in layers:
        if not isinstance(layer.geometry, Points) or len(layer.geometry.vertices) == 0:
            continue
        xyz = np.array(layer.geometry.vertices)
        foot = _on_ground(xyz[:, :2], terrain, base)[:, 2]
        lying = np.isfinite(foot) & ~(xyz[:, 2] > foot + 0.2)
        xyz[lying, 2] = foot[lying] + params.height
        good = np.isfinite(xyz).all(axis=1)
        ids = layer.table.ids[layer.geometry.element] if len(layer.table) else np.full(len(xyz), layer.id, dtype=object)
        points.append(xyz[good])
        names.append(ids[good])
    return np.concatenate(points), np.concatenate(names)


def standing(layers: Sequence[Layer]) -> list[Layer]:
    """Layers of sensors that are there: what an earlier run of this study proposed is not."""
    return [layer for layer in layers if not layer.source.provenance]


def _allowed(
    inputs: SensorInputs, points: Floats, names: NDArray[np.object_], issues: list[Issue]
) -> tuple[Floats, NDArray[np.object_]]:
    """Without the places outside the area and in forbidden zones."""
    outside = ~_in_area(inputs.area, points)
    forbidden = _in_area(inputs.zones, points) if inputs.zones else np.zeros(len(points), dtype=np.bool_)
    for code, dropped, text in (
        ("sensor.siting.outside", outside, "possible places lie outside the area of study; they are left out."),
        ("sensor.siting.forbidden", forbidden, "possible places lie in forbidden zones; they are left out."),
    ):
        if dropped.any():
            count = int(dropped.sum())
            issues.append(Issue(code, f"{count} {text}", "note", count, values={"count": count}))
    keep = ~(outside | forbidden)
    return points[keep], names[keep]


def places_on_cells(
    inputs: SensorInputs, params: SensorParams, middle: Floats, cell: float, scene: Scene | None, issues: list[Issue]
) -> tuple[Sites, Whole]:
    """Places for a field, and the cell (s,) that each measures: one place for each cell.

    `scene`: where places and ground were found already; without it places are given ones or every so manieth cell.
    """
    from scipy.spatial import cKDTree

    sites = _sites_of_field(inputs, params, middle, cell, issues) if scene is None else scene.sites
    distance, nearest = cKDTree(middle).query(sites.points[:, :2])
    off = distance > cell
    if off.any():
        count = int(off.sum())
        message = f"{count} places or sensors lie where the field is not known; they are left out."
        issues.append(Issue("sensor.siting.off_field", message, "note", count, values={"count": count}))
    there = np.arange(len(off)) < sites.existing
    known = np.flatnonzero(~off & ~there)
    _, first = np.unique(nearest[known], return_index=True)
    kept = np.concatenate([np.flatnonzero(~off & there), known[np.sort(first)]])
    existing = int((~off & there).sum())
    if len(kept) == existing:
        raise _no_places()
    return Sites(sites.points[kept], sites.names[kept], existing), nearest[kept].astype(np.int64)


def _sites_of_field(
    inputs: SensorInputs, params: SensorParams, middle: Floats, cell: float, issues: list[Issue]
) -> Sites:
    terrain = _terrain(inputs)
    base = np.nan if terrain is not None else 0.0
    there = _given(standing(inputs.existing), params, terrain, base)
    if inputs.places:
        points, names = _given(inputs.places, params, terrain, base)
    else:
        step = max(1, round(params.spacing / cell))
        number = np.rint((middle - middle.min(axis=0)) / cell).astype(np.int64)
        chosen = (number % step == step // 2).all(axis=1)
        xy = middle[chosen] if chosen.any() else middle[len(middle) // 2 :][:1]
        points = _on_ground(xy, terrain, base) + [0.0, 0.0, params.height]
        points[:, 2] = np.nan_to_num(points[:, 2], nan=params.height)
        names = np.array([f"{x:.0f}, {y:.0f}" for x, y in xy], dtype=object)
    points, names = _allowed(inputs, points, names, issues)
    return Sites(np.concatenate([there[0], points]), np.concatenate([there[1], names]), len(there[0]))
