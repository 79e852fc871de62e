from __future__ import annotations

import math

import numpy as np
import pytest

from geo import crs as coordinates
from geo import repairs
from geo.doctor import Finding, examine
from geo.doctor_compare import compare
from geo.formats.contract import FileInfo, MapBox
from geo.model import ElementTable, Frame, Grid, Instances, Layer, Lines, Points, UserError, Volume
from geo.overlay import height_above, outline_shift, shift_between
from geo.repairs import moved_height, plan, steps_of
from geo.validity import check_solids
from tests.tiny import box_mesh

SITE = (229_000.0, 435_400.0, 20.0, 229_400.0, 435_800.0, 60.0)  # EPSG:5186, Sejong 5-1
PROJECT = MapBox(228_500.0, 435_000.0, 230_000.0, 436_500.0)


@pytest.fixture(scope="module")
def frame() -> Frame:
    return coordinates.make_frame("EPSG:5186", 229_000.0, 435_500.0)


def in_system(crs: str) -> tuple[float, ...]:
    """Bounds of the site in another system."""
    xs, ys = coordinates.transform([SITE[0], SITE[3]], [SITE[1], SITE[4]], "EPSG:5186", crs)
    return (float(xs[0]), float(ys[0]), SITE[2], float(xs[1]), float(ys[1]), SITE[5])


def swapped(b: tuple[float, ...]) -> tuple[float, ...]:
    return (b[1], b[0], b[2], b[4], b[3], b[5])


def info_of(bounds: tuple[float, ...], **more: object) -> FileInfo:
    return FileInfo("x", "x", bounds=bounds, **more)  # type: ignore[arg-type]


def first(bounds: tuple[float, ...], crs: str | None, frame: Frame | None) -> Finding:
    return examine(info_of(bounds), crs, frame, project_box=PROJECT if frame else None)[0]


CASES = [
    # bounds, said, with a project, finding, repair
    (swapped(SITE), "EPSG:5186", True, "doctor.axes", "swap-axes"),
    (swapped(SITE), "EPSG:5186", False, "doctor.axes", "swap-axes"),
    (swapped(in_system("EPSG:4326")), "EPSG:4326", True, "doctor.axes", "swap-axes"),
    (swapped(in_system("EPSG:4326")), "EPSG:4326", False, "doctor.axes", "swap-axes"),
    (swapped(in_system("EPSG:32652")), "EPSG:32652", True, "doctor.axes", "swap-axes"),
    (in_system("EPSG:4326"), "EPSG:5186", True, "doctor.degrees", "degrees"),
    (in_system("EPSG:4326"), "EPSG:5186", False, "doctor.degrees", "degrees"),
    (swapped(in_system("EPSG:4326")), "EPSG:5186", True, "doctor.degrees", "degrees+swap-axes"),
    (SITE, "EPSG:4326", True, "doctor.metres_as_degrees", "crs:EPSG:5186"),
    (SITE, "EPSG:4326", False, "doctor.metres_as_degrees", "crs:EPSG:5186"),
    (in_system("EPSG:5181"), "EPSG:5186", True, "doctor.belt_origin", "crs:EPSG:5181"),
    (SITE, "EPSG:5181", True, "doctor.belt_origin", "crs:EPSG:5186"),
    (in_system("EPSG:5179"), "EPSG:5186", True, "doctor.system", "crs:EPSG:5179"),
    (in_system("EPSG:32652"), "EPSG:32651", True, "doctor.utm_zone", "utm-zone:52n"),
    (tuple(1000 * v for v in SITE), "EPSG:5186", True, "doctor.millimetres", "metres"),
    (tuple(1000 * v for v in SITE), "EPSG:5186", False, "doctor.millimetres", "metres"),
    (SITE, None, True, "doctor.missing_crs", "crs:EPSG:5186"),
    (SITE, None, False, "doctor.missing_crs", "crs:EPSG:5186"),
    (in_system("EPSG:5181"), None, True, "doctor.missing_crs", "crs:EPSG:5181"),
    (in_system("EPSG:5179"), None, False, "doctor.missing_crs", "crs:EPSG:5179"),
    (in_system("EPSG:4326"), None, False, "doctor.missing_crs", "crs:EPSG:4326"),
    (in_system("EPSG:32652"), None, True, "doctor.missing_crs", "crs:EPSG:32652"),
    ((0.0, 0.0, 0.0, 80.0, 60.0, 20.0), "EPSG:5186", True, "doctor.local_origin", "far-origin"),
    ((0.0, 0.0, 0.0, 80.0, 60.0, 20.0), None, True, "doctor.local_origin", "far-origin"),
    ((0.0, 0.0, 0.0, 8e4, 6e4, 2e4), "EPSG:5186", True, "doctor.local_millimetres", "metres+far-origin"),
]


