"""How strong the sources are, from sensors: non-negative least squares on the transfer from groups to sensors.

    min |W (A e + b - (y - background))|^2 + mu |(e - prior) / prior|^2,   e >= 0

``mu`` comes from leaving out one sensor at a time and is never zero: with many groups and no prior, strengths a
hundred thousand times too large fit as well. The scores of held-out sensors prove the map, not the strengths: what the
sensors say about each group is in the diagonal of the resolution matrix (Menke 2018, Geophysical Data Analysis,
doi:10.1016/C2016-0-05203-5).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.wind.scores import Scores, scores
from geo.model import Issue, UserError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

MODEL_ERROR = 0.3  # of what the model adds at a sensor: it dominates over the sensor's own error
SENSOR_ERROR = 2.0  # [ug/m3]
WEIGHTS = tuple(10.0**power for power in range(-4, 3))  # of the prior, in units of what the data say per group
PRIOR_ERROR = 1.0  # of a factor before: strengths are known to about a factor of two
LEAST_WEIGHT = 1.0 / PRIOR_ERROR**2  # of the prior
IDENTIFIABLE = 0.5  # diagonal of the resolution matrix below which a group stays at its prior
FEWEST_SENSORS = 3  # two to learn from when one is left out
FEWEST_HOURS = 24
# Acceptance for dispersion in cities: Hanna and Chang (2012), doi:10.1007/s00703-011-0177-1.
MOST_BIAS, MOST_ERROR, LEAST_FAC2 = 0.67, 6.0, 0.30


class Measured(NamedTuple):
    """Measurements and what one unit of each group adds there, row by row (an hour at a sensor).

    Attributes
    ----------
    transfer : (m, groups) float [ug/m3 per unit of strength]
    value : (m,) float [ug/m3]
        NaN missing.
    background : (m,) float [ug/m3]
    sensor : (m,) int64
        Number of the sensor.
    prior : (groups,) float
        Strengths before calibration, above zero.
    """

    transfer: Floats
    value: Floats
    background: Floats
    sensor: Indices
    prior: Floats


class Calibration(NamedTuple):
    """Strengths that fit the sensors.

    Attributes
    ----------
    strength : (groups,) float
        In the unit of the prior.
    factor, error : (groups,) float
        Strength over prior and one standard error of it, where errors of the model and of the prior are as assumed.
    resolution : (groups,) float
        0 the sensors say nothing, 1 they say all; below `IDENTIFIABLE` the group stays at its prior.
    offset : float [ug/m3]
        To be added to the background.
    prior_weight : float
        The ``mu`` taken.
    held_out : (m,) float [ug/m3]
        Prediction of each row from the other sensors; NaN where it was not used.
    residual : (m,) float [ug/m3]
        Measured less calibrated, NaN likewise.
    total, increment : Scores
        Of the held-out sensors' means over all rows: of the whole, and of what lies over the background.
    before : Scores
        Of the whole with the strengths of the prior.
    covariance : (groups, groups) float
        Of the factors, with a prior of `PRIOR_ERROR`.
    spread : (groups,) float
        Standard error of the factors from leaving out one sensor at a time (jackknife: Miller 1974, Biometrika 61,
        doi:10.1093/biomet/61.1.1): it also sees errors that all hours of a sensor share.
    excess : float
        Mean square of the errors at the sensors left out over what was assumed, at least 1; `covariance` counts it in.
    """

    strength: Floats
    factor: Floats
    error: Floats
    resolution: Floats
    offset: float
    prior_weight: float
    held_out: Floats
    residual: Floats
    total: Scores
    increment: Scores
    before: Scores
    covariance: Floats
    spread: Floats
    excess: float

    @property
    def uncertainty(self) -> Floats:
        """(groups,) standard error of the factors: that of the fit, or its spread with what the prior's pull may hide.

        A factor that the sensors do not decide is as unknown as before, however steady its estimate is.
        """
        hidden = (1.0 - np.clip(self.resolution, 0.0, 1.0)) * PRIOR_ERROR
        return np.maximum(self.error, np.hypot(self.spread, hidden))

    @property
    def is_identified(self) -> Bools:
        """(groups,) whether the sensors rather than the prior decided."""
        return np.asarray(self.resolution >= IDENTIFIABLE)

    @property
    def is_accepted(self) -> bool:
        """Whether held-out sensors pass the limits for dispersion in cities."""
        found = self.total
        return abs(found.bias) <= MOST_BIAS and found.error <= MOST_ERROR and found.fac2 >= LEAST_FAC2


class _Squeezed(NamedTuple):
    """The weighted rows of one sensor, turned into few rows that give the same least squares."""

    matrix: Floats
    right: Floats


def calibrate(measured: Measured, issues: list[Issue], *, sensor_error: float = SENSOR_ERROR) -> Calibration:
    """Strengths, how sure they are, and how well the sensors left out are met. Raises `UserError`."""
    rows = _usable(measured)
    prior = np.asarray(measured.prior, dtype=np.float64)
    scaled = measured.transfer[rows] * prior
    over = measured.value[rows] - measured.background[rows]
    sensor = measured.sensor[rows]
    weight = 1.0 / np.sqrt(sensor_error**2 + (MODEL_ERROR * scaled.sum(axis=1)) ** 2)
    names = np.unique(sensor)
    issues += _doubts(measured, len(rows), len(names))
    matrix = np.column_stack([scaled, np.ones(len(rows))])
    parts = [_squeezed(matrix[sensor == name], over[sensor == name], weight[sensor == name]) for name in names]
    unit = float(np.mean([(part.matrix[:, :-1] ** 2).sum() for part in parts]) * len(parts) / len(prior))
    choices = sorted({max(share * unit, LEAST_WEIGHT) for share in WEIGHTS})
    trials = [_held_out(parts, names, matrix, sensor, mu) for mu in choices]
    misfit = [float(((weight * (trial.values - over)) ** 2).mean()) for trial in trials]
    best = int(np.argmin(misfit))
    found = _solved(parts, choices[best])
    # How sure a factor is follows from what was known before, not from the weight that predicts best.
    excess = max(misfit[best], 1.0)
    covariance, _ = _certainty(parts, LEAST_WEIGHT, excess)
    _, resolution = _certainty(parts, choices[best])
    left_out = trials[best].values
    answer = Calibration(
        found[:-1] * prior, found[:-1], np.sqrt(np.diag(covariance)), resolution, float(found[-1]), choices[best],
        _filled(measured, rows, left_out + measured.background[rows]), _filled(measured, rows, over - matrix @ found),
        scores(left_out + measured.background[rows], measured.value[rows]), scores(left_out, over),
        scores(scaled.sum(axis=1) + measured.background[rows], measured.value[rows]), covariance,
        trials[best].spread, excess,
    )  # fmt: skip
    issues += _judgement(answer)
    return answer


def _filled(measured: Measured, rows: Indices, values: Floats) -> Floats:
    out = np.full(len(measured.value), np.nan)
    out[rows] = values
    return out


def _usable(measured: Measured) -> Indices:
    """Rows with a measurement. Raises `UserError` where they are too few, or where no source reaches a sensor."""
    if np.asarray(measured.prior).min(initial=np.inf) <= 0.0 or measured.transfer.shape[1] != len(measured.prior):
        raise ValueError("each group needs a prior above zero")
    known = np.isfinite(measured.value) & np.isfinite(measured.background)
    known &= np.isfinite(measured.transfer).all(axis=1)
    rows = np.flatnonzero(known)
    sensors = len(np.unique(measured.sensor[rows]))
    if sensors < FEWEST_SENSORS or len(rows) < FEWEST_HOURS:
        raise UserError(
            "There are too few measurements to calibrate with.",
            f"{sensors} sensors have {len(rows)} values; "
            f"{FEWEST_SENSORS} sensors and {FEWEST_HOURS} values are needed.",
            "Load more sensors or a longer time, and check that their hours have wind and background.",
            code="dust.calibrate.few_values",
            values={"sensors": sensors, "rows": len(rows), "least": FEWEST_SENSORS, "hours": FEWEST_HOURS},
        )
    if not (measured.transfer[rows] > 0.0).any():
        raise UserError(
            "No source reaches a sensor.",
            "In the given winds every sensor lies upwind of all sources, or outside the field.",
            "Check the places of the sensors, or load hours with other winds.",
            code="dust.calibrate.nothing_arrives",
        )
    return np.asarray(rows, dtype=np.int64)


def _squeezed(matrix: Floats, right: Floats, weight: Floats) -> _Squeezed:
    """Rows of a sensor as the triangle of their QR: the same squares, without forming normal equations."""
    triangle = np.asarray(np.linalg.qr(np.column_stack([matrix, right]) * weight[:, None], mode="r"), dtype=np.float64)
    return _Squeezed(triangle[:, :-1], triangle[:, -1])


def _stacked(parts: list[_Squeezed], mu: float) -> tuple[Floats, Floats]:
    """Matrix and right side with the prior's rows below; the last column is the offset of the background."""
    matrix, right = np.vstack([part.matrix for part in parts]), np.concatenate([part.right for part in parts])
    groups = matrix.shape[1] - 1
    pull = np.sqrt(mu) * np.eye(groups, groups + 1)
    return np.vstack([matrix, pull]), np.concatenate([right, np.full(groups, np.sqrt(mu))])


