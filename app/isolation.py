"""Headless. Reads files in a child process where the library below may crash or hold the interpreter.

The parent starts ``python -m app.isolation --serve`` and writes the name of a folder to it; the folder holds the
request and receives the layers (in the program's own binary form) or the error. Only short lines travel through the
pipe: progress, the names of files with parts of the result, how long a silence is to be borne. A child that dies takes
nothing of the user's work with it; where its reader has left a note of what it was doing, another child goes on.
The child that has described a file is kept for a while to read it, since it has it open.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from app.leftovers import TEMPORARY, temporary_folder
from geo.formats.contract import FileInfo, Format, MapBox, ReadOptions
from geo.model import Cancelled, Feedback, Frame, Issue, Layer, MissingCrs, UserError
from geo.store import read_layers, write_layers

POLL_S = 0.05
SILENCE_LIMIT_S = 300.0  # a reader that has said nothing for so long is taken to hang, unless it said otherwise
IDLE_S = 60.0  # a child that has described a file waits so long for the order to read it
NOTEBOOK = "TWIN_READER_NOTEBOOK"  # environment variable: the folder in which a reader leaves what must outlive it
NOTE = "state.json"  # in that folder: what the reader was doing when it died
LAST_WORDS = "ended.txt"
PROGRESS, PART, PATIENCE, DONE = "%", "+", "~", "="
COMMAND = (sys.executable, "-m", "app.isolation", "--serve")


def inspect_isolated(candidate: Format, path: Path, *, feedback: Feedback | None = None) -> FileInfo:
    """`candidate.inspect(path)` in a child process; `feedback` may stop it."""
    watch = Feedback(is_cancelled=(lambda: feedback.cancelled) if feedback is not None else None)
    with _child_for(candidate, path, keep=True) as child:
        answer = _ask(child, {"task": "inspect"}, watch)
        return info_from_dict(answer["info"])


def read_isolated(
    candidate: Format, path: Path, frame: Frame, *, options: ReadOptions, feedback: Feedback
) -> list[Layer]:
    """`candidate.read(...)` in a child process. The layers' arrays are in memory, not mapped, when this returns."""
    request: dict[str, Any] = {
        "task": "read",
        "frame": dataclasses.asdict(frame),
        "crs": options.crs,
        "kind": options.kind,
        "box": options.box,
        "own": options.own.model_dump(mode="json") if options.own else None,
        "partial": feedback.wants_partial,
    }
    with _child_for(candidate, path, keep=False) as child:
        if options.terrain is not None:
            ground = Layer(id="terrain", name="terrain", theme="terrain", geometry=options.terrain)
            write_layers(child.folder / "terrain.layers", [ground])
        _ask(child, request, feedback)
        layers, _ = read_layers(child.folder / "out.layers", mapped=False)
        return layers


