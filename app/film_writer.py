"""Headless. Films into files frame by frame: MP4 (H.264) through PyAV, GIF by Pillow. A film is whole or absent."""

from __future__ import annotations

import contextlib
import io
import os
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from geo.model import UserError

Pixels = NDArray[np.uint8]

ENCODERS = ("libx264", "libopenh264", "h264_videotoolbox", "h264_mf")  # the first that this machine has
QUALITY = {"crf": "20", "preset": "veryfast"}  # of x264: no visible loss on flat colours, quick enough for a window
BT709 = 1  # colours as players take them for high definition
SUFFIXES = (".mp4", ".gif")
GIF_COLOURS = 255
GIF_TICK = 100  # hundredths of a second: the clock of a GIF
GIF_QUICKEST = 2  # ticks; what is quicker is shown slowly by browsers


class FilmWriter(Protocol):
    """Takes frames of one size, then becomes a file by `finish` or vanishes by `abort`."""

    def add(self, pixels: Pixels) -> None:
        """The next frame (height, width, 3) uint8."""

    def finish(self) -> None:
        """Close the film and give it its name."""

    def abort(self) -> None:
        """Leave nothing behind."""


def checked_suffix(target: Path) -> str:
    """The suffix of a film's file in small letters. Raises `UserError` for one that no film has."""
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(
            f"A film cannot be written as {suffix or 'a file without a suffix'}.",
            f"Known are {', '.join(SUFFIXES)}.",
            "Name the file .mp4 or .gif.",
            code="film.suffix",
            values={"suffix": suffix or target.name, "known": ", ".join(SUFFIXES)},
        )
    return suffix


def open_writer(target: Path, *, size: tuple[int, int], fps: int) -> FilmWriter:
    """A writer for the suffix of a file.

    Parameters
    ----------
    size : (width, height) [pixels]
        Even numbers for MP4.
    fps : int
        Frames per second.
    """
    suffix = checked_suffix(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(21, "Is a directory")
        # Not a temporary file of the system's: those may be read by their owner only, and the film would be too.
        part = target.with_name(f".film-{uuid4().hex}.part")
        part.touch(exist_ok=False)
    except OSError as error:
        raise write_error(target, error) from error
    try:
        return Mp4Writer(target, part, size=size, fps=fps) if suffix == ".mp4" else GifWriter(target, part, fps=fps)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_error(target: Path, error: BaseException) -> UserError:
    """What is said when a film cannot be written."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return UserError(
        f"The film {target.name} could not be written.",
        f"The system says: {reason}.",
        "Free some space, or choose another folder.",
        code="film.write",
        values={"name": target.name, "reason": reason},
    )


class Mp4Writer:
    """H.264 in an MP4 file that plays while it loads."""

    def __init__(self, target: Path, part: Path, *, size: tuple[int, int], fps: int) -> None:
        import av
        from av.video.reformatter import Colorspace

        self._target, self._part = target, part
        self._frame_of, self._colours = av.VideoFrame.from_ndarray, Colorspace.ITU709
        self._troubles: tuple[type[BaseException], ...] = (OSError, av.FFmpegError)
        codec = next((name for name in ENCODERS if name in av.codecs_available), "")
        if not codec:
            raise UserError(
                "No encoder for MP4 was found.",
                f"The package av of this machine has none of {', '.join(ENCODERS)}.",
                "Write the film as .gif.",
                code="film.no_encoder",
                values={"encoders": ", ".join(ENCODERS)},
            )
        try:
            self._container = av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"})
            self._stream: Any = self._container.add_stream(codec, rate=Fraction(fps))
        except self._troubles as error:
            raise write_error(target, error) from error
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = QUALITY if codec == "libx264" else {}
        context = self._stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = BT709
        self._count, self._fps = 0, fps

    def add(self, pixels: Pixels) -> None:
        """Encode a frame."""
        frame = self._frame_of(np.ascontiguousarray(pixels), format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=self._colours)
        frame.pts, frame.time_base = self._count, Fraction(1, self._fps)
        self._count += 1
        self._write(frame)

    def _write(self, frame: Any) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except self._troubles as error:
            raise write_error(self._target, error) from error

    def finish(self) -> None:
        """Encode what is waiting, close and rename."""
        self._write(None)
        try:
            self._container.close()
            os.replace(self._part, self._target)
        except self._troubles as error:
            raise write_error(self._target, error) from error

    def abort(self) -> None:
        """Close and delete; what the encoder says to that does not matter any more."""
        with contextlib.suppress(*self._troubles):
            self._container.close()
        self._part.unlink(missing_ok=True)


class GifWriter:
    """An endless GIF, written frame by frame: Pillow makes a picture of each, their blocks are put in a row.

    Layout: GIF89a specification, CompuServe 1990.
    """

    def __init__(self, target: Path, part: Path, *, fps: int) -> None:
        self._target, self._part, self._fps = target, part, fps
        self._count = 0
        try:
            self._file: BinaryIO = part.open("wb")
        except OSError as error:
            raise write_error(target, error) from error

    def add(self, pixels: Pixels) -> None:
        """Append a frame with colours of its own."""
        from PIL import Image

        buffer = io.BytesIO()
        picture = Image.fromarray(np.ascontiguousarray(pixels)).quantize(GIF_COLOURS, dither=Image.Dither.NONE)
        picture.save(buffer, format="GIF", optimize=False)
        header, palette, image = _parts(buffer.getvalue())
        begin, end = (round(number * GIF_TICK / self._fps) for number in (self._count, self._count + 1))
        delay = max(end - begin, GIF_QUICKEST)
        control = b"\x21\xf9\x04\x04" + delay.to_bytes(2, "little") + b"\x00\x00"
        # The palette of the picture becomes that of the frame: flag 0x80 and its size in the image descriptor.
        bits = (len(palette) // 3).bit_length() - 2
        frame = control + image[:9] + bytes([(image[9] & 0x40) | 0x80 | bits]) + palette + image[10:]
        if self._count == 0:
            # the screen has no colours of its own; repeat for ever
            frame = header[:10] + b"\x70\x00\x00" + b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00" + frame
        self._count += 1
        self._write(frame)

    def _write(self, content: bytes) -> None:
        try:
            self._file.write(content)
        except OSError as error:
            raise write_error(self._target, error) from error

    def finish(self) -> None:
        """Close and rename."""
        self._write(b"\x3b")
        try:
            self._file.close()
            os.replace(self._part, self._target)
        except OSError as error:
            raise write_error(self._target, error) from error

    def abort(self) -> None:
        """Close and delete."""
        with contextlib.suppress(OSError):  # what did not fit on the disk is not wanted any more
            self._file.close()
        self._part.unlink(missing_ok=True)


def _parts(single: bytes) -> tuple[bytes, bytes, bytes]:
    """Header, palette and image (descriptor and data, without the trailer) of a GIF with one picture."""
    header = b"GIF89a" + single[6:13]
    palette_size = 3 * 2 ** ((single[10] & 0x07) + 1) if single[10] & 0x80 else 0
    palette, place = single[13 : 13 + palette_size], 13 + palette_size
    while single[place] == 0x21:  # extensions: label, then blocks until an empty one
        place += 2
        while single[place]:
            place += single[place] + 1
        place += 1
    if single[place] != 0x2C or not palette:
        raise ValueError("not a GIF with a picture and its colours")
    return header, palette, single[place:-1]
