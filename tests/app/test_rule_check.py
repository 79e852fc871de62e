"""Every rule of the plot under a building in hand: those of the studies of the whole scene, live, with a place each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from analysis.registry import get
from analysis.run import execute
from app.alternatives import change_elements
from app.commands import AddLayers
from app.document import Document
from app.mass_edit import body_of
from app.plot_figures import PlotStudy, plot_setup
from app.rule_check import RuleStudy, lines_of_figures, setback_setup
from app.widgets.rule_list import line_text, line_tip
from geo.alternatives import Change
from geo.model import Column, ElementTable, Feedback
from tests.app import tiny_city
from tests.app.test_mass_tool import BIRCH, TOWER, still, take  # noqa: F401  fixture
from tests.app.test_massing_figures import lots
from tests.app.window_hands import WAIT_MS, settle


@pytest.fixture
def document() -> Document:
    made = Document(tiny_city.frame())
    made.do(AddLayers((tiny_city.terrain(), tiny_city.buildings(), lots())))
    return made


def begin(document: Document, ref: Any) -> RuleStudy:
    setup = setback_setup(document, body_of(document, ref))
    assert setup is not None
    return RuleStudy(setup, Feedback())


@pytest.mark.parametrize(
    ("ref", "change"),
    [
        (TOWER, Change()),
        (TOWER, Change(move=(0.0, 26.0, 0.0))),  # to the northern edge of its plot
        (BIRCH, Change(move=(0.0, 30.0, 0.0), height_factor=1.5)),  # toward the plot of the tower
    ],
)
def test_the_setback_is_that_of_the_study_of_the_whole_scene(document: Document, ref: Any, change: Change) -> None:
    lines = begin(document, ref).move(change, Feedback())
    if not change.is_nothing:
        document.do(change_elements(document, {ref: change}, name="A"))
    done = execute(get("sunlight.setback"), layers=tuple(document.scene), frame=document.scene.frame, params={})
    (findings,) = [table for table in done.tables if table.id == "findings"]
    values = {name: column.values for name, column in findings.columns.items()}
    mine = np.array([str(name) == ref.element_id for name in values["building"]])
    assert {line.rule for line in lines} == set(values["rule"][mine])
    for line in lines:
        first = np.flatnonzero(mine & (values["rule"] == line.rule))[0]  # the table has the worst first
        assert line.verdict == values["verdict"][first]
        assert line.measured == pytest.approx(values["measured"][first], abs=0.0011, nan_ok=True)
        assert line.limit == pytest.approx(values["required"][first], abs=0.0011, nan_ok=True)
        assert (line.article, line.source) == (values["article"][first], values["source"][first])


def test_a_tower_at_the_northern_boundary_breaks_the_setback_at_a_known_distance(document: Document) -> None:
    """48 m on a plot of 80 m: 24 m to the north are asked for, from the mean ground of both plots."""
    line = begin(document, BIRCH).move(Change(move=(0.0, 30.0, 0.0), height_factor=2.0), Feedback())[0]
    assert (line.rule, line.verdict, line.at_least) == ("north", "breaks", True)
    # Birch stands 6 m from the boundary then; true north is 0.19 degrees off the grid.
    assert line.measured == pytest.approx(6.0, abs=0.1)
    assert line.limit == pytest.approx(24.0, abs=1.0)
    assert line.start is not None
    assert line.stop is not None
    assert math.dist(line.start, line.stop) == pytest.approx(line.measured, abs=0.05)
    assert line.stop[1] == pytest.approx(0.0, abs=0.05)  # on the boundary
    assert "제86조" in line.article
    assert line.verified
    assert line_text(line).startswith("▲")
    assert line.edition in line_tip(line)


def test_without_a_zoning_nobody_can_tell_and_the_line_says_so(document: Document) -> None:
    layer = document.scene["lots"]
    columns = {name: column for name, column in layer.table.columns.items() if name == "bcr_max"}
    columns["bcr_max"] = Column(np.full(4, np.nan), "%")
    document.scene.replace(layer.with_(table=ElementTable(list(layer.table.ids), columns)), "data")
    (north, *_) = begin(document, TOWER).move(Change(), Feedback())
    assert (north.rule, north.verdict, north.reason) == ("north", "cannot_tell", "no_zoning")
    assert line_text(north).startswith("?")
    setup = plot_setup(document, body_of(document, TOWER))
    plot = PlotStudy(setup, Feedback()).move(Change(), Feedback())
    assert plot is not None
    coverage, floor_area = lines_of_figures(plot)
    assert (coverage.verdict, floor_area.verdict) == ("cannot_tell", "cannot_tell")


# ---- in the window


def test_the_card_has_a_line_for_each_rule_and_a_click_shows_where(still: Any, qtbot: Any) -> None:  # noqa: F811
    still.document.do(AddLayers((lots(),)))
    take(still, BIRCH)
    rules = still.masses.figures.rules
    qtbot.waitUntil(lambda: rules.resting and still.masses.figures.resting and len(rules.lines) > 2, timeout=WAIT_MS)
    assert [line.rule for line in rules.lines[:3]] == ["coverage", "floor_area", "north"]
    assert len(rules.list.rows) == 1  # all are kept: one line that says so, and opens
    rules.list.rows[0].click()
    assert len(rules.list.rows) == len(rules.lines) + 1
    assert rules.list.isEnabled()
    before = rules.lines[2]
    still.masses._on_typed(Change(move=(0.0, 30.0, 0.0), height_factor=2.0), "north")
    qtbot.waitUntil(lambda: rules.resting and rules.lines[2].verdict == "breaks", timeout=WAIT_MS)
    assert rules.lines[2].measured < before.measured
    camera = still.viewport.camera
    card = still.masses.figures.card
    qtbot.waitUntil(lambda: card.height() >= card.sizeHint().height(), timeout=5000)  # nothing is squeezed
    row = rules.list.rows[2]
    assert row.text().startswith("▲")
    row.click()
    assert still.viewport.camera != camera
    assert still.viewport.camera.focus[1] == pytest.approx(0.0, abs=15.0)  # at the boundary
    assert rules._drawing is not None
    assert still.masses.tool is not None  # the building stays in hand
    rules.list.rows[0].click()  # coverage: the plot
    assert rules._drawing.mode == "polygon"
    still.masses.finish()
    settle(still, qtbot)
    assert rules._drawing is None
    assert not rules.list.isVisible()
