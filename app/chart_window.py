"""A window with the charts of one run, each on a page of its own, to be saved as drawings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QPushButton, QTabWidget, QVBoxLayout, QWidget

from analysis.contract import Chart
from app.chart_svg import chart_svg, chart_title
from app.export import write_text
from app.theme import Theme
from app.widgets.chart_view import ChartView
from app.widgets.wording import say
from geo.model import UserError

SIZE = (980, 460)


class ChartWindow(QDialog):
    """Charts to look at closely.

    Parameters
    ----------
    report_error : callable
        Told what kept a drawing from being written.
    """

    def __init__(
        self,
        charts: Sequence[Chart],
        *,
        analysis_id: str,
        title: str,
        theme: Theme,
        report_error: Callable[[BaseException], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(*SIZE)
        self._analysis_id, self._theme, self._report = analysis_id, theme, report_error
        self.tabs = QTabWidget()
        for chart in charts:
            self.tabs.addTab(ChartView(chart, analysis_id=analysis_id, theme=theme), chart_title(analysis_id, chart))
        self.save_button = say(QPushButton(), "chart.save")
        self.save_button.clicked.connect(self._ask_save)
        close = say(QPushButton(), "chart.close")
        close.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.save_button)
        row.addWidget(close)
        layout = QVBoxLayout(self)
        layout.addWidget(self.tabs, 1)
        layout.addLayout(row)

    def _ask_save(self) -> None:
        chart = self._current()
        name, _ = QFileDialog.getSaveFileName(self, self.save_button.text(), f"{chart.id}.svg", "SVG (*.svg)")
        if name:
            self.save_drawing(Path(name))

    def save_drawing(self, path: Path) -> None:
        """Write the chart on show as an SVG file."""
        text = chart_svg(self._current(), analysis_id=self._analysis_id, theme=self._theme)
        try:
            write_text(path, text)
        except (OSError, UserError) as error:
            self._report(error)

    def _current(self) -> Chart:
        view = self.tabs.currentWidget()
        if not isinstance(view, ChartView):
            raise TypeError("a page that is not a chart")
        return view.chart
