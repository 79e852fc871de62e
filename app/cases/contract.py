"""Headless. What a validation case offers, and how the one for a file or folder is found.

A case compares the program with measurements or with the results of another, established program. Each engine adds
its own file to this package with a module-level ``CASE = Case(...)``.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import app.cases
from geo.model import Feedback, UserError

Limit = Mapping[str, float]


def at_least(value: float) -> Limit:
    """A limit that a good value reaches or exceeds."""
    return {"min": value}


def at_most(value: float) -> Limit:
    """A limit that a good value does not exceed."""
    return {"max": value}


def keeps(value: float, limit: Limit) -> bool:
    """Whether a value keeps a limit; not-a-number keeps none."""
    return limit.get("min", -math.inf) <= value <= limit.get("max", math.inf)


class Comparison(NamedTuple):
    """What was compared in one part of a case, pair by pair.

    Attributes
    ----------
    name : str
        Of the part, as in the names of its metrics.
    observed, predicted : (n,) float64
        Reference and calculated values; NaN where there is none.
    """

    name: str
    observed: NDArray[np.float64]
    predicted: NDArray[np.float64]


@dataclass(frozen=True)
class CaseResult:
    """Scores of a case.

    Attributes
    ----------
    kind : str
        ``"sun"``, ``"wind"``, ``"covering"`` ...
    metrics : mapping of name -> number
    limits : mapping of metric name -> Limit
        ``{"min": ...}`` or ``{"max": ...}``, plain values for JSON. A metric without a limit is for information.
    notes : tuple of str
        What the reader of the scores must know, in plain English.
    comparisons : tuple of Comparison
        For scatter plots; none where single numbers are compared.
    """

    kind: str
    metrics: Mapping[str, float]
    limits: Mapping[str, Limit] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    comparisons: tuple[Comparison, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every limit is kept."""
        return all(name in self.metrics and keeps(self.metrics[name], limit) for name, limit in self.limits.items())


@dataclass(frozen=True)
class Case:
    """A sort of case.

    Attributes
    ----------
    id, title : str
    recognise : callable(path) -> bool
        Looks at the content only; false (never an error) for anything that is not this sort of case.
    run : callable(path, feedback) -> CaseResult
        Raises `UserError` for a damaged case.
    """

    id: str
    title: str
    recognise: Callable[[Path], bool]
    run: Callable[[Path, Feedback], CaseResult]


@cache
def cases() -> tuple[Case, ...]:
    """All cases, by id."""
    found: dict[str, Case] = {}
    for info in pkgutil.iter_modules(app.cases.__path__):
        module = importlib.import_module(f"app.cases.{info.name}")
        for value in vars(module).values():
            if isinstance(value, Case) and found.setdefault(value.id, value) is not value:
                raise RuntimeError(f"two cases are called {value.id}")
    return tuple(found[case_id] for case_id in sorted(found))


def find_case(path: Path) -> Case:
    """The case a file or folder holds, by its content."""
    if not path.exists():
        raise UserError(
            f"{path} does not exist.",
            "A case is a file or a folder with reference results.",
            "Check the path.",
            code="case.missing",
            values={"path": str(path)},
        )
    for case in cases():
        if case.recognise(path):
            return case
    raise UserError(
        f"{path.name} is not a validation case the program knows.",
        f"Known are: {'; '.join(case.title for case in cases())}.",
        "Give the path of a case file or folder.",
        code="case.unknown",
        values={"path": path.name, "known": "; ".join(case.title for case in cases())},
    )
