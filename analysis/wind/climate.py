"""How the wind blows over the year: the rose of a weather file, and a Weibull distribution for each sector."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.model import Issue, Layer, UserError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

CALM = 0.5  # [m/s] below it the direction means nothing (KMA)
HOURS_OF_YEAR = 8760
FEWEST_SECTORS, MOST_SECTORS = 8, 36
ENOUGH_HOURS = 50.0  # of a sector for a distribution of its own
MOST_MISFIT = 0.15  # largest difference of the cumulative distributions; 200 hours alone scatter by 0.1
MOST_ROUNDED = 0.6  # [m/s] speeds in whole knots are steps of 0.51
MOST_CALM = 0.5
FEWEST_HOURS = 2000
SHAPES = (0.5, 12.0)  # Weibull shapes searched

# Names under which weather tables keep the two; the Korean ones are those of hourly files of the KMA (ASOS).
SPEED_NAMES = ("wind_speed", "풍속(m/s)", "풍속", "windspeed", "ws")
FROM_NAMES = ("wind_from", "풍향(16방위)", "풍향(deg)", "풍향", "winddirection", "wind_direction", "wd")
TIME_NAMES = ("일시", "datetime", "time", "tm")
STATION_NAMES = ("지점", "stn", "station", "지점명")
POINTS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")
POINTS_KO = ("북", "북북동", "북동", "동북동", "동", "동남동", "남동", "남남동",
             "남", "남남서", "남서", "서남서", "서", "서북서", "북서", "북북서")  # fmt: skip
# Sixteen points rounded to tens of degrees, as the KMA writes them.
POINTS_IN_TENS = (0, 20, 50, 70, 90, 110, 140, 160, 180, 200, 230, 250, 270, 290, 320, 340)
STEPS = (45.0, 30.0, 22.5, 20.0, 10.0, 5.0)  # in which directions may have been rounded [degrees]
MOSTLY = 0.98


class WindHours(NamedTuple):
    """Hours of wind.

    Attributes
    ----------
    speed : (n,) float [m/s]
        NaN unknown.
    wind_from : (n,) float [degrees]
        Clockwise from **true** north, 0 to below 360; NaN unknown.
    day : (n,) int64
        Number of the day each hour belongs to.
    month, hour : (n,) int64
        1 to 12; 1 to 24, the hour that ends; 0 unknown.
    step : float [degrees]
        In which the directions were rounded; 0 = not noticeably.
    name : str
    """

    speed: Floats
    wind_from: Floats
    day: Indices
    month: Indices
    hour: Indices
    step: float
    name: str

    def at(self, chosen: Bools) -> WindHours:
        """Some of the hours."""
        return self._replace(
            speed=self.speed[chosen], wind_from=self.wind_from[chosen], day=self.day[chosen],
            month=self.month[chosen], hour=self.hour[chosen],
        )  # fmt: skip


class Rose(NamedTuple):
    """Frequency and strength of the wind by sector. Sector 0 is centred on true north, the next lie clockwise.

    Attributes
    ----------
    frequency : (sectors,) float
        Share of the known hours, 0 to 1; together with `calm` they add up to 1.
    calm : float
        Share of the known hours below `CALM`.
    scale, shape : (sectors,) float [m/s], [1]
        Weibull: ``P(U > u) = exp(-(u / scale)^shape)`` of the hours of a sector that are not calm.
    mean : (sectors,) float [m/s]
        NaN in sectors without wind.
    hours : (sectors,) float
        Hours of each sector, in parts where a rounded direction lies across two.
    misfit : (sectors,) float
        Largest difference between the hours' distribution and the Weibull, 0 to 1; NaN without hours.
    own_fit : (sectors,) bool
        False: too few hours, the distribution of all directions was taken.
    known : int
        Hours whose speed, and direction if it blew, are known.
    """

    frequency: Floats
    calm: float
    scale: Floats
    shape: Floats
    mean: Floats
    hours: Floats
    misfit: Floats
    own_fit: Bools
    known: int

    @property
    def sectors(self) -> int:
        """How many."""
        return len(self.frequency)

    @property
    def wind_from(self) -> Floats:
        """(sectors,) middle of each, clockwise from true north [degrees]."""
        return np.asarray(np.arange(self.sectors) * (360.0 / self.sectors), dtype=np.float64)

    @property
    def weights(self) -> Floats:
        """(sectors,) share of the hours with wind, together 1: what a weighted velocity ratio is weighted with."""
        return np.asarray(self.frequency / self.frequency.sum(), dtype=np.float64)

    @property
    def strongest_first(self) -> Indices:
        """Sectors by how much wind they bring, the most first; those without any are left out."""
        order = np.argsort(-self.frequency * np.nan_to_num(self.mean), kind="stable")
        return np.asarray(order[self.frequency[order] > 0.0], dtype=np.int64)

    def scaled(self, factor: float) -> Rose:
        """The wind of another place, `factor` times as strong in every direction (`analysis.wind.transfer`)."""
        return self._replace(scale=self.scale * factor, mean=self.mean * factor)


def sector_name(number: int, sectors: int) -> str:
    """Compass point of a sector (8 or 16 of them), else its direction such as ``"030"``."""
    if 16 % sectors == 0:
        return POINTS[number * (16 // sectors)]
    return f"{round(number * 360.0 / sectors):03d}"


def weather_layer(layers: Iterable[Layer]) -> Layer | None:
    """The first table that has hours of wind."""
    return next((layer for layer in layers if _column(layer, SPEED_NAMES) and _column(layer, FROM_NAMES)), None)


def _column(layer: Layer, names: Sequence[str]) -> str:
    """Name of the column that is called one of `names`, ``""`` if there is none."""
    plain = {_plain(name): name for name in layer.table.columns}
    plain |= {_plain(column.title): name for name, column in layer.table.columns.items() if column.title}
    return next((plain[_plain(name)] for name in names if _plain(name) in plain), "")


def _plain(name: str) -> str:
    return name.lower().replace(" ", "").replace("_", "")


def hours_of(layer: Layer) -> WindHours:
    """Wind of a table of hours (EPW, or a table with the KMA's columns)."""
    speed_name, from_name = _column(layer, SPEED_NAMES), _column(layer, FROM_NAMES)
    if not speed_name or not from_name:
        raise UserError(
            f"{layer.name} holds no wind.",
            "It needs a column with the speed and one with the direction of the wind.",
            "Import an EPW file, or an hourly table of the KMA.",
            code="wind.no_wind_columns",
            values={"layer": layer.name},
        )
    speed = _numbers(layer, speed_name)
    speed = np.where(speed >= 0.0, speed, np.nan)
    wind_from = _directions(layer, from_name)
    _check_one_station(layer)
    day, month, hour = _times(layer)
    wind_from, step = _unrounded(np.where(speed >= CALM, wind_from, np.nan))
    return WindHours(speed, wind_from, day, month, hour, step, layer.name)


def _check_one_station(layer: Layer) -> None:
    """Refuse a table in which the hours of several stations are mixed."""
    name = _column(layer, STATION_NAMES)
    stations = {str(value) for value in layer.table.columns[name].values.tolist()} if name else set()
    if len(stations) > 1:
        some = ", ".join(sorted(stations)[:5])
        raise UserError(
            f"{layer.name} holds {len(stations)} weather stations.",
            f"Their hours are mixed in one table: {some}.",
            "Import a table of one station.",
            code="wind.several_stations",
            values={"layer": layer.name, "count": len(stations), "stations": some},
        )


def _times(layer: Layer) -> tuple[Indices, Indices, Indices]:
    """Number of the day, month and the hour that ends (0 unknown), from columns or from texts of date and time."""
    count = len(layer.table)
    name = _column(layer, TIME_NAMES)
    if not name or layer.table.columns[name].is_number:
        rows = np.arange(count, dtype=np.int64)
        return rows // 24, _whole(layer, "month", count), _whole(layer, "hour_end", count)
    texts = np.array(
        [str(value or "")[:16].replace("/", "-").replace(" ", "T") for value in layer.table.columns[name].values]
    )
    known = np.array([len(text) == 16 and text[:4].isdigit() and text[11:13].isdigit() for text in texts])
    moment = np.where(known, texts, "1970-01-01T01:00").astype("datetime64[m]") - np.timedelta64(1, "m")
    day = moment.astype("datetime64[D]").astype(np.int64)
    month = moment.astype("datetime64[M]").astype(np.int64) % 12 + 1
    hour = (moment - moment.astype("datetime64[D]")).astype(np.int64) // 60 + 1
    return np.where(known, day, -1), np.where(known, month, 0), np.where(known, hour, 0)


def _numbers(layer: Layer, name: str) -> Floats:
    """A column as numbers; text that is none is NaN."""
    values = layer.table.columns[name].values
    if values.dtype.kind in "fi":
        return np.asarray(values, dtype=np.float64)
    out = np.full(len(values), np.nan)
    for row, value in enumerate(values.tolist()):
        try:
            out[row] = float(value)
        except (TypeError, ValueError):
            continue
    return out


def _directions(layer: Layer, name: str) -> Floats:
    """Directions in degrees, 0 to below 360, from numbers or from compass points."""
    found = _numbers(layer, name)
    values = layer.table.columns[name].values
    if values.dtype.kind == "O":
        known = {**dict(zip(POINTS, range(16), strict=True)), **dict(zip(POINTS_KO, range(16), strict=True))}
        words = [known.get(str(value or "").strip().upper(), -1) for value in values.tolist()]
        points = np.array(words, dtype=np.float64)
        found = np.where(points >= 0, points * 22.5, found)
    inside = (found >= 0.0) & (found <= 360.0)
    return np.where(inside, np.mod(found, 360.0), np.nan)


def _whole(layer: Layer, name: str, count: int) -> Indices:
    column = layer.table.columns.get(name)
    if column is None or not column.is_number:
        return np.zeros(count, dtype=np.int64)
    return np.nan_to_num(np.asarray(column.values, dtype=np.float64)).astype(np.int64)


def _unrounded(wind_from: Floats) -> tuple[Floats, float]:
    """Directions, sixteen points in tens of degrees put right, and the step in which they were rounded [degrees]."""
    known = wind_from[np.isfinite(wind_from)]
    if len(known) < 100:
        return wind_from, 0.0
    if np.isin(known, POINTS_IN_TENS).mean() >= MOSTLY and len(np.unique(known)) > 4:
        return np.where(np.isfinite(wind_from), np.mod(np.round(wind_from / 22.5), 16.0) * 22.5, np.nan), 22.5
    for step in STEPS:
        off = np.abs(np.mod(known + step / 2.0, step) - step / 2.0)
        # A wind that has only few directions says nothing about how they were rounded.
        if (off < 0.01).mean() >= MOSTLY and len(np.unique(np.round(known / step))) >= 0.75 * 360.0 / step:
            return wind_from, step
    return wind_from, 0.0


def sector_shares(hours: WindHours, sectors: int) -> tuple[Indices, Indices, Floats]:
    """Hour, sector and share of it: a direction rounded in steps belongs to all sectors its step lies in.

    Without this, sixteen sectors of directions in tens of degrees would get two or three of them in turn.
    """
    width = 360.0 / sectors
    blowing = np.flatnonzero((hours.speed >= CALM) & np.isfinite(hours.wind_from))
    middle, step = hours.wind_from[blowing], hours.step
    if step == 0.0:
        number = np.floor(middle / width + 0.5).astype(np.int64)
        return blowing, np.mod(number, sectors), np.ones(len(blowing))
    rows, columns, shares = [], [], []
    first = np.floor((middle - step / 2.0) / width + 0.5)
    for further in range(int(np.ceil(step / width)) + 1):
        sector = first + further
        low = np.maximum(middle - step / 2.0, (sector - 0.5) * width)
        high = np.minimum(middle + step / 2.0, (sector + 0.5) * width)
        share = (high - low) / step
        keep = share > 1e-9
        rows.append(blowing[keep])
        columns.append(np.mod(sector[keep], sectors).astype(np.int64))
        shares.append(share[keep])
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(shares)


def rose_of(hours: WindHours, sectors: int, issues: list[Issue]) -> Rose:
    """The rose of some hours; what is doubtful about them is added to `issues`."""
    if not FEWEST_SECTORS <= sectors <= MOST_SECTORS:
        raise ValueError(f"sectors must be {FEWEST_SECTORS} to {MOST_SECTORS}")
    calm = hours.speed < CALM
    known = calm | ((hours.speed >= CALM) & np.isfinite(hours.wind_from))
    count = int(known.sum())
    if count == 0 or not (known & ~calm).any():
        raise UserError(
            f"{hours.name} holds no wind.",
            "None of its hours has a speed of half a metre per second or more and a direction.",
            "Choose another weather file, or other months and hours.",
            code="wind.no_wind",
            values={"layer": hours.name},
        )
    row, sector, share = sector_shares(hours, sectors)
    speed = hours.speed[row]
    each = np.asarray(np.bincount(sector, share, sectors), dtype=np.float64)
    total = np.bincount(sector, share * speed, sectors)
    mean = np.divide(total, each, out=np.full(sectors, np.nan), where=each > 0)
    scale, shape, misfit, own = _distributions(sector, speed, share, each)
    calm_share = float(calm[known].sum()) / count
    rose = Rose(each / count, calm_share, scale, shape, mean, each, misfit, own, count)
    issues += _doubts(rose, hours, len(hours.speed) - count)
    return rose


def speed_classes(hours: WindHours, sectors: int, limits: Sequence[float] = (2.0, 4.0, 6.0, 8.0, 10.0)) -> Floats:
    """(sectors, classes) share of the known hours below, between and above the limits [m/s]: the petals of a rose."""
    row, sector, share = sector_shares(hours, sectors)
    number = np.searchsorted(np.asarray(limits), hours.speed[row], side="right")
    count = len(limits) + 1
    total = np.bincount(sector * count + number, share, sectors * count)
    known = int(((hours.speed < CALM) | ((hours.speed >= CALM) & np.isfinite(hours.wind_from))).sum())
    return np.asarray(total.reshape(sectors, count) / max(known, 1), dtype=np.float64)


def _distributions(sector: Indices, speed: Floats, share: Floats, each: Floats) -> tuple[Floats, Floats, Floats, Bools]:
    """Scale, shape, misfit and whether the sector had hours enough, for each sector."""
    all_scale, all_shape = weibull_fit(speed, share)
    count = len(each)
    scale, shape, misfit = np.full(count, all_scale), np.full(count, all_shape), np.full(count, np.nan)
    own = each >= ENOUGH_HOURS
    for number in range(count):
        mine = sector == number
        if not mine.any():
            continue
        if own[number]:
            scale[number], shape[number] = weibull_fit(speed[mine], share[mine])
        misfit[number] = weibull_misfit(speed[mine], share[mine], float(scale[number]), float(shape[number]))
    return scale, shape, misfit, own


def weibull_fit(speed: Floats, weight: Floats | None = None) -> tuple[float, float]:
    """Scale [m/s] and shape of the Weibull distribution by maximum likelihood (Cohen 1965).

    The shape solves ``sum(u^k ln u) / sum(u^k) - 1/k - mean(ln u) = 0``, which rises with k.

    Parameters
    ----------
    speed : (n,) float [m/s]
        All above 0.
    weight : (n,) float, optional
    """
    w = np.ones(len(speed)) if weight is None else np.asarray(weight, dtype=np.float64)
    top = float(speed.max())
    log = np.log(speed / top)
    mean_log = float((w * log).sum() / w.sum())

    def excess(k: float) -> float:
        power = w * np.exp(k * log)
        return float((power * log).sum() / power.sum()) - 1.0 / k - mean_log

    low, high = SHAPES
    if excess(high) <= 0.0:
        low = high
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if excess(middle) < 0.0 else (low, middle)
    k = 0.5 * (low + high)
    scale = top * float((w * np.exp(k * log)).sum() / w.sum()) ** (1.0 / k)
    return scale, k


def weibull_misfit(speed: Floats, weight: Floats, scale: float, shape: float) -> float:
    """Largest difference of the two cumulative distributions from 1 m/s upwards, 0 to 1.

    Below, calm hours are missing in the one and present in the other, and nobody asks for such speeds.

    Speeds are rounded: each stands for half a step to either side, and they are compared between the steps.
    """
    values, number = np.unique(speed, return_inverse=True)
    reached = np.cumsum(np.bincount(number, weight)) / weight.sum()
    step = min(float(np.diff(values).min()), MOST_ROUNDED) if len(values) > 1 else 0.0
    low, high = (1.0 - np.exp(-((np.maximum(values + side, 0.0) / scale) ** shape)) for side in (-step / 2, step / 2))
    before = np.concatenate([np.zeros(1), reached[:-1]])
    felt = values >= 2.0 * CALM
    apart = np.maximum(np.abs(reached - high), np.abs(before - low))[felt]
    return float(apart.max()) if len(apart) else 0.0


def _doubts(rose: Rose, hours: WindHours, unknown: int) -> list[Issue]:
    """What is to be said of a rose."""
    issues = []
    if unknown:
        message = f"{unknown} hours without speed or direction were left out."
        issues.append(Issue("wind.unknown_hours", message, "note", unknown))
    if rose.known < FEWEST_HOURS:
        message = f"The rose is made from {rose.known} hours only."
        issues.append(Issue("wind.few_hours", message, "doubt", rose.known))
    if rose.calm > MOST_CALM:
        percent = round(100.0 * rose.calm)
        message = f"{percent} % of the hours are calm: what the wind does then is not in this model."
        issues.append(Issue("wind.mostly_calm", message, "doubt", values={"percent": percent}))
    empty = [sector_name(int(k), rose.sectors) for k in np.flatnonzero(rose.hours == 0.0)]
    if empty:
        message = f"No wind comes from {', '.join(empty)}."
        values = {"sectors": ", ".join(empty)}
        issues.append(Issue("wind.empty_sectors", message, "note", len(empty), values=values))
    thin = int(((rose.hours > 0.0) & ~rose.own_fit).sum())
    if thin:
        message = f"{thin} sectors have fewer than {ENOUGH_HOURS:.0f} hours; they take the distribution of all."
        issues.append(Issue("wind.thin_sectors", message, "note", thin, values={"hours": round(ENOUGH_HOURS)}))
    bad = np.flatnonzero(rose.own_fit & (rose.misfit > MOST_MISFIT))
    if len(bad):
        names = ", ".join(sector_name(int(k), rose.sectors) for k in bad)
        message = f"The wind from {names} is no Weibull distribution; frequencies of strong wind are less sure."
        issues.append(Issue("wind.weibull_misfit", message, "doubt", len(bad), values={"sectors": names}))
    return issues


def season(hours: WindHours, months: Sequence[int] = (), times: tuple[int, int] | None = None) -> WindHours:
    """The hours of some months, and of the day between two clock hours (22 to 6 goes through midnight).

    Empty and None: all. A table that does not say the months or hours is returned as it is.
    """
    keep = np.ones(len(hours.speed), dtype=bool)
    if months and (hours.month > 0).any():
        keep &= np.isin(hours.month, np.asarray(months))
    if times is not None and (hours.hour > 0).any():
        first, last = times
        start = hours.hour - 1
        keep &= ((start >= first) & (start < last)) if first < last else ((start >= first) | (start < last))
    return hours.at(keep)
