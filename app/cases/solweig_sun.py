"""Headless. Hour of sun or shade at the measured sites of SOLWEIG: a folder with heights, weather and measurements.

The station measured the global radiation on the ground of a square or courtyard, hour by hour; the weather file holds
the radiation of the open sky. An hour was sunlit there where the station got more than half of the direct light besides
the diffuse. Rays against the raster of heights say for how many minutes of the hour the sun reached the station.

Hours of a measurement are labelled by their end, those of the weather file by their start, both in standard time.
"""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import Occluder
from analysis.kernels.sun import sun_position, sun_vectors
from app.cases.contract import Case, CaseResult, at_least
from geo.model import Feedback, Frame, Grid, Mesh, UserError, merge_meshes

Floats = NDArray[np.float64]

STATION_HEIGHT = 1.1  # [m] of the radiometers (Lindberg et al. 2008)
TRUNK = 0.25  # of a tree's height stays free of leaves (UMEP)
UTC_OFFSET = 1.0  # [h] standard time of Sweden
MINUTES = np.arange(2.0, 60.0, 4.0)  # of an hour looked at
LEAST_DIRECT = 50.0  # [W/m2] on the ground; a weaker sun cannot be told from the sky
KRONENHUSET_PIXEL = (51, 117)  # row from the north, column: the report beside the data
LIMITS = {"agreement": at_least(0.9)}
NOTES = (
    "agreement: share of measured hours whose sun or shade is right; hours with a direct sun of 50 W/m2 or more.",
    "clear_agreement: the same without hours in which the shade passes over the station, lit for 25 to 75 %.",
    "lit_rmse: of the sunlit share of the hour against the one that the radiation gives.",
    "The raster is taken as a continuous surface; crowns are solid boxes from a quarter of their height.",
)


class Measured(NamedTuple):
    """One hour at a station: day, hour that ends, global radiation there, global and diffuse of the open sky [W/m2]."""

    day: datetime
    hour: int
    here: float
    open_global: float
    open_diffuse: float


def recognise(path: Path) -> bool:
    """Whether it is a folder with a surface, weather and measurements of radiation."""
    if not path.is_dir():
        return False
    return all(any(path.glob(name)) for name in ("measurements_*.csv", "MetFile_*.txt", "DSM_*.tif", "CDSM_*"))


def run(path: Path, feedback: Feedback) -> CaseResult:
    """Score sun and shade hour by hour."""
    feedback.step(0.0, "reading the case")
    hours = _measured(path)
    surface, crowns, frame, station = _site(path)
    occluder = Occluder([surface, *([crowns] if len(crowns.faces) else [])], station)
    lit, told = [], []
    for number, hour in enumerate(hours):
        feedback.step(0.1 + 0.9 * number / len(hours), "tracing the sun")
        found = _lit(hour, occluder, frame, station)
        if found is not None:
            lit.append(found)
            told.append((hour.here - hour.open_diffuse) / (hour.open_global - hour.open_diffuse))
    feedback.step(1.0, "scored")
    if not lit:
        raise _damaged("no hour has enough direct sun to be judged")
    return CaseResult("sun", score(np.array(lit), np.clip(told, 0.0, 1.0)), LIMITS, NOTES)


def score(lit: Floats, told: Floats) -> dict[str, float]:
    """Figures from the sunlit share of each hour (n,), traced and measured."""
    same = (lit >= 0.5) == (told >= 0.5)
    clear = np.abs(lit - 0.5) > 0.25
    return {
        "agreement": float(same.mean()),
        "clear_agreement": float(same[clear].mean()) if clear.any() else float("nan"),
        "lit_rmse": float(np.sqrt(np.mean((lit - told) ** 2))),
        "hours": float(len(lit)),
        "sunlit_hours_measured": float((told >= 0.5).sum()),
        "sunlit_hours_traced": float((lit >= 0.5).sum()),
        "clear_hours": float(clear.sum()),
    }


def _lit(hour: Measured, occluder: Occluder, frame: Frame, station: Floats) -> float | None:
    """Sunlit share of an hour at the station; None where the sun is too weak to judge."""
    if hour.open_global - hour.open_diffuse < LEAST_DIRECT:
        return None
    start = hour.day + timedelta(hours=hour.hour - 1 - UTC_OFFSET)
    times = np.datetime64(start, "ms") + (MINUTES * 60_000).astype("timedelta64[ms]")
    sun = sun_position(times, frame.longitude, frame.latitude)
    up = sun.apparent_elevation > 0
    ways = sun_vectors(frame.grid_azimuth(sun.azimuth), sun.apparent_elevation)
    blocked = occluder.occluded(np.tile(station, (len(ways), 1)), ways, threads=1)
    return float((up & ~blocked).mean())


