"""Asks the disk early for libraries that are loaded when a project is opened.

A library is loaded with the interpreter held, and from a disk that has not been read since the machine was started
that takes seconds in which the window could not answer. Here only their files are read, which holds nobody.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from geo.model import Feedback

# In the order in which opening and drawing a project wants them.
PACKAGES = ("rasterio", "pyproj", "pyogrio", "shapely", "scipy", "pandas", "llvmlite", "numba", "embreex")
NATIVE = (".so", ".pyd", ".dll", ".dylib")
CHUNK = 1 << 18
SLOW_S = 0.005  # for a chunk: it came from the disk, which others may be waiting for
MOST_BYTES = 1 << 30


def read_ahead(feedback: Feedback, packages: Iterable[str] = PACKAGES) -> int:
    """Read the native files of packages; returns how much that was [bytes].

    What is not there or cannot be read is passed by. Raises `Cancelled` between two chunks. The disk is left to others
    for half of the time: the window may be waiting for a font.
    """
    size = 0
    for package in packages:
        for file in native_files(package):
            with contextlib.suppress(OSError):
                size += _read(file, feedback)
            if size >= MOST_BYTES:
                return size
    return size


def native_files(package: str) -> Iterator[Path]:
    """Files with machine code of a package and of the folder of libraries that its wheel may have brought."""
    try:
        found = importlib.util.find_spec(package)  # of a package on the top level this imports nothing
    except (ImportError, ValueError):
        return
    for place in (found.submodule_search_locations or ()) if found is not None else ():
        folder = Path(place)
        for root in (folder, folder.with_name(f"{package}.libs"), folder / ".dylibs"):
            for parent, _folders, names in os.walk(root):
                yield from (Path(parent, name) for name in names if is_native(name))


def is_native(name: str) -> bool:
    """Whether a file of this name is loaded as machine code; ``libgdal.so.36`` too."""
    return name.endswith(NATIVE) or ".so." in name and not name.endswith(".py")


def _read(file: Path, feedback: Feedback) -> int:
    """Bring a file into the memory of the operating system; returns its size [bytes]."""
    size = 0
    with file.open("rb", buffering=0) as stream:
        began = time.monotonic()
        while chunk := stream.read(CHUNK):  # advice to the kernel ends after a few hundred kilobytes of a file
            feedback.step(0.0)
            size += len(chunk)
            took = time.monotonic() - began
            if took > SLOW_S:
                time.sleep(took)
            began = time.monotonic()
    return size
