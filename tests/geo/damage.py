"""Seeded damage to files: cuts, flipped bits, absurd numbers; for formats of JSON also wrong values in right places."""

from __future__ import annotations

import copy
import json
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from geo.formats.contract import HEAD_BYTES, Format, ReadOptions
from geo.model import Feedback, Frame, Layer, UserError

NUMBERS = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"-999", b"1e99", b"nan ", b"9999")
VALUES: tuple[Any, ...] = (None, -1, 0, 10**9, 2**62, 1e300, "x", "", [], {}, [1], True, 0.5, "../../etc/passwd")


def damaged_bytes(data: bytes, seed: int) -> bytes:
    """The bytes cut, changed, shortened or lengthened at random places, half of them near the start."""
    rng = random.Random(seed)
    out, sort = bytearray(data), seed % 6
    if sort == 0:
        return bytes(out[: rng.randrange(len(out))])
    for _ in range(rng.randint(1, 12)):
        place = rng.randrange(min(len(out), 600) if rng.random() < 0.5 else len(out))
        if sort == 1:
            out[place] = rng.randrange(256)
        elif sort == 2:
            out[place : place + 4] = rng.choice(NUMBERS)
        elif sort == 3:
            out[place] ^= 1 << rng.randrange(8)
        elif sort == 4:
            del out[place : place + rng.randint(1, 30)]
        else:
            out[place:place] = out[place : place + rng.randint(1, 50)]
        if not out:
            break
    return bytes(out)


def _places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from _places(value, (*path, key))


def damaged_json(document: Any, seed: int) -> Any:
    """A copy with one to three values replaced by wrong ones or taken out."""
    rng = random.Random(seed)
    out = copy.deepcopy(document)
    for _ in range(rng.randint(1, 3)):
        places = [place for place in _places(out) if place]
        if not places:
            break
        *above, last = rng.choice(places)
        node = out
        for key in above:
            node = node[key]
        if rng.random() < 0.2:
            del node[last]
        else:
            node[last] = copy.deepcopy(rng.choice(VALUES))
    return out


def glb_of(document: Any, binary: bytes = b"") -> bytes:
    """A GLB of a JSON document and a binary chunk."""
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    head = struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(binary))
    return head + struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary


def survives(candidate: Format, path: Path, frame: Frame, options: ReadOptions | None = None) -> str:
    """Recognise, describe and read a file: layers or a `UserError`, anything else is a fault. Says which it was."""
    candidate.sniff(path, path.read_bytes()[:HEAD_BYTES])
    try:
        candidate.inspect(path)
    except UserError as error:
        assert all((error.code, error.what, error.todo))
    try:
        layers = candidate.read(path, frame, options or ReadOptions(), Feedback())
    except UserError:
        return "refused"
    assert all(isinstance(layer, Layer) for layer in layers)
    return "read"


def survives_damage(
    candidate: Format,
    path: Path,
    make: Callable[[int], bytes],
    frame: Frame,
    *,
    count: int,
    options: ReadOptions | None = None,
) -> dict[str, int]:
    """How many of the damaged files were read and how many refused."""
    found = {"read": 0, "refused": 0}
    for seed in range(count):
        path.write_bytes(make(seed))
        found[survives(candidate, path, frame, options)] += 1
    return found
