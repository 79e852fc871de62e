"""Joints of pipes: service connections to buildings, street pipes to the pipes inside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.links.found import Link, Links, limit, rules
from analysis.links.plan import nearest_element
from analysis.network.built import Built
from geo.model import Layer, Mesh

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def find_services(found: Links, built: Built, solids: Sequence[Layer]) -> dict[tuple[int, int], set[str]]:
    """Add a link from every loose end of a pipe to the building beside it; what each building is served with."""
    pipes = built.pipes
    line, point, _ = loose_ends(built)
    near = nearest_element(solids, point, reach=limit("service_search"))
    served: dict[tuple[int, int], set[str]] = {}
    for k in np.flatnonzero(near.layer >= 0):
        layer = solids[near.layer[k]]
        gap = float(near.distance[k])
        broken = gap > limit("service_reach")
        if not broken:
            served.setdefault((int(near.layer[k]), int(near.row[k])), set()).add(str(pipes.utility[line[k]]))
        end = np.array([near.foot[k, 0], near.foot[k, 1], point[k, 2]])
        found.items.append(
            Link(
                "service_connection",
                pipes.layers[pipes.layer[line[k]]].id,
                str(pipes.id[line[k]]),
                layer.id,
                str(layer.table.ids[near.row[k]]),
                np.stack([point[k], end]),
                gap,
                "service_reach",
                broken,
                "short_of_wall" if broken else "",
            )
        )
    return served


def loose_ends(built: Built) -> tuple[Indices, Floats, Indices]:
    """Ends of pipes at which nothing goes on: pipe (n,), point (n, 3), side (n,) 0 first or 1 last."""
    net, pipes = built.network, built.pipes
    lone = net.degree()[net.of_end] == 1
    # A loose end may carry a node (a tap, a meter), but not one at which the network rightly ends.
    ends_rightly = built.junctions_of(built.nodes.is_a("outfall", "tank", "reservoir", "pump"))
    line, side = np.nonzero(lone & ~ends_rightly[net.of_end])
    ends = np.stack([pipes.offsets[:-1], pipes.offsets[1:] - 1], axis=1)
    return line.astype(np.int64), pipes.vertices[ends[line, side]], side.astype(np.int64)


def find_risers(found: Links, street: Built, inside: Built) -> None:
    """Add a link where a street's pipe meets a pipe of the same utility inside a building, or was meant to."""
    from scipy.spatial import cKDTree

    line, point, _ = loose_ends(street)
    other, place, side = loose_ends(inside)
    # The network of a building within itself: one joint with the street serves all of it.
    part = inside.network.parts()[inside.network.of_end[other, side]]
    for utility in np.unique(street.pipes.utility[line].astype(str)):
        mine = np.flatnonzero(street.pipes.utility[line].astype(str) == utility)
        theirs = np.flatnonzero(_same(inside.pipes.utility[other].astype(str), str(utility)))
        if len(mine) == 0 or len(theirs) == 0:
            continue
        distance, nearest = cKDTree(point[mine]).query(place[theirs], distance_upper_bound=limit("riser_search"))
        order = np.argsort(distance, kind="stable")
        taken: set[tuple[str, int]] = set()
        for k in order[np.isfinite(distance[order])]:
            a, b = int(mine[nearest[k]]), int(theirs[k])
            if ("end", a) in taken or ("part", int(part[b])) in taken:
                continue
            taken |= {("end", a), ("part", int(part[b]))}
            found.items.append(_riser(street, inside, int(line[a]), int(other[b]), np.stack([point[a], place[b]])))


def _riser(street: Built, inside: Built, outer: int, inner: int, line: Floats) -> Link:
    gap = float(np.linalg.norm(line[1] - line[0]))
    broken = gap > limit("riser_reach")
    return Link(
        "riser",
        street.pipes.layers[street.pipes.layer[outer]].id,
        str(street.pipes.id[outer]),
        inside.pipes.layers[inside.pipes.layer[inner]].id,
        str(inside.pipes.id[inner]),
        line,
        gap,
        "riser_reach",
        broken,
        "do_not_meet" if broken else "",
    )


def _same(names: NDArray[np.str_], utility: str) -> NDArray[np.bool_]:
    """Names of the same utility; drains of a building run into any sewer."""
    sewers = ("sewage", "combined")
    return np.isin(names, sewers) if utility in sewers else names == utility


def find_unserved(found: Links, built: Built, solids: Sequence[Layer], served: dict[tuple[int, int], set[str]]) -> None:
    """Add a broken link for every building near a main of a utility it needs and has no connection to."""
    from scipy.spatial import cKDTree

    pipes = built.pipes
    needs = [str(name) for name in rules()["supply"]["value"]]
    owner = np.repeat(np.arange(len(pipes)), np.diff(pipes.offsets))
    kinds = pipes.utility.astype(str)
    for number, layer in enumerate(solids):
        if layer.theme != "building" or not isinstance(layer.geometry, Mesh):
            continue
        middle, known = _middles(layer.geometry, len(layer.table))
        for utility in needs:
            rows = np.flatnonzero(_same(kinds, utility)[owner])
            if len(rows) == 0:
                continue
            distance, nearest = cKDTree(pipes.vertices[rows, :2]).query(
                middle[:, :2], distance_upper_bound=limit("supply_search")
            )
            for element in np.flatnonzero(np.isfinite(distance) & known):
                has = served.get((number, int(element)), set())
                if utility in has or (utility == "sewage" and "combined" in has):
                    continue
                pipe = rows[nearest[element]]
                found.items.append(
                    Link(
                        "service_connection",
                        pipes.layers[pipes.layer[owner[pipe]]].id,
                        str(pipes.id[owner[pipe]]),
                        layer.id,
                        str(layer.table.ids[element]),
                        np.stack([pipes.vertices[pipe], middle[element]]),
                        float(distance[element]),
                        "supply",
                        True,
                        f"no_{utility}",
                    )
                )


def _middles(mesh: Mesh, count: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Middle of the floor of each element (n, 3), and whether it has any face."""
    corners = mesh.vertices[mesh.faces]
    number = np.bincount(mesh.face_element, minlength=count)
    safe = np.maximum(number, 1)
    x, y = (
        np.bincount(mesh.face_element, weights=corners[:, :, k].mean(axis=1), minlength=count) / safe for k in (0, 1)
    )
    low = np.full(count, np.inf)
    np.minimum.at(low, mesh.face_element, corners[:, :, 2].min(axis=1))
    return np.column_stack([x, y, np.where(np.isfinite(low), low, 0.0)]), number > 0
