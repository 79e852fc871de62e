"""Lenses, classes and the catalogue: the printed tables, the three readings off the axis, and rows that are broken."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.cctv.cameras import Camera, camera_layer, cameras_of, presets_text, reach_of, views_of
from analysis.cctv.catalogue import CameraModel, catalogue, models_of, read_models
from analysis.cctv.classes import asked_class, editions
from analysis.cctv.optics import (
    axes,
    dead_zone,
    density,
    density_along,
    face_angles,
    footprint,
    half_fields,
    in_view,
    jacobian,
    project,
    surface_angle,
    view_at,
)
from analysis.cctv.targets import TARGET_KINDS
from geo.model import Column, ElementTable, Layer
from resources import path

# Maximum distances [m] of the reference table: rows 2 MP at 90 and 30 degrees, 8 MP at 90 and 30 degrees.
DISTANCES = {
    (1920, 90): (1.9, 3.8, 7.7, 12, 15.4, 24, 38, 48),
    (1920, 30): (7.2, 14.3, 28.7, 45, 57, 90, 143, 179),
    (3840, 90): (3.8, 7.7, 15.4, 24, 31, 48, 77, 96),
    (3840, 30): (14.3, 28.7, 57, 90, 115, 179, 287, 358),
}
PX_PER_M = (500, 250, 125, 80, 62.5, 40, 25, 20)


def lens(pixels: int, field: float) -> float:
    return pixels / (2.0 * math.tan(math.radians(field / 2.0)))


@pytest.mark.parametrize(("pixels", "field"), DISTANCES)
def test_distances_of_the_reference_table(pixels: int, field: int) -> None:
    view = view_at((0, 0, 0), 0, 0, 0, focal_px=lens(pixels, field), pixels=(pixels, pixels * 9 // 16))
    for limit, printed in zip(PX_PER_M, DISTANCES[pixels, field], strict=True):
        digits = 1 if isinstance(printed, float) else 0
        furthest = view.focal_px / limit
        assert round(furthest, digits) == pytest.approx(printed)
        for reading in ("parallel", "slant", "radial"):  # on the axis all readings agree
            assert density(view, [[0, furthest, 0]], reading=reading)[0] == pytest.approx(limit)


def test_footprints_of_the_reference() -> None:
    assert footprint(5.0, 20.0, 35.0) == pytest.approx((6.516, 114.519), abs=5e-3)
    assert footprint(5.0, 30.0, 35.0) == pytest.approx((4.58, 22.55), abs=5e-3)
    assert footprint(5.0, 17.5, 35.0)[1] == math.inf
    assert footprint(5.0, 80.0, 35.0)[0] == 0.0
    assert all(math.isnan(value) for value in footprint(-1.0, 20.0, 35.0))


def test_dead_zone_is_where_the_picture_ends() -> None:
    view = view_at((0, 0, 6.6), 30, 25, 0, focal_px=1000, pixels=(1920, 1080))
    near = dead_zone(view, 5.0)
    way = np.array([math.sin(math.radians(30)), math.cos(math.radians(30))])
    inside, outside = ([[*(way * (near + step)), 1.6]] for step in (0.01, -0.01))
    assert in_view(view, inside)[0]
    assert not in_view(view, outside)[0]


def test_three_readings_off_the_axis() -> None:
    view = view_at((0, 0, 0), 0, 0, 0, focal_px=960, pixels=(1920, 1080))
    point = [[10.0, 30.0, 0.0]]
    assert density(view, point, reading="slant")[0] == pytest.approx(30.36, abs=5e-3)
    assert density(view, point)[0] == pytest.approx(32.00, abs=1e-9)
    assert density(view, point, reading="radial")[0] == pytest.approx(33.73, abs=5e-3)
    # the plane that faces the camera: its two directions are the last two readings
    facing = np.array([[-10.0, -30.0, 0.0]]) / math.hypot(10, 30)
    across = [30.0 / math.hypot(10, 30), -10.0 / math.hypot(10, 30), 0.0]
    assert density(view, point, facing)[0] == pytest.approx(32.00, abs=1e-9)
    assert density_along(view, point, across)[0] == pytest.approx(33.73, abs=5e-3)
    assert density_along(view, point, [0.0, 0.0, 1.0])[0] == pytest.approx(32.00, abs=1e-9)


def test_standing_people_shrink_with_the_tilt() -> None:
    for tilt in (0.0, 20.0, 45.0):
        view = view_at((0, 0, 0), 0, tilt, 0, focal_px=1200, pixels=(1920, 1080))
        ahead = 25.0 * axes(view)[0][None]
        upright = density_along(view, ahead, [0.0, 0.0, 1.0])[0]
        assert upright == pytest.approx(1200 / 25 * math.cos(math.radians(tilt)))


def test_axes_turn_as_the_conventions_say() -> None:
    east = view_at((0, 0, 0), 90, 0, 0, focal_px=1, pixels=(2, 2))
    assert np.allclose(axes(east), [[1, 0, 0], [0, -1, 0], [0, 0, 1]], atol=1e-12)
    down = view_at((0, 0, 0), 0, 30, 0, focal_px=1, pixels=(2, 2))
    assert axes(down)[0][2] == pytest.approx(-0.5)
    # rolled a quarter turn clockwise as the camera looks, its right side points down
    rolled = view_at((0, 0, 0), 0, 0, 90, focal_px=1, pixels=(2, 2))
    assert np.allclose(axes(rolled)[1], [0, 0, -1], atol=1e-12)


angle = st.floats(-180, 180)
metre = st.floats(-50, 50)


@given(angle, st.floats(-80, 80), angle, metre, metre, metre, st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_jacobian_is_that_of_the_projection(
    pan: float, tilt: float, roll: float, x: float, y: float, z: float, fisheye: bool
) -> None:
    view = view_at((1, 2, 3), pan, tilt, roll, focal_px=800, pixels=(1920, 1080), equidistant=fisheye)
    point = np.array([[x, y, z]])
    forward, away = axes(view)[0], point[0] - [1, 2, 3]
    distance = float(np.linalg.norm(away))
    if distance < 1.0 or not -0.8 * distance * fisheye + 0.3 * (not fisheye) < float(away @ forward) < 0.999 * distance:
        return
    step = 1e-5
    for axis in range(3):
        move = np.zeros(3)
        move[axis] = step
        u1, v1, _ = project(view, point + move)
        u0, v0, _ = project(view, point - move)
        moved = np.array([u1 - u0, -(v1 - v0)])[:, 0] / (2 * step)
        assert jacobian(view, point)[0, :, axis] == pytest.approx(moved, rel=1e-4, abs=1e-3)


def test_surfaces_are_read_by_their_worst_direction() -> None:
    view = view_at((0, 0, 0), 0, 0, 0, focal_px=1000, pixels=(1920, 1080))
    turned = [[math.sin(math.radians(60)), -math.cos(math.radians(60)), 0.0]]
    assert density(view, [[0, 20, 0]], turned)[0] == pytest.approx(50.0 * math.cos(math.radians(60)))
    people = [[np.nan] * 3]
    assert density(view, [[5, 20, 0]], people)[0] == density(view, [[5, 20, 0]])[0]


def test_fisheye_sees_a_half_sphere_and_keeps_angles() -> None:
    model = catalogue()["fisheye-12mp"]
    camera = Camera("f", "f", model, (0.0, 0.0, 4.0), tilt=90.0, focal_mm=1.76)
    view = views_of(camera)[0]
    u, v, _ = project(view, [[0.0, 0.0, 0.0], [0.0, 4.0, 0.0]])
    assert (u[0], v[0]) == pytest.approx((2000.0, 1500.0))
    assert math.hypot(u[1] - u[0], v[1] - v[0]) == pytest.approx(view.focal_px * math.pi / 4)
    assert in_view(view, [[0.0, 3.0, 3.9]])[0]
    assert not in_view(view, [[0.0, 3.0, 4.1]])[0]
    assert density(view, [[0.0, 3.0, 0.0]])[0] == pytest.approx(view.focal_px / 5.0)
    # a half sphere fits into the height of the picture
    assert view.focal_px * math.pi <= model.pixels_high + 2


def test_nothing_behind_the_lens_is_pictured() -> None:
    view = view_at((0, 0, 0), 0, 0, 0, focal_px=1000, pixels=(1920, 1080))
    assert not in_view(view, [[0, -5, 0], [0, 0.05, 0], [0, 0, 0]]).any()
    assert np.isnan(density(view, [[0, -5, 0]])).all()
    assert np.isnan(project(view, [[0, -5, 0]])[0]).all()


def test_angles_of_faces_and_plates() -> None:
    tilt, yaw = face_angles((0, 0, 5), [[0, 10, 1.6]], [[0, -1, 0]])
    assert tilt[0] == pytest.approx(math.degrees(math.atan2(3.4, 10)))
    assert yaw[0] == pytest.approx(0.0)
    assert face_angles((0, 0, 5), [[0, 10, 1.6]], [[1, 0, 0]])[1][0] == pytest.approx(90.0)
    assert face_angles((0, 0, 5), [[0, 10, 1.6]])[1][0] == 0.0
    assert surface_angle((0, 0, 10), [[0, 10, 0]], [[0, -1, 0]])[0] == pytest.approx(45.0)


# Classes


def test_both_editions_have_the_published_numbers() -> None:
    known = editions()
    assert known["2014"].limits.tolist() == [12.5, 25, 62.5, 125, 250, 1000]
    assert known["2025"].limits.tolist() == [20, 40, 80, 125, 250, 500, 1500]
    assert known["2025"].names[-2] == "validate"  # a person is identified at 500, not at 250 any more
    for edition in known.values():
        assert edition.source
        assert {asked_class(edition, kind) for kind in TARGET_KINDS} <= set(range(len(edition.classes)))


def test_a_density_on_the_limit_counts_as_reached() -> None:
    edition = editions()["2025"]
    found = edition.classify(np.array([19.99, 20.0, 499.999999999, 500.0, 2000.0, 0.0, np.nan]))
    assert found.tolist() == [-1, 0, 5, 5, 6, -1, -1]


# Catalogue and cameras

ROW = {
    "id": "own", "kind": "fixed", "sensor_width_mm": "5.6", "sensor_height_mm": 3.15, "pixels_wide": 1920,
    "pixels_high": 1080, "focal_min_mm": 4, "focal_max_mm": 4,
}  # fmt: skip


def test_the_catalogue_is_whole_and_names_its_sources() -> None:
    models = catalogue()
    assert {model.kind for model in models.values()} == {"fixed", "dome", "ptz", "multi", "fisheye"}
    assert all(model.source for model in models.values())
    assert len(models["multi-4x4mp"].heads) == 4
    rows = json.loads(path("cctv/cameras.json").read_text(encoding="utf-8"))["models"]
    assert len(rows) == len(models)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"focal_min_mm": 0}, "focal_min_mm"),
        ({"pixels_wide": None}, "pixels_wide is missing"),
        ({"pixels_high": ""}, "pixels_high is missing"),
        ({"pixels_wide": 1920.5}, "whole number"),
        ({"sensor_width_mm": "wide"}, "not a number"),
        ({"sensor_width_mm": float("inf")}, "finite"),
        ({"focal_max_mm": 2}, "less than"),
        ({"kind": "drone"}, "drone"),
        ({"kind": "multi"}, "heads"),
        ({"heads": "0;90"}, "heads"),
        ({"id": ""}, "no id"),
        ({"reach_m": 0}, "reach_m"),
        ({"ir_range_m": -1}, "negative"),
    ],
)
def test_broken_rows_are_told_and_left_out(change: dict[str, object], word: str) -> None:
    models, issues = read_models([{**ROW, **change}, {**ROW, "id": "good"}])
    assert list(models) == ["good"]
    (issue,) = issues
    assert issue.code.startswith("cctv.catalogue_row.")
    korean = json.loads(path("translations/ko/cctv_coverage.json").read_text(encoding="utf-8"))
    assert f"issue.{issue.code}" in korean
    assert word in issue.message


def test_own_models_win_over_those_of_the_program() -> None:
    columns = {name: Column(np.array([value], dtype=object)) for name, value in ROW.items() if name != "id"}
    table = Layer("t", "t", "other", None, ElementTable(["bullet-2mp"], columns))
    models, issues = models_of([table])
    assert not issues
    assert models["bullet-2mp"].focal_max_mm == 4.0
    assert len(models) == len(catalogue())


def test_a_camera_comes_back_from_its_layer() -> None:
    models = catalogue()
    cameras = [
        Camera("a", "정문", models["bullet-8mp"], (1.5, 2.25, 9.0), 359.5, 12.5, -3.0, 8.0, "facade", "existing"),
        Camera("p", "p", models["ptz-2mp-30x"], (0.0, 0.0, 6.0), 10.0, 20.0, 0.0, 30.0, presets=((1.0, 2.0, 45.0),)),
    ]
    back, issues = cameras_of(camera_layer(cameras), models)
    assert back == cameras
    assert not issues
    assert presets_text(cameras[1].presets) == "1,2,45"
    assert [view.reachable for view in views_of(cameras[1])] == [False, True]
    assert views_of(cameras[1])[1].focal_px == pytest.approx(1920 * 45 / 5.6)


def layer_with(**columns: object) -> Layer:
    base = camera_layer([Camera("a", "a", catalogue()["bullet-2mp"], (0.0, 0.0, 5.0), 0.0, 10.0, 0.0, 4.0)])
    made = {name: Column(np.array([value])) for name, value in columns.items()}
    return base.with_(table=ElementTable(["a"], {**base.table.columns, **made}))


@pytest.mark.parametrize(
    ("columns", "code", "kept"),
    [
        ({"camera_model": "nothing"}, "cctv.unknown_model", False),
        ({"focal": 0.0}, "cctv.focal", False),
        ({"focal": 50.0}, "cctv.focal", False),
        ({"focal": np.nan}, "cctv.focal_taken", True),
        ({"pan": np.nan}, "cctv.no_angles", True),
        ({"tilt": np.nan}, "cctv.no_angles", True),
        ({"presets": "1,2"}, "cctv.preset", True),
        ({"presets": "1,2,4"}, "cctv.preset", True),  # a fixed camera has none
    ],
)
def test_cameras_that_cannot_be_are_told(columns: dict[str, object], code: str, kept: bool) -> None:
    cameras, issues = cameras_of(layer_with(**columns), catalogue())
    assert [issue.code for issue in issues] == [code]
    assert len(cameras) == kept


def test_a_camera_without_a_height_is_left_out() -> None:
    cameras, issues = cameras_of(
        camera_layer([Camera("a", "a", catalogue()["bullet-2mp"], (0.0, 0.0, float("nan")), focal_mm=4.0)]), catalogue()
    )
    assert not cameras
    assert issues[0].code == "cctv.no_place"


def test_heads_of_a_multi_sensor_look_all_round() -> None:
    views = views_of(Camera("m", "m", catalogue()["multi-4x4mp"], (0.0, 0.0, 5.0), 10.0, 20.0, 0.0, 2.8))
    assert [view.pan for view in views] == [-125.0, -35.0, 55.0, 145.0]
    ring = np.array([[20 * math.sin(a), 20 * math.cos(a), 0.0] for a in np.linspace(0, 2 * np.pi, 72)])
    assert np.any([in_view(view, ring) for view in views], axis=0).all()


def test_no_point_of_the_picture_beyond_the_reach_has_the_density() -> None:
    rng = np.random.default_rng(1)
    for model in catalogue().values():
        wide = CameraModel(**{**model.__dict__, "reach_m": 1e9})
        reach = reach_of(wide, 20.0)
        for focal in (model.focal_min_mm, model.focal_max_mm):
            camera = Camera("c", "c", wide, (0.0, 0.0, 0.0), 0.0, 0.0, 0.0, focal)
            view = views_of(camera)[0]
            ways = rng.normal(size=(4000, 3))
            points = ways / np.linalg.norm(ways, axis=1, keepdims=True) * reach * 1.0001
            points = points[in_view(view, points)]
            assert (density(view, points) < 20.0).all()
    assert half_fields(view)[0] <= 90.0
