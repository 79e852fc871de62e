"""Progress against schedule: states by hand, days in every form, several tasks of one element, honest doubts."""

from __future__ import annotations

import csv
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

from analysis.construction.schedule import is_schedule, read_days, read_schedule
from analysis.contract import Result
from analysis.studies.construction_progress import (
    STATES,
    ProgressInputs,
    ProgressParams,
    construction_progress,
    plan_of,
)
from geo.model import Column, ElementTable, Feedback, Issue, Layer, UserError
from tests.tiny import tiny_frame
from tests.tiny_bim import model

ROWS = (  # element, planned start and finish, actual start and finish
    ("A", "2026-03-02", "2026-03-06", "2026-03-02", "2026-03-05"),  # done
    ("B", "2026-03-02", "2026-03-06", "2026-03-03", ""),  # late by four days
    ("C", "2026-03-09", "2026-03-20", "", ""),  # should have begun yesterday
    ("D", "2026-03-09", "2026-03-20", "2026-03-09", ""),  # under way
    ("E", "2026-04-01", "2026-04-10", "", ""),  # not due
    ("Z", "2026-03-02", "2026-03-03", "", ""),  # not in the model
)
NAMES = ("GUID", "PlannedStart", "Planned finish", "실제착수일", "Actual_Finish")


def table(rows: tuple[tuple[str, ...], ...] = ROWS, names: tuple[str, ...] = NAMES) -> Layer:
    columns = {name: Column(np.array([row[k] or None for row in rows], dtype=object)) for k, name in enumerate(names)}
    return Layer("schedule", "Schedule", "other", None, ElementTable([str(k) for k in range(len(rows))], columns))


def building(*ids: str) -> Layer:
    parts = [(key, "IfcWall", "1F", (4.0 * k, 0.0, 0.0, 3.0, 0.3, 3.0)) for k, key in enumerate(ids)]
    made = model(parts)
    return made.with_(table=ElementTable(ids, dict(made.table.columns)))


def run(*schedules: Layer, ids: tuple[str, ...] = tuple("ABCDEF"), day: str = "2026-03-10") -> Result:
    inputs = ProgressInputs(tiny_frame(), (building(*ids),), schedules)
    return construction_progress.run(inputs, ProgressParams(day=date.fromisoformat(day)), Feedback())


def states(result: Result) -> list[str]:
    (field,) = (one for one in result.layers[0].fields if one.name == "progress")
    return [STATES[code] for code in field.values]


def test_each_element_has_the_state_that_its_days_say() -> None:
    result = run(table())
    assert states(result) == ["done", "late", "late_start", "under_way", "not_due", "unplanned"]
    told = {name: item.value for name, item in result.summary.items()}
    assert (told["planned"], told["due"], told["done"], told["late"], told["late_start"]) == (5, 2, 1, 1, 1)
    assert (told["due_share"], told["done_share"], told["most_late"]) == (40.0, 20.0, 4.0)
    late = result.tables[0].columns
    assert late["element"].values.tolist() == ["B", "C"]
    assert late["days_late"].values.tolist() == [4.0, 1.0]
    assert {issue.code for issue in result.issues} == {"construction.not_in_model", "construction.unplanned"}
    planned, actual = result.charts[0].series
    assert planned.y[-1] == 100.0
    assert actual.y[-1] == 20.0
    assert actual.x[-1] == 3.0  # 2 to 5 March


def test_a_day_due_is_late_only_when_it_is_over_and_nothing_is_left_to_do_before() -> None:
    assert states(run(table(), day="2026-03-01")) == ["not_due"] * 5 + ["unplanned"]
    assert states(run(table(), day="2026-03-05"))[:2] == ["done", "under_way"]
    assert states(run(table(), day="2026-03-06"))[1] == "late"


