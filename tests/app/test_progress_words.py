"""What work says it is doing: in the user's language, with its numbers in their places."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.language import language
from app.words import progress_text


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
    assert progress_text("reading {odd} 12.5 of 7.gml") == "reading {odd} 12.5 of 7.gml"
    assert progress_text("") == ""
