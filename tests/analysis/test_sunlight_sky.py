"""Sky view against closed forms: the plain, the wall, the street, the basin; and shares that add up."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.contract import Result
from analysis.kernels.rays import Occluder
from analysis.registry import get
from analysis.run import execute
from analysis.sunlight_sky.view import Obstacles, sky_directions, views
from geo.model import Feedback, Instances, Layer, Mesh
from tests.tiny import box_mesh, buildings, terrain, tiny_frame

UP = np.array([[0.0, 0.0, 1.0]])


def seen(
    obstacle: Mesh | None, point: tuple[float, float, float], normal: tuple[float, float, float], count: int = 2048
):  # noqa: ANN201
    nothing = Occluder([box_mesh([(1e5, 1e5, -1.0, 1.0, 1.0, 1.0)])[0]])
    solids = None if obstacle is None else Occluder([obstacle])
    return views(
        Obstacles(nothing, solids, None),
        np.array([point]),
        np.array([normal]),
        directions=count,
        feedback=Feedback(),
    )


def test_directions_cover_the_sky_evenly() -> None:
    ways = sky_directions(512)
    np.testing.assert_allclose(np.linalg.norm(ways, axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(ways.mean(axis=0), [0.0, 0.0, 0.5], atol=2e-3)


def test_an_open_plate_sees_all_and_a_wall_half() -> None:
    assert seen(None, (0, 0, 0), (0, 0, 1)).sky[0] == pytest.approx(1.0, abs=1e-6)
    assert seen(None, (0, 0, 0), (1, 0, 0)).sky[0] == pytest.approx(0.5, abs=2e-3)
    assert seen(None, (0, 0, 0), (0, 0, -1)).sky[0] == 0.0


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
def test_the_middle_of_a_long_street(ratio: float) -> None:
    """Johnson and Watson (1984): the sky view factor is the cosine of the angle up to the eaves."""
    height = 20.0 * ratio
    walls = box_mesh([(-5000.0, 10.0, 0.0, 10000.0, 10.0, height), (-5000.0, -20.0, 0.0, 10000.0, 10.0, height)])[0]
    expected = np.cos(np.arctan(height / 10.0))
    found = seen(walls, (0, 0, 0), (0, 0, 1))
    assert found.sky[0] == pytest.approx(expected, abs=6e-3)
    assert found.above[0] == pytest.approx(1.0, abs=1e-6)
    assert found.buildings[0] == pytest.approx(1.0 - expected, abs=6e-3)


def test_the_foot_of_a_wall_in_a_street() -> None:
    """An upright plate at the foot of one side sees half the sky less what the other side hides: (1 - sin b) / 2."""
    wall = box_mesh([(-5000.0, 20.0, 0.0, 10000.0, 10.0, 20.0)])[0]
    found = seen(wall, (0, 0, 0), (0, 1, 0))
    assert found.sky[0] == pytest.approx((1 - np.sin(np.arctan(1.0))) / 2, abs=4e-3)


def city(*more: Layer, **params: object) -> Result:
    layers = [terrain(), buildings(), *more]
    quick = {"directions": 64, "ground_cell": 4, "facade_spacing": 4, **params}
    return execute(get("sunlight.sky"), layers=layers, frame=tiny_frame(), params=quick)


def crown(x: float, y: float) -> Layer:
    ball = box_mesh([(-3.0, -3.0, 4.0, 6.0, 6.0, 6.0)])[0]
    turn = np.hstack([np.eye(3), [[x], [y], [20.0]]])[None]
    shape = Instances((ball,), np.array([0]), turn, np.array([0]))
    return Layer("tree", "Tree", "tree", shape, table=buildings([(0, 0, 0, 1, 1, 1)]).table)


def test_trees_hide_a_share_of_their_own_and_the_shares_add_up() -> None:
    bare, green = city(), city(crown(18.0, 25.0))
    ground = green.layers[0]
    sky, built, trees = (np.asarray(ground.field_named(n).values) for n in ("sky_view", "building_view", "tree_view"))  # type: ignore[union-attr]
    known = np.isfinite(sky)
    assert np.nanmax(trees) > 0.2
    assert (sky[known] + built[known] + trees[known] <= 1.0 + 1e-9).all()
    before = np.asarray(bare.layers[0].field_named("building_view").values)  # type: ignore[union-attr]
    np.testing.assert_allclose(built[known], before[known], atol=1e-12)  # a tree takes nothing from a building
    off = city(crown(18.0, 25.0), trees_block=False)
    np.testing.assert_array_equal(
        np.asarray(off.layers[0].field_named("sky_view").values)[known],  # type: ignore[union-attr]
        np.asarray(bare.layers[0].field_named("sky_view").values)[known],
    )  # type: ignore[union-attr]


def test_roofs_above_all_see_nearly_everything() -> None:
    result = city()
    assert 0.9 < result.summary["roofs_sky"].value <= 1.0  # type: ignore[operator]
    assert 0.3 < result.summary["facades_sky"].value < 0.5  # type: ignore[operator]
