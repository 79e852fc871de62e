"""Headless. Rooms by name, number or use: what people look for first in a building, though rooms are seldom drawn."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.hangul import contains, is_initials
from app.language import tr
from app.names import layer_title
from app.numbers import number_text
from geo.model import ElementRef, Layer
from geo.model.conventions import AREA, ROOM_NAME, ROOM_NUMBER, ROOM_USE, STOREY

ROOMS_AT_MOST = 12
LONG_NAME = "long_name"


@dataclass(frozen=True)
class FoundRoom:
    """A room that fits; the lower the rank, the better.

    Attributes
    ----------
    title, detail : str
        Number and name; storey, use, area and building.
    """

    ref: ElementRef
    title: str
    detail: str
    rank: int


def matching_rooms(
    layers: Sequence[Layer], words: str, *, seconds: float, at_most: int = ROOMS_AT_MOST
) -> list[FoundRoom]:
    """Rooms whose number, name or use holds the words (first letters of Hangul syllables too), the best first."""
    until = time.perf_counter() + seconds
    found: list[FoundRoom] = []
    for room in rooms_in_steps(layers, words):
        if room is not None:
            found.append(room)
        elif time.perf_counter() > until:
            break
    return sorted(found, key=lambda room: room.rank)[:at_most]


def rooms_in_steps(layers: Sequence[Layer], words: str) -> Iterator[FoundRoom | None]:
    """The same as they are found; None between two pieces of work."""
    for layer in layers:
        if layer.theme == "space":
            yield from _rooms_in(layer, words)


def _rooms_in(layer: Layer, words: str) -> Iterator[FoundRoom | None]:
    columns = {name: _texts(layer, name) for name in (ROOM_NAME, LONG_NAME, ROOM_NUMBER, ROOM_USE, STOREY)}
    for row, element in enumerate(layer.table.ids.tolist()):
        if row % 64 == 0:
            yield None
        own = {name: texts[row] for name, texts in columns.items()}
        rank = _rank(own, words)
        if rank is not None:
            yield FoundRoom(ElementRef(layer.id, str(element)), _title(own), _detail(layer, own, row), rank)


def _rank(own: dict[str, str], words: str) -> int | None:
    """0 the number or name itself, 1 it begins with the words, 2 holds them, 3 all that is known holds each of them."""
    plain = words.casefold()
    names = [own[ROOM_NUMBER], own[ROOM_NAME], own[LONG_NAME]]
    if any(name.casefold() == plain for name in names):
        return 0
    if any(name.casefold().startswith(plain) for name in names):
        return 1
    # First letters that run on over a blank (705호 욕실 for ㅎㅇㅅ) are seldom meant.
    if any(contains(part, words) for name in names for part in (name.split() if is_initials(words) else [name])):
        return 2
    known = " ".join([*names, own[ROOM_USE], own[STOREY]])
    return 3 if all(contains(known, word) for word in words.split()) else None


def _title(own: dict[str, str]) -> str:
    name = own[LONG_NAME] or own[ROOM_NAME]
    number = own[ROOM_NUMBER] or (own[ROOM_NAME] if own[ROOM_NAME] != name else "")
    return " ".join(dict.fromkeys(part for part in (number, name) if part))


def _detail(layer: Layer, own: dict[str, str], row: int) -> str:
    column = layer.table.columns.get(AREA)
    area = float(column.values[row]) if column is not None and column.is_number else math.nan
    size = f"{number_text(round(area, 1))} m²" if math.isfinite(area) else ""
    use = own[ROOM_USE] if own[ROOM_USE] not in _title(own) else ""
    parts = (tr("search.room"), own[STOREY], use, size, layer_title(layer))
    return " · ".join(part for part in parts if part)


def _texts(layer: Layer, name: str) -> list[str]:
    column = layer.table.columns.get(name)
    if column is None:
        return [""] * len(layer.table)
    return ["" if value is None else str(value) for value in column.values.tolist()]
