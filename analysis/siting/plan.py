"""What a siting problem asks for, and what its answer says of itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.siting.matrix import Columns

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Ints = NDArray[np.int32]

UNBOUNDED = 2**62


class Limits(NamedTuple):
    """What a plan may spend, and how many columns each site takes.

    Attributes
    ----------
    budget : float
        In the unit of the columns' costs; for a plain number every cost is 1.
    capacity : (sites,) int32
    """

    budget: float
    capacity: Ints


class Moment(NamedTuple):
    """Value and proven bound at a time [s] after the start."""

    seconds: float
    value: int
    bound: int


@dataclass(frozen=True, eq=False)
class Plan:
    """An answer and how good it is.

    Attributes
    ----------
    chosen : (c,) int64
        Columns of `columns`, ascending.
    columns : Columns
        All columns that were written out; with a pricer more than were given.
    candidate : (m,) int64
        The number of each column within its site by the pricer, -1 for those that were given.
    value : int
        What the chosen columns see, whole and exact, their offsets included.
    bound : int
        Proven: no plan of the same kind is worth more (least cost: no plan costs less, in `cost_bound`).
    cost, cost_bound : float
        What the plan costs; for least cost what any plan costs at least, else 0.
    history : tuple of Moment
    proven_against : str
        ``"columns"``: all columns given; ``"candidates"``: all candidates of the pricer and all columns.
    stopped : str
        ``"optimal"``, ``"gap"`` (as close as asked), ``"settled"`` (nothing improved any more) or ``"time"``.
    prices : (n,) float64, optional
        Of the targets, that prove the bound (with a pricer).
    """

    chosen: Whole
    columns: Columns
    value: int
    bound: int
    candidate: Whole
    cost: float = 0.0
    cost_bound: float = 0.0
    history: tuple[Moment, ...] = field(default=())
    proven_against: str = "columns"
    stopped: str = "gap"
    prices: Floats | None = None

    @property
    def gap(self) -> float:
        """Share by which the bound lies above the value, of the bound; 0 when proven optimal."""
        return gap_of(self.value, self.bound)

    @property
    def cost_gap(self) -> float:
        """Share of its cost by which the plan may be too dear."""
        return max(0.0, 1.0 - self.cost_bound / self.cost) if self.cost > 0 else 0.0

    def with_(self, **changes: object) -> Plan:
        """The same plan with some attributes changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


def gap_of(value: int, bound: int) -> float:
    """How far a bound lies above a value, as a share of the bound; never negative."""
    if bound <= value:
        return 0.0
    return (bound - value) / bound if bound > 0 else 1.0


def sentence(plan: Plan, *, thing: str = "column", places: str = "sites") -> str:
    """What the bound is proven against, in plain words."""
    if plan.proven_against == "candidates":
        return f"proven against every {thing} on these {places} with this grid of directions and lenses"
    return f"proven against every {thing} given on these {places}"


def with_layers(worth: NDArray[np.integer]) -> Whole:
    """Values (n, k + 1) of the first ... k-th view and a last column of zeros, checked: whole, never rising.

    Parameters
    ----------
    worth : (n,) or (n, k) integer
    """
    if not np.issubdtype(worth.dtype, np.integer):
        raise ValueError("values of targets must be whole numbers")
    layers = worth[:, None] if worth.ndim == 1 else worth
    out = np.concatenate([layers, np.zeros((len(layers), 1), layers.dtype)], axis=1).astype(np.int64)
    if (np.diff(out, axis=1) > 0).any():
        raise ValueError("a further view of a target must not be worth more than the one before, nor less than nothing")
    return np.ascontiguousarray(out)


def after_views(worth: Whole, views: NDArray[np.integer]) -> Whole:
    """Values (n, k + 1) that further views still have where each target has `views` (n,) already."""
    last = worth.shape[1] - 1
    at = np.minimum(np.arange(last + 1)[None, :] + np.asarray(views, dtype=np.int64)[:, None], last)
    return np.ascontiguousarray(np.take_along_axis(worth, at, axis=1))


def limits_for(
    columns: Columns, *, count: int | None, budget: float | None, per_site: int | Sequence[int] | Ints, sites: int
) -> tuple[Columns, Limits]:
    """The columns with the costs that count, and the limits."""
    if (count is None) == (budget is None):
        raise ValueError("give either a count or a budget")
    capacity = np.broadcast_to(np.asarray(per_site, dtype=np.int32), (sites,)).copy()
    if count is not None:
        return replace(columns, cost=np.ones(len(columns))), Limits(float(count), capacity)
    if budget is None or not math.isfinite(budget) or (columns.cost < 0).any():
        raise ValueError("a budget and costs must be finite and not negative")
    return columns, Limits(float(budget), capacity)
