"""Cameras: what the chosen one sees, live, with the bands of density; its model, angles and lens; what it covers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from analysis.cctv.cameras import Camera, presets_text, views_of
from analysis.cctv.catalogue import CameraModel
from analysis.cctv.classes import Edition, editions
from analysis.cctv.optics import half_fields
from app.cctv.bands import band_colours, banded, class_title, model_title, reach_text
from app.cctv.edit import CameraRow
from app.language import tr
from app.numbers import number_text
from app.panels.panel import Panel, scrolled
from app.widgets.camera_view import CameraView
from app.widgets.choice import fill_choice
from app.widgets.quantity_edit import QuantityEdit
from app.widgets.wording import say
from geo.model.conventions import CAMERA_STATES, MOUNTS

if TYPE_CHECKING:
    from app.view.eye import CameraPicture
    from app.workbench import Workbench

NUMBERS = {  # field -> unit, low, high, step
    "pan": ("deg", -360.0, 720.0, 5.0),
    "tilt": ("deg", -90.0, 90.0, 2.5),
    "focal": ("mm", 0.1, 1000.0, 0.5),
    "height": ("m", -200.0, 1000.0, 0.5),
    "roll": ("deg", -180.0, 180.0, 5.0),
}
GRID_COLUMNS = 3


class CameraPanel(Panel):
    """The chosen camera.

    Signals
    -------
    typed(object, str)
        The `CameraRow` with the one thing that was changed, and which; heights are told by `height_typed`.
    height_typed(float)
        Over the ground [m].
    edition_chosen(str), head_chosen(int)
    place_asked(), remove_asked(), fly_asked()
        Place another; delete it; look at it in the picture.
    """

    name = "camera"
    help_page = "cctv_window"

    typed = Signal(object, str)
    height_typed = Signal(float)
    edition_chosen = Signal(str)
    head_chosen = Signal(int)
    place_asked = Signal()
    remove_asked = Signal()
    fly_asked = Signal()

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.row: CameraRow | None = None
        self.camera: Camera | None = None
        self.edition: Edition = next(iter(editions().values()))
        self._picture: CameraPicture | None = None
        self._masks: Sequence[NDArray[np.float64]] = ()
        self.empty = say(QLabel(), "camera.empty")
        self.empty.setWordWrap(True)
        self.empty.setObjectName("soft")
        self.view = CameraView(bench.theme)
        self.bands = say(QCheckBox(), "camera.bands", tip="camera.bands.tip")
        self.bands.setChecked(True)
        self.bands.toggled.connect(lambda _on: self._paint())
        self.head_box, self.edition_box = QComboBox(), QComboBox()
        self.head_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.legend, self.sees = QLabel(), QLabel()
        for label in (self.legend, self.sees):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.RichText)
        self.name_edit = QLineEdit()
        self.model_box, self.state_box, self.mount_box = QComboBox(), QComboBox(), QComboBox()
        self.edits = {name: _edit(name) for name in NUMBERS}
        self.preset_button = say(QPushButton(), "camera.add_preset", tip="camera.add_preset.tip")
        self.place_button = say(QPushButton(), "camera.place", tip="camera.place.tip")
        self.place_button.setObjectName("primary")
        self.fly_button = say(QPushButton(), "camera.fly", tip="camera.fly.tip")
        self.remove_button = say(QPushButton(), "camera.remove", tip="camera.remove.tip")
        self._lay_out()
        self._connect()
        self.show_none()

    # ---- making

    def _lay_out(self) -> None:
        self.content = QWidget()
        column = QVBoxLayout(self.content)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(6)
        switches = QHBoxLayout()
        switches.addWidget(self.bands)
        switches.addStretch(1)
        switches.addWidget(self.head_box)
        switches.addWidget(self.edition_box)
        column.addWidget(self.view)
        column.addLayout(switches)
        column.addLayout(self._number_grid())
        column.addWidget(self.preset_button)
        column.addWidget(self.legend)
        column.addWidget(self.sees)
        self.form = QFormLayout()
        self.form.setHorizontalSpacing(8)
        self.form.setVerticalSpacing(4)
        rows: tuple[tuple[str, QWidget], ...] = (
            ("name", self.name_edit),
            ("model", self.model_box),
            ("mount", self.mount_box),
            ("state", self.state_box),
        )
        for name, widget in rows:
            label = say(QLabel(), f"camera.{name}", tip=f"camera.{name}.tip")
            label.setBuddy(widget)
            widget.setAccessibleName(tr(f"camera.{name}"))
            self.form.addRow(label, widget)
        column.addLayout(self.form)
        buttons = QHBoxLayout()
        buttons.addWidget(self.fly_button)
        buttons.addWidget(self.remove_button)
        column.addLayout(buttons)
        column.addStretch(1)
        self.area = scrolled(self.content)
        self.layout_.addWidget(self.empty)
        self.layout_.addWidget(self.place_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.layout_.addWidget(self.area, 1)
        self.layout_.addStretch(0)

    def _number_grid(self) -> QGridLayout:
        """Angles, lens and height, each under its name: the panel is narrow and not high."""
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(0)
        for place, (name, edit) in enumerate(self.edits.items()):
            row, column = divmod(place, GRID_COLUMNS)
            label = say(QLabel(), f"camera.{name}", tip=f"camera.{name}.tip")
            label.setObjectName("soft")
            label.setBuddy(edit)
            edit.spin_box.setMinimumWidth(60)
            edit.spin_box.setAccessibleName(tr(f"camera.{name}"))
            grid.addWidget(label, 2 * row, column)
            grid.addWidget(edit, 2 * row + 1, column)
            grid.setColumnStretch(column, 1)
        return grid

    def _connect(self) -> None:
        self.name_edit.editingFinished.connect(lambda: self._type("name", self.name_edit.text().strip()))
        self.model_box.activated.connect(lambda _i: self._type("model", str(self.model_box.currentData())))
        self.state_box.activated.connect(lambda _i: self._type("state", str(self.state_box.currentData())))
        self.mount_box.activated.connect(lambda _i: self._type("mount", str(self.mount_box.currentData())))
        for name, edit in self.edits.items():
            edit.changed.connect(lambda n=name: self._on_number(n))
        self.head_box.activated.connect(self.head_chosen)
        self.edition_box.activated.connect(lambda _i: self.edition_chosen.emit(str(self.edition_box.currentData())))
        self.preset_button.clicked.connect(self._add_preset)
        self.place_button.clicked.connect(self.place_asked)
        self.fly_button.clicked.connect(self.fly_asked)
        self.remove_button.clicked.connect(self.remove_asked)

    # ---- showing

    def show_none(self, text_id: str = "camera.empty") -> None:
        """No camera is chosen."""
        self.row = self.camera = self._picture = None
        say(self.empty, text_id)
        self.empty.show()
        self.place_button.show()
        self.area.hide()

    def show_camera(
        self,
        row: CameraRow,
        camera: Camera | None,
        *,
        models: Mapping[str, CameraModel],
        height: float | None,
        editable: bool,
    ) -> None:
        """The numbers of a camera; `camera` is None where no catalogue has its model."""
        if self.row is None or row.id != self.row.id:
            self._picture, self._masks = None, ()
            self.view.show_picture(None)
        self.row, self.camera = row, camera
        self.empty.hide()
        self.place_button.hide()
        self.area.show()
        widgets = (self.name_edit, self.model_box, self.state_box, self.mount_box, *self.edits.values())
        for widget in widgets:
            widget.setEnabled(editable)
        self.remove_button.setEnabled(editable)
        if not self.name_edit.hasFocus() or self.name_edit.text() != row.name:
            self.name_edit.setText(row.name)
        fill_choice(self.model_box, [(model_title(model), key) for key, model in models.items()], row.model)
        fill_choice(self.state_box, [(tr(f"camera.state.{s}"), s) for s in CAMERA_STATES], row.state)
        fill_choice(self.mount_box, [(tr(f"camera.mount.{m}"), m) for m in MOUNTS], row.mount)
        self._show_numbers(row, height)
        self._show_lens(editable)
        self._show_heads()
        self.view.say("" if camera is not None else tr("camera.no_model", model=row.model or "–"))
        self.show_legend()

    def _show_numbers(self, row: CameraRow, height: float | None) -> None:
        values = {"pan": row.pan, "tilt": row.tilt, "roll": row.roll, "focal": row.focal, "height": height}
        for name, value in values.items():
            edit = self.edits[name]
            with QSignalBlocker(edit), QSignalBlocker(edit.spin_box):
                if value is not None:
                    edit.set_value(value)
        self.edits["height"].setEnabled(height is not None and self.edits["pan"].isEnabled())

    def _show_lens(self, editable: bool) -> None:
        model = self.camera.model if self.camera is not None else None
        box = self.edits["focal"].spin_box
        with QSignalBlocker(box), QSignalBlocker(self.edits["focal"]):
            if model is not None:
                box.setRange(model.focal_min_mm, model.focal_max_mm)  # type: ignore[arg-type]
        self.edits["focal"].setEnabled(editable and model is not None and model.focal_max_mm > model.focal_min_mm)
        self.preset_button.setVisible(editable and model is not None and model.kind == "ptz")

    def _show_heads(self) -> None:
        camera = self.camera
        names: list[tuple[str, int]] = []
        if camera is not None:
            heads = max(len(camera.model.heads), 1)
            names = [(tr("camera.head", number=k + 1), k) for k in range(heads)]
            names += [(tr("camera.preset", number=k + 1), heads + k) for k in range(len(camera.presets))]
        fill_choice(self.head_box, names, self.head_box.currentData() if self.head_box.count() == len(names) else 0)
        self.head_box.setVisible(len(names) > 1)

    def show_legend(self) -> None:
        """The classes of the edition and how far each reaches."""
        chosen = [(str(one.year), key) for key, one in editions().items()]
        fill_choice(self.edition_box, chosen, self.edition.id)
        self.edition_box.setToolTip(tr("camera.edition.tip"))
        view = views_of(self.camera)[0] if self.camera is not None else None
        reach = self.camera.model.reach_m if self.camera is not None else 0.0
        parts = []
        for one, colour in zip(self.edition.classes, band_colours(self.edition), strict=True):
            far = f" ≤ {reach_text(min(view.focal_px / one.px_per_m, reach))}" if view is not None else ""
            shade = "#{:02x}{:02x}{:02x}".format(*colour)
            parts.append(f'<span style="color:{shade}">■</span> {class_title(one.id)}{far}')
        self.legend.setText(" &nbsp; ".join(f"<nobr>{part}</nobr>" for part in parts))
        self.legend.setToolTip(tr("camera.legend.tip", edition=self.edition.title))
        if view is not None:
            wide, high = (2 * half for half in half_fields(view))
            self.edits["focal"].setToolTip(tr("camera.field", wide=f"{wide:.1f}", high=f"{high:.1f}"))

    def show_sees(self, areas: Sequence[float], *, targets: str = "") -> None:
        """Ground in sight [m2] at each class or better, and a line about the targets."""
        total = sum(areas)
        lines = [tr("camera.sees", area=number_text(round(total)))]
        finer = 0.0
        parts = []
        for one, area in zip(reversed(self.edition.classes), reversed(list(areas)), strict=True):
            finer += area
            if finer > 0.5:
                parts.append(f"{class_title(one.id)} {number_text(round(finer))} m²")
        lines += [" · ".join(reversed(parts))] if parts else []
        self.sees.setText("<br>".join([*lines, *([targets] if targets else [])]))

    def show_picture(self, picture: CameraPicture, masks: Sequence[NDArray[np.float64]] = ()) -> None:
        """What the camera sees now; outlines (k, 2) in shares of the picture."""
        self._picture, self._masks = picture, masks
        self._paint()

    def _paint(self) -> None:
        picture = self._picture
        if picture is None:
            return
        pixels = picture.pixels
        if self.bands.isChecked():
            pixels = banded(pixels, picture.density, self.edition, band_colours(self.edition))
        self.view.say("")
        self.view.show_picture(pixels, self._masks)

    def set_edition(self, edition: Edition) -> None:
        """Count by the classes of another edition."""
        self.edition = edition
        self.show_legend()
        self._paint()

    # ---- typing

    def _on_number(self, name: str) -> None:
        value = float(self.edits[name].value)
        if name == "height":
            self.height_typed.emit(value)
        else:
            self._type(name, value % 360.0 if name == "pan" else value)

    def _type(self, name: str, value: float | str) -> None:
        row = self.row
        if row is not None and value != "" and getattr(row, name) != value:
            self.typed.emit(dataclasses.replace(row, **{name: value}), name)  # type: ignore[arg-type]

    def _add_preset(self) -> None:
        row, camera = self.row, self.camera
        if row is not None and camera is not None:
            text = presets_text([*camera.presets, (row.pan, row.tilt, row.focal)])
            self._type("presets", text)

    def refresh_words(self) -> None:
        """In the current language."""
        self.show_legend()

    def refresh_theme(self) -> None:
        """In the colours of the theme."""
        self.view.theme = self.bench.theme


def _edit(name: str) -> QuantityEdit:
    unit, low, high, step = NUMBERS[name]
    edit = QuantityEdit(max(low, 0.1), unit=unit, low=low, high=high, integer=False)
    edit.spin_box.setSingleStep(step)  # type: ignore[arg-type]
    edit.setObjectName(f"camera_{name}")
    if name == "pan":
        edit.spin_box.setWrapping(True)
        edit.spin_box.setRange(0.0, 360.0)  # type: ignore[arg-type]
    return edit
