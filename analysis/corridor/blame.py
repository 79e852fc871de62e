"""Which buildings close a corridor: a cheap ranking by their form, and a check by solving the wind without them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.corridor.city import REACH, Downwind, open_across, runs_along
from analysis.corridor.lanes import Lane

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Indices = NDArray[np.int64]

BEFORE_WALL = 10.0  # [m] before a wall, where the open width it closes is measured
CHIEF = 0.33  # of what its row closes: a building stands for it
NEAR = 100.0  # [m] along a lane to both sides of a bottleneck that is its doing


class Closing(NamedTuple):
    """A row of touching buildings in the way of one wind.

    Attributes
    ----------
    elements : tuple of int
        Buildings of the row.
    closed : float [m]
        Width of open ground that runs on before and behind it and that it closes.
    narrowed : float [m]
        By which it narrows lanes at their bottlenecks, times the built share of the section there.
    middle : (2,) float [m]
        In the axes of the wind.
    corridor : (rows, cols) bool
        Ground of the raster that is closed or narrowed.
    """

    elements: tuple[int, ...]
    closed: float
    narrowed: float
    middle: Floats
    corridor: Bools

    @property
    def score(self) -> float:
        """[m]."""
        return self.closed + self.narrowed


def closings_of(city: Downwind, lanes: list[Lane], most: int) -> list[Closing]:
    """The rows that close and narrow most, by the form of the city alone; the worst first.

    A row of touching buildings closes what is open before **and** behind it along the wind (as far as 100 m; the
    geometric mean of both), as far as it takes up the open width it stands in: a house in a field closes next to
    nothing, one across a street all of it. Where single buildings of a row do most of that, they stand for it.
    """
    from scipy.ndimage import label

    groups, count = label(city.built, structure=np.ones((3, 3)))
    if count == 0:
        return []
    owner = np.zeros(int(city.element.max()) + 1, dtype=np.int64)
    owner[city.element[city.built]] = groups[city.built]
    necks = _at_bottlenecks(lanes)
    by_row = _Score(_closed(city, groups, count), _narrowed(necks, owner, count))
    alone = _Score(
        _closed(city, city.element + 1, len(owner)), _narrowed(necks, np.arange(1, len(owner) + 1), len(owner))
    )
    found = []
    for row in np.flatnonzero(by_row.total > 0.0):
        members = np.flatnonzero(owner == row)
        chief = members[alone.total[members + 1] >= CHIEF * by_row.total[row]]
        if len(members) == 1 or len(chief) == 0:
            found.append(_candidate(by_row, int(row), tuple(members.tolist())))
        else:
            found += [_candidate(alone, int(number) + 1, (int(number),)) for number in chief]
    found.sort(key=lambda one: (-round(one.closed + one.narrowed, 6), one.elements))
    return [_closing(city, one, lanes, necks) for one in found[:most]]


class _Score(NamedTuple):
    closed: Floats
    narrowed: Floats

    @property
    def total(self) -> Floats:
        return np.asarray(self.closed + self.narrowed)


class _Candidate(NamedTuple):
    elements: tuple[int, ...]
    closed: float
    narrowed: float


class _Neck(NamedTuple):
    lane: int
    place: int
    element: int
    lost: float


def _candidate(score: _Score, number: int, elements: tuple[int, ...]) -> _Candidate:
    return _Candidate(elements, float(score.closed[number]), float(score.narrowed[number]))


def _closing(city: Downwind, one: _Candidate, lanes: list[Lane], necks: list[_Neck]) -> Closing:
    """A candidate with the ground it closes."""
    mine = np.isin(city.element, one.elements)
    row, column = np.nonzero(mine)
    middle = city.middle(np.array([row.mean()]), np.array([column.mean()]))[0]
    near = [_stretch(lanes[neck.lane], neck.place) for neck in necks if neck.element in one.elements]
    return Closing(one.elements, one.closed, one.narrowed, middle, _ground(city, mine, near))


def _closed(city: Downwind, groups: NDArray[np.int32], count: int) -> Floats:
    """(count + 1,) width that each group closes alone [m]; only stretches inside the area count."""
    is_open = ~city.built
    row, first, last = runs_along(is_open)
    before, behind = _open_runs(row, first, last, is_open.shape[1])
    reach = REACH / city.fine
    share = np.sqrt(np.minimum(before, reach) * np.minimum(behind, reach)) / reach
    rows, columns = city.area
    inside = (row >= rows.start) & (row < rows.stop) & (last > columns.start) & (first < columns.stop)
    group = _alone(groups, row, first, last)
    at = np.maximum(first - np.maximum(1, np.minimum(before // 2, round(BEFORE_WALL / city.fine))), 0)
    own = np.bincount(group, minlength=count + 1)  # stretches of a group: its width in columns
    wide = np.maximum(open_across(is_open)[row, at], 1)
    share = share * np.minimum(own[group] / wide, 1.0) * inside * (group > 0)
    return np.asarray(np.bincount(group, share * city.fine, count + 1))


def _alone(
    groups: NDArray[np.int32], row: NDArray[np.intp], first: NDArray[np.intp], last: NDArray[np.intp]
) -> NDArray[np.int64]:
    """(n,) group of each stretch, 0 where it has several."""
    change = np.zeros((groups.shape[0], groups.shape[1]), dtype=np.int32)
    change[:, 1:] = groups[:, 1:] != groups[:, :-1]
    changes = np.cumsum(change, axis=1)
    one = changes[row, last - 1] == changes[row, first]
    return np.where(one, groups[row, first], 0).astype(np.int64)


def _at_bottlenecks(lanes: list[Lane]) -> list[_Neck]:
    """Each side of each bottleneck that would be wider without its building, as far as air can go nowhere else."""
    return [
        _Neck(number, neck.place, neck.elements[side], neck.lost[side] * neck.confined)
        for number, lane in enumerate(lanes)
        for neck in lane.bottlenecks
        for side in (0, 1)
        if neck.lost[side] > 0.0
    ]


def _narrowed(necks: list[_Neck], owner: NDArray[np.int64], count: int) -> Floats:
    """(count + 1,) width taken from lanes by each group [m]."""
    out = np.zeros(count + 1)
    for neck in necks:
        out[owner[neck.element]] += neck.lost
    return out


def _open_runs(
    row: NDArray[np.intp], first: NDArray[np.intp], last: NDArray[np.intp], columns: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Open columns before and behind each stretch of buildings."""
    start, end = np.zeros(len(row), dtype=np.intp), np.full(len(row), columns, dtype=np.intp)
    same = np.flatnonzero(np.diff(row) == 0)
    start[same + 1] = last[same]
    end[same] = first[same + 1]
    return first - start, end - last


def _stretch(lane: Lane, place: int) -> Floats:
    """Places of a lane near one of them."""
    apart = np.linalg.norm(lane.xy - lane.xy[place], axis=1)
    return np.asarray(lane.xy[apart <= NEAR])


def _ground(city: Downwind, mine: Bools, stretches: list[Floats]) -> Bools:
    """Open ground before and behind a row along the wind, and of the lanes it narrows."""
    out = np.zeros(mine.shape, dtype=bool)
    reach = round(REACH / city.fine)
    built = city.built
    for row in np.flatnonzero(mine.any(axis=1)).tolist():
        columns = np.flatnonzero(mine[row])
        first, last = int(columns[0]), int(columns[-1]) + 1
        before, behind = built[row, max(0, first - reach) : first][::-1], built[row, last : last + reach]
        out[row, first - _free(before) : first] = True
        out[row, last : last + _free(behind)] = True
    for xy in stretches:
        rows, across, inside = city.number(xy)
        out[rows[inside], across[inside]] = True
    return out & ~built


def _free(built: Bools) -> int:
    """Columns until the first that is built."""
    return int(np.argmax(built)) if built.any() else len(built)
