"""The levels of the wind tunnel, from coarse to fine, each made from the vectors of the scene."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind import domain, terrain, trees, voxels
from analysis.wind.declaration import CityInputs, TunnelParams
from analysis.wind.doubts import doubts_of
from analysis.wind.plan import LEVELS, Plan, plan_tunnel
from analysis.wind.tunnel import AIR, BUILDING, GROUND, Tunnel
from geo.model import Feedback, Issue

Floats = NDArray[np.float64]

EXPOSURE_ROUGHNESS = {"A": 2.0, "B": 0.5, "C": 0.1, "D": 0.01}  # [m] z0 of the ground where houses are not drawn


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
    return build_levels(plan, params, feedback.part(0.1, 1.0))


def build_levels(plan: Plan, params: TunnelParams, feedback: Feedback) -> Built:
    """All levels of a planned tunnel, coarse to fine."""
    domain.check_memory(plan.extent, domain.free_memory())
    issues = list(plan.issues)
    levels = []
    # The finest level has eight times the columns of the next: the doubts are those of the finest.
    shares = (0.0, 0.05, 0.25, 1.0)
    for number in range(LEVELS):
        level = LEVELS - 1 - number
        part = feedback.part(shares[number], shares[number + 1])
        levels.append(make_level(plan, params, level, part, issues if level == 0 else None))
    return Built(tuple(levels), plan, tuple(issues))


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
        issues += doubts_of(plan, params, tunnel, found, relief)
    feedback.step(1.0, "grid made")
    return tunnel


def _clear_border(
    found: voxels.Voxels, extent: domain.Extent, high_building: float, x: Floats, y: Floats
) -> NDArray[np.int32]:
    """Take the buildings out of the strip along the border; number of the building over each column."""
    strip = domain.clear_strip(high_building) * np.array([1.0, 1.0, -1.0, -1.0])
    inside = domain.columns_within(x, y, extent.border + strip)
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
