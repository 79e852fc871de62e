"""Gaps of the event loop, with what was being done, the stack of the main thread and its share of processor time."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import FrameType

from PySide6.QtCore import QTimer

BEAT_MS = 5
LOOK_S = 0.02
LONG_S = 0.2
FRAMES_SHOWN = 5
DRAWING = ("canvas.py", "slow_canvas.py", "rwi.py", "frames.py")  # innermost files of a frame being drawn


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
        while not self._over.wait(LOOK_S):
            now = time.perf_counter()
            if now - self._last > 2 * LOOK_S and self._main is not None:
                seconds = now - max(before, self._last)
                # Asked anew each time and never kept: a frame that is held keeps its painter open, and closes it here.
                self._where[_place(sys._current_frames().get(self._main))] += seconds
                if seconds > LONG_S:  # the interpreter was not given to us either: who has it?
                    self._blame(seconds)
            before = now

    def _blame(self, seconds: float) -> None:
        """Note what the other threads are at that kept the interpreter."""
        others = [one.ident for one in threading.enumerate() if one.ident not in (self._main, threading.get_ident())]
        for number in others:
            self._where[f"beside it: {_place(sys._current_frames().get(number))}"] += seconds


def _place(frame: FrameType | None) -> str:
    """The innermost calls of the program's own code."""
    places: list[str] = []
    while frame is not None and len(places) < FRAMES_SHOWN:
        name = frame.f_code.co_filename
        if "/app/" in name or "/geo/" in name or "/analysis/" in name:
            places.append(f"{name.rsplit('/', 1)[1]}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    return " < ".join(places) or "Qt itself (layout, painting, putting the frame on the screen)"
