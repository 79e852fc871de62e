"""How many processors the kernels may take."""

from __future__ import annotations

import os

LIMIT = "TWIN_THREADS"  # environment variable: at most so many; empty or 0 for all


def processors() -> int:
    """Processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def thread_count() -> int:
    """Processors the kernels take: all of the process, or fewer where the user wants some left."""
    told = os.environ.get(LIMIT, "")
    return min(processors(), int(told)) if told.isdigit() and int(told) > 0 else processors()
