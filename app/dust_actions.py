"""Purifiers in the window: setting them, taking one in hand, what it brings, and the steps that change them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from analysis.registry import analysis_ids, get
from app.commands import AddLayers, Command, SetStyle, Together
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
from app.element_in_hand import ElementInHand
from app.language import language, tr
from app.live_dust import LiveReduction
from app.names import layer_title
from app.panels.purifier import PurifierPanel
from app.purifier_placing import PurifierPlacing
from app.shown_runs import runs_of
from geo.model import ElementRef, Layer

if TYPE_CHECKING:
    from app.main_window import MainWindow

PREFIX = "dust."
TYPED = {"towards": "turn_purifier", "state": "switch_purifier"}


class DustActions(ElementInHand[PurifierRow]):
    """Purifiers of the document in the picture and in their panel.

    Attributes
    ----------
    live : LiveReduction
        The figures that follow it.
    sources : DustSources
        Drawing what emits.
    stations : StationNumbers
        Measured beside calculated.
    """

    kind = "purifier"
    heights = (340, 170)
    look_around = 25.0

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.panel = window.panel_of(PurifierPanel)
        self.ground = window.cameras.ground
        self.live = LiveReduction(window, parent=self)
        self.live.answered.connect(lambda _answer: self._show_brings())
        self.placing = PurifierPlacing(self)
        self.sources = DustSources(window, parent=self)
        self.stations = StationNumbers(window, parent=self)
        self.panel.typed.connect(self._on_typed)
        self.panel.place_asked.connect(self.placing.toggle)
        self.panel.remove_asked.connect(self.remove)
        self.panel.fly_asked.connect(self.fly)
        self.panel.released.connect(self.release)
        self._connections.add(language.changed, self._on_language)

    # ---- what there is

    @property
    def refs(self) -> list[ElementRef]:
        """The selected purifiers."""
        return purifier_refs(self.document)

    def row_of(self, ref: ElementRef) -> PurifierRow | None:
        """A purifier as the document has it."""
        return row_of(self.document.scene, ref)

    def with_row(self, layer: Layer, row: PurifierRow) -> Layer:
        """The layer with a purifier changed."""
        return with_purifier(layer, row)

    def change(self, ref: ElementRef, row: PurifierRow, *, drag: str, title: str) -> Command:
        """The step that changes a purifier."""
        return change_purifier(self.document, ref, row, drag=drag, title=title)

    def removal(self, refs: Sequence[ElementRef]) -> Command:
        """The step that takes purifiers away."""
        return remove_purifiers(self.document, refs)

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
        self.take(PurifierGizmo(self.window.viewport, row, heights=self.ground.height, theme=self.bench.theme))
        self.live.show(ref, row)

    def followed(self, ref: ElementRef, row: PurifierRow) -> None:
        """The figures follow the purifier in hand."""
        self.live.move(ref, row)

    def shown_moving(self, row: PurifierRow) -> None:
        """The panel follows the purifier in hand."""
        self.panel.show_purifier(row, editable=True)

    def committed(self, ref: ElementRef, row: PurifierRow) -> None:
        """The full solution of what it brings where it was let go."""
        self.live.release_at(ref, row)

    def _on_typed(self, row: PurifierRow, name: str) -> None:
        ref = self.chosen
        if ref is not None:
            self.carry_on(f"typed {name} {ref}" if name == "towards" else "")
            self.commit(row, TYPED.get(name, "change_purifier"), self._mark)

    # ---- studies

    def can_run(self, name: str) -> bool:
        """Whether a study of dust can be asked for now."""
        return len(self.document.scene) > 0 and f"{PREFIX}{name}" in analysis_ids()

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
        chosen = set(self.document.selection.by_layer)
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

    def release(self) -> None:
        """The window closes."""
        super().release()
        self.stations.release()


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
