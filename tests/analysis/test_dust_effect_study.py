"""Before and after from layers: the right stations and days are taken, and what cannot be told is not told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from analysis.contract import Result
from analysis.dust.before_after import MOST_CONTROLS, read_day
from analysis.run import execute
from analysis.studies.dust_effect import dust_effect
from geo.formats.contract import ReadOptions
from geo.formats.sensor_table import read
from geo.model import Column, ElementTable, Feedback, Field, Grid, Layer, Points, UserError
from tests import tiny_sensors as tiny
from tests.tiny import tiny_frame

SINCE = "2024-03-31"
USUAL = {"treated": "북측", "since": SINCE}


def run(layers: Sequence[Layer], chosen: dict[str, list[str]] | None = None, **params: object) -> Result:
    return execute(dust_effect, layers=layers, frame=tiny_frame(), params=params, chosen=chosen)


def refused(layers: Sequence[Layer], **params: object) -> str:
    with pytest.raises(UserError) as caught:
        run(layers, **params)
    return caught.value.code


def codes(result: Result) -> list[str]:
    return [issue.code for issue in result.issues]


def value(result: Result, name: str) -> float:
    return float(result.summary[name].value)  # type: ignore[arg-type]


def purifier(x: float = 3.0, y: float = 34.0, since: str = SINCE, state: str = "existing") -> Layer:
    columns = {
        "name": Column(np.array(["탑"], dtype=object)),
        "purifier_state": Column(np.array([state], dtype=object)),
        "runs_since": Column(np.array([since], dtype=object)),
    }
    shape = Points(np.array([[x, y, 20.0]]), np.zeros(1, np.int32))
    return Layer("unit", "Unit", "purifier", shape, ElementTable(["u1"], columns))


def reduction(amount: float = 4.0) -> Layer:
    """A siting result's map: `amount` in the north, nothing known in the south."""
    rows = np.repeat(np.array([np.nan, amount]), [20, 20])
    values = np.tile(rows[:, None], (1, 40))
    shape = Grid(values, -97.5, -97.5, 5.0)
    return Layer("map", "Reduction", "result", shape, fields=(Field("reduction", "ug/m3", "cell", values),))


def test_what_could_be_seen_is_told_before_what_was_seen() -> None:
    result = run(tiny.two_months(), **USUAL)
    assert next(iter(result.summary)) == "detectable"
    assert codes(result)[:2] == ["dust.effect.honesty.detectable", "dust.effect.honesty.cleaner"]
    assert value(result, "low") < -4.0 < value(result, "high")
    assert result.summary["verdict"].value == "cleaner"
    assert (value(result, "days_before"), value(result, "days_after")) == (28, 28)
    days = next(table for table in result.tables if table.id == "days").columns
    assert days["day"].values[[0, -1]].tolist() == ["2024-03-03", "2024-04-28"]
    assert SINCE not in days["day"].values.tolist()  # the day of installing belongs to neither side
    after = days["period"].values == "after"
    gap = days["difference"].values
    assert gap[after].mean() - gap[~after].mean() == pytest.approx(value(result, "change"), abs=0.01)


def test_no_effect_is_not_invented_and_a_small_promise_is_put_right() -> None:
    result = run(tiny.two_months(0.0), **USUAL, predicted=-0.02)
    assert result.summary["verdict"].value == "not_seen"
    assert "dust.effect.honesty.not_seen" in codes(result)
    assert "dust.effect.below_detectable" in codes(result)
    assert result.summary["agrees"].value == "yes"


def test_a_promise_that_was_not_kept_is_told() -> None:
    result = run(tiny.two_months(-1.0), **USUAL, predicted=-4.0)
    assert result.summary["agrees"].value == "no"
    assert "dust.effect.disagrees" in codes(result)
    assert "dust.effect.honesty.dustier" in codes(run(tiny.two_months(5.0), **USUAL))


def test_the_unit_says_which_station_and_which_day() -> None:
    layers = [*tiny.two_months(), purifier()]
    result = run(layers)
    assert result.summary["treated"].value == "북측"
    assert result.summary["since"].value == SINCE
    assert "dust.effect.nearest" in codes(result)
    assert value(result, "change") == value(run(tiny.two_months(), **USUAL), "change")
    # A planned unit, or one that does not say its day, decides nothing.
    assert refused([*tiny.two_months(), purifier(state="planned")]) == "dust.effect.no_treated"
    assert refused([*tiny.two_months(), purifier(since="")]) == "dust.effect.no_treated"
    assert refused([*tiny.two_months(), purifier(since="")], treated="북측") == "dust.effect.no_day"


