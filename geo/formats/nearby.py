"""Files that another file refers to: only from its own folder downwards, never from the network."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from geo.model import UserError

SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.\-]*:")
LARGEST = 2**31  # bytes of one part


@dataclass(frozen=True)
class Nearby:
    """Parts of a file found by relative names.

    Attributes
    ----------
    name : str
        Of the file that refers, for messages.
    root : Path
        Nothing outside of this folder is opened.
    folder : Path
        Where relative names start, `root` or below.
    """

    name: str
    root: Path
    folder: Path

    @staticmethod
    def beside(path: Path) -> Nearby:
        """Parts in the folder of a file and below."""
        folder = path.absolute().parent.resolve()
        return Nearby(path.name, folder, folder)

    def within(self, part: Path) -> Nearby:
        """The same root, names relative to another part's folder."""
        return Nearby(part.name, self.root, part.parent)

    def locate(self, uri: str) -> Path:
        """The file a relative name means. Raises `UserError` for the network, other folders and what is not there."""
        if uri[:2] == "//" or SCHEME.match(uri):
            raise _remote(self.name, uri)
        plain = unquote(re.split(r"[?#]", uri, maxsplit=1)[0]).replace("\\", "/")
        if not plain or "\0" in plain or PurePosixPath(plain).is_absolute() or SCHEME.match(plain):
            raise _outside(self.name, uri)
        try:
            found = (self.folder / plain).resolve()
        except (OSError, RuntimeError, ValueError) as error:
            raise _absent(self.name, uri) from error
        if not found.is_relative_to(self.root):
            raise _outside(self.name, uri)
        if not found.is_file():
            raise _absent(self.name, uri)
        return found

    def read(self, uri: str, *, most: int = LARGEST) -> bytes:
        """Content of a part, or of a ``data:`` address."""
        if uri[:5].lower() == "data:":
            return _embedded(self.name, uri)
        found = self.locate(uri)
        try:
            if found.stat().st_size > most:
                raise _too_large(self.name, uri)
            return found.read_bytes()
        except OSError as error:
            raise _absent(self.name, uri) from error


def _embedded(name: str, uri: str) -> bytes:
    head, _, body = uri.partition(",")
    try:
        return base64.b64decode(body) if head.lower().endswith(";base64") else unquote(body).encode("latin-1")
    except (binascii.Error, ValueError) as error:
        raise UserError(
            f"{name} is damaged.",
            "Data embedded in it cannot be decoded.",
            "Export the file again.",
            code="parts.embedded",
            values={"name": name},
        ) from error


def _remote(name: str, uri: str) -> UserError:
    return UserError(
        f"{name} refers to data on the network.",
        f"It names {uri[:100]}, and the program opens only files that lie beside it.",
        "Download the whole data set into one folder and open it there.",
        code="parts.remote",
        values={"name": name, "uri": uri[:100]},
    )


def _outside(name: str, uri: str) -> UserError:
    return UserError(
        f"{name} refers to a file outside of its own folder.",
        f"It names {uri[:100]}; files elsewhere on this machine are not opened on a file's word.",
        "Put all parts into one folder, with relative names.",
        code="parts.outside",
        values={"name": name, "uri": uri[:100]},
    )


def _absent(name: str, uri: str) -> UserError:
    return UserError(
        f"A part of {name} is missing.",
        f"It names {uri[:100]}, which does not lie beside it.",
        "Copy all files of the data set, keeping their folders.",
        code="parts.absent",
        values={"name": name, "uri": uri[:100]},
    )


def _too_large(name: str, uri: str) -> UserError:
    return UserError(
        f"A part of {name} is too large.",
        f"{uri[:100]} is larger than two gigabytes.",
        "Split it, or read a coarser version.",
        code="parts.too_large",
        values={"name": name, "uri": uri[:100]},
    )
