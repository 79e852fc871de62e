"""Headless. A chart as an SVG drawing: axes with round steps, lines, areas, marks with labels, and a legend."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Chart, Series
from app.language import GROUPS, tr, word_of
from app.numbers import unit_text
from app.theme import Theme

WIDTH, HEIGHT = 960, 360
LEFT, RIGHT, TOP, BOTTOM = 68, 20, 34, 52
LEGEND_STEP = 170
PALETTE = ("#1769c4", "#b0561f", "#2f7d6b", "#8b4fa8", "#a38a00", "#5a6672")
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
WANTED_X, WANTED_Y = 8, 5
MARGIN = 0.06  # of the range, above and below

Floats = NDArray[np.float64]


def chart_title(analysis_id: str, chart: Chart) -> str:
    """Title in the current language."""
    return tr(f"{analysis_id}.chart.{chart.id}", chart.title)


def axis_title(analysis_id: str, chart: Chart, axis: str) -> str:
    """Title of the x or y axis with its unit."""
    title, unit = (chart.x_title, chart.x_unit) if axis == "x" else (chart.y_title, chart.y_unit)
    text = tr(f"{analysis_id}.chart.{chart.id}.{axis}", title)
    shown = unit_text(unit)
    return f"{text} [{shown}]" if shown else text


def series_name(analysis_id: str, chart: Chart, series: Series) -> str:
    """Name of a series in the current language; names are ids where the language has a text for them."""
    found = tr(f"{analysis_id}.chart.{chart.id}.{series.name}", "")
    return found or word_of(series.name, GROUPS).replace("_", " ")


def mark_label(text: str) -> str:
    """The label of a mark in the current language: groups of people are the program's own words."""
    return word_of(text, GROUPS)


def series_colour(series: Series, number: int) -> str:
    """Its own colour, or the next of the palette."""
    return series.colour or PALETTE[number % len(PALETTE)]


def chart_range(chart: Chart) -> tuple[float, float, float, float]:
    """Lowest and highest x, lowest and highest y with some room; 0..1 where there is nothing."""
    xs = _finite([series.x for series in chart.series])
    ys = _finite([part for series in chart.series for part in (series.y, series.base) if part is not None])
    x0, x1 = (float(xs.min()), float(xs.max())) if len(xs) else (0.0, 1.0)
    y0, y1 = (float(ys.min()), float(ys.max())) if len(ys) else (0.0, 1.0)
    room = MARGIN * (y1 - y0) or 0.5
    return x0, x1 if x1 > x0 else x0 + 1.0, y0 - room, y1 + room


def round_steps(low: float, high: float, wanted: int) -> Floats:
    """Round numbers between two limits, about as many as wanted."""
    raw = (high - low) / max(wanted, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in STEPS if factor * power >= raw * 0.999)
    return np.asarray(np.arange(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1) * step)


def chart_svg(chart: Chart, *, analysis_id: str, theme: Theme) -> str:
    """The drawing as text; fonts are those of the page that shows it."""
    drawing = _Drawing(chart, analysis_id, theme)
    body = "\n".join(drawing.parts())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="Noto Sans KR, Malgun Gothic, NanumGothic, sans-serif" font-size="12">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{theme["card"]}"/>\n{body}\n</svg>\n'
    )


