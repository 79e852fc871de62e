"""Places for cameras: on a cross of roads, round boxes, under ceilings; counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.cctv.candidates import (
    drop_blocked,
    forbid,
    join_poles,
    near_targets,
    poles_from_layer,
    poles_on_ceilings,
    poles_on_facades,
    poles_on_roads,
)
from analysis.cctv.plan_shapes import outline_of, surface_outline, triangles_of
from analysis.cctv.poles import POLE_KINDS, make_poles
from analysis.kernels.rays import Occluder
from geo.model import Column, ElementTable, Issue, Layer, Lines, Mesh, Points
from tests.tiny import box_mesh, buildings

GROUND = 20.0


def flat(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.full(len(x), GROUND)


def area_layer(rectangles: list[tuple[float, float, float, float]], theme: str = "road") -> Layer:
    """Rectangles (west, south, east, north) as one mesh, an element each."""
    vertices, faces = [], []
    for k, (w, s, e, n) in enumerate(rectangles):
        vertices += [(w, s, GROUND), (e, s, GROUND), (e, n, GROUND), (w, n, GROUND)]
        faces += [(4 * k, 4 * k + 1, 4 * k + 2), (4 * k, 4 * k + 2, 4 * k + 3)]
    mesh = Mesh(np.array(vertices), np.array(faces), np.repeat(np.arange(len(rectangles)), 2))
    return Layer(theme, theme, theme, mesh, ElementTable([f"{theme}{k}" for k in range(len(rectangles))]))


def codes(issues: tuple[Issue, ...]) -> dict[str, int]:
    return {issue.code: issue.count for issue in issues}


def test_masts_stand_beside_the_kerb_and_at_the_four_corners_of_a_crossing() -> None:
    roads = area_layer([(-100.0, -4.0, 100.0, 4.0), (-4.0, -100.0, 4.0, 100.0)])
    poles, issues = poles_on_roads([roads], flat)
    assert not issues
    crossing = poles.xyz[poles.kind == POLE_KINDS.index("crossing")]
    expected = [[-4.5, -4.5, 25.0], [-4.5, 4.5, 25.0], [4.5, -4.5, 25.0], [4.5, 4.5, 25.0]]
    np.testing.assert_allclose(crossing[np.lexsort((crossing[:, 1], crossing[:, 0]))], expected)
    x, y = np.abs(poles.xyz[:, 0]), np.abs(poles.xyz[:, 1])
    to_road = np.minimum(np.hypot(np.maximum(x - 100, 0), np.maximum(y - 4, 0)),
                         np.hypot(np.maximum(x - 4, 0), np.maximum(y - 100, 0)))  # fmt: skip
    assert (to_road > 0.49).all()
    assert (to_road < 0.75).all()
    along = np.sort(poles.xyz[(np.abs(poles.xyz[:, 1] - 4.5) < 1e-6) & (poles.xyz[:, 0] > 4), 0])
    gaps = np.diff(along)
    assert ((gaps >= 15.0) & (gaps <= 25.0)).all()


def test_centre_lines_have_masts_at_both_sides_and_unknown_widths_are_told() -> None:
    line = Lines(np.array([[0.0, 0, 0], [100, 0, 0], [0, 50, 0], [100, 50, 0]]), np.array([0, 2, 4]), np.array([0, 1]))
    table = ElementTable(["a", "b"], {"width": Column(np.array([10.0, np.nan]), "m")})
    poles, issues = poles_on_roads([Layer("r", "r", "road", line, table)], flat)
    assert codes(issues) == {"cctv.candidates.road_width": 1}
    beside = poles.xyz[(poles.xyz[:, 0] > 10) & (poles.xyz[:, 0] < 90), 1]
    assert sorted(set(np.round(beside, 6))) == [-5.5, 5.5, 46.0, 54.0]


def test_brackets_on_a_box() -> None:
    layer = buildings([(0.0, 0.0, GROUND, 16.0, 16.0, 12.0)])
    poles, issues = poles_on_facades([layer], flat, occluder=Occluder([layer.geometry]))
    assert not issues
    assert len(poles) == 12  # four corners, and 16.9 m in three parts on each side
    np.testing.assert_allclose(poles.xyz[:, 2], GROUND + 4.5)
    corner = np.flatnonzero(np.isclose(poles.sector_half, 125.0))  # 135 less the slack
    assert len(corner) == 4
    np.testing.assert_allclose(np.sort(poles.sector_middle[corner]), [45, 135, 225, 315])
    south = poles.xyz[:, 1] < 0
    on_wall = south & np.isclose(poles.sector_half, 80.0)
    np.testing.assert_allclose(poles.sector_middle[on_wall], 180.0)
    np.testing.assert_allclose(poles.xyz[on_wall, 1], -0.45)
    np.testing.assert_allclose(np.abs(poles.along[on_wall]), [[1, 0]] * 2)
    assert poles.allows(np.array([180.0, 0.0]))[on_wall].tolist() == [[True, False]] * 2


def test_local_ground_low_walls_and_roofs() -> None:
    def slope(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return GROUND + 0.1 * x

    tall = buildings([(0.0, 0.0, GROUND, 16.0, 16.0, 30.0)])
    poles, _ = poles_on_facades([tall], slope, occluder=Occluder([tall.geometry]))
    np.testing.assert_allclose(poles.xyz[:, 2], GROUND + 0.1 * poles.xyz[:, 0] + 4.5)
    low = buildings([(0.0, 0.0, GROUND, 16.0, 16.0, 4.0)])
    poles, _ = poles_on_facades([low], flat, occluder=Occluder([low.geometry]))
    np.testing.assert_allclose(poles.xyz[:, 2], GROUND + 3.0)
    shed = buildings([(0.0, 0.0, GROUND, 16.0, 16.0, 2.5)])
    poles, issues = poles_on_facades([shed], flat, occluder=Occluder([shed.geometry]))
    assert len(poles) == 0
    assert codes(issues) == {"cctv.candidates.no_wall": 12}
    roof, _ = box_mesh([(-5.0, -5.0, GROUND + 14.0, 30.0, 10.0, 1.0)])  # a canopy over the south wall
    box = buildings([(0.0, 0.0, GROUND, 16.0, 16.0, 12.0)])
    poles, issues = poles_on_facades([box], flat, occluder=Occluder([box.geometry, roof]))
    assert codes(issues) == {"cctv.candidates.under_roof": 4}
    assert (poles.xyz[:, 1] > 0).all()


def test_a_party_wall_carries_no_camera_and_a_nook_looks_out() -> None:
    layer = buildings([(0.0, 0.0, GROUND, 10.0, 10.0, 12.0), (10.0, 0.0, GROUND, 10.0, 20.0, 12.0)])
    poles, _ = poles_on_facades([layer], flat, occluder=Occluder([layer.geometry]))
    inside = (poles.xyz[:, 0] > 0) & (poles.xyz[:, 0] < 20) & (poles.xyz[:, 1] > 0) & (poles.xyz[:, 1] < 9)
    assert not inside.any()
    nook = np.argmin(np.abs(poles.xyz[:, :2] - [9.55, 10.45]).sum(axis=1))
    np.testing.assert_allclose(poles.xyz[nook, :2], [9.55, 10.45])
    assert poles.sector_half[nook] == pytest.approx(35.0)
    assert poles.sector_middle[nook] == pytest.approx(315.0)


def test_ceilings() -> None:
    mesh, _ = box_mesh([(0.0, 0.0, GROUND, 12.0, 8.0, 3.0), (0.0, 10.0, GROUND, 0.5, 9.0, 3.0)])
    rooms = Layer("rooms", "Rooms", "space", mesh, ElementTable(["hall", "duct"]))
    poles, issues = poles_on_ceilings([rooms])
    assert codes(issues) == {"cctv.candidates.narrow_rooms": 1}
    np.testing.assert_allclose(poles.xyz[:, 2], GROUND + 2.9)
    assert set(poles.name) == {"hall"}
    corner = poles.sector_half < 180
    assert corner.sum() == 4
    np.testing.assert_allclose(np.sort(poles.sector_middle[corner]), [45, 135, 225, 315])
    southwest = np.argmin(poles.xyz[:, :2].sum(axis=1))
    np.testing.assert_allclose(poles.xyz[southwest, :2], 0.3)
    assert poles.sector_middle[southwest] == pytest.approx(45.0)
    assert (~corner).sum() == 3 * 2
    chosen, issues = poles_on_ceilings([rooms], chosen=[np.array([False, True])])
    assert len(chosen) == 0


def test_given_points_forbidden_zones_and_blocked_places() -> None:
    points = Points(np.array([[0.0, 0, GROUND], [50, 0, GROUND + 8], [90, 0, GROUND]]), np.arange(3))
    table = ElementTable(["a", "b", "c"], {"cost": Column(np.array([7e5, np.nan, 1e5]), "KRW"),
                                           "mount": Column(np.array(["pole", "roof", "?"], dtype=object))})  # fmt: skip
    poles, issues = poles_from_layer(Layer("masts", "Masts", "furniture", points, table), flat, cost=3e5)
    assert codes(issues) == {"cctv.candidates.raised": 2}
    assert poles.xyz[:, 2].tolist() == [25.0, 28.0, 25.0]
    assert poles.cost.tolist() == [7e5, 3e5, 1e5]
    assert poles.name.tolist() == ["a", "b", "c"]
    kept, issues = forbid(poles, [area_layer([(40.0, -5.0, 60.0, 5.0)], "parcel")])
    assert kept.name.tolist() == ["a", "c"]
    assert codes(issues) == {"cctv.candidates.forbidden": 1}
    ring = Lines(np.array([[40.0, -5, 0], [60, -5, 0], [60, 5, 0], [40, 5, 0], [40, -5, 0]]), np.array([0, 5]), [0])
    again, _ = forbid(poles, [Layer("z", "z", "parcel", ring, ElementTable(["z"]))])
    assert again.name.tolist() == ["a", "c"]
    near, issues = near_targets(poles, np.array([[0.0, 3.0, 21.0]]), 60.0)
    assert near.name.tolist() == ["a", "b"]
    free, issues = drop_blocked(poles, np.array([True, False, False]))
    assert free.name.tolist() == ["b", "c"]
    assert codes(issues) == {"cctv.candidates.blocked": 1}


def test_nothing_to_stand_on() -> None:
    none, issues = poles_on_roads([], flat)
    assert len(none) == 0
    empty = Layer("b", "b", "building", Mesh(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0)))
    assert len(poles_on_facades([empty], flat, occluder=Occluder([]))[0]) == 0
    assert len(poles_on_ceilings([])[0]) == 0
    assert len(join_poles([])) == 0
    roads = area_layer([(0.0, 0.0, 50.0, 6.0)])
    unknown, issues = poles_on_roads([roads], lambda x, y: np.full(len(x), np.nan))
    assert len(unknown) == 0
    assert "cctv.candidates.no_ground" in codes(issues)
    covered, _ = box_mesh([(-10.0, -10.0, GROUND + 10.0, 100.0, 30.0, 1.0)])
    under, issues = poles_on_roads([roads], flat, buildings=Occluder([covered]))
    assert len(under) == 0
    assert "cctv.candidates.under_roof" in codes(issues)
    low, _ = box_mesh([(-10.0, -10.0, GROUND, 100.0, 30.0, 3.0)])  # a mast of 5 m does not stand through a low house
    assert len(poles_on_roads([roads], flat, buildings=Occluder([low]))[0]) == 0
    nowhere = make_poles(np.zeros((0, 3)), "road", height=1.0, mount="pole")
    assert len(near_targets(nowhere, np.zeros((3, 3)), 10.0)[0]) == 0


def test_outlines_from_borders_are_those_of_all_triangles() -> None:
    rng = np.random.default_rng(0)
    theta = np.linspace(0, 2.2 * np.pi, 120)  # a ring road that overlaps itself
    inner, outer = (np.column_stack([r * np.cos(theta), r * np.sin(theta), rng.uniform(0, 3, 120)]) for r in (40, 48))
    vertices = np.concatenate([inner, outer])
    k = np.arange(119)
    faces = np.concatenate([np.column_stack([k, 120 + k, 121 + k]), np.column_stack([k, 121 + k, k + 1])])
    mesh = Mesh(vertices, faces, np.zeros(len(faces)))
    quick, slow = surface_outline(mesh), outline_of(triangles_of(mesh))
    assert quick.symmetric_difference(slow).area < 0.003 * slow.area


def test_on_a_real_city(shared_data) -> None:  # noqa: ANN001
    from app.importer import import_files

    layers = import_files([shared_data / "city" / "3-20-DELFSHAVEN.city.json"], frame=None).layers
    houses = [layer for layer in layers if layer.theme == "building"]
    occluder = Occluder([layer.geometry for layer in houses])
    level = float(np.median(houses[0].table.columns["TerrainHeight"].values.astype(float)))

    poles, issues = poles_on_facades(houses, lambda x, y: np.full(len(x), level), occluder=occluder)
    assert 2000 < len(poles) < 4500
    assert codes(issues)["cctv.candidates.no_wall"] < 0.25 * len(poles)
    area = outline_of(np.concatenate([triangles_of(layer.geometry) for layer in houses]))
    import shapely

    away = shapely.distance(area, shapely.points(poles.xyz[:, :2]))
    assert (away > 0.15).all()
    assert (away < 0.95).all()  # mitred at most twice
