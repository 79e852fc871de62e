"""Search: which of many places to take when the worth of each is costly to know, and a bound on any other choice.

Knows nothing of dust. Each option has a cheap upper bound of what it brings alone; its true worth, and that of several
together, are asked for only where the bounds leave a doubt (lazy greedy: Minoux (1978), Lecture Notes in Control and
Information Sciences 7, 234-243, doi:10.1007/BFb0006528). By worth, and by worth for money, the better is kept; then
one is exchanged for another while that helps.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from analysis.dust.siting_bound import Limits, Options, programmed, upper_bound
from geo.model import Feedback

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

BETTER = 1e-9  # of the worth: less is rounding
MOST_PASSES = 20  # of exchanges
MOST_PROGRAMS = 8  # that are solved to prove a bound; each may ask for the worth of a few more options


class Worth(Protocol):
    """What options bring: asked for lazily, each may take long."""

    def alone(self, option: int) -> float:
        """Of one option."""

    def together(self, chosen: tuple[int, ...]) -> float:
        """Of several."""


class Chosen(NamedTuple):
    """A choice.

    Attributes
    ----------
    options : tuple of int
        In the order in which they were taken.
    value : float
        Of all together.
    bound : float
        No choice within the limits brings more, as long as units do not help one another.
    evaluated : int
        Options whose worth was asked for.
    proven : bool
        No option was passed over unseen: the search was not cut short.
    exchanged : int
    """

    options: tuple[int, ...]
    value: float
    bound: float
    evaluated: int
    proven: bool
    exchanged: int

    @property
    def gap(self) -> float:
        """Share of the bound that is missing."""
        return 1.0 - self.value / self.bound if self.bound > 0.0 else 0.0


def search(
    options: Options,
    limits: Limits,
    worth: Worth,
    feedback: Feedback,
    *,
    fixed: Sequence[int] = (),
    most: int = 1_000,
) -> Chosen:
    """The best choice found, with a bound.

    Parameters
    ----------
    fixed : sequence of int
        Options that are there already: part of every choice, of no cost, and not counted.
    most : int
        Options whose worth is asked for; then the best of those known is taken.
    """
    state = _State(options, limits, worth, tuple(fixed), feedback, most)
    by_worth = _greedy(state, per_cost=False)
    best = by_worth
    if np.isfinite(limits.budget) and len(np.unique(options.cost)) > 1:
        by_cost = _greedy(state, per_cost=True)
        best = max(by_worth, by_cost, key=state.value)
    best, exchanged = _exchange(state, best)
    best, bound = _proven(state, best)
    feedback.step(1.0, "choosing the places")
    return Chosen(
        best, state.value(best), max(bound, state.value(best)), len(state.known), state.proven, exchanged
    )  # fmt: skip


def _proven(state: _State, best: tuple[int, ...]) -> tuple[tuple[int, ...], float]:
    """The bound, and a better choice where the program that proves it finds one."""
    bound = np.inf
    for _ in range(MOST_PROGRAMS):
        state.feedback.step(len(state.known) / (len(state.known) + state.most), "choosing the places")
        upper = np.where(state.fits(()), state.upper, 0.0)
        plan = programmed(upper, state.options, state.limits)
        bound = min(bound, plan.bound, upper_bound(upper, state.options, state.limits))
        unseen = [option for option in plan.options if option not in state.known]
        if len(state.known) + len(unseen) > state.most:
            break
        for option in unseen:
            state.alone(option)
        if plan.options and state.value(plan.options) > state.value(best) + BETTER * abs(state.value(best)):
            best = plan.options
        if not unseen:
            break
    return best, bound


@dataclass
class _State:
    options: Options
    limits: Limits
    worth: Worth
    fixed: tuple[int, ...]
    feedback: Feedback
    most: int
    upper: Floats = field(init=False)
    known: dict[int, float] = field(init=False, default_factory=dict)
    proven: bool = True

    def __post_init__(self) -> None:
        self.upper = self.options.bound.astype(np.float64).copy()
        self.upper[list(self.fixed)] = 0.0
        self._start = self.worth.together(self.fixed) if self.fixed else 0.0
        self._values: dict[frozenset[int], float] = {frozenset(): 0.0}

    def value(self, chosen: tuple[int, ...]) -> float:
        """Of a choice, on top of what is there."""
        key = frozenset(chosen)
        if key not in self._values:
            if len(chosen) == 1 and not self.fixed:
                self._values[key] = self.alone(chosen[0])
            else:
                self._values[key] = self.worth.together((*self.fixed, *chosen)) - self._start
        return self._values[key]

    @property
    def spent(self) -> bool:
        """Whether no more worths may be asked for."""
        return len(self.known) >= self.most

    def alone(self, option: int) -> float:
        """Worth of one option; from then on its upper bound."""
        if option not in self.known:
            self.feedback.step(len(self.known) / (len(self.known) + self.most), "choosing the places")
            self.known[option] = self.worth.alone(option)
            self.upper[option] = min(self.upper[option], self.known[option])
        return self.known[option]

    def fits(self, chosen: tuple[int, ...]) -> Bools:
        """(n,) which options may be added to a choice."""
        options, there = self.options, [*self.fixed, *chosen]
        left = self.limits.budget - float(options.cost[list(chosen)].sum())
        fits = options.cost <= left * (1.0 + BETTER)
        if len(chosen) >= self.limits.count:
            fits[:] = False
        if there:
            fits &= ~np.isin(options.place, options.place[there])
            for x, y in options.xy[there]:
                away = np.hypot(options.xy[:, 0] - x, options.xy[:, 1] - y)
                fits &= away >= self.limits.spacing * (1.0 - BETTER)
        return fits


def _greedy(state: _State, *, per_cost: bool) -> tuple[int, ...]:
    """One after the other that which adds most (for its cost), until none fits or helps."""
    chosen: tuple[int, ...] = ()
    price = np.maximum(state.options.cost, 1.0) if per_cost else np.ones(len(state.upper))
    while True:
        option = _next(state, chosen, price)
        if option is None:
            return chosen
        chosen = (*chosen, option)


def _next(state: _State, chosen: tuple[int, ...], price: Floats) -> int | None:
    """The option that adds most to a choice; those whose bound is below a sure gain are not looked at."""
    usable = np.flatnonzero(state.fits(chosen) & (state.upper > 0.0))
    heap = [(-state.upper[k] / price[k], int(k), False) for k in usable.tolist()]
    heapq.heapify(heap)
    base = state.value(chosen)
    while heap:
        key, option, sure = heapq.heappop(heap)
        if sure:
            return option if -key > 0.0 else None
        if option not in state.known:
            if state.spent:
                state.proven = False
                continue
            gain = state.alone(option)
            sure = not chosen and not state.fixed
        else:
            gain = state.value((*chosen, option)) - base
            sure = True
        heapq.heappush(heap, (-gain / price[option], option, sure))
    return None


def _exchange(state: _State, chosen: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """Take one out and another in, or add one, while that brings more."""
    count = 0
    for _ in range(MOST_PASSES):
        better = _better(state, chosen)
        if better is None:
            return chosen, count
        chosen, count = better, count + 1
    return chosen, count


def _better(state: _State, chosen: tuple[int, ...]) -> tuple[int, ...] | None:
    value = state.value(chosen)
    for rest in (*(tuple(k for k in chosen if k != out) for out in chosen), chosen):
        needed = (value - state.value(rest)) + BETTER * abs(value)
        hopeful = np.flatnonzero(state.fits(rest) & (state.upper > needed))
        for option in hopeful[np.argsort(-state.upper[hopeful], kind="stable")].tolist():
            if option in chosen or (option not in state.known and state.spent):
                continue
            if state.alone(option) > needed and state.value((*rest, option)) > value + BETTER * abs(value):
                return (*rest, option)
    return None
