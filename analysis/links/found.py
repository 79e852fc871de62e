"""Links as they are found, and the rules that test them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resources import load_json

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Link:
    """One joint, or the place where one is missing.

    Attributes
    ----------
    link : str
        One of ``geo.model.conventions.LINKS``.
    from_layer, from_id, to_layer, to_id : str
    line : (n, 3) float64 [local m]
        From one end to the other.
    gap : float [m]
        Between the two things.
    rule : str
        Id of the rule that decided.
    broken : bool
    why : str
        What is wrong, as an id of a text.
    """

    link: str
    from_layer: str
    from_id: str
    to_layer: str
    to_id: str
    line: Floats
    gap: float
    rule: str
    broken: bool = False
    why: str = ""


@dataclass
class Links:
    """Links as they come in."""

    items: list[Link] = field(default_factory=list)
    balconies: int = 0

    def in_order(self) -> list[Link]:
        """The same links for the same data, whatever the order in which they were found."""
        return sorted(self.items, key=lambda x: (x.link, x.from_layer, x.from_id, x.to_layer, x.to_id))


@cache
def rules() -> dict[str, Any]:
    """The rules data of the program."""
    data: dict[str, Any] = load_json("rules/links.json")
    return data


def limit(name: str) -> float:
    """A length of the rules [m]."""
    return float(rules()[name]["value"])
