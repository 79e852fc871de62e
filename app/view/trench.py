"""A cut trench: the ground is gone inside a turned box, its walls show depth metre by metre."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkRenderingCore import vtkActor, vtkRenderer

from app.view.layer_actors import LayerActors, Look, new_actor, unlit_actor
from app.view.pit import GroundHeights
from app.view.polydata import segments, set_cell_colours, triangles
from app.view.sky import NO_OPENINGS
from app.view.terrain import TerrainActors

Floats = NDArray[np.float64]

WIDTH, DEPTH = 6.0, 6.0  # metres
STEP = 1.0  # metres between the points of a wall, so that its rim follows the ground
MOST_STEPS = 600
STRATA = (0.3, 1.0, 2.5, 4.5)  # metres of depth where the tone changes: pavement, base, fill, soil
TONES = {  # of the five strata and the floor, 0..255; a picture, not a survey
    "light": (
        (128, 130, 131),
        (176, 166, 150),
        (156, 142, 121),
        (134, 121, 104),
        (112, 103, 92),
        (94, 88, 81),
    ),
    "dark": ((96, 99, 102), (112, 106, 97), (98, 90, 79), (84, 77, 68), (70, 65, 59), (58, 55, 51)),
}
SIDE_SHADE = (1.0, 0.86)  # of walls along and across, so that the corners show
METRE_LINE, RIM_WIDTH = 1.0, 2.2  # pixels
RIM = (0.13, 0.15, 0.17)


@dataclass(frozen=True)
class Trench:
    """A cut along a line.

    Attributes
    ----------
    start, stop : (x, y) [local m]
        Ends of its middle line.
    width, depth : float [m]
        Across the line; from the lowest ground on it to the floor.
    """

    start: tuple[float, float]
    stop: tuple[float, float]
    width: float = WIDTH
    depth: float = DEPTH

    def __post_init__(self) -> None:
        if not (math.dist(self.start, self.stop) > 0.1 and self.width > 0 and self.depth > 0):
            raise ValueError("a trench needs two points, a width and a depth")

    @property
    def length(self) -> float:
        """Of the middle line [m]."""
        return math.dist(self.start, self.stop)

    @property
    def axis(self) -> tuple[float, float]:
        """Unit direction from start to stop."""
        return ((self.stop[0] - self.start[0]) / self.length, (self.stop[1] - self.start[1]) / self.length)

    @property
    def corners(self) -> Floats:
        """(4, 2) counter-clockwise, from the right of the start [local m]."""
        across = np.array([-self.axis[1], self.axis[0]]) * self.width / 2
        start, stop = np.array(self.start), np.array(self.stop)
        return np.stack([start - across, stop - across, stop + across, start + across])

    def holds(self, points: Floats) -> NDArray[np.bool_]:
        """(n,) whether points (n, 2 or 3) lie inside, seen from above."""
        offset = points[..., :2] - (np.array(self.start) + self.stop) / 2
        axis = np.array(self.axis)
        beside = offset @ np.array([-axis[1], axis[0]])
        return np.asarray((np.abs(offset @ axis) < self.length / 2) & (np.abs(beside) < self.width / 2))


class TrenchActors:
    """The trench of a scene."""

    def __init__(self, scene: vtkRenderer, look: Look) -> None:
        self.trench: Trench | None = None
        self._scene, self._look = scene, look
        self._actors: list[vtkActor] = []

    def set_trench(self, trench: Trench | None, layers: Mapping[str, LayerActors]) -> None:
        """Cut this trench, or none."""
        self.trench = trench
        self.release()
        if trench is None:
            self._look.light.set_openings(trenchBox=NO_OPENINGS["trenchBox"], trenchAxis=NO_OPENINGS["trenchAxis"])
            return
        middle = np.mean([trench.start, trench.stop], axis=0)
        box = (float(middle[0]), float(middle[1]), trench.length / 2, trench.width / 2)
        self._look.light.set_openings(trenchBox=box, trenchAxis=trench.axis)
        grounds = [d.layer for d in layers.values() if isinstance(d, TerrainActors) and d.layer.style.visible]
        if grounds:
            heights = GroundHeights(grounds, self._look.light.inputs)
            self._actors = trench_walls(trench, heights, theme_name=self._look.theme.name)
            for actor in self._actors:
                actor.PickableOff()
                self._scene.AddActor(actor)

    def release(self) -> None:
        """Take the walls away."""
        for actor in self._actors:
            self._scene.RemoveActor(actor)
        self._actors = []


def trench_walls(trench: Trench, heights: GroundHeights, *, theme_name: str) -> list[vtkActor]:
    """Floor, walls in strata, white lines each metre, and a dark rim."""
    rim, side = _rim(trench, heights)
    bottom = float(rim[:, 2].min()) - trench.depth
    tones = np.array(TONES[theme_name], dtype=np.float64)
    vertices, faces, colours = _walls(rim, side, bottom, tones)
    floor = np.column_stack([trench.corners, np.full(4, bottom)])
    faces = np.concatenate([faces, len(vertices) + np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)])
    vertices = np.concatenate([vertices, floor])
    data = triangles(vertices, faces)
    set_cell_colours(data, np.concatenate([colours, np.tile(tones[-1], (2, 1))]).astype(np.uint8))
    walls = new_actor(data)
    walls.GetProperty().LightingOff()
    walls.GetProperty().BackfaceCullingOn()  # the wall toward the eye would hide the others
    edge = _line_actor(rim, RIM_WIDTH, RIM, pull=0.002)
    metres = _metre_lines(trench, heights, bottom)
    return [walls, edge] if metres is None else [walls, metres, edge]


def _rim(trench: Trench, heights: GroundHeights) -> tuple[Floats, NDArray[np.int8]]:
    """(n, 3) points around the trench on the ground, closed, and whether the step after each runs across (1)."""
    corners = trench.corners
    parts, sides = [], []
    for number in range(4):
        a, b = corners[number], corners[(number + 1) % 4]
        steps = int(np.clip(math.ceil(float(np.linalg.norm(b - a)) / STEP), 1, MOST_STEPS))
        parts.append(a + np.arange(steps)[:, None] / steps * (b - a))
        sides.append(np.full(steps, number % 2, dtype=np.int8))
    flat = np.concatenate([*parts, corners[:1]])
    return np.column_stack([flat, heights.at(flat[:, 0], flat[:, 1])]), np.concatenate(sides)


def _walls(
    rim: Floats, side: NDArray[np.int8], bottom: float, tones: Floats
) -> tuple[Floats, NDArray[np.int32], Floats]:
    """Walls from the rim to one floor, split where the strata change; seen from inside."""
    levels = [rim[:, 2]]
    for depth in STRATA:
        levels.append(np.maximum(rim[:, 2] - depth, bottom))
    levels.append(np.full(len(rim), bottom))
    vertices = np.concatenate([np.column_stack([rim[:, :2], level]) for level in levels])
    steps = np.arange(len(rim) - 1, dtype=np.int32)
    faces, colours = [], []
    for band in range(len(levels) - 1):
        a, b = steps + band * len(rim), steps + 1 + band * len(rim)
        c, d = b + len(rim), a + len(rim)
        faces += [np.stack([a, b, c], 1), np.stack([a, c, d], 1)]
        colours += [tones[band] * np.array(SIDE_SHADE)[side][:, None]] * 2
    return vertices, np.concatenate(faces).astype(np.int32), np.concatenate(colours)


def _metre_lines(trench: Trench, heights: GroundHeights, bottom: float) -> vtkActor | None:
    """White lines around the walls at whole metres over the floor, where they are under the ground."""
    rim, _side = _rim(trench, heights)
    points, pairs, start = [], [], 0
    for level in np.arange(bottom + 1.0, float(rim[:, 2].max()), 1.0):
        under = rim[:, 2] > level
        rows = np.flatnonzero(under[:-1] & under[1:])
        points.append(np.column_stack([rim[:, :2], np.full(len(rim), level)]))
        pairs.append(start + np.stack([rows, rows + 1], axis=1))
        start += len(rim)
    if not pairs:
        return None
    actor = unlit_actor(segments(np.concatenate(points), np.concatenate(pairs).astype(np.int32)), pull=0.001)
    actor.GetProperty().SetColor(1.0, 1.0, 1.0)
    actor.GetProperty().SetOpacity(0.55)
    actor.GetProperty().SetLineWidth(METRE_LINE)
    return actor


def _line_actor(points: Floats, width: float, colour: tuple[float, float, float], *, pull: float) -> vtkActor:
    steps = np.arange(len(points) - 1, dtype=np.int32)
    actor = unlit_actor(segments(points, np.stack([steps, steps + 1], axis=1)), pull=pull)
    actor.GetProperty().SetColor(*colour)
    actor.GetProperty().SetLineWidth(width)
    actor.GetProperty().SetOpacity(0.99)
    return actor
