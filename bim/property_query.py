"""Conditions on the properties of a model: ``fire rating = 60``, ``LoadBearing``, ``Height > 3 m and Storey = EG``.

    condition = alternative, {"or", alternative}
    alternative = part, {"and", part}
    part = "not", part | "(", condition, ")" | name, [sign, value | "exists" | "missing"]

A name is that of a property with or without its set (``Pset_WallCommon.FireRating``); case, spaces and underscores do
not count. A name alone means: is yes, or has any value. Signs: = != < <= > >= and ~ (contains). A value may carry a
length, area, volume or angle unit; without one it is in m, m2, m3, degrees. Names and values with signs or with the
words ``and``, ``or``, ``not`` stand in quotation marks.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bim.property_index import ATTRIBUTES, NUMBER, TEXT, YES_NO, Key, PropertyIndex
from geo.model import UserError

Mask = NDArray[np.bool_]

TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"[^"]*"|'[^']*')|(?P<sign><=|>=|!=|<>|==|[=<>~≤≥≠])|(?P<bracket>[()])|(?P<word>[^\s()=<>~≤≥≠!"']+|.))"""
)
SIGNS = {"==": "=", "<>": "!=", "≤": "<=", "≥": ">=", "≠": "!="}
AND, OR, NOT = ("and", "&", "&&", "그리고"), ("or", "|", "||", "또는"), ("not", "아닌")
CONTAINS, EXISTS, MISSING = ("contains", "포함"), ("exists", "있음"), ("missing", "없음")
NONE = ("", "-", "–", "none", "null", "없음")
YES, NO = ("yes", "true", "예", "참", "✓"), ("no", "false", "아니오", "아니요", "거짓")
# What people call properties that have one name in every model.
KOREAN = {
    "이름": "name", "종류": "class", "클래스": "class", "유형": "type", "타입": "type", "층": "storey",
    "재료": "material", "시스템": "system", "분류": "classification", "그룹": "group", "설명": "description",
    "내화등급": "firerating", "내화": "firerating", "내력": "loadbearing", "내력벽": "loadbearing",
    "외부": "isexternal", "높이": "height", "너비": "width", "폭": "width", "두께": "thickness", "길이": "length",
    "면적": "area", "체적": "volume", "열관류율": "thermaltransmittance", "제조사": "manufacturer",
}  # fmt: skip
# How many of the program's unit a unit in a condition is.
UNITS = {
    "mm": (0.001, "m"), "cm": (0.01, "m"), "m": (1.0, "m"), "km": (1000.0, "m"), "ft": (0.3048, "m"),
    "in": (0.0254, "m"), "m2": (1.0, "m2"), "m²": (1.0, "m2"), "㎡": (1.0, "m2"), "m3": (1.0, "m3"),
    "m³": (1.0, "m3"), "㎥": (1.0, "m3"), "deg": (1.0, "deg"), "°": (1.0, "deg"), "kg": (1.0, "kg"),
    "t": (1000.0, "kg"),
}  # fmt: skip
QUANTITY = re.compile(r"([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*([^\d\s].*)?$")
# Ratings are written F60, REI 60, EI30 or 60 min: letters, one number, perhaps a short unit.
RATING = re.compile(r"[A-Za-z]{0,5}[\s-]?(\d+(?:\.\d+)?)\s?(?:min|minutes|분|[A-Za-z])?$")
CLASS = Key(ATTRIBUTES, "Class", "")
DEEPEST = 40
CLOSE = 1e-9  # of the value: 0.1 + 0.2 equals 0.3
NAMES_TOLD = 5


@dataclass(frozen=True)
class Answer:
    """Which products fulfil a condition, and the properties that it names.

    Attributes
    ----------
    products : (n,) bool
        By the rows of the index.
    names : tuple of str
        Of the properties compared, as the condition writes them, in its order.
    """

    products: Mask
    names: tuple[str, ...]


@dataclass(frozen=True)
class _Token:
    text: str
    kind: str


def query(index: PropertyIndex, text: str) -> Answer:
    """Products that fulfil a condition. Raises `UserError` saying what is wrong with it."""
    reader = _Reader(index, _tokens(text))
    return Answer(reader.read(), tuple(dict.fromkeys(reader.names)))


def keys_named(index: PropertyIndex, name: str) -> list[int]:
    """Numbers of the properties that a name means, with or without the set."""
    wanted = _plain(name)
    names = {wanted, KOREAN.get(wanted, wanted)}
    found = [n for n, key in enumerate(index.keys) if _plain(key.name) in names or _plain(title_of(key)) in names]
    own = [n for n in found if index.keys[n].set == ATTRIBUTES]
    return own + [n for n in found if index.keys[n].set != ATTRIBUTES]


def title_of(key: Key) -> str:
    """Set and name of a property as a condition may write them."""
    return f"{key.set}.{key.name}" if key.set else key.name


def _plain(name: str) -> str:
    return re.sub(r"[\s_]+", "", name).casefold()


