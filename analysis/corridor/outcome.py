"""What the study of ventilation corridors hands back: maps, lanes, bottlenecks, sections, blame, key figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Chart, Quantity, Series, Table
from analysis.corridor.declaration import CorridorParams
from analysis.corridor.drawing import form_layer, freed_fields, lane_layers, section_layer
from analysis.corridor.one_wind import CityForm, OneWind, trust_of
from analysis.corridor.tables import blame_layer, blame_table, direction_table, lane_table
from analysis.places import element_points, read_places
from analysis.wind import honesty, scene_map
from analysis.wind.declaration import CityInputs
from analysis.wind.geometry import Built
from geo.model import Field, Layer, Style

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WEAK = 0.3  # of the mean of the study area: calm


class Maps(NamedTuple):
    """Maps on the scene's cells: by wind, and weighted."""

    where: scene_map.SceneMap
    ratio: list[Floats]
    age: list[Floats]
    weights: Floats

    def weighted(self, values: list[Floats]) -> Floats:
        """Sum over the winds."""
        return np.asarray(np.tensordot(self.weights, np.stack(values), axes=1))


class Drawn(NamedTuple):
    """All that is drawn.

    Attributes
    ----------
    winds : list of OneWind
    maps : Maps
    form : CityForm or None
        None without buildings.
    built : Built
    params : CorridorParams
    site : (4,) float [local m] or None
        x low, y low, x high, y high; None = the study area.
    covered : float or None
        Share of the windy hours that the winds are [%].
    """

    winds: list[OneWind]
    maps: Maps
    form: CityForm | None
    built: Built
    params: CorridorParams
    site: Floats | None
    covered: float | None


def site_of(inputs: CityInputs, params: CorridorParams) -> Floats | None:
    """Rectangle of the site, None where it is not named."""
    spots = read_places(params.site, [*inputs.buildings, *inputs.trees], inputs.frame)
    if not spots:
        return None
    parts = [
        element_points(spot.layer, spot.row)[:, :2] if spot.layer is not None else spot.point[None, :2]
        for spot in spots
    ]
    points = np.concatenate(parts)
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def worst(winds: Sequence[OneWind]) -> list[tuple[int, int]]:
    """Number of the wind and of the row in it, by the width closed and how often that wind blows; each row once."""
    ranked = sorted(
        (
            (-round(one.direction.weight * closing.score, 6), number, row)
            for number, one in enumerate(winds)
            for row, closing in enumerate(one.closings)
        ),
    )
    seen: set[tuple[int, ...]] = set()
    out = []
    for _, number, row in ranked:
        elements = winds[number].closings[row].elements
        if elements not in seen:
            seen.add(elements)
            out.append((number, row))
    return out


def maps_of(winds: Sequence[OneWind], params: CorridorParams) -> Maps:
    """Lay the maps of all winds on the cells of the scene."""
    tunnel = winds[0].tunnel
    where = scene_map.scene_map(tunnel, params.cell)
    ratio = [scene_map.laid(one.ratio, tunnel, where) for one in winds]
    age = [scene_map.laid(one.aged, tunnel, where) for one in winds if one.aged is not None]
    weights = np.array([one.direction.weight for one in winds])
    return Maps(where, ratio, age, weights / weights.sum())


def ratio_layers(winds: Sequence[OneWind], params: CorridorParams) -> tuple[Layer, ...]:
    """The map of what is known so far."""
    return (_map_layer(winds, maps_of(winds, params), params),)


def _map_layer(winds: Sequence[OneWind], maps: Maps, params: CorridorParams) -> Layer:
    tunnel = winds[0].tunnel
    ratio = maps.weighted(maps.ratio)
    top = float(np.nanpercentile(ratio, 99.5)) if np.isfinite(ratio).any() else 1.0
    fields = [Field("velocity_ratio", "1", "cell", ratio, ramp="wind", range=(0.0, round(top, 2)))]
    if maps.age:
        age = maps.weighted(maps.age)
        oldest = float(np.nanpercentile(age, 98.0)) if np.isfinite(age).any() else 1.0
        fields.append(Field("age_of_air", "s", "cell", age, ramp="viridis", range=(0.0, round(oldest))))
    trust = scene_map.laid_codes(trust_of(winds[0]), tunnel, maps.where)
    fields.append(Field("trust", "1", "cell", trust, categories=honesty.TRUST, ramp="severity"))
    fields += [
        Field(f"velocity_ratio_{one.direction.name}", "1", "cell", values, ramp="wind", range=(0.0, round(top, 2)))
        for one, values in zip(winds, maps.ratio, strict=True)
    ]
    if len(winds) > 1:
        fields += [
            Field(f"age_{one.direction.name}", "s", "cell", values, ramp="viridis")
            for one, values in zip(winds, maps.age, strict=False)
        ]
    fields += freed_fields(winds, maps.where)
    ground = scene_map.laid(tunnel.ground, tunnel, maps.where) + tunnel.base
    level = float(np.nanmedian(ground)) + params.height if np.isfinite(ground).any() else tunnel.base
    grid = scene_map.grid_of(maps.where, ratio, level)
    return Layer("map", "Velocity ratio", "result", grid, fields=tuple(fields), style=Style(colour_by="velocity_ratio"))


