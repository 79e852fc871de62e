"""The section of a window: cut at once by planes, cut faces made beside the window as soon as the section rests."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from app.look import NO_SECTION, Section
from app.view.cutting import Cap, build_caps
from app.view.picking import Submit
from app.view.stage import Stage
from geo.model import Layer

REST_MS = 120  # without a change of the section before its cut faces are worked out


class SectionWork(QObject):
    """Keeps the section of a stage and its cut faces in step with the layers.

    Signals
    -------
    changed(Section)
        Another section, or none.
    """

    changed = Signal(object)

    def __init__(
        self,
        stage: Stage,
        submit: Submit,
        *,
        layers: Callable[[], tuple[Layer, ...]],
        redraw: Callable[[], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.section = NO_SECTION
        self.caps: tuple[Cap, ...] = ()
        self._stage, self._submit, self._layers, self._redraw = stage, submit, layers, redraw
        self._key: tuple[object, ...] = ()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(self._build)

    @property
    def resting(self) -> bool:
        """Whether the cut faces of the section are there."""
        return not self._timer.isActive() and (not self.section.is_open or self._key == self._key_now())

    def set(self, section: Section) -> None:
        """Cut the scene like this from now on."""
        if section == self.section:
            return
        self.section, self.caps, self._key = section, (), ()
        self._stage.set_section(section)
        self._redraw()
        self.refresh()
        self.changed.emit(section)

    def refresh(self) -> None:
        """The section or the layers have changed."""
        if self.section.is_open:
            self._timer.start()

    def close(self) -> None:
        """Work no more."""
        self._timer.stop()
        self.section = NO_SECTION

    def _key_now(self) -> tuple[object, ...]:
        shown = (
            (layer.id, id(layer.geometry), id(layer.table), layer.style.visible, layer.style.hidden)
            for layer in self._layers()
        )
        return (self.section, *shown)

    def _build(self) -> None:
        key, section, layers = self._key_now(), self.section, self._layers()
        if key != self._key and section.is_open:
            self._submit(lambda: (key, build_caps(layers, section)), self._built)

    def _built(self, result: tuple[tuple[object, ...], tuple[Cap, ...]]) -> None:
        key, caps = result
        if not self.section.is_open or key != self._key_now():
            return
        self._key, self.caps = key, caps
        self._stage.set_caps(caps)
        self._redraw()
