"""Reads the viewpoints (``*.bcfv``) of BCF 2.0, 2.1 and 3.0."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bim.bcf.archive import BrokenPart
from bim.bcf.model import LARGEST_ANGLE, Component, Eye, Plane, Vector, Viewpoint
from geo.model import Issue

if TYPE_CHECKING:
    from lxml.etree import _Element

TRUE = ("true", "1")


def viewpoint_of(root: _Element, guid: str, issues: list[Issue]) -> Viewpoint:
    """A viewpoint without its picture; what is wrong in it is told in `issues`. Raises `BrokenPart`."""
    components = root.find("Components")
    has_visibility = components is not None and components.find("Visibility") is not None
    if components is not None and components.find("Component") is not None:
        selected, default, exceptions, colouring = _components_20(components)
    else:
        selected = _components(components, "Selection")
        visibility = components.find("Visibility") if components is not None else None
        default = visibility is None or _flag(visibility.get("DefaultVisibility"), usual=False)
        exceptions = _components(visibility, "Exceptions")
        colouring = _colouring(components)
    hints = None if components is None else components.find("ViewSetupHints")
    if hints is None and has_visibility and components is not None:
        hints = components.find("Visibility/ViewSetupHints")
    eye = _eye(root)
    if root.find("Lines/Line") is not None or root.find(".//Bitmap") is not None:
        issues.append(Issue("bcf.no_markings", "Lines or pictures drawn into a viewpoint are not read."))
    return Viewpoint(
        guid=guid,
        eye=eye,
        planes=tuple(_plane(item) for item in root.findall("ClippingPlanes/ClippingPlane")),
        selected=selected,
        default_visible=default,
        exceptions=exceptions,
        spaces_visible=hints is not None and _flag(hints.get("SpacesVisible"), usual=False),
        colouring=colouring,
    )


def _eye(root: _Element) -> Eye | None:
    perspective, parallel = root.find("PerspectiveCamera"), root.find("OrthogonalCamera")
    camera = perspective if perspective is not None else parallel
    if camera is None:
        return None
    position, direction = _vector(camera, "CameraViewPoint"), _unit(_vector(camera, "CameraDirection"))
    up = _unit(_vector(camera, "CameraUpVector"))
    aspect = _number(camera, "AspectRatio", usual=1.0)
    if perspective is not None:
        fov = min(max(_number(camera, "FieldOfView", usual=60.0), 1.0), LARGEST_ANGLE)
        return Eye(position, direction, up, fov, 0.0, aspect)
    height = _number(camera, "ViewToWorldScale", usual=0.0)
    if height <= 0.0:
        raise BrokenPart("the scale of a parallel camera is not a positive number")
    return Eye(position, direction, up, 60.0, height, aspect)


def _plane(item: _Element) -> Plane:
    return Plane(_vector(item, "Location"), _unit(_vector(item, "Direction")))


def _components(parent: _Element | None, name: str) -> tuple[Component, ...]:
    found = None if parent is None else parent.find(name)
    return () if found is None else tuple(_component(item) for item in found.iter("Component"))


def _component(item: _Element) -> Component:
    from bim.bcf.read import text

    return Component(
        (item.get("IfcGuid") or "").strip(), text(item, "OriginatingSystem"), text(item, "AuthoringToolId")
    )


def _components_20(
    parent: _Element,
) -> tuple[tuple[Component, ...], bool, tuple[Component, ...], tuple[tuple[str, tuple[Component, ...]], ...]]:
    """BCF 2.0 lists each element with what is so of it; one that says nothing is what the topic is about."""
    selected, hidden = [], []
    colours: dict[str, list[Component]] = {}
    for item in parent.findall("Component"):
        component = _component(item)
        visible = _flag(item.get("Visible"), usual=True)
        if _flag(item.get("Selected"), usual=visible):
            selected.append(component)
        if not visible:
            hidden.append(component)
        colour = _colour(item.get("Color"))
        if colour:
            colours.setdefault(colour, []).append(component)
    colouring = tuple((colour, tuple(members)) for colour, members in colours.items())
    return tuple(selected), True, tuple(hidden), colouring


def _colouring(components: _Element | None) -> tuple[tuple[str, tuple[Component, ...]], ...]:
    if components is None:
        return ()
    found = []
    for item in components.findall("Coloring/Color"):
        colour = _colour(item.get("Color"))
        members = tuple(_component(member) for member in item.iter("Component"))
        if colour and members:
            found.append((colour, members))
    return tuple(found)


def _colour(value: str | None) -> str:
    """``"#rrggbb"`` of RRGGBB or AARRGGBB; ``""`` for anything else."""
    digits = (value or "").strip().lstrip("#").lower()
    known = len(digits) in (6, 8) and all(c in "0123456789abcdef" for c in digits)
    return f"#{digits[-6:]}" if known else ""


def _flag(value: str | None, *, usual: bool) -> bool:
    return usual if value is None else value.strip().lower() in TRUE


def _number(parent: _Element, name: str, *, usual: float) -> float:
    found = parent.find(name)
    try:
        value = float(found.text or "") if found is not None else usual
    except ValueError:
        value = usual
    return value if math.isfinite(value) and value > 0.0 else usual


def _vector(parent: _Element, name: str) -> Vector:
    found = parent.find(name)
    try:
        if found is None:
            raise ValueError
        x, y, z = (float(found.findtext(axis) or "") for axis in ("X", "Y", "Z"))
    except ValueError:
        raise BrokenPart(f"{name} has not three numbers") from None
    if not all(math.isfinite(v) for v in (x, y, z)):
        raise BrokenPart(f"{name} is not finite")
    return x, y, z


def _unit(vector: Vector) -> Vector:
    length = math.sqrt(sum(v * v for v in vector))
    if length < 1e-9:
        raise BrokenPart("a direction has no length")
    x, y, z = vector
    return x / length, y / length, z / length
