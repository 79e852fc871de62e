"""CSV and TSV tables: attributes to be joined, or points where the columns say x and y."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field as OptionField

from geo import crs as coordinates
from geo import terrain
from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.formats.options import FormatOptions
from geo.formats.raster import far_away
from geo.formats.vector_fields import Meaning, id_column, numbers, plain
from geo.model import Column, ElementTable, Feedback, Frame, Issue, Layer, MissingCrs, Points, Source, UserError
from geo.model.layer import THEMES

Floats = NDArray[np.float64]
TITLE = "Table (CSV, TSV)"
DELIMITERS = ",\t;|"
MOST_BYTES, MOST_COLUMNS = 1 << 30, 2_000
STRAY_DEGREES, STRAY_SHARE = 10.0, 0.01  # so few rows so far from the middle of the rest have a wrong place
LONGEST_NUMBER = 15  # digits a float keeps; longer ones are codes, such as the 19 of a parcel number
LONGITUDES = ("lon", "lng", "long", "longitude", "경도")
LATITUDES = ("lat", "latitude", "위도")
EASTINGS = ("x", "east", "easting", "xcoord", "coordx", "coordinatex", "x좌표", "좌표x", "동향", *LONGITUDES)
NORTHINGS = ("y", "north", "northing", "ycoord", "coordy", "coordinatey", "y좌표", "좌표y", "북향", *LATITUDES)
HEIGHTS = ("z", "elevation", "altitude", "표고", "고도", "해발고도")


class CsvOptions(FormatOptions):
    """What a user may say about a table."""

    encoding: str = OptionField("", title="Encoding of the texts", description="empty = found by the bytes")
    x_column: str = OptionField("", title="Column with the easting or longitude")
    y_column: str = OptionField("", title="Column with the northing or latitude")


@dataclass(frozen=True)
class CsvTable:
    """A table as read: columns of equal length, how many rows, and doubts."""

    columns: dict[str, Column]
    rows: int
    encoding: str
    issues: tuple[Issue, ...]


def sniff(path: Path, head: bytes) -> bool:
    """Whether a file called .csv or .tsv starts with a line of text that can be columns."""
    if path.suffix.lower() not in (".csv", ".tsv"):
        return False
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return b"\0" not in head and bool(start) and start[:1] not in b"{[<"


def read_table(path: Path, *, encoding: str = "") -> CsvTable:
    """All columns of a table whose first line names them. Raises `UserError`.

    The encoding is UTF-8 or UTF-16 where the bytes are, else CP949. A column is of numbers where every value is one
    and none is a code (a leading 0, more than 15 digits).
    """
    if path.stat().st_size > MOST_BYTES:
        raise unreadable(path, "it is larger than 1 GB")
    text, used, issues = decoded(path.read_bytes(), encoding, path)
    lines = _lines(text, path)
    if not lines:
        raise unreadable(path, "it has no line of text")
    names = unique_names(lines[0])
    if len(names) > MOST_COLUMNS:
        raise unreadable(path, f"it has {len(names)} columns")
    body = lines[1:]
    ragged = sum(len(line) != len(names) for line in body)
    if ragged:
        message = f"{ragged} lines have more or fewer values than the first line has names; they were filled or cut."
        issues.append(Issue("csv.ragged", message, "doubt", count=ragged))
    columns = {
        name: typed([line[number].strip() if number < len(line) else "" for line in body])
        for number, name in enumerate(names)
    }
    return CsvTable(columns, len(body), used, tuple(issues))


def decoded(data: bytes, said: str, path: Path) -> tuple[str, str, list[Issue]]:
    """The text of a table, the encoding it was found in, and what is to be said about that."""
    if said:
        try:
            return data.decode(said, errors="replace"), said, []
        except (LookupError, ValueError):
            raise unreadable(path, f"there is no encoding called {said}") from None
    for name in ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp949"):
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        note = Issue("vector.encoding_found", "The texts were read as CP949, as their bytes tell.", "note",
                     values={"encoding": "CP949", "said": "-"})  # fmt: skip
        return text, name, [note] if name == "cp949" else []
    wrong = data.decode("utf-8", errors="replace")
    message = "Some letters are neither UTF-8 nor CP949; they were replaced."
    return (
        wrong,
        "utf-8",
        [Issue("csv.letters_replaced", message, "doubt", count=wrong.count("\N{REPLACEMENT CHARACTER}"))],
    )


def _lines(text: str, path: Path) -> list[list[str]]:
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    try:
        found = list(csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise unreadable(path, str(error)) from error
    return [line for line in found if any(value.strip() for value in line)]


def unique_names(header: Sequence[str]) -> list[str]:
    """Names of columns, each once; an empty one gets its number."""
    names: list[str] = []
    taken: set[str] = set()
    for number, title in enumerate(header):
        wish = name = title.strip() or f"column {number + 1}"
        again = 2
        while name in taken:
            name, again = f"{wish} {again}", again + 1
        taken.add(name)
        names.append(name)
    return names


def typed(values: list[str]) -> Column:
    """Texts as a column of numbers where all that are there are numbers, else of text."""
    present = [value for value in values if value]
    if present and not any(_is_code(value) for value in present):
        try:
            whole = [float(value.replace(",", "")) if value else np.nan for value in values]
        except ValueError:
            whole = []
        if whole:
            array = np.array(whole)
            if len(present) == len(values) and all(value.lstrip("-").isdigit() for value in values):
                return Column(array.astype(np.int64))
            return Column(np.where(np.isfinite(array), array, np.nan))
    return Column(np.array([*(value or None for value in values), None], dtype=object)[:-1])


def _is_code(value: str) -> bool:
    digits = value.lstrip("+-")
    starts_with_zero = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    return starts_with_zero or (digits.isdigit() and len(digits) > LONGEST_NUMBER) or "_" in value


def unreadable(path: Path, reason: str) -> UserError:
    """The error of a table that cannot be read."""
    return UserError(
        f"{path.name} cannot be read as a table.",
        f"A table is text whose first line names the columns ({reason.strip()[:160]}).",
        "Save it again as CSV in UTF-8.",
        code="csv.unreadable",
        values={"name": path.name, "reason": reason.strip()[:160]},
    )


@dataclass(frozen=True)
class Places:
    """Coordinates (n, 3) of the rows (NaN where they say none) and the CRS the columns themselves tell."""

    points: Floats
    crs: str | None


def places(table: CsvTable, own: CsvOptions | None = None) -> Places | None:
    """Where the rows lie; None where no columns say it. Longitudes and latitudes in degrees are taken as WGS 84."""
    own = own or CsvOptions()
    x, y = _column(table, EASTINGS, own.x_column), _column(table, NORTHINGS, own.y_column)
    if not x or not y or x == y:
        return None
    z = _column(table, HEIGHTS, "")
    east, north = numbers(table.columns[x]), numbers(table.columns[y])
    height = numbers(table.columns[z]) if z else np.full(len(east), np.nan)
    known = np.isfinite(east) & np.isfinite(north)
    if not known.any():
        return None
    named = plain(x) in LONGITUDES and plain(y) in LATITUDES
    degrees = named and bool((np.abs(east[known]) <= 180).all() and (np.abs(north[known]) <= 90).all())
    if degrees:
        lost = known & _lost(east, north)
        if lost[known].all():
            return None
        east, north = np.where(lost, np.nan, east), np.where(lost, np.nan, north)
    return Places(np.column_stack([east, north, height]), "EPSG:4326" if degrees else None)


def _lost(east: Floats, north: Floats) -> NDArray[np.bool_]:
    """(n,) degrees that are no place: 0, 0 where nobody entered one, and a few rows on another side of the Earth."""
    nowhere = (east == 0) & (north == 0)
    there = np.isfinite(east) & np.isfinite(north) & ~nowhere
    if not there.any():
        return nowhere
    middle = np.median(east[there]), np.median(north[there])
    away = there & (np.maximum(np.abs(east - middle[0]), np.abs(north - middle[1])) > STRAY_DEGREES)
    few = away.sum() <= STRAY_SHARE * there.sum()
    return np.asarray(nowhere | (away if few else False))


def _column(table: CsvTable, wanted: Sequence[str], said: str) -> str:
    if said:
        found = next((name for name in table.columns if plain(name) == plain(said)), "")
        if not found:
            raise UserError(
                f"The table has no column '{said}'.",
                f"Its columns are: {', '.join(list(table.columns)[:40])}.",
                "Name one of these.",
                code="csv.no_column",
                values={"column": said, "columns": ", ".join(list(table.columns)[:40])},
            )
        return found
    by_plain = {plain(name): name for name in reversed(list(table.columns))}
    return next((by_plain[word] for word in wanted if word in by_plain), "")


def inspect(path: Path) -> FileInfo:
    """Rows, columns, and where the rows lie if they say it."""
    table = read_table(path)
    found = places(table)
    details: dict[str, object] = {"columns": list(table.columns), "encoding": table.encoding}
    counts = {"rows": table.rows}
    if found is None:
        return FileInfo("csv", TITLE, counts=counts, issues=table.issues, details=details, place_is_weak=True)
    low, high = np.nanmin(found.points[:, :2], axis=0), np.nanmax(found.points[:, :2], axis=0)
    bounds = (float(low[0]), float(low[1]), 0.0, float(high[0]), float(high[1]), 0.0)
    issues = list(table.issues)
    if found.crs is None:
        issues.append(Issue("crs.not_said", "The file does not name a coordinate system.", "doubt"))
    return FileInfo("csv", TITLE, "", found.crs, "", bounds, counts, tuple(issues), details)


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """One layer: points where the table says x and y, else a table without a place."""
    from geo.formats.vector import checked_kind  # which itself joins tables

    own = options.own if isinstance(options.own, CsvOptions) else CsvOptions()
    said = checked_kind(options.kind)
    feedback.step(0.0, f"reading {path.name}")
    table = read_table(path, encoding=own.encoding)
    if table.rows == 0:
        raise unreadable(path, "it has no row below its names")
    feedback.step(0.6, "placing rows")
    found = places(table, own)
    key = id_column(table.columns)
    ids = table.columns[key].values if key else np.arange(table.rows)
    elements = ElementTable([str(i) for i in ids], table.columns)
    theme, notes = _theme(path, table, said, placed=found is not None)
    layer = Layer("table", path.stem, theme, None, elements, source=Source(part="table"),
                  issues=(*table.issues, *notes))  # fmt: skip
    if found is not None:
        layer = _pointed(layer, found, path, frame, options)
    if theme == "utility":
        from geo.formats.vector_utility_nodes import register_alone

        layer = register_alone(layer, path, frame, options, feedback)
    feedback.step(1.0, "read")
    return [layer] if layer.geometry is None or len(layer.table) else []


def _theme(path: Path, table: CsvTable, said: Meaning | None, *, placed: bool) -> tuple[str, list[Issue]]:
    """What the rows are: as the user says, else cameras where columns or the name say so."""
    from geo.formats.camera_columns import camera_mark

    if said is not None:
        return (said.theme if said.theme in THEMES else "other"), []
    by, mark = camera_mark(path.stem, table.columns) if placed else ("", "")
    if not by:
        return "other", []
    message = f"{path.stem} was taken for camera by its {by} {mark}."
    values = {"layer": path.stem, "word": "camera", "mark": mark}
    return "camera", [Issue(f"vector.meaning_by_{by}", message, "note", values=values)]


def _pointed(layer: Layer, found: Places, path: Path, frame: Frame, options: ReadOptions) -> Layer:
    """The layer with a point for every row that has a place inside the box."""
    crs = coordinates.canonical(options.crs) if options.crs else found.crs
    if crs is None:
        raise MissingCrs(path.name)
    has_place = np.isfinite(found.points[:, :2]).all(axis=1)
    local = np.full(found.points.shape, np.nan)
    local[has_place] = coordinates.to_local(np.nan_to_num(found.points[has_place]), crs, frame)
    usable = np.isfinite(local).all(axis=1)
    if not usable.any():
        raise far_away(path.name, frame)
    inside = usable.copy()
    if options.box is not None:
        place = local[:, :2] + np.array(frame.origin[:2])
        west, south, east, north = options.box
        inside &= ((place >= (west, south)) & (place <= (east, north))).all(axis=1)
    rows = np.flatnonzero(inside)
    points = local[rows]
    flat = ~np.isfinite(found.points[rows, 2])
    ground, _ = terrain.ground_or_nearest(options.terrain, points[flat, 0], points[flat, 1])
    points[flat, 2] = ground
    issues = list(layer.issues)
    if found.crs and not options.crs:
        message = "Longitude and latitude are named without a datum; they were taken as WGS 84 (EPSG:4326)."
        issues.append(Issue("csv.taken_as_degrees", message, "note"))
    lost = int((~usable).sum())
    if lost:
        message = f"{lost} rows say no usable place and were left out."
        issues.append(Issue("csv.no_place", message, "error", count=lost))
    columns = {name: Column(c.values[rows], c.unit, c.title) for name, c in layer.table.columns.items()}
    elements = ElementTable(layer.table.ids[rows], columns)
    geometry = Points(points, np.arange(len(rows), dtype=np.int32))
    layer = layer.with_(geometry=geometry, table=elements, issues=tuple(issues))
    if layer.theme == "camera":
        from geo.formats.camera_columns import as_cameras

        return as_cameras(layer, frame, options.terrain, ~flat)
    return layer


FORMAT = Format(
    id="csv",
    title=TITLE,
    patterns=("*.csv", "*.tsv"),
    sniff=sniff,
    inspect=inspect,
    read=read,
    options=CsvOptions,
    version=2,  # tables of cameras
)
