"""What the study of comfort hands back: the maps over all directions, tables by class and sector, charts, figures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Chart, Quantity, Series, Table
from analysis.wind import honesty, scene_map
from analysis.wind.climate import Rose, sector_name
from analysis.wind.comfort import Assessment, Scheme
from analysis.wind.sectors import Ground, SectorMap
from geo.model import Column, Field, Layer, Style
from resources import load_json

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]

WORST_ABOVE = 5.0  # [m/s] the worst direction brings the most hours above it
WEAK = 0.3  # of the wind outside at 10 m: badly ventilated
PETALS = (2.0, 4.0, 6.0, 8.0, 10.0)  # [m/s] between the speeds of the rose
NO_DANGER = "none"
SETTLED = ("no", "yes")
RAMP = "comfort"


class Outcome(NamedTuple):
    """All that was found.

    Attributes
    ----------
    ground : Ground
    maps : tuple of SectorMap
    rose : Rose
        At the site, at the reference height.
    station : Rose
        As measured.
    factor : float
        From the station to the site.
    to_ten : float
        Wind outside at the reference height over that at 10 m.
    schemes : tuple of (Scheme, Assessment)
        The first is the one that was asked for.
    petals : (sectors, classes) float
        Share of the hours by speed at the station.
    height : float [m]
        Of the map above ground.
    """

    ground: Ground
    maps: tuple[SectorMap, ...]
    rose: Rose
    station: Rose
    factor: float
    to_ten: float
    schemes: tuple[tuple[Scheme, Assessment], ...]
    petals: Floats
    height: float

    @property
    def names(self) -> tuple[str, ...]:
        """Of the sectors."""
        return tuple(sector_name(number, self.rose.sectors) for number in range(self.rose.sectors))


def all_sectors(maps: tuple[SectorMap, ...], sectors: int) -> tuple[Floats, Floats]:
    """(sectors, n) ratios of mean and sigma; zero where no wind comes from."""
    count = len(maps[0].mean)
    mean, sigma = np.zeros((sectors, count)), np.zeros((sectors, count))
    for item in maps:
        mean[item.number], sigma[item.number] = item.mean, item.sigma
    return mean, sigma


def weighted_ratio(found: Outcome) -> Floats:
    """(n,) mean scalar speed over that outside at 10 m, weighted by the rose."""
    mean, _ = all_sectors(found.maps, found.rose.sectors)
    return np.asarray(found.to_ten * (found.rose.weights @ mean))


def mean_speed(found: Outcome) -> Floats:
    """(n,) mean over all known hours [m/s]; calm ones count nothing."""
    mean, _ = all_sectors(found.maps, found.rose.sectors)
    return np.asarray((found.rose.frequency * np.nan_to_num(found.rose.mean)) @ mean)


def worst_direction(found: Outcome, above: float = WORST_ABOVE) -> Codes:
    """(n,) sector that brings the most hours above a speed [m/s]; -1 where the air always rests."""
    mean, _ = all_sectors(found.maps, found.rose.sectors)
    rose = found.rose
    best, worst = np.full(mean.shape[1], -np.inf), np.full(mean.shape[1], -1, dtype=np.int8)
    for number in range(rose.sectors):
        if rose.frequency[number] <= 0.0:
            continue
        # Logarithms: in weak winds the shares themselves are too small for numbers.
        local = np.maximum(mean[number], 1e-9) * rose.scale[number]
        brings = np.log(rose.frequency[number]) - (above / local) ** rose.shape[number]
        more = (brings > best) & (mean[number] > 0.0)
        best[more], worst[more] = brings[more], number
    return worst


def map_layers(found: Outcome) -> list[Layer]:
    """The map over the year, and the hidden map of the single directions; both are hatched by their trust."""
    ground = found.ground
    ratio, speed = weighted_ratio(found), mean_speed(found)
    fields: list[Field] = []
    for rule, judged in found.schemes:
        fields += _scheme_fields(rule, judged, ground)
    fields += [
        Field("weighted_ratio", "1", "cell", ground.laid(ratio), ramp="wind", range=(0.0, 1.0)),
        Field("mean_speed_of_year", "m/s", "cell", ground.laid(speed), ramp="wind"),
        Field("worst_direction", "1", "cell", ground.laid_codes(worst_direction(found)), categories=found.names),
        trust_field(ground),
        Field("resolution", "1", "cell", ground.resolution, ramp="viridis", range=(0.0, 15.0)),
    ]
    level = _level(ground, found.height)
    main = f"comfort_{found.schemes[0][0].id}"
    shape = scene_map.grid_of(ground.where, ground.laid(ratio), level)
    layer = Layer("map", "Wind comfort", "result", shape, fields=tuple(fields), style=Style(colour_by=main))
    return [layer, _directions(found, level)]


def trust_field(ground: Ground) -> Field:
    """How far the grid can be trusted, the same for all directions."""
    return Field("trust", "1", "cell", ground.trust, categories=honesty.TRUST, ramp="severity")


def _level(ground: Ground, height: float) -> float:
    known = ground.height[np.isfinite(ground.height)]
    return float(np.median(known)) + height if len(known) else height


def _scheme_fields(rule: Scheme, judged: Assessment, ground: Ground) -> list[Field]:
    dangers = (NO_DANGER, *(limit.name for limit in rule.dangers))
    fields = [
        Field(f"comfort_{rule.id}", "1", "cell", ground.laid_codes(judged.comfort), rule.classes, RAMP),
        Field(f"exceedance_{rule.id}", "%", "cell", ground.laid(judged.exceedance), ramp="exposure"),
    ]
    if rule.dangers:
        fields.insert(1, Field(f"danger_{rule.id}", "1", "cell", ground.laid_codes(judged.danger), dangers, "severity"))
    return fields


def _directions(found: Outcome, level: float) -> Layer:
    """The ratio of every direction, for a look at one of them and for the probe."""
    fields = [
        Field(
            f"ratio_{found.names[item.number]}", "1", "cell", found.ground.laid(found.to_ten * item.mean),
            ramp="wind", range=(0.0, 1.5),
        )
        for item in sorted(found.maps, key=lambda item: item.number)
    ]  # fmt: skip
    shape = scene_map.grid_of(found.ground.where, np.asarray(fields[0].values), level)
    style = Style(colour_by=fields[0].name, visible=False)
    shown = (*fields, trust_field(found.ground))
    return Layer("directions", "Wind of every direction", "result", shape, fields=shown, style=style)


def sector_layers(ground: Ground, item: SectorMap, *, to_ten: float, height: float, name: str) -> list[Layer]:
    """One direction as it has just ended: to be looked at while the others are calculated."""
    ratio = ground.laid(to_ten * item.mean)
    shape = scene_map.grid_of(ground.where, ratio, _level(ground, height))
    field = Field("speed_ratio", "1", "cell", ratio, ramp="wind", range=(0.0, 1.5))
    fields = (field, trust_field(ground))
    layer = Layer("map", f"Wind from {name}", "result", shape, fields=fields, style=Style(colour_by="speed_ratio"))
    drawn = scene_map.arrows(ground.laid(item.east), ground.laid(item.north), ground.height + height, ground.where)
    return [layer] if drawn is None else [layer, drawn]


def sector_table(found: Outcome) -> Table:
    """One row for each sector: how often and how strongly it blows, and how far its map has settled."""
    rose, by_number = found.station, {item.number: item for item in found.maps}
    done = [by_number.get(number) for number in range(rose.sectors)]
    ratios = [np.nan if item is None else found.to_ten * float(np.mean(item.mean)) for item in done]
    settled = [-1 if item is None else int(item.settled) for item in done]
    columns = {
        "wind_direction": Column(np.array(found.names, dtype=object)),
        "wind_from": Column(rose.wind_from, "deg"),
        "frequency": Column(100.0 * rose.frequency, "%"),
        "hours": Column(rose.hours, "h"),
        "weibull_scale": Column(np.where(rose.hours > 0, rose.scale, np.nan), "m/s"),
        "weibull_shape": Column(np.where(rose.hours > 0, rose.shape, np.nan), "1"),
        "weibull_misfit": Column(100.0 * rose.misfit, "%"),
        "sector_mean": Column(rose.mean, "m/s"),
        "site_mean": Column(found.rose.mean, "m/s"),
        "area_ratio": Column(np.array(ratios), "1"),
        "map_change": Column(np.array([np.nan if item is None else 100.0 * item.change for item in done]), "%"),
        "map_iterations": Column(np.array([0 if item is None else item.iterations for item in done]), "1"),
        "map_settled": Column(np.array([SETTLED[code] if code >= 0 else "" for code in settled], dtype=object)),
    }
    return Table("sectors", "Wind by direction", columns)


def class_table(found: Outcome) -> Table:
    """Area of each class of each scheme, of all cells and of those not only indicative."""
    area, trusted = found.ground.where.cell**2, found.ground.trust_of_cells() != honesty.INDICATIVE
    rows: list[tuple[str, str, float, float, float]] = []
    for rule, judged in found.schemes:
        total, good = max(int((judged.comfort >= 0).sum()), 1), max(int(((judged.comfort >= 0) & trusted).sum()), 1)
        for code, name in enumerate(rule.classes):
            mine = judged.comfort == code
            share, sure = 100.0 * mine.sum() / total, 100.0 * (mine & trusted).sum() / good
            rows.append((rule.title, name, float(mine.sum()) * area, float(share), float(sure)))
    columns = {
        "scheme": Column(np.array([row[0] for row in rows], dtype=object)),
        "comfort_class": Column(np.array([row[1] for row in rows], dtype=object)),
        "class_area": Column(np.array([row[2] for row in rows]), "m2"),
        "class_share": Column(np.array([row[3] for row in rows]), "%"),
        "class_share_trusted": Column(np.array([row[4] for row in rows]), "%"),
    }
    return Table("classes", "Area by comfort class", columns)


def summary(found: Outcome, roughness: float) -> dict[str, Quantity]:
    """Key figures over the open ground of the study area, and what the report says of every run."""
    rule, judged = found.schemes[0]
    known, ratio = judged.comfort >= 0, weighted_ratio(found)
    count = max(int(known.sum()), 1)
    worst = max(found.maps, key=lambda item: item.change if np.isfinite(item.change) else np.inf)
    indicative = found.ground.trust_of_cells() == honesty.INDICATIVE

    def percent(chosen: NDArray[np.bool_]) -> Quantity:
        return Quantity(round(100.0 * float(chosen.sum()) / count, 2), "%")

    return {
        "best_share": percent(judged.comfort == 0),
        "worst_share": percent(judged.comfort == len(rule.classes) - 1),
        "danger_share": percent(judged.danger > 0),
        "weak_share": percent(ratio < WEAK),
        "ratio_mean": Quantity(round(float(ratio.mean()), 4), "1"),
        "speed_mean": Quantity(round(float(mean_speed(found).mean()), 3), "m/s"),
        "scheme": Quantity(f"{rule.title} ({rule.edition})", ""),
        "calm": Quantity(round(100.0 * found.station.calm, 2), "%"),
        "known_hours": Quantity(found.station.known, "h"),
        "station_mean": Quantity(round(_mean_of(found.station), 3), "m/s"),
        "factor": Quantity(round(found.factor, 4), "1"),
        "indicative_share": percent(indicative),
        "sectors": Quantity(len(found.maps), "1"),
        "settled_sectors": Quantity(sum(item.settled for item in found.maps), "1"),
        "change": Quantity(round(100.0 * worst.change, 3) if np.isfinite(worst.change) else None, "%"),
        "roughness": Quantity(roughness, "m"),
        "cells": Quantity(len(found.ground), "1"),
    }


def _mean_of(rose: Rose) -> float:
    """Mean speed of all known hours, calm ones at rest [m/s]."""
    return float((rose.frequency * np.nan_to_num(rose.mean)).sum())


def charts(found: Outcome) -> tuple[Chart, ...]:
    """The rose as bars by sector, and the classes of each scheme."""
    return (_rose_chart(found), *(_class_chart(rule, judged) for rule, judged in found.schemes))


def _rose_chart(found: Outcome) -> Chart:
    """Share of the hours by sector, speeds on top of each other."""
    width = 360.0 / found.rose.sectors
    middle = found.rose.wind_from
    top = 100.0 * np.cumsum(found.petals, axis=1)
    series = []
    for number in range(found.petals.shape[1]):
        base = top[:, number - 1] if number else np.zeros(len(top))
        x, y, low = _bars(middle, 0.84 * width, top[:, number], base)
        series.append(Series(_speeds(number), x, y, role="area", base=low))
    return Chart("rose", "Wind rose of the station", "Wind from", "deg", "Share of the hours", "%", tuple(series))


def _speeds(number: int) -> str:
    """Name of a class of speeds."""
    if number == 0:
        return f"below {PETALS[0]:g} m/s"
    if number == len(PETALS):
        return f"from {PETALS[-1]:g} m/s"
    return f"{PETALS[number - 1]:g} to {PETALS[number]:g} m/s"


def _class_chart(rule: Scheme, judged: Assessment) -> Chart:
    """Share of the open ground in each class."""
    total = max(int((judged.comfort >= 0).sum()), 1)
    series = []
    for code, (name, colour) in enumerate(zip(rule.classes, _colours(len(rule.classes)), strict=True)):
        share = 100.0 * float((judged.comfort == code).sum()) / total
        x, y, low = _bars(np.array([code + 1.0]), 0.8, np.array([share]), np.zeros(1))
        series.append(Series(name, x, y, role="area", colour=colour, base=low))
    return Chart(f"classes_{rule.id}", f"Comfort classes: {rule.title}", "Class", "1", "Share", "%", tuple(series))


def _bars(middle: Floats, width: float, top: Floats, base: Floats) -> tuple[Floats, Floats, Floats]:
    """x, y and base of an area that looks like bars: between them it has no height."""
    zero = np.zeros(len(middle))
    low, high = middle - 0.5 * width, middle + 0.5 * width
    x = np.column_stack([low, low, high, high]).ravel()
    return x, np.column_stack([zero, top, top, zero]).ravel(), np.column_stack([zero, base, base, zero]).ravel()


def _colours(count: int) -> list[str]:
    """Those the map gives to so many classes, as ``"#rrggbb"``."""
    stops = load_json(f"ramps/{RAMP}.json")["stops"]
    parts = np.array([[int(stop[at : at + 2], 16) for at in (1, 3, 5)] for stop in stops], dtype=float)
    place = np.linspace(0.0, len(stops) - 1.0, count)
    mixed = np.column_stack([np.interp(place, np.arange(len(stops)), parts[:, channel]) for channel in range(3)])
    return ["#" + "".join(f"{round(value):02x}" for value in row) for row in mixed]
