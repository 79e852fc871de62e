"""Job and JobQueue: the only module that starts a thread.

Work gets frozen inputs and a `Feedback`, runs beside the window and returns new objects; its end comes back to the main
thread by a queued signal. Progress is looked at ten times a second rather than sent, so that work may report as often
as it likes.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from geo.model import Cancelled, Feedback, SessionStore, UserError

log = logging.getLogger(__name__)

Work = Callable[[Feedback], Any]
POLL_MS = 100
PARALLEL_JOBS = 2
ESTIMATE_AFTER_S = 1.0
ESTIMATE_FROM_FRACTION = 0.03
KEPT_JOBS = 50
CHILD_POLL_S = 0.1
WORKER_NICENESS = 5
SWITCH_S = 0.0005  # Python's own is ten times that: the window waits so long after each call that let the jobs run


class JobState(Enum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(QObject):
    """One piece of work beside the window.

    Signals
    -------
    progressed(), partial(object), done(object), failed(object), cancelled(), ended()
        All on the main thread. `ended` follows each of the three ends.
    """

    progressed = Signal()
    partial = Signal(object)
    done = Signal(object)
    failed = Signal(object)
    cancelled = Signal()
    ended = Signal()

    def __init__(
        self, work: Work, title: str, key: str, *, shown: bool, parent: QObject, kept: SessionStore | None = None
    ) -> None:
        super().__init__(parent)
        self.title = title
        self.key = key
        self.shown = shown
        self.brings = False
        self.state = JobState.WAITING
        self.fraction = 0.0
        self.message = ""
        self.seconds = 0.0
        self._work = work
        self._stop = threading.Event()
        self._latest: tuple[float, str] = (0.0, "")
        self._send: Callable[[Job, object], None] | None = None
        self._kept = kept
        self._started = 0.0

    @property
    def is_over(self) -> bool:
        """Whether it has come to one of its three ends."""
        return self.state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to stop and has not yet."""
        return self._stop.is_set() and not self.is_over

    @property
    def remaining_s(self) -> float | None:
        """Estimated seconds left, or None while nothing sensible can be said."""
        if self.state is not JobState.RUNNING or self.fraction < ESTIMATE_FROM_FRACTION:
            return None
        elapsed = time.monotonic() - self._started
        return elapsed * (1.0 - self.fraction) / self.fraction if elapsed > ESTIMATE_AFTER_S else None

    def cancel(self) -> None:
        """Ask it to stop; it ends at its next `Feedback.step`."""
        self._stop.set()

    def _report(self, fraction: float, message: str) -> None:
        self._latest = (fraction, message)

    def _pass_on(self, layers: object) -> None:
        """On the worker thread: what there is of the result, to the main thread."""
        if self._send is not None and not self._stop.is_set():
            self._send(self, layers)

    def _run(self) -> tuple[JobState, object]:
        """On the worker thread: the end it came to and what it brought."""
        try:
            result = self._work(Feedback(self._report, self._stop.is_set, on_partial=self._pass_on, kept=self._kept))
        except Cancelled:
            return JobState.CANCELLED, None
        except BaseException as error:  # noqa: BLE001 - every end of a job is told to the main thread
            return JobState.FAILED, error
        return (JobState.CANCELLED, None) if self._stop.is_set() else (JobState.DONE, result)

    def _look(self) -> None:
        if (self.fraction, self.message) != self._latest:
            self.fraction, self.message = self._latest
        self.seconds = time.monotonic() - self._started
        self.progressed.emit()


@dataclass(frozen=True)
class _End:
    job: Job
    state: JobState
    value: object


