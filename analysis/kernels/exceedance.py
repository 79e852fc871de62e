"""How often a wind speed is exceeded at many points: by Weibull distributions, or by the hours themselves.

Import this module inside functions: it loads Numba.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@njit(cache=True, nogil=True)
def by_weibull(ratio: Floats, threshold: float, frequency: Floats, scale: Floats, shape: Floats) -> Floats:
    """(n,) ``sum_d f_d exp(-((threshold / ratio_d) / scale_d)^shape_d)``; NaN where a ratio that counts is NaN.

    ratio : (directions, n) speed at the point over that the distribution stands for.
    """
    directions, count = ratio.shape
    out = np.zeros(count)
    for d in range(directions):
        if frequency[d] <= 0.0:
            continue
        for n in range(count):
            value = ratio[d, n]
            if np.isnan(value):
                out[n] = np.nan
            elif value > 0.0:
                out[n] += frequency[d] * np.exp(-((threshold / (value * scale[d])) ** shape[d]))
    return out


@njit(cache=True, nogil=True)
def by_hours(ratio: Floats, threshold: float, sector: Indices, speed: Floats, share: Floats) -> Floats:
    """(n,) sum of the shares of the hours in which ``ratio[sector] * speed`` is above the threshold."""
    count = ratio.shape[1]
    out = np.zeros(count)
    for n in range(count):
        for d in range(ratio.shape[0]):
            if np.isnan(ratio[d, n]):
                out[n] = np.nan
    for n in range(count):
        if np.isnan(out[n]):
            continue
        total = 0.0
        for h in range(len(sector)):
            if ratio[sector[h], n] * speed[h] > threshold:
                total += share[h]
        out[n] = total
    return out


@njit(cache=True, nogil=True)
def days_above(ratio: Floats, thresholds: Floats, sector: Indices, speed: Floats, day: Indices) -> Floats:
    """(thresholds, n) how many days have an hour in which ``ratio[sector] * speed`` is above a threshold.

    Hours are sorted by day.
    """
    count = ratio.shape[1]
    out = np.zeros((len(thresholds), count))
    for n in range(count):
        highest, today = 0.0, -1
        for h in range(len(sector)):
            if day[h] != today:
                for t in range(len(thresholds)):
                    if highest > thresholds[t]:
                        out[t, n] += 1.0
                highest, today = 0.0, day[h]
            value = ratio[sector[h], n] * speed[h]
            if value > highest:
                highest = value
        for t in range(len(thresholds)):
            if highest > thresholds[t]:
                out[t, n] += 1.0
    for n in range(count):
        for d in range(ratio.shape[0]):
            if np.isnan(ratio[d, n]):
                out[:, n] = np.nan
    return out
