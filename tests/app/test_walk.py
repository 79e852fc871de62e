"""Walking without a window: floors carry, steps are climbed, walls stop, doors open."""

from __future__ import annotations

import numpy as np
import pytest

from app.view.obstacles import Obstacles
from app.view.picking import ray_target
from app.view.walk import BODY_RADIUS, EYE_HEIGHT, WALK_SPEED, Walker, landed, looked, walked
from geo.model import Grid, Layer
from tests.app.house import WALL, house
from tests.app.view_scene import box as block
from tests.app.view_scene import buildings

NORTH, EAST, SOUTH, WEST = 0.0, 90.0, 180.0, 270.0


def obstacles(*layers: Layer) -> Obstacles:
    return Obstacles(layers, [ray_target(layer.geometry) if layer.geometry else None for layer in layers])


def go(walker: Walker, around: Obstacles, seconds: float, **wish: object) -> Walker:
    for _ in range(round(seconds / 0.05)):
        walker = walked(walker, around.cast, **{"ahead": 1.0, "right": 0.0, "seconds": 0.05, **wish})  # type: ignore[arg-type]
    return walker


@pytest.fixture(scope="module")
def inside() -> Obstacles:
    return obstacles(house(stairs=True))


def test_eye_stands_at_its_height_and_looks_where_it_turns() -> None:
    camera = looked(Walker((1.0, 2.0, 3.0), EAST), turn=90.0, tilt=10.0).camera
    assert camera.position == pytest.approx((1.0, 2.0, 3.0 + EYE_HEIGHT))
    assert camera.azimuth == pytest.approx(SOUTH)
    assert camera.pitch == pytest.approx(10.0)


def test_walking_has_its_speed(inside: Obstacles) -> None:
    end = go(Walker((-4.0, 0.0, 0.0), EAST), inside, 1.0)
    assert end.feet == pytest.approx((-4.0 + WALK_SPEED, 0.0, 0.0), abs=1e-6)
    assert go(Walker((-4.0, 0.0, 0.0), EAST), inside, 1.0, fast=True).feet[0] == pytest.approx(2.0, abs=1e-6)


def test_walls_stop_a_body_before_they_touch_it(inside: Obstacles) -> None:
    end = go(Walker((3.0, 0.0, 0.0), EAST), inside, 4.0)
    assert end.feet[0] == pytest.approx(6 - WALL - BODY_RADIUS, abs=0.02)


def test_walls_are_passed_on_request(inside: Obstacles) -> None:
    end = go(Walker((3.0, 0.0, 0.0), EAST), inside, 4.0, through_walls=True)
    assert end.feet[0] > 6.5


def test_one_slides_along_a_wall(inside: Obstacles) -> None:
    end = go(Walker((4.9, -2.0, 0.0), 45.0), inside, 2.0)
    assert end.feet[0] <= 6 - WALL - BODY_RADIUS + 0.02
    assert end.feet[1] > -0.8


def test_doors_are_passable(inside: Obstacles) -> None:
    end = go(Walker((0.0, -1.0, 0.0), SOUTH), inside, 3.0)
    assert end.feet[1] < -4.5


def test_stairs_are_climbed_step_by_step(inside: Obstacles) -> None:
    start = Walker((-4.0, 2.6, 0.0), EAST)
    end = go(start, inside, 1.9)
    assert end.feet[0] == pytest.approx(-0.2, abs=0.02)
    assert end.feet[2] == pytest.approx(1.7, abs=0.01)


def test_too_high_a_step_is_a_wall() -> None:
    around = obstacles(buildings([block(-5, -5, size=(10, 10, 0.1), z=-0.1), block(2, -5, size=(3, 10, 0.8))]))
    end = go(Walker((0.0, 0.0, 0.0), EAST), around, 3.0)
    assert end.feet[2] == pytest.approx(0.0)
    assert end.feet[0] == pytest.approx(2.0 - BODY_RADIUS, abs=0.02)


def test_one_lands_on_the_floor_under_a_place(inside: Obstacles) -> None:
    upstairs = landed(np.array([0.0, 0.0, 3.6]), inside.cast)
    assert upstairs is not None
    assert upstairs.feet[2] == pytest.approx(3.0, abs=1e-3)
    assert landed(np.array([500.0, 0.0, 0.0]), inside.cast) is None


def test_terrain_carries_uphill() -> None:
    rows, cols = np.mgrid[0:41, 0:41]
    slope = Layer("ground", "Ground", "terrain", Grid(0.1 * (cols * 5.0 - 100.0), -100.0, -100.0, 5.0))
    end = go(Walker((0.0, 0.0, 0.0), EAST), obstacles(slope), 2.0)
    assert end.feet == pytest.approx((4.0, 0.0, 0.4), abs=0.02)


def test_walk_through_the_doors_of_a_real_house(shared_data) -> None:
    """FZK-Haus: from the hall out of the front door onto the ground before it."""
    from app.importer import ImportOptions, import_files

    imported = import_files([shared_data / "ifc" / "AC20-FZK-Haus.ifc"], frame=None, options=ImportOptions())
    layer = next(layer for layer in imported.layers if layer.theme == "bim")
    around = obstacles(layer)
    from app.storeys import element_boxes

    doors = [n for n, kind in enumerate(layer.table.columns["class"].values) if kind == "IfcDoor"]
    boxes = element_boxes(layer)
    assert len(doors) >= 4
    passed = 0
    for row in doors:
        middle = (boxes[row, :3] + boxes[row, 3:]) / 2
        for azimuth in range(0, 360, 10):  # one of the directions leads through
            ahead = np.array([np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth)), 0.0])
            start = middle - ahead * 0.9
            walker = Walker((float(start[0]), float(start[1]), float(boxes[row, 2])), float(azimuth))
            end = go(walker, around, 0.9)
            if (np.array(end.feet) - middle) @ ahead > 0.6 and abs(end.feet[2] - walker.feet[2]) < 0.6:
                passed += 1
                break
    assert passed == len(doors)