class JobQueue(QObject):
    """Runs jobs, two at a time. Of jobs with the same key one runs and the newest waits; older ones are cancelled.

    Signals
    -------
    changed()
        A job was added, has started, moved on or ended.
    failed(Job, object)
        A job ended with an error and nobody else handles it.

    Attributes
    ----------
    kept : SessionStore
        What runs leave for later ones.
    """

    changed = Signal()
    failed = Signal(object, object)
    _arrived = Signal(object)
    _brought = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.kept = SessionStore()
        sys.setswitchinterval(SWITCH_S)
        self._jobs: list[Job] = []
        self._threads: dict[Job, threading.Thread] = {}
        self._closed = False
        self._arrived.connect(self._receive, Qt.ConnectionType.QueuedConnection)
        self._brought.connect(self._receive_part, Qt.ConnectionType.QueuedConnection)
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Jobs to show, the newest last."""
        return tuple(job for job in self._jobs if job.shown)

    @property
    def is_closed(self) -> bool:
        """Whether it takes no more work."""
        return self._closed

    @property
    def busy(self) -> bool:
        """Whether anything waits or runs."""
        return any(not job.is_over for job in self._jobs)

    @property
    def running(self) -> tuple[Job, ...]:
        """Jobs that run or wait and are shown."""
        return tuple(job for job in self.jobs if not job.is_over)

    def submit(
        self,
        work: Work,
        *,
        title: str,
        key: str = "",
        shown: bool = True,
        brings: bool = False,
        done: Callable[[Any], None] | None = None,
        failed: Callable[[BaseException], None] | None = None,
    ) -> Job:
        """Put work in the queue.

        Parameters
        ----------
        work : callable(Feedback) -> object
        title : str
            In the user's language.
        key : str
            Newest wins among jobs of one key.
        shown : bool
            Whether the list of jobs shows it.
        brings : bool
            Whether its answer changes the document: it ends when that document is left.
        done, failed : callables, on the main thread
            Without `failed` the queue's own signal tells of an error.
        """
        if self._closed:
            raise RuntimeError("the job queue is closed")
        job = Job(work, title, key, shown=shown, parent=self, kept=self.kept)
        job.brings = brings
        if done is not None:
            job.done.connect(done)
        if failed is not None:
            job.failed.connect(failed)
        job.setProperty("handled", failed is not None)
        if key:
            self._retire(key)
        self._jobs.append(job)
        self._forget_old()
        self._start_waiting()
        self.changed.emit()
        return job

    def _retire(self, key: str) -> None:
        """Cancel what runs under a key and drop what waits."""
        for job in [j for j in self._jobs if j.key == key and not j.is_over]:
            job.cancel()
            if job.state is JobState.WAITING:
                self._finish(_End(job, JobState.CANCELLED, None))

    def _forget_old(self) -> None:
        over = [job for job in self._jobs if job.is_over]
        for job in over[: max(0, len(over) - KEPT_JOBS)]:
            self._jobs.remove(job)
            job.deleteLater()

    def _start_waiting(self) -> None:
        running = [job for job in self._jobs if job.state is JobState.RUNNING]
        for job in [j for j in self._jobs if j.state is JobState.WAITING]:
            # Small work for the picture has places of its own: it must not wait behind an import.
            if sum(other.shown == job.shown for other in running) >= PARALLEL_JOBS:
                continue
            if job.is_stopping:
                self._finish(_End(job, JobState.CANCELLED, None))
            elif not (job.key and any(other.key == job.key for other in running)):
                self._start(job)
                running.append(job)

    def _start(self, job: Job) -> None:
        job.state = JobState.RUNNING
        job._send = self._send_part
        job._started = time.monotonic()
        thread = threading.Thread(target=self._work, args=(job,), name=f"job {job.title}", daemon=True)
        self._threads[job] = thread
        thread.start()
        if not self._timer.isActive():
            self._timer.start()

    def _work(self, job: Job) -> None:
        """On the worker thread."""
        _stand_back()
        state, value = job._run()
        try:
            self._arrived.emit(_End(job, state, value))
        except RuntimeError:
            log.info("the window closed before '%s' came back", job.title)

    def _send_part(self, job: Job, layers: object) -> None:
        """On the worker thread."""
        with contextlib.suppress(RuntimeError):  # the window has closed
            self._brought.emit(job, layers)

    def _receive_part(self, job: Job, layers: object) -> None:
        if not self._closed and not job.is_over and not job.is_stopping:
            job.partial.emit(layers)

    def _receive(self, end: _End) -> None:
        thread = self._threads.pop(end.job, None)
        if thread is not None:
            thread.join()
        if not self._closed:
            self._finish(end)
            self._start_waiting()
            self.changed.emit()
        if not self._threads:
            self._timer.stop()

    def _finish(self, end: _End) -> None:
        job, state = end.job, end.state
        # An answer that came after the user asked to stop, or after a newer request, is not shown.
        if state is JobState.DONE and job._stop.is_set():
            state = JobState.CANCELLED
        job.state = state
        job._work = _nothing
        if state is JobState.DONE:
            job.fraction = 1.0
            job.done.emit(end.value)
        elif state is JobState.FAILED:
            job.failed.emit(end.value)
            if not job.property("handled"):
                self.failed.emit(job, end.value)
        else:
            job.cancelled.emit()
        job.ended.emit()

    def _poll(self) -> None:
        for job in self._threads:
            job._look()
        self.changed.emit()

    def cancel_all(self) -> None:
        """Ask everything to stop that the user knows of; what the window itself needs goes on."""
        for job in self._jobs:
            if job.shown and not job.is_over:
                job.cancel()
        self._start_waiting()

    def abandon(self) -> None:
        """The document is left: what would come into it must not come into the next one."""
        for job in self._jobs:
            if job.brings and not job.is_over:
                job.cancel()
        self._start_waiting()

    def clear_finished(self) -> None:
        """Take finished jobs off the list."""
        for job in [j for j in self._jobs if j.is_over]:
            self._jobs.remove(job)
            job.deleteLater()
        self.changed.emit()

    def shutdown(self, timeout_s: float = 20.0) -> bool:
        """Cancel everything and wait for the threads; True when none is left. No signal is emitted after this."""
        self._closed = True
        self._timer.stop()
        for job in self._jobs:
            job.cancel()
        until = time.monotonic() + timeout_s
        for thread in self._threads.values():
            thread.join(max(0.0, until - time.monotonic()))
        alive = [thread.name for thread in self._threads.values() if thread.is_alive()]
        for name in alive:
            log.error("%s did not stop within %.0f s", name, timeout_s)
        self._threads.clear()
        return not alive


def _nothing(feedback: Feedback) -> None:
    """In place of finished work, so that its inputs can be freed."""


def _stand_back() -> None:
    """Let the window have the processor first, where threads have priorities of their own."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), WORKER_NICENESS)


