"""Setback for sunlight: examples worked by hand, the letters of the rules, north, ground, and hostile parcels."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.contract import Result
from analysis.registry import get
from analysis.run import execute
from analysis.sunlight_setback.ahead import Land, strips_ahead, turning
from analysis.sunlight_setback.cutting import cut
from analysis.sunlight_setback.declaration import SetbackParams
from analysis.sunlight_setback.rules import rulebook
from analysis.sunlight_setback.solid import Block, solid_under
from geo.crs import make_frame, transform
from geo.model import Column, ElementTable, Frame, Grid, Layer, Lines, Mesh, Style, UserError
from tests.tiny import box_mesh, terrain, tiny_frame
from tests.tiny_parcels import parcels

Box = tuple[float, float, float, float, float, float]
GROUND = 20.0
# Two plots, the southern one 40 m wide and 60 m deep; its northern boundary at y = 60.
SOUTH = ((0.0, 0.0), (40.0, 0.0), (40.0, 60.0), (0.0, 60.0))
NORTH = ((0.0, 60.0), (40.0, 60.0), (40.0, 120.0), (0.0, 120.0))
BEYOND_ROAD = tuple((x, y + 20.0) for x, y in NORTH)
PLAN_NORTH = Frame("EPSG:5186", (229_000.0, 435_500.0, 0.0), 127.3, 36.5, convergence_deg=0.0)


def houses(boxes: list[Box], uses: list[str] | None = None) -> Layer:
    mesh, _ = box_mesh(boxes)
    said = {} if uses is None else {"use": Column(np.array(uses, dtype=object))}
    return Layer("b", "B", "building", mesh, ElementTable([f"b{k}" for k in range(len(boxes))], said))


def road(south: float, north: float, width: float, *, theme: str = "road") -> Layer:
    corners = np.array([[-50, south, 20], [90, south, 20], [90, north, 20], [-50, north, 20]], dtype=float)
    mesh = Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]]), np.zeros(2, np.int32))
    return Layer("r", "R", theme, mesh, ElementTable(["r"], {"width": Column(np.array([width]), "m")}))


def run(layers: list[Layer], frame: Frame = PLAN_NORTH, **params: object) -> Result:
    return execute(get("sunlight.setback"), layers=layers, frame=frame, params=params)


def rows(result: Result, rule: str = "north", building: str = "b0") -> list[dict[str, object]]:
    table = next(t for t in result.tables if t.id == "findings")
    named = [dict(zip(table.columns, row, strict=True)) for row in table.rows()]
    return [row for row in named if row["rule"] == rule and row["building"] == building]


def only(result: Result, rule: str = "north", building: str = "b0") -> dict[str, object]:
    found = rows(result, rule, building)
    assert len(found) == 1
    return found[0]


def codes(result: Result) -> set[str]:
    return {issue.code for issue in result.issues}


def layer_of(result: Result, part: str) -> Layer | None:
    return next((layer for layer in result.layers if layer.source.part == part), None)


def edges_of(faces: np.ndarray) -> Counter[tuple[int, int]]:
    return Counter((int(f[k]), int(f[(k + 1) % 3])) for f in faces for k in range(3))


def volume(points: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (points[faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


# --- the setback from the north


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


# --- roads, parks and exemptions

TALL = [(10, 30, GROUND, 20, 20, 50)]  # 10 m from its boundary; 25 m are asked for


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


# --- plots


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


# --- the envelope


def test_envelope_is_watertight_and_has_the_volume_of_the_rule() -> None:
    result = run([terrain(), parcels([SOUTH, NORTH])], drawn_height=60.0)
    layer = layer_of(result, "envelope")
    assert layer is not None
    mine = layer.geometry.face_element == 0
    faces = layer.geometry.faces[mine]
    edges = edges_of(faces)
    assert all(edges[(b, a)] == count == 1 for (a, b), count in edges.items())
    # 40 m wide: 10 m high over 3.5 m, a slope of 2 from 10 to 60 m over 25 m, 60 m over the other 30 m.
    expected = 40 * (3.5 * 10 + 25 * 35 + 30 * 60)
    assert volume(layer.geometry.vertices, faces) == pytest.approx(expected, rel=1e-6)
    assert 0 < layer.style.opacity < 1
    values = layer.field_named("allowed_height").values
    assert (values.min(), values.max()) == pytest.approx((0.0, 60.0))


def test_envelope_of_a_crooked_plot_is_watertight() -> None:
    ring = ((0, 0), (45, 5), (38, 40), (25, 31), (22, 58), (3, 50), (-6, 20))
    around = ((-60, -60), (100, -60), (100, 120), (-60, 120))
    layer = parcels([around, ring, ring], element=[0, 0, 1])
    shape = layer_of(run([terrain(), layer], frame=tiny_frame()), "envelope").geometry
    faces = shape.faces[shape.face_element == 1]
    edges = edges_of(faces)
    assert all(edges[(b, a)] == count for (a, b), count in edges.items())
    assert volume(shape.vertices, faces) > 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-5, 5)] * 3), min_size=4, max_size=4))
def test_solid_of_four_cells_is_closed(planes: list[tuple[float, float, float]]) -> None:
    squares = [np.array([[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1]]) for x in (0.0, 1.0) for y in (0.0, 1.0)]
    blocks = [Block(area, (a, b, c + 20.0)) for area, (a, b, c) in zip(squares, planes, strict=True)]
    points, faces = solid_under(blocks, 0.0)
    edges = edges_of(faces)
    assert all(edges[(b, a)] == count for (a, b), count in edges.items())
    expected = sum(a * area[:, 0].mean() + b * area[:, 1].mean() + c for area, (a, b, c) in blocks)
    assert volume(points, faces) == pytest.approx(expected, rel=1e-3)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-10, 10), min_size=13, max_size=13))
def test_both_sides_of_a_cut_make_the_whole(numbers: list[float]) -> None:
    triangle = np.array(numbers[:9]).reshape(1, 3, 3)
    plane = np.array([numbers[9:]])
    areas = []
    for side in (plane, -plane):
        parts, _ = cut(triangle, side)
        areas.append(np.linalg.norm(np.cross(parts[:, 1] - parts[:, 0], parts[:, 2] - parts[:, 0]), axis=1).sum())
        assert (parts @ side[0, :3] + side[0, 3] >= -1e-6).all()
    whole = np.linalg.norm(np.cross(triangle[0, 1] - triangle[0, 0], triangle[0, 2] - triangle[0, 0]))
    on_plane = np.abs(triangle @ plane[0, :3] + plane[0, 3]).max() < 1e-6
    assert on_plane or sum(areas) == pytest.approx(whole, abs=1e-6)


@pytest.mark.parametrize("azimuth", [0.0, 17.0, 123.0])
def test_strips_agree_with_rays_through_shapes(azimuth: float) -> None:
    """Every point of a crooked plot in a patchwork: the distance ahead, against intersections found by shapely."""
    rng = np.random.default_rng(5)
    centres = rng.uniform(-100, 100, (40, 2))
    frame = shapely.box(-120, -120, 120, 120)
    patches = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(centres), extend_to=frame))
    patches = shapely.intersection(patches, frame)
    plot = int(np.argmin(shapely.distance(patches, shapely.Point(0, 0))))
    crooked = shapely.difference(patches[plot], shapely.box(-3, 2, 4, 9))
    polygon = np.array([*patches[:plot], crooked, *patches[plot + 1 :]], dtype=object)
    land = Land(polygon, np.zeros(len(polygon), dtype=bool), np.zeros((0, 3, 2)))
    way = np.array([np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth))])
    strips = strips_ahead(plot, land, way, halved=False)
    turn = turning(way)
    low, high = np.split(np.array(crooked.bounds), 2)
    points = rng.uniform(low, high, (300, 2))
    points = points[shapely.contains_xy(crooked, *points.T)]
    assert len(points) > 50
    for point in points:
        ray = shapely.LineString([point, point + 500 * way])
        met = shapely.get_coordinates(shapely.intersection(ray, shapely.boundary(crooked)))
        expected = np.min((met - point) @ way)
        x, y = turn @ point
        mine = [
            s for s in strips if s.x0 <= x <= s.x1 and s.bottom[0] * x + s.bottom[1] <= y <= s.top[0] * x + s.top[1]
        ]
        assert len(mine) == 1
        assert mine[0].limit[0] * x + mine[0].limit[1] - y == pytest.approx(expected, abs=1e-6)


# --- windows and boundary

FLATS = "공동주택(아파트)"


@pytest.mark.parametrize(
    ("zone", "allowed", "verdict"), [("제3종일반주거지역", 20.0, "breaks"), ("준주거지역", 40.0, "ok")]
)
def test_windows_and_boundary(zone: str, allowed: float, verdict: str) -> None:
    # The southern wall, with windows, stands 10 m from the boundary: twice that is 20 m, four times 40 m.
    city = [terrain(), parcels([SOUTH, NORTH], zoning=[zone] * 2), houses([(5, 10, GROUND, 30, 12, 30)], [FLATS])]
    found = rows(run(city, spacing=False, north=False), "daylight")
    worst = max(found, key=lambda row: float(row["shortage"]))
    assert worst["measured"] == pytest.approx(10.0)
    assert worst["required"] == pytest.approx(30.0 * 10.0 / allowed)
    # Nothing is known south of the plot: what breaks the rule there needs review.
    assert worst["verdict"] == ("needs_review" if verdict == "breaks" else "ok")


def test_windows_and_boundary_leave_out_other_uses_and_city_centres() -> None:
    tall = [(5, 10, GROUND, 30, 12, 30)]
    for use in ("기숙사", "업무시설"):
        assert not rows(run([terrain(), parcels([SOUTH, NORTH]), houses(tall, [use])]), "daylight")
    centre = [terrain(), parcels([SOUTH, NORTH], zoning=["일반상업지역"] * 2), houses(tall, [FLATS])]
    assert only(run(centre), "daylight")["reason"] == "commercial"


# --- distances between buildings: plots of 200 m, slabs 40 m wide and 12 m deep

WIDE = ((0.0, 0.0), (200.0, 0.0), (200.0, 200.0), (0.0, 200.0))


def between(boxes: list[Box], uses: list[str] | None = None, **params: object) -> list[dict[str, object]]:
    city = [terrain(), parcels([WIDE]), houses(boxes, uses or [FLATS] * len(boxes))]
    result = run(city, north=False, daylight=False, **params)
    table = next(t for t in result.tables if t.id == "findings")
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows()]


def test_letter_ga_half_the_height_in_front_of_windows() -> None:
    # Two slabs of 40 m, 18 m apart: half of 40 m is 20 m. 0.8 of an ordinance would be 32 m.
    slabs = [(50, 50, GROUND, 40, 12, 40), (50, 80, GROUND, 40, 12, 40)]
    (row,) = between(slabs)
    assert (row["rule"], row["measured"], row["required"]) == ("window", pytest.approx(18.0), pytest.approx(20.0))
    assert (row["verdict"], row["reason"], row["verified"]) == ("breaks", "alternative", False)
    assert between(slabs, window_factor=0.8)[0]["required"] == pytest.approx(32.0)
    assert between(slabs, urban_housing=True)[0]["required"] == pytest.approx(10.0)


def test_letter_na_the_lower_building_counts_where_it_lies_in_the_south() -> None:
    # The higher slab stands in the north and looks at the lower: half of 24 m, not half of 60 m.
    (row,) = between([(50, 50, GROUND, 40, 12, 24), (50, 75, GROUND, 40, 12, 60)])
    assert (row["rule"], row["measured"], row["required"]) == ("opening", pytest.approx(13.0), pytest.approx(12.0))
    assert row["verdict"] == "ok"
    # At least 10 m.
    (low,) = between([(50, 50, GROUND, 40, 12, 8), (50, 71, GROUND, 40, 12, 60)])
    assert (low["rule"], low["measured"], low["required"]) == ("opening", pytest.approx(9.0), pytest.approx(10.0))
    # The higher one in the south: the exception does not hold.
    (other,) = between([(50, 50, GROUND, 40, 12, 60), (50, 75, GROUND, 40, 12, 24)])
    assert (other["rule"], other["required"]) == ("window", pytest.approx(30.0))


def test_letter_da_the_height_of_ancillary_buildings() -> None:
    (row,) = between([(50, 50, GROUND, 40, 12, 40), (60, 68, GROUND, 10, 10, 9)], [FLATS, "주민공동시설"])
    assert (row["rule"], row["measured"], row["required"]) == ("ancillary", pytest.approx(6.0), pytest.approx(9.0))


def test_letters_ra_and_ma_end_walls() -> None:
    side_by_side = [(50, 50, GROUND, 40, 12, 40), (93, 50, GROUND, 40, 12, 40)]
    (row,) = between(side_by_side)
    assert (row["rule"], row["measured"], row["required"]) == ("end", pytest.approx(3.0), pytest.approx(4.0))
    # A wide wall to the north without windows, and an end wall of a slab that stands across it.
    across = [(50, 50, GROUND, 40, 12, 40), (60, 69, GROUND, 12, 40, 40)]
    found = {row["rule"]: row for row in between(across, north_windows=False)}
    assert (found["blank"]["measured"], found["blank"]["required"]) == pytest.approx((7.0, 8.0))
    assert "window" in {row["rule"] for row in between(across)}


def test_parts_of_one_building_that_face_one_another() -> None:
    # A court 15 m deep between two wings of 40 m.
    mesh, _ = box_mesh([(50, 50, GROUND, 40, 12, 40), (50, 77, GROUND, 40, 12, 40), (90, 50, GROUND, 12, 39, 40)])
    court = Mesh(mesh.vertices, mesh.faces, np.zeros(len(mesh.faces), np.int32))
    said = {"use": Column(np.array([FLATS], dtype=object))}
    city = [terrain(), parcels([WIDE]), Layer("b", "B", "building", court, ElementTable(["b0"], said))]
    row = only(run(city, north=False, daylight=False), "window")
    assert (row["other"], row["measured"], row["required"]) == ("b0", pytest.approx(15.0), pytest.approx(20.0))


def test_a_building_in_between_and_a_road_in_between() -> None:
    slabs = [(50, 50, GROUND, 40, 12, 60), (50, 88, GROUND, 40, 12, 60)]
    for height, facing in ((3.0, 1), (60.0, 0)):
        third = (45, 72, GROUND, 50, 6, height)
        found = between([*slabs, third], [FLATS, FLATS, "주민공동시설"])
        assert sum(row["rule"] == "window" for row in found) == facing
    city = [terrain(), parcels([WIDE]), road(70, 80, 10.0), houses(slabs, [FLATS] * 2)]
    row = only(run(city, north=False, daylight=False), "window")
    assert (row["verdict"], row["reason"]) == ("needs_review", "estate_road")


# --- rules and words


def test_defaults_are_the_numbers_of_the_rules_file() -> None:
    rules, params = rulebook(), SetbackParams()
    for group, names in (
        ("north", ("low_height", "low_distance", "height_factor")),
        ("exemption", ("wide_road",)),
        ("daylight", ("daylight_factor", "daylight_factor_commercial")),
        (
            "spacing",
            (
                "window_factor",
                "opening_factor",
                "opening_distance",
                "ancillary_factor",
                "blank_distance",
                "end_distance",
            ),
        ),
    ):
        for name in names:
            assert rules.rule(group, name).value == getattr(params, name), name
            assert rules.rule(group, name).article
            assert rules.rule(group, name).source


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("제1종전용주거지역", "exclusive_residential"),
        ("제3종일반주거지역", "general_residential"),
        ("준주거지역", "semi_residential"),
        ("근린상업지역", "neighbourhood_commercial"),
        ("중심상업지역", "general_commercial"),
        ("자연녹지지역", "other"),
        ("", ""),
        ("미지정", ""),
    ],
)
def test_zoning_words(text: str, zone: str) -> None:
    assert rulebook().zone(text) == zone


def test_unverified_rules_are_named_in_the_result() -> None:
    result = run([terrain(), parcels([SOUTH, NORTH]), houses(TALL)])
    issue = next(i for i in result.issues if i.code == "sunlight.setback.unverified")
    assert "ordinance" in issue.message
    assert "2026-11" in issue.message
