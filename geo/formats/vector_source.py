"""Opening GIS files: layers, coordinate system, encoding of the texts, and features in local metres."""

from __future__ import annotations

import contextlib
import lzma
import re
import shutil
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import crs as coordinates
from geo.formats.contract import MapBox
from geo.formats.raster import far_away
from geo.formats.vector_fields import as_column, id_column
from geo.model import Column, Frame, Issue, MissingCrs, UserError

Floats = NDArray[np.float64]
SHAPEFILE_MAGIC = b"\x00\x00\x27\x0a"
SIDE_FILES = (".shp", ".shx", ".dbf", ".prj", ".cpg", ".qpj")
MOST_UNZIPPED = 2 * 2**30
SHX_HEADER = 100  # bytes
ENCRYPTED = 0x1
DBF_SAMPLE = 4 * 2**20
NOT_EVEN_DEGREES = (-360.5, -90.5, 540.5, 90.5)

# pyogrio 0.13 trips over its own variable (UnboundLocalError) where a .prj is nonsense.
OTHER_TROUBLE = (
    *(UnicodeError, OSError, MemoryError, ValueError, OverflowError, UnboundLocalError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError),
)


@dataclass(frozen=True)
class Opened:
    """A GIS file ready to be read. `target` may be a repaired copy; `issues` say what was done to it."""

    path: Path
    target: Path
    encoding: str | None
    layers: tuple[str, ...]
    issues: tuple[Issue, ...]


@dataclass(frozen=True)
class Features:
    """The features of one layer: geometries (n,) in local metres (z NaN or absent where flat), columns, ids.

    `crs` is the system that the file's coordinates were read in.
    """

    name: str
    shapes: NDArray[np.object_]
    columns: Mapping[str, Column]
    ids: NDArray[np.object_]
    issues: tuple[Issue, ...]
    crs: str = ""

    def only(self, rows: NDArray[np.int64]) -> Features:
        """Some of the features."""
        columns = {name: Column(c.values[rows], c.unit, c.title) for name, c in self.columns.items()}
        return Features(self.name, self.shapes[rows], columns, self.ids[rows], self.issues, self.crs)


def unreadable(path: Path, reason: str) -> UserError:
    """The error of a GIS file that cannot be decoded."""
    return UserError(
        f"{path.name} cannot be read as a GIS file.",
        f"It is cut short, damaged, or not what its name says ({reason.strip()[:160]}).",
        "Fetch the file again, or open and save it in a GIS program.",
        code="vector.unreadable",
        values={"name": path.name, "reason": reason.strip()[:160]},
    )


@contextlib.contextmanager
def gdal_errors(path: Path) -> Iterator[None]:
    """Turn what GDAL and pyogrio raise for a bad file into `UserError`; keep their warnings off the terminal."""
    from pyogrio.errors import CRSError, DataLayerError, DataSourceError, FieldError, GeometryError
    from pyproj.exceptions import ProjError
    from shapely.errors import ShapelyError

    trouble = (CRSError, DataLayerError, DataSourceError, FieldError, GeometryError, ProjError, ShapelyError)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (*trouble, *OTHER_TROUBLE) as error:
        raise unreadable(path, str(error) or type(error).__name__) from error


@contextlib.contextmanager
def opened(path: Path, *, encoding: str = "") -> Iterator[list[Opened]]:
    """Open a GIS file, or every shapefile of a zip; repaired copies live until the block ends."""
    if not path.is_file() or path.stat().st_size == 0:
        raise unreadable(path, "the file is absent or empty")
    if encoding and not is_encoding(encoding):
        raise unreadable(path, f"there is no encoding called {encoding}")
    with tempfile.TemporaryDirectory(prefix="twin-gis-") as folder, gdal_errors(path):
        if zipfile.is_zipfile(path):
            yield [_open_one(path, file, Path(folder), encoding) for file in _unzipped(path, Path(folder))]
        else:
            yield [_open_one(path, path, Path(folder), encoding)]


def is_encoding(name: str) -> bool:
    """Whether texts can be read in an encoding of this name."""
    try:
        b"\xb0\xa1".decode(name, errors="replace")
    except (LookupError, ValueError):
        return False
    return True


