"""How much a plan loses when one of its cameras fails, and how much is seen more than once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.seen import Score
from analysis.cctv.targets import Targets

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Redundancy:
    """What is seen by how many.

    Attributes
    ----------
    lost : (c,) float
        Share (0..1) of all weight that only this camera sees: what its failure costs.
    alone : (c,) float [m2]
        Area that only this camera sees.
    seen, twice : float
        Share of all weight seen at all, and by two or more.
    mean_views : float
        Mean number of cameras over what is seen, by weight.
    """

    lost: Floats
    alone: Floats
    seen: float
    twice: float
    mean_views: float

    @property
    def worst(self) -> int:
        """The camera whose failure costs most; -1 where none sees anything alone."""
        return int(np.argmax(self.lost)) if len(self.lost) and self.lost.max() > 0 else -1


def redundancy(score: Score, targets: Targets, cameras: int) -> Redundancy:
    """From the numbers of views of a score, with sums of whole numbers."""
    total = int(targets.weight.sum())
    mine = score.only >= 0
    weight = np.zeros(cameras, dtype=np.int64)
    np.add.at(weight, score.only[mine], targets.weight[mine])
    alone = np.bincount(score.only[mine], targets.cell_area[mine], cameras).astype(np.float64)
    seen = int(targets.weight[score.views >= 1].sum())
    twice = int(targets.weight[score.views >= 2].sum())
    views = int((targets.weight * score.views).sum())
    if total == 0:
        return Redundancy(np.zeros(cameras), alone, 0.0, 0.0, 0.0)
    return Redundancy(weight / total, alone, seen / total, twice / total, views / seen if seen else 0.0)
