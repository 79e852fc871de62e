"""Headless. A dispersion case as a folder: what stands in the tunnel, where dust is let out, and what was measured.

``fixture.json`` holds the inflow, ``geometry.glb`` the blocks (glTF axes), ``concentration.json`` the source and the
measured values.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind.profile import Inflow, log_inflow, power_inflow, table_inflow
from app.cases.wind_aij import SMOOTH, smooth_floor
from app.cases.wind_markers import without_markers
from app.cases.wind_tunnels import RoofHeights, mesh_roofs
from geo.model import UserError

Floats = NDArray[np.float64]

CONCENTRATION, FIXTURE, GEOMETRY = "concentration.json", "fixture.json", "geometry.glb"
LARGEST = 50_000_000  # [bytes]
MILLIMETRES = 1e-3
LOWEST_BLOCK = 0.05  # of H; what is lower is floor
FLOOR_HEIGHT = 0.1  # of H, where the speed tells how rough a smooth floor is
FARTHEST, NEAREST = 1000.0, 0.05  # of H: positions reach less far than the one and farther than the other
HIGHEST, FLATTEST = 50.0, 0.02  # roofs over H
SPEEDS = (0.05, 60.0)  # [m/s]
SPEED_RATIOS = (0.5, 2.0)  # speed of the inflow at H over the one stated
AXES = (("x", "x_mm", "xMm"), ("y", "y_mm", "yMm"), ("z", "z_mm", "zMm"), ("chi", "χ", "k", "c", "concentration"))


class Plume(NamedTuple):
    """A case, checked.

    Attributes
    ----------
    name : str
    height : float [m]
        H, in the lengths of the drawing.
    speed : float [m/s]
        Stated at H.
    inflow : Inflow
    scale : float
        Lengths of the drawing over those of the model.
    floor : float [m]
        z0 of the floor.
    source : (3,) float [m]
        In the axes of the drawing, as the points.
    points : (n, 3) float [m]
    observed : (n,) float
        ``C U H^2 / Q``; NaN where nothing was measured.
    low, high : (2,) float [m]
        Of the blocks; both the source's place where there are none.
    highest : float [m]
        Roof, or H where there are no blocks.
    roofs : callable
    notes : tuple of str
        What was taken where the files leave a choice.
    """

    name: str
    height: float
    speed: float
    inflow: Inflow
    scale: float
    floor: float
    source: Floats
    points: Floats
    observed: Floats
    low: Floats
    high: Floats
    highest: float
    roofs: RoofHeights
    notes: tuple[str, ...]

    @property
    def wall(self) -> float:
        """z0 of smooth walls [m]."""
        return SMOOTH * self.scale


class _Measured(NamedTuple):
    """``concentration.json`` in metres of the model, positions from the upwind edge and the centre line."""

    case: str
    height: float
    speed: float
    source: Floats
    rows: Floats
    wind_from: float | None


def read_plume(path: Path) -> Plume:
    """The case of a folder, or of its ``concentration.json``. Raises `UserError` that says what is wrong and where."""
    folder = path if path.is_dir() else path.parent
    measured = _measured(_json(folder, CONCENTRATION))
    fixture = _json(folder, FIXTURE)
    notes: list[str] = []
    scale = _number(_part(fixture, "coordinates", {}), "modelScale", FIXTURE, default=1.0)
    wind_from = _direction(fixture, measured, notes)
    height = measured.height * scale
    inflow, floor = _inflow(fixture, measured, wind_from, scale)
    vertices, faces = _mesh(folder / str(_part(fixture, "geometry", {}).get("convertedFile", GEOMETRY)))
    probes = _probe_height(fixture)
    if probes > 0.0:
        faces, _ = without_markers(vertices, faces, probe_height=probes)
    blocks = vertices[faces][vertices[faces][:, :, 2].max(axis=1) > LOWEST_BLOCK * height]
    place = _Place.of(blocks[:, :, :2].reshape(-1, 2), wind_from)
    source = place.drawn(measured.source[None] * scale)[0]
    points = place.drawn(measured.rows[:, :3] * scale)
    highest = float(blocks[:, :, 2].max()) if len(blocks) else height
    _check_size(highest / height)
    _check_speed(inflow, measured.speed, height)
    known = blocks[:, :, :2].reshape(-1, 2) if len(blocks) else source[None, :2]
    plume = Plume(
        measured.case, height, measured.speed, inflow, scale, floor, source, points, measured.rows[:, 3],
        known.min(axis=0), known.max(axis=0), highest, mesh_roofs(vertices, faces, least=LOWEST_BLOCK * height),
        (*notes, *_doubts(measured, fixture, len(blocks))),
    )  # fmt: skip
    if in_block(plume, source):
        raise damaged(f"{CONCENTRATION}: the source lies inside a block")
    return plume


def in_block(plume: Plume, place: Floats) -> bool:
    """Whether a place lies inside a block, farther than a fiftieth of H from its walls and roof."""
    reach = 0.02 * plume.height
    x, y = place[0] + reach * np.array([-1.0, 0.0, 1.0]), place[1] + reach * np.array([-1.0, 0.0, 1.0])
    return bool((plume.roofs(x, y) > place[2] + reach).all())


class _Place(NamedTuple):
    """Upwind edge and centre line of the blocks: origin (2,) and the unit vector the wind blows along (2,)."""

    origin: Floats
    along: Floats

    @staticmethod
    def of(corners: Floats, wind_from: float) -> _Place:
        """Of the corners (n, 2) of the blocks; about the drawing's origin where there are none."""
        angle_rad = math.radians(270.0 - wind_from)
        along = np.round([math.cos(angle_rad), math.sin(angle_rad)], 12)
        if len(corners) == 0:
            return _Place(np.zeros(2), along)
        across = np.array([-along[1], along[0]])
        middle = ((corners @ across).min() + (corners @ across).max()) / 2
        return _Place((corners @ along).min() * along + middle * across, along)

    def drawn(self, places: Floats) -> Floats:
        """Positions (n, 3) along and across the wind, in the axes of the drawing."""
        across = np.array([-self.along[1], self.along[0]])
        plan = self.origin + places[:, :1] * self.along + places[:, 1:2] * across
        return np.column_stack([plan, places[:, 2]])


