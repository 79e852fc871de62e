"""NumPy arrays to VTK data: the only place that speaks of cell arrays and image scalars."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonCore import vtkDataArray, vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkImageData, vtkPolyData
from vtkmodules.vtkRenderingCore import vtkTexture

Coordinates = NDArray[np.float64] | NDArray[np.float32]


def triangles(
    vertices: Coordinates, faces: NDArray[np.int32], *, normals: NDArray[np.float32] | None = None
) -> vtkPolyData:
    """Triangles; float32 from here on. Arrays that are float32 and int32 already are shared, not copied."""
    data = vtkPolyData()
    data.SetPoints(_points(vertices))
    data.SetPolys(_cells(faces))
    if normals is not None:
        array = _shared(normals, np.float32)
        array.SetName("Normals")
        data.GetPointData().SetNormals(array)
    return data


def segments(vertices: Coordinates, pairs: NDArray[np.int32]) -> vtkPolyData:
    """Line segments (k, 2) between vertices."""
    data = vtkPolyData()
    data.SetPoints(_points(vertices))
    data.SetLines(_cells(pairs))
    return data


def set_segments(data: vtkPolyData, pairs: NDArray[np.int32]) -> None:
    """Replace the segments drawn."""
    data.SetLines(_cells(pairs))
    data.Modified()


def point_cloud(vertices: Coordinates) -> vtkPolyData:
    """Points, one vertex cell each."""
    data = vtkPolyData()
    data.SetPoints(_points(vertices))
    data.SetVerts(_cells(np.arange(len(vertices), dtype=np.int32)[:, None]))
    return data


def dense_points(vertices: Coordinates, colours: NDArray[np.uint8], numbers: NDArray[np.int32]) -> vtkPolyData:
    """Very many points as a single cell; `numbers` is 0, 1, 2 ... of at least their count and is shared."""
    data = vtkPolyData()
    data.SetPoints(_points(vertices))
    cells = vtkCellArray()
    count = len(vertices)
    cells.SetData(_shared(np.array([0, count], np.int32), np.int32), _shared(numbers[:count], np.int32))
    data.SetVerts(cells)
    array = _shared(colours, np.uint8)
    array.SetName("colours")
    data.GetPointData().SetScalars(array)
    return data


def set_cell_colours(data: vtkPolyData, colours: NDArray[np.uint8]) -> None:
    """Colours (cells, 3 or 4) uint8."""
    array = _shared(colours, np.uint8)
    array.SetName("colours")
    data.GetCellData().SetScalars(array)
    data.Modified()


def set_point_colours(data: vtkPolyData, colours: NDArray[np.uint8]) -> None:
    """Colours (points, 4) uint8, blended between the corners."""
    array = _shared(colours, np.uint8)
    array.SetName("colours")
    data.GetPointData().SetScalars(array)


def set_point_array(data: vtkPolyData, name: str, values: NDArray[np.float32]) -> None:
    """Numbers (points, k) that a shader asks for by name."""
    array = _shared(values, np.float32)
    array.SetName(name)
    data.GetPointData().AddArray(array)


def textured_quads(vertices: Coordinates, quads: NDArray[np.int32], places: NDArray[np.float32]) -> vtkPolyData:
    """Quads with texture coordinates (n, 2) of their vertices."""
    data = vtkPolyData()
    data.SetPoints(_points(vertices))
    data.SetPolys(_cells(quads))
    data.GetPointData().SetTCoords(_shared(places, np.float32))
    return data


def _points(vertices: Coordinates) -> vtkPoints:
    points = vtkPoints()
    points.SetData(_shared(vertices, np.float32))
    return points


def _cells(cells: NDArray[np.int32]) -> vtkCellArray:
    """Cells of one size: VTK needs no array of offsets, and 32 bits are enough."""
    array = vtkCellArray()
    array.SetData(cells.shape[1], _shared(cells.ravel(), np.int32))
    return array


def _shared(values: NDArray[np.generic], dtype: type) -> vtkDataArray:
    """A VTK array over the same memory, which it keeps alive; copied only where type or order differ."""
    return numpy_to_vtk(np.ascontiguousarray(values, dtype=dtype), deep=False)


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

    def write_some(self, texels: NDArray[np.int64], pixels: NDArray[np.generic]) -> None:
        """New values (k, channels) of some texels, by their flat number."""
        self._pixels.reshape(-1, self._pixels.shape[2])[texels] = pixels
        self.touch()

    def touch(self) -> None:
        """The array was changed in place."""
        self._image.GetPointData().GetScalars().Modified()
        self._image.Modified()
        self.texture.Modified()