def test_an_element_is_done_when_all_its_tasks_are_and_its_parts_go_with_it() -> None:
    rows = (
        ("A", "2026-03-02", "2026-03-06", "2026-03-02", "2026-03-05"),
        ("A", "2026-03-07", "2026-03-09", "", ""),
        ("B", "2026-03-02", "2026-03-03", "2026-03-02", "2026-03-04"),
        ("B", "2026-03-02", "2026-03-08", "2026-03-01", "2026-03-09"),
    )
    plan = plan_of(ElementTable(["A", "A#2", "B"]), read_schedule([table(rows)], []))
    assert plan.finish.astype(str).tolist() == ["2026-03-09", "2026-03-09", "2026-03-08"]
    assert np.isnat(plan.done).tolist() == [True, True, False]
    assert str(plan.done[2]) == "2026-03-09"
    assert str(plan.began[2]) == "2026-03-01"


def test_models_of_which_the_schedule_says_nothing_are_left_out() -> None:
    inputs = ProgressInputs(tiny_frame(), (building("A", "B"), building("X", "Y")), (table(),))
    result = construction_progress.run(inputs, ProgressParams(day=date(2026, 3, 10)), Feedback())
    assert [len(layer.table) for layer in result.layers] == [2]
    assert result.summary["unplanned"].value == 0
    assert "construction.other_models" in {issue.code for issue in result.issues}


def test_a_plan_alone_says_nothing_about_what_stands() -> None:
    result = run(table(tuple(row[:3] for row in ROWS), NAMES[:3]))
    assert states(result)[:5] == ["planned_done"] * 2 + ["planned_under_way"] * 2 + ["not_due"]
    assert "done" not in result.summary
    assert "construction.only_planned" in {issue.code for issue in result.issues}
    assert [series.name for series in result.charts[0].series] == ["planned"]


@pytest.mark.parametrize(
    "text", ["2026-03-09", "2026.3.9", "20260309", "2026/03/09", "2026-03-09T08:00:00", "2026. 3. 9."]
)
def test_days_are_read_in_the_ways_they_are_written(text: str) -> None:
    issues: list[Issue] = []
    (days,) = read_days([np.array([text.replace(". ", ".")], dtype=object)], "s", issues)
    assert str(days[0]) == "2026-03-09"
    assert not issues


def test_the_order_of_day_and_month_is_told_by_the_table_or_doubted() -> None:
    def read(*texts: str) -> tuple[list[str], set[str]]:
        issues: list[Issue] = []
        (days,) = read_days([np.array(texts, dtype=object)], "s", issues)
        return days.astype(str).tolist(), {issue.code for issue in issues}

    assert read("26-2-2015", "2-3-2015") == (["2015-02-26", "2015-03-02"], set())
    assert read("2-26-2015", "3-2-2015") == (["2015-02-26", "2015-03-02"], set())
    assert read("2-3-2015") == (["2015-03-02"], {"construction.day_order"})
    assert read("soon", "2015-02-30", "") == (["NaT"] * 3, {"construction.no_day"})


def test_a_table_that_is_none_and_ids_of_another_model_are_refused() -> None:
    weather = Layer("w", "W", "other", None, ElementTable(["0"], {"time": Column(np.array(["x"], dtype=object))}))
    assert not is_schedule(weather)
    with pytest.raises(UserError) as told:
        run(weather)
    assert told.value.code == "construction.no_schedule"
    with pytest.raises(UserError) as told:
        run(table(), ids=("X", "Y"))
    assert told.value.code == "construction.no_match"


@pytest.mark.data
def test_a_real_schedule_of_a_housing_block(shared_data: Path) -> None:
    """7166 rows for 3505 elements, days before months; the days as another reader has them."""
    from app.importer import import_files

    path = shared_data / "schedule" / "schependomlaan_eventlog_as_planned.csv"
    with path.open(encoding="utf-8-sig", newline="") as source:
        rows = list(csv.DictReader(source))
    (layer,) = import_files([path], frame=tiny_frame()).layers
    issues: list[Issue] = []
    schedule = read_schedule([layer], issues)
    assert not issues
    assert len(schedule.element) == len(rows) == 7166
    assert len(set(schedule.element)) == 3505
    for days, name in ((schedule.start, "TaskStart"), (schedule.finish, "TaskFinish")):
        assert days.tolist() == [datetime.strptime(row[name], "%d-%m-%Y").date() for row in rows]
    assert not schedule.says_actual
