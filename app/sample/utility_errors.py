"""Errors planted in the sample's registers and maps, of every sort that the truth checks look for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Point
from shapely.ops import nearest_points

from app.sample.plan import Ground, Plan
from app.sample.utility_mains import on_ground
from app.sample.utility_names import GRAVITY
from app.sample.utility_plan import KINDS, Pipe, Underground
from app.sample.utility_sewers import SIZES
from app.sample.utility_streets import RANK

Floats = NDArray[np.float64]
APART = 30.0  # [m] between two spoilt pipes, so that one error does not hide another
NOWHERE = 999  # written in registers for "not known"
SLIP = 10.0  # a decimal point in the wrong place
SHALLOW = {"telecom": 0.7, "power": 0.7, "gas": 0.85, "water": 0.9}  # [m] under a street that asks for 1.0 or 1.2
ABOVE = 0.3  # [m] of a floating pipe's top above the ground
LEAST_FALL, MOST_FALL = 0.12, 0.4  # [m] of a sewer whose inverts are exchanged
TWICE = 0.03  # [m] between a pipe and the same pipe drawn again
DETOUR = 12.0  # [m] to either side of its middle in which a misplaced pipe leaves its course
BEHIND_WALL = 6.0  # [m] that a misplaced pipe runs into a building
BESIDE = 14.0  # [m] from the edge of the street to where a misplaced pipe runs
COUNT = {
    "empty": 5, "nowhere": 3, "no_row": 4, "slip": 6, "slip_low": 4, "centimetres": 4, "millimetres": 2,
    "cover_low": 8, "floating": 6, "uphill": 8, "shrinks": 6, "duplicate": 6, "separation": 8, "crosses_building": 6,
    "outside_road": 6,
}  # fmt: skip


def plant(underground: Underground, plan: Plan, ground: Ground, seed: int) -> None:
    """Spoil a known set of pipes and list them in `underground.planted`."""
    planting = _Planting(underground, plan, ground, seed)
    for case in (
        planting.misplaced, planting.clashing, planting.floating, planting.uphill, planting.thin, planting.twice,
        planting.depths, planting.shallow,
    ):  # fmt: skip
        case()
    underground.planted.sort(key=lambda entry: (entry["check"], entry["id"]))


class _Planting:
    """The pipes, which of them are spoilt already, and where."""

    def __init__(self, underground: Underground, plan: Plan, ground: Ground, seed: int) -> None:
        self.underground, self.plan, self.ground = underground, plan, ground
        self.rng = np.random.default_rng([seed, 9])
        mains = [pipe for pipe in underground.pipes if pipe.role == "main"]
        self.mains = [mains[k] for k in self.rng.permutation(len(mains))]
        self.spoilt: list[LineString] = []

    def take(self, count: int, spoil: Callable[[Pipe], str], which: Callable[[Pipe], bool], check: str) -> None:
        """Spoil the first so many pipes that fit, kinds in turn; `spoil` says what it did, or nothing if it cannot."""
        done = 0
        for pipe in _in_turn(pipe for pipe in self.mains if which(pipe)):
            if done == count:
                return
            line = LineString(pipe.points)
            if any(line.distance(other) < APART for other in self.spoilt):
                continue
            what = spoil(pipe)
            if what:
                done += 1
                self.spoilt.append(line)
                entry = {"id": pipe.id, "utility": pipe.utility, "check": check, "what": what}
                self.underground.planted.append(entry)

    # Depths in the register

    def depths(self) -> None:
        """Missing, in another unit, or with a slip of the decimal point."""
        self.take(COUNT["empty"], _empty, _is_covered, "depth_missing")
        self.take(COUNT["nowhere"], _nowhere, _is_covered, "depth_missing")
        self.take(COUNT["no_row"], _without_row, _is_covered, "depth_missing")
        deep, shallow = ("telecom", "power", "water", "gas"), ("telecom", "water", "power", "gas")
        self.take(COUNT["slip"], _times(SLIP, "ten times too deep"), _of(deep), "depth_range")
        self.take(COUNT["slip_low"], _times(1 / SLIP, "ten times too shallow"), _of(shallow), "depth_range")
        self.take(COUNT["centimetres"], _times(100, "in centimetres"), _is_covered, "depth_range")
        self.take(COUNT["millimetres"], _times(1000, "in millimetres"), _is_covered, "depth_range")

    def shallow(self) -> None:
        """A cover under what the street asks for."""

        def spoil(pipe: Pipe) -> str:
            cover = SHALLOW[pipe.utility]
            _say(pipe, (cover, cover))
            return f"cover {cover} m in the register"

        self.take(COUNT["cover_low"], spoil, lambda pipe: pipe.utility in SHALLOW and pipe.width > 8.0, "cover_low")

    # Inverts and sizes of sewers

    def floating(self) -> None:
        """Inverts at the ground."""

        def spoil(pipe: Pipe) -> str:
            level = self.ground.sample(pipe.points[:, 0], pipe.points[:, 1]) + ABOVE - pipe.diameter
            pipe.said |= {"SBK_ALT": round(float(level[0]), 3), "SBL_ALT": round(float(level[-1]), 3)}
            return f"inverts that put its top {ABOVE} m above the ground"

        self.take(COUNT["floating"], spoil, lambda p: p.utility in GRAVITY and _length(p) > 12.0, "floating")

    def uphill(self) -> None:
        """Inverts of the two ends exchanged."""

        def spoil(pipe: Pipe) -> str:
            first, last = pipe.inverts or (0.0, 0.0)
            pipe.said |= {"SBK_ALT": round(last, 3), "SBL_ALT": round(first, 3)}
            return "inverts of its two ends exchanged"

        def fits(pipe: Pipe) -> bool:
            return pipe.inverts is not None and LEAST_FALL < pipe.inverts[0] - pipe.inverts[1] < MOST_FALL

        self.take(COUNT["uphill"], spoil, fits, "uphill")

    def thin(self) -> None:
        """A diameter less than that of the pipe above."""
        above: dict[tuple[str, float, float], float] = {}
        for pipe in self.mains:
            if pipe.utility in GRAVITY:
                key = _end(pipe, -1)
                above[key] = max(above.get(key, 0.0), pipe.diameter)

        def spoil(pipe: Pipe) -> str:
            smaller = max(size for _, size in SIZES[pipe.utility] if size < pipe.diameter)
            pipe.said["PIP_DIP"] = round(smaller * 1000)
            return f"diameter {smaller * 1000:.0f} mm instead of {pipe.diameter * 1000:.0f} mm"

        def fits(pipe: Pipe) -> bool:
            key = _end(pipe, 0)
            least = SIZES[pipe.utility][0][1] if pipe.utility in GRAVITY else np.inf
            return pipe.diameter > least and above.get(key, 0.0) >= pipe.diameter

        self.take(COUNT["shrinks"], spoil, fits, "shrinks")

    # The map

    def twice(self) -> None:
        """A pipe that the map shows again, under another id."""
        copies: list[Pipe] = []

        def spoil(pipe: Pipe) -> str:
            way = pipe.points[-1] - pipe.points[0]
            aside = np.array([-way[1], way[0]]) / np.hypot(*way) * TWICE
            name = self.underground.name(KINDS[pipe.utility].prefix)
            copies.append(dataclasses.replace(pipe, id=name, points=np.round(pipe.points + aside, 3), said={}))
            return f"drawn a second time as {name}"

        self.take(COUNT["duplicate"], spoil, lambda p: _is_covered(p) and _length(p) > 20.0, "duplicate")
        self.underground.pipes += copies

    def misplaced(self) -> None:
        """Pipes drawn through a building, and pipes drawn beside the street."""
        houses = shapely.STRtree([building.form.polygon for building in self.plan.buildings])
        streets = shapely.union_all(
            [s.line.buffer(s.width / 2 + 1.0) for s in self.plan.streets if s.kind in (*RANK, "brt")]
        )

        def under(pipe: Pipe) -> str:
            middle = LineString(pipe.points).interpolate(0.5, normalized=True)
            wall = nearest_points(middle, houses.geometries[houses.nearest(middle)])[1]
            away = middle.distance(wall)
            if not 3.0 < away < 20.0:
                return ""
            way = (np.array(wall.coords[0]) - middle.coords[0]) / away
            course = _detour(pipe, np.array(middle.coords[0]) + way * (away + BEHIND_WALL))
            house = houses.geometries[houses.nearest(middle)]
            if LineString(course).intersection(house).length < BEHIND_WALL:
                return ""
            pipe.points = on_ground(course, self.ground)
            return "drawn through a building"

        def beside(pipe: Pipe) -> str:
            middle = LineString(pipe.points).interpolate(0.5, normalized=True)
            way = pipe.points[-1] - pipe.points[0]
            aside = np.array([-way[1], way[0]]) / np.hypot(*way)
            for side in (aside, -aside):
                course = _detour(pipe, np.array(middle.coords[0]) + side * (pipe.width / 2 + BESIDE))
                line = LineString(course)
                if line.difference(streets).length > DETOUR and not len(houses.query(line.buffer(2.0), "intersects")):
                    pipe.points = on_ground(course, self.ground)
                    return "drawn outside the road"
            return ""

        def fits(pipe: Pipe) -> bool:
            return pipe.utility in ("water", "gas", "telecom", "power", "heat") and _length(pipe) > 3 * DETOUR

        self.take(COUNT["crosses_building"], under, fits, "crosses_building")
        self.take(COUNT["outside_road"], beside, fits, "outside_road")

    def clashing(self) -> None:
        """Depths by which a pipe runs into another that it crosses."""
        targets = {"gas": "power", "water": "gas", "heat": "water"}
        trees = {}
        for utility in targets.values():
            pipes = [pipe for pipe in self.mains if pipe.utility == utility]
            trees[utility] = (shapely.STRtree([LineString(pipe.points) for pipe in pipes]), pipes)

        def spoil(pipe: Pipe) -> str:
            tree, pipes = trees[targets[pipe.utility]]
            line = LineString(pipe.points)
            for row in tree.query(line, predicate="crosses"):
                other, place = pipes[row], line.intersection(tree.geometries[row])
                ends = [Point(p) for q in (pipe, other) for p in (q.points[0], q.points[-1])]
                if other.covers is None or min(place.distance(end) for end in ends) < 1.0:
                    continue
                cover = round(sum(other.covers) / 2 + 0.05, 2)
                _say(pipe, (cover, cover))
                return f"cover {cover} m, at which it meets {other.id} ({other.utility})"
            return ""

        self.take(COUNT["separation"], spoil, lambda pipe: pipe.utility in targets, "separation")


def _in_turn(pipes: Iterable[Pipe]) -> list[Pipe]:
    """Pipes with their utilities in turn, so that errors are spread over all."""
    by: dict[str, list[Pipe]] = {}
    for pipe in pipes:
        by.setdefault(pipe.utility, []).append(pipe)
    ranked = [(place, utility, pipe) for utility, mine in by.items() for place, pipe in enumerate(mine)]
    return [pipe for _, _, pipe in sorted(ranked, key=lambda item: item[:2])]


def _end(pipe: Pipe, which: int) -> tuple[str, float, float]:
    return pipe.utility, float(pipe.points[which, 0]), float(pipe.points[which, 1])


def _is_covered(pipe: Pipe) -> bool:
    return pipe.covers is not None


def _of(utilities: tuple[str, ...]) -> Callable[[Pipe], bool]:
    return lambda pipe: pipe.utility in utilities


def _length(pipe: Pipe) -> float:
    return float(LineString(pipe.points).length)


def _say(pipe: Pipe, covers: tuple[float, float]) -> None:
    pipe.said |= {"LOW_DEP": round(min(covers), 3), "HGH_DEP": round(max(covers), 3)}


def _empty(pipe: Pipe) -> str:
    pipe.said |= {"LOW_DEP": None, "HGH_DEP": None}
    return "no depth in the register"


def _nowhere(pipe: Pipe) -> str:
    pipe.said |= {"LOW_DEP": NOWHERE, "HGH_DEP": NOWHERE}
    return f"depth {NOWHERE} in the register"


def _without_row(pipe: Pipe) -> str:
    pipe.listed = False
    return "no row in the register"


def _times(factor: float, word: str) -> Callable[[Pipe], str]:
    def spoil(pipe: Pipe) -> str:
        first, last = pipe.covers or (0.0, 0.0)
        _say(pipe, (first * factor, last * factor))
        return f"depth {word} in the register"

    return spoil


def _detour(pipe: Pipe, apex: Floats) -> Floats:
    """A course that leaves the pipe's own on both sides of its middle and runs over a place (2,)."""
    line = LineString(pipe.points)
    half = line.length / 2
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(pipe.points, axis=0).T))])
    out, back = (np.array(line.interpolate(at).coords[0]) for at in (half - DETOUR, half + DETOUR))
    before, after = pipe.points[along < half - DETOUR], pipe.points[along > half + DETOUR]
    return np.vstack([before, out, apex, back, after])
