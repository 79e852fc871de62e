"""A BCF file as an archive that nobody trusts: sizes are limited, names stay inside, XML has no entities."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from geo.model import Issue, UserError

if TYPE_CHECKING:
    from lxml.etree import _Element

MOST_MEMBERS = 50_000
LARGEST_XML, LARGEST_PICTURE = 64 << 20, 32 << 20  # bytes
LARGEST_ARCHIVE = 2 << 30  # bytes of all members together, unpacked
LARGEST_GROWTH = 2_000  # times that a member may grow by unpacking, from 1 MiB on
SMALL = 1 << 20


class BrokenPart(Exception):
    """A member that cannot be used; the message says why in plain English."""


class BcfArchive:
    """A BCF file open for reading. Members are read one by one and never written to disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.issues: list[Issue] = []
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise not_bcf(path, f"it is not a readable ZIP archive ({error})") from error
        try:
            self.names = self._safe_names()
        except UserError:
            self._zip.close()
            raise

    def __enter__(self) -> BcfArchive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def _safe_names(self) -> dict[str, str]:
        """Names of the members inside the archive, as they are looked up, to the names they have."""
        members = self._zip.infolist()
        total = sum(member.file_size for member in members)
        if len(members) > MOST_MEMBERS or total > LARGEST_ARCHIVE:
            raise not_bcf(self.path, f"it would unpack to {len(members):,} files of {total / 1e6:,.0f} MB")
        found: dict[str, str] = {}
        outside = 0
        for member in members:
            name = inside(member.filename)
            if name is None:
                outside += 1
            elif not member.is_dir():
                found.setdefault(name.lower(), member.filename)
        if outside:
            self.issues.append(
                Issue(
                    "bcf.bad_path",
                    f"{outside} entries of {self.path.name} point outside the archive and are not read.",
                    severity="doubt",
                    count=outside,
                    values={"name": self.path.name, "count": outside},
                )
            )
        return found

    def ending(self, suffix: str) -> Iterator[str]:
        """Names of members that end so, in the order of the archive."""
        return (name for name in self.names if name.endswith(suffix))

    def read(self, name: str, *, limit: int) -> bytes:
        """The content of a member. Raises `BrokenPart`."""
        stored = self.names.get(name.lower())
        if stored is None:
            raise BrokenPart(f"{name} is not in the archive")
        member = self._zip.getinfo(stored)
        grown = member.file_size > SMALL and member.file_size > LARGEST_GROWTH * max(member.compress_size, 1)
        if member.file_size > limit or grown:
            raise BrokenPart(f"{name} would unpack to {member.file_size / 1e6:,.0f} MB")
        try:
            with self._zip.open(member) as file:
                data = file.read(limit + 1)
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
            raise BrokenPart(f"{name} cannot be unpacked ({error})") from error
        except Exception as error:  # zlib.error and lzma.LZMAError have no common base
            if type(error).__module__ not in ("zlib", "_lzma", "lzma", "bz2"):
                raise
            raise BrokenPart(f"{name} cannot be unpacked ({error})") from error
        if len(data) > limit:
            raise BrokenPart(f"{name} is larger than it says")
        return data

    def xml(self, name: str) -> _Element:
        """The root element of an XML member. Raises `BrokenPart`."""
        return parse(self.read(name, limit=LARGEST_XML), name)


def parse(data: bytes, name: str) -> Any:
    """Root of an XML document without DTD and entities; element names without namespaces."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, recover=False
    )
    try:
        root = etree.fromstring(data.lstrip(b"\xef\xbb\xbf \r\n\t"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BrokenPart(f"{name} is not well-formed XML ({error})") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise BrokenPart(f"{name} has a DOCTYPE, which can hide other files and endless text")
    for element in root.iter(etree.Element):
        element.tag = etree.QName(element).localname
    return root


def inside(name: str) -> str | None:
    """The name of a member if it stays within the archive, else None."""
    cleaned = posixpath.normpath(name.replace("\\", "/"))
    outside = cleaned.startswith(("/", "../")) or cleaned in ("..", ".") or ":" in cleaned.partition("/")[0]
    return None if outside or "\0" in name else cleaned


def not_bcf(path: Path, reason: str) -> UserError:
    """The error for a file that is no BCF at all."""
    return UserError(
        f"{path.name} is not a BCF file that can be read.",
        f"Reading it failed: {reason}.",
        "Export the topics again, or check that the file was copied completely.",
        code="bcf.not_bcf",
        values={"name": path.name, "reason": reason},
    )
