"""Settings: language, look, how much of the machine is taken, copies on the disk. Each holds at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from analysis.threads import processors
from app.language import LANGUAGES, tr
from app.layer_cache import USUAL_LIMIT_GB, cache_folder, cache_size, clear_cache
from app.numbers import number_text, unit_suffix
from app.settings import QUALITIES, THEMES
from app.widgets.edge import off_the_edge
from app.widgets.elided_label import ElidedLabel
from app.widgets.wording import retranslate, say, tie_labels

if TYPE_CHECKING:
    from app.main_window import MainWindow

MOST_GB, MOST_MINUTES = 500, 60
MEGABYTE = 1 << 20


class SettingsDialog(QDialog):
    """The settings of the program."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.setObjectName("settings_dialog")
        self.window_, self.settings = window, window.settings
        layout = QVBoxLayout(self)
        layout.addWidget(self._look())
        layout.addWidget(self._work())
        layout.addWidget(self._cache())
        box = QDialogButtonBox()
        close = say(QPushButton(), "dialog.close")
        close.clicked.connect(self.accept)
        box.addButton(close, QDialogButtonBox.ButtonRole.AcceptRole)
        layout.addWidget(box)
        tie_labels(self)
        self._refresh()

    # ---- look

    def _look(self) -> QGroupBox:
        group, form = _group("settings.look")
        self.language = self._choice(
            [(code, f"settings.language.{code}") for code in LANGUAGES], self.settings.language, self._set_language
        )
        self.theme = self._choice(
            [(name, f"action.theme_{name}") for name in THEMES], self.settings.theme, self.window_.bench.set_theme
        )
        self.quality = self._choice(
            [(name, f"action.quality_{name}") for name in QUALITIES], self.settings.quality, self.window_.set_quality
        )
        for text_id, widget in (
            ("settings.language", self.language), ("menu.theme", self.theme), ("menu.quality", self.quality)
        ):  # fmt: skip
            form.addRow(say(QLabel(), text_id), widget)
        return group

    def _choice(self, items: list[tuple[str, str]], current: str, on_chosen: object) -> QComboBox:
        box = QComboBox()
        for value, text_id in items:
            box.addItem(tr(text_id), (value, text_id))
        box.setCurrentIndex(next((k for k, (value, _) in enumerate(items) if value == current), 0))
        box.activated.connect(lambda index: on_chosen(box.itemData(index)[0]))  # type: ignore[operator]
        return box

    def _set_language(self, code: str) -> None:
        self.window_.set_language(code)
        retranslate(self)
        self._refresh()

    # ---- work

    def _work(self) -> QGroupBox:
        group, form = _group("settings.work")
        self.threads = off_the_edge(QSpinBox())
        self.threads.setRange(0, processors())
        self.threads.setValue(self.settings.threads)
        self.threads.valueChanged.connect(self._set_threads)
        self.autosave = off_the_edge(QSpinBox())
        self.autosave.setRange(1, MOST_MINUTES)
        self.autosave.setValue(self.settings.autosave_minutes)
        self.autosave.valueChanged.connect(self._set_autosave)
        self.author = QLineEdit(self.settings.author)
        self.author.editingFinished.connect(self._set_author)
        form.addRow(say(QLabel(), "settings.threads"), self.threads)
        form.addRow(say(QLabel(), "settings.autosave"), self.autosave)
        form.addRow(say(QLabel(), "settings.author"), self.author)
        return group

    def _set_threads(self, count: int) -> None:
        self.settings.threads = count
        self.settings.apply()

    def _set_autosave(self, minutes: int) -> None:
        self.settings.autosave_minutes = minutes
        self.window_.bench.restart_autosave()

    def _set_author(self) -> None:
        self.settings.author = self.author.text().strip()

    # ---- copies on the disk

    def _cache(self) -> QGroupBox:
        group, form = _group("settings.cache")
        self.limit = off_the_edge(QSpinBox())
        self.limit.setRange(0, MOST_GB)
        self.limit.setSuffix(" GB")
        self.limit.setValue(self.settings.cache_limit)
        self.limit.valueChanged.connect(self._set_limit)
        self.place, self.used = ElidedLabel(mode=Qt.TextElideMode.ElideMiddle), QLabel()
        self.used.setObjectName("soft")
        self.move_button = say(QPushButton(), "settings.cache.move")
        self.move_button.clicked.connect(self.ask_folder)
        self.clear_button = say(QPushButton(), "settings.cache.clear")
        self.clear_button.clicked.connect(self.clear)
        row = QHBoxLayout()
        for widget in (self.used, self.move_button, self.clear_button):
            row.addWidget(widget, 1 if widget is self.used else 0)
        form.addRow(say(QLabel(), "settings.cache.place"), self.place)
        form.addRow(say(QLabel(), "settings.cache.limit"), self.limit)
        form.addRow(_of(row))
        return group

    def _set_limit(self, gigabytes: int) -> None:
        self.settings.cache_limit = gigabytes
        self.settings.apply()

    def ask_folder(self) -> None:
        """Another place for the copies; those there are stay where they lie."""
        chosen = QFileDialog.getExistingDirectory(self, tr("settings.cache.move"), str(cache_folder()))
        if chosen:
            self.settings.cache_folder = Path(chosen)
            self.settings.apply()
            self._refresh()

    def clear(self) -> None:
        """Throw the copies away: files are read anew when they are needed."""
        freed = clear_cache()
        self.window_.bench.notices.tell("notice.cache_cleared", size=number_text(round(freed / MEGABYTE)))
        self._refresh()

    def _refresh(self) -> None:
        self.setWindowTitle(tr("action.settings").rstrip("…"))
        self.autosave.setSuffix(unit_suffix("min"))
        self.threads.setSpecialValueText(tr("settings.threads.all", count=processors()))
        self.limit.setSpecialValueText(tr("settings.cache.usual", size=USUAL_LIMIT_GB))
        self.place.setText(str(cache_folder()))
        self.used.setText(tr("settings.cache.used", size=number_text(round(cache_size() / MEGABYTE))))
        for box in (self.language, self.theme, self.quality):
            for index in range(box.count()):
                box.setItemText(index, tr(box.itemData(index)[1]))


def ask_settings(window: MainWindow) -> None:
    """Open the settings."""
    dialog = SettingsDialog(window)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()


def _group(text_id: str) -> tuple[QGroupBox, QFormLayout]:
    group = say(QGroupBox(), text_id)
    return group, QFormLayout(group)


def _of(row: QHBoxLayout) -> QWidget:
    out = QWidget()
    row.setContentsMargins(0, 0, 0, 0)
    out.setLayout(row)
    return out
