"""The verdict on every window, before and after, who took its sun, and whether the verdict hangs on a small change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.windows import grid_of_points
from analysis.sunlight_rights.blame import NOBODY, OWN, SEVERAL, Blame, Blockers, blame_of, blockers_of
from analysis.sunlight_rights.declaration import RightsParams
from analysis.sunlight_rights.obstacles import Obstacles
from analysis.sunlight_rights.rules import Rules
from analysis.sunlight_rights.timeline import Clock, Light, Spell, light_of, spell_of
from analysis.sunlight_rights.windows import Windows
from geo.model import Feedback

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

BLOCK = 2048  # windows at a time: a million states
CENTRE = np.zeros(2)


class Takings(NamedTuple):
    """Hours that buildings took, one entry per window and building.

    Attributes
    ----------
    window, building : (k,) int64
    alone : (k,) float [h]
        Taken by this building alone.
    joint : (k,) float [h]
        Taken together with others: counted for each of them.
    frees : (k,) bool
        The window fails, and would pass without this building.
    """

    window: Indices
    building: Indices
    alone: Floats
    joint: Floats
    frees: Bools


class Judgement(NamedTuple):
    """What was found for windows (n).

    Attributes
    ----------
    now, before : Spell
        With everything; without the new project (the same where there is none).
    passes, passed : (n,) bool
        Now, and before.
    new : (n,) bool
        Windows of the new project itself, which have no state before.
    away, own, alone, joint : (n,) float [h]
        The hours without sun: behind the window or below the horizon; own building; one other building; several.
    only_own : (n,) float [h]
        Part of `own` that nothing else blocks.
    lost_alone, lost_joint : (n,) float [h]
        Hours that the new project takes, by one of its buildings or by several; their sum is before minus now.
    together : (n,) bool
        Passed before, fails now, yet would pass with any one of the new buildings alone (공동불법행위).
    flips : (3, n) bool
        Another verdict when the hours, the height of the point, or north change a little.
    agree : (n,) float
        Share of the points of the window with the verdict of its centre.
    taken, lost : Takings
        Per building: of all the sun, and of what the new project took.
    """

    now: Spell
    before: Spell
    passes: Bools
    passed: Bools
    new: Bools
    away: Floats
    own: Floats
    alone: Floats
    joint: Floats
    only_own: Floats
    lost_alone: Floats
    lost_joint: Floats
    together: Bools
    flips: Bools
    agree: Floats
    taken: Takings
    lost: Takings


def judge(
    windows: Windows, obstacles: Obstacles, clock: Clock, rules: Rules, params: RightsParams, feedback: Feedback
) -> Judgement:
    """Judge all windows, some at a time."""
    count = len(windows.id)
    parts = []
    for low in range(0, count, BLOCK):
        share = feedback.part(low / count, min(low + BLOCK, count) / count)
        block = windows.kept(slice(low, min(low + BLOCK, count)))
        parts.append(_shifted(_judge_block(block, obstacles, clock, rules, params, share), low))
    return _joined(parts)


def _judge_block(
    windows: Windows, obstacles: Obstacles, clock: Clock, rules: Rules, params: RightsParams, feedback: Feedback
) -> Judgement:
    starts, normals = windows.starts(CENTRE), windows.normal
    light = light_of(obstacles.now, starts, normals, clock, feedback.part(0.0, 0.1))
    old = light
    if obstacles.before is not None:
        old = light_of(obstacles.before, starts, normals, clock, feedback.part(0.1, 0.2))
    now, before = spell_of(light.lit, light.edge, rules), spell_of(old.lit, old.edge, rules)
    passes, passed = now.passes(rules), before.passes(rules)
    flips = _flips(windows, obstacles, clock, rules, now, feedback.part(0.2, 0.5))
    agree = _agreement(windows, obstacles, clock, rules, params, passes, feedback.part(0.5, 0.6))
    shade = _Shade(windows, obstacles, clock, light, feedback.part(0.6, 1.0))
    hours = shade.hours()
    is_new = obstacles.new[windows.building]
    lost_pieces = _lost_pieces(light, old) * ~is_new[:, None]
    lost_alone, lost_joint, lost = shade.lost(lost_pieces, ~passes & passed & ~is_new, rules)
    return Judgement(
        now=now,
        before=before,
        passes=passes,
        passed=passed,
        new=is_new,
        away=(light.length * ~light.front).sum(axis=1),
        own=hours[OWN],
        alone=hours[NOBODY],
        joint=hours[SEVERAL],
        only_own=shade.only_own(),
        lost_alone=lost_alone,
        lost_joint=lost_joint,
        together=shade.together(~passes & passed & ~is_new, rules),
        flips=flips,
        agree=agree,
        taken=shade.takings(~passes, rules),
        lost=lost,
    )


def _flips(windows: Windows, obstacles: Obstacles, clock: Clock, rules: Rules, now: Spell, feedback: Feedback) -> Bools:
    """(3, n) whether the verdict changes with the hours, the height of the point, or north."""
    starts, normals, passes = windows.starts(CENTRE), windows.normal, now.passes(rules)
    extra = rules.time / 60.0
    by_time = (now.passes(rules, extra=extra) != passes) | (now.passes(rules, extra=-extra) != passes)
    other = []
    up = np.array([0.0, 0.0, rules.height])
    moved = [(starts + up, clock), (starts - up, clock)]
    moved += [(starts, clock.turned(rules.north)), (starts, clock.turned(-rules.north))]
    for number, (points, day) in enumerate(moved):
        light = light_of(obstacles.now, points, normals, day, feedback.part(number / 4, (number + 1) / 4))
        other.append(spell_of(light.lit, light.edge, rules).passes(rules) != passes)
    return np.stack([by_time, other[0] | other[1], other[2] | other[3]])


def _agreement(
    windows: Windows,
    obstacles: Obstacles,
    clock: Clock,
    rules: Rules,
    params: RightsParams,
    passes: Bools,
    feedback: Feedback,
) -> Floats:
    """(n,) share of the points of each window that have the verdict of its centre."""
    spots = grid_of_points(int(params.points))
    agree = np.ones(len(passes))
    for number, spot in enumerate(spots[1:]):
        share = feedback.part(number / len(spots), (number + 1) / len(spots))
        light = light_of(obstacles.now, windows.starts(spot), windows.normal, clock, share)
        agree += spell_of(light.lit, light.edge, rules).passes(rules) == passes
    return np.asarray(agree / len(spots))


def _lost_pieces(light: Light, old: Light) -> Floats:
    """(n, t) hours of sun of each mark's piece that the new project took; their sum is before minus now."""
    return np.asarray(old.length * old.lit - light.length * light.lit)


