"""Bound: the most that any choice of places can bring, from what each brings alone at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.model import unique_rows

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

BETTER = 1e-9
LATTICES = 4  # shifts of the squares in which at most one option fits
PRICES = 60  # steps in which the price of money is narrowed down
SHORTLIST, NODES = 150, 2_000  # options and branches of the program; beyond, what it has proven counts


class Options(NamedTuple):
    """What may be chosen.

    Attributes
    ----------
    bound : (n,) float
        Most that each brings alone; never below its worth.
    cost : (n,) float
    place : (n,) int64
        Options of one place exclude each other.
    xy : (n, 2) float [m]
    """

    bound: Floats
    cost: Floats
    place: Indices
    xy: Floats


@dataclass(frozen=True)
class Limits:
    """How many, for how much, and how far apart [m]."""

    count: int
    budget: float = np.inf
    spacing: float = 0.0


class Programmed(NamedTuple):
    """A bound, and the options of the plan behind it."""

    bound: float
    options: tuple[int, ...]


def upper_bound(upper: Floats, options: Options, limits: Limits) -> float:
    """No choice within the limits brings more than this, if together options never bring more than one by one.

    Squares with a diagonal of less than the spacing hold one option each, however they are shifted; and for any price
    of money ``p``, ``p * budget`` plus the best `count` squares of ``upper - p * cost`` is a bound (Lagrange).
    """
    useful = upper > 0.0
    useful &= options.cost <= limits.budget * (1.0 + BETTER)
    if not useful.any() or limits.count < 1:
        return 0.0
    upper, cost, xy = upper[useful], options.cost[useful], options.xy[useful]
    found = []
    for square in _squares(options.place[useful], xy, limits.spacing):
        found.append(_priced(upper, cost, square, limits))
    return min(found)


def _squares(place: Indices, xy: Floats, spacing: float) -> list[Indices]:
    """Numbers of groups of which a choice holds one option at most."""
    places = [np.unique(place, return_inverse=True)[1].astype(np.int64)]
    if spacing <= 0.0:
        return places
    side = spacing / np.sqrt(2.0) * (1.0 - 1e-6)
    for shift in range(LATTICES):
        cell = np.floor(xy / side + shift / LATTICES).astype(np.int64)
        places.append(unique_rows(cell).group)
    return places


def _priced(upper: Floats, cost: Floats, group: Indices, limits: Limits) -> float:
    """The least over the prices of money: the bound is convex in the price."""

    def at(price: float) -> float:
        best = np.zeros(int(group.max()) + 1)
        np.maximum.at(best, group, upper - price * cost)
        taken = np.sort(best)[::-1][: limits.count]
        return float(taken.sum()) + (price * limits.budget if price > 0.0 else 0.0)

    paid = cost > 0.0
    if not np.isfinite(limits.budget) or not paid.any():
        return at(0.0)
    low, high = 0.0, float((upper[paid] / cost[paid]).max())
    least = min(at(low), at(high))
    for _ in range(PRICES):
        a, b = low + 0.382 * (high - low), low + 0.618 * (high - low)
        of_a, of_b = at(a), at(b)
        least = min(least, of_a, of_b)
        low, high = (low, b) if of_a <= of_b else (a, high)
    return least


def programmed(upper: Floats, options: Options, limits: Limits) -> Programmed:
    """The bound with all distances kept among the best options, by mixed integer programming (HiGHS).

    Options behind the shortlist are one variable: up to `count` of them, each as good as the best of them, as cheap as
    the cheapest, and in nobody's way. So the bound holds for all.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_matrix

    useful = np.flatnonzero((upper > 0.0) & (options.cost <= limits.budget * (1.0 + BETTER)))
    order = useful[np.argsort(-upper[useful], kind="stable")]
    short, rest = order[:SHORTLIST], order[SHORTLIST:]
    if len(short) == 0 or limits.count < 1:
        return Programmed(0.0, ())
    count = len(short) + 1
    scale = float(upper[short[0]])
    worth = np.append(upper[short], upper[rest].max(initial=0.0)) / scale
    rows = [np.ones(count), *_conflicts(short, options, limits.spacing)]
    most = [float(limits.count), *np.ones(len(rows) - 1)]
    if np.isfinite(limits.budget) and limits.budget > 0.0:
        rows.append(np.append(options.cost[short], options.cost[rest].min(initial=np.inf) if len(rest) else 0.0))
        rows[-1] /= limits.budget
        most.append(1.0 + BETTER)
    room = np.append(np.ones(len(short)), limits.count if len(rest) else 0)
    found: Any = milp(
        -worth, integrality=np.ones(count), bounds=Bounds(np.zeros(count), room),
        constraints=LinearConstraint(csr_matrix(np.array(rows)), -np.inf, np.array(most)),
        options={"node_limit": NODES, "mip_rel_gap": 1e-6},
    )  # fmt: skip
    bound = getattr(found, "mip_dual_bound", None)
    chosen = () if found.x is None else tuple(short[found.x[:-1] > 0.5].tolist())
    return Programmed(np.inf if bound is None else -float(bound) * scale * (1.0 + 1e-6), chosen)


def _conflicts(short: Indices, options: Options, spacing: float) -> list[Floats]:
    """Rows of which at most one option may be taken: squares, and pairs that no square holds."""
    xy, place = options.xy[short], options.place[short]
    rows = []
    held = np.zeros((len(short), len(short)), dtype=bool)
    for group in _squares(place, xy, spacing):
        for number in np.flatnonzero(np.bincount(group) > 1).tolist():
            inside = group == number
            rows.append(np.append(inside, False).astype(np.float64))
            held |= inside[:, None] & inside[None, :]
    away = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    near = (away < spacing * (1.0 - BETTER)) | (place[:, None] == place[None, :])
    for a, b in np.argwhere(np.triu(near & ~held, 1)).tolist():
        row = np.zeros(len(short) + 1)
        row[[a, b]] = 1.0
        rows.append(row)
    return rows
