"""A picture of what the window shows, of any size: for a slide, a screen, or a page to be printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from app.awaited_picture import AwaitedPicture
from app.jobs import Job
from app.language import tr
from app.settings import PictureChoice, Settings
from app.widgets.quantity_edit import QuantityEdit
from app.widgets.wording import say, tie_labels
from geo.model import Feedback

if TYPE_CHECKING:
    from app.main_window import MainWindow

DPI = 300  # of the sizes of paper
MM_PER_INCH = 25.4
PAPER_MM = {"a4": (297, 210), "a3": (420, 297)}
SCREENS = {"hd": (1280, 720), "fullhd": (1920, 1080), "4k": (3840, 2160)}
WINDOW, CUSTOM = "window", "custom"
USUAL = "fullhd"
SMALLEST, LARGEST = 64, 7_680  # pixels of a side
KINDS = (".png", ".jpg")
JPEG_QUALITY = 92
DRAWN = 0.9  # share of the job that is drawing; the rest writes the file


def paper_size(name: str) -> tuple[int, int]:
    """Pixels of a landscape page at `DPI`."""
    width, height = PAPER_MM[name]
    return round(width / MM_PER_INCH * DPI), round(height / MM_PER_INCH * DPI)


class PictureDialog(QDialog):
    """How large a picture is, and whether legend, north arrow and scale are on it.

    Parameters
    ----------
    shown : QSize
        Of the view [pixels].
    settings : Settings
        Remember what was chosen.
    """

    def __init__(self, shown: QSize, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        say(self, "picture.title")
        self.shown, self._settings = shown, settings
        before = settings.picture
        self.size_ = QComboBox()
        for name in (WINDOW, *SCREENS, *PAPER_MM, CUSTOM):
            self.size_.addItem(tr(f"picture.size.{name}"), name)
        width, height = SCREENS[USUAL]
        self._own = (before.width, before.height)
        self.width_ = QuantityEdit(width, unit="px", low=SMALLEST, high=LARGEST, integer=True)
        self.height_ = QuantityEdit(height, unit="px", low=SMALLEST, high=LARGEST, integer=True)
        self.cards = say(QCheckBox(), "picture.cards", tip="picture.cards.tip")
        self.cards.setChecked(before.cards)
        self.printed = QLabel()
        self.printed.setObjectName("soft")
        self._lay_out()
        tie_labels(self)
        self.size_.currentIndexChanged.connect(lambda _index: self._follow())
        for edit in (self.width_, self.height_):
            edit.changed.connect(self._tell)
        self.size_.setCurrentIndex(max(self.size_.findData(before.size or USUAL), 0))
        self._follow()

    def _lay_out(self) -> None:
        form = QFormLayout()
        rows: tuple[tuple[str, QWidget], ...] = (
            ("picture.size", self.size_),
            ("film.width", self.width_),
            ("film.height", self.height_),
        )
        for text_id, widget in rows:
            form.addRow(say(QLabel(), text_id), widget)
        form.addRow("", self.printed)
        form.addRow("", self.cards)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        buttons.button(QDialogButtonBox.StandardButton.Save).setText(tr("picture.save"))
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(tr("dialog.cancel"))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(form)
        layout.addWidget(buttons)

    def _follow(self) -> None:
        """The numbers of the chosen size; they may be typed for an own one."""
        name = str(self.size_.currentData())
        own = name == CUSTOM
        self.width_.setEnabled(own)
        self.height_.setEnabled(own)
        if own:
            width, height = self._own if all(self._own) else self.chosen_size
        elif name == WINDOW:
            width, height = self.shown.width(), self.shown.height()
        else:
            width, height = SCREENS.get(name) or paper_size(name)
        self.width_.set_value(width)
        self.height_.set_value(height)
        self._tell()

    def _tell(self) -> None:
        """How large it is on paper."""
        cm = tuple(side / DPI * MM_PER_INCH / 10 for side in self.chosen_size)
        self.printed.setText(tr("picture.printed", width=f"{cm[0]:.1f}", height=f"{cm[1]:.1f}", dpi=DPI))

    @property
    def chosen_size(self) -> tuple[int, int]:
        """Width and height [pixels]."""
        return int(self.width_.value), int(self.height_.value)

    def accept(self) -> None:
        """Remember what was chosen."""
        name = str(self.size_.currentData())
        width, height = self.chosen_size if name == CUSTOM else self._own
        self._settings.picture = PictureChoice(name, width, height, cards=self.cards.isChecked())
        super().accept()


def ask_picture(window: MainWindow) -> None:
    """Ask for a size and a file, and write what the view shows."""
    viewport = window.viewport
    dialog = PictureDialog(viewport.size() * viewport.devicePixelRatioF(), window.settings, window)
    if dialog.exec() != QDialog.DialogCode.Accepted:
        return
    kinds = ";;".join(f"{tr('dialog.pictures')} (*{suffix})" for suffix in KINDS)
    path = window.files.ask_file("action.picture", kinds, suffix=KINDS[0])
    if path is None:
        return

    save_picture(window, path, dialog.chosen_size, cards=dialog.cards.isChecked())


def save_picture(window: MainWindow, path: Path, size: tuple[int, int], *, cards: bool) -> Job:
    """Draw what the view shows and write it, in one job."""
    picture = AwaitedPicture(window.viewport)

    def work(feedback: Feedback) -> bool:
        image = picture.wait(feedback.part(0.0, DRAWN))
        feedback.step(DRAWN, "writing")
        return write_picture(image, path)

    def tell(saved: bool) -> None:
        said, severity = ("notice.picture", "note") if saved else ("notice.picture_failed", "error")
        window.bench.notices.tell(said, severity=severity, name=path.name)

    job = window.bench.jobs.submit(work, title=tr("job.picture", name=path.name), done=tell)
    picture.begin(job, size, cards=cards)
    return job


def write_picture(image: QImage, path: Path) -> bool:
    """A picture as a file that prints at `DPI`; whether it was written."""
    per_metre = round(DPI / MM_PER_INCH * 1000)
    image.setDotsPerMeterX(per_metre)
    image.setDotsPerMeterY(per_metre)
    return image.save(str(path), quality=JPEG_QUALITY if path.suffix.lower() in (".jpg", ".jpeg") else -1)
