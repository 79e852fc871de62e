"""What an x-ray hole shows: a dark floor with a grid, shadows of the pipes on it, buildings as glass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkCommonCore import vtkInformation
from vtkmodules.vtkRenderingCore import vtkActor, vtkRenderer
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLActor

from app.view.camera import Camera
from app.view.creases import crease_edges
from app.view.layer_actors import LayerActors, Look, new_actor, unlit_actor
from app.view.mesh import GROUND_COVER, MeshActors
from app.view.polydata import segments, set_point_colours, triangles
from app.view.shader import Finish
from app.view.sky import SkyInputs, shown_elements
from app.view.terrain import DrapedActors, TerrainActors
from app.view.tubes import TubesActors
from app.view.xray import LEAST_COVER, XRay, boxes_within
from geo.model import Grid, Instances, Layer, Mesh

Floats = NDArray[np.float64]

DEPTH = 6.0  # metres from the ground to the floor of the pit, or as deep as the pipes need
FLOOR_CLEAR = 0.7  # metres between the lowest pipe and the floor
DEPTH_STEP = 2.0  # metres in which the floor goes down, so that it rests while the hole moves
DEEPEST = 60.0
FLOOR_CELLS = 72
FLOOR_REST = 0.5  # times the outer radius that the hole may leave the middle of the floor
FLOOR_REACH = 2.4  # times the outer radius to which the floor goes on under the whole ground
SHADOW_SPREAD = (1.6, 0.5)  # half width of a pipe's shadow: times its radius, and metres more
SHADOW_DARK = 150  # 0..255 in the middle of a shadow
SHADOW_STEP = 6.0  # metres between the points of a shadow, so that it follows the floor
MOST_SHADOWS = 30_000  # segments
FARTHEST_SHADOWS = 250.0  # metres of radius of a hole beyond which they would be finer than a pixel
GLASS_FILL, GLASS_EDGE = 0.13, 0.34
MODEL_FILL = 0.015
GLASS_THEMES = frozenset({"building", "bim", "furniture", "other", "space"})
GROUND_THEMES = frozenset({"terrain", "orthophoto", *GROUND_COVER})
EDGES_AT_FULL = 600  # edges of one layer's glass up to which each is drawn at full strength
MOST_GLASS = 400_000  # faces beyond which glass has no edges
BELOW_COVER = 0.16  # what is left of the ground seen from below


class XRayActors:
    """The hole in the ground of a scene.

    Parameters
    ----------
    scene : vtkRenderer
    look : app.view.layer_actors.Look
    """

    def __init__(self, scene: vtkRenderer, look: Look) -> None:
        self.xray: XRay | None = None
        self._scene, self._look = scene, look
        self._below = False
        self.depth = DEPTH
        self._eye = (0.0, 0.0, 1e5)
        self._floor: list[vtkActor] = []
        self._floor_of: XRay | None = None
        self._glass: dict[str, list[vtkActor]] = {}

    def set_xray(self, xray: XRay | None, layers: Mapping[str, LayerActors]) -> None:
        """Open, move or close the hole."""
        self.xray = xray
        light = self._look.light
        hole = (1e7, 1e7, 0.0, 1.0) if xray is None else (*xray.focus, xray.inner, xray.outer)
        light.set_openings(xrayHole=hole, xrayLeast=(LEAST_COVER,))
        if self._floor_is_far():
            self._build_floor(layers)
            self._fade(layers.values())
        for drawn in layers.values():
            self.follow(drawn)

    def _floor_is_far(self) -> bool:
        """Whether the floor must be made anew: the hole came, went, grew, or has left its middle."""
        old, new = self._floor_of, self.xray
        if old is None or new is None:
            return old is not new
        moved = float(np.hypot(*np.subtract(old.focus, new.focus)))
        return moved > FLOOR_REST * new.outer or not 0.8 < new.outer / old.outer < 1.05

    def look_from(self, camera: Camera, layers: Mapping[str, LayerActors]) -> None:
        """The camera has moved: an eye under the ground that looks up sees it as glass."""
        far = 1e5 * camera.forward if camera.is_parallel else 0.0
        self._eye = tuple(float(v) for v in camera.eye - far)
        self._tell_floor()
        below = camera.pitch > 0.0 and camera.position[2] < _highest_ground(layers)
        if below != self._below:
            self._below = below
            self._look.light.set_openings(xrayBelow=(BELOW_COVER if below else 1.0,))
            self._fade(layers.values())

    @property
    def is_seen_through(self) -> bool:
        """Whether the ground is anything but whole."""
        return self.xray is not None or self._below

    def _fade(self, layers: Iterable[LayerActors]) -> None:
        """Ground and what lies on it are drawn last and blended, but still hide what is behind them."""
        drawn = list(layers)
        self._look.fades = self.is_seen_through
        for pipes in drawn:
            if isinstance(pipes, TubesActors):
                pipes.push_lines()
        last = [d for d in drawn if isinstance(d, TerrainActors)]
        last += [d for d in drawn if isinstance(d, DrapedActors) or d.layer.theme in GROUND_COVER]
        for fading in last:
            for actor in fading.actors:
                opaque = fading.layer.style.opacity >= 1.0
                actor.SetForceTranslucent(self.is_seen_through or not opaque)
                actor.SetPropertyKeys(_deep() if self.is_seen_through else None)
                if self.is_seen_through:
                    self._scene.RemoveActor(actor)
                    self._scene.AddActor(actor)

    def follow(self, drawn: LayerActors) -> None:
        """A layer is new, was drawn anew, or the hole has moved: what stands in it becomes glass, trees go."""
        if not isinstance(drawn, MeshActors):
            return
        mask = None if self.xray is None else standing_in(drawn.layer, self.xray)
        before = drawn.seen_through
        if mask is not None and not mask.any():
            mask = None
        if mask is None and before is None:
            return
        known = layer_key(drawn.layer)
        if mask is not None and before is not None and np.array_equal(mask, before) and known in self._glass:
            return
        drawn.set_seen_through(mask)
        self.forget(drawn.layer.id)
        made = glass_of(drawn.layer, mask) if mask is not None and drawn.layer.style.visible else []
        self._glass[drawn.layer.id] = made
        for actor in made:
            self._scene.AddActor(actor)

    def refresh(self, drawn: LayerActors, layers: Mapping[str, LayerActors]) -> None:
        """A layer has come or was changed."""
        if isinstance(drawn, TerrainActors):
            self.bury(layers)
        elif isinstance(drawn, TubesActors):
            self.bury(layers, drawn)
        if self.xray is not None:
            self._build_floor(layers)
        if self.is_seen_through:
            self._fade(layers.values())
        if self.xray is not None:
            self.forget(drawn.layer.id)
            self.follow(drawn)

    def bury(self, layers: Mapping[str, LayerActors], only: TubesActors | None = None) -> None:
        """Tell pipes where the ground lies over them; it may have come, gone or changed."""
        grounds = _shown_grounds(layers)
        heights = GroundHeights(grounds, self._look.light.inputs) if grounds else None
        for pipes in [only] if only is not None else [d for d in layers.values() if isinstance(d, TubesActors)]:
            x, y = pipes.axis_points[:, 0], pipes.axis_points[:, 1]
            pipes.lie_under(heights.at(x, y) if heights is not None else None)

    def ground_level(self, x: float, y: float, layers: Mapping[str, LayerActors]) -> float:
        """Height of the ground at a place [local m]; 0 where there is none."""
        grounds = [d.layer for d in layers.values() if isinstance(d, TerrainActors)]
        if not grounds:
            return 0.0
        return float(GroundHeights(grounds, self._look.light.inputs).at(np.array([x]), np.array([y]))[0])

    def forget(self, layer_id: str) -> None:
        """The layer is drawn no longer."""
        for actor in self._glass.pop(layer_id, []):
            self._scene.RemoveActor(actor)

    def retheme(self, layers: Mapping[str, LayerActors]) -> None:
        """The palette has changed."""
        self._build_floor(layers)
        self._fade(layers.values())

    def release(self) -> None:
        """Let go of everything."""
        for layer_id in list(self._glass):
            self.forget(layer_id)
        self._drop_floor()

    # -- the floor

    def _drop_floor(self) -> None:
        self._look.light.forget(self._floor)
        for actor in self._floor:
            self._scene.RemoveActor(actor)
        self._floor = []

    def _tell_floor(self) -> None:
        """The floor asks from where it is seen."""
        if self._floor:
            uniforms = self._floor[0].GetShaderProperty().GetFragmentCustomUniforms()
            uniforms.SetUniform3f("eyePlace", list(self._eye))
            uniforms.SetUniformf("pitDepth", self.depth)

    @staticmethod
    def _wide(xray: XRay) -> XRay:
        """The hole with the way it may go before the floor is made anew."""
        outer = xray.outer * (1.0 + FLOOR_REST)
        return XRay(xray.focus, 0.9 * outer, outer)

    def _build_floor(self, layers: Mapping[str, LayerActors]) -> None:
        self._drop_floor()
        self._floor_of = self.xray
        grounds = _shown_grounds(layers)
        if self.xray is None or not grounds:
            return
        pipes = [d for d in layers.values() if isinstance(d, TubesActors) and d.layer.style.visible]
        heights = GroundHeights(grounds, self._look.light.inputs)
        self.depth = depth = pit_depth(pipes, self._wide(self.xray), heights)
        floor = new_actor(triangles(*_floor_mesh(self.xray, depth, heights)))
        theme = self._look.theme
        floor.GetProperty().SetColor(theme.unit_rgb("pit"))
        floor.GetProperty().BackfaceCullingOn()
        self._look.light.apply(floor, Finish(kind="pit"))
        floor.GetShaderProperty().GetFragmentCustomUniforms().SetUniform3f("gridColour", theme.unit_rgb("pit_grid"))
        self._floor = [floor]
        self._tell_floor()
        own = [d for d in pipes if d.layer.theme != "result"]  # a result lies over pipes that have their shadow
        shadows = (
            None if self.xray.outer > FARTHEST_SHADOWS else shadow_strips(own, self._wide(self.xray), depth, heights)
        )
        if shadows is not None:
            self._floor.append(shadows)
        for actor in self._floor:
            actor.PickableOff()
            self._scene.AddActor(actor)


def _shown_grounds(layers: Mapping[str, LayerActors]) -> list[Layer]:
    return [d.layer for d in layers.values() if isinstance(d, TerrainActors) and d.layer.style.visible]


def _highest_ground(layers: Mapping[str, LayerActors]) -> float:
    grounds = [d.layer.geometry for d in layers.values() if isinstance(d, TerrainActors)]
    boxes = [ground.bounds for ground in grounds if ground is not None]
    return max((box.high[2] for box in boxes if box is not None), default=-np.inf)


def _deep() -> vtkInformation:
    """What makes a translucent actor write its depth."""
    keys = vtkInformation()
    keys.Set(vtkOpenGLActor.GLDepthMaskOverride(), 1)
    return keys


def layer_key(layer: Layer) -> str:
    """By what the glass of a layer is kept."""
    return layer.id


class GroundHeights:
    """Height of the ground at places, from height grids, else from the raster of the light."""

    def __init__(self, grounds: Iterable[Layer], inputs: SkyInputs | None) -> None:
        layers = [layer for layer in grounds if layer.geometry is not None]
        self._grids = [layer.geometry for layer in layers if isinstance(layer.geometry, Grid)]
        self._inputs = inputs
        boxes = [layer.geometry.bounds for layer in layers if layer.geometry is not None]
        known = [box for box in boxes if box is not None]
        self.low = np.min([box.low for box in known], axis=0)
        self.high = np.max([box.high for box in known], axis=0)

    def at(self, x: Floats, y: Floats) -> Floats:
        """(n,) heights [local m]; the lowest ground where none is known."""
        found = np.full(np.shape(x), np.nan)
        for grid in self._grids:
            found = np.where(np.isfinite(found), found, grid.sample(x, y))
        lacking = ~np.isfinite(found)
        if lacking.any() and self._inputs is not None:
            place = self._inputs
            row = np.clip(np.rint((y - place.y0) / place.cell), 0, place.ground.shape[0] - 1).astype(np.int64)
            col = np.clip(np.rint((x - place.x0) / place.cell), 0, place.ground.shape[1] - 1).astype(np.int64)
            found = np.where(lacking, place.ground[row, col], found)
        return np.asarray(np.where(np.isfinite(found), found, self.low[2]))


def pit_depth(pipes: Iterable[TubesActors], xray: XRay, heights: GroundHeights) -> float:
    """Depth of the floor below the ground [m]: under all pipes in the hole, in whole steps."""
    deepest = DEPTH - FLOOR_CLEAR
    for drawn in pipes:
        points = drawn.axis_points
        near = points[xray.share(points) > 0]
        if len(near):
            under = heights.at(near[:, 0], near[:, 1]) - near[:, 2] + drawn.largest_radius
            deepest = max(deepest, float(under.max()))
    wanted = DEPTH + DEPTH_STEP * np.ceil(max(deepest + FLOOR_CLEAR - DEPTH, 0.0) / DEPTH_STEP)
    return float(min(wanted, DEEPEST))


def _floor_mesh(xray: XRay, depth: float, heights: GroundHeights) -> tuple[Floats, NDArray[np.int32]]:
    """A net of triangles under the hole and some way beyond, never beyond the ground."""
    reach = FLOOR_REACH * xray.outer + 2.0 * depth
    place = np.linspace(-reach, reach, FLOOR_CELLS + 1)
    x, y = np.meshgrid(xray.focus[0] + place, xray.focus[1] + place)
    x = np.clip(x, heights.low[0], heights.high[0]).ravel()
    y = np.clip(y, heights.low[1], heights.high[1]).ravel()
    vertices = np.stack([x, y, heights.at(x, y) - depth], axis=1)
    number = np.arange((FLOOR_CELLS + 1) ** 2, dtype=np.int32).reshape(FLOOR_CELLS + 1, FLOOR_CELLS + 1)
    a, b, c, d = number[:-1, :-1].ravel(), number[:-1, 1:].ravel(), number[1:, 1:].ravel(), number[1:, :-1].ravel()
    return vertices, np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


def shadow_strips(pipes: Iterable[TubesActors], xray: XRay, depth: float, heights: GroundHeights) -> vtkActor | None:
    """Soft dark strips on the floor under the pipes in the hole; None when there is none."""
    parts = [strips for drawn in pipes if (strips := _strips_of(drawn, xray)) is not None]
    if not parts:
        return None
    start, stop, half = (np.concatenate([part[k] for part in parts]) for k in range(3))
    along = stop - start
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    rows = []
    for place in (start, stop):
        for side in (-1.0, 0.0, 1.0):
            rows.append(place + side * half[:, None] * across)
    flat = np.stack(rows, axis=1).reshape(-1, 2)
    vertices = np.column_stack([flat, heights.at(flat[:, 0], flat[:, 1]) - depth])
    base = 6 * np.arange(len(start), dtype=np.int32)[:, None]
    faces = np.array([[0, 3, 4], [0, 4, 1], [1, 4, 5], [1, 5, 2]], dtype=np.int32)  # seen from above
    colours = np.zeros((len(vertices), 4), dtype=np.uint8)
    strength = xray.share(vertices) * SHADOW_DARK
    colours[1::3, 3] = strength[1::3]
    data = triangles(vertices, (base[:, None] + faces).reshape(-1, 3))
    set_point_colours(data, colours)
    actor = unlit_actor(data, pull=0.0008)
    actor.ForceTranslucentOn()
    actor.GetProperty().BackfaceCullingOn()
    return actor


def _strips_of(drawn: TubesActors, xray: XRay) -> tuple[Floats, Floats, Floats] | None:
    """Start and stop (k, 2) and half width (k,) of the shadows of a layer's pipes, in steps."""
    start, stop, radius = drawn.shown_segments()
    near = np.flatnonzero((xray.share(start) > 0) | (xray.share(stop) > 0) | (xray.share((start + stop) / 2) > 0))
    if len(near) == 0:
        return None
    start, stop, radius = (part[near[:MOST_SHADOWS]] for part in (start, stop, radius))
    steps = np.clip(np.ceil(np.linalg.norm(stop - start, axis=1) / SHADOW_STEP), 1, 200).astype(np.int64)
    owner = np.repeat(np.arange(len(start)), steps)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(steps) - steps, steps)
    way = (stop - start)[owner] / steps[owner, None]
    first = start[owner] + step[:, None] * way
    half = SHADOW_SPREAD[0] * radius[owner] + SHADOW_SPREAD[1]
    return first[:, :2], (first + way)[:, :2], half


