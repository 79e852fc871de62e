"""Headless. Copies of layers that took long to read, in the user's cache folder, keyed by content and settings."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.model import Frame, Issue, Layer, UserError
from geo.model.digest import layer_digest
from geo.store import read_layers, write_atomically, write_layers

CACHE_VERSION = 1
WORTH_S = 0.1  # a reading quicker than this is not worth a copy
WORTH_BYTES = 4 << 20  # files smaller than this are described at once
USUAL_LIMIT_GB = 4
BLOCK = 1 << 22
PLACING = (".prj", ".tfw", ".tifw", ".jgw", ".jpgw", ".pgw", ".pngw", ".wld")


def cache_folder() -> Path:
    """Where cached things lie; the environment variable ``TWIN_CACHE`` moves it."""
    chosen = os.environ.get("TWIN_CACHE")
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("sejong-twin"))


def limit_bytes() -> int:
    """Most that the copies may take on the disk; the environment variable ``TWIN_CACHE_GB`` says it."""
    told = os.environ.get("TWIN_CACHE_GB", "")
    return (int(told) if told.isdigit() and int(told) > 0 else USUAL_LIMIT_GB) << 30


def cache_size() -> int:
    """Bytes of all that is kept; 0 where the folder cannot be read."""
    total = 0
    for file in cache_folder().rglob("*"):
        with contextlib.suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total


def clear_cache() -> int:
    """Remove every kept copy and description; bytes freed. What is in use goes when it is let go."""
    freed = 0
    for part in ("layers", "infos"):
        for file in (cache_folder() / part).glob("*"):
            with contextlib.suppress(OSError):
                size = file.stat().st_size
                file.unlink()
                freed += size
    return freed


@dataclass
class CacheKey:
    """Name of a cached copy; `digest` is that of the source file, `started` when reading began."""

    digest: str
    name: str
    started: float

    @property
    def path(self) -> Path:
        """The file of the copy."""
        return cache_folder() / "layers" / f"{self.name}.layers"


def file_digest(path: Path) -> str:
    """BLAKE2b-128 of a file's bytes, hex; of a shapefile or a picture together with what lies beside it."""
    digest = hashlib.blake2b(digest_size=16)
    companions = [path]
    if path.suffix.lower() == ".shp":
        companions += sorted(p for p in path.parent.glob(f"{path.stem}.*") if p != path)
    else:  # a world file or a coordinate system in a file of its own decides the place
        beside = [path.with_suffix(suffix) for suffix in PLACING] + [path.with_name(f"{path.name}.aux.xml")]
        companions += [place for place in beside if place != path and place.is_file()]
    for piece in companions:
        with piece.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
    return digest.hexdigest()


def key_of(candidate: Format, path: Path, frame: Frame, options: ReadOptions) -> CacheKey:
    """The key of reading one file in one way."""
    started = time.monotonic()
    digest = file_digest(path)
    terrain = ""
    if options.terrain is not None:
        terrain = layer_digest(Layer(id="t", name="t", theme="terrain", geometry=options.terrain))
    described = {
        "cache": CACHE_VERSION,
        "format": candidate.id,
        "version": candidate.version,
        "name": path.name,
        "digest": digest,
        "frame": asdict(frame),
        "crs": options.crs,
        "kind": options.kind,
        "box": options.box,
        "own": options.own.model_dump(mode="json") if options.own else None,
        "terrain": terrain,
        "companions": _companions(candidate, path, options),
    }
    name = hashlib.blake2b(json.dumps(described, sort_keys=True).encode(), digest_size=16).hexdigest()
    return CacheKey(digest, name, started)


def _companions(candidate: Format, path: Path, options: ReadOptions) -> list[tuple[str, int, int]]:
    """Name, size and time of change of the other files that reading opens; a tileset may have thousands."""
    found = [*(candidate.companions(path) if candidate.companions else ())]
    found += options.own.opens(path) if options.own else ()
    stats = [(piece, piece.stat()) for piece in found if piece.is_file()]
    return [(str(piece), stat.st_size, stat.st_mtime_ns) for piece, stat in stats]


def described(candidate: Format, path: Path, inspect: Callable[[], FileInfo]) -> FileInfo:
    """What a file says about itself: from an earlier look at the same bytes, else by `inspect`, kept if it took long.

    Large text files must be read whole to be described, which would make opening a cached city as slow as the first
    time; for a format read apart even a small file takes the start of another process.
    """
    if path.stat().st_size < WORTH_BYTES and not candidate.isolate:
        return inspect()
    named = f"{CACHE_VERSION} {candidate.id} {candidate.version} {path.name} {file_digest(path)}"
    place = cache_folder() / "infos" / f"{hashlib.blake2b(named.encode(), digest_size=16).hexdigest()}.json"
    known = _info_in(place)
    if known is not None:
        return known
    started = time.monotonic()
    info = inspect()
    if time.monotonic() - started >= WORTH_S:
        text = json.dumps({**asdict(info), "issues": [issue.as_dict() for issue in info.issues]}).encode()
        with contextlib.suppress(UserError):
            write_atomically(place, lambda file: file.write(text))
    return info


def _info_in(place: Path) -> FileInfo | None:
    """A description kept earlier, or None; a broken one is as good as none."""
    try:
        found = json.loads(place.read_bytes())
        found["issues"] = tuple(Issue.from_dict(issue) for issue in found["issues"])
        found["bounds"] = tuple(found["bounds"]) if found["bounds"] else None
        return FileInfo(**found)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def load(key: CacheKey) -> list[Layer] | None:
    """The cached layers, or None. A broken copy is thrown away."""
    if not key.path.exists():
        return None
    try:
        layers, _ = read_layers(key.path)
    except UserError:
        with contextlib.suppress(OSError):
            key.path.unlink()
        return None
    with contextlib.suppress(OSError):
        os.utime(key.path)
    return layers


def save(key: CacheKey, layers: list[Layer]) -> list[Layer]:
    """Keep a copy if reading took long, and give the layers to go on with.

    These are the copy's own, mapped from the disk: a reader leaves its small objects strewn over the memory of all it
    parsed, and only when they go does that memory come back. A full or read-only disk only means that there is no
    copy.
    """
    if time.monotonic() - key.started < WORTH_S or not layers:
        return layers
    try:
        write_layers(key.path, layers)
    except UserError:
        return layers
    _make_room()
    return load(key) or layers


def _make_room() -> None:
    """Remove the copies unused for longest until the folder is within its limit."""
    files = sorted((cache_folder() / "layers").glob("*.layers"), key=lambda p: p.stat().st_mtime)
    total = sum(p.stat().st_size for p in files)
    for file in files:
        if total <= limit_bytes():
            break
        total -= file.stat().st_size
        with contextlib.suppress(OSError):
            file.unlink()
