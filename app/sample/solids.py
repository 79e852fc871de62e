"""Closed building shapes as labelled polygons: stacked prisms, stepped slabs, pitched roofs.

A surface is ``(kind, rings)``: kind is ``roof``, ``wall`` or ``ground``; the first ring is the outline, counted
anticlockwise as seen from outside, further rings are holes. Rings are (n, 3) arrays without a closing point.
Heights in a form count from its base; `surfaces` adds the base.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry.polygon import orient

Floats = NDArray[np.float64]
Faces = list[tuple[str, list[Floats]]]
PARAPET_THICKNESS = 0.25  # [m]
CLEARANCE = 0.05  # [m] what stands on a roof keeps at least this far from the roof's edge


@dataclass(frozen=True)
class Stack:
    """Prisms on prisms: a podium with towers, a tower with a penthouse, a hall with a courtyard.

    Attributes
    ----------
    polygon : Polygon
        Plan of this storey group; may have courtyards.
    top : float [m]
        Height of its roof above the base of the whole building.
    upper : tuple of Stack
        What stands on the roof, each strictly inside `polygon`.
    parapet : float [m]
    """

    polygon: Polygon
    top: float
    upper: tuple[Stack, ...] = ()
    parapet: float = 0.0


@dataclass(frozen=True)
class Strip:
    """A slab of units side by side, each with its own height: the stepped Korean apartment slab.

    Attributes
    ----------
    front, back : (n + 1, 2) float
        Corners along the front from left to right as seen by somebody in front, who looks at the slab, and the
        corners behind them.
    tops : tuple of n float [m]
    penthouses : tuple of n (Polygon or None)
        The lift house on each unit, strictly inside it.
    penthouse_height : float [m]
    """

    front: Floats
    back: Floats
    tops: tuple[float, ...]
    penthouses: tuple[Polygon | None, ...]
    penthouse_height: float = 4.2

    @property
    def polygon(self) -> Polygon:
        """The footprint."""
        return Polygon(np.concatenate([self.front, self.back[::-1]]))


@dataclass(frozen=True)
class Pitched:
    """A rectangle under a pitched roof.

    Attributes
    ----------
    corners : (4, 2) float
        Anticlockwise; the ridge runs along the first edge (for ``"multi"`` across it).
    eaves, ridge : float [m]
    kind : {"gable", "hip", "shed", "multi"}
    bays : int
        Number of gables of a ``"multi"`` roof.
    """

    corners: Floats
    eaves: float
    ridge: float
    kind: str
    bays: int = 1

    @property
    def polygon(self) -> Polygon:
        """The footprint."""
        return Polygon(self.corners)


Form = Stack | Strip | Pitched


def height(form: Form) -> float:
    """Highest point above the base [m]."""
    if isinstance(form, Pitched):
        return form.ridge
    if isinstance(form, Strip):
        return max(
            top + (form.penthouse_height if house is not None else 0.0)
            for top, house in zip(form.tops, form.penthouses, strict=True)
        )
    deck, parapet = _deck(form)
    return max([form.top + parapet, *(height(part) for part in _standing(deck, form.upper))])


def surfaces(form: Form, base: float) -> Faces:
    """All faces of the closed solid standing at height `base` [m]."""
    if isinstance(form, Stack):
        faces = _stack(form, base, base)
        ground = form.polygon
    elif isinstance(form, Strip):
        faces, ground = _strip(form, base), form.polygon
    else:
        faces, ground = _pitched(form, base), form.polygon
    faces.append(("ground", [ring[::-1] for ring in _rings(ground, base)]))
    return faces


def moved(form: Form, turn_deg: float, to: tuple[float, float]) -> Form:
    """The form turned anticlockwise about the origin and then shifted."""
    turn = np.radians(turn_deg)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])

    def points(p: Floats) -> Floats:
        return np.asarray(np.round(np.asarray(p)[:, :2] @ matrix + np.asarray(to), 3))

    def polygon(p: Polygon) -> Polygon:
        return Polygon(points(p.exterior.coords), [points(i.coords) for i in p.interiors])

    def stack(s: Stack) -> Stack:
        return replace(s, polygon=polygon(s.polygon), upper=tuple(stack(u) for u in s.upper))

    if isinstance(form, Pitched):
        return replace(form, corners=points(form.corners))
    if isinstance(form, Strip):
        houses = tuple(None if h is None else polygon(h) for h in form.penthouses)
        return replace(form, front=points(form.front), back=points(form.back), penthouses=houses)
    return stack(form)


def rectangle(x: float, y: float, width: float, depth: float, angle_deg: float) -> Floats:
    """Corners (4, 2), anticlockwise, of a rectangle around (x, y); its width lies along `angle_deg` from east."""
    turn = np.radians(angle_deg)
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2
    return np.asarray(np.array([x, y]) + half[:, :1] * width * along + half[:, 1:] * depth * across)


def _rings(polygon: Polygon, z: float) -> list[Floats]:
    """Outline anticlockwise and holes clockwise at height z."""
    polygon = orient(polygon, 1.0)
    return [_at(np.asarray(ring.coords)[:-1, :2], z) for ring in (polygon.exterior, *polygon.interiors)]


def _at(points: Floats, z: float) -> Floats:
    return np.column_stack([points, np.full(len(points), z)])


def _walls(ring: Floats, low: float, high: float) -> Faces:
    """Vertical faces above a ring whose inside lies to its left."""
    faces: Faces = []
    for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        faces.append(("wall", [_quad(a, b, low, high)]))
    return faces


def _quad(a: Floats, b: Floats, low: float, high: float) -> Floats:
    return np.array([[a[0], a[1], low], [b[0], b[1], low], [b[0], b[1], high], [a[0], a[1], high]])


def _stack(form: Stack, low: float, base: float) -> Faces:
    high = base + form.top
    deck, parapet = _deck(form)
    crown = high + parapet
    faces: Faces = []
    if parapet > 0:
        outer_rings, inner_rings = _rings(form.polygon, crown), _rings(deck, crown)
        # The coping: between the outline and the inset outline, and the same around every courtyard.
        faces.append(("roof", [outer_rings[0], inner_rings[0][::-1]]))
        faces.extend(_copings(outer_rings[1:], inner_rings[1:]))
        for ring in inner_rings:
            faces.extend(_walls(ring[::-1], high, crown))
    for ring in _rings(form.polygon, low):
        faces.extend(_walls(ring, low, crown))
    upper = _standing(deck, form.upper)
    roof = _rings(deck, high) + [_rings(part.polygon, high)[0][::-1] for part in upper]
    faces.append(("roof", roof))
    for part in upper:
        faces.extend(_stack(part, high, base))
    return faces


def _deck(form: Stack) -> tuple[Polygon, float]:
    """The roof inside the parapet and the parapet's height; 0 where the roof is too narrow to have one."""
    if form.parapet > 0:
        inner = form.polygon.buffer(-PARAPET_THICKNESS, join_style="mitre")
        if isinstance(inner, Polygon) and not inner.is_empty and len(inner.interiors) == len(form.polygon.interiors):
            return inner, form.parapet
    return form.polygon, 0.0


