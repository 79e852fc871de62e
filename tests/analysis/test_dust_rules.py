"""Grades, particles, emission factors and purifiers against published numbers."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.dust import catalogue, rules
from geo.model import UserError


def test_grades_are_those_declared_for_whole_numbers() -> None:
    pm10 = rules.index_of([0, 30, 30.4, 30.5, 31, 80, 81, 150, 151, 900, np.nan], "pm10")
    assert pm10.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, rules.UNKNOWN]
    assert rules.index_of([15, 16, 35, 36, 75, 76], "pm25").tolist() == [0, 1, 1, 2, 2, 3]
    assert len(rules.index_classes()) == len(rules.index_limits("pm10")) + 1


@pytest.mark.parametrize(("micrometres", "centimetres"), [(2.5, 0.020), (10.0, 0.31), (30.0, 2.7)])
def test_particles_fall_as_published(micrometres: float, centimetres: float) -> None:
    assert rules.settling_speed(micrometres * 1e-6) * 100.0 == pytest.approx(centimetres, rel=0.02)


def test_the_data_hold_the_speeds_of_their_sizes() -> None:
    for one in rules.size_classes().values():
        assert one.settling == pytest.approx(rules.settling_speed(one.diameter), rel=0.02)
        assert one.deposition_low <= one.deposition <= one.deposition_high
        assert one.source


def test_paved_roads_emit_by_the_formula() -> None:
    # Worked by hand: 0.62 * 0.2^0.91 * 2^1.02 for vehicles of two short tons.
    assert rules.paved_road("pm10", 0.2, mean_weight=2 * 0.90718474) == pytest.approx(0.2907, rel=1e-3)
    ratio = rules.paved_road("pm10", 0.2, mean_weight=2.0) / rules.paved_road("pm25", 0.2, mean_weight=2.0)
    assert ratio == pytest.approx(0.62 / 0.15)
    assert rules.road_emission(0.2907, 10_000) == pytest.approx(0.2907 * 10_000 / 86400 * 1000)
    assert [rules.silt_loading(count) for count in (100, 500, 7000, 50_000)] == [0.6, 0.2, 0.06, 0.03]
    with pytest.raises(ValueError, match="weigh"):
        rules.paved_road("pm10", 0.2, mean_weight=0.0)


def test_a_hectare_of_building_site_emits_its_tons() -> None:
    tons = rules.construction_emission("pm10") * 10_000 * 30 * 86400 / 1e12
    assert tons == pytest.approx(2.7 * 0.35)


def test_what_nobody_checked_is_listed() -> None:
    found = rules.unverified()
    assert {"kr", "construction", "pm10"} <= set(found)
    assert "index" not in found


def test_the_catalogue_holds_the_published_tower() -> None:
    tower = catalogue.purifiers()["tower-30000"]
    assert tower.flow == pytest.approx(8.33, abs=0.01)
    assert tower.clean_air("pm10") == pytest.approx(5.83, abs=0.01)
    assert "flow_m3_h" in tower.verified
    assert "cost_krw" not in tower.verified


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"efficiency": {"pm10": 70, "pm25": 50}}, "percent"),
        ({"efficiency": {"pm10": 0.7}}, "pm25"),
        ({"flow_m3_h": 0}, "no air"),
        ({"flow_m3_h": -5}, "below zero"),
        ({"power_kw": "1.4"}, "no number"),
        ({"cost_krw": float("nan")}, "no number"),
        ({"id": ""}, "missing"),
    ],
)
def test_impossible_purifiers_are_refused(changed: dict[str, object], word: str) -> None:
    good = {
        "id": "a", "flow_m3_h": 1000, "efficiency": {"pm10": 0.7, "pm25": 0.5}, "power_kw": 1.0, "intake_height_m": 2,
        "outlet_height_m": 1, "width_m": 1, "cost_krw": 1, "running_krw_year": 1,
    }  # fmt: skip
    assert catalogue.read_purifiers([good])["a"].kind == "other"
    with pytest.raises(UserError, match=word) as error:
        catalogue.read_purifiers([good | changed])
    assert error.value.code == "dust.purifier.wrong"
    with pytest.raises(UserError, match="same id"):
        catalogue.read_purifiers([good, good])
