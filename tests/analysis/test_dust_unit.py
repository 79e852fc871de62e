"""Purifiers on cells: where they take in and let out, and where they cannot stand."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.dust.catalogue import Purifier, purifiers
from analysis.dust.unit import PlacedUnit, Ports, is_on_roof, ports_of
from analysis.wind.domain import Axes
from analysis.wind.tunnel import AIR, BUILDING, GROUND, Tunnel
from geo.model import UserError

SHAPE = (14, 30, 40)  # layers of 1 m, cells of 4 m
TOWER = purifiers()["tower-30000"]


def grid(turn: float = 0.0) -> Tunnel:
    """Ground one layer thick, two in the east half; a house of 6 m on the ground around (60, 60) of the tunnel."""
    nz, ny, nx = SHAPE
    solid = np.full(SHAPE, AIR, np.int8)
    solid[0] = GROUND
    solid[1, :, nx // 2 :] = GROUND
    solid[1:7, 12:18, 12:18] = BUILDING
    flat = np.zeros((ny, nx), np.float32)
    return Tunnel(
        np.arange(nx + 1) * 4.0, np.arange(ny + 1) * 4.0, np.arange(nz + 1) * 1.0, turn, np.array([1000.0, 500.0]),
        20.0, solid, flat, None, flat + 0.1, 0.1, np.full((ny, nx), -1, np.int32), np.zeros(4),
    )  # fmt: skip


def at(tunnel: Tunnel, x: float, y: float) -> np.ndarray:
    """Scene position of a place of the tunnel."""
    return Axes(tunnel.turn_deg, tunnel.pivot).to_scene(np.array([[x, y]]))[0]


def middle(tunnel: Tunnel, cell: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Scene position and height of a port."""
    k, j, i = np.unravel_index(cell, SHAPE)
    height = weight @ (0.5 * (tunnel.z[k] + tunnel.z[k + 1]))
    local = np.array([[weight @ (4.0 * i + 2.0), weight @ (4.0 * j + 2.0)]])
    return np.append(Axes(tunnel.turn_deg, tunnel.pivot).to_scene(local)[0], height)


def put(
    x: float, y: float, towards: float = 0.0, *, turn: float = 0.0, model: Purifier = TOWER, roof: bool = False
) -> Ports:
    tunnel = grid(turn)
    place = at(tunnel, x, y)
    return ports_of(PlacedUnit(model, place[0], place[1], towards, roof), tunnel, "pm10")


@pytest.mark.parametrize("turn", [0.0, 25.0])
@pytest.mark.parametrize("towards", [0.0, 90.0, 205.0])
def test_outlet_lies_towards_where_it_blows(turn: float, towards: float) -> None:
    ports = put(31.0, 33.0, towards, turn=turn)
    tunnel = grid(turn)
    intake, outlet = (
        middle(tunnel, ports.intake, ports.intake_weight),
        middle(tunnel, ports.outlet, ports.outlet_weight),
    )
    step = outlet[:2] - intake[:2]
    assert np.hypot(*step) == pytest.approx(TOWER.width, abs=1e-9)
    assert np.degrees(np.arctan2(step[0], step[1])) % 360.0 == pytest.approx(towards, abs=1e-6)
    assert (intake[2], outlet[2]) == (7.5, 2.5)  # one metre of ground, then 6.5 and 1.5 m
    assert ports.intake_weight.sum() == pytest.approx(1.0)
    assert ports.outlet_weight.sum() == pytest.approx(1.0)
    assert (ports.flow, ports.efficiency) == (pytest.approx(30000 / 3600), 0.7)


def test_moving_a_little_changes_a_little() -> None:
    """No jump when a port passes from one cell to the next."""
    before = None
    for x in np.linspace(28.0, 36.0, 161):
        ports = put(float(x), 33.0)
        share = np.zeros(int(np.prod(SHAPE)))
        share[ports.outlet] = ports.outlet_weight
        if before is not None:
            assert np.abs(share - before).sum() < 0.06
        before = share


def test_heights_count_from_the_ground_below_and_from_the_roof() -> None:
    low, high = put(30.0, 30.0), put(120.0, 30.0)
    roof = put(60.0, 60.0, roof=True)
    layers = [int(p.outlet[0] // (SHAPE[1] * SHAPE[2])) for p in (low, high, roof)]
    assert layers == [2, 3, 8]


def test_a_foot_near_the_roof_is_meant_to_be_on_it() -> None:
    tunnel = grid(25.0)
    house, yard = at(tunnel, 60.0, 60.0), at(tunnel, 30.0, 30.0)
    assert is_on_roof(*house, 20.0 + 7.0, tunnel)
    assert not is_on_roof(*house, 20.0 + 1.0, tunnel)
    assert not is_on_roof(*yard, 20.0 + 7.0, tunnel)
    assert not is_on_roof(0.0, 0.0, 27.0, tunnel)


def test_refused_inside_a_building_outside_and_under_the_sky_of_the_grid() -> None:
    for code, arguments in (
        ("dust.unit.in_building", (60.0, 60.0)),
        ("dust.unit.outside", (-30.0, 60.0)),
        ("dust.unit.outside", (float("nan"), 60.0)),
    ):
        with pytest.raises(UserError) as told:
            put(*arguments)
        assert told.value.code == code
    with pytest.raises(UserError) as told:
        put(60.0, 60.0, roof=True, model=TOWER._replace(intake_height=9.0))
    assert told.value.code == "dust.unit.no_air"


def test_walls_beside_a_unit_take_no_air() -> None:
    ports = put(46.5, 60.0, 90.0)  # the outlet would reach into the house from x = 48 on
    solid = grid().solid.reshape(-1)
    assert (solid[ports.outlet] == AIR).all()
    assert ports.outlet_weight.sum() == pytest.approx(1.0)


def test_a_unit_lower_than_a_layer_still_has_two_ports() -> None:
    bench = purifiers()["bench-500"]._replace(intake_height=0.2, outlet_height=0.8)
    for towards in (0.0, 45.0, 90.0):
        ports = put(30.0, 30.0, towards, model=bench)
        assert not np.intersect1d(ports.intake, ports.outlet).size
        between = middle(grid(), ports.outlet, ports.outlet_weight) - middle(grid(), ports.intake, ports.intake_weight)
        forth = np.array([np.sin(np.radians(towards)), np.cos(np.radians(towards))])
        assert between[:2] @ forth > 0.0


def test_in_weak_wind_the_same_unit_counts_for_more() -> None:
    assert put(30.0, 30.0).in_wind(0.25).flow == pytest.approx(4.0 * 30000 / 3600)
