"""Open an IFC file: header, schema name, archive, damage. Everything that can be wrong before the first entity."""

from __future__ import annotations

import lzma
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from bim.attributes import by_type, members, text, unit_scale
from bim.notebook import FOLDER_VARIABLE
from geo.model import Issue, UserError

if TYPE_CHECKING:
    import ifcopenshell

    from bim.selection import Selection

HEADER_LIMIT = 1 << 20  # a header with long descriptions is a few kB; a megabyte is generous
TAIL_BYTES = 4096
LARGE_OBJECTS = 20_000
SCANNED = 1 << 24  # bytes looked at in one go
LAZY_BYTES = 20 << 20  # from here on entities are parsed when they are asked for: half the memory
EXPANSION_LIMIT = 4 << 30  # bytes of one file inside an archive
# IFC text shrinks 5 to 30 times; the parts of an archive bomb shrink a thousand times.
RATIO_LIMIT = 200
RATIO_FREE = 64 << 20  # a small expansion cannot hurt, whatever its ratio

SCHEMA_NAME = re.compile(rb"FILE_SCHEMA\s*\(\s*\(\s*'([^']*)'")
ANY_SCHEMA = re.compile(rb"FILE_SCHEMA\s*\(\s*\(\s*'\s*(\w*)")
# What the library reads under another name. Release candidates of IFC4X3 differ in their entities and stay out.
READ_AS = (
    (re.compile(r"IFC2X3(_TC\d)?$"), "IFC2X3"),
    (re.compile(r"IFC4(_ADD\d)?(_TC\d)?$"), "IFC4"),
    (re.compile(r"IFC4X3(_ADD\d)?(_TC\d)?$"), "IFC4X3_ADD2"),
)
LOG_ERROR = re.compile(r"^\[error\]", re.MULTILINE)


@dataclass(frozen=True)
class Model:
    """An opened IFC file.

    Attributes
    ----------
    file : ifcopenshell.file
    schema : str
        As the file names it, e.g. ``"IFC4X3"``, also where it is read under another name.
    metres_per_unit : float
        Length of the file's length unit [m].
    issues : tuple of Issue
        About the file as such: renamed schema, damage.
    """

    file: ifcopenshell.file
    schema: str
    metres_per_unit: float
    issues: tuple[Issue, ...]

    @cached_property
    def selection(self) -> Selection:
        """Which products get a body; worked out once."""
        from bim.selection import select_products

        return select_products(self.file)

    @property
    def is_large(self) -> bool:
        """Whether a list of all its property values would take longer than it is worth."""
        return len(self.file.by_type("IfcObject")) > LARGE_OBJECTS


def is_ifc(path: Path, head: bytes) -> bool:
    """Whether the first bytes belong to an IFC file, an archive with one, or a relative that is not supported."""
    if head.startswith(b"PK\x03\x04"):
        return path.suffix.lower() == ".ifczip" or _holds_ifc(path)
    if b"ISO-10303-21" in head[:512]:
        found = ANY_SCHEMA.search(head)
        return found is None or found[1].upper().startswith(b"IFC")
    return unsupported_relative(head) != ""


def unsupported_relative(head: bytes) -> str:
    """``"ifcXML"`` or ``"IFC5 (.ifcx)"`` where the bytes are of these, else ``""``."""
    if b"ifcXML" in head or b"<ifc:" in head or b"iso_10303_28" in head:
        return "ifcXML"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and re.search(rb'"ifcx(Version)?"|ifcx_alpha', head):
        return "IFC5 (.ifcx)"
    return ""


def _holds_ifc(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return bool(_members(archive))
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [
        entry
        for entry in archive.infolist()
        if not entry.is_dir()
        and entry.filename.lower().endswith((".ifc", ".ifcxml"))
        and not Path(entry.filename).name.startswith(("._", "__MACOSX"))
        and "__MACOSX/" not in entry.filename
    ]


def longest_statement(path: Path) -> int:
    """Length [bytes] of the longest statement of a STEP file: a bound for the faces that one shape lists."""
    longest = open_since = 0
    with path.open("rb") as file:
        while block := file.read(SCANNED):
            ends = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == ord(";"))
            if len(ends) == 0:
                open_since += len(block)
                continue
            longest = max(longest, open_since + int(ends[0]), int(np.diff(ends).max(initial=0)))
            open_since = len(block) - int(ends[-1])
    return max(longest, open_since)


