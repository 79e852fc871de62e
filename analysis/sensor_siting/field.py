"""The covariance of a field: from the maps of several runs, or exponential with a stated length."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.model import Grid, Issue, Layer, UserError

Floats = NDArray[np.float64]

MOST_FIELD_CELLS = 2_500
FEW_RUNS = 10
CLOSE = 1e-6  # of a cell: lattices further apart are different


class Runs(NamedTuple):
    """Maps of several runs on one lattice.

    values : (runs, rows, cols), NaN where nothing is known; x0, y0, cell : the lattice; name, unit : of the field.
    """

    values: Floats
    x0: float
    y0: float
    cell: float
    name: str
    unit: str


def runs_of(layers: Sequence[Layer], name: str) -> Runs:
    """All fields of the maps that the name fits, one run each."""
    maps = [layer for layer in layers if isinstance(layer.geometry, Grid)]
    names = _names(maps)
    if not names:
        raise UserError(
            "There are no maps of runs.",
            "The covariance of the field was to be taken from maps, and none was given.",
            "Name maps of several runs (wind, dust), or choose the exponential covariance.",
            code="sensor.siting.no_maps",
        )
    wanted = name or names[0]
    found = [
        (layer.geometry, *each) for layer in maps for each in _fields(layer) if fnmatch.fnmatchcase(each[0], wanted)
    ]
    if not found:
        raise UserError(
            f"No map has a field called {wanted}.",
            f"The fields of the maps are: {', '.join(names)}.",
            "Name one of them; * stands for any letters.",
            code="sensor.siting.no_field",
            values={"field": wanted, "fields": ", ".join(names)},
        )
    if len(found) < 2:
        raise UserError(
            f"There is only one map of {wanted}.",
            "How a field hangs together shows only in several runs.",
            "Name the maps of at least two runs, or choose the exponential covariance.",
            code="sensor.siting.one_map",
            values={"field": wanted},
        )
    first = found[0][0]
    if not isinstance(first, Grid) or not all(_alike(first, grid) for grid, *_ in found):
        raise UserError(
            "The maps of the runs do not lie on each other.",
            "They differ in their extent or in their cells.",
            "Repeat the runs with the same area and cell, or name only maps that fit.",
            code="sensor.siting.shapes",
        )
    values = np.stack([values for _, _, _, values in found])
    return Runs(values, first.x0, first.y0, first.cell, wanted, found[0][2])


def _names(maps: Sequence[Layer]) -> list[str]:
    return list(dict.fromkeys(name for layer in maps for name, _, _ in _fields(layer)))


def _fields(layer: Layer) -> list[tuple[str, str, Floats]]:
    """Name, unit and values of the numbers on a map; of a map without fields its own values."""
    if not isinstance(layer.geometry, Grid):
        return []
    found = [
        (field.name, field.unit, np.asarray(field.values, dtype=np.float64))
        for field in layer.fields
        if field.on == "cell" and not field.categories and field.values.dtype.kind == "f"
    ]
    return found if layer.fields else [(layer.name, "1", layer.geometry.values)]


def _alike(first: Grid, other: object) -> bool:
    if not isinstance(other, Grid) or other.values.shape != first.values.shape:
        return False
    apart = (other.x0 - first.x0, other.y0 - first.y0, other.cell - first.cell)
    return max(abs(value) for value in apart) <= CLOSE * first.cell


class FieldCells(NamedTuple):
    """Cells of a field: lattice, flat numbers (m,), middles (m, 2) [local m], and values (runs, m) or None."""

    x0: float
    y0: float
    cell: float
    shape: tuple[int, int]
    number: NDArray[np.int64]
    middle: Floats
    values: Floats | None

    def spread(self, values: Floats) -> Grid:
        """Values of the cells as a map."""
        out = np.full(self.shape[0] * self.shape[1], np.nan)
        out[self.number] = values
        return Grid(out.reshape(self.shape), self.x0, self.y0, self.cell)


def field_cells(runs: Runs, issues: list[Issue]) -> FieldCells:
    """The cells that all runs know, coarsened by whole blocks where they are too many."""
    known = np.isfinite(runs.values).all(axis=0)
    partly = int((np.isfinite(runs.values).any(axis=0) & ~known).sum())
    if partly:
        message = f"{partly} cells have no value in some of the runs; they are left out."
        issues.append(Issue("sensor.siting.partly_known", message, "note", partly, values={"count": partly}))
    if not known.any():
        raise UserError(
            "No cell has a value in all runs.",
            "The maps have values in different places, or none at all.",
            "Name maps of runs over the same area.",
            code="sensor.siting.no_cells",
        )
    block = max(1, int(np.ceil(np.sqrt(known.sum() / MOST_FIELD_CELLS))))
    values = np.where(known, runs.values, np.nan)
    if block > 1:
        values = _blocks(values, block)
        message = f"The maps were coarsened to cells of {runs.cell * block:g} m."
        issues.append(Issue("sensor.siting.coarsened", message, "note", values={"cell": runs.cell * block}))
    shift = runs.cell * (block - 1) / 2.0
    x0, y0, cell = runs.x0 + shift, runs.y0 + shift, runs.cell * block
    shape = values.shape[1:]
    number = np.flatnonzero(np.isfinite(values[0]))
    row, col = np.divmod(number, shape[1])
    middle = np.column_stack([x0 + cell * col, y0 + cell * row])
    return FieldCells(x0, y0, cell, (shape[0], shape[1]), number, middle, values.reshape(len(values), -1)[:, number])


def _blocks(values: Floats, block: int) -> Floats:
    """Means of blocks of cells; not-a-number where less than half of a block is known."""
    runs, rows, cols = values.shape
    high, wide = -(-rows // block), -(-cols // block)
    padded = np.full((runs, high * block, wide * block), np.nan)
    padded[:, :rows, :cols] = values
    parts = padded.reshape(runs, high, block, wide, block)
    known = np.isfinite(parts)
    count = known.sum(axis=(2, 4))
    total = np.where(known, parts, 0.0).sum(axis=(2, 4))
    enough = count * 2 >= block * block
    enough |= (count > 0) & ~enough.any()
    return np.where(enough, total / np.maximum(count, 1), np.nan)


def ensemble_covariance(values: Floats, issues: list[Issue]) -> tuple[Floats, float]:
    """(m, m) covariance of runs (n, m), its correlations shrunk towards none, and by how much they are (0..1).

    The share is that which makes the expected error least (Schaefer and Strimmer 2005, eq. 10): the sum of the
    variances of the correlations over the sum of their squares. Variances are left as they are.
    """
    count = len(values)
    if count < FEW_RUNS:
        message = f"Only {count} runs: how the field hangs together is known roughly."
        issues.append(Issue("sensor.siting.few_runs", message, "doubt", count, values={"count": count}))
    deviation = values - values.mean(axis=0)
    spread = np.sqrt((deviation**2).sum(axis=0) / (count - 1))
    floor = 1e-9 * max(1.0, float(np.abs(values).max()))
    if not (spread > floor).any():
        raise UserError(
            "The runs do not differ.",
            "Every cell has the same value in all maps, so that any sensor would tell as much as any other.",
            "Name maps of different runs (directions, hours, sources).",
            code="sensor.siting.constant",
        )
    scaled = np.divide(deviation, spread, out=np.zeros_like(deviation), where=spread > floor)
    correlation = np.einsum("ki,kj->ij", scaled, scaled) / (count - 1)
    squares = np.einsum("ki,kj->ij", scaled**2, scaled**2)
    mean = correlation * (count - 1) / count
    variance = count / (count - 1) ** 3 * (squares - count * mean**2)
    off = ~np.eye(len(spread), dtype=np.bool_)
    total = float((correlation**2)[off].sum())
    share = float(np.clip(variance[off].sum() / total, 0.0, 1.0)) if total > 0 else 1.0
    shrunk = np.where(off, (1.0 - share) * correlation, 1.0)
    return shrunk * spread[:, None] * spread, share


def exponential_covariance(middle: Floats, length: float) -> Floats:
    """(m, m) ``exp(-d / length)`` of the distances d in plan; variance 1."""
    apart = np.sqrt(((middle[:, None, :] - middle[None, :, :]) ** 2).sum(axis=2))
    return np.asarray(np.exp(-apart / length))
