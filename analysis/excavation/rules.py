"""Clearances, hand-dig zones and legal thresholds, from the rules data of the program."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from resources import load_json

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]


class Rules(NamedTuple):
    """What the check asks for.

    Attributes
    ----------
    edition : str
    clearance, hand_dig : dict of utility -> [m]
    unknown_diameter : float [m]
    errors : dict of depth quality -> (plan, depth) [m]
        One standard uncertainty where a pipe does not say its own.
    full, small : float [m]
        Depths from which a safety assessment is asked for.
    gas_notice : float [h]
    road_across, road_along : float [m]
    unverified : tuple of str
        What was not checked against its source.
    """

    edition: str
    clearance: dict[str, float]
    hand_dig: dict[str, float]
    unknown_diameter: float
    errors: dict[str, tuple[float, float]]
    full: float
    small: float
    gas_notice: float
    road_across: float
    road_along: float
    unverified: tuple[str, ...]

    def clearances(self, utility: Texts) -> Floats:
        """(k,) least distance of each utility [m]."""
        return _of(self.clearance, utility)

    def hand_digs(self, utility: Texts) -> Floats:
        """(k,) width dug by hand on each side of each utility [m]."""
        return _of(self.hand_dig, utility)


def _of(table: dict[str, float], utility: Texts) -> Floats:
    return np.array([table.get(str(name), table["other"]) for name in utility], dtype=np.float64)


def rules() -> Rules:
    """The rules as the program carries them."""
    data, depths = load_json("rules/utility.json"), load_json("utility/depth_rules.json")
    limits = data["thresholds"]
    unsure = [f"clearance {name}" for name, rule in _entries(data["clearance"]) if not rule["verified"]]
    unsure += [f"hand-dig zone {name}" for name, rule in _entries(data["hand_dig"]) if not rule["verified"]]
    unsure += [name for name, rule in limits.items() if not rule["verified"]]
    return Rules(
        str(data["edition"]),
        {name: float(rule["value"]) for name, rule in _entries(data["clearance"])},
        {name: float(rule["value"]) for name, rule in _entries(data["hand_dig"])},
        float(data["unknown_diameter"]["value"]),
        {name: (float(rule["plan"]), float(rule["depth"])) for name, rule in _entries(depths["errors"])},
        float(limits["full"]["value"]),
        float(limits["small"]["value"]),
        float(limits["gas_notice"]["value"]),
        float(limits["road_across"]["value"]),
        float(limits["road_along"]["value"]),
        tuple(unsure),
    )


def _entries(table: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(name, rule) for name, rule in table.items() if isinstance(rule, dict)]
