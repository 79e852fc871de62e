"""Ways of looking into the scene: a section, the storeys of a building, a plan, a walk, a flight. One at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent

from app.label_control import LabelControl
from app.language import tr
from app.legend_hand import LegendHand
from app.look import NO_SECTION, ClipPlane, Section, SectionBox
from app.shown_runs import runs_of
from app.storey_view import StoreyView
from app.storeys import is_outside, storey_name
from app.theme import Theme
from app.way_steps import ways_of
from app.widgets.section_bar import SectionBar
from geo.model import Bounds, ElementRef, Layer

if TYPE_CHECKING:
    from app.main_window import MainWindow
    from app.viewpoints import OpenStorey

BOX_MARGIN = (1.0, 0.05)  # metres, and share of the largest side, that a section box leaves around the selection
LARGEST_REACH = 250.0  # metres that a plane can be slid either way
EDGE = 16  # pixels between bars and the edge of the picture


class ViewModes(QObject):
    """What the section, storey, plan and walk actions do.

    Attributes
    ----------
    mode : str
        ``""``, ``"plane"``, ``"box"``, ``"storey"``, ``"walk"`` or ``"fly"``.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self.viewport: Any = window.viewport
        self.mode = ""
        self.walk: Any = None
        self.fly: Any = None
        self._plane: ClipPlane | None = None
        self._offset = 0.0
        self._drawing: Any = None
        labels = LabelControl(window.viewport, submit=window.bench.submit_for_view, parent=window)
        self.legend_hand, self.labelling = LegendHand(window), labels
        self.bar = SectionBar(self.viewport)
        self.bar.moved.connect(self.move_plane)
        self.bar.flipped.connect(self.flip_plane)
        self.bar.closed.connect(self.leave)
        self.storeys = StoreyView(window.bench, self.viewport, parent=self)
        self.storeys.left.connect(self.leave)
        self.storeys.changed.connect(self._tell)
        self._handle = self._make_handle()
        self.viewport.installEventFilter(self)
        self.viewport.camera_changed.connect(self._follow)
        window.bench.connections.add(window.document.scene.removed, self._on_removed)

    def _make_handle(self) -> Any:
        from app.view.section_handle import SectionHandle

        handle = SectionHandle(self.window.bench.theme, lambda: self.viewport.camera, self.viewport)
        handle.dragged.connect(self.move_plane)
        return handle

    # ---- state

    @property
    def active(self) -> bool:
        """Whether there is something to leave."""
        return bool(self.mode) or self._drawing is not None

    def leave(self) -> None:
        """Back to the whole scene."""
        drawing, self._drawing = self._drawing, None
        if drawing is not None:
            self.viewport.stop_drawing()
        mode, self.mode = self.mode, ""
        if mode == "walk":
            self._end_walk()
        elif mode == "fly":
            self._end_fly()
        self.storeys.close()
        self._plane = None
        self._handle.show_plane(None)
        self.bar.hide()
        self.viewport.set_section(NO_SECTION)
        self._tell()

    def _enter(self, mode: str) -> None:
        if self.mode != mode:
            self.leave()
        self.mode = mode

    def _tell(self) -> None:
        """Ticks of the actions."""
        self.window.refresh_state()

    # ---- a plane

    def toggle_plane(self) -> None:
        """Ask for two clicks, or end the section."""
        if self.mode == "plane" or self._drawing is not None:
            self.leave()
            return
        self.leave()
        self._draw("two_points", self._plane_drawn, tr("section.draw"))

    def _draw(self, mode: str, done: Any, hint: str) -> None:
        def finish(points: np.ndarray) -> None:
            self._drawing = None
            done(points)

        self._drawing = self.viewport.start_drawing(mode, finish, on_cancel=self._drawing_cancelled, hint=hint)
        self._tell()

    def _drawing_cancelled(self) -> None:
        self._drawing = None
        self._tell()

    def _plane_drawn(self, points: np.ndarray) -> None:
        along = points[1] - points[0]
        if np.hypot(along[0], along[1]) < 1e-6:
            self._tell()
            return
        plane = ClipPlane(tuple(points.mean(axis=0)), (float(along[1]), -float(along[0]), 0.0))
        eye = np.array(self.viewport.camera.position)
        self.show_plane(plane if plane.beyond(eye) > 0 else plane.flipped)

    def show_plane(self, plane: ClipPlane) -> None:
        """Cut the scene by a plane that can be slid and turned round."""
        self._enter("plane")
        self._plane, self._offset = plane, 0.0
        self._apply_plane()
        self.bar.show_plane(offset=0.0, reach=self._reach())
        self._place_bar()
        self._tell()

    def move_plane(self, offset: float) -> None:
        """Slide the plane along its normal [m], from where it was drawn."""
        if self._plane is None:
            return
        reach = self._reach()
        self._offset = min(max(offset, -reach), reach)
        self._apply_plane()
        self.bar.show_plane(offset=self._offset, reach=reach)

    def flip_plane(self) -> None:
        """Cut the other side away."""
        if self._plane is not None:
            self._plane = self._plane.moved(self._offset).flipped
            self._offset = 0.0
            self._apply_plane()
            self.bar.show_plane(offset=0.0, reach=self._reach())

    def _apply_plane(self) -> None:
        if self._plane is not None:
            self.viewport.set_section(Section(planes=(self._plane.moved(self._offset),)))
            self._handle.show_plane(self._plane, self._offset)

    def _reach(self) -> float:
        box = self.viewport.stage.home_bounds()
        return min(max(box.size[0], box.size[1]) if box is not None else 10.0, LARGEST_REACH)

    def show_planes(self, planes: tuple[ClipPlane, ...]) -> None:
        """Cut the scene by planes: one can be slid, several stay as they are; none opens the whole scene."""
        if len(planes) == 1:
            self.show_plane(planes[0])
        elif planes:
            self._enter("box")
            self.viewport.set_section(Section(planes=planes))
            self.bar.show_box()
            self._place_bar()
            self._tell()
        elif self.active:
            self.leave()

    # ---- a box

    def toggle_box(self) -> None:
        """Cut everything away but what is around the selection."""
        if self.mode == "box":
            self.leave()
            return
        box = self._selected_box()
        if box is None:
            self.window.bench.notices.tell("notice.section_nothing", severity="doubt")
            return
        margin = max(BOX_MARGIN[0], BOX_MARGIN[1] * max(box.size))
        low, high = (tuple(v + sign * margin for v in corner) for sign, corner in ((-1, box.low), (1, box.high)))
        self.show_box(SectionBox(low, high))  # type: ignore[arg-type]

    def show_box(self, box: SectionBox) -> None:
        """Cut everything away but what is in a box."""
        self._enter("box")
        self.viewport.set_section(Section(box=box))
        self.bar.show_box()
        self._place_bar()
        self._tell()

    def _selected_box(self) -> Bounds | None:
        document, boxes = self.window.document, []
        for ref in document.selection.items:
            layer = document.scene.get(ref.layer_id)
            if layer is not None:
                boxes.append(self.viewport.stage.element_bounds(layer, ref.element_id))
        return Bounds.union([box for box in boxes if box is not None])

    # ---- storeys and plan

    def toggle_storeys(self) -> None:
        """Open a building at a storey, or close it."""
        if self.mode == "storey":
            self.leave()
            return
        self._enter("storey")
        self.storeys.open()
        self._tell()

    def toggle_plan(self) -> None:
        """The plan of the storey that is open; opens the building first."""
        if self.mode != "storey":
            self._enter("storey")
            self.storeys.open(plan=True)
        else:
            self.storeys.set_plan(not self.storeys.plan)
        self._tell()

    def show_storey_of(self, ref: ElementRef) -> None:
        """Open the building at the storey of an element and look at it; without a storey only look at it."""
        layer = self.window.document.scene.get(ref.layer_id)
        box = self.viewport.stage.element_bounds(layer, ref.element_id) if layer is not None else None
        if layer is None or box is None:
            return
        if is_outside(layer, ref.element_id):
            self.leave()
            self.window.bench.zoom_to([ref])
            return
        self._enter("storey")
        self.storeys.open_at(box, layer_id=layer.id, name=storey_name(layer, ref.element_id))
        self._tell()

    def show_opened(self, opened: OpenStorey, camera: Any) -> None:
        """Open a building as a saved viewpoint has it, and look from there."""
        self._enter("storey")
        self.storeys.open_as(opened, camera)
        self._tell()

    def show_ways(self, run_id: str) -> None:
        """Look at the ways that a run has found, all of them; a picture in the middle of a walk or plan stays."""
        runs = [run for run in runs_of(tuple(self.window.document.scene)) if run.id == run_id]
        ways = [ElementRef(layer.id) for run in runs for layer in ways_of(run)]
        if ways and not self.mode:
            self.window.bench.zoom_to(ways)

    # ---- a walk

    def toggle_walk(self) -> None:
        """Ask where to stand, or end the walk."""
        if self.mode == "walk":
            self.leave()
            return
        self.leave()
        self._draw("point", lambda points: self.walk_from(points[0]), tr("section.walk_start"))

    def walk_from(self, place: np.ndarray) -> None:
        """Stand at a place of the scene and walk."""
        from app.view.walk import Walker, landed
        from app.view.walk_mode import WalkMode

        obstacles = self._obstacles()
        walker = landed(np.asarray(place), obstacles.cast, azimuth=self.viewport.camera.azimuth)
        if walker is None:  # a model without floors: one walks at the height that was clicked
            x, y, z = (float(v) for v in place)
            walker = Walker((x, y, z), self.viewport.camera.azimuth)
        before = self.viewport.camera
        self._enter("walk")
        self._camera_before = before
        self.viewport.stage.set_inside(True)
        self.walk = WalkMode(self.viewport, walker, obstacles)
        self.walk.left.connect(self.leave)
        self.walk.passing_changed.connect(self._say_walk)
        self._say_walk(False)
        self._tell()

    def _obstacles(self) -> Any:
        from app.view.obstacles import Obstacles

        layers = tuple(self.window.document.scene)
        return Obstacles(layers, [self.viewport.picker.ray_target(layer) for layer in layers])

    def _say_walk(self, through_walls: bool) -> None:
        self.viewport.cards.say(tr("section.walk_hint_through" if through_walls else "section.walk_hint"))

    def _end_walk(self) -> None:
        self.walk.end()
        self.walk = None
        self.viewport.stage.set_inside(False)
        self.viewport.cards.say("")
        self.viewport.set_camera(self._camera_before)

    # ---- a flight

    def toggle_fly(self) -> None:
        """Fly from where the picture is taken, or end the flight."""
        if self.mode == "fly":
            self.leave()
            return
        from app.fly import flight_of
        from app.fly_mode import FlyMode

        flight = flight_of(self.viewport.camera)
        self._enter("fly")
        self.fly = FlyMode(self.viewport, flight)
        self.fly.left.connect(self.leave)
        self.viewport.cards.say(tr("fly.hint"))
        self._tell()

    def _end_fly(self) -> None:
        self.fly.end()
        self.fly = None
        self.viewport.cards.say("")

    # ---- keeping in place

    def _on_removed(self, layer: Layer) -> None:
        """An opened building that is taken out of the scene cannot stay open."""
        gone = len(self.window.document.scene) == 0
        if self.mode and (gone or (self.mode == "storey" and self.storeys.holds(layer.id))):
            self.leave()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The bar stays where it is when the picture changes its size; Escape leaves, once nothing is selected."""
        if event.type() == QEvent.Type.Resize:
            self._place_bar()
            self.storeys.lay_out()
            self._follow()
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
            leaves = self.active and len(self.window.document.selection) == 0
            if leaves:
                self.leave()
            return leaves
        return False

    def _place_bar(self) -> None:
        self.bar.adjustSize()
        left = (self.viewport.width() - self.bar.width()) // 2
        self.bar.move(left, self.viewport.height() - self.bar.height() - EDGE)

    def _follow(self) -> None:
        self._handle.follow()

    def refresh_words(self) -> None:
        """The language has changed."""
        if self.mode == "plane":
            self.bar.show_plane(offset=self._offset, reach=self._reach())
        elif self.mode == "box":
            self.bar.show_box()
        elif self.mode == "walk" and self.walk is not None:
            self._say_walk(self.walk.through_walls)
        elif self.mode == "fly":
            self.viewport.cards.say(tr("fly.hint"))
        self.storeys.refresh_words()

    def refresh_theme(self, theme: Theme) -> None:
        """The colours have changed."""
        self._handle.theme = theme
        self.labelling.refresh_theme(theme)
        self.storeys.refresh_theme(theme)

    def release(self) -> None:
        """The window closes."""
        self.labelling.release()
        if self.walk is not None:
            self.walk.end()
            self.walk = None
        if self.fly is not None:
            self._end_fly()
        self.storeys.release()
