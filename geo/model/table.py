"""ElementTable: one row per element, columns with units, stable string ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.model.cached import cached_property


@dataclass(frozen=True, eq=False)
class Column:
    """One attribute of every element.

    Attributes
    ----------
    values : (n,) array
        float64 (NaN = missing), int64, bool, or object holding str (None = missing). Read-only.
    unit : str
        ``""`` for text and pure numbers.
    title : str
        Name as the file gives it, when it differs from the column's key.
    """

    values: NDArray[np.generic]
    unit: str = ""
    title: str = ""

    def __post_init__(self) -> None:
        values = np.asarray(self.values)
        if values.ndim != 1:
            raise ValueError(f"a column is one-dimensional, got shape {values.shape}")
        if values.dtype.kind in "US":
            values = values.astype(object)
        elif values.dtype.kind == "f":
            values = values.astype(np.float64)
        elif values.dtype.kind in "iu":
            values = values.astype(np.int64)
        elif values.dtype.kind not in "bO":
            raise TypeError(f"a column holds numbers or text, not {values.dtype}")
        values = values.view()
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    @property
    def is_number(self) -> bool:
        """Whether the values can be put on a scale."""
        return bool(self.values.dtype.kind in "fi")


class ElementTable:
    """Ids and attributes of the elements of a layer.

    Examples
    --------
    >>> table = ElementTable(["a", "b"], {"height": Column(np.array([3.0, 6.0]), "m")})
    >>> table.row("b")["height"]
    6.0
    """

    def __init__(self, ids: Sequence[str] | NDArray[np.object_], columns: Mapping[str, Column] | None = None) -> None:
        self.ids: NDArray[np.object_] = np.array([str(i) for i in ids], dtype=object)
        self.ids.flags.writeable = False
        self.columns: dict[str, Column] = dict(columns or {})
        for name, column in self.columns.items():
            if len(column.values) != len(self.ids):
                raise ValueError(f"column {name!r} has {len(column.values)} values for {len(self.ids)} elements")

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids)

    @cached_property
    def index(self) -> dict[str, int]:
        """Row number of each id."""
        return {element_id: row for row, element_id in enumerate(self.ids)}

    def row(self, element_id: str) -> dict[str, object]:
        """All attributes of one element as plain Python values."""
        return self.row_at(self.index[element_id])

    def row_at(self, row: int) -> dict[str, object]:
        """All attributes of the element in a row as plain Python values."""
        out: dict[str, object] = {}
        for name, column in self.columns.items():
            value = column.values[row]
            out[name] = value.item() if isinstance(value, np.generic) else value
        return out

    def with_columns(self, columns: Mapping[str, Column]) -> ElementTable:
        """A copy with columns added or replaced."""
        return ElementTable(self.ids, {**self.columns, **columns})
