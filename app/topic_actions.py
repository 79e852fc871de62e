"""What the window does with topics: makes them of what is seen and found, goes to them, reads and writes BCF files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QBuffer, QIODevice, QObject, QUrl
from PySide6.QtGui import QDesktopServices, QFont, QImage
from PySide6.QtWidgets import QFileDialog

from app.awaited_picture import AwaitedPicture
from app.cli import program_version
from app.jobs import Job
from app.language import both_languages, error_texts, issue_text, language, tr
from app.look import MOST_PLANES
from app.panels.topics import TopicsPanel
from app.pdf import write_run_pdf
from app.topic_dialog import TopicDialog
from app.topic_elements import components_of, refs_of, visibility_command, visibility_of
from app.topic_place import Anchor, anchor_for_new, anchor_of, camera_of, eye_of, planes_of, section_of
from app.topic_results import MOST_TOPICS, findings_of, rows_by_severity, topics_of
from app.topics import AddTopics, ChangeTopic, changed_by, new_guid, now
from bim.bcf.model import Archive, Component, ModelFile, Topic, Viewpoint
from bim.bcf.read import read_bcf
from bim.bcf.write import write_bcf
from geo.model import Bounds, ElementRef, Feedback, Issue, Layer, UserError

if TYPE_CHECKING:
    from app.main_window import MainWindow
    from app.shown_runs import Run

PDF_PICTURE = (1600, 900)
PICTURE_WIDTH = 800  # pixels of a snapshot
NAMES_TOLD = 3
KINDS = "BCF (*.bcf *.bcfzip)"


class TopicActions(QObject):
    """Does for the window what the panel of topics asks."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        panel = window.panel_of(TopicsPanel)
        self.window, self.panel = window, panel
        self.bench, self.document = window.bench, window.document
        self.dialog: TopicDialog | None = None
        panel.go_asked.connect(self.go_to)
        panel.new_asked.connect(self.ask_new)
        panel.view_asked.connect(self.add_view)
        panel.edit_asked.connect(self.ask_edit)
        panel.export_asked.connect(self.ask_export)
        window.results.topics_asked.connect(self.topics_of_run)
        window.results.pdf_asked.connect(self.ask_pdf)

    # ---- making

    def ask_new(self) -> None:
        """A topic of what is seen now, after asking what it says."""
        if self.document.scene.frame is None:
            self.bench.notices.tell("notice.no_scene", severity="doubt")
            return
        self._ask(self.topic_here(), is_new=True)

    def ask_edit(self, guid: str) -> None:
        """Ask again what a topic says."""
        topic = self.document.topics.get(guid)
        if topic is not None:
            self._ask(topic, is_new=False)

    def _ask(self, topic: Topic, *, is_new: bool) -> None:
        settings = self.bench.settings
        dialog = TopicDialog(topic, author=settings.author, is_new=is_new, parent=self.window)

        def accepted() -> None:
            settings.author = dialog.author
            if is_new:
                self.bench.do(AddTopics([replace(dialog.topic, author=dialog.author)]))
            elif dialog.topic != topic:
                self.bench.do(ChangeTopic(changed_by(dialog.topic, dialog.author)))
            self.window.show_panel("topics")
            self.panel.show_topic(topic.guid)

        dialog.accepted.connect(accepted)
        dialog.finished.connect(dialog.deleteLater)
        self.dialog = dialog
        dialog.open()

    def add_view(self, guid: str) -> None:
        """Add what is seen now to a topic; a topic without a picture gets it in place of its view."""
        topic = self.document.topics.get(guid)
        if topic is None or self.document.scene.frame is None:
            return
        try:
            anchor = anchor_of(topic, topic.viewpoint(), tuple(self.document.scene), self.document.scene.frame)
        except UserError as error:
            self.bench.notices.report(error)
            return
        view = self.view_here(anchor)
        if topic.snapshot or not topic.viewpoints:
            views = (*topic.viewpoints, view)
        else:
            views = (replace(view, guid=topic.viewpoints[0].guid), *topic.viewpoints[1:])
        author = self.bench.settings.author
        self.bench.do(ChangeTopic(changed_by(replace(topic, viewpoints=views), author)))

    def topic_here(self) -> Topic:
        """A topic of what is seen now: camera, section, selection, what is hidden, and the picture."""
        scene, camera = self.document.scene, self.window.viewport.camera
        if scene.frame is None:
            raise ValueError("without a scene there is nothing to see")
        chosen = list(self.document.selection.by_layer)
        anchor = anchor_for_new(tuple(scene), scene.frame, chosen=chosen, focus=_array(camera.focus))
        view = self.view_here(anchor)
        return Topic(
            guid=new_guid(),
            title="",
            description=_rules_text(view.selected),
            type="Issue",
            status="Open",
            created=now(),
            viewpoints=(view,),
            files=(ModelFile(anchor.model),) if anchor.model else (),
            on_map=not anchor.model,
        )

    def view_here(self, anchor: Anchor) -> Viewpoint:
        """What is seen now, in the coordinates of a model or of the map."""
        viewport, layers = self.window.viewport, tuple(self.document.scene)
        default, exceptions = visibility_of(layers)
        size = (PICTURE_WIDTH, max(round(PICTURE_WIDTH * viewport.height() / max(viewport.width(), 1)), 100))
        return Viewpoint(
            guid=new_guid(),
            eye=eye_of(viewport.camera, anchor, aspect=size[0] / size[1]),
            planes=planes_of(viewport.section_work.section, anchor),
            selected=components_of(self.document.selection.items, layers),
            default_visible=default,
            exceptions=exceptions,
            spaces_visible=any(la.theme == "space" and la.style.visible for la in layers),
            snapshot=png_of(viewport.pictures.shown(*size)),
        )

    def topics_of_selection(self) -> None:
        """A topic for each selected element."""
        rows: dict[str, list[int]] = {}
        for ref in self.document.selection.items:
            layer = self.document.scene.get(ref.layer_id)
            if layer is not None and ref.element_id in layer.table.index:
                rows.setdefault(layer.id, []).append(layer.table.index[ref.element_id])
        self._add_rows([(self.document.scene[layer_id], mine) for layer_id, mine in rows.items()])

    def topics_of_run(self, run: Run) -> None:
        """A topic for each of the gravest findings of a run."""
        layer = findings_of([self.document.scene.get(layer.id) or layer for layer in run.layers])
        self._add_rows([(layer, rows_by_severity(layer))] if layer is not None else [])

    def _add_rows(self, rows: Sequence[tuple[Layer, Sequence[int]]]) -> None:
        frame, layers = self.document.scene.frame, tuple(self.document.scene)
        made: list[Topic] = []
        for layer, mine in rows:
            room = MOST_TOPICS - len(made)
            if frame is not None and room > 0:
                author = self.bench.settings.author
                made += topics_of(layer, mine, layers=layers, frame=frame, author=author, limit=room)
        if not made:
            self.bench.notices.tell("notice.no_rows_for_topics", severity="doubt")
            return
        self.bench.do(AddTopics(made))
        self.window.show_panel("topics")
        self.panel.show_topic(made[0].guid)
        left = sum(len(mine) for _, mine in rows) - len(made)
        self.bench.notices.tell("notice.topics_made_some" if left else "notice.topics_made", count=len(made), left=left)

    # ---- going

    def go_to(self, guid: str, view_guid: str = "") -> None:
        """Show what a viewpoint of a topic shows: camera, section, what is hidden, what is selected."""
        topic = self.document.topics.get(guid)
        view = topic.viewpoint(view_guid) if topic is not None else None
        if topic is None or view is None:
            return
        command, unknown = visibility_command(view, tuple(self.document.scene))
        if command is not None:
            self.bench.do(command)
        refs, lost = refs_of(view.selected, tuple(self.document.scene))
        self.document.selection.set(refs)
        try:
            self._look(topic, view, refs)
        except UserError as error:
            self.bench.notices.report(error)
            return
        self._tell_missing([*lost, *unknown])

    def _look(self, topic: Topic, view: Viewpoint, refs: Sequence[ElementRef]) -> None:
        """Camera and section of a viewpoint. Raises `UserError` where its model is not there."""
        viewport, scene = self.window.viewport, self.document.scene
        if view.eye is None and not view.planes:
            self.bench.zoom_to(list(refs))
            return
        anchor = anchor_of(topic, view, tuple(scene), scene.frame)
        self.window.modes.show_planes(section_of(view.planes, anchor).planes)
        aspect = viewport.width() / max(viewport.height(), 1)
        if view.eye is not None:
            viewport.set_camera(camera_of(view.eye, anchor, self._looked_at(refs), aspect=aspect))
        if len(view.planes) > MOST_PLANES:
            count = len(view.planes) - MOST_PLANES
            self.bench.notices.tell("notice.planes_left_out", severity="doubt", count=count)

    def _looked_at(self, refs: Iterable[ElementRef]) -> Bounds | None:
        stage, scene = self.window.viewport.stage, self.document.scene
        boxes = [stage.element_bounds(scene[ref.layer_id], ref.element_id) for ref in refs if ref.layer_id in scene]
        return Bounds.union([box for box in boxes if box is not None]) or stage.home_bounds()

    def _tell_missing(self, names: Sequence[str]) -> None:
        if names:
            more = f" … (+{len(names) - NAMES_TOLD})" if len(names) > NAMES_TOLD else ""
            told = ", ".join(names[:NAMES_TOLD]) + more
            self.bench.notices.tell("notice.elements_missing", severity="doubt", count=len(names), names=told)

    # ---- files

    def ask_import(self) -> None:
        """Choose BCF files."""
        settings = self.bench.settings
        chosen, _ = QFileDialog.getOpenFileNames(self.window, tr("topics.import"), str(settings.folder), KINDS)
        if chosen:
            settings.folder = Path(chosen[0]).parent
            self.import_topics([Path(text) for text in chosen])

    def import_topics(self, paths: Sequence[Path]) -> Job:
        """Read BCF files in a job and add their topics as one step; a file that cannot be read is told."""

        def work(feedback: Feedback) -> list[tuple[Path, Archive | UserError]]:
            read: list[tuple[Path, Archive | UserError]] = []
            for number, path in enumerate(paths):
                try:
                    read.append((path, read_bcf(path, feedback.part(number / len(paths), (number + 1) / len(paths)))))
                except UserError as error:
                    read.append((path, error))
            return read

        names = ", ".join(path.name for path in paths[:NAMES_TOLD])
        return self.bench.jobs.submit(work, title=tr("job.topics_read", names=names), brings=True, done=self._imported)

    def _imported(self, read: list[tuple[Path, Archive | UserError]]) -> None:
        topics: list[Topic] = []
        for path, answer in read:
            if isinstance(answer, UserError):
                what, why, todo = error_texts(answer)
                texts = {"name": path.name, "what": what, "why": f"{why} {todo}".strip()}
                self.bench.notices.tell("notice.not_imported", severity="error", **texts)
            else:
                topics += answer.topics
                self._tell_issues(answer.issues)
        if topics:
            self.bench.do(AddTopics(topics))
            self.window.show_panel("topics")
            self.panel.show_topic(topics[0].guid)
            self.bench.notices.tell("notice.topics_read", count=len(topics))

    def _tell_issues(self, issues: Sequence[Issue]) -> None:
        grave = [issue_text(issue) for issue in issues if issue.severity != "note"]
        if grave:
            texts = "\n".join(grave[:NAMES_TOLD])
            self.bench.notices.tell("notice.issues", severity="doubt", texts=texts)

    def ask_export(self, version: str) -> None:
        """Ask where to, and write the topics of the document."""
        path = self.window.files.ask_file("topics.export", KINDS, suffix=".bcf")
        if path is not None:
            self.export_topics(path, version)

    def export_topics(self, path: Path, version: str) -> Job:
        """Write the topics of the document in a job."""
        topics, project = self.document.topics.items, self.document.name

        def work(feedback: Feedback) -> list[Issue]:
            return write_bcf(path, topics, version=version, project=project, feedback=feedback)

        def finish(issues: list[Issue]) -> None:
            self.bench.notices.tell("notice.topics_written", count=len(topics), name=path.name)
            if issues:
                self.bench.notices.tell("notice.angle_changed", count=len(issues))

        return self.bench.jobs.submit(work, title=tr("job.topics_write", name=path.name), done=finish)

    def ask_pdf(self, run: Run) -> None:
        """Ask where to, and write a run as PDF with the picture as it is now."""
        path = self.window.files.ask_file(
            "results.pdf", self.window.files.in_both_languages("dialog.pdf", "*.pdf"), suffix=".pdf"
        )
        if path is not None:
            self.write_pdf(path, run, both=self.window.files.both)

    def write_pdf(self, path: Path, run: Run, *, both: bool = False) -> Job:
        """Write a run as PDF in a job, in the language in use or in `both`."""
        picture = AwaitedPicture(self.window.viewport)
        languages = both_languages() if both else (language.code,)
        font, title = QFont(self.window.font()), self.document.name or tr("window.untitled")

        def work(feedback: Feedback) -> Path:
            return write_run_pdf(
                path,
                run.layers,
                picture=picture.wait(feedback.part(0.0, 0.5)),
                title=title,
                font=font,
                program=program_version(),
                languages=languages,
                feedback=feedback.part(0.5, 1.0),
            )

        def finish(written: Path) -> None:
            self.bench.notices.tell(
                "notice.report",
                action_id="notice.open",
                action=lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(written))),
                name=written.name,
            )

        job = self.bench.jobs.submit(work, title=tr("job.pdf", name=path.name), done=finish)
        picture.begin(job, PDF_PICTURE)
        return job


def png_of(image: QImage) -> bytes:
    """A picture as PNG."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())


def _rules_text(components: Sequence[Component]) -> str:
    """What a long selection is, in a line that people without this program can read."""
    rules = [component.rule for component in components if component.rule]
    return tr("topic.selected_by_rule", rules="; ".join(rules)) if rules else ""


def _array(values: tuple[float, float, float]) -> Any:
    import numpy as np

    return np.array(values)
