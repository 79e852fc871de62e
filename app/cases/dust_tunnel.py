"""Headless. Dispersion in a wind tunnel against the engine of dust: any case in the layout of `dust_layout`.

The wind is calculated as in the cases of wind, then the plume of the source on the same grid, with each turbulent
Schmidt number of the published band. Nothing is tuned: the scores without a suffix are those of the usual number.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.borders import balance, negative_share
from analysis.dust.faces import Faces, faces_of, projected
from analysis.dust.operator import SCHMIDT, Mixing, Operator, make_operator
from analysis.dust.solver import Transport
from analysis.wind.crew import Crew
from analysis.wind.levels import Settings, Solved, solve
from analysis.wind.scores import scores
from app.cases.contract import Case, CaseResult, Comparison, Limit, at_least, at_most
from app.cases.dust_layout import CONCENTRATION, Plume, damaged, read_plume
from app.cases.wind_aij import AIR_VISCOSITY, ITERATIONS, MOST_CELLS, PER_SIDE
from app.cases.wind_tunnels import Site, site_axes, site_tunnels
from geo.model import Feedback

Floats = NDArray[np.float64]

NUMBERS = (0.5, SCHMIDT, 1.0)  # turbulent Schmidt numbers
CELLS_PER_HEIGHT = 10
COARSER = 1.05
BEFORE, BEHIND, OVER = 5.0, 10.0, 6.0  # distance of the borders [highest roofs]
HIT = 0.25  # a hit lies within this share of what was measured
LIMITS: dict[str, Limit] = {
    "fb": {"min": -0.67, "max": 0.67}, "nmse": at_most(6.0), "fac2": at_least(0.30), "mass_missing": at_most(1e-3),
}  # fmt: skip
NOTES = (
    "Compared is chi = C U H^2 / Q, C the mean concentration, U the speed of the inflow at H, Q the emission.",
    "fb: 2 (measured - calculated) / (measured + calculated), above zero where the calculation is too low; nmse: "
    "normalised mean square error; fac2: share within a factor of two; hit_rate: share within 25 %.",
    "Scores without a suffix are those of a turbulent Schmidt number of 0.7; nothing was fitted to the case.",
    "Limits for dispersion in cities: Hanna and Chang (2012), Meteorol. Atmos. Phys. 116, 133-146, "
    "doi:10.1007/s00703-011-0177-1. The correlation has no limit there.",
    "The source is spread over the cells around its place; how fast its gas leaves is not modelled.",
)


class Sampled(NamedTuple):
    """Weights of the cells around places.

    Attributes
    ----------
    cell : (n, 8) int64
        Flat numbers.
    weight : (n, 8) float
        Of those in the air, together 1; 0 throughout where all are solid.
    """

    cell: NDArray[np.int64]
    weight: Floats

    @property
    def known(self) -> NDArray[np.bool_]:
        """Places with air around them."""
        return np.asarray(self.weight.sum(axis=1) > 0.0)

    def values(self, field: NDArray[np.floating]) -> Floats:
        """(n,) values of a field (nz, ny, nx); NaN without air."""
        found = (field.reshape(-1)[self.cell] * self.weight).sum(axis=1)
        return np.asarray(np.where(self.known, found, np.nan))


def recognise(path: Path) -> bool:
    """Whether it is a folder (or its ``concentration.json``) with a dispersion case."""
    return (path / CONCENTRATION).is_file() if path.is_dir() else path.name == CONCENTRATION and path.is_file()


def run(path: Path, feedback: Feedback) -> CaseResult:
    """Calculate wind and plume, and compare."""
    return compare(read_plume(path), feedback)


def compare(
    plume: Plume, feedback: Feedback, *, cell: float = 0.0, iterations: tuple[int, ...] = ITERATIONS
) -> CaseResult:
    """Scores of a case.

    cell : of the uniform part [m], 0: a tenth of H, or the finest that fits.
    """
    feedback.step(0.0, "reading the case")
    solved = blown(plume, feedback.part(0.0, 0.9), cell=cell, iterations=iterations)
    faces = projected(faces_of(solved))
    source = around(faces, mirrored(solved, plume.source[None]))
    points = around(faces, mirrored(solved, plume.points))
    if not source.known.all():
        raise damaged(f"{CONCENTRATION}: the source lies inside a block")
    emitted = np.zeros(faces.shape)
    np.add.at(emitted.reshape(-1), source.cell[0], source.weight[0])
    speed = float(plume.inflow.speed(np.array([plume.height]))[0])
    metrics: dict[str, float] = {}
    comparisons = []
    for number, schmidt in enumerate(NUMBERS):
        operator = make_operator(faces, mixing=Mixing(schmidt, AIR_VISCOSITY * plume.scale))
        part = feedback.part(0.9 + 0.03 * number, 0.93 + 0.03 * number)
        with Crew() as crew:
            field = Transport(operator, crew).solve(emitted, part).values
        chi = points.values(field) * speed * plume.height**2
        found = _scores(chi, plume.observed)
        metrics |= {f"{key}_sc{schmidt:g}": value for key, value in found.items()}
        if schmidt == SCHMIDT:
            metrics |= found | _doubtful(operator, field, emitted)
        comparisons.append(Comparison(f"schmidt_{schmidt:g}", plume.observed, chi))
    metrics |= _about(plume, solved, points, speed)
    feedback.step(1.0, "scored")
    return CaseResult("dust", metrics, LIMITS, (*NOTES, *plume.notes), tuple(comparisons))


def _scores(predicted: Floats, observed: Floats) -> dict[str, float]:
    """What can be told of the pairs; rows that are all alike have no correlation."""
    found = scores(predicted, observed, absolute=0.0)
    if found.points < 2:
        raise damaged("fewer than two rows with a value lie in the open air")
    named = {
        "fb": found.bias, "nmse": found.error, "fac2": found.fac2, "correlation": found.correlation,
        "hit_rate": found.hit_rate, "points": float(found.points),
    }  # fmt: skip
    return {key: value for key, value in named.items() if np.isfinite(value)}


def _doubtful(operator: Operator, field: NDArray[np.floating], emitted: Floats) -> dict[str, float]:
    """How well the numbers close: mass not accounted for, mass below zero."""
    return {
        "mass_missing": abs(balance(operator, field, emitted).missing),
        "negative_share": negative_share(field, operator.faces.volumes()),
    }


def _about(plume: Plume, solved: Solved, points: Sampled, speed: float) -> dict[str, float]:
    window = solved.tunnel.study
    count = int(np.sum((solved.tunnel.x > window[0]) & (solved.tunnel.x <= window[2])))
    return {
        "rows": float(len(plume.points)), "rows_in_blocks": float((~points.known).sum()),
        "inflow_over_uref": speed / plume.speed, "cells": float(np.prod(solved.tunnel.shape)),
        "cells_per_height": plume.height * count / float(window[2] - window[0]),
        "settled": float(solved.converged), "change": solved.change, "iterations": float(solved.iterations[-1]),
    }  # fmt: skip


def blown(plume: Plume, feedback: Feedback, *, cell: float = 0.0, iterations: tuple[int, ...] = ITERATIONS) -> Solved:
    """The wind of a case."""
    site, finest = plume_site(plume, cell)
    settings = Settings(iterations=iterations, map_height=plume.height / 2)
    return solve(site_tunnels(site, finest), plume.inflow, settings=settings, feedback=feedback)


def plume_site(plume: Plume, cell: float = 0.0) -> tuple[Site, float]:
    """Tunnel of a case and its cell [m]: uniform over blocks, source and rows, as fine as is affordable."""
    places = np.vstack([plume.source[None], plume.points])
    low = np.minimum(plume.low, places[:, :2].min(axis=0))
    high = np.maximum(plume.high, places[:, :2].max(axis=0))
    angle_rad = np.radians(270.0 - plume.inflow.wind_from)
    blows = np.array([np.cos(angle_rad), np.sin(angle_rad)])
    tall = max(plume.highest, plume.height)
    reach = np.where(np.concatenate([-blows, blows]) > 0.2, BEHIND, BEFORE) * tall
    crown = max(1.25 * tall, min(float(places[:, 2].max()), 2.0 * tall))
    step = cell or plume.height / CELLS_PER_HEIGHT
    while True:
        start = low - PER_SIDE / 2 * step
        end = start + 4 * step * np.ceil((high - low + PER_SIDE * step) / (4 * step) - 1e-9)
        border = np.concatenate([np.minimum(low - reach[:2], start - step), np.maximum(high + reach[2:], end + step)])
        site = Site((*start, *end), tuple(border), OVER * tall, plume.roofs, crown, plume.floor, plume.wall)
        if cell or float(np.prod([len(axis) - 1.0 for axis in site_axes(site, step)])) <= MOST_CELLS:
            return site, step
        step *= COARSER


def mirrored(solved: Solved, places: Floats) -> Floats:
    """Positions (n, 3) as the solver's mirror has them."""
    heading = solved.kept.heading
    sides = np.array([-1.0 if heading.flip_x else 1.0, -1.0 if heading.flip_y else 1.0, 1.0])
    return np.asarray(places * sides)


