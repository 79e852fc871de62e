"""Large models in the picture: colours by runs of faces, marks of thousands of repeated parts."""

from __future__ import annotations

import numpy as np
import pytest

from app.view.highlight import MOST_FACES, in_boxes
from app.view.mesh import repeated, run_starts
from geo.model import Instances, Mesh


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
