"""The viewport: a widget that shows a document's scene, moves the camera and picks. It draws when something changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QImage, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from app.document import Document
from app.language import language
from app.look import Section
from app.theme import Theme
from app.view import camera as cameras
from app.view.camera import Camera
from app.view.canvas import Canvas
from app.view.cards import Cards
from app.view.draw_tool import DrawMode, DrawTool
from app.view.frames import Frames
from app.view.hand import Drag
from app.view.layer_bringer import LayerBringer
from app.view.light_work import LightWork
from app.view.picking import Hit, Picker, Submit, at_once
from app.view.pipe_labels import PipeLabels
from app.view.pointer import PointerWidget
from app.view.preview import Previews
from app.view.probe import hover_info
from app.view.section_work import SectionWork
from app.view.stage import Stage
from app.view.timed_maps import TimedMaps
from app.view.trench import Trench
from app.view.view_pictures import ViewPictures
from app.view.xray import XRay
from app.view.xray_work import XRayWork
from app.volume_view import VolumeView
from geo.model import Bounds, ElementRef, Frame, Layer

HOVER_DELAY = 40  # ms
HARDWARE_POINTS, SOFTWARE_POINTS = 3_000_000, 500_000  # of point clouds in one frame


class Viewport(PointerWidget):
    """Shows the scene of a document.

    Parameters
    ----------
    document : Document
        Listened to; its selection is written by clicks.
    theme : Theme
    quality : {"fast", "normal", "fine"}
    submit : callable(work, on_done), optional
        Runs `work()` beside the main thread and hands its result to `on_done` on the main thread. Without one the
        work is done at once.

    Signals
    -------
    hovered(object)
        `app.view.probe.HoverInfo`, or None over the sky.
    picked(object, object)
        `ElementRef` or None, and the local point (3,) or None, of a click.
    context_requested(object, QPoint)
        `ElementRef` or None under a right click, and the place on the screen.
    camera_changed()
    time_drawn()
        Results are drawn for another time, or for the time of their run again: `seen` is another.
    """

    camera_changed = Signal()
    time_drawn = Signal()

    def __init__(
        self,
        document: Document,
        *,
        theme: Theme,
        quality: str = "normal",
        submit: Submit | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.document = document
        self.theme = theme
        self._submit = submit or at_once
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(120, 90)
        self.canvas = Canvas(self, before_draw=self._before_draw)
        self.stage = Stage(self.canvas.GetRenderWindow(), theme=theme, quality=quality)
        self.canvas.frames = self.frames = Frames(self.canvas, self.stage, prepare=self._before_draw)
        self.canvas.ready.connect(self._on_ready)
        self.picker = Picker(self._submit)
        self._timed = TimedMaps()
        self._bringer = LayerBringer(
            document, self.stage, submit, self._after_layers, as_seen=self._timed.seen, parent=self
        )
        self._light = LightWork(document, self.stage, self.picker, submit=self._submit, redraw=self.redraw, parent=self)
        self._sky_timer = self._light.timer
        self.pictures = ViewPictures(
            self, apply_sun=self._light.apply_sun, restore=self._on_ready, settle=self._bringer.settle
        )
        self._previews = Previews(self.stage, self._submit, self._on_preview, document.scene.get)
        self.section_work = SectionWork(
            self.stage, self._submit, layers=lambda: tuple(document.scene), redraw=self.redraw, parent=self
        )
        self._camera = cameras.looking(np.zeros(3), azimuth=20.0, pitch=-38.0, distance=500.0)
        self._untouched = True
        self._closed = False
        self._drag = Drag()
        self._cursor = QPointF()
        self._drawing: DrawTool | None = None
        self.cards = Cards(theme, self)
        self.trench: Trench | None = None
        self.labels = PipeLabels(
            self,
            camera=lambda: self._camera,
            layers=lambda: tuple(document.scene),
            selected=lambda: document.selection.items,
            xray=lambda: self.xray_work.xray,
            theme=theme,
        )
        self.camera_changed.connect(self.labels.refresh)
        self.xray_work = XRayWork(self.stage, self, camera=lambda: self._camera, redraw=self.redraw, theme=theme)
        self._make_timers()
        self._listen()
        if document.scene.frame is not None:
            self._on_framed(document.scene.frame)
        for layer in document.scene:
            self._on_added(layer)

    def _make_timers(self) -> None:
        self._hover_timer = QTimer(self)
        self._hover_timer.setSingleShot(True)
        self._hover_timer.setInterval(HOVER_DELAY)
        self._hover_timer.timeout.connect(self._hover)

    def _listen(self) -> None:
        scene = self.document.scene
        self._connections = [
            (scene.added, self._on_added),
            (scene.removed, self._on_removed),
            (scene.changed, self._on_changed),
            (scene.framed, self._on_framed),
            (self.document.selection.changed, self._on_selection),
            (language.changed, self._on_language),
        ]
        for signal, slot in self._connections:
            signal.connect(slot)

    # -- following the document

    def _on_added(self, layer: Layer) -> None:
        self._bringer.bring(layer, "data")

    def _on_removed(self, layer: Layer) -> None:
        self.stage.remove(layer.id)
        self._forget_time(layer)
        if len(self.document.scene) == 0:
            self._untouched = True
            self.frames.costs.forget()
            self._timed.start_again()
        self._bringer.told()

    def _on_changed(self, layer: Layer, what: str) -> None:
        if what == "data" or not self._timed.has_progress(layer):
            self._forget_time(layer)
            self._bringer.change(layer, what)
            return
        self._bringer.change(layer, what)
        self._draw_again(self._timed.progress_again(tuple(self.document.scene)))
        self.time_drawn.emit()

    def _draw_again(self, layers: Sequence[Layer]) -> None:
        """Those that are being prepared are drawn as they are seen once they are."""
        for layer in layers:
            if self.stage.expected(layer.id) is None:
                self.stage.change(layer, "style")

    def _forget_time(self, layer: Layer) -> None:
        """The scene says anew how a layer looks, and with it those that had made way for it."""
        for other in map(self.document.scene.get, self._timed.forget(layer.id)):
            if other is not None:
                self._bringer.change(other, "style")
        self.time_drawn.emit()

    @property
    def seen(self) -> tuple[Layer, ...]:
        """The layers of the scene as the picture shows them: shadows and progress as they are at the time on show."""
        return self._timed.over(tuple(self.document.scene))

    def set_time(self, day: date, minute: int) -> None:
        """Draw shadow results as their map of a minute of a day, and progress as it is on that day."""
        changed = self._timed.show(tuple(self.document.scene), day, minute)
        self._draw_again(changed)
        if changed:
            self._update_cards()
            self.redraw()
            self.time_drawn.emit()

    def _on_framed(self, frame: Frame) -> None:
        self._light.turn()

    def _on_ready(self) -> None:
        self.stage.set_quality(self.stage.quality, multisampling=not self.canvas.software)
        self.stage.set_point_budget(SOFTWARE_POINTS if self.canvas.software else HARDWARE_POINTS)

    def _on_language(self, code: str) -> None:
        self._update_cards()

    def _after_layers(self) -> None:
        self.stage.set_order([layer.id for layer in self.document.scene])
        self._sky_timer.start()
        self.section_work.refresh()
        if self._untouched:
            self._show_home()
        self._previews.settle()
        self._on_selection()
        self._update_cards()
        self.redraw()

    def _on_preview(self) -> None:
        if self._untouched and not self._closed:
            self._show_home()
        self._update_cards()
        self.redraw()

    def _on_selection(self) -> None:
        self.stage.select(self.document.selection.items)
        self.labels.refresh()
        self.redraw(scene=False)

    # -- what others may ask for

    def show_preview(self, key: str, layers: Sequence[Layer]) -> None:
        """Draw layers of a file that is still being read; they are in the picture only."""
        if not self._closed:
            self._previews.show(key, layers)

    def show_result_preview(self, key: str, layers: Sequence[Layer]) -> None:
        """Draw what there is of a result in place of what was there before; results on the same surfaces step aside."""
        if not self._closed:
            aside = [layer for layer in self.document.scene if layer.theme == "result"]
            self._previews.replace(key, layers, aside=aside)

    @property
    def has_preview(self) -> bool:
        """Whether anything of a file still being read is in the picture."""
        return len(self._previews) > 0

    def end_preview(self, key: str) -> None:
        """The reading is over: its preview goes when the layers it brought are drawn, or at once without any."""
        if not self._closed:
            self._previews.end(key)
            self._previews.settle()

    @property
    def camera(self) -> Camera:
        """Where the picture is taken from."""
        return self._camera

    def set_camera(self, camera: Camera) -> None:
        """Look from here."""
        self._untouched = False
        self._place_camera(camera)

    def fit(self, bounds: Bounds | None = None) -> None:
        """Show all of a box, or of the scene, from the present direction."""
        self._bringer.settle()
        box = bounds or self.stage.bounds()
        if box is not None and self._camera.is_parallel:
            self.set_camera(cameras.plan_of(box, level=self._camera.focus[2], aspect=self._aspect))
        elif box is not None:
            azimuth, pitch = self._camera.azimuth, min(self._camera.pitch, -12.0)
            self.set_camera(cameras.fitted(box, azimuth=azimuth, pitch=pitch, aspect=self._aspect))

    def zoom_to(self, refs: Iterable[ElementRef]) -> None:
        """Show these elements, with some of what is around them."""
        box = Bounds.union([b for ref in refs if (b := self._bounds_of(ref)) is not None])
        if box is not None:
            margin = max(max(box.size) * 0.8, 8.0 if max(box.size) > 0.0 else 30.0)  # a point needs what is around it
            low = tuple(v - margin * (0.2 if axis == 2 else 1.0) for axis, v in enumerate(box.low))
            high = tuple(v + margin * (0.2 if axis == 2 else 1.0) for axis, v in enumerate(box.high))
            self.fit(Bounds(low, high))  # type: ignore[arg-type]

    def set_view(self, name: str) -> None:
        """One of ``home``, ``top``, ``north``, ``east``, ``south``, ``west`` (the direction looked toward)."""
        box = self.stage.home_bounds()
        if box is not None:
            self.set_camera(cameras.view_of(box, name, aspect=self._aspect, points=self.stage.home_points()))

    def set_section(self, section: Section) -> None:
        """Cut the scene open; `app.look.NO_SECTION` closes it."""
        self.section_work.set(section)

    def set_trench(self, trench: Trench | None) -> None:
        """Cut a trench into the ground; None fills it."""
        self.trench = trench
        self.stage.set_trench(trench)
        self.redraw()

    def set_volume_view(self, layer_id: str, view: VolumeView) -> None:
        """Show these slices and this surface of a volume."""
        self.stage.set_volume_view(layer_id, view)
        self._update_cards()
        self.redraw()

    def set_xray(self, xray: XRay | None) -> None:
        """See through the ground around a place; None closes the hole."""
        self.xray_work.set(xray)

    def set_theme(self, theme: Theme) -> None:
        """Change the palette of picture and cards."""
        self.theme = theme
        self.stage.set_theme(theme)
        self.cards.set_theme(theme)
        self.xray_work.set_theme(theme)
        self.labels.set_theme(theme)
        self.redraw()

    def set_sun(self, true_azimuth: float | None, altitude: float = 0.0) -> None:
        """Put the sun where it stands, from **true** north clockwise [degrees]; None = a pleasant afternoon."""
        self._light.set_sun(None if true_azimuth is None else (true_azimuth, altitude))

    def set_quality(self, quality: str) -> None:
        """``"fast"``, ``"normal"`` or ``"fine"``."""
        self.stage.set_quality(quality, multisampling=not self.canvas.software)
        self.redraw()

    def hits_at(self, place: QPointF) -> list[Hit]:
        """What is seen at a pixel of the picture, the nearest first."""
        return self._hits(place)

    def point_at(self, place: QPoint) -> np.ndarray | None:
        """The point (3,) [local m] of what is seen at a place on the screen; None over the sky."""
        hits = self._hits(QPointF(self.mapFromGlobal(place)))
        return hits[0].point if hits else None

    def start_drawing(
        self,
        mode: DrawMode,
        on_done: Callable[[np.ndarray], None],
        *,
        on_cancel: Callable[[], None] | None = None,
        hint: str = "",
    ) -> DrawTool:
        """Let the user draw on the ground and on things; `on_done` is given the points (n, 3) [local m].

        `mode` is ``"polyline"``, ``"polygon"`` (not closed by a repeated point), ``"two_points"`` or ``"point"``. A
        drawing that is under way is cancelled.
        """
        self.stop_drawing()
        tool = DrawTool(
            self, mode, point_at=self._point_under, camera=lambda: self._camera, theme=self.theme, hint=hint
        )
        tool.done.connect(on_done)
        if on_cancel is not None:
            tool.cancelled.connect(on_cancel)
        self._drawing = tool
        return tool

    def stop_drawing(self) -> None:
        """Cancel the drawing under way, if there is one."""
        drawing, self._drawing = self._drawing, None
        if drawing is not None and drawing.active:
            drawing.cancel()

    def redraw(self, *, scene: bool = True) -> None:
        """Draw a new frame when there is time; without `scene` only the camera, marks or a mass in hand have moved."""
        if not self._closed:
            if scene:
                self.frames.touch()
            self.canvas.stale = True
            self.canvas.update()

    def grab_picture(self, width: int, height: int, *, cards: bool = True) -> QImage:
        """The picture at any size, drawn anew, with legend, north arrow and scale unless `cards` is false."""
        return self.pictures.grab(width, height, cards=cards)

    def shutdown(self) -> None:
        """Let go of VTK and of the document. Call before the parent goes."""
        if self._closed:
            return
        self._closed = True
        self.pictures.give_up()
        self._previews.release()
        self.stop_drawing()
        self.xray_work.card.forget()
        self.labels.stop()
        self.section_work.close()
        self._hover_timer.stop()
        self._light.close()
        self._bringer.close()
        for signal, slot in self._connections:
            signal.disconnect(slot)
        self._connections = []
        self.canvas.GetRenderWindow().MakeCurrent()
        self.frames.release()
        self.stage.release()
        self.canvas.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Release VTK with the widget."""
        self.shutdown()
        super().closeEvent(event)

    # -- camera

    @property
    def _aspect(self) -> float:
        width, height = self._size
        return width / height

    def _show_home(self) -> None:
        box = self.stage.home_bounds()
        if box is not None:
            self._place_camera(cameras.view_of(box, "home", aspect=self._aspect, points=self.stage.home_points()))

    def _place_camera(self, camera: Camera) -> None:
        self._camera = camera
        self.stage.set_camera(camera)
        self.cards.follow(camera)
        self.xray_work.follow()
        self.redraw(scene=False)
        self.camera_changed.emit()

    def _before_draw(self) -> None:
        self._bringer.settle()
        self._light.apply_sun()
        self.stage.aim()
        if not self.cards.fits(ground_is_open=self.stage.ground_is_open):
            QTimer.singleShot(0, self, self._update_cards)

    def _bounds_of(self, ref: ElementRef) -> Bounds | None:
        layer = self.document.scene.get(ref.layer_id)
        return self.stage.element_bounds(layer, ref.element_id) if layer is not None else None

    # -- picking

    def _hits(self, place: QPointF) -> list[Hit]:
        work, pixel = self.section_work, (place.x(), place.y())
        layers = tuple(self.document.scene)
        return self.picker.pick(
            self._camera,
            pixel,
            self._size,
            layers=layers,
            section=work.section,
            caps=work.caps,
            xray=self.xray_work.xray,
            trench=self.stage.cut.pit or self.trench,
        )

    def _point_under(self, place: QPointF) -> np.ndarray:
        """The point of the scene at a pixel; else on the level of the focus; else at its distance."""
        hits = self._hits(place)
        if hits:
            return hits[0].point
        origin, direction = cameras.ray(self._camera, (place.x(), place.y()), self._size)
        level = self._camera.focus[2]
        if direction[2] < -0.05:
            return origin + direction * max((level - origin[2]) / direction[2], cameras.NEAREST)
        return origin + direction * self._camera.distance

    def _hover(self) -> None:
        if self._closed or self._drag.button != Qt.MouseButton.NoButton:
            return
        place = self._cursor
        self.xray_work.point_at(*cameras.ray(self._camera, (place.x(), place.y()), self._size))
        info = hover_info(self._hits(place), self.seen, frame=self.document.scene.frame)
        self.cards.show_hover(info, place)
        self.hovered.emit(info)

    # -- cards

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out canvas and cards."""
        self.canvas.setGeometry(self.rect())
        if self._untouched:
            self._show_home()
        self.cards.lay_out(self._camera)
        self.xray_work.card.place()
        self.labels.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """The cards know their places once there is a size."""
        super().showEvent(event)
        self._update_cards()

    def _update_cards(self) -> None:
        shown = self.stage.telling(self._previews.over(self.seen))
        self.cards.show_for(shown, self._camera, ground_is_open=self.stage.ground_is_open)
