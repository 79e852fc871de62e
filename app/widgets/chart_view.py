"""A chart of a result in the window: zoom with the wheel, read values, save as SVG."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from analysis.contract import Chart, Series
from app.chart_svg import axis_title, chart_range, chart_title, mark_label, series_colour, series_name
from app.theme import Theme

AREA_ALPHA = 64
MARK_SIZE = 9
LEGEND_WIDTH, LEGEND_ROW, AXIS_WIDTH = 118, 24, 70  # pixels
MOST_HEADROOM = 0.45  # of the height that the legend may take


class ChartView(QWidget):
    """One chart, drawn by pyqtgraph.

    Parameters
    ----------
    analysis_id : str
        Texts are looked up under it.
    """

    def __init__(self, chart: Chart, *, analysis_id: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        import pyqtgraph

        self.chart = chart
        self.plot = pyqtgraph.PlotWidget(background=QColor(theme["card"]))
        self.plot.setAccessibleName(chart_title(analysis_id, chart))
        self.plot.setMenuEnabled(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot)
        ink = QColor(theme["soft_ink"])
        item = self.plot.getPlotItem()
        for side, axis in (("bottom", "x"), ("left", "y")):
            item.setLabel(side, axis_title(analysis_id, chart, axis), color=theme["ink"])
            item.getAxis(side).setPen(ink)
            item.getAxis(side).setTextPen(ink)
            item.getAxis(side).enableAutoSIPrefix(False)
        item.showGrid(x=True, y=True, alpha=0.25)
        self._legend = item.addLegend(offset=(8, 4), labelTextColor=theme["ink"], brush=QColor(theme["card"]))
        for number, series in enumerate(chart.series):
            self._add(series, series_colour(series, number), series_name(analysis_id, chart, series), theme)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The legend in as many columns as there is room for, above what is drawn."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        columns = max(min((self.width() - AXIS_WIDTH) // LEGEND_WIDTH, len(self.chart.series)), 1)
        self._legend.setColumnCount(columns)
        rows = -(-len(self.chart.series) // columns)
        low_x, high_x, low_y, high_y = chart_range(self.chart)
        share = min(LEGEND_ROW * rows / max(self.height() - AXIS_WIDTH, LEGEND_ROW), MOST_HEADROOM)
        high_y += (high_y - low_y) * share / (1.0 - share)
        self.plot.getPlotItem().setRange(xRange=(low_x, high_x), yRange=(low_y, high_y), padding=0.02)

    def _add(self, series: Series, colour: str, name: str, theme: Theme) -> None:
        import pyqtgraph

        if series.role == "marks":
            self.plot.plot(
                series.x, series.y, pen=None, symbol="o", symbolSize=MARK_SIZE, symbolPen=colour, symbolBrush=None,
                name=name,
            )  # fmt: skip
            self._label(series, theme)
            return
        style = Qt.PenStyle.DashLine if series.role == "dashed" else Qt.PenStyle.SolidLine
        pen = pyqtgraph.mkPen(colour, width=2, style=style)
        curve = self.plot.plot(series.x, series.y, pen=pen, name=name, connect="finite")
        if series.role == "area" and series.base is not None:
            below = self.plot.plot(series.x, np.asarray(series.base), pen=None)
            fill = QColor(colour)
            fill.setAlpha(AREA_ALPHA)
            self.plot.addItem(pyqtgraph.FillBetweenItem(curve, below, brush=fill))

    def _label(self, series: Series, theme: Theme) -> None:
        import pyqtgraph

        for number, text in enumerate(series.labels):
            if text and np.isfinite(series.y[number]):
                label: Any = pyqtgraph.TextItem(mark_label(text), color=theme["soft_ink"], anchor=(0.0, 1.0))
                label.setFont(QFont(self.font().family(), 8))
                label.setPos(float(series.x[number]), float(series.y[number]))
                self.plot.addItem(label, ignoreBounds=True)
