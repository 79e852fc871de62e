"""A planner's day with the wind: weather, the first map, comfort, corridors, cold air, a moved tower, the report."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QEventLoop, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest

from app.main_window import MainWindow
from app.shown_runs import Run, runs_of
from app.view.camera import looking, project
from app.view.hatch import hatch_rows
from geo.model import ElementRef, Layer
from tests.app.tiny_city import EAST, NORTH
from tests.app.view_scene import need_graphics
from tests.tiny_weather import calendar

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]
WAIT_S = 150.0
TOWER = ElementRef("houses", "B4")  # 48 m
COARSE = {"cell": 12.0, "size": 140.0, "thoroughness": "preview"}


def until(ready: Callable[[], bool], *, seconds: float = WAIT_S) -> None:
    """Let the event loop turn until something holds. It does not hold the interpreter as QTest's wait does."""
    loop, end = QEventLoop(), time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it never came"
        QTimer.singleShot(20, loop.quit)
        loop.exec()


def rest(window: MainWindow) -> None:
    """Until nothing runs any more."""
    until(lambda: not window.bench.jobs.busy)
    until(lambda: not window.viewport.stage.is_expecting)


def click(widget: Any) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def write_weather(folder: Path) -> Path:
    """A year of an EPW file: by turns from the west and from the north, a calm hour of ten."""
    month, day, hour = calendar()
    share = np.random.default_rng(4).permutation((np.arange(len(month)) + 0.5) / len(month))
    speed = np.where(np.arange(len(month)) % 10 == 0, 0.0, 2.6 * np.sqrt(-np.log(share)))
    rows = [
        f"2021,{m},{d},{h},0,?9,3.5,-1.0,70,101000,0,0,250,5,6,7,0,0,0,0,{270 if n % 3 else 360},{v:.1f},3,3"
        for n, (m, d, h, v) in enumerate(zip(month, day, hour, speed, strict=True))
    ]
    head = [
        "LOCATION,Sejong,-,KOR,TMYx,471290,36.48,127.29,9.0,60.0", "DESIGN CONDITIONS,0",
        "TYPICAL/EXTREME PERIODS,0", "GROUND TEMPERATURES,0", "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0", "COMMENTS 1,",
        "COMMENTS 2,", "DATA PERIODS,1,1,Data,Sunday,1/1,12/31",
    ]  # fmt: skip
    path = folder / "Sejong.epw"
    path.write_text("\n".join([*head, *rows]) + "\n", encoding="utf-8")
    return path