class _Drawing:
    def __init__(self, chart: Chart, analysis_id: str, theme: Theme) -> None:
        self.chart, self.analysis_id, self.theme = chart, analysis_id, theme
        self.x0, self.x1, self.y0, self.y1 = chart_range(chart)

    def across(self, x: Floats | float) -> Floats:
        """Pixels from the left."""
        return np.asarray(LEFT + (np.asarray(x) - self.x0) / (self.x1 - self.x0) * (WIDTH - LEFT - RIGHT))

    def down(self, y: Floats | float) -> Floats:
        """Pixels from the top."""
        return np.asarray(HEIGHT - BOTTOM - (np.asarray(y) - self.y0) / (self.y1 - self.y0) * (HEIGHT - TOP - BOTTOM))

    def parts(self) -> Iterator[str]:
        yield from self._axes()
        for number, series in enumerate(self.chart.series):
            yield from self._series(series, series_colour(series, number))
        yield from self._legend()

    def _text(self, x: float, y: float, text: str, anchor: str = "start", role: str = "soft_ink") -> str:
        return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{self.theme[role]}">{escape(text)}</text>'

    def _axes(self) -> Iterator[str]:
        grid = self.theme["card_line"]
        right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
        for value in round_steps(self.x0, self.x1, WANTED_X):
            at = float(self.across(float(value)))
            yield f'<line x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{bottom}" stroke="{grid}"/>'
            yield self._text(at, bottom + 16, f"{value:g}", "middle")
        for value in round_steps(self.y0, self.y1, WANTED_Y):
            at = float(self.down(float(value)))
            yield f'<line x1="{LEFT}" y1="{at:.1f}" x2="{right}" y2="{at:.1f}" stroke="{grid}"/>'
            yield self._text(LEFT - 8, at + 4, f"{value:g}", "end")
        middle = (LEFT + right) / 2
        yield self._text(middle, HEIGHT - 14, axis_title(self.analysis_id, self.chart, "x"), "middle", "ink")
        y_text = escape(axis_title(self.analysis_id, self.chart, "y"))
        at = (TOP + bottom) / 2
        yield (
            f'<text transform="translate(16 {at:.0f}) rotate(-90)" text-anchor="middle" '
            f'fill="{self.theme["ink"]}">{y_text}</text>'
        )

    def _series(self, series: Series, colour: str) -> Iterator[str]:
        x, y = self.across(series.x), self.down(series.y)
        if series.role == "area" and series.base is not None:
            yield _area(x, y, self.down(series.base), colour)
        elif series.role == "marks":
            yield from self._marks(series, x, y, colour)
        else:
            dash = ' stroke-dasharray="6 4"' if series.role == "dashed" else ""
            for piece in _runs(x, y):
                yield f'<polyline points="{piece}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'

    def _marks(self, series: Series, x: Floats, y: Floats, colour: str) -> Iterator[str]:
        for number in np.flatnonzero(np.isfinite(x) & np.isfinite(y)):
            yield _circle(float(x[number]), float(y[number]), colour)
            if number < len(series.labels) and series.labels[number]:
                yield self._text(float(x[number]) + 6, float(y[number]) - 6, mark_label(series.labels[number]))

    def _legend(self) -> Iterator[str]:
        step = min(LEGEND_STEP, (WIDTH - LEFT - RIGHT) / max(len(self.chart.series), 1))
        for number, series in enumerate(self.chart.series):
            left = LEFT + step * number
            colour = series_colour(series, number)
            dash = ' stroke-dasharray="6 4"' if series.role == "dashed" else ""
            if series.role == "marks":
                yield _circle(left + 10, 16, colour)
            else:
                yield f'<line x1="{left}" y1="16" x2="{left + 20}" y2="16" stroke="{colour}" stroke-width="2"{dash}/>'
            yield self._text(left + 26, 20, series_name(self.analysis_id, self.chart, series), role="ink")


def _circle(x: float, y: float, colour: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="none" stroke="{colour}" stroke-width="2"/>'


def _finite(parts: list[Floats]) -> Floats:
    values = np.concatenate([np.asarray(part, dtype=np.float64) for part in parts]) if parts else np.zeros(0)
    return np.asarray(values[np.isfinite(values)])


def _runs(x: Floats, y: Floats) -> Iterator[str]:
    """Points of each stretch without a gap."""
    known = np.isfinite(x) & np.isfinite(y)
    for piece in np.split(np.arange(len(x)), np.flatnonzero(~known)):
        inside = piece[known[piece]]
        if len(inside):
            yield " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x[inside], y[inside], strict=True))


def _area(x: Floats, y: Floats, base: Floats, colour: str) -> str:
    known = np.isfinite(x) & np.isfinite(y) & np.isfinite(base)
    top = [f"{a:.1f},{b:.1f}" for a, b in zip(x[known], y[known], strict=True)]
    back = [f"{a:.1f},{b:.1f}" for a, b in zip(x[known][::-1], base[known][::-1], strict=True)]
    return f'<polygon points="{" ".join(top + back)}" fill="{colour}" fill-opacity="0.25" stroke="none"/>'
