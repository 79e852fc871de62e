"""Gaps of the event loop, with what was being done, the stack of the main thread and its share of processor time."""

from __future__ import annotations

import faulthandler
import gc
import re
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import IO

from PySide6.QtCore import QTimer

BEAT_MS = 5
LOOK_S = 0.02
LONG_S = 0.2
FRAMES_SHOWN = 5
THREAD = re.compile(r"^(?:Current thread|Thread) (0x[0-9a-f]+)")
CALL = re.compile(r'^  File "(.+)", line (\d+|\?\?\?) in (.+)$')

Call = tuple[str, str, str]  # file, line, function


@dataclass
class Gap:
    """One time in which the window did not answer.

    Attributes
    ----------
    doing : str
    wall_s, cpu_s : float
        Length, and how much of it the main thread itself worked: the machine may be shared.
    all_s : float
        What all threads of this program worked in it: where that is little, the program was not let run.
    drawing_s : float
        Share of `wall_s` that VTK drew a frame (software GL draws with threads of its own besides).
    where : Counter
        Seconds by innermost places of the program's own code.
    """

    doing: str
    wall_s: float
    cpu_s: float
    all_s: float
    drawing_s: float
    where: Counter[str] = field(default_factory=Counter)

    def text(self) -> str:
        """The figures in one line and the places under it."""
        places = [f"\n      {seconds:5.2f} s  {place}" for place, seconds in self.where.most_common(5)]
        rest = max(self.wall_s - self.drawing_s, 0.0)
        return (
            f"{self.wall_s:6.2f} s (main thread worked {self.cpu_s:5.2f} s, all threads {self.all_s:5.2f} s; "
            f"drawing {self.drawing_s:5.2f} s, the rest {rest:5.2f} s)  {self.doing}{''.join(places)}"
        )


class GapWatch:
    """A heart beat in the event loop, and a thread that looks at the main thread's stack when the heart stands still.

    Parameters
    ----------
    render_windows : list of vtkRenderWindow
        Their frames are timed to the end: software GL would else go on drawing after it has said that it is done.

    Attributes
    ----------
    doing : str
        What the user does just now.
    gaps : list of Gap
        Those longer than `LONG_S`.
    """

    def __init__(self, render_windows: list[object]) -> None:
        self.doing = ""
        self.gaps: list[Gap] = []
        self.longest: dict[str, float] = {}
        self.frames = 0
        self._main = threading.main_thread().ident
        self._where: Counter[str] = Counter()
        self._drawing_s = self._drawing_since = self._rubbish_since = 0.0
        self._last, self._last_cpu, self._last_all = time.perf_counter(), time.thread_time(), time.process_time()
        self._over = threading.Event()
        for window in render_windows:
            window.AddObserver("StartEvent", self._frame_begins)  # type: ignore[attr-defined]
            window.AddObserver("EndEvent", self._frame_ends)  # type: ignore[attr-defined]
        self._timer = QTimer()
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._beat)
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._last, self._last_cpu, self._last_all = time.perf_counter(), time.thread_time(), time.process_time()
        gc.callbacks.append(self._on_rubbish)
        self._timer.start()
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._beat()
        gc.callbacks.remove(self._on_rubbish)
        self._timer.stop()
        self._over.set()
        self._thread.join()

    def worst(self, count: int = 5) -> list[Gap]:
        """The longest gaps."""
        return sorted(self.gaps, key=lambda gap: -gap.wall_s)[:count]

    def _beat(self) -> None:
        now, cpu, everyone = time.perf_counter(), time.thread_time(), time.process_time()
        gap = now - self._last - BEAT_MS / 1000
        self.longest[self.doing] = max(self.longest.get(self.doing, 0.0), gap)
        if gap > LONG_S:
            worked, all_worked = cpu - self._last_cpu, everyone - self._last_all
            self.gaps.append(Gap(self.doing, gap, worked, all_worked, self._drawing_s, self._where))
        self._where, self._drawing_s = Counter(), 0.0
        self._last, self._last_cpu, self._last_all = now, cpu, everyone

    def _on_rubbish(self, phase: str, told: dict[str, int]) -> None:
        """The collection of rubbish keeps the interpreter, in whichever thread it begins."""
        if phase == "start":
            self._rubbish_since = time.perf_counter()
        else:
            self._where[f"collection of rubbish, generation {told['generation']}"] += (
                time.perf_counter() - self._rubbish_since
            )

    def _frame_begins(self, _window: object, _event: str) -> None:
        self._drawing_since = time.perf_counter()

    def _frame_ends(self, window: object, _event: str) -> None:
        window.WaitForCompletion()  # type: ignore[attr-defined]
        self.frames += 1
        self._drawing_s += time.perf_counter() - self._drawing_since

    def _watch(self) -> None:
        """On its own thread: a look each few milliseconds, that counts for the time since the look before.

        A call into C++ that keeps the interpreter is seen when it returns, and gets all its time then.
        """
        before = time.perf_counter()
        with tempfile.TemporaryFile() as paper:
            while not self._over.wait(LOOK_S):
                now = time.perf_counter()
                if now - self._last > 2 * LOOK_S and self._main is not None:
                    seconds = now - max(before, self._last)
                    stacks = _stacks(paper)
                    self._where[_place(stacks.get(self._main, []))] += seconds
                    if seconds > LONG_S:  # the interpreter was not given to us either: who has it?
                        self._blame(stacks, seconds)
                before = now

    def _blame(self, stacks: dict[int, list[Call]], seconds: float) -> None:
        """Note what the other threads are at that kept the interpreter."""
        for number in stacks.keys() - {self._main, threading.get_ident()}:
            self._where[f"beside it: {_place(stacks[number])}"] += seconds


def _stacks(paper: IO[bytes]) -> dict[int, list[Call]]:
    """The calls of each thread, innermost first, by its number.

    Written by the interpreter's own fault handler, which holds no frame: one that `sys._current_frames` gave would be
    let go of here, and with it the painters and VTK objects of the window, if its call has ended meanwhile.
    """
    paper.seek(0)
    paper.truncate()
    faulthandler.dump_traceback(paper.fileno())
    paper.seek(0)
    stacks: dict[int, list[Call]] = {}
    calls: list[Call] = []
    for line in paper.read().decode(errors="replace").splitlines():
        if head := THREAD.match(line):
            calls = stacks.setdefault(int(head[1], 16), [])
        elif call := CALL.match(line):
            calls.append((call[1], call[2], call[3]))
    return stacks


def _place(calls: list[Call]) -> str:
    """The innermost calls of the program's own code."""
    places = [
        f"{name.rsplit('/', 1)[1]}:{line} {function}"
        for name, line, function in calls
        if "/app/" in name or "/geo/" in name or "/analysis/" in name
    ]
    return " < ".join(places[:FRAMES_SHOWN]) or "Qt itself (layout, painting, putting the frame on the screen)"