@pytest.mark.parametrize(("bounds", "said", "in_project", "code", "repair"), CASES)
def test_the_first_finding_names_the_mistake_and_its_repair_undoes_it(
    bounds: tuple[float, ...], said: str | None, in_project: bool, code: str, repair: str, frame: Frame
) -> None:
    project = frame if in_project else None
    found = first(bounds, said, project)
    assert found.code == code
    assert found.repair is not None
    assert found.repair.name == repair
    read = plan([repair], info_of(bounds), said, project)
    assert read.crs is not None
    x, y = (bounds[0] + bounds[3]) / 2, (bounds[1] + bounds[4]) / 2
    east, north = coordinates.transform(x, y, read.crs, "EPSG:5186")
    truth = (229_000.0, 435_500.0) if "far-origin" in repair else (229_200.0, 435_600.0)
    assert math.dist((float(east), float(north)), truth) < 0.05
    # Bounds in metres of one system are no rectangle in another: its middle is off by millimetres, nothing more.


@pytest.mark.parametrize("belt", [("5180", "5185"), ("5181", "5186"), ("5183", "5187"), ("5184", "5188")])
def test_every_belt_knows_its_old_false_northing(belt: tuple[str, str]) -> None:
    old, new = (f"EPSG:{code}" for code in belt)
    frame = coordinates.make_frame(new, 200_000.0, 500_000.0)
    bounds = (200_100.0, 400_100.0, 0.0, 200_300.0, 400_400.0, 0.0)
    found = examine(info_of(bounds), new, frame)
    assert (found[0].code, found[0].repair and found[0].repair.name) == ("doctor.belt_origin", f"crs:{old}")


@pytest.mark.parametrize("crs", ["EPSG:5186", "EPSG:5179", "EPSG:32652", "EPSG:4326", "EPSG:5181", "EPSG:5174"])
def test_what_lies_right_is_left_alone(crs: str, frame: Frame) -> None:
    assert examine(info_of(in_system(crs)), crs, frame, project_box=PROJECT) == []
    assert examine(info_of(in_system(crs)), crs, None) == []


def test_a_neighbouring_town_is_no_mistake(frame: Frame) -> None:
    there = tuple(v + d for v, d in zip(SITE, (15e3, -20e3, 0, 15e3, -20e3, 0), strict=True))
    assert examine(info_of(there), "EPSG:5186", frame, project_box=PROJECT) == []


def test_a_weak_place_and_numbers_that_are_none_are_not_judged(frame: Frame) -> None:
    assert examine(info_of((0, 0, 0, 9, 9, 9), place_is_weak=True), None, frame) == []
    assert examine(info_of((math.nan, 0, 0, 9, 9, 9)), "EPSG:5186", frame) == []
    assert examine(FileInfo("x", "x"), "EPSG:5186", frame) == []