def _unzipped(path: Path, folder: Path) -> list[Path]:
    """GIS files of a zip, laid flat into a folder."""
    with zipfile.ZipFile(path) as archive:
        wanted = [
            m for m in archive.infolist() if Path(m.filename).suffix.lower() in (*SIDE_FILES, ".gpkg", ".geojson")
        ]
        if sum(member.file_size for member in wanted) > MOST_UNZIPPED:
            raise unreadable(path, "it would unpack to more than 2 GB")
        if any(member.flag_bits & ENCRYPTED for member in wanted):
            raise unreadable(path, "it has a password")
        for member in wanted:
            with archive.open(member) as source, (folder / Path(member.filename).name).open("wb") as target:
                shutil.copyfileobj(source, target)
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".shp", ".gpkg", ".geojson"))
    if not found:
        raise unreadable(path, "there is no GIS file in it")
    return found


def _open_one(path: Path, file: Path, folder: Path, encoding: str) -> Opened:
    import pyogrio

    issues: list[Issue] = []
    target, used = file, encoding or None
    if file.suffix.lower() == ".shp" or file.open("rb").read(4) == SHAPEFILE_MAGIC:
        target, issues = _whole_shapefile(file, folder)
        if not used:
            used, note = text_encoding(target.with_suffix(".dbf"), target.with_suffix(".cpg"))
            issues += [note] if note else []
    layers = tuple(str(name) for name in pyogrio.list_layers(target)[:, 0])
    if not layers:
        raise unreadable(path, "it has no layers")
    return Opened(path, target, used, layers, tuple(issues))


def _whole_shapefile(file: Path, folder: Path) -> tuple[Path, list[Issue]]:
    """The shapefile itself, or a copy with a new index when the .shx is missing, without a .prj that is nonsense."""
    issues = []
    have = {p.suffix.lower(): p for p in file.parent.glob(f"{_glob_safe(file.stem)}.*")}
    if ".dbf" not in have:
        message = "The .dbf beside the shapefile is missing: there are shapes but no attributes."
        issues.append(Issue("vector.no_dbf", message, "doubt"))
    if ".prj" in have and not _is_crs(have[".prj"]):
        del have[".prj"]
        message = "The .prj beside the shapefile cannot be understood; it was ignored."
        issues.append(Issue("vector.bad_prj", message, "doubt"))
        return _copied(file, have, folder), issues
    if ".shx" in have and have[".shx"].stat().st_size > SHX_HEADER:
        return file, issues
    have.pop(".shx", None)
    issues.append(Issue("vector.shx_rebuilt", "The missing .shx index was made anew from the shapes.", "note"))
    return _copied(file, have, folder), issues


def _is_crs(prj: Path) -> bool:
    text = prj.read_text(errors="ignore").strip()
    if not text:
        return True
    try:
        coordinates.crs_of(text)
    except UserError:
        return False
    return True


def _copied(file: Path, have: Mapping[str, Path], folder: Path) -> Path:
    """A copy of a shapefile and what belongs to it; its index is made anew when there is none."""
    import pyogrio

    copy_folder = folder / "repaired"
    copy_folder.mkdir(exist_ok=True)
    for suffix in SIDE_FILES:
        if suffix in have:
            shutil.copyfile(have[suffix], copy_folder / f"{file.stem}{suffix}")
    target = copy_folder / f"{file.stem}.shp"
    pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": "YES"})
    try:
        pyogrio.read_info(target)
    finally:
        pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": None})
    return target


def _glob_safe(stem: str) -> str:
    return re.sub(r"([\[\]*?])", r"[\1]", stem)


