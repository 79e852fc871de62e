"""Speeds and limits of walking, from the rules data of the program; each with its source and whether it is sure."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from resources import load_json

ProfileName = Literal["walk", "wheelchair", "evacuation"]


class Profile(NamedTuple):
    """How somebody moves; a speed of None means not at all.

    Attributes
    ----------
    level, ramp_up, ramp_down : float [m/s]
        Along the way.
    stair_up, stair_down : float or None [m/s]
        Horizontal.
    escalator : float or None [m/s]
    lift : bool
    door_width : float [m]
        Narrowest door, 0 for any.
    slope : float
        Steepest ramp, infinite for any.
    """

    name: str
    level: float
    stair_up: float | None
    stair_down: float | None
    ramp_up: float
    ramp_down: float
    escalator: float | None
    lift: bool
    door_width: float
    slope: float


class Rules(NamedTuple):
    """Everything that is not a matter of the profile.

    Attributes
    ----------
    going : float
        Horizontal way of a stair per metre of rise, at least.
    waiting, doors, lift_speed : float [s], [s], [m/s]
    walking_distance : float [m]
    edition : str
    unverified : tuple of str
        Titles whose source is not sure.
    """

    profiles: dict[str, Profile]
    going: float
    waiting: float
    doors: float
    lift_speed: float
    walking_distance: float
    edition: str
    unverified: tuple[str, ...]


def rules() -> Rules:
    """The rules as the program carries them."""
    data = load_json("rules/indoor.json")
    lift = data["lift"]
    return Rules(
        {name: _profile(name, entry, data["wheelchair"]) for name, entry in data["profiles"].items()},
        float(data["stair"]["going"]["value"]),
        float(lift["waiting"]["value"]),
        float(lift["doors"]["value"]),
        float(lift["speed"]["value"]),
        float(data["evacuation"]["walking_distance"]["value"]),
        str(data["edition"]),
        tuple(_unverified(data)),
    )


def _profile(name: str, entry: dict[str, Any], limits: dict[str, Any]) -> Profile:
    wheels = name == "wheelchair"
    return Profile(
        name,
        float(entry["level"]),
        entry["stair_up"],
        entry["stair_down"],
        float(entry["ramp_up"]),
        float(entry["ramp_down"]),
        entry["escalator"],
        bool(entry["lift"]),
        float(limits["door_width"]["value"]) if wheels else 0.0,
        float(limits["slope"]["value"]) if wheels else float("inf"),
    )


def _unverified(data: dict[str, Any]) -> list[str]:
    groups = [data["wheelchair"], data["evacuation"], data["stair"], data["lift"], data["profiles"]]
    return [str(entry["title"]) for group in groups for entry in group.values() if not entry["verified"]]
