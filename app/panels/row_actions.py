"""What can be done with rows of the table: look at their elements, hide others, write them to a file, copy them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QApplication

from app.commands import SetStyle
from app.element_rows import extent_of
from app.language import tr
from app.sheet import Rows, Sheet
from app.sheet_output import clipboard_text, write_table
from geo.model import Bounds, ElementRef, Layer

if TYPE_CHECKING:
    from app.workbench import Workbench

MARGIN = 0.3  # around what is zoomed to, of its size
MARGIN_AT_LEAST_M = 10.0


class RowActions:
    """Asks the workbench for it. Longer ones are jobs."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench

    def zoom_to(self, layer: Layer, rows: Rows) -> None:
        """Show elements with some of what is around them."""
        box = extent_of(layer, rows)
        if box is not None:
            margin = max(max(box.size) * MARGIN, MARGIN_AT_LEAST_M)
            low, high = np.array(box.low) - margin, np.array(box.high) + margin
            self.bench.look_at(Bounds(tuple(low), tuple(high)))  # type: ignore[arg-type]

    def zoom_to_one(self, layer: Layer, row: int) -> None:
        """Show one element."""
        self.bench.zoom_to([ElementRef(layer.id, str(layer.table.ids[row]))])

    def hide_others(self, layer: Layer, rows: Rows) -> None:
        """Draw only these elements of the layer."""
        kept = np.zeros(len(layer.table), dtype=np.bool_)
        kept[rows] = True
        hidden = frozenset(layer.table.ids[~kept].tolist())
        if hidden != layer.style.hidden:
            self.bench.do(SetStyle(layer.id, dataclasses.replace(layer.style, hidden=hidden), "hide_elements"))

    def show_all(self, layer: Layer) -> None:
        """Draw every element of the layer again."""
        if layer.style.hidden:
            style = dataclasses.replace(layer.style, hidden=frozenset())
            self.bench.do(SetStyle(layer.id, style, "show_elements"))

    def colour_by(self, layer: Layer, key: str) -> None:
        """Colour the layer by a column, in the way the program chooses."""
        if layer.style.colour_by != key:
            style = layer.style.coloured_by(key)
            self.bench.do(SetStyle(layer.id, style, "set_colour"))

    def export(self, path: Path, sheet: Sheet, *, rows: Rows, titles: Mapping[str, str]) -> None:
        """Write rows as CSV or Excel in a job, as the name ends."""
        self.bench.jobs.submit(
            lambda feedback: write_table(path, sheet, rows=rows, titles=titles, feedback=feedback),
            title=tr("job.export_table", name=path.name),
            done=lambda count: self.bench.notices.tell("notice.table_written", count=f"{count:,}", name=path.name),
        )

    def copy(self, sheet: Sheet, *, rows: Rows, titles: Mapping[str, str]) -> None:
        """Put rows on the clipboard as a spreadsheet reads them."""

        def finish(text: str) -> None:
            QApplication.clipboard().setText(text)
            self.bench.notices.tell("notice.table_copied", count=f"{len(rows):,}")

        self.bench.jobs.submit(
            lambda feedback: clipboard_text(sheet, rows=rows, titles=titles, feedback=feedback),
            title=tr("job.copy_table"),
            key="copy table",
            shown=False,
            done=finish,
        )
