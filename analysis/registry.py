"""Finds every analysis declared in `analysis.studies`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

import analysis.studies
from analysis.contract import Analysis
from geo.model import UserError

# The order in which families are offered; others follow.
FAMILIES = ("sunlight", "wind", "cctv", "dust", "indoor", "bim", "utility", "links", "compare")


def _place(analysis_id: str) -> tuple[int, str]:
    family = analysis_id.partition(".")[0]
    return (FAMILIES.index(family) if family in FAMILIES else len(FAMILIES), analysis_id)


def module_of(analysis_id: str) -> str:
    """The module of `analysis.studies` that declares an analysis: ``"wind.comfort"`` is in ``wind_comfort``."""
    return analysis_id.replace(".", "_", 1)


@cache
def analysis_ids() -> tuple[str, ...]:
    """Ids of all analyses, family by family; none is imported for it."""
    names = (info.name for info in pkgutil.iter_modules(analysis.studies.__path__))
    return tuple(sorted((name.replace("_", ".", 1) for name in names), key=_place))


@cache
def analyses() -> dict[str, Analysis]:
    """All analyses by id, family by family."""
    return {analysis_id: _declared(analysis_id) for analysis_id in analysis_ids()}


@cache
def _declared(analysis_id: str) -> Analysis:
    """The analysis that its module declares: one, and called as the module is."""
    module = importlib.import_module(f"analysis.studies.{module_of(analysis_id)}")
    found = [value for value in vars(module).values() if isinstance(value, Analysis)]
    if [one.id for one in found] != [analysis_id]:
        raise RuntimeError(f"{module.__name__} declares {[one.id for one in found]} and not {analysis_id}")
    return found[0]


def get(analysis_id: str) -> Analysis:
    """The analysis of that id, or a `UserError` that lists what there is."""
    if analysis_id in analysis_ids():
        return _declared(analysis_id)
    known = ", ".join(analysis_ids())
    raise UserError(
        f"There is no analysis called {analysis_id}.",
        f"Known are: {known}.",
        "Use 'twin list analyses' to see them all.",
        code="analysis.unknown",
        values={"analysis": analysis_id, "known": known},
    )


def find_analysis(analysis_id: str) -> Analysis | None:
    """The analysis of that id, or None."""
    return _declared(analysis_id) if analysis_id in analysis_ids() else None
