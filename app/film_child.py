"""Headless. A film made in a process of its own: no frame holds the window up, and a driver that crashes takes nothing.

The parent leaves the layers and the order in a folder and starts ``python -m app.film_child FOLDER``. Each line that
the child writes is ``{"done": fraction}``, ``{"error": ...}`` or ``{"made": name}``. It ends when its input does.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from app.film import Filmed, FilmPlan, film_steps
from app.film_writer import checked_suffix, write_error
from app.language import language
from app.leftovers import TEMPORARY, temporary_folder
from app.look import NO_SECTION, Section
from app.view.camera import Camera
from geo.model import Feedback, Frame, UserError
from geo.store import read_layers, write_atomically, write_layers

POLL_S = 0.1
LEAVE_S = 3.0  # a child that was asked to stop may tidy up for so long
HANDED_OVER = 0.05  # share of the work before the child begins
LAYERS, ORDER = "scene.layers", "order.json"


@dataclass(frozen=True)
class Order:
    """What the child is asked for, but for the layers.

    Attributes
    ----------
    plan : FilmPlan
    frame : Frame
    name : str
        Of the file, in the folder of the order.
    theme, language : str
    view : Camera or str
    section : Section
    """

    plan: FilmPlan
    frame: Frame
    name: str
    theme: str = "light"
    language: str = "en"
    view: Camera | str = "iso"
    section: Section = NO_SECTION


def film_apart(plan: FilmPlan, filmed: Filmed, target: Path, feedback: Feedback) -> Path:
    """Make a film in a child process. For a worker thread: it waits.

    Raises
    ------
    UserError
        What the child raised, or that it died; `Cancelled` from the feedback. Then there is no file.
    """
    _check(target)
    folder = temporary_folder("film")
    try:
        shown = [layer for layer in filmed.layers if layer.style.visible]
        feedback.step(0.0, "filming")
        write_layers(folder / LAYERS, shown)
        name = f"film{target.suffix.lower()}"
        order = Order(plan, filmed.frame, name, filmed.theme, language.code, filmed.view, filmed.section)
        (folder / ORDER).write_bytes(_adapter().dump_json(order))
        feedback.step(HANDED_OVER, "filming")
        _follow(folder, feedback.part(HANDED_OVER, 1.0))
        with (folder / name).open("rb") as made:
            write_atomically(target, lambda file: shutil.copyfileobj(made, file))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return target


def _check(target: Path) -> None:
    """Say at once what would be found out after an hour: a wrong suffix, a folder that cannot be written to."""
    checked_suffix(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(21, "Is a directory")
        if not os.access(target.parent, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise write_error(target, error) from error


def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Order)


def _follow(folder: Path, feedback: Feedback) -> None:
    """Start the child and pass on what it says until the film is made."""
    with _child(folder) as process:
        lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=_listen, args=(process, lines), name="twin-film-pipe", daemon=True).start()
        done = 0.0
        while True:
            feedback.step(done, "filming")
            try:
                line = lines.get(timeout=POLL_S)
            except queue.Empty:
                continue
            if line is None:
                raise _died(process)
            said = json.loads(line)
            if "error" in said:
                raise UserError(**said["error"])
            if "made" in said:
                return
            done = float(said["done"])


@contextlib.contextmanager
def _child(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The running child; at the end it is asked to leave, and made to."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app.film_child", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
            **dict.fromkeys(TEMPORARY, str(folder)),
        },
        creationflags=subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0,
    )
    try:
        yield process
    finally:
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        try:
            process.wait(timeout=LEAVE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listen(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    """On a thread of its own: what the child says, and None when it says no more."""
    if process.stdout is not None:
        with contextlib.suppress(ValueError), process.stdout as said:  # text cut off in the middle of a letter
            for line in said:
                lines.put(line)
    lines.put(None)


def _died(process: subprocess.Popen[str]) -> UserError:
    code = process.wait()
    return UserError(
        "The film could not be drawn.",
        f"The process that draws it ended with exit status {code}: the graphics driver, or too little memory.",
        "Try a smaller size, hide layers that are not needed, or install Mesa or a newer driver.",
        code="film.died",
        values={"code": code},
    )


# ---- in the child


def child_main(folder: Path, out: TextIO) -> None:
    """Make the film that the folder asks for."""
    order: Order = _adapter().validate_json((folder / ORDER).read_bytes())
    language.set(order.language)
    layers, _ = read_layers(folder / LAYERS)
    filmed = Filmed(tuple(layers), order.frame, theme=order.theme, view=order.view, section=order.section)
    try:
        for done in film_steps(order.plan, filmed, folder / order.name):
            _say(out, {"done": done})
    except UserError as error:
        values = {key: str(value) for key, value in error.values.items()}
        said = {"what": error.what, "why": error.why, "todo": error.todo, "code": error.code, "values": values}
        _say(out, {"error": said})
        return
    _say(out, {"made": order.name})


def _say(out: TextIO, what: dict[str, Any]) -> None:
    out.write(json.dumps(what) + "\n")
    out.flush()


def _leave_with_parent() -> None:
    """On a thread of its own: nothing is left to do when the parent closes the pipe or is gone."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    # Libraries print to standard output, which therefore goes nowhere.
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    threading.Thread(target=_leave_with_parent, name="twin-film-input", daemon=True).start()
    child_main(Path(sys.argv[1]), told)
    os._exit(0)  # a graphics driver has crashed often enough on its way out, after all was done
