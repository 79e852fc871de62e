"""Charts as plain JSON values and back: a run's record keeps them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Chart, Series


def chart_to_dict(chart: Chart) -> dict[str, Any]:
    """Plain JSON values; not-a-number becomes null."""
    return {
        "id": chart.id,
        "title": chart.title,
        "x": [chart.x_title, chart.x_unit],
        "y": [chart.y_title, chart.y_unit],
        "series": [
            {
                "name": series.name,
                "x": _plain(series.x),
                "y": _plain(series.y),
                "role": series.role,
                "colour": series.colour,
                "base": None if series.base is None else _plain(series.base),
                "labels": list(series.labels),
            }
            for series in chart.series
        ],
    }


def chart_from_dict(data: Mapping[str, Any]) -> Chart:
    """The inverse of `chart_to_dict`."""
    series = tuple(
        Series(
            str(item["name"]),
            _array(item["x"]),
            _array(item["y"]),
            str(item["role"]),
            str(item["colour"]),
            None if item["base"] is None else _array(item["base"]),
            tuple(str(label) for label in item["labels"]),
        )
        for item in data["series"]
    )
    (x_title, x_unit), (y_title, y_unit) = data["x"], data["y"]
    return Chart(str(data["id"]), str(data["title"]), str(x_title), str(x_unit), str(y_title), str(y_unit), series)


def _plain(values: NDArray[np.float64]) -> list[float | None]:
    return [float(value) if math.isfinite(value) else None for value in values]


def _array(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)
