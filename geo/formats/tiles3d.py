"""3D Tiles 1.0 and 1.1: a tileset on this machine read to the level of detail that fits, a scene written as one."""

from __future__ import annotations

import contextlib
import dataclasses
import heapq
import mmap
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field as Setting

from geo import geocentric
from geo.formats import tiles3d_content
from geo.formats.contract import FileInfo, Format, MapBox, ReadOptions
from geo.formats.gltf_write import KEY
from geo.formats.mesh_file import Joined, in_bites, in_box
from geo.formats.mesh_model import FAULTS, Piece, damaged, fault_reason, no_triangles, read_whole
from geo.formats.mesh_place import MeshOptions, placing
from geo.formats.tiles3d_content import Content
from geo.formats.tiles3d_tree import ON_EARTH, Tile, all_tiles, document_of, is_tileset, root_of
from geo.formats.tiles3d_write import write
from geo.model import Column, ElementTable, Feedback, Frame, Issue, Layer, Mesh, Source, UserError
from geo.model.layer import THEMES

Floats = NDArray[np.float64]
CRS = "EPSG:4979"
MOST_INSPECTED = 20_000
WORDS = (b'"asset"', b'"geometricError"', b'"root"', b'"boundingVolume"')
MOST_CONTENTS = 100_000


class TilesOptions(MeshOptions):
    """What a user may say about a tileset; a place by hand counts only for tilesets that are not on the globe."""

    max_triangles: int = Setting(3_000_000, ge=1_000, le=30_000_000, title="Most triangles to load")


def sniff(path: Path, head: bytes) -> bool:
    """JSON that speaks of an asset, a root and geometric errors."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text.startswith(b"{") or b'"CityJSON"' in text:
        return False
    words = sum(word in text for word in WORDS)
    if b'"accessors"' in text or (words < 2 and b'"asset"' not in text and b'"schema"' not in text):
        return False
    return words >= 2 or _says_later(path)


def _says_later(path: Path) -> bool:
    """Whether the words of a tileset stand further on, as in files that begin with a long schema."""
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            return all(whole.find(word) >= 0 for word in WORDS) and whole.find(b'"accessors"') < 0
    except (OSError, ValueError):
        return False


def inspect(path: Path) -> FileInfo:
    """Version, tiles, extent of the root; no content is opened."""
    document = document_of(path)
    try:
        with np.errstate(all="ignore"):  # absurd numbers become infinite and are left out further on
            return _inspect(path, document)
    except FAULTS as error:
        raise damaged(path.name, fault_reason(error)) from error


def _inspect(path: Path, document: Mapping[str, Any]) -> FileInfo:
    root = root_of(path, document)
    kinds: Counter[str] = Counter()
    for tile in all_tiles(root, most=MOST_INSPECTED):
        kinds["tiles"] += 1
        for uri in tile.uris:
            kinds["nested tilesets" if is_tileset(uri) else "contents"] += 1
    bounds = _bounds(root)
    issues = [] if bounds is None or _own(document) else [_ellipsoidal()]
    return FileInfo(
        format=FORMAT.id,
        title=FORMAT.title,
        version=str(document["asset"].get("version", "")),
        crs=None if bounds is None else CRS,
        vertical="" if bounds is None or _own(document) else "ellipsoid",
        bounds=bounds,
        counts=dict(kinds),
        issues=tuple(issues),
        details={"generator": str(document["asset"].get("generator", ""))[:200], "geometric_error": root.error},
        place_is_weak=bounds is None,
    )


def _bounds(root: Tile) -> tuple[float, float, float, float, float, float] | None:
    """Longitude, latitude and height of the root's volume; None where it does not lie on the globe."""
    corners = root.corners()
    if corners is None or np.linalg.norm(corners.mean(axis=0)) < ON_EARTH:
        return None
    lon, lat, height = geocentric.to_geodetic(corners)
    low = [float(values.min()) for values in (lon, lat, height)]
    high = [float(values.max()) for values in (lon, lat, height)]
    return low[0], low[1], low[2], high[0], high[1], high[2]


def _ellipsoidal() -> Issue:
    message = "Heights are measured from the ellipsoid, not from sea level."
    return Issue("crs.ellipsoid_heights", message, "doubt")


