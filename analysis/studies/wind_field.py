"""Wind of one direction through the city: a steady wind tunnel on the desk, from coarse to fine."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Chart, Quantity, Reference, Result, Series, analysis
from analysis.params import choice, quantity, switch
from analysis.wind import honesty, scene_map, timing, warm
from analysis.wind.declaration import CityInputs, TunnelParams
from analysis.wind.geometry import EXPOSURE_ROUGHNESS
from analysis.wind.levels import Settings, Solved
from analysis.wind.profile import Inflow, log_inflow
from geo.model import Feedback, Field, Issue, Layer, Style

Floats = NDArray[np.float64]
Thoroughness = Literal["preview", "usual", "settled"]

ITERATIONS: dict[Thoroughness, tuple[int, ...]] = {
    "preview": (150, 80, 40),
    "usual": (200, 150, 200),
    "settled": (200, 150, 800),
}
ABOVE_HIGHEST = 1.3  # heights of the highest building that the volume reaches
STREAM_HEIGHTS = (2.0, 12.0)  # [m] above ground through which streamlines are drawn
WEAK = 0.3  # of the wind outside at the same height: calm
LEAST_CHANGE = 0.005
CHANGE_SHOWN = 0.3  # of the wind outside: the ends of the colours of what an edit changes

LAUNDER_SPALDING_1974 = Reference(
    "launder-spalding-1974",
    "B. E. Launder, D. B. Spalding: The numerical computation of turbulent flows. Computer Methods in Applied "
    "Mechanics and Engineering 3(2), 1974 (k-epsilon).",
    "10.1016/0045-7825(74)90029-2",
)
RICHARDS_HOXEY_1993 = Reference(
    "richards-hoxey-1993",
    "P. J. Richards, R. P. Hoxey: Appropriate boundary conditions for computational wind engineering models using the "
    "k-epsilon turbulence model. J. Wind Engineering and Industrial Aerodynamics 46-47, 1993.",
    "10.1016/0167-6105(93)90124-7",
)
TOMINAGA_2008 = Reference(
    "tominaga-2008",
    "Y. Tominaga et al.: AIJ guidelines for practical applications of CFD to pedestrian wind environment around "
    "buildings. J. Wind Engineering and Industrial Aerodynamics 96, 2008.",
    "10.1016/j.jweia.2008.02.058",
)

# The translations count these from 0 (``wind.field.assumption.0``): keep the order.
ASSUMPTIONS = (
    "Steady, neutral flow (RANS, standard k-epsilon): no buoyancy, no cold air, no single gusts.",
    "Shown is the mean speed that a probe without direction feels, sqrt(|U|2 + 4/3 k), over that outside at 10 m.",
    honesty.CHECKED,
    "Lee and courtyards are too calm, and wakes two to two and a half times too long: calm zones are calm, their "
    "numbers are not.",
    "Trust: fewer than ten cells to the neighbouring building's height or across the gap: compare only; fewer than "
    "five: indicative.",
)


class FieldParams(TunnelParams):
    """One wind."""

    wind_from: float = quantity(
        "Wind from", "deg", default=315.0, ge=0.0, le=360.0, help="Clockwise from true north; 360 is 0."
    )
    speed: float = quantity(
        "Wind speed outside at 10 m", "m/s", default=3.0, ge=0.1, le=40.0, help="Ratios hardly depend on it."
    )
    height: float = quantity("Height of the map above ground", "m", default=1.75, ge=0.2, le=100.0)
    thoroughness: Thoroughness = choice(
        "How far it is calculated",
        default="usual",
        help="Preview: ranks only. Usual: most of what settling brings. Settled: until the map no longer changes.",
    )
    space: bool = switch("Wind in space and streamlines", default=True)
    warm: bool = switch(
        "Go on from the last run",
        default=True,
        help="After an edit the change shows in seconds: the last wind of this session is where it begins.",
    )


@analysis(
    id="wind.field",
    title="Wind of one direction",
    description=(
        "How a wind flows through streets and around buildings: speed at pedestrian height over the wind outside, "
        "where it can be trusted, streamlines, and the wind in space."
    ),
    version=1,
    inputs=CityInputs,
    params=FieldParams,
    references=(LAUNDER_SPALDING_1974, RICHARDS_HOXEY_1993, TOMINAGA_2008),
    headline=("wind_from", "speed", "cell"),
)
def wind_field(inputs: CityInputs, params: FieldParams, feedback: Feedback) -> Result:
    """Calculate one wind."""
    feedback.step(0.0, "making the grid")
    grid_from = float(inputs.frame.grid_azimuth(np.array([params.wind_from % 360.0]))[0])
    wind = log_inflow(grid_from, speed=params.speed, height=10.0, roughness=EXPOSURE_ROUGHNESS[params.exposure])
    settings = Settings(iterations=ITERATIONS[params.thoroughness], map_height=params.height)
    made, blown = timing.shares(settings, space=params.space)
    begun = warm.begin(inputs, params, feedback.part(0.0, made), wind=wind, height=params.height, warm=params.warm)

    def show(solved: Solved) -> None:
        if feedback.wants_partial:
            feedback.partial(preview_layers(solved, begun, wind, params))

    solved = warm.solve_from(begun, wind, settings, feedback.part(made, blown), show=show)
    family = warm.family_of(inputs, params, wind, params.height)
    warm.keep(begun, solved, feedback, family=family, height=params.height)
    feedback.step(blown, "drawing the map")
    layers = list(map_layers(solved, wind, params.cell, params.height))
    if params.space:
        layers += space_layers(solved, params, feedback.part(blown, 1.0))
    issues = [*begun.built.issues, *settling_issues(solved), *warm.beginning_issues(begun)]
    return Result(
        layers=tuple(layers),
        summary=summary(solved, wind, params.height),
        charts=(settling_chart(solved),),
        issues=tuple(issues),
        assumptions=ASSUMPTIONS,
    )


def preview_layers(solved: Solved, begun: warm.Begin, wind: Inflow, params: FieldParams) -> tuple[Layer, ...]:
    """What is shown of a flow that is still changing: its map, or after an edit what the edit has changed so far."""
    layers = map_layers(solved, wind, params.cell, params.height)
    if begun.earlier is None or begun.goes_on:
        return layers
    where = scene_map.scene_map(solved.tunnel, params.cell)
    now = np.where(solved.tunnel.building >= 0, np.nan, solved.map_at(params.height).scalar_speed)
    change = scene_map.laid(now - begun.earlier.speed, solved.tunnel, where) / reference(wind)
    field = Field("speed_ratio_difference", "1", "cell", change, ramp="difference", range=(-CHANGE_SHOWN, CHANGE_SHOWN))
    layer = layers[0].with_(fields=(field, *layers[0].fields), style=Style(colour_by=field.name))
    return (
        layer,
        *(arrows.with_(fields=()) for arrows in layers[1:]),
    )  # in one colour: their speeds are not the change


def reference(wind: Inflow, height: float = 10.0) -> float:
    """Mean scalar speed of the wind outside at a height [m/s]."""
    z = np.array([height])
    return float(np.sqrt(wind.speed(z)[0] ** 2 + 4.0 / 3.0 * wind.energy(z)[0]))


def map_layers(solved: Solved, wind: Inflow, cell: float, height: float) -> tuple[Layer, ...]:
    """The map at pedestrian height and its arrows."""
    tunnel, found = solved.tunnel, solved.map_at(height)
    where = scene_map.scene_map(tunnel, cell)
    ground = scene_map.laid(tunnel.ground, tunnel, where) + tunnel.base

    def on(values: NDArray[np.generic]) -> Floats:
        return scene_map.laid(np.where(tunnel.building >= 0, np.nan, values), tunnel, where)

    outside = reference(wind)
    speed = on(found.scalar_speed)
    east, north = scene_map.turned(on(found.u), on(found.v), tunnel)
    resolution = honesty.resolution(tunnel)
    trust = scene_map.laid_codes(honesty.trust(resolution), tunnel, where)
    fields = (
        Field("speed_ratio", "1", "cell", speed / outside, ramp="wind", range=(0.0, 1.5)),
        Field("scalar_speed", "m/s", "cell", speed, ramp="wind"),
        Field("mean_speed", "m/s", "cell", on(found.speed), ramp="wind"),
        Field("gust_equivalent", "m/s", "cell", on(found.gust_equivalent), ramp="wind"),
        Field("sigma", "m/s", "cell", on(found.sigma), ramp="wind"),
        Field("trust", "1", "cell", trust, categories=honesty.TRUST, ramp="severity"),
        Field("resolution", "1", "cell", on(resolution), ramp="viridis", range=(0.0, 15.0)),
    )
    level = float(np.nanmedian(ground)) + height if np.isfinite(ground).any() else tunnel.base
    grid = scene_map.grid_of(where, speed / outside, level)
    layer = Layer(
        "map", "Wind at pedestrian height", "result", grid, fields=fields, style=Style(colour_by="speed_ratio")
    )
    drawn = scene_map.arrows(east, north, ground + height, where)
    return (layer,) if drawn is None else (layer, drawn)


def space_layers(solved: Solved, params: FieldParams, feedback: Feedback) -> list[Layer]:
    """Streamlines and the wind in space."""
    tunnel, sampler = solved.tunnel, solved.sampler()
    feedback.step(0.1, "drawing streamlines")
    lines = scene_map.streamlines(sampler, tunnel, params.cell, STREAM_HEIGHTS, 0.02 * params.speed)
    feedback.step(0.6, "wind in space")
    high = honesty.building_height(tunnel)
    top = float(tunnel.ground.max()) + ABOVE_HIGHEST * max(float(high.max(initial=0.0)), 10.0)
    space = scene_map.volume(sampler, tunnel, params.cell, min(top, float(tunnel.z[-1])))
    return [space] if lines is None else [lines, space]


def summary(solved: Solved, wind: Inflow, height: float) -> dict[str, Quantity]:
    """Key figures over the open columns of the study area."""
    tunnel, found = solved.tunnel, solved.map_at(height)
    open_ground = scene_map.open_columns(tunnel)
    ratio = (found.scalar_speed / reference(wind))[open_ground]
    ratio = ratio[np.isfinite(ratio)].astype(np.float64)
    resolution = honesty.resolution(tunnel)

    def figure(value: float) -> float:
        return round(float(value), 4)

    return {
        "ratio_mean": Quantity(figure(ratio.mean()) if len(ratio) else None, "1"),
        "calm_share": Quantity(figure(100.0 * (ratio < WEAK).mean()) if len(ratio) else None, "%"),
        "ratio_p10": Quantity(figure(np.percentile(ratio, 10)) if len(ratio) else None, "1"),
        "ratio_p90": Quantity(figure(np.percentile(ratio, 90)) if len(ratio) else None, "1"),
        "indicative_share": Quantity(figure(100.0 * honesty.indicative_share(tunnel, resolution)), "%"),
        "settled": Quantity("yes" if solved.converged else "no", ""),
        "change": Quantity(figure(100.0 * solved.change), "%"),
        "divergence": Quantity(float(f"{solved.divergence:.3g}"), "1"),
        "iterations": Quantity(int(sum(solved.iterations)), "1"),
        "cells": Quantity(int(np.prod(tunnel.shape)), "1"),
    }


def settling_issues(solved: Solved) -> list[Issue]:
    """What is said of a flow that has not settled."""
    issues = []
    if not solved.converged:
        percent = round(100.0 * solved.change, 2)
        message = f"The map was still changing by {percent:g} % in 20 iterations (settled: {100 * LEAST_CHANGE:g} %)."
        issues.append(Issue("wind.not_settled", message, "doubt", values={"percent": percent}))
    if solved.sealed:
        message = f"{solved.sealed} cells of air have no way out and stay still."
        issues.append(Issue("wind.sealed", message, "note", solved.sealed))
    return issues


def settling_chart(solved: Solved) -> Chart:
    """How the change of the map fell."""
    steps = np.array([step for step, _ in solved.history], dtype=np.float64)
    change = np.array([100.0 * value for _, value in solved.history], dtype=np.float64)
    return Chart(
        "settling",
        "How the map settled",
        "Iteration",
        "1",
        "Change in 20 iterations",
        "%",
        (Series("change", steps, change),),
    )