def test_a_system_without_a_place_is_as_none(frame: Frame) -> None:
    local = 'LOCAL_CS["yard",UNIT["metre",1]]'
    found = examine(info_of(SITE), local, frame, project_box=PROJECT)
    assert (found[0].code, found[0].repair and found[0].repair.name) == ("doctor.missing_crs", "crs:EPSG:5186")
    with pytest.raises(UserError) as caught:
        coordinates.to_lonlat(0.0, 0.0, local)
    assert caught.value.code == "crs.local"


def test_local_coordinates_need_a_project_to_go_to() -> None:
    found = examine(info_of((0.0, 0.0, 0.0, 80.0, 60.0, 20.0)), "EPSG:5186", None)
    assert [(item.code, item.repair) for item in found] == [("doctor.local_alone", None)]


def test_a_place_nobody_can_explain_is_said_to_be_so(frame: Frame) -> None:
    tokyo = in_system("EPSG:5186")
    tokyo = (tokyo[0] + 1.1e6, tokyo[1], 0.0, tokyo[3] + 1.1e6, tokyo[4], 0.0)
    found = examine(info_of(tokyo), "EPSG:5186", frame, project_box=PROJECT)
    assert [(item.code, item.repair) for item in found] == [("doctor.far", None)]


# ---- names of repairs ---------------------------------------------------------------------------------------------


def test_chains_are_taken_apart_and_nonsense_is_refused() -> None:
    assert steps_of(["degrees+swap-axes", "height-offset:-24.5"]) == ("degrees", "swap-axes", "height-offset:-24.5")
    for name in ("swap", "utm-zone:61", "utm-zone:", "shift:1", "height-offset:nan", "crs:", "crs:EPSG:1", "metres:5"):
        with pytest.raises(UserError) as caught:
            steps_of([name])
        assert caught.value.code in ("repair.unknown", "crs.unknown")


def test_repairs_that_lack_something_say_what(frame: Frame) -> None:
    info = info_of(SITE)
    for name, crs, project, code in (
        ("swap-axes", None, frame, "repair.needs_crs"),
        ("far-origin", "EPSG:5186", None, "repair.needs_project"),
        ("shift:1,2", "EPSG:5186", None, "repair.needs_project"),
    ):
        with pytest.raises(UserError) as caught:
            plan([name], info, crs, project)
        assert caught.value.code == code


def test_an_adjusted_system_goes_both_ways() -> None:
    name = coordinates.adjusted("EPSG:5186", (0.0, 0.001, 5.0, 0.002, 0.0, -7.0))
    x, y = coordinates.transform(*coordinates.transform(3e8, 4e8, name, "EPSG:4326"), "EPSG:4326", name)
    assert (float(x), float(y)) == pytest.approx((3e8, 4e8), abs=1e-1)
    twice = coordinates.adjusted(coordinates.adjusted("EPSG:5186", (0, 1, 0, 1, 0, 0)), (0, 1, 0, 1, 0, 0))
    assert twice == "EPSG:5186"
    assert coordinates.canonical(name) == name
    with pytest.raises(UserError):
        coordinates.canonical("EPSG:5186;affine=1,2,3")


def test_a_geoid_grid_is_used_where_there_is_one(tmp_path, frame: Frame, monkeypatch: pytest.MonkeyPatch) -> None:
    import rasterio
    from rasterio.transform import Affine

    grid = tmp_path / "geoid.gtx"
    place = Affine(1.0, 0.0, 125.5, 0.0, -1.0, 38.5)
    shape = {"width": 4, "height": 4, "count": 1, "dtype": "float32"}
    with rasterio.open(grid, "w", driver="GTX", transform=place, **shape) as target:
        target.write(np.full((4, 4), 24.5, np.float32), 1)
    monkeypatch.setattr(repairs, "GEOID_GRIDS", ("absent.gtx", str(grid)))
    read = plan(["height-ellipsoid"], info_of(SITE), "EPSG:5186", frame)
    assert read.height_offset == pytest.approx(-24.5, abs=1e-4)
    monkeypatch.setattr(repairs, "GEOID_GRIDS", ("absent.gtx",))
    with pytest.raises(UserError) as caught:
        plan(["height-ellipsoid"], info_of(SITE), "EPSG:5186", frame)
    assert caught.value.code == "repair.no_geoid"


