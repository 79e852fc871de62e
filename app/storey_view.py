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
from app.storeys import Building, Storey, buildings_of, rooms_of, storey_at
from app.theme import Theme
from app.viewpoints import OpenStorey
from app.widgets.storey_strip import WHOLE, StoreyStrip, building_title, storey_title
from app.workbench import Workbench
from geo.model import Bounds, Layer, Style

USE_COLUMNS = ("use", "function", "long_name", "name", "class")  # by which rooms are coloured, the first one there
STRIP_TOP, EDGE = 88, 16  # pixels: below the compass; from the edge of the picture
BELOW_GROUND, PIT_MARGIN = 0.6, 0.5  # metres by which a floor lies below the ground; around the pit over it
PITCHES = (-52.0, -64.0, -76.0)  # degrees: into rooms, and still over walls; steeper where other buildings are near
AROUND = 14.0  # metres of the surroundings of a room or a step that are shown with it
TITLE_ROOM = 50  # pixels above the edge: the scale bar and the note about the data stand below


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
        self._town = np.zeros((0, 6))
        self._wanted_place: tuple[Bounds, str, str] | None = None
        self._wanted_state: tuple[OpenStorey, Any] | None = None
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
        from app.view.free_sight import boxes_of

        self.is_open = True
        layers = tuple(self.bench.document.scene)
        self.bench.submit_for_view(
            lambda: (buildings_of(layers), boxes_of(layers)), lambda found: self._found(*found, plan)
        )

    def open_at(self, box: Bounds, *, layer_id: str = "", name: str = "") -> None:
        """Open the storey that a box lies in and look at it; `name` of the storey where it is known."""
        self._wanted_place = box, layer_id, name
        if not (self.is_open and self.buildings and self._go_to_place()):
            self.open()

    @property
    def opened(self) -> OpenStorey | None:
        """What a saved viewpoint keeps; None while nothing is open."""
        if not (self.is_open and self.buildings):
            return None
        label = self.level.label if self.level is not None else ""
        return OpenStorey(self.chosen.layer_ids, label, self.cut, self.plan)

    def open_as(self, opened: OpenStorey, camera: Any) -> None:
        """Open a building as it was, and look from `camera`; where it has gone, only look."""
        self._wanted_state = opened, camera
        self.open()

    def _go_to_state(self, opened: OpenStorey, camera: Any) -> None:
        number = next((k for k, one in enumerate(self.buildings) if one.layer_ids & opened.layer_ids), None)
        if number is None:
            self.bench.notices.tell("notice.no_storeys", severity="doubt")
            self.left.emit()
            self.viewport.set_camera(camera)
            return
        self.set_plan(False)
        self.cut = opened.cut
        self.choose_building(number)
        labels = [storey.label for storey in self.chosen.storeys]
        self.choose(labels.index(opened.label) if opened.label in labels else WHOLE)
        self.set_plan(opened.plan)
        self.viewport.set_camera(camera)

    def _go_to_place(self) -> bool:
        """Show the place asked for in the buildings that are known; False where none of them has it."""
        box, layer_id, name = self._wanted_place or (Bounds((0, 0, 0), (0, 0, 0)), "", "")
        found = storey_at(self.buildings, box, layer_id=layer_id, name=name) if self._wanted_place else None
        if found is None:
            return False
        self._wanted_place = None
        number, storey = found
        if number != self.building or not self.strip.isVisible():
            self.building = number
            self.strip.show_buildings(self.buildings, number)
            self.strip.show()
        self.choose(storey)
        middle = Bounds(
            (box.centre[0] - AROUND, box.centre[1] - AROUND, box.low[2]),
            (box.centre[0] + AROUND, box.centre[1] + AROUND, box.low[2]),
        )
        union = Bounds.union([box, middle]) or box
        if self.plan:
            self._plan_of(union)
        else:
            self._look_in(union)
        return True

    def _found(self, buildings: tuple[Building, ...], town: Any, plan: bool) -> None:
        if not self.is_open:
            return
        if not buildings:
            self._wanted_state = None
            self.bench.notices.tell("notice.no_storeys", severity="doubt")
            self.left.emit()
            return
        self.buildings, self._town = buildings, town
        if self._wanted_state is not None:
            state, self._wanted_state = self._wanted_state, None
            self._go_to_state(*state)
            return
        if self._wanted_place is None or not self._go_to_place():
            self._wanted_place = None
            self.choose_building(self._wanted())
        if plan:
            self.set_plan(True)

    def _wanted(self) -> int:
        """The building of the selection, else the one nearest to the middle of the picture."""
        chosen = set(self.bench.document.selection.by_layer)
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
            f"{building_title(self.chosen)} · {tr('section.whole.tip')}" if level is None else self._title_of(level)
        )
        layers = tuple(self.bench.document.scene)
        rooms = rooms_of(layers, self.chosen, level) if self.plan and level is not None else ()
        self._labels.show_rooms(rooms, self.viewport.camera)
        self.title.show()
        self.lay_out()
        self.changed.emit()

    def _title_of(self, level: Storey) -> str:
        return (
            f"{building_title(self.chosen)} · {storey_title(level)} · {tr('section.cut_at', height=f'{self.cut:.2f}')}"
        )

    def _look_in(self, around: Bounds | None = None) -> None:
        """From above and from a free side, so that rooms are seen: all of the storey, or a part of it."""
        from app.view.free_sight import free_view, others

        box, level = around or self.chosen.bounds, self.level
        if level is None:
            return
        flat = Bounds((*box.low[:2], level.floor), (*box.high[:2], level.floor + self.cut))
        aspect = self.viewport.width() / max(self.viewport.height(), 1)
        in_the_way = others(self._town, self.chosen.bounds)
        azimuth = self.viewport.camera.azimuth
        self.viewport.set_camera(free_view(flat, in_the_way, azimuth=azimuth, pitches=PITCHES, aspect=aspect))

    # ---- plan

    def set_plan(self, plan: bool) -> None:
        """From straight above, to scale, with the names and areas of rooms; or back."""
        if plan == self.plan or (plan and (not self.buildings or self.level is None)):
            self._resync()
            return
        self.plan = plan
        if plan and self.level is not None:
            self._camera_before = self.viewport.camera
            self._plan_of(self.chosen.bounds)
        elif self._camera_before is not None:
            self.viewport.set_camera(self._camera_before)
        self._resync()

    def _plan_of(self, box: Bounds) -> None:
        from app.view.camera import plan_of

        aspect = self.viewport.width() / max(self.viewport.height(), 1)
        level = self.level.floor if self.level is not None else box.low[2]
        self.viewport.set_camera(plan_of(box, level=level, aspect=aspect))

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
        """Strip at the right edge over the scale bar, title beside it at the foot of the picture, labels everywhere."""
        self.strip.fit_into(self.viewport.height() - STRIP_TOP - TITLE_ROOM - 8)
        self.strip.move(self.viewport.width() - self.strip.width() - EDGE, STRIP_TOP)
        self.strip.raise_()
        self.title.adjustSize()
        free = self.viewport.width() - self.strip.width() - 2 * EDGE
        foot = self.viewport.height() - self.title.height() - TITLE_ROOM
        self.title.move(max((free - self.title.width()) // 2, 4), foot)
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
            (size.width() - note.width()) / 2, size.height() - note.height() - TITLE_ROOM, note.width(), note.height()
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
    style = layer.style.coloured_by(column, method="unique" if column else "")
    return dataclasses.replace(style, visible=True)