def _tokens(text: str) -> list[_Token]:
    found = []
    for match in TOKEN.finditer(text.strip()):
        kind = str(match.lastgroup)
        value = match.group(kind)
        if kind == "quoted":
            found.append(_Token(value[1:-1], "quoted"))
        elif kind == "sign":
            found.append(_Token(SIGNS.get(value, value), "sign"))
        elif value.strip():
            found.append(_Token(value, kind))
    return found


@dataclass
class _Reader:
    """Reads the tokens from left to right and makes masks of them."""

    index: PropertyIndex
    tokens: Sequence[_Token]
    names: list[str] = field(default_factory=list)
    place: int = 0
    depth: int = 0

    def read(self) -> Mask:
        if not self.tokens:
            return np.ones(len(self.index.ids), dtype=np.bool_)
        mask = self._alternatives()
        if self._next() is not None:
            raise _unclear(self._rest())
        return mask

    def _next(self) -> _Token | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def _rest(self) -> str:
        return " ".join(token.text for token in self.tokens[self.place :]) or "…"

    def _is_word(self, words: tuple[str, ...]) -> bool:
        token = self._next()
        return token is not None and token.kind == "word" and token.text.casefold() in words

    def _is(self, kind: str, text: str = "") -> bool:
        token = self._next()
        return token is not None and token.kind == kind and (not text or token.text == text)

    def _alternatives(self) -> Mask:
        mask = self._all_of()
        while self._is_word(OR):
            self.place += 1
            mask = mask | self._all_of()
        return mask

    def _all_of(self) -> Mask:
        mask = self._part()
        while self._is_word(AND):
            self.place += 1
            mask = mask & self._part()
        return mask

    def _part(self) -> Mask:
        self.depth += 1
        if self.depth > DEEPEST or self._next() is None:
            raise _unclear(self._rest())
        try:
            if self._is_word(NOT):
                self.place += 1
                return ~self._part()
            return self._bracket() if self._is("bracket", "(") else self._comparison()
        finally:
            self.depth -= 1

    def _bracket(self) -> Mask:
        self.place += 1
        mask = self._alternatives()
        if not self._is("bracket", ")"):
            raise _unclear(self._rest())
        self.place += 1
        return mask

    def _words(self, stops: tuple[str, ...] = ()) -> list[str]:
        """Words up to a sign, a bracket or one that joins conditions."""
        found = []
        while (token := self._next()) is not None and token.kind in ("word", "quoted"):
            if token.kind == "word" and token.text.casefold() in (*AND, *OR, *stops):
                break
            found.append(token.text)
            self.place += 1
        return found

    def _comparison(self) -> Mask:
        name = " ".join(self._words((*CONTAINS, *EXISTS, *MISSING)))
        keys = keys_named(self.index, name) if name else []
        if not name:
            raise _unclear(self._rest())
        if not keys:
            raise _unknown(self.index, name)
        self.names.append(name)
        if self._is_word(EXISTS) or self._is_word(MISSING):
            missing = self._is_word(MISSING)
            self.place += 1
            return _exists(self.index, keys) ^ missing
        if self._is_word(CONTAINS) or self._is("sign"):
            sign = "~" if self._is_word(CONTAINS) else self.tokens[self.place].text
            self.place += 1
            return _compare(self.index, keys, sign, " ".join(self._words()))
        return _is_so(self.index, keys)


def _exists(index: PropertyIndex, keys: Sequence[int]) -> Mask:
    mask = np.zeros(len(index.ids), dtype=np.bool_)
    for key in keys:
        mask[index.rows(key)[0]] = True
    return mask


def _is_so(index: PropertyIndex, keys: Sequence[int]) -> Mask:
    """Is yes; any value of a property that is not of the yes-or-no kind."""
    return _where(index, keys, (index.kinds != YES_NO) | (index.numbers == 1.0))


def _where(index: PropertyIndex, keys: Sequence[int], accepted: Mask) -> Mask:
    """Products with a value that is accepted; `accepted` has one entry per different value."""
    mask = np.zeros(len(index.ids), dtype=np.bool_)
    for key in keys:
        product, value = index.rows(key)
        mask[product[accepted[value]]] = True
    return mask


def _compare(index: PropertyIndex, keys: Sequence[int], sign: str, value: str) -> Mask:
    if value.casefold() in NONE and sign in ("=", "!="):
        exists = _exists(index, keys)
        return ~exists if sign == "=" else exists
    if sign == "!=":  # of those that have the property at all
        return _exists(index, keys) & ~_compare(index, keys, "=", value)
    mask = np.zeros(len(index.ids), dtype=np.bool_)
    for key in keys:
        product, number = index.rows(key)
        different, inverse = np.unique(number, return_inverse=True)
        mask[product[_accepted(index, index.keys[key], different, sign=sign, value=value)[inverse]]] = True
    return mask


