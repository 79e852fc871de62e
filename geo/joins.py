"""Columns of a table joined to the elements of a layer, by a key that both have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.model import Column, ElementTable, Layer, UserError

Rows = NDArray[np.int64]
# Names of building and parcel keys in Korean registers and address maps, as `_plain` writes them.
KEY_NAMES = (
    *("bdmgtsn", "bldmgtsn", "건물관리번호", "관리건축물대장pk", "mgmbldrgstpk", "ufid", "gis건물통합식별번호"),
    *("pnu", "고유번호", "필지고유번호", "buildingid", "bldgid", "gmlid"),
)
ENOUGH = 0.3  # share of the shorter side that must find a partner of its own for a guessed key
TELLING = 5  # letters that keys have on average to be found by; shorter ones (storeys, running numbers) agree by chance
ELEMENT_ID = "(id)"  # stands for the ids of the elements where a key column is wanted


@dataclass(frozen=True)
class JoinReport:
    """What a join did.

    Attributes
    ----------
    key_layer, key_table : str
        Columns that were compared.
    matched, unmatched : int
        Elements that found a row, and that did not.
    duplicates : int
        Rows whose key an earlier row of the table has already; they were not used.
    unused : int
        Rows with a key that no element has.
    """

    key_layer: str
    key_table: str
    matched: int
    unmatched: int
    duplicates: int
    unused: int


class Keys(NamedTuple):
    """A pair of key columns and the share of the shorter side that finds a partner by it."""

    layer: str
    table: str
    share: float

    @property
    def are_known(self) -> bool:
        """Whether both names are those of keys."""
        return _plain(self.layer) in KEY_NAMES and _plain(self.table) in KEY_NAMES


def _plain(name: str) -> str:
    return re.sub(r"[\s_.:\-()]", "", name.lower())


def key_texts(values: NDArray[np.generic]) -> NDArray[np.object_]:
    """Keys as they are compared: text without spaces around, case and a decimal ``.0``; None for none.

    Examples
    --------
    >>> key_texts(np.array([" A1", "17.0", 17, 17.0, None, ""], dtype=object)).tolist()
    ['a1', '17', '17', '17', None, None]
    """
    texts = [_key_text(value) for value in values.tolist()]
    return np.array([*texts, None], dtype=object)[:-1]


def _key_text(value: object) -> str | None:
    if value is None or (isinstance(value, float) and value != value):
        return None
    text = str(value).strip().casefold()
    return re.sub(r"^(-?\d+)\.0+$", r"\1", text) or None


def matched_rows(left: NDArray[np.object_], right: NDArray[np.object_]) -> tuple[Rows, int]:
    """Row of `right` with the key of each of `left` (-1 none), the first of several; and how many were later ones."""
    first: dict[str, int] = {}
    present = 0
    for row, key in enumerate(right.tolist()):
        if key is not None:
            present += 1
            first.setdefault(key, row)
    rows = np.array([-1 if key is None else first.get(key, -1) for key in left.tolist()], dtype=np.int64)
    return rows, present - len(first)


def guess_keys(elements: ElementTable, table: Mapping[str, Column]) -> Keys | None:
    """The pair of columns by which most elements find a row of their own; None where no pair is convincing.

    Known names of keys win among equals. Columns of quantities are no keys, and short values such as storeys or
    running numbers count only in a column that is called a key.
    """
    left = {ELEMENT_ID: set(key_texts(elements.ids))} | _key_sets(elements.columns)
    right = _key_sets(table)
    rows = max((len(column.values) for column in table.values()), default=0)
    shorter = max(min(len(elements), rows), 1)
    found = [
        Keys(mine, other, len(both) / shorter)
        for mine, a in left.items()
        for other, b in right.items()
        if (both := (a & b) - {None}) and _could_be_keys(mine, other, both)
    ]
    good = [keys for keys in found if keys.share >= ENOUGH]
    return max(good, key=lambda keys: (round(keys.share, 2), keys.are_known, keys.layer != ELEMENT_ID), default=None)


def _could_be_keys(mine: str, other: str, both: set[str | None]) -> bool:
    """Whether one of the columns is called a key, or the values they share are too long to agree by chance."""
    named = _plain(mine) in KEY_NAMES or _plain(other) in KEY_NAMES
    return named or sum(len(key or "") for key in both) >= TELLING * len(both)


def _key_sets(columns: Mapping[str, Column]) -> dict[str, set[str | None]]:
    return {
        name: set(key_texts(column.values))
        for name, column in columns.items()
        if not column.unit and not (column.values.dtype.kind == "f" and _has_fractions(column.values))
    }


def _has_fractions(values: NDArray[np.generic]) -> bool:
    known = values[np.isfinite(values)]
    return bool((known != np.round(known)).any())


def key_column(elements: ElementTable, name: str) -> NDArray[np.object_]:
    """The keys of the elements by a column's name. Raises `UserError`."""
    if name == ELEMENT_ID:
        return key_texts(elements.ids)
    return key_texts(_column(elements.columns, name).values)


