"""IndoorGML 1.0 and 1.1 as text: cells, boundaries, states, transitions and what joins layers, without any meaning.

OGC 19-011r4. Elements are known by their local names, so that both versions and the navigation and private extensions
(a ``CellSpaceStorey`` among the cells) are read alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.model import UserError

Floats = NDArray[np.float64]
Element = Any  # lxml's elements have no types of their own

HREF = "{http://www.w3.org/1999/xlink}href"
ROOT = re.compile(rb"<(?:[\w.-]+:)?IndoorFeatures[\s>]")
NAMESPACE = re.compile(rb"https?://www\.opengis\.net/indoorgml/")
ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)
LARGEST = 512 * 1024**2
FARTHEST = 1e9  # no place on Earth has a coordinate beyond it in any unit; squares of more overflow
NOTE = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^";]*))')


@dataclass
class Feature:
    """A cell, boundary, state or transition.

    Attributes
    ----------
    id, kind, name : str
        `kind` is the local name of its element.
    notes : dict
        ``key=value`` pairs of the description, as editors write them (level, story, usage ...).
    polygons : list of polygons, each a list of rings (n, 3)
    points : (n, 3) float64
        Of a state one, of a transition its line.
    dual : str
        Id the duality refers to, ``""`` for none.
    connects : list of str
    layer : str
        Id of the space layer of a state or transition.
    """

    id: str
    kind: str
    name: str
    notes: dict[str, str]
    polygons: list[list[Floats]] = field(default_factory=list)
    points: Floats = field(default_factory=lambda: np.zeros((0, 3)))
    dual: str = ""
    connects: list[str] = field(default_factory=list)
    layer: str = ""


@dataclass
class Document:
    """Everything of one file."""

    version: str = ""
    crs: str = ""
    cells: list[Feature] = field(default_factory=list)
    boundaries: list[Feature] = field(default_factory=list)
    states: list[Feature] = field(default_factory=list)
    transitions: list[Feature] = field(default_factory=list)
    interlayer: list[Feature] = field(default_factory=list)
    layers: int = 0
    faults: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """Number of elements by the names of the standard."""
        found = {
            "CellSpace": len(self.cells),
            "CellSpaceBoundary": len(self.boundaries),
            "State": len(self.states),
            "Transition": len(self.transitions),
            "SpaceLayer": self.layers,
            "InterLayerConnection": len(self.interlayer),
        }
        return {name: count for name, count in found.items() if count}


def looks_like(head: bytes) -> bool:
    """Whether text begins an indoor model."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", errors="ignore").encode()
    return bool(ROOT.search(head) and NAMESPACE.search(head))


def read_document(path: Path) -> Document:
    """Parse a file. Raises `UserError` for damaged or hostile text."""
    root = _parsed(path)
    document = Document(version=_version(root))
    by_id = {e.get(_GML_ID): e for e in root.iter() if isinstance(e.tag, str) and e.get(_GML_ID)}
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        name = _local(element)
        document.crs = document.crs or element.get("srsName", "")
        if name == "SpaceLayer":
            document.layers += 1
        for holder, list_of in _MEMBERS.items():
            if name == holder:
                for child in element:
                    if isinstance(child.tag, str):
                        getattr(document, list_of).append(_feature(child, document, by_id))
    return document


_GML_ID = "{http://www.opengis.net/gml/3.2}id"
_MEMBERS = {
    "cellSpaceMember": "cells",
    "cellSpaceBoundaryMember": "boundaries",
    "stateMember": "states",
    "transitionMember": "transitions",
    "interLayerConnectionMember": "interlayer",
}


def _parsed(path: Path) -> Element:
    from lxml import etree

    if path.stat().st_size > LARGEST:
        raise _damaged(path, f"it is larger than {LARGEST // 1024**2} MB, which no indoor model is")
    text = path.read_bytes()
    if ENTITY.search(text[:65536].replace(b"\0", b"")):  # UTF-16 too
        raise UserError(
            f"{path.name} declares XML entities and was not opened.",
            "Entities can make a small file fill the memory, or read other files; indoor models do not need them.",
            "Export the model again without a DOCTYPE.",
            code="indoorgml.entities",
            values={"name": path.name},
        )
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        return etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        raise _damaged(path, str(error)) from None


