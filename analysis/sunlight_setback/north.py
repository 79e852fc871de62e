"""The setback from the north (정북 방향 높이 제한): every part of every building, and the envelope of every plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.sunlight_setback.ahead import Strip, strips_ahead, turning
from analysis.sunlight_setback.cutting import cut_area
from analysis.sunlight_setback.declaration import SetbackParams
from analysis.sunlight_setback.findings import Finding, Findings, joined
from analysis.sunlight_setback.limits import (
    FAR,
    Band,
    Cell,
    Place,
    beyond,
    cells_of,
    north_bands,
    pieces_over,
    worst_places,
)
from analysis.sunlight_setback.plots import City, Plot
from analysis.sunlight_setback.rules import Rule, Rulebook
from analysis.sunlight_setback.solid import Block
from geo.model import Feedback

Floats = NDArray[np.float64]

RESIDENTIAL = ("exclusive_residential", "general_residential")
APARTMENT = ("apartment", "multi_family")
LOW = 1e-3  # [m] a part this much above the height of low parts is still low: rounding of the data


class Envelope(NamedTuple):
    """What may be built on a plot: blocks in turned coordinates, standing on `bottom` [local m]."""

    plot: Plot
    blocks: list[Block]
    bottom: float
    exempt: bool


class Freed(NamedTuple):
    """Whether a strip is free of the rule, or may be; with the reason."""

    free: bool
    doubtful: bool
    reason: str


def judge_north(
    city: City, way: Floats, params: SetbackParams, rules: Rulebook, found: Findings, feedback: Feedback
) -> list[Envelope]:
    """Judge the buildings of all plots; the envelopes of those that the rule holds for.

    Parameters
    ----------
    way : (2,) float
        Unit vector to true north [local].
    """
    numbers = (
        rules.low_height(params.low_height),
        rules.rule("north", "low_distance", params.low_distance),
        rules.rule("north", "height_factor", params.height_factor),
    )
    envelopes = []
    for number, plot in enumerate(city.plots):
        if number % 10 == 0:
            feedback.step(number / len(city.plots), "setback from the north")
        if plot.open:
            continue
        if plot.zone not in RESIDENTIAL:
            _without_rule(city, plot, found, numbers)
            continue
        if not np.isfinite(plot.level):
            continue
        if params.agreement:
            _exempt(city, plot, "agreement", found, numbers)
            continue
        envelopes.append(_judge_plot(city, plot, way, params, numbers, found))
    return [envelope for envelope in envelopes if envelope.blocks]


def _without_rule(city: City, plot: Plot, found: Findings, numbers: tuple[Rule, ...]) -> None:
    """Buildings in zones that the rule does not name: free of it, or nothing can be told without a zoning."""
    if plot.zone:
        _exempt(city, plot, "not_residential", found, numbers)
        return
    for body in plot.bodies:
        reason = "no_zoning"
        found.add(_finding(city, plot, body, "", "cannot_tell", reason, numbers))


def _exempt(city: City, plot: Plot, reason: str, found: Findings, numbers: tuple[Rule, ...]) -> None:
    for body in plot.bodies:
        found.add(_finding(city, plot, body, "", "ok", reason, numbers))


def _finding(
    city: City, plot: Plot, body: int, other: str, verdict: str, reason: str, numbers: tuple[Rule, ...]
) -> Finding:
    article, source, verified = joined(numbers)
    name = city.bodies[body].name
    return Finding("north", name, other, plot.id, plot.zoning, verdict, reason, article, source, verified)


def ground_level(plot: Plot, neighbour: Plot | None, params: SetbackParams) -> float:
    """Height that the setback from the north counts from [local m]: the mean of both plots' ground, or the plot's own.

    건축법 시행령 제119조제1항제5호나목: where the ground of the plots differs, the mean level plane of both.
    """
    if params.ground_level == "plot" or neighbour is None or not np.isfinite(neighbour.level):
        return plot.level
    return (plot.level + neighbour.level) / 2


def _judge_plot(
    city: City, plot: Plot, way: Floats, params: SetbackParams, numbers: tuple[Rule, ...], found: Findings
) -> Envelope:
    """Buildings of one plot, apartments and others apart: only for apartments the middle of a road counts."""
    halved = [body for body in plot.bodies if city.bodies[body].use in APARTMENT]
    plain = [body for body in plot.bodies if city.bodies[body].use not in APARTMENT]
    envelope = None
    for members, half in ((plain, False), (halved, True)):
        if not members and (half or halved):
            continue
        strips = strips_ahead(plot.number, city.land, way, halved=half)
        side = _Side(city, plot, strips, params)
        side.judge(members, turning(way), numbers, found)
        if envelope is None or half:
            envelope = side.envelope()
    return envelope if envelope is not None else Envelope(plot, [], plot.lowest, True)


class _Side:
    """The strips of a plot with their levels, exemptions and cells."""

    def __init__(self, city: City, plot: Plot, strips: Sequence[Strip], params: SetbackParams) -> None:
        self.city, self.plot, self.strips, self.params = city, plot, strips, params
        neighbours = [city.plots[s.neighbour] if s.neighbour >= 0 else None for s in strips]
        self.levels = [ground_level(plot, other, params) for other in neighbours]
        self.freed = [freed(plot, other, strip.kind, params) for strip, other in zip(strips, neighbours, strict=True)]
        bands = north_bands(params.low_height, params.low_distance, params.height_factor)
        ruled = [k for k, f in enumerate(self.freed) if not f.free]
        cells, lines = cells_of([strips[k] for k in ruled], bands, [self.levels[k] for k in ruled], plot.lowest)
        self.cells = [cell._replace(strip=ruled[cell.strip]) for cell in cells]
        self.lines = lines

    def judge(self, members: Sequence[int], turn: Floats, numbers: tuple[Rule, ...], found: Findings) -> None:
        """The worst place of each building against each neighbour."""
        if not members:
            return
        triangles, body = turned_triangles(self.city, members, turn)
        pieces = pieces_over(triangles, body, self.cells, self.plot.lowest)
        group = self._groups()
        places = worst_places(pieces, self.cells, self.lines, self.levels, needed=self._needed, group=group)
        above = beyond(pieces, self.cells)
        above_group = np.array(group)[[self.cells[c].strip for c in above.cell]] if len(above.cell) else above.cell
        judged = set()
        for place in places:
            judged.add(place.body)
            mine = (above.body == place.body) & (above_group == group[place.strip])
            self._note(place, above.triangles[mine], turn, numbers, found)
        for body_number in members:
            if body_number not in judged:
                reason = next((f.reason for f in self.freed if f.free), "outside")
                verdict = "ok" if reason != "outside" else "cannot_tell"
                found.add(_finding(self.city, self.plot, body_number, "", verdict, reason, numbers))

    def _needed(self, height: Floats) -> Floats:
        tall = height > self.params.low_height + LOW
        return np.where(tall, self.params.height_factor * height, self.params.low_distance)

    def _groups(self) -> list[int]:
        names: dict[tuple[str, int], int] = {}
        return [names.setdefault((s.kind, s.neighbour), len(names)) for s in self.strips]

    def _note(self, place: Place, above: Floats, turn: Floats, numbers: tuple[Rule, ...], found: Findings) -> None:
        strip, freed_here = self.strips[place.strip], self.freed[place.strip]
        broken = place.shortage > self.params.tolerance
        verdict, reason = "ok", ""
        if broken:
            verdict, reason = ("needs_review", freed_here.reason) if freed_here.doubtful else ("breaks", "")
        other = self.city.plots[strip.neighbour].id if strip.neighbour >= 0 else ""
        height = numbers[:1] if place.height <= self.params.low_height + LOW else numbers[2:]
        used = (*numbers[1:2], *height) if place.height <= self.params.low_height + LOW else height
        article, source, verified = joined(used)
        x, y, z = place.point
        end = np.array([x, strip.limit[0] * x + strip.limit[1]])
        start, stop = place.point[:2] @ turn, end @ turn
        found.add(
            Finding(
                "north", self.city.bodies[place.body].name, other, self.plot.id, self.plot.zoning, verdict, reason,
                article, source, verified, place.measured, place.required, place.height,
                max(place.too_high, 0.0) if broken else 0.0,
                (float(start[0]), float(start[1]), float(z)), (float(stop[0]), float(stop[1]), float(z)),
            ),
            back_turned(above, turn) if broken else None,
        )  # fmt: skip

    def envelope(self) -> Envelope:
        """Blocks under the limit, and up to the drawn height where the plot is free of it."""
        cap = self.plot.level + self.params.drawn_height
        blocks = [part for cell in self.cells if not cell.closed for part in _capped(cell, cap)]
        free = [k for k, f in enumerate(self.freed) if f.free]
        levels = [self.levels[k] for k in free]
        open_band = (Band(-FAR, FAR, 0.0, self.params.drawn_height),)
        cells, _ = cells_of([self.strips[k] for k in free], open_band, levels, self.plot.lowest)
        blocks += [Block(cell.area, (0.0, 0.0, cap)) for cell in cells]
        return Envelope(self.plot, blocks, self.plot.lowest, len(free) == len(self.strips))


def _capped(cell: Cell, cap: float) -> list[Block]:
    """A cell cut where its plane reaches the drawn height."""
    a, b, c = cell.plane
    below = cut_area(cell.area, (-a, -b, cap - c))
    above = cut_area(cell.area, (a, b, c - cap))
    parts = [Block(below, cell.plane)] if len(below) >= 3 else []
    if a == b == 0.0:
        return parts if c <= cap else [Block(cell.area, (0.0, 0.0, cap))]
    return parts + ([Block(above, (0.0, 0.0, cap))] if len(above) >= 3 else [])


def freed(plot: Plot, neighbour: Plot | None, kind: str, params: SetbackParams) -> Freed:
    """Whether a side of a plot is free of the setback (decree article 86 (2)), surely or perhaps."""
    if neighbour is not None and neighbour.zone and neighbour.zone not in RESIDENTIAL:
        return Freed(True, False, "neighbour_zone")
    if plot.wide_road and params.district_plan == "yes":
        return Freed(True, False, "wide_road")
    if params.special_district:
        return Freed(False, True, "special_district")
    if plot.wide_road and params.district_plan == "unknown":
        return Freed(False, True, "plan_unknown")
    if neighbour is not None and not neighbour.zone:
        return Freed(False, True, "neighbour_zoning")
    if kind in ("unknown", "far"):
        return Freed(False, True, "neighbour_unknown")
    return Freed(False, False, "")


def turned_triangles(city: City, members: Sequence[int], turn: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Triangles (t, 3, 3) of buildings in turned coordinates, and the building of each."""
    parts = [city.bodies[body].triangles for body in members]
    triangles = np.concatenate(parts)
    plan = triangles[:, :, :2] @ turn.T
    body = np.repeat(np.array(members, dtype=np.int64), [len(part) for part in parts])
    return np.concatenate([plan, triangles[:, :, 2:]], axis=2), body


def back_turned(triangles: Floats, turn: Floats) -> Floats:
    """Triangles (t, 3, 3) from turned to local coordinates."""
    return np.concatenate([triangles[:, :, :2] @ turn, triangles[:, :, 2:]], axis=2)
