"""The bytes of a CityGML file to XML elements, one city object at a time; packed or not, and safe with hostile text."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

from geo.model import UserError

Progress = Callable[[float, str], None]
Element = Any  # lxml's elements have no types of their own

CHUNK = 1 << 18
# Text may become this many times longer when unpacked; deflate cannot exceed 1032, cities stay below 60.
MAX_RATIO = 300.0
SMALL = 64 * 1024**2
MAX_BYTES = 64 * 1024**3
MAX_ENTRIES = 10_000
HEAD = 1 << 16

# Encodings to try where the one declared is wrong; Korean programs write the second and declare the first.
ENCODINGS = ("utf-8", "cp949")
_ENCODING_FAULTS = ("character encoding", "proper UTF-8", "Unsupported encoding", "encoding error", "Invalid char in")
_ROOT = re.compile(rb"<(?:[\w.-]+:)?CityModel[\s>]")
_NAMESPACE = re.compile(rb"https?://(?:www\.)?(?:opengis\.net|citygml\.org)/citygml/")
_MEMBERS = ("{*}cityObjectMember", "{*}featureMember", "{*}featureMembers", "{*}appearanceMember")
_ENVELOPE = re.compile(rb"<[\w.:-]*Envelope\b[^<>]*srsName")
_DIMENSION = re.compile(rb"srsDimension\s*=\s*[\"']\s*[^3\s\"']")
_ROOT_TAG = "{*}CityModel"


@dataclass
class Hints:
    """What the text of the file says beforehand, so that the rare cases cost nothing where they do not occur."""

    names_systems: bool = False
    other_dimensions: bool = False


class WrongEncodingError(Exception):
    """The bytes are not text of the encoding that the file declares."""


class Entry(NamedTuple):
    """One CityGML document: its name and a function that opens its bytes."""

    name: str
    open: Callable[[], IO[bytes]]


def looks_like(head: bytes) -> bool:
    """Whether text begins a city model in one of the CityGML namespaces."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", errors="ignore").encode()
    return bool(_ROOT.search(head) and _NAMESPACE.search(head))


def documents(path: Path, *, limit: int = MAX_ENTRIES) -> list[Entry]:
    """The CityGML documents of a file: itself, what gzip holds, or the entries of a zip that are CityGML.

    limit : how many entries to look for.
    """
    with path.open("rb") as stream:
        mark = stream.read(4)
    if mark.startswith(b"PK\x03\x04"):
        return _zip_entries(path, limit)
    if mark.startswith(b"\x1f\x8b"):
        return [Entry(path.name.removesuffix(".gz"), lambda: _limited(gzip.open(path, "rb"), path))]
    return [Entry(path.name, lambda: path.open("rb"))]


def _zip_entries(path: Path, limit: int) -> list[Entry]:
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()[:MAX_ENTRIES]
        names = [info.filename for info in infos if info.filename.lower().endswith((".gml", ".xml", ".citygml"))]
        found: list[str] = []
        for name in sorted(names):
            if len(found) == limit:
                break
            with archive.open(name) as stream:
                if looks_like(stream.read(HEAD)):
                    found.append(name)
    return [Entry(name.rsplit("/", 1)[-1], partial(_zip_stream, path, name)) for name in found]


def _zip_stream(path: Path, name: str) -> IO[bytes]:
    return _limited(zipfile.ZipFile(path).open(name), path)


class _Limited(io.RawIOBase):
    """Unpacked bytes of a packed file, refused when there are far too many of them."""

    def __init__(self, stream: IO[bytes], packed: int, name: str) -> None:
        self._stream, self._packed, self._name, self._seen = stream, packed, name, 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises `UserError` for a bomb."""
        data = self._stream.read(size)
        self._seen += len(data)
        if self._seen > MAX_BYTES or (self._seen > SMALL and self._seen > MAX_RATIO * self._packed):
            raise UserError(
                f"{self._name} unpacks to far more than a city model holds.",
                f"More than {self._seen // 1024**2} MB came out of {max(self._packed // 1024, 1)} kB.",
                "Such a file is damaged or made to fill the memory. If you trust it, unpack it yourself first.",
                code="citygml.bomb",
                values={"name": self._name, "megabytes": self._seen // 1024**2, "packed": self._packed // 1024},
            )
        return data

    def close(self) -> None:
        """Close the packed stream too."""
        self._stream.close()
        super().close()


def _limited(stream: Any, path: Path) -> IO[bytes]:
    return _Limited(stream, path.stat().st_size, path.name)  # type: ignore[return-value]


class _Recoded(io.RawIOBase):
    """Text of another encoding as UTF-8; what cannot be decoded becomes a question mark."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream, self._decoder = stream, codecs.getincrementaldecoder(encoding)("replace")

    def read(self, size: int = -1) -> bytes:
        """The next bytes, empty only at the end."""
        data = self._stream.read(size)
        text = self._decoder.decode(data, final=not data)
        while data and not text:
            data = self._stream.read(size)
            text = self._decoder.decode(data, final=not data)
        return text.encode()

    def close(self) -> None:
        """Close the stream below too."""
        self._stream.close()
        super().close()


