"""Headless. The child process that keeps one IFC file open and answers questions about it.

Started as ``python -m app.model_child FILE``. Each line on its standard input is a request ``{"id", "name",
"arguments"}`` or a word to stop one, ``{"cancel": id}``; each line it writes is ``{"id", "answer"}``, ``{"id",
"error"}`` or ``{"id", "progress"}``. It ends when its input does, so that it never outlives the program.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, TextIO

from geo.model import Cancelled, Feedback, UserError

PROGRESS_EVERY_S = 0.1


class Child:
    """Answers requests one after another; quick ones also in the middle of a long one."""

    def __init__(self, path: Path, out: TextIO) -> None:
        self._path, self._out = path, out
        self._file: Any = None
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._waiting: list[dict[str, Any]] = []
        self._cancelled: set[int] = set()
        self._ended = False
        self._told = 0.0

    def listen(self, source: TextIO) -> None:
        """On a thread of its own: pass on what comes in."""
        for line in source:
            self._lines.put(json.loads(line))
        self._lines.put(None)

    def run(self) -> None:
        """Until the input ends."""
        while not self._ended:
            if not self._waiting:
                self._take(self._lines.get())
            if self._waiting:
                self._answer(self._waiting.pop(0))

    def _take(self, line: dict[str, Any] | None) -> None:
        if line is None:
            self._ended = True
        elif "cancel" in line:
            self._cancelled.add(line["cancel"])
            self._waiting = [request for request in self._waiting if request["id"] != line["cancel"]]
        else:
            self._waiting.append(line)

    def _answer(self, request: dict[str, Any]) -> None:
        from bim.requests import REQUESTS

        number = request["id"]
        try:
            value = REQUESTS[request["name"]].answer(self._model(), request["arguments"], self._feedback(number))
            self._write({"id": number, "answer": value})
        except Cancelled:
            self._write({"id": number, "cancelled": True})
        except UserError as error:
            values = {key: str(value) for key, value in error.values.items()}
            said = {"what": error.what, "why": error.why, "todo": error.todo, "code": error.code, "values": values}
            self._write({"id": number, "error": said})
        except Exception:  # noqa: BLE001 - the parent raises it again with this text
            self._write({"id": number, "error": {"traceback": traceback.format_exc()}})
        self._cancelled.discard(number)

    def _model(self) -> Any:
        if self._file is None:
            from bim.schema import open_model

            self._file = open_model(self._path).file
        return self._file

    def _feedback(self, number: int) -> Feedback:
        def progress(fraction: float, message: str) -> None:
            self._look_around()
            if number in self._cancelled or self._ended:
                raise Cancelled
            if time.monotonic() - self._told > PROGRESS_EVERY_S:
                self._told = time.monotonic()
                self._write({"id": number, "progress": [round(fraction, 4), message]})

        return Feedback(progress)

    def _look_around(self) -> None:
        """Take what has come in meanwhile and answer what is quick."""
        from bim.requests import REQUESTS

        while not self._lines.empty():
            self._take(self._lines.get())
        quick = [request for request in self._waiting if REQUESTS[request["name"]].quick]
        self._waiting = [request for request in self._waiting if request not in quick]
        for request in quick:
            self._answer(request)

    def _write(self, said: dict[str, Any]) -> None:
        self._out.write(json.dumps(said, default=str) + "\n")
        self._out.flush()


def child_main(path: Path) -> None:
    """Answer until the parent closes the pipe. Libraries print to standard output, which therefore goes nowhere."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    child = Child(path, out)
    source = os.fdopen(os.dup(0), "r", encoding="utf-8")
    threading.Thread(target=child.listen, args=(source,), name="twin-model-input", daemon=True).start()
    child.run()


if __name__ == "__main__":
    child_main(Path(sys.argv[1]))
