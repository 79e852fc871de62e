"""The exact finish: what reduced costs leave of a problem, solved by HiGHS when it is small."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.siting import mip
from analysis.siting.matrix import Columns, merge_targets, taken, transposed, undominated
from analysis.siting.plan import Limits
from geo.model import Feedback

Whole = NDArray[np.int64]

MOST_COLUMNS, MOST_ENTRIES = 2_000, 400_000  # beyond that the solver's first bound takes more than a minute


class Core(NamedTuple):
    """What is left of a problem.

    Attributes
    ----------
    columns : Columns
        Over merged targets.
    worth : (t, k + 1) int64
    number : (c,) int64
        What each column was before.
    group : (n,) int64
        The merged target of each one before, -1 where it is left out.
    """

    columns: Columns
    worth: Whole
    number: Whole
    group: Whole

    @property
    def small(self) -> bool:
        """Whether the solver is of use."""
        return len(self.columns) <= MOST_COLUMNS and len(self.columns.idx) * (self.worth.shape[1] - 1) <= MOST_ENTRIES


def core_of(columns: Columns, worth: Whole, hopeless: NDArray[np.bool_], chosen: Whole) -> Core:
    """The columns that may still be in a better plan, and those of the plan; targets merged, needless columns gone."""
    keep = ~hopeless
    keep[chosen] = True
    number = np.flatnonzero(keep)
    merged = merge_targets(taken(columns, number), worth)
    fewer = undominated(merged.columns)
    fewer |= np.isin(number, chosen)
    if not fewer.all():
        number = number[fewer]
        merged = merge_targets(taken(columns, number), worth)
    return Core(merged.columns, merged.worth, number.astype(np.int64), merged.group)


def program_of(core: Core, limits: Limits) -> mip.Program:
    """Maximum coverage as a mixed integer program: columns whole, one variable for each layer of a target between."""
    columns, worth = core.columns, core.worth
    rows = transposed(columns)
    m, n, layers = len(columns), columns.targets, worth.shape[1] - 1
    degree = np.diff(rows.ptr)
    # sum_k y_jk - sum_i x_i <= 0 for every target
    length = degree + layers
    ptr = np.concatenate([[0], np.cumsum(length)])
    idx, value = np.empty(ptr[-1], dtype=np.int32), np.ones(ptr[-1])
    place = np.repeat(ptr[:-1] - rows.ptr[:-1], degree) + np.arange(len(rows.idx))
    idx[place], value[place] = rows.idx, -1.0
    for k in range(layers):
        idx[ptr[:-1] + degree + k] = m + k * n + np.arange(n)
    parts = [(ptr, idx, value, np.full(n, -np.inf), np.zeros(n)), _spending(columns, limits), _rooms(columns, limits)]
    starts = np.concatenate([[0], *(part[0][1:] + shift for part, shift in zip(parts, _shifts(parts), strict=True))])
    return mip.Program(
        np.concatenate([columns.value_offset, worth[:, :-1].T.ravel()]).astype(np.float64),
        np.arange(m + layers * n) < m,
        starts.astype(np.int64),
        np.concatenate([part[1] for part in parts]).astype(np.int32),
        np.concatenate([part[2] for part in parts]),
        np.concatenate([part[3] for part in parts]),
        np.concatenate([part[4] for part in parts]),
        maximise=True,
    )


_Rows = tuple[Whole, NDArray[np.int32], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def _shifts(parts: list[_Rows]) -> Whole:
    return np.cumsum([0, *(len(part[1]) for part in parts[:-1])])


def _spending(columns: Columns, limits: Limits) -> _Rows:
    count = len(columns)
    return (
        np.array([0, count]), np.arange(count, dtype=np.int32), columns.cost.astype(np.float64), np.array([-np.inf]),
        np.array([limits.budget * (1 + 1e-9)]),
    )  # fmt: skip


def _rooms(columns: Columns, limits: Limits) -> _Rows:
    """Rows for sites that have more columns than room."""
    order = np.argsort(columns.site, kind="stable").astype(np.int32)
    sites, held = np.unique(columns.site, return_counts=True)
    tight = held > limits.capacity[sites]
    mine = order[np.repeat(tight, held)]
    ptr = np.concatenate([[0], np.cumsum(held[tight])])
    room = limits.capacity[sites[tight]].astype(np.float64)
    return ptr, mine, np.ones(len(mine)), np.full(len(room), -np.inf), room


class Finished(NamedTuple):
    """A plan of the columns before, and a bound on all plans better than the one begun with; `proven` when optimal."""

    chosen: Whole
    bound: int
    proven: bool


def finish(
    core: Core, limits: Limits, chosen: Whole, value: int, *, seconds: float, feedback: Feedback | None = None
) -> Finished:
    """Solve the core with HiGHS, beginning with a plan of that value.

    The bound holds for the whole problem where the columns left out are in no plan worth more than `value`.
    """
    program = program_of(core, limits)
    inside = np.isin(core.number, chosen)
    start = np.zeros(len(program.profit))
    start[: len(inside)] = inside
    views = np.zeros(core.columns.targets)
    np.add.at(views, core.columns.idx, np.repeat(inside, np.diff(core.columns.ptr)))
    n = core.columns.targets
    for k in range(core.worth.shape[1] - 1):
        start[len(inside) + k * n : len(inside) + (k + 1) * n] = views > k
    solved = mip.solve(program, seconds=seconds, start=start, feedback=feedback)
    bound = math.floor(solved.bound + 1e-6 * max(1.0, abs(value))) if math.isfinite(solved.bound) else 2**62
    found = chosen
    if solved.x is not None:
        found = np.sort(core.number[solved.x[: len(inside)] > 0.5])
    if solved.optimal:
        bound = value
    return Finished(found, max(bound, value), solved.optimal)
