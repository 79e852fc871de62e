"""Pipes, cables and ducts: swept tubes and boxes near the eye, plain lines far away.

The layer is split into tiles. What a tile shows follows from how large a pipe is on the screen; its triangles are made
when it is first needed. Colour, band pattern and visibility of each element lie in one texture that all tiles share.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkCommonDataModel import vtkDataObject, vtkPolyData
from vtkmodules.vtkRenderingCore import vtkActor

from app.colour import field_colours
from app.utility_kinds import kind_colours, kind_patterns
from app.view.buried_shader import PATTERN_STEP
from app.view.camera import Camera, boxes_in_view, distances_to, pixels_per_metre
from app.view.layer_actors import RESULT_KEEP, LayerActors, face_texture, new_actor, unlit_actor
from app.view.legend import shown_field
from app.view.lines import line_runs
from app.view.polydata import ArrayTexture, segments, set_cell_colours, set_point_array, set_segments, triangles
from app.view.shader import INPUT_TAG, PARALLEL_REACH, Finish
from app.view.sky import shown_elements
from app.view.sweep import Paths, Sweep, paths_of, radii_of, swept_boxes, swept_tubes
from app.view.tiles import tile_numbers
from geo.model import Layer, Lines
from geo.model.conventions import DIAMETER, HEIGHT, UTILITY, WIDTH

SEGMENTS_A_TILE = 2500
MOST_TILES = 14  # one draw each, and three more for the layer: lines, boxes, their glass
SIDES = (0, 6, 12)  # of a tube by level: a line, mid, near
MID_PIXELS, FINE_PIXELS = 1.6, 9.0  # width of a usual pipe on the screen from which a level is worth its triangles
LEAST_WIDTH = 3.4  # pixels: no tube is drawn thinner
LINE_WIDTH = 2.2  # pixels
LINE_PUSH = "linePush"  # uniform of far lines: a share of the distance
BURIED = "buried"  # 1 at points under the ground, else 0
MOST_TRIANGLES = 1_500_000  # of all tiles at once; beyond it, far tiles stay lines
BOX_GLASS = 0.20  # opacity of the near sides of a tunnel
USUAL_SHARE = 75  # per cent: the pipe by whose size the level is chosen


@dataclass(eq=False)
class PipeTile:
    """Some pieces of pipe that are drawn together."""

    pieces: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    width: float
    segments: int
    level: int = 0
    inside: bool = True
    made: dict[int, vtkPolyData] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class PreparedPipes:
    """Everything that drawing pipes needs, made beside the main thread."""

    paths: Paths
    tiles: tuple[PipeTile, ...]
    pairs: NDArray[np.int32]
    pair_tile: NDArray[np.int16]
    pair_element: NDArray[np.int32]
    sizes: tuple[object, ...]


def prepared_pipes(layer: Layer) -> PreparedPipes:
    """Axes and tiles of a pipe layer; pure."""
    if not isinstance(layer.geometry, Lines):
        raise TypeError(f"{layer.kind} is not lines")
    lines = layer.geometry
    line_runs(lines)  # for the first pick
    paths = paths_of(lines, *radii_of(layer))
    counts = np.diff(paths.start) - 1
    number = np.zeros(len(paths), dtype=np.int16)
    wanted = int(np.clip(counts.sum() // SEGMENTS_A_TILE, 1, MOST_TILES))
    if wanted > 1:
        middle = (paths.points[paths.start[:-1]] + paths.points[paths.start[1:] - 1]) / 2
        number = tile_numbers(middle[:, :2], wanted=wanted, most=MOST_TILES)
    tiles = tuple(_tile(paths, np.flatnonzero(number == k)) for k in range(int(number.max(initial=-1)) + 1))
    owner = paths.owner
    inner = np.flatnonzero(owner[1:] == owner[:-1]).astype(np.int32)
    order = np.argsort(number[owner[inner]], kind="stable")
    pairs = np.stack([inner, inner + 1], axis=1)[order]
    piece = owner[inner][order]
    return PreparedPipes(paths, tiles, pairs, number[piece], paths.element[piece], sizes_of(layer))


def sizes_of(layer: Layer) -> tuple[object, ...]:
    """The columns that the form of pipes follows from."""
    return tuple(layer.table.columns.get(name) for name in (DIAMETER, WIDTH, HEIGHT))


def _tile(paths: Paths, pieces: NDArray[np.int64]) -> PipeTile:
    mine = paths.chosen(pieces)
    reach = float(mine.radius.max(initial=0.0))
    width = 2.0 * float(np.percentile(mine.radius, USUAL_SHARE)) if len(mine) else 0.0
    return PipeTile(
        pieces, mine.points.min(axis=0) - reach, mine.points.max(axis=0) + reach, width, len(mine.points) - len(mine)
    )


class TubesActors(LayerActors):
    """A layer of pipes."""

    least_width, line_width, line_pull = LEAST_WIDTH, LINE_WIDTH, LINE_PUSH
    result_keep = 0.4 * RESULT_KEEP  # of their own colour, when a field colours pipes

    @staticmethod
    def prepare(layer: Layer) -> PreparedPipes:
        """Axes and tiles."""
        return prepared_pipes(layer)

    def build(self, prepared: object) -> None:
        """One actor for the far lines, one for each tile, two for boxes."""
        if not isinstance(prepared, PreparedPipes):
            raise TypeError(f"{self.layer.kind} was not prepared as pipes")
        self._pipes = prepared
        self._texture = ArrayTexture(np.zeros((1, 1024, 4), np.uint8), smooth=False)
        self._far = self._far_lines(prepared)
        self._tubes = [self._actor(_empty()) for _tile in prepared.tiles]
        self._boxes = self._box_actors()
        self._shown_far: tuple[object, ...] = ()
        self._pixel = 0.0
        self.push_lines()
        self.actors = [self._far, *self._tubes, *self._boxes]

    def _far_lines(self, prepared: PreparedPipes) -> vtkActor:
        data = segments(prepared.paths.points, prepared.pairs)
        pushed = self.line_pull == LINE_PUSH
        actor = unlit_actor(data, pull=f"({LINE_PUSH} * {BURIED}MC)" if pushed else self.line_pull)
        actor.GetProperty().SetLineWidth(self.line_width)
        if pushed:
            shader = actor.GetShaderProperty()
            shader.AddVertexShaderReplacement(INPUT_TAG, True, f"{INPUT_TAG}\nin float {BURIED}MC;\n", False)
            set_point_array(data, BURIED, np.zeros(len(prepared.paths.points), np.float32))
            points = vtkDataObject.FIELD_ASSOCIATION_POINTS
            actor.GetMapper().MapDataArrayToVertexAttribute(f"{BURIED}MC", BURIED, points, -1)
        return actor

    def lie_under(self, ground: NDArray[np.float64] | None) -> None:
        """Heights of the ground over each of `axis_points` [local m], or None where there is no ground."""
        if self.line_pull == LINE_PUSH:
            axis = self.axis_points
            buried = np.zeros(len(axis)) if ground is None else axis[:, 2] < ground
            set_point_array(self._far.GetMapper().GetInput(), BURIED, buried.astype(np.float32))

    def _actor(self, data: vtkPolyData) -> vtkActor:
        actor = new_actor(data)
        mapper = actor.GetMapper()
        for name in ("radial", "trace"):
            mapper.MapDataArrayToVertexAttribute(f"{name}MC", name, vtkDataObject.FIELD_ASSOCIATION_POINTS, -1)
        actor.GetProperty().SetTexture("faceTex", self._texture.texture)
        self.look.light.apply(actor, Finish(kind="pipe"))
        actor.GetShaderProperty().GetVertexCustomUniforms().SetUniformf("leastRadius", 0.0)
        return actor

    def _box_actors(self) -> list[vtkActor]:
        """Far sides and floor of tunnels, and their near sides and top as glass: one sees what runs inside."""
        paths = self._pipes.paths
        if not paths.is_box.any():
            return []
        data = sweep_data(swept_boxes(paths.chosen(paths.is_box)))
        inside, glass = self._actor(data), self._actor(data)
        inside.GetProperty().FrontfaceCullingOn()
        glass.GetProperty().BackfaceCullingOn()
        glass.GetProperty().SetOpacity(BOX_GLASS)
        glass.ForceTranslucentOn()
        return [inside, glass]

    @property
    def axis_points(self) -> NDArray[np.float64]:
        """(n, 3) points of all axes [local m]."""
        return self._pipes.paths.points

    @property
    def largest_radius(self) -> float:
        """Of all pipes [m]."""
        return float(self._pipes.paths.radius.max(initial=0.0))

    def shown_segments(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Start and stop (k, 3) and radius (k,) of the segments of shown elements [local m]."""
        pipes = self._pipes
        shown = self._alpha[pipes.pair_element] > 0 if len(pipes.pairs) else np.zeros(0, np.bool_)
        pairs = pipes.pairs[shown]
        radius = pipes.paths.radius[pipes.paths.owner[pairs[:, 0]]]
        return pipes.paths.points[pairs[:, 0]], pipes.paths.points[pairs[:, 1]], radius

    def refresh(self, layer: Layer, what: str, prepared: object = None) -> bool:
        """Follow a change of the layer; other diameters are other shapes."""
        if layer.geometry is self.layer.geometry and sizes_of(layer) != self._pipes.sizes:
            self.look.light.forget(self.actors)
            self.layer = layer
            self._rebuild(prepared)
            super().refresh(layer, what)
            return True
        return super().refresh(layer, what, prepared)

    def recolour(self) -> None:
        """Colours, bands and hidden elements: one write of a texture."""
        layer = self.layer
        shown = shown_elements(layer)
        field_ = shown_field(layer)
        self._colours = self._element_colours(len(shown))
        alpha = np.full(len(shown), 255, dtype=np.uint8)
        if field_ is None:  # bands tell kinds apart; over the colours of a field they would be noise
            bands = kind_patterns(layer)
            alpha[: len(bands)] -= (PATTERN_STEP * bands).astype(np.uint8)
        alpha[~shown] = 0
        self._alpha = alpha
        self._texture.write(face_texture(self._colours, alpha))
        opacity = layer.style.opacity
        for actor in [*self._tubes, *self._boxes[:1]]:
            self.look.light.set_keep(actor, self.result_keep if field_ is not None else 0.0)
            actor.GetProperty().SetOpacity(opacity)
            actor.SetForceTranslucent(opacity < 1.0)
        self._far.GetProperty().SetOpacity(min(opacity, 0.99))
        self._shown_far = ()
        self._show_far()

    def _element_colours(self, count: int) -> NDArray[np.uint8]:
        layer = self.layer
        colours = np.empty((count, 3), dtype=np.uint8)
        colours[:] = self.plain_rgb()
        field_ = shown_field(layer)
        if field_ is not None and field_.on == "element":
            colours[: len(field_.values)] = field_colours(field_, self.look.theme)[0]
        elif field_ is None and not layer.style.colour and UTILITY in layer.table.columns:
            by_kind = kind_colours(layer, self.look.theme)
            colours[: len(by_kind)] = by_kind
        return colours

    def look_from(self, camera: Camera, size: tuple[int, int]) -> None:
        """Near tiles become tubes, far ones lines; what is outside the picture is not drawn."""
        tiles = self._pipes.tiles
        if not tiles:
            return
        low, high = (np.array([getattr(tile, name) for tile in tiles]) for name in ("low", "high"))
        inside = boxes_in_view(camera, low, high, aspect=size[0] / max(size[1], 1))
        away = distances_to(camera, low, high)
        scale = pixels_per_metre(camera, away, height=max(size[1], 1))
        left = MOST_TRIANGLES
        for number in np.argsort(away):
            tile = tiles[number]
            wide = tile.width * float(scale[number])
            level = int(wide > MID_PIXELS) + int(wide > FINE_PIXELS)
            while level and tile.segments * 2 * SIDES[level] > left:
                level -= 1
            tile.inside, tile.level = bool(inside[number]), level
            left -= tile.segments * 2 * SIDES[level] if tile.inside else 0
        least = self.least_width / 2 * _pixel_size(camera, size[1])
        for actor in self._tubes:
            actor.GetShaderProperty().GetVertexCustomUniforms().SetUniformf("leastRadius", least)
        self._pixel = _pixel_size(camera, size[1]) / (PARALLEL_REACH if camera.is_parallel else 1.0)
        self.push_lines()
        self._fill_tiles()
        self.show()

    def push_lines(self) -> None:
        """Draw buried far lines as much farther away as they are wide, where the ground is whole.

        A pixel beside a line may see the ground deeper than the line lies: it would shine through. Lines that run
        over the ground stay where they are; a push would hide them in it.
        """
        if self.line_pull == LINE_PUSH:
            push = 0.0 if self.look.fades else self.line_width * self._pixel
            self._far.GetShaderProperty().GetVertexCustomUniforms().SetUniformf(LINE_PUSH, -push)

    def _fill_tiles(self) -> None:
        """Give each tile in the picture the triangles of its level."""
        for tile, actor in zip(self._pipes.tiles, self._tubes, strict=True):
            if not (tile.inside and tile.level):
                continue
            if tile.level not in tile.made:
                mine = self._pipes.paths.chosen(tile.pieces)
                tile.made.clear()  # one level at a time is kept
                tile.made[tile.level] = sweep_data(swept_tubes(mine.chosen(~mine.is_box), sides=SIDES[tile.level]))
            if actor.GetMapper().GetInput() is not tile.made[tile.level]:
                actor.GetMapper().SetInputData(tile.made[tile.level])
        self._show_far()

    def _show_far(self) -> None:
        """Lines of the tiles that are not tubes."""
        tiles = self._pipes.tiles
        far = np.array([tile.level == 0 for tile in tiles], dtype=np.bool_)
        key = (far.tobytes(), id(self._alpha))
        if key == self._shown_far:
            return
        self._shown_far = key
        element = self._pipes.pair_element
        keep = far[self._pipes.pair_tile] & (self._alpha[element] > 0) if len(element) else np.zeros(0, np.bool_)
        data = self._far.GetMapper().GetInput()
        set_segments(data, self._pipes.pairs[keep])
        set_cell_colours(data, self._colours[element[keep]])

    def show(self) -> None:
        """Lines, and the tubes of tiles that are near."""
        visible = self.layer.style.visible
        self._far.SetVisibility(visible)
        for tile, actor in zip(self._pipes.tiles, self._tubes, strict=True):
            actor.SetVisibility(visible and tile.inside and tile.level > 0)
        for actor in self._boxes:
            actor.SetVisibility(visible)


