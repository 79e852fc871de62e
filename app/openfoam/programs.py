"""Headless. The installed OpenFOAM: where it is, which version, and how its programs are run and stopped."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from app.openfoam.dictionaries import NEW_ROUGH_WALL, OLD_ROUGH_WALL
from geo.model import Feedback, UserError

POLL_S = 0.1
ASKED_S = 20.0  # the version is told within this time
LAST_OLD = 1912  # version up to which the wall function of rough ground has its old name
SHARED = Path("/usr/share/openfoam")  # of the Debian package, which sets no environment
VERSION = re.compile(r"Using: OpenFOAM-\S*\s*\((\d{4})\)")
SOLVER = "simpleFoam"
TAIL, LAST_BYTES, MOST_WORDS = 12, 20_000, 800  # lines, bytes and letters of a log that are shown
ENDING_S = 3.0  # a program is given so long to end by itself


class Installed(NamedTuple):
    """An OpenFOAM that can run cases: version (as 1912), folder of its programs, environment, whether it has MPI."""

    version: int
    environment: Mapping[str, str]
    has_mpi: bool

    @property
    def rough_wall(self) -> str:
        """Name of the wall function for rough ground."""
        return OLD_ROUGH_WALL if self.version <= LAST_OLD else NEW_ROUGH_WALL


class Missing(NamedTuple):
    """Why cases cannot be run here: id of a text ``openfoam.<reason>``, and that text in English."""

    reason: str
    text: str


ABSENT = Missing("absent", "OpenFOAM is not installed, or its environment is not loaded. Cases can be written.")
OTHER = Missing("other", "The simpleFoam found is not of openfoam.com, or does not tell its version.")


@functools.cache
def find_openfoam() -> Installed | Missing:
    """The OpenFOAM of this machine, looked for once."""
    return look_for_openfoam(os.environ)


def look_for_openfoam(environment: Mapping[str, str]) -> Installed | Missing:
    """The OpenFOAM on the path of an environment."""
    path = environment.get("PATH", "")
    program = shutil.which(SOLVER, path=path)
    if program is None:
        return ABSENT
    given = dict(environment)
    if "WM_PROJECT_DIR" not in given and (SHARED / "etc/controlDict").is_file():
        given["WM_PROJECT_DIR"] = str(SHARED)
    try:
        told = subprocess.run(
            [program, "-help"],
            capture_output=True,
            text=True,
            errors="replace",
            env=given,
            timeout=ASKED_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return OTHER
    found = VERSION.search(told.stdout + told.stderr)
    if found is None:
        return OTHER
    has_mpi = all(shutil.which(name, path=path) for name in ("mpirun", "decomposePar", "reconstructPar"))
    return Installed(int(found[1]), given, has_mpi)


def needed_openfoam() -> Installed:
    """The OpenFOAM of this machine. Raises `UserError` when there is none that runs cases."""
    found = find_openfoam()
    if isinstance(found, Missing):
        raise UserError(
            "The case cannot be run here.",
            found.text,
            "Install OpenFOAM from openfoam.com (Debian and Ubuntu: the package openfoam), or run the case elsewhere.",
            code=f"openfoam.{found.reason}",
        )
    return found


def run_foam(
    arguments: Sequence[str],
    folder: Path,
    installed: Installed,
    feedback: Feedback,
    *,
    fraction_of: Callable[[str], float | None] = lambda _line: None,
) -> Path:
    """Run a program in a case and wait for it; its words go into ``log.<program>``.

    A stopped `feedback` ends the program and everything that it has started.

    Parameters
    ----------
    arguments : sequence of str
        Program and arguments; no shell reads them. Before a program in parallel stand ``mpirun -np n``.
    fraction_of : callable(line) -> float or None
        How far the work has come by a line of the log.

    Returns
    -------
    Path
        Of the log.

    Raises
    ------
    UserError
        The program is not there or ended with a fault.
    """
    name = arguments[3] if arguments[0] == "mpirun" else arguments[0]
    log = folder / f"log.{name}"
    fraction = 0.0
    try:
        with log.open("wb") as out, log.open("r", encoding="utf-8", errors="replace") as words:
            process = _started(arguments, folder, installed, out)
            try:
                while process.poll() is None:
                    for line in words.readlines():
                        fraction = max(fraction, fraction_of(line) or 0.0)
                    feedback.step(min(fraction, 1.0), f"OpenFOAM: {name}")
                    time.sleep(POLL_S)
            except BaseException:
                _end(process)
                raise
    except OSError as error:
        raise _failed(name, str(error.strerror or error), "") from error
    if process.returncode != 0:
        raise _failed(name, f"it ended with status {process.returncode}", last_words(log))
    return log


def _started(arguments: Sequence[str], folder: Path, installed: Installed, out: BinaryIO) -> subprocess.Popen[bytes]:
    program = shutil.which(arguments[0], path=installed.environment.get("PATH", ""))
    if program is None:
        raise FileNotFoundError(2, "it was not found")
    return subprocess.Popen(
        [program, *arguments[1:]],
        cwd=folder,
        env=dict(installed.environment),
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # a group of its own: ended as a whole
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and its children; first politely, so that MPI clears away after itself."""
    for word in ("SIGTERM", "SIGKILL"):
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, getattr(signal, word))
            else:
                process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=ENDING_S)
            return


def last_words(log: Path) -> str:
    """The fault that a log tells of, else its last lines."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - LAST_BYTES))
            lines = [line.strip() for line in file.read().decode("utf-8", errors="replace").splitlines()]
    except OSError:
        return ""
    told = [line for line in lines if line]
    start = next((n for n, line in enumerate(told) if "FOAM FATAL" in line), max(0, len(told) - TAIL))
    return " / ".join(told[start : start + TAIL])[:MOST_WORDS]


def _failed(name: str, reason: str, words: str) -> UserError:
    return UserError(
        f"The program {name} of OpenFOAM did not do its work.",
        f"Reason: {reason}. {words}".strip(),
        "Look into the logs in the folder of the case; with several cores try one.",
        code="openfoam.failed",
        values={"program": name, "reason": f"{reason}. {words}".strip()},
    )
