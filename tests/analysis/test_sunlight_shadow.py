"""Shadows against closed forms: length, azimuth, duration and area of boxes, slopes, both hemispheres, true north."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from analysis.contract import Result
from analysis.kernels import seasons, sun
from analysis.registry import get
from geo.crs import make_frame
from geo.model import (
    Cancelled,
    Column,
    ElementTable,
    Feedback,
    Frame,
    Grid,
    Layer,
    Lines,
    Mesh,
    UserError,
    merge_meshes,
)
from tests.analysis.test_rays import box
from tests.tiny import tiny_frame

STUDY = get("sunlight.shadow")
DAY = date(2026, 12, 22)
NOON = {"days": "day", "day": DAY, "start": 12.0, "stop": 12.0}


def level(frame: Frame | None = None) -> Frame:
    return replace(frame or tiny_frame(), convergence_deg=0.0)


def city(*meshes: Mesh, name: str = "b", theme: str = "building") -> Layer:
    return Layer(name, name, theme, merge_meshes(meshes), ElementTable([f"{name}{k}" for k in range(len(meshes))]))


def plain(height: float = 0.0, half: float = 120.0) -> Layer:
    return slope(0.0, half=half, height=height)


def slope(rise: float, *, half: float = 120.0, height: float = 0.0) -> Layer:
    """Ground that climbs to the north by `rise` metres per metre; `height` at y = 0."""
    count = int(half) + 1
    y = np.linspace(-half, half, count)
    return Layer("terrain", "T", "terrain", Grid(np.tile((height + rise * y)[:, None], (1, count)), -half, -half, 2.0))


def study(
    *layers: Layer,
    proposal: tuple[Layer, ...] = (),
    at: Frame | None = None,
    on: Layer | None = None,
    **more: object,
) -> Result:
    places = more.pop("places", ())
    inputs = STUDY.inputs(
        frame=at or level(),
        blockers=layers,
        proposal=proposal,
        places=places,
        terrain=on or plain(),
        relief=(),
        trees=(),
    )
    return STUDY.run(inputs, STUDY.params(**{"facades": False, "margin": 60.0, **more}), Feedback())


def layer(result: Result, name: str) -> Layer:
    return next(item for item in result.layers if item.id == name)


def states(result: Result, name: str = "ground", number: int = 0) -> np.ndarray:
    maps = [field for field in layer(result, name).fields if field.categories]
    return maps[number].values


def hours(result: Result, field: str = "shadow_hours", name: str = "ground") -> np.ndarray:
    return layer(result, name).field_named(field).values


def column(result: Result, table: str, name: str) -> np.ndarray:
    return next(t for t in result.tables if t.id == table).columns[name].values


def sun_at(frame: Frame, hour: float, day: date = DAY) -> tuple[float, float]:
    offset = sun.utc_offset_of(frame.longitude, frame.latitude)
    time = np.datetime64(day, "ms") + np.timedelta64(round((hour - offset) * 3_600_000), "ms")
    position = sun.sun_position(np.array([time]), frame.longitude, frame.latitude)
    return float(position.azimuth[0]), float(position.apparent_elevation[0])


def tip(result: Result, number: int = 0) -> tuple[float, float]:
    """Length [m] and azimuth [degrees] from the origin to the farthest cell in shadow."""
    grid = layer(result, "ground").geometry
    row, col = np.nonzero(states(result, number=number) >= 3)
    x, y = grid.x[col], grid.y[row]
    far = int(np.argmax(np.hypot(x, y)))
    return float(np.hypot(x[far], y[far])), float(np.degrees(np.arctan2(x[far], y[far])) % 360)


# Published to the minute: US Naval Observatory, Earth's seasons, universal time.
@pytest.mark.parametrize(
    ("season", "instant"),
    [
        ("march", "2026-03-20T14:46"),
        ("june", "2026-06-21T08:25"),
        ("september", "2026-09-23T00:05"),
        ("december", "2026-12-21T20:50"),
        ("march", "2025-03-20T09:01"),
        ("june", "2024-06-20T20:51"),
        ("december", "2023-12-22T03:27"),
    ],
)
def test_seasons_begin_at_the_published_minute(season: seasons.Season, instant: str) -> None:
    found = seasons.season_instant(int(instant[:4]), season)
    assert abs(found - np.datetime64(instant, "ms")) <= np.timedelta64(60, "s")


def test_the_local_day_of_a_season_depends_on_the_clock() -> None:
    assert seasons.season_day(2026, "december", 9.0) == date(2026, 12, 22)
    assert seasons.season_day(2026, "december", 0.0) == date(2026, 12, 21)
    assert seasons.season_day(2026, "december") == sun.winter_solstice(2026)


@pytest.mark.parametrize(
    ("crs", "easting", "northing"), [("EPSG:5186", 229_000.0, 435_500.0), ("EPSG:32755", 690_000.0, 6_090_000.0)]
)
@pytest.mark.parametrize("hour", [9.0, 12.0, 15.0])
def test_shadow_of_a_mast_has_the_suns_length_and_azimuth(
    crs: str, easting: float, northing: float, hour: float
) -> None:
    """North of the equator in December, and south of it in June, the sun stands low on the other side."""
    frame = level(make_frame(crs, easting, northing))
    day = DAY if frame.latitude > 0 else date(2026, 6, 21)
    mast = city(box(0.5, 0.5, 20.0))
    result = study(mast, at=frame, ground_cell=0.25, margin=100.0, days="day", day=day, start=hour, stop=hour)
    azimuth, altitude = sun_at(frame, hour, day)
    length, toward = tip(result)
    assert length == pytest.approx(20.0 / np.tan(np.radians(altitude)), abs=0.6)
    assert (toward - azimuth) % 360 == pytest.approx(180.0, abs=1.0)
    assert (toward < 90 or toward > 270) == (frame.latitude > 0)  # to the north here, to the south there
    assert column(result, "instants", "sun_azimuth")[0] == pytest.approx(azimuth, abs=1e-6)
    assert column(result, "instants", "shadow_per_height")[0] == pytest.approx(1 / np.tan(np.radians(altitude)))


@pytest.mark.parametrize("rise", [0.1, -0.2])
def test_shadow_on_a_slope(rise: float) -> None:
    """Towards the north the ground climbs by `rise` per metre: the ray from the top meets it sooner or later."""
    frame, height = level(), 20.0
    # noon by the sun: it stands in the south and the shadow falls straight up or down the slope
    noon = sun.hour_of_day(DAY, 12.0, frame.longitude, time_basis="solar")
    altitude = float(sun.sun_position([noon], frame.longitude, frame.latitude).apparent_elevation[0])
    mast = city(box(0.5, 0.5, height + 5.0, at=(0, 0, -5.0)))
    result = study(
        mast, on=slope(rise), ground_cell=0.25, margin=110.0, days="day", day=DAY, start=12, stop=12,
        time_basis="solar",
    )  # fmt: skip
    expected = height / (np.tan(np.radians(altitude)) + rise)
    assert tip(result)[0] == pytest.approx(expected, abs=0.7)


def test_net_new_shadow_of_a_box_has_its_closed_form_area() -> None:
    """A box of w x d, h high: outside its footprint h / tan(e) * (w |cos a| + d |sin a|)."""
    result = study(
        city(box(4, 4, 3, at=(-55, -55, 0))), proposal=(city(box(20, 12, 25), name="new"),), ground_cell=0.25, **NOON
    )  # fmt: skip
    azimuth, altitude = sun_at(level(), 12.0)
    reach = 25 / np.tan(np.radians(altitude))
    expected = reach * (20 * abs(np.cos(np.radians(azimuth))) + 12 * abs(np.sin(np.radians(azimuth))))
    assert column(result, "instants", "new_shadow_area")[0] == pytest.approx(expected, rel=0.005)
    assert result.summary["ground_new_area"].value == pytest.approx(expected, rel=0.005)
    outline = layer(result, "outlines")
    assert outline.table.columns["shadow_area"].values[0] == pytest.approx(expected, rel=1e-5)
    assert outline.table.columns["shadow_length"].values[0] == pytest.approx(reach, rel=1e-9)


def test_old_shadow_is_not_new() -> None:
    """A low box in the shadow of a wall that was there before adds nothing."""
    wall = city(box(80, 1, 40, at=(0, -10, 0)))
    result = study(wall, proposal=(city(box(6, 6, 3, at=(0, 5, 0)), name="new"),), **NOON)
    assert column(result, "instants", "shadow_area")[0] > 500
    assert column(result, "instants", "new_shadow_area")[0] == 0


def test_outline_and_cells_agree() -> None:
    result = study(city(box(30, 10, 18, turn=20.0)), outlines="all", ground_cell=0.5, **NOON)
    area = layer(result, "outlines").table.columns["shadow_area"].values[0]
    assert column(result, "instants", "shadow_area")[0] == pytest.approx(area, rel=0.01)


def test_outlines_are_left_out_where_the_ground_is_no_plane() -> None:
    result = study(city(box(10, 10, 20)), on=slope(0.1), outlines="all", **NOON)
    assert "outlines" not in [item.id for item in result.layers]
    assert "sunlight.shadow.not_flat" in {issue.code for issue in result.issues}


def test_time_in_the_shadow_of_a_wall() -> None:
    """A long wall from east to west: a point d north of it is dark while tan(e) < h cos(a) / d."""
    height, distance = 12.0, 15.0
    wall = city(box(900, 0.2, height))
    result = study(wall, on=plain(half=60), margin=30.0, ground_cell=2.0, days="day", day=DAY, step=1.0)
    grid = layer(result, "ground").geometry
    row = int(np.argmin(np.abs(grid.y - distance)))
    at = grid.y[row] - 0.1  # from the north face of the wall
    frame, dark = level(), 0.0
    for minute in range(8 * 60, 16 * 60):
        azimuth, altitude = sun_at(frame, (minute + 0.5) / 60)
        dark += at * np.tan(np.radians(altitude)) < -height * np.cos(np.radians(azimuth))
    found = hours(result)[row]
    assert np.nanmedian(found) * 60 == pytest.approx(dark, abs=1.5)


def test_a_turned_scene_gives_the_same_answer() -> None:
    """True north is not the scene's y axis: a city drawn with another grid north has the same shadows.

    Grid north 30 degrees east of true north: in the drawing everything lies 30 degrees further west.
    """
    turned = replace(tiny_frame(), convergence_deg=30.0)
    options = {"outlines": "all", "ground_cell": 0.5, "start": 12.0, "stop": 12.0}
    here = study(city(box(30, 10, 18)), **options)
    there = study(city(box(30, 10, 18, turn=30.0)), at=turned, **options)
    forgotten = study(city(box(30, 10, 18)), at=turned, **options)
    cells = [column(result, "instants", "shadow_area")[0] for result in (here, there, forgotten)]
    exact = [layer(r, "outlines").table.columns["shadow_area"].values[0] for r in (here, there, forgotten)]
    assert exact[0] == pytest.approx(exact[1], rel=1e-4)
    assert cells[0] == pytest.approx(cells[1], rel=0.01)
    assert abs(exact[0] - exact[2]) > 0.02 * exact[0]


def test_self_shadow_is_told_apart() -> None:
    """An L of two blocks: its low roof is in its own shadow; the roof of the house behind is in that of another."""
    tall_and_low = merge_meshes([box(20, 10, 30), box(20, 10, 6, at=(0, 10, 0))])
    house = Mesh(tall_and_low.vertices, tall_and_low.faces, np.zeros(len(tall_and_low.faces), np.int32))
    behind = box(20, 10, 6, at=(0, 25, 0))
    result = study(city(house, behind), facades=True, facade_spacing=2.0, **NOON)
    roofs = layer(result, "roofs")
    height = roofs.geometry.vertices[roofs.geometry.faces][:, :, 2].mean(axis=1)
    found, element = states(result, "roofs"), roofs.geometry.face_element
    low = (height < 7) & (element == 0)
    assert (found[height > 29] == 0).all()
    assert (found[low] == 2).mean() > 0.8
    assert (found[element == 1] == 3).mean() > 0.8
    walls = layer(result, "facades")
    north = (walls.geometry.face_normal[:, 1] > 0.9) & (walls.geometry.face_element == 1)
    assert (states(result, "facades")[north] == 1).all()


def test_places_add_up_what_is_new() -> None:
    """Two halves of a park as polygons and one as a ring: their sums are those of the cells within."""
    x = np.array([[-40.0, 20], [0, 20], [0, 50], [-40, 50], [0, 20], [40, 20], [40, 50], [0, 50]])
    halves = Mesh(np.column_stack([x, np.zeros(8)]), [[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]], [0, 0, 1, 1])
    names = Column(np.array(["공원 서쪽", "주차장"], dtype=object))
    parks = Layer("parks", "Parks", "parcel", halves, ElementTable(["west", "east"], {"use": names}))
    ring = x[[0, 1, 2, 3, 0]]
    school = Lines(np.column_stack([ring, np.zeros(5)]), np.array([0, 5]), np.zeros(1, int))
    schools = Layer("schools", "Schools", "parcel", school, ElementTable(["school"]))
    options = {"ground_cell": 1.0, "days": "day", "day": DAY, "step": 30}
    result = study(proposal=(city(box(30, 8, 30), name="new"),), places=(parks, schools), **options)
    assert column(result, "places", "id").tolist() == ["west", "east", "school"]
    assert column(result, "places", "area") == pytest.approx([1200, 1200, 1200])
    sums = column(result, "places", "new_shadow_area_time")
    grid = layer(result, "ground").geometry
    inside = np.outer((grid.y > 20) & (grid.y < 50), (grid.x > -40) & (grid.x < 0))
    assert sums[0] == sums[2] == pytest.approx(np.nansum(hours(result, "new_shadow_hours")[inside]))
    assert sums[0] != sums[1]
    assert column(result, "places", "new_shadow_minutes")[0] == pytest.approx(60 * sums[0] / 1200)
    only = study(proposal=(city(box(30, 8, 30), name="new"),), places=(parks,), place_words="공원", **options)
    assert column(only, "places", "id").tolist() == ["west"]


def test_roof_of_a_school_and_panels_on_a_roof() -> None:
    school, new = city(box(20, 20, 10, at=(0, 40, 0))), city(box(20, 5, 50), name="new")
    panel = Layer("pv", "PV", "other", box(10, 10, 0.1, at=(-5, 45, 11.0)), ElementTable(["pv"]))
    result = study(
        school, proposal=(new,), places=(school, panel), facades=True, facade_spacing=1.0, step=30, days="day", day=DAY
    )  # fmt: skip
    area, sums = column(result, "places", "area"), column(result, "places", "new_shadow_area_time")
    assert area == pytest.approx([400, 100], rel=0.02)
    assert 0 < sums[1] < sums[0]
    table = next(t for t in result.tables if t.id == "roofs_list").columns
    assert table["new_shadow_area_time"].values[table["id"].values == "b0"][0] == pytest.approx(sums[0])


def test_fan_of_three_days_has_a_field_for_each_instant() -> None:
    result = study(city(box(10, 10, 20)), days="seasons", start=9, stop=15, interval=180, step=60, ground_cell=4)
    names = [field.name for field in layer(result, "ground").fields if field.categories]
    assert names == [f"2026-{day} {hour}" for day in ("03-20", "06-21", "12-22") for hour in ("0900", "1200", "1500")]
    total = sum(hours(result, f"2026-{day}") for day in ("03-20", "06-21", "12-22"))
    np.testing.assert_allclose(hours(result), total, atol=1e-9)
    lengths = column(result, "instants", "shadow_per_height")
    assert lengths[7] > lengths[1] > lengths[4]  # winter, equinox, summer at twelve


def test_southern_winter_is_in_june() -> None:
    frame = level(make_frame("EPSG:32755", 690_000.0, 6_090_000.0))
    result = study(city(box(10, 10, 20)), at=frame, start=12, stop=12)
    assert layer(result, "ground").fields[0].name == "2026-06-21 1200"


def test_what_cannot_be_asked() -> None:
    block = city(box(10, 10, 20))
    for wrong, code in (
        ({"start": 15.0, "stop": 9.0}, "sunlight.empty_hours"),
        ({"days": "seasons", "interval": 5.0}, "sunlight.shadow.too_many"),
        ({"start": 1.0, "stop": 3.0}, "sunlight.no_sun"),
        ({"ground": False}, "sunlight.shadow.no_target"),
        ({"new_buildings": "nobody"}, "sunlight.rights.unknown_building"),
    ):
        with pytest.raises(UserError) as caught:
            study(block, **wrong)
        assert caught.value.code == code, wrong
    with pytest.raises(UserError) as caught:
        study()
    assert caught.value.code == "sunlight.shadow.nothing"


def test_instants_without_sun_are_told() -> None:
    result = study(city(box(10, 10, 20)), start=6, stop=10, step=60, ground_cell=8)
    assert [f.name[-4:] for f in layer(result, "ground").fields if f.categories] == ["0800", "0900", "1000"]
    assert next(i for i in result.issues if i.code == "sunlight.shadow.dark").count == 2


def test_polar_night_is_refused() -> None:
    with pytest.raises(UserError) as caught:
        study(city(box(10, 10, 20)), at=level(make_frame("EPSG:32633", 500_000.0, 8_700_000.0)), start=0, stop=24)
    assert caught.value.code == "sunlight.no_sun"


def test_stop_is_heard() -> None:
    inputs = STUDY.inputs(
        frame=level(), blockers=(city(box(10, 10, 20)),), proposal=(), places=(), terrain=plain(), relief=(), trees=()
    )
    seen = [0.0]
    feedback = Feedback(lambda fraction, _: seen.append(fraction), lambda: seen[-1] > 0.25)
    with pytest.raises(Cancelled):
        STUDY.run(inputs, STUDY.params(ground_cell=0.5), feedback)
    assert seen[-1] < 0.35
