"""Jobs: what runs, how far it is, how long it will take, and a button to stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.jobs import Job, JobState
from app.language import tr
from app.numbers import seconds_text
from app.panels.analyses import progress_line
from app.panels.panel import Panel, scrolled, small_button
from app.widgets.wording import say

if TYPE_CHECKING:
    from app.workbench import Workbench


class JobRow(QWidget):
    """One job."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job
        self._title = QLabel(job.title)
        self._state = QLabel()
        self._state.setObjectName("soft")
        self._bar = QProgressBar()
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self.stop = small_button("stop", "jobs.stop")
        self.stop.clicked.connect(job.cancel)
        top = QHBoxLayout()
        top.setContentsMargins(0, 0, 0, 0)
        top.addWidget(self._title, 1)
        top.addWidget(self._state)
        top.addWidget(self.stop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 4)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self._bar)
        self.refresh()

    def refresh(self) -> None:
        """Show how far it is."""
        job = self.job
        self._bar.setValue(round(job.fraction * 1000))
        self._bar.setVisible(not job.is_over)
        self.stop.setVisible(not job.is_over)
        self.stop.setEnabled(not job.is_stopping)
        self._state.setText(state_text(job))


def state_text(job: Job) -> str:
    """Where a job stands, in words."""
    if job.is_stopping:
        return tr("job.stopping")
    if job.is_over:
        return f"{tr(f'job.state.{job.state.value}')} · {seconds_text(job.seconds)}"
    return progress_line(job)


class JobsPanel(Panel):
    """The list of jobs, the newest on top."""

    name = "jobs"
    help_page = "jobs"

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.rows: dict[Job, JobRow] = {}
        self.empty = say(QLabel(), "jobs.empty")
        self.empty.setObjectName("soft")
        self.clear_button = say(QPushButton(), "jobs.clear", tip="jobs.clear.tip")
        self.clear_button.setObjectName("link")
        self.clear_button.clicked.connect(bench.jobs.clear_finished)
        content = QWidget()
        self._list = QVBoxLayout(content)
        self._list.setContentsMargins(0, 0, 4, 0)
        self._list.setSpacing(4)
        self._list.addWidget(self.empty)
        self._list.addWidget(self.clear_button)
        self._list.addStretch(1)
        self.layout_.addWidget(scrolled(content))
        bench.jobs.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Rows for the jobs there are."""
        jobs = self.bench.jobs.jobs
        for job in [job for job in self.rows if job not in jobs]:
            row = self.rows.pop(job)
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        for job in jobs:
            if job not in self.rows:
                self.rows[job] = JobRow(job)
                self._list.insertWidget(0, self.rows[job])
            self.rows[job].refresh()
        self.empty.setVisible(not jobs)
        self.clear_button.setVisible(any(job.state is not JobState.RUNNING and job.is_over for job in jobs))

    def refresh_words(self) -> None:
        """In the current language."""
        self.refresh()
