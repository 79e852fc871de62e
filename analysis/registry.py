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


@cache
def analyses() -> dict[str, Analysis]:
    """All analyses by id, family by family. Two with the same id are a mistake in the program."""
    found: dict[str, Analysis] = {}
    for info in pkgutil.iter_modules(analysis.studies.__path__):
        module = importlib.import_module(f"analysis.studies.{info.name}")
        for value in vars(module).values():
            if isinstance(value, Analysis) and found.setdefault(value.id, value) is not value:
                raise RuntimeError(f"two analyses are called {value.id}")
    return {key: found[key] for key in sorted(found, key=_place)}


def get(analysis_id: str) -> Analysis:
    """The analysis of that id, or a `UserError` that lists what there is."""
    try:
        return analyses()[analysis_id]
    except KeyError:
        raise UserError(
            f"There is no analysis called {analysis_id}.",
            f"Known are: {', '.join(analyses())}.",
            "Use 'twin list analyses' to see them all.",
            code="analysis.unknown",
            values={"analysis": analysis_id, "known": ", ".join(analyses())},
        ) from None
