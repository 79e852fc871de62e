"""Cameras in the window: setting them, taking one in hand, what they see, and the steps that change them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.cctv.cameras import Camera
from analysis.cctv.catalogue import CameraModel, catalogue
from analysis.cctv.classes import Edition, default_edition, editions
from app.camera_lens import camera_from, lens_of
from app.camera_placing import CameraPlacing
from app.camera_sight import CameraSight, Sighted, Wanted
from app.cctv.bands import band_colours, bands_legend
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
from app.commands import Command
from app.element_in_hand import ElementInHand
from app.language import tr
from app.live_cctv import LiveCoverage
from app.panels.camera import NUMBERS, CameraPanel
from app.theme import Theme
from app.widgets.later import Later
from geo.model import ElementRef, Layer

if TYPE_CHECKING:
    from app.main_window import MainWindow

FRUSTUMS = ("selected", "all", "none")
REST_MS = 120  # without a change, until the picture is made anew in full


class CameraActions(ElementInHand[CameraRow]):
    """Cameras of the document in the picture and in their panel.

    Attributes
    ----------
    frustums : one of `FRUSTUMS`
        Whose ground is drawn.
    edition : Edition
        By which classes.
    answer : Sighted or None
        What was seen last.
    """

    kind = "camera"
    heights = (400, 110)
    look_around = 15.0

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.panel = window.panel_of(CameraPanel)
        self.ground = CameraGround(self.document)
        self.frustums = FRUSTUMS[0]
        self.edition: Edition = editions()[default_edition()]
        self.answer: Sighted | None = None
        self.head = 0
        self._actors: Any = None
        self._models: tuple[object, dict[str, CameraModel]] | None = None
        self.sight = CameraSight(window, parent=self)
        self.sight.found.connect(self._on_sighted)
        self.sight.began.connect(self._on_began)
        self.live = LiveCoverage(window, parent=self)
        self.live.is_resting_camera = lambda: self._moving is None
        self.placing = CameraPlacing(self)
        self._rest = Later(self, self._look_at_rest, after_ms=REST_MS)
        self._connect_panel()
        self.panel.set_edition(self.edition)
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

    def row_of(self, ref: ElementRef) -> CameraRow | None:
        """A camera as the document has it."""
        return row_of(self.document.scene, ref)

    def with_row(self, layer: Layer, row: CameraRow) -> Layer:
        """The layer with a camera changed."""
        return with_camera(layer, row)

    def change(self, ref: ElementRef, row: CameraRow, *, drag: str, title: str) -> Command:
        """The step that changes a camera."""
        return change_camera(self.document, ref, row, drag=drag, title=title)

    def removal(self, refs: Sequence[ElementRef]) -> Command:
        """The step that takes cameras away."""
        return remove_cameras(self.document, refs)

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
        self.take(CameraGizmo(self.window.viewport, row, lens, heights=self.ground.height, theme=self.bench.theme))

    def taken(self, ref: ElementRef) -> None:
        """What the others see is counted once."""
        self.live.start(ref)

    def followed(self, ref: ElementRef, row: CameraRow) -> None:
        """The figures follow the camera in hand."""
        self.live.move(row)

    def shown_moving(self, row: CameraRow) -> None:
        """Panel and ground follow the camera in hand; the full picture when it rests."""
        self.panel.show_camera(
            row, self.camera_of(row), models=self.models(), height=self.height_of(row), editable=True
        )
        self._look(resting=False)
        self._rest.stop()
        self._rest.start()

    def committed(self, ref: ElementRef, row: CameraRow) -> None:
        """The figures of the camera where it was let go."""
        self.live.move(row)

    def _on_typed(self, row: CameraRow, name: str) -> None:
        ref = self.chosen
        if ref is None:
            return
        if name == "model":
            model = self.models()[row.model]
            row = dataclasses.replace(row, focal=min(max(row.focal, model.focal_min_mm), model.focal_max_mm))
        self.carry_on(f"typed {name} {ref}" if name in NUMBERS else "")
        self.live.start(ref)
        titles = {"pan": "turn_camera", "tilt": "turn_camera", "roll": "turn_camera", "focal": "zoom_camera"}
        self.commit(row, titles.get(name, "change_camera"), self._mark)

    def _on_height(self, height: float) -> None:
        row, ref = self.row, self.chosen
        before = self.height_of(row) if row is not None else None
        if row is None or ref is None or before is None:
            return
        x, y, z = row.place
        self.live.start(ref)
        self.carry_on(f"typed height {ref}")
        self.commit(dataclasses.replace(row, place=(x, y, z + height - before)), "move_camera", self._mark)

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
        shown = self._shown(answer) if answer is not None else []
        self._actors.show(shown, band_colours(self.edition))
        view = self.window.viewport
        view.cards.show_in_hand(bands_legend(self.edition) if shown else None, view.camera)
        view.redraw()

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

    # ---- keeping in place

    def refresh_words(self) -> None:
        """The language has changed."""
        self.live.refresh_words()
        self.refresh()

    def refresh_theme(self, theme: Theme) -> None:
        """The colours have changed."""
        super().refresh_theme(theme)
        self.live.refresh_words()
        self.refresh()

    def release(self) -> None:
        """The window closes."""
        super().release()
        self.sight.close()
        self._rest.stop()
        if self._actors is not None:
            self._actors.clear()
