"""The tour: five small cards on the sample district, each beside the control it talks about. Nothing is blocked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.tour_place import place_beside, rectangle_of
from app.widgets.later import Later
from app.widgets.wording import say

if TYPE_CHECKING:
    from app.main_window import MainWindow

STUDY = "sunlight.hours"
SMALL_RUN = {"step": 60, "ground_cell": 10.0, "facades": False}  # a few seconds on the whole sample district
WIDTH, BORDER = 330, 4  # pixels of a card, and of its border on both sides together
MOVES = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.LayoutRequest)


class Step(NamedTuple):
    """One card.

    Attributes
    ----------
    name : str
        Its texts are ``tour.<name>`` and ``tour.<name>.text``.
    target : callable
        The widget the card stands beside; None where there is none now.
    prepare : callable
        Brings the target to the front when the card appears.
    act : callable or None
        Does for the user what the card asks for.
    """

    name: str
    target: Callable[[MainWindow], QWidget | None]
    prepare: Callable[[MainWindow], None]
    act: Callable[[MainWindow], None] | None


def _nothing(_window: MainWindow) -> None:
    """No preparation."""


def _sample_tile(window: MainWindow) -> QWidget | None:
    return window.start_page.tiles["sample"] if window.stack.currentWidget() is window.start_page else None


def choose_study(window: MainWindow) -> None:
    """The study of the tour, with wide grids."""
    window.show_analysis(STUDY)
    if window.analyses.form is not None:
        window.analyses.form.set_values(SMALL_RUN)


def run_study(window: MainWindow) -> None:
    """Run it."""
    choose_study(window)
    window.analyses.run()


def _first_card(window: MainWindow) -> QWidget | None:
    return window.results.cards[0] if window.results.cards else window.panels["results"]


STEPS = (
    Step("open", _sample_tile, _nothing, lambda w: w.files.open_sample()),
    Step("look", lambda w: w.viewport, _nothing, lambda w: w.set_view("home")),
    Step("choose", lambda w: w.analyses.choice, lambda w: w.show_panel("analyses"), choose_study),
    Step("run", lambda w: w.analyses.run_button, lambda w: w.show_panel("analyses"), run_study),
    Step("read", _first_card, lambda w: w.show_panel("results"), run_study),
)


class TourCard(QFrame):
    """One card: which step, what to do, and how to go on. Signals: back, next, act, closed."""

    back, next, act, closed = Signal(), Signal(), Signal(), Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("tour_card")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(WIDTH)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.number, self.title, self.text = QLabel(), QLabel(), QLabel()
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.number.setObjectName("soft")
        self.title.setObjectName("title")
        self.text.setWordWrap(True)
        self.title.setWordWrap(True)
        self.close_button = say(QPushButton(), "tour.close", tip="tour.close.tip")
        self.act_button = say(QPushButton(), "tour.act", tip="tour.act.tip")
        self.back_button = say(QPushButton(), "tour.back", tip="tour.back.tip")
        self.next_button = say(QPushButton(), "tour.next", tip="tour.next.tip")
        self.close_button.setObjectName("link")
        self.next_button.setObjectName("primary")
        head, foot = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self.number, 1)
        head.addWidget(self.close_button)
        foot.addWidget(self.act_button)
        foot.addStretch(1)
        foot.addWidget(self.back_button)
        foot.addWidget(self.next_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 8, 16, 12)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addWidget(self.title)
        layout.addWidget(self.text)
        layout.addLayout(foot)
        for button, signal in (
            (self.close_button, self.closed), (self.act_button, self.act), (self.back_button, self.back),
            (self.next_button, self.next),
        ):  # fmt: skip
            button.clicked.connect(signal)

    def show_step(self, number: int, step: Step, *, variant: str) -> None:
        """Say what a step says; `variant` is the end of the id of its text."""
        self.number.setText(f"{number + 1} / {len(STEPS)}")
        say(self.title, f"tour.{step.name}")
        say(self.text, f"tour.{step.name}.{variant}")
        last = number == len(STEPS) - 1
        say(self.next_button, "tour.finish" if last else "tour.next")
        self.back_button.setEnabled(number > 0)
        self.setAccessibleName(f"{self.title.text()}. {self.text.text()}")
        self.fit()

    def fit(self) -> None:
        """As tall as the words need: labels that wrap do not say so by themselves."""
        margins = self.contentsMargins()
        room = self.layout().contentsMargins()
        width = WIDTH - room.left() - room.right() - margins.left() - margins.right() - BORDER
        for label in (self.title, self.text):
            label.setFixedHeight(label.heightForWidth(width))
        self.layout().activate()
        self.setFixedHeight(self.layout().sizeHint().height() + BORDER)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape ends the tour."""
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)


