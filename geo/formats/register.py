"""Registers of utilities (CSV, XLSX): read at once, joined to the map by id, what is left over on either side said."""

from __future__ import annotations

import dataclasses
import io
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import crs as coordinates
from geo import joins, utility_fields
from geo.formats import csv_table
from geo.formats.csv_table import CsvTable, places
from geo.formats.vector_source import Features
from geo.model import Column, ElementTable, Frame, Issue, Layer, Source, UserError

Rows = NDArray[np.int64]
Texts = NDArray[np.object_]
Floats = NDArray[np.float64]
NAMED = 50  # ids an issue lists at most
LOOKED_AT = 200  # different values by which a column is taken for text
HEADER_ROWS = 20  # of a sheet that are looked at for the names of the columns
MOST_UNZIPPED = 2**30
# A book of real rows is packed to a tenth, at most to a fiftieth; one far beyond that is made to fill the memory.
BOMB_BYTES, BOMB_RATIO = 64 * 2**20, 200
MOST_CELLS = 25_000_000  # more than the rows of a full sheet times twenty columns
# What openpyxl raises for a damaged book; ParseError of the XML is a SyntaxError.
BOOK_TROUBLE = (
    *(zipfile.BadZipFile, zlib.error, SyntaxError, KeyError, ValueError, TypeError, IndexError, AttributeError),
    *(EOFError, OSError, RuntimeError, NotImplementedError, OverflowError, AssertionError),
)
ELSEWHERE = 50.0  # [m] median distance between a register's coordinates and the map's that is worth a doubt
SAMPLED = 2000  # rows compared
# Systems that Korean registers come in, tried where the coordinates do not fit.
USUAL_SYSTEMS = (
    *("EPSG:5186", "EPSG:5187", "EPSG:5185", "EPSG:5188", "EPSG:5179", "EPSG:5174", "EPSG:5181", "EPSG:2097"),
    *("EPSG:5178", "EPSG:4326", "EPSG:32652", "EPSG:32651"),
)


def read_register(path: Path) -> CsvTable:
    """A CSV, TSV or XLSX table; columns of numbers where every value is one and none is a code. Raises `UserError`."""
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        return read_sheet(path)
    if path.stat().st_size > csv_table.MOST_BYTES:
        raise csv_table.unreadable(path, "it is larger than 1 GB")
    return _read_fast(path) or csv_table.read_table(path)


def _read_fast(path: Path) -> CsvTable | None:
    """A regular table read by pandas; None for one whose lines are not all as long as the first."""
    import pandas as pd

    text, used, issues = csv_table.decoded(path.read_bytes(), "", path)
    if "\0" in text:
        return None
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(csv_table.DELIMITERS, key=first.count)
    try:
        frame = pd.read_csv(
            io.StringIO(text), sep=delimiter, dtype=str, header=None, keep_default_na=False, na_filter=True,
            na_values=[""], skip_blank_lines=True, engine="c", low_memory=False,
        )  # fmt: skip
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError):
        return None
    if len(frame) == 0 or len(frame.columns) > csv_table.MOST_COLUMNS:
        return None
    if frame.iloc[:, -1].isna().any() and not _is_regular(text, delimiter, frame.shape):
        return None  # a last cell that is empty may be a line too short, which the careful reader reports
    names = csv_table.unique_names([str(name) if isinstance(name, str) else "" for name in frame.iloc[0]])
    body = frame.iloc[1:].dropna(how="all")  # spreadsheets leave lines of delimiters below the last row
    columns = {
        name: (_as_text if utility_fields.is_facility_id(name) else _typed)(body.iloc[:, number].to_numpy(dtype=object))
        for number, name in enumerate(names)
    }
    return CsvTable(columns, len(body), used, tuple(issues))


def _is_regular(text: str, delimiter: str, shape: tuple[int, int]) -> bool:
    """Whether every line surely has as many cells as the first: no quotes, and the right number of delimiters."""
    return '"' not in text and text.count(delimiter) == shape[0] * (shape[1] - 1)


def _as_text(values: Texts) -> Column:
    """Ids are text whatever they look like; None where empty."""
    import pandas as pd

    return Column(np.where(pd.isna(values), None, values))


