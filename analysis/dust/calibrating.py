"""The steps of a calibration between its layers and its result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.calibrate import FEWEST_SENSORS, Calibration, sensor_gain
from analysis.dust.declaration import DustInputs, DustParams
from analysis.dust.outcome import open_breathing_cells
from analysis.dust.posts import Posts, placed, posts_of
from analysis.dust.readings import Readings, some
from analysis.dust.reference import named_stations
from analysis.dust.run import CaseFields, Prepared
from analysis.dust.transfer import Mix, Seen
from analysis.wind.plan import plan_tunnel
from geo.model import Feedback, Issue, UserError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

MOST_HOURS = 96  # of the measured ones, by which a further sensor is judged
AT_ONCE = 2_000  # places judged between two looks at the clock


class Stations(NamedTuple):
    """Stations that measured and whose place is known, or which were named as background.

    Attributes
    ----------
    readings : Readings
    posts : Posts
        In the order of the readings; NaN where the place is not known.
    named : (b,) int64
        Numbers of the background stations that were named.
    """

    readings: Readings
    posts: Posts
    named: Indices


def stations_of(inputs: DustInputs, readings: Readings, background_stations: str, issues: list[Issue]) -> Stations:
    """Stations with their places. Raises `UserError` where too few can teach anything."""
    named = named_stations(background_stations, readings.station)
    posts = posts_of(inputs.stations)
    row = placed(posts, readings.station, issues)
    kept = np.flatnonzero((row >= 0) | np.isin(np.arange(len(row)), named))
    point = np.full((len(kept), 3), np.nan)
    height = np.full(len(kept), np.nan)
    there = row[kept] >= 0
    point[there], height[there] = posts.point[row[kept][there]], posts.height[row[kept][there]]
    names = tuple(readings.station[k] for k in kept)
    found = Stations(readings.only(kept.tolist()), Posts(names, point, height), np.searchsorted(kept, named))
    _check_count(len(names) - len(named), "are placed in the scene", names)
    return found


def check_places(inputs: DustInputs, params: DustParams, stations: Stations, feedback: Feedback) -> None:
    """Refuse stations that lie outside the field before any wind is calculated. Raises `UserError`."""
    plan = plan_tunnel(inputs, params, feedback)
    known = np.array(np.isfinite(stations.posts.point[:, :2]).all(axis=1), dtype=bool)
    known[stations.named] = False
    x_low, y_low, x_high, y_high = plan.extent.border
    place = plan.axes.to_tunnel(np.nan_to_num(stations.posts.point[:, :2]))
    inside = known & (place > [x_low, y_low]).all(axis=1) & (place < [x_high, y_high]).all(axis=1)
    names = tuple(name for name, there in zip(stations.posts.name, inside, strict=True) if there)
    _check_count(int(inside.sum()), "lie in the calculated field", names)


def _check_count(count: int, where: str, names: Sequence[str]) -> None:
    if count >= FEWEST_SENSORS:
        return
    raise UserError(
        "There are too few stations to calibrate with.",
        f"{count} stations that measured {where} ({some(names) or 'none'}), besides those of the background; "
        f"{FEWEST_SENSORS} are needed: two to learn from when one is left out.",
        "Load more stations, give them their places, or move or widen the study area so that they lie in it.",
        code="dust.calibrate.few_stations",
        values={"count": count, "stations": some(names), "least": FEWEST_SENSORS},
    )


def whole(seen: Seen, inside: Indices, count: int) -> Seen:
    """The same for all stations: those outside the field see nothing of the city."""
    part, share = np.zeros((count, seen.part.shape[1])), np.ones(count)
    part[inside], share[inside] = seen.part, seen.share
    return Seen(part, share)


def breathed(fields: CaseFields, prepared: Prepared, height: float) -> Floats:
    """(ny, nx, groups) what each group adds at breathing height [ug/m3], NaN in buildings and outside the study."""
    tunnel = prepared.winds.tunnel
    cells = open_breathing_cells(tunnel, height)
    west, south, east, north = tunnel.study
    x, y = 0.5 * (tunnel.x[1:] + tunnel.x[:-1]), 0.5 * (tunnel.y[1:] + tunnel.y[:-1])
    open_ground = (cells >= 0) & ((x > west) & (x < east))[None, :] & ((y > south) & (y < north))[:, None]
    flat = np.where(cells >= 0, cells, 0)
    found = np.stack([part.values.reshape(-1)[flat] for part in fields.parts], axis=-1)
    return np.where(open_ground[:, :, None], found, np.nan).astype(np.float32)


def next_sensor(
    maps: Sequence[Floats], mix: Mix, found: Calibration, sensor_error: float, feedback: Feedback
) -> tuple[Floats, Floats]:
    """(ny, nx) gain of a further sensor, and the error of the factors with it; NaN where none can stand.

    Hours are thinned to `MOST_HOURS`; each then counts for several.
    """
    rows = np.flatnonzero(mix.known)
    rows = rows[:: max(1, -(-len(rows) // MOST_HOURS))]
    times = float(mix.known.sum()) / len(rows)
    stack = np.stack(maps)  # (cases, ny, nx, groups)
    gain, error = (np.full(stack.shape[1:3], np.nan) for _ in range(2))
    where = np.argwhere(np.isfinite(stack[0]).all(axis=-1))
    slowness = mix.slowness[rows]
    for start in range(0, len(where), AT_ONCE):
        feedback.step(start / max(len(where), 1), "where a further sensor would teach most")
        iy, ix = where[start : start + AT_ONCE].T
        adds = np.einsum("tc,cng->ntg", slowness, stack[:, iy, ix].astype(np.float64))
        gain[iy, ix], error[iy, ix] = sensor_gain(adds, found, sensor_error=sensor_error, times=times)
    return gain, error
