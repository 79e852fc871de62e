"""The window's way to OpenFOAM: which wind, how it is calculated, and where: in a file, here, or brought back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from analysis.contract import Analysis
from app.alternatives import scenes_of
from app.jobs import Job
from app.language import tr
from app.openfoam.bridge import STUDY, reading_study, running_study, write_project_case
from app.openfoam.dictionaries import MODELS, Plan
from app.openfoam.programs import Missing, find_openfoam
from app.run_texts import made_line, main_params, params_line
from app.shown_runs import Run, runs_of
from app.widgets.quantity_edit import QuantityEdit
from app.widgets.wording import say
from geo.model import Feedback, Issue, UserError

if TYPE_CHECKING:
    from app.main_window import MainWindow

MOST_ITERATIONS, USUAL_ITERATIONS = 100_000, 1000
WRITE, RUN, READ = "openfoam.write", "openfoam.run", "openfoam.read"


class OpenFoamDialog(QDialog):
    """Which wind becomes a case, and what is done with it: `asked` is the button, its text's id."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        say(self, "openfoam.title")
        self.asked = ""
        self.study = QComboBox()
        self._fill_studies(window)
        self.model = QComboBox()
        for name in MODELS:
            self.model.addItem(tr(f"openfoam.model.{name}"), name)
        self.iterations = QuantityEdit(USUAL_ITERATIONS, unit="1", low=1, high=MOST_ITERATIONS, integer=True)
        self.cores = QuantityEdit(1, unit="1", low=1, high=os.cpu_count() or 1, integer=True)
        self.engine = QLabel()
        self.engine.setObjectName("soft")
        self.engine.setWordWrap(True)
        self.buttons = {name: say(QPushButton(), name) for name in (WRITE, RUN, READ)}
        self._lay_out()
        self._tell_engine()

    def _fill_studies(self, window: MainWindow) -> None:
        """The recorded winds, the newest first, and what the form says or the defaults."""
        for run in runs_of(list(window.document.scene)):
            if run.analysis_id == STUDY:
                self.study.addItem(run_line(run), dict(run.record["provenance"]["params"]))
        form = window.analyses.form
        is_chosen = window.analyses.analysis is not None and window.analyses.analysis.id == STUDY
        if is_chosen and form is not None:
            self.study.addItem(tr("openfoam.study.form"), form.values())
        else:
            self.study.addItem(tr("openfoam.study.usual"), {})

    def _lay_out(self) -> None:
        form = QFormLayout()
        rows: tuple[tuple[str, QWidget], ...] = (
            ("openfoam.study", self.study),
            ("openfoam.model", self.model),
            ("openfoam.iterations", self.iterations),
            ("openfoam.cores", self.cores),
        )
        for text_id, widget in rows:
            form.addRow(tr(text_id), widget)
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        box.button(QDialogButtonBox.StandardButton.Cancel).setText(tr("dialog.cancel"))
        for name, button in self.buttons.items():
            box.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
            button.clicked.connect(lambda _checked=False, asked=name: self._ask(asked))
        box.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(_note("openfoam.lead"))
        layout.addLayout(form)
        layout.addWidget(self.engine)
        layout.addWidget(box)

    def _tell_engine(self) -> None:
        """Whether cases can be run here, or why not."""
        found = find_openfoam()
        if isinstance(found, Missing):
            text = tr(f"openfoam.{found.reason}")
        else:
            text = tr("openfoam.found", version=found.version)
        self.engine.setText(text)
        self.buttons[RUN].setEnabled(not isinstance(found, Missing))
        self.buttons[RUN].setToolTip(text)
        self.cores.setEnabled(not isinstance(found, Missing) and found.has_mpi)

    def _ask(self, name: str) -> None:
        self.asked = name
        self.accept()

    def plan(self) -> Plan:
        """How the case is calculated."""
        return Plan(model=self.model.currentData(), iterations=int(self.iterations.value), cores=int(self.cores.value))

    def params(self) -> dict[str, Any]:
        """Parameters of the wind."""
        return dict(self.study.currentData())


def run_line(run: Run) -> str:
    """A recorded wind in one line."""
    names = dict.fromkeys(("wind_from", "speed", "cell", *main_params(run)))
    return f"{params_line(run, list(names))} · {made_line(run)}"


def _note(text_id: str) -> QLabel:
    label: QLabel = say(QLabel(), text_id)
    label.setWordWrap(True)
    return label


def ask_openfoam(window: MainWindow) -> None:
    """Ask what is wanted, and begin."""
    dialog = OpenFoamDialog(window)
    if dialog.exec() != QDialog.DialogCode.Accepted:
        return
    if dialog.asked == WRITE:
        target = window.files.ask_file(WRITE, f"{tr('openfoam.files')} (*.zip)", suffix=".zip")
        if target is not None:
            begin_writing(window, dialog.params(), dialog.plan(), target)
    elif dialog.asked == RUN:
        begin_study(window, running_study(dialog.plan()), dialog.params())
    elif dialog.asked == READ:
        ask_case(window)


def begin_writing(window: MainWindow, params: Mapping[str, Any], plan: Plan, target: Path) -> Job | None:
    """Write the case of what the window shows, in a job."""
    frame, notices = window.document.scene.frame, window.bench.notices
    if frame is None:
        notices.tell("notice.no_scene", severity="doubt")
        return None
    _, layers = scenes_of(window.document, None)[0]
    shown = tuple(layers)

    def work(feedback: Feedback) -> tuple[Issue, ...]:
        return write_project_case(target, layers=shown, frame=frame, params=params, plan=plan, feedback=feedback)

    def done(_issues: tuple[Issue, ...]) -> None:
        notices.tell("notice.openfoam_written", name=target.name)

    return window.bench.jobs.submit(
        work, title=tr("openfoam.writing", name=target.name), key=f"case {target}", done=done
    )


def ask_case(window: MainWindow) -> None:
    """Choose the folder of a case that was calculated elsewhere, and bring it back."""
    chosen = QFileDialog.getExistingDirectory(window, tr(READ).rstrip("…"), str(window.settings.folder))
    if not chosen:
        return
    try:
        study, params = reading_study(Path(chosen))
    except UserError as error:
        window.bench.notices.report(error)
        return
    begin_study(window, study, params)


def begin_study(window: MainWindow, study: Analysis, params: Mapping[str, Any]) -> Job | None:
    """Calculate or bring back; the result comes into the scene as that of any run."""
    return window.bench.run(study, params)
