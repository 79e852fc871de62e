"""Calibration from layers: planted factors come back through the whole study, and what cannot be told is not told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from analysis.contract import Result
from analysis.dust.factors import factors_of, factors_text, read_factors, scaled, table_factors
from analysis.dust.operator import Operator, make_operator
from analysis.dust.posts import Sampling, placed, posts_of, sampling
from analysis.dust.readings import readings_of
from analysis.dust.reference import named_stations, rows_of
from analysis.dust.run import Prepared, each_case, prepare
from analysis.dust.solver import Transport
from analysis.dust.sources import Emission
from analysis.dust.transfer import Mix, Seen, mix_of, seen_at
from analysis.run import check_params, choose_inputs, execute
from analysis.studies import dust_calibrate as study
from analysis.wind.crew import Crew
from geo.model import Feedback, Issue, Layer, SessionStore, UserError
from tests import tiny_sensors as tiny
from tests.tiny import tiny_frame, tiny_layers
from tests.tiny_weather import weather_layers

ITEM = study.dust_calibrate
PARAMS = {"cell": 20, "size": 120, "thoroughness": "preview", "leaves": "none"}
HOURS = 160
TRUTH = np.array([1.6, 0.7, 2.0])
KEPT = SessionStore(1 << 30)  # the winds of the tiny city, calculated once for all tests


def city(places: dict[str, tuple[float, float]] | None = None) -> list[Layer]:
    speed, wind_from = tiny.changing_winds(HOURS)
    return [*tiny_layers(), tiny.roads(), tiny.site(), tiny.stations(places), tiny.weather(speed, wind_from)]


class World:
    """The tiny city, what its groups add at the stations hour by hour, and how the cases make up the hours."""

    def __init__(self, **changed: object) -> None:
        params = check_params(ITEM, {**PARAMS, **changed})
        names = tuple(tiny.PLACES)
        inputs, _ = choose_inputs(ITEM, [*city(), tiny.measured(np.ones((HOURS, len(names))), names)], tiny_frame())
        stations, self.paired = study._paired(inputs, params, [])
        feedback = Feedback(kept=KEPT)
        self.prepared: Prepared = prepare(
            study._of_these_hours(inputs, self.paired), study._all_hours(params), feedback
        )
        self.sampling, _ = sampling(stations.posts, self.prepared.winds.tunnel, 1.5, [])
        self.mix: Mix = mix_of(self.paired, self.prepared.cases, factor=self.prepared.winds.factor)
        self.seen: list[Seen] = [seen_at(fields, self.sampling) for fields in each_case(self.prepared, feedback)]
        order = list(dict.fromkeys(case.sector for case in self.prepared.cases))
        assert order == [case.sector for case in self.prepared.cases]
        self.parts, self.shares = self.mix.parts(self.seen), self.mix.shares(self.seen)

    def month(self, *, noise: float = 0.5, offset: float = 0.0, truth: np.ndarray = TRUTH, seed: int = 3) -> np.ndarray:
        """(hours, stations) what stations measure where the sources are `truth` times as strong."""
        rng = np.random.default_rng(seed)
        outside = 30.0 + 10.0 * np.sin(np.arange(HOURS) / 20.0) + offset
        exact = self.parts @ truth + self.shares * outside[:, None]
        return exact + noise * rng.standard_normal(exact.shape)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def run(layers: Sequence[Layer], chosen: dict[str, list[str]] | None = None, **params: object) -> Result:
    return execute(ITEM, layers=layers, frame=tiny_frame(), params={**PARAMS, **params}, chosen=chosen,
                   feedback=Feedback(kept=KEPT))  # fmt: skip


def table(result: Result, name: str) -> dict[str, np.ndarray]:
    return {key: column.values for key, column in next(t for t in result.tables if t.id == name).columns.items()}


def codes(result: Result) -> set[str]:
    return {issue.code for issue in result.issues}


def refused(layers: Sequence[Layer], **params: object) -> str:
    with pytest.raises(UserError) as caught:
        run(layers, **params)
    return caught.value.code


# --- the twin: planted factors


def test_planted_factors_come_back(world: World) -> None:
    result = run([*city(), tiny.measured(world.month())])
    found = table(result, "factors")
    assert found["group"].tolist() == ["main road", "side road", "site"]
    np.testing.assert_allclose(found["factor"], TRUTH, rtol=0.12)
    assert (np.abs(found["factor"] - TRUTH) < 3.0 * found["standard_error"] + 0.02).all()
    assert set(found["known_by"]) == {"measured"}
    np.testing.assert_allclose(found["strength"] / found["strength_before"], found["factor"])
    assert result.summary["accepted"].value == "yes"
    assert {"dust.calibrate.honesty.strengths", "dust.calibrate.honesty.met"} <= codes(result)
    assert float(result.summary["held_out_correlation"].value) > 0.98
    scores = table(result, "scores")
    assert scores["nmse"][0] < scores["nmse"][2]  # held out, yet better than before
    stations = next(layer for layer in result.layers if layer.source.part == "stations")
    assert set(stations.table.ids) <= set(tiny.PLACES)
    assert np.abs(stations.table.columns["residual"].values).max() < 1.0


@pytest.mark.parametrize("origin", ["upwind", "lowest"])
def test_the_air_outside_may_be_of_any_station(world: World, origin: str) -> None:
    found = table(run([*city(), tiny.measured(world.month())], background_from=origin), "factors")
    np.testing.assert_allclose(found["factor"], TRUTH, rtol=0.15)


def test_a_named_background_station_inside_the_city_does_no_harm(world: World) -> None:
    result = run([*city(), tiny.measured(world.month(noise=0.1))], background_stations="서측")
    np.testing.assert_allclose(table(result, "factors")["factor"], TRUTH, rtol=0.08)
    assert "서측" not in table(result, "station_means")["station"][table(result, "station_means")["hours"] > 0]


def test_a_background_station_without_a_place_may_be_named(world: World) -> None:
    value = np.column_stack([world.month(noise=0.1), 30.0 + 10.0 * np.sin(np.arange(HOURS) / 20.0)])
    result = run([*city(), tiny.measured(value, (*tiny.PLACES, "교외"))], background_stations="교외")
    np.testing.assert_allclose(table(result, "factors")["factor"], TRUTH, rtol=0.05)
    unnamed = run([*city(), tiny.measured(value, (*tiny.PLACES, "교외"))])
    assert "dust.posts.unplaced" in codes(unnamed)


def test_an_error_of_the_background_is_the_offset(world: World) -> None:
    value = world.month(noise=0.1) - 10.0 * np.sin(np.arange(HOURS) / 20.0)[:, None]
    result = run([*city(), tiny.measured(value)], background_from="given", background=24.0)
    assert float(result.summary["offset"].value) == pytest.approx(6.0, abs=0.4)
    assert float(result.summary["background"].value) == pytest.approx(30.0, abs=0.6)


def test_days_are_calibrated_with_all_their_winds(world: World) -> None:
    hourly = world.month(noise=0.0)
    days = (HOURS // 24) * 24
    value = hourly[:days].reshape(-1, 24, hourly.shape[1]).mean(axis=1)
    stamp = (tiny.START - np.timedelta64(60, "m")).astype("datetime64[D]") + np.arange(len(value))
    result = run([*city(), tiny.measured(value, stamp=stamp)])
    np.testing.assert_allclose(table(result, "factors")["factor"], TRUTH, rtol=0.2)


def test_a_group_no_station_sees_stays_near_its_prior(world: World) -> None:
    site = tiny.site()
    far = site.with_(geometry=replace(site.geometry, vertices=site.geometry.vertices + [5.0, 145.0, 0.0]))
    layers = [layer for layer in city() if layer.id != "site"]
    result = run(
        [*layers, far, tiny.measured(world.month(truth=np.array([1.6, 0.7, 0.0])))], sensor_error=20.0, hint=False
    )
    found = table(result, "factors")
    assert found["resolved"][2] < 0.5
    assert found["known_by"][2] == "prior"
    assert "dust.calibrate.not_identified" in codes(result)


def test_the_loop_closes_with_one_table(world: World) -> None:
    measured = tiny.measured(world.month(noise=0.1))
    first = run([*city(), measured])
    factors = next(layer for layer in first.layers if layer.source.part == "factors")
    again = run([*city(), measured, factors], {"calibration": [factors.id]})
    assert "dust.factors.taken" in codes(again)
    # The factors are on the strengths of the layers, whatever was given: nothing is multiplied twice.
    np.testing.assert_allclose(table(again, "factors")["factor"], TRUTH, rtol=0.1)
    assert np.isclose(table(again, "scores")["fb"][2], 0.0, atol=0.01)  # before: now calibrated
    text = str(first.summary["factors"].value)
    by_text = run([*city(), measured], factors=text)
    np.testing.assert_allclose(table(by_text, "scores")["fb"][2], table(again, "scores")["fb"][2], atol=1e-4)


def test_the_next_sensor_is_a_map_of_open_ground(world: World) -> None:
    result = run([*city(), tiny.measured(world.month())])
    hint = next(layer for layer in result.layers if layer.source.part == "next_sensor")
    gain, error = (field.values for field in hint.fields)
    known = np.isfinite(gain)
    assert known.any()
    assert (gain[known] >= 0.0).all()
    before = np.sqrt(np.mean(table(result, "factors")["standard_error"] ** 2))
    assert np.nanmin(error) <= before
    without = run([*city(), tiny.measured(world.month())], hint=False)
    assert not [layer for layer in without.layers if layer.source.part == "next_sensor"]


# --- transfer


def seen_back(
    operator: Operator,
    emissions: Sequence[Emission],
    sampling: Sampling,
    feedback: Feedback,
    *,
    ratio: float,
    tolerance: float | None = None,
) -> Seen:
    """What `seen_at` tells, from one transposed answer per station."""
    count = len(sampling.cell)
    part, share = np.zeros((count, len(emissions))), np.zeros(count)
    with Crew() as crew:
        back = Transport(operator, crew, transpose=True)
        for number in range(count):
            right = sampling.on(number, operator.shape)
            step = feedback.part(number / count, (number + 1) / count)
            values = back.solve(right, step, tolerance=tolerance).values
            part[number] = [_received(values, one) / ratio for one in emissions]
            share[number] = float((operator.share.inflow * values).sum(dtype=np.float64))
    return Seen(part, share)


def _received(values: np.ndarray, one: Emission) -> float:
    return float((values.reshape(-1)[one.cell].astype(np.float64) * one.strength).sum())


def test_forward_and_transposed_answers_agree(world: World) -> None:
    prepared, case = world.prepared, world.prepared.cases[0]
    operator = make_operator(
        prepared.winds.faces(case.sector), mixing=prepared.mixing, particle=prepared.particle.in_wind(case.ratio),
        dtype=np.float64,
    )  # fmt: skip
    back = seen_back(operator, prepared.emissions, world.sampling, Feedback(), ratio=case.ratio)
    with Crew() as crew:
        forward = Transport(operator, crew)
        for number, one in enumerate(prepared.emissions):
            values = forward.solve(one.on(prepared.shape) / case.ratio, Feedback()).values
            np.testing.assert_allclose(world.sampling.of(values), back.part[:, number], rtol=1e-5, atol=1e-7)
        share = forward.solve(operator.share.inflow, Feedback()).values
    np.testing.assert_allclose(world.sampling.of(share), back.share, rtol=1e-5)
    # What the study takes is the same in float32.
    scale = back.part.max()
    np.testing.assert_allclose(world.seen[0].part, back.part, atol=1e-4 * scale)


def test_slow_hours_carry_more(world: World) -> None:
    speed = world.paired.wind.speed * world.prepared.winds.factor
    added = world.parts.sum(axis=(1, 2)) * np.sqrt(speed**2 + 2 * 0.3**2)
    for sector in range(0, 360, 90):
        mine = np.abs((world.paired.wind.wind_from - sector + 180) % 360 - 180) < 4
        assert np.ptp(added[mine]) < 0.25 * added[mine].mean() if mine.sum() > 1 else True
    np.testing.assert_allclose(world.mix.share.sum(axis=1), 1.0)


def test_hours_of_directions_not_calculated_are_left_out(world: World) -> None:
    case = next(case for case in world.prepared.cases if case.sector == 4)
    mix = mix_of(world.paired, [case], factor=world.prepared.winds.factor)
    away = np.abs((world.paired.wind.wind_from - 90.0 + 180.0) % 360.0 - 180.0)
    assert mix.known.any()
    assert (away[mix.known] < 12.0).all()
    assert mix.known[(away < 4.0) & (world.paired.wind.speed > 2.0)].all()


# --- references and stations


def test_a_reference_that_sees_the_sources_is_put_right() -> None:
    rng = np.random.default_rng(2)
    parts, shares = rng.random((50, 3, 2)) * 5.0, 0.9 + 0.1 * rng.random((50, 3))
    outside, truth = 20.0 + rng.random(50), np.array([2.0, 0.5])
    value = parts @ truth + shares * outside[:, None]
    value[5, 1] = np.nan
    rows = rows_of(value, parts, shares, [], origin="upwind", given=0.0, named=np.zeros(0, dtype=np.int64))
    again = rows.measured.transfer @ truth + rows.measured.background
    np.testing.assert_allclose(again, rows.measured.value, rtol=1e-12)
    assert len(again) == 50 * 3 - 1 - 50
    assert not (rows.reference & ~np.isfinite(value)).any()


def test_hours_without_a_named_background_are_left_out() -> None:
    value = np.full((10, 3), 30.0)
    value[:4, 2] = np.nan
    issues: list[Issue] = []
    rows = rows_of(
        value, np.ones((10, 3, 1)), np.ones((10, 3)), issues, origin="lowest", given=0.0, named=np.array([2])
    )
    assert len(rows.time) == 6 * 2
    assert {issue.code: issue.count for issue in issues} == {"dust.reference.missing": 4, "dust.reference.gaps": 4}
    with pytest.raises(UserError) as caught:
        named_stations("a; z", ["a", "b"])
    assert caught.value.code == "dust.no_station"


def test_stations_are_found_by_name_and_moved_out_of_walls() -> None:
    layer = tiny.stations({"가 ": (0.0, 0.0), "NA": (0.0, 35.0), "far": (4000.0, 0.0)})
    posts = posts_of([layer])
    issues: list[Issue] = []
    assert placed(posts, ["na", "가", "x"], issues).tolist() == [1, 0, -1]
    assert [issue.code for issue in issues] == ["dust.posts.unplaced"]
    with pytest.raises(UserError) as caught:
        placed(posts, ["x", "y"], [])
    assert caught.value.code == "dust.posts.no_place"


def test_a_station_in_a_building_breathes_open_ground(world: World) -> None:
    tunnel = world.prepared.winds.tunnel
    issues: list[Issue] = []
    posts = posts_of([tiny.stations({"in": (2.0, 2.0), "out": (0.0, 35.0), "far": (9000.0, 0.0)})])
    looked, inside = sampling(posts, tunnel, 1.5, issues)
    assert (tunnel.solid.reshape(-1)[looked.cell][looked.weight > 0] == 0).all()
    np.testing.assert_allclose(looked.weight.sum(axis=1), 1.0)
    assert "dust.posts.outside" in {issue.code for issue in issues}
    assert 2 not in inside.tolist()


# --- factors for other studies


def test_factors_are_read_as_they_are_printed() -> None:
    given = {"main road": 1.6, "공사장=북": 0.25, "site": 0.0}
    assert read_factors(factors_text({"a b": 1.5, "c": 0.0})) == {"a b": 1.5, "c": 0.0}
    assert read_factors("") == {}
    assert read_factors("roads: 2;\n site=.5".replace("=.5", "=0.5")) == {"roads": 2.0, "site": 0.5}
    for wrong in ("roads", "roads=", "roads=-1", "roads=1e9", "=2"):
        with pytest.raises(UserError) as caught:
            read_factors(wrong)
        assert caught.value.code == "dust.factors.wrong"
    assert given["site"] == 0.0


def test_factors_scale_their_groups_and_strangers_are_told() -> None:
    one = Emission("roads", np.array([3, 4]), np.array([1.0, 2.0]), 0.5)
    issues: list[Issue] = []
    (made,) = scaled([one], {"roads": 2.0, "no such": 3.0}, issues)
    assert made.strength.tolist() == [2.0, 4.0]
    assert made.lost == 1.0
    assert {issue.code for issue in issues} == {"dust.factors.taken", "dust.factors.unknown"}
    with pytest.raises(UserError) as caught:
        table_factors(tiny.stations())
    assert caught.value.code == "dust.factors.no_columns"
    assert factors_of("a=2", None) == {"a": 2.0}


# --- what a user may do wrong


def test_bad_input_is_refused_before_any_wind_is_calculated(world: World) -> None:
    value = world.month()
    without = [layer for layer in city() if layer.id != "stations"]
    far = {name: (x + 50_000.0, y) for name, (x, y) in tiny.PLACES.items()}
    two = {name: tiny.PLACES[name] for name in list(tiny.PLACES)[:2]}
    measured = tiny.measured(value)
    assert refused([*without, measured]) == "dust.posts.no_place"
    assert refused([*without, tiny.stations(far), measured]) == "dust.calibrate.few_stations"
    assert refused([*without, tiny.stations(two), measured]) == "dust.calibrate.few_stations"
    assert refused([*city(), tiny.measured(value[:, :1], ("북측",))]) == "dust.calibrate.few_stations"
    assert refused([*city(), tiny.measured(np.full_like(value, np.nan))]) == "dust.pairing.all_gaps"
    assert refused([*city(), measured], size_class="pm25") == "dust.pairing.nothing_measured"
    assert refused(city()) == "dust.pairing.nothing_measured"
    later = tiny.measured(value, stamp=tiny.times(HOURS) + np.timedelta64(400, "D"))
    assert refused([*city(), later]) == "dust.pairing.apart"
    assert refused([*city(), measured], background_stations="nobody") == "dust.no_station"
    assert refused([*city(), measured], factors="nonsense") == "dust.factors.wrong"


def test_a_typical_year_is_refused_unless_it_is_asked_for(world: World) -> None:
    hours = weather_layers()[1]
    count = len(hours.table)
    winds = tiny.weather(np.full(count, 3.0), np.full(count, 90.0))
    columns = {key: winds.table.columns[key] for key in ("wind_speed", "wind_from")}
    typical = hours.with_(table=hours.table.with_columns(columns))
    layers = [*(layer for layer in city() if layer.id != "asos"), typical, tiny.measured(world.month())]
    assert refused(layers) == "dust.pairing.other_year"
    result = run(layers, other_year=True, directions="one", wind_from=90.0)
    assert "dust.pairing.another_year" in codes(result)
    assert readings_of([layers[-1]], "pm10", []).station