def _accepted(index: PropertyIndex, key: Key, different: NDArray[np.uint32], *, sign: str, value: str) -> Mask:
    """Which of the different values of one property a comparison accepts."""
    kinds = index.kinds[different]
    texts = [index.texts[number] for number in different]
    if sign == "~":
        return np.array([value.casefold() in text.casefold() for text in texts], dtype=np.bool_)
    accepted = np.zeros(len(different), dtype=np.bool_)
    quantity = _quantity(value, key)
    numbers = index.numbers[different].copy()
    if quantity is not None:
        for place in np.flatnonzero(kinds == TEXT):
            rating = RATING.fullmatch(texts[place].strip())
            numbers[place] = float(rating[1]) if rating else np.nan
        accepted |= (kinds != YES_NO) & _signs(quantity)[sign](numbers)
    if sign == "=":
        wanted = _class_names(value) if key == CLASS else {value.casefold()}
        accepted |= (kinds == TEXT) & np.array([text.casefold() in wanted for text in texts], dtype=np.bool_)
        answer = 1.0 if value.casefold() in YES else 0.0 if value.casefold() in NO else np.nan
        accepted |= (kinds == YES_NO) & (index.numbers[different] == answer)
    elif quantity is None:
        raise _no_number(value)
    return accepted


def _class_names(value: str) -> set[str]:
    """``wall`` means IfcWall, and IfcWallStandardCase, which is the same thing with a simple shape."""
    name = value.casefold()
    full = name if name.startswith("ifc") else f"ifc{name}"
    return {full, f"{full}standardcase"}


def _signs(quantity: float) -> dict[str, Callable[[NDArray[np.float64]], Mask]]:
    near = max(abs(quantity) * CLOSE, 1e-12)
    return {
        "=": lambda n: np.abs(n - quantity) <= near,
        "<": lambda n: n < quantity - near,
        "<=": lambda n: n <= quantity + near,
        ">": lambda n: n > quantity + near,
        ">=": lambda n: n >= quantity - near,
    }


def _quantity(value: str, key: Key) -> float | None:
    """The number of a value in the unit of the property, or None where it is a word."""
    match = QUANTITY.fullmatch(value.strip())
    if match is None:
        return None
    number, unit = float(match[1]), (match[2] or "").strip()
    if not unit or unit == key.unit:
        return number
    if unit not in UNITS:
        return None
    factor, measured = UNITS[unit]
    if key.unit != measured:
        raise UserError(
            f"{key.name} is not measured in {unit}.",
            f"Its unit in this model is {key.unit or 'none'}.",
            "Write the value without a unit, or with one of the same kind.",
            code="model.query_unit",
            values={"name": key.name, "unit": unit, "own": key.unit or "–"},
        )
    return number * factor


def _unclear(rest: str) -> UserError:
    return UserError(
        "The condition is not clear.",
        f"It cannot be read from here on: {rest}",
        "Write, for example: FireRating = 60 and LoadBearing, or Height > 3 m.",
        code="model.query",
        values={"rest": rest},
    )


def _unknown(index: PropertyIndex, name: str) -> UserError:
    names = {_plain(key.name): key.name for key in index.keys}
    near = [names[n] for n in difflib.get_close_matches(_plain(name), names, n=NAMES_TOLD, cutoff=0.5)]
    near += [key for plain, key in names.items() if _plain(name) in plain and key not in near][:NAMES_TOLD]
    listed = ", ".join(near[:NAMES_TOLD]) or "–"
    return UserError(
        f"No element has a property named {name}.",
        f"Properties with similar names: {listed}.",
        "Choose a name as the properties of an element show it.",
        code="model.query_name",
        values={"name": name, "near": listed},
    )


def _no_number(value: str) -> UserError:
    return UserError(
        f"{value or '…'} is not a number.",
        "Larger and smaller can only be asked of numbers.",
        "Write a number, with a unit if you like: 3, 2500 mm.",
        code="model.query_number",
        values={"value": value or "…"},
    )


def column_of(index: PropertyIndex, name: str) -> tuple[Key, NDArray[np.generic]]:
    """Values of one property for all products: float64 (NaN missing), or object with texts (None missing).

    Without its set a name may mean properties of several sets; those measured alike are one column. Yes and no are
    texts, and so is everything where a property has numbers for some and words for others. Raises `UserError` for a
    name that no property has.
    """
    keys = keys_named(index, name)
    if not keys:
        raise _unknown(index, name)
    first = index.keys[keys[0]]
    alike = [key for key in keys if index.keys[key].unit == first.unit]
    pairs = [index.rows(key) for key in reversed(alike)]  # what is written last stands
    product = np.concatenate([pair[0] for pair in pairs])
    value = np.concatenate([pair[1] for pair in pairs])
    if bool((index.kinds[value] == NUMBER).all()):
        numbers = np.full(len(index.ids), np.nan)
        numbers[product] = index.numbers[value]
        return first, numbers
    words = np.full(len(index.ids), None, dtype=object)
    shown = {"true": "yes", "false": "no"}
    for row, number in zip(product.tolist(), value.tolist(), strict=True):
        text = index.texts[number]
        words[row] = shown.get(text, text) if index.kinds[number] == YES_NO else text
    return first, words
