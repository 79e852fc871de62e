"""What the study hands back: layers, tables, key figures, assumptions and notes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Quantity, Table
from analysis.sunlight_rights.obstacles import Obstacles
from analysis.sunlight_rights.outcome import compass
from analysis.sunlight_rights.windows import Windows
from analysis.sunlight_standards.declaration import StandardsInputs, StandardsParams
from analysis.sunlight_standards.gardens import Gardens
from analysis.sunlight_standards.judge import Found, Verdicts, level_names, school_day
from analysis.sunlight_standards.rules import Standards, unverified
from geo.model import Column, ElementTable, Field, Grid, Issue, Layer, Mesh, Style

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]

VERDICTS = ("pass", "borderline", "fail")
LEVELS = ("below", "minimum", "medium", "high")
IN_FRONT = 0.06  # [m] of the facade: where a window is drawn

# The translations count these from 0 (``sunlight.standards.assumption.0``): keep the order.
ASSUMPTIONS = (
    "These are measures of European and British practice; in Korea they bind nobody.",
    "Exposure to sunlight is judged at one point in the middle of the window on the inner face of the wall, 1.2 m "
    "above the floor and 0.3 m above the sill at least; the floor of windows of models is not known.",
    "The opening is a rectangle through a wall of the depth given; frames, bars and glass take nothing.",
    "The vertical sky component is that of the CIE overcast sky at the middle of the window on its outer face: direct "
    "light of the sky alone, nothing reflected.",
    "A window whose vertical sky component falls below 27 % still passes when it keeps 0.8 of its former value.",
    "Of a garden the ground that is open now is looked at, in both states.",
    "A room may have several windows; each is judged by itself.",
    "Hills beyond the loaded terrain do not block.",
)


def window_columns(
    windows: Windows, found: Found, verdict: Verdicts, obstacles: Obstacles, rules: Standards, convergence_deg: float
) -> dict[str, Column]:
    """The columns of the table of windows."""
    text = {"window": windows.id, "building": obstacles.name[windows.building], "storey": windows.storey}
    text |= {"facing": compass(windows.normal, convergence_deg), "window_origin": windows.origin}
    columns = {key: Column(values) for key, values in text.items()}
    columns["verdict"] = Column(_told(verdict.all))
    columns["borderline"] = Column(verdict.borderline)
    if found.hours is not None:
        columns["exposure"] = Column(found.hours, "h")
        columns["exposure_level"] = Column(np.array(LEVELS, dtype=object)[level_names(found.hours, rules)])
        columns |= _before("exposure_before", found.hours_before, found, "h")
    if found.vsc is not None:
        columns["vsc"] = Column(found.vsc, "%")
        columns |= _before("vsc_before", found.vsc_before, found, "%")
        if found.vsc_before is not None:
            columns["vsc_ratio"] = Column(_ratio(found.vsc, np.where(found.new, np.nan, found.vsc_before)), "1")
    if found.school is not None:
        columns["school_total"] = Column(found.school.total, "h")
        columns["school_run"] = Column(found.school.longest, "h")
        if found.school_before is not None:
            columns |= _before("school_total_before", found.school_before.total, found, "h")
            columns |= _before("school_run_before", found.school_before.longest, found, "h")
    columns |= {f"{name}_verdict": Column(_told(passes)) for name, passes in verdict.passes.items()}
    return columns


def _before(name: str, values: Floats | None, found: Found, unit: str) -> dict[str, Column]:
    return {} if values is None else {name: Column(np.where(found.new, np.nan, values), unit)}


def _ratio(now: Floats, before: Floats) -> Floats:
    return np.asarray(np.divide(now, before, out=np.full(len(now), np.nan), where=before > 0))


def _told(passes: NDArray[np.bool_]) -> Texts:
    return np.asarray(np.array(["fail", "pass"], dtype=object)[passes.astype(int)])


def window_layer(
    windows: Windows, found: Found, verdict: Verdicts, columns: dict[str, Column], rules: Standards
) -> Layer:
    """Upright rectangles just in front of the facade, one element per window."""
    codes = np.where(verdict.borderline, 1, np.where(verdict.all, 0, 2)).astype(np.int8)
    fields = [Field("verdict", "1", "face", np.repeat(codes, 2), categories=VERDICTS, ramp="exposure")]
    if found.hours is not None:
        level = level_names(found.hours, rules)
        fields.append(Field("exposure", "h", "face", np.repeat(found.hours, 2), ramp="sun_hours", range=(0.0, 8.0)))
        fields.append(Field("exposure_level", "1", "face", np.repeat(level, 2), categories=LEVELS, ramp="sun_hours"))
    if found.vsc is not None:
        fields.append(Field("vsc", "%", "face", np.repeat(found.vsc, 2), ramp="sun_hours", range=(0.0, 40.0)))
    table = ElementTable(windows.id, {key: column for key, column in columns.items() if key != "window"})
    style = Style(colour_by="verdict")
    mesh = _panes(windows)
    return Layer("windows", "Windows: daylight and sunlight", "result", mesh, table, tuple(fields), style=style)


def _panes(windows: Windows) -> Mesh:
    count = len(windows.id)
    centre = windows.centre + IN_FRONT * windows.normal
    along = np.column_stack([-windows.normal[:, 1], windows.normal[:, 0], np.zeros(count)])
    along *= windows.half_width[:, None]
    up = np.outer(windows.half_height, [0.0, 0.0, 1.0])
    corners = np.stack([centre - along - up, centre + along - up, centre + along + up, centre - along + up], axis=1)
    first = 4 * np.arange(count)[:, None, None]
    faces = (np.array([[0, 1, 2], [0, 2, 3]])[None] + first).reshape(-1, 3).astype(np.int32)
    return Mesh(corners.reshape(-1, 3), faces, np.repeat(np.arange(count, dtype=np.int32), 2))


def building_table(windows: Windows, found: Found, verdict: Verdicts, obstacles: Obstacles) -> Table:
    """One row per building: windows, how many fail what, the least of each measure."""
    used, row = np.unique(windows.building, return_inverse=True)
    row = row.reshape(-1)

    def of(which: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(row[which], minlength=len(used)).astype(np.int64)

    def least(values: Floats) -> Floats:
        out = np.full(len(used), np.inf)
        np.minimum.at(out, row, values)
        return out

    columns = {
        "building": Column(obstacles.name[used]),
        "layer": Column(obstacles.layer[used]),
        "windows": Column(np.bincount(row, minlength=len(used))),
        "failing": Column(of(~verdict.all)),
    }
    columns |= {f"{name}_failing": Column(of(~passes)) for name, passes in verdict.passes.items()}
    if found.hours is not None:
        columns["exposure_least"] = Column(least(found.hours), "h")
    if found.vsc is not None:
        columns["vsc_least"] = Column(least(found.vsc), "%")
    return Table("buildings", "Standards per building", columns)


def garden_layer(gardens: Gardens) -> Layer:
    """The cells of all gardens: hours on the day of the gardens, and what the new project takes."""
    ground = gardens.areas.ground
    level = float(ground.points[:, 2].mean()) if len(ground.points) else 0.0
    grid = Grid(ground.spread(gardens.hours), ground.x0, ground.y0, ground.cell, z=level)
    fields = [Field("garden_hours", "h", "cell", grid.values, ramp="sun_hours", range=(0.0, 12.0))]
    if gardens.before is not None:
        lost = ground.spread(gardens.before - gardens.hours)
        fields.append(Field("garden_lost", "h", "cell", lost, ramp="exposure"))
    style = Style(colour_by="garden_hours")
    return Layer("gardens", "Gardens: sun on 21 March", "result", grid, fields=tuple(fields), style=style)


def garden_table(gardens: Gardens) -> Table:
    """One row per garden."""
    members = gardens.areas.members
    texts = {"area": [m.name for m in members], "layer": [m.layer for m in members], "id": [m.id for m in members]}
    columns = {name: Column(np.array(values, dtype=object)) for name, values in texts.items()}
    size = np.array([len(m.cells) for m in members]) * gardens.areas.ground.cell**2
    columns |= {"open_area": Column(size, "m2"), "garden_share": Column(gardens.share, "%")}
    if gardens.former is not None:
        columns["garden_share_before"] = Column(gardens.former, "%")
        columns["garden_ratio"] = Column(_ratio(gardens.share, gardens.former), "1")
    told = _told(gardens.passes)
    told[~np.isfinite(gardens.share)] = ""
    columns["verdict"] = Column(told)
    return Table("garden_list", "Sun of gardens", columns)


def summary(
    found: Found | None, verdict: Verdicts | None, gardens: Gardens | None, rules: Standards
) -> dict[str, Quantity]:
    """Key figures; shares in percent of the windows."""
    out: dict[str, Quantity] = {}
    if found is not None and verdict is not None:
        out["windows"] = Quantity(len(found.new), "1")
        out["failing"] = Quantity(int((~verdict.all).sum()), "1")
        out["borderline"] = Quantity(int(verdict.borderline.sum()), "1")
        out |= {f"{name}_share": Quantity(_percent(passes), "%") for name, passes in verdict.passes.items()}
        if found.hours is not None:
            level = level_names(found.hours, rules)
            out |= {f"level_{name}": Quantity(int((level == k).sum()), "1") for k, name in enumerate(LEVELS)}
        if found.vsc is not None:
            out["vsc_mean"] = Quantity(round(float(found.vsc.mean()), 3), "%")
            if found.vsc_before is not None:
                old = ~found.new
                lost = old & (found.vsc < rules.vsc) & (found.vsc < rules.former * found.vsc_before)
                out["vsc_noticed"] = Quantity(int(lost.sum()), "1")
    if gardens is not None:
        there = np.isfinite(gardens.share)
        out["gardens"] = Quantity(len(gardens.share), "1")
        out["gardens_failing"] = Quantity(int((there & ~gardens.passes).sum()), "1")
    return out


def _percent(passes: NDArray[np.bool_]) -> float:
    return round(100.0 * float(passes.mean()), 3)


def choices_made(
    inputs: StandardsInputs,
    params: StandardsParams,
    obstacles: Obstacles,
    rules: Standards,
    gardens: Gardens | None,
    offset: float,
) -> list[Issue]:
    """What was decided for the user, with its figures."""
    made = []
    used = ["en17037"] * params.sunlight + ["bre209"] * (params.daylight or gardens is not None)
    used += ["school"] * (params.judged == "schools")
    for part in used:
        titles = unverified(part)
        if titles:
            text = f"Limits whose source was not read ({part}): " + "; ".join(titles) + "."
            values = {"edition": rules.edition}
            made.append(Issue(f"sunlight.standards.unverified_{part}", text, "doubt", len(titles), values=values))
    if params.sunlight:
        text = f"Exposure to sunlight on {params.day}, sun above {params.minimum_elevation:g} degrees."
        values = {"day": str(params.day), "elevation": f"{params.minimum_elevation:g}"}
        made.append(Issue("sunlight.standards.exposure", text, values=values))
    if params.judged == "schools":
        day = school_day(params, offset)
        made.append(Issue("sunlight.standards.school_day", f"Schools are judged on {day}.", values={"day": str(day)}))
    if inputs.trees:
        code, said = ("trees_block", "block") if params.trees_block else ("trees_left_out", "do not block")
        made.append(Issue(f"sunlight.{code}", f"Trees {said} the sun.", count=len(inputs.trees)))
    if obstacles.before is None:
        text = "No new project was named: there is no former value to compare with."
        made.append(Issue("sunlight.standards.no_proposal", text))
    return made
