"""Repeated shapes, above all trees: written out as triangles with round normals, one actor for a layer.

Written out, they take the light of the sky texture like everything else. Beyond a limit each shape becomes an
icosahedron of its own size, and beyond a second limit only every n-th one is drawn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkRenderingCore import vtkActor

from app.colour import field_colours
from app.view.camera import Camera
from app.view.creases import vertex_normals
from app.view.layer_actors import face_texture, new_actor
from app.view.legend import shown_field
from app.view.mesh import MeshActors
from app.view.polydata import ArrayTexture, triangles
from app.view.shader import Finish
from app.view.sky import shown_elements
from geo.model import Instances, Mesh

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
SLOT_ROLES = ("crown", "trunk")


class InstancesActors(MeshActors):
    """Trees and furniture."""

    def build(self) -> None:
        """The shapes as they are, and icosahedra in their place for views from far away."""
        super().build()
        self._far = False
        self._coarse: vtkActor | None = None
        if self._drawn.face_count < WORTH_TWO_FORMS or self._drawn.face_count <= 20 * len(self._drawn.shape):
            return
        simple = simplified(self._drawn)
        self._coarse_instances = simple
        mesh = simple.baked()
        self._coarse = new_actor(triangles(mesh.vertices, mesh.faces, normals=_normals(simple)))
        self._coarse_element = mesh.face_element
        self._coarse_texture = ArrayTexture(np.zeros((1, 1024, 4), np.uint8), smooth=False)
        self._coarse.GetProperty().SetTexture("faceTex", self._coarse_texture.texture)
        self.look.light.apply(self._coarse, self.finish())
        self.actors.append(self._coarse)

    def recolour(self) -> None:
        """Colours of both forms."""
        super().recolour()
        if self._coarse is not None:
            shown = shown_elements(self.layer)[self._coarse_element]
            colours = self._colours_of(self._coarse_instances, self._coarse_element)
            self._coarse_texture.write(face_texture(colours, np.where(shown, 255, 0).astype(np.uint8)))

    def look_from(self, camera: Camera) -> None:
        """Icosahedra when the eye is far from what it looks at."""
        self._far = camera.distance > FAR
        self.show()

    def show(self) -> None:
        """One of the two forms."""
        visible = self.layer.style.visible
        far = self._far and self._coarse is not None
        self._faces.SetVisibility(visible and not far)
        if self._coarse is not None:
            self._coarse.SetVisibility(visible and far)

    def mesh(self) -> Mesh:
        """All instances as triangles; `face_element` is the instance's element."""
        geometry = self.layer.geometry
        if not isinstance(geometry, Instances):
            raise TypeError(f"{self.layer.kind} is not instances")
        self._drawn = light_enough(geometry)
        return self._drawn.baked()

    def normals(self) -> NDArray[np.float32]:
        """Round normals, turned with each instance."""
        return _normals(self._drawn)

    def finish(self) -> Finish:
        """Round, and letting some light through."""
        return Finish(smooth=True, face_texture=True, lift=CROWN_LIFT)

    def face_colours(self) -> NDArray[np.uint8]:
        """Crown and trunk by material slot; with a field, the field."""
        return self._colours_of(self._drawn, self._mesh.face_element)

    def _colours_of(self, instances: Instances, element: NDArray[np.int32]) -> NDArray[np.uint8]:
        field = shown_field(self.layer)
        if field is not None and field.on == "element":
            return field_colours(field, self.look.theme)[0][element]
        slot, instance = _face_slots(instances)
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
    simple = simplified(instances)
    step = max(-(-simple.face_count // MOST_FACES), 1)
    return Instances(simple.shapes, simple.shape[::step], simple.transform[::step], simple.element[::step])


def simplified(instances: Instances) -> Instances:
    """The same instances as icosahedra."""
    shapes = tuple(icosahedron(shape) for shape in instances.shapes)
    return Instances(shapes, instances.shape, instances.transform, instances.element)


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
