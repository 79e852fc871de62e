"""NumPy arrays to VTK data: the only place that speaks of cell arrays and image scalars."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkImageData, vtkPolyData
from vtkmodules.vtkRenderingCore import vtkTexture


def triangles(
    vertices: NDArray[np.float64], faces: NDArray[np.int32], *, normals: NDArray[np.float32] | None = None
) -> vtkPolyData:
    """Triangles; float32 from here on."""
    data = vtkPolyData()
    data.SetPoints(_points(vertices))
    data.SetPolys(_cells(faces))
    if normals is not None:
        array = numpy_to_vtk(np.ascontiguousarray(normals, dtype=np.float32), deep=True)
        array.SetName("Normals")
        data.GetPointData().SetNormals(array)
    return data


def segments(vertices: NDArray[np.float64], pairs: NDArray[np.int32]) -> vtkPolyData:
    """Line segments (k, 2) between vertices."""
    data = vtkPolyData()
    data.SetPoints(_points(vertices))
    data.SetLines(_cells(pairs))
    return data


def set_segments(data: vtkPolyData, pairs: NDArray[np.int32]) -> None:
    """Replace the segments drawn."""
    data.SetLines(_cells(pairs))
    data.Modified()


def point_cloud(vertices: NDArray[np.float64]) -> vtkPolyData:
    """Points, one vertex cell each."""
    data = vtkPolyData()
    data.SetPoints(_points(vertices))
    data.SetVerts(_cells(np.arange(len(vertices), dtype=np.int32)[:, None]))
    return data


def set_cell_colours(data: vtkPolyData, colours: NDArray[np.uint8]) -> None:
    """Colours (cells, 3 or 4) uint8."""
    array = numpy_to_vtk(np.ascontiguousarray(colours, dtype=np.uint8), deep=True)
    array.SetName("colours")
    data.GetCellData().SetScalars(array)
    data.Modified()


def _points(vertices: NDArray[np.float64]) -> vtkPoints:
    points = vtkPoints()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(vertices, dtype=np.float32), deep=True))
    return points


def _cells(cells: NDArray[np.int32]) -> vtkCellArray:
    count, corners = cells.shape
    array = vtkCellArray()
    offsets = np.arange(count + 1, dtype=np.int64) * corners
    connectivity = np.ascontiguousarray(cells, dtype=np.int64).ravel()
    array.SetData(numpy_to_vtkIdTypeArray(offsets, deep=True), numpy_to_vtkIdTypeArray(connectivity, deep=True))
    return array


class ArrayTexture:
    """A texture over a NumPy array that may be rewritten.

    Parameters
    ----------
    pixels : (rows, cols, channels) array
        uint8, or float32 for numbers. Row 0 is at v = 0 (south).
    smooth : bool
        Interpolate between texels.
    mipmap : bool
    """

    def __init__(self, pixels: NDArray[np.generic], *, smooth: bool, mipmap: bool = False) -> None:
        self.texture = vtkTexture()
        self.texture.SetColorModeToDirectScalars()
        self.texture.SetInterpolate(smooth)
        self.texture.SetMipmap(mipmap)
        self.texture.RepeatOff()
        self.texture.EdgeClampOn()
        if mipmap:
            self.texture.SetMaximumAnisotropicFiltering(8.0)
        self._image = vtkImageData()
        self.texture.SetInputData(self._image)
        self.write(pixels)

    def write(self, pixels: NDArray[np.generic]) -> None:
        """Put new values in (any shape). The array is kept, not copied."""
        rows, cols, channels = pixels.shape
        self._pixels = np.ascontiguousarray(pixels)
        array = numpy_to_vtk(self._pixels.reshape(-1, channels), deep=False)
        array.SetName("pixels")
        self._image.SetDimensions(cols, rows, 1)
        self._image.GetPointData().SetScalars(array)
        self.touch()

    def touch(self) -> None:
        """The array was changed in place."""
        self._image.GetPointData().GetScalars().Modified()
        self._image.Modified()
        self.texture.Modified()
