"""Where windows are made along facades, and how a window's own mesh is read."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.kernels.windows import FacadeWindows, facade_windows, grid_of_points, window_frame
from tests.analysis.test_rays import box


def made(*meshes, storeys: list[int], height: float = 3.0, spacing: float = 10.0) -> FacadeWindows:  # noqa: ANN002
    corners = np.concatenate([m.vertices[m.faces] for m in meshes])
    element = np.repeat(np.arange(len(meshes)), [len(m.faces) for m in meshes])
    return facade_windows(
        corners,
        element,
        np.array([m.vertices[:, 2].min() for m in meshes]),
        np.array(storeys),
        np.full(len(meshes), height),
        above_floor=1.5,
        spacing=spacing,
    )


def south(windows: FacadeWindows) -> np.ndarray:
    return windows.centre[windows.normal[:, 1] < -0.9]


def test_one_window_per_storey_and_share_of_the_facade() -> None:
    found = made(box(40, 12, 15, at=(100, 50, 20)), storeys=[5])
    assert len(found.storey) == 5 * (4 + 4 + 1 + 1)
    mine = south(found)
    assert np.unique(mine[:, 1]) == pytest.approx([44.0])
    assert sorted(np.unique(mine[:, 0].round(6))) == pytest.approx([85, 95, 105, 115])
    assert sorted(np.unique(mine[:, 2].round(6))) == pytest.approx([21.5, 24.5, 27.5, 30.5, 33.5])
    assert found.width[found.normal[:, 1] < -0.9] == pytest.approx(10.0)


@pytest.mark.parametrize("turn", [0.0, 13.0, 45.0, 200.0])
def test_turned_building_has_the_same_windows(turn: float) -> None:
    """The wall may lie in any direction and its triangles may be cut in any way."""
    straight, turned = made(box(40, 12, 15), storeys=[5]), made(box(40, 12, 15, turn=turn), storeys=[5])
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    expected = straight.centre @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    order = [np.lexsort(np.round(p, 3).T) for p in (expected, turned.centre)]
    assert turned.centre[order[1]] == pytest.approx(expected[order[0]], abs=1e-6)
    outward = (turned.normal * (turned.centre - [0, 0, 0]))[:, :2].sum(axis=1)
    assert (outward > 5.9).all()


def test_many_small_triangles_are_one_wall() -> None:
    from geo.model import Mesh

    coarse = box(40, 12, 15)
    mesh = coarse
    for _ in range(3):  # four triangles from each
        v = mesh.vertices[mesh.faces]
        a, b, c = v[:, 0], v[:, 1], v[:, 2]
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        corners = np.concatenate([np.stack(t, 1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
        count = len(corners)
        mesh = Mesh(corners.reshape(-1, 3), np.arange(3 * count).reshape(-1, 3), np.zeros(count, np.int32))
    a, b = (w.centre[np.lexsort(w.centre.round(3).T)] for w in (made(coarse, storeys=[5]), made(mesh, storeys=[5])))
    assert a == pytest.approx(b, abs=1e-9)


def test_stepped_wall_has_windows_only_where_it_is() -> None:
    low, high = box(20, 12, 9, at=(-10, 0, 0)), box(20, 12, 30, at=(10, 0, 0))
    both = np.concatenate([low.vertices[low.faces], high.vertices[high.faces]])
    found = facade_windows(
        both, np.zeros(len(both), int), np.zeros(1), np.array([10]), np.array([3.0]), above_floor=1.5, spacing=10
    )
    mine = south(found)
    assert (mine[:, 2] < 9).sum() == 3 * 4
    assert (mine[mine[:, 2] > 9][:, 0] > 0).all()
    assert (mine[:, 2] > 9).sum() == 7 * 2


def test_two_wings_in_one_plane_are_apart() -> None:
    found = made(box(14, 10, 6, at=(0, 0, 0)), storeys=[2])
    wings = [box(14, 10, 6, at=(-20, 0, 0)), box(14, 10, 6, at=(20, 0, 0))]
    corners = np.concatenate([w.vertices[w.faces] for w in wings])
    both = facade_windows(
        corners, np.zeros(24, int), np.zeros(1), np.array([2]), np.array([3.0]), above_floor=1.5, spacing=10
    )
    assert len(both.storey) == 2 * len(found.storey)
    assert sorted(set(south(both)[:, 0].round(6))) == pytest.approx([-20, 20])


def test_lift_house_has_no_window_but_a_set_back_tower_has() -> None:
    main = box(40, 12, 15)
    for height, expected in ((4.0, 0), (7.0, 1)):
        top = box(8, 6, height, at=(0, 0, 15))
        corners = np.concatenate([main.vertices[main.faces], top.vertices[top.faces]])
        found = facade_windows(
            corners, np.zeros(24, int), np.zeros(1), np.array([6]), np.array([3.0]), above_floor=1.5, spacing=10
        )
        assert (south(found)[:, 2] > 15).sum() == expected


def test_nothing_from_nothing() -> None:
    nothing = np.zeros((0, 3, 3))
    found = facade_windows(
        nothing, np.zeros(0, int), np.zeros(0), np.zeros(0, int), np.zeros(0), above_floor=1.5, spacing=10
    )
    assert len(found.storey) == 0


@pytest.mark.parametrize("turn", [0.0, 30.0, 90.0, 215.0])
def test_window_mesh_gives_its_middle_size_and_direction(turn: float) -> None:
    pane = box(1.8, 0.1, 1.4, turn=turn, at=(7.0, -3.0, 11.0))
    frame = window_frame(pane.vertices[pane.faces])
    assert frame is not None
    assert frame.centre == pytest.approx([7.0, -3.0, 11.7], abs=1e-9)
    assert (frame.width, 2 * frame.half_depth, frame.height) == pytest.approx((1.8, 0.1, 1.4))
    outward = np.array([-np.sin(np.radians(turn)), np.cos(np.radians(turn)), 0.0])
    assert abs(frame.across @ outward) == pytest.approx(1.0)


def test_deep_jambs_do_not_turn_a_narrow_window() -> None:
    """A frame 42 cm deep around a pane 75 cm wide: the jambs have more area than the pane."""
    jambs = [box(0.05, 0.42, 2.2, at=(x, 0.0, 1.0)) for x in (-0.35, 0.35)]
    parts = [*jambs, box(0.65, 0.02, 2.1, at=(0.0, 0.0, 1.05))]
    frame = window_frame(np.concatenate([part.vertices[part.faces] for part in parts]))
    assert frame is not None
    assert abs(frame.across[1]) == pytest.approx(1.0)
    assert (frame.width, 2 * frame.half_depth, frame.height) == pytest.approx((0.75, 0.42, 2.2))


def test_roof_light_is_no_window() -> None:
    lying = box(1.8, 1.4, 0.1)
    assert window_frame(lying.vertices[lying.faces]) is None
    assert window_frame(np.zeros((3, 3, 3))) is None


def test_points_on_a_window_begin_with_the_centre_and_differ() -> None:
    for count in (1, 3, 5, 9):
        points = grid_of_points(count)
        assert points.shape == (count, 2)
        assert points[0].tolist() == [0, 0]
        assert len(np.unique(points, axis=0)) == count
        assert np.abs(points).max(initial=0) < 1
