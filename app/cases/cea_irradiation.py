"""Headless. Irradiation against Daysim (Radiance) as City Energy Analyst ran it: a folder with one of its districts.

The study ``sunlight.irradiation`` runs on the buildings of the folder as a user would run it. For each building whose
sensors are in the folder, the mean of a year is compared on the roof and on the walls towards each quarter.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.cases.contract import Case, CaseResult, at_most
from geo.model import ElementTable, Feedback, Field, Frame, Layer, Mesh, UserError

Floats = NDArray[np.float64]

STUDIED, AROUND, WEATHER = "zone.shp", "surroundings.shp", "weather.epw"
SENSORS, SUMS = "_geometry.csv", "_radiation.csv"
QUARTERS = {"east": (1.0, 0.0), "north": (0.0, 1.0), "south": (0.0, -1.0), "west": (-1.0, 0.0)}
LARGEST = 50_000_000  # [bytes]
LIMITS = {"worst_difference_percent": at_most(10.0)}
PARAMS = {"facade_spacing": 2.0, "margin": 100.0, "facade_albedo": 0.2, "ground_albedo": 0.2}
NOTES = (
    "Means of a year on the roof and on the walls towards each quarter, as differences from Daysim in percent.",
    "Daysim follows five bounces of light with the reflectance of each surface; here one bounce and an albedo of 0.2.",
    "The sensors of the reference are those of its own grid; here the walls are cut into cells of 2 m.",
)


def recognise(path: Path) -> bool:
    """Whether it is a folder with buildings, weather and results of City Energy Analyst."""
    if not path.is_dir() or not all((path / name).is_file() for name in (STUDIED, AROUND, WEATHER)):
        return False
    return bool(_studied(path))


def _studied(path: Path) -> list[str]:
    names = (file.name.removesuffix(SUMS) for file in sorted(path.glob(f"*{SUMS}")))
    return [name for name in names if (path / f"{name}{SENSORS}").is_file()]


def run(path: Path, feedback: Feedback) -> CaseResult:
    """Run the study and compare."""
    from analysis.registry import get
    from analysis.run import execute

    feedback.step(0.0, "reading the case")
    expected = {name: _expected(path, name) for name in _studied(path)}
    layers, frame = _layers(path, feedback.part(0.0, 0.2))
    result = execute(
        get("sunlight.irradiation"), layers=layers, frame=frame, params=PARAMS, feedback=feedback.part(0.2, 0.98)
    )
    parts = {layer.source.part: layer for layer in result.layers}
    metrics: dict[str, float] = {}
    for name, means in expected.items():
        found = _found(parts, name)
        for side, mean in means.items():
            if side not in found:
                raise _damaged(f"{name} has no {side} in {STUDIED}")
            metrics[f"{name}_{side}"] = found[side]
            metrics[f"{name}_{side}_percent"] = 100.0 * (found[side] / mean - 1.0)
    worst = max(abs(value) for name, value in metrics.items() if name.endswith("_percent"))
    feedback.step(1.0, "scored")
    return CaseResult("sun", {"worst_difference_percent": worst, **metrics}, LIMITS, NOTES)


def _expected(path: Path, name: str) -> dict[str, float]:
    """Mean of a year [kWh/m2] on the roof and on each side of a building, walls and windows together."""
    file = path / f"{name}{SUMS}"
    if file.stat().st_size > LARGEST:
        raise _damaged(f"{file.name} is too large")
    energy: dict[str, float] = {}
    area: dict[str, float] = {}
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            for number, row in enumerate(csv.DictReader(lines)):
                for key, value in row.items():
                    words = str(key).split("_")
                    if len(words) != 3 or words[0] not in ("roofs", "walls", "windows"):
                        continue
                    side = "roof" if words[0] == "roofs" else words[1]
                    if words[2] == "kW":
                        energy[side] = energy.get(side, 0.0) + float(value)
                    elif words[2] == "m2" and number == 0:
                        area[side] = area.get(side, 0.0) + float(value)
    except (ValueError, UnicodeDecodeError, csv.Error, TypeError) as error:
        raise _damaged(f"{file.name}: {str(error)[:100]}") from error
    out = {side: energy[side] / area[side] for side in energy if area.get(side, 0.0) > 0}
    if not out or not np.isfinite(list(out.values())).all() or min(out.values()) <= 0:
        raise _damaged(f"{file.name} has no sums of a year")
    return out


class _Buildings(NamedTuple):
    """Footprints (n,) of shapely, names and heights [m]."""

    areas: NDArray[np.object_]
    names: list[str]
    heights: Floats
    crs: str


def _layers(path: Path, feedback: Feedback) -> tuple[list[Layer], Frame]:
    """The two sets of buildings and the weather, about the middle of the studied ones."""
    import shapely

    from geo.crs import make_frame
    from geo.formats.contract import ReadOptions
    from geo.formats.epw import FORMAT

    studied, around = _buildings(path / STUDIED), _buildings(path / AROUND)
    west, south, east, north = shapely.total_bounds(studied.areas)
    frame = make_frame(studied.crs, float((west + east) / 2), float((south + north) / 2))
    feedback.step(0.5, "reading the case")
    layers = [_solids("zone", studied, frame), _solids("surroundings", around, frame)]
    layers += FORMAT.read(path / WEATHER, frame, ReadOptions(), feedback.part(0.5, 1.0))
    return layers, frame


def _buildings(file: Path) -> _Buildings:
    import pyogrio.raw
    import shapely
    from pyogrio.errors import DataSourceError, FieldError

    try:
        about, _, shapes, columns = pyogrio.raw.read(file, columns=["name", "height_ag"])
        areas = shapely.from_wkb(shapes)
        values = dict(zip(about["fields"], columns, strict=True))
        names, heights = [str(n) for n in values["name"]], np.asarray(values["height_ag"], dtype=np.float64)
    except (DataSourceError, FieldError, shapely.GEOSException, OSError, ValueError, KeyError) as error:
        raise _damaged(f"{file.name}: {str(error)[:100]}") from error
    good = np.array([a is not None and not a.is_empty for a in areas]) & np.isfinite(heights) & (heights > 0)
    if not good.any() or not about["crs"]:
        raise _damaged(f"{file.name} has no buildings with a height, or no coordinate system")
    kept = [name for name, is_good in zip(names, good, strict=True) if is_good]
    return _Buildings(np.asarray(areas)[good], kept, heights[good], str(about["crs"]))


def _solids(layer_id: str, buildings: _Buildings, frame: Frame) -> Layer:
    import shapely

    from geo.buildings import SURFACES, clean_areas, extrude

    moved = shapely.transform(buildings.areas, lambda xy: xy - np.array(frame.origin[:2]))
    clean = clean_areas(moved)
    mesh, surface = extrude(clean.polygons, 0.0, buildings.heights[clean.owner])
    whole = Mesh(mesh.vertices, mesh.faces, clean.owner[mesh.face_element].astype(np.int32))
    field = Field("surface", "1", "face", surface, categories=SURFACES)
    return Layer(layer_id, layer_id, "building", whole, ElementTable(buildings.names), (field,))


def _found(parts: Mapping[str, Layer], name: str) -> dict[str, float]:
    """Mean of a year [kWh/m2] on the roof and towards each quarter of one building."""
    out: dict[str, float] = {}
    for part in ("roofs", "facades"):
        layer = parts.get(part)
        if layer is None or not isinstance(layer.geometry, Mesh) or name not in layer.table.index:
            continue
        mesh, field = layer.geometry, layer.field_named("irradiation")
        rows = np.flatnonzero(mesh.face_element == layer.table.index[name])
        year, area = np.asarray(field.values if field is not None else [], dtype=np.float64)[rows], mesh.face_area[rows]
        if part == "roofs":
            out["roof"] = float(np.average(year, weights=area))
            continue
        sides = np.argmax(mesh.face_normal[rows][:, :2] @ np.array(list(QUARTERS.values())).T, axis=1)
        for number, side in enumerate(QUARTERS):
            mine = sides == number
            if mine.any():
                out[side] = float(np.average(year[mine], weights=area[mine]))
    return out


def _damaged(why: str) -> UserError:
    return UserError(
        "The reference case of irradiation cannot be used.",
        f"Something is wrong with its files: {why}.",
        "Fetch the folder again.",
        code="case.cea_damaged",
        values={"why": why},
    )


CASE = Case("sun.irradiation", "Irradiation against Daysim by City Energy Analyst (folder)", recognise, run)