_last: list[tuple[tuple[str, int, int], Model]] = []


def opened(path: Path) -> Model:
    """As `open_model`; a reading process of one file, which describes it first and reads it then, opens it once."""
    if FOLDER_VARIABLE not in os.environ:
        return open_model(path)
    stat = path.stat()
    key = (str(path), stat.st_size, stat.st_mtime_ns)
    if not _last or _last[0][0] != key:
        _last.clear()
        _last.append((key, open_model(path)))
    return _last[0][1]


def open_model(path: Path) -> Model:
    """Open an ``.ifc`` or ``.ifczip`` file.

    Raises
    ------
    UserError
        For anything that is not a whole, supported IFC file with a project in it.
    """
    try:
        with _plain_file(path) as plain:
            schema = _checked_header(path, plain)
            known = _supported(path, schema)
            with _renamed(plain, schema, known) as named:
                file, log = _parse(path, named, lazy=named == path and named.stat().st_size >= LAZY_BYTES)
    except OSError as error:
        raise damaged(path, str(error.strerror or error)) from error
    issues = []
    if known != schema:
        issues.append(
            Issue(
                "ifc.schema_read_as",
                f"The file calls its schema {schema}; it is read as {known}.",
                values={"schema": schema, "known": known},
            )
        )
    issues += _damage(log)
    issues += _units_said(file)
    issues += _several_projects(file)
    if not file.by_type("IfcProject"):
        raise UserError(
            f"{path.name} holds no project.",
            "Every IFC model has one IfcProject, which gives the units; without it no length means anything.",
            "Export the model again.",
            code="ifc.no_project",
            values={"name": path.name},
        )
    return Model(file, schema, _length_unit(path, file), tuple(issues))


def _damage(log: str) -> list[Issue]:
    count = len(LOG_ERROR.findall(log))
    if not count:
        return []
    return [
        Issue(
            "ifc.damaged_parts",
            f"{count} places in the file are damaged or point to something that is not in it; what hangs on them is "
            "missing or incomplete.",
            severity="error",
            count=count,
            values={"first": log.strip().splitlines()[0][:200]},
        )
    ]


def damaged(path: Path, reason: str) -> UserError:
    """The error for a file the library cannot make sense of."""
    return UserError(
        f"{path.name} cannot be read as IFC.",
        f"The file is damaged or not IFC at all ({reason[:200]}).",
        "Open it in the program that made it and export it again.",
        code="ifc.damaged",
        values={"name": path.name, "reason": reason[:200]},
    )


@contextmanager
def _plain_file(path: Path) -> Iterator[Path]:
    """The file itself, or the one file of an archive, unpacked for the time being."""
    with path.open("rb") as file:
        is_archive = file.read(4) == b"PK\x03\x04"
    if not is_archive:
        yield path
        return
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            entry = _only_member(path, archive)
            plain = Path(folder) / "model.ifc"
            with archive.open(entry) as source, plain.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
            yield plain
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, EOFError) as error:
        # RuntimeError: a password; NotImplementedError: a compression method Python does not have.
        raise UserError(
            f"{path.name} cannot be unpacked.",
            f"The archive is damaged, locked or packed in an unusual way ({error}).",
            "Unpack it with another program and import the .ifc file in it.",
            code="ifc.archive",
            values={"name": path.name, "reason": str(error)},
        ) from error


def _only_member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    found = _members(archive)
    if len(found) != 1:
        names = ", ".join(entry.filename for entry in found[:5])
        raise UserError(
            f"{path.name} holds {len(found)} IFC files.",
            f"Exactly one is expected in such an archive{': ' + names if names else ''}.",
            "Unpack the archive and import the files one by one.",
            code="ifc.archive_count",
            values={"name": path.name, "count": len(found)},
        )
    size, packed = found[0].file_size, max(found[0].compress_size, 1)
    if size > EXPANSION_LIMIT or (size > RATIO_FREE and size / packed > RATIO_LIMIT):
        raise UserError(
            f"{path.name} would unpack to {size / 1e9:.1f} GB.",
            f"{packed / 1e6:.1f} MB that grow to that size are not a usual building model.",
            "If you trust the file, unpack it yourself and import the .ifc file in it.",
            code="ifc.archive_size",
            values={"name": path.name, "size": f"{size / 1e9:.1f}", "packed": f"{packed / 1e6:.1f}"},
        )
    return found[0]


