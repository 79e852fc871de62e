"""From a line of sight to an element: rays against triangles and height grids, nearness for lines and points.

Nothing here asks the graphics card, so picking costs the same in software and never draws a frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import Occluder
from app.look import NO_SECTION, Section
from app.view.actors import MOST_DOTS
from app.view.camera import NEAREST, Camera, distances_to, pixels_per_metre, project, ray
from app.view.cloud import Cloud, cloud_of
from app.view.cutting import Cap
from app.view.instances import light_enough
from app.view.lines import line_pairs, segments_near
from app.view.pins import is_pins
from app.view.pipe_picking import pipe_hit
from app.view.pit import GROUND_THEMES, standing_in
from app.view.sky import rows_named, shown_elements
from app.view.trench import Trench
from app.view.tubes import LEAST_WIDTH
from app.view.xray import XRay
from geo.model import Bounds, ElementRef, Geometry, Grid, Instances, Layer, Lines, Mesh, Points

Vector = NDArray[np.float64]
Submit = Callable[[Callable[[], Any], Callable[[Any], None]], None]

REACH = 7.0  # pixels from a line or a point that still count as on it
SYMBOL_REACH = 12.0  # pixels from the lens of a camera, whose sign is larger
MOST_HIDDEN = 64  # hidden faces a ray goes through before it gives up
BURIED_SLACK = 0.3  # metres that a pipe or a shaft may lie behind what is met and still be meant
SAME_PLACE = 0.25  # metres: a result cell and the wall behind it
MOST_TRIED = 300_000  # points of a cloud that one pick looks at
STEPS = 4000  # of a ray over a height grid


def at_once(work: Any, on_done: Any) -> None:
    """The simplest way to have work done: here and now."""
    on_done(work())


@dataclass(frozen=True)
class Hit:
    """Where a line of sight meets a layer.

    Attributes
    ----------
    layer : Layer
    ref : ElementRef
    point : (3,) [local m]
    distance : float [m]
    face : int
        Row of the face, line or point; -1 for a grid.
    """

    layer: Layer
    ref: ElementRef
    point: Vector
    distance: float
    face: int = -1


@dataclass(frozen=True)
class RayTarget:
    """Triangles of a layer, ready for rays."""

    occluder: Occluder
    face_element: NDArray[np.int32]


def ray_target(geometry: Geometry, theme: str = "") -> RayTarget | None:
    """Build the search structure of a mesh or of instances as they are drawn; pure, may run in a job."""
    mesh = light_enough(geometry, theme).baked() if isinstance(geometry, Instances) else geometry
    if not isinstance(mesh, Mesh) or len(mesh.faces) == 0:
        return None
    occluder = Occluder([mesh])
    # Once here, so that what is compiled or loaded for a ray is there at the user's first click.
    occluder.first_hit(np.zeros((1, 3)), np.array([[0.0, 0.0, -1.0]]))
    return RayTarget(occluder, mesh.face_element)


def search_structure(geometry: Geometry, theme: str = "") -> RayTarget | Cloud | None:
    """What a pick looks things up in; pure, may run in a job."""
    return cloud_of(geometry) if isinstance(geometry, Points) else ray_target(geometry, theme)


def _is_cloud(geometry: Geometry | None) -> bool:
    return isinstance(geometry, Points) and len(geometry.vertices) > MOST_DOTS


class Picker:
    """Finds what lies under a pixel.

    Parameters
    ----------
    submit : callable(work, on_done)
        How search structures are built beside the main thread.
    """

    def __init__(self, submit: Submit) -> None:
        self._submit = submit
        self._targets: dict[int, tuple[Geometry, RayTarget | Cloud | None]] = {}
        self._building: set[int] = set()

    def prepare(self, layers: Sequence[Layer]) -> None:
        """Start building what is missing, and drop what belongs to no layer any more."""
        alive = {id(layer.geometry) for layer in layers}
        self._targets = {key: value for key, value in self._targets.items() if key in alive}
        for layer in layers:
            geometry = layer.geometry
            if not layer.style.visible or not (isinstance(geometry, Mesh | Instances) or _is_cloud(geometry)):
                continue
            if id(geometry) in self._targets or id(geometry) in self._building:
                continue
            self._building.add(id(geometry))
            self._submit(lambda g=geometry, theme=layer.theme: (g, search_structure(g, theme)), self._built)

    def take_from(self, other: Picker) -> None:
        """Know what another picker knows already: two pictures of one scene need not build it twice."""
        self._targets.update(other._targets)

    def _built(self, result: tuple[Geometry, RayTarget | Cloud | None]) -> None:
        geometry, target = result
        self._building.discard(id(geometry))
        self._targets[id(geometry)] = (geometry, target)

    def ray_target(self, layer: Layer) -> RayTarget | None:
        """The search structure of a layer's triangles, or None while it is being built."""
        entry = self._targets.get(id(layer.geometry))
        return entry[1] if entry is not None and isinstance(entry[1], RayTarget) else None

    def pick(
        self,
        camera: Camera,
        pixel: tuple[float, float],
        size: tuple[int, int],
        *,
        layers: Sequence[Layer],
        section: Section = NO_SECTION,
        caps: Sequence[Cap] = (),
        xray: XRay | None = None,
        trench: Trench | None = None,
    ) -> list[Hit]:
        """What a person sees at a pixel: the nearest hit and all others at the same place, nearest first.

        Layers whose search structure is still being built are passed over. Of what a section cuts away nothing is hit;
        a cut face is its element. Through an x-ray hole the ray goes on, through the ground and what is glass there.
        """
        origin, direction = ray(camera, pixel, size)
        hits = cap_hits(caps, layers, origin, direction)
        for layer in layers:
            if not layer.style.visible or layer.geometry is None:
                continue
            hit = self._kept_hit(layer, origin, direction, section, xray)
            if hit is not None and not _is_open(hit, xray, trench):
                hits.append(hit)
        nearest = min((hit.distance for hit in hits), default=np.inf)
        for layer in layers:
            if layer.style.visible and isinstance(layer.geometry, Lines | Points):
                hit = self._small_hit(layer, camera, pixel, size)
                slack = BURIED_SLACK if layer.theme == "utility" else 0.01 * nearest + 2.0
                slack = np.inf if is_pins(layer) else slack  # they are drawn over everything
                if hit is not None and not section.keeps(layer.id, hit.point):
                    continue
                if hit is not None and hit.distance <= nearest + slack:
                    away = min(hit.distance, nearest) - (0.0 if layer.theme == "utility" else SAME_PLACE)
                    hits.append(replace(hit, distance=away))
        if not hits:
            return []
        hits.sort(key=lambda hit: hit.distance)
        reach = SAME_PLACE + 0.0005 * hits[0].distance
        return [hit for hit in hits if hit.distance - hits[0].distance <= reach]

    def _small_hit(self, layer: Layer, camera: Camera, pixel: tuple[float, float], size: tuple[int, int]) -> Hit | None:
        """The line or point under a pixel; of a cloud by its tiles, once they are there."""
        if layer.theme == "utility" and isinstance(layer.geometry, Lines):
            return _pipe_hit(layer, camera, pixel, size)
        if layer.geometry is None or not _is_cloud(layer.geometry):
            return _near_hit(layer, camera, pixel, size=size)
        entry = self._targets.get(id(layer.geometry))
        return _cloud_hit(layer, entry[1], camera, pixel, size) if entry and isinstance(entry[1], Cloud) else None

    def _kept_hit(
        self, layer: Layer, origin: Vector, direction: Vector, section: Section, xray: XRay | None
    ) -> Hit | None:
        """Where a ray meets what a section leaves of a layer."""
        stretch = section.stretch(layer.id, origin, direction)
        if stretch is None:
            return None
        start = stretch[0]
        hit = self._surface_hit(layer, origin + direction * start, direction, xray)
        if hit is None or hit.distance + start > stretch[1]:
            return None
        return replace(hit, distance=hit.distance + start)

    def _surface_hit(self, layer: Layer, origin: Vector, direction: Vector, xray: XRay | None) -> Hit | None:
        geometry = layer.geometry
        if isinstance(geometry, Grid):
            if layer.kind != "terrain" or _is_under(geometry, origin):
                return None
            distance = grid_distance(geometry, origin, direction)
            if distance is None:
                return None
            return Hit(layer, ElementRef(layer.id), origin + direction * distance, distance)
        if not isinstance(geometry, Mesh | Instances):
            return None
        entry = self._targets.get(id(geometry))
        if entry is None or not isinstance(entry[1], RayTarget):
            return None
        found = _first_shown(entry[1], layer, origin, direction, xray)
        if found is None:
            return None
        distance, face = found
        row = int(entry[1].face_element[face])
        return Hit(layer, _ref(layer, row), origin + direction * distance, distance, face)


