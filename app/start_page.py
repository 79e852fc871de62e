"""What an empty window shows: sample district, new project, open, recent projects, and a place to drop files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.appearance import program_icon, set_icon
from app.widgets.wording import say

COLUMN_WIDTH = 620
TILES = (
    ("sample", "city", "start.sample", "start.sample.lead"),
    ("import", "import", "start.import", "start.import.lead"),
    ("open", "open", "start.open", "start.open.lead"),
)


class _Tile(QPushButton):
    """A large button with an icon, a title and a line below."""

    def __init__(self, icon_name: str, title_id: str, lead_id: str) -> None:
        super().__init__()
        say(self, tip=f"{title_id}.tip")
        self.setObjectName("tile")
        self.setMinimumHeight(64)
        self._icon = say(QPushButton(), tip=f"{title_id}.tip")
        self._icon.setObjectName("link")
        self._icon.setIconSize(QSize(28, 28))
        self._icon.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._icon.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        set_icon(self._icon, icon_name)
        title, lead = say(QLabel(), title_id), say(QLabel(), lead_id)
        title.setObjectName("title")
        lead.setObjectName("soft")
        lead.setWordWrap(True)
        text = QVBoxLayout()
        text.setSpacing(0)
        text.addWidget(title)
        text.addWidget(lead)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 8, 16, 8)
        layout.setSpacing(12)
        layout.addWidget(self._icon)
        layout.addLayout(text, 1)
        for label in (title, lead):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def sizeHint(self) -> QSize:
        """As tall as its text."""
        return self.layout().sizeHint()


class StartPage(QWidget):
    """Signals: sample_asked, import_asked, open_asked, recent_asked(Path)."""

    sample_asked = Signal()
    import_asked = Signal()
    open_asked = Signal()
    recent_asked = Signal(object)

    def __init__(self, recent: list[Path], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("start_page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.tiles: dict[str, QPushButton] = {}
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addStretch(2)
        column.addLayout(self._head())
        column.addSpacing(12)
        self._offers = QVBoxLayout()
        column.addLayout(self._offers)
        for name, icon_name, title_id, lead_id in TILES:
            tile = _Tile(icon_name, title_id, lead_id)
            self.tiles[name] = tile
            column.addWidget(tile)
        self.tiles["sample"].clicked.connect(self.sample_asked)
        self.tiles["import"].clicked.connect(self.import_asked)
        self.tiles["open"].clicked.connect(self.open_asked)
        column.addSpacing(8)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(0)
        column.addLayout(self._recent)
        column.addStretch(3)
        drop = say(QLabel(), "start.drop")
        drop.setObjectName("soft")
        drop.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(drop)
        holder = QFrame()
        holder.setMaximumWidth(COLUMN_WIDTH)
        holder.setLayout(column)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(24, 8, 24, 16)
        outer.addStretch(1)
        outer.addWidget(holder, 100)
        outer.addStretch(1)
        self.show_recent(recent)

    def _head(self) -> QHBoxLayout:
        picture = QLabel()
        picture.setPixmap(program_icon().pixmap(48, 48))
        heading, lead = say(QLabel(), "app.name"), say(QLabel(), "start.lead")
        heading.setObjectName("heading")
        lead.setObjectName("soft")
        lead.setWordWrap(True)
        text = QVBoxLayout()
        text.setSpacing(0)
        text.addWidget(heading)
        text.addWidget(lead)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(picture)
        row.addLayout(text, 1)
        return row

    def offer_tour(self, start: Callable[[], object]) -> None:
        """Offer the tour in a line of its own until it is answered."""
        offer = QFrame()
        offer.setObjectName("tour_offer")
        text = say(QLabel(), "tour.offer")
        text.setWordWrap(True)
        yes, no = say(QPushButton(), "tour.start"), say(QPushButton(), "tour.later", tip="tour.later.tip")
        yes.setObjectName("primary")
        no.setObjectName("link")
        row = QHBoxLayout(offer)
        row.setContentsMargins(16, 8, 12, 8)
        row.addWidget(text, 1)
        row.addWidget(yes)
        row.addWidget(no)

        def answered() -> None:
            offer.hide()
            offer.deleteLater()

        yes.clicked.connect(answered)
        no.clicked.connect(answered)
        yes.clicked.connect(lambda: start())
        self._offers.addWidget(offer)

    def show_recent(self, recent: list[Path]) -> None:
        """List the projects opened last."""
        while self._recent.count():
            widget = self._recent.takeAt(0).widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        if not recent:
            return
        title = say(QLabel(), "start.recent")
        title.setObjectName("section")
        self._recent.addWidget(title)
        for path in recent[:5]:
            button = QPushButton(path.stem)
            button.setObjectName("link")
            button.setToolTip(str(path))
            button.clicked.connect(lambda _checked=False, p=path: self.recent_asked.emit(p))
            self._recent.addWidget(button)
