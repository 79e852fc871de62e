"""Models and places of the topics of the tests."""

from __future__ import annotations

import numpy as np

from geo.crs import make_frame
from geo.model import Column, ElementTable, Layer, Points
from geo.pose import Pose

FRAME = make_frame("EPSG:5186", 229_000.0, 435_000.0)


POSE = Pose(229_020.0, 435_010.0, 30.0, 30.0)


IDS = ["1GU8BMEqHBQxVAbwRD$4Jj", "0AQJSsoeDDvwVqSNcwjy55", "3DOu_tSXP6evQgY8Ml4CtC"]


def findings() -> tuple[Layer, Layer]:
    """A pipe, and three findings about pipes as pins."""
    pipe = Layer("pipes", "pipes", "utility", None, ElementTable(["W1"]))
    columns = {
        "check": Column(np.array(["cover", "course", "cover"], dtype=object)),
        "severity": Column(np.array(["note", "error", "warning"], dtype=object)),
        "element": Column(np.array(["W1", "W1", "W9"], dtype=object)),
        "measured": Column(np.array([0.4, np.nan, 0.7]), "m"),
    }
    points = Points(np.array([[0.0, 0, 0], [10, 0, 0], [20, 5, 1]]), np.arange(3, dtype=np.int32))
    return pipe, Layer("pins", "Findings", "result", points, ElementTable(["0", "1", "2"], columns))
