"""Panel: the base of every dock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDockWidget, QFrame, QHBoxLayout, QLabel, QScrollArea, QToolButton, QVBoxLayout, QWidget

from app.appearance import set_icon
from app.connections import Connections
from app.widgets.wording import say

if TYPE_CHECKING:
    from app.workbench import Workbench


class _DockTitle(QWidget):
    """Title bar of a dock: its name, and a button that closes it."""

    def __init__(self, dock: QDockWidget, title_id: str) -> None:
        super().__init__(dock)
        self.setObjectName("dock_title")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        label = say(QLabel(), title_id)
        label.setObjectName("dock_title_text")
        close = say(QToolButton(), tip="panel.close")
        close.setIconSize(QSize(12, 12))
        close.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        set_icon(close, "close")
        close.clicked.connect(dock.close)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 1, 2, 1)
        layout.addWidget(label, 1)
        layout.addWidget(close)


class Panel(QDockWidget):
    """A dock with a title, a help page and a body.

    Attributes
    ----------
    name : str
        Object name of the dock; translation id ``panel.<name>``, help page of the same name.
    """

    name = ""
    help_page = "overview"

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bench = bench
        self.document = bench.document
        self.connections = Connections()
        self.setObjectName(f"dock_{self.name}")
        say(self, f"panel.{self.name}")
        self._title = _DockTitle(self, f"panel.{self.name}")
        self._no_title = QWidget(self)
        self._no_title.setFixedHeight(0)
        self._no_title.hide()
        self.setTitleBarWidget(self._title)
        self.body = QWidget()
        self.body.setObjectName("panel")
        self.body.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.layout_ = QVBoxLayout(self.body)
        self.layout_.setContentsMargins(8, 8, 8, 8)
        self.layout_.setSpacing(8)
        self.setWidget(self.body)

    def show_title(self, shown: bool) -> None:
        """Show or fold away the title bar: a dock under a tab is named by its tab."""
        wanted = self._title if shown else self._no_title
        if self.titleBarWidget() is not wanted:
            self.titleBarWidget().hide()
            self.setTitleBarWidget(wanted)
            wanted.show()

    def refresh_words(self) -> None:
        """Write texts that are not tied to an id again, after a change of language."""

    def refresh_theme(self) -> None:
        """Draw again what depends on the theme."""

    def release(self) -> None:
        """Stop listening to the model; called before the window closes."""
        self.connections.close()


def scrolled(content: QWidget) -> QScrollArea:
    """A widget in a scroll area that never scrolls sideways."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area


def small_button(icon_name: str, tip_id: str) -> QToolButton:
    """A flat button with an icon and a tooltip."""
    button = say(QToolButton(), tip=tip_id)
    button.setIconSize(QSize(18, 18))
    set_icon(button, icon_name)
    return button


def line() -> QFrame:
    """A thin separating line."""
    frame = QFrame()
    frame.setObjectName("line")
    return frame
