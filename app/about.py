"""The box that says what the program is: name, version, licence."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from app.appearance import program_icon
from app.language import tr
from app.notices import package_version


def show_about(parent: QWidget) -> None:
    """Open it over a window."""
    box = QMessageBox(parent)
    box.setWindowTitle(tr("action.about"))
    box.setIconPixmap(program_icon().pixmap(48, 48))
    box.setText(f"{tr('app.name')} {package_version('sejong-twin')}")
    box.setInformativeText(tr("about.text"))
    box.addButton(tr("dialog.close"), QMessageBox.ButtonRole.AcceptRole)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
