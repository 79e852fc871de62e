"""Headless. Korean and English: every word a user reads is looked up here by its id.

Texts lie in ``resources/translations/<language>/<area>.json`` as flat ``{id: text}`` files; ``{name}`` in a text is
filled in. What lower packages declare in plain English (titles of analyses, formats, parameters, errors) is the
fallback of its own id, so only the Korean needs an entry.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from psygnal import Signal

from geo.model import Issue, UserError
from resources import load_json, path

LANGUAGES = ("en", "ko")
GROUPS = ("class.group.", "class.place_group.")
# Values of messages that may be words of the program's own, and where their translations stand.
WORDS_OF: Mapping[str, tuple[str, ...]] = {
    "layer": ("name.",),
    "layers": ("name.",),
    "name": ("name.",),
    "start": ("name.",),
    "goal": ("name.",),
    "group": GROUPS,
    "groups": GROUPS,
    "names": GROUPS,
    "source": GROUPS,
    "parts": ("rule_part.",),
    "models": ("cctv.model.", "class.camera_model."),
}
_spoken: ContextVar[str] = ContextVar("spoken", default="")


class Language:
    """The language in use. Emits `changed` when it is switched."""

    changed = Signal(str)

    def __init__(self) -> None:
        self._code = "en"

    @property
    def code(self) -> str:
        """The language of this piece of work: that of the program, or what `spoken` says."""
        return _spoken.get() or self._code

    def set(self, code: str) -> None:
        """Switch; an unknown code means English."""
        code = code if code in LANGUAGES else "en"
        if code != self._code:
            self._code = code
            self.changed.emit(code)

    @contextmanager
    def spoken(self, code: str) -> Iterator[None]:
        """Within it this thread, and no other, uses another language: a report in two of them."""
        token = _spoken.set(code if code in LANGUAGES else "en")
        try:
            yield
        finally:
            _spoken.reset(token)


language = Language()


@cache
def texts(code: str) -> Mapping[str, str]:
    """All texts of a language from all areas."""
    folder = path(f"translations/{code}")
    found: dict[str, str] = {}
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".json"):
            found.update(load_json(f"translations/{code}/{entry.name}"))
    return found


def tr(text_id: str, default: str | None = None, /, **values: object) -> str:
    """The text of an id in the current language; falls back to `default`, English, then the id itself."""
    text = texts(language.code).get(text_id)
    if text is None:
        text = default if default is not None else texts("en").get(text_id, text_id)
    if not values:
        return text
    try:
        return text.format(**values)
    except (KeyError, IndexError, ValueError):
        return text


def error_texts(error: UserError) -> tuple[str, str, str]:
    """What, why and what to do, in the current language."""
    values = dict(error.values)
    return (
        tr(f"error.{error.code}.what", error.what, **values),
        tr(f"error.{error.code}.why", error.why, **values),
        tr(f"error.{error.code}.todo", error.todo, **values),
    )


def issue_text(issue: Issue) -> str:
    """The message of an issue in the current language."""
    values = {name: _said(name, value) for name, value in issue.values.items()}
    return tr(f"issue.{issue.code}", issue.message, **{"count": issue.count, **values})


def word_of(text: str, prefixes: Sequence[str]) -> str:
    """A word in the current language where it is one of the program's own, under one of these ids; else itself."""
    return next((found for prefix in prefixes if (found := tr(f"{prefix}{text}", ""))), text) if text else text


def _said(name: str, value: object) -> object:
    """A value of a message as people read it: names of layers and groups may be the program's own."""
    prefixes = WORDS_OF.get(name)
    if prefixes is None or not isinstance(value, str):
        return value
    return ", ".join(word_of(word, prefixes) for word in value.split(", "))


def both_languages() -> tuple[str, ...]:
    """All languages, the one in use first."""
    return (language.code, *(code for code in LANGUAGES if code != language.code))


def system_language() -> str:
    """The language the user's system is set to, ``"ko"`` or ``"en"``."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "ko" if value.lower().startswith("ko") else "en"
    return "en"
