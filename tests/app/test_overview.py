"""One card of all studies: columns of every alternative, what is better, what was not run, what is out of date."""

from __future__ import annotations

from typing import Any

from app.overview import DECIDING, overview, texts_of_overview
from app.shown_runs import runs_of
from geo.model import Layer
from tests.app.test_compare import planned, run_on_both  # noqa: F401  fixture


def test_every_deciding_figure_has_a_name() -> None:
    from analysis.registry import analyses
    from app.language import language, tr

    language.set("ko")
    for study, figures in DECIDING.items():
        assert study in analyses()
        for name, _ in figures:
            assert tr(f"{study}.summary.{name}", "") != "", f"{study}.summary.{name}"


def test_the_card_in_the_window(planned: Any, qtbot: Any) -> None:  # noqa: F811
    run_on_both(planned, qtbot)
    planned.show_panel("compare")
    panel = planned.compare
    qtbot.waitUntil(lambda: panel.table.columnCount() == 3, timeout=60_000)
    panel.study.setCurrentIndex(0)
    panel.only_changed.setChecked(False)
    heads = [panel.table.horizontalHeaderItem(k).text() for k in range(panel.table.columnCount())]
    assert heads[2] == "Tall"
    rows = {panel.table.item(k, 0).text(): panel.table.item(k, 2).text() for k in range(panel.table.rowCount())}
    sunny = next(text for title, text in rows.items() if "sun hours" in title.lower() or "mean" in title.lower())
    assert sunny.endswith("▼")  # three times as tall: less sun on the ground
    assert not panel.difference.isEnabled()
    panel.study.setCurrentIndex(1)
    assert panel.difference.isEnabled()


def test_an_alternative_without_a_run_has_dashes(planned: Any, qtbot: Any) -> None:  # noqa: F811
    run_on_both(planned, qtbot)
    layers: tuple[Layer, ...] = tuple(planned.document.scene)
    active = planned.document.alternatives.active
    card = overview(layers, [(active, "Tall"), ("other", "Never run")], {})
    assert {len(row.figures) for row in card.rows} == {3}
    assert all(row.figures[2] is None for row in card.rows)
    _, rows = texts_of_overview(card, only_changed=False)
    assert all(row[3] == "–" for row in rows)


def test_an_old_run_is_marked(planned: Any, qtbot: Any) -> None:  # noqa: F811
    run_on_both(planned, qtbot)
    layers = tuple(planned.document.scene)
    run = next(run for run in runs_of(layers) if run.alternative)
    card = overview(layers, [(run.alternative, "Tall")], {run.id: ["edited"]})
    _, rows = texts_of_overview(card, only_changed=False)
    assert all(row[2].endswith("*") and not row[1].endswith("*") for row in rows)
