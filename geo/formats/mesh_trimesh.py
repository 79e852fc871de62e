"""OBJ, PLY and STL through trimesh, into pieces of triangles."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.formats.mesh_model import (
    FAULTS,
    MOST_TRIANGLES,
    NO_COLOUR,
    MeshModel,
    Piece,
    damaged,
    fault_reason,
    packed_colours,
    read_whole,
    too_large,
)
from geo.formats.nearby import Nearby
from geo.model import UserError

LARGEST_TEXTURE = 200 * 2**20


class _Beside:
    """What trimesh asks for materials and pictures: only files in the folder of the model and below."""

    def __init__(self, nearby: Nearby) -> None:
        self.nearby = nearby

    def get(self, name: str) -> bytes:
        try:
            return self.nearby.read(str(name).strip(), most=LARGEST_TEXTURE)
        except UserError as error:
            # trimesh takes this as "not there" and goes on without the material.
            raise FileNotFoundError(str(name)) from error

    def __getitem__(self, name: str) -> bytes:
        return self.get(name)

    def namespaced(self, namespace: str) -> _Beside:
        """The same; names stay relative to the model."""
        return self

    def keys(self) -> list[str]:
        """Nothing is listed."""
        return []


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the log of trimesh, which holds whole tracebacks for a missing material."""
    log = logging.getLogger("trimesh")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


def load(path: Path, file_type: str) -> MeshModel:
    """Everything in an OBJ, PLY or STL file. Raises `UserError`."""
    data = read_whole(path)
    from PIL import Image

    try:
        with _quiet(), np.errstate(all="ignore"):
            return _model(path, _loaded(data, path, file_type))
    except (*FAULTS, OSError, MemoryError, ImportError, NameError, SyntaxError, Image.DecompressionBombError) as error:
        raise damaged(path.name, fault_reason(error)) from error


def _loaded(data: bytes, path: Path, file_type: str) -> Any:
    import trimesh

    settings: dict[str, Any] = {"process": False, "maintain_order": True}
    if file_type == "obj":
        settings |= {"split_objects": True, "group_material": False, "skip_materials": False}
    return trimesh.load_scene(io.BytesIO(data), file_type=file_type, resolver=_Beside(Nearby.beside(path)), **settings)


def _model(path: Path, scene: Any) -> MeshModel:
    import trimesh

    pieces: list[Piece] = []
    points: list[Any] = []
    colours: list[NDArray[np.int32]] = []
    total = 0
    for node in scene.graph.nodes_geometry:
        matrix, key = scene.graph[node]
        geometry = scene.geometry[key]
        if isinstance(geometry, trimesh.PointCloud):
            points.append(trimesh.transform_points(geometry.vertices, matrix))
            colours.append(_point_colours(geometry))
            continue
        if not isinstance(geometry, trimesh.Trimesh):
            continue
        total += len(geometry.faces)
        if total > MOST_TRIANGLES:
            raise too_large(path.name, total)
        name = "" if len(scene.geometry) == 1 and str(key).startswith(("geometry_", path.name)) else str(key)
        pieces.append(_piece(geometry, matrix, name or path.stem, len(pieces)))
    return MeshModel(
        pieces,
        "z",
        points=np.concatenate(points) if points and not pieces else np.empty((0, 3)),
        point_colours=np.concatenate(colours) if points and not pieces else np.empty(0, np.int32),
    )


def _piece(geometry: Any, matrix: Any, name: str, node: int) -> Piece:
    vertices = np.asarray(geometry.vertices, dtype=np.float64)
    faces = np.asarray(geometry.faces, dtype=np.int64)
    if len(faces) and (faces.min() < 0 or faces.max() >= len(vertices)):
        raise ValueError("a face names a vertex that does not exist")
    vertices = vertices @ matrix[:3, :3].T + matrix[:3, 3]
    used, index = np.unique(faces, return_inverse=True)
    return Piece(name, node, vertices[used], index.reshape(-1, 3), _face_colours(geometry))


def _face_colours(geometry: Any) -> NDArray[np.int32]:
    """0xRRGGBB per face from face, vertex or material colours; -1 where the file has none."""
    plain = np.full(len(geometry.faces), NO_COLOUR, np.int32)
    visual = geometry.visual
    if visual is None or not visual.defined:
        return plain
    try:
        if visual.kind == "texture":
            material = visual.material
            if visual.uv is None or getattr(material, "image", None) is None:
                rgb = np.asarray(material.main_color)
                return np.full(len(plain), packed_colours(rgb[None])[0], np.int32)
            visual = visual.to_color()
        if visual.kind == "vertex":
            corner = np.asarray(visual.vertex_colors)[np.asarray(geometry.faces)]
            return packed_colours(np.rint(corner.mean(axis=1)))
        if visual.kind == "face":
            return packed_colours(np.asarray(visual.face_colors))
    except FAULTS:
        # Colours that cannot be made out do not make the shape worthless.
        return plain
    return plain


def _point_colours(cloud: Any) -> NDArray[np.int32]:
    colours = np.asarray(cloud.colors)
    if colours.ndim != 2 or len(colours) != len(cloud.vertices):
        return np.full(len(cloud.vertices), NO_COLOUR, np.int32)
    return packed_colours(colours)
