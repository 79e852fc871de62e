"""A building opened at a storey: which building and storey, the height of the cut, rooms by use, the plan."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QRectF, QSize, Signal
from PySide6.QtWidgets import QLabel

from app.commands import SetStyle, Together
from app.language import tr
from app.look import CUT_HEIGHT, NO_SECTION, Section, StoreyCut
from app.storeys import Building, Storey, buildings_of, rooms_of
from app.theme import Theme
from app.widgets.storey_strip import WHOLE, StoreyStrip, storey_title
from app.workbench import Workbench
from geo.model import Bounds, Layer, Style

USE_COLUMNS = ("use", "function", "long_name", "name", "class")  # by which rooms are coloured, the first one there
STRIP_TOP, EDGE = 88, 16  # pixels: below the compass; from the edge of the picture
BELOW_GROUND, PIT_MARGIN = 0.6, 0.5  # metres by which a floor lies below the ground; around the pit over it
PITCH = -52.0  # degrees: into rooms, and still over walls


class StoreyView(QObject):
    """What the strip of storeys does.

    Signals
    -------
    left()
        The user closed the strip.
    changed()
        Another building, storey, cut or plan.
    """

    left = Signal()
    changed = Signal()

    def __init__(self, bench: Workbench, viewport: Any, *, parent: QObject) -> None:
        super().__init__(parent)
        self.bench, self.viewport = bench, viewport
        self.buildings: tuple[Building, ...] = ()
        self.building = 0
        self.storey = WHOLE
        self.cut = CUT_HEIGHT
        self.plan = False
        self.is_open = False
        self._camera_before: Any = None
        self._styles_before: dict[str, Style] = {}
        self.strip = StoreyStrip(viewport)
        self.strip.building_chosen.connect(self.choose_building)
        self.strip.storey_chosen.connect(self.choose)
        self.strip.cut_moved.connect(self.set_cut)
        self.strip.plan_toggled.connect(self.set_plan)
        self.strip.uses_toggled.connect(self.set_uses)
        self.strip.closed.connect(self.left)
        self.title = QLabel(viewport)
        self.title.setObjectName("storey_title")
        self.title.hide()
        self._labels = self._make_labels()
        viewport.camera_changed.connect(self._follow)
        viewport.cards.painters.append(self._paint)

    def _make_labels(self) -> Any:
        from app.view.room_labels import RoomLabels

        return RoomLabels(self.bench.theme, self.viewport)

    # ---- open and close

    def open(self, *, plan: bool = False) -> None:
        """Look for buildings with storeys and open the one nearest to what is looked at."""
        self.is_open = True
        layers = tuple(self.bench.document.scene)
        self.bench.submit_for_view(lambda: buildings_of(layers), lambda found: self._found(found, plan))

    def _found(self, buildings: tuple[Building, ...], plan: bool) -> None:
        if not self.is_open:
            return
        if not buildings:
            self.bench.notices.tell("notice.no_storeys", severity="doubt")
            self.left.emit()
            return
        self.buildings = buildings
        self.choose_building(self._wanted())
        if plan:
            self.set_plan(True)

    def _wanted(self) -> int:
        """The building of the selection, else the one nearest to the middle of the picture."""
        chosen = {ref.layer_id for ref in self.bench.document.selection.items}
        focus = np.array(self.viewport.camera.focus)
        away = [np.linalg.norm(np.array(b.bounds.centre) - focus) for b in self.buildings]
        mine = [n for n, building in enumerate(self.buildings) if building.layer_ids & chosen]
        return mine[0] if mine else int(np.argmin(away))

    def close(self) -> None:
        """The whole building again."""
        if not self.is_open:
            return
        self.set_plan(False)
        self.set_uses(False)
        self.is_open = False
        self.storey = WHOLE
        self.strip.hide()
        self.title.hide()

    def release(self) -> None:
        """The window closes."""
        self.is_open = False

    # ---- choices

    @property
    def chosen(self) -> Building:
        """The building that is open."""
        return self.buildings[self.building]

    def holds(self, layer_id: str) -> bool:
        """Whether a layer is part of the building that is open."""
        return self.is_open and bool(self.buildings) and layer_id in self.chosen.layer_ids

    @property
    def level(self) -> Storey | None:
        """The storey that is open, or None for the whole building."""
        return self.chosen.storeys[self.storey] if self.buildings and self.storey != WHOLE else None

    def choose_building(self, number: int) -> None:
        """Open another building, at its ground floor."""
        self.building = number
        self.strip.show_buildings(self.buildings, number)
        self.strip.show()
        labels = [storey.label for storey in self.chosen.storeys]
        self.choose(labels.index("1") if "1" in labels else 0)
        if not self.plan:
            self._look_in()

    def choose(self, storey: int) -> None:
        """Open a storey; `WHOLE` closes the building but keeps the strip."""
        self.storey = storey
        if storey == WHOLE and self.plan:
            self.set_plan(False)
        self._apply()

    def set_cut(self, height: float) -> None:
        """Cut the walls at a height above the floor [m]."""
        self.cut = height
        self._apply()

    def _apply(self) -> None:
        level = self.level
        if level is None:
            self.viewport.set_section(NO_SECTION)
        else:
            cut = StoreyCut(self.chosen.layer_ids, level.floor, self.cut, pit=self._pit(level))
            self.viewport.set_section(Section(storey=cut))
        self._show_state()

    def _pit(self, level: Storey) -> tuple[float, float, float, float] | None:
        """Where the ground is in the way: over a storey that lies below it."""
        box = self.chosen.bounds
        x, y, _ = box.centre
        if level.floor + BELOW_GROUND >= self.viewport.stage.ground_level(x, y):
            return None
        return (box.low[0] - PIT_MARGIN, box.low[1] - PIT_MARGIN, box.high[0] + PIT_MARGIN, box.high[1] + PIT_MARGIN)

    def _show_state(self) -> None:
        level = self.level
        self.strip.show_state(self.storey, cut=self.cut, plan=self.plan, uses=bool(self._styles_before))
        self.title.setText(
            f"{self.chosen.name} · {tr('section.whole.tip')}" if level is None else self._title_of(level)
        )
        layers = tuple(self.bench.document.scene)
        rooms = rooms_of(layers, self.chosen, level) if self.plan and level is not None else ()
        self._labels.show_rooms(rooms, self.viewport.camera)
        self.title.show()
        self.lay_out()
        self.changed.emit()

    def _title_of(self, level: Storey) -> str:
        return f"{self.chosen.name} · {storey_title(level)} · {tr('section.cut_at', height=f'{self.cut:.2f}')}"

    def _look_in(self) -> None:
        """From above, so that rooms are seen."""
        from app.view.camera import fitted

        box, level = self.chosen.bounds, self.level
        if level is None:
            return
        flat = Bounds((*box.low[:2], level.floor), (*box.high[:2], level.floor + self.cut))
        aspect = self.viewport.width() / max(self.viewport.height(), 1)
        azimuth = self.viewport.camera.azimuth
        self.viewport.set_camera(fitted(flat, azimuth=azimuth, pitch=PITCH, aspect=aspect, margin=1.15))

    # ---- plan

    def set_plan(self, plan: bool) -> None:
        """From straight above, to scale, with the names and areas of rooms; or back."""
        from app.view.camera import plan_of

        if plan == self.plan or (plan and (not self.buildings or self.level is None)):
            self._resync()
            return
        self.plan = plan
        if plan and self.level is not None:
            self._camera_before = self.viewport.camera
            aspect = self.viewport.width() / max(self.viewport.height(), 1)
            self.viewport.set_camera(plan_of(self.chosen.bounds, level=self.level.floor, aspect=aspect))
        elif self._camera_before is not None:
            self.viewport.set_camera(self._camera_before)
        self._resync()

    def _resync(self) -> None:
        if self.is_open and self.buildings:
            self._show_state()

    # ---- rooms by use

    def set_uses(self, uses: bool) -> None:
        """Show the rooms coloured by their use, or as they were."""
        if uses == bool(self._styles_before) or not self.buildings:
            return
        scene = self.bench.document.scene
        if uses:
            rooms = [layer for layer in scene if layer.id in self.chosen.layer_ids and layer.theme == "space"]
            wanted = {layer.id: _by_use(layer) for layer in rooms}
            self._styles_before = {layer.id: layer.style for layer in rooms}
            if not rooms:
                self.bench.notices.tell("notice.no_rooms", severity="doubt")
        else:
            wanted, self._styles_before = self._styles_before, {}
        steps = tuple(SetStyle(key, style) for key, style in wanted.items() if scene.get(key) is not None)
        if steps:
            self.bench.do(Together(steps, "set_colour"))
        self._resync()

    # ---- keeping in place

    def lay_out(self) -> None:
        """Strip at the right edge, title above the picture, labels all over it."""
        self.strip.adjustSize()
        self.strip.move(self.viewport.width() - self.strip.width() - EDGE, STRIP_TOP)
        self.strip.raise_()
        self.title.adjustSize()
        middle = (self.viewport.width() - self.title.width()) // 2
        self.title.move(middle, self.viewport.height() - self.title.height() - EDGE)
        self.title.raise_()
        self._labels.setGeometry(self.viewport.rect())

    def _paint(self, painter: Any, camera: Any, size: QSize) -> None:
        """Title and room labels on an exported picture."""
        if not self.is_open or not self.buildings:
            return
        from app.view.overlay import note_size, paint_note
        from app.view.room_labels import paint_rooms

        theme, text = self.bench.theme, self.title.text()
        if self.plan:
            paint_rooms(painter, self._labels.rooms, camera, (size.width(), size.height()), theme=theme)
        note = note_size(text)
        place = QRectF(
            (size.width() - note.width()) / 2, size.height() - note.height() - EDGE, note.width(), note.height()
        )
        paint_note(painter, place, text, theme=theme)

    def _follow(self) -> None:
        self._labels.follow(self.viewport.camera)

    def refresh_words(self) -> None:
        """The language has changed."""
        if self.is_open and self.buildings:
            self.strip.show_buildings(self.buildings, self.building)
            self._show_state()

    def refresh_theme(self, theme: Theme) -> None:
        """The colours have changed."""
        self._labels.theme = theme
        self._labels.update()


def _by_use(layer: Layer) -> Style:
    column = next((name for name in USE_COLUMNS if name in layer.table.columns), "")
    return dataclasses.replace(layer.style, visible=True, colour_by=column, method="unique" if column else "")
