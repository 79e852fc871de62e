"""Figures of the plot under the building in hand: those of the study of the whole scene, and what is said of limits."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from analysis.registry import get
from analysis.run import execute
from app.alternatives import change_elements, set_mass
from app.commands import AddLayers, SetStyle
from app.document import Document
from app.mass_edit import body_of
from app.plot_figures import PlotStudy, only_rows, plot_setup
from app.shown_runs import with_free_ids
from app.view.camera import looking
from geo.alternatives import MASSES, Change, Mass
from geo.model import Column, ElementRef, ElementTable, Feedback, Layer, Lines
from tests.app import tiny_city
from tests.app.test_mass_tool import BIRCH, TOWER, drag, pixel, still, take  # noqa: F401  fixture
from tests.app.window_hands import settle

LOTS = ((-80.0, -80.0, 0.0, 0.0), (0.0, -80.0, 80.0, 0.0), (-80.0, 0.0, 0.0, 80.0), (0.0, 0.0, 80.0, 80.0))
BLOCK = Mass("mass-1", ((5.0, 5.0), (25.0, 5.0), (25.0, 25.0), (5.0, 25.0)), 22.0, 8, 3.0, "A", "공동주택")
REF = ElementRef(MASSES, "mass-1")


def lots(floor_area_limit: float = 200.0) -> Layer:
    corners = [[(a, b), (c, b), (c, d), (a, d), (a, b)] for a, b, c, d in LOTS]
    points = np.array([(x, y, 21.0) for ring in corners for x, y in ring])
    columns = {
        "bcr_max": Column(np.full(4, 60.0), "%"),
        "far_max": Column(np.full(4, floor_area_limit), "%"),
        "zoning": Column(np.array(["제2종일반주거지역"] * 4, dtype=object)),
    }
    shape = Lines(points, np.arange(0, 21, 5), np.arange(4))
    return Layer("lots", "Lots", "parcel", shape, ElementTable([f"P{n}" for n in range(1, 5)], columns))


@pytest.fixture
def document() -> Document:
    made = Document(tiny_city.frame())
    made.do(AddLayers((tiny_city.terrain(), tiny_city.buildings(), lots())))
    return made


def rows_of(document: Document) -> dict[str, dict[str, Any]]:
    """The table of the study of the whole scene, by plot."""
    done = execute(get("site.figures"), layers=tuple(document.scene), frame=document.scene.frame, params={})
    (plots,) = [table for table in done.tables if table.id == "plots"]
    names = [str(value) for value in plots.columns["plot"].values]
    return {name: {key: column.values[k] for key, column in plots.columns.items()} for k, name in enumerate(names)}


def begin(document: Document, ref: ElementRef) -> PlotStudy:
    setup = plot_setup(document, body_of(document, ref))
    assert setup is not None
    return PlotStudy(setup, Feedback())


@pytest.mark.parametrize(
    "change",
    [
        Change(height_factor=0.75),
        Change(move=(-30.0, 0.0, 0.0), turn_deg=90.0),
        Change(move=(0.0, -85.0, 0.0)),  # to the plot of another building
        Change(move=(-40.0, 0.0, 0.0)),  # over the boundary: two parcels are one plot
    ],
)
def test_the_figures_are_those_of_the_study_of_the_whole_scene(document: Document, change: Change) -> None:
    live = begin(document, TOWER).move(change, Feedback())
    assert live is not None
    document.do(change_elements(document, {TOWER: change}, name="A"))
    row = rows_of(document)[live.id]
    assert live.site_area == pytest.approx(row["site_area"], abs=0.051)
    assert live.measured[:2] == pytest.approx((row["coverage"], row["floor_area_ratio"]), abs=0.0051)
    assert live.height == pytest.approx(row["height"], abs=0.051)  # the table is rounded
    assert (live.storeys, live.dwellings, live.parking) == (row["storeys"], row["dwellings"], row["parking"])
    assert len(live.buildings) == row["buildings"]


def test_a_mass_counts_at_its_storeys_and_a_broken_limit_is_found(document: Document) -> None:
    document.do(set_mass(document, BLOCK, name="A"))
    study = begin(document, REF)
    there = study.move(Change(), Feedback())
    assert there is not None
    tower = 20.0 * 14.0 * 16.0  # 48 m, no storeys told: 3 m each
    assert there.floor_area == pytest.approx(400.0 * 8 + tower)
    assert there.id == "P4"
    assert there.verdicts[:2] == ("ok", "ok")
    higher = study.move(Change(height_factor=25 / 8), Feedback())
    assert higher is not None
    assert higher.storeys == 25
    assert higher.measured[1] == pytest.approx(100.0 * (400.0 * 25 + tower) / 6400.0)
    assert higher.verdicts[:2] == ("ok", "breaks")
    assert study.move(Change(move=(500.0, 0.0, 0.0)), Feedback()) is None


def test_the_parameters_are_those_of_the_newest_run(document: Document) -> None:
    for height in (6.0, 4.0):
        params = {"storey_height": height, "plot": "P1"}
        layers, frame = tuple(document.scene), document.scene.frame
        done = execute(get("site.figures"), layers=layers, frame=frame, params=params)
        document.do(AddLayers(with_free_ids(document.scene, done.layers)))
    figures = begin(document, TOWER).move(Change(), Feedback())
    assert figures is not None
    assert (figures.id, figures.storeys) == ("P4", 12)  # 48 m, 4 m each; of its own plot, not of the one asked for


def test_some_elements_of_a_layer_keep_their_shapes_and_rows() -> None:
    part = only_rows(lots(), [3, 1])
    assert [str(one) for one in part.table.ids] == ["P4", "P2"]
    assert isinstance(part.geometry, Lines)
    for number, row in ((0, 3), (1, 1)):
        line = int(np.flatnonzero(part.geometry.line_element == number)[0])
        start, stop = part.geometry.offsets[line], part.geometry.offsets[line + 1]
        assert tuple(part.geometry.vertices[start:stop, :2].min(axis=0)) == LOTS[row][:2]


def test_the_card_follows_the_building_and_marks_a_broken_limit(still: Any, qtbot: Any) -> None:  # noqa: F811
    window = still
    window.document.do(AddLayers((lots(75.0),)))
    settle(window, qtbot)
    take(window)
    figures = window.masses.figures
    qtbot.waitUntil(lambda: figures.plot is not None and figures.resting, timeout=10_000)
    card = figures.card
    assert card.isVisible()
    assert figures.plot.id == "P4"
    assert "✓" in card.limits["floor_area_ratio"].text()  # 280 m2 × 16 on 6400 m2: 70 %
    assert card.limits["floor_area_ratio"].styleSheet() == ""
    knob = window.masses.tool.arrow.toPoint()
    rise = pixel(window, (40.0, 37.0, 68.0)) - pixel(window, (40.0, 37.0, 90.0))
    drag(window, knob, knob - rise)
    qtbot.waitUntil(lambda: figures.resting and figures.plot.storeys > 20, timeout=10_000)
    assert "▲" in card.limits["floor_area_ratio"].text()
    assert "over 75 %" in card.limits["floor_area_ratio"].text()
    assert "color" in card.values["floor_area_ratio"].styleSheet()
    window.actions_["undo"].trigger()
    qtbot.waitUntil(lambda: figures.resting and figures.plot is not None and figures.plot.storeys == 16, timeout=10_000)
    window.masses.bar.figures.setChecked(False)
    assert not card.isVisible()
    window.masses.finish()


def test_without_parcels_the_card_says_so(still: Any, qtbot: Any) -> None:  # noqa: F811
    take(still, BIRCH)
    card = still.masses.figures.card
    qtbot.waitUntil(card.isVisible, timeout=10_000)
    assert card.note.text().strip()
    assert not card.values["coverage"].isVisible()


def test_the_storey_height_is_typed_and_undone_as_one(still: Any, qtbot: Any) -> None:  # noqa: F811
    window = still
    window.document.do(set_mass(window.document, BLOCK, name="A"))
    tool = take(window, REF)
    box = window.masses.bar.storey_height.spin_box
    assert box.value() == 3.0
    for text in ("4", "4.5"):
        box.selectAll()
        QTest.keyClicks(box, text)
        QTest.keyClick(box, Qt.Key.Key_Return)
    assert window.masses.tool is tool  # Enter took the number over, and did not end
    assert window.document.alternatives.items[0].masses[0].storey_height == 4.5
    assert float(np.ptp(tool.mesh.vertices[:, 2])) == pytest.approx(36.0)
    assert window.masses.bar.edits["height"].value == 36.0
    window.actions_["undo"].trigger()
    assert window.document.alternatives.items[0].masses[0].storey_height == 3.0
    assert box.value() == 3.0
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert window.masses.tool is None


def test_the_card_stands_beside_the_building_and_tells_what_is_off_the_plot(still: Any, qtbot: Any) -> None:  # noqa: F811
    window = still
    lot = lots()
    window.document.do(AddLayers((only_rows(lot, np.array([3])),)))
    over = Mass("mass-1", ((-5.0, 5.0), (15.0, 5.0), (15.0, 25.0), (-5.0, 25.0)), 22.0, 8, 3.0, "A")
    window.document.do(set_mass(window.document, over, name="A"))
    take(window, REF)
    figures = window.masses.figures
    qtbot.waitUntil(lambda: figures.plot is not None and figures.resting, timeout=30_000)
    assert "25 % of the footprint" in figures.card.note.text()
    view = window.viewport
    for x in (0.15, 0.85):  # the building at the left, then at the right
        middle = np.array([5.0 + (0.5 - x) * 130.0, 5.0, 30.0])
        view.set_camera(looking(middle, azimuth=0.0, pitch=-35.0, distance=260.0))
        figures.place(window.masses.bar.y())
        roof = pixel(window, (5.0, 15.0, 46.0))
        assert not figures.card.geometry().contains(roof)
        assert not figures.card.geometry().intersects(window.masses.bar.geometry())


def test_a_legend_under_the_card_is_not_half_seen(still: Any, qtbot: Any) -> None:  # noqa: F811
    window = still
    window.document.do(AddLayers((lots(),)))
    legend = window.viewport.cards.legend
    window.document.do(
        SetStyle(TOWER.layer_id, dataclasses.replace(window.document.scene[TOWER.layer_id].style, colour_by="height"))
    )
    qtbot.waitUntil(legend.isVisible)
    take(window, TOWER)
    figures = window.masses.figures
    qtbot.waitUntil(lambda: figures.plot is not None and figures.resting, timeout=30_000)
    figures.card.move(legend.pos())
    figures.card.place = lambda *_told: None  # it has no other place
    figures.place(window.masses.bar.y())
    assert not legend.isVisible()
    figures.stop()
    assert legend.isVisible()
