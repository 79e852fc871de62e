"""Point clouds of any size: square tiles, each in random order, so that the first part of a tile is all of it, thinner.

What is drawn is chosen by what a tile covers on the screen, within a budget of points for the whole picture.
"""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.colour import field_colours
from app.view.camera import Camera, boxes_in_view, distances_to, pixels_per_metre
from app.view.layer_actors import LayerActors, unlit_actor
from app.view.legend import PAINTED_FIELD, shown_field
from app.view.polydata import dense_points, point_cloud
from app.view.sky import shown_elements
from app.view.tiles import tile_numbers
from geo.model import Layer, Points

POINTS_A_TILE = 60_000
MOST_TILES = 100
POINTS_A_PIXEL = 2.0  # fewer leave holes where a tile draws only a part; more are not seen
LEAST = 64  # points of a tile that is seen at all
FAR_SIZE, NEAR_SIZE, NEAR_SCALE = 2.0, 3.0, 4.0  # pixels, pixels, pixels per metre
PULL = 0.0005  # share of the distance
SPARE = 2  # times the budget that tiles out of sight may keep


@dataclass(frozen=True, eq=False)
class Cloud:
    """A point cloud ready to be drawn in part.

    Attributes
    ----------
    vertices : (n, 3) float32 [local m]
        By tiles, in random order within a tile.
    order : (n,) int32
        Row of the layer's geometry of each.
    starts : (t + 1,) int64
        First point of each tile.
    low, high : (t, 3) float64 [local m]
    """

    vertices: NDArray[np.float32]
    order: NDArray[np.int32]
    starts: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def counts(self) -> NDArray[np.int64]:
        """(t,) points of each tile."""
        return np.diff(self.starts)


_known: weakref.WeakKeyDictionary[Points, Cloud] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def cloud_of(points: Points) -> Cloud:
    """The cloud of a geometry, made once: drawing and picking share it. May run in any thread."""
    with _lock:
        cloud = _known.get(points)
        if cloud is None:
            cloud = _known[points] = _cloud(points)
        return cloud


def _cloud(points: Points) -> Cloud:
    count = len(points.vertices)
    wanted = int(np.clip(count // POINTS_A_TILE, 1, MOST_TILES))
    number = tile_numbers(points.vertices[:, :2], wanted=wanted, most=MOST_TILES)
    order = np.argsort(number, kind="stable").astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(np.bincount(number))]).astype(np.int64)
    del number
    rng = np.random.default_rng(0)
    vertices = np.empty((count, 3), dtype=np.float32)
    low, high = np.empty((len(starts) - 1, 3)), np.empty((len(starts) - 1, 3))
    for tile, (start, stop) in enumerate(zip(starts[:-1], starts[1:], strict=True)):
        mine = order[start:stop]
        places = points.vertices[mine].astype(np.float32)  # in the file's order, which memory likes, then mixed
        mixed = rng.permutation(len(mine))
        order[start:stop], vertices[start:stop] = mine[mixed], places[mixed]
        low[tile], high[tile] = vertices[start:stop].min(axis=0), vertices[start:stop].max(axis=0)
    return Cloud(vertices, order, starts, low, high)


def share_out(counts: NDArray[np.int64], wanted: NDArray[np.float64], *, budget: int) -> NDArray[np.int64]:
    """Points (t,) to draw of each tile: what it is wanted to have, halved until the sum keeps the budget.

    A tile draws all of its points, a half, a quarter ...: so it changes seldom while the camera moves.
    """
    wish = np.minimum(counts, np.maximum(wanted, np.where(wanted > 0, LEAST, 0)))
    scale = 1.0
    while True:
        with np.errstate(divide="ignore", invalid="ignore"):
            halvings = np.ceil(np.log2(np.where(wish > 0, counts / np.maximum(wish * scale, 1e-9), 1.0)) - 1e-9)
        chosen = np.where(wish > 0, counts >> np.clip(halvings, 0, 40).astype(np.int64), 0)
        if chosen.sum() <= budget or scale < 1e-6:
            return np.asarray(chosen, dtype=np.int64)
        scale *= 0.8


