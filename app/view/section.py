"""A section on the screen: clipping planes on every actor, cut faces in poché, faint lines of what was cut away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from vtkmodules.vtkCommonDataModel import vtkPlane
from vtkmodules.vtkRenderingCore import vtkActor, vtkRenderer

from app.look import NO_SECTION, ClipPlane, Section, StoreyCut
from app.view.cutting import Cap
from app.view.layer_actors import LayerActors, Look, new_actor, unlit_actor
from app.view.mesh import MeshActors
from app.view.opened import INDOOR_KEEP, glass_faces
from app.view.polydata import segments, set_cell_colours, triangles
from app.view.shader import Finish
from app.view.sky import NO_OPENINGS
from app.view.trench import Trench
from geo.model import Mesh

GHOST_OPACITY = 0.07
GHOST_PULL, CAP_PULL, OUTLINE_PULL = 0.001, 0.0002, 0.0012  # shares of the distance
OUTLINE_WIDTH = 2.0  # pixels
GLASS_OPACITY = 0.45


class SectionActors:
    """What a section adds to a scene and does to its actors.

    Parameters
    ----------
    scene : vtkRenderer
    look : app.view.layer_actors.Look
    """

    def __init__(self, scene: vtkRenderer, look: Look) -> None:
        self.section = NO_SECTION
        self._scene = scene
        self._look = look
        self._caps: tuple[Cap, ...] = ()
        self._cap_actors: list[vtkActor] = []
        self._ghosts: dict[str, list[vtkActor]] = {}
        self._glass: dict[str, list[vtkActor]] = {}
        self._has_pit = False
        self._planes: dict[tuple[int, bool], vtkPlane] = {}

    # -- the section

    def set_section(self, section: Section, layers: Mapping[str, LayerActors]) -> bool:
        """Cut the layers; False where planes were only moved: then nothing else has to change."""
        before, self.section = self.section, section
        self._open_ground()
        opened_before = self._look.opened
        self.set_caps(())
        if _same_shape(before, section):
            self._move_planes()
            return False
        self._planes = {}
        self._look.opened = section.storey.layer_ids if section.storey else frozenset()
        self._look.without_coverings = section.storey is not None
        self._follow_all(layers, opened_before)
        return True

    @property
    def pit(self) -> Trench | None:
        """The hole in the ground over a basement."""
        return pit_of(self.section.storey) if self.section.storey is not None else None

    def _open_ground(self) -> None:
        """Leave the ground out over a basement; a trench of the user's comes back when the storey is closed."""
        pit = self.pit
        if pit is not None:
            middle = ((pit.start[0] + pit.stop[0]) / 2, pit.start[1])
            self._look.light.set_openings(trenchBox=(*middle, pit.length / 2, pit.width / 2), trenchAxis=pit.axis)
        elif self._has_pit:
            self._look.light.set_openings(trenchBox=NO_OPENINGS["trenchBox"], trenchAxis=NO_OPENINGS["trenchAxis"])
        self._has_pit = pit is not None

    def set_inside(self, inside: bool, layers: Mapping[str, LayerActors]) -> None:
        """Show models as somebody sees them who walks in them; a section of a storey goes before."""
        if self.section.storey is None:
            before = self._look.opened
            chosen = [key for key, drawn in layers.items() if inside and drawn.layer.theme == "bim"]
            self._look.opened, self._look.without_coverings = frozenset(chosen), False
            self._follow_all(layers, before)

    def _follow_all(self, layers: Mapping[str, LayerActors], opened_before: frozenset[str]) -> None:
        for layer_id, drawn in layers.items():
            if (layer_id in self._look.opened) != (layer_id in opened_before):
                drawn.recolour()
            self.follow(drawn)

    def follow(self, drawn: LayerActors) -> None:
        """Cut a layer that is new or was drawn anew."""
        layer = drawn.layer
        self.forget(layer.id)
        for actor in drawn.actors:
            self.clip(actor, layer.id)
        indoor = layer.id in self._look.opened or (self.section.is_open and layer.theme == "bim")
        self._look.light.set_indoor(drawn.actors, indoor)
        if isinstance(drawn, MeshActors) and layer.id in self._look.opened and layer.style.visible:
            if self.section.storey is not None:
                self._ghosts[layer.id] = self._add(_ghosts(drawn))
                for actor in self._ghosts[layer.id]:
                    self._clip_by(actor, [self._plane(self._storey_number, flipped=True)])
            self._glass[layer.id] = self._add(_glass(drawn))
            for actor in self._glass[layer.id]:
                self.clip(actor, layer.id)

    def forget(self, layer_id: str) -> None:
        """The layer is drawn no longer."""
        glass = self._glass.pop(layer_id, [])
        self._look.light.forget(glass)
        for actor in [*self._ghosts.pop(layer_id, []), *glass]:
            self._scene.RemoveActor(actor)

    def clip(self, actor: vtkActor, layer_id: str) -> None:
        """Cut an actor as its layer is cut."""
        self._clip_by(actor, [self._plane(number) for number in self._numbers_of(layer_id)])

    def _numbers_of(self, layer_id: str) -> list[int]:
        """Which of all planes cut a layer; the storey's is the last."""
        count = len(self._all_planes())
        if self.section.storey and layer_id not in self.section.storey.layer_ids:
            count -= 1
        return list(range(count))

    @property
    def _storey_number(self) -> int:
        return len(self._all_planes()) - 1

    def _all_planes(self) -> tuple[ClipPlane, ...]:
        storey = self.section.storey
        everywhere = self.section.planes_of("")
        return (*everywhere, storey.plane) if storey else everywhere

    def _plane(self, number: int, *, flipped: bool = False) -> vtkPlane:
        """The shared plane of a number; VTK keeps what lies along its normal, we cut that away."""
        made = self._planes.get((number, flipped))
        if made is None:
            made = self._planes[(number, flipped)] = vtkPlane()
            self._place(made, self._all_planes()[number], flipped=flipped)
        return made

    def _move_planes(self) -> None:
        planes = self._all_planes()
        for (number, flipped), plane in self._planes.items():
            self._place(plane, planes[number], flipped=flipped)

    def _place(self, target: vtkPlane, plane: ClipPlane, *, flipped: bool) -> None:
        sign = 1.0 if flipped else -1.0
        target.SetOrigin(*plane.point)
        target.SetNormal(*(sign * v for v in plane.normal))

    def _clip_by(self, actor: vtkActor, planes: Sequence[vtkPlane]) -> None:
        mapper = actor.GetMapper()
        if mapper is None:
            return
        there = mapper.GetClippingPlanes()
        if not planes and (there is None or there.GetNumberOfItems() == 0):
            return
        mapper.RemoveAllClippingPlanes()
        for plane in planes:
            mapper.AddClippingPlane(plane)

    def _add(self, actors: Iterable[vtkActor]) -> list[vtkActor]:
        added = list(actors)
        for actor in added:
            self._scene.AddActor(actor)
        return added

    # -- cut faces

    def set_caps(self, caps: Sequence[Cap]) -> None:
        """Draw these cut faces, made by `app.view.cutting.build_caps` for the section as it is."""
        self._look.light.forget(self._cap_actors)
        for actor in self._cap_actors:
            self._scene.RemoveActor(actor)
        self._caps = tuple(caps)
        self._cap_actors = []
        for cap in self._caps:
            made = _cap_actors(cap, self._look)
            for actor in made:
                self._clip_by(actor, [_vtk_plane(plane) for plane in cap.others])
            self._cap_actors += self._add(made)

    def retheme(self, layers: Mapping[str, LayerActors]) -> None:
        """The palette has changed."""
        self.set_caps(self._caps)
        for layer_id in list(self._glass):
            self.follow(layers[layer_id])

    def release(self) -> None:
        """Let go of everything."""
        self.set_caps(())
        for layer_id in list(self._glass):
            self.forget(layer_id)


