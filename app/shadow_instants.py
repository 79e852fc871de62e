"""Headless. Maps of shadows that follow the clock: the field of the instant nearest to the time on show."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from geo.model import Layer

ANALYSIS = "sunlight.shadow"
INSTANT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d)(\d\d)")
ALONE = 60  # [min] between instants that is supposed where there is only one


def instants_of(layer: Layer, day: date) -> dict[str, int]:
    """Names of the maps of a layer on a day, with their minute of the day; empty for other layers."""
    if layer.theme != "result" or made_by(layer) != ANALYSIS:
        return {}
    if "instant" in layer.table.columns:
        names = [str(name) for name in dict.fromkeys(layer.table.columns["instant"].values.tolist())]
    else:
        names = [field.name for field in layer.fields]
    found = {name: INSTANT.fullmatch(name) for name in names}
    return {name: 60 * int(m[2]) + int(m[3]) for name, m in found.items() if m and m[1] == day.isoformat()}


def made_by(layer: Layer) -> str:
    """Id of the analysis that made a layer; empty for none."""
    record = layer.source.provenance.get("provenance")
    return str(record.get("analysis", "")) if isinstance(record, Mapping) else ""


def nearest(instants: Mapping[str, int], minute: int) -> str:
    """The instant nearest to a minute of the day; empty when none is nearer than half the time between two."""
    if not instants:
        return ""
    times = sorted(instants.values())
    between = min((b - a for a, b in zip(times, times[1:], strict=False)), default=ALONE)
    name = min(instants, key=lambda key: abs(instants[key] - minute))
    return name if 2 * abs(instants[name] - minute) <= between else ""


def at_instant(layer: Layer, day: date, minute: int) -> tuple[Layer, str]:
    """A shadow result coloured by its map of the time, outlines of other instants hidden; and the name of the map.

    The layer as it is and an empty name where it has no map near that time.
    """
    name = nearest(instants_of(layer, day), minute)
    if not name:
        return layer, ""
    style = layer.style
    if "instant" in layer.table.columns:
        wanted = layer.table.columns["instant"].values == name
        style = replace(style, hidden=frozenset(str(key) for key in layer.table.ids[~wanted]))
    else:
        style = style.coloured_by(name)
    return (layer if style == layer.style else layer.with_(style=style)), name


def shows_instant(layer: Layer) -> bool:
    """Whether a shadow result is seen as the map of one instant, or is the outlines of all."""
    if made_by(layer) != ANALYSIS:
        return False
    return "instant" in layer.table.columns or INSTANT.fullmatch(layer.style.colour_by) is not None
