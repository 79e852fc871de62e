"""Rows of camera layers, the steps that change them, the ground they cover, and what rays see of a scene."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from analysis.cctv.optics import View, density, in_view, view_at
from app import project_file
from app.cctv.bands import banded
from app.cctv.edit import (
    CameraRow,
    camera_rows,
    change_camera,
    place_camera,
    remove_cameras,
    row_of,
    with_camera,
)
from app.cctv.footprint import footprint
from app.document import Document
from app.theme import theme_named
from app.view.camera_symbols import camera_axes
from app.view.eye import Eye
from geo.model import Column, ElementRef, ElementTable, Grid, Layer, Mesh, Points, Source
from tests.app import tiny_city

LIMITS = (12.5, 25.0, 62.5, 125.0, 250.0)
POLE = CameraRow("", "North gate", "bullet-4mp", (1.0, 2.0, 5.0), pan=30.0, focal=4.0)


def document() -> Document:
    return Document(tiny_city.frame())


def placed(made: Document, row: CameraRow = POLE) -> ElementRef:
    command, ref = place_camera(made, row, layer_name="Cameras")
    made.do(command)
    return ref


def test_the_first_camera_makes_a_layer_and_undo_takes_it_away() -> None:
    made = document()
    ref = placed(made)
    second = placed(made, dataclasses.replace(POLE, name="South gate"))
    layer = made.scene[ref.layer_id]
    assert layer.theme == "camera"
    assert [row.name for row in camera_rows(layer)] == ["North gate", "South gate"]
    assert second.layer_id == ref.layer_id
    assert row_of(made.scene, ref) == dataclasses.replace(POLE, id=ref.element_id)
    made.history.undo()
    made.history.undo()
    assert len(made.scene) == 0
    made.history.redo()
    assert row_of(made.scene, ref) == dataclasses.replace(POLE, id=ref.element_id)


def test_a_drag_is_one_step_and_another_drag_another() -> None:
    made = document()
    ref = placed(made)
    row = row_of(made.scene, ref)
    assert row is not None
    for pan in (40.0, 50.0, 60.0):
        made.do(change_camera(made, ref, dataclasses.replace(row, pan=pan), drag="drag 1"))
    made.do(change_camera(made, ref, dataclasses.replace(row, pan=90.0), drag="drag 2"))
    made.history.undo()
    assert row_of(made.scene, ref).pan == 60.0
    made.history.undo()
    assert row_of(made.scene, ref).pan == 30.0


def test_columns_of_the_file_are_kept_and_the_file_is_left_alone() -> None:
    table = ElementTable(
        ["a", "b"],
        {"owner": Column(np.array(["city", "school"], dtype=object)), "year": Column(np.array([2019, 2024]))},
    )
    points = Points(np.array([[0.0, 0, 4], [9, 9, 5]]), np.array([1, 0], dtype=np.int32))
    given = Layer("cctv", "cctv", "camera", points, table, source=Source(path="/data/cctv.csv", part="cctv"))
    first = camera_rows(given)[0]
    assert first.place == (9.0, 9.0, 5.0)
    assert (first.state, first.model) == ("existing", "")
    changed = with_camera(given, dataclasses.replace(first, model="dome-4mp", pan=12.5))
    assert changed.source.path == ""
    assert [issue.code for issue in changed.issues] == ["camera.edited_here"]
    assert list(changed.table.columns["owner"].values) == ["city", "school"]
    assert camera_rows(changed)[0].pan == 12.5
    assert camera_rows(changed)[1].place == (0.0, 0.0, 4.0)
    more = with_camera(changed, dataclasses.replace(POLE, id="c"))
    assert more.table.row("c")["owner"] is None
    assert np.isnan(more.table.columns["pan"].values[1])
    assert given.table.columns.keys() == {"owner", "year"}


def test_cameras_are_taken_away_and_the_last_takes_its_layer_along() -> None:
    made = document()
    refs = [placed(made, dataclasses.replace(POLE, place=(float(k), 0.0, 5.0))) for k in range(3)]
    made.do(remove_cameras(made, refs[:1]))
    assert [row.place[0] for row in camera_rows(made.scene[refs[0].layer_id])] == [1.0, 2.0]
    new = placed(made)
    assert new.element_id not in {ref.element_id for ref in refs[1:]}
    made.do(remove_cameras(made, [*refs[1:], new]))
    assert refs[0].layer_id not in made.scene
    made.history.undo()
    assert len(camera_rows(made.scene[refs[0].layer_id])) == 3


def test_cameras_are_saved_with_the_project(tmp_path: Path) -> None:
    made = document()
    ref = placed(made, dataclasses.replace(POLE, presets="10,5,4;20,5,4", roll=3.5, mount="facade"))
    project_file.save(made, tmp_path / "city.twin")
    loaded = project_file.load(tmp_path / "city.twin")
    again = Document()
    project_file.apply(again, loaded, tmp_path / "city.twin")
    assert row_of(again.scene, ref) == row_of(made.scene, ref)


# ---- the ground


def flat(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.zeros(np.shape(x))


@pytest.mark.parametrize(
    ("tilt", "roll", "equidistant"), [(15.0, 0.0, False), (30.0, 12.0, False), (88.0, 0.0, False), (90.0, 0.0, True)]
)
def test_bands_on_level_ground_have_the_area_of_their_density(tilt: float, roll: float, equidistant: bool) -> None:
    """Against points thrown at the ground: in the picture, near enough, dense enough."""
    focal, pixels = (600.0, (2000, 2000)) if equidistant else (1370.0, (1920, 1080))
    view = view_at((0, 0, 6.0), 30.0, tilt, roll, focal_px=focal, pixels=pixels, equidistant=equidistant)
    found = footprint(view, LIMITS, heights=flat, reach=120.0)
    measured = np.bincount(found.classes, found.areas, minlength=len(LIMITS))
    half = 130.0 if tilt < 60 else 60.0
    points = np.column_stack([np.random.default_rng(7).uniform(-half, half, (300_000, 2)), np.zeros(300_000)])
    dense = np.where(in_view(view, points), np.nan_to_num(density(view, points)), 0.0)
    dense[np.linalg.norm(points - [0, 0, 6.0], axis=1) > 120.0] = 0.0
    wanted = np.array([(np.searchsorted(LIMITS, dense, side="right") - 1 == k).mean() for k in range(len(LIMITS))])
    wanted *= (2 * half) ** 2
    np.testing.assert_allclose(measured, wanted, atol=0.04 * wanted.sum() + 4.0)
    assert measured.sum() == pytest.approx(wanted.sum(), rel=0.05, abs=4.0)


def test_a_footprint_lies_on_the_slope_and_behind_a_wall_there_is_none() -> None:
    view = view_at((0, 0, 6.0), 0.0, 20.0, 0.0, focal_px=1370.0, pixels=(1920, 1080))
    slope = footprint(view, LIMITS, heights=lambda x, y: 0.05 * np.asarray(y), reach=100.0)
    np.testing.assert_allclose(slope.vertices[:, 2], 0.05 * slope.vertices[:, 1], atol=0.02)
    open_ = footprint(view, LIMITS, heights=flat, reach=100.0)
    shut = footprint(view, LIMITS, heights=flat, reach=100.0, seen=lambda points: points[:, 1] < 20.0)
    assert open_.vertices[open_.faces].mean(axis=1)[:, 1].max() > 30.0
    assert shut.vertices[shut.faces].mean(axis=1)[:, 1].max() < 21.0


def test_a_footprint_ends_at_a_slanting_wall_in_a_line() -> None:
    """Not in teeth as long as its cells: the area on the wrong side and that missing before it are small."""
    view = view_at((0, 0, 6.0), 0.0, 20.0, 0.0, focal_px=1370.0, pixels=(1920, 1080))

    def before_wall(points: np.ndarray) -> np.ndarray:
        return np.asarray(points[:, 1] + 0.4 * points[:, 0] < 27.0)

    open_ = footprint(view, LIMITS, heights=flat, reach=100.0)
    shut = footprint(view, LIMITS, heights=flat, reach=100.0, seen=before_wall)
    assert len(shut.faces) < 6 * len(open_.faces)
    tips = shut.vertices[shut.faces].reshape(-1, 3)
    assert (tips[:, 1] + 0.4 * tips[:, 0]).max() < 27.0 + 0.5
    points = np.random.default_rng(3).uniform((-30.0, 0.0, 0.0), (30.0, 40.0, 0.0), (400_000, 3))
    covered = in_view(view, points) & (np.nan_to_num(density(view, points)) >= LIMITS[0]) & before_wall(points)
    assert shut.areas.sum() == pytest.approx(covered.mean() * 60.0 * 40.0, rel=0.02)


def test_the_sign_of_a_camera_looks_where_the_optics_look() -> None:
    forward, right, up = camera_axes(90.0, 30.0, 0.0)
    np.testing.assert_allclose(forward, [np.cos(np.radians(30)), 0, -0.5], atol=1e-12)
    np.testing.assert_allclose(right, [0, -1, 0], atol=1e-12)
    np.testing.assert_allclose(np.cross(right, forward), up, atol=1e-12)


# ---- the picture


def box(low: tuple[float, float, float], high: tuple[float, float, float]) -> Mesh:
    corners = np.array([[(low, high)[(k >> axis) & 1][axis] for axis in range(3)] for k in range(8)])
    quads = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    faces = np.array([[a, b, c] for a, b, c, d in quads] + [[a, c, d] for a, b, c, d in quads], dtype=np.int32)
    return Mesh(corners, faces, np.zeros(len(faces), dtype=np.int32))


@pytest.fixture
def yard() -> Eye:
    ground = Layer("ground", "g", "terrain", Grid(np.zeros((61, 61)), -150.0, -150.0, 5.0))
    house = Layer("house", "h", "building", box((-5, 30, 0), (5, 40, 12)), ElementTable(["h"]))
    return Eye([ground, house], theme_named("light"), np.array([0.0, 0.0, 4.0]))


def look_north(tilt: float = 0.0) -> View:
    return view_at((0, 0, 4.0), 0.0, tilt, 0.0, focal_px=1000.0, pixels=(1600, 900))


def test_depth_and_density_of_the_picture_are_those_of_the_optics(yard: Eye) -> None:
    view = look_north()
    picture = yard.look(view, 320, sun=(180.0, 40.0))
    assert picture.pixels.shape == (180, 320, 3)
    assert picture.density[85, 160] == pytest.approx(1000.0 / 30.0, rel=1e-4)  # the wall, 30 m away
    assert picture.density[10, 20] == 0.0  # sky
    row = 140  # ground: depth from the angle below the axis
    depth = 4.0 / ((row + 0.5 - 90.0) / 90.0 * view.tan_half_height)
    assert picture.density[row, 20] == pytest.approx(1000.0 / depth, rel=1e-3)


def test_what_the_picture_shows_is_what_is_in_sight(yard: Eye) -> None:
    place = np.array([0.0, 0.0, 4.0])
    points = np.array([[0, 29.9, 2], [0, 45, 2], [20, 60, 1], [0, 60, 20], [0, 45, 40]], dtype=float)
    assert yard.sees(place, points).tolist() == [True, False, True, False, True]
    assert yard.floor(place) == pytest.approx(0.0, abs=1e-5)
    assert yard.floor(np.array([0.0, 35.0, 20.0])) == pytest.approx(12.0, abs=1e-5)


def test_bands_tint_what_is_dense_enough_and_leave_the_sky(yard: Eye) -> None:
    from analysis.cctv.classes import editions

    picture = yard.look(look_north(), 160, sun=(180.0, 40.0))
    edition = editions()["2014"]
    colours = np.tile(np.array([255, 0, 0], np.uint8), (len(edition.classes), 1))
    shown = banded(picture.pixels, picture.density, edition, colours)
    sky = picture.density == 0
    np.testing.assert_array_equal(shown[sky], picture.pixels[sky])
    wall = shown[42, 80].astype(int)
    assert wall[0] > wall[2] + 40


def test_a_fisheye_sees_all_round(yard: Eye) -> None:
    view = view_at((0, 0, 4.0), 0.0, 90.0, 0.0, focal_px=500.0, pixels=(1600, 1600), equidistant=True)
    picture = yard.look(view, 160, sun=(180.0, 40.0))
    assert picture.density[80, 80] == pytest.approx(125.0, rel=0.01)  # straight down, 4 m
    assert picture.density[1, 1] == 0.0  # beyond the half sphere
