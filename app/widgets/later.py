"""Does something once after a burst of changes, instead of once for each."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


class Later(QTimer):
    """Calls `act` when the event loop comes round, however often it was asked to before."""

    def __init__(self, parent: QObject, act: Callable[[], None], *, after_ms: int = 0) -> None:
        super().__init__(parent)
        self.setSingleShot(True)
        self.setInterval(after_ms)
        self.timeout.connect(act)

    def ask(self, *_what: object) -> None:
        """Act soon."""
        if not self.isActive():
            self.start()
