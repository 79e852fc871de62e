"""Small city models written by hand, and what is asked of the layers read from them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import crs
from geo.formats.cityjson import FORMAT, CityJsonOptions
from geo.formats.contract import ReadOptions
from geo.model import Feedback, Frame, Issue, Layer, Mesh

E0, N0 = 229_000.0, 435_500.0


FRAME = crs.make_frame("EPSG:5186", E0, N0)


KOREA = {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/5186"}


CORNERS = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]]


BOX_SURFACES = [[[0, 3, 2, 1]], [[4, 5, 6, 7]], [[0, 1, 5, 4]], [[1, 2, 6, 5]], [[2, 3, 7, 6]], [[3, 0, 4, 7]]]


def box_vertices(x: float, y: float, z: float, size: tuple[float, float, float]) -> list[list[int]]:
    """Corners of a box in millimetres from the local origin."""
    return [[round(1000 * (o + c * s)) for o, c, s in zip((x, y, z), corner, size, strict=True)] for corner in CORNERS]


def solid(first: int = 0, lod: str = "1", **more: Any) -> dict[str, Any]:
    shell = [[[first + i for i in ring] for ring in surface] for surface in BOX_SURFACES]
    return {"type": "Solid", "lod": lod, "boundaries": [shell], **more}


def city(objects: dict[str, Any], vertices: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "CityJSON",
        "version": "2.0",
        "metadata": dict(KOREA),
        "transform": {"scale": [0.001] * 3, "translate": [E0, N0, 0.0]},
        "CityObjects": objects,
        "vertices": vertices,
        **more,
    }


def three_boxes() -> dict[str, Any]:
    """Boxes of 10 x 8 x 6, 20 m apart."""
    vertices = [v for k in range(3) for v in box_vertices(20.0 * k, 0, 30, (10, 8, 6))]
    return city({name: {"type": "Building", "geometry": [solid(8 * k)]} for k, name in enumerate("abc")}, vertices)


def save(folder: Path, document: Any, name: str = "city.city.json") -> Path:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def read(path: Path, frame: Frame = FRAME, *, lod: str = "highest", **options: Any) -> list[Layer]:
    own = CityJsonOptions(lod=lod)  # type: ignore[arg-type]
    return FORMAT.read(path, frame, ReadOptions(own=own, **options), Feedback())


def only(folder: Path, document: Any, **options: Any) -> Layer:
    layers = read(save(folder, document), **options)
    assert len(layers) == 1
    return layers[0]


def issue(layer: Layer, code: str) -> Issue:
    found = [one for one in layer.issues if one.code == code]
    assert len(found) == 1, [one.code for one in layer.issues]
    return found[0]


def mesh_of(layer: Layer) -> Mesh:
    assert isinstance(layer.geometry, Mesh)
    return layer.geometry


def volumes(layer: Layer) -> NDArray[np.float64]:
    """Signed volume of each element by the divergence theorem, from a corner of its own."""
    mesh = mesh_of(layer)
    origin = np.zeros((len(layer.table), 3))
    origin[mesh.face_element] = mesh.vertices[mesh.faces[:, 0]]
    a = mesh.vertices[mesh.faces[:, 0]] - origin[mesh.face_element]
    return np.bincount(mesh.face_element, np.einsum("ij,ij->i", a, mesh.face_cross) / 6, minlength=len(layer.table))


def triangles(mesh: Mesh) -> NDArray[np.float64]:
    """Corner coordinates of all triangles in an order of their own [mm]."""
    corner = np.rint(mesh.vertices[mesh.faces] * 1000).reshape(-1, 9)
    return corner[np.lexsort(corner.T)]


def surface_counts(layer: Layer) -> dict[str, int]:
    surface = layer.field_named("surface")
    assert surface is not None
    assert len(surface.values) == len(mesh_of(layer).faces)
    return dict(Counter(surface.categories[code] for code in surface.values.tolist()))


TEMPLATES = {
    "templates": [{"type": "MultiSurface", "lod": "2", "boundaries": BOX_SURFACES}],
    "vertices-templates": [[c[0] - 0.5, c[1] - 0.5, c[2] * 1.0] for c in CORNERS],
}


# a quarter turn to the left, twice as high, 3 m further along the template's x
MATRIX = [0, -1, 0, 3, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]


def instance(anchor: int = 0, **more: Any) -> dict[str, Any]:
    geometry = {"type": "GeometryInstance", "template": 0, "boundaries": [anchor], "transformationMatrix": list(MATRIX)}
    return {"type": "SolitaryVegetationObject", "geometry": [geometry | more]}
