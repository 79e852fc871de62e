"""One box for everything: commands, layers, elements, coordinates (Ctrl+K)."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.document import Document
from app.hangul import contains
from app.language import tr
from app.names import layer_title
from app.panels.layers import element_name
from app.room_search import matching_rooms
from app.row_filter import containing, filter_rows, has_condition
from app.sheet import Rows, sheet_of
from app.widgets.wording import say
from geo.crs import transform
from geo.model import Bounds, ElementRef, Feedback, Frame, Layer, UserError

FOUND_AT_MOST = 40
ELEMENTS_AT_MOST = 25
SEARCH_SECONDS = 0.08  # the window must answer each key
AGAIN_MS, TRIES = 400, 10
AROUND_M = 80.0
THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
NUMBERS = re.compile(r"[-+]?\d+(?:\.\d+)?")
NEAR_M = 50_000.0
# 36°31'12.5"N, N 36.52, 북위 36도 31분 12초
DEGREES = re.compile(
    r"""(?:(?P<before>[NSEW]|북위|남위|동경|서경)\s*)?(?P<d>[-+]?\d+(?:\.\d+)?)\s*(?P<sign>[°도d]|(?=\s*[NSEW북남동서]))?\s*
    (?:(?P<m>\d+(?:\.\d+)?)\s*['′’분]\s*)?(?:(?P<s>\d+(?:\.\d+)?)\s*(?:["″”초]|'')\s*)?(?P<after>[NSEW](?![a-z]))?""",
    re.IGNORECASE | re.VERBOSE,
)
SIDES = {"n": "N", "s": "S", "e": "E", "w": "W", "북위": "N", "남위": "S", "동경": "E", "서경": "W"}


@dataclass(frozen=True)
class Found:
    """One line of the list and what choosing it does."""

    title: str
    detail: str
    act: Callable[[], None]


def parse_place(text: str, frame: Frame | None) -> tuple[float, float] | None:
    r"""Easting and northing [m] of a place in any of the usual ways.

    ``"229110 435795"`` (E N, also the other way round where only that lies near the project), ``"36.52 127.325"`` or
    ``"127.325 36.52"`` (degrees), ``"36°31'12\"N 127°19'30\"E"`` (degrees, minutes, seconds).
    """
    if frame is None:
        return None
    degrees = parse_degrees(text)
    if degrees is None:
        numbers = _two_numbers(text)
        if numbers is None:
            return None
        degrees = _as_degrees(*numbers)
        if degrees is None:
            return _nearer(numbers, frame)
    east, north = transform(degrees[1], degrees[0], "EPSG:4326", frame.crs)
    return (float(east), float(north)) if math.isfinite(float(east)) and math.isfinite(float(north)) else None


def parse_degrees(text: str) -> tuple[float, float] | None:
    """Latitude and longitude [degrees] of degrees, minutes and seconds, or of numbers with N, S, E, W."""
    found: dict[str, float] = {}
    loose: list[float] = []
    rest = text
    for match in DEGREES.finditer(text):
        rest = rest.replace(match.group(0), " ", 1)
        degree, minute, second = (float(match.group(k) or 0) for k in ("d", "m", "s"))
        if minute >= 60 or second >= 60:
            return None
        value = math.copysign(abs(degree) + minute / 60 + second / 3600, degree)
        letter = SIDES.get((match.group("before") or match.group("after") or "").casefold(), "")
        if letter:
            found[letter.lower() if letter in "NE" else {"S": "n", "W": "e"}[letter]] = (
                value if letter in "NE" else -abs(value)
            )
        elif match.group("sign"):
            loose.append(value)
        else:
            return None
    if rest.strip(" ,;") or len(found) + len(loose) != 2:
        return None
    return (found["n"], found["e"]) if len(found) == 2 else _as_degrees(*loose) if len(loose) == 2 else None


def _two_numbers(text: str) -> tuple[float, float] | None:
    if re.search(r"[^\d\s.,;+\-°NEneEWSws]", text):
        return None
    if text.count(",") == 1 and not re.search(r"\d\s+\S", text.strip()):
        text = text.replace(",", " ")
    numbers = [float(n) for n in NUMBERS.findall(THOUSANDS.sub("", text))]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else None


def _as_degrees(first: float, second: float) -> tuple[float, float] | None:
    """Latitude and longitude; of two numbers one of which can only be a longitude, that one."""
    if abs(first) <= 90 and abs(second) <= 180:
        return first, second
    return (second, first) if abs(second) <= 90 and abs(first) <= 180 else None


def _nearer(numbers: tuple[float, float], frame: Frame) -> tuple[float, float]:
    """East and north as written, or exchanged where that lies within a day's walk of the project and this does not."""
    straight, turned = (
        math.hypot(east - frame.origin[0], north - frame.origin[1]) for east, north in (numbers, numbers[::-1])
    )
    return (numbers[1], numbers[0]) if turned < NEAR_M < straight else numbers


@dataclass(frozen=True)
class Matches:
    """Elements of one layer that fit, in the order of the file."""

    layer: Layer
    rows: Rows

    def refs(self, count: int | None = None) -> list[ElementRef]:
        """The first of them, or all."""
        return [ElementRef(self.layer.id, str(element_id)) for element_id in self.layer.table.ids[self.rows[:count]]]


def matching_elements(
    layers: Sequence[Layer],
    words: str,
    *,
    seconds: float = SEARCH_SECONDS,
    out_of_time: Callable[[], None] | None = None,
) -> Iterator[Matches]:
    """Elements whose id or one of whose texts contains the words, or that fulfil a condition, layer by layer.

    A layer is not begun when the time is used up, and `out_of_time` is called. Layers without the column of a
    condition have none.
    """
    until = time.perf_counter() + seconds
    condition = has_condition(words)
    for layer in layers:
        if time.perf_counter() > until:
            if out_of_time is not None:
                out_of_time()
            return
        if not len(layer.table):
            continue
        try:
            mask = filter_rows(sheet_of(layer), words) if condition else containing(sheet_of(layer), words, until=until)
        except UserError:
            continue
        if mask.any():
            yield Matches(layer, np.flatnonzero(mask))


def get_ready(layers: Sequence[Layer], feedback: Feedback) -> None:
    """Prepare searching in a job, while the user begins to type."""
    for layer in layers:
        for column in sheet_of(layer).columns.values():
            feedback.step(0.0)
            column.get_ready()


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
        select: Callable[[list[ElementRef]], None],
        go_to: Callable[[Bounds], None],
        open_room: Callable[[ElementRef], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("search")
        self._document, self._commands, self._select, self._go_to = document, commands, select, go_to
        self._open_room = open_room
        self._found: list[Found] = []
        self._tries = 0
        self._later = QTimer(self)  # what there was no time for is searched again, when the layers have been made ready
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._once_more)
        self.line = say(QLineEdit(), "search.hint")
        self.line.setClearButtonEnabled(True)
        self.line.textChanged.connect(self._on_words)
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

    def _on_words(self) -> None:
        self._tries = 0
        self.refresh()

    def _once_more(self) -> None:
        if self.isVisible():
            self._tries += 1
            row, before = self.list.currentRow(), [found.title for found in self._found]
            self.refresh()
            if [found.title for found in self._found][: len(before)] == before:
                self.list.setCurrentRow(row)

    def _out_of_time(self) -> None:
        if self._tries < TRIES:
            self._later.start(AGAIN_MS)

    def refresh(self) -> None:
        """Find anew."""
        self._later.stop()
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
        commands = [f for f in self._commands() if contains(f"{f.title} {f.detail}", words)]
        if not words:
            return commands
        place = parse_place(words, self._document.scene.frame)
        exact, rooms = self._rooms(words)
        return [*exact, *self._place(place), *rooms, *self._layers(words), *commands, *self._elements(words)]

    def _rooms(self, words: str) -> tuple[list[Found], list[Found]]:
        """Rooms whose number or name this is, and others that fit."""
        if len(words) < 2 or has_condition(words):
            return [], []
        found = matching_rooms(self._by_size(), words, seconds=SEARCH_SECONDS / 2)
        lines = [Found(room.title, room.detail, partial(self._open_room, room.ref)) for room in found]
        exact = sum(room.rank == 0 for room in found)
        return lines[:exact], lines[exact:]

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
            Found(layer_title(layer), tr("search.layer"), partial(self._select, [ElementRef(layer.id)]))
            for layer in self._document.scene
            if contains(layer_title(layer), words)
        ]

    def _elements(self, words: str) -> list[Found]:
        groups: list[Found] = []
        single: list[Found] = []
        # The places of a walking network are rooms and doors again; rooms have lines of their own.
        layers = [layer for layer in self._by_size() if layer.theme != "network"]
        for matches in matching_elements(layers, words, out_of_time=self._out_of_time):
            layer, title = matches.layer, layer_title(matches.layer)
            count = len(matches.rows)
            if count > 1:
                groups.append(
                    Found(tr("search.select", count=f"{count:,}", layer=title), words, self._chooser(matches))
                )
            for ref in matches.refs(max(ELEMENTS_AT_MOST - len(single), 0) if layer.theme != "space" else 0):
                name = element_name(layer, ref.element_id)
                detail = title if name == ref.element_id else f"{ref.element_id} · {title}"
                single.append(Found(name, detail, partial(self._select, [ref])))
        return [*groups, *single]

    def _by_size(self) -> list[Layer]:
        """Small layers first, so that one very large layer does not use up the time of all."""
        return sorted(self._document.scene, key=lambda layer: len(layer.table))

    def _chooser(self, matches: Matches) -> Callable[[], None]:
        return lambda: self._select(matches.refs())

    def choose(self) -> None:
        """Do what the current line says."""
        row = self.list.currentRow()
        if 0 <= row < len(self._found):
            self.hide()
            self._found[row].act()
