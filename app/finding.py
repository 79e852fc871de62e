"""Headless. How well a text fits what was typed, where it fits, and the lines of the search box.

Ranks: 0 the text itself, 1 it begins with the words, 2 one of its words does, 3 it holds them, 4 its initial
consonants do, 5 all words are in it in any order. The lower, the better.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from app.hangul import initials, is_initials

Kind = Literal["place", "room", "address", "element", "layer", "view", "command", "select", "example"]
# Groups of lines in the order in which they stand where they fit equally well.
KINDS: tuple[Kind, ...] = ("place", "room", "address", "layer", "command", "view", "select", "element", "example")
EXACT, BEGINS, WORD_BEGINS, HOLDS, INITIALS, IN_PARTS = range(6)
PER_GROUP = 12
SHOWN_AT_MOST = 60
RECENT_AT_MOST = 30
WORD_BREAK = re.compile(r"[\s_\-/.,:()\[\]]")


@dataclass(frozen=True)
class Found:
    """One line of the list and what choosing it does.

    Attributes
    ----------
    title, detail : str
    act : callable
    kind : str
        Which group it stands in.
    rank : int
        How well it fits; see the module.
    key : str
        By which it is known again when it was chosen before; empty = by its title.
    icon : str
        Empty = that of its kind.
    """

    title: str
    detail: str
    act: Callable[[], None]
    kind: Kind = "command"
    rank: int = HOLDS
    key: str = ""
    icon: str = ""

    @property
    def name(self) -> str:
        """By what it is remembered."""
        return self.key or f"{self.kind}:{self.title}"


def rank_of(text: str, words: str) -> int | None:
    """How well a text fits the words; None where it does not. No words fit everything."""
    own, wanted = text.casefold(), words.casefold().strip()
    if own == wanted or own.replace(" ", "") == wanted.replace(" ", ""):
        return EXACT
    place = own.find(wanted)
    if place == 0:
        return BEGINS
    if place > 0:
        return WORD_BEGINS if any(WORD_BREAK.match(own[p - 1]) for p in _places(own, wanted)) else HOLDS
    if is_initials(wanted):
        letters = initials(own)
        if wanted in letters or wanted.replace(" ", "") in letters.replace(" ", ""):
            return INITIALS
    parts = wanted.split()
    if len(parts) > 1 and all(part in own for part in parts):
        return IN_PARTS
    return None


def _places(text: str, part: str) -> list[int]:
    found, place = [], text.find(part)
    while place >= 0:
        found.append(place)
        place = text.find(part, place + 1)
    return found


def best_rank(texts: Iterable[str], words: str) -> int | None:
    """The best rank among several texts."""
    ranks = [rank for text in texts if text and (rank := rank_of(text, words)) is not None]
    return min(ranks, default=None)


def marks(text: str, words: str) -> list[tuple[int, int]]:
    """Where a text fits the words: (start, length) of each stretch, rising, none over another."""
    own, wanted = text.casefold(), words.casefold().strip()
    if not wanted or len(own) != len(text):  # some letters are two in lower case
        return []
    if wanted in own:
        return [(own.find(wanted), len(wanted))]
    if is_initials(wanted):
        place = initials(own).find(wanted)
        if place >= 0:
            return [(place, len(wanted))]
    found = sorted((own.find(part), len(part)) for part in set(wanted.split()) if part in own)
    apart: list[tuple[int, int]] = []
    for start, length in found:
        if not apart or start >= sum(apart[-1]):
            apart.append((start, length))
    return apart


def ordered(found: Sequence[Found], recent: Sequence[str]) -> list[Found]:
    """Lines in their groups: the group with the best line first, in each the best first, chosen ones before others.

    Of the lines with the same rank those chosen lately come first, the latest at the top.
    """
    place = {name: number for number, name in enumerate(recent)}
    groups: dict[Kind, list[Found]] = {}
    for line in found:
        groups.setdefault(line.kind, []).append(line)
    for lines in groups.values():
        lines.sort(key=lambda line: (line.rank, place.get(line.name, len(place))))

    def best(kind: Kind) -> tuple[int, int, int]:
        first = groups[kind][0]
        return (first.rank, 0 if first.name in place else 1, KINDS.index(kind))

    kinds = sorted(groups, key=best)
    return [line for kind in kinds for line in groups[kind][:PER_GROUP]][:SHOWN_AT_MOST]


def remembered(recent: Sequence[str], name: str) -> list[str]:
    """The names of chosen lines with this one at the top."""
    return [name, *(other for other in recent if other != name)][:RECENT_AT_MOST]
