"""The x-ray of a window: it follows the view or the pointer, and a card in the picture changes its size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSlider, QToolButton, QVBoxLayout, QWidget

from app.language import language, tr
from app.numbers import number_text
from app.theme import Theme
from app.view.camera import Camera
from app.view.furniture import CARD_MARGIN, COMPASS_SIZE
from app.view.overlay import paint_card
from app.view.stage import Stage
from app.view.xray import LARGEST, SMALLEST, XRay

Vector = NDArray[np.float64]
SHARE_OF_VIEW = 0.36  # of the height of the picture that the hole's radius takes until the user chooses one
SLIDER_STEPS = 100
CARD_SIZE = QSize(228, 74)
LEVEL = -0.05  # upward part of a direction above which a line of sight meets no ground near by


class XRayWork(QObject):
    """Keeps the hole of a stage in step with camera, pointer and card.

    Signals
    -------
    changed(object)
        The `XRay`, or None.
    """

    changed = Signal(object)

    def __init__(
        self,
        stage: Stage,
        picture: QWidget,
        *,
        camera: Callable[[], Camera],
        redraw: Callable[[], None],
        theme: Theme,
    ) -> None:
        super().__init__(picture)
        self.xray: XRay | None = None
        self.follows_pointer = False
        self._radius: float | None = None
        self._stage, self._camera, self._redraw = stage, camera, redraw
        self._pointer: Vector | None = None
        self.card = XRayCard(theme, picture)
        self.card.slider.valueChanged.connect(self._on_slider)
        self.card.pointer.toggled.connect(self._on_follow)
        self.card.close_button.clicked.connect(lambda: self.set(None))

    def toggle(self) -> None:
        """Open the hole in the middle of the view, or close it."""
        self.set(None if self.xray is not None else self._wanted())

    def set(self, xray: XRay | None) -> None:
        """Open this hole, or none."""
        if xray == self.xray:
            return
        self.xray = xray
        self._stage.set_xray(xray)
        self.card.setVisible(xray is not None)
        if xray is None:
            self._radius, self._pointer = None, None
        else:
            self.card.show_radius(xray.outer)
            self.card.place()
        self._redraw()
        self.changed.emit(xray)

    def set_radius(self, outer: float) -> None:
        """Another size of the hole [m]; from now on it stays."""
        self._radius = min(max(outer, SMALLEST), LARGEST)
        if self.xray is not None:
            self.set(XRay.of_radius(self.xray.focus, self._radius))

    def follow(self) -> None:
        """The camera has moved."""
        if self.xray is not None:
            wanted = self._wanted()
            moved = np.hypot(*np.subtract(wanted.focus, self.xray.focus))
            if moved > 0.02 * wanted.outer or abs(wanted.outer / self.xray.outer - 1.0) > 0.02:
                self.set(wanted)

    def point_at(self, origin: Vector, direction: Vector) -> None:
        """The pointer rests on this line of sight."""
        if self.xray is not None and self.follows_pointer:
            self._pointer = self._on_ground(origin, direction)
            self.follow()

    def set_theme(self, theme: Theme) -> None:
        """Change the palette."""
        self.card.theme = theme
        self.card.update()

    def _wanted(self) -> XRay:
        camera = self._camera()
        focus = self._pointer if self.follows_pointer and self._pointer is not None else None
        if focus is None:
            focus = self._on_ground(camera.eye, camera.forward)
        radius = self._radius
        if radius is None:
            tall = camera.parallel_height or 2 * camera.distance * np.tan(np.radians(camera.fov) / 2)
            radius = SHARE_OF_VIEW * float(tall)
        return XRay.of_radius((float(focus[0]), float(focus[1])), radius)

    def _on_ground(self, origin: Vector, direction: Vector) -> Vector:
        """Where a line of sight meets the level of the ground; the focus of the view where it does not."""
        focus = np.array(self._camera().focus)
        level = self._stage.ground_level(float(focus[0]), float(focus[1]))
        if direction[2] > LEVEL or origin[2] < level:
            return focus
        return np.asarray(origin + direction * ((level - origin[2]) / direction[2]))

    def _on_slider(self, step: int) -> None:
        self.set_radius(radius_of(step))

    def _on_follow(self, pointer: bool) -> None:
        self.follows_pointer, self._pointer = pointer, None
        self.follow()


def radius_of(step: int) -> float:
    """Radius of a place on the slider [m]: each step is the same factor."""
    return float(SMALLEST * (LARGEST / SMALLEST) ** (step / SLIDER_STEPS))


def step_of(radius: float) -> int:
    """Place on the slider of a radius [m]."""
    return round(SLIDER_STEPS * float(np.log(radius / SMALLEST) / np.log(LARGEST / SMALLEST)))


class XRayCard(QWidget):
    """Size of the hole, and whether it follows the pointer."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setObjectName("xray_card")
        self.title = QLabel(self)
        self.close_button = QToolButton(self)
        self.close_button.setText("×")
        self.close_button.setAutoRaise(True)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, SLIDER_STEPS)
        self.pointer = QCheckBox(self)
        for widget in (self.close_button, self.slider, self.pointer):
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        top = QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.close_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 6, 8, 8)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.slider)
        layout.addWidget(self.pointer)
        self._radius = 0.0
        self.resize(CARD_SIZE)
        self.hide()
        language.changed.connect(self._on_language)
        self.refresh_words()

    def _on_language(self, _code: str) -> None:
        self.refresh_words()

    def forget(self) -> None:
        """Listen no more."""
        language.changed.disconnect(self._on_language)

    def refresh_words(self) -> None:
        """Texts in the current language."""
        self.title.setText(tr("view.xray.radius", "X-ray · radius {radius} m", radius=number_text(self._radius)))
        self.pointer.setText(tr("view.xray.pointer", "follows the pointer"))
        self.slider.setAccessibleName(tr("view.xray.size", "Size of the hole"))
        self.close_button.setToolTip(tr("view.xray.close", "Close the hole (X)"))

    def show_radius(self, radius: float) -> None:
        """Say how large the hole is, without telling anyone."""
        self._radius = float(round(radius)) if radius >= 10 else radius
        before = self.slider.blockSignals(True)
        self.slider.setValue(step_of(radius))
        self.slider.blockSignals(before)
        self.refresh_words()

    def place(self) -> None:
        """Beside the compass."""
        parent = self.parentWidget()
        height = self.sizeHint().height()
        self.setGeometry(
            max(parent.width() - 2 * CARD_MARGIN - COMPASS_SIZE - CARD_SIZE.width(), 4),
            CARD_MARGIN,
            CARD_SIZE.width(),
            max(height, CARD_SIZE.height()),
        )
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The plate."""
        painter = QPainter(self)
        painter.setPen(QColor(self.theme["ink"]))
        paint_card(painter, self.rect().toRectF(), self.theme)
        painter.end()
