"""Seeing the wind in the window: coarse maps while it is calculated, the bar of a volume, particles, right click."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QEventLoop, QPoint, QPointF, QTimer
from PySide6.QtWidgets import QMenu

from analysis.contract import Analysis, Inputs, Result
from analysis.params import Params
from analysis.registry import get
from app.commands import AddLayers, RemoveLayers, SetStyle
from app.hatch_switch import add_hatch_switch
from app.main_window import MainWindow
from app.menus import show_context_menu
from app.point_window import show_point
from app.view.camera import looking, project
from app.view.hatch import hatch_rows
from app.view.particles import has_wind
from app.volume_view import VolumeView
from geo.model import Feedback, Layer
from tests.app.test_wind_view import run_of, wind_map, wind_space

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]
WAIT_S = 40.0
ON_GROUND = 20.0  # height of the tiny city's ground


def until(ready: Callable[[], bool], *, seconds: float = WAIT_S) -> None:
    """Let the event loop turn until something holds."""
    loop, end = QEventLoop(), time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it never came"
        QTimer.singleShot(15, loop.quit)
        loop.exec()


def rest(window: MainWindow) -> None:
    """Until nothing runs any more."""
    until(lambda: not window.bench.jobs.busy)
    until(lambda: not window.viewport.stage.is_expecting)


def scaled(layer: Layer, factor: float) -> Layer:
    field = dataclasses.replace(layer.fields[0], values=layer.fields[0].values * factor)
    return layer.with_(fields=(field, *layer.fields[1:]))


class Steps:
    """An analysis that shows coarse maps when it is told to."""

    def __init__(self) -> None:
        self.go = [threading.Event() for _ in range(3)]
        self.analysis = Analysis("test.wait", "Waiting", "Waits.", 1, Inputs, Params, self.run)

    def run(self, _inputs: Inputs, _params: Params, feedback: Feedback) -> Result:
        for number, event in enumerate(self.go):
            while not event.wait(0.02):
                feedback.step(0.1 * number)
            if number < 2:
                feedback.partial([scaled(wind_map(), 0.5 + number)])
        feedback.step(0.9)
        return Result(layers=(scaled(wind_map(), 2.5),), summary={})


def legend_title(window: MainWindow) -> str:
    legend = window.viewport.cards.legend.legend
    return legend.title if legend is not None else ""


def shown(window: MainWindow) -> list[float]:
    """Greatest value of each map in the picture that is visible."""
    layers = [layer for layer in window.viewport.stage.layers if layer.kind == "grid" and layer.style.visible]
    return sorted(float(np.nanmax(layer.fields[0].values)) for layer in layers)


def test_a_coarse_map_gives_way_to_finer_ones_and_to_the_result(city: MainWindow) -> None:
    steps, scene = Steps(), city.document.scene
    city.bench.do(AddLayers((run_of(scaled(wind_map(), 4.0), wind_from=0.0, run="old", started="2026-01-01"),)))
    rest(city)
    before = [(layer.id, layer.style) for layer in scene]
    assert shown(city) == [2.0]
    job = city.bench.run(steps.analysis, {})
    assert job is not None
    steps.go[0].set()
    until(lambda: shown(city) == [0.25])
    legend = city.viewport.cards.legend.legend
    assert legend is not None
    assert legend.hatches
    assert [(layer.id, layer.style) for layer in scene] == before, "the scene is left alone"
    steps.go[1].set()
    until(lambda: shown(city) == [0.75])
    assert len(city.viewport._previews) == 1, "the finer map takes the place of the coarser"
    steps.go[2].set()
    until(lambda: job.is_over)
    rest(city)
    assert shown(city) == [1.25]
    assert not city.viewport.has_preview
    assert not scene.get("old-map").style.visible
    city.document.history.undo()
    rest(city)
    assert shown(city) == [2.0]


def test_a_cancelled_run_leaves_the_picture_as_it_was(city: MainWindow) -> None:
    steps = Steps()
    city.bench.do(AddLayers((run_of(scaled(wind_map(), 4.0), wind_from=0.0, run="old", started="2026-01-01"),)))
    rest(city)
    job = city.bench.run(steps.analysis, {})
    assert job is not None
    steps.go[0].set()
    until(lambda: shown(city) == [0.25])
    job.cancel()
    until(lambda: job.is_over)
    rest(city)
    assert shown(city) == [2.0]
    assert not city.viewport.has_preview


def test_the_bar_of_a_volume_cuts_and_remembers(city: MainWindow) -> None:
    city.actions_["volume_view"].trigger()
    volume = wind_space().with_(style=dataclasses.replace(wind_space().style, visible=False))
    city.bench.do(AddLayers((volume,)))
    rest(city)
    control, bar = city.volumes, city.volumes.bar
    assert not bar.isVisible()
    city.actions_["volume_view"].trigger()
    until(bar.isVisible)
    assert control.layer_id == "space"
    assert bar.level.switch.isChecked()
    assert city.actions_["volume_view"].isChecked()
    bar.level.slider.setValue(bar.level.slider.maximum())
    assert control.view.level == pytest.approx(27.5)
    bar.surface.switch.click()
    bar.surface.slider.setValue(200)
    assert control.view.value == pytest.approx(3.2)  # half of 2.4 to 4
    bar.level.switch.click()
    assert control.view.level is None
    stage = city.viewport.stage
    assert stage.look.volume_views["space"] == control.view
    assert legend_title(city) == "Speed"
    bar.surface.switch.click()
    assert legend_title(city) == "", "nothing in its colours, no legend"
    bar.surface.switch.click()
    bar.line.click()
    camera = looking(np.array([0.0, 0.0, ON_GROUND]), azimuth=0.0, pitch=-80.0, distance=400.0)
    city.viewport.set_camera(camera)
    size = (city.viewport.width(), city.viewport.height())
    tool = city.viewport._drawing
    for point in ((-30.0, 5.0, ON_GROUND + 3), (30.0, 5.0, ON_GROUND + 3)):
        x, y = project(camera, np.array([point]), size)[0][0]
        tool.press_button(_left(), QPointF(x, y))
    line = control.view.line
    assert line is not None
    assert abs(line[2] - line[0]) > 30.0
    bar.line.click()
    assert control.view.line is None
    kept = control.view
    city.actions_["volume_view"].trigger()
    until(lambda: not bar.isVisible())
    city.bench.do(RemoveLayers(("space",)))
    city.document.history.undo()
    city.actions_["volume_view"].trigger()
    until(bar.isVisible)
    assert control.view == kept


def _left() -> Any:
    from PySide6.QtCore import Qt

    return Qt.MouseButton.LeftButton


def test_particles_play_stop_and_go_with_the_volume(city: MainWindow) -> None:
    city.bench.do(AddLayers((wind_space(),)))
    rest(city)
    control, stage = city.volumes, city.viewport.stage
    until(lambda: control.layer_id == "space")
    control.bar.play.click()
    until(lambda: control.particles is not None)
    first = control.particles.path[0].copy()
    until(lambda: not np.array_equal(control.particles.path[0][: len(first)], first[: control.particles.count]))
    until(lambda: control.own_seconds > 0.0)
    assert control.own_seconds < 0.05
    control.bar.play.click()
    held = control.particles.path[0].copy()
    loop = QEventLoop()
    QTimer.singleShot(150, loop.quit)
    loop.exec()
    np.testing.assert_array_equal(control.particles.path[0], held)
    control.bar.play.click()
    layer = city.document.scene.get("space")
    city.bench.do(SetStyle("space", dataclasses.replace(layer.style, visible=False)))
    until(lambda: control.particles is None)
    assert stage.trails is None
    assert not control.playing
    assert not control._timer.isActive()


def test_closing_while_particles_play_leaves_nothing(city: MainWindow) -> None:
    city.bench.do(AddLayers((wind_space(),)))
    rest(city)
    until(lambda: city.volumes.layer_id == "space")
    city.volumes.show_view(VolumeView(level=12.5, value=3.0))
    city.volumes.bar.play.click()
    until(lambda: city.volumes.particles is not None)  # the fixtures look at what is left


def test_a_right_click_tells_values_and_switches_hatches(city: MainWindow) -> None:
    runs = [
        run_of(wind_map(), wind_from=270.0, run="west", started="2026-01-01T00:00:00+00:00"),
        run_of(wind_map(), wind_from=0.0, run="north", started="2026-01-02T00:00:00+00:00"),
    ]
    city.bench.do(AddLayers((*runs, wind_space())))
    rest(city)
    camera = looking(np.array([0.0, 0.0, ON_GROUND]), azimuth=0.0, pitch=-80.0, distance=400.0)
    city.viewport.set_camera(camera)
    size = (city.viewport.width(), city.viewport.height())
    x, y = project(camera, np.array([[0.0, -20.0, ON_GROUND + 1.6]]), size)[0][0]
    place = city.viewport.mapToGlobal(QPoint(round(x), round(y)))
    point = city.viewport.point_at(place)
    assert point is not None
    assert np.abs(point[:2] - (0.0, -20.0)).max() < 2.0
    show_context_menu(city, None, place)
    menu = next(menu for menu in city.findChildren(QMenu) if menu.isVisible())
    texts = [action.text() for action in menu.actions()]
    assert "Values at this place…" in texts
    assert sum("Hatch" in text for text in texts) == 2
    menu.close()
    window = show_point(city, point)
    assert [row.wind_from for row in window.directions] == [0.0, 270.0]
    assert window.direction_table.rowCount() == 2
    assert window.value_table.rowCount() >= 4
    assert not window.save_button.isEnabled()
    window.tabs.setCurrentIndex(window.tabs.count() - 1)
    assert window.save_button.isEnabled()
    window.close()
    menu = QMenu(city)
    add_hatch_switch(menu, city.document, city.document.scene.get("west-map"))
    add_hatch_switch(menu, city.document, city.document.scene.get("houses"))
    (entry,) = menu.actions()
    entry.trigger()
    assert not city.document.scene.get("west-map").style.hatched
    city.document.history.undo()
    assert city.document.scene.get("west-map").style.hatched
    menu.deleteLater()


def test_a_real_run_is_previewed_and_hatched(city: MainWindow) -> None:
    previews: list[list[str]] = []
    city.bench.result_previewed.connect(lambda _key, layers: previews.append([layer.kind for layer in layers]))
    params = {"cell": 8.0, "size": 160.0, "thoroughness": "preview", "wind_from": 270.0}
    job = city.bench.run(get("wind.field"), params)
    assert job is not None
    until(lambda: job.is_over, seconds=120.0)
    rest(city)
    assert len(previews) >= 2
    assert previews[0][0] == "grid"
    assert not city.viewport.has_preview
    made = [layer for layer in city.document.scene if layer.theme == "result"]
    chart = next(layer for layer in made if layer.kind == "grid")
    assert hatch_rows(chart), "cells of 8 m are too few for houses of 12 m"
    assert has_wind(next(layer for layer in made if layer.kind == "volume"))
