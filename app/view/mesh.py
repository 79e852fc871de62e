"""Triangles: buildings, models, roads, results on facades. Few draws: faces, creases and a coarse form per tile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkRenderingCore import vtkActor

from app.colour import field_colours
from app.view.camera import Camera, boxes_in_view, distances_to, pixels_per_metre
from app.view.creases import CITY_ANGLE, MODEL_ANGLE
from app.view.drapes import drape_over
from app.view.layer_actors import RESULT_KEEP, Drape, LayerActors, face_texture, new_actor, unlit_actor
from app.view.legend import PAINTED_FIELD, shown_field
from app.view.opened import INDOOR_KEEP, faces_away, indoor_colours
from app.view.polydata import ArrayTexture, segments, set_segments, triangles
from app.view.shader import Finish
from app.view.sky import rows_named, shown_elements
from app.view.tiles import MODEL_TILES, MOST_TILES, Edges, Part, Tile, TiledMesh, tiled_mesh
from geo.model import Field, Layer, Mesh

Colours = NDArray[np.uint8]

CREASED = frozenset({"building", "bim", "furniture", "other"})
GROUND_COVER = {"parcel": 0.002, "water": 0.003, "road": 0.004, "rail": 0.005}  # drawn in this order over the terrain
RESULT_PULL = 0.0005  # share of the distance by which result cells stand before the wall they describe
LINE_PULL = 0.001
SPACE_PULL = 0.0004  # the floor of a room lies on the slab
CLEAR_LINES = {"building": (700.0, 0.35), "bim": (120.0, 0.12)}  # metres of full strength, and the weakest
SPACE_OPACITY, OPENED_SPACE_OPACITY = 0.16, 0.5  # of rooms, in a whole building and in one cut open
MODEL_MUTE = 0.35  # share of the palette's wall colour in the colours of a model
COARSE_SCALE = 0.45  # pixels per metre below which a house is a few pixels: boxes do
VEIL = 38  # alpha of faces of which the shader draws every sixth pixel
LINES_GONE, LINES_FULL = 0.35, 0.8  # pixels per metre between which the creases of a large layer fade in


@dataclass
class DrawnTile:
    """The actors of one tile and what the camera has made of them."""

    fine: vtkActor
    coarse: vtkActor | None
    lines: vtkActor | None
    edges: Edges | None
    inside: bool = True
    far: bool = False
    near: float = 1.0
    edged: bool = True

    @property
    def solids(self) -> list[vtkActor]:
        """The actors with faces."""
        return [self.fine] if self.coarse is None else [self.fine, self.coarse]

    @property
    def actors(self) -> list[vtkActor]:
        """All of them."""
        return self.solids if self.lines is None else [*self.solids, self.lines]

    def show(self, visible: bool) -> None:
        """Draw the form that fits, or nothing."""
        coarse = self.far and self.coarse is not None
        self.fine.SetVisibility(visible and self.inside and not coarse)
        if self.coarse is not None:
            self.coarse.SetVisibility(visible and self.inside and coarse)
        if self.lines is not None:
            self.lines.SetVisibility(visible and self.inside and not coarse and self.edged and self.near > 0.0)


class MeshActors(LayerActors):
    """A layer of triangles, in tiles when it is large.

    Colour and visibility of each face lie in one texture that all tiles share, in the order in which they are drawn.
    """

    seen_through: NDArray[np.bool_] | None = None
    _left_out: frozenset[str] = frozenset()

    @staticmethod
    def prepare(layer: Layer) -> TiledMesh:
        """Tiles, creases where the theme has them, boxes for buildings far away."""
        if not isinstance(layer.geometry, Mesh):
            raise TypeError(f"{layer.kind} is not a mesh")
        building = layer.theme == "building"
        angle = MODEL_ANGLE if layer.theme == "bim" else CITY_ANGLE
        return tiled_mesh(
            layer.geometry,
            angle=angle if layer.theme in CREASED else None,
            feet=not building,
            boxes=building,
            roofs=building,
            most=MODEL_TILES if layer.theme in ("bim", "space") else MOST_TILES,
        )

    def build(self, prepared: object) -> None:
        """Faces of each tile, and its creases and coarse form where it has them."""
        if not isinstance(prepared, TiledMesh):
            raise TypeError(f"{self.layer.kind} was not prepared as triangles")
        self._tiled = prepared
        self._texture = ArrayTexture(np.zeros((1, 1024, 4), np.uint8), smooth=False)
        self._coarse_texture = ArrayTexture(np.zeros((1, 1024, 4), np.uint8), smooth=False)
        self._tiles = [self._draw(tile) for tile in prepared.tiles]
        self._low = np.array([tile.low for tile in prepared.tiles]).reshape(-1, 3)
        self._high = np.array([tile.high for tile in prepared.tiles]).reshape(-1, 3)
        self._drapes: tuple[Drape, ...] = ()
        self._lines_hide: frozenset[str] = frozenset()
        self._lines_through: NDArray[np.bool_] | None = None
        self.actors = [actor for tile in self._tiles for actor in tile.actors]

    @property
    def edges(self) -> list[Edges]:
        """The creases of all tiles."""
        return [tile.edges for tile in self._tiles if tile.edges is not None]

    def _draw(self, tile: Tile) -> DrawnTile:
        fine = self._faces_actor(tile.fine, tile.first, self._texture)
        coarse = self._faces_actor(tile.coarse, tile.coarse_first, self._coarse_texture) if tile.coarse else None
        lines = None
        if tile.edges is not None:
            lines = unlit_actor(segments(tile.edges.vertices, tile.edges.pairs), pull=LINE_PULL)
            lines.GetProperty().SetLineWidth(1.2)
        return DrawnTile(fine, coarse, lines, tile.edges)

    def _faces_actor(self, part: Part, first: int, texture: ArrayTexture) -> vtkActor:
        actor = new_actor(triangles(part.vertices, part.faces, normals=part.normals))
        actor.GetProperty().SetTexture("faceTex", texture.texture)
        self.look.light.apply(actor, self.finish())
        actor.GetShaderProperty().GetFragmentCustomUniforms().SetUniformi("faceStart", first)
        return actor

    def finish(self) -> Finish:
        """How the faces take the light."""
        return Finish(face_texture=True, pull=self._pull(), fades=self.layer.theme in GROUND_COVER)

    def set_drapes(self, drapes: Sequence[Drape]) -> None:
        """Lay results over roads and water: what is calculated there is not to be hidden by them."""
        if self.layer.theme not in GROUND_COVER or tuple(drapes) == self._drapes:
            return
        self._drapes = tuple(drapes)
        for tile in self._tiles:
            for actor in tile.solids:
                drape_over(actor, drapes, self.look, self.finish())
        self.recolour()

    def recolour(self) -> None:
        """Colours and hidden elements of all faces: one write of a texture."""
        style = self.layer.style
        element = self._tiled.element
        colours = self.face_colours()
        alpha = np.full(len(element), 255, dtype=np.uint8)
        if style.hidden or self._left_out:
            alpha[rows_named(self.layer, style.hidden | self._left_out)[element]] = 0
        if style.faded:
            alpha[(alpha > 0) & rows_named(self.layer, style.faded)[element]] = VEIL
        through = self._through()
        if through is not None:
            alpha[through[element]] = 0
        if self.layer.id in self.look.opened:
            alpha[faces_away(self.layer, element, coverings=self.look.without_coverings)] = 0
        self._write(colours, alpha)
        keep = INDOOR_KEEP if self.layer.id in self.look.opened else 0.0
        keep = RESULT_KEEP if shown_field(self.layer) is not None else keep
        keep = keep if style.shaded else 1.0
        opacity = style.opacity * (self._space_opacity() if self.layer.theme == "space" else 1.0)
        for tile in self._tiles:
            for actor in tile.solids:
                self.look.light.set_keep(actor, keep)
                actor.GetProperty().SetOpacity(opacity)
                actor.SetForceTranslucent(opacity < 1.0 or (self.look.fades and self.layer.theme in GROUND_COVER))
                within = self.layer.theme == "space" and self.layer.id in self.look.opened
                actor.GetProperty().SetBackfaceCulling(opacity < 1.0 and not within)
                actor.GetProperty().SetFrontfaceCulling(within)  # of a room cut open one sees the floor
        self._edge_strength = self.look.theme.edge_opacity * (0.5 + 0.5 * opacity)
        self._draw_lines()

    def set_seen_through(self, elements: NDArray[np.bool_] | None) -> None:
        """Leave out these elements (elements,): the x-ray shows them as glass. None draws all."""
        self.seen_through = elements
        self.recolour()

    def leave_out(self, elements: frozenset[str]) -> None:
        """Do not draw these elements: something else stands for them. None are left out of an empty set."""
        if elements != self._left_out:
            self._left_out = elements
            self.recolour()

    def _space_opacity(self) -> float:
        return OPENED_SPACE_OPACITY if self.layer.id in self.look.opened else SPACE_OPACITY

    def _through(self) -> NDArray[np.bool_] | None:
        """What is left out, unless the layer has got other elements since."""
        mask = self.seen_through
        return mask if mask is not None and len(mask) == len(shown_elements(self.layer)) else None

    def _write(self, colours: Colours, alpha: NDArray[np.uint8]) -> None:
        order, coarse = self._tiled.order, self._tiled.coarse_face
        if coarse is not None and len(coarse):
            self._coarse_texture.write(face_texture(colours[coarse], alpha[coarse]))
        if order is not None:
            colours, alpha = colours[order], alpha[order]
        self._texture.write(face_texture(colours, alpha))

    def _draw_lines(self) -> None:
        """Creases in their colour, without those of hidden elements."""
        hidden, through = self.layer.style.hidden | self._left_out, self._through()
        shown = None
        if hidden != self._lines_hide or through is not self._lines_through:
            shown = ~rows_named(self.layer, hidden) & (True if through is None else ~through)
        self._lines_hide, self._lines_through = hidden, through
        for tile in self._tiles:
            if tile.lines is None or tile.edges is None:
                continue
            property_ = tile.lines.GetProperty()
            property_.SetColor(self.look.theme.unit_rgb("edge"))
            property_.SetOpacity(self._edge_strength * tile.near)
            if shown is not None:
                kept = tile.edges.pairs[shown[tile.edges.element]]
                set_segments(tile.lines.GetMapper().GetInput(), kept)

    def look_from(self, camera: Camera, size: tuple[int, int]) -> None:
        """Tiles outside the picture are not drawn; far ones are boxes, and their creases fade and go."""
        if not self._tiles:
            return
        inside = boxes_in_view(camera, self._low, self._high, aspect=size[0] / max(size[1], 1))
        distance = distances_to(camera, self._low, self._high)
        scale = pixels_per_metre(camera, distance, height=size[1])
        full, least = CLEAR_LINES.get(self.layer.theme, CLEAR_LINES["building"])
        for tile, seen, away, detail in zip(self._tiles, inside, distance, scale, strict=True):
            tile.inside = bool(seen)
            tile.far = self.is_far(float(away), float(detail))
            tile.near = min(max(full / max(float(away), 1.0), least), 1.0)
            if self._tiled.is_split:
                tile.near *= min(max((float(detail) - LINES_GONE) / (LINES_FULL - LINES_GONE), 0.0), 1.0)
            if tile.lines is not None:
                tile.lines.GetProperty().SetOpacity(self._edge_strength * tile.near)
        self.show()

    def is_far(self, distance: float, scale: float) -> bool:
        """Whether a tile at a distance [m], drawn at a scale [pixels per metre], is drawn in its coarse form."""
        return scale < COARSE_SCALE

    def show(self) -> None:
        """Of each tile the form that fits, if the layer is visible."""
        visible = self.layer.style.visible
        for tile in self._tiles:
            tile.edged = self.layer.style.edges
            tile.show(visible)

    def face_colours(self) -> Colours:
        """(m, 3) colour of every face."""
        field = shown_field(self.layer)
        if field is not None:
            return self._by_field(field)
        painted = self.layer.field_named(PAINTED_FIELD)
        if self.layer.style.colour:
            return self._plain()
        has_own = painted is not None and painted.on == "face"
        colours = self._painted(painted) if has_own and painted is not None else self._plain()
        if self.layer.id in self.look.opened and self.layer.theme == "bim":
            return indoor_colours(self.layer, colours, self._tiled.element, theme=self.look.theme)
        return colours

    def _plain(self) -> Colours:
        colours = np.empty((len(self._tiled.element), 3), dtype=np.uint8)
        colours[:] = self.plain_rgb()
        if self.layer.theme == "building" and not self.layer.style.colour:
            colours[self._roofs()] = self.look.theme.rgb("roof")
        return colours

    def _roofs(self) -> NDArray[np.bool_]:
        surface = self.layer.field_named("surface")
        if surface is not None and surface.on == "face" and "roof" in surface.categories:
            return np.asarray(surface.values == surface.categories.index("roof"))
        return self._tiled.roof if self._tiled.roof is not None else np.zeros(len(self._tiled.element), np.bool_)

    def _painted(self, painted: Field) -> Colours:
        """The model's own colours, muted toward the palette so that they sit in the city; plain where it has none."""
        codes = painted.values
        starts = run_starts(codes)
        colours = repeated(self._muted(codes[starts]), starts, len(codes))
        bare = codes < 0
        if bare.any():
            colours[bare] = self._plain()[bare]
        return colours

    def _muted(self, codes: NDArray[np.generic]) -> Colours:
        """Colours (k, 3) of colour codes 0xRRGGBB."""
        codes = codes.astype(np.int64)
        own = np.stack([(codes >> 16) & 255, (codes >> 8) & 255, codes & 255], axis=1).astype(np.float64)
        grey = own.mean(axis=1, keepdims=True)
        calm = 0.75 * own + 0.25 * grey
        wall = np.array(self.look.theme.rgb("indoor_wall"), dtype=np.float64)
        mixed = (1 - MODEL_MUTE) * calm + MODEL_MUTE * wall
        if self.look.theme.is_dark:
            mixed *= 0.72
        return np.clip(mixed, 0, 255).astype(np.uint8)

    def _by_field(self, field: Field) -> Colours:
        if field.on == "vertex" and isinstance(self.layer.geometry, Mesh):
            mean = field.values.astype(np.float64)[self.layer.geometry.faces].mean(axis=1)
            field = Field(field.name, field.unit or "1", "face", mean, (), field.ramp, field.range)
        colours, _known = field_colours(field, self.look.theme)
        if field.on == "element":
            colours = colours[self._tiled.element]
        return colours

    def _pull(self) -> float:
        if self.layer.theme == "result":
            return RESULT_PULL
        return SPACE_PULL if self.layer.theme == "space" else GROUND_COVER.get(self.layer.theme, 0.0)


def run_starts(*values: NDArray[np.generic]) -> NDArray[np.int64]:
    """Where each run of equal values (m,) begins: the faces of an element follow one another."""
    begins = np.ones(len(values[0]), dtype=bool)
    begins[1:] = False
    for each in values:
        begins[1:] |= each[1:] != each[:-1]
    return np.flatnonzero(begins)


def repeated(colours: Colours, starts: NDArray[np.int64], count: int) -> Colours:
    """Colours (k, 3) of runs as colours (count, 3)."""
    # As one number a colour is repeated for millions of faces in a tenth of the time.
    packed = np.zeros((len(colours), 4), dtype=np.uint8)
    packed[:, :3] = colours
    whole = np.repeat(packed.view(np.uint32).ravel(), np.diff(starts, append=count))
    return whole.view(np.uint8).reshape(-1, 4)[:, :3]
