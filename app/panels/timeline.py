"""Timeline: date and time of day, and the sun that follows them while the slider is dragged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QDate, QTime, QTimer
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDateEdit,
    QHBoxLayout,
    QLabel,
    QMenu,
    QTimeEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from analysis.kernels.seasons import Season, season_days
from analysis.kernels.sun import SunDay, sun_day, sun_position, utc_offset_of
from app.appearance import set_icon
from app.language import tr
from app.panels.panel import Panel, small_button
from app.widgets.day_slider import DAYS, MINUTES, DaySlider
from app.widgets.edge import off_the_edge
from app.widgets.wording import say
from geo.model import Feedback, Frame, Layer

if TYPE_CHECKING:
    from app.workbench import Workbench

PLAY_MS = 80
PLAY_STEP_MIN = 5
DAY_MIN = 24 * 60
SPEEDS_MIN = (1, 2, 5, 15, 30, DAY_MIN, 7 * DAY_MIN)  # minutes for each picture while it plays
START_MINUTE = 14 * 60 + 30
KST_HOURS = 9.0


@dataclass(frozen=True)
class SunTable:
    """The sun at each minute of a local day. azimuth [degrees from true north], elevation [degrees, apparent].

    `seasons`: the days of the solstices and equinoxes of its year.
    """

    day: date
    azimuth: NDArray[np.float64]
    elevation: NDArray[np.float64]
    events: SunDay
    offset_h: float
    seasons: dict[Season, date]


def sun_table(day: date, longitude: float, latitude: float) -> SunTable:
    """Compute the table; a few hundredths of a second once pvlib is loaded, a second or two the first time."""
    offset_h = utc_offset_of(longitude, latitude)
    midnight = np.datetime64(day, "ms") - np.timedelta64(round(offset_h * 3_600_000), "ms")
    times = midnight + np.arange(MINUTES) * np.timedelta64(60_000, "ms")
    position = sun_position(times, longitude, latitude)
    events = sun_day(day, longitude, latitude, utc_offset_h=offset_h)
    seasons = season_days(day.year, offset_h)
    return SunTable(day, position.azimuth, position.apparent_elevation, events, offset_h, seasons)


class TimelinePanel(Panel):
    """Date, time, play, and what the sun does then."""

    name = "timeline"
    help_page = "timeline"

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.table: SunTable | None = None
        self._wanted: tuple[date, float, float] | None = None
        self._build()
        self.play_timer = QTimer(self)
        self.play_timer.setInterval(PLAY_MS)
        self.play_timer.timeout.connect(self._advance)
        self.connections.add(self.document.scene.framed, self._on_framed)
        self.connections.add(self.document.scene.removed, self._on_removed)
        self.set_minute(START_MINUTE)
        self._ask_table()

    def _build(self) -> None:
        self.play_button = small_button("play", "timeline.play")
        self.play_button.setCheckable(True)
        self.play_button.toggled.connect(self.set_playing)
        self.speed = say(QComboBox(), tip="timeline.speed")
        for minutes in SPEEDS_MIN:
            self.speed.addItem(speed_text(minutes), minutes)
        self.speed.setCurrentIndex(SPEEDS_MIN.index(PLAY_STEP_MIN))
        self.season_menu = QMenu(self)
        self.season_menu.aboutToShow.connect(self._fill_seasons)
        self.season_button = small_button("sun", "timeline.seasons")
        self.season_button.setMenu(self.season_menu)
        self.season_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.season_text = QLabel()
        self.season_text.setObjectName("strong")
        self.date_edit = off_the_edge(QDateEdit(QDate.currentDate()))
        self.date_edit.setDateRange(*DAYS)
        self.date_edit.setCalendarPopup(True)
        self.date_edit.setDisplayFormat("yyyy-MM-dd")
        self.date_edit.dateChanged.connect(lambda _date: self._on_day())
        self.time_edit = off_the_edge(QTimeEdit())
        self.time_edit.setDisplayFormat("HH:mm")
        self.time_edit.timeChanged.connect(lambda time: self.set_minute(time.hour() * 60 + time.minute()))
        self.slider = say(DaySlider(self.bench.theme), tip="timeline.slider")
        self.slider.valueChanged.connect(self._on_minute)
        self.shadow = say(QCheckBox(), "timeline.shadow", tip="timeline.shadow.tip")
        self.shadow.setChecked(True)
        self.shadow.toggled.connect(lambda _on: self._send_sun())
        self.zone = QLabel()
        self.zone.setObjectName("soft")
        self.zone.setContentsMargins(3, 0, 8, 0)
        self.sun_text = QLabel()
        self.day_text = QLabel()
        self.day_text.setObjectName("soft")
        top = QHBoxLayout()
        for widget in (self.play_button, self.speed, self.date_edit, self.season_button, self.time_edit, self.zone):
            top.addWidget(widget)
        for widget in (self.season_text, self.sun_text, self.day_text):
            top.addWidget(widget)
        top.addStretch(1)
        top.addWidget(self.shadow)
        rows = QVBoxLayout()
        rows.setSpacing(2)
        rows.addLayout(top)
        rows.addWidget(self.slider, 1)
        self.layout_.setContentsMargins(8, 6, 8, 2)
        self.layout_.addLayout(rows)

    # ---- time ---------------------------------------------------------------------------------------------------

    @property
    def day(self) -> date:
        """The date on show."""
        chosen = self.date_edit.date()
        return date(chosen.year(), chosen.month(), chosen.day())

    @property
    def minute(self) -> int:
        """Minutes since local midnight."""
        return self.slider.value()

    def set_day(self, day: date) -> None:
        """Go to a date."""
        self.date_edit.setDate(QDate(day.year, day.month, day.day))

    def set_minute(self, minute: int) -> None:
        """Go to a time of day."""
        self.slider.setValue(minute)

    def _on_minute(self, minute: int) -> None:
        self.time_edit.blockSignals(True)
        self.time_edit.setTime(QTime(minute // 60, minute % 60))
        self.time_edit.blockSignals(False)
        self._write()
        self._send_sun()
        self.bench.time_requested.emit(self.day, minute)

    def _on_day(self) -> None:
        self._ask_table()
        self.bench.time_requested.emit(self.day, self.minute)

    def step(self, minutes: int) -> None:
        """Go on or back within the day."""
        self.set_minute(min(max(self.minute + minutes, 0), MINUTES - 1))

    def _fill_seasons(self) -> None:
        """The solstices and equinoxes of the year on show."""
        self.season_menu.clear()
        for season, day in (self.table.seasons if self.table is not None else {}).items():
            action = self.season_menu.addAction(tr(f"timeline.season.{season}", day=f"{day:%m-%d}"))
            action.triggered.connect(lambda _checked=False, d=day: self.set_day(d))

    def set_playing(self, playing: bool) -> None:
        """Let the time run, or stop it."""
        self.play_button.setChecked(playing)
        set_icon(self.play_button, "pause" if playing else "play")
        if playing:
            self.play_timer.start()
        else:
            self.play_timer.stop()

    def _advance(self) -> None:
        """One step on: whole days at the same hour, else in the day; nights are passed over."""
        step = int(self.speed.currentData())
        if step >= DAY_MIN:
            self.set_day(self.day + timedelta(minutes=step))
            return
        minute = self.minute + step
        if minute >= MINUTES:
            self.set_day(self.day + timedelta(days=1))
            minute = 0
        if self.table is not None and self.table.elevation[minute] <= 0:
            later = np.flatnonzero(self.table.elevation[minute:] > 0)
            minute = minute + int(later[0]) if later.size else (MINUTES - 1 if minute < MINUTES - 1 else 0)
        self.set_minute(min(minute, MINUTES - 1))

    # ---- the sun ------------------------------------------------------------------------------------------------

    def _on_framed(self, _frame: Frame) -> None:
        self._ask_table()

    def _on_removed(self, _layer: Layer) -> None:
        if len(self.document.scene) == 0:
            self._ask_table()

    def _ask_table(self) -> None:
        """Compute the day's table beside the window."""
        frame = self.document.scene.frame
        self.setEnabled(frame is not None)
        if frame is None:
            self._wanted, self.table = None, None
            self.set_playing(False)
            self._show_table()
            return
        wanted = (self.day, frame.longitude, frame.latitude)
        if wanted == self._wanted:
            return
        self._wanted = wanted

        def work(feedback: Feedback) -> SunTable:
            feedback.step(0.0)
            return sun_table(*wanted)

        self.bench.jobs.submit(work, title=tr("job.sun"), key="sun table", shown=False, done=self._take_table)

    def _take_table(self, table: SunTable) -> None:
        self.table = table
        self._show_table()

    def _show_table(self) -> None:
        self.slider.set_elevation(self.table.elevation if self.table is not None else None)
        self._write()
        self._send_sun()

    def sun(self) -> tuple[float, float] | None:
        """True azimuth and elevation now [degrees]; None when unknown, below the horizon or switched off."""
        if self.table is None or not self.shadow.isChecked():
            return None
        azimuth, elevation = float(self.table.azimuth[self.minute]), float(self.table.elevation[self.minute])
        return (azimuth, elevation) if elevation > 0 else None

    def _send_sun(self) -> None:
        self.bench.sun_requested.emit(self.sun())

    def _write(self) -> None:
        if self.table is None:
            for label in (self.zone, self.season_text, self.sun_text, self.day_text):
                label.setText("")
            return
        table, minute = self.table, self.minute
        self.zone.setText(zone_text(table.offset_h))
        self.sun_text.setText(
            tr(
                "timeline.sun",
                azimuth=f"{table.azimuth[minute]:.1f}",
                altitude=f"{table.elevation[minute]:.1f}",
            )
        )
        season = next((name for name, day in table.seasons.items() if day == table.day), "")
        self.season_text.setText(tr(f"timeline.season.{season}", day="").strip() if season else "")
        rise, fall = (clock_text(instant, table) for instant in (table.events.sunrise, table.events.sunset))
        self.day_text.setText(tr("timeline.day", sunrise=rise, sunset=fall))

    def refresh_words(self) -> None:
        """In the current language."""
        for row, minutes in enumerate(SPEEDS_MIN):
            self.speed.setItemText(row, speed_text(minutes))
        self._write()

    def refresh_theme(self) -> None:
        """Colours of the slider."""
        self.slider.set_theme(self.bench.theme)

    def release(self) -> None:
        """Stop the play timer as well."""
        self.play_timer.stop()
        super().release()


def speed_text(minutes: int) -> str:
    """Minutes or days for each picture."""
    days = minutes // DAY_MIN
    return tr("timeline.days", count=days) if days else tr("timeline.minutes", count=minutes)


def zone_text(offset_h: float) -> str:
    """``KST`` or ``UTC+1``."""
    return "KST" if offset_h == KST_HOURS else f"UTC{offset_h:+g}"


def clock_text(instant: np.datetime64 | None, table: SunTable) -> str:
    """Local clock time of an instant."""
    if instant is None:
        return "–"
    local = instant + np.timedelta64(round(table.offset_h * 3600), "s")
    minutes = round(float((local - np.datetime64(table.day)) / np.timedelta64(1, "m"))) % MINUTES
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
