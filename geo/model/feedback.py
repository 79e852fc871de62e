"""Feedback: how long work tells its progress, hears that it should stop, and leaves notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from geo.model.errors import Cancelled, Issue
from geo.model.layer import Layer
from geo.model.session_store import SessionStore


class Feedback:
    """Progress in 0..1, cancellation and notes for one piece of work.

    Parameters
    ----------
    on_progress : callable(float, str), optional
        Receives the overall fraction and a short English message. Fractions never go back.
    is_cancelled : callable() -> bool, optional
        Asked at every `step`; when true, `Cancelled` is raised.
    on_partial : callable(sequence of Layer), optional
        Receives what there is of a result while the rest is still being made, to be looked at and thrown away.
    on_patience : callable(float or None), optional
        Told within how many seconds the next step is due.
    kept : SessionStore, optional
        Where runs of a session leave what later ones may begin with.

    Examples
    --------
    >>> seen = []
    >>> feedback = Feedback(on_progress=lambda fraction, message: seen.append(fraction))
    >>> half = feedback.part(0.0, 0.5)
    >>> half.step(1.0, "first half done")
    >>> seen
    [0.5]
    """

    def __init__(
        self,
        on_progress: Callable[[float, str], None] | None = None,
        is_cancelled: Callable[[], bool] | None = None,
        *,
        on_partial: Callable[[Sequence[Layer]], None] | None = None,
        on_patience: Callable[[float | None], None] | None = None,
        kept: SessionStore | None = None,
    ) -> None:
        self._on_progress = on_progress
        self._is_cancelled = is_cancelled
        self._on_partial = on_partial
        self._on_patience = on_patience
        self._kept = kept
        self._start, self._stop = 0.0, 1.0
        self._root = self
        self._reached = 0.0
        self._issues: list[Issue] = []

    @property
    def cancelled(self) -> bool:
        """Whether the user has asked to stop."""
        return self._root._is_cancelled is not None and self._root._is_cancelled()

    @property
    def reached(self) -> float:
        """The overall fraction reported last."""
        return self._root._reached

    @property
    def issues(self) -> tuple[Issue, ...]:
        """Notes left so far."""
        return tuple(self._root._issues)

    def step(self, fraction: float, message: str = "") -> None:
        """Report the fraction done of this part and stop if the user asked to. Raises `Cancelled`."""
        root = self._root
        if self.cancelled:
            raise Cancelled
        overall = self._start + (self._stop - self._start) * min(max(fraction, 0.0), 1.0)
        root._reached = max(root._reached, overall)
        if root._on_progress is not None:
            root._on_progress(root._reached, message)

    @property
    def wants_partial(self) -> bool:
        """Whether anybody looks at parts of a result."""
        return self._root._on_partial is not None

    def partial(self, layers: Sequence[Layer]) -> None:
        """Show layers that are part of the result, before it is whole. Each call brings what is new since the last."""
        if self._root._on_partial is not None:
            self._root._on_partial(layers)

    @property
    def kept(self) -> SessionStore | None:
        """What earlier runs of this session left; None where nothing is kept (command line): the whole work is done."""
        return self._root._kept

    def patience(self, seconds: float | None) -> None:
        """Say within how many seconds from now on a step follows another; a longer silence is a hang. None: unknown."""
        if self._root._on_patience is not None:
            self._root._on_patience(seconds)

    def part(self, start: float, stop: float) -> Feedback:
        """A Feedback for a sub-task that fills `start`..`stop` of this one."""
        child = Feedback()
        span = self._stop - self._start
        child._start, child._stop = self._start + span * start, self._start + span * stop
        child._root = self._root
        return child

    def note(self, issue: Issue) -> None:
        """Leave an issue for the result or the import report."""
        self._root._issues.append(issue)
