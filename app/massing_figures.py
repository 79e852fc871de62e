"""Figures of the plot beside the building in hand: what is built against what is allowed, while it is moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from analysis.site_figures.plots import PlotFigures
from app.language import error_texts, tr
from app.live_rules import LiveRules
from app.live_sun import LiveLoop
from app.mass_edit import Body, moved_mass
from app.numbers import number_text
from app.plot_figures import PlotStudy, plot_setup
from app.widgets.wording import say
from app.words import class_name
from geo.alternatives import Change
from geo.model import UserError

if TYPE_CHECKING:
    from app.main_window import MainWindow

EDGE, GAP = 16, 8  # pixels from the edge of the picture; over the bar
WIDTH = 296  # pixels
SLIGHT, TINY = 0.005, 1e-9  # shares of a footprint beside its plot that are not told of
BROKEN = {"light": "#b3261e", "dark": "#ff8a80"}
MARKS = {"ok": "✓", "breaks": "▲", "cannot_tell": "?"}
ROWS = ("site_area", "building_area", "coverage", "floor_area", "floor_area_ratio", "height", "storeys")
MORE = ("dwellings", "parking")


class FiguresCard(QFrame):
    """One row a figure: what it is, how much, and how that stands to the limit.

    Signals
    -------
    grown()
        It has another height.
    """

    grown = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._picture = parent
        self._corner = -1  # where it stands, once it was put there
        self.theme = "light"
        self.setObjectName("live_card")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.title = QLabel()
        self.title.setObjectName("card_title")
        self.title.setWordWrap(True)
        self.note = QLabel()
        self.note.setObjectName("soft")
        self.note.setWordWrap(True)
        self.labels = {name: say(QLabel(), f"massing.figures.{name}") for name in (*ROWS, *MORE)}
        self.values = {name: QLabel() for name in self.labels}
        self.limits = {name: QLabel() for name in self.labels}
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(2, 1)
        for row, (name, label) in enumerate(self.labels.items()):
            label.setObjectName("soft")
            self.values[name].setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            for column, widget in enumerate((label, self.values[name], self.limits[name])):
                grid.addWidget(widget, row, column)
        self._grid = QWidget()
        self._grid.setLayout(grid)
        grid.setContentsMargins(0, 0, 0, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(4)
        for shown in (self.title, self._grid, self.note):
            layout.addWidget(shown)
        self.setFixedWidth(WIDTH)
        self.hide()

    def event(self, event: QEvent) -> bool:
        """As high as what is in it, whenever that becomes more or less."""
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest and self.isVisible():
            self.adjustSize()
            self.grown.emit()
        return done

    def add_rules(self, rules: QWidget) -> None:
        """Lines of rules between figures and note."""
        layout = self.layout()
        if isinstance(layout, QVBoxLayout):
            layout.insertWidget(layout.indexOf(self.note), rules)

    def tell(self, text: str) -> None:
        """One line and no figures."""
        self.title.setText(tr("massing.figures"))
        self._grid.hide()
        self._show(text)

    def mark_waiting(self) -> None:
        """The figures are of a place the building has left."""
        self._grid.setEnabled(False)

    def show_figures(self, plot: PlotFigures, *, waiting: bool, outside: float = 0.0) -> None:
        """The figures of a plot; `outside`: the share of the footprint that does not stand on it."""
        zoning = class_name("zoning", plot.zoning)
        self.title.setText(f"{tr('massing.figures.plot', plot=plot.id)}{f' · {zoning}' if zoning else ''}")
        for name, text in value_texts(plot).items():
            self.values[name].setText(text)
        for name, place in (("coverage", 0), ("floor_area_ratio", 1), ("height", 2)):
            self._show_limit(name, plot, place)
        told = {"dwellings": plot.dwellings_told, "storeys": plot.floors_told}
        for name, certain in told.items():
            self.limits[name].setText("" if certain else tr("massing.figures.estimated"))
        self._grid.show()
        self._grid.setEnabled(not waiting)
        unverified = any(not cap.verified and cap.limit == cap.limit for cap in plot.caps)
        notes = [tr("massing.figures.outside", share=number_text(round(100 * outside)))] if outside > SLIGHT else []
        notes += [tr("massing.figures.unverified")] if unverified else []
        self._show("\n".join(notes))

    def _show_limit(self, name: str, plot: PlotFigures, place: int) -> None:
        """A mark and the limit; a broken one in colour besides."""
        cap, verdict = plot.caps[place], plot.verdicts[place]
        unit = "m" if name == "height" else "%"
        known = cap.limit == cap.limit
        if not known:
            text = tr("massing.figures.no_limit") if name != "height" else ""
        else:
            limit = f"{number_text(round(cap.limit, 1))} {unit}"
            text = f"{MARKS[verdict]} {tr(f'massing.figures.{verdict}', limit=limit)}{'' if cap.verified else ' *'}"
        broken = verdict == "breaks"
        style = f"color: {BROKEN.get(self.theme, BROKEN['light'])}; font-weight: 600;" if broken else ""
        for label in (self.values[name], self.limits[name]):
            label.setStyleSheet(style)
        self.limits[name].setText(text)
        self.limits[name].setToolTip(f"{cap.article} · {cap.source}" if known else "")

    def _show(self, note: str) -> None:
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.adjustSize()
        self.show()
        self.raise_()

    def place(self, above: int, taken: Sequence[QRect] = ()) -> None:
        """Over a row of pixels at the left, or where less is covered of what is to be seen.

        taken : sequence of QRect
            What is to be seen, in the picture.
        """
        self.adjustSize()
        low, right = max(above - self.height() - GAP, EDGE), max(self._picture.width() - self.width() - EDGE, EDGE)
        corners = [QPoint(EDGE, low), QPoint(right, low), QPoint(EDGE, EDGE)]

        def covered(corner: QPoint) -> int:
            met = [QRect(corner, self.size()).intersected(one) for one in taken]
            return sum(one.width() * one.height() for one in met if one.isValid())

        if self._corner >= 0 and covered(corners[self._corner]) == 0:
            best = self._corner  # it does not wander while it stands in nobody's way
        else:
            best = min(range(len(corners)), key=lambda number: covered(corners[number]))
        self._corner = best
        self.move(corners[best])


def value_texts(plot: PlotFigures) -> dict[str, str]:
    """The figures in words, with their units."""
    coverage, ratio, height = plot.measured

    def amount(value: float, unit: str, digits: int = 1) -> str:
        return f"{number_text(round(float(value), digits))} {unit}".strip()

    return {
        "site_area": amount(plot.site_area, "m²"),
        "building_area": amount(plot.building_area, "m²"),
        "coverage": amount(coverage, "%", 2),
        "floor_area": amount(plot.floor_area, "m²"),
        "floor_area_ratio": amount(ratio, "%", 2),
        "height": amount(height, "m"),
        "storeys": number_text(plot.storeys),
        "dwellings": number_text(int(plot.dwellings)),
        "parking": tr("massing.figures.spaces", count=number_text(int(plot.parking))),
    }


class LiveFigures(QObject):
    """Keeps the figures in step with the building in hand.

    Attributes
    ----------
    wanted : bool
        The switch.
    plot : PlotFigures or None
        The newest figures.
    seconds : float
        From the last place asked for to its figures on the screen [s].

    Signals
    -------
    answered(object)
        The `PlotFigures` shown, or None where the building stands on no plot.
    """

    answered = Signal(object)

    def __init__(self, window: MainWindow, *, parent: QObject) -> None:
        super().__init__(parent)
        self.window = window
        self.wanted, self.plot, self.seconds = True, None, 0.0
        self.card = FiguresCard(window.viewport)
        self.rules = LiveRules(window, parent=self)
        self.card.add_rules(self.rules.list)
        self.card.grown.connect(lambda: self.place(self._above))
        self._loop: LiveLoop | None = None
        self._above = 0

    @property
    def resting(self) -> bool:
        """Whether the newest place has its figures."""
        return self._loop is None or self._loop.resting

    def start(self, body: Body) -> None:
        """A building was taken in hand, or what stands around it is another."""
        self.stop()
        setup = plot_setup(self.window.document, body) if self.wanted else None
        if setup is None:
            return
        self.card.theme = self.window.bench.theme.name
        loop = LiveLoop(
            self.window.bench.jobs,
            lambda feedback: PlotStudy(setup, feedback),  # type: ignore[arg-type,return-value]
            name="figures",
            is_free=lambda: not loop.is_moving,
            parent=self,
        )
        loop.answered.connect(self._on_answer)
        loop.rested.connect(loop.go_on)  # the newest place, if the building has moved on meanwhile
        loop.failed.connect(self._on_failed)
        self._loop = loop
        self.rules.start(body)
        self.move(body.change)

    def move(self, change: Change) -> None:
        """The building stands elsewhere."""
        if self._loop is not None:
            self._loop.ask(change)  # type: ignore[arg-type]
            self.card.mark_waiting()
            self.rules.wait()

    def release(self, change: Change) -> None:
        """The building was let go: the rules are worked out, which takes longer than the figures."""
        if self._loop is not None:
            self.rules.move(change)

    def stop(self) -> None:
        """It was let go."""
        loop, self._loop, self.plot = self._loop, None, None
        if loop is not None:
            loop.end()
        self.rules.stop()
        self.card.hide()
        self.window.viewport.cards.legend.make_room(False)

    def set_wanted(self, on: bool, body: Body | None) -> None:
        """The switch."""
        self.wanted = on
        if not on:
            self.stop()
        elif body is not None:
            self.start(body)

    def place(self, above: int) -> None:
        """Stand over the bar, whose upper edge is at a row of pixels, beside the building in hand."""
        self._above = above
        tool = self.window.masses.tool
        if self.card.isVisible() and (tool is None or not tool.is_dragging):
            self.card.place(above, self._to_be_seen())
        legend = self.window.viewport.cards.legend
        legend.make_room(self.card.isVisible() and self.card.geometry().intersects(legend.geometry()))

    def _to_be_seen(self) -> list[QRect]:
        """The building in hand with its ring, and the card of the sun, in the picture."""
        tool, others = self.window.masses.tool, [self.window.masses.live.card]
        seen = [card.geometry() for card in others if card.isVisible()]
        if tool is not None and len(tool.mesh.vertices):
            places, before = tool.places(np.vstack([tool.mesh.vertices, tool.ring]))
            if before.all():
                (left, top), (right, foot) = places.min(axis=0), places.max(axis=0)
                seen.append(QRect(int(left), int(top), int(right - left) + 1, int(foot - top) + 1))
        return seen

    def _outside(self, plot: PlotFigures) -> float:
        """Share of the footprint of the new mass in hand that is not on the plot; 0 for other buildings."""
        import shapely

        tool = self.window.masses.tool
        if tool is None or tool.body.mass is None:
            return 0.0
        plan = shapely.make_valid(shapely.Polygon(moved_mass(tool.body.mass, tool.change).ring))
        return float(shapely.area(shapely.difference(plan, plot.polygon)) / max(shapely.area(plan), TINY))

    def refresh(self) -> None:
        """Another language or other colours."""
        self.card.theme = self.window.bench.theme.name
        if self.plot is not None and self._loop is not None:
            self.rules.refresh()
            self.card.show_figures(self.plot, waiting=not self.resting, outside=self._outside(self.plot))

    def _on_answer(self, plot: PlotFigures | None, seconds: float) -> None:
        self.plot, self.seconds = plot, seconds
        self.rules.show_plot(plot)
        if plot is None:
            self.card.tell(tr("massing.figures.none"))
        else:
            self.card.show_figures(plot, waiting=not self.resting, outside=self._outside(plot))
        self.place(self._above)
        self.answered.emit(plot)

    def _on_failed(self, error: BaseException) -> None:
        self.plot = None
        if isinstance(error, UserError):
            what, why, _ = error_texts(error)
            self.card.tell(f"{what} {why}")
            self.place(self._above)
        else:
            self.stop()
            self.window.bench.notices.report(error)
