"""Setback for sunlight: examples worked by hand, north, roads, exemptions, plots."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.contract import Result
from geo.crs import make_frame, transform
from geo.model import Column, ElementTable, Frame, Grid, Layer, Lines, Mesh, Style, UserError
from tests.analysis.setback_plots import (
    FLATS,
    GROUND,
    NORTH,
    SOUTH,
    TALL,
    WIDE,
    houses,
    layer_of,
    only,
    road,
    rows,
    run,
)
from tests.tiny import box_mesh, terrain, tiny_frame
from tests.tiny_parcels import parcels

BEYOND_ROAD = tuple((x, y + 20.0) for x, y in NORTH)


def codes(result: Result) -> set[str]:
    return {issue.code for issue in result.issues}


def test_twenty_metres_high_need_ten_metres() -> None:
    # The northern wall stands 8 m from the boundary: 20 / 2 - 8 = 2 m are missing, and 16 m would be allowed there.
    city = [terrain(), parcels([SOUTH, NORTH]), houses([(10, 32, GROUND, 20, 20, 20)])]
    row = only(run(city))
    assert (row["measured"], row["required"], row["shortage"]) == pytest.approx((8.0, 10.0, 2.0))
    assert (row["height"], row["too_high"]) == pytest.approx((20.0, 4.0))
    assert (row["verdict"], row["other"], row["plot"], row["verified"]) == ("breaks", "p1", "p0", True)
    assert "제86조제1항" in str(row["article"])
    two_metres_south = only(run([*city[:2], houses([(10, 30, GROUND, 20, 20, 20)])]))
    assert (two_metres_south["verdict"], two_metres_south["shortage"]) == ("ok", pytest.approx(0.0))


def test_what_lies_beyond_is_drawn() -> None:
    result = run([terrain(), parcels([SOUTH, NORTH]), houses([(10, 32, GROUND, 20, 20, 20)])])
    beyond, lines = layer_of(result, "beyond"), layer_of(result, "distances")
    assert beyond is not None
    assert lines is not None
    # Above 16 m at the northern wall (y = 52), falling away to 20 m at y = 50.
    assert beyond.geometry.bounds.low == pytest.approx((10.0, 50.0, 36.0), abs=0.06)
    assert beyond.geometry.bounds.high == pytest.approx((30.0, 52.0, 40.0), abs=0.06)
    # Roof 20 x 2 m, wall 20 x 4 m, two triangles of 2 x 4 / 2 m2.
    assert beyond.geometry.face_area.sum() == pytest.approx(40 + 80 + 8)
    assert np.ptp(lines.geometry.vertices[:, 1]) == pytest.approx(8.0)


def test_each_part_of_a_stepped_building_counts_for_itself() -> None:
    # 10 m high at 3 m from the boundary, 18 m high at 9 m, 30 m high at 14 m: only the last part is 1 m too near.
    steps = [(10, 51, GROUND, 20, 6, 10), (10, 46, GROUND, 20, 5, 18), (10, 30, GROUND, 20, 16, 30)]
    mesh, _ = box_mesh(steps)
    body = Mesh(mesh.vertices, mesh.faces, np.zeros(len(mesh.faces), np.int32))
    one = Layer("b", "B", "building", body, ElementTable(["b0"]))
    row = only(run([terrain(), parcels([SOUTH, NORTH]), one]))
    assert (row["measured"], row["required"], row["height"]) == pytest.approx((14.0, 15.0, 30.0))


@pytest.mark.parametrize(("edge", "verdict"), [(10.0, "ok"), (9.0, "breaks")])
def test_the_edition_of_ten_metres_and_the_one_before(edge: float, verdict: str) -> None:
    row = only(run([terrain(), parcels([SOUTH, NORTH]), houses([(10, 38, GROUND, 20, 20, 9.5)])], low_height=edge))
    assert (row["verdict"], row["verified"]) == (verdict, True)
    assert row["required"] == pytest.approx(1.5 if verdict == "ok" else 4.75)


def test_low_parts_keep_one_and_a_half_metres() -> None:
    row = only(run([terrain(), parcels([SOUTH, NORTH]), houses([(10, 39, GROUND, 20, 20, 6)])]))
    assert (row["measured"], row["required"]) == pytest.approx((1.0, 1.5))
    assert row["verdict"] == "breaks"


def test_an_own_number_is_marked_as_not_verified() -> None:
    city = [terrain(), parcels([SOUTH, NORTH]), houses([(10, 32, GROUND, 20, 20, 20)])]
    row = only(run(city, height_factor=0.8))
    assert (row["required"], row["verified"], row["source"]) == (pytest.approx(16.0), False, "own number")


def test_a_notch_in_a_plot_is_its_boundary() -> None:
    # The plot reaches round a neighbour: due north of the building its boundary is at y = 45, not at 60.
    ring = ((0, 0), (40, 0), (40, 45), (20, 45), (20, 60), (0, 60))
    notch = ((20, 45), (40, 45), (40, 60), (20, 60))
    row = only(run([terrain(), parcels([ring, notch, NORTH]), houses([(22, 30, GROUND, 10, 10, 14)])]))
    assert (row["measured"], row["required"], row["other"]) == (pytest.approx(5.0), pytest.approx(7.0), "p1")
    both = rows(run([terrain(), parcels([ring, notch, NORTH]), houses([(15, 30, GROUND, 10, 10, 14)])]))
    assert {row["other"]: row["measured"] for row in both} == pytest.approx({"p1": 5.0, "p2": 20.0})


def test_a_slanted_boundary_is_measured_due_north() -> None:
    # From (30, 40) due north to the line y = 40 + x / 2: 15 m; square to the line it would be 13.4 m.
    low = ((0, 0), (40, 0), (40, 60), (0, 40))
    high = ((0, 40), (40, 60), (40, 120), (0, 120))
    row = only(run([terrain(), parcels([low, high]), houses([(30, 20, GROUND, 8, 20, 32)])]))
    assert (row["measured"], row["required"]) == pytest.approx((15.0, 16.0))


def test_true_north_is_the_same_in_another_coordinate_system() -> None:
    # UTM 52 turns the grid by about a degree here; a slanted boundary makes 0.2 m of that.
    low = ((0, 0), (40, 0), (40, 70), (0, 30))
    high = ((0, 30), (40, 70), (40, 120), (0, 120))
    here = tiny_frame()
    there = make_frame("EPSG:32652", *(float(v) for v in transform(229_000.0, 435_500.0, "EPSG:5186", "EPSG:32652")))
    assert abs(there.convergence_deg - here.convergence_deg) > 0.8
    city = [terrain(), parcels([low, high]), houses([(20, 20, GROUND, 8, 10, 36)])]
    moved = [_moved(layer, here, there) for layer in city[1:]]
    first, second = only(run(city, here)), only(run([city[0], *moved], there))
    assert first["measured"] == pytest.approx(second["measured"], abs=0.02)
    plain = only(run([city[0], *moved], Frame(there.crs, there.origin, there.longitude, there.latitude)))
    assert abs(plain["measured"] - second["measured"]) > 0.1


def _moved(layer: Layer, here: Frame, there: Frame) -> Layer:
    shape = layer.geometry
    points = here.to_map(shape.vertices)
    east, north = transform(points[:, 0], points[:, 1], here.crs, there.crs)
    local = there.to_local(np.column_stack([east, north, points[:, 2]]))
    if isinstance(shape, Lines):
        return layer.with_(geometry=Lines(local, shape.offsets, shape.line_element))
    return layer.with_(geometry=Mesh(local, shape.faces, shape.face_element))


@pytest.mark.parametrize(("level", "height"), [("both", 17.0), ("plot", 20.0)])
def test_heights_count_from_the_mean_of_both_plots(level: str, height: float) -> None:
    # The ground rises by 1 m in 10 m to the north: the plots lie at 23 m and 29 m, their mean is 26 m.
    y = np.arange(-20.0, 160.0, 2.0)
    slope = Grid(np.repeat((20.0 + y / 10.0)[:, None], 60, axis=1), -30.0, -20.0, 2.0)
    ground = Layer("terrain", "T", "terrain", slope)
    city = [ground, parcels([SOUTH, NORTH]), houses([(10, 30, 23.0, 20, 20, 20)])]
    row = only(run(city, ground_level=level))
    assert row["height"] == pytest.approx(height, abs=0.02)
    assert row["required"] == pytest.approx(height / 2, abs=0.01)


def test_without_terrain_the_base_of_the_building_counts() -> None:
    result = run([parcels([SOUTH, NORTH]), houses([(10, 32, GROUND, 20, 20, 20)])])
    assert only(result)["height"] == pytest.approx(20.0)
    assert "sunlight.setback.no_terrain" in codes(result)


def test_beyond_a_road_the_opposite_boundary_counts() -> None:
    city = [terrain(), parcels([SOUTH, BEYOND_ROAD]), road(60, 80, 12.0)]
    plain = only(run([*city, houses(TALL, ["단독주택"])]))
    assert (plain["measured"], plain["verdict"], plain["other"]) == (pytest.approx(30.0), "ok", "p1")
    flats = only(run([*city, houses(TALL, ["공동주택(아파트)"])]))
    assert (flats["measured"], flats["verdict"]) == (pytest.approx(20.0), "breaks")


@pytest.mark.parametrize("theme", ["water", "rail"])
def test_rivers_and_railways_count_like_roads(theme: str) -> None:
    city = [terrain(), parcels([SOUTH, BEYOND_ROAD]), road(60, 80, 12.0, theme=theme), houses(TALL)]
    assert only(run(city))["measured"] == pytest.approx(30.0)


def test_a_park_among_the_parcels_counts_like_a_road() -> None:
    park = ((0, 60), (40, 60), (40, 80), (0, 80))
    city = [terrain(), parcels([SOUTH, park, BEYOND_ROAD], land_use=["대", "근린공원", "대"]), houses(TALL)]
    row = only(run(city))
    assert (row["measured"], row["other"]) == (pytest.approx(30.0), "p2")


def test_a_gap_that_is_no_road_needs_review() -> None:
    row = only(run([terrain(), parcels([SOUTH, BEYOND_ROAD]), houses(TALL)]))
    assert (row["measured"], row["verdict"], row["reason"]) == (
        pytest.approx(10.0),
        "needs_review",
        "neighbour_unknown",
    )


@pytest.mark.parametrize(
    ("plan", "width", "verdict", "reason"),
    [
        ("yes", 20.0, "ok", "wide_road"),
        ("unknown", 20.0, "needs_review", "plan_unknown"),
        ("no", 20.0, "breaks", ""),
        ("yes", 19.0, "breaks", ""),
    ],
)
def test_a_wide_road_in_a_district_plan_exempts(plan: str, width: float, verdict: str, reason: str) -> None:
    city = [terrain(), parcels([SOUTH, BEYOND_ROAD]), road(60, 80, width), houses([(10, 30, GROUND, 20, 20, 70)])]
    row = only(run(city, district_plan=plan))
    assert (row["verdict"], row["reason"]) == (verdict, reason)


def test_other_exemptions() -> None:
    city = [terrain(), parcels([SOUTH, NORTH], zoning=["제2종일반주거지역", "근린상업지역"]), houses(TALL)]
    assert (only(run(city))["verdict"], only(run(city))["reason"]) == ("ok", "neighbour_zone")
    city[1] = parcels([SOUTH, NORTH], zoning=["준주거지역", "제2종일반주거지역"])
    assert only(run(city))["reason"] == "not_residential"
    city[1] = parcels([SOUTH, NORTH])
    assert only(run(city, agreement=True))["reason"] == "agreement"
    special = only(run(city, special_district=True))
    assert (special["verdict"], special["reason"]) == ("needs_review", "special_district")


def test_without_zoning_nothing_is_told() -> None:
    for zoning in (None, [None, None], ["??", ""]):
        result = run([terrain(), parcels([SOUTH, NORTH], zoning=zoning), houses(TALL)])
        assert (only(result)["verdict"], only(result)["reason"]) == ("cannot_tell", "no_zoning")
        assert "sunlight.setback.no_zoning" in codes(result)
        assert layer_of(result, "envelope") is None


def test_a_column_of_another_name_is_read_and_a_wrong_one_refused() -> None:
    layer = parcels([SOUTH, NORTH], zoning=None)
    said = Column(np.array(["제1종전용주거지역"] * 2, dtype=object))
    layer = layer.with_(table=layer.table.with_columns({"my zone": said}))
    city = [terrain(), layer, houses(TALL)]
    assert only(run(city, zoning_column="my zone"))["verdict"] == "breaks"
    with pytest.raises(UserError) as caught:
        run(city, zoning_column="zones")
    assert caught.value.code == "sunlight.setback.no_column"


def test_a_building_over_two_parcels_makes_them_one_plot() -> None:
    # The boundary at y = 30 lies under the building: it is none for it.
    halves = [((0, 0), (40, 0), (40, 30), (0, 30)), ((0, 30), (40, 30), (40, 60), (0, 60))]
    result = run([terrain(), parcels([*halves, NORTH]), houses([(10, 20, GROUND, 20, 30, 30)])])
    row = only(result)
    assert (row["plot"], row["measured"], row["required"]) == ("p0 + p1", pytest.approx(10.0), pytest.approx(15.0))
    assert "sunlight.setback.joined" in codes(result)


def test_drawn_twice_crossing_empty_and_open_parcels() -> None:
    bow = ((0, 200), (10, 210), (10, 200), (0, 210))
    flat = ((0, 300), (10, 300), (20, 300))
    result = run([terrain(), parcels([SOUTH, NORTH, SOUTH, bow, flat]), houses([(10, 32, GROUND, 20, 20, 20)])])
    assert only(result)["measured"] == pytest.approx(8.0)
    assert {f"sunlight.setback.{name}" for name in ("twins", "crossing", "no_area")} <= codes(result)
    assert result.summary["plots"].value == 3
    line = Lines(np.array([[0.0, 0, 0], [9, 9, 0]]), np.array([0, 2]), np.array([0]))
    with pytest.raises(UserError) as caught:
        run([terrain(), Layer("p", "P", "parcel", line, ElementTable(["p"])), houses(TALL)])
    assert caught.value.code == "sunlight.setback.no_parcels"


def test_a_hole_in_a_parcel_is_not_part_of_it() -> None:
    hole = ((10, 40), (30, 40), (30, 50), (10, 50))
    city = [terrain(), parcels([SOUTH, hole, NORTH], element=[0, 0, 1]), houses([(12, 20, GROUND, 10, 10, 24)])]
    row = only(run(city))
    assert (row["measured"], row["verdict"], row["reason"]) == (
        pytest.approx(10.0),
        "needs_review",
        "neighbour_unknown",
    )


def test_a_building_on_no_parcel_cannot_be_told() -> None:
    result = run([terrain(), parcels([SOUTH, NORTH]), houses([(200, 0, GROUND, 10, 10, 10)])])
    assert only(result, "plot")["verdict"] == "cannot_tell"
    assert "sunlight.setback.homeless" in codes(result)


def test_a_building_that_reaches_beyond_its_plot_is_told() -> None:
    result = run([terrain(), parcels([SOUTH]), houses([(10, 40, GROUND, 20, 23, 9)])])
    issue = next(i for i in result.issues if i.code == "sunlight.setback.beyond_plot")
    assert issue.values["most"] == pytest.approx(3.0)


def test_a_model_takes_the_use_of_the_hidden_building_in_its_place() -> None:
    hidden = houses([(50, 50, GROUND, 40, 12, 40)], [FLATS])
    hidden = hidden.with_(style=Style(hidden=frozenset(["b0"])))
    model = houses([(51, 50, GROUND, 38, 12, 40)]).with_(id="m", name="M", theme="bim")
    result = run([terrain(), parcels([WIDE]), hidden, model], north=False, spacing=False)
    assert rows(result, "daylight", "M")
    assert "sunlight.setback.use_taken" in codes(result)
    alone = run([terrain(), parcels([WIDE]), model], north=False, spacing=False)
    assert not rows(alone, "daylight", "M")
    assert "sunlight.setback.no_use" in codes(alone)


def test_a_small_lift_house_does_not_count_and_a_large_one_does() -> None:
    for side, height in ((6.0, 20.0), (12.0, 24.0)):
        mesh, _ = box_mesh([(10, 30, GROUND, 20, 20, 20), (14, 36, GROUND + 20, side, side, 4)])
        one = Mesh(mesh.vertices, mesh.faces, np.zeros(len(mesh.faces), np.int32))
        city = [terrain(), parcels([SOUTH, NORTH]), Layer("b", "B", "building", one, ElementTable(["b0"]))]
        envelope = run(city, height_factor=0.6)
        counted = max(float(row["height"]) for row in rows(envelope))
        assert counted == pytest.approx(height if side > 6 else 20.0)
        assert ("sunlight.setback.rooftops" in codes(envelope)) == (side < 10)
