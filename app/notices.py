"""The one road by which errors, warnings and notes reach the user; the hooks that catch what nobody caught.

Three sorts: a `UserError` becomes a calm card in the window, `Cancelled` is silence, anything else is a bug: logged,
and one dialog with text ready to copy, after which the program keeps running.
"""

from __future__ import annotations

import logging
import platform
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Any

from psygnal import EmitLoopError
from PySide6.QtCore import QEvent, QObject, Qt, QTimer, QtMsgType, Signal, qInstallMessageHandler
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.appearance import set_icon
from app.language import error_texts, tr
from app.widgets.wording import retranslate, say
from geo.model import Cancelled, UserError

log = logging.getLogger(__name__)

NOTE_MS = 6000
CARDS_AT_ONCE = 3
WIDEST, EDGE = 620, 16  # pixels
BELOW = 60  # the scale stands below


@dataclass(frozen=True)
class Notice:
    """One thing to tell. `severity`: note, doubt or error. `words` gives what, why, what to do in today's language."""

    severity: str
    words: Callable[[], tuple[str, str, str]]
    action_id: str = ""
    action: Callable[[], None] | None = None
    other_id: str = ""
    other: Callable[[], None] | None = None


class Notices(QObject):
    """Where every part of the window reports to.

    Signals
    -------
    posted(Notice)
    bug_found(str)
        The text of a report, ready to copy.
    """

    posted = Signal(object)
    bug_found = Signal(str)
    _from_anywhere = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._from_anywhere.connect(self._report_here, Qt.ConnectionType.QueuedConnection)
        self._hooks: tuple[Any, Any] | None = None

    def report(self, error: BaseException) -> None:
        """Tell of an error in the way that suits its sort. May be called from any thread."""
        if isinstance(error, Cancelled):
            return
        if threading.current_thread() is threading.main_thread():
            self._report_here(error)
        else:
            self._from_anywhere.emit(error)

    def _report_here(self, error: BaseException) -> None:
        # An error raised by a listener of a model signal comes wrapped.
        while isinstance(error, EmitLoopError) and error.__cause__ is not None:
            error = error.__cause__
        if isinstance(error, UserError):
            log.warning("%s", str(error))
            # A copy: the traceback of the error itself would keep every array of its frames alive with the card.
            plain = UserError(error.what, error.why, error.todo, code=error.code, values=error.values)
            self.posted.emit(Notice("error", lambda: error_texts(plain)))
        elif not isinstance(error, Cancelled | KeyboardInterrupt):
            log.error("a mistake in the program", exc_info=error)
            self.bug_found.emit(bug_report(error))

    def tell(
        self,
        text_id: str,
        *,
        severity: str = "note",
        action_id: str = "",
        action: Callable[[], None] | None = None,
        other_id: str = "",
        other: Callable[[], None] | None = None,
        **values: object,
    ) -> None:
        """Tell something by the id of its text; optionally with one or two buttons."""
        log.info("%s", tr(text_id, **values))
        words = partial(_words, text_id, values)
        self.posted.emit(Notice(severity, words, action_id, action, other_id, other))

    def install_hooks(self) -> None:
        """Catch what nobody caught: in the main thread, in other threads, and Qt's own messages."""
        self._hooks = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception
        qInstallMessageHandler(_log_qt_message)

    def remove_hooks(self) -> None:
        """Give the hooks back."""
        if self._hooks is not None:
            sys.excepthook, threading.excepthook = self._hooks
            qInstallMessageHandler(None)
            self._hooks = None

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
        else:
            self.report(error.with_traceback(trace))

    def _on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self.report(args.exc_value)


def _words(text_id: str, values: Mapping[str, object]) -> tuple[str, str, str]:
    return tr(text_id, **values), "", ""


def _log_qt_message(kind: QtMsgType, _context: object, message: str) -> None:
    level = {
        QtMsgType.QtDebugMsg: logging.DEBUG,
        QtMsgType.QtInfoMsg: logging.INFO,
        QtMsgType.QtWarningMsg: logging.WARNING,
    }.get(kind, logging.ERROR)
    logging.getLogger("qt").log(level, "%s", message)


def bug_report(error: BaseException) -> str:
    """What a developer needs to know about an unexpected error."""
    lines = [f"Sejong Twin {package_version('sejong-twin')}, Python {platform.python_version()}, {platform.platform()}"]
    lines.append(", ".join(f"{name} {package_version(name)}" for name in ("pyside6-essentials", "vtk", "numpy")))
    lines.append("")
    lines.extend(line.rstrip("\n") for line in traceback.format_exception(error))
    return "\n".join(lines)


