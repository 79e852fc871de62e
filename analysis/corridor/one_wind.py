"""Everything about one wind: its flow, the age of its air, the city's form, its lanes, and what closes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.corridor import resolve
from analysis.corridor.blame import Closing, closings_of
from analysis.corridor.city import Downwind, Strips, fine_for, seen_downwind, strips_of
from analysis.corridor.criteria import Judged, judge
from analysis.corridor.declaration import CorridorParams
from analysis.corridor.lanes import Lane, find_lanes
from analysis.corridor.lattice import Air, Lattice, air_on, lattice_of, steps_by_flow, steps_by_form
from analysis.studies.wind_field import ITERATIONS, settling_issues
from analysis.wind import honesty
from analysis.wind.age import age_at, age_of_air
from analysis.wind.geometry import EXPOSURE_ROUGHNESS, Built
from analysis.wind.levels import Settings, solve
from analysis.wind.morphology import Cells, Form, Roughness, macdonald
from analysis.wind.profile import Inflow, log_inflow
from analysis.wind.tunnel import Tunnel
from geo.model import Feedback, Issue

Singles = NDArray[np.float32]
Floats = NDArray[np.float64]

MOST_BLAMED = 30  # rows of one wind
STATION_HEIGHT = 10.0  # [m] at which the wind speed is given
CHECK_ITERATIONS = {"preview": 100, "usual": 300, "settled": 600}


class Direction(NamedTuple):
    """A wind that is looked at: its name, where it comes from by true and by grid north [degrees], its weight."""

    name: str
    true_from: float
    grid_from: float
    weight: float


class CityForm(NamedTuple):
    """Frontal area and roughness by direction on large cells."""

    cells: Cells
    form: Form
    rough: tuple[Roughness, ...]

    def at(self, values: Floats, scene: Floats) -> Floats:
        """(n,) values of the cells below positions (n, 2) [local m]; NaN outside."""
        number = self.cells.number(scene)
        return np.where(number >= 0, values.ravel()[np.maximum(number, 0)], np.nan)


def roughness_by_direction(form: Form, count: int, ground: float) -> tuple[Roughness, ...]:
    """Macdonald's roughness for each of the first `count` directions of a form."""
    return tuple(macdonald(form.built, form.frontal[k], form.height, ground=ground) for k in range(count))


@dataclass(eq=False)
class OneWind:
    """What is known of one wind.

    Attributes
    ----------
    tunnel : Tunnel
    ratio : (ny, nx) float32
        Mean scalar speed over the reference on the tunnel's columns; NaN in buildings.
    aged : (ny, nx) float32 [s] or None
    change : float
        Of the map over the last 20 iterations.
    issues : list of Issue
        Why it cannot be relied on; empty once settled.
    reference : float [m/s]
    flow : Before or None
        The whole flow and its ages, as long as they may be wanted for a check: they are large.
    """

    direction: Direction
    tunnel: Tunnel
    ratio: Singles
    aged: Singles | None
    change: float
    settled: bool
    issues: list[Issue]
    reference: float
    flow: resolve.Before | None
    city: Downwind
    lattice: Lattice
    air: Air
    lanes: list[Lane]
    judged: list[Judged]
    strips: Strips
    closings: list[Closing]
    freed: dict[int, resolve.Freed] = field(default_factory=dict)
    before: resolve.Before | None = None

    def forget(self) -> None:
        """Let go of the whole flow."""
        self.flow = self.before = None


def inflow_of(direction: Direction, params: CorridorParams) -> Inflow:
    """The wind outside."""
    roughness = EXPOSURE_ROUGHNESS[params.exposure]
    return log_inflow(direction.grid_from, speed=params.speed, height=STATION_HEIGHT, roughness=roughness)


def settings_of(params: CorridorParams) -> Settings:
    """How long the flow is calculated."""
    return Settings(iterations=ITERATIONS[params.thoroughness], map_height=params.height)