def _solved(parts: list[_Squeezed], mu: float) -> Floats:
    """(groups + 1,) factors on the priors, none below zero, and the offset, of either sign."""
    from scipy.optimize import nnls

    matrix, right = _stacked(parts, mu)
    answer, _ = nnls(np.column_stack([matrix, -matrix[:, -1]]), right)
    return np.append(answer[:-2], answer[-2] - answer[-1])


class _Trial(NamedTuple):
    """(m,) increments predicted at each sensor from all the others, and the jackknife error of the factors."""

    values: Floats
    spread: Floats


def _held_out(parts: list[_Squeezed], names: Indices, matrix: Floats, sensor: Indices, mu: float) -> _Trial:
    out, factors = np.empty(len(matrix)), []
    for number, name in enumerate(names):
        found = _solved(parts[:number] + parts[number + 1 :], mu)
        out[sensor == name] = matrix[sensor == name] @ found
        factors.append(found[:-1])
    off = np.array(factors) - np.mean(factors, axis=0)
    count = len(names)
    return _Trial(out, np.sqrt((count - 1) / count * (off**2).sum(axis=0)))


def _certainty(parts: list[_Squeezed], mu: float, excess: float = 1.0) -> tuple[Floats, Floats]:
    """Covariance (groups, groups) of the factors and the diagonal of their resolution matrix."""
    data = np.vstack([part.matrix for part in parts])
    information = data.T @ data / excess
    groups = len(information) - 1
    inverse = np.linalg.inv(information + mu * np.eye(groups + 1) * (np.arange(groups + 1) < groups))
    covariance = np.asarray(inverse[:groups, :groups], dtype=np.float64)
    return covariance, np.asarray(np.diag(inverse @ information)[:groups], dtype=np.float64)


