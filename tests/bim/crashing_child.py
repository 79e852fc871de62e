"""Starts the reading process with a geometry kernel that dies or hangs over chosen products.

Used by tests in place of ``python -m app.isolation``: it replaces the kernel in this process, then serves as usual.
``TEST_DEADLY`` names step ids over which the process is killed, ``TEST_HANGING`` those over which it sleeps.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import ifcopenshell
import ifcopenshell.geom

import bim.tessellation as tessellation
from app.isolation import serve
from bim.selection import Task

DEADLY = {int(step) for step in os.environ.get("TEST_DEADLY", "").split(",") if step}
HANGING = {int(step) for step in os.environ.get("TEST_HANGING", "").split(",") if step}
KERNELS = os.environ.get("TEST_KERNELS", "").split(",")
STARTS = os.environ.get("TEST_STARTS")
_iterate = tessellation._iterate


def _dangerous(file: ifcopenshell.file, task: Task) -> Iterator[Any]:
    for element in _iterate(file, task):
        if task.kernel in KERNELS or KERNELS == [""]:
            if element.id in DEADLY:
                os.kill(os.getpid(), signal.SIGKILL)
            if element.id in HANGING:
                time.sleep(600)
        yield element


if __name__ == "__main__":
    if STARTS:
        with open(STARTS, "a", encoding="ascii") as file:
            file.write("x")
    tessellation._iterate = _dangerous
    tessellation.SILENCE_S = float(os.environ.get("TEST_SILENCE", tessellation.SILENCE_S))
    serve()
