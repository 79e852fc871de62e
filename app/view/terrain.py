"""The ground: a height grid or a triangulated surface with a skirt, and the pictures draped over it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.colour import field_colours
from app.view.camera import Camera, boxes_in_view
from app.view.creases import crease_edges, vertex_normals
from app.view.drapes import drape_over
from app.view.hatch import hatch_codes
from app.view.layer_actors import RESULT_KEEP, Drape, LayerActors, Look, new_actor
from app.view.legend import shown_field
from app.view.polydata import ArrayTexture, triangles
from app.view.shader import Finish
from app.view.tiles import Part
from geo.model import Field, Grid, Image, Layer, Mesh, merge_meshes

MOST_TRIANGLES = 700_000
SQUARE_FACES = 60_000
SKIRT = 6.0  # metres
LARGEST_TEXTURE = 8192
RESULT_STRENGTH = 0.92
DARK_PHOTO = 0.5  # share of a photograph in the dark theme: by day it would outshine everything


class TerrainActors(LayerActors):
    """Ground that pictures are draped over."""

    def __init__(self, layer: Layer, look: Look, prepared: object = None) -> None:
        self._drapes: tuple[Drape, ...] = ()
        self._own: Drape | None = None
        super().__init__(layer, look, prepared)

    @staticmethod
    def prepare(layer: Layer) -> tuple[Part, ...]:
        """Surface and skirt, in squares."""
        geometry = layer.geometry
        if isinstance(geometry, Grid):
            mesh, normals, rim = _grid_surface(geometry)
        elif isinstance(geometry, Mesh):
            plain = Mesh(geometry.vertices, geometry.faces, geometry.face_element)  # its normals go when it goes
            mesh, normals, rim = plain, vertex_normals(plain), _rim(plain)
        else:
            raise TypeError(f"{layer.kind} is not a terrain")
        mesh, normals = _with_skirt(mesh, normals, rim)
        return _squares(Part(mesh.vertices.astype(np.float32), mesh.faces, normals))

    def build(self, prepared: object) -> None:
        """One actor for each square."""
        if not isinstance(prepared, tuple):
            raise TypeError(f"{self.layer.kind} was not prepared as a surface")
        self.actors = [new_actor(triangles(part.vertices, part.faces, normals=part.normals)) for part in prepared]
        boxes = [(part.vertices.min(axis=0), part.vertices.max(axis=0)) for part in prepared if len(part.vertices)]
        self._low, self._high = (np.array([box[side] for box in boxes], dtype=np.float64) for side in (0, 1))
        self._drape_all()

    def look_from(self, camera: Camera, size: tuple[int, int]) -> None:
        """Squares outside the picture are not drawn."""
        if len(self.actors) < 2 or not self.layer.style.visible:
            return
        inside = boxes_in_view(camera, self._low, self._high, aspect=size[0] / max(size[1], 1))
        for actor, seen in zip(self.actors, inside, strict=True):
            actor.SetVisibility(bool(seen))

    def recolour(self) -> None:
        """Colour of the bare ground."""
        red, green, blue = self.plain_rgb()
        opacity = self.layer.style.opacity
        for actor in self.actors:
            actor.GetProperty().SetColor(red / 255, green / 255, blue / 255)
            actor.GetProperty().SetOpacity(opacity)
            actor.SetForceTranslucent(opacity < 1.0 or self.look.fades)
        self._own = None
        if shown_field(self.layer) is not None and isinstance(self.layer.geometry, Grid):
            self._own = _grid_drape(self.layer, self.layer.geometry, self.look)

    def set_drapes(self, drapes: Sequence[Drape]) -> None:
        """Lay these pictures over the ground, the last on top."""
        if tuple(drapes) != self._drapes:
            self._drapes = tuple(drapes)
            self._drape_all()

    def _drape_all(self) -> None:
        for actor in self.actors:
            drape_over(actor, self._drapes, self.look, Finish(smooth=True, fades=True))

    @property
    def drape(self) -> Drape | None:
        """A terrain may be coloured by its own heights or another of its fields."""
        return self._own


class DrapedActors(LayerActors):
    """A grid or an image: draped over the terrain when there is one, else drawn flat at its own height."""

    def build(self, prepared: object) -> None:
        """The flat sheet for scenes without terrain; the viewport shows one or the other."""
        bounds = self.layer.geometry.bounds if self.layer.geometry is not None else None
        height = self.layer.geometry.z if isinstance(self.layer.geometry, Grid) else 0.0
        low, high = (bounds.low, bounds.high) if bounds is not None else ((0.0,) * 3, (0.0,) * 3)
        corners = np.array([[x, y, height] for y in (low[1], high[1]) for x in (low[0], high[0])])
        faces = np.array([[0, 1, 3], [0, 3, 2]], dtype=np.int32)
        self._sheet = new_actor(triangles(corners, faces))
        self.actors = [self._sheet]
        self._drape: Drape | None = None
        self._pictured: tuple[NDArray[np.uint8], ArrayTexture] | None = None
        self._flat = False

    def recolour(self) -> None:
        """Make the picture anew."""
        geometry = self.layer.geometry
        if isinstance(geometry, Image):
            self._drape = _image_drape(self.layer, geometry, self.look, self._picture(geometry))
        elif isinstance(geometry, Grid):
            self._drape = _grid_drape(self.layer, geometry, self.look)
        if self._drape is not None:
            drape_over(self._sheet, [self._drape], self.look, Finish(fades=True))
        self._sheet.GetProperty().SetColor(self.look.theme.unit_rgb("ground"))

    def _picture(self, image: Image) -> ArrayTexture | None:
        """The texture of a picture; the one before as long as its pixels are the same: it takes long to bring."""
        if image.pixels.size == 0:
            return None
        if self._pictured is None or self._pictured[0] is not image.pixels:
            step = _texture_step(image.pixels.shape)
            # Three channels: a texture without alpha is opaque, and the layer's own pixels need no copy.
            texture = ArrayTexture(image.pixels[::step, ::step], smooth=True, mipmap=True)
            self._pictured = image.pixels, texture
        return self._pictured[1]

    def patch(self, index: NDArray[np.int64], colours: NDArray[np.uint8], known: NDArray[np.bool_]) -> bool:
        """Colours (k, 3) of some cells, by their flat number in the grid; False where not every cell has a texel.

        known : (k,) bool
            Whether the cell has a value; one without is clear.
        """
        grid = self.layer.geometry
        if self._drape is None or not isinstance(grid, Grid) or _texture_step(grid.values.shape) != 1:
            return False
        self._drape.texture.write_some(index, np.where(known[:, None], np.insert(colours, 3, 255, axis=1), 0))
        return True

    def show(self) -> None:
        """The sheet shows only where there is no terrain to lie on."""
        self._sheet.SetVisibility(self.layer.style.visible and self._flat)

    def set_flat(self, flat: bool) -> None:
        """Whether there is no terrain."""
        self._flat = flat
        self.show()

    @property
    def drape(self) -> Drape | None:
        """The picture."""
        return self._drape


def _grid_drape(layer: Layer, grid: Grid, look: Look) -> Drape | None:
    field = shown_field(layer)
    if grid.values.size == 0:
        return None
    if field is None or field.values.shape != grid.values.shape:
        field = Field(layer.name or "value", "1", "cell", grid.values)
    colours, known = field_colours(field, look.theme)
    pixels = np.zeros((*known.shape, 4), dtype=np.uint8)
    pixels[known, :3] = colours[known]
    pixels[known, 3] = 255
    step = _texture_step(pixels.shape)
    texture = ArrayTexture(pixels[::step, ::step], smooth=not field.categories)
    strength = RESULT_STRENGTH * layer.style.opacity
    codes = hatch_codes(layer, known)
    hatch = ArrayTexture(np.repeat(codes[::step, ::step, None], 3, axis=2), smooth=False) if codes is not None else None
    return Drape(layer.id, texture, _box(grid, grid.values.shape), strength, RESULT_KEEP, hatch)


def _image_drape(layer: Layer, image: Image, look: Look, texture: ArrayTexture | None) -> Drape | None:
    if texture is None:
        return None
    strength = layer.style.opacity * (DARK_PHOTO if look.theme.is_dark else 1.0)
    return Drape(layer.id, texture, _box(image, image.pixels.shape[:2]), strength, 0.35)


def _texture_step(shape: tuple[int, ...]) -> int:
    return max(math.ceil(max(shape[0], shape[1]) / LARGEST_TEXTURE), 1)


def _box(place: Grid | Image, shape: tuple[int, ...]) -> tuple[float, float, float, float]:
    rows, cols = shape[0], shape[1]
    half = place.cell / 2
    return (place.x0 - half, place.y0 - half, 1.0 / (cols * place.cell), 1.0 / (rows * place.cell))


def _squares(whole: Part) -> tuple[Part, ...]:
    """A large surface in squares of about `SQUARE_FACES` triangles: a part of it is drawn in a short time."""
    side = max(round(math.sqrt(len(whole.faces) / SQUARE_FACES)), 1)
    if side == 1 or whole.normals is None:
        return (whole,)
    middle = whole.vertices[whole.faces[:, 0], :2]
    low, high = middle.min(axis=0), middle.max(axis=0)
    place = np.minimum(((middle - low) / np.maximum(high - low, 1e-6) * side).astype(np.int32), side - 1)
    square = place[:, 1] * side + place[:, 0]
    parts = []
    for number in np.unique(square):
        faces = whole.faces[square == number]
        used = np.zeros(len(whole.vertices), dtype=bool)
        used[faces.ravel()] = True
        renumbered = (np.cumsum(used, dtype=np.int32) - 1)[faces]
        parts.append(Part(whole.vertices[used], renumbered.astype(np.int32), whole.normals[used]))
    return tuple(parts)


def _grid_surface(grid: Grid) -> tuple[Mesh, NDArray[np.float32], NDArray[np.int32]]:
    """Triangles of a height grid, thinned when there are very many; normals of the vertices; edges of the rim."""
    step = max(math.ceil(math.sqrt(2 * grid.values.size / MOST_TRIANGLES)), 1)
    mesh = grid.surface(step=step)
    rows, cols = grid.values[::step, ::step].shape
    if len(mesh.vertices) != rows * cols or min(rows, cols) < 2:
        return mesh, vertex_normals(mesh), _grid_rim(mesh)
    # No holes: the same from rows and columns, in a tenth of the time.
    north, east = np.gradient(grid.values[::step, ::step], grid.cell * step)
    normals = np.stack([-east, -north, np.ones_like(east)], axis=-1).reshape(-1, 3)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    number = np.arange(rows * cols, dtype=np.int32).reshape(rows, cols)
    around = np.concatenate([number[0, :-1], number[:-1, -1], number[-1, :0:-1], number[:0:-1, 0]])
    return mesh, normals.astype(np.float32), np.stack([around, np.roll(around, -1)], axis=1)


def _with_skirt(mesh: Mesh, normals: NDArray[np.float32], rim: NDArray[np.int32]) -> tuple[Mesh, NDArray[np.float32]]:
    """The surface with its rim pulled down, so that the ground reads as a body and not as a sheet of paper."""
    if len(mesh.faces) == 0:
        return mesh, normals
    top = mesh.vertices[rim].reshape(-1, 3)
    bottom = top - (0.0, 0.0, SKIRT)
    count = len(rim)
    along = mesh.vertices[rim[:, 1]] - mesh.vertices[rim[:, 0]]
    outward = np.stack([along[:, 1], -along[:, 0], np.zeros(count)], axis=1)
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9)
    a = np.arange(count, dtype=np.int32) * 2
    b, c, d = a + 1, a + 1 + 2 * count, a + 2 * count
    quads = np.concatenate([np.stack([a, d, c], 1), np.stack([a, c, b], 1)])
    skirt = Mesh(np.concatenate([top, bottom]), quads, np.zeros(2 * count, np.int32))
    both = merge_meshes([mesh, skirt])
    side = np.repeat(outward, 2, axis=0).astype(np.float32)
    return both, np.concatenate([normals, side, side])


def _rim(mesh: Mesh) -> NDArray[np.int32]:
    """(k, 2) edges with a face on one side only; corners that lie together count as one."""
    flat = Mesh(mesh.vertices * (1.0, 1.0, 0.0), mesh.faces, np.zeros(len(mesh.faces), np.int32))
    return crease_edges(flat, angle=90.0)[0]


def _grid_rim(mesh: Mesh) -> NDArray[np.int32]:
    """The same for a surface whose faces share their corners by number: a third of the time."""
    start, stop = mesh.faces.ravel(), np.roll(mesh.faces, -1, axis=1).ravel()
    key = np.minimum(start, stop).astype(np.int64) * len(mesh.vertices) + np.maximum(start, stop)
    order = np.argsort(key)
    change = np.flatnonzero(np.diff(key[order], prepend=-1))
    alone = order[change[np.diff(np.append(change, len(order))) == 1]]
    return np.stack([start[alone], stop[alone]], axis=1)
