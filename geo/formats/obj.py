"""Wavefront OBJ with materials: objects and groups become elements."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from geo.formats import mesh_trimesh
from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.formats.mesh_file import describe, layers_of
from geo.formats.mesh_model import read_whole
from geo.formats.mesh_place import MeshOptions
from geo.formats.nearby import Nearby
from geo.model import Feedback, Frame, Layer, UserError

WORDS = {
    b"v", b"vn", b"vt", b"vp", b"f", b"l", b"p", b"o", b"g", b"s", b"mtllib", b"usemtl", b"#",
}  # fmt: skip


def sniff(path: Path, head: bytes) -> bool:
    """Text whose lines start with the words of an OBJ file; a vertex among them."""
    if b"\0" in head:
        return False
    lines = head.removeprefix(b"\xef\xbb\xbf").splitlines()
    words = {line.split(None, 1)[0] for line in lines if line.strip()}
    is_named = path.suffix.lower() == ".obj"
    return b"v" in words and words <= WORDS if not is_named else bool(words & {b"v", b"mtllib", b"o", b"g", b"f"})


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


def companions(path: Path) -> list[Path]:
    """Material files named in the text."""
    names = re.findall(rb"^mtllib[ \t]+([^\r\n]+)", read_whole(path), re.MULTILINE)
    nearby, found = Nearby.beside(path), []
    for name in names[:100]:
        with contextlib.suppress(UserError):
            found.append(nearby.locate(name.decode("utf-8", "replace").strip()))
    return found


FORMAT = Format(
    id="obj",
    title="OBJ",
    patterns=("*.obj",),
    sniff=sniff,
    inspect=inspect,
    read=read,
    options=MeshOptions,
    companions=companions,
    isolate=True,  # trimesh reads in one go: only a process of its own can be stopped
)
