"""A watertight solid under a height that is a plane over each of many convex cells, with steps between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.model import unique_rows

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

RASTER = 1e-4  # [m] corners nearer to one another are one


class Block(NamedTuple):
    """A convex area (n, 2) counter-clockwise and the plane ``z = a x + b y + c`` of its top."""

    area: Floats
    plane: tuple[float, float, float]


def solid_under(blocks: Sequence[Block], bottom: float) -> tuple[Floats, Indices]:
    """Closed surface around all blocks: vertices (n, 3) and triangles (m, 3), seen counter-clockwise from outside.

    Blocks do not overlap; they touch along whole edges, or along parts of edges of constant x. The tops must not lie
    below `bottom`. Every edge of the surface is shared by two triangles of opposite direction (by four where only
    corners of two blocks touch).
    """
    nodes, rings = _rings(blocks)
    floor = int(np.rint(bottom / RASTER))
    heights = [_heights(nodes, ring, block, floor) for ring, block in zip(rings, blocks, strict=True)]
    nodes, rings, heights = _with_crossings(nodes, rings, heights)
    return _Surface(nodes, rings, heights, floor).made()


def _rings(blocks: Sequence[Block]) -> tuple[Floats, list[list[int]]]:
    """Corners of all blocks, each once, and the corners around each block with those of others on its edges."""
    corners = np.round(np.concatenate([block.area for block in blocks]) / RASTER).astype(np.int64)
    unique, _, index, _ = unique_rows(corners)
    places = unique.tolist()
    on_line: dict[int, list[int]] = {}
    for node, (x, _) in enumerate(places):
        on_line.setdefault(x, []).append(node)  # by y, as `unique` is sorted
    rings, start = [], 0
    for block in blocks:
        ring = index[start : start + len(block.area)].tolist()
        start += len(block.area)
        ring = [n for k, n in enumerate(ring) if n != ring[k - 1]]
        rings.append(_with_nodes_on_edges(places, on_line, ring) if len(set(ring)) >= 3 else [])
    return np.asarray(unique * RASTER, dtype=np.float64), rings


def _with_nodes_on_edges(
    places: Sequence[Sequence[int]], on_line: Mapping[int, Sequence[int]], ring: list[int]
) -> list[int]:
    """A ring with the corners of other blocks that lie on its edges of constant x; no others lie on any edge."""
    out: list[int] = []
    for a, b in zip(ring, [*ring[1:], ring[0]], strict=True):
        out.append(a)
        (x, ya), (other, yb) = places[a], places[b]
        if x != other:
            continue
        low, high = min(ya, yb), max(ya, yb)
        between = [node for node in on_line[x] if low < places[node][1] < high]
        out += between if ya < yb else between[::-1]
    return out


def _heights(nodes: Floats, ring: list[int], block: Block, bottom: int) -> list[int]:
    """Height of a block's top at each corner [raster steps]."""
    if not ring:
        return []
    a, b, c = block.plane
    z = a * nodes[ring, 0] + b * nodes[ring, 1] + c
    return np.maximum(np.rint(z / RASTER).astype(np.int64), bottom).tolist()  # type: ignore[no-any-return]


def _edges(rings: Sequence[list[int]]) -> dict[tuple[int, int], tuple[int, int]]:
    """Block and place in its ring of every directed edge."""
    return {
        (a, ring[(k + 1) % len(ring)]): (number, k) for number, ring in enumerate(rings) for k, a in enumerate(ring)
    }


