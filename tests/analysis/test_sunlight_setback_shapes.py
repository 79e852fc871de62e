"""Setback for sunlight: envelopes, strips, letters of the rule for windows, numbers of the rules file."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.sunlight_setback.ahead import Land, strips_ahead, turning
from analysis.sunlight_setback.cutting import cut
from analysis.sunlight_setback.declaration import SetbackParams
from analysis.sunlight_setback.rules import rulebook
from analysis.sunlight_setback.solid import Block, solid_under
from geo.model import Column, ElementTable, Layer, Mesh
from tests.analysis.setback_plots import (
    FLATS,
    GROUND,
    NORTH,
    SOUTH,
    TALL,
    WIDE,
    Box,
    houses,
    layer_of,
    only,
    road,
    rows,
    run,
)
from tests.tiny import box_mesh, terrain, tiny_frame
from tests.tiny_parcels import parcels


def edges_of(faces: np.ndarray) -> Counter[tuple[int, int]]:
    return Counter((int(f[k]), int(f[(k + 1) % 3])) for f in faces for k in range(3))


def volume(points: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (points[faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


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
