"""Model check: a building model by the rules of an IDS file; what fails is found in the picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLabel, QPushButton, QWidget

from app.cli_check import OWN, own_rules
from app.commands import ReplaceLayer, Together
from app.ids_report import write_csv, write_report
from app.ids_texts import rules_title, summary_text
from app.jobs import Job
from app.language import error_texts, tr
from app.model_view import ModelView
from app.panels.check_results import CheckResults
from app.panels.panel import Panel, line, small_button
from app.widgets.wording import say
from bim.ids_result import CheckedModel
from geo.model import Feedback, Field, Layer, UserError

if TYPE_CHECKING:
    from app.workbench import Workbench

SUFFIXES = (".ids", ".xml")
FIELD = "ids_check"
OUTCOMES = ("passed", "failed")
OTHER = "other"
BUTTONS = (
    ("report", "checks.report", "ask_report"),
    ("export", "checks.csv", "ask_csv"),
    ("only", "checks.isolate", "isolate"),
    ("mesh", "checks.colour", "colour"),
)


class ChecksPanel(Panel):
    """The dock of the rules."""

    name = "checks"
    help_page = "checks"

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.desk = bench.models
        self.path: Path | None = None
        self.job: Job | None = None
        self.results: dict[Path, tuple[str, Path, CheckedModel]] = {}  # digest of the model, rules, what was found
        self._said = ""
        self._filling = False
        self._make()
        self.setAcceptDrops(True)
        self.refresh_rules()
        self.refresh_models()
        self.desk.models_changed.connect(self.refresh_models)

    def _make(self) -> None:
        self.model_box: QComboBox = say(QComboBox(), tip="checks.which_model")
        self.rules_box: QComboBox = say(QComboBox(), tip="checks.which_rules")
        for box in (self.model_box, self.rules_box):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(8)
        self.run_button: QPushButton = say(QPushButton(), "checks.run", tip="checks.run_tip")
        self.stop_button: QPushButton = say(QPushButton(), "checks.cancel", tip="checks.cancel_tip")
        self.stop_button.hide()
        self.note = QLabel()
        self.note.setObjectName("soft")
        self.note.setWordWrap(True)
        self.note.setContentsMargins(12, 0, 12, 0)
        self.tree = CheckResults(self)
        row = QHBoxLayout()
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(4)
        row.addWidget(self.rules_box, 1)
        row.addWidget(self.run_button)
        row.addWidget(self.stop_button)
        head = QHBoxLayout()
        head.setContentsMargins(8, 0, 8, 0)
        head.addWidget(self.model_box, 1)
        self.layout_.setContentsMargins(0, 6, 0, 6)
        self.layout_.addLayout(head)
        self.layout_.addLayout(row)
        self.layout_.addWidget(self.note)
        self.layout_.addWidget(self.tree, 1)
        self.layout_.addStretch(0)
        self.layout_.addWidget(line())
        self.layout_.addLayout(self._button_row())
        self._listen()

    def _button_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(4)
        self.buttons = {}
        for icon_name, tip, slot in BUTTONS:
            self.buttons[tip] = small_button(icon_name, tip)
            self.buttons[tip].clicked.connect(getattr(self, slot))
            row.addWidget(self.buttons[tip])
        row.addStretch(1)
        return row

    def _listen(self) -> None:
        self.model_box.currentIndexChanged.connect(lambda _row: self._on_model_chosen())
        self.rules_box.activated.connect(self._on_rules_chosen)
        self.run_button.clicked.connect(self.run)
        self.stop_button.clicked.connect(self.stop)
        self.tree.itemSelectionChanged.connect(self._on_chosen)
        self.tree.itemDoubleClicked.connect(lambda _item, _column: self.zoom())
        within = Qt.ShortcutContext.WidgetWithChildrenShortcut
        QShortcut(QKeySequence(Qt.Key.Key_Return), self.tree, self.zoom, context=within)

    # ---- models and rules -------------------------------------------------------------------------------------------

    def refresh_models(self) -> None:
        """The models of the scene, the one chosen kept."""
        paths = self.desk.paths()
        self.results = {path: kept for path, kept in self.results.items() if path in paths}
        self._filling = True
        self.model_box.clear()
        for path in paths:
            self.model_box.addItem(path.stem, path)
        self.model_box.setCurrentIndex(paths.index(self.path) if self.path in paths else 0)
        self.model_box.setVisible(len(paths) > 1)
        self._filling = False
        self._on_model_chosen()

    def _on_model_chosen(self) -> None:
        if self._filling:
            return
        if self.model_box.currentData() != self.path:
            self.path, self._said = self.model_box.currentData(), ""
        self.refresh()

    def refresh_rules(self, chosen: Path | None = None) -> None:
        """The program's own rules, those used last, and the way to others."""
        current = chosen or self.rules()
        self.rules_box.clear()
        for name in OWN:
            self.rules_box.addItem(tr(f"checks.rules.{name}"), own_rules(name))
        for path in self.bench.settings.recent_rules:
            self.rules_box.addItem(path.name, path)
            self.rules_box.setItemData(self.rules_box.count() - 1, str(path), Qt.ItemDataRole.ToolTipRole)
        self.rules_box.insertSeparator(self.rules_box.count())
        self.rules_box.addItem(tr("checks.open_rules"), OTHER)
        known = range(self.rules_box.count())
        rows = [row for row in known if current is not None and self.rules_box.itemData(row) == current]
        self.rules_box.setCurrentIndex(rows[0] if rows else 0)

    def rules(self) -> Path | None:
        """The file of rules that is chosen."""
        data = self.rules_box.currentData()
        return data if isinstance(data, Path) else None

    def _on_rules_chosen(self, row: int) -> None:
        if self.rules_box.itemData(row) != OTHER:
            return
        kinds = f"{tr('checks.ids_files')} (*.ids *.xml)"
        folder = str(self.bench.settings.folder)
        chosen, _ = QFileDialog.getOpenFileName(self, tr("checks.which_rules"), folder, kinds)
        if chosen:
            self.bench.settings.folder = Path(chosen).parent
            self.take_rules(Path(chosen))
        else:
            self.rules_box.setCurrentIndex(0)

    def take_rules(self, path: Path) -> None:
        """Choose a file of rules and remember it."""
        path = path.resolve()
        self.bench.settings.add_recent_rules(path)
        self.refresh_rules(path)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files of rules may be dropped here; anything else is the window's."""
        if _dropped(event):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        """Choose the rules that were dropped."""
        paths = _dropped(event)
        if paths:
            event.acceptProposedAction()
            self.take_rules(paths[0])

    # ---- checking ---------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Check the model in a job."""
        path, rules = self.path, self.rules()
        if path is None or rules is None or self.job is not None:
            return
        digest = self.desk.view(path).digest

        def finish(checked: CheckedModel) -> None:
            self.results[path] = (digest, rules, checked)
            self._said = ""
            if path == self.path and self.tree.checked is not None:
                self.tree.checked = None  # a new result opens anew

        self.job = self.desk.ask(
            path, "ids", {"rules": str(rules)},
            done=finish, failed=self._fail, key=f"ids {path}", shown=True, make=CheckedModel.from_dict,
        )  # fmt: skip
        self.job.progressed.connect(self._write_note)
        self.job.cancelled.connect(self._on_cancelled)
        self.job.ended.connect(self._on_ended)
        self._said = ""
        self.refresh()

    def stop(self) -> None:
        """Stop the check."""
        if self.job is not None:
            self.job.cancel()

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, UserError):
            self._said = "\n".join(text for text in error_texts(error) if text)
        else:
            self.bench.notices.report(error)

    def _on_cancelled(self) -> None:
        self._said = tr("checks.stopped")

    def _on_ended(self) -> None:
        self.job = None
        self.refresh()

    # ---- showing ----------------------------------------------------------------------------------------------------

    @property
    def checked(self) -> CheckedModel | None:
        """The result of the model that is chosen."""
        kept = self.results.get(self.path) if self.path is not None else None
        return kept[2] if kept is not None else None

    def refresh(self) -> None:
        """Show the result of the model that is chosen, or why there is none."""
        checked = self.checked
        if checked is not self.tree.checked or checked is None:
            self.tree.show_checked(checked, self.bench.theme)
        self.tree.setVisible(checked is not None)
        self.run_button.setVisible(self.job is None)
        self.stop_button.setVisible(self.job is not None)
        self.run_button.setEnabled(self.path is not None)
        self.rules_box.setEnabled(self.job is None)
        for button in self.buttons.values():
            button.setEnabled(checked is not None)
        self._write_note()

    def _write_note(self) -> None:
        if self.job is not None:
            text = tr("checks.running", percent=f"{100 * self.job.fraction:.0f}")
        elif self._said:
            text = self._said
        elif self.path is None:
            text = tr("checks.empty")
        elif self.checked is None:
            text = tr("checks.ready")
        else:
            text = self._result_text(*self.results[self.path])
        self.note.setText(text)

    def _result_text(self, digest: str, rules: Path, checked: CheckedModel) -> str:
        title = rules_title(checked) or rules.name
        text = f"{title} — {summary_text(checked)}"
        return text if digest == self.model_view().digest else f"{text}\n{tr('checks.old')}"

    def model_view(self) -> ModelView:
        """The layers of the model that is chosen."""
        return ModelView(()) if self.path is None else self.desk.view(self.path)

    def _on_chosen(self) -> None:
        """What is chosen in the list is selected everywhere; one element is brought to sight."""
        ids = self.tree.chosen_ids()
        if not ids:
            return
        refs = self.model_view().refs(ids)
        self.document.selection.set(refs)
        if len(refs) == 1:
            self.bench.zoom_to(refs)
        self._said = "" if refs else tr("checks.no_shape")
        self._write_note()

    def zoom(self) -> None:
        """Show what is chosen; of a rule, open it or close it."""
        refs = self.model_view().refs(self.tree.chosen_ids())
        item = self.tree.currentItem()
        if refs:
            self.bench.zoom_to(refs)
        elif item is not None and item.parent() is None:
            item.setExpanded(not item.isExpanded())

    def isolate(self) -> None:
        """Draw only what fails the rule that is chosen, or any rule."""
        checked = self.checked
        if checked is None:
            return
        outcome = checked.outcome_by_id(self.tree.chosen_rule())
        failing = [element for element, passed in outcome.items() if not passed]
        command = self.model_view().isolate(failing) if failing else None
        if not failing:
            self._said = tr("checks.none_failed")
            self._write_note()
        if command is not None:
            self.bench.do(command)

    def colour(self) -> None:
        """Colour the model by the rule that is chosen, or by all."""
        checked = self.checked
        if checked is None:
            return
        outcome = checked.outcome_by_id(self.tree.chosen_rule())
        layers = [coloured(layer, outcome) for layer in self.model_view().layers]
        steps = tuple(ReplaceLayer(layer, "data", "colour_check") for layer in layers if layer is not None)
        if steps:
            self.bench.do(Together(steps, "colour_check"))

    # ---- files ------------------------------------------------------------------------------------------------------

    def _ask_file(self, title: str, suffix: str) -> Path | None:
        stem = self.path.stem if self.path is not None else "check"
        start = str(self.bench.settings.folder / f"{stem}-check{suffix}")
        chosen, _ = QFileDialog.getSaveFileName(self, title, start, f"*{suffix}")
        if not chosen:
            return None
        path = Path(chosen)
        self.bench.settings.folder = path.parent
        return path if path.suffix else path.with_suffix(suffix)

    def ask_report(self) -> None:
        """Write the report as a web page."""
        path = self._ask_file(tr("checks.save_report"), ".html") if self.checked is not None else None
        if path is not None:
            self.write_report(path)

    def write_report(self, path: Path) -> None:
        """Write the report to a file, in a job."""
        if self.path is None or self.checked is None:
            return
        _, rules, checked = self.results[self.path]
        model = self.path.name
        self.bench.jobs.submit(
            lambda _feedback: write_report(checked, path, model=model, rules=rules.name),
            title=tr("checks.save_report"),
            done=lambda _path: self.bench.notices.tell("notice.ids_report", path=str(path)),
        )

    def ask_csv(self) -> None:
        """Write all failures as a table."""
        path = self._ask_file(tr("checks.save_csv"), ".csv") if self.checked is not None else None
        if path is not None:
            self.write_csv(path)

    def write_csv(self, path: Path) -> None:
        """Write all failures to a file, in a job."""
        checked = self.checked
        if checked is None:
            return

        def work(feedback: Feedback) -> int:
            return write_csv(checked, path, feedback=feedback)

        self.bench.jobs.submit(
            work,
            title=tr("checks.save_csv"),
            done=lambda count: self.bench.notices.tell("notice.ids_csv", count=f"{count:,}", path=str(path)),
        )

    def refresh_words(self) -> None:
        """The list in the current language."""
        self.refresh_rules()
        self.tree.show_checked(self.checked, self.bench.theme)
        self.refresh()

    def refresh_theme(self) -> None:
        """The list in the colours of the theme."""
        self.tree.show_checked(self.checked, self.bench.theme)


def coloured(layer: Layer, outcome: dict[str, bool]) -> Layer | None:
    """A layer coloured by whether its elements passed; None where none of them was checked."""
    codes = [-1 if outcome.get(element) is None else int(not outcome[element]) for element in layer.table.ids.tolist()]
    if all(code < 0 for code in codes):
        return None
    field = Field(FIELD, "1", "element", np.array(codes, dtype=np.int8), OUTCOMES, ramp="difference")
    rest = tuple(other for other in layer.fields if other.name != FIELD)
    style = layer.style.coloured_by(FIELD)
    return layer.with_(fields=(*rest, field), style=style)


def _dropped(event: QDropEvent) -> list[Path]:
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return [path for path in paths if path.suffix.lower() in SUFFIXES]
