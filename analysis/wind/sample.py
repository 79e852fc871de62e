"""What is read from a flow: cell-centred velocities in the tunnel's own axes, values at points and on the map height.

Between cell centres values are linear over cells of air; below the lowest centre of air the speed follows the log law.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind.flow import GHOSTS, Flow, Heading
from analysis.wind.tunnel import AIR, Tunnel

Singles = NDArray[np.float32]
Floats = NDArray[np.float64]
PEAK_FACTOR, GEM_DIVISOR = 3.0, 1.85  # gust equivalent mean (U + 3 sigma) / 1.85


class Fields(NamedTuple):
    """Cell-centred values in the tunnel's own axes, (nz, ny, nx) float32: velocity [m/s], k [m2/s2]; zero in solids."""

    u: Singles
    v: Singles
    w: Singles
    k: Singles


class HeightMap(NamedTuple):
    """Values at one height above ground in the tunnel's own axes, (ny, nx) float32, NaN inside buildings."""

    u: Singles
    v: Singles
    w: Singles
    k: Singles

    @property
    def speed(self) -> Singles:
        """Length of the mean velocity [m/s]."""
        return np.asarray(np.sqrt(self.u**2 + self.v**2 + self.w**2), np.float32)

    @property
    def scalar_speed(self) -> Singles:
        """Mean of the speed that an omnidirectional probe feels, ``sqrt(|U|^2 + 4/3 k)`` [m/s]."""
        return scalar_speed(self.u, self.v, self.w, self.k)

    @property
    def sigma(self) -> Singles:
        """Standard deviation of one component, ``sqrt(2/3 k)`` [m/s]."""
        return np.asarray(np.sqrt(np.float32(2 / 3) * self.k), np.float32)

    @property
    def gust_equivalent(self) -> Singles:
        """Gust equivalent mean ``(|U| + 3 sigma) / 1.85`` [m/s]."""
        return np.asarray((self.speed + PEAK_FACTOR * self.sigma) / GEM_DIVISOR, np.float32)


def scalar_speed(u: Singles, v: Singles, w: Singles, k: Singles) -> Singles:
    """``sqrt(|U|^2 + 4/3 k)`` [m/s]."""
    return np.asarray(np.sqrt(u**2 + v**2 + w**2 + np.float32(4 / 3) * k), np.float32)


def centred(flow: Flow, heading: Heading, *, levels: int | None = None) -> Fields:
    """Cell-centred values of the lowest `levels` of a flow, turned back from the solver's mirror."""
    g, top = GHOSTS, flow.u.shape[0] - GHOSTS if levels is None else min(GHOSTS + levels, flow.u.shape[0] - GHOSTS)
    z, inner = slice(g, top), slice(g, -g)
    half = np.float32(0.5)
    u = half * (flow.u[z, inner, g:-g] + flow.u[z, inner, g + 1 : -g + 1])
    v = half * (flow.v[z, g:-g, inner] + flow.v[z, g + 1 : -g + 1, inner])
    w = half * (flow.w[z, inner, inner] + flow.w[g + 1 : top + 1, inner, inner])
    solid = flow.nut[z, inner, inner] == 0
    k = np.where(solid, np.float32(0), flow.k[z, inner, inner])
    for a in (u, v, w):
        a[solid] = 0
    if heading.flip_x:
        u, v, w, k = -u[:, :, ::-1], v[:, :, ::-1], w[:, :, ::-1], k[:, :, ::-1]
    if heading.flip_y:
        u, v, w, k = u[:, ::-1], -v[:, ::-1], w[:, ::-1], k[:, ::-1]
    return Fields(*(np.ascontiguousarray(a) for a in (u, v, w, k)))


def at_height(fields: Fields, tunnel: Tunnel, height: float) -> HeightMap:
    """Values at a height above ground [m]; terrain is followed."""
    air, (k0, low, high, share, scale) = _columns(tunnel, len(fields.u), height)
    j, i = np.indices(k0.shape)
    blocked = ~air[low, j, i] & ~air[high, j, i]
    share = np.where(air[high, j, i], np.where(air[low, j, i], share, 1.0), 0.0).astype(np.float32)
    out = []
    for name, a in zip("uvwk", fields, strict=True):
        value = a[low, j, i] * (1 - share) + a[high, j, i] * share
        if name != "k":
            value = value * scale
        out.append(np.where(blocked, np.float32(np.nan), value).astype(np.float32))
    return HeightMap(*out)


def levels_for(tunnel: Tunnel, height: float) -> int:
    """Number of lowest levels that hold a height above the highest ground [m]."""
    top = float(tunnel.ground.max()) + height
    return min(int(np.searchsorted(tunnel.z, top)) + 2, tunnel.shape[0])


