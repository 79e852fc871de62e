"""The mesh handed to OpenFOAM: closed cells, their volumes, the order of faces, patches; the wind on it."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.wind.openfoam_mesh import PATCHES, Mesh, as_fields, fingerprint, heights, make_mesh, roughness, wind_on
from analysis.wind.profile import log_inflow
from analysis.wind.tunnel import AIR, BUILDING, GROUND, Tunnel


def tunnel(*, turn: float = 0.0) -> Tunnel:
    """Uneven faces, a step of ground, a block, a bridge over air, and a sealed room."""
    x = np.cumsum([0.0, *np.linspace(2.0, 5.0, 12)])
    y = np.cumsum([-7.0, *np.linspace(3.0, 1.5, 10)])
    z = np.cumsum([0.0, *np.linspace(0.5, 2.0, 9)])
    shape = (9, 10, 12)
    solid = np.full(shape, AIR, np.int8)
    ground = np.zeros(shape[1:], np.float32)
    solid[:2, :, 9:] = GROUND
    ground[:, 9:] = z[2]
    solid[:5, 3:6, 2:5] = BUILDING
    solid[1, 4, 3] = AIR  # a room without a way out
    solid[4:6, 7, 5:8] = BUILDING  # a bridge
    z0 = np.where(np.arange(12) < 6, 0.03, 0.5).astype(np.float32)
    return Tunnel(
        x, y, z, turn, np.array([100.0, 50.0]), 12.0, solid, ground, None, np.tile(z0, (10, 1)), 0.004,
        np.full(shape[1:], -1, np.int32), np.array([x[2], y[2], x[9], y[8]]),
    )  # fmt: skip


@pytest.fixture(scope="module")
def made() -> tuple[Tunnel, Mesh]:
    given = tunnel()
    return given, make_mesh(given)


def areas(mesh: Mesh) -> np.ndarray:
    """Area vectors of the faces, by the diagonals."""
    a, b, c, d = (mesh.points[mesh.faces[:, n]] for n in range(4))
    return 0.5 * np.cross(c - a, d - b)


def middles(mesh: Mesh) -> np.ndarray:
    return mesh.points[mesh.faces].mean(axis=1)


def volumes(given: Tunnel) -> np.ndarray:
    return np.diff(given.z)[:, None, None] * np.diff(given.y)[None, :, None] * np.diff(given.x)


def summed(mesh: Mesh, values: np.ndarray) -> np.ndarray:
    """Sum of a value of the faces over each cell, outwards."""
    out = np.zeros((len(mesh.cells), *values.shape[1:]))
    np.add.at(out, mesh.owner, values)
    np.add.at(out, mesh.neighbour, -values[: len(mesh.neighbour)])
    return out


def test_every_cell_is_closed(made: tuple[Tunnel, Mesh]) -> None:
    _, mesh = made
    assert np.abs(summed(mesh, areas(mesh))).max() < 1e-12


def test_volumes_by_the_theorem_of_gauss_are_those_of_the_cells(made: tuple[Tunnel, Mesh]) -> None:
    given, mesh = made
    found = summed(mesh, (areas(mesh) * middles(mesh)).sum(axis=1)) / 3.0
    np.testing.assert_allclose(found, volumes(given).ravel()[mesh.cells], rtol=1e-12)


def test_faces_inside_are_in_upper_triangular_order(made: tuple[Tunnel, Mesh]) -> None:
    _, mesh = made
    owner, neighbour = mesh.owner[: len(mesh.neighbour)].astype(int), mesh.neighbour.astype(int)
    assert (owner < neighbour).all()
    key = owner * len(mesh.cells) + neighbour
    assert (np.diff(key) > 0).all()
    assert set(np.unique(mesh.faces)) == set(range(len(mesh.points)))  # no corner without a face
    assert len(np.unique(mesh.points, axis=0)) == len(mesh.points)


def test_patches_follow_each_other_and_have_the_areas_of_the_tunnel(made: tuple[Tunnel, Mesh]) -> None:
    given, mesh = made
    assert [patch.name for patch in mesh.patches] == list(PATCHES)
    start = len(mesh.neighbour)
    for patch in mesh.patches:
        assert patch.start == start
        start += patch.size
    assert start == len(mesh.faces)
    vector = {p.name: areas(mesh)[p.start : p.start + p.size].sum(axis=0) for p in mesh.patches}
    size = {p.name: np.abs(areas(mesh)[p.start : p.start + p.size]).sum(axis=0) for p in mesh.patches}
    deep, wide, high = (float(a[-1] - a[0]) for a in (given.x, given.y, given.z))
    np.testing.assert_allclose(vector["xmin"], [-wide * high, 0, 0], atol=1e-9)
    np.testing.assert_allclose(vector["xmax"], [wide * (high - given.z[2]), 0, 0], atol=1e-9)  # above the step
    np.testing.assert_allclose(vector["top"], [0, 0, deep * wide], atol=1e-9)
    dx, dy = np.diff(given.x), np.diff(given.y)
    block = dx[2:5].sum() * dy[3:6].sum()
    np.testing.assert_allclose(vector["ground"], [wide * given.z[2], 0, -(deep * wide - block)], atol=1e-9)
    # Of the buildings only what has air beside it: four walls and a roof, and the bridge all around.
    bridge = (dx[5:8].sum(), dy[7], given.z[6] - given.z[4])
    walls = dy[3:6].sum() * given.z[5] + bridge[1] * bridge[2]
    np.testing.assert_allclose(size["buildings"][0], 2 * walls, atol=1e-9)
    np.testing.assert_allclose(size["buildings"][2], block + 2 * bridge[0] * bridge[1], atol=1e-9)


def test_a_sealed_room_is_no_air(made: tuple[Tunnel, Mesh]) -> None:
    given, mesh = made
    assert mesh.sealed == 1
    assert len(mesh.cells) == int((given.solid == AIR).sum()) - 1


@pytest.mark.parametrize(
    ("wind_from", "roles"),
    [
        (270.0, "inlet outlet slip slip"),
        (90.0, "outlet inlet slip slip"),
        (180.0, "slip slip inlet outlet"),
        (315.0, "inlet outlet outlet inlet"),
        (360.0, "slip slip outlet inlet"),
    ],
)
def test_the_wind_enters_where_it_comes_from(made: tuple[Tunnel, Mesh], wind_from: float, roles: str) -> None:
    given, mesh = made
    wind = log_inflow(wind_from, speed=5.0, height=10.0, roughness=0.1)
    found = wind_on(mesh, given, wind)
    assert [found.roles[name] for name in PATCHES[:4]] == roles.split()
    assert (found.roles["top"], found.roles["ground"], found.roles["buildings"]) == ("slip", "wall", "wall")
    turn_rad = np.radians(270.0 - wind_from)
    above = heights(mesh, given)
    np.testing.assert_allclose(found.velocity[:, 0], wind.speed(above) * np.cos(turn_rad), atol=1e-8)
    np.testing.assert_allclose(found.velocity[:, 1], wind.speed(above) * np.sin(turn_rad), atol=1e-8)
    # In equilibrium: kappa u* (z + z0) is the viscosity of the log law.
    friction = np.sqrt(0.3 * found.energy)
    np.testing.assert_allclose(found.viscosity, 0.41 * friction * (above + 0.1), rtol=1e-9)
    np.testing.assert_allclose(found.frequency * 0.09 * found.energy, found.dissipation)


def test_a_turned_tunnel_has_a_turned_wind() -> None:
    given = tunnel(turn=30.0)
    mesh = make_mesh(given)
    found = wind_on(mesh, given, log_inflow(240.0, speed=5.0, height=10.0, roughness=0.1))
    # Blows to 30 degrees from the scene's x axis: along the tunnel's own.
    assert found.roles["xmin"] == "inlet"
    assert found.roles["ymin"] == "slip"
    assert np.abs(found.velocity[:, 1]).max() == 0.0


def test_profile_starts_at_the_ground_of_each_column(made: tuple[Tunnel, Mesh]) -> None:
    given, mesh = made
    above = heights(mesh, given)
    k, rest = np.divmod(mesh.cells, 120)
    on_step = rest % 12 >= 9
    middle = 0.5 * (given.z[1:] + given.z[:-1])
    np.testing.assert_allclose(above[on_step], middle[k][on_step] - given.z[2], atol=1e-6)
    np.testing.assert_allclose(above[~on_step], middle[k][~on_step])


def test_walls_are_as_rough_as_the_tunnel_says(made: tuple[Tunnel, Mesh]) -> None:
    given, mesh = made
    z0 = roughness(mesh, given, "ground")
    column = mesh.cells[mesh.beside("ground")] % 12
    np.testing.assert_allclose(z0, np.where(column < 6, 0.03, 0.5), rtol=1e-6)
    assert set(roughness(mesh, given, "buildings")) == {0.004}


def test_values_return_to_their_cells(made: tuple[Tunnel, Mesh]) -> None:
    given, mesh = made
    number = np.arange(len(mesh.cells), dtype=float) + 1.0
    found = as_fields(mesh, np.column_stack([number, -number, 0 * number]), 2.0 * number)
    air = np.zeros(given.solid.size, bool)
    air[mesh.cells] = True
    air = air.reshape(given.solid.shape)
    assert np.array_equal(found.u[air], number.astype(np.float32))
    assert not found.u[~air].any()
    assert not found.k[~air].any()
    assert np.array_equal(found.k, 2 * found.u)
    assert np.array_equal(found.v, -found.u)


def test_fingerprints_tell_grids_apart(made: tuple[Tunnel, Mesh]) -> None:
    given, mesh = made
    other = given._replace(x=given.x + 1e-6)
    changed = given.solid.copy()
    changed[0, 0, 0] = BUILDING
    third = given._replace(solid=changed)
    assert len({fingerprint(make_mesh(one), one) for one in (given, other, third)}) == 3
    assert fingerprint(mesh, given) == fingerprint(make_mesh(tunnel()), tunnel())
