"""Light: the sky texture (shadow height, sky view, ground) over the scene, and the actors that read it.

A surface asks the texture at its own place whether the sun reaches it and how much sky it sees; one raster serves
ground, walls, roofs and trees. The shader replaces VTK's lighting altogether.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkRenderingCore import vtkActor

from app.view.polydata import ArrayTexture
from app.view.shader import Finish, shader_texts
from geo.model import Bounds, Feedback, Grid, Instances, Layer, Mesh

Raster = NDArray[np.float32]

FINEST_CELL = 0.5  # metres: a step in a shadow's edge that is still seen at street zoom
MOST_CELLS = 3_000_000
MARGIN = 60.0  # metres of ground around the buildings
LOWEST_SUN = 3.0  # degrees; below it the shadows are longer than the raster
NO_SHADE = -1.0e6  # shadow height where nothing casts one [m]
OPEN_SKY = np.array([[[NO_SHADE, 1.0, -1.0e6, 1.0]]], dtype=np.float32)
UNDER_ROOF = 0.35  # sky view at the foot of a wall: what interpolation mixes into the ground beside it
DEFAULT_SUN = (240.0, 38.0)  # grid azimuth, altitude [degrees]: afternoon, long enough shadows to read shapes
SURFACE_THEMES = frozenset({"building", "bim", "tree", "furniture", "other"})
NOWHERE = (1e7, 1e7, 1e-3, 1e-3)  # a box of the texture that every place lies outside of
NO_OPENINGS = {  # uniforms of what one looks through: x-ray hole (x, y, inner, outer), what is left of it, a trench
    "xrayHole": (1e7, 1e7, 0.0, 1.0),
    "xrayLeast": (1.0,),
    "xrayBelow": (1.0,),
    "trenchBox": (0.0, 0.0, -1.0, -1.0),
    "trenchAxis": (1.0, 0.0),
}
RAISED = 1.5  # metres above ground from which a cell is a roof and sees the sky from there


@dataclass(frozen=True)
class SkyInputs:
    """What the light needs to know of a scene. All rasters (rows, cols) float32, row 0 south.

    Attributes
    ----------
    surface : [m]
        Terrain, buildings and trees, for shadows.
    ground : [m]
    ground_view, roof_view : 0..1
        Share of the sky seen from the ground and from the roofs. Each has a plain value where the other applies.
    x0, y0 : float [local m]
        Centre of the south-west cell.
    cell : float [m]
    """

    surface: Raster
    ground: Raster
    ground_view: Raster
    roof_view: Raster
    x0: float
    y0: float
    cell: float

    @cached_property
    def pixels(self) -> Raster:
        """The texture (rows, cols, 4) of it: shadow (none yet), sky view of the ground, ground, sky view of roofs."""
        pixels = np.empty((*self.ground.shape, 4), dtype=np.float32)
        pixels[..., 0] = NO_SHADE
        pixels[..., 1] = self.ground_view
        pixels[..., 2] = self.ground
        pixels[..., 3] = self.roof_view
        return pixels


def build_sky_inputs(layers: Iterable[Layer], *, feedback: Feedback | None = None) -> SkyInputs | None:
    """Rasters of a scene for the light; pure, may run in any thread. None when there is nothing to light."""
    from analysis.kernels.shade import surface_raster

    feedback = feedback or Feedback()
    shown = [layer for layer in layers if layer.style.visible and layer.geometry is not None]
    terrains = [layer for layer in shown if layer.theme == "terrain" and isinstance(layer.geometry, Grid | Mesh)]
    casters = [layer for layer in shown if layer.theme in SURFACE_THEMES and _casts(layer)]
    extent = _extent(casters, terrains)
    if extent is None:
        return None
    x0, y0, cell, shape = extent
    place = {"x0": x0, "y0": y0, "cell": cell, "shape": shape}
    ground = np.full(shape, np.nan, dtype=np.float32)
    for layer in terrains:
        if isinstance(layer.geometry, Grid):
            heights = _resampled(layer.geometry, x0, y0, cell=cell, shape=shape)
            ground = np.where(np.isfinite(heights), np.fmax(ground, heights), ground)
        elif isinstance(layer.geometry, Mesh):
            ground = surface_raster(layer.geometry.vertices, layer.geometry.faces, start=ground, **place)
        feedback.step(0.2, "ground for the light")
    ground[~np.isfinite(ground)] = _lowest(ground, casters)
    solid, surface = ground, ground
    for number, layer in enumerate(casters):
        feedback.step(0.2 + 0.3 * number / len(casters), "surface for the light")
        mesh = _shown_mesh(layer)
        if layer.kind == "instances":
            surface = surface_raster(mesh.vertices, mesh.faces, start=surface, **place)
        else:
            solid = surface_raster(mesh.vertices, mesh.faces, start=solid, **place)
    surface = np.maximum(surface, solid)
    feedback.step(0.5, "sky view for the light")
    roof = solid - ground > RAISED
    ground_view, roof_view = _sky_views(surface, np.where(roof, solid, ground), cell, roof=roof)
    inputs = SkyInputs(surface, ground, ground_view, roof_view, x0, y0, cell)
    _ = inputs.pixels  # made here, beside the main thread
    feedback.step(1.0, "light ready")
    return inputs


def _sky_views(surface: Raster, level: Raster, cell: float, *, roof: NDArray[np.bool_]) -> tuple[Raster, Raster]:
    """Sky view of ground and of roofs; at half the resolution where the raster is large: it is the dear part."""
    from analysis.kernels.shade import sky_view

    rows, cols = surface.shape
    step = 1 if surface.size < 600_000 else 2
    part = (slice(None, None, step), slice(None, None, step))
    seen = sky_view(np.ascontiguousarray(surface[part]), np.ascontiguousarray(level[part]), cell=step * cell)
    pair = (np.where(roof[part], np.float32(UNDER_ROOF), seen), np.where(roof[part], seen, np.float32(1.0)))
    ground, roofs = (np.repeat(np.repeat(view, step, axis=0), step, axis=1)[:rows, :cols] for view in pair)
    return ground, roofs


def _casts(layer: Layer) -> bool:
    if isinstance(layer.geometry, Instances):
        return layer.geometry.face_count <= 6_000_000
    return isinstance(layer.geometry, Mesh) and layer.stratum != "underground"


def _shown_mesh(layer: Layer) -> Mesh:
    """Triangles of the elements that are not hidden; a veil casts no shadow."""
    geometry = layer.geometry
    mesh = geometry.baked() if isinstance(geometry, Instances) else geometry
    if not isinstance(mesh, Mesh):
        raise TypeError(f"{layer.kind} casts no shadow")
    left_out = layer.style.hidden | layer.style.faded
    if not left_out:
        return mesh
    shown = ~rows_named(layer, left_out)[mesh.face_element]
    return Mesh(mesh.vertices, mesh.faces[shown], mesh.face_element[shown])


def shown_elements(layer: Layer) -> NDArray[np.bool_]:
    """(elements,) whether each row of the layer's table is drawn."""
    return ~rows_named(layer, layer.style.hidden)


