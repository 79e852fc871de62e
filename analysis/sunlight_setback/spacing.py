"""Distances between the buildings of one plot (인동간격), decree article 86 (3) 2, letters 가 to 마."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.sunlight_setback.ahead import turning
from analysis.sunlight_setback.cutting import cut
from analysis.sunlight_setback.daylight import DWELLINGS
from analysis.sunlight_setback.declaration import SetbackParams
from analysis.sunlight_setback.facades import SOUTH_HALF, Wall, true_azimuth
from analysis.sunlight_setback.findings import Finding, Findings
from analysis.sunlight_setback.plots import City, Plot
from analysis.sunlight_setback.rules import Rule, Rulebook
from geo.model import Feedback

Floats = NDArray[np.float64]

FACING = 0.7  # cosine: walls that face one another are turned against each other by less than 45 degrees
AHEAD = 0.3  # [m] nearer than this is the wall itself
OVERLAP = 0.5  # [m] walls that share less across face no one
SAME_HEIGHT = 0.05  # [m]
RELEVANT = 2.0  # distances up to so many times what is asked for are listed
BETWEEN = 0.5  # [m] of a third building on the way: the two do not face one another


class Candidate(NamedTuple):
    """A wall and a part of another building in front of it. Distances and heights [m], points (3,) [local m]."""

    rule: str
    measured: float
    required: float
    height: float
    start: Floats
    stop: Floats


class Numbers(NamedTuple):
    """The numbers of the letters."""

    window: Rule
    opening: Rule
    opening_distance: Rule
    ancillary: Rule
    blank: Rule
    end: Rule
    which_height: Rule

    def of(self, rule: str) -> tuple[Rule, ...]:
        """The rules that a finding rests on."""
        return {
            "window": (self.window, self.which_height),
            "opening": (self.opening, self.opening_distance),
            "ancillary": (self.ancillary,),
            "blank": (self.blank,),
            "end": (self.end,),
        }[rule]


class Pair(NamedTuple):
    """Two buildings of a plot, or one with itself; `crown` and `outline` are of the second: triangles that look up.

    `crown` has the shape (t, 3, 3) [local m].
    """

    plot: Plot
    first: int
    second: int
    crown: Floats
    outline: object
    ancillary: bool
    opening: bool
    second_lower: bool


def numbers_of(params: SetbackParams, rules: Rulebook) -> Numbers:
    """The rules' numbers or the user's own."""
    window = rules.rule("spacing", "window_factor", params.window_factor)
    opening = rules.rule("spacing", "opening_factor", params.opening_factor)
    if params.urban_housing:
        window = opening = rules.rule("spacing", "window_factor_urban")
    return Numbers(
        window,
        opening,
        rules.rule("spacing", "opening_distance", params.opening_distance),
        rules.rule("spacing", "ancillary_factor", params.ancillary_factor),
        rules.rule("spacing", "blank_distance", params.blank_distance),
        rules.rule("spacing", "end_distance", params.end_distance),
        Rule(0.0, window.article, "", bool(rules.data["spacing"]["which_height"]["verified"])),
    )


def judge_spacing(
    city: City,
    walls: dict[int, list[Wall]],
    north: Floats,
    params: SetbackParams,
    rules: Rulebook,
    found: Findings,
    feedback: Feedback,
) -> None:
    """Judge all pairs of buildings of all plots with apartments; `north`: unit vector to true north [local]."""
    numbers = numbers_of(params, rules)
    for number, plot in enumerate(city.plots):
        homes = [body for body in plot.bodies if city.bodies[body].use in DWELLINGS]
        if plot.open or not homes or not np.isfinite(plot.level) or plot.zone == "general_commercial":
            continue
        known = [body for body in plot.bodies if body in homes or city.bodies[body].use_text]
        for body in set(plot.bodies) - set(known):
            name = city.bodies[body].name
            found.add(Finding("plot", name, "", plot.id, plot.zoning, "cannot_tell", "no_use", "", "", verified=True))
        crowns = {body: crown_of(city.bodies[body].triangles) for body in known}
        worst: dict[tuple[int, int, str], Candidate] = {}
        for first in homes:
            feedback.step(number / len(city.plots), "distances between buildings")
            for second in known:
                if first == second and city.bodies[first].model:
                    continue  # its railings, balconies and rooms face one another everywhere
                pair = _pair(city, plot, (first, second), crowns, walls, north)
                for candidate in _candidates(pair, walls, numbers):
                    key = (min(first, second), max(first, second), candidate.rule)
                    lack = candidate.required - candidate.measured
                    if key not in worst or lack > worst[key].required - worst[key].measured:
                        worst[key] = candidate
        for (first, second, _), candidate in sorted(worst.items()):
            _note(city, plot, (first, second), candidate, numbers, params, found)


def crown_of(triangles: Floats) -> Floats:
    """The triangles that look up: with them the corners that decide; all where none does."""
    cross = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])[:, 2]
    return triangles[cross > 1e-6] if (cross > 1e-6).any() else triangles


def _pair(
    city: City,
    plot: Plot,
    bodies: tuple[int, int],
    crowns: dict[int, Floats],
    walls: dict[int, list[Wall]],
    north: Floats,
) -> Pair:
    """What the letters ask of two buildings: which is lower, and whether the main openings of the higher face it."""
    first, second = bodies
    tops = [float(crowns[body][:, :, 2].max()) for body in bodies]
    second_lower = tops[1] < tops[0] - SAME_HEIGHT
    ancillary = city.bodies[second].use == "ancillary"
    opening = False
    if first != second and not ancillary and abs(tops[0] - tops[1]) > SAME_HEIGHT:
        high, low = bodies if second_lower else bodies[::-1]
        opening = _opens_to(city, high, low, walls.get(high, []), north)
    outline = city.bodies[second].outline
    return Pair(plot, first, second, crowns[second], outline, ancillary, opening, second_lower)


def _opens_to(city: City, high: int, low: int, walls: Sequence[Wall], north: Floats) -> bool:
    """Whether a lower building lies in the south half around a higher one and main openings of that look at it."""
    import shapely

    middle = [shapely.get_coordinates(shapely.centroid(city.bodies[b].outline))[0] for b in (high, low)]
    way = middle[1] - middle[0]
    if not SOUTH_HALF[0] <= true_azimuth(way, north) <= SOUTH_HALF[1]:
        return False
    unit = way / max(float(np.hypot(*way)), 1e-9)
    return any(wall.kind == "window" and wall.south and float(wall.normal @ unit) > FACING for wall in walls)


def _candidates(pair: Pair, walls: dict[int, list[Wall]], numbers: Numbers) -> Iterator[Candidate]:
    if pair.first == pair.second:
        yield from _within(pair, walls.get(pair.first, []), numbers)
        return
    for wall in walls.get(pair.first, []):
        if wall.kind == "window" or pair.ancillary:
            yield from _in_front(pair, wall, numbers)
        else:
            yield from _beside(pair, wall, walls.get(pair.second, []), numbers)


def _in_front(pair: Pair, wall: Wall, numbers: Numbers) -> Iterator[Candidate]:
    """The part of the other building square in front of a wall that comes nearest to breaking the rule."""
    turn = turning(wall.normal)
    plan = pair.crown[:, :, :2] @ turn.T
    ahead = (plan[:, :, 1].max(axis=1) > wall.offset + AHEAD) & (plan[:, :, 0].max(axis=1) > wall.start)
    ahead &= plan[:, :, 0].min(axis=1) < wall.stop
    if not ahead.any():
        return
    parts = np.concatenate([plan[ahead], pair.crown[ahead][:, :, 2:]], axis=2)
    for plane in ((1.0, 0.0, 0.0, -wall.start), (-1.0, 0.0, 0.0, wall.stop), (0.0, 1.0, 0.0, -wall.offset - AHEAD)):
        parts, _ = cut(parts, np.tile(plane, (len(parts), 1)))
    if len(parts) == 0 or np.ptp(parts[:, :, 0]) < OVERLAP:
        return
    corners = parts.reshape(-1, 3)
    distance = corners[:, 1] - wall.offset
    height = corners[:, 2] - pair.plot.level
    rule, required, counted = _required(pair, wall, height, numbers)
    worst = int(np.argmax(np.round(required - distance, 9)))
    stop = corners[worst]
    start = np.array([stop[0], wall.offset])
    yield Candidate(
        rule,
        float(distance[worst]),
        float(required[worst]),
        float(counted[worst]),
        np.append(start @ turn, stop[2]),
        np.append(stop[:2] @ turn, stop[2]),
    )


def _required(pair: Pair, wall: Wall, height: Floats, numbers: Numbers) -> tuple[str, Floats, Floats]:
    """Letter, distance asked for [m] and height that counts [m], for parts of the other building."""
    own = np.full(len(height), wall.top - pair.plot.level)
    if pair.ancillary:
        return "ancillary", numbers.ancillary.value * height, height
    if pair.opening:
        lower = height if pair.second_lower else own
        return "opening", np.maximum(numbers.opening_distance.value, numbers.opening.value * lower), lower
    counted = np.maximum(height, own)
    return "window", numbers.window.value * counted, counted


def _beside(pair: Pair, wall: Wall, others: Sequence[Wall], numbers: Numbers) -> Iterator[Candidate]:
    """End walls and walls without windows that face one another."""
    for other in others:
        kinds = {wall.kind, other.kind}
        if "window" in kinds or kinds == {"blank"} or float(wall.normal @ other.normal) > -FACING:
            continue
        met = _opposite(wall, other)
        if met is None:
            continue
        rule = "end" if kinds == {"end"} else "blank"
        required = (numbers.end if rule == "end" else numbers.blank).value
        height = min(wall.top, other.top) - pair.plot.level
        start, stop = (np.append(point, min(wall.top, other.top)) for point in met[1:])
        yield Candidate(rule, met[0], required, height, start, stop)


def _within(pair: Pair, walls: Sequence[Wall], numbers: Numbers) -> Iterator[Candidate]:
    """Parts of one building that face one another across open ground, with windows on one side at least."""
    import shapely

    for wall in walls:
        for other in walls:
            if wall.kind != "window" or float(wall.normal @ other.normal) > -FACING:
                continue
            met = _opposite(wall, other)
            if met is None:
                continue
            middle = (met[1] + met[2]) / 2
            if shapely.contains_xy(pair.outline, *middle):
                continue
            height = max(wall.top, other.top) - pair.plot.level
            z = min(wall.top, other.top)
            required = numbers.window.value * height
            yield Candidate("window", met[0], required, height, np.append(met[1], z), np.append(met[2], z))


def _opposite(wall: Wall, other: Wall) -> tuple[float, Floats, Floats] | None:
    """Least distance square in front of a wall to another wall, and its two ends; None where it is not ahead."""
    turn = turning(wall.normal)
    along = np.array([other.normal[1], -other.normal[0]])
    ends = np.array([other.normal * other.offset + along * t for t in (other.start, other.stop)]) @ turn.T
    a, b = ends[np.argsort(ends[:, 0], kind="stable")]
    low, high = max(wall.start, a[0]), min(wall.stop, b[0])
    if high - low < OVERLAP:
        return None
    x = np.array([low, high])
    y = a[1] + (x - a[0]) / (b[0] - a[0]) * (b[1] - a[1])
    nearest = int(np.argmin(y))
    distance = float(y[nearest] - wall.offset)
    if distance <= AHEAD:
        return None
    return distance, np.array([x[nearest], wall.offset]) @ turn, np.array([x[nearest], y[nearest]]) @ turn


def _note(
    city: City,
    plot: Plot,
    bodies: tuple[int, int],
    candidate: Candidate,
    numbers: Numbers,
    params: SetbackParams,
    found: Findings,
) -> None:
    if candidate.measured > RELEVANT * candidate.required or _third_between(city, plot, bodies, candidate):
        return
    rules = numbers.of(candidate.rule)
    verdict, reason = "ok", ""
    if candidate.required - candidate.measured > params.tolerance:
        verdict, reason = _verdict(city, plot, candidate, params)
    elif not plot.zone:
        verdict, reason = "cannot_tell", "no_zoning"
    names = [city.bodies[body].name for body in bodies]
    start, stop = (tuple(float(value) for value in point) for point in (candidate.start, candidate.stop))
    found.add(
        Finding(
            candidate.rule, names[0], names[1], plot.id, plot.zoning, verdict, reason, rules[0].article,
            rules[0].source, all(rule.verified for rule in rules), candidate.measured, candidate.required,
            candidate.height, 0.0, start, stop,  # type: ignore[arg-type]
        )
    )  # fmt: skip


def _third_between(city: City, plot: Plot, bodies: tuple[int, int], candidate: Candidate) -> bool:
    """Whether a third building as high as the lower of the two stands between them: then they do not face."""
    import shapely

    line = shapely.linestrings([candidate.start[:2], candidate.stop[:2]])
    lower = min(_top_of(city, body) for body in bodies) - SAME_HEIGHT
    others = [body for body in plot.bodies if body not in bodies and _top_of(city, body) >= lower]
    outlines = [city.bodies[body].outline for body in others]
    return bool(outlines) and bool((shapely.length(shapely.intersection(line, outlines)) > BETWEEN).any())


def _top_of(city: City, body: int) -> float:
    return float(city.bodies[body].triangles[:, :, 2].max())


def _verdict(city: City, plot: Plot, candidate: Candidate, params: SetbackParams) -> tuple[str, str]:
    if not plot.zone:
        return "cannot_tell", "no_zoning"
    if params.special_district:
        return "needs_review", "special_district"
    middle = (candidate.start[:2] + candidate.stop[:2]) / 2
    if candidate.rule in ("window", "opening", "ancillary") and city.land.on_open_land(middle[None])[0]:
        return "needs_review", "estate_road"
    return "breaks", "alternative"
