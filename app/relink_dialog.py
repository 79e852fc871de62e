"""A project whose files have moved: point to their new places, or open it without them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.language import tr
from app.panels.panel import scrolled
from app.project_file import MissingSource
from app.widgets.wording import say


class RelinkDialog(QDialog):
    """One row for each missing file. `relinked` maps the path in the project to the new one."""

    def __init__(self, missing: Sequence[MissingSource], folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        say(self, "relink.title")
        self.resize(640, 320)
        self.relinked: dict[str, str] = {}
        self._missing = list(missing)
        self._folder = folder
        self._places: dict[str, QLabel] = {}
        lead = say(QLabel(), "relink.lead")
        lead.setWordWrap(True)
        rows = QWidget()
        column = QVBoxLayout(rows)
        column.setContentsMargins(0, 0, 0, 0)
        grid = QGridLayout()
        grid.setColumnStretch(1, 1)
        for row, item in enumerate(missing):
            self._add_row(grid, row, item)
        self.open_button = QPushButton()
        self.open_button.setObjectName("primary")
        self.open_button.setDefault(True)
        self.open_button.clicked.connect(self.accept)
        cancel = say(QPushButton(), "dialog.cancel")
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        bottom = QHBoxLayout()
        bottom.addStretch(1)
        bottom.addWidget(cancel)
        bottom.addWidget(self.open_button)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(lead)
        column.addLayout(grid)
        column.addStretch(1)
        layout.addWidget(scrolled(rows), 1)  # a project of many files must not push the buttons off the screen
        layout.addLayout(bottom)
        self._refresh()

    def _add_row(self, grid: QGridLayout, row: int, item: MissingSource) -> None:
        name = QLabel(Path(item.path).name)
        name.setToolTip(f"{item.path}\n{', '.join(item.layers)}")
        place = QLabel()
        place.setObjectName("soft")
        place.setWordWrap(True)
        self._places[item.path] = place
        find = say(QPushButton(), "relink.find")
        find.clicked.connect(lambda _checked=False, i=item: self._ask(i))
        grid.addWidget(name, row, 0)
        grid.addWidget(place, row, 1)
        grid.addWidget(find, row, 2)

    def _ask(self, item: MissingSource) -> None:
        name = Path(item.path).name
        chosen, _ = QFileDialog.getOpenFileName(self, tr("relink.choose", name=name), str(self._folder))
        if chosen:
            self.set_place(item.path, Path(chosen))

    def set_place(self, stored: str, place: Path) -> None:
        """The new place of a file; others are found beside it, or where they stood from it before."""
        self.relinked[stored] = str(place)
        before = os.path.dirname(stored) or "."
        for item in self._missing:
            beside = place.parent / Path(item.path).name
            as_before = place.parent / os.path.relpath(item.path, before)
            found = next((path for path in (beside, as_before) if path.is_file()), None)
            if item.path not in self.relinked and found is not None:
                self.relinked[item.path] = os.path.normpath(found)
        self._refresh()

    def _refresh(self) -> None:
        for stored, label in self._places.items():
            label.setText(self.relinked.get(stored) or tr("relink.not_found", path=stored))
            label.setToolTip(label.text())
        complete = len(self.relinked) == len(self._missing)
        self.open_button.setText(tr("relink.open") if complete else tr("relink.open_without"))
