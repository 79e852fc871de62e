"""Sensors that tell a field of wind or dust best: from maps and places to the sensors chosen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Chart, Quantity
from analysis.sensor_siting import outcome
from analysis.sensor_siting.declaration import SensorInputs, SensorParams
from analysis.sensor_siting.field import (
    FieldCells,
    ensemble_covariance,
    exponential_covariance,
    field_cells,
    runs_of,
)
from analysis.sensor_siting.gaussian import Prior, least_left, pick, random_left
from analysis.sensor_siting.scene import Ground, Scene, places_on_cells, weights_of
from geo.model import Feedback, Issue, Layer, UserError

Floats = NDArray[np.float64]

RANDOM_DRAWS = 20
SEED = 0


def represent(
    inputs: SensorInputs, params: SensorParams, scene: Scene | None, issues: list[Issue], feedback: Feedback
) -> tuple[outcome.Placed, list[Layer], Chart, dict[str, Quantity]]:
    """Pick the sensors. `scene`: the ground for the exponential covariance; None: the cells of the maps."""
    feedback.step(0.0, "learning how the field hangs together")
    shrunk = None
    if scene is None:
        cells = field_cells(runs_of(inputs.maps, params.field), issues)
        covariance, shrunk = ensemble_covariance(np.asarray(cells.values), issues)
    else:
        cells = _cells_of(scene.ground)
        covariance = exponential_covariance(cells.middle, params.length)
    ground_points = np.column_stack([cells.middle, np.zeros(len(cells.middle))])
    weight = weights_of(inputs, params, ground_points, cells.cell, issues)
    sites, at = places_on_cells(inputs, params, cells.middle, cells.cell, scene, issues)
    variance = np.diagonal(covariance).copy()
    prior = Prior(covariance, weight, at, (params.noise / 100.0) ** 2 * float((weight * variance).sum() / weight.sum()))
    if not prior.total > 0:
        raise UserError(
            "The field does not vary where anybody is.",
            "All cells that count have the same value in all runs.",
            "Name other maps, or leave the column of people empty.",
            code="sensor.siting.no_variance",
        )
    free = np.arange(len(at)) >= sites.existing
    existing = list(range(sites.existing))
    found = pick(prior, params.count, free, existing, feedback.part(0.1, 0.8))
    feedback.step(0.85, "proving a bound")
    bound = least_left(prior, len(found.places), existing)
    random = random_left(prior, len(found.places), free, existing, RANDOM_DRAWS, SEED)
    return outcome.of_field(found, cells, sites, variance, bound, random, shrunk)


def _cells_of(ground: Ground) -> FieldCells:
    return FieldCells(
        ground.x0, ground.y0, ground.cell, ground.shape, ground.number, np.array(ground.points[:, :2]), None
    )
