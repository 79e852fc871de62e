"""A card of one run: its key figures, parameters, doubts and whether it is still up to date; folded, its head alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from analysis.contract import Chart
from app.honesty import lead_of, lead_text
from app.language import tr
from app.names import layer_title
from app.panels.panel import small_button
from app.progress_figures import run_on_day
from app.run_texts import (
    figure_text,
    figure_value,
    figures_of,
    made_line,
    main_params,
    notes_of,
    params_line,
    part_title,
    run_title,
    summary_title,
    table_of,
)
from app.shown_runs import Run
from app.theme import Theme
from app.topic_results import findings_of
from app.way_steps import steps_of, ways_of
from app.widgets.chart_view import ChartView
from app.widgets.step_list import StepList
from app.widgets.wording import say

CARD_COLUMNS, CARD_WIDTH = 2, 116
LONG_FIGURE = 24  # characters of a figure that does not fit beside another
CHART_HEIGHT = 190


class ResultCard(QFrame):
    """One run.

    Parameters
    ----------
    is_open : bool
        With all that is said of the run; else the head alone.
    day : date, optional
        The day the map is drawn for where that is not the day of the run: the key figures are of it too.

    Signals
    -------
    folded(object)
        The run whose card is to be opened, or closed.
    """

    folded = Signal(object)

    show_asked = Signal(object)
    report_asked = Signal(object)
    export_asked = Signal(object)
    remove_asked = Signal(object)
    again_asked = Signal(object)
    charts_asked = Signal(object)
    table_asked = Signal(object)
    topics_asked = Signal(object)
    pdf_asked = Signal(object)
    step_chosen = Signal(object)

    def __init__(
        self, run: Run, stale: list[str], *, theme: Theme, is_open: bool = True, day: date | None = None
    ) -> None:
        super().__init__()
        self.run = run
        self.shown = run if day is None else run_on_day(run, day)  # as its map is drawn
        self.key: object = None
        self.is_open = is_open
        self.setObjectName("card")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.setSpacing(6)
        layout.addLayout(self._head(is_open))
        main = QLabel(params_line(self.shown, main_params(run)))
        main.setWordWrap(True)
        main.setVisible(bool(main.text()))
        layout.addWidget(main)
        if day is not None:
            layout.addWidget(_soft(tr("results.of_day", run=params_line(run, ["day"]))))
        layout.addWidget(_soft(made_line(run)))
        self.badge = QLabel(tr("results.stale", inputs=", ".join(stale)) if stale else "")
        self.badge.setObjectName("badge")
        self.badge.setWordWrap(True)
        self.badge.setVisible(bool(stale))
        layout.addWidget(self.badge)
        self.charts = run.charts
        if is_open:
            self._add_body(layout, theme)

    def _head(self, is_open: bool) -> QHBoxLayout:
        run = self.run
        kind = ("branch_open", "results.fold") if is_open else ("branch_closed", "results.unfold")
        self.fold_button = small_button(*kind)
        self.fold_button.clicked.connect(lambda: self.folded.emit(run))
        title = QLabel(f"{run_title(run)} – {run.alternative_name}" if run.alternative_name else run_title(run))
        title.setObjectName("title")
        title.setWordWrap(True)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(title, 1)
        head.addWidget(self.fold_button, 0, Qt.AlignmentFlag.AlignTop)
        return head

    def _add_body(self, layout: QVBoxLayout, theme: Theme) -> None:
        run = self.run
        self._add_lead(layout)
        self._add_summary(layout)
        if run.charts:
            layout.addWidget(_small_chart(run, run.charts[0], theme))
        self._add_steps(layout)
        heading = say(QLabel(), "results.conditions")
        heading.setObjectName("section")
        layout.addWidget(heading)
        layout.addWidget(_soft(params_line(run)))
        for text in notes_of(run):
            layout.addWidget(_soft(text))
        layout.addLayout(self._buttons())

    def _add_lead(self, layout: QVBoxLayout) -> None:
        """What the run says plainly, before its figures: the first sentence is the verdict."""
        for number, issue in enumerate(lead_of(self.run.issues)[0]):
            sentence = QLabel(lead_text(issue))
            sentence.setWordWrap(True)
            sentence.setObjectName("soft" if number else "strong" if issue.severity == "note" else "badge")
            layout.addWidget(sentence)

    def _add_steps(self, layout: QVBoxLayout) -> None:
        """The ways of the run, step by step."""
        for way in ways_of(self.run):
            heading = QLabel(layer_title(way))
            heading.setObjectName("section")
            steps = StepList(steps_of(way))
            steps.step_chosen.connect(self.step_chosen)
            layout.addWidget(heading)
            layout.addWidget(steps)

    def _add_summary(self, layout: QVBoxLayout) -> None:
        """Figures of the whole as cards; those of a part (ground, facades, roofs) as lines under its name."""
        lead, loose, parts = figures_of(self.shown)
        cards = QGridLayout()
        cards.setSpacing(6)
        for column in range(CARD_COLUMNS):
            cards.setColumnStretch(column, 1)
            cards.setColumnMinimumWidth(column, CARD_WIDTH)
        index = 0
        for name, quantity in (*lead, *loose):
            text = figure_text(self.run, name, quantity)
            wide = CARD_COLUMNS if len(text) > LONG_FIGURE else 1
            index += -index % CARD_COLUMNS if wide > 1 else 0  # a long one has a row of its own
            card = _figure_card(summary_title(self.run, name), text)
            cards.addWidget(card, *divmod(index, CARD_COLUMNS), 1, wide)
            index += wide
        layout.addLayout(cards)
        for part, figures in parts.items():
            heading = QLabel(tr(f"results.part.{part}", part.replace("_", " ").capitalize()))
            heading.setObjectName("section")
            layout.addWidget(heading)
            lines = QGridLayout()
            lines.setHorizontalSpacing(12)
            lines.setVerticalSpacing(4)
            lines.setColumnStretch(0, 1)
            for row, (name, quantity) in enumerate(figures):
                lines.addWidget(_soft(part_title(self.run, part, name)), row, 0)
                lines.addWidget(_figure(figure_value(quantity), "strong"), row, 1, Qt.AlignmentFlag.AlignRight)
            layout.addLayout(lines)

    def _buttons(self) -> QVBoxLayout:
        """Two rows: what to do with the run here, and what it can be turned into."""
        rows = QVBoxLayout()
        rows.setSpacing(0)
        charts = (("results.charts", self.charts_asked),) if self.charts else ()
        here = (
            ("results.show", self.show_asked),
            *charts,
            *((("results.table", self.table_asked),) if table_of(self.run) else ()),
            ("results.again", self.again_asked),
            ("results.remove", self.remove_asked),
        )
        out = (
            *((("results.topics", self.topics_asked),) if findings_of(self.run.layers) is not None else ()),
            ("results.pdf", self.pdf_asked),
            ("results.report", self.report_asked),
            ("results.export", self.export_asked),
        )
        for group in (here, out):
            rows.addLayout(self._row(group))
        return rows

    def _row(self, group: Sequence[tuple[str, Any]]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        for text_id, signal in group:
            button = say(QPushButton(), text_id)
            button.setObjectName("link")
            button.clicked.connect(lambda _checked=False, s=signal: s.emit(self.run))
            row.addWidget(button)
        row.addStretch(1)
        return row


def _small_chart(run: Run, chart: Chart, theme: Theme) -> QWidget:
    view = ChartView(chart, analysis_id=run.analysis_id, theme=theme)
    view.setFixedHeight(CHART_HEIGHT)
    return view


def _figure(text: str, name: str) -> QLabel:
    value = QLabel(text)
    value.setObjectName(name)
    value.setWordWrap(True)  # a long one must not make the panel scroll sideways
    value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return value


def _figure_card(title: str, text: str) -> QFrame:
    card = QFrame()
    card.setObjectName("figure")
    layout = QVBoxLayout(card)
    layout.setContentsMargins(8, 5, 8, 6)
    layout.setSpacing(0)
    layout.addWidget(_soft(title))
    layout.addWidget(_figure(text, "number"))
    return card


def _soft(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("soft")
    label.setWordWrap(True)
    if not text:
        label.hide()
    return label
