"""The study of coverage: areas against geometry, night, editions, rooms, doors, plates, blind spots, bad input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import shapely

from analysis.cctv.blind_spots import AddressBook, blind_spots, longest_way
from analysis.cctv.cameras import Camera, camera_layer, views_of
from analysis.cctv.catalogue import catalogue
from analysis.cctv.failure import redundancy
from analysis.cctv.places import entrance_places, plate_places, rooms_holding
from analysis.cctv.seen import PlanScore
from analysis.cctv.sight import sight_scene
from analysis.cctv.targets import ground_targets
from analysis.contract import Result
from analysis.kernels.inside import Raster
from analysis.registry import get
from analysis.run import execute
from geo.model import Column, ElementTable, Field, Grid, Layer, Lines, Mesh, Points, UserError
from tests.tiny import box_mesh, buildings, terrain, tiny_frame

MODELS = catalogue()
OPEN = {"indoors": "none", "entrances": False, "ground_cell": 1.0, "blind_area": 0.0}


def camera(name: str = "c", place: tuple[float, float, float] = (0.0, -30.0, 6.6), **changes: object) -> Camera:
    made = Camera(name, name, MODELS["bullet-4mp"], place, 0.0, 20.0, 0.0, 5.4)
    return made.with_(**changes)


def cover(
    cameras: Sequence[Camera], *layers: Layer, chosen: dict[str, list[str]] | None = None, **params: object
) -> Result:
    scene = [terrain(0.0, half=150.0, cell=10.0), camera_layer(list(cameras)), *layers]
    return execute(
        get("cctv.coverage"), layers=scene, frame=tiny_frame(), params={**OPEN, **params}, chosen=chosen
    )  # fmt: skip


def table(result: Result, name: str) -> dict[str, np.ndarray]:
    found = next(t for t in result.tables if t.id == name)
    return {key: column.values for key, column in found.columns.items()}


def area_of_picture(one: Camera, level: float, deepest: float) -> float:
    """Area of what a rectilinear camera pictures of a level plane up to a depth, by clipping the plane."""
    from analysis.cctv.optics import axes

    view = views_of(one)[0]
    forward, right, up = axes(view)
    place = np.array(one.position)
    plane = shapely.box(-500, -500, 500, 500)
    # each bound of the picture is a half plane of the level: n . (p - place) >= 0
    bounds = [
        (view.tan_half_width * forward - right, 0.0), (view.tan_half_width * forward + right, 0.0),
        (view.tan_half_height * forward - up, 0.0), (view.tan_half_height * forward + up, 0.0), (-forward, -deepest),
    ]  # fmt: skip
    for normal, least in bounds:
        offset = least - normal[2] * (level - place[2])  # n_xy . (p - place_xy) >= offset
        size = np.hypot(*normal[:2])
        if size < 1e-9:
            continue
        way = normal[:2] / size
        foot = place[:2] + way * offset / size
        side = np.array([-way[1], way[0]])
        half = [
            foot + side * 2000,
            foot - side * 2000,
            foot - side * 2000 + way * 4000,
            foot + side * 2000 + way * 4000,
        ]
        plane = plane.intersection(shapely.Polygon(half))
    return float(plane.area)


@pytest.mark.parametrize("name", ["overview", "outline", "discern", "perceive"])
def test_the_area_of_each_class_is_that_of_the_picture(name: str) -> None:
    one = camera()
    result = cover([one], around=140.0)
    limit = {"overview": 20.0, "outline": 40.0, "discern": 80.0, "perceive": 125.0}[name]
    rows = table(result, "classes")
    found = rows["area"][list(rows["class"]).index(name)]
    focal = one.model.focal_px(one.focal_mm)
    assert found == pytest.approx(area_of_picture(one, 1.6, focal / limit), rel=0.03)


def test_nothing_is_seen_in_the_dead_zone() -> None:
    result = cover([camera()])
    near = float(table(result, "cameras")["dead_zone"][0])
    ground = next(layer for layer in result.layers if layer.geometry is not None and layer.geometry.kind == "grid")
    grid = ground.geometry
    assert isinstance(grid, Grid)
    codes = ground.field_named("view_class")
    assert codes is not None
    column = int(np.argmin(np.abs(grid.x)))
    seen = grid.y[np.asarray(codes.values)[:, column] > 0]
    assert near == pytest.approx(5.0 / np.tan(np.radians(20 + np.degrees(np.arctan(0.5 * 1440 / 2560)))), rel=1e-6)
    assert -30.0 + near <= seen.min() <= -30.0 + near + 1.0


def test_by_night_only_what_is_lit() -> None:
    one = camera()
    light = Layer("lux", "Light", "other", Grid(np.full((31, 31), 12.0), -150, -150, 10))
    dark, lit = cover([one]), cover([one], light, chosen={"light": ["lux"]})
    assert dark.summary["seen_by_night"].value < dark.summary["seen"].value  # type: ignore[operator]
    assert lit.summary["seen_by_night"].value == lit.summary["seen"].value
    ground = dark.layers[0]
    night = np.asarray(ground.field_named("night_class").values)  # type: ignore[union-attr]
    grid = ground.geometry
    assert isinstance(grid, Grid)
    row, column = np.nonzero(night > 0)
    away = np.sqrt(grid.x[column] ** 2 + (grid.y[row] + 30.0) ** 2 + 5.0**2)
    assert away.max() <= one.model.ir_range_m + 0.1


def test_switching_the_edition_only_renames() -> None:
    new, old = (cover([camera()], edition=edition, view_class=name)
                for edition, name in (("2025", "characterise"), ("2014", "identify")))  # fmt: skip
    assert new.summary["class_characterise"].value == old.summary["class_identify"].value
    assert new.summary["class_perceive"].value == old.summary["class_recognise"].value
    assert new.summary["seen"].value == new.summary["class_characterise"].value
    assert "2014" in str(old.summary["edition"].value)


def square(name: str, x: float, y: float, size: float, **columns: object) -> Layer:
    ring = np.array([[x, y, 0], [x + size, y, 0], [x + size, y + size, 0], [x, y + size, 0], [x, y, 0]])
    made = {key: Column(np.array([value])) for key, value in columns.items()}
    table_ = ElementTable([name], made)
    return Layer(name, name, "other", Lines(ring, np.array([0, 5]), np.array([0])), table_)


def test_areas_are_weighted_by_importance_and_ask_for_a_class() -> None:
    near = square("near", -5.0, -16.0, 10.0, importance=3.0, required="perceive")
    far = square("far", -5.0, 120.0, 10.0)
    result = cover([camera()], near, far, chosen={"areas": ["near", "far"]})
    rows = table(result, "areas")
    assert rows["name"].tolist() == ["near", "far"]
    assert rows["area"].tolist() == [100.0, 100.0]
    assert rows["seen_share"].tolist() == [100.0, 0.0]
    assert result.summary["seen"].value == pytest.approx(75.0)
    assert 0 < rows["met_share"][0] < 100.0  # perceive is asked for, and f / 125 is 20.5 m of depth
    assert result.summary["area"].value == 200.0


def test_a_wall_hides_and_a_second_camera_helps() -> None:
    wall = buildings([(-40.0, 0.0, 0.0, 80.0, 1.0, 8.0)])
    alone = cover([camera()], wall)
    both = cover([camera(), camera("d", (0.0, 40.0, 6.6), pan=180.0)], wall)
    assert both.summary["seen"].value > 1.5 * alone.summary["seen"].value  # type: ignore[operator]
    assert both.summary["twice"].value == 0.0
    lost = table(both, "cameras")["loss"]
    assert lost.sum() == pytest.approx(both.summary["seen"].value, abs=1e-2)


def test_a_camera_that_sees_the_same_costs_nothing_when_it_fails() -> None:
    result = cover([camera(), camera("twin")])
    assert result.summary["worst_loss"].value == 0.0
    assert result.summary["worst_camera"].value == "-"
    assert result.summary["twice"].value == result.summary["seen"].value
    off = cover([camera(), camera("twin", state="off")])
    assert off.summary["cameras"].value == 1
    assert off.summary["worst_loss"].value == off.summary["seen"].value


def test_losses_are_those_of_the_plan_without_the_camera() -> None:
    targets = ground_targets(np.column_stack([*(a.ravel() for a in np.meshgrid(np.arange(-40, 40), np.arange(-40, 40))),
                                              np.zeros(6400)]), cell=1.0)  # fmt: skip
    scene = sight_scene([buildings([(-8.0, -3.0, 0.0, 9.0, 9.0, 7.0)])])
    plan = PlanScore(scene, targets, [camera(str(k), (k * 9.0 - 9, -30.0, 6.0), pan=k * 12.0 - 12) for k in range(3)],
                     least=20.0)  # fmt: skip
    score = plan.score()
    found = redundancy(score, targets, 3)
    for number in range(3):
        rest = [one.with_(state="off") if k == number else one for k, one in enumerate(plan.cameras)]
        left = PlanScore(scene, targets, rest, least=20.0).score()
        lost = (score.views > 0).sum() - (left.views > 0).sum()
        assert found.lost[number] == pytest.approx(lost / len(targets), abs=1e-12)
    assert found.worst == int(np.argmax(found.lost))


# Rooms, doors, plates


def rooms() -> Layer:
    mesh, _ = box_mesh([(0.0, 0.0, 0.0, 8.0, 6.0, 3.0), (8.2, 0.0, 0.0, 6.0, 6.0, 3.0), (0.0, 0.0, 3.3, 8.0, 6.0, 3.0)])
    names = ("로비", "창고", "사무실")
    columns = {
        "name": Column(np.array(names, dtype=object)),
        "storey": Column(np.array(["1F", "1F", "2F"], dtype=object)),
    }
    return Layer("rooms", "rooms", "space", mesh, ElementTable(["r1", "r2", "r3"], columns), stratum="indoor")


def walls() -> Layer:
    """The wall between the rooms, and the slab above."""
    mesh, _ = box_mesh([(8.0, -1.0, 0.0, 0.2, 8.0, 3.0), (-1.0, -1.0, 3.0, 16.0, 8.0, 0.3)])
    return Layer("bim", "bim", "bim", mesh, ElementTable(["w", "s"]), stratum="indoor")


def test_a_camera_sees_its_room_and_not_the_next() -> None:
    dome = Camera("d", "d", MODELS["dome-4mp"], (0.5, 0.5, 2.7), 53.0, 30.0, 0.0, 2.8)
    result = cover([dome], rooms(), walls(), ground="none", indoors="storeys", room_cell=0.25)
    rows = table(result, "areas")
    assert rows["name"].tolist() == ["1F 로비", "1F 창고"]
    assert rows["target_kind"].tolist() == ["room", "room"]
    assert rows["area"].tolist() == pytest.approx([48.0, 36.0], rel=0.02)
    assert rows["seen_share"][0] > 85.0
    assert rows["seen_share"][1] == 0.0
    layer = next(layer for layer in result.layers if layer.kind == "mesh")
    assert [str(i) for i in layer.table.ids] == ["rooms#r1", "rooms#r2"]
    only = cover([dome], rooms(), walls(), ground="none", indoors="with_cameras", room_cell=0.5)
    assert table(only, "areas")["name"].tolist() == ["1F 로비"]


def test_which_room_holds_a_point() -> None:
    mesh = rooms().geometry
    assert isinstance(mesh, Mesh)
    assert rooms_holding(mesh, np.array([4.0, 3.0, 2.9])) == [0]
    assert rooms_holding(mesh, np.array([9.0, 3.0, 1.0])) == [1]
    assert rooms_holding(mesh, np.array([4.0, 3.0, 5.0])) == [2]
    assert rooms_holding(mesh, np.array([30.0, 3.0, 1.0])) == []


def network() -> list[Layer]:
    nodes = np.array([[0.0, 5.0, 0.0], [0.0, 0.0, 0.0]])
    columns = {
        "node": Column(np.array(["room", "exit"], dtype=object)),
        "name": Column(np.array(["로비", "정문"], dtype=object)),
    }
    ends = {"from": Column(np.array(["n1"], dtype=object)), "to": Column(np.array(["n2"], dtype=object))}
    return [
        Layer("nodes", "nodes", "network", Points(nodes, np.arange(2)), ElementTable(["n1", "n2"], columns)),
        Layer("edges", "edges", "network", Lines(nodes, np.array([0, 2]), np.array([0])), ElementTable(["e"], ends)),
    ]


def test_faces_at_a_door_look_out_of_it() -> None:
    points, ahead, names = entrance_places(network())
    assert points.tolist() == [[0.0, 0.0, 0.0]]
    assert ahead.tolist() == [[0.0, -1.0, 0.0]]
    assert names == ["정문"]


@pytest.mark.parametrize(("place", "pan", "seen", "face"), [
    ((0.0, -8.0, 2.6), 0.0, True, True),  # in front, hardly above
    ((0.0, -8.0, 5.5), 0.0, True, False),  # too high for a face: 26 degrees
    ((-7.0, -4.0, 2.6), 60.0, True, False),  # from the side: 60 degrees
    ((0.0, 8.0, 2.6), 180.0, False, False),  # sees backs only
])  # fmt: skip
def test_an_entrance_counts_within_face_angles(
    place: tuple[float, float, float], pan: float, seen: bool, face: bool
) -> None:
    tilt = 10.0 if place[2] < 3 else 25.0
    one = camera(place=place, pan=pan, tilt=tilt, focal_mm=13.5, model=MODELS["bullet-4mp"])
    result = cover([one], *network(), ground="none", entrances=True, edition="2014")
    rows = table(result, "areas")
    assert (rows["seen_share"][0] == 100.0) == seen
    assert (rows["met_share"][0] == 100.0) == face


def road(theme: str = "road") -> Layer:
    line = np.array([[0.0, -50.0, 0.0], [0.0, 50.0, 0.0]])
    return Layer("road", "Road", theme, Lines(line, np.array([0, 2]), np.array([0])), ElementTable(["세종로"]))


def test_plates_look_the_way_of_travel_on_the_right() -> None:
    points, ahead, row, names = plate_places([road()], 10.0, lambda spots: np.ones(len(spots), dtype=bool))
    assert len(points) == 20
    assert names == ("세종로",)
    north = ahead[:, 1] > 0
    assert (points[north, 0] > 0).all()
    assert (points[~north, 0] < 0).all()
    strip, _ = box_mesh([(-5.0, -60.0, 0.0, 10.0, 120.0, 0.1)])
    drawn = Layer("road", "Road", "road", strip, ElementTable(["세종로"]))
    points, ahead, row, names = plate_places([drawn], 10.0, lambda spots: np.ones(len(spots), dtype=bool))
    assert len(points) >= 16
    assert np.abs(np.abs(ahead[:, 1]) - 1.0).max() < 5e-3
    assert np.sign(points[:, 0]).tolist() == np.sign(ahead[:, 1]).tolist()
    assert np.abs(np.abs(points[:, 0]) - 2.5).max() < 1.1  # the middle is found to a metre


def test_plates_are_read_within_their_angle() -> None:
    reader = Camera("p", "p", MODELS["plate-2mp"], (0.0, -20.0, 6.0), 0.0, 12.0, 0.0, 25.0)
    result = cover([reader], road(), ground="none", plates=True, plate_spacing=5.0)
    rows = table(result, "areas")
    assert rows["target_kind"].tolist() == ["plate"]
    assert 0 < rows["met_share"][0] < 50.0  # only those that come towards it, and not right below


# Blind spots


def raster(rows: int, cols: int) -> Raster:
    return Raster(0.5, 0.5, 1.0, (rows, cols))


def cells_in(picture: str) -> tuple[Raster, np.ndarray]:
    lines = picture.split()
    mask = np.array([[letter == "#" for letter in line] for line in lines])
    return raster(*mask.shape), np.flatnonzero(mask.ravel())


def test_blind_spots_are_joined_over_corners_and_sorted_by_weight() -> None:
    where, cells = cells_in("##...  #....  .#..#  ....#  #....")
    spots = blind_spots(where, cells, np.arange(1, len(cells) + 1, dtype=np.int64), smallest=2.0)
    assert [spot.area for spot in spots] == [2.0, 4.0]
    assert [spot.weight for spot in spots] == [5 + 6, 1 + 2 + 3 + 4]


def test_the_longest_way_is_exact_in_a_corridor_and_never_too_long_in_a_loop() -> None:
    where, cells = cells_in("#########  #........  #........  #######..")
    way, length = longest_way(where, cells)
    assert length == pytest.approx(8 + 3 + 6 - 2 * 2 + 2 * np.sqrt(2.0))
    steps = np.hypot(*np.diff(way, axis=0).T)
    assert steps.sum() == pytest.approx(length)
    assert steps.max() <= np.sqrt(2.0) + 1e-9
    where, cells = cells_in("#######  #.....#  #.....#  #######")
    assert longest_way(where, cells)[1] <= 9.0 + 1e-9


def test_the_nearest_address_is_given_and_far_ones_are_not() -> None:
    table_ = ElementTable(["b"], {"address": Column(np.array(["나래로 7"], dtype=object))})
    mesh, _ = box_mesh([(0.0, 0.0, 0.0, 10.0, 10.0, 9.0)])
    book = AddressBook([Layer("b", "b", "building", mesh, table_)])
    assert book.nearest(np.array([12.0, 3.0])) == "나래로 7"
    assert book.nearest(np.array([300.0, 3.0])) == ""
    assert AddressBook([]).nearest(np.zeros(2)) == ""


def test_blind_spots_of_the_study_lie_where_nothing_is_seen() -> None:
    result = cover([camera()], buildings([(-10.0, 0.0, 0.0, 20.0, 10.0, 12.0)]), around=60.0)
    rows = table(result, "blind_spots")
    blind = rows["area"].sum()
    assert blind == pytest.approx(result.summary["area"].value * (1 - result.summary["seen"].value / 100), rel=1e-3)  # type: ignore[operator]
    assert rows["address"][0] == "가온마을 1동"
    assert result.summary["longest_unseen"].value == pytest.approx(rows["unseen_path"].max(), abs=0.06)


# Bad input


def code_of(*cameras: Camera, layers: Sequence[Layer] = (), **params: object) -> str:
    with pytest.raises(UserError) as caught:
        cover(cameras, *layers, **params)  # type: ignore[arg-type]
    return caught.value.code


def test_errors_of_a_user() -> None:
    assert code_of() == "cctv.no_cameras"
    assert code_of(camera(model=MODELS["bullet-4mp"], focal_mm=0.0)) == "cctv.no_cameras"
    assert code_of(camera(place=(0.0, 0.0, -5.0))) == "cctv.no_camera_stands"
    assert code_of(camera(), view_class="identify") == "cctv.class_of_edition"
    assert code_of(camera(), ground="none") == "cctv.no_targets"
    open_line = Layer("l", "l", "other", Lines(np.zeros((2, 3)), np.array([0, 2]), np.array([0])), ElementTable(["l"]))
    assert code_of(camera(), layers=[open_line], chosen={"areas": ["l"]}) == "cctv.no_areas"
    under = square("a", -4.0, 4.0, 4.0)
    house = buildings([(-10.0, 0.0, 0.0, 20.0, 20.0, 9.0)])
    assert code_of(camera(), layers=[under, house], chosen={"areas": ["a"]}) == "cctv.no_targets"


def test_cameras_that_cannot_stand_are_told_and_the_rest_goes_on() -> None:
    house = buildings([(-10.0, 0.0, 0.0, 20.0, 20.0, 9.0)])
    bad = [camera("in", (0.0, 8.0, 4.0)), camera("down", (30.0, 0.0, -2.0)), camera("wall", (-10.02, 8.0, 4.0))]
    result = cover([camera(), *bad], house)
    codes = [issue.code for issue in result.issues if issue.severity == "error"]
    assert codes == ["cctv.camera_inside", "cctv.camera_underground", "cctv.camera_touching"]
    assert result.summary["left_out"].value == 3
    assert table(result, "cameras")["id"].tolist() == ["c"]


def test_a_camera_that_looks_away_is_told() -> None:
    result = cover([camera(tilt=-30.0)])
    assert "cctv.sees_nothing" in [issue.code for issue in result.issues]
    assert result.summary["seen"].value == 0.0


def test_a_broken_row_of_an_own_catalogue_is_told() -> None:
    columns = {"kind": Column(np.array(["fixed"], dtype=object)), "pixels_wide": Column(np.array([np.nan]))}
    own = Layer("own", "own", "other", None, ElementTable(["mine"], columns))
    result = cover([camera()], own, chosen={"models": ["own"]})
    assert "cctv.catalogue_row.missing" in [issue.code for issue in result.issues]


def test_presets_are_reachable_and_never_seen_at_once() -> None:
    turning = Camera(
        "p", "p", MODELS["ptz-2mp-30x"], (0.0, -30.0, 6.6), 0.0, 20.0, 0.0, 4.5, presets=((180.0, 20.0, 4.5),)
    )
    result = cover([turning])
    assert result.summary["reachable"].value == pytest.approx(2 * result.summary["seen"].value, rel=0.02)  # type: ignore[operator]


def test_glass_and_seasons_are_parameters_of_the_study() -> None:
    mesh, _ = box_mesh([(-100.0, -20.0, 0.0, 200.0, 0.02, 30.0)])
    pane = Layer("g", "g", "bim", mesh, ElementTable(["g"]), (Field("transparency", "1", "face", np.full(12, 0.6)),))
    through, opaque = (cover([camera()], pane, glass=glass) for glass in (True, False))
    assert through.summary["seen"].value > 5 * opaque.summary["seen"].value  # type: ignore[operator]
    assert table(through, "cameras")["through_area"][0] > 0
