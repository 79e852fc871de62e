"""A small town for the tests of the picture: two blocks, a court between walls, flat ground, a row of trees."""

from __future__ import annotations

import numpy as np
import pytest

from geo.model import ElementTable, Field, Frame, Grid, Instances, Layer, Mesh, Style, merge_meshes

FRAME = Frame("EPSG:5186", (229_110.0, 435_795.0, 0.0), 127.325, 36.52, convergence_deg=0.193)
SIDES = ((0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7), (4, 5, 6, 7), (3, 2, 1, 0))


def box(x: float, y: float, *, size: tuple[float, float, float], z: float = 0.0) -> Mesh:
    """A closed box, its south-west lower corner given."""
    a, b, h = size
    flat = [(x, y), (x + a, y), (x + a, y + b), (x, y + b)]
    vertices = np.array([(px, py, pz) for pz in (z, z + h) for px, py in flat])
    faces = np.array([f for p, q, r, s in SIDES for f in ((p, q, r), (p, r, s))], np.int32)
    return Mesh(vertices, faces, np.zeros(len(faces), np.int32))


def buildings(boxes: list[Mesh], **style: object) -> Layer:
    """A layer of boxes with the ids b0, b1, ..."""
    table = ElementTable([f"b{k}" for k in range(len(boxes))])
    return Layer("blocks", "Blocks", "building", merge_meshes(boxes), table=table, style=Style(**style))


def town(**style: object) -> Layer:
    """Two blocks of 20 m and 10 m, 30 m apart along x."""
    return buildings([box(-40, -10, size=(20, 20, 20)), box(20, -10, size=(20, 20, 10))], **style)


def ground(half: float = 100.0, cell: float = 5.0) -> Layer:
    """A level terrain."""
    count = int(2 * half / cell) + 1
    return Layer("ground", "Ground", "terrain", Grid(np.zeros((count, count)), -half, -half, cell))


def sun_grid(value: float = 12.0, half: float = 100.0) -> Layer:
    """A result over the ground with one value everywhere."""
    values = np.full((41, 41), value)
    field = Field("sun_hours", "h", "cell", values, ramp="sun_hours", range=(0.0, 12.0))
    return Layer(
        "sun", "Sun", "result", Grid(values, -half, -half, 5.0), fields=(field,), style=Style(colour_by="sun_hours")
    )


def trees(count: int) -> Layer:
    """Trees in a row along y = -60."""
    crown = box(-2, -2, size=(4, 4, 4), z=2.0)
    transform = np.zeros((count, 3, 4))
    transform[:, :, :3] = np.eye(3)
    transform[:, 0, 3] = np.linspace(-80, 80, count)
    transform[:, 1, 3] = -60.0
    instances = Instances((crown,), np.zeros(count, np.int32), transform, np.arange(count, dtype=np.int32))
    return Layer("trees", "Trees", "tree", instances, table=ElementTable([f"t{k}" for k in range(count)]))


def need_graphics() -> None:
    """Skip where nothing can be drawn."""
    from app.view.offscreen import graphics_problem

    problem = graphics_problem()
    if problem:
        pytest.skip(f"no OpenGL here, neither with nor without a screen: {problem}")