class StallMeter(QObject):
    """Longest gap of the event loop: a timer that should fire each few milliseconds, and how late it was at worst.

    Attributes
    ----------
    longest_s : float [s]
        As a user would wait; other programs on the machine count.
    worked_s : float [s]
        The most that this thread itself worked in one gap: what the program can be blamed for.
    """

    INTERVAL_MS = 5

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(self.INTERVAL_MS)
        self._timer.timeout.connect(self._tick)
        self._last = self._last_cpu = 0.0
        self.longest_s = self.worked_s = 0.0

    def start(self) -> None:
        """Begin anew."""
        self.longest_s = self.worked_s = 0.0
        self._last, self._last_cpu = time.perf_counter(), time.thread_time()
        self._timer.start()

    def stop(self) -> float:
        """End, and give the longest gap [s]."""
        self._tick()
        self._timer.stop()
        return self.longest_s

    def _tick(self) -> None:
        now, cpu = time.perf_counter(), time.thread_time()
        self.longest_s = max(self.longest_s, now - self._last - self.INTERVAL_MS / 1000.0)
        self.worked_s = max(self.worked_s, cpu - self._last_cpu)
        self._last, self._last_cpu = now, cpu


def run_program(arguments: Sequence[str], feedback: Feedback, *, message: str) -> str:
    """Run this program's own command line in a child process from within a job; returns what it wrote.

    Pictures for a report are drawn there: an OpenGL context must not be made in a thread beside the window's.
    Raises `UserError` with what the child said when it ends with status 2, `RuntimeError` for any other failure.
    """
    feedback.step(0.05, message)
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[1],
        text=True,
        encoding="utf-8",
    )
    try:
        while True:
            try:
                out, err = process.communicate(timeout=CHILD_POLL_S)
                break
            except subprocess.TimeoutExpired:
                feedback.step(0.1, message)
    except Cancelled:
        process.kill()
        process.communicate()
        raise
    if process.returncode == 0:
        return out
    if process.returncode == 2:
        raise UserError(*_three_lines(err), code="window.child")
    raise RuntimeError(err.strip() or f"the child process ended with status {process.returncode}")


def _three_lines(text: str) -> tuple[str, str, str]:
    """What, why and what to do from the words of the command line."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()] or ["The command failed."]
    return lines[0], " ".join(lines[1:-1]), lines[-1] if len(lines) > 1 else ""
