"""Raster files into the scene: opened, checked, cleaned, brought onto square cells of the frame, south row first."""

from __future__ import annotations

import contextlib
import logging
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field as OptionField

from geo import crs as coordinates
from geo.formats.contract import MapBox
from geo.formats.options import FormatOptions
from geo.model import Feedback, Frame, Issue, MissingCrs, UserError

if TYPE_CHECKING:
    from affine import Affine

Floats = NDArray[np.float64]
Content = Literal["auto", "terrain", "image", "values"]
SILENCE = logging.NullHandler()  # what the library would log is said in words of our own
FOOT, US_FOOT = 0.3048, 1200.0 / 3937.0  # international foot; US survey foot (exact by definition)
HEIGHT_UNITS = {"m": 1.0, "ft": FOOT, "us-ft": US_FOOT}
# Deflate cannot shrink more than about 1 : 1030, LZW not more than 1 : 1370: a file far beyond has no such content.
IMPOSSIBLE_RATIO, CLAIM_BYTES = 3000, 256 * 2**20
STRIP_CELLS = 2_000_000


class RasterOptions(FormatOptions):
    """What a user may say about a raster."""

    content: Content = OptionField("auto", title="Content", description="terrain heights, a picture, or other values")
    cell: float = OptionField(0.0, ge=0, le=10_000, title="Cell [m]", description="0 = as fine as the file")
    max_cells: int = OptionField(16_000_000, ge=1_000, le=400_000_000, title="Most cells to load")
    height_unit: Literal["auto", "m", "ft", "us-ft"] = OptionField("auto", title="Unit of the heights")
    band: int = OptionField(1, ge=1, le=10_000, title="Band")


@dataclass(frozen=True)
class Opened:
    """An open raster and where it lies. `crs` None: the file does not say. `height_unit` in metres."""

    source: Any
    path: Path
    crs: str | None
    vertical: str
    transform: Affine
    height_unit: float
    issues: tuple[Issue, ...]


@dataclass(frozen=True)
class Cells:
    """Planes (bands, rows, cols) with a mask of what is known, row 0 north as files have it, and their place."""

    planes: NDArray[np.generic]
    known: NDArray[np.bool_]
    transform: Affine


@dataclass(frozen=True)
class Placed:
    """Planes on square cells of the frame: row 0 south; x0, y0 centre of the south-west cell [local m]."""

    planes: NDArray[np.generic]
    known: NDArray[np.bool_]
    x0: float
    y0: float
    cell: float


def unreadable(path: Path, reason: str) -> UserError:
    """The error of a raster that cannot be decoded."""
    return UserError(
        f"{path.name} cannot be read as a raster.",
        f"It is cut short, damaged, or not what its name says ({reason.strip()[:160]}).",
        "Fetch the file again, or open and save it in a GIS program.",
        code="raster.unreadable",
        values={"name": path.name, "reason": reason.strip()[:160]},
    )


