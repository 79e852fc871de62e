"""Headless. Temporary folders that carry the number of their process, and the clearing of those a killed one left."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path

NAME = re.compile(r"twin-(?:read|model|icons|film)-(\d+)-\w+")
TEMPORARY = ("TMPDIR", "TEMP", "TMP")  # environment variables that say where a process puts what is temporary


def temporary_folder(use: str, *, until_exit: bool = False) -> Path:
    """A new folder ``twin-<use>-<process>-...``; with `until_exit` it is removed when the program ends.

    Parameters
    ----------
    use : str
        One of those `sweep` knows: read, model, icons, film.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"twin-{use}-{os.getpid()}-"))
    if until_exit:
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def sweep() -> int:
    """Remove the folders of processes that are gone without having done so; gives how many."""
    import psutil

    gone = 0
    with contextlib.suppress(OSError):
        for folder in Path(tempfile.gettempdir()).iterdir():
            found = NAME.fullmatch(folder.name)
            if found is None or folder.is_symlink() or not folder.is_dir() or psutil.pid_exists(int(found[1])):
                continue
            shutil.rmtree(folder, ignore_errors=True)
            gone += 1
    return gone
