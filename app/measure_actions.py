"""Measuring in the window: lines, areas, the ground along a line, sight between points, the distance of two things."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject

from analysis.contract import Chart
from app import measure
from app.language import tr
from app.measure_window import KeptDrawing, MeasureWindow, Value
from app.view.draw_tool import DrawMode
from geo.model import Grid, UserError

if TYPE_CHECKING:
    from app.main_window import MainWindow

Floats = NDArray[np.float64]

EYE = 1.6  # [m] above what is clicked, at both ends of a line of sight
MANY_LEGS = 12  # legs told one by one
ABOVE = 50.0  # [m] over the scene, from where surfaces are looked for


class MeasureActions(QObject):
    """Measures for one window. Nothing in the scene is changed."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self.shown: MeasureWindow | None = None
        self._kept: KeptDrawing | None = None

    def line(self) -> None:
        """Lengths, rise and slope along points that are clicked."""
        self._draw("polyline", self._tell_line, "measure.line_hint")

    def area(self) -> None:
        """Area inside points that are clicked."""
        self._draw("polygon", self._tell_area, "measure.area_hint")

    def profile(self) -> None:
        """The ground, and what stands on it, along points that are clicked."""
        self._draw("polyline", self._tell_profile, "measure.profile_hint")

    def sight(self) -> None:
        """Whether one sees the second point from the first, at the height of eyes."""
        self._draw("two_points", self._tell_sight, "measure.sight_hint")

    def can_clear(self) -> bool:
        """Whether two elements are selected."""
        return len(self.window.document.selection.few_elements) == 2

    def clearance(self) -> None:
        """Least distance between the two selected elements."""
        scene = self.window.document.scene
        pair = [(scene[ref.layer_id], ref.element_id) for ref in self.window.document.selection.few_elements]

        def tell(found: tuple[float, Floats, Floats]) -> None:
            distance, first, second = found
            values = [
                Value("clearance", distance, "m"),
                Value("first", pair[0][1], ""),
                Value("second", pair[1][1], ""),
            ]
            self._show("clearance", "two_points", np.array([first, second]), values, again=self.clearance)

        self.window.bench.jobs.submit(
            lambda _feedback: measure.clearance(pair[0], pair[1]),
            title=tr("action.measure_clearance"),
            key="measure",
            done=tell,
        )

    def end(self) -> None:
        """Close what is shown."""
        if self.shown is not None:
            self.shown.close()

    def _draw(self, mode: DrawMode, tell: Callable[[Floats], None], hint: str) -> None:
        self.end()
        self.window.viewport.start_drawing(mode, lambda points: self._try(tell, points), hint=tr(hint))

    def _try(self, tell: Callable[[Floats], None], points: Floats) -> None:
        try:
            tell(points)
        except UserError as error:
            self.window.bench.notices.report(error)

    def _tell_line(self, points: Floats) -> None:
        legs = measure.legs_of(points, self.window.document.scene.frame)
        plan, length = sum(leg.plan for leg in legs), sum(leg.length for leg in legs)
        rise = float(points[-1, 2] - points[0, 2])
        values = [
            Value("length", length, "m"),
            Value("plan", plan, "m"),
            Value("rise", rise, "m"),
            Value("slope", 100.0 * rise / plan if plan > 0.0 else np.nan, "%"),
        ]
        if len(legs) == 1:
            values.append(Value("bearing", legs[0].bearing, "deg"))
        else:
            straight = float(np.linalg.norm(points[-1] - points[0]))
            values += [Value("straight", straight, "m"), Value("steepest", _steepest(legs), "%")]
            values += [Value("leg", leg.length, "m") for leg in legs[:MANY_LEGS]]
        self._show("line", "polyline", points, values, again=self.line)

    def _tell_area(self, points: Floats) -> None:
        found = measure.area_of(points, self.window.document.scene.frame)
        values = [
            Value("area", found.plan, "m2"),
            Value("tilted", found.tilted, "m2"),
            Value("around", found.around, "m"),
            Value("lowest", found.lowest, "m"),
            Value("highest", found.highest, "m"),
        ]
        self._show("area", "polygon", points, values, again=self.area)

    def _tell_profile(self, points: Floats) -> None:
        grounds, zero = self._grounds(), self._zero()
        chart = measure.ground_profile(points, grounds, cast=self._cast(), top=self._top(), zero=zero)
        found = measure.profile_figures(points, grounds)
        values = [
            Value("plan", measure.plan_length(points), "m"),
            Value("lowest", found["lowest"] + zero, "m"),
            Value("highest", found["highest"] + zero, "m"),
            Value("climb", found["climb"], "m"),
            Value("fall", found["fall"], "m"),
            Value("steepest_ground", found["steepest"], "%"),
        ]
        self._show("profile", "polyline", points, values, again=self.profile, chart=chart)

    def _tell_sight(self, points: Floats) -> None:
        eyes = points + np.array([0.0, 0.0, EYE])
        found = measure.sight_between(eyes[0], eyes[1], cast=self._cast(), grounds=self._grounds())
        answer = tr("measure.free" if found.is_free else f"measure.blocked_{found.blocked_by}")
        values = [Value("sight", answer, ""), Value("distance", found.distance, "m"), Value("eye", EYE, "m")]
        drawn = eyes
        if not found.is_free:
            values.append(Value("seen_up_to", float(np.linalg.norm(found.blocked_at - eyes[0])), "m"))
            drawn = np.array([eyes[0], found.blocked_at, eyes[1]])
        self._show("sight", "polyline", drawn, values, again=self.sight)

    def _show(
        self,
        name: str,
        mode: DrawMode,
        points: Floats,
        values: Sequence[Value],
        *,
        again: Callable[[], None],
        chart: Chart | None = None,
    ) -> None:
        self.end()
        window, theme = self.window, self.window.bench.theme
        kept = KeptDrawing(window.viewport, mode, points, theme=theme)
        shown = MeasureWindow(
            values, title=tr(f"action.measure_{name}"), theme=theme, again=again, chart=chart, parent=window
        )
        shown.finished.connect(lambda _code: self._closed(kept, shown))
        self._kept, self.shown = kept, shown
        corner = window.viewport.mapToGlobal(window.viewport.rect().topRight())
        shown.move(corner.x() - shown.width() - 16, corner.y() + 16)
        shown.show()

    def _closed(self, kept: KeptDrawing, shown: MeasureWindow) -> None:
        kept.end()
        if self.shown is shown:
            self.shown, self._kept = None, None

    def _grounds(self) -> list[Grid]:
        return [
            layer.geometry
            for layer in self.window.document.scene
            if layer.kind == "terrain" and layer.style.visible and isinstance(layer.geometry, Grid)
        ]

    def _cast(self) -> measure.Cast:
        from app.view.obstacles import Obstacles

        layers = tuple(self.window.document.scene)
        solid = Obstacles(layers, [self.window.viewport.picker.ray_target(layer) for layer in layers])
        return solid.cast

    def _top(self) -> float:
        box = self.window.document.scene.bounds()
        return ABOVE + (float(box.high[2]) if box is not None else 0.0)

    def _zero(self) -> float:
        frame = self.window.document.scene.frame
        return float(frame.origin[2]) if frame is not None else 0.0


def _steepest(legs: Sequence[measure.Leg]) -> float:
    slopes = [abs(leg.slope) for leg in legs if not np.isnan(leg.slope)]
    return max(slopes, default=float("nan"))
