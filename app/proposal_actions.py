"""Buildings of files in an alternative: choose a file, choose two points on it and two places, and it stands there."""

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
from app.numbers import number_text
from app.proposal_dialog import Asked, ProposalDialog
from app.proposal_read import ReadProposal, read_proposal
from app.proposals import free_proposal_id, proposal_of, replaced_by, set_proposal
from geo.model import ElementRef, UserError
from geo.proposals import CLOSE, Fit, Proposal, two_point_fit

if TYPE_CHECKING:
    from app.main_window import MainWindow

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

    def open(self, read: ReadProposal) -> None:
        """The dialog of a building that was read."""
        self.window.masses.finish()
        if self.dialog is not None:
            self.dialog.reject()
        self._read, self.proposal, self._places, self._room = read, None, None, []
        self._id = free_proposal_id(self.document)
        self._mark = f"{self._id} {next(self._marks)}"
        dialog = ProposalDialog(read, self.bench.theme, parent=self.window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.places_asked.connect(self.ask_places)
        dialog.changed.connect(self._apply)
        dialog.taken.connect(self._take)
        dialog.finished.connect(self._on_closed)
        self.dialog = dialog
        dialog.show()

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
        dialog, read = self.dialog, self._read
        if dialog is None or read is None or self._places is None:
            return
        asked = dialog.asked
        try:
            fit = two_point_fit(dialog.plan.points, self._places, keep_scale=not asked.fit_size)
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
            lowest = float(self._places[:, 2].min()) if self._places is not None else 0.0
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
