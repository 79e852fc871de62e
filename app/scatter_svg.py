"""Headless. Calculated values against measured ones as an SVG drawing: one square per part, with factor-2 lines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.chart_svg import PALETTE, round_steps
from app.theme import Theme

SIDE, GAP, LEFT, TOP, BOTTOM = 190, 26, 58, 34, 46  # pixels: of a square, between squares, around all of them
LINES = 50  # above each square: numbers of the square above, heading, scores
COLUMNS = 4
WANTED = 4  # numbers along an axis
FACTOR = 2.0
DOT = 3.2  # pixels across

Floats = NDArray[np.float64]


class Panel(NamedTuple):
    """One square: heading, a line below it, reference values and calculated ones (n,)."""

    heading: str
    scores: str
    observed: Floats
    predicted: Floats


def scatter_svg(panels: Sequence[Panel], *, title: str, axes: tuple[str, str], theme: Theme) -> str:
    """The drawing as text; all squares have the same range.

    Parameters
    ----------
    panels : sequence of Panel
        Pairs with a value that is no number are left out.
    title : str
    axes : (str, str)
        Titles of the axes across (reference) and up (calculated).
    """
    columns = max(1, min(COLUMNS, len(panels)))
    rows = max(1, math.ceil(len(panels) / columns))
    width = LEFT + columns * SIDE + (columns - 1) * GAP + GAP
    height = TOP + rows * (SIDE + LINES) + BOTTOM
    low, high = common_range(panels)
    body = [_text(LEFT, 24, title, theme["ink"], size=15)]
    for number, panel in enumerate(panels):
        x = LEFT + (number % columns) * (SIDE + GAP)
        y = TOP + (number // columns) * (SIDE + LINES) + LINES
        body += _square(panel, _Place(x, y, low, high), theme)
    body.append(_text((LEFT + width - GAP) / 2, height - 12, axes[0], theme["ink"], anchor="middle"))
    turned = f'transform="translate(16 {(TOP + height - BOTTOM) / 2:.0f}) rotate(-90)"'
    body.append(f'<text {turned} text-anchor="middle" fill="{theme["ink"]}">{escape(axes[1])}</text>')
    content = "\n".join(body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="Noto Sans KR, Malgun Gothic, NanumGothic, sans-serif" font-size="11">\n'
        f'<rect width="{width}" height="{height}" fill="{theme["card"]}"/>\n{content}\n</svg>\n'
    )


def common_range(panels: Sequence[Panel]) -> tuple[float, float]:
    """Range of all squares, from zero where nothing is below it; 0..1 where there is nothing."""
    parts = [np.concatenate([panel.observed[known], panel.predicted[known]]) for panel in panels
             for known in [_known(panel)]]  # fmt: skip
    values = np.concatenate(parts) if parts else np.zeros(0)
    if not len(values):
        return 0.0, 1.0
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    room = 0.05 * (high - low) or 0.5
    return (low - room if low < 0 else 0.0), high + room


class _Place(NamedTuple):
    """Where a square stands [pixels], and its range."""

    x: float
    y: float
    low: float
    high: float

    def across(self, value: Floats | float) -> Floats:
        return np.asarray(self.x + (np.asarray(value) - self.low) / (self.high - self.low) * SIDE)

    def down(self, value: Floats | float) -> Floats:
        return np.asarray(self.y + SIDE - (np.asarray(value) - self.low) / (self.high - self.low) * SIDE)


def _square(panel: Panel, place: _Place, theme: Theme) -> Iterator[str]:
    grid, soft = theme["card_line"], theme["soft_ink"]
    yield _text(place.x, place.y - 20, panel.heading, theme["ink"])
    yield _text(place.x, place.y - 6, panel.scores, soft, size=10)
    yield f'<rect x="{place.x}" y="{place.y}" width="{SIDE}" height="{SIDE}" fill="none" stroke="{grid}"/>'
    for value in round_steps(place.low, place.high, WANTED):
        x, y = float(place.across(float(value))), float(place.down(float(value)))
        yield f'<line x1="{x:.1f}" y1="{place.y}" x2="{x:.1f}" y2="{place.y + SIDE}" stroke="{grid}"/>'
        yield f'<line x1="{place.x}" y1="{y:.1f}" x2="{place.x + SIDE}" y2="{y:.1f}" stroke="{grid}"/>'
        yield _text(x, place.y + SIDE + 12, f"{value:g}", soft, anchor="middle", size=9)
        yield _text(place.x - 4, y + 3, f"{value:g}", soft, anchor="end", size=9)
    for slope in (1.0, FACTOR, 1 / FACTOR):
        yield _ray(place, slope, theme["soft_ink"])
    yield _dots(panel, place)


def _ray(place: _Place, slope: float, colour: str) -> str:
    """Line through zero, cut by the square; those of the factor are dashed."""
    ends = max(place.low, place.low / slope), min(place.high, place.high / slope)
    (x1, y1), (x2, y2) = ((float(place.across(end)), float(place.down(slope * end))) for end in ends)
    dash = "" if slope == 1.0 else ' stroke-dasharray="5 4"'
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dash}/>'


def _dots(panel: Panel, place: _Place) -> str:
    """All points as one path of round ends: a fifth of the text that as many circles take."""
    known = _known(panel)
    x, y = place.across(panel.observed[known]), place.down(panel.predicted[known])
    path = "".join(f"M{a:.1f} {b:.1f}h.1" for a, b in zip(x, y, strict=True))
    return (
        f'<path d="{path}" fill="none" stroke="{PALETTE[0]}" stroke-width="{DOT}" stroke-linecap="round" '
        f'stroke-opacity="0.75"/>'
    )


def _known(panel: Panel) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(panel.observed) & np.isfinite(panel.predicted))


def _text(x: float, y: float, text: str, colour: str, *, anchor: str = "start", size: int = 11) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{escape(text)}</text>'
    )
