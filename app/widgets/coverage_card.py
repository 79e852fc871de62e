"""What a plan of cameras covers while one is in hand: shares by class now, and since it was taken."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.cctv.bands import class_title
from app.cctv.live_coverage import Answer
from app.language import tr
from app.widgets.figure_card import FigureCard

WIDTH = 268  # pixels
LEAST = 0.00005  # of a share that is worth a sign
SMALL = 0.0005  # below which a change is told more finely


class CoverageCard(FigureCard):
    """Signals: `keep_asked()`, `closed()`."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, words="coverage", width=WIDTH)

    def show_answer(self, answer: Answer, *, waiting: bool) -> None:
        """Shares of the classes that anything is seen in, and of what is seen twice."""
        rows = []
        for name, now, before in zip(answer.names, answer.now.tolist(), answer.before.tolist(), strict=True):
            if now < LEAST and before < LEAST:
                continue
            rows.append(
                f"<tr><td>{class_title(name)}</td><td align='right'>&nbsp;<b>{100 * now:.1f} %</b></td>"
                f"<td align='right'>&nbsp;&nbsp;{change_text(now - before)}</td></tr>"
            )
        table = f"<table cellspacing='0' cellpadding='1'>{''.join(rows)}</table>"
        figures = table if rows else tr("coverage.nothing")
        if answer.fault:
            figures = f"<b>{tr(f'coverage.fault.{answer.fault}')}</b><br>{figures}"
        rest = tr("coverage.rest", cameras=answer.cameras, twice=f"{100 * answer.twice:.1f}")
        self.fill(figures, rest)
        self.keep_button.setEnabled(True)
        self.figures.setEnabled(not waiting)


def change_text(change: float) -> str:
    """A difference in points of a hundred, with its sign."""
    if abs(change) < LEAST:
        return "±0"
    sign = "▲" if change > 0 else "▼"
    return f"{sign} {100 * abs(change):.{1 if abs(change) >= SMALL else 2}f}"
