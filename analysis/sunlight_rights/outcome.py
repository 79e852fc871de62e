"""What the study hands back: layer, tables, key figures, assumptions and notes."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Quantity, Table
from analysis.kernels import sun
from analysis.sunlight_rights.declaration import RightsInputs, RightsParams
from analysis.sunlight_rights.judge import Judgement, Takings
from analysis.sunlight_rights.obstacles import Obstacles
from analysis.sunlight_rights.rules import Rules
from analysis.sunlight_rights.windows import Windows
from geo.model import Column, ElementTable, Field, Issue, Layer, Mesh, Style

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]

VERDICTS = ("pass", "borderline", "fail")
IN_FRONT = 0.06  # [m] of the facade: where a window is drawn
COMPASS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")

# The translations count these from 0 (``sunlight.rights.assumption.0``): keep the order.
ASSUMPTIONS = (
    "The verdict follows the practice of Korean courts (수인한도); it is no certificate and no permit condition.",
    "A window passes with enough sun in total or in one unbroken run; either is enough.",
    "The centre of the window is judged, on its outer face; the sun is a point and the sky is clear.",
    "Each time step is looked at and edges of the sun are refined to two seconds; gaps shorter than a step are missed.",
    "Made windows lie in the middle of equal shares of the facade, one per dwelling and storey, nearest to south.",
    "Of a model whose rooms name living rooms only their windows are judged, and those whose room is not known.",
    "Buildings that are judged block the sun too; glass blocks like a wall; hills beyond the terrain do not block.",
    "Shade that the own building makes is counted apart, even where another building would make it too.",
    "A building takes time alone where no other would block that sun; what several block is listed for each of them.",
    "Borderline: the verdict changes with one minute, half a metre of height, or 0.2 degrees of north.",
)


def clock_text(hours: Floats) -> Texts:
    """Hours of the day as text to the second; empty where there is none."""
    seconds = np.rint(np.nan_to_num(hours) * 3600.0).astype(np.int64)
    told = [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in seconds]
    return np.array([text if good else "" for text, good in zip(told, np.isfinite(hours), strict=True)], dtype=object)


def compass(normal: Floats, convergence_deg: float) -> Texts:
    """Points of the compass (true north) of outward normals (n, 3)."""
    true = np.degrees(np.arctan2(normal[:, 0], normal[:, 1])) + convergence_deg
    return np.array(COMPASS, dtype=object)[np.rint(true / 45.0).astype(np.int64) % 8]


def verdict_codes(found: Judgement) -> NDArray[np.int8]:
    """(n,) index into `VERDICTS`."""
    return np.where(found.flips.any(axis=0), 1, np.where(found.passes, 0, 2)).astype(np.int8)


def minutes_lost(found: Judgement, obstacles: Obstacles) -> Floats:
    """(n,) minutes that the new project takes; without one, that all other buildings take."""
    if obstacles.before is None:
        return np.asarray((found.alone + found.joint) * 60.0)
    return np.asarray(np.where(found.new, 0.0, (found.before.total - found.now.total) * 60.0))


def worst(takings: Takings, count: int, names: Texts) -> tuple[Texts, Floats]:
    """Per window the building that takes most, alone or with others, and its minutes."""
    hours = takings.alone + takings.joint
    order = np.lexsort((takings.building, -hours, takings.window))
    window, first = np.unique(takings.window[order], return_index=True)
    name, minutes = np.full(count, "", dtype=object), np.zeros(count)
    name[window] = names[takings.building[order[first]]]
    minutes[window] = hours[order[first]] * 60.0
    return name, minutes


def window_columns(
    windows: Windows, found: Judgement, obstacles: Obstacles, convergence_deg: float, rules: Rules
) -> dict[str, Column]:
    """The columns of the table of windows."""
    count = len(windows.id)
    other = found.taken if obstacles.before is None else found.lost
    name, minutes = worst(other, count, obstacles.name)
    by_total, by_run = found.now.total >= rules.total.hours, found.now.longest >= rules.continuous.hours
    limb = np.array(["-", "a", "b", "a, b"], dtype=object)[by_total + 2 * by_run]
    text = {"window": windows.id, "building": obstacles.name[windows.building], "storey": windows.storey}
    text |= {"facing": compass(windows.normal, convergence_deg), "window_origin": windows.origin}
    columns = {key: Column(values) for key, values in text.items()}
    columns |= {
        "total_hours": Column(found.now.total, "h"),
        "run_hours": Column(found.now.longest, "h"),
        "run_start": Column(clock_text(found.now.start)),
        "run_end": Column(clock_text(found.now.stop)),
        "verdict": Column(np.array(["fail", "pass"], dtype=object)[found.passes.astype(int)]),
        "limb": Column(limb),
        "borderline": Column(_why(found.flips)),
    }
    if obstacles.before is not None:
        blank = found.new
        columns |= {
            "total_hours_before": Column(np.where(blank, np.nan, found.before.total), "h"),
            "run_hours_before": Column(np.where(blank, np.nan, found.before.longest), "h"),
            "verdict_before": Column(
                np.where(blank, "", np.array(["fail", "pass"], dtype=object)[found.passed.astype(int)])
            ),
            "only_together": Column(found.together),
        }
    columns |= {
        "minutes_lost": Column(minutes_lost(found, obstacles), "min"),
        "worst_obstructor": Column(name),
        "worst_minutes": Column(minutes, "min"),
        "alone_minutes": Column(found.alone * 60.0, "min"),
        "joint_minutes": Column(found.joint * 60.0, "min"),
        "own_minutes": Column(found.own * 60.0, "min"),
        "total_without_own": Column(found.now.total + found.only_own, "h"),
        "away_minutes": Column(found.away * 60.0, "min"),
        "points_agree": Column(found.agree * 100.0, "%"),
    }
    return columns


def _why(flips: Bools) -> Texts:
    """Which changes give another verdict, as text."""
    words = ("time", "height", "north")
    return np.array([", ".join(w for w, hit in zip(words, column, strict=True) if hit) for column in flips.T], object)


def window_layer(windows: Windows, found: Judgement, obstacles: Obstacles, columns: dict[str, Column]) -> Layer:
    """Small upright rectangles just in front of the facade, one element per window."""
    count = len(windows.id)
    centre = windows.centre + IN_FRONT * windows.normal
    along = (
        np.column_stack([-windows.normal[:, 1], windows.normal[:, 0], np.zeros(count)]) * windows.half_width[:, None]
    )
    up = np.outer(windows.half_height, [0.0, 0.0, 1.0])
    corners = np.stack([centre - along - up, centre + along - up, centre + along + up, centre - along + up], axis=1)
    first = 4 * np.arange(count)[:, None, None]
    faces = (np.array([[0, 1, 2], [0, 2, 3]])[None] + first).reshape(-1, 3).astype(np.int32)
    mesh = Mesh(corners.reshape(-1, 3), faces, np.repeat(np.arange(count, dtype=np.int32), 2))
    lost = np.repeat(minutes_lost(found, obstacles), 2)
    fields = (
        Field("verdict", "1", "face", np.repeat(verdict_codes(found), 2), categories=VERDICTS, ramp="exposure"),
        Field("total_hours", "h", "face", np.repeat(found.now.total, 2), ramp="sun_hours", range=(0.0, 8.0)),
        Field("run_hours", "h", "face", np.repeat(found.now.longest, 2), ramp="sun_hours", range=(0.0, 6.0)),
        Field("minutes_lost", "min", "face", lost, ramp="exposure"),
    )
    table = ElementTable(windows.id, {key: column for key, column in columns.items() if key != "window"})
    style = Style(colour_by="verdict")
    return Layer("windows", "Windows: sunlight verdict", "result", mesh, table=table, fields=fields, style=style)


def building_table(windows: Windows, found: Judgement, obstacles: Obstacles) -> Table:
    """One row per building: windows, failing, share, the worst window."""
    used, row = np.unique(windows.building, return_inverse=True)
    row = row.reshape(-1)
    count = len(used)

    def of(which: Bools) -> Indices:
        return np.bincount(row[which], minlength=count)

    n = np.bincount(row, minlength=count)
    fails = of(~found.passes)
    # the worst window is the one furthest from both limits: least run, then least total
    order = np.lexsort((found.now.total, found.now.longest, row))
    least = order[np.searchsorted(row[order], np.arange(count))]
    columns = {
        "building": Column(obstacles.name[used]),
        "layer": Column(obstacles.layer[used]),
        "windows": Column(n),
        "failing": Column(fails),
        "failing_share": Column(100.0 * fails / n, "%"),
        "borderline": Column(of(np.asarray(found.flips.any(axis=0)))),
    }
    if obstacles.before is not None:
        columns["newly_failing"] = Column(of(~found.passes & found.passed & ~found.new))
    columns |= {
        "worst_window": Column(windows.id[least]),
        "worst_total": Column(found.now.total[least], "h"),
        "worst_run": Column(found.now.longest[least], "h"),
    }
    return Table("buildings", "Windows per building", columns)


def obstructor_table(found: Judgement, obstacles: Obstacles) -> Table:
    """One row per building that takes sun from others: minutes alone and jointly, windows that fail because of it."""
    taken = found.taken if obstacles.before is None else found.lost
    count = len(obstacles.name)
    alone, joint = (np.bincount(taken.building, hours, count) * 60.0 for hours in (taken.alone, taken.joint))
    windows = np.bincount(taken.building, minlength=count)
    frees = np.bincount(taken.building[taken.frees], minlength=count)
    used = np.flatnonzero(windows)
    used = used[np.lexsort((used, -alone[used], -frees[used]))]
    columns = {
        "building": Column(obstacles.name[used]),
        "layer": Column(obstacles.layer[used]),
        "new": Column(obstacles.new[used]),
        "windows": Column(windows[used]),
        "pushed_below": Column(frees[used]),
        "alone_minutes": Column(alone[used], "min"),
        "joint_minutes": Column(joint[used], "min"),
    }
    return Table("obstructors", "Buildings that take sun", columns)


def summary(
    found: Judgement, obstacles: Obstacles, rules: Rules, params: RightsParams, day: date, marks: int, offset: float
) -> dict[str, Quantity]:
    """Key figures; shares in percent of the windows."""
    count = len(found.passes)
    own = ~found.new
    newly = ~found.passes & found.passed & own
    out = {
        "day": Quantity(str(day), ""),
        "time_basis": Quantity(f"UTC{offset:+g}" if params.time_basis == "clock" else "true solar time (진태양시)", ""),
        "limit_total": Quantity(rules.total.hours, "h"),
        "limit_run": Quantity(rules.continuous.hours, "h"),
        "windows": Quantity(count, "1"),
        "share_passing": Quantity(round(100.0 * float(found.passes.mean()), 3), "%"),
        "failing": Quantity(int((~found.passes).sum()), "1"),
    }
    if obstacles.before is not None:
        out |= {
            "failing_before": Quantity(int((~found.passed & own).sum()), "1"),
            "newly_failing": Quantity(int(newly.sum()), "1"),
            "together": Quantity(int(found.together.sum()), "1"),
            "minutes_lost": Quantity(round(float(minutes_lost(found, obstacles).sum()), 3), "min"),
        }
    names = ("borderline_time", "borderline_height", "borderline_north")
    out |= {name: Quantity(int(row.sum()), "1") for name, row in zip(names, found.flips, strict=True)}
    return out | {
        "borderline": Quantity(int(found.flips.any(axis=0).sum()), "1"),
        "marks": Quantity(marks, "1"),
    }


def choices_made(
    inputs: RightsInputs, params: RightsParams, obstacles: Obstacles, rules: Rules, day: date, offset: float
) -> list[Issue]:
    """What was decided for the user, with its figures."""
    made = [
        Issue(
            "sunlight.rights.day",
            f"The day judged is {day}.",
            values={"day": str(day)},
        ),
        Issue(
            "sunlight.rights.limits",
            f"Limits: {rules.total.hours:g} h from {rules.total.start:g} to {rules.total.stop:g} h in total, or "
            f"{rules.continuous.hours:g} h from {rules.continuous.start:g} to {rules.continuous.stop:g} h unbroken "
            f"(rules of {rules.edition}).",
            values={"total": f"{rules.total.hours:g}", "run": f"{rules.continuous.hours:g}", "edition": rules.edition},
        ),
        Issue(
            "sunlight.rights.unverified",
            "No written rule fixes: " + "; ".join(rules.unverified) + ".",
            "doubt",
            len(rules.unverified),
        ),
    ]
    if params.solstice and params.day != day:
        text = f"The winter solstice of {day.year} is {day}, not {params.day}."
        made.append(Issue("sunlight.rights.solstice", text, values={"day": str(day), "given": str(params.day)}))
    if not params.solstice and day != sun.winter_solstice(day.year, offset):
        text = f"{day} is not the winter solstice: the limits of the courts are meant for the solstice."
        made.append(Issue("sunlight.rights.other_day", text, "doubt", values={"day": str(day)}))
    if inputs.frame.latitude < 0:
        text = "The place lies south of the equator: the rules of Korea look at December and at windows to the south."
        made.append(Issue("sunlight.rights.southern", text, "doubt"))
    basis = "clock time" if params.time_basis == "clock" else "true solar time"
    code = "sunlight.clock_time" if params.time_basis == "clock" else "sunlight.solar_time"
    text = f"Hours of the day are {basis}; the clock shows UTC{offset:+g} h."
    made.append(Issue(code, text, values={"offset": f"{offset:+g}"}))
    if params.utc_offset == "auto" and not sun.in_korea(inputs.frame.longitude, inputs.frame.latitude):
        text = f"UTC{offset:+g} h was taken from the longitude; the legal time of the place may differ."
        made.append(Issue("sunlight.offset_assumed", text, "doubt", values={"offset": f"{offset:+g}"}))
    if inputs.trees:
        code, said = ("trees_block", "block") if params.trees_block else ("trees_left_out", "do not block")
        made.append(Issue(f"sunlight.{code}", f"Trees {said} the sun.", count=len(inputs.trees)))
    if obstacles.before is None:
        text = "No new project was named: no state before; the minutes lost are those that all other buildings take."
        made.append(Issue("sunlight.rights.no_proposal", text))
    return made
