"""Lines: centre lines, pipes as plain lines, outlines."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from app.colour import field_colours
from app.view.layer_actors import LayerActors, unlit_actor
from app.view.legend import shown_field
from app.view.polydata import segments, set_cell_colours, set_segments
from app.view.sky import shown_elements
from app.view.tiles import MOST_SQUARES, tile_numbers
from geo.model import Layer, Lines

WIDTH = {"utility": 3.0, "road": 1.6, "rail": 1.8, "parcel": 1.0}  # pixels
RUN = 256  # segments that are looked at together when something is picked
GROUND_PULL = 0.006  # share of the distance: lines on the ground lie over roads


_pairs: WeakKeyDictionary[Lines, tuple[NDArray[np.int32], NDArray[np.int32]]] = WeakKeyDictionary()
_runs: WeakKeyDictionary[Lines, tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]] = (
    WeakKeyDictionary()
)


def line_pairs(lines: Lines) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Segments (k, 2) as rows of vertices, and the line (k,) each belongs to; made once."""
    found = _pairs.get(lines)
    if found is None:
        owner = np.repeat(np.arange(len(lines.line_element), dtype=np.int32), np.diff(lines.offsets))
        first = np.arange(max(len(lines.vertices) - 1, 0), dtype=np.int32)
        inner = owner[:-1] == owner[1:]
        found = _pairs[lines] = np.stack([first, first + 1], axis=1)[inner], owner[:-1][inner]
    return found


def segments_near(
    lines: Lines, origin: NDArray[np.float64], direction: NDArray[np.float64], *, spread: float, margin: float = 0.0
) -> NDArray[np.int32]:
    """Segments that may come near a line of sight: all in runs whose ball it touches.

    `spread` is how much wider than the line one looks, as a share of the distance; `margin` is added to it [m].
    """
    order, centre, radius = line_runs(lines)
    radius = radius + margin
    offset = centre - origin
    along = offset @ direction
    apart = np.linalg.norm(offset - along[:, None] * direction, axis=1)
    near = (along > -radius) & (apart <= radius + spread * (np.abs(along) + radius))
    places = (RUN * np.flatnonzero(near)[:, None] + np.arange(RUN)).ravel()
    return order[places[places < len(order)]]


def line_runs(lines: Lines) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """Segments in an order in which neighbours follow each other, and the ball around each `RUN` of them; made once.

    Returns
    -------
    order : (k,) int32
    centre, radius : (k / RUN, 3) and (k / RUN,) float64 [local m]
    """
    found = _runs.get(lines)
    if found is not None:
        return found
    pairs = line_pairs(lines)[0]
    if len(pairs) == 0:
        found = _runs[lines] = np.zeros(0, np.int32), np.zeros((0, 3)), np.zeros(0)
        return found
    first, second = lines.vertices[pairs[:, 0]], lines.vertices[pairs[:, 1]]
    squares = min(len(pairs) // RUN + 1, MOST_SQUARES // 4)
    number = tile_numbers(first[:, :2], wanted=squares, most=MOST_SQUARES)
    order = np.argsort(number, kind="stable").astype(np.int32)
    starts = np.arange(0, len(pairs), RUN)
    low = np.minimum.reduceat(np.minimum(first, second)[order], starts, axis=0)
    high = np.maximum.reduceat(np.maximum(first, second)[order], starts, axis=0)
    found = _runs[lines] = order, (low + high) / 2, np.linalg.norm(high - low, axis=1) / 2
    return found


class LinesActors(LayerActors):
    """Polylines, unlit, coloured each."""

    @staticmethod
    def prepare(layer: Layer) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Segments and their lines."""
        if not isinstance(layer.geometry, Lines):
            raise TypeError(f"{layer.kind} is not lines")
        line_runs(layer.geometry)  # for the first pick
        return line_pairs(layer.geometry)

    def build(self, prepared: object) -> None:
        """One actor for all."""
        lines = self._lines()
        self._pairs, self._owner = prepared if isinstance(prepared, tuple) else line_pairs(lines)
        self._actor = unlit_actor(segments(lines.vertices, self._pairs), pull=GROUND_PULL)
        self._actor.GetProperty().SetLineWidth(WIDTH.get(self.layer.theme, 1.6))
        self.actors = [self._actor]

    def recolour(self) -> None:
        """Segments of shown elements, in their colours."""
        lines = self._lines()
        element = lines.line_element[self._owner]
        keep = shown_elements(self.layer)[element]
        data = self._actor.GetMapper().GetInput()
        set_segments(data, self._pairs[keep])
        set_cell_colours(data, self._colours(element)[keep])
        self._actor.GetProperty().SetOpacity(min(self.layer.style.opacity, 0.99))

    def _colours(self, element: NDArray[np.int32]) -> NDArray[np.uint8]:
        field = shown_field(self.layer)
        if field is not None and field.on in ("element", "vertex"):
            colours, _known = field_colours(field, self.look.theme)
            return colours[element] if field.on == "element" else colours[self._pairs[:, 0]]
        role = "parcel_line" if self.layer.theme in ("parcel", "road") and not self.layer.style.colour else ""
        plain = self.look.theme.rgb(role) if role else self.plain_rgb()
        return np.tile(np.array(plain, dtype=np.uint8), (len(element), 1))

    def _lines(self) -> Lines:
        if not isinstance(self.layer.geometry, Lines):
            raise TypeError(f"{self.layer.kind} is not lines")
        return self.layer.geometry
