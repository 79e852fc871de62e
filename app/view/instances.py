"""Repeated shapes, above all trees: written out as triangles with round normals, one actor for a layer.

Written out, they take the light of the sky texture like everything else. Beyond a limit each shape becomes an
octahedron of its own size, and beyond a second limit only every n-th one is drawn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.view.creases import vertex_normals
from app.view.legend import shown_field
from app.view.mesh import MeshActors
from app.view.sky import Finish
from geo.model import Instances, Mesh

MOST_FACES = 2_500_000
CROWN_LIFT = 1.8  # metres
VARIETY = 0.05  # trees of one street are not all the same green
SLOT_ROLES = ("crown", "trunk")


class InstancesActors(MeshActors):
    """Trees and furniture."""

    def mesh(self) -> Mesh:
        """All instances as triangles; `face_element` is the instance's element."""
        geometry = self.layer.geometry
        if not isinstance(geometry, Instances):
            raise TypeError(f"{self.layer.kind} is not instances")
        self._drawn = light_enough(geometry)
        return self._drawn.baked()

    def normals(self) -> NDArray[np.float32]:
        """Round normals, turned with each instance."""
        parts = []
        for number, mine in _groups(self._drawn):
            normals = vertex_normals(self._drawn.shapes[number])
            matrix = self._drawn.transform[mine][:, :, :3]
            parts.append(np.einsum("kij,nj->kni", matrix, normals).reshape(-1, 3))
        if not parts:
            return np.zeros((0, 3), np.float32)
        turned = np.concatenate(parts)
        length = np.linalg.norm(turned, axis=1, keepdims=True)
        return (turned / np.maximum(length, 1e-9)).astype(np.float32)

    def finish(self) -> Finish:
        """Round, and letting some light through."""
        return Finish(smooth=True, face_texture=True, lift=CROWN_LIFT)

    def face_colours(self) -> NDArray[np.uint8]:
        """Crown and trunk by material slot; with a field, the field."""
        field = shown_field(self.layer)
        if field is not None and field.on == "element":
            return self._by_field(field)
        slot, instance = _face_slots(self._drawn)
        theme = self.look.theme
        if self.layer.theme == "tree":
            palette = np.array([self._own_or(theme.rgb(role)) for role in SLOT_ROLES], dtype=np.float64)
        else:
            palette = np.array([self.plain_rgb()] * 2, dtype=np.float64)
        # A golden-ratio sequence: varied, even, and the same each time.
        shade = 1.0 + VARIETY * (2.0 * np.mod(instance * 0.6180339887, 1.0) - 1.0)
        colours = palette[np.minimum(slot, 1)] * shade[:, None]
        return np.clip(colours, 0, 255).astype(np.uint8)

    def _own_or(self, palette: tuple[int, int, int]) -> tuple[int, int, int]:
        return self.plain_rgb() if self.layer.style.colour else palette


def light_enough(instances: Instances) -> Instances:
    """The instances, simplified until they are few enough triangles to draw."""
    if instances.face_count <= MOST_FACES:
        return instances
    simple = Instances(
        tuple(octahedron(shape) for shape in instances.shapes), instances.shape, instances.transform, instances.element
    )
    step = max(-(-simple.face_count // MOST_FACES), 1)
    return Instances(simple.shapes, simple.shape[::step], simple.transform[::step], simple.element[::step])


def octahedron(shape: Mesh) -> Mesh:
    """Eight triangles that fill the box of a shape."""
    bounds = shape.bounds
    if bounds is None:
        return shape
    middle, half = np.array(bounds.centre), np.array(bounds.size) / 2
    axes = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], dtype=np.float64)
    upper = np.array([[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4]], dtype=np.int32)
    lower = np.array([[2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]], dtype=np.int32)
    return Mesh(middle + axes * half, np.concatenate([upper, lower]), np.zeros(8, np.int32))


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
