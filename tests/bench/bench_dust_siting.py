"""Speed of siting: a thousand candidates against one forward run for each, in one run.

``python -m tests.bench.bench_dust_siting [--quick]`` prints, for one wind over a made city of about 0.2 million cells
(0.05 with ``--quick``): the time of the forward and the transposed solution, the ceilings of a thousand candidates, and
the near fields that a choice of five units asks for; the time of some re-solves of the whole grid with a unit, times a
thousand; the ratio of both (target: 100), and how far near fields and re-solves differ.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from analysis.dust.borders import background
from analysis.dust.catalogue import purifiers
from analysis.dust.ceiling import ceilings
from analysis.dust.faces import Faces
from analysis.dust.near_field import Setting, box_benefit
from analysis.dust.operator import USUAL_MIXING, Particle, make_operator
from analysis.dust.siting_bound import Limits, Options
from analysis.dust.siting_search import search
from analysis.dust.solver import Transport
from analysis.dust.unit import Ports
from analysis.dust.units import resolve
from analysis.wind.crew import Crew
from geo.model import Feedback
from tests.analysis.test_dust_operator import city

CANDIDATES, UNITS, RESOLVED, SPACING = 1_000, 5, 6, 3.0  # the last in cells
PARTICLE = Particle(0.003, 0.005)
OUTSIDE = 30.0  # [ug/m3]


class Near:
    """Worth by near fields; units that stand apart add up."""

    def __init__(self, setting: Setting, ports: list[Ports]) -> None:
        self.setting, self.ports = setting, ports
        self.known: dict[int, float] = {}

    def alone(self, option: int) -> float:
        """Of one unit."""
        if option not in self.known:
            self.known[option] = box_benefit(self.setting, self.ports[option], grow=False).benefit
        return self.known[option]

    def together(self, chosen: tuple[int, ...]) -> float:
        """Of several."""
        return sum(self.alone(option) for option in chosen)


def main(quick: bool = False) -> None:
    """Print the figures."""
    shape = (14, 58, 60) if quick else (20, 96, 104)
    site(city(7, (6, 24, 26)), 20)  # compiles
    own, setting, weights, worth = site(city(7, shape), CANDIDATES)
    tried = sorted(worth.known, key=lambda option: -worth.known[option])[:RESOLVED]
    began, apart = time.perf_counter(), []
    with Crew() as crew:
        for option in tried:
            exact = resolve(setting, [worth.ports[option]], crew, Feedback()).benefit(weights)
            apart.append(worth.known[option] / exact - 1.0)
    each = (time.perf_counter() - began) / len(tried)
    plain = forward(setting)
    cells, count = int(np.prod(shape)), len(worth.ports)
    print(f"{cells:,} cells, {count:,} candidates, {len(worth.known)} near fields: {own:.2f} s")
    print(f"one re-solve with a unit: {each:.2f} s; one plain forward solution, set-up included: {plain:.2f} s")
    print(
        f"{each * count / own:.0f} times faster than re-solves (target 100), {plain * count / own:.0f} than plain ones"
    )
    print(f"near field over re-solve, best {len(tried)}: {min(apart):+.2%} to {max(apart):+.2%}")


def forward(setting: Setting) -> float:
    """Seconds of one solution of the wind as it is, equations made anew as a unit would ask."""
    began = time.perf_counter()
    operator = make_operator(setting.faces, particle=PARTICLE)
    with Crew() as crew:
        Transport(operator, crew).solve(background(operator, OUTSIDE), Feedback())
    return time.perf_counter() - began


def site(faces: Faces, count: int) -> tuple[float, Setting, np.ndarray, Near]:
    """Solve forward and back, screen, and choose: seconds, the setting, weights of the people, worths asked for."""
    rng = np.random.default_rng(3)
    weights = rng.uniform(0.0, 1.0, faces.shape) * faces.air
    weights[1:] = 0.0
    weights /= weights.sum()
    ports = candidates(faces, count, rng)
    began = time.perf_counter()
    operator = make_operator(faces, particle=PARTICLE)
    with Crew() as crew:
        emitted = background(operator, OUTSIDE)
        emitted[:2] += rng.uniform(0.0, 20.0, emitted[:2].shape) * faces.air[:2]
        before = Transport(operator, crew).solve(emitted, Feedback()).values
        worth = Transport(operator, crew, transpose=True).solve(weights, Feedback()).values
    setting = Setting(faces, before, worth, 1.0, PARTICLE, USUAL_MIXING)
    near = Near(setting, ports)
    at = np.array(np.unravel_index([one.outlet[0] for one in ports], faces.shape))[1:].T.astype(float)
    options = Options(ceilings(setting, ports), np.ones(len(ports)), np.arange(len(ports)), at)
    search(options, Limits(UNITS, spacing=SPACING), near, Feedback())
    return time.perf_counter() - began, setting, weights, near


def candidates(faces: Faces, count: int, rng: np.random.Generator) -> list[Ports]:
    """Units of the tower's class in columns of air: intake in the third layer, outlet in the first."""
    tower = purifiers()["tower-30000"]
    _, ny, nx = faces.shape
    is_open = faces.air[:4].all(axis=0)
    is_open[[0, 1, -2, -1]] = False
    is_open[:, [0, 1, -2, -1]] = False
    column = rng.permutation(np.flatnonzero(is_open))[:count]
    one = np.ones(1)
    return [
        Ports(np.array([2 * ny * nx + k]), one, np.array([k]), one, tower.flow, tower.efficiency["pm10"])
        for k in column.tolist()
    ]


if __name__ == "__main__":
    main("--quick" in sys.argv)
