"""CityJSON 1.0 to 2.0 and CityJSONSeq: recognise, describe, read, write."""

from __future__ import annotations

import mmap
import re
import zlib
from collections import Counter
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field as Setting

from geo import crs as coordinates
from geo.formats import cityjson_geometry as shapes
from geo.formats.city_layers import City
from geo.formats.city_objects import REASONS, CityFile
from geo.formats.city_place import check_place, far_away, known_crs, vertical_doubt
from geo.formats.city_shapes import (
    HIGHEST,
    Box,
    Chosen,
    UnusableError,
    boxes_of,
    local_box,
    lod_text,
    placed_on_earth,
    touch,
    with_instances,
)
from geo.formats.city_table import refuse_cyclic_parents
from geo.formats.city_units import with_measured_units
from geo.formats.cityjson_file import Keep, claimed_extent, load, undo_second_translation
from geo.formats.cityjson_templates import place
from geo.formats.cityjson_text import collector_paused
from geo.formats.cityjson_utility import network_layers, take_networks
from geo.formats.cityjson_write import write
from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.formats.network_box import within
from geo.formats.options import FormatOptions
from geo.model import Feedback, Frame, Issue, Layer, MissingCrs, UserError

Floats = NDArray[np.float64]


class CityJsonOptions(FormatOptions):
    """Options of the CityJSON reader."""

    lod: Literal[
        "highest", "0", "1", "2", "3", "0.0", "0.1", "0.2", "0.3", "1.0", "1.1", "1.2", "1.3",
        "2.0", "2.1", "2.2", "2.3", "3.0", "3.1", "3.2", "3.3",
    ] = Setting("highest", title="Level of detail")  # fmt: skip


_TYPE = re.compile(rb'"type"\s*:\s*"CityJSON(Feature)?"')
_OTHER_TYPE = re.compile(rb'^\{\s*"type"\s*:\s*"(FeatureCollection|Feature|Topology)"')
_MEMBER = re.compile(rb'"(CityObjects|geometry-templates)"\s*:')


def sniff(path: Path, head: bytes) -> bool:
    """JSON whose type is CityJSON or CityJSONFeature, wherever in the file that is said; packed or not."""
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, 65536)
        except zlib.error:
            return False
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text.startswith(b"{") or _OTHER_TYPE.match(text):
        return False
    return bool(_TYPE.search(text) or _MEMBER.search(text)) or _says_later(path)


def _says_later(path: Path) -> bool:
    """Whether the type stands further on, as in files whose vertices come first."""
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            return whole.find(b'"CityJSON"') >= 0 and whole.find(b'"CityObjects"') >= 0
    except (OSError, ValueError):
        return False


def inspect(path: Path) -> FileInfo:
    """What the file says about itself; bounds and counts from its real vertices and objects."""
    with collector_paused():
        return _inspect(load(path))


def _inspect(file: CityFile) -> FileInfo:
    code, vertical, issues = known_crs(file.crs)
    if code is not None:
        undo_second_translation(file, code)
    issues = [*file.issues, *issues, *file.dropped.issues()]
    finite = file.vertices[np.isfinite(file.vertices).all(axis=1)]
    bounds = None
    if len(finite):
        low, high = finite.min(axis=0).tolist(), finite.max(axis=0).tolist()
        bounds = (low[0], low[1], low[2], high[0], high[1], high[2])
        issues += _extent_doubt(file, bounds)
        if code is not None:
            issues += _local_doubts(file, code)
    return FileInfo(
        format=FORMAT.id,
        title="CityJSONSeq" if file.is_sequence else "CityJSON",
        version=file.version,
        crs=code,
        vertical=vertical,
        bounds=bounds,
        counts=dict(Counter(item.type for item in file.objects)),
        issues=tuple(issues),
        details={"lods": _lods(file), "vertices": len(file.vertices)},
    )


def _lods(file: CityFile) -> dict[str, int]:
    """Number of geometries of each level of detail."""
    lists = [item.data.get("geometry") for item in file.objects]
    geometries = [geometry for listed in lists if isinstance(listed, list) for geometry in listed]
    lods = Counter(lod_text(geometry.get("lod")) for geometry in geometries if isinstance(geometry, dict))
    return dict(sorted(lods.items()))


def _local_doubts(file: CityFile, code: str) -> list[Issue]:
    """As `check_place`, but an unusable place is a doubt here: describing a file must still work."""
    try:
        return check_place(file, code)
    except UserError as error:
        return [Issue(error.code, str(error), "error", values=error.values)]


