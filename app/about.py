"""About the program: version, licence, the packages it stands on with theirs, and where its files lie."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution, requires
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
)

from app import appearance
from app.language import tr
from app.layer_cache import cache_folder
from app.notices import package_version
from app.widgets.wording import say

if TYPE_CHECKING:
    from app.main_window import MainWindow

PROGRAM = "sejong-twin"
LONGEST = 60  # letters of a licence's name: some packages put the whole text there
SIZE = (560, 520)


class Package(NamedTuple):
    """A package the program needs."""

    name: str
    version: str
    licence: str


def packages() -> tuple[Package, ...]:
    """The packages the program is declared to need, by name; those that are not installed are left out."""
    names = []
    for line in requires(PROGRAM) or ():
        if "extra ==" not in line.replace("'", '"'):
            names.append(re.split(r"[\s;<>=!~\[(]", line, maxsplit=1)[0])
    found = []
    for name in sorted(set(names), key=str.lower):
        try:
            about = distribution(name)
        except PackageNotFoundError:
            continue
        found.append(Package(name, about.version, licence_of(about.metadata)))
    return tuple(found)


def licence_of(said: object) -> str:
    """Short name of a licence from a package's metadata: its expression, its classifiers, or the text of it."""
    read = said.get_all  # type: ignore[attr-defined]
    expression = (read("License-Expression") or [""])[0]
    if expression:
        return str(expression)
    classes = [text.rsplit("::", 1)[-1].strip() for text in read("Classifier") or () if text.startswith("License ::")]
    named = [text for text in classes if text != "OSI Approved"]
    if named:
        return ", ".join(named)
    text = str((read("License") or [""])[0]).strip()
    lines = text.splitlines()
    if lines and lines[0].lower().startswith("copyright"):  # the text begins with whose it is, not with its name
        return _named_by(text) or lines[0][:LONGEST]
    return lines[0][:LONGEST] if lines else "–"


def _named_by(text: str) -> str:
    """Name of a licence by the sentence that all its copies have; empty for another."""
    flat = " ".join(text.lower().split())
    if "permission is hereby granted, free of charge" in flat:
        return "MIT"
    if "redistribution and use in source and binary forms" in flat:
        return "BSD-3-Clause" if "endorse or promote" in flat else "BSD-2-Clause"
    return ""


class AboutDialog(QDialog):
    """The dialog."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.setObjectName("about")
        self.setWindowTitle(tr("action.about"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(*SIZE)
        layout = QVBoxLayout(self)
        layout.addLayout(self._head())
        places = QLabel(tr("about.places", cache=str(cache_folder()), log=str(_log_folder())))
        places.setObjectName("soft")
        places.setWordWrap(True)
        places.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout.addWidget(places)
        layout.addWidget(say(QLabel(), "about.packages"))
        self.table = self._table()
        layout.addWidget(self.table, 1)
        box = QDialogButtonBox()
        close = say(QPushButton(), "dialog.close")
        close.clicked.connect(self.accept)
        box.addButton(close, QDialogButtonBox.ButtonRole.AcceptRole)
        layout.addWidget(box)

    def _head(self) -> QHBoxLayout:
        icon, name, lead = QLabel(), QLabel(f"{tr('app.name')} {package_version(PROGRAM)}"), QLabel(tr("about.text"))
        icon.setPixmap(appearance.program_icon().pixmap(48, 48))
        name.setObjectName("title")
        lead.setWordWrap(True)
        texts = QVBoxLayout()
        texts.addWidget(name)
        texts.addWidget(lead)
        row = QHBoxLayout()
        row.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(texts, 1)
        return row

    def _table(self) -> QTableWidget:
        rows = packages()
        table = QTableWidget(len(rows), 3)
        table.setHorizontalHeaderLabels([tr(f"about.column.{name}") for name in ("package", "version", "licence")])
        table.verticalHeader().hide()
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setTabKeyNavigation(False)
        table.setAccessibleName(tr("about.column.package"))
        for number, row in enumerate(rows):
            for column, text in enumerate(row):
                table.setItem(number, column, QTableWidgetItem(text))
        table.resizeColumnsToContents()
        table.horizontalHeader().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        return table


def show_about(window: MainWindow) -> None:
    """Open it."""
    AboutDialog(window).open()


def _log_folder() -> object:
    from app.window_main import log_folder

    return log_folder()
