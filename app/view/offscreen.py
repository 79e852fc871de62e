"""Pictures without a window and without Qt: the same actors in a plain render window, cards painted with Pillow."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkCommonCore import vtkLogger
from vtkmodules.vtkRenderingCore import vtkRenderWindow

from app.look import NO_SECTION, Section
from app.theme import Theme
from app.view import camera as cameras
from app.view.camera import Camera
from app.view.cutting import build_caps
from app.view.furniture import is_synthetic, scale_bar, synthetic_text
from app.view.legend import Legend, legend_for
from app.view.painted import paint_compass, paint_legend, paint_note, paint_scale
from app.view.painted_labels import paint_labels
from app.view.sky import DEFAULT_SUN, build_sky_inputs
from app.view.stage import Stage, read_pixels
from app.view.trench import Trench
from app.view.xray import XRay
from geo.model import Bounds, Frame, Layer, UserError

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

PACKAGES = "libgl1 libegl1 libgl1-mesa-dri"
LARGEST = 8192  # pixels: what every driver can draw at once


def render_picture(
    layers: Sequence[Layer],
    frame: Frame,
    *,
    size: tuple[int, int] = (1280, 800),
    view: str | Camera = "iso",
    theme: Theme,
    sun: tuple[float, float] | None = None,
    legend: bool = True,
    north: bool = True,
    scale: bool = True,
    quality: str = "normal",
    scaling: float | None = None,
    section: Section = NO_SECTION,
    xray: XRay | float | None = None,
    trench: Trench | None = None,
) -> Picture:
    """Draw layers into a picture.

    Parameters
    ----------
    layers : sequence of Layer
    frame : Frame
    size : (width, height) [pixels]
    view : str or Camera
        ``"iso"``, ``"top"``, another name of `app.view.camera.VIEWS`, the id of a layer, or a camera.
    theme : Theme
    sun : (azimuth, altitude) [degrees] or None
        Azimuth from **true** north, clockwise. None = a pleasant afternoon.
    legend, north, scale : bool
        Cards to paint over it.
    quality : {"fast", "normal", "fine"}
    scaling : float
        Size of the cards; chosen by the size of the picture when None.
    section : Section
        What is cut away.
    xray : XRay, float or None
        Where one sees through the ground; a number is the radius [m] of a hole in the middle of the view.
    trench : Trench or None
        Where the ground is cut open.

    Returns
    -------
    PIL.Image.Image
        RGB.
    """
    from PIL import Image

    grid_sun = (float(frame.grid_azimuth(sun[0])), sun[1]) if sun is not None else DEFAULT_SUN
    pixels, camera = render_pixels(
        layers,
        size=size,
        view=view,
        theme=theme,
        grid_sun=grid_sun,
        quality=quality,
        section=section,
        xray=xray,
        trench=trench,
    )
    picture = Image.fromarray(pixels)
    factor = scaling or max(min(picture.width / 1280, picture.height / 800), 0.6)
    is_open = xray is not None or trench is not None or (section is not None and section.is_open)
    picture = paint_labels(picture, layers, camera, theme=theme, factor=factor, section=section)
    told = legend_for(layers, ground_is_open=is_open or None) if legend else None
    return _with_cards(picture, layers, camera, theme=theme, factor=factor, legend=told, north=north, scale=scale)


def render_pixels(
    layers: Sequence[Layer],
    *,
    size: tuple[int, int],
    view: str | Camera,
    theme: Theme,
    grid_sun: tuple[float, float] = DEFAULT_SUN,
    quality: str = "normal",
    section: Section = NO_SECTION,
    xray: XRay | float | None = None,
    trench: Trench | None = None,
) -> tuple[NDArray[np.uint8], Camera]:
    """The bare picture (height, width, 3) and the camera it was taken with; sun from **grid** north [degrees]."""
    width, height = (min(max(int(v), 16), LARGEST) for v in size)
    require_graphics()
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_ERROR)  # without a screen VTK warns, then draws all the same
    window = vtkRenderWindow()
    window.SetOffScreenRendering(True)
    window.SetSize(width, height)
    stage = Stage(window, theme=theme, quality=quality)
    try:
        for layer in layers:
            stage.add(layer)
        stage.set_order([layer.id for layer in layers])
        if section.is_open:
            stage.set_section(section)
            stage.set_caps(build_caps(layers, section))
        camera = view if isinstance(view, Camera) else named_camera(stage, layers, view, aspect=width / height)
        stage.set_sky(build_sky_inputs(layers))
        if xray is not None:
            stage.set_xray(xray if isinstance(xray, XRay) else _hole_in_view(stage, camera, xray))
        if trench is not None:
            stage.set_trench(trench)
        stage.set_sun(*grid_sun)
        stage.set_camera(camera)
        stage.render()
        return read_pixels(window), camera
    finally:
        stage.release()
        window.Finalize()


def _hole_in_view(stage: Stage, camera: Camera, radius: float) -> XRay:
    """A hole of a radius [m] where the middle line of sight meets the ground."""
    focus = np.array(camera.focus)
    level = stage.ground_level(float(focus[0]), float(focus[1]))
    if camera.forward[2] < -0.05:
        focus = camera.eye + camera.forward * ((level - camera.eye[2]) / camera.forward[2])
    return XRay.of_radius((float(focus[0]), float(focus[1])), radius)


def named_camera(stage: Stage, layers: Sequence[Layer], view: str, *, aspect: float) -> Camera:
    """The camera of a view's name or of a layer's id."""
    points = None
    if view in cameras.VIEWS:
        box, points = stage.home_bounds(), stage.home_points()
    else:
        chosen = next((layer for layer in layers if layer.id == view), None)
        if chosen is None:
            raise _no_layer(view, layers)
        box = chosen.geometry.bounds if chosen.geometry is not None else None
        if box is not None and chosen.kind in ("grid", "image"):
            ground = stage.home_bounds()
            level = ground.low[2] if ground is not None else 0.0
            box = Bounds((box.low[0], box.low[1], level), (box.high[0], box.high[1], level))
    if box is None:
        raise UserError(
            "There is nothing to draw.",
            "No layer that is shown has a shape.",
            "Import files, or show a layer.",
            code="view.nothing",
        )
    return cameras.view_of(box, view if view in cameras.VIEWS else "iso", aspect=aspect, points=points)


def _no_layer(view: str, layers: Sequence[Layer]) -> UserError:
    known = ", ".join(layer.id for layer in layers)
    return UserError(
        f"There is no layer '{view}'.",
        "A view is iso, top or the id of a layer of the scene.",
        f"Choose one of: iso, top, {known}",
        code="view.no_layer",
        values={"layer": view, "layers": f"iso, top, {known}"},
    )


def _with_cards(
    picture: Picture,
    layers: Sequence[Layer],
    camera: Camera,
    *,
    theme: Theme,
    factor: float,
    legend: Legend | None,
    north: bool,
    scale: bool,
) -> Picture:
    if legend is not None:
        picture = paint_legend(picture, legend, theme=theme, factor=factor)
    if north:
        picture = paint_compass(picture, camera.azimuth, theme=theme, factor=factor)
    bar = scale_bar(camera, round(picture.height / factor)) if scale else None
    if bar is not None:
        picture = paint_scale(picture, bar, theme=theme, factor=factor)
    if is_synthetic(layers):
        picture = paint_note(picture, synthetic_text(), theme=theme, factor=factor)
    return picture


@lru_cache(maxsize=1)
def graphics_problem() -> str:
    """Why nothing can be drawn on this machine; empty when it can.

    Tried once with a window of sixteen pixels in a child process: a driver that is missing or broken can end the
    process it is tried in.
    """
    import subprocess

    run = subprocess.run(
        [sys.executable, "-c", _TRIAL], capture_output=True, text=True, timeout=120, check=False, env=dict(os.environ)
    )
    if run.returncode == 0 and run.stdout.strip().endswith("drawn"):
        return ""
    lines = [line for line in (run.stdout + run.stderr).splitlines() if line.strip()]
    return _plain(lines[-1])[:200] if lines else f"exit status {run.returncode}"


def _plain(line: str) -> str:
    """A line of VTK's log without its colours, time and place."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", line)
    return re.sub(r"^.*?(WARN|ERR)\|\s*", "", text).strip().rstrip(".")


_TRIAL = """
import vtkmodules.vtkRenderingOpenGL2
from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow
from vtkmodules.vtkRenderingCore import vtkWindowToImageFilter
window = vtkRenderWindow()
window.SetOffScreenRendering(True)
window.SetSize(16, 16)
renderer = vtkRenderer()
renderer.SetBackground(1.0, 0.0, 0.0)
window.AddRenderer(renderer)
window.Render()
reader = vtkWindowToImageFilter()
reader.SetInput(window)
reader.ReadFrontBufferOff()
reader.Update()
print("drawn" if reader.GetOutput().GetScalarComponentAsDouble(8, 8, 0, 0) > 200 else "an empty picture")
"""


def require_graphics() -> None:
    """Raise `UserError` where nothing can be drawn."""
    problem = graphics_problem()
    if problem:
        raise UserError(
            "Pictures cannot be drawn on this machine.",
            f"No OpenGL, neither of a graphics driver nor in software, was found ({problem}).",
            f"On Debian and Ubuntu install: {PACKAGES}",
            code="view.no_graphics",
            values={"reason": problem, "packages": PACKAGES},
        )
