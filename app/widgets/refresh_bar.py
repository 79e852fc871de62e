"""How many results are out of date, a button that works them out anew, and which of them do so by themselves."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.language import tr
from app.panels.panel import small_button
from app.refresher import Refresher
from app.widgets.wording import say

WHOLE = 1000


class RefreshBar(QFrame):
    """Above the cards of the results; hidden while there are none."""

    def __init__(self, refresher: Refresher, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.refresher = refresher
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.button = say(QPushButton(), "refresh.all", tip="refresh.all.tip")
        self.button.setObjectName("primary")
        self.button.clicked.connect(lambda _checked=False: refresher.refresh())
        self.stop = small_button("stop", "refresh.stop")
        self.stop.clicked.connect(refresher.cancel)
        self.choice = small_button("settings", "refresh.choice")
        self.menu = QMenu(self)
        self.choice.setMenu(self.menu)
        self.choice.setPopupMode(self.choice.ToolButtonPopupMode.InstantPopup)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.bar = QProgressBar()
        self.bar.setRange(0, WHOLE)
        self.bar.setTextVisible(False)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.told, 1)
        for widget in (self.button, self.stop, self.choice):
            row.addWidget(widget, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 4, 4)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self.bar)
        refresher.changed.connect(self.refresh)
        refresher.progressed.connect(lambda share: self.bar.setValue(round(share * WHOLE)))
        self.refresh()

    def refresh(self) -> None:
        """Say how things stand."""
        running, count = self.refresher.running, self.refresher.count
        self.setVisible(bool(self.refresher.studies))
        self.button.setVisible(not running)
        self.button.setEnabled(count > 0)
        self.stop.setVisible(running)
        self.bar.setVisible(running)
        if running:
            number = min(self.refresher.done + 1, self.refresher.total)
            text = tr("refresh.running", number=number, total=self.refresher.total, name=self.refresher.title)
        else:
            text = tr("refresh.count", count=count) if count else tr("refresh.none")
        self.told.setText(text)
        self.told.setObjectName("badge" if count and not running else "soft")
        self.told.style().unpolish(self.told)
        self.told.style().polish(self.told)

    def _fill_menu(self) -> None:
        """A switch for each study there are results of."""
        self.menu.clear()
        self.menu.addSection(tr("refresh.on_release"))
        wanted = self.refresher.bench.settings.refreshed_on_release
        for study in self.refresher.studies:
            action = self.menu.addAction(tr(f"{study}.title", study))
            action.setCheckable(True)
            action.setChecked(study in wanted)
            action.toggled.connect(lambda on, s=study: self.refresher.set_on_release(s, on))
