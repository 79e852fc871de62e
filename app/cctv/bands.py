"""Headless. Colours and words of picture quality classes, alike on the map, the ground and the live picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.catalogue import CameraModel
from analysis.cctv.classes import Edition
from app.colour import class_colours
from app.language import tr
from app.numbers import number_text
from app.view.legend import Legend

RAMP = "sight"  # that of the maps of the study
TINT = 0.42  # of a band's colour in the picture


def band_colours(edition: Edition) -> NDArray[np.uint8]:
    """(classes, 3), the least demanding class first: those of the maps, which begin with what nobody sees."""
    return class_colours(len(edition.classes) + 1, ramp_name=RAMP)[1:]


def bands_legend(edition: Edition) -> Legend:
    """What the colours on the ground in front of a camera mean, the most demanding class first."""
    classes = []
    for one, (red, green, blue) in zip(edition.classes, band_colours(edition).tolist(), strict=True):
        classes.append((f"{class_title(one.id)} ≥ {number_text(one.px_per_m)} px/m", (red, green, blue)))
    return Legend(tr("camera.legend"), edition.title, "", classes=tuple(reversed(classes)))


def model_title(model: CameraModel) -> str:
    """The name of a model for people."""
    return tr(f"cctv.model.{model.id}", model.name)


def class_title(name: str) -> str:
    """The word for a class."""
    return tr(f"cctv.class.{name}", name)


def banded(
    pixels: NDArray[np.uint8], density: NDArray[np.float32], edition: Edition, colours: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """A picture (rows, columns, 3) tinted by the class of each pixel, a line where one class ends."""
    number = edition.classify(density.ravel()).reshape(density.shape)
    shown = pixels.astype(np.float32)
    has = number >= 0
    shown[has] = (1 - TINT) * shown[has] + TINT * colours[number[has]]
    edge = np.zeros(number.shape, dtype=bool)
    edge[:-1] |= number[:-1] != number[1:]
    edge[:, :-1] |= number[:, :-1] != number[:, 1:]
    edge &= density > 0
    shown[edge] *= 0.72
    return shown.astype(np.uint8)


def reach_text(distance: float) -> str:
    """How far a class reaches, short."""
    return f"{distance:.0f} m" if distance >= 10 else f"{distance:.1f} m"
