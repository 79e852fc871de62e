"""Ventilation corridors: lanes where streets are, ages as in closed form, blame that a second solution bears out."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.contract import Result, Table
from analysis.corridor.blame import closings_of
from analysis.corridor.city import Downwind, open_across, strips_of
from analysis.corridor.criteria import FAIL, PASS, UNKNOWN, judge
from analysis.corridor.lanes import Lane, Sides, bottlenecks_of, sides_of
from analysis.corridor.lattice import Air, Lattice, steps_by_flow
from analysis.corridor.paths import best_path
from analysis.registry import get
from analysis.run import execute
from analysis.wind.age import age_at, age_of_air
from analysis.wind.domain import Axes
from analysis.wind.flow import Flow, Heading
from analysis.wind.levels import Kept, Solved
from analysis.wind.profile import log_inflow
from analysis.wind.scene_map import SceneMap
from analysis.wind.tunnel import Tunnel
from geo.model import Feedback, Grid, Layer, Lines
from tests.tiny import buildings, terrain, tiny_frame
from tests.tiny_wind import steady_winds

Floats = NDArray[np.float64]
Box = tuple[float, float, float, float, float, float]

QUICK: dict[str, object] = {
    "cell": 8.0, "size": 240.0, "thoroughness": "preview", "exposure": "D", "wind_from": 270.0, "form_cell": 50.0,
    "lanes": 3, "checked": 0,
}  # fmt: skip
# Three long blocks along x: between them a street of 16 m in the south and one of 48 m in the north.
STREETS: list[Box] = [
    (-112.0, -120.0, 20.0, 224.0, 60.0, 24.0),
    (-112.0, -44.0, 20.0, 224.0, 56.0, 24.0),
    (-112.0, 60.0, 20.0, 224.0, 60.0, 24.0),
]
PLUG: Box = (-10.0, 12.0, 20.0, 16.0, 48.0, 24.0)  # across the wide street


def quarter(boxes: list[Box]) -> list[Box]:
    """Turned by 90 degrees counter-clockwise: a west wind's city becomes a south wind's."""
    return [(-y - d, x, z, d, w, h) for x, y, z, w, d, h in boxes]


@cache
def study(boxes: tuple[Box, ...], weather: tuple[float, ...] = (), **params: object) -> Result:
    layers = [terrain(20.0, 500.0, 20.0)]
    if boxes:
        layers.append(buildings(list(boxes)))
    if weather:
        layers.append(steady_winds(list(weather)))
    return execute(get("wind.corridor"), layers=layers, frame=tiny_frame(), params={**QUICK, **params})


def table(result: Result, name: str) -> Table:
    return next(part for part in result.tables if part.id == name)


def column(result: Result, name: str, key: str) -> list[object]:
    return list(table(result, name).columns[key].values.tolist())


def part(result: Result, name: str) -> Layer:
    return next(layer for layer in result.layers if layer.source.part == name)


def lane_points(result: Result, number: int) -> Floats:
    shape = part(result, "lanes").geometry
    assert isinstance(shape, Lines)
    return shape.vertices[shape.offsets[number] : shape.offsets[number + 1]]


# The age of the air in flows that are given.


def even_flow(angle_deg: float, nut: float, *, speed: float = 2.0) -> Solved:
    """The same wind everywhere in an empty tunnel of 40 x 40 cells of 10 m, towards `angle_deg` from x; no walls."""
    faces = np.arange(-200.0, 201.0, 10.0)
    z = np.arange(7) * 5.0
    shape = (len(z) - 1, len(faces) - 1, len(faces) - 1)
    flat = np.zeros(shape[1:], np.float32)
    tunnel = Tunnel(
        faces, faces, z, 0.0, np.zeros(2), 0.0, np.zeros(shape, np.int8), flat, None, flat + 0.1, 0.01,
        np.full(shape[1:], -1, np.int32), np.array([-100.0, -100.0, 100.0, 100.0]),
    )  # fmt: skip
    wind_from = (270.0 - angle_deg) % 360.0
    heading = Heading.of(tunnel, wind_from)
    full = tuple(n + 4 for n in shape)
    u, v = (np.full(full, speed * part, np.float32) for part in (heading.along_x, heading.along_y))
    rest = [np.zeros(full, np.float32) for _ in range(4)]
    flow = Flow(u, v, rest[0], rest[1], rest[2], rest[3], np.full(full, nut, np.float32))
    wind = log_inflow(wind_from, speed=speed, height=10.0, roughness=0.1)
    return Solved(tunnel, Kept(flow, tunnel, heading), wind, 0.0, 0.0, (1,), True, 0.0, 0)


@pytest.mark.parametrize("angle", [0.0, 90.0, 180.0, 270.0])
def test_age_in_an_even_stream_is_distance_over_speed(angle: float) -> None:
    solved = even_flow(angle, 1e-6)
    found = age_at(age_of_air(solved, Feedback()), solved, 7.0)
    middle = np.arange(-195.0, 200.0, 10.0)
    way = np.clip(middle + 100.0, 0.0, 200.0) / 2.0  # [s] since the windward edge of the study area
    along = found if angle in (0.0, 180.0) else found.T
    want = way if angle in (0.0, 90.0) else way[::-1]
    inside = np.abs(middle) < 100.0
    # Upwind differences put the age of a cell at its leeward face: half a cell, 2.5 s.
    np.testing.assert_allclose(along[20][inside], want[inside] + 2.5, rtol=1e-3)
    np.testing.assert_allclose(along[20][middle > 100.0] if angle in (0.0, 90.0) else 100.0, 100.0, rtol=1e-3)
    beside = np.abs(middle) > 100.0
    np.testing.assert_allclose(along[~beside], np.broadcast_to(along[20], along[~beside].shape), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(along[beside], 0.0, atol=1e-3)  # the wind beside the area does not come over it


def test_age_from_the_border_and_along_a_slanting_wind() -> None:
    solved = even_flow(30.0, 1e-6)
    age = age_of_air(solved, Feedback(), everywhere=True)
    found = age_at(age, solved, 7.0)
    # The way from the border to (100, 100): it came in through x = -200 or y = -200, whichever is nearer along it.
    way = min(300.0 / np.cos(np.radians(30.0)), 300.0 / np.sin(np.radians(30.0)))
    assert found[29, 29] == pytest.approx(way / 2.0, rel=0.06)
    assert age.rounds < 10


def test_mixing_brings_the_age_of_the_exact_solution_along_the_wind() -> None:
    """Even wind and diffusion along it: c'' D - u c' + 1 = 0 has c = x / u far from the outlet, whatever D."""
    solved = even_flow(0.0, 7.0)
    found = age_at(age_of_air(solved, Feedback(), everywhere=True, settled=1e-6), solved, 7.0)
    slope = np.diff(found[20, 5:30]) / 10.0
    np.testing.assert_allclose(slope, 0.5, rtol=0.02)


