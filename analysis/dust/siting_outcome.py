"""What the siting of purifiers hands back: the units, maps of benefit and reduction, tables, charts, key figures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Chart, Quantity, Series, Table
from analysis.dust.outcome import on_map, open_breathing_cells
from analysis.dust.run import Prepared
from analysis.dust.siting import Placed, Screened, Sited
from analysis.dust.siting_candidates import Candidates
from analysis.dust.siting_costs import Costs, costs_of, grams_a_day, yearly
from analysis.dust.siting_declaration import DustSitingParams
from analysis.dust.siting_instead import least_cut
from analysis.dust.sources import columns_of
from analysis.wind import scene_map
from analysis.wind.climate import sector_name
from analysis.wind.sectors import Ground
from analysis.wind.tunnel import AIR, Tunnel
from geo.model import Column, ElementTable, Field, Frame, Layer, Points, Style
from geo.model import conventions as words

Floats = NDArray[np.float64]

UNIT, RAMP = "ug/m3", "exposure"
SECTORS = 16
HIGH_END = 99.0  # percentile at which colours end: the few cells beside a unit do not take them all
ONE, FIVE = 0.01, 0.05


class Told(NamedTuple):
    """All that the result is made of."""

    prepared: Prepared
    ground: Ground
    candidates: Candidates
    screened: Screened
    sited: Sited
    by_number: tuple[float, ...]
    params: DustSitingParams
    persons: float
    calm_share: float

    @property
    def tunnel(self) -> Tunnel:
        """Grid of the wind."""
        return self.prepared.winds.tunnel

    def costs(self) -> Costs:
        """Of the units chosen; people count as they are, whatever the objective weighs."""
        gained = sum(group.persons * group.reduction for group in self.sited.groups)
        models = [one.unit.model for one in self.sited.placed]
        return costs_of(models, lifetime=self.params.lifetime, persons=1.0, reduction=gained)


# --- layers


def layers_of(told: Told) -> tuple[Layer, ...]:
    """Units, benefit and reduction; without units the benefit alone."""
    maps = (benefit_layer(told), reduction_layer(told))
    return (unit_layer(told), *maps) if told.sited.placed else maps


def unit_layer(told: Told) -> Layer:
    """The units chosen, as purifiers that are planned."""
    placed = told.sited.placed
    points = np.array([(one.unit.x, one.unit.y, _foot(one, told.tunnel)) for one in placed])
    lifetime = told.params.lifetime
    number = np.arange(1, len(placed) + 1)
    columns = {
        words.PURIFIER_NAME: Column(np.array([_name(one, k) for k, one in enumerate(placed)], dtype=object)),
        words.PURIFIER_MODEL: Column(np.array([one.unit.model.id for one in placed], dtype=object)),
        words.OUTLET_TOWARDS: Column(np.array([one.unit.towards_deg for one in placed]), "deg"),
        words.PURIFIER_STATE: Column(np.array(["planned"] * len(placed), dtype=object)),
        "rank": Column(number),
        "on_roof": Column(np.array([one.unit.on_roof for one in placed])),
        "benefit": Column(np.array([one.beside for one in placed]), UNIT),
        "removed": Column(np.array([grams_a_day(one.removed) for one in placed]), "g/d"),
        "cost": Column(np.array([one.unit.model.cost for one in placed]), "KRW"),
        "cost_year": Column(np.array([yearly(one.unit.model, lifetime) for one in placed]), "KRW/a"),
    }
    table = ElementTable([f"unit-{k}" for k in number.tolist()], columns)
    field = Field("benefit", UNIT, "element", np.array([one.beside for one in placed]), ramp=RAMP)
    shape = Points(points, np.arange(len(placed), dtype=np.int32))
    return Layer("units", "Planned purifiers", "purifier", shape, table=table, fields=(field,))


def _foot(one: Placed, tunnel: Tunnel) -> float:
    ix, iy, _ = columns_of(np.array([[one.unit.x, one.unit.y]]), tunnel)
    if one.unit.on_roof:
        return tunnel.base + float(tunnel.z[np.flatnonzero(tunnel.solid[:, iy[0], ix[0]] != AIR)[-1] + 1])
    return tunnel.base + float(tunnel.ground[iy[0], ix[0]])


def _name(one: Placed, number: int) -> str:
    return one.unit.name or f"{one.unit.model.name} {number + 1}"


def benefit_layer(told: Told) -> Layer:
    """What the first model promises in every column by the screening, and what the places looked at closely bring."""
    tunnel, cells = told.tunnel, open_breathing_cells(told.tunnel, told.params.height)
    most = np.where(cells >= 0, told.screened.map, np.nan)
    screening = _laid(most, told)
    nearest = scene_map.nearest(tunnel, told.ground.where)
    seen = _looked_at(told)[nearest].reshape(screening.shape)
    benefit = np.where(np.isfinite(screening), seen, np.nan)
    fields = (
        Field("screening", UNIT, "cell", screening, ramp=RAMP, range=_from_zero(screening)),
        Field("benefit", UNIT, "cell", benefit, ramp=RAMP, range=_from_zero(benefit)),
    )
    return _map("benefit", "Where a purifier helps (screening)", screening, fields, "screening", told, visible=False)


def _looked_at(told: Told) -> Floats:
    """(ny, nx) the best of what candidates of a column bring alone, NaN where none was looked at closely."""
    out = np.full(told.tunnel.shape[1:], np.nan)
    xy = told.candidates.xy
    for option, value in told.sited.looked_at.items():
        ix, iy, _ = columns_of(xy[option : option + 1], told.tunnel)
        out[iy[0], ix[0]] = np.fmax(out[iy[0], ix[0]], value)
    return out


def reduction_layer(told: Told) -> Layer:
    """By how much the air at breathing height is cleaner with all units, mean over the winds."""
    cells = open_breathing_cells(told.tunnel, told.params.height)
    less = on_map(told.sited.cleaner, told.tunnel, cells, told.ground)
    percent = _laid(_percent(told), told)
    fields = (
        Field("reduction", UNIT, "cell", less, ramp=RAMP, range=_from_zero(less)),
        Field("reduction_percent", "%", "cell", percent, ramp=RAMP, range=_from_zero(percent)),
    )
    return _map("reduction", "Cleaner air with the units", less, fields, "reduction", told)


def _percent(told: Told) -> Floats:
    """(ny, nx) reduction at breathing height over what was there [%], NaN in buildings."""
    cells = open_breathing_cells(told.tunnel, told.params.height)
    at = np.maximum(cells, 0)
    before, less = (values.reshape(-1)[at] for values in (told.screened.before, told.sited.cleaner))
    return np.where((cells >= 0) & (before > 0.0), 100.0 * less / np.where(before > 0.0, before, 1.0), np.nan)


def _laid(values: Floats, told: Told) -> Floats:
    """(rows, cols) values of columns on the map, NaN outside the open ground."""
    laid = scene_map.laid(values, told.tunnel, told.ground.where)
    shown = np.full(laid.size, np.nan)
    shown[told.ground.cells] = laid.ravel()[told.ground.cells]
    return shown.reshape(laid.shape)


def _map(
    id_: str, name: str, values: Floats, fields: tuple[Field, ...], shown: str, told: Told, *, visible: bool = True
) -> Layer:
    known = told.ground.height[np.isfinite(told.ground.height)]
    level = (float(np.median(known)) if len(known) else 0.0) + told.params.height
    shape = scene_map.grid_of(told.ground.where, values, level)
    return Layer(id_, name, "result", shape, fields=fields, style=Style(colour_by=shown, visible=visible))


def _from_zero(values: Floats) -> tuple[float, float] | None:
    known = values[np.isfinite(values)]
    high = float(np.percentile(known, HIGH_END)) if len(known) else 0.0
    return (0.0, high) if high > 0.0 else None


def area_above(told: Told, share: float) -> float:
    """Open ground of the study area [m2] whose air is cleaner by more than a share."""
    tunnel, percent = told.tunnel, _percent(told)
    west, south, east, north = tunnel.study
    x, y = 0.5 * (tunnel.x[1:] + tunnel.x[:-1]), 0.5 * (tunnel.y[1:] + tunnel.y[:-1])
    within = ((x > west) & (x < east))[None, :] & ((y > south) & (y < north))[:, None]
    area = np.diff(tunnel.y)[:, None] * np.diff(tunnel.x)[None, :]
    return float(area[within & (np.nan_to_num(percent) > 100.0 * share)].sum())


# --- tables


def tables_of(told: Told, frame: Frame) -> tuple[Table, ...]:
    """Units, people, winds, band and alternatives."""
    tables = [group_table(told), wind_table(told), band_table(told)]
    if told.sited.placed:
        tables.insert(0, unit_table(told, frame))
    if told.sited.alternatives:
        tables.append(alternative_table(told))
    return tuple(tables)


def unit_table(told: Told, frame: Frame) -> Table:
    """The units with their map coordinates."""
    placed = told.sited.placed
    points = frame.to_map(np.array([(one.unit.x, one.unit.y, _foot(one, told.tunnel)) for one in placed]))
    numbers = {
        "easting": (points[:, 0], 2, "m"),
        "northing": (points[:, 1], 2, "m"),
        "benefit_alone": ([one.alone for one in placed], 6, UNIT),
        "benefit": ([one.beside for one in placed], 6, UNIT),
        "own_air": ([100.0 * one.own_air for one in placed], 1, "%"),
        "intake": ([one.intake for one in placed], 2, UNIT),
        "removed": ([grams_a_day(one.removed) for one in placed], 2, "g/d"),
        "efficiency_pm10": ([100.0 * one.unit.model.efficiency["pm10"] for one in placed], 0, "%"),
        "efficiency_pm25": ([100.0 * one.unit.model.efficiency["pm25"] for one in placed], 0, "%"),
        "cost": ([one.unit.model.cost for one in placed], 0, "KRW"),
        "cost_year": ([yearly(one.unit.model, told.params.lifetime) for one in placed], 0, "KRW/a"),
    }
    return Table(
        "sites",
        "Where the units stand",
        {
            "rank": Column(np.arange(1, len(placed) + 1)),
            words.PURIFIER_NAME: Column(np.array([_name(one, k) for k, one in enumerate(placed)], dtype=object)),
            words.PURIFIER_MODEL: Column(np.array([one.unit.model.id for one in placed], dtype=object)),
            words.OUTLET_TOWARDS: Column(np.array([one.unit.towards_deg for one in placed]), "deg"),
            **{name: Column(np.round(np.asarray(v, dtype=float), d), unit) for name, (v, d, unit) in numbers.items()},
        },
    )


def group_table(told: Told) -> Table:
    """Who gains what."""
    groups = told.sited.groups
    percent = [100.0 * one.reduction / one.before if one.before > 0.0 else 0.0 for one in groups]
    return Table(
        "groups",
        "Who gains",
        {
            words.PLACE_GROUP: Column(np.array([one.name for one in groups], dtype=object)),
            words.PERSONS: Column(np.array([round(one.persons) for one in groups])),
            "before": Column(np.round([one.before for one in groups], 3), UNIT),
            "reduction": Column(np.round([one.reduction for one in groups], 6), UNIT),
            "reduction_percent": Column(np.round(percent, 5), "%"),
        },
    )


def wind_table(told: Told) -> Table:
    """What the units bring in each wind."""
    cases = told.screened.cases
    return Table(
        "winds",
        "In which winds the units help",
        {
            "wind_direction": Column(np.array([sector_name(one.sector, SECTORS) for one in cases], dtype=object)),
            "speed": Column(np.round([one.speed for one in cases], 2), "m/s"),
            "frequency": Column(np.round([100.0 * one.share for one in cases], 2), "%"),
            "calm": Column(np.round([100.0 * one.calm_share for one in cases], 1), "%"),
            "reduction": Column(np.round(told.sited.by_case, 6), UNIT),
        },
    )


def band_table(told: Told) -> Table:
    """How far the reduction may be off, cause by cause and together."""
    band = told.sited.band
    rows = [(one.name, one.low, one.high) for one in band.doubts] + [("together", band.low, band.high)]
    low, high = (np.array([row[k] for row in rows], dtype=float) for k in (1, 2))
    scale = 100.0 / band.value if band.value > 0.0 else np.nan
    return Table(
        "band",
        "How sure it is",
        {
            "doubt": Column(np.array([row[0] for row in rows], dtype=object)),
            "reduction_low": Column(np.round(low, 6), UNIT),
            "reduction_high": Column(np.round(high, 6), UNIT),
            "low_percent": Column(np.round(low * scale, 1), "%"),
            "high_percent": Column(np.round(high * scale, 1), "%"),
        },
    )


def alternative_table(told: Told) -> Table:
    """What the sources would have to do for the same."""
    found = told.sited.alternatives
    return Table(
        "instead",
        "The same by the sources",
        {
            words.SOURCE_GROUP: Column(np.array([one.group for one in found], dtype=object)),
            "emits": Column(np.round([one.emits for one in found], 1), "g/d"),
            "adds": Column(np.round([one.adds for one in found], 4), UNIT),
            "cut": Column(np.round([one.cut for one in found], 2), "g/d"),
            "cut_percent": Column(np.round([one.percent for one in found], 3), "%"),
            "move_away": Column(np.round([one.away for one in found], 0), "m"),
        },
    )


# --- figures


def summary_of(told: Told) -> dict[str, Quantity]:
    """Key figures; `analysis.dust.honesty.figures_of` reads them."""
    sited, costs = told.sited, told.costs()
    largest = max(sited.groups, key=lambda one: one.reduction)
    cut, chosen = least_cut(sited.alternatives), sited.chosen
    percent = 100.0 * sited.reduction / sited.before if sited.before > 0.0 else 0.0
    removed = sum(grams_a_day(one.removed) for one in sited.placed)
    found = {
        "units": Quantity(len(sited.placed), "1"),
        "reduction": _number(sited.reduction, UNIT),
        "reduction_percent": _number(percent, "%"),
        "reduction_low": _number(sited.band.low, UNIT),
        "reduction_high": _number(sited.band.high, UNIT),
        "exposure_before": _number(sited.before, UNIT),
        "largest_group": Quantity(largest.name, ""),
        "largest_reduction": _number(largest.reduction, UNIT),
        "largest_anywhere": _number(_largest_anywhere(told), UNIT),
        "detectable": _number(told.params.detectable, UNIT),
        "persons": _number(told.persons, "1"),
        "persons_above_1": _number(sited.persons_notable, "1"),
        "area_above_1_percent": _number(area_above(told, ONE), "m2"),
        "area_above_5_percent": _number(area_above(told, FIVE), "m2"),
        "removed": _number(removed, "g/d"),
        "least_intake_ratio": _number(min((one.own_air for one in sited.placed), default=1.0), "1"),
        "cost": _number(costs.price, "KRW"),
        "cost_year": _number(costs.year, "KRW/a"),
        "cost_per_person": _number(costs.each, "KRW m3/ug/a"),
        "cut_group": Quantity(cut.group if cut else "", ""),
        "cut_needed": _number(cut.cut if cut else np.nan, "g/d"),
        "cut_percent": _number(cut.percent if cut else np.nan, "%"),
        "gap": _number(100.0 * chosen.gap, "%"),
        "proven": Quantity("yes" if chosen.proven else "no", ""),
        "near_field_over_grid": _number(chosen.value / sited.reduction if sited.reduction > 0.0 else np.nan, "1"),
        "places": Quantity(len(told.candidates), "1"),
        "looked_at": Quantity(chosen.evaluated, "1"),
        "calm_share": _number(100.0 * told.calm_share, "%"),
    }
    return {name: one for name, one in found.items() if one is not None}


def _number(value: float, unit: str) -> Quantity | None:
    """Six digits that count; none for what is not known."""
    return Quantity(float(f"{value:.6g}"), unit) if np.isfinite(value) else None


def _largest_anywhere(told: Told) -> float:
    cells = open_breathing_cells(told.tunnel, told.params.height)
    return float(told.sited.cleaner.reshape(-1)[cells[cells >= 0]].max(initial=0.0))


def charts_of(told: Told) -> tuple[Chart, ...]:
    """What each further unit brings, by near fields."""
    x = np.arange(len(told.by_number), dtype=np.float64)
    bound = np.full(len(x), told.sited.chosen.bound)
    series = (Series("units", x, np.array(told.by_number)), Series("upper bound", x, bound, role="dashed"))
    return (Chart("by_number", "Cleaner by number of units", "Units", "1", "Reduction", UNIT, series),)
