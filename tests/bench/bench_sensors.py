"""Speed of the test of picture and density, of turning freely, and of picking sensors for a Gaussian field.

``python -m tests.bench.bench_sensors [--quick]`` prints, in processor time of one core,

1. tests of an orientation against a visible target in a second (target: 140 million), beside those of the closed forms
   in NumPy on the same targets;
2. orientations looked at in a second when cameras are turned freely;
3. 2,500 cells, 625 places, 12 sensors: greedy choice and exchanges, the share of variance left, of random sets, and the
   lower bound.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from analysis.cctv.catalogue import catalogue
from analysis.cctv.optics import density, in_view, view_at
from analysis.cctv.poles import fine_grid, make_poles
from analysis.cctv.pricing import CameraPricer, Visible, wanted
from analysis.cctv.refine import aims_of, refine
from analysis.sensor_siting.field import exponential_covariance
from analysis.sensor_siting.gaussian import Belief, Prior, least_left, pick, random_left
from geo.model import Feedback

NEED = 80.0  # [px/m]


def main(quick: bool = False) -> None:
    """Print the figures."""
    orientations(100 if quick else 500)
    sensors()


def orientations(count: int) -> None:
    """Places with 2,000 visible targets each."""
    rng = np.random.default_rng(0)
    each, model = 2000, catalogue()["bullet-2mp"]
    poles = make_poles(np.column_stack([rng.uniform(-300, 300, (count, 2)), np.full(count, 5.0)]), "road", height=5.0,
                       mount="pole")  # fmt: skip
    away = rng.uniform(-80, 80, (count, each, 2))
    xyz = np.concatenate([poles.xyz[:, None, :2] + away, np.full((count, each, 1), 1.6)], axis=2).reshape(-1, 3)
    visible = Visible(np.arange(count + 1) * each, np.arange(count * each))
    pricer = CameraPricer(poles, visible, wanted(xyz, NEED), [fine_grid(model)], threads=1)
    prices = rng.uniform(0, 9, len(xyz))
    pricer.price(prices, per_site=2, least=1e18)
    start = time.process_time()
    best = pricer.price(prices, per_site=2, least=-np.inf)
    spent = time.process_time() - start
    rate = len(xyz) * pricer.candidates / spent / 1e6
    start = time.process_time()
    for number in range(0, pricer.candidates, 200):
        way = pricer.orientation(number)
        view = view_at(poles.xyz[0], way.pan, way.tilt, 0.0, focal_px=model.focal_px(way.focal_mm), pixels=(1920, 1080))
        inside = in_view(view, xyz[:each])
        prices[:each][inside & (density(view, xyz[:each]) >= NEED)].sum()
    plain = each * len(range(0, pricer.candidates, 200)) / (time.process_time() - start) / 1e6
    print(f"tests: {rate:,.0f} million a second on one core (target 140); closed forms in NumPy {plain:,.1f} million, "
          f"{rate / plain:,.0f} x")  # fmt: skip
    sites = np.argsort(-best.value[:, 0])[:30]
    aims = aims_of(pricer, sites.tolist(), best.candidate[sites, 0].tolist())
    weight = np.rint(prices * 100).astype(np.int64)
    refine(aims[:1], pricer.targets, weight, rounds=1)
    start = time.process_time()
    found = refine(aims, pricer.targets, weight)
    spent = time.process_time() - start
    more = 100.0 * (found.after / found.before - 1.0)
    print(f"turned freely: {found.tries} orientations in {spent:.2f} s, {more:.1f} % more")


def sensors() -> None:
    """The example of 2,500 cells."""
    rng = np.random.default_rng(12)
    y, x = (part.ravel() for part in np.mgrid[0:50, 0:50])
    middle = np.column_stack([x, y]) * 10.0
    site = np.flatnonzero((x % 2 == 0) & (y % 2 == 0))
    prior = Prior(exponential_covariance(middle, 60.0), rng.uniform(0.5, 1.5, 2500), site, 0.05)
    free = np.ones(len(site), dtype=bool)
    start = time.process_time()
    belief = Belief(prior)
    for _ in range(12):
        belief.measure(int(np.argmax(belief.gains())))
    greedy = time.process_time() - start
    start = time.process_time()
    found = pick(prior, 12, free, (), Feedback())
    spent = time.process_time() - start
    random = random_left(prior, 12, free, (), 20, 0)
    bound = least_left(prior, 12, ())[-1]
    print(f"sensors: greedy {found.greedy:.4f} in {greedy:.2f} s, exchanges {found.left[-1]:.4f} in {spent:.1f} s; "
          f"random {random.mean():.4f}, best of 20 {random.min():.4f}; no set below {bound:.4f}")  # fmt: skip


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
