"""Which windows are judged: those of homes, of schools, or of all buildings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analysis.sunlight.areas import SCHOOLS
from analysis.sunlight.city import element_count, mesh_of
from analysis.sunlight_rights.made import STOREYS
from analysis.sunlight_rights.obstacles import Obstacles
from analysis.sunlight_rights.windows import Windows, windows_of
from analysis.sunlight_standards.declaration import StandardsInputs, StandardsParams
from geo.model import Column, ElementTable, Feedback, Issue, Layer

Bools = NDArray[np.bool_]
SCHOOL_USES = (*SCHOOLS, "교육연구", "교사동")
HOME = "residential"  # the word by which the finder of windows knows a building whose windows it makes


def judged_windows(
    inputs: StandardsInputs,
    params: StandardsParams,
    obstacles: Obstacles,
    issues: list[Issue],
    feedback: Feedback,
) -> Windows:
    """The windows that the user asked for."""
    rights = params.as_rights
    if params.judged == "dwellings":
        return windows_of(inputs, rights, obstacles, issues, feedback)
    layers = [layer for layer in inputs.dwellings if params.judged == "all" or _has_schools(layer)]
    relabelled = tuple(_relabelled(layer, params) for layer in layers)
    windows = windows_of(replace(inputs, dwellings=relabelled), rights, obstacles, issues, feedback)
    if params.judged == "all":
        return windows
    wanted = np.zeros(len(obstacles.name), dtype=bool)
    for layer in layers:
        building = obstacles.of_element[layer.id]
        wanted[building[schools(layer, len(building))]] = True
    return windows.kept(wanted[windows.building])


def _has_schools(layer: Layer) -> bool:
    return bool(schools(layer, element_count(layer, mesh_of(layer))).any())


def schools(layer: Layer, count: int) -> Bools:
    """(e,) elements one of whose attributes says that they are a school."""
    found = np.zeros(count, dtype=bool)
    for column in layer.table.columns.values():
        if column.values.dtype != object:
            continue
        known = {value: _says_school(value) for value in set(column.values.tolist())}
        found[: len(layer.table)] |= np.array([known[value] for value in column.values.tolist()], dtype=bool)
    return found


def _says_school(value: object) -> bool:
    text = str(value or "").lower()
    return any(word in text for word in SCHOOL_USES)


def _relabelled(layer: Layer, params: StandardsParams) -> Layer:
    """The layer with a table that makes the finder of windows take the buildings wanted for homes."""
    if layer.theme != "building" or len(layer.table) == 0:
        return layer
    count = max(len(layer.table), element_count(layer, mesh_of(layer)))
    wanted = np.ones(count, dtype=bool) if params.judged == "all" else schools(layer, count)
    columns = {
        name: column
        for name, column in layer.table.columns.items()
        if name.lower().replace(" ", "").replace("_", "") in STOREYS
    }
    columns["use"] = Column(np.where(wanted[: len(layer.table)], HOME, "").astype(object))
    return layer.with_(table=ElementTable(layer.table.ids, columns))
