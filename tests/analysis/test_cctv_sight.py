"""Lines of sight: analytic boxes, brute force on a city file, glass and crowns, and that nothing depends on threads."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.cctv import sight as sights
from analysis.cctv.cameras import Camera
from analysis.cctv.catalogue import catalogue
from analysis.cctv.seen import PlanScore, Score
from analysis.cctv.sight import SightScene, blocked_poles, pole_faults, segments_meet, sight_scene, trace
from analysis.cctv.targets import Targets, facade_targets, ground_targets, join, order_of, plate_targets
from analysis.registry import get
from analysis.run import execute
from geo.model import Bounds, ElementTable, Field, Grid, Instances, Layer, Mesh
from tests.tiny import BOX_FACES, box_mesh, buildings, terrain, tiny_frame
from tests.tiny_cameras import camera_layers

Floats = NDArray[np.float64]


def city(boxes: list[tuple[float, ...]], *, layer: str = "buildings") -> Layer:
    return buildings(boxes).with_(id=layer)  # type: ignore[arg-type]


def plain(half: float = 40.0, step: float = 1.0, height: float = 0.0) -> Targets:
    axis = np.arange(-half + step / 2, half, step)
    x, y = np.meshgrid(axis, axis)
    return ground_targets(np.column_stack([x.ravel(), y.ravel(), np.full(x.size, height)]), cell=step)


def seen(scene: SightScene, pole: tuple[float, float, float], targets: Targets, reach: float = 200.0) -> set[int]:
    return set(trace(scene, [pole], targets, reach).row(0)[0].tolist())


def segment_hits_box(start: Floats, ends: Floats, low: Floats, high: Floats) -> NDArray[np.bool_]:
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = (low - start) / (ends - start), (high - start) / (ends - start)
    return np.minimum(a, b).max(axis=1).clip(0) < np.maximum(a, b).min(axis=1).clip(None, 1)


def test_boxes_hide_what_the_slab_test_says() -> None:
    boxes = [(-10.0, -10.0, 0.0, 20.0, 12.0, 6.0), (15.3, 8.1, 0.0, 7.7, 9.9, 2.0), (-30.0, 5.0, 1.0, 4.0, 4.0, 3.0)]
    targets = plain()
    scene = sight_scene([city(boxes)])
    for pole in ((-25.3, -22.7, 7.0), (0.2, 31.4, 4.0), (20.1, 1.3, 9.0)):
        hidden = np.zeros(len(targets), dtype=bool)
        margin = np.zeros(len(targets), dtype=bool)
        for x, y, z, w, d, h in boxes:
            low, high = np.array([x, y, z]), np.array([x + w, y + d, z + h])
            hidden |= segment_hits_box(np.array(pole), targets.xyz, low, high)
            grown, shrunk = (segment_hits_box(np.array(pole), targets.xyz, low - e, high + e) for e in (1e-3, -1e-3))
            margin |= grown != shrunk
        found = np.zeros(len(targets), dtype=bool)
        found[list(seen(scene, pole, targets))] = True
        assert (found == ~hidden)[~margin].all()
        assert 200 < found.sum() < len(targets)


def moeller_trumbore(start: Floats, ends: Floats, triangles: Floats) -> NDArray[np.bool_]:
    """(n,) whether segments from one point cross any triangle, in float64."""
    low, high = triangles.min(axis=1), triangles.max(axis=1)
    out = np.zeros(len(ends), dtype=bool)
    for k, end in enumerate(ends):
        left, right = np.minimum(start, end), np.maximum(start, end)
        near = ((low <= right) & (high >= left)).all(axis=1)  # a segment meets only triangles whose box its own meets
        a, b, c = (triangles[near, corner] for corner in range(3))
        e1, e2, way = b - a, c - a, end - start
        p, t0 = np.cross(way[None], e2), start - a
        q = np.cross(t0, e1)
        with np.errstate(divide="ignore", invalid="ignore"):
            inverse = 1.0 / (e1 * p).sum(axis=1)
            u, v, t = ((x * y).sum(axis=1) * inverse for x, y in ((t0, p), (way[None], q), (e2, q)))
        out[k] = bool(((u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0) & (t < 1)).any())
    return out


def test_embree_agrees_with_brute_force_on_a_city(shared_data: Path) -> None:
    from app.importer import import_files

    path = shared_data / "city" / "3-20-DELFSHAVEN.city.json"
    if not path.is_file():
        pytest.skip("no such city")
    layer = next(layer for layer in import_files([path], frame=None).layers if layer.theme == "building")
    mesh = layer.geometry
    assert isinstance(mesh, Mesh)
    assert mesh.bounds is not None
    low, high = np.array(mesh.bounds.low), np.array(mesh.bounds.high)
    rng = np.random.default_rng(5)
    middle = (low + high)[:2] / 2
    spots = np.column_stack([rng.uniform(-90, 90, (700, 2)) + middle, np.full(700, low[2] + 2.0)])
    targets = ground_targets(spots, cell=1.0)
    poles = np.column_stack([rng.uniform(-90, 90, (10, 2)) + middle, np.full(10, low[2] + 9.0)])
    found = trace(sight_scene([layer]), poles, targets, 1e3)
    corners = mesh.vertices[mesh.faces]
    near = (np.abs(corners[:, :, :2].mean(axis=1) - middle) < 250).all(axis=1)
    different = 0
    for number, pole in enumerate(poles):
        away = targets.xyz - pole
        length = np.linalg.norm(away, axis=1, keepdims=True)
        ends = pole + away * (1 - 0.02 / length)
        free = ~moeller_trumbore(pole, ends, corners[near])
        mine = np.zeros(len(targets), dtype=bool)
        mine[found.row(number)[0]] = True
        different += int((mine != free).sum())
    assert found.rays == 7000
    assert different == 0
    assert 200 < len(found.idx) < 6500


def test_no_ray_leaks_through_interior_edges() -> None:
    axis = np.arange(-10.0, 10.5, 1.0)
    x, z = np.meshgrid(axis, axis)
    points = np.column_stack([x.ravel(), np.zeros(x.size), z.ravel() + 10.0])
    n = len(axis)
    first = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)[None]).ravel()
    faces = np.concatenate(
        [np.stack([first, first + 1, first + n + 1], 1), np.stack([first, first + n + 1, first + n], 1)]
    )
    wall = Layer("w", "w", "building", Mesh(points, faces, np.zeros(len(faces))), ElementTable(["w"]))
    pole = np.array([0.37, -8.0, 9.3])
    inner = points[(np.abs(points[:, 0]) < 9.5) & (points[:, 2] > 0.5) & (points[:, 2] < 19.5)]
    edge = np.concatenate([inner, inner + [0.5, 0, 0], inner + [0, 0, 0.5], inner + [0.25, 0, 0.25]])
    edge = edge[(np.abs(edge[:, 0]) < 9.9) & (edge[:, 2] < 19.9)]
    many = np.concatenate([pole + (edge - pole) * stretch for stretch in (1.5, 2.0, 3.0, 5.0)])
    targets = ground_targets(many, cell=1.0, height=0.0)
    leaks = len(seen(sight_scene([wall]), tuple(pole), targets))
    assert len(targets) > 5000
    assert leaks <= len(targets) / 5000


def test_targets_on_walls_are_seen_from_in_front_only() -> None:
    layer = city([(0.0, 0.0, 0.0, 10.0, 10.0, 10.0)])
    scene = sight_scene([layer])
    x, z = np.meshgrid(np.arange(0.5, 10), np.arange(0.5, 10))
    south = np.column_stack([x.ravel(), np.zeros(x.size), z.ravel()])
    targets = facade_targets(south, np.tile([0.0, -1.0, 0.0], (x.size, 1)), cell_area=1.0)
    assert np.allclose(targets.xyz[:, 1], -0.02)
    assert len(seen(scene, (5.0, -20.0, 5.0), targets)) == len(targets)
    assert len(seen(scene, (30.0, -3.0, 5.0), targets)) == len(targets)
    assert len(seen(scene, (5.0, 20.0, 5.0), targets)) == 0
    assert trace(scene, [(5.0, 20.0, 5.0)], targets, 100.0).rays == 0  # turned away: no ray at all


def test_the_reach_is_a_ball() -> None:
    targets = plain()
    scene = sight_scene([terrain(0.0)])
    pole = (3.3, -4.7, 6.0)
    near = np.flatnonzero(np.linalg.norm(targets.xyz - pole, axis=1) <= 17.3)
    assert seen(scene, pole, targets, 17.3) == set(near.tolist())


def turned(layer: Layer) -> Layer:
    mesh = layer.geometry
    assert isinstance(mesh, Mesh)
    return layer.with_(geometry=Mesh(mesh.vertices[:, [1, 0, 2]] * [-1.0, 1.0, 1.0], mesh.faces, mesh.face_element))


def test_turning_everything_by_a_quarter_changes_nothing() -> None:
    layer = city([(-10.0, -10.0, 0.0, 20.0, 12.0, 6.0), (15.3, 8.1, 0.0, 7.7, 9.9, 2.0)])
    rng = np.random.default_rng(3)
    spots = np.column_stack([rng.uniform(-40, 40, (3000, 2)), np.zeros(3000)])
    camera = Camera("c", "c", catalogue()["bullet-4mp"], (-25.3, -22.7, 7.0), 37.0, 20.0, 4.0, 4.0)
    totals = []
    for number in range(2):
        place = spots if number == 0 else spots[:, [1, 0, 2]] * [-1.0, 1.0, 1.0]
        x, y, z = camera.position
        mine = camera if number == 0 else camera.with_(position=(-y, x, z), pan=37.0 - 90.0)
        scene = sight_scene([layer if number == 0 else turned(layer)])
        targets = ground_targets(place, cell=1.0, number=np.arange(3000))
        row = PlanScore(scene, targets, [mine], least=20.0).seen(0)
        order = np.argsort(targets.number[row.target])
        totals.append((targets.number[row.target][order], row.density[order]))
    assert totals[0][0].tolist() == totals[1][0].tolist()
    assert len(totals[0][0]) > 300
    assert totals[0][1] == pytest.approx(totals[1][1], rel=1e-5)


def test_any_number_of_threads_gives_the_same_bits() -> None:
    rng = np.random.default_rng(4)
    boxes = [(*rng.uniform(-40, 40, 2), 0.0, *rng.uniform(2, 9, 2), rng.uniform(3, 12)) for _ in range(30)]
    scene = sight_scene([city(boxes)])
    poles = np.column_stack([rng.uniform(-40, 40, (150, 2)), rng.uniform(3, 8, 150)])
    one, three = (trace(scene, poles, plain(), 60.0, threads=count) for count in (1, 3))
    assert one.ptr.tobytes() == three.ptr.tobytes()
    assert one.idx.tobytes() == three.idx.tobytes()
    assert one.through.tobytes() == three.through.tobytes()


# Glass and crowns


def pane(y: float, transparency: float = 0.6) -> Layer:
    mesh, _ = box_mesh([(-30.0, y, 0.0, 60.0, 0.02, 10.0)])
    field = Field("transparency", "1", "face", np.full(len(mesh.faces), transparency))
    return Layer(f"glass-{y}", "glass", "bim", mesh, ElementTable(["g"]), (field,))


def test_glass_lets_light_through_pane_by_pane() -> None:
    targets = ground_targets([[0.0, 20.0, 0.0]], cell=1.0)
    pole = (0.0, -20.0, 3.0)
    for count in range(6):
        layers = [terrain(0.0), *(pane(float(y)) for y in range(count))]
        found = trace(sight_scene(layers), [pole], targets, 100.0)
        visible = 0.8**count >= 0.5
        assert len(found.idx) == visible
        if visible:
            assert found.through[0] == (count > 0)
    dark = sight_scene([terrain(0.0), pane(0.0)], pane=0.0)
    assert len(trace(dark, [pole], targets, 100.0).idx) == 0


def test_a_frame_is_opaque_and_its_pane_is_not() -> None:
    frame = pane(0.0, transparency=0.0)
    targets = ground_targets([[0.0, 20.0, 0.0]], cell=1.0)
    assert len(trace(sight_scene([terrain(0.0), frame]), [(0.0, -20.0, 3.0)], targets, 100.0).idx) == 0


def test_windows_of_a_model_that_says_nothing_of_glass_are_panes_with_a_doubt() -> None:
    from geo.model import Column

    mesh, _ = box_mesh([(-30.0, 0.0, 0.0, 60.0, 0.02, 10.0)])
    table = ElementTable(["g"], {"class": Column(np.array(["IfcWindow"], dtype=object))})
    layer = Layer("m", "m", "bim", mesh, table)
    issues: list = []
    scene = sight_scene([terrain(0.0), layer], issues=issues)
    assert [issue.code for issue in issues] == ["cctv.windows_as_panes"]
    assert len(trace(scene, [(0.0, -20.0, 3.0)], ground_targets([[0, 20, 0]], cell=1.0), 100.0).idx) == 1


def tree(x: float, y: float, *, evergreen: bool = False, size: float = 4.0) -> Layer:
    from geo.model import Column

    low, high = np.array([-size / 2, -size / 2, 2.0]), np.array([size / 2, size / 2, 6.0])
    corners = np.array([[px, py, pz] for pz in (low[2], high[2]) for px, py in
                        ((low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1]))])  # fmt: skip
    trunk = corners * [0.1, 0.1, 1.0] - [0.0, 0.0, 2.0]
    shape = Mesh(
        np.concatenate([corners, trunk]), np.concatenate([BOX_FACES, BOX_FACES + 8]), np.repeat([0, 1], len(BOX_FACES))
    )
    transform = np.concatenate([np.eye(3), [[x], [y], [0.0]]], axis=1)[None]
    species = Column(np.array(["Pinus densiflora" if evergreen else "Acer palmatum"], dtype=object))
    shapes = Instances((shape,), np.zeros(1), transform, np.zeros(1))
    return Layer(f"tree-{x}-{y}", "t", "tree", shapes, ElementTable(["t"], {"species": species}))


def sight_past(layers: list[Layer], season: str, *, height: float = 4.0, **options: float) -> tuple[int, int]:
    """Whether a point is seen through the crown, and whether the line is marked."""
    targets = ground_targets([[0.0, 20.0, 0.0]], cell=1.0, height=height)
    scene = sight_scene([terrain(0.0), *layers], season=season, **options)  # type: ignore[arg-type]
    found = trace(scene, [(0.0, -20.0, height)], targets, 100.0)
    return len(found.idx), int(found.through.sum())


def test_crowns_hide_in_leaf_and_let_half_through_when_bare() -> None:
    assert sight_past([tree(0.0, 0.0)], "summer") == (0, 0)
    assert sight_past([tree(0.0, 0.0)], "winter") == (1, 1)
    assert sight_past([tree(0.0, 0.0)], "none") == (1, 0)
    assert sight_past([tree(0.0, 0.0), tree(0.0, 8.0)], "winter") == (0, 0)  # a quarter is left
    assert sight_past([tree(0.0, 0.0, evergreen=True)], "winter") == (0, 0)
    assert sight_past([tree(0.0, 0.0)], "winter", height=1.0)[0] == 0  # the trunk is opaque
    assert sight_past([tree(1.0, 0.0)], "summer", height=1.0) == (1, 0)


def test_light_falls_with_the_way_in_the_crown() -> None:
    """exp(-k LAD s) with k = 0.5: 4 m of crown let half through up to LAD = ln 2 / (0.5 * 4) = 0.3466."""
    limit = np.log(2.0) / (0.5 * 4.0)
    assert sight_past([tree(0.0, 0.0)], "summer", leaf_density=limit * 0.99) == (1, 1)
    assert sight_past([tree(0.0, 0.0)], "summer", leaf_density=limit * 1.01) == (0, 0)
    # the lens within the crown, beside the trunk: only the way out counts, half of it
    targets = ground_targets([[1.0, 20.0, 0.0]], cell=1.0, height=4.0)
    inside = ground_targets([[1.0, 0.0, 0.0]], cell=1.0, height=4.0)
    for factor, visible in ((1.98, 1), (2.03, 0)):
        scene = sight_scene([terrain(0.0), tree(0.0, 0.0)], season="summer", leaf_density=limit * factor)
        assert len(trace(scene, [(1.0, 0.0, 4.0)], targets, 100.0).idx) == visible
        # so too where the target is within it
        assert len(trace(scene, [(1.0, -20.0, 4.0)], inside, 100.0).idx) == visible


# Where no camera can be


def test_where_nothing_stands_a_camera_can_be_anywhere() -> None:
    assert pole_faults(sight_scene([]), [(5.0, 5.0, 5.0), (0.0, 0.0, -3.0)]).tolist() == [0, 0]


def test_cameras_are_studied_where_nothing_stands() -> None:
    """As when everything else is hidden, or before the city is imported."""
    found = execute(get("cctv.coverage"), layers=camera_layers(), frame=tiny_frame(), params={})
    assert found.summary["cameras"].value == 2


def test_places_inside_under_ground_and_in_walls_are_told() -> None:
    scene = sight_scene([terrain(0.0), city([(0.0, 0.0, 0.0, 10.0, 10.0, 10.0)])])
    poles = [(5.0, 5.0, 5.0), (-20.0, 0.0, -3.0), (-0.03, 5.0, 5.0), (-0.5, 5.0, 5.0), (20.0, 5.0, 3.0)]
    assert pole_faults(scene, poles).tolist() == [sights.INSIDE, sights.UNDERGROUND, sights.TOUCHING, 0, 0]
    assert blocked_poles(scene, poles).tolist() == [True, True, True, False, False]


def room(x: float, y: float, z: float, w: float, d: float, h: float) -> Layer:
    return Layer("rooms", "rooms", "space", box_mesh([(x, y, z, w, d, h)])[0], ElementTable(["r"]))


def test_the_terrain_is_cut_where_it_would_run_through_rooms() -> None:
    """A floor half a metre below the terrain: without the cut the ground would stand across the room."""
    ground = Layer("terrain", "t", "terrain", Grid(np.full((81, 81), 0.5), -40.0, -40.0, 1.0))
    targets = ground_targets([[5.0, 5.0, 0.0]], cell=1.0, height=0.2)
    pole = (-5.0, 5.0, 2.5)
    assert len(trace(sight_scene([ground]), [pole], targets, 50.0).idx) == 0
    scene = sight_scene([ground, room(-10.0, 0.0, 0.0, 20.0, 10.0, 3.0)])
    assert len(trace(scene, [pole], targets, 50.0).idx) == 1
    coarse = Layer("terrain", "t", "terrain", Grid(np.full((5, 5), 0.5), -80.0, -80.0, 40.0))
    wide = sight_scene([coarse, room(-10.0, 0.0, 0.0, 20.0, 10.0, 3.0)])  # no corner of the terrain in the room
    assert len(trace(wide, [pole], targets, 50.0).idx) == 1
    # a basement wholly below does not open the ground above it
    buried = sight_scene([ground, room(-10.0, 0.0, -4.0, 20.0, 10.0, 3.0)])
    assert len(trace(buried, [pole], targets, 50.0).idx) == 0


# A plan that changes


def plan_of(count: int, scene: SightScene, targets: Targets) -> tuple[PlanScore, list[Camera]]:
    rng = np.random.default_rng(9)
    models = list(catalogue().values())
    cameras = []
    for number in range(count):
        model = models[number % len(models)]
        place = (float(rng.uniform(-38, 38)), float(rng.uniform(-38, 38)), float(rng.uniform(3, 7)))
        tilt = 90.0 if model.kind == "fisheye" else float(rng.uniform(5, 30))
        pan = float(rng.uniform(0, 360))
        cameras.append(Camera(str(number), str(number), model, place, pan, tilt, 0.0, model.focal_min_mm))
    return PlanScore(scene, targets, cameras, least=20.0), cameras


def same(one: Score, other: Score) -> bool:
    names = ("density", "reachable", "square", "night", "views", "only")
    return all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in names)


def some_boxes() -> list[tuple[float, ...]]:
    rng = np.random.default_rng(4)
    return [(*rng.uniform(-40, 36, 2), 0.0, *rng.uniform(2, 6, 2), rng.uniform(3, 12)) for _ in range(25)]


def test_moving_one_camera_equals_a_full_run_and_traces_only_it() -> None:
    targets = join([plain(), plate_targets([[0, 0, 0.0]], [[1, 0, 0.0]])])
    scene = sight_scene([terrain(0.0), city(some_boxes())])
    plan, cameras = plan_of(20, scene, targets)
    before = plan.score()
    assert plan.traced == 20
    plan.set_camera(3, cameras[3].with_(pan=cameras[3].pan + 33.0, tilt=11.0))
    assert plan.traced == 20  # turning traces nothing
    plan.set_camera(5, cameras[5].with_(focal_mm=cameras[5].model.focal_max_mm))
    assert plan.traced == 20
    plan.set_camera(7, cameras[7].with_(position=(1.0, 2.0, 6.0)))
    assert plan.traced == 21
    whole = PlanScore(scene, targets, plan.cameras, least=20.0).score()
    assert same(plan.score(), whole)
    assert not same(before, whole)
    number = plan.add(cameras[0].with_(position=(5.0, -7.0, 5.0)))
    plan.remove(2)
    assert number == 20
    assert same(plan.score(), PlanScore(scene, targets, plan.cameras, least=20.0).score())
    plan.set_camera(4, plan.cameras[4].with_(state="off"))
    left = [camera for k, camera in enumerate(plan.cameras) if k != 4]
    assert plan.score().density.tobytes() == PlanScore(scene, targets, left, least=20.0).score().density.tobytes()


def test_moving_a_building_equals_a_full_run() -> None:
    targets = plain()
    boxes = some_boxes()
    ground = terrain(0.0)
    centre = (0.0, 0.0, 0.0)
    scene = sight_scene([ground, city(boxes)], centre=centre)
    plan, cameras = plan_of(30, scene, targets)
    for move in range(3):
        x, y, z, w, d, h = boxes[move]
        moved = [*boxes]
        moved[move] = (x + 3.7, y - 2.1, z, w, d, h)
        changed = [Bounds((a, b, z), (a + w, b + d, z + h)) for a, b in ((x, y), (x + 3.7, y - 2.1))]
        after = sight_scene([ground, city(moved)], centre=centre)
        pairs = plan.set_scene(after, changed)
        assert 0 < pairs < 0.2 * 30 * len(targets)
        assert same(plan.score(), PlanScore(after, targets, cameras, least=20.0).score())
        boxes = moved


def test_fifty_cameras_are_scored_again_at_once() -> None:
    targets = plain(100.0, 1.0)
    scene = sight_scene([terrain(0.0, half=120.0), city(some_boxes())])
    plan, cameras = plan_of(50, scene, targets)
    plan.score()
    started = time.process_time()
    plan.set_camera(7, cameras[7].with_(position=(1.0, 2.0, 6.0)))
    plan.score()
    assert time.process_time() - started < 0.2


def test_segments_and_boxes() -> None:
    box = Bounds((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    start = np.array([-1.0, 0.5, 0.5])
    ways = np.array([[2.0, 0, 0], [0.9, 0, 0], [0, 1.0, 0], [4.0, 0, 0], [2.0, 1.2, 0], [-2.0, 0, 0]])
    assert segments_meet(start, ways, [box]).tolist() == [True, False, False, True, False, False]


def test_targets_keep_their_order_when_joined() -> None:
    rng = np.random.default_rng(2)
    spots = rng.uniform(-50, 50, (500, 3))
    one = ground_targets(spots[:200], cell=2.0, areas=("a", "b"), area=rng.integers(0, 2, 200))
    two = ground_targets(spots[200:], cell=2.0, areas=("b",), importance=0.5)
    whole = join([one, two])
    assert whole.areas == ("a", "b")
    assert np.array_equal(order_of(whole.xyz), np.arange(500))
    assert int(whole.weight.sum()) == 200 * 400 + 300 * 200
    assert (whole.weight[whole.area == 0] == 400).all()


def test_a_lens_in_a_crown_is_known() -> None:
    scene = sight_scene([terrain(0.0), tree(0.0, 0.0), pane(10.0)])
    poles = [(1.0, 0.0, 4.0), (1.0, 0.0, 1.0), (1.0, 0.0, 8.0), (5.0, 0.0, 4.0)]
    assert sights.in_crowns(scene, poles).tolist() == [True, False, False, False]
    assert not sights.in_crowns(sight_scene([terrain(0.0)]), poles).any()


def test_the_scene_counts_about_the_same_middle_wherever_one_looks() -> None:
    layers = [terrain(0.0), city(some_boxes())]
    near, far = (
        sight_scene(layers, box=Bounds((x - 10, -10.0, 0.0), (x + 10, 10.0, 9.0))).opaque.centre for x in (-60.0, 60.0)
    )
    assert near.tolist() == far.tolist()


def test_without_the_library_the_lines_are_the_same() -> None:
    from dataclasses import replace

    from analysis.kernels.rays import Occluder

    scene = sight_scene([terrain(0.0), city(some_boxes())])
    meshes = [mesh for _, mesh in scene.obstacles.opaque]
    single = replace(scene, opaque=Occluder(meshes, scene.opaque.centre, bundles=False))
    walls = facade_targets([[0.0, -30.0, 2.0], [0.0, 30.0, 2.0]], [[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]], cell_area=1.0)
    targets = join([plain(), walls])
    poles = [(-39.5, -39.5, 14.0), (0.3, 39.0, 13.0)]
    ours, plainly = (trace(one, poles, targets, 60.0) for one in (scene, single))
    assert ours.idx.tolist() == plainly.idx.tolist()
    assert ours.rays == plainly.rays
    assert len(ours.idx) > 1000
