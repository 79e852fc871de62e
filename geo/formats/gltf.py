"""glTF 2.0 and GLB: read with or without a place on the map, written as GLB with one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import crs as coordinates
from geo.formats import gltf_file
from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.formats.gltf_write import KEY, write
from geo.formats.mesh_file import Joined, columns_of, describe, in_bites, in_box, layers_of
from geo.formats.mesh_model import (
    FAULTS,
    NO_COLOUR,
    MeshModel,
    Piece,
    damaged,
    fault_reason,
    no_triangles,
    read_whole,
    z_up,
)
from geo.formats.mesh_place import MeshOptions
from geo.formats.nearby import Nearby
from geo.model import Column, ElementTable, Feedback, Frame, Issue, Layer, Source, Style, UserError
from geo.model.layer import THEMES

Floats = NDArray[np.float64]


def sniff(path: Path, head: bytes) -> bool:
    """GLB by its magic; glTF by JSON whose asset has a version and that speaks of buffers or meshes."""
    if head[:4] == b"glTF":
        return True
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text.startswith(b"{") or path.suffix.lower() not in (".gltf", ".json", ""):
        return False
    words = (b'"accessors"', b'"bufferViews"', b'"meshes"', b'"scenes"', b'"buffers"')
    return (b'"asset"' in text and any(word in text for word in words)) or (
        path.suffix.lower() == ".gltf" and any(word in text for word in (*words, b'"asset"'))
    )


def inspect(path: Path) -> FileInfo:
    """Objects, triangles, extent; the place on the map for files of this program."""
    model = gltf_file.load(read_whole(path), Nearby.beside(path))
    info = describe(model, FORMAT.id, FORMAT.title)
    place = _own_place(model, path.name)
    box = model.box()
    if place is None or box is None:
        return info
    corners = z_up(np.stack(box), "y") + place.origin
    low, high = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return FileInfo(
        format=info.format, title=info.title, version=info.version, crs=place.crs, vertical=place.vertical,
        bounds=(low[0], low[1], low[2], high[0], high[1], high[2]), counts=info.counts, issues=info.issues,
        details=info.details,
    )  # fmt: skip


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """The layers of a file of this program as they were; of any other file one layer ``mesh``."""
    feedback.step(0.0, f"reading {path.name}")
    model = gltf_file.load(read_whole(path), Nearby.beside(path), feedback.part(0.05, 0.8))
    place = _own_place(model, path.name)
    own = options.own if isinstance(options.own, MeshOptions) else MeshOptions()
    by_hand = own != MeshOptions() or options.crs is not None
    if place is None or by_hand:
        layers = layers_of(model, path, frame, options, feedback)
    else:
        try:
            layers = _own_layers(model, place, frame, options)
        except FAULTS as error:
            raise damaged(path.name, fault_reason(error)) from error
        if not layers and options.box is None:
            raise no_triangles(path.name)
    feedback.step(1.0, "read")
    return layers


class _Place:
    """What our own entry in the extras says."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.crs = coordinates.canonical(str(entry["crs"]))
        self.vertical = str(entry.get("vertical", ""))
        self.origin: Floats = np.asarray(entry["origin"], dtype=np.float64)
        if self.origin.shape != (3,) or not np.isfinite(self.origin).all():
            raise ValueError("the origin is no place")
        layers = entry.get("layers")
        self.layers: list[Mapping[str, Any]] = layers if isinstance(layers, list) else []


def _own_place(model: MeshModel, name: str) -> _Place | None:
    """The place in files of this program, None in others."""
    entry = model.extras.get(KEY)
    if not isinstance(entry, dict):
        return None
    try:
        return _Place(entry)
    except FAULTS as error:
        raise damaged(name, fault_reason(error)) from error


def _own_layers(model: MeshModel, place: _Place, frame: Frame, options: ReadOptions) -> list[Layer]:
    groups: dict[int, list[Piece]] = {}
    for piece in model.pieces:
        groups.setdefault(int(piece.extras.get("layer", -1)), []).append(piece)
    out = []
    for number, pieces in sorted(groups.items()):
        entry = place.layers[number] if 0 <= number < len(place.layers) else {}
        layer = _own_layer(pieces, entry, number, place, frame, options)
        kept = None if layer is None else in_box(layer, options.box, frame)
        if kept is not None:
            out.append(kept)
    return out


