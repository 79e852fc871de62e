"""Judgements of windows put together: those that a move left as they were, and those judged anew."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.sunlight_rights.judge import Judgement, Takings
from analysis.sunlight_rights.timeline import Spell
from analysis.sunlight_rights.windows import Windows

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]


def same_names(old: Windows, new: Windows) -> Indices:
    """(n,) number among the old windows of each new one of the same name; -1 for none."""
    row = {name: number for number, name in enumerate(old.id.tolist())}
    return np.array([row.get(name, -1) for name in new.id.tolist()], dtype=np.int64)


def same_windows(old: Windows, new: Windows) -> Indices:
    """(n,) number among the old windows of each new one of the same name, place, size and building; -1 for none."""
    found = same_names(old, new)
    if len(old.id) == 0:
        return found
    same = found >= 0
    for a, b in ((old.centre, new.centre), (old.normal, new.normal)):
        same &= (a[found] == b).all(axis=1)
    for a, b in ((old.half_width, new.half_width), (old.half_height, new.half_height)):
        same &= a[found] == b
    same &= old.building[found] == new.building
    return np.where(same, found, -1)


def merged(old: Judgement, source: Indices, fresh: Judgement, stale: Bools) -> Judgement:
    """The judgement of windows (n): of `fresh` where `stale`, else of window `source` of `old`."""
    kept, anew = np.flatnonzero(~stale), np.flatnonzero(stale)
    place = np.full(len(old.passes), -1, dtype=np.int64)
    place[source[kept]] = kept

    def array(a: NDArray[np.generic], b: NDArray[np.generic]) -> NDArray[np.generic]:
        out = np.empty((*b.shape[:-1], len(stale)), dtype=b.dtype)
        out[..., kept], out[..., anew] = a[..., source[kept]], b
        return out

    values: list[object] = []
    for a, b in zip(old, fresh, strict=True):
        if isinstance(a, Takings) and isinstance(b, Takings):
            values.append(_takings(a, place, b, anew))
        elif isinstance(a, Spell) and isinstance(b, Spell):
            values.append(Spell(*(array(x, y) for x, y in zip(a, b, strict=True))))  # type: ignore[arg-type]
        else:
            values.append(array(a, b))  # type: ignore[arg-type]
    return Judgement(*values)  # type: ignore[arg-type]


def nothing_of(found: Judgement) -> Judgement:
    """A judgement of no windows, with arrays of the same sorts."""
    values: list[object] = []
    for part in found:
        if isinstance(part, Takings):
            values.append(Takings(*(column[:0] for column in part)))  # type: ignore[arg-type]
        elif isinstance(part, Spell):
            values.append(Spell(*(column[:0] for column in part)))
        else:
            values.append(part[..., :0])
    return Judgement(*values)  # type: ignore[arg-type]


def _takings(old: Takings, place: Indices, fresh: Takings, anew: Indices) -> Takings:
    """Takings of windows that moved to `place` (-1: judged anew), and of those judged anew, in order."""
    keep = place[old.window] >= 0
    window = np.concatenate([place[old.window[keep]], anew[fresh.window]])
    columns = [np.concatenate([a[keep], b]) for a, b in zip(old[1:], fresh[1:], strict=True)]
    order = np.lexsort((columns[0], window))
    return Takings(window[order], *(column[order] for column in columns))
