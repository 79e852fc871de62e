"""Mesh files into layers: objects become elements, colours a field; shared by glTF, OBJ, PLY and STL."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.formats.contract import FileInfo, MapBox, ReadOptions
from geo.formats.mesh_model import MeshModel, Piece, no_triangles, on_earth, z_up
from geo.formats.mesh_place import MeshOptions, Placing, placing
from geo.model import Column, ElementTable, Feedback, Field, Frame, Geometry, Issue, Layer, Mesh, Points, Source
from geo.model.layer import THEMES

Floats = NDArray[np.float64]
SURFACES = ("roof", "wall", "ground", "other")
MOST_COLUMNS = 200


def describe(model: MeshModel, format_id: str, title: str) -> FileInfo:
    """What a mesh file without a coordinate system says about itself; bounds in its own units, z up."""
    box = model.box()
    bounds = None
    if box is not None:
        corners = z_up(np.stack(box), model.up)
        low, high = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        bounds = (low[0], low[1], low[2], high[0], high[1], high[2])
    counts = {"objects": len({piece.node for piece in model.pieces}), "triangles": model.triangles}
    if len(model.points):
        counts["points"] = len(model.points)
    return FileInfo(
        format=format_id,
        title=title,
        version=model.version,
        bounds=bounds,
        counts=counts,
        issues=model.issues,
        details={"generator": model.generator, "up": model.up},
        place_is_weak=True,
    )


def layers_of(model: MeshModel, path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """One layer ``mesh`` (or ``points`` for files of single points), placed as the options say."""
    own = options.own if isinstance(options.own, MeshOptions) else MeshOptions()
    up = model.up if own.up == "auto" else own.up
    if not model.triangles and not len(model.points):
        raise no_triangles(path.name)
    joined = Joined.of(model.pieces)
    points = z_up(joined.vertices if model.triangles else model.points, up) * own.scale
    if model.centre is not None:
        points = points + model.centre * own.scale
    finite = points[np.isfinite(points).all(axis=1)]
    if len(finite) == 0:
        raise no_triangles(path.name)
    place, issues = placing(
        (finite.min(axis=0), finite.max(axis=0)), frame, own, crs=options.crs, terrain=options.terrain
    )
    feedback.step(0.9, "placing")
    issues = [*model.issues, *issues]
    local = in_bites(points, place)
    theme = options.kind if options.kind in THEMES else "other"
    if model.triangles:
        layer = joined.layer(local, path.stem, theme, issues)
    else:
        layer = _points_layer(local, model.point_colours, path.stem, theme, issues)
    return [kept for kept in [in_box(layer, options.box, frame)] if kept is not None]


def in_bites(points: Floats, place: Placing, size: int = 500_000) -> Floats:
    """`place` applied to a bite at a time, so that temporary arrays stay small."""
    out = np.empty_like(points)
    for start in range(0, len(points), size):
        out[start : start + size] = place(points[start : start + size])
    return out


class Joined:
    """Pieces in one set of arrays, their objects in a table.

    Attributes
    ----------
    vertices : (n, 3) float64 in the file's axes
    faces : (m, 3) int64; element, colours : (m,)
    surface : (m,) int8 or None
        Codes of `SURFACES` where the materials say roof, wall or ground.
    table : ElementTable
    """

    def __init__(self) -> None:
        self.vertices: Floats = np.empty((0, 3))
        self.faces: NDArray[np.int64] = np.empty((0, 3), np.int64)
        self.element: NDArray[np.int64] = np.empty(0, np.int64)
        self.colours: NDArray[np.int32] = np.empty(0, np.int32)
        self.surface: NDArray[np.int8] | None = None
        self.table = ElementTable(())

    @staticmethod
    def of(pieces: Sequence[Piece]) -> Joined:
        """All pieces together; objects and features without a face get no row."""
        joined = Joined()
        pieces = [piece for piece in pieces if len(piece.faces)]
        if not pieces:
            return joined
        start = np.cumsum([0, *(len(piece.vertices) for piece in pieces[:-1])])
        joined.vertices = np.concatenate([piece.vertices for piece in pieces])
        joined.faces = np.concatenate([p.faces + s for p, s in zip(pieces, start.tolist(), strict=True)])
        joined.colours = np.concatenate([piece.colours for piece in pieces])
        joined.element, joined.table = _elements(pieces)
        joined.surface = _surfaces(pieces)
        return joined

    def layer(self, local: Floats, name: str, theme: str, issues: Sequence[Issue]) -> Layer:
        """A mesh layer with the vertices at `local` (n, 3)."""
        good = on_earth(local)[self.faces].all(axis=1)
        distinct = (np.diff(np.column_stack([self.faces, self.faces[:, :1]]), axis=1) != 0).all(axis=1)
        keep = good & distinct
        said = list(issues)
        for count, code, why in (
            (int((~good).sum()), "mesh.not_finite", "have corners that lie nowhere on Earth"),
            (int((good & ~distinct).sum()), "mesh.degenerate", "have fewer than three corners"),
        ):
            if count:
                said.append(Issue(code, f"{count} triangles {why} and were left out.", "error", count))
        if not keep.any():
            raise no_triangles(name)
        fields = []
        if (self.colours >= 0).any():
            fields.append(Field("colour", "1", "face", self.colours[keep]))
        if self.surface is not None:
            fields.append(Field("surface", "1", "face", self.surface[keep], categories=SURFACES))
        used = np.unique(self.faces[keep])
        number = np.zeros(len(local), np.int64)
        number[used] = np.arange(len(used))
        mesh = Mesh(local[used], number[self.faces[keep]], self.element[keep])
        return Layer(
            "mesh", name, theme, mesh, self.table, tuple(fields), source=Source(part="mesh"), issues=tuple(said)
        )


def _elements(pieces: Sequence[Piece]) -> tuple[NDArray[np.int64], ElementTable]:
    """Row of each face, and the table: one row per object, or per feature where an object has several."""
    keys: dict[tuple[int, int], int] = {}
    names: list[str] = []
    rows: list[Mapping[str, Any]] = []
    found = []
    for piece in pieces:
        features, inverse = (
            (np.array([-1]), np.zeros(len(piece.faces), np.int64))
            if piece.features is None
            else np.unique(piece.features, return_inverse=True)
        )
        number = np.empty(len(features), np.int64)
        for k, feature in enumerate(features.tolist()):
            key = (piece.node, feature)
            if key not in keys:
                keys[key] = len(names)
                name, row = _described(piece, feature)
                names.append(name)
                rows.append(row)
            number[k] = keys[key]
        found.append(number[inverse.reshape(-1)])
    return np.concatenate(found), ElementTable(unique_names(names), columns_of(rows))


def _described(piece: Piece, feature: int) -> tuple[str, Mapping[str, Any]]:
    """Name and attributes of an object or of one of its features."""
    plain = {key: value for key, value in piece.extras.items() if not isinstance(value, dict | list)}
    if feature < 0:
        return piece.name, plain
    lists = {key: value for key, value in piece.extras.items() if isinstance(value, list) and feature < len(value)}
    row = {**plain, **{key: value[feature] for key, value in lists.items()}}
    name = next((row[key] for key in ("id", "gml:id", "gml_id", "name", "ids") if isinstance(row.get(key), str)), "")
    return name or (f"{piece.name}-{feature}" if piece.name else f"{feature}"), row


def unique_names(names: Sequence[str]) -> list[str]:
    """Names with a number where they are empty or come again."""
    taken: set[str] = set()
    again: Counter[str] = Counter()
    out = []
    for position, wish in enumerate(names):
        base = wish or f"object-{position + 1}"
        name = base
        while name in taken:
            again[base] += 1
            name = f"{base}-{again[base] + 1}"
        taken.add(name)
        out.append(name)
    return out


def columns_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Column]:
    """Columns of attributes: numbers where all known values are numbers, else text."""
    names = list(dict.fromkeys(key for row in rows for key in row))[:MOST_COLUMNS]
    return {str(name): Column(_column([row.get(name) for row in rows]), title=str(name)) for name in names}


def _column(values: list[Any]) -> NDArray[Any]:
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, bool) for value in known) and len(known) == len(values):
        return np.array(values, dtype=bool)
    if known and all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 2**53 for v in known):
        if len(known) == len(values) and all(isinstance(value, int) for value in known):
            return np.array(values, dtype=np.int64)
        return np.array([math.nan if value is None else float(value) for value in values])
    texts = [None if value is None or isinstance(value, dict | list) else str(value) for value in values]
    return np.array(texts, dtype=object)


def _surfaces(pieces: Sequence[Piece]) -> NDArray[np.int8] | None:
    """Surface of each face where the materials say it (as our own files do)."""
    said = [(piece.material.get("extras") or {}).get("surface") for piece in pieces]
    if not any(word in SURFACES for word in said):
        return None
    codes = [SURFACES.index(word) if word in SURFACES else -1 for word in said]
    return np.repeat(np.array(codes, dtype=np.int8), [len(piece.faces) for piece in pieces])


def _points_layer(local: Floats, colours: NDArray[np.int32], name: str, theme: str, issues: Sequence[Issue]) -> Layer:
    good = on_earth(local)
    if not good.any():
        raise no_triangles(name)
    fields = (Field("colour", "1", "point", colours[good]),) if len(colours) == len(local) else ()
    geometry: Geometry = Points(local[good], np.zeros(int(good.sum()), np.int32))
    return Layer("points", name, theme, geometry, ElementTable([name]), fields, source=Source(part="points"),
                 issues=tuple(issues))  # fmt: skip


def in_box(layer: Layer, box: MapBox | None, frame: Frame) -> Layer | None:
    """The layer, without the elements (of a mesh) or points that lie wholly outside the box; None if none is left."""
    geometry = layer.geometry
    if box is None or not isinstance(geometry, Mesh | Points):
        return layer
    east, north = frame.origin[:2]
    x, y = geometry.vertices[:, 0] + east, geometry.vertices[:, 1] + north
    if isinstance(geometry, Points):
        keep = (x >= box.west) & (x <= box.east) & (y >= box.south) & (y <= box.north)
        fields = tuple(Field(f.name, f.unit, f.on, f.values[keep], f.categories) for f in layer.fields)
        cut: Geometry = Points(geometry.vertices[keep], geometry.element[keep])
        return layer.with_(geometry=cut, fields=fields) if keep.any() else None
    count = len(layer.table)
    corner = geometry.faces.reshape(-1)
    owner = np.repeat(geometry.face_element, 3)
    touches = np.ones(count, bool)
    for values, low, high in ((x, box.west, box.east), (y, box.south, box.north)):
        least, most = np.full(count, np.inf), np.full(count, -np.inf)
        np.minimum.at(least, owner, values[corner])
        np.maximum.at(most, owner, values[corner])
        touches &= (least <= high) & (most >= low)
    return only_elements(layer, geometry, touches)


def only_elements(layer: Layer, mesh: Mesh, chosen: NDArray[np.bool_]) -> Layer | None:
    """A mesh layer with only the chosen elements."""
    faces = chosen[mesh.face_element]
    if not faces.any():
        return None
    used = np.unique(mesh.faces[faces])
    number = np.zeros(len(mesh.vertices), np.int64)
    number[used] = np.arange(len(used))
    row = np.cumsum(chosen) - 1
    geometry = Mesh(mesh.vertices[used], number[mesh.faces[faces]], row[mesh.face_element[faces]])
    columns = {n: Column(c.values[chosen], c.unit, c.title) for n, c in layer.table.columns.items()}
    fields = tuple(
        Field(f.name, f.unit, f.on, f.values[faces], f.categories, f.ramp, f.range)
        for f in layer.fields
        if f.on == "face"
    )
    return layer.with_(geometry=geometry, table=ElementTable(layer.table.ids[chosen], columns), fields=fields)
