"""What the rules find: one row each, with what was measured, what is asked for, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analysis.sunlight_setback.rules import Rule

Floats = NDArray[np.float64]

VERDICTS = ("ok", "needs_review", "cannot_tell", "breaks")
RULES = ("north", "daylight", "window", "opening", "ancillary", "blank", "end", "plot")


@dataclass(frozen=True)
class Finding:
    """One building against one rule on one side.

    Attributes
    ----------
    rule : str
        One of `RULES`.
    building, other, plot : str
        `other`: the neighbouring plot, or the other building.
    verdict : str
        One of `VERDICTS`.
    reason : str
        Why the verdict is not a plain one; a key of the translations ``class.reason.*``.
    measured, required : float [m]
        Distances; NaN where there is none.
    height : float [m]
        Of the part that decides, from the ground that counts.
    too_high : float [m]
        By how much parts rise above what is allowed; 0 where none does.
    start, stop : (3,) float [local m]
        The part, and what its distance is measured to.
    """

    rule: str
    building: str
    other: str
    plot: str
    zoning: str
    verdict: str
    reason: str
    article: str
    source: str
    verified: bool
    measured: float = float("nan")
    required: float = float("nan")
    height: float = float("nan")
    too_high: float = 0.0
    start: tuple[float, float, float] = (float("nan"),) * 3
    stop: tuple[float, float, float] = (float("nan"),) * 3

    @property
    def shortage(self) -> float:
        """Distance that lacks [m]; negative where there is more than is asked for."""
        return self.required - self.measured


@dataclass
class Findings:
    """Findings, and the parts of buildings beyond what the rules allow."""

    items: list[Finding] = field(default_factory=list)
    beyond: list[tuple[Floats, int]] = field(default_factory=list)

    def add(self, finding: Finding, beyond: Floats | None = None) -> None:
        """Note one; `beyond`: triangles (t, 3, 3) [local m] of what breaks it."""
        if beyond is not None and len(beyond):
            self.beyond.append((beyond, len(self.items)))
        self.items.append(finding)


def joined(rules: tuple[Rule, ...]) -> tuple[str, str, bool]:
    """Article, sources, and whether all of some rules are verified."""
    articles = list(dict.fromkeys(rule.article for rule in rules))
    sources = list(dict.fromkeys(rule.source for rule in rules))
    return "; ".join(articles), "; ".join(sources), all(rule.verified for rule in rules)
