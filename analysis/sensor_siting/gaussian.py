"""Sensors that tell a Gaussian field best: what variance is left once they have measured.

Measuring at s with error variance e leaves ``C - c c^T / (C_ss + e)`` of the covariance C, where c is its column at s.
Sensors are picked one after the other by what they take off the weighted sum of variances, and then exchanged one for
one as long as that helps. A heuristic: variance reduction is not submodular in general. No set of p sensors takes off
more than the p largest eigenvalues of the weighted covariance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.model import Feedback

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Whole = NDArray[np.int64]

LEAST_GAIN = 1e-12  # of the whole variance: a smaller gain of an exchange is none
MOST_ROUNDS = 20
SHARE_DIGITS = 9  # further digits depend on the libraries


class Prior(NamedTuple):
    """A field before measuring.

    Attributes
    ----------
    covariance : (m, m) float64
        Between cells.
    weight : (m,) float64
    site : (s,) int64
        The cell of each place.
    noise : float
        Error variance of a sensor, in the unit of the covariance.
    """

    covariance: Floats
    weight: Floats
    site: Whole
    noise: float

    @property
    def total(self) -> float:
        """Weighted sum of the variances before any measurement."""
        return float((self.weight * np.diagonal(self.covariance)).sum())


class Belief:
    """What is known after some measurements: covariance of all cells with all places, and the variance left."""

    def __init__(self, prior: Prior) -> None:
        self.prior = prior
        self.columns = np.ascontiguousarray(prior.covariance[:, prior.site])
        self.variance = np.diagonal(prior.covariance).copy()

    def measure(self, place: int) -> None:
        """Take a measurement at a place."""
        column = self.columns[:, place].copy()
        spread = column[self.prior.site[place]] + self.prior.noise
        self.columns -= column[:, None] * (column[self.prior.site] / spread)
        self.variance -= column * column / spread

    def gains(self) -> Floats:
        """(s,) what a measurement at each place would take off."""
        spread = self.columns[self.prior.site, np.arange(len(self.prior.site))] + self.prior.noise
        # not by a matrix product: its last bits change with the number of threads
        return np.asarray(np.einsum("j,js,js->s", self.prior.weight, self.columns, self.columns) / spread)

    @property
    def left(self) -> float:
        """Weighted sum of the variances."""
        return float((self.prior.weight * self.variance).sum())


class Picked(NamedTuple):
    """Places picked, best first; `left`: share of the variance left before and after each; `variance` of the cells.

    `greedy`: share left before the exchanges; `exchanges`: how many helped.
    """

    places: tuple[int, ...]
    left: Floats
    variance: Floats
    greedy: float
    exchanges: int


def pick(prior: Prior, count: int, free: Bools, existing: Sequence[int], feedback: Feedback) -> Picked:
    """Pick up to `count` of the places that are `free` (s,), with the `existing` ones measured already."""
    belief = Belief(prior)
    for place in existing:
        belief.measure(place)
    chosen: list[int] = []
    available = free.copy()
    for number in range(min(count, int(free.sum()))):
        feedback.step(0.5 * number / count, "picking sensors")
        best = int(np.argmax(np.where(available, belief.gains(), -np.inf)))
        belief.measure(best)
        available[best] = False
        chosen.append(best)
    greedy = belief.left / prior.total
    chosen, exchanges = _exchanged(prior, chosen, free, existing, belief.left, feedback.part(0.5, 1.0))
    return _in_order(prior, chosen, existing, greedy, exchanges)


def _exchanged(
    prior: Prior, chosen: list[int], free: Bools, existing: Sequence[int], left: float, feedback: Feedback
) -> tuple[list[int], int]:
    """Exchange one for one while the variance left falls."""
    exchanges = 0
    for round_number in range(MOST_ROUNDS):
        before = exchanges
        for number in range(len(chosen)):
            feedback.step((round_number + number / len(chosen)) / MOST_ROUNDS, "exchanging sensors")
            others = chosen[:number] + chosen[number + 1 :]
            belief = Belief(prior)
            for place in (*existing, *others):
                belief.measure(place)
            available = free.copy()
            available[others] = False
            gains = np.where(available, belief.gains(), -np.inf)
            best = int(np.argmax(gains))
            if belief.left - gains[best] < left - LEAST_GAIN * prior.total:
                chosen[number], left = best, belief.left - float(gains[best])
                exchanges += 1
        if exchanges == before:
            break
    return chosen, exchanges


def _in_order(prior: Prior, chosen: list[int], existing: Sequence[int], greedy: float, exchanges: int) -> Picked:
    """The places in the order of what each takes off after those before."""
    belief = Belief(prior)
    for place in existing:
        belief.measure(place)
    left = [belief.left / prior.total]
    places: list[int] = []
    waiting = list(chosen)
    while waiting:
        gains = belief.gains()
        best = max(waiting, key=lambda place: (gains[place], -place))
        belief.measure(best)
        waiting.remove(best)
        places.append(best)
        left.append(belief.left / prior.total)
    return Picked(tuple(places), np.array(left), belief.variance, greedy, exchanges)


def share_left(prior: Prior, places: Sequence[int]) -> float:
    """Share of the weighted variance left after measuring at places, in one step by the matrix of the places."""
    if not len(places):
        return 1.0
    cells = prior.site[np.asarray(places, dtype=np.int64)]
    columns = prior.covariance[:, cells]
    factor = np.linalg.inv(columns[cells] + prior.noise * np.eye(len(cells)))
    taken = np.einsum(
        "j,ja,ab,jb->", prior.weight, columns, factor, columns, optimize=["einsum_path", (1, 2), (0, 1, 2)]
    )
    return float(1.0 - taken / prior.total)


def least_left(prior: Prior, count: int, existing: Sequence[int]) -> Floats:
    """(count + 1,) share of the variance that 0 .. count further sensors leave at least: by the largest eigenvalues."""
    from scipy.linalg import eigh
    from scipy.sparse.linalg import eigsh

    covariance = np.array(prior.covariance)
    for place in existing:
        column = covariance[:, prior.site[place]].copy()
        covariance -= column[:, None] * (column / (column[prior.site[place]] + prior.noise))
    root = np.sqrt(prior.weight)
    covariance *= root[:, None] * root
    trace = float(np.trace(covariance))
    size = len(root)
    wanted = min(count, size)
    if wanted < size // 4:
        values = eigsh(covariance, wanted, which="LA", v0=np.ones(size), return_eigenvectors=False)
    else:
        values = eigh(covariance, eigvals_only=True, subset_by_index=[size - wanted, size - 1])
    largest = np.sort(np.maximum(values, 0.0))[::-1] * (1.0 + 1e-9)
    taken = np.concatenate([[0.0], np.cumsum(largest), np.full(count - wanted, trace)])
    share = np.maximum(trace - taken[: count + 1], 0.0) / prior.total
    return np.asarray(np.floor(share * 10.0**SHARE_DIGITS) / 10.0**SHARE_DIGITS)


def random_left(prior: Prior, count: int, free: Bools, existing: Sequence[int], draws: int, seed: int) -> Floats:
    """(draws,) share left by sets of places drawn at random."""
    generator = np.random.default_rng(seed)
    places = np.flatnonzero(free)
    size = min(count, len(places))
    sets = (generator.choice(places, size, replace=False) for _ in range(draws))
    return np.round([share_left(prior, [*existing, *drawn.tolist()]) for drawn in sets], SHARE_DIGITS)
