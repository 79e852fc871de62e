"""LandXML 1.0 to 1.2: triangulated surfaces as terrain. Northing stands first in this format."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field as Setting

from geo import crs as coordinates
from geo.formats.contract import HEAD_BYTES, FileInfo, Format, MapBox, ReadOptions
from geo.formats.mesh_model import damaged, on_earth
from geo.formats.options import FormatOptions
from geo.formats.raster import FOOT, US_FOOT
from geo.model import (
    Column,
    ElementTable,
    Feedback,
    Frame,
    Geometry,
    Issue,
    Layer,
    Mesh,
    MissingCrs,
    Source,
    UserError,
)

Floats = NDArray[np.float64]
UNITS = {
    "millimeter": 0.001, "centimeter": 0.01, "meter": 1.0, "kilometer": 1000.0, "inch": FOOT / 12, "foot": FOOT,
    "ussurveyfoot": US_FOOT, "mile": 5280 * FOOT,
}  # fmt: skip
# Programs write "foot" for both feet; they differ by two millionths, which is a metre on the map.
SAME_UNIT = 1e-5
FAR_M = 100_000.0
EVERY = 20_000  # elements between two looks at whether the user wants to stop


class LandXmlOptions(FormatOptions):
    """What a user may say about a LandXML file."""

    as_grid: float = Setting(
        0.0, ge=0, le=1_000, allow_inf_nan=False, title="Cell of a grid [m]", description="0 = keep the triangles"
    )
    order: Literal["northing first", "easting first"] = Setting("northing first", title="Order of coordinates")


def sniff(path: Path, head: bytes) -> bool:
    """XML whose first element is LandXML, in UTF-8 or UTF-16."""
    text = head.replace(b"\0", b"")
    found = re.search(rb"<(?![?!])\s*(?:[\w.\-]+:)?([\w.\-]+)", text)
    return found is not None and found.group(1) == b"LandXML"


@dataclass
class Surface:
    """One surface while it is read: points (north, east, height) by id, faces by ids."""

    name: str
    ids: list[str] = field(default_factory=list)
    points: list[tuple[float, float, float]] = field(default_factory=list)
    faces: list[tuple[str, str, str]] = field(default_factory=list)
    hidden: int = 0
    bad_points: int = 0
    bad_faces: int = 0


@dataclass
class Document:
    """What was found in a file. Units in metres."""

    version: str = ""
    application: str = ""
    unit: float = 1.0
    height_unit: float = 1.0
    has_units: bool = False
    crs: str | None = None
    vertical: str = ""
    surfaces: list[Surface] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


def _events(path: Path) -> Iterator[tuple[str, Any]]:
    """Start and end of elements by a parser that opens nothing else and expands no entity. Raises `UserError`."""
    from lxml import etree

    try:
        with path.open("rb") as stream:
            if b"<!DOCTYPE" in stream.read(HEAD_BYTES).replace(b"\0", b""):
                raise _entities(path)
            stream.seek(0)
            events = etree.iterparse(
                stream, events=("start", "end"), resolve_entities=False, load_dtd=False, no_network=True,
                dtd_validation=False, huge_tree=False, remove_comments=True, remove_pis=True,
            )  # fmt: skip
            for number, (event, element) in enumerate(events):
                if number == 0 and element.getroottree().docinfo.internalDTD is not None:
                    raise _entities(path)
                yield event, element
    except etree.XMLSyntaxError as error:
        raise damaged(path.name, f"line {error.lineno}: {str(error.msg)[:120]}") from error
    except (OSError, ValueError, LookupError) as error:
        raise damaged(path.name, str(error)[:120]) from error


def _local_name(element: Any) -> str:
    tag = element.tag
    return tag.rsplit("}", 1)[-1] if isinstance(tag, str) else ""


def load(path: Path, feedback: Feedback) -> Document:
    """All surfaces of a file with the units and the system of their numbers."""
    document = Document()
    surface: Surface | None = None
    within: list[str] = []
    for number, (event, element) in enumerate(_events(path)):
        if number % EVERY == 0:
            feedback.step(1.0 - 1.0 / (1.0 + number / 1e6), "reading surfaces")
        name = _local_name(element)
        if event == "start":
            within.append(name)
            if len(within) == 1 and name != "LandXML":
                raise damaged(path.name, "its first element is not LandXML")
            if name == "LandXML":
                document.version = str(element.get("version") or "")
            elif name == "Surface":
                surface = Surface(str(element.get("name") or f"surface-{len(document.surfaces) + 1}"))
                document.surfaces.append(surface)
            continue
        within.pop()
        if name in ("P", "F") and surface is not None and "Definition" in within:
            (_point if name == "P" else _face)(surface, element)
        elif name in ("Metric", "Imperial"):
            _units(document, element)
        elif name == "CoordinateSystem":
            _system(document, element)
        elif name == "Application":
            document.application = str(element.get("name") or "")
        if name == "Surface":
            surface = None
        element.clear(keep_tail=False)
        if name in ("P", "F"):
            _forget_before(element)
    return document


def _forget_before(element: Any) -> None:
    """Free the finished siblings, or the tree of a large surface would stay in memory."""
    while (before := element.getprevious()) is not None:
        before.getparent().remove(before)


def _point(surface: Surface, element: Any) -> None:
    try:
        numbers = [float(text) for text in (element.text or "").split()]
    except ValueError:
        numbers = []
    if len(numbers) < 3 or not all(map(math.isfinite, numbers[:3])):
        surface.bad_points += 1
        return
    surface.ids.append(str(element.get("id") or len(surface.ids) + 1))
    surface.points.append((numbers[0], numbers[1], numbers[2]))


def _face(surface: Surface, element: Any) -> None:
    corners = (element.text or "").split()
    if str(element.get("i") or "").strip() == "1":
        surface.hidden += 1
    elif len(corners) < 3 or len(corners) > 4:
        surface.bad_faces += 1
    else:
        surface.faces.append((corners[0], corners[1], corners[2]))
        if len(corners) == 4:
            surface.faces.append((corners[0], corners[2], corners[3]))


def _units(document: Document, element: Any) -> None:
    word = str(element.get("linearUnit") or ("meter" if _local_name(element) == "Metric" else "foot"))
    height = str(element.get("elevationUnit") or word)
    for text in (word, height):
        if text.lower() not in UNITS:
            message = f"The unit {text[:40]!r} is not known; metres were taken."
            document.issues.append(Issue("landxml.unit", message, "doubt", values={"unit": text[:40]}))
    document.unit = UNITS.get(word.lower(), 1.0)
    # Elevation units are called "meter" or "feet".
    document.height_unit = UNITS.get({"feet": "foot"}.get(height.lower(), height.lower()), document.unit)
    document.has_units = True


def _system(document: Document, element: Any) -> None:
    """The coordinate system by its code or description; a doubt where it names neither."""
    code = str(element.get("epsgCode") or "").strip().upper().removeprefix("EPSG:")
    wkt = str(element.get("ogcWktCode") or "").strip()
    document.vertical = str(element.get("verticalDatum") or element.get("verticalCoordinateSystemName") or "")[:100]
    for text in ([f"EPSG:{code}"] if code.isdigit() and int(code) > 0 else []) + ([wkt] if wkt else []):
        try:
            document.crs = coordinates.canonical(text)
            document.vertical = coordinates.vertical_name(text) or document.vertical
        except UserError:
            continue
        return
    name = str(element.get("name") or element.get("desc") or element.get("horizontalCoordinateSystemName") or "")
    message = f"The file names its coordinate system only in words ({name[:80]!r}). Name it with --crs."
    document.issues.append(Issue("landxml.crs_in_words", message, "doubt", values={"name": name[:80]}))


def _numbered(surface: Surface, name: str) -> tuple[Floats, NDArray[np.int64], list[Issue]]:
    """Points (n, 3) as in the file, faces (m, 3) by number, and what was left out."""
    row = {text: number for number, text in enumerate(surface.ids)}
    faces = [(row.get(a, -1), row.get(b, -1), row.get(c, -1)) for a, b, c in surface.faces]
    index = np.array(faces, dtype=np.int64).reshape(-1, 3)
    known = (index >= 0).all(axis=1)
    distinct = (index[:, 0] != index[:, 1]) & (index[:, 1] != index[:, 2]) & (index[:, 2] != index[:, 0])
    issues = []
    doubles = len(surface.ids) - len(row)
    for code, count, text in (
        ("landxml.points", surface.bad_points, "points without three numbers were left out"),
        ("landxml.doubles", doubles, "points have the number of another; the last one counts"),
        ("landxml.faces", surface.bad_faces + int((~(known & distinct)).sum()), "faces that name no three points of "
         "the surface were left out"),
    ):  # fmt: skip
        if count:
            issues.append(Issue(code, f"{name}: {count} {text}.", "error", count, values={"name": name}))
    if surface.hidden:
        message = f"{name}: {surface.hidden} faces marked invisible were left out, as the file wants it."
        issues.append(Issue("landxml.hidden", message, "note", surface.hidden, values={"name": name}))
    return np.array(surface.points, dtype=np.float64).reshape(-1, 3), index[known & distinct], issues


def inspect(path: Path) -> FileInfo:
    """Surfaces, points, faces, extent in the units of the named system."""
    document = load(path, Feedback())
    points = [np.array(s.points).reshape(-1, 3) for s in document.surfaces if s.points]
    bounds = None
    if points:
        scale = _scale(document, document.crs)
        low = np.min([p.min(axis=0) for p in points], axis=0)
        high = np.max([p.max(axis=0) for p in points], axis=0)
        height = document.height_unit
        bounds = (low[1] * scale, low[0] * scale, low[2] * height, high[1] * scale, high[0] * scale, high[2] * height)
    issues = list(document.issues)
    if document.crs is None:
        issues.append(Issue("crs.not_said", "The file does not name a coordinate system.", "doubt"))
    return FileInfo(
        format=FORMAT.id,
        title=FORMAT.title,
        version=document.version,
        crs=document.crs,
        vertical=document.vertical,
        bounds=None if bounds is None else tuple(map(float, bounds)),  # type: ignore[arg-type]
        counts={
            "surfaces": len(document.surfaces),
            "points": sum(len(s.points) for s in document.surfaces),
            "faces": sum(len(s.faces) for s in document.surfaces),
        },
        issues=tuple(issues),
        details={"application": document.application, "metres_per_unit": document.unit},
    )


def _scale(document: Document, crs: str | None) -> float:
    """Units of the coordinate system per unit of the file."""
    if crs is None or coordinates.is_geographic(crs):
        return 1.0
    ratio = document.unit / coordinates.metres_per_unit(crs)
    return 1.0 if not document.has_units or abs(ratio - 1.0) < SAME_UNIT else ratio


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """One terrain layer per surface: triangles, or a grid where one is wanted."""
    own = options.own if isinstance(options.own, LandXmlOptions) else LandXmlOptions()
    feedback.step(0.0, f"reading {path.name}")
    document = load(path, feedback.part(0.0, 0.7))
    crs = options.crs or document.crs
    if crs is None:
        raise MissingCrs(path.name)
    layers, taken = [], set()
    for number, surface in enumerate(document.surfaces):
        feedback.step(0.7 + 0.3 * number / len(document.surfaces), surface.name)
        part = surface.name if surface.name not in taken else f"{surface.name}-{number + 1}"
        taken.add(part)
        points, faces, issues = _numbered(surface, surface.name)
        if not len(faces):
            message = f"The surface {surface.name!r} has no triangles and was left out."
            feedback.note(Issue("landxml.no_faces", message, "error", values={"name": surface.name}))
            continue
        layer = _layer(part, surface.name, points, faces, document=document, crs=crs, frame=frame, own=own,
                       options=options)  # fmt: skip
        if layer is not None:
            layers.append(layer.with_(issues=(*document.issues, *issues, *layer.issues)))
    if not layers and options.box is None:
        raise UserError(
            f"{path.name} holds no triangulated surface.",
            "Only surfaces that are stored as triangles can be read; points, contours and alignments are not.",
            "Export the surface as a TIN.",
            code="landxml.nothing",
            values={"name": path.name},
        )
    feedback.step(1.0, "read")
    return layers


def _layer(
    part: str,
    name: str,
    points: Floats,
    faces: NDArray[np.int64],
    *,
    document: Document,
    crs: str,
    frame: Frame,
    own: LandXmlOptions,
    options: ReadOptions,
) -> Layer | None:
    scale = _scale(document, crs)
    first, second = (points[:, 1], points[:, 0]) if own.order == "northing first" else (points[:, 0], points[:, 1])
    east, north = coordinates.transform(first * scale, second * scale, crs, frame.crs)
    local = frame.to_local(np.stack([east, north, points[:, 2] * document.height_unit], axis=1))
    good = on_earth(local)[faces].all(axis=1)
    issues = _order_doubt(first * scale, second * scale, crs, frame)
    if not good.all():
        count = int((~good).sum())
        issues.append(Issue("mesh.not_finite", f"{count} triangles lie nowhere on Earth and were left out.", "error",
                            count))  # fmt: skip
    faces = _facing_up(local, faces[good & _in_box(local, faces, options.box, frame)])
    if not len(faces):
        return None
    used, index = np.unique(faces, return_inverse=True)
    mesh = Mesh(local[used], index.reshape(-1, 3), np.zeros(len(faces), np.int32))
    geometry: Geometry = mesh
    if own.as_grid:
        from geo.tin import grid_of_tin

        geometry = grid_of_tin(mesh.vertices, mesh.faces, cell=own.as_grid)
    columns = {"points": Column(np.array([len(used)])), "triangles": Column(np.array([len(faces)]))}
    table = ElementTable(()) if own.as_grid else ElementTable([name], columns)
    return Layer(part, name, "terrain", geometry, table, source=Source(part=part), issues=tuple(issues))


def _facing_up(local: Floats, faces: NDArray[np.int64]) -> NDArray[np.int64]:
    """Faces counter-clockwise seen from above; the format leaves the order open."""
    a, b, c = (local[faces[:, k], :2] for k in range(3))
    down = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]) < 0
    return np.where(down[:, None], faces[:, ::-1], faces)


def _in_box(local: Floats, faces: NDArray[np.int64], box: MapBox | None, frame: Frame) -> NDArray[np.bool_]:
    """Faces that touch the box."""
    if box is None:
        return np.ones(len(faces), bool)
    with np.errstate(invalid="ignore"):
        x, y = local[faces][:, :, 0] + frame.origin[0], local[faces][:, :, 1] + frame.origin[1]
        touches = (x.min(axis=1) <= box.east) & (x.max(axis=1) >= box.west)
        return np.asarray(touches & (y.min(axis=1) <= box.north) & (y.max(axis=1) >= box.south))


def _order_doubt(first: Floats, second: Floats, crs: str, frame: Frame) -> list[Issue]:
    """A doubt where the coordinates would lie in the project only if they were exchanged."""
    x, y = float(np.median(first)), float(np.median(second))
    away = []
    for e, n in ((x, y), (y, x)):
        east, north = coordinates.transform(e, n, crs, frame.crs)
        away.append(math.hypot(float(east) - frame.origin[0], float(north) - frame.origin[1]))
    if away[1] < FAR_M and not away[0] < FAR_M:
        message = "The coordinates fit the project only when easting and northing are exchanged."
        return [Issue("landxml.order", message, "doubt")]
    return []


def _entities(path: Path) -> UserError:
    return UserError(
        f"{path.name} is not opened for safety.",
        "It declares its own document type; such files can make a program open other files or fill the memory.",
        "Export it again without a DOCTYPE.",
        code="xml.doctype",
        values={"name": path.name},
    )


FORMAT = Format(
    id="landxml",
    title="LandXML",
    patterns=("*.xml", "*.landxml"),
    sniff=sniff,
    inspect=inspect,
    read=read,
    options=LandXmlOptions,
)
