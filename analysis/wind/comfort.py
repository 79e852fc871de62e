"""Comfort and danger of the wind for people on foot: rules from the program's data, judged at every point."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind.climate import Rose, WindHours, sector_shares
from geo.model import UserError
from resources import load_json

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]
Speed = Literal["mean", "gem", "largest", "gust"]

RULES = "rules/wind_comfort.json"


class Danger(NamedTuple):
    """A limit of safety: `speed` above `threshold` [m/s] in more than `percent` of the hours [%]."""

    name: str
    speed: Speed
    threshold: float
    percent: float
    verified: bool


class Scheme(NamedTuple):
    """A set of criteria for comfort.

    Attributes
    ----------
    id, title, source, edition : str
    verified : bool
        Whether figures and names of the classes were checked against the source.
    method : str
        ``probability``: how often one speed is exceeded; ``speed``: which speed is exceeded in a share of the hours;
        ``daily_gust``: on how many days gusts are exceeded.
    speed : str
        ``mean``; ``largest`` of the mean and the gust equivalent mean; ``gust``.
    classes : tuple of str
        Best first.
    threshold : float [m/s]
        Of the method ``probability``.
    percent : float [%]
        Of the method ``speed``.
    limits : tuple of float [%] or [m/s]
        Between the classes.
    thresholds, ranks : tuples
        Of ``daily_gust`` [m/s] and, for each class but the last, the most days in percent.
    activities : dict
        For each activity a judgement per class.
    dangers : tuple of Danger
        Mildest first.
    """

    id: str
    title: str
    source: str
    edition: str
    verified: bool
    method: str
    speed: Speed
    classes: tuple[str, ...]
    threshold: float
    percent: float
    limits: tuple[float, ...]
    thresholds: tuple[float, ...]
    ranks: tuple[tuple[float, ...], ...]
    activities: dict[str, tuple[str, ...]]
    dangers: tuple[Danger, ...]


class Assessment(NamedTuple):
    """What a scheme says at points.

    Attributes
    ----------
    comfort : (n,) int8
        Class, 0 best; -1 where the wind is not known.
    danger : (n,) int8
        0 none, 1 the first of the scheme's dangers ...; -1 not known.
    exceedance : (n,) float [%]
        Of the hours above the scheme's `threshold` (``probability``); of those above the highest limit (``speed``);
        of the days above the first threshold (``daily_gust``).
    """

    comfort: Codes
    danger: Codes
    exceedance: Floats


@cache
def schemes() -> dict[str, Scheme]:
    """All schemes of the program's rules by id."""
    return {name: _scheme(name, rule) for name, rule in load_json(RULES)["schemes"].items()}


def scheme(name: str) -> Scheme:
    """The scheme of that id."""
    try:
        return schemes()[name]
    except KeyError:
        raise UserError(
            f"There is no comfort scheme called {name}.",
            f"Known are: {', '.join(schemes())}.",
            "Choose one of them.",
            code="wind.no_scheme",
            values={"scheme": name, "known": ", ".join(schemes())},
        ) from None


def _scheme(name: str, rule: dict[str, Any]) -> Scheme:
    dangers = tuple(
        Danger(d["class"], d["speed"], float(d["threshold"]), float(d["percent"]), bool(d["verified"]))
        for d in rule["danger"]
    )
    return Scheme(
        id=name,
        title=rule["title"],
        source=rule["source"],
        edition=rule["edition"],
        verified=bool(rule["verified"] and rule.get("classes_verified", True) and all(d.verified for d in dangers)),
        method=rule["method"],
        speed=rule["speed"],
        classes=tuple(rule["classes"]),
        threshold=float(rule.get("threshold", 0.0)),
        percent=float(rule.get("percent", 0.0)),
        limits=tuple(float(v) for v in rule.get("limits", ())),
        thresholds=tuple(float(v) for v in rule.get("thresholds", ())),
        ranks=tuple(tuple(float(v) for v in row) for row in rule.get("ranks", ())),
        activities={key: tuple(values) for key, values in rule.get("activities", {}).items()},
        dangers=dangers,
    )


def rule_value(name: str) -> float:
    """A figure of the rules' part ``gust``: ``gem_divisor``, ``peak_factor`` or ``gust_factor``."""
    return float(load_json(RULES)["gust"][name]["value"])


def hours_of_percent(percent: float) -> float:
    """Hours of a year: 5 % are 438 h, 0.023 % are 2.0 h."""
    return float(load_json(RULES)["hours_of_year"]) * percent / 100.0


def gust_equivalent(speed: Floats, sigma: Floats) -> Floats:
    """Gust equivalent mean ``(U + 3 sigma) / 1.85`` from mean and standard deviation of the speed [m/s]."""
    return np.asarray((speed + rule_value("peak_factor") * sigma) / rule_value("gem_divisor"))


