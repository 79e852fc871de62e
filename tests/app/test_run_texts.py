"""What is said of a run: its parameters and figures, in both languages."""

from __future__ import annotations

from typing import Any

from analysis.registry import find_analysis
from app.language import language
from app.run_texts import figure_text, main_params, params_line
from app.shown_runs import Run


def run_of(analysis_id: str, **params: Any) -> Run:
    declared = find_analysis(analysis_id)
    assert declared is not None
    told = declared.params(**params).model_dump(mode="json")
    return Run("run", {"provenance": {"analysis": analysis_id, "params": told}, "summary": {}}, ())


def test_parameters_are_titles_and_values() -> None:
    run = run_of("wind.field", thoroughness="preview")
    assert params_line(run, ["thoroughness"]) == "How far it is calculated: preview"
    language.set("ko")
    assert params_line(run, ["thoroughness"]) == "얼마나 계산할지: 미리보기"


def test_one_day_has_no_last_day() -> None:
    assert "last_day" not in main_params(run_of("sunlight.hours", period="day"))
    assert "Last day" not in params_line(run_of("sunlight.hours", period="day"))
    assert "last_day" in main_params(run_of("sunlight.hours", period="range"))


def test_figures_of_a_way_are_words() -> None:
    run = run_of("indoor.route")
    assert figure_text(run, "time", {"value": 190.1, "unit": "s"}) == "3 min 10 s"
    assert figure_text(run, "start", {"value": "Roads (synthetic)", "unit": ""}) == "Roads (synthetic)"
    assert figure_text(run, "profile", {"value": "walk", "unit": ""}) == "on foot"
    language.set("ko")
    assert figure_text(run, "time", {"value": 190.1, "unit": "s"}) == "3분 10초"
    assert figure_text(run, "start", {"value": "Roads (synthetic)", "unit": ""}) == "도로 (합성)"