def rows_named(layer: Layer, names: Iterable[str]) -> NDArray[np.bool_]:
    """(elements,) which rows of the layer's table have these ids."""
    named = np.zeros(max(len(layer.table), 1 + largest_element(layer)), dtype=np.bool_)
    named[[layer.table.index[name] for name in names if name in layer.table.index]] = True
    return named


def largest_element(layer: Layer) -> int:
    """Largest element row that the geometry mentions, -1 for none."""
    for name in ("face_element", "line_element", "element"):
        rows = getattr(layer.geometry, name, None)
        if rows is not None and len(rows):
            return int(rows.max())
    return -1


def _extent(casters: Sequence[Layer], terrains: Sequence[Layer]) -> tuple[float, float, float, tuple[int, int]] | None:
    """Centre of the first cell, cell size and shape of the raster: the buildings and some ground, else the ground."""
    box = _union(casters)
    ground = _union(terrains)
    if box is None and ground is None:
        return None
    if box is None:
        low, high = np.array(ground.low[:2]), np.array(ground.high[:2])  # type: ignore[union-attr]
    else:
        low, high = np.array(box.low[:2]) - MARGIN, np.array(box.high[:2]) + MARGIN
    size = high - low
    cell = max(FINEST_CELL, math.sqrt(float(size[0] * size[1]) / MOST_CELLS))
    cols, rows = (max(int(math.ceil(s / cell)), 2) for s in size)
    return float(low[0] + cell / 2), float(low[1] + cell / 2), cell, (rows, cols)


