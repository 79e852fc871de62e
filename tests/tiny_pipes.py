"""A tiny pipe network under the tiny city: a water main with a branch, a sewer, a gas pipe, and an excavation.

The ground lies at 20 m. Plan (metres)::

    y = -30   R ---- w1 ---- V ---- w2 ---- C      water: reservoir R, valve V, customer C
                                 |
                                 w3                T-joint at x = 20 in the middle of w2, hydrant H at y = -50
    y = -35   M1 --- s1 ---- M2 --- s2 ---- O      sewer, falls 0.5 % to the outfall O
    x =  10   g1 from y = -60 to y = -20           gas, crosses both
"""

from __future__ import annotations

import numpy as np

from geo.model import Column, ElementTable, Layer, Lines, Points, Source

GROUND = 20.0


def line_layer(
    layer_id: str, lines: list[list[tuple[float, float, float]]], ids: list[str], **columns: object
) -> Layer:
    """Pipes; a column is a list with one value each (numbers in metres, or texts)."""
    offsets = np.cumsum([0, *(len(line) for line in lines)])
    geometry = Lines(np.array([p for line in lines for p in line], dtype=float), offsets, np.arange(len(lines)))
    return Layer(
        layer_id, layer_id.title(), "utility", geometry, ElementTable(ids, table_columns(columns)),
        stratum="underground", source=Source(part=layer_id),
    )  # fmt: skip


def point_layer(layer_id: str, points: list[tuple[float, float, float]], ids: list[str], **columns: object) -> Layer:
    """Nodes."""
    geometry = Points(np.array(points, dtype=float).reshape(-1, 3), np.arange(len(points)))
    return Layer(
        layer_id, layer_id.title(), "utility", geometry, ElementTable(ids, table_columns(columns)),
        stratum="underground", source=Source(part=layer_id),
    )  # fmt: skip


def table_columns(columns: dict[str, object]) -> dict[str, Column]:
    out = {}
    for name, values in columns.items():
        array = np.array(values)
        out[name] = Column(array.astype(object)) if array.dtype.kind in "US" else Column(array.astype(float), "m")
    return out


def pipes() -> Layer:
    return line_layer(
        "pipes",
        [
            [(-60, -30, 18.4), (0, -30, 18.4)],
            [(0, -30, 18.4), (60, -30, 18.4)],
            [(20, -30, 18.4), (20, -50, 18.4)],
            [(-60, -35, 17.0), (0, -35, 16.7)],
            [(0, -35, 16.7), (60, -35, 16.4)],
            [(10, -60, 18.8), (10, -20, 18.8)],
        ],
        ["w1", "w2", "w3", "s1", "s2", "g1"],
        utility=["water", "water", "water", "sewage", "sewage", "gas"],
        diameter=[0.2, 0.2, 0.1, 0.3, 0.3, 0.1],
        cover=[1.5, 1.5, 1.55, 3.0, 3.3, 1.15],
        depth_quality=["register", "register", "assumed", "measured", "measured", "measured"],
        plan_error=[0.3, 0.3, 0.3, 0.15, 0.15, 0.15],
        depth_error=[0.3, 0.3, 0.5, 0.15, 0.15, 0.15],
        invert_up=[np.nan, np.nan, np.nan, 16.85, 16.55, np.nan],
        invert_down=[np.nan, np.nan, np.nan, 16.55, 16.25, np.nan],
        owner=["Sejong water", "Sejong water", "Sejong water", "Sejong city", "Sejong city", "City gas"],
    )


def nodes() -> Layer:
    return point_layer(
        "nodes",
        [(-60, -30, 20), (0, -30, 20), (60, -30, 20), (20, -50, 20), (-60, -35, 20), (0, -35, 20), (60, -35, 20)],
        ["R", "V", "C", "H", "M1", "M2", "O"],
        node=["reservoir", "valve", "service", "hydrant", "manhole", "manhole", "outfall"],
        utility=["water", "water", "water", "water", "sewage", "sewage", "sewage"],
        status=["", "open", "", "", "", "", ""],
    )


def excavation(depth: float = 12.0) -> Layer:
    """A square of 8 m about the crossing of the gas pipe and the water main, as a ring."""
    ring = [(6.0, -34.0, 20.0), (14.0, -34.0, 20.0), (14.0, -26.0, 20.0), (6.0, -26.0, 20.0), (6.0, -34.0, 20.0)]
    geometry = Lines(np.array(ring), np.array([0, 5]), np.zeros(1, np.int32))
    table = ElementTable(["pit"], {"depth": Column(np.array([depth]), "m")})
    return Layer("pit", "Pit", "excavation", geometry, table, stratum="underground", source=Source(part="pit"))


def pipe_layers() -> list[Layer]:
    return [pipes(), nodes(), excavation()]
