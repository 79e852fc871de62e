"""Headless. Conditions on the rows of a sheet: ``height > 30 and use = 학교``, or words looked for in any column.

    condition = alternative, {"or", alternative}
    alternative = part, {["and"], part}
    part = "not", part | "(", condition, ")" | name, sign, value | words

Names and values with spaces or signs stand in quotation marks. Signs: = != < <= > >= and ~ (contains).
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.sheet import MOST_CLASSES, Mask, Sheet, SheetColumn
from app.words import class_name
from geo.model import UserError

TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"[^"]*"|'[^']*')|(?P<sign><=|>=|!=|<>|==|[=<>~≤≥≠])|(?P<bracket>[()])|(?P<word>[^\s()=<>~≤≥≠!"']+|.))"""
)
SIGNS = {"==": "=", "<>": "!=", "≤": "<=", "≥": ">=", "≠": "!="}
AND, OR, NOT = ("and", "&", "&&", "그리고"), ("or", "|", "||", "또는"), ("not", "아닌")
NONE = ("", "-", "–", "none", "null", "없음")
YES, NO = ("yes", "true", "1", "예", "참", "✓"), ("no", "false", "0", "아니오", "아니요", "거짓")
COLUMNS_NAMED = 8
DEEPEST = 40
CLOSE = 1e-9  # of the value: 0.1 + 0.2 equals 0.3


@dataclass(frozen=True)
class Token:
    """A word, sign or bracket. What stood in quotation marks is never a keyword."""

    text: str
    kind: str


def filter_rows(sheet: Sheet, text: str) -> Mask:
    """(n,) which rows fulfil a condition; all of them for an empty text. Raises `UserError` saying what is wrong."""
    return filter_and_columns(sheet, text)[0]


def filter_and_columns(sheet: Sheet, text: str) -> tuple[Mask, tuple[str, ...]]:
    """The same, with the keys of the columns that the condition compares, in its order."""
    tokens = _tokens(text)
    if not tokens:
        return np.ones(len(sheet), dtype=np.bool_), ()
    reader = _Reader(sheet, tokens)
    mask = reader.read()
    return mask, tuple(dict.fromkeys(reader.compared))


def has_condition(text: str) -> bool:
    """Whether a text compares a column with a value, rather than being words to look for."""
    return any(token.kind == "sign" for token in _tokens(text))


def _tokens(text: str) -> list[Token]:
    found = []
    for match in TOKEN.finditer(text.strip()):
        kind = str(match.lastgroup)
        value = match.group(kind)
        if kind == "quoted":
            found.append(Token(value[1:-1], "quoted"))
        elif kind == "sign":
            found.append(Token(SIGNS.get(value, value), "sign"))
        elif value.strip():
            found.append(Token(value, kind))
    return found


class _Reader:
    """Reads the tokens from left to right and makes masks of them."""

    def __init__(self, sheet: Sheet, tokens: list[Token]) -> None:
        self._sheet, self._tokens, self._place, self._depth = sheet, tokens, 0, 0
        self.compared: list[str] = []

    def read(self) -> Mask:
        mask = self._alternatives()
        if self._next() is not None:
            raise _unclear(self._rest())
        return mask

    def _next(self) -> Token | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _rest(self) -> str:
        return " ".join(token.text for token in self._tokens[self._place :])

    def _is_word(self, words: tuple[str, ...]) -> bool:
        token = self._next()
        return token is not None and token.kind == "word" and token.text.casefold() in words

    def _is(self, kind: str, text: str = "") -> bool:
        token = self._next()
        return token is not None and token.kind == kind and (not text or token.text == text)

    def _alternatives(self) -> Mask:
        mask = self._all_of()
        while self._is_word(OR):
            self._place += 1
            mask = mask | self._all_of()
        return mask

    def _all_of(self) -> Mask:
        mask = self._part()
        while self._next() is not None and not self._is_word(OR) and not self._is("bracket", ")"):
            if self._is_word(AND):
                self._place += 1
            mask = mask & self._part()
        return mask

    def _part(self) -> Mask:
        self._depth += 1
        if self._depth > DEEPEST or self._next() is None:
            raise _unclear(self._rest())
        try:
            if self._is_word(NOT):
                self._place += 1
                return ~self._part()
            return self._bracket() if self._is("bracket", "(") else self._comparison()
        finally:
            self._depth -= 1

    def _bracket(self) -> Mask:
        self._place += 1
        mask = self._alternatives()
        if not self._is("bracket", ")"):
            raise _unclear(self._rest() or "(")
        self._place += 1
        return mask

    def _words(self) -> str:
        """Words up to the next keyword, sign or bracket; those right before a sign are the name of a column."""
        words: list[str] = []
        while (token := self._next()) is not None and token.kind in ("word", "quoted"):
            if self._is_word((*AND, *OR)) or (words and self._is_word(NOT)):
                break
            words.append(token.text)
            self._place += 1
        return " ".join(words)

    def _comparison(self) -> Mask:
        start = self._place
        name = self._words()
        if not self._is("sign"):
            if not name and self._place == start:
                raise _unclear(self._rest())
            return containing(self._sheet, name)
        sign = self._tokens[self._place].text
        self._place += 1
        column = self._sheet.named(name)
        if column is None:
            raise _no_column(self._sheet, name)
        self.compared.append(column.key)
        return compare(column, sign, self._value())

    def _value(self) -> str:
        """Words after a sign; where a further comparison follows without ``and``, its name is not among them."""
        start = self._place
        words = self._words()
        if self._is("sign") and self._place - start > 1:
            self._place -= 1
            words = " ".join(token.text for token in self._tokens[start : self._place])
        return words


