"""Reel: a render window that is never shown and stays open for many pictures of the same layers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkCommonCore import vtkLogger
from vtkmodules.vtkRenderingCore import vtkRenderWindow

from app.look import Section
from app.theme import Theme
from app.view.camera import Camera, looking
from app.view.cutting import build_caps
from app.view.offscreen import named_camera, require_graphics
from app.view.particle_actor import ParticleTrails
from app.view.sky import build_sky_inputs
from app.view.stage import Stage, read_pixels
from geo.model import Layer

SOFTWARE_RENDERERS = ("llvmpipe", "softpipe", "swiftshader", "swrast")


class Reel:
    """The stage of a film. Call `add` for each layer, `ready` once, then `draw` as often as there are frames.

    Parameters
    ----------
    size : (width, height) [pixels]
    """

    def __init__(self, *, size: tuple[int, int], theme: Theme, quality: str = "normal") -> None:
        require_graphics()
        vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_ERROR)  # without a screen VTK warns, then draws all the same
        self._window = vtkRenderWindow()
        self._window.SetOffScreenRendering(True)
        self._window.SetSize(*size)
        self._aspect = size[0] / size[1]
        self._stage = Stage(self._window, theme=theme, quality=quality)
        # A processor pays for every sample of a pixel: there edges are smoothed after drawing instead.
        self._stage.set_quality(quality, multisampling=not draws_in_software())

    def add(self, layer: Layer) -> None:
        """One more layer before the camera."""
        self._stage.add(layer)

    def change(self, layer: Layer) -> None:
        """A layer has another style."""
        self._stage.change(layer, "style")

    def set_particles(self, trails: ParticleTrails | None) -> None:
        """Particles that are drawn with the layers, or none."""
        self._stage.set_particles(trails)

    def ready(self, layers: Sequence[Layer], *, view: str | Camera, section: Section) -> Camera:
        """Order, cut and light what was added; the camera of the view."""
        stage = self._stage
        stage.set_order([layer.id for layer in layers])
        if section.is_open:
            stage.set_section(section)
            stage.set_caps(build_caps(layers, section))
        camera = view if isinstance(view, Camera) else named_camera(stage, layers, view, aspect=self._aspect)
        stage.set_sky(build_sky_inputs(layers))
        return camera

    def draw(self, camera: Camera, grid_sun: tuple[float, float]) -> NDArray[np.uint8]:
        """(height, width, 3) as seen from a camera with the sun there: azimuth from **grid** north, altitude."""
        self._window.MakeCurrent()
        self._stage.set_sun(*grid_sun)
        self._stage.set_camera(camera)
        self._stage.render()
        return read_pixels(self._window)

    def close(self) -> None:
        """Give everything back."""
        self._stage.release()
        self._window.Finalize()


@lru_cache(maxsize=1)
def draws_in_software() -> bool:
    """Whether the processor draws here. Only a window that has drawn knows."""
    window = vtkRenderWindow()
    window.SetOffScreenRendering(True)
    window.SetSize(16, 16)
    window.Render()
    renderer = str(window.ReportCapabilities()).lower()
    window.Finalize()
    return any(name in renderer for name in SOFTWARE_RENDERERS)


def turned(camera: Camera, degrees: float) -> Camera:
    """The camera walked around its focus by an angle, clockwise seen from above."""
    if degrees % 360.0 == 0.0:
        return camera
    focus = np.array(camera.focus)
    found = looking(
        focus, azimuth=camera.azimuth + degrees, pitch=camera.pitch, distance=camera.distance, fov=camera.fov
    )
    return Camera(found.position, found.focus, found.fov, camera.parallel_height)
