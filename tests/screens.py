"""A virtual screen for each process of the tests, so that windows of two processes never take each other's keys."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys

import psutil

PROCESSES_AT_MOST = 4  # a window on the sample district takes 2 GB
TRIES = 5
SCREEN = ("-screen", "0", "1600x1000x24", "+extension", "GLX", "-nolisten", "tcp")


def is_worker() -> bool:
    """Whether this is one of several processes that share the tests."""
    return "PYTEST_XDIST_WORKER" in os.environ


def own_screen() -> None:
    """Starts a virtual screen that lives as long as this process; does nothing where there is no Xvfb."""
    server = shutil.which("Xvfb") if sys.platform == "linux" else None
    for _ in range(TRIES if server else 0):
        number = _started(str(server))
        if number:
            os.environ["DISPLAY"] = f":{number}"
            os.environ.pop("WAYLAND_DISPLAY", None)
            os.environ.pop("XAUTHORITY", None)
            return


def _started(server: str) -> str:
    """The number of a new screen; empty where another process took that number at the same moment."""
    reading, writing = os.pipe()
    screen = subprocess.Popen(
        [server, "-displayfd", str(writing), *SCREEN],
        pass_fds=[writing],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    atexit.register(screen.kill)
    with os.fdopen(reading, encoding="ascii") as told:
        return told.readline().strip()


def share_processors() -> None:
    """Divides the processors among the processes; numerical libraries would each take them all."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    mine = str(max((os.cpu_count() or 1) // workers, 1))
    for name in ("TWIN_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, mine)


def child_processes() -> list[psutil.Process]:
    """What this process has started and not ended, its screen left out."""
    return [child for child in psutil.Process().children() if child.name() != "Xvfb"]
