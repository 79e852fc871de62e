"""A few blocks with a real wind, a road's dust and people on the ground: what purifiers are tried in."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from analysis.dust.borders import background
from analysis.dust.catalogue import purifiers
from analysis.dust.faces import Faces, faces_of, from_speeds, projected
from analysis.dust.near_field import Setting
from analysis.dust.operator import Particle, make_operator
from analysis.dust.solver import Transport
from analysis.dust.unit import PlacedUnit, Ports, ports_of
from analysis.wind.crew import Crew
from analysis.wind.levels import Settings, solve
from analysis.wind.profile import log_inflow
from analysis.wind.tunnel import AIR, BUILDING, Tunnel
from app.cases.wind_tunnels import Site, box_roofs, site_tunnels
from geo.model import Feedback

DUST = Particle(0.0031, 0.005)
BACKGROUND = 30.0
BLOCKS = np.array(
    [
        [-60 + 44 * a, -60 + 44 * b, -32 + 44 * a, -32 + 44 * b, (16, 22, 12)[(a + b) % 3]]
        for a in range(3)
        for b in range(3)
    ],
    dtype=float,
)
# Open ground, streets with and without a road, courts; the roads run along y = -24 and x = -24.
SITES = (
    (-74.0, -74.0), (-10.0, -24.0), (20.0, -24.0), (-24.0, 20.0), (64.0, 0.0), (20.0, 18.0), (-70.0, 40.0), (76.0, 7.0),
)  # fmt: skip


class Town(NamedTuple):
    """Tunnel, its air, and the weights of the people (nz, ny, nx)."""

    tunnel: Tunnel
    faces: Faces
    weights: np.ndarray


@lru_cache(maxsize=1)
def town() -> Town:
    """Nine blocks at 4 m, wind from 250 degrees, 2 m/s at 10 m; people all over the ground between them."""
    site = Site((-90.0, -90.0, 90.0, 90.0), (-160.0, -160.0, 180.0, 160.0), 100.0, box_roofs(BLOCKS), 24.0, 0.1, 0.01)
    wind = log_inflow(250.0, speed=2.0, height=10.0, roughness=0.1)
    tunnels = site_tunnels(site, 4.0, levels=2)
    solved = solve(tunnels, wind, settings=Settings(iterations=(50, 50), change=0.0), feedback=Feedback())
    faces = projected(faces_of(solved))
    x, y = (0.5 * (a[1:] + a[:-1]) for a in (faces.x, faces.y))
    weights = np.zeros(faces.shape)
    weights[0] = faces.air[0] * ((np.abs(x) < 80.0)[None, :] & (np.abs(y) < 80.0)[:, None])
    weights *= faces.volumes()
    return Town(tunnels[-1], faces, weights / weights.sum())


@lru_cache(maxsize=4)
def setting(ratio: float = 1.0) -> Setting:
    """The town's dust and the worth of clean air in it, for a wind `ratio` times as fast."""
    faces = town().faces
    operator = make_operator(faces, particle=DUST.in_wind(ratio), dtype=np.float64)
    x, y = (0.5 * (a[1:] + a[:-1]) for a in (faces.x, faces.y))
    road = (np.abs(y + 24.0) < 6.0)[:, None] & (np.abs(x) < 90.0)[None, :]
    road |= (np.abs(x + 24.0) < 6.0)[None, :] & (np.abs(y) < 90.0)[:, None]
    emitted = np.zeros(faces.shape)
    emitted[0] = 40.0 * road * faces.air[0]
    with Crew(2) as crew:
        right = emitted / ratio + background(operator, BACKGROUND)
        dust = Transport(operator, crew).solve(right, Feedback(), tolerance=1e-10).values
        worth = Transport(operator, crew, transpose=True).solve(town().weights, Feedback(), tolerance=1e-10).values
    return Setting(faces, dust, worth, ratio, DUST)


def placed(model: str, x: float, y: float, towards_deg: float = 0.0, *, on_roof: bool = False) -> Ports:
    """A model of the catalogue in the town, for PM10."""
    return ports_of(PlacedUnit(purifiers()[model], x, y, towards_deg, on_roof), town().tunnel, "pm10")


def open_tunnel(faces: Faces) -> Tunnel:
    """The tunnel that belongs to faces, all of it on one ground."""
    flat = np.zeros(faces.shape[1:], np.float32)
    solid = np.where(faces.air, AIR, BUILDING).astype(np.int8)
    return Tunnel(
        faces.x, faces.y, faces.z, 0.0, np.zeros(2), 0.0, solid, flat, None, flat + 0.1, 0.1,
        np.full(flat.shape, -1, np.int32), np.zeros(4),
    )  # fmt: skip


def field(cell: float = 4.0, cells: int = 30) -> Faces:
    """Open ground, a wind of 1 m/s at 10 m along x (log law, roughness 3 cm)."""
    x = (np.arange(cells + 1) - cells / 2) * cell
    z = np.concatenate([np.arange(13.0), 12.0 + np.cumsum(1.15 ** np.arange(1, 14))])
    middle = 0.5 * (z[1:] + z[:-1])
    friction = 0.4 / np.log(10.0 / 0.03)
    shape = (len(middle), cells, cells)
    speed = np.broadcast_to((friction / 0.4 * np.log(middle / 0.03))[:, None, None], (len(middle), cells, cells + 1))
    still = np.zeros((len(middle), cells + 1, cells)), np.zeros((len(middle) + 1, cells, cells))
    mixing = np.broadcast_to((0.4 * friction * middle)[:, None, None], shape).copy()
    return from_speeds((x, x, z), np.ones(shape, bool), mixing, (speed, *still))