def text_encoding(dbf: Path, cpg: Path) -> tuple[str | None, Issue | None]:
    """Encoding of the texts of a .dbf: what .cpg says if the bytes agree, else UTF-8, CP949 or Latin-1 by the bytes."""
    if not dbf.is_file():
        return None, None
    with dbf.open("rb") as file:
        sample = _texts_of(file.read(DBF_SAMPLE))
    said = cpg.read_text(errors="ignore").strip() if cpg.is_file() else ""
    said = "CP949" if said.lower() in ("euc-kr", "ks_c_5601-1987", "949", "ansi 949", "cp949", "ms949") else said
    strange = len(sample) - len(sample.translate(None, delete=bytes(range(128, 256))))
    candidates = [name for name in dict.fromkeys([said, "UTF-8", "CP949"]) if _wrong_letters(sample, name) is not None]
    wrong = {name: _wrong_letters(sample, name) for name in candidates}
    best = min(candidates, key=lambda name: wrong[name] or 0)
    if (wrong[best] or 0) > strange // 10:
        best = "ISO-8859-1"
    if best == said or strange == 0:
        return best, None
    message = f"The texts were read as {best}, as their bytes tell."
    severity = "doubt" if best == "ISO-8859-1" or said else "note"
    values = {"encoding": best, "said": said or "-"}
    return best, Issue("vector.encoding_found", message, severity, values=values)


def _texts_of(dbf: bytes) -> bytes:
    """Names of the fields and the records, without the binary header."""
    header = int.from_bytes(dbf[8:10], "little")
    names = b" ".join(dbf[start : start + 11] for start in range(32, min(header, len(dbf)) - 1, 32))
    return names.replace(b"\0", b" ") + dbf[header:]


def _wrong_letters(sample: bytes, encoding: str) -> int | None:
    """How many letters do not decode; None for an encoding nobody knows.

    CP949 is judged by EUC-KR: its extra syllables are rare, and they would swallow any accented letter of Latin-1.
    """
    judge = "euc_kr" if encoding == "CP949" else encoding
    try:
        return sample.decode(judge, errors="replace").count("\N{REPLACEMENT CHARACTER}") if encoding else None
    except LookupError:
        return None


def layer_crs(info: Mapping[str, Any], path: Path) -> str | None:
    """CRS of a layer as the file says it, None if it says none."""
    text = info.get("crs")
    if not text:
        return None
    try:
        system = coordinates.horizontal(coordinates.crs_of(str(text)))
    except UserError:
        return None
    return coordinates.canonical(str(text)) if system.is_geographic or system.is_projected else None


def chosen_crs(info: Mapping[str, Any], path: Path, said: str | None) -> tuple[str, list[Issue]]:
    """The CRS to read a layer in: the user's word, else the file's. Raises `MissingCrs`."""
    own = layer_crs(info, path)
    if said is None:
        if own is None:
            raise MissingCrs(path.name)
        return own, []
    name = coordinates.canonical(said)
    if own is None or own == name:
        return name, []
    message = f"The file says {own}; it was read as {name} because you said so."
    return name, [Issue("crs.overridden", message, "note", values={"file": own, "used": name})]


def check_degrees(xy: Floats, crs: str, path: Path) -> None:
    """Refuse coordinates that cannot be degrees where the CRS says degrees."""
    if not coordinates.is_geographic(crs) or len(xy) == 0:
        return
    west, south = (float(v) for v in np.nanmin(xy[:, :2], axis=0))
    east, north = (float(v) for v in np.nanmax(xy[:, :2], axis=0))
    low_x, low_y, high_x, high_y = NOT_EVEN_DEGREES
    if west >= low_x and south >= low_y and east <= high_x and north <= high_y:
        return
    raise UserError(
        f"The coordinates of {path.name} are no degrees.",
        f"They reach from {west:.6g}, {south:.6g} to {east:.6g}, {north:.6g}, but {coordinates.title(crs)} means "
        "degrees, longitude first (a GeoJSON file that names no coordinate system means WGS 84).",
        "Name the coordinate system they are in, for example --crs EPSG:5186; if latitude comes first, swap them.",
        code="vector.not_degrees",
        values={"name": path.name, "west": west, "south": south, "east": east, "north": north},
    )


