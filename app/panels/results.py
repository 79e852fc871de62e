"""Results: one card for each run, with its key figures, parameters, doubts and whether it is still up to date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from analysis.contract import Chart, ParamInfo, describe_params
from analysis.registry import find_analysis
from app.chart_window import ChartWindow
from app.commands import RemoveLayers
from app.honesty import lead_of, lead_text
from app.language import issue_text, language, tr
from app.names import layer_title
from app.numbers import quantity_text
from app.panels.panel import Panel, scrolled
from app.refresher import refresher_of
from app.shown_runs import Run, runs_of
from app.theme import Theme
from app.topic_results import findings_of
from app.way_steps import steps_of, ways_of
from app.widgets.chart_view import ChartView
from app.widgets.later import Later
from app.widgets.refresh_bar import RefreshBar
from app.widgets.step_list import StepList
from app.widgets.wording import say
from app.words import figure_word
from geo.model import Layer

if TYPE_CHECKING:
    from app.workbench import Workbench

CARD_COLUMNS, CARD_WIDTH = 2, 116
LONG_FIGURE = 24  # characters of a figure that does not fit beside another
CHART_HEIGHT = 190
PART_FIGURES = 3  # from so many figures with the same first word on they have a heading of their own
Figures = list[tuple[str, Mapping[str, Any]]]


class ResultCard(QFrame):
    """One run."""

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

    def __init__(self, run: Run, stale: list[str], *, theme: Theme) -> None:
        super().__init__()
        self.run = run
        self.key: object = None
        self.setObjectName("card")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.setSpacing(6)
        title = QLabel(f"{run_title(run)} – {run.alternative_name}" if run.alternative_name else run_title(run))
        title.setObjectName("title")
        title.setWordWrap(True)
        layout.addWidget(title)
        main = QLabel(params_line(run, main_params(run)))
        main.setWordWrap(True)
        main.setVisible(bool(main.text()))
        layout.addWidget(main)
        layout.addWidget(_soft(made_line(run)))
        self.badge = QLabel(tr("results.stale", inputs=", ".join(stale)) if stale else "")
        self.badge.setObjectName("badge")
        self.badge.setWordWrap(True)
        self.badge.setVisible(bool(stale))
        layout.addWidget(self.badge)
        self._add_lead(layout)
        self._add_summary(layout)
        self.charts = run.charts
        if self.charts:
            layout.addWidget(_small_chart(run, self.charts[0], theme))
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
        loose, parts = figures_of(self.run)
        cards = QGridLayout()
        cards.setSpacing(6)
        for column in range(CARD_COLUMNS):
            cards.setColumnStretch(column, 1)
            cards.setColumnMinimumWidth(column, CARD_WIDTH)
        index = 0
        for name, quantity in loose:
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
                lines.addWidget(_figure(_value(quantity), "strong"), row, 1, Qt.AlignmentFlag.AlignRight)
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
        self.layout_.addWidget(scrolled(content))
        self._later = Later(self, self.rebuild)
        self.connections.add(self.document.scene.added, self._on_layer)
        self.connections.add(self.document.scene.removed, self._on_layer)
        bench.stale_changed.connect(self.rebuild)
        bench.theme_changed.connect(lambda _theme: self.rebuild())
        self.rebuild()

    def _on_layer(self, layer: Layer) -> None:
        if layer.theme == "result":
            self._later.ask()

    def rebuild(self) -> None:
        """Make the cards anew; those that would be the same stay, so that the list does not blink."""
        runs = runs_of(list(self.document.scene))
        there = {card.key: card for card in self.cards}
        keys = [self._key(run) for run in runs]
        for card in self.cards:
            self._list.removeWidget(card)
            if card.key not in keys:
                card.hide()
                card.deleteLater()
        self.cards = [there.get(key) or self._card(run, key) for run, key in zip(runs, keys, strict=True)]
        for index, card in enumerate(self.cards):
            self._list.insertWidget(index, card)
        self.empty.setVisible(not self.cards)
        self.refresh_bar.refresh()

    def _key(self, run: Run) -> object:
        """What a card hangs on."""
        layers = tuple((layer.id, layer.name) for layer in run.layers)
        return run.id, layers, tuple(self.bench.stale.get(run.id, ())), self.bench.theme.name, language.code

    def _card(self, run: Run, key: object) -> ResultCard:
        card = ResultCard(run, self.bench.stale.get(run.id, []), theme=self.bench.theme)
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


def table_of(run: Run) -> str:
    """The layer whose table a person wants to go through: findings, else lines, points, surfaces, else any table."""
    rows = [layer for layer in run.layers if len(layer.table)]
    order = ("lines", "points", "mesh", "instances", "table")
    rows.sort(key=lambda layer: (not is_finding(layer), order.index(layer.kind) if layer.kind in order else len(order)))
    return rows[0].id if rows else ""


def is_finding(layer: Layer) -> bool:
    """Whether the elements are findings with a severity, each at its place."""
    return layer.kind == "points" and "severity" in layer.table.columns


def _small_chart(run: Run, chart: Chart, theme: Theme) -> QWidget:
    view = ChartView(chart, analysis_id=run.analysis_id, theme=theme)
    view.setFixedHeight(CHART_HEIGHT)
    return view


def _value(quantity: Mapping[str, Any]) -> str:
    return quantity_text(quantity["value"], quantity["unit"])


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


def run_title(run: Run) -> str:
    """Title of the analysis that was run."""
    found = find_analysis(run.analysis_id)
    return tr(f"{run.analysis_id}.title", found.title if found else run.analysis_id)


def made_line(run: Run) -> str:
    """When it was made and how long it took."""
    from datetime import datetime

    provenance = run.record["provenance"]
    started = datetime.fromisoformat(str(provenance["started"])).astimezone()
    return tr("results.made", time=f"{started:%Y-%m-%d %H:%M}", seconds=f"{float(provenance['duration_s']):.1f}")


def summary_title(run: Run, name: str) -> str:
    """Title of a key figure."""
    return tr(f"{run.analysis_id}.summary.{name}", name.replace("_", " "))


def figures_of(run: Run) -> tuple[Figures, dict[str, Figures]]:
    """Key figures of the whole, and those of each part: ``roofs_mean`` and ``roofs_area`` belong to the roofs."""
    figures = list(run.record.get("summary", {}).items())
    count = Counter(name.partition("_")[0] for name, _ in figures)
    loose: Figures = []
    parts: dict[str, Figures] = {}
    for name, quantity in figures:
        part = name.partition("_")[0]
        (parts.setdefault(part, []) if count[part] >= PART_FIGURES else loose).append((name, quantity))
    return loose, parts


def figure_text(run: Run, name: str, quantity: Mapping[str, Any]) -> str:
    """A key figure with its unit; the choice of a parameter in the user's words."""
    found = find_analysis(run.analysis_id)
    infos = {info.name: info for info in describe_params(found.params)} if found else {}
    if name in infos and infos[name].options and isinstance(quantity["value"], str):
        return value_text(run.analysis_id, infos[name], quantity["value"])
    if quantity["value"] in ("yes", "no"):
        return tr(str(quantity["value"]))
    if isinstance(quantity["value"], str):
        return figure_word(run.analysis_id, name, quantity["value"])
    return _value(quantity)


