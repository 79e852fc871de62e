"""Lines of the search box: an icon, a title with what fits marked, a detail; a heading over the first of each group."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.appearance import colours, icon
from app.finding import Found, marks
from app.language import tr
from app.theme import Theme

ROW, HEADING, PAD, ICON = 30, 24, 10, 18  # pixels
TITLE_SHARE = 0.62  # of the width of a line that a long title may take
ROLE_HEADING, ROLE_ICON, ROLE_TITLE, ROLE_DETAIL, ROLE_WORDS = (Qt.ItemDataRole.UserRole + n for n in range(5))
ICONS = {
    "place": "target",
    "room": "storeys",
    "address": "home",
    "element": "mesh",
    "layer": "layers",
    "view": "eye",
    "command": "settings",
    "select": "select",
    "recent": "undo",
    "example": "search",
}
Index = QModelIndex | QPersistentModelIndex


class FoundList(QListWidget):
    """A list that never has the focus: the line over it keeps it."""

    def __init__(self, theme: Callable[[], Theme], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setObjectName("found")
        self.setAccessibleName(tr("action.search"))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setItemDelegate(_Delegate(theme, self))

    def show_found(self, found: Sequence[Found], words: str, headings: Sequence[str]) -> None:
        """Show these lines; `headings` (one of each) is empty where a line belongs to the one before."""
        self.clear()
        for line, heading in zip(found, headings, strict=True):
            item = QListWidgetItem(line.title + (f"    {line.detail}" if line.detail else ""), self)
            item.setData(ROLE_HEADING, heading)
            item.setData(ROLE_ICON, line.icon or ICONS.get(line.kind, ""))
            item.setData(ROLE_TITLE, line.title)
            item.setData(ROLE_DETAIL, line.detail)
            item.setData(ROLE_WORDS, words)
            item.setToolTip("\n".join(text for text in (line.title, line.detail) if text))

    def say_nothing(self, text: str) -> None:
        """One line that cannot be chosen."""
        self.clear()
        item = QListWidgetItem(text, self)
        item.setData(ROLE_TITLE, text)
        item.setFlags(Qt.ItemFlag.NoItemFlags)


class _Delegate(QStyledItemDelegate):
    def __init__(self, theme: Callable[[], Theme], parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Higher with a heading."""
        return QSize(100, ROW + (HEADING if index.data(ROLE_HEADING) else 0))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Heading, icon, title, detail."""
        c = colours(self._theme())
        area = QRectF(option.rect)  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        heading = str(index.data(ROLE_HEADING) or "")
        if heading:
            self._heading(painter, QRectF(area.left() + PAD, area.top(), area.width() - 2 * PAD, HEADING), heading, c)
            area.setTop(area.top() + HEADING)
        if option.state & _selected():  # type: ignore[attr-defined]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(c["chosen"]))
            painter.drawRoundedRect(area.adjusted(2, 1, -2, -1), 4, 4)
        left = area.left() + PAD
        name = str(index.data(ROLE_ICON) or "")
        if name:
            pixmap = icon(name, c["soft"]).pixmap(QSize(ICON, ICON))
            painter.drawPixmap(int(left), int(area.center().y() - ICON / 2), pixmap)
            left += ICON + PAD
        self._texts(painter, QRectF(left, area.top(), area.right() - PAD - left, area.height()), index, c)
        painter.restore()

    def _heading(self, painter: QPainter, area: QRectF, text: str, c: dict[str, str]) -> None:
        font = QFont(painter.font())
        font.setPointSizeF(font.pointSizeF() * 0.9)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor(c["soft"]))
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, text)

    def _texts(self, painter: QPainter, area: QRectF, index: Index, c: dict[str, str]) -> None:
        title, detail = str(index.data(ROLE_TITLE) or ""), str(index.data(ROLE_DETAIL) or "")
        words = str(index.data(ROLE_WORDS) or "")
        plain = QFont(self.parent().font())  # type: ignore[attr-defined]
        metrics = QFontMetricsF(plain)
        room = area.width() * TITLE_SHARE if detail else area.width()
        room = max(room, area.width() - metrics.horizontalAdvance(detail) - 2 * PAD)
        shown = metrics.elidedText(title, Qt.TextElideMode.ElideRight, room)
        usable = bool(index.flags() & Qt.ItemFlag.ItemIsEnabled)
        used = _marked(
            painter, area, shown, words, font=plain, ink=c["ink"] if usable else c["soft"], accent=c["accent"]
        )
        if detail:
            left = area.left() + used + 2 * PAD
            rest = QRectF(left, area.top(), area.right() - left, area.height())
            shown = metrics.elidedText(detail, Qt.TextElideMode.ElideMiddle, rest.width())
            right = rest.right() - metrics.horizontalAdvance(shown)
            rest.setLeft(max(rest.left(), right - metrics.averageCharWidth()))
            _marked(painter, rest, shown, words, font=plain, ink=c["soft"], accent=c["accent"])


def _selected() -> object:
    from PySide6.QtWidgets import QStyle

    return QStyle.StateFlag.State_Selected


def _marked(painter: QPainter, area: QRectF, text: str, words: str, *, font: QFont, ink: str, accent: str) -> float:
    """A text with what fits the words in bold and in colour; returns its width."""
    bold = QFont(font)
    bold.setBold(True)
    left, end = area.left(), 0
    pieces: list[tuple[str, bool]] = []
    for start, length in marks(text, words):
        pieces += [(text[end:start], False), (text[start : start + length], True)]
        end = start + length
    pieces.append((text[end:], False))
    for piece, fits in pieces:
        if piece:
            painter.setFont(bold if fits else font)
            painter.setPen(QColor(accent if fits else ink))
            width = QFontMetricsF(bold if fits else font).horizontalAdvance(piece)
            painter.drawText(
                QRectF(left, area.top(), max(area.right() - left, 0.0), area.height()),
                Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
                piece,
            )
            left += width
    return left - area.left()
