"""Ties a widget to the id of its text, so that the language can change while the window is open."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QFormLayout, QGroupBox, QLabel, QLineEdit, QMenu, QWidget

from app.language import tr

_LABEL, _FIELD = QFormLayout.ItemRole.LabelRole, QFormLayout.ItemRole.FieldRole


def say(target: QObject, text_id: str = "", *, tip: str = "") -> Any:
    """Give a widget or action its text (and tooltip) by id and return it; `retranslate` renews it later."""
    if text_id:
        target.setProperty("text_id", text_id)
    if tip:
        target.setProperty("tip_id", tip)
    _apply(target)
    return target


def tie_labels(root: QWidget) -> None:
    """The label of each row of the forms under `root` names what stands beside it, for those who hear the window."""
    for form in root.findChildren(QFormLayout):
        for row in range(form.rowCount()):
            left, right = form.itemAt(row, _LABEL), form.itemAt(row, _FIELD)
            label, field = left.widget() if left else None, right.widget() if right else None
            if isinstance(label, QLabel) and field is not None:
                label.setBuddy(field)


def retranslate(root: QObject) -> None:
    """Renew every text under `root` in the current language."""
    for target in [root, *root.findChildren(QObject)]:
        _apply(target)


def _apply(target: QObject) -> None:
    text_id, tip_id = target.property("text_id"), target.property("tip_id")
    if text_id:
        _set_text(target, tr(str(text_id)))
    if tip_id and isinstance(target, QWidget | QAction):
        target.setToolTip(tr(str(tip_id)))
    if tip_id and isinstance(target, QWidget):
        target.setAccessibleName(tr(str(tip_id)))


def _set_text(target: QObject, text: str) -> None:
    if isinstance(target, QLineEdit):
        target.setPlaceholderText(text)
    elif isinstance(target, QMenu | QGroupBox):
        target.setTitle(text)
    elif isinstance(target, QLabel | QAbstractButton | QAction):
        target.setText(text)
    elif isinstance(target, QWidget):
        target.setWindowTitle(text)
