"""Plans of cameras in the window: coverage, siting, privacy, taking a proposal over, comparing, documents, files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtGui import QDesktopServices

from analysis.registry import analysis_ids, get
from app import project_file
from app.cctv.edit import camera_layers, is_result
from app.commands import AddLayers, Command, SetStyle, Together
from app.jobs import run_program
from app.language import language, tr
from app.names import layer_title
from app.plan_compare import PlanTable
from app.plan_dialog import PlanDialog
from app.shown_runs import runs_of
from geo.model import ElementRef, Feedback, Layer, Source

if TYPE_CHECKING:
    from app.main_window import MainWindow

PREFIX = "cctv."
SITING = "siting"
BLIND = "unseen_path"  # a column of blind spots


class CctvActions(QObject):
    """What the menu of cameras does with whole plans."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.bench, self.document = window, window.bench, window.document
        self.comparison: PlanTable | None = None
        self.dialog: PlanDialog | None = None

    # ---- what there is

    def plans(self) -> list[Layer]:
        """Layers of cameras that are not empty, the user's own first."""
        return [layer for layer in camera_layers(self.document.scene) if len(layer.table)]

    def has_cameras(self) -> bool:
        """Whether there is any camera."""
        return bool(self.plans())

    def can_run(self, name: str) -> bool:
        """Whether a study of cameras can be run now."""
        return self.has_cameras() and f"{PREFIX}{name}" in analysis_ids()

    def can_site(self) -> bool:
        """Whether cameras can be sited."""
        return len(self.document.scene) > 0 and f"{PREFIX}{SITING}" in analysis_ids()

    def proposed(self) -> Layer | None:
        """Cameras that an analysis has proposed: those selected, else the newest."""
        found = [layer for layer in self.plans() if is_result(layer)]
        chosen = set(self.document.selection.by_layer)
        return next((layer for layer in found if layer.id in chosen), found[-1] if found else None)

    # ---- studies

    def coverage(self) -> None:
        """How much the cameras cover now, with the parameters of the last run."""
        self._run("coverage")

    def privacy(self) -> None:
        """Whose privacy the cameras touch, and the masks that protect it."""
        self._run("privacy")

    def site(self) -> None:
        """The form of the study that finds places for cameras."""
        self.window.show_analysis(f"{PREFIX}{SITING}")

    def _run(self, name: str) -> None:
        analysis = get(f"{PREFIX}{name}")
        params, chosen = self._as_last_time(analysis.id)
        self.bench.run(analysis, params, chosen=chosen)

    def _as_last_time(self, analysis_id: str) -> tuple[Mapping[str, Any], Mapping[str, Sequence[str]] | None]:
        """Parameters and layers of the newest run, but the cameras as they are shown now."""
        run = next((one for one in runs_of(tuple(self.document.scene)) if one.analysis_id == analysis_id), None)
        if run is None:
            return {}, None
        chosen: dict[str, list[str]] = {}
        for item in run.record["provenance"]["inputs"]:
            if item["layer"] in self.document.scene and item["input"] != "cameras":
                chosen.setdefault(item["input"], []).append(item["layer"])
        return dict(run.record["provenance"]["params"]), chosen

    def blind_spots(self) -> str:
        """The layer of blind spots of the newest run, or an empty text."""
        for run in runs_of(tuple(self.document.scene)):
            if run.analysis_id == f"{PREFIX}coverage":
                return next((la.id for la in run.layers if la.kind == "mesh" and BLIND in la.table.columns), "")
        return ""

    def show_blind_spots(self) -> None:
        """Their list: a double click or Enter on a row flies there."""
        self.document.selection.clear()
        self.bench.table_requested.emit(self.blind_spots())

    # ---- proposals

    def take_over(self) -> None:
        """Make cameras of a proposal, to be moved and turned like any other; one step to undo."""
        layer = self.proposed()
        if layer is None:
            return
        own = taken_over(layer, self.document.scene.free_id("cameras"), tr("camera.plan_layer"))
        steps: list[Command] = [AddLayers((own,))]
        if layer.style.visible:
            steps.append(SetStyle(layer.id, dataclasses.replace(layer.style, visible=False)))
        if self.bench.do(Together(tuple(steps), "take_over_plan")):
            self.document.selection.set([ElementRef(own.id)])
            self.bench.notices.tell("notice.plan_taken_over", count=len(own.table), name=layer_title(own))

    def compare(self) -> None:
        """Plans side by side: each layer of cameras for itself, before the same targets."""
        if self.comparison is not None:
            self.comparison.close()
        self.comparison = PlanTable(self.bench, self.plans(), parent=self.window)
        self.comparison.plan_chosen.connect(self._show_plan)
        self.comparison.destroyed.connect(lambda: setattr(self, "comparison", None))
        self.comparison.show()

    def _show_plan(self, layer_id: str) -> None:
        if layer_id in self.document.scene:
            self.document.selection.set([ElementRef(layer_id)])
            self.bench.zoom_to([ElementRef(layer_id)])

    # ---- files

    def ask_document(self) -> None:
        """What is to be stated in the installation plan, then where it is written."""
        self.dialog = PlanDialog(parent=self.window)
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.accepted.connect(self._ask_document_file)
        self.dialog.finished.connect(lambda _result: setattr(self, "dialog", None))
        self.dialog.open()

    def _ask_document_file(self) -> None:
        asked = self.dialog
        path = self.window.files.ask_file("action.cctv_document", "PDF (*.pdf);;HTML (*.html)", suffix=".pdf")
        if path is not None and asked is not None:
            self.write_document(path, statements=asked.statements, both=asked.both.isChecked())

    def write_document(self, path: Path, *, statements: Mapping[str, str] | None = None, both: bool = False) -> None:
        """Write the installation plan of the cameras as they are now, drawn by a program beside this one."""
        snapshot, edition = self.document.snapshot(), self.window.cameras.edition.id
        arguments = [*(f"--layer={layer.id}" for layer in self._shown()), f"--edition={edition}"]
        arguments += [f"--set={name}={text}" for name, text in (statements or {}).items()]
        arguments += ["--both"] if both else []

        def work(feedback: Feedback) -> None:
            with TemporaryDirectory(prefix="twin-plan-") as folder:
                project = Path(folder) / f"{snapshot.name or 'project'}.twin"
                project_file.save(snapshot, project)
                command = ["--lang", language.code, "cctv", "plan", str(project), str(path.absolute()), *arguments]
                run_program(command, feedback, message="drawing")

        self._write(path, work)

    def _shown(self) -> list[Layer]:
        """The plan that is meant: cameras that are shown, of the user's own if there are any."""
        found = [layer for layer in self.plans() if layer.style.visible] or self.plans()
        return [layer for layer in found if not is_result(layer)] or found

    def ask_export(self) -> None:
        """Where the cameras are written, and as what."""
        kinds = "GeoJSON (*.geojson);;CSV (*.csv);;IFC (*.ifc)"
        path = self.window.files.ask_file("action.cctv_export", kinds, suffix=".geojson")
        if path is not None:
            self.write_cameras(path)

    def write_cameras(self, path: Path) -> None:
        """Write the cameras in a job; the ending says as what."""
        from app.cctv.exchange import write_cameras

        layers, frame = self._shown(), self.document.scene.frame
        self._write(path, lambda feedback: write_cameras(path, layers, frame, feedback=feedback))

    def _write(self, path: Path, work: Callable[[Feedback], object]) -> None:
        self.bench.jobs.submit(
            work, title=tr("job.write", name=path.name), key=f"write {path}", done=lambda _made: self._tell(path)
        )

    def _tell(self, path: Path) -> None:
        self.bench.notices.tell(
            "notice.report",
            action_id="notice.open",
            action=lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))),
            name=path.name,
        )


def taken_over(layer: Layer, layer_id: str, name: str) -> Layer:
    """A proposal as a layer of the user's own."""
    return layer.with_(
        id=layer_id,
        name=name,
        theme="camera",
        source=Source(),
        fields=(),
        style=dataclasses.replace(layer.style, visible=True, colour_by=""),
    )
