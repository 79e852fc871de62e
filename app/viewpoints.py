"""Headless. Saved viewpoints: what was looked at and how, kept by name with a small picture; the commands for them.

A viewpoint is the user's own mark in this program. What is told to others with a status travels as a topic
(`app.topics`).
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from app.look import ClipPlane, SectionBox
from app.view.camera import Camera
from geo.model import Issue, Layer

if TYPE_CHECKING:
    from app.commands import Command
    from app.document import Document


@dataclass(frozen=True)
class OpenStorey:
    """A building opened at a storey.

    Attributes
    ----------
    layer_ids : frozenset of str
        Layers of the building.
    label : str
        Of the storey (B2, 1, RF); empty for the whole building.
    cut : float [m]
        Above the floor.
    plan : bool
    """

    layer_ids: frozenset[str]
    label: str
    cut: float
    plan: bool = False


@dataclass(frozen=True)
class SavedView:
    """One saved viewpoint.

    Attributes
    ----------
    id, name : str
    camera : Camera [local m]
    day : date or None
    minute : int
        Minutes since local midnight.
    planes : tuple of ClipPlane
    box : SectionBox or None
    storey : OpenStorey or None
    visible, invisible : frozenset of str
        Ids of the layers there were; others stay as they are.
    picture : bytes
        JPEG or PNG; empty without.
    """

    id: str
    name: str
    camera: Camera
    day: date | None = None
    minute: int = 0
    planes: tuple[ClipPlane, ...] = ()
    box: SectionBox | None = None
    storey: OpenStorey | None = None
    visible: frozenset[str] = frozenset()
    invisible: frozenset[str] = frozenset()
    picture: bytes = b""


class ViewpointList:
    """The saved viewpoints of a document, in their order. Setting what is already set emits nothing.

    Signals
    -------
    changed()
    """

    changed = Signal()

    def __init__(self) -> None:
        self._items: tuple[SavedView, ...] = ()

    @property
    def items(self) -> tuple[SavedView, ...]:
        """All of them."""
        return self._items

    def __iter__(self) -> Iterator[SavedView]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def get(self, view_id: str) -> SavedView | None:
        """The viewpoint of that id."""
        return next((item for item in self._items if item.id == view_id), None)

    def set(self, items: Iterable[SavedView]) -> None:
        """Replace the list."""
        new = tuple(items)
        if new != self._items:
            self._items = new
            self.changed.emit()

    def free_name(self, wish: str) -> str:
        """`wish 1`, `wish 2` ...: the first that is not taken."""
        names, number = {item.name for item in self._items}, 1
        while f"{wish} {number}" in names:
            number += 1
        return f"{wish} {number}"


def new_id() -> str:
    """An id that no viewpoint has."""
    return uuid.uuid4().hex[:12]


# ---- commands


@dataclass
class SetViewpoints:
    """Replace the list of viewpoints as one step."""

    items: tuple[SavedView, ...]
    title: str
    _before: tuple[SavedView, ...] = ()

    def do(self, document: Document) -> None:
        """Put the new list there."""
        self._before = document.viewpoints.items
        document.viewpoints.set(self.items)

    def undo(self, document: Document) -> None:
        """The list as it was."""
        document.viewpoints.set(self._before)

    def merge(self, later: Command) -> Command | None:
        """Never merges."""
        return None


def add_viewpoint(document: Document, view: SavedView) -> SetViewpoints:
    """The step that puts a viewpoint at the end."""
    return SetViewpoints((*document.viewpoints.items, view), "add_viewpoint")


def remove_viewpoint(document: Document, view_id: str) -> SetViewpoints:
    """The step that takes a viewpoint out."""
    return SetViewpoints(tuple(item for item in document.viewpoints if item.id != view_id), "remove_viewpoint")


def rename_viewpoint(document: Document, view_id: str, name: str) -> SetViewpoints:
    """The step that gives a viewpoint another name."""
    items = tuple(replace(item, name=name) if item.id == view_id else item for item in document.viewpoints)
    return SetViewpoints(items, "rename_viewpoint")


def renew_viewpoint(document: Document, view: SavedView) -> SetViewpoints:
    """The step that puts a viewpoint in the place of the one with its id."""
    return SetViewpoints(tuple(view if item.id == view.id else item for item in document.viewpoints), "renew_viewpoint")


def order_viewpoints(document: Document, ids: Sequence[str]) -> SetViewpoints:
    """The step that puts viewpoints in this order; those not named follow."""
    place = {view_id: number for number, view_id in enumerate(ids)}
    items = sorted(document.viewpoints, key=lambda item: place.get(item.id, len(place)))
    return SetViewpoints(tuple(items), "order_viewpoints")


def visibility_of(layers: Iterable[Layer]) -> tuple[frozenset[str], frozenset[str]]:
    """Ids of visible and of invisible layers."""
    shown = {layer.id: layer.style.visible for layer in layers}
    return frozenset(key for key in shown if shown[key]), frozenset(key for key in shown if not shown[key])


def visibility_step(view: SavedView, layers: Iterable[Layer]) -> Command | None:
    """The step that shows and hides layers as a viewpoint had them; None where they are so already."""
    from app.commands import SetStyle, Together

    steps = []
    for layer in layers:
        wanted = layer.id in view.visible if layer.id in view.visible | view.invisible else layer.style.visible
        if layer.style.visible != wanted:
            steps.append(SetStyle(layer.id, replace(layer.style, visible=wanted), "show_viewpoint"))
    return Together(tuple(steps), "show_viewpoint") if steps else None


# ---- the project file


def viewpoints_to_list(items: Iterable[SavedView]) -> list[dict[str, Any]]:
    """Viewpoints for the manifest of a project, their small pictures within."""
    return [_to_dict(item) for item in items]


def _to_dict(view: SavedView) -> dict[str, Any]:
    storey = view.storey
    return {
        "id": view.id,
        "name": view.name,
        "camera": asdict(view.camera),
        "day": view.day.isoformat() if view.day else "",
        "minute": view.minute,
        "planes": [asdict(plane) for plane in view.planes],
        "box": asdict(view.box) if view.box else None,
        "storey": asdict(storey) | {"layer_ids": sorted(storey.layer_ids)} if storey else None,
        "visible": sorted(view.visible),
        "invisible": sorted(view.invisible),
        "picture": base64.b64encode(view.picture).decode("ascii"),
    }


def viewpoints_from_list(entries: Iterable[Mapping[str, Any]], issues: list[Issue]) -> tuple[SavedView, ...]:
    """Viewpoints of a manifest; one that is damaged is left out and told."""
    found = []
    for entry in entries:
        try:
            found.append(_from_dict(entry))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            name = str(entry.get("name", "?")) if isinstance(entry, Mapping) else "?"
            issues.append(
                Issue(
                    code="project.viewpoint_lost",
                    message=f"The viewpoint '{name}' could not be read ({error}) and was left out.",
                    severity="doubt",
                    values={"name": name},
                )
            )
    return tuple(found)


def _from_dict(entry: Mapping[str, Any]) -> SavedView:
    camera, box, storey = entry["camera"], entry["box"], entry["storey"]
    view = SavedView(
        id=str(entry["id"]),
        name=str(entry["name"]),
        camera=Camera(
            _triple(camera["position"]),
            _triple(camera["focus"]),
            float(camera["fov"]),
            float(camera["parallel_height"]),
        ),
        day=date.fromisoformat(entry["day"]) if entry["day"] else None,
        minute=int(entry["minute"]) % 1440,
        planes=tuple(ClipPlane(_triple(item["point"]), _triple(item["normal"])) for item in entry["planes"]),
        box=SectionBox(_triple(box["low"]), _triple(box["high"])) if box else None,
        visible=frozenset(map(str, entry["visible"])),
        invisible=frozenset(map(str, entry["invisible"])),
        picture=_picture(entry["picture"]),
    )
    if storey:
        ids = frozenset(map(str, storey["layer_ids"]))
        opened = OpenStorey(ids, str(storey["label"]), float(storey["cut"]), bool(storey["plan"]))
        view = replace(view, storey=opened)
    return view


def _triple(values: Sequence[float]) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    if not all(abs(value) < 1e9 for value in (x, y, z)):
        raise ValueError("a place of a viewpoint is nowhere")
    return x, y, z


def _picture(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""  # a viewpoint without its small picture still shows what it should
