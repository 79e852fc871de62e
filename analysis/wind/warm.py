"""Warm starts: a flow of this session, kept to begin with after an edit on the same grid, cell for cell."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind import domain
from analysis.wind.declaration import CityInputs, TunnelParams
from analysis.wind.geometry import Built, build_tunnel, make_level
from analysis.wind.levels import Kept, Settings, Solved, solve
from analysis.wind.plan import Plan, same_tunnel, study_places
from analysis.wind.profile import Inflow
from analysis.wind.tunnel import Tunnel
from geo.model import Feedback, Issue, SessionStore

Singles = NDArray[np.float32]

LOOKS = (10, 40)  # iterations after which an edit shows, and shows again
LARGE = 2_000_000  # cells from which one look must do: each costs setting up the solver again
MEMORY_SHARE = 0.25  # of what is free that one kept flow may have
SETTLED = 0.005  # share of the map that changes in 20 iterations


class Earlier(NamedTuple):
    """A flow of this session.

    Attributes
    ----------
    plan : Plan
        Of its tunnel.
    kept : Kept
    speed : (ny, nx) float32 [m/s]
        Its map: mean scalar speed, NaN in buildings.
    change : float
        Of the map over its last 20 iterations.
    city : str
        Digest of what stands in its tunnel.
    """

    plan: Plan
    kept: Kept
    speed: Singles
    change: float
    city: str


class Begin(NamedTuple):
    """What a run begins with.

    Attributes
    ----------
    built : Built
        All levels, or the finest alone where there is an earlier flow.
    earlier : Earlier or None
    city : str
        Digest of what stands in the finest level.
    """

    built: Built
    earlier: Earlier | None
    city: str

    @property
    def goes_on(self) -> bool:
        """Whether nothing in the tunnel has changed since the earlier flow."""
        return self.earlier is not None and self.earlier.city == self.city


def family_of(inputs: CityInputs, params: TunnelParams, wind: Inflow, height: float) -> Hashable:
    """Equal for runs of which one may begin with the flow of the other: the same grid, ground and wind."""
    grid = tuple(getattr(params, name) for name in TunnelParams.model_fields)
    places = tuple(study_places(inputs, params).ravel().tolist())
    frame = inputs.frame
    return ("wind flow", grid, places, frame.crs, tuple(frame.origin), round(wind.wind_from, 6), wind.reference_speed,
            wind.reference_height, height)  # fmt: skip


def city_of(tunnel: Tunnel) -> str:
    """Digest of everything in a tunnel that the wind feels."""
    digest = hashlib.blake2b(digest_size=16)
    for a in (tunnel.x, tunnel.y, tunnel.z, tunnel.solid, tunnel.ground, tunnel.ground_roughness, tunnel.leaf_area):
        digest.update(b"-" if a is None else np.ascontiguousarray(a).data)
    return digest.hexdigest()


def begin(
    inputs: CityInputs, params: TunnelParams, feedback: Feedback, *, wind: Inflow, height: float, warm: bool
) -> Begin:
    """The tunnel of a run, and the earlier flow that it may begin with."""
    store = feedback.kept if warm else None
    last = _last(store, family_of(inputs, params, wind, height)) if store is not None else None
    if last is not None:
        plan = same_tunnel(last.plan, inputs, params, feedback.part(0.0, 0.1))
        if plan.extent is last.plan.extent:
            return _again(plan, params, last, store, family_of(inputs, params, wind, height), feedback.part(0.1, 1.0))
    built = build_tunnel(inputs, params, feedback, wind_from=np.array([wind.wind_from]))
    return Begin(built, None, city_of(built.finest))


def _last(store: SessionStore, family: Hashable) -> Earlier | None:
    """The flow of a family that was calculated last."""
    city = store.get((family, "last"))
    found: Earlier | None = store.get((family, city))
    return found


def _again(
    plan: Plan, params: TunnelParams, last: Earlier, store: SessionStore | None, family: Hashable, feedback: Feedback
) -> Begin:
    """The finest level alone; of the flows kept that of the very same city, else the last."""
    domain.check_memory(plan.extent, domain.free_memory())
    issues: list[Issue] = list(plan.issues)
    tunnel = make_level(plan, params, 0, feedback, issues)
    city = city_of(tunnel)
    same = store.get((family, city)) if store is not None else None
    return Begin(Built((tunnel,), plan, tuple(issues)), same or last, city)


def keep(begun: Begin, solved: Solved, feedback: Feedback, *, family: Hashable, height: float) -> None:
    """Leave a flow for later runs of this session, where there is room."""
    store = feedback.kept
    if store is None:
        return
    arrays: list[NDArray[Any]] = [*solved.flow, solved.kept.tunnel.solid]
    size = sum(a.nbytes for a in arrays)
    free = domain.free_memory()
    if free is not None and size > MEMORY_SHARE * free:
        return
    speed = np.where(solved.tunnel.building >= 0, np.float32(np.nan), solved.map_at(height).scalar_speed)
    earlier = Earlier(begun.built.plan, solved.kept, speed.astype(np.float32), solved.change, begun.city)
    if store.put((family, begun.city), earlier, size=size):
        store.put((family, "last"), begun.city, size=0)


def beginning_issues(begun: Begin) -> list[Issue]:
    """Said of a run that did not begin with still streets."""
    if begun.earlier is None:
        return []
    message = (
        "The calculation began with the wind of an earlier run of this session. From the start it would end with the "
        "same map, as far as both have settled."
    )
    return [Issue("wind.warm", message, "note")]


Show = Callable[[Solved], None]


def solve_from(begun: Begin, wind: Inflow, settings: Settings, feedback: Feedback, *, show: Show) -> Solved:
    """Steady wind, from coarse to fine, or from an earlier flow on the finest level alone.

    After an edit the run goes on until the map changes as little as that of the earlier flow did at its end (never
    less than `SETTLED`), so that the two can be compared; where nothing was edited, until it has settled.

    show : callable(Solved)
        Told of each level that has ended, and of the first look after an edit.
    """
    if begun.earlier is None:
        return solve(
            begun.built.levels, wind, settings=settings, feedback=feedback, on_level=lambda _number, found: show(found)
        )
    target = settings.change if begun.goes_on else max(settings.change, begun.earlier.change)
    cells = int(np.prod(begun.built.finest.shape))
    looks = LOOKS if cells < LARGE else LOOKS[:1]
    counts = (*looks, settings.iterations[-1])
    ends = np.cumsum((0, *counts)) / sum(counts)
    start, done, history = begun.earlier.kept, 0, list[tuple[int, float]]()
    for number, most in enumerate(counts):
        part = feedback.part(float(ends[number]), float(ends[number + 1]))
        stage = dataclasses.replace(settings, iterations=(most,), change=target)
        found = solve(begun.built.levels, wind, settings=stage, feedback=part, start=start)
        history += [(done + step, change) for step, change in found.history]
        start, done = found.kept, done + sum(found.iterations)
        if number < len(looks):
            show(found)
    settled = found.converged and found.change < SETTLED
    return dataclasses.replace(found, converged=settled, iterations=(done,), history=tuple(history))
