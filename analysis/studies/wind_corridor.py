"""Ventilation corridors: velocity ratio over the wind rose, lanes of least resistance, age of the air, what closes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Result, analysis
from analysis.corridor import outcome
from analysis.corridor.declaration import ASSUMPTIONS, REFERENCES, CorridorParams
from analysis.corridor.one_wind import CityForm, Direction, OneWind, blow, check, roughness_by_direction
from analysis.wind import climate, morphology, voxels
from analysis.wind.declaration import ClimateInputs
from analysis.wind.geometry import Built, build_tunnel
from geo.model import Feedback, Issue

Floats = NDArray[np.float64]

SECTORS = 16
FORM_RASTER = 2.0  # [m]


@analysis(
    id="wind.corridor",
    title="Ventilation corridors",
    description=(
        "Where the prevailing winds get through the city: velocity ratio weighted with the wind rose, lanes of least "
        "resistance with their width and bottlenecks, age of the air, and the buildings that close a corridor, the "
        "worst of them checked by solving the wind without them."
    ),
    version=1,
    inputs=ClimateInputs,
    params=CorridorParams,
    references=REFERENCES,
    headline=("cell", "reference_height"),
)
def wind_corridor(inputs: ClimateInputs, params: CorridorParams, feedback: Feedback) -> Result:
    """Solve the prevailing winds one after the other, the most frequent first."""
    feedback.step(0.0, "making the grid")
    issues: list[Issue] = []
    winds, covered = prevailing(inputs, params, issues)
    built = build_tunnel(
        inputs, params, feedback.part(0.0, 0.08), wind_from=np.array([wind.grid_from for wind in winds])
    )
    form = city_form(built, winds, params, feedback.part(0.08, 0.12))
    checks = min(params.checked, 10) if len(built.plan.solids) else 0
    shares = _shares(len(winds), checks)
    done: list[OneWind] = []
    for number, wind in enumerate(winds):
        part = feedback.part(shares[number], shares[number + 1])
        done.append(blow(built, wind, params, number, form, part))
        _forget(done, outcome.worst(done)[:checks])
        if feedback.wants_partial:
            feedback.partial(outcome.ratio_layers(done, params))
    for place, (wind_number, row) in enumerate(outcome.worst(done)[:checks]):
        part = feedback.part(shares[len(winds) + place], shares[len(winds) + place + 1])
        check(done[wind_number], row, built, params, part)
    feedback.step(0.98, "drawing the map")
    issues += [*built.issues, *max(done, key=lambda one: -1.0 if one.settled else one.change).issues]
    if not any(one.lanes for one in done):
        issues.append(Issue("wind.corridor.no_lane", "No wind finds a way through the study area.", "doubt"))
    drawn = outcome.Drawn(
        done, outcome.maps_of(done, params), form, built, params, outcome.site_of(inputs, params), covered
    )
    return Result(
        layers=outcome.layers(drawn),
        summary=outcome.summary(drawn),
        tables=outcome.tables(drawn),
        charts=outcome.charts(drawn),
        issues=tuple(issues),
        assumptions=ASSUMPTIONS,
    )


def _shares(winds: int, checks: int) -> Floats:
    """Where each wind and each check begins and ends in the progress."""
    work = np.concatenate([np.full(winds, 1.0), np.full(checks, 1.0)])
    return np.asarray(0.12 + 0.86 * np.concatenate([[0.0], np.cumsum(work) / work.sum()]))


def prevailing(
    inputs: ClimateInputs, params: CorridorParams, issues: list[Issue]
) -> tuple[tuple[Direction, ...], float | None]:
    """The most frequent winds with weights that add up to 1, and the share of the windy hours they are [%]."""
    layer = climate.weather_layer(inputs.weather) if params.directions == "rose" else None
    if layer is None:
        if params.directions == "rose":
            message = f"No weather: the wind from {params.wind_from:g} degrees alone is looked at."
            values = {"wind_from": params.wind_from}
            issues.append(Issue("wind.corridor.no_weather", message, "doubt", values=values))
        true_from = params.wind_from % 360.0
        number = round(true_from / 22.5)
        name = climate.sector_name(number % SECTORS, SECTORS) if number * 22.5 == true_from else f"{true_from:03.0f}"
        return (Direction(name, true_from, _grid(inputs, [true_from])[0], 1.0),), None
    weights = climate.rose_of(climate.hours_of(layer), SECTORS, issues).weights
    order = np.argsort(-np.round(weights, 9), kind="stable")
    reached = np.cumsum(weights[order])
    count = min(int(np.searchsorted(reached, params.share / 100.0 - 1e-9)) + 1, params.most_directions, SECTORS)
    chosen = [int(k) for k in order[:count] if weights[k] > 0.0]
    grid = _grid(inputs, [k * 360.0 / SECTORS for k in chosen])
    total = float(weights[chosen].sum())
    if 100.0 * total < params.share - 0.05:
        message = (
            f"The winds looked at blow in {100.0 * total:.0f} % of the windy hours; {params.share:g} % were wanted."
        )
        values = {"percent": round(100.0 * total), "wanted": params.share}
        issues.append(Issue("wind.corridor.share", message, "note", values=values))
    winds = tuple(
        Direction(climate.sector_name(k, SECTORS), k * 360.0 / SECTORS, grid[n], float(weights[k]) / total)
        for n, k in enumerate(chosen)
    )
    return winds, 100.0 * total


def _grid(inputs: ClimateInputs, true_from: Sequence[float]) -> list[float]:
    """Directions from grid north [degrees]."""
    found: list[float] = np.asarray(inputs.frame.grid_azimuth(np.array(true_from, dtype=np.float64))).tolist()
    return found


def city_form(built: Built, winds: Sequence[Direction], params: CorridorParams, feedback: Feedback) -> CityForm | None:
    """Frontal area and roughness of the study area by each of the winds; None without buildings."""
    solids: voxels.Solids = built.plan.solids
    if len(solids) == 0:
        return None
    study = built.plan.extent.study
    corners = np.array([[study[a], study[b]] for a in (0, 2) for b in (1, 3)])
    scene = built.plan.axes.to_scene(corners)
    cells = morphology.cells_over(scene.min(axis=0), scene.max(axis=0), params.form_cell)
    there = [wind.grid_from for wind in winds]
    both = [*there, *((azimuth + 180.0) % 360.0 for azimuth in there)]
    form = morphology.form_of(
        solids, built.plan.ground, cells, both, fine=FORM_RASTER, podium=params.layer, feedback=feedback
    )
    return CityForm(cells, form, roughness_by_direction(form, len(winds), params.ground_roughness))


def _forget(done: Sequence[OneWind], wanted: Sequence[tuple[int, int]]) -> None:
    """Let go of the flows that no check will want: further winds only push those found so far down."""
    numbers = {number for number, _ in wanted}
    for number, one in enumerate(done):
        if number not in numbers:
            one.forget()
