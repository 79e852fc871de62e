"""Setback for sunlight (정북 사선, 채광, 인동간격): what of the buildings breaks the distances of the building code."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Reference, Result, analysis
from analysis.sunlight_setback.bodies import Body, read_bodies
from analysis.sunlight_setback.daylight import DWELLINGS, judge_daylight
from analysis.sunlight_setback.declaration import SetbackInputs, SetbackParams
from analysis.sunlight_setback.facades import Wall, walls_of
from analysis.sunlight_setback.findings import Finding, Findings
from analysis.sunlight_setback.north import Envelope, judge_north
from analysis.sunlight_setback.outcome import ASSUMPTIONS, issues_of, layers_of, summary_of, tables_of
from analysis.sunlight_setback.parcels import read_parcels
from analysis.sunlight_setback.plots import City, city_of
from analysis.sunlight_setback.rules import rulebook
from analysis.sunlight_setback.spacing import judge_spacing
from geo.model import Feedback, Frame, Issue

Floats = NDArray[np.float64]

DECREE_86 = Reference(
    "building-decree-86",
    "건축법 제61조, 건축법 시행령 제86조 (일조 등의 확보를 위한 건축물의 높이 제한; 2023.9.12. 개정).",
)
DECREE_119 = Reference("building-decree-119", "건축법 시행령 제119조제1항제5호, 제2항 (높이와 지표면의 산정).")
MOLIT_REPLY = Reference(
    "ground-of-neighbours",
    "건축법 시행령 제119조제1항제5호나목 질의회신: 인접 대지의 지표면은 대지 전체를 가중평균한 하나의 지표면.",
)


@analysis(
    id="sunlight.setback",
    title="Setback for sunlight",
    description=(
        "The envelope that the setback from true north leaves to every plot, the parts of buildings beyond it, and the "
        "distances of apartments from boundaries and from one another, by the Korean building code."
    ),
    version=1,
    inputs=SetbackInputs,
    params=SetbackParams,
    references=(DECREE_86, DECREE_119, MOLIT_REPLY),
    headline=("low_height", "height_factor"),
)
def sunlight_setback(inputs: SetbackInputs, params: SetbackParams, feedback: Feedback) -> Result:
    """Judge the buildings of all plots."""
    issues: list[Issue] = []
    found, city, way, envelopes = judge(inputs, params, issues, feedback)
    layers = layers_of(found, envelopes, way, feedback.part(0.9, 1.0))
    feedback.step(1.0, "done")
    rules = rulebook()
    return Result(
        layers=layers,
        summary=summary_of(found, city, envelopes, rules),
        tables=tables_of(found, city),
        issues=(*issues_of(found, city, inputs, params, rules), *issues),
        assumptions=ASSUMPTIONS,
    )


def judge(
    inputs: SetbackInputs,
    params: SetbackParams,
    issues: list[Issue],
    feedback: Feedback,
    *,
    building: str = "",
    bodies: list[Body] | None = None,
) -> tuple[Findings, City, Floats, list[Envelope]]:
    """What the rules find, of which plots and buildings, the way to true north, and the envelopes.

    building : str
        Judge only the plot that this one stands on; all plots when empty.
    bodies : list of Body
        Of the buildings, where they were read before.
    """
    rules = rulebook()
    feedback.step(0.0, "reading the parcels")
    parcels = read_parcels(inputs.parcels, params, rules, issues, feedback.part(0.0, 0.05))
    if bodies is None:
        bodies = read_bodies(inputs.buildings, params, rules, issues, feedback.part(0.05, 0.25))
    city = city_of(parcels, bodies, inputs.roads, inputs.terrain, params, rules, issues, feedback.part(0.25, 0.35))
    city = _only_plot_of(city, building) if building else city
    found = Findings()
    way = true_north(inputs.frame)
    envelopes: list[Envelope] = []
    if params.north:
        envelopes = judge_north(city, way, params, rules, found, feedback.part(0.35, 0.6))
    walls = _walls(city, way, params, feedback.part(0.6, 0.65))
    if params.daylight:
        judge_daylight(city, walls, params, rules, found, feedback.part(0.65, 0.8))
    if params.spacing:
        judge_spacing(city, walls, way, params, rules, found, feedback.part(0.8, 0.9))
    _without_plot(city, found)
    return found, city, way, envelopes


def _only_plot_of(city: City, building: str) -> City:
    """The city with buildings to be judged on the plot of one building only; all else is still there to look at."""
    mine = [any(city.bodies[number].name == building for number in plot.bodies) for plot in city.plots]
    plots = [plot if own else plot._replace(bodies=(), open=True) for plot, own in zip(city.plots, mine, strict=True)]
    return city._replace(plots=plots)


def true_north(frame: Frame) -> Floats:
    """(2,) unit vector to true north in the scene."""
    azimuth_rad = np.radians(float(frame.grid_azimuth(0.0)))
    return np.array([np.sin(azimuth_rad), np.cos(azimuth_rad)])


def _walls(city: City, north: Floats, params: SetbackParams, feedback: Feedback) -> dict[int, list[Wall]]:
    """Walls of all buildings on plots with apartments."""
    walls = {}
    for number, plot in enumerate(city.plots):
        if plot.open or not any(city.bodies[body].use in DWELLINGS for body in plot.bodies):
            continue
        for body in plot.bodies:
            feedback.step(number / len(city.plots), "finding the walls")
            walls[body] = walls_of(city.bodies[body].triangles, north, params)
    return walls


def _without_plot(city: City, found: Findings) -> None:
    """Buildings that stand on no parcel."""
    for number in city.homeless:
        name = city.bodies[number].name
        found.add(Finding("plot", name, "", "", "", "cannot_tell", "no_plot", "", "", verified=True))