# -- what stands in the hole

_boxes: WeakKeyDictionary[Mesh | Instances, tuple[Floats, Floats]] = WeakKeyDictionary()


def element_boxes(geometry: Mesh | Instances) -> tuple[Floats, Floats]:
    """Low and high corner (elements, 2) of each element seen from above [local m]; made once."""
    found = _boxes.get(geometry)
    if found is None:
        found = _boxes[geometry] = _mesh_boxes(geometry) if isinstance(geometry, Mesh) else _places(geometry)
    return found


def _places(instances: Instances) -> tuple[Floats, Floats]:
    count = int(instances.element.max(initial=-1)) + 1
    place = np.full((count, 2), np.inf)
    place[instances.element] = instances.transform[:, :2, 3]
    return place, np.where(np.isfinite(place), place, -np.inf)


def _mesh_boxes(mesh: Mesh) -> tuple[Floats, Floats]:
    count = int(mesh.face_element.max(initial=-1)) + 1
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    order = np.argsort(mesh.face_element, kind="stable")
    element = mesh.face_element[order]
    first = np.flatnonzero(np.diff(element, prepend=-1))
    for axis in range(2):
        places = mesh.vertices[:, axis][mesh.faces[order]]
        low[element[first], axis] = np.minimum.reduceat(places.min(axis=1), first)
        high[element[first], axis] = np.maximum.reduceat(places.max(axis=1), first)
    return low, high


