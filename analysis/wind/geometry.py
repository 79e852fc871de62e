"""From the layers of a scene to the wind tunnel: where it lies, how large it is, and its levels from coarse to fine."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.places import read_places
from analysis.wind import domain, terrain, trees, voxels
from analysis.wind.declaration import AreaParams, CityInputs, TunnelParams
from analysis.wind.tunnel import AIR, BUILDING, GROUND, Tunnel
from geo.model import Feedback, Grid, Issue, Mesh, UserError, merge_meshes

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEVELS = 3
HIGH_SHARE = 0.95  # by plan area: the height a tunnel is measured by
LEAST_HIGH = 10.0  # [m]
MOST_BLOCKAGE = 0.03  # of the tunnel's cross-section by one building (COST 732, AIJ)
LEAST_ROOM = 3.0  # heights of a building to the nearest side
ABOVE_TALLEST = 1.5  # the tunnel is at least this many times as high as its highest building
LEAST_OPEN = 0.02  # of the study area
COARSE_GROUND = 0.02  # share of the study area that is worth a word
LEAST_WIDTH = 20.0  # [m]
UNKNOWN_GROUND = 0.01  # share of columns beside the terrain that is worth a word
EXPOSURE_ROUGHNESS = {"A": 2.0, "B": 0.5, "C": 0.1, "D": 0.01}  # [m] z0 of the ground where houses are not drawn


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


class Built(NamedTuple):
    """The tunnel and what was doubtful about it.

    Attributes
    ----------
    levels : tuple of Tunnel
        Coarse to fine: four times, twice, once the cell.
    plan : Plan
    issues : tuple of Issue
    """

    levels: tuple[Tunnel, ...]
    plan: Plan
    issues: tuple[Issue, ...]

    @property
    def finest(self) -> Tunnel:
        """The last level."""
        return self.levels[-1]


def build_tunnel(
    inputs: CityInputs, params: TunnelParams, feedback: Feedback, *, wind_from: Floats | None = None
) -> Built:
    """All levels of the tunnel for a scene.

    Parameters
    ----------
    wind_from : (n,) float [degrees] or None
        Where the wind will come from, clockwise from **grid** north; None = anywhere. The tunnel is longer downwind.

    Raises
    ------
    UserError
        Nothing in the scene, no open ground, or not enough memory.
    """
    plan = plan_tunnel(inputs, params, feedback.part(0.0, 0.1), wind_from=wind_from)
    domain.check_memory(plan.extent, domain.free_memory())
    issues = list(plan.issues)
    levels = []
    # The finest level has eight times the columns of the next: the doubts are those of the finest.
    shares = (0.1, 0.2, 0.4, 1.0)
    for number in range(LEVELS):
        level = LEVELS - 1 - number
        part = feedback.part(shares[number], shares[number + 1])
        levels.append(make_level(plan, params, level, part, issues if level == 0 else None))
    return Built(tuple(levels), plan, tuple(issues))


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
    middle, size, solids_near = _study_rectangle(inputs, params, solids)
    turn = domain.dominant_turn(*solids_near.walls())
    axes = domain.Axes(turn, middle)
    study = _turned(size, turn, params)
    heights = _high_building(solids_near)
    extent = _extent(axes, study, heights, ground, params, wind_from, solids_near)
    feedback.step(1.0, "axes of the tunnel")
    near = _in_reach(solids, axes, extent.border)
    return Plan(axes, extent, solids.only(near), crowns, ground, heights, tuple(issues))


def study_places(inputs: CityInputs, params: AreaParams) -> Floats:
    """(n, 2) places named for the study area [local m]."""
    layers = [*inputs.buildings, *inputs.trees]
    found = read_places(params.area, layers, inputs.frame)
    return np.array([spot.point[:2] for spot in found], dtype=np.float64).reshape(-1, 2)


def _study_rectangle(
    inputs: CityInputs, params: AreaParams, solids: voxels.Solids
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
        middle = 0.5 * (low + high)
    reach = 0.5 * size + 500.0
    feet = solids.feet[:, :2]
    near = (np.abs(feet - middle) <= reach).all(axis=1)
    return middle, size, solids.only(near)


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
    coarse = np.linspace(0.0, 1.0, 101)
    x, y = (border[k] + (border[k + 2] - border[k]) * coarse for k in range(2))
    relief = terrain.relief_below(ground, axes, x, y, uniform).height
    inside = _within(x, y, study)
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


def _within(x: Floats, y: Floats, window: Floats) -> Bools:
    """(ny, nx) columns whose middle lies in a window."""
    mx, my = 0.5 * (x[1:] + x[:-1]), 0.5 * (y[1:] + y[:-1])
    across = (mx > window[0]) & (mx < window[2])
    return np.asarray(across[None, :] & ((my > window[1]) & (my < window[3]))[:, None])


def _in_reach(solids: voxels.Solids, axes: domain.Axes, border: Floats) -> Bools:
    """(elements,) whose box in plan may lie in the tunnel."""
    if len(solids) == 0:
        return np.zeros(0, dtype=bool)
    middle = axes.to_tunnel(solids.feet[:, :2])
    radius = 0.5 * np.linalg.norm(solids.high[:, :2] - solids.low[:, :2], axis=1)[:, None]
    return np.asarray(((middle + radius > border[:2]) & (middle - radius < border[2:])).all(axis=1))


def make_level(
    plan: Plan, params: TunnelParams, level: int, feedback: Feedback, issues: list[Issue] | None = None
) -> Tunnel:
    """One level of the tunnel, made from the vectors; 0 is the finest. Doubts are added to `issues`."""
    extent, axes = plan.extent, plan.axes
    cell = extent.cell * 2**level
    x, y = domain.plan_faces(extent, 0, cell), domain.plan_faces(extent, 1, cell)
    z = domain.upright_faces(extent, level)
    relief = terrain.relief_below(plan.ground, axes, x, y, extent.uniform)
    ground = np.maximum(relief.height - extent.base, 0.0)
    feedback.step(0.15, "ground in the grid")
    middles = 0.5 * (z[1:] + z[:-1])
    solid = np.where(middles[:, None, None] < ground, np.int8(GROUND), np.int8(AIR))
    found = voxels.voxelise(
        plan.solids, axes, x, y, z, base=extent.base, ground=ground, solid=solid, feedback=feedback.part(0.15, 0.85)
    )
    built = _clear_border(found, extent, plan.high_building, x, y)
    leaf_area = _leaves(plan, params, x, y, z, solid)
    feedback.step(0.95, "leaves in the grid")
    tunnel = Tunnel(
        x, y, z, axes.turn_deg, axes.pivot, extent.base, solid, ground.astype(np.float32), leaf_area,
        _roughness(params, extent, x, y), params.wall_roughness, built, extent.study,
    )  # fmt: skip
    if issues is not None:
        issues += _doubts(plan, params, tunnel, found, relief)
    feedback.step(1.0, "grid made")
    return tunnel


def _clear_border(
    found: voxels.Voxels, extent: domain.Extent, high_building: float, x: Floats, y: Floats
) -> NDArray[np.int32]:
    """Take the buildings out of the strip along the border; number of the building over each column."""
    strip = domain.clear_strip(high_building) * np.array([1.0, 1.0, -1.0, -1.0])
    inside = _within(x, y, extent.border + strip)
    found.solid[:, ~inside] = np.where(found.solid[:, ~inside] == BUILDING, AIR, found.solid[:, ~inside])
    has = (found.solid == BUILDING).any(axis=0)
    return np.where(has, found.building, -1).astype(np.int32)


def _leaves(
    plan: Plan, params: TunnelParams, x: Floats, y: Floats, z: Floats, solid: NDArray[np.int8]
) -> NDArray[np.float32] | None:
    """Leaf area density of the air, None without trees."""
    if len(plan.crowns) == 0 or params.leaf_density == 0.0:
        return None
    density = params.leaf_density * (trees.LEAF_OFF if params.leaves == "winter" else 1.0)
    leaves = trees.leaf_area(plan.crowns, plan.axes, x, y, z, base=plan.extent.base, density=density)
    leaves[solid != AIR] = 0.0
    return leaves if leaves.any() else None


def _roughness(params: TunnelParams, extent: domain.Extent, x: Floats, y: Floats) -> NDArray[np.float32]:
    """(ny, nx) the ground's own where buildings are drawn, that of the terrain category along the border."""
    mx, my = 0.5 * (x[1:] + x[:-1]), 0.5 * (y[1:] + y[:-1])
    outside = terrain.border_weight(x, y, mx, my, extent.uniform) > 0.5
    return np.where(outside, EXPOSURE_ROUGHNESS[params.exposure], params.ground_roughness).astype(np.float32)


