"""Headless. Addresses in the columns of layers: found by their parts in any order, with or without spaces."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from app.sheet import BREAK, Mask, Sheet, SheetColumn

ADDRESS_NAME = re.compile(
    r"주소|소재지|도로명|지번|번지|건물번호|address|addr\b|_addr|addr_|^addr|street|roadname|road_name|thoroughfare|"
    r"postal|zip_?code|우편번호|^jibun|^rn$|^lnm$|pnu_?nm|emd_?nm|법정동명|행정동",
    re.IGNORECASE,
)
OFFICES = re.compile("(특별자치시|특별자치도|특별시|광역시|자치시|시|도)$")
LONGEST = 120  # letters of a shown address
LETTERS = re.compile(r"[^\W_]")


@dataclass(frozen=True, eq=False)
class _Squeezed:
    """The texts of a column without spaces, as one text, and where each begins."""

    joined: str
    starts: np.ndarray


_squeezed: WeakKeyDictionary[SheetColumn, _Squeezed] = WeakKeyDictionary()


def address_columns(sheet: Sheet) -> list[SheetColumn]:
    """The columns of a layer that hold addresses or parts of them."""
    columns = [one for one in sheet.columns.values() if not (one.is_number or one.is_flag)]
    return [one for one in columns if ADDRESS_NAME.search(one.key) or ADDRESS_NAME.search(one.title)]


def squeezed(text: str) -> str:
    """Letters of one case, without spaces."""
    return "".join(text.casefold().split())


def parts_of(words: str) -> list[str]:
    """The parts of an address that was typed."""
    return [squeezed(part) for part in re.split(r"[\s,]+", words) if LETTERS.search(part)]


def with_address(columns: list[SheetColumn], words: str) -> Mask | None:
    """(n,) rows with every part of the words in one of the columns; None where there is no column or no word.

    A part that names a city or province is also found without its office: 세종시 in 세종특별자치시.
    """
    parts = parts_of(words)
    if not columns or not parts:
        return None
    mask: Mask | None = None
    for part in parts:
        here = np.zeros(len(columns[0].values), dtype=np.bool_)
        for column in columns:
            here |= _holding(column, part)
        mask = here if mask is None else mask & here
        if not mask.any():
            return mask
    return mask


def _holding(column: SheetColumn, part: str) -> Mask:
    found = _texts(column)
    names = np.zeros(len(column.coded.names) + 1, dtype=np.bool_)
    for wanted in _spellings(part):
        place = found.joined.find(wanted)
        while place >= 0:
            row = int(np.searchsorted(found.starts, place, side="right")) - 1
            names[row] = True
            place = found.joined.find(wanted, int(found.starts[row + 1]))
    names[-1] = False
    return names[column.coded.codes]


def _texts(column: SheetColumn) -> _Squeezed:
    found = _squeezed.get(column)
    if found is None:
        names = [squeezed(name) for name in column.coded.names]
        starts = np.cumsum([0, *(len(name) + 1 for name in names)])
        found = _squeezed[column] = _Squeezed(BREAK.join(names), starts)
    return found


def get_address_ready(sheet: Sheet) -> None:
    """Make what searching needs."""
    for column in address_columns(sheet):
        _texts(column)


def address_text(columns: list[SheetColumn], row: int) -> str:
    """The address of an element as one line, written once where one column holds what another says."""
    texts: list[str] = []
    for column in columns:
        text = plain_address(column.text_at(row))
        if text and not any(text in other for other in texts):
            texts = [other for other in texts if other not in text] + [text]
    line = " ".join(texts)
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def plain_address(text: str) -> str:
    """An address as people read it: structured ones (CityJSON) lose their braces."""
    if not text.startswith(("{", "[")):
        return text.strip()
    try:
        said = json.loads(text)
    except ValueError:
        return text.strip()
    return " ".join(_leaves(said, 0))


def _leaves(said: object, depth: int) -> list[str]:
    if depth > 4:
        return []
    if isinstance(said, dict):
        return [leaf for value in said.values() for leaf in _leaves(value, depth + 1)]
    if isinstance(said, list):
        return [leaf for value in said[:8] for leaf in _leaves(value, depth + 1)]
    return [str(said)] if isinstance(said, str | int) else []


def fits_address(address: str, words: str) -> bool:
    """Whether an address as it is shown holds all parts of the words."""
    own = squeezed(address)
    return all(any(one in own for one in _spellings(part)) for part in parts_of(words))


def _spellings(part: str) -> set[str]:
    """A part, and without its office where that leaves a name."""
    short = OFFICES.sub("", part)
    return {part, short} if len(short) > 1 else {part}


def address_rank(text: str, words: str) -> int:
    """How well an address fits: 1 it ends with the words, 2 they stand in it as they are and no number goes on, 3 all
    parts are in it, numbers whole, 4 in any other way.
    """
    own, wanted = squeezed(text), squeezed(words)
    if own == wanted:
        return 0
    if own.endswith(wanted) and not _number_goes_on(own, len(own) - len(wanted), wanted):
        return 1
    place = own.find(wanted)
    if place >= 0 and not _number_goes_on(own, place, wanted):
        return 2
    whole = all(
        not part.isdigit() or re.search(rf"(?<!\d){part}(?!\d)", text.casefold()) is not None
        for part in parts_of(words)
    )
    return 3 if whole else 4


def _number_goes_on(text: str, place: int, part: str) -> bool:
    before = place > 0 and text[place - 1].isdigit() and part[0].isdigit()
    end = place + len(part)
    return before or (end < len(text) and text[end].isdigit() and part[-1].isdigit())
