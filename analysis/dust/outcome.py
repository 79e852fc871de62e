"""What the dust map hands back: its mean over the cases, the map at breathing height, the space above, key figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Quantity
from analysis.dust import rules
from analysis.dust.people import breathing_cells
from analysis.dust.run import CaseFields, Prepared
from analysis.dust.winds import Case
from analysis.wind import honesty, scene_map
from analysis.wind.sectors import Ground
from analysis.wind.tunnel import Tunnel
from geo.model import Field, Layer, Style, Volume
from resources import load_json

Floats = NDArray[np.float64]

UNIT = "ug/m3"
GRADES_RAMP, RAMP = "dust_index", "exposure"
MOST_VOLUME = 1_500_000  # cells of the picture of the space
SPACE_TOP = 60.0  # [m] above the highest ground of the study
SEEN_SHARE = 0.01  # of the open ground that another grade must cover to colour the map by grades
GONE = (2, 3, 4)  # of a balance: carried away, on the ground, on leaves
STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0)  # round numbers, times powers of ten
HIGH_END = 99.0  # percentile at which the colours of the increment end


class Row(NamedTuple):
    """One case in figures.

    Attributes
    ----------
    case : Case
    share : float
        Of the background that the people breathe.
    parts : tuple of float [ug/m3]
        Exposure to each group.
    missing : float
        Largest share of what came in that the balances of the case do not account for.
    negative : float
        Largest share of mass below zero.
    iterations : int
    left, on_ground, on_leaves : float
        Of all that the sources emitted, 0 to 1: carried away, laid down, on leaves.
    """

    case: Case
    share: float
    parts: tuple[float, ...]
    missing: float
    negative: float
    iterations: int
    left: float
    on_ground: float
    on_leaves: float


class Dust(NamedTuple):
    """All that was found.

    Attributes
    ----------
    prepared : Prepared
    share : (nz, ny, nx) float64
        Of the background, mean over the cases.
    parts : tuple of (nz, ny, nx) float64
        Of each group [ug/m3].
    rows : tuple of Row
    ground : Ground
        Cells of the map.
    cells : (ny, nx) int64
        Breathing cell of each open column, -1 elsewhere.
    height : float [m]
    band : tuple of float
        Factors on the city's own increment of the exposure with the Schmidt numbers of the band; (1, 1) not run.
    """

    prepared: Prepared
    share: Floats
    parts: tuple[Floats, ...]
    rows: tuple[Row, ...]
    ground: Ground
    cells: NDArray[np.int64]
    height: float
    band: tuple[float, float] = (1.0, 1.0)

    @property
    def outside(self) -> float:
        """Background [ug/m3]."""
        return self.prepared.outside.value

    def increment(self) -> Floats:
        """(nz, ny, nx) what the city adds [ug/m3]."""
        return np.sum(self.parts, axis=0) if self.parts else np.zeros(self.prepared.shape)

    def total(self) -> Floats:
        """(nz, ny, nx) concentration [ug/m3]."""
        return self.outside * self.share + self.increment()

    def laid(self, values: Floats) -> Floats:
        """(rows, cols) a field (nz, ny, nx) at breathing height on the map, NaN in buildings and outside."""
        return on_map(values, self.prepared.winds.tunnel, self.cells, self.ground)


def row_of(prepared: Prepared, fields: CaseFields) -> Row:
    """A case in figures."""
    answers = (fields.share, *fields.parts)
    emitted = sum(part.balance.emitted for part in fields.parts)
    gone = [
        sum(part.balance[number] for part in fields.parts) / emitted if emitted > 0.0 else 0.0 for number in (2, 3, 4)
    ]
    return Row(
        fields.case,
        prepared.exposure.mean(fields.share.values),
        tuple(prepared.exposure.mean(part.values) for part in fields.parts),
        max((answer.balance.missing for answer in answers), key=abs),
        max(answer.negative for answer in answers),
        max(answer.iterations for answer in answers),
        *gone,
    )


def open_breathing_cells(tunnel: Tunnel, height: float) -> NDArray[np.int64]:
    """(ny, nx) breathing cell of columns without a building, -1 elsewhere."""
    return np.where(tunnel.building >= 0, -1, breathing_cells(tunnel, height))


def on_map(values: NDArray[np.floating], tunnel: Tunnel, cells: NDArray[np.int64], ground: Ground) -> Floats:
    """(rows, cols) a field (nz, ny, nx) at the breathing cells, on the scene's cells."""
    flat = np.where(cells >= 0, values.reshape(-1)[np.maximum(cells, 0)], np.nan)
    laid = scene_map.laid(flat, tunnel, ground.where)
    shown = np.full(laid.size, np.nan)
    shown[ground.cells] = laid.ravel()[ground.cells]
    return shown.reshape(laid.shape)


