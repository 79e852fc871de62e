"""Workbench: what the window can do with the document. Panels and actions ask it; it asks jobs and commands.

The road of every longer task is the same: take frozen layers on the main thread, work in a job, change the document by
a command when the answer is back.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PySide6.QtCore import QObject, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from analysis.contract import Analysis, Result
from analysis.run import execute, out_of_date
from app import project_file
from app.alternatives import chosen_among, scenes_of
from app.commands import AddLayers, Command, SetStyle, Together
from app.connections import Connections
from app.document import Document
from app.export import export_run
from app.import_report import write_import_report
from app.import_requests import FilesRead, ImportRequest, read_requests
from app.jobs import Job, JobQueue, run_program
from app.language import error_texts, issue_text, tr
from app.model_desk import ModelDesk
from app.notices import Notices
from app.report_choice import command_line
from app.settings import Settings
from app.shown_runs import Run, runs_of, scenes_of_runs, show_result, with_free_ids
from app.theme import Theme, theme_named
from geo.model import Bounds, ElementRef, Feedback, Frame, Issue, Layer, UserError

STALE_CHECK_MS = 250
ISSUES_TOLD = 3
NAMES_SHOWN = 3


class Workbench(QObject):
    """What panels and actions are given.

    Signals
    -------
    theme_changed(Theme), zoom_requested(list of ElementRef), bounds_requested(Bounds)
    sun_requested(azimuth, altitude) or sun_requested(None)
    time_requested(date, minute)
        Which instant is on show.
    document_opened()
        A project was opened or an import brought the first layers: show everything.
    stale_changed()
        `stale` has changed: which inputs of which run are not what they were.
    project_missing(path, Loaded)
        A project was read but some of its files are not where it says.
    table_requested(layer_id)
        Show the attributes of a layer's elements.
    preview_requested(key, layers), preview_ended(key)
        Layers of a file that is still being read, to be drawn and nothing else; and the end of that reading.
    result_previewed(key, layers)
        A coarse result of an analysis that is still running; a finer one of the same key takes its place. Its end is
        told by `preview_ended` too.
    place_requested(on_done)
        Let the user click a place in the picture and hand its text to `on_done`.
    """

    theme_changed = Signal(object)
    zoom_requested = Signal(object)
    bounds_requested = Signal(object)
    sun_requested = Signal(object)
    time_requested = Signal(object, int)
    document_opened = Signal()
    stale_changed = Signal()
    project_missing = Signal(object, object)
    saved = Signal()
    result_ready = Signal(str)
    table_requested = Signal(str)
    preview_requested = Signal(str, object)
    result_previewed = Signal(str, object)
    preview_ended = Signal(str)
    place_requested = Signal(object)

    def __init__(
        self,
        document: Document,
        settings: Settings,
        *,
        jobs: JobQueue | None = None,
        notices: Notices | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.document = document
        self.settings = settings
        self.jobs = jobs or JobQueue(self)
        self.notices = notices or Notices(self)
        self.theme: Theme = theme_named(settings.theme)
        self.stale: dict[str, list[str]] = {}
        self.jobs.failed.connect(self._on_job_failed)
        self._stale_timer = QTimer(self, singleShot=True, interval=STALE_CHECK_MS, timeout=self._check_stale)
        self._autosave_timer = QTimer(self, timeout=self.autosave)
        self.restart_autosave()
        self.models = ModelDesk(document, self.jobs, self.notices, self)
        self.connections = Connections()
        self.connections.add(document.cleared, self.jobs.abandon)
        self.connections.add(document.scene.added, self._on_scene)
        self.connections.add(document.scene.removed, self._on_scene)
        self.connections.add(document.scene.changed, self._on_scene_changed)
        self.connections.add(document.scene.framed, self._on_framed)

    def close(self) -> bool:
        """Stop timers and jobs; True when no thread is left."""
        self.connections.close()
        self._stale_timer.stop()
        self._autosave_timer.stop()
        ended = self.jobs.shutdown()
        self.models.close()
        return ended

    def _on_job_failed(self, _job: Job, error: BaseException) -> None:
        self.notices.report(error)

    def do(self, command: Command) -> bool:
        """Run a command; an error of the user's becomes a notice. True when it was done."""
        try:
            self.document.do(command)
        except UserError as error:
            self.notices.report(error)
            return False
        return True

    def submit_for_view(self, work: Callable[[], Any], on_done: Callable[[Any], None]) -> None:
        """What the viewport has done beside the window: rasters of the light, trees for picking."""
        self.jobs.submit(lambda _feedback: work(), title=tr("job.view"), shown=False, done=on_done)

    # ---- looks --------------------------------------------------------------------------------------------------

    def restart_autosave(self) -> None:
        """Copies are made as often as the settings say, from now on."""
        self._autosave_timer.start(self.settings.autosave_minutes * 60_000)

    def set_theme(self, name: str) -> None:
        """Switch between light and dark."""
        self.theme = theme_named(name)
        self.settings.theme = name
        self.theme_changed.emit(self.theme)

    def zoom_to(self, refs: Sequence[ElementRef]) -> None:
        """Show elements or layers."""
        self.zoom_requested.emit(list(refs))

    # ---- projects -----------------------------------------------------------------------------------------------

    def new_project(self) -> None:
        """An empty document."""
        project_file.discard_autosave(self.document)
        self.document.clear()

    def open_project(self, path: Path) -> Job:
        """Read a project in a job and show it; the present document stays until the new one is there."""

        def work(feedback: Feedback) -> project_file.Loaded:
            return project_file.load(path, feedback)

        return self.jobs.submit(
            work, title=tr("job.open", name=path.name), key="open", done=lambda loaded: self._opened(path, loaded)
        )

    def open_relinked(self, path: Path, relinked: Mapping[str, str]) -> Job:
        """Open a project with files at new places. What stays missing is kept in the project."""

        def work(feedback: Feedback) -> project_file.Loaded:
            return project_file.load(path, feedback, relinked=relinked)

        def finish(loaded: project_file.Loaded) -> None:
            self.show_loaded(path, loaded)
            self.document.mark_modified()

        return self.jobs.submit(work, title=tr("job.open", name=path.name), key="open", done=finish)

    def _opened(self, path: Path, loaded: project_file.Loaded) -> None:
        if loaded.missing:
            self.project_missing.emit(path, loaded)
        else:
            self.show_loaded(path, loaded)

    def show_loaded(self, path: Path, loaded: project_file.Loaded) -> None:
        """Replace the document by a project that was read."""
        project_file.discard_autosave(self.document)
        self.document.clear()
        project_file.apply(self.document, loaded, path)
        self.settings.add_recent(path)
        self.document_opened.emit()
        self._tell_issues(loaded.issues)

    def recover(self, path: Path) -> Job:
        """Show a recovery copy as an unsaved document."""

        def work(feedback: Feedback) -> tuple[project_file.Loaded, str]:
            recovers = json.loads(path.read_bytes()).get("recovers") or ""
            return project_file.load(path, feedback), str(recovers)

        return self.jobs.submit(
            work, title=tr("job.recover"), key="open", done=lambda answer: self._recovered(path, *answer)
        )

    def _recovered(self, path: Path, loaded: project_file.Loaded, recovers: str) -> None:
        self.document.clear()
        project_file.apply(self.document, loaded, None)
        self.document.path = Path(recovers) if recovers else None
        self.document.mark_modified()
        self.discard_recovery(path)
        self.document_opened.emit()
        self.notices.tell("notice.recovered")

    def discard_recovery(self, path: Path) -> None:
        """Forget a recovery copy."""
        path.unlink(missing_ok=True)

    def save(self, path: Path, *, done: Callable[[], None] | None = None) -> Job:
        """Write the project in a job."""
        snapshot, state = self.document.snapshot(), self.document.history.state

        def work(feedback: Feedback) -> Path:
            feedback.step(0.1, "writing")
            project_file.save(snapshot, path)
            return path

        def finish(written: Path) -> None:
            project_file.discard_autosave(self.document)
            if self.document.history.state == state:
                self.document.mark_saved(written)
            else:
                self.document.path = written
                self.document.changed.emit()
            self.settings.add_recent(written)
            self.saved.emit()
            self.notices.tell("notice.saved", name=written.name)
            if done is not None:
                done()

        return self.jobs.submit(work, title=tr("job.save", name=path.name), key="save", done=finish)

    def autosave(self) -> Job | None:
        """Keep a recovery copy when there is something to lose."""
        if not self.document.modified or self.document.scene.frame is None:
            return None
        snapshot = self.document.snapshot()
        return self.jobs.submit(
            lambda _feedback: project_file.autosave(snapshot),
            title=tr("job.autosave"),
            key="autosave",
            shown=False,
            failed=self._autosave_failed,
        )

    def _autosave_failed(self, error: BaseException) -> None:
        if isinstance(error, UserError):
            self.notices.tell("notice.autosave_failed", severity="doubt", reason=error_texts(error)[1])
        elif isinstance(error, OSError):
            self.notices.tell("notice.autosave_failed", severity="doubt", reason=error.strerror or str(error))
        else:
            self.notices.report(error)

    # ---- import -------------------------------------------------------------------------------------------------

    def import_all(
        self, requests: Sequence[ImportRequest], *, together: bool = False, done: Callable[[], None] | None = None
    ) -> Job:
        """Read files in a job and add their layers as one step.

        together : bool
            One file that cannot be read stops all of them. Otherwise the others come in and it is told.
        """
        frame, existing = self.document.scene.frame, tuple(self.document.scene)

        def work(feedback: Feedback) -> FilesRead:
            return read_requests(requests, frame, existing, together=together, feedback=feedback)

        def finish(answer: FilesRead) -> None:
            if answer.layers and self.document.scene.frame not in (frame, answer.frame):
                self.import_all(requests, together=together, done=done)  # another import has given the place meanwhile
                return
            self._imported(answer)
            if done is not None:
                done()

        names = ", ".join(request.path.name for request in requests[:NAMES_SHOWN])
        more = f" … (+{len(requests) - NAMES_SHOWN})" if len(requests) > NAMES_SHOWN else ""
        job = self.jobs.submit(work, title=tr("job.import", names=names + more), brings=True, done=finish)
        key = str(id(job))
        job.partial.connect(lambda layers: self.preview_requested.emit(key, layers))
        job.ended.connect(lambda: self.preview_ended.emit(key))
        return job

    def _imported(self, answer: FilesRead) -> None:
        was_empty = all(layer.geometry is None for layer in self.document.scene)
        if answer.layers and self.do(AddLayers(with_free_ids(self.document.scene, answer.layers), frame=answer.frame)):
            if was_empty:
                self.document_opened.emit()
            self._tell_issues(answer.issues)
        for path, error in answer.failures[:ISSUES_TOLD]:
            what, why, todo = error_texts(error)
            self.notices.tell(
                "notice.not_imported", severity="error", name=path.name, what=what, why=f"{why} {todo}".strip()
            )
        if len(answer.failures) > ISSUES_TOLD:
            names = ", ".join(path.name for path, _ in answer.failures[ISSUES_TOLD:])
            self.notices.tell("notice.more_not_imported", severity="error", names=names)

    def _tell_issues(self, issues: Sequence[Issue]) -> None:
        grave = [issue for issue in issues if issue.severity != "note"]
        if grave:
            texts = "\n".join(issue_text(issue) for issue in grave[:ISSUES_TOLD])
            more = tr("notice.more_issues", count=len(grave) - ISSUES_TOLD) if len(grave) > ISSUES_TOLD else ""
            self.notices.tell("notice.issues", severity="doubt", texts="\n".join(t for t in (texts, more) if t))

    def make_sample(self) -> Job:
        """Generate the sample district where it is not there yet, and show it as a project without a name."""

        def work(feedback: Feedback) -> project_file.Loaded:
            from app.demo import PROJECT, sample_project
            from app.sample import default_folder

            folder = default_folder()
            project = folder.with_name(f"{folder.name}-project") / PROJECT
            if not project.exists():
                sample_project(project.parent, feedback.part(0.0, 0.8))
            return project_file.load(project, feedback.part(0.8, 1.0))

        return self.jobs.submit(work, title=tr("job.sample"), key="open", done=self._show_sample)

    def _show_sample(self, loaded: project_file.Loaded) -> None:
        """Without a path: saving asks for a name, and never writes into the program's own folder."""
        project_file.discard_autosave(self.document)
        self.document.clear()
        project_file.apply(self.document, loaded, None)
        self.document_opened.emit()

    # ---- analyses -----------------------------------------------------------------------------------------------

    def run(
        self,
        analysis: Analysis,
        params: Mapping[str, object],
        *,
        chosen: Mapping[str, Sequence[str]] | None = None,
        failed: Callable[[BaseException], None] | None = None,
        alternatives: Sequence[str] | None = None,
    ) -> Job | None:
        """Run an analysis in a job; its result layers come into the scene as one step. None without a scene.

        alternatives : sequence of str
            Ids of the alternatives to run it on (``""``: the base), one result each; what is shown when None.
        """
        frame, given = self.document.scene.frame, scenes_of(self.document, alternatives)
        if frame is None:
            self.notices.tell("notice.no_scene", severity="doubt")
            return None
        shown = tuple(self.document.scene)

        def work(feedback: Feedback) -> list[Result]:
            share = 1.0 / len(given)
            return [
                execute(
                    analysis,
                    layers=layers,
                    frame=frame,
                    params=params,
                    chosen=chosen_among(analysis, chosen, layers, shown),
                    feedback=feedback.part(k * share, (k + 1) * share),
                    variant=variant,
                )
                for k, (variant, layers) in enumerate(given)
            ]

        title = tr(f"{analysis.id}.title", analysis.title)
        key, done = f"run {analysis.id}", lambda results: self._add_results(results, frame)
        job = self.jobs.submit(work, title=title, key=key, brings=True, done=done, failed=failed)
        key = str(id(job))
        job.partial.connect(lambda layers: self.result_previewed.emit(key, layers))
        job.ended.connect(lambda: self.preview_ended.emit(key))
        return job

    def _add_results(self, results: Sequence[Result], frame: Frame) -> None:
        """Show each result; of several on the same surfaces the last stays visible. None where the city is gone."""
        for result in results if self.document.scene.frame == frame else ():
            self._add_result(result)

    def _add_result(self, result: Result) -> None:
        """Show a result in place of those on the same surfaces."""
        new = with_free_ids(self.document.scene, result.layers)
        if self.do(show_result(self.document.scene, new)):
            run = next(iter(runs_of(new)), None)
            # Doubts stand on the card of the result, which comes to the front; over the picture they would hide it.
            self._tell_issues([issue for issue in result.issues if issue.severity == "error"])
            self.result_ready.emit(run.id if run else "")

    def show_run(self, run: Run) -> None:
        """Make the layers of a run visible and other results invisible, and look at them."""
        mine = {layer.id for layer in run.layers}
        steps = tuple(
            SetStyle(layer.id, dataclasses.replace(layer.style, visible=layer.id in mine))
            for layer in self.document.scene
            if layer.theme == "result" and layer.style.visible != (layer.id in mine)
        )
        if steps:
            self.do(Together(steps, "show_result"))
        self.zoom_to([ElementRef(layer.id) for layer in run.layers if layer.geometry is not None])

    def _on_scene(self, _layer: Layer) -> None:
        self._stale_timer.start()

    def _on_framed(self, _frame: Frame | None) -> None:
        """Another project: what runs of the last one left is of no use."""
        self.jobs.kept.clear()

    def _on_scene_changed(self, _layer: Layer, what: str) -> None:
        if what == "data":
            self._stale_timer.start()

    def _check_stale(self) -> None:
        """Compare in a job what each run was given with what is there now."""
        runs = runs_of(tuple(self.document.scene))
        if not runs:
            self._set_stale({})
            return
        given = scenes_of_runs(self.document, runs)

        def work(feedback: Feedback) -> dict[str, list[str]]:
            found = {}
            for number, run in enumerate(runs):
                feedback.step(number / len(runs))
                found[run.id] = out_of_date(run.record, given[run.alternative])
            return found

        self.jobs.submit(work, title=tr("job.stale"), key="stale", shown=False, done=self._set_stale)

    def _set_stale(self, stale: dict[str, list[str]]) -> None:
        if stale != self.stale:
            self.stale = stale
            self.stale_changed.emit()

    # ---- out of the program ---------------------------------------------------------------------------------------

    def write_report(self, path: Path) -> Job:
        """Write the report of the document as it is now and as it was chosen."""
        snapshot = self.document.snapshot()

        def work(feedback: Feedback) -> Path:
            with TemporaryDirectory(prefix="twin-report-") as folder:
                project = Path(folder) / f"{snapshot.name or 'project'}.twin"
                project_file.save(snapshot, project)
                run_program(command_line(snapshot.report, project, path.absolute()), feedback, message="drawing")
            return path

        return self.jobs.submit(work, title=tr("job.report"), key="report", done=self._tell_written)

    def write_import_report(self, path: Path) -> Job:
        """Write what importing the layers from files has dropped, changed or doubted, and check their geometry."""
        layers = [layer for layer in self.document.scene if layer.source.path]

        return self.jobs.submit(
            lambda feedback: write_import_report(layers, path, feedback=feedback),
            title=tr("job.import_report"),
            done=self._tell_written,
        )

    def _tell_written(self, written: Path) -> None:
        self.notices.tell(
            "notice.report",
            action_id="notice.open",
            action=lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(written))),
            name=written.name,
        )

    def export_run(self, run: Run, folder: Path) -> Job:
        """Write the result files of a run into a folder."""
        frame, project = self.document.scene.frame, self.document.path

        def work(feedback: Feedback) -> int:
            feedback.step(0.1, "writing")
            if frame is None:
                return 0
            return len(export_run(run.layers, run.record, frame, folder, project=project))

        return self.jobs.submit(
            work,
            title=tr("job.export"),
            done=lambda count: self.notices.tell("notice.exported", count=count, folder=str(folder)),
        )

    def look_at(self, bounds: Bounds) -> None:
        """Show a part of the scene [local m]."""
        self.bounds_requested.emit(bounds)
