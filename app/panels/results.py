"""Results: one card for each run, with its key figures, parameters, doubts and whether it is still up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from analysis.contract import ParamInfo, describe_params
from analysis.registry import analyses
from app.commands import RemoveLayers
from app.language import issue_text, tr
from app.numbers import quantity_text
from app.panels.panel import Panel, scrolled
from app.widgets.later import Later
from app.widgets.wording import say
from app.workbench import Run, runs_of
from geo.model import Layer

if TYPE_CHECKING:
    from app.workbench import Workbench

FIGURES_SHOWN = 12
SUMMARY_COLUMNS = 2


class ResultCard(QFrame):
    """One run."""

    show_asked = Signal(object)
    report_asked = Signal(object)
    export_asked = Signal(object)
    remove_asked = Signal(object)
    again_asked = Signal(object)

    def __init__(self, run: Run, stale: list[str]) -> None:
        super().__init__()
        self.run = run
        self.setObjectName("card")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.setSpacing(6)
        title = QLabel(run_title(run))
        title.setObjectName("title")
        title.setWordWrap(True)
        layout.addWidget(title)
        layout.addWidget(_soft(made_line(run)))
        self.badge = QLabel(tr("results.stale", inputs=", ".join(stale)) if stale else "")
        self.badge.setObjectName("badge")
        self.badge.setWordWrap(True)
        self.badge.setVisible(bool(stale))
        layout.addWidget(self.badge)
        layout.addLayout(self._summary())
        layout.addWidget(_soft(params_line(run)))
        for text in notes_of(run):
            layout.addWidget(_soft(text))
        layout.addLayout(self._buttons())

    def _summary(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        figures = list(self.run.record.get("summary", {}).items())[:FIGURES_SHOWN]
        for index, (name, quantity) in enumerate(figures):
            row, column = divmod(index, SUMMARY_COLUMNS)
            label = _soft(summary_title(self.run, name))
            value = QLabel(quantity_text(quantity["value"], quantity["unit"]))
            value.setObjectName("number")
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(value, 2 * row, column)
            grid.addWidget(label, 2 * row + 1, column, Qt.AlignmentFlag.AlignTop)
        return grid

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        for text_id, signal in (
            ("results.show", self.show_asked),
            ("results.report", self.report_asked),
            ("results.export", self.export_asked),
            ("results.again", self.again_asked),
            ("results.remove", self.remove_asked),
        ):
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
        self.layout_.addWidget(scrolled(content))
        self._later = Later(self, self.rebuild)
        self.connections.add(self.document.scene.added, self._on_layer)
        self.connections.add(self.document.scene.removed, self._on_layer)
        bench.stale_changed.connect(self.rebuild)
        self.rebuild()

    def _on_layer(self, layer: Layer) -> None:
        if layer.theme == "result":
            self._later.ask()

    def rebuild(self) -> None:
        """Make the cards anew."""
        for card in self.cards:
            self._list.removeWidget(card)
            card.hide()
            card.deleteLater()
        runs = runs_of(list(self.document.scene))
        self.cards = [ResultCard(run, self.bench.stale.get(run.id, [])) for run in runs]
        for index, card in enumerate(self.cards):
            card.show_asked.connect(self.bench.show_run)
            card.report_asked.connect(self.report_asked)
            card.export_asked.connect(self.export_asked)
            card.again_asked.connect(self.again_asked)
            card.remove_asked.connect(self._remove)
            self._list.insertWidget(index, card)
        self.empty.setVisible(not self.cards)

    def _remove(self, run: Run) -> None:
        present = tuple(layer.id for layer in run.layers if layer.id in self.document.scene)
        self.bench.do(RemoveLayers(present, "remove_result"))

    def refresh_words(self) -> None:
        """In the current language."""
        self.rebuild()


def _soft(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("soft")
    label.setWordWrap(True)
    if not text:
        label.hide()
    return label


def run_title(run: Run) -> str:
    """Title of the analysis that was run."""
    found = analyses().get(run.analysis_id)
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


def params_line(run: Run) -> str:
    """All parameters with their units."""
    found = analyses().get(run.analysis_id)
    infos = {info.name: info for info in describe_params(found.params)} if found else {}
    parts = []
    for name, value in run.record["provenance"]["params"].items():
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
    return lines + [f"{tr(f'severity.{issue.severity}')}: {issue_text(issue)}" for issue in run.issues]
