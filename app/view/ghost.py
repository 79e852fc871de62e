"""The building in hand: a small mesh that moves over the picture while its layer leaves out what it stands for."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkCommonDataModel import vtkPolyData
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

from app.view.creases import crease_edges
from app.view.layer_actors import new_actor, unlit_actor
from app.view.polydata import segments, triangles
from app.view.shader import Finish
from app.view.sky import SkyInputs
from app.view.stage import Stage
from geo.model import ElementRef, Mesh

LINE_WIDTH, HALO_WIDTH = 2.5, 5.0  # pixels
LINE_PULL, HALO_PULL = 0.003, 0.002
WALL_MIX = 0.25  # share of the selection's colour in that of the walls
SAME_SURFACE = 0.05  # [m] within which a raster's surface is the building's own


class Ghost:
    """Draws a building where it is about to stand, with its shadow.

    Parameters
    ----------
    stage : Stage
    ref : ElementRef
        The element that is left out of its layer while the ghost is there.
    mesh : Mesh
        Its triangles as they are in the scene now.

    Attributes
    ----------
    mesh : Mesh
        As it is drawn.
    standing : Mesh
        As the scene has it; whoever changes the scene says so here.
    """

    def __init__(self, stage: Stage, ref: ElementRef, mesh: Mesh) -> None:
        self._stage, self._ref = stage, ref
        self.mesh = self.standing = mesh
        self._edges = crease_edges(mesh)[0]
        self._cast: SkyInputs | None = None
        self._before: tuple[SkyInputs, Mesh] | None = None
        self._bare: NDArray[np.float32] | None = None
        self._solid = new_actor(triangles(mesh.vertices, mesh.faces))
        self._halo = self._line_actor(HALO_WIDTH, HALO_PULL)
        self._line = self._line_actor(LINE_WIDTH, LINE_PULL)
        stage.look.light.apply(self._solid, Finish())
        for actor in (self._solid, self._halo, self._line):
            actor.PickableOff()
            stage.scene.AddActor(actor)
            stage.moving.append(actor)
        self.retheme()
        self.leave_out()
        self.move(mesh)

    def _line_actor(self, width: float, pull: float) -> vtkActor:
        actor = unlit_actor(segments(self.mesh.vertices, self._edges), pull=pull)
        actor.GetProperty().SetLineWidth(width)
        return actor

    def leave_out(self) -> None:
        """Take the element out of its drawn layer: again after the layer was drawn anew."""
        self._stage.leave_out(self._ref.layer_id, (self._ref.element_id,))

    def move(self, mesh: Mesh) -> None:
        """Stand where these triangles are; they are as many as before."""
        self.mesh = mesh
        _redraw(self._solid, triangles(mesh.vertices, mesh.faces))
        for actor in (self._halo, self._line):
            _redraw(actor, segments(mesh.vertices, self._edges))

    def show(self, visible: bool) -> None:
        """Draw it or not; the layer's own element stays out."""
        for actor in (self._solid, self._halo, self._line):
            actor.SetVisibility(visible)

    def cast(self) -> None:
        """Let the shadow follow: the raster of the light with the building at its new place."""
        from analysis.kernels.shade import surface_raster

        light = self._stage.look.light
        inputs = light.inputs
        if inputs is None:
            return
        if inputs is not self._cast or self._bare is None:  # the light of the scene has been worked out anew
            self._before = (inputs, self.standing)
            self._bare = _without(inputs, self.standing)
        surface = surface_raster(self.mesh.vertices, self.mesh.faces, start=self._bare, **_place(inputs))
        self._cast = dataclasses.replace(inputs, surface=surface)
        light.recast(self._cast)

    def retheme(self) -> None:
        """In the colours of the theme."""
        theme = self._stage.look.theme
        wall, chosen = np.array(theme.unit_rgb("wall")), np.array(theme.unit_rgb("selection"))
        self._solid.GetProperty().SetColor(*((1 - WALL_MIX) * wall + WALL_MIX * chosen))
        self._halo.GetProperty().SetColor(*theme.unit_rgb("halo"))
        self._line.GetProperty().SetColor(*theme.unit_rgb("selection"))

    def release(self) -> None:
        """Give the layer its element back, and the light its shadow."""
        for actor in (self._solid, self._halo, self._line):
            self._stage.scene.RemoveActor(actor)
            self._stage.moving.remove(actor)
        light = self._stage.look.light
        light.forget([self._solid])
        self._stage.leave_out(self._ref.layer_id, ())
        if self._before is not None and light.inputs is self._cast:
            inputs, standing = self._before
            if standing is self.standing:
                light.recast(inputs)
            else:  # the light of the changed scene is on its way
                self.mesh = self.standing
                self.cast()


def _redraw(actor: vtkActor, data: vtkPolyData) -> None:
    mapper = actor.GetMapper()
    if isinstance(mapper, vtkPolyDataMapper):
        mapper.SetInputData(data)


def _place(inputs: SkyInputs) -> dict[str, Any]:
    return {"x0": inputs.x0, "y0": inputs.y0, "cell": inputs.cell, "shape": inputs.ground.shape}


def _without(inputs: SkyInputs, mesh: Mesh) -> NDArray[np.float32]:
    """The surface that casts shadows without a building: ground where it was uppermost."""
    from analysis.kernels.shade import surface_raster

    bare = inputs.surface.copy()
    around = _cells_around(inputs, mesh)
    rows, cols = around
    part = {
        "x0": inputs.x0 + cols.start * inputs.cell,
        "y0": inputs.y0 + rows.start * inputs.cell,
        "cell": inputs.cell,
        "shape": bare[around].shape,
    }
    if bare[around].size == 0:
        return bare
    own = surface_raster(mesh.vertices, mesh.faces, **part)
    with np.errstate(invalid="ignore"):
        uppermost = own >= inputs.surface[around] - SAME_SURFACE
    bare[around] = np.where(uppermost, inputs.ground[around], inputs.surface[around])
    return bare


def _cells_around(inputs: SkyInputs, mesh: Mesh) -> tuple[slice, slice]:
    """Rows and columns of the raster under a building: the rest of a city need not be looked at."""
    low, high = mesh.vertices[:, :2].min(axis=0), mesh.vertices[:, :2].max(axis=0)
    rows, cols = inputs.ground.shape

    def within(start: float, stop: float, count: int) -> slice:
        first, last = math.floor(start) - 1, math.ceil(stop) + 2
        return slice(min(max(first, 0), count), min(max(last, 0), count))

    (west, south), (east, north) = (
        (low - (inputs.x0, inputs.y0)) / inputs.cell,
        (high - (inputs.x0, inputs.y0)) / inputs.cell,
    )
    return within(south, north, rows), within(west, east, cols)
