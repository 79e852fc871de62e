"""Buildings in hand: what the actions on masses do, from taking one to the undoable step."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QMenu

from app.alternatives import BASE, remove_alternative, remove_mass, set_mass
from app.connections import Connections
from app.language import tr
from app.live_sun import LiveSun
from app.mass_dialog import MassDialog
from app.mass_edit import (
    Body,
    Ground,
    body_now,
    body_of,
    footing,
    free_mass_id,
    is_movable,
    mass_of,
    movable_ref,
)
from app.massing_figures import LiveFigures
from app.massing_snap import FootprintSnap, plan_segments
from app.massing_trees import is_tree, remove_selected_trees
from app.massing_uses import uses_of
from app.names import element_name
from app.proposals import proposal_of, remove_proposal, set_proposal
from app.theme import Theme
from app.view.camera import project
from app.widgets.mass_bar import MassBar
from geo.alternatives import MASSES, Change, Mass
from geo.model import ElementRef, Layer, UserError
from geo.proposals import Proposal

if TYPE_CHECKING:
    from app.main_window import MainWindow

EDGE, ABOVE = 16, 56  # pixels beside the bar; below it, where scale bar and sources of the picture are


class MassActions(QObject):
    """Takes buildings in hand, moves them, puts new ones up.

    Attributes
    ----------
    tool : MassTool or None
        What is in hand.
    live : LiveSun
        The sun that follows.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.bench, self.document = window, window.bench, window.document
        self.tool: Any = None
        self.dialog: MassDialog | None = None
        self.follow, self._busy = True, False
        self._marks = itertools.count(1)
        self._mark = ""
        self._before, self._shown_before = Change(), BASE
        self.bar = MassBar(window.viewport)
        self.bar.typed.connect(self._on_typed)
        self.bar.storey_height_typed.connect(self._on_storey_height)
        self.bar.follow_toggled.connect(self._set_follow)
        self.bar.done_asked.connect(self.finish)
        self.bar.cancel_asked.connect(self.cancel)
        self.live = LiveSun(window, parent=self)
        self.bar.live_toggled.connect(self._set_live)
        self.figures = LiveFigures(window, parent=self)
        self.bar.figures_toggled.connect(self._set_figures)
        self._connections = Connections()
        self._connections.add(self.document.alternatives.changed, self._on_document)
        self._connections.add(self.document.scene.removed, self._on_removed)
        window.viewport.installEventFilter(self)

    # ---- what there is

    @property
    def name(self) -> str:
        """What an alternative is called that is made by changing the base."""
        return tr("alternatives.new_name")

    def target(self) -> ElementRef | None:
        """The selected building that can be changed."""
        return movable_ref(self.document)

    @property
    def active(self) -> bool:
        """Whether a building is in hand."""
        return self.tool is not None

    def add_to_menu(self, menu: QMenu, ref: ElementRef | None) -> None:
        """Entries for the building under the pointer, which need not be selected."""
        if ref is not None and is_tree(self.document, ref):
            menu.addSeparator()
            action = menu.addAction(self.window.actions_["tree_remove"].icon(), tr("action.tree_remove"))
            action.triggered.connect(lambda _checked=False: remove_selected_trees(self.window, (ref,)))
        if ref is None or not ref.element_id or not is_movable(self.document.scene.get(ref.layer_id)):
            return
        menu.addSeparator()
        entries = (("mass_move", self.take), ("mass_raise", self.raise_), ("mass_turn", self.turn))
        own = mass_of(self.document, ref) or proposal_of(self.document, ref)
        more = (("mass_copy", self.copy), *((("mass_edit", self.edit),) if own else ()))
        for action_id, act in (*entries, *more, ("mass_delete", self.delete)):
            action = menu.addAction(self.window.actions_[action_id].icon(), tr(f"action.{action_id}"))
            action.triggered.connect(lambda _checked=False, a=act: a(ref))

    # ---- taking and letting go

    def take(self, ref: ElementRef | None = None) -> None:
        """Take a building in hand: the selected one, or this."""
        from app.view.mass_tool import MassTool

        ref = ref or self.target()
        if self.tool is not None:
            self.finish()
        if ref is None:
            return
        try:
            body = body_of(self.document, ref)
        except UserError as error:
            self.bench.notices.report(error)
            return
        self.window.modes.leave()
        self.document.selection.set([ref])
        self._before, self._mark = body.change, ""
        self._shown_before = self.document.alternatives.active
        view = self.window.viewport
        view.stop_drawing()
        self.tool = MassTool(view, body, Ground(self.document), theme=self.bench.theme)
        self.tool.follows_ground = self.follow
        self.tool.moved.connect(self._on_moved)
        self.tool.released.connect(self._on_released)
        self.tool.taken_back.connect(lambda: self._on_moved(self.tool.change))
        self.tool.opened.connect(self.edit)
        self.tool.left.connect(lambda kept: self.finish() if kept else self.cancel())
        self.bar.set_switches(follow=self.follow, live=self.live.wanted, figures=self.figures.wanted)
        self.bar.show_body(body, body.change, name=self._title(body))
        self._place_bar()
        self.live.start(body)
        self.figures.start(body)
        self.window.refresh_state()

    def toggle(self) -> None:
        """Take the selected building, or let go of the one in hand."""
        if self.tool is None:
            self.take()
        else:
            self.finish()

    def finish(self) -> None:
        """Let go; what was done stays."""
        tool, self.tool = self.tool, None
        if tool is None:
            return
        self.live.stop()
        self.figures.stop()
        self.bar.hide()
        tool.end()
        self.window.viewport.setFocus()
        self.window.refresh_state()

    def cancel(self) -> None:
        """Let go, with the building where it was when it was taken."""
        tool = self.tool
        if tool is None:
            return
        if tool.body.change != self._before:
            self._commit(self._before, "cancel")
        self.finish()
        self._remove_empty()

    def _remove_empty(self) -> None:
        """An alternative that came with a move that was cancelled goes with it."""
        alternatives = self.document.alternatives
        shown = alternatives.get(alternatives.active)
        if self._shown_before == BASE and shown is not None and shown.is_empty:
            self.bench.do(remove_alternative(self.document, shown.id))

    def _title(self, body: Body) -> str:
        alternative = self.document.alternatives.get(self.document.alternatives.active)
        shown = alternative.name if alternative is not None else tr("alternatives.base")
        return f"{element_name(body.layer, body.ref.element_id)} · {shown}"

    # ---- moving

    def _on_moved(self, change: Change) -> None:
        self.bar.show_change(change)
        self.live.move(self.tool.mesh)
        self.figures.move(change)

    def _on_released(self, change: Change) -> None:
        self._commit(change, f"drag {next(self._marks)}")

    def _on_typed(self, change: Change, field: str) -> None:
        if self.tool is None:
            return
        if field in ("east", "north"):
            change = self.tool.lifted(change)
        self.tool.set_change(change)
        self._on_moved(change)
        # Steps of one box are one step to undo, until something else is done.
        if not self._mark.startswith(f"typed {field}"):
            self._mark = f"typed {field} {next(self._marks)}"
        self._commit(change, self._mark)

    def _on_storey_height(self, height: float) -> None:
        """Every storey of the new mass in hand as high; what is in hand follows the document."""
        mass = mass_of(self.document, self.held)
        if mass is not None and mass.storey_height != height:
            made = dataclasses.replace(mass, storey_height=height)
            self.bench.do(set_mass(self.document, made, name=self.name, drag=f"storey height of {mass.id}"))

    def _commit(self, change: Change, mark: str) -> None:
        """The one step of a drag; the ghost follows what the document says then."""
        tool = self.tool
        if tool is None or change == tool.body.change:
            return
        self._mark = mark
        body = tool.body
        self._busy = True
        try:
            done = self._do(body, change, mark)
        finally:
            self._busy = False
        self._settle(dataclasses.replace(body, change=change) if done else body)
        self.figures.release(change if done else body.change)

    def _do(self, body: Body, change: Change, mark: str) -> bool:
        try:
            return self.bench.do(body.step(self.document, change, name=self.name, drag=mark))
        except UserError as error:  # a footprint that makes no solid
            self.bench.notices.report(error)
            return False

    def _settle(self, body: Body) -> None:
        self.tool.settle(body)
        self.bar.show_body(body, body.change, name=self._title(body))
        self._place_bar()
        self.live.move(self.tool.mesh)

    def _on_document(self) -> None:
        """Undo, redo or another alternative while a building is in hand."""
        if self.tool is None or self._busy:
            return
        body = body_now(self.document, self.tool.body)
        if body is None:
            self.finish()
            return
        if len(body.mesh.faces) != len(self.tool.body.mesh.faces):
            self.take(body.ref)  # another shape: the ghost is made anew
            return
        self._mark = ""
        self._settle(body)
        self.live.restart(body)
        self.figures.start(body)

    def _on_removed(self, layer: Layer) -> None:
        if self.tool is not None and not self._busy and self.tool.body.ref.layer_id == layer.id:
            self.finish()

    def _set_follow(self, on: bool) -> None:
        self.follow = on
        if self.tool is not None:
            self.tool.follows_ground = on

    def _set_live(self, on: bool) -> None:
        self.live.set_wanted(on, self.tool.body if self.tool is not None else None)

    def _set_figures(self, on: bool) -> None:
        self.figures.set_wanted(on, self.tool.body if self.tool is not None else None)

    # ---- without taking in hand

    def raise_(self, ref: ElementRef | None = None) -> None:
        """Take a building in hand at its height."""
        self.take(ref)
        self._focus("height")

    def turn(self, ref: ElementRef | None = None) -> None:
        """Take a building in hand at its angle."""
        self.take(ref)
        self._focus("turn")

    def _focus(self, field: str) -> None:
        if self.tool is not None:
            box = self.bar.edits[field].spin_box
            box.setFocus()
            box.selectAll()

    def delete(self, ref: ElementRef | None = None) -> None:
        """Take a building out of the alternative."""
        ref = ref or self.target()
        if ref is None:
            return
        self.finish()
        try:
            body = body_of(self.document, ref)
            if body.mass is not None:
                step: Any = remove_mass(self.document, ref.element_id, name=self.name)
            elif body.proposal is not None:
                step = remove_proposal(self.document, ref.element_id, name=self.name)
            else:
                step = body.step(self.document, dataclasses.replace(body.change, removed=True), name=self.name)
        except UserError as error:
            self.bench.notices.report(error)
            return
        self.document.selection.clear()
        self.bench.do(step)

    def copy(self, ref: ElementRef | None = None) -> None:
        """Put the building up once more beside itself, as a new mass, and take that in hand."""
        from app.massing_copy import copied_mass, copied_proposal

        ref = ref or self.held or self.target()
        if ref is None:
            return
        self.finish()
        proposal = proposal_of(self.document, ref)
        if proposal is not None:
            made = copied_proposal(self.document, proposal)
            if self.bench.do(set_proposal(self.document, made, name=self.name)):
                self.take(ElementRef(made.layer_id, made.id))
            return
        try:
            copy = copied_mass(self.document, ref)
            step = set_mass(self.document, copy.mass, name=self.name)
        except UserError as error:
            self.bench.notices.report(error)
            return
        if self.bench.do(step):
            for doubt in copy.doubts:
                self.bench.notices.tell(f"massing.doubt.{doubt}", storeys=copy.mass.storeys)
            self.take(ElementRef(MASSES, copy.mass.id))

    @property
    def held(self) -> ElementRef | None:
        """What is in hand."""
        return self.tool.body.ref if self.tool is not None else None

    def own_mass(self) -> Mass | None:
        """The new mass in hand, or the selected one."""
        return mass_of(self.document, self.held or self.target())

    def own_proposal(self) -> Proposal | None:
        """The building of a file in hand, or the selected one."""
        return proposal_of(self.document, self.held or self.target())

    def edit(self, ref: ElementRef | None = None) -> None:
        """Ask for other storeys, another name and use of a new mass; for a building of a file also for another fit."""
        proposal = proposal_of(self.document, ref) if ref is not None else self.own_proposal()
        if proposal is not None:
            from app.proposal_actions import proposals_of

            proposals_of(self.window).change(proposal)
            return
        mass = mass_of(self.document, ref) or self.own_mass()
        if mass is not None:
            self.dialog = MassDialog(
                np.array(mass.ring), name=mass.name, mass=mass, uses=uses_of(self.document.scene), parent=self.window
            )
            self._open(lambda: self._change_mass(mass))

    def _change_mass(self, mass: Mass) -> None:
        asked, again = self.dialog, self.held == ElementRef(MASSES, mass.id)
        if asked is None or asked.changed(mass) == mass:
            return
        if again:
            self.finish()  # its triangles may be others
        try:
            self.bench.do(set_mass(self.document, asked.changed(mass), name=self.name))
        except UserError as error:
            self.bench.notices.report(error)
        if again:
            self.take(ElementRef(MASSES, mass.id))

    def _open(self, accepted: Callable[[], None]) -> None:
        dialog = self.dialog
        if dialog is None:
            return
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(accepted)
        dialog.finished.connect(lambda _result: setattr(self, "dialog", None))
        dialog.open()

    # ---- a new mass

    def draw(self) -> None:
        """Draw a footprint, then ask how high."""
        self.finish()
        view = self.window.viewport
        tool = view.start_drawing("polygon", self._ask_mass, hint=tr("mass.draw_hint"))
        tool.snap = FootprintSnap(plan_segments(self.document.scene), Ground(self.document).height, self.pixels)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Pixels (n, 2) of points (n, 3) [local m]."""
        view = self.window.viewport
        return project(view.camera, points, (max(view.width(), 1), max(view.height(), 1)))[0]

    def _ask_mass(self, points: Any) -> None:
        ring = np.asarray(points, dtype=np.float64)
        alternatives = self.document.alternatives
        shown = alternatives.get(alternatives.active)
        number = 1 + (len(shown.masses) if shown is not None else 0)
        name = tr("mass.numbered", number=number)
        self.dialog = MassDialog(ring[:, :2], name=name, uses=uses_of(self.document.scene), parent=self.window)
        self._open(lambda: self._add_mass(ring))

    def _add_mass(self, ring: np.ndarray) -> None:
        asked = self.dialog
        if asked is None:
            return
        mass_id = free_mass_id(self.document)
        corners = tuple((float(x), float(y)) for x, y, _ in ring)
        try:
            base = footing(Ground(self.document), ring, float(ring[:, 2].min()))
            mass = asked.changed(Mass(mass_id, corners, base, 1, asked.storey_height))
            step = set_mass(self.document, mass, name=self.name)
        except UserError as error:
            self.bench.notices.report(error)
            return
        if self.bench.do(step):
            self.take(ElementRef(MASSES, mass_id))

    # ---- keeping in place

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The bar stays where it is when the picture changes its size."""
        if event.type() == QEvent.Type.Resize:
            self._place_bar()
        return False

    def _place_bar(self) -> None:
        view = self.window.viewport
        self.bar.fit(view.width() - EDGE)
        self.bar.move((view.width() - self.bar.width()) // 2, view.height() - self.bar.height() - ABOVE)
        self.figures.place(self.bar.y())

    def refresh_words(self) -> None:
        """The language has changed."""
        if self.tool is not None:
            self.bar.show_body(self.tool.body, self.tool.change, name=self._title(self.tool.body))
            self._place_bar()
        self.live.refresh_words()
        self.figures.refresh()

    def refresh_theme(self, theme: Theme) -> None:
        """The colours have changed."""
        if self.tool is not None:
            self.tool.set_theme(theme)
        self.live.refresh_theme()
        self.figures.refresh()

    def release(self) -> None:
        """The window closes."""
        self.finish()
        self.live.release()
        self._connections.close()
