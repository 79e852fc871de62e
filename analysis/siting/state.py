"""The best plan and the best bound so far, when they came, and when it is enough."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from analysis.siting.plan import UNBOUNDED, Moment, gap_of
from geo.model import Feedback

Whole = NDArray[np.int64]
Tell = Callable[[int, int], None]


class State:
    """What is known of a problem while it is being solved.

    Parameters
    ----------
    base : int
        Value that is there before anything is chosen; part of value and bound.
    seconds : float
        Time limit from now on.
    gap : float
        Enough when the bound is no further above the value, as a share of the bound.
    tell : callable(value, bound), optional
        Called when one of them gets better.
    """

    def __init__(
        self, *, base: int, seconds: float, gap: float, feedback: Feedback | None = None, tell: Tell | None = None
    ) -> None:
        self.base, self.gap = base, gap
        self.feedback = feedback or Feedback()
        self._tell = tell
        self._began = time.monotonic()
        self._seconds = seconds
        self.until = self._began + seconds
        self.value, self.bound = -UNBOUNDED, UNBOUNDED
        self.chosen: Whole = np.zeros(0, dtype=np.int64)
        self.history: list[Moment] = []

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    @property
    def out_of_time(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self.until

    @property
    def left(self) -> float:
        """Seconds until the time is over."""
        return max(self.until - time.monotonic(), 0.0)

    @property
    def gap_now(self) -> float:
        """Share by which the bound lies above the value."""
        return gap_of(self.base + self.value, self.base + self.bound)

    @property
    def enough(self) -> bool:
        """Whether the plan is as close to the bound as asked."""
        return self.bound <= self.value or self.gap_now <= self.gap

    @property
    def target(self) -> int:
        """The value at which the plan would be close enough to the bound."""
        if self.bound >= UNBOUNDED:
            return UNBOUNDED
        whole = self.base + self.bound
        return int(np.ceil(whole * (1.0 - self.gap) - 1e-9)) - self.base if whole > 0 else self.bound

    @property
    def watch(self) -> Feedback:
        """A feedback for work that only wants to hear whether it should stop."""
        now = min(self.elapsed / max(self._seconds, 1e-9), 0.99)
        return self.feedback.part(now, now)

    def share_of_time(self, share: float) -> float:
        """Until when (`time.monotonic`) a share of the time left lasts."""
        now = time.monotonic()
        return now + share * max(self.until - now, 0.0)

    def step(self, message: str) -> None:
        """Progress by the time that is gone; stops if the user asked to."""
        self.feedback.step(min(self.elapsed / max(self._seconds, 1e-9), 0.99), message)

    def offer(self, value: int, chosen: Whole) -> bool:
        """Keep a plan if it is the best."""
        if value <= self.value:
            return False
        self.value, self.chosen = value, np.sort(np.asarray(chosen, dtype=np.int64))
        self._note()
        return True

    def prove(self, bound: int) -> bool:
        """Keep a bound if it is the best."""
        bound = max(bound, self.value)
        if bound >= self.bound:
            return False
        self.bound = bound
        self._note()
        return True

    def _note(self) -> None:
        if self.value == -UNBOUNDED:
            return
        self.bound = max(self.bound, self.value)
        if self.bound < UNBOUNDED:
            self.history.append(Moment(self.elapsed, self.base + self.value, self.base + self.bound))
            if self._tell is not None:
                self._tell(self.base + self.value, self.base + self.bound)

    def stopped(self) -> str:
        """Why it is over."""
        if self.bound <= self.value:
            return "optimal"
        if self.enough:
            return "gap"
        return "time" if self.out_of_time else "settled"
