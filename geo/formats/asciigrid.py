"""Esri ASCII grid (.asc): heights as text. It names no coordinate system."""

from __future__ import annotations

import re
from pathlib import Path

from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.formats.geotiff import inspect_raster, read_raster
from geo.formats.raster import RasterOptions
from geo.model import Feedback, Frame, Layer


def sniff(path: Path, head: bytes) -> bool:
    """Whether the text starts with the number of columns."""
    return re.match(rb"\s*ncols\s+\d+", head, re.IGNORECASE) is not None


def inspect(path: Path) -> FileInfo:
    """Size, place, resolution, share of no data."""
    return inspect_raster(path, "asciigrid", "Esri ASCII grid")


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """Heights as a Grid; raises `MissingCrs` unless the CRS is named or a .prj lies beside the file."""
    return read_raster(path, frame, options, feedback)


FORMAT = Format(
    id="asciigrid",
    title="Esri ASCII grid",
    patterns=("*.asc", "*.grd"),
    sniff=sniff,
    inspect=inspect,
    read=read,
    options=RasterOptions,
)
