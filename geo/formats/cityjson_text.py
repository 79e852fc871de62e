"""Bytes to JSON for city models: packed or not, in one piece or line by line, with what is tolerated noted."""

from __future__ import annotations

import gc
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson

from geo.model import Issue, UserError

# A JSON document takes six to ten times its size in memory; beyond this CityJSONSeq or a smaller extract is needed.
MAX_BYTES = 2 * 1024**3


@contextmanager
def collector_paused() -> Iterator[None]:
    """Python's search for reference cycles, paused.

    A parsed city is millions of small lists without a cycle. Searching them again and again while they are made takes
    three times as long as the parser itself, and holds up every other thread meanwhile.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def opened(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked on the way when it is gzip."""
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def next_line(stream: IO[bytes]) -> bytes:
    """The next line with something on it, empty at the end."""
    return next((line for line in stream if line.strip()), b"")


def first_line(line: bytes) -> Any:
    """The document the first line holds, None if it does not hold a whole one."""
    if not line.rstrip().endswith(b"}"):
        return None
    try:
        return orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return None


def too_large(name: str) -> UserError:
    """The error for a file beyond `MAX_BYTES`."""
    return UserError(
        f"{name} is too large to be opened at once.",
        f"It holds more than {MAX_BYTES / 1024**3:.0f} GB of text, several times that in memory.",
        "Split it into tiles, or convert it to CityJSONSeq (.city.jsonl) and read a part with a box.",
        code="cityjson.too_large",
        values={"name": name, "limit": f"{MAX_BYTES / 1024**3:.0f}"},
    )


def parsed(data: bytes, name: str) -> tuple[Any, list[Issue]]:
    """The JSON document; tolerates a byte order mark, bytes that are not UTF-8 and NaN, and says so."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise UserError(
            f"{name} is empty.",
            "There is nothing in it.",
            "Get the file again; the copy or download may have been interrupted.",
            code="cityjson.empty",
            values={"name": name},
        )
    try:
        return orjson.loads(data), []
    except orjson.JSONDecodeError as error:
        return _rescued(data, name, error)


def _rescued(data: bytes, name: str, error: ValueError) -> tuple[Any, list[Issue]]:
    """Second try with Python's own parser, which accepts NaN and numbers without limit."""
    remarks = []
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("utf-8", errors="replace")
        remarks.append(
            Issue(
                "cityjson.not_utf8",
                "Some bytes of the file are not UTF-8 text; they are shown as question marks.",
                "doubt",
                text.count("�"),
            )
        )
    if not remarks and b"NaN" not in data and b"Infinity" not in data and "infinity" not in str(error):
        raise _not_json(name, str(error)) from error
    try:
        return json.loads(text), remarks
    except (ValueError, RecursionError) as second:
        raise _not_json(name, str(second)) from second


def _not_json(name: str, reason: str) -> UserError:
    return UserError(
        f"{name} is not complete JSON text.",
        f"The parser stopped: {reason[:200]}.",
        "The file is damaged or cut off. Get it again, or export it again.",
        code="cityjson.not_json",
        values={"name": name, "reason": reason[:200]},
    )
