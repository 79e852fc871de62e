"""Results of progress follow the date of the timeline: the same states as a run of that day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from analysis.studies.construction_progress import STATES
from app.progress_days import at_day
from app.view.timed_maps import TimedMaps
from geo.model import Layer
from tests.analysis.test_construction_progress import NAMES, ROWS, building, run, states, table
from tests.tiny import tiny_layers


def result(day: str = "2026-03-10", **schedule: object) -> Layer:
    """A result as the workbench keeps it: with the record of its run."""
    made = run(table(**schedule), day=day)  # type: ignore[arg-type]
    record = {"analysis": "construction.progress", "params": {"day": day}, "started": "2026-11-21T09:00:00+00:00"}
    layer = made.layers[0]
    return layer.with_(source=replace(layer.source, provenance={"provenance": record}))


@pytest.mark.parametrize("day", ["2026-03-01", "2026-03-05", "2026-03-06", "2026-03-20", "2026-05-01"])
def test_on_another_day_it_is_what_a_run_of_that_day_says(day: str) -> None:
    moved = at_day(result(), date.fromisoformat(day))
    assert moved is not None
    (field,) = (one for one in moved.fields if one.name == "progress")
    assert [STATES[code] for code in field.values] == states(run(table(), day=day))
    (late,) = (one for one in moved.fields if one.name == "days_late")
    (expected,) = (one for one in run(table(), day=day).layers[0].fields if one.name == "days_late")
    np.testing.assert_array_equal(late.values, expected.values)
    not_there = {key for key, code in zip(moved.table.ids, field.values, strict=True) if STATES[code] == "not_due"}
    assert moved.style.faded == not_there


def test_a_plan_without_reports_stays_a_plan() -> None:
    moved = at_day(result(rows=tuple(row[:3] for row in ROWS), names=NAMES[:3]), date(2026, 3, 10))
    assert moved is not None
    (field,) = (one for one in moved.fields if one.name == "progress")
    assert {STATES[code] for code in field.values} == {"planned_done", "planned_under_way", "not_due", "unplanned"}


def test_other_layers_do_not_follow() -> None:
    assert all(at_day(layer, date(2026, 3, 10)) is None for layer in tiny_layers())


def test_only_a_change_of_the_date_moves_it() -> None:
    maps, layer = TimedMaps(), result()
    assert maps.show([layer], date(2026, 5, 1), 600) == []  # the day of the run is shown until somebody asks
    assert maps.show([layer], date(2026, 5, 1), 700) == []
    (moved,) = maps.show([layer], date(2026, 3, 1), 700)
    assert maps.over([layer]) == (moved,)
    assert moved.source.provenance["provenance"]["params"] == {"day": "2026-03-01"}


def test_what_is_not_there_yet_makes_way_in_the_model_until_the_result_goes() -> None:
    maps, shown = TimedMaps(), result()
    model = building(*"ABCDEF")
    maps.show([model, shown], date(2026, 5, 1), 600)
    maps.show([model, shown], date(2026, 3, 1), 600)
    by_id = {layer.id: layer for layer in maps.over([model, shown])}
    assert by_id[model.id].style.hidden == by_id[shown.id].style.faded == frozenset("ABCDE")
    assert maps.forget(shown.id) == [model.id]
    assert maps.over([model, shown]) == (model, shown)


def test_another_look_of_a_result_or_its_model_keeps_the_day_on_show() -> None:
    maps, shown, model = TimedMaps(), result(), building(*"ABCDEF")
    assert not maps.has_progress(shown)  # nobody has asked for a day yet
    maps.show([model, shown], date(2026, 5, 1), 600)
    maps.show([model, shown], date(2026, 3, 1), 600)
    assert maps.has_progress(shown)
    assert maps.has_progress(model)
    pale = shown.with_(style=replace(shown.style, opacity=0.4))
    by_id = {layer.id: layer for layer in maps.progress_again([model, pale])}
    assert by_id[shown.id].style.opacity == 0.4
    assert by_id[shown.id].style.faded == by_id[model.id].style.hidden == frozenset("ABCDE")
    unseen = pale.with_(style=replace(pale.style, visible=False))
    assert not maps.has_progress(unseen)  # a hidden result gives its model back
    assert maps.forget(unseen.id) == [model.id]
    assert maps.over([model, unseen]) == (model, unseen)
    assert maps.has_progress(pale)  # shown again it follows the date as before
    assert {layer.id for layer in maps.progress_again([model, pale])} == {model.id, pale.id}
    maps.start_again()  # another project
    assert not maps.has_progress(pale)
    assert maps.over([model, pale]) == (model, pale)