def pit_of(storey: StoreyCut) -> Trench | None:
    """The hole in the ground over a basement."""
    if storey.pit is None:
        return None
    west, south, east, north = storey.pit
    middle = (south + north) / 2
    return Trench((west, middle), (east, middle), north - south)


def _same_shape(before: Section, after: Section) -> bool:
    """Whether the same layers are cut by as many planes, only elsewhere."""
    cut_before = before.storey.layer_ids if before.storey else None
    cut_after = after.storey.layer_ids if after.storey else None
    return (
        cut_before == cut_after
        and len(before.planes) == len(after.planes)
        and (before.box is None) == (after.box is None)
    )


def _vtk_plane(plane: ClipPlane) -> vtkPlane:
    made = vtkPlane()
    made.SetOrigin(*plane.point)
    made.SetNormal(*(-v for v in plane.normal))
    return made


def _cap_actors(cap: Cap, look: Look) -> list[vtkActor]:
    theme = look.theme
    if not cap.layer_id:
        plate = new_actor(triangles(cap.vertices, cap.faces))
        plate.GetProperty().SetColor(theme.unit_rgb("indoor_floor"))
        look.light.apply(plate, Finish(), keep=INDOOR_KEEP)
        look.light.set_indoor([plate], True)
        return [plate]
    data = triangles(cap.vertices, cap.faces)
    colours = np.where(cap.is_light[:, None], theme.rgb("poche_light"), theme.rgb("poche")).astype(np.uint8)
    set_cell_colours(data, colours)
    faces = unlit_actor(data, pull=CAP_PULL)
    ends = np.arange(2 * len(cap.outline), dtype=np.int32).reshape(-1, 2)
    outline = unlit_actor(segments(cap.outline.reshape(-1, 3), ends), pull=OUTLINE_PULL)
    outline.GetProperty().SetColor(theme.unit_rgb("poche_line"))
    outline.GetProperty().SetLineWidth(OUTLINE_WIDTH)
    outline.GetProperty().SetOpacity(0.99)  # lines come after screen-space occlusion
    return [faces, outline]


def _ghosts(drawn: MeshActors) -> list[vtkActor]:
    """The creases of a layer, hardly there."""
    made = []
    for edges in drawn.edges:
        actor = unlit_actor(segments(edges.vertices, edges.pairs), pull=GHOST_PULL)
        actor.GetProperty().SetColor(drawn.look.theme.unit_rgb("edge"))
        actor.GetProperty().SetOpacity(GHOST_OPACITY)
        actor.GetProperty().SetLineWidth(1.0)
        made.append(actor)
    return made


def _glass(drawn: MeshActors) -> list[vtkActor]:
    """Panes that let light through, in one translucent actor."""
    mesh = drawn.layer.geometry
    glass = glass_faces(drawn.layer, coverings=drawn.look.without_coverings)
    if not isinstance(mesh, Mesh) or not glass.any():
        return []
    used, numbers = np.unique(mesh.faces[glass].ravel(), return_inverse=True)
    actor = new_actor(triangles(mesh.vertices[used], numbers.reshape(-1, 3).astype(np.int32)))
    drawn.look.light.apply(actor, Finish(), keep=0.5)
    drawn.look.light.set_indoor([actor], True)
    actor.GetProperty().SetColor(drawn.look.theme.unit_rgb("glass"))
    actor.GetProperty().SetOpacity(GLASS_OPACITY)
    actor.SetForceTranslucent(True)
    return [actor]