def _doubts(
    plan: Plan, params: TunnelParams, tunnel: Tunnel, found: voxels.Voxels, relief: terrain.Relief
) -> list[Issue]:
    """What the finest level does to the city; no open ground is an error."""
    extent = plan.extent
    inside = _within(tunnel.x, tunnel.y, extent.study)
    _check_open(tunnel, inside)
    feet = plan.axes.to_tunnel(plan.solids.feet[:, :2])
    study = np.asarray(((feet > extent.study[:2]) & (feet < extent.study[2:])).all(axis=1))
    issues = voxels.voxel_issues(plan.solids, found, study, inside, extent.cell)
    issues += _blockage(plan, tunnel)
    count = trees.trees_in_houses(plan.crowns, plan.axes, tunnel.x, tunnel.y, tunnel.building >= 0)
    issues += trees.house_issue(count)
    if plan.ground.is_relief and relief.unknown > UNKNOWN_GROUND:
        percent = round(100.0 * relief.unknown)
        message = f"{percent} % of the tunnel lies beside the terrain; the nearest known height was taken."
        issues.append(Issue("wind.terrain_short", message, "doubt", values={"percent": percent}))
    cliffs = terrain.cliff_columns(tunnel.ground.astype(np.float64), tunnel.x, tunnel.y, inside)
    if cliffs and plan.ground.is_relief:
        message = f"The ground is steeper than 45 degrees at {cliffs} columns; it is a flight of steps there."
        issues.append(Issue("wind.cliff", message, "doubt", cliffs))
    issues += _coarse_relief(tunnel, inside, domain.first_layer(extent.cell, 0))
    if plan.solids.filled.any():
        message = "Models with rooms were filled from their lowest to their highest part."
        issues.append(Issue("wind.models_filled", message, "note", int(plan.solids.filled.sum())))
    return issues


