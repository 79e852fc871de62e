"""What ``sunlight.hours`` says of open spaces and schoolyards: table, layer, key figures, doubts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Quantity, Table
from analysis.sunlight.areas import Areas
from geo.model import Column, Field, Grid, Issue, Layer, Style
from resources import load_json

Floats = NDArray[np.float64]

ROUNDING = 1e-10  # [h] hours are sums of steps: this forgives the rounding of twelve tenths of an hour


def area_table(areas: Areas, hours: Floats, levels: Sequence[float], *, judged: bool) -> Table:
    """One row per area: its open ground, mean and least hours, and the share of it with at least each level.

    `judged`: schoolyards get a verdict (the day is the winter solstice).
    """
    members = areas.members
    square = areas.ground.cell**2
    found = [hours[member.cells] for member in members]
    texts = {
        "area": [member.name for member in members],
        "layer": [member.layer for member in members],
        "id": [member.id for member in members],
    }
    columns = {name: Column(np.array(values, dtype=object)) for name, values in texts.items()}
    columns |= {
        "open_area": Column(np.array([len(part) * square for part in found]), "m2", "Open ground"),
        "built_area": Column(
            np.array([(m.inside - len(m.cells)) * square for m in members], dtype=np.float64), "m2", "Under buildings"
        ),
        "mean_hours": Column(_each(found, np.mean), "h", "Mean hours"),
        "min_hours": Column(_each(found, np.min), "h", "Least hours"),
    }
    for level in levels:
        columns[share_name(level)] = Column(shares(areas, hours, level), "%", f"Share with {level:g} h or more")
    if any(member.school for member in members):
        columns["yard"] = Column(_yards(areas, hours, judged=judged), "", "Schoolyard")
    return Table("area_list", "Sun of open spaces", columns)


def share_name(level: float) -> str:
    """Name of the column and field of a level [h]."""
    return f"share_{level:g}h"


def shares(areas: Areas, hours: Floats, level: float) -> Floats:
    """Share of the open ground of each area with at least `level` hours [%]; not-a-number without open ground."""
    found = [hours[member.cells] for member in areas.members]
    return _each(found, lambda part: 100.0 * np.mean(part >= level - ROUNDING))


def _each(parts: Sequence[Floats], of: object) -> Floats:
    return np.array([of(part) if len(part) else np.nan for part in parts], dtype=np.float64)  # type: ignore[operator]


def _yards(areas: Areas, hours: Floats, *, judged: bool) -> NDArray[np.object_]:
    """Verdict on every school: ``pass``, ``fail``, or empty where it is no school or the day is another."""
    rules = load_json("rules/daylight.json")["school"]
    share = shares(areas, hours, float(rules["yard"]["value"]))
    enough = share >= float(rules["yard_share"]["value"])
    told = np.where(enough, "pass", "fail").astype(object)
    silent = np.array([not member.school for member in areas.members]) | ~np.isfinite(share) | (not judged)
    told[silent] = ""
    return told


def area_layer(areas: Areas, hours: Floats, levels: Sequence[float], fields: Sequence[Field], style: Style) -> Layer:
    """The cells of all areas: the fields given, and the shares of the area that each cell belongs to."""
    ground = areas.ground
    level = float(ground.points[:, 2].mean()) if len(ground.points) else 0.0
    grid = Grid(ground.spread(hours), ground.x0, ground.y0, ground.cell, z=level)
    fields = list(fields)
    for limit in levels:
        of_cell = np.full(len(hours), np.nan)
        for member, share in zip(areas.members, shares(areas, hours, limit), strict=True):
            of_cell[member.cells] = share
        fields.append(
            Field(share_name(limit), "%", "cell", ground.spread(of_cell), ramp="sun_hours", range=(0.0, 100.0))
        )
    return Layer("areas", "Sun hours of open spaces", "result", grid, fields=tuple(fields), style=style)


def area_summary(areas: Areas, hours: Floats) -> dict[str, Quantity]:
    """Key figures of all open spaces together."""
    out = {"areas": Quantity(len(areas.members), "1")}
    if len(hours):
        out["areas_area"] = Quantity(round(len(hours) * areas.ground.cell**2, 3), "m2")
        out["areas_mean"] = Quantity(round(float(hours.mean()), 4), "h")
    return out


def area_issues(areas: Areas, *, judged: bool) -> list[Issue]:
    """What was taken for granted of schools."""
    schools = sum(member.school for member in areas.members)
    if not schools:
        return []
    rules = load_json("rules/daylight.json")["school"]
    if not judged:
        text = f"{schools} schoolyards were not judged: their limit is meant for the winter solstice alone."
        return [Issue("sunlight.yards_not_judged", text, count=schools)]
    hours, share = float(rules["yard"]["value"]), float(rules["yard_share"]["value"])
    text = (
        f"{schools} schoolyards were judged by a limit whose source was not read: {hours:g} h on {share:g} % of the "
        "open ground on the winter solstice."
    )
    values = {"hours": f"{hours:g}", "share": f"{share:g}"}
    return [Issue("sunlight.yard_limit", text, "doubt", schools, values=values)]
