"""The rules of a plot, a line each: verdict, what is measured and the limit; a click shows where."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCursor, QFont, QFontMetrics
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from app.language import tr
from app.numbers import number_text
from app.rule_check import RuleLine

WIDTH, LEAST_NAME = 268, 60  # pixels of a line; of the name in it
MARKS = {"ok": "✓", "breaks": "▲", "needs_review": "!", "cannot_tell": "?"}
COLOURS = {
    "light": {"breaks": "#b3261e", "needs_review": "#8a5a00"},
    "dark": {"breaks": "#ff8a80", "needs_review": "#f2c063"},
}


class RuleList(QWidget):
    """Lines to click.

    Signals
    -------
    place_asked(RuleLine)
    """

    place_asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.expanded = False
        self.lines: tuple[RuleLine, ...] = ()
        self._theme = "light"
        self.title = QLabel()
        self.title.setObjectName("soft")
        self.rows: list[QPushButton] = []
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(1)
        layout.addWidget(self.title)
        layout.addLayout(self._rows)
        self.hide()

    def tell(self, text: str) -> None:
        """No lines, only this."""
        self._clear()
        self.title.setText(text)
        self.title.setWordWrap(True)
        self.lines = ()
        self.show()

    def show_lines(self, lines: Sequence[RuleLine], *, theme: str) -> None:
        """These instead of what was there."""
        self._clear()
        editions = " · ".join(dict.fromkeys(line.edition for line in lines))
        self.title.setText(tr("rules.title", edition=editions))
        self.lines, self._theme = tuple(lines), theme
        kept = [line for line in lines if line.verdict == "ok"]
        for line in lines if self.expanded else [line for line in lines if line not in kept]:
            row = self._row(self._short(line), line.verdict)
            row.setToolTip(f"{line_text(line)}\n{line_tip(line)}")
            row.setAccessibleName(f"{line_text(line)}. {line_tip(line)}")
            row.clicked.connect(lambda _checked=False, one=line: self.place_asked.emit(one))
        if kept:
            text = tr("rules.fewer") if self.expanded else f"✓ {tr('rules.kept', count=len(kept))}"
            self._row(text, "ok").clicked.connect(lambda _checked=False: self.expand(not self.expanded))
        self.setVisible(bool(lines))

    def expand(self, on: bool) -> None:
        """Show the rules that are kept as well, or only what is not."""
        self.expanded = on
        self.show_lines(self.lines, theme=self._theme)

    def _row(self, text: str, verdict: str) -> QPushButton:
        row = QPushButton(text)
        row.setObjectName("link")
        row.setCursor(QCursor(Qt.CursorShape.PointingHandCursor))
        row.setAutoDefault(False)
        row.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        colour = COLOURS.get(self._theme, COLOURS["light"]).get(verdict)
        paint = f"color: {colour}; font-weight: 600;" if colour else "color: palette(text);"
        row.setStyleSheet(f"text-align: left; padding: 1px 0px; border: none; {paint}")
        self._rows.addWidget(row)
        self.rows.append(row)
        return row

    def _short(self, line: RuleLine) -> str:
        """The line with the name of the rule cut where it must be; the numbers stay."""
        font = QFont(self.font())
        font.setBold(True)
        metrics = QFontMetrics(font)
        name, numbers = title_text(line), numbers_text(line)
        room = WIDTH - metrics.horizontalAdvance(f"  {numbers}")
        return f"{metrics.elidedText(name, Qt.TextElideMode.ElideRight, max(room, LEAST_NAME))}  {numbers}"

    def _clear(self) -> None:
        for row in self.rows:
            self._rows.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = []


def line_text(line: RuleLine) -> str:
    """Mark, rule, what is measured against the limit; a star where nobody checked the rule's source."""
    return f"{title_text(line)}  {numbers_text(line)}"


def title_text(line: RuleLine) -> str:
    """Mark and name of the rule."""
    name = tr(f"class.rule.{line.rule}", line.rule)
    return f"{MARKS[line.verdict]} {name[:1].upper()}{name[1:]}"


def numbers_text(line: RuleLine) -> str:
    """What is measured against the limit, in how many places, and a star; why, where nobody can tell."""
    star = "" if line.verified else " *"
    if not math.isfinite(line.measured) or not math.isfinite(line.limit):
        return f"{_words(line)}{star}"
    sign = "≥" if line.at_least else "≤"
    numbers = f"{_amount(line.measured)} ({sign} {_amount(line.limit)} {line.unit})"
    places = f" · {tr('rules.places', count=line.places)}" if line.places > 1 else ""
    return f"{numbers}{places}{star}"


def line_tip(line: RuleLine) -> str:
    """Verdict in words, article, source, edition, and whether that was checked."""
    checked = tr("rules.verified" if line.verified else "rules.not_verified")
    parts = [_words(line), line.article, line.source, tr("rules.edition", edition=line.edition), checked]
    where = " → ".join(name for name in (line.building, line.other) if name)
    return "\n".join(part for part in (*parts, where) if part)


def _words(line: RuleLine) -> str:
    verdict = tr(f"class.verdict.{line.verdict}", line.verdict.replace("_", " "))
    reason = tr(f"class.reason.{line.reason}", line.reason.replace("_", " ")) if line.reason else ""
    return f"{verdict} ({reason})" if reason else verdict


def _amount(value: float) -> str:
    return number_text(round(float(value), 2))
