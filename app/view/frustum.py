"""What cameras cover of the ground, drawn in the picture: bands of density, the edges of the view, the mast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkRenderingCore import vtkActor

from app.cctv.footprint import Footprint
from app.view.layer_actors import unlit_actor
from app.view.polydata import segments, set_cell_colours, triangles
from app.view.stage import Stage

Floats = NDArray[np.float64]

FILL_PULL, LINE_PULL = 0.009, 0.012
FILL_ALPHA, PALE_ALPHA = 120, 62  # of 255: of the chosen cameras, of the others
LINE_WIDTH = 1.6  # pixels
RAISED = 0.15  # [m] over the ground


@dataclass(frozen=True, eq=False)
class Shown:
    """One camera's ground.

    Attributes
    ----------
    parts : sequence of Footprint
        One for each head.
    foot : (3,) [local m] or None
        Where its mast stands.
    place : (3,) [local m]
        Of the lens.
    strong : bool
        Whether it is one of those chosen.
    """

    parts: Sequence[Footprint]
    place: Floats
    foot: Floats | None = None
    strong: bool = True


class FrustumActors:
    """Draws the ground of some cameras over the scene.

    Parameters
    ----------
    stage : Stage
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._actors: list[vtkActor] = []

    @property
    def actors(self) -> tuple[vtkActor, ...]:
        """What is drawn."""
        return tuple(self._actors)

    def show(self, shown: Sequence[Shown], colours: NDArray[np.uint8]) -> None:
        """Draw these and no others; `colours` (classes, 3) of the bands."""
        self.clear()
        for one in sorted(shown, key=lambda camera: camera.strong):
            for part in one.parts:
                self._add_fill(part, colours, strong=one.strong)
        lines = [part.edges for one in shown if one.strong for part in one.parts]
        lines += [np.array([[one.foot, one.place]]) for one in shown if one.foot is not None]
        if lines:
            self._add_lines(np.concatenate(lines))

    def _add_fill(self, part: Footprint, colours: NDArray[np.uint8], *, strong: bool) -> None:
        if len(part.faces) == 0:
            return
        points = part.vertices + np.array([0.0, 0.0, RAISED])
        data = triangles(points, part.faces)
        alpha = np.full((len(part.faces), 1), FILL_ALPHA if strong else PALE_ALPHA, dtype=np.uint8)
        set_cell_colours(data, np.hstack([colours[part.classes], alpha]))
        actor = unlit_actor(data, pull=FILL_PULL)
        actor.ForceTranslucentOn()
        self._add(actor)

    def _add_lines(self, pairs: Floats) -> None:
        points = pairs.reshape(-1, 3) + np.array([0.0, 0.0, RAISED])
        rows = np.arange(len(points), dtype=np.int32).reshape(-1, 2)
        actor = unlit_actor(segments(points, rows), pull=LINE_PULL)
        actor.GetProperty().SetColor(*self._stage.look.theme.unit_rgb("ink"))
        actor.GetProperty().SetLineWidth(LINE_WIDTH)
        actor.GetProperty().SetOpacity(0.75)  # drawn after screen-space occlusion
        self._add(actor)

    def _add(self, actor: vtkActor) -> None:
        actor.UseBoundsOff()
        self._stage.scene.AddActor(actor)
        self._actors.append(actor)

    def clear(self) -> None:
        """Draw none."""
        for actor in self._actors:
            self._stage.scene.RemoveActor(actor)
        self._actors = []

    def set_visible(self, visible: bool) -> None:
        """Leave them out of a picture, and show them again."""
        for actor in self._actors:
            actor.SetVisibility(visible)