# --- layers


def map_layer(found: Dust, name: str = "Fine dust at breathing height") -> Layer:
    """The map: the whole, the city's own part, the grade, and each group. Cut at zero for the eye only."""
    ground, size = found.ground, found.prepared.size
    total = np.maximum(found.laid(found.total()), 0.0)
    increment = np.maximum(found.laid(found.increment()), 0.0)
    grade = rules.index_of(total, size)
    fields = [
        Field("concentration", UNIT, "cell", total, ramp=RAMP, range=_span(total)),
        Field("increment", UNIT, "cell", increment, ramp=RAMP, range=_from_zero(increment)),
        Field("grade", "1", "cell", grade, categories=rules.index_classes(), ramp=GRADES_RAMP),
        Field("background", UNIT, "cell", found.laid(found.outside * found.share), ramp=RAMP),
    ]
    for group, part in zip(found.prepared.groups, found.parts, strict=True):
        laid = np.maximum(found.laid(part), 0.0)
        fields.append(Field(f"from_{group}", UNIT, "cell", laid, ramp=RAMP, range=_from_zero(laid)))
    fields.append(Field("trust", "1", "cell", ground.trust, categories=honesty.TRUST, ramp="severity"))
    level = _level(ground, found.height)
    shape = scene_map.grid_of(ground.where, total, level)
    style = Style(colour_by=_main(grade))
    return Layer("map", name, "result", shape, fields=tuple(fields), style=style)


def _main(grade: NDArray[np.int8]) -> str:
    """Grades where the city has more than one, else what the city adds: one colour would say nothing."""
    known = grade[grade >= 0]
    count = np.bincount(known, minlength=1) if len(known) else np.zeros(1, dtype=np.int64)
    return "grade" if (count > SEEN_SHARE * max(len(known), 1)).sum() > 1 else "increment"


def _from_zero(values: Floats) -> tuple[float, float] | None:
    """Colours from 0 to nearly the highest: single cells beside a source do not take them all."""
    known = values[np.isfinite(values)]
    high = float(np.percentile(known, HIGH_END)) if len(known) else 0.0
    return (0.0, _rounded(high)) if high > 0.0 else None


def _span(values: Floats) -> tuple[float, float] | None:
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return None
    low, high = float(np.floor(np.percentile(known, 100.0 - HIGH_END))), float(np.percentile(known, HIGH_END))
    return (low, low + _rounded(max(high - low, 1.0)))


def _rounded(value: float) -> float:
    """The next of 1, 1.5, 2, 3, 5, 7 times a power of ten."""
    ten = 10.0 ** np.floor(np.log10(value))
    return float(
        next(step * ten for step in (1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0) if step * ten >= value * (1.0 - 1e-9))
    )


def _level(ground: Ground, height: float) -> float:
    known = ground.height[np.isfinite(ground.height)]
    return float(np.median(known)) + height if len(known) else height


def space_layer(found: Dust, cell: float) -> Layer:
    """Concentration in cubes over the study area, each that of the cell of the wind field it lies in."""
    tunnel = found.prepared.winds.tunnel
    ground = found.ground.height[np.isfinite(found.ground.height)]
    top = (float(ground.max()) - tunnel.base if len(ground) else 0.0) + SPACE_TOP
    while True:
        where = scene_map.scene_map(tunnel, cell)
        levels = max(2, int(np.ceil(top / cell)))
        if where.inside.size * levels <= MOST_VOLUME:
            break
        cell *= 1.25
    row, column = scene_map.nearest(tunnel, where)
    layer = np.clip(np.searchsorted(tunnel.z, cell * (np.arange(levels) + 0.5), side="right") - 1, 0, len(tunnel.z) - 2)
    known = (tunnel.solid == 0)[layer][:, row, column].reshape(levels, *where.inside.shape) & where.inside

    def cubes(values: Floats) -> Floats:
        taken = values[layer][:, row, column].reshape(levels, *where.inside.shape)
        return np.where(known, np.maximum(taken, 0.0), np.nan)

    total, increment = cubes(found.total()), cubes(found.increment())
    shape = Volume(total, where.x0, where.y0, tunnel.base + cell / 2, cell, cell)
    fields = (
        Field("concentration", UNIT, "cell", total, ramp=RAMP),
        Field("increment", UNIT, "cell", increment, ramp=RAMP, range=_from_zero(increment)),
    )
    style = Style(colour_by="increment", visible=False)
    return Layer("space", "Fine dust in space", "result", shape, fields=fields, style=style)