def _measured(data: Mapping[str, Any]) -> _Measured:
    height = _number(data, "H", CONCENTRATION)
    speed = _number(data, "uRef", CONCENTRATION)
    if not SPEEDS[0] <= speed <= SPEEDS[1]:
        raise damaged(f"{CONCENTRATION}: uRef is {speed:g} m/s, which no wind tunnel blows")
    source = _row(data.get("source_xyz_mm"), 3, "source_xyz_mm")
    if not np.isfinite(source).all():
        raise damaged(f"{CONCENTRATION}: source_xyz_mm is no place")
    given = data.get("rows")
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) == 0:
        raise damaged(f"{CONCENTRATION} has no rows")
    rows = np.array([_row(row, 4, f"row {number}") for number, row in enumerate(given, 1)])
    bad = np.flatnonzero(~np.isfinite(rows[:, :3]).all(axis=1))
    if len(bad):
        raise damaged(f"{CONCENTRATION}: row {bad[0] + 1} is no place")
    places = MILLIMETRES * np.vstack([rows[:, :3], source])
    _check_places(places, height)
    if not (np.isfinite(rows[:, 3]).sum() >= 2 and np.nanmax(rows[:, 3]) > 0.0):
        raise damaged(f"{CONCENTRATION}: fewer than two rows have a value, or none is above zero")
    wind = data.get("windFromDegrees")
    angle = None if wind is None else _number(data, "windFromDegrees", CONCENTRATION, positive=False)
    return _Measured(
        str(data.get("caseId", "")), height, speed, places[-1], np.column_stack([places[:-1], rows[:, 3]]), angle
    )


def _row(row: object, count: int, name: str) -> Floats:
    """Numbers of a row: a list, or an object with names; a value of null is none."""
    if isinstance(row, Mapping):
        row = [next((row[key] for key in keys if key in row), None) for keys in AXES[:count]]
    if not isinstance(row, Sequence) or isinstance(row, str) or len(row) < count:
        raise damaged(f"{CONCENTRATION}: {name} does not have {count} numbers")
    try:
        return np.array([math.nan if value is None else float(value) for value in row[:count]])
    except (TypeError, ValueError) as error:
        raise damaged(f"{CONCENTRATION}: {name} does not have {count} numbers") from error


