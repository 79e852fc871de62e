"""Log: what the program has done, with times, ready to copy."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from app.language import tr
from app.panels.panel import Panel

if TYPE_CHECKING:
    from app.workbench import Workbench

LINES_KEPT = 2000


class _Bridge(QObject):
    """Brings a line from any thread to the main thread."""

    line = Signal(str)


class LogHandler(logging.Handler):
    """Hands log records to the panel. The last lines are kept, so that the panel can be opened later."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.bridge = _Bridge()
        self.lines: deque[str] = deque(maxlen=LINES_KEPT)
        self.setFormatter(logging.Formatter("%(asctime)s  %(levelname)-7s  %(message)s", "%H:%M:%S"))

    def emit(self, record: logging.LogRecord) -> None:
        """One record."""
        try:
            text = self.format(record)
            self.lines.append(text)
            self.bridge.line.emit(text)
        except RuntimeError:  # the window has closed, and with it the bridge
            self.lines.append(record.getMessage())


class LogPanel(Panel):
    """The lines, the newest at the bottom."""

    name = "log"
    help_page = "jobs"

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.handler = LogHandler()
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setMaximumBlockCount(LINES_KEPT)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.layout_.setContentsMargins(8, 4, 0, 0)
        self.layout_.addWidget(self.text)
        self.handler.bridge.line.connect(self.text.appendPlainText, Qt.ConnectionType.QueuedConnection)
        self._logger = logging.getLogger()
        self._logger.addHandler(self.handler)

    def refresh_words(self) -> None:
        """What the empty log is for."""
        self.text.setPlaceholderText(tr("log.empty"))
        self.text.setAccessibleName(tr("panel.log"))

    def release(self) -> None:
        """Stop listening to the log."""
        self._logger.removeHandler(self.handler)
        self.handler.bridge.line.disconnect()
        super().release()
