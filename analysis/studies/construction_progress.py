"""Progress against schedule (공정 진척): what should stand on a day, what stands, and what is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.construction.progress import (
    COLOURS,
    STATES,
    Plan,
    day_columns,
    days_late,
    fields_of,
    figures_of,
    states_of,
)
from analysis.contract import Chart, Inputs, Reference, Result, Series, Table, analysis, layer_input
from analysis.params import Params, choice
from geo.model import Column, ElementTable, Feedback, Issue, Layer, Mesh, Style, UserError

if TYPE_CHECKING:
    from analysis.construction.schedule import Days, Schedule

PMBOK = Reference("pmi-pmbok", "Project Management Institute: A Guide to the Project Management Body of Knowledge.")
ASSUMPTIONS = (
    "An element is done when all its tasks are, and begun with the first of them.",
    "The schedule is taken at its word: nothing is measured on the site.",
    "Elements count alike, whatever their size or cost.",
)


class ProgressParams(Params):
    """What a user can set for ``construction.progress``."""

    day: date = choice("Day", default=date(2026, 12, 21), help="The evening of this day is looked at.")


@dataclass(frozen=True)
class ProgressInputs(Inputs):
    """What is built, and when."""

    models: tuple[Layer, ...] = layer_input("Building models", kind="mesh", theme="bim", many=True)
    schedules: tuple[Layer, ...] = layer_input("Schedules (tables with ids of elements)", kind="table", many=True)


@analysis(
    id="construction.progress",
    title="Progress against schedule",
    description=(
        "Compares the elements of building models with a schedule on a day: what should stand, what stands by the "
        "days reported, what is late and by how much."
    ),
    version=1,
    inputs=ProgressInputs,
    params=ProgressParams,
    references=(PMBOK,),
    headline=("day",),
)
def construction_progress(inputs: ProgressInputs, params: ProgressParams, feedback: Feedback) -> Result:
    """Tell what stands and what is late."""
    from analysis.construction.schedule import is_schedule, read_schedule

    tables = [layer for layer in inputs.schedules if is_schedule(layer)]
    if not tables:
        raise _no_schedule()
    issues: list[Issue] = []
    schedule = read_schedule(tables, issues)
    feedback.step(0.3, "matching elements with tasks")
    today = np.datetime64(params.day, "D")
    models, plans = _planned_models(inputs.models, schedule)
    if not models:
        raise _no_match()
    feedback.step(0.7, "telling what stands")
    codes = [states_of(plan, today, says_actual=schedule.says_actual) for plan in plans]
    layers = [
        _shown(layer, own, state, today, number, says_actual=schedule.says_actual)
        for number, (layer, own, state) in enumerate(zip(models, plans, codes, strict=True))
    ]
    plan = Plan(*(np.concatenate(days) for days in zip(*plans, strict=True)))
    code = np.concatenate(codes)
    issues += _doubts(schedule, models, code)
    if len(models) < len(inputs.models):
        left = len(inputs.models) - len(models)
        text = f"{left} models have no element in the schedule and were left out."
        issues.append(Issue("construction.other_models", text, "note", left))
    return Result(
        layers=tuple(layers),
        summary=figures_of(plan, code, today, says_actual=schedule.says_actual),
        tables=(_late_table(models, plan, code, today),),
        charts=(_curve(plan, code, says_actual=schedule.says_actual),),
        issues=tuple(issues),
        assumptions=ASSUMPTIONS,
    )


def _planned_models(models: tuple[Layer, ...], schedule: Schedule) -> tuple[tuple[Layer, ...], list[Plan]]:
    """The models that the schedule speaks of, that with most planned elements last, and the days of their elements."""
    plans = [(layer, plan_of(layer.table, schedule)) for layer in models]
    count = [int((~np.isnat(plan.finish)).sum()) for _, plan in plans]
    order = [number for number in np.argsort(count, kind="stable").tolist() if count[number]]
    return tuple(plans[number][0] for number in order), [plans[number][1] for number in order]


def plan_of(table: ElementTable, schedule: Schedule) -> Plan:
    """From the first start to the last finish of the tasks of each element; done when all of them are."""
    # Parts of one element ("id#2") share its tasks.
    bases, part_of = np.unique([str(key).partition("#")[0] for key in table.ids], return_inverse=True)
    row = {str(key): number for number, key in enumerate(bases)}
    which = np.array([row.get(str(key), -1) for key in schedule.element], dtype=np.int64)
    found = []
    for values, pick in (
        (schedule.start, np.fmin),
        (schedule.finish, np.fmax),
        (schedule.began, np.fmin),
        (schedule.done, np.maximum),  # one task without a day leaves the element undone
    ):
        days = np.full(len(bases), np.datetime64("NaT", "D"))
        seen: set[int] = set()
        for at, value in zip(which[which >= 0].tolist(), values[which >= 0], strict=True):
            days[at] = pick(days[at], value) if at in seen else value
            seen.add(at)
        found.append(days[part_of])
    return Plan(*found)


def _shown(
    layer: Layer, plan: Plan, code: NDArray[np.int8], today: np.datetime64, number: int, *, says_actual: bool
) -> Layer:
    if not isinstance(layer.geometry, Mesh):
        raise TypeError(f"{layer.name} is not a mesh")
    columns = {name: column for name, column in layer.table.columns.items() if name in ("name", "class", "storey")}
    columns |= day_columns(plan, says_actual=says_actual)
    style = Style(colour_by="progress", class_colours=tuple(zip(STATES, COLOURS, strict=True)))
    name = f"{layer.name} – Progress"
    table = ElementTable(layer.table.ids, columns)
    return Layer(f"progress-{number + 1}", name, "result", layer.geometry, table, fields_of(plan, code, today), style)


def _late_table(models: tuple[Layer, ...], plan: Plan, code: NDArray[np.int8], today: np.datetime64) -> Table:
    """What is late, the latest first."""
    late = days_late(plan, code, today)
    order = np.argsort(-late, kind="stable")[: int(np.isfinite(late).sum())]
    ids = np.concatenate([layer.table.ids.astype(object) for layer in models])

    def texts(name: str) -> NDArray[np.object_]:
        found = [layer.table.columns.get(name) for layer in models]
        return np.concatenate(
            [
                np.full(len(layer.table), "", dtype=object) if column is None else column.values.astype(object)
                for layer, column in zip(models, found, strict=True)
            ]
        )

    columns = {
        "element": Column(ids[order]),
        **{name: Column(texts(name)[order]) for name in ("name", "class", "storey")},
        "progress": Column(np.array([STATES[number] for number in code[order]], dtype=object)),
        "days_late": Column(late[order], "d"),
        **{name: Column(column.values[order]) for name, column in day_columns(plan).items()},
    }
    return Table("late", "What is late", columns)


def _curve(plan: Plan, code: NDArray[np.int8], *, says_actual: bool) -> Chart:
    """The share of the planned elements that are finished, by days since the first start."""
    planned = code != STATES.index("unplanned")
    first = np.nanmin(np.concatenate([plan.start[planned], plan.finish[planned]]))

    def curve(days: Days, name: str, role: str) -> Series:
        when = np.sort((days[planned & ~np.isnat(days)] - first).astype(np.float64))
        share = 100.0 * np.arange(len(when) + 1) / planned.sum()
        return Series(name, np.concatenate([[0.0], when]), share, role=role)

    series = [curve(plan.finish, "planned", "dashed")]
    if says_actual:
        series.append(curve(plan.done, "actual", "line"))
    return Chart("curve", "Finished elements", "Days since the first start", "d", "Finished", "%", tuple(series))


def _doubts(schedule: Schedule, models: tuple[Layer, ...], code: NDArray[np.int8]) -> list[Issue]:
    found = []
    if not schedule.says_actual:
        text = "The schedule says only what was planned: what really stands is not known."
        found.append(Issue("construction.only_planned", text, "doubt"))
    known = {str(key).partition("#")[0] for layer in models for key in layer.table.ids}
    astray = len({str(key) for key in schedule.element} - known)
    if astray:
        text = f"{astray} elements of the schedule are not in the models."
        found.append(Issue("construction.not_in_model", text, "doubt", astray))
    without = int((code == STATES.index("unplanned")).sum())
    if without:
        text = f"{without} elements of the models are in no schedule."
        found.append(Issue("construction.unplanned", text, "note", without))
    return found


def _no_schedule() -> UserError:
    return UserError(
        "No table is a schedule.",
        "A schedule has a column with the ids of elements (GUID) and columns with planned start and finish.",
        "Import the schedule as CSV with columns such as GUID, PlannedStart, PlannedFinish, ActualStart, ActualFinish.",
        code="construction.no_schedule",
    )


def _no_match() -> UserError:
    return UserError(
        "No element of the models is in the schedule.",
        "The ids in the schedule are not those of the models.",
        "Export the schedule with the GlobalId of each element, from this version of the model.",
        code="construction.no_match",
    )
