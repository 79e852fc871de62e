"""Crew: shares the rows of a kernel among a few threads. What is computed does not depend on their number."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

from analysis.threads import thread_count

SMALLEST_SHARE = 20_000  # cells or list entries below which a second thread costs more than it brings


class Crew:
    """Threads for kernels of the form ``kernel(low, high, *arguments)`` that hold no interpreter lock.

    Parameters
    ----------
    threads : int
        0 takes all processors of the process.
    """

    def __init__(self, threads: int = 0) -> None:
        self.threads = threads or thread_count()
        self._pool = ThreadPoolExecutor(self.threads - 1) if self.threads > 1 else None

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def rows(self, kernel: Callable[..., None], shape: tuple[int, ...], *arguments: object) -> None:
        """Run a kernel over the inner rows (second axis) of an array with two ghost rows on either side."""
        self._run(kernel, 2, shape[1] - 2, shape[0] * shape[1] * shape[2], arguments)

    def items(self, kernel: Callable[..., None], count: int, *arguments: object) -> None:
        """Run a kernel over a list of `count` entries."""
        self._run(kernel, 0, count, count, arguments)

    def _run(self, kernel: Callable[..., None], low: int, high: int, size: int, arguments: tuple[object, ...]) -> None:
        shares = min(self.threads, max(size // SMALLEST_SHARE, 1), max(high - low, 1))
        if self._pool is None or shares == 1:
            if high > low:
                kernel(low, high, *arguments)
            return
        cuts = [low + (high - low) * n // shares for n in range(shares + 1)]
        others = [self._pool.submit(kernel, a, b, *arguments) for a, b in zip(cuts[1:-1], cuts[2:], strict=True)]
        kernel(cuts[0], cuts[1], *arguments)
        for other in others:
            other.result()