def blow(
    built: Built, direction: Direction, params: CorridorParams, number: int, form: CityForm | None, feedback: Feedback
) -> OneWind:
    """Solve one wind and find its lanes. number : of the direction in the form's."""
    wind = inflow_of(direction, params)
    solved = solve(built.levels, wind, settings=settings_of(params), feedback=feedback.part(0.0, 0.75))
    age = age_of_air(solved, feedback.part(0.75, 0.9)) if params.age else None
    feedback.step(0.9, "finding lanes")
    reference = float(wind.speed(np.array([params.reference_height]))[0])
    city = seen_downwind(
        built.plan, direction.grid_from, fine_for(params.cell), params.height, feedback.part(0.9, 0.93)
    )
    lattice = lattice_of(city, solved.tunnel, params.cell)
    air = air_on(lattice, city, solved, params.height, reference)
    steps = steps_by_flow(lattice, air)
    if params.cost == "form" and form is not None:
        steps = steps_by_form(lattice, _frontal_on(lattice, city, form, number))
    lanes = find_lanes(lattice, steps, city, air, params.lanes)
    judged = [_judged(lane, city, form, number, params) for lane in lanes]
    feedback.step(0.96, "what closes them")
    closings = closings_of(city, lanes, MOST_BLAMED)
    strips = strips_of(city, params.strip, params.layer)
    feedback.step(1.0, "lanes found")
    ratio = solved.map_at(params.height).scalar_speed / np.float32(reference)
    return OneWind(
        direction, solved.tunnel, _in_the_open(ratio, solved.tunnel),
        None if age is None else _in_the_open(age_at(age, solved, params.height), solved.tunnel),
        solved.change, solved.converged, settling_issues(solved), reference, resolve.Before(solved, age), city,
        lattice, air, lanes, judged, strips, closings,
    )  # fmt: skip


def _in_the_open(values: Singles, tunnel: Tunnel) -> Singles:
    """Values of the columns without a building, NaN elsewhere (the map's height may lie below a bridge)."""
    return np.where(tunnel.building >= 0, np.float32(np.nan), values)


def _frontal_on(lattice: Lattice, city: Downwind, form: CityForm, number: int) -> Floats:
    """Frontal area index of the large cells on the lattice; 0 outside them."""
    xx, yy = np.meshgrid(lattice.x, lattice.y)
    scene = city.axes.to_scene(np.column_stack([xx.ravel(), yy.ravel()]))
    return np.nan_to_num(form.at(form.form.frontal[number], scene)).reshape(lattice.shape)


def _judged(lane: Lane, city: Downwind, form: CityForm | None, number: int, params: CorridorParams) -> Judged:
    scene = city.axes.to_scene(lane.xy)
    rough = np.full(len(scene), params.ground_roughness)
    if form is not None:
        rough = form.at(form.rough[number].length, scene)
    return judge(lane, rough, form_cell=params.form_cell, area_length=city.length)


def check(one: OneWind, row: int, built: Built, params: CorridorParams, feedback: Feedback) -> None:
    """Leave one of the closing rows out and keep what changes."""
    settings = Settings(iterations=(CHECK_ITERATIONS[params.thoroughness],), map_height=params.height)
    start, split = one.flow, 0.0
    if start is None:
        raise ValueError("the flow of this wind was let go")
    if one.before is None:
        split = 0.45
        one.before = resolve.carried_on(start.solved, start.age, settings, feedback.part(0.0, split))
    closing = one.closings[row]
    one.freed[row] = resolve.freed(
        one.before, start, built.plan, params, closing.elements, resolve.ground_in_scene(one.city, closing.corridor),
        settings=settings, reference=one.reference, feedback=feedback.part(split, 1.0),
    )  # fmt: skip


def trust_of(one: OneWind) -> NDArray[np.int8]:
    """(ny, nx) how far the flow can be trusted."""
    return honesty.trust(honesty.resolution(one.tunnel))
