"""Rows of a table as files that other programs open: Excel and CSV, in the words that the user reads."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from app.language import language
from app.sheet import Sheet, sheet_of
from app.sheet_output import write_table
from geo.model import Column, ElementTable, Feedback, Layer, UserError

TITLES = {"id": "식별자", "class": "분류", "distance": "거리 [m]", "note": "비고"}


def sheet() -> Sheet:
    table = ElementTable(
        ["W1", "W2", "W3"],
        {
            "class": Column(np.array(["hard", "clearance", None], dtype=object)),
            "distance": Column(np.array([-1.25, 0.07, np.nan]), "m"),
            "note": Column(np.array(["=1+1", "tab\tbell\x07", "굴착 전 입회"], dtype=object)),
        },
    )
    return sheet_of(Layer("hits", "Hits", "result", None, table))


def write(path: Path) -> int:
    return write_table(path, sheet(), rows=np.array([1, 0, 2]), titles=TITLES, feedback=Feedback())


def test_excel_holds_the_rows_in_their_order_with_words_and_numbers(tmp_path: Path) -> None:
    language.set("ko")
    assert write(tmp_path / "hits.xlsx") == 3
    page = openpyxl.load_workbook(tmp_path / "hits.xlsx").active
    rows = [[cell.value for cell in row] for row in page.iter_rows()]
    assert rows[0] == list(TITLES.values())
    assert rows[1] == ["W2", "이격 부족", 0.07, "tab\tbell "]
    assert rows[2][:3] == ["W1", "저촉", -1.25]
    assert rows[3] == ["W3", None, None, "굴착 전 입회"]
    assert page["D3"].data_type == "s", "a text that looks like a formula must not become one"
    assert page["D3"].value == "=1+1"
    assert page.freeze_panes == "B2"
    assert page.auto_filter.ref == "A1:D4"
    assert [path.name for path in tmp_path.iterdir()] == ["hits.xlsx"]


def test_csv_says_the_same(tmp_path: Path) -> None:
    language.set("ko")
    write(tmp_path / "hits.csv")
    rows = list(csv.reader((tmp_path / "hits.csv").open(encoding="utf-8-sig", newline="")))
    assert rows[0] == list(TITLES.values())
    assert rows[2] == ["W1", "저촉", "-1.25", "=1+1"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError) as told:
        write(tmp_path / "no" / "hits.xlsx")
    assert told.value.code == "table.cannot_write"