def _damaged(path: Path, reason: str) -> UserError:
    return UserError(
        f"{path.name} is damaged and was not opened.",
        f"The XML text is not well formed: {reason}.",
        "Fetch or export the file again.",
        code="indoorgml.damaged",
        values={"name": path.name, "reason": reason},
    )


def _version(root: Element) -> str:
    return "1.1" if "/indoorgml/1.1" in str(root.tag) else "1.0"


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _first(element: Element, name: str) -> Element | None:
    return next((child for child in element if isinstance(child.tag, str) and _local(child) == name), None)


def _text(element: Element, name: str) -> str:
    child = _first(element, name)
    return " ".join((child.text or "").split()) if child is not None else ""


def _feature(element: Element, document: Document, by_id: dict[str, Element]) -> Feature:
    description = _text(element, "description")
    notes = {key.lower(): (quoted or plain).strip() for key, quoted, plain in NOTE.findall(description)}
    made = Feature(element.get(_GML_ID) or f"#{id(element)}", _local(element), _text(element, "name"), notes)
    kind = made.kind
    layer = element.getparent()
    while layer is not None and _local(layer) != "SpaceLayer":
        layer = layer.getparent()
    made.layer = layer.get(_GML_ID, "") if layer is not None else ""
    for child in element:
        if not isinstance(child.tag, str):
            continue
        name, target = _local(child), (child.get(HREF) or "").removeprefix("#")
        if name == "duality" and target:
            made.dual = target.removesuffix("-REVERSE")
        elif name in ("connects", "interConnects") and target:
            made.connects.append(target)
        elif name.lower() in ("cellspacegeometry", "cellspaceboundarygeometry", "geometry"):
            _geometry(child, made, document, by_id)
    if kind == "InterLayerConnection":
        made.notes["topology"] = _text(element, "typeOfTopoExpression")
    return made


def _geometry(holder: Element, made: Feature, document: Document, by_id: dict[str, Element]) -> None:
    for item in holder.iter():
        if not isinstance(item.tag, str):
            continue
        name, target = _local(item), (item.get(HREF) or "").removeprefix("#")
        if target and target in by_id and _local(by_id[target]) == "Polygon":
            _add_polygon(by_id[target], made, document)
        elif name == "Polygon" or name == "PolygonPatch":
            _add_polygon(item, made, document)
        elif name in ("Point", "LineString") and not made.polygons:
            points = _positions(item)
            document.faults += points is None
            made.points = points if points is not None else made.points


def _add_polygon(item: Element, made: Feature, document: Document) -> None:
    rings = [_positions(ring) for ring in item.iter() if isinstance(ring.tag, str) and _local(ring) == "LinearRing"]
    good = [ring for ring in rings if ring is not None and len(ring) >= 3]
    document.faults += len(good) != len(rings) or not good
    if good and rings[0] is not None and len(rings[0]) >= 3:
        made.polygons.append(good)


def _positions(item: Element) -> Floats | None:
    """Points (n, 3) of positions below an element; a missing height is 0; None for text that is no numbers."""
    rows: list[list[float]] = []
    try:
        for child in item.iter():
            name = _local(child) if isinstance(child.tag, str) else ""
            if name == "pos":
                rows.append(_row([float(v) for v in (child.text or "").split()]))
            elif name == "posList":
                values = [float(v) for v in (child.text or "").split()]
                size = int(child.get("srsDimension") or item.get("srsDimension") or 3)
                rows += [_row(values[k : k + size]) for k in range(0, len(values), size)]
    except ValueError:
        return None
    points = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return points if (np.abs(points) < FARTHEST).all() else None  # not so for NaN either


def _row(values: list[float]) -> list[float]:
    if len(values) not in (2, 3):
        raise ValueError("a position has two or three coordinates")
    return [*values, 0.0][:3]