@contextlib.contextmanager
def opened(path: Path, *, crs: str | None = None) -> Iterator[Opened]:
    """Open a raster; every fault of the file inside the block becomes a `UserError`."""
    import rasterio
    from pyproj.exceptions import ProjError
    from rasterio._err import CPLE_BaseError
    from rasterio.errors import RasterioError
    from rasterio.transform import from_gcps

    logging.getLogger("rasterio").addHandler(SILENCE)
    if not path.is_file() or path.stat().st_size == 0:
        raise unreadable(path, "the file is absent or empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with rasterio.open(path) as source:
                gcps, gcp_crs = source.gcps
                transform = from_gcps(gcps) if gcps else source.transform
                _check_header(source, path)
                yield _described(source, path, crs, gcp_crs if gcps else source.crs, transform)
    except (RasterioError, CPLE_BaseError, ProjError, MemoryError, OSError, ValueError) as error:
        raise unreadable(path, str(error.__cause__ or error) or type(error).__name__) from error


def _check_header(source: Any, path: Path) -> None:
    if source.count < 1 or source.width < 1 or source.height < 1:
        raise unreadable(path, "it has no cells")
    if any("complex" in kind for kind in source.dtypes):
        raise UserError(
            f"{path.name} holds complex numbers.",
            "Terrain and pictures are plain numbers; this looks like radar or signal data.",
            "Convert it to plain heights or to a picture.",
            code="raster.complex",
            values={"name": path.name},
        )


def _described(source: Any, path: Path, said: str | None, own: Any, transform: Affine) -> Opened:
    wkt = own.to_wkt() if own else None
    vertical, unit, issues = "", 1.0, []
    name, correction = coordinates.split_adjusted(coordinates.canonical(said)) if said else (None, coordinates.SAME)
    if correction != coordinates.SAME:
        # GDAL knows registered systems only: the correction goes into the place of the cells.
        transform = type(transform)(*correction) @ transform
    if wkt:
        file_crs = coordinates.crs_of(wkt)
        if coordinates.horizontal(file_crs).is_projected or coordinates.horizontal(file_crs).is_geographic:
            vertical, unit = coordinates.vertical_name(wkt), coordinates.height_metres_per_unit(wkt)
            file_name = coordinates.canonical(wkt)
            if name and name != file_name:
                issues.append(_overridden(file_name, name))
            name = name or file_name
    if said and coordinates.vertical_name(said):
        vertical, unit = coordinates.vertical_name(said), coordinates.height_metres_per_unit(said)
    if vertical == "ellipsoid":
        message = "The heights are above the ellipsoid, not above the sea; in Korea that is some 20 to 30 m more."
        issues.append(Issue("crs.ellipsoid_heights", message, "doubt"))
    return Opened(source, path, name, vertical, transform, unit, tuple(issues))


def _overridden(file_name: str, name: str) -> Issue:
    return Issue(
        "crs.overridden",
        f"The file says {file_name}; it was read as {name} because you said so.",
        "note",
        values={"file": file_name, "used": name},
    )


def height_factor(raster: Opened, wish: str) -> tuple[float, tuple[Issue, ...]]:
    """Metres per height unit: as wished, as the band says, as the vertical CRS says, else metres (with a doubt)."""
    if wish in HEIGHT_UNITS:
        return HEIGHT_UNITS[wish], ()
    band = (raster.source.units[0] or "").strip().lower()
    if "us" in band and ("ft" in band or "foot" in band or "feet" in band):
        return US_FOOT, ()
    if band in ("ft", "foot", "feet"):
        return FOOT, ()
    if band in ("cm", "centimetre", "centimeter"):
        return 0.01, ()
    if raster.vertical or band or raster.crs is None or coordinates.is_geographic(raster.crs):
        return raster.height_unit, ()
    if abs(coordinates.metres_per_unit(raster.crs) - 1.0) > 1e-6:
        message = "The map is in feet but the file does not say the unit of its heights; they were taken as metres."
        return 1.0, (Issue("raster.height_unit_assumed", message, "doubt"),)
    return raster.height_unit, ()


def check_place(raster: Opened) -> str:
    """The CRS of a raster that has a believable place. Raises `MissingCrs` or `UserError`."""
    if raster.crs is None:
        _touch_last_cell(raster)  # a file cut short has lost its CRS for another reason, which must be said first
        raise MissingCrs(raster.path.name)
    transform = raster.transform
    if transform.is_identity or abs(transform.determinant) < 1e-18 or not all(math.isfinite(v) for v in transform[:6]):
        raise UserError(
            f"{raster.path.name} does not say where its cells lie.",
            "It has a coordinate system but no position and cell size.",
            "Save it with its georeference, or put its world file (.tfw) beside it.",
            code="raster.no_place",
            values={"name": raster.path.name},
        )
    if coordinates.is_geographic(raster.crs):
        _check_degrees(raster)
    return raster.crs


def _touch_last_cell(raster: Opened) -> None:
    from rasterio.windows import Window

    last = Window(raster.source.width - 1, raster.source.height - 1, 1, 1)  # type: ignore[call-arg]
    raster.source.read(1, window=last)


def _check_degrees(raster: Opened) -> None:
    west, south, east, north = outline_bounds(raster)
    if south < -90.5 or north > 90.5 or west < -360.5 or east > 540.5:
        raise UserError(
            f"{raster.path.name} says degrees, but its corners are no degrees.",
            f"It reaches from {west:.6g}, {south:.6g} to {east:.6g}, {north:.6g}.",
            "Name the right coordinate system with --crs, for example EPSG:5186.",
            code="raster.not_degrees",
            values={"name": raster.path.name, "west": west, "south": south, "east": east, "north": north},
        )


def outline_bounds(raster: Opened) -> tuple[float, float, float, float]:
    """West, south, east, north of the raster in its own CRS."""
    col, row = np.array([0, 0, 1, 1]) * raster.source.width, np.array([0, 1, 0, 1]) * raster.source.height
    x, y = moved(raster.transform, col, row)
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def moved(transform: Affine, col: ArrayLike, row: ArrayLike) -> tuple[Floats, Floats]:
    """Map coordinates of places given in columns and rows (0, 0 = outer corner of the first cell)."""
    c, r = np.asarray(col, dtype=np.float64), np.asarray(row, dtype=np.float64)
    t = transform
    return np.asarray(t.a * c + t.b * r + t.c), np.asarray(t.d * c + t.e * r + t.f)


def claims_too_much(raster: Opened, rows: int, cols: int, bands: int) -> bool:
    """Whether the header promises content that so few bytes cannot hold."""
    claim = rows * cols * bands * np.dtype(raster.source.dtypes[0]).itemsize
    size = raster.path.stat().st_size
    if raster.source.driver == "VRT" or raster.source.overviews(1):
        return False
    return claim > CLAIM_BYTES and claim > IMPOSSIBLE_RATIO * size


def window_of(raster: Opened, frame: Frame, box: MapBox | None) -> tuple[int, int, int, int] | None:
    """Rows and columns (row0, row1, col0, col1) that a box of the project CRS touches, None if it touches none."""
    rows, cols = raster.source.height, raster.source.width
    if box is None:
        return 0, rows, 0, cols
    t = np.linspace(0.0, 1.0, 9)
    x = box.west + (box.east - box.west) * np.concatenate([t, t, 0 * t, 0 * t + 1])
    y = box.south + (box.north - box.south) * np.concatenate([0 * t, 0 * t + 1, t, t])
    east, north = coordinates.transform(x, y, frame.crs, str(raster.crs))
    col, row = moved(~raster.transform, east, north)
    if not (np.isfinite(col).any() and np.isfinite(row).any()):
        return None
    margin = 2  # bilinear needs a neighbour; one more for rounding
    row0, row1 = int(np.floor(np.nanmin(row))) - margin, int(np.ceil(np.nanmax(row))) + margin
    col0, col1 = int(np.floor(np.nanmin(col))) - margin, int(np.ceil(np.nanmax(col))) + margin
    row0, row1, col0, col1 = max(row0, 0), min(row1, rows), max(col0, 0), min(col1, cols)
    return (row0, row1, col0, col1) if row0 < row1 and col0 < col1 else None


def read_cells(
    raster: Opened,
    window: tuple[int, int, int, int],
    *,
    bands: list[int],
    max_cells: int,
    least_step: int,
    smooth: bool,
    feedback: Feedback,
) -> tuple[Cells, int]:
    """Cells of a window, every `step`-th (averaged if `smooth`) so that at most `max_cells` are held.

    Reads in strips, so that progress shows and a stop is heard; overviews are used where the file has them.
    """
    from rasterio.enums import Resampling
    from rasterio.windows import Window

    row0, row1, col0, col1 = window
    rows, cols = row1 - row0, col1 - col0
    if claims_too_much(raster, rows, cols, len(bands)):
        raise _claim_error(raster, rows, cols)
    step = max(math.ceil(math.sqrt(rows * cols / max_cells)), least_step, 1)
    step = min(step, rows, cols)
    out_rows, out_cols = rows // step, cols // step
    used_cols = out_cols * step
    planes = np.empty((len(bands), out_rows, out_cols), dtype=raster.source.dtypes[bands[0] - 1])
    known = np.empty((out_rows, out_cols), dtype=bool)
    strip = max(1, STRIP_CELLS // max(used_cols * step, 1))
    for start in range(0, out_rows, strip):
        stop = min(start + strip, out_rows)
        part = Window(col0, row0 + start * step, used_cols, (stop - start) * step)  # type: ignore[call-arg]
        data = raster.source.read(
            bands,
            window=part,
            out_shape=(len(bands), stop - start, out_cols),
            masked=True,
            resampling=Resampling.average if smooth and step > 1 else Resampling.nearest,
        )
        planes[:, start:stop] = data.data
        known[start:stop] = ~np.ma.getmaskarray(data).all(axis=0)
        feedback.step(stop / out_rows, "reading cells")
    x, y = moved(raster.transform, col0, row0)
    t = raster.transform
    transform = type(t)(t.a * step, t.b * step, float(x), t.d * step, t.e * step, float(y))
    return Cells(planes, known, transform), step


def _claim_error(raster: Opened, rows: int, cols: int) -> UserError:
    size = raster.path.stat().st_size
    return UserError(
        f"{raster.path.name} claims {cols} x {rows} cells but holds only {size} bytes.",
        "So few bytes cannot hold so much; the file is empty inside, cut short or made by mistake.",
        "Fetch the file again, or read a part of it with a box.",
        code="raster.claims_too_much",
        values={"name": raster.path.name, "rows": rows, "cols": cols, "bytes": size},
    )


def source_cell(raster: Opened, frame: Frame) -> float:
    """Side of a square as large as one cell in the middle of the raster [m of the frame]."""
    col, row = raster.source.width / 2, raster.source.height / 2
    x, y = moved(raster.transform, [col, col + 1, col], [row, row, row + 1])
    x, y = coordinates.transform(x, y, str(raster.crs), frame.crs)
    area = abs((x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]))
    if not np.isfinite(area) or area <= 0:
        raise far_away(raster.path.name, frame)
    return float(math.sqrt(area))


def far_away(name: str, frame: Frame) -> UserError:
    """The error of data whose place the project's CRS cannot describe."""
    return UserError(
        f"{name} lies where the project's coordinate system does not reach.",
        f"Its corners have no coordinates in {coordinates.title(frame.crs)}.",
        "Check the coordinate system of the file (--crs), or start a project where the data lie.",
        code="crs.unreachable",
        values={"name": name, "crs": coordinates.title(frame.crs)},
    )


def fits_frame(transform: Affine, crs: str, frame: Frame, cell: float) -> bool:
    """Whether cells can be taken as they are: same CRS, square, north up, no other cell size asked for."""
    side = transform.a
    square = transform.b == 0 and transform.d == 0 and side > 0 and abs(side + transform.e) < 1e-6 * side
    return crs == frame.crs and square and (cell == 0 or abs(cell - side) < 1e-9 * side)


def place(cells: Cells, crs: str, frame: Frame, *, cell: float, max_cells: int, smooth: bool) -> Placed:
    """Cells on square cells of the frame. `cell` = 0 takes them over as they are (see `fits_frame`)."""
    if cell == 0:
        rows = cells.known.shape[0]
        side = cells.transform.a
        west, north = cells.transform.c, cells.transform.f
        x0, y0 = west + side / 2 - frame.origin[0], north - (rows - 0.5) * side - frame.origin[1]
        return Placed(cells.planes[:, ::-1], cells.known[::-1], x0, y0, side)
    return _reprojected(cells, crs, frame, cell, max_cells, smooth)


def _reprojected(cells: Cells, crs: str, frame: Frame, cell: float, max_cells: int, smooth: bool) -> Placed:
    from rasterio.enums import Resampling
    from rasterio.transform import Affine
    from rasterio.warp import reproject

    west, south, east, north = _bounds_in(cells, crs, frame)
    cell = max(cell, math.sqrt((east - west) * (north - south) / max_cells), (east - west + north - south) / max_cells)
    low_col, low_row = math.floor(west / cell + 1e-6), math.floor(south / cell + 1e-6)
    cols = max(math.ceil(east / cell - 1e-6) - low_col, 1)
    rows = max(math.ceil(north / cell - 1e-6) - low_row, 1)
    target = Affine(cell, 0, low_col * cell, 0, -cell, (low_row + rows) * cell)
    place_of = {
        # Cells are of like size on both sides, so plain bilinear is right. Left to itself GDAL widens the kernel of a
        # turned raster, lopsidedly: 17 mm on a slope of 10 % with cells of 2 m, against 0.004 mm with these.
        "XSCALE": 1,
        "YSCALE": 1,
        "src_transform": cells.transform,
        "src_crs": crs,
        "dst_transform": target,
        "dst_crs": frame.crs,
    }
    known = np.zeros((rows, cols), np.uint8)
    reproject(cells.known.astype(np.uint8), known, resampling=Resampling.nearest, **place_of)
    how = Resampling.bilinear if smooth else Resampling.nearest
    if cells.planes.dtype.kind == "f":
        planes = np.full((len(cells.planes), rows, cols), np.nan, cells.planes.dtype)
        source = np.where(cells.known, cells.planes, np.nan)
        reproject(source, planes, resampling=how, src_nodata=np.nan, dst_nodata=np.nan, **place_of)
        return Placed(planes[:, ::-1], np.isfinite(planes[0])[::-1], *_corner(target, rows, cell, frame))
    planes = np.zeros((len(cells.planes), rows, cols), cells.planes.dtype)
    reproject(np.ascontiguousarray(cells.planes), planes, resampling=how, **place_of)
    return Placed(planes[:, ::-1], known[::-1] > 0, *_corner(target, rows, cell, frame))


def _corner(target: Affine, rows: int, cell: float, frame: Frame) -> tuple[float, float, float]:
    return target.c + cell / 2 - frame.origin[0], target.f - (rows - 0.5) * cell - frame.origin[1], cell


def _bounds_in(cells: Cells, crs: str, frame: Frame) -> tuple[float, float, float, float]:
    rows, cols = cells.known.shape
    t = np.linspace(0.0, 1.0, 33)
    col = cols * np.concatenate([t, t, 0 * t, 0 * t + 1])
    row = rows * np.concatenate([0 * t, 0 * t + 1, t, t])
    x, y = moved(cells.transform, col, row)
    x, y = coordinates.transform(x, y, crs, frame.crs)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise far_away("The raster", frame)
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())
