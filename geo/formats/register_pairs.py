"""Which register belongs to which utility map: the one that has its ids. Geometry is not read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geo import joins, utility_fields
from geo.formats.register import read_register
from geo.formats.vector_source import gdal_errors, layer_facts, opened
from geo.model import Feedback, UserError

Texts = NDArray[np.object_]
SHEETS = (".xlsx", ".xlsm")
TABLES = (".csv", ".tsv", ".txt", *SHEETS)
MOST_BYTES = 32 << 20  # of a register that is looked into before it is asked for


@dataclass(frozen=True)
class Pair:
    """A map and its register.

    Attributes
    ----------
    matched : int
        Features of the map whose id the register has.
    features : int
        Features of the map with an id.
    """

    map: Path
    register: Path
    matched: int
    features: int


def is_table(path: Path) -> bool:
    """Whether a file may be a register by its name and size."""
    return path.suffix.lower() in TABLES and path.is_file() and path.stat().st_size <= MOST_BYTES


def pairs_of(maps: Sequence[Path], tables: Sequence[Path], feedback: Feedback | None = None) -> list[Pair]:
    """For each map the register that has most of its ids; maps that none of them fits are left out."""
    feedback = feedback or Feedback()
    known = {table: ids for table in tables if len(ids := register_ids(table))}
    found = []
    for number, path in enumerate(maps if known else ()):
        feedback.step(number / len(maps), path.name)
        mine = map_ids(path)
        pairs = [Pair(path, table, int(np.isin(mine, ids).sum()), len(mine)) for table, ids in known.items()]
        best = max(pairs, key=lambda pair: pair.matched)
        if best.matched and best.matched >= joins.ENOUGH * min(len(mine), len(known[best.register])):
            found.append(best)
    return found


def register_ids(path: Path) -> Texts:
    """The ids of a register as they are compared; none where no column is known to hold them."""
    try:
        columns = read_register(path).columns
    except UserError:
        return np.zeros(0, dtype=object)  # the import will say why
    name = _id_name(list(columns))
    return _known(joins.key_texts(utility_fields.texts_of(columns[name]))) if name else np.zeros(0, dtype=object)


def map_ids(path: Path) -> Texts:
    """The ids of all features of a GIS file."""
    import pyogrio

    out = [np.zeros(0, dtype=object)]
    with opened(path) as files, gdal_errors(path):
        for file in files:
            for layer in file.layers:
                name = _id_name([str(field) for field in layer_facts(file, layer)["fields"]])
                if name:
                    _, _, _, values = pyogrio.raw.read(
                        file.target, layer=layer, columns=[name], read_geometry=False, encoding=file.encoding
                    )
                    out.append(_known(joins.key_texts(values[0])))
    return np.concatenate(out)


def _id_name(names: Sequence[str]) -> str:
    found = utility_fields.roles_of(names, ("id",), {})
    return found["id"].name if found else ""


def _known(ids: Texts) -> Texts:
    return ids[[value is not None for value in ids]]
