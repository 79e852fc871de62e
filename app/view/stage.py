"""Stage: renderers, light, layers and highlights of one render window. Knows no Qt; window and file share it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import vtkmodules.vtkRenderingOpenGL2  # noqa: F401  registers the OpenGL classes
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkRenderingCore import (
    vtkActor,
    vtkLight,
    vtkPolyDataMapper,
    vtkRenderer,
    vtkRenderWindow,
    vtkWindowToImageFilter,
)

from app.look import Section
from app.theme import Theme
from app.view.actors import actors_of
from app.view.camera import Camera, clipping
from app.view.cloud import CloudActors
from app.view.cutting import Cap
from app.view.highlight import Highlight, element_bounds
from app.view.layer_actors import LayerActors, Look
from app.view.mesh import MeshActors
from app.view.particle_actor import ParticleTrails
from app.view.pit import XRayActors
from app.view.polydata import triangles
from app.view.section import SectionActors
from app.view.sky import SkyInputs, SkyTexture
from app.view.terrain import DrapedActors, TerrainActors
from app.view.trench import Trench, TrenchActors
from app.view.volume import VolumeActors
from app.view.xray import XRay
from app.volume_view import VolumeView
from geo.model import Bounds, ElementRef, Layer, Mesh

QUALITIES = ("fast", "normal", "fine")
MOST_POINTS, LEAST_POINTS = 8000, 400  # of all layers, of one layer, to frame a view by
SAMPLES = {"fast": 0, "normal": 8, "fine": 0}
CITY_OCCLUSION = (4.0, 0.2, 32)  # metres of radius, metres of bias, rays
ROOM_OCCLUSION = (0.9, 0.08, 64)
FEW_RAYS = 16  # where the processor draws


class Stage:
    """What is drawn in one window.

    Parameters
    ----------
    window : vtkRenderWindow
        Not yet drawn in: the number of samples is set here.
    quality : {"fast", "normal", "fine"}
        fast: no multisampling. normal: eight samples. fine: screen-space occlusion besides, for still pictures.
    """

    def __init__(self, window: vtkRenderWindow, *, theme: Theme, quality: str = "normal") -> None:
        self.window = window
        self.look = Look(theme, SkyTexture())
        self._layers: dict[str, LayerActors] = {}
        self._expected: dict[str, Layer] = {}
        self._order: tuple[str, ...] = ()
        self._left_out: dict[str, frozenset[str]] = {}
        self._point_budget = self.look.point_budget
        self._aimed: tuple[Camera, tuple[int, int]] | None = None
        self.scene = _renderer(0)
        self.front = _renderer(1)
        self.front.SetPreserveDepthBuffer(True)
        self.front.SetActiveCamera(self.scene.GetActiveCamera())
        window.SetNumberOfLayers(2)
        window.AddRenderer(self.scene)
        window.AddRenderer(self.front)
        self.backdrop = _sky_quad()
        self.scene.AddActor(self.backdrop)
        self.cut = SectionActors(self.scene, self.look)
        self.pit = XRayActors(self.scene, self.look)
        self.digging = TrenchActors(self.scene, self.look)
        self.highlight = Highlight(self.front, self.look)
        self.highlight.clip = self.cut.clip
        self.trails: ParticleTrails | None = None
        self.moving: list[vtkActor] = []  # in the hand of the user: drawn over the last frame of all the rest
        self.camera: Camera | None = None
        self.quality = ""
        self.set_quality(quality)
        self.set_theme(theme)

    # -- layers

    def expect(self, layer: Layer) -> None:
        """A layer is being prepared: views are framed as if it were drawn."""
        self._expected[layer.id] = layer

    def add(self, layer: Layer, prepared: object = None) -> None:
        """Draw a layer; `prepared` is what `app.view.actors.prepare` made of it, if it did beforehand."""
        self._expected.pop(layer.id, None)
        drawn = actors_of(layer, self.look, prepared)
        if drawn is None:
            return
        self._layers[layer.id] = drawn
        for actor in drawn.actors:
            self.scene.AddActor(actor)
        self.cut.follow(drawn)
        self.pit.refresh(drawn, self._layers)
        self._aimed = None
        self._arrange_drapes()

    @property
    def is_expecting(self) -> bool:
        """Whether any layer is being prepared."""
        return bool(self._expected)

    def expected(self, layer_id: str) -> Layer | None:
        """The layer that is being prepared, or None."""
        return self._expected.get(layer_id)

    def drawn(self, layer_id: str) -> Layer | None:
        """The layer as it is drawn, or None."""
        found = self._layers.get(layer_id)
        return found.layer if found is not None else None

    def remove(self, layer_id: str) -> None:
        """Draw a layer no longer."""
        self._expected.pop(layer_id, None)
        drawn = self._layers.pop(layer_id, None)
        if drawn is None:
            return
        for actor in drawn.actors:
            self.scene.RemoveActor(actor)
        self.cut.forget(layer_id)
        self.pit.forget(layer_id)
        drawn.release()
        if isinstance(drawn, TerrainActors):
            self.pit.bury(self._layers)
        self._arrange_drapes()

    def change(self, layer: Layer, what: str, prepared: object = None) -> None:
        """Follow a change of a layer: ``"style"``, ``"name"`` or ``"data"``."""
        self._expected.pop(layer.id, None)
        drawn = self._layers.get(layer.id)
        if drawn is None or layer.geometry is None or layer.geometry.bounds is None:
            self.remove(layer.id)
            self.add(layer, prepared)
            return
        if layer.geometry.kind != drawn.layer.geometry.kind or layer.theme != drawn.layer.theme:  # type: ignore[union-attr]
            self.remove(layer.id)
            self.add(layer, prepared)
            return
        before = list(drawn.actors)
        self._aimed = None
        if drawn.refresh(layer, what, prepared):
            for actor in before:
                self.scene.RemoveActor(actor)
            for actor in drawn.actors:
                self.scene.AddActor(actor)
        if self.cut.section.is_open:
            self.cut.follow(drawn)
        self.pit.refresh(drawn, self._layers)
        self._arrange_drapes()

    def set_order(self, layer_ids: Sequence[str]) -> None:
        """Order of the layers in the scene: later pictures lie over earlier ones."""
        self._order = tuple(layer_ids)
        self._arrange_drapes()

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers drawn or being prepared, in the order they were added."""
        shown = {**{key: drawn.layer for key, drawn in self._layers.items()}, **self._expected}
        return tuple(shown.values())

    @property
    def actor_count(self) -> int:
        """Number of actors of all layers."""
        return sum(len(drawn.actors) for drawn in self._layers.values())

    def bounds(self) -> Bounds | None:
        """Box around what is visible [local m]."""
        shown = [layer for layer in self.layers if layer.style.visible]
        solid = [layer for layer in shown if layer.kind not in ("image", "grid")] or shown
        return Bounds.union([b for layer in solid if layer.geometry and (b := layer.geometry.bounds) is not None])

    def home_bounds(self) -> Bounds | None:
        """Box around what a person wants to see first: the buildings, not the plain they stand on."""
        boxes = [layer.geometry.bounds for layer in self._built() if layer.geometry is not None]
        return Bounds.union([box for box in boxes if box is not None]) or self.bounds()

    def home_points(self) -> NDArray[np.float64] | None:
        """Some corners of the buildings, to frame a town by its shape; None when there are none."""
        meshes = [layer.geometry for layer in self._built() if isinstance(layer.geometry, Mesh)]
        most = max(MOST_POINTS // max(len(meshes), 1), LEAST_POINTS)
        clouds = [mesh.vertices[:: max(len(mesh.vertices) // most, 1)] for mesh in meshes]
        return np.concatenate(clouds) if clouds else None

    def _built(self) -> list[Layer]:
        return [layer for layer in self.layers if layer.style.visible and layer.theme in ("building", "bim")]

    def element_bounds(self, layer: Layer, element_id: str) -> Bounds | None:
        """Box around one element, or around the layer for an empty id."""
        return element_bounds(layer, element_id)

    def _arrange_drapes(self) -> None:
        """Lay visible pictures over the ground, images below results; without ground they lie flat."""
        grounds = [d for d in self._layers.values() if isinstance(d, TerrainActors)]
        has_ground = any(d.layer.style.visible for d in grounds)
        place = {layer_id: number for number, layer_id in enumerate(self._order)}
        shown = [d for d in self._layers.values() if d.layer.style.visible and d.drape is not None]
        last = len(place)  # what is in the picture only lies over the scene
        shown.sort(key=lambda d: (d.layer.kind != "terrain", d.layer.kind != "image", place.get(d.layer.id, last)))
        drapes = [d.drape for d in shown if d.drape is not None]
        for ground in grounds:
            mine = [d for d in drapes if d.layer_id == ground.layer.id or self._layers[d.layer_id] not in grounds]
            ground.set_drapes(mine)
        results = [d.drape for d in shown if d.drape is not None and d.layer.theme == "result"] if has_ground else []
        for drawn in self._layers.values():
            if isinstance(drawn, DrapedActors):
                drawn.set_flat(not has_ground)
            elif isinstance(drawn, MeshActors):
                drawn.set_drapes(results)

    # -- look

    def set_theme(self, theme: Theme) -> None:
        """Change all colours."""
        self.look.theme = theme
        _colour_sky(self.backdrop, theme)
        for renderer in (self.scene, self.front):
            renderer.SetBackground(*theme.unit_rgb("sky_bottom"))
        for drawn in self._layers.values():
            drawn.retheme()
        self._arrange_drapes()
        self.cut.retheme(self._layers)
        self.pit.retheme(self._layers)
        self.highlight.retheme()

    def set_section(self, section: Section) -> None:
        """Cut the scene open; cut faces come by `set_caps`."""
        had_pit = self.cut.pit is not None
        rebuilt = self.cut.set_section(section, self._layers)
        if had_pit and self.cut.pit is None and self.digging.trench is not None:
            self.digging.set_trench(self.digging.trench, self._layers)
        if rebuilt:
            self.set_quality(self.quality, multisampling=self._multisampling)  # rooms are shaded by occlusion
            self.highlight.retheme()

    @property
    def ground_is_open(self) -> bool:
        """Whether one sees what lies under the ground: it is not shown, seen through, dug up or cut."""
        cut = self.cut.section.is_open and not self.look.opened  # a storey that is looked into opens no ground
        if self.pit.is_seen_through or self.digging.trench is not None or cut:
            return True
        return not any(isinstance(one, TerrainActors) and one.layer.style.visible for one in self._layers.values())

    def set_xray(self, xray: XRay | None) -> None:
        """See through the ground around a place, or no longer."""
        self.pit.set_xray(xray, self._layers)
        self._aimed = None

    def set_trench(self, trench: Trench | None) -> None:
        """Cut a trench into the ground, or fill it."""
        self.digging.set_trench(trench, self._layers)

    def ground_level(self, x: float, y: float) -> float:
        """Height of the ground at a place; of the lowest thing where there is no ground [local m]."""
        return self.pit.ground_level(x, y, self._layers)

    def leave_out(self, layer_id: str, elements: Iterable[str]) -> None:
        """Do not draw these elements of a layer of triangles, nor mark them: something else stands for them."""
        drawn = self._layers.get(layer_id)
        self._left_out[layer_id] = frozenset(elements)
        if isinstance(drawn, MeshActors):
            drawn.leave_out(self._left_out[layer_id])

    def patch(
        self, layer_id: str, index: NDArray[np.int64], colours: NDArray[np.uint8], known: NDArray[np.bool_]
    ) -> bool:
        """Colour some cells (k,) of a grid anew; False where the layer is drawn in another way."""
        drawn = self._layers.get(layer_id)
        return isinstance(drawn, DrapedActors) and drawn.patch(index, colours, known)

    def set_volume_view(self, layer_id: str, view: VolumeView) -> None:
        """Show these slices and this surface of a volume."""
        self.look.volume_views[layer_id] = view
        drawn = self._layers.get(layer_id)
        if isinstance(drawn, VolumeActors):
            drawn.recolour()
            drawn.show()

    def telling(self, layers: Iterable[Layer]) -> list[Layer]:
        """Those that need a legend: not volumes that show nothing in their colours."""
        drawn = {layer.id: self._layers.get(layer.id) for layer in layers}
        bare = {key for key, one in drawn.items() if isinstance(one, VolumeActors) and one.view == VolumeView()}
        return [layer for layer in layers if layer.id not in bare]

    def set_particles(self, trails: ParticleTrails | None) -> None:
        """Draw these particles, or none."""
        if self.trails is not None:
            self.scene.RemoveActor(self.trails.actor)
        self.trails = trails
        if trails is not None:
            self.scene.AddActor(trails.actor)

    def set_inside(self, inside: bool) -> None:
        """Show models from within: even light, panes of glass."""
        self.cut.set_inside(inside, self._layers)
        self.set_quality(self.quality, multisampling=self._multisampling)

    def set_caps(self, caps: Sequence[Cap]) -> None:
        """Cut faces, made by `app.view.cutting.build_caps` for the section as it is."""
        self.cut.set_caps(caps)

    def set_quality(self, quality: str, *, multisampling: bool = True) -> None:
        """Trade looks for speed; see the class. Without `multisampling` edges are smoothed after drawing instead."""
        if quality not in QUALITIES:
            raise ValueError(f"unknown quality {quality!r}")
        self.quality, self._multisampling = quality, multisampling
        samples = SAMPLES[quality] if multisampling and not self.look.opened else 0
        self.window.SetMultiSamples(samples)
        self.scene.SetUseFXAA(samples == 0)
        occlusion = quality == "fine" or (bool(self.look.opened) and quality == "normal")
        self.scene.SetUseSSAO(occlusion)
        self.scene.RemoveAllLights()
        if occlusion:  # VTK has no place and normal of a surface for it unless a light is on; ours replaces its shading
            self.scene.AddLight(vtkLight())
        radius, bias, rays = ROOM_OCCLUSION if self.look.opened else CITY_OCCLUSION
        self.scene.SetSSAORadius(radius)
        self.scene.SetSSAOBias(bias)
        self.scene.SetSSAOKernelSize(rays if multisampling else FEW_RAYS)
        self.scene.SetSSAOBlur(True)

    def set_point_budget(self, points: int) -> None:
        """How many points all clouds together may draw at once."""
        self._point_budget = points
        self._aimed = None

    def set_sky(self, inputs: SkyInputs | None) -> None:
        """Rasters of the light, made by `build_sky_inputs`."""
        self.look.light.set_inputs(inputs)
        self.pit.bury(self._layers)
        if self.pit.xray is not None:
            self.pit.set_xray(self.pit.xray, self._layers)
        if self.digging.trench is not None:
            self.digging.set_trench(self.digging.trench, self._layers)

    def set_sun(self, azimuth: float, altitude: float) -> None:
        """Sun by **grid** azimuth and altitude [degrees]."""
        self.look.light.set_sun(azimuth, altitude)

    # -- camera and picture

    def set_camera(self, camera: Camera) -> None:
        """Look from here; the clipping planes follow the scene."""
        self.camera = camera
        self.pit.look_from(camera, self._layers)
        vtk_camera = self.scene.GetActiveCamera()
        vtk_camera.SetPosition(*camera.position)
        vtk_camera.SetFocalPoint(*camera.focus)
        vtk_camera.SetViewUp(*camera.basis[1])
        vtk_camera.SetViewAngle(camera.fov)
        vtk_camera.SetParallelProjection(camera.is_parallel)
        if camera.is_parallel:
            vtk_camera.SetParallelScale(camera.parallel_height / 2)
        self.aim()

    def aim(self) -> None:
        """Let large layers choose what to draw for the camera and the size of the window; set the clipping planes."""
        if self.camera is None:
            return
        size = tuple(self.window.GetSize())
        if (self.camera, size) != self._aimed:
            self._aimed = (self.camera, size)
            clouds = sum(isinstance(d, CloudActors) and d.layer.style.visible for d in self._layers.values())
            self.look.point_budget = self._point_budget // max(clouds, 1)
            for drawn in self._layers.values():
                drawn.look_from(self.camera, size)
        self._clip()

    def render(self) -> None:
        """Draw once."""
        self.aim()
        self.window.Render()

    def _clip(self) -> None:
        if self.camera is None:
            return
        boxes = [d.layer.geometry.bounds for d in self._layers.values() if d.layer.style.visible and d.layer.geometry]
        bounds = Bounds.union([box for box in boxes if box is not None])
        if bounds is not None:  # the skirt of the ground
            bounds = Bounds((bounds.low[0], bounds.low[1], bounds.low[2] - self.pit.depth - 4.0), bounds.high)
        self.scene.GetActiveCamera().SetClippingRange(*clipping(self.camera, bounds))

    def select(self, refs: Iterable[ElementRef]) -> None:
        """Show these elements as selected.

        A layer chosen as a whole is marked in the list only: painting it over would hide the colours that the user
        has chosen it for.
        """
        away = self._left_out
        drawn = [r for r in refs if r.element_id and r.layer_id in self._layers]
        elements = [r for r in drawn if r.element_id not in away.get(r.layer_id, ())]
        self.highlight.set_selection([(self._layers[r.layer_id].layer, r.element_id) for r in elements])

    def release(self) -> None:
        """Let go of everything before the window closes."""
        self.highlight.clear()
        self.cut.release()
        self.pit.release()
        self.digging.release()
        self.set_particles(None)
        for layer_id in list(self._layers):
            self.remove(layer_id)
        for renderer in (self.front, self.scene):
            renderer.RemoveAllViewProps()
            renderer.ReleaseGraphicsResources(self.window)
            self.window.RemoveRenderer(renderer)


def read_pixels(window: vtkRenderWindow) -> NDArray[np.uint8]:
    """The last frame as (height, width, 3), top row first."""
    reader = vtkWindowToImageFilter()
    reader.SetInput(window)
    reader.SetInputBufferTypeToRGB()
    reader.ReadFrontBufferOff()
    reader.ShouldRerenderOff()
    reader.Update()
    image = reader.GetOutput()
    width, height, _ = image.GetDimensions()
    pixels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, 3)
    return np.ascontiguousarray(pixels[::-1])


def _renderer(layer: int) -> vtkRenderer:
    renderer = vtkRenderer()
    renderer.SetLayer(layer)
    renderer.AutomaticLightCreationOff()  # the light is our own
    renderer.GetCullers().RemoveAllItems()
    renderer.SetClippingRangeExpansion(0.0)
    renderer.SetUseOIT(False)  # it draws translucent lines without multisampling
    return renderer


def _sky_quad() -> vtkActor:
    """A quad at the far plane: the renderer's own gradient is lost under screen-space occlusion."""
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], dtype=np.float64)
    mapper = vtkPolyDataMapper()
    mapper.SetInputData(triangles(corners, np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)))
    mapper.SetVBOShiftScaleMethod(0)
    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.GetProperty().LightingOff()
    actor.UseBoundsOff()
    actor.PickableOff()
    actor.GetShaderProperty().AddVertexShaderReplacement(
        "//VTK::PositionVC::Impl",
        True,
        "//VTK::PositionVC::Impl\n  gl_Position = vec4(vertexMC.xy, 0.9999999, 1.0);\n",
        False,
    )
    return actor


def _colour_sky(sky: vtkActor, theme: Theme) -> None:
    bottom, top = theme.rgb("sky_bottom"), theme.rgb("sky_top")
    colours = numpy_to_vtk(np.array([bottom, bottom, top, top], dtype=np.uint8), deep=True)
    colours.SetName("colours")
    data = sky.GetMapper().GetInput()
    data.GetPointData().SetScalars(colours)
    data.Modified()