class Tour(QObject):
    """Leads through the steps in one window. Ends by its last card, its cross, or with the window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.number = window, 0
        self.card = TourCard(window)
        self.mark = QFrame(window)
        self.mark.setObjectName("tour_mark")
        self.mark.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._watched: QWidget | None = None
        self._later = Later(self, self.place)
        self.card.closed.connect(self.end)
        self.card.act.connect(self._act)
        self.card.back.connect(lambda: self.go(self.number - 1))
        self.card.next.connect(lambda: self.go(self.number + 1))
        window.bench.document_opened.connect(self._on_opened)
        window.bench.result_ready.connect(self._on_result)
        window.installEventFilter(self)
        self.go(1 if len(window.document.scene) else 0)

    @property
    def step(self) -> Step:
        """The one on show."""
        return STEPS[self.number]

    def go(self, number: int) -> None:
        """Show a step; after the last the tour is over."""
        if number >= len(STEPS):
            self.end()
            return
        self.number = max(number, 0)
        self.step.prepare(self.window)
        self._write()
        self.card.show()
        self.card.next_button.setFocus()
        self._later.ask()

    def _write(self) -> None:
        """What the step says, and whether there is something left to do for the user."""
        is_open, has_result = len(self.window.document.scene) > 0, bool(self.window.results.cards)
        variants = {"open": "again" if is_open else "text", "read": "text" if has_result else "none"}
        self.card.show_step(self.number, self.step, variant=variants.get(self.step.name, "text"))
        done = (self.step.name == "read" and has_result) or (self.step.name not in ("open", "look") and not is_open)
        self.card.act_button.setVisible(self.step.act is not None and not done)
        self.card.act_button.setEnabled(self.window.analyses.job is None)

    def _act(self) -> None:
        if self.step.act is not None:
            self.step.act(self.window)
        if self.step.name == "choose":
            self.go(self.number + 1)
        self._later.ask()

    def _on_opened(self) -> None:
        if self.step.name == "open":
            self.go(self.number + 1)

    def _on_result(self, _run_id: str) -> None:
        if self.step.name in ("choose", "run", "read"):
            self.go(len(STEPS) - 1)

    # ---- in its place ---------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the window and the control."""
        if event.type() in MOVES:
            self._later.ask()
        elif event.type() == QEvent.Type.Close and watched is self.window:
            self._later.stop()
        return False

    def _watch(self, target: QWidget | None) -> None:
        if target is self._watched:
            return
        if self._watched is not None:
            self._watched.removeEventFilter(self)
        self._watched = target
        if target is not None:
            target.installEventFilter(self)
            target.destroyed.connect(self._forget)

    def _forget(self) -> None:
        self._watched = None

    def place(self) -> None:
        """Card and mark beside the control, both within the window."""
        self._write()
        target = self.step.target(self.window)
        self._watch(target)
        around = rectangle_of(target, self.window)
        self.card.fit()
        is_picture = target is self.window.viewport
        self.card.move(place_beside(around, self.card.size(), self.window.rect(), inside=is_picture))
        self.mark.setVisible(around is not None and not is_picture)
        if around is not None:
            self.mark.setGeometry(around.adjusted(-3, -3, 3, 3))
            self.mark.raise_()
        self.card.raise_()

    def end(self) -> None:
        """Take the card away."""
        self._later.stop()
        self._watch(None)
        self.window.removeEventFilter(self)
        for widget in (self.card, self.mark):
            widget.hide()
            widget.deleteLater()
        self.deleteLater()
        if getattr(self.window, "tour", None) is self:
            self.window.tour = None


def start_tour(window: MainWindow) -> Tour:
    """Begin, or begin again."""
    running = getattr(window, "tour", None)
    if running is not None:
        running.end()
    made = Tour(window)
    window.tour = made
    window.settings.toured = True
    return made


def offer_tour(window: MainWindow) -> None:
    """Offer the tour on the start page, the first time the program is used."""
    if window.settings.toured or window.stack.currentWidget() is not window.start_page:
        return
    window.settings.toured = True
    window.start_page.offer_tour(lambda: start_tour(window))
