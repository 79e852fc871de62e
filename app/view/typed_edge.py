"""Headless. What is typed while one draws: the length of the next edge, its angle, or both: ``12.5``, ``12.5<90``."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.massing_snap import at_length

Vector = NDArray[np.float64]
DIGITS = "0123456789"
BETWEEN = "<"  # length before, angle behind, as in other drawing programs
MOST_DIGITS = 8  # of each number
SHORTEST = 1e-6  # [m]


@dataclass(frozen=True)
class TypedEdge:
    """Length [m] and angle [deg], counter-clockwise from east; None where it is not typed."""

    length: float | None = None
    angle: float | None = None

    def end(self, start: Vector, toward: Vector) -> Vector:
        """(3,) where an edge from a point ends that is drawn toward another [local m]."""
        if self.angle is None:
            found = at_length(start, toward, self.length) if self.length is not None else None
            return toward if found is None else found
        way = np.array([math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))])
        away = self.length if self.length is not None else float((toward[:2] - start[:2]) @ way)
        return np.array([*(start[:2] + max(away, SHORTEST) * way), start[2]])


def typed_edge(text: str) -> TypedEdge:
    """What a text says so far."""
    length, _, angle = text.partition(BETWEEN)
    value = _number(length)
    return TypedEdge(value if value is not None and value > 0.0 else None, _number(angle))


def longer(text: str, sign: str) -> str:
    """The text with one sign more, or unchanged where the sign makes no sense there."""
    sign = "." if sign == "," else sign
    part = text.rpartition(BETWEEN)[2]
    if sign == BETWEEN:
        return text + sign if BETWEEN not in text else text
    if sign == "-":
        return text + sign if text.endswith(BETWEEN) else text
    if len(part) >= MOST_DIGITS or (sign == "." and "." in part):
        return text
    return text + sign


def is_sign(text: str) -> bool:
    """Whether a key writes a part of an edge."""
    return len(text) == 1 and text in f"{DIGITS}.,-{BETWEEN}"


def typed_text(text: str) -> str:
    """As it is shown beside the drawing: what is typed in brackets."""
    length, between, angle = text.partition(BETWEEN)
    said = f"[{length}] m" if length or not between else ""
    return f"{said} ∠ [{angle}]°".strip() if between else said


def plan_angle(start: Vector, end: Vector) -> float:
    """Angle of an edge in plan [deg], 0 to 360, counter-clockwise from east."""
    east, north = (end - start)[:2]
    return math.degrees(math.atan2(float(north), float(east))) % 360.0


def _number(text: str) -> float | None:
    return float(text) if text.strip("-.") else None
