"""The tour: offered once, beside its controls, never in the way, and at its end there is a result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QFrame, QPushButton

from app.language import LANGUAGES, tr
from app.settings import Settings
from app.tour import SMALL_RUN, STEPS, STUDY, Tour, offer_tour, start_tour
from app.tour_place import place_beside
from tests.app import tiny_city
from tests.app.window_hands import WAIT_MS, settle

if TYPE_CHECKING:
    from app.main_window import MainWindow


@pytest.fixture
def small_sample(window: MainWindow, monkeypatch: Any) -> MainWindow:
    """A window whose sample district is four boxes."""

    def make() -> None:
        tiny_city.fill(window.document)
        window.bench.document_opened.emit()

    monkeypatch.setattr(window.bench, "make_sample", make)
    window.resize(1280, 720)
    return window


def test_all_five_steps_end_with_a_result(small_sample: MainWindow, qtbot: Any) -> None:
    window = small_sample
    window.actions_["tour"].trigger()
    tour = window.tour
    seen = [tour.step.name]
    tour.card.act_button.click()  # opens
    settle(window, qtbot)
    seen.append(tour.step.name)
    tour.card.next_button.click()
    seen.append(tour.step.name)
    tour.card.act_button.click()  # chooses
    seen.append(tour.step.name)
    assert window.analyses.analysis.id == STUDY
    assert {name: window.analyses.form.values()[name] for name in SMALL_RUN} == SMALL_RUN
    window.analyses.run_button.click()
    qtbot.waitUntil(lambda: tour.step.name == "read", timeout=WAIT_MS)
    seen.append(tour.step.name)
    assert seen == [step.name for step in STEPS]
    assert len(window.results.cards) == 1
    settle(window, qtbot)
    assert tour.card.text.text() == tr("tour.read.text")
    assert not tour.card.act_button.isVisible()
    tour.card.next_button.click()
    assert window.tour is None
    settle(window, qtbot)
    assert not window.findChildren(Tour)


def test_who_only_presses_next_still_gets_a_result(small_sample: MainWindow, qtbot: Any) -> None:
    window = small_sample
    window.bench.make_sample()
    tour = start_tour(window)
    assert tour.step.name == "look", "a project is open already"
    for _ in range(3):
        tour.card.next_button.click()
    settle(window, qtbot)
    assert tour.step.name == "read"
    assert tour.card.text.text() == tr("tour.read.none")
    tour.card.act_button.click()
    qtbot.waitUntil(lambda: bool(window.results.cards), timeout=WAIT_MS)
    settle(window, qtbot)
    assert tour.card.text.text() == tr("tour.read.text")
    tour.end()


def test_the_card_stays_in_the_window_and_blocks_nothing(small_sample: MainWindow, qtbot: Any) -> None:
    window = small_sample
    tour = start_tour(window)
    for number in range(len(STEPS)):
        tour.go(number)
        if number == 1:
            window.bench.make_sample()
        for size in (QSize(1280, 720), QSize(1000, 640)):
            window.resize(size)
            settle(window, qtbot)
            tour.place()
            assert window.rect().contains(tour.card.geometry()), (STEPS[number].name, size)
            for label in (tour.card.title, tour.card.text):
                assert label.height() >= label.heightForWidth(label.width()), "words are cut"
    assert tour.mark.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    assert not window.isModal()
    window.actions_["view_top"].trigger()
    window.set_language("ko")
    assert tour.card.title.text() == "결과 읽기"
    qtbot.keyClick(tour.card, Qt.Key.Key_Escape)
    assert window.tour is None


def test_it_begins_again_without_leaving_the_old_card(small_sample: MainWindow, qtbot: Any) -> None:
    start_tour(small_sample)
    again = start_tour(small_sample)
    settle(small_sample, qtbot)
    assert list(small_sample.findChildren(QFrame, "tour_card")) == [again.card]
    again.end()


def test_it_is_offered_once(small_sample: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    window = small_sample
    assert not window.settings.toured
    offer_tour(window)
    (offer,) = window.start_page.findChildren(QFrame, "tour_offer")
    qtbot.waitUntil(offer.isVisible, timeout=WAIT_MS)
    assert Settings(tmp_path / "settings.ini").toured
    offer.findChild(QPushButton, "link").click()
    assert not offer.isVisible()
    assert getattr(window, "tour", None) is None
    settle(window, qtbot)
    offer_tour(window)
    assert not window.start_page.findChildren(QFrame, "tour_offer")


def test_the_offer_starts_it(small_sample: MainWindow, qtbot: Any) -> None:
    offer_tour(small_sample)
    small_sample.start_page.findChild(QPushButton, "primary").click()
    assert small_sample.tour.step.name == "open"
    settle(small_sample, qtbot)
    tile = small_sample.start_page.tiles["sample"]
    place = QRect(tile.mapTo(small_sample, QPoint(0, 0)), tile.size())
    assert not small_sample.tour.card.geometry().intersects(place)
    small_sample.tour.end()


def test_every_step_has_words_in_both_languages() -> None:
    from app.language import texts

    for code in LANGUAGES:
        for step in STEPS:
            assert {f"tour.{step.name}", f"tour.{step.name}.text"} <= set(texts(code))


@pytest.mark.parametrize(
    "around", [QRect(0, 0, 40, 40), QRect(960, 700, 40, 40), QRect(700, 60, 290, 600), QRect(10, 60, 200, 640)]
)
def test_the_card_does_not_cover_its_control(around: QRect) -> None:
    window, size = QRect(0, 0, 1000, 740), QSize(320, 200)
    card = QRect(place_beside(around, size, window), size)
    assert window.contains(card)
    assert not card.intersects(around)
