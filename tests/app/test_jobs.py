"""Jobs: ends on the main thread, cancel, newest wins, nothing left running."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("PySide6")

from app.jobs import Job, JobQueue, JobState, StallMeter
from geo.model import Feedback, UserError


@pytest.fixture
def queue(qapp: Any) -> Iterator[JobQueue]:
    made = JobQueue()
    yield made
    assert made.shutdown()


def wait_until_cancelled(feedback: Feedback) -> None:
    while True:
        feedback.step(0.1, "waiting")
        time.sleep(0.002)


def test_work_runs_beside_and_the_answer_comes_back_to_the_main_thread(queue: JobQueue, qtbot: Any) -> None:
    threads: list[threading.Thread] = []

    def work(feedback: Feedback) -> int:
        threads.append(threading.current_thread())
        return 7

    answers: list[tuple[int, threading.Thread]] = []
    job = queue.submit(work, title="seven", done=lambda n: answers.append((n, threading.current_thread())))
    qtbot.waitUntil(lambda: job.is_over)
    assert answers == [(7, threading.main_thread())]
    assert threads[0] is not threading.main_thread()
    assert job.state is JobState.DONE


def test_progress_is_shown_while_it_runs(queue: JobQueue, qtbot: Any) -> None:
    go_on = threading.Event()

    def work(feedback: Feedback) -> None:
        feedback.step(0.4, "half way")
        go_on.wait(5)

    job = queue.submit(work, title="slow")
    qtbot.waitUntil(lambda: job.fraction == 0.4 and job.message == "half way")
    go_on.set()
    qtbot.waitUntil(lambda: job.is_over)
    assert job.fraction == 1.0


def test_a_cancelled_job_gives_nothing(queue: JobQueue, qtbot: Any) -> None:
    answers: list[object] = []
    job = queue.submit(wait_until_cancelled, title="endless", done=answers.append)
    qtbot.waitUntil(lambda: job.state is JobState.RUNNING)
    job.cancel()
    qtbot.waitUntil(lambda: job.is_over)
    assert job.state is JobState.CANCELLED
    assert answers == []


def test_an_answer_after_the_cancel_is_dropped(queue: JobQueue, qtbot: Any) -> None:
    started, go_on, answers = threading.Event(), threading.Event(), []

    def deaf(feedback: Feedback) -> int:
        started.set()
        go_on.wait(5)
        return 1

    job = queue.submit(deaf, title="deaf", done=answers.append)
    assert started.wait(5)
    job.cancel()
    go_on.set()
    qtbot.waitUntil(lambda: job.is_over)
    assert job.state is JobState.CANCELLED
    assert answers == []


def test_of_one_key_the_newest_wins(queue: JobQueue, qtbot: Any) -> None:
    answers: list[int] = []
    first = queue.submit(wait_until_cancelled, title="1", key="sun", done=answers.append)
    qtbot.waitUntil(lambda: first.state is JobState.RUNNING)
    jobs: list[Job] = [queue.submit(lambda _f, n=n: n, title=str(n), key="sun", done=answers.append) for n in (2, 3, 4)]
    qtbot.waitUntil(lambda: jobs[-1].is_over)
    assert answers == [4]
    assert [job.state for job in (first, *jobs)] == [JobState.CANCELLED] * 3 + [JobState.DONE]


def test_an_error_reaches_the_one_who_asked_else_the_queue(queue: JobQueue, qtbot: Any) -> None:
    error = UserError("a", "b", "c")

    def fail(feedback: Feedback) -> None:
        raise error

    mine: list[BaseException] = []
    with qtbot.assertNotEmitted(queue.failed):
        job = queue.submit(fail, title="fails", failed=mine.append)
        qtbot.waitUntil(lambda: job.is_over)
    assert mine == [error]
    with qtbot.waitSignal(queue.failed) as caught:
        queue.submit(fail, title="fails")
    assert caught.args[1] is error


def test_small_work_for_the_picture_does_not_wait_behind_long_jobs(queue: JobQueue, qtbot: Any) -> None:
    long = [queue.submit(wait_until_cancelled, title="long") for _ in range(3)]
    small = queue.submit(lambda _f: 1, title="small", shown=False)
    qtbot.waitUntil(lambda: small.is_over)
    assert long[2].state is JobState.WAITING
    assert len(queue.jobs) == 3
    queue.cancel_all()
    qtbot.waitUntil(lambda: not queue.busy)


def test_shutdown_leaves_no_thread_and_emits_nothing(qapp: Any, qtbot: Any) -> None:
    queue = JobQueue()
    ends: list[object] = []
    job = queue.submit(wait_until_cancelled, title="endless", done=ends.append)
    job.ended.connect(lambda: ends.append("ended"))
    qtbot.waitUntil(lambda: job.state is JobState.RUNNING)
    assert queue.shutdown()
    assert not [t for t in threading.enumerate() if t.name.startswith("job ")]
    qapp.processEvents()
    assert ends == []
    with pytest.raises(RuntimeError):
        queue.submit(lambda _f: 1, title="too late")


def test_ten_thousand_reports_do_not_hold_up_the_window(queue: JobQueue, qtbot: Any) -> None:
    def chatty(feedback: Feedback) -> None:
        for number in range(10_000):
            feedback.step(number / 10_000, str(number))

    meter = StallMeter()
    meter.start()
    job = queue.submit(chatty, title="chatty")
    qtbot.waitUntil(lambda: job.is_over, timeout=20_000)
    stall = meter.stop()
    print(f"longest stall with 10,000 reports: {stall * 1000:.0f} ms")
    assert meter.worked_s < 0.3


def test_the_stall_meter_sees_a_stall(qapp: Any, qtbot: Any) -> None:
    meter = StallMeter()
    meter.start()
    qtbot.wait(30)
    time.sleep(0.15)
    assert meter.stop() >= 0.1


def test_cancelling_all_leaves_what_the_window_itself_needs(queue: JobQueue, qtbot: Any) -> None:
    done: list[object] = []
    hidden = queue.submit(lambda _feedback: 1, title="", shown=False, done=done.append)
    queue.cancel_all()
    qtbot.waitUntil(lambda: hidden.is_over, timeout=5000)
    assert done == [1]
