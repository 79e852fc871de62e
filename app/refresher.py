"""Works out what is out of date: one result after the other in jobs, a coarse look first, and it can be stopped.

A refresh is asked for by a button, or begins by itself for studies whose switch says so, as soon as a change that is
done (a building let go, an undo) has made their results out of date.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from analysis.contract import Result
from app.jobs import Job, JobState
from app.language import tr
from app.refresh import Task, add_beside, missing_tasks, replace_run, tasks_of, work_of
from app.shown_runs import runs_of
from geo.model import UserError

if TYPE_CHECKING:
    from app.workbench import Workbench

Step = tuple[Task, Mapping[str, Any] | None]  # parameters of a first look; None for the result itself


class Refresher(QObject):
    """The results of one document.

    Attributes
    ----------
    job : Job or None
        What runs.
    title : str
        What is worked out now, for people.
    done, total : int
        Steps of the refresh.

    Signals
    -------
    changed()
        It began, came on, or ended.
    progressed(float)
        Share of the whole refresh, 0..1.
    """

    changed = Signal()
    progressed = Signal(float)

    def __init__(self, bench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self.bench, self.document = bench, bench.document
        self.job: Job | None = None
        self.title = ""
        self.done = self.total = 0
        self._left: list[Step] = []
        self._renamed: dict[str, str] = {}
        self._previews: dict[str, str] = {}
        self._failed: set[str] = set()  # runs that could not be worked out: not tried again by themselves
        self._marks = itertools.count(1)
        self._mark = ""
        bench.stale_changed.connect(self._on_stale)

    # ---- asking

    @property
    def running(self) -> bool:
        """Whether a refresh is under way."""
        return self.job is not None

    @property
    def count(self) -> int:
        """How many results are out of date and can be worked out."""
        return len(tasks_of(self.document, self.bench.stale))

    @property
    def studies(self) -> list[str]:
        """Ids of the studies there are results of."""
        return list(dict.fromkeys(run.analysis_id for run in runs_of(tuple(self.document.scene))))

    def refresh(self, only: Sequence[str] | None = None) -> None:
        """Work out what is out of date; of some studies only, if they are named."""
        self._failed.clear()
        self._begin(tasks_of(self.document, self.bench.stale, only=only))

    def complete(self, studies: Sequence[str]) -> None:
        """Work out what is out of date of some studies, and what base or an alternative has no result of yet."""
        self._failed.clear()
        stale = tasks_of(self.document, self.bench.stale, only=studies)
        self._begin([*stale, *missing_tasks(self.document, studies)])

    def set_on_release(self, study: str, on: bool) -> None:
        """Whether results of a study are worked out by themselves."""
        names = self.bench.settings.refreshed_on_release
        self.bench.settings.refreshed_on_release = names | {study} if on else names - {study}
        if on:
            self._on_stale()

    def cancel(self) -> None:
        """Stop; what is there stays, and the rest stays out of date."""
        self._left.clear()
        if self.job is not None:
            self.job.cancel()

    def _on_stale(self) -> None:
        self.changed.emit()
        wanted = self.bench.settings.refreshed_on_release
        # After an undo nothing begins by itself: else the undo of a refresh would be undone at once.
        if self.running or not wanted or self.document.history.redo_title is not None:
            return
        tasks = [task for task in tasks_of(self.document, self.bench.stale) if task.analysis.id in wanted]
        self._begin([task for task in tasks if task.run.id not in self._failed])

    # ---- working

    def _begin(self, tasks: Sequence[Task]) -> None:
        if self.running or not tasks:
            return
        self._mark = f"refresh {next(self._marks)}"
        self._renamed = {}
        looks: list[Step] = [(task, coarse) for task in tasks if self._is_seen(task) and (coarse := task.coarse)]
        self._left = [*looks, *((task, None) for task in tasks)]
        self.done, self.total = 0, len(self._left)
        self._next()

    def _is_seen(self, task: Task) -> bool:
        """Whether a first look would be seen."""
        shown = task.alternative == self.document.alternatives.active
        return (
            shown
            and task.onto is None
            and any(layer.style.visible and layer.geometry is not None for layer in task.run.layers)
        )

    def _next(self) -> None:
        """The next step; the end after the last."""
        while self._left:
            task, coarse = self._left.pop(0)
            there = task.onto is not None or any(layer.id in self.document.scene for layer in task.run.layers)
            if there and self._start(task, coarse):
                return
            self.done += 1
        self._end()

    def _start(self, task: Task, coarse: Mapping[str, Any] | None) -> bool:
        try:
            work = work_of(self.document, task, self._renamed)
        except (UserError, ValueError) as error:  # its alternative went meanwhile
            self.bench.notices.report(error)
            return False
        params = task.params if coarse is None else coarse
        name = tr(f"{task.analysis.id}.title", task.analysis.title)
        alternative = self.document.alternatives.get(task.alternative)
        name = f"{name} – {alternative.name}" if alternative is not None else name
        self.title = tr("refresh.coarse", name=name) if coarse is not None else name
        title = tr("refresh.job", number=self.done + 1, total=self.total, name=self.title)
        job = self.bench.jobs.submit(
            lambda feedback: work.run(params, feedback),
            title=title,
            key="refresh",
            done=lambda result: self._on_result(task, result, coarse is not None),
            failed=lambda error: self._on_failed(task, error),
        )
        self.job = job
        job.progressed.connect(lambda *_: self.progressed.emit((self.done + job.fraction) / max(self.total, 1)))
        if coarse is None and self._is_seen(task):
            job.partial.connect(lambda layers: self._preview(task, layers))
        job.ended.connect(lambda *_: self._on_ended(job, task, coarse is not None))
        self.changed.emit()
        return True

    def _preview(self, task: Task, layers: object) -> None:
        key = self._previews.setdefault(task.run.id, f"{self._mark} {task.run.id}")
        self.bench.result_previewed.emit(key, layers)

    def _on_result(self, task: Task, result: Result, coarse: bool) -> None:
        if coarse:
            shown = {layer.source.part for layer in task.run.layers if layer.style.visible}
            drawn = [layer for layer in result.layers if layer.geometry is not None and layer.source.part in shown]
            if drawn:
                self._preview(task, drawn)
            return
        if task.onto is not None:
            self.bench.do(add_beside(self.document.scene, task.run, result.layers, self._renamed, mark=self._mark))
            return
        step, renamed = replace_run(self.document.scene, task.run, result.layers, mark=self._mark)
        if self.bench.do(step):
            self._renamed |= renamed

    def _on_failed(self, task: Task, error: BaseException) -> None:
        self._failed.add(task.run.id)
        self.bench.notices.report(error)

    def _on_ended(self, job: Job, task: Task, coarse: bool) -> None:
        if not coarse:
            self._end_preview(task.run.id)
        if job is not self.job:
            return
        if job.state is JobState.CANCELLED:
            self._left.clear()
        self.done += 1
        self._next()

    def _end_preview(self, run_id: str) -> None:
        key = self._previews.pop(run_id, "")
        if key:
            self.bench.preview_ended.emit(key)

    def _end(self) -> None:
        self.job, self.title = None, ""
        for run_id in list(self._previews):
            self._end_preview(run_id)
        self.changed.emit()


def refresher_of(bench: Workbench) -> Refresher:
    """The one of a workbench, made when first asked for."""
    found = bench.findChild(Refresher)
    return found if isinstance(found, Refresher) else Refresher(bench, bench)
