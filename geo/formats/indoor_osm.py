"""OpenStreetMap indoor plans (Simple Indoor Tagging) as GeoJSON: areas with ``indoor`` and ``level`` tags as rooms."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.formats.indoor_json import PlanOptions
from geo.model import Feedback, Frame, Issue, Layer, UserError

if TYPE_CHECKING:
    from geo.indoor.plan import PlanDoor, PlanRoom

TITLE = "OpenStreetMap indoor plan (GeoJSON)"
WGS84 = "EPSG:4326"
INDOOR = re.compile(rb'"indoor"\s*:\s*"(room|corridor|area|level|wall|door|yes)"')
LEVEL = re.compile(rb'"level"\s*:\s*"?-?\d')
ROOM_WORDS = ("room", "corridor", "area")
USE_KEYS = ("room", "stairs", "shop", "amenity", "highway")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
MOST_LEVELS = 200


def sniff(path: Path, head: bytes) -> bool:
    """GeoJSON whose first features carry ``indoor`` and ``level`` tags."""
    return b"FeatureCollection" in head and INDOOR.search(head) is not None and LEVEL.search(head) is not None


def inspect(path: Path) -> FileInfo:
    """Number of features by their ``indoor`` tag, and their box."""
    features = _features(path)
    counts: dict[str, int] = {"features": len(features)}
    points = []
    for feature in features:
        word = str(_tags(feature).get("indoor") or "")
        if word:
            counts[word] = counts.get(word, 0) + 1
        geometry = feature.get("geometry")
        points += _positions(geometry.get("coordinates")) if isinstance(geometry, dict) else []
    box = None
    if points:
        low, high = np.min(points, axis=0), np.max(points, axis=0)
        box = (float(low[0]), float(low[1]), 0.0, float(high[0]), float(high[1]), 0.0)
    return FileInfo("indoor_osm", TITLE, "", WGS84, bounds=box, counts=counts)


def _positions(values: Any) -> list[tuple[float, float]]:
    if isinstance(values, list) and len(values) >= 2 and all(isinstance(v, int | float) for v in values[:2]):
        return [(float(values[0]), float(values[1]))]
    return [p for value in values for p in _positions(value)] if isinstance(values, list) else []


def _features(path: Path) -> list[dict[str, Any]]:
    from geo.formats.indoor_json import features_of

    return features_of(path, path.read_bytes())


def _tags(feature: dict[str, Any]) -> dict[str, Any]:
    found = feature.get("properties")
    return found if isinstance(found, dict) else {}


def levels_of(text: object) -> list[float]:
    """Levels of a tag: ``"-1;0"`` two, ``"0-2"`` three, ``"1"`` one; none for text that is no level.

    Examples
    --------
    >>> levels_of("-1;0"), levels_of("0-2"), levels_of("-2--1"), levels_of("x")
    ([-1.0, 0.0], [0.0, 1.0, 2.0], [-2.0, -1.0], [])
    """
    found: list[float] = []
    for part in str(text if text is not None else "").split(";"):
        span = re.fullmatch(r"\s*(-?\d+)\s*-\s*(-?\d+)\s*", part)
        if span:
            low, high = sorted((int(span[1]), int(span[2])))
            found += [float(k) for k in range(low, min(high, low + MOST_LEVELS) + 1)]
        elif NUMBER.fullmatch(part.strip()):
            found.append(float(part))
    return sorted(set(found))


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """Parts ``rooms`` (an area on several levels becomes a room on each), ``network_nodes``, ``network_edges``."""
    import shapely

    from geo.formats.indoor_json import base_height
    from geo.indoor.plan import plan_layers

    own = options.own if isinstance(options.own, PlanOptions) else PlanOptions()
    feedback.step(0.0, "reading the plan")
    features = _features(path)
    crs = options.crs or WGS84
    rooms, without = _rooms(features, frame, crs)
    if not rooms:
        raise UserError(
            f"{path.name} has no rooms that can be shown.",
            "None of its areas has an indoor tag and a level.",
            "Import it as plain GeoJSON with --kind, or check its tags.",
            code="indoor_osm.no_rooms",
            values={"name": path.name},
        )
    doors = _doors(features, frame, crs)
    ground = base_height(own, options.terrain, shapely.get_coordinates([room.floor for room in rooms]))
    layers = plan_layers(
        rooms, doors, path.stem, ground=ground, storey=own.storey_height, feedback=feedback.part(0.2, 1.0)
    )
    left = len(features) - len({room.id.partition("@")[0] for room in rooms}) - len(doors)
    layers[0] = layers[0].with_(issues=(*layers[0].issues, *_left_out(left, without)))
    return layers


def _left_out(left: int, without: int) -> list[Issue]:
    issues = []
    if without:
        issues.append(
            Issue(
                "indoor_osm.no_level",
                f"{without} rooms have no level; they were left out.",
                severity="error",
                count=without,
            )
        )
    if left > without:
        issues.append(
            Issue(
                "indoor_osm.other_features",
                f"{left - without} features are neither rooms nor doors (shops as points, platforms, signs); they were "
                "left out. Import the file as plain GeoJSON to see them.",
                count=left - without,
            )
        )
    return issues


def _id(feature: dict[str, Any], number: int) -> str:
    return str(feature.get("id") or _tags(feature).get("@id") or f"#{number}")


def _rooms(features: list[dict[str, Any]], frame: Frame, crs: str) -> tuple[list[PlanRoom], int]:
    from geo.formats.indoor_json import areas, shape_of
    from geo.indoor.plan import PlanRoom

    rooms, without = [], 0
    for number, feature in enumerate(features):
        tags = _tags(feature)
        stairs = str(tags.get("highway")) in ("steps", "elevator") or tags.get("stairs") == "yes"
        if str(tags.get("indoor")) not in ROOM_WORDS and not (stairs and tags.get("level") is not None):
            continue
        floor = areas(shape_of(feature, frame, crs))
        if floor is None:
            continue
        levels = levels_of(tags.get("level"))
        without += not levels
        id, name, use = _id(feature, number), str(tags.get("name") or ""), _use(tags)
        for level in levels:
            own = id if len(levels) == 1 else f"{id}@{level:g}"
            rooms.append(PlanRoom(own, name or use, str(tags.get("ref") or ""), use, floor, level))
    return rooms, without


def _use(tags: dict[str, Any]) -> str:
    if tags.get("highway") == "elevator":
        return "elevator"
    if tags.get("stairs") == "yes" or tags.get("highway") == "steps" or tags.get("room") == "stairs":
        return "stairs"
    if tags.get("indoor") in ("corridor", "area"):
        return str(tags["indoor"])
    return next((str(tags[key]) for key in USE_KEYS if tags.get(key)), str(tags.get("indoor") or ""))


def _doors(features: list[dict[str, Any]], frame: Frame, crs: str) -> list[PlanDoor]:
    from geo.formats.indoor_json import shape_of
    from geo.indoor.plan import PlanDoor

    doors = []
    for number, feature in enumerate(features):
        tags = _tags(feature)
        if not (tags.get("door") or tags.get("entrance") or tags.get("indoor") == "door"):
            continue
        shape = shape_of(feature, frame, crs)
        if shape is None or shape.geom_type != "Point":
            continue
        for level in levels_of(tags.get("level")) or [0.0]:
            name = str(tags.get("name") or tags.get("ref") or tags.get("entrance") or "door")
            width = NUMBER.match(str(tags.get("width") or ""))
            id = f"{_id(feature, number)}@{level:g}"
            doors.append(PlanDoor(id, name, shape, level, float(width[0]) if width else np.nan))
    return doors


FORMAT = Format(
    id="indoor_osm",
    title=TITLE,
    patterns=("*.geojson", "*.json"),
    sniff=sniff,
    inspect=inspect,
    read=read,
    options=PlanOptions,
)
