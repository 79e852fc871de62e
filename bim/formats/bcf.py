"""Format: BCF, topics about models. They go to the list of topics, not into layers; see `bim.bcf`."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from pathlib import Path

from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.model import Feedback, Frame, Layer, UserError

TITLE = "BCF topics"
PATTERNS = ("*.bcf", "*.bcfzip")
ID = "bcf"


def sniff(path: Path, head: bytes) -> bool:
    """A ZIP archive with a version of BCF or a topic in it."""
    if not head.startswith(b"PK\x03\x04"):
        return False
    if b"bcf.version" in head or b"markup.bcf" in head:
        return True
    try:
        with zipfile.ZipFile(path if path.is_file() else io.BytesIO(head)) as archive:
            return any(name.lower().endswith("markup.bcf") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def inspect(path: Path) -> FileInfo:
    """How many topics, comments and viewpoints a file holds, and which titles."""
    from bim.bcf.read import read_bcf

    archive = read_bcf(path)
    topics = archive.topics
    counts = Counter[str]()
    for topic in topics:
        counts["topics"] += 1
        counts["comments"] += len(topic.comments)
        counts["viewpoints"] += len(topic.viewpoints)
        counts["selected elements"] += sum(len(view.selected) for view in topic.viewpoints)
        counts["clipping planes"] += sum(len(view.planes) for view in topic.viewpoints)
    return FileInfo(
        format=ID,
        title=TITLE,
        version=archive.version,
        counts=dict(counts),
        issues=archive.issues,
        details={
            "project": archive.project,
            "titles": [topic.title for topic in topics],
            "models": sorted({file.name for topic in topics for file in topic.files if file.name}),
        },
        place_is_weak=True,
    )


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """Topics are no layers: says where they go. Raises `UserError`, always."""
    raise UserError(
        f"{path.name} holds topics, not layers.",
        "BCF files carry remarks about models; there is nothing in them to draw.",
        "Open it in the window: the topics come into the list of topics.",
        code="bcf.no_layers",
        values={"name": path.name},
    )


FORMAT = Format(id=ID, title=TITLE, patterns=PATTERNS, sniff=sniff, inspect=inspect, read=read)
