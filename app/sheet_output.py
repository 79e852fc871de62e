"""Rows of a sheet out of the program: a CSV or Excel file, or text that a spreadsheet takes from the clipboard."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.sheet import Rows, Sheet, plain_rows, write_rows
from geo.model import Feedback, UserError

EXCEL = ".xlsx"
EXCEL_ROWS = 1_048_575  # that a sheet of Excel holds below its line of titles
NARROWEST, WIDEST = 8, 48  # columns, in characters


def write_table(path: Path, sheet: Sheet, *, rows: Rows, titles: Mapping[str, str], feedback: Feedback) -> int:
    """Write rows as Excel where the name ends so, else as CSV; returns how many."""
    write = write_xlsx if path.suffix.lower() == EXCEL else write_csv
    return write(path, sheet, rows=rows, titles=titles, feedback=feedback)


def write_xlsx(path: Path, sheet: Sheet, *, rows: Rows, titles: Mapping[str, str], feedback: Feedback) -> int:
    """Write rows as an Excel sheet with fixed titles that can be filtered; returns how many."""
    from openpyxl import Workbook
    from openpyxl.utils import get_column_letter

    if len(rows) > EXCEL_ROWS:
        raise UserError(
            f"{len(rows):,} rows do not go into a sheet of Excel.",
            f"It holds {EXCEL_ROWS:,}.",
            "Write them as CSV, or filter the table first.",
            code="table.too_many_for_excel",
            values={"rows": f"{len(rows):,}", "most": f"{EXCEL_ROWS:,}"},
        )
    written = path.with_name(f"{path.name}.part")
    book = Workbook(write_only=True)
    page = book.create_sheet()
    page.freeze_panes = "B2"
    for number, column in enumerate(sheet.columns.values(), start=1):
        width = len(titles.get(column.key, column.key)) * 2  # Hangul takes the room of two letters
        page.column_dimensions[get_column_letter(number)].width = min(max(width, NARROWEST), WIDEST)
    page.auto_filter.ref = f"A1:{get_column_letter(max(len(sheet.columns), 1))}{len(rows) + 1}"
    try:
        with written.open("wb") as target:
            for lines in plain_rows(sheet, rows, titles=titles, feedback=feedback):
                for line in lines:
                    page.append([_cell(page, value) for value in line])
            book.save(target)
        written.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        written.unlink(missing_ok=True)
    return len(rows)


def _cell(page: Any, value: object) -> object:
    """A value as Excel takes it: no formula is made of a text, and no character that its files cannot hold."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if not isinstance(value, str):
        return value
    text = ILLEGAL_CHARACTERS_RE.sub(" ", value)
    if not text.startswith("="):
        return text or None
    cell = WriteOnlyCell(page, value=text)
    cell.data_type = "s"
    return cell


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
