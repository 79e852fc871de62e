"""The coverage that follows a camera in hand: a plan scored once in a job, then one camera at a time, the newest wins.

Only a camera that has moved is traced again; turning and zooming trace nothing. The figures are those of the study.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from analysis.cctv.classes import Edition
from analysis.registry import analysis_ids
from app.cctv.edit import CameraRow, row_of
from app.cctv.live_coverage import COVERAGE, Answer, LivePlan, PlanSetup, setup_of
from app.connections import Connections
from app.language import tr
from app.widgets.coverage_card import CoverageCard
from geo.model import ElementRef, Feedback, Layer, UserError

if TYPE_CHECKING:
    from app.main_window import MainWindow

EDGE = 12  # pixels between the card and the edge of the picture


class LiveCoverage(QObject):
    """Keeps the figures in step with the camera in hand.

    Attributes
    ----------
    wanted : bool
        The switch.
    answer : Answer or None
        The newest.
    seconds : float
        From a pose asked for to its answer [s].

    Signals
    -------
    answered(object)
    """

    answered = Signal(object)

    def __init__(self, window: MainWindow, *, parent: QObject) -> None:
        super().__init__(parent)
        self.window, self.bench, self.document = window, window.bench, window.document
        self.wanted = True
        self.answer: Answer | None = None
        self.seconds = 0.0
        self.card = CoverageCard(window.viewport)
        self.card.keep_asked.connect(self.keep)
        self.card.closed.connect(lambda: self.set_wanted(False))
        self._plan: LivePlan | None = None
        self._setup: PlanSetup | None = None
        self._ref: ElementRef | None = None
        self._next: tuple[CameraRow | None, float] | None = None
        self._job: Any = None
        self._start: CameraRow | None = None
        self._is_new = self._closed = False
        self.is_resting_camera: Callable[[], bool] = lambda: True
        self._connections = Connections()
        for signal in (self.document.scene.added, self.document.scene.removed, self.document.scene.changed):
            self._connections.add(signal, self._on_scene)

    @property
    def resting(self) -> bool:
        """Whether the newest pose has its answer."""
        return self._job is None and self._next is None

    @property
    def ref(self) -> ElementRef | None:
        """The camera in hand."""
        return self._ref

    @property
    def plan(self) -> LivePlan | None:
        """The plan that is scored, once it is ready."""
        return self._plan

    # ---- beginning and ending

    def start(self, ref: ElementRef) -> None:
        """A camera is being changed: from here the difference is counted."""
        if not self.wanted or self._closed or COVERAGE not in analysis_ids():
            return
        if self._ref == ref and self.card.isVisible():
            return
        self._ref, self._is_new = ref, True
        self._start = row_of(self.document.scene, ref)
        self._next = (None, time.perf_counter())
        self.card.tell(tr("coverage.beginning"))
        self.card.place(EDGE)
        self._go_on()

    def stop(self) -> None:
        """No camera is in hand any more."""
        self._ref, self._next = None, None
        self.card.hide()

    def set_wanted(self, on: bool) -> None:
        """The switch."""
        self.wanted = on
        if not on:
            self.stop()

    def set_edition(self, edition: Edition) -> None:
        """Count by other classes: no line of sight is traced."""
        if self.answer is not None and self._plan is not None:
            self._plan.edition = edition
            if self._ref is not None:
                self._ask(None)

    def move(self, row: CameraRow) -> None:
        """The camera in hand stands or looks otherwise."""
        if self._ref is not None and self.wanted:
            self._ask(row)

    def settle(self) -> None:
        """The camera rests: where no area is named, other ground lies around it now, as in a full run."""
        if self._ref is not None and self._plan is not None and self._job is None and self._plan.has_moved:
            self._setup, self._next = None, (None, time.perf_counter())
            self._go_on()

    def _ask(self, row: CameraRow | None) -> None:
        self._next = (row, time.perf_counter())
        if self.answer is not None:
            self.card.mark_waiting()
        self._go_on()

    # ---- working

    def _go_on(self) -> None:
        if self._job is not None or self._next is None or self._closed:
            return
        try:
            setup = setup_of(self.document)
        except UserError as error:
            self._fail(error)
            return
        if self._plan is None or self._setup is None or self._setup.key != setup.key:
            self._begin(setup)
            return
        row, asked = self._next
        self._next = None
        plan, ref, is_new, self._is_new = self._plan, self._ref, self._is_new, False
        layers, start = setup.layers, self._start

        def work(_feedback: Feedback) -> Answer:
            if is_new:
                plan.move(layers, ref, start, is_new=True)
            return plan.move(layers, ref, row, is_new=False)

        self._job = self.bench.jobs.submit(
            work,
            title=tr("job.coverage"),
            shown=False,
            done=lambda answer: self._answered(answer, asked),
            failed=self._failed,
        )

    def _begin(self, setup: PlanSetup) -> None:
        def work(feedback: Feedback) -> LivePlan:
            return LivePlan.begin(setup, feedback)

        self._setup, self._plan, self._is_new = setup, None, True
        edition = self.window.cameras.edition if hasattr(self.window, "cameras") else None
        self._job = self.bench.jobs.submit(
            work,
            title=tr("job.coverage"),
            done=lambda plan: self._began(plan, edition),
            failed=self._failed,
        )

    def _began(self, plan: LivePlan, edition: Edition | None) -> None:
        self._job = None
        if not self._closed:
            self._plan = plan
            if edition is not None:
                plan.edition = edition
            self._go_on()

    def _answered(self, answer: Answer, asked: float) -> None:
        self._job = None
        if self._closed:
            return
        self.seconds, self.answer = time.perf_counter() - asked, answer
        if self._ref is not None:
            self.card.show_answer(answer, waiting=self._next is not None)
            self.card.place(EDGE)
        self.answered.emit(answer)
        self._go_on()
        if self.is_resting_camera():
            self.settle()

    def _failed(self, error: BaseException) -> None:
        self._job = None
        if not self._closed:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._next = self._plan = self._setup = None
        if isinstance(error, UserError):
            self.card.tell_error(error)
            self.card.place(EDGE)
        else:
            self.stop()
            self.bench.notices.report(error)

    def _on_scene(self, layer: Layer, _what: str = "data") -> None:
        """An undo while a camera is in hand: the figures follow."""
        if layer.theme == "camera" and self._ref is not None and self._plan is not None:
            self._ask(None)

    # ---- words

    def targets_text(self, ref: ElementRef) -> str:
        """What the chosen camera adds to the plan."""
        answer = self.answer
        if answer is None or answer.ref != ref:
            return ""
        return tr("coverage.own", seen=f"{100 * answer.own:.1f}", alone=f"{100 * answer.alone:.1f}")

    def keep(self) -> None:
        """The study in full, as a result like any other."""
        setup = self._setup
        if setup is not None:
            self.bench.run(setup.analysis, setup.params, chosen=setup.chosen)

    def refresh_words(self) -> None:
        """The language or the colours have changed."""
        if self.answer is not None and self.card.isVisible():
            self.card.show_answer(self.answer, waiting=not self.resting)

    def release(self) -> None:
        """The window closes."""
        self._closed = True
        self._next = None
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
        self.card.hide()
        self._connections.close()
