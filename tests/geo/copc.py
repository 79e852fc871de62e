"""A small COPC file made by hand: one root node and its eight children (COPC specification 1.0)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np


def write_copc(path: Path, count: int = 4_000, *, low: tuple[float, float, float], side: float) -> np.ndarray:
    """Random points in a cube with every tenth in the root node. Returns them (n, 3), in millimetres' precision."""
    import laspy
    import lazrs

    header = laspy.LasHeader(point_format=6, version="1.4")
    header.scales, header.offsets = [0.001] * 3, list(low)
    las = laspy.LasData(header)
    corner = np.array(low)
    xyz = np.round(corner + np.random.default_rng(7).uniform(0.0, side, (count, 3)), 3)
    las.x, las.y, las.z = xyz.T
    las.classification = np.full(count, 2, np.uint8)
    vlr = lazrs.LazVlr.new_for_compression(6, 0, True)
    octant = np.minimum((xyz - corner) // (side / 2), 1).astype(int)
    nodes: list[tuple[tuple[int, ...], np.ndarray]] = [((0, 0, 0, 0), np.arange(count) % 10 == 0)]
    for key in np.ndindex(2, 2, 2):
        nodes.append(((1, *key), (octant == key).all(axis=1) & (np.arange(count) % 10 != 0)))
    records = [_record(b"copc", 1, b"\0" * 160), _record(b"laszip encoded", 22204, bytes(vlr.record_data()))]
    offset = 375 + sum(map(len, records))
    with path.open("w+b") as stream:
        stream.write(b"\0" * offset)
        compressor = lazrs.LasZipCompressor(stream, vlr)
        entries, place = [], offset + 8
        for key, chosen in nodes:
            compressor.compress_many(np.frombuffer(las.points.array[chosen].tobytes(), np.uint8))
            compressor.finish_current_chunk()
            stop = stream.tell()
            entries.append(struct.pack("<4iQ2i", *key, place, stop - place, int(chosen.sum())))
            place = stop
        compressor.done()
        stream.seek(0, 2)
        evlr = stream.tell()
        tree = b"".join(entries)
        stream.write(struct.pack("<H16sHQ32s", 0, b"copc", 1000, len(tree), b"") + tree)
        info = struct.pack("<5d2Q2d", *(corner + side / 2), side / 2, side / 10, evlr + 60, len(tree), 0.0, 0.0)
        records[0] = _record(b"copc", 1, info + b"\0" * 88)
        stream.seek(0)
        stream.write(_header(offset, count, evlr, low, xyz))
        for record in records:
            stream.write(record)
    return xyz


def _record(user: bytes, number: int, data: bytes) -> bytes:
    return struct.pack("<H16sHH32s", 0, user, number, len(data), b"") + data


def _header(offset: int, count: int, evlr: int, low: tuple[float, float, float], xyz: Any) -> bytes:
    high, least = xyz.max(axis=0), xyz.min(axis=0)
    box = [value for axis in range(3) for value in (high[axis], least[axis])]
    return (
        struct.pack("<4sHH16sBB32s32sHHHIIBHI5I", b"LASF", 0, 16, b"", 1, 4, b"", b"", 1, 2026, 375, offset, 2,
                    6 | 0x80, 30, 0, 0, 0, 0, 0, 0)
        + struct.pack("<3d3d6d", 0.001, 0.001, 0.001, *low, *box)
        + struct.pack("<QQIQ15Q", 0, evlr, 1, count, count, *([0] * 14))
    )  # fmt: skip
