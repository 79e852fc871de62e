"""Opening LAS, LAZ and COPC files with laspy: the header is checked first, and what fails below is told in words."""

from __future__ import annotations

import contextlib
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from geo import crs as coordinates
from geo.model import Issue, UserError

MAGIC = b"LASF"
LEAST_HEADER = 227  # bytes of the public header of LAS 1.0
VLR_HEADER, EVLR_HEADER = 54, 60
COMPRESSED = 0x80  # bit of the point format that LAZ sets
LAYERS = {10: 9, 11: 1, 12: 2, 13: 1}  # of point, colour, colour with infrared, wave packet; extra bytes: one each
LEAST_RECORD = 20  # bytes of point format 0


@dataclass(frozen=True)
class Cloud:
    """An open point cloud. `reader` gives points; `count` is what the header claims and the file can hold."""

    path: Path
    reader: Any
    count: int
    crs: str | None
    vertical: str
    is_copc: bool
    issues: tuple[Issue, ...]


def damaged(path: Path, reason: str) -> UserError:
    """The file cannot be read as a point cloud."""
    return UserError(
        f"{path.name} is damaged or cut short.",
        f"Reading its points failed: {reason}.",
        "Fetch the file again, or repair it with a point cloud program.",
        code="pointcloud.damaged",
        values={"name": path.name, "reason": reason},
    )


@contextlib.contextmanager
def faults_told(path: Path) -> Iterator[None]:
    """Turn what laspy and lazrs raise on broken files into a `UserError`."""
    import laspy
    import lazrs

    try:
        yield
    except (laspy.errors.LaspyException, lazrs.LazrsError, ArithmeticError, LookupError, ValueError, TypeError,
            AttributeError, struct.error, OSError, RuntimeError, MemoryError) as error:  # fmt: skip
        raise damaged(path, _reason(error)) from error
    except BaseException as error:
        # A panic of the Rust library below comes as an exception outside of `Exception`.
        if type(error).__name__ != "PanicException":
            raise
        raise damaged(path, "the decompressor gave up") from error


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:120]}".rstrip(": ").rstrip(".")


def check_header(path: Path, stream: BinaryIO) -> tuple[int, list[Issue]]:
    """Number of points that can be there, from the raw header. Raises `UserError` for sizes that do not fit the file.

    Every length in the header is checked against the size of the file, so that a library further down does not
    reserve memory for what a damaged byte claims.
    """
    size = stream.seek(0, 2)
    stream.seek(0)
    head = stream.read(375)
    if head[:4] != MAGIC or len(head) < LEAST_HEADER:
        raise damaged(path, "its header is missing")
    minor = head[25]
    header_size, offset, vlrs = struct.unpack_from("<HII", head, 94)
    format_id, record = struct.unpack_from("<BH", head, 104)
    count = struct.unpack_from("<I", head, 107)[0]
    if minor >= 4 and len(head) >= 375:
        first_evlr, evlrs, count = struct.unpack_from("<QIQ", head, 235)
        _check_extended(path, stream, size, first_evlr, evlrs)
    if not LEAST_HEADER <= header_size <= offset <= size or record < LEAST_RECORD:
        raise damaged(path, "the sizes in its header do not fit")
    _check_records(path, stream, header_size, offset, vlrs)
    if format_id & COMPRESSED:
        _check_chunks(path, stream, size, offset)
    if count == 0:
        raise UserError(
            f"{path.name} holds no points.",
            "Its header says that the number of points is 0.",
            "Check how the file was made.",
            code="pointcloud.empty",
            values={"name": path.name},
        )
    return _possible(count, record, size - offset, bool(format_id & COMPRESSED))


def _possible(count: int, record: int, room: int, packed: bool) -> tuple[int, list[Issue]]:
    """The points that fit the file, with an issue where fewer are there than claimed (LAS; LAZ fails by itself)."""
    held = room // record
    if packed or held >= count:
        return count, []
    message = f"The header claims {count} points, but the file holds only {held}; it was cut short."
    return held, [
        Issue("pointcloud.cut_short", message, "error", count - held, values={"claimed": count, "held": held})
    ]


def _check_records(path: Path, stream: BinaryIO, start: int, stop: int, number: int) -> None:
    """Walk over the variable length records: all must end before the points begin."""
    place = start
    for _ in range(number):
        stream.seek(place)
        head = stream.read(VLR_HEADER)
        if place + VLR_HEADER > stop or len(head) < VLR_HEADER:
            raise damaged(path, f"it claims {number} header records that are not there")
        place += VLR_HEADER + struct.unpack_from("<H", head, 20)[0]
    if place > stop:
        raise damaged(path, "a header record reaches into the points")


