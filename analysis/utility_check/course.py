"""Checks of the course: uphill, thinner downstream, twice the same pipe, outside the road, under a building."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.links.plan import nearest_element
from analysis.network.built import Built, flow_of
from analysis.network.pipes import PipeSet
from analysis.utility_check.findings import Findings
from analysis.utility_check.rules import CheckRules
from analysis.utility_check.stations import Stations, looked_down
from geo.model import Layer, Mesh, unique_rows

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
SAME_SHARE = 0.9  # of the length of a pipe that lies on another
ENDS_NEAR = 6.0  # [m] a pipe that ends this near to a building is its connection
SAME_SIZE = 0.001  # [m]
MOST_PIECES = 3  # of a connection, from the wall to the main
UNDER = 3.0  # [m] below the lowest point of a building that foundations and a working space reach


def check_slopes(found: Findings, built: Built, rules: CheckRules) -> None:
    """Gravity pipes whose stated inverts rise in the direction in which they are drawn."""
    pipes, rule = built.pipes, rules.limit("uphill")
    rise = pipes.invert_down - pipes.invert_up
    for line in np.flatnonzero(pipes.gravity & np.isfinite(rise) & (rise > rule.value)):
        found.add("uphill", int(line), pipes.points_of(int(line))[-1], measured=rise[line], rule=rule)


def check_sizes(found: Findings, built: Built, rules: CheckRules) -> None:
    """Gravity pipes that are thinner than a pipe of their utility that runs into them."""
    net, pipes, rule = built.network, built.pipes, rules.limit("shrink")
    # A pipe that is said to run uphill is told of already; sizes are compared in the direction of drawing.
    way = np.where(flow_of(built, "drawn").way < 0, -1, 1)
    drawn_up = np.isfinite(pipes.invert_up) & (pipes.invert_down > pipes.invert_up)
    way = np.where(drawn_up[net.line], 1, way)
    source = np.where(way > 0, net.tail, net.head)
    sink = np.where(way > 0, net.head, net.tail)
    size = np.where(pipes.is_box, pipes.height, pipes.diameter)[net.line]
    good = pipes.gravity[net.line] & np.isfinite(size) & (size > 0)
    widest = np.zeros(len(net.place))
    above = np.full(len(net.place), -1, dtype=np.int64)
    for edge in np.flatnonzero(good):
        if size[edge] > widest[sink[edge]]:
            widest[sink[edge]], above[sink[edge]] = size[edge], edge
    told: set[int] = set()
    for edge in np.flatnonzero(good):
        line, upper = int(net.line[edge]), int(above[source[edge]])
        if upper < 0 or net.line[upper] == line or line in told:
            continue
        if pipes.utility[net.line[upper]] == pipes.utility[line] and widest[source[edge]] - size[edge] > rule.value:
            told.add(line)
            other = str(pipes.id[net.line[upper]])
            shown = type(rule)(float(widest[source[edge]]), rule.source, rule.verified)
            found.add("shrinks", line, net.place[source[edge]], measured=size[edge], rule=shown, other=other)


def check_duplicates(found: Findings, pipes: PipeSet, stations: Stations, rules: CheckRules) -> Indices:
    """Pipes of one utility that lie on one another; returns the pairs (n, 2)."""
    from analysis.kernels.capsules import CapsuleIndex, Pipes

    rule = rules.limit("duplicate")
    half = stations.spacing[:, None] / 2
    way = _directions(pipes, stations)
    pieces = Pipes.round(stations.point - way * half, stations.point + way * half, 0.0)
    a, b, distance = CapsuleIndex(pieces).near_pipes(Pipes.round(stations.point, stations.point, 0.0), reach=rule.value)
    first, second = stations.line[a], stations.line[b]
    pairs = (first != second) & (pipes.utility[first] == pipes.utility[second])
    if not pairs.any():
        return np.zeros((0, 2), np.int64)
    met = unique_rows(unique_rows(np.stack([first[pairs], second[pairs], a[pairs]], axis=1)).rows[:, :2])
    number = np.bincount(stations.line, minlength=len(pipes))
    on_top = met.times >= SAME_SHARE * number[met.rows[:, 0]]
    out = []
    seen: set[tuple[int, int]] = set()
    for line, other in met.rows[on_top]:
        couple = (min(int(line), int(other)), max(int(line), int(other)))
        if couple in seen:
            continue
        seen.add(couple)
        out.append(couple)
        inside = stations.point[stations.line == line]
        found.add("duplicate", int(line), inside[len(inside) // 2], rule=rule, other=str(pipes.id[other]))
    return np.array(out, dtype=np.int64).reshape(-1, 2)


def _directions(pipes: PipeSet, stations: Stations) -> Floats:
    """Unit vector (n, 3) along the pipe at each station."""
    along = pipes.along
    base = np.concatenate([np.zeros(1), np.cumsum(along[pipes.offsets[1:] - 1] + 1.0)])
    rising = along + np.repeat(base[:-1], np.diff(pipes.offsets))
    first = np.searchsorted(rising, stations.at + base[stations.line], side="right") - 1
    first = np.clip(first, pipes.offsets[stations.line], pipes.offsets[stations.line + 1] - 2)
    way = pipes.vertices[first + 1] - pipes.vertices[first]
    length = np.linalg.norm(way, axis=1, keepdims=True)
    return np.asarray(way / np.where(length > 0, length, 1.0))


def connections(pipes: PipeSet, built: Built, solids: Sequence[Layer]) -> NDArray[np.bool_]:
    """(k,) pipes that serve a building or lead to where a network rightly ends.

    They end at or near a building, at a service node or meter, or at an outfall, or go on from such a pipe without a
    branch and in the same size: a connection has a chamber or a bend on its way.
    """
    service = built.junctions_of(built.nodes.is_a("service", "meter", "outfall"))
    degree = built.network.degree()
    line, side = np.nonzero(degree[built.network.of_end] == 1)
    ends = pipes.vertices[np.stack([pipes.offsets[:-1], pipes.offsets[1:] - 1], axis=1)[line, side]]
    near = np.zeros((len(pipes), 2), dtype=bool)
    near[line, side] = nearest_element(solids, ends, reach=ENDS_NEAR).layer >= 0
    serves = np.asarray((near | service[built.network.of_end]).any(axis=1))
    return _going_on(pipes, built, serves)


def _going_on(pipes: PipeSet, built: Built, serves: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(k,) those pipes and what goes on from them where just two pipes of one size meet."""
    net = built.network
    pairs = np.flatnonzero(net.degree() == 2)
    one, other = net.line[net.via[net.begin[pairs]]], net.line[net.via[net.begin[pairs] + 1]]
    size = np.nan_to_num(pipes.diameter)
    joined = (one != other) & (np.abs(size[one] - size[other]) <= SAME_SIZE)
    one, other = one[joined], other[joined]
    out = serves.copy()
    for _ in range(MOST_PIECES):
        out[one] |= out[other]
        out[other] |= out[one]
    return out