def test_nothing_ages_in_solids_and_what_rests_does_not_break_it() -> None:
    solved = even_flow(0.0, 0.5)
    solved.kept.flow.nut[:, 20:24, 20:24] = 0.0
    for a in solved.kept.flow[:3]:
        a[:, 20:24, 20:25] = 0.0
    age = age_of_air(solved, Feedback())
    assert (age.values[:, 20:24, 20:24] == 0.0).all()
    assert np.isfinite(age.values).all()
    assert (age.values >= 0.0).all()


# What is measured on the raster alone.


def city_of(above: Floats, fine: float = 2.0, element: NDArray[np.int32] | None = None) -> Downwind:
    number = np.where(above > 0.0, 0, -1).astype(np.int32) if element is None else element
    rows, columns = above.shape
    return Downwind(Axes(0.0, np.zeros(2)), columns * fine - 200.0, rows * fine - 200.0, fine, above, number)


def test_open_share_of_a_row_with_gaps_is_that_of_the_gaps() -> None:
    above = np.zeros((200, 200))  # 400 m wide, of which the inner 200 m are the area
    above[50:150, 90:100] = 30.0  # a row right across
    above[70:80, 90:100] = 0.0  # two gaps of 20 m and 30 m
    above[110:125, 90:100] = 0.0
    above[125:150, 90:100] = 6.0  # 50 m of it only 6 m high
    strips = strips_of(city_of(above), 50.0, 15.0)
    assert len(strips.open_share) == 4
    want = (20.0 + 30.0 + 50.0 * (1.0 - 6.0 / 15.0)) / 200.0
    np.testing.assert_allclose(strips.open_share, [1.0, want, 1.0, 1.0])
    np.testing.assert_allclose(strips.distance, [25.0, 75.0, 125.0, 175.0])


def test_open_width_across() -> None:
    is_open = np.array([[1, 0], [1, 1], [0, 1], [1, 1]], dtype=bool)
    np.testing.assert_array_equal(open_across(is_open), [[2, 0], [2, 3], [0, 3], [1, 3]])