def test_heights_of_every_geometry_move() -> None:
    mesh, _ = box_mesh([(0, 0, 1000, 5, 5, 3000)])
    line = Lines(np.array([[0, 0, 2000.0], [5, 5, 4000.0]]), np.array([0, 2]), np.array([0]))
    trees = Instances((mesh,), np.array([0]), np.eye(3, 4)[None] + [[[0, 0, 0, 0]] * 2 + [[0, 0, 0, 6000.0]]], [0])
    volume = Volume(np.zeros((2, 2, 2)), 0, 0, 1000.0, 1.0, 2000.0)
    grid = Grid(np.full((2, 2), 7000.0), 0, 0, 1)
    assert moved_height(mesh, 0.001, -0.5).bounds.low[2] == pytest.approx(0.5)
    assert moved_height(mesh, 0.001, -0.5).bounds.high[2] == pytest.approx(3.5)
    assert moved_height(line, 0.001, 0).vertices[:, 2].tolist() == pytest.approx([2, 4])
    assert moved_height(trees, 0.001, 1).transform[0, 2, 3] == pytest.approx(7)
    assert moved_height(volume, 0.001, 0).cell_z == pytest.approx(2)
    assert moved_height(grid, 0.001, 0, is_terrain=True).values.max() == pytest.approx(7)
    assert moved_height(Points(np.ones((1, 3)), [0]), 1.0, -1.0).vertices[0].tolist() == [1, 1, 0]
    assert line.vertices[0, 2] == 2000.0


# ---- against what the project holds ----------------------------------------------------------------------------------


def blocks(seed: int, count: int = 150, *, base: float = 20.0) -> list[tuple[float, ...]]:
    """Houses of an irregular town, not overlapping: one in each cell of a jittered grid."""
    random = np.random.default_rng(seed)
    side = math.ceil(math.sqrt(count))
    cells = [(i, j) for i in range(side) for j in range(side)][:count]
    out = []
    for i, j in cells:
        w, d = random.uniform(8, 24, 2)
        x, y = i * 45 - 270 + random.uniform(0, 18), j * 45 - 270 + random.uniform(0, 18)
        out.append((x, y, base, w, d, random.uniform(4, 30)))
    return out


def layer_of(boxes: list[tuple[float, ...]], move: tuple[float, float, float] = (0, 0, 0)) -> Layer:
    mesh, _ = box_mesh([(b[0] + move[0], b[1] + move[1], b[2] + move[2], *b[3:]) for b in boxes])
    return Layer("b", "b", "building", mesh, ElementTable([str(k) for k in range(len(boxes))]))


# What DOMAIN calls the site's numbers, computed with the EPSG registry: reading the first as the second moves by these.
DATUM_CASES = [
    ("EPSG:5174", "EPSG:5181", 307.0, 72.0),
    ("EPSG:2097", "EPSG:5174", 0.0, 258.9),
    ("EPSG:5181", "EPSG:5174", -307.0, -72.0),
    ("EPSG:4162", "EPSG:4326", 323.3, -191.1),  # degrees: not in print, computed with the registry alone
]


