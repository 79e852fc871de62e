"""What lies ahead of a plot in one direction: the boundary that a distance is measured to, exactly, strip by strip.

A plot is turned so that the direction looks along +y. Between the corners of the boundaries it falls into strips with
one straight line below, one above, and one straight line that the distance is measured to. The distance of a point is
that from the point to this line along y.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Objects = NDArray[np.object_]

REACH = 150.0  # [m] how far across roads, parks and rivers an opposite boundary is looked for
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
        triangles = shapely.polygons(self.surfaces[:, [0, 1, 2, 0]]) if len(self.surfaces) else []
        object.__setattr__(self, "open_tree", shapely.STRtree(triangles))

    def on_open_land(self, points: Floats) -> NDArray[np.bool_]:
        """(n,) whether points (n, 2) lie on a road, railway or water."""
        import shapely

        found = np.zeros(len(points), dtype=bool)
        found[self.open_tree.query(shapely.points(points), predicate="intersects")[0]] = True  # type: ignore[attr-defined]
        return found

    def near(self, area: object) -> Indices:
        """Plots that touch an area."""
        return np.sort(self.plots.query(area, predicate="intersects"))  # type: ignore[attr-defined, no-any-return]


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
    edges = _edges_ahead(plot, land, way, turn, span)
    if len(edges.x0) == 0:
        return []
    corners = np.concatenate([edges.x0, edges.x1])
    own = edges.owner == plot
    low, high = edges.x0[own].min(), edges.x1[own].max()
    if span is not None:
        low, high = max(low, span[0]), min(high, span[1])
    corners = np.unique(np.concatenate([corners[(corners > low) & (corners < high)], [low, high]]))
    corners = corners[np.concatenate([[True], np.diff(corners) > NARROW])] if len(corners) else corners
    strips: list[Strip] = []
    for x0, x1 in zip(corners[:-1], corners[1:], strict=True):
        strips += _strips_between(plot, land, edges, turn, (float(x0), float(x1)), halved=halved)
    return _merged(strips)


def _edges_ahead(plot: int, land: Land, way: Floats, turn: Floats, span: tuple[float, float] | None) -> _Edges:
    """Edges of the plot and of all that lie within reach ahead of it."""
    import shapely

    area = land.polygon[plot]
    points = shapely.get_coordinates(area) @ turn.T
    (left, bottom), (right, top) = points.min(axis=0), points.max(axis=0)
    if span is not None:
        left, right = max(left, span[0]), min(right, span[1])
    if right - left < NARROW:
        nothing = np.zeros(0)
        return _Edges(nothing, nothing, nothing, nothing, np.zeros(0, np.int64))
    box = np.array([[left, bottom], [right, bottom], [right, top + REACH], [left, top + REACH]]) @ turn
    near = np.union1d(land.near(shapely.polygons(np.vstack([box, box[:1]]))), [plot])
    rings, part = shapely.get_rings(shapely.get_parts(land.polygon[near], return_index=True)[0], return_index=True)
    owner = near[shapely.get_parts(land.polygon[near], return_index=True)[1]][part]
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    turned = xy @ turn.T
    same = ring[1:] == ring[:-1]
    a, b, owners = turned[:-1][same], turned[1:][same], owner[ring[1:]][same]
    swap = a[:, 0] > b[:, 0]
    a[swap], b[swap] = b[swap], a[swap].copy()
    keep = (b[:, 0] - a[:, 0] > 1e-9) & (b[:, 0] > left) & (a[:, 0] < right)
    a, b, owners = a[keep], b[keep], owners[keep]
    slope = (b[:, 1] - a[:, 1]) / (b[:, 0] - a[:, 0])
    return _Edges(a[:, 0], b[:, 0], slope, a[:, 1] - slope * a[:, 0], owners)


def _strips_between(
    plot: int, land: Land, edges: _Edges, turn: Floats, span: tuple[float, float], *, halved: bool
) -> list[Strip]:
    """Strips of the plot where no boundary has a corner."""
    middle = (span[0] + span[1]) / 2
    here = np.flatnonzero((edges.x0 <= middle) & (edges.x1 >= middle))
    y = edges.slope[here] * middle + edges.height[here]
    order = np.argsort(y, kind="stable")
    here, y = here[order], y[order]
    pieces = _pieces(here, y, edges.owner)
    strips = []
    for low, high in pieces.get(plot, []):
        limit, kind, neighbour = _ahead_of(plot, high, pieces, land, edges, turn, middle, halved=halved)
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


def _ahead_of(
    plot: int,
    top: Crossing,
    pieces: dict[int, list[tuple[Crossing, Crossing]]],
    land: Land,
    edges: _Edges,
    turn: Floats,
    middle: float,
    *,
    halved: bool,
) -> tuple[tuple[float, float], str, int]:
    """The line that counts above a piece of the plot, what sort it is, and the plot beyond it (-1: none)."""
    own = _line(edges, top[0])
    ahead = sorted(
        (low[1], number, low, high)
        for number, found in pieces.items()
        for low, high in found
        if high[1] > top[1] + TOUCHING and (number != plot or low[1] >= top[1])
    )
    edge, passed = top[1], False
    for start, number, low, high in ahead:
        if start > top[1] + REACH:
            break
        if start - edge > TOUCHING:
            if not _is_open_between(land, turn, middle, edge, start):
                break
            passed = True
        if number == plot or land.is_open[number]:
            passed = passed or number != plot
            edge = max(edge, high[1])
            continue
        if not passed:
            return own, "neighbour", number
        opposite = _line(edges, low[0])
        return (_mean(own, opposite) if halved else opposite), "across", number
    far = _far_edge(land, turn, middle, edge) - top[1]
    if far <= TOUCHING:
        return own, "unknown", -1
    return (own[0], own[1] + (far / 2 if halved else far)), "far", -1


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
