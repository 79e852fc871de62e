"""The results of a project as a tree to tick and to put in order: each with its pictures, charts and tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QPushButton, QTreeWidget, QTreeWidgetItem

from app.chart_svg import chart_title
from app.language import tr
from app.names import layer_title
from app.report_choice import CHART, TABLE, ReportChoice, RunChoice, in_order, run_title
from app.shown_runs import Run
from app.widgets.wording import say
from geo.model import Layer

PICTURES = "pictures"
ROW_HEIGHT = 24  # pixels
ROLE = Qt.ItemDataRole.UserRole
ON, OFF = Qt.CheckState.Checked, Qt.CheckState.Unchecked


class RunTree(QTreeWidget):
    """Runs in the order of the report. Signal `changed()`: a tick or the order is another."""

    changed = Signal()

    def __init__(self, layers: Sequence[Layer], start: ReportChoice) -> None:
        super().__init__()
        self.setObjectName("report_runs")
        self.setHeaderHidden(True)
        runs = in_order(layers)
        self._usual = [run.id for run in runs]
        said = {one.run: one for one in start.runs or ()}
        chosen = [run_id for run_id in said if run_id in self._usual]
        rest = [run_id for run_id in self._usual if run_id not in chosen]
        known = {run.id: run for run in runs}
        for run_id in [*chosen, *rest]:
            part = said.get(run_id, RunChoice(run_id))
            self._add(known[run_id], part, is_in=start.runs is None or run_id in said)
        self.up_button = say(QPushButton(), "builder.up", tip="builder.up_tip")
        self.down_button = say(QPushButton(), "builder.down", tip="builder.down_tip")
        self.all_button = say(QPushButton(), "builder.all", tip="builder.all_tip")
        self.none_button = say(QPushButton(), "builder.none", tip="builder.none_tip")
        self.up_button.setShortcut("Alt+Up")
        self.down_button.setShortcut("Alt+Down")
        self.up_button.clicked.connect(lambda: self.move_current(-1))
        self.down_button.clicked.connect(lambda: self.move_current(1))
        self.all_button.clicked.connect(lambda: self._tick(ON))
        self.none_button.clicked.connect(lambda: self._tick(OFF))
        if self.topLevelItemCount():
            self.setCurrentItem(self.topLevelItem(0))
        else:
            empty = QTreeWidgetItem(self, [tr("builder.no_runs")])
            empty.setFlags(Qt.ItemFlag.NoItemFlags)
        for button in (self.up_button, self.down_button, self.all_button, self.none_button):
            button.setEnabled(bool(runs))
        self.itemChanged.connect(lambda *_: self.changed.emit())

    def _add(self, run: Run, part: RunChoice, *, is_in: bool) -> None:
        item = QTreeWidgetItem(self, [f"{run_title(run)}  ({_made(run)})"])
        item.setData(0, ROLE, run.id)
        item.setSizeHint(0, QSize(0, ROW_HEIGHT))
        item.setCheckState(0, ON if is_in else OFF)
        self._add_part(item, PICTURES, tr("builder.run_pictures"), part.pictures)
        for chart in run.charts:
            name = f"{CHART}{chart.id}"
            title = tr("builder.chart", title=chart_title(run.analysis_id, chart))
            self._add_part(item, name, title, name not in part.without)
        for layer in run.layers:
            if layer.kind == "table":
                name = f"{TABLE}{layer.id}"
                self._add_part(item, name, tr("builder.table", title=layer_title(layer)), name not in part.without)

    def _add_part(self, item: QTreeWidgetItem, name: str, title: str, is_in: bool) -> None:
        child = QTreeWidgetItem(item, [title])
        child.setData(0, ROLE, name)
        child.setSizeHint(0, QSize(0, ROW_HEIGHT))
        child.setCheckState(0, ON if is_in else OFF)

    def _rows(self) -> list[QTreeWidgetItem]:
        items = [self.topLevelItem(row) for row in range(self.topLevelItemCount())]
        return [item for item in items if item is not None and item.data(0, ROLE)]

    def chosen(self) -> tuple[RunChoice, ...] | None:
        """The ticked runs in their order; None where that is all there are, as they are, and any that come later."""
        made = tuple(_choice(item) for item in self._rows() if item.checkState(0) == ON)
        return None if made == tuple(RunChoice(run_id) for run_id in self._usual) else made

    def move_current(self, by: int) -> None:
        """Move the run in hand up (-1) or down (1)."""
        item = self.currentItem()
        item = item.parent() or item if item is not None else None
        row = self.indexOfTopLevelItem(item) if item is not None else -1
        if item is None or not 0 <= row + by < len(self._rows()):
            return
        is_open = item.isExpanded()
        self.takeTopLevelItem(row)
        self.insertTopLevelItem(row + by, item)
        item.setExpanded(is_open)
        self.setCurrentItem(item)
        self.changed.emit()

    def _tick(self, state: Qt.CheckState) -> None:
        self.blockSignals(True)
        for item in self._rows():
            item.setCheckState(0, state)
        self.blockSignals(False)
        self.viewport().update()
        self.changed.emit()


def _made(run: Run) -> str:
    """When it was run, by the clock of this machine: two runs of one study are told apart by it."""
    started = dt.datetime.fromisoformat(str(run.record["provenance"]["started"]))
    return f"{started.astimezone():%Y-%m-%d %H:%M:%S}"


def _choice(item: QTreeWidgetItem) -> RunChoice:
    parts = {
        str(item.child(row).data(0, ROLE)): item.child(row).checkState(0) == ON for row in range(item.childCount())
    }
    without = tuple(name for name, is_in in parts.items() if not is_in and name != PICTURES)
    return RunChoice(str(item.data(0, ROLE)), parts.get(PICTURES, True), without)