def _coarse_relief(tunnel: Tunnel, inside: Bools, layer: float) -> list[Issue]:
    """Ground of the study area above the fine cells: people there stand in a cell that is too high."""
    middles, steps = 0.5 * (tunnel.z[1:] + tunnel.z[:-1]), np.diff(tunnel.z)
    step = np.interp(tunnel.ground[inside] + 2.0 * layer, middles, steps)
    share = float((step > 1.5 * layer).mean()) if step.size else 0.0
    if share <= COARSE_GROUND:
        return []
    values = {"percent": round(100.0 * share), "layer": round(float(step.max()), 1)}
    message = (
        f"The relief is large: over {values['percent']} % of the study area the cells at the ground are up to "
        f"{values['layer']} m high."
    )
    return [Issue("wind.relief_coarse", message, "doubt", values=values)]


def _check_open(tunnel: Tunnel, inside: Bools) -> None:
    share = float((tunnel.building[inside] < 0).mean()) if inside.any() else 1.0
    if share < LEAST_OPEN:
        raise UserError(
            "The study area has no open ground.",
            f"Buildings cover {100.0 * (1.0 - share):.0f} % of it.",
            "Choose a larger study area, or another place.",
            code="wind.no_open_ground",
            values={"percent": round(100.0 * (1.0 - share))},
        )


def _blockage(plan: Plan, tunnel: Tunnel) -> list[Issue]:
    """What is said of buildings too large for the tunnel."""
    if len(plan.solids) == 0:
        return []
    return _tall(plan) + _narrow(plan, tunnel)


def _tall(plan: Plan) -> list[Issue]:
    """Towers far above the rest feel the sides of a tunnel that was measured by the rest."""
    solids, border = plan.solids, plan.extent.border
    feet = plan.axes.to_tunnel(solids.feet[:, :2])
    room = np.minimum((feet - border[:2]).min(axis=1), (border[2:] - feet).min(axis=1))
    tall = np.flatnonzero((solids.height > plan.high_building) & (room > 0) & (room < LEAST_ROOM * solids.height))
    if len(tall) == 0:
        return []
    highest = int(tall[np.argmax(solids.height[tall])])
    name, height = str(solids.name[highest]), round(float(solids.height[highest]))
    message = (
        f"{len(tall)} buildings, the highest {name} with {height} m, stand nearer than three of their heights to the "
        f"sides of the tunnel, which was measured by buildings of {plan.high_building:.0f} m."
    )
    values = {"building": name, "height": height, "usual": round(plan.high_building)}
    return [Issue("wind.tall_buildings", message, "doubt", len(tall), (name,), values)]


def _narrow(plan: Plan, tunnel: Tunnel) -> list[Issue]:
    """A building that takes more than three hundredths of the cross-section speeds the wind up beside it."""
    solids, border = plan.solids, plan.extent.border
    widest = np.linalg.norm(solids.high[:, :2] - solids.low[:, :2], axis=1)
    narrow = float(min(border[2] - border[0], border[3] - border[1]))
    share = np.minimum(widest, narrow) * np.minimum(solids.height, tunnel.z[-1]) / (narrow * tunnel.z[-1])
    worst = int(np.argmax(share))
    if share[worst] <= MOST_BLOCKAGE:
        return []
    percent = round(100.0 * float(share[worst]), 1)
    message = (
        f"{solids.name[worst]} takes {percent:g} % of the tunnel's cross-section; 3 % is the most for a good result."
    )
    values = {"building": str(solids.name[worst]), "percent": percent}
    return [Issue("wind.blockage", message, "doubt", 1, (str(solids.name[worst]),), values)]
