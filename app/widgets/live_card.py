"""What the sun says while a building is in hand: figures, the worst window, and the list of windows that change."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.appearance import set_icon
from app.colour import class_colours, ramp
from app.language import error_texts, tr
from app.live_study import STATE_RAMP, STATES, LostWindow, RightsAnswer
from app.view.furniture import COMPASS_SIZE
from app.widgets.wording import say
from geo.model import UserError

MOST_ROWS = 400  # of the list; the worst come first
WIDTH = 348  # pixels
LIST_HEIGHT = 190
COLUMNS = ("window", "lost", "now", "taken")
TALL = 560  # pixels of the picture from which the list is open by itself
PALE = 225  # lightness from which a square would not be seen
GROUND_HOURS = (0, 2, 4, 6, 8)


class LiveCard(QFrame):
    """Signals: `chosen(LostWindow)`, `keep_asked()`."""

    chosen = Signal(object)
    keep_asked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._picture = parent
        self.setObjectName("live_card")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.title = QLabel()
        self.title.setObjectName("card_title")
        self.keep_button = say(QPushButton(), "live.keep", tip="live.keep.tip")
        self.keep_button.clicked.connect(self.keep_asked)
        self.figures, self.worst, self.legend = QLabel(), QLabel(), QLabel()
        for label in (self.figures, self.worst, self.legend):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.RichText)
        self.list = self._make_list()
        self.list_button = say(QToolButton(), "live.list", tip="live.list.tip")
        self.list_button.setCheckable(True)
        self.list_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        set_icon(self.list_button, "table")
        self.list_button.setChecked(parent.height() >= TALL)
        self.list_button.toggled.connect(self._open_list)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.list_button)
        head.addWidget(self.keep_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(4)
        layout.addLayout(head)
        for widget in (self.figures, self.worst, self.list, self.legend):
            layout.addWidget(widget)
        self.setFixedWidth(WIDTH)
        self.open_hours = 10.0  # [h] of sun on open ground: the top of the colours
        self._windows: tuple[LostWindow, ...] = ()
        self._days: tuple[str, ...] = ()
        self.hide()

    def set_days(self, days: Iterable[str]) -> None:
        """The days that the studies are about; each is told once."""
        self._days = tuple(dict.fromkeys(day for day in days if day))

    def _make_list(self) -> QTreeWidget:
        rows = QTreeWidget()
        rows.setRootIsDecorated(False)
        rows.setUniformRowHeights(True)
        rows.setColumnCount(len(COLUMNS))
        rows.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        rows.header().setStretchLastSection(False)
        rows.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        rows.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        rows.setFixedHeight(LIST_HEIGHT)
        rows.itemClicked.connect(lambda item, _column: self._choose(item))
        rows.itemActivated.connect(lambda item, _column: self._choose(item))
        return rows

    def tell(self, text: str) -> None:
        """One line and nothing else."""
        self._fill(text, "", ())
        self.keep_button.setEnabled(False)

    def tell_error(self, error: UserError) -> None:
        """Why the sun cannot follow."""
        what, why, todo = error_texts(error)
        self._fill(f"{what} {why}", todo, ())
        self.keep_button.setEnabled(False)

    def mark_waiting(self) -> None:
        """The figures are of a place the building has left."""
        self.figures.setEnabled(False)
        self.worst.setEnabled(False)

    def show_answer(self, answer: RightsAnswer, *, waiting: bool) -> None:
        """The figures and the list of a place."""
        losing, failing, rising = len(answer.losing), len(answer.newly_failing), len(answer.newly_passing)
        text = tr("live.figures", losing=f"<b>{losing}</b>", failing=f"<b>{failing}</b>")
        if rising:
            text += " · " + tr("live.rising", count=rising)
        if answer.own_failing:
            text += "<br>" + tr("live.own", count=len(answer.own_failing))
        worst = max(answer.losing, key=lambda window: window.lost, default=None)
        said = tr("live.none") if worst is None else tr("live.worst", **_words(worst))
        self._fill(text, said, answer.changed)
        self.keep_button.setEnabled(True)
        for label in (self.figures, self.worst):
            label.setEnabled(not waiting)

    def _fill(self, figures: str, worst: str, windows: tuple[LostWindow, ...]) -> None:
        self.title.setText(" · ".join((tr("live.title"), *self._days)))
        self.figures.setText(figures)
        self.worst.setText(worst)
        self.worst.setVisible(bool(worst))
        self._windows = windows[:MOST_ROWS]
        self.list_button.setEnabled(bool(windows))
        self.list.setVisible(bool(windows) and self.list_button.isChecked())
        self.legend.setVisible(bool(worst))
        self.legend.setText(legend_text(self.open_hours))
        if windows:
            self.list.setHeaderLabels([tr(f"live.column.{name}") for name in COLUMNS])
            self.list.clear()
            self.list.addTopLevelItems([_row(window) for window in self._windows])
        self.adjustSize()
        self.show()
        self.raise_()

    def _open_list(self, opened: bool) -> None:
        self.list.setVisible(opened and bool(self._windows))
        self.adjustSize()

    def _choose(self, item: QTreeWidgetItem) -> None:
        row = self.list.indexOfTopLevelItem(item)
        if 0 <= row < len(self._windows):
            self.chosen.emit(self._windows[row])

    def place(self, edge: int) -> None:
        """In the upper right corner of the picture, beside the compass."""
        self.adjustSize()
        self.move(self._picture.width() - self.width() - COMPASS_SIZE - 2 * edge, edge)


def _words(window: LostWindow) -> dict[str, str]:
    """What is said of the worst window."""
    numbers = {"minutes": -window.lost, "alone": window.alone, "joint": window.joint}
    return {"window": window.id, **{name: f"{value:.0f}" for name, value in numbers.items()}}


def _row(window: LostWindow) -> QTreeWidgetItem:
    verdict = tr(f"live.verdict.{'pass' if window.passes else 'fail'}")
    now = f"{window.now:.1f} h {'→ ' if window.passed != window.passes else ''}{verdict}"
    name = tr("live.own_window", window=window.id) if window.own else window.id
    item = QTreeWidgetItem([name, f"{-window.lost:+.0f}", now, f"{window.alone:.0f} + {window.joint:.0f}"])
    for column in (1, 3):
        item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    tip = tr("live.row.tip", run=f"{window.run:.1f}", before=f"{window.before:.1f}", by=window.by or "–")
    for column in range(len(COLUMNS)):
        item.setToolTip(column, tip)
    if window.newly_fails:
        font = item.font(2)
        font.setBold(True)
        item.setFont(2, font)
    return item


def legend_text(open_hours: float) -> str:
    """The colours of windows and ground in words; `open_hours` [h] is the top of the ramp."""
    windows = [
        _patch(tuple(colour), tr(f"live.state.{state}"))
        for state, colour in zip(STATES, class_colours(len(STATES), ramp_name=STATE_RAMP), strict=True)
    ]
    shades = ramp("sun_hours")
    ground = [_patch(tuple(shades[round(255 * min(hours / open_hours, 1.0))]), f"{hours}") for hours in GROUND_HOURS]
    return f"{tr('live.windows')} {'&nbsp; '.join(windows)}<br>{tr('live.ground')} {'&nbsp; '.join(ground)} h"


def _patch(colour: tuple[int, ...], text: str) -> str:
    """A square in a colour and its word; an empty square where the colour is that of the card."""
    shown = QColor(*(int(part) for part in colour))
    if shown.lightness() > PALE:
        return f"□ {text}"
    return f'<span style="color:{shown.name()}">■</span> {text}'
