"""What a user gives to the studies of ways through buildings: layers and parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analysis.contract import Inputs, Reference, layer_input
from analysis.indoor.rules import ProfileName
from analysis.params import Params, choice, place, quantity
from geo.model import Layer

DIJKSTRA_1959 = Reference(
    "dijkstra-1959",
    "E. W. Dijkstra: A note on two problems in connexion with graphs. Numerische Mathematik 1, 1959.",
    "10.1007/BF01386390",
)
WEIDMANN_1993 = Reference(
    "weidmann-1993",
    "U. Weidmann: Transporttechnik der Fussgänger. Schriftenreihe des IVT 90, ETH Zürich, 1993.",
    "10.3929/ethz-a-000687810",
)
RIMEA = Reference("rimea", "RiMEA e.V.: Richtlinie für Mikroskopische Entfluchtungsanalysen.")
ACCESS_ACT = Reference(
    "access-act", "장애인·노인·임산부 등의 편의증진 보장에 관한 법률 시행규칙 별표1; 건축법 시행령 제34조."
)


def _high_exit() -> Any:
    return quantity(
        "Exits above the lowest one are left out from",
        "m",
        default=2.5,
        ge=0.5,
        le=500,
        help="Doors to balconies and roofs are no way out. Raise it for buildings on a slope.",
    )


def _deduct() -> Any:
    return quantity(
        "Frame taken off the width of doors", "m", default=0.0, ge=0, le=0.3, help="Models state widths with the frame."
    )


class RouteParams(Params):
    """What a user can set for a way."""

    start: str = place("From", help="A room, a door, a place of the network or a point on the map.")
    goal: str = place("To", help="As the start; nothing = the nearest exit.")
    via: str = place("By way of", help="Places on the way in their order, such as a ramp; a semicolon between them.")
    profile: ProfileName = choice(
        "Who goes",
        default="walk",
        help="wheelchair: no stairs, limits for doors and ramps. evacuation: no lifts.",
    )
    reach: float = quantity(
        "Exits are joined to roads within", "m", default=50.0, ge=0, le=500, help="Where no links are given."
    )
    high_exit: float = _high_exit()
    deduct: float = _deduct()


class ExitsParams(Params):
    """What a user can set for ways out."""

    profile: ProfileName = choice("Who goes", default="evacuation", help="How fast, and which ways are open.")
    walking_distance: float = quantity(
        "Longest walking distance to a stair or exit",
        "m",
        default=30.0,
        ge=5,
        le=200,
        help="30 m by the Korean building decree, 50 m where the structure resists fire.",
    )
    high_exit: float = _high_exit()
    deduct: float = _deduct()


@dataclass(frozen=True)
class RouteInputs(Inputs):
    """What a way is sought in."""

    networks: tuple[Layer, ...] = layer_input(
        "Walking networks (places and ways)", kind=("points", "lines"), theme="network", many=True, hidden=True
    )
    rooms: tuple[Layer, ...] = layer_input(
        "Rooms and building elements that can be named",
        kind=("mesh", "instances"),
        theme=("space", "bim"),
        many=True,
        optional=True,
        hidden=True,
    )
    roads: tuple[Layer, ...] = layer_input("Roads", kind=("lines", "mesh"), theme="road", many=True, optional=True)
    links: tuple[Layer, ...] = layer_input(
        "Links between worlds", kind="lines", theme="link", many=True, optional=True, hidden=True
    )


@dataclass(frozen=True)
class ExitsInputs(Inputs):
    """What ways out are sought in."""

    networks: tuple[Layer, ...] = layer_input(
        "Walking networks (places and ways)", kind=("points", "lines"), theme="network", many=True, hidden=True
    )
    rooms: tuple[Layer, ...] = layer_input("Rooms", kind="mesh", theme="space", many=True, optional=True, hidden=True)
