"""Looking into volumes: the bar, what it sets in the picture, and the particles that drift while it plays."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QEvent, QObject, QTimer

from app.colour import field_range
from app.commands import SetStyle
from app.language import language, tr
from app.names import layer_title
from app.volume_view import VolumeView, first_view, volume_field
from app.widgets.later import Later
from app.widgets.volume_bar import VolumeBar
from app.words import field_name
from geo.model import Layer, Volume

if TYPE_CHECKING:
    from app.main_window import MainWindow

EDGE, GAP = 16, 8  # pixels between the bar and the edge of the picture, and between two bars
CARDS_WIDTH, CARDS_HEIGHT = 210, 46  # pixels of the cards in the lower corners
FIRST_COUNT, LEAST_COUNT, MOST_COUNT = 1500, 200, 8000  # particles
DEAREST_S, CHEAP_S = 0.03, 0.008  # seconds of a frame for particles above which there are fewer, below which more
SLOW_FRAME_S = 0.12  # seconds between frames from which more particles help nobody
LONGEST_STEP_S = 0.1  # after a pause, or where drawing is slow, the particles do not leap
SHORTEST_MS, LONGEST_MS = 16, 200  # between two frames; a slow picture leaves some time for mouse and keys
REST = 0.3  # share of a frame that is left for them
SEED = 7


class VolumeControl(QObject):
    """Shows the bar for the volume that is visible.

    Attributes
    ----------
    layer_id : str
        The volume the bar is about; empty when there is none.
    playing : bool
    own_seconds : float
        What moving and colouring the particles of the last frame took, drawing apart.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.bench, self.document = window, window.bench, window.document
        self.viewport: Any = window.viewport
        self.layer_id = ""
        self.playing = False
        self.own_seconds = 0.0
        self._views: dict[str, VolumeView] = {}
        self._dismissed = ""
        self._drawing: Any = None
        self._trails: Any = None
        self._before = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._tick)
        self.bar = VolumeBar(self.viewport)
        self.bar.level_changed.connect(lambda level: self._change(level=level))
        self.bar.value_changed.connect(lambda value: self._change(value=value))
        self.bar.line_asked.connect(self._ask_line)
        self.bar.play_asked.connect(self.play)
        self.bar.closed.connect(self.dismiss)
        self._later = Later(self, self.follow)
        connections, scene = self.bench.connections, self.document.scene
        for signal in (scene.added, scene.removed, scene.changed):
            connections.add(signal, self._later.ask)
        connections.add(language.changed, self._later.ask)
        self.bench.theme_changed.connect(self._retheme)
        self.viewport.installEventFilter(self)

    # ---- which volume

    def volumes(self) -> list[Layer]:
        """The volumes of the scene, the newest last."""
        return [layer for layer in self.document.scene if isinstance(layer.geometry, Volume)]

    @property
    def layer(self) -> Layer | None:
        """The volume the bar is about."""
        return self.document.scene.get(self.layer_id) if self.layer_id else None

    @property
    def view(self) -> VolumeView:
        """What that volume shows."""
        layer = self.layer
        if layer is None or not isinstance(layer.geometry, Volume):
            return VolumeView()
        return self._views.get(layer.id) or first_view(layer.geometry)

    def follow(self) -> None:
        """Show the bar of the last visible volume, or none."""
        shown = [layer.id for layer in self.volumes() if layer.style.visible]
        wanted = shown[-1] if shown else ""
        if wanted != self.layer_id:
            self.stop()
            self._cancel_line()
            self.layer_id = wanted
        if self._dismissed not in shown:
            self._dismissed = ""
        self._show_bar()

    def toggle(self) -> None:
        """Show the newest volume with its bar, or hide them."""
        volumes = self.volumes()
        if not volumes:
            return
        layer = self.layer
        if layer is None:
            self._set_visible(volumes[-1], True)
        elif self._dismissed == layer.id:
            self._dismissed = ""
        else:
            self._set_visible(layer, False)
        self.follow()

    def _set_visible(self, layer: Layer, visible: bool) -> None:
        title = "show_layer" if visible else "hide_layer"
        self.bench.do(SetStyle(layer.id, dataclasses.replace(layer.style, visible=visible), title))

    def dismiss(self) -> None:
        """Put the bar away; slices stay, particles go."""
        self._dismissed = self.layer_id
        self.stop()
        self._cancel_line()
        self._show_bar()

    def _show_bar(self) -> None:
        from app.view.legend import shown_field
        from app.view.particle_paint import wind_volume

        layer = self.layer
        if layer is None or not isinstance(layer.geometry, Volume) or self._dismissed == layer.id:
            self.bar.hide()
            self.window.refresh_state()
            return
        volume, field = layer.geometry, volume_field(layer, shown_field(layer))
        top = volume.z0 + volume.cell_z * (volume.values.shape[0] - 1)
        self.bar.show_volume(
            f"{layer_title(layer)} · {field_name(field.name)}",
            self.view,
            heights=(volume.z0 - volume.cell_z / 2, top),
            values=field_range(field),
            unit=field.unit,
            has_wind=wind_volume(tuple(self.document.scene), layer) is not None,
            is_drawing=self._drawing is not None,
        )
        self._place_bar()
        self.window.refresh_state()

    # ---- slices and surface

    def show_view(self, view: VolumeView) -> None:
        """Show these slices; remembered for the volume."""
        if self.layer is None:
            return
        self._views[self.layer_id] = view
        self.viewport.set_volume_view(self.layer_id, view)
        self._show_bar()

    def _change(self, **changes: Any) -> None:
        self.show_view(dataclasses.replace(self.view, **changes))

    def _ask_line(self, wanted: bool) -> None:
        if not wanted:
            self._cancel_line()
            self._change(line=None)
            return

        def finish(points: np.ndarray) -> None:
            self._drawing = None
            (x0, y0), (x1, y1) = points[0][:2], points[1][:2]
            if np.hypot(x1 - x0, y1 - y0) > 1e-6:
                self._change(line=(float(x0), float(y0), float(x1), float(y1)))
            self._show_bar()

        self._drawing = self.viewport.start_drawing(
            "two_points", finish, on_cancel=self._line_cancelled, hint=tr("volume.upright.draw")
        )

    def _line_cancelled(self) -> None:
        self._drawing = None
        self._show_bar()

    def _cancel_line(self) -> None:
        drawing, self._drawing = self._drawing, None
        if drawing is not None:
            self.viewport.stop_drawing()

    # ---- particles

    def play(self, wanted: bool) -> None:
        """Let particles drift, or hold them."""
        layer = self.layer
        self.playing = wanted and layer is not None
        self.bar.set_playing(self.playing)
        self._timer.stop()
        if not self.playing or layer is None:
            return
        self._before = 0.0
        if self._trails is not None:
            self._timer.start(0)
            return
        from app.view.particle_paint import ParticlePaint, dust_volume, wind_volume
        from app.view.particles import Particles, wind_of

        layers, theme = tuple(self.document.scene), self.bench.theme

        def work() -> Any:
            mover, dust = wind_volume(layers, layer), dust_volume(layers)
            wind = wind_of(mover) if mover is not None else None
            particles = Particles(wind, count=FIRST_COUNT, seed=SEED) if wind is not None else None
            return layer, particles, ParticlePaint(dust, theme) if dust is not None else None

        self.bench.submit_for_view(work, self._ready)

    def _ready(self, made: tuple[Layer, Any, Any]) -> None:
        """Unless it was stopped, or another volume is looked at meanwhile."""
        layer, particles, paint = made
        now = self.layer
        if particles is None or now is None or now.geometry is not layer.geometry or self._trails is not None:
            return
        if not self.playing:
            return
        from app.view.particle_actor import ParticleTrails

        self._trails = ParticleTrails(particles, ink=self._ink(), paint=paint)
        self.viewport.stage.set_particles(self._trails)
        self._timer.start(0)

    def stop(self) -> None:
        """No particles."""
        self.playing = False
        self._timer.stop()
        self.bar.set_playing(False)
        if self._trails is not None:
            self._trails = None
            self.viewport.stage.set_particles(None)
            self.viewport.redraw()

    @property
    def particles(self) -> Any:
        """The particles in the picture, or None."""
        return self._trails.particles if self._trails is not None else None

    def _tick(self) -> None:
        """One frame: as far as the clock has gone on since the last."""
        if self._trails is None or not self.playing:
            return
        now = time.perf_counter()
        passed, self._before = (now - self._before if self._before else 0.0), now
        if self.viewport.isVisible():
            self._trails.ink = self._ink()
            self._trails.particles.step(min(passed, LONGEST_STEP_S))
            self._trails.update()
            self.own_seconds = time.perf_counter() - now
            self._adapt(passed)
            self.viewport.redraw()
        self._timer.start(round(min(max(1000 * REST * passed, SHORTEST_MS), LONGEST_MS)))

    def _adapt(self, passed: float) -> None:
        """As many particles as the machine moves without being noticed."""
        particles = self._trails.particles
        if self.own_seconds > DEAREST_S:
            particles.resize(max(LEAST_COUNT, round(0.7 * particles.count)))
        elif self.own_seconds < CHEAP_S and 0.0 < passed < SLOW_FRAME_S:
            particles.resize(min(MOST_COUNT, round(1.03 * particles.count) + 1))

    def _ink(self) -> tuple[int, int, int]:
        """White over colours and in the dark, dark over a light city."""
        from app.view.particle_actor import DARK, WHITE

        view = self.view
        maps = any(
            layer.theme == "result" and layer.kind == "grid" and layer.style.visible for layer in self.document.scene
        )
        coloured = maps or view.level is not None or view.value is not None
        return WHITE if coloured or self.bench.theme.is_dark else DARK

    # ---- keeping in place

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """The bar stays where it is when the picture changes its size."""
        if event.type() == QEvent.Type.Resize:
            self._place_bar()
        return False

    def _place_bar(self) -> None:
        self.bar.adjustSize()
        other = self.window.modes.bar
        lift = other.height() + GAP if other.isVisible() else 0
        left = (self.viewport.width() - self.bar.width()) // 2
        if not lift and left < CARDS_WIDTH:
            lift = CARDS_HEIGHT
        self.bar.move(max(left, 0), self.viewport.height() - self.bar.height() - EDGE - lift)

    def _retheme(self, _theme: object) -> None:
        self._show_bar()

    def release(self) -> None:
        """The window closes."""
        self._timer.stop()
        self._later.stop()
        self.playing = False
        self._trails = None