def _check_places(places: Floats, height: float) -> None:
    """Millimetres and metres confused, places below the floor."""
    reach = float(np.abs(places).max())
    if not NEAREST * height <= reach <= FARTHEST * height:
        raise damaged(
            f"{CONCENTRATION}: places reach {reach:.3g} m and H is {height:.3g} m; places are in mm and H in m"
        )
    lowest = float(places[:, 2].min())
    if lowest < -1e-3 * height:
        raise damaged(f"{CONCENTRATION}: a place lies {-lowest:.3g} m below the floor")


def _check_size(ratio: float) -> None:
    if not FLATTEST <= ratio <= HIGHEST:
        raise damaged(f"the highest roof of {GEOMETRY} is {ratio:.3g} times H; they are not in the same unit")


def _check_speed(inflow: Inflow, speed: float, height: float) -> None:
    ratio = float(inflow.speed(np.array([height]))[0]) / speed
    if not SPEED_RATIOS[0] <= ratio <= SPEED_RATIOS[1]:
        raise damaged(f"the inflow of {FIXTURE} blows at H with {ratio:.3g} times uRef of {CONCENTRATION}")


def _direction(fixture: Mapping[str, Any], measured: _Measured, notes: list[str]) -> float:
    """Where the wind comes from, clockwise from the drawing's y axis [degrees]."""
    entries = fixture.get("directions") or []
    if measured.wind_from is not None:
        return measured.wind_from
    if not isinstance(entries, Sequence) or not all(isinstance(entry, Mapping) for entry in entries):
        raise damaged(f"{FIXTURE}: directions is no list of objects")
    if not entries:
        notes.append(f"{FIXTURE} names no direction: the wind blows along x of the drawing.")
        return 270.0
    angles = [_number(entry, "windFromDegrees", FIXTURE, positive=False) for entry in entries]
    if len(angles) > 1:
        notes.append(
            f"{FIXTURE} has {len(angles)} directions and {CONCENTRATION} names none: "
            f"the first is taken, wind from {angles[0]:g} degrees."
        )
    return angles[0]


def _inflow(fixture: Mapping[str, Any], measured: _Measured, wind_from: float, scale: float) -> tuple[Inflow, float]:
    """The wind that enters, and z0 of the floor [m]."""
    height = measured.height * scale
    table = _table(fixture)
    if table is None:
        entries = fixture.get("directions") or [{}]
        known, law = _part(fixture, "measurement", {}), _part(fixture, "inflow")
        at = _number(known, "uRefHeightMeters", FIXTURE, default=height)
        speed = _number(entries[0], "uRefMps", FIXTURE, default=measured.speed)
        if law.get("kind") == "log":
            roughness = _number(law, "z0", FIXTURE)
            return log_inflow(wind_from, speed=speed, height=at, roughness=roughness), roughness
        alpha = _number(law, "alpha", FIXTURE)
        wind = power_inflow(wind_from, speed=speed, height=at, exponent=alpha,
                            gradient_height=450.0 / 250 * scale, lowest=15.0 / 250 * scale)  # fmt: skip
        near = float(wind.speed(np.array(FLOOR_HEIGHT * height)))
        return wind, scale * smooth_floor(near, FLOOR_HEIGHT * measured.height)
    z, u, k = table
    near = float(np.interp(math.log(FLOOR_HEIGHT * height), np.log(z), u))
    floor = smooth_floor(near, FLOOR_HEIGHT * measured.height) * scale
    return table_inflow(wind_from, heights=z, speeds=u, energies=k, roughness=floor, reference_height=height), floor


