"""How well calculated speeds agree with measured ones: hit rate, FAC2, fractional bias, error, correlation.

Definitions of COST 732 and VDI 3783-9; Hanna, S. and Chang, J. (2012), Meteorol. Atmos. Phys. 116, 133-146,
doi:10.1007/s00703-011-0177-1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

RELATIVE, ABSOLUTE = 0.25, 0.05  # a hit lies within either of them (the latter of a velocity ratio)


class Scores(NamedTuple):
    """Agreement of predictions P with observations O.

    Attributes
    ----------
    points : int
        Pairs compared; pairs with a value that is no number are left out.
    hit_rate : float
        Share of points with ``|P - O| <= 0.25 |O|`` or ``|P - O| <= 0.05`` (or what is given).
    fac2 : float
        Share of points with ``0.5 <= P/O <= 2``.
    bias : float
        ``2 (mean O - mean P) / (mean O + mean P)``; above zero: predicted too low.
    error : float
        Normalised mean square error ``mean((O - P)^2) / (mean O mean P)``.
    correlation : float
        Pearson's R.
    """

    points: int
    hit_rate: float
    fac2: float
    bias: float
    error: float
    correlation: float


def scores(predicted: ArrayLike, observed: ArrayLike, *, absolute: float = ABSOLUTE) -> Scores:
    """Scores of velocity ratios (n,); NaN throughout where fewer than two pairs are left.

    absolute : difference within which a pair is a hit whatever its size; 0 for concentrations.

    Examples
    --------
    >>> scores([1.0, 0.5, 0.2], [1.1, 0.9, 0.22]).hit_rate
    0.6666666666666666
    """
    p, o = np.asarray(predicted, float), np.asarray(observed, float)
    known = np.isfinite(p) & np.isfinite(o)
    p, o = p[known], o[known]
    if len(p) < 2:
        return Scores(len(p), *(float("nan"),) * 5)
    hit = (np.abs(p - o) <= RELATIVE * np.abs(o)) | (np.abs(p - o) <= absolute)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = p / o
        bias = 2 * (o.mean() - p.mean()) / (o.mean() + p.mean())
        error = np.mean((o - p) ** 2) / (o.mean() * p.mean())
        spread = p.std() * o.std()
        together = float(np.mean((p - p.mean()) * (o - o.mean())) / spread) if spread > 0 else float("nan")
    within = (ratio >= 0.5) & (ratio <= 2.0)
    return Scores(len(p), float(hit.mean()), float(within.mean()), float(bias), float(error), together)
