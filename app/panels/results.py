"""Results: one card for each run, the newest first; older ones are folded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.chart_window import ChartWindow
from app.commands import RemoveLayers
from app.language import language
from app.panels.panel import Panel, scrolled
from app.panels.result_card import ResultCard
from app.refresher import refresher_of
from app.run_texts import run_title, table_of
from app.shown_runs import Run, runs_of
from app.widgets.later import Later
from app.widgets.refresh_bar import RefreshBar
from app.widgets.wording import say
from geo.model import Layer

if TYPE_CHECKING:
    from app.workbench import Workbench

OPEN_CARDS = 3  # the newest; the others show their heads


class ResultsPanel(Panel):
    """The cards, the newest first."""

    name = "results"
    help_page = "analyses"

    report_asked = Signal(object)
    export_asked = Signal(object)
    again_asked = Signal(object)
    topics_asked = Signal(object)
    pdf_asked = Signal(object)
    step_chosen = Signal(object)

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.cards: list[ResultCard] = []
        self._days: Mapping[str, date] = {}  # runs whose map follows the timeline, and the day it is drawn for
        self._folding: dict[str, bool] = {}  # runs whose card somebody opened or closed
        self.empty = say(QLabel(), "results.empty")
        self.empty.setObjectName("soft")
        self.empty.setWordWrap(True)
        content = QWidget()
        self._list = QVBoxLayout(content)
        self._list.setContentsMargins(0, 0, 4, 0)
        self._list.setSpacing(8)
        self._list.addWidget(self.empty)
        self._list.addStretch(1)
        self.refresher = refresher_of(bench)
        self.refresh_bar = RefreshBar(self.refresher)
        self.layout_.addWidget(self.refresh_bar)
        self._area = scrolled(content)
        self.layout_.addWidget(self._area)
        self._later = Later(self, self.rebuild)
        self.connections.add(self.document.scene.added, self._on_layer)
        self.connections.add(self.document.scene.removed, self._on_layer)
        bench.stale_changed.connect(self.rebuild)
        bench.theme_changed.connect(lambda _theme: self.rebuild())
        self.rebuild()

    def _on_layer(self, layer: Layer) -> None:
        if layer.theme == "result":
            self._later.ask()

    def show_days(self, days: Mapping[str, date]) -> None:
        """Of runs whose map follows the timeline, the figures of the day on show."""
        if days != self._days:
            self._days = days
            self._later.ask()

    def show_card(self, run_id: str) -> None:
        """Open the card of a run and bring it to the top."""
        self._folding[run_id] = True
        self.rebuild()
        self.layout_.activate()
        card = next((card for card in self.cards if card.run.id == run_id), None)
        if card is not None:
            QTimer.singleShot(0, card, lambda: self._area.verticalScrollBar().setValue(card.y()))

    def rebuild(self) -> None:
        """Make the cards anew; those that would be the same stay, so that the list does not blink."""
        runs = runs_of(list(self.document.scene))
        there = {card.key: card for card in self.cards}
        keys = [self._key(run, self._is_open(run, index)) for index, run in enumerate(runs)]
        for card in self.cards:
            self._list.removeWidget(card)
            if card.key not in keys:
                card.hide()
                card.deleteLater()
        self.cards = [
            there.get(key) or self._card(run, key, self._is_open(run, index))
            for index, (run, key) in enumerate(zip(runs, keys, strict=True))
        ]
        for index, card in enumerate(self.cards):
            self._list.insertWidget(index, card)
        self.empty.setVisible(not self.cards)
        self.refresh_bar.refresh()

    def _is_open(self, run: Run, index: int) -> bool:
        return self._folding.get(run.id, index < OPEN_CARDS)

    def _fold(self, run: Run) -> None:
        """Open a card, or close it."""
        card = next(card for card in self.cards if card.run.id == run.id)
        had_focus = card.window().focusWidget() is card.fold_button
        self._folding[run.id] = not card.is_open
        self.rebuild()
        if had_focus:
            next(card for card in self.cards if card.run.id == run.id).fold_button.setFocus()

    def _key(self, run: Run, is_open: bool) -> object:
        """What a card hangs on."""
        layers = tuple((layer.id, layer.name) for layer in run.layers)
        looks = (self.bench.theme.name, language.code, is_open)
        return run.id, layers, tuple(self.bench.stale.get(run.id, ())), self._days.get(run.id), *looks

    def _card(self, run: Run, key: object, is_open: bool) -> ResultCard:
        stale, day = self.bench.stale.get(run.id, []), self._days.get(run.id)
        card = ResultCard(run, stale, theme=self.bench.theme, is_open=is_open, day=day)
        card.folded.connect(self._fold)
        card.key = key
        card.show_asked.connect(self.bench.show_run)
        card.report_asked.connect(self.report_asked)
        card.export_asked.connect(self.export_asked)
        card.again_asked.connect(self.again_asked)
        card.topics_asked.connect(self.topics_asked)
        card.pdf_asked.connect(self.pdf_asked)
        card.charts_asked.connect(self.open_charts)
        card.table_asked.connect(self.open_table)
        card.remove_asked.connect(self._remove)
        card.step_chosen.connect(self.step_chosen)
        return card

    def open_charts(self, run: Run) -> None:
        """The charts of a run in a window of their own."""
        self.chart_window = ChartWindow(
            run.charts,
            analysis_id=run.analysis_id,
            title=run_title(run),
            theme=self.bench.theme,
            report_error=self.bench.notices.report,
            parent=self,
        )
        self.chart_window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.chart_window.show()

    def open_table(self, run: Run) -> None:
        """The rows of a run. The table follows the selection, which is of something else."""
        self.document.selection.clear()
        self.bench.table_requested.emit(table_of(run))

    def _remove(self, run: Run) -> None:
        present = tuple(layer.id for layer in run.layers if layer.id in self.document.scene)
        self.bench.do(RemoveLayers(present, "remove_result"))

    def refresh_words(self) -> None:
        """In the current language."""
        self.rebuild()
