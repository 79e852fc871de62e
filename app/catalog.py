"""Headless. The one place that knows every file format; analyses have their own registry."""

from __future__ import annotations

import contextlib
import fnmatch
import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import bim.formats
import geo.formats
from geo.formats.contract import HEAD_BYTES, Format
from geo.model import UserError

# Ends of names that many formats share; of such a file only the content tells what it is.
OPEN_SUFFIXES = {".json", ".jsonl", ".xml", ".gml", ".zip", ".gz", ".txt", ".csv", ""}


def format_modules() -> tuple[str, ...]:
    """Names of all files in `geo.formats` and `bim.formats`; none is imported for it."""
    packages = (geo.formats, bim.formats)
    return tuple(f"{p.__name__}.{info.name}" for p in packages for info in pkgutil.iter_modules(p.__path__))


@cache
def formats() -> dict[str, Format]:
    """All formats by id, from every file in `geo.formats` and `bim.formats` that has a ``FORMAT``."""
    found: dict[str, Format] = {}
    for name in format_modules():
        declared = getattr(importlib.import_module(name), "FORMAT", None)
        if declared is not None and found.setdefault(declared.id, declared) is not declared:
            raise RuntimeError(f"two formats are called {declared.id}")
    return dict(sorted(found.items()))


def file_head(path: Path) -> bytes:
    """The first bytes of a file. Raises `UserError` if it is absent, a folder, empty or unreadable."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except FileNotFoundError:
        raise UserError(
            f"{path} does not exist.",
            "There is no file of that name.",
            "Check the name and the folder.",
            code="file.absent",
            values={"path": str(path)},
        ) from None
    except IsADirectoryError:
        raise UserError(
            f"{path} is a folder.",
            "A single file is wanted here.",
            "Name a file in it.",
            code="file.folder",
            values={"path": str(path)},
        ) from None
    except OSError as error:
        raise not_opened(path, error) from error
    if not head:
        raise UserError(
            f"{path.name} is empty.",
            "The file has no content at all; a copy or a download may have failed.",
            "Fetch the file again.",
            code="file.empty",
            values={"path": str(path), "name": path.name},
        )
    return head


def not_opened(path: Path, error: OSError) -> UserError:
    """The error of a file that the system does not give, or not any more."""
    reason = error.strerror or str(error)
    return UserError(
        f"{path} cannot be opened.",
        f"The system says: {reason}.",
        "Check that you may read it and that no other program holds it.",
        code="file.not_opened",
        values={"path": str(path), "reason": reason},
    )


@contextlib.contextmanager
def while_it_is_there(path: Path) -> Iterator[None]:
    """Turns a file's going away while it is read into a `UserError`."""
    try:
        yield
    except OSError as error:
        raise not_opened(path, error) from error


def matches_name(candidate: Format, path: Path) -> bool:
    """Whether the file name looks like the format's."""
    return any(fnmatch.fnmatch(path.name.lower(), pattern.lower()) for pattern in candidate.patterns)


def detect(path: Path) -> Format:
    """The format of a file by its bytes; the name breaks ties. Raises `UserError` if no format fits."""
    head = file_head(path)
    fits = [f for f in formats().values() if f.sniff(path, head)]
    named = next((f for f in fits if matches_name(f, path)), None)
    if named is not None:
        return named
    claimed = [] if path.suffix.lower() in OPEN_SUFFIXES else [f for f in formats().values() if matches_name(f, path)]
    if claimed:
        content = f"is {fits[0].title}" if fits else "is something else or damaged from the first byte"
        advice = "Give it the name it should have" if fits else "Check how the file was made"
        raise UserError(
            f"{path.name} is not what its name says.",
            f"The name belongs to {claimed[0].title}, but the content {content}.",
            f"{advice}, or fetch it again.",
            code="file.wrong_name",
            values={"name": path.name, "format": claimed[0].title},
        )
    if fits:
        return fits[0]
    raise UserError(
        f"{path.name} is of a kind the program cannot read.",
        f"Its content fits none of: {', '.join(f.title for f in formats().values())}.",
        "Convert it to one of these; 'twin list formats' tells more.",
        code="file.unknown",
        values={"name": path.name, "formats": ", ".join(f.title for f in formats().values())},
    )


def by_suffix(path: Path) -> Format:
    """The format to write a new file in, by its name."""
    found = next((f for f in formats().values() if f.write and matches_name(f, path)), None)
    if found is None:
        raise UserError(
            f"The program cannot write a file called {path.name}.",
            "It goes by the end of the name, and no format that can be written has this one.",
            f"Use one of: {', '.join(p for f in formats().values() if f.write for p in f.patterns)}.",
            code="file.cannot_write",
            values={"name": path.name},
        )
    return found
