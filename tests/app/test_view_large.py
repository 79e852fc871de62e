"""Layers as large as a city, made small: tiles, coarse forms, point clouds, volumes, preparing beside the window."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.document import Document
from app.theme import theme_named
from app.view import tiles as tiles_module
from app.view.actors import is_heavy, prepare
from app.view.camera import boxes_in_view, looking, project
from app.view.cloud import cloud_of, share_out
from app.view.creases import crease_edges
from app.view.picking import Picker
from app.view.tiles import MOST_TILES, tile_numbers, tiled_mesh
from geo.model import ElementTable, Field, Layer, Mesh, Points, Style, Volume, merge_meshes
from tests.app.view_scene import FRAME, box, buildings, ground, need_graphics, trees

SIZE = (240, 180)


@pytest.fixture
def small_tiles(monkeypatch) -> None:
    """Layers are split from a few triangles on."""
    monkeypatch.setattr(tiles_module, "WORTH_TILES", 100)
    monkeypatch.setattr(tiles_module, "FACES_A_TILE", 100)


def blocks(columns: int, *, step: float = 40.0, **style: object) -> Layer:
    """Square blocks of 20 m on a square of `columns` by `columns` places, taller towards the north-east."""
    boxes = [box(step * i, step * j, size=(20, 20, 10 + i + j)) for j in range(columns) for i in range(columns)]
    return buildings(boxes, **style)


def cloud(count: int, *, half: float = 100.0, **style: object) -> Layer:
    """Points on a level square: the western half of class a, the eastern of class b."""
    rng = np.random.default_rng(5)
    places = np.zeros((count, 3))
    places[:, :2] = rng.uniform(-half, half, (count, 2))
    codes = (places[:, 0] > 0).astype(np.int16)
    field = Field("kind", "1", "point", codes, categories=("a", "b"))
    points = Points(places, np.zeros(count, np.int32))
    return Layer("cloud", "Cloud", "other", points, ElementTable(["all"]), (field,), Style(**style))


# -- tiles, without a picture


def test_tiles_hold_every_face_once_and_elements_stay_whole(small_tiles) -> None:
    layer = blocks(20)
    mesh = layer.geometry
    tiled = prepare(layer)
    assert 4 <= len(tiled.tiles) <= MOST_TILES
    np.testing.assert_array_equal(np.sort(tiled.order), np.arange(len(mesh.faces)))
    first = 0
    seen: set[int] = set()
    for tile in tiled.tiles:
        assert tile.first == first
        rows = tiled.order[first : first + len(tile.fine.faces)]
        np.testing.assert_allclose(tile.fine.vertices[tile.fine.faces], mesh.vertices[mesh.faces[rows]], atol=1e-3)
        mine = set(mesh.face_element[rows].tolist())
        assert not mine & seen
        seen |= mine
        first += len(rows)


def test_tiles_have_the_creases_of_the_whole(small_tiles) -> None:
    layer = blocks(12)
    whole, _element = crease_edges(layer.geometry, feet=False)
    assert sum(len(tile.edges.pairs) for tile in prepare(layer).tiles) == len(whole)


def test_one_huge_element_is_split_by_its_faces(small_tiles, monkeypatch) -> None:
    monkeypatch.setattr(tiles_module, "LARGE_ELEMENT", 500)
    surface = ground(half=100.0, cell=4.0).geometry.surface()
    tiled = tiled_mesh(surface, angle=None, feet=True, boxes=False, roofs=False)
    assert len(tiled.tiles) > 10
    assert max(float((tile.high - tile.low)[:2].max()) for tile in tiled.tiles) < 80.0


def test_very_uneven_places_keep_to_the_most_tiles() -> None:
    rng = np.random.default_rng(1)
    places = np.concatenate([rng.normal(0, 50, (5000, 2)), rng.uniform(-30_000, 30_000, (300, 2))])
    assert int(tile_numbers(places, wanted=36).max()) < MOST_TILES
    assert int(tile_numbers(np.zeros((10, 2)), wanted=36).max()) == 0


def test_a_far_house_is_a_box_of_its_size(small_tiles) -> None:
    """A turned house of many faces: the box has its ground area, its mean roof height and its direction."""
    turn = np.radians(30.0)
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    parts = [box(4 * i, 5 * j, size=(4, 5, 8)) for i in range(5) for j in range(2)]
    house = merge_meshes(parts)
    houses = [
        Mesh(house.vertices @ rotation.T + (60.0 * i, 60.0 * j, 0), house.faces, house.face_element)
        for i in range(4)
        for j in range(4)
    ]
    tiled = prepare(buildings(houses))
    coarse = [tile for tile in tiled.tiles if tile.coarse is not None]
    assert coarse
    corners = coarse[0].coarse.vertices[:8]
    np.testing.assert_allclose(corners[4:, 2], 8.0, atol=1e-3)
    sides = np.linalg.norm(np.diff(corners[:4], axis=0), axis=1)
    np.testing.assert_allclose(np.sort(sides)[[0, -1]], [10, 20], atol=0.01)
    along = corners[1] - corners[0]
    assert np.degrees(np.arctan2(along[1], along[0])) % 90 == pytest.approx(30.0, abs=0.01)
    roof = tiled.roof[tiled.coarse_face.reshape(-1, 10)]
    assert roof[:, :2].all()
    assert not roof[:, 2:].any()


def test_boxes_outside_the_picture_are_told_apart() -> None:
    camera = looking(np.zeros(3), azimuth=0.0, pitch=-60.0, distance=300.0)
    centre = np.random.default_rng(0).uniform(-400, 400, (500, 3)) * (1, 1, 0)
    low, high = centre - 5, centre + 5
    seen = boxes_in_view(camera, low, high, aspect=SIZE[0] / SIZE[1])
    pixels, depth = project(camera, centre, SIZE)
    inside = (depth > 0) & (pixels >= 0).all(axis=1) & (pixels < SIZE).all(axis=1)
    assert seen[inside].all()
    assert 0.01 < inside.mean() < seen.mean() < inside.mean() + 0.1


def test_trees_in_tiles_keep_their_elements(small_tiles) -> None:
    layer = trees(60)
    tiled = prepare(layer)
    assert len(tiled.tiles) > 3
    for tile in tiled.tiles:
        rows = tiled.element[tile.first : tile.first + len(tile.fine.faces)]
        x = tile.fine.vertices[tile.fine.faces[:, 0], 0]
        np.testing.assert_array_less(np.abs(x - layer.geometry.transform[rows, 0, 3]), 2.01)


# -- tiles in a picture


@pytest.fixture
def stage():
    need_graphics()
    from vtkmodules.vtkRenderingCore import vtkRenderWindow

    from app.view.stage import Stage

    window = vtkRenderWindow()
    window.SetOffScreenRendering(True)
    window.SetSize(*SIZE)
    made = Stage(window, theme=theme_named("light"), quality="fast")
    yield made
    made.release()
    window.Finalize()


def picture(stage, camera) -> np.ndarray:
    from app.view.stage import read_pixels

    stage.set_camera(camera)
    stage.render()
    return read_pixels(stage.window).astype(float)


def seen(pixels, point, camera) -> np.ndarray:
    x, y = project(camera, np.array([point], dtype=float), SIZE)[0][0]
    return pixels[round(y), round(x)]


@pytest.mark.gl
def test_hiding_and_colours_cross_the_tiles(stage, small_tiles) -> None:
    values = np.arange(64, dtype=float)
    layer = blocks(8).with_(fields=(Field("x", "m", "element", np.where(values % 2, 100.0, 0.0), ramp="sun_hours"),))
    stage.add(layer)
    assert stage.actor_count > 8
    camera = looking(np.array([150.0, 150.0, 0.0]), azimuth=0.0, pitch=-80.0, distance=700.0)
    middle = [(40.0 * i + 10, 40.0 * j + 10, 10.0 + i + j) for j in range(8) for i in range(8)]
    plain = picture(stage, camera)
    hidden = frozenset(f"b{k}" for k in range(0, 64, 3))
    stage.change(layer.with_(style=Style(hidden=hidden)), "style")
    without = picture(stage, camera)
    for number, place in enumerate(middle):
        gone = np.abs(seen(plain, place, camera) - seen(without, place, camera)).max() > 8
        assert gone == (f"b{number}" in hidden), number
    stage.change(layer.with_(style=Style(colour_by="x")), "style")
    coloured = picture(stage, camera)
    for number, place in enumerate(middle):
        red, _green, blue = seen(coloured, place, camera)
        assert (red > blue) == bool(number % 2), number


@pytest.mark.gl
def test_tiles_look_like_the_layer_in_one_piece(stage, monkeypatch) -> None:
    camera = looking(np.array([150.0, 150.0, 0.0]), azimuth=30.0, pitch=-40.0, distance=500.0)
    stage.add(blocks(8))
    whole = picture(stage, camera)
    stage.remove("blocks")
    monkeypatch.setattr(tiles_module, "WORTH_TILES", 100)
    monkeypatch.setattr(tiles_module, "FACES_A_TILE", 100)
    monkeypatch.setattr("app.view.mesh.LINES_GONE", -2.0)  # creases as strong as those of a small layer
    monkeypatch.setattr("app.view.mesh.LINES_FULL", -1.0)
    stage.add(blocks(8))
    assert np.abs(picture(stage, camera) - whole).mean() < 0.5


@pytest.mark.gl
def test_what_is_outside_the_picture_is_not_drawn(stage, small_tiles) -> None:
    stage.add(blocks(12))
    drawn = stage._layers["blocks"]
    picture(stage, looking(np.array([10.0, 10.0, 5.0]), azimuth=0.0, pitch=-70.0, distance=120.0))
    visible = sum(bool(actor.GetVisibility()) for actor in drawn.actors)
    assert 0 < visible <= len(drawn.actors) / 2
    picture(stage, looking(np.array([230.0, 230.0, 5.0]), azimuth=0.0, pitch=-70.0, distance=20_000.0))
    assert not any(tile.lines.GetVisibility() for tile in drawn._tiles)


# -- point clouds


def test_the_budget_of_points_is_kept_and_near_tiles_come_first() -> None:
    counts = np.array([1000, 1000, 1000, 0])
    chosen = share_out(counts, np.array([4000.0, 400.0, 0.0, 100.0]), budget=1500)
    assert chosen.tolist() == [1000, 250, 0, 0]
    assert share_out(counts, np.full(4, 1e6), budget=900).sum() <= 900
    assert share_out(counts, np.full(4, 1e6), budget=9000).tolist() == [1000, 1000, 1000, 0]


def test_a_cloud_holds_every_point_once_and_its_beginning_is_even() -> None:
    layer = cloud(200_000)
    made = cloud_of(layer.geometry)
    assert cloud_of(layer.geometry) is made
    np.testing.assert_array_equal(np.sort(made.order), np.arange(200_000))
    np.testing.assert_allclose(made.vertices, layer.geometry.vertices[made.order], atol=1e-4)
    start, stop = made.starts[0], made.starts[1]
    part = made.vertices[start : start + (stop - start) // 8]
    size = (made.high[0] - made.low[0])[:2]
    held, _x, _y = np.histogram2d(*((part[:, :2] - made.low[0][:2]) / size).T, bins=4, range=((0, 1), (0, 1)))
    assert held.min() > 0.7 * held.mean()


@pytest.mark.gl
def test_a_cloud_is_drawn_within_its_budget_and_in_its_colours(stage) -> None:
    layer = cloud(200_000, colour_by="kind")
    stage.set_point_budget(60_000)
    stage.add(layer)
    camera = looking(np.zeros(3), azimuth=0.0, pitch=-80.0, distance=600.0)
    pixels = picture(stage, camera)
    assert 10_000 < stage._layers["cloud"].points_drawn <= 60_000
    west, east = seen(pixels, (-60, 0, 0), camera), seen(pixels, (60, 0, 0), camera)
    assert west[2] > west[0] + 40  # blue, then orange
    assert east[0] > east[2] + 40
    stage.change(layer.with_(style=Style(colour="#00ff00")), "style")
    assert seen(picture(stage, camera), (60, 0, 0), camera).tolist() == [0, 255, 0]
    stage.change(layer.with_(style=Style(visible=False)), "style")
    assert np.abs(picture(stage, camera) - pixels).max() > 40


def test_a_click_finds_a_point_of_a_cloud() -> None:
    layer = cloud(100_000)
    assert is_heavy(layer)
    camera = looking(np.zeros(3), azimuth=0.0, pitch=-70.0, distance=100.0)
    picker = Picker(lambda work, done: done(work()))
    picker.prepare([layer])
    hits = picker.pick(camera, (120, 90), SIZE, layers=[layer])
    assert hits[0].ref.element_id == "all"
    assert np.hypot(*hits[0].point[:2]) < 2.0
    np.testing.assert_array_equal(layer.geometry.vertices[hits[0].face], hits[0].point)
    assert not picker.pick(camera, (120, 90), SIZE, layers=[layer.with_(style=Style(hidden=frozenset({"all"})))])


# -- volumes


@pytest.mark.gl
def test_a_volume_shows_its_slices(stage) -> None:
    values = np.zeros((6, 20, 20))
    values[:, :, 10:] = 10.0
    values[:, 10:, :] = np.nan
    layer = Layer("air", "Air", "result", Volume(values, -95, -95, 5, 10, 10))
    bare = picture(stage, looking(np.array([0.0, 0.0, 30.0]), azimuth=0.0, pitch=-80.0, distance=600.0))
    stage.add(layer)
    camera = looking(np.array([0.0, 0.0, 30.0]), azimuth=0.0, pitch=-80.0, distance=600.0)
    pixels = picture(stage, camera)
    west, east = seen(pixels, (-50, -50, 35), camera), seen(pixels, (50, -50, 35), camera)
    assert np.abs(west - east).max() > 60
    np.testing.assert_allclose(seen(pixels, (-50, 50, 35), camera), seen(bare, (-50, 50, 35), camera), atol=3)


# -- the window


@pytest.mark.gl
def test_a_large_layer_comes_when_it_is_ready(screen, qtbot, monkeypatch) -> None:
    need_graphics()
    from app.view.viewport import Viewport

    waiting: list = []
    document = Document(FRAME)
    monkeypatch.setattr("app.view.actors.HEAVY", 100)
    widget = Viewport(document, theme=theme_named("light"), submit=lambda work, done: waiting.append((work, done)))
    layer = blocks(8)
    document.scene.add(layer)
    assert widget.stage.actor_count == 0
    assert widget.stage.home_bounds() == layer.geometry.bounds  # framed before it is drawn
    hidden = dataclasses.replace(layer.style, visible=False)
    document.scene.replace(layer.with_(style=hidden), "style")
    document.scene.add(blocks(4).with_(id="other"))
    document.scene.remove("other")
    for work, done in list(waiting):
        done(work())
    assert widget.stage.drawn("blocks").style == hidden  # the style of today, not of the day it was begun
    assert widget.stage.drawn("other") is None
    larger = document.scene["blocks"].with_(geometry=blocks(9).geometry)
    document.scene.replace(larger, "data")
    assert widget.stage.drawn("blocks").geometry is layer.geometry  # the old one until the new one is ready
    for work, done in waiting[-1:]:
        done(work())
    assert widget.stage.drawn("blocks").geometry is larger.geometry
    widget.close()
    widget.deleteLater()


# -- very many lines


def test_picking_among_very_many_lines_finds_what_looking_at_all_of_them_finds() -> None:
    from app.view.picking import REACH
    from geo.model import Lines

    rng = np.random.default_rng(2)
    count = 3000
    places = np.zeros((count, 2, 3))
    places[:, 0, :2] = rng.uniform(-300, 300, (count, 2))
    places[:, 1] = places[:, 0] + rng.normal(0, 8, (count, 3)) * (1, 1, 0.1)
    places[:5, 1] += (500, 0, 0)  # a few reach across
    lines = Lines(places.reshape(-1, 3), np.arange(0, 2 * count + 1, 2), np.arange(count))
    layer = Layer("l", "L", "road", lines, ElementTable([f"l{k}" for k in range(count)]))
    picker = Picker(lambda work, done: done(work()))
    found = 0
    for azimuth, distance in ((0.0, 250.0), (70.0, 900.0), (200.0, 40.0)):
        camera = looking(np.zeros(3), azimuth=azimuth, pitch=-35.0, distance=distance)
        flat, depth = project(camera, lines.vertices, SIZE)
        start, along = flat[0::2], flat[1::2] - flat[0::2]
        for pixel in rng.uniform((0, 0), SIZE, (40, 2)):
            share = np.clip(((pixel - start) * along).sum(axis=1) / (along**2).sum(axis=1), 0, 1)
            apart = np.linalg.norm(start + share[:, None] * along - pixel, axis=1)
            apart[(depth.reshape(-1, 2) <= 0).any(axis=1)] = np.inf
            hits = picker.pick(camera, tuple(pixel), SIZE, layers=[layer])
            assert bool(hits) == (apart.min() <= REACH)
            if hits:
                assert apart[int(hits[0].ref.element_id[1:])] == pytest.approx(apart.min())
                found += 1
    assert found > 20
