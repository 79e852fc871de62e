"""Headless. The uses a user may give a new building: those of the scene, then the usual words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from app.language import tr
from app.massing_copy import USE_COLUMNS
from geo.model import Layer

MOST_USES = 40


def uses_of(layers: Iterable[Layer]) -> list[str]:
    """Uses of the buildings of a scene, the most frequent first, then usual words that none of them has."""
    counts: Counter[str] = Counter()
    for layer in layers:
        if layer.theme != "building":
            continue
        for name in USE_COLUMNS:
            column = layer.table.columns.get(name)
            if column is not None and not column.is_number:
                counts.update(str(value).strip() for value in column.values if value is not None)
                break
    found = [use for use, _count in counts.most_common(MOST_USES) if use]
    return [*found, *(use for use in usual_uses() if use not in found)]


def usual_uses() -> list[str]:
    """Words by which the rules of dwellings and parking know a use, in the user's language."""
    return [word.strip() for word in tr("mass.usual_uses").split(";")]
