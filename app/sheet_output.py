"""Rows of a sheet out of the program: a CSV file, or text that a spreadsheet takes from the clipboard."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from app.sheet import Rows, Sheet, write_rows
from geo.model import Feedback, UserError


def write_csv(path: Path, sheet: Sheet, *, rows: Rows, titles: Mapping[str, str], feedback: Feedback) -> int:
    """Write rows as CSV in UTF-8 with the mark that Excel wants; returns how many. A file begun is not left behind."""
    written = path.with_name(f"{path.name}.part")
    try:
        with written.open("w", encoding="utf-8-sig", newline="") as target:
            write_rows(target, sheet, rows, titles=titles, feedback=feedback)
        written.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        written.unlink(missing_ok=True)
    return len(rows)


def clipboard_text(sheet: Sheet, *, rows: Rows, titles: Mapping[str, str], feedback: Feedback) -> str:
    """Rows as lines of values between tabs."""
    target = io.StringIO()
    write_rows(target, sheet, rows, titles=titles, delimiter="\t", feedback=feedback)
    return target.getvalue()


def _cannot_write(path: Path, error: OSError) -> UserError:
    return UserError(
        f"{path.name} could not be written.",
        f"The system says: {error.strerror or error}.",
        "Close it in other programs, or choose another folder.",
        code="table.cannot_write",
        values={"name": path.name, "reason": error.strerror or str(error)},
    )
