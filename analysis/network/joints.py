"""Joints between networks of different worlds: a link says that a pipe of the street goes on inside a building."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.network.pipes import PipeSet, text_column
from geo.model import Issue, Layer, Lines
from geo.model import conventions as words

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

FOLLOWED = ("riser", "service_connection")
SOUND = "ok"
ISSUE_IDS = 50


def linked_ends(pipes: PipeSet, links: Sequence[Layer], issues: list[Issue]) -> Indices:
    """(q, 2) ends that links join: twice the row of the pipe, plus 1 for its last vertex.

    Of each of the two pipes the end nearest to the link counts. A link to something that is no pipe of these layers
    (a wall, say) joins nothing; one whose rule found it broken is not followed.
    """
    rows = _rows(pipes)
    pairs: list[tuple[int, int]] = []
    broken: list[str] = []
    for layer in links:
        if not isinstance(layer.geometry, Lines):
            continue
        for element, line, status, sides in _links(layer):
            ends = [_end(pipes, rows, side, point) for side, point in zip(sides, (line[0], line[-1]), strict=True)]
            if min(ends) < 0:
                continue
            if status == SOUND:
                pairs.append((ends[0], ends[1]))
            else:
                broken.append(element)
    if pairs:
        text = f"{len(pairs)} links join the networks of street and buildings."
        issues.append(Issue("utility.links_followed", text, "note", count=len(pairs)))
    if broken:
        text = f"{len(broken)} links are broken and are not followed."
        issues.append(
            Issue("utility.links_broken", text, "doubt", count=len(broken), elements=tuple(broken[:ISSUE_IDS]))
        )
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _links(layer: Layer) -> list[tuple[str, Floats, str, tuple[tuple[str, str], tuple[str, str]]]]:
    """Id, line, status and the two (layer, element) of every link that pipes can have."""
    shape = layer.geometry
    if not isinstance(shape, Lines):
        return []
    row = shape.line_element.astype(np.int64)
    names = (words.LINK, words.STATUS, words.FROM_LAYER, words.FROM_NODE, words.TO_LAYER, words.TO_NODE)
    kind, status, *sides = (text_column(layer, name, row, "") for name in names)
    found = []
    for k in np.flatnonzero(np.isin(kind.astype(str), FOLLOWED)).tolist():
        line = shape.vertices[shape.offsets[k] : shape.offsets[k + 1]]
        pair = ((str(sides[0][k]), str(sides[1][k])), (str(sides[2][k]), str(sides[3][k])))
        found.append((str(layer.table.ids[row[k]]), line, str(status[k]), pair))
    return found


def _rows(pipes: PipeSet) -> dict[tuple[str, str], list[int]]:
    """Rows of each pipe by the id of its layer and its own."""
    found: dict[tuple[str, str], list[int]] = {}
    for row in range(len(pipes)):
        name = (pipes.layers[pipes.layer[row]].id, str(pipes.id[row]))
        found.setdefault(name, []).append(row)
    return found


def _end(pipes: PipeSet, rows: dict[tuple[str, str], list[int]], side: tuple[str, str], point: Floats) -> int:
    """The end of a named pipe nearest to a point, -1 if there is no such pipe."""
    mine = rows.get(side, ())
    best, away = -1, np.inf
    for row in mine:
        for last in (0, 1):
            vertex = pipes.vertices[pipes.offsets[row + last] - last]
            distance = float(np.linalg.norm(vertex - point))
            if distance < away:
                best, away = 2 * row + last, distance
    return best
