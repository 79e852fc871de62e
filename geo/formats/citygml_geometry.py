"""GML surfaces to flat arrays: rings, semantics, ids, references between them, turned surfaces."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.formats.city_shapes import Rings
from geo.formats.citygml_names import SOLIDS, Kind, Roles
from geo.formats.citygml_xml import Element, Hints

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

HREF = "{http://www.w3.org/1999/xlink}href"
GML_IDS = ("{http://www.opengis.net/gml}id", "{http://www.opengis.net/gml/3.2}id")
_NOWHERE = (math.nan, math.nan, math.nan)


class Group(NamedTuple):
    """Surfaces of one geometry: those written in it and those it points to.

    Attributes
    ----------
    start, stop : int
        Range of surface numbers written inside.
    references : tuple of (id, turned)
    turned : frozenset of int
        Surfaces written inside an OrientableSurface with orientation "-".
    context : bool
        Whether the geometry itself was written inside such a surface.
    is_solid : bool
    """

    start: int
    stop: int
    references: tuple[tuple[str, bool], ...] = ()
    turned: frozenset[int] = frozenset()
    context: bool = False
    is_solid: bool = False


@dataclass
class Surfaces:
    """All surfaces of a file in the order they were met.

    Attributes
    ----------
    values : array of float
        Coordinates as written, three to a corner; not-a-number for a ring that cannot be read.
    ring_end, surface_end : list of int
        Corners up to the end of each ring, rings up to the end of each surface.
    semantic : list of int
        Code of the thematic surface, -1 for none.
    loose : array of float
        Corners of points and lines, which are not drawn.
    runs : list of (first corner, srsName)
    default : str or None
        The srsName of the envelope of the document that is being read.
    """

    roles: Roles
    hints: Hints
    values: array[float] = field(default_factory=lambda: array("d"))
    ring_end: list[int] = field(default_factory=list)
    surface_end: list[int] = field(default_factory=list)
    semantic: list[int] = field(default_factory=list)
    loose: array[float] = field(default_factory=lambda: array("d"))
    of_id: dict[str, int] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    runs: list[tuple[int, str | None]] = field(default_factory=lambda: [(0, None)])
    default: str | None = None
    unresolved: list[str] = field(default_factory=list)
    flat: int = 0
    _references: list[tuple[str, bool]] = field(default_factory=list)
    _turned: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.surface_end)

    def collect(self, holder: Element, semantic: int, *, solid: bool = False) -> Group:
        """Take in the geometry below a property, and say which surfaces it is."""
        self._references, self._turned = [], []
        start = len(self.surface_end)
        href = holder.get(HREF)
        if href:
            self._references.append((href, False))
        for child in holder:
            solid = solid or self.roles[child.tag].name in SOLIDS
            break
        self._walk(holder, semantic, turned=False)
        references, turned = tuple(self._references), frozenset(self._turned)
        return Group(start, len(self.surface_end), references, turned, is_solid=solid)

    def _walk(self, element: Element, semantic: int, *, turned: bool) -> None:
        for child in element:
            kind = self.roles[child.tag][0]
            if kind is Kind.POLYGON:
                self._polygon(child, semantic, turned=turned)
            elif kind is Kind.MEMBER:
                href = child.get(HREF)
                if href:
                    self._references.append((href, turned))
                else:
                    self._walk(child, semantic, turned=turned)
            elif kind is Kind.AGGREGATE:
                self._aggregate(child, semantic, turned=turned)
            elif kind is Kind.ORIENTABLE:
                self._aggregate(child, semantic, turned=turned != (child.get("orientation") == "-"))
            elif kind is Kind.LOOSE:
                self.note(child)

    def _aggregate(self, element: Element, semantic: int, *, turned: bool) -> None:
        own = gml_id(element)
        start, first = len(self.surface_end), len(self._references)
        self._walk(element, semantic, turned=turned)
        if own is None:
            return
        stop = len(self.surface_end)
        inside = frozenset(number for number in self._turned if number >= start) if self._turned else frozenset()
        # seen from outside, an OrientableSurface is turned as its own orientation says
        context = turned and self.roles[element.tag].kind is not Kind.ORIENTABLE
        self.groups.setdefault(own, Group(start, stop, tuple(self._references[first:]), inside, context))

    def _polygon(self, element: Element, semantic: int, *, turned: bool) -> None:
        number = len(self.surface_end)
        own = gml_id(element)
        if own is not None:
            self.of_id.setdefault(own, number)
        if turned:
            self._turned.append(number)
        begun = len(self.ring_end)
        for part in element:
            role = self.roles[part.tag]
            if role[0] is Kind.MEMBER:
                if role[1] == "interior" and len(self.ring_end) == begun:
                    # a hole without anything around it
                    self._end_ring(_NOWHERE)
                self._ring(part)
        self.surface_end.append(len(self.ring_end))
        self.semantic.append(semantic)

    def _ring(self, part: Element) -> None:
        """One exterior or interior; a ring that cannot be read is marked by not-a-number."""
        ring = next(iter(part), None)
        corners = None if ring is None else next(iter(ring), None)
        if ring is None or corners is None:
            self._end_ring(_NOWHERE)
            return
        if self.hints.names_systems or self.hints.other_dimensions:
            self._end_ring(self._from_parts(ring))
            return
        if self.roles[corners.tag][1] != "posList" or corners.getnext() is not None:
            self._end_ring(self._from_parts(ring))
            return
        values = self.values
        before = len(values)
        try:
            values.extend(map(float, (corners.text or "").split()))
        except ValueError:
            del values[before:]
            values.extend(_NOWHERE)
        if len(values) % 3:
            del values[before:]
            values.extend(_NOWHERE)
        self.ring_end.append(len(values) // 3)

    def _end_ring(self, values: tuple[float, ...] | list[float]) -> None:
        self.values.extend(values)
        self.ring_end.append(len(self.values) // 3)

    def _from_parts(self, ring: Element) -> list[float]:
        """Corners of a ring written as single positions, old-style coordinates, or joined curves."""
        found: list[float] = []
        for piece in ring.iter():
            name = self.roles[piece.tag].name
            if name in ("posList", "pos"):
                found += self._in_context(piece, piece.text)
            elif name == "coordinates":
                found += self._in_context(piece, _old_style(piece))
            elif name == "coord":
                found += self._in_context(piece, " ".join((axis.text or "") for axis in piece))
        return found or list(_NOWHERE)

    def _in_context(self, element: Element, text: str | None) -> list[float]:
        """Three numbers to a corner, as the nearest srsDimension says; starts a run where the srsName changes."""
        try:
            values = list(map(float, (text or "").split()))
        except ValueError:
            return list(_NOWHERE)
        if self.hints.names_systems:
            name = _nearest(element, "srsName") or self.default
            if name != self.runs[-1][1]:
                self.runs.append((len(self.values) // 3, name))
        if self.hints.other_dimensions and (_nearest(element, "srsDimension") or "3").strip() == "2":
            if len(values) % 2:
                return list(_NOWHERE)
            self.flat += 1
            return [value for x, y in zip(values[::2], values[1::2], strict=True) for value in (x, y, 0.0)]
        return values if len(values) % 3 == 0 else list(_NOWHERE)

    def note(self, element: Element) -> None:
        """Take in positions that are not drawn, so that the extent of the file is known."""
        for piece in element.iter():
            if self.roles[piece.tag].name in ("posList", "pos"):
                try:
                    values = list(map(float, (piece.text or "").split()))
                except ValueError:
                    continue
                if len(values) % 3 == 0:
                    self.loose.extend(values)

    def anchor(self, element: Element) -> int:
        """Take in a position that belongs to no surface; its corner number."""
        point = (self._in_context(element, element.text) or list(_NOWHERE))[:3]
        # a ring that no surface uses
        self._end_ring(point)
        self.surface_end.append(len(self.ring_end))
        self.semantic.append(-1)
        return len(self.values) // 3 - 1

    def mark(self) -> tuple[int, ...]:
        """How much has been taken in so far."""
        lists = (self.values, self.ring_end, self.surface_end, self.semantic, self.loose, self.of_id, self.groups)
        return tuple(len(one) for one in lists)

    def forget_since(self, mark: tuple[int, ...]) -> None:
        """Drop everything that was taken in after the mark."""
        del self.values[mark[0] :]
        del self.ring_end[mark[1] :]
        del self.surface_end[mark[2] :]
        del self.semantic[mark[3] :]
        del self.loose[mark[4] :]
        while len(self.of_id) > mark[5]:
            self.of_id.popitem()
        while len(self.groups) > mark[6]:
            self.groups.popitem()

    def points_since(self, mark: tuple[int, ...]) -> Floats:
        """Corners (n, 3) taken in after the mark, as written."""
        return np.array(self.values[mark[0] :], dtype=np.float64).reshape(-1, 3)

    def resolve(self, group: Group) -> dict[int, bool]:
        """Surfaces of a geometry with what it points to, each once, and whether they are turned. Loops end."""
        if not group.references and not group.turned:
            return dict.fromkeys(range(group.start, group.stop), group.context)
        found: dict[int, bool] = {}
        seen: set[str] = set()
        waiting = [(group, False)]
        while waiting:
            current, turned = waiting.pop()
            turned = turned != current.context
            for number in range(current.start, current.stop):
                found.setdefault(number, turned != (number in current.turned))
            for href, its_turn in current.references:
                name = href[1:] if href.startswith("#") else ""
                if name in seen:
                    continue
                seen.add(name)
                if name in self.of_id:
                    found.setdefault(self.of_id[name], turned != its_turn)
                elif name in self.groups:
                    waiting.append((self.groups[name], turned != its_turn))
                else:
                    self.unresolved.append(href)
        return found


def gml_id(element: Element) -> str | None:
    """The gml:id of an element, of either GML version."""
    own: str | None = element.get(GML_IDS[0])
    return own if own is not None else element.get(GML_IDS[1])


def _nearest(element: Element, attribute: str) -> str | None:
    """The attribute of an element or the nearest element around it."""
    current = element
    while current is not None:
        value = current.get(attribute)
        if value is not None:
            return str(value)
        current = current.getparent()
    return None


def _old_style(element: Element) -> str:
    """Text of gml:coordinates with blanks between numbers."""
    text = element.text or ""
    decimal, between = element.get("decimal", "."), element.get("cs", ",")
    return text.replace(between, " ").replace(element.get("ts", " "), " ").replace(decimal, ".")


@dataclass(frozen=True)
class Corners:
    """The surfaces of a file as arrays.

    Attributes
    ----------
    points : (c, 3) float
        Corners in the order they were met.
    ring_start, ring_stop : (r,) int
        Corners of each ring without the repeated last one.
    surface_start : (k + 1,) int
    is_bad : (k,) bool
        Surfaces with a corner that is not three finite numbers.
    any_bad : bool
    """

    points: Floats
    ring_start: Indices
    ring_stop: Indices
    surface_start: Indices
    is_bad: NDArray[np.bool_]
    any_bad: bool

    @staticmethod
    def of(surfaces: Surfaces) -> Corners:
        """Arrays of what was collected."""
        points = np.frombuffer(surfaces.values, dtype=np.float64).reshape(-1, 3)
        end = np.array(surfaces.ring_end, dtype=np.int64)
        start = np.concatenate([[0], end[:-1]]).astype(np.int64) if len(end) else end
        stop = end.copy()
        several = np.flatnonzero(end - start > 1)
        closed = several[(points[start[several]] == points[end[several] - 1]).all(axis=1)]
        stop[closed] -= 1
        surface_start = np.concatenate([[0], np.array(surfaces.surface_end, dtype=np.int64)])
        is_bad = _bad(points, end, surface_start)
        return Corners(points, start, stop, surface_start, is_bad, bool(is_bad.any()))

    def gather(self, surface: Indices, turned: NDArray[np.bool_], owner: Indices, corner_of: Indices) -> Rings:
        """Rings of the surfaces named, those `turned` with their corners in reverse order.

        corner_of : (c,) int
            Which of the vertices each corner is.
        """
        count = self.surface_start[surface + 1] - self.surface_start[surface]
        ring = ranges(self.surface_start[surface], count)
        reverse = np.repeat(turned, count)
        size = self.ring_stop[ring] - self.ring_start[ring]
        step = ranges(np.zeros(len(ring), np.int64), size)
        first, last = np.repeat(self.ring_start[ring], size), np.repeat(self.ring_stop[ring], size) - 1
        corner = np.where(np.repeat(reverse, size), last - step, first + step)
        ring_start = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
        surface_start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        corner_owner = np.repeat(np.repeat(owner, count), size)
        return Rings(corner_of[corner], ring_start, surface_start, owner, corner_owner)


def ranges(start: Indices, size: Indices) -> Indices:
    """start[i] .. start[i] + size[i] - 1 for each i in turn."""
    before = np.repeat(np.cumsum(size) - size, size)
    total = int(size.sum())
    return np.asarray(np.arange(total) - before + np.repeat(start, size), dtype=np.int64)


def _bad(points: Floats, ring_end: Indices, surface_start: Indices) -> NDArray[np.bool_]:
    """(k,) surfaces with a corner that is not finite."""
    wrong = np.concatenate([[0], np.cumsum(~np.isfinite(points).all(axis=1))])
    at = np.concatenate([[0], ring_end])[surface_start]
    return np.asarray(np.diff(wrong[at]) > 0)


def welded(points: Floats) -> tuple[Indices, Indices]:
    """Equal points once: the number of the first of each (m,), and which of those every point is (c,).

    Bits of the three numbers are mixed into one; the rare pair that is mixed alike and differs stays apart.
    """
    if len(points) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    bits = (points + 0.0).view(np.uint64)
    with np.errstate(over="ignore"):
        mixed = bits[:, 0] * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(29))) + bits[:, 1] * np.uint64(0xC2B2AE3D27D4EB4F)
        mixed = (mixed ^ (mixed >> np.uint64(32))) + bits[:, 2] * np.uint64(0x165667B19E3779F9)
        mixed ^= mixed >> np.uint64(31)
    _, first, which = np.unique(mixed, return_index=True, return_inverse=True)
    which = which.reshape(-1)
    apart = np.flatnonzero((bits[first[which]] != bits).any(axis=1))
    which[apart] = len(first) + np.arange(len(apart))
    return np.concatenate([first, apart]).astype(np.int64), which.astype(np.int64)
