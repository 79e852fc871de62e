"""Headless. Pictures of an installation plan: the map with numbered cameras, and what each camera sees."""

from __future__ import annotations

import dataclasses
import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.optics import View, half_fields
from app.cctv.bands import band_colours, banded, class_title
from app.numbers import number_text
from app.pictures import png_bytes, sun_at
from app.theme import theme_named
from geo.model import Bounds, Feedback, Frame, Layer

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from analysis.cctv.cameras import Camera
    from analysis.cctv.classes import Edition

Floats = NDArray[np.float64]

MAP_SIZE = (1600, 1000)  # pixels
VIEW_WIDTH = 960  # pixels
MARGIN = 40.0  # [m] around the cameras on the map
LEAST_MAP = 160.0  # [m] across
ABOVE = 600.0  # [m] by which the eye of the map stands over the cameras
WEDGE_SIDES = 24
NUMBER_SIZE, LEGEND_SIZE = 26, 20  # pixels of letters
MASK_FILL, MASK_LINE = (20, 22, 26, 205), (232, 64, 60, 255)
WEDGE_FILL, WEDGE_LINE = (23, 105, 196, 46), (12, 62, 128, 220)
PLATE, PLATE_LINE, INK = (255, 255, 255, 235), (32, 38, 45, 255), (32, 38, 45, 255)
APART, APART_STEPS = 46.0, 60  # pixels between numbers on the map
NEAR_GROUP = 150.0  # [m] cameras within it share one prepared scene
HIDDEN_THEMES = ("result", "utility", "network", "link", "space", "camera", "excavation", "sensor")


def shown_layers(layers: Sequence[Layer]) -> list[Layer]:
    """What stands there: no results, no underground, no signs."""
    return [layer for layer in layers if layer.style.visible and layer.theme not in HIDDEN_THEMES]


# --- map


def draw_map(
    layers: Sequence[Layer], cameras: Sequence[Camera], views: Sequence[Sequence[View]], *, reach: Sequence[float],
    frame: Frame, results: Sequence[Layer] = (),
) -> Picture:  # fmt: skip
    """The place from above, each camera with its number and the wedge it looks into.

    Parameters
    ----------
    views : sequence of sequences of View
        Of each camera; presets are drawn by their outline only.
    reach : (n,) float [m]
        How far each wedge is drawn.
    results : sequence of Layer
        Maps to lay under them (classes of the picture).
    """
    from PIL import Image, ImageDraw

    from app.view.camera import Camera as Eye
    from app.view.camera import project
    from app.view.offscreen import render_picture

    box = _map_box(cameras, reach)
    aspect = MAP_SIZE[0] / MAP_SIZE[1]
    height = max(box.size[1], box.size[0] / aspect, LEAST_MAP / aspect)
    x, y, z = box.centre[0], box.centre[1], box.high[2]
    eye = Eye((x, y - 0.01 * ABOVE, z + ABOVE), (x, y, z), parallel_height=height)
    drawn = [*shown_layers(layers), *(_as_shown(layer) for layer in results)]
    picture = render_picture(
        drawn, frame, size=MAP_SIZE, view=eye, theme=theme_named("light"), sun=sun_at(frame, None), legend=bool(results)
    )
    picture = picture.convert("RGBA")
    for mine, far in zip(views, reach, strict=True):
        for view in mine:
            sheet = Image.new("RGBA", picture.size, (0, 0, 0, 0))
            corners, _ = project(eye, _wedge(view, far), MAP_SIZE)
            fill = None if view.reachable else WEDGE_FILL
            ImageDraw.Draw(sheet).polygon([tuple(c) for c in corners.tolist()], fill=fill, outline=WEDGE_LINE, width=3)
            picture = Image.alpha_composite(picture, sheet)
    spots, _ = project(eye, np.array([camera.position for camera in cameras]), MAP_SIZE)
    draw = ImageDraw.Draw(picture)
    plates = _apart(spots)
    for spot, plate in zip(spots.tolist(), plates.tolist(), strict=True):
        draw.line([tuple(spot), tuple(plate)], fill=PLATE_LINE, width=2)
        draw.ellipse((spot[0] - 4, spot[1] - 4, spot[0] + 4, spot[1] + 4), fill=PLATE_LINE)
    for number, (u, v) in enumerate(plates.tolist(), start=1):
        _numbered(draw, u, v, str(number))
    return picture.convert("RGB")


def _apart(spots: Floats) -> Floats:
    """(n, 2) places for the numbers: those that would lie over each other move apart, a line leads to the camera."""
    places = spots + np.linspace(0.0, 0.9, len(spots))[:, None]  # so that two at one place know where to go
    for _ in range(APART_STEPS):
        gap = places[:, None] - places[None]
        far = np.maximum(np.hypot(gap[..., 0], gap[..., 1]), 1e-6)
        push = np.where(far < APART, (APART - far) / 2.0, 0.0)
        np.fill_diagonal(push, 0.0)
        if not push.any():
            break
        places = places + (gap / far[..., None] * push[..., None]).sum(axis=1)
    size = np.array(MAP_SIZE, dtype=np.float64)
    stays = np.hypot(*(places - spots).T)[:, None] < 2.0
    return np.asarray(np.clip(np.where(stays, spots, places), NUMBER_SIZE, size - NUMBER_SIZE))


def _as_shown(layer: Layer) -> Layer:
    return layer.with_(style=dataclasses.replace(layer.style, visible=True))


