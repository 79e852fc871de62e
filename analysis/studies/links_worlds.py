"""Links between worlds: where the street meets the door, the ramp the parking, and the main the building."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.contract import Inputs, Quantity, Reference, Result, Table, analysis, layer_input
from analysis.network.declaration import HEIGHT_TOLERANCE, TOLERANCE
from analysis.params import Params, quantity, switch
from geo.model import Column, ElementTable, Feedback, Field, Grid, Issue, Layer, Lines, Style
from geo.model import conventions as words

if TYPE_CHECKING:
    from analysis.links.found import Links

PLAN_5_1 = Reference(
    "sejong-5-1",
    "세종 5-1생활권 시행계획: 지상·실내·지하 공간정보의 연계 (a gas pipe that enters a building, "
    "a road that leads into indoor parking).",
)
STATES = ("ok", "broken")


class LinkParams(Params):
    """What a user can set for ``links.worlds``."""

    entrance_reach: float = quantity(
        "From an entrance to the road", "m", default=40.0, ge=1, le=500, help="In plan, to the edge of the road."
    )
    unserved: bool = switch(
        "Buildings without a connection", default=True, help="Names buildings near a main that no service pipe reaches."
    )
    tolerance: float = TOLERANCE
    height_tolerance: float = HEIGHT_TOLERANCE


@dataclass(frozen=True)
class LinkInputs(Inputs):
    """The three worlds."""

    networks: tuple[Layer, ...] = layer_input(
        "Walking networks", kind=("points", "lines"), theme="network", many=True, optional=True, hidden=True
    )
    rooms: tuple[Layer, ...] = layer_input("Rooms", kind="mesh", theme="space", many=True, optional=True, hidden=True)
    roads: tuple[Layer, ...] = layer_input("Roads", kind=("lines", "mesh"), theme="road", many=True, optional=True)
    pipes: tuple[Layer, ...] = layer_input(
        "Pipes and cables", kind="lines", theme="utility", many=True, optional=True, hidden=True
    )
    nodes: tuple[Layer, ...] = layer_input(
        "Manholes, valves and other nodes", kind="points", theme="utility", many=True, optional=True, hidden=True
    )
    solids: tuple[Layer, ...] = layer_input(
        "Buildings", kind="mesh", theme=("building", "bim"), many=True, optional=True
    )
    terrain: Layer | None = layer_input("Terrain", kind="terrain", optional=True)


ASSUMPTIONS = (
    "Pipes of layers in the stratum indoors belong to buildings, all others to the street.",
    "A loose end of a pipe within 6 m of a building was meant to reach it.",
    "A door to the open more than 1.6 m above or below the ground is no entrance.",
    "The edge of a road is half its width from its centre line.",
)


@analysis(
    id="links.worlds",
    title="Links between worlds",
    description=(
        "Finds where roads meet entrances, ramps lead to parking, and street pipes reach buildings and the pipes "
        "inside them; tests each link by a rule and lists what is broken. Ways and traces follow the links."
    ),
    version=1,
    inputs=LinkInputs,
    params=LinkParams,
    references=(PLAN_5_1,),
)
def links_worlds(inputs: LinkInputs, params: LinkParams, feedback: Feedback) -> Result:
    """Find and test the links."""
    from analysis.links.found import Links
    from analysis.links.services import find_risers, find_services, find_unserved
    from analysis.links.ways import find_ways
    from analysis.network.built import Built, build

    found, issues = Links(), list[Issue]()
    ground = inputs.terrain.geometry if inputs.terrain is not None else None
    feedback.step(0.0, "looking for entrances")
    grid = ground if isinstance(ground, Grid) else None
    find_ways(found, inputs.networks, inputs.rooms, inputs.roads, grid, reach=params.entrance_reach)

    def network(indoor: bool, part: Feedback) -> Built | None:
        pipes, nodes = (
            tuple(layer for layer in layers if (layer.stratum == "indoor") == indoor)
            for layers in (inputs.pipes, inputs.nodes)
        )
        if not pipes:
            return None
        return build(
            pipes, nodes, issues, part,
            tolerance=params.tolerance, height_tolerance=params.height_tolerance, join="utility",
        )  # fmt: skip

    street = network(False, feedback.part(0.2, 0.5))
    inside = network(True, feedback.part(0.5, 0.6))
    feedback.step(0.6, "looking for service connections")
    if street is not None and inputs.solids:
        served = find_services(found, street, inputs.solids)
        if params.unserved:
            feedback.step(0.8, "looking for buildings without a connection")
            find_unserved(found, street, inputs.solids, served)
    feedback.step(0.9, "looking for risers")
    if street is not None and inside is not None:
        find_risers(found, street, inside)
    return _result(found, inputs, issues)


def _result(found: Links, inputs: LinkInputs, issues: list[Issue]) -> Result:
    items = found.in_order()
    columns = {
        words.LINK: Column(np.array([x.link for x in items], dtype=object)),
        words.STATUS: Column(np.array([STATES[x.broken] for x in items], dtype=object)),
        "why": Column(np.array([x.why for x in items], dtype=object)),
        words.GAP: Column(np.array([x.gap for x in items], dtype=np.float64), "m"),
        words.FROM_LAYER: Column(np.array([x.from_layer for x in items], dtype=object)),
        words.FROM_NODE: Column(np.array([x.from_id for x in items], dtype=object)),
        words.TO_LAYER: Column(np.array([x.to_layer for x in items], dtype=object)),
        words.TO_NODE: Column(np.array([x.to_id for x in items], dtype=object)),
        words.RULE: Column(np.array([x.rule for x in items], dtype=object)),
    }
    broken = np.array([x.broken for x in items], dtype=bool)
    count = {kind: sum(x.link == kind for x in items) for kind in words.LINKS}
    if found.balconies:
        text = f"{found.balconies} doors to the open lie too far above or below the ground to be entrances."
        issues.append(Issue("links.balconies", text, count=found.balconies))
    if not inputs.networks:
        issues.append(Issue("links.no_network", "Without a walking network there are no entrances to join.", "doubt"))
    if not inputs.pipes:
        issues.append(Issue("links.no_pipes", "Without pipes there are no connections to test.", "doubt"))
    tables = [Table("links", "Links", columns)]
    bad = np.flatnonzero(broken)
    kept = {name: Column(column.values[bad], column.unit) for name, column in columns.items()}
    tables.append(Table("broken", "Broken links", kept))
    return Result(
        layers=_layers([x.line for x in items], columns, broken),
        summary={
            "links": Quantity(len(items), "1"),
            "broken": Quantity(int(broken.sum()), "1"),
            **{kind: Quantity(number, "1") for kind, number in count.items()},
        },
        tables=tuple(tables),
        issues=tuple(issues),
        assumptions=ASSUMPTIONS,
    )


def _layers(lines: list[np.ndarray], columns: dict[str, Column], broken: np.ndarray) -> tuple[Layer, ...]:
    if not lines:
        return ()
    from analysis.network.outcome import unique_ids

    offsets = np.concatenate([[0], np.cumsum([len(line) for line in lines])]).astype(np.int32)
    shape = Lines(np.concatenate(lines), offsets, np.arange(len(lines), dtype=np.int32))
    names = [
        f"{kind}:{a}-{b}"
        for kind, a, b in zip(
            columns[words.LINK].values, columns[words.FROM_NODE].values, columns[words.TO_NODE].values, strict=True
        )
    ]
    field = Field(words.STATUS, "1", "element", broken.astype(np.int64), STATES, ramp="classes")
    style = Style(colour_by=words.STATUS)
    table = ElementTable(unique_ids(names), columns)
    return (Layer("links", "Links between worlds", "link", shape, table, (field,), style, stratum="underground"),)