def _opened(entry: Entry, encoding: str | None) -> IO[bytes]:
    stream = entry.open()
    return stream if encoding is None else _Recoded(stream, encoding)  # type: ignore[return-value]


def true_encoding(entries: list[Entry]) -> str:
    """The encoding in which all bytes make sense, whatever the files declare; UTF-8 if none does."""
    return next((name for name in ENCODINGS if all(_decodes(entry, name) for entry in entries)), ENCODINGS[0])


def _decodes(entry: Entry, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        with entry.open() as stream:
            while chunk := stream.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def elements(
    entry: Entry, size: int, progress: Progress, hints: Hints, *, encoding: str | None = None
) -> Iterator[tuple[str, Element]]:
    """``("root", element)`` once, then ``("member", element)`` for each child of the city model, forgotten afterwards.

    size : bytes of the file, for the progress.
    encoding : the encoding of the bytes where the one declared is wrong.
    """
    from lxml import etree

    parser = etree.XMLPullParser(
        events=("start", "end"),
        tag=(_ROOT_TAG, *_MEMBERS),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8" if encoding else None,
    )
    with (
        _told(entry.name, may_recode=encoding is None),
        _Recoded(entry.open(), encoding) if encoding else entry.open() as stream,
    ):
        root = None
        done = 0
        head = stream.read(HEAD)
        _refuse_entities(head, entry.name)
        chunk, tail = head, b""
        while chunk:
            _look_ahead(tail + chunk, hints)
            tail = chunk[-32:]
            parser.feed(chunk)
            for event, element in parser.read_events():
                if root is None:
                    root = element
                    _check_root(root, entry.name)
                    yield "root", root
                if event == "end" and element is not root:
                    yield "member", element
                    _forget(element, root)
            done += len(chunk)
            progress(min(done / max(size, done), 0.999), entry.name)
            chunk = stream.read(CHUNK)
        parser.close()
        if root is None:
            raise _not_a_city(entry.name, "another root element")


def _look_ahead(text: bytes, hints: Hints) -> None:
    """Note whether geometries name coordinate systems or dimensions of their own, before they are read."""
    if text[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in text[:64]:
        hints.names_systems = hints.other_dimensions = True
    if not hints.names_systems:
        # one name stands in the envelope of the whole model
        named = text.count(b"srsName")
        hints.names_systems = named > 0 and named > len(_ENVELOPE.findall(text))
    if not hints.other_dimensions:
        hints.other_dimensions = _DIMENSION.search(text) is not None


def _forget(element: Element, root: Element) -> None:
    """Free an element and what precedes it, so that a large file does not fill the memory."""
    element.clear()
    if element.getparent() is root:
        while element.getprevious() is not None:
            del root[0]


def _refuse_entities(head: bytes, name: str) -> None:
    """Raise `UserError` for a document type: city models have none, attacks on XML readers do."""
    text = head.decode("utf-16", errors="ignore").encode() if head[:2] in (b"\xff\xfe", b"\xfe\xff") else head
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise _entities(name)


def _entities(name: str) -> UserError:
    return UserError(
        f"{name} declares a document type with entities of its own.",
        "City models never need that; it is the way files make a program read other files or fill its memory.",
        "Get the file from its publisher, or remove the line with DOCTYPE if you trust it.",
        code="citygml.entities",
        values={"name": name},
    )


def _check_root(root: Element, name: str) -> None:
    if root.getroottree().docinfo.internalDTD is not None:
        raise _entities(name)
    namespace, _, local = root.tag[1:].rpartition("}")
    if local != "CityModel" or not _NAMESPACE.match(namespace.encode()):
        raise _not_a_city(name, f"{local} of {namespace[:80] or 'no namespace'}")


def _not_a_city(name: str, found: str) -> UserError:
    return UserError(
        f"{name} is XML, but not CityGML.",
        f"It begins with {found}; a city model begins with CityModel in a CityGML namespace.",
        "Choose a CityGML 1.0, 2.0 or 3.0 file, or open this one with the format it really has.",
        code="citygml.not_citygml",
        values={"name": name, "found": found},
    )


@contextmanager
def _told(name: str, *, may_recode: bool) -> Iterator[None]:
    """Faults of the bytes and of the XML as errors that people understand, of the encoding as `WrongEncodingError`."""
    from lxml import etree

    try:
        yield
    except etree.XMLSyntaxError as error:
        if may_recode and any(sign in str(error) for sign in _ENCODING_FAULTS):
            raise WrongEncodingError(name) from error
        raise UserError(
            f"{name} is not complete XML.",
            f"The parser stopped: {str(error)[:200]}.",
            "The file is damaged or cut off. Get it again, or export it again.",
            code="citygml.not_xml",
            values={"name": name, "reason": str(error)[:200]},
        ) from error
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise unreadable(name, error) from error


def unreadable(name: str, error: Exception) -> UserError:
    """The error for bytes that cannot be had."""
    return UserError(
        f"{name} cannot be read.",
        f"The system says: {error}.",
        "Check that the file exists, is complete, is not locked with a password and may be read.",
        code="citygml.unreadable",
        values={"name": name, "error": str(error)},
    )
