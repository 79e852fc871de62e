"""Reading several files for one import, each with what the user said about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.catalog import detect
from app.importer import ImportOptions, import_files, reading_order
from geo.model import Feedback, Frame, Issue, Layer, UserError

UNREADABLE_LAST = 9


@dataclass(frozen=True)
class ImportRequest:
    """A file and what the user said about it."""

    path: Path
    options: ImportOptions = field(default_factory=ImportOptions)


@dataclass(frozen=True)
class FilesRead:
    """What became of files to import."""

    frame: Frame | None
    layers: tuple[Layer, ...]
    issues: tuple[Issue, ...]
    failures: tuple[tuple[Path, UserError], ...] = ()


def read_requests(
    requests: Sequence[ImportRequest],
    frame: Frame | None,
    existing: Sequence[Layer],
    *,
    together: bool,
    feedback: Feedback,
) -> FilesRead:
    """Read files one after the other, terrain first. With `together`, or of a single file, raises its `UserError`."""
    new: list[Layer] = []
    issues: list[Issue] = []
    failures: list[tuple[Path, UserError]] = []
    for number, request in enumerate(sorted(requests, key=_reading_place)):
        part = feedback.part(number / len(requests), (number + 1) / len(requests))
        try:
            imported = import_files(
                [request.path],
                frame=frame,
                layers=[*existing, *new],
                options=request.options,
                feedback=_numbered(part, number, len(requests)),
            )
        except UserError as error:
            if together or len(requests) == 1:
                raise
            failures.append((request.path, error))
            continue
        frame = imported.frame
        new += imported.layers
        issues += imported.issues
    return FilesRead(frame, tuple(new), tuple(issues), tuple(failures))


def _numbered(feedback: Feedback, number: int, count: int) -> Feedback:
    """Says before each message which of the files it is about."""
    if count == 1:
        return feedback
    return Feedback(
        lambda fraction, message: feedback.step(fraction, f"{number + 1}/{count} · {message}"),
        lambda: feedback.cancelled,
        on_partial=feedback.partial if feedback.wants_partial else None,
        on_patience=feedback.patience,
    )


def _reading_place(request: ImportRequest) -> int:
    try:
        return reading_order(detect(request.path))
    except UserError:
        return UNREADABLE_LAST