def _copings(holes: list[Floats], wider_holes: list[Floats]) -> Faces:
    """Parapet tops around courtyards: outline the wider ring, hole the courtyard itself."""
    faces: Faces = []
    for hole in holes:
        around = next(w for w in wider_holes if Polygon(w[:, :2]).contains(Polygon(hole[:, :2])))
        faces.append(("roof", [around[::-1], hole]))
    return faces


def _standing(deck: Polygon, parts: tuple[Stack, ...]) -> list[Stack]:
    """Those parts that really stand inside the roof and clear of each other: anything else would not close."""
    room = deck.buffer(-CLEARANCE)
    chosen: list[Stack] = []
    for part in parts:
        clear = all(part.polygon.distance(other.polygon) > CLEARANCE for other in chosen)
        if clear and room.contains(part.polygon):
            chosen.append(part)
    return chosen


def _strip(form: Strip, base: float) -> Faces:
    faces: Faces = []
    tops = [base + top for top in form.tops]
    count = len(tops)
    front, back = form.front, form.back
    for i, top in enumerate(tops):
        left = tops[i - 1] if i > 0 else None
        right = tops[i + 1] if i + 1 < count else None
        faces.append(("wall", [_stepped(front[i], front[i + 1], base, top, left, right)]))
        faces.append(("wall", [_stepped(back[i + 1], back[i], base, top, right, left)]))
        roof = [_at(np.array([front[i], front[i + 1], back[i + 1], back[i]]), top)]
        house = form.penthouses[i]
        if house is not None:
            part = Stack(house, form.tops[i] + form.penthouse_height)
            roof.append(_rings(house, top)[0][::-1])
            faces.extend(_stack(part, top, base))
        faces.append(("roof", roof))
    faces.append(("wall", [_quad(front[-1], back[-1], base, tops[-1])]))
    faces.append(("wall", [_quad(back[0], front[0], base, tops[0])]))
    for j in range(1, count):
        if tops[j - 1] > tops[j]:
            faces.append(("wall", [_quad(front[j], back[j], tops[j], tops[j - 1])]))
        elif tops[j - 1] < tops[j]:
            faces.append(("wall", [_quad(back[j], front[j], tops[j - 1], tops[j])]))
    return faces


