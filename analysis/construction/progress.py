"""What stands on a day and what is late, from the planned and the actual days of each element."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.construction.schedule import Days
from analysis.contract import Quantity
from geo.model import Column, ElementTable, Field

STATES = ("done", "late", "late_start", "under_way", "not_due", "planned_done", "planned_under_way", "unplanned")
COLOURS = ("#3a7d44", "#c0392b", "#e08e0b", "#2f77b5", "#c9ced6", "#7fb58a", "#8fb8dc", "#eceff3")
PLANNED, ACTUAL = ("planned_start", "planned_finish"), ("actual_start", "actual_finish")


class Plan(NamedTuple):
    """For each element: days (n,) as planned and as they were; NaT where nothing is said."""

    start: Days
    finish: Days
    began: Days
    done: Days


def states_of(plan: Plan, today: np.datetime64, *, says_actual: bool) -> NDArray[np.int8]:
    """(n,) number in `STATES` of each element on the evening of a day."""
    planned = ~(np.isnat(plan.start) & np.isnat(plan.finish))
    begun_by_plan, over_by_plan = plan.start <= today, plan.finish <= today
    if not says_actual:
        rules = [(~planned, "unplanned"), (over_by_plan, "planned_done"), (begun_by_plan, "planned_under_way")]
    else:
        began = (plan.began <= today) | (plan.done <= today)
        rules = [
            (~planned, "unplanned"),
            (plan.done <= today, "done"),
            (over_by_plan, "late"),
            (begun_by_plan & ~began, "late_start"),
            (began, "under_way"),
        ]
    names = [STATES.index(name) for _, name in rules]
    return np.select([rule for rule, _ in rules], names, STATES.index("not_due")).astype(np.int8)


def days_late(plan: Plan, code: NDArray[np.int8], today: np.datetime64) -> NDArray[np.float64]:
    """(n,) days since an element should have been finished, or begun; NaN where it is not late [d]."""
    late = np.full(len(code), np.nan)
    for name, due in (("late", plan.finish), ("late_start", plan.start)):
        chosen = code == STATES.index(name)
        late[chosen] = (today - due[chosen]).astype(np.float64)
    return late


def fields_of(plan: Plan, code: NDArray[np.int8], today: np.datetime64) -> tuple[Field, ...]:
    """State and days late of each element."""
    return (
        Field("progress", "1", "element", code, categories=STATES),
        Field("days_late", "d", "element", days_late(plan, code, today)),
    )


def figures_of(plan: Plan, code: NDArray[np.int8], today: np.datetime64, *, says_actual: bool) -> dict[str, Quantity]:
    """How many elements should stand on a day, and how many do."""
    count = {name: int((code == number).sum()) for number, name in enumerate(STATES)}
    planned = len(code) - count["unplanned"]
    due = int((plan.finish <= today).sum())
    told = {"due_share": Quantity(100.0 * due / planned, "%")}
    if says_actual:
        told["done_share"] = Quantity(100.0 * count["done"] / planned, "%")
    told |= {"day": Quantity(str(today), ""), "planned": Quantity(planned, "1"), "due": Quantity(due, "1")}
    if says_actual:
        late = days_late(plan, code, today)
        told |= {name: Quantity(count[name], "1") for name in ("done", "late", "late_start", "under_way")}
        if np.isfinite(late).any():
            told["most_late"] = Quantity(float(np.nanmax(late)), "d")
    return told | {"unplanned": Quantity(count["unplanned"], "1")}


def day_columns(plan: Plan, *, says_actual: bool = True) -> dict[str, Column]:
    """The days as texts, empty where nothing is said; without the actual ones where there is no word of them."""
    said = (np.where(np.isnat(days), "", np.datetime_as_string(days)).astype(object) for days in plan)
    columns = {name: Column(values) for name, values in zip(PLANNED + ACTUAL, said, strict=True)}
    return columns if says_actual else {name: columns[name] for name in PLANNED}


def plan_in(table: ElementTable) -> tuple[Plan, bool] | None:
    """The days that `day_columns` wrote, and whether they say what is actual; None where there are none."""
    if not table.columns.keys() >= set(PLANNED):
        return None
    none = np.full(len(table), "", dtype=object)
    texts = [table.columns[name].values if name in table.columns else none for name in PLANNED + ACTUAL]
    days = (np.where(values.astype(str) == "", "NaT", values.astype(str)).astype("datetime64[D]") for values in texts)
    return Plan(*days), set(ACTUAL) <= table.columns.keys()
