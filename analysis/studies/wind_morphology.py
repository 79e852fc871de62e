"""The city's form in the way of the wind: built share, frontal area by direction, roughness. No flow is solved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Chart, Quantity, Reference, Result, Series, Table, analysis
from analysis.params import Params, choice, place, quantity
from analysis.places import read_places
from analysis.wind import climate, morphology, terrain, voxels
from analysis.wind.declaration import ClimateInputs
from geo.model import Column, Feedback, Field, Grid, Issue, Layer, Mesh, Style, UserError, merge_meshes

Floats = NDArray[np.float64]

LANE_ROUGHNESS = 0.5  # [m] Mayer, Beckroege and Matzarakis 1994: the most in a ventilation lane

MACDONALD_1998 = Reference(
    "macdonald-1998",
    "R. W. Macdonald, R. F. Griffiths, D. J. Hall: An improved method for the estimation of surface roughness of "
    "obstacle arrays. Atmospheric Environment 32(11), 1998.",
    "10.1016/S1352-2310(97)00403-2",
)
NG_2011 = Reference(
    "ng-2011",
    "E. Ng, C. Yuan, L. Chen, C. Ren, J. C. H. Fung: Improving the wind environment in high-density cities by "
    "understanding urban morphology and surface roughness. Landscape and Urban Planning 101(1), 2011.",
    "10.1016/j.landurbplan.2011.01.004",
)
MAYER_1994 = Reference(
    "mayer-1994",
    "H. Mayer, W. Beckroege, A. Matzarakis: Bestimmung von stadtklimarelevanten Luftleitbahnen. UVP-report 5, 1994.",
)

ASSUMPTIONS = (
    "Frontal area: walls that face the wind, projected across it; where walls touch, only what stands out.",
    "A building's height is counted from the ground at its middle. Trees and relief are not counted.",
    "Roughness by Macdonald et al. (1998) for staggered arrays (A 4.43, Cd 1.2); uneven heights make a city rougher.",
    "A cell without buildings has the roughness of the ground given.",
    "0.5 m as the most for a ventilation lane is a figure of the literature (Mayer et al. 1994), not of a law.",
)


class MorphologyParams(Params):
    """What a user can set."""

    area: str = place(
        "Area", default="", help="Its middle, or two opposite corners separated by ';'. Empty: all buildings."
    )
    size: float = quantity(
        "Width of the area", "m", default=1000.0, ge=50, le=20_000, help="Where its middle is given."
    )
    cell: float = quantity(
        "Cell", "m", default=100.0, ge=25, le=200, help="200 m fits the wind best in the literature."
    )
    raster: float = quantity("Raster of the buildings", "m", default=2.0, ge=0.5, le=5)
    podium: float = quantity(
        "Podium layer", "m", default=15.0, ge=3, le=60, help="The lowest metres, where people feel the wind."
    )
    directions: Literal["8", "16"] = choice("Wind directions", default="16")
    ground_roughness: float = quantity("Roughness length of the ground", "m", default=0.03, ge=0.0001, le=0.5)


@dataclass(frozen=True)
class MorphologyInputs(ClimateInputs):
    """What it works on."""


@analysis(
    id="wind.morphology",
    title="Frontal area and roughness of the city",
    description=(
        "How much the buildings stand in the way of the wind: built share, frontal area index by direction and "
        "weighted by the wind rose, roughness length and displacement. A first look at ventilation that solves no flow."
    ),
    version=1,
    inputs=MorphologyInputs,
    params=MorphologyParams,
    references=(MACDONALD_1998, NG_2011, MAYER_1994),
    headline=("cell", "directions"),
)
def wind_morphology(inputs: MorphologyInputs, params: MorphologyParams, feedback: Feedback) -> Result:
    """Cut the city into columns, once for each pair of directions."""
    issues: list[Issue] = []
    feedback.step(0.0, "gathering the city")
    solids = voxels.solids_of(inputs.buildings)
    if len(solids) == 0:
        raise UserError(
            "There are no buildings.",
            "The frontal area is one of buildings, and the layers chosen have none.",
            "Import buildings, or make a hidden layer visible.",
            code="wind.morphology.no_buildings",
        )
    directions = int(params.directions)
    weights, calm = _weights(inputs, directions, issues)
    cells = morphology.cells_over(*_rectangle(inputs, params, solids), params.cell)
    true_from: Floats = np.asarray(np.arange(directions) * (360.0 / directions), dtype=np.float64)
    grid_from = np.asarray(inputs.frame.grid_azimuth(true_from), dtype=np.float64)
    ground = _ground(inputs, solids, issues)
    feedback.step(0.05, "gathering the city")
    form = morphology.form_of(
        solids, ground, cells, grid_from.tolist(), fine=params.raster, podium=params.podium,
        feedback=feedback.part(0.05, 0.95),
    )  # fmt: skip
    frontal = np.tensordot(weights, form.frontal, axes=1)
    rough = morphology.macdonald(form.built, frontal, form.height, ground=params.ground_roughness)
    _odd_shares(form, issues)
    feedback.step(1.0, "done")
    return Result(
        layers=(_layer(cells, form, frontal, weights, rough, ground),),
        summary=_summary(form, frontal, weights, rough, calm),
        tables=(_table(form, weights, true_from),),
        charts=(_chart(form, true_from),),
        issues=tuple(issues),
        assumptions=ASSUMPTIONS,
    )


def _weights(inputs: MorphologyInputs, directions: int, issues: list[Issue]) -> tuple[Floats, float | None]:
    """Weight of each direction, together 1, and the share of calm hours; all alike without weather."""
    layer = climate.weather_layer(inputs.weather)
    if layer is None:
        issues.append(Issue("wind.no_weather", "No weather: all directions count alike.", "doubt"))
        return np.full(directions, 1.0 / directions), None
    rose = climate.rose_of(climate.hours_of(layer), directions, issues)
    return rose.weights, rose.calm


def _rectangle(inputs: MorphologyInputs, params: MorphologyParams, solids: voxels.Solids) -> tuple[Floats, Floats]:
    """South-west and north-east corner of the area [local m]."""
    found = read_places(params.area, inputs.buildings, inputs.frame)
    points = np.array([spot.point[:2] for spot in found], dtype=np.float64).reshape(-1, 2)
    if len(points) == 0:
        return solids.low[:, :2].min(axis=0), solids.high[:, :2].max(axis=0)
    if len(points) == 1:
        return points[0] - 0.5 * params.size, points[0] + 0.5 * params.size
    return points.min(axis=0), points.max(axis=0)


def _ground(inputs: MorphologyInputs, solids: voxels.Solids, issues: list[Issue]) -> terrain.Ground:
    surface = merge_meshes([layer.geometry for layer in inputs.relief if isinstance(layer.geometry, Mesh)])
    grid = inputs.terrain.geometry if inputs.terrain is not None else None
    return terrain.ground_of(grid if isinstance(grid, Grid) else None, surface, solids.feet, issues)


def _odd_shares(form: morphology.Form, issues: list[Issue]) -> None:
    """Macdonald's arrays were built up to about 80 % at most."""
    full = int((form.built > 0.8).sum())
    if full:
        message = f"{full} cells are built over by more than 80 %; the roughness formula was not made for that."
        issues.append(Issue("wind.morphology.full_cells", message, "doubt", full))


