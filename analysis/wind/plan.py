"""Where the wind tunnel lies in a scene and how large it is, before any cell is made."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.places import read_places
from analysis.wind import domain, terrain, trees, voxels
from analysis.wind.declaration import AreaParams, CityInputs, TunnelParams
from geo.model import Feedback, Grid, Issue, Mesh, UserError, merge_meshes

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEVELS = 3
HIGH_SHARE = 0.95  # by plan area: the height a tunnel is measured by
LEAST_HIGH = 10.0  # [m]
ABOVE_TALLEST = 1.5  # the tunnel is at least this many times as high as its highest building
HEADROOM = 1.2  # the least of it for a changed scene
LEAST_WIDTH = 20.0  # [m]
WINDOW_STEPS = 4  # by which squares are tried where most is built
FARTHEST = 300  # of such steps from the middle building
LITTLE_BUILT = 0.25  # of what is built in the densest square: less in the middle of it all, and the square is taken


class Plan(NamedTuple):
    """Where the tunnel lies and what stands in it, before any cell is made.

    Attributes
    ----------
    axes : Axes
    extent : Extent
    solids : Solids
        Near the tunnel.
    crowns : Crowns
    ground : Ground
    high_building : float [m]
        95 % of the built area is lower.
    issues : tuple of Issue
    """

    axes: domain.Axes
    extent: domain.Extent
    solids: voxels.Solids
    crowns: trees.Crowns
    ground: terrain.Ground
    high_building: float
    issues: tuple[Issue, ...]

    @property
    def size(self) -> domain.Size:
        """Cells of the levels and memory of a run."""
        return domain.size_of(self.extent, LEVELS)


def plan_tunnel(
    inputs: CityInputs, params: TunnelParams, feedback: Feedback, *, wind_from: Floats | None = None
) -> Plan:
    """Place and size of the tunnel: quick, for an estimate before the start."""
    issues: list[Issue] = []
    feedback.step(0.0, "gathering the city")
    solids = voxels.solids_of(inputs.buildings)
    crowns = trees.crowns_of(inputs.trees if params.leaves != "none" else ())
    surface = merge_meshes([layer.geometry for layer in inputs.relief if isinstance(layer.geometry, Mesh)])
    grid = inputs.terrain.geometry if inputs.terrain is not None else None
    if len(solids) == 0 and grid is None and not len(surface.faces) and len(crowns) == 0:
        raise UserError(
            "There is nothing the wind could blow around.",
            "The layers chosen have neither buildings nor terrain nor trees.",
            "Import buildings or a terrain first.",
            code="wind.nothing",
        )
    if len(solids) == 0:
        issues.append(Issue("wind.no_buildings", "There are no buildings: the wind meets the ground alone.", "doubt"))
    ground = terrain.ground_of(grid if isinstance(grid, Grid) else None, surface, solids.feet, issues)
    feedback.step(0.5, "axes of the tunnel")
    middle, size, solids_near = _study_rectangle(inputs, params, solids, issues)
    turn = domain.dominant_turn(*solids_near.walls())
    axes = domain.Axes(turn, middle)
    study = _turned(size, turn, params)
    heights = _high_building(solids_near)
    extent = _extent(axes, study, heights, ground, params, wind_from, solids_near)
    feedback.step(1.0, "axes of the tunnel")
    near = _in_reach(solids, axes, extent.border)
    return Plan(axes, extent, solids.only(near), crowns, ground, heights, tuple(issues))


def same_tunnel(plan: Plan, inputs: CityInputs, params: TunnelParams, feedback: Feedback) -> Plan:
    """A changed scene in the same tunnel, cell for cell: for an edit, or for alternatives that are compared.

    Axes, borders and cells are kept, so that what differs between the two flows is the scene and not the grid. A scene
    that outgrows the tunnel gets one of its own: compare `Plan.extent` to know.
    """
    fresh = plan_tunnel(inputs, params, feedback)
    extent = plan.extent
    tallest = float(fresh.solids.high[:, 2].max()) - extent.base if len(fresh.solids) else 0.0
    fits = params.cell == extent.cell and HEADROOM * tallest <= extent.top
    lowest = terrain.relief_below(fresh.ground, plan.axes, *_coarse_faces(extent.border), extent.uniform).height.min()
    if not fits or lowest < extent.base - domain.first_layer(extent.cell, 0):
        return fresh
    solids = voxels.solids_of(inputs.buildings)
    near = _in_reach(solids, plan.axes, extent.border)
    return fresh._replace(axes=plan.axes, extent=extent, solids=solids.only(near), high_building=plan.high_building)


def study_places(inputs: CityInputs, params: AreaParams) -> Floats:
    """(n, 2) places named for the study area [local m]."""
    layers = [*inputs.buildings, *inputs.trees]
    found = read_places(params.area, layers, inputs.frame)
    return np.array([spot.point[:2] for spot in found], dtype=np.float64).reshape(-1, 2)


def _study_rectangle(
    inputs: CityInputs, params: AreaParams, solids: voxels.Solids, issues: list[Issue]
) -> tuple[Floats, Floats, voxels.Solids]:
    """Middle (2,) and size (2,) [m] of the study area in the scene's axes, and the buildings in and around it."""
    places = study_places(inputs, params)
    size = np.full(2, params.size)
    if len(places) >= 2:
        low, high = places.min(axis=0), places.max(axis=0)
        middle, size = 0.5 * (low + high), np.maximum(high - low, LEAST_WIDTH)
    elif len(places) == 1:
        middle = places[0]
    else:
        low, high = _all_of(inputs, solids)
        whole = 0.5 * (low + high)
        middle = _where_it_is_built(whole, params.size, solids)
        if not np.array_equal(middle, whole):
            metres = round(float(np.linalg.norm(middle - whole)))
            message = f"The study area lies where most is built, {metres} m from the middle of all buildings."
            issues.append(Issue("wind.area_chosen", message, "note", values={"metres": metres}))
    reach = 0.5 * size + 500.0
    feet = solids.feet[:, :2]
    near = (np.abs(feet - middle) <= reach).all(axis=1)
    return middle, size, solids.only(near)