def _columns(
    tunnel: Tunnel, levels: int, height: float
) -> tuple[NDArray[np.bool_], tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], Singles, Singles]]:
    """Air, and per column: first level of it, levels below and above the height, share of the upper, log law factor."""
    air = tunnel.solid[:levels] == AIR
    middle = ((tunnel.z[1:] + tunnel.z[:-1]) / 2)[:levels]
    wanted = tunnel.ground.astype(np.float64) + height
    first = np.argmax(air, axis=0)
    low = np.clip(np.searchsorted(middle, wanted) - 1, 0, levels - 2)
    share = np.clip((wanted - middle[low]) / (middle[low + 1] - middle[low]), 0.0, 1.0)
    # Whether the height lies below the lowest centre of air above the ground itself, not above a roof.
    ground_top = np.searchsorted(tunnel.z, tunnel.ground, side="right")
    below = (wanted < middle[first]) & (first <= ground_top)
    low, high = np.where(below, first, low), np.where(below, first, low + 1)
    roughness = tunnel.ground_roughness
    distance = np.maximum(middle[first] - tunnel.ground, 0.25 * np.diff(tunnel.z)[first])
    factor = np.log((height + roughness) / roughness) / np.log((distance + roughness) / roughness)
    scale = np.where(below, np.clip(factor, 0.0, 1.0), 1.0).astype(np.float32)
    return air, (first, low, high, share.astype(np.float32), scale)


class Sampler:
    """Values at any points of a flow.

    Parameters
    ----------
    fields : Fields
    tunnel : Tunnel
        In its own axes, not flipped.
    """

    def __init__(self, fields: Fields, tunnel: Tunnel) -> None:
        self._fields, self._tunnel = fields, tunnel
        self._air = tunnel.solid[: len(fields.u)] == AIR
        self._middle = [(a[1:] + a[:-1]) / 2 for a in (tunnel.x, tunnel.y, tunnel.z[: len(fields.u) + 1])]

    def in_tunnel(self, points: Floats) -> Floats:
        """Scene points (n, 3) in the tunnel's axes, height above its base."""
        turn_rad = math.radians(self._tunnel.turn_deg)
        x, y = points[:, 0] - self._tunnel.pivot[0], points[:, 1] - self._tunnel.pivot[1]
        cos, sin = math.cos(turn_rad), math.sin(turn_rad)
        return np.stack([x * cos + y * sin, -x * sin + y * cos, points[:, 2] - self._tunnel.base], axis=1)

    def at(self, points: Floats) -> Floats:
        """u, v, w, k (n, 4) at points (n, 3) in the tunnel's axes; NaN inside solids and outside.

        Linear over cells of air. Below the first centre above flat ground the velocity follows the log law.
        """
        index, share, inside = [], [], np.ones(len(points), bool)
        for axis, middle in enumerate(self._middle):
            faces = (self._tunnel.x, self._tunnel.y, self._tunnel.z[: len(middle) + 1])[axis]
            value = points[:, axis]
            inside &= (value >= faces[0]) & (value <= faces[-1])
            low = np.clip(np.searchsorted(middle, value) - 1, 0, len(middle) - 2)
            index.append(low)
            share.append(np.clip((value - middle[low]) / (middle[low + 1] - middle[low]), 0.0, 1.0))
        total, weight = np.zeros((len(points), 4)), np.zeros(len(points))
        for corner in range(8):
            step = [(corner >> axis) & 1 for axis in range(3)]
            i, j, k = (low + s for low, s in zip(index, step, strict=True))
            part = np.prod([t if s else 1 - t for t, s in zip(share, step, strict=True)], axis=0) * self._air[k, j, i]
            weight += part
            total += part[:, None] * np.stack([a[k, j, i] for a in self._fields], axis=1)
        known = inside & (weight > 1e-6)
        out = np.full((len(points), 4), np.nan)
        out[known] = total[known] / weight[known, None]
        out[:, :3] *= self._log_law(points)[:, None]
        return out

    def _log_law(self, points: Floats) -> Floats:
        """Factor on the velocity of the lowest cell below its centre, one above."""
        tunnel = self._tunnel
        i = np.clip(np.searchsorted(tunnel.x, points[:, 0]) - 1, 0, tunnel.shape[2] - 1)
        j = np.clip(np.searchsorted(tunnel.y, points[:, 1]) - 1, 0, tunnel.shape[1] - 1)
        first = self._middle[2][0]
        roughness = tunnel.ground_roughness[j, i]
        height = np.maximum(points[:, 2], 0.0)
        factor = np.log((height + roughness) / roughness) / np.log((first + roughness) / roughness)
        return np.where(height < first, factor, 1.0)
