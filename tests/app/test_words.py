"""Words of the program's own inside sentences, figures, charts and columns are in the user's language."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.contract import Chart, Series
from app.chart_svg import mark_label, series_name
from app.language import issue_text, language
from app.words import column_name, field_name, figure_word
from geo.model import Issue


@pytest.fixture(autouse=True)
def korean() -> None:
    language.set("ko")


def test_sentences_name_groups_layers_and_rules() -> None:
    lost = Issue("dust.source_lost", "-", "doubt", 1, values={"group": "local_streets", "percent": 5})
    assert issue_text(lost).startswith("국지도로의 5 %")
    silt = Issue("dust.silt_assumed", "-", "note", 3, values={"layer": "Roads (synthetic)"})
    assert "도로 (합성)의 도로 3개" in issue_text(silt)
    rules = Issue("dust.unverified", "-", "doubt", 2, values={"parts": "mixing, paved_road"})
    assert "난류 혼합, 포장도로 재비산먼지" in issue_text(rules)


def test_names_that_users_gave_are_left_alone() -> None:
    own = Issue("dust.source_lost", "-", "doubt", 1, values={"group": "3공구 진입로", "percent": 5})
    assert issue_text(own).startswith("3공구 진입로의")
    assert figure_word("dust.siting", "cut_group", "3공구 진입로") == "3공구 진입로"
    assert field_name("from_3공구 진입로") == "3공구 진입로에서 온 먼지"


def test_figures_charts_and_columns_name_groups() -> None:
    assert figure_word("dust.siting", "largest_group", "school") == "학교"
    assert figure_word("indoor.route", "start", "Roads (synthetic)") == "도로 (합성)"
    assert figure_word("dust.siting", "cut_group", "ring_road") == "외곽순환로"
    assert figure_word("dust.dispersion", "size", "pm10") == "PM10"
    assert figure_word("dust.dispersion", "weighted_by", "people") == "사람 수"
    assert field_name("from_ring_road") == "외곽순환로에서 온 먼지"
    series = Series("batching_plant", np.zeros(1), np.zeros(1))
    chart = Chart("groups", "Groups", "Places", "1", "Own", "ug/m3", (series,))
    assert series_name("dust.dispersion", chart, series) == "배치플랜트"
    assert mark_label("home") == "집"
    language.set("en")
    assert series_name("dust.dispersion", chart, series) == "batching plant"
    assert figure_word("dust.siting", "cut_group", "local_streets") == "local streets"


def test_a_column_of_sensors_is_not_that_of_pipes() -> None:
    assert column_name("sensor", "station") == "측정소"
    assert column_name("result", "station") == field_name("station")
