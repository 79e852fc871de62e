"""People on cells: weights that are a mean, homes that breathe the air before their walls, nobody and no people."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.dust.people import Place, exposure
from analysis.wind.tunnel import AIR, BUILDING, GROUND, Tunnel
from geo.model import Issue, UserError

SHAPE = (6, 20, 20)


def grid() -> Tunnel:
    """80 by 80 m in cells of 4 m, one metre layers, the lowest ground; a block of 16 by 16 m in the middle."""
    solid = np.full(SHAPE, AIR, np.int8)
    solid[0] = GROUND
    solid[1:5, 8:12, 8:12] = BUILDING
    flat = np.zeros(SHAPE[1:], np.float32)
    faces = np.arange(21) * 4.0
    return Tunnel(faces, faces, np.arange(7.0), 0.0, np.zeros(2), 0.0, solid, flat, None, flat + 0.1, 0.1,
                  np.full(SHAPE[1:], -1, np.int32), np.array([20.0, 20.0, 60.0, 60.0]))  # fmt: skip


def test_the_mean_is_weighted_with_persons_and_hours() -> None:
    field = np.zeros(SHAPE)
    field[2, 1, 1], field[2, 1, 18] = 10.0, 40.0  # 1.5 m above ground at 1 m: the third layer
    here, there = np.array([[6.0, 6.0]]), np.array([[74.0, 6.0]])
    found = exposure([Place("homes", "a", here, 30.0, 12.0), Place("stops", "b", there, 90.0, 2.0)], grid(), [])
    assert found.mean(field) == pytest.approx((360 * 10 + 180 * 40) / 540)
    assert found.weight.sum() == pytest.approx(1.0)
    assert (found.persons, found.lost) == (120.0, 0.0)
    assert (found.on(SHAPE) * field).sum() == pytest.approx(found.mean(field))


def test_people_in_a_building_breathe_the_air_before_its_walls() -> None:
    inside = np.array([[x, y] for x in (34.0, 46.0) for y in (34.0, 46.0)])
    tunnel = grid()
    found = exposure([Place("homes", "a", inside, 40.0)], tunnel, [])
    layer, row, column = np.unravel_index(found.cell, SHAPE)
    assert set(layer) == {2}
    assert (tunnel.solid[layer, row, column] == AIR).all()
    assert ((row >= 7) & (row <= 12) & (column >= 7) & (column <= 12)).all()
    assert len(found.cell) == 4


def test_without_people_the_open_ground_of_the_study_counts() -> None:
    issues: list[Issue] = []
    found = exposure([Place("homes", "a", np.zeros((0, 2)), 5.0)], grid(), issues)
    assert found.is_area
    assert len(found.cell) == 10 * 10 - 16
    assert found.mean(np.full(SHAPE, 7.0)) == pytest.approx(7.0)
    assert [issue.code for issue in issues] == ["dust.no_people"]


def test_people_outside_are_told_and_nobody_is_refused() -> None:
    issues: list[Issue] = []
    spots = np.array([[6.0, 6.0], [500.0, 6.0]])
    found = exposure([Place("homes", "a", spots, 10.0)], grid(), issues)
    assert (found.persons, found.lost) == (5.0, 5.0)
    assert [issue.code for issue in issues] == ["dust.people_outside"]
    with pytest.raises(UserError) as error:
        exposure([Place("homes", "a", spots[1:], 10.0)], grid(), [])
    assert error.value.code == "dust.people.nobody"