def package_version(package: str) -> str:
    """Version of an installed package, a question mark where it is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "?"


class BugDialog(QDialog):
    """One calm dialog for a mistake of the program, with text to copy."""

    def __init__(self, report: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        say(self, "bug.title")
        self.resize(640, 380)
        lead = say(QLabel(), "bug.lead")
        lead.setWordWrap(True)
        self.text = QPlainTextEdit(report)
        self.text.setAccessibleName(tr("bug.title"))
        self.text.setReadOnly(True)
        copy = say(QPushButton(), "bug.copy")
        copy.clicked.connect(lambda: QApplication.clipboard().setText(self.text.toPlainText()))
        close = say(QPushButton(), "dialog.close")
        close.setObjectName("primary")
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(copy)
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.addWidget(lead)
        layout.addWidget(self.text, 1)
        layout.addLayout(buttons)

    def add(self, report: str) -> None:
        """A further mistake while the dialog is open."""
        self.text.appendPlainText("\n" + report)


class NoticeCard(QFrame):
    """What happened, why, and what to do."""

    closed = Signal()

    def __init__(self, notice: Notice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.notice = notice
        self.setObjectName(f"notice_{notice.severity}")
        self._labels = [QLabel(), QLabel(), QLabel()]
        text = QVBoxLayout()
        text.setSpacing(2)
        for label in self._labels:
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            text.addWidget(label)
        self._labels[0].setObjectName("title" if notice.severity == "error" else "")
        self._labels[1].setObjectName("soft")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 8, 8, 8)
        layout.addLayout(text, 1)
        for text_id, action in ((notice.action_id, notice.action), (notice.other_id, notice.other)):
            if action is not None:
                layout.addWidget(self._button(text_id, action), 0, Qt.AlignmentFlag.AlignVCenter)
        close = say(QToolButton(), tip="dialog.close")
        set_icon(close, "close")
        close.clicked.connect(self.closed)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.refresh()

    def _button(self, text_id: str, action: Callable[[], None]) -> QPushButton:
        button: QPushButton = say(QPushButton(), text_id)
        button.clicked.connect(self.closed)
        button.clicked.connect(lambda _checked=False: action())
        return button

    def refresh(self) -> None:
        """Write the words in the current language."""
        for label, text in zip(self._labels, self.notice.words(), strict=True):
            label.setText(text)
            label.setVisible(bool(text))
        retranslate(self)

    @property
    def text(self) -> str:
        """All it says."""
        return "\n".join(label.text() for label in self._labels if label.text())


class NoticeArea(QWidget):
    """The cards now on show. They float over the lower middle of their parent, which keeps its size.

    Notes leave by themselves; errors stay until they are closed.
    """

    changed = Signal()

    def __init__(self, notices: Notices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        if parent is not None:
            parent.installEventFilter(self)
        self._bug: BugDialog | None = None
        self.setVisible(False)
        notices.posted.connect(self.show_notice)
        notices.bug_found.connect(self.show_bug)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Keep the place when the parent changes its size."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def event(self, event: QEvent) -> bool:
        """Make room when the words, or the style they are written in, have changed."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._place()
        return super().event(event)

    def _place(self) -> None:
        """Lower middle of the parent, as high as the words need."""
        parent = self.parentWidget()
        if parent is None or not self.cards:
            return
        for widget in (*self.cards, *self.findChildren(QLabel)):
            widget.ensurePolished()  # the style sheet makes texts larger
        self._layout.activate()
        width = max(min(WIDEST, parent.width() - 2 * EDGE), 1)
        wanted = max(self._layout.heightForWidth(width), self._layout.minimumSize().height())
        below = BELOW if wanted + BELOW + EDGE <= parent.height() else EDGE
        height = min(wanted, max(parent.height() - 2 * EDGE, 1))
        self.setGeometry((parent.width() - width) // 2, parent.height() - height - below, width, height)
        self.raise_()

    @property
    def cards(self) -> Sequence[NoticeCard]:
        """Cards on show, the newest last."""
        found = [self._layout.itemAt(i).widget() for i in range(self._layout.count())]
        return [card for card in found if isinstance(card, NoticeCard)]

    @property
    def bug_dialog(self) -> BugDialog | None:
        """The dialog on show, if any."""
        return self._bug

    def show_notice(self, notice: Notice) -> None:
        """Show a card; a card that says the same is not shown twice."""
        words = notice.words()
        if any(card.notice.words() == words for card in self.cards):
            return
        for card in self.cards[: max(0, len(self.cards) - CARDS_AT_ONCE + 1)]:
            self.drop(card)
        card = NoticeCard(notice, self)
        card.closed.connect(lambda: self.drop(card))
        self._layout.addWidget(card)
        self.setVisible(True)
        self._place()
        if notice.severity == "note" and notice.action is None:
            timer = QTimer(card)
            timer.setSingleShot(True)
            timer.timeout.connect(card.closed)
            timer.start(NOTE_MS)
        self.changed.emit()

    def drop(self, card: NoticeCard) -> None:
        """Take a card away."""
        self._layout.removeWidget(card)
        card.hide()
        card.deleteLater()
        self.setVisible(bool(self.cards))
        self._place()
        self.changed.emit()

    def clear(self) -> None:
        """Take all cards away."""
        for card in self.cards:
            self.drop(card)

    def show_bug(self, report: str) -> None:
        """Open the dialog, or add to the one that is open."""
        if self._bug is not None:
            self._bug.add(report)
            return
        self._bug = BugDialog(report, self.window())
        self._bug.finished.connect(self._forget_bug)
        self._bug.open()

    def _forget_bug(self) -> None:
        self._bug = None

    def refresh(self) -> None:
        """Renew the words after a change of language."""
        for card in self.cards:
            card.refresh()
        self._place()
