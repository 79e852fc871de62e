"""The right to sunlight while a building is dragged: which windows lose how many minutes, by whose fault.

A window is judged anew only when one of its rays can meet the building at its old or its new place; the judgement of
all others is kept. Those judged anew go through the very functions of the full study, so the result is the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Result
from analysis.kernels import sun
from analysis.kernels.swept import can_meet
from analysis.sunlight.city import mesh_of
from analysis.sunlight.live_scene import Meshes, Split, placed, splits_of
from analysis.sunlight_rights.declaration import RightsInputs, RightsParams
from analysis.sunlight_rights.judge import CENTRE, Judgement, judge
from analysis.sunlight_rights.live_judge import merged, nothing_of, same_names, same_windows
from analysis.sunlight_rights.live_obstacles import MovingObstacles, blocking_layers
from analysis.sunlight_rights.live_outcome import full_run, outcome_of
from analysis.sunlight_rights.obstacles import Obstacles
from analysis.sunlight_rights.outcome import worst
from analysis.sunlight_rights.rules import rules
from analysis.sunlight_rights.timeline import Clock, clock_of
from analysis.sunlight_rights.windows import Windows, windows_of
from geo.model import Bounds, ElementRef, Feedback, Issue, Layer, UserError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]

THINNED = 4  # of how many marks one is asked whether a building can be met
ROUNDING_DEG = 0.01


class WindowChanges(NamedTuple):
    """Windows (k) whose sun or verdict is another than where the building stood at the beginning.

    A window of the building itself is compared with the window of the same id there.

    Attributes
    ----------
    window : (k,) int64
        Number among `RightsUpdate.windows`.
    id, building : (k,) object
        Of the window; name of the building it belongs to.
    total_before, total, run_before, run : (k,) float [h]
    lost : (k,) float [min]
        Sun lost in total; negative where the window gained.
    passed, passes : (k,) bool
        The verdict before and now.
    mine_alone, mine_joint : (k,) float [min]
        Sun that the building that moves takes now: alone, and together with others.
    worst : (k,) object
        The building that takes most of the sun of this window now.
    """

    window: Indices
    id: Texts
    building: Texts
    total_before: Floats
    total: Floats
    run_before: Floats
    run: Floats
    lost: Floats
    passed: Bools
    passes: Bools
    mine_alone: Floats
    mine_joint: Floats
    worst: Texts


class RightsUpdate(NamedTuple):
    """What a move changed.

    Attributes
    ----------
    changes : WindowChanges
        Against the beginning.
    windows : Windows
        All windows now; those of the building moved with it.
    found : Judgement
        Of all windows now.
    touched : (k,) int64
        Windows judged for this move; all others are as after the last move.
    appeared : (k,) int64
        Windows whose id was not there at the beginning, by number now: they are no longer walled up, or belong to a
        building that was inserted.
    gone : (k,) object
        Ids of windows that were there at the beginning and are not now.
    same_area : bool
        False when the full study would take another piece of ground: `LiveRights.result` then makes a full run.
    """

    changes: WindowChanges
    windows: Windows
    found: Judgement
    touched: Indices
    appeared: Indices
    gone: Texts
    same_area: bool


@dataclass(frozen=True, eq=False)
class _Place:
    """The building at one place and all that follows from it."""

    own: dict[str, Layer]
    obstacles: Obstacles
    windows: Windows
    found: Judgement
    issues: tuple[Issue, ...]
    same_area: bool


class LiveRights:
    """Verdicts on windows of a scene of which some elements move. Made by `begin`; one job at a time may use it.

    Attributes
    ----------
    day : date
    clock : Clock
    splits : mapping of layer id to Split
        The layers with something that moves; ``splits[id].mesh`` are the triangles that move, as they were.
    """

    def __init__(
        self, inputs: RightsInputs, params: RightsParams, splits: Mapping[str, Split], feedback: Feedback
    ) -> None:
        self._inputs, self._params, self.splits = inputs, params, dict(splits)
        feedback.step(0.0, "positions of the sun")
        self.rules = rules()
        self.day, self._offset = _day_of(inputs, params)
        self.clock: Clock = clock_of(
            inputs.frame, self.day, self.rules, step=params.step, time_basis=params.time_basis, offset=self._offset
        )
        if not (self.clock.towards[:, 2] > 0).any():
            raise _no_sun(self.day)
        self._obstacles = MovingObstacles(inputs, params, self.splits, feedback.part(0.02, 0.1))
        own = {key: part.own for key, part in self.splits.items()}
        self._begun = self._place = self._put(own, None, feedback.part(0.1, 1.0))[0]
        self._obstacles.remember_no_more()

    @staticmethod
    def begin(
        inputs: RightsInputs,
        params: RightsParams,
        moving: ElementRef | Sequence[ElementRef],
        feedback: Feedback | None = None,
    ) -> LiveRights:
        """Judge all windows once and keep what is needed to follow moves.

        Parameters
        ----------
        inputs, params
            As of ``sunlight.rights``.
        moving : ElementRef or several
            Elements of the layers given. An empty element id is the whole layer, which may be empty.
        """
        return LiveRights(inputs, params, splits_of(blocking_layers(inputs, params), moving), feedback or Feedback())

    def move(self, meshes: Meshes, feedback: Feedback | None = None) -> RightsUpdate:
        """Put the building elsewhere, or give it another shape; see `LiveHours.move`.

        A cancelled move changes nothing.
        """
        new, touched = self._put(placed(self.splits, meshes), self._place, feedback or Feedback())
        self._place = new
        was = same_names(self._begun.windows, new.windows)
        gone = np.ones(len(self._begun.windows.id), dtype=bool)
        gone[was[was >= 0]] = False
        return RightsUpdate(
            self._changes(was),
            new.windows,
            new.found,
            touched,
            np.flatnonzero(was < 0),
            self._begun.windows.id[gone],
            new.same_area,
        )

    @property
    def inputs(self) -> RightsInputs:
        """The inputs with the scene as it is after the last move."""
        return self._inputs_with(self._place.own)

    @property
    def windows(self) -> Windows:
        """All windows as they are after the last move."""
        return self._place.windows

    @property
    def found(self) -> Judgement:
        """The judgement of all windows after the last move."""
        return self._place.found

    @property
    def names(self) -> Texts:
        """(b,) names of the buildings that `Takings.building` counts; 0 is the terrain."""
        return self._place.obstacles.name

    def result(self, feedback: Feedback | None = None) -> Result:
        """What ``sunlight.rights`` gives for the scene as it is after the last move."""
        feedback = feedback or Feedback()
        place = self._place
        if not place.same_area:
            return full_run(self.inputs, self._params, feedback)
        marks = len(self.clock.hour)
        dated = (self.day, self._offset, marks)
        return outcome_of(
            self.inputs, self._params, self.rules, dated, place.obstacles, place.windows, place.found, place.issues
        )

    def _inputs_with(self, own: Mapping[str, Layer]) -> RightsInputs:
        changed = {key: part.joined(own[key]) for key, part in self.splits.items()}

        def now(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
            return tuple(changed.get(layer.id, layer) for layer in layers)

        given = self._inputs
        return dataclasses.replace(
            given,
            dwellings=now(given.dwellings),
            obstructions=now(given.obstructions),
            proposal=now(given.proposal),
            trees=now(given.trees),
        )

    def _put(self, own: dict[str, Layer], old: _Place | None, feedback: Feedback) -> tuple[_Place, Indices]:
        """All that follows from a place of the building, and the windows judged for it."""
        feedback.step(0.0, "finding the windows")
        obstacles = self._obstacles.placed(own)
        issues: list[Issue] = []
        windows = windows_of(self._inputs_with(own), self._params, obstacles, issues, feedback.part(0.0, 0.2))
        if len(windows.id) == 0:
            raise _no_windows()
        source = np.full(len(windows.id), -1, dtype=np.int64)
        stale = np.ones(len(windows.id), dtype=bool)
        if old is not None:
            source = same_windows(old.windows, windows)
            stale = (source < 0) | self._in_the_way(windows, old.own) | self._in_the_way(windows, own)
        found = self._judged(windows, obstacles, old, source, stale, feedback.part(0.2, 1.0))
        place = _Place(
            own, obstacles, windows, found, (*self._obstacles.issues, *issues), self._obstacles.same_area(own)
        )
        return place, np.flatnonzero(stale)

    def _judged(
        self,
        windows: Windows,
        obstacles: Obstacles,
        old: _Place | None,
        source: Indices,
        stale: Bools,
        feedback: Feedback,
    ) -> Judgement:
        if old is not None and not stale.any():
            return merged(old.found, source, nothing_of(old.found), stale)
        fresh = judge(windows.kept(stale), obstacles, self.clock, self.rules, self._params, feedback)
        return fresh if old is None else merged(old.found, source, fresh, stale)

    def _in_the_way(self, windows: Windows, own: Mapping[str, Layer]) -> Bools:
        """(n,) windows of which some ray, also of a point or a north moved a little, can meet the building."""
        box = Bounds.union(b for b in (mesh_of(layer).bounds for layer in own.values()) if b is not None)
        if box is None:
            return np.zeros(len(windows.id), dtype=bool)
        ways = np.concatenate([self.clock.towards[::THINNED], self.clock.towards[-1:]])
        between = np.degrees(np.arccos(np.clip((ways[1:] * ways[:-1]).sum(axis=1), -1.0, 1.0)))
        # every direction looked at lies at most half way between two of these, or as far from there as north is moved
        spread = float(between.max(initial=0.0)) / 2 + self.rules.north + ROUNDING_DEG
        around = np.hypot(windows.half_width, windows.half_height) + self.rules.height
        corners = np.array([*box.low, *box.high])
        return can_meet(windows.starts(CENTRE), windows.normal, ways, corners, around, spread)

    def _changes(self, was: Indices) -> WindowChanges:
        """Windows of which something changed since the beginning; `was` (n,) is their number then."""
        old, new = self._begun.found, self._place.found
        rows = np.flatnonzero(was >= 0)
        before = was[rows]
        total, run = new.now.total[rows], new.now.longest[rows]
        differs = (total != old.now.total[before]) | (run != old.now.longest[before])
        differs |= new.passes[rows] != old.passes[before]
        rows, before = rows[differs], before[differs]
        alone, joint = self._mine()
        windows, names = self._place.windows, self.names
        return WindowChanges(
            window=rows,
            id=windows.id[rows],
            building=names[windows.building[rows]],
            total_before=old.now.total[before],
            total=new.now.total[rows],
            run_before=old.now.longest[before],
            run=new.now.longest[rows],
            lost=(old.now.total[before] - new.now.total[rows]) * 60.0,
            passed=old.passes[before],
            passes=new.passes[rows],
            mine_alone=alone[rows],
            mine_joint=joint[rows],
            worst=worst(self._place.found.taken, len(windows.id), names)[0][rows],
        )

    def _mine(self) -> tuple[Floats, Floats]:
        """(n,) minutes that the buildings that move take now, alone and with others."""
        taken, count = self._place.found.taken, len(self._place.windows.id)
        mine = np.isin(taken.building, self._obstacles.moving)
        window = taken.window[mine]
        alone = np.asarray(60.0 * np.bincount(window, taken.alone[mine], count), dtype=np.float64)
        joint = np.asarray(60.0 * np.bincount(window, taken.joint[mine], count), dtype=np.float64)
        return alone, joint


def _day_of(inputs: RightsInputs, params: RightsParams) -> tuple[date, float]:
    """The day judged, and clock minus UTC [h]."""
    place = (inputs.frame.longitude, inputs.frame.latitude)
    offset = sun.utc_offset_of(*place) if params.utc_offset == "auto" else float(params.utc_offset)
    return (sun.winter_solstice(params.day.year, offset) if params.solstice else params.day), offset


def _no_sun(day: date) -> UserError:
    return UserError(
        f"The sun is not up on {day} in the hours of the rules.",
        "It stays below the horizon.",
        "Choose another day.",
        code="sunlight.no_sun",
        values={"day": str(day)},
    )


def _no_windows() -> UserError:
    return UserError(
        "No window was found that could be judged.",
        "The layers have no windows, and no facade of a dwelling faces south within the limit.",
        "Choose layers with dwellings, or a wider limit.",
        code="sunlight.rights.no_windows",
    )
