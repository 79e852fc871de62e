"""Plans of cameras side by side: number, cost, what each covers of the same targets, and what a failure costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.cctv.bands import class_title
from app.cctv.live_coverage import LivePlan, PlanFigures, compare_plans, setup_of
from app.language import error_texts, tr
from app.names import layer_title
from app.numbers import number_text
from app.widgets.wording import say
from geo.model import Feedback, Layer, UserError

if TYPE_CHECKING:
    from app.workbench import Workbench

SIZE = (560, 440)  # pixels


class PlanTable(QDialog):
    """One column for each plan; the best figure of a row is bold.

    Signals
    -------
    plan_chosen(str)
        Id of the layer whose head was double-clicked.
    """

    plan_chosen = Signal(str)

    def __init__(self, bench: Workbench, plans: Sequence[Layer], *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        say(self, "plans.title")
        self.bench, self.plans = bench, list(plans)
        self.figures: list[PlanFigures] = []
        self.note = say(QLabel(), "plans.working")
        self.note.setWordWrap(True)
        self.note.setObjectName("soft")
        self.table = QTableWidget()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.horizontalHeader().sectionDoubleClicked.connect(
            lambda column: self.plan_chosen.emit(self.plans[column].id)
        )
        layout = QVBoxLayout(self)
        layout.addWidget(self.note)
        layout.addWidget(self.table, 1)
        self.resize(*SIZE)
        self._begin()

    def _begin(self) -> None:
        try:
            setup = setup_of(self.bench.document, [layer.id for layer in self.plans])
        except UserError as error:
            self._failed(error)
            return
        ids = [layer.id for layer in self.plans]

        def work(feedback: Feedback) -> list[PlanFigures]:
            plan = LivePlan.begin(setup, feedback.part(0.0, 0.9))
            return compare_plans(plan, setup.layers, ids)

        job = self.bench.jobs.submit(work, title=tr("plans.title"), key="compare plans", failed=self._failed)
        job.done.connect(self._show)
        self.destroyed.connect(job.cancel)

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, UserError):
            self.note.setText(" ".join(error_texts(error)))
        else:
            self.bench.notices.report(error)

    def _show(self, figures: list[PlanFigures]) -> None:
        self.figures = figures
        self.note.setText(tr("plans.note"))
        self.table.setColumnCount(len(figures))
        self.table.setHorizontalHeaderLabels([layer_title(layer) for layer in self.plans])
        rows = rows_of(figures)
        self.table.setRowCount(len(rows))
        self.table.setVerticalHeaderLabels([title for title, _, _ in rows])
        for row, (_title, texts, best) in enumerate(rows):
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                font = item.font()
                font.setBold(column in best)
                item.setFont(font)
                self.table.setItem(row, column, item)


def rows_of(figures: Sequence[PlanFigures]) -> list[tuple[str, list[str], set[int]]]:
    """Title, texts and the columns of the best, row by row."""
    rows = [
        _row(tr("plans.cameras"), [one.cameras for one in figures], "{:.0f}", low=True),
        (
            tr("plans.cost"),
            [f"{number_text(round(one.cost))} ₩" for one in figures],
            _best([f.cost for f in figures], True),
        ),
    ]
    for number, name in enumerate(figures[0].names if figures else ()):
        rows.append(_row(class_title(name), [100 * float(one.shares[number]) for one in figures], "{:.1f} %"))
    rows.append(_row(tr("plans.twice"), [100 * one.twice for one in figures], "{:.1f} %"))
    rows.append(_row(tr("plans.failure"), [100 * one.worst_failure for one in figures], "{:.1f} %", low=True))
    return rows


def _row(title: str, values: Sequence[float], form: str, *, low: bool = False) -> tuple[str, list[str], set[int]]:
    return title, [form.format(value) for value in values], _best(values, low)


def _best(values: Sequence[float], low: bool) -> set[int]:
    if not values or np.ptp(values) == 0:
        return set()
    best = min(values) if low else max(values)
    return {number for number, value in enumerate(values) if value == best}
