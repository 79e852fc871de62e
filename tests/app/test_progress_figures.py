"""The card of a run of progress says the same day as its map: figures follow the date of the timeline."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

pytest.importorskip("PySide6")

from PySide6.QtWidgets import QLabel

from analysis.run import execute
from analysis.studies.construction_progress import construction_progress
from app.commands import AddLayers, SetStyle
from app.language import tr
from app.main_window import MainWindow
from app.progress_days import at_day
from app.progress_figures import days_on_show, run_on_day
from app.shown_runs import Run, runs_of
from geo.model import Feedback, Layer
from tests.analysis.test_construction_progress import NAMES, ROWS, building, table
from tests.app.view_scene import need_graphics
from tests.app.window_hands import settle
from tests.tiny import tiny_frame

RUN_DAY, OTHER = "2026-03-10", "2026-03-05"


def made(day: str = RUN_DAY, *schedules: Layer) -> Run:
    layers = (building("A", "B", "C"), building("D", "E", "F").with_(id="other"), *(schedules or (table(),)))
    result = execute(construction_progress, layers=layers, frame=tiny_frame(), params={"day": day}, feedback=Feedback())
    return runs_of(result.layers)[0]


@pytest.mark.parametrize("day", ["2026-03-01", OTHER, "2026-03-20", "2026-05-01"])
def test_on_another_day_the_figures_are_those_of_a_run_of_that_day(day: str) -> None:
    moved, expected = run_on_day(made(), date.fromisoformat(day)), made(day)
    assert moved.record["summary"] == expected.record["summary"]
    assert list(moved.record["summary"]) == list(expected.record["summary"])
    assert moved.record["provenance"]["params"]["day"] == day


def test_a_plan_alone_has_no_actual_figures_on_another_day_either() -> None:
    planned = table(tuple(row[:3] for row in ROWS), NAMES[:3])
    moved = run_on_day(made(RUN_DAY, planned), date.fromisoformat(OTHER))
    assert moved.record["summary"] == made(OTHER, planned).record["summary"]
    assert "done" not in moved.record["summary"]


def test_only_what_is_drawn_for_another_day_is_told() -> None:
    layers = made().layers
    assert days_on_show(layers, layers) == {}
    drawn = tuple(at_day(layer, date.fromisoformat(OTHER)) or layer for layer in layers)
    assert days_on_show(layers, drawn) == {made_id(layers): date.fromisoformat(OTHER)}
    same = tuple(at_day(layer, date.fromisoformat(RUN_DAY)) or layer for layer in layers)
    assert days_on_show(layers, same) == {}


def made_id(layers: tuple[Layer, ...]) -> str:
    return runs_of(layers)[0].id


def test_the_card_says_the_day_of_the_map(city: MainWindow, qtbot: Any) -> None:
    need_graphics()
    run = made()
    city.timeline.set_day(date(2026, 2, 1))
    city.bench.do(AddLayers(run.layers))
    settle(city, qtbot)
    city.show_panel("results")
    assert texts(city)[tr("construction.progress.summary.day")] == RUN_DAY
    city.timeline.set_day(date.fromisoformat(OTHER))
    settle(city, qtbot)
    expected = made(OTHER).record["summary"]
    told = texts(city)
    assert told[tr("construction.progress.summary.day")] == OTHER
    assert told[tr("construction.progress.summary.done")] == str(expected["done"]["value"])
    assert any(tr("results.of_day", run="").strip() in text and RUN_DAY in text for text in words(city))
    assert any(OTHER in text and RUN_DAY not in text for text in words(city))
    assert city.results.cards[0].run.record["summary"] == run.record["summary"]  # reports are of the run
    for layer in run.layers:  # nobody sees the map: the card is of the run again
        city.bench.do(SetStyle(layer.id, replace(layer.style, visible=False)))
    settle(city, qtbot)
    assert texts(city)[tr("construction.progress.summary.day")] == RUN_DAY


def words(window: MainWindow) -> list[str]:
    return [label.text() for label in window.results.cards[0].findChildren(QLabel)]


def texts(window: MainWindow) -> dict[str, str]:
    """Each tile of the first card: its title and its figure."""
    shown = words(window)
    return dict(zip(shown, shown[1:], strict=False))
