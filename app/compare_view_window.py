"""A window with two pictures: two alternatives or two results, side by side or swiped, one camera and one scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QComboBox,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import appearance
from app.compare_view import Side, figures_of, is_removed, layers_of_sides, run_of, side_title, sides_of
from app.compare_view_picture import PictureOfSide
from app.compare_view_scale import Known, same_scale
from app.connections import Connections
from app.language import language, tr
from app.run_texts import made_line, main_params, params_line
from app.theme import Theme
from app.view import camera as cameras
from app.view.legend import legend_for
from app.view.swipe import LinkedCameras, TwoPictures
from app.widgets.later import Later
from app.widgets.wording import retranslate, say
from geo.model import Layer

if TYPE_CHECKING:
    from app.main_window import MainWindow

SIZE, FIGURES_HEIGHT = (1180, 720), 170  # pixels
REST_MS = 150  # without a change of the document before the pictures follow
PICTURE_SIZE = QSize(2400, 1100)


class CompareWindow(QDialog):
    """Two pictures with linked cameras and the key figures of both below.

    Attributes
    ----------
    pictures : tuple of PictureOfSide
        Left and right.
    places : TwoPictures
        Where they stand.
    """

    def __init__(self, window: MainWindow, left: Side, right: Side) -> None:
        super().__init__(window)
        self.window_, self.bench, self.document = window, window.bench, window.document
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowFlags(Qt.WindowType.Window)
        self.setWindowIcon(appearance.program_icon())
        self.setObjectName("compare_window")
        say(self, "compare_view.title")
        self.sides = [left, right]
        self._known: Known = {}
        self._closed = self._aimed = False
        self.pictures = tuple(PictureOfSide(window, parent=self) for _ in range(2))
        self.places = TwoPictures(
            self.pictures[0].viewport, self.pictures[1].viewport, theme=self.bench.theme, parent=self
        )
        self.linked = LinkedCameras(self.pictures[0].viewport, self.pictures[1].viewport, self)
        self._build()
        self._connections = Connections()
        self._later = Later(self, self.refresh, after_ms=REST_MS)
        self._listen()
        self.refresh()

    # ---- making

    def _build(self) -> None:
        self.choices = (QComboBox(), QComboBox())
        self.notes = (QLabel(), QLabel())
        heads = QGridLayout()
        heads.setHorizontalSpacing(8)
        for column, (box, note) in enumerate(zip(self.choices, self.notes, strict=True)):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setObjectName(f"compare_side_{column}")
            box.activated.connect(lambda _index, side=column: self._chosen(side))
            note.setObjectName("soft")
            note.setMinimumWidth(80)
            heads.addWidget(box, 0, column)
            heads.addWidget(note, 1, column)
            heads.setColumnStretch(column, 1)
        self.table = QTableWidget()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().setVisible(False)
        self.table.setAlternatingRowColors(True)
        self.no_figures = say(QLabel(), "compare.empty")
        self.no_figures.setObjectName("soft")
        self.no_figures.setWordWrap(True)
        figures = QWidget()
        below = QVBoxLayout(figures)
        below.setContentsMargins(0, 0, 0, 0)
        below.addWidget(self.no_figures)
        below.addWidget(self.table, 1)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.addWidget(self.places)
        self.splitter.addWidget(figures)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setCollapsible(0, False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addLayout(self._bar())
        layout.addLayout(heads)
        layout.addWidget(self.splitter, 1)
        self.resize(*SIZE)
        self.splitter.setSizes([SIZE[1] - FIGURES_HEIGHT, FIGURES_HEIGHT])

    def _bar(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.beside = say(QToolButton(), "compare_view.beside", tip="compare_view.beside.tip")
        self.swipe = say(QToolButton(), "compare_view.swipe", tip="compare_view.swipe.tip")
        self._ways = QButtonGroup(self)
        for button in (self.beside, self.swipe):
            button.setObjectName("layout_button")
            button.setCheckable(True)
            self._ways.addButton(button)
            row.addWidget(button)
        self.beside.setChecked(True)
        self.swipe.toggled.connect(self.places.set_swiped)
        row.addStretch(1)
        for text, act in (
            ("compare_view.home", lambda: self.pictures[0].viewport.set_view("home")),
            ("compare_view.same_view", self.look_as_window),
            ("compare_view.change_sides", self.change_sides),
            ("compare_view.picture", self.ask_picture),
        ):
            button = say(QPushButton(), text, tip=f"{text}.tip")
            button.setAutoDefault(False)
            button.clicked.connect(act)
            row.addWidget(button)
        return row

    def _listen(self) -> None:
        scene = self.document.scene
        for signal in (scene.added, scene.removed, scene.changed):
            self._connections.add(signal, self._on_layer)
        self._connections.add(self.document.alternatives.changed, self._later.ask)
        self._connections.add(language.changed, self._on_language)
        bench = self.bench
        bench.stale_changed.connect(self._later.ask)
        bench.theme_changed.connect(self._on_theme)
        bench.sun_requested.connect(self._on_sun)
        bench.time_requested.connect(self._on_time)
        self.finished.connect(lambda _code: self.release())

    # ---- following

    def refresh(self) -> None:
        """Pictures, choices and figures for the document as it is."""
        if self._closed:
            return
        on_offer = sides_of(self.document)
        self.sides = [side if side in on_offer or not side.run else Side(side.alternative) for side in self.sides]
        self.sides = [side if side.run or not is_removed(self.document, side) else Side() for side in self.sides]
        found = layers_of_sides(self.document, self.sides[0], self.sides[1], self._known)
        right = self.pictures[1].viewport.cards
        right.has_legend = not same_scale(*(legend_for(layers) for layers in found))
        for picture, layers in zip(self.pictures, found, strict=True):
            picture.show_layers(layers)
        self._fill_choices(on_offer)
        self._fill_notes()
        self._fill_figures()

    def _fill_choices(self, on_offer: list[Side]) -> None:
        titles = [side_title(self.document, side) for side in on_offer]
        for box, side in zip(self.choices, self.sides, strict=True):
            box.clear()
            box.addItems(titles)
            box.setCurrentIndex(on_offer.index(side) if side in on_offer else -1)
            box.setToolTip(side_title(self.document, side))

    def _fill_notes(self) -> None:
        for note, side in zip(self.notes, self.sides, strict=True):
            run = run_of(self.document, side)
            parts = [params_line(run, main_params(run)), made_line(run)] if run is not None else []
            if run is not None and self.bench.stale.get(run.id):
                parts.insert(0, tr("compare_view.stale"))
            if is_removed(self.document, side):
                parts.insert(0, tr("compare_view.removed"))
            text = " · ".join(part for part in parts if part)
            note.setText(text or tr("compare_view.no_result"))
            note.setToolTip(note.text())

    def _fill_figures(self) -> None:
        heads, rows = figures_of(self.document, self.sides[0], self.sides[1], self.bench.stale)
        self.table.clear()
        self.table.setColumnCount(len(heads))
        self.table.setRowCount(len(rows))
        self.table.setHorizontalHeaderLabels(heads)
        for number, row in enumerate(rows):
            for column, text in enumerate(row):
                self.table.setItem(number, column, _cell(text, column))
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.setVisible(bool(rows))
        self.no_figures.setVisible(not rows)

    def _chosen(self, number: int) -> None:
        on_offer = sides_of(self.document)
        index = self.choices[number].currentIndex()
        if 0 <= index < len(on_offer):
            self.sides[number] = on_offer[index]
            self.refresh()

    def show_sides(self, left: Side, right: Side) -> None:
        """Show these two."""
        self.sides = [left, right]
        self.refresh()

    def change_sides(self) -> None:
        """What was left comes to the right."""
        self.show_sides(self.sides[1], self.sides[0])

    def _on_layer(self, _layer: Layer, _what: str = "") -> None:
        self._later.ask()

    def _on_theme(self, theme: Theme) -> None:
        for picture in self.pictures:
            picture.set_theme(theme)
        self.places.set_theme(theme)

    def _on_sun(self, sun: tuple[float, float] | None) -> None:
        for picture in self.pictures:
            picture.set_sun(sun)

    def _on_time(self, day: Any, minute: int) -> None:
        for picture in self.pictures:
            picture.viewport.set_time(day, minute)

    def _on_language(self, _code: str) -> None:
        retranslate(self)
        self.refresh()

    # ---- the view

    def showEvent(self, event: QShowEvent) -> None:
        """The first time: look as the window behind does."""
        super().showEvent(event)
        if not self._aimed:
            self._aimed = True
            self.layout().activate()
            self.look_as_window()

    def look_as_window(self) -> None:
        """The view of the main window, further away where half the width would cut it off at the sides."""
        behind, here = self.window_.viewport, self.pictures[0].viewport
        camera = behind.camera
        wide = behind.width() / max(behind.height(), 1)
        factor = max(wide / (here.width() / max(here.height(), 1)), 1.0)
        focus = camera.eye + camera.forward * camera.distance
        notches = math.log(factor) / math.log(cameras.ZOOM_NOTCH)
        section = behind.section_work.section
        for picture in self.pictures:
            picture.viewport.set_section(section)
        self.linked.look_from(cameras.zoom(camera, focus, notches=notches))

    def ask_picture(self) -> None:
        """Ask where to, and write both pictures as one."""
        settings = self.bench.settings
        wish = settings.folder / f"{tr('compare_view.title')}.png"
        name, _ = QFileDialog.getSaveFileName(self, tr("compare_view.picture"), str(wish), "PNG (*.png)")
        if name:
            self.places.grab_picture(PICTURE_SIZE).save(name)

    # ---- ending

    def release(self) -> None:
        """Let go of the document and of VTK."""
        if self._closed:
            return
        self._closed = True
        self._later.stop()
        self._connections.close()
        bench = self.bench
        bench.stale_changed.disconnect(self._later.ask)
        bench.theme_changed.disconnect(self._on_theme)
        bench.sun_requested.disconnect(self._on_sun)
        bench.time_requested.disconnect(self._on_time)
        for picture in self.pictures:
            picture.release()


def _cell(text: str, column: int) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
    item.setTextAlignment(Qt.AlignmentFlag.AlignVCenter | side)
    if column and "(" in text:
        font = QFont(item.font())
        font.setBold(True)
        item.setFont(font)
    return item
