"""Headless. Korean and English: every word a user reads is looked up here by its id.

Texts lie in ``resources/translations/<language>/<area>.json`` as flat ``{id: text}`` files; ``{name}`` in a text is
filled in. What lower packages declare in plain English (titles of analyses, formats, parameters, errors) is the
fallback of its own id, so only the Korean needs an entry.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from psygnal import Signal

from geo.model import Issue, UserError
from resources import load_json, path

LANGUAGES = ("en", "ko")
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
    return tr(f"issue.{issue.code}", issue.message, **{"count": issue.count, **dict(issue.values)})


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