class _Shade:
    """The shade of a block of windows now: for every piece of it, the buildings that would each alone make it."""

    def __init__(self, windows: Windows, obstacles: Obstacles, clock: Clock, light: Light, feedback: Feedback) -> None:
        self.light, self.obstacles = light, obstacles
        self.window, self.mark = np.nonzero(light.front & ~light.lit)
        starts = windows.starts(CENTRE)[self.window]
        self.blockers = blockers_of(obstacles.now, obstacles.building, starts, clock.towards[self.mark], feedback)
        self.own = windows.building
        self.blame: Blame = blame_of(self.blockers, self.own[self.window])
        self.length = light.length[self.window, self.mark]

    def _sum(self, which: Bools) -> Floats:
        return np.bincount(self.window[which], self.length[which], len(self.own)).astype(np.float64)

    def hours(self) -> dict[int, Floats]:
        """Hours (n,) by OWN, SEVERAL and, under NOBODY, one other building."""
        taker = self.blame.taker
        return {OWN: self._sum(taker == OWN), SEVERAL: self._sum(taker == SEVERAL), NOBODY: self._sum(taker >= NOBODY)}

    def only_own(self) -> Floats:
        """(n,) hours that the own building alone blocks."""
        return self._sum(self.blame.only_own)

    def takings(self, failing: Bools, rules: Rules) -> Takings:
        """Hours of every building per window."""
        alone, joint = self._shares(self.blockers, self.blame.taker, self.length)
        return self._takings(alone, joint, failing, rules)

    def lost(self, pieces: Floats, failing: Bools, rules: Rules) -> tuple[Floats, Floats, Takings]:
        """Hours lost to the new project by one building and by several (n,), and per building.

        A piece in the shade of new buildings belongs to them. What an edge has moved within a lit piece is a sliver
        of less than a step: it goes to the nearest shade of new buildings on that window.
        """
        mine = self.blockers.among(self.obstacles.new)
        taker = blame_of(mine, np.full(len(self.window), NOBODY)).taker
        weight, rest = self._with_slivers(pieces, taker != NOBODY)
        n = len(self.own)
        one, many = taker >= 0, taker == SEVERAL
        alone, joint = self._shares(mine, taker, weight)
        return (
            np.bincount(self.window[one], weight[one], n).astype(np.float64),
            np.bincount(self.window[many], weight[many], n) + rest,
            self._takings(alone, joint, failing, rules),
        )

    def _with_slivers(self, pieces: Floats, of_new: Bools) -> tuple[Floats, Floats]:
        """(k,) hours lost per piece of shade with the slivers nearest to it, and (n,) those of windows without any."""
        number = np.full(pieces.shape, -1, dtype=np.int64)
        number[self.window[of_new], self.mark[of_new]] = np.flatnonzero(of_new)
        weight = np.where(of_new, pieces[self.window, self.mark], 0.0)
        window, mark = np.nonzero((number < 0) & (pieces != 0.0))
        sliver = pieces[window, mark]
        marks = np.arange(pieces.shape[1])
        left = np.maximum.accumulate(np.where(number >= 0, marks, -1), axis=1)[window, mark]
        right = np.minimum.accumulate(np.where(number >= 0, marks, len(marks))[:, ::-1], axis=1)[:, ::-1][window, mark]
        nearer = np.where((left >= 0) & ((right == len(marks)) | (mark - left <= right - mark)), left, right)
        found = nearer < len(marks)
        weight += np.bincount(number[window[found], nearer[found]], sliver[found], len(weight))
        return weight, np.bincount(window[~found], sliver[~found], len(pieces)).astype(np.float64)

    def _shares(self, blockers: Blockers, taker: Indices, weight: Floats) -> tuple[_Sums, _Sums]:
        """Hours per (window, building): alone, and together with others."""
        span = len(self.obstacles.new)
        one = taker >= 0
        alone = _summed(self.window[one] * span + taker[one], weight[one])
        several = taker[blockers.ray] == SEVERAL
        ray = blockers.ray[several]
        return alone, _summed(self.window[ray] * span + blockers.building[several], weight[ray])

    def _takings(self, alone: _Sums, joint: _Sums, failing: Bools, rules: Rules) -> Takings:
        span = len(self.obstacles.new)
        key = np.union1d(alone.key[alone.value != 0.0], joint.key[joint.value != 0.0])
        taker = np.full(self.light.lit.shape, NOBODY, dtype=np.int64)
        taker[self.window, self.mark] = self.blame.taker
        window, building = key // span, key % span
        frees = np.zeros(len(key), dtype=bool)
        ask = np.flatnonzero(failing[window] & np.isin(key, alone.key))
        for low in range(0, len(ask), BLOCK):
            some = ask[low : low + BLOCK]
            row = window[some]
            lit = self.light.lit[row] | (taker[row] == building[some, None])
            frees[some] = spell_of(lit, self.light.edge[row], rules).passes(rules)
        return Takings(window, building, alone.of(key), joint.of(key), frees)

    def together(self, newly_failing: Bools, rules: Rules) -> Bools:
        """(n,) windows that only several new buildings together make fail."""
        out = np.zeros(len(self.own), dtype=bool)
        new = self.obstacles.new
        ray, building = self.blockers
        concerned = newly_failing[self.window[ray]]
        old_dark = np.zeros(len(self.window), dtype=bool)
        old_dark[ray[~new[building]]] = True
        suspects = np.unique(building[concerned & new[building]])
        out[newly_failing] = len(suspects) > 1
        for suspect in suspects:
            dark = old_dark.copy()
            dark[ray[building == suspect]] = True
            rows = np.flatnonzero(out)
            if len(rows) == 0:
                break
            lit = self.light.front.copy()
            lit[self.window[dark], self.mark[dark]] = False
            out[rows] = spell_of(lit[rows], self.light.edge[rows], rules).passes(rules)
        return out


