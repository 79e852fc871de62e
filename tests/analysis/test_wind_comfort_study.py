"""The study of comfort: what the schemes say of the maps of all directions, and what it owns up to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.contract import Result
from analysis.registry import get
from analysis.run import execute
from analysis.wind import climate, comfort
from analysis.wind.transfer import power_factor
from geo.model import Cancelled, Column, ElementTable, Feedback, Grid, Layer, Points, UserError
from tests.tiny import box_mesh, buildings, terrain, tiny_frame
from tests.tiny_wind import steady_winds, wind_layer

BLOCK = [(-15.0, -15.0, 20.0, 30.0, 30.0, 24.0)]
QUICK = {"cell": 10.0, "size": 140.0, "thoroughness": "preview", "exposure": "D", "sectors": 8}
ALL_ROUND = tuple(45.0 * number for number in range(8))
FOUR = (0.0, 90.0, 180.0, 270.0)


def study(
    weather: Layer,
    boxes: list[tuple[float, ...]] | None = BLOCK,  # type: ignore[assignment]
    *,
    more: Sequence[Layer] = (),
    chosen: dict[str, list[str]] | None = None,
    feedback: Feedback | None = None,
    **params: object,
) -> Result:
    city = [terrain(20.0, 300.0, 20.0), *([buildings(boxes)] if boxes else [])]  # type: ignore[arg-type]
    return execute(
        get("wind.comfort"), layers=[*city, weather, *more], frame=tiny_frame(), params={**QUICK, **params},
        chosen=chosen, feedback=feedback,
    )  # fmt: skip


def part(result: Result, name: str) -> Layer:
    return next(layer for layer in result.layers if layer.source.part == name)


def values(result: Result, field: str, layer: str = "map") -> NDArray[np.float64]:
    found = part(result, layer).field_named(field)
    assert found is not None, field
    return np.asarray(found.values)


def codes(result: Result) -> set[str]:
    return {issue.code for issue in result.issues}


@cache
def west_wind() -> Result:
    """A block in a wind that only blows from the west; a bench in its lee and a path around it."""
    xy = np.array([[35.0, 0.0, 20.0], [0.0, 45.0, 20.0], [4000.0, 0.0, 20.0]])
    names = {"name": Column(np.array(["Bench", "Gate", "Far"], dtype=object))}
    spots = Layer(
        "spots", "Spots", "furniture", Points(xy, np.arange(3, dtype=np.int32)), ElementTable(["s0", "s1", "s2"], names)
    )
    mesh, _ = box_mesh([(-60.0, -60.0, 20.0, 120.0, 25.0, 0.1)])
    park = Layer("park", "Park", "other", mesh, ElementTable(["p"]))
    return study(
        steady_winds([270.0]),
        more=[spots, park],
        chosen={"places": ["spots", "park"]},
        all_schemes=True,
        scheme="nen8100",
    )


@cache
def empty_field() -> Result:
    return study(steady_winds(FOUR, scale=9.0), None, ground_roughness=0.01, height=5.0)


# --- the year


def test_open_country_has_everywhere_the_class_worked_out_by_hand() -> None:
    result = empty_field()
    rose = climate.rose_of(climate.hours_of(steady_winds(FOUR, scale=9.0)), 8, [])
    z0 = 0.01
    friction = 0.41 / np.log((60.0 + z0) / z0)
    outside = np.sqrt(1.0 + 4.0 / 3.0 * friction**2 / 0.3)
    here = np.sqrt((friction / 0.41 * np.log((5.0 + z0) / z0)) ** 2 + 4.0 / 3.0 * friction**2 / 0.3)
    factor = power_factor("D", "D", site_height=60.0) * here / outside
    percent = 100.0 * sum(
        rose.frequency[d] * np.exp(-((5.0 / (factor * rose.scale[d])) ** rose.shape[d])) for d in range(8)
    )
    want = int(np.searchsorted([2.5, 5.0, 10.0, 20.0], percent))
    assert want == 4  # a windy place, far from a limit
    found = values(result, "comfort_nen8100")
    assert set(np.unique(found[found >= 0]).tolist()) == {want}
    exceeded = values(result, "exceedance_nen8100")
    np.testing.assert_allclose(exceeded[np.isfinite(exceeded)], percent, rtol=0.06)
    mean = factor * float(np.nansum(rose.frequency * rose.mean))
    speed = values(result, "mean_speed_of_year")
    np.testing.assert_allclose(speed[np.isfinite(speed)], mean, rtol=0.06)


def test_a_rose_of_one_direction_is_the_map_of_that_direction() -> None:
    result = west_wind()
    one = execute(
        get("wind.field"),
        layers=[terrain(20.0, 300.0, 20.0), buildings(BLOCK)],
        frame=tiny_frame(),
        params={**{k: v for k, v in QUICK.items() if k != "sectors"}, "wind_from": 270.0, "space": False},
    )
    want = np.asarray(one.layers[0].fields[0].values)
    found = values(result, "weighted_ratio")
    assert found.shape == want.shape
    np.testing.assert_allclose(found, want, atol=0.03)
    assert np.array_equal(np.isnan(found), np.isnan(want))
    np.testing.assert_allclose(values(result, "ratio_W", "directions"), found, rtol=1e-6)
    worst = values(result, "worst_direction")
    assert set(np.unique(worst[worst >= 0]).tolist()) == {6}
    assert result.summary["sectors"].value == 1
    assert "wind.empty_sectors" in codes(result)


def test_the_exceedance_is_that_of_the_maps_and_the_hours_agree_with_their_weibull() -> None:
    by_hours = study(steady_winds([270.0]), statistics="hours")
    ratio = values(by_hours, "ratio_W", "directions")
    weather = climate.hours_of(steady_winds([270.0]))
    z = np.array([10.0, 60.0])
    friction = 0.41 / np.log(60.01 / 0.01)
    ten, sixty = np.sqrt((friction / 0.41 * np.log((z + 0.01) / 0.01)) ** 2 + 4.0 / 3.0 * friction**2 / 0.3)
    local = ratio * ten / sixty * power_factor("D", "D", site_height=60.0)
    known = np.isfinite(local)
    want = [100.0 * (weather.speed * value > 5.0).mean() for value in local[known]]
    found = values(by_hours, "exceedance_nen8100")
    np.testing.assert_allclose(found[known], want, atol=0.05)
    fitted = values(west_wind(), "exceedance_nen8100")
    np.testing.assert_allclose(fitted[known], found[known], atol=2.0)


def test_shares_of_sectors_add_up_with_the_calm_and_five_per_cent_are_438_hours() -> None:
    result = west_wind()
    table = next(table for table in result.tables if table.id == "sectors")
    frequency = np.asarray(table.columns["frequency"].values, dtype=float)
    calm = float(result.summary["calm"].value)  # type: ignore[arg-type]
    assert frequency.sum() + calm == pytest.approx(100.0, abs=0.01)
    assert calm == pytest.approx(10.0, abs=0.01)
    assert float(np.asarray(table.columns["hours"].values).sum()) == pytest.approx(0.9 * 8760)
    assert comfort.hours_of_percent(5.0) == 438.0
    assert [str(v) for v in table.columns["map_settled"].values] == ["", "", "", "", "", "", "no", ""]
    classes = next(table for table in result.tables if table.id == "classes")
    shares = np.asarray(classes.columns["class_share"].values, dtype=float)
    scheme = np.asarray(classes.columns["scheme"].values)
    for name in np.unique(scheme.astype(str)):
        assert shares[scheme == name].sum() == pytest.approx(100.0)


def test_every_scheme_has_its_maps_and_says_which_were_not_checked() -> None:
    result = west_wind()
    names = {field.name for field in part(result, "map").fields}
    for name, rule in comfort.schemes().items():
        assert f"comfort_{name}" in names
        assert (f"danger_{name}" in names) == bool(rule.dangers)
    assert part(result, "map").style.colour_by == "comfort_nen8100"
    issue = next(issue for issue in result.issues if issue.code == "wind.comfort.unverified")
    assert "City of London" in issue.message
    assert "Lawson 2001" not in issue.message
    # A stricter limit of the same speed is no better a class.
    lddc, tvl = values(result, "comfort_lawson_lddc"), values(result, "comfort_lawson_tvl")
    assert (lddc >= tvl).all()
    assert (lddc > tvl).any()


def test_charts_are_bars_that_add_up() -> None:
    charts = {chart.id: chart for chart in west_wind().charts}
    rose, classes = charts["rose"].series, charts["classes_nen8100"].series
    assert rose[-1].y.max() == pytest.approx(90.0, abs=0.01)  # with ten per cent calm
    for series in rose:
        assert series.base is not None
        assert (series.y >= series.base).all()
    assert sum(series.y.max() for series in classes) == pytest.approx(100.0)
    assert classes[0].colour == "#3f8f9a"
    assert len({series.colour for series in charts["classes_murakami"].series}) == 4


def test_places_are_judged_and_those_elsewhere_are_counted() -> None:
    result = west_wind()
    places = part(result, "places")
    names = [str(name) for name in places.table.columns["name"].values]
    assert names == ["Bench", "Gate", "p"]
    ratio = dict(zip(names, places.table.columns["weighted_ratio"].values.tolist(), strict=True))
    assert ratio["Bench"] < 0.7 * ratio["Gate"]  # in the lee of the block
    area = dict(zip(names, places.table.columns["place_area"].values.tolist(), strict=True))
    assert area["p"] == pytest.approx(120.0 * 25.0, rel=0.35)
    assert area["Bench"] == 100.0
    issue = next(issue for issue in result.issues if issue.code == "wind.comfort.places_outside")
    assert issue.count == 1
    assert {str(v) for v in places.table.columns["suits_sitting"].values} <= {"good", "moderate", "poor"}


def test_doors_to_the_open_are_places_without_being_named() -> None:
    points = Points(np.array([[20.0, 0.0, 20.0], [0.0, 0.0, 20.0]]), np.arange(2, dtype=np.int32))
    columns = {
        "node": Column(np.array(["exit", "room"], dtype=object)),
        "name": Column(np.array(["Door", "Hall"], object)),
    }
    network = Layer("ways", "Ways", "network", points, ElementTable(["n0", "n1"], columns))
    result = study(steady_winds([270.0]), more=[network])
    assert [str(name) for name in part(result, "places").table.columns["name"].values] == ["Door"]


# --- weather that is not as it should be


def test_three_hundred_and_sixty_is_north() -> None:
    speed = np.full(3000, 4.0)
    north, again = study(wind_layer(speed, np.zeros(3000))), study(wind_layer(speed, np.full(3000, 360.0)))
    np.testing.assert_array_equal(values(north, "weighted_ratio"), values(again, "weighted_ratio"))
    assert set(np.unique(values(again, "worst_direction")).tolist()) <= {-1, 0}


def test_weather_without_wind_or_none_at_all_is_said_and_calm_hours_are_counted_apart() -> None:
    with pytest.raises(UserError) as caught:
        study(wind_layer(np.zeros(3000), np.zeros(3000)))
    assert caught.value.code == "wind.no_wind"
    table = Layer("t", "T", "other", None, ElementTable(["a"], {"x": Column(np.zeros(1))}))
    with pytest.raises(UserError) as caught:
        study(table)
    assert caught.value.code == "wind.comfort.no_weather"
    result = study(steady_winds([270.0], calm=0.8))
    assert result.summary["calm"].value == pytest.approx(80.0, abs=0.01)
    assert "wind.mostly_calm" in codes(result)
    windy = values(study(steady_winds([270.0], calm=0.0)), "mean_speed_of_year")
    np.testing.assert_allclose(values(result, "mean_speed_of_year"), 0.2 * windy, rtol=0.1)


def test_months_and_hours_of_the_day_are_chosen_and_said_where_unknown() -> None:
    weather = steady_winds([270.0])
    night = study(weather, season="summer", first_hour=22, last_hour=6)
    assert night.summary["known_hours"].value == 92 * 8
    unknown = study(wind_layer(np.full(3000, 4.0), np.full(3000, 270.0), times=False), season="winter")
    assert unknown.summary["known_hours"].value == 3000
    assert "wind.comfort.no_times" in codes(unknown)


# --- the run


def test_the_strongest_direction_comes_first_each_is_shown_and_the_time_left_is_said() -> None:
    speed = np.where(np.arange(6000) % 3 == 0, 9.0, 4.0)
    weather = wind_layer(speed, np.where(np.arange(6000) % 3 == 0, 90.0, 270.0))
    shown: list[str] = []
    said: list[str] = []
    seen = Feedback(lambda _, message: said.append(message), on_partial=lambda layers: shown.append(layers[0].name))
    study(weather, feedback=seen)
    assert list(dict.fromkeys(shown)) == ["Wind from E", "Wind from W"]
    assert shown.count("Wind from E") == 3  # coarse, finer, whole
    winds = [message for message in dict.fromkeys(said) if message.startswith("wind from")]
    assert winds[0].startswith("wind from E, 1 of 2, about "), "promised before anything has ended"
    assert winds[1].startswith("wind from W, 2 of 2, about ")


def test_cancel_in_the_middle_of_a_direction_leaves_nothing() -> None:
    said: list[str] = []
    stop = Feedback(lambda _, message: said.append(message), lambda: sum("2 of 8" in text for text in said) > 3)
    with pytest.raises(Cancelled):
        study(steady_winds(ALL_ROUND), feedback=stop)
    assert not any("3 of 8" in text for text in said)


def test_the_map_lies_where_that_of_a_single_wind_lies() -> None:
    grid = part(west_wind(), "map").geometry
    assert isinstance(grid, Grid)
    assert grid.cell == 10.0
    trust = values(west_wind(), "trust")
    assert trust.min() == -1
    assert np.array_equal(values(west_wind(), "trust", "directions"), trust)
