"""Compare: the key figures of a study for the base and its alternatives side by side, and the map of what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from analysis.contract import describe_inputs
from analysis.registry import find_analysis, get
from app.language import tr
from app.overview import overview, studies_of_overview, texts_of_overview
from app.panels.panel import Panel
from app.refresher import refresher_of
from app.scorecard import DIFFERENCE, Scorecard, run_name, scorecard, studies_to_compare, texts_of
from app.shown_runs import Run, runs_of
from app.widgets.later import Later
from app.widgets.wording import say
from geo.model import Layer

if TYPE_CHECKING:
    from app.workbench import Workbench

LEAST_TABLE = 24  # pixels
EVERYTHING = "*"  # stands for all studies in the choice


class ComparePanel(Panel):
    """Alternatives side by side.

    Signals
    -------
    pictures_asked(str, str)
        Ids of two runs to be seen side by side; empty where there is no study to choose them from.
    """

    pictures_asked = Signal(str, str)

    name = "compare"
    help_page = "alternatives"

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.card: Scorecard | None = None
        self.study = say(QComboBox(), tip="compare.study.tip")
        self.study.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._chosen = False  # whether the user has chosen what is compared
        self.study.currentIndexChanged.connect(self._on_study)
        self.only_changed = say(QCheckBox(), "compare.only_changed", tip="compare.only_changed.tip")
        self.only_changed.setChecked(True)
        self.only_changed.toggled.connect(lambda _on: self._fill_table())
        self.empty = say(QLabel(), "compare.empty")
        self.empty.setObjectName("soft")
        self.empty.setWordWrap(True)
        self.table = QTableWidget()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectColumns)
        self.table.verticalHeader().setVisible(False)
        self.table.setAlternatingRowColors(True)
        self.table.horizontalHeader().sectionDoubleClicked.connect(self._show_run)
        self.stale = QLabel()
        self.stale.setObjectName("badge")
        self.stale.setWordWrap(True)
        self.table.setMinimumHeight(LEAST_TABLE)
        self.layout_.addLayout(self._make_bar())
        self.layout_.addWidget(self.empty)
        self.layout_.addWidget(self.stale)
        self.layout_.addWidget(self.table, 1)
        self._later = Later(self, self.rebuild)
        scene = self.document.scene
        self.connections.add(scene.added, self._on_layer)
        self.connections.add(scene.removed, self._on_layer)
        self.connections.add(self.document.alternatives.changed, self._later.ask)
        bench.stale_changed.connect(self._later.ask)
        self.rebuild()

    def _make_bar(self) -> QHBoxLayout:
        """All in one row: the panel lies low under the picture."""
        self.before, self.after = say(QComboBox(), tip="compare.before.tip"), say(QComboBox(), tip="compare.after.tip")
        self.difference = say(QPushButton(), "compare.difference", tip="compare.difference.tip")
        self.difference.setObjectName("primary")
        self.difference.clicked.connect(self.show_difference)
        self.again = say(QPushButton(), "compare.again", tip="compare.again.tip")
        self.again.clicked.connect(self.run_again)
        self.beside = say(QPushButton(), "compare_view.open", tip="compare_view.open.tip")
        self.beside.clicked.connect(self._ask_pictures)
        row = QHBoxLayout()
        row.addWidget(self.study, 1)
        row.addWidget(self.only_changed)
        for widget in (self.before, QLabel("→"), self.after, self.beside, self.difference, self.again):
            row.addWidget(widget)
        return row

    def _on_layer(self, layer: Layer) -> None:
        if layer.theme == "result":
            self._later.ask()

    def _on_study(self, _index: int) -> None:
        self._chosen = True
        self._fill_table()

    def rebuild(self) -> None:
        """List the studies anew and fill the table."""
        layers = tuple(self.document.scene)
        found, current = studies_to_compare(layers), self.study.currentData()
        self.study.blockSignals(True)
        self.study.clear()
        # One study on one side is enough: the other sides are worked out from here.
        some = bool(found) or bool(self.document.alternatives.items and studies_of_overview(layers))
        if some:
            self.study.addItem(tr("compare.everything"), EVERYTHING)
        for name in found:
            declared = find_analysis(name)
            self.study.addItem(tr(f"{name}.title", declared.title if declared else name), name)
        # What the user chose stays; else the study that was run last on more than one side, else all.
        kept = self.study.findData(current) if self._chosen or current != EVERYTHING else -1
        self.study.setCurrentIndex(kept if kept >= 0 else min(1, len(found)))
        self.study.blockSignals(False)
        self.empty.setVisible(not some)
        for widget in (self.study, self.only_changed, self.table, self.before, self.after, self.difference):
            widget.setEnabled(some)
        self._fill_table()

    def _fill_table(self) -> None:
        study = str(self.study.currentData() or "")
        everything = study == EVERYTHING
        order = [item.id for item in self.document.alternatives.items]
        self.card = scorecard(tuple(self.document.scene), study, order) if study and not everything else None
        heads, rows = self._overview() if everything else self._card_texts()
        self.table.clear()
        self.table.setColumnCount(len(heads))
        self.table.setRowCount(len(rows))
        self.table.setHorizontalHeaderLabels(heads)
        for number, row in enumerate(rows):
            for column, text in enumerate(row):
                self.table.setItem(number, column, _cell(text, first=column == 0, differs="(" in text and column > 0))
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self._fill_sides()

    def _card_texts(self) -> tuple[list[str], list[list[str]]]:
        return texts_of(self.card, only_changed=self.only_changed.isChecked()) if self.card else ([], [])

    def _overview(self) -> tuple[list[str], list[list[str]]]:
        items = [(item.id, item.name) for item in self.document.alternatives.items]
        card = overview(tuple(self.document.scene), items, self.bench.stale)
        return texts_of_overview(card, only_changed=self.only_changed.isChecked())

    def _fill_sides(self) -> None:
        runs = self.card.runs if self.card else ()
        for widget in (self.before, self.after, self.difference):
            widget.setEnabled(bool(runs))
        everything = self.study.currentData() == EVERYTHING
        self.again.setEnabled((bool(runs) or everything) and bool(self.document.alternatives.items))
        for box, default in ((self.before, 0), (self.after, 1)):
            chosen = box.currentData()
            box.clear()
            for run in runs:
                box.addItem(run_name(run), run.id)
            kept = box.findData(chosen)
            box.setCurrentIndex(kept if kept >= 0 else min(default, len(runs) - 1))
        old = [run_name(run) for run in runs if run.id in self.bench.stale and self.bench.stale[run.id]]
        self.stale.setText(tr("compare.stale", names=", ".join(old)) if old else "")
        self.stale.setVisible(bool(old))

    def _run_of(self, box: QComboBox) -> Run | None:
        runs = runs_of(tuple(self.document.scene))
        return next((run for run in runs if run.id == box.currentData()), None)

    def show_difference(self) -> None:
        """The map of what the alternative on the right changes against the one on the left, as a result."""
        before, after = self._run_of(self.before), self._run_of(self.after)
        if before is None or after is None or before.id == after.id:
            self.bench.notices.tell("notice.same_run", severity="doubt")
            return
        study = get(DIFFERENCE)
        sides = {"before": before.layers, "after": after.layers}
        # Arrows and volumes of a wind are in no map of differences.
        chosen = {
            spec.name: [layer.id for layer in sides[spec.name] if spec.accepts(layer)]
            for spec in describe_inputs(study.inputs)
        }
        self.bench.run(study, {}, chosen=chosen)

    def _ask_pictures(self) -> None:
        before, after = self._run_of(self.before), self._run_of(self.after)
        self.pictures_asked.emit(before.id if before else "", after.id if after else "")

    def run_again(self) -> None:
        """Run the study with the same settings on the base and on every alternative; of all studies what is missing."""
        if self.study.currentData() == EVERYTHING:
            refresher_of(self.bench).complete(studies_of_overview(tuple(self.document.scene)))
            return
        if self.card is None or not self.card.runs:
            return
        run = self.card.runs[0]
        everything = ["", *(item.id for item in self.document.alternatives.items)]
        self.bench.run(get(run.analysis_id), run.record["provenance"]["params"], alternatives=everything)

    def _show_run(self, column: int) -> None:
        if self.card is not None and 0 < column <= len(self.card.runs):
            self.bench.show_run(self.card.runs[column - 1])

    def refresh_words(self) -> None:
        """In the current language."""
        self.rebuild()


def _cell(text: str, *, first: bool, differs: bool) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    item.setTextAlignment(
        Qt.AlignmentFlag.AlignVCenter | (Qt.AlignmentFlag.AlignLeft if first else Qt.AlignmentFlag.AlignRight)
    )
    if differs:
        font = QFont(item.font())
        font.setBold(True)
        item.setFont(font)
    return item