def test_the_prediction_is_looked_up_at_the_station() -> None:
    layers = [*tiny.two_months(), reduction(4.0)]
    result = run(layers, {"prediction": ["map"]}, **USUAL)
    assert value(result, "predicted") == -4.0
    assert result.summary["agrees"].value == "yes"
    south = run(layers, {"prediction": ["map"]}, treated="남측", since=SINCE)
    assert "dust.effect.not_on_map" in codes(south)
    assert "predicted" not in south.summary
    assert value(run(layers, {"prediction": ["map"]}, **USUAL, predicted=-1.0), "predicted") == -1.0
    bare = reduction().with_(fields=())
    with pytest.raises(UserError) as caught:
        run([*tiny.two_months(), bare], {"prediction": ["map"]}, **USUAL)
    assert caught.value.code == "dust.effect.no_reduction"


def test_controls_stand_away_from_the_unit_and_measured_at_the_same_times() -> None:
    layers = [*tiny.two_months(), purifier(5.0, -30.0)]  # beside the southern station
    result = run(layers, treated="북측")
    assert "남측" not in str(result.summary["controls"].value)
    near = run(layers, treated="북측", controls="남측; 동측")
    assert "dust.effect.control_near" in codes(near)
    assert "dust.effect.few_controls" in codes(near)
    table = tiny.two_months()[1]
    gaps = np.array(table.table.columns["pm10"].values)
    gaps[2 * 1440 : 2 * 1440 + 700] = np.nan  # half of the eastern station's hours
    columns = table.table.with_columns({"pm10": Column(gaps, "ug/m3")})
    result = run([tiny.stations(), table.with_(table=columns)], **USUAL)
    assert "동측" not in str(result.summary["controls"].value)


def test_it_works_without_any_place() -> None:
    result = run(tiny.two_months()[1:], **USUAL)
    assert result.summary["verdict"].value == "cleaner"
    assert {layer.kind for layer in result.layers} == {"table"}


def test_hours_of_the_day() -> None:
    stations, table = tiny.two_months(0.0)
    changed = np.array(table.table.columns["pm10"].values)
    hours = np.arange(1440)
    changed[:1440][(hours % 24 >= 8) & (hours % 24 < 18) & (hours >= 720)] -= 3.0
    layer = table.with_(table=table.table.with_columns({"pm10": Column(changed, "ug/m3")}))
    by_day = run([stations, layer], **USUAL, first_hour=9, last_hour=19)
    assert value(by_day, "change") == pytest.approx(-3.0, abs=0.4)
    night = run([stations, layer], **USUAL, first_hour=20, last_hour=8)
    assert value(night, "change") == pytest.approx(0.0, abs=0.4)


def test_days_are_read_in_every_way_of_writing_them() -> None:
    for text in ("2024-03-05", "2024.3.5", "20240305", "2024/03/05 12:00", "2024년 3월 5일"):
        assert str(read_day(text)) == "2024-03-05"
    assert np.isnat(read_day("spring"))
    assert np.isnat(read_day("2024-13-01"))


def test_bad_input_is_refused_calmly() -> None:
    layers = tiny.two_months()
    assert refused(layers, treated="nobody", since=SINCE) == "dust.no_station"
    assert refused(layers, since=SINCE) == "dust.effect.no_treated"
    assert refused(layers, treated="북측", since="soon") == "dust.effect.bad_day"
    assert refused(layers, treated="북측", since="2025-01-01") == "dust.effect.one_side"
    assert refused(layers, treated="북측", since="2024-03-05") == "dust.effect.few_days"
    assert refused(layers, **USUAL, controls="북측") == "dust.effect.own_control"
    assert refused(layers, **USUAL, size_class="pm25") == "dust.pairing.nothing_measured"
    one = tiny.measured(np.full((1440, 1), 30.0), ("북측",))
    assert refused([one], **USUAL) == "dust.effect.no_control"


def test_seoul_days_against_the_stations_that_went_along_best(shared_data: Path) -> None:
    """Nothing was installed: at nine of ten random dates nothing may be found."""
    table = read(
        shared_data / "sensors" / "seoul_air_daily_2022.csv", tiny_frame(), ReadOptions(crs="EPSG:5186"), Feedback()
    )[0]
    names = np.unique(table.table.columns["station"].values.astype(str))
    rng = np.random.default_rng(12)
    seen = []
    for _ in range(30):
        since = np.datetime64("2022-02-15") + int(rng.integers(0, 270))
        try:
            result = run([table], treated=str(rng.choice(names)), since=str(since))
        except UserError as error:
            assert error.code in ("dust.effect.few_days", "dust.effect.no_control")  # noqa: PT017
            continue
        assert len(str(result.summary["controls"].value).split(", ")) <= MOST_CONTROLS
        seen.append(result.summary["verdict"].value != "not_seen")
    assert len(seen) >= 25
    assert np.mean(seen) <= 0.1
