"""A designer's day: a plot built on in two ways, both judged, compared and handed in, and all of it taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialogButtonBox, QFileDialog

from app.language import tr
from app.main_window import MainWindow
from app.massing_trees import TreeDialog
from app.panels.alternatives import AlternativesPanel
from app.report_builder import ReportBuilder
from app.shown_runs import Run, runs_of
from app.view.camera import looking, project
from geo.alternatives import Mass
from geo.model import ElementRef, Mesh
from tests.app.document_state import difference, state_of
from tests.app.person import (
    CONTROL,
    LEFT,
    SHIFT,
    click,
    click_row,
    click_tab,
    focused,
    give_keys,
    hold,
    offer_corner,
    press,
    rest,
    shown_dialog,
    until,
    wake,
    write,
    write_over,
)
from tests.app.sample_corner import ring_of
from tests.app.view_scene import need_graphics

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]
PATIENCE = 200.0  # [s] other things may run on the machine
PLOT = "S51-022-04"  # 16 m by 17 m, with a house
HOUSE = "HG-0019"


@pytest.fixture
def desk(window: MainWindow, monkeypatch: Any) -> MainWindow:
    """The window as it starts, in Korean; its sample is a corner of the district."""
    need_graphics()
    offer_corner(monkeypatch)
    window.set_language("ko")
    window.resize(1366, 768)
    wake(window)
    return window


def runs(window: MainWindow) -> list[Run]:
    return list(runs_of(tuple(window.document.scene)))


def ground(window: MainWindow, x: float, y: float) -> tuple[float, float, float]:
    from app.mass_edit import Ground

    height = Ground(window.document).height(x, y)
    assert height is not None
    return x, y, height


def pixel(window: MainWindow, point: Any) -> QPoint:
    view = window.viewport
    places, _ = project(view.camera, np.array([point], dtype=np.float64), (view.width(), view.height()))
    place = QPoint(round(places[0, 0]), round(places[0, 1]))
    assert view.rect().contains(place), f"{point} is not in the picture"
    return place


def click_at(window: MainWindow, x: float, y: float) -> None:
    QTest.mouseClick(window.viewport, LEFT, pos=pixel(window, ground(window, x, y)))


def panel_of(window: MainWindow) -> AlternativesPanel:
    return window.panel_of(AlternativesPanel)


def mass_now(window: MainWindow) -> Mass:
    shown = window.document.alternatives.get(window.document.alternatives.active)
    assert shown is not None
    (mass,) = shown.masses
    return mass


def look_at_plot(window: MainWindow) -> np.ndarray:
    """The corners (4, 2) of the plot, south-east first, westward; the camera above it."""
    ring = ring_of(window.document.scene["parcels"], PLOT)[:-1]
    middle = ring.mean(axis=0)
    window.viewport.set_camera(looking(middle, azimuth=0.0, pitch=-60.0, distance=110.0))
    rest(window)
    first = int(np.argmax(ring[:, 0] - 2 * ring[:, 1]))
    ordered = np.roll(ring, -first, axis=0)[:, :2]
    return ordered if ordered[1, 0] < ordered[0, 0] - 5.0 else np.roll(ordered[::-1], 1, axis=0)


def name_new(window: MainWindow, name: str) -> None:
    """The cursor stands in the name of a new alternative: type over it."""
    rest(window)
    assert focused().parent() is panel_of(window).list.viewport()
    write(name)
    press(Qt.Key.Key_Return)
    rest(window)


def roof_of(window: MainWindow, ref: ElementRef) -> tuple[float, float, float]:
    """Middle of what is highest of a building."""
    layer = window.document.scene[ref.layer_id]
    mesh = layer.geometry
    assert isinstance(mesh, Mesh)
    mine = mesh.vertices[np.unique(mesh.faces[mesh.face_element == layer.table.index[ref.element_id]])]
    top = mine[mine[:, 2] > mine[:, 2].max() - 0.1]
    east, north, level = (top.min(axis=0) + top.max(axis=0)) / 2
    return float(east), float(north), float(level)


def clear_plot(window: MainWindow) -> None:
    """The house on the plot is chosen by a click, and taken out of the alternative by the menu."""
    QTest.mouseClick(window.viewport, LEFT, pos=pixel(window, roof_of(window, ElementRef("buildings-building", HOUSE))))
    assert window.document.selection.items == (ElementRef("buildings-building", HOUSE),)
    window.actions_["mass_delete"].trigger()
    rest(window)


def draw_block(window: MainWindow, plot: np.ndarray) -> None:
    """From the south-eastern corner of the plot: 12 m along its edge, 14 m at a typed angle, and the way back."""
    view = window.viewport
    press(Qt.Key.Key_M, SHIFT)
    tool = view._drawing
    assert tool is not None
    QTest.mouseClick(view, LEFT, pos=pixel(window, ground(window, *plot[0])) + QPoint(3, -3))
    np.testing.assert_allclose(tool.points[0, :2], plot[0], atol=1e-3)  # it was put on the corner
    along = (plot[1] - plot[0]) / np.hypot(*(plot[1] - plot[0]))
    QTest.mouseMove(view, pixel(window, ground(window, *(plot[0] + 9.0 * along))))
    until(lambda: tool.floating is not None, seconds=10.0)
    write("12")
    press(Qt.Key.Key_Return)
    np.testing.assert_allclose(tool.points[1, :2], plot[0] + 12.0 * along, atol=0.05)
    angle = float(np.degrees(np.arctan2(along[1], along[0]))) - 90.0  # square to the edge, to the north
    write("14")
    press(Qt.Key.Key_Tab)
    write(f"{angle % 360.0:.2f}")
    press(Qt.Key.Key_Return)
    inward = np.array([along[1], -along[0]])
    np.testing.assert_allclose(tool.points[2, :2] - tool.points[1, :2], 14.0 * inward, atol=0.01)
    QTest.mouseClick(view, LEFT, pos=pixel(window, ground(window, *(plot[0] + 14.0 * inward))))
    assert tool.points[3, :2] == pytest.approx(plot[0] + 14.0 * inward, abs=0.02)  # square to both
    press(Qt.Key.Key_Return)


def raise_block(window: MainWindow) -> None:
    """Nine storeys of 3.2 m, seven of them as a tower on a podium."""
    dialog = window.masses.dialog
    assert dialog is not None
    wake(dialog)
    write_over(dialog.storeys_edit.spin_box, "9")
    write_over(dialog.storey_height_edit.spin_box, "3.2")
    give_keys(dialog.tower_box)
    press(Qt.Key.Key_Space)
    write_over(dialog.podium_edit.spin_box, "2")
    write_over(dialog.inset_edit.spin_box, "2")
    assert "168" in dialog.sums.text()
    assert "28.80 m" in dialog.sums.text()
    click(dialog.ok_button)
    wake(window)
    mass = mass_now(window)
    assert (mass.storeys, mass.storey_height, mass.podium_storeys, mass.inset) == (9, 3.2, 2, 2.0)


def read_figures(window: MainWindow) -> None:
    """Beside the block in hand: what is built on the plot, against what is allowed."""
    figures = window.masses.figures
    until(lambda: figures.plot is not None and figures.resting, seconds=PATIENCE)
    assert figures.plot is not None
    assert PLOT in figures.card.title.text()
    coverage, ratio, height = figures.plot.measured
    area = float(window.document.scene["parcels"].table.columns["area"].values[figures_row(window)])
    assert coverage == pytest.approx(100 * 168.0 / area, rel=0.01)
    assert ratio > 200.0
    assert height == pytest.approx(28.8, abs=0.6)
    assert "한도 200 % 초과" in figures.card.limits["floor_area_ratio"].text()
    assert figures.card.limits["floor_area_ratio"].text().startswith("▲")


def figures_row(window: MainWindow) -> int:
    return window.document.scene["parcels"].table.index[PLOT]


def drag_block(window: MainWindow) -> None:
    """Sun and figures follow while the button is down, and rest on what is released."""
    masses = window.masses
    until(lambda: masses.live.answer is not None and masses.live.resting, seconds=PATIENCE)
    before, first = mass_now(window), masses.live.answer
    start = pixel(window, roof_of(window, ElementRef("alternative-masses", before.id)))
    hold(window, QEvent.Type.MouseButtonPress, start)
    for share in (0.4, 1.0):
        hold(window, QEvent.Type.MouseMove, start + QPoint(0, round(-26 * share)))
    assert mass_now(window) == before  # only the ghost
    until(lambda: masses.live.resting and masses.figures.resting, seconds=PATIENCE)
    assert masses.live.answer is not first
    assert masses.figures.plot is not None
    print(f"sun {masses.live.seconds}, figures {masses.figures.seconds:.2f} s after a move")
    hold(window, QEvent.Type.MouseButtonRelease, start + QPoint(0, -26))
    until(lambda: masses.live.resting, seconds=PATIENCE)
    moved = np.array(mass_now(window).ring) - np.array(before.ring)
    assert moved[:, 1].min() > 0.9  # metres to the north


def plant(window: MainWindow, plot: np.ndarray) -> None:
    """Two trees before the block; Escape ends."""
    window.actions_["tree_plant"].trigger()
    dialog = shown_dialog(window, TreeDialog)
    click(dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok))
    wake(window)
    for along in (4.0, 10.0):
        click_at(window, plot[0, 0] - along, plot[0, 1] - 3.0)
        rest(window)
    press(Qt.Key.Key_Escape)
    assert window.viewport._drawing is None or not window.viewport._drawing.active
    shown = window.document.alternatives.get(window.document.alternatives.active)
    assert shown is not None
    assert len(shown.trees) == 2


def lower_copy(window: MainWindow) -> None:
    """The second alternative: the first with four storeys, turned by a typed angle."""
    panel = panel_of(window)
    click(panel.copy_button)
    name_new(window, "낮은안")
    row = next(k for k in range(panel.changes.topLevelItemCount()) if panel.changes.topLevelItem(k).text(0) == "매스 1")
    click_row(panel.changes, row)
    give_keys(window.viewport)
    press(Qt.Key.Key_M)
    bar = window.masses.bar
    assert bar.isVisible()
    boxes = (bar.storeys.spin_box, bar.storey_height.spin_box, bar.edits["turn"].spin_box)
    rest(window)
    for box, text in zip(boxes, "433", strict=True):
        click(box.lineEdit())
        assert focused() in (box, box.lineEdit())
        press(Qt.Key.Key_A, CONTROL)
        write(text)
        press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Return)  # nothing typed: done
    assert not window.masses.active
    mass = mass_now(window)
    assert (mass.storeys, mass.storey_height) == (4, 3.0)


def read_difference(window: MainWindow) -> None:
    """The list says what the lower one has otherwise than the high one."""
    panel = panel_of(window)
    give_keys(panel.against)
    press(Qt.Key.Key_Down)
    rest(window)
    assert panel.against.currentText() == "타워안"
    (row,) = (panel.changes.topLevelItem(k) for k in range(panel.changes.topLevelItemCount()))
    assert row.text(0) == "매스 1"
    assert row.text(1).startswith("층수 9 → 4 · 층고 3.20 → 3 m · ")
    assert tr("alternatives.outline") in row.text(1)  # turned


def run_on_all(window: MainWindow, analysis_id: str, **params: object) -> None:
    """A study on the present state and on both alternatives."""
    window.show_analysis(analysis_id)
    panel, before = window.analyses, len(runs(window))
    assert panel.form is not None
    panel.form.set_values(params)
    until(lambda: panel.alternatives is not None and panel.alternatives.list.count() == 3, seconds=20.0)
    assert panel.alternatives is not None
    for row in range(3):
        panel.alternatives.list.item(row).setCheckState(Qt.CheckState.Checked)
    click(panel.run_button)
    until(lambda: len(runs(window)) == before + 3, seconds=PATIENCE)
    rest(window)


def texts(table: Any) -> list[list[str]]:
    heads = [table.horizontalHeaderItem(k).text() for k in range(table.columnCount())]
    return [heads, *([table.item(r, c).text() for c in range(len(heads))] for r in range(table.rowCount()))]


def compare(window: MainWindow) -> None:
    """The table, the card of all studies, two linked pictures, the swipe, the map of the difference."""
    click_tab(window, tr("panel.compare"))
    panel = window.compare
    panel.study.setCurrentIndex(panel.study.findData("sunlight.rights"))
    heads, *rows = texts(panel.table)
    assert heads[1:] == ["현재 상태", "타워안", "낮은안"]
    assert any("%p)" in cell for row in rows for cell in row)
    panel.study.setCurrentIndex(0)
    heads, *rows = texts(panel.table)
    assert heads[1:] == ["현재 상태", "타워안", "낮은안"]
    studies = {row[0].split(" · ")[0] for row in rows}
    assert {tr("sunlight.rights.title"), tr("site.figures.title")} <= studies
    assert all("(+" in row[2] or "(−" in row[2] or row[2] == row[1] or row[1] == "–" for row in rows)
    panel.study.setCurrentIndex(panel.study.findData("sunlight.rights"))
    click(panel.beside)
    shown = window.comparing.shown
    rest(window)
    left, right = (picture.viewport for picture in shown.pictures)
    right.set_camera(looking(np.array(right.camera.focus), azimuth=40.0, pitch=-30.0, distance=150.0))
    assert left.camera == right.camera
    assert len(texts(shown.table)[0]) == 3
    click(shown.swipe)
    assert shown.swipe.isChecked()
    wake(shown)
    press(Qt.Key.Key_Escape)
    until(lambda: window.comparing.shown is None, seconds=10.0)
    wake(window)
    panel.before.setCurrentIndex(1)
    panel.after.setCurrentIndex(2)
    before = len(runs(window))
    click(panel.difference)
    until(lambda: len(runs(window)) == before + 1, seconds=PATIENCE)
    rest(window)


def hand_in(window: MainWindow, folder: Path, monkeypatch: Any) -> None:
    """A viewpoint, then the report of two results, with notes and the picture of the viewpoint: as pages and as PDF."""
    give_keys(window.viewport)
    press(Qt.Key.Key_V, CONTROL | SHIFT)
    rest(window)
    write("남쪽에서")
    press(Qt.Key.Key_Return)
    rest(window)
    assert [view.name for view in window.document.viewpoints] == ["남쪽에서"]
    for form in ("html", "pdf"):
        path = folder / f"report.{form}"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, p=path, **_k: (str(p), ""))
        give_keys(window.viewport)
        press(Qt.Key.Key_R, CONTROL)
        dialog = shown_dialog(window, ReportBuilder)
        fill_report(dialog, form)
        click(dialog.write_button)
        wake(window)
        until(path.exists, seconds=PATIENCE)
        rest(window)
    text = (folder / "report.html").read_text(encoding="utf-8")
    for wanted in ("합강 대안 비교", "두 안을 견주었습니다.", "남쪽에서", "타워안", "낮은안", "모든 창의 일조", "%p)"):
        assert wanted in text, wanted
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")


def fill_report(dialog: ReportBuilder, form: str) -> None:
    """The first time all of it, the second time only the form: what was chosen is remembered."""
    give_keys(dialog.form)
    if form == "html":
        give_keys(dialog.title)
        write("합강 대안 비교")
        give_keys(dialog.before)
        write("두 안을 견주었습니다.")
        click(dialog.tree.none_button)
        for row in (1, 2):
            dialog.tree.topLevelItem(row).setCheckState(0, Qt.CheckState.Checked)
        click(dialog.views_button)
        assert dialog.pictures.item(0).text() == "남쪽에서"
    assert dialog.title.text() == "합강 대안 비교"
    assert len(dialog.choice.runs or ()) == 2
    dialog.form.setCurrentIndex(dialog.form.findData(form))


def take_everything_back(window: MainWindow, start: dict[str, object]) -> None:
    """Undone to the start, and done again to the end."""
    history, end = window.document.history, state_of(window.document)
    steps = 0
    while history.undo_title is not None:
        window.actions_["undo"].trigger()
        steps += 1
        assert steps < 200
    rest(window)
    assert difference(state_of(window.document), start) == []
    while history.redo_title is not None:
        window.actions_["redo"].trigger()
    rest(window)
    assert difference(state_of(window.document), end) == []


def test_two_ways_to_build_on_a_plot(desk: MainWindow, tmp_path: Path, monkeypatch: Any) -> None:
    window = desk
    click(window.start_page.tiles["sample"])
    until(lambda: len(window.document.scene) == 3, seconds=PATIENCE)
    rest(window)
    wake(window)
    start = state_of(window.document)
    click_tab(window, tr("panel.alternatives"))
    click(panel_of(window).add_button)
    name_new(window, "타워안")
    plot = look_at_plot(window)
    clear_plot(window)
    draw_block(window, plot)
    raise_block(window)
    read_figures(window)
    drag_block(window)
    click(window.masses.bar.done_button)
    # A second block beside it, put away again.
    press(Qt.Key.Key_D, CONTROL)
    rest(window)
    shown = window.document.alternatives.items[0]
    assert [mass.name for mass in shown.masses] == ["매스 1", "매스 1 사본"]
    window.masses.finish()
    window.actions_["mass_delete"].trigger()
    rest(window)
    plant(window, plot)
    lower_copy(window)
    read_difference(window)
    run_on_all(window, "sunlight.rights", step=20)
    run_on_all(window, "site.figures")
    compare(window)
    hand_in(window, tmp_path, monkeypatch)
    take_everything_back(window, start)
