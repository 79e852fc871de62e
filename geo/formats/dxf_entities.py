"""What a DXF drawing holds, entity by entity: outlines, lines, points, texts and faces; blocks taken apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.model import Feedback, UserError

Floats = NDArray[np.float64]
SAGITTA = 0.01  # part of its size by which a curve may differ from its chords
MOST_FROM_BLOCKS = 200_000  # entities that blocks may unfold into
LARGEST = 1e12  # a coordinate beyond it is damage in any unit
DEEPEST = 16  # blocks within blocks
TREE_LIKE = "tree"
FACES = ("3DFACE", "MESH", "SOLID", "TRACE")
CURVES = ("ARC", "CIRCLE", "ELLIPSE", "SPLINE", "LWPOLYLINE", "POLYLINE", "LINE")
# A drawing cut or changed at random makes the library trip in any of these ways; the entity is then left out.
ENTITY_TROUBLE = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, AssertionError),
    *(StopIteration, RuntimeError),
)


@dataclass
class Drawing:
    """Entities in the drawing's own units, one row each.

    Attributes
    ----------
    shapes : list of shapely geometry or None
        None for an entity of faces only.
    layer, kind, text, block : list of str
    thickness : list of float [drawing units]
    faces : list of (k, 3, 3) float
        Triangles.
    face_row : list of int
        Row each item of `faces` belongs to.
    skipped : Counter
        Entities that are not read, by kind.
    bad : int
        Entities that could not be understood.
    cycles : int
        Blocks left out because they contain themselves or lie too deep.
    """

    shapes: list[Any] = field(default_factory=list)
    layer: list[str] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    text: list[str | None] = field(default_factory=list)
    block: list[str | None] = field(default_factory=list)
    thickness: list[float] = field(default_factory=list)
    faces: list[Floats] = field(default_factory=list)
    face_row: list[int] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    bad: int = 0
    cycles: int = 0

    def add(self, entity: Any, shape: Any, *, layer: str, text: str | None = None, block: str | None = None) -> int:
        """Append a row; its number. Raises `ValueError` for coordinates that are damage."""
        if shape is not None and not max(map(abs, shape.bounds), default=0.0) < LARGEST:
            raise ValueError("absurd coordinates")
        is_thick = entity.dxf.is_supported("thickness")
        thickness = float(entity.dxf.get("thickness", 0.0) or 0.0) if is_thick else 0.0
        self.shapes.append(shape)
        self.layer.append(layer)
        self.kind.append(str(entity.dxftype()))
        self.text.append(text)
        self.block.append(block)
        self.thickness.append(abs(thickness) if np.isfinite(thickness) else 0.0)
        return len(self.shapes) - 1


@dataclass
class _Walk:
    """How far blocks have been unfolded."""

    feedback: Feedback
    unfolded: int = 0


def collect(modelspace: Any, feedback: Feedback, *, explode: bool) -> Drawing:
    """Every entity of the model space. Raises `UserError` where blocks unfold without end."""
    drawing, walk = Drawing(), _Walk(feedback)
    count = max(len(modelspace), 1)
    for number, (entity, layer, block) in enumerate(_unfolded(modelspace, drawing, walk, explode=explode)):
        if number % 500 == 0:
            feedback.step(min(number / (count + walk.unfolded), 1.0), "reading entities")
        try:
            _take(entity, drawing, layer, block)
        except ENTITY_TROUBLE:
            drawing.bad += 1
    return drawing


def _unfolded(
    entities: Any, drawing: Drawing, walk: _Walk, *, explode: bool, inside: tuple[str, ...] = (), over: str = "0"
) -> Iterator[tuple[Any, str, str | None]]:
    """Entities with their layer and block; inserts of blocks are replaced by what is in them.

    Entities of layer 0 in a block take the layer of the insert, as CAD programs have it.
    """
    for entity in entities:
        if inside:
            walk.unfolded += 1
            if walk.unfolded > MOST_FROM_BLOCKS:
                raise _endless()
            if walk.unfolded % 500 == 0:
                walk.feedback.step(0.0, "unfolding blocks")
        own = clean(str(entity.dxf.get("layer", "0")))
        layer = over if own == "0" and inside else own
        if entity.dxftype() != "INSERT":
            yield entity, layer, inside[-1] if inside else None
            continue
        name = clean(str(entity.dxf.get("name", "")))
        if not explode or TREE_LIKE in layer.lower() or "수목" in layer:
            yield entity, layer, name
        elif name in inside or len(inside) >= DEEPEST:
            drawing.cycles += 1
        else:
            parts = _parts_of(entity, drawing)
            yield from _unfolded(parts, drawing, walk, explode=explode, inside=(*inside, name), over=layer)


def _parts_of(insert: Any, drawing: Drawing) -> Iterator[Any]:
    """What a block insert shows, in rows and columns too."""
    try:
        if insert.mcount > MOST_FROM_BLOCKS:
            raise _endless()
        for one in [insert] if insert.mcount <= 1 else insert.multi_insert():
            yield from one.virtual_entities()
            yield from getattr(one, "attribs", ())
    except ENTITY_TROUBLE:
        drawing.bad += 1


def _take(entity: Any, drawing: Drawing, layer: str, block: str | None) -> None:
    kind = entity.dxftype()
    if kind in ("TEXT", "MTEXT", "ATTRIB"):
        text = entity.plain_text() if kind == "MTEXT" else entity.dxf.text
        _add_point(drawing, entity, entity.dxf.insert, layer, text=clean(str(text)).strip() or None, block=block)
    elif kind == "INSERT":
        _add_point(drawing, entity, entity.dxf.insert, layer, block=block)
    elif kind == "POINT":
        _add_point(drawing, entity, entity.dxf.location, layer, block=block)
    elif kind in FACES or (kind == "POLYLINE" and (entity.is_poly_face_mesh or entity.is_polygon_mesh)):
        _add_faces(drawing, entity, layer, block)
    elif kind == "HATCH" or kind == "MPOLYGON":
        _add_hatch(drawing, entity, layer, block)
    elif kind in CURVES:
        shape = _curve(entity, kind)
        if shape is None:
            drawing.bad += 1
        else:
            drawing.add(entity, shape, layer=layer, block=block)
    else:
        drawing.skipped[str(kind)] += 1


def _add_point(
    drawing: Drawing, entity: Any, place: Any, layer: str, *, text: str | None = None, block: str | None = None
) -> None:
    import shapely

    if entity.dxftype() in ("TEXT", "ATTRIB", "INSERT"):
        place = entity.ocs().to_wcs(place)
    xyz = np.array([place.x, place.y, place.z], dtype=np.float64)
    if np.isfinite(xyz).all():
        drawing.add(entity, shapely.points(xyz), layer=layer, text=text, block=block)
    else:
        drawing.bad += 1


def _curve(entity: Any, kind: str) -> Any:
    """A closed curve as a polygon, an open one as a line; None where it has no length."""
    points, closed = _points(entity, kind)
    return shape_of(points, closed)


def _points(entity: Any, kind: str) -> tuple[Floats, bool]:
    if kind == "LINE" and not entity.dxf.hasattr("extrusion"):
        ends = (entity.dxf.start, entity.dxf.end)
        return np.array([(p.x, p.y, p.z) for p in ends], dtype=np.float64), False
    if kind == "LWPOLYLINE" and not entity.has_arc and not entity.dxf.hasattr("extrusion"):
        plan = np.array([vertex[:2] for vertex in entity.get_points("xy")], dtype=np.float64).reshape(-1, 2)
        z = float(entity.dxf.get("elevation", 0.0) or 0.0)
        return np.column_stack([plan, np.full(len(plan), z)]), bool(entity.closed)
    from ezdxf import path

    curve = path.make_path(entity)
    box = np.array([(p.x, p.y, p.z) for p in curve.control_vertices()], dtype=np.float64)
    size = float(np.linalg.norm(np.ptp(box, axis=0))) if len(box) else 0.0
    if not np.isfinite(size):
        return np.empty((0, 3)), False
    points = np.array([(p.x, p.y, p.z) for p in curve.flattening(max(size * SAGITTA, 1e-9), segments=4)])
    return points.reshape(-1, 3), bool(curve.is_closed) or kind == "CIRCLE"


def shape_of(points: Floats, closed: bool) -> Any:
    """A polygon where the points come round, else a line; None for fewer than two different finite points."""
    import shapely

    points = points[np.isfinite(points).all(axis=1)]
    if len(points) > 1:
        points = points[np.append(True, np.any(np.diff(points, axis=0) != 0, axis=1))]
    if len(points) < 2:
        return None
    round_trip = len(points) > 3 and bool((points[0] == points[-1]).all())
    if (closed or round_trip) and len(points) >= 3:
        return shapely.Polygon(points)
    return shapely.LineString(points)


def _add_hatch(drawing: Drawing, entity: Any, layer: str, block: str | None) -> None:
    """The area of a hatch: what its borders enclose, islands left out."""
    import shapely
    from ezdxf import path

    z = float(entity.dxf.elevation.z) if entity.dxf.hasattr("elevation") else 0.0
    rings = []
    for curve in path.from_hatch(entity):
        box = np.array([(p.x, p.y) for p in curve.control_vertices()], dtype=np.float64)
        size = float(np.linalg.norm(np.ptp(box, axis=0))) if len(box) else 0.0
        if not np.isfinite(size) or size == 0:
            continue
        ring = np.array([(p.x, p.y) for p in curve.flattening(max(size * SAGITTA, 1e-9), segments=4)])
        if len(ring) >= 3:
            rings.append(shapely.LinearRing(ring))
    area = shapely.build_area(shapely.GeometryCollection(rings)) if rings else None
    if area is None or area.is_empty:
        drawing.bad += 1
        return
    if z != 0.0:
        area = shapely.force_3d(area, z)
    drawing.add(entity, area, layer=layer, block=block)


def _add_faces(drawing: Drawing, entity: Any, layer: str, block: str | None) -> None:
    triangles = _triangles(entity)
    triangles = triangles[(np.abs(triangles) < LARGEST).all(axis=(1, 2))]
    if len(triangles) == 0:
        drawing.bad += 1
        return
    row = drawing.add(entity, None, layer=layer, block=block)
    drawing.faces.append(triangles)
    drawing.face_row.append(row)


def _triangles(entity: Any) -> Floats:
    """(k, 3, 3) triangles of a face, a filled shape or a mesh."""
    if entity.dxftype() in ("3DFACE", "SOLID", "TRACE"):
        corners = [(p.x, p.y, p.z) for p in entity.wcs_vertices()]
        return _fanned([np.array(corners, dtype=np.float64)])
    from ezdxf.render import MeshBuilder

    mesh = MeshBuilder.from_mesh(entity) if entity.dxftype() == "MESH" else MeshBuilder.from_polyface(entity)
    return _fanned([np.array([(p.x, p.y, p.z) for p in face], dtype=np.float64) for face in mesh.faces_as_vertices()])


def _fanned(faces: list[Floats]) -> Floats:
    """Convex faces as triangles; those without area left out."""
    found = [
        np.stack([np.repeat(face[:1], len(face) - 2, axis=0), face[1:-1], face[2:]], axis=1)
        for face in faces
        if len(face) >= 3
    ]
    triangles = np.concatenate(found) if found else np.empty((0, 3, 3))
    area = np.linalg.norm(np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]), axis=1)
    return triangles[area > 0]


def clean(text: str) -> str:
    """Text without halves of letters that did not decode."""
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _endless() -> UserError:
    return UserError(
        "The blocks of the drawing unfold into too much.",
        f"They stand for more than {MOST_FROM_BLOCKS:,} entities, blocks within blocks.",
        "Read it with explode_blocks off, or save it with its blocks taken apart.",
        code="dxf.too_many_blocks",
        values={"most": MOST_FROM_BLOCKS},
    )
