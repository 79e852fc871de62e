"""Something long in several short steps, one each time the event loop comes round, so that the window answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, QTimer

Step = Callable[[], object]


class Turns(QTimer):
    """Does steps in their order. What is begun anew drops what was left."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._left: deque[Step] = deque()
        self.setInterval(0)
        self.timeout.connect(self._next)

    @property
    def are_over(self) -> bool:
        """Whether nothing is left to do."""
        return not self._left

    def begin(self, steps: Iterable[Step]) -> None:
        """The first now, the others in the turns that follow."""
        self._left = deque(steps)
        self._next()
        if self._left:
            self.start()

    def finish(self) -> None:
        """All that is left, now."""
        while self._left:
            self._next()

    def drop(self) -> None:
        """Do nothing more."""
        self._left.clear()
        self.stop()

    def _next(self) -> None:
        if self._left:
            self._left.popleft()()
        if not self._left:
            self.stop()
