"""Selection and hover: faces tinted and outlined in a renderer in front, over the depth of the scene."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkRenderingCore import vtkActor, vtkRenderer

from app.view.creases import crease_edges
from app.view.instances import box_of
from app.view.layer_actors import Look, unlit_actor
from app.view.lines import line_pairs
from app.view.polydata import point_cloud, segments, triangles
from app.view.sky import largest_element
from app.view.tubes import tube_mesh
from geo.model import Bounds, Instances, Layer, Lines, Mesh, Points

FILL = 0.38
TUBE_FILL, TUBE_RIM = 0.015, 0.10  # metres by which the mark of a pipe is wider than it
HALO_WIDTH, LINE_WIDTH = 6.0, 3.0  # pixels; the white halo is what shows on blue and orange ramps
PULL = 0.002  # share of the distance
MOST_DOTS = 20_000
MOST_FACES = 150_000  # beyond this a selection is tinted but not outlined, and repeated shapes are marked by boxes


class Highlight:
    """The marks of what is selected and of what is under the cursor."""

    def __init__(self, renderer: vtkRenderer, look: Look) -> None:
        self._renderer = renderer
        self._look = look
        self._selection: list[tuple[Layer, str]] = []
        self._actors: list[vtkActor] = []
        self.clip: Callable[[vtkActor, str], None] = lambda _actor, _layer_id: None

    def set_selection(self, elements: Sequence[tuple[Layer, str]]) -> None:
        """Mark these elements; an empty id stands for the whole layer."""
        self._selection = list(elements)
        self._rebuild()

    def retheme(self) -> None:
        """The palette has changed."""
        self._rebuild()

    def clear(self) -> None:
        """Mark nothing."""
        self._selection = []
        self._rebuild()

    def _rebuild(self) -> None:
        for actor in self._actors:
            self._renderer.RemoveActor(actor)
        self._actors = []
        chosen: dict[str, tuple[Layer, list[str]]] = {}
        for layer, element in self._selection:
            chosen.setdefault(layer.id, (layer, []))[1].append(element)
        for layer, elements in chosen.values():
            first = len(self._actors)
            self._mark(layer, elements, "selection")
            for actor in self._actors[first:]:
                self.clip(actor, layer.id)
        for actor in self._actors:
            self._renderer.AddActor(actor)

    def _mark(self, layer: Layer, elements: Sequence[str], role: str) -> None:
        if not layer.style.visible and layer.theme != "space":  # a room that was found is shown where it is
            return
        chosen = _chosen(layer, elements)
        geometry = layer.geometry
        if isinstance(geometry, Instances):
            mine = _instances_of(geometry, chosen)
            geometry = (mine if mine.face_count <= MOST_FACES else in_boxes(mine)).baked()
        if isinstance(geometry, Mesh):
            self._mark_mesh(geometry, chosen, role)
        elif isinstance(geometry, Lines):
            pairs, owner = line_pairs(geometry)
            self._outline(geometry.vertices, pairs[chosen[geometry.line_element[owner]]], role)
            if layer.theme == "utility":
                self._tubes(layer, chosen, role)
        elif isinstance(geometry, Points) and len(geometry.vertices) <= MOST_DOTS:  # a cloud would drown in magenta
            self._dots(geometry.vertices[chosen[geometry.element]], role)

    def _tubes(self, layer: Layer, chosen: NDArray[np.bool_], role: str) -> None:
        """Pipes as tubes over their own, in a white hull of which only the far side shows: a rim all around."""
        for wider, colour, opacity in ((TUBE_RIM, "halo", 1.0), (TUBE_FILL, role, 0.82)):
            sweep = tube_mesh(layer, chosen, wider=wider)
            if sweep is None:
                return
            actor = unlit_actor(triangles(sweep.vertices, sweep.faces), pull=PULL / 4)
            property_ = actor.GetProperty()
            property_.SetColor(self._look.theme.unit_rgb(colour))
            property_.SetOpacity(opacity)
            property_.SetFrontfaceCulling(colour == "halo")
            property_.SetBackfaceCulling(colour != "halo")
            self._actors.append(actor)

    def _mark_mesh(self, mesh: Mesh, chosen: NDArray[np.bool_], role: str) -> None:
        mine = chosen[mesh.face_element]
        if not mine.any():
            return
        faces = mesh.faces[mine]
        used = np.zeros(len(mesh.vertices), dtype=np.bool_)  # of a city a few corners are enough
        used[faces] = True
        numbers = np.cumsum(used, dtype=np.int32) - 1
        part = Mesh(mesh.vertices[used], numbers[faces], mesh.face_element[mine])
        self._fill(part, role)
        if len(part.faces) <= MOST_FACES:
            self._outline(part.vertices, crease_edges(part)[0], role)

    def _fill(self, part: Mesh, role: str) -> None:
        actor = unlit_actor(triangles(part.vertices, part.faces), pull=PULL / 2)
        actor.GetProperty().SetColor(self._look.theme.unit_rgb(role))
        actor.GetProperty().SetOpacity(FILL)
        self._actors.append(actor)

    def _outline(self, vertices: NDArray[np.float64], pairs: NDArray[np.int32], role: str) -> None:
        if len(pairs) == 0:
            return
        used, numbers = np.unique(pairs.ravel(), return_inverse=True)
        data = segments(vertices[used], numbers.reshape(-1, 2).astype(np.int32))
        for width, colour, pull in ((HALO_WIDTH, "halo", PULL), (LINE_WIDTH, role, 1.5 * PULL)):
            actor = unlit_actor(data, pull=pull)
            actor.GetProperty().SetColor(self._look.theme.unit_rgb(colour))
            actor.GetProperty().SetLineWidth(width)
            self._actors.append(actor)

    def _dots(self, vertices: NDArray[np.float64], role: str) -> None:
        for size, colour, pull in ((18.0, "halo", 5 * PULL), (13.0, role, 6 * PULL)):
            actor = unlit_actor(point_cloud(vertices), pull=pull)
            property_ = actor.GetProperty()
            property_.SetColor(self._look.theme.unit_rgb(colour))
            property_.SetPointSize(size)
            property_.SetRenderPointsAsSpheres(True)
            self._actors.append(actor)


def element_bounds(layer: Layer, element_id: str) -> Bounds | None:
    """Box around one element, or around the layer for an empty id."""
    geometry = layer.geometry
    if geometry is None or not element_id:
        return geometry.bounds if geometry is not None else None
    chosen = _chosen(layer, [element_id])
    if isinstance(geometry, Instances):
        return _instances_of(geometry, chosen).bounds
    if isinstance(geometry, Mesh):
        return Bounds.of(geometry.vertices[geometry.faces[chosen[geometry.face_element]].ravel()])
    if isinstance(geometry, Lines):
        pairs, owner = line_pairs(geometry)
        return Bounds.of(geometry.vertices[pairs[chosen[geometry.line_element[owner]]].ravel()])
    if isinstance(geometry, Points):
        return Bounds.of(geometry.vertices[chosen[geometry.element]])
    return geometry.bounds


def _chosen(layer: Layer, elements: Sequence[str]) -> NDArray[np.bool_]:
    """(elements,) whether each row of the table is marked."""
    count = max(len(layer.table), largest_element(layer) + 1)
    if "" in elements:
        return np.ones(count, dtype=np.bool_)
    chosen = np.zeros(count, dtype=np.bool_)
    chosen[[layer.table.index[name] for name in elements if name in layer.table.index]] = True
    return chosen


def _instances_of(instances: Instances, chosen: NDArray[np.bool_]) -> Instances:
    mine = chosen[instances.element]
    return Instances(instances.shapes, instances.shape[mine], instances.transform[mine], instances.element[mine])


def in_boxes(instances: Instances) -> Instances:
    """The box around each shape in its place: twelve triangles, however many the shape has."""
    boxes = tuple(box_of(shape) for shape in instances.shapes)
    return Instances(boxes, instances.shape, instances.transform, instances.element)
