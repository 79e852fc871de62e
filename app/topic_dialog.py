"""Asks what a topic says: title, description, type, status, priority, who it is for and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time

from PySide6.QtCore import QDate, QSize, Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDateEdit,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.language import tr
from app.topics import PRIORITIES, STATUSES, TYPES, word_id
from app.widgets.edge import off_the_edge
from app.widgets.wording import say
from bim.bcf.model import Topic

WIDTH, TEXT_HEIGHT = 460, 72
PICTURE_SIZE = QSize(436, 150)
DUE_IN_DAYS = 14
KEEP_RATIO, SMOOTH = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation


class TopicDialog(QDialog):
    """Edits a topic; `topic` is what was typed."""

    def __init__(self, topic: Topic, *, author: str, is_new: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        say(self, "topic.new" if is_new else "topic.edit")
        self._topic = topic
        self.setMinimumWidth(WIDTH)
        self.title_edit = QLineEdit(topic.title)
        self.text_edit = QPlainTextEdit(topic.description)
        self.text_edit.setFixedHeight(TEXT_HEIGHT)
        self.text_edit.setTabChangesFocus(True)
        self.type_box = _word_box(TYPES, topic.type)
        self.status_box = _word_box(STATUSES, topic.status)
        self.priority_box = _word_box(("", *PRIORITIES), topic.priority)
        self.labels_edit = QLineEdit(", ".join(topic.labels))
        self.assigned_edit = QLineEdit(topic.assigned)
        self.author_edit = QLineEdit(author)
        self._make_due(topic)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        picture = _picture(topic)
        if picture is not None:
            layout.addWidget(picture)
        layout.addLayout(self._form())
        layout.addWidget(self._buttons())
        self.title_edit.textChanged.connect(self._on_text)
        self._on_text()
        self.title_edit.setFocus()

    def _make_due(self, topic: Topic) -> None:
        self.due_check = say(QCheckBox(), tip="topic.has_due")
        self.due_edit = off_the_edge(QDateEdit())
        self.due_edit.setCalendarPopup(True)
        self.due_edit.setDisplayFormat("yyyy-MM-dd")
        day = topic.due.date() if topic.due else None
        self.due_edit.setDate(QDate.currentDate().addDays(DUE_IN_DAYS) if day is None else QDate(*day.timetuple()[:3]))
        self.due_check.setChecked(day is not None)
        self.due_edit.setEnabled(day is not None)
        self.due_check.toggled.connect(self.due_edit.setEnabled)

    def _form(self) -> QFormLayout:
        form = QFormLayout()
        due = QHBoxLayout()
        due.addWidget(self.due_check)
        due.addWidget(self.due_edit, 1)
        for text_id, widget in (
            ("topic.title", self.title_edit),
            ("topic.description", self.text_edit),
            ("topic.type", self.type_box),
            ("topic.status", self.status_box),
            ("topic.priority", self.priority_box),
            ("topic.labels", self.labels_edit),
            ("topic.assigned", self.assigned_edit),
            ("topic.due", due),
            ("topic.author", self.author_edit),
        ):
            form.addRow(tr(text_id), widget)
        return form

    def _buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.ok = buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.ok.setText(tr("topic.ok"))
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(tr("dialog.cancel"))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        return buttons

    def _on_text(self) -> None:
        self.ok.setEnabled(bool(self.title_edit.text().strip()))

    @property
    def author(self) -> str:
        """Who writes."""
        return self.author_edit.text().strip()

    @property
    def topic(self) -> Topic:
        """The topic as typed."""
        labels = tuple(label.strip() for label in self.labels_edit.text().split(",") if label.strip())
        return replace(
            self._topic,
            title=self.title_edit.text().strip(),
            description=self.text_edit.toPlainText().strip(),
            type=str(self.type_box.currentData() or ""),
            status=str(self.status_box.currentData() or ""),
            priority=str(self.priority_box.currentData() or ""),
            labels=labels,
            assigned=self.assigned_edit.text().strip(),
            due=self._due(),
        )

    def _due(self) -> datetime | None:
        if not self.due_check.isChecked():
            return None
        day = self.due_edit.date().toPython()
        if self._topic.due is not None and self._topic.due.date() == day:
            return self._topic.due
        return datetime.combine(day, time(0, 0), UTC)  # type: ignore[arg-type]


def _word_box(words: tuple[str, ...], chosen: str) -> QComboBox:
    """The usual words, and the one that the topic has."""
    box = QComboBox()
    for word in (*words, *((chosen,) if chosen not in words else ())):
        box.addItem(tr(word_id(word), word) if word else "–", word)
    box.setCurrentIndex(max(box.findData(chosen), 0))
    return box


def _picture(topic: Topic) -> QLabel | None:
    image = QImage.fromData(topic.snapshot) if topic.snapshot else QImage()
    if image.isNull():
        return None
    label = QLabel()
    label.setPixmap(QPixmap.fromImage(image.scaled(PICTURE_SIZE, KEEP_RATIO, SMOOTH)))
    return label
