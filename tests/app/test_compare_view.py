"""Two pictures at once: one scale for both, linked cameras, the divider, and that nothing is drawn needlessly."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QSize, Qt

from app.alternatives import change_elements, new_alternative, switch_alternative
from app.commands import AddLayers, RemoveLayers, SetStyle
from app.compare_view import Side, figures_of, first_sides, layers_of_sides, side_title, sides_of
from app.compare_view_scale import same_scale, with_common_scale
from app.language import language, tr
from app.main_window import MainWindow
from app.view import camera as cameras
from app.view.legend import legend_for, shown_field
from geo.alternatives import Change
from geo.model import Column, ElementRef, ElementTable, Field, Grid, Layer, Source, Style
from tests.app.view_scene import need_graphics
from tests.app.window_hands import WAIT_MS, settle

TALL = ElementRef("houses", "B1")


def record(run: str, alternative: str, name: str, mean: float) -> dict[str, Any]:
    """What the runner leaves on a result of the hours of sun."""
    return {
        "run": run,
        "provenance": {
            "analysis": "sunlight.hours",
            "version": 1,
            "params": {},
            "inputs": [],
            "started": f"2026-11-21T06:36:{len(run):02d}+00:00",
            "duration_s": 1.0,
            "alternative": alternative,
            "alternative_name": name,
        },
        "summary": {"ground_mean": {"value": mean, "unit": "h"}, "daylight": {"value": 9.6, "unit": "h"}},
    }


def result(layer_id: str, top: float, *, run: str, alternative: str = "", name: str = "") -> Layer:
    """Hours of sun on the ground, from nothing up to `top`."""
    values = np.linspace(0.0, top, 400).reshape(20, 20)
    field = Field("sun_hours", "h", "cell", values, ramp="sun_hours")
    source = Source(reader="result", provenance=record(run, alternative, name, top / 2))
    return Layer(layer_id, layer_id, "result", Grid(values, -60.0, -60.0, 6.0), fields=(field,), source=source)


@pytest.fixture
def planned(city: MainWindow, qtbot: Any) -> MainWindow:
    """The tiny city, an alternative with a taller house, and a result on each."""
    city.bench.do(change_elements(city.document, {TALL: Change(height_factor=5.0)}, name="Tall"))
    made = city.document.alternatives.items[0]
    city.bench.do(switch_alternative(city.document, ""))
    hidden = result("sun-tall", 6.0, run="tall", alternative=made.id, name="Tall")
    hidden = hidden.with_(style=dataclasses.replace(hidden.style, visible=False))
    city.bench.do(AddLayers((result("sun-base", 9.0, run="b"), hidden)))
    settle(city, qtbot)
    return city


# ---- one scale


def test_both_sides_have_the_ends_of_both() -> None:
    left, right = with_common_scale([result("a", 9.0, run="a")], [result("b", 4.0, run="b")])
    assert [legend_for(layers).high for layers in (left, right)] == [9.0, 9.0]  # type: ignore[union-attr]
    assert same_scale(legend_for(left), legend_for(right))
    first, second = shown_field(left[0]), shown_field(right[0])
    assert first is not None
    assert second is not None
    assert first.range == second.range == (0.0, 9.0)
    assert np.nanmax(second.values) == 4.0  # the values stay


def test_quantities_of_another_unit_keep_their_own_scale() -> None:
    other = result("b", 4.0, run="b")
    other = other.with_(fields=(dataclasses.replace(other.fields[0], unit="m/s"),))
    left, right = with_common_scale([result("a", 9.0, run="a")], [other])
    assert not same_scale(legend_for(left), legend_for(right))
    assert right[0] is other


@pytest.mark.parametrize("method", ["quantiles", "equal"])
def test_classes_have_the_same_limits(method: str) -> None:
    style = Style(method=method, classes=4)
    layers = [result("a", 9.0, run="a").with_(style=style), result("b", 4.0, run="b").with_(style=style)]
    left, right = with_common_scale(layers[:1], layers[1:])
    first, second = shown_field(left[0]), shown_field(right[0])
    assert first is not None
    assert second is not None
    assert first.categories == second.categories
    assert len(first.categories) == 4
    assert int(second.values.max()) < int(first.values.max()) == 3


def test_a_use_has_one_colour_whatever_else_a_side_has() -> None:
    """Classes of texts are numbered by what is there: with another use among them every colour would shift."""

    def uses(names: list[str]) -> Layer:
        table = ElementTable([f"e{n}" for n in range(len(names))], {"use": Column(np.array(names, dtype=object))})
        grid = Grid(np.zeros((2, 2)), 0.0, 0.0, 1.0)
        return Layer("plots", "Plots", "parcel", grid, table, style=Style(colour_by="use"))

    left, right = with_common_scale([uses(["home", "shop"])], [uses(["bank", "home", "shop"])])
    first, second = shown_field(left[0]), shown_field(right[0])
    assert first is not None
    assert second is not None
    assert [first.categories[code] for code in first.values] == ["home", "shop"]
    assert [second.categories[code] for code in second.values] == ["bank", "home", "shop"]
    assert first.values[0] == second.values[1]


# ---- what the sides show


def test_each_side_shows_its_own_run_and_buildings(planned: MainWindow) -> None:
    document = planned.document
    left, right = first_sides(document)
    assert (left.run, right.run) == ("b", "tall")
    assert side_title(document, right) == "Hours of direct sun · Tall"
    found = layers_of_sides(document, left, right)
    shown = [{layer.id for layer in layers if layer.theme == "result" and layer.style.visible} for layers in found]
    assert shown == [{"sun-base"}, {"sun-tall"}]
    tops = [next(layer for layer in layers if layer.id == "houses").geometry.bounds.high[2] for layers in found]  # type: ignore[union-attr]
    assert tops == [68.0, 80.0]
    heads, rows = figures_of(document, left, right, {})
    assert rows[0][1:] == ["4.50 h", "3 h (−1.50 h)"]
    assert len(rows) == 2
    assert len(heads) == 3
    assert Side() in sides_of(document)


def test_the_run_in_the_picture_is_compared_before_newer_ones(planned: MainWindow) -> None:
    """A newer run of another study is on the base alone: there is nothing to compare it with."""
    document = planned.document
    newer = result("progress", 3.0, run="a newer one of another study")
    newer.source.provenance["provenance"]["analysis"] = "construction.progress"
    planned.bench.do(AddLayers((newer,)))
    assert [side.run for side in first_sides(document)] == ["b", "tall"]
    planned.bench.do(RemoveLayers(("sun-tall",)))
    assert [side.run for side in first_sides(document)] == ["", ""]  # base and alternative
    document.alternatives.set(())
    assert [side.run for side in first_sides(document)] == ["", "a newer one of another study"]
    style = dataclasses.replace(newer.style, visible=False)
    planned.bench.do(SetStyle("progress", style))
    assert [side.run for side in first_sides(document)] == ["", "b"]  # the one in the picture


def test_the_visible_of_two_runs_on_one_alternative_is_taken(planned: MainWindow) -> None:
    hidden = Style(visible=False)
    again = result("sun-newer", 8.0, run="newer on the base").with_(style=hidden)
    planned.bench.do(AddLayers((again,)))
    assert [side.run for side in first_sides(planned.document)] == ["b", "tall"]


def test_heads_name_the_runs_where_both_sides_are_of_one_city(planned: MainWindow) -> None:
    other = result("progress", 3.0, run="other")
    other.source.provenance["provenance"]["analysis"] = "construction.progress"
    planned.bench.do(AddLayers((other,)))
    document = planned.document
    heads, rows = figures_of(document, Side("", "b"), Side("", "other"), {})
    assert heads[1:] == [side_title(document, Side("", "b")), side_title(document, Side("", "other"))]
    assert [row[1:] for row in rows] == [["4.50 h", "–"], ["9.60 h", "–"], ["–", "1.50 h"], ["–", "9.60 h"]]
    heads, rows = figures_of(document, Side(), Side("", "b"), {})
    assert heads[1] != heads[2]
    assert [row[1] for row in rows] == ["–", "–"]


def test_an_alternative_without_changes_is_not_shown_against_the_base(planned: MainWindow) -> None:
    document = planned.document
    planned.bench.do(RemoveLayers(("sun-tall",)))
    changed = document.alternatives.items[0]
    empty = new_alternative("Empty")
    document.alternatives.set((empty, changed))
    document.alternatives.active = empty.id
    assert [side.alternative for side in first_sides(document)] == ["", changed.id]
    document.alternatives.active = ""


def test_a_removed_run_leaves_its_alternative(planned: MainWindow, qtbot: Any) -> None:
    need_graphics()
    planned.actions_["compare_views"].trigger()
    shown = planned.comparing.shown
    planned.document.scene.remove("sun-tall")
    qtbot.waitUntil(lambda: shown.sides[1].run == "", timeout=5000)
    assert shown.sides[1].alternative == planned.document.alternatives.items[0].id
    planned.document.alternatives.set(())
    planned.document.alternatives.changed.emit()
    qtbot.waitUntil(lambda: shown.sides[1] == Side(), timeout=5000)


# ---- the window


def counted(shown: Any) -> Callable[[], list[int]]:
    """How often each picture has been drawn since."""

    def drawn() -> list[int]:
        frames = [picture.viewport.frames for picture in shown.pictures]
        return [each.whole + each.quick for each in frames]

    before = drawn()
    return lambda: [now - then for now, then in zip(drawn(), before, strict=True)]


def test_turning_one_turns_the_other_and_each_is_drawn_once(planned: MainWindow, qtbot: Any) -> None:
    need_graphics()
    planned.compare.study.setCurrentIndex(planned.compare.study.findData("sunlight.hours"))
    planned.compare.beside.click()
    shown = planned.comparing.shown
    qtbot.waitExposed(shown)
    settle(planned, qtbot)
    qtbot.wait(300)
    left, right = (picture.viewport for picture in shown.pictures)
    assert left.cards.legend.legend is not None
    assert right.cards.legend.legend is None
    assert shown.table.item(0, 2).text() == "3 h (−1.50 h)"
    count = counted(shown)
    told: list[int] = []
    left.camera_changed.connect(lambda: told.append(0))
    right.camera_changed.connect(lambda: told.append(1))
    right.set_camera(cameras.orbit(right.camera, np.array(right.camera.focus), turn=20.0, tilt=0.0))
    assert left.camera == right.camera
    assert sorted(told) == [0, 1]
    qtbot.wait(200)
    assert count() == [1, 1]
    shown.swipe.click()
    qtbot.wait(200)
    assert count() == [2, 2]  # another size
    middle = shown.places.divider.rect().center()
    qtbot.mousePress(shown.places.divider, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(shown.places.divider, middle - QPoint(120, 0))
    qtbot.mouseRelease(shown.places.divider, Qt.MouseButton.LeftButton)
    qtbot.wait(100)
    assert shown.places.share < 0.45
    before = shown.places.share
    qtbot.keyClick(shown.places.divider, Qt.Key.Key_Right)
    assert shown.places.share == pytest.approx(before + 0.02, abs=0.005)
    assert count() == [2, 2]  # the divider only uncovers


def test_swiping_puts_the_halves_of_both_pictures_together(planned: MainWindow, qtbot: Any) -> None:
    need_graphics()
    planned.actions_["swipe_views"].trigger()
    shown = planned.comparing.shown
    assert shown.swipe.isChecked()
    qtbot.waitExposed(shown)
    settle(planned, qtbot)
    shown.linked.look_from(cameras.looking(np.array([0.0, 0.0, 25.0]), azimuth=0.0, pitch=-80.0, distance=300.0))
    shown.places.set_share(0.5)
    size = QSize(600, 400)
    both = shown.places.grab_picture(size)
    alone = [picture.viewport.grab_picture(600, 400) for picture in shown.pictures]
    assert both.pixel(200, 300) == alone[0].pixel(200, 300)
    assert both.pixel(400, 300) == alone[1].pixel(400, 300)
    assert alone[0].pixel(400, 170) != alone[1].pixel(400, 170)  # six hours are not nine on one scale


def test_labels_stand_in_both_pictures(planned: MainWindow, qtbot: Any) -> None:
    need_graphics()
    houses = planned.document.scene["houses"]
    planned.document.scene.replace(
        houses.with_(style=dataclasses.replace(houses.style, labelled=True, label_by="name")), "style"
    )
    planned.actions_["compare_views"].trigger()
    shown = planned.comparing.shown
    qtbot.waitExposed(shown)
    settle(planned, qtbot)
    labels = [picture.labelling.labels for picture in shown.pictures]
    qtbot.waitUntil(lambda: all(one.labels and one.isVisible() for one in labels), timeout=WAIT_MS)
    written = [{label.text for label in one.labels} for one in labels]
    assert written[0] & written[1]
    planned.bench.set_theme("dark")
    assert all(one.theme.is_dark for one in labels)


def test_selection_language_theme_and_closing(planned: MainWindow, qtbot: Any) -> None:
    need_graphics()
    planned.actions_["compare_views"].trigger()
    shown = planned.comparing.shown
    planned.document.selection.set([TALL])
    assert all(picture.viewport.document.selection.items == (TALL,) for picture in shown.pictures)
    shown.pictures[1].viewport.document.selection.set([ElementRef("houses", "B2")])
    assert planned.document.selection.items == (ElementRef("houses", "B2"),)
    assert shown.pictures[0].viewport.document.selection.items == (ElementRef("houses", "B2"),)
    language.set("ko")
    assert shown.swipe.text() == tr("compare_view.swipe") == "밀어 보기"
    planned.bench.set_theme("dark")
    assert shown.pictures[0].viewport.theme.is_dark
    sides = list(shown.sides)
    shown.change_sides()
    assert shown.sides == sides[::-1]
    qtbot.keyClick(shown, Qt.Key.Key_Escape)
    assert planned.comparing.shown is None
    planned.bench.set_theme("light")  # nobody listens any more
    planned.document.scene.remove("sun-base")
