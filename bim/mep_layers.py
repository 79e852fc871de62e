"""The network of pipes, ducts and cables of a model as layers: axes with their sizes, and the nodes between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bim.attributes import text
from bim.elements import Storeys, element_ids
from bim.georeference import Georeference
from bim.mep_network import Network, Node, Segment, mep_network
from bim.mep_systems import UNKNOWN
from bim.tessellation import Tessellation
from geo.model import Column, ElementTable, Feedback, Frame, Issue, Layer, Lines, Points, Source, Style
from geo.model import conventions as words

if TYPE_CHECKING:
    import ifcopenshell

LINES, NODES = "mep_lines", "mep_nodes"
MAX_IDS = 200


def mep_layers(
    file: ifcopenshell.file,
    shapes: Tessellation,
    placed: Georeference,
    frame: Frame,
    *,
    storeys: Storeys,
    types: dict[int, str],
    name: str,
    layers: list[Layer],
    feedback: Feedback,
) -> list[Layer]:
    """The layers of a model with its network: parts ``mep_lines`` and ``mep_nodes`` at the end, hidden.

    They lie in the stratum of the bodies of the same elements.
    """
    if not layers:
        return layers
    try:
        found = mep_network(file, shapes, storeys.metres_per_unit, feedback)
    except (RuntimeError, ValueError, TypeError, AttributeError) as error:
        return [layers[0].with_(issues=(*layers[0].issues, _failed(error))), *layers[1:]]
    if found is None or not found.segments:
        return layers
    bodies = next((layer for layer in layers if layer.source.part.startswith("mep")), layers[0])
    tables = _Tables(file, storeys, types, bodies.stratum == "underground")
    common = {"theme": "utility", "style": Style(visible=False), "stratum": bodies.stratum}
    counts = [len(segment.points) for segment in found.segments]
    points = placed.to_frame(np.concatenate([segment.points for segment in found.segments]), frame)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    shape = Lines(points, offsets, np.arange(len(counts), dtype=np.int32))
    made = [
        Layer(
            LINES, f"{name}: axes of pipes and cables", geometry=shape, table=tables.lines(found.segments),
            source=Source(part=LINES), issues=_issues(file, found), **common,  # type: ignore[arg-type]
        )
    ]  # fmt: skip
    nodes = list(found.nodes.values())
    if nodes:
        places = placed.to_frame(np.array([node.place for node in nodes]), frame)
        made.append(
            Layer(
                NODES, f"{name}: valves, fittings and fixtures",
                geometry=Points(places, np.arange(len(nodes), dtype=np.int32)), table=tables.nodes(nodes),
                source=Source(part=NODES), **common,  # type: ignore[arg-type]
            )
        )  # fmt: skip
    feedback.step(1.0, "joining pipes and cables")
    return [*layers, *made]


def _failed(error: Exception) -> Issue:
    """Pipes that are damaged keep their picture."""
    reason = str(error)[:160]
    message = f"The network of pipes, ducts and cables could not be made: {reason}"
    return Issue("mep.failed", message, "error", values={"reason": reason})


@dataclass(frozen=True)
class _Tables:
    """Tables of segments and nodes."""

    file: ifcopenshell.file
    storeys: Storeys
    types: dict[int, str]
    buried: bool

    def lines(self, segments: list[Segment]) -> ElementTable:
        """One row for each segment."""
        plain = self._plain([segment.entity.id() for segment in segments])
        sizes = np.array(
            [
                (np.nan,) * 3 if one.axis is None else (one.axis.diameter, one.axis.width, one.axis.height)
                for one in segments
            ]
        )
        columns = {words.UTILITY: _texts([one.utility for one in segments])}
        for place, name in enumerate((words.DIAMETER, words.WIDTH, words.HEIGHT)):
            if name == words.DIAMETER or np.isfinite(sizes[:, place]).any():
                columns[name] = Column(np.round(sizes[:, place], 6), "m")
        length = [float(np.linalg.norm(np.diff(one.points, axis=0), axis=1).sum()) for one in segments]
        columns |= {
            words.FROM_NODE: _texts([one.ends[0] for one in segments]),
            words.TO_NODE: _texts([one.ends[1] for one in segments]),
            words.LENGTH: Column(np.array(length), "m"),
            "system": _texts([one.system or None for one in segments]),
            words.DERIVED: Column(np.array([one.derived for one in segments], dtype=bool)),
        }
        if self.buried:
            from geo.utility_depth import errors_of

            quality = np.full(len(segments), "register", dtype=object)
            plan, depth = errors_of(quality, np.zeros(len(segments), dtype=bool))
            columns |= {
                words.DEPTH_QUALITY: Column(quality),
                words.PLAN_ERROR: Column(plan, "m"),
                words.DEPTH_ERROR: Column(depth, "m"),
            }
        return ElementTable(plain.ids, {**columns, **plain.columns})

    def nodes(self, nodes: list[Node]) -> ElementTable:
        """One row for each node."""
        plain = self._plain([node.step for node in nodes])
        columns = {
            words.UTILITY: _texts([node.utility for node in nodes]),
            words.NODE: _texts([node.kind for node in nodes]),
            words.DERIVED: Column(np.array([node.derived for node in nodes], dtype=bool)),
        }
        return ElementTable([node.id for node in nodes], {**columns, **plain.columns})

    def _plain(self, steps: list[int]) -> ElementTable:
        """What every element of the model has: class, name, storey and its elevation, type."""
        entities = [self.file.by_id(step) for step in steps]
        levels = [self.storeys.of(entity) for entity in entities]
        heights = [self.storeys.elevation(level) for level in levels]
        columns = {
            "class": _texts([entity.is_a() for entity in entities]),
            "name": _texts([text(entity, "Name") for entity in entities]),
            "storey": _texts([None if level is None else text(level, "Name") for level in levels]),
            "elevation": Column(np.array(heights, dtype=np.float64), "m"),
            "type": _texts([self.types.get(step) for step in steps]),
        }
        return ElementTable(element_ids(self.file, steps), columns)


def _texts(values: Sequence[str | None]) -> Column:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return Column(column)


def _issues(file: ifcopenshell.file, found: Network) -> tuple[Issue, ...]:
    issues = []
    derived = [one for one in found.segments if one.derived]
    if derived:
        ids = tuple(element_ids(file, [one.entity.id() for one in derived[:MAX_IDS]]))
        message = f"{len(derived)} pipes, ducts or cables are joined by their place, not by ports of the file."
        issues.append(Issue("mep.derived", message, "note", len(derived), ids))
    kinds = [one for one in found.segments if one.utility == UNKNOWN]
    if kinds:
        ids = tuple(element_ids(file, [one.entity.id() for one in kinds[:MAX_IDS]]))
        message = f"{len(kinds)} pipes, ducts or cables do not say what they carry; they are shown as 'other'."
        issues.append(Issue("mep.kind_unknown", message, "note", len(kinds), ids))
    if found.without_axis:
        ids = tuple(element_ids(file, found.without_axis[:MAX_IDS]))
        message = f"{len(found.without_axis)} pipes, ducts or cables have neither a body nor two ports with a place."
        issues.append(Issue("mep.no_axis", message, "doubt", len(found.without_axis), ids))
    if found.loose:
        ids = tuple(element_ids(file, found.loose[:MAX_IDS]))
        message = f"{len(found.loose)} fittings, fixtures and devices are joined with no pipe, duct or cable."
        issues.append(Issue("mep.loose", message, "note", len(found.loose), ids))
    return tuple(issues)