@pytest.mark.parametrize(("true", "said", "north", "east"), DATUM_CASES)
def test_a_wrong_datum_is_found_by_the_outlines(true: str, said: str, north: float, east: float, frame: Frame) -> None:
    boxes = blocks(1)
    x, y = (float(v) for v in coordinates.transform(*frame.origin[:2], "EPSG:5186", true))
    half = 0.003 if true == "EPSG:4162" else 300
    bounds = (x - half, y - half, 0.0, x + half, y + half, 0.0)
    wrong = coordinates.transform(x, y, said, "EPSG:5186")
    move = (float(wrong[0]) - frame.origin[0], float(wrong[1]) - frame.origin[1], 0.0)
    assert abs(abs(move[0]) - abs(east)) < 2.0  # the size of the mistake, from published numbers
    assert abs(abs(move[1]) - abs(north)) < 2.0
    random = np.random.default_rng(2)
    jitter = [(b[0] + random.normal(0, 0.4), b[1] + random.normal(0, 0.4), *b[2:]) for b in boxes[::2]]
    new = layer_of(jitter, move)
    found = compare([new], [layer_of(boxes)], frame, info=info_of(bounds), crs=said)
    assert (found[0].code, found[0].repair and found[0].repair.name) == ("doctor.shifted_datum", f"crs:{true}")
    assert float(found[0].values["east"]) == pytest.approx(move[0], abs=0.5)  # type: ignore[arg-type]
    assert float(found[0].values["north"]) == pytest.approx(move[1], abs=0.5)  # type: ignore[arg-type]


def test_a_shift_nobody_knows_is_offered_as_a_shift(frame: Frame) -> None:
    boxes = blocks(3)
    found = compare(
        [layer_of(boxes, (41.0, -17.0, 0.0))], [layer_of(boxes)], frame, info=info_of(SITE), crs="EPSG:5186"
    )
    assert found[0].code == "doctor.shifted"
    assert found[0].repair is not None
    read = plan([found[0].repair.name], info_of(SITE), "EPSG:5186", frame)
    east, north = coordinates.transform(229_200.0, 435_600.0, str(read.crs), "EPSG:5186")
    assert (float(east), float(north)) == pytest.approx((229_159.0, 435_617.0), abs=0.2)


def test_no_shift_is_claimed_without_proof() -> None:
    town = blocks(4)
    assert not _proven([layer_of(town)], [layer_of(town)])  # the same buildings in the same place
    assert not _proven([layer_of(town[::2])], [layer_of(town[1::2])])  # the other houses of the street
    assert not _proven([layer_of(blocks(5))], [layer_of(town)])  # another town
    rows = [(x * 60.0, y * 60.0, 0.0, 12.0, 40.0, 30.0) for x in range(8) for y in range(8)]
    assert not _proven([layer_of(rows, (60.0, 0.0, 0.0))], [layer_of(rows)])  # equal blocks: which one is it?
    assert shift_between([layer_of(town[:1])], [layer_of(town)]) is None or not _proven(
        [layer_of(town[:1], (30, 0, 0))], [layer_of(town)]
    )


def _proven(new: list[Layer], old: list[Layer]) -> bool:
    shift = shift_between(new, old)
    return shift is not None and shift.is_proven


def test_outlines_of_lines_and_empty_data() -> None:
    assert outline_shift(np.zeros((0, 2)), np.zeros((0, 2))) is None
    random = np.random.default_rng(6)
    ends = random.uniform(0, 800, (120, 2))
    points = np.zeros((120, 3))
    points[:, :2] = ends
    offsets = np.arange(0, 121, 3)
    road = Layer("r", "r", "road", Lines(points, offsets, np.arange(40)), ElementTable([str(k) for k in range(40)]))
    moved = road.with_(geometry=Lines(points + (25.0, -60.0, 0.0), offsets, np.arange(40)))
    shift = shift_between([moved], [road])
    assert shift is not None
    assert shift.is_proven
    assert (shift.east, shift.north) == pytest.approx((25.0, -60.0), abs=0.2)


