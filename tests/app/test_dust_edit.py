"""Purifiers and sources of dust set by hand: rows, steps that can be undone, signs, and what they say."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from analysis.dust.city import sources_of
from app.document import Document
from app.dust.edit import (
    PurifierRow,
    change_purifier,
    is_proposal,
    layer_of,
    place_purifier,
    purifier_rows,
    remove_purifiers,
    row_of,
    taken_over,
)
from app.dust.live import Answer, Solved, WindAnswer
from app.dust.source_edit import SourceValues, site_layer, stack_layer, traffic_of, values_of, with_traffic, with_values
from app.dust.words import reduction_text, small_text
from app.honesty import lead_of
from app.language import language
from app.theme import theme_named
from app.view.camera import looking
from app.view.particle_paint import ParticlePaint, dust_volume, wind_volume
from app.view.station_bars import StationBars, is_stations, station_text
from geo.model import (
    Column,
    ElementRef,
    ElementTable,
    Field,
    Issue,
    Layer,
    Lines,
    Points,
    Source,
    Style,
    UserError,
    Volume,
)
from tests.app import tiny_city
from tests.app.view_scene import need_graphics

TOWER = PurifierRow("", "Square", "tower-30000", (1.0, 2.0, 20.0), towards=90.0)


def document() -> Document:
    return Document(tiny_city.frame())


def placed(made: Document, row: PurifierRow = TOWER) -> ElementRef:
    command, ref = place_purifier(made, row, layer_name="Purifiers")
    made.do(command)
    return ref


# -- purifiers


def test_a_purifier_is_set_changed_removed_and_all_of_it_is_undone() -> None:
    made = document()
    first, second = placed(made), placed(made, dataclasses.replace(TOWER, place=(5.0, 5.0, 20.0)))
    assert (first.layer_id, first.element_id, second.element_id) == ("purifiers", "purifier-1", "purifier-2")
    turned = dataclasses.replace(row_of(made.scene, first), towards=45.0, state="off", since="2026-03-01")
    made.do(change_purifier(made, first, turned))
    assert row_of(made.scene, first) == turned
    assert row_of(made.scene, second).towards == 90.0
    made.do(remove_purifiers(made, [first]))
    assert [row.id for row in purifier_rows(made.scene["purifiers"])] == ["purifier-2"]
    for _ in range(4):
        made.history.undo()
    assert len(made.scene) == 0
    made.history.redo()
    assert row_of(made.scene, first).model == "tower-30000"


def test_steps_of_one_drag_are_one_step_to_undo() -> None:
    made = document()
    ref = placed(made)
    for towards in (100.0, 110.0, 120.0):
        row = dataclasses.replace(row_of(made.scene, ref), towards=towards)
        made.do(change_purifier(made, ref, row, drag="turn 1", title="turn_purifier"))
    assert made.history.undo_title == "turn_purifier"
    made.history.undo()
    assert row_of(made.scene, ref).towards == 90.0


def test_columns_of_a_file_stay_and_what_came_from_it_is_told() -> None:
    made = document()
    layer = layer_of([dataclasses.replace(TOWER, id="p")], layer_id="file", name="File")
    more = layer.table.with_columns({"owner": Column(np.array(["city"], dtype=object))})
    made.scene.add(layer.with_(table=more, source=Source(path="purifiers.gpkg")))
    ref = ElementRef("file", "p")
    made.do(change_purifier(made, ref, dataclasses.replace(row_of(made.scene, ref), towards=10.0)))
    after = made.scene["file"]
    assert after.table.columns["owner"].values[0] == "city"
    assert [issue.code for issue in after.issues] == ["purifier.edited_here"]
    assert not after.source.path


def test_a_proposal_is_looked_at_and_taken_over_as_planned() -> None:
    layer = layer_of([dataclasses.replace(TOWER, id="u1", state="existing")], layer_id="units", name="Units")
    proposal = layer.with_(source=Source(provenance={"run": "r"}))
    assert is_proposal(proposal)
    assert not is_proposal(layer)
    own = taken_over(proposal, "mine", "Mine")
    (row,) = purifier_rows(own)
    assert (row.state, row.model, row.towards, row.place) == ("planned", "tower-30000", 90.0, (1.0, 2.0, 20.0))
    assert not own.source.provenance


def test_the_arrow_of_a_sign_points_where_the_air_leaves() -> None:
    from app.view.layer_actors import Look
    from app.view.purifier_symbols import PurifierSymbols
    from app.view.sky import SkyTexture

    need_graphics()
    layer = layer_of([dataclasses.replace(TOWER, id="p", place=(0.0, 0.0, 0.0))], layer_id="p", name="P")
    actors = PurifierSymbols(layer, Look(theme_named("light"), SkyTexture()))
    _numbers, _places, axes = actors.signs()
    tip = PurifierSymbols.shape[np.argmax(PurifierSymbols.shape[:, 0])]
    assert tip @ axes[0] == pytest.approx([tip[0], 0.0, tip[2]], abs=1e-9)  # 90 degrees is east
    actors.look_from(looking(np.zeros(3), azimuth=0.0, pitch=-30.0, distance=4.0), (400, 300))
    west, east, _, _, _, top = actors.actors[0].GetBounds()
    assert east > -west  # the arrow is on the east side alone
    assert top >= 6.5  # as tall as the tower's intake is high, from near


# -- sources


def test_a_site_lies_on_the_ground_and_emits_by_its_area() -> None:
    ring = np.array([(-40.0, -20.0, 0.0), (0.0, -20.0, 0.0), (0.0, 20.0, 0.0), (-40.0, 20.0, 0.0)])
    values = SourceValues("Block 4", "works", "construction", active_share=0.5)
    layer = site_layer(ring, values, layer_id="site", ground=tiny_city.terrain().geometry)
    assert layer.theme == "emission"
    vertices = layer.geometry.vertices
    ground = tiny_city.terrain().geometry.sample(vertices[:, 0], vertices[:, 1])
    assert vertices[:, 2] == pytest.approx(ground + 0.25, abs=0.02)
    assert values_of(layer).active_share == 0.5
    issues: list[Issue] = []
    (source,) = sources_of((), (layer,), "pm10", 4.0, issues)
    assert (source.group, source.name) == ("works", "Block 4")
    (half,) = sources_of((), (with_values(layer, dataclasses.replace(values, active_share=0.25)),), "pm10", 4.0, issues)
    assert source.strength == pytest.approx(2.0 * half.strength)
    assert source.strength > 0.0


def test_a_stated_strength_counts_before_the_area() -> None:
    values = SourceValues("Chimney", "", "stack", pm10=0.2, pm25=0.1, height=30.0)
    layer = stack_layer(np.array([1.0, 2.0, 20.0]), values, layer_id="stack")
    (source,) = sources_of((), (layer,), "pm25", 4.0, [])
    assert source.strength == pytest.approx(0.1e6)
    assert (source.low, source.high) == (30.0, 30.0)
    assert math.isnan(values_of(layer).active_share)


def test_a_site_without_area_is_refused() -> None:
    line = np.array([(0.0, 0.0, 0.0), (10.0, 0.0, 0.0), (20.0, 0.0, 0.0)])
    with pytest.raises(UserError) as caught:
        site_layer(line, SourceValues("x", "", "construction"), layer_id="s", ground=None)
    assert caught.value.code == "dust_source.no_area"


def roads() -> Layer:
    vertices = np.array([(0.0, 0.0, 0.0), (50.0, 0.0, 0.0), (0.0, 10.0, 0.0), (50.0, 10.0, 0.0)])
    shape = Lines(vertices, np.array([0, 2, 4]), np.array([0, 1], np.int32))
    table = ElementTable(["a", "b"], {"name": Column(np.array(["A", "B"], dtype=object))})
    return Layer("roads", "Roads", "road", shape, table, source=Source(path="roads.gpkg"))


def test_traffic_is_set_on_the_chosen_roads_alone() -> None:
    changed = with_traffic(roads(), ["b"], traffic=12_000.0, weight=math.nan)
    assert np.isnan(changed.table.columns["traffic"].values[0])
    assert changed.table.columns["traffic"].values[1] == 12_000.0
    assert "vehicle_weight" not in changed.table.columns
    assert [issue.code for issue in changed.issues] == ["dust_source.edited_here"]
    both = with_traffic(changed, ["a", "b"], traffic=5_000.0, weight=3.0)
    assert traffic_of(both, ["a", "b"]) == {"traffic": 5_000.0, "vehicle_weight": 3.0}
    assert math.isnan(traffic_of(changed, ["a", "b"])["traffic"])
    (source,) = sources_of((changed,), (), "pm10", 4.0, [])
    assert source.name == "B"


# -- words and figures


def wind(share: float, benefit: float, own_air: float = math.nan) -> WindAnswer:
    return WindAnswer(4, 2.0, share, 40.0, benefit, own_air)


def test_figures_are_a_bound_until_every_wind_is_exact() -> None:
    language.set("en")
    answer = Answer(ElementRef("p", "1"), (wind(0.75, 0.004), wind(0.25, 0.008)))
    assert answer.benefit == pytest.approx(0.005)
    assert answer.percent == pytest.approx(100 * 0.005 / 40.0)
    assert "≈" in reduction_text(answer)
    answer = answer.with_wind(0, wind(0.75, 0.003, 0.9)).with_wind(1, wind(0.25, 0.007, 0.5))
    assert answer.exact == 2
    assert answer.own_air == pytest.approx(0.8)
    assert "≈" not in reduction_text(answer)
    assert "0.0040" in reduction_text(answer)


def test_what_is_solved_so_far_is_the_mean_of_those_winds() -> None:
    part = Solved(2, {0: 0.01}, (0.75, 0.25))
    assert not part.is_whole
    assert part.benefit == pytest.approx(0.01)
    assert Solved(2, {0: 0.01, 1: 0.03}, (0.75, 0.25)).benefit == pytest.approx(0.015)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (0.0001234, "0.00012"), (0.5, "0.50"), (12.3456, "12"), (math.nan, "–")]
)
def test_small_numbers_keep_two_digits(value: float, text: str) -> None:
    assert small_text(value) == text


def test_plain_sentences_come_first_and_once() -> None:
    issues = [
        Issue("dust.no_people", "x"),
        Issue("dust.honesty.unseen", "Sensors will not see it."),
        Issue("other", "y"),
    ]
    lead, rest = lead_of(issues)
    assert [issue.code for issue in lead] == ["dust.honesty.unseen"]
    assert [issue.code for issue in rest] == ["dust.no_people", "other"]


def test_a_report_says_first_that_sensors_will_not_see_it() -> None:
    from app.report import describe_run

    stamp = {
        "analysis": "dust.siting", "version": 1, "params": {}, "inputs": [], "libraries": {}, "program": "test",
        "started": "2026-03-01T10:00:00+09:00", "duration_s": 1.0, "frame": {},
    }  # fmt: skip
    unseen = Issue("dust.honesty.unseen", "Sensors will not see it.", "doubt", values={"largest": 0.01, "needed": 1.0})
    record = {
        "run": "r", "provenance": stamp, "summary": {}, "assumptions": [],
        "issues": [one.as_dict() for one in (Issue("dust.no_people", "No people.", "doubt"), unseen)],
    }  # fmt: skip
    layer = layer_of([TOWER], layer_id="units", name="Units").with_(source=Source(provenance=record))
    page = describe_run([layer], [])
    assert [one["severity"] for one in page["lead"]] == ["doubt"]
    assert "ensors" in page["lead"][0]["text"]
    assert len(page["issues"]) == 1


# -- stations and particles


def stations(measured: list[float], computed: list[float]) -> Layer:
    fields = tuple(
        Field(name, "ug/m3", "element", np.array(values))
        for name, values in (("measured", measured), ("computed", computed))
    )
    shape = Points(np.zeros((2, 3)), np.arange(2, dtype=np.int32))
    return Layer("stations", "Stations", "result", shape, ElementTable(["North", "South"]), fields)


def test_bars_of_stations_are_to_one_scale_and_said_in_words() -> None:
    from app.view.layer_actors import Look
    from app.view.sky import SkyTexture

    need_graphics()
    layer = stations([40.0, 20.0], [30.0, math.nan])
    assert is_stations(layer)
    bars = StationBars(layer, Look(theme_named("light"), SkyTexture()))
    numbers, _places, axes = bars.signs()
    assert numbers.tolist() == [0, 0, 1, 1]
    assert axes[:, 2, 2] == pytest.approx([1.0, 0.75, 0.5, 0.0])
    assert bars.roles(numbers) == ["ink", "accent"] * 2
    assert station_text(layer, 0) == "North: measured 40 · computed 30 µg/m³"
    assert not is_stations(layer.with_(theme="sensor"))


def test_labels_of_stations_do_not_cover_each_other(qapp: Any) -> None:
    from PySide6.QtGui import QImage, QPainter

    from app.view.station_labels import paint_stations, values_of

    layer = stations([40.0, 20.0], [30.0, math.nan])
    far = layer.with_(geometry=Points(np.array([(0.0, 0.0, 0.0), (40.0, 0.0, 0.0)]), np.arange(2, dtype=np.int32)))
    assert [one.texts for one in values_of(far)] == [("40", "30"), ("20", "–")]
    camera = looking(np.zeros(3), azimuth=0.0, pitch=-60.0, distance=100.0)
    image = QImage(800, 600, QImage.Format.Format_RGB32)
    for shown, expected in ((far, ["North", "South"]), (layer, ["North"])):
        painter = QPainter(image)
        assert paint_stations(painter, values_of(shown), camera, (800, 600), theme=theme_named("dark")) == expected
        painter.end()


def test_particles_take_the_colour_of_the_dust_around_them() -> None:
    clean_and_dusty = np.zeros((2, 2, 4))
    clean_and_dusty[:, :, 2:] = 50.0
    clean_and_dusty[0, 0, 0] = np.nan
    volume = Volume(clean_and_dusty, 0.0, 0.0, 0.0, 10.0, 10.0)
    field = Field("concentration", "ug/m3", "cell", clean_and_dusty, ramp="exposure", range=(0.0, 50.0))
    dust = Layer("space", "Dust", "result", volume, fields=(field,), style=Style(colour_by="concentration"))
    paint = ParticlePaint(dust, theme_named("light"))
    ink = (1, 2, 3)
    places = np.array([(10.0, 10.0, 5.0), (20.0, 0.0, 0.0), (0.0, 0.0, 0.0), (500.0, 0.0, 0.0)])
    clean, dusty, unknown, outside = paint.colours(places, ink).tolist()
    assert clean != dusty
    assert unknown == outside == list(ink)
    moving = tuple(Field(name, "m/s", "cell", np.ones((2, 2, 4))) for name in ("east", "north", "up"))
    air = Layer("wind", "Wind", "result", volume, fields=moving)
    assert dust_volume([dust, air]) is dust
    assert wind_volume([air, dust], dust) is air
    assert wind_volume([dust], dust) is None
    assert wind_volume([dust, air], air) is air
