"""Measures of the cards over a picture and what they say; shared by the window and by painted files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.colour import number_text
from app.language import tr
from app.view.camera import Camera, metres_per_pixel
from app.view.legend import Legend
from geo.model import Layer

CARD_MARGIN, CARD_PAD, CARD_RADIUS, CARD_ALPHA = 16, 13, 7, 236  # pixels, pixels, pixels, 0..255
LEGEND_WIDTH, RAMP_HEIGHT, CLASS_ROW, SUBTITLE_ROW = 286, 14, 19, 18
COMPASS_SIZE = 50
# Of its size: the needle's half length and half width, and how far the letter stands from the middle.
NEEDLE, NEEDLE_WIDTH, LETTER = 0.24, 0.12, 0.35
SCALE_PIXELS = 150  # longest scale bar
FLATTEST_SCALE = 20.0  # degrees of pitch below which one scale says nothing
SYNTHETIC_MARKS = ("synthetic", "합성", "표본지구")


@dataclass(frozen=True)
class ScaleBar:
    """A bar of `metres` that is `pixels` long at the point looked at."""

    metres: float
    pixels: float


def scale_bar(camera: Camera, height: int) -> ScaleBar | None:
    """The longest bar of 1, 2 or 5 times a power of ten metres; None for a flat view."""
    if -camera.pitch < FLATTEST_SCALE:
        return None
    per_pixel = metres_per_pixel(camera, height)
    longest = per_pixel * SCALE_PIXELS
    power = 10.0 ** (len(str(int(longest))) - 1) if longest >= 1 else 0.1
    metres = max((m * power for m in (1.0, 2.0, 5.0) if m * power <= longest), default=power)
    return ScaleBar(metres, metres / per_pixel)


def scale_text(bar: ScaleBar) -> str:
    """The bar's length with its unit."""
    if bar.metres >= 1000:
        return f"{number_text(bar.metres / 1000)} km"
    return f"{number_text(bar.metres)} m"


def tick_labels(
    legend: Legend, left: float, width: float, wide: Callable[[str], float]
) -> list[tuple[float, float, str]]:
    """Ticks of a ramp: where each stands, where its label begins, and the label, empty where there is no room.

    The last one has the unit and always stays; one that would touch it gives way. `wide` measures a text.
    """
    found = []
    for number, (value, text) in enumerate(legend.ticks):
        last = number == len(legend.ticks) - 1
        label = f"{text} {legend.unit}" if last and legend.unit else text
        x = left + width * tick_place(legend, value)
        found.append((x, min(max(x - wide(label) / 2, left), left + width - wide(label)), label))
    taken, end = left - 20, found[-1][1] if found else 0.0
    for number, (x, start, label) in enumerate(found):
        last = number == len(found) - 1
        if start < taken + 4 or (not last and start + wide(label) > end - 4):
            found[number] = (x, start, "")
        else:
            taken = start + wide(label)
    return found


def tick_place(legend: Legend, value: float) -> float:
    """0..1 along the ramp."""
    return min(max((value - legend.low) / (legend.high - legend.low), 0.0), 1.0)


def is_synthetic(layers: Iterable[Layer]) -> bool:
    """Whether a shown layer says that its data are made up: in its name, its issues or its file's path."""
    return any(
        any(mark in text for mark in SYNTHETIC_MARKS for text in _words(layer))
        for layer in layers
        if layer.style.visible
    )


def _words(layer: Layer) -> list[str]:
    return [layer.name.lower(), layer.source.path.lower(), *(issue.code for issue in layer.issues)]


def synthetic_text() -> str:
    """The remark about synthetic data."""
    return tr("view.synthetic")
