"""The air that comes in: its concentration from measurements, from the user, or assumed and said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust import rules
from analysis.dust.columns import texts_of
from analysis.dust.rules import Size
from geo.model import Issue, Layer
from geo.model import conventions as words

Floats = NDArray[np.float64]
COLUMN: dict[Size, str] = {"pm10": words.PM10, "pm25": words.PM25}
NETWORK_COLUMNS = ("network", "측정망", "mangName", "mangname")
# Suburban air, the nation's background: networks of AirKorea that stand away from traffic and works.
BACKGROUND_NETWORKS = ("교외", "국가배경", "background", "suburban", "rural")
FEWEST = 0.5  # of the values of the fullest station that another must have to count


class Background(NamedTuple):
    """Concentration of the air outside the city.

    Attributes
    ----------
    value : float [ug/m3]
    origin : str
        ``"given"``, ``"measured"`` or ``"assumed"``.
    stations : tuple of str
        Whose measurements were taken.
    """

    value: float
    origin: str
    stations: tuple[str, ...] = ()


def background_of(
    given: float,
    measurements: Sequence[Layer],
    stations: Sequence[Layer],
    size: Size,
    issues: list[Issue],
    *,
    months: Sequence[int] = (),
    times: tuple[int, int] | None = None,
) -> Background:
    """The concentration that enters with the wind.

    Of stations of a network that measures the background the mean; else the mean of the cleanest station, because the
    others have the city's own dust in them. Without measurements the annual limit is taken and said.

    Parameters
    ----------
    given : float [ug/m3]
        By the user; 0: not.
    months, times
        As in `analysis.wind.climate.season`.
    """
    if given > 0.0:
        return Background(given, "given")
    means = _station_means(measurements, size, months, times)
    if not means:
        limit = rules.limits(size)[0]
        message = f"No background is given or measured: the annual limit of {limit.year:g} ug/m3 was taken."
        issues.append(Issue("dust.background_assumed", message, "doubt", values={"value": limit.year}))
        return Background(limit.year, "assumed")
    clean = [name for name in means if name in _of_background(stations)]
    taken = clean or [min(means, key=lambda name: (means[name], name))]
    value = float(np.mean([means[name] for name in taken]))
    where = "a network of background stations" if clean else "the cleanest, since none is known to stand outside a city"
    message = f"Background {value:.1f} ug/m3: the mean of {', '.join(taken)} ({where})."
    code = "dust.background_network" if clean else "dust.background_cleanest"
    values = {"value": round(value, 1), "stations": ", ".join(taken)}
    issues.append(Issue(code, message, "note" if clean else "doubt", len(taken), values=values))
    return Background(value, "measured", tuple(taken))


def station_means(measurements: Sequence[Layer], size: Size) -> dict[str, float]:
    """Mean of each station over all its values [ug/m3]."""
    return _station_means(measurements, size, (), None)


def _station_means(
    measurements: Sequence[Layer], size: Size, months: Sequence[int], times: tuple[int, int] | None
) -> dict[str, float]:
    values: dict[str, list[Floats]] = {}
    for layer in measurements:
        column, station = layer.table.columns.get(COLUMN[size]), layer.table.columns.get(words.STATION)
        if column is None or station is None or not column.is_number:
            continue
        number = np.asarray(column.values, dtype=np.float64)
        kept = np.isfinite(number) & (number >= 0.0) & _chosen(layer, months, times)
        names = station.values[kept].astype(str)
        for name in np.unique(names).tolist():
            values.setdefault(name, []).append(number[kept][names == name])
    joined = {name: np.concatenate(parts) for name, parts in values.items()}
    most = max((len(found) for found in joined.values()), default=0)
    return {name: float(found.mean()) for name, found in joined.items() if len(found) >= FEWEST * most}


def _chosen(layer: Layer, months: Sequence[int], times: tuple[int, int] | None) -> NDArray[np.bool_]:
    """Rows of the chosen months and hours; all where the table says no times."""
    column = layer.table.columns.get(words.MEASURED_AT)
    if column is None or not (months or times):
        return np.ones(len(layer.table), dtype=bool)
    texts = [str(value or "") for value in column.values.tolist()]
    keep = np.ones(len(texts), dtype=bool)
    if months:
        keep &= np.array([text[5:7].isdigit() and int(text[5:7]) in months for text in texts], dtype=bool)
    if times is not None:
        first, last = times
        # Hours bear the time at which they end.
        hour = np.array([int(text[11:13]) if text[11:13].isdigit() else -1 for text in texts])
        start = np.where(hour >= 0, (hour - 1) % 24, -1)
        inside = ((start >= first) & (start < last)) if first < last else ((start >= first) | (start < last))
        keep &= (inside & (start >= 0)) | (hour < 0)
    return keep


def _of_background(stations: Sequence[Layer]) -> set[str]:
    """Names of the stations whose network measures the air outside cities."""
    found: set[str] = set()
    for layer in stations:
        names, networks = texts_of(layer, (words.STATION,)), texts_of(layer, NETWORK_COLUMNS)
        found |= {
            name for name, network in zip(names, networks, strict=True)
            if any(word in network.lower() for word in BACKGROUND_NETWORKS)
        }  # fmt: skip
    return found
