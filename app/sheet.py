"""Headless. The elements of a layer as a sheet: columns of numbers and texts that sort, search and add up as arrays."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TextIO
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from app.hangul import initials, is_initials
from app.numbers import unit_text
from app.words import class_name
from geo.model import Column, ElementTable, Feedback, Field, Layer

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
MISSING = "–"
ID_KEY = "id"
BREAK = "\n"  # between texts that are searched as one
GROUPED_FROM = 10_000  # years and house numbers are written without a separator
ROWS_PER_STEP = 2_000
MOST_CLASSES = 200  # different texts up to which they may be words of the program's own, shown in the user's language
FIGURES = re.compile(r"\d+")
FIGURES_AT_MOST = 12


@dataclass(frozen=True)
class Coded:
    """Texts as numbers: `codes` (n,) int32 into `names`, which are in order; -1 where there is none."""

    codes: NDArray[np.int32]
    names: tuple[str, ...]


def natural(text: str) -> str:
    """A key to sort by: letters of either case alike, figures by their value.

    Examples
    --------
    >>> sorted(["House 10", "house 9", "House 2"], key=natural)
    ['House 2', 'house 9', 'House 10']
    """
    return FIGURES.sub(_padded, text.casefold())


def _padded(match: re.Match[str]) -> str:
    return match.group().zfill(FIGURES_AT_MOST)


class SheetColumn:
    """One column.

    Parameters
    ----------
    values : (n,) array
        Numbers, truth values, or texts (object, None = missing). Codes when `categories` is given.
    """

    def __init__(
        self,
        key: str,
        *,
        values: NDArray[np.generic],
        unit: str = "",
        title: str = "",
        categories: tuple[str, ...] = (),
    ) -> None:
        self.key, self.values, self.unit, self.title, self.categories = key, values, unit, title, categories

    @property
    def is_number(self) -> bool:
        """Whether it can be summed up."""
        return not self.categories and self.values.dtype.kind in "fiu"

    @property
    def is_flag(self) -> bool:
        """Whether it holds yes and no."""
        return not self.categories and self.values.dtype.kind == "b"

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """The values as float64, NaN where there is none; yes is one."""
        if self.is_number or self.is_flag:
            return self.values.astype(np.float64)
        return np.full(len(self.values), np.nan)

    @cached_property
    def coded(self) -> Coded:
        """The texts as numbers in alphabetic order."""
        if self.categories:
            return self._coded_categories()
        if self.values.dtype != object:
            texts = [self.text_at(row) for row in range(len(self.values))]
        else:
            texts = ["" if value is None else str(value) for value in self.values]
        names = tuple(sorted({text for text in texts if text}, key=natural))
        number = {text: code for code, text in enumerate(names)}
        return Coded(np.array([number.get(text, -1) for text in texts], dtype=np.int32), names)

    def _coded_categories(self) -> Coded:
        order = sorted(range(len(self.categories)), key=lambda code: natural(self.categories[code]))
        place = np.full(len(order) + 1, -1, dtype=np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        codes = self.values.astype(np.int64)
        codes[(codes < 0) | (codes >= len(order))] = len(order)
        return Coded(place[codes], tuple(self.categories[code] for code in order))

    @cached_property
    def known(self) -> Mask:
        """(n,) whether there is a value."""
        return np.isfinite(self.numbers) if self.is_number or self.is_flag else self.coded.codes >= 0

    @cached_property
    def decimals(self) -> int:
        """Figures after the point, the same for the whole column so that points stand below each other."""
        values = self.numbers[self.known]
        if values.size == 0 or self.values.dtype.kind in "iu" or bool(np.all(values == np.round(values))):
            return 0
        largest = float(np.abs(values).max())
        wanted = 3 if largest < 1 else 2 if largest < 1000 else 1
        enough = next((d for d in range(wanted) if np.allclose(values, np.round(values, d), atol=1e-9)), wanted)
        return max(enough, 1)

    @cached_property
    def _is_grouped(self) -> bool:
        values = self.numbers[self.known]
        return bool(values.size and np.abs(values).max() >= GROUPED_FROM)

    def text_at(self, row: int) -> str:
        """What a cell shows; empty where there is no value."""
        value = self.values[row]
        if self.categories:
            return self.categories[int(value)] if 0 <= int(value) < len(self.categories) else ""
        if self.is_flag:
            return "✓" if value else "✗"
        return self.number_text(float(value)) if self.is_number else "" if value is None else str(value)

    def shown_at(self, row: int) -> str:
        """The same in the user's language, where it is a word of the program's own."""
        text = self.text_at(row)
        return text if self.is_number or self.is_flag else class_name(self.key, text)

    def number_text(self, value: float) -> str:
        """A number with the figures of this column."""
        if not math.isfinite(value):
            return ""
        return f"{value:,.{self.decimals}f}" if self._is_grouped else f"{value:.{self.decimals}f}"

    @cached_property
    def _sort_keys(self) -> NDArray[np.float64]:
        return self.numbers if self.is_number or self.is_flag else self.coded.codes.astype(np.float64)

    def order(self, rows: Rows, *, descending: bool = False) -> Rows:
        """The rows by value, equal ones as they were; missing values last in either direction."""
        keys = self._sort_keys[rows]
        known = self.known[rows]
        keys = np.where(known, -keys if descending else keys, np.inf)
        return rows[np.argsort(keys, kind="stable")]

    @cached_property
    def _searched(self) -> tuple[str, NDArray[np.int64]]:
        """All names as one text in lower case, and where each begins: searched at the speed of `str.find`."""
        names = [name.replace(BREAK, " ").casefold() for name in self.coded.names]
        starts = np.cumsum([0, *(len(name) + 1 for name in names)])
        return BREAK.join(names), starts

    @cached_property
    def _searched_initials(self) -> tuple[str, NDArray[np.int64]]:
        names = [initials(name.replace(BREAK, " ")).replace(" ", "") for name in self.coded.names]
        starts = np.cumsum([0, *(len(name) + 1 for name in names)])
        return BREAK.join(names), starts

    def get_ready(self) -> None:
        """Make what searching needs, so that the first search is as quick as the others."""
        if not self.is_number and not self.is_flag:
            self.containing("ㄱㄱ")

    def containing(self, words: str) -> Mask:
        """(n,) whether the text contains the words, or has the initial consonants asked for."""
        names = np.zeros(len(self.coded.names) + 1, dtype=np.bool_)  # the last one is that of missing texts
        _mark(names, *self._searched, words.casefold())
        if is_initials(words):
            _mark(names, *self._searched_initials, words.replace(" ", ""))
        if len(self.coded.names) <= MOST_CLASSES:
            shown = [words.casefold() in class_name(self.key, name).casefold() for name in self.coded.names]
            names[:-1] |= np.array(shown, dtype=np.bool_)  # of a column without any text an empty one
        return names[self.coded.codes]


def _mark(names: Mask, joined: str, starts: NDArray[np.int64], words: str) -> None:
    place = joined.find(words) if words else -1
    while place >= 0:
        row = int(np.searchsorted(starts, place, side="right")) - 1
        names[row] = True
        place = joined.find(words, int(starts[row + 1])) if row + 1 < len(starts) else -1


@dataclass(frozen=True, eq=False)
class Sheet:
    """The columns of a layer by key; the first is the id."""

    columns: Mapping[str, SheetColumn]

    def __len__(self) -> int:
        return len(self.columns[ID_KEY].values)

    @property
    def all_rows(self) -> Rows:
        """Every row in the order of the file."""
        return np.arange(len(self), dtype=np.int64)

    def named(self, name: str) -> SheetColumn | None:
        """The column a person means: by key or by title, letters of either case."""
        wanted = name.strip().casefold()
        for column in self.columns.values():
            if wanted in (column.key.casefold(), column.title.casefold()):
                return column
        return None


_columns: WeakKeyDictionary[object, SheetColumn] = WeakKeyDictionary()


def sheet_of(layer: Layer) -> Sheet:
    """The sheet of a layer. What was sorted or searched once is remembered with the column, not with the layer."""
    found = {ID_KEY: _id_column(layer.table)}
    for name, column in layer.table.columns.items():
        key = name if name != ID_KEY else f"{ID_KEY} "
        found[key] = _column_of(key, column)
    for field in layer.fields:
        if field.on == "element" and field.values.shape == (len(layer.table),) and field.name not in found:
            found[field.name] = _field_column(field)
    return Sheet(found)


def _id_column(table: ElementTable) -> SheetColumn:
    if table not in _columns:
        _columns[table] = SheetColumn(ID_KEY, values=table.ids)
    return _columns[table]


def _column_of(key: str, column: Column) -> SheetColumn:
    if column not in _columns:
        _columns[column] = SheetColumn(key, values=column.values, unit=column.unit, title=column.title)
    return _columns[column]


def _field_column(field: Field) -> SheetColumn:
    if field not in _columns:
        _columns[field] = SheetColumn(field.name, values=field.values, unit=field.unit, categories=field.categories)
    return _columns[field]


@dataclass(frozen=True)
class Statistics:
    """Of the values of one column. Sum, mean and ends are NaN for texts and where there is no value."""

    count: int
    missing: int
    sum: float = math.nan
    mean: float = math.nan
    low: float = math.nan
    high: float = math.nan
    different: int = 0


def statistics(column: SheetColumn, rows: Rows) -> Statistics:
    """Count, sum, mean and ends of a column in some rows."""
    known = column.known[rows]
    count = int(known.sum())
    missing = len(rows) - count
    if not column.is_number:
        codes = column.coded.codes[rows][known] if not column.is_flag else column.values[rows]
        return Statistics(count, missing, different=len(np.unique(codes)))
    values = column.numbers[rows][known]
    if count == 0:
        return Statistics(0, missing)
    total = float(math.fsum(values)) if count < ROWS_PER_STEP else float(values.sum())
    return Statistics(count, missing, total, total / count, float(values.min()), float(values.max()))


def by_class(column: SheetColumn, classes: SheetColumn, rows: Rows) -> list[tuple[str, Statistics]]:
    """Statistics of a column for each text of another, the most frequent first; an empty name for those without."""
    codes = classes.coded.codes[rows]
    order = np.argsort(codes, kind="stable")
    ends = np.flatnonzero(np.diff(codes[order])) + 1
    groups = [group for group in np.split(order, ends) if len(group)]
    groups.sort(key=len, reverse=True)
    names = (*classes.coded.names, "")
    return [(names[int(codes[group[0]])], statistics(column, rows[group])) for group in groups]


def write_rows(
    target: TextIO,
    sheet: Sheet,
    rows: Rows,
    *,
    titles: Mapping[str, str] | None = None,
    delimiter: str = ",",
    feedback: Feedback | None = None,
) -> None:
    """Rows as separated text with a line of titles; numbers in full, missing values empty.

    titles : mapping of str to str, optional
        Names of the columns by key; with their units. Without it the keys themselves.
    """
    writer = csv.writer(target, delimiter=delimiter, lineterminator="\r\n")
    for lines in plain_rows(sheet, rows, titles=titles, feedback=feedback):
        writer.writerows(lines)


def plain_rows(
    sheet: Sheet, rows: Rows, *, titles: Mapping[str, str] | None = None, feedback: Feedback | None = None
) -> Iterator[list[tuple[object, ...]]]:
    """The line of titles and then the rows, some at a time: numbers in full, missing values as empty texts.

    With `titles`, what people read, words of the program's own are in the user's language as well.
    """
    feedback = feedback or Feedback()
    columns = list(sheet.columns.values())
    yield [tuple((titles or {}).get(column.key, _title(column)) for column in columns)]
    words = [_words(column) if titles is not None else {} for column in columns]
    for start in range(0, len(rows), ROWS_PER_STEP):
        feedback.step(start / len(rows), "writing")
        part = rows[start : start + ROWS_PER_STEP]
        values = [_plain(column, part) for column in columns]
        said = [[known.get(v, v) for v in own] if known else own for own, known in zip(values, words, strict=True)]
        yield list(zip(*said, strict=True))


def _words(column: SheetColumn) -> dict[object, str]:
    """What to say for each text of a column that may hold words of the program's own."""
    if column.is_number or column.is_flag or len(column.coded.names) > MOST_CLASSES:
        return {}
    return {name: said for name in column.coded.names if (said := class_name(column.key, name)) != name}


def _title(column: SheetColumn) -> str:
    unit = unit_text(column.unit)
    return f"{column.title or column.key} [{unit}]" if unit else column.title or column.key


def _plain(column: SheetColumn, rows: Rows) -> Sequence[object]:
    if column.categories:
        return [column.text_at(int(row)) for row in rows]
    values = column.values[rows].tolist()
    if column.values.dtype.kind == "f":
        return [_number(value) for value in values]
    return ["" if value is None else value for value in values]


def _number(value: float) -> object:
    if not math.isfinite(value):
        return ""
    return int(value) if value == int(value) and abs(value) < 1e15 else value
