"""Design against a scan: the distance at every place of the design surface, and the state of every element.

References
----------
D. Lague, N. Brodu, J. Leroux: Accurate 3D comparison of complex topography with terrestrial laser scanner: application
to the Rangitikei canyon (N-Z). ISPRS J. Photogramm. Remote Sens. 82, 2013. doi:10.1016/j.isprsjprs.2013.04.009
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.construction.design import COVERED, CROWDED, FACING_DOWN, OPEN, Design, Places
from geo.model import Feedback

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.int8]

STATES = ("built", "partly", "deviating", "missing", "cannot_tell", "covered")
SURFACES = ("within", "proud", "recessed", "unclear", "no_points", "crowded", "covered")
SPREAD_SHARE = 0.5  # of the tolerance: points that spread more are no surface along the face
NORMAL_95 = 1.96  # standard deviations of a normal distribution within which 95 % lie
GONE = 0.02  # share of the surface: of what is not there no more is measured
LEAST_OF_SIDE = 4  # places on a side that speak for it
BASE_DEPTH = 1.0  # [m] a building may be drawn so far into the ground
LARGEST_VOXEL = 1.0  # [m]
SEEN_ALONG = 0.01  # square of the cosine between an axis and the directions in which faces look
LEAST_VIEW = 1e-3  # share of the surface that must look along a direction for a shift along it to be known


class Rules(NamedTuple):
    """What counts as what: lengths in m, shares 0..1 (see the parameters of ``construction.as_built``)."""

    tolerance: float
    registration: float
    reach: float
    spacing: float
    built_share: float
    seen_share: float
    least: int


class Comparison(NamedTuple):
    """The scan at each place of the design.

    Attributes
    ----------
    distance : (n,) float [m]
        Scan minus design along the outward normal: positive in front of the design surface. NaN where not measured.
    lod : (n,) float [m]
        Distances below it are not significant (95 %).
    number : (n,) int64
        Points of the scan it was taken from.
    surface : (n,) int8
        Number in `SURFACES`.
    lies_open : (n,) bool
        Where another body or the ground should cover the element, the scan sees that body or the ground instead.
    proves : (n,) bool
        Whether the place could lie open that way.
    """

    distance: Floats
    lod: Floats
    number: NDArray[np.int64]
    surface: Codes
    lies_open: Bools
    proves: Bools


class Judgement(NamedTuple):
    """The state of each element.

    Attributes
    ----------
    state : (n,) int8
        Number in `STATES`.
    within, seen, bare : (n,) float
        Shares 0..1: of the measured surface within tolerance, of the surface that may be seen that was measured, of
        the places it should stand on or touch that lie open. NaN where there is no such surface.
    offset, offset_95, lod : (n,) float [m]
        Mean distance with its sign, size that 95 % of the surface stay under, mean level of detection.
    shift : (n, 3) float [m]
        East, north and up by which the element as a whole stands off, as far as its measured faces look that way:
        of a wall only across it. NaN along axes across which no face looks.
    points : (n,) int64
    crowded : (n,) bool
        Whether it is so thin or so near others that most of it could not be told from them.
    """

    state: Codes
    within: Floats
    seen: Floats
    bare: Floats
    offset: Floats
    offset_95: Floats
    lod: Floats
    shift: Floats
    points: NDArray[np.int64]
    crowded: Bools


def compare(places: Places, points: Floats, rules: Rules, feedback: Feedback) -> Comparison:
    """Measure a scan (k, 3) [local m] at every place."""
    from analysis.kernels.cylinders import FOUND, UNCLEAR, lying_open, measure, sorted_points

    cells, count = places.cells, len(places.kind)
    voxels = sorted_points(points, min(max(rules.spacing / 2, 0.05), LARGEST_VOXEL))
    distance, lod = np.full(count, np.nan), np.full(count, np.nan)
    number = np.zeros(count, dtype=np.int64)
    surface = np.full(count, SURFACES.index("no_points"), dtype=np.int8)
    for kind, name in ((COVERED, "covered"), (CROWDED, "crowded")):
        surface[places.kind == kind] = SURFACES.index(name)
    at = np.flatnonzero(places.kind == OPEN)
    found = measure(
        voxels,
        cells.points[at],
        cells.normals[at],
        places.radius[at],
        places.inward[at],
        places.outward[at],
        gap=rules.tolerance,
        least=rules.least,
        most_spread=SPREAD_SHARE * rules.tolerance,
        feedback=feedback.part(0.0, 0.8),
    )
    good = found.state == FOUND
    number[at] = found.number
    level = NORMAL_95 * (found.spread / np.sqrt(np.maximum(found.number, 1)) + rules.registration)
    # A distance over the tolerance that is not significant says neither.
    unsure = good & (np.abs(found.mean) > rules.tolerance) & (np.abs(found.mean) <= level)
    surface[at[(found.state == UNCLEAR) | unsure]] = SURFACES.index("unclear")
    told = good & ~unsure
    distance[at[told]], lod[at[told]] = found.mean[told], level[told]
    surface[at[told]] = _sides(found.mean[told], rules.tolerance)
    proves = (places.kind == COVERED) & (places.thickness / 2 >= rules.tolerance)
    lies_open = np.zeros(count, dtype=bool)
    at = np.flatnonzero(proves)
    depth, empty_to = _rests(places, at, rules.tolerance)
    lies_open[at] = lying_open(
        voxels,
        cells.points[at],
        cells.normals[at],
        places.radius[at],
        depth,
        empty_to,
        outward=rules.tolerance / 2,  # a body drawn into another must not be found on the face of that
        least=rules.least,
        feedback=feedback.part(0.8, 1.0),
    )
    return Comparison(distance, lod, number, surface, lies_open, proves)


def _sides(distance: Floats, tolerance: float) -> Codes:
    names = [SURFACES.index(name) for name in ("proud", "recessed")]
    return np.select([distance > tolerance, distance < -tolerance], names, SURFACES.index("within")).astype(np.int8)


def _rests(places: Places, at: NDArray[np.int64], tolerance: float) -> tuple[Floats, Floats]:
    """How deep the body may stand in what carries it, and up to where nothing of it may be found [m]."""
    half = places.thickness[at] / 2
    base = places.is_base[at]
    depth = np.where(base, np.clip(half, tolerance, BASE_DEPTH), tolerance)
    whole = np.where(base, 2 * half - 2 * tolerance, half)
    # An open shell has nothing behind: as far as half the height of a storey.
    whole = np.where(np.isfinite(whole), whole, BASE_DEPTH + 0.5)
    return depth, np.maximum(whole, depth)


def judge(design: Design, places: Places, found: Comparison, rules: Rules) -> Judgement:
    """Tell the state of each element from its places."""
    area, owner, count = places.cells.area, places.cells.element, len(design)

    def total(chosen: Bools, weight: Floats = area) -> Floats:
        return np.asarray(np.bincount(owner[chosen], weight[chosen], count), dtype=np.float64)

    measured = np.isfinite(found.distance)
    of_measured = total(measured)
    may_be_seen = total(places.kind == OPEN)
    within = _share(total(found.surface == SURFACES.index("within")), of_measured)
    seen = _share(of_measured, may_be_seen)
    bare = _bare(places, found, total)
    crowded = total(places.kind == CROWDED)
    known = np.nan_to_num(seen) >= rules.seen_share
    known &= of_measured > 0
    state = np.select(
        [
            known & (within >= rules.built_share) & ~_side_out(places, found, rules, count),
            known & (within <= 1.0 - rules.built_share),
            known,
            (np.nan_to_num(seen) < GONE) & (np.nan_to_num(bare) >= rules.built_share),
            (may_be_seen + crowded == 0) & (total(places.kind == COVERED) > 0),
        ],
        [STATES.index(name) for name in ("built", "deviating", "partly", "missing", "covered")],
        STATES.index("cannot_tell"),
    ).astype(np.int8)
    return Judgement(
        state,
        within,
        seen,
        bare,
        _share(total(measured, area * np.nan_to_num(found.distance)), of_measured),
        _quantile(np.abs(found.distance), area, owner, measured, count),
        _share(total(measured, area * np.nan_to_num(found.lod)), of_measured),
        _shifts(places, found, measured, count),
        np.bincount(owner[measured], found.number[measured], count).astype(np.int64),
        crowded > may_be_seen,
    )


def _side_out(places: Places, found: Comparison, rules: Rules, count: int) -> Bools:
    """(n,) whether a side of the element is out of tolerance, though the element as a whole may not be.

    A beam that hangs too low has long sides where they should be: only its soffit tells.
    """
    normals = places.cells.normals
    axis = np.abs(normals).argmax(axis=1)
    side = 2 * axis + (np.take_along_axis(normals, axis[:, None], axis=1)[:, 0] > 0)
    number = 6 * places.cells.element.astype(np.int64) + side
    measured = np.isfinite(found.distance)
    within = measured & (found.surface == SURFACES.index("within"))
    area = places.cells.area
    told = np.bincount(number[measured], minlength=6 * count)
    kept, whole = (np.bincount(number[one], area[one], 6 * count) for one in (within, measured))
    share = _share(np.asarray(kept, dtype=np.float64), np.asarray(whole, dtype=np.float64))
    out = (told >= LEAST_OF_SIDE) & (share <= 1.0 - rules.built_share)
    return np.asarray(out.reshape(count, 6).any(axis=1))


def _share(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0), dtype=np.float64)


def _bare(places: Places, found: Comparison, total: Callable[[Bools], Floats]) -> Floats:
    """(n,) share of the places under, over or beside each element that lie open: the largest of the three.

    A wall that is missing leaves the floor open to the eye; whether the soffit above was scanned too does not matter.
    """
    up = places.cells.normals[:, 2]
    sides = (up < -FACING_DOWN, up > FACING_DOWN, np.abs(up) <= FACING_DOWN)
    shares = [_share(total(found.lies_open & side), total(found.proves & side)) for side in sides]
    return np.asarray(np.fmax(np.fmax(shares[0], shares[1]), shares[2]))


def _shifts(places: Places, found: Comparison, measured: Bools, count: int) -> Floats:
    """(n, 3) shift of each element by least squares of the distances of its faces along their normals."""
    owner, weight = places.cells.element[measured], places.cells.area[measured]
    normals, distance = places.cells.normals[measured], found.distance[measured]
    system, right = np.zeros((count, 3, 3)), np.zeros((count, 3))
    for i in range(3):
        right[:, i] = np.bincount(owner, weight * normals[:, i] * distance, count)
        for j in range(3):
            system[:, i, j] = np.bincount(owner, weight * normals[:, i] * normals[:, j], count)
    inverse = np.linalg.pinv(system, rcond=LEAST_VIEW, hermitian=True)
    known = np.einsum("nij,nji->ni", inverse, system) > SEEN_ALONG
    return np.where(known, np.einsum("nij,nj->ni", inverse, right), np.nan)


def _quantile(
    values: Floats, weight: Floats, owner: NDArray[np.int32], chosen: Bools, count: int, *, share: float = 0.95
) -> Floats:
    """(n,) value that the share of the weight of each owner stays under; NaN for owners of nothing."""
    at = np.flatnonzero(chosen)
    at = at[np.lexsort((values[at], owner[at]))]
    out = np.full(count, np.nan)
    if len(at) == 0:
        return out
    summed = np.cumsum(weight[at])
    starts = np.flatnonzero(np.r_[True, np.diff(owner[at]) != 0])
    stops = np.r_[starts[1:], len(at)]
    before = np.r_[0.0, summed][starts]
    target = before + share * (summed[stops - 1] - before)
    place = np.clip(np.searchsorted(summed, target - 1e-12 * summed[-1]), starts, stops - 1)
    out[owner[at[starts]]] = values[at[place]]
    return out


def weighted_quantile(values: Floats, weight: Floats, share: float) -> float:
    """The value that a share of the weight stays under."""
    one = np.zeros(len(values), dtype=np.int32)
    return float(_quantile(values, weight, one, np.isfinite(values), 1, share=share)[0])


def whole_shift(places: Places, found: Comparison) -> Floats | None:
    """A shift (3,) [m] of the scan as a whole that explains more than half of all distances, or None.

    Least absolute distances, by weights of one over what is left: a wall that stands elsewhere does not pull it.
    """
    at = np.flatnonzero(np.isfinite(found.distance))
    if len(at) < 10:
        return None
    normals, distance, area = places.cells.normals[at], found.distance[at], places.cells.area[at]
    shift: Floats = np.zeros(3)
    for _ in range(30):
        weight = area / np.maximum(np.abs(distance - normals @ shift), 1e-4)
        system = (normals * weight[:, None]).T @ normals
        # Directions in which no face looks stay where they are.
        solved = np.linalg.lstsq(system, (normals * weight[:, None]).T @ distance, rcond=LEAST_VIEW)[0]
        shift = np.asarray(solved, dtype=np.float64)
    left = float(area @ np.abs(distance - normals @ shift))
    if left > 0.5 * float(area @ np.abs(distance)):
        return None
    level = float(np.median(found.lod[at]))
    return shift if np.linalg.norm(shift) > level else None
