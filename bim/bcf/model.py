"""Topics, comments and viewpoints as BCF knows them. Coordinates are metres in the frame of the file they refer to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from geo.model import Issue

Vector = tuple[float, float, float]

PROGRAM = "Sejong Twin"
RULE = "rule: "  # how the id of a component begins that stands for all elements which fulfil a condition
VERSIONS = ("2.1", "3.0")  # of the format, that are written
UNSAID = "Unspecified"  # type, status and author where a topic has none and the schema wants one
LARGEST_ANGLE = 179.0  # degrees of an angle of view that a camera can have


@dataclass(frozen=True)
class Component:
    """An element, or by `PROGRAM` a rule that tells many of them.

    Attributes
    ----------
    ifc_guid : str
        GlobalId of 22 characters; ``""`` for what does not come from an IFC file.
    system, tool_id : str
        Program that knows the element, and its id there.
    """

    ifc_guid: str = ""
    system: str = ""
    tool_id: str = ""

    @property
    def rule(self) -> str:
        """The condition that a component of ours stands for, such as ``class = IfcWall``; else ``""``."""
        mine = self.system == PROGRAM and self.tool_id.startswith(RULE)
        return self.tool_id.removeprefix(RULE) if mine else ""


class Plane(NamedTuple):
    """A clipping plane; what lies on the side that the normal points to is cut away."""

    point: Vector
    normal: Vector


class Eye(NamedTuple):
    """A camera.

    Attributes
    ----------
    position, direction, up : (3,) [m]
    fov : float [degrees]
        Vertical angle of view; has no meaning when lines of sight are parallel.
    parallel_height : float [m]
        Height of what is seen when lines of sight are parallel; 0 = in perspective.
    aspect : float
        Width of the picture over its height.
    distance : float [m]
        To what is looked at; 0 = unknown. BCF does not write it.
    """

    position: Vector
    direction: Vector
    up: Vector
    fov: float = 60.0
    parallel_height: float = 0.0
    aspect: float = 1.0
    distance: float = 0.0


@dataclass(frozen=True)
class Viewpoint:
    """What one saw: from where, cut by what, with which elements chosen, hidden and coloured.

    Attributes
    ----------
    guid : str
    eye : Eye or None
    planes : tuple of Plane
    selected : tuple of Component
    default_visible : bool
        Whether an element that no exception names is seen.
    exceptions : tuple of Component
        Elements for which the contrary is so.
    spaces_visible : bool
    colouring : tuple of (colour, components)
        Colours as ``"#rrggbb"``.
    snapshot : bytes
        A PNG or JPEG picture, or nothing.
    """

    guid: str
    eye: Eye | None = None
    planes: tuple[Plane, ...] = ()
    selected: tuple[Component, ...] = ()
    default_visible: bool = True
    exceptions: tuple[Component, ...] = ()
    spaces_visible: bool = False
    colouring: tuple[tuple[str, tuple[Component, ...]], ...] = ()
    snapshot: bytes = b""


@dataclass(frozen=True)
class Comment:
    """One comment; `viewpoint` is the guid of the viewpoint it speaks of, or ``""``."""

    guid: str
    text: str
    author: str = ""
    created: datetime | None = None
    modified: datetime | None = None
    viewpoint: str = ""


@dataclass(frozen=True)
class ModelFile:
    """A model that a topic is about."""

    name: str
    ifc_project: str = ""
    date: datetime | None = None
    reference: str = ""


@dataclass(frozen=True)
class Topic:
    """A thing to be talked about and settled.

    Attributes
    ----------
    on_map : bool or None
        Whether coordinates are those of the map rather than of a model; None = not known (read from a file).
    index : int or None
        Position that the file gives it among the topics.
    """

    guid: str
    title: str
    description: str = ""
    type: str = ""
    status: str = ""
    priority: str = ""
    labels: tuple[str, ...] = ()
    author: str = ""
    created: datetime | None = None
    modified: datetime | None = None
    modified_author: str = ""
    assigned: str = ""
    due: datetime | None = None
    stage: str = ""
    comments: tuple[Comment, ...] = ()
    viewpoints: tuple[Viewpoint, ...] = ()
    files: tuple[ModelFile, ...] = ()
    links: tuple[str, ...] = ()
    index: int | None = None
    on_map: bool | None = None

    @property
    def snapshot(self) -> bytes:
        """Its first picture, or nothing."""
        return next((view.snapshot for view in self.viewpoints if view.snapshot), b"")

    def viewpoint(self, guid: str = "") -> Viewpoint | None:
        """The viewpoint of that guid, or the first."""
        if not guid:
            return self.viewpoints[0] if self.viewpoints else None
        return next((view for view in self.viewpoints if view.guid == guid), None)


@dataclass(frozen=True)
class Archive:
    """What a BCF file holds.

    Attributes
    ----------
    version : str
        As the file says; ``""`` when it says nothing.
    """

    version: str
    topics: tuple[Topic, ...]
    project: str = ""
    issues: tuple[Issue, ...] = ()


def within_angles(eye: Eye, low: float, high: float) -> Eye:
    """The camera with an angle of view between two [degrees], moved so that what it looks at keeps its size.

    Where the distance is not known the camera stays and only the angle changes.
    """
    fov = min(max(eye.fov, low), high)
    if fov == eye.fov or eye.distance <= 0.0:
        return eye._replace(fov=fov)
    distance = eye.distance * math.tan(math.radians(eye.fov) / 2) / math.tan(math.radians(fov) / 2)
    ahead = eye.distance - distance
    x, y, z = (p + ahead * d for p, d in zip(eye.position, eye.direction, strict=True))
    return eye._replace(position=(x, y, z), fov=fov, distance=distance)