def cap_hits(caps: Sequence[Cap], layers: Sequence[Layer], origin: Vector, direction: Vector) -> list[Hit]:
    """Where a ray meets cut faces. A floor plate is no element: it hides nothing and is not hit."""
    by_id = {layer.id: layer for layer in layers if layer.style.visible}
    hits = []
    for cap in caps:
        found = cap.hit(origin, direction) if cap.layer_id in by_id else None
        if found is not None:
            layer, row = by_id[cap.layer_id], int(cap.element[found[1]])
            hits.append(Hit(layer, _ref(layer, row), origin + direction * found[0], found[0]))
    return hits


def _is_open(hit: Hit, xray: XRay | None, trench: Trench | None) -> bool:
    """Whether a hit is on ground that is open there."""
    if hit.layer.theme not in GROUND_THEMES:
        return False
    if trench is not None and bool(trench.holds(hit.point[None])[0]):
        return True
    return xray is not None and xray.lets_through(hit.point)


def _is_under(ground: Grid, origin: Vector) -> bool:
    """Whether a ray begins under the ground: it is seen from below, as glass."""
    return bool(ground.sample(origin[:1], origin[1:2])[0] > origin[2])


def _pipe_hit(layer: Layer, camera: Camera, pixel: tuple[float, float], size: tuple[int, int]) -> Hit | None:
    """The pipe under a pixel, on its surface."""
    origin, direction = ray(camera, pixel, size)
    scale = float(pixels_per_metre(camera, np.ones(1) * NEAREST, height=size[1])[0])
    width = 1.0 / scale if camera.is_parallel else 1.0 / scale / NEAREST
    reach = (LEAST_WIDTH / 2, REACH)
    found = pipe_hit(layer, origin, direction, pixel=width, reach=reach, parallel=camera.is_parallel)
    if found is None:
        return None
    point = origin + direction * found.distance
    return Hit(layer, _ref(layer, found.element), point, found.distance, found.line)


