"""The cards of a film: legend, north, scale and caption, painted on the corners they stand in and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.theme import Theme
from app.view.camera import Camera
from app.view.furniture import CARD_MARGIN, COMPASS_SIZE, LEGEND_WIDTH, is_synthetic, scale_bar, synthetic_text
from app.view.legend import legend_for
from app.view.painted import paint_caption, paint_compass, paint_legend, paint_note, paint_scale
from geo.model import Layer

Painter = Callable[[Image.Image], Image.Image]
Box = tuple[int, int, int, int]
STRIP = 110  # card pixels at the lower edge for caption, scale and note


class FilmCards:
    """Paints the cards of one film; a frame of four thousand pixels is not copied for each of them.

    Parameters
    ----------
    size : (width, height) [pixels]
    """

    def __init__(self, layers: Sequence[Layer], *, size: tuple[int, int], theme: Theme) -> None:
        self._size, self._theme = size, theme
        self._factor = max(min(size[0] / 1280, size[1] / 800), 0.6)
        self._layers = {layer.id: layer for layer in layers}
        self._legend = legend_for(layers)
        self._note = synthetic_text() if is_synthetic(layers) else ""

    def change(self, layer: Layer) -> None:
        """A layer has another style: the legend follows."""
        self._layers[layer.id] = layer
        self._legend = legend_for(self._layers.values())

    def paint(self, pixels: NDArray[np.uint8], camera: Camera, title: str, text: str) -> NDArray[np.uint8]:
        """(height, width, 3) with the cards over it."""
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        theme, factor = self._theme, self._factor
        width, height = self._size
        if self._legend is not None:
            legend, reach = self._legend, self._pixels(LEGEND_WIDTH + 2 * CARD_MARGIN)
            _over(picture, (0, 0, reach, height), lambda part: paint_legend(part, legend, theme=theme, factor=factor))
        reach = self._pixels(COMPASS_SIZE + 2 * CARD_MARGIN)
        tall = self._pixels(COMPASS_SIZE + 2 * CARD_MARGIN)
        box = (max(width - reach, 0), 0, width, min(tall, height))
        _over(picture, box, lambda part: paint_compass(part, camera.azimuth, theme=theme, factor=factor))
        strip = (0, max(height - self._pixels(STRIP), 0), width, height)
        _over(picture, strip, lambda part: self._lower_edge(part, camera, title, text))
        return np.asarray(picture)

    def _lower_edge(self, part: Image.Image, camera: Camera, title: str, text: str) -> Image.Image:
        bar = scale_bar(camera, round(self._size[1] / self._factor))
        if bar is not None:
            part = paint_scale(part, bar, theme=self._theme, factor=self._factor)
        if self._note:
            part = paint_note(part, self._note, theme=self._theme, factor=self._factor)
        return paint_caption(part, title, text, theme=self._theme, factor=self._factor)

    def _pixels(self, card_pixels: float) -> int:
        return round(card_pixels * self._factor) + 1


def _over(picture: Image.Image, box: Box, painter: Painter) -> None:
    """Paint on a part of a picture."""
    picture.paste(painter(picture.crop(box)), box[:2])
