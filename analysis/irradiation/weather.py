"""From a weather layer to hours of radiation whose sun is known; gaps are filled, doubts are said.

An EPW file labels an hour by its end, so its sun is that of half an hour before. Some files keep to their label
instead: typical years made from reanalysis (TMYx) hold global, direct and diffuse radiation that belong to the sun at
the label itself. The three columns betray which, since global = diffuse + direct x sin(elevation of the sun).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.sun import sun_position
from geo.model import Frame, Issue, Layer, UserError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Times = NDArray[np.datetime64]

TIME_COLUMNS = ("year", "month", "day", "hour_end")
RADIATION = ("global_horizontal", "direct_normal", "diffuse_horizontal")
PLACE = ("latitude", "longitude", "elevation", "time_zone")
MOST_FILLED = 0.1  # share of the daylight hours of a month that may be filled from its other days
MIDDLE, END = 0.5, 0.0  # [h] from the sun's time to the label of the hour
CLOCKS = np.arange(-0.5, 1.51, 0.25)  # [h] tried
CLOCK_HOURS = 1000  # enough to tell one clock from another
CLOCK_GAIN = 0.8  # another clock is believed only where it leaves this share of the misfit or less
WRONG_ZONE = 1.5  # [h] mean hour angle of the radiation from which the time zone is doubted
FAR_STATION, FAR_HEIGHT = 50.0, 300.0  # [km], [m]
EARTH_RADIUS = 6371.0  # [km]
DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
LEAP_YEAR = 2000  # stands for rows whose own year has no such day
MS = 3.6e6  # per hour


class Station(NamedTuple):
    """Where the weather was measured: degrees (north, east positive), metres, hours ahead of UTC."""

    name: str
    latitude: float
    longitude: float
    elevation: float
    time_zone: float


class Hours(NamedTuple):
    """Hours of radiation, gaps filled.

    Attributes
    ----------
    station : Station
    month : (n,) int64
    label : (n,) datetime64[ms], UTC
        End of the hour as the file counts.
    lead : float [h]
        How long before its label the sun of an hour stands for it.
    global_horizontal, direct, diffuse : (n,) float64 [Wh/m2]
        Global on the horizontal, direct facing the sun, diffuse on the horizontal; without gaps.
    """

    station: Station
    month: Indices
    label: Times
    lead: float
    global_horizontal: Floats
    direct: Floats
    diffuse: Floats


def hours_of(
    weather: Sequence[Layer], stations: Sequence[Layer], frame: Frame, sun_clock: str, issues: list[Issue]
) -> Hours:
    """The hours of the nearest weather station among the layers; doubts are added to `issues`."""
    table, station = _nearest(weather, stations, frame, issues)
    _check_distance(station, frame, issues)
    columns = {name: np.asarray(table.table.columns[name].values).astype(np.int64) for name in TIME_COLUMNS}
    known = {name: _column(table, name) for name in RADIATION}
    _check_year(columns["month"], columns["day"], issues)
    columns, known = _each_hour_once(columns, known, issues)
    label = _labels(columns, station.time_zone)
    if not any(np.isfinite(values).any() for values in known.values()):
        raise _no_radiation(table)
    lead = _lead(known, label, station, sun_clock, issues)
    cosine = _cosine(label, lead, station)
    values = _completed(known, cosine, columns, issues)
    if not values["global_horizontal"].sum() > 0:
        raise UserError(
            "The weather file holds no sunshine at all.",
            "Its radiation is zero in every hour of the year.",
            "Choose the weather file of another station.",
            code="irradiation.no_sun",
            values={"layer": table.name},
        )
    return Hours(station, columns["month"], label, lead, *(values[name] for name in RADIATION))


def _nearest(
    weather: Sequence[Layer], stations: Sequence[Layer], frame: Frame, issues: list[Issue]
) -> tuple[Layer, Station]:
    """The table of hours whose station stands nearest, and that station."""
    tables = [layer for layer in weather if all(name in layer.table.columns for name in TIME_COLUMNS)]
    if not tables:
        raise UserError(
            "There is no hourly weather.",
            "None of the tables chosen has the columns year, month, day and hour_end of a weather file.",
            "Import an EPW file, for example from climate.onebuilding.org.",
            code="irradiation.no_weather",
        )
    with_light = [layer for layer in tables if any(name in layer.table.columns for name in RADIATION)]
    if not with_light:
        raise _no_radiation(tables[0])
    places = [layer for layer in stations if all(name in layer.table.columns for name in PLACE) and len(layer.table)]
    pairs = [(layer, _station(layer, places)) for layer in with_light]
    known = [(layer, station) for layer, station in pairs if station is not None]
    if not known:
        raise UserError(
            "Nobody says where the weather was measured.",
            "The weather station of these hours is not among the layers; without its time zone the sun is unknown.",
            "Import the EPW file again, or show its weather station.",
            code="irradiation.no_station",
            values={"layer": with_light[0].name},
        )
    table, station = min(known, key=lambda pair: distance_km(pair[1], frame))
    if len(known) > 1:
        message = f"Of {len(known)} weather files the nearest was taken: {table.name}."
        issues.append(Issue("irradiation.nearest", message, values={"count": len(known), "layer": table.name}))
    return table, station


def _station(table: Layer, places: Sequence[Layer]) -> Station | None:
    """The station read from the same file; the only one there is for hours that came from no file."""
    same = [p for p in places if p.source.path == table.source.path and p.source.digest == table.source.digest]
    found = same if len(same) == 1 else list(places) if len(places) == 1 and not table.source.path else []
    if not found:
        return None
    columns = found[0].table.columns
    numbers = [float(columns[name].values[0]) for name in PLACE]
    if not np.isfinite([numbers[0], numbers[1], numbers[3]]).all():
        return None
    return Station(found[0].name, *numbers)


def distance_km(station: Station, frame: Frame) -> float:
    """Great-circle distance from the origin of the scene to the station [km]."""
    lat1, lat2 = np.radians([frame.latitude, station.latitude])
    east = np.radians(station.longitude - frame.longitude) / 2
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin(east) ** 2
    return float(2 * EARTH_RADIUS * np.arcsin(np.sqrt(half)))


def _check_distance(station: Station, frame: Frame, issues: list[Issue]) -> None:
    away = distance_km(station, frame)
    if away > FAR_STATION:
        message = f"The weather was measured {away:.0f} km away."
        values = {"distance": round(away), "station": station.name}
        issues.append(Issue("irradiation.station_far", message, "doubt", values=values))


def check_height(station: Station, level: float, issues: list[Issue]) -> None:
    """Doubt weather from a height far from that of the site, `level` [m above the sea]."""
    if np.isfinite(station.elevation) and abs(station.elevation - level) > FAR_HEIGHT:
        message = f"The weather was measured {station.elevation:.0f} m above the sea, the site lies at {level:.0f} m."
        values = {"height": round(station.elevation), "site": round(level)}
        issues.append(Issue("irradiation.station_height", message, "doubt", values=values))


def _check_year(month: Indices, day: Indices, issues: list[Issue]) -> None:
    """Refuse files without some months; say when a leap day is in it."""
    missing = sorted(set(range(1, 13)) - set(month.tolist()))
    if missing:
        names = ", ".join(str(m) for m in missing)
        raise UserError(
            "The weather file does not cover a year.",
            f"It has no hour of these months: {names}.",
            "Choose the file of a whole year.",
            code="irradiation.not_a_year",
            values={"months": names},
        )
    leap = int(((month == 2) & (day == 29)).sum())
    if leap:
        message = f"The file has a 29 February: sums of the year are over {365 + round(leap / 24)} days."
        issues.append(Issue("irradiation.leap_day", message, values={"days": 365 + round(leap / 24)}))


def _each_hour_once(
    columns: dict[str, Indices], known: dict[str, Floats], issues: list[Issue]
) -> tuple[dict[str, Indices], dict[str, Floats]]:
    """Hours in order of the calendar: one that comes twice counts once, one that is lost is a gap like any other."""
    key = (columns["month"] * 100 + columns["day"]) * 100 + columns["hour_end"]
    there, first = np.unique(key, return_index=True)
    twice = len(key) - len(there)
    if twice:
        message = f"{twice} hours come twice in the weather file; the first of each was taken."
        issues.append(Issue("irradiation.twice", message, "doubt", twice))
    days = [month * 100 + day for month, count in enumerate(DAYS, 1) for day in range(1, count + 1)]
    wanted = (np.array(days)[:, None] * 100 + np.arange(1, 25)).ravel()
    whole = np.union1d(wanted, there)
    row = np.searchsorted(whole, there)
    usual = {month: int(np.median(columns["year"][columns["month"] == month])) for month in range(1, 13)}
    month = whole // 10_000
    out = {"month": month, "day": whole // 100 % 100, "hour_end": whole % 100}
    out["year"] = np.array([usual[m] for m in month.tolist()], dtype=np.int64)
    out["year"][row] = columns["year"][first]
    values = {name: np.full(len(whole), np.nan) for name in known}
    for name, column in known.items():
        values[name][row] = column[first]
    return out, values


def _labels(columns: dict[str, Indices], time_zone: float) -> Times:
    """(n,) ends of the hours in UTC. A day that its own year does not have (29 February) is put into a leap year."""
    year, month, day, hour = (columns[name] for name in TIME_COLUMNS)
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    year = np.where((year < 1900) | ((month == 2) & (day == 29) & ~leap), LEAP_YEAR, year)
    months = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (month - 1)
    days = months.astype("datetime64[D]") + (day - 1)
    return np.asarray(days.astype("datetime64[ms]") + _ms(hour - time_zone))


def _ms(hours: NDArray[np.floating] | NDArray[np.int64] | float) -> NDArray[np.timedelta64]:
    return np.rint(np.asarray(hours) * MS).astype(np.int64).astype("timedelta64[ms]")


def _column(table: Layer, name: str) -> Floats:
    if name not in table.table.columns:
        return np.full(len(table.table), np.nan)
    return np.asarray(table.table.columns[name].values, dtype=np.float64)


def _cosine(label: Times, lead: float, station: Station) -> Floats:
    """(n,) cosine of the sun's zenith angle at the hour's own time; zero or less at night."""
    place = sun_position(label - _ms(lead), station.longitude, station.latitude)
    return np.asarray(np.sin(np.radians(place.apparent_elevation)))


def _lead(known: dict[str, Floats], label: Times, station: Station, sun_clock: str, issues: list[Issue]) -> float:
    """Hours from the sun's time to the label: as asked for, or as the three columns say."""
    total, direct, diffuse = (known[name] for name in RADIATION)
    told = np.isfinite(total) & np.isfinite(direct) & np.isfinite(diffuse) & (direct > 0)
    if sun_clock != "auto" or told.sum() < 100:
        lead = MIDDLE if sun_clock != "end" else END
        _doubt_zone(total, label, lead, station, issues)
        return lead

    some = np.flatnonzero(told)[:: max(1, int(told.sum()) // CLOCK_HOURS)]

    def misfit(lead: float) -> float:
        rest = total[some] - diffuse[some] - direct[some] * np.maximum(_cosine(label[some], lead, station), 0.0)
        return float(np.sqrt(np.mean(rest**2)))

    whole = {float(shift): misfit(MIDDLE + shift) for shift in range(-12, 12)}
    shift = min(whole, key=lambda key: (whole[key], abs(key)))
    usual = misfit(MIDDLE)
    zone = shift if abs(shift) > 1.0 and whole[shift] < 0.5 * usual else 0.0
    tried = {float(zone + lead): misfit(float(zone + lead)) for lead in CLOCKS}
    best = min(tried, key=lambda key: (tried[key], abs(key - MIDDLE)))
    if tried[best] > CLOCK_GAIN * usual:
        return MIDDLE
    if zone:
        said, right = station.time_zone, (station.time_zone + zone + 12.0) % 24.0 - 12.0
        message = f"The radiation fits the sun in the time zone {right:+g} h, not in {said:+g} h; this was taken."
        values = {"zone": f"{right:+g}", "said": f"{said:+g}"}
        issues.append(Issue("irradiation.time_zone", message, "doubt", values=values))
    elif best != MIDDLE:
        message = f"The radiation belongs to the sun {best * 60:.0f} min before each label, not 30; it was taken so."
        issues.append(Issue("irradiation.sun_clock", message, "doubt", values={"minutes": round(best * 60)}))
    return best


def _doubt_zone(total: Floats, label: Times, lead: float, station: Station, issues: list[Issue]) -> None:
    """Without three columns: the middle of the year's radiation lies near noon, or the clock is wrong."""
    place = sun_position(label - _ms(lead), station.longitude, station.latitude)
    day = (label - _ms(lead)).astype("datetime64[D]")
    hour = (label - _ms(lead) - day) / np.timedelta64(1, "ms") / MS
    angle = (hour + station.longitude / 15.0 + place.equation_of_time / 60.0) % 24.0 - 12.0
    known = np.isfinite(total)
    if not total[known].sum() > 0:
        return
    turn = np.exp(1j * np.pi / 12.0 * angle[known])
    middle = float(np.angle((total[known] * turn).sum()) * 12.0 / np.pi)
    if abs(middle) > WRONG_ZONE:
        message = f"The radiation is strongest {middle:+.1f} h from noon: the time zone of the file is wrong."
        issues.append(Issue("irradiation.off_noon", message, "doubt", values={"hours": round(middle, 1)}))


def _completed(
    known: dict[str, Floats],
    cosine: Floats,
    columns: dict[str, Indices],
    issues: list[Issue],
) -> dict[str, Floats]:
    """All three columns without a gap: by their sum first, then by a model of the sky, then from other days."""
    total, direct, diffuse = (known[name].copy() for name in RADIATION)
    up = np.maximum(cosine, 0.0)
    for column, other in ((total, direct * up + diffuse), (diffuse, np.maximum(total - direct * up, 0.0))):
        gap = ~np.isfinite(column) & np.isfinite(other)
        column[gap] = other[gap]
    gap = ~np.isfinite(direct) & np.isfinite(total) & np.isfinite(diffuse)
    beam = np.clip((total - diffuse) / np.maximum(up, np.cos(np.radians(87.0))), 0.0, 1400.0)
    direct[gap] = np.where(up[gap] > 0, beam[gap], 0.0)
    gap = np.isfinite(total) & ~(np.isfinite(direct) & np.isfinite(diffuse))
    if gap.any():
        direct[gap], diffuse[gap] = _split(total[gap], cosine[gap], columns, gap)
        message = f"{int(gap.sum())} hours had only global radiation; direct and diffuse were estimated (Erbs 1982)."
        issues.append(Issue("irradiation.split", message, "doubt", int(gap.sum())))
    values = {"global_horizontal": total, "direct_normal": direct, "diffuse_horizontal": diffuse}
    return _filled(values, up > 0, columns, issues)


def _split(
    total: Floats, cosine: Floats, columns: dict[str, Indices], rows: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Direct and diffuse of hours with global radiation only, after Erbs, Klein and Duffie (1982)."""
    from pvlib.irradiance import erbs

    day = np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30])[columns["month"][rows] - 1]
    zenith = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    found = erbs(total, zenith, day + columns["day"][rows])
    return np.nan_to_num(np.asarray(found["dni"])), np.nan_to_num(np.asarray(found["dhi"]), nan=0.0)


def _filled(
    values: dict[str, Floats], is_day: NDArray[np.bool_], columns: dict[str, Indices], issues: list[Issue]
) -> dict[str, Floats]:
    """Hours without radiation get the mean of the same hour on the other days of the month."""
    gaps = ~np.isfinite(np.stack(list(values.values()))).all(axis=0)
    month, hour = columns["month"], columns["hour_end"]
    dark = gaps & ~is_day
    for column in values.values():
        column[dark & ~np.isfinite(column)] = 0.0
    gaps &= is_day
    if not gaps.any():
        return values
    for one in range(1, 13):
        share = float(gaps[month == one].sum()) / max(1, int(is_day[month == one].sum()))
        if share > MOST_FILLED:
            raise UserError(
                "The weather file has too many gaps.",
                f"In month {one} {100 * share:.0f} % of the daylight hours have no radiation.",
                "Choose another file, or one without gaps.",
                code="irradiation.too_many_gaps",
                values={"month": one, "percent": round(100 * share)},
            )
    for row in np.flatnonzero(gaps):
        alike = (month == month[row]) & (hour == hour[row]) & ~gaps
        for column in values.values():
            column[row] = float(column[alike].mean()) if alike.any() else 0.0
    count = int(gaps.sum())
    message = f"{count} hours without radiation got the mean of that hour on the other days of the month."
    issues.append(Issue("irradiation.gaps_filled", message, "doubt", count))
    return values


def _no_radiation(table: Layer) -> UserError:
    return UserError(
        "The weather has no radiation.",
        f"{table.name} has none of the columns {', '.join(RADIATION)}, or nothing in them.",
        "Choose a weather file with radiation, such as a typical year (TMY).",
        code="irradiation.no_radiation",
        values={"layer": table.name},
    )
