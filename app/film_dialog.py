"""Export of a film from the window: what is asked, and how far the making of it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDate, QEvent, QObject, QTime, Signal
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
    QProgressBar,
    QPushButton,
    QTimeEdit,
    QVBoxLayout,
    QWidget,
)

from app.film import FILM_KINDS, LARGEST, SIZES, SMALLEST, Filmed, FilmPlan
from app.film_child import film_apart
from app.jobs import Job
from app.language import tr
from app.numbers import seconds_text
from app.widgets.day_slider import DAYS
from app.widgets.edge import off_the_edge
from app.widgets.quantity_edit import QuantityEdit
from app.widgets.wording import say
from geo.model import UserError

if TYPE_CHECKING:
    from app.main_window import MainWindow

PARTS = 1000  # of the progress bar
CUSTOM = "custom"
PLAIN_FPS, PLAIN_SECONDS, PLAIN_STEP = 25, 12.0, 2.0


class FilmDialog(QDialog):
    """What the film shows, how large and how long. `day` and `minute` are those of the timeline."""

    def __init__(self, *, title: str, day: QDate, minute: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        say(self, "film.title")
        self.kind = _choices("film.kind", FILM_KINDS)
        self.day = off_the_edge(QDateEdit(day))
        self.day.setDateRange(*DAYS)
        self.day.setCalendarPopup(True)
        self.day.setDisplayFormat("yyyy-MM-dd")
        self.hour = off_the_edge(QTimeEdit(QTime(minute // 60, minute % 60)))
        self.hour.setDisplayFormat("HH:mm")
        self.step = QuantityEdit(PLAIN_STEP, unit="min", low=0.5, high=60, integer=False)
        self.size_ = _choices("film.size", (*SIZES, CUSTOM))
        self.size_.setCurrentIndex(1)
        self.width_ = QuantityEdit(1600, unit="px", low=SMALLEST, high=LARGEST, integer=True)
        self.height_ = QuantityEdit(900, unit="px", low=SMALLEST, high=LARGEST, integer=True)
        self.fps = QuantityEdit(PLAIN_FPS, unit="1", low=1, high=60, integer=True)
        self.seconds = QuantityEdit(PLAIN_SECONDS, unit="s", low=0.1, high=300, integer=False)
        self.title = QLineEdit(title)
        self.plain = say(QCheckBox(), "film.plain")
        self.plain.setChecked(True)
        self.count = QLabel()
        self.count.setObjectName("soft")
        self._lay_out()
        for signal in (self.kind.currentIndexChanged, self.size_.currentIndexChanged):
            signal.connect(lambda _index: self._follow())
        for edit in (self.fps, self.seconds):
            edit.changed.connect(self._follow)
        self._follow()

    def _lay_out(self) -> None:
        form = QFormLayout()
        rows: tuple[tuple[str, QWidget], ...] = (
            ("film.kind", self.kind),
            ("film.day", self.day),
            ("film.hour", self.hour),
            ("film.step", self.step),
            ("film.size", self.size_),
            ("film.width", self.width_),
            ("film.height", self.height_),
            ("film.fps", self.fps),
            ("film.seconds", self.seconds),
            ("film.text", self.title),
        )
        for text_id, widget in rows:
            form.addRow(tr(text_id), widget)
        form.addRow("", self.plain)
        form.addRow("", self.count)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.button(QDialogButtonBox.StandardButton.Ok).setText(tr("film.ok"))
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(tr("dialog.cancel"))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(form)
        layout.addWidget(buttons)

    def _follow(self) -> None:
        """What does not apply is grey; how many frames there will be."""
        is_day, is_custom = self.kind.currentData() == "day", self.size_.currentData() == CUSTOM
        self.plain.setEnabled(not self.films_wind)
        self.hour.setEnabled(not is_day)
        self.step.setEnabled(is_day)
        self.width_.setEnabled(is_custom)
        self.height_.setEnabled(is_custom)
        self.count.setText(tr("film.count", frames=f"{round(self.fps.value * self.seconds.value):,}"))

    @property
    def films_wind(self) -> bool:
        """Whether particles are filmed: their wind is a result, and results stay in the picture."""
        return bool(self.kind.currentData() == "wind")

    def plan(self) -> FilmPlan:
        """The film asked for. Raises `UserError` for one that cannot be made."""
        name = str(self.size_.currentData())
        chosen, hour = self.day.date(), self.hour.time()
        return FilmPlan(
            kind=self.kind.currentData(),
            day=chosen.toPython(),  # type: ignore[arg-type]
            hour=hour.hour() + hour.minute() / 60.0,
            step_min=float(self.step.value),
            size=SIZES.get(name, (int(self.width_.value), int(self.height_.value))),
            fps=int(self.fps.value),
            seconds=float(self.seconds.value),
            title=self.title.text().strip(),
        )


def _choices(text_id: str, names: tuple[str, ...]) -> QComboBox:
    box = QComboBox()
    for name in names:
        box.addItem(tr(f"{text_id}.{name}"), name)
    return box


class FilmMaker(QDialog):
    """A film in the making: how far it is, and a way to stop it. It is drawn in a process of its own.

    Signals
    -------
    ended(bool)
        Whether there is a film.
    """

    ended = Signal(bool)

    def __init__(self, window: MainWindow, plan: FilmPlan, filmed: Filmed, target: Path) -> None:
        super().__init__(window)
        self.setWindowTitle(tr("film.title"))
        self._window, self._plan, self._filmed, self._target = window, plan, filmed, target
        self._job: Job | None = None
        self._is_over = False
        self.bar = QProgressBar()
        self.bar.setRange(0, PARTS)
        self.bar.setMinimumWidth(360)
        self.left = QLabel()
        self.left.setObjectName("soft")
        stop = say(QPushButton(), "film.stop")
        stop.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(self.left)
        row.addStretch(1)
        row.addWidget(stop)
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel(tr("film.making", name=target.name)))
        layout.addWidget(self.bar)
        layout.addLayout(row)
        window.installEventFilter(self)

    def start(self) -> None:
        """Film beside the window."""
        plan, filmed, target = self._plan, self._filmed, self._target
        title = tr("film.making", name=target.name)
        self._job = self._window.bench.jobs.submit(
            lambda feedback: film_apart(plan, filmed, target, feedback),
            title=title,
            shown=False,
            done=self._made,
            failed=self._failed,
        )
        self._job.progressed.connect(self._show_progress)

    def _show_progress(self) -> None:
        if self._job is not None and not self._is_over:
            self.bar.setValue(round(PARTS * self._job.fraction))
            seconds = self._job.remaining_s
            self.left.setText(tr("job.left", time=seconds_text(seconds)) if seconds is not None else "")

    def _made(self, _target: Path) -> None:
        if not self._is_over:
            self._end(True)
            self._window.bench.notices.tell("notice.film", name=self._target.name, frames=f"{self._plan.frames:,}")

    def _failed(self, error: BaseException) -> None:
        if not self._is_over:
            self._end(False)
            self._window.bench.notices.report(error)

    def reject(self) -> None:
        """Stop: nothing is left of the film."""
        if not self._is_over:
            self._end(False)
            self._window.bench.notices.tell("notice.film_stopped")

    def _end(self, made: bool) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._window.removeEventFilter(self)
        if self._job is not None and not self._job.is_over:
            self._job.cancel()
        self.hide()
        self.ended.emit(made)
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A window that is gone films no more."""
        if event.type() == QEvent.Type.Hide and not event.spontaneous():
            self._end(False)
        return super().eventFilter(watched, event)


