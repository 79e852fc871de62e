"""Design against as-built: a scan made by hand of a building whose faults are known, and what must not be said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.construction.as_built import STATES, SURFACES
from analysis.contract import Result
from analysis.kernels.cylinders import FOUND, lying_open, measure, sorted_points
from analysis.studies.construction_as_built import AsBuiltInputs, AsBuiltParams, construction_as_built
from geo.model import ElementTable, Feedback, Layer, Mesh, Points, UserError
from tests.tiny import tiny_frame
from tests.tiny_bim import model

SIGMA, MOVED = 0.004, 0.08  # [m] noise of the scan, and how far the south wall stands outward
Box = tuple[float, float, float, float, float, float]
ROOM: dict[str, Box] = {  # x, y, z, width, depth, height
    "floor": (0.0, 0.0, -0.3, 10.0, 8.0, 0.3),
    "south": (0.0, 0.0, 0.0, 10.0, 0.3, 3.0),
    "north": (0.0, 7.7, 0.0, 10.0, 0.3, 3.0),
    "west": (0.0, 0.3, 0.0, 0.3, 7.4, 3.0),
    "east": (9.7, 0.3, 0.0, 0.3, 7.4, 3.0),
    "column": (3.0, 3.0, 0.0, 0.5, 0.5, 3.0),
    "column2": (6.5, 4.5, 0.0, 0.5, 0.5, 3.0),
    "roof": (0.0, 0.0, 3.0, 10.0, 8.0, 0.3),
}


def scan_of(
    boxes: dict[str, Box], *, density: float = 900.0, sigma: float = SIGMA, unseen: tuple[str, ...] = (), seed: int = 1
) -> np.ndarray:
    """Points (n, 3) on what is free of the boxes that stand, `density` a square metre, noise along the normals."""
    rng, found = np.random.default_rng(seed), []
    for name, box in boxes.items():
        low, size = np.array(box[:3]), np.array(box[3:])
        for axis in range(3):
            for side in (0.0, 1.0):
                if axis == 2 and side == 0.0 and box[2] < 0.0:
                    continue  # it lies on the ground
                across = [k for k in range(3) if k != axis]
                number = rng.poisson(density * size[across].prod())
                points = low + rng.random((number, 3)) * size
                points[:, axis] = low[axis] + side * size[axis]
                free = np.ones(number, dtype=bool)
                for other, (x, y, z, w, d, h) in boxes.items():
                    if other != name:
                        inside = (points > np.array([x, y, z]) - 1e-6) & (
                            points < np.array([x + w, y + d, z + h]) + 1e-6
                        )
                        free &= ~inside.all(axis=1)
                points[:, axis] += rng.normal(0.0, sigma, number)
                if name not in unseen:
                    found.append(points[free])
    return np.concatenate(found)


def cloud(points: np.ndarray, layer_id: str = "scan") -> Layer:
    geometry = Points(points, np.zeros(len(points), np.int32))
    return Layer(layer_id, "Scan", "other", geometry, ElementTable(["scan"]))


def design(boxes: dict[str, Box] | None = None) -> Layer:
    return model([(key, "IfcWall", "1F", box) for key, box in (ROOM if boxes is None else boxes).items()])


def run(models: Layer | tuple[Layer, ...], points: np.ndarray | tuple[Layer, ...], **params: float) -> Result:
    scans = (cloud(points),) if isinstance(points, np.ndarray) else points
    inputs = AsBuiltInputs(tiny_frame(), models if isinstance(models, tuple) else (models,), scans)
    return construction_as_built.run(inputs, AsBuiltParams(**params), Feedback())


def rows(result: Result) -> dict[str, dict[str, object]]:
    (table,) = result.tables
    return {str(row[0]): dict(zip(table.columns, row, strict=True)) for row in table.rows()}


def states(result: Result) -> dict[str, str]:
    return {key: str(row["as_built"]) for key, row in rows(result).items()}


def codes(result: Result) -> set[str]:
    return {issue.code for issue in result.issues}


@pytest.fixture(scope="module")
def as_it_stands() -> dict[str, Box]:
    """The room with the south wall 80 mm outward and without the first column."""
    built = {key: box for key, box in ROOM.items() if key != "column"}
    x, y, z, *size = built["south"]
    return built | {"south": (x, y - MOVED, z, *size)}


@pytest.fixture(scope="module")
def room(as_it_stands: dict[str, Box]) -> Result:
    return run(design(), scan_of(as_it_stands, unseen=("west",)))


def test_what_moved_what_is_not_there_and_what_nobody_saw(room: Result) -> None:
    told = states(room)
    assert told["south"] == "deviating"
    assert told["column"] == "missing"
    assert told["west"] == "cannot_tell"  # not seen is not the same as not there
    assert {told[key] for key in ("floor", "north", "east", "column2", "roof")} == {"built"}
    assert [row[0] for row in room.tables[0].rows()][:2] == ["column", "south"]


def test_the_moved_wall_is_found_within_two_standard_errors_outward_positive(room: Result) -> None:
    (layer,) = room.layers
    mesh = layer.geometry
    assert isinstance(mesh, Mesh)
    found = layer.field_named("deviation").values
    south = np.array([key == "south" for key in layer.table.ids])[mesh.face_element]
    row = rows(room)["south"]
    for outward, distance in ((-1.0, MOVED), (1.0, -MOVED)):  # the outer face stands out, the inner one falls back
        here = south & (mesh.face_normal[:, 1] * outward > 0.9) & np.isfinite(found)
        assert here.sum() > 200
        # Every place by itself: within four and a half of its own standard errors.
        middle = mesh.vertices[mesh.faces].mean(axis=1)
        # Away from soles, heads and corners, where the places of other faces begin.
        away = here & (np.abs(middle[:, 2] - 1.5) < 1.2) & (np.abs(middle[:, 0] - 5.0) < 4.4)
        error = 2.0 * SIGMA / np.sqrt(np.pi / 4 * 900.0 * mesh.face_area[away].sum())
        assert np.abs(found[away] - distance).max() < 4.5 * SIGMA / np.sqrt(10)
        assert abs(np.average(found[away], weights=mesh.face_area[away]) - distance) < error
        assert abs(np.average(found[here], weights=mesh.face_area[here]) - distance) < 2e-3
    assert row["shift_north"] == pytest.approx(-MOVED, abs=2e-3)
    assert row["mean_deviation"] == pytest.approx(0.0, abs=0.01)  # both faces: it is displaced, not thicker
    assert row["deviation_95"] == pytest.approx(MOVED, abs=0.01)
    assert row["within_share"] < 20.0


def test_what_was_not_measured_has_no_number(room: Result) -> None:
    (layer,) = room.layers
    surface = layer.field_named("as_built_surface").values
    found = layer.field_named("deviation").values
    measured = np.isin(surface, [SURFACES.index(name) for name in ("within", "proud", "recessed")])
    assert (np.isfinite(found) == measured).all()
    west = np.array([key == "west" for key in layer.table.ids])[layer.geometry.face_element]
    assert not np.isfinite(found[west & (np.abs(layer.geometry.face_normal[:, 0]) > 0.9)]).any()
    assert np.isnan(rows(room)["column"]["mean_deviation"])
    assert np.isnan(rows(room)["west"]["mean_deviation"]) or rows(room)["west"]["measured_share"] < 10


def test_summary_and_fields_say_what_they_are(room: Result) -> None:
    told = {name: item.value for name, item in room.summary.items()}
    assert (told["built"], told["deviating"], told["missing"], told["cannot_tell"]) == (5, 1, 1, 1)
    assert told["elements"] == len(ROOM)
    assert told["registration"] == 0.005
    (layer,) = room.layers
    field = layer.field_named("deviation")
    assert (field.unit, field.ramp, field.range) == ("m", "difference", (-0.1, 0.1))
    assert layer.field_named("as_built").categories == STATES
    assert "construction.scan_shifted" not in codes(room)  # one wall is not the registration
    # 1.96 (sigma / sqrt(n) + registration), as Lague et al. have it
    lod = layer.field_named("lod95").values
    assert 1.96 * 0.005 < np.nanmedian(lod) < 1.96 * (0.005 + SIGMA / np.sqrt(10))


def test_a_wall_of_which_only_one_side_was_scanned_has_no_other_side() -> None:
    wall = {"wall": (0.0, 0.0, 0.0, 6.0, 0.2, 3.0)}
    points = scan_of(wall)
    result = run(design(wall), points[points[:, 1] < 0.1])
    (layer,) = result.layers
    found, back = layer.field_named("deviation").values, layer.geometry.face_normal[:, 1] > 0.9
    assert np.isfinite(found[layer.geometry.face_normal[:, 1] < -0.9]).any()
    assert not np.isfinite(found[back]).any()  # 0.2 m is within the distance searched
    assert np.nanmax(np.abs(found)) < 0.02
    assert states(result) == {"wall": "built"}


def test_density_does_not_shift_the_answer(as_it_stands: dict[str, Box]) -> None:
    for density in (300.0, 3000.0):
        result = run(design(), scan_of(as_it_stands, density=density, unseen=("west",)))
        assert states(result)["south"] == "deviating"
        assert rows(result)["south"]["shift_north"] == pytest.approx(-MOVED, abs=2e-3)
    # One half of a wall scanned ten times as densely as the other pulls nothing to it.
    wall = {"wall": (0.0, 0.0, 0.0, 6.0, 0.3, 3.0)}
    dense, thin = scan_of(wall, density=4000.0), scan_of(wall, density=800.0, seed=2)
    lean = np.where(dense[:, :1] < 3.0, [[0.0, -0.04, 0.0]], 0.0)  # the dense half stands out by 40 mm
    points = np.concatenate([(dense + lean)[dense[:, 0] < 3.0], thin[thin[:, 0] >= 3.0]])
    (layer,) = run(design(wall), points[points[:, 1] < 0.1]).layers
    found = layer.field_named("deviation").values
    here = (layer.geometry.face_normal[:, 1] < -0.9) & np.isfinite(found)
    assert np.average(found[here], weights=layer.geometry.face_area[here]) == pytest.approx(0.02, abs=1e-3)


def test_turned_and_far_from_the_origin_nothing_changes(room: Result, as_it_stands: dict[str, Box]) -> None:
    angle = np.radians(31.0)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0.0], [np.sin(angle), np.cos(angle), 0.0], [0.0, 0.0, 1.0]])
    away = np.array([214_000.0, -437_000.0, 250.0])
    layer = design()
    mesh = layer.geometry
    moved = layer.with_(geometry=Mesh(mesh.vertices @ turn.T + away, mesh.faces, mesh.face_element))
    result = run(moved, scan_of(as_it_stands, unseen=("west",)) @ turn.T + away)
    assert states(result) == states(room)
    row = rows(result)["south"]
    shift = np.array([row["shift_east"], row["shift_north"]])
    np.testing.assert_allclose(shift, turn[:2, :2] @ [0.0, -MOVED], atol=3e-3)


def test_a_house_from_the_air_is_judged_by_its_roof_and_one_never_begun_by_the_ground() -> None:
    houses: dict[str, Box] = {
        "stands": (0.0, 0.0, 0.0, 8.0, 8.0, 6.0),
        "never": (20.0, 0.0, 0.0, 8.0, 8.0, 6.0),
        "shade": (40.0, 0.0, 0.0, 8.0, 8.0, 6.0),
    }
    rng = np.random.default_rng(3)
    ground = np.column_stack([rng.uniform(-10, 60, 120_000), rng.uniform(-10, 20, 120_000), np.zeros(120_000)])

    def under(key: str) -> np.ndarray:
        x, y, _, w, d, _ = houses[key]
        return (ground[:, 0] > x) & (ground[:, 0] < x + w) & (ground[:, 1] > y) & (ground[:, 1] < y + d)

    ground = ground[~under("stands") & ~under("shade")]
    roof = np.column_stack([rng.uniform(0, 8, 4000), rng.uniform(0, 8, 4000), np.full(4000, 6.0)])
    points = np.concatenate([ground, roof]) + [0, 0, 1] * rng.normal(0, 0.03, (len(ground) + len(roof), 1))
    layer = design(houses).with_(theme="building")
    result = run(layer, points, tolerance=0.2, spacing=1.0, registration=0.03)
    # Of the third nobody saw anything: neither roof nor ground.
    assert states(result) == {"stands": "built", "never": "missing", "shade": "cannot_tell"}
    assert rows(result)["never"]["measured_share"] < 1.0  # the ground is not its underside
    assert rows(result)["stands"]["shift_up"] == pytest.approx(0.0, abs=0.01)
    assert np.isnan(rows(result)["stands"]["shift_east"])  # no wall was seen


def test_rooms_scanned_from_inside_do_not_make_the_block_around_them_vanish() -> None:
    """Floor and ceiling of a ground floor lie inside the solid of a block of ten metres."""
    block = {"block": (0.0, 0.0, 0.0, 12.0, 12.0, 10.0)}
    rng = np.random.default_rng(4)
    plan = rng.uniform(0.4, 11.6, (60_000, 2))
    inside = np.column_stack([plan, np.where(rng.random(60_000) < 0.5, 0.02, 2.6)])
    street = np.column_stack([rng.uniform(-5, -1, 5000), rng.uniform(0, 12, 5000), np.zeros(5000)])
    assert states(run(design(block), np.concatenate([inside, street]), spacing=0.5)) == {"block": "cannot_tell"}


def test_a_beam_that_hangs_too_low_is_not_built_though_its_sides_are_where_they_should_be() -> None:
    beam: dict[str, Box] = {"beam": (0.0, 0.0, 2.2, 5.0, 0.2, 0.6)}
    low = scan_of({"beam": (0.0, 0.0, 2.13, 5.0, 0.2, 0.6)})
    floor = np.column_stack([np.random.default_rng(8).uniform(-1, 6, (5000, 2)), np.zeros(5000)])
    result = run(design(beam), np.concatenate([low[low[:, 2] < 2.6], floor]), tolerance=0.03, spacing=0.2)
    assert states(result) == {"beam": "partly"}
    assert rows(result)["beam"]["shift_up"] == pytest.approx(-0.07, abs=0.005)


def test_a_purlin_drawn_into_a_wall_is_not_gone_because_the_wall_is_seen() -> None:
    boxes: dict[str, Box] = {"wall": (0.0, 0.0, 0.0, 6.0, 0.3, 3.0), "purlin": (0.5, 0.03, 2.8, 5.0, 0.12, 0.17)}
    result = run(design(boxes), scan_of({"wall": boxes["wall"]}), tolerance=0.03)
    assert states(result) == {"wall": "built", "purlin": "covered"}


def test_what_stands_in_the_way_is_not_taken_for_the_wall() -> None:
    wall: dict[str, Box] = {"wall": (0.0, 0.0, 0.0, 6.0, 0.3, 3.0)}
    behind, rng = scan_of(wall), np.random.default_rng(5)
    net = np.column_stack([rng.uniform(0, 6, 8000), np.full(8000, -0.2), rng.uniform(0, 3, 8000)])
    result = run(design(wall), np.concatenate([behind, net]))  # a net of scaffolding before half-open places
    assert states(result) == {"wall": "built"}
    assert rows(result)["wall"]["mean_deviation"] == pytest.approx(0.0, abs=0.003)
    bush = np.column_stack([rng.uniform(0, 6, 40_000), rng.uniform(-0.3, 0.14, 40_000), rng.uniform(0, 3, 40_000)])
    result = run(design(wall), bush)  # leaves all through the place of the wall are no surface
    assert states(result) == {"wall": "cannot_tell"}
    assert "construction.scan_unclear" in codes(result)


def test_a_distance_that_registration_alone_explains_is_not_held_against_the_wall() -> None:
    wall: dict[str, Box] = {"wall": (0.0, 0.0, 0.0, 6.0, 0.3, 3.0)}
    points = scan_of({"wall": (0.0, -MOVED, 0.0, 6.0, 0.3, 3.0)})
    points = points[points[:, 1] < 0.0]
    assert states(run(design(wall), points, registration=0.005)) == {"wall": "deviating"}
    assert states(run(design(wall), points, registration=0.045)) == {"wall": "cannot_tell"}


def test_a_scan_that_lies_off_as_a_whole_is_told() -> None:
    points = scan_of(ROOM) + [0.07, -0.04, 0.0]
    (told,) = [one for one in run(design(), points).issues if one.code == "construction.scan_shifted"]
    np.testing.assert_allclose([told.values[k] for k in ("east", "north", "up")], [70, -40, 0], atol=2)


def test_what_is_too_thin_for_the_tolerance_is_not_judged() -> None:
    panel: dict[str, Box] = {"panel": (0.0, 0.0, 0.0, 4.0, 0.04, 3.0)}
    result = run(design(panel), scan_of(panel))
    assert states(result) == {"panel": "cannot_tell"}
    assert "construction.scan_thin" in codes(result)
    assert states(run(design(panel), scan_of(panel, sigma=0.002), tolerance=0.015)) == {"panel": "built"}


def test_what_other_elements_cover_is_not_expected_to_be_seen() -> None:
    boxes: dict[str, Box] = {"wall": (0.0, 0.0, 0.0, 6.0, 0.5, 3.0), "core": (1.0, 0.15, 1.0, 4.0, 0.2, 1.0)}
    result = run(design(boxes), scan_of({"wall": boxes["wall"]}))
    assert states(result) == {"wall": "built", "core": "covered"}


def test_nan_points_and_faces_without_area_are_left_out_and_told() -> None:
    wall: dict[str, Box] = {"wall": (0.0, 0.0, 0.0, 6.0, 0.3, 3.0), "speck": (1.0, 1.0, 1.0, 0.0, 0.0, 0.0)}
    layer = design(wall)
    mesh = layer.geometry
    vertices = np.concatenate([mesh.vertices, [[np.nan, 0, 0]]])
    broken = np.array([[0, 1, len(mesh.vertices)]], dtype=np.int32)
    holed = Mesh(vertices, np.concatenate([mesh.faces, broken]), np.append(mesh.face_element, 0))
    points = scan_of({"wall": wall["wall"]})
    points[::50] = np.nan
    points[7] = np.inf
    result = run(layer.with_(geometry=holed), points)
    assert states(result)["wall"] == "built"
    assert result.summary["elements"].value == 1  # the speck has no surface
    (told,) = [issue for issue in result.issues if issue.code == "construction.scan_not_finite"]
    assert told.count == len(points[::50]) + 1


@pytest.mark.parametrize(
    ("points", "code"),
    [
        (np.zeros((0, 3)), "construction.no_scan"),
        (np.full((50, 3), np.nan), "construction.no_scan"),
        (np.random.default_rng(0).random((500, 3)) + [9000.0, 0.0, 0.0], "construction.scan_apart"),
    ],
)
def test_a_scan_that_is_none_or_elsewhere_is_refused_with_a_reason(points: np.ndarray, code: str) -> None:
    with pytest.raises(UserError) as told:
        run(design(), points)
    assert told.value.code == code
    assert told.value.why
    assert told.value.todo
    if code == "construction.scan_apart":
        assert told.value.values["distance"] == pytest.approx(8990.0, abs=1.0)


def test_devices_are_no_scan_and_models_without_surface_are_none() -> None:
    spots = np.random.default_rng(0).random((5, 3))
    devices = Layer("d", "Devices", "other", Points(spots, np.arange(5)), ElementTable([str(k) for k in range(5)]))
    with pytest.raises(UserError) as told:
        run(design(), (devices,))
    assert told.value.code == "construction.no_scan"
    with pytest.raises(UserError) as told:
        run(design({"speck": (1.0, 1.0, 1.0, 0.0, 0.0, 0.0)}), scan_of(ROOM))
    assert told.value.code == "construction.no_surface"


def test_several_models_and_scans_are_one_site() -> None:
    parts = [{key: box} for key, box in ROOM.items() if key in ("floor", "south", "roof")]
    models = tuple(design(part).with_(id=f"m{k}", name=f"M{k}") for k, part in enumerate(parts))
    far = design({"far": (900.0, 0.0, 0.0, 1.0, 1.0, 1.0)})
    points = scan_of(ROOM)
    east = points[:, 0] > 5
    result = run((far, *models), (cloud(points[east]), cloud(points[~east], "two")))
    assert [layer.name for layer in result.layers] == ["M0 – As built", "M1 – As built", "M2 – As built"]
    assert states(result) == {"floor": "built", "south": "built", "roof": "built"}
    assert {"construction.scan_outside", "construction.scans_joined"} <= codes(result)


def test_cylinders_hold_what_a_plain_search_finds() -> None:
    rng = np.random.default_rng(6)
    points = rng.random((4000, 3)) * [4.0, 3.0, 2.0]
    core = rng.random((60, 3)) * [4.0, 3.0, 2.0]
    normal = rng.normal(size=(60, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    radius, reach = rng.uniform(0.1, 0.3, 60), rng.uniform(0.1, 0.6, 60)
    found = measure(
        sorted_points(points, 0.17), core, normal, radius, reach, reach / 2,
        gap=9.0, least=3, most_spread=9.0, feedback=Feedback(),
    )  # fmt: skip
    for k in range(60):
        offset = points - core[k]
        along = offset @ normal[k]
        aside = np.linalg.norm(offset - along[:, None] * normal[k], axis=1)
        mine = along[(aside <= radius[k]) & (along >= -reach[k] - 9.0) & (along <= reach[k] / 2 + 9.0)]
        assert found.number[k] == len(mine)
        if found.state[k] == FOUND:
            assert found.mean[k] == pytest.approx(mine.mean(), abs=1e-12)
            assert found.spread[k] == pytest.approx(mine.std(ddof=1), abs=1e-12)
    assert (found.state == FOUND).sum() >= 15


def test_a_strip_along_an_edge_does_not_lay_a_place_open() -> None:
    rng = np.random.default_rng(7)
    floor = np.column_stack([rng.uniform(-1, 1, (40_000, 2)), np.zeros(40_000)])
    down, disc = np.array([[0.0, 0.0, -1.0]]), np.array([0.15])

    def is_open(points: np.ndarray) -> bool:
        given = (np.zeros((1, 3)), down, disc, np.array([0.05]), np.array([1.5]))
        return bool(lying_open(sorted_points(points, 0.1), *given, outward=0.05, least=10, feedback=Feedback())[0])

    assert is_open(floor)
    assert not is_open(floor[floor[:, 0] > 0.04])  # the body stands a little aside
    assert not is_open(floor[np.linalg.norm(floor[:, :2], axis=1) > 0.1])  # the foot of a thinner body
    over = np.column_stack([rng.uniform(-0.1, 0.1, (200, 2)), np.full(200, 0.9)])
    assert not is_open(np.concatenate([floor, over]))  # something of it stands there


def test_a_large_scan_stays_within_its_memory() -> None:
    """Memory beside the scan itself: a million points, forty thousand places."""
    import tracemalloc

    boxes: dict[str, Box] = {"hall": (0.0, 0.0, 0.0, 40.0, 25.0, 8.0)}
    points = scan_of(boxes, density=330.0)
    assert len(points) > 900_000
    layer = design(boxes)
    run(design(), scan_of(ROOM, density=50.0))  # what is loaded once is not of the run
    tracemalloc.start()
    result = run(layer, points)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert states(result) == {"hall": "built"}
    assert most < 250e6


@pytest.mark.data
def test_a_real_scan_from_the_air_against_the_city_model_made_of_it(shared_data: Path) -> None:
    """AHN3 and 3dfier of the same streets of Delft: flat blocks at a low percentile of the points of their roofs."""
    from geo import crs
    from geo.formats.cityjson import FORMAT as CITYJSON
    from geo.formats.contract import ReadOptions
    from geo.formats.pointcloud import FORMAT as LAS

    frame = crs.make_frame("EPSG:28992", 84_800.0, 447_400.0)
    path = shared_data / "terrain" / "ahn3_cropped_1.laz"
    (scan,) = LAS.read(path, frame, ReadOptions(crs="EPSG:7415"), Feedback())
    city = CITYJSON.read(shared_data / "city" / "delft_3dfier.city.json", frame, ReadOptions(), Feedback())
    houses = next(layer for layer in city if layer.theme == "building")
    inputs = AsBuiltInputs(frame, (houses,), (scan,))
    params = AsBuiltParams(tolerance=0.3, spacing=2.0, reach=1.0, registration=0.05, least=4)
    result = construction_as_built.run(inputs, params, Feedback())
    table = result.tables[0].columns
    told = table["as_built"].values
    count = {name: int((told == name).sum()) for name in STATES}
    assert len(told) > 130
    assert count["built"] >= 20
    assert count["missing"] == 0  # all of them stand
    out = table["shift_up"].values[told == "deviating"]
    assert len(out) >= 8
    assert (out > 0.3).mean() > 0.7  # the model is too low where roofs are not flat
    # The heights of the classified points over the middle of each roof say the same as the study does.
    points = scan.geometry.vertices[scan.field_named("class").values == 6]
    (layer,) = result.layers
    mesh, height = layer.geometry, layer.field_named("deviation").values
    flat = np.flatnonzero((mesh.face_normal[:, 2] > 0.9) & np.isfinite(height) & (mesh.face_area > 0.5))
    middle = mesh.vertices[mesh.faces[flat]].mean(axis=1)
    plain = np.full(len(flat), np.nan)
    for number, (x, y, z) in enumerate(middle):
        near = np.hypot(points[:, 0] - x, points[:, 1] - y) < 1.0
        plain[number] = np.median(points[near, 2]) - z if near.sum() > 5 else np.nan
    known = np.isfinite(plain)
    assert known.sum() > 100
    assert np.median(np.abs(plain[known] - height[flat][known])) < 0.05