def _own_layer(
    pieces: list[Piece], entry: Mapping[str, Any], number: int, place: _Place, frame: Frame, options: ReadOptions
) -> Layer | None:
    joined = Joined.of([_own_colours(piece) for piece in pieces])
    if not len(joined.faces):
        return None
    ids = [str(one) for one in entry.get("ids") or []]
    rows = _rows_of(pieces)
    if ids and len(set(ids)) == len(ids) and rows.min() >= 0 and rows.max() < len(ids):
        joined.element, joined.table = rows, ElementTable(ids, _columns(entry, len(ids)))
    map_points = in_bites(joined.vertices, lambda points: z_up(points, "y") + place.origin)
    local = in_bites(map_points, lambda points: coordinates.to_local(points, place.crs, frame))
    theme = options.kind if options.kind in THEMES else str(entry.get("theme"))
    layer = joined.layer(local, str(entry.get("name") or "mesh"), theme if theme in THEMES else "other", ())
    part = str(entry.get("id") or f"mesh-{number + 1}")
    colour = str(entry.get("colour") or "")
    stratum = entry.get("stratum")
    return layer.with_(
        id=part,
        source=Source(part=part),
        style=Style(colour=colour if len(colour) == 7 and colour[0] == "#" else ""),
        stratum=stratum if stratum in ("outdoor", "indoor", "underground") else "outdoor",
        issues=(*layer.issues, *_height_doubt(place, frame)),
    )


def _own_colours(piece: Piece) -> Piece:
    """A piece without the plain colours that the writer gave to surfaces without any."""
    if not (piece.material.get("extras") or {}).get("plain"):
        return piece
    return dataclasses.replace(piece, colours=np.full(len(piece.faces), NO_COLOUR, np.int32))


def _height_doubt(place: _Place, frame: Frame) -> list[Issue]:
    """A doubt where the heights of file and project are named differently."""
    if not place.vertical or not frame.vertical or place.vertical == frame.vertical:
        return []
    message = f"Heights in the file are {place.vertical}, in the project {frame.vertical}. They were taken as they are."
    values = {"file": place.vertical, "project": frame.vertical}
    return [Issue("crs.vertical_differs", message, "doubt", values=values)]


def _rows_of(pieces: list[Piece]) -> NDArray[np.int64]:
    """Row of the stored table for each face."""
    found = []
    for piece in pieces:
        if not len(piece.faces):
            continue
        if piece.features is not None:
            found.append(piece.features)
        else:
            found.append(np.full(len(piece.faces), int(piece.extras.get("element", -1)), np.int64))
    return np.concatenate(found)


def _columns(entry: Mapping[str, Any], count: int) -> dict[str, Column]:
    out = {}
    for name, stored in (entry.get("columns") or {}).items():
        values = stored.get("values") or []
        if len(values) == count:
            made = columns_of([{name: value} for value in values])[name].values if count else np.empty(0)
            if stored.get("kind") == "f":
                made = np.array([np.nan if value is None else float(value) for value in values])
            elif stored.get("kind") == "O":
                made = np.array([None if value is None else str(value) for value in values], dtype=object)
            out[str(name)] = Column(made, str(stored.get("unit") or ""), str(stored.get("title") or ""))
    return out


def companions(path: Path) -> list[Path]:
    """Buffers and pictures in files of their own."""
    found = []
    try:
        document, _ = gltf_file.parts_of_glb(read_whole(path))
        nearby = Nearby.beside(path)
        for entry in [*(document.get("buffers") or []), *(document.get("images") or [])]:
            uri = entry.get("uri")
            if uri and not str(uri).startswith("data:"):
                found.append(nearby.locate(str(uri)))
    except (UserError, *FAULTS):
        pass  # what cannot be listed cannot be read either, and reading says why
    return found


FORMAT = Format(
    id="gltf",
    title="glTF",
    patterns=("*.glb", "*.gltf"),
    sniff=sniff,
    inspect=inspect,
    read=read,
    write=write,
    writes=("mesh", "instances", "terrain", "lines"),
    options=MeshOptions,
    companions=companions,
)