def _table(fixture: Mapping[str, Any]) -> tuple[Floats, Floats, Floats] | None:
    """Heights [m], speeds [m/s] and turbulent energies [m2/s2] of a measured inflow; None for a law."""
    source = fixture.get("sourceInflow")
    data = _part(fixture, "inflow")
    try:
        if isinstance(source, Mapping):
            high, fast = float(source["zRFullScaleMeters"]), float(source["uRMps"])
            rows = [(r["zOverZr"] * high, r["uOverUr"] * fast, r["kOverUr2"] * fast**2) for r in source["samples"]]
        elif data.get("kind") in ("power", "log"):
            return None
        else:
            rows = [(r["z"], _first(r, "speed", "U", "u"), _energy(r)) for r in data["samples"]]
        z, u, k = np.array(rows, dtype=np.float64).T
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(f"{FIXTURE}: the inflow cannot be read ({error})") from error
    if not (np.isfinite([z, u, k]).all() and (z > 0.0).all() and (np.diff(z) > 0.0).all() and (u > 0.0).all()):
        raise damaged(f"{FIXTURE}: the inflow needs rising heights and speeds above zero")
    return z, u, k


def _first(sample: Mapping[str, Any], *keys: str) -> float:
    """The first of several names that a sample knows."""
    key = next((key for key in keys if key in sample), keys[0])
    return float(sample[key])


def _energy(sample: Mapping[str, Any]) -> float:
    """Turbulent energy, stated or from the fluctuation of the wind along its way as in the cases of wind."""
    return _first(sample, "k", "tke") if {"k", "tke"} & set(sample) else _first(sample, "sigmaSpeed", "sigmaU") ** 2


def _probe_height(fixture: Mapping[str, Any]) -> float:
    """Height of the wind probes that a drawing may mark with balls [m]; 0 where there are none."""
    return _number(_part(fixture, "measurement", {}), "probeHeightMeters", FIXTURE, default=0.0, positive=False)


def _doubts(measured: _Measured, fixture: Mapping[str, Any], blocks: int) -> list[str]:
    found = []
    if str(fixture.get("caseId", measured.case)) != measured.case:
        found.append(f"{FIXTURE} is of case {fixture['caseId']}, {CONCENTRATION} of case {measured.case}.")
    if blocks == 0:
        found.append(f"{GEOMETRY} holds no blocks: x counts from the origin of the drawing.")
    missing = int(np.isnan(measured.rows[:, 3]).sum())
    if missing:
        found.append(f"{missing} rows without a value were left out.")
    return found


def _part(data: Mapping[str, Any], key: str, default: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    found = data.get(key, default)
    if not isinstance(found, Mapping):
        raise damaged(f"{FIXTURE} has no {key}")
    return found


def _number(
    data: Mapping[str, Any], key: str, file: str, *, default: float | None = None, positive: bool = True
) -> float:
    given = data.get(key, default)
    if given is None:
        raise damaged(f"{file} has no {key}")
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise damaged(f"{file}: {key} is not a number")
    if positive and given <= 0.0:
        raise damaged(f"{file}: {key} is {given:g} and must be above zero")
    return float(given)


def _json(folder: Path, name: str) -> Mapping[str, Any]:
    file = folder / name
    try:
        if file.stat().st_size > LARGEST:
            raise damaged(f"{name} is too large")
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise damaged(f"{name} is not there") from error
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(f"{name} is no JSON ({str(error)[:80]})") from error
    if not isinstance(found, Mapping):
        raise damaged(f"{name} is no JSON object")
    return found


def _mesh(path: Path) -> tuple[Floats, NDArray[np.int32]]:
    """Vertices with z up, and triangles; glTF stands with y up."""
    import trimesh

    if not path.is_file():
        raise damaged(f"{path.name} is not there")
    try:
        mesh: Any = trimesh.load(path, force="mesh")
        x, up, south = np.asarray(mesh.vertices, float).T
        faces = np.asarray(mesh.faces, np.int32)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise damaged(f"{path.name} cannot be read") from error
    if len(faces) == 0 or not np.isfinite([x, up, south]).all():
        raise damaged(f"{path.name} holds no triangles")
    return np.column_stack([x, -south, up]), faces


def damaged(why: str) -> UserError:
    """What is wrong with the case."""
    return UserError(
        "This dispersion case cannot be used.",
        f"{why}.",
        f"Correct the file. A case is a folder with {FIXTURE}, {GEOMETRY} and {CONCENTRATION}.",
        code="case.dust_damaged",
        values={"why": why},
    )