class CloudActors(LayerActors):
    """Dots of two or three pixels, one draw for a tile."""

    @staticmethod
    def prepare(layer: Layer) -> Cloud:
        """Tiles of points."""
        if not isinstance(layer.geometry, Points):
            raise TypeError(f"{layer.kind} is not points")
        return cloud_of(layer.geometry)

    def build(self, prepared: object) -> None:
        """Empty tiles: what they hold is chosen when the camera is known."""
        if not isinstance(prepared, Cloud):
            raise TypeError(f"{self.layer.kind} was not prepared as a point cloud")
        self._cloud = prepared
        count = len(prepared.counts)
        self._numbers = np.arange(int(prepared.counts.max()), dtype=np.int32)
        self._drawn = np.zeros(count, dtype=np.int64)
        self._inside = np.ones(count, dtype=np.bool_)
        self._colours: list[NDArray[np.uint8]] = [np.zeros((0, 4), np.uint8)] * count
        empty = np.zeros((0, 3), np.float32)
        self.actors = [unlit_actor(point_cloud(empty), pull=PULL) for _ in range(count)]

    @property
    def points_drawn(self) -> int:
        """Points in the picture."""
        return int(self._drawn[self._inside].sum())

    def recolour(self) -> None:
        """New colours of what is drawn."""
        self._colours = [np.zeros((0, 4), np.uint8)] * len(self._colours)
        for tile, count in enumerate(self._drawn):
            if count:
                self._fill(tile, int(count))
        for actor in self.actors:
            actor.GetProperty().SetOpacity(self.layer.style.opacity)

    def look_from(self, camera: Camera, size: tuple[int, int]) -> None:
        """Choose how many points of each tile to draw."""
        cloud, budget = self._cloud, self.look.point_budget
        self._inside = boxes_in_view(camera, cloud.low, cloud.high, aspect=size[0] / max(size[1], 1))
        middle = np.linalg.norm((cloud.low + cloud.high) / 2 - camera.eye, axis=1)
        scale = pixels_per_metre(
            camera, np.maximum(distances_to(camera, cloud.low, cloud.high), 0.5 * middle), height=size[1]
        )
        extent = cloud.high - cloud.low
        area = np.maximum(extent[:, 0] * extent[:, 1], extent[:, :2].max(axis=1) * extent[:, 2]) * scale**2
        wanted = np.where(self._inside, area * POINTS_A_PIXEL, 0.0)
        chosen = share_out(cloud.counts, wanted, budget=budget)
        spare = self._drawn[~self._inside].sum() > SPARE * budget
        for tile in np.flatnonzero(chosen != self._drawn):
            if chosen[tile] or spare:
                self._fill(int(tile), int(chosen[tile]))
        for actor, detail in zip(self.actors, scale, strict=True):
            actor.GetProperty().SetPointSize(NEAR_SIZE if detail > NEAR_SCALE else FAR_SIZE)
        self.show()

    def show(self) -> None:
        """Tiles in the picture, if the layer is visible."""
        for actor, inside in zip(self.actors, self._inside, strict=True):
            actor.SetVisibility(self.layer.style.visible and bool(inside))

    def _fill(self, tile: int, count: int) -> None:
        """Draw the first `count` points of a tile."""
        start = int(self._cloud.starts[tile])
        known = self._colours[tile]
        if len(known) < count:
            rows = self._cloud.order[start + len(known) : start + count]
            known = self._colours[tile] = np.concatenate([known, self._colours_of(rows)])
        vertices, colours = self._cloud.vertices[start : start + count], known[:count]
        if self.layer.style.hidden:
            shown = shown_elements(self.layer)[self._points().element[self._cloud.order[start : start + count]]]
            vertices, colours = vertices[shown], colours[shown]
        self._drawn[tile] = count
        if count == 0:
            self._colours[tile] = np.zeros((0, 4), np.uint8)
        self.actors[tile].GetMapper().SetInputData(dense_points(vertices, colours, self._numbers))

    def _colours_of(self, rows: NDArray[np.int32]) -> NDArray[np.uint8]:
        """(k, 4) colours of points by their rows in the geometry."""
        out = np.full((len(rows), 4), 255, dtype=np.uint8)
        field = shown_field(self.layer)
        painted = self.layer.field_named(PAINTED_FIELD)
        if field is not None and field.on in ("point", "vertex", "element"):
            mine = self._points().element[rows] if field.on == "element" else rows
            out[:, :3] = field_colours(field, self.look.theme, rows=mine)[0]
        elif painted is not None and painted.on in ("point", "vertex") and not self.layer.style.colour:
            codes = painted.values[rows].astype(np.int64)
            out[:, :3] = np.stack([(codes >> 16) & 255, (codes >> 8) & 255, codes & 255], axis=1)
        else:
            out[:, :3] = self.plain_rgb()
        return out

    def _points(self) -> Points:
        if not isinstance(self.layer.geometry, Points):
            raise TypeError(f"{self.layer.kind} is not points")
        return self.layer.geometry
