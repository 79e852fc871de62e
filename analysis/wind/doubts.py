"""What the grid of the wind tunnel does to the city, told to the user."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.wind import domain, terrain, trees, voxels
from analysis.wind.declaration import TunnelParams
from analysis.wind.plan import Plan
from analysis.wind.tunnel import Tunnel
from geo.model import Issue, UserError

Bools = NDArray[np.bool_]

MOST_BLOCKAGE = 0.03  # of the tunnel's cross-section by one building (COST 732, AIJ)
LEAST_ROOM = 3.0  # heights of a building to the nearest side
LEAST_OPEN = 0.02  # of the study area
COARSE_GROUND = 0.02  # share of the study area that is worth a word
LEAST_DEPTH = 2.0  # [m] below the terrain that no slope explains
NAMED = 20
UNKNOWN_GROUND = 0.01  # share of columns beside the terrain that is worth a word


def doubts_of(
    plan: Plan, params: TunnelParams, tunnel: Tunnel, found: voxels.Voxels, relief: terrain.Relief
) -> list[Issue]:
    """What the finest level does to the city; no open ground is an error."""
    extent = plan.extent
    inside = domain.columns_within(tunnel.x, tunnel.y, extent.study)
    _check_open(tunnel, inside)
    feet = plan.axes.to_tunnel(plan.solids.feet[:, :2])
    study = np.asarray(((feet > extent.study[:2]) & (feet < extent.study[2:])).all(axis=1))
    issues = voxels.voxel_issues(plan.solids, found, study, inside, extent.cell)
    issues += _blockage(plan, tunnel)
    issues += _buried(plan, tunnel)
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
    issues += _too_rough(params, domain.first_layer(extent.cell, 0))
    issues += _coarse_relief(tunnel, inside, domain.first_layer(extent.cell, 0))
    if plan.solids.filled.any():
        message = "Models with rooms were filled from their lowest to their highest part."
        issues.append(Issue("wind.models_filled", message, "note", int(plan.solids.filled.sum())))
    return issues


def _buried(plan: Plan, tunnel: Tunnel) -> list[Issue]:
    """Buildings of which half or more lies under the terrain: their heights count from another zero, or nobody set them
    on it.
    """
    solids = plan.solids
    if not plan.ground.is_relief or len(solids) == 0:
        return []
    feet = plan.axes.to_tunnel(solids.feet[:, :2])
    row = np.clip(np.searchsorted(tunnel.y, feet[:, 1]) - 1, 0, tunnel.shape[1] - 1)
    column = np.clip(np.searchsorted(tunnel.x, feet[:, 0]) - 1, 0, tunnel.shape[2] - 1)
    low_x, low_y, high_x, high_y = plan.extent.uniform
    inside = (feet[:, 0] > low_x) & (feet[:, 0] < high_x) & (feet[:, 1] > low_y) & (feet[:, 1] < high_y)
    depth = tunnel.ground[row, column] + tunnel.base - solids.low[:, 2]
    deep = np.flatnonzero(inside & (depth > np.maximum(LEAST_DEPTH, 0.5 * solids.height)))
    if len(deep) == 0:
        return []
    worst = int(deep[np.argmax(depth[deep])])
    name, metres = str(solids.name[worst]), round(float(depth[worst]), 1)
    message = (
        f"{len(deep)} buildings stand half or more below the terrain (the deepest, {name}, by {metres:g} m) and are "
        "missing in the wind."
    )
    names = tuple(str(solids.name[n]) for n in deep[:NAMED])
    values = {"building": name, "depth": metres}
    return [Issue("wind.buried", message, "doubt", len(deep), names, values)]


def _too_rough(params: TunnelParams, layer: float) -> list[Issue]:
    """A roughness length as high as the middle of the first cell: the logarithmic law has no meaning there."""
    most = 0.5 * layer / np.e
    if params.ground_roughness <= most:
        return []
    given = params.ground_roughness
    message = f"The ground's roughness length of {given:g} m is too much for its cells; {most:.2f} m counts."
    values = {"roughness": given, "most": round(float(most), 2)}
    return [Issue("wind.rough_ground", message, "doubt", values=values)]


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
