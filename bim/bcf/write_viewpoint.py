"""Writes viewpoints (``*.bcfv``) of BCF 2.1 and 3.0."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement

from bim.bcf.model import Component, Eye, Vector, Viewpoint, within_angles

ANGLES_21 = (45.0, 60.0)  # degrees of the field of view that the schema of 2.1 allows
ANGLES_30 = (0.001, 179.999)
IFC_GUID = re.compile(r"[0-9A-Za-z_$]{22}")


def narrowed(view: Viewpoint) -> bool:
    """Whether version 2.1 cannot say the angle of view."""
    eye = view.eye
    return eye is not None and eye.parallel_height <= 0.0 and not ANGLES_21[0] <= eye.fov <= ANGLES_21[1]


def visualization(view: Viewpoint, version: str, *, guid: str) -> Element:
    """The root element of a viewpoint."""
    new = version == "3.0"
    root = Element("VisualizationInfo", Guid=guid)
    _components(SubElement(root, "Components"), view, new)
    if view.eye is not None:
        _camera(root, view.eye, new)
    if view.planes:
        planes = SubElement(root, "ClippingPlanes")
        for plane in view.planes:
            item = SubElement(planes, "ClippingPlane")
            _vector(item, "Location", plane.point)
            _vector(item, "Direction", plane.normal)
    return root


def _components(parent: Element, view: Viewpoint, new: bool) -> None:
    if not new:
        _hints(parent, view)
    selected = [c for c in view.selected if _can_be_said(c)]
    if selected:
        _members(SubElement(parent, "Selection"), selected)
    visibility = SubElement(parent, "Visibility", DefaultVisibility=_flag(view.default_visible))
    if new:
        _hints(visibility, view)
    exceptions = [c for c in view.exceptions if _can_be_said(c)]
    if exceptions:
        _members(SubElement(visibility, "Exceptions"), exceptions)
    groups = [(colour, [c for c in members if _can_be_said(c)]) for colour, members in view.colouring]
    groups = [(colour, members) for colour, members in groups if members]
    if groups:
        colouring = SubElement(parent, "Coloring")
        for colour, members in groups:
            item = SubElement(colouring, "Color", Color=colour.lstrip("#").upper())
            _members(SubElement(item, "Components") if new else item, members)


def _hints(parent: Element, view: Viewpoint) -> None:
    spaces = _flag(view.spaces_visible)
    SubElement(parent, "ViewSetupHints", SpacesVisible=spaces, SpaceBoundariesVisible="false", OpeningsVisible="false")


def _can_be_said(component: Component) -> bool:
    return bool(IFC_GUID.fullmatch(component.ifc_guid) or component.tool_id)


def _members(parent: Element, components: Iterable[Component]) -> None:
    for component in components:
        known = IFC_GUID.fullmatch(component.ifc_guid)
        item = SubElement(parent, "Component", {"IfcGuid": component.ifc_guid} if known else {})
        for name, value in (("OriginatingSystem", component.system), ("AuthoringToolId", component.tool_id)):
            if value:
                SubElement(item, name).text = value


def _camera(root: Element, eye: Eye, new: bool) -> None:
    parallel = eye.parallel_height > 0.0
    if not parallel:
        eye = within_angles(eye, *(ANGLES_30 if new else ANGLES_21))
    camera = SubElement(root, "OrthogonalCamera" if parallel else "PerspectiveCamera")
    _vector(camera, "CameraViewPoint", eye.position)
    _vector(camera, "CameraDirection", eye.direction)
    _vector(camera, "CameraUpVector", eye.up)
    name, value = ("ViewToWorldScale", eye.parallel_height) if parallel else ("FieldOfView", eye.fov)
    SubElement(camera, name).text = repr(float(value))
    if new:
        SubElement(camera, "AspectRatio").text = repr(float(eye.aspect))


def _vector(parent: Element, name: str, values: Vector | Sequence[float]) -> None:
    item = SubElement(parent, name)
    for axis, value in zip("XYZ", values, strict=True):
        SubElement(item, axis).text = repr(float(value))


def _flag(value: bool) -> str:
    return "true" if value else "false"
