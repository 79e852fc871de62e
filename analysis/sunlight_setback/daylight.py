"""Windows and boundary (채광): parts of apartments no higher than a multiple of the distance ahead of their windows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.sunlight_setback.ahead import Strip, strips_ahead, turning
from analysis.sunlight_setback.declaration import SetbackParams
from analysis.sunlight_setback.facades import Wall
from analysis.sunlight_setback.findings import Finding, Findings
from analysis.sunlight_setback.limits import Place, beyond, cells_of, pieces_over, slope_bands, worst_places
from analysis.sunlight_setback.north import back_turned, turned_triangles
from analysis.sunlight_setback.plots import City, Plot
from analysis.sunlight_setback.rules import Rule, Rulebook
from geo.model import Feedback

Floats = NDArray[np.float64]

DWELLINGS = ("apartment", "multi_family")
STEEPER = ("neighbourhood_commercial", "semi_residential")
PARALLEL = 0.9998  # cosine: walls less than a degree apart look the same way


class Worst(NamedTuple):
    """The worst place of a building against one neighbour in one direction."""

    place: Place
    strip: Strip
    turn: Floats
    above: Floats


def judge_daylight(
    city: City,
    walls: dict[int, list[Wall]],
    params: SetbackParams,
    rules: Rulebook,
    found: Findings,
    feedback: Feedback,
) -> None:
    """Judge the apartments of all plots; `walls` of each building by its number."""
    multi = rules.rule("daylight", "multi_family_distance")
    for number, plot in enumerate(city.plots):
        homes = [body for body in plot.bodies if city.bodies[body].use in DWELLINGS]
        if plot.open or not homes:
            continue
        steeper = plot.zone in STEEPER
        name = "daylight_factor_commercial" if steeper else "daylight_factor"
        rule = rules.rule("daylight", name, getattr(params, name))
        for body in homes:
            feedback.step(number / len(city.plots), "windows and boundary")
            verdict, reason = _without_rule(plot)
            if verdict:
                found.add(_finding(city, plot, body, rule, verdict=verdict, reason=reason))
                continue
            for worst in _worst_of(city, plot, body, walls.get(body, []), rule.value):
                _note(city, plot, body, worst, (rule, multi), params, found)


def _without_rule(plot: Plot) -> tuple[str, str]:
    """Verdict and reason where the zone or the ground leaves no rule to judge by."""
    if not plot.zone:
        return "cannot_tell", "no_zoning"
    if plot.zone == "general_commercial":
        return "ok", "commercial"
    return ("", "") if np.isfinite(plot.level) else ("cannot_tell", "no_ground")


def _finding(city: City, plot: Plot, body: int, rule: Rule, *, verdict: str, reason: str, other: str = "") -> Finding:
    name = city.bodies[body].name
    return Finding(
        "daylight", name, other, plot.id, plot.zoning, verdict, reason, rule.article, rule.source, rule.verified
    )


def _worst_of(city: City, plot: Plot, body: int, walls: list[Wall], factor: float) -> list[Worst]:
    """The worst place against every neighbour, over all directions that windows look."""
    worst: dict[tuple[str, int], Worst] = {}
    for normal, bands in _directions([wall for wall in walls if wall.kind == "window"]):
        turn = turning(normal)
        triangles, owner = turned_triangles(city, [body], turn)
        strips = [s for band in bands for s in strips_ahead(plot.number, city.land, normal, halved=True, span=band)]
        neighbours = [city.plots[s.neighbour] if s.neighbour >= 0 else None for s in strips]
        levels = [ground_level(plot, other) for other in neighbours]
        cells, lines = cells_of(strips, slope_bands(factor), levels, plot.lowest)
        pieces = pieces_over(triangles, owner, cells, plot.lowest)
        names: dict[tuple[str, int], int] = {}
        group = [names.setdefault((s.kind, s.neighbour), len(names)) for s in strips]
        places = worst_places(pieces, cells, lines, levels, needed=lambda h: h / factor, group=group)
        above = beyond(pieces, cells)
        side = np.array(group)[[cells[c].strip for c in above.cell]] if len(above.cell) else above.cell
        for place in places:
            strip = strips[place.strip]
            key = (strip.kind, strip.neighbour)
            if key not in worst or place.shortage > worst[key].place.shortage:
                worst[key] = Worst(place, strip, turn, above.triangles[side == group[place.strip]])
    return list(worst.values())


def ground_level(plot: Plot, neighbour: Plot | None) -> float:
    """Height that the rule counts from [local m]: the mean of both plots, the plot's own where it lies lower.

    건축법 시행령 제119조제1항제5호나목 단서.
    """
    if neighbour is None or not np.isfinite(neighbour.level) or plot.level <= neighbour.level:
        return plot.level
    return (plot.level + neighbour.level) / 2


def _directions(walls: list[Wall]) -> list[tuple[Floats, list[tuple[float, float]]]]:
    """Directions that walls look, and the parts across each of them in front of a wall."""
    out: list[tuple[Floats, list[tuple[float, float]]]] = []
    for wall in walls:
        same = next((bands for normal, bands in out if float(normal @ wall.normal) > PARALLEL), None)
        if same is None:
            out.append((wall.normal, [(wall.start, wall.stop)]))
        else:
            same.append((wall.start, wall.stop))
    return [(normal, _united(bands)) for normal, bands in out]


def _united(bands: list[tuple[float, float]]) -> list[tuple[float, float]]:
    out: list[tuple[float, float]] = []
    for low, high in sorted(bands):
        if out and low <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return out


def _note(
    city: City,
    plot: Plot,
    body: int,
    worst: Worst,
    rules: tuple[Rule, Rule],
    params: SetbackParams,
    found: Findings,
) -> None:
    place, strip = worst.place, worst.strip
    other = city.plots[strip.neighbour].id if strip.neighbour >= 0 else ""
    broken = place.shortage > params.tolerance
    verdict, reason = _verdict(city, body, worst, rules[1], params) if broken else ("ok", "")
    start = place.point[:2] @ worst.turn
    end = np.array([place.point[0], strip.limit[0] * place.point[0] + strip.limit[1]]) @ worst.turn
    z = float(place.point[2])
    finding = _finding(city, plot, body, rules[0], verdict=verdict, reason=reason, other=other)
    found.add(
        Finding(
            *_texts(finding),
            place.measured,
            place.required,
            place.height,
            max(place.too_high, 0.0) if broken else 0.0,
            (float(start[0]), float(start[1]), z),
            (float(end[0]), float(end[1]), z),
        ),
        back_turned(worst.above, worst.turn) if broken else None,
    )


def _texts(finding: Finding) -> tuple[str, str, str, str, str, str, str, str, str, bool]:
    return (
        finding.rule,
        finding.building,
        finding.other,
        finding.plot,
        finding.zoning,
        finding.verdict,
        finding.reason,
        finding.article,
        finding.source,
        finding.verified,
    )


def _verdict(city: City, body: int, worst: Worst, multi: Rule, params: SetbackParams) -> tuple[str, str]:
    if params.special_district:
        return "needs_review", "special_district"
    if city.bodies[body].use == "multi_family" and worst.place.measured >= multi.value:
        return "needs_review", "multi_family"
    if worst.strip.kind in ("unknown", "far"):
        return "needs_review", "neighbour_unknown"
    return "breaks", ""
