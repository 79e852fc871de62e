"""Buildings of files in an alternative: choose a file, choose two points on it and two places, and it stands there.

One that stands can be asked for again: the two points are where they are until others are chosen.
"""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog

from app.jobs import Job
from app.language import error_texts, tr
from app.mass_edit import Ground, footing
from app.massing_snap import FootprintSnap, plan_segments
from app.massing_uses import uses_of
from app.numbers import number_text
from app.proposal_dialog import Asked, ProposalDialog
from app.proposal_read import ReadProposal, read_again, read_proposal
from app.proposals import free_proposal_id, proposal_of, replaced_by, set_proposal
from geo.model import ElementRef, UserError
from geo.proposals import CLOSE, Fit, Proposal, two_point_fit

if TYPE_CHECKING:
    from app.main_window import MainWindow

ABOVE = 70  # pixels of the window above the dialog: menu and tools
SAME_HEIGHT = 0.02  # [m] a ground level that is nearer to that of the terrain lies on it
PATTERNS = "*.ifc *.ifczip *.ifcxml *.glb *.gltf *.obj *.ply *.stl *.city.json *.gml"


class ProposalActions(QObject):
    """What the action "place a proposal" does, from the file to the undoable step.

    Attributes
    ----------
    dialog : ProposalDialog or None
    proposal : Proposal or None
        What was put up with the dialog that is open.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.bench, self.document = window, window.bench, window.document
        self.dialog: ProposalDialog | None = None
        self.proposal: Proposal | None = None
        self._read: ReadProposal | None = None
        self._places: np.ndarray | None = None
        self._stood: Proposal | None = None  # as it was, where one that stands was asked for
        self._id = ""
        self._room: list[ElementRef] = []  # what made room for it
        self._marks = itertools.count(1)
        self._mark = ""

    # ---- the file

    def ask_file(self) -> None:
        """Which file holds the building."""
        filters = f"{tr('proposal.files')} ({PATTERNS})"
        name, _ = QFileDialog.getOpenFileName(self.window, tr("proposal.choose"), "", filters)
        if name:
            self.read(Path(name))

    def read(self, path: Path) -> Job | None:
        """Read a building in a job, then show its plan."""
        frame = self.document.scene.frame
        if frame is None:
            return None
        return self.bench.jobs.submit(
            lambda feedback: read_proposal(path, frame, feedback),
            title=tr("job.proposal", name=path.name),
            key="proposal",
            done=self.open,
        )

    def change(self, proposal: Proposal) -> Job | None:
        """Ask again about one that stands: other points, places, height, storeys, floor area or name."""
        self.window.masses.finish()
        return self.bench.jobs.submit(
            lambda _feedback: read_again(proposal),
            title=tr("job.proposal", name=proposal.model.file),
            key="proposal",
            done=lambda read: self._open_again(read, proposal.id),
        )

    def _open_again(self, read: ReadProposal, proposal_id: str) -> None:
        alternative = self.document.alternatives.get(self.document.alternatives.active)
        found = alternative.proposals if alternative is not None else ()
        now = next((one for one in found if one.id == proposal_id), None)
        if now is None:  # it was taken away meanwhile
            return
        self.open(read, now)
        if self.dialog is not None:
            self.dialog.show_standing(now, level=self._level(now), on_ground=self._is_on_ground(now, read))

    def _level(self, proposal: Proposal) -> float:
        """Map height of its ground level [m]."""
        frame = self.document.scene.frame
        return proposal.base + proposal.model.ground * proposal.scale + (frame.origin[2] if frame is not None else 0.0)

    def _is_on_ground(self, proposal: Proposal, read: ReadProposal) -> bool:
        ring = proposal.points(np.column_stack([read.outline, np.zeros(len(read.outline))]))
        level = proposal.base + proposal.model.ground * proposal.scale
        return abs(footing(Ground(self.document), ring, level) - level) < SAME_HEIGHT

    def open(self, read: ReadProposal, stands: Proposal | None = None) -> None:
        """The dialog of a building that was read, or of one that stands."""
        self.window.masses.finish()
        if self.dialog is not None:
            self.dialog.reject()
        self._read, self.proposal, self._places, self._room, self._stood = read, stands, None, [], stands
        self._id = free_proposal_id(self.document) if stands is None else stands.id
        if stands is not None:
            self._room = [ref for ref in replaced_by(self.document, stands) if self._is_away(ref)]
        self._mark = f"{self._id} {next(self._marks)}"
        use = stands.use if stands is not None else ""
        uses = uses_of(self.document.scene)
        dialog = ProposalDialog(read, self.bench.theme, use=use, uses=uses, parent=self.window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.places_asked.connect(self.ask_places)
        dialog.changed.connect(self._apply)
        dialog.taken.connect(self._take)
        dialog.finished.connect(self._on_closed)
        self.dialog = dialog
        dialog.show()
        self._put_aside(dialog)

    def _put_aside(self, dialog: ProposalDialog) -> None:
        """At the right edge of the window: the picture is where one looks and clicks."""
        whole = self.window.geometry()
        room = self.window.screen().availableGeometry()
        x = min(whole.right(), room.right()) - dialog.frameGeometry().width()
        y = min(whole.top() + ABOVE, room.bottom() - dialog.frameGeometry().height())
        dialog.move(max(x, room.left()), max(y, room.top()))

    def _is_away(self, ref: ElementRef) -> bool:
        shown = self.document.alternatives.get(self.document.alternatives.active)
        return shown is not None and ref in shown.changes and shown.changes[ref].removed

    def _on_closed(self, _result: int) -> None:
        self.dialog = None
        self.window.viewport.stop_drawing()

    # ---- the two places

    def ask_places(self) -> None:
        """Where the two points belong: two clicks, which go to parcels as corners of footprints do."""
        if self.dialog is None:
            return
        length = number_text(round(self.dialog.plan.length, 2))
        tool = self.window.viewport.start_drawing(
            "two_points", self._on_places, hint=tr("proposal.hint", length=length)
        )
        tool.snap = FootprintSnap(
            plan_segments(self.document.scene), Ground(self.document).height, self.window.masses.pixels
        )
        self.window.viewport.setFocus()

    def _on_places(self, points: Any) -> None:
        self._places = np.asarray(points, dtype=np.float64)
        self._mark = f"{self._id} {next(self._marks)}"
        self._apply()

    def _apply(self) -> None:
        """Put the building up as the dialog says, once both places are known: one step, until they are chosen anew."""
        dialog, read, places = self.dialog, self._read, self._where()
        if dialog is None or read is None or places is None:
            return
        asked = dialog.asked
        try:
            fit = two_point_fit(dialog.plan.points, places, keep_scale=not asked.fit_size)
            proposal = self._made(read, asked, fit)
            room = replaced_by(self.document, proposal) if asked.make_room else []
            step = set_proposal(
                self.document, proposal, name=self.window.masses.name, drag=self._mark, room=room, back=self._room
            )
        except UserError as error:
            dialog.tell(" ".join(error_texts(error)), doubt=True)
            return
        if self.bench.do(step):
            self.proposal, self._room = proposal, room
            dialog.take_button.setEnabled(True)
            self._tell(fit)

    def _where(self) -> np.ndarray | None:
        """(2, 3) places of the two points: those that were clicked, else where they are."""
        if self._places is not None or self._stood is None or self.dialog is None:
            return self._places
        level = np.full(2, self._stood.model.ground)
        return self._stood.points(np.column_stack([self.dialog.plan.points, level]))

    def _made(self, read: ReadProposal, asked: Asked, fit: Fit) -> Proposal:
        frame = self.document.scene.frame
        if frame is None:
            raise ValueError("there is no scene")
        area = asked.floor_area * (fit.scale**2 if asked.told != "typed" else 1.0)
        made = Proposal(
            self._id, read.model, fit.x, fit.y, 0.0, fit.turn_deg, fit.scale, asked.name, asked.use, asked.storeys,
            round(area, 1), asked.told,
        )  # fmt: skip
        if asked.level is not None:
            level = asked.level - frame.origin[2]
        else:
            ring = made.points(np.column_stack([read.outline, np.zeros(len(read.outline))]))
            places = self._where()
            lowest = float(places[:, 2].min()) if places is not None else 0.0
            level = footing(Ground(self.document), ring, lowest)
        if self.dialog is not None:
            self.dialog.show_level(level + frame.origin[2])
        return dataclasses.replace(made, base=level - read.model.ground * fit.scale)

    def _tell(self, fit: Fit) -> None:
        """How well the two points lie, and what is left."""
        if self.dialog is None:
            return
        values = {"model": f"{fit.have:.2f}", "scene": f"{fit.want:.2f}", "residual": f"{fit.residual:.2f}"}
        doubt = abs(fit.misfit) > CLOSE
        text = tr("proposal.fit_doubt" if doubt else "proposal.fit", **values)
        if abs(fit.scale - 1.0) > 1e-6:
            text = f"{text} {tr('proposal.scaled', scale=number_text(round(fit.scale, 4)))}"
        self.dialog.tell(text, doubt=doubt)

    # ---- afterwards

    def _take(self) -> None:
        """Close the dialog and take the building in hand, to be moved and turned as any mass."""
        proposal = self.proposal
        if self.dialog is not None:
            self.dialog.reject()
        ref = ElementRef(proposal.layer_id, proposal.id) if proposal is not None else None
        if ref is not None and proposal_of(self.document, ref) is not None:
            self.window.masses.take(ref)


def proposals_of(window: MainWindow) -> ProposalActions:
    """Those of a window, made when first asked for."""
    found = window.findChild(ProposalActions)
    return found if isinstance(found, ProposalActions) else ProposalActions(window)
