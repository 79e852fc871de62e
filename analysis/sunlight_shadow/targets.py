"""The points of a shadow study: open ground, walls and roofs, each with its building."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.sampling import FaceCells, GroundPoints
from analysis.sunlight.city import City, city_of, element_count
from analysis.sunlight.declaration import SunlightInputs
from analysis.sunlight.ground import open_ground
from analysis.sunlight.outcome import Names, element_names
from analysis.sunlight.surfaces import SORTS, check_facade_size, surface_cells
from analysis.sunlight_rights.declaration import RightsInputs, RightsParams
from analysis.sunlight_rights.obstacles import Obstacles, obstacles_of
from analysis.sunlight_shadow.declaration import ShadowInputs, ShadowParams
from analysis.sunlight_shadow.trace import Targets
from geo.model import Feedback, Issue, Layer

Indices = NDArray[np.int64]


class Looked(NamedTuple):
    """What is looked at.

    Attributes
    ----------
    city : City
    obstacles : Obstacles
    names : Names
        Of the elements of all buildings, as the cells number them.
    building : (e,) int64
        Number in `obstacles` of each of these elements.
    ground : GroundPoints or None
    surfaces : dict of "facades" and "roofs" -> FaceCells
    """

    city: City
    obstacles: Obstacles
    names: Names
    building: Indices
    ground: GroundPoints | None
    surfaces: dict[str, FaceCells]

    def ground_targets(self) -> Targets:
        """The cells of the ground."""
        points = self.ground.points if self.ground is not None else np.zeros((0, 3))
        area = np.full(len(points), self.ground.cell**2 if self.ground is not None else 0.0)
        return Targets(points, area, None, np.full(len(points), -1), np.zeros(len(points), dtype=bool))

    def surface_targets(self, name: str) -> Targets:
        """The cells of walls or roofs."""
        cells = self.surfaces[name]
        building = self.building[cells.element]
        return Targets(cells.points, cells.area, cells.normals, building, self.obstacles.new[building])


def look(inputs: ShadowInputs, params: ShadowParams, issues: list[Issue], feedback: Feedback) -> Looked:
    """Gather the obstacles with and without the new project, and cut ground and surfaces into cells."""
    blockers = tuple({layer.id: layer for layer in (*inputs.blockers, *inputs.proposal)}.values())
    everything = SunlightInputs(
        frame=inputs.frame, terrain=inputs.terrain, relief=inputs.relief, blockers=blockers, trees=inputs.trees
    )
    city = city_of(everything, params, issues, feedback.part(0.0, 0.2))
    obstacles = _obstacles(inputs, params, feedback.part(0.2, 0.4))
    ground = open_ground(city, params, feedback.part(0.4, 0.6)) if params.ground else None
    surfaces = {}
    if params.facades and city.buildings:
        check_facade_size(city, params)
        for number, name in enumerate(SORTS):
            share = feedback.part(0.6 + 0.2 * number, 0.8 + 0.2 * number)
            surfaces[name] = surface_cells(city, params, name, issues, share)
    building = [obstacles.of_element[layer.id] for layer, _, _ in city.buildings]
    numbers = np.concatenate(building) if building else np.zeros(0, np.int64)
    return Looked(city, obstacles, element_names(city), numbers, ground, surfaces)


def _obstacles(inputs: ShadowInputs, params: ShadowParams, feedback: Feedback) -> Obstacles:
    given = RightsInputs(
        frame=inputs.frame,
        dwellings=(),
        obstructions=inputs.blockers,
        proposal=inputs.proposal,
        terrain=inputs.terrain,
        relief=inputs.relief,
        trees=inputs.trees,
    )
    wanted = RightsParams(new_buildings=params.new_buildings, trees_block=params.trees_block)
    return obstacles_of(given, wanted, [], feedback)  # its doubts are those that the city has told already


def element_rows(looked: Looked, layer: Layer) -> slice | None:
    """The rows of a building layer's elements among those of all buildings; None for any other layer."""
    first = 0
    for other, mesh, _ in looked.city.buildings:
        count = element_count(other, mesh)
        if other.id == layer.id:
            return slice(first, first + count)
        first += count
    return None
