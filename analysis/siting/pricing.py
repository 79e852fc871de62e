"""What the optimiser asks of candidates that are too many to be written out: the best of each site at given prices."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from analysis.siting.matrix import Columns

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Ints = NDArray[np.int32]


class Priced(NamedTuple):
    """The best candidates of every site.

    Attributes
    ----------
    value : (sites, per_site) float64
        Best first: sum of the prices of all targets a candidate sees + its value offset - `money` x its cost, or a
        number known not to be smaller. Below `least` no candidate is needed, only such a number (or -inf where the
        site has no further candidate).
    candidate : (sites, per_site) int64
        Which one (an orientation of the site); -1 where only a bound is given.
    """

    value: Floats
    candidate: Whole


class Pricer(Protocol):
    """Candidates of a number of sites, implicit: each is a site and a number within that site's list.

    Targets are those of the master problem (rows): a candidate "sees" a row or does not.
    """

    @property
    def sites(self) -> int:
        """How many sites there are; sites of master columns are numbered in the same way."""

    def price(self, prices: Floats, *, per_site: int, least: float, money: float = 0.0) -> Priced:
        """The `per_site` best different candidates of every site at the prices (targets,) of what they see.

        A site whose best is surely below `least` may be answered by an upper bound alone.
        """

    def columns(self, site: Ints, candidate: Whole) -> Columns:
        """Candidates written out, one column for each pair."""