class _Child:
    """A reading process for one file, and the folder it shares with this one."""

    def __init__(self, candidate: Format, path: Path) -> None:
        self.candidate, self.path = candidate, path
        self.key = _key(candidate, path)
        self.folder = temporary_folder("read")
        self.notebook = self.folder / "notebook"
        self.notebook.mkdir()
        self.scratch = self.folder / "scratch"  # what the reader unpacks goes with it when it is killed
        self.scratch.mkdir()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """The running process, a new one if there is none."""
        if self.process is None or self.process.poll() is not None:
            self.stop()
            flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows only: no console beside the window
            self.process = subprocess.Popen(
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
                    NOTEBOOK: str(self.notebook),
                    **dict.fromkeys(TEMPORARY, str(self.scratch)),
                },
                creationflags=flags,
            )
        return self.process

    def send(self) -> queue.Queue[str | None]:
        """Have it do what the folder asks for; gives the lines it says, None at its end."""
        process = self.start()
        lines: queue.Queue[str | None] = queue.Queue()
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the reader was started without pipes")
        with contextlib.suppress(OSError):  # it has just died; the end of its output says so
            process.stdin.write(f"{self.folder}\n".encode())
            process.stdin.flush()
        threading.Thread(target=_listen, args=(process, lines), name="twin-reader-pipe", daemon=True).start()
        return lines

    def stop(self) -> int:
        """End the process; its exit code."""
        process, self.process = self.process, None
        if process is None:
            return 0
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        return process.returncode

    def close(self) -> None:
        """End the process and remove the folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _listen(process: subprocess.Popen[bytes], lines: queue.Queue[str | None]) -> None:
    """Pass on what a child says until it has done what it was asked."""
    with contextlib.suppress(OSError, ValueError):  # the pipe was closed because nobody listens any more
        while process.stdout is not None and (line := process.stdout.readline()):
            text = line.decode("utf-8", "replace").rstrip("\n")
            lines.put(text)
            if text.startswith(DONE):
                return
    lines.put(None)


def _key(candidate: Format, path: Path) -> tuple[str, str, int, int]:
    with contextlib.suppress(OSError):
        stat = path.stat()
        return candidate.id, str(path.absolute()), stat.st_size, stat.st_mtime_ns
    return candidate.id, str(path.absolute()), -1, -1


_idle: list[_Child] = []
_idle_lock = threading.Lock()


@contextlib.contextmanager
def _child_for(candidate: Format, path: Path, *, keep: bool) -> Iterator[_Child]:
    """The waiting child that has this file open, or a new one; with `keep` it waits again if all went well."""
    with _idle_lock:
        waiting = _idle.pop() if _idle else None
    if waiting is not None and waiting.key != _key(candidate, path):
        waiting.close()
        waiting = None
    child = waiting or _Child(candidate, path)
    try:
        yield child
    except BaseException:
        child.close()
        raise
    if not keep or child.process is None:
        child.close()
        return
    with _idle_lock:
        _idle.append(child)
        surplus, _idle[:] = _idle[:-1], _idle[-1:]
    for other in surplus:
        other.close()


def close_idle() -> None:
    """End the child that waits, if there is one."""
    with _idle_lock:
        found, _idle[:] = list(_idle), []
    for child in found:
        child.close()


atexit.register(close_idle)


def _ask(child: _Child, request: Mapping[str, Any], feedback: Feedback) -> dict[str, Any]:
    """Have a child do something; where it dies over a part of the file another goes on without that part."""
    whole = {**request, "format": child.candidate.id, "path": str(child.path.absolute())}
    (child.folder / "answer.json").unlink(missing_ok=True)
    (child.folder / "request.json").write_text(json.dumps(whole), encoding="utf-8")
    note: bytes | None = None
    while True:
        ended = _follow(child, child.send(), feedback)
        if ended is None:
            return _answer(child.folder, 0, child.path)
        code = child.stop()
        before, note = note, _note(child)
        if note is None or note == before:  # it was not where crashes are expected, or got no further than last time
            if ended == "hung":
                raise _stuck(child.path)
            return _answer(child.folder, code, child.path)
        words = "gave no sign of life" if ended == "hung" else f"crashed (code {code})"
        (child.notebook / LAST_WORDS).write_text(words, encoding="utf-8")


def _note(child: _Child) -> bytes | None:
    try:
        return (child.notebook / NOTE).read_bytes()
    except OSError:
        return None


def _follow(child: _Child, lines: queue.Queue[str | None], feedback: Feedback) -> str | None:
    """Pass on what a child says until it is done (None), has died (``"died"``) or says nothing more (``"hung"``)."""
    heard, limit = time.monotonic(), SILENCE_LIMIT_S
    while True:
        try:
            line = lines.get(timeout=POLL_S)
        except queue.Empty:
            if feedback.cancelled:
                raise Cancelled from None
            if time.monotonic() - heard > limit:
                return "hung"
            continue
        if line is None:
            return "died"
        heard = time.monotonic()
        kind, rest = line[:1], line[1:]
        if kind == DONE:
            return None
        if kind == PATIENCE:
            limit = float(rest) if rest else SILENCE_LIMIT_S
        elif kind == PART:
            _pass_part(child.folder / rest, feedback)
        elif kind == PROGRESS:
            fraction, _, message = rest.partition(" ")
            feedback.step(float(fraction), message)


def _pass_part(path: Path, feedback: Feedback) -> None:
    layers, _ = read_layers(path, mapped=False)
    path.unlink(missing_ok=True)
    feedback.partial(layers)


def _stuck(path: Path) -> UserError:
    minutes = f"{SILENCE_LIMIT_S / 60:.0f}"
    return UserError(
        f"Reading {path.name} got stuck.",
        f"The reader gave no sign of life for {minutes} minutes and was stopped.",
        "Check the file in the program that made it; a smaller part of it may read.",
        code="reader.stuck",
        values={"name": path.name, "minutes": minutes},
    )


def _answer(folder: Path, returncode: int, path: Path) -> dict[str, Any]:
    answer_path = folder / "answer.json"
    if not answer_path.exists():
        raise UserError(
            f"{path.name} could not be read: the reader crashed.",
            f"The library that reads this format stopped with code {returncode}. Your work is not affected.",
            "The file is probably damaged; export it again from the program that made it.",
            code="reader.crashed",
            values={"name": path.name, "returncode": returncode},
        )
    answer: dict[str, Any] = json.loads(answer_path.read_text(encoding="utf-8"))
    error = answer.get("error")
    if error is None:
        return answer
    if "traceback" in error:
        raise RuntimeError(f"the reader of {path.name} failed:\n{error['traceback']}")
    if error["missing_crs"]:
        raise MissingCrs(path.name)
    raise UserError(error["what"], error["why"], error["todo"], code=error["code"], values=error["values"])


def info_to_dict(info: FileInfo) -> dict[str, Any]:
    """Plain JSON values of a FileInfo."""
    return {
        "format": info.format,
        "title": info.title,
        "version": info.version,
        "crs": info.crs,
        "vertical": info.vertical,
        "bounds": list(info.bounds) if info.bounds else None,
        "counts": dict(info.counts),
        "issues": [issue.as_dict() for issue in info.issues],
        "details": dict(info.details),
        "place_is_weak": info.place_is_weak,
    }


def info_from_dict(data: Mapping[str, Any]) -> FileInfo:
    """The inverse of `info_to_dict`."""
    values = dict(data)
    values["bounds"] = tuple(values["bounds"]) if values["bounds"] else None
    values["issues"] = tuple(Issue.from_dict(issue) for issue in values["issues"])
    return FileInfo(**values)


def _child_task(folder: Path, feedback: Feedback) -> dict[str, Any]:
    from app.catalog import formats, while_it_is_there

    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    candidate = formats()[request["format"]]
    path = Path(request["path"])
    if request["task"] == "inspect":
        with while_it_is_there(path):
            return {"info": info_to_dict(candidate.inspect(path))}
    frame_values = dict(request["frame"])
    frame_values["origin"] = tuple(frame_values["origin"])
    terrain = None
    if (folder / "terrain.layers").exists():
        terrain = read_layers(folder / "terrain.layers")[0][0].geometry
    options = ReadOptions(
        crs=request["crs"],
        kind=request["kind"],
        box=MapBox(*request["box"]) if request["box"] else None,
        terrain=terrain,  # type: ignore[arg-type]
        own=candidate.options(**request["own"]) if candidate.options and request["own"] else None,
    )
    with while_it_is_there(path):
        layers = candidate.read(path, Frame(**frame_values), options, feedback)
    write_layers(folder / "out.layers", layers)
    return {}


def _child_feedback(folder: Path, pipe: TextIO) -> Feedback:
    """Progress and parts of the result, by the pipe and files in the folder."""
    wanted = json.loads((folder / "request.json").read_text(encoding="utf-8")).get("partial", False)
    count = 0

    def progress(fraction: float, message: str) -> None:
        pipe.write(f"{PROGRESS}{fraction:.4f} {message}\n")

    def patience(seconds: float | None) -> None:
        pipe.write(f"{PATIENCE}{'' if seconds is None else seconds}\n")

    def partial(layers: Sequence[Layer]) -> None:
        nonlocal count
        count += 1
        name = f"part-{count}.layers"
        write_layers(folder / name, layers)
        pipe.write(f"{PART}{name}\n")

    on_partial: Callable[[Sequence[Layer]], None] | None = partial if wanted else None
    return Feedback(progress, on_partial=on_partial, on_patience=patience)


def _do(folder: Path, pipe: TextIO) -> None:
    """Do what a folder asks for and leave the answer in it."""
    try:
        answer = _child_task(folder, _child_feedback(folder, pipe))
    except UserError as error:
        answer = {
            "error": {
                "missing_crs": isinstance(error, MissingCrs),
                "what": error.what,
                "why": error.why,
                "todo": error.todo,
                "code": error.code,
                "values": {key: str(value) for key, value in error.values.items()},
            }
        }
    except Exception:  # noqa: BLE001 - the parent raises it again with this text
        answer = {"error": {"traceback": traceback.format_exc()}}
    temporary = folder / "answer.tmp"
    temporary.write_text(json.dumps(answer, default=str), encoding="utf-8")
    temporary.replace(folder / "answer.json")


def _apart(log: Path) -> TextIO:
    """The pipe to the parent; from here on the process's own stdout and stderr go to a log: libraries print there."""
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    target = os.open(log, os.O_WRONLY | os.O_CREAT)
    os.dup2(target, 1)
    os.dup2(target, 2)
    return pipe


def child_main(folder: Path) -> None:
    """One request, in this process."""
    _do(folder, _apart(folder / "log.txt"))


def serve() -> None:
    """One request after another, by the names of folders on stdin; ends with stdin, or after a minute without any."""
    pipe = _apart(Path(os.environ[NOTEBOOK]) / "log.txt")
    while True:
        alarm = threading.Timer(IDLE_S, os._exit, (0,))
        alarm.daemon = True
        alarm.start()
        line = sys.stdin.readline()
        alarm.cancel()
        if not line.strip():
            return
        _do(Path(line.rstrip("\n")), pipe)
        pipe.write(f"{DONE}\n")


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve()
    else:
        child_main(Path(sys.argv[1]))
