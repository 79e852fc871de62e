"""What a file format offers: recognise, describe, read, write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from geo.model import Feedback, Frame, Grid, Issue, Layer

if TYPE_CHECKING:
    from geo.formats.options import FormatOptions

HEAD_BYTES = 4096


class MapBox(NamedTuple):
    """A rectangle in map coordinates, easting before northing [m of the project CRS]."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True)
class FileInfo:
    """What a file says about itself, without loading it into a scene.

    Attributes
    ----------
    format, title : str
        Format id and its plain name.
    version : str
        As the file says it; ``""`` if it says nothing.
    crs : str or None
        ``"EPSG:n"`` (or WKT where no authority code fits); None if the file does not say.
    vertical : str
        Height datum as the file says it, ``""`` if nothing.
    bounds : (min x, min y, min z, max x, max y, max z) or None
        In the file's CRS, easting/longitude first. z is 0 where the file is flat.
    counts : mapping
        Number of objects by the file's own class names; ``features`` for plain GIS layers.
    issues : tuple of Issue
    details : mapping
        Anything else worth showing (plain JSON values).
    place_is_weak : bool
        The place is no more than a hint (latitude and longitude of a building site) or missing, and the reader
        decides with the project's frame at hand where the content goes.
    """

    format: str
    title: str
    version: str = ""
    crs: str | None = None
    vertical: str = ""
    bounds: tuple[float, float, float, float, float, float] | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    issues: tuple[Issue, ...] = ()
    details: Mapping[str, object] = field(default_factory=dict)
    place_is_weak: bool = False


@dataclass(frozen=True)
class ReadOptions:
    """How to read.

    Attributes
    ----------
    crs : str or None
        Overrides what the file says. Without either a reader raises `MissingCrs`.
    kind : str or None
        The user's word for what the data are (a layer theme), e.g. ``"building"``.
    box : MapBox or None
        Read only what touches this rectangle of the project CRS.
    terrain : Grid or None
        Ground to stand things on that have no height of their own.
    own : FormatOptions or None
        The format's own options.
    """

    crs: str | None = None
    kind: str | None = None
    box: MapBox | None = None
    terrain: Grid | None = None
    own: FormatOptions | None = None


Sniff = Callable[[Path, bytes], bool]
Inspect = Callable[[Path], FileInfo]
Read = Callable[[Path, Frame, ReadOptions, Feedback], list[Layer]]
Write = Callable[[Path, Sequence[Layer], Frame, Feedback], None]
Companions = Callable[[Path], Sequence[Path]]


@dataclass(frozen=True)
class Format:
    """One file format.

    Attributes
    ----------
    id, title : str
    patterns : tuple of str
        File name patterns, for dialogs and to break ties; ``sniff`` decides.
    sniff : (path, first `HEAD_BYTES` bytes) -> bool
        Whether the bytes are of this format, however damaged further on. Never raises.
    inspect : path -> FileInfo
    read : (path, frame, options, feedback) -> list of Layer
        New frozen layers in local metres of `frame`; never touches a scene. ``Layer.source.part`` names the
        layer within the file and is stable from one read to the next; ``Layer.id`` starts as that part.
    write : (path, layers, frame, feedback) or None
    writes : tuple of str
        Kinds of layer it can write.
    options : subclass of FormatOptions or None
    isolate : bool
        Read in a child process, because the library below may crash or hold the interpreter.
    version : int
        Raised when the same file gives different layers than before (cached copies are then not used).
    companions : path -> sequence of Path, or None
        Other files that reading this one opens (tiles, buffers, materials); a cached copy counts only while they are
        unchanged. Never raises.
    writes_hidden : bool
        Hidden layers of a project are written too, for formats whose content is hidden at first (rooms).
    """

    id: str
    title: str
    patterns: tuple[str, ...]
    sniff: Sniff
    inspect: Inspect
    read: Read
    write: Write | None = None
    writes: tuple[str, ...] = ()
    options: type[FormatOptions] | None = None
    isolate: bool = False
    version: int = 1
    companions: Companions | None = None
    writes_hidden: bool = False
