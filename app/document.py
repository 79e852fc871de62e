"""Document: scene, selection, history and path; the object that every panel and the command line are given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from app.alternatives import BASE, AlternativeList
from app.commands import Command, History
from app.topics import TopicList
from app.viewpoints import ViewpointList
from geo.model import Frame, Scene, Selection

if TYPE_CHECKING:
    from app.report_choice import ReportChoice


class Document:
    """What the user works on.

    Signals
    -------
    changed()
        Path, name or unsaved state changed.
    cleared()
        Everything goes, to make room for another project.
    """

    changed = Signal()
    cleared = Signal()

    def __init__(self, frame: Frame | None = None) -> None:
        self.scene = Scene(frame)
        self.selection = Selection()
        self.topics = TopicList()
        self.alternatives = AlternativeList()
        self.viewpoints = ViewpointList()
        self.history = History(self)
        self.path: Path | None = None
        # Sources of the project file that could not be found; saving writes them back unchanged.
        self.unresolved: list[dict[str, Any]] = []
        # What the report is made of, as it was chosen last; None until somebody has chosen.
        self.report: ReportChoice | None = None
        self._saved_at = 0
        self.history.changed.connect(self.changed.emit)

    @property
    def name(self) -> str:
        """File name without suffix, or ``""`` for a document never saved."""
        return self.path.stem if self.path else ""

    @property
    def modified(self) -> bool:
        """Whether there are changes that are not in the file."""
        return self.history.state != self._saved_at

    def do(self, command: Command) -> None:
        """Run a command and remember it for undo."""
        self.history.do(command)

    def clear(self) -> None:
        """Back to an empty document that was never saved. Cannot be undone."""
        self.cleared.emit()
        self.selection.clear()
        for layer in self.scene:
            self.scene.remove(layer.id)
        self.scene.set_frame(None)
        self.topics.set(())
        self.viewpoints.set(())
        self.alternatives.set(())
        self.alternatives.active, self.alternatives.base = BASE, {}
        self.alternatives.changed.emit()
        self.path, self.unresolved, self.report = None, [], None
        self.history.clear()
        self._saved_at = self.history.state
        self.changed.emit()

    def snapshot(self) -> Document:
        """A copy that nobody listens to, for saving beside the window. The frozen layers are shared."""
        copy = Document(self.scene.frame)
        for layer in self.scene:
            copy.scene.add(layer)
        copy.topics.set(self.topics)
        copy.viewpoints.set(self.viewpoints)
        copy.alternatives.set(self.alternatives.items)
        copy.alternatives.active, copy.alternatives.base = self.alternatives.active, dict(self.alternatives.base)
        copy.path, copy.unresolved, copy.report = self.path, list(self.unresolved), self.report
        if self.modified:
            copy.mark_modified()
        return copy

    def choose_report(self, choice: ReportChoice) -> None:
        """Keep what the report is made of; it is saved with the project."""
        if choice != self.report:
            self.report = choice
            self.mark_modified()

    def mark_modified(self) -> None:
        """What is shown is in no file, though nothing was done to it (a recovered copy)."""
        self._saved_at = -1
        self.changed.emit()

    def mark_saved(self, path: Path) -> None:
        """The document now equals the file at `path`."""
        self.path = path
        self._saved_at = self.history.state
        self.changed.emit()
