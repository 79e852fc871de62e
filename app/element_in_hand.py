"""One element of a placed kind (camera, purifier) in the user's hand: selection, panel, handles and steps to undo."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from PySide6.QtCore import QObject, Qt

from app.commands import Command
from app.connections import Connections
from app.theme import Theme
from app.widgets.later import Later
from geo.model import Bounds, ElementRef, Layer

if TYPE_CHECKING:
    from app.main_window import MainWindow


class PlacedRow(Protocol):
    """A row of a layer of things that stand somewhere and are switched on or off."""

    @property
    def place(self) -> tuple[float, float, float]:
        """Where it stands [local m]."""
        ...

    @property
    def state(self) -> str:
        """Planned, existing, off."""
        ...


Row = TypeVar("Row", bound=PlacedRow)


class ElementInHand(QObject, Generic[Row]):
    """Base of what the window does with a kind of placed element; a kind says the how in the methods named below.

    While the handles are dragged only the picture changes; the document changes once, when they are let go.

    Attributes
    ----------
    kind : str
        Name of the panel, of the steps (``move_<kind>``) and of the words.
    heights : (int, int)
        Of the panel and of what lies below it [pixels].
    look_around : float
        Around an element that is flown to [m].
    gizmo : object or None
        The handles of the element in hand.
    """

    kind: ClassVar[str]
    heights: ClassVar[tuple[int, int]]
    look_around: ClassVar[float]
    panel: Any
    live: Any
    placing: Any

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.bench, self.document = window, window.bench, window.document
        self.gizmo: Any = None
        self._moving: Row | None = None
        self._marks = itertools.count(1)
        self._mark = ""
        self._busy = self._closed = False
        self._later = Later(self, self.refresh)
        self._connections = Connections()
        self._connections.add(self.document.selection.changed, self._later.ask)
        for signal in (self.document.scene.added, self.document.scene.removed, self.document.scene.changed):
            self._connections.add(signal, self._on_scene)
        self.bench.theme_changed.connect(self.refresh_theme)

    # ---- what a kind says

    @property
    def refs(self) -> list[ElementRef]:
        """The selected elements of the kind."""
        raise NotImplementedError

    def row_of(self, ref: ElementRef) -> Row | None:
        """An element as the document has it."""
        raise NotImplementedError

    def is_editable(self, ref: ElementRef | None) -> bool:
        """Whether an element may be changed: what a study has proposed may not, before it is taken over."""
        raise NotImplementedError

    def with_row(self, layer: Layer, row: Row) -> Layer:
        """The layer with an element changed."""
        raise NotImplementedError

    def change(self, ref: ElementRef, row: Row, *, drag: str, title: str) -> Command:
        """The step that changes an element."""
        raise NotImplementedError

    def removal(self, refs: Sequence[ElementRef]) -> Command:
        """The step that takes elements away."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Panel, handles and what follows them for the selection as it is."""
        raise NotImplementedError

    def taken(self, ref: ElementRef) -> None:
        """An element begins to be moved."""

    def followed(self, ref: ElementRef, row: Row) -> None:
        """The picture shows an element where it is moved to, or where it was."""

    def shown_moving(self, row: Row) -> None:
        """The picture and the live figures follow: now the panel."""

    def committed(self, ref: ElementRef, row: Row) -> None:
        """The document has an element as it was let go."""

    # ---- what there is

    @property
    def chosen(self) -> ElementRef | None:
        """The one selected element."""
        refs = self.refs
        return refs[0] if len(refs) == 1 else None

    @property
    def row(self) -> Row | None:
        """The one selected element as it is, or as it is being moved."""
        ref = self.chosen
        if ref is None:
            return None
        return self._moving or self.row_of(ref)

    def _on_scene(self, _layer: Layer, _what: str = "data") -> None:
        if not self._busy:
            self._later.ask()

    # ---- in hand

    def take(self, gizmo: Any) -> None:
        """Show handles, and the panel where it is hidden."""
        gizmo.moved.connect(self._on_moved)
        gizmo.released.connect(self._on_released)
        gizmo.taken_back.connect(self._on_taken_back)
        self.gizmo = gizmo
        if not self.panel.isVisible() or self.panel.visibleRegion().isEmpty():
            self.open_panel()

    def open_panel(self) -> None:
        """Bring the panel to the front, high enough for its rows."""
        window, panel = self.window, self.panel
        window.show_panel(self.kind)
        if not panel.isFloating() and panel.height() < self.heights[0]:
            window.resizeDocks([panel, window.analyses], list(self.heights), Qt.Orientation.Vertical)

    def _end_gizmo(self) -> None:
        gizmo, self.gizmo = self.gizmo, None
        self._moving = None
        if gizmo is not None:
            gizmo.end()
        self.live.stop()

    def _on_moved(self, row: Row) -> None:
        """The picture and the figures follow; the document does not yet."""
        ref = self.chosen
        if ref is None:
            return
        if self._moving is None:
            self.taken(ref)
        self._moving = row
        layer = self.document.scene[ref.layer_id]
        self.window.viewport.stage.change(self.with_row(layer, row), "data")
        self.window.viewport.redraw()
        self.followed(ref, row)
        self.shown_moving(row)

    def _on_released(self, row: Row, what: str, is_step: bool) -> None:
        # The wheel and keys turn by small steps: they are one step to undo, until something else is done.
        self.carry_on(f"step {what} {self.chosen}" if is_step else "")
        self.commit(row, f"{what}_{self.kind}", self._mark)

    def carry_on(self, mark: str) -> None:
        """What is done now goes on with what was done before under the same mark, or begins anew."""
        if not mark:
            self._mark = ""
        elif not self._mark.startswith(mark):
            self._mark = f"{mark} {next(self._marks)}"

    def _on_taken_back(self, row: Row) -> None:
        ref = self.chosen
        self._moving = None
        if ref is not None:
            self.window.viewport.stage.change(self.document.scene[ref.layer_id], "data")
            self.window.viewport.redraw()
            self.followed(ref, row)
        self.refresh()

    def commit(self, row: Row, title: str, mark: str = "") -> None:
        """One step that can be undone; none where nothing has changed."""
        ref = self.chosen
        self._moving = None
        if ref is None or not self.is_editable(ref):
            return
        if self.row_of(ref) != row:
            self._busy = True
            try:
                self.bench.do(self.change(ref, row, drag=mark, title=title))
            finally:
                self._busy = False
            self.committed(ref, row)
        self.refresh()

    # ---- actions

    def remove(self) -> None:
        """Take the selected elements away."""
        refs = [ref for ref in self.refs if self.is_editable(ref)]
        if refs:
            self.document.selection.clear()
            self._end_gizmo()
            self.bench.do(self.removal(refs))

    def switch(self) -> None:
        """Switch the selected element off, or on again."""
        row = self.row
        if row is not None:
            state = "planned" if row.state == "off" else "off"
            self.commit(dataclasses.replace(row, state=state), f"switch_{self.kind}")  # type: ignore[type-var]

    def fly(self) -> None:
        """Look at the selected element."""
        row = self.row
        if row is not None:
            low, high = (tuple(v + sign * self.look_around for v in row.place) for sign in (-1, 1))
            self.bench.look_at(Bounds(low, high))  # type: ignore[arg-type]

    # ---- keeping in place

    def refresh_theme(self, theme: Theme) -> None:
        """The colours have changed."""
        if self.gizmo is not None:
            self.gizmo.set_theme(theme)

    def release(self) -> None:
        """The window closes."""
        self._closed = True
        self._end_gizmo()
        self.placing.release()
        self.live.release()
        self._later.stop()
        self._connections.close()
