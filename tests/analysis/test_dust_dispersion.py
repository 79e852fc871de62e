"""The dust map: what is shown adds up, grades and areas are those of the index, people and places, bad input."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from analysis.contract import Result
from analysis.dust.rules import index_of
from analysis.registry import get
from analysis.run import execute
from app.view.hatch import CROSSED, LINES, hatch_codes, hatch_rows
from geo.model import Feedback, Layer, SessionStore, Volume
from tests.tiny import buildings, terrain, tiny_frame
from tests.tiny_emissions import road_lines, spots, squares
from tests.tiny_wind import steady_winds

STORE = SessionStore()
WEST = {"directions": "one", "wind_from": 270, "speed": 1, "cell": 10, "size": 100, "thoroughness": "preview",
        "background": 40, "band": "none"}  # fmt: skip
EAST_WEST = [(-60.0, -25.0), (70.0, -25.0)]


def street(traffic: float = 20_000.0) -> Layer:
    values = {
        "traffic": ([traffic], "1/d"),
        "silt": ([0.2], "g/m2"),
        "name": (["동서로"], ""),
        "carriageway": ([10.0], "m"),
    }
    return road_lines([EAST_WEST], values)


def site() -> Layer:
    values = {"strength_pm10": ([0.05], "g/s"), "source_kind": (["construction"], "")}
    return squares([(-50.0, 20.0, 25.0)], values)


def people() -> Layer:
    values = {
        "name": (["학교", "정류장", "공원", "먼 곳"], ""),
        "place_group": (["school", "stop", "park", "school"], ""),
        "persons": ([300.0, 100.0, np.nan, 50.0], "1"),
        "hours": ([6.0, 1.0, 2.0, 6.0], "h"),
    }
    return spots([(20.0, -25.0), (-30.0, -15.0), (0.0, 35.0), (900.0, 0.0)], values, theme="other")


def study(*layers: Layer, named: tuple[str, ...] = (), feedback: Feedback | None = None, **params: object) -> Result:
    chosen = {"people": list(named)} if named else None
    base = [terrain(), buildings()]
    feedback = feedback or Feedback(kept=STORE)
    given = {**WEST, **params}
    return execute(
        get("dust.dispersion"),
        layers=[*base, *layers],
        frame=tiny_frame(),
        params=given,
        chosen=chosen,
        feedback=feedback,
    )


@cache
def whole() -> Result:
    return study(street(), site(), people(), named=("spots",), band="strongest")


def part(result: Result, ending: str) -> Layer:
    return next(layer for layer in result.layers if layer.id == ending or layer.id.endswith(f"-{ending}"))


def values(result: Result, name: str, ending: str = "map") -> np.ndarray:
    field = part(result, ending).field_named(name)
    assert field is not None
    return np.asarray(field.values)


def table(result: Result, name: str) -> dict[str, list[object]]:
    found = next(one for one in result.tables if one.id == name)
    return {key: column.values.tolist() for key, column in found.columns.items()}


def codes(result: Result) -> list[str]:
    return [issue.code for issue in result.issues]


def test_the_map_is_the_background_and_the_parts_of_all_groups() -> None:
    road, yard = values(whole(), "from_roads"), values(whole(), "from_construction")
    parts = road + yard
    known = (road > 0.0) & (yard > 0.0)  # what a linear scheme undershoots beside a source is cut for the eye
    assert known.sum() > 20
    assert (values(whole(), "increment") <= parts + 1e-3)[np.isfinite(parts)].all()
    assert values(whole(), "increment")[known] == pytest.approx(parts[known], abs=0.02)
    total = values(whole(), "background") + values(whole(), "increment")
    assert values(whole(), "concentration")[known] == pytest.approx(total[known], abs=0.02)
    assert np.nanmax(values(whole(), "background")) <= 40.01
    assert np.nanmin(parts) >= 0.0
    assert np.array_equal(np.isnan(values(whole(), "concentration")), values(whole(), "grade") < 0)


def test_nothing_is_shown_in_buildings_and_most_lies_on_the_road_and_the_site() -> None:
    grid = part(whole(), "map").geometry
    shown = values(whole(), "from_roads")
    rows, columns = np.indices(shown.shape)
    x, y = grid.x0 + grid.cell * columns, grid.y0 + grid.cell * rows
    inside = (np.abs(x) < 5.0) & (y > -8.0) & (y < 0.0)
    assert np.isnan(shown[inside]).all()
    on_road = (np.abs(y + 25.0) <= 10.0) & (x > -40.0)
    far_north = y > 10.0
    assert np.nanmean(shown[on_road]) > 5.0 * np.nanmean(shown[far_north])


def test_grades_and_areas_are_those_of_the_index() -> None:
    total = values(whole(), "concentration")
    assert np.array_equal(values(whole(), "grade"), index_of(total, "pm10"))
    grid, grades = part(whole(), "map").geometry, table(whole(), "grades")
    assert grades["grade"] == ["good", "moderate", "bad", "very_bad"]
    assert grades["above"] == [0.0, 30.0, 80.0, 150.0]
    assert sum(grades["area"]) == pytest.approx(np.isfinite(total).sum() * grid.cell**2)
    above = float((total > 80.0).sum()) * grid.cell**2
    assert whole().summary["above_area"].value == pytest.approx(above)
    assert above > 0.0
    assert whole().summary["limit"].value == 80.0


def test_the_map_is_coloured_by_grades_where_there_are_several_and_hatched_by_them() -> None:
    layer = part(whole(), "map")
    assert layer.style.colour_by == "grade"
    grade = values(whole(), "grade")
    hatch = hatch_codes(layer, grade >= 0)
    assert hatch is not None
    assert np.array_equal(hatch == LINES, grade == 2)
    assert np.array_equal(hatch == CROSSED, grade == 3)
    assert [sign for _, sign in hatch_rows(layer)] == [LINES, CROSSED][: len(hatch_rows(layer))]
    clean = study(street(500.0), background=50)
    assert part(clean, "map").style.colour_by == "increment"


def test_what_people_breathe_is_weighted_with_persons_and_hours() -> None:
    groups = table(whole(), "groups")
    weight = dict(zip(groups["place_group"], groups["persons"], strict=True))
    assert weight == {"school": 300.0, "stop": 100.0, "park": 0.0, "street": 0.0}
    mean = dict(zip(groups["place_group"], groups["increment"], strict=True))
    wanted = (300 * 6 * mean["school"] + 100 * 1 * mean["stop"]) / 1900
    assert whole().summary["exposure_increment"].value == pytest.approx(wanted, rel=1e-3)
    assert whole().summary["weighted_by"].value == "people"
    sources = table(whole(), "sources")
    assert sum(sources["breathed"]) == pytest.approx(whole().summary["exposure_increment"].value, rel=1e-3)
    assert dict(zip(sources["group"], sources["emitted"], strict=True))["construction"] == pytest.approx(0.05 * 86.4)
    assert "dust.places_outside" in codes(whole())
    assert "dust.people_outside" in codes(whole())


def test_places_and_streets_have_tables_and_points() -> None:
    assert {"places_school", "places_stop", "places_park", "places_street"} <= {one.id for one in whole().tables}
    schools = table(whole(), "places_school")
    assert schools["name"] == ["학교"]
    assert schools["concentration"][0] == pytest.approx(
        schools["increment"][0] + whole().summary["exposure"].value - whole().summary["exposure_increment"].value,
        abs=0.5,
    )
    assert table(whole(), "places_street")["name"] == ["동서로"]
    places = part(whole(), "places")
    assert places.kind == "points"
    assert set(places.table.columns["name"].values) == {"학교", "정류장", "공원"}
    assert places.geometry.vertices[:, 2] == pytest.approx(21.5, abs=0.1)


def test_the_space_holds_what_the_map_shows_and_thins_upwards() -> None:
    layer = part(whole(), "space")
    assert isinstance(layer.geometry, Volume)
    rising = values(whole(), "increment", "space")
    assert rising.shape == layer.geometry.values.shape
    by_level = [np.nanmean(level) for level in rising if np.isfinite(level).any()]
    assert by_level[-1] < 0.5 * by_level[2]
    assert not any(layer.id.endswith("space") for layer in study(street(), space=False).layers)


def test_the_band_of_the_schmidt_number_lies_around_the_increment() -> None:
    low, own, high = (
        float(whole().summary[name].value) for name in ("increment_low", "exposure_increment", "increment_high")
    )
    assert 0.6 * own < low < own < high < 1.6 * own


def test_the_balance_is_whole() -> None:
    assert abs(float(whole().summary["balance"].value)) <= 0.1
    winds = table(whole(), "winds")
    gone = [winds[name][0] for name in ("carried_away", "on_ground", "on_leaves", "missing")]
    assert sum(gone) == pytest.approx(100.0, abs=0.2)
    assert "dust.balance" not in codes(whole())


def test_one_wind_is_said_to_be_no_mean_and_figures_not_checked_are_named() -> None:
    assert "dust.one_wind" in codes(whole())
    unverified = next(issue for issue in whole().issues if issue.code == "dust.unverified")
    assert "paved_road" in str(unverified.values["parts"])


def test_without_people_the_mean_is_over_the_open_ground() -> None:
    found = study(street())
    assert found.summary["weighted_by"].value == "area"
    assert "dust.no_people" in codes(found)
    assert found.summary["exposure_increment"].value == pytest.approx(found.summary["area_increment"].value, rel=0.1)


def test_more_traffic_is_more_dust_and_finer_dust_has_its_own_limit() -> None:
    first, second = study(street()), study(street(40_000.0))
    own = [float(one.summary["exposure_increment"].value) for one in (first, second)]
    assert own[1] == pytest.approx(2.0 * own[0], rel=1e-3)
    fine = study(street(), size_class="pm25")
    assert fine.summary["limit"].value == 35.0
    # 0.15 / 0.62 of the dust, and less of it is deposited.
    assert 0.15 / 0.62 < float(fine.summary["exposure_increment"].value) / own[0] < 1.3 * 0.15 / 0.62


def test_the_hours_of_the_year_are_the_sum_of_their_winds() -> None:
    weather = steady_winds([270.0, 90.0], calm=0.05)
    shown: list[str] = []
    seen = Feedback(on_partial=lambda layers: shown.extend(layer.id for layer in layers), kept=STORE)
    found = study(street(), weather, directions="strongest8", cell=25, feedback=seen)
    winds = table(found, "winds")
    assert sum(winds["frequency"]) == pytest.approx(100.0)
    mean = np.average(winds["breathed_increment"], weights=winds["frequency"])
    assert found.summary["exposure_increment"].value == pytest.approx(mean, rel=1e-3)
    assert float(found.summary["calm"].value) > 0.0
    assert {"dust.calm_hours", "dust.strongest_only"} <= set(codes(found))
    assert "dust.one_wind" not in codes(found)
    assert shown.count("map") == 8
