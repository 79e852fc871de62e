"""Seeded damage to files of text, of JSON and in archives, each kind of harm by name."""

from __future__ import annotations

import io
import json
import random
import re
import zipfile
from collections.abc import Callable

from tests.geo.damage import damaged_bytes, damaged_json

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
NAME = re.compile(rb"[A-Za-z_][\w-]{2,}")
ABSURD = (
    b"nan", b"inf", b"-inf", b"1e308", b"-1e308", b"1e400", b"-5", b"0", b"", b"9" * 40, b"99999999999", b"x", b"1,5",
    b"-0.0001", b"\xef\xbc\x91\xef\xbc\x92", b"0x10", b"1e-320",
)  # fmt: skip
Harm = Callable[[bytes, random.Random], bytes]


def _lines(data: bytes) -> list[bytes]:
    """Pieces of about a line; a document of one line is cut at its brackets."""
    found = data.split(b"\n")
    return found if len(found) > 20 else re.split(rb"(?<=[>}\],])", data)


def _joined(lines: list[bytes], data: bytes) -> bytes:
    return (b"\n" if len(data.split(b"\n")) > 20 else b"").join(lines)


def cut(data: bytes, rng: random.Random) -> bytes:
    """Nothing beyond a random place."""
    return data[: rng.randrange(len(data))]


def flipped(data: bytes, rng: random.Random) -> bytes:
    """Bytes changed, taken out or put in."""
    return damaged_bytes(data, rng.randrange(10**6))


def without_lines(data: bytes, rng: random.Random) -> bytes:
    """A run of lines missing."""
    lines = _lines(data)
    start = rng.randrange(len(lines))
    del lines[start : start + rng.choice((1, 2, 10, 100))]
    return _joined(lines, data)


def repeated_lines(data: bytes, rng: random.Random) -> bytes:
    """Lines there twice."""
    lines = _lines(data)
    for _ in range(rng.randint(1, 5)):
        start = rng.randrange(len(lines))
        lines[start:start] = lines[start : start + rng.choice((1, 3, 20))]
    return _joined(lines, data)


def shuffled_lines(data: bytes, rng: random.Random) -> bytes:
    """Lines in other places."""
    lines = _lines(data)
    for _ in range(rng.randint(1, 8)):
        a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
        lines[a], lines[b] = lines[b], lines[a]
    return _joined(lines, data)


def absurd_numbers(data: bytes, rng: random.Random) -> bytes:
    """Numbers that are none, endless, negative or beyond all measure."""
    found = list(NUMBER.finditer(data))
    for spot in sorted(rng.sample(found, min(len(found), rng.choice((1, 3, 30)))), key=lambda m: -m.start()):
        data = data[: spot.start()] + rng.choice(ABSURD) + data[spot.end() :]
    return data


def all_numbers(data: bytes, rng: random.Random) -> bytes:
    """Every number with some digit replaced the same way."""
    new = rng.choice((b"0", b"-1", b"1e300", b"nan", b"7777777"))
    return NUMBER.sub(lambda m: m[0] if rng.random() < 0.5 else new, data)


def swapped_names(data: bytes, rng: random.Random) -> bytes:
    """Words where others should be: references that lead nowhere or in a circle."""
    found = list(NAME.finditer(data))
    if not found:
        return data
    for spot in sorted(rng.sample(found, min(len(found), rng.choice((1, 5, 40)))), key=lambda m: -m.start()):
        data = data[: spot.start()] + rng.choice(found)[0] + data[spot.end() :]
    return data


def other_encoding(data: bytes, rng: random.Random) -> bytes:
    """The text in another encoding, with a mark that lies, or with zero bytes."""
    text = data.decode("utf-8", "replace")
    choice = rng.randrange(6)
    if choice == 0:
        return text.encode("utf-16")
    if choice == 1:
        return text.encode("cp949", "replace")
    if choice == 2:
        return b"\xef\xbb\xbf" + data
    if choice == 3:
        return b"\xff\xfe" + data
    if choice == 4:
        return data.replace(b"\n", b"\r")
    place = rng.randrange(len(data))
    return data[:place] + b"\0" * 50 + data[place:]


def long_field(data: bytes, rng: random.Random) -> bytes:
    """A name, text or number of a million characters."""
    found = list((NAME if rng.random() < 0.5 else NUMBER).finditer(data))
    if not found:
        return data
    spot = rng.choice(found)
    return data[: spot.start()] + rng.choice((b"9", b"a", b"(", b"<")) * 10**6 + data[spot.end() :]


def wide_line(data: bytes, rng: random.Random) -> bytes:
    """A line of ten thousand cells."""
    lines = _lines(data)
    place = rng.randrange(len(lines))
    lines[place] = lines[place] + rng.choice((b",", b";", b"\t", b" ")).join([b"", *([b"7"] * 10_000)])
    return _joined(lines, data)


HARMS: tuple[Harm, ...] = (
    cut, flipped, without_lines, repeated_lines, shuffled_lines, absurd_numbers, all_numbers, swapped_names,
    other_encoding, long_field, wide_line,
)  # fmt: skip


def harmed(data: bytes, seed: int) -> bytes:
    """The bytes with the harm of a seed; seeds go round the kinds of harm."""
    rng = random.Random(seed)
    return HARMS[seed % len(HARMS)](data, rng)


def harmed_json(data: bytes, seed: int) -> bytes:
    """As `harmed`, every second time with wrong values in places that stay JSON."""
    if seed % 2 == 0:
        return harmed(data, seed // 2)
    return json.dumps(damaged_json(json.loads(data), seed)).encode()


def harmed_archive(data: bytes, seed: int) -> bytes:
    """As `harmed` on one entry of an archive, every fourth time on the archive itself."""
    if seed % 4 == 0:
        return harmed(data, seed // 4)
    rng = random.Random(seed)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        names = [name for name in old.namelist() if not name.endswith("/")]
        chosen = rng.choice(names)
        for name in names:
            content = old.read(name)
            new.writestr(name, harmed(content, seed) if name == chosen and content else content)
    return out.getvalue()
