"""Cards of runs: the newest are open, older ones show their heads, and each is folded by its arrow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from analysis.contract import Quantity, Result
from analysis.registry import analyses
from app.language import tr
from app.main_window import MainWindow
from app.panels.result_card import ResultCard
from app.panels.results import OPEN_CARDS
from app.search_control import commands_of
from geo.model import ElementTable, Feedback, Layer, Points
from tests.app.window_hands import click, made_analysis, settle


def run_times(window: MainWindow, qtbot: Any, count: int) -> None:
    def answer(_inputs: Any, _params: Any, _feedback: Feedback) -> Result:
        points = Points(np.zeros((1, 3)), np.zeros(1, dtype=np.int32))
        mark = Layer("mark", "Mark", "result", points, ElementTable(["m"], {}))
        return Result((mark,), {"area": Quantity(1234.5, "m2")})

    for _ in range(count):
        assert window.bench.run(made_analysis(answer), {}) is not None
        settle(window, qtbot)


def has_body(card: ResultCard) -> bool:
    return any(button.text() == tr("results.show") for button in card.findChildren(QPushButton))


def test_only_the_newest_cards_are_open(city: MainWindow, qtbot: Any) -> None:
    city.show_panel("results")
    run_times(city, qtbot, OPEN_CARDS + 2)
    assert [has_body(card) for card in city.results.cards] == [True] * OPEN_CARDS + [False] * 2
    oldest = city.results.cards[-1].run.id
    click(qtbot, city.results.cards[-1].fold_button)
    assert has_body(city.results.cards[-1])
    click(qtbot, city.results.cards[0].fold_button)
    assert not has_body(city.results.cards[0])
    run_times(city, qtbot, 1)  # what somebody has opened stays open, and what he closed closed
    assert city.results.cards[-1].run.id == oldest
    assert [has_body(card) for card in city.results.cards] == [True, False, True, False, False, True]


def test_a_card_is_folded_by_the_keyboard(city: MainWindow, qtbot: Any) -> None:
    city.show_panel("results")
    run_times(city, qtbot, 1)
    city.results.cards[0].fold_button.setFocus()
    qtbot.keyClick(city.results.cards[0].fold_button, Qt.Key.Key_Space)
    assert not has_body(city.results.cards[0])
    assert city.focusWidget() is city.results.cards[0].fold_button
    qtbot.keyClick(city.results.cards[0].fold_button, Qt.Key.Key_Space)
    assert has_body(city.results.cards[0])


def test_studies_are_listed_by_their_titles_in_both_languages(city: MainWindow) -> None:
    """They are listed before they are imported: the English titles stand in the words too."""
    declared = [one.title for one in analyses().values()]
    choice = city.analyses.choice
    assert [choice.itemText(row) for row in range(choice.count())] == declared
    city.set_language("ko")
    korean = [choice.itemText(row) for row in range(choice.count())]
    assert korean == [tr(f"{one}.title") for one in analyses()]
    assert not any(text.endswith(".title") or text in declared for text in korean)
    found = [line.title for line in commands_of(city)]
    assert not any(text.endswith(".title") for text in found)
