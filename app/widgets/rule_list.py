"""The rules of a plot, a line each: verdict, what is measured and the limit; a click shows where."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from app.language import tr
from app.numbers import number_text
from app.rule_check import RuleLine

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
        self.show()

    def show_lines(self, lines: Sequence[RuleLine], *, theme: str) -> None:
        """These instead of what was there."""
        self._clear()
        editions = " · ".join(dict.fromkeys(line.edition for line in lines))
        self.title.setText(tr("rules.title", edition=editions))
        for line in lines:
            row = QPushButton(line_text(line))
            row.setObjectName("link")
            row.setCursor(QCursor(Qt.CursorShape.PointingHandCursor))
            row.setToolTip(line_tip(line))
            row.setAccessibleName(f"{line_text(line)}. {line_tip(line)}")
            row.setAutoDefault(False)
            row.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            colour = COLOURS.get(theme, COLOURS["light"]).get(line.verdict)
            weight = "font-weight: 600;" if colour else ""
            paint = f"color: {colour};" if colour else "color: palette(text);"
            row.setStyleSheet(f"text-align: left; padding: 1px 0px; border: none; {paint} {weight}")
            row.clicked.connect(lambda _checked=False, one=line: self.place_asked.emit(one))
            self._rows.addWidget(row)
            self.rows.append(row)
        self.setVisible(bool(lines))

    def _clear(self) -> None:
        for row in self.rows:
            self._rows.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = []


def line_text(line: RuleLine) -> str:
    """Mark, rule, what is measured against the limit; a star where nobody checked the rule's source."""
    title = f"{MARKS[line.verdict]} {tr(f'class.rule.{line.rule}', line.rule)}"
    star = "" if line.verified else " *"
    if not math.isfinite(line.measured) or not math.isfinite(line.limit):
        return f"{title}  {_words(line)}{star}"
    sign = "≥" if line.at_least else "≤"
    numbers = f"{_amount(line.measured)} ({sign} {_amount(line.limit)} {line.unit})"
    places = f" · {tr('rules.places', count=line.places)}" if line.places > 1 else ""
    return f"{title}  {numbers}{places}{star}"


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
