"""Repairs of a file's place: their stable names, and what each changes about how the file is read.

A repair changes the coordinate system the file is read in (see adjusted systems in `geo.crs`) or its heights
afterwards. Names can be chained with ``+``: ``degrees+swap-axes``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo import crs as coordinates
from geo.formats.contract import FileInfo
from geo.model import Frame, Geometry, Grid, Instances, Issue, Layer, Lines, Mesh, Points, UserError, Volume

PLAIN = ("swap-axes", "degrees", "metres", "far-origin", "height-ellipsoid")
WITH_VALUE = ("crs:EPSG:n", "utm-zone:n", "shift:east,north", "height-offset:metres")
SWAP: coordinates.Affine = (0.0, 1.0, 0.0, 1.0, 0.0, 0.0)
MILLI = 0.001
HEIGHT_LIMIT_M = 10_000.0
# Geoid grids by the names PROJ gives them: EGM2008 (2.5 minutes), EGM96 (15 minutes), as GeoTIFF and in the older form.
GEOID_GRIDS = ("us_nga_egm08_25.tif", "egm08_25.gtx", "us_nga_egm96_15.tif", "egm96_15.gtx")


@dataclass(frozen=True)
class Plan:
    """How to read a repaired file.

    Attributes
    ----------
    names : tuple of str
        The repairs, one by one.
    crs : str or None
        System to read it in; None leaves what the file says.
    height_scale : float
        Height of the file times this is metres.
    height_offset : float [m]
        Added to every height afterwards.
    """

    names: tuple[str, ...] = ()
    crs: str | None = None
    height_scale: float = 1.0
    height_offset: float = 0.0


def steps_of(names: Sequence[str]) -> tuple[str, ...]:
    """Single repairs in a list of names that may be chains. Raises `UserError` for an unknown one."""
    steps = tuple(step.strip() for name in names for step in name.split("+") if step.strip())
    for step in steps:
        _check(step)
    return steps


def _check(step: str) -> None:
    kind, _, value = step.partition(":")
    if kind == "crs" and value:
        coordinates.crs_of(value)
        return
    zone = value.rstrip("nsNS")
    numbers = _numbers(value)
    known = {
        "utm-zone": zone.isdigit() and len(value) - len(zone) <= 1 and 1 <= int(zone) <= 60,
        "shift": len(numbers) == 2,
        "height-offset": len(numbers) == 1 and abs(numbers[0]) < HEIGHT_LIMIT_M,
    }
    if step not in PLAIN and not known.get(kind, False):
        raise _unknown(step)


def _numbers(text: str) -> list[float]:
    try:
        found = [float(piece) for piece in text.split(",")]
    except ValueError:
        return []
    return found if all(map(math.isfinite, found)) else []


def _unknown(step: str) -> UserError:
    known = ", ".join((*PLAIN, *WITH_VALUE))
    return UserError(
        f"There is no repair '{step}'.",
        f"The repairs are: {known}.",
        "See which ones fit a file with 'twin info FILE'.",
        code="repair.unknown",
        values={"name": step, "known": known},
    )


def plan(names: Sequence[str], info: FileInfo, crs: str | None, frame: Frame | None) -> Plan:
    """What the named repairs mean for one file.

    Parameters
    ----------
    crs : str or None
        The system it would be read in without them.
    frame : Frame or None
        The project's; ``far-origin`` and ``shift`` need one.
    """
    steps = steps_of(names)
    if not steps:
        return Plan(crs=crs)
    base = _system(steps, crs, frame)
    adjusted = base
    for step in sorted(steps, key=lambda s: s in ("swap-axes", "metres")):
        # Exchange and unit concern the numbers as written, a shift the coordinates they stand for.
        if step == "far-origin":
            adjusted = _to_origin(steps, info, frame)
        elif step.startswith("shift:"):
            adjusted = _shifted(adjusted, step, frame)
        elif step == "swap-axes":
            adjusted = coordinates.adjusted(_needed(adjusted, step), SWAP)
        elif step == "metres":
            adjusted = coordinates.adjusted(_needed(adjusted, step), (MILLI, 0.0, 0.0, 0.0, MILLI, 0.0))
    has_heights = info.bounds is not None and info.bounds[5] > info.bounds[2]
    return Plan(
        steps,
        adjusted,
        MILLI if "metres" in steps and has_heights else 1.0,
        _height_offset(steps, info, adjusted),
    )


def _system(steps: Sequence[str], crs: str | None, frame: Frame | None) -> str | None:
    """The registered system the steps name, else the one the file would be read in."""
    for step in steps:
        kind, _, value = step.partition(":")
        if step == "degrees":
            return "EPSG:4326"
        if kind == "crs":
            return coordinates.canonical(value)
        if kind == "utm-zone":
            zone, south = int(value.rstrip("nsNS")), value[-1:] in "sS"
            south = south or (not value[-1:].isalpha() and frame is not None and frame.latitude < 0)
            return f"EPSG:{(32700 if south else 32600) + zone}"
    return crs


def joined(first: str, second: str) -> str:
    """Both repairs as one name; of two that choose a system the second counts."""
    chooses = ("crs:", "utm-zone:", "degrees")
    steps = [step for step in first.split("+") if not (second.startswith(chooses) and step.startswith(chooses))]
    return "+".join([*steps, second])


def _needed(crs: str | None, step: str) -> str:
    if crs is None:
        raise UserError(
            f"The repair '{step}' needs a coordinate system.",
            "The file does not name one, and exchanged or scaled coordinates must still be coordinates of something.",
            "Name it as well, for example --repair crs:EPSG:5186.",
            code="repair.needs_crs",
            values={"name": step},
        )
    return crs


def _to_origin(steps: Sequence[str], info: FileInfo, frame: Frame | None) -> str:
    """Local metres whose middle comes to the project's origin."""
    if frame is None or info.bounds is None:
        raise _needs_project("far-origin")
    scale = MILLI if "metres" in steps else 1.0
    x, y = scale * (info.bounds[0] + info.bounds[3]) / 2, scale * (info.bounds[1] + info.bounds[4]) / 2
    if "swap-axes" in steps:
        x, y = y, x
    east, north = round(frame.origin[0] - x, 3), round(frame.origin[1] - y, 3)
    return coordinates.adjusted(frame.crs, (1.0, 0.0, east, 0.0, 1.0, north))