def test_width_and_bottleneck_of_a_street_that_narrows() -> None:
    above, element = np.zeros((200, 200)), np.full((200, 200), -1, np.int32)
    for rows, number in ((slice(60, 90), 0), (slice(110, 140), 1)):  # a street of 40 m along the wind
        above[rows, 50:150], element[rows, 50:150] = 20.0, number
    above[100:110, 95:100], element[100:110, 95:100] = 12.0, 2  # a house of 20 m on its left half
    city = city_of(above, element=element)
    xy = np.column_stack([np.arange(-96.0, 97.0, 4.0), np.full(49, -10.0)])
    sides = sides_of(city, xy)
    assert np.median(sides.width) == pytest.approx(40.0, abs=1.0)
    assert sides.width.min() == pytest.approx(20.0, abs=1.0)
    (neck,) = bottlenecks_of(city, xy, sides)
    assert neck.elements == (0, 2)
    assert neck.lost[0] == pytest.approx(0.0, abs=0.1)
    assert neck.lost[1] == pytest.approx(20.0, abs=1.0)
    lane = Lane(xy, 200.0, sides, np.full(49, 0.5), (neck,))
    judged = judge(lane, np.full(49, 0.3), form_cell=100.0, area_length=200.0)
    assert judged.obstacle_share == pytest.approx(0.5, abs=0.03)
    assert judged.obstacle_height == 12.0
    assert judged.width_over_height == pytest.approx(20.0 / 20.0, abs=0.06)
    # Elsewhere the street is twice as wide as high, and the house is short.
    assert judged.verdicts == (PASS, UNKNOWN, FAIL, PASS, FAIL, FAIL, FAIL)
    (blamed, *_) = [one for one in closings_of(city, [lane], 10) if 2 in one.elements]
    assert blamed.elements == (2,)
    assert neck.confined == pytest.approx((60.0 + 80.0) / 200.0, abs=0.02)
    assert blamed.narrowed == pytest.approx(20.0 * 0.7, abs=1.0)


def test_a_wide_long_lane_passes_what_it_should_and_a_rough_cell_wider_than_it_says_nothing() -> None:
    count = 121
    xy = np.column_stack([np.linspace(-600.0, 600.0, count), np.zeros(count)])
    sides = Sides(np.full((2, count), 45.0), np.zeros((2, count), np.int32), np.full((2, count), 22.0))
    lane = Lane(xy, 1200.0, sides, np.full(count, 0.5), ())
    fine = judge(lane, np.full(count, 0.4), form_cell=100.0, area_length=1200.0)
    assert fine.verdicts == (PASS, PASS, PASS, PASS, PASS, PASS, PASS)
    assert fine.failed == 0
    rough = judge(lane, np.full(count, 1.4), form_cell=100.0, area_length=1200.0)
    assert rough.verdicts[0] == UNKNOWN
    assert judge(lane, np.full(count, 1.4), form_cell=50.0, area_length=1200.0).verdicts[0] == FAIL


def test_a_house_in_a_field_closes_little_and_one_across_a_street_all_of_it() -> None:
    above, element = np.zeros((250, 300)), np.full((250, 300), -1, np.int32)
    above[170:190, 140:150], element[170:190, 140:150] = 20.0, 3  # 40 m in the field
    for rows, number in ((slice(60, 80), 0), (slice(100, 120), 1)):  # a street of 40 m
        above[rows, 60:240], element[rows, 60:240] = 20.0, number
    above[80:100, 140:150], element[80:100, 140:150] = 20.0, 2  # closed by a block that touches both
    found = {one.elements: one for one in closings_of(city_of(above, element=element), [], 10)}
    assert found[(2,)].closed == pytest.approx(40.0, rel=0.01)
    assert found[(3,)].closed < 0.4 * found[(2,)].closed
    closed = found[(2,)].corridor
    assert closed[80:100, 90:140].all()
    assert closed[80:100, 150:200].all()
    assert not closed[80:100, 140:150].any()


# Ways on a lattice.


def lattice_of(closed: NDArray[np.bool_], cell: float = 5.0) -> Lattice:
    rows, columns = closed.shape
    x, y = (cell * (np.arange(count) - 0.5 * (count - 1)) for count in (columns, rows))
    place = SceneMap(float(x[0]), float(y[0]), cell, np.zeros((closed.size, 2)), np.ones(closed.shape, dtype=bool))
    return Lattice(x, y, cell, place, closed)


