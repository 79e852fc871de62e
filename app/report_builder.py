"""The report builder: what the report is made of, in which order, with a preview of its contents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.language import tr
from app.report_builder_runs import RunTree
from app.report_choice import BOTH, FORMS, PARTS, ReportChoice, SavedPicture, read_saved_picture
from app.report_contents import preview_of, usual_title
from app.widgets.wording import say, tie_labels
from geo.model import UserError

if TYPE_CHECKING:
    from app.document import Document
    from app.main_window import MainWindow

SIZE = (1120, 640)
SHOWN_SIZE = (1600, 900)  # pixels of the picture of the window's view
LANGUAGE_CHOICES = ("", "ko", "en", BOTH)
PICTURES_HEIGHT, NOTE_HEIGHT = 96, 60


class ReportBuilder(QDialog):
    """Asks what the report is made of; `choice` is the answer.

    Parameters
    ----------
    document : Document
        Its remembered choice is what the dialog begins with.
    author : str
        Of the cover where the document remembers nobody.
    """

    def __init__(self, document: Document, *, author: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.is_drawing = False
        self.setObjectName("report_builder")
        say(self, "builder.title")
        self.resize(*SIZE)
        self.document = document
        start = document.report or ReportChoice(author=author)
        self._make_words(start)
        self.tree = say(RunTree(tuple(document.scene), start), tip="builder.runs")
        self.tree.changed.connect(self.refresh)
        self._make_pictures(start)
        self.parts = {name: say(QCheckBox(), f"builder.part.{name}") for name in PARTS}
        for name, box in self.parts.items():
            box.setChecked(name in start.parts)
            box.toggled.connect(self.refresh)
        self.preview = say(QListWidget(), tip="builder.preview")
        self.preview.setObjectName("report_preview")
        self.preview.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self._lay_out()
        self.refresh()

    # ---- making ---------------------------------------------------------------------------------------------------

    def _make_words(self, start: ReportChoice) -> None:
        self.title, self.place, self.author = QLineEdit(start.title), QLineEdit(start.place), QLineEdit(start.author)
        self.title.setPlaceholderText(usual_title(self.document))
        self.place.setPlaceholderText(tr("builder.place_hint"))
        self.before, self.after = QPlainTextEdit(start.before), QPlainTextEdit(start.after)
        for edit, text_id in ((self.before, "builder.before"), (self.after, "builder.after")):
            say(edit, tip=text_id)
            edit.setMinimumHeight(NOTE_HEIGHT)
            edit.setTabChangesFocus(True)
            edit.textChanged.connect(self.refresh)
        self.title.textChanged.connect(self.refresh)
        self.language_ = _choices("builder.language", LANGUAGE_CHOICES, start.language)
        self.form = _choices("builder.form", FORMS, start.form)
        self.language_.currentIndexChanged.connect(self.refresh)

    def _make_pictures(self, start: ReportChoice) -> None:
        self.pictures = say(QListWidget(), tip="builder.pictures")
        self.pictures.setMaximumHeight(PICTURES_HEIGHT)
        for one in start.pictures:
            self.add_picture(one)
        self.pictures.itemChanged.connect(self.refresh)
        self.shown_button = say(QPushButton(), "builder.shown", tip="builder.shown_tip")
        self.files_button = say(QPushButton(), "builder.files", tip="builder.files_tip")
        self.topics_button = say(QPushButton(), "builder.topics", tip="builder.topics_tip")
        self.views_button = say(QPushButton(), "builder.views", tip="builder.views_tip")
        self.views_button.setEnabled(bool(self.document.viewpoints.items))
        self.drop_button = say(QPushButton(), "builder.drop", tip="builder.drop_tip")
        self.files_button.clicked.connect(self.ask_pictures)
        self.topics_button.clicked.connect(self.take_topics)
        self.topics_button.setEnabled(any(topic.snapshot for topic in self.document.topics.items))
        self.drop_button.clicked.connect(self._drop_picture)
        self.trouble = QLabel()
        self.trouble.setObjectName("badge")
        self.trouble.setWordWrap(True)
        self.trouble.hide()

    def _lay_out(self) -> None:
        form = QFormLayout()
        for text_id, widget in (
            ("builder.report_title", self.title), ("builder.place", self.place), ("builder.author", self.author),
            ("builder.language", self.language_), ("builder.form", self.form),
        ):  # fmt: skip
            form.addRow(say(QLabel(), text_id), widget)
        words = _column((form, 0), ("builder.before", 0), (self.before, 1), ("builder.after", 0), (self.after, 1))
        moves = _row(self.tree.up_button, self.tree.down_button, self.tree.all_button, self.tree.none_button)
        buttons = _row(self.shown_button, self.views_button, self.topics_button, self.files_button, self.drop_button)
        results = _column(
            ("builder.runs", 0), (self.tree, 1), (moves, 0), ("builder.pictures", 0), (self.pictures, 0), (buttons, 0),
            (self.trouble, 0),
        )  # fmt: skip
        boxes = [(box, 0) for box in self.parts.values()]
        contents = _column(("builder.parts", 0), *boxes, ("builder.preview", 0), (self.preview, 1))
        columns = QHBoxLayout()
        columns.setSpacing(16)
        for column, share in ((words, 5), (results, 7), (contents, 5)):
            columns.addLayout(column, share)
        box = QDialogButtonBox()
        self.write_button = say(QPushButton(), "builder.write")
        self.write_button.setObjectName("primary")
        box.addButton(self.write_button, QDialogButtonBox.ButtonRole.AcceptRole)
        box.addButton(say(QPushButton(), "dialog.cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        outer = QVBoxLayout(self)
        outer.setSpacing(12)
        outer.addLayout(columns, 1)
        outer.addWidget(box)
        tie_labels(self)
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)
        self.write_button.setDefault(True)  # Enter in a line writes; only now, when the dialog knows the button

    # ---- pictures -------------------------------------------------------------------------------------------------

    def set_drawing(self, is_drawing: bool) -> None:
        """While a picture is being drawn the report is not written, and no other one is begun."""
        self.is_drawing = is_drawing
        self.write_button.setEnabled(not is_drawing)
        self.shown_button.setEnabled(not is_drawing)
        self.shown_button.setText(tr("builder.drawing" if is_drawing else "builder.shown"))

    def add_picture(self, one: SavedPicture) -> None:
        """One more picture; its line can be written over."""
        item = QListWidgetItem(one.caption)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        item.setData(Qt.ItemDataRole.UserRole, one)
        self.pictures.addItem(item)
        self.pictures.setCurrentItem(item)
        if hasattr(self, "preview"):
            self.refresh()

    def ask_pictures(self) -> None:
        """Pictures from files."""
        kinds = f"{tr('dialog.pictures')} (*.png *.jpg *.jpeg)"
        names, _ = QFileDialog.getOpenFileNames(self, tr("builder.files").rstrip("…"), "", kinds)
        self.take_files([Path(name) for name in names])

    def take_files(self, paths: Sequence[Path]) -> None:
        """Pictures of files; those that are none are told of."""
        told = []
        for path in paths:
            try:
                self.add_picture(read_saved_picture(path))
            except UserError:
                told.append(path.name)
        self.trouble.setText(tr("builder.no_pictures", names=", ".join(told)))
        self.trouble.setVisible(bool(told))

    def take_topics(self) -> None:
        """The pictures of all topics that have one and are not in yet."""
        present = {one.data for one in self.choice.pictures}
        for topic in self.document.topics.items:
            if topic.snapshot and topic.snapshot not in present:
                self.add_picture(SavedPicture(topic.title, topic.snapshot))

    def _drop_picture(self) -> None:
        if self.pictures.currentRow() >= 0:
            self.pictures.takeItem(self.pictures.currentRow())
            self.refresh()

    # ---- the answer -----------------------------------------------------------------------------------------------

    @property
    def choice(self) -> ReportChoice:
        """What the report is made of."""
        items = [self.pictures.item(row) for row in range(self.pictures.count())]
        return ReportChoice(
            title=self.title.text().strip(),
            place=self.place.text().strip(),
            author=self.author.text().strip(),
            before=self.before.toPlainText(),
            after=self.after.toPlainText(),
            language=str(self.language_.currentData()),
            form=str(self.form.currentData()),
            parts=tuple(name for name, box in self.parts.items() if box.isChecked()),
            runs=self.tree.chosen(),
            pictures=tuple(replace(item.data(Qt.ItemDataRole.UserRole), caption=item.text()) for item in items),
        )

    def refresh(self, *_what: object) -> None:
        """Show what the report would hold, in its order."""
        choice = self.choice
        self.drop_button.setEnabled(bool(choice.pictures))
        self.preview.clear()
        for number, title, is_part in preview_of(choice, self.document):
            item = QListWidgetItem(f"        {title}" if is_part else f"{number}  {title}".strip(), self.preview)
            if not is_part:
                font = item.font()
                font.setBold(True)
                item.setFont(font)


def ask_report(window: MainWindow) -> None:
    """Open the builder; what was chosen is kept in the project, then the report is written."""
    dialog = ReportBuilder(window.document, author=window.settings.author, parent=window)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def take_view() -> None:
        from app.topic_actions import png_of

        def add(picture: QImage | None) -> None:
            if not dialog.is_drawing:  # it was closed meanwhile
                return
            dialog.set_drawing(False)
            if picture is not None:
                dialog.add_picture(SavedPicture(tr("builder.shown_caption"), png_of(picture)))

        dialog.set_drawing(True)  # a report written now would lack the picture
        try:
            window.viewport.pictures.later(*SHOWN_SIZE, add)
        except Exception:
            dialog.set_drawing(False)  # else no report could be written any more
            raise

    def stop() -> None:
        if dialog.is_drawing:
            dialog.is_drawing = False
            window.viewport.pictures.give_up()

    dialog.finished.connect(stop)

    def take_viewpoints() -> None:
        from app.report_views import pictures_of_viewpoints

        for picture in pictures_of_viewpoints(window):
            dialog.add_picture(picture)

    def write() -> None:
        choice = dialog.choice
        window.document.choose_report(choice)
        kind = "dialog.pdf" if choice.form == "pdf" else "dialog.pages"
        path = window.files.ask_file("action.report", f"{tr(kind)} (*.{choice.form})", suffix=f".{choice.form}")
        if path is not None:
            window.bench.write_report(path)

    dialog.shown_button.clicked.connect(take_view)
    dialog.views_button.clicked.connect(take_viewpoints)
    dialog.accepted.connect(write)
    dialog.open()


def _choices(text_id: str, names: Sequence[str], current: str) -> QComboBox:
    box = QComboBox()
    for name in names:
        box.addItem(tr(f"{text_id}.{name or 'window'}"), name)
    box.setCurrentIndex(max(0, box.findData(current)))
    return box


def _column(*items: tuple[QWidget | QHBoxLayout | QFormLayout | str, int]) -> QVBoxLayout:
    """Widgets below each other with their shares of the height; a text id makes a heading."""
    out = QVBoxLayout()
    out.setSpacing(6)
    for item, share in items:
        if isinstance(item, str):
            heading = say(QLabel(), item)
            heading.setObjectName("section")
            out.addWidget(heading)
        elif isinstance(item, QWidget):
            out.addWidget(item, share)
        else:
            out.addLayout(item, share)
    return out


def _row(*widgets: QWidget) -> QHBoxLayout:
    out = QHBoxLayout()
    out.setSpacing(6)
    for widget in widgets:
        out.addWidget(widget)
    out.addStretch(1)
    return out
