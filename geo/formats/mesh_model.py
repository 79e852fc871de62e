"""What mesh files hold before it has a place on the map: pieces of triangles, each of one object."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geo.model import Issue, UserError

Floats = NDArray[np.float64]
NO_COLOUR = -1
FARTHEST = 3.0e7  # half the circumference of the Earth, with room to spare [m]
MOST_TRIANGLES = 40_000_000  # in one file; beyond that the arrays alone take more than 3 GB

# What libraries and our own parsing raise on content that breaks the rules of its format.
FAULTS: tuple[type[Exception], ...] = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    EOFError,
    struct.error,
    AssertionError,
    NotImplementedError,
)


@dataclass(frozen=True)
class Piece:
    """Triangles of one object or of one part of it.

    Attributes
    ----------
    name : str
        As the file calls the object; ``""`` if it does not.
    node : int
        Pieces with the same number are one object.
    vertices : (n, 3) float64
        In the file's own axes and units, all transformations of the scene graph applied.
    faces : (m, 3) int64
    colours : (m,) int32
        0xRRGGBB, -1 without.
    features : (m,) int64 or None
        Number of the feature each face belongs to, where one object holds several.
    extras : mapping
        The object's own attributes (plain JSON values).
    material : mapping
        ``name`` and ``extras`` of the material.
    """

    name: str
    node: int
    vertices: Floats
    faces: NDArray[np.int64]
    colours: NDArray[np.int32]
    features: NDArray[np.int64] | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)
    material: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MeshModel:
    """Content of a mesh file.

    Attributes
    ----------
    pieces : sequence of Piece
    up : {"y", "z"}
        Axis that points up, as the format's definition or custom says.
    points : (n, 3) float64
        Single points of files that hold no triangles.
    point_colours : (n,) int32
    extras : mapping
        Of the scene.
    centre : (3,) float64 or None
        To be added to all positions **after** turning y up to z up (CESIUM_RTC).
    issues : tuple of Issue
    version, generator : str
    """

    pieces: Sequence[Piece]
    up: Literal["y", "z"]
    points: Floats = field(default_factory=lambda: np.empty((0, 3)))
    point_colours: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    extras: Mapping[str, Any] = field(default_factory=dict)
    centre: Floats | None = None
    issues: tuple[Issue, ...] = ()
    version: str = ""
    generator: str = ""

    @property
    def triangles(self) -> int:
        """Number of triangles."""
        return sum(len(piece.faces) for piece in self.pieces)

    def box(self) -> tuple[Floats, Floats] | None:
        """Lowest and highest corner in the file's axes, None without a finite vertex."""
        lows, highs = [], []
        for points in (*(piece.vertices for piece in self.pieces), self.points):
            good = points[np.isfinite(points).all(axis=1)]
            if len(good):
                lows.append(good.min(axis=0))
                highs.append(good.max(axis=0))
        return (np.min(lows, axis=0), np.max(highs, axis=0)) if lows else None


def on_earth(local: Floats) -> NDArray[np.bool_]:
    """Which points (n, 3) in local metres are numbers that can lie on Earth."""
    with np.errstate(invalid="ignore"):
        return np.asarray((np.abs(local) <= FARTHEST).all(axis=1))


def z_up(points: Floats, up: str) -> Floats:
    """Points (n, 3) turned so that z points up: y up is turned by 90 degrees about x."""
    return np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=1) if up == "y" else points


def packed_colours(rgb: NDArray[Any]) -> NDArray[np.int32]:
    """0xRRGGBB of uint8 colours (n, 3 or 4)."""
    wide = np.asarray(rgb)[:, :3].astype(np.int32)
    return np.asarray((wide[:, 0] << 16) | (wide[:, 1] << 8) | wide[:, 2], dtype=np.int32)


def damaged(name: str, reason: str) -> UserError:
    """The file cannot be read as a mesh."""
    return UserError(
        f"{name} is damaged.",
        f"Its content breaks the rules of its format: {reason}.",
        "Export it again, or open and save it in a 3D program.",
        code="mesh.damaged",
        values={"name": name, "reason": reason},
    )


def fault_reason(error: BaseException) -> str:
    """A short reason out of an exception."""
    text = str(error).strip().splitlines()
    return (text[0][:120] if text else type(error).__name__).rstrip(".")


def too_large(name: str, triangles: int) -> UserError:
    """More triangles than the program takes from one file."""
    return UserError(
        f"{name} holds too many triangles.",
        f"It has {triangles:,}; at most {MOST_TRIANGLES:,} are read from one file.",
        "Simplify it, or split it into several files.",
        code="mesh.too_large",
        values={"name": name, "count": triangles},
    )


def no_triangles(name: str) -> UserError:
    """Nothing to show."""
    return UserError(
        f"{name} holds no surface.",
        "It was read without error, but there is not a single triangle in it.",
        "Check that the right file was exported.",
        code="mesh.nothing",
        values={"name": name},
    )


def read_whole(path: Path) -> bytes:
    """Content of a file. Raises `UserError` where the system refuses."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path.name} cannot be opened.",
            f"The system says: {error.strerror or error}.",
            "Check that you may read it and that no other program holds it.",
            code="file.not_opened",
            values={"path": str(path), "reason": error.strerror or str(error)},
        ) from error
