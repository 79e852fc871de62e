"""A volume of cells: its outline, a level and an upright slice in the colours of its field, a surface of one value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D
from vtkmodules.vtkRenderingCore import vtkActor

from app.colour import field_colours as colours_of_field
from app.colour import field_range, value_colours
from app.view.creases import vertex_normals
from app.view.layer_actors import LayerActors, new_actor, unlit_actor
from app.view.legend import shown_field
from app.view.polydata import ArrayTexture, segments, textured_quads, triangles
from app.view.shader import Finish
from app.volume_view import VolumeView, first_view, sampled, volume_field
from geo.model import Field, Mesh, Volume

MOST_SAMPLES = 250_000  # of one slice
FINER = 2  # samples in a cell along each side, where there is room
SLICE_OPACITY = 0.85
SURFACE_KEEP = 0.3
_EDGES = ((0, 1), (1, 3), (3, 2), (2, 0), (4, 5), (5, 7), (7, 6), (6, 4), (0, 4), (1, 5), (2, 6), (3, 7))
_SIDES = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], dtype=np.float32)
_QUAD = np.array([[0, 1, 2, 3]], np.int32)
_NO_MESH = (np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32), np.zeros((0, 3), np.float32))


class _Slice:
    """A quad with a texture."""

    def __init__(self) -> None:
        self.actor: vtkActor = unlit_actor(textured_quads(np.zeros((4, 3)), _QUAD, _SIDES), pull=0.0)
        self.texture = ArrayTexture(np.zeros((1, 1, 4), np.uint8), smooth=False)
        self.actor.SetTexture(self.texture.texture)
        self.actor.ForceTranslucentOn()

    def put(self, corners: NDArray[np.float64], pixels: NDArray[np.uint8]) -> None:
        """Corners (4, 3) around from the texture's first texel, and its texels (rows, cols, 4)."""
        self.actor.GetMapper().SetInputData(textured_quads(corners, _QUAD, _SIDES))
        self.texture.write(pixels)