def _with_crossings(
    nodes: Floats, rings: list[list[int]], heights: list[list[int]]
) -> tuple[Floats, list[list[int]], list[list[int]]]:
    """With a corner where the tops of two blocks cross along their common edge."""
    found = _edges(rings)
    extra: list[Floats] = []
    into: dict[int, list[tuple[int, int, int]]] = {}
    for (a, b), (block, k) in found.items():
        other = found.get((b, a))
        if other is None or a > b:
            continue
        za, zb = heights[block][k], heights[block][(k + 1) % len(rings[block])]
        ob, oa = heights[other[0]][other[1]], heights[other[0]][(other[1] + 1) % len(rings[other[0]])]
        if (za - oa) * (zb - ob) >= 0:
            continue
        share = (za - oa) / ((za - oa) - (zb - ob))
        name, z = len(nodes) + len(extra), round(za + share * (zb - za))
        extra.append(nodes[a] + share * (nodes[b] - nodes[a]))
        into.setdefault(block, []).append((k, name, z))
        into.setdefault(other[0], []).append((other[1], name, z))
    for block, added in into.items():
        for k, name, z in sorted(added, reverse=True):
            rings[block].insert(k + 1, name)
            heights[block].insert(k + 1, z)
    return (np.vstack([nodes, *[e[None] for e in extra]]) if extra else nodes), rings, heights


class _Surface:
    """Builds the triangles: tops, bottoms, and walls where the tops of neighbours differ."""

    def __init__(self, nodes: Floats, rings: list[list[int]], heights: list[list[int]], bottom: int) -> None:
        self.nodes, self.rings, self.heights, self.bottom = nodes.tolist(), rings, heights, bottom
        self.points: list[tuple[float, float, float]] = []
        self.index: dict[tuple[int, int], int] = {}
        self.faces: list[tuple[int, int, int]] = []
        levels: dict[int, set[int]] = {}
        for ring, z in zip(rings, heights, strict=True):
            for node, height in zip(ring, z, strict=True):
                levels.setdefault(node, {bottom}).add(height)
        self.columns = {node: sorted(z) for node, z in levels.items()}

    def made(self) -> tuple[Floats, Indices]:
        found = _edges(self.rings)
        for number, (ring, z) in enumerate(zip(self.rings, self.heights, strict=True)):
            if len(ring) < 3 or max(z) <= self.bottom:
                continue
            self._fan([self._corner(n, h) for n, h in zip(ring, z, strict=True)])
            self._fan([self._corner(n, self.bottom) for n in reversed(ring)])
            for k, a in enumerate(ring):
                b = ring[(k + 1) % len(ring)]
                mine = (z[k], z[(k + 1) % len(ring)])
                self._wall(a, b, mine, self._beside(found.get((b, a)), number))
        return np.array(self.points).reshape(-1, 3), np.array(self.faces, dtype=np.int64).reshape(-1, 3)

    def _beside(self, other: tuple[int, int] | None, number: int) -> tuple[int, int]:
        """Heights of the block across an edge, at the edge's start and end."""
        if other is None or other[0] == number:
            return self.bottom, self.bottom
        block, k = other
        z = self.heights[block]
        return z[(k + 1) % len(z)], z[k]

    def _wall(self, a: int, b: int, mine: tuple[int, int], beside: tuple[int, int]) -> None:
        """The upright face along an edge from what is beside it up to the own top, where that is higher."""
        if mine[0] <= beside[0] and mine[1] <= beside[1]:
            return
        left = [h for h in self.columns[a] if beside[0] <= h <= mine[0]] or [mine[0]]
        right = [h for h in self.columns[b] if beside[1] <= h <= mine[1]] or [mine[1]]
        ring = [self._corner(a, h) for h in reversed(left)] + [self._corner(b, h) for h in right]
        self._fan([n for k, n in enumerate(ring) if n != ring[k - 1]])

    def _corner(self, node: int, height: int) -> int:
        key = (node, height)
        if key not in self.index:
            self.index[key] = len(self.points)
            x, y = self.nodes[node]
            self.points.append((x, y, height * RASTER))
        return self.index[key]

    def _fan(self, ring: list[int]) -> None:
        """Triangles of a convex face around its middle; the middle bears corners on straight edges."""
        if len(ring) < 3:
            return
        if len(ring) == 3:
            self.faces.append((ring[0], ring[1], ring[2]))
            return
        around = [self.points[n] for n in ring]
        centre = len(self.points)
        x, y, z = (sum(point[k] for point in around) / len(around) for k in range(3))
        self.points.append((x, y, z))
        self.faces += [(a, b, centre) for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)]