def _where_it_is_built(middle: Floats, size: float, solids: voxels.Solids) -> Floats:
    """The middle (2,), or where far more is built than there: a square in the fields between villages tells nothing."""
    feet, half = solids.feet[:, :2], 0.5 * size
    if len(feet) == 0:
        return middle

    def built_around(place: Floats) -> Bools:
        return np.asarray((np.abs(feet - place) <= half).all(axis=1))

    step = size / WINDOW_STEPS
    number = np.floor((feet - middle) / step).astype(np.int64)
    # Of buildings at the ends of the earth only those around the middle one are looked at.
    number = np.clip(number - np.median(number, axis=0).astype(np.int64), -FARTHEST, FARTHEST)
    number -= number.min(axis=0)
    built = np.zeros(number.max(axis=0) + WINDOW_STEPS)
    np.add.at(built, tuple(number.T), solids.area)
    total = np.pad(built.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    window = _window_sums(total, WINDOW_STEPS)
    first = np.array(np.unravel_index(int(np.argmax(np.round(window, 3))), window.shape))
    chosen = ((number >= first) & (number < first + WINDOW_STEPS)).all(axis=1)
    dense = np.asarray(0.5 * (feet[chosen].min(axis=0) + feet[chosen].max(axis=0)))
    here, there = (float(solids.area[built_around(place)].sum()) for place in (middle, dense))
    return middle if here >= LITTLE_BUILT * there else dense


def _window_sums(total: Floats, wide: int) -> Floats:
    """Sums over all squares of `wide` cells, from the sums of all cells before each corner."""
    return np.asarray(total[wide:, wide:] - total[:-wide, wide:] - total[wide:, :-wide] + total[:-wide, :-wide])


def _all_of(inputs: CityInputs, solids: voxels.Solids) -> tuple[Floats, Floats]:
    """Rectangle around the buildings, else the terrain, else the trees."""
    if len(solids):
        return solids.low[:, :2].min(axis=0), solids.high[:, :2].max(axis=0)
    layers = [*([inputs.terrain] if inputs.terrain is not None else []), *inputs.relief, *inputs.trees]
    boxes = [layer.geometry.bounds for layer in layers if layer.geometry is not None]
    known = [box for box in boxes if box is not None]
    low = np.min([box.low[:2] for box in known], axis=0)
    return np.asarray(low), np.asarray(np.max([box.high[:2] for box in known], axis=0))


def _turned(size: Floats, turn: float, params: AreaParams) -> Floats:
    """(4,) study window in the tunnel's axes: a square stays one of its size, a drawn rectangle is contained."""
    half = 0.5 * size
    if ";" in params.area:
        turn_rad = np.radians(turn)
        cos, sin = abs(np.cos(turn_rad)), abs(np.sin(turn_rad))
        half = np.array([cos * half[0] + sin * half[1], sin * half[0] + cos * half[1]])
    return np.concatenate([-half, half])


def _high_building(solids: voxels.Solids) -> float:
    """Height that 95 % of the built area stays below [m]."""
    if len(solids) == 0 or solids.area.sum() <= 0.0:
        return LEAST_HIGH
    order = np.argsort(solids.height, kind="stable")
    reached = np.cumsum(solids.area[order]) / solids.area.sum()
    number = min(int(np.searchsorted(reached, HIGH_SHARE)), len(order) - 1)
    return max(LEAST_HIGH, float(solids.height[order][number]))


def _extent(
    axes: domain.Axes,
    study: Floats,
    high_building: float,
    ground: terrain.Ground,
    params: TunnelParams,
    wind_from: Floats | None,
    solids: voxels.Solids,
) -> domain.Extent:
    """Borders, ground levels and top."""
    cell = params.cell
    uniform = domain.uniform_window(study, cell, high_building)
    blows_to = None if wind_from is None else np.mod(270.0 - np.asarray(wind_from) - axes.turn_deg, 360.0)
    border = domain.border_window(study, uniform, high_building, blows_to)
    x, y = _coarse_faces(border)
    relief = terrain.relief_below(ground, axes, x, y, uniform).height
    inside = domain.columns_within(x, y, study)
    here = relief[inside] if inside.any() else relief.ravel()
    low, level, high = np.quantile(here, [0.0, 0.5, 0.98])
    unit = domain.first_layer(cell, LEVELS - 1)
    base = level - unit * np.ceil(max(0.0, level - float(relief.min())) / unit - 1e-6)
    tallest = float(solids.high[:, 2].max()) - base if len(solids) else 0.0
    top = max(high - base + (1.0 + domain.ABOVE) * high_building, ABOVE_TALLEST * tallest, relief.max() - base + 60.0)
    return domain.Extent(
        study,
        uniform,
        border,
        float(base),
        float(low - base),
        float(level - base),
        float(high - base),
        float(top),
        cell,
    )


def _coarse_faces(border: Floats) -> tuple[Floats, Floats]:
    """A hundred cells along x and y, for a first look at the ground."""
    steps = np.linspace(0.0, 1.0, 101)
    return border[0] + (border[2] - border[0]) * steps, border[1] + (border[3] - border[1]) * steps


def _in_reach(solids: voxels.Solids, axes: domain.Axes, border: Floats) -> Bools:
    """(elements,) whose box in plan may lie in the tunnel."""
    if len(solids) == 0:
        return np.zeros(0, dtype=bool)
    middle = axes.to_tunnel(solids.feet[:, :2])
    radius = 0.5 * np.linalg.norm(solids.high[:, :2] - solids.low[:, :2], axis=1)[:, None]
    return np.asarray(((middle + radius > border[:2]) & (middle - radius < border[2:])).all(axis=1))
