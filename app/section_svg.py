"""Headless. The drawing of a vertical cut as SVG, on paper of millimetres: true shapes, covers, levels, a table."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

import numpy as np

from app.colour import number_text
from app.language import tr
from app.section_drawing import CutPipe, SectionDrawing
from app.theme import theme_named
from app.utility_kinds import utility_kinds
from geo.model import Frame

PAPER_WIDTH = 297.0  # millimetres: A4 lying, as high as the table needs
LEFT, RIGHT, TOP, BOTTOM = 22.0, 12.0, 24.0, 14.0
SCALES = (20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000)
EXAGGERATIONS = (1, 2, 5, 10, 20)
LOWEST_PICTURE, TALLEST_PICTURE = 45.0, 150.0  # millimetres
HEADROOM, FOOTROOM = 1.2, 1.0  # metres over the ground and under the lowest pipe
TEXT, SMALL, TITLE = 2.9, 2.4, 4.4  # millimetres
ROW = 5.2
COLUMNS = (0.0, 9.0, 46.0, 84.0, 112.0, 142.0, 172.0, 206.0)  # of the table [mm]
LABEL_GAP = 5.4  # millimetres between numbers over the ground
LEAST_SIZE = 0.8  # millimetres of radius that a pipe is drawn with at least
MOST_ROWS = 60
INK, SOFT, EARTH, GRID_LINE = "#20262d", "#5a6672", "#e9e4da", "#d3d7db"
DASHES = {"measured": "", "register": "1.6 0.6", "assumed": "0.5 0.6"}


class _Paper:
    """From metres of the cut to millimetres of the page."""

    def __init__(self, drawing: SectionDrawing) -> None:
        low, high = drawing.heights
        self.low, self.high = math.floor(low - FOOTROOM), math.ceil(high + HEADROOM)
        width = PAPER_WIDTH - LEFT - RIGHT
        self.scale = next((s for s in SCALES if drawing.length * 1000 / s <= width), SCALES[-1])
        tall = (self.high - self.low) * 1000 / self.scale
        fitting = [e for e in EXAGGERATIONS if tall * e <= TALLEST_PICTURE] or [1]
        self.exaggeration = next((e for e in fitting if tall * e >= LOWEST_PICTURE), fitting[-1])
        self.height = tall * self.exaggeration

    def x(self, along: float) -> float:
        """Of a place along the cut."""
        return LEFT + along * 1000 / self.scale

    def y(self, height: float) -> float:
        """Of a height."""
        return TOP + (self.high - height) * 1000 / self.scale * self.exaggeration


def section_svg(drawing: SectionDrawing, *, frame: Frame | None = None, title: str = "") -> str:
    """The drawing as the text of an SVG file; colours are those of paper."""
    paper = _Paper(drawing)
    rows = min(len(drawing.pipes), MOST_ROWS)
    bottom = TOP + paper.height + BOTTOM
    total = bottom + (rows + 2) * ROW + 8 if rows else bottom
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{PAPER_WIDTH:.1f}mm" height="{total:.1f}mm" '
        f'viewBox="0 0 {PAPER_WIDTH:.1f} {total:.1f}" font-family="Noto Sans KR, NanumGothic, sans-serif">',
        f'<rect width="{PAPER_WIDTH:.1f}" height="{total:.1f}" fill="#ffffff"/>',
        *_heading(drawing, paper, frame, title),
        *_levels(drawing, paper),
        *_ground(drawing, paper),
        *_solids(drawing, paper),
        *_pipes(drawing, paper),
        *_distances(drawing, paper),
        *_table(drawing, bottom),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _text(x: float, y: float, text: str, *, size: float = TEXT, anchor: str = "start", colour: str = INK) -> str:
    return (
        f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
    )


def _line(x0: float, y0: float, x1: float, y1: float, *, colour: str = INK, width: float = 0.2, dash: str = "") -> str:
    style = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x0:.2f}" y1="{y0:.2f}" x2="{x1:.2f}" y2="{y1:.2f}" stroke="{colour}" '
        f'stroke-width="{width}"{style}/>'
    )


def _heading(drawing: SectionDrawing, paper: _Paper, frame: Frame | None, title: str) -> Iterator[str]:
    name = title or tr("section_drawing.title", "Section")
    yield f'<text x="{LEFT}" y="9" font-size="{TITLE}" font-weight="600" fill="{INK}">{escape(name)}</text>'
    scale = f"1:{paper.scale}"
    if paper.exaggeration != 1:
        scale += " · " + tr("section_drawing.exaggerated", "heights ×{times}", times=paper.exaggeration)
    yield _text(PAPER_WIDTH - RIGHT, 9, scale, anchor="end")
    ends = np.array([[*drawing.start, 0.0], [*drawing.stop, 0.0]])
    places = frame.to_map(ends) if frame is not None else ends
    words = [f"{mark}  E {e:.2f}  N {n:.2f}" for mark, (e, n, _h) in zip("AB", places, strict=True)]
    where = f"{words[0]}   {words[1]}   {number_text(drawing.length)} m"
    yield _text(LEFT, 14.5, where + (f"   {frame.crs}" if frame is not None else ""), size=SMALL, colour=SOFT)


def _levels(drawing: SectionDrawing, paper: _Paper) -> Iterator[str]:
    """Level marks at the left, a faint line for each, and the two ends."""
    span = paper.high - paper.low
    step = next(s for s in (0.5, 1, 2, 5, 10, 20, 50, 100, 500, 5000) if span / s <= 16)
    right = paper.x(drawing.length)
    level = math.ceil(paper.low / step) * step
    while level <= paper.high + 1e-9:
        y = paper.y(level)
        yield _line(LEFT, y, right, y, colour=GRID_LINE, width=0.12)
        yield _text(LEFT - 2, y + 0.9, f"{level:+.1f}" if level else "±0.0", size=SMALL, anchor="end", colour=SOFT)
        level += step
    foot = paper.y(paper.low)
    for x, mark in ((LEFT, "A"), (right, "B")):
        yield _line(x, TOP - 2, x, foot, colour=SOFT, width=0.25)
        yield _text(x, TOP - 3.2, mark, anchor="middle")
    yield _text(LEFT - 2, TOP - 3.2, "m", size=SMALL, anchor="end", colour=SOFT)


def _ground(drawing: SectionDrawing, paper: _Paper) -> Iterator[str]:
    known = np.isfinite(drawing.ground[:, 1])
    for run in np.split(np.flatnonzero(known), np.flatnonzero(np.diff(np.flatnonzero(known)) > 1) + 1):
        if len(run) < 2:
            continue
        points = [f"{paper.x(s):.2f},{paper.y(z):.2f}" for s, z in drawing.ground[run]]
        foot = paper.y(paper.low)
        first, last = (paper.x(drawing.ground[row, 0]) for row in (run[0], run[-1]))
        closed = " ".join([*points, f"{last:.2f},{foot:.2f}", f"{first:.2f},{foot:.2f}"])
        yield f'<polygon points="{closed}" fill="{EARTH}" fill-opacity="0.75"/>'
        yield f'<polyline points="{" ".join(points)}" fill="none" stroke="{INK}" stroke-width="0.5"/>'


def _solids(drawing: SectionDrawing, paper: _Paper) -> Iterator[str]:
    for _layer, theme, edges in drawing.solids:
        near = [e for e in edges if e[:, 1].min() < paper.high and e[:, 1].max() > paper.low]
        path = "".join(f"M{_point(a, paper)}L{_point(b, paper)}" for a, b in near)
        dash = ' stroke-dasharray="2 1"' if theme == "excavation" else ""
        yield f'<path d="{path}" fill="none" stroke="{SOFT}" stroke-width="0.4"{dash}/>'


def _point(place: np.ndarray, paper: _Paper) -> str:
    height = min(max(float(place[1]), paper.low), paper.high)
    return f"{paper.x(float(place[0])):.2f} {paper.y(height):.2f}"


def _pipes(drawing: SectionDrawing, paper: _Paper) -> Iterator[str]:
    """True shapes, the cover as a dimension over each, and numbers over the ground that never overlap."""
    theme = theme_named("light")
    places = _spread([paper.x(pipe.along) for pipe in drawing.pipes])
    numbered = list(enumerate(zip(drawing.pipes, places, strict=True), start=1))
    for number, (pipe, at) in sorted(numbered, key=lambda entry: not entry[1][0].is_box):  # pipes over their tunnel
        kind = utility_kinds()[pipe.kind]
        colour = "#{:02x}{:02x}{:02x}".format(*kind.rgb(theme))
        x, y = paper.x(pipe.along), paper.y(pipe.height)
        yield _shape(pipe, paper, colour, x, y)
        ground = drawing.ground_at(pipe.along)
        top = y - max(pipe.half_height * 1000 / paper.scale * paper.exaggeration, LEAST_SIZE)
        if math.isfinite(ground) and paper.y(ground) < top:
            yield from _cover(x, paper.y(ground), top, pipe)
        over = paper.y(ground) if math.isfinite(ground) else top
        yield _line(at, TOP + 2.2, x, min(over, top), colour=SOFT, width=0.12)
        yield f'<circle cx="{at:.2f}" cy="{TOP:.2f}" r="2.2" fill="#ffffff" stroke="{colour}" stroke-width="0.5"/>'
        yield _text(at, TOP + 0.9, str(number), size=SMALL, anchor="middle")
        yield _text(x + 0.4, y + 0.9, kind.symbol, size=SMALL, anchor="middle")


def _shape(pipe: CutPipe, paper: _Paper, colour: str, x: float, y: float) -> str:
    unit = 1000 / paper.scale
    dash = DASHES.get(pipe.depth_quality, DASHES["assumed"])
    style = f'fill="{colour}" fill-opacity="0.55" stroke="{colour}" stroke-width="0.45"'
    style += f' stroke-dasharray="{dash}"' if dash else ""
    half_width, half_height = max(pipe.half_width * unit, LEAST_SIZE), max(pipe.half_height * unit, LEAST_SIZE)
    stretched = f"translate({x:.2f} {y:.2f}) scale(1 {paper.exaggeration})"
    if pipe.is_box:
        return (
            f'<rect x="{-half_width:.2f}" y="{-half_height:.2f}" width="{2 * half_width:.2f}" '
            f'height="{2 * half_height:.2f}" transform="{stretched}" {style}/>'
        )
    turned = f"{stretched} rotate({-pipe.tilt:.2f})"
    return f'<ellipse rx="{half_width:.3f}" ry="{half_height:.3f}" transform="{turned}" {style}/>'


def _cover(x: float, ground: float, top: float, pipe: CutPipe) -> Iterator[str]:
    """A dimension line from the ground to the top of a pipe, with its length."""
    yield _line(x, ground, x, top, width=0.18)
    for y, way in ((ground, 1.0), (top, -1.0)):
        yield f'<path d="M{x:.2f} {y:.2f}l-0.6 {1.5 * way}h1.2z" fill="{INK}"/>'
    middle = (ground + top) / 2
    for halo in (' stroke="#ffffff" stroke-width="0.7"', ""):
        yield (
            f'<text transform="translate({x - 0.7:.2f} {middle:.2f}) rotate(-90)" font-size="{SMALL}" '
            f'text-anchor="middle" fill="{INK}"{halo}>{pipe.cover:.2f}</text>'
        )


def _spread(places: list[float]) -> list[float]:
    """Places moved apart to at least `LABEL_GAP`, each as near to its own as the others allow, inside the page."""
    spread: list[float] = []
    for place in places:
        spread.append(max(place, spread[-1] + LABEL_GAP) if spread else place)
    limit = PAPER_WIDTH - RIGHT
    for row in range(len(spread) - 1, -1, -1):
        if spread[row] > limit:
            spread[row] = limit
        limit = spread[row] - LABEL_GAP
    return spread


def _distances(drawing: SectionDrawing, paper: _Paper) -> Iterator[str]:
    """The chain of distances along the foot: from A over each pipe to B."""
    y = paper.y(paper.low) + 7.0
    stops = [0.0, *(pipe.along for pipe in drawing.pipes), drawing.length]
    yield _line(paper.x(0.0), y, paper.x(drawing.length), y, width=0.18)
    free = -math.inf
    for place in stops:
        yield _line(paper.x(place), y - 1.0, paper.x(place), y + 1.0, width=0.18)
    for first, last in zip(stops, stops[1:], strict=False):
        middle = (paper.x(first) + paper.x(last)) / 2
        text = f"{last - first:.2f}"
        half = 0.32 * SMALL * len(text)
        if last - first > 1e-6 and middle - half > free:
            yield _text(middle, y - 1.4, text, size=SMALL, anchor="middle")
            free = middle + half + 0.6


def _table(drawing: SectionDrawing, top: float) -> Iterator[str]:
    """What each number is."""
    if not drawing.pipes:
        return
    heads = ("number", "kind", "size", "cover", "level", "quality", "material", "id")
    english = ("No.", "Kind", "Size", "Cover [m]", "Axis level [m]", "Depth from", "Material", "Id")
    for x, head, word in zip(COLUMNS, heads, english, strict=True):
        yield _text(LEFT + x, top + ROW, tr(f"section_drawing.{head}", word), size=SMALL, colour=SOFT)
    yield _line(LEFT, top + ROW + 1.6, PAPER_WIDTH - RIGHT, top + ROW + 1.6, width=0.25)
    for number, pipe in enumerate(drawing.pipes[:MOST_ROWS], start=1):
        y = top + ROW * (number + 1)
        for x, cell in zip(COLUMNS, _cells(number, pipe), strict=True):
            yield _text(LEFT + x, y, cell, size=SMALL)
    more = len(drawing.pipes) - MOST_ROWS
    if more > 0:
        yield _text(LEFT, top + ROW * (MOST_ROWS + 2), f"+ {more}", size=SMALL, colour=SOFT)


def _cells(number: int, pipe: CutPipe) -> tuple[str, ...]:
    kind = f"{utility_kinds()[pipe.kind].symbol}  {tr(f'utility.{pipe.kind}', pipe.kind)}"
    if pipe.is_box:
        size = f"□ {pipe.width:.2f} × {2 * pipe.half_height:.2f} m"
    else:
        size = f"Ø {round(1000 * pipe.diameter)} mm"
    cover = f"{pipe.cover:.2f}" if math.isfinite(pipe.cover) else "–"
    if math.isfinite(pipe.stated_cover) and math.isfinite(pipe.cover) and abs(pipe.stated_cover - pipe.cover) > 0.05:
        cover += f" ({pipe.stated_cover:.2f})"
    quality = tr(f"depth.{pipe.depth_quality}", pipe.depth_quality) if pipe.depth_quality else "–"
    return (str(number), kind, size, cover, f"{pipe.height:.2f}", quality, pipe.material or "–", pipe.element_id)
