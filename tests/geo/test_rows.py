"""The different rows of a table, against NumPy's own."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as shapes

from geo.model import unique_rows

ROOT = Path(__file__).resolve().parents[2]


@settings(deadline=None, max_examples=200)
@given(
    shapes.arrays(
        st.sampled_from([np.int64, np.int32, np.float64, np.float32, np.uint8]),
        st.tuples(st.integers(1, 30), st.integers(1, 4)),
        elements=st.integers(0, 2),
    )
)
def test_as_numpy_finds_them(table: np.ndarray) -> None:
    rows, first, group, count = np.unique(table, axis=0, return_index=True, return_inverse=True, return_counts=True)
    found = unique_rows(table)
    np.testing.assert_array_equal(found.rows, rows)
    assert found.rows.dtype == table.dtype
    np.testing.assert_array_equal(found.first, first)
    np.testing.assert_array_equal(found.group, group.reshape(-1))
    np.testing.assert_array_equal(found.times, count)


def test_zeros_of_both_signs_are_one_and_what_is_no_number_is_alone() -> None:
    found = unique_rows([[0.0, 1.0], [-0.0, 1.0], [np.nan, 1.0], [np.nan, 1.0]])
    assert found.times.tolist() == [2, 1, 1]


@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (0, 0)])
def test_nothing(shape: tuple[int, int]) -> None:
    found = unique_rows(np.zeros(shape))
    assert len(found.group) == shape[0]
    assert found.times.sum() == shape[0]
    with pytest.raises(ValueError, match="rows and columns"):
        unique_rows(np.zeros(3))


def test_nobody_sorts_rows_as_records() -> None:
    found = []
    for folder in ("app", "geo", "bim", "analysis"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                    continue
                if node.func.attr == "unique" and any(key.arg == "axis" for key in node.keywords):
                    found.append(f"{path.name}:{node.lineno}")
    assert found == [], "use geo.model.unique_rows"
