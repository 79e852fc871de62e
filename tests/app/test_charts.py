"""Charts of results: kept in the run's record, drawn in the window, in the report and as files."""

from __future__ import annotations

import json
import math
from xml.etree import ElementTree

import numpy as np
import pytest
from PySide6.QtCore import Qt

from analysis.charts import chart_from_dict, chart_to_dict
from analysis.contract import Chart, Series, describe_params
from analysis.params import Params, place
from analysis.places import read_places
from app.chart_svg import chart_svg, round_steps
from app.place_texts import places_text, point_text
from app.theme import theme_named
from app.widgets.chart_view import ChartView
from app.widgets.param_form import ParamForm
from geo.model import ElementRef, UserError
from tests.tiny import tiny_frame, tiny_layers

SVG = "{http://www.w3.org/2000/svg}"


def profile() -> Chart:
    x = np.array([0.0, 10.0, 20.0, 30.0])
    ground = Series("ground", x, np.array([50.0, 51.0, math.nan, 52.0]))
    cover = Series("cover", x, np.array([50.0, 51.0, 51.5, 52.0]), "area", "#336699", base=np.full(4, 48.0))
    crossing = Series("crossing", np.array([12.0]), np.array([49.0]), "marks", labels=("gas <200>",))
    return Chart("profile", "Profile", "Distance", "m", "Height", "m", (ground, cover, crossing))


def test_a_chart_survives_the_record() -> None:
    again = chart_from_dict(json.loads(json.dumps(chart_to_dict(profile()), allow_nan=False)))
    assert again.series[0].name == "ground"
    assert again.x_unit == "m"
    np.testing.assert_array_equal(again.series[0].y, profile().series[0].y)
    assert again.series[1].base is not None
    assert again.series[2].labels == ("gas <200>",)


def test_the_drawing_is_sound_xml_with_its_labels_and_a_gap() -> None:
    drawing = ElementTree.fromstring(chart_svg(profile(), analysis_id="x.y", theme=theme_named("light")))
    texts = [text.text for text in drawing.iter(f"{SVG}text")]
    assert "gas <200>" in texts
    assert "Height [m]" in texts
    stretches = [line.get("points", "").split() for line in drawing.iter(f"{SVG}polyline")]
    assert [len(points) for points in stretches] == [2, 1]  # not-a-number interrupts the line


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.2, 412.0), (1e-4, 3e-4), (0.0, 1e6)])
def test_steps_are_round_and_inside(low: float, high: float) -> None:
    steps = round_steps(low, high, 6)
    assert 3 <= len(steps) <= 13
    assert steps[0] >= low - 1e-9 * abs(high)
    assert steps[-1] <= high * (1 + 1e-9)
    assert np.allclose(np.diff(steps), steps[1] - steps[0])


@pytest.mark.gl
def test_the_window_shows_every_series(qtbot: object) -> None:
    view = ChartView(profile(), analysis_id="x.y", theme=theme_named("dark"))
    qtbot.addWidget(view)  # type: ignore[attr-defined]
    names = [label.text for _, label in view.plot.getPlotItem().legend.items]
    assert names == ["ground", "cover", "crossing"]


class _Route(Params):
    start: str = place("Start")


@pytest.mark.gl
def test_a_place_is_typed_or_asked_for(qtbot: object) -> None:
    form = ParamForm("x.y", describe_params(_Route))
    qtbot.addWidget(form)  # type: ignore[attr-defined]
    asked: list[str] = []
    form.pick_asked.connect(asked.append)
    form.selection_asked.connect(asked.append)
    editor = form.editors["start"]
    qtbot.mouseClick(editor.pick_button, Qt.MouseButton.LeftButton)  # type: ignore[attr-defined]
    qtbot.mouseClick(editor.selection_button, Qt.MouseButton.LeftButton)  # type: ignore[attr-defined]
    assert asked == ["start", "start"]
    form.set_values({"start": "229110, 435795"})
    assert form.values() == {"start": "229110, 435795"}


def test_places_are_elements_or_coordinates() -> None:
    layers, frame = tiny_layers(), tiny_frame()
    building = next(layer for layer in layers if layer.theme == "building")
    first = str(building.table.ids[0])
    text = places_text([ElementRef(building.id, first)], layers)
    element, point = read_places(f"{text}; {point_text((1.0, 2.0, 3.0), frame)}", layers, frame)
    assert element.element_id == first
    np.testing.assert_allclose(point.point, [1.0, 2.0, 3.0], atol=0.01)
    with pytest.raises(UserError) as told:
        read_places("no such thing", layers, frame)
    assert told.value.code == "run.no_place"


def test_a_shared_id_is_told_apart_by_its_layer() -> None:
    layers, frame = tiny_layers(), tiny_frame()
    building = next(layer for layer in layers if layer.theme == "building")
    twin = building.with_(id="twin")
    text = places_text([ElementRef("twin", str(building.table.ids[0]))], [*layers, twin])
    assert read_places(text, [*layers, twin], frame)[0].layer is twin
