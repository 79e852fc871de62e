"""Headless. Files of OpenFOAM: their heads, long lists of numbers written in pieces, and fields read back."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.model import UserError

Floats = NDArray[np.float64]
ROWS = 20_000  # lines made at a time
ARCH = re.compile(rb"label=(\d+);\s*scalar=(\d+)")
LIST = re.compile(rb"internalField\s+nonuniform\s+List<(scalar|vector)>\s*(\d+)\s*\(")
UNIFORM = re.compile(rb"internalField\s+uniform\s+(\(?[^;)]*\)?)\s*;")


class Head(NamedTuple):
    """What a file says of itself."""

    kind: str
    name: str
    place: str
    note: str = ""


def head(of: Head) -> bytes:
    """The head of a file."""
    note = f'    note        "{of.note}";\n' if of.note else ""
    return (
        "FoamFile\n{\n    version     2.0;\n    format      ascii;\n"
        f'    class       {of.kind};\n{note}    location    "{of.place}";\n    object      {of.name};\n}}\n\n'
    ).encode()


def rows_text(values: NDArray[np.generic], pattern: str) -> Iterator[bytes]:
    """One line for each row of (n,) or (n, m) values, in pieces; `pattern` has m places and ends the line."""
    for start in range(0, len(values), ROWS):
        piece = values[start : start + ROWS]
        yield ((pattern * len(piece)) % tuple(piece.ravel().tolist())).encode()


def list_text(values: NDArray[np.generic], pattern: str) -> Iterator[bytes]:
    """A list: its length, a bracket, the rows, a bracket."""
    yield f"{len(values)}\n(\n".encode()
    yield from rows_text(values, pattern)
    yield b")\n"


def labels_text(values: NDArray[np.integer]) -> Iterator[bytes]:
    """A list of whole numbers."""
    return list_text(values, "%d\n")


def field_text(values: Floats) -> Iterator[bytes]:
    """``nonuniform List<...>`` of scalars (n,) or vectors (n, 3), without the semicolon."""
    kind, pattern = ("vector", "(%.7g %.7g %.7g)\n") if values.ndim == 2 else ("scalar", "%.7g\n")
    yield f"nonuniform List<{kind}>\n".encode()
    yield from list_text(values, pattern)


def chained(*parts: bytes | Iterable[bytes]) -> Iterator[bytes]:
    """Texts and pieces of texts one after the other."""
    for part in parts:
        if isinstance(part, bytes):
            yield part
        else:
            yield from part


def read_field(path: Path, *, cells: int) -> Floats:
    """(cells,) or (cells, 3) values inside a field's file, in text or binary, packed or not.

    Raises
    ------
    UserError
        It is damaged, not a field, or of another mesh.
    """
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    found = LIST.search(data)
    if found is None:
        return _uniform(path, data, cells)
    parts, count = (3 if found[1] == b"vector" else 1), int(found[2])
    if count != cells:
        raise _damaged(path, f"it has {count} cells, the mesh has {cells}")
    is_binary = re.search(rb"format\s+binary", data[:2000]) is not None
    values = _binary(path, data, found.end(), count * parts) if is_binary else _text(data, found.end(), parts)
    if len(values) != count * parts or not np.isfinite(values).all():
        raise _damaged(path, "numbers are missing, or are none")
    return values.reshape(count, 3) if parts == 3 else values


def _uniform(path: Path, data: bytes, cells: int) -> Floats:
    found = UNIFORM.search(data)
    if found is None:
        raise _damaged(path, "it holds no field of cells")
    try:
        value = np.array([float(word) for word in found[1].strip(b"()").split()])
    except ValueError as error:
        raise _damaged(path, str(error)) from error
    return np.tile(value, (cells, 1)) if len(value) == 3 else np.full(cells, value[0])


def _binary(path: Path, data: bytes, start: int, count: int) -> Floats:
    arch = ARCH.search(data[:2000])
    kind = np.dtype("<f4" if arch is not None and arch[2] == b"32" else "<f8")
    if len(data) < start + count * kind.itemsize:
        raise _damaged(path, "it ends too early")
    return np.frombuffer(data, kind, count, start).astype(np.float64)


def _text(data: bytes, start: int, parts: int) -> Floats:
    end = data.find(b"\n)", start)
    body = data[start : end if end >= 0 else len(data)]
    text = (body.translate(_BLANKS) if parts == 3 else body).decode("ascii", errors="replace")
    try:
        return np.fromstring(text, dtype=np.float64, sep=" ")
    except (ValueError, DeprecationWarning):  # words among the numbers
        return np.zeros(0)


_BLANKS = bytes.maketrans(b"()", b"  ")


def _damaged(path: Path, why: str) -> UserError:
    return UserError(
        f"The result {path.name} of OpenFOAM cannot be used.",
        f"Something is wrong with it: {why}.",
        "Run the case again, or give the folder of a finished one.",
        code="openfoam.damaged",
        values={"name": path.name, "why": why},
    )
