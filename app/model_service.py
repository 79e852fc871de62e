"""Headless. Questions about IFC files: one reader process per file, kept alive, so that a click is answered at once.

`ModelService.ask` waits for its answer and belongs on a worker thread; the window asks through `app.model_desk`. A
reader that dies takes nothing with it: the next question starts another one.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.layer_cache import file_digest
from app.leftovers import TEMPORARY, temporary_folder
from geo.model import Cancelled, Feedback, UserError

log = logging.getLogger(__name__)

POLL_S = 0.05
UNUSED_S = 600.0  # a reader nobody has asked for so long is closed: it holds the parsed file in memory
SILENCE_LIMIT_S = 120.0  # a reader that says nothing for so long while it is asked is taken to hang
STARTS = 2  # tries to get one answer: the first reader may have died before it was asked

Answer = dict[str, Any]
Stamp = tuple[int, int]


class ReaderDied(Exception):
    """The process ended before it answered."""


class ModelReader:
    """One child process with one file open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stamp = stamp_of(path)
        self.used = time.monotonic()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._answers: dict[int, queue.Queue[Answer | None]] = {}
        self._ended = False
        self._scratch = temporary_folder("model")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "app.model_child", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
                **dict.fromkeys(TEMPORARY, str(self._scratch)),
            },
            creationflags=subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0,
        )
        self._listener = threading.Thread(target=self._listen, name="twin-model-pipe", daemon=True)
        self._listener.start()

    @property
    def process_id(self) -> int:
        """Id of the child process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked; a child that was killed closes its pipe a moment before it counts as ended."""
        return not self._ended and self._process.poll() is None

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits for an answer."""
        return bool(self._answers)

    def _listen(self) -> None:
        """On a thread of its own: bring each line to who waits for it; at the end tell all that nothing comes."""
        if self._process.stdout is not None:
            for line in self._process.stdout:
                try:
                    said = json.loads(line)
                except ValueError:  # it died in the middle of a line
                    break
                with self._lock:
                    waiting = self._answers.get(said["id"])
                if waiting is not None:
                    waiting.put(said)
        with self._lock:
            self._ended = True
            for waiting in self._answers.values():
                waiting.put(None)

    def ask(self, name: str, arguments: Mapping[str, Any], feedback: Feedback) -> Any:
        """The answer to one question. Raises `ReaderDied`, `Cancelled`, or what the child raised."""
        number, answers = next(self._numbers), queue.Queue[Answer | None]()
        with self._lock:
            if self._ended:  # nobody listens any more: an answer would be waited for in vain
                raise ReaderDied
            self._answers[number] = answers
        try:
            self._send({"id": number, "name": name, "arguments": dict(arguments)})
            return self._wait(number, answers, feedback)
        finally:
            self.used = time.monotonic()
            with self._lock:
                self._answers.pop(number, None)

    def _send(self, said: Mapping[str, Any]) -> None:
        if self._process.stdin is None or not self.is_alive:
            raise ReaderDied
        try:
            with self._lock:
                self._process.stdin.write(json.dumps(said).encode() + b"\n")
                self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise ReaderDied from error

    def _wait(self, number: int, answers: queue.Queue[Answer | None], feedback: Feedback) -> Any:
        heard = time.monotonic()
        while True:
            try:
                said = answers.get(timeout=POLL_S)
            except queue.Empty:
                said = {}
            self._look_after(number, heard, feedback)
            if said == {}:
                continue
            if said is None:
                raise ReaderDied
            heard = time.monotonic()
            if "progress" in said:
                if not feedback.cancelled:  # otherwise told at the next look
                    feedback.step(*said["progress"])
            elif "cancelled" in said:
                raise Cancelled
            else:
                return _value(said)

    def _look_after(self, number: int, heard: float, feedback: Feedback) -> None:
        """Pass on a wish to stop; end a child that hangs."""
        if feedback.cancelled:
            with contextlib.suppress(ReaderDied):
                self._send({"cancel": number})
            raise Cancelled
        if not self.is_alive:
            raise ReaderDied
        if time.monotonic() - heard > SILENCE_LIMIT_S:
            self._process.kill()

    def close(self) -> None:
        """End the child; whoever still waits hears that it died."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        shutil.rmtree(self._scratch, ignore_errors=True)


