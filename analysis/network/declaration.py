"""What a user gives to the studies of pipe networks: layers and parameters they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from analysis.contract import Inputs, Reference, layer_input
from analysis.params import Params, choice, place, quantity, switch
from geo.model import Layer

DIJKSTRA_1959 = Reference(
    "dijkstra-1959",
    "E. W. Dijkstra: A note on two problems in connexion with graphs. Numerische Mathematik 1, 1959.",
    "10.1007/BF01386390",
)
TARJAN_1974 = Reference(
    "tarjan-1974",
    "R. E. Tarjan: A note on finding the bridges of a graph. Information Processing Letters 2(6), 1974.",
    "10.1016/0020-0190(74)90003-9",
)
WALSKI_1993 = Reference(
    "walski-1993",
    "T. M. Walski: Water distribution valve topology for reliability analysis. Reliability Engineering and System "
    "Safety 42(1), 1993.",
    "10.1016/0951-8320(93)90051-Y",
)

Join = Literal["utility", "sewers", "all"]
Unknown = Literal["stop", "drawn", "shortest"]

TOLERANCE: Any = quantity(
    "Ends meet within", "m", default=0.1, ge=0.001, le=5, help="In plan. What lies further apart is not joined."
)
HEIGHT_TOLERANCE: Any = quantity(
    "Ends meet in height within", "m", default=1.0, ge=0.01, le=20, help="Pipes that end at one manhole always meet."
)
JOIN: Any = choice(
    "Joined are",
    default="utility",
    help="Pipes of one utility; storm, sewage and combined sewers as one; or all utilities.",
)
UNKNOWN: Any = choice(
    "Where the direction is not known",
    default="stop",
    help="stop: the trace ends there. drawn: as the pipe is drawn. shortest: away from the nearest source, or toward "
    "the nearest outfall.",
)
CLOSED_VALVES: Any = switch("Closed valves stop", default=True, help="Nothing passes a valve whose status is closed.")


class TopologyParams(Params):
    """What a user can set for ``utility.topology``."""

    tolerance: float = TOLERANCE
    height_tolerance: float = HEIGHT_TOLERANCE
    join: Join = JOIN


class TraceParams(Params):
    """What a user can set for ``utility.trace``."""

    start: str = place("Start", help="Pipes, nodes or places on the map; several are separated by ;.")
    direction: Literal["downstream", "upstream", "connected"] = choice("Direction", default="connected")
    unknown: Unknown = UNKNOWN
    closed_valves: bool = CLOSED_VALVES
    join: Join = JOIN
    tolerance: float = TOLERANCE
    height_tolerance: float = HEIGHT_TOLERANCE


class IsolationParams(Params):
    """What a user can set for ``utility.isolation``."""

    broken: str = place("Broken pipe", help="Pipes or places on the map; several are separated by ;.")
    whole: bool = switch(
        "The whole pipe", default=True, help="The place of the break on a chosen pipe is not known: shut all of it off."
    )
    join: Join = JOIN
    tolerance: float = TOLERANCE
    height_tolerance: float = HEIGHT_TOLERANCE


class PathParams(Params):
    """What a user can set for ``utility.path``."""

    origin: str = place("From", help="A pipe, a node or a place on the map.")
    target: str = place("To", help="A pipe, a node or a place on the map.")
    closed_valves: bool = CLOSED_VALVES
    join: Join = JOIN
    tolerance: float = TOLERANCE
    height_tolerance: float = HEIGHT_TOLERANCE


class ProfileParams(Params):
    """What a user can set for ``utility.profile``."""

    origin: str = place("From", help="A pipe, a node or a place on the map; or all pipes of the run, separated by ;.")
    target: str = place("To", help="Empty: the profile runs along the pipes named above.")
    step: float = quantity(
        "Distance of stations", "m", default=10.0, ge=0.5, le=200, help="Besides every bend and node."
    )
    crossings: bool = switch("Other pipes that cross", default=True)
    closed_valves: bool = switch("Closed valves stop", default=False, help="A profile may run through a closed valve.")
    join: Join = JOIN
    tolerance: float = TOLERANCE
    height_tolerance: float = HEIGHT_TOLERANCE


def _pipes(*, hidden: bool = False) -> Any:
    return layer_input("Pipes and cables", kind="lines", theme="utility", many=True, hidden=hidden)


def _nodes(*, hidden: bool = False) -> Any:
    return layer_input(
        "Manholes, valves and other nodes", kind="points", theme="utility", many=True, optional=True, hidden=hidden
    )


@dataclass(frozen=True)
class NetworkInputs(Inputs):
    """Pipes and nodes."""

    pipes: tuple[Layer, ...] = _pipes()
    nodes: tuple[Layer, ...] = _nodes()


@dataclass(frozen=True)
class TraceInputs(Inputs):
    """Pipes and nodes of the street and, though hidden, of the buildings, and the links between them."""

    pipes: tuple[Layer, ...] = _pipes(hidden=True)
    nodes: tuple[Layer, ...] = _nodes(hidden=True)
    links: tuple[Layer, ...] = layer_input(
        "Links between worlds", kind="lines", theme="link", many=True, optional=True, hidden=True
    )


@dataclass(frozen=True)
class ProfileInputs(Inputs):
    """Pipes, nodes, and what lies above them."""

    pipes: tuple[Layer, ...] = _pipes()
    nodes: tuple[Layer, ...] = _nodes()
    terrain: Layer | None = layer_input("Terrain", kind="terrain", optional=True)
    buildings: tuple[Layer, ...] = layer_input(
        "Buildings", kind="mesh", theme=("building", "bim"), many=True, optional=True
    )
