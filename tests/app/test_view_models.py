"""Large models in the picture: colours by runs of faces, marks of thousands of repeated parts."""

from __future__ import annotations

import numpy as np
import pytest

from app.theme import theme_named
from app.view.camera import looking
from app.view.highlight import MOST_FACES, in_boxes
from app.view.instances import InstancesActors
from app.view.layer_actors import Look
from app.view.mesh import repeated, run_starts
from app.view.picking import ray_target
from app.view.points import PointsActors, middle_and_spacing
from app.view.sky import SkyTexture
from geo.model import ElementTable, Instances, Layer, Mesh, Points


def test_colours_of_runs_are_the_colours_of_their_faces() -> None:
    rng = np.random.default_rng(4)
    owner, slot = np.sort(rng.integers(0, 40, 500)), rng.integers(0, 2, 500)
    colours = rng.integers(0, 255, (40, 2, 3)).astype(np.uint8)
    starts = run_starts(owner, slot)
    assert (repeated(colours[owner[starts], slot[starts]], starts, 500) == colours[owner, slot]).all()
    assert len(starts) < 500
    none = run_starts(np.zeros(0))
    assert len(repeated(np.zeros((0, 3), np.uint8), none, 0)) == 0


def test_very_many_repeated_parts_are_marked_by_their_boxes() -> None:
    rng = np.random.default_rng(5)
    strip = (np.arange(300)[:, None] + np.arange(3)).astype(np.int32)
    shapes = tuple(Mesh(rng.random((302, 3)) * (1, 2, 3), strip, np.zeros(300, np.int32)) for _ in range(2))
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])  # a quarter: boxes stay upright
    place = rng.random((600, 3, 1)) * 100
    transform = np.concatenate([np.broadcast_to(turn, (600, 3, 3)), place], axis=2)
    instances = Instances(shapes, np.arange(600, dtype=np.int32) % 2, transform, np.arange(600, dtype=np.int32))
    assert instances.face_count > MOST_FACES
    boxes, whole = in_boxes(instances), instances.baked()
    drawn = boxes.baked()
    assert boxes.face_count == 600 * 12
    for element in (0, 1, 599):
        box, shape = (mesh.vertices[mesh.faces[mesh.face_element == element].ravel()] for mesh in (drawn, whole))
        assert box.min(axis=0) == pytest.approx(shape.min(axis=0))
        assert box.max(axis=0) == pytest.approx(shape.max(axis=0))
    sides = drawn.vertices[drawn.faces[:12]]
    volume = np.einsum("ij,ij->i", sides[:, 0], np.cross(sides[:, 1], sides[:, 2])).sum() / 6
    assert volume == pytest.approx(np.prod(np.ptp(drawn.vertices[drawn.faces[:12].ravel()], axis=0)))  # faces outwards


def test_what_stands_for_too_large_parts_is_drawn_and_picked_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.view.instances.MOST_FACES", 1000)
    strip = (np.arange(40)[:, None] + np.arange(3)).astype(np.int32)
    shape = Mesh(np.random.default_rng(6).random((42, 3)) * (2.4, 0.2, 0.2), strip, np.zeros(40, np.int32))
    transform = np.concatenate([np.tile(np.eye(3), (50, 1, 1)), np.arange(150.0).reshape(50, 3, 1) * 3], axis=2)
    instances = Instances((shape,), np.zeros(50, np.int32), transform, np.arange(50, dtype=np.int32))
    layer = Layer("i", "I", "bim", instances, ElementTable([f"s{k}" for k in range(50)]))
    tiles = InstancesActors.prepare(layer).tiles
    target = ray_target(instances, layer.theme)
    assert target is not None
    assert sum(len(tile.fine.faces) for tile in tiles) == len(target.face_element) == 50 * 12
    drawn = np.concatenate([tile.fine.vertices for tile in tiles])
    assert np.ptp(drawn, axis=0) == pytest.approx(np.ptp(instances.baked().vertices, axis=0), rel=1e-5)


def test_dots_that_would_lie_over_each_other_are_smaller_from_far_off() -> None:
    places = np.stack(np.meshgrid(np.arange(10) * 20.0, np.arange(10) * 20.0), axis=-1).reshape(-1, 2)
    points = Points(np.column_stack([places, np.zeros(100)]), np.arange(100, dtype=np.int32))
    crowd = Layer("people", "People", "other", points, table=ElementTable([str(k) for k in range(100)]))
    few = Layer("few", "Few", "other", Points(points.vertices[:9], points.element[:9]), table=crowd.table)
    sizes = {}
    for layer in (crowd, few):
        drawn = PointsActors(layer, Look(theme_named("light"), SkyTexture()))
        for away in (200.0, 2_000.0, 20_000.0):
            drawn.look_from(looking(np.zeros(3), azimuth=0.0, pitch=-60.0, distance=away), (1000, 800))
            sizes[layer.id, away] = drawn.actors[0].GetProperty().GetPointSize()
        drawn.release()
    assert sizes["people", 200.0] == 6.0
    assert 2.0 < sizes["people", 2_000.0] < 6.0
    assert sizes["people", 20_000.0] == 2.0
    assert {size for (name, _), size in sizes.items() if name == "few"} == {6.0}
    doubled = np.concatenate([points.vertices, points.vertices])  # two at each place stand as far apart as one at each
    assert middle_and_spacing(doubled)[1] == middle_and_spacing(points.vertices)[1] == 20.0
