"""The cards over a picture, painted with Pillow: for files made without a window. Same measures as the Qt cards."""

from __future__ import annotations

import math
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from app.theme import Theme
from app.view.furniture import (
    CARD_ALPHA,
    CARD_MARGIN,
    CARD_PAD,
    CARD_RADIUS,
    CLASS_ROW,
    COMPASS_SIZE,
    LEGEND_WIDTH,
    LETTER,
    NEEDLE,
    NEEDLE_WIDTH,
    RAMP_HEIGHT,
    SUBTITLE_ROW,
    ScaleBar,
    scale_text,
    tick_labels,
)
from app.view.hatch import swatch_lines
from app.view.legend import Legend, bands_of, lines_of

Picture = Image.Image
_Row = tuple[str, tuple[int, int, int], str]  # text, colour of the swatch, colour of the text in the theme
TITLE_SIZE, TEXT_SIZE = 15, 12  # pixels
MICRO, GREEK_MU = "\u00b5", "\u03bc"
SMOOTH = 3  # cards are painted so many times larger and reduced: Pillow draws without antialiasing
NEEDLE_RED = (226, 66, 60)
FONT_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.fonts",
    "~/.local/share/fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)
FONT_FILES = {  # faces with Korean letters, best first: (regular, bold)
    "NotoSansKR-Regular.otf": "NotoSansKR-Bold.otf",
    "NotoSansCJK-Regular.ttc": "NotoSansCJK-Bold.ttc",
    "NanumBarunGothic.ttf": "NanumBarunGothicBold.ttf",
    "NanumGothic.ttf": "NanumGothicBold.ttf",
    "NanumSquareR.ttf": "NanumSquareB.ttf",
    "malgun.ttf": "malgunbd.ttf",
    "AppleSDGothicNeo.ttc": "AppleSDGothicNeo.ttc",
    "DejaVuSans.ttf": "DejaVuSans-Bold.ttf",
}


@lru_cache(maxsize=1)
def font_paths() -> tuple[str, str]:
    """Files of a face with Korean letters, regular and bold; empty when there is none."""
    wanted = set(FONT_FILES) | set(FONT_FILES.values())
    found: dict[str, str] = {}
    for folder in FONT_FOLDERS:
        for place, _folders, files in os.walk(Path(folder).expanduser()):
            for name in wanted.intersection(files):
                found.setdefault(name, str(Path(place) / name))
    for regular, bold in FONT_FILES.items():
        if regular in found:
            return found[regular], found.get(bold, found[regular])
    return "", ""


@lru_cache(maxsize=32)
def font_of(size: int, *, bold: bool = False) -> Any:
    """The face of the cards at a size [pixels]."""
    path = font_paths()[1 if bold else 0]
    return ImageFont.truetype(path, size) if path else ImageFont.load_default(size)


@lru_cache(maxsize=64)
def drawable(text: str) -> str:
    """The text with a micro sign that the font has: some Korean fonts have the Greek letter only, and draw nothing."""
    if MICRO in text and font_of(16).getmask(MICRO).getbbox() is None:
        return text.replace(MICRO, GREEK_MU)
    return text