def _check_chunks(path: Path, stream: BinaryIO, size: int, offset: int) -> None:
    """The table of compressed chunks must lie in the file and claim no more chunks than there are bytes."""
    stream.seek(offset)
    raw = stream.read(8)
    if len(raw) < 8:
        raise damaged(path, "it ends where the points should begin")
    place = struct.unpack("<q", raw)[0]
    if place <= offset:  # a writer that could not go back leaves the place at the very end
        stream.seek(max(size - 8, 0))
        place = struct.unpack("<q", stream.read(8))[0]
    if not offset + 8 <= place <= size - 8:
        raise damaged(path, "the table of its chunks is missing")
    stream.seek(place)
    version, chunks = struct.unpack("<II", stream.read(8))
    if version != 0 or chunks > place - offset:
        raise damaged(path, f"it claims {chunks} compressed chunks")


def _check_layers(path: Path, stream: BinaryIO, header: Any) -> None:
    """Chunks must lie in the file one after the other, and the layers of each (LAS 1.4) within it.

    A chunk of point formats 6 to 10 begins with its first point, the number of points and the size of each layer;
    the decompressor reserves memory for those sizes before it looks whether they can be true.
    """
    import lazrs

    data = header.vlrs[header.vlrs.index("LasZipVlr")].record_data
    vlr = lazrs.LazVlr(data)
    start = header.offset_to_point_data
    size = stream.seek(0, 2)
    stream.seek(start)
    layers = sum(LAYERS.get(kind, width) for kind, width in _items(data)) if _is_layered(data) else 0
    place = start + 8
    for _, length in lazrs.read_chunk_table(stream, vlr):
        head = vlr.item_size() + 4 + 4 * layers
        if place + length > size:
            raise damaged(path, "its compressed chunks are longer than the file")
        if layers and length:
            stream.seek(place)
            raw = stream.read(head)
            if len(raw) < head or sum(struct.unpack_from(f"<{layers}I", raw, head - 4 * layers)) > length:
                raise damaged(path, "the layers of a compressed chunk are longer than the chunk")
        place += length
    stream.seek(start)


def _is_layered(record: bytes) -> bool:
    return len(record) >= 34 and struct.unpack_from("<H", record)[0] == 3


def _items(record: bytes) -> list[tuple[int, int]]:
    """Kind and width of what a compressed point is made of (LASzip's own header record)."""
    number = struct.unpack_from("<H", record, 32)[0]
    return [struct.unpack_from("<HH", record, 34 + 6 * k) for k in range(number)]


def _check_extended(path: Path, stream: BinaryIO, size: int, start: int, number: int) -> None:
    place = start
    for _ in range(number):
        if place + EVLR_HEADER > size:
            raise damaged(path, f"it claims {number} records after the points that are not there")
        stream.seek(place)
        place += EVLR_HEADER + struct.unpack_from("<Q", stream.read(EVLR_HEADER), 20)[0]
    if number and place > size:
        raise damaged(path, "a record after the points is longer than the file")


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Cloud]:
    """A point cloud, its header checked. Raises `UserError`."""
    import laspy

    try:
        stream = path.open("rb")
    except OSError as error:
        raise UserError(
            f"{path.name} cannot be opened.",
            f"The system says: {error.strerror or error}.",
            "Check that you may read it and that no other program holds it.",
            code="file.not_opened",
            values={"path": str(path), "reason": error.strerror or str(error)},
        ) from error
    with stream:
        count, issues = check_header(path, stream)
        stream.seek(0)
        with faults_told(path):
            reader = laspy.open(stream, closefd=False, laz_backend=laspy.LazBackend.LazrsParallel)
            header = reader.header
            if count < header.point_count:
                header.point_count = count
            _check_numbers(path, header)
            if header.are_points_compressed:
                _check_layers(path, stream, header)
            crs, vertical, doubts = _system(header)
            is_copc = any(type(record).__name__ == "CopcInfoVlr" for record in header.vlrs)
        yield Cloud(path, reader, count, crs, vertical, is_copc, (*issues, *doubts))


def _check_numbers(path: Path, header: Any) -> None:
    numbers = [*header.scales, *header.offsets]
    if not all(math.isfinite(float(value)) for value in numbers) or not all(float(s) != 0.0 for s in header.scales):
        raise damaged(path, "scale or offset of its coordinates is not a number")


def _system(header: Any) -> tuple[str | None, str, list[Issue]]:
    """CRS and height datum as the header says them; a doubt where it says something unreadable."""
    try:
        found = header.parse_crs()
    except Exception as error:  # noqa: BLE001 - pyproj and laspy raise many kinds on broken keys; the doubt is told
        message = f"The coordinate system in the header cannot be understood ({type(error).__name__})."
        return None, "", [Issue("pointcloud.crs_unreadable", message, "doubt")]
    if found is None:
        return None, "", []
    authority = found.to_authority(min_confidence=70)
    text = f"{authority[0]}:{authority[1]}" if authority else str(found.to_wkt())
    vertical = coordinates.vertical_name(text)
    doubts = []
    if vertical == "ellipsoid":
        message = "Heights are measured from the ellipsoid, not from sea level."
        doubts.append(Issue("crs.ellipsoid_heights", message, "doubt"))
    return text, vertical, doubts
