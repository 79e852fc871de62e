"""What lies ahead of a plot in one direction: the boundary that a distance is measured to, exactly, strip by strip.

A plot is turned so that the direction looks along +y. Between the corners of the boundaries it falls into strips with
one straight line below, one above, and one straight line that the distance is measured to. The distance of a point is
that from the point to this line along y.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.polygons import areas_of_triangles

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Objects = NDArray[np.object_]

REACHES = (0.0, 15.0, 45.0, 150.0)  # [m] how far across roads, parks and rivers an opposite boundary is looked for
REACH = REACHES[-1]
TOUCHING = 0.5  # [m] plots that lie nearer touch: gaps of drawing
NARROW = 1e-3  # [m] strips narrower than this are left out
FAR_STEP = 0.25  # [m] how finely the far edge of open land without an opposite plot is found
LARGEST_SHARE = 0.5  # of the way between two plots that must be road, park or water


class Strip(NamedTuple):
    """A part of a plot with straight lines ``y = slope x + height`` in turned coordinates.

    `kind`: ``neighbour`` (a plot next to it), ``across`` (opposite plot beyond open land), ``far`` (edge of open land
    without a plot beyond it) or ``unknown`` (nothing known ahead: its own boundary counts).
    """

    x0: float
    x1: float
    bottom: tuple[float, float]
    top: tuple[float, float]
    limit: tuple[float, float]
    kind: str
    neighbour: int


def turning(way: Floats) -> Floats:
    """(2, 2) rows: to the right of a unit vector `way`, and along it."""
    return np.array([[way[1], -way[0]], [way[0], way[1]]])


@dataclass(frozen=True, eq=False)
class Land:
    """Plots and open land.

    Attributes
    ----------
    polygon : (n,) object
        Areas of the plots.
    is_open : (n,) bool
        Plots nobody builds on: parks, roads ...
    surfaces : (t, 3, 2) float
        Triangles of roads, railways and water.
    """

    polygon: Objects
    is_open: NDArray[np.bool_]
    surfaces: Floats

    def __post_init__(self) -> None:
        import shapely

        object.__setattr__(self, "plots", shapely.STRtree(self.polygon))
        object.__setattr__(self, "open_tree", shapely.STRtree(areas_of_triangles(self.surfaces)))

    def on_open_land(self, points: Floats) -> NDArray[np.bool_]:
        """(n,) whether points (n, 2) lie on a road, railway or water."""
        import shapely

        found = np.zeros(len(points), dtype=bool)
        found[self.open_tree.query(shapely.points(points), predicate="intersects")[0]] = True  # type: ignore[attr-defined]
        return found

    def near(self, area: object) -> Indices:
        """Plots that touch an area."""
        return np.sort(self.plots.query(area, predicate="intersects"))  # type: ignore[attr-defined]


class _Edges(NamedTuple):
    """Straight pieces of boundaries in turned coordinates, sorted by nothing; `owner` is a plot."""

    x0: Floats
    x1: Floats
    slope: Floats
    height: Floats
    owner: Indices


def strips_ahead(
    plot: int, land: Land, way: Floats, *, halved: bool, span: tuple[float, float] | None = None
) -> list[Strip]:
    """The strips of a plot in a direction.

    Parameters
    ----------
    way : (2,) float
        Unit vector [local].
    halved : bool
        Beyond open land the middle between the two boundaries counts rather than the opposite one.
    span : (x0, x1) or None
        Only this part of the turned plot.
    """
    turn = turning(way)
    spans, done = [_width(plot, land, turn, span)], list[Strip]()
    # Further ahead only where nothing was found: each corner of a boundary that is looked at makes strips narrower.
    for reach in REACHES:
        found = []
        for part in spans:
            edges = _edges_of(_ahead_in(plot, land, turn, part, reach), land, turn, part)
            found += _strips_of(plot, land, edges, turn, reach, halved=halved)
        last = reach == REACH
        done += [strip for strip in found if last or strip.kind != "unknown"]
        spans = _open_spans(found)
    return _merged(sorted(_once(done), key=lambda strip: (strip.x0, strip.bottom[0] * strip.x0 + strip.bottom[1])))


def _width(plot: int, land: Land, turn: Floats, span: tuple[float, float] | None) -> tuple[float, float]:
    """Where a turned plot begins and ends across the direction, or the part of it that is asked for."""
    import shapely

    x = shapely.get_coordinates(land.polygon[plot]) @ turn[0]
    low, high = float(x.min()), float(x.max())
    return (low, high) if span is None else (max(low, span[0]), min(high, span[1]))


def _open_spans(strips: Sequence[Strip]) -> list[tuple[float, float]]:
    """Where strips without a plot right ahead of them begin and end, those side by side joined."""
    spans: list[tuple[float, float]] = []
    for strip in strips:
        if strip.kind != "unknown":
            continue
        if spans and strip.x0 - spans[-1][1] < 2 * NARROW:
            spans[-1] = (spans[-1][0], max(spans[-1][1], strip.x1))
        else:
            spans.append((strip.x0, strip.x1))
    return spans


def _once(strips: Sequence[Strip]) -> list[Strip]:
    """Without parts of a plot that were found before, where another part of it at the same x was not."""
    out: list[Strip] = []
    for strip in strips:
        middle = (strip.x0 + strip.x1) / 2
        known = any(
            other.x0 <= middle <= other.x1 and other.bottom == strip.bottom and other.top == strip.top for other in out
        )
        if not known:
            out.append(strip)
    return out


def _ahead_in(plot: int, land: Land, turn: Floats, span: tuple[float, float], reach: float) -> Indices:
    """The plot and all plots within reach ahead of a part of it."""
    import shapely

    y = shapely.get_coordinates(land.polygon[plot]) @ turn[1]
    low, high = y.min() - TOUCHING, y.max() + reach + TOUCHING
    box = np.array([[span[0], low], [span[1], low], [span[1], high], [span[0], high]]) @ turn
    near = land.near(shapely.polygons(np.vstack([box, box[:1]])))
    if reach == 0.0:
        near = near[shapely.dwithin(land.polygon[near], land.polygon[plot], TOUCHING)]
    return np.union1d(near, [plot])


def _strips_of(plot: int, land: Land, edges: _Edges, turn: Floats, reach: float, *, halved: bool) -> list[Strip]:
    """Strips between all corners of some edges; those that nothing is found ahead of are ``unknown``."""
    own = edges.owner == plot
    if not own.any():
        return []
    low, high = edges.x0[own].min(), edges.x1[own].max()
    corners = np.concatenate([edges.x0, edges.x1])
    corners = np.unique(np.concatenate([corners[(corners > low) & (corners < high)], [low, high]]))
    corners = corners[np.concatenate([[True], np.diff(corners) > NARROW])]
    strips: list[Strip] = []
    for x0, x1 in zip(corners[:-1], corners[1:], strict=True):
        strips += _strips_between(plot, land, edges, turn, (float(x0), float(x1)), reach, halved=halved)
    return strips


def _edges_of(plots: Indices, land: Land, turn: Floats, span: tuple[float, float]) -> _Edges:
    """Edges of some plots, cut to a span across the direction; those along the direction are left out."""
    import shapely

    parts, part = shapely.get_parts(land.polygon[plots], return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    owner = plots[part][ring_part]
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    turned = xy @ turn.T
    same = ring[1:] == ring[:-1]
    a, b, owners = turned[:-1][same], turned[1:][same], owner[ring[1:]][same]
    swap = a[:, 0] > b[:, 0]
    a[swap], b[swap] = b[swap], a[swap].copy()
    keep = (b[:, 0] - a[:, 0] > 1e-9) & (b[:, 0] > span[0]) & (a[:, 0] < span[1])
    a, b, owners = a[keep], b[keep], owners[keep]
    slope = (b[:, 1] - a[:, 1]) / (b[:, 0] - a[:, 0])
    x0, x1 = np.maximum(a[:, 0], span[0]), np.minimum(b[:, 0], span[1])
    return _Edges(x0, x1, slope, a[:, 1] - slope * a[:, 0], owners)


def _strips_between(
    plot: int, land: Land, edges: _Edges, turn: Floats, span: tuple[float, float], reach: float, *, halved: bool
) -> list[Strip]:
    """Strips of the plot where no boundary has a corner."""
    middle = (span[0] + span[1]) / 2
    here = np.flatnonzero((edges.x0 <= middle) & (edges.x1 >= middle))
    y = edges.slope[here] * middle + edges.height[here]
    order = np.argsort(y, kind="stable")
    here, y = here[order], y[order]
    pieces = _pieces(here, y, edges.owner)
    look = _Look(plot, land, edges, turn, middle, reach, halved)
    strips = []
    for low, high in pieces.get(plot, []):
        limit, kind, neighbour = look.ahead(high, pieces)
        strips.append(Strip(*span, _line(edges, low[0]), _line(edges, high[0]), limit, kind, neighbour))
    return strips


Crossing = tuple[int, float]  # edge and its y in the middle of a strip


def _pieces(here: Indices, y: Floats, owner: Indices) -> dict[int, list[tuple[Crossing, Crossing]]]:
    """For each plot, from below to above, where the middle line enters and leaves it."""
    crossings: dict[int, list[Crossing]] = {}
    for edge, height in zip(here.tolist(), y.tolist(), strict=True):
        crossings.setdefault(int(owner[edge]), []).append((edge, height))
    return {name: list(zip(found[0::2], found[1::2], strict=False)) for name, found in crossings.items()}


def _line(edges: _Edges, edge: int) -> tuple[float, float]:
    return float(edges.slope[edge]), float(edges.height[edge])


class _Look(NamedTuple):
    """A look ahead along one line."""

    plot: int
    land: Land
    edges: _Edges
    turn: Floats
    x: float
    reach: float
    halved: bool

    def ahead(
        self, top: Crossing, pieces: dict[int, list[tuple[Crossing, Crossing]]]
    ) -> tuple[tuple[float, float], str, int]:
        """The line that counts above a piece of the plot, what sort it is, and the plot beyond it (-1: none)."""
        own = _line(self.edges, top[0])
        edge, passed = top[1], False
        for start, number, low, high in self._in_order(top[1], pieces):
            if start - edge > TOUCHING:
                if start > top[1] + self.reach or not _is_open_between(self.land, self.turn, self.x, edge, start):
                    break
                passed = True
            if number == self.plot or self.land.is_open[number]:
                passed = passed or number != self.plot
                edge = max(edge, high[1])
                continue
            if not passed:
                return own, "neighbour", number
            opposite = _line(self.edges, low[0])
            return (_mean(own, opposite) if self.halved else opposite), "across", number
        if self.reach < REACH:
            return own, "unknown", -1
        far = _far_edge(self.land, self.turn, self.x, edge) - top[1]
        if far <= TOUCHING:
            return own, "unknown", -1
        return (own[0], own[1] + (far / 2 if self.halved else far)), "far", -1

    def _in_order(
        self, top: float, pieces: dict[int, list[tuple[Crossing, Crossing]]]
    ) -> list[tuple[float, int, Crossing, Crossing]]:
        """Pieces of plots that end above a height, by where they begin."""
        return sorted(
            (low[1], number, low, high)
            for number, found in pieces.items()
            for low, high in found
            if high[1] > top + TOUCHING and (number != self.plot or low[1] >= top)
        )


def _mean(first: tuple[float, float], second: tuple[float, float]) -> tuple[float, float]:
    return (first[0] + second[0]) / 2, (first[1] + second[1]) / 2


def _is_open_between(land: Land, turn: Floats, x: float, start: float, stop: float) -> bool:
    """Whether most of the way between two heights is road, railway or water."""
    y = np.linspace(start, stop, max(int((stop - start) / 1.0), 3) + 2)[1:-1]
    points = np.column_stack([np.full(len(y), x), y]) @ turn
    return bool(land.on_open_land(points).mean() >= LARGEST_SHARE)


def _far_edge(land: Land, turn: Floats, x: float, start: float) -> float:
    """Where open land that begins at `start` ends, to a quarter of a metre on the near side."""
    y = start + FAR_STEP + np.arange(0.0, REACH, FAR_STEP)
    on = land.on_open_land(np.column_stack([np.full(len(y), x), y]) @ turn)
    gap = np.flatnonzero(~on)
    # A gap of drawing between the plot and the road is bridged.
    while len(gap) and y[gap[0]] - start <= TOUCHING:
        gap = gap[1:]
    last = len(y) if len(gap) == 0 else int(gap[0])
    return float(y[last - 1]) if last and on[:last].any() else start


def _merged(strips: list[Strip]) -> list[Strip]:
    """Strips side by side with the same lines become one."""
    done: list[Strip] = []
    last: dict[tuple[object, ...], int] = {}
    for strip in strips:
        key = strip[2:]
        before = last.get(key)
        if before is not None and abs(done[before].x1 - strip.x0) < 2 * NARROW:
            done[before] = done[before]._replace(x1=strip.x1)
            continue
        last[key] = len(done)
        done.append(strip)
    return done
