"""Sources on cells: every microgram is on a cell or told as lost; widths, heights, turned grids, ground in steps."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.dust import sources
from analysis.wind.tunnel import AIR, BUILDING, GROUND, Tunnel
from geo.model import Issue, UserError

SHAPE = (10, 40, 50)  # layers, rows, columns


def grid(*, turn: float = 0.0, cell: float = 4.0) -> Tunnel:
    """200 by 160 m, layers of one metre, the lowest one ground, the ground one step higher in the east half."""
    nz, ny, nx = SHAPE
    solid = np.full(SHAPE, AIR, np.int8)
    solid[0] = GROUND
    solid[1, :, nx // 2 :] = GROUND
    flat = np.zeros((ny, nx), np.float32)
    return Tunnel(
        np.arange(nx + 1) * cell, np.arange(ny + 1) * cell, np.arange(nz + 1) * 1.0, turn, np.array([1000.0, 500.0]),
        20.0, solid, flat, None, flat + 0.1, 0.1, np.full((ny, nx), -1, np.int32), np.zeros(4),
    )  # fmt: skip


def test_a_road_gives_its_length_times_its_emission_on_its_zone() -> None:
    line = np.array([[1020.0, 560.0], [1020.0, 560.0], [1060.0, 560.0], [1060.0, 600.0]])
    road = sources.road_source("road", "a", line, width=7.0, per_metre=5.0, cell=4.0)
    assert road.strength == pytest.approx(400.0)
    (found,) = sources.emissions([road], grid(), [])
    field = found.on(SHAPE)
    assert field.sum() == pytest.approx(400.0, rel=1e-12)
    assert found.lost == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(field.sum(axis=(1, 2))[[0, 1, 2, 3]], [0, 200, 200, 0])
    rows = np.flatnonzero(field[1, :, 8])  # across the first leg: 13 m around y = 60
    assert (rows.min(), rows.max()) == (13, 16)


def test_a_source_is_never_narrower_than_two_cells() -> None:
    road = sources.road_source(
        "road", "a", np.array([[1020.0, 562.0], [1060.0, 562.0]]), width=0.0, per_metre=1.0, cell=8.0
    )
    assert np.ptp(road.points[:, 1]) > 0.9 * 16 * 5 / 6
    stack = sources.point_source("stack", "s", np.array([1030.0, 550.0]), height=5.5, strength=9.0, cell=4.0)
    (found,) = sources.emissions([stack], grid(), [])
    assert set(found.cell // (40 * 50)) == {6}  # one metre of ground, then five and a half
    assert len(found.cell) >= 4
    assert found.strength.sum() == pytest.approx(9.0)


def test_heights_count_from_the_ground_of_each_column() -> None:
    line = np.array([[1040.0, 560.0], [1160.0, 560.0]])
    (found,) = sources.emissions(
        [sources.road_source("road", "a", line, width=6.0, per_metre=1.0, cell=4.0)], grid(), []
    )
    layers = found.on(SHAPE).sum(axis=(1, 2))
    np.testing.assert_allclose(layers[1:4], [30.0, 60.0, 30.0], rtol=0.02)


def test_a_site_gives_its_area() -> None:
    square = np.array(
        [[[1020.0, 520.0], [1070.0, 520.0], [1070.0, 570.0]], [[1020.0, 520.0], [1070.0, 570.0], [1020.0, 570.0]]]
    )
    site = sources.area_source("site", "b", square, per_area=2.0, cell=4.0)
    assert site.strength == pytest.approx(5000.0)
    (found,) = sources.emissions([site], grid(), [])
    inner = found.on(SHAPE).sum(axis=0)[6:17, 6:17] / 16.0
    assert inner.mean() == pytest.approx(2.0, rel=0.02)
    assert inner.std() < 0.4


def test_turned_with_its_grid_a_source_lies_in_the_same_cells() -> None:
    turn = np.radians(30.0)
    line = np.array([[20.0, 60.0], [90.0, 100.0]])
    turned = line @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + (1000.0, 500.0)
    here = sources.road_source("r", "a", line + (1000.0, 500.0), width=6.0, per_metre=1.0, cell=4.0)
    there = sources.road_source("r", "a", turned, width=6.0, per_metre=1.0, cell=4.0)
    (one,), (other,) = sources.emissions([here], grid(), []), sources.emissions([there], grid(turn=30.0), [])
    np.testing.assert_allclose(one.on(SHAPE), other.on(SHAPE), atol=0.2)


def test_what_lies_in_buildings_or_outside_is_told() -> None:
    tunnel = grid()
    tunnel.solid[1:9, :, :10] = BUILDING  # west of 1040
    line = np.array([[1020.0, 560.0], [1060.0, 560.0]])
    issues: list[Issue] = []
    road = sources.road_source("ring road", "a", line, width=6.0, per_metre=1.0, cell=4.0)
    (found,) = sources.emissions([road], tunnel, issues)
    assert found.lost == pytest.approx(20.0, rel=0.05)
    assert found.strength.sum() + found.lost == pytest.approx(40.0)
    assert [issue.code for issue in issues] == ["dust.source_lost"]
    assert "ring road" in issues[0].message
    far = sources.road_source("far", "b", line + 5000.0, width=6.0, per_metre=1.0, cell=4.0)
    with pytest.raises(UserError) as error:
        sources.emissions([far], tunnel, [])
    assert error.value.code == "dust.source.nothing"


def test_strengths_of_nothing_are_told_and_below_zero_refused() -> None:
    stack = sources.point_source("s", "stack", np.array([1030.0, 550.0]), height=3.0, strength=1.0, cell=4.0)
    issues: list[Issue] = []
    found = sources.emissions([stack, stack._replace(group="t", strength=0.0)], grid(), issues)
    assert [one.group for one in found] == ["s"]
    assert [issue.code for issue in issues] == ["dust.no_strength"]
    for bad in (-1.0, float("nan")):
        with pytest.raises(UserError) as error:
            sources.emissions([stack._replace(strength=bad)], grid(), [])
        assert error.value.code == "dust.source.wrong"