@pytest.mark.parametrize(
    ("above", "code"),
    [(24.5, "doctor.ellipsoid_height"), (120.0, "doctor.height_offset"), (3.0, ""), (-40.0, "doctor.height_below")],
)
def test_heights_above_the_ellipsoid(above: float, code: str, frame: Frame) -> None:
    x, y = np.meshgrid(np.arange(-400, 400, 10.0), np.arange(-400, 400, 10.0))
    hill = Grid(20 + 0.02 * x + 0.01 * y, -400.0, -400.0, 10.0)
    ground = Layer("t", "t", "terrain", hill)
    boxes = [(b[0], b[1], float(hill.sample(b[0], b[1])) + above, *b[3:]) for b in blocks(7)]
    found = compare([layer_of(boxes)], [ground], frame, info=info_of(SITE), crs="EPSG:5186")
    assert [item.code for item in found] == ([code] if code else [])
    if code:
        assert found[0].repair is not None
        offset = plan([found[0].repair.name], info_of(SITE), "EPSG:5186", frame).height_offset
        assert offset == pytest.approx(-above, abs=0.5)


def test_heights_of_points_and_of_another_terrain() -> None:
    ground = Grid(np.full((50, 50), 20.0), 0.0, 0.0, 2.0)
    random = np.random.default_rng(8)
    cloud = np.column_stack([random.uniform(0, 95, (5000, 2)), random.choice([44.0, 50.0, 60.0], 5000)])
    points = Layer("p", "p", "other", Points(cloud, np.zeros(5000, int)), ElementTable(["p"]))
    assert height_above([points], ground).median == pytest.approx(24.0)
    high = Layer("t", "t", "terrain", Grid(np.full((9, 9), 44.5), 3.0, 3.0, 5.0))
    assert height_above([high], ground).median == pytest.approx(24.5)
    away = Layer("t", "t", "terrain", Grid(np.full((9, 9), 44.5), 9e3, 3.0, 5.0))
    assert height_above([away], ground) is None


# ---- validity -------------------------------------------------------------------------------------------------------


def test_a_box_is_valid_and_each_fault_is_counted_once() -> None:
    mesh, _ = box_mesh([(k * 10.0, 0, 0, 5, 5, 5) for k in range(7)])
    faces = mesh.faces.copy()
    faces = np.delete(faces, [12], axis=0)  # box 1 lacks a face
    element = np.delete(mesh.face_element, [12])
    mine = np.flatnonzero(element == 2)
    faces[mine[0]] = faces[mine[0]][::-1]  # box 2: one face the wrong way round
    mine = np.flatnonzero(element == 3)
    faces[mine] = faces[mine][:, ::-1]  # box 3 is inside out
    again = faces[element == 4][:1]  # box 4 has a face twice
    thin = faces[element == 5][0]
    collapsed = np.array([[thin[0], thin[1], thin[1]]])  # box 5 has a collapsed face
    fin = np.array([[faces[element == 6][0][0], faces[element == 6][0][1], faces[element == 0][0][0]]])  # box 6: a fin
    faces = np.concatenate([faces, again, collapsed, fin])
    element = np.concatenate([element, [4, 5, 6]])
    found = check_solids(type(mesh)(mesh.vertices, faces, element))
    assert found.elements == 7
    assert found.valid == 1
    assert {code: rows.tolist() for code, rows in found.faulty.items()} == {
        "zero_area": [5],
        "duplicate_face": [4],
        "open_edge": [1, 6],
        "non_manifold_edge": [6],
        "wrong_orientation": [2],
        "inside_out": [3],
    }
    assert found.counts["open_edge"] == 3 + 2
    assert found.counts["wrong_orientation"] == 3
    assert found.volume[0] == pytest.approx(125.0)
    assert found.volume[3] == pytest.approx(-125.0)


def test_surfaces_may_be_open() -> None:
    mesh, _ = box_mesh([(0, 0, 0, 5, 5, 5)])
    roof = type(mesh)(mesh.vertices, mesh.faces[2:4], mesh.face_element[2:4])
    assert check_solids(roof, expect_closed=False).valid == 1
    assert check_solids(roof).counts == {"open_edge": 4}
    assert check_solids(type(mesh)(np.zeros((0, 3)), np.zeros((0, 3), int), np.zeros(0, int))).elements == 0
