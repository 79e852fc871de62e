"""Analysis: choose one, its inputs and parameters; run it, watch it, stop it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from analysis.contract import Analysis, InputSpec, describe_inputs, describe_params
from analysis.registry import analysis_ids, find_analysis
from app.appearance import set_icon
from app.jobs import Job, JobState
from app.language import error_texts, tr
from app.names import layer_title
from app.numbers import seconds_text
from app.panels.panel import Panel, line, scrolled
from app.place_texts import places_text
from app.widgets.alternative_choice import AlternativeChoice
from app.widgets.elided_label import ElidedLabel
from app.widgets.later import Later
from app.widgets.param_form import ParamForm
from app.widgets.wording import say
from app.words import progress_text
from geo.model import Layer, UserError

if TYPE_CHECKING:
    from app.workbench import Workbench

INPUT_ROWS = 4
ROW_HEIGHT = 26
LEAST_WIDTH = 304  # pixels: what the forms of all studies need


class InputChoice(QWidget):
    """Which layers an input takes: a list to tick (many) or one of a box."""

    def __init__(self, analysis_id: str, spec: InputSpec) -> None:
        super().__init__()
        self.spec = spec
        self._analysis_id = analysis_id
        self.label = QLabel()
        self.label.setWordWrap(True)
        self.list = QListWidget()
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.box = QComboBox()
        self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.box.setMinimumContentsLength(8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.label)
        layout.addWidget(self.list if spec.many else self.box)
        self.retranslate()

    def fill(self, layers: list[Layer]) -> None:
        """Offer the layers that fit, keeping what the user has chosen; visible ones are ticked at first."""
        before = self.offered()
        chosen = set(self.chosen())
        fitting = [layer for layer in layers if self.spec.accepts(layer)]
        self.list.clear()
        self.box.clear()
        if self.spec.optional or not fitting:
            self.box.addItem(tr("analyses.none"), "")
        for layer in fitting:
            by_itself = (layer.style.visible or self.spec.hidden) and not self.spec.named
            self._offer(layer, layer.id in chosen if layer.id in before else by_itself)
        unasked = [layer.id for layer in fitting if (layer.style.visible or self.spec.hidden) and not self.spec.named]
        for layer_id in chosen or unasked[:1]:
            self.box.setCurrentIndex(max(0, self.box.findData(layer_id)))
        if not fitting:
            QListWidgetItem(tr("analyses.none"), self.list).setFlags(Qt.ItemFlag.NoItemFlags)
        self.list.setFixedHeight(ROW_HEIGHT * max(1, min(len(fitting), INPUT_ROWS)) + 4)

    def _offer(self, layer: Layer, ticked: bool) -> None:
        item = QListWidgetItem(layer_title(layer), self.list)
        item.setSizeHint(QSize(0, ROW_HEIGHT))
        item.setData(Qt.ItemDataRole.UserRole, layer.id)
        item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
        item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
        self.box.addItem(layer_title(layer), layer.id)

    def offered(self) -> set[str]:
        """Ids on offer."""
        return {str(self.list.item(row).data(Qt.ItemDataRole.UserRole)) for row in range(self.list.count())}

    def chosen(self) -> list[str]:
        """Ids chosen."""
        if not self.spec.many:
            current = str(self.box.currentData() or "")
            return [current] if current else []
        rows = [self.list.item(row) for row in range(self.list.count())]
        offered = [row for row in rows if row.data(Qt.ItemDataRole.UserRole)]
        return [str(r.data(Qt.ItemDataRole.UserRole)) for r in offered if r.checkState() == Qt.CheckState.Checked]

    def choose(self, layer_ids: Collection[str]) -> None:
        """Choose exactly these, as far as they are on offer."""
        for row in range(self.list.count()):
            item = self.list.item(row)
            mine = item.data(Qt.ItemDataRole.UserRole)
            if mine:
                item.setCheckState(Qt.CheckState.Checked if mine in layer_ids else Qt.CheckState.Unchecked)
        for layer_id in layer_ids:
            if self.box.findData(layer_id) >= 0:
                self.box.setCurrentIndex(self.box.findData(layer_id))

    def retranslate(self) -> None:
        """Label in the current language."""
        title = tr(f"{self._analysis_id}.input.{self.spec.name}", self.spec.title)
        self.label.setText(title + (f" ({tr('analyses.optional')})" if self.spec.optional else ""))
        self.list.setAccessibleName(title)
        self.box.setAccessibleName(title)


class AnalysesPanel(Panel):
    """Form and run of the chosen analysis."""

    name = "analyses"
    help_page = "analyses"

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.job: Job | None = None
        self._form: ParamForm | None = None
        self._inputs: list[InputChoice] = []
        self._alternatives: AlternativeChoice | None = None
        self._has_form = False  # it is made when somebody asks: the study has to be imported for it
        self.choice = say(QComboBox(), tip="analyses.choice.tip")
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.setMinimumContentsLength(10)
        self.choice.currentIndexChanged.connect(self._show_chosen)
        self.description = QLabel()
        self.description.setObjectName("soft")
        self.description.setWordWrap(True)
        self._content = QWidget()
        self._content_layout = QVBoxLayout(self._content)
        self._content_layout.setContentsMargins(0, 0, 8, 0)
        self._content_layout.setSpacing(8)
        self.error = QLabel()
        self.error.setObjectName("field_error")
        self.error.setWordWrap(True)
        self.error.setVisible(False)
        self.layout_.addWidget(self.choice)
        area = scrolled(self._content)
        area.setMinimumWidth(LEAST_WIDTH)
        self.layout_.addWidget(area, 1)
        self.layout_.addWidget(self.error)
        self.layout_.addWidget(line())
        self.layout_.addLayout(self._make_run_row())
        self.layout_.addWidget(self.progress)
        self.layout_.addWidget(self.progress_text)
        self._later = Later(self, self._fill_inputs)
        scene = self.document.scene
        self.connections.add(scene.added, self._on_layers)
        self.connections.add(scene.removed, self._on_layers)
        self.connections.add(scene.changed, self._on_layer_changed)
        self.connections.add(self.document.alternatives.changed, self._later.ask)
        self.fill_choice()

    def _make_run_row(self) -> QHBoxLayout:
        self.run_button = say(QPushButton(), "analyses.run", tip="analyses.run.tip")
        self.run_button.setObjectName("primary")
        set_icon(self.run_button, "play")
        self.run_button.clicked.connect(self.run)
        self.cancel_button = say(QPushButton(), "analyses.cancel", tip="analyses.cancel.tip")
        self.cancel_button.clicked.connect(self.cancel)
        self.cancel_button.setEnabled(False)
        self.reset_button = say(QPushButton(), "analyses.reset", tip="analyses.reset.tip")
        self.reset_button.setObjectName("link")
        self.reset_button.clicked.connect(self.reset)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setVisible(False)
        self.progress_text = ElidedLabel()  # what work says of itself must not make the panel wider
        self.progress_text.setObjectName("soft")
        self.progress_text.setVisible(False)
        row = QHBoxLayout()
        row.addWidget(self.run_button)
        row.addWidget(self.cancel_button)
        row.addStretch(1)
        row.addWidget(self.reset_button)
        return row

    # ---- the form -------------------------------------------------------------------------------------------------

    @property
    def form(self) -> ParamForm | None:
        """The parameters of the chosen analysis."""
        self.make_form()
        return self._form

    @property
    def inputs(self) -> list[InputChoice]:
        """What it is given."""
        self.make_form()
        return self._inputs

    @property
    def alternatives(self) -> AlternativeChoice | None:
        """On which alternatives it runs."""
        self.make_form()
        return self._alternatives

    def make_form(self) -> None:
        """Make the first form, if it is not there."""
        if not self._has_form:
            self._show_chosen()

    # ---- choice -------------------------------------------------------------------------------------------------

    def fill_choice(self) -> None:
        """List the analyses by their titles."""
        current = self.choice.currentData()
        self.choice.blockSignals(True)
        self.choice.clear()
        for analysis_id in analysis_ids():  # by their names alone: only the one chosen is imported
            self.choice.addItem(tr(f"{analysis_id}.title"), analysis_id)
        self.choice.setCurrentIndex(max(0, self.choice.findData(current)))
        self.choice.blockSignals(False)
        if self._has_form and self.choice.currentData() != current:
            self._show_chosen()

    @property
    def chosen(self) -> str:
        """Id of the one chosen."""
        return str(self.choice.currentData() or "")

    @property
    def analysis(self) -> Analysis | None:
        """The one chosen."""
        return find_analysis(self.chosen)

    def choose(self, analysis_id: str) -> None:
        """Choose by id; its form is made when it is first asked for."""
        was = self.choice.blockSignals(not self._has_form)
        self.choice.setCurrentIndex(max(0, self.choice.findData(analysis_id)))
        self.choice.blockSignals(was)

    def _show_chosen(self) -> None:
        self._clear_content()
        analysis = self.analysis
        self._has_form = True
        self.run_button.setEnabled(analysis is not None and self.job is None)
        if analysis is None:
            self.description.setText(tr("analyses.no_analyses"))
            self._content_layout.addWidget(self.description)
            self._content_layout.addStretch(1)
            return
        self.description.setText(tr(f"{analysis.id}.description", analysis.description))
        self._inputs = [InputChoice(analysis.id, spec) for spec in describe_inputs(analysis.inputs)]
        self._form = form = ParamForm(analysis.id, describe_params(analysis.params))
        form.changed.connect(self._clear_error)
        form.selection_asked.connect(self._take_selection)
        form.pick_asked.connect(self._pick_place)
        self._content_layout.addWidget(self.description)
        self._alternatives = AlternativeChoice(self.document.alternatives)
        self._content_layout.addWidget(self._alternatives)
        self._content_layout.addWidget(_section("analyses.inputs"))
        for choice in self.inputs:
            self._content_layout.addWidget(choice)
        self._content_layout.addWidget(_section("analyses.params"))
        self._content_layout.addWidget(form)
        self._content_layout.addStretch(1)
        self._fill_inputs()
        self._clear_error()

    def _take_selection(self, name: str) -> None:
        """The selected elements as the value of a parameter."""
        text = places_text(list(self.document.selection.items), tuple(self.document.scene))
        if self.form is not None and text:
            self.form.set_values({name: text})

    def _pick_place(self, name: str) -> None:
        """The next click in the picture as the value of a parameter."""
        self.bench.place_requested.emit(lambda text: self._set_place(name, text))

    def _set_place(self, name: str, text: str) -> None:
        if self.form is not None and name in self.form.editors:
            self.form.set_values({name: text})

    def _clear_content(self) -> None:
        self._form, self._inputs, self._alternatives = None, [], None
        while self._content_layout.count():
            widget = self._content_layout.takeAt(0).widget()
            if widget is not None and widget is not self.description:
                widget.hide()
                widget.deleteLater()

    def _on_layers(self, _layer: Layer) -> None:
        self._later.ask()

    def _on_layer_changed(self, _layer: Layer, what: str) -> None:
        if what != "style":
            self._later.ask()

    def _fill_inputs(self) -> None:
        layers = list(self.document.scene)
        for choice in self._inputs:
            choice.fill(layers)
        if self._alternatives is not None:
            self._alternatives.fill()

    # ---- run ----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Run with what the form says."""
        analysis, form = self.analysis, self.form
        if analysis is None or form is None or self.job is not None:
            return
        self._clear_error()
        job = self.bench.run(
            analysis,
            form.values(),
            chosen={c.spec.name: c.chosen() for c in self.inputs},
            failed=self._on_failed,
            alternatives=(self.alternatives.chosen() or None) if self.alternatives is not None else None,
        )
        if job is None:
            return
        self.job = job
        job.progressed.connect(self._on_progress)
        job.ended.connect(self._on_ended)
        self._write_run_state()

    def cancel(self) -> None:
        """Stop the run."""
        if self.job is not None:
            self.job.cancel()
            self.progress_text.setText(tr("job.stopping"))

    def reset(self) -> None:
        """Parameters back to their defaults."""
        if self.form is not None:
            self.form.reset()

    def _on_progress(self) -> None:
        if self.job is not None and not self.job.is_stopping:
            self.progress.setValue(round(self.job.fraction * 1000))
            self.progress_text.setText(progress_line(self.job))

    def _on_ended(self) -> None:
        self.job = None
        self._write_run_state()

    def _write_run_state(self) -> None:
        running = self.job is not None
        self.run_button.setEnabled(not running and self.analysis is not None)
        self.cancel_button.setEnabled(running)
        self.progress.setVisible(running)
        self.progress.setValue(0)
        self.progress_text.setVisible(running)
        self.progress_text.setText(tr("job.waiting") if running else "")

    def _on_failed(self, error: BaseException) -> None:
        """An error of the user's stands beside the form; below the parameter when it is about one."""
        if not isinstance(error, UserError):
            self.bench.notices.report(error)
            return
        what, why, todo = error_texts(error)
        name = str(error.values.get("param", ""))
        if self.form is not None and name in self.form.editors:
            self.form.show_error(name, f"{what} {why}")
        else:
            self.error.setText(f"{what}\n{why}\n{todo}")
            self.error.setVisible(True)

    def _clear_error(self) -> None:
        self.error.setVisible(False)
        if self._form is not None:
            self._form.clear_errors()

    def refresh_words(self) -> None:
        """Titles, labels and options in the current language."""
        self.fill_choice()
        if not self._has_form:
            return
        analysis = self.analysis
        if analysis is not None:
            self.description.setText(tr(f"{analysis.id}.description", analysis.description))
        if self._form is not None:
            self._form.retranslate()
        for choice in self._inputs:
            choice.retranslate()
        self._fill_inputs()


def _section(text_id: str) -> QLabel:
    label: QLabel = say(QLabel(), text_id)
    label.setObjectName("section")
    return label


def progress_line(job: Job) -> str:
    """Per cent, time spent, time left and what is being done."""
    if job.state is JobState.WAITING:
        return tr("job.waiting")
    parts = [f"{job.fraction:.0%}", seconds_text(job.seconds)]
    if job.remaining_s is not None:
        parts.append(tr("job.left", time=seconds_text(job.remaining_s)))
    if job.message:
        parts.append(progress_text(job.message))
    return " · ".join(parts)
