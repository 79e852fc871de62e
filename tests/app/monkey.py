"""A user who does anything at any time: random actions in the real window, repeatable by their seed."""

from __future__ import annotations

import faulthandler
import json
import logging
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction, QDrag
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from app import project_file
from app.demo import PROJECT
from app.document import Document
from app.main_window import MainWindow
from geo.model import Feedback
from tests.app import monkey_world, tiny_city
from tests.app.document_state import difference, state_of
from tests.app.monkey_answers import pump
from tests.app.monkey_hands import Hands
from tests.app.monkey_marks import CpuMeter, Marks

REMEMBERED = 40
PATIENCE_S = 120.0  # a busy machine compiles what it runs first for a long time, and is not stopped in that
WORST = 5
HISTORY_KEPT = 200
HELD_UP_S = 60.0  # after this all threads say where they are
LOOK_MS = 250
# How often it is done when its turn has come: what ends the window, and what is slow to draw without a graphics card.
RARE = {"quit": 0.3, "new": 0.5, "sample": 0.5, "quality_fine": 0.2}


class _Errors(logging.Handler):
    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self.tell = tell
        self.warnings: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "app.notices":  # these come as reports of bugs
            return
        if record.levelno >= logging.ERROR:
            self.tell(f"log {record.name}: {self.format(record)}")
        else:
            self.warnings[f"{record.name}: {record.getMessage()}"[:200]] += 1


