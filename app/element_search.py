"""Headless. Elements that fit what was typed, a little at a time: a window calls it between two frames.

Whoever goes through it may stop at any moment, and gets what was found up to then layer by layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from weakref import WeakSet

import numpy as np

from app.addresses import address_columns, address_rank, address_text, fits_address, get_address_ready, with_address
from app.finding import BEGINS, EXACT, HOLDS, rank_of
from app.row_filter import compare, filter_and_columns, has_condition
from app.sheet import ID_KEY, Mask, Rows, Sheet, SheetColumn, sheet_of
from geo.model import ElementRef, Feedback, Layer, UserError

NAME_COLUMNS = ("name", "Name", "NAME", "이름", "건물명", "long_name", "number")
RANKED_AT_MOST = 400  # elements of a layer that are looked at one by one
WAIT = False  # yielded where there is nothing to do but to come again a little later
WAITS = 100  # times; then it is searched as it is
SLOW_FROM = 30_000  # different texts from which a column is waited for until a job has prepared it

_prepared: WeakSet[SheetColumn] = WeakSet()


@dataclass(frozen=True)
class FoundElement:
    """An element that fits; `address`, or else the key of another `column` than id and name, where that is why."""

    row: int
    rank: int
    address: str = ""
    column: str = ""


@dataclass(frozen=True)
class Matches:
    """Elements of one layer that fit: all of them in the order of the file, and the best of them."""

    layer: Layer
    rows: Rows
    best: tuple[FoundElement, ...]

    def refs(self, count: int | None = None) -> list[ElementRef]:
        """The first of them, or all."""
        return [ElementRef(self.layer.id, str(element_id)) for element_id in self.layer.table.ids[self.rows[:count]]]


def matching_elements(layers: Sequence[Layer], words: str, *, at_most: int = 12) -> Iterator[Matches | bool | None]:
    """Elements whose id, texts or numbers hold the words, whose address has their parts, or that fulfil a condition.

    Yields None between two pieces of work, `WAIT` where a job has to get ready first, and the matches of each layer
    that has any. Layers without the column of a condition have none.
    """
    condition = has_condition(words)
    for layer in layers:
        if not len(layer.table):
            continue
        sheet = sheet_of(layer)
        if condition:
            yield None
            try:
                mask, compared = filter_and_columns(sheet, words)
            except UserError:
                continue
            if mask.any():
                yield _by_condition(layer, mask, compared, at_most)
            continue
        yield from _of_layer(layer, sheet, words, at_most)


def _by_condition(layer: Layer, mask: Mask, compared: Sequence[str], at_most: int) -> Matches:
    rows = np.flatnonzero(mask).astype(np.int64)
    column = next((key for key in compared if key != ID_KEY and key not in NAME_COLUMNS), "")
    return Matches(layer, rows, tuple(FoundElement(int(row), HOLDS, column=column) for row in rows[:at_most]))


def _of_layer(layer: Layer, sheet: Sheet, words: str, at_most: int) -> Iterator[Matches | bool | None]:
    mask = np.zeros(len(sheet), dtype=np.bool_)
    why: dict[str, Mask] = {}
    for key, column in sheet.columns.items():
        for _ in range(WAITS):
            if _is_quick(column):
                break
            yield WAIT  # until a job has prepared it
        holding = _holding(column, words)
        if holding.any():
            why[key] = holding
            mask |= holding
        yield None
    columns = address_columns(sheet)
    by_address = with_address(columns, words) if columns else None
    if by_address is not None:
        yield None
        mask |= by_address
    if mask.any():
        rows = np.flatnonzero(mask).astype(np.int64)
        addresses = columns if by_address is not None else []
        best = _best(layer, sheet, words, rows, addresses, at_most)
        yield Matches(layer, rows, tuple(_with_reason(one, why) for one in best))


def _holding(column: SheetColumn, words: str) -> Mask:
    if column.is_flag:
        return np.zeros(len(column.values), dtype=np.bool_)
    if column.is_number:
        try:
            return compare(column, "=", words)
        except UserError:  # no number was typed
            return np.zeros(len(column.values), dtype=np.bool_)
    return column.containing(words)


def _is_quick(column: SheetColumn) -> bool:
    """Whether searching it now takes no more than a few hundredths of a second."""
    return column.is_number or column.is_flag or len(column.values) < SLOW_FROM or column in _prepared


def _best(
    layer: Layer, sheet: Sheet, words: str, rows: Rows, addresses: list[SheetColumn], at_most: int
) -> tuple[FoundElement, ...]:
    """The elements that fit best: by id and name first, then by address, then by anything else."""
    names = [sheet.columns[name] for name in NAME_COLUMNS if name in sheet.columns]
    found = []
    for row in _most_likely(sheet.columns[ID_KEY], names, words, rows).tolist():
        ranks = [rank_of(column.text_at(row), words) for column in (sheet.columns[ID_KEY], *names)]
        rank = min((one for one in ranks if one is not None), default=None)
        address = address_text(addresses, row) if addresses else ""
        fits = bool(address) and fits_address(address, words)
        if fits and (rank is None or rank > BEGINS):
            found.append(FoundElement(row, max(address_rank(address, words), EXACT), address))
        else:
            found.append(FoundElement(row, HOLDS + 1 if rank is None else rank))
    found.sort(key=lambda one: one.rank)
    return tuple(found[:at_most])


def _with_reason(one: FoundElement, why: Mapping[str, Mask]) -> FoundElement:
    """With the column that holds the words, where neither id nor name nor address do."""
    if one.address or one.rank <= HOLDS:
        return one
    column = next((key for key, mask in why.items() if mask[one.row]), "")
    return replace(one, column="" if column == ID_KEY or column in NAME_COLUMNS else column)


def _most_likely(ids: SheetColumn, names: list[SheetColumn], words: str, rows: Rows) -> Rows:
    """Rows to look at one by one: of very many those whose id or name holds the words come first."""
    if len(rows) <= RANKED_AT_MOST:
        return rows
    likely = np.zeros(len(ids.values), dtype=np.bool_)
    exact = np.zeros(len(ids.values), dtype=np.bool_)
    for column in (ids, *names):
        if not column.is_number and not column.is_flag:
            likely |= column.containing(words)
            exact |= compare(column, "=", words)
    order = np.lexsort((rows, ~likely[rows], ~exact[rows]))
    return rows[order][:RANKED_AT_MOST]


def get_ready(layers: Sequence[Layer], feedback: Feedback) -> None:
    """Prepare searching in a job, while the user begins to type."""
    for layer in layers:
        sheet = sheet_of(layer)
        for column in sheet.columns.values():
            feedback.step(0.0)
            column.get_ready()
            _prepared.add(column)
        feedback.step(0.0)
        get_address_ready(sheet)
