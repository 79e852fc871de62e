"""What a camera of the scene sees, by rays: the same surfaces and colours as the picture, without the graphics card.

Rays are traced beside the main thread, so a live picture never holds the window up, and the depth of each pixel is
that of the study of cameras. Results, signs and marks are in no camera's picture.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.optics import FISHEYE_HALF, View, axes
from analysis.kernels.rays import Hits, Occluder
from app.theme import Theme, rgb_of
from app.view.legend import PAINTED_FIELD
from app.view.opened import CLEAR, CLEAR_FIELD, VOIDS, classes_of
from app.view.sky import shown_elements
from geo.model import Feedback, Grid, Image, Instances, Layer, Mesh

Floats = NDArray[np.float64]
Colours = NDArray[np.uint8]

SOLID_THEMES = frozenset({"building", "bim", "furniture", "tree", "terrain", "rail", "other"})
COVERS = frozenset({"road", "water", "parcel", "rail"})  # lie on the ground and are drawn over it
ROLES = {"rail": "rail", "road": "road", "water": "water", "parcel": "green", "furniture": "furniture"}
NEAR_TREES = 320.0  # [m] around the camera within which trees are in the picture
MOST_GROUND = 700_000  # triangles of the terrain
COVER_SLACK = (0.3, 0.004)  # [m], and share of the distance, by which a road may lie under the ground and be seen
GLASS_SHARE = 0.28  # of a pane's own colour in what is seen through it
MODEL_MUTE = 0.35  # share of the palette's wall in the colours of a model, as in the picture
SKYLIGHT, SUNLIGHT = np.array([0.60, 0.62, 0.67]), np.array([0.36, 0.345, 0.315])
SHOULDER = 0.9  # lightness from which it rises slowly only
EDGE_SHADE = 0.74  # of a pixel at the edge of a body
EDGE_STEP = 0.04  # share of the depth that makes an edge
SHIFT = 0.02  # [m] off a surface, from where its shadow is looked for
PLANE_SHIFT = 0.02  # [m] before a target that is still in sight


@dataclass(frozen=True, eq=False)
class CameraPicture:
    """A picture and what lies in it.

    Attributes
    ----------
    pixels : (height, width, 3) uint8
        Top row first.
    density : (height, width) float32 [px/m]
        Of the camera's own picture at each pixel, for what faces it; 0 for the sky.
    view : View
    """

    pixels: Colours
    density: NDArray[np.float32]
    view: View


@dataclass(frozen=True, eq=False)
class _Soup:
    """Triangles with a colour each."""

    meshes: tuple[Mesh, ...]
    colours: Colours
    occluder: Occluder
    normals: Floats

    @classmethod
    def of(cls, parts: Sequence[tuple[Mesh, Colours]], centre: Floats) -> _Soup:
        meshes = tuple(mesh for mesh, _ in parts)
        colours = np.concatenate([np.zeros((0, 3), np.uint8), *(colour for _, colour in parts)])
        normals = np.concatenate([np.zeros((0, 3)), *(mesh.face_cross for mesh in meshes)])
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        return cls(meshes, colours, Occluder(meshes, centre), normals)


class Eye:
    """The scene around a place, ready to be looked at.

    Parameters
    ----------
    layers : sequence of Layer
        Those that are visible count.
    theme : Theme
    middle : (3,) float [local m]
        Trees far from it are left out.
    """

    def __init__(self, layers: Sequence[Layer], theme: Theme, middle: Floats, feedback: Feedback | None = None) -> None:
        feedback = feedback or Feedback()
        self.middle = np.asarray(middle, dtype=np.float64)
        self.theme = theme
        self._photos = [layer.geometry for layer in layers if layer.style.visible and layer.kind == "image"]
        parts: dict[str, list[tuple[Mesh, Colours]]] = {"solid": [], "cover": [], "glass": []}
        self._ground_faces = 0
        shown = sorted((layer for layer in layers if layer.style.visible), key=lambda layer: layer.theme != "terrain")
        for number, layer in enumerate(shown):
            feedback.step(0.7 * number / max(len(shown), 1), "preparing the camera's picture")
            for sort, mesh, colours in _parts_of(layer, theme, self.middle):
                if layer.theme == "terrain":
                    self._ground_faces += len(mesh.faces)
                parts[sort].append((mesh, colours))
        self._solid, self._cover, self._glass = (_Soup.of(parts[name], self.middle) for name in parts)
        feedback.step(1.0, "preparing the camera's picture")

    def sees(self, place: Floats, points: Floats) -> NDArray[np.bool_]:
        """(n,) whether points (n, 3) [local m] are in sight of a place (3,), through glass too."""
        away = points - place
        length = np.linalg.norm(away, axis=1)
        near = np.maximum(length, 1e-9)
        ways = (away * ((length - PLANE_SHIFT) / near)[:, None]).astype(np.float32)
        starts = self._solid.occluder.local32(np.broadcast_to(place, points.shape))
        return ~self._solid.occluder.blocked(starts, ways, 1.0)

    def floor(self, place: Floats) -> float | None:
        """Height of what lies under a place [local m], None over nothing."""
        hit = self._solid.occluder.first_hit(np.asarray(place)[None], np.array([[0.0, 0.0, -1.0]]))
        return float(place[2] - hit.distance[0]) if np.isfinite(hit.distance[0]) else None

    def look(self, view: View, width: int, *, sun: tuple[float, float]) -> CameraPicture:
        """The picture of a view; sun by **grid** azimuth and altitude [deg]."""
        height = max(round(width * view.pixels_high / view.pixels_wide), 16)
        ways, inside = _ways(view, width, height)
        start = np.broadcast_to(np.asarray(view.position, dtype=np.float64), ways.shape)
        hits = self._solid.occluder.first_hit(start, ways)
        colours, normals, distance = self._surface(start, ways, hits)
        colours = self._lit(
            colours, normals, start + ways * np.where(np.isfinite(distance), distance, 0.0)[:, None], sun
        )
        colours = self._through_glass(colours, start, ways, distance)
        sky = ~np.isfinite(distance)
        colours[sky] = self._sky(ways[sky])
        colours = _with_edges(colours.reshape(height, width, 3), distance.reshape(height, width), normals)
        density = _densities(view, ways, distance).reshape(height, width)
        colours[~inside.reshape(height, width)] = 0.0
        density[~inside.reshape(height, width)] = 0.0
        return CameraPicture(np.clip(colours, 0, 255).astype(np.uint8), density, view)

    def _surface(self, start: Floats, ways: Floats, hits: Hits) -> tuple[Floats, Floats, Floats]:
        """Colour, normal toward the eye and distance of what each ray meets; roads and water over the ground."""
        distance, face = hits.distance.copy(), np.maximum(hits.face, 0)
        met = hits.face >= 0
        colours = np.full((len(ways), 3), 128.0)
        normals = np.tile([0.0, 0.0, 1.0], (len(ways), 1))
        if len(self._solid.colours):
            colours[met], normals[met] = self._solid.colours[face[met]], self._solid.normals[face[met]]
        ground = np.flatnonzero(met & (hits.face < self._ground_faces))
        self._paint_ground(colours, start, ways, distance, ground)
        if len(self._cover.colours) and len(ground):
            over = self._cover.occluder.first_hit(start[ground], ways[ground])
            fixed, share = COVER_SLACK
            on = over.distance <= distance[ground] * (1 + share) + fixed
            colours[ground[on]] = self._cover.colours[over.face[on]]
        flip = np.einsum("ij,ij->i", normals, ways) > 0
        normals[flip] = -normals[flip]
        return colours, normals, distance

    def _paint_ground(
        self, colours: Floats, start: Floats, ways: Floats, distance: Floats, rows: NDArray[np.int64]
    ) -> None:
        """The photograph where one lies over the ground."""
        points = start[rows] + ways[rows] * distance[rows, None]
        for photo in self._photos:
            if not isinstance(photo, Image):
                continue
            column = np.round((points[:, 0] - photo.x0) / photo.cell).astype(np.int64)
            row = np.round((points[:, 1] - photo.y0) / photo.cell).astype(np.int64)
            there = (row >= 0) & (row < photo.pixels.shape[0]) & (column >= 0) & (column < photo.pixels.shape[1])
            colours[rows[there]] = photo.pixels[row[there], column[there]]

    def _lit(self, colours: Floats, normals: Floats, points: Floats, sun: tuple[float, float]) -> Floats:
        """In the light of sky and sun."""
        azimuth, altitude = (math.radians(angle) for angle in (sun[0], max(sun[1], 3.0)))
        toward = np.array(
            [math.sin(azimuth) * math.cos(altitude), math.cos(azimuth) * math.cos(altitude), math.sin(altitude)]
        )
        facing = np.maximum(normals @ toward, 0.0)
        asked = np.flatnonzero(facing > 0)
        lit = np.zeros(len(points))
        starts = self._solid.occluder.local32(points[asked] + SHIFT * normals[asked])
        lit[asked] = ~self._solid.occluder.blocked(starts, toward[None].astype(np.float32))
        hemisphere = 0.80 + 0.20 * normals[:, 2]
        light = SKYLIGHT * hemisphere[:, None] + (SUNLIGHT / max(toward[2], 0.45)) * (facing * lit)[:, None]
        light = np.minimum(light, SHOULDER + (light - SHOULDER) * 0.35)
        return np.asarray(colours * light)

    def _through_glass(self, colours: Floats, start: Floats, ways: Floats, distance: Floats) -> Floats:
        if len(self._glass.colours):
            pane = self._glass.occluder.first_hit(start, ways)
            before = pane.distance < distance
            own = self._glass.colours[pane.face[before]].astype(np.float64)
            colours[before] = (1 - GLASS_SHARE) * colours[before] + GLASS_SHARE * own
        return colours

    def _sky(self, ways: Floats) -> Floats:
        low, high = (np.array(self.theme.rgb(role), dtype=np.float64) for role in ("sky_bottom", "sky_top"))
        share = np.clip(2.0 * ways[:, 2:3], 0.0, 1.0)
        return np.asarray(low + (high - low) * share)


def _ways(view: View, width: int, height: int) -> tuple[Floats, NDArray[np.bool_]]:
    """(n, 3) unit directions through the pixels, row by row from the top, and whether the lens pictures them."""
    forward, right, up = axes(view)
    across = (2.0 * (np.arange(width) + 0.5) / width - 1.0) * view.tan_half_width
    above = (1.0 - 2.0 * (np.arange(height) + 0.5) / height) * view.tan_half_height
    a, b = (part.ravel() for part in np.meshgrid(across, above))
    if not view.equidistant:
        ways = forward + a[:, None] * right + b[:, None] * up
        return ways / np.linalg.norm(ways, axis=1, keepdims=True), np.ones(len(ways), dtype=bool)
    angle = np.hypot(a, b)
    share = np.divide(np.sin(angle), angle, out=np.ones_like(angle), where=angle > 0)
    ways = np.cos(angle)[:, None] * forward + (share * a)[:, None] * right + (share * b)[:, None] * up
    return ways, angle <= FISHEYE_HALF


def _densities(view: View, ways: Floats, distance: Floats) -> NDArray[np.float32]:
    """px/m at each pixel: by depth along the axis, of a fisheye by distance."""
    depth = distance if view.equidistant else distance * (ways @ axes(view)[0])
    with np.errstate(divide="ignore"):
        return np.where(np.isfinite(depth), view.focal_px / depth, 0.0).astype(np.float32)


def _with_edges(colours: Floats, distance: Floats, normals: Floats) -> Floats:
    """Darker where one body ends before another, or a surface turns: else white walls run into one another."""
    rows, columns = distance.shape
    turned = normals.reshape(rows, columns, 3)
    edge = np.zeros((rows, columns), dtype=bool)
    near = np.where(np.isfinite(distance), distance, 1e6)
    for axis in (0, 1):
        step = np.abs(np.diff(near, axis=axis)) > EDGE_STEP * np.minimum(*_neighbours(near, axis)) + 0.3
        ahead, behind = _neighbours(turned, axis)
        step |= (ahead * behind).sum(axis=-1) < 0.75
        edge[tuple(slice(0, -1) if k == axis else slice(None) for k in range(2))] |= step
    out = colours.copy()
    out[edge] *= EDGE_SHADE
    return out


def _neighbours(values: Floats, axis: int) -> tuple[Floats, Floats]:
    return (values[:-1], values[1:]) if axis == 0 else (values[:, :-1], values[:, 1:])


# ---- triangles and colours of layers


def _parts_of(layer: Layer, theme: Theme, middle: Floats) -> list[tuple[str, Mesh, Colours]]:
    """What a layer is in the picture: ``solid``, ``cover`` or ``glass``, each with its colours."""
    if layer.theme == "terrain":
        ground = _ground_mesh(layer)
        return [("solid", ground, _flat(ground, _own_or(layer, theme, "ground")))] if len(ground.faces) else []
    if layer.theme not in SOLID_THEMES | COVERS or not isinstance(layer.geometry, Mesh | Instances):
        return []
    mesh, colours, clear = _mesh_of(layer, theme, middle)
    if len(mesh.faces) == 0:
        return []
    if layer.theme in COVERS:
        return [("cover", mesh, colours)]
    parts = [("solid", _faces(mesh, ~clear), colours[~clear])]
    return [*parts, ("glass", _faces(mesh, clear), colours[clear])] if clear.any() else parts


def _ground_mesh(layer: Layer) -> Mesh:
    shape = layer.geometry
    if isinstance(shape, Grid):
        return shape.surface(step=max(math.ceil(math.sqrt(2 * shape.values.size / MOST_GROUND)), 1))
    return (
        shape if isinstance(shape, Mesh) else Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int32), np.zeros(0, np.int32))
    )


def _mesh_of(layer: Layer, theme: Theme, middle: Floats) -> tuple[Mesh, Colours, NDArray[np.bool_]]:
    """Shown triangles, their colours, and which are panes."""
    shape = layer.geometry
    if isinstance(shape, Instances):
        mesh, colours = _written_out(layer, shape, theme, middle)
        clear = np.zeros(len(mesh.faces), dtype=bool)
    elif isinstance(shape, Mesh):
        mesh, colours = shape, _colours_of(layer, shape, theme)
        field = layer.field_named(CLEAR_FIELD)
        has = field is not None and field.on == "face"
        clear = (
            field.values.astype(np.float64) >= CLEAR if has and field is not None else np.zeros(len(mesh.faces), bool)
        )
    else:
        raise TypeError(f"{layer.kind} has no triangles")
    shown = shown_elements(layer)
    classes = classes_of(layer)
    if classes is not None:
        shown[: len(classes)] &= ~np.isin(classes, list(VOIDS))
    keep = shown[mesh.face_element]
    return _faces(mesh, keep), colours[keep], clear[keep]


def _faces(mesh: Mesh, keep: NDArray[np.bool_]) -> Mesh:
    return mesh if keep.all() else Mesh(mesh.vertices, mesh.faces[keep], mesh.face_element[keep])


def _written_out(layer: Layer, shape: Instances, theme: Theme, middle: Floats) -> tuple[Mesh, Colours]:
    """Instances near the middle as triangles; crowns and trunks of trees in their colours."""
    near = np.ones(len(shape.shape), dtype=bool)
    if layer.theme == "tree":
        near = np.hypot(*(shape.transform[:, :2, 3] - middle[:2]).T) <= NEAR_TREES
    some = dataclasses.replace(
        shape, shape=shape.shape[near], transform=shape.transform[near], element=shape.element[near]
    )
    mesh = some.baked()
    colours = _flat(mesh, _own_or(layer, theme, ROLES.get(layer.theme, "other")))
    if layer.theme == "tree":
        count = np.bincount(some.shape, minlength=len(some.shapes))
        slots = [np.tile(one.face_element, n) for one, n in zip(some.shapes, count.tolist(), strict=True)]
        slot = np.concatenate([np.zeros(0, np.int32), *slots])
        colours = np.where((slot == 0)[:, None], theme.rgb("crown"), theme.rgb("trunk")).astype(np.uint8)
    return mesh, colours


def _colours_of(layer: Layer, mesh: Mesh, theme: Theme) -> Colours:
    """As the picture draws them without a result."""
    painted = layer.field_named(PAINTED_FIELD)
    if layer.style.colour:
        return _flat(mesh, rgb_of(layer.style.colour))
    role = {"building": "wall", "bim": "indoor_wall"}.get(layer.theme, ROLES.get(layer.theme, "other"))
    colours = _flat(mesh, theme.rgb(role))
    if layer.theme == "building":
        colours[_roofs(layer, mesh)] = theme.rgb("roof")
    if painted is not None and painted.on == "face":
        codes = painted.values.astype(np.int64)
        own = np.stack([(codes >> 16) & 255, (codes >> 8) & 255, codes & 255], axis=1).astype(np.float64)
        wall = np.array(theme.rgb("indoor_wall"), dtype=np.float64)
        has = codes >= 0
        colours[has] = ((1 - MODEL_MUTE) * own[has] + MODEL_MUTE * wall).astype(np.uint8)
    return colours


def _roofs(layer: Layer, mesh: Mesh) -> NDArray[np.bool_]:
    surface = layer.field_named("surface")
    if surface is not None and surface.on == "face" and "roof" in surface.categories:
        return np.asarray(surface.values == surface.categories.index("roof"))
    return np.zeros(len(mesh.faces), dtype=bool)


def _own_or(layer: Layer, theme: Theme, role: str) -> tuple[int, int, int]:
    return rgb_of(layer.style.colour) if layer.style.colour else theme.rgb(role)


def _flat(mesh: Mesh, colour: tuple[int, int, int]) -> Colours:
    return np.tile(np.array(colour, dtype=np.uint8), (len(mesh.faces), 1))
