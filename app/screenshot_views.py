"""Pictures of buildings opened up and of the ground seen through, for `app.screenshots`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from app.place_texts import point_text
from app.shown_runs import Run, runs_of
from geo.model import ElementRef, Layer
from geo.model.conventions import NODE, ROOM_NAME, ROOM_NUMBER

if TYPE_CHECKING:
    from app.main_window import MainWindow

ROOMS, NODES = "mixed_use-spaces", "mixed_use-network_nodes"
WAY = "indoor.route"
ROOM, ENTRANCE = "705-1", "주출입문"
STREET = 60.0  # metres from the entrance at which the way begins

Until = Callable[[Callable[[], bool]], None]


def open_storey(window: MainWindow, until: Until) -> None:
    """A dwelling found by its number: its storey from above, its properties beside it."""
    window.show_room(ElementRef(ROOMS, _element(window, ROOMS, ROOM_NUMBER, ROOM)))
    until(lambda: window.modes.storeys.level is not None)


def open_plan(window: MainWindow, until: Until) -> None:
    """The same storey as a plan with the rooms coloured by use."""
    open_storey(window, until)
    window.document.selection.clear()
    window.modes.storeys.set_uses(True)
    window.modes.storeys.set_plan(True)


def show_way(window: MainWindow, until: Until) -> None:
    """The way from the street to the dwelling, and its steps."""
    if _way(window) is None:
        window.show_analysis(WAY)
        frame, form = window.document.scene.frame, window.analyses.form
        if frame is None or form is None:
            return
        place = _street(window)
        form.set_values({"start": point_text(place, frame), "goal": _element(window, ROOMS, ROOM_NUMBER, ROOM)})
        window.run_analysis()
        until(lambda: _way(window) is not None and not window.bench.jobs.busy)
    run = _way(window)
    if run is not None:
        window.modes.show_ways(run.id)


def _way(window: MainWindow) -> Run | None:
    return next((run for run in runs_of(tuple(window.document.scene)) if run.analysis_id == WAY), None)


def _element(window: MainWindow, layer_id: str, column: str, value: str) -> str:
    layer = window.document.scene[layer_id]
    return str(layer.table.ids[list(layer.table.columns[column].values).index(value)])


def _street(window: MainWindow) -> np.ndarray:
    """A point before the main entrance, away from the middle of the building."""
    layer = window.document.scene[NODES]
    door = _place(layer, ENTRANCE)
    middle = layer.geometry.bounds.centre if layer.geometry is not None and layer.geometry.bounds else door
    away = door[:2] - np.array(middle[:2])
    away = away / max(float(np.hypot(*away)), 1e-9)
    return np.array([*(door[:2] + STREET * away), door[2]])


def _place(layer: Layer, name: str) -> np.ndarray:
    names, kinds = layer.table.columns[ROOM_NAME].values, layer.table.columns[NODE].values
    row = next(k for k, (own, kind) in enumerate(zip(names, kinds, strict=True)) if own == name and kind == "exit")
    vertices = getattr(layer.geometry, "vertices", np.zeros((0, 3)))
    return np.asarray(vertices[row])
