"""Places a user names in a parameter: elements of the scene, or map coordinates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.model import Frame, Grid, Image, Instances, Layer, Lines, Mesh, Points, UserError, Volume

SEPARATOR = ";"
NUMBERS = (2, 3)


@dataclass(frozen=True, eq=False)
class Place:
    """An element, or a point on the map.

    Attributes
    ----------
    point : (3,) float64 [local m]
        Middle of the element's box, or the point; its height is NaN where none was given.
    layer : Layer or None
    row : int
        Of the element in the layer's table, -1 for a point.
    """

    point: NDArray[np.float64]
    layer: Layer | None = None
    row: int = -1

    @property
    def element_id(self) -> str:
        """Id of the element, ``""`` for a point."""
        return "" if self.layer is None else str(self.layer.table.ids[self.row])


def read_places(text: str, layers: Sequence[Layer], frame: Frame) -> tuple[Place, ...]:
    """The places in a parameter's text, in order.

    Parameters
    ----------
    text : str
        Parts separated by ``;``: the id of an element, ``layer#element`` where ids repeat, or
        ``easting, northing[, height]`` in map coordinates of the frame.
    layers : sequence of Layer
        Where elements are looked for.
    """
    return tuple(_place(part.strip(), layers, frame) for part in text.split(SEPARATOR) if part.strip())


def _place(text: str, layers: Sequence[Layer], frame: Frame) -> Place:
    found = next(_elements(text, layers), None)
    if found is not None:
        layer, row = found
        return Place(element_middle(layer, row), layer, row)
    numbers = _numbers(text)
    if numbers is None:
        raise UserError(
            f"There is no place called {text}.",
            "It is neither the id of an element of the layers this study works on nor a pair of map coordinates.",
            "Select an element of those layers, or give easting and northing, such as 229110, 435795.",
            code="run.no_place",
            values={"place": text},
        )
    height = numbers[2] if len(numbers) > 2 else np.nan
    return Place(np.array([numbers[0] - frame.origin[0], numbers[1] - frame.origin[1], height - frame.origin[2]]))


def _elements(text: str, layers: Sequence[Layer]) -> Iterator[tuple[Layer, int]]:
    layer_id, mark, element = text.partition("#")
    for layer in layers:
        if text in layer.table.index:
            yield layer, layer.table.index[text]
        elif mark and layer.id == layer_id and element in layer.table.index:
            yield layer, layer.table.index[element]


def _numbers(text: str) -> list[float] | None:
    parts = text.replace(",", " ").split()
    if len(parts) not in NUMBERS:
        return None
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def element_middle(layer: Layer, row: int) -> NDArray[np.float64]:
    """Middle of the box around an element (3,) [local m]; not-a-number for one without geometry."""
    points = element_points(layer, row)
    return np.asarray((points.min(axis=0) + points.max(axis=0)) / 2 if len(points) else np.full(3, np.nan))


def element_points(layer: Layer, row: int) -> NDArray[np.float64]:
    """Vertices (n, 3) of one element [local m]."""
    shape = layer.geometry
    if isinstance(shape, Mesh):
        return np.asarray(shape.vertices[np.unique(shape.faces[shape.face_element == row])])
    if isinstance(shape, Points):
        return np.asarray(shape.vertices[shape.element == row])
    if isinstance(shape, Lines):
        parts = [
            shape.vertices[shape.offsets[i] : shape.offsets[i + 1]] for i in np.flatnonzero(shape.line_element == row)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, 3))
    if isinstance(shape, Instances):
        return np.asarray(shape.transform[shape.element == row][:, :, 3])
    if shape is None or isinstance(shape, Grid | Image | Volume):
        return np.zeros((0, 3))
    raise TypeError(f"unknown geometry {shape.kind}")
