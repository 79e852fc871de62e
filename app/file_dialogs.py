"""Everything about files that asks the user: open, save, import, export; unsaved changes, moved sources, recovery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox

from app import project_file
from app.catalog import formats
from app.document import Document
from app.jobs import Job
from app.language import tr
from app.shown_runs import Run
from geo.model import Layer

if TYPE_CHECKING:
    from app.import_dialog import Examined, ImportDialog
    from app.main_window import MainWindow

TOPIC_SUFFIXES = (".bcf", ".bcfzip")


class FileDialogs(QObject):
    """The questions; the workbench does what was answered."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self.bench, self.document, self.settings = window.bench, window.document, window.settings
        self.import_dialog: ImportDialog | None = None
        self.both = False

    # ---- projects -------------------------------------------------------------------------------------------------

    def ask_new(self) -> None:
        """An empty project, after asking about unsaved changes."""
        self.when_saved(self.bench.new_project)

    def ask_open(self) -> None:
        """Choose a project or data files."""
        chosen, _ = QFileDialog.getOpenFileName(
            self.window,
            tr("action.open"),
            str(self.settings.folder),
            f"{tr('dialog.projects')} (*.twin);;{_all_files()}",
        )
        if chosen:
            self.settings.folder = Path(chosen).parent
            self.open_paths([Path(chosen)])

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Open a project, or import data."""
        rules = [path for path in paths if path.suffix.lower() == ".ids"]
        if rules:
            self.window.show_panel("checks")
            self.window.checks.take_rules(rules[0])
            paths = [path for path in paths if path not in rules]
        projects = [path for path in paths if project_file.is_project(path)]
        if projects:
            self.open_project(projects[0])
        elif paths:
            self.import_paths(paths)

    def open_project(self, path: Path) -> None:
        """Open a project file, after asking about unsaved changes."""
        self.when_saved(lambda: self.bench.open_project(path))

    def open_sample(self) -> None:
        """The sample district, made if it is not there yet."""
        self.when_saved(self.bench.make_sample)

    def ask_save(self) -> None:
        """Save, asking for a name the first time."""
        self.save_then(None)

    def ask_save_as(self) -> None:
        """Save under a new name."""
        self.save_then(None, ask=True)

    def save_then(self, then: Callable[[], None] | None, *, ask: bool = False) -> None:
        """Save, then go on."""
        path = self.document.path
        if ask or path is None:
            path = self.ask_file("action.save_as", f"{tr('dialog.projects')} (*.twin)", suffix=".twin")
        if path is not None:
            self.bench.save(path, done=then)

    def ask_file(self, title_id: str, kinds: str, *, suffix: str) -> Path | None:
        """Name of a file to write, with its suffix; None when the user changed their mind."""
        start = self.settings.folder / f"{self.document.name or tr('window.untitled')}{suffix}"
        chosen, kind = QFileDialog.getSaveFileName(self.window, tr(title_id).rstrip("…"), str(start), kinds)
        self.both = tr("dialog.both") in kind
        if not chosen:
            return None
        path = Path(chosen)
        self.settings.folder = path.parent
        return path if path.suffix else path.with_suffix(suffix)

    def in_both_languages(self, kind_id: str, pattern: str) -> str:
        """Kinds of a file dialog: in the language in use, or in both (`both` then says which was chosen)."""
        return f"{tr(kind_id)} ({pattern});;{tr(kind_id)}, {tr('dialog.both')} ({pattern})"

    def when_saved(self, then: Callable[[], Any]) -> None:
        """Do something that would lose unsaved changes: ask first."""
        if not self.document.modified:
            then()
            return
        box = QMessageBox(self.window)
        box.setWindowTitle(tr("app.name"))
        box.setText(tr("unsaved.text", name=self.document.name or tr("window.untitled")))
        box.setInformativeText(tr("unsaved.lead"))
        save = box.addButton(tr("unsaved.save"), QMessageBox.ButtonRole.AcceptRole)
        discard = box.addButton(tr("unsaved.discard"), QMessageBox.ButtonRole.DestructiveRole)
        cancel = box.addButton(tr("dialog.cancel"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(save)
        box.setEscapeButton(cancel)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def answered(button: object) -> None:
            if not self.window.isVisible():  # saved and closed while the question stood
                return
            if button is save:
                self.save_then(then)
            elif button is discard:
                then()

        box.buttonClicked.connect(answered)
        box.open()

    def ask_relink(self, path: Path, loaded: project_file.Loaded) -> None:
        """Where are the files the project cannot find?"""
        from app.relink_dialog import RelinkDialog

        dialog = RelinkDialog(loaded.missing, path.parent, self.window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def accepted() -> None:
            if dialog.relinked:
                self.bench.open_relinked(path, dialog.relinked)
            else:
                self.bench.show_loaded(path, loaded)

        dialog.accepted.connect(accepted)
        dialog.open()

    def offer_recovery(self) -> None:
        """Tell of copies left by a program that did not close cleanly."""
        for path in project_file.recoverable()[:1]:
            self.bench.notices.tell(
                "notice.recovery",
                severity="doubt",
                action_id="notice.recover",
                action=lambda p=path: self.when_saved(lambda: self.bench.recover(p)),
                other_id="notice.discard",
                other=lambda p=path: self._discard_recovery(p),
            )

    def _discard_recovery(self, path: Path) -> None:
        """Forget a copy for good; another one, if there is one, is offered then."""
        self.bench.discard_recovery(path)
        self.offer_recovery()

    # ---- import, export -------------------------------------------------------------------------------------------

    def ask_import(self) -> None:
        """Choose data files."""
        chosen, _ = QFileDialog.getOpenFileNames(
            self.window, tr("action.import").rstrip("…"), str(self.settings.folder), _format_filter()
        )
        if chosen:
            self.settings.folder = Path(chosen[0]).parent
            self.import_paths([Path(text) for text in chosen])

    def import_paths(self, paths: Sequence[Path]) -> Job:
        """Look at files in a job, then show what they would bring. Topics need no look: they come in at once."""
        from app.import_dialog import examine_all

        topics = [path for path in paths if path.suffix.lower() in TOPIC_SUFFIXES]
        if topics:
            job = self.window.topics.import_topics(topics)
            paths = [path for path in paths if path not in topics]
            if not paths:
                return job
        frame, layers = self.document.scene.frame, tuple(self.document.scene)
        return self.bench.jobs.submit(
            lambda feedback: examine_all(paths, frame, feedback, layers),
            title=tr("job.examine"),
            done=self._show_import,
        )

    def _show_import(self, examined: list[Examined]) -> None:
        from app.import_dialog import ImportDialog

        scene = self.document.scene
        dialog = ImportDialog(
            examined,
            frame=scene.frame,
            project=project_rectangle(self.document),
            theme=self.bench.theme,
            parent=self.window,
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.bench.import_all(dialog.requests, together=dialog.together))
        self.import_dialog = dialog
        dialog.open()

    def ask_report(self) -> None:
        """Ask what the report is made of, then write it, drawn by a program beside this one."""
        from app.report_builder import ask_report

        ask_report(self.window)

    def ask_import_report(self) -> None:
        """Write what importing has dropped, changed or doubted."""
        path = self.ask_file("action.import_report", f"{tr('dialog.pages')} (*.html)", suffix=".html")
        if path is not None:
            self.bench.write_import_report(path)

    def ask_picture(self) -> None:
        """Save what the viewport shows as a picture."""
        from app.picture_dialog import ask_picture

        ask_picture(self.window)

    def ask_export_scene(self) -> None:
        """Write what is shown into a file of another program."""
        self._export([layer for layer in self.document.scene if layer.style.visible], "action.export_scene")

    def ask_export_layers(self) -> None:
        """Write the selected layers into a file of another program."""
        chosen = set(self.document.selection.by_layer)
        self._export([layer for layer in self.document.scene if layer.id in chosen], "action.export_layers")

    def _export(self, layers: Sequence[Layer], title_id: str) -> None:
        from app.scene_export import export_kinds, export_layers

        path = self.ask_file(title_id, export_kinds(), suffix=".glb")
        if path is None:
            return
        frame, name = self.document.scene.frame, self.document.name or tr("window.untitled")

        def tell(done: tuple[Path, int]) -> None:
            written, left = done
            text = "notice.exported_some" if left else "notice.exported"
            self.bench.notices.tell(text, severity="doubt" if left else "note", name=written.name, count=left)

        self.bench.jobs.submit(
            lambda feedback: export_layers(path, layers, frame, feedback, source=name),
            title=tr(title_id).rstrip("…"),
            done=tell,
        )

    def ask_export(self, run: Run) -> None:
        """Write the files of a run into a folder."""
        chosen = QFileDialog.getExistingDirectory(self.window, tr("results.export"), str(self.settings.folder))
        if chosen:
            self.bench.export_run(run, Path(chosen))


def project_rectangle(document: Document) -> tuple[float, float, float, float] | None:
    """West, south, east, north of the scene in map coordinates [m]."""
    frame, box = document.scene.frame, document.scene.bounds()
    if frame is None or box is None:
        return None
    return (
        frame.origin[0] + box.low[0],
        frame.origin[1] + box.low[1],
        frame.origin[0] + box.high[0],
        frame.origin[1] + box.high[1],
    )


def _all_files() -> str:
    return f"{tr('dialog.all_files')} (*)"


def _format_filter() -> str:
    patterns = sorted({pattern for found in formats().values() for pattern in found.patterns})
    lines = [f"{tr('dialog.all_formats')} ({' '.join(patterns)})"]
    lines += [f"{tr(f'format.{f.id}.title', f.title)} ({' '.join(f.patterns)})" for f in formats().values()]
    return ";;".join([*lines, _all_files()])