class _Sheet:
    """A card on its own transparent sheet, in card pixels; `onto` lays it over a picture."""

    def __init__(self, width: float, height: float, factor: float) -> None:
        self.scale = factor * SMOOTH
        self.factor = factor
        size = (math.ceil(width * self.scale), math.ceil(height * self.scale))
        self.image = Image.new("RGBA", size, (0, 0, 0, 0))
        self.draw = ImageDraw.Draw(self.image)
        self.width, self.height = width, height

    def plate(self, theme: Theme) -> None:
        """A rounded translucent plate over the whole sheet."""
        box = (0, 0, self.image.width - 1, self.image.height - 1)
        fill, line = (*theme.rgb("card"), CARD_ALPHA), (*theme.rgb("card_line"), 255)
        self.draw.rounded_rectangle(box, CARD_RADIUS * self.scale, fill=fill, outline=line, width=round(self.scale))

    def box(self, left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
        """Corners in the sheet's own pixels."""
        return (left * self.scale, top * self.scale, right * self.scale, bottom * self.scale)

    def text(
        self, left: float, top: float, text: str, *, size: int, colour: tuple[int, int, int], bold: bool = False
    ) -> None:
        """A line of text, its upper left corner given."""
        font = font_of(round(size * self.scale), bold=bold)
        place = (left * self.scale, top * self.scale)
        self.draw.text(place, drawable(text), font=font, fill=(*colour, 255))

    def text_width(self, text: str, size: int, *, bold: bool = False) -> float:
        """Width of a line of text."""
        return float(font_of(round(size * self.scale), bold=bold).getlength(drawable(text))) / self.scale

    def fitted(self, text: str, width: float, size: int, *, bold: bool = False) -> str:
        """The text, shortened to a width."""
        if self.text_width(text, size, bold=bold) <= width:
            return text
        while text and self.text_width(text + "…", size, bold=bold) > width:
            text = text[:-1]
        return text + "…"

    def onto(self, picture: Picture, left: float, top: float) -> Picture:
        """The picture with this sheet over it."""
        size = (math.ceil(self.width * self.factor), math.ceil(self.height * self.factor))
        small = self.image.resize(size, Image.Resampling.LANCZOS)
        base = picture.convert("RGBA")
        base.alpha_composite(small, (max(round(left * self.factor), 0), max(round(top * self.factor), 0)))
        return base.convert("RGB")


def paint_legend(picture: Picture, legend: Legend, *, theme: Theme, factor: float) -> Picture:
    """The legend card in the upper left corner."""
    width = LEGEND_WIDTH - 2 * CARD_PAD
    probe = _Sheet(1, 1, factor)
    lines = lines_of(legend.subtitle, width, lambda text: probe.text_width(text, TEXT_SIZE))
    height = CARD_PAD + 20 + SUBTITLE_ROW * len(lines) + 6
    rows = len(legend.classes) + (1 if legend.more else 0) + (1 if legend.missing else 0)
    if legend.ramp is not None:
        height += RAMP_HEIGHT + 26 + (6 if legend.hatches or legend.missing else 0) + CLASS_ROW * bool(legend.missing)
    else:
        height += rows * CLASS_ROW + CARD_PAD - 4
    height += len(legend.hatches) * CLASS_ROW
    sheet = _Sheet(LEGEND_WIDTH, height, factor)
    sheet.plate(theme)
    top = CARD_PAD - 2.0
    title = sheet.fitted(legend.title, width, TITLE_SIZE, bold=True)
    sheet.text(CARD_PAD, top, title, size=TITLE_SIZE, colour=theme.rgb("ink"), bold=True)
    top += 20
    for line in lines:
        shown = sheet.fitted(line, width, TEXT_SIZE)
        sheet.text(CARD_PAD, top + 1, shown, size=TEXT_SIZE, colour=theme.rgb("soft_ink"))
        top += SUBTITLE_ROW
    top += 6
    if legend.ramp is None:
        _paint_classes(sheet, top, legend, theme=theme)
    else:
        _paint_ramp(sheet, top, legend, theme=theme)
        if legend.missing:
            _paint_row(sheet, top + RAMP_HEIGHT + 26, _missing_row(legend, theme), theme=theme)
    _paint_hatches(sheet, height - CARD_PAD + 4 - len(legend.hatches) * CLASS_ROW, legend, theme=theme)
    return sheet.onto(picture, CARD_MARGIN, CARD_MARGIN)


def _paint_hatches(sheet: _Sheet, top: float, legend: Legend, *, theme: Theme) -> None:
    left, width = float(CARD_PAD), float(LEGEND_WIDTH - 2 * CARD_PAD)
    for number, (text, hatch) in enumerate(legend.hatches):
        y = top + number * CLASS_ROW
        sheet.draw.rectangle(sheet.box(left, y + 3, left + 18, y + 14), outline=(*theme.rgb("soft_ink"), 255))
        for x0, y0, x1, y1 in swatch_lines(18, 11, hatch):
            ends = sheet.box(left + x0, y + 3 + y0, left + x1, y + 3 + y1)
            sheet.draw.line(ends, fill=(*theme.rgb("ink"), 255), width=round(sheet.scale))
        line = sheet.fitted(text, width - 26, TEXT_SIZE)
        sheet.text(left + 26, y + 1, line, size=TEXT_SIZE, colour=theme.rgb("ink"))


def _paint_ramp(sheet: _Sheet, top: float, legend: Legend, *, theme: Theme) -> None:
    if legend.ramp is None:
        return
    left, width = float(CARD_PAD), float(LEGEND_WIDTH - 2 * CARD_PAD)
    strip = Image.fromarray(np.ascontiguousarray(legend.ramp[None]))
    size = (round(width * sheet.scale), round(RAMP_HEIGHT * sheet.scale))
    sheet.image.paste(
        strip.resize(size, Image.Resampling.BILINEAR), (round(left * sheet.scale), round(top * sheet.scale))
    )
    bottom, soft = top + RAMP_HEIGHT, (*theme.rgb("soft_ink"), 255)
    for x, start, label in tick_labels(legend, left, width, lambda text: sheet.text_width(text, TEXT_SIZE)):
        sheet.draw.line(sheet.box(x, bottom, x, bottom + 4), fill=soft, width=round(sheet.scale))
        if label:
            sheet.text(start, bottom + 6, label, size=TEXT_SIZE, colour=theme.rgb("ink"))


def _paint_classes(sheet: _Sheet, top: float, legend: Legend, *, theme: Theme) -> None:
    left = float(CARD_PAD)
    rows: list[_Row] = [(text, colour, "ink") for text, colour in legend.classes]
    if legend.missing:
        rows.append(_missing_row(legend, theme))
    for number, row in enumerate(rows):
        _paint_row(sheet, top, row, theme=theme)
        for first, last in bands_of(legend, number) if number < len(legend.classes) else ():
            band = sheet.box(left + 18 * first, top + 3.5, left + 18 * last, top + 13.5)
            sheet.draw.rectangle(band, fill=(255, 255, 255, 255))
        top += CLASS_ROW
    if legend.more:
        sheet.text(left + 26, top + 1, f"+ {legend.more}", size=TEXT_SIZE, colour=theme.rgb("soft_ink"))


def _missing_row(legend: Legend, theme: Theme) -> _Row:
    return legend.missing, legend.missing_colour or theme.rgb("missing"), "soft_ink"


def _paint_row(sheet: _Sheet, top: float, row: _Row, *, theme: Theme) -> None:
    """A swatch and its text."""
    text, colour, ink = row
    left, width = float(CARD_PAD), float(LEGEND_WIDTH - 2 * CARD_PAD)
    box = sheet.box(left, top + 3, left + 18, top + 14)
    sheet.draw.rectangle(box, fill=(*colour, 255), outline=(*theme.rgb("soft_ink"), 255))
    line = sheet.fitted(text, width - 26, TEXT_SIZE)
    sheet.text(left + 26, top + 1, line, size=TEXT_SIZE, colour=theme.rgb(ink))


def paint_compass(picture: Picture, azimuth: float, *, theme: Theme, factor: float) -> Picture:
    """The north arrow in the upper right corner; `azimuth` of the direction of view [degrees]."""
    size = float(COMPASS_SIZE)
    sheet = _Sheet(size, size, factor)
    plate, line = (*theme.rgb("card"), CARD_ALPHA), (*theme.rgb("card_line"), 255)
    sheet.draw.ellipse(sheet.box(0.5, 0.5, size - 0.5, size - 0.5), fill=plate, outline=line, width=round(sheet.scale))
    turn = math.radians(-azimuth)
    x, y = size / 2 + size * LETTER * math.sin(turn), size / 2 - size * LETTER * math.cos(turn)
    half_text = sheet.text_width("N", TEXT_SIZE, bold=True) / 2
    sheet.text(x - half_text, y - 0.55 * TEXT_SIZE, "N", size=TEXT_SIZE, colour=theme.rgb("ink"), bold=True)
    length, half = size * NEEDLE, size * NEEDLE_WIDTH
    for sign, colour in ((-1.0, NEEDLE_RED), (1.0, theme.rgb("soft_ink"))):
        corners = [(0.0, sign * length), (half, 0.0), (-half, 0.0)]
        turned = [
            (
                (size / 2 + x * math.cos(turn) - y * math.sin(turn)) * sheet.scale,
                (size / 2 + x * math.sin(turn) + y * math.cos(turn)) * sheet.scale,
            )
            for x, y in corners
        ]
        sheet.draw.polygon(turned, fill=(*colour, 255))
    return sheet.onto(picture, picture.width / factor - CARD_MARGIN - size, CARD_MARGIN)


def paint_scale(picture: Picture, bar: ScaleBar, *, theme: Theme, factor: float) -> Picture:
    """The scale bar on a plate in the lower right corner; `bar.pixels` in card pixels."""
    padding = 8
    sheet = _Sheet(bar.pixels + 2 * padding, 32, factor)
    sheet.plate(theme)
    right, bottom = sheet.width - padding, 32.0 - padding
    left = right - bar.pixels
    ink = (*theme.rgb("ink"), 255)
    points = [(left, bottom - 6), (left, bottom), (right, bottom), (right, bottom - 6)]
    sheet.draw.line([(x * sheet.scale, y * sheet.scale) for x, y in points], fill=ink, width=round(1.6 * sheet.scale))
    text = scale_text(bar)
    middle = (left + right) / 2 - sheet.text_width(text, TEXT_SIZE) / 2
    sheet.text(middle, bottom - 22, text, size=TEXT_SIZE, colour=theme.rgb("ink"))
    width, height = picture.width / factor, picture.height / factor
    return sheet.onto(picture, width - CARD_MARGIN - sheet.width, height - CARD_MARGIN - 32)


def paint_note(picture: Picture, text: str, *, theme: Theme, factor: float) -> Picture:
    """One line on a plate in the lower left corner."""
    width = _Sheet(1, 1, factor).text_width(text, TEXT_SIZE) + 20
    sheet = _Sheet(width, 24, factor)
    sheet.plate(theme)
    sheet.text(10, 4.5, text, size=TEXT_SIZE, colour=theme.rgb("soft_ink"))
    return sheet.onto(picture, CARD_MARGIN, picture.height / factor - CARD_MARGIN - 24)


def paint_caption(picture: Picture, title: str, text: str, *, theme: Theme, factor: float) -> Picture:
    """A title and a line under it on a plate in the middle of the lower edge."""
    ruler = _Sheet(1, 1, factor)
    width = max(ruler.text_width(title, TITLE_SIZE, bold=True), ruler.text_width(text, TITLE_SIZE)) + 28
    width = min(width, picture.width / factor - 2 * CARD_MARGIN)
    height = 54.0 if title else 32.0
    sheet = _Sheet(width, height, factor)
    sheet.plate(theme)
    lines = ([(title, True, "ink")] if title else []) + [(text, False, "ink" if not title else "soft_ink")]
    for number, (line, bold, ink) in enumerate(lines):
        shown = sheet.fitted(line, width - 20, TITLE_SIZE, bold=bold)
        start = (width - sheet.text_width(shown, TITLE_SIZE, bold=bold)) / 2
        sheet.text(start, 6 + 22 * number, shown, size=TITLE_SIZE, colour=theme.rgb(ink), bold=bold)
    left = (picture.width / factor - width) / 2
    return sheet.onto(picture, left, picture.height / factor - CARD_MARGIN - height)
