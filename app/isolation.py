"""Headless. Reads files in a child process where the library below may crash or hold the interpreter.

The parent starts ``python -m app.isolation FOLDER``; the folder holds the request and receives the layers (in the
program's own binary form) or the error. Only progress lines travel through the pipe. A child that dies takes
nothing of the user's work with it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geo.formats.contract import FileInfo, Format, MapBox, ReadOptions
from geo.model import Cancelled, Feedback, Frame, Issue, Layer, MissingCrs, UserError
from geo.store import read_layers, write_layers

POLL_S = 0.05
SILENCE_LIMIT_S = 300.0  # a reader that has said nothing for so long is taken to hang


def inspect_isolated(candidate: Format, path: Path) -> FileInfo:
    """`candidate.inspect(path)` in a child process."""
    with tempfile.TemporaryDirectory(prefix="twin-read-") as folder:
        request = {"task": "inspect", "format": candidate.id, "path": str(path.absolute())}
        answer = _run_child(Path(folder), request, path, Feedback())
        return info_from_dict(answer["info"])


def read_isolated(
    candidate: Format, path: Path, frame: Frame, *, options: ReadOptions, feedback: Feedback
) -> list[Layer]:
    """`candidate.read(...)` in a child process. The layers' arrays are in memory, not mapped, when this returns."""
    with tempfile.TemporaryDirectory(prefix="twin-read-", ignore_cleanup_errors=True) as folder:
        request: dict[str, Any] = {
            "task": "read",
            "format": candidate.id,
            "path": str(path.absolute()),
            "frame": dataclasses.asdict(frame),
            "crs": options.crs,
            "kind": options.kind,
            "box": options.box,
            "own": options.own.model_dump(mode="json") if options.own else None,
        }
        if options.terrain is not None:
            ground = Layer(id="terrain", name="terrain", theme="terrain", geometry=options.terrain)
            write_layers(Path(folder) / "terrain.layers", [ground])
        _run_child(Path(folder), request, path, feedback)
        layers, _ = read_layers(Path(folder) / "out.layers", mapped=False)
        return layers


def _run_child(folder: Path, request: Mapping[str, Any], path: Path, feedback: Feedback) -> dict[str, Any]:
    (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
    flags = subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0
    child = subprocess.Popen(
        [sys.executable, "-m", "app.isolation", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        creationflags=flags,
    )
    try:
        _follow(child, feedback, path)
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()
    return _answer(folder, child.returncode, path)


def _follow(child: subprocess.Popen[bytes], feedback: Feedback, path: Path) -> None:
    """Pass progress on until the child ends; stop it when the user or a long silence says so."""
    lines: queue.Queue[bytes | None] = queue.Queue()

    def listen() -> None:
        if child.stdout is not None:
            for line in child.stdout:
                lines.put(line)
        lines.put(None)

    listener = threading.Thread(target=listen, name="twin-reader-pipe", daemon=True)
    listener.start()
    heard = time.monotonic()
    while True:
        try:
            line = lines.get(timeout=POLL_S)
        except queue.Empty:
            if feedback.cancelled:
                raise Cancelled from None
            if time.monotonic() - heard > SILENCE_LIMIT_S:
                raise UserError(
                    f"Reading {path.name} got stuck.",
                    f"The reader gave no sign of life for {SILENCE_LIMIT_S / 60:.0f} minutes and was stopped.",
                    "Check the file in the program that made it; a smaller part of it may read.",
                    code="reader.stuck",
                    values={"name": path.name, "minutes": f"{SILENCE_LIMIT_S / 60:.0f}"},
                ) from None
            continue
        if line is None:
            listener.join()
            return
        heard = time.monotonic()
        fraction, _, message = line.decode("utf-8", "replace").rstrip("\n").partition(" ")
        feedback.step(float(fraction), message)


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


def _child_task(folder: Path, progress: Any) -> dict[str, Any]:
    from app.catalog import formats

    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    candidate = formats()[request["format"]]
    path = Path(request["path"])
    if request["task"] == "inspect":
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
    write_layers(folder / "out.layers", candidate.read(path, Frame(**frame_values), options, Feedback(progress)))
    return {}


def child_main(folder: Path) -> None:
    """What the child process does. Its own stdout and stderr go to a log: libraries print there."""
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    log = os.open(folder / "log.txt", os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)

    def progress(fraction: float, message: str) -> None:
        pipe.write(f"{fraction:.4f} {message}\n")

    try:
        answer = _child_task(folder, progress)
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
    temporary.rename(folder / "answer.json")


if __name__ == "__main__":
    child_main(Path(sys.argv[1]))
