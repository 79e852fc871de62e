"""Seeing the wind: previews, hatching, slices, surfaces, particles, values at a place."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from app.point_values import by_direction, direction_chart, profile_chart, values_at
from app.theme import theme_named
from app.view.camera import looking, project
from app.view.hatch import CROSSED, LINES, hatch_codes, hatch_rows, swatch_lines
from app.view.legend import legend_for
from app.view.particles import Particles, has_wind, wind_of
from app.volume_view import VolumeView, first_view, profile, sampled
from geo.model import Field, Grid, Layer, Lines, Mesh, Source, Style, Volume
from tests.app.view_scene import ground, need_graphics

SIZE = (240, 180)
TRUST = ("quantitative", "comparative", "indicative")


def wind_map(**style: object) -> Layer:
    """A map of one value, trusted in the west, to be compared in the middle, indicative in the east."""
    values = np.full((40, 60), 0.5)
    values[:4] = np.nan
    trust = np.zeros((40, 60), np.int8)
    trust[:, 20:40], trust[:, 40:] = 1, 2
    fields = (
        Field("speed_ratio", "1", "cell", values, ramp="wind", range=(0.0, 1.5)),
        Field("trust", "1", "cell", trust, categories=TRUST, ramp="severity"),
    )
    grid = Grid(values, -88.5, -58.5, 3.0)
    return Layer("map", "Map", "result", grid, fields=fields, style=Style(colour_by="speed_ratio", **style))


def wind_space(speed: float = 4.0) -> Layer:
    """Wind to the east through a room of air, 80 x 60 x 30 m, with a block in the middle and ground below."""
    shape = (6, 12, 16)
    east = np.full(shape, speed) * np.linspace(0.5, 1.0, 6)[:, None, None]
    north, up = np.zeros(shape), np.zeros(shape)
    solid = np.zeros(shape, bool)
    solid[:4, 4:8, 6:10] = True
    solid[0] = True
    for part in (east, north, up):
        part[solid] = np.nan
    volume = Volume(east, -37.5, -27.5, 2.5, 5.0, 5.0)
    named = (("speed", east), ("east", east), ("north", north), ("up", up))
    fields = tuple(Field(name, "m/s", "cell", values, ramp="wind") for name, values in named)
    return Layer("space", "Space", "result", volume, fields=fields, style=Style(colour_by="speed"))


def run_of(layer: Layer, *, wind_from: float, run: str, started: str) -> Layer:
    """The same as a result of a run."""
    provenance = {
        "analysis": "wind.field", "version": 1, "params": {"wind_from": wind_from}, "inputs": [], "libraries": {},
        "program": "test", "started": started, "duration_s": 1.0, "frame": {},
    }  # fmt: skip
    source = Source(provenance={"run": run, "provenance": provenance})
    return layer.with_(id=f"{run}-{layer.id}", source=source)


def drawn(*layers: Layer, camera: Any, size: tuple[int, int] = SIZE) -> np.ndarray:
    from app.view.offscreen import render_pixels

    return render_pixels(layers, size=size, view=camera, theme=theme_named("light"))[0].astype(float)


# -- hatching


def test_cells_are_hatched_by_class_and_only_where_there_is_a_value() -> None:
    layer = wind_map()
    known = np.isfinite(layer.geometry.values)
    codes = hatch_codes(layer, known)
    assert codes is not None
    assert not codes[:4].any()
    assert not codes[:, :20].any()
    assert (codes[4:, 20:40] == LINES).all()
    assert (codes[4:, 40:] == CROSSED).all()
    assert hatch_codes(wind_map(hatched=False), known) is None
    assert [hatch for _text, hatch in hatch_rows(layer)] == [LINES, CROSSED]
    assert len(swatch_lines(18, 11, CROSSED)) == 2 * len(swatch_lines(18, 11, LINES))
    legend = legend_for([layer])
    assert legend is not None
    assert legend.ramp is not None
    assert [text for text, _ in legend.hatches] == list(TRUST[1:])


@pytest.mark.gl
@pytest.mark.parametrize("has_ground", [True, False])
def test_hatches_are_seen_where_trust_is_low(has_ground: bool) -> None:
    need_graphics()
    camera = looking(np.zeros(3), azimuth=0.0, pitch=-88.0, distance=330.0)
    under = [ground()] if has_ground else []
    size = (480, 360)
    hatched = drawn(*under, wind_map(), camera=camera, size=size)
    plain = drawn(*under, wind_map(hatched=False), camera=camera, size=size)
    apart = np.abs(hatched - plain).max(axis=2) > 12
    x = project(camera, np.array([[-28.5, 0, 0], [31.5, 0, 0], [90.0, 0, 0], [-90.0, 0, 0]]), size)[0][:, 0].round()
    first, second, east, west = (int(v) for v in x)
    middle = slice(90, 270)
    shares = [apart[middle, a:b].mean() for a, b in ((west, first - 4), (first + 4, second - 4), (second + 4, east))]
    assert shares[0] == 0.0
    assert 0.02 < shares[1] < 0.4
    assert shares[2] > 1.5 * shares[1]


@pytest.mark.gl
def test_a_result_lies_over_the_roads() -> None:
    need_graphics()
    corners = np.array([[-60, -10, 0.05], [60, -10, 0.05], [60, 10, 0.05], [-60, 10, 0.05]], float)
    road = Layer(
        "road", "Road", "road", Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]], np.int32), np.zeros(2, np.int32))
    )
    camera = looking(np.zeros(3), azimuth=0.0, pitch=-88.0, distance=330.0)
    bare, with_map = drawn(ground(), road, camera=camera), drawn(ground(), road, wind_map(), camera=camera)
    place = project(camera, np.array([[-40.0, 0, 0], [-40.0, 30.0, 0]]), SIZE)[0].round().astype(int)
    on_road, beside = (with_map[y, x] for x, y in place)
    assert np.abs(on_road - bare[place[0][1], place[0][0]]).max() > 40
    assert np.abs(on_road - beside).max() < 25


# -- volumes


def test_values_between_cells_are_interpolated_and_end_at_walls() -> None:
    layer = wind_space(speed=4.0)
    volume, field = layer.geometry, layer.fields[0]
    points = np.array([[0.0, 20.0, 10.0], [0.0, 0.0, 10.0], [-30.0, 20.0, 1.0], [500.0, 0.0, 10.0]])
    found = sampled(volume, field, points)
    assert found[0] == pytest.approx(4.0 * (0.6 + 0.7) / 2)  # between the middles of the second and third cells
    assert np.isnan(found[1:]).all()  # in the block, in the ground, outside
    heights, values = profile(volume, field, 0.0, 0.0)
    assert heights.tolist() == [22.5, 27.5]
    assert values[1] == pytest.approx(4.0)
    assert first_view(volume).level == 7.5  # the ground fills the lowest layer


def test_the_surface_of_a_value_lies_where_it_should() -> None:
    from app.view.volume import value_surface

    layer = wind_space(speed=4.0)
    vertices, faces, normals = value_surface(layer.geometry, layer.fields[0], 3.0)
    assert len(faces) > 100
    assert np.isfinite(vertices).all()
    assert (normals[:, 2] >= 0.0).all()
    np.testing.assert_allclose(vertices[:, 2], 15.0, atol=1e-3)  # half the height of a linear profile
    assert not ((np.abs(vertices[:, 0]) < 9.9) & (np.abs(vertices[:, 1] + 0.0) < 9.9)).any()  # not through the block
    assert len(value_surface(layer.geometry, layer.fields[0], 99.0)[1]) == 0


@pytest.mark.gl
def test_slices_are_drawn_where_they_are_put() -> None:
    need_graphics()
    from vtkmodules.vtkRenderingCore import vtkRenderWindow

    from app.view.stage import Stage, read_pixels

    window = vtkRenderWindow()
    window.SetOffScreenRendering(True)
    window.SetSize(*SIZE)
    stage = Stage(window, theme=theme_named("light"), quality="fast")
    layer = wind_space()
    camera = looking(np.array([0.0, 0.0, 10.0]), azimuth=0.0, pitch=-75.0, distance=220.0)

    def picture(view: VolumeView) -> np.ndarray:
        stage.set_volume_view(layer.id, view)
        stage.set_camera(camera)
        stage.render()
        return read_pixels(window).astype(float)

    def at(pixels: np.ndarray, point: tuple[float, float, float]) -> np.ndarray:
        x, y = project(camera, np.array([point]), SIZE)[0][0].round().astype(int)
        return pixels[y, x]

    stage.add(layer)
    nothing = picture(VolumeView())
    low, high = picture(VolumeView(level=7.5)), picture(VolumeView(level=27.5))
    place = (-25.0, 5.0, 7.5)
    assert np.abs(at(low, place) - at(nothing, place)).max() > 30
    assert np.abs(at(low, place) - at(high, (-25.0, 5.0, 27.5))).max() > 30  # slower near the ground
    np.testing.assert_array_equal(at(low, (0.0, 0.0, 7.5)), at(nothing, (0.0, 0.0, 7.5)))  # within the block
    upright = picture(VolumeView(line=(-35.0, 20.0, 35.0, 20.0)))
    assert np.abs(at(upright, (-10.0, 20.0, 15.0)) - at(nothing, (-10.0, 20.0, 15.0))).max() > 30
    np.testing.assert_array_equal(at(upright, (-10.0, -20.0, 5.0)), at(nothing, (-10.0, -20.0, 5.0)))
    surface = picture(VolumeView(value=3.0))
    assert np.abs(at(surface, (-25.0, 5.0, 15.0)) - at(nothing, (-25.0, 5.0, 15.0))).max() > 30
    np.testing.assert_array_equal(picture(VolumeView()), nothing)
    stage.release()
    window.Finalize()


# -- particles


def test_particles_drift_downwind_and_never_enter_what_is_not_air() -> None:
    layer = wind_space()
    wind = wind_of(layer)
    assert wind is not None
    assert has_wind(layer)
    particles = Particles(wind, count=400, seed=3)
    for _ in range(60):
        before = particles.path[0].copy()
        particles.step(0.04)
        assert wind.cells_of(particles.path[0])[1].all()
        going_on = (particles.path[1] == before).all(axis=1)
        moved = particles.path[0][going_on] - before[going_on]
        assert going_on.mean() > 0.8
        assert (moved[:, 0] >= 0.0).all()
        assert moved[:, 0].mean() > 0.0
        np.testing.assert_allclose(moved[:, 1:], 0.0, atol=1e-9)
        assert np.abs(moved).max() < 8 * 0.45 * 5.0


def test_particles_move_with_the_wind_and_repeat_themselves() -> None:
    shape = (4, 200, 200)
    north = np.full(shape, 2.0)
    layer = wind_space().with_(geometry=Volume(north, 0.0, 0.0, 0.0, 5.0, 5.0))
    fields = tuple(
        Field(name, "m/s", "cell", values)
        for name, values in (("east", np.zeros(shape)), ("north", north), ("up", np.zeros(shape)))
    )
    layer = layer.with_(fields=fields)
    wind = wind_of(layer)
    assert wind is not None
    one, two, other = (Particles(wind, count=50, seed=seed) for seed in (5, 5, 6))
    start = one.path[0].copy()
    for made in (one, two, other):
        made.step(0.02)
    stayed = (one.path[1] == start).all(axis=1) & (np.abs(one.path[0] - start).max(axis=1) < 20.0)
    assert stayed.sum() > 40
    np.testing.assert_allclose((one.path[0] - start)[stayed, 1], 2.0 * one.hurry * 0.02, rtol=1e-5)
    np.testing.assert_array_equal(one.path, two.path)
    assert not np.array_equal(one.path, other.path)
    one.resize(20)
    assert one.path.shape == (12, 20, 3)
    one.resize(70)
    assert one.count == 70
    assert wind.cells_of(one.path[0])[1].all()
    assert wind_of(layer.with_(fields=fields[:2])) is None


# -- values at a place


def test_values_at_a_place_speak_of_every_shown_result() -> None:
    layers = [wind_map(), wind_space()]
    found = {(v.layer, v.quantity.lower()): v for v in values_at(layers, np.array([-20.0, 20.0, 0.0]))}
    assert float(found["Map", "speed ratio"].text) == 0.5
    assert found["Map", "trust"].text == "comparative"
    assert found["Space", "speed"].unit == "m/s"
    assert float(found["Space", "speed"].text) == pytest.approx(2.4)
    hidden = layers[1].with_(style=Style(visible=False))
    assert {v.layer for v in values_at([layers[0], hidden], np.array([-20.0, 20.0, 0.0]))} == {"Map"}
    chart = profile_chart(layers, np.array([-20.0, 20.0, 0.0]))
    assert chart is not None
    np.testing.assert_allclose(chart.series[0].y, [7.5, 12.5, 17.5, 22.5, 27.5])
    np.testing.assert_allclose(chart.series[0].x, 4.0 * np.linspace(0.5, 1.0, 6)[1:])


def test_directions_of_several_runs_stand_in_order_and_the_newest_counts() -> None:
    def scaled(factor: float) -> Layer:
        layer = wind_map()
        first = dataclasses.replace(layer.fields[0], values=layer.fields[0].values * factor)
        return layer.with_(fields=(first, layer.fields[1]))

    layers = [
        run_of(scaled(1.0), wind_from=270.0, run="a", started="2026-01-01T00:00:00+00:00"),
        run_of(scaled(2.0), wind_from=360.0, run="b", started="2026-01-02T00:00:00+00:00"),
        run_of(scaled(3.0), wind_from=270.0, run="c", started="2026-01-03T00:00:00+00:00"),
    ]
    found = by_direction(layers, 20.0, 0.0)
    assert [(v.wind_from, v.ratio) for v in found] == [(0.0, 1.0), (270.0, 1.5)]
    assert found[0].trust == "comparative"
    chart = direction_chart(found)
    assert chart is not None
    assert chart.series[0].x.tolist() == [0.0, 270.0]
    assert direction_chart(found[:1]) is None
    assert all(np.isnan(v.ratio) for v in by_direction(layers, 1e4, 0.0))


def test_arrows_take_the_colours_of_their_speed() -> None:
    from app.colour import ramp
    from app.view.legend import shown_field

    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], float)
    lines = Lines(vertices, np.array([0, 2, 4], np.int32), np.array([0, 1], np.int32))
    speed = Field("speed", "m/s", "element", np.array([1.0, 3.0]), ramp="wind")
    layer = Layer("arrows", "Arrows", "result", lines, fields=(speed,), style=Style(colour="#20405f"))
    assert shown_field(layer) is speed
    legend = legend_for([wind_map(), layer])
    assert legend is not None
    assert legend.hatches, "the map's legend, not that of the arrows over it"
    alone = legend_for([layer])
    assert alone is not None
    assert np.array_equal(alone.ramp, ramp("wind"))


def test_texts_of_both_languages_are_of_the_same_things() -> None:
    from resources import path

    texts = [
        json.loads(path(f"translations/{code}/wind_view.json").read_text(encoding="utf-8")) for code in ("en", "ko")
    ]
    declared = {key for key in texts[1] if key.startswith("point.chart.")}  # their English stands in the code
    assert set(texts[0]) == set(texts[1]) - declared