def ask_film(window: MainWindow) -> FilmMaker | None:
    """Ask for a film and a file and begin; None when the user changed their mind."""
    day = window.timeline.day
    dialog = FilmDialog(
        title=window.document.name or "",
        day=QDate(day.year, day.month, day.day),
        minute=window.timeline.minute,
        parent=window,
    )
    if dialog.exec() != QDialog.DialogCode.Accepted:
        return None
    try:
        plan = dialog.plan()
    except UserError as error:
        window.bench.notices.report(error)
        return None
    kinds = f"{tr('film.files')} (*.mp4);;{tr('film.files')} (*.gif)"
    target = window.files.ask_file("action.film", kinds, suffix=".mp4")
    plain = dialog.plain.isChecked() and not dialog.films_wind
    return None if target is None else begin_film(window, plan, target, plain=plain)


def begin_film(window: MainWindow, plan: FilmPlan, target: Path, *, plain: bool) -> FilmMaker | None:
    """Film what the window shows, from where it shows it."""
    frame = window.document.scene.frame
    if frame is None:
        return None
    viewport = window.viewport
    filmed = Filmed(
        viewport.seen,
        frame,
        theme=window.bench.theme.name,
        view=viewport.camera,
        section=viewport.section_work.section,
    )
    maker = FilmMaker(window, plan, filmed.plain() if plain else filmed, target)
    maker.show()
    maker.start()
    return maker
