"""The search box: ranking, addresses in any order, what was chosen before, and keys that are answered at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app import search
from app.addresses import address_columns, address_rank, address_text, fits_address, plain_address, with_address
from app.commands import AddLayers
from app.element_search import Matches, get_ready, matching_elements
from app.finding import (
    BEGINS,
    EXACT,
    HOLDS,
    IN_PARTS,
    INITIALS,
    WORD_BEGINS,
    Found,
    marks,
    ordered,
    rank_of,
    remembered,
)
from app.main_window import MainWindow
from app.search import SearchBox
from app.sheet import sheet_of
from geo.model import Column, ElementRef, ElementTable, Feedback, Layer, Points
from tests.app.window_hands import settle

ADDRESSES = [
    "세종특별자치시 합강로 12",
    "세종특별자치시 합강로 123",
    "세종특별자치시 합강동로 7-3",
    "대전광역시 유성구 대학로 99",
]


def places(columns: dict[str, list[Any]], *, layer_id: str = "places") -> Layer:
    count = len(next(iter(columns.values())))
    table = ElementTable(
        [f"{layer_id}-{k}" for k in range(count)],
        {name: Column(np.array(values, dtype=object)) for name, values in columns.items()},
    )
    points = np.zeros((count, 3))
    points[:, 0] = np.arange(count)
    return Layer(layer_id, layer_id, "other", Points(points, np.arange(count, dtype=np.int32)), table)


def found_in(layers: list[Layer], words: str) -> list[Matches]:
    return [one for one in matching_elements(layers, words) if isinstance(one, Matches)]


# ---- how well a text fits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words", "rank"),
    [
        ("B12", "b12", EXACT),
        ("합강 초등학교", "합강초등학교", EXACT),
        ("B123", "b12", BEGINS),
        ("Block B12", "b12", WORD_BEGINS),
        ("AB12", "b12", HOLDS),
        ("합강초등학교", "ㅎㄱㅊ", INITIALS),
        ("Sunlight on the ground", "ground sun", IN_PARTS),
        ("B12", "c", None),
    ],
)
def test_ranks(text: str, words: str, rank: int | None) -> None:
    assert rank_of(text, words) == rank


def test_what_fits_is_marked() -> None:
    assert marks("합강초등학교", "초등") == [(2, 2)]
    assert marks("합강초등학교", "ㅊㄷ") == [(2, 2)]
    assert marks("Hours of direct sun", "SUN hours") == [(0, 5), (16, 3)]
    assert marks("plain", "xyz") == []
    assert marks("İstanbul", "stan") == []  # its lower case is longer than itself


def test_groups_stand_by_their_best_line_and_chosen_ones_first() -> None:
    def line(title: str, kind: Any, rank: int) -> Found:
        return Found(title, "", lambda: None, kind, rank)

    lines = [line("c", "command", HOLDS), line("e1", "element", HOLDS), line("e2", "element", EXACT)]
    assert [one.title for one in ordered(lines, [])] == ["e2", "e1", "c"]
    same = [line("a", "command", HOLDS), line("b", "command", HOLDS)]
    assert [one.title for one in ordered(same, ["command:b"])] == ["b", "a"]
    better = [line("a", "command", EXACT), line("b", "command", HOLDS)]
    assert [one.title for one in ordered(better, ["command:b"])] == ["a", "b"]
    assert remembered(["x", "y"], "y") == ["y", "x"]


# ---- elements and addresses ------------------------------------------------------------------------------------------


def test_the_id_itself_comes_before_those_that_begin_with_it_and_those_that_hold_it() -> None:
    layer = places({"name": ["x B1", "B12", "B1", "none"], "note": ["", "", "", "says B1"]})
    (matches,) = found_in([layer], "b1")
    assert [one.row for one in matches.best] == [2, 1, 0, 3]
    assert len(matches.rows) == 4
    assert [one.column for one in matches.best] == ["", "", "", "note"]  # that one says why it is here


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ("합강로 12", [0, 1]),  # the whole number first
        ("합강로12", [0, 1]),
        ("12 합강로", [0, 1]),
        ("세종시 합강로 123", [1]),
        ("세종 합강동로 7-3", [2]),
        ("대학로", [3]),
        ("유성구 대전", [3]),
        ("합강로 99", []),
    ],
)
def test_addresses_are_found_by_their_parts(words: str, rows: list[int]) -> None:
    found = found_in([places({"도로명주소": ADDRESSES})], words)
    assert [one.row for one in found[0].best] == rows if rows else found == []
    if rows:
        assert all(one.address for one in found[0].best)


def test_an_address_may_be_spread_over_columns() -> None:
    layer = places({"시도": ["세종특별자치시"] * 2, "도로명": ["합강로", "대학로"], "건물번호": ["12", "5"]})
    (matches,) = found_in([layer], "합강로 12")
    assert [(one.row, one.address) for one in matches.best] == [(0, "합강로 12")]
    columns = address_columns(sheet_of(layer))
    assert [column.key for column in columns] == ["도로명", "건물번호"]
    assert address_text(columns, 1) == "대학로 5"


def test_structured_addresses_of_city_models_are_read() -> None:
    said = '[{"Country":"KR","Locality":"세종특별자치시","ThoroughfareName":"합강로","ThoroughfareNumber":"12"}]'
    assert plain_address(said) == "KR 세종특별자치시 합강로 12"
    (matches,) = found_in([places({"address": [said, "Main Street 5"]})], "합강로 12")
    assert matches.best[0].address == "KR 세종특별자치시 합강로 12"
    assert plain_address("[broken") == "[broken"
    assert fits_address("Main Street 5", "street main")


def test_whole_house_numbers_come_before_longer_ones() -> None:
    ranks = [address_rank(text, "합강로 12") for text in ADDRESSES[:2]]
    assert ranks[0] < ranks[1]
    assert with_address([], "x") is None


def test_ten_thousand_buildings_are_searched_in_small_pieces() -> None:
    count = 10_000
    layer = places(
        {"name": [f"건물 {k}" for k in range(count)], "주소": [f"세종특별자치시 합강로 {k}" for k in range(count)]}
    )
    get_ready([layer], Feedback())
    longest, whole = 0.0, time.thread_time()
    work: Iterator[Any] = matching_elements([layer], "합강로 7")
    while True:
        start = time.thread_time()
        if next(work, work) is work:
            break
        longest = max(longest, time.thread_time() - start)
    assert longest < 0.2
    assert time.thread_time() - whole < 1.0


# ---- the box in the window -------------------------------------------------------------------------------------------


def opened(city: MainWindow, words: str = "") -> SearchBox:
    city.open_search()
    box = city._search
    assert box is not None
    box.line.setText(words)
    return box


def test_an_empty_box_shows_examples_that_can_be_tried(city: MainWindow, qtbot: Any) -> None:
    box = opened(city)
    texts = [box.list.item(row).text() for row in range(box.list.count())]
    assert any(text.startswith("height > 30") for text in texts)
    row = next(row for row, text in enumerate(texts) if text.startswith("height > 30"))
    box.list.setCurrentRow(row)
    qtbot.keyClick(box.line, Qt.Key.Key_Return)
    assert box.isVisible()
    assert box.line.text() == "height > 30"
    box.hide()
    settle(city, qtbot)


def test_an_address_flies_there_and_is_remembered(city: MainWindow, qtbot: Any) -> None:
    layer = places({"도로명주소": ADDRESSES})
    city.document.do(AddLayers((layer,)))
    settle(city, qtbot)
    opened(city, "합강로 12")
    box = city._search
    assert box is not None
    qtbot.waitUntil(lambda: not box.is_searching)
    assert box.list.item(0).text().startswith("세종특별자치시 합강로 12")
    before = city.viewport.camera
    qtbot.keyClick(box.line, Qt.Key.Key_Return)
    assert city.document.selection.items == (ElementRef("places", "places-0"),)
    assert city.viewport.camera != before
    assert city.settings.recent_found[0] == "element:places\nplaces-0"
    box = opened(city)
    assert box.list.item(0).text().startswith("places-0")
    box.hide()
    settle(city, qtbot)


def test_a_command_chosen_before_comes_first_of_those_that_fit_as_well(city: MainWindow, qtbot: Any) -> None:
    box = opened(city, "from")
    texts = [box.list.item(row).text() for row in range(box.list.count())]
    last = next(text for text in reversed(texts) if text.lower().startswith("from"))
    box.list.setCurrentRow(texts.index(last))
    qtbot.keyClick(box.line, Qt.Key.Key_Return)
    assert opened(city, "from").list.item(0).text() == last
    city._search.hide()
    settle(city, qtbot)


def test_every_key_is_answered_at_once_and_the_rest_is_found_afterwards(city: MainWindow, qtbot: Any) -> None:
    count = 10_000
    many = [
        places(
            {"name": [f"건물 {k}" for k in range(count)], "주소": [f"합강로 {k}" for k in range(count)]},
            layer_id=f"m{n}",
        )
        for n in range(3)
    ]
    city.document.do(AddLayers(tuple(many)))
    box = opened(city)
    longest = 0.0
    for words in ("합", "합강", "합강로", "합강로 ", "합강로 9", "합강로 99", "합강로 999", "합강로 9999"):
        start = time.thread_time()
        box.line.setText(words)
        longest = max(longest, time.thread_time() - start)
    assert longest < 0.4, "a key waits"
    qtbot.waitUntil(lambda: not box.is_searching, timeout=60_000)
    found = [box.list.item(row).text() for row in range(box.list.count())]
    assert sum(text.startswith("합강로 9999") for text in found) == 3  # of every layer, cut nowhere
    box.hide()
    assert not box.is_searching
    settle(city, qtbot)


def test_return_before_the_search_is_through_takes_the_best_line(
    city: MainWindow, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.document.do(AddLayers((places({"도로명주소": ADDRESSES}),)))
    settle(city, qtbot)
    monkeypatch.setattr(search, "SEARCH_SECONDS", -1.0)  # no layer is looked through while the key is answered
    box = opened(city, "B3")
    assert box.is_searching
    qtbot.keyClick(box.line, Qt.Key.Key_Return)
    assert box.isVisible()
    qtbot.waitUntil(lambda: not box.isVisible(), timeout=5000)
    assert city.document.selection.items == (ElementRef("houses", "B3"),)
    settle(city, qtbot)