def _value(said: Answer) -> Any:
    error = said.get("error")
    if error is None:
        return said["answer"]
    if "traceback" in error:
        raise RuntimeError(f"the reader of the model failed:\n{error['traceback']}")
    raise UserError(error["what"], error["why"], error["todo"], code=error["code"], values=error["values"])


def stamp_of(path: Path) -> Stamp:
    """Size and time of change of a file. Raises `UserError` where there is none."""
    try:
        found = path.stat()
    except OSError as error:
        raise UserError(
            f"{path.name} is not where it was.",
            "The shapes of the model are shown from the project, but everything else is read from the file itself.",
            "Put the file back, or import it again from where it is now.",
            code="model.missing",
            values={"name": path.name, "path": str(path)},
        ) from error
    return found.st_size, found.st_mtime_ns


class ModelService:
    """The readers of all IFC files in use. Safe to ask from several threads."""

    def __init__(self) -> None:
        self._readers: dict[Path, ModelReader] = {}
        self._digests: dict[Path, tuple[Stamp, str]] = {}
        self._lock = threading.Lock()
        self._closed = False
        self.deaths = 0  # readers that ended by themselves

    def ask(self, path: Path, name: str, arguments: Mapping[str, Any], *, feedback: Feedback, digest: str = "") -> Any:
        """Ask the reader of a file; it is started where there is none.

        Parameters
        ----------
        name : str
            One of `bim.requests.REQUESTS`.
        digest : str
            What the file's content must be, as `app.layer_cache.file_digest` has it; empty = any.

        Raises
        ------
        UserError
            ``model.missing``, ``model.changed``, ``model.reader_died``, or what the request itself has to say.
        """
        self._check(path, digest)
        for _ in range(STARTS):
            feedback.step(0.0)
            reader = self._reader(path)
            try:
                return reader.ask(name, arguments, feedback)
            except ReaderDied:
                if self._closed:
                    raise Cancelled from None
        raise UserError(
            f"The reader of {path.name} stopped twice.",
            f"The library that reads IFC files ended while it was asked for {name}. Your work is not affected.",
            "Try another element; if it happens for all, export the model again.",
            code="model.reader_died",
            values={"name": path.name, "request": name},
        )

    def _check(self, path: Path, digest: str) -> None:
        """Refuse a file with other content than the layers were made from."""
        stamp = stamp_of(path)
        if not digest:
            return
        known = self._digests.get(path)
        if known is None or known[0] != stamp:
            known = self._digests[path] = (stamp, file_digest(path))
        if known[1] != digest:
            raise UserError(
                f"{path.name} has changed since it was imported.",
                "What is shown and what the file now says may differ, so the two are not mixed.",
                "Import the file again.",
                code="model.changed",
                values={"name": path.name},
            )

    def _reader(self, path: Path) -> ModelReader:
        with self._lock:
            if self._closed:
                raise Cancelled
            found = self._readers.get(path)
            if found is not None and not found.is_alive:
                self.deaths += 1
                log.warning("the reader of %s ended by itself; another one is started", path.name)
            if found is not None and (not found.is_alive or found.stamp != stamp_of(path)):
                found.close()
                found = None
            if found is None:
                found = self._readers[path] = ModelReader(path)
            found.used = time.monotonic()
            return found

    def reader(self, path: Path) -> ModelReader | None:
        """The reader of a file if it runs."""
        return self._readers.get(path)

    def close_unused(self, *, unused_s: float = UNUSED_S) -> int:
        """Close readers that nobody has asked for some time; gives how many."""
        now = time.monotonic()
        with self._lock:
            old = [p for p, r in self._readers.items() if not r.is_busy and now - r.used >= unused_s]
            gone = [self._readers.pop(path) for path in old]
        for reader in gone:
            reader.close()
        return len(gone)

    def forget(self, path: Path) -> None:
        """Close the reader of a file that is no longer in the scene."""
        with self._lock:
            reader = self._readers.pop(path, None)
        if reader is not None:
            reader.close()

    def close(self) -> None:
        """End all readers; nothing can be asked any more."""
        with self._lock:
            self._closed = True
            readers, self._readers = list(self._readers.values()), {}
        for reader in readers:
            reader.close()
