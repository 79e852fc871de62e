"""The pipes and nodes of the utility layers of a scene, in arrays that the kernels take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from geo.model import Issue, Layer, Lines, Points
from geo.model import conventions as words

if TYPE_CHECKING:
    from analysis.kernels.network import Nodes, Polylines

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]
Join = Literal["utility", "sewers", "all"]

SHORTEST = 1e-6  # [m] anything shorter is no pipe
ISSUE_IDS = 50  # ids named in an issue


@dataclass(frozen=True, eq=False)
class PipeSet:
    """Pipes of several layers as polylines, one row each; an element of several parts has several rows.

    Attributes
    ----------
    layers : tuple of Layer
    vertices : (n, 3) float64 [local m]
        Axes.
    offsets : (k + 1,) int64
    layer, row, line : (k,) int64
        Index into `layers`, row of its table, number of the polyline in its geometry.
    id, utility, quality, owner : (k,) object
    diameter, width, height, cover, plan_error, depth_error, invert_up, invert_down : (k,) float64 [m]
        NaN where unknown. Inverts are known only for elements of one part.
    start_id, stop_id : (k,) object
        Ids of the nodes at the ends as the data say, "" unknown.
    """

    layers: tuple[Layer, ...]
    vertices: Floats
    offsets: Indices
    layer: Indices
    row: Indices
    line: Indices
    id: Texts
    utility: Texts
    quality: Texts
    owner: Texts
    diameter: Floats
    width: Floats
    height: Floats
    cover: Floats
    plan_error: Floats
    depth_error: Floats
    invert_up: Floats
    invert_down: Floats
    start_id: Texts
    stop_id: Texts

    def __len__(self) -> int:
        return len(self.layer)

    @property
    def gravity(self) -> Bools:
        """(k,) whether water runs in it by its fall."""
        return np.asarray(np.isin(self.utility.astype(str), words.GRAVITY))

    @property
    def is_box(self) -> Bools:
        """(k,) whether it has a width and a height."""
        return np.asarray((self.width > 0) & (self.height > 0))

    @property
    def half_height(self) -> Floats:
        """(k,) from the axis to the top [m]; 0 where the size is unknown."""
        size = np.where(self.is_box, self.height, self.diameter)
        return np.where(np.isfinite(size) & (size > 0), size, 0.0) / 2

    @cached_property
    def along(self) -> Floats:
        """(n,) length from the first vertex of each polyline [m]."""
        from analysis.kernels.network import Polylines

        return Polylines(self.vertices, self.offsets, self.layer).along()

    def polylines(self, join: Join) -> Polylines:
        """What the kernels of networks take."""
        from analysis.kernels.network import Polylines

        return Polylines(self.vertices, self.offsets, groups(self.utility, join))

    def points_of(self, line: int) -> Floats:
        """Vertices (n, 3) of one polyline."""
        return self.vertices[self.offsets[line] : self.offsets[line + 1]]

    def kept(self, rows: Indices) -> PipeSet:
        """Some of the polylines."""
        counts = np.diff(self.offsets)[rows]
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        take = np.repeat(self.offsets[:-1][rows] - offsets[:-1], counts) + np.arange(offsets[-1])
        rest = {f.name: getattr(self, f.name)[rows] for f in fields(self)[3:]}
        return PipeSet(self.layers, self.vertices[take], offsets, **rest)


@dataclass(frozen=True, eq=False)
class NodeSet:
    """Nodes of several layers: manholes, valves, hydrants.

    Attributes
    ----------
    layers : tuple of Layer
    vertices : (p, 3) float64 [local m]
    layer, row : (p,) int64
    id, utility, node, status : (p,) object
        `utility` "" where the data do not say; `status` "open", "closed" or "".
    """

    layers: tuple[Layer, ...]
    vertices: Floats
    layer: Indices
    row: Indices
    id: Texts
    utility: Texts
    node: Texts
    status: Texts

    def __len__(self) -> int:
        return len(self.layer)

    def is_a(self, *kinds: str) -> Bools:
        """(p,) whether it is one of these kinds of node."""
        return np.asarray(np.isin(self.node.astype(str), kinds))

    @property
    def is_closed_valve(self) -> Bools:
        """(p,) whether it is a valve that is shut."""
        return np.asarray(self.is_a("valve") & (self.status.astype(str) == "closed"))

    def nodes(self, join: Join) -> Nodes:
        """What the kernels of networks take."""
        from analysis.kernels.network import Nodes

        # Indoors there is a tap above a tap: nodes meet pipes of their own storey only.
        outside = np.array([layer.stratum != "indoor" for layer in self.layers], dtype=bool)
        tall = outside[self.layer] if len(outside) else np.zeros(0, dtype=bool)
        return Nodes(self.vertices, groups(self.utility, join), tall)


def groups(utility: Texts, join: Join) -> Indices:
    """(n,) which things may be joined: those of one number."""
    if join == "all":
        return np.zeros(len(utility), dtype=np.int64)
    text = utility.astype(str)
    if join == "sewers":
        text = np.where(np.isin(text, words.GRAVITY), "sewers", text)
    known = {name: number for number, name in enumerate((*words.UTILITIES, "sewers"))}
    return np.array([known.get(name, len(known)) for name in text], dtype=np.int64)


def pipes_of(layers: Sequence[Layer], issues: list[Issue]) -> PipeSet:
    """All pipes of line layers, without those that have no length or no finite place (an issue says how many)."""
    kept = tuple(layer for layer in layers if isinstance(layer.geometry, Lines))
    parts = [_layer_pipes(number, layer) for number, layer in enumerate(kept)]
    columns: dict[str, Any] = (
        {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else _no_pipes()
    )
    counts = columns.pop("count").astype(np.int64)
    pipes = PipeSet(
        kept, columns.pop("vertices"), np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]), **columns
    )
    good = _usable(pipes)
    named = (pipes.start_id.astype(str) != "") & (pipes.stop_id.astype(str) != "")
    for which, code, severity, why in (
        (~good & named, "utility.no_length", "note", "have no length: they are taken as devices at their node"),
        (~good & ~named, "utility.unusable", "error", "have no length or no finite coordinates and were left out"),
    ):
        ids = tuple(dict.fromkeys(pipes.id[which].tolist()))
        if ids:
            issues.append(Issue(code, f"{len(ids)} pipes {why}.", severity, count=len(ids), elements=ids[:ISSUE_IDS]))  # type: ignore[arg-type]
    if not good.all():
        pipes = pipes.kept(np.flatnonzero(good))
    return pipes


def _no_pipes() -> dict[str, NDArray[np.generic]]:
    out: dict[str, NDArray[np.generic]] = {"vertices": np.zeros((0, 3)), "count": np.zeros(0, np.int64)}
    out |= {name: np.zeros(0, np.int64) for name in ("layer", "row", "line")}
    rest = [f.name for f in fields(PipeSet)[6:]]
    texts = ("id", "utility", "quality", "owner", "start_id", "stop_id")
    return out | {name: np.zeros(0, object if name in texts else np.float64) for name in rest}


def _layer_pipes(number: int, layer: Layer) -> dict[str, NDArray[np.generic]]:
    shape = layer.geometry
    if not isinstance(shape, Lines):
        raise TypeError("pipes are lines")
    row = shape.line_element.astype(np.int64)
    count = len(row)
    size = int(row.max()) + 1 if count else 0
    single = np.bincount(row, minlength=size)[row] == 1
    out: dict[str, NDArray[np.generic]] = {
        "vertices": np.asarray(shape.vertices),
        "count": np.diff(shape.offsets).astype(np.int64),
        "layer": np.full(count, number, dtype=np.int64),
        "row": row,
        "line": np.arange(count, dtype=np.int64),
        "id": _ids(layer, row),
        "utility": text_column(layer, words.UTILITY, row, "other"),
        "quality": text_column(layer, words.DEPTH_QUALITY, row, ""),
        "owner": text_column(layer, words.OWNER, row, ""),
    }
    for name in ("diameter", "width", "height", "cover", "plan_error", "depth_error"):
        out[name] = number_column(layer, name, row)
    for name in (words.INVERT_UP, words.INVERT_DOWN):
        out[name] = np.where(single, number_column(layer, name, row), np.nan)
    for field_name, name in (("start_id", words.FROM_NODE), ("stop_id", words.TO_NODE)):
        out[field_name] = np.where(single, text_column(layer, name, row, ""), "").astype(object)
    return out


def _ids(layer: Layer, row: Indices) -> Texts:
    if len(row) and int(row.max()) < len(layer.table):
        return np.asarray(layer.table.ids[row], dtype=object)
    return np.array([f"{layer.id}/{r}" for r in row], dtype=object)


def text_column(layer: Layer, name: str, row: Indices, missing: str) -> Texts:
    """(n,) texts of a column, `missing` where there is none."""
    column = layer.table.columns.get(name)
    if column is None:
        return np.full(len(row), missing, dtype=object)
    values = column.values[row]
    return np.array([missing if v is None or v == "" else str(v) for v in values], dtype=object)


def number_column(layer: Layer, name: str, row: Indices) -> Floats:
    """(n,) numbers of a column; NaN where there is none."""
    column = layer.table.columns.get(name)
    if column is None or not column.is_number:
        return np.full(len(row), np.nan)
    return np.asarray(column.values[row], dtype=np.float64)


def _usable(pipes: PipeSet) -> Bools:
    """(k,) polylines of at least two vertices, a length and finite coordinates."""
    counts = np.diff(pipes.offsets)
    line = np.repeat(np.arange(len(pipes)), counts)
    bad = np.bincount(line, weights=~np.isfinite(pipes.vertices).all(axis=1), minlength=len(pipes)) > 0
    step = np.zeros(len(pipes.vertices))
    step[1:] = np.linalg.norm(np.nan_to_num(np.diff(pipes.vertices, axis=0)), axis=1)
    starts = pipes.offsets[:-1]
    step[starts[starts < len(step)]] = 0.0
    length = np.bincount(line, weights=step, minlength=len(pipes))
    return (counts >= 2) & ~bad & (length > SHORTEST)


def nodes_of(layers: Sequence[Layer], pipes: PipeSet, issues: list[Issue], *, tolerance: float) -> NodeSet:
    """All nodes of point layers. One that does not say its utility takes that of the pipes that end at it."""
    kept = tuple(layer for layer in layers if isinstance(layer.geometry, Points))
    number, row, vertices = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros((0, 3))]
    texts: dict[str, list[Texts]] = {name: [np.zeros(0, object)] for name in ("id", "utility", "node", "status")}
    for index, layer in enumerate(kept):
        shape = layer.geometry
        if not isinstance(shape, Points):
            continue
        rows = shape.element.astype(np.int64)
        number.append(np.full(len(rows), index, dtype=np.int64))
        row.append(rows)
        vertices.append(np.asarray(shape.vertices))
        texts["id"].append(_ids(layer, rows))
        texts["utility"].append(text_column(layer, words.UTILITY, rows, ""))
        texts["node"].append(text_column(layer, words.NODE, rows, "other"))
        texts["status"].append(text_column(layer, words.STATUS, rows, ""))
    joined = {name: np.concatenate(values) for name, values in texts.items()}
    nodes = NodeSet(kept, np.concatenate(vertices), np.concatenate(number), np.concatenate(row), **joined)
    return _with_utility(_placed(nodes, issues), pipes, issues, tolerance)


def _placed(nodes: NodeSet, issues: list[Issue]) -> NodeSet:
    """Nodes with a finite place in plan; a missing height is taken as 0, for nodes join at any height."""
    good = np.isfinite(nodes.vertices[:, :2]).all(axis=1)
    if not good.all():
        lost = int((~good).sum())
        issues.append(Issue("utility.unusable_nodes", f"{lost} nodes have no finite place.", "error", count=lost))
    rest = {f.name: getattr(nodes, f.name)[good] for f in fields(nodes)[2:]}
    return NodeSet(nodes.layers, np.nan_to_num(nodes.vertices[good]), **rest)


def _with_utility(nodes: NodeSet, pipes: PipeSet, issues: list[Issue], tolerance: float) -> NodeSet:
    from scipy.spatial import cKDTree

    unknown = np.flatnonzero(nodes.utility.astype(str) == "")
    if len(unknown) == 0 or len(pipes) == 0:
        return nodes
    ends = pipes.vertices[np.column_stack([pipes.offsets[:-1], pipes.offsets[1:] - 1]).reshape(-1)]
    distance, nearest = cKDTree(ends[:, :2]).query(nodes.vertices[unknown, :2], distance_upper_bound=tolerance)
    found = np.isfinite(distance)
    utility = nodes.utility.copy()
    utility[unknown[found]] = pipes.utility[nearest[found] // 2]
    utility[unknown[~found]] = "other"
    text = f"{len(unknown)} nodes do not say their utility; {int(found.sum())} take that of the pipe that ends there."
    values = {"found": int(found.sum())}
    issues.append(Issue("utility.node_utility", text, "note", count=len(unknown), values=values))
    rest = {f.name: getattr(nodes, f.name) for f in fields(nodes)[1:] if f.name != "utility"}
    return NodeSet(nodes.layers, utility=utility, **rest)


def stated_nodes(pipes: PipeSet, nodes: NodeSet) -> Indices:
    """(k, 2) node that the data name at each end, -1 for none; of several with one id the first of the same utility."""
    of_id: dict[tuple[str, str], int] = {}
    for number in range(len(nodes) - 1, -1, -1):
        of_id[(str(nodes.id[number]), str(nodes.utility[number]))] = number
    out = np.full((len(pipes), 2), -1, dtype=np.int64)
    for side, named in enumerate((pipes.start_id, pipes.stop_id)):
        for k in np.flatnonzero(named.astype(str) != ""):
            out[k, side] = of_id.get((str(named[k]), str(pipes.utility[k])), -1)
    return out
