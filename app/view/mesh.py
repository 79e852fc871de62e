"""Triangles: buildings, models, roads, results on facades. One actor for the faces, one for the creases."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkRenderingCore import vtkActor

from app.colour import field_colours
from app.view.camera import Camera
from app.view.creases import CITY_ANGLE, MODEL_ANGLE, crease_edges
from app.view.layer_actors import RESULT_KEEP, LayerActors, face_texture, new_actor, unlit_actor
from app.view.legend import PAINTED_FIELD, shown_field
from app.view.polydata import ArrayTexture, segments, set_segments, triangles
from app.view.shader import Finish
from app.view.sky import shown_elements
from geo.model import Field, Mesh

Colours = NDArray[np.uint8]

CREASED = frozenset({"building", "bim", "furniture", "other"})
GROUND_COVER = {"parcel": 0.002, "water": 0.003, "road": 0.004, "rail": 0.005}  # drawn in this order over the terrain
RESULT_PULL = 0.0005  # share of the distance by which result cells stand before the wall they describe
LINE_PULL = 0.001
CLEAR_LINES = {"building": (700.0, 0.35), "bim": (120.0, 0.12)}  # metres of full strength, and the weakest
SPACE_OPACITY = 0.16
MODEL_MUTE = 0.35  # share of the palette's wall colour in the colours of a model
FACES_A_TEXTURE_HOLDS = 1024 * 16384


class MeshActors(LayerActors):
    """A layer of triangles; colour and visibility of each face lie in a texture."""

    def build(self) -> None:
        """Faces, and creases where the theme has them."""
        mesh = self.mesh()
        self._mesh = mesh
        self._faces = new_actor(triangles(mesh.vertices, mesh.faces, normals=self.normals()))
        self._texture = ArrayTexture(np.zeros((1, 1024, 4), np.uint8), smooth=False)
        self._faces.GetProperty().SetTexture("faceTex", self._texture.texture)
        self.look.light.apply(self._faces, self.finish())
        self.actors = [self._faces]
        self._lines: vtkActor | None = None
        self._near = 1.0
        if self.layer.theme in CREASED and len(mesh.faces):
            self._build_lines(mesh)

    def mesh(self) -> Mesh:
        """The triangles to draw."""
        geometry = self.layer.geometry
        if not isinstance(geometry, Mesh):
            raise TypeError(f"{self.layer.kind} is not a mesh")
        return geometry

    def normals(self) -> NDArray[np.float32] | None:
        """Normals of the vertices where the surface is round; None = flat faces."""
        return None

    def finish(self) -> Finish:
        """How the faces take the light."""
        return Finish(face_texture=True, pull=self._pull())

    def recolour(self) -> None:
        """Colours and hidden elements of all faces: one write of a texture."""
        theme, style = self.look.theme, self.layer.style
        colours = self.face_colours()
        shown = shown_elements(self.layer)[self._mesh.face_element]
        self._texture.write(face_texture(colours, np.where(shown, 255, 0).astype(np.uint8)))
        coloured = shown_field(self.layer) is not None
        self.look.light.set_keep(self._faces, RESULT_KEEP if coloured else 0.0)
        opacity = style.opacity * (SPACE_OPACITY if self.layer.theme == "space" else 1.0)
        self._faces.GetProperty().SetOpacity(opacity)
        self._faces.SetForceTranslucent(opacity < 1.0)
        self._faces.GetProperty().SetBackfaceCulling(opacity < 1.0)
        if self._lines is not None:
            line = self._lines.GetProperty()
            line.SetColor(theme.unit_rgb("edge"))
            line.SetOpacity(theme.edge_opacity * (0.5 + 0.5 * opacity) * self._near)
            keep = shown_elements(self.layer)[self._edge_element]
            set_segments(self._lines.GetMapper().GetInput(), self._edges[keep])

    def look_from(self, camera: Camera) -> None:
        """Creases fade with distance: where many fall on one pixel they would only blacken it."""
        bounds = self.layer.geometry.bounds if self.layer.geometry is not None else None
        if self._lines is None or bounds is None:
            return
        outside = np.maximum(np.maximum(np.array(bounds.low) - camera.eye, camera.eye - np.array(bounds.high)), 0.0)
        full, least = CLEAR_LINES.get(self.layer.theme, CLEAR_LINES["building"])
        self._near = min(max(full / max(float(np.linalg.norm(outside)), 1.0), least), 1.0)
        strength = self.look.theme.edge_opacity * (0.5 + 0.5 * self._faces.GetProperty().GetOpacity())
        self._lines.GetProperty().SetOpacity(strength * self._near)

    def face_colours(self) -> Colours:
        """(m, 3) colour of every face."""
        field = shown_field(self.layer)
        if field is not None:
            return self._by_field(field)
        painted = self.layer.field_named(PAINTED_FIELD)
        if self.layer.theme == "bim" and painted is not None and not self.layer.style.colour:
            return self._painted(painted)
        return self._plain()

    def _plain(self) -> Colours:
        colours = np.empty((len(self._mesh.faces), 3), dtype=np.uint8)
        colours[:] = self.plain_rgb()
        if self.layer.theme == "building" and not self.layer.style.colour:
            colours[self._roofs()] = self.look.theme.rgb("roof")
        return colours

    def _roofs(self) -> NDArray[np.bool_]:
        surface = self.layer.field_named("surface")
        if surface is not None and surface.on == "face" and "roof" in surface.categories:
            return np.asarray(surface.values == surface.categories.index("roof"))
        return np.asarray(self._mesh.face_normal[:, 2] > 0.5)

    def _painted(self, painted: Field) -> Colours:
        """The model's own colours, muted toward the palette so that they sit in the city."""
        codes = painted.values.astype(np.int64)
        own = np.stack([(codes >> 16) & 255, (codes >> 8) & 255, codes & 255], axis=1).astype(np.float64)
        grey = own.mean(axis=1, keepdims=True)
        calm = 0.75 * own + 0.25 * grey
        wall = np.array(self.look.theme.rgb("indoor_wall"), dtype=np.float64)
        mixed = (1 - MODEL_MUTE) * calm + MODEL_MUTE * wall
        if self.look.theme.is_dark:
            mixed *= 0.72
        return np.clip(mixed, 0, 255).astype(np.uint8)

    def _by_field(self, field: Field) -> Colours:
        if field.on == "vertex":
            mean = field.values.astype(np.float64)[self._mesh.faces].mean(axis=1)
            field = Field(field.name, field.unit or "1", "face", mean, (), field.ramp, field.range)
        colours, _known = field_colours(field, self.look.theme)
        if field.on == "element":
            colours = colours[self._mesh.face_element]
        return colours

    def _pull(self) -> float:
        if self.layer.theme == "result":
            return RESULT_PULL
        return GROUND_COVER.get(self.layer.theme, 0.0)

    def _build_lines(self, mesh: Mesh) -> None:
        angle = MODEL_ANGLE if self.layer.theme == "bim" else CITY_ANGLE
        edges, self._edge_element = crease_edges(mesh, angle=angle, feet=self.layer.theme != "building")
        used, numbers = np.unique(edges.ravel(), return_inverse=True)
        self._edges = numbers.reshape(-1, 2).astype(np.int32)
        self._lines = unlit_actor(segments(mesh.vertices[used], self._edges), pull=LINE_PULL)
        self._lines.GetProperty().SetLineWidth(1.2)
        self.actors.append(self._lines)
