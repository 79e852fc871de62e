"""Lines of a result that copy pipes: bright tubes, a little thicker than the pipes they lie over."""

from __future__ import annotations

import dataclasses

import numpy as np

from app.view.sweep import PLAIN_RADIUS
from app.view.tubes import PreparedPipes, TubesActors, prepared_pipes, sizes_of
from geo.model import Column, ElementTable, Layer, Lines
from geo.model.conventions import DIAMETER, HEIGHT, WIDTH

LEAST_RIM, RIM_SHARE = 0.05, 0.12  # [m], and of the radius: by how much a result stands out from its pipe
LEAST_WIDTH, LINE_WIDTH = 6.5, 4.5  # pixels; the pipe below has 3.4 and 2.2
LINE_PULL = 0.002  # share of the distance


def copies_pipes(layer: Layer) -> bool:
    """Whether the lines of a result are pipes again: underground, with the diameter of each."""
    underground = layer.theme == "result" and layer.stratum == "underground"
    return underground and isinstance(layer.geometry, Lines) and DIAMETER in layer.table.columns


def thickened(layer: Layer) -> Layer:
    """The layer with diameters that enclose its pipes; boxes become round."""
    column = layer.table.columns[DIAMETER]
    diameter = column.values.astype(np.float64) if column.is_number else np.full(len(layer.table), np.nan)
    diameter = np.where(np.isfinite(diameter) & (diameter > 0), diameter, 2 * PLAIN_RADIUS)
    wider = diameter + np.maximum(2 * LEAST_RIM, RIM_SHARE * diameter)
    kept = {name: c for name, c in layer.table.columns.items() if name not in (DIAMETER, WIDTH, HEIGHT)}
    return layer.with_(table=ElementTable(layer.table.ids, {**kept, DIAMETER: Column(wider, "m")}))


class ResultTubesActors(TubesActors):
    """Affected pipes, seen over those they lie on."""

    least_width, line_width, line_pull = LEAST_WIDTH, LINE_WIDTH, LINE_PULL
    result_keep = 1.0

    @staticmethod
    def prepare(layer: Layer) -> PreparedPipes:
        """Axes and tiles of the thicker pipes."""
        return dataclasses.replace(prepared_pipes(thickened(layer)), sizes=sizes_of(layer))
