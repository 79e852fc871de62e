"""A still picture of a window's scene at any size: drawn once in the window's own context, or in one of its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from app.look import Section
from app.theme import Theme
from app.view.camera import Camera
from app.view.canvas import Canvas
from app.view.stage import Stage, read_pixels
from geo.model import Layer

Pixels = NDArray[np.uint8]


def pixels_in_window(canvas: Canvas, stage: Stage, size: tuple[int, int], *, restore: Callable[[], None]) -> Pixels:
    """(height, width, 3) of the scene; `restore` sets the drawing quality of the window again."""
    window = canvas.GetRenderWindow()
    before = tuple(window.GetSize())
    canvas.makeCurrent()
    window.MakeCurrent()
    window.SetSize(*size)
    stage.set_quality(stage.quality)  # a picture to keep is worth its samples, whoever draws it
    stage.render()
    pixels = read_pixels(window)
    restore()
    window.SetSize(*before)
    canvas.doneCurrent()
    return pixels


def pixels_apart(
    layers: tuple[Layer, ...], stage: Stage, size: tuple[int, int], *, camera: Camera, theme: Theme, section: Section
) -> Pixels:
    """The same of a window that was never shown."""
    from app.view.offscreen import render_pixels

    return render_pixels(
        layers,
        size=size,
        view=camera,
        theme=theme,
        grid_sun=stage.look.light.sun,
        section=section,
        xray=stage.pit.xray,
        trench=stage.digging.trench,
    )[0]
