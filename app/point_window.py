"""A window about one place of the picture: values of the shown results, the wind by direction, its profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableWidget, QTableWidgetItem

from app.chart_window import ChartWindow
from app.language import tr
from app.numbers import number_text
from app.point_values import by_direction, direction_chart, has_values, profile_chart, values_at
from app.widgets.chart_view import ChartView

if TYPE_CHECKING:
    from app.main_window import MainWindow

SIZE = (640, 420)
VALUE_COLUMNS = ("quantity", "value", "unit", "layer")
DIRECTION_COLUMNS = ("wind_from", "ratio", "speed", "trust")


class PointWindow(ChartWindow):
    """Values at a point (3,) [local m]."""

    def __init__(self, window: MainWindow, point: NDArray[np.float64]) -> None:
        layers, frame = tuple(window.document.scene), window.document.scene.frame
        x, y = float(point[0]), float(point[1])
        self.values = values_at(layers, point)
        self.directions = by_direction(layers, x, y)
        charts = [direction_chart(self.directions), profile_chart(layers, point)]
        place = frame.to_map(point[None])[0] if frame is not None else point
        super().__init__(
            [chart for chart in charts if chart is not None],
            analysis_id="point",
            title=tr("point.title", east=f"{place[0]:,.1f}", north=f"{place[1]:,.1f}", height=f"{place[2]:.1f}"),
            theme=window.bench.theme,
            report_error=window.bench.notices.report,
            parent=window,
        )
        self.resize(*SIZE)
        rows = [(value.quantity, value.text, value.unit, value.layer) for value in self.values]
        self.value_table = _table([tr(f"point.column.{name}") for name in VALUE_COLUMNS], rows, numbers=(1,))
        self.tabs.insertTab(0, self.value_table, tr("point.values"))
        self.direction_table = self._directions()
        if self.directions:
            self.tabs.insertTab(1, self.direction_table, tr("point.directions"))
        self.tabs.setCurrentIndex(0)
        self.tabs.currentChanged.connect(lambda _index: self._allow_saving())
        self._allow_saving()

    def _directions(self) -> QTableWidget:
        several = any(value.alternative for value in self.directions)
        names = (*DIRECTION_COLUMNS, *(("alternative",) if several else ()))
        rows = [
            (f"{value.wind_from:g}°", number_text(value.ratio), number_text(value.speed), value.trust or "–")
            + ((value.alternative or tr("point.base"),) if several else ())
            for value in self.directions
        ]
        return _table([tr(f"point.column.{name}") for name in names], rows, numbers=(0, 1, 2))

    def _allow_saving(self) -> None:
        self.save_button.setEnabled(isinstance(self.tabs.currentWidget(), ChartView))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int]) -> QTableWidget:
    table = QTableWidget(len(rows), len(heads))
    table.setHorizontalHeaderLabels(list(heads))
    table.verticalHeader().hide()
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setTabKeyNavigation(False)
    table.setAccessibleName(", ".join(heads))
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            item = QTableWidgetItem(text)
            if column in numbers:
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            table.setItem(number, column, item)
    table.resizeColumnsToContents()
    table.horizontalHeader().setSectionResizeMode(len(heads) - 1, QHeaderView.ResizeMode.Stretch)
    return table


def add_point_values(window: MainWindow, menu: QMenu, place: QPoint) -> None:
    """An entry for the values under a right click, where a shown result covers it; `place` on the screen."""
    point = window.viewport.point_at(place)
    if point is None or not has_values(tuple(window.document.scene), float(point[0]), float(point[1])):
        return
    menu.addSeparator()
    menu.addAction(tr("point.here")).triggered.connect(lambda _checked=False: show_point(window, point))


def show_point(window: MainWindow, point: NDArray[np.float64]) -> PointWindow:
    """Open the window of a place."""
    shown = PointWindow(window, np.asarray(point, dtype=np.float64))
    shown.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    shown.show()
    return shown
