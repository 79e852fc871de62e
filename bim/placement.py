"""Set a BIM model into the city: by map coordinates, by latitude and longitude, by hand, or marked as unplaced."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bim.georeference import FAR_HEIGHT, LARGE_COORDINATE, NEAR_FRAME, Georeference, distance, ground_at
from geo.formats.placed import PlacedOptions
from geo.model import Frame, Grid, Issue, UserError
from geo.pose import Pose, pose_note

Box = tuple[NDArray[np.float64], NDArray[np.float64]]
Point = tuple[float, float, float]


class IfcOptions(PlacedOptions):
    """Options of the IFC reader.

    Attributes
    ----------
    placement : {"auto", "file", "scene"}
        auto: the file's place if it has one near the scene, else the middle of the scene. file: the file's place
        however far. scene: the middle of the scene whatever the file says.
    spaces : bool
        Read rooms as a layer of their own.
    network : bool
        Make the walking network of the rooms.
    mep_network : bool
        Make the network of pipes, ducts and cables.
    at_height : float or None [m]
        Height of the model's zero level; the terrain, else 0, if not given.
    rotation_deg : float or None
        Clockwise turn of the model seen from above: grid azimuth of the model's y axis [degrees].
    """

    placement: Literal["auto", "file", "scene"] = "auto"
    spaces: bool = True
    network: bool = True
    mep_network: bool = True
    at_height: float | None = Field(default=None, allow_inf_nan=False)
    rotation_deg: float | None = Field(default=None, allow_inf_nan=False)


def place(
    found: Georeference,
    frame: Frame,
    options: IfcOptions,
    *,
    terrain: Grid | None = None,
    box: Box | None = None,
) -> Georeference:
    """The georeference to use in a frame: always one with a CRS, with a note of the pose it gives the model.

    Parameters
    ----------
    box : lowest and highest corner of the model [model m]
    """
    placed = _decided(found, frame, options, terrain=terrain, box=box)
    note = pose_note(pose_in(placed, frame), level=found.level, source=found.source)
    return dataclasses.replace(placed, issues=(*placed.issues, note))


def pose_in(placed: Georeference, frame: Frame) -> Pose:
    """Place and turn of the model's own zero point in the frame's CRS."""
    zero, along_y = placed.to_frame(np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), frame)
    azimuth = math.degrees(math.atan2(along_y[0] - zero[0], along_y[1] - zero[1])) % 360.0
    east, north, height = (float(value) for value in frame.to_map(zero))
    return Pose(east, north, height, azimuth)


def _decided(
    found: Georeference, frame: Frame, options: IfcOptions, *, terrain: Grid | None, box: Box | None
) -> Georeference:
    if options.at_east is not None and options.at_north is not None:
        return _by_hand(found, frame, options, terrain)
    if options.placement != "scene":
        if found.is_on_map:
            return found
        if found.site is not None and found.level == 20:
            away = distance(found.site.longitude, found.site.latitude, frame.longitude, frame.latitude)
            if options.placement == "file" or away <= NEAR_FRAME:
                return _by_latitude(found, frame, terrain)
    if options.placement == "file":
        raise UserError(
            "The model does not say where it stands.",
            "It has neither map coordinates in a named system nor latitude and longitude.",
            "Import it with --set placement=scene, or place it with --set at_east=... --set at_north=...",
            code="ifc.no_place",
        )
    return _in_the_middle(found, frame, options, terrain, box)


def _turned(abscissa: float, ordinate: float, **changes: object) -> dict[str, object]:
    return {
        "x_axis_abscissa": abscissa,
        "x_axis_ordinate": ordinate,
        "scale": (1.0, 1.0, 1.0),
        "before": np.eye(4),
        **changes,
    }


def _on_ground(frame: Frame, terrain: Grid | None, east: float, north: float) -> float | None:
    return ground_at(terrain, east - frame.origin[0], north - frame.origin[1])


def _by_hand(found: Georeference, frame: Frame, options: IfcOptions, terrain: Grid | None) -> Georeference:
    east, north = float(options.at_east or 0.0), float(options.at_north or 0.0)
    height = options.at_height
    if height is None:
        height = _on_ground(frame, terrain, east, north) or 0.0
    turn = math.radians(-(options.rotation_deg or 0.0))
    place = _turned(math.cos(turn), math.sin(turn), crs=frame.crs, eastings=east, northings=north, height=height)
    issue = Issue(
        "ifc.placed_by_hand",
        f"The model was placed by hand at E {east:.2f}, N {north:.2f}, height {height:.2f} m.",
        values={"east": f"{east:.2f}", "north": f"{north:.2f}", "height": f"{height:.2f}"},
    )
    placed: Georeference = dataclasses.replace(found, source="placed by hand", anchor=(0.0, 0.0, 0.0), **place)  # type: ignore[arg-type]
    return dataclasses.replace(placed, issues=found.issues + (issue,))


def _north_turn(found: Georeference, frame: Frame, east: float, north: float) -> tuple[float, float]:
    """Direction of the model's x axis on the grid, from true north and the convergence at the place."""
    from geo.crs import grid_convergence_at

    if found.true_north is None:
        return found.x_axis_abscissa, found.x_axis_ordinate
    gamma = math.radians(grid_convergence_at(frame, east - frame.origin[0], north - frame.origin[1]))
    # True north on the grid is the direction (east, north) = (-sin g, cos g).
    turn = math.atan2(math.cos(gamma), -math.sin(gamma)) - math.atan2(found.true_north[1], found.true_north[0])
    return math.cos(turn), math.sin(turn)