def _measured(path: Path) -> list[Measured]:
    """Hours of all days, joined with the weather: the hour that ends at h is the weather's hour h - 1."""
    weather: dict[tuple[datetime, int], tuple[float, float]] = {}
    try:
        for file in sorted(path.glob("MetFile_*.txt")):
            names = file.read_text(encoding="utf-8").split("\n", 1)[0].split()
            rows = np.atleast_2d(np.loadtxt(file, skiprows=1))
            total, diffuse = names.index("Kdn"), names.index("Kdiff")
            for row in rows:
                day = datetime(int(row[0]), 1, 1) + timedelta(days=int(row[1]) - 1)
                weather[day, int(row[2])] = (float(row[total]), float(row[diffuse]))
        only = sorted({day for day, _ in weather})
        out = []
        for file in sorted(path.glob("measurements_*.csv")):
            with file.open(newline="", encoding="utf-8") as lines:
                for entry in csv.DictReader(lines):
                    day = datetime.strptime(entry["day"], "%Y%m%d") if "day" in entry else only[0]
                    hour = int(entry["hour"])
                    if (day, hour - 1) in weather:
                        out.append(Measured(day, hour, float(entry["Kdown"]), *weather[day, hour - 1]))
    except (ValueError, KeyError, IndexError, OSError, UnicodeDecodeError, OverflowError) as error:
        raise _damaged(str(error)[:150]) from error
    if not out:
        raise _damaged("weather and measurements have no hour in common")
    return out


def _site(path: Path) -> tuple[Mesh, Mesh, Frame, Floats]:
    """Surface and crowns about the station, the frame, and the station (3,) [local m]."""
    import rasterio

    from geo.crs import make_frame

    try:
        with rasterio.open(next(path.glob("DSM_*.tif"))) as file:
            heights, place, crs = file.read(1).astype(np.float64), file.transform, file.crs
        with rasterio.open(next(path.glob("CDSM_*"))) as file:
            canopy = file.read(1).astype(np.float64)
        with rasterio.open(next(path.glob("DEM_*.tif"))) as file:
            ground = file.read(1).astype(np.float64)
    except (rasterio.errors.RasterioError, StopIteration, OSError) as error:
        raise _damaged(str(error)[:150]) from error
    if crs is None or not heights.shape == canopy.shape == ground.shape or min(heights.shape) < 2:
        raise _damaged("its rasters do not fit each other or say no coordinate system")
    east, north = _station(path, place)
    frame = make_frame(f"EPSG:{crs.to_epsg()}", east, north)
    cell, rows = float(place.a), heights.shape[0]
    x0, y0 = place.c + cell / 2 - east, place.f - cell * (rows - 0.5) - north
    surface = Grid(np.ascontiguousarray(heights[::-1]), x0, y0, cell)
    level = Grid(np.ascontiguousarray(ground[::-1]), x0, y0, cell)
    row, column = round(-y0 / cell), round(-x0 / cell)
    if not (0 <= row < rows and 0 <= column < heights.shape[1]):
        raise _damaged("the station lies outside the rasters")
    station = np.array([0.0, 0.0, level.values[row, column] + STATION_HEIGHT])
    return surface.surface(), _crowns(level, canopy[::-1], station), frame, station


def _station(path: Path, place: object) -> tuple[float, float]:
    """Map coordinates of the station: of the point beside the data, else of the pixel that its report names."""
    file = path / "poi.geojson"
    if file.is_file():
        try:
            east, north = json.loads(file.read_text(encoding="utf-8"))["geometry"]["coordinates"][:2]
            return float(east), float(north)
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(f"{file.name}: {str(error)[:100]}") from error
    row, column = KRONENHUSET_PIXEL
    east, north = place * (column + 0.5, row + 0.5)  # type: ignore[operator]
    return float(east), float(north)


def _crowns(ground: Grid, canopy: Floats, station: Floats) -> Mesh:
    """A box for each cell with a tree, from a quarter of its height to its top; none over the station itself."""
    rows, columns = np.nonzero(canopy > 0.5)
    x, y = ground.x[columns], ground.y[rows]
    away = np.hypot(x - station[0], y - station[1]) > ground.cell
    x, y, tall = x[away], y[away], canopy[rows, columns][away]
    if len(x) == 0:
        return merge_meshes(())
    base = ground.values[rows, columns][away]
    low, high, half = base + TRUNK * tall, base + tall, ground.cell / 2
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0], [-1, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]])
    points = np.stack([x, y, low], axis=1)[:, None] + corners * np.array([half, half, 1.0])
    points[:, 4:, 2] = high[:, None]
    quads = np.array([[0, 3, 2, 1], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]])
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    number = (faces[None] + 8 * np.arange(len(x))[:, None, None]).reshape(-1, 3)
    return Mesh(points.reshape(-1, 3), number.astype(np.int32), np.repeat(np.arange(len(x)), 12).astype(np.int32))


def _damaged(why: str) -> UserError:
    return UserError(
        "The measured site cannot be used.",
        f"Something is wrong with its files: {why}.",
        "Fetch the folder again.",
        code="case.solweig_damaged",
        values={"why": why},
    )


CASE = Case("sun.measured", "Hours of sun and shade at a measured site of SOLWEIG (folder)", recognise, run)