def _map_box(cameras: Sequence[Camera], reach: Sequence[float]) -> Bounds:
    places = np.array([camera.position for camera in cameras], dtype=np.float64)
    round_ = np.array(reach, dtype=np.float64)[:, None] * [1.0, 1.0, 0.0] * 0.7 + [MARGIN, MARGIN, 0.0]
    low, high = (places - round_).min(axis=0), (places + round_).max(axis=0)
    (west, south, bottom), (east, north, top) = low.tolist(), high.tolist()
    return Bounds((west, south, bottom), (east, north, top))


def _wedge(view: View, reach: float) -> Floats:
    """(n, 3) outline of what a view spans in plan, at the height of its lens."""
    if view.equidistant:
        turns = np.linspace(0.0, 360.0, 2 * WEDGE_SIDES, endpoint=False)
        middle = np.zeros((0, 2))
    else:
        half = half_fields(view)[0]
        turns = view.pan + np.linspace(-half, half, WEDGE_SIDES)
        middle = np.zeros((1, 2))
    turns_rad = np.radians(turns)
    arc = reach * np.column_stack([np.sin(turns_rad), np.cos(turns_rad)])
    plan = np.concatenate([middle, arc]) + np.array(view.position[:2])
    return np.column_stack([plan, np.full(len(plan), view.position[2])])


def _numbered(draw: Any, u: float, v: float, text: str) -> None:
    font = _font(NUMBER_SIZE, bold=True)
    radius = max(NUMBER_SIZE * 0.72, draw.textlength(text, font=font) / 2 + 7)
    draw.ellipse((u - radius, v - radius, u + radius, v + radius), fill=PLATE, outline=PLATE_LINE, width=2)
    draw.text((u, v), text, font=font, fill=INK, anchor="mm")


def _font(size: int, *, bold: bool = False) -> Any:
    from PIL import ImageFont

    from app.view.painted import font_paths

    path = font_paths()[1 if bold else 0]
    return ImageFont.truetype(path, size) if path else ImageFont.load_default(size)


# --- views


class Looks:
    """Pictures of views of a scene; cameras near to each other share what is prepared."""

    def __init__(self, layers: Sequence[Layer], frame: Frame) -> None:
        self.layers = shown_layers(layers)
        self.sun = _grid_sun(frame)
        self._ready: list[tuple[Floats, Any]] = []
        self._looked: dict[View, tuple[bytes, list[int]]] = {}  # for the same page in another language

    def _eye(self, place: Floats, feedback: Feedback) -> Any:
        from app.view.eye import Eye

        for middle, eye in self._ready:
            if float(np.linalg.norm(middle - place)) <= NEAR_GROUP:
                return eye
        eye = Eye(self.layers, theme_named("light"), place, feedback)
        self._ready = [(place, eye)]  # scenes are large: only the latest is kept
        return eye

    def picture(
        self, view: View, masks: Sequence[Floats], edition: Edition, feedback: Feedback, *, width: int = VIEW_WIDTH
    ) -> Picture:
        """What a view sees, tinted by class, masks over it."""
        from PIL import Image

        colours = band_colours(edition)
        if view not in self._looked:
            eye = self._eye(np.asarray(view.position, dtype=np.float64), feedback)
            seen = eye.look(view, width, sun=self.sun)
            picture = Image.fromarray(banded(seen.pixels, seen.density, edition, colours)).convert("RGBA")
            present = np.unique(edition.classify(seen.density.ravel()))
            drawn = png_bytes(_with_masks(picture, masks, width / view.pixels_wide))
            self._looked[view] = (drawn, [int(k) for k in present if k >= 0])
        drawn, shown = self._looked[view]
        with Image.open(io.BytesIO(drawn)) as picture:
            return _with_bands(picture.convert("RGBA"), edition, colours, shown).convert("RGB")


def _grid_sun(frame: Frame) -> tuple[float, float]:
    azimuth, altitude = sun_at(frame, None)
    return float(frame.grid_azimuth(azimuth)), altitude


def _with_masks(picture: Picture, masks: Sequence[Floats], scale: float) -> Picture:
    from PIL import Image, ImageDraw

    if not len(masks):
        return picture
    sheet = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(sheet)
    for polygon in masks:
        draw.polygon([tuple(c) for c in (polygon * scale).tolist()], fill=MASK_FILL, outline=MASK_LINE, width=2)
    return Image.alpha_composite(picture, sheet)


def _with_bands(picture: Picture, edition: Edition, colours: NDArray[np.uint8], present: Sequence[int]) -> Picture:
    """A legend of the classes that the picture shows, along its lower edge."""
    from PIL import Image, ImageDraw

    if not present:
        return picture
    font = _font(LEGEND_SIZE)
    sheet = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(sheet)
    texts = [f"{class_title(edition.names[k])} ≥ {number_text(float(edition.limits[k]))} px/m" for k in present]
    wide = math.ceil(max(draw.textlength(text, font=font) for text in texts)) + LEGEND_SIZE + 26
    high = len(present) * (LEGEND_SIZE + 8) + 14
    left, top = 12, picture.height - high - 12
    draw.rounded_rectangle((left, top, left + wide, top + high), radius=6, fill=PLATE)
    for line, (k, text) in enumerate(zip(present[::-1], texts[::-1], strict=True)):
        y = top + 9 + line * (LEGEND_SIZE + 8)
        draw.rectangle(
            (left + 10, y + 2, left + 10 + LEGEND_SIZE, y + 2 + LEGEND_SIZE), fill=(*colours[k].tolist(), 255)
        )
        draw.text((left + LEGEND_SIZE + 18, y), text, font=font, fill=INK)
    return Image.alpha_composite(picture, sheet)