def _stepped(a: Floats, b: Floats, low: float, high: float, before: float | None, after: float | None) -> Floats:
    """Wall from a to b with a corner more where a lower neighbour's roof meets its side, so that edges match."""
    points = [(a[0], a[1], low), (b[0], b[1], low)]
    if after is not None and after < high:
        points.append((b[0], b[1], after))
    points += [(b[0], b[1], high), (a[0], a[1], high)]
    if before is not None and before < high:
        points.append((a[0], a[1], before))
    return np.array(points)


def _pitched(form: Pitched, base: float) -> Faces:
    if form.kind == "multi":
        return _multi_gable(form, base)
    c = form.corners
    eaves, ridge = base + form.eaves, base + form.ridge
    if form.kind == "shed":
        return _shed(c, base, eaves, ridge)
    e = _at(c, eaves)
    middle = [(c[3] + c[0]) / 2, (c[1] + c[2]) / 2]
    if form.kind == "hip":
        # Equal slopes on all four sides: the ridge starts half a depth inside, and is never shorter than a tenth.
        length, depth = np.linalg.norm(c[1] - c[0]), np.linalg.norm(c[2] - c[1])
        share = min(depth / 2 / length, 0.45)
        middle = [middle[0] + share * (c[1] - c[0]), middle[1] - share * (c[1] - c[0])]
    r0, r1 = (np.array([m[0], m[1], ridge]) for m in middle)
    faces: Faces = [("wall", [_quad(c[0], c[1], base, eaves)]), ("wall", [_quad(c[2], c[3], base, eaves)])]
    faces.append(("roof", [np.array([e[0], e[1], r1, r0])]))
    faces.append(("roof", [np.array([e[2], e[3], r0, r1])]))
    if form.kind == "hip":
        faces += [("wall", [_quad(c[1], c[2], base, eaves)]), ("wall", [_quad(c[3], c[0], base, eaves)])]
        faces += [("roof", [np.array([e[1], e[2], r1])]), ("roof", [np.array([e[3], e[0], r0])])]
    else:
        low = _at(c, base)
        faces.append(("wall", [np.array([low[1], low[2], e[2], r1, e[1]])]))
        faces.append(("wall", [np.array([low[3], low[0], e[0], r0, e[3]])]))
    return faces


def _shed(c: Floats, base: float, eaves: float, ridge: float) -> Faces:
    low, e, r = _at(c, base), _at(c, eaves), _at(c, ridge)
    return [
        ("wall", [_quad(c[0], c[1], base, eaves)]),
        ("wall", [_quad(c[2], c[3], base, ridge)]),
        ("wall", [np.array([low[1], low[2], r[2], e[1]])]),
        ("wall", [np.array([low[3], low[0], e[0], r[3]])]),
        ("roof", [np.array([e[0], e[1], r[2], r[3]])]),
    ]


def _multi_gable(form: Pitched, base: float) -> Faces:
    c, n = form.corners, form.bays
    eaves, ridge = base + form.eaves, base + form.ridge
    steps = np.linspace(0.0, 1.0, 2 * n + 1)
    heights = np.where(np.arange(2 * n + 1) % 2 == 1, ridge, eaves)
    front = np.column_stack([c[0] + steps[:, None] * (c[1] - c[0]), heights])
    back = np.column_stack([c[3] + steps[:, None] * (c[2] - c[3]), heights])
    low = _at(c, base)
    faces: Faces = [
        ("wall", [np.vstack([low[0], low[1], front[::-1]])]),
        ("wall", [np.vstack([low[2], low[3], back])]),
        ("wall", [_quad(c[1], c[2], base, eaves)]),
        ("wall", [_quad(c[3], c[0], base, eaves)]),
    ]
    for j in range(2 * n):
        faces.append(("roof", [np.array([front[j], front[j + 1], back[j + 1], back[j]])]))
    return faces