def part_title(run: Run, part: str, name: str) -> str:
    """Title of a figure under the heading of its part, which it need not say again."""
    title, word = summary_title(run, name), tr(f"results.part.{part}", part)
    rest = title.removeprefix(word).lstrip(": ")
    return rest[:1].upper() + rest[1:] if title.startswith((f"{word} ", f"{word}:")) and rest else title


def main_params(run: Run) -> list[str]:
    """Names of the parameters that tell runs apart: the day, the step, and what is not as usual."""
    found = find_analysis(run.analysis_id)
    infos = {info.name: info for info in describe_params(found.params)} if found else {}
    names = []
    for name, value in run.record["provenance"]["params"].items():
        info = infos.get(name)
        if info is not None and info.sort == "place":
            continue  # ids and coordinates: the key figures name the places
        if info is None or info.annotation is date or name in ("day", "step") or value != info.default:
            names.append(name)
    return names


def params_line(run: Run, names: Sequence[str] | None = None) -> str:
    """Parameters with their units; all of them without `names`."""
    found = find_analysis(run.analysis_id)
    infos = {info.name: info for info in describe_params(found.params)} if found else {}
    parts = []
    for name, value in run.record["provenance"]["params"].items():
        if names is not None and name not in names:
            continue
        info = infos.get(name)
        title = tr(f"{run.analysis_id}.{name}", info.title if info else name)
        parts.append(f"{title} {value_text(run.analysis_id, info, value)}")
    return " · ".join(parts)


def value_text(analysis_id: str, info: ParamInfo | None, value: object) -> str:
    """A parameter's value as people read it."""
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    if info is not None and isinstance(value, str):
        return tr(f"{analysis_id}.{info.name}.{value}", value.replace("_", " "))
    return quantity_text(value, info.unit if info else "")


def notes_of(run: Run) -> list[str]:
    """Assumptions and doubts, each one line."""
    lines = [
        f"{tr('results.assumed')}: {tr(f'{run.analysis_id}.assumption.{number}', str(text))}"
        for number, text in enumerate(run.record.get("assumptions", ()))
    ]
    return lines + [f"{tr(f'severity.{issue.severity}')}: {issue_text(issue)}" for issue in lead_of(run.issues)[1]]
