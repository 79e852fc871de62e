"""The dust operator: second order, transpose, closed forms of plumes, borders and what settles."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from analysis.dust.borders import background, balance, negative_share
from analysis.dust.faces import Faces, from_speeds, projected
from analysis.dust.operator import INNER, Mixing, Operator, Particle, assembled, make_operator
from analysis.dust.solver import Transport
from analysis.wind.crew import Crew
from geo.model import Feedback, UserError

Speed = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def box(
    cells: tuple[int, int, int], size: tuple[float, float, float], wind: tuple[float, float], viscosity: float
) -> Faces:
    """A uniform wind through a box without solids; cells and cell sizes along x, y, z."""
    x, y, z = (h * np.arange(n + 1) for n, h in zip(cells, size, strict=True))
    shape = cells[::-1]
    speeds = [np.zeros([n + (a == axis) for a, n in enumerate(shape)]) for axis in (2, 1, 0)]
    speeds[0][:], speeds[1][:] = wind
    return from_speeds((x, y, z), np.ones(shape, bool), np.full(shape, viscosity), tuple(speeds))


def city(seed: int = 3, shape: tuple[int, int, int] = (8, 26, 30), wind: tuple[float, float] = (3.0, 1.5)) -> Faces:
    """Wind pressed around random blocks on uneven cells; viscosity uneven too."""
    rng = np.random.default_rng(seed)
    air = np.ones(shape, bool)
    for _ in range(shape[1] * shape[2] // 80):
        j, i = rng.integers(4, shape[1] - 6), rng.integers(4, shape[2] - 6)
        air[: rng.integers(1, 6), j : j + rng.integers(2, 5), i : i + rng.integers(2, 5)] = False
    grid = tuple(np.concatenate([[0.0], np.cumsum(rng.uniform(2.0, 4.0, n))]) for n in shape[::-1])
    speeds = [np.zeros([n + (a == axis) for a, n in enumerate(shape)]) for axis in (2, 1, 0)]
    speeds[0][:], speeds[1][:] = wind
    return projected(from_speeds(grid, air, rng.uniform(0.2, 3.0, shape), tuple(speeds)))


def solved(operator: Operator, right: np.ndarray, *, transpose: bool = False) -> np.ndarray:
    with Crew(1) as crew:
        return Transport(operator, crew, transpose=transpose).solve(right, Feedback()).values


def product(operator: Operator, x: np.ndarray, *, transpose: bool = False) -> np.ndarray:
    with Crew(1) as crew:
        out = operator.field()
        Transport(operator, crew, transpose=transpose).times(operator.field(x), out)
    return out[INNER]


def test_kernels_equal_the_assembled_matrix_and_its_transpose():
    faces = city()
    leaves = np.random.default_rng(1).uniform(0.0, 0.5, faces.shape).astype(np.float32)
    operator = make_operator(faces, particle=Particle(0.02, 0.01), leaf_area=leaves, dtype=np.float64)
    matrix = assembled(operator)
    x = np.random.default_rng(2).normal(size=faces.shape) * faces.air
    for transpose, wanted in ((False, matrix @ x.ravel()), (True, matrix.T @ x.ravel())):
        assert np.abs(product(operator, x, transpose=transpose).ravel() - wanted).max() < 1e-14 * np.abs(wanted).max()


def test_columns_of_the_matrix_lose_only_what_leaves():
    operator = make_operator(city(), particle=Particle(0.02, 0.03), dtype=np.float64)
    columns = np.asarray(assembled(operator).sum(axis=0)).reshape(operator.shape)
    air, sink = operator.faces.air, operator.share.sink
    assert np.abs(columns - sink)[air].max() < 1e-12 * operator.upwind.diagonal.max()


def test_uniform_inflow_stays_uniform_in_a_city():
    faces = city()
    assert faces.imbalance() < 1e-8
    operator = make_operator(faces, dtype=np.float64)
    values = solved(operator, background(operator))
    assert np.abs(values[faces.air] - 1.0).max() < 1e-6


def test_settling_dust_stays_uniform_and_all_of_it_is_found():
    operator = make_operator(city(), particle=Particle(settling=0.05), dtype=np.float64)
    values = solved(operator, background(operator, 30.0))
    assert np.abs(values[operator.faces.air] - 30.0).max() < 3e-4
    told = balance(operator, values, np.zeros(operator.shape), 30.0)
    assert told.on_ground > 0.0
    assert abs(told.missing) < 1e-7


def test_smooth_profile_is_second_order():
    def error(cells: int) -> float:
        faces = box((cells, 1, 1), (100.0 / cells, 1.0, 1.0), (2.0, 0.0), 7.0)
        operator = make_operator(faces, mixing=Mixing(schmidt=0.7), dtype=np.float64)
        x, k = (faces.x[1:] + faces.x[:-1]) / 2, 10.0
        bell = np.exp(-(((x - 50.0) / 8.0) ** 2))
        slope = -2 * (x - 50.0) / 64.0 * bell
        bend = (4 * (x - 50.0) ** 2 / 64.0**2 - 2 / 64.0) * bell
        emitted = (2.0 * slope - k * bend) * 100.0 / cells
        return float(np.sqrt(np.mean((solved(operator, emitted.reshape(1, 1, -1)).ravel() - bell) ** 2)))

    assert math.log2(error(320) / error(640)) > 1.9


@pytest.mark.parametrize("angle_deg", [22.5, 45.0])
@pytest.mark.parametrize(("peclet", "rms", "centre"), [(4.0, 0.05, 0.95), (16.0, 0.12, 0.85)])
def test_oblique_plume_against_the_closed_form(angle_deg: float, peclet: float, rms: float, centre: float):
    """Point source in a plane (Bessel function K0), profile across the plume 150 m away."""
    from scipy.special import kve

    speed, cell, angle_rad = 2.0, 4.0, math.radians(angle_deg)
    mixing = speed * cell / peclet
    along, across = speed * math.cos(angle_rad), speed * math.sin(angle_rad)
    operator = make_operator(box((60, 60, 1), (cell, cell, 1.0), (along, across), 0.7 * mixing), dtype=np.float64)
    emitted = np.zeros(operator.shape)
    emitted[0, 10, 10] = 1.0
    values = solved(operator, emitted)[0]
    j, i = np.mgrid[:60, :60]
    x, y = cell * (i - 10), cell * (j - 10)
    away = np.hypot(x, y) + 1e-9
    down = x * math.cos(angle_rad) + y * math.sin(angle_rad)
    half = speed / (2 * mixing)
    exact = np.exp(half * (down - away)) * kve(0, half * away) / (2 * math.pi * mixing)
    line = np.abs(down - 150.0) < cell / 2
    assert np.sqrt(np.mean((values - exact)[line] ** 2)) / exact[line].max() < rms
    peak = np.argmax(np.where(line, exact, 0.0))
    assert values.ravel()[peak] / exact.ravel()[peak] > centre


def test_plume_over_the_ground_against_its_image():
    """Point source on the ground, wind from 30 degrees off the grid: the axis is not smeared away."""
    speed, cell, angle_rad = 2.0, 4.0, math.radians(30.0)
    mixing = speed * cell / 4.0
    wind = speed * math.cos(angle_rad), speed * math.sin(angle_rad)
    operator = make_operator(box((58, 42, 14), (cell,) * 3, wind, 0.7 * mixing), dtype=np.float32)
    emitted = np.zeros(operator.shape)
    emitted[0, 6, 5] = 1.0
    values = solved(operator, emitted)[0]
    j, i = np.mgrid[:42, :58]
    x, y = cell * (i - 5), cell * (j - 6)
    away, image = np.sqrt(x**2 + y**2 + 1e-9), np.sqrt(x**2 + y**2 + cell**2)
    down = x * math.cos(angle_rad) + y * math.sin(angle_rad)
    half = speed / (2 * mixing)
    exact = sum(np.exp(half * (down - r)) / (4 * math.pi * mixing * r) for r in (away, image))
    for distance, least in ((20.0, 0.85), (50.0, 0.90), (100.0, 0.93), (200.0, 0.95)):
        near = np.where(np.abs(down - distance) < cell, exact, 0.0)
        place = np.unravel_index(np.argmax(near), near.shape)
        assert least < values[place] / exact[place] < 1.05, (distance, values[place] / exact[place])


def test_line_source_in_a_power_law_wind():
    """Roberts: u = u1 z^m, K = K1 z^n over the ground; values of the lowest cell against the closed form."""
    m, n, u1, k1, cell, high = 0.2, 0.8, 2.0, 0.3, 2.0, 1.75
    cells, layers = 130, 25
    faces = box((cells, 1, layers), (4.0, 1.0, cell), (0.0, 0.0), 0.0)
    middle = (faces.z[1:] + faces.z[:-1]) / 2
    mean_speed = u1 * np.diff(faces.z ** (m + 1)) / (m + 1) / cell
    east = np.broadcast_to(mean_speed[:, None, None] * cell, faces.east.shape).copy()
    viscosity = np.broadcast_to((k1 * middle**n)[:, None, None], faces.shape).copy()
    operator = make_operator(faces._replace(east=east, viscosity=viscosity), mixing=Mixing(1.0, 1e-9), dtype=np.float64)
    emitted = np.zeros(operator.shape)
    emitted[0, 0, 4] = 1.0
    values = solved(operator, emitted)[:, 0]
    order, power = (m + 1) / (2 + m - n), 2 + m - n
    for distance, within in ((20, 0.12), (48, 0.05), (100, 0.03), (500, 0.02)):
        thickness = u1 / (power**2 * k1 * distance)
        exact = power / (u1 * math.gamma(order)) * thickness**order * math.exp(-thickness * high**power)
        found = np.interp(high, middle, values[:, 4 + distance // 4])
        assert abs(found / exact - 1) < within, (distance, found / exact)


def test_rotating_inflow_keeps_its_profile():
    """Smith and Hutton: a step carried round half a circle with next to no mixing."""
    x, y = np.linspace(-1.0, 1.0, 81), np.linspace(0.0, 1.0, 41)
    stream = -(1 - x[None, :] ** 2) * (1 - y[:, None] ** 2)
    grid = (x, y, np.array([0.0, 1.0]))
    air = np.ones((1, 40, 80), bool)
    # u = d(stream)/dy = 2 y (1 - x^2), v = -d(stream)/dx: exactly without sources
    faces = Faces(
        *grid, air, np.full(air.shape, 1e-6), np.diff(stream, axis=0)[None], -np.diff(stream, axis=1)[None],
        np.zeros((2, 40, 80)),
    )  # fmt: skip
    operator = make_operator(faces, mixing=Mixing(1.0, 1e-6), dtype=np.float64)
    middle = (x[1:] + x[:-1]) / 2
    profile = 1 + np.tanh(10 * (2 * middle + 1))
    outside = np.zeros(air.shape)
    outside[0, 0, :40] = profile[:40]
    values = solved(operator, background(operator, outside))
    assert np.abs(values[0, 0, 40:] - profile[:40][::-1]).mean() < 0.02
    assert values.max() < 2.05
    assert values.min() > -0.05


def test_mass_is_kept_in_single_precision():
    faces = city(shape=(10, 40, 44))
    leaves = np.zeros(faces.shape, np.float32)
    leaves[:3, 10:14] = 0.4
    operator = make_operator(faces, particle=Particle(0.003, 0.01), leaf_area=leaves)
    emitted = np.zeros(faces.shape)
    emitted[:2, 20:22, 8:12] = 50.0
    values = solved(operator, emitted + background(operator, 30.0))
    told = balance(operator, values, emitted, 30.0)
    assert abs(told.missing) < 1e-4
    assert told.whole
    assert min(told.emitted, told.entered, told.left, told.on_ground, told.on_leaves) > 0.0
    assert negative_share(values, faces.volumes()) < 1e-2


def test_weaker_wind_is_the_same_equations_with_more_deposition():
    faces, ratio, particle = city(), 0.2, Particle(0.003, 0.005)
    slow = faces._replace(
        east=faces.east * ratio, north=faces.north * ratio, up=faces.up * ratio, viscosity=faces.viscosity * ratio
    )
    emitted = np.zeros(faces.shape)
    emitted[0, 3, 3] = 1.0
    direct = make_operator(slow, mixing=Mixing(least=1e-9), particle=particle, dtype=np.float64)
    scaled = make_operator(faces, mixing=Mixing(least=1e-9), particle=particle.in_wind(ratio), dtype=np.float64)
    assert np.allclose(solved(direct, emitted), solved(scaled, emitted / ratio), rtol=1e-5, atol=1e-9)


def test_faces_of_a_solved_wind_lose_nothing_after_projection():
    from analysis.dust.faces import faces_of
    from analysis.wind.levels import Settings, solve
    from analysis.wind.profile import log_inflow
    from app.cases.wind_tunnels import Site, box_roofs, site_tunnel

    boxes = np.array([[-20.0, -30.0, 10.0, -10.0, 20.0], [15.0, 5.0, 30.0, 25.0, 30.0]])
    site = Site((-40.0, -40.0, 40.0, 40.0), (-90.0, -90.0, 90.0, 90.0), 90.0, box_roofs(boxes), 10.0, 0.1, 0.01)
    wind = log_inflow(200.0, speed=5.0, height=10.0, roughness=0.1)
    wind_solved = solve([site_tunnel(site, 10.0)], wind, settings=Settings(iterations=(40,)), feedback=Feedback())
    raw = faces_of(wind_solved)
    faces = projected(raw)
    assert raw.imbalance() > 1e-6 >= faces.imbalance()
    assert np.array_equal(faces.east[:, :, 0], raw.east[:, :, 0])  # what comes in stays
    operator = make_operator(faces, dtype=np.float64)
    assert np.abs(solved(operator, background(operator))[faces.air] - 1.0).max() < 1e-6


def test_bad_input_is_told():
    still = box((6, 6, 2), (4.0, 4.0, 2.0), (0.0, 0.0), 1.0)
    with pytest.raises(UserError) as told:
        projected(still)
    assert told.value.code == "dust.no_wind"
    with pytest.raises(ValueError, match="flip"):
        projected(box((6, 6, 2), (4.0, 4.0, 2.0), (-1.0, 0.0), 1.0))
    windy = box((6, 6, 2), (4.0, 4.0, 2.0), (1.0, 0.0), 1.0)
    for mixing, particle in ((Mixing(schmidt=0.0), Particle()), (Mixing(), Particle(settling=-1.0)),
                             (Mixing(least=math.nan), Particle())):  # fmt: skip
        with pytest.raises(UserError) as told:
            make_operator(windy, mixing=mixing, particle=particle)
        assert told.value.code == "dust.number"