def test_the_air_takes_the_way_that_takes_least_time_and_never_goes_through_a_corner() -> None:
    closed = np.zeros((9, 20), dtype=bool)
    closed[3:6, 10] = True
    along = np.full(closed.shape, 0.5)
    along[1] = 1.0  # a fast row
    steps = steps_by_flow(lattice_of(closed), Air(along, np.zeros(closed.shape), along))
    found = best_path(lattice_of(closed), steps)
    assert found is not None
    assert set((found.cells // 20).tolist()) == {1}
    assert found.cost == pytest.approx(19 * 5.0)
    closed[:, 10] = True
    closed[4, 10] = False  # one gap, diagonal steps beside it are barred
    through = best_path(lattice_of(closed), steps_by_flow(lattice_of(closed), Air(along, along * 0, along)))
    assert through is not None
    row, place = through.cells // 20, through.cells % 20
    assert (row[(place >= 9) & (place <= 11)] == 4).all()
    closed[4, 10] = True
    assert best_path(lattice_of(closed), steps_by_flow(lattice_of(closed), Air(along, along * 0, along))) is None


def test_going_against_the_wind_is_dear() -> None:
    closed = np.zeros((3, 12), dtype=bool)
    there, back = np.full(closed.shape, 0.8), np.full(closed.shape, -0.8)
    with_it = best_path(lattice_of(closed), steps_by_flow(lattice_of(closed), Air(there, there * 0, there)))
    against = best_path(lattice_of(closed), steps_by_flow(lattice_of(closed), Air(back, back * 0, back)))
    assert with_it is not None
    assert against is not None
    assert against.cost > 10.0 * with_it.cost


# The whole study.


def test_of_two_streets_the_wider_is_the_better_lane() -> None:
    result = study(tuple(STREETS))
    assert column(result, "criteria", "lane") == ["W-1", "W-2"]
    np.testing.assert_allclose(column(result, "criteria", "lane_width"), [48.0, 16.0], atol=2.0)
    np.testing.assert_allclose(column(result, "criteria", "length"), 240.0, rtol=0.01)
    better, worse = column(result, "criteria", "lane_ratio")
    assert better > 1.5 * worse  # type: ignore[operator]
    assert 12.0 < lane_points(result, 0)[:, 1].min() < lane_points(result, 0)[:, 1].max() < 60.0
    assert -60.0 < lane_points(result, 1)[:, 1].min() < lane_points(result, 1)[:, 1].max() < -44.0
    # The blocks take (240 - 64) m of 240 m and are higher than the layer.
    assert result.summary["least_open"].value == pytest.approx(100.0 * 64.0 / 240.0, abs=1.0)
    ages = np.asarray(part(result, "map").field_named("age_of_air").values)  # type: ignore[union-attr]
    assert np.nanmin(ages) >= 0.0
    assert part(result, "form").field_named("roughness_W") is not None


def test_a_block_that_closes_a_street_is_blamed_and_freeing_it_is_confirmed() -> None:
    result = study((*STREETS, PLUG), checked=1)
    blame = table(result, "closing").columns
    assert blame["buildings"].values[0] == "b3"
    assert blame["checked_by"].values[0] == "solved without it"
    assert blame["confirmed"].values[0] == "yes"
    assert blame["corridor_ratio_change"].values[0] > 10.0
    assert blame["corridor_age_change"].values[0] < -10.0
    assert blame["area_ratio_after"].values[0] > blame["area_ratio_before"].values[0]
    assert all(word == "form only" for word in blame["checked_by"].values[1:])
    assert np.isnan(blame["corridor_ratio_after"].values[1:]).all()
    assert column(result, "criteria", "lane") == ["W-1"]  # the narrow street is the only way
    assert lane_points(result, 0)[:, 1].max() < -44.0
    change = np.asarray(part(result, "map").field_named("freed_1").values)  # type: ignore[union-attr]
    assert np.nanmax(change) > 0.02


def test_a_turned_city_has_turned_lanes() -> None:
    west, south = study(tuple(STREETS)), study(tuple(quarter(STREETS)), wind_from=180.0)
    assert column(south, "criteria", "lane") == ["S-1", "S-2"]
    for key in ("lane_width", "length", "lane_ratio", "resistance"):
        np.testing.assert_allclose(column(south, "criteria", key), column(west, "criteria", key), rtol=0.03)
    one, other = lane_points(west, 0), lane_points(south, 0)
    np.testing.assert_allclose(other[:, 0], -one[:, 1], atol=8.1)
    np.testing.assert_allclose(other[:, 1], one[:, 0], atol=8.1)
    assert south.summary["mean_age"].value == pytest.approx(west.summary["mean_age"].value, rel=0.02)


def test_a_symmetric_city_has_symmetric_lanes() -> None:
    row = [(-112.0, -120.0, 20.0, 224.0, 60.0, 24.0), (-112.0, 60.0, 20.0, 224.0, 60.0, 24.0)]
    middle: list[Box] = [(-112.0, -28.0, 20.0, 224.0, 56.0, 24.0)]
    turn = 270.0 - float(tiny_frame().grid_azimuth(np.array([270.0]))[0])  # along the city's axis, not true west
    result = study((*row, *middle), wind_from=270.0 + turn)
    widths, ratios = column(result, "criteria", "lane_width"), column(result, "criteria", "lane_ratio")
    assert len(widths) == 2
    assert widths[0] == pytest.approx(widths[1], abs=0.1)
    assert ratios[0] == pytest.approx(ratios[1], rel=0.01)
    south, north = sorted((lane_points(result, k)[:, 1] for k in (0, 1)), key=lambda y: float(y.mean()))
    np.testing.assert_allclose(south, -north, atol=0.1)


def test_without_buildings_there_is_one_lane_everywhere_and_nobody_to_blame() -> None:
    result = study((), checked=1)
    assert column(result, "criteria", "lane") == ["W-1"]
    assert len(table(result, "closing")) == 0
    assert result.summary["least_open"].value == 100.0
    assert result.summary["local_ratio"].value == pytest.approx(result.summary["site_ratio"].value, rel=0.02)
    assert "wind.no_buildings" in {issue.code for issue in result.issues}


def test_the_rose_says_which_winds_and_how_much_they_count() -> None:
    result = study((STREETS[1],), (270.0, 270.0, 270.0, 0.0), share=100.0, most_directions=2, cell=12.0, age=False)
    assert column(result, "winds", "wind_direction") == ["W", "N"]
    np.testing.assert_allclose(column(result, "winds", "wind_share"), [75.0, 25.0], atol=1.0)
    assert result.summary["covered"].value == pytest.approx(100.0)
    share = np.asarray(column(result, "winds", "wind_share"), dtype=float) / 100.0
    layer = part(result, "map")
    both = [np.asarray(layer.field_named(f"velocity_ratio_{name}").values) for name in "WN"]  # type: ignore[union-attr]
    whole = np.asarray(layer.field_named("velocity_ratio").values)  # type: ignore[union-attr]
    np.testing.assert_allclose(whole, share[0] * both[0] + share[1] * both[1])
    assert layer.field_named("age_of_air") is None
    alone = study((STREETS[1],), (270.0, 270.0, 270.0, 0.0), share=60.0, most_directions=4, cell=12.0, age=False)
    assert column(alone, "winds", "wind_direction") == ["W"]


def test_ratio_around_a_site_and_lanes_by_the_form_alone() -> None:
    result = study(tuple(STREETS), site="b1", cost="form", age=False)
    assert result.summary["site_ratio"].value != result.summary["local_ratio"].value
    assert column(result, "criteria", "lane")[0] == "W-1"
    grid = part(result, "map").geometry
    assert isinstance(grid, Grid)
    assert "mean_age" not in result.summary


def test_the_reference_height_only_scales_the_ratio() -> None:
    high, low = study((STREETS[1],), age=False), study((STREETS[1],), age=False, reference_height=10.0)
    factor = np.log((500.0 + 0.01) / 0.01) / np.log((10.0 + 0.01) / 0.01)
    one, other = (part(result, "map").fields[0].values for result in (high, low))
    np.testing.assert_allclose(np.asarray(one) * factor, other, rtol=1e-5)


def test_a_wall_right_across_leaves_no_lane_and_is_blamed() -> None:
    result = study(((-10.0, -150.0, 20.0, 16.0, 300.0, 24.0),), cell=10.0, checked=1, age=False)
    assert "wind.corridor.no_lane" in {issue.code for issue in result.issues}
    assert len(table(result, "criteria")) == 0
    assert result.summary["least_open"].value == pytest.approx(0.0, abs=0.1)
    assert column(result, "closing", "confirmed") == ["yes"]


def test_three_hundred_and_sixty_is_north_and_runs_repeat() -> None:
    block = ((-20.0, -20.0, 20.0, 40.0, 40.0, 24.0),)
    north, again = (study(block, cell=12.0, wind_from=angle, size=100.0) for angle in (0.0, 360.0))
    assert column(again, "winds", "wind_direction") == ["N"]
    for one, other in zip(part(north, "map").fields, part(again, "map").fields, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