class VolumeActors(LayerActors):
    """Outline and slices, unlit; the surface of one value in the light."""

    def build(self, prepared: object) -> None:
        """A box of lines, two quads and a surface, the last three empty at first."""
        bounds = self._volume().bounds
        self._level, self._upright = _Slice(), _Slice()
        self._has_cells = bounds is not None and self._volume().values.size > 0
        if bounds is None or not self._has_cells:
            return
        low, high = np.array(bounds.low), np.array(bounds.high)
        corners = np.array([np.where([k & 1, k & 2, k & 4], high, low) for k in range(8)])
        self._outline = unlit_actor(segments(corners, np.array(_EDGES, np.int32)), pull=0.0)
        self._outline.GetProperty().SetLineWidth(1.4)
        self._surface = new_actor(triangles(_NO_MESH[0], _NO_MESH[1], normals=_NO_MESH[2]))
        self._surface.PickableOff()
        self.look.light.apply(self._surface, Finish(smooth=True), keep=SURFACE_KEEP)
        self._surface_of: tuple[Field, float] | None = None
        self.actors = [self._outline, self._surface, self._level.actor, self._upright.actor]

    @property
    def view(self) -> VolumeView:
        """What is shown of it."""
        return self.look.volume_views.get(self.layer.id) or first_view(self._volume())

    def recolour(self) -> None:
        """Slices and surface as the view and the colours are now; nothing where there is no value."""
        if not self._has_cells:
            return
        self._outline.GetProperty().SetColor(self.look.theme.unit_rgb("soft_ink"))
        if not self.layer.style.visible:  # costs nothing until it is seen
            return
        field = volume_field(self.layer, shown_field(self.layer))
        view = self.view
        if view.level is not None:
            self._put_level(field, view.level)
        if view.line is not None:
            self._put_upright(field, view.line)
        self._put_surface(field, view.value)

    def show(self) -> None:
        """Visible or not, as style and view say."""
        if not self._has_cells:
            return
        visible, view = self.layer.style.visible, self.view
        self._outline.SetVisibility(visible)
        self._level.actor.SetVisibility(visible and view.level is not None)
        self._upright.actor.SetVisibility(visible and view.line is not None)
        self._surface.SetVisibility(visible and view.value is not None)

    def _put_level(self, field: Field, level: float) -> None:
        volume = self._volume()
        _layers, rows, cols = volume.values.shape
        finer = FINER if rows * cols * FINER**2 <= MOST_SAMPLES else 1
        step = max(int(np.ceil(np.sqrt(rows * cols / MOST_SAMPLES))), 1)
        x, y = (_steps(count * finer // step) for count in (cols, rows))
        bounds = volume.bounds
        if bounds is None:
            return
        (west, south, low), (east, north, high) = bounds.low, bounds.high
        height = min(max(level, low + 1e-3 * volume.cell_z), high - 1e-3 * volume.cell_z)
        east_at, north_at = np.meshgrid(west + x * (east - west), south + y * (north - south))
        points = np.column_stack([east_at.ravel(), north_at.ravel(), np.full(east_at.size, height)])
        corners = np.array([(west, south, height), (east, south, height), (east, north, height), (west, north, height)])
        self._level.put(corners, self._pixels(field, points, east_at.shape))

    def _put_upright(self, field: Field, line: tuple[float, float, float, float]) -> None:
        volume, bounds = self._volume(), self._volume().bounds
        if bounds is None:
            return
        first, last = np.array(line[:2]), np.array(line[2:])
        length = float(np.linalg.norm(last - first))
        layers = volume.values.shape[0] * FINER
        across = max(int(np.ceil(FINER * length / volume.cell)), 1)
        across = min(across, max(MOST_SAMPLES // layers, 1))
        share, rise = np.meshgrid(_steps(across), _steps(layers))
        low, high = bounds.low[2], bounds.high[2]
        flat = first + share.ravel()[:, None] * (last - first)
        points = np.column_stack([flat, low + rise.ravel() * (high - low)])
        corners = np.array([(*first, low), (*last, low), (*last, high), (*first, high)])
        self._upright.put(corners, self._pixels(field, points, share.shape))

    def _pixels(self, field: Field, points: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.uint8]:
        values = sampled(self._volume(), field, points).reshape(shape)
        if field.categories:
            codes = np.nan_to_num(values, nan=-1.0).astype(np.int64)
            classes = Field(field.name, field.unit, "cell", codes, field.categories, field.ramp)
            colours, known = colours_of_field(classes, self.look.theme)
        else:
            limits = field_range(field)
            colours, known = value_colours(values, ramp_name=field.ramp, limits=limits, theme=self.look.theme)
        opacity = round(255 * SLICE_OPACITY * self.layer.style.opacity)
        return np.concatenate([colours, np.where(known, opacity, 0).astype(np.uint8)[..., None]], axis=-1)

    def _put_surface(self, field: Field, value: float | None) -> None:
        if value is None or field.categories:
            return
        if self._surface_of != (field, value):
            self._surface_of = (field, value)
            vertices, faces, normals = value_surface(self._volume(), field, value)
            self._surface.GetMapper().SetInputData(triangles(vertices, faces, normals=normals))
        colour, _known = value_colours([value], ramp_name=field.ramp, limits=field_range(field), theme=self.look.theme)
        self._surface.GetProperty().SetColor(*(float(part) / 255.0 for part in colour[0]))
        self._surface.GetProperty().SetOpacity(self.layer.style.opacity)

    def _volume(self) -> Volume:
        if not isinstance(self.layer.geometry, Volume):
            raise TypeError(f"{self.layer.kind} is not a volume")
        return self.layer.geometry


def _steps(count: int) -> NDArray[np.float64]:
    """Middles (0..1) of so many parts."""
    return np.asarray((np.arange(max(count, 1)) + 0.5) / max(count, 1))


def value_surface(
    volume: Volume, field: Field, value: float
) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]:
    """Corners, triangles and normals of the surface on which a field has a value; open where cells have none."""
    image = vtkImageData()
    layers, rows, cols = volume.values.shape
    if min(layers, rows, cols) < 2:
        return _NO_MESH
    image.SetDimensions(cols, rows, layers)
    image.SetOrigin(volume.x0, volume.y0, volume.z0)
    image.SetSpacing(volume.cell, volume.cell, volume.cell_z)
    numbers = np.ascontiguousarray(field.values, dtype=np.float32).reshape(-1)
    image.GetPointData().SetScalars(numpy_to_vtk(numbers, deep=False))
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, value)
    edges.ComputeNormalsOff()
    edges.ComputeScalarsOff()
    edges.Update()
    found = edges.GetOutput()
    if found.GetNumberOfPolys() == 0:
        return _NO_MESH
    vertices = vtk_to_numpy(found.GetPoints().GetData())
    faces = vtk_to_numpy(found.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int32)
    faces = faces[np.isfinite(vertices).all(axis=1)[faces].all(axis=1)]
    used, faces = np.unique(faces, return_inverse=True)
    faces = np.ascontiguousarray(faces.reshape(-1, 3), dtype=np.int32)
    if len(faces) == 0:
        return _NO_MESH
    mesh = Mesh(vertices[used].astype(np.float64), faces, np.zeros(len(faces), np.int32))
    normals = vertex_normals(mesh)
    normals[normals[:, 2] < 0.0] *= -1.0  # seen and lit from above, whichever side is faster
    return vertices[used].astype(np.float32), faces, normals
