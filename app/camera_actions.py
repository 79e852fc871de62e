"""Cameras in the window: setting them, taking one in hand, what they see, and the steps that change them."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Qt

from analysis.cctv.cameras import Camera
from analysis.cctv.catalogue import CameraModel, catalogue
from analysis.cctv.classes import Edition, default_edition, editions
from app.camera_lens import camera_from, lens_of
from app.camera_placing import CameraPlacing
from app.camera_sight import CameraSight, Sighted, Wanted
from app.cctv.bands import band_colours
from app.cctv.edit import (
    CameraRow,
    camera_layers,
    camera_refs,
    camera_rows,
    change_camera,
    is_cameras,
    is_result,
    remove_cameras,
    row_of,
    with_camera,
)
from app.cctv.ground import CameraGround
from app.connections import Connections
from app.language import tr
from app.live_cctv import LiveCoverage
from app.panels.camera import NUMBERS, CameraPanel
from app.theme import Theme
from app.widgets.later import Later
from geo.model import Bounds, ElementRef, Layer

if TYPE_CHECKING:
    from app.main_window import MainWindow

FRUSTUMS = ("selected", "all", "none")
PANEL_HEIGHT, REST_HEIGHT = 400, 110  # pixels of the panel and of what lies below it
LOOK_AROUND = 15.0  # [m] around a camera that is flown to
REST_MS = 120  # without a change, until the picture is made anew in full
STEPS = {"move": "move_camera", "turn": "turn_camera", "zoom": "zoom_camera"}


class CameraActions(QObject):
    """Cameras of the document in the picture and in their panel.

    Attributes
    ----------
    gizmo : CameraGizmo or None
        The handles of the camera in hand.
    frustums : one of `FRUSTUMS`
        Whose ground is drawn.
    edition : Edition
        By which classes.
    answer : Sighted or None
        What was seen last.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.bench, self.document = window, window.bench, window.document
        self.panel = window.panel_of(CameraPanel)
        self.ground = CameraGround(self.document)
        self.frustums = FRUSTUMS[0]
        self.edition: Edition = editions()[default_edition()]
        self.gizmo: Any = None
        self.answer: Sighted | None = None
        self.head = 0
        self._moving: CameraRow | None = None
        self._marks = itertools.count(1)
        self._mark = ""
        self._busy = self._closed = False
        self._actors: Any = None
        self._models: tuple[object, dict[str, CameraModel]] | None = None
        self.sight = CameraSight(window, parent=self)
        self.sight.found.connect(self._on_sighted)
        self.sight.began.connect(self._on_began)
        self.live = LiveCoverage(window, parent=self)
        self.live.is_resting_camera = lambda: self._moving is None
        self.placing = CameraPlacing(self)
        self._later = Later(self, self.refresh)
        self._rest = Later(self, self._look_at_rest, after_ms=REST_MS)
        self._connect_panel()
        self.panel.set_edition(self.edition)
        self._connections = Connections()
        self._connections.add(self.document.selection.changed, self._later.ask)
        for signal in (self.document.scene.added, self.document.scene.removed, self.document.scene.changed):
            self._connections.add(signal, self._on_scene)
        self.bench.theme_changed.connect(self.refresh_theme)
        self.bench.stale_changed.connect(self._later.ask)

    def _connect_panel(self) -> None:
        panel = self.panel
        panel.typed.connect(self._on_typed)
        panel.height_typed.connect(self._on_height)
        panel.edition_chosen.connect(self.set_edition)
        panel.head_chosen.connect(self._set_head)
        panel.place_asked.connect(self.placing.toggle)
        panel.remove_asked.connect(self.remove)
        panel.fly_asked.connect(self.fly)
        panel.visibilityChanged.connect(lambda _on: self._later.ask())

    # ---- what there is

    @property
    def refs(self) -> list[ElementRef]:
        """The selected cameras."""
        return camera_refs(self.document)

    @property
    def chosen(self) -> ElementRef | None:
        """The one selected camera."""
        refs = self.refs
        return refs[0] if len(refs) == 1 else None

    @property
    def row(self) -> CameraRow | None:
        """The one selected camera as it is, or as it is being moved."""
        ref = self.chosen
        if ref is None:
            return None
        return self._moving or row_of(self.document.scene, ref)

    def models(self) -> dict[str, CameraModel]:
        """The catalogue, with the models of the project's own tables."""
        tables = [
            layer for layer in self.document.scene if layer.kind == "table" and "focal_min_mm" in layer.table.columns
        ]
        key = tuple(id(layer) for layer in tables)
        if self._models is None or self._models[0] != key:
            from analysis.cctv.catalogue import models_of

            self._models = (key, models_of(tables)[0] if tables else dict(catalogue()))
        return self._models[1]

    def camera_of(self, row: CameraRow) -> Camera | None:
        """A row as the analyses know it; None where they cannot."""
        return camera_from(row, self.models())

    def is_editable(self, ref: ElementRef | None) -> bool:
        """Whether a camera may be changed: what an analysis has proposed may not, before it is taken over."""
        layer = self.document.scene.get(ref.layer_id) if ref is not None else None
        return layer is not None and is_cameras(layer) and not is_result(layer)

    # ---- following the document

    def _on_scene(self, _layer: Layer, _what: str = "data") -> None:
        if not self._busy:
            self._later.ask()

    def refresh(self) -> None:
        """Panel, handles and ground for the selection as it is."""
        if self._closed:
            return
        ref, row = self.chosen, self.row
        if self.gizmo is not None and (ref is None or not self.is_editable(ref)):
            self._end_gizmo()
        if ref is None or row is None:
            self.panel.show_none("camera.many" if len(self.refs) > 1 else "camera.empty")
        else:
            self._show_row(ref, row)
        self._look(resting=True)

    def _show_row(self, ref: ElementRef, row: CameraRow) -> None:
        camera, editable = self.camera_of(row), self.is_editable(ref)
        if self.live.ref not in (None, ref):  # another one is in hand now
            self.live.stop()
        if camera is None or self.head >= max(len(camera.model.heads), 1) + len(camera.presets):
            self.head = 0
        self.panel.show_camera(
            row, camera, models=self.models(), height=self.height_of(row), editable=editable and not self.placing.active
        )
        if camera is not None and editable:
            self._show_gizmo(row, camera)
        elif self.gizmo is not None:
            self._end_gizmo()

    def height_of(self, row: CameraRow) -> float | None:
        """Of the lens over what it stands over [m], None where nothing is known."""
        eye = self.sight.eye
        if row.mount in ("ceiling", "other") and eye is not None:
            floor = eye.floor(np.array(row.place))
            return row.place[2] - floor if floor is not None else None
        ground = self.ground.height(row.place[0], row.place[1])
        return row.place[2] - ground if ground is not None else None

    # ---- the camera in hand

    def _show_gizmo(self, row: CameraRow, camera: Camera) -> None:
        from app.view.camera_gizmo import CameraGizmo

        lens = lens_of(camera)
        if self.gizmo is not None:
            self.gizmo.show_row(row, lens)
            return
        gizmo = CameraGizmo(self.window.viewport, row, lens, heights=self.ground.height, theme=self.bench.theme)
        gizmo.moved.connect(self._on_moved)
        gizmo.released.connect(self._on_released)
        gizmo.taken_back.connect(self._on_taken_back)
        self.gizmo = gizmo
        if not self.panel.isVisible() or self.panel.visibleRegion().isEmpty():
            self.open_panel()

    def open_panel(self) -> None:
        """Bring the panel to the front, high enough for picture and angles."""
        window, panel = self.window, self.panel
        window.show_panel("camera")
        if not panel.isFloating() and panel.height() < PANEL_HEIGHT:
            window.resizeDocks([panel, window.analyses], [PANEL_HEIGHT, REST_HEIGHT], Qt.Orientation.Vertical)

    def _end_gizmo(self) -> None:
        gizmo, self.gizmo = self.gizmo, None
        self._moving = None
        if gizmo is not None:
            gizmo.end()
        self.live.stop()

    def _on_moved(self, row: CameraRow) -> None:
        """The picture follows; the document does not yet."""
        ref = self.chosen
        if ref is None:
            return
        if self._moving is None:
            self.live.start(ref)
        self._moving = row
        layer = self.document.scene[ref.layer_id]
        self.window.viewport.stage.change(with_camera(layer, row), "data")
        self.window.viewport.redraw()
        self.panel.show_camera(
            row, self.camera_of(row), models=self.models(), height=self.height_of(row), editable=True
        )
        self._look(resting=False)
        self.live.move(row)
        self._rest.stop()
        self._rest.start()

    def _on_released(self, row: CameraRow, what: str, is_step: bool) -> None:
        # The wheel and keys turn by small steps: they are one step to undo, until something else is done.
        self._continue(f"step {what} {self.chosen}" if is_step else "")
        self._commit(row, STEPS[what], self._mark)

    def _continue(self, mark: str) -> None:
        """What is done now goes on with what was done before under the same mark, or begins anew."""
        if not mark:
            self._mark = ""
        elif not self._mark.startswith(mark):
            self._mark = f"{mark} {next(self._marks)}"

    def _on_taken_back(self, row: CameraRow) -> None:
        ref = self.chosen
        self._moving = None
        if ref is not None:
            self.window.viewport.stage.change(self.document.scene[ref.layer_id], "data")
            self.window.viewport.redraw()
            self.live.move(row)
        self.refresh()

    def _commit(self, row: CameraRow, title: str, mark: str = "") -> bool:
        """One step that can be undone."""
        ref = self.chosen
        self._moving = None
        if ref is None or not self.is_editable(ref):
            return False
        if row_of(self.document.scene, ref) == row:
            self.refresh()
            return False
        self._busy = True
        try:
            done = self.bench.do(change_camera(self.document, ref, row, drag=mark, title=title))
        finally:
            self._busy = False
        self.refresh()
        self.live.move(row)
        return done

    def _on_typed(self, row: CameraRow, name: str) -> None:
        ref = self.chosen
        if ref is None:
            return
        if name == "model":
            model = self.models()[row.model]
            row = dataclasses.replace(row, focal=min(max(row.focal, model.focal_min_mm), model.focal_max_mm))
        self._continue(f"typed {name} {ref}" if name in NUMBERS else "")
        self.live.start(ref)
        titles = {"pan": "turn_camera", "tilt": "turn_camera", "roll": "turn_camera", "focal": "zoom_camera"}
        self._commit(row, titles.get(name, "change_camera"), self._mark)

    def _on_height(self, height: float) -> None:
        row, ref = self.row, self.chosen
        before = self.height_of(row) if row is not None else None
        if row is None or ref is None or before is None:
            return
        x, y, z = row.place
        self.live.start(ref)
        self._continue(f"typed height {ref}")
        self._commit(dataclasses.replace(row, place=(x, y, z + height - before)), "move_camera", self._mark)

    # ---- what is seen

    def _sun(self) -> tuple[float, float]:
        azimuth, altitude = self.window.viewport.stage.look.light.sun
        return float(azimuth), float(altitude)

    def _wanted(self, *, resting: bool) -> Wanted:
        chosen, moving = self.chosen, self._moving
        refs = self.refs if self.frustums != "none" else []
        if self.frustums == "all":
            refs = [
                ElementRef(layer.id, row.id)
                for layer in camera_layers(self.document.scene)
                if layer.style.visible
                for row in camera_rows(layer)
                if row.is_on
            ]
        if chosen is not None and chosen not in refs:
            refs = [*refs, chosen]
        cameras = []
        for ref in refs:
            row = moving if moving is not None and ref == chosen else row_of(self.document.scene, ref)
            camera = self.camera_of(row) if row is not None else None
            if camera is not None:
                cameras.append((ref, camera))
        limits = tuple(float(limit) for limit in self.edition.limits)
        return Wanted(tuple(cameras), chosen, self.head, limits, self._sun(), resting)

    def _look(self, *, resting: bool) -> None:
        wanted = self._wanted(resting=resting)
        if not wanted.cameras:
            self.sight.drop()
            self._show_ground(None)
            return
        self.sight.ask(wanted)

    def _look_at_rest(self) -> None:
        self._look(resting=True)

    def _on_began(self, working: bool) -> None:
        """The scene is handed to the rays: the first picture takes a while."""
        view = self.panel.view
        if working and view.image is None and self.chosen is not None:
            view.say(tr("camera.preparing"))

    def _on_sighted(self, answer: Sighted, _seconds: float) -> None:
        if self._closed:
            return
        self.answer = answer
        here = {ref for ref, _ in self._wanted(resting=True).cameras}
        self._show_ground(answer if here else None)
        ref = self.chosen
        if ref is None or answer.wanted.chosen != ref:
            return
        if answer.picture is not None:
            self.panel.show_picture(answer.picture, self.masks_of(ref, answer))
        parts = answer.parts.get(ref, ())
        count = len(self.edition.classes)
        areas = sum((np.bincount(p.classes, p.areas, minlength=count) for p in parts), np.zeros(count))
        if len(areas) == count:
            self.panel.show_sees(areas.tolist(), targets=self.live.targets_text(ref))

    def masks_of(self, ref: ElementRef, answer: Sighted) -> list[Any]:
        """Outlines of what a privacy result hides in the picture of a camera, in shares of it."""
        from app.cctv.masks_shown import masks_shown

        if self._moving is not None or answer.picture is None:
            return []
        layers, stale = tuple(self.document.scene), {run for run, what in self.bench.stale.items() if what}
        return masks_shown(layers, ref.element_id, answer.picture.view, answer.wanted.head, stale=stale)

    def _show_ground(self, answer: Sighted | None) -> None:
        if self._actors is None:
            if answer is None:
                return
            from app.view.frustum import FrustumActors

            self._actors = FrustumActors(self.window.viewport.stage)
        self._actors.show(self._shown(answer) if answer is not None else [], band_colours(self.edition))
        self.window.viewport.redraw()

    def _shown(self, answer: Sighted) -> list[Any]:
        from app.view.frustum import Shown

        chosen = set(self.refs)
        shown = []
        for ref, camera in answer.wanted.cameras:
            if self.frustums == "none" or row_of(self.document.scene, ref) is None:
                continue
            foot = answer.feet[ref] if camera.mount == "pole" else None
            strong = ref in chosen
            shown.append(Shown(answer.parts[ref], np.array(camera.position), foot, strong))
        return shown

    def set_frustums(self, mode: str) -> None:
        """Draw the ground of the selected cameras, of all, or of none."""
        self.frustums = mode
        self.refresh()

    def set_edition(self, edition_id: str) -> None:
        """Count by the classes of another edition of the standard."""
        self.edition = editions()[edition_id]
        self.panel.set_edition(self.edition)
        self.live.set_edition(self.edition)
        self.refresh()

    def _set_head(self, head: int) -> None:
        self.head = head
        self._look(resting=True)

    def remove(self) -> None:
        """Take the selected cameras away."""
        refs = [ref for ref in self.refs if self.is_editable(ref)]
        if refs:
            self.document.selection.clear()
            self._end_gizmo()
            self.bench.do(remove_cameras(self.document, refs))

    def switch(self) -> None:
        """Switch the selected camera off, or on again."""
        row = self.row
        if row is not None:
            self._commit(dataclasses.replace(row, state="planned" if row.state == "off" else "off"), "switch_camera")

    def fly(self) -> None:
        """Look at the selected camera."""
        row = self.row
        if row is not None:
            low, high = (tuple(v + sign * LOOK_AROUND for v in row.place) for sign in (-1, 1))
            self.bench.look_at(Bounds(low, high))  # type: ignore[arg-type]

    # ---- keeping in place

    def refresh_words(self) -> None:
        """The language has changed."""
        self.live.refresh_words()
        self.refresh()

    def refresh_theme(self, theme: Theme) -> None:
        """The colours have changed."""
        if self.gizmo is not None:
            self.gizmo.set_theme(theme)
        self.live.refresh_words()
        self.refresh()

    def release(self) -> None:
        """The window closes."""
        self._closed = True
        self._end_gizmo()
        self.placing.release()
        self.live.release()
        self.sight.close()
        self._later.stop()
        self._rest.stop()
        if self._actors is not None:
            self._actors.clear()
        self._connections.close()
