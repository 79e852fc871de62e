"""What the study hands back: layers with a field per instant, tables, key figures, assumptions and notes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Chart, Quantity, Series, Table
from analysis.kernels import sun
from analysis.kernels.sampling import FaceCells, GroundPoints
from analysis.sunlight_shadow.declaration import ShadowInputs, ShadowParams
from analysis.sunlight_shadow.moments import Moments
from analysis.sunlight_shadow.places import Member
from analysis.sunlight_shadow.targets import Looked
from analysis.sunlight_shadow.trace import AWAY, NEW, OWN, SHADE, STATES, SUN, Shade, Targets
from geo.model import Column, ElementTable, Field, Grid, Issue, Layer, Mesh, Style

Floats = NDArray[np.float64]
Found = tuple[Targets, Shade]

TITLES = {"ground": "Shadow on the ground", "facades": "Shadow on facades", "roofs": "Shadow on roofs"}

# The translations count these from 0 (``sunlight.shadow.assumption.0``): keep the order.
ASSUMPTIONS = (
    "The sun is a point and the sky is clear: true shadow edges are blurred by 0.27 degrees to each side.",
    "A cell is in shadow where its middle is: an edge on the map is true to half a cell.",
    "Durations are sums over steps judged at their middle, while the sun's centre is above the horizon of a plain.",
    "New shadow is where the sun shines without the new project and does not with it.",
    "A surface is in its own shadow where the nearest thing towards the sun is its own building.",
    "Outlines are exact on a plane at the height of the ground under the building; the cells follow the terrain.",
)


def ground_layer(cells: GroundPoints, found: Found, moments: Moments, *, compared: bool) -> Layer:
    """The ground as a grid: durations first, then a class map per instant."""
    _, shade = found

    def spread(values: NDArray[np.generic]) -> NDArray[np.generic]:
        if values.dtype.kind == "f":
            return cells.spread(values.astype(np.float64))
        out = np.full(cells.shape[0] * cells.shape[1], -1, dtype=np.int8)
        out[cells.number] = values
        return out.reshape(cells.shape)

    fields = fields_of(shade, moments, "cell", spread, compared=compared, split=False)
    level = float(cells.points[:, 2].mean()) if len(cells.points) else 0.0
    first = np.asarray(fields[0].values, dtype=np.float64)
    grid = Grid(first, cells.x0, cells.y0, cells.cell, z=level)
    return Layer("ground", TITLES["ground"], "result", grid, fields=fields, style=Style(colour_by=fields[0].name))


def surface_layer(name: str, cells: FaceCells, found: Found, looked: Looked, moments: Moments) -> Layer:
    """Walls or roofs, with self-shadow apart."""
    targets, shade = found
    used, element = np.unique(cells.mesh.face_element, return_inverse=True)
    mesh = Mesh(cells.mesh.vertices, cells.mesh.faces, element.astype(np.int32))
    compared = looked.obstacles.before is not None
    fields = fields_of(shade, moments, "face", lambda v: v[cells.cell_of_face], compared=compared, split=True)
    columns = {
        "building": Column(looked.names.own[used]),
        "layer": Column(looked.names.layer[used]),
        "area": Column(np.bincount(cells.element, cells.area, len(looked.building))[used], "m2"),
    }
    if moments.courses:
        count = len(looked.building)
        columns["shadow_hours"] = Column(mean_of(cells.element, cells.area, shade.shaded.sum(axis=0), count)[used], "h")
    table = ElementTable(looked.names.unique[used], columns)
    style = Style(colour_by=fields[0].name)
    return Layer(name, TITLES[name], "result", mesh, table=table, fields=fields, style=style)


def fields_of(
    shade: Shade,
    moments: Moments,
    on: str,
    shaped: Callable[[NDArray[np.generic]], NDArray[np.generic]],
    *,
    compared: bool,
    split: bool,
) -> tuple[Field, ...]:
    """New shadow (if compared) and durations, then the state at each instant."""
    out: list[tuple[str, Floats]] = []
    if moments.courses:
        total = shade.shaded.sum(axis=0)
        out += [("new_shadow_hours", shade.new)] if compared else []
        out += [("shadow_hours", total)]
        if len(moments.courses) > 1:
            pairs = zip(moments.courses, shade.shaded, strict=True)
            out += [(str(course.day), hours) for course, hours in pairs]
        if split:
            out += [("own_shadow_hours", shade.own), ("turned_away_hours", shade.away)]
            out += [("cast_shadow_hours", np.maximum(total - shade.own - shade.away, 0.0))]
    top = max(1.0, float(np.ceil(moments.hours)))
    fields = [
        Field(name, "h", on, shaped(values), ramp="exposure", range=(0.0, _top(name, values, top)))  # type: ignore[arg-type]
        for name, values in out
    ]
    fields += [
        Field(instant.name, "1", on, shaped(states), categories=STATES, ramp="shadow")  # type: ignore[arg-type]
        for instant, states in zip(moments.instants, shade.states, strict=True)
    ]
    return tuple(fields)


def _top(name: str, values: Floats, top: float) -> float:
    """End of a legend: the whole time, but what the new project adds on a scale of its own."""
    if name != "new_shadow_hours":
        return top
    return max(0.5, float(np.ceil(2 * values.max(initial=0.0)) / 2))


def mean_of(element: NDArray[np.integer], area: Floats, values: Floats, count: int) -> Floats:
    """(count,) mean per element weighted by area; not-a-number where it has no cell."""
    weight = np.bincount(element, area, count)
    total = np.bincount(element, area * values, count)
    return np.asarray(np.divide(total, weight, out=np.full(count, np.nan), where=weight > 0))


def instant_table(moments: Moments, ground: Found | None) -> Table:
    """One row per instant: the sun, the length of shadows, the ground in shadow."""
    altitude = np.array([instant.altitude for instant in moments.instants])
    columns = {
        "instant": Column(np.array([instant.name for instant in moments.instants], dtype=object)),
        "sun_azimuth": Column(np.array([instant.azimuth for instant in moments.instants]), "deg"),
        "sun_altitude": Column(altitude, "deg"),
        "shadow_per_height": Column(1.0 / np.tan(np.radians(altitude)), "1"),
    }
    if ground is not None:
        targets, shade = ground
        columns["shadow_area"] = Column((shade.states != SUN) @ targets.area, "m2")
        columns["new_shadow_area"] = Column((shade.states == NEW) @ targets.area, "m2")
    return Table("instants", "Shadow at each instant", columns)


def place_table(members: list[Member], found: Mapping[str, Found], *, compared: bool) -> Table:
    """One row per place: its area, how long it lies in shadow, and what the new project adds."""
    rows = [_place_row(member, found) for member in members]
    columns = {
        "id": Column(np.array([member.id for member in members], dtype=object), title="Place"),
        "name": Column(np.array([member.name for member in members], dtype=object)),
        "layer": Column(np.array([member.layer for member in members], dtype=object)),
        "area": Column(np.array([row["area"] for row in rows]), "m2"),
        "shadow_hours": Column(np.array([row["shadow"] for row in rows]), "h", "Mean time in shadow"),
    }
    if compared:
        columns |= {
            "new_shadow_area": Column(np.array([row["touched"] for row in rows]), "m2"),
            "new_shadow_minutes": Column(np.array([row["new_mean"] * 60.0 for row in rows]), "min"),
            "new_shadow_most": Column(np.array([row["most"] * 60.0 for row in rows]), "min"),
            "new_shadow_area_time": Column(np.array([row["new"] for row in rows]), "m2 h"),
        }
    return Table("places", "Shadow on open spaces, schools and roofs", columns)


def _place_row(member: Member, found: Mapping[str, Found]) -> dict[str, float]:
    area, shadow, new = [np.zeros(0)], [np.zeros(0)], [np.zeros(0)]
    for name, cells in (("ground", member.ground), ("roofs", member.roofs)):
        if name in found and len(cells):
            targets, shade = found[name]
            area.append(targets.area[cells])
            shadow.append(shade.shaded[:, cells].sum(axis=0))
            new.append(shade.new[cells])
    areas, shadows, news = np.concatenate(area), np.concatenate(shadow), np.concatenate(new)
    total = float(areas.sum())
    return {
        "area": total,
        "shadow": float((areas * shadows).sum()) / total,
        "new": float((areas * news).sum()),
        "new_mean": float((areas * news).sum()) / total,
        "touched": float(areas[news > 0].sum()),
        "most": float(news.max()),
    }


def roof_table(looked: Looked, found: Found) -> Table:
    """One row per building: its roof, which may carry solar panels, and what shades it."""
    cells, (targets, shade) = looked.surfaces["roofs"], found
    count = len(looked.building)
    kept = np.unique(cells.element)
    total = shade.shaded.sum(axis=0)
    cast = np.maximum(total - shade.own - shade.away, 0.0)
    columns = {
        "id": Column(looked.names.own[kept], title="Building"),
        "layer": Column(looked.names.layer[kept]),
        "area": Column(np.bincount(cells.element, cells.area, count)[kept], "m2"),
        "shadow_hours": Column(mean_of(cells.element, cells.area, total, count)[kept], "h"),
        "own_shadow_hours": Column(mean_of(cells.element, cells.area, shade.own + shade.away, count)[kept], "h"),
        "cast_shadow_hours": Column(mean_of(cells.element, cells.area, cast, count)[kept], "h"),
    }
    if looked.obstacles.before is not None:
        new = np.bincount(cells.element, targets.area * shade.new, count)
        columns["new_shadow_area_time"] = Column(new[kept], "m2 h")
        columns["new"] = Column(looked.obstacles.new[looked.building[kept]])
    return Table("roofs_list", "Shadow on roofs", columns)


def area_chart(moments: Moments, ground: Found, *, compared: bool) -> Chart:
    """Ground in shadow over the day, a line for each day; dashed: what is new."""
    targets, shade = ground
    series = []
    for day in dict.fromkeys(instant.day for instant in moments.instants):
        rows = [number for number, instant in enumerate(moments.instants) if instant.day == day]
        hours = np.array([moments.instants[row].hour for row in rows])
        series.append(Series(str(day), hours, (shade.states[rows] != SUN) @ targets.area))
        if compared:
            series.append(Series(f"{day} +", hours, (shade.states[rows] == NEW) @ targets.area, role="dashed"))
    return Chart("areas", "Ground in shadow", "Hour", "h", "Area", "m2", tuple(series))


def summary(
    params: ShadowParams, moments: Moments, found: Mapping[str, Found], *, compared: bool
) -> dict[str, Quantity]:
    """Key figures."""
    out = {
        "days": Quantity(", ".join(str(day) for day in dict.fromkeys(i.day for i in moments.instants)), ""),
        "instants": Quantity(len(moments.instants), "1"),
        "hours": Quantity(round(moments.hours, 4), "h"),
    }
    if params.time_basis == "solar":
        out["time_basis"] = Quantity("true solar time (진태양시)", "")
    for name, (targets, shade) in found.items():
        total = float(targets.area.sum())
        if total == 0:
            continue
        out[f"{name}_area"] = Quantity(round(total, 3), "m2")
        if moments.courses:
            mean = float((shade.shaded.sum(axis=0) * targets.area).sum()) / total
            out[f"{name}_shadow"] = Quantity(round(mean, 4), "h")
        for state, key in ((OWN, "own"), (AWAY, "away"), (SHADE, "cast")) if name != "ground" else ():
            share = float((((shade.states == state) @ targets.area) / total).mean())
            out[f"{name}_{key}"] = Quantity(round(100 * share, 3), "%")
        if compared:
            touched = float(targets.area[(shade.new > 0) | (shade.states == NEW).any(axis=0)].sum())
            out[f"{name}_new_area"] = Quantity(round(touched, 3), "m2")
            out[f"{name}_new_area_time"] = Quantity(round(float((shade.new * targets.area).sum()), 3), "m2 h")
            out[f"{name}_new_most"] = Quantity(round(60 * float(shade.new.max(initial=0.0)), 3), "min")
    return out


def choices_made(inputs: ShadowInputs, params: ShadowParams, looked: Looked, moments: Moments) -> list[Issue]:
    """What was decided for the user, with its figures."""
    days = ", ".join(str(day) for day in dict.fromkeys(instant.day for instant in moments.instants))
    made = [Issue("sunlight.shadow.days", f"Days studied: {days}.", values={"days": days})]
    clock = params.time_basis == "clock"
    offset = f"{moments.offset:+g}"
    text = f"Hours of the day are {'clock time' if clock else 'true solar time'}; the clock shows UTC{offset} h."
    made.append(Issue("sunlight.clock_time" if clock else "sunlight.solar_time", text, values={"offset": offset}))
    if params.utc_offset == "auto" and not sun.in_korea(inputs.frame.longitude, inputs.frame.latitude):
        text = f"UTC{offset} h was taken from the longitude; the legal time of the place may differ."
        made.append(Issue("sunlight.offset_assumed", text, severity="doubt", values={"offset": offset}))
    if inputs.trees:
        code, said = ("trees_block", "block") if params.trees_block else ("trees_left_out", "do not block")
        made.append(Issue(f"sunlight.{code}", f"Trees {said} the sun.", count=len(inputs.trees)))
    if looked.obstacles.before is None:
        text = "No new project was named: there is no state before, and no new shadow."
        made.append(Issue("sunlight.shadow.no_proposal", text))
    return made
