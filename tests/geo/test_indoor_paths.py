"""Paths inside floors whose lengths are known, and floors from bodies."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from geo.indoor.cells import Cell, CellFinder, floor_of_mesh, standing_point
from geo.indoor.network import Climb, Passage, Side, build_network
from geo.indoor.paths import paths_within
from geo.model import Feedback
from tests.tiny import box_mesh

L_SHAPE = shapely.Polygon([(0, 0), (10, 0), (10, 4), (4, 4), (4, 10), (0, 10)])


def test_straight_where_nothing_is_in_the_way() -> None:
    found = paths_within(shapely.box(0, 0, 10, 10), np.array([(1.0, 1.0), (9.0, 9.0)]))
    assert found.length[0, 1] == pytest.approx(np.hypot(8, 8))
    assert len(found.lines[0, 1]) == 2


def test_around_a_corner_with_clearance() -> None:
    """The corner (4, 4) is passed at (3.75, 3.75)."""
    found = paths_within(L_SHAPE, np.array([(9.0, 3.0), (3.0, 9.0)]))
    assert found.length[0, 1] == pytest.approx(2 * np.hypot(9 - 3.75, 3.75 - 3), abs=1e-6)
    assert np.allclose(found.lines[0, 1][1], (3.75, 3.75))


def test_around_a_column() -> None:
    floor = shapely.box(0, 0, 10, 4).difference(shapely.box(4, 1, 6, 3))
    found = paths_within(floor, np.array([(1.0, 2.0), (9.0, 2.0)]))
    # Corners of the column drawn out by 0.25 m: (3.75, 0.75) and (6.25, 0.75).
    assert found.length[0, 1] == pytest.approx(2.5 + 2 * np.hypot(2.75, 1.25), abs=1e-6)
    line = shapely.LineString(found.lines[0, 1])
    assert not line.crosses(shapely.box(4, 1, 6, 3))


def test_a_gap_narrower_than_a_body_is_still_a_way_but_a_wall_is_none() -> None:
    rooms = [shapely.box(0, 0, 4, 4), shapely.box(4.4, 0, 8, 4)]
    narrow = shapely.union_all([*rooms, shapely.box(3.9, 1.9, 4.5, 2.2)])
    points = np.array([(1.0, 1.0), (7.0, 3.5)])
    assert np.isfinite(paths_within(narrow, points).length[0, 1])
    assert np.isinf(paths_within(shapely.MultiPolygon(rooms), points).length[0, 1])


def test_a_point_in_the_doorway_is_joined() -> None:
    found = paths_within(shapely.box(0, 0, 4, 4), np.array([(2.0, 2.0), (4.2, 2.0)]))
    assert found.length[0, 1] == pytest.approx(2.2)


@pytest.mark.parametrize("flip", [1, -1])
def test_floor_of_a_body(flip: int) -> None:
    mesh, _ = box_mesh([(0.0, 0.0, 5.0, 4.0, 3.0, 2.5)])
    floor, low, high = floor_of_mesh(mesh.vertices, mesh.faces[:, ::flip])
    assert floor.area == pytest.approx(12.0, abs=1e-3)
    assert (low, high) == (5.0, 7.5)
    x, y = standing_point(L_SHAPE)
    assert L_SHAPE.contains(shapely.Point(x, y))


def test_points_find_the_room_of_their_storey() -> None:
    cells = [Cell(str(k), str(k), shapely.box(0, 0, 4, 4), 3.0 * k, 3.0 * k + 2.8) for k in range(3)]
    finder = CellFinder(cells)
    assert finder.at([(1, 1, 0.3), (1, 1, 3.1), (1, 1, 5.9), (9, 1, 0.3)]).tolist() == [0, 1, 2, -1]
    assert CellFinder([]).at([(0, 0, 0)]).tolist() == [-1]


def test_flights_meet_on_their_landing() -> None:
    """Two flights side by side with a landing between join two floors, though neither joins them alone."""
    cells = [Cell(str(k), str(k), shapely.box(0, 0, 4, 8), 3.0 * k, 3.0 * k + 2.8) for k in range(2)]
    up = Climb("a", "a", "stair", np.array([(1.0, 2.0, 0.0), (1.0, 6.0, 1.5)]), (0, -1), 1.2, True, "S")
    on = Climb("b", "b", "stair", np.array([(3.0, 6.0, 1.5), (3.0, 2.0, 3.0)]), (-1, 1), 1.2, True, "S")
    centre = np.array([2.0, 0.0, 0.0])
    door = Passage("d", "d", "door", centre, (Side(0, np.array([2.0, 0.3, 0.0])), Side(-1, np.array([2.0, -0.3, 0.0]))))
    network = build_network(cells, [door], [up, on], Feedback())
    assert {"0", "1"} <= network.reach_exit()
    assert not [issue for issue in network.issues if issue.code == "indoor.no_way_out"]
    alone = build_network(cells, [door], [up], Feedback())
    assert "1" not in alone.reach_exit()