def containing(sheet: Sheet, words: str, *, until: float = math.inf) -> Mask:
    """(n,) rows with the words in any of their texts, or with that number.

    until : float
        Columns after this moment of `time.perf_counter` are left out.
    """
    mask = np.zeros(len(sheet), dtype=np.bool_)
    number = _number(words)
    for column in sheet.columns.values():
        if time.perf_counter() > until:
            break
        if column.is_number:
            if number is not None:
                mask |= np.isclose(column.numbers, number, rtol=CLOSE, atol=CLOSE)
        elif not column.is_flag:
            mask |= column.containing(words)
    return mask


COMPARED: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "<": lambda values, limit: values < limit,
    "<=": lambda values, limit: values <= limit,
    ">": lambda values, limit: values > limit,
    ">=": lambda values, limit: values >= limit,
    "=": lambda values, limit: np.isclose(values, limit, rtol=CLOSE, atol=CLOSE),
    "!=": lambda values, limit: ~np.isclose(values, limit, rtol=CLOSE, atol=CLOSE),
}


def compare(column: SheetColumn, sign: str, value: str) -> Mask:
    """(n,) rows whose value stands in that relation; rows without one only for ``= none``."""
    if sign in ("=", "!=") and value.casefold() in NONE:
        return ~column.known if sign == "=" else column.known
    if column.is_flag:
        return _compare_flags(column, sign, value)
    if column.is_number:
        number = _number(value)
        if number is None or sign == "~":
            raise _not_a_number(column, value)
        return COMPARED[sign](column.numbers, number) & column.known
    if sign == "~":
        return column.containing(value)
    return _compare_texts(column, sign, value)


def _compare_flags(column: SheetColumn, sign: str, value: str) -> Mask:
    word = value.casefold()
    if sign not in ("=", "!=") or word not in (*YES, *NO):
        raise _not_a_number(column, value)
    return np.asarray(column.values == ((word in YES) == (sign == "=")))


def _compare_texts(column: SheetColumn, sign: str, value: str) -> Mask:
    """Equal without regard to case; numbers kept as text compare as numbers."""
    number = _number(value)
    wanted = value.casefold()

    def holds(name: str) -> bool:
        other = _number(name) if number is not None else None
        if sign in ("=", "!="):
            own = class_name(column.key, name) if len(column.coded.names) <= MOST_CLASSES else name
            same = wanted in (name.casefold(), own.casefold()) or (other is not None and other == number)
            return same == (sign == "=")
        if number is not None:
            return other is not None and bool(COMPARED[sign](np.array(other), number))
        first, second = name.casefold(), wanted
        return first < second if sign == "<" else first <= second if sign == "<=" else _above(sign, first, second)

    names = np.array([*(holds(name) for name in column.coded.names), False])
    return names[column.coded.codes]


def _above(sign: str, first: str, second: str) -> bool:
    return first > second if sign == ">" else first >= second


def _number(text: str) -> float | None:
    plain = text.replace(",", "").strip()
    if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", plain, re.IGNORECASE):
        return None
    return float(plain)


def _unclear(rest: str) -> UserError:
    return UserError(
        "The condition cannot be read.",
        f"What comes at '{rest[:40]}' is not understood.",
        "Write for example: height > 30 and use = school",
        code="table.unclear",
        values={"rest": rest[:40]},
    )


def _no_column(sheet: Sheet, name: str) -> UserError:
    columns = ", ".join([column.title or column.key for column in sheet.columns.values()][:COLUMNS_NAMED])
    return UserError(
        f"There is no column '{name}'.",
        f"The columns are: {columns}.",
        "Names with spaces may stand in quotation marks.",
        code="table.no_column",
        values={"name": name, "columns": columns},
    )


def _not_a_number(column: SheetColumn, value: str) -> UserError:
    name = column.title or column.key
    return UserError(
        f"'{value}' cannot be compared with {name}.",
        "The column holds numbers or yes and no.",
        "Write a number, yes, no, or none.",
        code="table.not_a_number",
        values={"name": name, "value": value},
    )
