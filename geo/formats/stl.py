"""STL, binary and text."""

from __future__ import annotations

from pathlib import Path

from geo.formats import mesh_trimesh
from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.formats.mesh_file import describe, layers_of
from geo.formats.mesh_place import MeshOptions
from geo.model import Feedback, Frame, Layer


def sniff(path: Path, head: bytes) -> bool:
    """Text that speaks of facets, or bytes whose length is that of the triangles they announce."""
    if head[:5].lower() == b"solid" and b"facet" in head:
        return True
    if len(head) < 84:
        return False
    try:
        size = path.stat().st_size
    except OSError:
        return False
    count = int.from_bytes(head[80:84], "little")
    return count > 0 and (size == 84 + 50 * count or (path.suffix.lower() == ".stl" and size > 84))


def inspect(path: Path) -> FileInfo:
    """Objects, triangles, extent in the file's own units."""
    return describe(mesh_trimesh.load(path, FORMAT.id), FORMAT.id, FORMAT.title)


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """One layer ``mesh``."""
    feedback.step(0.0, f"reading {path.name}")
    model = mesh_trimesh.load(path, FORMAT.id)
    feedback.step(0.8, "objects")
    layers = layers_of(model, path, frame, options, feedback)
    feedback.step(1.0, "read")
    return layers


FORMAT = Format(
    id="stl",
    title="STL",
    patterns=("*.stl",),
    sniff=sniff,
    inspect=inspect,
    read=read,
    options=MeshOptions,
    isolate=True,  # trimesh reads in one go: only a process of its own can be stopped
)
