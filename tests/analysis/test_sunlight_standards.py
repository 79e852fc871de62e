"""EN 17037, BRE 209 and the limits of school reviews: closed forms, limits, before and after."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from analysis.contract import Result
from analysis.kernels import sun
from analysis.kernels.overcast import OPEN_WALL, behind_row, overcast_directions, vertical_sky_component
from analysis.kernels.rays import Occluder
from analysis.registry import get
from analysis.sunlight_rights.windows import Windows
from analysis.sunlight_standards.exposure import Openings, exposure, marks_of, openings_of
from analysis.sunlight_standards.judge import Found, level_names, verdicts
from analysis.sunlight_standards.rules import standards, unverified
from geo.model import Column, ElementTable, Feedback, Frame, Layer, Mesh, UserError
from tests.analysis.test_sunlight_period import area, ring
from tests.tiny import box_mesh, buildings, terrain, tiny_frame

STUDY = get("sunlight.standards")
EQUINOX = date(2026, 3, 21)
SOUTH = np.array([[0.0, -1.0, 0.0]])
FAR = 1e5


def at(latitude: float) -> Frame:
    return replace(tiny_frame(), latitude=latitude, convergence_deg=0.0)


def vsc(*boxes: tuple[float, float, float, float, float, float], turn: float = 0.0) -> float:
    """Of a point at the origin on a wall that looks south, all turned clockwise by some degrees."""
    mesh = box_mesh(list(boxes) or [(FAR, FAR, 0.0, 1.0, 1.0, 1.0)])[0]
    angle = np.radians(turn)
    spin = np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1.0]])
    occluder = Occluder([Mesh(mesh.vertices @ spin.T, mesh.faces, mesh.face_element)], np.zeros(3))
    return float(vertical_sky_component(occluder, np.zeros((1, 3)), SOUTH @ spin.T)[0])


# Vertical sky component


def test_an_open_wall_has_the_published_39_6_percent() -> None:
    assert pytest.approx(39.6177, abs=1e-4) == OPEN_WALL  # 3/(7 pi) (pi/2 + 4/3)
    assert vsc() == OPEN_WALL
    assert behind_row(0.0) == OPEN_WALL
    assert behind_row(90.0) == pytest.approx(0.0, abs=1e-12)


def test_twenty_five_degrees_are_27_percent() -> None:
    """BRE 209: an obstruction below 25 degrees leaves at least 27 %."""
    assert behind_row(25.0) == pytest.approx(27.3, abs=0.05)


@pytest.mark.parametrize("angle", [5.0, 18.0, 25.0, 45.0, 70.0])
@pytest.mark.parametrize("turn", [0.0, 33.0])
def test_behind_an_endless_row(angle: float, turn: float) -> None:
    height = 20.0 * np.tan(np.radians(angle))
    row = (-20_000.0, -30.0, -1.0, 40_000.0, 10.0, height + 1.0)
    assert vsc(row, turn=turn) == pytest.approx(behind_row(angle), abs=0.06)


def test_a_wing_wall_takes_half_and_a_row_between_two_angles_its_part() -> None:
    assert vsc((1e-4, -9000.0, -9000.0, 1.0, 9000.0, 18_000.0)) == pytest.approx(OPEN_WALL / 2, abs=0.05)
    low, high = (20.0 * np.tan(np.radians(a)) for a in (20.0, 40.0))
    beam = (-20_000.0, -20.001, low, 40_000.0, 0.001, high - low)
    assert vsc(beam) == pytest.approx(OPEN_WALL - behind_row(20.0) + behind_row(40.0), abs=0.1)


def test_a_single_tower_agrees_with_an_integral_over_the_sky() -> None:
    tower = (5.0, -40.0, -1.0, 12.0, 8.0, 46.0)
    count = 700
    profile, along = (
        np.pi * (np.arange(count) + 0.5) / count / half - shift for half, shift in ((2, 0), (1, np.pi / 2))
    )
    a, b = np.meshgrid(profile, along, indexing="ij")
    ways = np.stack([np.sin(b), -np.cos(b) * np.cos(a), np.cos(b) * np.sin(a)], axis=-1).reshape(-1, 3)
    # slabs, written out for this box
    x, y, z, w, d, h = tower
    with np.errstate(divide="ignore"):
        near, far = (np.array(corner) / ways for corner in ((x, y, z), (x + w, y + d, z + h)))
    hit = np.minimum(near, far).max(axis=1) < np.maximum(near, far).min(axis=1)
    light = (np.cos(b) ** 2 * np.cos(a) * (1 + 2 * np.cos(b) * np.sin(a))).ravel()
    expected = OPEN_WALL * (1 - light[hit].sum() / light.sum())
    assert expected < 38.0
    assert vsc(tower) == pytest.approx(expected, abs=0.1)


def test_directions_lie_in_front_and_above() -> None:
    ways = overcast_directions()
    np.testing.assert_allclose(np.linalg.norm(ways, axis=1), 1.0, atol=1e-12)
    assert (ways[:, 0] > 0).all()
    assert (ways[:, 2] > 0).all()
    assert abs(ways[:, 1].mean()) < 1e-3
    with pytest.raises(ValueError, match="Fibonacci"):
        overcast_directions(1600)


# Exposure to sunlight


def window(*, width: float = 1.5, height: float = 1.2, normal: tuple[float, float, float] = (0, -1, 0)) -> Windows:
    texts = [np.array([text], dtype=object) for text in ("w", "1", "made")]
    sizes = np.array([width / 2]), np.array([height / 2])
    return Windows(np.zeros((1, 3)), np.array([normal], dtype=float), *sizes, np.array([1]), *texts)


def nothing() -> Occluder:
    return Occluder([box_mesh([(FAR, FAR, 0.0, 1.0, 1.0, 1.0)])[0]], np.zeros(3))


@pytest.mark.parametrize(
    ("depth", "width", "lift"), [(0.0, 1.5, -0.3), (0.3, 1.5, -0.3), (0.6, 0.8, -0.3), (0.42, 1.0, 0.0)]
)
@pytest.mark.parametrize("normal", [(0.0, -1.0, 0.0), (-0.8, -0.6, 0.0)])
def test_an_opening_lets_the_sun_in_as_its_angles_say(
    depth: float, width: float, lift: float, normal: tuple[float, float, float]
) -> None:
    frame = at(36.5)
    openings = Openings(window(width=width, normal=normal), np.array([lift]), depth)
    marks = marks_of(frame, EQUINOX, minimum_elevation=10.0, step=2.0, offset=9.0)
    found = exposure(nothing(), openings, marks, Feedback())[0]
    times = np.datetime64("2026-03-20T20:00", "ms") + np.arange(0, 14 * 3600, 5).astype("timedelta64[s]")
    place = sun.sun_position(times, frame.longitude, frame.latitude)
    facing = np.degrees(np.arctan2(normal[0], normal[1]))
    beside = np.radians(place.azimuth - facing)
    rise = np.tan(np.radians(place.apparent_elevation)) / np.cos(beside)
    inside = (np.cos(beside) > 0) & (np.abs(depth * np.tan(beside)) <= width / 2) & (lift + depth * rise <= 0.6)
    expected = (inside & (place.apparent_elevation > 10.0)).sum() * 5.0 / 3600.0
    assert 0.5 < expected < 11.0
    assert found == pytest.approx(expected, abs=0.01)


def test_an_obstacle_takes_the_hours_behind_it() -> None:
    """An endless wall due west: the sun is gone when its profile angle falls below the top."""
    frame = at(36.5)
    wall = Occluder([box_mesh([(-30.0, -5000.0, -50.0, 10.0, 10_000.0, 60.0)])[0]], np.zeros(3))
    openings = Openings(window(), np.array([0.0]), 0.0)
    marks = marks_of(frame, EQUINOX, minimum_elevation=10.0, step=5.0, offset=9.0)
    found, free = (exposure(scene, openings, marks, Feedback())[0] for scene in (wall, nothing()))
    times = np.datetime64("2026-03-20T20:00", "ms") + np.arange(0, 14 * 3600, 5).astype("timedelta64[s]")
    place = sun.sun_position(times, frame.longitude, frame.latitude)
    ways = sun.sun_vectors(place.azimuth, place.apparent_elevation)
    behind = (ways[:, 0] < 0) & (ways[:, 2] < -ways[:, 0] * 10.0 / 20.0)
    lost = (behind & (place.apparent_elevation > 10.0) & (ways[:, 1] < 0)).sum() * 5.0 / 3600.0
    assert lost > 0.5
    assert free - found == pytest.approx(lost, abs=0.01)


def test_the_reference_point_is_high_enough() -> None:
    """1.2 m above the floor and 0.3 m above the sill, whichever is higher; never above the window."""
    rules = standards()
    limits = {"depth": 0.3, "above_floor": rules.above_floor, "above_sill": rules.above_sill}
    assert openings_of(window(), sill=0.9, **limits).lift[0] == pytest.approx(-0.3)
    assert openings_of(window(), sill=0.2, **limits).lift[0] == pytest.approx(0.4)
    assert openings_of(window(height=0.2), sill=0.9, **limits).lift[0] == pytest.approx(0.1)
    modelled = window()._replace(origin=np.array(["model"], dtype=object))
    assert openings_of(modelled, sill=0.2, **limits).lift[0] == pytest.approx(-0.3)


def test_levels_and_the_080_rule_at_their_limits() -> None:
    rules = standards()
    hours = np.array([1.4999, 1.5, 2.9999, 3.0, 3.9999, 4.0])
    assert level_names(hours, rules).tolist() == [0, 1, 1, 2, 2, 3]
    none = np.zeros(6, dtype=bool)
    new = np.array([False, False, False, True, False, False])
    now = np.array([27.0, 26.9, 15.0, 15.0, 20.0, 19.0])
    before = np.array([39.0, 39.0, 18.0, 18.0, 25.0, 25.0])
    found = Found(None, None, now, before, None, None, new)
    told = verdicts(found, rules)
    assert told.passes["daylight"].tolist() == [True, False, True, False, True, False]
    assert told.borderline.tolist() == [True, True, False, False, True, False]
    alone = verdicts(found._replace(vsc_before=None, new=none), rules)
    assert alone.passes["daylight"].tolist() == [True, False, False, False, False, False]
    long = verdicts(Found(hours, None, None, None, None, None, none), rules)
    assert long.passes["sunlight"].tolist() == [False, True, True, True, True, True]
    assert long.borderline.tolist() == [True, True, False, False, False, False]


def test_every_limit_says_whether_it_was_read() -> None:
    assert len(unverified("en17037")) == 8
    assert len(unverified("bre209")) == 5
    assert len(unverified("school")) == 4


# The study


def city(*more: Layer, frame: Frame | None = None, **given: object) -> Result:
    params = {k: v for k, v in given.items() if k not in ("proposal", "gardens", "dwellings")}
    dwellings = given.get("dwellings", (buildings(),))
    inputs = STUDY.inputs(
        frame=frame or tiny_frame(),
        dwellings=dwellings,
        obstructions=(*dwellings, *more),  # type: ignore[misc]
        proposal=given.get("proposal", ()),
        terrain=terrain(),
        relief=(),
        trees=(),
        gardens=given.get("gardens", ()),
    )
    return STUDY.run(inputs, STUDY.params(**{"step": 10.0, "facing": 60.0, **params}), Feedback())


def rows(result: Result, table: str) -> dict[str, np.ndarray]:
    return {name: c.values for name, c in next(t for t in result.tables if t.id == table).columns.items()}


def tower(depth: float = 10.0) -> Layer:
    mesh, _ = box_mesh([(-60.0, -40.0 - depth, 20.0, 120.0, depth, 40.0)])
    table = ElementTable(["new"], {"use": Column(np.array(["업무시설"], dtype=object))})
    return Layer("new", "New", "building", mesh, table=table)


def test_a_new_tower_takes_daylight_from_the_windows_behind_it() -> None:
    lone, after = city(sunlight=False), city(sunlight=False, proposal=(tower(),))
    old, new = rows(lone, "window_list"), rows(after, "window_list")
    np.testing.assert_array_equal(new["window"], old["window"])
    np.testing.assert_array_equal(new["vsc_before"], old["vsc"])
    south = new["facing"] == "S"
    assert (new["vsc"][south] < old["vsc"][south] - 2.0).any()
    lost = (new["vsc"] < 27.0) & (new["vsc"] < 0.8 * new["vsc_before"])
    assert lost.any()
    np.testing.assert_array_equal(new["daylight_verdict"] == "fail", lost)
    assert after.summary["vsc_noticed"].value == lost.sum()
    assert "sunlight.standards.no_proposal" in [issue.code for issue in lone.issues]
    assert "sunlight.standards.no_proposal" not in [issue.code for issue in after.issues]


def test_exposure_before_and_after_and_the_layer_of_windows() -> None:
    result = city(daylight=False, proposal=(tower(),), wall_depth=0.0, day=date(2026, 2, 1))
    table = rows(result, "window_list")
    assert (table["exposure"] <= table["exposure_before"] + 1e-9).all()
    assert (table["exposure"] < table["exposure_before"] - 0.5).any()
    windows = next(layer for layer in result.layers if layer.id == "windows")
    assert [f.name for f in windows.fields] == ["verdict", "exposure", "exposure_level"]
    assert len(windows.geometry.faces) == 2 * len(table["window"])
    per_building = rows(result, "buildings")
    assert per_building["windows"].sum() == len(table["window"])
    assert per_building["sunlight_failing"].sum() == (table["sunlight_verdict"] == "fail").sum()


def test_gardens_before_and_after() -> None:
    """A strip in the sun all day, one that a wall to the south darkens, one dark before already."""
    strips = area(ring(-40, 40, 80, 10), ring(-30, -38, 60, 6), ring(-8, 3, 16, 3), element=(0, 1, 2))
    both = {"gardens": (strips,), "sunlight": False, "daylight": False, "area_cell": 1.0}
    before, after = rows(city(**both), "garden_list"), rows(city(proposal=(tower(),), **both), "garden_list")
    assert before["verdict"].tolist()[:2] == ["pass", "pass"]
    np.testing.assert_array_equal(after["garden_share_before"], before["garden_share"])
    assert after["verdict"].tolist()[:2] == ["pass", "fail"]
    assert after["garden_share"][1] < 50.0
    kept = after["garden_share"] >= 0.8 * after["garden_share_before"] - 1e-9
    np.testing.assert_array_equal(after["verdict"] == "pass", kept | (after["garden_share"] >= 50.0))
    result = city(proposal=(tower(),), **both)
    assert [layer.id for layer in result.layers] == ["gardens"]
    lost = next(f for f in result.layers[0].fields if f.name == "garden_lost").values
    assert np.nanmin(lost) >= 0.0
    assert np.nanmax(lost) > 3.0


def test_schools_are_judged_by_both_limits() -> None:
    named = buildings()
    uses = np.array(["교육연구시설(초등학교)", "업무시설"], dtype=object)
    school = named.with_(table=ElementTable(named.table.ids, {**named.table.columns, "use": Column(uses)}))
    result = city(dwellings=(school,), judged="schools", daylight=False, sunlight=False, facing=180.0)
    table = rows(result, "window_list")
    assert set(table["building"]) == {"b0"}
    south, north = table["facing"] == "S", table["facing"] == "N"
    assert table["school_total"][south].min() > 7.0
    assert (table["school_verdict"][south] == "pass").all()
    assert (table["school_verdict"][north] == "fail").all()
    passes = (table["school_total"] >= 4.0) | (table["school_run"] >= 2.0)
    np.testing.assert_array_equal(table["school_verdict"] == "pass", passes)
    assert "sunlight.standards.unverified_school" in [issue.code for issue in result.issues]
    with pytest.raises(UserError) as caught:
        city(judged="schools")
    assert caught.value.code == "sunlight.standards.no_windows"


@pytest.mark.parametrize(
    ("params", "latitude", "code"),
    [
        ({"day": date(2026, 12, 22)}, 36.5, "sunlight.standards.day"),
        ({"day": date(2026, 3, 22)}, 36.5, "sunlight.standards.day"),
        ({"day": EQUINOX}, -34.6, "sunlight.standards.day"),
        ({"day": date(2026, 2, 1), "daylight": False}, 70.0, "sunlight.no_sun"),
        ({"sunlight": False, "daylight": False}, 36.5, "sunlight.standards.nothing_asked"),
    ],
)
def test_what_cannot_be_judged_is_said(params: dict[str, object], latitude: float, code: str) -> None:
    with pytest.raises(UserError) as caught:
        city(frame=at(latitude), **params)
    assert caught.value.code == code


def test_the_south_chooses_its_days_half_a_year_later() -> None:
    result = city(frame=at(-34.6), day=date(2026, 9, 21), daylight=False, facing=180.0, wall_depth=0.0)
    table = rows(result, "window_list")
    north, south = table["exposure"][table["facing"] == "N"], table["exposure"][table["facing"] == "S"]
    assert north.max() > 9.0
    assert south.max() < 0.5
