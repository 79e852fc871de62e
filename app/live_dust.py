"""The reduction that follows a purifier in hand: a bound at once, each wind exactly in turn, the whole grid at the end.

The newest place wins: a wind that is being solved for an older place is not shown. The full solution of all purifiers
begins when the mouse has let go and all winds are known, as a job that can be cancelled.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from analysis.registry import analysis_ids, get
from app.connections import Connections
from app.dust.edit import PurifierRow
from app.dust.live import (
    DISPERSION,
    Answer,
    PlanSetup,
    ReductionPlan,
    Solved,
    WindAnswer,
    active_rows,
    newest_run,
    setup_of,
)
from app.dust.words import reduction_text
from app.jobs import Job
from app.language import tr
from app.widgets.reduction_card import ReductionCard
from geo.model import ElementRef, Feedback, Frame, UserError

if TYPE_CHECKING:
    from analysis.dust.near_field import OwnFlow
    from analysis.dust.unit import Ports
    from app.main_window import MainWindow

EDGE = 12  # pixels between the card and the edge of the picture


class LiveReduction(QObject):
    """Keeps the figures in step with the purifier in hand.

    Attributes
    ----------
    answer : Answer or None
        The newest of the purifier in hand.
    solved : Solved or None
        All purifiers together, of the place where the mouse let go last.
    first_seconds, all_seconds : float [s]
        From a place asked for to its first figures, and to all winds.

    Signals
    -------
    answered(object), resolved(object)
    """

    answered = Signal(object)
    resolved = Signal(object)

    def __init__(self, window: MainWindow, *, parent: QObject) -> None:
        super().__init__(parent)
        self.window, self.bench, self.document = window, window.bench, window.document
        self.wanted = True
        self.answer: Answer | None = None
        self.solved: Solved | None = None
        self.first_seconds = self.all_seconds = 0.0
        self.card = ReductionCard(window.viewport)
        self.card.keep_asked.connect(self.solve)
        self.card.run_asked.connect(self.run_dispersion)
        self.card.closed.connect(lambda: self.set_wanted(False))
        self._fresh: set[str] = set()  # runs of this session: their fields are kept
        self._plan: ReductionPlan | None = None
        self._setup: PlanSetup | None = None
        self._pose: tuple[ElementRef, PurifierRow] | None = None
        self._ports: Ports | None = None
        self._own: OwnFlow | None = None
        self._asked = 0.0
        self._turn = 0  # counts places: a wind solved for an older one is dropped
        self._job: Job | None = None
        self._full: Job | None = None
        self._parts: dict[int, float] = {}
        self._is_released = self._closed = False
        self.bench.result_ready.connect(self._on_result)
        self._connections = Connections()
        self._connections.add(self.document.scene.framed, self._on_framed)

    @property
    def ref(self) -> ElementRef | None:
        """The purifier in hand."""
        return self._pose[0] if self._pose is not None else None

    @property
    def resting(self) -> bool:
        """Whether nothing is being worked out."""
        return self._job is None and self._full is None and not self._is_released

    @property
    def plan(self) -> ReductionPlan | None:
        """The fields behind the figures, once they are there."""
        return self._plan

    @property
    def can_solve(self) -> bool:
        """Whether a full solution can be asked for."""
        return self._plan is not None and self._pose is not None and self._full is None

    # ---- beginning and ending

    def show(self, ref: ElementRef, row: PurifierRow) -> None:
        """A purifier is chosen: what it brings where it stands."""
        if self._pose is None or self._pose != (ref, row):
            self.move(ref, row)

    def move(self, ref: ElementRef, row: PurifierRow) -> None:
        """It stands elsewhere or is another: figures at once, and better ones as they come."""
        if self._closed or not self.wanted:
            return
        self._stop_full()
        if self._pose is None or self._pose[0] != ref:
            self.answer = self.solved = None
        self._pose, self._asked, self._is_released = (ref, row), time.perf_counter(), False
        self._turn += 1
        self._follow()

    def release_at(self, ref: ElementRef, row: PurifierRow) -> None:
        """The mouse has let go here: solve all purifiers in full, after the winds around this one."""
        self.move(ref, row)
        self._is_released = self._plan is not None

    def stop(self) -> None:
        """None is in hand any more."""
        self._pose, self.answer, self.solved = None, None, None
        self._turn += 1
        self._is_released = False
        self._stop_full()
        self.card.hide()

    def set_wanted(self, on: bool) -> None:
        """The switch."""
        self.wanted = on
        if not on:
            self.stop()

    # ---- the fields behind the figures

    def _follow(self) -> None:
        run = newest_run(tuple(self.document.scene))
        if run is None:
            self._plan = self._setup = None
            self._tell("dust.live.first", runs=True)
            return
        if run.id not in self._fresh:
            self._plan = self._setup = None
            self._tell("dust.live.again", runs=True)
            return
        try:
            setup = setup_of(self.document, run)
        except UserError as error:
            self._fail(error)
            return
        if self._setup is not None and self._setup.key == setup.key:
            if self._plan is not None:
                self._answer_at_once(self._plan)
            return
        if self._setup is not None and self._setup.run.id == run.id:
            self._plan = None
            self._tell("dust.live.stale", runs=True)
            return
        self._begin(setup)

    def _begin(self, setup: PlanSetup) -> None:
        self._setup, self._plan = setup, None
        self._drop_job()
        self._tell("dust.live.beginning")

        def work(feedback: Feedback) -> ReductionPlan:
            return ReductionPlan.begin(setup, feedback)

        job = self.bench.jobs.submit(
            work, title=tr("job.dust_live"), key="dust plan", done=self._begun, failed=self._failed
        )
        job.cancelled.connect(lambda: self._begin_cancelled(job))
        self._job = job

    def _begun(self, plan: ReductionPlan) -> None:
        self._job = None
        if not self._closed:
            self._plan = plan
            self._asked = time.perf_counter()
            if self._pose is not None:
                self._answer_at_once(plan)

    def _begin_cancelled(self, job: Job) -> None:
        if job is not self._job:
            return
        self._job = self._setup = None
        if not self._closed and self._pose is not None:
            self._tell("dust.live.again", runs=True)

    # ---- figures

    def _answer_at_once(self, plan: ReductionPlan) -> None:
        """The bound of every wind: a few products, so that it is there before the next frame."""
        if self._pose is None:
            return
        ref, row = self._pose
        try:
            self._ports = plan.ports(row)
        except UserError as error:
            self.answer, self._is_released = None, False
            self.card.tell_error(error)
            self.card.place(EDGE)
            return
        self._own = None
        self.answer = plan.screened(ref, self._ports)
        self.first_seconds = time.perf_counter() - self._asked
        self._show()
        self._next_wind(0)

    def _next_wind(self, number: int) -> None:
        """Solve one wind around the purifier, if none is at work."""
        plan, ports, own, turn = self._plan, self._ports, self._own, self._turn
        if self._job is not None or plan is None or ports is None:
            return

        def work(_feedback: Feedback) -> tuple[OwnFlow, WindAnswer]:
            flow = own if own is not None else plan.own_flow(ports)
            return flow, plan.solved_around(number, ports, flow)

        job = self.bench.jobs.submit(
            work,
            title=tr("job.dust_live"),
            shown=False,
            done=lambda made: self._wind_solved(turn, number, made),
            failed=self._failed,
        )
        job.cancelled.connect(lambda: self._wind_ended(job))
        self._job = job

    def _wind_solved(self, turn: int, number: int, made: tuple[OwnFlow, WindAnswer]) -> None:
        self._job = None
        if self._closed or self._pose is None:
            return
        if turn != self._turn:  # it stands elsewhere by now
            if self.answer is not None and self.answer.exact < len(self.answer.winds):
                self._next_wind(0)
            return
        if self.answer is None:
            return
        self._own, wind = made
        self.answer = self.answer.with_wind(number, wind)
        if number + 1 < len(self.answer.winds):
            self._next_wind(number + 1)
        else:
            self.all_seconds = time.perf_counter() - self._asked
        self._show()
        if self._is_released and self._job is None:
            self.solve()

    def _wind_ended(self, job: Job) -> None:
        if job is self._job:
            self._job, self._is_released = None, False

    def _show(self) -> None:
        if self.answer is not None:
            self.card.show_answer(self.answer, self.solved, solving=self._full is not None)
            self.card.place(EDGE)
            self.answered.emit(self.answer)

    # ---- the whole grid

    def solve(self) -> None:
        """All purifiers that run, in full, wind by wind."""
        plan, pose = self._plan, self._pose
        if plan is None or pose is None:
            return
        self._stop_full()
        self._is_released = False
        try:
            units = [plan.ports(row) for row in active_rows(self.document, pose)]
        except UserError as error:
            self.card.tell_error(error)
            return
        if not units:
            return
        parts: dict[int, float] = {}
        self._parts = parts
        job = self.bench.jobs.submit(
            lambda feedback: plan.resolved(units, feedback, parts),
            title=tr("job.dust_solve", count=len(units)),
            done=self._all_solved,
            failed=self._full_failed,
        )
        job.progressed.connect(lambda: self._part_solved(job, len(units)))
        job.cancelled.connect(lambda: self._full_ended(job))
        self._full = job
        self._show()

    def _part_solved(self, job: Job, units: int) -> None:
        plan = self._plan
        if job is self._full and plan is not None and self._parts:
            self.solved = Solved(units, dict(self._parts), plan.shares)
            self._show()

    def _all_solved(self, solved: Solved) -> None:
        self._full = None
        if not self._closed and self._pose is not None:
            self.solved = solved
            self._show()
            self.resolved.emit(solved)

    def _full_ended(self, job: Job) -> None:
        if job is self._full:
            self._full = None
            if not self._closed and self._pose is not None:
                self._show()

    def _full_failed(self, error: BaseException) -> None:
        self._full = None
        if not self._closed:
            self._fail(error)

    def _stop_full(self) -> None:
        job, self._full = self._full, None
        self.solved = None
        if job is not None:
            job.cancel()

    # ---- what goes wrong

    def _failed(self, error: BaseException) -> None:
        self._job = None
        if not self._closed:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._turn += 1
        self._is_released = False
        if isinstance(error, UserError):
            self.card.tell_error(error)
            self.card.place(EDGE)
        else:
            self._plan = self._setup = None
            self.stop()
            self.bench.notices.report(error)

    def _tell(self, text_id: str, *, runs: bool = False) -> None:
        self.answer, self._is_released = None, False
        self.card.tell_first(tr(text_id), runs=runs and DISPERSION in analysis_ids())
        self.card.place(EDGE)

    def run_dispersion(self) -> None:
        """The study whose fields the figures need, as it was run last, else as it comes."""
        from app.dust_actions import last_asked

        params, chosen = last_asked(tuple(self.document.scene), DISPERSION)
        self.bench.run(get(DISPERSION), params, chosen=chosen)

    def _on_result(self, run_id: str) -> None:
        """A study has ended: its fields are kept for the session."""
        self._fresh.add(run_id)
        if self._pose is not None:
            self.move(*self._pose)

    def _on_framed(self, _frame: Frame | None) -> None:
        """Another project: what is kept of the last is gone."""
        self._fresh.clear()
        self._plan = self._setup = None
        self.stop()

    def _drop_job(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.cancel()

    # ---- words

    def text_for(self, ref: ElementRef) -> str:
        """What a purifier brings, for its panel."""
        answer = self.answer
        return reduction_text(answer) if answer is not None and answer.ref == ref else ""

    def refresh_words(self) -> None:
        """The language or the colours have changed."""
        if self.card.isVisible():
            if self.answer is not None:
                self._show()
            elif self._pose is not None:
                self._follow()

    def release(self) -> None:
        """The window closes."""
        self._closed = True
        self._pose = None
        self._drop_job()
        self._stop_full()
        self.card.hide()
        self._connections.close()