def drop(window: MainWindow, path: Path) -> None:
    """Drop a file on the window and import it."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    place, none = QPointF(300, 300), Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(place, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, none))
    until(lambda: window.files.import_dialog is not None)
    rest(window)
    click(window.files.import_dialog.import_button)
    rest(window)


def study(window: MainWindow, analysis_id: str, **params: object) -> Run:
    """Choose a study, fill its form, press Run; the run it brings."""
    window.show_analysis(analysis_id)
    panel, before = window.analyses, len(runs(window))
    assert panel.form is not None
    panel.form.set_values(params)
    click(panel.run_button)
    until(lambda: len(runs(window)) > before)
    rest(window)
    return runs(window)[0]


def runs(window: MainWindow) -> list[Run]:
    return list(runs_of(tuple(window.document.scene)))


def chart_of(run: Run) -> Layer:
    """The map of a run."""
    return next(layer for layer in run.layers if layer.kind == "grid")


@pytest.fixture
def desk(city: MainWindow) -> MainWindow:
    need_graphics()
    city.masses.live.wanted = False  # the sun is another day's work
    city.resize(1366, 768)
    city.actions_["view_home"].trigger()
    rest(city)
    return city


def pick_study_area(window: MainWindow) -> None:
    """The target of the form, then a click in the picture."""
    window.show_analysis("wind.field")
    form = window.analyses.form
    assert form is not None
    camera = looking(np.array([0.0, 0.0, 20.0]), azimuth=0.0, pitch=-80.0, distance=350.0)
    window.viewport.set_camera(camera)
    click(form.editors["area"].pick_button)
    place = project(camera, np.array([[0.0, 5.0, 22.0]]), (window.viewport.width(), window.viewport.height()))[0][0]
    QTest.mouseClick(window.viewport, Qt.MouseButton.LeftButton, pos=QPoint(round(place[0]), round(place[1])))
    until(lambda: bool(form.editors["area"].text), seconds=10.0)
    east, north = (float(part) for part in form.editors["area"].text.split(",")[:2])
    assert abs(east - EAST) < 3.0
    assert abs(north - NORTH - 5.0) < 3.0


def move_tower(window: MainWindow) -> str:
    """The tower 60 m to the west, by typing; Enter ends. The id of the alternative it makes."""
    window.document.selection.set([TOWER])
    window.actions_["mass_move"].trigger()
    window.masses.bar.edits["east"].spin_box.setValue(-25.0)
    window.masses.finish()
    rest(window)
    return str(window.document.alternatives.active)


def test_weather_maps_an_edit_the_difference_and_the_report(desk: MainWindow, tmp_path: Path) -> None:
    window, scene = desk, desk.document.scene
    drop(window, write_weather(tmp_path))
    assert any(layer.kind == "table" and "wind_from" in layer.table.columns for layer in scene)

    # The first map while the finer ones are made, hatched and with a legend; then the wind itself.
    pick_study_area(window)
    seen: list[tuple[int, int]] = []
    window.bench.result_previewed.connect(lambda _key, layers: seen.append(layers[0].geometry.values.shape))
    base = study(window, "wind.field", wind_from=270.0, **COARSE)
    assert len(seen) >= 2
    legend = window.viewport.cards.legend.legend
    assert legend is not None
    assert "ratio" in legend.title.lower()
    assert legend.hatches
    assert hatch_rows(chart_of(base))
    assert all(field.unit for field in chart_of(base).fields)
    card = window.results.cards[0]
    assert card.run.id == base.id

    # The year, the corridors and the night.
    comfort = study(window, "wind.comfort", sectors=8, **COARSE)
    assert "comfort_nen8100" in {field.name for field in chart_of(comfort).fields}
    corridor = study(window, "wind.corridor", most_directions=1, checked=1, form_cell=40, **COARSE)
    assert chart_of(corridor) is not None
    night = study(window, "wind.cold_air", hours=0.5, cell=10, catchment=50)
    assert chart_of(night) is not None

    # The tower elsewhere: the same wind again on both, warm, and what it changes.
    high = move_tower(window)
    window.results.again_asked.emit(base)
    panel = window.analyses
    until(lambda: panel.alternatives is not None and panel.alternatives.list.count() == 2)
    assert panel.alternatives is not None
    panel.alternatives.choose(["", high])
    before = len(runs(window))
    click(panel.run_button)
    until(lambda: len(runs(window)) == before + 2)
    rest(window)
    newest = {run.alternative: run for run in runs(window)[:2]}
    assert all("wind.warm" in {issue.code for issue in run.issues} for run in newest.values())
    window.show_panel("compare")
    until(lambda: window.compare.table.columnCount() == 3)
    click(window.compare.difference)
    until(lambda: len(runs(window)) == before + 3)
    rest(window)
    difference = runs(window)[0]
    assert "compare.not_settled" in {issue.code for issue in difference.issues}
    changed = np.asarray(chart_of(difference).fields[0].values, float)
    assert np.nanmax(np.abs(changed)) > 0.1

    visible = [
        layer for layer in scene if layer.theme == "result" and layer.style.visible and layer.geometry is not None
    ]
    assert {layer.kind for layer in visible} & {"grid", "lines"} == {"grid"}, "no arrows of the wind over what changes"
    assert len([layer for layer in visible if layer.kind == "grid"]) == 1

    # Handed in: GeoTIFFs of the run, and the report of the project.
    job = window.bench.export_run(newest[high], tmp_path / "out")
    until(lambda: job.is_over)
    assert {"map.tif", "result.json"} <= {path.name for path in (tmp_path / "out").iterdir()}
    job = window.bench.write_report(tmp_path / "report.html")
    until(lambda: job.is_over)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Wind of one direction" in text
    assert "earlier run of this session" in text

    # All of it is undone.
    while window.document.history.undo_title is not None:
        window.document.history.undo()
    assert not window.document.alternatives.items
    assert not runs(window)
    assert not any(layer.kind == "table" for layer in scene)