def layers(drawn: Drawn) -> tuple[Layer, ...]:
    """Maps, lanes, bottlenecks, the city's form, sections and blame."""
    out = [_map_layer(drawn.winds, drawn.maps, drawn.params)]
    out += lane_layers(drawn.winds, drawn.built.plan.solids.name, drawn.params.height)
    if drawn.form is not None:
        out.append(form_layer(drawn.winds, drawn.form, drawn.built))
    out.append(section_layer(drawn.winds))
    blamed = blame_layer(drawn.winds, drawn.built.plan.solids, worst(drawn.winds))
    return tuple(out) if blamed is None else (*out, blamed)


def tables(drawn: Drawn) -> tuple[Table, ...]:
    """Winds, lanes with their criteria, blame."""
    names = drawn.built.plan.solids.name
    maps = drawn.maps
    return (
        direction_table(drawn.winds, [_mean(values) for values in maps.ratio], [_mean(v) for v in maps.age]),
        lane_table(drawn.winds),
        blame_table(drawn.winds, names, worst(drawn.winds)),
    )


def charts(drawn: Drawn) -> tuple[Chart, ...]:
    """Open share of the sections downwind."""
    series = tuple(
        Series(one.direction.name, one.strips.distance, 100.0 * one.strips.open_share) for one in drawn.winds
    )
    return (
        Chart(
            "permeability",
            "Open share of sections across the wind",
            "From the windward edge",
            "m",
            "Open share",
            "%",
            series,
        ),
    )


def _mean(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def perimeter(where: scene_map.SceneMap, site: Floats | None) -> Bools:
    """(rows, cols) cells around the site, one cell wide outside it; of the study area its outermost cells."""
    from scipy.ndimage import binary_dilation, binary_erosion

    eight = np.ones((3, 3), dtype=bool)
    if site is None:
        return np.asarray(where.inside & ~binary_erosion(where.inside, eight))
    rows, columns = where.inside.shape
    x, y = where.x0 + where.cell * np.arange(columns), where.y0 + where.cell * np.arange(rows)
    half = 0.5 * where.cell
    mine = ((y > site[1] - half) & (y < site[3] + half))[:, None] & ((x > site[0] - half) & (x < site[2] + half))[None]
    return np.asarray(binary_dilation(mine, eight) & ~mine & where.inside)


def summary(drawn: Drawn) -> dict[str, Quantity]:
    """Key figures of the study area."""
    winds, maps = drawn.winds, drawn.maps
    ratio = maps.weighted(maps.ratio)
    around = perimeter(maps.where, drawn.site)
    local = _mean(ratio)
    known = ratio[np.isfinite(ratio)]
    calm = 100.0 * float((known < WEAK * local).mean()) if local else None
    tunnel = winds[0].tunnel
    indicative = honesty.indicative_share(tunnel, honesty.resolution(tunnel))
    out = {
        "winds": Quantity(", ".join(one.direction.name for one in winds), ""),
        "local_ratio": Quantity(_round(local, 4), "1"),
        "site_ratio": Quantity(_round(_mean(np.where(around, ratio, np.nan)), 4), "1"),
        "calm_share": Quantity(_round(calm, 2), "%"),
        "reference_speed": Quantity(_round(winds[0].reference, 3), "m/s"),
    }
    if drawn.covered is not None:
        out["covered"] = Quantity(round(drawn.covered, 1), "%")
    if maps.age:
        age = _mean(maps.weighted(maps.age))
        out["mean_age"] = Quantity(_round(age, 1), "s")
        out["air_change"] = Quantity(_round(3600.0 / age if age else None, 1), "1/h")
    out |= _lane_figures(winds)
    out |= {
        "least_open": Quantity(_round(100.0 * min(one.strips.least for one in winds), 1), "%"),
        "checked": Quantity(sum(len(one.freed) for one in winds), "1"),
        "confirmed": Quantity(sum(found.confirmed for one in winds for found in one.freed.values()), "1"),
        "indicative_share": Quantity(_round(100.0 * indicative, 2), "%"),
        "settled": Quantity("yes" if all(one.settled for one in winds) else "no", ""),
        "change": Quantity(_round(100.0 * max(one.change for one in winds), 3), "%"),
        "cells": Quantity(int(np.prod(tunnel.shape)), "1"),
    }
    return out


def _lane_figures(winds: Sequence[OneWind]) -> dict[str, Quantity]:
    lanes = [(one, number) for one in winds for number in range(len(one.lanes))]
    out = {"lanes": Quantity(len(lanes), "1")}
    if not lanes:
        return out
    one, number = min(lanes, key=lambda pair: round(pair[0].lanes[pair[1]].resistance, 6))
    best = one.lanes[number]
    whole = sum(judged.failed == 0 for each in winds for judged in each.judged)
    out |= {
        "best_wind": Quantity(one.direction.name, ""),
        "best_resistance": Quantity(_round(best.resistance, 3), "1"),
        "best_width": Quantity(_round(best.width, 1), "m"),
        "best_least_width": Quantity(_round(best.least_width, 1), "m"),
        "lanes_without_failure": Quantity(whole, "1"),
    }
    return out


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), digits)
