"""Labels of elements on pictures that are drawn without Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.look import NO_SECTION, Section
from app.theme import Theme
from app.view.camera import Camera
from app.view.label_places import is_labelled, placed
from app.view.label_sight import sight_of
from app.view.painted import drawable, font_of
from geo.model import Layer

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

RIM = 1.5  # pixels of the halo, before the picture is scaled


def paint_labels(
    picture: Picture,
    layers: Sequence[Layer],
    camera: Camera,
    *,
    theme: Theme,
    factor: float,
    section: Section = NO_SECTION,
) -> Picture:
    """The picture with the labels of its layers, as the window shows them."""
    if not any(is_labelled(layer) for layer in layers):
        return picture
    from PIL import ImageDraw

    size = (round(picture.width / factor), round(picture.height / factor))

    def measure(text: str, letters: int) -> tuple[float, float]:
        font = font_of(round(letters * factor))
        return float(font.getlength(drawable(text))) / factor + 2 * RIM, letters * 1.3 + RIM

    draw = ImageDraw.Draw(picture)
    sight = sight_of(camera, layers) if not section.is_open else None
    for label in placed(layers, camera, size, measure, section=section, sight=sight):
        draw.text(
            ((label.left + RIM) * factor, label.top * factor),
            drawable(label.text),
            font=font_of(round(label.size * factor)),
            fill=theme.rgb("ink"),
            stroke_width=max(round(RIM * factor), 1),
            stroke_fill=theme.rgb("card"),
        )
    return picture