def _extent_doubt(file: CityFile, bounds: tuple[float, ...]) -> list[Issue]:
    claimed = claimed_extent(file)
    slack = 0.01 * max(bounds[3] - bounds[0], bounds[4] - bounds[1]) + 1e-9
    if claimed is None or np.allclose(claimed.reshape(-1), bounds, rtol=0.0, atol=slack):
        return []
    message = "The extent in the file's metadata is not that of its vertices; the vertices count."
    return [Issue("cityjson.extent_differs", message, "note", values={"claimed": claimed.reshape(-1).tolist()})]


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """The layers of a file in local metres, one per theme; objects without geometry give no row."""
    with collector_paused():
        return _read(path, frame, options, feedback)


def _read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    wanted = options.own.lod if isinstance(options.own, CityJsonOptions) else HIGHEST
    box = None if options.box is None else local_box(options.box, frame)
    file = load(path, progress=feedback.part(0.0, 0.4).step, keep=_keep(box, options.crs, frame))
    crs = options.crs or file.crs
    if crs is None:
        raise MissingCrs(path.name)
    refuse_cyclic_parents({item.id: item for item in file.objects}, path.name)
    undo_second_translation(file, crs)
    file.issues += [*check_place(file, crs), *vertical_doubt(crs, file, frame)]
    feedback.step(0.42, "coordinates")
    local = placed_on_earth(file.vertices, crs, frame)
    networks = network_layers(take_networks(file), file, local)
    semantics = shapes.SurfaceSemantics()
    chosen = _chosen(file, wanted, semantics, feedback.part(0.45, 0.6))
    placed = place(chosen, file, local, crs, frame)
    rings = shapes.flatten(chosen, file, local, feedback.part(0.6, 0.7).step)
    boxes = boxes_of(rings, local, len(chosen))
    file.issues += far_away([one.source.id for one in chosen], boxes)
    if box is not None:
        placed = place(chosen, file, local, crs, frame) if len(chosen) < placed.objects else placed
        boxes = with_instances(boxes, placed)
        chosen = [one for one, inside in zip(chosen, touch(boxes, box).tolist(), strict=True) if inside]
        rings = shapes.flatten(chosen, file, local, feedback.part(0.7, 0.72).step)
    placed = place(chosen, file, local, crs, frame) if len(chosen) < placed.objects else placed
    feedback.step(0.72, "triangles")
    city = City(file, chosen, local, semantics, placed)
    city.triangulate(rings)
    layers = [with_measured_units(one, frame) for one in city.layers(wanted, options.kind, feedback.part(0.85, 1.0))]
    if networks:
        file_issues = () if layers else (*file.issues, *file.dropped.issues())
        networks[0] = networks[0].with_(issues=(*file_issues, *networks[0].issues))
        layers += networks if box is None else [part for one in networks if (part := within(one, box)) is not None]
    if not layers and box is None:
        raise _nothing(file)
    feedback.step(1.0, "done")
    return layers


def _chosen(file: CityFile, wanted: str, semantics: shapes.SurfaceSemantics, feedback: Feedback) -> list[Chosen]:
    """Objects with the geometry to use; those whose geometry is unusable are noted as dropped."""
    chosen = []
    for number, item in enumerate(file.objects):
        if number % 2000 == 0:
            feedback.step(number / len(file.objects), "objects")
        try:
            one = shapes.choose(item, wanted, file, semantics)
        except UnusableError as unusable:
            file.dropped.add(item.id, unusable.reason)
            continue
        if one is not None:
            chosen.append(one)
    return chosen


def _keep(box: Box | None, crs: str | None, frame: Frame) -> Keep | None:
    """The question whether a feature of a sequence may touch the box."""
    if box is None:
        return None

    def keep(vertices: Floats, own_crs: str | None) -> bool:
        text = crs or own_crs
        finite = vertices[np.isfinite(vertices).all(axis=1)]
        if text is None or len(finite) == 0:
            return True
        local = coordinates.to_local(finite, text, frame)[:, :2]
        return bool(touch(np.concatenate([local.min(axis=0), local.max(axis=0)])[None], box)[0])

    return keep


def _nothing(file: CityFile) -> UserError:
    told = "; ".join(f"{count} x {REASONS[reason]}" for reason, count in file.dropped.reasons.most_common())
    why = f"Left out were {told}." if told else "It lists no object with a geometry."
    return UserError(
        f"{file.name} holds nothing that can be shown.",
        why,
        "Check the file with the program that wrote it, or export it again.",
        code="cityjson.nothing",
        values={"name": file.name, "reasons": told},
    )


FORMAT = Format(
    id="cityjson",
    title="CityJSON",
    patterns=("*.city.json", "*.city.jsonl", "*.city.json.gz", "*.city.jsonl.gz", "*.json", "*.jsonl"),
    sniff=sniff,
    inspect=inspect,
    read=read,
    write=write,
    writes=("mesh", "instances", "lines", "points"),
    options=CityJsonOptions,
    version=2,
)
