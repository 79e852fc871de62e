"""What the readers of hydraulic models (EPANET, SWMM) share: sections of the file, and layers from nodes and links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geo.crs import to_local
from geo.formats.contract import ReadOptions
from geo.formats.placed import PlacedOptions
from geo.model import (
    Column,
    ElementTable,
    Field,
    Frame,
    Issue,
    Layer,
    Lines,
    MissingCrs,
    Points,
    Source,
    UserError,
)
from geo.model import conventions as words

Floats = NDArray[np.float64]


SCAN_BYTES = 8 << 20
ISSUE_IDS = 50
# What libraries raise over a damaged model; anything else is a fault of the program.
DAMAGE = (ValueError, KeyError, IndexError, AttributeError, TypeError, RuntimeError, ArithmeticError, LookupError)


def sections(path: Path) -> set[str]:
    """Names of the sections of a text file, upper case; empty for anything that is no such file. Never raises."""
    try:
        with path.open("rb") as file:
            text = file.read(SCAN_BYTES)
    except OSError:
        return set()
    if b"\0" in text[:4096]:
        return set()
    lines = (line.strip() for line in text.split(b"\n") if line.lstrip()[:1] == b"[")
    return {line[1 : line.index(b"]")].decode("latin-1").upper() for line in lines if b"]" in line}


@dataclass(frozen=True, eq=False)
class Model:
    """A hydraulic model in the file's coordinates.

    Attributes
    ----------
    node_id : (n,) str
    node_place : (n, 2) float [CRS unit]
        NaN where the file gives none.
    node_columns, link_columns : mapping
        Columns of the tables, lengths in metres.
    link_id : (k,) str
    link_ends : (k, 2) int
        Rows of the nodes.
    link_bends : sequence of (m, 2) float
        Between the ends, in order.
    """

    node_id: list[str]
    node_place: Floats
    node_columns: Mapping[str, Column]
    link_id: list[str]
    link_ends: NDArray[np.int64]
    link_bends: Sequence[Floats]
    link_columns: Mapping[str, Column]


def layers_of(
    model: Model,
    axis: tuple[Floats, Floats],
    node_height: Floats,
    name: str,
    frame: Frame,
    options: ReadOptions,
    issues: list[Issue],
) -> list[Layer]:
    """Pipes and nodes as layers.

    Parameters
    ----------
    axis : two (k,) float [m]
        Height of the pipe's axis at its first and last end.
    node_height : (n,) float [m]
        Where the node is shown.
    """
    crs, shift = _system(options, frame, name)
    placed = np.isfinite(model.node_place).all(axis=1)
    lost = [node for node, here in zip(model.node_id, placed, strict=True) if not here]
    if lost:
        text = f"{len(lost)} nodes have no coordinates; they and their pipes are only in the file."
        issues.append(Issue("inp.no_place", text, "error", count=len(lost), elements=tuple(lost[:ISSUE_IDS])))
    known = placed[model.link_ends].all(axis=1) if len(model.link_ends) else np.zeros(0, bool)
    rows = np.flatnonzero(known)
    if len(rows) == 0 and not placed.any():
        raise UserError(
            f"{name} has no coordinates.",
            "The model gives no place for its nodes, so there is nothing to draw.",
            "Save it from the hydraulic program together with its map.",
            code="inp.no_map",
            values={"name": name},
        )
    lines, offsets = _courses(model, rows, axis)
    table = ElementTable(
        [model.link_id[k] for k in rows],
        {key: Column(column.values[rows], column.unit) for key, column in model.link_columns.items()},
    )
    local = _local(lines + shift, crs, frame)
    pipes = Layer(
        "pipes", name, "utility", Lines(local, offsets, np.arange(len(rows), dtype=np.int32)), table,
        stratum="underground", source=Source(part="pipes"), issues=tuple(issues),
    )  # fmt: skip
    here = np.flatnonzero(placed)
    places = _local(np.column_stack([model.node_place[here], node_height[here]]) + shift, crs, frame)
    nodes = Layer(
        "nodes", f"{name}: nodes", "utility", Points(places, np.arange(len(here), dtype=np.int32)),
        ElementTable(
            [model.node_id[k] for k in here],
            {key: Column(column.values[here], column.unit) for key, column in model.node_columns.items()},
        ),
        stratum="underground", source=Source(part="nodes"),
    )  # fmt: skip
    return [_with_diameter(pipes), nodes] if len(rows) else [nodes.with_(issues=tuple(issues))]


def _system(options: ReadOptions, frame: Frame, name: str) -> tuple[str, Floats]:
    """CRS of the model's coordinates, and what is added to them."""
    own = options.own
    if isinstance(own, PlacedOptions) and own.at_east is not None and own.at_north is not None:
        return frame.crs, np.array([own.at_east, own.at_north, 0.0])
    if options.crs is None:
        raise MissingCrs(name)
    return options.crs, np.zeros(3)


def _with_diameter(layer: Layer) -> Layer:
    column = layer.table.columns.get(words.DIAMETER)
    if column is None:
        return layer
    return layer.with_(fields=(Field(words.DIAMETER, "m", "element", column.values),))


def _courses(model: Model, rows: NDArray[np.int64], axis: tuple[Floats, Floats]) -> tuple[Floats, NDArray[np.int32]]:
    """Vertices (v, 3) of the chosen links, the axis straight in height along the plan length."""
    parts = [np.zeros((0, 3))]
    for k in rows:
        plan = np.vstack(
            [model.node_place[model.link_ends[k, :1]], model.link_bends[k], model.node_place[model.link_ends[k, 1:]]]
        )
        leg = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(plan, axis=0).T))])
        share = leg / leg[-1] if leg[-1] > 0 else np.linspace(0.0, 1.0, len(plan))
        parts.append(np.column_stack([plan, axis[0][k] + share * (axis[1][k] - axis[0][k])]))
    counts = [len(part) for part in parts[1:]]
    return np.concatenate(parts), np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)


def _local(points: Floats, crs: str, frame: Frame) -> Floats:
    """Map coordinates with heights in metres to local metres."""
    flat = np.column_stack([points[:, :2], np.zeros(len(points))])
    local = to_local(flat, crs, frame) if len(points) else flat
    return np.column_stack([local[:, :2], points[:, 2] - frame.origin[2]])


def texts(values: Sequence[str | None]) -> Column:
    """A column of texts."""
    return Column(np.array(values, dtype=object))


def damaged(path: Path, program: str, reason: object) -> UserError:
    """The error for a model that its library cannot read."""
    return UserError(
        f"{path.name} is not a readable {program} model.",
        f"Reading it failed: {str(reason).splitlines()[0] if str(reason) else type(reason).__name__}.",
        f"Open it in {program} and save it again.",
        code="inp.damaged",
        values={"name": path.name, "program": program, "reason": str(reason)[:200]},
    )