def sensor_gain(
    candidates: ArrayLike, found: Calibration, *, sensor_error: float = SENSOR_ERROR, times: float = 1.0
) -> tuple[Floats, Floats]:
    """What a further sensor would teach at each candidate place.

    Parameters
    ----------
    candidates : (n, hours, groups) float [ug/m3]
        What the groups add there at the strengths of the *prior*.
    times : float
        How many hours each of these stands for.

    Returns
    -------
    gain : (n,) float
        ``log det(I + V P V^T)``: a hint at where to measure next.
    error : (n,) float
        Root mean square of the standard errors of the factors with that sensor.
    """
    rows = np.asarray(candidates, dtype=np.float64)
    weight = times / found.excess / (sensor_error**2 + (MODEL_ERROR * rows.sum(axis=2)) ** 2)
    information = np.einsum("nhi,nh,nhj->nij", rows, weight, rows)
    groups = rows.shape[2]
    _, gain = np.linalg.slogdet(np.eye(groups) + found.covariance @ information)
    after = np.linalg.inv(np.linalg.inv(found.covariance) + information)
    return np.asarray(gain), np.asarray(np.sqrt(np.trace(after, axis1=1, axis2=2) / groups))


def _doubts(measured: Measured, used: int, sensors: int) -> list[Issue]:
    issues = []
    missing, groups = len(measured.value) - used, len(measured.prior)
    if missing:
        message = f"{missing} values without measurement, wind or background were left out."
        issues.append(Issue("dust.calibrate.missing", message, "note", missing))
    if groups > sensors / 2:
        message = f"{groups} groups of sources are more than half of the {sensors} sensors can tell apart."
        issues.append(Issue("dust.calibrate.many_groups", message, "doubt", groups, values={"sensors": sensors}))
    return issues


def _judgement(found: Calibration) -> list[Issue]:
    issues = []
    unsure = int((~found.is_identified).sum())
    if unsure:
        message = f"The sensors cannot tell the strength of {unsure} groups: these stay near what was assumed."
        issues.append(Issue("dust.calibrate.not_identified", message, "doubt", unsure))
    if not found.is_accepted:
        message = "Sensors left out are not met within the limits for dispersion in cities."
        issues.append(Issue("dust.calibrate.not_accepted", message, "doubt"))
    return issues
