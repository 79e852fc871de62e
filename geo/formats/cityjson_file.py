"""The text of a CityJSON or CityJSONSeq file: bytes to objects and vertices, with everything doubtful noted."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from geo.formats import cityjson_text
from geo.formats.city_objects import CityFile, CityObject, Progress, crs_text
from geo.formats.city_place import outside_area
from geo.formats.cityjson_text import first_line, next_line, opened, parsed, too_large
from geo.model import Issue, UserError

Floats = NDArray[np.float64]

KNOWN_VERSIONS = ("1.0", "1.1", "2.0")
# Scales from picodegrees to kilometres, offsets within the solar system's smallest map sheet.
SCALE_RANGE = (1e-15, 1e4)
TRANSLATE_LIMIT = 1e9

Keep = Callable[[Floats, str | None], bool]


def load(path: Path, *, progress: Progress = lambda fraction, message: None, keep: Keep | None = None) -> CityFile:
    """The file as objects and vertices. Raises `UserError` when it cannot be used at all.

    Parameters
    ----------
    keep : callable (vertices (n, 3), crs) -> bool, optional
        Asked for each feature of a sequence; those answered False are forgotten at once, so that a part of a huge
        file fits in memory.
    """
    name = path.name
    try:
        with opened(path) as stream:
            return _load(stream, name, path.stat().st_size, progress, keep)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(
            f"{name} cannot be read.",
            f"The system says: {error}.",
            "Check that the file exists, is complete and may be read.",
            code="cityjson.unreadable",
            values={"name": name, "error": str(error)},
        ) from error


def _load(stream: IO[bytes], name: str, size: int, progress: Progress, keep: Keep | None) -> CityFile:
    progress(0.0, "reading the file")
    head = stream.readline(cityjson_text.MAX_BYTES + 1)
    document = first_line(head)
    if document is not None:
        second = next_line(stream)
        if second:
            return _load_sequence(document, chain([second], stream), name, size, progress, keep)
    else:
        data = head + stream.read(cityjson_text.MAX_BYTES + 1 - len(head))
        if len(data) > cityjson_text.MAX_BYTES:
            raise too_large(name)
        progress(0.3, "parsing")
        document, remarks = parsed(data, name)
        return _load_document(document, name, progress, remarks)
    return _load_document(document, name, progress, [])


def _header(document: Any, name: str, *, is_sequence: bool) -> CityFile:
    """Type, version and coordinate system. Raises `UserError` for anything that is not CityJSON."""
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "CityJSONFeature":
        raise UserError(
            f"{name} begins with a CityJSONFeature.",
            "The first line of a CityJSONSeq file must hold the transform and the coordinate system.",
            "Put the CityJSON object with metadata and transform in the first line.",
            code="cityjson.no_header",
            values={"name": name},
        )
    if kind != "CityJSON":
        raise UserError(
            f"{name} is JSON, but not CityJSON.",
            f'Its "type" is {str(kind)[:40]!r}, a city model has "CityJSON".',
            "Choose a CityJSON file, or open this one with the format it really has.",
            code="cityjson.not_cityjson",
            values={"name": name, "type": str(kind)[:40]},
        )
    metadata = document.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    version = str(document.get("version", ""))
    roots = {key: value for key, value in document.items() if key.startswith("+")}
    found = CityFile(name, version, is_sequence, crs_text(metadata), metadata, roots=roots)
    if not version.startswith(KNOWN_VERSIONS):
        found.issues.append(
            Issue(
                "cityjson.version",
                f"The file says CityJSON version {version[:20]!r}; known are 1.0 to 2.0. It was read as those are.",
                "doubt",
                values={"version": version[:20]},
            )
        )
    return found


def _load_document(document: Any, name: str, progress: Progress, remarks: list[Issue]) -> CityFile:
    found = _header(document, name, is_sequence=False)
    found.issues[:0] = remarks
    scale, translate = transform_of(document, name)
    progress(0.7, "vertices")
    found.vertices = _vertices(document.get("vertices"), name) * scale + translate
    found.translate = translate
    if "transform" not in document and not version_before_transform(found.version):
        found.issues.append(
            Issue("cityjson.no_transform", "The file has no transform; its vertices were taken as they are.", "doubt")
        )
    objects = document.get("CityObjects")
    if not isinstance(objects, dict):
        raise UserError(
            f"{name} holds no city objects.",
            'The part "CityObjects" is missing or is not a list of named objects.',
            "The file is damaged. Get it again, or export it again.",
            code="cityjson.no_objects",
            values={"name": name},
        )
    _templates(document, found)
    _add_objects(found, objects, 0, len(found.vertices), set())
    return found


def version_before_transform(version: str) -> bool:
    """Whether the version allows vertices without a transform."""
    return version.startswith("1.0") or version.startswith("0")


def _load_sequence(
    header: Any, lines: Iterator[bytes], name: str, size: int, progress: Progress, keep: Keep | None
) -> CityFile:
    found = _header(header, name, is_sequence=True)
    scale, translate = transform_of(header, name)
    found.translate = translate
    _templates(header, found)
    pieces: list[Floats] = []
    seen: set[str] = set()
    first, done = 0, 0
    for number, line in enumerate(lines, start=2):
        done += len(line)
        if number % 200 == 0:
            # the packed size says little about the text, so progress of a gz file only creeps
            progress(min(done / max(size, 1), 1.0) * 0.9, f"line {number}")
        if not line.strip():
            continue
        feature = _feature(line)
        if feature is None:
            found.dropped.add(f"line {number}", "bad_line")
            continue
        vertices = _vertices(feature.get("vertices"), name, required=False) * scale + translate
        if keep is not None and not keep(vertices, found.crs):
            continue
        pieces.append(vertices)
        _add_objects(found, feature["CityObjects"], first, len(vertices), seen)
        first += len(vertices)
    found.vertices = np.concatenate(pieces) if pieces else np.zeros((0, 3))
    return found


def _feature(line: bytes) -> dict[str, Any] | None:
    try:
        feature = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    good = isinstance(feature, dict) and feature.get("type") == "CityJSONFeature"
    return feature if good and isinstance(feature.get("CityObjects"), dict) else None


def _add_objects(found: CityFile, objects: dict[str, Any], first: int, count: int, seen: set[str]) -> None:
    for object_id, data in objects.items():
        if not isinstance(data, dict) or not isinstance(data.get("type"), str) or not data["type"]:
            found.dropped.add(object_id, "bad_object")
        elif object_id in seen:
            found.dropped.add(object_id, "duplicate_id")
        else:
            seen.add(object_id)
            found.objects.append(CityObject(object_id, data["type"], data, first, count))


def _templates(document: Any, found: CityFile) -> None:
    holder = document.get("geometry-templates")
    if not isinstance(holder, dict):
        return
    templates = holder.get("templates")
    found.templates = templates if isinstance(templates, list) else []
    found.template_vertices = _vertices(holder.get("vertices-templates"), found.name, required=False)


def _vertices(values: Any, name: str, *, required: bool = True) -> Floats:
    """Vertices (n, 3); not-a-number for entries that are not three numbers."""
    if not isinstance(values, list):
        if not required:
            return np.zeros((0, 3))
        raise UserError(
            f"{name} has no vertices.",
            'The part "vertices" that every surface points to is missing.',
            "The file is damaged. Get it again, or export it again.",
            code="cityjson.no_vertices",
            values={"name": name},
        )
    if set(map(type, values)) <= {list} and set(map(len, values)) <= {3}:
        flat = list(chain.from_iterable(values))
        if set(map(type, flat)) <= {int, float}:
            return np.array(flat, dtype=np.float64).reshape(-1, 3)
    return np.array([_vertex(value) for value in values], dtype=np.float64).reshape(-1, 3)


def _vertex(value: Any) -> tuple[float, float, float]:
    good = isinstance(value, list) and len(value) == 3 and all(type(v) in (int, float) for v in value)
    return (float(value[0]), float(value[1]), float(value[2])) if good else (math.nan, math.nan, math.nan)


def transform_of(document: Any, name: str) -> tuple[Floats, Floats]:
    """Scale (3,) and translation (3,) of the vertices. Raises `UserError` for one that makes no sense."""
    transform = document.get("transform")
    if transform is None:
        return np.ones(3), np.zeros(3)
    scale, translate = (_three_numbers(transform, key) for key in ("scale", "translate"))
    if scale is not None and translate is not None:
        low, high = SCALE_RANGE
        if np.all((scale >= low) & (scale <= high)) and np.all(np.abs(translate) <= TRANSLATE_LIMIT):
            return scale, translate
    raise UserError(
        f"The transform of {name} makes no sense.",
        f"It reads {str(transform)[:120]}; scale and translate must be three ordinary numbers each.",
        "The file is damaged or was written by a faulty program. Export it again.",
        code="cityjson.bad_transform",
        values={"name": name, "transform": str(transform)[:120]},
    )


def _three_numbers(holder: Any, key: str) -> Floats | None:
    values = holder.get(key) if isinstance(holder, dict) else None
    vertex = np.array(_vertex(values))
    return vertex if np.isfinite(vertex).all() else None


def claimed_extent(file: CityFile) -> Floats | None:
    """The extent (2, 3) low and high that the metadata claim, None if they claim none that makes sense."""
    claimed = file.metadata.get("geographicalExtent")
    if not isinstance(claimed, list) or len(claimed) != 6 or not all(type(v) in (int, float) for v in claimed):
        return None
    extent = np.array(claimed, dtype=np.float64).reshape(2, 3)
    return extent if np.isfinite(extent).all() else None


def undo_second_translation(file: CityFile, crs: str) -> None:
    """Take the translation out of vertices that already were map coordinates in the file, and say so.

    Some programs write full coordinates and a translation as well. That is only believed when two things agree: the
    extent in the metadata holds the vertices as they are and none of the translated ones, and only without the
    translation do they lie in the area the coordinate system is made for.
    """
    finite = file.vertices[np.isfinite(file.vertices).all(axis=1)]
    claimed = claimed_extent(file)
    if claimed is None or len(finite) == 0 or not file.translate.any():
        return
    low, high = finite.min(axis=0), finite.max(axis=0)
    apart = bool((low[:2] > claimed[1, :2]).any() or (high[:2] < claimed[0, :2]).any())
    plain_low, plain_high = low - file.translate, high - file.translate
    inside = bool((plain_low >= claimed[0] - 1.0).all() and (plain_high <= claimed[1] + 1.0).all())
    if not (apart and inside):
        return
    if not outside_area(crs, ((low + high) / 2)[:2]) or outside_area(crs, ((plain_low + plain_high) / 2)[:2]):
        return
    file.vertices = file.vertices - file.translate
    file.translate = np.zeros(3)
    message = (
        "The vertices already are map coordinates and the file asks for them to be moved once more, out of its own "
        "extent and out of the area of its coordinate system. The second move was not made."
    )
    file.issues.append(Issue("cityjson.translated_twice", message, "doubt"))