def _checked_header(path: Path, plain: Path) -> str:
    """The schema name, once the header and the end of the file are as they should be."""
    with plain.open("rb") as file:
        head = _header(file)
        file.seek(0, 2)
        file.seek(max(0, file.tell() - TAIL_BYTES))
        tail = file.read()
    relative = unsupported_relative(head)
    if relative:
        raise UserError(
            f"{path.name} is {relative}, which is not supported.",
            "The program reads IFC models in the STEP form (.ifc, .ifczip).",
            "Export the model as IFC (STEP), schema IFC2X3, IFC4 or IFC4X3.",
            code="ifc.relative",
            values={"name": path.name, "kind": relative},
        )
    if b"ISO-10303-21" not in head[:512]:
        raise damaged(path, "it does not begin with ISO-10303-21")
    found = SCHEMA_NAME.search(head)
    if found is None:
        raise damaged(path, "its header names no schema")
    if b"END-ISO-10303-21" not in tail:
        raise UserError(
            f"{path.name} ends in the middle.",
            "The closing line END-ISO-10303-21 is missing: the file was cut while it was written or copied.",
            "Copy or export the file again.",
            code="ifc.cut",
            values={"name": path.name},
        )
    return found[1].decode("ascii", "replace").strip().upper()


def _header(file: BinaryIO) -> bytes:
    head = file.read(4096)
    while b"ENDSEC" not in head and len(head) < HEADER_LIMIT:
        more = file.read(65536)
        if not more:
            break
        head += more
    return head


def _supported(path: Path, schema: str) -> str:
    for pattern, known in READ_AS:
        if pattern.match(schema):
            return known
    raise UserError(
        f"{path.name} uses the schema {schema or '(no name)'}, which is not supported.",
        "The program reads IFC2X3, IFC4 and IFC4X3.",
        "Export the model with one of these schemas.",
        code="ifc.schema",
        values={"name": path.name, "schema": schema},
    )


@contextmanager
def _renamed(plain: Path, schema: str, known: str) -> Iterator[Path]:
    """The file, or a temporary copy in which the header names the schema the library knows."""
    if schema == known:
        yield plain
        return
    with tempfile.TemporaryDirectory() as folder, plain.open("rb") as source:
        head = _header(source)
        found = SCHEMA_NAME.search(head)
        copy = Path(folder) / "model.ifc"
        with copy.open("wb") as target:
            if found is not None:
                head = head[: found.start(1)] + known.encode() + head[found.end(1) :]
            target.write(head)
            shutil.copyfileobj(source, target, 1 << 20)
        yield copy


def _parse(path: Path, plain: Path, *, lazy: bool) -> tuple[ifcopenshell.file, str]:
    """The file and what the library said while reading it."""
    import ifcopenshell

    ifcopenshell.get_log()  # what an earlier file left behind
    try:
        # A temporary copy is gone before it is asked for more: it is parsed whole.
        file = ifcopenshell.open(plain, ".ifc", lazy=lazy)
    except (ifcopenshell.Error, RuntimeError, OSError, ValueError, LookupError) as error:
        raise damaged(path, str(error)) from error
    log = ifcopenshell.get_log()
    return file, log if isinstance(log, str) else ""


def _length_unit(path: Path, file: ifcopenshell.file) -> float:
    scale = unit_scale(file, "LENGTHUNIT")
    if not 1e-9 < scale < 1e6:
        raise damaged(path, "its length unit makes no sense")
    return scale


def _several_projects(file: ifcopenshell.file) -> list[Issue]:
    """A doubt where two models were put in one file: units and place are those of the first project."""
    projects = by_type(file, "IfcProject")
    if len(projects) < 2:
        return []
    names = ", ".join(text(project, "Name") or f"#{project.id()}" for project in projects[:5])
    return [
        Issue(
            "ifc.several_projects",
            f"The file holds {len(projects)} projects ({names}); units and place are taken from the first.",
            severity="doubt",
            count=len(projects),
            values={"names": names},
        )
    ]


def _units_said(file: ifcopenshell.file) -> list[Issue]:
    """A doubt where the project declares no length unit; metres are then assumed, as the library does."""
    for assignment in by_type(file, "IfcUnitAssignment"):
        if any(text(unit, "UnitType") == "LENGTHUNIT" for unit in members(assignment, "Units")):
            return []
    return [Issue("ifc.no_unit", "The file declares no unit of length; metres are assumed.", severity="doubt")]