def _by_latitude(found: Georeference, frame: Frame, terrain: Grid | None) -> Georeference:
    from geo.crs import transform

    site = found.site
    if site is None:
        return found
    east, north = (float(v) for v in transform(site.longitude, site.latitude, "EPSG:4326", frame.crs))
    ground = _on_ground(frame, terrain, east, north)
    # An elevation of exactly zero is what programs write when nobody entered one.
    height = site.elevation if site.elevation else (ground if ground is not None else 0.0)
    issue = Issue(
        "ifc.placed_by_latlong",
        f"The model is placed by latitude and longitude only (E {east:.0f}, N {north:.0f}, height {height:.1f} m): "
        "31 m off when they are rounded to seconds.",
        severity="doubt",
        values={"east": f"{east:.0f}", "north": f"{north:.0f}", "height": f"{height:.1f}"},
    )
    abscissa, ordinate = _north_turn(found, frame, east, north)
    place = _turned(abscissa, ordinate, crs=frame.crs, eastings=east, northings=north, height=height)
    placed: Georeference = dataclasses.replace(found, anchor=site.anchor, **place)  # type: ignore[arg-type]
    return dataclasses.replace(placed, issues=found.issues + (issue,))


def _in_the_middle(
    found: Georeference, frame: Frame, options: IfcOptions, terrain: Grid | None, box: Box | None
) -> Georeference:
    """The model's zero point at the frame's origin, on the ground; marked."""
    east, north = frame.origin[0], frame.origin[1]
    ground = _on_ground(frame, terrain, east, north) or 0.0
    if options.rotation_deg is not None:
        turn = math.radians(-options.rotation_deg)
        abscissa, ordinate = math.cos(turn), math.sin(turn)
    else:
        abscissa, ordinate = _north_turn(found, frame, east, north)
    height = ground if options.at_height is None else options.at_height
    place = _turned(
        abscissa, ordinate, crs=frame.crs, eastings=east, northings=north, height=height, anchor=_anchor(box)
    )
    placed: Georeference = dataclasses.replace(found, **place)  # type: ignore[arg-type]
    return dataclasses.replace(placed, issues=found.issues + (_unplaced(found, frame),))


def _anchor(box: Box | None) -> Point:
    """The model's zero point, or the middle of its base where the model lies far from its zero point."""
    if box is None:
        return (0.0, 0.0, 0.0)
    low, high = box
    middle = (low + high) / 2
    far = math.hypot(float(middle[0]), float(middle[1])) > LARGE_COORDINATE
    base = float(low[2]) if low[2] > FAR_HEIGHT or high[2] < -FAR_HEIGHT else 0.0
    return (float(middle[0]), float(middle[1]), base) if far else (0.0, 0.0, base)


def _unplaced(found: Georeference, frame: Frame) -> Issue:
    message = "The model does not say where it stands; it is put in the middle of the scene and must be placed by hand."
    values: dict[str, object] = {"distance": "-"}
    if found.is_on_map:
        message = "The model is put in the middle of the scene, not where the file says."
    elif found.site is not None:
        away = distance(found.site.longitude, found.site.latitude, frame.longitude, frame.latitude) / 1000
        values["distance"] = f"{away:.0f} km"
        message = (
            f"The model's latitude and longitude lie {away:.0f} km from the scene; it is put in the middle of the "
            "scene and must be placed by hand."
        )
    code = "ifc.moved_to_scene" if found.is_on_map else "ifc.not_georeferenced"
    return Issue(code, message, severity="doubt", values=values)