def _own(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Our own entry in the extras, None in tilesets of others."""
    extras = document["asset"].get("extras")
    entry = extras.get(KEY) if isinstance(extras, dict) else None
    return entry if isinstance(entry, dict) else None


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """The layers of a tileset of this program as they were; of any other one layer ``tiles``."""
    own = options.own if isinstance(options.own, TilesOptions) else TilesOptions()
    feedback.step(0.0, f"reading {path.name}")
    document = document_of(path)
    try:
        with np.errstate(all="ignore"):  # as above
            refinement = _Refinement(
                path, document, own, _local_box(options.box, frame), frame, feedback.part(0.02, 0.8)
            )
            pieces = refinement.pieces()
            layers = _layers(path, document, pieces, refinement.issues(), frame, options, own)
    except FAULTS as error:
        raise damaged(path.name, fault_reason(error)) from error
    if not layers and options.box is None:
        raise refinement.first_error or no_triangles(path.name)
    feedback.step(1.0, "read")
    return layers


def _local_box(box: MapBox | None, frame: Frame) -> tuple[float, float, float, float] | None:
    if box is None:
        return None
    east, north = frame.origin[:2]
    return box.west - east, box.south - north, box.east - east, box.north - north


class _Refinement:
    """Tiles opened from the root downwards, the coarsest first, as long as the triangles stay below the limit."""

    def __init__(
        self,
        path: Path,
        document: Mapping[str, Any],
        own: TilesOptions,
        box: tuple[float, float, float, float] | None,
        frame: Frame,
        feedback: Feedback,
    ) -> None:
        self.path, self.own, self.box, self.frame, self.feedback = path, own, box, frame, feedback
        axis = str(document["asset"].get("gltfUpAxis", "Y")).upper()
        self.up = "z" if axis == "Z" else "y"
        self.root = root_of(path, document)
        self.first_error: UserError | None = None
        self.lost = 0
        self.stopped = 0
        self.opened = 0
        self.said: list[Issue] = []

    def pieces(self) -> list[Piece]:
        """All triangles of the chosen tiles; objects of different tiles keep different numbers."""
        heap: list[tuple[float, int, Tile, Content]] = []
        done: list[Content] = []
        order = 0
        total = self._push(heap, [self.root], order)
        while heap:
            _, _, tile, content = heapq.heappop(heap)
            children = self._below(tile)
            if not children:
                done.append(content)
                continue
            loaded = [(child, self._content(child)) for child in children]
            more = sum(one.triangles for _, one in loaded)
            gone = content.triangles if tile.refine == "REPLACE" else 0
            if total + more - gone > self.own.max_triangles and more:
                self.stopped += 1
                done.append(content)
                continue
            total += more - gone
            if tile.refine == "ADD" or not more and content.triangles:
                done.append(content)
            for child, one in loaded:
                order += 1
                heapq.heappush(heap, (-child.error, order, child, one))
        return self._numbered(done)

    def _push(self, heap: list[tuple[float, int, Tile, Content]], tiles: list[Tile], order: int) -> int:
        total = 0
        for tile in tiles:
            if not self._touches(tile):
                continue
            content = self._content(tile)
            total += content.triangles
            heapq.heappush(heap, (-tile.error, order, tile, content))
        return total

    def _below(self, tile: Tile) -> list[Tile]:
        """Children inside the box, the roots of nested tilesets among them."""
        try:
            found = tile.children()
        except UserError as error:
            self._lose(error)
            found = []
        for uri in tile.uris:
            if is_tileset(uri):
                try:
                    found.append(tile.nested(tile.nearby.locate(uri)))
                except UserError as error:
                    self._lose(error)
        return [child for child in found if self._touches(child)]

    def _content(self, tile: Tile) -> Content:
        pieces: list[Piece] = []
        numbers: dict[tuple[int, int], int] = {}
        for number, uri in enumerate(tile.uris):
            if is_tileset(uri):
                continue
            self.opened += 1
            if self.opened > MOST_CONTENTS:
                raise ValueError("it has more tiles than the program opens")
            self.feedback.step(1.0 - 1.0 / (1.0 + self.opened / 20), f"tile {self.opened}")
            try:
                place = tile.nearby.locate(uri)
                loaded = tiles3d_content.load(
                    read_whole(place), tile.nearby.within(place), tile.transform, self.up, Feedback()
                )
            except UserError as error:
                self._lose(error)
                continue
            self.said += loaded.issues
            pieces += tiles3d_content.renumbered(loaded.pieces, numbers, number)
        return Content(pieces)

    def _lose(self, error: UserError) -> None:
        self.lost += 1
        self.first_error = self.first_error or error

    def _touches(self, tile: Tile) -> bool:
        """Whether a tile may reach into the box; True without a box or a usable volume."""
        if self.box is None:
            return True
        corners = tile.corners()
        if corners is None or np.linalg.norm(corners.mean(axis=0)) < ON_EARTH:
            return True
        local = geocentric.to_local(corners, self.frame)
        low, high = local.min(axis=0), local.max(axis=0)
        west, south, east, north = self.box
        return bool(low[0] <= east and high[0] >= west and low[1] <= north and high[1] >= south)

    @staticmethod
    def _numbered(contents: list[Content]) -> list[Piece]:
        numbers: dict[tuple[int, int], int] = {}
        return [
            piece
            for part, content in enumerate(contents)
            for piece in tiles3d_content.renumbered(content.pieces, numbers, part)
        ]

    def issues(self) -> list[Issue]:
        """What was left out or is coarser than the file has it."""
        merged: dict[str, Issue] = {}
        for issue in self.said:
            before = merged.get(issue.code)
            merged[issue.code] = issue if before is None else dataclasses.replace(
                before, count=before.count + issue.count)  # fmt: skip
        issues = list(merged.values())
        if self.stopped:
            message = f"{self.stopped} tiles are shown coarser than the file has them, to stay below the limit."
            values = {"limit": self.own.max_triangles}
            issues.append(Issue("tiles3d.coarser", message, "note", self.stopped, values=values))
        if self.lost:
            reason = str(self.first_error)
            message = f"{self.lost} tiles could not be read and are missing. {reason}"
            issues.append(Issue("tiles3d.lost", message, "error", self.lost, values={"reason": reason}))
        return issues


def _layers(
    path: Path,
    document: Mapping[str, Any],
    pieces: list[Piece],
    issues: list[Issue],
    frame: Frame,
    options: ReadOptions,
    own: TilesOptions,
) -> list[Layer]:
    entry = _own(document)
    groups: dict[int, list[Piece]] = {}
    for piece in pieces:
        groups.setdefault(int(piece.extras.get("layer", 0)) if entry else 0, []).append(piece)
    out = []
    for number, group in sorted(groups.items()):
        joined = Joined.of(group)
        if not len(joined.faces):
            continue
        local, doubts = _local(joined.vertices, frame, options, own, is_own=entry is not None)
        theme = options.kind if options.kind in THEMES else "other"
        layer = joined.layer(local, path.parent.name or path.stem, theme, [*issues, *doubts])
        layer = layer.with_(id="tiles", source=Source(part="tiles"))
        if entry is not None:
            layer = _restored(layer, entry, number, group, options.kind)
        kept = in_box(layer, options.box, frame)
        if kept is not None:
            out.append(kept)
    return out


def _local(
    points: Floats, frame: Frame, options: ReadOptions, own: TilesOptions, *, is_own: bool
) -> tuple[Floats, list[Issue]]:
    """Positions in local metres: from the globe, or placed like a mesh without a place."""
    good = points[np.isfinite(points).all(axis=1)]
    if len(good) == 0:
        raise ValueError("it has no finite position")
    if np.linalg.norm(np.median(good, axis=0)) > ON_EARTH and options.crs is None:
        local = in_bites(points, lambda part: geocentric.to_local(part, frame))
        return local, [] if is_own else [_ellipsoidal()]
    points = points * own.scale
    box = good.min(axis=0) * own.scale, good.max(axis=0) * own.scale
    place, issues = placing(box, frame, own, crs=options.crs, terrain=options.terrain)
    return in_bites(points, place), issues


def _restored(layer: Layer, entry: Mapping[str, Any], number: int, pieces: list[Piece], kind: str | None) -> Layer:
    """A layer of our own tileset: its name and theme, units, and elements cut by tiles in one piece again."""
    listed = entry.get("layers")
    said = listed[number] if isinstance(listed, list) and 0 <= number < len(listed) else {}
    theme = kind if kind in THEMES else said.get("theme")
    units = said.get("units") or {}
    ids = [str(one) for one in layer.table.columns["id"].values] if "id" in layer.table.columns else list(layer.table)
    first = {one: row for row, one in reversed(list(enumerate(ids)))}
    rows = np.array(sorted(first.values()), dtype=np.int64)
    place = {ids[row]: new for new, row in enumerate(rows.tolist())}
    if not isinstance(layer.geometry, Mesh):
        return layer
    element = np.array([place[one] for one in ids], dtype=np.int64)[layer.geometry.face_element]
    columns = {
        name: Column(column.values[rows], str(units.get(name) or ""))
        for name, column in layer.table.columns.items()
        if name not in ("id", "layer")
    }
    plain = np.concatenate([np.full(len(p.faces), bool((p.material.get("extras") or {}).get("plain"))) for p in pieces])
    fields = layer.fields if not plain.all() else tuple(f for f in layer.fields if f.name != "colour")
    part = str(said.get("id") or f"tiles-{number + 1}")
    return layer.with_(
        id=part,
        name=str(said.get("name") or layer.name),
        theme=theme if theme in THEMES else "other",
        geometry=Mesh(layer.geometry.vertices, layer.geometry.faces, element),
        table=ElementTable([ids[row] for row in rows.tolist()], columns),
        fields=fields,
        source=Source(part=part),
    )


def companions(path: Path) -> list[Path]:
    """Tiles and nested tilesets that lie beside the file."""
    found: dict[Path, None] = {}
    try:
        stack = [root_of(path, document_of(path))]
        while stack and len(found) < MOST_CONTENTS:
            tile = stack.pop()
            stack += tile.children()
            for uri in tile.uris:
                with contextlib.suppress(UserError):
                    place = tile.nearby.locate(uri)
                    found[place] = None
                    if is_tileset(uri):
                        stack.append(tile.nested(place))
    except (UserError, *FAULTS):
        pass  # what cannot be listed cannot be read either, and reading says why
    return list(found)


FORMAT = Format(
    id="3dtiles",
    title="3D Tiles",
    patterns=("tileset.json", "*tileset*.json"),
    sniff=sniff,
    inspect=inspect,
    read=read,
    write=write,
    writes=("mesh", "instances", "terrain"),
    options=TilesOptions,
    companions=companions,
)
