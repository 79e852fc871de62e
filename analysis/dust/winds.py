"""The winds that carry the dust: one field per direction, on one grid, calculated once and kept for the session."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.classes import SECTORS, WindClasses
from analysis.dust.faces import Faces, faces_of, projected
from analysis.wind import domain
from analysis.wind.climate import sector_name
from analysis.wind.declaration import CityInputs, TunnelParams
from analysis.wind.geometry import EXPOSURE_ROUGHNESS, Built, build_levels
from analysis.wind.levels import Settings, Solved, solve
from analysis.wind.plan import plan_tunnel
from analysis.wind.profile import Inflow, log_inflow
from analysis.wind.surfaces import open_air
from analysis.wind.timing import estimate_seconds
from analysis.wind.transfer import power_factor
from analysis.wind.tunnel import AIR, BUILDING, Tunnel
from analysis.wind.warm import city_of
from geo.model import Feedback, Issue

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

REFERENCE_HEIGHT, SPEED = 60.0, 5.0  # [m], [m/s]: where and how fast the wind outside is set
MEASURED_HEIGHT = 10.0  # [m] at which speeds of classes are meant
SETTLED = 0.005  # change of the map in 20 iterations below which a wind counts as settled


class Air(NamedTuple):
    """The air of one direction, in the tunnel's own axes.

    Attributes
    ----------
    sector : int
        0 is centred on true north, the next lie clockwise (of `SECTORS`).
    east, north, up : float32 [m3/s]
        Fluxes through the faces as in `Faces`; balanced but for the rounding of float32.
    viscosity : (nz, ny, nx) float32 [m2/s]
        0 in solids.
    mirrored : (bool, bool)
        Whether the air blows against the tunnel's x and y.
    change : float
        Of the map over the wind's last 20 iterations.
    settled : bool
    """

    sector: int
    east: Singles
    north: Singles
    up: Singles
    viscosity: Singles
    mirrored: tuple[bool, bool]
    change: float
    settled: bool

    @property
    def bytes(self) -> int:
        """Memory of the arrays."""
        return sum(a.nbytes for a in (self.east, self.north, self.up, self.viscosity))


@dataclass(frozen=True)
class Winds:
    """All directions of a study, at one speed outside.

    Attributes
    ----------
    tunnel : Tunnel
        Air without a way out is solid: no wind reaches it.
    built : Built
    airs : dict of int to Air
        By sector.
    grid_from : dict of int to float
        Where each sector's wind comes from, clockwise from **grid** north [degrees].
    inflow : Inflow
        Outside, of the first sector; all have the same profile.
    factor : float
        Wind at 10 m over the site outside the buildings, over that of the weather station.
    issues : tuple of Issue
    city : hashable
        What tells this city and the way its winds were calculated from others; the key of what is kept of it.
    """

    tunnel: Tunnel
    built: Built
    airs: dict[int, Air]
    grid_from: dict[int, float]
    inflow: Inflow
    factor: float
    issues: tuple[Issue, ...] = field(default=())
    city: Hashable = ()

    @property
    def speed(self) -> float:
        """Of the calculated winds outside at `MEASURED_HEIGHT` [m/s]."""
        return float(self.inflow.speed(np.array([MEASURED_HEIGHT]))[0])

    def ratio(self, speed: float) -> float:
        """A wind of `speed` [m/s] at `MEASURED_HEIGHT` over the site, over the calculated one."""
        return speed / self.speed

    def rough(self, sector: int) -> Faces:
        """Faces of a sector as they are kept: their cells gain and lose about 1e-5 of the inflow."""
        return _restored(self.airs[sector], self.tunnel)

    def faces(self, sector: int) -> Faces:
        """Faces of a sector, free of sources (`projected`)."""
        air = self.airs[sector]
        return _mirrored(projected(_mirrored(self.rough(sector), air.mirrored)), air.mirrored)


class Case(NamedTuple):
    """A wind under which dust is calculated.

    Attributes
    ----------
    sector : int
    ratio : float
        Its speed over that of the calculated wind.
    speed : float [m/s]
        Outside at 10 m.
    share : float
        Of the time, all together 1.
    calm_share : float
        Part of the case's time that was calm: indicative only.
    """

    sector: int
    ratio: float
    speed: float
    share: float
    calm_share: float


def cases_of(classes: WindClasses, winds: Winds, *, banded: bool = False) -> tuple[Case, ...]:
    """Classes as cases, by share, the largest first.

    banded : bool
        Each band of speed for itself. Else one case a direction at its harmonic mean speed: exact for dust that does
        not deposit, because a source adds in proportion to one over the speed.
    """
    groups: dict[tuple[int, int], list[tuple[float, float, bool]]] = {}
    for one in classes.classes:
        key = (one.sector, one.band if banded else 0)
        groups.setdefault(key, []).append((one.share, one.speed, one.indicative))
    found = []
    for (sector, _), members in groups.items():
        share = sum(part for part, _, _ in members)
        speed = share / sum(part / fast for part, fast, _ in members)
        calm = sum(part for part, _, indicative in members if indicative) / share
        found.append(Case(sector, winds.ratio(speed), speed, share, calm))
    return tuple(sorted(found, key=lambda case: (-case.share, case.sector, case.speed)))


def one_case(winds: Winds, sector: int, speed: float) -> tuple[Case, ...]:
    """A single wind of a given speed [m/s] outside at 10 m."""
    return (Case(sector, winds.ratio(speed), speed, 1.0, 0.0),)


def sector_of(wind_from: float) -> int:
    """Sector in which a direction lies [degrees clockwise from true north]."""
    return round(wind_from % 360.0 / (360.0 / SECTORS)) % SECTORS


Shown = Callable[[Solved, int], None]
Ready = Callable[[Tunnel], None]


def blow(
    inputs: CityInputs,
    params: TunnelParams,
    sectors: Sequence[int],
    feedback: Feedback,
    *,
    iterations: tuple[int, ...],
    station_exposure: str = "D",
    directions: dict[int, float] | None = None,
    shown: Shown | None = None,
    ready: Ready | None = None,
) -> Winds:
    """Calculate the winds of some sectors, or take those kept of this session. Raises `UserError`.

    Parameters
    ----------
    sectors : sequence of int
        In the order in which they are calculated.
    iterations : tuple of int
        Per level, coarse to fine.
    station_exposure : str
        Terrain category of the weather station (KDS 41 12 00).
    directions : dict, optional
        True directions [degrees] of sectors that do not blow from their middle.
    shown : callable(solved, sector), optional
        Told of each direction that was calculated.
    ready : callable(tunnel), optional
        Told of the grid before any wind is calculated: what is wrong with sources or people is found at once.
    """
    feedback.step(0.0, "making the grid")
    true_from = {k: (directions or {}).get(k, k * 360.0 / SECTORS) for k in sectors}
    grid_from = {k: float(inputs.frame.grid_azimuth(np.array([angle]))[0]) for k, angle in true_from.items()}
    # The tunnel is laid out for winds from anywhere: other choices of directions find the winds of this session.
    plan = plan_tunnel(inputs, params, feedback.part(0.0, 0.01))
    built = build_levels(plan, params, feedback.part(0.01, 0.06))
    tunnel, sealed = _without_sealed(built.finest)
    if ready is not None:
        ready(tunnel)
    roughness = EXPOSURE_ROUGHNESS[params.exposure]
    inflows = {
        k: log_inflow(angle, speed=SPEED, height=REFERENCE_HEIGHT, roughness=roughness)
        for k, angle in grid_from.items()
    }
    settings = Settings(iterations=iterations)
    city = (city_of(built.finest), params.exposure, params.wall_roughness, iterations)
    airs = _calculated(built, inflows, settings, city, feedback.part(0.06, 1.0), shown)
    issues = (*built.issues, *_doubts(airs), *_of_sealed(sealed))
    factor = site_factor(params, station_exposure)
    return Winds(tunnel, built, airs, grid_from, inflows[sectors[0]], factor, issues, city)


def site_factor(params: TunnelParams, station_exposure: str) -> float:
    """Wind at 10 m over the site outside the buildings, over that of the weather station at 10 m."""
    wind = log_inflow(0.0, speed=SPEED, height=REFERENCE_HEIGHT, roughness=EXPOSURE_ROUGHNESS[params.exposure])
    low, high = wind.speed(np.array([MEASURED_HEIGHT, REFERENCE_HEIGHT]))
    return power_factor(station_exposure, params.exposure, site_height=REFERENCE_HEIGHT) * float(low / high)


def _without_sealed(tunnel: Tunnel) -> tuple[Tunnel, int]:
    """The tunnel with air that has no way out made solid, and the number of such cells."""
    air, sealed = open_air(tunnel)
    if sealed == 0:
        return tunnel, 0
    solid = np.where((tunnel.solid == AIR) & ~air, BUILDING, tunnel.solid).astype(np.int8)
    return tunnel._replace(solid=solid), sealed


def _of_sealed(count: int) -> list[Issue]:
    if not count:
        return []
    message = f"{count} cells of air have no way out: no wind reaches them, and nothing is said of the dust there."
    return [Issue("dust.sealed", message, "note", count)]


def _calculated(
    built: Built,
    inflows: dict[int, Inflow],
    settings: Settings,
    city: Hashable,
    feedback: Feedback,
    shown: Shown | None,
) -> dict[int, Air]:
    store = feedback.kept
    found: dict[int, Air] = {}
    for k, wind in inflows.items():
        kept = store.get(_key(city, wind)) if store is not None else None
        if kept is not None:
            found[k] = kept._replace(sector=k)
    missing = [k for k in inflows if k not in found]
    promised = estimate_seconds(built.levels, settings) if missing else 0.0
    began = time.perf_counter()
    for number, k in enumerate(missing):
        spent = time.perf_counter() - began
        left = (spent / number if number else promised) * (len(missing) - number)
        text = f"wind from {sector_name(k, SECTORS)}, {number + 1} of {len(missing)}, about {left:.0f} s left"
        part = feedback.part(number / len(missing), (number + 1) / len(missing))
        solved = solve(built.levels, inflows[k], settings=settings, feedback=_named(part, text, feedback))
        part.step(0.95, text)
        found[k] = _air(solved, k)
        if store is not None and found[k].bytes <= 0.25 * (domain.free_memory() or np.inf):
            store.put(_key(city, inflows[k]), found[k], size=found[k].bytes)
        if shown is not None:
            shown(solved, k)
    return {k: found[k] for k in inflows}


def _key(city: Hashable, wind: Inflow) -> Hashable:
    return ("dust air", city, round(wind.wind_from, 6))


def _named(part: Feedback, text: str, whole: Feedback) -> Feedback:
    """A part that says which wind it is, and not which iteration."""
    return Feedback(lambda fraction, _: part.step(0.95 * fraction, text), lambda: whole.cancelled)


def _air(solved: Solved, sector: int) -> Air:
    heading = solved.kept.heading
    mirrored = (bool(heading.flip_x), bool(heading.flip_y))
    faces = _mirrored(projected(faces_of(solved)), mirrored)

    def single(a: Floats) -> Singles:
        return np.ascontiguousarray(a, dtype=np.float32)

    return Air(
        sector, single(faces.east), single(faces.north), single(faces.up), single(faces.viscosity), mirrored,
        solved.change, solved.converged,
    )  # fmt: skip


def _restored(air: Air, tunnel: Tunnel) -> Faces:
    double = [a.astype(np.float64) for a in (air.viscosity, air.east, air.north, air.up)]
    return Faces(tunnel.x, tunnel.y, tunnel.z, air.viscosity > 0.0, *double)


def _mirrored(faces: Faces, mirrored: tuple[bool, bool]) -> Faces:
    """The same air seen in a mirror across x or y; fluxes along a turned axis change their sign."""
    turned_x, turned_y = mirrored
    flat = (slice(None), slice(None, None, -1 if turned_y else 1), slice(None, None, -1 if turned_x else 1))
    return faces._replace(
        x=-faces.x[::-1] if turned_x else faces.x,
        y=-faces.y[::-1] if turned_y else faces.y,
        air=np.ascontiguousarray(faces.air[flat]),
        viscosity=np.ascontiguousarray(faces.viscosity[flat]),
        east=np.ascontiguousarray(faces.east[flat]) * (-1.0 if turned_x else 1.0),
        north=np.ascontiguousarray(faces.north[flat]) * (-1.0 if turned_y else 1.0),
        up=np.ascontiguousarray(faces.up[flat]),
    )


def _doubts(airs: dict[int, Air]) -> list[Issue]:
    unsettled = [air for air in airs.values() if not air.settled and not air.change < SETTLED]
    if not unsettled:
        return []
    worst = max(air.change for air in unsettled)
    percent = round(100.0 * worst, 2) if np.isfinite(worst) else 100.0
    message = (
        f"{len(unsettled)} of {len(airs)} winds had not settled; the map of one was still changing by {percent:g} % "
        "in 20 iterations (settled: 0.5 %)."
    )
    values = {"percent": percent, "directions": len(airs)}
    return [Issue("dust.wind_not_settled", message, "doubt", len(unsettled), values=values)]
