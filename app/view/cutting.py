"""What a section plane lays open: the cut faces of solids, element by element. Pure arrays, may run in any thread.

All triangles are cut at once; the pieces of each element are joined to polygons, filled by winding number and
triangulated. Polygons keep the number of their element, so that a cut wall can be picked at its cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.look import ClipPlane, Section, StoreyCut
from app.view.instances import light_enough
from app.view.opened import classes_of, opened_away
from app.view.sky import shown_elements
from geo.model import Feedback, Instances, Layer, Mesh

if TYPE_CHECKING:
    from shapely import Polygon

Floats = NDArray[np.float64]
Rows = NDArray[np.int32]

SOLID_THEMES = frozenset({"building", "bim", "furniture", "other"})
LIGHT_CLASSES = ("IfcDoor", "IfcWindow", "IfcPlate", "IfcMember", "IfcFurni", "IfcRailing", "IfcFlow", "IfcCurtain")
FLOOR_SLOPE = 0.7  # z of a normal from which a face is floor
WELD_DIGITS = 4  # corners of one cut closer than a tenth of a millimetre are the same
DOOR_GAP = 0.7  # metres: half the widest opening that a floor plate reaches across
FLOOR_BAND = (-0.4, 0.12)  # metres about the storey's floor in which a face counts as its floor
ENOUGH_FLOOR = 0.5  # share of the storey that real floors must cover, or a plate is drawn


@dataclass(frozen=True, eq=False)
class Cap:
    """The cut faces of one layer in one plane.

    Attributes
    ----------
    layer_id : str
        Empty for a floor plate, which belongs to no layer.
    plane : ClipPlane
    others : tuple of ClipPlane
        The other planes, which may cut these faces away again.
    vertices : (n, 3) float64 [local m]
    faces : (m, 3) int32
    element : (m,) int32
        Row of the layer's table.
    is_light : (m,) bool
        Doors, windows and the like, drawn lighter than walls.
    outline : (k, 2, 3) float64 [local m]
    """

    layer_id: str
    plane: ClipPlane
    others: tuple[ClipPlane, ...]
    vertices: Floats
    faces: Rows
    element: Rows
    is_light: NDArray[np.bool_]
    outline: Floats

    def hit(self, origin: Floats, direction: Floats) -> tuple[float, int] | None:
        """Distance along a ray and face of the cap it meets, or None."""
        rate = float(np.dot(direction, self.plane.normal))
        if abs(rate) < 1e-12 or len(self.faces) == 0:
            return None
        distance = -float(self.plane.beyond(origin)) / rate
        point = origin + direction * distance
        if distance <= 0 or any(plane.beyond(point) > 1e-6 for plane in self.others):
            return None
        normal = np.array(self.plane.normal)
        a, b, c = (self.vertices[self.faces[:, corner]] - point for corner in range(3))
        signs = np.stack([np.cross(p, q) @ normal for p, q in ((a, b), (b, c), (c, a))])
        inside = np.flatnonzero((signs >= -1e-9).all(axis=0) | (signs <= 1e-9).all(axis=0))
        return (distance, int(inside[0])) if len(inside) else None


def plane_axes(plane: ClipPlane) -> tuple[Floats, Floats]:
    """Two unit vectors in a plane; with its normal they are right-handed."""
    normal = np.array(plane.normal)
    across = np.array([1.0, 0.0, 0.0]) if abs(normal[2]) > 0.9 else np.cross([0.0, 0.0, 1.0], normal)
    u = across - normal * (across @ normal)
    u /= np.linalg.norm(u)
    return u, np.cross(normal, u)


def cut_segments(mesh: Mesh, plane: ClipPlane) -> tuple[Floats, Rows]:
    """Where a plane meets triangles.

    A corner in the plane counts as beyond it: then each triangle is met in one piece or not at all, and closed shapes
    give closed outlines.

    Returns
    -------
    pieces : (k, 2, 3) float64 [local m]
        Each runs with the solid on its left, seen against the plane's normal.
    element : (k,) int32
    """
    side = plane.beyond(mesh.vertices)
    above = side >= 0.0
    count = above[mesh.faces].sum(axis=1)
    met = np.flatnonzero((count == 1) | (count == 2))
    faces = mesh.faces[met]
    up = above[faces]
    lonely = np.where(count[met] == 1, np.argmax(up, axis=1), np.argmin(up, axis=1))
    row = np.arange(len(met))
    corner, after, before = (faces[row, (lonely + step) % 3] for step in (0, 1, 2))
    ends = []
    for other in (after, before):
        share = side[corner] / (side[corner] - side[other])
        ends.append(mesh.vertices[corner] + share[:, None] * (mesh.vertices[other] - mesh.vertices[corner]))
    pieces = np.stack(ends, axis=1)
    along = np.cross(np.array(plane.normal), mesh.face_cross[met])
    turned = np.einsum("ij,ij->i", pieces[:, 1] - pieces[:, 0], along) < 0
    pieces[turned] = pieces[turned][:, ::-1]
    return pieces, mesh.face_element[met]


def filled_polygons(pieces: Floats) -> list[Polygon]:
    """Polygons that directed pieces (k, 2, 2) enclose: where they wind around a place, or an odd number of times."""
    import shapely

    pieces = np.round(pieces, WELD_DIGITS)
    pieces = pieces[(pieces[:, 0] != pieces[:, 1]).any(axis=1)]
    if len(pieces) < 3:
        return []
    noded = shapely.node(shapely.multilinestrings(shapely.linestrings(pieces)))
    polygons = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    return [polygon for polygon in polygons if polygon.area > 1e-6 and _is_solid(polygon, pieces)]


def _is_solid(polygon: Polygon, pieces: Floats) -> bool:
    place = polygon.point_on_surface()
    start, stop = pieces[:, 0], pieces[:, 1]
    upward = (start[:, 1] <= place.y) & (stop[:, 1] > place.y)
    downward = (start[:, 1] > place.y) & (stop[:, 1] <= place.y)
    crossing = np.flatnonzero(upward | downward)
    a, b = start[crossing], stop[crossing]
    x = a[:, 0] + (place.y - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0])
    right = x > place.x
    winding = int(upward[crossing][right].sum()) - int(downward[crossing][right].sum())
    return winding != 0 or int(right.sum()) % 2 == 1


def triangulated(polygon: Polygon) -> tuple[Floats, Rows]:
    """Corners (n, 2) and triangles (m, 3) of a polygon with holes."""
    import mapbox_earcut

    rings = [np.asarray(ring.coords)[:-1] for ring in (polygon.exterior, *polygon.interiors)]
    corners = np.concatenate(rings)
    ends = np.cumsum([len(ring) for ring in rings]).astype(np.uint32)
    return corners, mapbox_earcut.triangulate_float64(corners, ends).reshape(-1, 3).astype(np.int32)


def build_caps(layers: Sequence[Layer], section: Section, feedback: Feedback | None = None) -> tuple[Cap, ...]:
    """The cut faces of all solids that are shown; with a storey also a floor where it has none."""
    feedback = feedback or Feedback()
    caps = []
    solids = [layer for layer in layers if layer.style.visible and layer.theme in SOLID_THEMES]
    solids = [layer for layer in solids if isinstance(layer.geometry, Mesh | Instances)]
    for number, layer in enumerate(solids):
        feedback.step(number / max(len(solids), 1), "cutting")
        planes = section.planes_of(layer.id)
        if not planes:
            continue
        mesh = solid_mesh(layer, coverings=section.storey is not None)
        for plane in planes:
            others = tuple(other for other in planes if other is not plane)
            cap = _cap(layer, mesh, plane, others, feedback)
            if cap is not None:
                caps.append(cap)
    if section.storey is not None:
        chosen = [layer for layer in solids if layer.id in section.storey.layer_ids]
        plate = floor_plate(chosen, section.storey, [c for c in caps if c.plane == section.storey.plane])
        if plate is not None:
            caps.append(plate)
    feedback.step(1.0, "cut")
    return tuple(caps)


def solid_mesh(layer: Layer, *, coverings: bool) -> Mesh:
    """Triangles of the elements that a section shows: neither hidden nor voids, nor `coverings` to be left out."""
    geometry = layer.geometry
    mesh = light_enough(geometry, layer.theme).baked() if isinstance(geometry, Instances) else geometry
    if not isinstance(mesh, Mesh):
        raise TypeError(f"{layer.kind} is not solid")
    keep = ~opened_away(layer, coverings=coverings)
    if layer.style.hidden:
        keep &= shown_elements(layer)[: len(keep)]
    if keep.all():
        return mesh
    faces = keep[mesh.face_element]
    return Mesh(mesh.vertices, mesh.faces[faces], mesh.face_element[faces])


def _cap(layer: Layer, mesh: Mesh, plane: ClipPlane, others: tuple[ClipPlane, ...], feedback: Feedback) -> Cap | None:
    pieces, element = cut_segments(mesh, plane)
    if len(pieces) == 0:
        return None
    u, v = plane_axes(plane)
    flat = (pieces - np.array(plane.point)) @ np.stack([u, v], axis=1)
    order = np.argsort(element, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(element[order])) + 1)
    owners: list[int] = []
    polygons: list[Polygon] = []
    for number, group in enumerate(groups):
        if number % 50 == 0:
            feedback.step(0.0, "cutting")
        found = filled_polygons(flat[group])
        polygons += found
        owners += [int(element[group[0]])] * len(found)
    if not polygons:
        return None
    return _assembled(layer, plane, others, polygons, owners)


def _assembled(
    layer: Layer, plane: ClipPlane, others: tuple[ClipPlane, ...], polygons: list[Polygon], owners: list[int]
) -> Cap:
    corners, faces, element, rings = [], [], [], []
    first = 0
    for polygon, owner in zip(polygons, owners, strict=True):
        points, triangles = triangulated(polygon)
        corners.append(points)
        faces.append(triangles + np.int32(first))
        element.append(np.full(len(triangles), owner, np.int32))
        first += len(points)
        rings += list(_ring_pieces(polygon))
    numbers = np.concatenate(element)
    classes = classes_of(layer)
    light = np.zeros(len(numbers), dtype=np.bool_)
    if classes is not None:
        light = np.array([name.startswith(LIGHT_CLASSES) for name in classes], dtype=np.bool_)[numbers]
    outline = _raised(np.concatenate(rings).reshape(-1, 2), plane).reshape(-1, 2, 3)
    vertices = _raised(np.concatenate(corners), plane)
    return Cap(layer.id, plane, others, vertices, np.concatenate(faces), numbers, light, outline)


def _ring_pieces(polygon: Polygon) -> Iterator[Floats]:
    for ring in (polygon.exterior, *polygon.interiors):
        points = np.asarray(ring.coords)
        yield np.stack([points[:-1], points[1:]], axis=1)


def _raised(places: Floats, plane: ClipPlane) -> Floats:
    """Places (n, 2) in a plane as points (n, 3)."""
    return np.asarray(np.array(plane.point) + places @ np.stack(plane_axes(plane)))


# -- the floor of a storey that has none


def floor_plate(layers: Iterable[Layer], storey: StoreyCut, caps: Sequence[Cap]) -> Cap | None:
    """A plain floor inside the cut walls; None where the model has a floor of its own, or no walls."""
    import shapely

    triangles = [cap.vertices[cap.faces][:, :, :2] for cap in caps if cap.layer_id]
    if not triangles:
        return None
    walls = shapely.union_all(shapely.polygons(np.concatenate(triangles)), grid_size=0.001)
    closed = shapely.buffer(walls, DOOR_GAP, join_style="mitre")
    shells = [shapely.Polygon(part.exterior) for part in shapely.get_parts(closed)]
    inside = shapely.buffer(shapely.union_all(shells), -DOOR_GAP, join_style="mitre")
    if inside.area < 1.0 or _floor_area(layers, storey, inside.bounds) >= ENOUGH_FLOOR * inside.area:
        return None
    plane = ClipPlane((0.0, 0.0, storey.floor - 0.01), (0.0, 0.0, 1.0))
    corners, faces, first = [], [], 0
    for part in shapely.get_parts(inside):
        points, rows = triangulated(part)
        corners.append(points)
        faces.append(rows + np.int32(first))
        first += len(points)
    places = np.concatenate(corners)
    vertices = np.column_stack([places, np.full(len(places), plane.point[2])])
    rows = np.concatenate(faces)
    none = np.full(len(rows), -1, np.int32)
    return Cap("", plane, (), vertices, rows, none, np.zeros(len(rows), np.bool_), np.zeros((0, 2, 3)))


def _floor_area(layers: Iterable[Layer], storey: StoreyCut, box: tuple[float, float, float, float]) -> float:
    """Area of the faces that look up near the floor, inside a rectangle [m2]."""
    total = 0.0
    for layer in layers:
        mesh = solid_mesh(layer, coverings=True)
        middle = mesh.vertices[mesh.faces].mean(axis=1)
        level = middle[:, 2] - storey.floor
        chosen = (level >= FLOOR_BAND[0]) & (level <= FLOOR_BAND[1]) & (mesh.face_normal[:, 2] > FLOOR_SLOPE)
        for axis in range(2):
            chosen &= (middle[:, axis] >= box[axis]) & (middle[:, axis] <= box[axis + 2])
        total += float(mesh.face_area[chosen].sum())
    return total
