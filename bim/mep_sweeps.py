"""What the file itself says of the form of a pipe: the way and the profile of its extrusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bim.attributes import attribute, members, number, related
from bim.georeference_entities import Matrix, placement_matrix

Floats = NDArray[np.float64]

DEPTH = 8  # of clippings within clippings


@dataclass(frozen=True)
class Sweep:
    """A straight extrusion.

    Attributes
    ----------
    direction : (3,) float64
        In model coordinates, of any length.
    diameter, width, height : float [m]
        NaN where the profile is of another sort.
    """

    direction: Floats
    diameter: float
    width: float
    height: float


def sweep_of(product: Any, metres_per_unit: float, known: dict[int, Matrix | None]) -> Sweep | None:
    """The one extrusion a product consists of, None for anything else.

    Parameters
    ----------
    known : dict
        Placements already worked out, by step id.
    """
    bodies = [
        one
        for one in members(related(product, "Representation"), "Representations")
        if attribute(one, "RepresentationIdentifier") in ("Body", None)
    ]
    items = members(bodies[0], "Items") if len(bodies) == 1 else ()
    solid = _extrusion(items[0]) if len(items) == 1 else None
    way = None if solid is None else attribute(related(solid, "ExtrudedDirection"), "DirectionRatios")
    place = placement_matrix(related(product, "ObjectPlacement"), known)
    if solid is None or place is None or not way or len(way) != 3:
        return None
    turn = _turn(related(solid, "Position"))
    if turn is None:
        return None
    turn = place[:3, :3] @ turn
    direction = turn @ np.array(way, dtype=np.float64)
    if not np.isfinite(direction).all() or float(np.linalg.norm(direction)) < 1e-9:
        return None
    return Sweep(direction, *_sizes(related(solid, "SweptArea"), turn, metres_per_unit))


def _extrusion(item: Any) -> Any:
    for _ in range(DEPTH):
        if item is None or item.is_a("IfcExtrudedAreaSolid"):
            return item
        item = related(item, "FirstOperand") if item.is_a("IfcBooleanResult") else None
    return None


def _turn(position: Any) -> Floats | None:
    """(3, 3) axes of the position of a solid."""
    if position is None:
        return np.eye(3)
    z, x = (attribute(related(position, name), "DirectionRatios") for name in ("Axis", "RefDirection"))
    up = _unit(np.array(z if z else (0.0, 0.0, 1.0), dtype=np.float64))
    first = np.array(x if x else (1.0, 0.0, 0.0), dtype=np.float64)
    if up is None or up.shape != (3,) or first.shape != (3,):
        return None
    right = _unit(first - (first @ up) * up)
    if right is None:
        right = _unit(np.cross(np.eye(3)[int(np.argmin(np.abs(up)))], up))
    return None if right is None else np.column_stack([right, np.cross(up, right), up])


def _unit(vector: Floats) -> Floats | None:
    size = float(np.linalg.norm(vector))
    return vector / size if np.isfinite(size) and size > 1e-12 else None


def _sizes(profile: Any, turn: Floats, metres: float) -> tuple[float, float, float]:
    """Diameter, or width and height, of a profile [m]."""
    if profile is None:
        return (np.nan,) * 3
    if profile.is_a("IfcCircleProfileDef"):
        return 2.0 * number(attribute(profile, "Radius"), np.nan) * metres, np.nan, np.nan
    if not profile.is_a("IfcRectangleProfileDef"):
        return (np.nan,) * 3
    x, y = (number(attribute(profile, name), np.nan) * metres for name in ("XDim", "YDim"))
    return (np.nan, x, y) if abs(turn[2, 1]) >= abs(turn[2, 0]) else (np.nan, y, x)
