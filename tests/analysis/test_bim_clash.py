"""Clashes: closed forms of boxes at any angle, an independent solid modeller, brute force, and hostile shapes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.bim_check.bodies import bodies_of
from analysis.bim_check.judge import Judged, judge, pairs_near
from analysis.contract import Result
from analysis.registry import get
from analysis.run import execute
from geo.model import Cancelled, Feedback, Instances, Layer, Mesh, UserError
from tests.tiny import box_mesh, tiny_frame
from tests.tiny_bim import layer_of, model

Floats = NDArray[np.float64]


def turn(axis: tuple[float, float, float], degrees: float) -> Floats:
    unit = np.array(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -unit[2], unit[1]], [unit[2], 0, -unit[0]], [-unit[1], unit[0], 0]])
    angle_rad = np.radians(degrees)
    return np.eye(3) + np.sin(angle_rad) * cross + (1 - np.cos(angle_rad)) * cross @ cross


TURNS = [np.eye(3), turn((0, 0, 1), 30.0), turn((1, 2, 3), 37.0)]


def box(place: tuple[float, ...], size: tuple[float, ...], rotation: Floats | None = None) -> Mesh:
    mesh = box_mesh([(*place, *size)])[0]
    return mesh if rotation is None else Mesh(mesh.vertices @ rotation.T, mesh.faces, mesh.face_element)


def judged(*meshes: Mesh, tolerance: float = 0.01, clearance: float = 0.0) -> Judged:
    layer = layer_of(list(meshes), [str(k) for k in range(len(meshes))], ["IfcWall"] * len(meshes))
    bodies = bodies_of([layer])
    everything = np.ones(len(bodies), dtype=np.bool_)
    pairs = pairs_near(bodies, everything, everything, reach=clearance)
    return judge(bodies, pairs, Feedback(), tolerance=tolerance, clearance=clearance)


def run(layers: list[Layer], **params: object) -> Result:
    return execute(get("bim.clash"), layers=layers, frame=tiny_frame(), params=params)


def rows(result: Result) -> list[tuple[str, str, str]]:
    columns = result.tables[0].columns
    return list(zip(*(columns[name].values.tolist() for name in ("clash", "first", "second")), strict=True))


@pytest.mark.parametrize("rotation", TURNS)
@pytest.mark.parametrize("shift", [(0.9, 0.0, 0.0), (0.9, 0.3, 0.2), (0.0, 0.0, 0.9)])
def test_two_boxes_that_overlap_by_a_tenth(rotation: Floats, shift: tuple[float, ...]) -> None:
    """Also where four faces lie in the same planes, so that no edge goes through a face."""
    found = judged(box((0, 0, 0), (1, 1, 1), rotation), box(shift, (1, 1, 1), rotation))
    assert found.depth == pytest.approx([0.1], abs=1e-9)
    assert found.distance == pytest.approx([0.0])
    shared = np.prod([1 - abs(s) for s in shift])
    assert found.volume == pytest.approx([shared], rel=0.05)
    local = rotation.T @ found.point[0]
    assert (local > np.array(shift) - 1e-9).all()
    assert (local < 1.0 + 1e-9).all()


@pytest.mark.parametrize("rotation", TURNS)
def test_boxes_that_touch_are_no_clash(rotation: Floats) -> None:
    found = judged(box((0, 0, 0), (1, 1, 1), rotation), box((1, 0.2, 0), (1, 1, 1), rotation), clearance=0.01)
    assert found.depth == pytest.approx([0.0])
    assert found.distance == pytest.approx([0.0], abs=1e-9)


@pytest.mark.parametrize("rotation", TURNS)
def test_boxes_five_centimetres_apart(rotation: Floats) -> None:
    pair = box((0, 0, 0), (1, 1, 1), rotation), box((1.05, 0.2, 0), (1, 1, 1), rotation)
    near = judged(*pair, clearance=0.1)
    assert near.distance == pytest.approx([0.05], abs=1e-9)
    assert near.depth == pytest.approx([0.0])
    assert not np.isfinite(judged(*pair, clearance=0.04).distance).any()


def test_a_body_within_another_and_the_same_twice() -> None:
    rotation = TURNS[2]
    within = judged(box((0, 0, 0), (1, 1, 1), rotation), box((0.4, 0.4, 0.4), (0.2, 0.1, 0.1), rotation))
    assert within.depth == pytest.approx([0.1], abs=1e-9)
    same = judged(box((0, 0, 0), (1, 2, 3), rotation), box((0, 0, 0), (1, 2, 3), rotation))
    assert same.depth == pytest.approx([1.0], abs=1e-9)


@pytest.mark.parametrize(("axis", "degrees"), [((0, 0, 1), 90.0), ((0, 0, 1), 60.0), ((1, 1, 2), 50.0)])
def test_a_thin_pipe_through_a_wide_wall_is_found_at_any_angle(axis: tuple[float, ...], degrees: float) -> None:
    pipe = box((-4.0, -0.025, -0.025), (8.0, 0.05, 0.05), turn(axis, degrees))
    pipe = Mesh(pipe.vertices + np.array([0.1, 5.0, 1.5]), pipe.faces, pipe.face_element)
    if degrees == 90.0:  # along the wall, within it
        assert judged(box((0, 0, 0), (0.2, 10, 3)), pipe).depth == pytest.approx([0.05], abs=1e-6)
        return
    assert judged(box((0, 0, 0), (0.2, 10, 3)), pipe).depth == pytest.approx([0.05], abs=1e-3)


def test_a_pipe_through_an_opening_is_no_clash() -> None:
    """A wall in four parts around a hole, as one body."""
    parts = [(0, 0, 0, 0.2, 4, 3), (0, 4.4, 0, 0.2, 4, 3), (0, 4, 0, 0.2, 0.4, 1), (0, 4, 1.4, 0.2, 0.4, 1.6)]
    wall = box_mesh([tuple(map(float, part)) for part in parts])[0]
    wall = Mesh(wall.vertices, wall.faces, np.zeros(len(wall.faces), np.int32))
    through, beside = box((-1, 4.1, 1.1), (2, 0.2, 0.2)), box((-1, 4.3, 1.1), (2, 0.2, 0.2))
    assert judged(wall, through).depth.tolist() == [0.0]
    assert judged(wall, beside).depth == pytest.approx([0.1], abs=1e-9)
    assert judged(wall, through, clearance=0.2).distance == pytest.approx([0.1], abs=1e-9)


def test_distances_equal_brute_force_on_random_triangles() -> None:
    """Against a search of points: no point pair is nearer than the distance, and some come as near."""
    from analysis.kernels.clashes import triangles_distance

    rng = np.random.default_rng(7)
    u, v = np.meshgrid(np.linspace(0, 1, 41), np.linspace(0, 1, 41))
    u, v = u[u + v <= 1.0], v[u + v <= 1.0]
    for _ in range(40):
        first, second = rng.uniform(-1, 1, (3, 3)), rng.uniform(-1, 1, (3, 3)) + rng.uniform(0, 1.5, 3)
        one, other = (t[0] + u[:, None] * (t[1] - t[0]) + v[:, None] * (t[2] - t[0]) for t in (first, second))
        nearest = np.sqrt(((one[:, None] - other[None]) ** 2).sum(-1).min())
        exact = triangles_distance(first, second)
        assert exact <= nearest + 1e-12
        assert nearest - exact < 0.09  # the step of the search


def test_pairs_found_by_boxes_are_those_of_brute_force() -> None:
    rng = np.random.default_rng(3)
    meshes = [
        box(tuple(rng.uniform(0, 5, 3)), tuple(rng.uniform(0.1, 1.2, 3)), turn((1, 1, 0), rng.uniform(0, 90)))
        for _ in range(60)
    ]
    found = judged(*meshes, tolerance=0.0, clearance=0.3)
    near = {tuple(pair) for pair, d in zip(found.pairs.tolist(), found.distance, strict=True) if d < 0.3}
    from analysis.kernels.clashes import triangles_distance

    triangles = [mesh.vertices[mesh.faces] for mesh in meshes]
    expected = set()
    for i in range(60):
        for j in range(i + 1, 60):
            low = np.maximum(meshes[i].vertices.min(0), meshes[j].vertices.min(0))
            if (low - np.minimum(meshes[i].vertices.max(0), meshes[j].vertices.max(0)) > 0.3).any():
                continue
            if min(triangles_distance(a, b) for a in triangles[i] for b in triangles[j]) < 0.3:
                expected.add((i, j))
    inside = {pair for pair, depth in zip(map(tuple, found.pairs.tolist()), found.depth, strict=True) if depth > 0}
    assert near - inside == expected - inside
    assert len(expected) > 20


def test_shared_volumes_agree_with_an_independent_solid_modeller() -> None:
    manifold = pytest.importorskip("manifold3d")
    rng = np.random.default_rng(11)

    def solid(mesh: Mesh) -> object:
        return manifold.Manifold(
            manifold.Mesh(vert_properties=mesh.vertices.astype(np.float32), tri_verts=mesh.faces.astype(np.uint32))
        )

    hits = 0
    for _ in range(60):
        one = box((0, 0, 0), (1, 1, 1))
        axis, degrees = tuple(rng.uniform(-1, 1, 3)), rng.uniform(0, 180)
        other = box((-0.5, -0.5, -0.5), tuple(rng.uniform(0.2, 1.0, 3)), turn(axis, degrees))
        other = Mesh(other.vertices + rng.uniform(-0.5, 1.5, 3), other.faces, other.face_element)
        shared = solid(one) ^ solid(other)  # type: ignore[operator]
        found = judged(one, other, tolerance=0.0)
        depth = float(found.depth[0]) if len(found.depth) else 0.0
        if shared.volume() < 1e-6:
            assert depth < 0.02
            continue
        hits += 1
        corners = shared.to_mesh().vert_properties[:, :3]
        # No thicker than the part is along any direction asked, within what the rays see.
        ways = rng.normal(size=(400, 3))
        ways /= np.linalg.norm(ways, axis=1)[:, None]
        width = np.ptp(corners @ ways.T, axis=0).min()
        assert depth > 0.0
        assert depth > 0.4 * width
        assert depth <= np.ptp(corners, axis=0).max() * np.sqrt(3)
        assert found.volume[0] == pytest.approx(shared.volume(), rel=0.35, abs=2e-3)
    assert hits > 25


def test_open_bodies_are_told_of_and_broken_ones_do_no_harm() -> None:
    wall = box((0, 0, 0), (0.2, 4, 3))
    sheet = Mesh(np.array([(-1.0, 1, 1), (1, 1, 1), (1, 2, 1), (-1, 2, 1)]), [(0, 1, 2), (0, 2, 3)], [0, 0])
    assert np.isnan(judged(wall, sheet).depth).all()
    beside = Mesh(sheet.vertices + np.array([1.2 - 1e-9, 0, 0]), sheet.faces, sheet.face_element)  # only touches
    assert judged(wall, beside).depth.tolist() == [0.0]
    nan = Mesh(np.array([(np.nan, 0, 0), (1, 0, 0), (0, 1, 0)]), [(0, 1, 2)], [0])
    point = Mesh(np.zeros((3, 3)), [(0, 1, 2)], [0])
    found = judged(wall, nan, point, box((0.1, 1, 1), (1, 1, 1)))
    assert 0.1 in np.round(found.depth, 9)
    result = run([layer_of([wall, sheet], ["w", "s"], ["IfcWall", "IfcPipeSegment"])])
    assert rows(result) == [("open", "s", "w")]
    assert [issue.code for issue in result.issues] == ["bim.clash.open"]


def test_the_study_on_a_tiny_building() -> None:
    hard = run([model()])
    assert rows(hard) == [("hard", "pipe", "wall")]
    assert hard.tables[0].columns["depth"].values.tolist() == pytest.approx([0.1])
    place = [float(hard.tables[0].columns[name].values[0]) for name in ("easting", "northing", "z")]
    local = np.array(place) - np.array(tiny_frame().origin)
    assert (local >= [3.0, 0.0, 21.0]).all()
    assert (local <= [3.1, 0.2, 21.1]).all()
    near = run([model()], mode="clearance", clearance=0.04)
    assert rows(near) == [("hard", "pipe", "wall"), ("near", "on", "slab"), ("near", "near", "wall2")]
    assert near.summary["near"].value == 2
    assert run([model()], tolerance=0.2).summary["clashes"].value == 0
    assert all(layer.geometry is None for layer in run([model()], tolerance=0.2).layers)


def test_groups_by_class_column_and_layer() -> None:
    every = run([model()], first="*", second="*")
    assert {pair[1:] for pair in rows(every)} == {("wall", "pipe"), ("twin", "twin2"), ("wall", "slab")} - {
        ("wall", "slab")
    }
    assert rows(run([model()], first="ifcfurniture & name=twin", second="layer=Mod*")) == [("hard", "twin", "twin2")]
    with pytest.raises(UserError) as caught:
        run([model()], first="IfcDuct*")
    assert caught.value.code == "bim.clash.no_group"
    assert "IfcPipeSegment (3)" in caught.value.why


def test_repeated_shapes_are_held_against_meshes() -> None:
    shape = box((0, 0, 0), (0.1, 3, 0.1))
    move = np.tile(np.hstack([np.eye(3), np.zeros((3, 1))]), (2, 1, 1))
    move[:, :, 3] = [(3, -1, 21), (50, 0, 21)]
    layer = layer_of([shape, shape], ["p", "q"], ["IfcPipeSegment"] * 2)
    pipes = layer.with_(id="pipes", geometry=Instances((shape,), [0, 0], move, [0, 1]))
    parts = [("wall", "IfcWall", "1F", (0.0, 0.0, 20.0, 10.0, 0.2, 3.0))]
    assert rows(run([model(parts), pipes])) == [("hard", "p", "wall")]


def test_a_search_can_be_stopped() -> None:
    with pytest.raises(Cancelled):
        execute(
            get("bim.clash"), layers=[model()], frame=tiny_frame(), params={}, feedback=Feedback(None, lambda: True)
        )
