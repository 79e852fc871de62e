"""A window with what was measured, kept beside the picture until it is closed; the drawing stays as long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from analysis.contract import Chart
from app.language import tr
from app.numbers import UNIT_SIGNS, number_text
from app.view.draw_tool import DrawingOverlay, DrawMode
from app.widgets.chart_view import ChartView
from app.widgets.wording import say

if TYPE_CHECKING:
    from app.theme import Theme
    from app.view.viewport import Viewport

SMALL, WITH_CHART = (330, 270), (600, 430)
MARGIN = 16  # pixels from the corner of the picture


class Value(NamedTuple):
    """One measure: the id of what it is (``measure.value.*``), its number or text, its unit."""

    name: str
    value: float | str
    unit: str

    @property
    def text(self) -> str:
        """The number as people write it, with its unit."""
        if isinstance(self.value, str):
            return self.value
        sign = UNIT_SIGNS.get(self.unit, self.unit)
        return "–" if np.isnan(self.value) else f"{number_text(self.value)} {sign}".rstrip()


class KeptDrawing(QObject):
    """A finished drawing that stays over the picture.

    Parameters
    ----------
    picture : Viewport
    mode : DrawMode
    points : (n, 3) float64 [local m]
    """

    def __init__(self, picture: Viewport, mode: DrawMode, points: NDArray[np.float64], *, theme: Theme) -> None:
        super().__init__(picture)
        self.picture: QWidget = picture
        self.mode, self.shown = mode, np.asarray(points, dtype=np.float64)
        self.overlay = DrawingOverlay(self, lambda: picture.camera, theme)
        picture.camera_changed.connect(self.overlay.update)
        picture.installEventFilter(self)
        self.overlay.show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The drawing covers the picture whatever its size."""
        if event.type() == QEvent.Type.Resize:
            self.overlay.setGeometry(self.picture.rect())
        return False

    def end(self) -> None:
        """Take it off the picture."""
        self.picture.removeEventFilter(self)
        self.overlay.hide()
        self.overlay.deleteLater()
        self.deleteLater()


class MeasureWindow(QDialog):
    """What was measured.

    Parameters
    ----------
    values : sequence of Value
    chart : Chart, optional
    again : callable
        Starts the same measure anew.
    """

    def __init__(
        self,
        values: Sequence[Value],
        *,
        title: str,
        theme: Theme,
        again: Callable[[], None],
        chart: Chart | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("measure_window")
        self.setWindowFlag(Qt.WindowType.Tool)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.values = tuple(values)
        self.table = QTableWidget(len(values), 2)
        self.table.setObjectName("measure_values")
        self.table.horizontalHeader().hide()
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.setAccessibleName(title)
        for row, value in enumerate(values):
            self.table.setItem(row, 0, QTableWidgetItem(tr(f"measure.value.{value.name}")))
            number = QTableWidgetItem(value.text)
            number.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.table.setItem(row, 1, number)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        layout = QVBoxLayout(self)
        layout.addWidget(self.table, 1)
        if chart is not None:
            layout.addWidget(ChartView(chart, analysis_id="measure", theme=theme), 2)
        layout.addWidget(self._buttons(again))
        self.resize(*(SMALL if chart is None else WITH_CHART))

    def _buttons(self, again: Callable[[], None]) -> QDialogButtonBox:
        box = QDialogButtonBox()
        copy = say(QPushButton(), "measure.copy")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.as_text()))
        more = say(QPushButton(), "measure.again")
        more.clicked.connect(self.close)
        more.clicked.connect(again)
        close = say(QPushButton(), "chart.close")
        close.clicked.connect(self.close)
        for button in (copy, more, close):
            box.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        return box

    def as_text(self) -> str:
        """Lines of "name, tab, value" for the clipboard."""
        return "\n".join(f"{tr(f'measure.value.{value.name}')}\t{value.text}" for value in self.values)
