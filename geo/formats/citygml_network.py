"""Lines and points of the utility networks in a CityGML file: i-UR of PLATEAU and the UtilityNetwork ADE."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.formats.citygml_geometry import HREF
from geo.formats.citygml_names import Kind, Roles, is_extension_object
from geo.formats.citygml_xml import Element, Hints
from resources import load_json

Floats = NDArray[np.float64]

_LEVEL = re.compile(r"lod(\d)")
_SURFACES = (Kind.POLYGON, Kind.AGGREGATE, Kind.ORIENTABLE)
_JOINED = ("Curve", "CompositeCurve")  # of segments, which make one line together
LINKS = ("InteriorFeatureLink", "InterFeatureLink", "NetworkLink")


class Piece(NamedTuple):
    """A line or a point of one object: its level of detail ("" unsaid) and its range of positions."""

    lod: str
    is_line: bool
    start: int
    stop: int


@cache
def tables() -> Mapping[str, Any]:
    """What the element names and words of city networks mean."""
    found: Mapping[str, Any] = load_json("utility/city_networks.json")
    return found


@dataclass
class NetworkParts:
    """Everything of utility networks met so far.

    Attributes
    ----------
    values : array of float
        Positions as written, three numbers each.
    runs : list of (first position, srsName)
    pieces : mapping of object id to its lines and points
    ends : mapping of link id to the ids of the nodes at its ends ("" unsaid)
    of_graph : mapping of a feature graph to the object that points to it
    members : ids of all objects that belong to networks, also those without a place of their own
    broken : ids of objects with lines or points that cannot be read
    """

    roles: Roles
    hints: Hints
    values: array[float] = field(default_factory=lambda: array("d"))
    runs: list[tuple[int, str | None]] = field(default_factory=lambda: [(0, None)])
    pieces: dict[str, list[Piece]] = field(default_factory=dict)
    ends: dict[str, tuple[str, str]] = field(default_factory=dict)
    of_graph: dict[str, str] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)

    def take(self, element: Element, name: str, system: str | None) -> None:
        """Take in the lines and points of one object, without those of objects inside it.

        system : srsName of the envelope of the document.
        """
        namespace, _, local = element.tag[1:].rpartition("}")
        if not is_network(namespace, local):
            return
        self.members.add(name)
        if local in LINKS:
            ends = {self.roles[child.tag].name: _target(child) for child in element}
            self.ends[name] = (ends.get("start", ""), ends.get("end", ""))
        for child in element:
            if self.roles[child.tag].name == "topoGraph" and child.get(HREF):
                self.of_graph[_target(child)] = name
        for shape, lod in self._shapes(element, ""):
            self._shape(shape, lod, name, system)

    def _shapes(self, element: Element, lod: str) -> Iterator[tuple[Element, str]]:
        """Lines and points below an element with their level of detail; inner objects have their own turn."""
        for child in element:
            kind, local, its_lod, _ = self.roles[child.tag]
            if kind in _SURFACES or (kind is Kind.DATA and is_extension_object(child.tag, child.get(_GML_ID))):
                continue
            if local in ("LineString", "LineStringSegment", "Point", *_JOINED):
                yield child, lod
                continue
            match = _LEVEL.match(local)
            yield from self._shapes(child, its_lod or (match[1] if match else lod))

    def _shape(self, shape: Element, lod: str, name: str, system: str | None) -> None:
        points = self._positions(shape)
        local = self.roles[shape.tag].name
        is_line = local != "Point"
        if len(points) < (6 if is_line else 3) or len(points) % 3:
            self.broken.append(name)
            return
        srs = _nearest_name(shape) or system if self.hints.names_systems else system
        start = len(self.values) // 3
        if srs != self.runs[-1][1]:
            if self.runs[-1][0] == start:
                self.runs.pop()
            self.runs.append((start, srs))
        self.values.extend(points)
        self.pieces.setdefault(name, []).append(Piece(lod, is_line, start, len(self.values) // 3))

    def _positions(self, shape: Element) -> list[float]:
        """Numbers below a geometry, three to a position; joined segments share their ends."""
        found: list[float] = []
        for piece in shape.iter():
            if self.roles[piece.tag].name not in ("posList", "pos", "coordinates"):
                continue
            try:
                values = [float(text) for text in (piece.text or "").replace(",", " ").split()]
            except ValueError:
                return []
            if _dimension(piece) == 2 and len(values) % 2 == 0:
                values = [v for x, y in zip(values[::2], values[1::2], strict=True) for v in (x, y, 0.0)]
            found += values[3:] if found and found[-3:] == values[:3] else values
        return found

    @property
    def points(self) -> Floats:
        """(n, 3) positions as written."""
        return np.array(self.values, dtype=np.float64).reshape(-1, 3)


_GML_ID = "{http://www.opengis.net/gml}id"


def is_network(namespace: str, local: str) -> bool:
    """Whether an element is part of a utility network of i-UR or of the ADE."""
    if "geospatial.jp/iur/" in namespace:
        return local in tables()["lines"] or local in tables()["nodes"]
    return "ade/utility" in namespace.lower() or "utilitynetwork" in namespace.lower()


def _target(element: Element) -> str:
    """What a property points to: by href, or by holding it."""
    href = element.get(HREF)
    if href:
        return str(href).rsplit("#", 1)[-1]
    inner = next(iter(element), None)
    return "" if inner is None else str(inner.get(_GML_ID) or "")


def _nearest_name(element: Element) -> str | None:
    current = element
    while current is not None:
        if current.get("srsName"):
            return str(current.get("srsName"))
        current = current.getparent()
    return None


def _dimension(element: Element) -> int:
    current = element
    while current is not None:
        text = current.get("srsDimension")
        if text is not None:
            return 2 if text.strip() == "2" else 3
        current = current.getparent()
    return 3
