"""What the underground of the sample consists of: kinds of pipe with their lane, depth and size, pipes and nodes.

Every kind has a depth of its own below the ground, so that pipes that cross pass over and under one another with the
clearance that the rules ask for; sewers and the utility tunnel lie below all others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Cell = str | float | None  # of a register


@dataclass(frozen=True)
class Kind:
    """A kind of pipe.

    Attributes
    ----------
    utility : str
    prefix : str
        First letters of its ids.
    lane : float
        Place across the carriageway: -1 left kerb, 0 middle, 1 right kerb.
    cover : float [m]
        From the ground to the top of a main; of sewers the least.
    sizes : mapping of str -> float [m]
        Diameter by kind of street.
    service : float [m]
        Diameter of connections to buildings; 0 for none.
    materials : tuple of str
        Korean names, the likelier first.
    owner : str
    """

    utility: str
    prefix: str
    lane: float
    cover: float
    sizes: dict[str, float]
    service: float
    materials: tuple[str, ...]
    owner: str


KINDS = {
    kind.utility: kind
    for kind in (
        Kind("telecom", "TK", -0.88, 1.05, {"ring": 0.1, "collector": 0.1, "local": 0.1, "lane": 0.1}, 0.05,
             ("PVC관", "PE관"), "합강통신"),
        Kind("power", "EB", -0.64, 1.20, {"ring": 0.175, "collector": 0.175, "local": 0.15, "lane": 0.125}, 0.1,
             ("PE관",), "합강전력지사"),
        Kind("gas", "GP", -0.36, 2.15, {"ring": 0.2, "collector": 0.2, "local": 0.15, "lane": 0.1}, 0.05,
             ("PE관", "강관"), "합강도시가스"),
        Kind("sewage", "SW", -0.08, 0.0, {}, 0.15, ("PVC관", "흄관"), "세종시 하수과 (표본)"),
        Kind("storm", "SR", 0.20, 2.80, {}, 0.0, ("흄관",), "세종시 하수과 (표본)"),
        Kind("waste", "AC", 0.44, 3.15, {"ring": 0.5, "collector": 0.5, "local": 0.5}, 0.0, ("강관",),
             "합강자동집하시설"),
        Kind("heat", "HP", 0.66, 2.75, {"ring": 0.3, "collector": 0.3, "local": 0.2}, 0.1, ("강관",),
             "합강지역난방"),
        Kind("water", "WP", 0.88, 1.45, {"ring": 0.3, "collector": 0.3, "local": 0.2, "lane": 0.1}, 0.05,
             ("덕타일주철관", "PE관"), "세종시 상하수도사업소 (표본)"),
        Kind("tunnel", "CT", -0.2, 3.90, {"collector": 0.0}, 0.0, ("철근콘크리트",), "세종시 시설관리공단 (표본)"),
    )
}  # fmt: skip
TUNNEL_SIZE = (3.4, 3.0)  # [m] inner width and height of the utility tunnel
TUNNEL_WALL = 0.3  # [m]
# What runs inside the tunnel: utility, diameter [m], metres right of its middle, metres below its ceiling (inside).
TUNNEL_CONTENT = (
    ("water", 0.4, 1.2, 1.9), ("heat", 0.35, 1.2, 0.5), ("power", 0.15, -1.3, 0.5), ("power", 0.15, -1.3, 0.9),
    ("telecom", 0.1, -1.3, 1.5), ("telecom", 0.1, -1.3, 1.8),
)  # fmt: skip


@dataclass
class Pipe:
    """A pipe as map and register will show it.

    Attributes
    ----------
    points : (n, 2) float [m]
        Axis in plan.
    covers : (first, last) [m], or None
        As the register will say.
    inverts : (first, last) [m], or None
    role : str
        ``main``, ``service``, ``outfall``, ``tunnel`` or ``content`` (of the tunnel).
    surveyed : bool
    listed : bool
        Whether the register has a row for it.
    street : str
    width : float [m]
        Of the street, 0 outside.
    """

    id: str
    utility: str
    points: Floats
    diameter: float
    material: str
    owner: str
    installed: str
    covers: tuple[float, float] | None = None
    inverts: tuple[float, float] | None = None
    role: str = "main"
    surveyed: bool = True
    listed: bool = True
    street: str = ""
    width: float = 0.0
    said: dict[str, Cell] = field(default_factory=dict)  # register cells that a planted error puts there


@dataclass(frozen=True)
class Node:
    """A manhole, valve, hydrant ...; `kind` is the word of the model, `depth` from the ground [m]."""

    id: str
    utility: str
    kind: str
    point: tuple[float, float]
    depth: float | None = None
    invert: float | None = None
    ground: float | None = None


@dataclass
class Underground:
    """All pipes and nodes."""

    pipes: list[Pipe] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    planted: list[dict[str, str]] = field(default_factory=list)
    _count: dict[str, int] = field(default_factory=dict)

    def name(self, prefix: str) -> str:
        """The next id with this beginning."""
        self._count[prefix] = self._count.get(prefix, 0) + 1
        return f"{prefix}{self._count[prefix]:06d}"