def around(faces: Faces, places: Floats) -> Sampled:
    """The eight cells around places (n, 3), weighted by nearness, those in the air only."""
    cells, weights = np.zeros((len(places), 1), np.int64), np.ones((len(places), 1))
    for axis, edges in ((2, faces.z), (1, faces.y), (0, faces.x)):
        middle = (edges[1:] + edges[:-1]) / 2
        place = np.clip(places[:, axis], middle[0], middle[-1])
        lower = np.clip(np.searchsorted(middle, place, side="right") - 1, 0, max(len(middle) - 2, 0))
        upper = np.minimum(lower + 1, len(middle) - 1)
        share = np.where(upper > lower, (place - middle[lower]) / np.maximum(middle[upper] - middle[lower], 1e-30), 0.0)
        pair, weight = np.column_stack([lower, upper]), np.column_stack([1.0 - share, share])
        cells = (cells[:, :, None] * len(middle) + pair[:, None, :]).reshape(len(places), -1)
        weights = (weights[:, :, None] * weight[:, None, :]).reshape(len(places), -1)
    weights = np.where(faces.air.reshape(-1)[cells], weights, 0.0)
    total = weights.sum(axis=1, keepdims=True)
    return Sampled(cells, np.divide(weights, total, out=np.zeros_like(weights), where=total > 1e-9))


CASE = Case("dust.tunnel", "Dispersion in a wind tunnel (folder with concentration.json)", recognise, run)
