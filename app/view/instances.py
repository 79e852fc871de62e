"""Repeated shapes, trees and parts of models: written out as triangles, one draw for a tile; trees with round normals.

Written out, they take the light of the sky texture like everything else. Beyond a limit the shapes with the most
triangles become icosahedra of their own size, and beyond a second limit only every n-th one is drawn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.colour import field_colours
from app.view.creases import vertex_normals
from app.view.legend import PAINTED_FIELD, shown_field
from app.view.mesh import MeshActors, repeated, run_starts
from app.view.shader import Finish
from app.view.tiles import MODEL_TILES, MOST_TILES, Part, Tile, TiledMesh, tile_numbers, tiles_wanted
from geo.model import Field, Instances, Layer, Mesh

MOST_FACES = 2_500_000
WORTH_TWO_FORMS = 150_000  # triangles from which a coarse form pays
FAR = 900.0  # metres from the eye to the point looked at
CROWN_LIFT = 1.8  # metres
VARIETY = 0.05  # trees of one street are not all the same green
_ICOSAHEDRON = (
    (0, 8, 4),
    (7, 3, 1),
    (8, 1, 6),
    (4, 8, 6),
    (1, 3, 6),
    (3, 9, 6),
    (6, 9, 4),
    (5, 0, 2),
    (4, 9, 2),
    (2, 0, 4),
    (10, 1, 8),
    (10, 0, 5),
    (8, 0, 10),
    (10, 7, 1),
    (5, 7, 10),
    (11, 9, 3),
    (3, 7, 11),
    (11, 7, 5),
    (11, 2, 9),
    (5, 2, 11),
)
# Corner k has the high x where bit 0 of k is set, the high y for bit 1, the high z for bit 2.
BOX_FACES = np.array(
    [
        (0, 2, 3), (0, 3, 1), (4, 5, 7), (4, 7, 6), (0, 1, 5), (0, 5, 4),
        (2, 6, 7), (2, 7, 3), (0, 4, 6), (0, 6, 2), (1, 3, 7), (1, 7, 5),
    ],
    dtype=np.int32,
)  # fmt: skip
SLOT_ROLES = ("crown", "trunk")


class InstancesActors(MeshActors):
    """Trees and furniture."""

    @staticmethod
    def prepare(layer: Layer) -> TiledMesh:
        """The shapes as they are, and icosahedra in their place for views from far away, by tiles."""
        if not isinstance(layer.geometry, Instances):
            raise TypeError(f"{layer.kind} is not instances")
        is_model = layer.theme == "bim"
        most = MODEL_TILES if is_model else MOST_TILES
        return tiled_instances(light_enough(layer.geometry, layer.theme), most=most, smooth=not is_model)

    def is_far(self, distance: float, scale: float) -> bool:
        """Icosahedra when the eye is far away."""
        return distance > FAR

    def finish(self) -> Finish:
        """Round, and letting some light through."""
        if self.layer.theme == "bim":
            return Finish(face_texture=True)
        return Finish(smooth=True, face_texture=True, lift=CROWN_LIFT)

    def face_colours(self) -> NDArray[np.uint8]:
        """Crown and trunk by material slot; with a field, the field."""
        field = shown_field(self.layer)
        slot, instance = self._tiled.slot, self._tiled.instance
        if slot is None or instance is None:
            raise TypeError("repeated shapes were prepared without their slots")
        if field is not None and field.on == "element":
            return field_colours(field, self.look.theme)[0][self._tiled.element]
        painted = self.layer.field_named(PAINTED_FIELD)
        if painted is not None and painted.on == "face" and not self.layer.style.colour:
            starts = run_starts(instance, slot)
            codes = self._own_colours(painted, slot[starts], instance[starts], int(instance.max(initial=0)) + 1)
            own = self._muted(codes)
            own[codes < 0] = self.plain_rgb()
            return repeated(own, starts, len(slot))
        theme = self.look.theme
        if self.layer.theme == "tree":
            palette = np.array([self._own_or(theme.rgb(role)) for role in SLOT_ROLES], dtype=np.float32)
        else:
            palette = np.array([self.plain_rgb()] * 2, dtype=np.float32)
        # A golden-ratio sequence: varied, even, and the same each time.
        shade = 1.0 + VARIETY * (2.0 * np.mod(np.arange(int(instance.max(initial=0)) + 1) * 0.6180339887, 1.0) - 1.0)
        colours = np.zeros((len(shade), 2, 4), dtype=np.uint8)
        colours[..., :3] = np.clip(palette[None] * shade[:, None, None], 0, 255)
        # As one number a colour is looked up for millions of faces in a tenth of the time.
        packed = colours.view(np.uint32).ravel()[2 * instance + np.minimum(slot, 1)]
        return packed.view(np.uint8).reshape(-1, 4)[:, :3]

    def _own_colours(
        self, painted: Field, slot: NDArray[np.uint8], instance: NDArray[np.int32], drawn: int
    ) -> NDArray[np.generic]:
        """Colour code of slots of instances: the field has one for each face of the shapes, one shape after another.

        Parameters
        ----------
        drawn : int
            How many instances are drawn.
        """
        geometry = self.layer.geometry
        if not isinstance(geometry, Instances):
            raise TypeError(f"{self.layer.kind} is not instances")
        counts = [len(shape.faces) for shape in geometry.shapes]
        own = np.split(painted.values, np.cumsum(counts)[:-1])
        tables = [np.unique(codes) if len(codes) else np.array([-1]) for codes in own]
        first = np.cumsum([0, *(len(table) for table in tables)])
        step = -(-len(geometry.shape) // drawn)  # only every n-th may be drawn
        number = geometry.shape[instance * step]
        return np.concatenate(tables)[np.minimum(first[number] + slot, first[number + 1] - 1)]

    def _own_or(self, palette: tuple[int, int, int]) -> tuple[int, int, int]:
        return self.plain_rgb() if self.layer.style.colour else palette


def tiled_instances(instances: Instances, *, most: int = MOST_TILES, smooth: bool = True) -> TiledMesh:
    """Instances written out as triangles, in at most so many square tiles; with round normals if `smooth`. Pure."""
    if len(instances.shape) == 0 or instances.face_count == 0:
        return TiledMesh((), np.zeros(0, np.int32), slot=np.zeros(0, np.uint8), instance=np.zeros(0, np.int32))
    two_forms = smooth and instances.face_count >= WORTH_TWO_FORMS and instances.face_count > 20 * len(instances.shape)
    wanted = tiles_wanted(instances.face_count, len(instances.shape), most=most)
    number = np.zeros(len(instances.shape), dtype=np.int16)
    if wanted > 1:
        number = tile_numbers(instances.transform[:, :2, 3], wanted=wanted, most=most)
    tiles, slots, owners, elements, sources = [], [], [], [], []
    first = coarse_first = 0
    for tile_number in range(int(number.max()) + 1):
        rows = np.flatnonzero(number == tile_number)
        mine = _subset(instances, rows)
        mesh = mine.baked()
        if len(mesh.faces) == 0:
            continue
        slot, owner = _face_slots(mine)
        coarse, source = _coarse(mine, slot, owner) if two_forms else (None, np.zeros(0, np.int64))
        fine = Part(mesh.vertices.astype(np.float32), mesh.faces, _normals(mine) if smooth else None)
        low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
        tiles.append(Tile(fine, first, low, high, None, coarse, coarse_first))
        slots.append(slot.astype(np.uint8))
        owners.append(rows[owner].astype(np.int32))
        elements.append(mesh.face_element)
        sources.append((source + first).astype(np.int32))
        first, coarse_first = first + len(mesh.faces), coarse_first + len(source)
    element, slot, instance = (np.concatenate(part) for part in (elements, slots, owners))
    return TiledMesh(tuple(tiles), element, None, np.concatenate(sources), None, slot, instance)


def _coarse(instances: Instances, slot: NDArray[np.int64], owner: NDArray[np.int64]) -> tuple[Part, NDArray[np.int64]]:
    """Icosahedra in place of the shapes, and the face whose colour each of their faces takes: one of the crown."""
    simple = simplified(instances)
    mesh = simple.baked()
    crown = np.zeros(len(instances.shape), dtype=np.int64)
    crown[owner] = np.arange(len(owner))
    chosen = np.flatnonzero(slot == 0)
    crown[owner[chosen]] = chosen
    part = Part(mesh.vertices.astype(np.float32), mesh.faces, _normals(simple))
    return part, crown[_face_slots(simple)[1]]


def _subset(instances: Instances, rows: NDArray[np.int64]) -> Instances:
    return Instances(instances.shapes, instances.shape[rows], instances.transform[rows], instances.element[rows])


def light_enough(instances: Instances, theme: str = "") -> Instances:
    """The instances, simplified until they are few enough triangles to draw: parts of models to boxes, others round."""
    stand_in = box_of if theme == "bim" else icosahedron
    if instances.face_count <= MOST_FACES:
        return instances
    faces = np.array([len(shape.faces) for shape in instances.shapes], dtype=np.int64)
    count = np.bincount(instances.shape, minlength=len(faces))
    order = np.argsort(-faces, kind="stable")
    saved = np.cumsum((count * np.maximum(faces - 20, 0))[order])
    needed = int(np.searchsorted(saved, instances.face_count - MOST_FACES)) + 1
    heavy = set(order[:needed].tolist())
    shapes = tuple(stand_in(s) if number in heavy else s for number, s in enumerate(instances.shapes))
    simple = Instances(shapes, instances.shape, instances.transform, instances.element)
    step = max(-(-simple.face_count // MOST_FACES), 1)
    return Instances(simple.shapes, simple.shape[::step], simple.transform[::step], simple.element[::step])


def simplified(instances: Instances) -> Instances:
    """The same instances as icosahedra."""
    shapes = tuple(icosahedron(shape) for shape in instances.shapes)
    return Instances(shapes, instances.shape, instances.transform, instances.element)


def box_of(shape: Mesh) -> Mesh:
    """The box around a shape: of parts of a building it keeps length and direction."""
    if len(shape.faces) == 0:
        return shape
    used = shape.vertices[shape.faces.ravel()]
    corners = np.where((np.arange(8)[:, None] >> np.arange(3)) & 1 == 1, used.max(axis=0), used.min(axis=0))
    return Mesh(corners, BOX_FACES, np.zeros(len(BOX_FACES), np.int32))


def _normals(instances: Instances) -> NDArray[np.float32]:
    """Normals of the vertices, turned with each instance, in the order of `Instances.baked`."""
    parts = []
    for number, mine in _groups(instances):
        normals = vertex_normals(instances.shapes[number])
        parts.append(np.einsum("kij,nj->kni", instances.transform[mine][:, :, :3], normals).reshape(-1, 3))
    if not parts:
        return np.zeros((0, 3), np.float32)
    turned = np.concatenate(parts)
    length = np.linalg.norm(turned, axis=1, keepdims=True)
    return (turned / np.maximum(length, 1e-9)).astype(np.float32)


def icosahedron(shape: Mesh) -> Mesh:
    """Twenty triangles that fill the box of a shape."""
    bounds = shape.bounds
    if bounds is None:
        return shape
    golden = (1 + np.sqrt(5)) / 2
    corners = np.array([(0.0, s, t * golden) for s in (-1, 1) for t in (-1, 1)])
    corners = np.concatenate([np.roll(corners, shift, axis=1) for shift in range(3)]) / golden
    faces = np.array(_ICOSAHEDRON, dtype=np.int32)
    return Mesh(np.array(bounds.centre) + corners * np.array(bounds.size) / 2, faces, np.zeros(20, np.int32))


def _groups(instances: Instances) -> list[tuple[int, NDArray[np.int64]]]:
    """Shape number and its instances, in the order in which `Instances.baked` writes them."""
    groups = [(number, np.flatnonzero(instances.shape == number)) for number in range(len(instances.shapes))]
    return [(number, mine) for number, mine in groups if len(mine) and len(instances.shapes[number].faces)]


def _face_slots(instances: Instances) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Material slot and instance number of every face written out."""
    slots, owners = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for number, mine in _groups(instances):
        shape = instances.shapes[number]
        slots.append(np.tile(shape.face_element.astype(np.int64), len(mine)))
        owners.append(np.repeat(mine, len(shape.faces)))
    return np.concatenate(slots), np.concatenate(owners)
