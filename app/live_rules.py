"""Rules of the plot beside the building in hand: worked out when it is let go, and shown in the scene when clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from analysis.site_figures.plots import PlotFigures
from app.language import error_texts
from app.live_sun import LiveLoop
from app.mass_edit import Body
from app.rule_check import RuleLine, RuleStudy, lines_of_figures, setback_setup
from app.widgets.rule_list import RuleList
from geo.alternatives import Change
from geo.model import Bounds, UserError

if TYPE_CHECKING:
    from app.main_window import MainWindow

AROUND = 30.0  # [m] shown around a place


class LiveRules(QObject):
    """Keeps the rules in step with the building in hand.

    Attributes
    ----------
    lines : tuple of RuleLine
        All that are shown: those of the figures first.
    seconds : float
        From the last place asked for to its rules on the screen [s].

    Signals
    -------
    answered()
    """

    answered = Signal()

    def __init__(self, window: MainWindow, *, parent: QObject) -> None:
        super().__init__(parent)
        self.window = window
        self.list = RuleList()
        self.list.place_asked.connect(self.show_place)
        self.lines: tuple[RuleLine, ...] = ()
        self.seconds = 0.0
        self._plot: PlotFigures | None = None
        self._setback: tuple[RuleLine, ...] | None = None
        self._loop: LiveLoop | None = None
        self._drawing: Any = None

    @property
    def resting(self) -> bool:
        """Whether the newest place has its rules."""
        return self._loop is None or self._loop.resting

    def start(self, body: Body) -> None:
        """A building was taken in hand, or what stands around it is another."""
        self.stop()
        setup = setback_setup(self.window.document, body)
        if setup is None:
            return
        loop = LiveLoop(
            self.window.bench.jobs,
            lambda feedback: RuleStudy(setup, feedback),  # type: ignore[arg-type,return-value]
            name="rules",
            is_free=lambda: not loop.is_moving,
            parent=self,
        )
        loop.answered.connect(self._on_answer)
        loop.rested.connect(loop.go_on)
        loop.failed.connect(self._on_failed)
        self._loop = loop
        self.move(body.change)

    def move(self, change: Change) -> None:
        """The building was let go elsewhere."""
        self._forget_drawing()
        if self._loop is not None:
            self._loop.ask(change)  # type: ignore[arg-type]
            self.wait()

    def wait(self) -> None:
        """The rules shown are of a place the building has left."""
        self.list.setEnabled(False)

    def stop(self) -> None:
        """It was let go of."""
        loop, self._loop = self._loop, None
        self._plot, self._setback, self.lines = None, None, ()
        self._forget_drawing()
        if loop is not None:
            loop.end()
        self.list.hide()

    def show_plot(self, plot: PlotFigures | None) -> None:
        """The figures of the plot, whose limits are rules as well."""
        self._plot = plot
        self.refresh()

    def refresh(self) -> None:
        """Write the lines anew: other figures, another language, other colours."""
        self.lines = (*(lines_of_figures(self._plot) if self._plot is not None else ()), *(self._setback or ()))
        theme = self.window.bench.theme.name
        if self._plot is not None or self._setback:
            self.list.show_lines(self.lines, theme=theme)

    def _on_answer(self, lines: tuple[RuleLine, ...], seconds: float) -> None:
        self._setback, self.seconds = lines, seconds
        self.refresh()
        self.list.setEnabled(self.resting)
        self.answered.emit()

    def _on_failed(self, error: BaseException) -> None:
        self._setback = ()
        if isinstance(error, UserError):
            self.list.tell(" ".join(error_texts(error)[:2]))
        else:
            self.window.bench.notices.report(error)
        self.answered.emit()

    # ---- where

    def show_place(self, line: RuleLine) -> None:
        """Look at where a rule is decided, with the distance or the plot drawn."""
        self._forget_drawing()
        if line.start is not None:
            points = np.array([line.start, line.stop or line.start], dtype=np.float64)
            self._draw("two_points" if line.stop is not None else "point", points)
        elif self._plot is not None:
            points = self._outline(self._plot)
            self._draw("polygon", points)
        else:
            return
        low, high = points.min(axis=0) - AROUND, points.max(axis=0) + AROUND
        low[2] += AROUND
        x, y, z = (float(value) for value in low)
        self.window.viewport.fit(Bounds((x, y, z), (float(high[0]), float(high[1]), float(high[2] - AROUND))))

    def _outline(self, plot: PlotFigures) -> np.ndarray:
        """(n, 3) corners of the plot on its mean ground."""
        import shapely

        parts = shapely.get_parts(plot.polygon)
        largest = max(parts, key=shapely.area)
        ring = shapely.get_coordinates(shapely.get_exterior_ring(largest))[:-1]
        level = plot.level if np.isfinite(plot.level) else 0.0
        return np.column_stack([ring, np.full(len(ring), level)])

    def _draw(self, mode: Any, points: np.ndarray) -> None:
        from app.measure_window import KeptDrawing

        self._drawing = KeptDrawing(self.window.viewport, mode, points, theme=self.window.bench.theme)

    def _forget_drawing(self) -> None:
        drawing, self._drawing = self._drawing, None
        if drawing is not None:
            drawing.end()