def _pixel_size(camera: Camera, height: int) -> float:
    """Width of a pixel at a distance of a metre, or everywhere where lines of sight are parallel [m].

    A window that was never shown has no height.
    """
    far = 1000.0
    size = 1.0 / float(pixels_per_metre(camera, np.array([far]), height=max(height, 1))[0])
    return size if camera.is_parallel else size / far


def sweep_data(sweep: Sweep) -> vtkPolyData:
    """Triangles with the arrays that the shader of pipes asks for."""
    data = triangles(sweep.vertices, sweep.faces)
    set_point_array(data, "radial", sweep.radial)
    set_point_array(data, "trace", sweep.trace)
    return data


def _empty() -> vtkPolyData:
    nothing = np.zeros((0, 3), dtype=np.float32)
    return sweep_data(Sweep(nothing, nothing, nothing, np.zeros((0, 3), dtype=np.int32)))


def tube_mesh(layer: Layer, chosen: NDArray[np.bool_], *, wider: float) -> Sweep | None:
    """Tubes of some elements (elements,) bool of a pipe layer, wider by so much [m]; None when there are none."""
    if not isinstance(layer.geometry, Lines) or not chosen.any():
        return None
    lines = layer.geometry
    mine = np.flatnonzero(chosen[lines.line_element])
    counts = np.diff(lines.offsets)[mine]
    starts = np.concatenate([[0], np.cumsum(counts)])
    rows = np.repeat(lines.offsets[:-1][mine] - starts[:-1], counts) + np.arange(starts[-1])
    part = Lines(lines.vertices[rows], starts.astype(np.int32), lines.line_element[mine])
    radius, *_box = radii_of(layer)
    nothing = np.full(len(radius), np.nan)
    paths = paths_of(part, radius + wider, nothing, nothing)
    return swept_tubes(paths, sides=SIDES[2]) if len(paths) else None
