"""Headless. Topics in the project file: plain JSON values, with each picture as a file of the results folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from bim.bcf.model import Comment, Component, Eye, ModelFile, Plane, Topic, Viewpoint
from geo.model import Issue
from geo.store import write_atomically

PREFIX = "topic-"
TEXTS = (
    *("guid", "title", "description", "type", "status", "priority"),
    *("author", "modified_author", "assigned", "stage"),
)
MOMENTS = ("created", "modified", "due")


def topics_to_list(topics: Sequence[Topic], folder: Path) -> list[dict[str, Any]]:
    """Topics for the manifest; their pictures are written into the folder, once each."""
    return [_topic_to_dict(topic, folder) for topic in topics]


def picture_names(entries: Sequence[Mapping[str, Any]]) -> set[str]:
    """Files that topics of a manifest refer to."""
    return {str(view["snapshot"]) for entry in entries for view in entry["viewpoints"] if view["snapshot"]}


def topics_from_list(entries: Sequence[Mapping[str, Any]], folder: Path, issues: list[Issue]) -> tuple[Topic, ...]:
    """Topics of a manifest. Raises `KeyError`, `TypeError` or `ValueError` for what is none."""
    return tuple(_topic_from_dict(entry, folder, issues) for entry in entries)


def _topic_to_dict(topic: Topic, folder: Path) -> dict[str, Any]:
    entry: dict[str, Any] = {name: getattr(topic, name) for name in TEXTS}
    entry |= {name: _stamp(getattr(topic, name)) for name in MOMENTS}
    entry |= {"labels": list(topic.labels), "links": list(topic.links), "on_map": topic.on_map, "index": topic.index}
    entry["comments"] = [
        asdict(comment) | {"created": _stamp(comment.created), "modified": _stamp(comment.modified)}
        for comment in topic.comments
    ]
    entry["files"] = [asdict(file) | {"date": _stamp(file.date)} for file in topic.files]
    entry["viewpoints"] = [_viewpoint_to_dict(view, folder) for view in topic.viewpoints]
    return entry


def _viewpoint_to_dict(view: Viewpoint, folder: Path) -> dict[str, Any]:
    return {
        "guid": view.guid,
        "eye": None if view.eye is None else view.eye._asdict(),
        "planes": [[*plane.point, *plane.normal] for plane in view.planes],
        "selected": _components_to_list(view.selected),
        "default_visible": view.default_visible,
        "exceptions": _components_to_list(view.exceptions),
        "spaces_visible": view.spaces_visible,
        "colouring": [[colour, _components_to_list(members)] for colour, members in view.colouring],
        "snapshot": keep_picture(view.snapshot, folder),
    }


def _components_to_list(components: Sequence[Component]) -> list[list[str]]:
    return [[c.ifc_guid, c.system, c.tool_id] for c in components]


def keep_picture(data: bytes, folder: Path) -> str:
    """A picture never changes: its content names its file."""
    if not data:
        return ""
    ending = "jpg" if data.startswith(b"\xff\xd8") else "png"
    name = f"{PREFIX}{hashlib.blake2b(data, digest_size=12).hexdigest()}.{ending}"
    if not (folder / name).exists():
        write_atomically(folder / name, lambda file: file.write(data))
    return name


def _topic_from_dict(entry: Mapping[str, Any], folder: Path, issues: list[Issue]) -> Topic:
    moments = {name: _moment(entry[name]) for name in MOMENTS}
    comments = [
        Comment(**{**item, "created": _moment(item["created"]), "modified": _moment(item["modified"])})
        for item in entry["comments"]
    ]
    return Topic(
        **{name: str(entry[name]) for name in TEXTS},  # type: ignore[arg-type]
        **moments,  # type: ignore[arg-type]
        labels=tuple(map(str, entry["labels"])),
        links=tuple(map(str, entry["links"])),
        on_map=entry["on_map"],
        index=entry["index"],
        comments=tuple(comments),
        files=tuple(ModelFile(**{**item, "date": _moment(item["date"])}) for item in entry["files"]),
        viewpoints=tuple(_viewpoint_from_dict(item, folder, issues) for item in entry["viewpoints"]),
    )


def _viewpoint_from_dict(item: Mapping[str, Any], folder: Path, issues: list[Issue]) -> Viewpoint:
    return Viewpoint(
        guid=str(item["guid"]),
        eye=None if item["eye"] is None else _eye(item["eye"]),
        planes=tuple(Plane(_triple(numbers[:3]), _triple(numbers[3:])) for numbers in item["planes"]),
        selected=_components(item["selected"]),
        default_visible=bool(item["default_visible"]),
        exceptions=_components(item["exceptions"]),
        spaces_visible=bool(item["spaces_visible"]),
        colouring=tuple((str(colour), _components(members)) for colour, members in item["colouring"]),
        snapshot=read_picture(str(item["snapshot"]), folder, issues),
    )


def _eye(values: Mapping[str, Any]) -> Eye:
    vectors = {name: _triple(values[name]) for name in ("position", "direction", "up")}
    return Eye(**{**{name: float(v) for name, v in values.items() if name not in vectors}, **vectors})  # type: ignore[arg-type]


def _components(items: Sequence[Sequence[str]]) -> tuple[Component, ...]:
    return tuple(Component(*map(str, item)) for item in items)


def read_picture(name: str, folder: Path, issues: list[Issue]) -> bytes:
    """A kept picture; nothing, and a doubt, where it has gone."""
    if not name:
        return b""
    if Path(name).name != name or not name.startswith(PREFIX):
        raise ValueError("a picture lies outside the project's folder")
    # A renamed project still finds its pictures under its old name, beside it.
    for place in (folder, *sorted(folder.parent.glob("*.results"))):
        if (place / name).is_file():
            return (place / name).read_bytes()
    issues.append(
        Issue(
            "project.picture_lost",
            f"The picture {name} is not in the project's folder any more.",
            severity="doubt",
            values={"name": name},
        )
    )
    return b""


def _triple(values: Sequence[float]) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in values)
    return x, y, z


def _stamp(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat()


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
