"""Two pictures at once: what a user can ask for, as rows of the table of actions, and the window they are seen in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt

from app.action_spec import ActionSpec
from app.compare_view import Side, can_compare, first_sides
from app.shown_runs import runs_of
from app.widgets.later import Later

if TYPE_CHECKING:
    from app.main_window import MainWindow

TABLE_HEIGHT = 220  # pixels

COMPARE_ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "compare_views", lambda w: w.comparing.open(), "table", "Ctrl+Shift+D", lambda w: can_compare(w.document)
    ),
    ActionSpec("swipe_views", lambda w: w.comparing.open(swiped=True), "", "", lambda w: can_compare(w.document)),
)


class CompareActions(QObject):
    """Opens the window of two pictures; there is one at most.

    Attributes
    ----------
    shown : CompareWindow or None
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self.shown: Any = None
        window.compare.pictures_asked.connect(self.open_runs)
        self._low = 0  # height of the foot of the window before the table was given room [pixels]
        self._room = Later(self, self._give_room)
        self._seen = window.compare.visibilityChanged.connect(self._room.ask)

    def _give_room(self) -> None:
        """A table needs more rows than the clock does: the foot of the window is higher while it is in front."""
        panel, upright = self.window.compare, Qt.Orientation.Vertical
        if panel.isFloating() or not self.window.isVisible():
            return
        is_seen = panel.isVisible() and not panel.visibleRegion().isEmpty()
        if is_seen and panel.table.rowCount() and panel.height() < TABLE_HEIGHT:
            self._low = panel.height()
            self.window.resizeDocks([panel], [TABLE_HEIGHT], upright)
        elif not is_seen and self._low:
            tabs = max(TABLE_HEIGHT - panel.height(), 0)  # heights of docks are asked for with their tabs
            self.window.resizeDocks([self.window.timeline], [self._low + tabs], upright)
            self._low = 0

    def open(self, *, swiped: bool = False) -> None:
        """Show what is most worth comparing."""
        if self.shown is None:
            self._show(*first_sides(self.window.document))
        else:
            self._to_front()
        self.shown.swipe.setChecked(swiped)
        self.shown.beside.setChecked(not swiped)

    def open_runs(self, before: str, after: str) -> None:
        """Show two runs; what is most worth comparing without them."""
        found = {run.id: run for run in runs_of(tuple(self.window.document.scene))}
        sides = [Side(found[one].alternative, one) for one in (before, after) if one in found]
        if len(sides) == 2:
            self._show(sides[0], sides[1])
        elif can_compare(self.window.document):
            self.open()

    def _show(self, left: Side, right: Side) -> None:
        if self.shown is not None:
            self.shown.show_sides(left, right)
            self._to_front()
            return
        from app.compare_view_window import CompareWindow

        self.shown = CompareWindow(self.window, left, right)
        self.shown.finished.connect(self._forget)
        self.shown.show()

    def _to_front(self) -> None:
        self.shown.raise_()
        self.shown.activateWindow()

    def _forget(self, _code: int) -> None:
        self.shown = None

    def release(self) -> None:
        """The main window closes."""
        self._room.stop()
        QObject.disconnect(self._seen)
        if self.shown is not None:
            self.shown.close()
