"""What work says it is doing: in the user's language, with its numbers in their places."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import analysis
import app
import bim
import geo
from app.language import language
from app.words import progress_text

NAMES = {"OpenFOAM: 7"}


@pytest.fixture(autouse=True)
def korean() -> Iterator[None]:
    before = language.code
    language.set("ko")
    yield
    language.set(before)


def test_a_message_without_numbers_is_looked_up_as_it_is() -> None:
    assert progress_text("making the grid") == "격자 만들기"


def test_numbers_of_a_message_stand_where_the_language_wants_them() -> None:
    assert progress_text("wind from NNW, 3 of 16, about 40 s left") == "북북서풍, 16개 중 3번째, 약 40초 남음"
    assert progress_text("wind from 030, 2 of 12") == "030° 바람, 12개 중 2번째"


def test_an_unknown_message_stays_as_it_is_whatever_is_in_it() -> None:
    assert progress_text("weighing {odd} 12.5 of 7.gml") == "weighing {odd} 12.5 of 7.gml"
    assert progress_text("reading {odd} 7.gml") == "{odd} 7.gml 읽기"
    assert progress_text("") == ""


def test_what_has_a_name_at_its_end_is_found_by_its_first_words() -> None:
    assert progress_text("reading house of 3 rooms.ifc") == "house of 3 rooms.ifc 읽기"
    assert progress_text("2/5 · reading the file") == "2/5 · 파일 읽기"


def said_by_work() -> set[str]:
    """Whatever code says it is doing, with ``#`` for what is put in."""
    found: set[str] = set()
    for package in (app, geo, bim, analysis):
        for file in sorted(Path(next(iter(package.__path__))).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    found |= set(_said(node))
    return found


def _said(call: ast.Call) -> Iterator[str]:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    told = [k.value for k in call.keywords if k.arg == "message" and name in ("step", "run_program")]
    told += call.args[1:2] if name == "step" else []
    for one in told:
        for node in (one.body, one.orelse) if isinstance(one, ast.IfExp) else (one,):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.JoinedStr):
                yield "".join(part.value if isinstance(part, ast.Constant) else "7" for part in node.values)


def test_whatever_work_says_is_said_in_korean() -> None:
    said = {text for text in said_by_work() if any(letter.isalpha() for letter in text)}
    assert len(said) > 100
    missing = {text for text in said if not has_korean(progress_text(text))} - NAMES
    assert not missing, sorted(missing)


def has_korean(text: str) -> bool:
    return any("가" <= letter <= "힣" for letter in text)