def _layer(
    cells: morphology.Cells,
    form: morphology.Form,
    frontal: Floats,
    weights: Floats,
    rough: morphology.Roughness,
    ground: terrain.Ground,
) -> Layer:
    """One grid with all maps."""
    x0, y0 = cells.low + 0.5 * cells.size
    level = float(np.nan_to_num(terrain.heights(ground, cells.middle[None])[0]))
    grid = Grid(frontal, float(x0), float(y0), cells.size, z=level)
    podium = np.tensordot(weights, form.podium, axes=1)
    count = len(form.frontal)
    fields = [
        Field("frontal_index", "1", "cell", frontal, ramp="exposure"),
        Field("frontal_index_podium", "1", "cell", podium, ramp="exposure"),
        Field("built_share", "1", "cell", form.built, ramp="exposure", range=(0.0, 1.0)),
        Field("mean_building_height", "m", "cell", form.height),
        Field("roughness_length", "m", "cell", rough.length),
        Field("displacement", "m", "cell", rough.displacement),
    ]
    top = max(float(form.frontal.max()), 1e-9)
    fields += [
        Field(
            f"frontal_{climate.sector_name(k, count)}", "1", "cell", form.frontal[k], ramp="exposure", range=(0.0, top)
        )
        for k in range(count)
    ]
    style = Style(colour_by="frontal_index")
    return Layer("form", "Frontal area and roughness", "result", grid, fields=tuple(fields), style=style)


def _summary(
    form: morphology.Form, frontal: Floats, weights: Floats, rough: morphology.Roughness, calm: float | None
) -> dict[str, Quantity]:
    """Key figures; means over all cells, of the heights over built area."""
    built = float(form.built.mean())
    tall = float((form.height * form.built).sum() / form.built.sum()) if form.built.any() else 0.0
    each = form.frontal.mean(axis=(1, 2))
    out = {
        "built_share": Quantity(round(100.0 * built, 2), "%"),
        "mean_height": Quantity(round(tall, 2), "m"),
        "frontal_index": Quantity(round(float(frontal.mean()), 4), "1"),
        "frontal_podium": Quantity(round(float(np.tensordot(weights, form.podium, axes=1).mean()), 4), "1"),
        "most_frontal": Quantity(climate.sector_name(int(np.argmax(np.round(each, 9))), len(each)), ""),
        "least_frontal": Quantity(climate.sector_name(int(np.argmin(np.round(each, 9))), len(each)), ""),
        "roughness": Quantity(round(float(rough.length.mean()), 3), "m"),
        "lane_share": Quantity(round(100.0 * float((rough.length <= LANE_ROUGHNESS).mean()), 2), "%"),
        "cells": Quantity(int(form.built.size), "1"),
    }
    if calm is not None:
        out["calm"] = Quantity(round(100.0 * calm, 1), "%")
    return out


def _table(form: morphology.Form, weights: Floats, wind_from: Floats) -> Table:
    """One row for each direction."""
    count = len(wind_from)
    names = np.array([climate.sector_name(k, count) for k in range(count)], dtype=object)
    columns = {
        "wind_direction": Column(names),
        "wind_from": Column(wind_from, "deg"),
        "wind_share": Column(100.0 * weights, "%"),
        "frontal_index": Column(form.frontal.mean(axis=(1, 2)), "1"),
        "frontal_index_podium": Column(form.podium.mean(axis=(1, 2)), "1"),
        "frontal_highest": Column(form.frontal.max(axis=(1, 2)), "1"),
    }
    return Table("directions", "Frontal area by direction", columns)


def _chart(form: morphology.Form, wind_from: Floats) -> Chart:
    series = (
        Series("All heights", wind_from, form.frontal.mean(axis=(1, 2))),
        Series("Podium layer", wind_from, form.podium.mean(axis=(1, 2)), role="dashed"),
    )
    return Chart("frontal", "Frontal area by direction", "Wind from", "deg", "Frontal area index", "1", series)