def read_layer(file: Opened, layer: str, frame: Frame, *, crs: str | None, box: MapBox | None) -> Features:
    """Features of one layer in local metres of the frame."""
    import pyogrio
    import shapely

    info = pyogrio.read_info(file.target, layer=layer, encoding=file.encoding)
    name, issues = chosen_crs(info, file.path, crs)
    meta, fids, wkb, data = pyogrio.raw.read(
        file.target,
        layer=layer,
        encoding=file.encoding,
        bbox=_box_in(box, frame, name),
        return_fids=True,
        datetime_as_string=True,
    )
    shapes = np.array(shapely.from_wkb(wkb, on_invalid="ignore") if wkb is not None else [None] * len(fids), object)
    columns = {}
    for title, values in zip(meta["fields"], data, strict=True):
        column = as_column(np.asarray(values))
        if column is not None:
            columns[str(title)] = column
    shapes, dropped = _localised(shapes, name, frame, file.path)
    if dropped:
        message = f"{dropped} features have no usable coordinates; they carry attributes only and are not drawn."
        issues.append(Issue("vector.no_geometry", message, "error", count=dropped))
        if dropped == len(shapes) and meta["geometry_type"] and box is None:
            raise unreadable(file.path, f"none of its {dropped} features has a readable shape")
    key = id_column(columns)
    ids = columns[key].values if key else np.asarray(fids)
    return Features(layer, shapes, columns, np.array([str(i) for i in ids], object), (*file.issues, *issues), name)


def _box_in(box: MapBox | None, frame: Frame, crs: str) -> tuple[float, float, float, float] | None:
    """The box's surroundings in the CRS of the file."""
    if box is None:
        return None
    t = np.linspace(0.0, 1.0, 9)
    x = box.west + (box.east - box.west) * np.concatenate([t, t, 0 * t, 0 * t + 1])
    y = box.south + (box.north - box.south) * np.concatenate([0 * t, 0 * t + 1, t, t])
    east, north = coordinates.transform(x, y, frame.crs, crs)
    if not (np.isfinite(east).all() and np.isfinite(north).all()):
        return None
    return float(east.min()), float(north.min()), float(east.max()), float(north.max())


def _localised(shapes: NDArray[np.object_], crs: str, frame: Frame, path: Path) -> tuple[NDArray[np.object_], int]:
    """Geometries in local metres; None for those without finite coordinates, and how many these are."""
    import shapely

    shapes = shapes.copy()
    shapes[shapely.is_empty(shapes)] = None
    points, owner = shapely.get_coordinates(shapes, include_z=True, return_index=True)
    check_degrees(points[np.isfinite(points[:, :2]).all(axis=1)], crs, path)
    if len(points) == 0:
        return shapes, len(shapes)
    local = coordinates.to_local(points, crs, frame)
    bad = np.unique(owner[~np.isfinite(local[:, :2]).all(axis=1)])
    missing = np.flatnonzero(shapely.is_missing(shapes))
    if len(bad) and len(bad) + len(missing) == len(shapes):
        raise far_away(path.name, frame)
    local[~np.isfinite(local[:, :2]).all(axis=1), :2] = 0.0
    has_z = shapely.has_z(shapes)
    flat, deep = np.flatnonzero(~has_z & ~shapely.is_missing(shapes)), np.flatnonzero(has_z)
    point_has_z = has_z[owner]
    shapes[flat] = shapely.set_coordinates(shapes[flat], local[~point_has_z, :2])
    shapes[deep] = shapely.set_coordinates(shapes[deep], local[point_has_z])
    shapes[bad] = None
    return shapes, len(bad) + len(missing)


def looks_like_geojson(head: bytes) -> bool:
    """Whether JSON text starts like GeoJSON and is not CityJSON."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not text.startswith(b"{") or b'"CityJSON' in head:
        return False
    kinds = rb'"type"\s*:\s*"(FeatureCollection|Feature|GeometryCollection|(Multi)?(Point|LineString|Polygon))"'
    return re.search(kinds, head) is not None


def zip_has_gis(path: Path) -> bool:
    """Whether a zip holds a shapefile, GeoPackage or GeoJSON file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(Path(name).suffix.lower() in (".shp", ".gpkg", ".geojson") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def layer_facts(file: Opened, layer: str) -> Mapping[str, Any]:
    """Number of features, fields, CRS and bounds of a layer, counted if need be."""
    import pyogrio

    info: Mapping[str, Any] = pyogrio.read_info(
        file.target, layer=layer, encoding=file.encoding, force_feature_count=True, force_total_bounds=True
    )
    return info
