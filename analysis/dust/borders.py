"""Borders: the concentration that enters with the wind, and where dust has gone in the end."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.operator import Operator

Floats = NDArray[np.float64]
WHOLE = 1e-3  # a balance is whole when less than this share of what entered is missing


def background(operator: Operator, concentration: float | Floats = 1.0) -> Floats:
    """(nz, ny, nx) right side [ug/s] of dust that enters through the borders.

    concentration : of the air outside [ug/m3], a number or one per cell at the border. With 1 the answer is the share
        of the background that is left at each place: every map is a sum of this and one answer per source.
    """
    return np.asarray(operator.share.inflow * concentration)


class Balance(NamedTuple):
    """Where dust comes from and goes [ug/s]; `missing` over what came in should be below 1e-3."""

    emitted: float
    entered: float
    left: float
    on_ground: float
    on_leaves: float

    @property
    def missing(self) -> float:
        """Share of what came in that is not accounted for; 0 where nothing came in."""
        came = self.emitted + self.entered
        return (came - self.left - self.on_ground - self.on_leaves) / came if came > 0.0 else 0.0

    @property
    def whole(self) -> bool:
        """Whether the balance closes."""
        return abs(self.missing) <= WHOLE


def balance(operator: Operator, values: NDArray[Any], emitted: Floats, outside: float | Floats = 0.0) -> Balance:
    """Sums over the grid for concentrations [ug/m3], emissions per cell [ug/s] and the concentration outside."""
    share, c = operator.share, np.where(operator.faces.air, values, 0.0).astype(np.float64)
    return Balance(
        float(np.where(operator.faces.air, emitted, 0.0).sum()),
        float(background(operator, outside).sum()),
        float((share.outflow * c).sum()),
        float((share.ground * c).sum()),
        float((share.leaves * c).sum()),
    )


def negative_share(values: NDArray[Any], volumes: Floats) -> float:
    """Mass below zero over all mass, without sign: the undershoots of a linear scheme; cut off in pictures only."""
    mass = values.astype(np.float64) * volumes
    total = float(np.abs(mass).sum())
    return float(-mass[mass < 0.0].sum()) / total if total > 0.0 else 0.0
