"""Units that a file does not name, found by comparing its numbers with the shapes they describe.

CityJSON has no place for the unit of an attribute. A number that is, for nearly every object, as large as the object's
own height, base, top or ground plan is in metres or square metres as these are. Of all others, and where all objects
are about alike, the unit stays unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.model import Column, ElementTable, Frame, Layer, Mesh

Floats = NDArray[np.float64]

LEAST_OBJECTS = 3  # with a number and a shape: fewer may agree by chance
SHARE = 0.9  # of them that must agree: some objects have chimneys, or stand in the ground
OFF = 0.02  # share by which a height or an area may differ from the shape's
LEVEL_OFF = 0.3  # [m] by which a base or a top may differ
ROUNDED = 0.06  # [m], [m2]: numbers are often written with one decimal
MIDDLE = (0.1, 0.9)  # shares of the numbers between which most of them lie
LEAST_SPREAD = 4.0  # times what may differ, from one end of the middle to the other: else they agree by chance


def with_measured_units(layer: Layer, frame: Frame) -> Layer:
    """The layer, its columns with the units that its own shapes prove. Columns with a unit keep theirs."""
    table = layer.table
    open_ = [name for name, column in table.columns.items() if column.is_number and not column.unit]
    if not open_ or len(table) < LEAST_OBJECTS or not isinstance(layer.geometry, Mesh):
        return layer
    measures = _measures(layer.geometry, len(table), frame.origin[2])
    columns = dict(table.columns)
    for name in open_:
        column = columns[name]
        unit = next((one.unit for one in measures if one.is_told_by(column.values.astype(np.float64))), "")
        if unit:
            columns[name] = Column(column.values, unit, column.title)
    return layer.with_(table=ElementTable(table.ids, columns))


@dataclass(frozen=True, eq=False)
class _Measure:
    """What the shapes of the elements measure, NaN without one, and by how much a number may differ, each (n,)."""

    unit: str
    values: Floats
    off: Floats

    def is_told_by(self, numbers: Floats) -> bool:
        """Whether the numbers of the elements are this measure."""
        known = np.isfinite(numbers) & np.isfinite(self.values)
        told, off = numbers[known], self.off[known]
        if len(told) < LEAST_OBJECTS:
            return False
        low, high = np.quantile(told, MIDDLE)  # where all stand on a level, hardly any number says so
        if high - low < LEAST_SPREAD * np.median(off):
            return False
        return bool((np.abs(told - self.values[known]) <= off).mean() >= SHARE)


def _measures(mesh: Mesh, count: int, level: float) -> list[_Measure]:
    """Height, base and top above the datum, and ground plan of each element.

    The ground plan is half of what all faces are, seen from above: what goes up comes down in a closed shape.
    """
    low, high, plan = np.full(count, np.inf), np.full(count, -np.inf), np.zeros(count)
    z = mesh.vertices[mesh.faces, 2]
    np.minimum.at(low, mesh.face_element, z.min(axis=1))
    np.maximum.at(high, mesh.face_element, z.max(axis=1))
    np.add.at(plan, mesh.face_element, np.abs(mesh.face_cross[:, 2]) / 4)
    low[~np.isfinite(low)] = high[~np.isfinite(high)] = np.nan
    plan[np.isnan(low)] = np.nan
    height, same = high - low, np.full(count, LEVEL_OFF)
    return [
        _Measure("m", height, np.maximum(OFF * height, ROUNDED)),
        _Measure("m", low + level, same),
        _Measure("m", high + level, same),
        _Measure("m2", plan, np.maximum(OFF * plan, ROUNDED)),
    ]
