"""One box for everything: commands, layers, elements, rooms, addresses, coordinates, viewpoints (Ctrl+K).

What takes no time is found at every key; elements are looked for a little at a time between two frames, until all
layers are through.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QVBoxLayout, QWidget

from app.document import Document
from app.element_search import WAIT, FoundElement, Matches, matching_elements
from app.finding import HOLDS, IN_PARTS, Found, Kind, best_rank, ordered, remembered
from app.language import tr
from app.names import element_name, layer_title
from app.numbers import unit_text
from app.place_search import parse_place
from app.room_search import FoundRoom, rooms_in_steps
from app.row_filter import has_condition
from app.sheet import sheet_of
from app.theme import Theme
from app.widgets.found_list import FoundList
from app.widgets.wording import say
from app.words import column_name, heading
from geo.model import Bounds, ElementRef, Grid, Layer
from geo.terrain import ground_at

ELEMENTS_AT_MOST = 12  # of one layer
SEARCH_SECONDS = 0.05  # the window must answer each key
SLICE_SECONDS = 0.012  # between two frames
LONGEST_WAIT_MS = 1000  # that Return waits for a better line than those found already
WAIT_MS = 60  # for what a job prepares
AROUND_M = 80.0
RECENT_SHOWN = 6
EXAMPLES = ("address", "name", "initials", "condition", "place", "command")
SIZE = (640, 460)


class Memory(Protocol):
    """What keeps the names of lines chosen before, the latest first."""

    recent_found: list[str]


class SearchBox(QDialog):
    """A line to type in and what was found below it.

    Parameters
    ----------
    commands : callable() -> list of Found
        The commands and viewpoints that can be chosen now.
    memory : Memory
    theme : callable() -> Theme
    """

    def __init__(
        self,
        document: Document,
        *,
        commands: Callable[[], list[Found]],
        select: Callable[[list[ElementRef]], None],
        go_to: Callable[[Bounds], None],
        open_room: Callable[[ElementRef], None],
        memory: Memory,
        theme: Callable[[], Theme],
        parent: QWidget,
    ) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("search")
        self._document, self._commands, self._select, self._go_to = document, commands, select, go_to
        self._open_room, self._memory = open_room, memory
        self._found: list[Found] = []
        self._at_once: list[Found] = []
        self._elements: list[Found] = []
        self._work: Iterator[Matches | FoundRoom | bool | None] | None = None
        self._given: list[Found] | None = None
        self._moved = False
        self._more = QTimer(self)
        self._more.setSingleShot(True)
        self._more.timeout.connect(self._go_on)
        self._return = QTimer(self)  # runs while Return waits for the best line
        self._return.setSingleShot(True)
        self._return.setInterval(LONGEST_WAIT_MS)
        self._return.timeout.connect(self.choose)
        self.line = say(QLineEdit(), "search.hint")
        self.line.setClearButtonEnabled(True)
        self.line.textChanged.connect(self.refresh)
        self.line.installEventFilter(self)
        self.list = FoundList(theme)
        self.list.itemClicked.connect(lambda _item: self.choose())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.line)
        layout.addWidget(self.list)
        self.resize(*SIZE)

    def open_over(self, window: QWidget) -> None:
        """Show at the top middle of a window, empty."""
        self._given = None
        self.resize(min(SIZE[0], window.width() - 32), min(SIZE[1], window.height() - 96))
        self.line.blockSignals(True)
        self.line.clear()
        self.line.blockSignals(False)
        self.refresh()
        self.move(window.mapToGlobal(QPoint((window.width() - self.width()) // 2, 48)))
        self.show()
        self.line.setFocus()

    @property
    def is_searching(self) -> bool:
        """Whether there are layers that have not been looked through."""
        return self._work is not None

    def hideEvent(self, event: QHideEvent) -> None:
        """Search no more."""
        self._stop()
        super().hideEvent(event)

    def _stop(self) -> None:
        self._more.stop()
        self._return.stop()
        self._work = None

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Arrows and page keys move in the list while the line has the focus; Return chooses."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            page = max(self.list.viewport().height() // 30 - 1, 1)
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: page, Qt.Key.Key_PageUp: -page}
            step = steps.get(Qt.Key(event.key()))
            if step is not None:
                row = self.list.currentRow() + step
                self.list.setCurrentRow(max(0, min(row, self.list.count() - 1)))
                self._moved = True
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose_best()
                return True
        return False

    # ---- finding

    def refresh(self) -> None:
        """Find anew."""
        self._stop()
        words = self.line.text().strip()
        self._elements, self._moved = [], False
        if not words:
            self._show_start()
            return
        until = time.perf_counter() + SEARCH_SECONDS
        self._at_once = self._find(words)
        self._work = self._looking(words)
        self._work_until(until, words)
        self._show(words)

    def _looking(self, words: str) -> Iterator[Matches | FoundRoom | bool | None]:
        """Rooms, then all other elements."""
        layers = self._by_size()
        if len(words) > 1 and not has_condition(words):
            yield from rooms_in_steps(layers, words)
        # The places of a walking network are rooms and doors again; rooms have lines of their own.
        others = [layer for layer in layers if layer.theme != "network"]
        yield from matching_elements(others, words, at_most=ELEMENTS_AT_MOST)

    def _go_on(self) -> None:
        """Look through what there was no time for."""
        words = self.line.text().strip()
        if self._work_until(time.perf_counter() + SLICE_SECONDS, words) or self._work is None:
            self._show(words)
        if self._return.isActive() and not self.is_searching:
            self.choose()

    def _work_until(self, until: float, words: str) -> bool:
        """Look through layers for some time; whether anything was found."""
        before = len(self._elements)
        while self._work is not None:
            try:
                found = next(self._work)
            except StopIteration:
                self._work = None
                break
            if isinstance(found, Matches):
                self._elements += self._lines_of(found, words)
            if isinstance(found, FoundRoom):
                self._elements.append(self._room(found))
            if found is WAIT:
                self._more.start(WAIT_MS)
                break
            if time.perf_counter() > until:
                self._more.start(0)
                break
        return len(self._elements) > before

    def _show(self, words: str) -> None:
        """Lines found up to now; one that the user has moved to stays chosen."""
        chosen = self._found[self.list.currentRow()].name if self._moved and self._found else ""
        self._found = ordered([*self._at_once, *self._elements], self._memory.recent_found)
        kinds = [line.kind for line in self._found]
        headings = ["" if n and kinds[n - 1] == kind else tr(f"search.group.{kind}") for n, kind in enumerate(kinds)]
        self.list.show_found(self._found, "" if has_condition(words) else words, headings)
        if self._found:
            names = [line.name for line in self._found]
            self.list.setCurrentRow(names.index(chosen) if chosen in names else 0)
        else:
            self.list.say_nothing(tr("search.searching" if self.is_searching else "search.nothing"))

    def _show_start(self) -> None:
        """Nothing is typed yet: what was chosen before, examples, all commands."""
        recent = [line for name in self._memory.recent_found if (line := self._again(name)) is not None][:RECENT_SHOWN]
        examples = [self._example(name) for name in EXAMPLES]
        commands = self._given_commands()
        self._found = [*recent, *examples, *commands]
        groups = ["recent"] * len(recent) + ["example"] * len(examples) + ["command"] * len(commands)
        heads = ["" if n and groups[n - 1] == group else tr(f"search.group.{group}") for n, group in enumerate(groups)]
        self.list.show_found(self._found, "", heads)
        self.list.setCurrentRow(0)

    def _example(self, name: str) -> Found:
        text = tr(f"search.example.{name}")
        return Found(text, tr(f"search.example.{name}.says"), partial(self.line.setText, text), "example")

    def _again(self, name: str) -> Found | None:
        """A line chosen before, if it can still be."""
        kind, _, rest = name.partition(":")
        if kind in ("element", "room"):
            layer_id, _, element_id = rest.partition("\n")
            layer = self._document.scene.get(layer_id)
            if layer is None or element_id not in layer.table.index:
                return None
            line = self._element(layer, FoundElement(layer.table.index[element_id], HOLDS))
            if kind == "element":
                return line
            return Found(line.title, line.detail, partial(self._open_room, ElementRef(layer_id, element_id)), key=name)
        if kind == "layer":
            layer = self._document.scene.get(rest)
            return self._layer(layer, HOLDS) if layer is not None else None
        if kind == "place":
            found = self._place(rest)
            return found[0] if found else None
        return next((line for line in self._given_commands() if line.name == name), None)

    def _given_commands(self) -> list[Found]:
        """The commands that can be given, asked for once while the box is open."""
        if self._given is None:
            self._given = self._commands()
        return self._given

    def _find(self, words: str) -> list[Found]:
        """All that takes no time."""
        return [*self._place(words), *self._layers(words), *self._fitting_commands(words)]

    def _fitting_commands(self, words: str) -> list[Found]:
        found = []
        for line in self._given_commands():
            rank = best_rank((line.title,), words)
            if rank is None and best_rank((f"{line.title} {line.detail}",), words) is not None:
                rank = HOLDS + 2
            if rank is not None:
                found.append(_ranked(line, rank))
        return found

    def _room(self, room: FoundRoom) -> Found:
        act = partial(self._open_room, room.ref)
        rank = room.rank if room.rank < HOLDS else HOLDS
        return Found(room.title, room.detail, act, "room", rank, f"room:{room.ref.layer_id}\n{room.ref.element_id}")

    def _place(self, words: str) -> list[Found]:
        frame = self._document.scene.frame
        place = parse_place(words, frame)
        if place is None or frame is None:
            return []
        x, y = place[0] - frame.origin[0], place[1] - frame.origin[1]
        z = self._ground(x, y)
        box = Bounds((x - AROUND_M, y - AROUND_M, z), (x + AROUND_M, y + AROUND_M, z))
        title = tr("search.place", east=f"{place[0]:,.1f}", north=f"{place[1]:,.1f}")
        return [Found(title, frame.crs, lambda: self._go_to(box), "place", 0, f"place:{words}")]

    def _ground(self, x: float, y: float) -> float:
        """Height of the ground at a place [local m]; 0 where none is known. The middle of the picture is there then."""
        for layer in self._document.scene:
            if layer.kind == "terrain" and isinstance(layer.geometry, Grid):
                height = float(ground_at(layer.geometry, x, y))
                if math.isfinite(height):
                    return height
        return 0.0

    def _layers(self, words: str) -> list[Found]:
        ranks = [(layer, best_rank((layer_title(layer),), words)) for layer in self._document.scene]
        return [self._layer(layer, rank) for layer, rank in ranks if rank is not None]

    def _layer(self, layer: Layer, rank: int) -> Found:
        act = partial(self._select, [ElementRef(layer.id)])
        name, icon = f"layer:{layer.id}", layer.kind
        return Found(layer_title(layer), tr("search.layer"), act, "layer", rank, name, icon)

    def _lines_of(self, matches: Matches, words: str) -> list[Found]:
        layer, lines = matches.layer, []
        if len(matches.rows) > 1:
            title = tr("search.select", count=f"{len(matches.rows):,}", layer=layer_title(layer))
            act = partial(_select_all, self._select, matches)
            rank = HOLDS if has_condition(words) else IN_PARTS + 1  # of words the elements themselves come first
            lines.append(Found(title, words, act, "select", rank, f"select:{layer.id}"))
        if layer.theme == "space":
            return lines
        for one in matches.best:
            lines.append(self._element(layer, one))
        return lines

    def _element(self, layer: Layer, one: FoundElement) -> Found:
        element_id, rank, address = str(layer.table.ids[one.row]), one.rank, one.address
        name, title = element_name(layer, element_id), layer_title(layer)
        detail = title if name == element_id else f"{element_id} · {title}"
        if one.column:
            detail = f"{_value_text(layer, one)} · {title}"
        kind: Kind = "address" if address else "element"
        if address:
            name, detail = address, f"{name} · {title}"
        act = partial(self._select, [ElementRef(layer.id, element_id)])
        return Found(name, detail, act, kind, rank, f"element:{layer.id}\n{element_id}", "" if address else layer.kind)

    def _by_size(self) -> Sequence[Layer]:
        """Small layers first: most are through before one very large layer is begun."""
        return sorted(self._document.scene, key=lambda layer: len(layer.table))

    # ---- choosing

    def _choose_best(self) -> None:
        """Return was pressed: whoever types faster than the search finds still gets the best line, not the first."""
        exact = bool(self._found) and self._found[0].rank == 0
        if self.is_searching and not self._moved and not exact:
            self._return.start()
        else:
            self.choose()

    def choose(self) -> None:
        """Do what the current line says, and remember it."""
        self._return.stop()
        if self.is_searching and not self._found:
            self._return.start()
            return
        row = self.list.currentRow()
        if not 0 <= row < len(self._found):
            return
        line = self._found[row]
        if line.kind == "example":
            line.act()
            self.line.setFocus()
            return
        if line.kind != "select":
            self._memory.recent_found = remembered(self._memory.recent_found, line.name)
        self.hide()
        line.act()


def _ranked(line: Found, rank: int) -> Found:
    return Found(line.title, line.detail, line.act, line.kind, rank, line.key, line.icon)


def _value_text(layer: Layer, one: FoundElement) -> str:
    """Name and value of the column that an element was found by."""
    column = sheet_of(layer).columns[one.column]
    said = f"{column.shown_at(one.row)} {unit_text(column.unit)}".rstrip()
    return f"{heading(column_name(layer.theme, one.column, column.title))}: {said}"


def _select_all(select: Callable[[list[ElementRef]], None], matches: Matches) -> None:
    select(matches.refs())
