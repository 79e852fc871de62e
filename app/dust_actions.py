"""Purifiers in the window: setting them, taking one in hand, what it brings, and the steps that change them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt

from analysis.registry import analyses, get
from app.commands import AddLayers, Command, SetStyle, Together
from app.connections import Connections
from app.dust.edit import (
    PurifierRow,
    change_purifier,
    is_proposal,
    is_purifiers,
    purifier_layers,
    purifier_refs,
    remove_purifiers,
    row_of,
    taken_over,
    with_purifier,
)
from app.dust_sources import DustSources
from app.dust_stations import StationNumbers
from app.language import language, tr
from app.live_dust import LiveReduction
from app.names import layer_title
from app.panels.purifier import PurifierPanel
from app.purifier_placing import PurifierPlacing
from app.shown_runs import runs_of
from app.theme import Theme
from app.widgets.later import Later
from geo.model import Bounds, ElementRef, Layer

if TYPE_CHECKING:
    from app.main_window import MainWindow

PREFIX = "dust."
PANEL_HEIGHT, REST_HEIGHT = 340, 170  # pixels of the panel and of what lies below it
LOOK_AROUND = 25.0  # [m] around a purifier that is flown to
STEPS = {"move": "move_purifier", "turn": "turn_purifier"}
TYPED = {"towards": "turn_purifier", "state": "switch_purifier"}


class DustActions(QObject):
    """Purifiers of the document in the picture and in their panel.

    Attributes
    ----------
    gizmo : PurifierGizmo or None
        The handles of the purifier in hand.
    live : LiveReduction
        The figures that follow it.
    sources : DustSources
        Drawing what emits.
    stations : StationNumbers
        Measured beside calculated.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.bench, self.document = window, window.bench, window.document
        self.panel = window.panel_of(PurifierPanel)
        self.ground = window.cameras.ground
        self.gizmo: Any = None
        self._moving: PurifierRow | None = None
        self._marks = itertools.count(1)
        self._mark = ""
        self._busy = self._closed = False
        self.live = LiveReduction(window, parent=self)
        self.live.answered.connect(lambda _answer: self._show_brings())
        self.placing = PurifierPlacing(self)
        self.sources = DustSources(window, parent=self)
        self.stations = StationNumbers(window, parent=self)
        self._later = Later(self, self.refresh)
        self.panel.typed.connect(self._on_typed)
        self.panel.place_asked.connect(self.placing.toggle)
        self.panel.remove_asked.connect(self.remove)
        self.panel.fly_asked.connect(self.fly)
        self.panel.released.connect(self.release)
        self._connections = Connections()
        self._connections.add(self.document.selection.changed, self._later.ask)
        for signal in (self.document.scene.added, self.document.scene.removed, self.document.scene.changed):
            self._connections.add(signal, self._on_scene)
        self._connections.add(language.changed, self._on_language)
        self.bench.theme_changed.connect(self.refresh_theme)

    # ---- what there is

    @property
    def refs(self) -> list[ElementRef]:
        """The selected purifiers."""
        return purifier_refs(self.document)

    @property
    def chosen(self) -> ElementRef | None:
        """The one selected purifier."""
        refs = self.refs
        return refs[0] if len(refs) == 1 else None

    @property
    def row(self) -> PurifierRow | None:
        """The one selected purifier as it is, or as it is being moved."""
        ref = self.chosen
        if ref is None:
            return None
        return self._moving or row_of(self.document.scene, ref)

    def is_editable(self, ref: ElementRef | None) -> bool:
        """Whether a purifier may be changed: what a study has proposed may not, before it is taken over."""
        layer = self.document.scene.get(ref.layer_id) if ref is not None else None
        return layer is not None and is_purifiers(layer) and not is_proposal(layer)

    def has_own(self) -> bool:
        """Whether purifiers of the user's own are selected, and no camera that the same keys would be meant for."""
        return any(self.is_editable(ref) for ref in self.refs) and not self.window.cameras.refs

    def has_one(self) -> bool:
        """Whether one purifier is selected, and no camera."""
        return self.row is not None and not self.window.cameras.refs

    # ---- following the document

    def _on_scene(self, _layer: Layer, _what: str = "data") -> None:
        if not self._busy:
            self._later.ask()

    def refresh(self) -> None:
        """Panel, handles and figures for the selection as it is."""
        if self._closed:
            return
        ref, row = self.chosen, self.row
        if self.gizmo is not None and (ref is None or not self.is_editable(ref)):
            self._end_gizmo()
        if ref is None or row is None:
            self.panel.show_none("purifier.many" if len(self.refs) > 1 else "purifier.empty")
            return
        if self.live.ref not in (None, ref):  # another one is in hand now
            self.live.stop()
        editable = self.is_editable(ref) and not self.placing.active
        self.panel.show_purifier(row, editable=editable)
        self._show_brings()
        if editable:
            self._show_gizmo(ref, row)

    def _show_brings(self) -> None:
        ref = self.chosen
        self.panel.show_brings(self.live.text_for(ref) if ref is not None else "")

    # ---- the purifier in hand

    def _show_gizmo(self, ref: ElementRef, row: PurifierRow) -> None:
        from app.view.purifier_gizmo import PurifierGizmo

        if self.gizmo is not None:
            self.gizmo.show_row(row)
            if not self.gizmo.is_dragging:
                self.live.show(ref, row)
            return
        gizmo = PurifierGizmo(self.window.viewport, row, heights=self.ground.height, theme=self.bench.theme)
        gizmo.moved.connect(self._on_moved)
        gizmo.released.connect(self._on_released)
        gizmo.taken_back.connect(self._on_taken_back)
        self.gizmo = gizmo
        self.live.show(ref, row)
        if not self.panel.isVisible() or self.panel.visibleRegion().isEmpty():
            self.open_panel()

    def open_panel(self) -> None:
        """Bring the panel to the front, high enough for its rows."""
        window, panel = self.window, self.panel
        window.show_panel("purifier")
        if not panel.isFloating() and panel.height() < PANEL_HEIGHT:
            window.resizeDocks([panel, window.analyses], [PANEL_HEIGHT, REST_HEIGHT], Qt.Orientation.Vertical)

    def _end_gizmo(self) -> None:
        gizmo, self.gizmo = self.gizmo, None
        self._moving = None
        if gizmo is not None:
            gizmo.end()
        self.live.stop()

    def _on_moved(self, row: PurifierRow) -> None:
        """The picture and the figures follow; the document does not yet."""
        ref = self.chosen
        if ref is None:
            return
        self._moving = row
        layer = self.document.scene[ref.layer_id]
        self.window.viewport.stage.change(with_purifier(layer, row), "data")
        self.window.viewport.redraw()
        self.live.move(ref, row)
        self.panel.show_purifier(row, editable=True)

    def _on_released(self, row: PurifierRow, what: str, is_step: bool) -> None:
        # Keys turn by small steps: they are one step to undo, until something else is done.
        self._continue(f"step {what} {self.chosen}" if is_step else "")
        self._commit(row, STEPS[what], self._mark)

    def _continue(self, mark: str) -> None:
        """What is done now goes on with what was done before under the same mark, or begins anew."""
        if not mark:
            self._mark = ""
        elif not self._mark.startswith(mark):
            self._mark = f"{mark} {next(self._marks)}"

    def _on_taken_back(self, row: PurifierRow) -> None:
        ref = self.chosen
        self._moving = None
        if ref is not None:
            self.window.viewport.stage.change(self.document.scene[ref.layer_id], "data")
            self.window.viewport.redraw()
            self.live.move(ref, row)
        self.refresh()

    def _commit(self, row: PurifierRow, title: str, mark: str = "") -> None:
        """One step that can be undone, and the full solution of what it brings."""
        ref = self.chosen
        self._moving = None
        if ref is None or not self.is_editable(ref):
            return
        if row_of(self.document.scene, ref) != row:
            self._busy = True
            try:
                self.bench.do(change_purifier(self.document, ref, row, drag=mark, title=title))
            finally:
                self._busy = False
            self.live.release_at(ref, row)
        self.refresh()

    def _on_typed(self, row: PurifierRow, name: str) -> None:
        ref = self.chosen
        if ref is not None:
            self._continue(f"typed {name} {ref}" if name == "towards" else "")
            self._commit(row, TYPED.get(name, "change_purifier"), self._mark)

    def remove(self) -> None:
        """Take the selected purifiers away."""
        refs = [ref for ref in self.refs if self.is_editable(ref)]
        if refs:
            self.document.selection.clear()
            self._end_gizmo()
            self.bench.do(remove_purifiers(self.document, refs))

    def switch(self) -> None:
        """Switch the selected purifier off, or on again."""
        row = self.row
        if row is not None:
            state = "planned" if row.state == "off" else "off"
            self._commit(dataclasses.replace(row, state=state), "switch_purifier")

    def fly(self) -> None:
        """Look at the selected purifier."""
        row = self.row
        if row is not None:
            low, high = (tuple(v + sign * LOOK_AROUND for v in row.place) for sign in (-1, 1))
            self.bench.look_at(Bounds(low, high))  # type: ignore[arg-type]

    # ---- studies

    def can_run(self, name: str) -> bool:
        """Whether a study of dust can be asked for now."""
        return f"{PREFIX}{name}" in analyses() and len(self.document.scene) > 0

    def ask(self, name: str) -> None:
        """The form of a study of dust."""
        self.window.show_analysis(f"{PREFIX}{name}")

    def run(self, name: str) -> None:
        """A study with the parameters and layers of its last run, else as it comes."""
        analysis = get(f"{PREFIX}{name}")
        params, chosen = last_asked(self.document.scene, analysis.id)
        self.bench.run(analysis, params, chosen=chosen)

    def proposed(self) -> Layer | None:
        """Purifiers that a study has proposed: those selected, else the newest."""
        found = [layer for layer in self.document.scene if is_proposal(layer) and len(layer.table)]
        chosen = {ref.layer_id for ref in self.document.selection.items}
        return next((layer for layer in found if layer.id in chosen), found[-1] if found else None)

    def take_over(self) -> None:
        """Make purifiers of a proposal, to be moved and turned like any other; one step to undo."""
        layer = self.proposed()
        if layer is None:
            return
        own = taken_over(layer, self.document.scene.free_id("purifiers"), tr("purifier.plan_layer"))
        steps: list[Command] = [AddLayers((own,))]
        if layer.style.visible:
            steps.append(SetStyle(layer.id, dataclasses.replace(layer.style, visible=False)))
        if self.bench.do(Together(tuple(steps), "take_over_purifiers")):
            self.document.selection.set([ElementRef(own.id)])
            self.bench.notices.tell("notice.purifiers_taken_over", count=len(own.table), name=layer_title(own))

    def toggle_live(self) -> None:
        """Let the figures follow the purifier in hand, or no longer."""
        self.live.set_wanted(not self.live.wanted)
        self.refresh()

    def has_purifiers(self) -> bool:
        """Whether the user has any of their own."""
        return bool(purifier_layers(self.document.scene))

    # ---- keeping in place

    def _on_language(self, _code: str) -> None:
        self.live.refresh_words()
        self.refresh()

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
        self.stations.release()
        self._later.stop()
        self._connections.close()


def last_asked(
    layers: Any, analysis_id: str, *, without: str = ""
) -> tuple[Mapping[str, Any], Mapping[str, Sequence[str]] | None]:
    """Parameters and layers of the newest run of a study, as far as they are there; nothing where there was none.

    without : str
        An input that is chosen anew.
    """
    known = {layer.id for layer in layers}
    run = next((one for one in runs_of(tuple(layers)) if one.analysis_id == analysis_id), None)
    if run is None:
        return {}, None
    chosen: dict[str, list[str]] = {}
    for item in run.record["provenance"]["inputs"]:
        if item["layer"] in known and item["input"] != without:
            chosen.setdefault(item["input"], []).append(item["layer"])
    return dict(run.record["provenance"]["params"]), chosen
