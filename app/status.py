"""The line at the bottom: coordinates under the cursor, CRS, height datum, selection, job, memory."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel, QProgressBar, QStatusBar, QWidget

from app.connections import Connections
from app.language import tr
from app.numbers import megabytes_text, with_unit
from app.panels.analyses import progress_line
from app.words import datum_name
from geo.crs import title
from geo.model import Frame

if TYPE_CHECKING:
    from app.workbench import Workbench

MEMORY_MS = 3000


class StatusLine(QStatusBar):
    """Labels that follow the document."""

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self.coordinates, self.crs, self.vertical, self.selection = QLabel(), QLabel(), QLabel(), QLabel()
        self.job, self.memory = QLabel(), QLabel()
        self.coordinates.setObjectName("coordinates")
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setFixedWidth(96)
        self.setSizeGripEnabled(False)
        self.addWidget(self.coordinates, 1)
        for widget in (self.crs, self.vertical, self.selection, self.job, self.progress, self.memory):
            self.addPermanentWidget(widget)
        self._connections = Connections()
        self._connections.add(bench.document.scene.framed, self._on_framed)
        self._connections.add(bench.document.selection.changed, self._show_selection)
        self._connections.add(bench.document.changed, self._show_frame)
        bench.jobs.changed.connect(self._show_job)
        self._timer = QTimer(self)
        self._timer.setInterval(MEMORY_MS)
        self._timer.timeout.connect(self._show_memory)
        self._timer.start()
        self.refresh_words()

    def release(self) -> None:
        """Stop listening."""
        self._connections.close()
        self._timer.stop()

    def refresh_words(self) -> None:
        """In the current language."""
        self._show_frame()
        self._show_selection()
        self._show_job()
        self._show_memory()

    def _on_framed(self, _frame: Frame) -> None:
        self._show_frame()

    def _show_frame(self) -> None:
        frame = self._bench.document.scene.frame
        for label in (self.crs, self.vertical):
            label.setVisible(frame is not None)
        if frame is not None:
            name = title(frame.crs)
            self.crs.setText(f"{frame.crs[:24]}")
            self.crs.setToolTip(tr("status.crs", name=name))
            self.vertical.setText(tr("status.vertical", name=datum_name(frame.vertical)))
        else:
            self.coordinates.setText("")

    def _show_selection(self) -> None:
        count = len(self._bench.document.selection)
        self.selection.setText(tr("status.selected", count=f"{count:,}") if count else "")
        self.selection.setVisible(bool(count))

    def _show_job(self) -> None:
        running = self._bench.jobs.running
        self.progress.setVisible(bool(running))
        if running:
            job = running[-1]
            self.progress.setValue(round(job.fraction * 1000))
            more = f" (+{len(running) - 1})" if len(running) > 1 else ""
            self.job.setText(f"{job.title}{more}")
            self.job.setToolTip(progress_line(job))
        else:
            self.job.setText("")
        self.job.setVisible(bool(running))

    def _show_memory(self) -> None:
        used = memory_bytes()
        self.memory.setText(tr("status.memory_used", size=megabytes_text(used)) if used else "")
        self.memory.setToolTip(tr("status.memory"))

    def show_hover(self, info: Any) -> None:
        """Coordinates and value under the cursor; nothing for None."""
        self.coordinates.setText(hover_text(info))


def hover_text(info: Any) -> str:
    """``E 229,110.2  N 435,795.1  H 31.4 m · 36.520123°, 127.325456° · value``."""
    if info is None:
        return ""
    parts = [f"E {info.easting:,.1f}   N {info.northing:,.1f}   H {info.height:,.1f} m"]
    if math.isfinite(info.longitude) and math.isfinite(info.latitude):
        parts.append(f"{info.latitude:.6f}°, {info.longitude:.6f}°")
    value = f"{info.quantity} {with_unit(info.value, info.unit)}".strip() if info.value else ""
    parts += [text for text in (info.name, value) if text]
    return "  ·  ".join(parts)


def memory_bytes() -> int:
    """Resident memory of this process; 0 where the system does not say it cheaply."""
    if sys.platform.startswith("linux"):
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * resource.getpagesize()
    return 0