def _column(columns: Mapping[str, Column], name: str) -> Column:
    if name in columns:
        return columns[name]
    found = [other for other in columns if _plain(other) == _plain(name)]
    if not found:
        raise no_such_key(name, list(columns))
    return columns[found[0]]


def no_such_key(name: str, names: list[str]) -> UserError:
    """The error of a key column that is not there."""
    return UserError(
        f"There is no column '{name}' to join by.",
        f"There are: {', '.join(names[:40])}.",
        "Name one of these.",
        code="join.no_column",
        values={"column": name, "columns": ", ".join(names[:40])},
    )


def taken_columns(
    present: Mapping[str, Column], table: Mapping[str, Column], rows: Rows, *, without: str = ""
) -> dict[str, Column]:
    """Columns of the table in the order of the elements; a name that is taken already gets a number.

    Parameters
    ----------
    rows : (n,) int
        Row of the table for each element, -1 none: its values are then missing.
    """
    out: dict[str, Column] = {}
    for name, column in table.items():
        if name == without:
            continue
        free = next(
            n for k in range(1, len(table) + len(present) + 2)
            if (n := name if k == 1 else f"{name} {k}") not in present and n not in out
        )  # fmt: skip
        out[free] = Column(_taken(column.values, rows), column.unit, column.title or ("" if free == name else name))
    return out


def _taken(values: NDArray[np.generic], rows: Rows) -> NDArray[np.generic]:
    """Values of rows, missing where the row is -1."""
    absent = rows < 0
    if len(values) == 0:
        return np.full(len(rows), None, dtype=object)
    taken = values[np.where(absent, 0, rows)]
    if not absent.any():
        return taken
    if taken.dtype.kind in "fi":
        return np.where(absent, np.nan, taken.astype(np.float64))
    out = taken.astype(object)
    out[absent] = None
    return out


def join_columns(layer: Layer, table: Mapping[str, Column], key_layer: str, key_table: str) -> tuple[Layer, JoinReport]:
    """A layer with the columns of a table joined to its elements, and what was matched.

    Of several rows with one key the first counts. Elements without a row stay, with missing values.
    """
    other = key_texts(_column(table, key_table).values)
    rows, duplicates = matched_rows(key_column(layer.table, key_layer), other)
    new = taken_columns(layer.table.columns, table, rows, without=key_table)
    joined = layer.with_(table=layer.table.with_columns(new))
    return joined, report_of(rows, other, duplicates, key_layer, key_table)


def report_of(rows: Rows, other: NDArray[np.object_], duplicates: int, key_layer: str, key_table: str) -> JoinReport:
    """The figures of a join."""
    matched = int((rows >= 0).sum())
    present = len([key for key in other.tolist() if key is not None])
    unused = present - duplicates - len(np.unique(rows[rows >= 0]))
    return JoinReport(key_layer, key_table, matched, len(rows) - matched, duplicates, unused)
