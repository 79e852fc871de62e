"""Groups of elements as a user writes them: ``IfcPipe*, IfcDuct* & storey=1F``."""

from __future__ import annotations

import re
from fnmatch import translate

import numpy as np
from numpy.typing import NDArray

from analysis.bim_check.bodies import Bodies
from geo.model import UserError

CLASSES_TOLD = 12
COLUMN_OF_PLAIN = "class"
LAYER = "layer"


def in_group(bodies: Bodies, text: str) -> NDArray[np.bool_]:
    """(n,) bodies that belong to a group.

    Parameters
    ----------
    text : str
        Alternatives between commas; conditions joined by ``&``. A condition is a class, ``column=value`` or
        ``layer=name``; ``*`` and ``?`` stand for any letters, case does not count.

    Raises
    ------
    UserError
        Where nothing belongs to it.
    """
    found = np.zeros(len(bodies), dtype=np.bool_)
    for alternative in text.split(","):
        conditions = [part.strip() for part in alternative.split("&") if part.strip()]
        if not conditions:
            continue
        mine = np.ones(len(bodies), dtype=np.bool_)
        for condition in conditions:
            mine &= _fulfils(bodies, condition)
        found |= mine
    if not found.any():
        raise _nothing(bodies, text)
    return found


def _fulfils(bodies: Bodies, condition: str) -> NDArray[np.bool_]:
    column, equals, pattern = condition.partition("=")
    if not equals:
        column, pattern = COLUMN_OF_PLAIN, column
    name = column.strip().casefold()
    values = bodies.layer_names if name == LAYER else bodies.texts(_column(bodies, name))
    fits = re.compile(translate(pattern.strip().casefold())).match
    known = {value: bool(fits(value.casefold())) for value in set(values.tolist())}
    return np.array([known[value] for value in values.tolist()], dtype=np.bool_)


def _column(bodies: Bodies, name: str) -> str:
    """A column by its name in any case."""
    names = {key.casefold(): key for layer in bodies.layers for key in layer.table.columns}
    return names.get(name, name)


def _nothing(bodies: Bodies, text: str) -> UserError:
    values, counts = np.unique(bodies.texts("class").astype(str), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:CLASSES_TOLD]
    present = ", ".join(f"{values[k]} ({counts[k]})" for k in order.tolist() if values[k]) or "none"
    return UserError(
        f"No element belongs to the group '{text}'.",
        f"The models have these classes: {present}.",
        "Write classes with * for any letters, separated by commas, such as IfcPipe*, IfcDuct*.",
        code="bim.clash.no_group",
        values={"group": text, "classes": present},
    )
