"""Each layout has a study of its own to begin with, and keeps the one that was chosen there."""

from __future__ import annotations

from typing import Any

from app.layouts import STUDY


def test_a_layout_begins_with_its_study_and_keeps_what_was_chosen(city: Any) -> None:
    assert city.analyses.chosen == STUDY["plan"]
    city.actions_["layout_build"].trigger()
    assert city.analyses.chosen == "construction.progress"
    assert city.analyses.form is not None
    city.analyses.choose("utility.excavation")
    city.actions_["layout_operate"].trigger()
    assert city.analyses.chosen == STUDY["operate"]
    city.actions_["layout_build"].trigger()
    assert city.analyses.chosen == "utility.excavation"
    assert city.analyses.analysis.id == "utility.excavation"