def _first_shown(
    target: RayTarget, layer: Layer, origin: Vector, direction: Vector, xray: XRay | None
) -> tuple[float, int] | None:
    """Distance and face of the nearest triangle that is neither hidden nor glass."""
    shown = shown_elements(layer) if layer.style.hidden else None
    if layer.style.faded:  # one picks what is seen through the veil
        veiled = rows_named(layer, layer.style.faded)
        shown = ~veiled if shown is None else shown & ~veiled
    glass = standing_in(layer, xray) if xray is not None else None
    if glass is not None and glass.any():
        shown = ~glass if shown is None else shown & ~glass
    start = 0.0
    for _ in range(MOST_HIDDEN):
        found = target.occluder.first_hit((origin + direction * start)[None], direction[None])
        face = int(found.face[0])
        if face < 0:
            return None
        start += float(found.distance[0])
        if shown is None or shown[target.face_element[face]]:
            return start, face
        start += 1e-3 + 1e-6 * start
    return None


def grid_distance(grid: Grid, origin: Vector, direction: Vector) -> float | None:
    """Distance along a ray to a height grid seen from above, or None. Steps of a cell, then bisection."""
    bounds = grid.bounds
    if bounds is None:
        return None
    span = _inside(bounds, origin, direction)
    if span is None:
        return None
    level = float(np.hypot(direction[0], direction[1]))
    count = int(np.clip((span[1] - span[0]) * level / (0.7 * grid.cell), 16, STEPS))
    places = np.linspace(span[0], span[1], count)
    above = _clearance(grid, origin, direction, places)
    under = np.flatnonzero(above <= 0)
    if len(under) == 0:
        return None
    if under[0] == 0:
        return float(places[0])
    low, high = float(places[under[0] - 1]), float(places[under[0]])
    for _ in range(24):
        middle = (low + high) / 2
        if _clearance(grid, origin, direction, np.array([middle]))[0] <= 0:
            high = middle
        else:
            low = middle
    return high


def _clearance(grid: Grid, origin: Vector, direction: Vector, places: Vector) -> Vector:
    """Height of the ray above the ground at distances along it; +inf where there is no ground."""
    points = origin + places[:, None] * direction
    clearance = points[:, 2] - grid.sample(points[:, 0], points[:, 1])
    return np.where(np.isfinite(clearance), clearance, np.inf)


def _inside(bounds: Bounds, origin: Vector, direction: Vector) -> tuple[float, float] | None:
    """Where a ray enters and leaves a box [m along the ray]."""
    low, high = np.array(bounds.low) - 0.01, np.array(bounds.high) + 0.01
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (low - origin) / direction, (high - origin) / direction
    enter = float(np.nanmax(np.append(np.fmin(first, second), 0.0)))
    leave = float(np.nanmin(np.fmax(first, second)))
    return (enter, leave) if leave > enter else None


