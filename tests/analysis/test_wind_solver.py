"""The wind solver: what must hold whatever the city, and the measured cases in small."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from analysis.wind.crew import Crew
from analysis.wind.flow import Flow, Heading, Solver, flipped
from analysis.wind.levels import Settings, Solved, carried_over, solve
from analysis.wind.profile import Inflow, log_inflow, power_inflow, table_inflow
from analysis.wind.tunnel import AIR, BUILDING, Tunnel
from app.cases.wind_tunnels import Site, box_roofs, site_tunnel, site_tunnels
from geo.model import Cancelled, Feedback, UserError

BLOCKS = np.array([[-20.0, -30.0, 10.0, -10.0, 20.0], [-30.0, 10.0, -10.0, 30.0, 12.0], [15.0, 5.0, 30.0, 25.0, 30.0]])
WINDOW = (-50.0, -50.0, 50.0, 50.0)
BORDER = (-120.0, -120.0, 120.0, 120.0)


def site(boxes: np.ndarray = BLOCKS, **changes: object) -> Site:
    return Site(WINDOW, BORDER, 120.0, box_roofs(boxes), 10.0, 0.1, 0.01)._replace(**changes)


def west(speed: float = 5.0, wind_from: float = 270.0) -> Inflow:
    return log_inflow(wind_from, speed=speed, height=10.0, roughness=0.1)


def settings(*iterations: int, **changes: object) -> Settings:
    return Settings(iterations=iterations, change=0.0, **changes)  # type: ignore[arg-type]


def quick(tunnel: Tunnel, wind: Inflow, steps: int = 60, **changes: object) -> Solved:
    return solve([tunnel], wind, settings=settings(steps, **changes), feedback=Feedback())


@pytest.fixture(scope="module")
def city() -> Tunnel:
    return site_tunnel(site(), 5.0)


@pytest.fixture(scope="module")
def solved(city: Tunnel) -> Solved:
    return quick(city, west(), 100)


def test_mirrored_city_has_the_mirrored_map_to_the_last_bit(city: Tunnel, solved: Solved) -> None:
    mirrored = flipped(city, Heading(1.0, 0.0, True, False))
    other = quick(mirrored, west(wind_from=90.0), 100)
    for mine, theirs, sign in zip(solved.fields(), other.fields(), (-1, 1, 1, 1), strict=True):
        assert np.array_equal(mine, sign * theirs[:, :, ::-1])


def test_half_turned_city_has_the_turned_map_to_the_last_bit(city: Tunnel) -> None:
    turned = flipped(city, Heading(1.0, 0.0, True, True))
    one, two = quick(city, west(wind_from=247.5), 20), quick(turned, west(wind_from=67.5), 20)
    assert np.array_equal(one.fields().u, -two.fields().u[:, ::-1, ::-1])
    assert np.array_equal(one.fields().k, two.fields().k[:, ::-1, ::-1])


def test_quarter_turned_city_has_the_turned_map(city: Tunnel, solved: Solved) -> None:
    # (x, y) of the turned city is (-y, x) of the first: cells [j, i] of the first stand at [i, -j].
    turn = lambda a: np.ascontiguousarray(np.swapaxes(a, -1, -2)[..., ::-1])  # noqa: E731
    turned = city._replace(
        x=-city.y[::-1], y=city.x, solid=turn(city.solid), ground=turn(city.ground),
        ground_roughness=turn(city.ground_roughness), building=turn(city.building),
    )  # fmt: skip
    other = quick(turned, west(wind_from=180.0), 100)
    mine, theirs = solved.map_at(1.75).scalar_speed, other.map_at(1.75).scalar_speed
    difference = np.nanmax(np.abs(turn(mine) - theirs))
    assert difference < 0.02 * np.nanmean(mine)


def test_twice_the_wind_is_twice_the_map(city: Tunnel, solved: Solved) -> None:
    twice = quick(city, west(10.0), 100).map_at(1.75).scalar_speed / 10.0
    once = solved.map_at(1.75).scalar_speed / 5.0
    assert np.nanmax(np.abs(twice - once)) < 0.01 * np.nanmax(once)


def test_threads_change_no_bit(city: Tunnel) -> None:
    one, two = (quick(city, west(wind_from=250.0), 25, threads=n) for n in (1, 2))
    for mine, theirs in zip(one.flow, two.flow, strict=True):
        assert np.array_equal(mine, theirs)


def test_turbulence_stays_above_zero_and_solids_stand_still(city: Tunnel, solved: Solved) -> None:
    fields = solved.fields()
    air = city.solid == AIR
    assert float(solved.flow.k.min()) > 0
    assert float(solved.flow.e.min()) > 0
    assert float(fields.k[air].min()) > 0
    inner = solved.flow.u[2:-2, 2:-2, 2:-2]
    blocked = ~air
    assert not inner[blocked].any()
    assert not inner[:, :, 1:][blocked[:, :, :-1]].any()
    assert np.isnan(solved.map_at(1.75).u[city.building >= 0]).all()


def test_what_flows_in_flows_out(city: Tunnel, solved: Solved) -> None:
    assert solved.divergence < 1e-3
    heading = Heading.of(city, 270.0)
    with Crew(2) as crew:
        solver = Solver(city, west(), heading, crew, start=solved.flow)
        solver.iterate()
        count = solver.tighten(1e-6)
        assert count <= 32
        assert solver.imbalance() < 1e-5


def test_uniform_flow_over_smooth_ground_stays_uniform() -> None:
    empty = site_tunnel(site(np.zeros((0, 5))), 10.0)
    flat = lambda value: lambda z: np.full(np.shape(z), value)  # noqa: E731
    wind = Inflow(247.5, flat(4.0), flat(1e-4), flat(1e-3), 4.0, 10.0)
    calm = empty._replace(ground_roughness=np.full_like(empty.ground_roughness, 1e-12))
    fields = quick(calm, wind, 60).fields()
    above = fields.u[len(fields.u) // 2 :], fields.v[len(fields.v) // 2 :]
    angle = np.radians(22.5)
    assert np.abs(above[0] - 4.0 * np.cos(angle)).max() < 0.02
    assert np.abs(above[1] - 4.0 * np.sin(angle)).max() < 0.02


def test_empty_tunnel_keeps_its_profile() -> None:
    long = site(np.zeros((0, 5)), border=(-800.0, -16.0, 1200.0, 16.0), window=(-10.0, -8.0, 10.0, 8.0), top=300.0)
    wind = west()
    solved = solve([site_tunnel(long, 2.0)], wind, settings=Settings(iterations=(300,)), feedback=Feedback())
    at = solved.sampler()
    for x in (-700.0, 0.0, 900.0):
        heights = np.array([0.5, 1.75, 5.0, 10.0, 20.0])
        found = at.at(np.column_stack([np.full(5, x), np.zeros(5), heights]))
        ratio = found[:, 0] / wind.speed(heights)
        assert ratio[0] == pytest.approx(1.0, abs=0.15)
        assert ratio[1:] == pytest.approx(1.0, abs=0.05)
        assert found[1:, 3] / wind.energy(heights[1:]) == pytest.approx(1.0, abs=0.2)


def test_leaves_take_the_momentum_the_air_loses() -> None:
    empty = site_tunnel(site(np.zeros((0, 5))), 5.0)
    leaf = np.zeros(empty.shape, np.float32)
    middle = [(a[1:] + a[:-1]) / 2 for a in (empty.x, empty.y, empty.z)]
    inside = [np.flatnonzero((m > -10) & (m < 10)) for m in middle[:2]] + [
        np.flatnonzero((middle[2] > 4) & (middle[2] < 14))
    ]
    leaf[np.ix_(inside[2], inside[1], inside[0])] = 0.8
    smooth = np.full_like(empty.ground_roughness, 1e-12)
    with_leaves = empty._replace(leaf_area=leaf, ground_roughness=smooth)
    bare = empty._replace(ground_roughness=smooth)
    flows = [solve([t], west(), settings=settings(900), feedback=Feedback()) for t in (with_leaves, bare)]
    drag = _leaf_drag(flows[0], leaf)
    deficit = _loss(flows[0]) - _loss(flows[1])
    assert deficit == pytest.approx(drag, rel=0.02)


def _leaf_drag(solved: Solved, leaf: np.ndarray) -> float:
    """Sum of Cd LAD |u| u V over the faces in x, as the solver takes it."""
    t, f = solved.tunnel, solved.flow
    u = f.u[2:-2, 2:-2, 3:-2].astype(float)
    v, w = f.v.astype(float), f.w.astype(float)
    vv = 0.25 * (v[2:-2, 2:-2, 3:-2] + v[2:-2, 3:-1, 3:-2] + v[2:-2, 2:-2, 2:-3] + v[2:-2, 3:-1, 2:-3])
    ww = 0.25 * (w[2:-2, 2:-2, 3:-2] + w[3:-1, 2:-2, 3:-2] + w[2:-2, 2:-2, 2:-3] + w[3:-1, 2:-2, 2:-3])
    vv, ww = vv[:, :, : u.shape[2] - 1], ww[:, :, : u.shape[2] - 1]
    u = u[:, :, : vv.shape[2]]
    area = 0.5 * (leaf[:, :, 1:] + leaf[:, :, :-1])[:, :, : u.shape[2]]
    dx, dy, dz = (np.diff(a) for a in (t.x, t.y, t.z))
    volume = dz[:, None, None] * dy[None, :, None] * (0.5 * (dx[1:] + dx[:-1]))[None, None, : u.shape[2]]
    return float((0.2 * area * np.sqrt(u**2 + vv**2 + ww**2) * u * volume).sum())


def _loss(solved: Solved) -> float:
    """Net flux of x momentum and pressure into a closed box around the leaves (faces of cells), per density."""
    t, f = solved.tunnel, solved.flow
    i0, i1 = (int(np.searchsorted(t.x, s)) for s in (-40.0, 40.0))
    j0, j1 = (int(np.searchsorted(t.y, s)) for s in (-40.0, 40.0))
    k1 = int(np.searchsorted(t.z, 60.0))
    dx, dy, dz = (np.diff(a) for a in (t.x, t.y, t.z))
    u, v, w, p, n = (a.astype(float) for a in (f.u, f.v, f.w, f.p, f.nut))
    ks, js = slice(2, 2 + k1), slice(2 + j0, 2 + j1)
    total = 0.0
    area = dz[:k1, None] * dy[None, j0:j1]
    for i, sign in ((i0, 1.0), (i1, -1.0)):
        c = i + 2
        mid = 0.5 * (p[ks, js, c] + p[ks, js, c - 1])
        face = u[ks, js, c]
        stress = 0.5 * (n[ks, js, c] + n[ks, js, c - 1]) * (u[ks, js, c + 1] - u[ks, js, c - 1]) / (dx[i] + dx[i - 1])
        total += sign * float(((face**2 + mid - stress) * area).sum())
    centre = slice(2 + i0, 2 + i1)
    uc = 0.5 * (u[:, :, 2:-2] + u[:, :, 3:-1])
    width = dx[i0:i1]
    for j, sign in ((j0, 1.0), (j1, -1.0)):
        c = j + 2
        face = v[ks, c, centre]
        mean = 0.5 * (uc[ks, c, i0:i1] + uc[ks, c - 1, i0:i1])
        stress = 0.5 * (n[ks, c, centre] + n[ks, c - 1, centre]) * (uc[ks, c, i0:i1] - uc[ks, c - 1, i0:i1]) / dy[j]
        total += sign * float(((face * mean - stress) * dz[:k1, None] * width[None]).sum())
    c = k1 + 2
    face = w[c, js, centre]
    mean = 0.5 * (uc[c, js, i0:i1] + uc[c - 1, js, i0:i1])
    stress = 0.5 * (n[c, js, centre] + n[c - 1, js, centre]) * (uc[c, js, i0:i1] - uc[c - 1, js, i0:i1])
    stress = stress * 2 / (dz[k1] + dz[k1 - 1])
    return total - float(((face * mean - stress) * dy[j0:j1, None] * width[None]).sum())


def test_multigrid_reduces_and_conjugate_gradients_need_few() -> None:
    from analysis.kernels.wind_pressure import Hierarchy

    random = np.random.default_rng(1)
    air = np.ones((30, 70, 81), bool)
    for _ in range(30):
        i, j = (int(random.integers(5, 60)) for _ in range(2))
        air[: int(random.integers(4, 20)), j : j + 6, i : i + 8] = False
    widths = (np.full(81, 4.0), np.full(70, 4.0), np.minimum(1.12 ** np.maximum(np.arange(30.0) - 8, 0), 16.0))
    with Crew(1) as crew:
        levels = Hierarchy(air, widths, outlets=(True, False), share=crew.rows)
        source = np.zeros_like(levels.finest.source)
        source[2:-2, 2:-2, 2:-2] = random.standard_normal(air.shape) * air
        levels.finest.source[:] = source
        norms = []
        for _ in range(8):
            levels.cycle()
            norms.append(float(np.linalg.norm(levels.residual())))
        assert norms[-1] / norms[-2] < 0.85
        levels.finest.source[:] = source
        assert levels.solve(1e-4) <= 32
        assert np.linalg.norm(levels.residual()) < 2e-4 * np.linalg.norm(source)


def test_warm_start_on_the_same_grid_begins_where_it_ended(city: Tunnel, solved: Solved) -> None:
    again = carried_over(solved.kept, flipped(city, solved.kept.heading))
    assert np.array_equal(again.u, solved.flow.u)
    short = solve([city], west(), settings=settings(20), feedback=Feedback(), start=solved.kept)
    change = np.nanmean(np.abs(short.map_at(1.75).scalar_speed - solved.map_at(1.75).scalar_speed))
    assert change < 0.05 * np.nanmean(solved.map_at(1.75).scalar_speed)


def test_an_edit_leaves_still_air_in_new_walls(city: Tunnel, solved: Solved) -> None:
    solid = city.solid.copy()
    solid[:6, 30:34, 30:34] = BUILDING
    solid[:, 20:24, 20:24] = AIR
    edited = city._replace(solid=solid)
    after = solve([edited], west(), settings=settings(10), feedback=Feedback(), start=solved.kept)
    assert not after.fields().u[:6, 30:34, 30:34].any()
    assert np.isfinite(after.flow.k).all()


def test_runaway_names_the_place(city: Tunnel) -> None:
    with Crew(1) as crew:
        solver = Solver(city, west(), Heading.of(city, 270.0), crew)
        solver.flow.u[10, 20, 25] = np.nan
        with pytest.raises(UserError) as caught:
            solver.check()
    assert caught.value.code == "wind.failed"
    assert float(caught.value.values["x"]) == pytest.approx(float(city.x[23]))


def test_cancel_stops_within_an_iteration(city: Tunnel) -> None:
    asked = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 5

    with pytest.raises(Cancelled):
        solve([city], west(), settings=settings(1000), feedback=Feedback(is_cancelled=cancelled))
    assert len(asked) == 6


def test_progress_is_monotonic_and_levels_report(city: Tunnel) -> None:
    seen: list[float] = []
    told: list[int] = []
    solve(site_tunnels(site(), 10.0), west(), settings=settings(5, 5, 5),
          feedback=Feedback(lambda fraction, _: seen.append(fraction)),
          on_level=lambda number, _: told.append(number))  # fmt: skip
    assert seen == sorted(seen)
    assert told == [0, 1, 2]


def test_sealed_rooms_are_no_trouble(city: Tunnel) -> None:
    solid = city.solid.copy()
    solid[:8, 20:30, 20:30] = BUILDING
    solid[2:4, 24:26, 24:26] = AIR
    solved = quick(city._replace(solid=solid), west(), 15)
    assert solved.sealed == 8
    assert np.isfinite(solved.flow.u).all()


@pytest.mark.parametrize("wind_from", [0.0, 90.0, 360.0, 200.0])
def test_wind_comes_from_where_it_says(wind_from: float) -> None:
    empty = site_tunnel(site(np.zeros((0, 5))), 10.0)
    fields = quick(empty, west(wind_from=wind_from), 5).fields()
    angle = np.radians(270.0 - wind_from)
    u, v = float(fields.u[-1].mean()), float(fields.v[-1].mean())
    assert u / np.hypot(u, v) == pytest.approx(np.cos(angle), abs=0.02)
    assert v / np.hypot(u, v) == pytest.approx(np.sin(angle), abs=0.02)


def test_profiles_have_their_published_form() -> None:
    log = west()
    z = np.array([1.0, 10.0, 50.0])
    friction = 0.41 * 5.0 / np.log(10.1 / 0.1)
    assert log.speed(z) == pytest.approx(friction / 0.41 * np.log((z + 0.1) / 0.1))
    assert log.energy(z) == pytest.approx(friction**2 / 0.3)
    assert log.dissipation(z) == pytest.approx(friction**3 / (0.41 * (z + 0.1)))
    power = power_inflow(0.0, speed=5.0, height=10.0, exponent=0.15, gradient_height=350.0, lowest=10.0)
    assert power.speed(np.array([10.0, 40.0])) == pytest.approx([5.0, 5.0 * 4**0.15])
    assert power.energy(np.float64(10.0)) == pytest.approx((0.1 * (10 / 350) ** -0.2 * 5.0) ** 2)
    table = table_inflow(0.0, heights=[1, 10], speeds=[2, 4], energies=[0.3, 0.5], roughness=0.1, reference_height=10)
    assert table.speed(np.array([1.0, 10.0, 99.0])) == pytest.approx([2, 4, 4])
    assert table.speed(np.float64(0.0)) == 0.0
    with pytest.raises(UserError):
        table_inflow(0.0, heights=[2, 1], speeds=[2, 4], energies=[0.3, 0.5], roughness=0.1, reference_height=10)
    with pytest.raises(UserError):
        log_inflow(0.0, speed=0.0, height=10.0, roughness=0.1)


def test_prism_of_case_a(shared_data: Path) -> None:
    from app.cases import find_case

    path = shared_data / "wind" / "aij_case_a.json"
    case = find_case(path)
    result = case.run(path, Feedback())
    assert case.id == "wind.prism"
    missed = {name: result.metrics[name] for name, limit in result.limits.items()
              if not limit.get("min", -9) <= result.metrics[name] <= limit.get("max", 9)}  # fmt: skip
    assert not missed
    assert result.metrics["settled"] == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("which", ["aij_case_c", "aij_case_e"])
def test_blocks_and_district(shared_data: Path, which: str) -> None:
    from app.cases import find_case

    path = shared_data / "wind" / which
    result = find_case(path).run(path, Feedback())
    missed = {name: result.metrics[name] for name, limit in result.limits.items()
              if not limit.get("min", -9) <= result.metrics[name] <= limit.get("max", 9)}  # fmt: skip
    assert not missed


def test_damaged_cases_are_told_calmly(tmp_path: Path) -> None:
    from app.cases import find_case

    (tmp_path / "fixture.json").write_text(json.dumps({"measurement": {}, "directions": [], "inflow": {}}))
    with pytest.raises(UserError) as caught:
        find_case(tmp_path).run(tmp_path, Feedback())
    assert caught.value.code == "case.wind_damaged"
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"bMeters": "x", "inflow": [], "planes": []}))
    with pytest.raises(UserError):
        find_case(path).run(path, Feedback())


def test_flow_has_the_arrays_the_memory_aim_allows(city: Tunnel, solved: Solved) -> None:
    assert isinstance(solved.flow, Flow)
    padded = np.prod([n + 4 for n in city.shape])
    assert sum(a.nbytes for a in solved.flow) == 7 * 4 * padded