def _typed(values: Texts) -> Column:
    """Texts (NaN where empty) as a column, judged by the different ones."""
    import pandas as pd

    codes, unique = pd.factorize(values, use_na_sentinel=True)
    texts = [str(text).strip() for text in unique.tolist()]
    head = csv_table.typed(texts[:LOOKED_AT])
    if head.values.dtype.kind == "O" and any(texts[:LOOKED_AT]):
        column = Column(np.array([*(text or None for text in texts), None], dtype=object)[:-1])
    else:
        column = csv_table.typed(texts)
    if column.values.dtype.kind == "O":
        return Column(np.append(column.values, [None])[codes])
    if (codes < 0).any():
        return Column(np.append(column.values.astype(np.float64), [np.nan])[codes])
    return Column(column.values[codes])


def read_sheet(path: Path) -> CsvTable:
    """The first sheet of a workbook that has rows; lines above the names of the columns are skipped."""
    try:
        return _read_sheet(path)
    except UserError:
        raise
    except BOOK_TROUBLE as error:
        raise csv_table.unreadable(path, str(error) or type(error).__name__) from error


def _read_sheet(path: Path) -> CsvTable:
    import openpyxl

    _check_size(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and validation, which do not matter here
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            for sheet in book.worksheets:
                rows = _rows_of(path, sheet)
                if len(rows) > 1:
                    return _sheet_table(rows, sheet.title, len(book.worksheets))
        finally:
            book.close()
    raise csv_table.unreadable(path, "no sheet has rows below its names")


def _check_size(path: Path) -> None:
    """Refuse a book that is made to fill the memory."""
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > MOST_UNZIPPED or unpacked > max(BOMB_BYTES, BOMB_RATIO * path.stat().st_size):
        raise csv_table.unreadable(path, f"it would unpack to {unpacked >> 20} MB")


def _rows_of(path: Path, sheet: Any) -> list[list[object]]:
    """Rows that hold something, without the empty cells at their ends."""
    sheet.reset_dimensions()  # the size a sheet declares may be anything, and every row would be filled up to it
    rows, cells = [], 0
    for values in sheet.iter_rows(values_only=True):
        row = list(values)
        while row and (row[-1] is None or not str(row[-1]).strip()):
            row.pop()
        if not row:
            continue
        cells += len(row)
        if len(row) > csv_table.MOST_COLUMNS or cells > MOST_CELLS:
            raise csv_table.unreadable(path, f"the sheet {sheet.title} has more than {csv_table.MOST_COLUMNS} columns "
                                       f"or {MOST_CELLS // 10**6} million cells")  # fmt: skip
        rows.append(row)
    return rows


def _sheet_table(rows: list[list[object]], title: str, sheets: int) -> CsvTable:
    filled = [sum(cell is not None for cell in row) for row in rows[:HEADER_ROWS]]
    start = next(number for number, count in enumerate(filled) if count >= 0.6 * max(filled))
    width = max(len(row) for row in rows)
    names = csv_table.unique_names([_cell(cell) for cell in rows[start] + [None] * (width - len(rows[start]))])
    body = [row + [None] * (width - len(row)) for row in rows[start + 1 :]]
    columns = {}
    for number, name in enumerate(names):
        cells = [row[number] for row in body]
        if all(isinstance(cell, int | float) and not isinstance(cell, bool) or cell is None for cell in cells):
            values = np.array([np.nan if cell is None else float(cell) for cell in cells])  # type: ignore[arg-type]
            columns[name] = Column(values.astype(np.int64) if _whole(values) else values)
        else:
            columns[name] = csv_table.typed([_cell(cell) for cell in cells])
    issues = []
    if start or sheets > 1:
        message = f"The sheet {title} was read; {start} lines above the names of its columns were skipped."
        values_ = {"sheet": title, "lines": start, "sheets": sheets}
        issues.append(Issue("register.sheet", message, "note", count=start, values=values_))
    return CsvTable(columns, len(body), "xlsx", tuple(issues))


def _whole(values: Floats) -> bool:
    return bool(np.isfinite(values).all() and (values == np.round(values)).all() and (np.abs(values) < 2**53).all())


def _cell(cell: object) -> str:
    if cell is None:
        return ""
    text = cell.isoformat() if hasattr(cell, "isoformat") else str(cell)
    return text.removesuffix("T00:00:00").strip()


# --- joining


@dataclass(frozen=True)
class Joined:
    """Features with the columns of a register, and the rows of it that no feature has."""

    features: Features
    left_over: ElementTable

    def left_over_layer(self, part: str, name: str) -> list[Layer]:
        """The rows that no feature has, as a table of their own: they are not lost."""
        if len(self.left_over) == 0:
            return []
        message = f"{len(self.left_over)} rows of the register have no line or point in the map; they are kept here."
        issue = Issue("register.without_map", message, "doubt", len(self.left_over),
                      tuple(str(i) for i in self.left_over.ids[:NAMED]))  # fmt: skip
        return [
            Layer(part, name, "utility", None, self.left_over, stratum="underground", source=Source(part=part),
                  issues=(issue,))
        ]  # fmt: skip


def id_columns(features: Features, table: CsvTable, key: str, column: str) -> tuple[str, str] | None:
    """The columns of the map and of the register that hold the ids; None where they are not known by name."""
    mine = key or _id_name(features.columns)
    other = column or (key if key in table.columns else _id_name(table.columns))
    if not mine or not other:
        return None
    for name, columns in ((mine, features.columns), (other, table.columns)):
        if name not in columns:
            raise joins.no_such_key(name, list(columns))
    return mine, other


def _id_name(columns: Iterable[str]) -> str:
    found = utility_fields.roles_of(columns, ("id",), {})
    return found["id"].name if found else ""


def joined_register(
    features: Features, table: CsvTable, file: Path, *, keys: tuple[str, str], frame: Frame
) -> Joined | None:
    """Features with the register's columns; None where hardly any id is on both sides, so that it is no key."""
    left = _key_texts(features.columns[keys[0]])
    right = _key_texts(table.columns[keys[1]])
    rows, again = matched(left, right)
    found = rows >= 0
    if found.sum() < joins.ENOUGH * max(min(len(left), table.rows), 1) and not (found.any() and _are_ids(keys)):
        return None
    used = np.zeros(table.rows, dtype=bool)
    used[rows[found]] = True
    columns, notes = _merged(features.columns, table.columns, rows, without=keys[1])
    rest = np.flatnonzero(~used & ~again)
    issues = [*features.issues, *table.issues, *notes, *_report(features, rows, rest, file, keys)]
    lost = np.flatnonzero(again)
    if len(lost):
        message = f"{len(lost)} rows of {file.name} have the id of an earlier one; the first was taken."
        named = tuple(dict.fromkeys(str(i) for i in right[lost[:NAMED]]))
        issues.append(Issue("join.duplicates", message, "doubt", len(lost), named, {"name": file.name}))
    issues += _elsewhere(features, table, rows, frame, file)
    left_over = ElementTable(
        [str(right[row] or f"row-{row + 1}") for row in rest],
        {name: Column(column.values[rest], column.unit, column.title) for name, column in table.columns.items()},
    )
    return Joined(dataclasses.replace(features, columns=columns, issues=tuple(issues)), left_over)


def _are_ids(keys: tuple[str, str]) -> bool:
    """Whether both columns are called the id of a facility, so that even few partners count."""
    return all(utility_fields.is_facility_id(name) for name in keys)


def _key_texts(column: Column) -> Texts:
    """Ids as text, None for none; whole numbers without ``.0``."""
    texts = utility_fields.texts_of(column)
    return texts.copy()


def matched(left: Texts, right: Texts) -> tuple[Rows, NDArray[np.bool_]]:
    """Row of `right` with the id of each of `left` (-1 none), and which rows of `right` repeat an earlier id.

    Ids that differ in spaces, case or a ``.0`` only are the same.
    """
    import pandas as pd

    again = pd.Series(right).duplicated().to_numpy() & ~pd.isna(right)
    usable = np.flatnonzero(~again & ~pd.isna(right))
    where = pd.Index(right[usable]).get_indexer(pd.Index(left, dtype=object))
    rows = np.where(where >= 0, usable[np.maximum(where, 0)] if len(usable) else -1, -1)
    rows[pd.isna(left)] = -1
    open_left = np.flatnonzero((rows < 0) & ~pd.isna(left))
    taken = np.zeros(len(right), dtype=bool)
    taken[rows[rows >= 0]] = True
    open_right = usable[~taken[usable]]
    if len(open_left) and len(open_right):
        found, _ = joins.matched_rows(joins.key_texts(left[open_left]), joins.key_texts(right[open_right]))
        rows[open_left] = np.where(found >= 0, open_right[np.maximum(found, 0)], -1)
    return rows.astype(np.int64), again


def _merged(
    mine: Mapping[str, Column], table: Mapping[str, Column], rows: Rows, *, without: str
) -> tuple[dict[str, Column], list[Issue]]:
    """Columns of both; of two with one name the register counts where it says something."""
    by_plain = {utility_fields.plain(name): name for name in mine}
    new = joins.taken_columns({}, table, rows, without=without)
    out, differing = dict(mine), []
    for name, column in new.items():
        twin = by_plain.get(utility_fields.plain(name), "")
        if not twin:
            out[name] = column
            continue
        said, had = ~_is_missing(column.values), ~_is_missing(mine[twin].values)
        values, other = column.values, mine[twin].values
        if values.dtype.kind not in "fi" or other.dtype.kind not in "fi":
            values, other = values.astype(object), other.astype(object)
        both = said & had
        unlike = both & (values != other)
        out[twin] = Column(np.where(said, values, other), column.unit or mine[twin].unit)
        if unlike.any():
            differing.append((twin, int(unlike.sum())))
            out[f"{twin} (map)"] = mine[twin]
    if not differing:
        return out, []
    text = ", ".join(f"{name} {count}" for name, count in differing)
    message = f"Map and register say different things ({text}); the register was taken, the map's kept beside it."
    total = sum(count for _, count in differing)
    return out, [Issue("register.differs", message, "doubt", count=total, values={"columns": text})]


def _is_missing(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Which values say nothing: none, empty, 0."""
    import pandas as pd

    return np.asarray(pd.isna(values) | (values == 0) | (values == ""), dtype=bool)


def _report(features: Features, rows: Rows, rest: Rows, file: Path, keys: tuple[str, str]) -> list[Issue]:
    label = f"{keys[0]} = {keys[1]}"
    without = np.flatnonzero(rows < 0)
    count = len(rows) - len(without)
    message = f"{count} of {len(rows)} features found a row in {file.name} ({label}); {len(rest)} rows are left."
    values: dict[str, object] = {
        "name": file.name, "by": label, "matched": count, "all": len(rows), "unused": len(rest)
    }  # fmt: skip
    issues = [Issue("join.matched", message, "note", count=count, values=values)]
    if len(without):
        ids = utility_fields.texts_of(features.columns[keys[0]])[without[:NAMED]]
        message = f"{len(without)} features found no row in {file.name}; its columns are empty for them."
        named = tuple(str(i) for i in ids)
        issues.append(Issue("join.unmatched", message, "doubt", len(without), named, {"name": file.name}))
    return issues


def _elsewhere(features: Features, table: CsvTable, rows: Rows, frame: Frame, file: Path) -> list[Issue]:
    """A doubt where the register's own coordinates lie away from the map's, with the system that would fit."""
    import shapely

    found = places(table)
    mine = np.flatnonzero((rows >= 0) & ~shapely.is_missing(features.shapes))
    if found is None or len(mine) == 0:
        return []
    mine = mine[np.isfinite(found.points[rows[mine], :2]).all(axis=1)][:SAMPLED]
    if len(mine) == 0:
        return []
    points, shapes = np.nan_to_num(found.points[rows[mine]]), features.shapes[mine]

    def away(crs: str) -> float:
        local = coordinates.to_local(points, crs, frame)[:, :2]
        usable = np.isfinite(local).all(axis=1)
        if not usable.any():
            return np.inf
        return float(np.median(shapely.distance(shapely.points(local[usable]), shapes[usable])))

    said = found.crs or features.crs
    distance = away(said)
    if distance <= ELSEWHERE:
        return []
    tried = {crs: away(crs) for crs in dict.fromkeys((features.crs, frame.crs, *USUAL_SYSTEMS)) if crs != said}
    best = min(tried, key=lambda crs: tried[crs])
    fits = best if tried[best] <= ELSEWHERE else ""
    reason = f"they fit as {fits}" if fits else "no usual coordinate system makes them fit"
    message = (
        f"The coordinates in {file.name} lie {distance:.0f} m from the map (median, read as {said}); {reason}. "
        "The places of the map were used."
    )
    values: dict[str, object] = {"name": file.name, "metres": round(distance), "crs": said, "fits": fits or "-"}
    return [Issue("register.elsewhere", message, "doubt", count=len(mine), values=values)]


def absent(file: Path) -> UserError:
    """The error of a register that is not there."""
    return UserError(
        f"{file.name}, which is to be joined, is not there.",
        f"There is no file {file}.",
        "Put it beside the GIS file, or name it with its folder.",
        code="join.absent",
        values={"name": file.name, "path": str(file)},
    )
