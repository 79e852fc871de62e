"""Where a mesh without a coordinate system goes: as the user says, on the map, or at the middle of the project."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field as Setting

from geo import crs as coordinates
from geo.formats.placed import ModelOptions
from geo.model import Frame, Grid, Issue
from geo.terrain import ground_or_nearest

Floats = NDArray[np.float64]
Box = tuple[Floats, Floats]
NEAR_M = 50_000.0  # coordinates this near the project's origin are taken for map coordinates
FAR_FROM_ORIGIN_M = 10_000.0  # a model farther from its own zero point was not drawn around it


class MeshOptions(ModelOptions):
    """Where and how a mesh stands.

    Attributes
    ----------
    up : {"auto", "y", "z"}
        Axis that points up. auto: y in glTF, z in the others.
    """

    up: Literal["auto", "y", "z"] = Setting("auto", title="Axis that points up")


Placing = Callable[[Floats], Floats]


def turned(points: Floats, rotation_deg: float, about: Floats | None = None) -> Floats:
    """Points (n, 3) turned clockwise seen from above, about the zero point or another."""
    if rotation_deg == 0.0:
        return points
    turn = math.radians(-rotation_deg)
    matrix = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    centre = np.zeros(2) if about is None else about[:2]
    return np.column_stack([(points[:, :2] - centre) @ matrix.T + centre, points[:, 2]])


def placing(
    box: Box, frame: Frame, options: MeshOptions, *, crs: str | None = None, terrain: Grid | None = None
) -> tuple[Placing, list[Issue]]:
    """How points of the file (z up, metres) become local metres of the frame, and what is to be said about it.

    Parameters
    ----------
    box : (low (3,), high (3,))
        Extent of the points.
    crs : str or None
        Coordinate system the user named: the numbers are then map coordinates in it.
    """
    low, high = box
    middle = (low + high) / 2
    if options.at_east is not None and options.at_north is not None:
        return _by_hand(frame, options, terrain)
    if crs is not None:
        return (lambda points: coordinates.to_local(turned(points, options.rotation_deg, middle), crs, frame)), []
    away = float(np.hypot(middle[0] - frame.origin[0], middle[1] - frame.origin[1]))
    zero_is_far = math.hypot(frame.origin[0], frame.origin[1]) > 2 * NEAR_M
    if options.placement == "map" or (options.placement == "auto" and away < NEAR_M and zero_is_far):
        message = "The file names no coordinate system; its numbers were taken for map coordinates of the project."
        note = Issue("mesh.taken_as_map", message, "note", values={"crs": frame.crs})
        return (lambda points: frame.to_local(turned(points, options.rotation_deg, middle))), [note]
    return _at_origin(box, options, terrain)


def _by_hand(frame: Frame, options: MeshOptions, terrain: Grid | None) -> tuple[Placing, list[Issue]]:
    east, north = float(options.at_east or 0.0), float(options.at_north or 0.0)
    x, y = east - frame.origin[0], north - frame.origin[1]
    z = _height(options, terrain, x, y)
    message = f"The model was placed by hand at E {east:.2f}, N {north:.2f}, height {z:.2f} m."
    values = {"east": f"{east:.2f}", "north": f"{north:.2f}", "height": f"{z:.2f}"}
    shift = np.array([x, y, z - frame.origin[2]])
    note = Issue("mesh.placed_by_hand", message, "note", values=values)
    return (lambda points: turned(points, options.rotation_deg) + shift), [note]


def _at_origin(box: Box, options: MeshOptions, terrain: Grid | None) -> tuple[Placing, list[Issue]]:
    low, high = box
    anchor = np.zeros(3)
    middle = (low + high) / 2
    if np.hypot(middle[0], middle[1]) > FAR_FROM_ORIGIN_M:
        anchor = np.array([middle[0], middle[1], low[2]])
    z = _height(options, terrain, 0.0, 0.0)
    message = (
        "The file does not say where on Earth it lies. "
        f"It stands at the middle of the project, at a height of {z:.2f} m."
    )
    doubt = Issue("mesh.not_georeferenced", message, "doubt", values={"height": f"{z:.2f}"})
    shift = np.array([0.0, 0.0, z])
    return (lambda points: turned(points - anchor, options.rotation_deg) + shift), [doubt]


def _height(options: MeshOptions, terrain: Grid | None, x: float, y: float) -> float:
    """Height of the zero level: as said, else the ground there, else 0 [m]."""
    if options.at_height is not None:
        return options.at_height
    height, _ = ground_or_nearest(terrain, np.array([x]), np.array([y]))
    return float(height[0])
