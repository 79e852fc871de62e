"""What the checks find: one row each, with what was measured and what the rule asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analysis.network.pipes import PipeSet
from analysis.utility_check.rules import CHECKS, SEVERITY, Rule

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Finding:
    """One doubt.

    Attributes
    ----------
    check : str
        One of `CHECKS`.
    line : int
        Pipe it is about.
    point : (x, y, z) [local m]
    measured, limit : float [m]
        NaN where there is no number.
    other : str
        Id of the other pipe or the building concerned.
    source : str
        Of the rule; empty where the finding follows from the data alone.
    verified : bool
        Whether the rule's source was read.
    """

    check: str
    line: int
    point: tuple[float, float, float]
    measured: float = float("nan")
    limit: float = float("nan")
    other: str = ""
    source: str = ""
    verified: bool = True

    @property
    def severity(self) -> str:
        """error, warning or note."""
        return SEVERITY[self.check]


@dataclass
class Findings:
    """Findings as they come in, and pairs of pipes that nobody can judge."""

    pipes: PipeSet
    items: list[Finding] = field(default_factory=list)
    unjudged: dict[str, int] = field(default_factory=dict)

    def add(
        self,
        check: str,
        line: int,
        point: Floats | Sequence[float],
        *,
        measured: float = float("nan"),
        rule: Rule | None = None,
        other: str = "",
    ) -> None:
        """Note one."""
        if check not in CHECKS:
            raise ValueError(f"unknown check {check!r}")
        x, y, z = (float(value) for value in point)
        limit, source, sure = (rule.value, rule.source, rule.verified) if rule else (float("nan"), "", True)
        self.items.append(Finding(check, int(line), (x, y, z), float(measured), limit, other, source, sure))

    def cannot_tell(self, check: str, count: int) -> None:
        """Note that something could not be judged."""
        if count:
            self.unjudged[check] = self.unjudged.get(check, 0) + count

    def in_order(self) -> list[Finding]:
        """Sorted by check, then by the pipe's id: the same data give the same list."""
        return sorted(self.items, key=lambda f: (CHECKS.index(f.check), str(self.pipes.id[f.line]), f.other, f.point))
