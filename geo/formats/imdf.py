"""Indoor Mapping Data Format (OGC 20-094, Apple): units of levels as rooms, openings as doors."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.formats.indoor_json import PlanOptions
from geo.model import Feedback, Frame, Layer, UserError

if TYPE_CHECKING:
    from geo.indoor.plan import PlanDoor, PlanRoom

TITLE = "Indoor map (IMDF)"
PARTS = (
    "venue",
    "building",
    "level",
    "unit",
    "opening",
    "amenity",
    "footprint",
    "address",
    "detail",
    "anchor",
    "kiosk",
)
OPENED_BY = ("unit", "level", "venue")  # any of them opens the whole venue
WGS84 = "EPSG:4326"
FEATURE_TYPE = re.compile(rb'"feature_type"\s*:\s*"(unit|level|venue)"')
LANGUAGES = ("ko", "en")


def sniff(path: Path, head: bytes) -> bool:
    """A unit, level or venue file of a venue, or an archive with them."""
    if head[:4] == b"PK\x03\x04":
        return _is_archive(path)
    return path.stem.lower() in OPENED_BY and FEATURE_TYPE.search(head) is not None


def _is_archive(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.rsplit("/", 1)[-1] for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    return {"unit.geojson", "level.geojson"} <= names


def companions(path: Path) -> Sequence[Path]:
    """The other files of the venue."""
    return [file for name in PARTS if (file := path.with_name(f"{name}.geojson")).is_file() and file != path]


def inspect(path: Path) -> FileInfo:
    """Number of features of each file, and their box."""
    parts = _parts(path)
    counts = {name: len(features) for name, features in parts.items()}
    shapes = [feature.get("geometry") for name in ("venue", "unit") for feature in parts.get(name, [])]
    points = np.array([p for shape in shapes if shape for p in _positions(shape.get("coordinates"))])
    box = None
    if len(points):
        low, high = points.min(axis=0), points.max(axis=0)
        box = (float(low[0]), float(low[1]), 0.0, float(high[0]), float(high[1]), 0.0)
    return FileInfo("imdf", TITLE, "1.0", WGS84, bounds=box, counts=counts)


def _positions(values: Any) -> list[tuple[float, float]]:
    if isinstance(values, list) and len(values) >= 2 and all(isinstance(v, int | float) for v in values[:2]):
        return [(float(values[0]), float(values[1]))]
    return [p for value in values for p in _positions(value)] if isinstance(values, list) else []


def _parts(path: Path) -> dict[str, list[dict[str, Any]]]:
    from geo.formats.indoor_json import features_of, members

    found = {name: features_of(path, text) for name, text in members(path, PARTS)}
    if "unit" not in found or "level" not in found:
        raise UserError(
            f"{path.name} is only a part of an indoor map.",
            "The files unit.geojson and level.geojson belong beside it.",
            "Put all files of the venue into one folder, or open the archive as it was published.",
            code="imdf.incomplete",
            values={"name": path.name},
        )
    return found


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """Parts ``rooms``, ``network_nodes`` and ``network_edges``."""
    import shapely

    from geo.formats.indoor_json import base_height
    from geo.indoor.plan import plan_layers

    own = options.own if isinstance(options.own, PlanOptions) else PlanOptions()
    feedback.step(0.0, "reading the venue")
    parts = _parts(path)
    levels = {str(f.get("id")): _properties(f) for f in parts["level"]}
    rooms = _rooms(parts["unit"], levels, frame, options.crs or WGS84)
    if not rooms:
        raise UserError(
            f"{path.name} has no rooms that can be shown.",
            "None of its units is an area on a known level.",
            "Check the files unit.geojson and level.geojson.",
            code="imdf.no_rooms",
            values={"name": path.name},
        )
    doors = _doors(parts.get("opening", []), levels, frame, options.crs or WGS84)
    ground = base_height(own, options.terrain, shapely.get_coordinates([room.floor for room in rooms]))
    name = _venue_name(parts) or path.stem
    return plan_layers(rooms, doors, name, ground=ground, storey=own.storey_height, feedback=feedback.part(0.2, 1.0))


def _properties(feature: dict[str, Any]) -> dict[str, Any]:
    found = feature.get("properties")
    return found if isinstance(found, dict) else {}


def _label(value: Any) -> str:
    """A text in many languages: Korean, English, else any."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        return ""
    words = {str(k): str(v) for k, v in value.items() if isinstance(v, str) and v}
    return next((words[code] for code in LANGUAGES if code in words), next(iter(words.values()), ""))


def _venue_name(parts: dict[str, list[dict[str, Any]]]) -> str:
    return next((_label(_properties(f).get("name")) for f in parts.get("venue", [])), "")


def _ordinal(level: dict[str, Any] | None) -> float | None:
    value = level.get("ordinal") if level else None
    return float(value) if isinstance(value, int | float) and np.isfinite(value) else None


def _rooms(units: list[dict[str, Any]], levels: dict[str, dict[str, Any]], frame: Frame, crs: str) -> list[PlanRoom]:
    from geo.formats.indoor_json import areas, shape_of
    from geo.indoor.plan import PlanRoom

    rooms = []
    for feature in units:
        own = _properties(feature)
        level = levels.get(str(own.get("level_id")))
        ordinal, floor = _ordinal(level), areas(shape_of(feature, frame, crs))
        if ordinal is None or level is None or floor is None:
            continue
        buildings = level.get("building_ids")
        building = str(buildings[0]) if isinstance(buildings, list) and buildings else ""
        name, use = _label(own.get("name")), str(own.get("category") or "")
        rooms.append(PlanRoom(str(feature.get("id")), name or use, name, use, floor, ordinal, building))
    return rooms


def _doors(openings: list[dict[str, Any]], levels: dict[str, dict[str, Any]], frame: Frame, crs: str) -> list[PlanDoor]:
    from geo.formats.indoor_json import shape_of
    from geo.indoor.plan import PlanDoor

    doors = []
    for feature in openings:
        own = _properties(feature)
        shape, ordinal = shape_of(feature, frame, crs), _ordinal(levels.get(str(own.get("level_id"))))
        if shape is None or ordinal is None or shape.geom_type != "LineString":
            continue
        name = _label(own.get("name")) or str(own.get("category") or "")
        doors.append(PlanDoor(str(feature.get("id")), name, shape, ordinal, float(shape.length)))
    return doors


FORMAT = Format(
    id="imdf",
    title=TITLE,
    patterns=("unit.geojson", "level.geojson", "venue.geojson", "*.imdf", "*.zip"),
    sniff=sniff,
    inspect=inspect,
    read=read,
    options=PlanOptions,
    companions=companions,
)