class Monkey(Hands):
    """Does random things and writes down what went wrong.

    Attributes
    ----------
    done : list of str
        What was done, in order.
    faults : list of (int, str)
        Number of the action and what went wrong in it.
    stalls : list of (float, float, str)
        Longest gap of the event loop during each action: processor time of the main thread, and on the clock [s].
    times : list of (float, str)
        How long each action took in all [s].
    """

    def __init__(self, window: MainWindow, seed: int, folder: Path, monkeypatch: Any) -> None:
        self.window, self.seed, self.folder, self._patches = window, seed, folder, monkeypatch
        self.done: list[str] = []
        self.faults: list[tuple[int, str]] = []
        self.stalls: list[tuple[float, float, str]] = []
        self.times: list[tuple[float, str]] = []
        self.marks = Marks()
        self.random = random.Random(seed)
        self._first, self._opened = window, 0
        self._cleared = False
        self._files = monkey_world.write_files(folder)
        self._sample = _sample_of(window.document, folder)
        self._errors = _Errors(self._fault)
        self._meter = CpuMeter()
        self._story = (folder / "story.txt").open("w", encoding="utf-8")  # the last line stays when the program crashes
        self._left_open: object = None
        self._held = threading.Timer(HELD_UP_S, lambda: None)
        self._watchman = QTimer()
        self._watchman.setInterval(LOOK_MS)
        self._watchman.timeout.connect(self._look)
        self.answer_the_system(monkeypatch)
        self._take(window)
        self.start = state_of(window.document)

    def _take(self, window: MainWindow) -> None:
        """Watch a window: its actions, and whether its document is begun anew."""
        self.window = window
        self.marks.watch(window)
        document, clear, bench = window.document, window.document.clear, window.bench

        def cleared() -> None:
            clear()
            self._cleared = True

        def sample() -> None:
            bench._show_sample(project_file.load(self._sample, Feedback()))

        self._patches.setattr(document, "clear", cleared)
        self._patches.setattr(bench, "make_sample", sample)
        bench.notices.install_hooks()
        bench.notices.bug_found.connect(self._fault)

    def _leave(self, window: MainWindow) -> None:
        window.bench.notices.bug_found.disconnect(self._fault)
        window.bench.notices.remove_hooks()

    def _look(self) -> None:
        """What holds up the program: a menu until something is chosen, a text or row that is carried about."""
        QDrag.cancel()
        popup = QApplication.activePopupWidget()
        held, self._left_open = popup is not None and popup is self._left_open, popup
        if held:  # not from within this timer, which would not come again before the answer is over
            QTimer.singleShot(0, self.answer_menu)

    def say(self, text: str) -> None:
        """Write down what is being done, at once."""
        super().say(text)
        self._story.write(f" {text}")
        self._story.flush()

    def old_file(self) -> Path:
        """One of the files that came with the world, or a project saved meanwhile."""
        projects = sorted(self.folder.glob("*.twin"))
        return self.random.choice([*self._files, *projects])

    def is_never_done(self, action: QAction) -> bool:
        """What ends the program or the document is done at times only."""
        share = RARE.get(action.objectName().removeprefix("action_"), 1.0)
        return share < 1.0 and self.random.random() > share

    def _fault(self, text: str) -> None:
        self.faults.append((len(self.done), text))
        if not self._story.closed:
            self._story.write(f"\nFAULT {text}\n")
            self._story.flush()

    # ---- the run --------------------------------------------------

    def run(self, count: int, *, limit_s: float, check_each: int = 50, stop_at_fault: bool = True) -> None:
        """Do so many things; now and then, and at the end, undo everything and compare with the start.

        limit_s : float
            After this time it comes to an end, however many were done [s].
        """
        until = time.monotonic() + limit_s
        logging.getLogger().addHandler(self._errors)
        self._watchman.start()
        try:
            for number in range(1, count + 1):
                self._step(number)
                over = number == count or time.monotonic() > until or bool(self.faults and stop_at_fault)
                if number % check_each == 0 or over:
                    self._try_history()
                if over:
                    break
            self._tidy()
        finally:
            self._held.cancel()
            self._watchman.stop()
            self._story.close()
            figures = {"hits": self.marks.hits, "seen": sorted(self.marks.seen), "gaps": self.stalls}
            (self.folder / "marks.json").write_text(json.dumps(figures), encoding="utf-8")
            logging.getLogger().removeHandler(self._errors)
            if self.window is self._first:
                self._leave(self.window)

    def _watch_step(self) -> None:
        """Say where everybody is when a step takes very long.

        On a thread that waits for the interpreter: `faulthandler.dump_traceback_later` does not, and reading the calls
        of a thread that runs has ended the whole program.
        """
        self._held.cancel()
        self._held = threading.Timer(HELD_UP_S, faulthandler.dump_traceback, kwargs={"file": sys.__stderr__})
        self._held.daemon = True
        self._held.start()

    def _step(self, number: int) -> None:
        # Each action has luck of its own: that a job ended earlier or later does not change all that follows.
        self.random = random.Random(self.seed * 1_000_003 + number)
        acts = (
            *[self.act] * 4,
            *[self.mouse] * 3,
            *[self.poke] * 5,
            *[self.touch] * 2,
            *[self.select] * 2,
            *(self.key, self.key, self.select, self.study, self.undo, self.hide_or_show, self.context, self.escape),
            *(self.shortcut, self.menu_bar, self.drop, self.odd_time, self.size),
        )
        act = self.random.choice(acts)
        self.marks.look(self.window)
        self.done.append(act.__name__)
        self._story.write(f"\n{number}: {act.__name__}")
        self._watch_step()
        self._meter.start()
        began = time.monotonic()
        try:
            act()
            pump(15)
            self.answer()
        except Exception as error:  # noqa: BLE001 - a mistake outside of Qt's loop is one too
            self.window.bench.notices.report(error)
        if len(self.window.bench.jobs.running) > 2 or self.random.random() < 0.1:
            self.marks.hit("cancel all jobs")
            self.window.bench.jobs.cancel_all()
        name = f"{number}: {self.done[-1][:150]}"
        self.stalls.append((*self._meter.stop(), name))
        self.times.append((time.monotonic() - began, name))
        if not self.window._is_open:
            self._open_again()
        if self._cleared:
            self._begin_again()

    def _open_again(self) -> None:
        """The window was closed, with whatever ran in it: nothing is left of it, and there is a new one."""
        old = self.window
        self.done[-1] += " CLOSED"
        self.marks.hit("window closed")
        for other in QApplication.topLevelWidgets():
            if isValid(other) and other is not old and other.isVisible():
                other.close()
        pump(50)
        alive = [thread.name for thread in threading.enumerate() if thread.name.startswith("job ")]
        if alive:
            self._fault(f"threads of a closed window: {alive}")
        self._leave(old)
        self._opened += 1
        made = MainWindow(Document(), old.settings)
        if old is not self._first:
            old.deleteLater()
        made.resize(900, 600)
        made.show()
        self._take(made)
        self._cleared = True

    def _begin_again(self) -> None:
        """After a new or another project: the small city, or nothing for a while; a start to come back to."""
        self.settle()
        self._cleared = False
        if not len(self.window.document.scene) and self.random.random() < 0.7:
            fill = self.random.choice((tiny_city.fill, monkey_world.fill, monkey_world.fill))
            fill(self.window.document)
            self.window.bench.document_opened.emit()
        self.window.document.history.clear()
        self.start = state_of(self.window.document)

    def settle(self) -> bool:
        """Until nothing runs; what does not stop is a fault."""
        jobs, until = self.window.bench.jobs, time.monotonic() + PATIENCE_S
        self.window.timeline.set_playing(False)  # days that pass by are asked for one after the other
        jobs.cancel_all()
        pump(350)
        while jobs.busy and time.monotonic() < until:
            jobs.cancel_all()
            pump(50)
        if jobs.busy:
            self._fault(f"jobs left running: {[job.title for job in jobs._jobs if not job.is_over]}")
        return not jobs.busy

    def _try_history(self) -> None:
        try:
            self._check_history()
        except Exception as error:  # noqa: BLE001 - a step that cannot be undone is a fault, and not the end
            titles = [command.title for command, _ in self.window.document.history._done]
            self._fault(f"undoing or redoing fails: {error!r} after {titles}")
            self.window.document.clear()

    def _check_history(self) -> None:
        """Undo to the start, and redo what was undone."""
        self._leave_tools()
        self.settle()
        self.answer()
        if not self.window._is_open:
            self._open_again()
        if self._cleared or not len(self.window.document.scene):
            self._cleared = True
            self._begin_again()
        document = self.window.document
        before, whole = state_of(document), len(document.history._done) < HISTORY_KEPT
        steps: list[str] = []
        while document.history.undo_title is not None:
            steps.append(document.history.undo_title)
            document.history.undo()
        if whole and (wrong := difference(self.start, state_of(document))):
            self._fault(f"undoing everything does not give the start: {wrong} after {steps[::-1]}")
        self.start = state_of(document)
        for _ in steps:
            document.history.redo()
        if wrong := difference(before, state_of(document)):
            self._fault(f"redoing everything does not give the end: {wrong} after {steps[::-1]}")
        while self.random.random() < 0.9 and document.history.undo_title is not None:
            document.history.undo()
        pump(20)

    def _leave_tools(self) -> None:
        for _ in range(3):
            QTest.keyClick(self.window.viewport, Qt.Key.Key_Escape)
            pump(10)

    def _tidy(self) -> None:
        """Close what was opened beside the window, and the windows that came after the first."""
        self._leave_tools()
        self.answer()
        self.settle()
        for widget in QApplication.topLevelWidgets():
            if isValid(widget) and widget is not self.window and widget.isVisible():
                widget.close()
        self.settle()
        self.answer()
        if self.window is not self._first:
            self._leave(self.window)
            self.window._close_now()
            self.window.deleteLater()
            pump(20)

    # ---- words --------------------------------------------------

    def words(self) -> str:
        """The longest gaps of the event loop, the longest actions, what was never touched, what was warned of."""
        gaps = sorted(self.stalls, reverse=True)[:WORST]
        rows = [f"{len(self.done)} actions, seed {self.seed}, windows closed {self._opened}; longest gaps:"]
        rows += [f"{cpu:6.2f} s of the main thread, {wall:6.2f} s on the clock  {what}" for cpu, wall, what in gaps]
        rows += ["longest actions:"]
        rows += [f"{seconds:6.2f} s  {what}" for seconds, what in sorted(self.times, reverse=True)[:WORST]]
        rows += [self.marks.words(self.window)]
        rows += [f"warned {count} times: {text}" for text, count in self._errors.warnings.most_common(12)]
        return "\n".join(rows)

    def story(self) -> str:
        """What is needed to do it again: what came before each fault."""
        at = self.faults[0][0] if self.faults else len(self.done)
        first = max(0, at - REMEMBERED)
        last = "\n".join(f"  {first + n + 1}: {text}" for n, text in enumerate(self.done[first : at + 1]))
        faults = "\n".join(f"at {number}: {text}" for number, text in self.faults)
        return f"seed {self.seed}, the actions before the first fault:\n{last}\n{faults}"


def _sample_of(document: Document, folder: Path) -> Path:
    """A project like the sample's, but small."""
    target = folder / "sample" / PROJECT
    target.parent.mkdir()
    project_file.save(document.snapshot(), target)
    project_file.save(document.snapshot(), folder / "first.twin")
    project_file.save(monkey_world.other_city(), folder / "other.twin")
    return target
