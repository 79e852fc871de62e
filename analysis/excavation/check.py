"""Excavations against pipes: exact distances, widened by what is not known of the places of both."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.excavation.declaration import ExcavationParams
from analysis.excavation.pits import Pit
from analysis.excavation.rules import Rules
from analysis.network.pipes import PipeSet
from geo.model import Feedback, Issue

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

CLASSES = ("uncertain", "clearance", "hard")  # the worst last, as ramps of ordered classes want it
UNCERTAIN, CLEARANCE, HARD = range(3)


class Widths(NamedTuple):
    """What each pipe asks for (k,) [m].

    Attributes
    ----------
    clearance : by the rule and the choice
    plan, depth : one standard uncertainty
    doubt : uncertainty of pipe and excavation together, times the coverage
    hand_dig : full width of the strip that is dug by hand, pipe included
    diameter : as taken for the check, widest extent of a box
    """

    clearance: Floats
    plan: Floats
    depth: Floats
    doubt: Floats
    hand_dig: Floats
    diameter: Floats


class Findings(NamedTuple):
    """Pipes at excavations, each pair once, by excavation and then by distance.

    Attributes
    ----------
    pit, line : (m,) int64
    distance : (m,) float64 [m]
        From the outside of the pipe to the excavation; negative inside it, by how far its axis lies in plus its radius.
    place : (m, 3) float64 [local m]
        On the axis, nearest to the surface of the excavation.
    verdict : (m,) int64
        Index into `CLASSES`.
    piece : (n,) int64; piece_pit : (n,) int64
        Straight pieces (numbers of their first vertex) that are concerned, for the hand-dig zone.
    """

    pit: Indices
    line: Indices
    distance: Floats
    place: Floats
    verdict: Indices
    piece: Indices
    piece_pit: Indices


def widths_of(pipes: PipeSet, params: ExcavationParams, rules: Rules, issues: list[Issue]) -> Widths:
    """Clearances, uncertainties and hand-dig zones of pipes."""
    plan, depth = pipes.plan_error.copy(), pipes.depth_error.copy()
    quality = np.where(np.isin(pipes.quality.astype(str), list(rules.errors)), pipes.quality, "assumed")
    for k, values in enumerate((plan, depth)):
        missing = ~np.isfinite(values)
        values[missing] = [rules.errors[str(name)][k] for name in quality[missing]]
    taken = int((~np.isfinite(pipes.plan_error) | ~np.isfinite(pipes.depth_error)).sum())
    if taken:
        text = f"{taken} pipes do not say how sure their place is; the uncertainty of their depth quality is taken."
        issues.append(Issue("excavation.error_assumed", text, "note", count=taken))
    round_size = np.where(pipes.diameter > 0, pipes.diameter, rules.unknown_diameter)
    unsized = ~(pipes.diameter > 0) & ~pipes.is_box
    if unsized.any():
        ids = tuple(dict.fromkeys(pipes.id[unsized].tolist()))
        text = f"{len(ids)} pipes have no diameter; {rules.unknown_diameter:g} m is taken."
        values_said = {"diameter": f"{rules.unknown_diameter:g}"}
        issues.append(
            Issue("excavation.diameter_assumed", text, "doubt", count=len(ids), elements=ids[:50], values=values_said)
        )
    doubt = params.coverage * np.sqrt(plan**2 + depth**2 + params.dig_error**2)
    size = np.where(pipes.is_box, pipes.width, round_size)
    hand = 2.0 * (rules.hand_digs(pipes.utility) + params.coverage * plan) + size
    return Widths(rules.clearances(pipes.utility) + params.clearance, plan, depth, doubt, hand, round_size)


def check(pipes: PipeSet, pits: list[Pit], widths: Widths, feedback: Feedback) -> Findings:
    """All pipes that an excavation hits, comes too near to, or may do so as far as is known."""
    from analysis.kernels import capsules
    from analysis.kernels.network import Polylines, segments_of

    feedback.step(0.0, "indexing the pipes")
    first, line = segments_of(Polylines(pipes.vertices, pipes.offsets, pipes.layer))
    box = pipes.is_box[line]
    pieces = capsules.Pipes(
        pipes.vertices[first],
        pipes.vertices[first + 1],
        np.where(box, 0.0, widths.diameter[line] / 2),
        np.where(box, pipes.width[line] / 2, 0.0),
        np.where(box, pipes.height[line] / 2, 0.0),
    )
    index = capsules.CapsuleIndex(pieces)
    feedback.step(0.4, "measuring distances")
    triangles = np.concatenate([pit.solid for pit in pits])
    solid = np.repeat(np.arange(len(pits)), [len(pit.solid) for pit in pits])
    reach = float((widths.clearance + widths.doubt).max())
    near = index.near_solids(triangles, solid, reach=reach)
    feedback.step(0.7, "looking for pipes inside")
    inside = capsules.inside_solids(pieces.a, triangles, solid)
    pit, piece, distance, face = _joined(pieces, triangles, solid, near, inside)
    feedback.step(0.8, "measuring distances")
    size = np.where(box, np.minimum(pieces.half_width, pieces.half_height), pieces.radius)[piece]
    key = pit * len(first) + piece
    within = np.isin(key, inside[:, 0] * len(first) + inside[:, 1])
    distance = np.where(within, -np.abs(distance + size) - size, distance)
    return _classified(line, widths, pieces, triangles, (pit, piece, distance, face), first)


def _joined(
    pieces: object, triangles: Floats, solid: Indices, near: object, inside: Indices
) -> tuple[Indices, Indices, Floats, Indices]:
    """Pairs found near a surface, and those deep inside a solid, whose surface lies beyond the reach."""
    from analysis.kernels import capsules

    if not isinstance(pieces, capsules.Pipes) or not isinstance(near, capsules.Near):
        raise TypeError("pieces of pipes and pairs are expected")
    count = len(pieces.a)
    known = near.solid * count + near.piece
    deep = inside[~np.isin(inside[:, 0] * count + inside[:, 1], known)]
    pit, piece = [near.solid, deep[:, 0]], [near.piece, deep[:, 1]]
    distance, face = [near.distance], [near.face]
    for number in np.unique(deep[:, 0]):
        mine = deep[deep[:, 0] == number, 1]
        own = np.flatnonzero(solid == number)
        found = capsules.CapsuleIndex(pieces.kept(mine)).near_triangles(triangles[own], reach=np.inf)
        distance.append(found.distance)
        face.append(own[found.face])
    order = np.argsort(deep[:, 0], kind="stable")
    pit[1], piece[1] = pit[1][order], piece[1][order]
    return np.concatenate(pit), np.concatenate(piece), np.concatenate(distance), np.concatenate(face)


def _classified(
    line: Indices,
    widths: Widths,
    pieces: object,
    triangles: Floats,
    pairs: tuple[Indices, Indices, Floats, Indices],
    first: Indices,
) -> Findings:
    """The nearest piece of each pipe at each excavation, and its class."""
    from analysis.kernels import capsules

    if not isinstance(pieces, capsules.Pipes):
        raise TypeError("pieces of pipes are expected")
    pit, piece, distance, face = pairs
    pipe = line[piece]
    keep = distance < (widths.clearance + widths.doubt)[pipe]
    keep |= distance < 0
    pit, piece, distance, face, pipe = pit[keep], piece[keep], distance[keep], face[keep], pipe[keep]
    order = np.lexsort((piece, distance, pipe, pit))
    sorted_pit, sorted_pipe = pit[order], pipe[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (sorted_pit[1:] != sorted_pit[:-1]) | (sorted_pipe[1:] != sorted_pipe[:-1])
    best = order[new]
    best = best[np.lexsort((pipe[best], distance[best], pit[best]))]
    place = capsules.nearest_places(
        np.ascontiguousarray(pieces.a[piece[best]]),
        np.ascontiguousarray(pieces.b[piece[best]]),
        np.ascontiguousarray(triangles[face[best]]),
    )
    nearer, rule = distance[best], widths.clearance[pipe[best]]
    verdict = np.where(nearer < 0, HARD, np.where(nearer < rule, CLEARANCE, UNCERTAIN))
    return Findings(pit[best], pipe[best], nearer, place, verdict, first[piece], pit)
