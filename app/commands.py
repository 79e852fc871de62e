"""Commands: every change of the scene that a user can undo, and the history that keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from psygnal import Signal

from geo.model import ElementRef, Frame, Layer, Style

if TYPE_CHECKING:
    from app.document import Document

HISTORY_LIMIT = 200


class Command(Protocol):
    """A change that can be taken back. `title` is a translation id (``command.<title>``)."""

    title: str

    def do(self, document: Document) -> None:
        """Make the change; raise if it cannot be made, leaving everything as it was."""

    def undo(self, document: Document) -> None:
        """Take it back exactly."""

    def merge(self, later: Command) -> Command | None:
        """One command that does both, if `later` continues this one (a drag); else None."""


class History:
    """Done and undone commands. Emits `changed` after each step."""

    changed = Signal()

    def __init__(self, document: Document) -> None:
        self._document = document
        self._done: list[tuple[Command, int]] = []
        self._undone: list[tuple[Command, int]] = []
        self._counter = 0

    @property
    def state(self) -> int:
        """A number that is the same whenever the document is in the same state."""
        return self._done[-1][1] if self._done else 0

    @property
    def undo_title(self) -> str | None:
        """Title of what undo would take back."""
        return self._done[-1][0].title if self._done else None

    @property
    def redo_title(self) -> str | None:
        """Title of what redo would do again."""
        return self._undone[-1][0].title if self._undone else None

    def do(self, command: Command) -> None:
        """Run a command; it is kept only when it succeeded."""
        command.do(self._document)
        self._undone.clear()
        self._counter += 1
        merged = self._done[-1][0].merge(command) if self._done else None
        if merged is not None:
            self._done[-1] = (merged, self._counter)
        else:
            self._done.append((command, self._counter))
            del self._done[:-HISTORY_LIMIT]
        self.changed.emit()

    def clear(self) -> None:
        """Forget everything."""
        self._done.clear()
        self._undone.clear()
        self.changed.emit()

    def undo(self) -> None:
        """Take the last command back."""
        if self._done:
            entry = self._done.pop()
            entry[0].undo(self._document)
            self._undone.append(entry)
            self.changed.emit()

    @property
    def last(self) -> Command | None:
        """What undo would take back."""
        return self._done[-1][0] if self._done else None

    def withdraw(self) -> None:
        """Take the last command back as if it had never been: it cannot be done again."""
        if self._done:
            self._done.pop()[0].undo(self._document)
            self.changed.emit()

    def redo(self) -> None:
        """Do the command undone last once more."""
        if self._undone:
            entry = self._undone.pop()
            entry[0].do(self._document)
            self._done.append(entry)
            self.changed.emit()


@dataclass
class AddLayers:
    """Put layers at the end of the scene (an import, a result); the first import also brings the frame."""

    layers: tuple[Layer, ...]
    frame: Frame | None = None
    title: str = "add_layers"
    _set_frame: bool = False

    def do(self, document: Document) -> None:
        """Add them all, or none."""
        added: list[str] = []
        if self.frame is not None and document.scene.frame is None:
            document.scene.set_frame(self.frame)
            self._set_frame = True
        try:
            for layer in self.layers:
                document.scene.add(layer)
                added.append(layer.id)
        except Exception:
            for layer_id in added:
                document.scene.remove(layer_id)
            self._drop_frame(document)
            raise

    def undo(self, document: Document) -> None:
        """Take them out again."""
        _forget_selection(document, {layer.id for layer in self.layers})
        for layer in reversed(self.layers):
            document.scene.remove(layer.id)
        self._drop_frame(document)

    def _drop_frame(self, document: Document) -> None:
        if self._set_frame and all(layer.geometry is None for layer in document.scene):
            document.scene.set_frame(None)
            self._set_frame = False

    def merge(self, later: Command) -> Command | None:
        """Never merges."""
        return None


@dataclass
class RemoveLayers:
    """Take layers out of the scene. Their files stay untouched."""

    layer_ids: tuple[str, ...]
    title: str = "remove_layers"
    _removed: list[tuple[Layer, int]] = field(default_factory=list)
    _base: dict[str, Layer] = field(default_factory=dict)

    def do(self, document: Document) -> None:
        """Remove them, keeping each with its position."""
        _forget_selection(document, set(self.layer_ids))
        self._base = dict(document.alternatives.base)
        self._removed = [document.scene.remove(layer_id) for layer_id in self.layer_ids]

    def undo(self, document: Document) -> None:
        """Put them back where they were, and what they are without the alternative that is shown."""
        for layer, position in reversed(self._removed):
            if layer.id in document.scene:  # a step taken back since then has shown an alternative's own layer again
                document.scene.remove(layer.id)
            document.scene.add(layer, position=position)
        document.alternatives.base = dict(self._base)

    def merge(self, later: Command) -> Command | None:
        """Never merges."""
        return None


@dataclass
class ReplaceLayer:
    """Put a changed copy of a layer in its place. `what`: ``"style"``, ``"name"`` or ``"data"``."""

    layer: Layer
    what: str
    title: str = "change_layer"
    _before: Layer | None = None

    def do(self, document: Document) -> None:
        """Swap in the new layer."""
        before = document.scene.replace(self.layer, self.what)
        self._before = self._before or before

    def undo(self, document: Document) -> None:
        """Swap back the old one."""
        if self._before is not None:
            document.scene.replace(self._before, self.what)

    def merge(self, later: Command) -> Command | None:
        """Never merges."""
        return None


@dataclass
class SetStyle:
    """Change how a layer is shown. Repeated changes of opacity (a slider) become one step."""

    layer_id: str
    style: Style
    title: str = "set_style"
    _before: Style | None = None

    def do(self, document: Document) -> None:
        """Apply the style."""
        layer = document.scene[self.layer_id]
        self._before = self._before or layer.style
        document.scene.replace(layer.with_(style=self.style), "style")

    def undo(self, document: Document) -> None:
        """Return to the style before."""
        if self._before is not None:
            layer = document.scene[self.layer_id]
            document.scene.replace(layer.with_(style=self._before), "style")

    def merge(self, later: Command) -> Command | None:
        """Two opacity changes of one layer in a row are one."""
        if not isinstance(later, SetStyle) or later.layer_id != self.layer_id or self._before is None:
            return None
        return SetStyle(self.layer_id, later.style, self.title, self._before) if self._only_opacity(later) else None

    def _only_opacity(self, later: SetStyle) -> bool:
        from dataclasses import replace

        before = self._before
        if before is None:
            return False
        return replace(before, opacity=1.0) == replace(self.style, opacity=1.0) == replace(later.style, opacity=1.0)


@dataclass
class Together:
    """Several commands as one step."""

    commands: tuple[Command, ...]
    title: str

    def do(self, document: Document) -> None:
        """All of them in order, or none."""
        done: list[Command] = []
        try:
            for command in self.commands:
                command.do(document)
                done.append(command)
        except Exception:
            for command in reversed(done):
                command.undo(document)
            raise

    def undo(self, document: Document) -> None:
        """All of them backwards."""
        for command in reversed(self.commands):
            command.undo(document)

    def merge(self, later: Command) -> Command | None:
        """Never merges."""
        return None


def _forget_selection(document: Document, layer_ids: set[str]) -> None:
    kept: list[ElementRef] = [item for item in document.selection.items if item.layer_id not in layer_ids]
    document.selection.set(kept)
