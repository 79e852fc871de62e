"""The attribute table as arrays: conditions, sorting, statistics, CSV."""

from __future__ import annotations

import csv
import io
import time

import numpy as np
import pytest

from app.hangul import contains, initials
from app.row_filter import filter_rows
from app.sheet import Sheet, by_class, sheet_of, statistics, write_rows
from geo.model import Column, ElementTable, Field, Layer, UserError

COUNT = 100_000


def small_sheet() -> Sheet:
    """Five buildings with every sort of column, and holes in each."""
    columns = {
        "height": Column(np.array([12.0, 30.5, np.nan, 48.0, 30.0]), "m"),
        "storeys": Column(np.array([3, 9, 2, 15, 9])),
        "use": Column(np.array(["학교", "주택", None, "학교", "시장"], dtype=object)),
        "건물 이름": Column(np.array(["합강초등학교", "and", None, "한누리 (A)", "123"], dtype=object), title="이름"),
        "public": Column(np.array([True, False, False, True, False])),
    }
    classes = Field("grade", "1", "element", np.array([1, 0, -1, 1, 0]), categories=("good", "bad"))
    return sheet_of(
        Layer("b", "B", "building", None, ElementTable(["b1", "b2", "b3", "b10", "b5"], columns), (classes,))
    )


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("height > 30", [1, 3]),
        ("height>=30", [1, 3, 4]),
        ("HEIGHT ≥ 30 and use = 학교", [3]),
        ("use = 학교 or storeys = 9", [0, 1, 3, 4]),
        ("use=학교 storeys<5", [0]),
        ("storeys < 5 height < 20", [0]),
        ("not use = 학교", [1, 2, 4]),
        ("use != 학교", [1, 4]),
        ("use = 없음", [2]),
        ("height = none or height != none", [0, 1, 2, 3, 4]),
        ("(use = 학교 or use = 시장) and height < 31", [0, 4]),
        ("public = yes", [0, 3]),
        ("public != 예", [1, 2, 4]),
        ('"건물 이름" ~ 학교', [0]),
        ("이름 = '한누리 (A)'", [3]),
        ('"and"', [1]),
        ("학교", [0, 3]),
        ("ㅎㄱ", [0, 3]),
        ("ㅎㄴㄹ", [3]),
        ("30.5", [1]),
        ("123", [4]),
        ("이름 > 100", [4]),
        ("grade = bad", [0, 3]),
        ("b1", [0, 3]),
        ("height = 30.500000000001", [1]),
        ("height > -1e3", [0, 1, 3, 4]),
    ],
)
def test_conditions_find_the_rows_meant(condition: str, rows: list[int]) -> None:
    assert np.flatnonzero(filter_rows(small_sheet(), condition)).tolist() == rows


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("hieght > 3", "table.no_column"),
        ("height > tall", "table.not_a_number"),
        ("height > ", "table.not_a_number"),
        ("public > 3", "table.not_a_number"),
        ("(height > 3", "table.unclear"),
        ("height > 3)", "table.unclear"),
        ("and", "table.unclear"),
        ("height > 3 or", "table.unclear"),
        ("not", "table.unclear"),
        ("(" * 500, "table.unclear"),
        ("not " * 500 + "x", "table.unclear"),
    ],
)
def test_a_condition_that_cannot_be_read_is_told(condition: str, code: str) -> None:
    with pytest.raises(UserError) as caught:
        filter_rows(small_sheet(), condition)
    assert caught.value.code == code


def test_sorting_keeps_equal_rows_as_they_were_and_missing_ones_last() -> None:
    sheet = small_sheet()
    assert sheet.columns["height"].order(sheet.all_rows).tolist() == [0, 4, 1, 3, 2]
    assert sheet.columns["height"].order(sheet.all_rows, descending=True).tolist() == [3, 1, 4, 0, 2]
    assert sheet.columns["storeys"].order(sheet.all_rows, descending=True).tolist() == [3, 1, 4, 0, 2]
    assert sheet.columns["id"].order(sheet.all_rows).tolist() == [0, 1, 2, 4, 3]
    assert sheet.columns["use"].order(sheet.all_rows, descending=True).tolist() == [0, 3, 1, 4, 2]


def test_statistics_leave_missing_values_out() -> None:
    sheet = small_sheet()
    found = statistics(sheet.columns["height"], sheet.all_rows)
    assert (found.count, found.missing, found.low, found.high) == (4, 1, 12.0, 48.0)
    assert found.sum == pytest.approx(120.5)
    assert found.mean == pytest.approx(120.5 / 4)
    groups = dict(by_class(sheet.columns["height"], sheet.columns["use"], sheet.all_rows))
    assert {name: group.sum for name, group in groups.items() if group.count} == {"학교": 60, "주택": 30.5, "시장": 30}
    assert groups[""].missing == 1


def test_figures_of_a_column_have_the_same_number_of_decimals_and_years_no_comma() -> None:
    table = ElementTable(
        ["a", "b"],
        {"year": Column(np.array([1987, 2024])), "area": Column(np.array([12.5, 12345.25]), "m2")},
    )
    sheet = sheet_of(Layer("l", "L", "building", None, table))
    assert [sheet.columns["year"].text_at(row) for row in (0, 1)] == ["1987", "2024"]
    assert [sheet.columns["area"].text_at(row) for row in (0, 1)] == ["12.5", "12,345.2"]


def test_written_rows_are_read_back_by_another_reader() -> None:
    target, sheet = io.StringIO(), small_sheet()
    write_rows(target, sheet, np.array([3, 2]))
    head, first, second = csv.reader(io.StringIO(target.getvalue()))
    assert head == ["id", "height [m]", "storeys", "use", "이름", "public", "grade"]
    assert first == ["b10", "48", "15", "학교", "한누리 (A)", "True", "bad"]
    assert second == ["b3", "", "2", "", "", "False", ""]


def test_initial_consonants() -> None:
    assert initials("합강동 1-2") == "ㅎㄱㄷ 1-2"
    assert contains("세종 합강초등학교", "ㅎㄱㅊ")
    assert contains("Alder School", "alder")
    assert not contains("합강", "ㅎ")
    assert not contains("합강", "ㄱㅎ")


def large_layer() -> Layer:
    """100,000 rows of 30 columns, a third of them texts that are all different."""
    random = np.random.default_rng(1)
    columns = {f"n{k}": Column(random.random(COUNT) * 100, "m") for k in range(20)}
    columns |= {
        f"t{k}": Column(np.array([f"건물 {n} {k}" for n in random.permutation(COUNT)], dtype=object)) for k in range(10)
    }
    return Layer("large", "Large", "building", None, ElementTable([f"id{n}" for n in range(COUNT)], columns))


def test_a_hundred_thousand_rows_are_sorted_and_filtered_in_a_moment() -> None:
    sheet = sheet_of(large_layer())
    spent = {}
    for name, work in {
        "number": lambda: sheet.columns["n3"].order(sheet.all_rows),
        "text": lambda: sheet.columns["t3"].order(sheet.all_rows),
        "condition": lambda: filter_rows(sheet, "n1 > 50 and n2 < 10"),
        "statistics": lambda: statistics(sheet.columns["n1"], sheet.all_rows),
    }.items():
        start = time.thread_time()
        work()
        spent[name] = time.thread_time() - start
    assert spent["number"] < 0.2, spent
    assert max(spent.values()) < 1.0, spent  # the first look at a text column; other programs share the machine
