"""What is private and what the law asks, from the rules data of the program; each with its source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from resources import load_json

DATA = "rules/privacy_kr.json"
TOLD_BY = ("user", "program")


class Check(NamedTuple):
    """One line of the check list.

    Attributes
    ----------
    id, title, text : str
        `text` sums up the rule; it is not the wording of the law.
    source : str
    verified : bool
        Whether the source was read.
    told_by : str
        One of `TOLD_BY`: who can answer it.
    """

    id: str
    title: str
    text: str
    source: str
    verified: bool
    told_by: str


class PrivacyRules(NamedTuple):
    """The rules as the program carries them.

    Attributes
    ----------
    law, note, edition : str
    checks : tuple of Check
    purposes : tuple of str
        Ids of the purposes that are allowed in public places.
    hard_rooms : tuple of str
        Kinds of rooms into which no camera may see at all.
    sign_fields : tuple of str
        What the sign says.
    room_words : mapping of kind -> words
        In the order in which they are tried.
    school_words, home_words : tuple of str
        In the use of a building.
    """

    law: str
    note: str
    edition: str
    checks: tuple[Check, ...]
    purposes: tuple[str, ...]
    hard_rooms: tuple[str, ...]
    sign_fields: tuple[str, ...]
    room_words: Mapping[str, tuple[str, ...]]
    school_words: tuple[str, ...]
    home_words: tuple[str, ...]

    def room_kind(self, *texts: object) -> str:
        """What a room is by its name, number or use; ``"other"`` when no word fits, ``""`` when nothing is said."""
        told = [str(text).lower() for text in texts if text is not None and str(text).strip()]
        for kind, words in self.room_words.items():
            if any(has_word(text, words) for text in told):
                return kind
        return "other" if told else ""

    @property
    def unverified(self) -> tuple[str, ...]:
        """Titles of the checks whose source is not sure."""
        return tuple(check.title for check in self.checks if not check.verified)


def has_word(text: str, words: tuple[str, ...]) -> bool:
    """Whether a text in small letters has one of the words; Latin ones must start (short ones also end) a word."""
    for word in words:
        if not word.isascii():
            if word in text:
                return True
        elif re.search(rf"(?<![a-z]){re.escape(word)}" + (r"(?![a-z])" if len(word) < 4 else ""), text):
            return True
    return False


@cache
def privacy_rules() -> PrivacyRules:
    """The rules of the program."""
    data = load_json(DATA)
    checks = tuple(
        Check(name, row["title"], row["text"], row["source"], bool(row["verified"]), row["told_by"])
        for name, row in data["checks"].items()
    )
    return PrivacyRules(
        data["law"],
        data["note"],
        data["edition"],
        checks,
        tuple(data["purposes"]),
        tuple(data["hard_rooms"]),
        tuple(data["sign"]["fields"]),
        {kind: tuple(words) for kind, words in data["rooms"].items()},
        tuple(data["school_buildings"]),
        tuple(data["home_buildings"]),
    )