def _shifted(crs: str | None, step: str, frame: Frame | None) -> str:
    """The system moved by metres of the project's system, taken at the project's origin."""
    crs = _needed(crs, step)
    if frame is None:
        raise _needs_project(step)
    east, north = frame.origin[:2]
    shift = _numbers(step.partition(":")[2])
    x, y = coordinates.transform([east, east + shift[0]], [north, north + shift[1]], frame.crs, crs)
    return coordinates.adjusted(crs, (1.0, 0.0, float(x[1] - x[0]), 0.0, 1.0, float(y[1] - y[0])))


def _needs_project(step: str) -> UserError:
    return UserError(
        f"The repair '{step}' needs a project that has a place already.",
        "It moves the file relative to the project, and the project is still empty.",
        "Import a file that lies in its true place first.",
        code="repair.needs_project",
        values={"name": step},
    )


def system_title(crs: str) -> str:
    """Name and code of a system for people."""
    base = coordinates.split_adjusted(crs)[0]
    name = coordinates.title(base)
    return f"{name} ({base})" if base.startswith("EPSG:") else name


def middle(info: FileInfo) -> tuple[float, float]:
    """Centre of the file's bounds in its own coordinates."""
    if info.bounds is None:
        return (0.0, 0.0)
    return (info.bounds[0] + info.bounds[3]) / 2, (info.bounds[1] + info.bounds[4]) / 2


def _height_offset(steps: Sequence[str], info: FileInfo, crs: str | None) -> float:
    total = sum(_numbers(step.partition(":")[2])[0] for step in steps if step.startswith("height-offset:"))
    if "height-ellipsoid" not in steps:
        return total
    x, y = middle(info)
    undulation = None
    if crs is not None:
        longitude, latitude = (float(v) for v in coordinates.to_lonlat(x, y, crs))
        undulation = geoid_undulation(longitude, latitude)
    if undulation is None:
        raise UserError(
            "The height of the geoid is not known to this program here.",
            "It takes it from a geoid grid of the PROJ library, and none for this place is installed.",
            "Give the difference yourself: --repair height-offset:-24.5 lowers everything by 24.5 m.",
            code="repair.no_geoid",
        )
    return total - undulation


def geoid_undulation(longitude: float, latitude: float) -> float | None:
    """Height of the geoid above the ellipsoid [m] from an installed PROJ grid; None without one for this place.

    Nothing is fetched from the network and nothing is approximated.
    """
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    for grid in GEOID_GRIDS:
        steps = ("unitconvert +xy_in=deg +xy_out=rad", f"vgridshift +grids={grid} +multiplier=1")
        try:
            shift = Transformer.from_pipeline("+proj=pipeline" + "".join(f" +step +proj={step}" for step in steps))
            height = float(shift.transform(longitude, latitude, 0.0)[2])
        except ProjError:
            continue  # the grid is not installed
        if math.isfinite(height):
            return height
    return None


def with_heights(layer: Layer, plan_: Plan) -> Layer:
    """The layer with heights scaled and moved as the plan says. Horizontal repairs are done in reading."""
    if (plan_.height_scale, plan_.height_offset) == (1.0, 0.0) or layer.geometry is None:
        return layer
    geometry = moved_height(layer.geometry, plan_.height_scale, plan_.height_offset, is_terrain=layer.kind == "terrain")
    return layer.with_(geometry=geometry)


def moved_height(geometry: Geometry, scale: float, offset: float, *, is_terrain: bool = False) -> Geometry:
    """Any geometry with z' = scale z + offset [local m]."""
    if isinstance(geometry, Mesh | Lines | Points):
        vertices = geometry.vertices * (1.0, 1.0, scale) + (0.0, 0.0, offset)
        return dataclasses.replace(geometry, vertices=vertices)
    if isinstance(geometry, Instances):
        transform = np.array(geometry.transform)
        transform[:, 2, 3] = transform[:, 2, 3] * scale + offset
        return dataclasses.replace(geometry, transform=transform)
    if isinstance(geometry, Grid):
        if is_terrain:
            return dataclasses.replace(geometry, values=geometry.values * scale + offset)
        return dataclasses.replace(geometry, z=geometry.z * scale + offset)
    if isinstance(geometry, Volume):
        z0, cell_z = geometry.z0 * scale + offset, geometry.cell_z * scale
        return dataclasses.replace(geometry, z0=z0, cell_z=cell_z)
    return geometry


def repaired_note(plan_: Plan) -> Issue:
    """What stays with a layer that was repaired."""
    names = ", ".join(plan_.names)
    return Issue("doctor.repaired", f"Repaired while reading: {names}.", "note", values={"repairs": names})
