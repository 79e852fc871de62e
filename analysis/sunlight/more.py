"""What ``sunlight.hours`` gives back for what the user named: surfaces and open spaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from analysis.contract import Quantity, Table
from analysis.kernels import sun
from analysis.kernels.rays import SunTime
from analysis.sunlight.area_outcome import area_issues, area_layer, area_summary, area_table
from analysis.sunlight.areas import Areas
from analysis.sunlight.day import Day
from analysis.sunlight.declaration import HoursInputs, SunlightParams, hours_in
from analysis.sunlight.named import NamedSurface, named_layer, named_summary, named_table
from analysis.sunlight.outcome import hour_fields
from analysis.sunlight.period import Days, PeriodTime
from analysis.sunlight.period_outcome import MEAN, period_fields
from analysis.sunlight.seen import Seen
from geo.model import Field, Issue, Layer, Style


class More(NamedTuple):
    """Parts of a result."""

    layers: tuple[Layer, ...]
    tables: tuple[Table, ...]
    summary: dict[str, Quantity]
    issues: tuple[Issue, ...]


def more_of_day(inputs: HoursInputs, params: SunlightParams, seen: Seen[SunTime], day: Day) -> More:
    """Of one day; schoolyards are judged on the winter solstice."""
    style = Style(colour_by="sun_hours")
    layers = []
    for number, surface in enumerate(seen.named):
        total, longest = (values[surface.cells.cell_of_face] for values in surface.time[:2])
        layers.append(named_layer(number, surface, hour_fields(total, longest, "face", day.hours), style))
    found = _surfaces(layers, seen.named)
    if seen.areas is None:
        return found
    areas, time = seen.areas
    total, longest = (areas.ground.spread(values) for values in time[:2])
    fields = hour_fields(total, longest, "cell", day.hours)
    judged = inputs.frame.latitude >= 0 and params.day == sun.winter_solstice(params.day.year, day.utc_offset)
    return _with_areas(found, params, areas, time, fields, style, judged=judged)


def more_of_period(params: SunlightParams, seen: Seen[PeriodTime], days: Days) -> More:
    """Of many days: the hours are means a day."""
    style = Style(colour_by=MEAN)
    layers, plain = [], []
    for number, surface in enumerate(seen.named):
        as_day = NamedSurface(surface.layer, surface.cells, surface.time.as_day)
        of_face = surface.cells.cell_of_face
        fields = period_fields(surface.time, days, "face", lambda values, of=of_face: values[of])
        layers.append(named_layer(number, as_day, fields, style))
        plain.append(as_day)
    found = _surfaces(layers, plain)
    if seen.areas is None:
        return found
    areas, time = seen.areas
    fields = period_fields(time, days, "cell", areas.ground.spread)
    return _with_areas(found, params, areas, time.as_day, fields, style, judged=False)


def _surfaces(layers: Sequence[Layer], named: Sequence[NamedSurface[SunTime]]) -> More:
    tables = (named_table(named),) if named else ()
    return More(tuple(layers), tables, named_summary(named), ())


def _with_areas(
    found: More,
    params: SunlightParams,
    areas: Areas,
    time: SunTime,
    fields: Sequence[Field],
    style: Style,
    *,
    judged: bool,
) -> More:
    levels = hours_in(params.area_hours)
    return More(
        (*found.layers, area_layer(areas, time.total, levels, fields, style)),
        (*found.tables, area_table(areas, time.total, levels, judged=judged)),
        found.summary | area_summary(areas, time.total),
        (*found.issues, *area_issues(areas, judged=judged)),
    )
