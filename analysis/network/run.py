"""A run along pipes: the shortest way between two places, or pipes that were chosen, in order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.network.built import Built, Located, locate
from geo.model import Frame, UserError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Run(NamedTuple):
    """Pieces of pipes one after another.

    Attributes
    ----------
    edge, line : (n,) int64
    start, stop : (n,) float64 [m]
        Along the polyline; start > stop where the run goes against the drawing.
    junctions : (n + 1,) int64
        Before each piece and after the last; -1 where the run begins or ends inside a pipe.
    """

    edge: Indices
    line: Indices
    start: Floats
    stop: Floats
    junctions: Indices

    @property
    def length(self) -> Floats:
        """(n,) length of each piece [m]."""
        return np.abs(self.stop - self.start)


def run_between(built: Built, origin: Located, target: Located, stop_at: Bools) -> Run:
    """The shortest way along pipes. Raises `UserError` when there is none."""
    from analysis.kernels.network_search import shortest_path

    found = shortest_path(built.network, origin.spot, target.spot, stop_at=_passable(stop_at, origin, target))
    if found is None or len(found.edges) == 0:
        raise UserError(
            "No way along the pipes leads from the one place to the other.",
            "They lie in parts that are not connected, a closed valve is between them, or they are one place.",
            "Look at the connections of the network, widen the tolerance, or join all utilities.",
            code="utility.no_path",
        )
    return _run(built, found.edges, found.start, found.stop)


def _passable(stop_at: Bools, *ends: Located) -> Bools:
    """A closed valve that is itself an end of the way does not stop it."""
    out = stop_at.copy()
    out[[e.spot.junction for e in ends if e.spot.edge < 0]] = False
    return out


def _run(built: Built, edge: Indices, start: Floats, stop: Floats) -> Run:
    net = built.network
    junctions = np.full(len(edge) + 1, -1, dtype=np.int64)
    for k, e in enumerate(edge):
        for at, junction in ((net.start[e], net.tail[e]), (net.stop[e], net.head[e])):
            if start[k] == at:
                junctions[k] = junction
            if stop[k] == at:
                junctions[k + 1] = junction
    return Run(edge, net.line[edge], start, stop, junctions)


def run_along(built: Built, chosen: list[Located]) -> Run:
    """The run of pipes that were chosen, from the end at the first of them. Raises `UserError` when it is none."""
    from analysis.kernels.network_search import Spot, shortest_path

    net, pipes = built.network, built.pipes
    mine = np.zeros(len(pipes), dtype=bool)
    for located in chosen:
        if located.line >= 0:
            same = (pipes.layer == pipes.layer[located.line]) & (pipes.row == pipes.row[located.line])
            mine |= same if located.place.layer is not None else np.arange(len(pipes)) == located.line
    own = mine[net.line]
    degree = np.bincount(np.concatenate([net.tail[own], net.head[own]]), minlength=len(net.place))
    ends = np.flatnonzero(degree == 1)
    if len(ends) != 2 or degree.max(initial=0) > 2:
        raise _no_run(len(ends))
    first = chosen[0].point
    distance = np.hypot(*(net.place[ends] - first)[:, :2].T)
    begin, end = ends[np.argsort(distance, kind="stable")]
    allowed = np.repeat(own[:, None], 2, axis=1)
    found = shortest_path(net, Spot(int(begin)), Spot(int(end)), allowed=allowed)
    if found is None or len(found.edges) != int(own.sum()):
        raise _no_run(len(ends))
    return _run(built, found.edges, found.start, found.stop)


def _no_run(ends: int) -> UserError:
    return UserError(
        "The chosen pipes do not make one run.",
        f"A run has two ends and no branch; these have {ends} ends or branch.",
        "Choose pipes that follow each other, or name a place to go to.",
        code="utility.no_run",
        values={"ends": ends},
    )


def chosen_run(built: Built, frame: Frame, origin: str, target: str, stop_at: Bools) -> Run:
    """The run that two parameters name."""
    begin = locate(origin, built, frame, what="from")
    if not target.strip():
        return run_along(built, begin)
    end = locate(target, built, frame, what="to")
    return run_between(built, begin[0], end[0], stop_at)
