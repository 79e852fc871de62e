"""Headless. Tunnels for measured cases: blocks on flat ground, in any unit of length, from coarse to fine."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind.domain import STRETCH, STRETCH_UP, WIDEST, stretched
from analysis.wind.tunnel import AIR, BUILDING, Tunnel

Floats = NDArray[np.float64]
RoofHeights = Callable[[Floats, Floats], Floats]  # centres along x, along y -> (ny, nx) height, 0 without a building

FINE_LAYERS = 8


class Site(NamedTuple):
    """What stands in a case and how large the tunnel is.

    Attributes
    ----------
    window : (4,) float [m]
        x low, y low, x high, y high of the uniform cells.
    border : (4,) float [m]
        Outer faces.
    top : float [m]
    roofs : callable
        Height of the blocks over the centres of cells.
    crown : float [m]
        Up to this height layers are at most one cell high.
    ground_roughness, wall_roughness : float [m]
    """

    window: tuple[float, float, float, float]
    border: tuple[float, float, float, float]
    top: float
    roofs: RoofHeights
    crown: float
    ground_roughness: float
    wall_roughness: float


def box_roofs(boxes: Floats) -> RoofHeights:
    """Roof heights of upright boxes (n, 5): x low, y low, x high, y high, height [m]."""

    def roofs(x: Floats, y: Floats) -> Floats:
        out = np.zeros((len(y), len(x)))
        for low_x, low_y, high_x, high_y, height in boxes:
            inside = ((y >= low_y) & (y < high_y))[:, None] & ((x >= low_x) & (x < high_x))[None]
            out = np.where(inside, np.maximum(out, height), out)
        return out

    return roofs


def site_tunnels(site: Site, cell: float, *, levels: int = 3) -> list[Tunnel]:
    """Tunnels with cells of 4, 2 and 1 times `cell` [m], coarse to fine."""
    return [site_tunnel(site, cell * 2**level) for level in reversed(range(levels))]


def site_tunnel(site: Site, cell: float) -> Tunnel:
    """One level."""
    x, y, z = site_axes(site, cell)
    middle = [(a[1:] + a[:-1]) / 2 for a in (x, y, z)]
    height = site.roofs(middle[0], middle[1])
    solid = np.where(middle[2][:, None, None] < height[None], BUILDING, AIR).astype(np.int8)
    plan = height.shape
    return Tunnel(
        x=x, y=y, z=z, turn_deg=0.0, pivot=np.zeros(2), base=0.0, solid=solid,
        ground=np.zeros(plan, np.float32), leaf_area=None,
        ground_roughness=np.full(plan, site.ground_roughness, np.float32), building_roughness=site.wall_roughness,
        building=np.where(height > 0, 0, -1).astype(np.int32), study=np.array(site.window),
    )  # fmt: skip


def site_axes(site: Site, cell: float) -> tuple[Floats, Floats, Floats]:
    """Faces along x, y, z of a level."""
    x = _faces(site.border[0], site.window[0], site.window[2], site.border[2], cell)
    y = _faces(site.border[1], site.window[1], site.window[3], site.border[3], cell)
    return x, y, _layers(site, cell)


def _faces(border_low: float, low: float, high: float, border_high: float, cell: float) -> Floats:
    count = max(round((high - low) / cell), 1)
    before = stretched(low - border_low, cell, WIDEST * cell, factor=STRETCH)
    after = stretched(border_high - high, cell, WIDEST * cell, factor=STRETCH)
    inside = np.linspace(low, high, count + 1)
    return np.concatenate([low - np.cumsum(before)[::-1], inside, high + np.cumsum(after)])


def _layers(site: Site, cell: float) -> Floats:
    """Layers half a cell high at the ground, at most a cell up to the crown, then growing."""
    steps = [cell / 2] * FINE_LAYERS
    while sum(steps) < site.crown:
        steps.append(min(steps[-1] * STRETCH_UP, cell))
    done = sum(steps)
    over = stretched(site.top - done, steps[-1], WIDEST * cell, factor=STRETCH_UP)
    return np.concatenate([np.zeros(1), np.cumsum([*steps, *over])])


def mesh_roofs(vertices: Floats, faces: NDArray[np.int32], *, least: float) -> RoofHeights:
    """Height of the uppermost triangle over each centre; what is lower than `least` [m] is ground.

    vertices : (n, 3) [m], z up. faces : (m, 3).
    """
    corners = vertices[faces]
    corners = corners[corners[:, :, 2].max(axis=1) > least]
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    twice = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    size = np.ptp(corners[:, :, :2], axis=1).max(axis=1)
    flat = np.abs(twice) > 1e-9 * size**2
    corners, twice = corners[flat], twice[flat]

    def roofs(x: Floats, y: Floats) -> Floats:
        out = np.zeros((len(y), len(x)))
        low, high = corners[:, :, :2].min(axis=1), corners[:, :, :2].max(axis=1)
        first_x, last_x = np.searchsorted(x, low[:, 0]), np.searchsorted(x, high[:, 0], side="right")
        first_y, last_y = np.searchsorted(y, low[:, 1]), np.searchsorted(y, high[:, 1], side="right")
        for n in np.flatnonzero((first_x < last_x) & (first_y < last_y)):
            (ax, ay, az), (bx, by, bz), (cx, cy, cz) = corners[n]
            i, j = slice(first_x[n], last_x[n]), slice(first_y[n], last_y[n])
            px, py = x[i][None, :], y[j][:, None]
            v = ((px - ax) * (cy - ay) - (cx - ax) * (py - ay)) / twice[n]
            w = ((bx - ax) * (py - ay) - (px - ax) * (by - ay)) / twice[n]
            inside = (v >= -1e-9) & (w >= -1e-9) & (v + w <= 1 + 1e-9)
            height = az + v * (bz - az) + w * (cz - az)
            out[j, i] = np.where(inside, np.maximum(out[j, i], height), out[j, i])
        return out

    return roofs