# --- key figures


def exposed(found: Dust) -> tuple[float, float]:
    """Concentration the people breathe on average, and the city's own part of it [ug/m3]."""
    share = sum(row.case.share * row.share for row in found.rows)
    own = sum(row.case.share * sum(row.parts) for row in found.rows)
    return found.outside * share + own, own


def summary(found: Dust) -> dict[str, Quantity]:
    """Key figures over people, open ground and cases."""
    prepared = found.prepared
    total, own = exposed(found)
    laid, increment = found.laid(found.total()), found.laid(found.increment())
    known = np.isfinite(laid)
    limit = float(load_json(rules.RULES)["exceedance"][prepared.size])
    above, count = known & (laid > limit), max(int(known.sum()), 1)
    emitted = sum(float(one.strength.sum()) for one in prepared.emissions)
    lost = sum(one.lost for one in prepared.emissions)
    worst = max(found.rows, key=lambda row: abs(row.missing))
    calm = sum(row.case.share * row.case.calm_share for row in found.rows)
    means_people = not prepared.exposure.is_area
    return {
        "size": Quantity(prepared.size, ""),
        "weighted_by": Quantity("people" if means_people else "area", ""),
        "exposure": Quantity(round(total, 3), UNIT),
        "exposure_increment": Quantity(round(own, 4), UNIT),
        "increment_low": Quantity(round(own * min(found.band), 4), UNIT),
        "increment_high": Quantity(round(own * max(found.band), 4), UNIT),
        "background": Quantity(round(found.outside, 2), UNIT),
        "area_mean": Quantity(round(float(laid[known].mean()), 3) if known.any() else None, UNIT),
        "area_increment": Quantity(round(float(increment[known].mean()), 4) if known.any() else None, UNIT),
        "increment_most": Quantity(round(float(increment[known].max()), 2) if known.any() else None, UNIT),
        "limit": Quantity(limit, UNIT),
        "above_area": Quantity(round(float(above.sum()) * found.ground.where.cell**2), "m2"),
        "above_share": Quantity(round(100.0 * float(above.sum()) / count, 2), "%"),
        "persons": Quantity(round(prepared.exposure.persons), "1"),
        "emitted": Quantity(round(emitted * 86400.0 / 1e9, 3), "kg/d"),
        "lost": Quantity(round(lost * 86400.0 / 1e9, 3), "kg/d"),
        "cases": Quantity(len(found.rows), "1"),
        "directions": Quantity(len({row.case.sector for row in found.rows}), "1"),
        "calm": Quantity(round(100.0 * calm, 1), "%"),
        "balance": Quantity(_percent(worst.missing), "%"),
        "negative": Quantity(_percent(max(row.negative for row in found.rows)), "%"),
        "schmidt": Quantity(prepared.mixing.schmidt, "1"),
        "factor": Quantity(round(prepared.winds.factor, 4), "1"),
        "indicative_share": Quantity(_indicative(found), "%"),
        "cells": Quantity(int(np.prod(prepared.shape)), "1"),
        "iterations": Quantity(max(row.iterations for row in found.rows), "1"),
    }


def _percent(share: float) -> float:
    """In percent, with two digits however small."""
    return float(f"{100.0 * share:.2g}")


def _indicative(found: Dust) -> float:
    trust = found.ground.trust_of_cells()
    return round(100.0 * float((trust == honesty.INDICATIVE).mean()), 1) if len(trust) else 0.0


def mean_of(prepared: Prepared, rows: Sequence[Row]) -> Floats:
    """(groups,) exposure to each group [ug/m3], mean over cases."""
    parts = np.array([row.parts for row in rows], dtype=np.float64).reshape(len(rows), len(prepared.emissions))
    return np.asarray(np.array([row.case.share for row in rows]) @ parts)
