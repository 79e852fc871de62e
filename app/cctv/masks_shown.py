"""Headless. The masks of a privacy result, as outlines in the picture of a camera."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.optics import View
from app.shown_runs import Run, runs_of
from geo.model import Layer

PRIVACY = "cctv.privacy"
COLUMNS = ("camera", "view", "polygon")


def masks_shown(
    layers: Sequence[Layer], camera_id: str, view: View, head: int, *, stale: Collection[str] = ()
) -> list[NDArray[np.float64]]:
    """Outlines (k, 2) in shares of width and height.

    A mask is a promise about one pan, tilt and zoom: none are given of a run that is out of date.

    Parameters
    ----------
    head : int
        Which view of the camera, heads first, then presets.
    stale : collection of str
        Runs whose inputs have changed.
    """
    run = next((run for run in runs_of(layers) if run.analysis_id == PRIVACY), None)
    table = _mask_table(run) if run is not None and run.id not in stale else None
    if table is None:
        return []
    cameras, views, polygons = (table.table.columns[name].values for name in COLUMNS)
    found = []
    for camera, number, polygon in zip(cameras.tolist(), views.tolist(), polygons.tolist(), strict=True):
        if str(camera) == camera_id and int(number) == head + 1:
            corners = [[float(value) for value in pair.split(",")] for pair in str(polygon).split()]
            found.append(np.array(corners) / [view.pixels_wide, view.pixels_high])
    return found


def _mask_table(run: Run) -> Layer | None:
    tables = (layer for layer in run.layers if layer.kind == "table")
    return next((layer for layer in tables if all(name in layer.table.columns for name in COLUMNS)), None)
