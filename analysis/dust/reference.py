"""The air outside the city, hour by hour, and with it the rows a calibration learns from.

The air outside is seen at a reference station: ``y_r = c b_r + A_r e``. What another station measures is then
``y = (b / b_r) y_r + (A - b / b_r A_r) e``: what the sources add at the reference is taken off as well, so that a
reference inside the city does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.calibrate import Measured
from analysis.dust.readings import some
from geo.model import Issue, UserError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

Origin = Literal["upwind", "lowest", "given"]
SAME = 1e-9  # [ug/m3] increments that differ by less are the same: stations outside the city see nothing of it


class Rows(NamedTuple):
    """Rows of a calibration: a station at a time.

    Attributes
    ----------
    measured : Measured
        Of the stations that are no reference at the time.
    time, station : (m,) int64
        Of each row.
    outside : (n,) float [ug/m3]
        What the reference measured at each time, over its share of the air outside; NaN where it is not known.
    added : (n, groups) float [ug/m3]
        What the groups add in it, with the strengths before.
    reference : (n, stations) bool
        Which stations gave the air outside.
    """

    measured: Measured
    time: Indices
    station: Indices
    outside: Floats
    added: Floats
    reference: Bools


def named_stations(text: str, stations: Sequence[str]) -> Indices:
    """Numbers of the stations that a parameter names, separated by ``;``. Raises `UserError` for an unknown one."""
    plain = {"".join(name.split()).casefold(): number for number, name in enumerate(stations)}
    wanted = [part.strip() for part in text.split(";") if part.strip()]
    missing = [name for name in wanted if "".join(name.split()).casefold() not in plain]
    if missing:
        raise UserError(
            f"There is no station called {missing[0]}.",
            f"The measurements name {some(stations)}.",
            "Write the name as the table has it; several are separated by ';'.",
            code="dust.no_station",
            values={"station": missing[0], "stations": some(stations)},
        )
    return np.array([plain["".join(name.split()).casefold()] for name in wanted], dtype=np.int64)


def rows_of(
    value: Floats, parts: Floats, shares: Floats, issues: list[Issue], *, origin: Origin, given: float, named: Indices
) -> Rows:
    """Rows of a calibration.

    Parameters
    ----------
    value : (n, stations) float [ug/m3]
        NaN missing.
    parts : (n, stations, groups) float [ug/m3]
        What the groups add with the strengths before; NaN where a station lies outside the field is not allowed: 0.
    shares : (n, stations) float
        Of the air outside, 1 outside the field.
    origin : {"upwind", "lowest", "given"}
        Which station is the reference of an hour where none is `named`: the one the sources add least to, the one that
        measured least, or none (`given` [ug/m3] comes in).
    """
    there = np.isfinite(value)
    reference = _references(value, parts.sum(axis=2), there, origin, named)
    if origin == "given" and len(named) == 0:
        outside, own = np.full(len(value), given), np.zeros((len(value), parts.shape[2]))
    else:
        weight = reference / np.maximum(reference.sum(axis=1, keepdims=True), 1)
        found = reference.any(axis=1)
        middle = (weight * shares).sum(axis=1)
        outside = np.where(
            found, (weight * np.where(there, value, 0.0)).sum(axis=1) / np.where(found, middle, 1.0), np.nan
        )
        own = np.einsum("ts,tsg->tg", weight, parts) / np.where(found, middle, 1.0)[:, None]
    _tell(there, reference, outside, issues)
    time, station = np.nonzero(there & ~reference & np.isfinite(outside)[:, None])
    left = shares[time, station]
    transfer = parts[time, station] - left[:, None] * own[time]
    measured = Measured(
        transfer, value[time, station], left * outside[time], station.astype(np.int64), np.ones(parts.shape[2])
    )  # fmt: skip
    return Rows(measured, time.astype(np.int64), station.astype(np.int64), outside, own, reference)


def _references(value: Floats, added: Floats, there: Bools, origin: Origin, named: Indices) -> Bools:
    found = np.zeros(value.shape, dtype=bool)
    if len(named):
        found[:, named] = there[:, named]
    elif origin == "upwind":
        least = np.where(there, added, np.inf).min(axis=1, keepdims=True)
        found = there & (added <= least + SAME)
    elif origin == "lowest":
        rows = np.flatnonzero(there.any(axis=1))
        found[rows, np.where(there, value, np.inf)[rows].argmin(axis=1)] = True
    return found


def _tell(there: Bools, reference: Bools, outside: Floats, issues: list[Issue]) -> None:
    lost = int((~np.isfinite(outside) & there.any(axis=1)).sum())
    if lost:
        message = f"{lost} hours were left out: no background station measured in them."
        issues.append(Issue("dust.reference.missing", message, "doubt", lost))
    gaps = int((~there).sum())
    if gaps:
        message = f"{gaps} of {there.size} values are gaps and were left out."
        issues.append(Issue("dust.reference.gaps", message, "note", gaps, values={"values": there.size}))