class Ratios(NamedTuple):
    """Speeds at points over the reference speed of the rose, by direction.

    Attributes
    ----------
    mean : (sectors, n) float
        Mean speed; NaN in buildings.
    sigma : (sectors, n) float or None
        Standard deviation; None = not known: gusts are taken as the mean times a factor, the gust equivalent mean
        as the mean.
    """

    mean: Floats
    sigma: Floats | None = None

    def of(self, speed: Speed) -> Floats:
        """(sectors, n) ratios of the speed a criterion is about."""
        mean = np.ascontiguousarray(self.mean, dtype=np.float64)
        if speed == "mean":
            return mean
        if speed == "gust":
            if self.sigma is None:
                return mean * rule_value("gust_factor")
            return np.asarray(mean + rule_value("peak_factor") * self.sigma)
        if self.sigma is None:
            return mean
        gem = gust_equivalent(mean, np.asarray(self.sigma, dtype=np.float64))
        return gem if speed == "gem" else np.fmax(mean, gem)


class Year:
    """The wind of a year at the site: how often a speed is exceeded at points.

    Parameters
    ----------
    rose : Rose
        Of the reference height at the site (`Rose.scaled`).
    hours : WindHours, optional
        With them the hours are counted themselves instead of their Weibull distributions; needed for days.
    factor : float
        From the station to the reference, for `hours`.
    by_hours : bool
        Whether shares are counted from the hours.
    """

    def __init__(
        self, rose: Rose, hours: WindHours | None = None, *, factor: float = 1.0, by_hours: bool = False
    ) -> None:
        self.rose = rose
        self._by_hours = by_hours and hours is not None
        if hours is None:
            self._hours = None
            return
        row, sector, share = sector_shares(hours, rose.sectors)
        order = np.lexsort((row, hours.day[row]))
        row, sector, share = row[order], sector[order], share[order]
        known_days = np.unique(hours.day[np.isfinite(hours.speed)])
        self._hours = (sector, hours.speed[row] * factor, share / rose.known, hours.day[row], len(known_days))

    @property
    def has_hours(self) -> bool:
        """Whether days can be counted."""
        return self._hours is not None

    def share_above(self, ratio: Floats, threshold: float) -> Floats:
        """(n,) share of all hours, calm ones too, with a speed above `threshold` [m/s], 0 to 1."""
        from analysis.kernels import exceedance

        if self._by_hours and self._hours is not None:
            sector, speed, share, _, _ = self._hours
            return np.asarray(exceedance.by_hours(ratio, threshold, sector, speed, share))
        rose = self.rose
        return np.asarray(exceedance.by_weibull(ratio, threshold, rose.frequency, rose.scale, rose.shape))

    def days_above(self, ratio: Floats, thresholds: Floats) -> Floats:
        """(thresholds, n) share of the days whose highest hour is above, 0 to 1."""
        from analysis.kernels import exceedance

        if self._hours is None:
            raise ValueError("days are counted from hours")
        sector, speed, _, day, days = self._hours
        return np.asarray(exceedance.days_above(ratio, thresholds, sector, speed, day)) / days


def assess(rule: Scheme, ratios: Ratios, year: Year) -> Assessment:
    """Comfort and danger class at every point."""
    ratio = ratios.of(rule.speed)
    if rule.method == "daily_gust":
        comfort, exceedance = _by_days(rule, ratio, year)
    elif rule.method == "probability":
        exceedance = 100.0 * year.share_above(ratio, rule.threshold)
        comfort = np.searchsorted(np.array(rule.limits), exceedance, side="right").astype(np.int8)
    else:
        comfort, exceedance = _by_speed(rule, ratio, year)
    unknown = np.isnan(exceedance)
    comfort[unknown] = -1
    danger = np.zeros(ratio.shape[1], dtype=np.int8)
    for level, limit in enumerate(rule.dangers, start=1):
        danger[100.0 * year.share_above(ratios.of(limit.speed), limit.threshold) > limit.percent] = level
    danger[unknown] = -1
    return Assessment(comfort, danger, exceedance)


def _by_speed(rule: Scheme, ratio: Floats, year: Year) -> tuple[Codes, Floats]:
    """The first limit that is exceeded in no more than the scheme's share of the hours."""
    comfort = np.full(ratio.shape[1], len(rule.limits), dtype=np.int8)
    share = np.zeros(ratio.shape[1])
    for number in reversed(range(len(rule.limits))):
        found = 100.0 * year.share_above(ratio, rule.limits[number])
        share = found if number == len(rule.limits) - 1 else share
        comfort[found <= rule.percent] = number
    return comfort, share


def _by_days(rule: Scheme, ratio: Floats, year: Year) -> tuple[Codes, Floats]:
    """The best rank whose limits on days are all kept."""
    percent = 100.0 * year.days_above(ratio, np.array(rule.thresholds))
    comfort = np.full(ratio.shape[1], len(rule.ranks), dtype=np.int8)
    for rank in reversed(range(len(rule.ranks))):
        comfort[(percent <= np.array(rule.ranks[rank])[:, None]).all(axis=0)] = rank
    return comfort, percent[0]
