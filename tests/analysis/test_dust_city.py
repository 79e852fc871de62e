"""From layers to sources, places and background: published factors, units, what is missing is said and not invented."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.dust.city import sources_of
from analysis.dust.homes import places_of, streets_of
from analysis.dust.outside import background_of
from analysis.dust.sources import Source
from geo.model import Column, Issue, Layer, UserError
from tests.tiny import buildings
from tests.tiny_emissions import road_lines, spots, squares
from tests.tiny_sensors import measured, stations

STREET = [(0.0, 0.0), (300.0, 400.0)]  # 500 m


def strengths(sources: tuple[Source, ...]) -> list[float]:
    return [one.strength for one in sources]


def codes(issues: list[Issue]) -> list[str]:
    return [issue.code for issue in issues]


def test_a_road_whirls_up_what_ap_42_says() -> None:
    issues: list[Issue] = []
    columns = {"traffic": ([20_000.0], "1/d"), "vehicle_weight": ([2.0], "t"), "silt": ([0.1], "g/m2"),
               "carriageway": ([14.0], "m")}  # fmt: skip
    road = road_lines([STREET], columns)
    (source,) = sources_of([road], [], "pm10", 4.0, issues)
    # E = 0.62 (0.1)^0.91 (2.0 / 0.907185)^1.02 g per vehicle and km = 0.1707; over half a kilometre.
    factor = 0.62 * 0.1**0.91 * (2.0 / 0.90718474) ** 1.02
    assert factor == pytest.approx(0.1707, rel=1e-3)
    assert source.strength == pytest.approx(factor * 20_000 * 0.5 / 86400 * 1e6, rel=1e-6)
    assert issues == []
    (fine,) = sources_of([road], [], "pm25", 4.0, issues)
    assert fine.strength / source.strength == pytest.approx(0.15 / 0.62, rel=1e-6)


def test_twice_the_traffic_is_twice_the_dust_where_the_silt_is_given() -> None:
    columns = {"traffic": ([6000.0, 12000.0], "1/d"), "silt": ([0.2, 0.2], "g/m2")}
    first, second = strengths(sources_of([road_lines([STREET, STREET], columns)], [], "pm10", 4.0, []))
    assert second == pytest.approx(2.0 * first)


def test_roads_without_a_count_are_left_out_and_told_or_assumed_and_told() -> None:
    road = road_lines([STREET, STREET, STREET], {"traffic": ([5000.0, np.nan, np.nan], "1/d"),
                                                 "carriageway": ([7.0, 7.0, 0.0], "m")})  # fmt: skip
    issues: list[Issue] = []
    assert len(sources_of([road], [], "pm10", 4.0, issues)) == 1
    (left_out,) = (issue for issue in issues if issue.code == "dust.no_traffic")
    assert left_out.count == 1, "a path without a carriageway is no road without a count"
    issues = []
    found = sources_of([road], [], "pm10", 4.0, issues, traffic=5000.0)
    assert len(found) == 2
    assert found[0].strength == pytest.approx(found[1].strength)
    assert "dust.traffic_assumed" in codes(issues)
    assert "dust.no_traffic" not in codes(issues)


def test_a_road_drawn_as_a_surface_emits_as_its_line_does() -> None:
    values = {"traffic": ([9000.0], "1/d"), "silt": ([0.1], "g/m2")}
    (line,) = sources_of([road_lines([[(0.0, 0.0), (100.0, 0.0)]], values)], [], "pm10", 4.0, [])
    strip = squares([(0.0, 0.0, 100.0)], {**values, "width_used": ([100.0], "m")}, theme="road")
    (surface,) = sources_of([strip], [], "pm10", 4.0, [])
    assert surface.strength == pytest.approx(line.strength, rel=1e-6)
    outlined = squares([(0.0, 0.0, 100.0)], values, theme="road")  # its length is that of its outline
    (found,) = sources_of([outlined], [], "pm10", 4.0, [])
    assert found.strength == pytest.approx(line.strength, rel=1e-6)


def test_narrow_strips_are_spread_over_two_cells() -> None:
    values = {"traffic": ([9000.0], "1/d"), "width_used": ([4.0], "m")}
    (found,) = sources_of([squares([(0.0, 0.0, 4.0)], values, theme="road")], [], "pm10", 16.0, [])
    assert np.ptp(found.points, axis=0).min() > 20.0
    assert found.points.mean(axis=0) == pytest.approx([2.0, 2.0], abs=1.0)


def test_a_stated_strength_counts_before_traffic_in_any_known_unit() -> None:
    for unit, value in (("g/s", 0.5), ("mg/s", 500.0), ("kg/h", 1.8), ("t/a", 15.768), ("kg/day", 43.2)):
        road = road_lines([STREET], {"traffic": ([20_000.0], "1/d"), "strength_pm10": ([value], unit)})
        assert strengths(sources_of([road], [], "pm10", 4.0, [])) == [pytest.approx(0.5e6)], unit
    with pytest.raises(UserError) as caught:
        sources_of([road_lines([STREET], {"strength_pm10": ([1.0], "lb/h")})], [], "pm10", 4.0, [])
    assert caught.value.code == "dust.unit"
    issues: list[Issue] = []
    bare = road_lines([STREET], {"strength_pm10": ([0.5], "")})
    assert strengths(sources_of([bare], [], "pm10", 4.0, issues)) == [pytest.approx(0.5e6)]
    assert "dust.unit_taken" in codes(issues)


def test_traffic_an_hour_is_not_traffic_a_day() -> None:
    silt = {"silt": ([0.1], "g/m2")}
    day = sources_of([road_lines([STREET], {"traffic": ([2400.0], "vehicles/day"), **silt})], [], "pm10", 4.0, [])
    hour = sources_of([road_lines([STREET], {"traffic": ([100.0], "1/h"), **silt})], [], "pm10", 4.0, [])
    assert hour[0].strength == pytest.approx(day[0].strength)


def test_a_building_site_emits_by_its_area_and_by_how_much_is_worked_on() -> None:
    issues: list[Issue] = []
    values = {"source_kind": (["construction", "construction"], ""), "active_share": ([1.0, 0.25], "1")}
    site = squares([(0.0, 0.0, 100.0), (200.0, 0.0, 100.0)], values)
    whole, part = sources_of([], [site], "pm10", 4.0, issues)
    # 2.7 t of all dust a hectare and month, a third of it PM10.
    assert whole.strength == pytest.approx(2.7e12 * 0.35 / (30 * 86400), rel=1e-6)
    assert part.strength == pytest.approx(0.25 * whole.strength)
    assert whole.group == "construction"
    assert issues == []


def test_a_closed_block_of_a_site_counts_its_plan_once() -> None:
    block = buildings([(0.0, 0.0, 20.0, 10.0, 10.0, 3.0)])
    table = block.table.with_columns({"source_kind": Column(np.array(["construction"], dtype=object)),
                                      "active_share": Column(np.ones(1), "1")})  # fmt: skip
    (found,) = sources_of([], [Layer("s", "S", "emission", block.geometry, table)], "pm10", 4.0, [])
    assert found.strength == pytest.approx(2.7e12 * 0.35 / (30 * 86400) / 100.0, rel=1e-6)


def test_what_says_nothing_of_its_strength_is_left_out_and_named() -> None:
    issues: list[Issue] = []
    named = {"name": (["Yard", "Pile"], ""), "source_kind": (["yard", "other"], "")}
    assert sources_of([], [squares([(0.0, 0.0, 9.0), (20.0, 0.0, 9.0)], named)], "pm10", 4.0, issues) == ()
    (issue,) = issues
    assert (issue.code, issue.count, issue.values["source"]) == ("dust.unknown_strength", 2, "Yard")
    # A site given as a point has no area from which a strength could come.
    assert sources_of([], [spots([(0.0, 0.0)], {"source_kind": (["construction"], "")})], "pm10", 4.0, []) == ()


def test_a_stack_emits_at_its_height_and_one_without_at_the_ground() -> None:
    issues: list[Issue] = []
    values = {"strength_pm10": ([0.1, 0.1], "g/s"), "height": ([30.0, np.nan], "m"), "group": (["mill", "mill"], "")}
    high, low = sources_of([], [spots([(0.0, 0.0), (50.0, 0.0)], values)], "pm10", 4.0, issues)
    assert (high.low, high.high) == (30.0, 30.0)
    assert (low.low, low.high) == (0.0, 2.0)
    assert (high.group, high.strength) == ("mill", pytest.approx(1e5))
    assert codes(issues) == ["dust.height_assumed"]


def homes(values: dict[str, tuple[list[object], str]]) -> Layer:
    block = buildings()
    columns = {name: Column(np.array(given, dtype=object if isinstance(given[0], str) else float), unit)
               for name, (given, unit) in values.items()}  # fmt: skip
    return block.with_(table=block.table.with_columns(columns))


def test_people_are_those_stated_else_by_dwellings_else_by_the_floor_of_homes() -> None:
    issues: list[Issue] = []
    stated = homes({"persons": ([120.0, np.nan], "1"), "dwellings": ([1.0, 10.0], "1")})
    first, second = places_of([], [stated], issues)
    assert (first.persons, second.persons) == (120.0, pytest.approx(22.0))
    assert codes(issues) == ["dust.people_by_dwellings"]
    issues = []
    by_area = homes(
        {"use": (["공동주택", "상점"], ""), "storeys": ([10.0, 2.0], "1"), "footprint_area": ([300.0, 90.0], "m2")}
    )
    (only,) = places_of([], [by_area], issues)
    assert only.persons == pytest.approx(100.0)
    assert codes(issues) == ["dust.people_by_area"]
    assert places_of([], [buildings()], []) == (), "nobody lives where nothing says so"


def test_named_homes_take_the_place_of_those_of_the_buildings() -> None:
    block = homes({"dwellings": ([10.0, 10.0], "1")})
    named = spots([(0.0, 0.0), (9.0, 9.0)], {"place_group": (["home", "park"], ""), "persons": ([7.0, np.nan], "1")},
                  theme="other")  # fmt: skip
    issues: list[Issue] = []
    found = places_of([named], [block], issues)
    assert [(place.group, place.persons) for place in found] == [("home", 7.0), ("park", 0.0)]
    assert codes(issues) == ["dust.people_unknown"]
    schools = spots([(0.0, 0.0)], {"place_group": (["school"], ""), "persons": ([300.0], "1"), "hours": ([6.0], "h")},
                    theme="other")  # fmt: skip
    groups = [place.group for place in places_of([schools], [block], [])]
    assert groups == ["school", "home", "home"]


def test_people_below_zero_and_days_of_30_hours_are_told() -> None:
    wrong = spots(
        [(0.0, 0.0), (9.0, 9.0)], {"persons": ([-5.0, 10.0], "1"), "hours": ([8.0, 30.0], "h")}, theme="other"
    )
    issues: list[Issue] = []
    found = places_of([wrong], [], issues)
    assert [place.persons * place.hours for place in found] == [0.0, 0.0]
    assert ("dust.people_wrong", 2) in [(issue.code, issue.count) for issue in issues]


def test_pieces_of_a_street_of_one_name_are_one_street() -> None:
    road = road_lines([STREET, STREET, STREET], {"name": (["가", "나", "가"], "")})
    assert [street.name for street in streets_of([road])] == ["가", "나"]


def test_the_background_is_given_or_that_of_its_network_or_of_the_cleanest_station() -> None:
    value = np.tile([50.0, 33.0, 60.0], (48, 1))
    table = measured(value, ["안", "밖", "큰길"])
    where = stations({"안": (0.0, 0.0), "밖": (150.0, 0.0), "큰길": (20.0, 20.0)})
    assert background_of(44.0, [table], [where], "pm10", []).value == 44.0
    issues: list[Issue] = []
    assert background_of(0.0, [table], [where], "pm10", issues).stations == ("밖",)
    assert [(issue.code, issue.severity) for issue in issues] == [("dust.background_cleanest", "doubt")]
    networks = Column(np.array(["교외대기", "도시대기", "도로변대기"], dtype=object))
    named = where.with_(table=where.table.with_columns({"network": networks}))
    issues = []
    found = background_of(0.0, [table], [named], "pm10", issues)
    assert (found.value, found.origin, found.stations) == (50.0, "measured", ("안",))
    assert codes(issues) == ["dust.background_network"]


def test_without_measurements_the_limit_is_taken_and_said() -> None:
    issues: list[Issue] = []
    found = background_of(0.0, [], [], "pm25", issues)
    assert (found.value, found.origin) == (15.0, "assumed")
    assert codes(issues) == ["dust.background_assumed"]
    # A table of the other size says nothing.
    other = measured(np.full((24, 1), 40.0), ["가"], column="pm10")
    assert background_of(0.0, [other], [], "pm25", []).origin == "assumed"


def test_the_background_is_of_the_chosen_hours_and_a_station_with_few_values_does_not_count() -> None:
    hour = np.arange(48) % 24  # row 0 is the hour that ends at one o'clock
    value = np.where(hour < 6, 10.0, 70.0)[:, None] * np.ones((1, 2))
    value[3:, 1] = np.nan
    value[:3, 1] = 1.0
    table = measured(value, ["가", "나"])
    night = background_of(0.0, [table], [], "pm10", [], times=(0, 6))
    assert night.value == pytest.approx(10.0)
    assert night.stations == ("가",)
    through_midnight = background_of(0.0, [table], [], "pm10", [], times=(23, 6))
    assert through_midnight.value == pytest.approx((6 * 10.0 + 70.0) / 7)
    assert background_of(0.0, [table], [], "pm10", [], months=(7,)).origin == "assumed"