def check_roads(
    found: Findings,
    pipes: PipeSet,
    stations: Stations,
    road_width: Floats,
    serves: NDArray[np.bool_],
    rules: CheckRules,
) -> None:
    """Mains that leave the road."""
    rule = rules.limit("outside_road")
    outside = np.isnan(road_width) & ~serves[stations.line]
    length = stations.sum_by_line(outside, len(pipes))
    for line in np.flatnonzero(length > rule.value):
        rows = np.flatnonzero(outside & (stations.line == line))
        found.add("outside_road", int(line), stations.point[rows[len(rows) // 2]], measured=length[line], rule=rule)


def check_buildings(
    found: Findings, pipes: PipeSet, stations: Stations, solids: Sequence[Layer], rules: CheckRules
) -> None:
    """Pipes that run under or through a building further than its connection reaches."""
    rule, allowed = rules.limit("under_building"), rules.limit("service_length").value
    above = looked_down(solids, stations.point)
    low, high = _heights(solids)
    inside = above.layer >= 0
    rows = np.flatnonzero(inside)
    start = np.cumsum([0] + [len(layer.table) for layer in solids])
    element = start[above.layer[rows]] + above.row[rows]
    z = stations.point[rows, 2]
    deep = np.array([layer.stratum == "underground" for layer in solids], dtype=bool)
    reach = np.where(deep[above.layer[rows]], 0.0, UNDER)
    rows = rows[(z <= high[element]) & (z >= low[element] - reach)]
    element = start[above.layer[rows]] + above.row[rows]
    length = pipes.along[pipes.offsets[1:] - 1]
    couples, _, place, _ = unique_rows(np.stack([stations.line[rows], element], axis=1))
    within = np.bincount(place, weights=stations.spacing[rows], minlength=len(couples))
    ids = np.concatenate([layer.table.ids for layer in solids]) if solids else np.zeros(0, object)
    for number, (line, solid) in enumerate(couples):
        mine = rows[place == number]
        first, last = stations.at[mine].min(), stations.at[mine].max()
        step = stations.spacing[mine[0]]
        ends_inside = first <= step or last >= length[line] - step
        if within[number] > (allowed if ends_inside else rule.value):
            middle = stations.point[mine[len(mine) // 2]]
            found.add("crosses_building", int(line), middle, measured=within[number], rule=rule, other=str(ids[solid]))


def _heights(solids: Sequence[Layer]) -> tuple[Floats, Floats]:
    """Lowest and highest point of every element of every layer, one after another."""
    low, high = [np.zeros(0)], [np.zeros(0)]
    for layer in solids:
        mine_low, mine_high = np.full(len(layer.table), np.inf), np.full(len(layer.table), -np.inf)
        shape = layer.geometry
        if isinstance(shape, Mesh):
            z = shape.vertices[shape.faces][:, :, 2]
            np.minimum.at(mine_low, shape.face_element, z.min(axis=1))
            np.maximum.at(mine_high, shape.face_element, z.max(axis=1))
        low.append(mine_low)
        high.append(mine_high)
    return np.concatenate(low), np.concatenate(high)
