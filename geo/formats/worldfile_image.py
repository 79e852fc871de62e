"""JPEG and PNG pictures with a world file beside them (.jgw, .pgw, .wld): aerial photographs laid on the ground."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from geo import crs as coordinates
from geo.formats import raster
from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.formats.geotiff import inspect_raster, read_raster
from geo.formats.raster import RasterOptions
from geo.model import Feedback, Frame, Layer, UserError

TITLE = "Picture with a world file (JPEG, PNG)"
JPEG_MAGIC, PNG_MAGIC = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
WORLD_SUFFIXES = (".jgw", ".jpgw", ".jpegw", ".pgw", ".pngw", ".wld")


def sniff(path: Path, head: bytes) -> bool:
    """Whether the bytes start like a JPEG or PNG picture."""
    return head.startswith((JPEG_MAGIC, PNG_MAGIC))


def inspect(path: Path) -> FileInfo:
    """Size, place and resolution; the place needs a world file."""
    _check_world_file(path)
    info, said = inspect_raster(path, "picture", TITLE), _crs_beside(path)
    if said is None or info.crs is not None:
        return info
    issues = tuple(issue for issue in info.issues if issue.code != "crs.not_said")
    return dataclasses.replace(info, crs=said, issues=issues)


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """The picture as an Image; raises `MissingCrs` unless the CRS is named or a .prj lies beside the file.

    A picture with more pixels than ``max_cells`` is read coarser, through what the file offers for that.
    """
    _check_world_file(path)
    own = options.own if isinstance(options.own, RasterOptions) else RasterOptions()
    if own.content == "auto" and options.kind in (None, "orthophoto"):
        own = own.model_copy(update={"content": "image"})
    said = options.crs or _crs_beside(path)
    with_picture = ReadOptions(said, options.kind, options.box, options.terrain, own)
    return read_raster(path, frame, with_picture, feedback)


def world_file(path: Path) -> Path | None:
    """The world file of a picture: the ending with a w, or the first and last letter of it and a w, or .wld."""
    low = {candidate.name.lower(): candidate for candidate in path.parent.iterdir()}
    names = [f"{path.stem}{suffix}" for suffix in WORLD_SUFFIXES] + [f"{path.name}w"]
    return next((low[name.lower()] for name in names if name.lower() in low), None)


def _crs_beside(path: Path) -> str | None:
    """What the .prj beside a picture names; None where there is none or it cannot be understood."""
    place = path.with_suffix(".prj")
    if not place.is_file():
        return None
    try:
        return coordinates.canonical(place.read_text(encoding="utf-8", errors="replace").strip())
    except UserError:
        return None


def _check_world_file(path: Path) -> None:
    """Raise a `UserError` where nothing says where the pixels lie: then a coordinate system alone does not help."""
    if not path.is_file():
        raise raster.unreadable(path, "the file is absent")
    if world_file(path) is not None or path.with_name(f"{path.name}.aux.xml").is_file():
        return
    raise UserError(
        f"{path.name} does not say where it lies.",
        "It is a plain picture, and there is no world file (.jgw, .pgw or .wld) of its name beside it.",
        "Put the world file into the same folder, or export the picture as a GeoTIFF.",
        code="picture.no_world_file",
        values={"name": path.name},
    )


FORMAT = Format(
    id="picture",
    title=TITLE,
    patterns=("*.jpg", "*.jpeg", "*.png"),
    sniff=sniff,
    inspect=inspect,
    read=read,
    options=RasterOptions,
)
