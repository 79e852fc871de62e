"""Sky view factor of ground, facades and roofs, and the shares of buildings and trees."""

from __future__ import annotations

import numpy as np

from analysis.contract import Reference, Result, analysis
from analysis.studies.sunlight_hours import WALD_2014
from analysis.sunlight.city import city_of
from analysis.sunlight.declaration import SunlightInputs
from analysis.sunlight.ground import open_ground
from analysis.sunlight.outcome import element_names
from analysis.sunlight.surfaces import SORTS, check_facade_size, surface_cells
from analysis.sunlight_sky.declaration import SkyParams
from geo.model import Feedback, Issue, Layer, UserError

JOHNSON_WATSON_1984 = Reference(
    "johnson-watson-1984",
    "G. T. Johnson, I. D. Watson: The determination of view-factors in urban canyons. Journal of Climate and Applied "
    "Meteorology 23(2), 1984.",
    "10.1175/1520-0450(1984)023<0329:TDOVFI>2.0.CO;2",
)
GONZALEZ_2010 = Reference(
    "gonzalez-2010",
    "Á. González: Measurement of areas on a sphere using Fibonacci and latitude-longitude lattices. Mathematical "
    "Geosciences 42, 2010.",
    "10.1007/s11004-009-9257-x",
)


@analysis(
    id="sunlight.sky",
    title="Sky view",
    description="How much of the sky ground, facades and roofs see, and how much of it buildings and trees hide.",
    version=1,
    inputs=SunlightInputs,
    params=SkyParams,
    references=(JOHNSON_WATSON_1984, GONZALEZ_2010, WALD_2014),
)
def sunlight_sky(inputs: SunlightInputs, params: SkyParams, feedback: Feedback) -> Result:
    """Look at the sky from everywhere."""
    from analysis.sunlight_sky.outcome import (
        ASSUMPTIONS,
        building_table,
        ground_layer,
        summary,
        surface_layer,
    )
    from analysis.sunlight_sky.view import obstacles_of, views

    if inputs.terrain is None and not inputs.blockers and not inputs.relief:
        raise UserError(
            "There is nothing the sun could fall on.",
            "The project has neither a terrain nor buildings.",
            "Import a terrain or buildings first.",
            code="sunlight.nothing",
        )
    issues: list[Issue] = []
    feedback.step(0.0, "preparing the obstacles")
    city = city_of(inputs, params, issues, feedback.part(0.0, 0.1))
    obstacles = obstacles_of(city)
    layers: list[Layer] = []
    ground = None
    if params.ground:
        cells = open_ground(city, params, feedback.part(0.1, 0.15))
        upward = np.tile([0.0, 0.0, 1.0], (len(cells.points), 1))
        seen = views(obstacles, cells.points, upward, directions=params.directions, feedback=feedback.part(0.15, 0.5))
        ground = (cells, seen)
        layers.append(ground_layer(cells, seen))
    surfaces = {}
    names = element_names(city)
    if params.facades and city.buildings:
        check_facade_size(city, params)
        for number, name in enumerate(SORTS):
            share = feedback.part(0.5 + 0.24 * number, 0.74 + 0.24 * number)
            walls = surface_cells(city, params, name, issues, share.part(0.0, 0.2))
            found = views(
                obstacles, walls.points, walls.normals, directions=params.directions, feedback=share.part(0.2, 1.0)
            )
            surfaces[name] = (walls, found)
            if len(walls.area):
                layers.append(surface_layer(name, walls, found, names))
    feedback.step(1.0, "done")
    return Result(
        layers=tuple(layers),
        summary=summary(ground, surfaces, params.directions),
        tables=(building_table(surfaces, names),) if surfaces else (),
        issues=tuple(issues),
        assumptions=ASSUMPTIONS,
    )
