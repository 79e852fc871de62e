"""What a thing is drawn with is made ready by drawing a crumb of it: one cell, with small textures. Knows no Qt.

A thing that is drawn for the first time costs twice: its shader is compiled, and its triangles and pictures are
brought to where they are drawn from. A crumb needs the same shader and almost nothing else, so that the two are done
at two times. Where a processor draws, a shader is compiled for each kind of texture: the small ones are of the same
kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vtkmodules.vtkCommonCore import vtkIdList, vtkPoints
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPolyData
from vtkmodules.vtkRenderingCore import vtkPolyDataMapper, vtkProp, vtkRenderWindow, vtkTexture

from app.view.drapes import HATCH_TEXTURE, MOST_DRAPES

LIKENESS = (
    (vtkTexture.GetColorMode, vtkTexture.SetColorMode),
    (vtkTexture.GetInterpolate, vtkTexture.SetInterpolate),
    (vtkTexture.GetMipmap, vtkTexture.SetMipmap),
    (vtkTexture.GetRepeat, vtkTexture.SetRepeat),
    (vtkTexture.GetEdgeClamp, vtkTexture.SetEdgeClamp),
    (vtkTexture.GetMaximumAnisotropicFiltering, vtkTexture.SetMaximumAnisotropicFiltering),
)
TEXTURES = ("skyTex", HATCH_TEXTURE, *(f"drapeTex{number}" for number in range(MOST_DRAPES)))
MANY_FACES = 20_000
MANY_TEXELS = 500_000
SIDE = 3  # texels; a texture whose sides are powers of two would be of another kind


class SmallTextures:
    """One texture of each kind with hardly any texels."""

    def __init__(self) -> None:
        self._made: dict[tuple[float, ...], vtkTexture] = {}

    def like(self, texture: vtkTexture) -> vtkTexture:
        """The one of the same kind."""
        scalars = texture.GetInput().GetPointData().GetScalars()
        kind = (scalars.GetDataType(), scalars.GetNumberOfComponents(), *(get(texture) for get, _ in LIKENESS))
        if kind not in self._made:
            self._made[kind] = _small(texture)
        return self._made[kind]

    def release(self, window: vtkRenderWindow) -> None:
        """Give their places in graphics memory back."""
        for texture in self._made.values():
            texture.ReleaseGraphicsResources(window)
        self._made.clear()


def _small(texture: vtkTexture) -> vtkTexture:
    image, copy = vtkImageData(), vtkTexture()
    scalars = texture.GetInput().GetPointData().GetScalars()
    image.SetDimensions(SIDE, SIDE, 1)
    image.AllocateScalars(scalars.GetDataType(), scalars.GetNumberOfComponents())
    image.GetPointData().GetScalars().Fill(0)
    copy.SetInputData(image)
    for get, put in LIKENESS:
        put(copy, get(texture))
    return copy


def steps_of(prop: vtkProp, brought: set[str]) -> list[frozenset[str]]:
    """The crumbs by which a thing is made ready, each by the names of the textures that are whole in it.

    brought : set of str
        Addresses of the textures that are where they are drawn from; those of the steps are added.
    """
    data = _data_of(prop)
    if data is None:
        return []
    large = {name: one for name, one in _textures(prop).items() if _texels(one) > MANY_TEXELS}
    new = {name: one for name, one in large.items() if _address(one) not in brought}
    if data.GetNumberOfCells() <= MANY_FACES and not new:
        return []
    brought.update(map(_address, new.values()))
    whole = frozenset(large) - frozenset(new)
    return [whole, *(whole | {name} for name in new)]


@contextmanager
def crumb_of(prop: vtkProp, whole: frozenset[str], small: SmallTextures) -> Iterator[None]:
    """While this lasts the thing is one cell, with small textures but for the named ones."""
    data = _data_of(prop)
    if data is None:
        yield
        return
    mapper: Any = prop.GetMapper()  # type: ignore[attr-defined]
    textures = {name: one for name, one in _textures(prop).items() if name not in whole}
    mapper.SetInputData(first_cell(data))
    _wear(prop, {name: small.like(texture) for name, texture in textures.items()})
    try:
        yield
    finally:
        _wear(prop, textures)
        mapper.SetInputData(data)


def first_cell(data: vtkPolyData) -> vtkPolyData:
    """One cell of a surface or of lines, with the values of its points and of itself."""
    corners = vtkIdList()
    data.GetCellPoints(0, corners)
    count = corners.GetNumberOfIds()
    small, points = vtkPolyData(), vtkPoints()
    points.SetDataType(data.GetPoints().GetDataType())
    small.Allocate(1)
    small.GetPointData().CopyAllocate(data.GetPointData(), count)
    small.GetCellData().CopyAllocate(data.GetCellData(), 1)
    mine = vtkIdList()
    for number in range(count):
        points.InsertNextPoint(data.GetPoint(corners.GetId(number)))
        small.GetPointData().CopyData(data.GetPointData(), corners.GetId(number), number)
        mine.InsertNextId(number)
    small.SetPoints(points)
    small.InsertNextCell(data.GetCellType(0), mine)
    small.GetCellData().CopyData(data.GetCellData(), 0, 0)
    return small


def _data_of(prop: vtkProp) -> vtkPolyData | None:
    """The triangles or lines of a thing that holds them itself; None for all others."""
    mapper = prop.GetMapper() if hasattr(prop, "GetMapper") else None
    if not isinstance(mapper, vtkPolyDataMapper) or mapper.GetNumberOfInputConnections(0) != 1:
        return None
    if mapper.GetInputAlgorithm().GetClassName() != "vtkTrivialProducer":
        return None
    data = mapper.GetInput()
    return data if data is not None and data.GetNumberOfCells() > 0 else None


def _textures(prop: vtkProp) -> dict[str, vtkTexture]:
    look = prop.GetProperty()  # type: ignore[attr-defined]
    named = {name: look.GetTexture(name) for name in TEXTURES}
    return {name: texture for name, texture in named.items() if texture is not None and texture.GetInput() is not None}


def _wear(prop: vtkProp, textures: dict[str, vtkTexture]) -> None:
    look = prop.GetProperty()  # type: ignore[attr-defined]
    for name, texture in textures.items():
        look.RemoveTexture(name)
        look.SetTexture(name, texture)


def _address(texture: vtkTexture) -> str:
    return str(texture.GetAddressAsString("vtkObject"))


def _texels(texture: vtkTexture) -> int:
    return int(texture.GetInput().GetNumberOfPoints())