def _union(layers: Sequence[Layer]) -> Bounds | None:
    boxes = [layer.geometry.bounds for layer in layers if layer.geometry is not None]
    return Bounds.union([box for box in boxes if box is not None])


def _lowest(ground: Raster, casters: Sequence[Layer]) -> float:
    """A ground height where none is known: the lowest known, else the foot of the buildings."""
    if np.isfinite(ground).any():
        return float(np.nanmin(ground))
    feet = [layer.geometry.bounds.low[2] for layer in casters if layer.geometry and layer.geometry.bounds]
    return float(min(feet, default=0.0))


def _resampled(grid: Grid, x0: float, y0: float, *, cell: float, shape: tuple[int, int]) -> Raster:
    """Heights of a grid at the raster's cell centres, bilinear along rows and columns in turn; NaN outside."""
    rows, cols = shape
    col = (x0 + cell * np.arange(cols) - grid.x0) / grid.cell
    row = (y0 + cell * np.arange(rows) - grid.y0) / grid.cell
    values = grid.values.astype(np.float32)
    r0, v, known_row = _neighbours(row, values.shape[0])
    c0, u, known_col = _neighbours(col, values.shape[1])
    r1, c1 = np.minimum(r0 + 1, values.shape[0] - 1), np.minimum(c0 + 1, values.shape[1] - 1)
    lines = values[r0] * (1 - v)[:, None] + values[r1] * v[:, None]
    out = lines[:, c0] * (1 - u) + lines[:, c1] * u
    out[~known_row] = np.nan
    out[:, ~known_col] = np.nan
    return out


def _neighbours(place: NDArray[np.float64], count: int) -> tuple[NDArray[np.int64], Raster, NDArray[np.bool_]]:
    known = (place >= -0.5) & (place <= count - 0.5)
    inside = np.clip(place, 0, count - 1)
    low = np.minimum(inside.astype(np.int64), max(count - 2, 0))
    return low, (inside - low).astype(np.float32), known


