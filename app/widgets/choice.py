"""Filling a list to choose from."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox


def fill_choice(box: QComboBox, entries: Sequence[tuple[str, object]], chosen: object) -> None:
    """Entries of a list and which of them is chosen; nobody is told."""
    with QSignalBlocker(box):
        if [(box.itemText(k), box.itemData(k)) for k in range(box.count())] != list(entries):
            box.clear()
            for text, data in entries:
                box.addItem(text, data)
        index = box.findData(chosen)
        box.setCurrentIndex(index)