class _Sums(NamedTuple):
    """Sums by key, sorted by key."""

    key: Indices
    value: Floats

    def of(self, keys: Indices) -> Floats:
        """Sums of some keys; 0 where there is none."""
        if len(self.key) == 0:
            return np.zeros(len(keys))
        place = np.minimum(np.searchsorted(self.key, keys), len(self.key) - 1)
        return np.asarray(np.where(self.key[place] == keys, self.value[place], 0.0))


def _summed(key: Indices, value: Floats) -> _Sums:
    unique, place = np.unique(key, return_inverse=True)
    return _Sums(unique, np.bincount(place.reshape(-1), value, len(unique)).astype(np.float64))


def _shifted(part: Judgement, first: int) -> Judgement:
    """The same with windows numbered from `first`."""
    return part._replace(
        taken=part.taken._replace(window=part.taken.window + first),
        lost=part.lost._replace(window=part.lost.window + first),
    )


def _joined(parts: list[Judgement]) -> Judgement:
    """Blocks of windows as one."""

    def join(values: Iterator[object]) -> object:
        listed = list(values)
        first = listed[0]
        if isinstance(first, (Spell, Takings)):
            return type(first)(*(join(iter(column)) for column in zip(*listed, strict=True)))  # type: ignore[arg-type]
        return np.concatenate(listed, axis=-1)  # type: ignore[arg-type]

    return Judgement(*(join(iter(column)) for column in zip(*parts, strict=True)))  # type: ignore[arg-type]