class SkyTexture:
    """The light of a scene: textures and uniforms of every actor it was applied to."""

    def __init__(self) -> None:
        self._inputs: SkyInputs | None = None
        self._sun = DEFAULT_SUN
        self._actors: list[vtkActor] = []
        self._indoor: set[int] = set()
        self._openings: dict[str, tuple[float, ...]] = dict(NO_OPENINGS)
        # Shadow height, sky view on the ground, ground height, sky view on roofs.
        self._pixels = OPEN_SKY.copy()
        self._texture = ArrayTexture(self._pixels, smooth=True)

    @property
    def sun(self) -> tuple[float, float]:
        """Grid azimuth and altitude [degrees]."""
        return self._sun

    def set_inputs(self, inputs: SkyInputs | None) -> None:
        """Take over rasters made by `build_sky_inputs`."""
        self._inputs = inputs
        self._pixels = OPEN_SKY.copy() if inputs is None else inputs.pixels
        self._texture.write(self._pixels)
        self.set_sun(*self._sun)

    def recast(self, inputs: SkyInputs) -> None:
        """Take over another surface that casts shadows; what is seen of the sky stays as it is."""
        self._inputs = inputs
        self.set_sun(*self._sun)

    def set_sun(self, azimuth: float, altitude: float) -> None:
        """Move the sun: azimuth from **grid** north, clockwise, where it stands; altitude [degrees]."""
        self._sun = (azimuth, altitude)
        if self._inputs is None or altitude < LOWEST_SUN:
            self._pixels[..., 0] = NO_SHADE
        else:
            # Here and not above: the work that made the inputs has imported Numba beside the main thread.
            from analysis.kernels.shade import shadow_height

            inputs = self._inputs
            shade = shadow_height(inputs.surface, cell=inputs.cell, azimuth=azimuth, altitude=altitude)
            self._pixels[..., 0] = shade
        self._texture.touch()
        for actor in self._actors:
            self._set_uniforms(actor)

    def apply(self, actor: vtkActor, finish: Finish, *, keep: float = 0.0) -> None:
        """Give an actor the light. Call before it is drawn; again to change `finish`.

        `keep` (0..1) is how much of its own colour shows through: 0.7 where a result colours the surface.
        """
        shader = actor.GetShaderProperty()
        shader.ClearAllShaderReplacements()
        for stage, tag, text in shader_texts(finish):
            if stage == "vertex":
                shader.AddVertexShaderReplacement(tag, True, text, False)
            else:
                shader.AddFragmentShaderReplacement(tag, True, text, False)
        actor.GetProperty().SetTexture("skyTex", self._texture.texture)
        if actor not in self._actors:
            self._actors.append(actor)
        self.set_keep(actor, keep)
        shader.GetFragmentCustomUniforms().SetUniformf("shadeLift", finish.lift)
        self._set_uniforms(actor)

    def set_keep(self, actor: vtkActor, keep: float) -> None:
        """Change how much of its own colour an actor keeps."""
        actor.GetShaderProperty().GetFragmentCustomUniforms().SetUniformf("keep", keep)

    def forget(self, actors: Iterable[vtkActor]) -> None:
        """These actors are gone."""
        gone = set(map(id, actors))
        self._actors = [actor for actor in self._actors if id(actor) not in gone]
        self._indoor -= gone

    def set_indoor(self, actors: Iterable[vtkActor], indoor: bool) -> None:
        """Light these actors evenly, as if nothing stood over them: a room whose roof was cut away."""
        changed = set(map(id, actors))
        self._indoor = self._indoor | changed if indoor else self._indoor - changed
        for actor in self._actors:
            if id(actor) in changed:
                self._set_uniforms(actor)

    @property
    def inputs(self) -> SkyInputs | None:
        """The rasters in use."""
        return self._inputs

    def set_openings(self, **uniforms: tuple[float, ...]) -> None:
        """Where one looks through the ground: some of the uniforms of `NO_OPENINGS`."""
        self._openings |= uniforms
        for actor in self._actors:
            self._set_openings(actor)

    def _set_openings(self, actor: vtkActor) -> None:
        uniforms = actor.GetShaderProperty().GetFragmentCustomUniforms()
        setters = {1: uniforms.SetUniformf, 2: uniforms.SetUniform2f, 4: uniforms.SetUniform4f}
        for name, value in self._openings.items():
            setters[len(value)](name, value[0] if len(value) == 1 else list(value))

    def _set_uniforms(self, actor: vtkActor) -> None:
        self._set_openings(actor)
        uniforms = actor.GetShaderProperty().GetFragmentCustomUniforms()
        azimuth_rad, altitude_rad = math.radians(self._sun[0]), math.radians(max(self._sun[1], 0.5))
        level = math.cos(altitude_rad)
        sun = [math.sin(azimuth_rad) * level, math.cos(azimuth_rad) * level, math.sin(altitude_rad)]
        uniforms.SetUniform3f("sunDirection", sun)
        up = min(max((self._sun[1] - LOWEST_SUN + 1.0) / 3.0, 0.0), 1.0)
        uniforms.SetUniformf("sunStrength", up)
        uniforms.SetUniformf("skyStrength", 0.78 + 0.22 * min(max((self._sun[1] + 6.0) / 14.0, 0.0), 1.0))
        box, cell = (-1e7, -1e7, 5e-8, 5e-8), 1.0
        if self._inputs is not None:
            rows, cols = self._inputs.surface.shape
            cell = self._inputs.cell
            west, south = self._inputs.x0 - cell / 2, self._inputs.y0 - cell / 2
            box = (west, south, 1.0 / (cols * cell), 1.0 / (rows * cell))
        if id(actor) in self._indoor:
            box = NOWHERE
        uniforms.SetUniform4f("skyBox", list(box))
        uniforms.SetUniformf("skyCell", cell)