def _near_hit(layer: Layer, camera: Camera, pixel: tuple[float, float], *, size: tuple[int, int]) -> Hit | None:
    """The line or point of a layer nearest to a pixel on the screen, within reach and before the eye."""
    geometry = layer.geometry
    shown = shown_elements(layer)
    cursor = np.array(pixel)
    if isinstance(geometry, Points):
        if len(geometry.vertices) == 0:
            return None
        places, depth = project(camera, geometry.vertices, size)
        apart = np.linalg.norm(places - cursor, axis=1)
        apart[(depth <= 0) | ~shown[geometry.element]] = np.inf
        best = int(np.argmin(apart))
        if apart[best] > (SYMBOL_REACH if layer.theme == "camera" else REACH):
            return None
        return _at(layer, camera, geometry.vertices[best], row=int(geometry.element[best]), face=best)
    if not isinstance(geometry, Lines):
        return None
    origin, direction = ray(camera, pixel, size)
    spread = 2 * REACH / float(pixels_per_metre(camera, np.ones(1) * NEAREST, height=size[1])[0]) / NEAREST
    rows = segments_near(geometry, origin, direction, spread=spread)
    if len(rows) == 0:
        return None
    pairs, owner = (part[rows] for part in line_pairs(geometry))
    places, depth = project(camera, geometry.vertices[pairs.ravel()], size)
    a, b = places[0::2], places[1::2]
    along = b - a
    length = np.maximum((along**2).sum(axis=1), 1e-12)
    share = np.clip(((cursor - a) * along).sum(axis=1) / length, 0.0, 1.0)
    apart = np.linalg.norm(a + share[:, None] * along - cursor, axis=1)
    behind = (depth.reshape(-1, 2) <= 0).any(axis=1)
    apart[behind | ~shown[geometry.line_element[owner]]] = np.inf
    best = int(np.argmin(apart))
    if apart[best] > REACH:
        return None
    start, stop = geometry.vertices[pairs[best]]
    line = int(owner[best])
    return _at(layer, camera, start + share[best] * (stop - start), row=int(geometry.line_element[line]), face=line)


def _cloud_hit(
    layer: Layer, cloud: Cloud, camera: Camera, pixel: tuple[float, float], size: tuple[int, int]
) -> Hit | None:
    """The foremost point of a cloud near a pixel, among those a person can tell apart."""
    geometry = layer.geometry
    if not isinstance(geometry, Points):
        return None
    origin, direction = ray(camera, pixel, size)
    away = distances_to(camera, cloud.low, cloud.high)
    reach = REACH / pixels_per_metre(camera, np.linalg.norm(cloud.high - camera.eye, axis=1), height=size[1])
    boxes = (
        Bounds(tuple(low), tuple(high))
        for low, high in zip(cloud.low - reach[:, None], cloud.high + reach[:, None], strict=True)
    )
    met = [tile for tile, box in enumerate(boxes) if _inside(box, origin, direction) is not None]
    left, best, nearest = MOST_TRIED, -1, np.inf
    for tile in sorted(met, key=lambda tile: float(away[tile])):
        start, count = int(cloud.starts[tile]), int(min(cloud.counts[tile], left // 2 + 1))
        left -= count
        places, depth = project(camera, cloud.vertices[start : start + count], size)
        near = (depth > 0) & (np.abs(places - np.array(pixel)).max(axis=1) <= REACH / 2)
        rows = np.flatnonzero(near)
        if len(rows) and depth[rows].min() < nearest:
            row = rows[np.argmin(depth[rows])]
            best, nearest = int(cloud.order[start + row]), float(depth[row])
    if best < 0 or (layer.style.hidden and not shown_elements(layer)[geometry.element[best]]):
        return None
    return _at(layer, camera, geometry.vertices[best], row=int(geometry.element[best]), face=best)


def _at(layer: Layer, camera: Camera, point: Vector, *, row: int, face: int) -> Hit:
    away = (point - camera.eye) @ camera.forward if camera.is_parallel else np.linalg.norm(point - camera.eye)
    return Hit(layer, _ref(layer, row), point, float(away), face)


def _ref(layer: Layer, row: int) -> ElementRef:
    return ElementRef(layer.id, str(layer.table.ids[row]) if 0 <= row < len(layer.table) else "")
