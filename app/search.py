"""One box for everything: commands, layers, elements, coordinates (Ctrl+K)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.document import Document
from app.language import tr
from app.names import layer_title
from app.panels.layers import element_name
from app.widgets.wording import say
from geo.crs import transform
from geo.model import Bounds, ElementRef, Frame, Layer

FOUND_AT_MOST = 40
ELEMENTS_AT_MOST = 25
SEARCH_SECONDS = 0.08  # the window must answer each key
AROUND_M = 80.0
THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
NUMBERS = re.compile(r"[-+]?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Found:
    """One line of the list and what choosing it does."""

    title: str
    detail: str
    act: Callable[[], None]


def parse_place(text: str, frame: Frame | None) -> tuple[float, float] | None:
    """Easting and northing [m] of ``"229110 435795"`` (E N) or ``"36.52 127.325"`` (latitude longitude)."""
    if frame is None or re.search(r"[^\d\s.,;+\-°NEneEWSws]", text):
        return None
    if text.count(",") == 1 and not re.search(r"\d\s+\S", text.strip()):
        text = text.replace(",", " ")
    numbers = [float(n) for n in NUMBERS.findall(THOUSANDS.sub("", text))]
    if len(numbers) != 2:
        return None
    first, second = numbers
    if abs(first) <= 90 and abs(second) <= 180:
        east, north = transform(second, first, "EPSG:4326", frame.crs)
        return float(east), float(north)
    return first, second


def matching_elements(layers: Sequence[Layer], words: str, *, seconds: float = SEARCH_SECONDS) -> Iterator[ElementRef]:
    """Elements whose id or one of whose texts contains the words, until the time is used up."""
    until = time.perf_counter() + seconds
    needle = words.casefold()
    for layer in layers:
        texts = [c.values for c in layer.table.columns.values() if c.values.dtype == object]
        for row, element_id in enumerate(layer.table.ids):
            if row % 256 == 0 and time.perf_counter() > until:
                return
            if needle in element_id.casefold() or any(v[row] and needle in str(v[row]).casefold() for v in texts):
                yield ElementRef(layer.id, element_id)


class SearchBox(QDialog):
    """A line to type in and what was found below it.

    Parameters
    ----------
    commands : callable() -> list of Found
        The commands that can be given now.
    """

    def __init__(
        self,
        document: Document,
        *,
        commands: Callable[[], list[Found]],
        select: Callable[[ElementRef], None],
        go_to: Callable[[Bounds], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("search")
        self._document, self._commands, self._select, self._go_to = document, commands, select, go_to
        self._found: list[Found] = []
        self.line = say(QLineEdit(), "search.hint")
        self.line.setClearButtonEnabled(True)
        self.line.textChanged.connect(self.refresh)
        self.line.installEventFilter(self)
        self.list = QListWidget()
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.itemClicked.connect(lambda _item: self.choose())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.line)
        layout.addWidget(self.list)
        self.resize(560, 380)

    def open_over(self, window: QWidget) -> None:
        """Show at the top middle of a window, empty."""
        self.line.clear()
        self.refresh()
        self.move(window.mapToGlobal(QPoint((window.width() - self.width()) // 2, 48)))
        self.show()
        self.line.setFocus()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Arrows move in the list while the line has the focus; Return chooses."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step is not None:
                row = self.list.currentRow() + step
                self.list.setCurrentRow(max(0, min(row, self.list.count() - 1)))
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.choose()
                return True
        return False

    def refresh(self) -> None:
        """Find anew."""
        words = self.line.text().strip()
        self._found = self._find(words)[:FOUND_AT_MOST]
        self.list.clear()
        for found in self._found:
            item = QListWidgetItem(found.title + (f"    {found.detail}" if found.detail else ""), self.list)
            item.setToolTip(found.detail)
        if self._found:
            self.list.setCurrentRow(0)
        else:
            QListWidgetItem(tr("search.nothing"), self.list).setFlags(Qt.ItemFlag.NoItemFlags)

    def _find(self, words: str) -> list[Found]:
        commands = [f for f in self._commands() if words.casefold() in f"{f.title} {f.detail}".casefold()]
        if not words:
            return commands
        place = parse_place(words, self._document.scene.frame)
        return [*self._place(place), *self._layers(words), *commands, *self._elements(words)]

    def _place(self, place: tuple[float, float] | None) -> list[Found]:
        frame = self._document.scene.frame
        if place is None or frame is None:
            return []
        x, y = place[0] - frame.origin[0], place[1] - frame.origin[1]
        box = Bounds((x - AROUND_M, y - AROUND_M, 0.0), (x + AROUND_M, y + AROUND_M, 0.0))
        title = tr("search.place", east=f"{place[0]:,.1f}", north=f"{place[1]:,.1f}")
        return [Found(title, frame.crs, lambda: self._go_to(box))]

    def _layers(self, words: str) -> list[Found]:
        return [
            Found(layer_title(layer), tr("search.layer"), partial(self._select, ElementRef(layer.id)))
            for layer in self._document.scene
            if words.casefold() in layer_title(layer).casefold()
        ]

    def _elements(self, words: str) -> list[Found]:
        found: list[Found] = []
        for ref in matching_elements(list(self._document.scene), words):
            layer = self._document.scene[ref.layer_id]
            name = element_name(layer, ref.element_id)
            title = layer_title(layer)
            detail = title if name == ref.element_id else f"{ref.element_id} · {title}"
            found.append(Found(name, detail, partial(self._select, ref)))
            if len(found) >= ELEMENTS_AT_MOST:
                break
        return found

    def choose(self) -> None:
        """Do what the current line says."""
        row = self.list.currentRow()
        if 0 <= row < len(self._found):
            self.hide()
            self._found[row].act()
