"""What a purifier in hand brings the people: its reduction, how far it is exact, wind by wind, and all together."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QWidget

from app.dust.live import Answer, Solved, WindAnswer
from app.dust.words import own_air_text, reduction_text, sector_title, small_text
from app.language import tr
from app.widgets.figure_card import FigureCard
from app.widgets.wording import say

WIDTH = 316  # pixels
WINDS_SHOWN, FEW_WINDS = 6, 3
TALL = 600  # pixels of the picture from which more winds are listed
COLUMNS = ("share", "benefit", "intake")
NOTABLE = 1.0  # [ug/m3] below it nobody can tell it among the days


class ReductionCard(FigureCard):
    """Signals: `keep_asked()` to solve in full, `run_asked()` for the dust itself, `closed()`."""

    run_asked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, words="reduction", width=WIDTH)
        self.run_button = say(QPushButton(), "reduction.run", tip="reduction.run.tip")
        self.run_button.setObjectName("reduction_run")
        self.run_button.clicked.connect(self.run_asked)
        self.column.addWidget(self.run_button)
        self.run_button.hide()

    def tell_first(self, text: str, *, runs: bool) -> None:
        """What has to be done before there are figures, and whether the button does it."""
        self.run_button.setVisible(runs)
        self.keep_button.setEnabled(False)
        self.figures.setEnabled(True)
        self.fill(text, "")

    def show_answer(self, answer: Answer, solved: Solved | None, *, solving: bool) -> None:
        """Figures of one place; `solving` while the whole grid is being solved."""
        self.run_button.hide()
        shown = WINDS_SHOWN if self._picture.height() >= TALL else FEW_WINDS
        heads = "".join(f"<td align='right'>{tr(f'reduction.column.{name}')}</td>" for name in COLUMNS)
        rows = "".join(_wind_row(wind) for wind in answer.winds[:shown])
        table = f"<table cellspacing='0' cellpadding='1' width='100%'><tr><td></td>{heads}</tr>{rows}</table>"
        self.fill(f"{reduction_text(answer)}{table}", "<br>".join(_rest(answer, solved, solving=solving)))
        self.keep_button.setEnabled(not solving)
        self.figures.setEnabled(True)


def _rest(answer: Answer, solved: Solved | None, *, solving: bool) -> list[str]:
    count = len(answer.winds)
    lines = [tr("reduction.all_winds", count=count)]
    if answer.exact < count:
        lines = [tr("reduction.some_winds", exact=answer.exact, count=count)]
    if solved is not None:
        text_id = "reduction.solved" if solved.is_whole else "reduction.solving_part"
        done = f"{len(solved.benefits)}/{len(solved.shares)}"
        lines.append(tr(text_id, units=solved.units, value=small_text(solved.benefit), done=done))
    elif solving:
        lines.append(tr("reduction.solving"))
    if answer.benefit < NOTABLE:
        lines.append(f"<b>{tr('reduction.unseen')}</b>")
    return lines


def _wind_row(wind: WindAnswer) -> str:
    """Direction, share of the time, reduction, and how much of the outside dust is left at the intake."""
    sign = "" if wind.is_exact else "≈ "
    return (
        f"<tr><td>{sector_title(wind.sector)}</td><td align='right'>{100 * wind.share:.0f} %</td>"
        f"<td align='right'>&nbsp;&nbsp;{sign}{small_text(wind.benefit)}</td>"
        f"<td align='right'>&nbsp;&nbsp;{own_air_text(wind.own_air)}</td></tr>"
    )
