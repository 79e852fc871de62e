"""The sun that follows a building in hand: a study begun once in a job, and moves of which the newest wins.

While one move is worked out the newest place waits; what lies between is dropped. A move is never broken off, so every
answer is of a place the building had, and the next begins at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from app.connections import Connections
from app.jobs import Job, JobQueue
from app.language import tr
from app.live_study import (
    LiveGround,
    LiveHoursStudy,
    LiveRightsStudy,
    LiveSetup,
    LostWindow,
    RightsAnswer,
    ref_of,
    setup_for,
)
from app.mass_edit import Body
from app.widgets.live_card import LiveCard
from geo.model import Bounds, Feedback, Layer, Mesh, UserError

if TYPE_CHECKING:
    from app.main_window import MainWindow

EDGE = 12  # pixels between the card and the edge of the picture
NEAR = 12.0  # [m] around a window that is looked at

Study = LiveRightsStudy | LiveHoursStudy


class LiveLoop(QObject):
    """One study that follows: begun once, then one move at work and the newest waiting.

    Signals
    -------
    began(), progressed(float)
    answered(object, float)
        What the study says of a place, and the seconds since that place was asked for.
    failed(object)
    rested()
        A move is done: another study may have its turn.
    """

    began = Signal()
    progressed = Signal(float)
    answered = Signal(object, float)
    failed = Signal(object)
    rested = Signal()

    def __init__(
        self,
        jobs: JobQueue,
        begin: Callable[[Feedback], Study],
        *,
        name: str,
        is_free: Callable[[], bool],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._jobs, self._name, self._is_free = jobs, name, is_free
        self._study: Study | None = None
        self._next: tuple[Mesh, float] | None = None
        self._over, self._is_heard = False, True
        title = tr(f"job.live.{name}")
        self._job: Job | None = jobs.submit(
            begin, title=title, key=f"live {name}", done=self._begun, failed=self._on_failed
        )
        self._job.progressed.connect(self._tell)

    @property
    def resting(self) -> bool:
        """Whether the newest place has its answer."""
        return self._job is None and self._next is None

    @property
    def has_begun(self) -> bool:
        """Whether the first run is done."""
        return self._study is not None

    @property
    def is_moving(self) -> bool:
        """Whether a move is being worked out."""
        return self._study is not None and self._job is not None

    def ask(self, mesh: Mesh) -> None:
        """The building stands elsewhere."""
        if not self._over:
            self._next, self._is_heard = (mesh, time.perf_counter()), True
            self.go_on()

    def drop(self) -> None:
        """What waits is wanted no more; a move at work ends unheard."""
        self._next, self._is_heard = None, False

    def end(self) -> None:
        """Follow no more."""
        self._over, self._next, self._study = True, None, None
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
        self.deleteLater()

    def _tell(self) -> None:
        if self._job is not None and self._study is None:
            self.progressed.emit(self._job.fraction)

    def _begun(self, study: Study) -> None:
        if not self._over:
            self._job, self._study = None, study
            self.began.emit()
            self.go_on()

    def go_on(self) -> None:
        """Work out the newest place, if one waits and no other study is at work: they would only slow each other."""
        study, waiting = self._study, self._next
        if study is None or waiting is None or self._job is not None or not self._is_free():
            return
        mesh, asked = waiting
        self._next = None
        self._job = self._jobs.submit(
            lambda feedback: study.move(mesh, feedback),
            title=tr(f"job.live.{self._name}"),
            shown=False,
            done=lambda answer: self._moved(answer, asked),
            failed=self._on_failed,
        )

    def _moved(self, answer: object, asked: float) -> None:
        if not self._over:
            self._job = None
            if self._is_heard:
                self.answered.emit(answer, time.perf_counter() - asked)
            self.rested.emit()

    def _on_failed(self, error: BaseException) -> None:
        if not self._over:
            self._job, self._over = None, True
            self.failed.emit(error)


KINDS: dict[str, Callable[[LiveSetup, Feedback], Study]] = {"hours": LiveHoursStudy, "rights": LiveRightsStudy}


class LiveSun(QObject):
    """Keeps sun and verdicts in step with the building in hand.

    Attributes
    ----------
    wanted : bool
        The switch.
    answer : RightsAnswer or None
        The newest of the windows.
    ground : LiveGround or None
        The newest of the ground.
    seconds : dict of str to float
        From a place asked for to its answer on the screen [s], the last of each study.

    Signals
    -------
    answered(object)
        A `RightsAnswer` or a `LiveGround` was drawn.
    """

    answered = Signal(object)

    def __init__(self, window: MainWindow, *, parent: QObject) -> None:
        super().__init__(parent)
        self.window, self.bench, self.document = window, window.bench, window.document
        self.wanted = True
        self.answer: RightsAnswer | None = None
        self.ground: LiveGround | None = None
        self.seconds: dict[str, float] = {}
        self.card = LiveCard(window.viewport)
        self.card.chosen.connect(self._select)
        self.card.keep_asked.connect(self.keep)
        self._setup: LiveSetup | None = None
        self._loops: dict[str, LiveLoop] = {}
        self._kept: tuple[LiveSetup, dict[str, LiveLoop]] | None = None
        self._picture: Any = None
        self._connections = Connections()
        self._connections.add(self.document.scene.removed, lambda _layer: self._forget())
        self._connections.add(self.document.scene.added, self._on_added)

    @property
    def resting(self) -> bool:
        """Whether the newest place has its answers."""
        return all(loop.resting for loop in self._loops.values())

    # ---- beginning and ending

    def start(self, body: Body) -> None:
        """A building was taken in hand."""
        self.stop()
        if self.wanted:
            self._begin(body)

    def restart(self, body: Body) -> None:
        """The city around the building is another, as after a switch of the alternative: begin anew."""
        if self._setup is not None and setup_for(self.document, body).key != self._setup.key:
            self.start(body)

    def stop(self) -> None:
        """It was let go. What was worked out is kept: the same building may be taken again."""
        loops, setup = self._loops, self._setup
        self._loops, self._setup, self.answer, self.ground = {}, None, None, None
        if setup is not None and loops and all(loop.has_begun for loop in loops.values()):
            self._forget()
            self._kept = (setup, loops)
            for loop in loops.values():
                loop.drop()
        else:
            for loop in loops.values():
                loop.end()
        self.card.hide()
        picture, self._picture = self._picture, None
        if picture is not None:
            picture.release()

    def _on_added(self, _layer: Layer) -> None:
        """A result that comes meanwhile, as one that is kept, is drawn when the building is let go."""
        if self._picture is not None:
            self._picture.put_aside()

    def _forget(self) -> None:
        kept, self._kept = self._kept, None
        for loop in kept[1].values() if kept is not None else ():
            loop.end()

    def set_wanted(self, on: bool, body: Body | None) -> None:
        """The switch."""
        self.wanted = on
        if not on:
            self.stop()
        elif body is not None:
            self._begin(body)

    def _begin(self, body: Body) -> None:
        try:
            setup = setup_for(self.document, body)
        except UserError as error:
            self._on_failed(error)
            return
        kept, self._setup = self._kept, setup
        if kept is not None and kept[0].key == setup.key:
            self._kept, self._loops = None, kept[1]
        else:
            self._forget()
            self._loops = {name: self._loop(name, kind, setup) for name, kind in KINDS.items()}
        self.card.set_days(wanted.day for wanted in setup.studies)
        self.card.tell(tr("live.beginning"))
        self._place_card()
        self.move(body.placed(body.change))

    def _loop(self, name: str, kind: Callable[[LiveSetup, Feedback], Study], setup: LiveSetup) -> LiveLoop:
        loop = LiveLoop(
            self.bench.jobs, lambda feedback: kind(setup, feedback), name=name, is_free=self._is_free, parent=self
        )
        loop.answered.connect(lambda answer, seconds: self._on_answer(name, answer, seconds))
        loop.rested.connect(lambda: self._next_turn(name))
        loop.failed.connect(self._on_failed)
        if name == "rights":
            loop.progressed.connect(self._tell_progress)
        return loop

    def _is_free(self) -> bool:
        return not any(loop.is_moving for loop in self._loops.values())

    def _next_turn(self, after: str) -> None:
        """The studies take turns: the others come before the one that has just answered."""
        for name in sorted(self._loops, key=lambda one: one == after):
            self._loops[name].go_on()

    def _tell_progress(self, fraction: float) -> None:
        self.card.tell(f"{tr('live.beginning')} {round(100 * fraction)} %")

    def _on_failed(self, error: BaseException) -> None:
        if isinstance(error, UserError):
            self.card.tell_error(error)
            self._place_card()
        else:
            self.stop()
            self.bench.notices.report(error)

    # ---- following

    def move(self, mesh: Mesh) -> None:
        """The building stands elsewhere."""
        for loop in self._loops.values():
            loop.ask(mesh)
        if self.answer is not None:
            self.card.mark_waiting()

    def _on_answer(self, name: str, answer: RightsAnswer | LiveGround, seconds: float) -> None:
        if self._picture is None:
            from app.view.live_layers import LiveLayers

            self._picture = LiveLayers(self.window.viewport)
        self.seconds[name] = seconds
        if isinstance(answer, RightsAnswer):
            self.answer = answer
            self._picture.show_windows(answer)
            self.card.show_answer(answer, waiting=not self._loops[name].resting)
            self._place_card()
        else:
            self.ground, self.card.open_hours = answer, answer.top
            self._picture.show_ground(answer)
        self.answered.emit(answer)

    # ---- what the card asks for

    def _select(self, window: LostWindow) -> None:
        """Look at a window of the list; its building is marked."""
        low, high = (tuple(v + sign * NEAR for v in window.centre) for sign in (-1, 1))
        self.bench.look_at(Bounds(low, high))  # type: ignore[arg-type]
        ref = ref_of(tuple(self.document.scene), window.building)
        if ref is not None:
            self.document.selection.set([ref])

    def keep(self) -> None:
        """The studies in full on the alternative that is shown, as results like any other."""
        setup = self._setup
        if setup is None:
            return
        active = self.document.alternatives.active
        for wanted in setup.studies:
            self.bench.run(wanted.analysis, wanted.params, chosen=wanted.chosen, alternatives=[active])

    def _place_card(self) -> None:
        self.card.place(EDGE)

    def refresh_words(self) -> None:
        """The language has changed."""
        if self.answer is not None and self.card.isVisible():
            self.card.show_answer(self.answer, waiting=not self.resting)

    def refresh_theme(self) -> None:
        """The colours have changed."""
        if self.answer is not None:
            self.card.show_answer(self.answer, waiting=not self.resting)

    def release(self) -> None:
        """The window closes."""
        self.stop()
        self._forget()
        self._connections.close()