def standing_in(layer: Layer, xray: XRay) -> NDArray[np.bool_] | None:
    """(elements,) what of a layer stands over the hole; None for layers that stay as they are."""
    geometry = layer.geometry
    if layer.stratum == "underground" or not isinstance(geometry, Mesh | Instances):
        return None
    if layer.theme not in GLASS_THEMES and layer.theme not in ("tree", "result"):
        return None
    low, high = element_boxes(geometry)
    mask = np.zeros(len(shown_elements(layer)), dtype=np.bool_)
    if len(low):
        mask[: len(low)] = boxes_within(low, high, xray)
    return mask


def glass_of(layer: Layer, mask: NDArray[np.bool_]) -> list[vtkActor]:
    """Faces and creases of some elements as glass."""
    geometry = layer.geometry
    if not isinstance(geometry, Mesh) or layer.theme not in GLASS_THEMES:
        return []
    faces = geometry.faces[(mask & shown_elements(layer))[geometry.face_element]]
    if len(faces) == 0:
        return []
    used, number = np.unique(faces, return_inverse=True)
    part = Mesh(geometry.vertices[used], number.reshape(-1, 3), np.zeros(len(faces), np.int32))
    fill = unlit_actor(triangles(part.vertices, part.faces), pull=0.0)
    # Through a model with rooms one looks through dozens of panes, through a block through one.
    fill.GetProperty().SetOpacity(MODEL_FILL if layer.theme == "bim" else GLASS_FILL)
    fill.GetProperty().BackfaceCullingOn()
    if len(faces) > MOST_GLASS:
        return [fill]
    creases = crease_edges(part)[0]
    edges = unlit_actor(segments(part.vertices, creases), pull=0.001)
    # A detailed model has so many edges that they would add up to a white block that hides all behind it.
    edges.GetProperty().SetOpacity(GLASS_EDGE * min(1.0, EDGES_AT_FULL / max(len(creases), 1)) ** 0.5)
    edges.GetProperty().SetLineWidth(1.1)
    return [fill, edges]
